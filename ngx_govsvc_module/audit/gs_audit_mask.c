
/*
 * Copyright (C) govsvc authors
 *
 * Masking of personal numbers.
 *
 * The text is read in units: one byte, however often it is percent-encoded,
 * or one full-width character.  Letters and digits that stand together form a
 * run; a run with the exact form of an item code or credit code is left
 * alone, in all others each stretch of digits is judged by itself, so that
 * letters around a number do not hide it.
 */


#include "audit/gs_audit_mask_priv.h"
#include "core/gs_hex.h"


#define GS_AUDIT_MASK_RUN     44           /* longest code that is kept, 43 */
#define GS_AUDIT_MASK_LEAST   11           /* digits of a mobile number */
#define GS_AUDIT_MASK_DEPTH   3            /* how often %25 is followed */


/* A stretch of digits and what is to be done with it. */
typedef struct {
    int                v[GS_AUDIT_MASK_DIGITS];
    unsigned           n;
    unsigned           hide;               /* units; 0: nothing personal */
    unsigned           head;               /* units that stay, first */
    unsigned           tail;               /* and last */
    const gs_uchar_t  *end;                /* behind the digits */
} gs_audit_mask_digits_t;


static int gs_audit_mask_clean(const gs_str_t *s);
static int gs_audit_mask_joint(const gs_uchar_t *p, size_t i, size_t len);
static void gs_audit_mask_run(gs_audit_mask_t *m);
static int gs_audit_mask_code(const int *v, unsigned n);
static int gs_audit_mask_literal(gs_audit_mask_t *m, const gs_uchar_t *p);
static void gs_audit_mask_look(const gs_uchar_t *p, const gs_uchar_t *last,
    gs_audit_mask_digits_t *d);
static void gs_audit_mask_judge(gs_audit_mask_digits_t *d, int next);
static void gs_audit_mask_digits(gs_audit_mask_t *m,
    const gs_audit_mask_digits_t *d);
static int gs_audit_mask_is_date(const int *v);
static int gs_audit_mask_is_uscc(const int *v, int strict);


/* Digits, '%' and the lead byte of full-width forms. */

static const gs_uchar_t  gs_audit_mask_stop[256] = {
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1,
    ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1, ['%'] = 1, [0xef] = 1
};


/* The value of an ASCII letter or digit, or GS_AUDIT_MASK_OTHER. */

static const signed char  gs_audit_mask_values[128] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
     0,  1,  2,  3,  4,  5,  6,  7,  8,  9, -1, -1, -1, -1, -1, -1,
    -1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
    25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, -1, -1, -1, -1, -1,
    -1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
    25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, -1, -1, -1, -1, -1
};


size_t
gs_audit_mask(gs_uchar_t *dst, const gs_str_t *src)
{
    size_t             used;
    gs_audit_mask_t    m;
    const gs_uchar_t  *p;

    if (src->len == 0) {
        return 0;
    }

    if (gs_audit_mask_clean(src)) {
        memcpy(dst, src->data, src->len);
        return src->len;
    }

    m.dst = dst;
    m.p = src->data;
    m.last = m.p + src->len;

    while (m.p < m.last) {

        for (p = m.p; p < m.last && !gs_audit_mask_stop[*p]; p++) {
            /* void */
        }

        if (p == m.last) {
            gs_audit_mask_copy(&m, p);
            break;
        }

        if (gs_audit_mask_unit(p, m.last, &used) == GS_AUDIT_MASK_OTHER) {

            if (!gs_audit_mask_literal(&m, p)) {
                gs_audit_mask_copy(&m, p + used);
            }

            continue;
        }

        /* a run begins with the letters before its first digit */

        while (p > m.p && gs_is_alpha(p[-1])) {
            p--;
        }

        gs_audit_mask_copy(&m, p);
        gs_audit_mask_run(&m);
    }

    return (size_t) (m.dst - dst);
}


/*
 * Most texts hold no number worth a look.  No personal number has fewer than
 * eleven digits, so without escapes and full-width forms one byte in eleven is
 * enough to see that there is none, whether they stand together or in groups.
 */

