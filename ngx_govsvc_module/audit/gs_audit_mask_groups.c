
/*
 * Copyright (C) govsvc authors
 *
 * Masking of personal numbers that are written in groups.
 */


#include "audit/gs_audit_mask_priv.h"


/* Digits in groups, "137 1234 9050", and the longest number they begin with. */
typedef struct {
    int                v[GS_AUDIT_MASK_DIGITS];
    unsigned           n;                  /* digits so far */
    unsigned           groups;
    unsigned char      len[GS_AUDIT_MASK_DIGITS];
    unsigned           hide;               /* digits; 0: it is none */
    unsigned           head;
    unsigned           tail;
} gs_audit_mask_groups_t;


static int gs_audit_mask_blank(const gs_uchar_t *p, const gs_uchar_t *last,
    size_t *used);
static void gs_audit_mask_match(gs_audit_mask_groups_t *g, int next);
static int gs_audit_mask_form(const gs_audit_mask_groups_t *g,
    const char *form);
static void gs_audit_mask_grouped(gs_audit_mask_t *m,
    const gs_audit_mask_groups_t *g);


/*
 * Groups with one blank or hyphen between: an identity number in any groups,
 * for its checksum and date leave no room for chance, a mobile number and a
 * card as they are usually written.  0: there is none, nothing was copied.
 */

int
gs_audit_mask_groups(gs_audit_mask_t *m)
{
    int                      c;
    size_t                   used, blank;
    const gs_uchar_t        *p;
    gs_audit_mask_groups_t   g;

    memset(&g, 0, sizeof(gs_audit_mask_groups_t));
    used = 0;
    p = m->p;

    for ( ;; ) {
        c = (p < m->last) ? gs_audit_mask_unit(p, m->last, &used)
                          : GS_AUDIT_MASK_OTHER;

        if (c >= 0 && c <= 9) {

            if (g.n == GS_AUDIT_MASK_DIGITS) {
                break;
            }

            g.v[g.n++] = c;
            g.len[g.groups]++;
            p += used;
            continue;
        }

        g.groups++;
        gs_audit_mask_match(&g, c);

        if (c != GS_AUDIT_MASK_OTHER || g.n == GS_AUDIT_MASK_DIGITS
            || !gs_audit_mask_blank(p, m->last, &blank)
            || p + blank == m->last)
        {
            break;
        }

        p += blank;
        c = gs_audit_mask_unit(p, m->last, &used);

        if (c < 0 || c > 9) {
            gs_audit_mask_match(&g, c);
            break;
        }
    }

    if (g.hide == 0) {
        return 0;
    }

    gs_audit_mask_grouped(m, &g);

    return 1;
}


/* " ", "-", "+" (a blank in arguments), U+00A0, U+3000, U+FF0D */

static int
gs_audit_mask_blank(const gs_uchar_t *p, const gs_uchar_t *last, size_t *used)
{
    int            c;
    size_t         n;
    unsigned       i, k, left;
    unsigned char  alive[6];

    static const gs_uchar_t  blanks[6][4] = {
        " ", "-", "+", "\xc2\xa0", "\xe3\x80\x80", "\xef\xbc\x8d"
    };

    memset(alive, 1, sizeof(alive));
    *used = 0;

    for (i = 0; i < 3 && p + *used < last; i++) {
        c = gs_audit_mask_byte(p + *used, last, &n);
        *used += n;
        left = 0;

        for (k = 0; k < 6; k++) {
            alive[k] = (alive[k] && blanks[k][i] == c);

            if (alive[k] && blanks[k][i + 1] == '\0') {
                return 1;
            }

            left += alive[k];
        }

        if (left == 0) {
            break;
        }
    }

    return 0;
}


/* Keeps the longest; a later one has more digits. */

static void
gs_audit_mask_match(gs_audit_mask_groups_t *g, int next)
{
    int       id[18];
    unsigned  n;

    n = g->n;

    if (g->groups < 2) {
        return;
    }

    if (n == 18 || (n == 17 && next == GS_AUDIT_MASK_X)) {
        memcpy(id, g->v, n * sizeof(int));

        if (n == 17) {
            id[17] = GS_AUDIT_MASK_X;
        }

        if (gs_audit_mask_is_id(id)) {
            g->hide = 18;
            g->head = 1;
            g->tail = 1;
            return;
        }
    }

    if (gs_audit_mask_form(g, "344")
        && gs_audit_mask_is_mobile(g->v, n) != n)
    {
        g->hide = n;
        g->head = 3;
        g->tail = 4;
        return;
    }

    if ((gs_audit_mask_form(g, "4444") || gs_audit_mask_form(g, "44441")
         || gs_audit_mask_form(g, "44442") || gs_audit_mask_form(g, "44443")
         || gs_audit_mask_form(g, "465"))
        && gs_audit_mask_is_card(g->v, n))
    {
        g->hide = n;
        g->head = 0;
        g->tail = 4;
    }
}


static int
gs_audit_mask_form(const gs_audit_mask_groups_t *g, const char *form)
{
    unsigned  i;

    for (i = 0; i < g->groups && form[i] != '\0'; i++) {
        if (g->len[i] != form[i] - '0') {
            return 0;
        }
    }

    return i == g->groups && form[i] == '\0';
}


static void
gs_audit_mask_grouped(gs_audit_mask_t *m, const gs_audit_mask_groups_t *g)
{
    int       c;
    size_t    used;
    unsigned  i;

    for (i = 0; i < g->hide; /* void */) {
        c = gs_audit_mask_unit(m->p, m->last, &used);

        if (c == GS_AUDIT_MASK_OTHER) {
            (void) gs_audit_mask_blank(m->p, m->last, &used);
            gs_audit_mask_copy(m, m->p + used);
            continue;
        }

        m->p += used;

        if (i >= g->head && i < g->hide - g->tail) {
            *m->dst++ = '*';

        } else {
            *m->dst++ = (gs_uchar_t) (c < 10 ? '0' + c : 'X');
        }

        i++;
    }
}
