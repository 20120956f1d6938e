
/*
 * Copyright (C) govsvc authors
 *
 * Hexadecimal digits.
 */


#include "core/gs_hex.h"


int
gs_hex_value(int c)
{
    if (gs_is_digit(c)) {
        return c - '0';
    }

    c = gs_to_lower(c);

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


void
gs_hex_encode(gs_uchar_t *dst, const void *src, size_t len)
{
    size_t             i;
    const gs_uchar_t  *p;

    static const char  hex[] = "0123456789abcdef";

    p = src;

    for (i = 0; i < len; i++) {
        *dst++ = (gs_uchar_t) hex[p[i] >> 4];
        *dst++ = (gs_uchar_t) hex[p[i] & 0x0f];
    }
}


gs_rc_t
gs_hex_decode(gs_uchar_t *dst, const gs_str_t *src)
{
    int     hi, lo;
    size_t  i;

    if (src->len % 2 != 0) {
        return GS_ERROR;
    }

    for (i = 0; i < src->len; i += 2) {
        hi = gs_hex_value(src->data[i]);
        lo = gs_hex_value(src->data[i + 1]);

        if (hi < 0 || lo < 0) {
            return GS_ERROR;
        }

        *dst++ = (gs_uchar_t) (hi * 16 + lo);
    }

    return GS_OK;
}
