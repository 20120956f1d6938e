
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


gs_str_t
gs_guard_unescape(gs_uchar_t *dst, const gs_str_t *src, int plus)
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

        if (*p == '%' && last - p > 2) {
            high = gs_hex_value(p[1]);
            low = gs_hex_value(p[2]);

            if (high >= 0 && low >= 0) {
                *d++ = (gs_uchar_t) (high * 16 + low);
                p += 2;
                continue;
            }
        }

        *d++ = (*p == '+' && plus) ? ' ' : *p;
    }

    return gs_str_make(dst, (size_t) (d - dst));
}


unsigned
gs_guard_flags(const gs_str_t *value, unsigned wanted)
{
    size_t    i;
    unsigned  found;

    found = 0;

    if ((wanted & GS_FLAG_BAD_UTF8) && !gs_utf8_valid(value)) {
        found |= GS_FLAG_BAD_UTF8;
    }

    if (wanted & (GS_FLAG_NUL|GS_FLAG_CONTROL)) {

        for (i = 0; i < value->len; i++) {
            if (value->data[i] == 0) {
                found |= GS_FLAG_NUL|GS_FLAG_CONTROL;

            } else if (value->data[i] == 0x7f
                       || (value->data[i] < 0x20 && value->data[i] != '\t'
                           && value->data[i] != '\r'
                           && value->data[i] != '\n'))
            {
                found |= GS_FLAG_CONTROL;
            }
        }
    }

    return found & wanted;
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