static int
gs_audit_mask_clean(const gs_str_t *s)
{
    size_t             i, from, to;
    unsigned           digits;
    const gs_uchar_t  *p;

    p = s->data;

    if (s->len < GS_AUDIT_MASK_LEAST) {
        return 1;
    }

    if (memchr(p, '%', s->len) != NULL || memchr(p, 0xef, s->len) != NULL
        || memmem(p, s->len, "\xe3\x80\x80", 3) != NULL
        || memmem(p, s->len, "\xc2\xa0", 2) != NULL)
    {
        return 0;
    }

    for (i = GS_AUDIT_MASK_LEAST - 1; i < s->len; i += GS_AUDIT_MASK_LEAST) {

        if (!gs_audit_mask_joint(p, i, s->len)) {
            continue;
        }

        for (from = i; from > 0 && gs_audit_mask_joint(p, from - 1, s->len);
             from--)
        {
            /* void */
        }

        digits = 0;

        for (to = from; to < s->len && gs_audit_mask_joint(p, to, s->len);
             to++)
        {
            digits += gs_is_digit(p[to]);
        }

        if (digits >= GS_AUDIT_MASK_LEAST) {
            return 0;
        }
    }

    return 1;
}


/* A digit, or what may stand between two. */

static int
gs_audit_mask_joint(const gs_uchar_t *p, size_t i, size_t len)
{
    if (gs_is_digit(p[i])) {
        return 1;
    }

    return (p[i] == ' ' || p[i] == '-' || p[i] == '+')
           && i != 0 && gs_is_digit(p[i - 1])
           && i + 1 < len && gs_is_digit(p[i + 1]);
}


/* One byte, percent-encoded up to GS_AUDIT_MASK_DEPTH times. */

int
gs_audit_mask_byte(const gs_uchar_t *p, const gs_uchar_t *last, size_t *used)
{
    int       high, low;
    unsigned  depth;

    *used = 1;

    if (*p != '%') {
        return *p;
    }

    /* %XX, %25XX, %2525XX: the digits behind "25" continue the escape */

    for (depth = 0; depth < GS_AUDIT_MASK_DEPTH; depth++) {

        if ((size_t) (last - p) < *used + 2) {
            break;
        }

        high = gs_hex_value(p[*used]);
        low = gs_hex_value(p[*used + 1]);

        if (high < 0 || low < 0) {
            break;
        }

        *used += 2;

        if (high != 2 || low != 5) {
            return high * 16 + low;
        }
    }

    *used = 1;

    return '%';
}


/* The value of a letter or digit, or GS_AUDIT_MASK_OTHER. */

int
gs_audit_mask_unit(const gs_uchar_t *p, const gs_uchar_t *last, size_t *used)
{
    int     c, second, third;
    size_t  n, total;

    if (*p < 0x80 && *p != '%') {
        *used = 1;
        return gs_audit_mask_values[*p];
    }

    c = gs_audit_mask_byte(p, last, used);

    if (c < 0x80) {
        return gs_audit_mask_values[c];
    }

    if (c != 0xef || *used == (size_t) (last - p)) {
        return GS_AUDIT_MASK_OTHER;
    }

    /* U+FF10-FF19, U+FF21-FF3A, U+FF41-FF5A */

    total = *used;
    second = gs_audit_mask_byte(p + total, last, &n);
    total += n;

    if ((second != 0xbc && second != 0xbd) || total == (size_t) (last - p)) {
        return GS_AUDIT_MASK_OTHER;
    }

    third = gs_audit_mask_byte(p + total, last, &n);
    total += n;

    if (third < 0x80 || third > 0xbf) {
        return GS_AUDIT_MASK_OTHER;
    }

    c = (second == 0xbc) ? third - 0x80 + 0x20 : third - 0x80 + 0x60;
    c = (c < 0x80) ? gs_audit_mask_values[c] : GS_AUDIT_MASK_OTHER;

    if (c != GS_AUDIT_MASK_OTHER) {
        *used = total;
    }

    return c;
}


