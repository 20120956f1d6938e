
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


const uint16_t  gs_guard_byte_class[256] = {

    /* controls; of these tab, LF and CR are space */

    0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
    0x400, 0x200, 0x200, 0x400, 0x400, 0x200, 0x400, 0x400,
    0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
    0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,

    /* space ! " # $ % & '  ( ) * + , - . /  0-7  8 9 : ; < = > ? */

    0x200, 0x100, 0x001, 0x2000, 0x010, 0x040, 0x080, 0x001,
    0x004, 0x004, 0x8000, 0x2000, 0x8000, 0x2000, 0x8000, 0x020,
    0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0x8000, 0x008, 0x002, 0x100, 0x002, 0x8000,

    /* @, capitals, [ \ ] ^ _ */

    0x2000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000,
    0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000,
    0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000,
    0x1000, 0x1000, 0x1000, 0x8000, 0x4020, 0x8000, 0x2000, 0x2000,

    /* `, letters, { | } ~ DEL */

    0x001, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x010, 0x080, 0x010, 0x2000, 0x400,

    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800,
    0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800
};


unsigned
gs_guard_bytes(const gs_str_t *text)
{
    size_t    i;
    unsigned  bytes;

    bytes = 0;

    for (i = 0; i < text->len; i++) {
        bytes |= gs_guard_byte_class[text->data[i]];
    }

    return bytes;
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
gs_guard_facts(gs_guard_scratch_t *s, gs_value_t *v)
{
    size_t           i;
    uint32_t         facts;
    unsigned         bytes;
    const gs_str_t  *text;

    (void) gs_guard_view(s, v, GS_VIEW_URL);

    text = &v->view[GS_VIEW_URL];
    bytes = gs_guard_bytes(text);
    facts = v->facts;

    if (bytes & GS_BYTE_CONTROL) {
        facts |= GS_FLAG_CONTROL;

        for (i = 0; i < text->len; i++) {
            facts |= (text->data[i] == 0) ? GS_FLAG_NUL : 0;
        }
    }

    if ((bytes & GS_BYTE_HIGH) && !gs_utf8_valid(text)) {
        facts |= GS_FLAG_BAD_UTF8;
    }

    if (bytes & (GS_BYTE_HIGH|GS_BYTE_PERCENT|GS_BYTE_AMP|GS_BYTE_BACK)) {
        (void) gs_guard_view(s, v, GS_VIEW_DEEP);
        facts |= v->facts;
    }

    return facts;
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
