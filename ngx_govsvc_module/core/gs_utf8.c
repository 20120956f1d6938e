
/*
 * Copyright (C) govsvc authors
 *
 * UTF-8 (RFC 3629).
 */


#include "core/gs_utf8.h"


uint32_t
gs_utf8_next(const gs_uchar_t *p, const gs_uchar_t *last, unsigned *used)
{
    unsigned  i, n;
    uint32_t  c, min, max;

    c = *p;
    *used = 1;

    if (c < 0x80) {
        return c;
    }

    /* bounds of the second byte keep out overlongs and surrogates */

    min = 0x80;
    max = 0xbf;

    if (c >= 0xc2 && c <= 0xdf) {
        n = 2;
        c &= 0x1f;

    } else if (c >= 0xe0 && c <= 0xef) {
        min = (c == 0xe0) ? 0xa0 : 0x80;
        max = (c == 0xed) ? 0x9f : 0xbf;
        n = 3;
        c &= 0x0f;

    } else if (c >= 0xf0 && c <= 0xf4) {
        min = (c == 0xf0) ? 0x90 : 0x80;
        max = (c == 0xf4) ? 0x8f : 0xbf;
        n = 4;
        c &= 0x07;

    } else {
        return GS_UTF8_BAD;
    }

    for (i = 1; i < n; i++) {

        if (i == (size_t) (last - p) || p[i] < min || p[i] > max) {
            *used = i;
            return GS_UTF8_BAD;
        }

        c = (c << 6) | (p[i] & 0x3f);
        min = 0x80;
        max = 0xbf;
    }

    *used = n;

    return c;
}


unsigned
gs_utf8_put(gs_uchar_t *dst, uint32_t c)
{
    if (c < 0x80) {
        dst[0] = (gs_uchar_t) c;
        return 1;
    }

    if (c < 0x800) {
        dst[0] = (gs_uchar_t) (0xc0 | c >> 6);
        dst[1] = (gs_uchar_t) (0x80 | (c & 0x3f));
        return 2;
    }

    if (c < 0x10000) {

        if (c >= 0xd800 && c <= 0xdfff) {
            return 0;
        }

        dst[0] = (gs_uchar_t) (0xe0 | c >> 12);
        dst[1] = (gs_uchar_t) (0x80 | (c >> 6 & 0x3f));
        dst[2] = (gs_uchar_t) (0x80 | (c & 0x3f));
        return 3;
    }

    if (c > 0x10ffff) {
        return 0;
    }

    dst[0] = (gs_uchar_t) (0xf0 | c >> 18);
    dst[1] = (gs_uchar_t) (0x80 | (c >> 12 & 0x3f));
    dst[2] = (gs_uchar_t) (0x80 | (c >> 6 & 0x3f));
    dst[3] = (gs_uchar_t) (0x80 | (c & 0x3f));

    return 4;
}


int
gs_utf8_valid(const gs_str_t *s)
{
    unsigned           used;
    const gs_uchar_t  *p, *last;

    if (s->len == 0) {
        return 1;
    }

    p = s->data;
    last = p + s->len;

    while (p < last) {

        if (*p < 0x80) {
            p++;
            continue;
        }

        if (gs_utf8_next(p, last, &used) == GS_UTF8_BAD) {
            return 0;
        }

        p += used;
    }

    return 1;
}


size_t
gs_utf8_cut(const gs_str_t *s, size_t max)
{
    size_t    n;
    unsigned  used;

    if (s->len <= max) {
        return s->len;
    }

    for (n = max; n > 0 && max - n < 3; n--) {
        if ((s->data[n] & 0xc0) != 0x80) {
            return n;
        }
    }

    if (n > 0 && (s->data[n] & 0xc0) == 0x80) {
        return max;
    }

    if (gs_utf8_next(s->data + n, s->data + s->len, &used) == GS_UTF8_BAD) {
        return max;
    }

    return n;
}


int
gs_utf8_hidden(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) {
        return 1;
    }

    if (c < 0x61c) {
        return 0;
    }

    return c == 0x61c
           || c == 0x200e || c == 0x200f
           || (c >= 0x2028 && c <= 0x202e)
           || (c >= 0x2066 && c <= 0x2069);
}