static void
gs_audit_mask_run(gs_audit_mask_t *m)
{
    int                      v[GS_AUDIT_MASK_RUN], c;
    size_t                   used;
    unsigned                 n;
    const gs_uchar_t        *p;
    gs_audit_mask_digits_t   d;

    n = 0;

    for (p = m->p; p < m->last; p += used) {

        c = gs_audit_mask_unit(p, m->last, &used);
        if (c == GS_AUDIT_MASK_OTHER) {
            break;
        }

        if (n < GS_AUDIT_MASK_RUN) {
            v[n++] = c;
        }
    }

    if (gs_audit_mask_code(v, n)) {
        gs_audit_mask_copy(m, p);
        return;
    }

    while (m->p < p) {

        c = gs_audit_mask_unit(m->p, m->last, &used);

        if (c < 10) {
            gs_audit_mask_look(m->p, m->last, &d);

            if (d.hide != 0 || !gs_audit_mask_groups(m)) {
                gs_audit_mask_digits(m, &d);
            }

        } else {
            gs_audit_mask_copy(m, m->p + used);
        }
    }
}


/*
 * "%2013712349050" is a blank before a number, but "%1371234905012" may be a
 * per cent sign that was decoded already: digits behind it are judged, too.
 */

static int
gs_audit_mask_literal(gs_audit_mask_t *m, const gs_uchar_t *p)
{
    unsigned                i;
    gs_audit_mask_digits_t  d;

    if (*p != '%') {
        return 0;
    }

    p++;

    for (i = 0; i <= GS_AUDIT_MASK_DEPTH; i++) {

        if (p == m->last || !gs_is_digit(*p)) {
            break;
        }

        gs_audit_mask_look(p, m->last, &d);

        if (d.hide != 0) {
            gs_audit_mask_copy(m, p);
            gs_audit_mask_digits(m, &d);
            return 1;
        }

        if (m->last - p < 2 || p[0] != '2' || p[1] != '5') {
            break;
        }

        p += 2;
    }

    return 0;
}


/*
 * A credit code alone, or an item code: credit code, level of the office
 * (1-6), catalogue code; with a sequence (33) or as a case number (43).
 */

static int
gs_audit_mask_code(const int *v, unsigned n)
{
    unsigned  i;

    if (n == 18) {
        return gs_audit_mask_is_uscc(v, 1) && !gs_audit_mask_is_id(v);
    }

    if ((n != 31 && n != 33 && n != 43) || !gs_audit_mask_is_uscc(v, 0)) {
        return 0;
    }

    for (i = 18; i < n; i++) {
        if (v[i] > 9) {
            return 0;
        }
    }

    return v[18] >= 1 && v[18] <= 6;
}


static void
gs_audit_mask_look(const gs_uchar_t *p, const gs_uchar_t *last,
    gs_audit_mask_digits_t *d)
{
    int     c;
    size_t  used;

    c = GS_AUDIT_MASK_OTHER;
    d->n = 0;
    d->hide = 0;

    for ( /* void */ ; p < last; p += used) {

        c = gs_audit_mask_unit(p, last, &used);
        if (c < 0 || c > 9) {
            break;
        }

        if (d->n < GS_AUDIT_MASK_DIGITS) {
            d->v[d->n] = c;
        }

        d->n++;
    }

    d->end = p;

    if (d->n <= GS_AUDIT_MASK_DIGITS) {
        gs_audit_mask_judge(d, (p == last) ? GS_AUDIT_MASK_OTHER : c);
    }
}


static void
gs_audit_mask_judge(gs_audit_mask_digits_t *d, int next)
{
    int       id[18];
    unsigned  n, prefix;

    n = d->n;

    if (n == 18 || (n == 17 && next == GS_AUDIT_MASK_X)) {
        memcpy(id, d->v, n * sizeof(int));

        if (n == 17) {
            id[17] = GS_AUDIT_MASK_X;
        }

        if (gs_audit_mask_is_id(id)) {
            d->hide = 18;
            d->head = 1;
            d->tail = 1;
            return;
        }
    }

    prefix = gs_audit_mask_is_mobile(d->v, n);

    if (prefix != n) {
        d->hide = n;
        d->head = prefix + 3;
        d->tail = 4;
        return;
    }

    if (gs_audit_mask_is_card(d->v, n)) {
        d->hide = n;
        d->head = 0;
        d->tail = 4;
    }
}


static void
gs_audit_mask_digits(gs_audit_mask_t *m, const gs_audit_mask_digits_t *d)
{
    size_t    used;
    unsigned  i;

    if (d->hide == 0) {
        gs_audit_mask_copy(m, d->end);
        return;
    }

    for (i = 0; i < d->hide; i++) {

        (void) gs_audit_mask_unit(m->p, m->last, &used);
        m->p += used;

        if (i >= d->head && i < d->hide - d->tail) {
            *m->dst++ = '*';

        } else {
            *m->dst++ = (gs_uchar_t) (i < d->n ? '0' + d->v[i] : 'X');
        }
    }
}


