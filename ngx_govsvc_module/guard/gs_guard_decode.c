
/*
 * Copyright (C) govsvc authors
 *
 * Decoding, once and UTF-8 blind: bytes of Chinese text stay as they are and
 * are never folded to ASCII.
 */


#include "guard/gs_guard_priv.h"
#include "core/gs_hex.h"
#include "core/gs_utf8.h"


static gs_rc_t gs_guard_path_decode(gs_uchar_t *dst, size_t *len,
    const gs_str_t *uri);
static gs_rc_t gs_guard_path_dots(gs_uchar_t *path, size_t *len);


const uint64_t  gs_guard_byte[256] = {
    0x20000000, 0x20000000, 0x20000000, 0x20000000,
    0x20000000, 0x20000000, 0x20000000, 0x20000000,
    0x20000000, 0x10000000, 0x10000000, 0x20000000,
    0x20000000, 0x10000000, 0x20000000, 0x20000000,
    0x20000000, 0x20000000, 0x20000000, 0x20000000,
    0x20000000, 0x20000000, 0x20000000, 0x20000000,
    0x20000000, 0x20000000, 0x20000000, 0x20000000,
    0x20000000, 0x20000000, 0x20000000, 0x20000000,

    /* marks */

    0x8000000, 0x100000000, 0x200000000, 0x400000000,
    0x800000000, 0x1000000000, 0x2000000000, 0x4000000000,
    0x8000000000, 0x10000000000, 0x20000000000, 0x40000000000,
    0x80000000000, 0x100000000000, 0x200000000000, 0x400000000000,

    /* digits and marks */

    0x0, 0x0, 0x0, 0x0,
    0x0, 0x0, 0x0, 0x0,
    0x0, 0x0, 0x800000000000, 0x1000000000000,
    0x2000000000000, 0x4000000000000, 0x8000000000000, 0x10000000000000,

    /* capitals */

    0x20000000000000, 0x4000001, 0x4000002, 0x4000004,
    0x4000008, 0x4000010, 0x4000020, 0x4000040,
    0x4000080, 0x4000100, 0x4000200, 0x4000400,
    0x4000800, 0x4001000, 0x4002000, 0x4004000,
    0x4008000, 0x4010000, 0x4020000, 0x4040000,
    0x4080000, 0x4100000, 0x4200000, 0x4400000,
    0x4800000, 0x5000000, 0x6000000, 0x40000000000000,
    0x80000000000000, 0x100000000000000, 0x200000000000000, 0x400000000000000,

    /* letters */

    0x800000000000000, 0x1, 0x2, 0x4,
    0x8, 0x10, 0x20, 0x40,
    0x80, 0x100, 0x200, 0x400,
    0x800, 0x1000, 0x2000, 0x4000,
    0x8000, 0x10000, 0x20000, 0x40000,
    0x80000, 0x100000, 0x200000, 0x400000,
    0x800000, 0x1000000, 0x2000000, 0x1000000000000000,
    0x2000000000000000, 0x4000000000000000, 0x8000000000000000, 0x20000000,

    /* UTF-8 */

    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0xc0000000, 0xc0000000, 0xc0000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0xc0000000, 0x40000000, 0xc0000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0xc0000000,
    0xc0000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000,
    0x40000000, 0x40000000, 0x40000000, 0x40000000
};


/* Classes by which "need" tells bytes. */

static const uint64_t  gs_guard_classes[] = {
    GS_BYTE_QUOTE, GS_BYTE_ANGLE, GS_BYTE_PAREN, GS_BYTE_SEMI, GS_BYTE_DOLLAR,
    GS_BYTE_SLASH, GS_BYTE_PERCENT, GS_BYTE_AMP, GS_BYTE_EQUAL, GS_BYTE_SPACE,
    GS_BYTE_CONTROL, GS_BYTE_HIGH|GS_BYTE_ODD, GS_BYTE_HASH, GS_BYTE_MARK
};


uint64_t
gs_guard_bytes(const gs_str_t *text)
{
    uint64_t           bytes, more;
    const gs_uchar_t  *p, *last;

    if (text->len == 0) {
        return 0;
    }

    bytes = 0;
    more = 0;
    p = text->data;
    last = p + text->len;

    for ( /* void */ ; last - p >= 2; p += 2) {
        bytes |= gs_guard_byte[p[0]];
        more |= gs_guard_byte[p[1]];
    }

    if (p < last) {
        bytes |= gs_guard_byte[*p];
    }

    return bytes | more;
}


uint64_t
gs_guard_bytes_class(uint64_t bytes)
{
    size_t    i;
    uint64_t  classes;

    classes = 0;

    for (i = 0; i < sizeof(gs_guard_classes) / sizeof(uint64_t); i++) {
        if (bytes & gs_guard_classes[i]) {
            classes |= gs_guard_classes[i];
        }
    }

    return classes;
}


