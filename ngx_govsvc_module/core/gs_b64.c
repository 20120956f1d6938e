
/*
 * Copyright (C) govsvc authors
 *
 * Base64 and base64url (RFC 4648), strict.
 */


#include "core/gs_b64.h"


static int gs_b64_value(int c, int plus, int slash);
static gs_rc_t gs_b64_core(gs_uchar_t *dst, size_t *len,
    const gs_uchar_t *src, size_t n, int plus, int slash);
static size_t gs_b64_write(gs_uchar_t *dst, const void *src, size_t len,
    const char *alphabet);


static const char  gs_b64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const char  gs_b64url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


gs_rc_t
gs_b64url_decode(gs_uchar_t *dst, size_t *len, const gs_str_t *src)
{
    return gs_b64_core(dst, len, src->data, src->len, '-', '_');
}


size_t
gs_b64url_encode(gs_uchar_t *dst, const void *src, size_t len)
{
    return gs_b64_write(dst, src, len, gs_b64url_alphabet);
}


gs_rc_t
gs_b64_decode(gs_uchar_t *dst, size_t *len, const gs_str_t *src)
{
    size_t  n;

    n = src->len;

    if (n % 4 != 0) {
        return GS_ERROR;
    }

    if (n != 0 && src->data[n - 1] == '=') {
        n--;

        if (src->data[n - 1] == '=') {
            n--;
        }
    }

    return gs_b64_core(dst, len, src->data, n, '+', '/');
}


size_t
gs_b64_encode(gs_uchar_t *dst, const void *src, size_t len)
{
    size_t  n;

    n = gs_b64_write(dst, src, len, gs_b64_alphabet);

    while (n % 4 != 0) {
        dst[n++] = '=';
    }

    return n;
}


static int
gs_b64_value(int c, int plus, int slash)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    if (c == plus) {
        return 62;
    }

    return (c == slash) ? 63 : -1;
}


static gs_rc_t
gs_b64_core(gs_uchar_t *dst, size_t *len, const gs_uchar_t *src, size_t n,
    int plus, int slash)
{
    int          v;
    size_t       i;
    uint32_t     acc;
    unsigned     bits;
    gs_uchar_t  *p;

    if (n % 4 == 1) {
        return GS_ERROR;
    }

    p = dst;
    acc = 0;
    bits = 0;

    for (i = 0; i < n; i++) {
        v = gs_b64_value(src[i], plus, slash);
        if (v < 0) {
            return GS_ERROR;
        }

        acc = (acc << 6) | (uint32_t) v;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            *p++ = (gs_uchar_t) (acc >> bits);
            acc &= (1u << bits) - 1;
        }
    }

    if (acc != 0) {
        return GS_ERROR;
    }

    *len = (size_t) (p - dst);

    return GS_OK;
}


static size_t
gs_b64_write(gs_uchar_t *dst, const void *src, size_t len,
    const char *alphabet)
{
    size_t             i;
    uint32_t           acc;
    unsigned           bits;
    gs_uchar_t        *p;
    const gs_uchar_t  *s;

    p = dst;
    s = src;
    acc = 0;
    bits = 0;

    for (i = 0; i < len; i++) {
        acc = (acc << 8) | s[i];
        bits += 8;

        while (bits >= 6) {
            bits -= 6;
            *p++ = (gs_uchar_t) alphabet[(acc >> bits) & 0x3f];
        }

        acc &= (1u << bits) - 1;
    }

    if (bits != 0) {
        *p++ = (gs_uchar_t) alphabet[(acc << (6 - bits)) & 0x3f];
    }

    return (size_t) (p - dst);
}
