
/*
 * Copyright (C) govsvc authors
 *
 * What may stand next to a literal of a pattern: "\bwindow\s*[.\[]" is not in
 * "Windows NT", and that is told without the pattern.  Each set here is at
 * least what it should be; what is not known is everything.
 */


#include "guard/gs_guard_lit_priv.h"
#include "core/gs_hex.h"


static int gs_lit_near_anchor(gs_lit_atom_t *atom, const gs_uchar_t *from);
static int gs_lit_near_word(int c);
static void gs_lit_near_fill(gs_lit_near_t *near);
static void gs_lit_near_not(gs_lit_near_t *near);
static int gs_lit_near_pure(const gs_lit_near_t *near);
static int gs_lit_near_escape(gs_lit_near_t *near, int c);
static gs_rc_t gs_lit_near_class(gs_lit_near_t *near, const gs_uchar_t *p,
    const gs_uchar_t *last);
static int gs_lit_near_one(const gs_uchar_t **p, const gs_uchar_t *last);
static void gs_lit_near_range(gs_lit_near_t *near, int from, int to);
static gs_uchar_t gs_lit_near_side(gs_ac_near_t *nears, unsigned *n,
    const gs_lit_near_t *near, int c);
static int gs_lit_near_close(gs_ac_near_t *set, const gs_lit_near_t *near,
    int c);
static int gs_lit_near_useful(const gs_ac_near_t *near);


void
gs_lit_near_open(gs_lit_near_t *near)
{
    memset(near, 0, sizeof(gs_lit_near_t));
    near->open = 1;
}


void
gs_lit_near_any(gs_lit_near_t *near)
{
    memset(near, 0, sizeof(gs_lit_near_t));
    gs_lit_near_fill(near);
    near->set.edge = 1;
}


void
gs_lit_near_byte(gs_lit_near_t *near, int c)
{
    near->set.bits[c / 64] |= (uint64_t) 1 << c % 64;
}


/* Beyond what is open: the set of what comes next on that side. */

void
gs_lit_near_join(gs_lit_near_t *near, const gs_lit_near_t *next)
{
    unsigned  i;

    if (!near->open) {
        return;
    }

    if (gs_lit_near_pure(near)) {
        near->bound |= next->bound;
    }

    for (i = 0; i < 4; i++) {
        near->set.bits[i] |= next->set.bits[i];
    }

    near->set.edge |= next->set.edge;
    near->open = next->open;
}


/* Of two branches. */

void
gs_lit_near_or(gs_lit_near_t *near, const gs_lit_near_t *other)
{
    unsigned  i;

    for (i = 0; i < 4; i++) {
        near->set.bits[i] |= other->set.bits[i];
    }

    near->set.edge |= other->set.edge;
    near->open |= other->open;
    near->bound &= other->bound;
}


/* What stands before what follows an atom that is left like this. */

void
gs_lit_near_pass(gs_lit_near_t *left, const gs_lit_near_t *exit)
{
    gs_lit_near_t  next;

    next = *exit;
    gs_lit_near_join(&next, left);
    *left = next;
}


void
gs_lit_near_atom(gs_lit_atom_t *atom, const gs_uchar_t *from,
    const gs_uchar_t *to)
{
    gs_lit_near_t  near;

    memset(&near, 0, sizeof(gs_lit_near_t));

    if (atom->kind == GS_LIT_CHAR) {
        gs_lit_near_byte(&near, atom->value);

    } else if (*from == '.') {
        gs_lit_near_fill(&near);

    } else if (*from == '[') {

        if (gs_lit_near_class(&near, from + 1, to - 1) != GS_OK) {
            gs_lit_near_fill(&near);
        }

    } else if (gs_lit_near_anchor(atom, from)) {
        return;

    } else if (*from == '\\' && (from[1] == 'b' || from[1] == 'B')) {
        gs_lit_near_open(&near);
        near.bound = (from[1] == 'b');

    } else if (*from != '\\' || !gs_lit_near_escape(&near, from[1])) {

        /* of any length, and be it none */

        gs_lit_near_any(&near);
        near.open = 1;
    }

    atom->entry = near;
    atom->exit = near;
}


/* "^", "$" and their like: an end of the text, or of a line. */

