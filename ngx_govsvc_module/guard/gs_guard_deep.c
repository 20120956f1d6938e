
/*
 * Copyright (C) govsvc authors
 *
 * The view "deep": everything that some decoder behind us may undo, undone
 * up to three times over, in lower case.  Each round is one pass that never
 * writes ahead of what it reads.
 */


#include "guard/gs_guard_priv.h"
#include "core/gs_hex.h"
#include "core/gs_utf8.h"


#define GS_GUARD_ROUNDS  3
#define GS_DEEP_PIECE    65536             /* between looks at the clock */


typedef struct {
    gs_uchar_t        *dst;
    size_t             n;
    unsigned           changed:1;          /* another round may find more */
    unsigned           percent:1;          /* a %XX was undone */
    uint32_t           facts;
} gs_deep_t;


static void gs_deep_pass(gs_guard_scratch_t *s, gs_deep_t *d,
    const gs_uchar_t *src, size_t len);
static const gs_uchar_t *gs_deep_piece(gs_deep_t *d, const gs_uchar_t *p,
    const gs_uchar_t *mark, const gs_uchar_t *last);
static size_t gs_deep_percent(gs_deep_t *d, const gs_uchar_t *p, size_t len);
static size_t gs_deep_entity(gs_deep_t *d, const gs_uchar_t *p, size_t len);
static size_t gs_deep_number(gs_deep_t *d, const gs_uchar_t *p, size_t len);
static size_t gs_deep_escape(gs_deep_t *d, const gs_uchar_t *p, size_t len);
static size_t gs_deep_high(gs_deep_t *d, const gs_uchar_t *p, size_t len);
static size_t gs_deep_overlong(gs_deep_t *d, const gs_uchar_t *p, size_t len);
static int gs_deep_hex(const gs_uchar_t *p, size_t n, uint32_t *c);
static void gs_deep_put(gs_deep_t *d, uint32_t c);


typedef struct {
    gs_str_t     name;
    int          c;
} gs_deep_entity_t;


static const gs_deep_entity_t  gs_deep_entities[] = {
    { gs_string("lt"), '<' }, { gs_string("gt"), '>' },
    { gs_string("quot"), '"' }, { gs_string("apos"), '\'' },
    { gs_string("amp"), '&' }, { gs_string("nbsp"), ' ' },
    { gs_string("tab"), ' ' }, { gs_string("newline"), ' ' },
    { gs_string("colon"), ':' }, { gs_string("lpar"), '(' },
    { gs_string("rpar"), ')' }, { gs_string("sol"), '/' },
    { gs_string("bsol"), '\\' }, { gs_string("semi"), ';' },
    { gs_string("equals"), '=' }, { gs_string("grave"), '`' },
    { gs_string("num"), '#' }, { gs_string("period"), '.' },
    { gs_string("comma"), ',' }, { gs_string("lbrace"), '{' },
    { gs_string("rbrace"), '}' }, { gs_string("dollar"), '$' },
    { gs_string("percnt"), '%' }
};


gs_str_t
gs_guard_deep(gs_guard_scratch_t *s, gs_uchar_t *dst, const gs_str_t *src,
    int decoded, uint32_t *facts)
{
    size_t             len;
    unsigned           round;
    gs_deep_t          d;
    const gs_uchar_t  *from;

    d.dst = dst;
    d.facts = 0;
    from = src->data;
    len = src->len;

    for (round = 0; round < GS_GUARD_ROUNDS; round++) {
        d.n = 0;
        d.changed = 0;
        d.percent = 0;

        gs_deep_pass(s, &d, from, len);

        if (d.percent && (decoded || round > 0)) {
            d.facts |= GS_FLAG_DOUBLE;
        }

        from = dst;
        len = d.n;

        if (!d.changed || s->over) {
            break;
        }
    }

    *facts |= d.facts;

    return gs_str_make(dst, len);
}


/* In pieces, with a look at the clock between. */

static void
gs_deep_pass(gs_guard_scratch_t *s, gs_deep_t *d, const gs_uchar_t *src,
    size_t len)
{
    size_t             n;
    const gs_uchar_t  *p, *last;

    last = src + len;

    for (p = src; p < last; /* void */ ) {

        n = (size_t) (last - p);
        n = (n > GS_DEEP_PIECE) ? GS_DEEP_PIECE : n;
        p = gs_deep_piece(d, p, p + n, last);

        if (gs_guard_tick(s, n)) {
            break;
        }
    }
}


