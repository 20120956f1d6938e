
/*
 * Copyright (C) govsvc authors
 *
 * A bounded writer over memory of the caller.
 */


#include "core/gs_buf.h"


static gs_uchar_t *gs_buf_digits(gs_uchar_t *last, uint64_t n);


void
gs_buf_init(gs_buf_t *b, void *data, size_t size)
{
    b->start = data;
    b->pos = data;
    b->last = (data == NULL) ? NULL : b->start + size;
    b->overflow = 0;
}


void
gs_buf_u64(gs_buf_t *b, uint64_t n)
{
    gs_buf_pad(b, n, 1);
}


void
gs_buf_i64(gs_buf_t *b, int64_t n)
{
    if (n < 0) {
        gs_buf_char(b, '-');
        gs_buf_u64(b, 0 - (uint64_t) n);
        return;
    }

    gs_buf_u64(b, (uint64_t) n);
}


void
gs_buf_pad(gs_buf_t *b, uint64_t n, unsigned width)
{
    size_t       len;
    gs_uchar_t   digits[20];
    gs_uchar_t  *p, *last;

    last = digits + sizeof(digits);
    p = gs_buf_digits(last, n);
    len = (size_t) (last - p);

    for ( ; width > len; width--) {
        gs_buf_char(b, '0');
    }

    gs_buf_put(b, p, len);
}


void
gs_buf_hex(gs_buf_t *b, const void *data, size_t len)
{
    size_t             i;
    const gs_uchar_t  *p;

    static const char  hex[] = "0123456789abcdef";

    p = data;

    if (b->overflow || len > (size_t) (b->last - b->pos) / 2) {
        b->overflow = 1;
        return;
    }

    for (i = 0; i < len; i++) {
        *b->pos++ = (gs_uchar_t) hex[p[i] >> 4];
        *b->pos++ = (gs_uchar_t) hex[p[i] & 0x0f];
    }
}


size_t
gs_buf_len(const gs_buf_t *b)
{
    return (size_t) (b->pos - b->start);
}


gs_str_t
gs_buf_view(const gs_buf_t *b)
{
    return gs_str_make(b->start, gs_buf_len(b));
}


static gs_uchar_t *
gs_buf_digits(gs_uchar_t *last, uint64_t n)
{
    do {
        *--last = (gs_uchar_t) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    return last;
}