static int
gs_lit_near_anchor(gs_lit_atom_t *atom, const gs_uchar_t *from)
{
    int             c;
    gs_lit_near_t  *side;

    c = (*from == '\\') ? from[1] : *from;

    if (*from == '\\' ? (c != 'A' && c != 'z' && c != 'Z')
                      : (c != '^' && c != '$'))
    {
        return 0;
    }

    gs_lit_near_open(&atom->entry);
    gs_lit_near_open(&atom->exit);

    side = (c == '^' || c == 'A') ? &atom->exit : &atom->entry;

    side->open = 0;
    side->set.edge = 1;
    gs_lit_near_range(side, '\n', '\r');
    gs_lit_near_byte(side, '\0');

    return 1;
}


/* What may stand there at last; c is the byte of the word on that side. */

static int
gs_lit_near_close(gs_ac_near_t *set, const gs_lit_near_t *near, int c)
{
    int            i;
    gs_lit_near_t  all, word;

    all = *near;

    if (all.open) {
        gs_lit_near_any(&all);
        all.bound = near->bound;
    }

    if (all.bound) {
        memset(&word, 0, sizeof(gs_lit_near_t));
        (void) gs_lit_near_escape(&word, 'w');

        if (gs_lit_near_word(c)) {
            gs_lit_near_not(&word);

        } else {
            all.set.edge = 0;
        }

        for (i = 0; i < 4; i++) {
            all.set.bits[i] &= word.set.bits[i];
        }
    }

    for (i = 'a'; i <= 'z'; i++) {

        if (gs_ac_near(&all.set, i) || gs_ac_near(&all.set, i - 0x20)) {
            gs_lit_near_byte(&all, i);
            gs_lit_near_byte(&all, i - 0x20);
        }
    }

    *set = all.set;

    return gs_lit_near_useful(set);
}


static int
gs_lit_near_word(int c)
{
    return gs_is_alpha(c) || gs_is_digit(c) || c == '_';
}


unsigned
gs_lit_near_keep(gs_lit_t *l, const gs_lit_near_t *near)
{
    unsigned  i;

    for (i = 0; i < l->nnears; i++) {
        if (memcmp(&l->nears[i].set, &near->set, sizeof(gs_ac_near_t)) == 0
            && l->nears[i].open == near->open
            && l->nears[i].bound == near->bound)
        {
            return i;
        }
    }

    if (i == GS_LIT_NEARS) {
        return 0;
    }

    l->nears[i] = *near;
    l->nnears++;

    return i;
}


/* Each side of each word becomes a set of its own, or one that is there. */

gs_rc_t
gs_lit_near_words(gs_lit_t *l, gs_guard_lits_t *lits)
{
    unsigned       i, n;
    gs_str_t      *word;
    gs_ac_near_t   nears[GS_LIT_NEARS];

    n = 1;

    for (i = 0; i < lits->n; i++) {
        word = &lits->words[i];
        lits->before[i] = gs_lit_near_side(nears, &n,
                                           &l->nears[lits->before[i]],
                                           word->data[0]);
        lits->after[i] = gs_lit_near_side(nears, &n,
                                          &l->nears[lits->after[i]],
                                          word->data[word->len - 1]);
    }

    if (n == 1) {
        return GS_OK;
    }

    lits->nears = gs_calloc(l->mem, n, sizeof(gs_ac_near_t));

    if (lits->nears == NULL) {
        for (i = 0; i < lits->n; i++) {
            gs_free(l->mem, (void *) (uintptr_t) lits->words[i].data);
        }

        return GS_ERROR;
    }

    memcpy(lits->nears, nears, n * sizeof(gs_ac_near_t));

    return GS_OK;
}


static gs_uchar_t
gs_lit_near_side(gs_ac_near_t *nears, unsigned *n, const gs_lit_near_t *near,
    int c)
{
    unsigned      i;
    gs_ac_near_t  set;

    if (!gs_lit_near_close(&set, near, c)) {
        return 0;
    }

    for (i = 1; i < *n; i++) {
        if (memcmp(&nears[i], &set, sizeof(gs_ac_near_t)) == 0) {
            return (gs_uchar_t) i;
        }
    }

    if (i == GS_LIT_NEARS) {
        return 0;
    }

    nears[i] = set;
    (*n)++;

    return (gs_uchar_t) i;
}


