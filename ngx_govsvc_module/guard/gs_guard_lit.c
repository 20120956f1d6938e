
/*
 * Copyright (C) govsvc authors
 *
 * Literals that a pattern needs.  Reads the syntax of PCRE2 far enough to
 * tell what every match contains, and gives up on all that it does not know:
 * a set that is not found costs time, a wrong one would hide attacks.
 */


#include "guard/gs_guard_lit.h"
#include "core/gs_hex.h"


#define GS_LIT_DEPTH  16
#define GS_LIT_RUN    64


typedef enum {
    GS_LIT_CHAR = 0,                       /* one byte, in value */
    GS_LIT_SET,                            /* a group, with a set or none */
    GS_LIT_OTHER,                          /* says nothing */
    GS_LIT_NOTHING                         /* not even an atom: options */
} gs_lit_kind_e;


typedef struct {
    gs_mem_t          *mem;
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
    unsigned           depth;
    unsigned           failed;             /* memory is out */
} gs_lit_t;


typedef struct {
    gs_guard_lits_t    best;
    gs_uchar_t         run[GS_LIT_RUN];
    unsigned           n;
} gs_lit_seq_t;


typedef struct {
    gs_lit_kind_e      kind;
    gs_uchar_t         value;
} gs_lit_atom_t;


static gs_rc_t gs_lit_alternation(gs_lit_t *l, gs_guard_lits_t *lits);
static gs_rc_t gs_lit_sequence(gs_lit_t *l, gs_guard_lits_t *lits);
static gs_rc_t gs_lit_atom(gs_lit_t *l, gs_lit_atom_t *atom,
    gs_guard_lits_t *set);
static gs_rc_t gs_lit_escape(gs_lit_t *l, gs_lit_atom_t *atom);
static gs_rc_t gs_lit_braces(gs_lit_t *l);
static gs_rc_t gs_lit_class(gs_lit_t *l);
static gs_rc_t gs_lit_posix(gs_lit_t *l);
static gs_rc_t gs_lit_group(gs_lit_t *l, gs_lit_atom_t *atom,
    gs_guard_lits_t *set);
static gs_rc_t gs_lit_group_kind(gs_lit_t *l, gs_lit_atom_t *atom,
    unsigned *look);
static gs_rc_t gs_lit_group_name(gs_lit_t *l, int end);
static gs_rc_t gs_lit_options(gs_lit_t *l, gs_lit_atom_t *atom);
static gs_rc_t gs_lit_quantifier(gs_lit_t *l, int *once, int *zero);
static gs_rc_t gs_lit_number(gs_lit_t *l, unsigned *n);
static gs_rc_t gs_lit_flush(gs_lit_t *l, gs_lit_seq_t *seq);
static void gs_lit_offer(gs_guard_lits_t *best, const gs_guard_lits_t *set);
static size_t gs_lit_weight(const gs_guard_lits_t *lits);


gs_rc_t
gs_guard_literals(gs_guard_lits_t *lits, gs_mem_t *mem,
    const gs_str_t *pattern)
{
    gs_rc_t   rc;
    gs_lit_t  l;

    if (pattern->len == 0) {
        lits->n = 0;
        return GS_DECLINED;
    }

    l.mem = mem;
    l.p = pattern->data;
    l.last = pattern->data + pattern->len;
    l.depth = 0;
    l.failed = 0;

    rc = gs_lit_alternation(&l, lits);

    if (l.failed) {
        lits->n = 0;
        return GS_ERROR;
    }

    if (rc != GS_OK || l.p != l.last || lits->n == 0) {
        lits->n = 0;
        return GS_DECLINED;
    }

    return GS_OK;
}


/* Each branch must give a set; the union is that of the whole. */

