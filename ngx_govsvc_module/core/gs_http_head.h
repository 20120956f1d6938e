
/*
 * Copyright (C) govsvc authors
 *
 * The head of an HTTP/1.x answer.  Private to core/gs_http_response.c.
 */


#ifndef _GS_HTTP_HEAD_H_INCLUDED_
#define _GS_HTTP_HEAD_H_INCLUDED_


#include "core/gs_http_response.h"


typedef struct {
    uint64_t  bytes;
    unsigned  length:1;                    /* bytes are known */
    unsigned  chunked:1;
} gs_http_framing_t;


/* What may stand in a field value: RFC 9110 section 5.5, with obs-text. */
#define gs_http_is_text(c)  (((c) >= 0x20 && (c) != 0x7f) || (c) == '\t')


/* Takes h->head apart, which ends with CRLFCRLF.  GS_ERROR sets h->error. */
gs_rc_t gs_http_head_parse(gs_http_response_t *h);

/*
 * How the body ends (RFC 9112 section 6).  GS_ERROR, with h->error, where two
 * readers could come to two answers.
 */
gs_rc_t gs_http_head_framing(gs_http_response_t *h, gs_http_framing_t *f);


#endif /* _GS_HTTP_HEAD_H_INCLUDED_ */