static void
gs_lit_near_fill(gs_lit_near_t *near)
{
    memset(near->set.bits, 0xff, sizeof(near->set.bits));
}


static void
gs_lit_near_not(gs_lit_near_t *near)
{
    unsigned  i;

    for (i = 0; i < 4; i++) {
        near->set.bits[i] = ~near->set.bits[i];
    }
}


/* 1 if nothing stands between it and what comes next. */

static int
gs_lit_near_pure(const gs_lit_near_t *near)
{
    const uint64_t  *bits;

    bits = near->set.bits;

    return near->open && near->set.edge == 0
           && (bits[0] | bits[1] | bits[2] | bits[3]) == 0;
}


/* \d, \s, \w and what is none of them, in ASCII; 0: another. */

static int
gs_lit_near_escape(gs_lit_near_t *near, int c)
{
    gs_lit_near_t  set;

    memset(&set, 0, sizeof(gs_lit_near_t));

    switch (gs_to_lower(c)) {

    case 'w':
        gs_lit_near_range(&set, 'a', 'z');
        gs_lit_near_range(&set, 'A', 'Z');
        gs_lit_near_byte(&set, '_');

        /* fall through */

    case 'd':
        gs_lit_near_range(&set, '0', '9');
        break;

    case 's':
        gs_lit_near_range(&set, '\t', '\r');
        gs_lit_near_byte(&set, ' ');
        break;

    default:
        return 0;
    }

    if (gs_to_lower(c) != c) {
        gs_lit_near_not(&set);
    }

    gs_lit_near_or(near, &set);

    return 1;
}


/* The bytes of a class, exactly, as it may be negated; between its brackets */

static gs_rc_t
gs_lit_near_class(gs_lit_near_t *near, const gs_uchar_t *p,
    const gs_uchar_t *last)
{
    int  c, to, not;

    not = (p < last && *p == '^');
    p += not;

    while (p < last) {

        if (*p == '[' && last - p > 1
            && (p[1] == ':' || p[1] == '.' || p[1] == '='))
        {
            return GS_DECLINED;
        }

        if (*p == '\\' && last - p > 1 && gs_lit_near_escape(near, p[1])) {
            p += 2;

            /* a "-" behind it is itself, but that is nothing to rely on */

            if (last - p > 1 && *p == '-') {
                return GS_DECLINED;
            }

            continue;
        }

        c = gs_lit_near_one(&p, last);
        to = c;

        if (last - p > 1 && *p == '-') {
            p++;
            to = (*p == '[') ? -1 : gs_lit_near_one(&p, last);
        }

        if (c < 0 || to < c) {
            return GS_DECLINED;
        }

        gs_lit_near_range(near, c, to);
    }

    if (not) {
        gs_lit_near_not(near);
    }

    return GS_OK;
}


/* The byte that stands there, -1 if that is not clear. */

static int
gs_lit_near_one(const gs_uchar_t **p, const gs_uchar_t *last)
{
    int  c, high, low;

    c = *(*p)++;

    if (c != '\\') {
        return c;
    }

    if (*p == last) {
        return -1;
    }

    c = *(*p)++;

    switch (c) {

    case 't':
        return '\t';

    case 'n':
        return '\n';

    case 'r':
        return '\r';

    case 'x':

        high = (last - *p > 1) ? gs_hex_value((*p)[0]) : -1;
        low = (last - *p > 1) ? gs_hex_value((*p)[1]) : -1;
        *p += (high >= 0 && low >= 0) ? 2 : 0;

        return (high >= 0 && low >= 0) ? high * 16 + low : -1;

    default:
        return (gs_is_alpha(c) || gs_is_digit(c)) ? -1 : c;
    }
}


static void
gs_lit_near_range(gs_lit_near_t *near, int from, int to)
{
    for ( /* void */ ; from <= to; from++) {
        gs_lit_near_byte(near, from);
    }
}


/* 0 if everything may stand there. */

static int
gs_lit_near_useful(const gs_ac_near_t *near)
{
    return (near->bits[0] & near->bits[1] & near->bits[2] & near->bits[3])
           != ~(uint64_t) 0
           || near->edge == 0;
}