static gs_rc_t
gs_lit_alternation(gs_lit_t *l, gs_guard_lits_t *lits)
{
    int              none;
    gs_guard_lits_t  branch;

    none = 0;
    lits->n = 0;

    if (l->depth == GS_LIT_DEPTH) {
        return GS_DECLINED;
    }

    l->depth++;

    for ( ;; ) {

        if (gs_lit_sequence(l, &branch) != GS_OK) {
            return GS_DECLINED;
        }

        if (branch.n == 0 || lits->n + branch.n > GS_GUARD_MAX_LITS) {
            none = 1;

        } else {
            memcpy(&lits->words[lits->n], branch.words,
                   branch.n * sizeof(gs_str_t));
            lits->n += branch.n;
        }

        if (l->p == l->last || *l->p != '|') {
            break;
        }

        l->p++;
    }

    if (none) {
        lits->n = 0;
    }

    l->depth--;

    return GS_OK;
}


static gs_rc_t
gs_lit_sequence(gs_lit_t *l, gs_guard_lits_t *lits)
{
    int              once, zero;
    gs_lit_seq_t     seq;
    gs_lit_atom_t    atom;
    gs_guard_lits_t  set;

    seq.n = 0;
    seq.best.n = 0;

    while (l->p < l->last && *l->p != '|' && *l->p != ')') {

        if (gs_lit_atom(l, &atom, &set) != GS_OK
            || gs_lit_quantifier(l, &once, &zero) != GS_OK)
        {
            return GS_DECLINED;
        }

        if (atom.kind == GS_LIT_NOTHING) {
            if (!once) {
                return GS_DECLINED;
            }

            continue;
        }

        if (atom.kind == GS_LIT_CHAR && !zero) {
            seq.run[seq.n++] = atom.value;

            if (once && seq.n < GS_LIT_RUN) {
                continue;
            }
        }

        if (gs_lit_flush(l, &seq) != GS_OK) {
            return GS_DECLINED;
        }

        if (atom.kind == GS_LIT_SET && !zero) {
            gs_lit_offer(&seq.best, &set);
        }
    }

    if (gs_lit_flush(l, &seq) != GS_OK) {
        return GS_DECLINED;
    }

    *lits = seq.best;

    return GS_OK;
}


static gs_rc_t
gs_lit_atom(gs_lit_t *l, gs_lit_atom_t *atom, gs_guard_lits_t *set)
{
    int  c;

    c = *l->p++;

    atom->kind = GS_LIT_OTHER;
    atom->value = (gs_uchar_t) c;
    set->n = 0;

    switch (c) {

    case '\\':
        return gs_lit_escape(l, atom);

    case '[':
        return gs_lit_class(l);

    case '(':
        return gs_lit_group(l, atom, set);

    case '^':
    case '$':
    case '.':
        return GS_OK;

    case '*':
    case '+':
    case '?':
        return GS_DECLINED;

    case '{':

        /* a quantifier in one version of PCRE2 is a literal in another */

        if (l->p < l->last
            && (gs_is_digit(*l->p) || *l->p == ',' || *l->p == ' '))
        {
            return GS_DECLINED;
        }

        break;
    }

    atom->kind = GS_LIT_CHAR;

    return GS_OK;
}


static gs_rc_t
gs_lit_escape(gs_lit_t *l, gs_lit_atom_t *atom)
{
    int  c, high, low;

    if (l->p == l->last) {
        return GS_DECLINED;
    }

    c = *l->p++;

    if (!gs_is_alpha(c) && !gs_is_digit(c)) {
        atom->kind = GS_LIT_CHAR;
        atom->value = (gs_uchar_t) c;
        return (c < 0x80) ? GS_OK : GS_DECLINED;
    }

    switch (c) {

    case 't':
    case 'n':
    case 'r':
        atom->kind = GS_LIT_CHAR;
        atom->value = (gs_uchar_t) ((c == 't') ? '\t'
                                               : (c == 'n') ? '\n' : '\r');
        return GS_OK;

    case 'x':

        if (l->last - l->p < 2) {
            return GS_DECLINED;
        }

        if (*l->p == '{') {
            return gs_lit_braces(l);
        }

        high = gs_hex_value(l->p[0]);
        low = gs_hex_value(l->p[1]);

        if (high < 0 || low < 0) {
            return GS_DECLINED;
        }

        l->p += 2;
        atom->kind = GS_LIT_CHAR;
        atom->value = (gs_uchar_t) (high * 16 + low);

        return GS_OK;

    case 'd': case 'D': case 's': case 'S': case 'w': case 'W':
    case 'h': case 'H': case 'v': case 'V': case 'b': case 'B':
    case 'A': case 'z': case 'Z':
        return GS_OK;

    case '1': case '2': case '3': case '4': case '5':
    case '6': case '7': case '8': case '9':

        /* a back reference of one digit; more could be octal */

        return (l->p < l->last && gs_is_digit(*l->p)) ? GS_DECLINED : GS_OK;

    default:
        return GS_DECLINED;
    }
}


