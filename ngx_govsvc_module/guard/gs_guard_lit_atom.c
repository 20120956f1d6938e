
/*
 * Copyright (C) govsvc authors
 *
 * Atoms of a pattern of PCRE2: characters, classes, groups, and how often
 * they are repeated.  What is not known ends the reading.
 */


#include "guard/gs_guard_lit_priv.h"
#include "core/gs_hex.h"


static gs_rc_t gs_lit_atom_read(gs_lit_t *l, gs_lit_atom_t *atom,
    gs_guard_lits_t *set);
static gs_rc_t gs_lit_escape(gs_lit_t *l, gs_lit_atom_t *atom);
static gs_rc_t gs_lit_braces(gs_lit_t *l);
static gs_rc_t gs_lit_class(gs_lit_t *l, gs_lit_atom_t *atom);
static int gs_lit_class_escape(gs_lit_t *l, uint64_t *bits);
static gs_rc_t gs_lit_posix(gs_lit_t *l, int *known);
static gs_rc_t gs_lit_group(gs_lit_t *l, gs_lit_atom_t *atom,
    gs_guard_lits_t *set);
static gs_rc_t gs_lit_group_kind(gs_lit_t *l, gs_lit_atom_t *atom,
    unsigned *look);
static gs_rc_t gs_lit_group_name(gs_lit_t *l, int end);
static gs_rc_t gs_lit_options(gs_lit_t *l, gs_lit_atom_t *atom);
static gs_rc_t gs_lit_number(gs_lit_t *l, unsigned *n);


gs_rc_t
gs_lit_atom(gs_lit_t *l, gs_lit_atom_t *atom, gs_guard_lits_t *set)
{
    gs_rc_t            rc;
    const gs_uchar_t  *from;

    from = l->p;
    rc = gs_lit_atom_read(l, atom, set);

    if (rc == GS_OK && *from != '(') {
        gs_lit_near_atom(atom, from, l->p);
    }

    return rc;
}


static gs_rc_t
gs_lit_atom_read(gs_lit_t *l, gs_lit_atom_t *atom, gs_guard_lits_t *set)
{
    int  c;

    c = *l->p++;

    atom->kind = GS_LIT_OTHER;
    atom->value = (gs_uchar_t) c;
    atom->any = 0;
    set->n = 0;
    set->ngates = 0;

    switch (c) {

    case '\\':
        return gs_lit_escape(l, atom);

    case '[':
        return gs_lit_class(l, atom);

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

    case 's':
        atom->kind = GS_LIT_BLANK;
        atom->value = ' ';
        atom->any = GS_BYTE_SPACE|GS_BYTE_CONTROL;
        return GS_OK;

    case 'd': case 'D': case 'S': case 'w': case 'W':
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


/* One byte of it is there; unless it is one that has no bit. */

static gs_rc_t
gs_lit_class(gs_lit_t *l, gs_lit_atom_t *atom)
{
    int       c, known, previous;
    uint64_t  bits, bit;

    bits = 0;
    known = 1;
    previous = -1;

    if (l->p < l->last && *l->p == '^') {
        l->p++;
        known = 0;
    }

    if (l->p < l->last && *l->p == ']') {
        l->p++;
        bits |= gs_lit_bit(']');
        previous = ']';
    }

    while (l->p < l->last) {
        c = *l->p++;

        if (c == ']') {
            atom->kind = GS_LIT_CLASS;
            atom->any = known ? bits : 0;
            return GS_OK;
        }

        if (c == '[' && gs_lit_posix(l, &known) != GS_OK) {
            return GS_DECLINED;
        }

        if (c == '\\') {

            if (l->p == l->last || *l->p == 'Q' || *l->p == 'E') {
                return GS_DECLINED;
            }

            known &= gs_lit_class_escape(l, &bits);
            previous = -1;
            continue;
        }

        /* a range, but for "-" at either end */

        if (c == '-' && l->p < l->last && *l->p != ']'
            && (previous >= 0 || bits != 0 || !known))
        {
            known &= (previous >= 0 && gs_is_alpha(previous)
                      && gs_is_alpha(*l->p));

            for ( /* void */ ; known && previous < *l->p; previous++) {
                bits |= gs_lit_bit(previous);
            }

            previous = -1;
            continue;
        }

        bit = gs_lit_bit(c);
        known &= (bit != 0);
        bits |= bit;
        previous = c;
    }

    return GS_DECLINED;
}


/* What stands behind a backslash in a class; 0 if that is not known. */

static int
gs_lit_class_escape(gs_lit_t *l, uint64_t *bits)
{
    int       c;
    uint64_t  bit;

    c = *l->p++;
    bit = 0;

    if (!gs_is_alpha(c) && !gs_is_digit(c)) {
        bit = gs_lit_bit(c);

    } else if (c == 't' || c == 'n' || c == 'r') {
        bit = GS_BYTE_LINE;

    } else if (c == 's') {
        bit = GS_BYTE_SPACE|GS_BYTE_CONTROL;
    }

    *bits |= bit;

    return bit != 0;
}


/* [:alpha:] and [:^alpha:]; "[" before another byte is itself. */

static gs_rc_t
gs_lit_posix(gs_lit_t *l, int *known)
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

    *known = 0;
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

    if (gs_lit_alternation(l, set, &atom->entry, &atom->exit) != GS_OK) {
        return GS_DECLINED;
    }

    if (l->p == l->last || *l->p != ')') {
        return GS_DECLINED;
    }

    l->p++;

    if (look) {
        set->n = 0;
        set->ngates = 0;
        gs_lit_near_open(&atom->entry);
        gs_lit_near_open(&atom->exit);
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


gs_rc_t
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


uint64_t
gs_lit_bit(int c)
{
    if (c >= 0x80) {
        return GS_BYTE_HIGH;
    }

    return gs_guard_byte[gs_to_lower(c)];
}