/* What begins before the mark; an escape may end behind it. */

static const gs_uchar_t *
gs_deep_piece(gs_deep_t *d, const gs_uchar_t *p, const gs_uchar_t *mark,
    const gs_uchar_t *last)
{
    int     c;
    size_t  used, left;

    for ( /* void */ ; p < mark; p += used) {
        c = *p;
        left = (size_t) (last - p);
        used = 0;

        if (c >= 0x80) {
            used = gs_deep_high(d, p, left);

        } else if (c == '%') {
            used = gs_deep_percent(d, p, left);

        } else if (c == '&') {
            used = gs_deep_entity(d, p, left);

        } else if (c == '\\') {
            used = gs_deep_escape(d, p, left);

        } else if (c == '\0') {
            d->facts |= GS_FLAG_NUL;
            used = 1;
        }

        if (used == 0) {
            d->dst[d->n++] = (gs_uchar_t) gs_to_lower(c);
            used = 1;
        }
    }

    return p;
}


/* %XX and %uXXXX. */

static size_t
gs_deep_percent(gs_deep_t *d, const gs_uchar_t *p, size_t len)
{
    uint32_t  c;

    if (len >= 3 && gs_deep_hex(p + 1, 2, &c)) {
        d->changed = 1;
        d->percent = 1;

        if (c == 0) {
            d->facts |= GS_FLAG_NUL;

        } else {
            d->dst[d->n++] = (gs_uchar_t) gs_to_lower((int) c);
        }

        return 3;
    }

    if (len >= 6 && (p[1] | 0x20) == 'u' && gs_deep_hex(p + 2, 4, &c)) {
        d->changed = 1;
        d->facts |= GS_FLAG_UNICODE;
        gs_deep_put(d, c);
        return 6;
    }

    return 0;
}


static size_t
gs_deep_entity(gs_deep_t *d, const gs_uchar_t *p, size_t len)
{
    size_t           n, i;
    gs_str_t         name;
    const gs_str_t  *known;

    if (len > 2 && p[1] == '#') {
        return gs_deep_number(d, p, len);
    }

    for (n = 1; n < len && n < 9 && gs_is_alpha(p[n]); n++) {
        /* void */
    }

    if (n == len || p[n] != ';') {
        return 0;
    }

    name = gs_str_make(p + 1, n - 1);

    for (i = 0; i < sizeof(gs_deep_entities) / sizeof(gs_deep_entity_t); i++)
    {
        known = &gs_deep_entities[i].name;

        if (name.len == known->len && gs_str_case_eq(&name, known)) {
            d->dst[d->n++] = (gs_uchar_t) gs_deep_entities[i].c;
            d->changed = 1;
            return n + 1;
        }
    }

    return 0;
}


/* "&#60;", "&#x3c", zeros in front of it, the semicolon is optional. */

static size_t
gs_deep_number(gs_deep_t *d, const gs_uchar_t *p, size_t len)
{
    int       digit, base;
    size_t    n, start;
    uint32_t  c;

    n = 2;
    base = 10;

    if ((p[2] | 0x20) == 'x') {
        n = 3;
        base = 16;
    }

    c = 0;
    start = n;

    for ( /* void */ ; n < len; n++) {
        digit = gs_hex_value(p[n]);

        if (digit < 0 || digit >= base || c > 0x10ffff) {
            break;
        }

        c = c * (uint32_t) base + (uint32_t) digit;
    }

    if (n == start) {
        return 0;
    }

    d->changed = 1;
    gs_deep_put(d, c);

    return (n < len && p[n] == ';') ? n + 1 : n;
}


/* \xHH, \uHHHH, \u{H...}, and "\/" of JSON. */