static gs_rc_t
gs_lit_braces(gs_lit_t *l)
{
    while (l->p < l->last) {
        if (*l->p++ == '}') {
            return GS_OK;
        }
    }

    return GS_DECLINED;
}


static gs_rc_t
gs_lit_class(gs_lit_t *l)
{
    int  c;

    if (l->p < l->last && *l->p == '^') {
        l->p++;
    }

    if (l->p < l->last && *l->p == ']') {
        l->p++;
    }

    while (l->p < l->last) {
        c = *l->p++;

        if (c == ']') {
            return GS_OK;
        }

        if (c == '[') {
            if (gs_lit_posix(l) != GS_OK) {
                return GS_DECLINED;
            }

            continue;
        }

        if (c != '\\') {
            continue;
        }

        if (l->p == l->last || *l->p == 'Q' || *l->p == 'E') {
            return GS_DECLINED;
        }

        l->p++;
    }

    return GS_DECLINED;
}


/* [:alpha:] and [:^alpha:]; "[" before another byte is itself. */

static gs_rc_t
gs_lit_posix(gs_lit_t *l)
{
    const gs_uchar_t  *p;

    if (l->p == l->last) {
        return GS_DECLINED;
    }

    if (*l->p == '.' || *l->p == '=') {
        return GS_DECLINED;
    }

    if (*l->p != ':') {
        return GS_OK;
    }

    p = l->p + 1;

    if (p < l->last && *p == '^') {
        p++;
    }

    while (p < l->last && gs_is_alpha(*p)) {
        p++;
    }

    if (l->last - p < 2 || p[0] != ':' || p[1] != ']') {
        return GS_DECLINED;
    }

    l->p = p + 2;

    return GS_OK;
}


static gs_rc_t
gs_lit_group(gs_lit_t *l, gs_lit_atom_t *atom, gs_guard_lits_t *set)
{
    unsigned  look;

    look = 0;
    atom->kind = GS_LIT_SET;

    if (l->p < l->last && *l->p == '*') {
        return GS_DECLINED;
    }

    if (l->p < l->last && *l->p == '?') {
        l->p++;

        if (gs_lit_group_kind(l, atom, &look) != GS_OK) {
            return GS_DECLINED;
        }

        if (atom->kind == GS_LIT_NOTHING) {
            return GS_OK;
        }
    }

    if (gs_lit_alternation(l, set) != GS_OK) {
        return GS_DECLINED;
    }

    if (l->p == l->last || *l->p != ')') {
        return GS_DECLINED;
    }

    l->p++;

    if (look) {
        set->n = 0;
    }

    return GS_OK;
}


/* What stands behind "(?". */

static gs_rc_t
gs_lit_group_kind(gs_lit_t *l, gs_lit_atom_t *atom, unsigned *look)
{
    if (l->last - l->p < 2) {
        return GS_DECLINED;
    }

    switch (*l->p) {

    case ':':
    case '>':
    case '|':
        l->p++;
        return GS_OK;

    case '=':
    case '!':
        l->p++;
        *look = 1;
        return GS_OK;

    case '<':

        if (l->p[1] == '=' || l->p[1] == '!') {
            l->p += 2;
            *look = 1;
            return GS_OK;
        }

        l->p++;
        return gs_lit_group_name(l, '>');

    case '\'':
        l->p++;
        return gs_lit_group_name(l, '\'');

    case 'P':

        if (l->p[1] != '<') {
            return GS_DECLINED;
        }

        l->p += 2;
        return gs_lit_group_name(l, '>');

    default:
        return gs_lit_options(l, atom);
    }
}