gs_str_t
gs_guard_unescape(gs_uchar_t *dst, const gs_str_t *src, int plus,
    uint32_t *facts)
{
    int                high, low;
    gs_uchar_t        *d;
    const gs_uchar_t  *p, *last;

    if (src->len == 0) {
        return *src;
    }

    if (memchr(src->data, '%', src->len) == NULL
        && (!plus || memchr(src->data, '+', src->len) == NULL))
    {
        return *src;
    }

    d = dst;
    last = src->data + src->len;

    for (p = src->data; p < last; p++) {

        if (*p == '%') {
            high = (last - p > 2) ? gs_hex_value(p[1]) : -1;
            low = (last - p > 2) ? gs_hex_value(p[2]) : -1;

            if (high >= 0 && low >= 0) {
                *d++ = (gs_uchar_t) (high * 16 + low);
                p += 2;
                continue;
            }

            *facts |= GS_FLAG_BAD_PCT;
        }

        *d++ = (*p == '+' && plus) ? ' ' : *p;
    }

    return gs_str_make(dst, (size_t) (d - dst));
}


uint32_t
gs_guard_facts(gs_guard_scratch_t *s, gs_value_t *v, uint32_t wanted)
{
    uint32_t         facts;
    const gs_str_t  *text;

    gs_guard_look(s, v);

    text = &v->view[GS_VIEW_URL];
    facts = v->facts;

    if (v->bytes & GS_BYTE_CONTROL) {
        facts |= GS_FLAG_CONTROL;

        if (memchr(text->data, '\0', text->len) != NULL) {
            facts |= GS_FLAG_NUL;
        }
    }

    if ((wanted & GS_FLAG_BAD_UTF8) && (v->bytes & GS_BYTE_HIGH)
        && !gs_utf8_valid(text))
    {
        facts |= GS_FLAG_BAD_UTF8;
    }

    if ((wanted & GS_FLAG_PROSE) && gs_guard_prose(v)) {
        facts |= GS_FLAG_PROSE;
    }

    if (s->bare || gs_guard_decodes(v->bytes)) {
        (void) gs_guard_view(s, v, GS_VIEW_DEEP);
        facts |= v->facts;
    }

    return facts & wanted;
}


gs_rc_t
gs_guard_path(gs_uchar_t *dst, size_t *len, const gs_str_t *uri)
{
    *len = 0;

    if (uri->len == 0 || uri->data[0] != '/') {
        return GS_ERROR;
    }

    if (gs_guard_path_decode(dst, len, uri) != GS_OK) {
        return GS_ERROR;
    }

    return gs_guard_path_dots(dst, len);
}


static gs_rc_t
gs_guard_path_decode(gs_uchar_t *dst, size_t *len, const gs_str_t *uri)
{
    int                high, low;
    gs_uchar_t        *d;
    const gs_uchar_t  *p, *last;

    d = dst;
    last = uri->data + uri->len;

    for (p = uri->data; p < last && *p != '?' && *p != '#'; p++) {

        *d = *p;

        if (*p == '%') {
            if (last - p < 3) {
                return GS_ERROR;
            }

            high = gs_hex_value(p[1]);
            low = gs_hex_value(p[2]);

            if (high < 0 || low < 0) {
                return GS_ERROR;
            }

            *d = (gs_uchar_t) (high * 16 + low);
            p += 2;
        }

        if (*d == '\0') {
            return GS_ERROR;
        }

        d++;
    }

    *len = (size_t) (d - dst);

    return GS_OK;
}


/* RFC 3986 section 5.2.4 in place, with runs of slashes taken as one. */

static gs_rc_t
gs_guard_path_dots(gs_uchar_t *path, size_t *len)
{
    size_t  from, to, out, n;

    out = 0;

    for (from = 0; from < *len; from = to) {

        while (from < *len && path[from] == '/') {
            from++;
        }

        for (to = from; to < *len && path[to] != '/'; to++) {
            /* void */
        }

        n = to - from;

        if (n == 2 && path[from] == '.' && path[from + 1] == '.') {
            if (out == 0) {
                return GS_ERROR;
            }

            while (path[--out] != '/') {
                /* void */
            }

            if (to == *len) {
                path[out++] = '/';
            }

            continue;
        }

        if (n == 1 && path[from] == '.') {
            if (to == *len) {
                path[out++] = '/';
            }

            continue;
        }

        path[out++] = '/';
        memmove(path + out, path + from, n);
        out += n;
    }

    *len = out;

    return GS_OK;
}