/* GB 11643-1999: a date in 7-14 and MOD 11-2 over all. */

int
gs_audit_mask_is_id(const int *v)
{
    int       sum;
    unsigned  i;

    static const unsigned char  weights[17] = {
        7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2
    };

    static const unsigned char  check[11] = {
        1, 0, GS_AUDIT_MASK_X, 9, 8, 7, 6, 5, 4, 3, 2
    };

    sum = 0;

    for (i = 0; i < 17; i++) {
        if (v[i] > 9) {
            return 0;
        }

        sum += v[i] * weights[i];
    }

    return v[17] == check[sum % 11] && gs_audit_mask_is_date(v + 6);
}


static int
gs_audit_mask_is_date(const int *v)
{
    int  year, month, day, days;

    static const unsigned char  month_days[12] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    year = v[0] * 1000 + v[1] * 100 + v[2] * 10 + v[3];
    month = v[4] * 10 + v[5];
    day = v[6] * 10 + v[7];

    if (year < 1800 || year > 2199 || month < 1 || month > 12) {
        return 0;
    }

    days = month_days[month - 1];

    if (month == 2
        && (year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)))
    {
        days = 29;
    }

    return day >= 1 && day <= days;
}


/* The length of the prefix before the 11 digits; n if there is no mobile. */

unsigned
gs_audit_mask_is_mobile(const int *v, unsigned n)
{
    unsigned  prefix;

    if (n < 11 || n > 15) {
        return n;
    }

    prefix = n - 11;

    switch (prefix) {

    case 0:
        break;

    case 1:                                /* 0: a trunk call */
        if (v[0] != 0) {
            return n;
        }

        break;

    case 2:                                /* 86 */
    case 4:                                /* 0086 */
        if (v[prefix - 2] != 8 || v[prefix - 1] != 6
            || (prefix == 4 && (v[0] != 0 || v[1] != 0)))
        {
            return n;
        }

        break;

    default:
        return n;
    }

    if (v[prefix] != 1 || v[prefix + 1] < 3) {
        return n;
    }

    return prefix;
}


int
gs_audit_mask_is_card(const int *v, unsigned n)
{
    int       sum, d, all;
    unsigned  i;

    if (n < 13 || n > GS_AUDIT_MASK_DIGITS) {
        return 0;
    }

    all = 0;
    sum = 0;

    for (i = 0; i < n; i++) {
        d = v[n - 1 - i];
        all |= d;

        if (i % 2 == 1) {
            d = (d > 4) ? d * 2 - 9 : d * 2;
        }

        sum += d;
    }

    return all != 0 && sum % 10 == 0;
}


/*
 * GB 32100-2015 by form; the check character is not asked where a letter
 * shows what it is, since codes in use carry wrong ones.  Strict asks it all
 * the same: a bank card between two letters has the form of a code, while in
 * a code with a wrong character no digits stand together that are personal.
 */

static int
gs_audit_mask_is_uscc(const int *v, int strict)
{
    int       sum, letters, value;
    unsigned  i;

    /* values of the alphabet without I O S V Z; 31: not in it */

    static const unsigned char  values[36] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
        10, 11, 12, 13, 14, 15, 16, 17, 31, 18, 19, 20, 21,
        22, 31, 23, 24, 25, 31, 26, 27, 31, 28, 29, 30, 31
    };

    static const unsigned char  weights[17] = {
        1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28
    };

    sum = 0;
    letters = 0;

    for (i = 0; i < 18; i++) {
        value = values[v[i]];

        if (value == 31 || (i >= 2 && i < 8 && value > 9)) {
            return 0;
        }

        letters |= (value > 9);

        if (i < 17) {
            sum += value * weights[i];
        }
    }

    return (letters && !strict) || values[v[17]] == (31 - sum % 31) % 31;
}


void
gs_audit_mask_copy(gs_audit_mask_t *m, const gs_uchar_t *to)
{
    size_t  n;

    n = (size_t) (to - m->p);

    memcpy(m->dst, m->p, n);

    m->dst += n;
    m->p = to;
}