static gs_rc_t
gs_lit_group_name(gs_lit_t *l, int end)
{
    int  c;

    while (l->p < l->last) {
        c = *l->p++;

        if (c == end) {
            return GS_OK;
        }

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '_') {
            return GS_DECLINED;
        }
    }

    return GS_DECLINED;
}


/* "i)", "s-i:" and the like; "x" would change what a space means. */

static gs_rc_t
gs_lit_options(gs_lit_t *l, gs_lit_atom_t *atom)
{
    while (l->p < l->last) {

        switch (*l->p++) {

        case 'i':
        case 'm':
        case 's':
        case '-':
            break;

        case ':':
            return GS_OK;

        case ')':
            atom->kind = GS_LIT_NOTHING;
            return GS_OK;

        default:
            return GS_DECLINED;
        }
    }

    return GS_DECLINED;
}


static gs_rc_t
gs_lit_quantifier(gs_lit_t *l, int *once, int *zero)
{
    unsigned  min, max;

    *once = 1;
    *zero = 0;

    if (l->p == l->last) {
        return GS_OK;
    }

    switch (*l->p) {

    case '*':
    case '?':
        *zero = 1;
        break;

    case '+':
        break;

    case '{':

        if (l->last - l->p < 2 || (l->p[1] != ',' && l->p[1] != ' '
                                   && !gs_is_digit(l->p[1])))
        {
            return GS_OK;
        }

        l->p++;

        if (gs_lit_number(l, &min) != GS_OK) {
            return GS_DECLINED;
        }

        if (l->p < l->last && *l->p == ',') {
            l->p++;

            if (l->p < l->last && *l->p != '}'
                && gs_lit_number(l, &max) != GS_OK)
            {
                return GS_DECLINED;
            }
        }

        if (l->p == l->last || *l->p != '}') {
            return GS_DECLINED;
        }

        *zero = (min == 0);
        break;

    default:
        return GS_OK;
    }

    l->p++;
    *once = 0;

    if (l->p < l->last && (*l->p == '?' || *l->p == '+')) {
        l->p++;
    }

    return GS_OK;
}


static gs_rc_t
gs_lit_number(gs_lit_t *l, unsigned *n)
{
    unsigned  digits;

    *n = 0;

    for (digits = 0; l->p < l->last && gs_is_digit(*l->p); digits++) {
        *n = *n * 10 + (unsigned) (*l->p++ - '0');

        if (digits == 5) {
            return GS_DECLINED;
        }
    }

    return (digits == 0) ? GS_DECLINED : GS_OK;
}


static gs_rc_t
gs_lit_flush(gs_lit_t *l, gs_lit_seq_t *seq)
{
    gs_str_t         run;
    gs_guard_lits_t  set;

    if (seq->n == 0) {
        return GS_OK;
    }

    run = gs_str_make(seq->run, seq->n);
    seq->n = 0;

    set.n = 1;
    set.words[0] = run;

    if (gs_lit_weight(&set) <= gs_lit_weight(&seq->best)) {
        return GS_OK;
    }

    set.words[0] = gs_str_dup(l->mem, &run);

    if (set.words[0].data == NULL) {
        l->failed = 1;
        return GS_ERROR;
    }

    seq->best = set;

    return GS_OK;
}


static void
gs_lit_offer(gs_guard_lits_t *best, const gs_guard_lits_t *set)
{
    if (gs_lit_weight(set) > gs_lit_weight(best)) {
        *best = *set;
    }
}


/* Long words are rare in honest text; many words are less rare. */

static size_t
gs_lit_weight(const gs_guard_lits_t *lits)
{
    size_t    min;
    unsigned  i;

    if (lits->n == 0) {
        return 0;
    }

    min = lits->words[0].len;

    for (i = 1; i < lits->n; i++) {
        if (lits->words[i].len < min) {
            min = lits->words[i].len;
        }
    }

    return min * 2 * GS_GUARD_MAX_LITS - lits->n;
}