static size_t
gs_deep_escape(gs_deep_t *d, const gs_uchar_t *p, size_t len)
{
    size_t    n;
    uint32_t  c;

    if (len >= 4 && (p[1] | 0x20) == 'x' && gs_deep_hex(p + 2, 2, &c)) {
        d->changed = 1;
        gs_deep_put(d, c);
        return 4;
    }

    if (len >= 6 && (p[1] | 0x20) == 'u' && gs_deep_hex(p + 2, 4, &c)) {
        d->changed = 1;
        gs_deep_put(d, c);
        return 6;
    }

    if (len >= 5 && (p[1] | 0x20) == 'u' && p[2] == '{') {

        for (n = 3; n < len && n < 9 && gs_hex_value(p[n]) >= 0; n++) {
            /* void */
        }

        if (n > 3 && n < len && p[n] == '}'
            && gs_deep_hex(p + 3, n - 3, &c))
        {
            d->changed = 1;
            gs_deep_put(d, c);
            return n + 1;
        }
    }

    return 0;
}


/*
 * Valid UTF-8 is copied.  Letters, digits and the marks of attacks in full
 * width become ASCII, as some data bases and frameworks make them; the
 * punctuation of Chinese texts stays what it is.  Zero-width characters go.
 */

static size_t
gs_deep_high(gs_deep_t *d, const gs_uchar_t *p, size_t len)
{
    int       ascii;
    uint32_t  c;
    unsigned  used;

    c = gs_utf8_next(p, p + len, &used);

    if (c == GS_UTF8_BAD) {
        return gs_deep_overlong(d, p, len);
    }

    if (c >= 0xff01 && c <= 0xff5e) {
        ascii = (int) (c - 0xff00 + 0x20);

        if (gs_is_alpha(ascii) || gs_is_digit(ascii)
            || strchr("<>'\"/\\=.&|$`{}", ascii) != NULL)
        {
            d->facts |= GS_FLAG_FULLWIDTH;
            d->dst[d->n++] = (gs_uchar_t) gs_to_lower(ascii);
            return used;
        }
    }

    if ((c >= 0x200b && c <= 0x200d) || c == 0xfeff || c == 0xad
        || c == 0x2060)
    {
        d->facts |= GS_FLAG_ZEROWIDTH;
        return used;
    }

    memmove(d->dst + d->n, p, used);
    d->n += used;

    return used;
}


/* RFC 3629 section 10: ASCII in two to four bytes. */

static size_t
gs_deep_overlong(gs_deep_t *d, const gs_uchar_t *p, size_t len)
{
    size_t    i, n;
    uint32_t  c;

    d->facts |= GS_FLAG_BAD_UTF8;

    n = (p[0] >= 0xc0 && p[0] <= 0xc1) ? 2 : (p[0] == 0xe0) ? 3
        : (p[0] == 0xf0) ? 4 : 0;

    if (n == 0 || len < n) {
        d->dst[d->n++] = p[0];
        return 1;
    }

    c = p[0] & (n == 2 ? 0x1fu : n == 3 ? 0x0fu : 0x07u);

    for (i = 1; i < n; i++) {

        if ((p[i] & 0xc0) != 0x80) {
            d->dst[d->n++] = p[0];
            return 1;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    if (c >= 0x80) {
        d->dst[d->n++] = p[0];
        return 1;
    }

    d->facts |= GS_FLAG_OVERLONG;
    d->changed = 1;

    if (c == 0) {
        d->facts |= GS_FLAG_NUL;

    } else {
        d->dst[d->n++] = (gs_uchar_t) gs_to_lower((int) c);
    }

    return n;
}


static int
gs_deep_hex(const gs_uchar_t *p, size_t n, uint32_t *c)
{
    int     digit;
    size_t  i;

    *c = 0;

    for (i = 0; i < n; i++) {
        digit = gs_hex_value(p[i]);

        if (digit < 0) {
            return 0;
        }

        *c = *c << 4 | (uint32_t) digit;
    }

    return 1;
}


/* Never longer than its escape: at least four bytes for up to U+FFFF. */

static void
gs_deep_put(gs_deep_t *d, uint32_t c)
{
    if (c == 0) {
        d->facts |= GS_FLAG_NUL;
        return;
    }

    if (c < 0x80) {
        d->dst[d->n++] = (gs_uchar_t) gs_to_lower((int) c);
        return;
    }

    d->n += gs_utf8_put(d->dst + d->n, c);
}
