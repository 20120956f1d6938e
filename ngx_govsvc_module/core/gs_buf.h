
/*
 * Copyright (C) govsvc authors
 *
 * A bounded writer over memory of the caller.  Writing past the end sets
 * overflow and writes nothing more; the caller asks once, at the end.
 */


#ifndef _GS_BUF_H_INCLUDED_
#define _GS_BUF_H_INCLUDED_


#include "core/gs_str.h"


typedef struct {
    gs_uchar_t  *start;
    gs_uchar_t  *pos;
    gs_uchar_t  *last;
    unsigned     overflow;
} gs_buf_t;


void gs_buf_init(gs_buf_t *b, void *data, size_t size);
void gs_buf_u64(gs_buf_t *b, uint64_t n);
void gs_buf_i64(gs_buf_t *b, int64_t n);
/* n in decimal, zero padded to width. */
void gs_buf_pad(gs_buf_t *b, uint64_t n, unsigned width);
void gs_buf_hex(gs_buf_t *b, const void *data, size_t len);    /* lower case */

size_t gs_buf_len(const gs_buf_t *b);

/* What was written so far. */
gs_str_t gs_buf_view(const gs_buf_t *b);


/* inline, so that the length of a literal is a constant */

static inline void
gs_buf_put(gs_buf_t *b, const void *data, size_t len)
{
    if (b->overflow || len > (size_t) (b->last - b->pos)) {
        b->overflow = 1;
        return;
    }

    if (len != 0) {
        memcpy(b->pos, data, len);
        b->pos += len;
    }
}


static inline void
gs_buf_str(gs_buf_t *b, const gs_str_t *s)
{
    gs_buf_put(b, s->data, s->len);
}


static inline void
gs_buf_text(gs_buf_t *b, const char *text)
{
    gs_buf_put(b, text, strlen(text));
}


static inline void
gs_buf_char(gs_buf_t *b, int c)
{
    if (b->overflow || b->pos == b->last) {
        b->overflow = 1;
        return;
    }

    *b->pos++ = (gs_uchar_t) c;
}


#endif /* _GS_BUF_H_INCLUDED_ */
