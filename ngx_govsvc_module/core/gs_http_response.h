
/*
 * Copyright (C) govsvc authors
 *
 * An HTTP/1.x answer (RFC 9112) as a client reads it, fed in pieces of any
 * size.  Strict, for the other side may be hostile: CRLF only, no folded
 * lines, one length and no doubt about it, limits on everything.
 */


#ifndef _GS_HTTP_RESPONSE_H_INCLUDED_
#define _GS_HTTP_RESPONSE_H_INCLUDED_


#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_HTTP_RESPONSE_HEADERS  64       /* lines of a head */
#define GS_HTTP_RESPONSE_INTERIM  4        /* answers 1xx before the last */


typedef enum {
    GS_HTTP_RESPONSE_HEAD = 0,
    GS_HTTP_RESPONSE_LENGTH,               /* a body of known length */
    GS_HTTP_RESPONSE_CLOSE,                /* a body up to the end */
    GS_HTTP_RESPONSE_CHUNK_SIZE,
    GS_HTTP_RESPONSE_CHUNK_EXT,
    GS_HTTP_RESPONSE_CHUNK_LF,
    GS_HTTP_RESPONSE_CHUNK_DATA,
    GS_HTTP_RESPONSE_CHUNK_END,
    GS_HTTP_RESPONSE_CHUNK_END_LF,
    GS_HTTP_RESPONSE_TRAILER,
    GS_HTTP_RESPONSE_DONE,
    GS_HTTP_RESPONSE_FAILED
} gs_http_response_state_e;


typedef struct {
    gs_str_t                  name;
    gs_str_t                  value;       /* without the blanks around it */
} gs_http_header_t;


typedef struct {
    /* what was read; in memory of mem until the release */
    unsigned                  status;      /* 200 to 599, 0 before the head */
    gs_http_header_t          headers[GS_HTTP_RESPONSE_HEADERS];
    size_t                    nheaders;
    gs_str_t                  body;
    const char               *error;       /* after GS_ERROR; a constant */
    unsigned                  too_large:1; /* why it failed */
    unsigned                  no_memory:1;

    /* private */
    gs_mem_t                 *mem;
    gs_http_response_state_e  state;
    size_t                    max_head;
    size_t                    max_body;
    gs_uchar_t               *head;
    size_t                    head_len;
    gs_uchar_t               *room;        /* of the body */
    size_t                    room_size;
    uint64_t                  left;        /* of the length or the chunk */
    size_t                    line;        /* bytes of a chunk's line */
    unsigned                  digits;
    unsigned                  interim;
    unsigned                  match;       /* bytes of CRLFCRLF seen */
    unsigned                  no_body:1;   /* the request was HEAD */
    unsigned                  version_10:1;
} gs_http_response_t;


/*
 * Begins an answer with a head of at most max_head bytes, trailers of as many,
 * and a body of max_body.  no_body: the request was HEAD.  GS_ERROR when
 * memory is out.
 */
gs_rc_t gs_http_response_init(gs_http_response_t *h, gs_mem_t *mem,
    size_t max_head, size_t max_body, int no_body);

/*
 * Takes the next bytes.  GS_AGAIN: more is needed; GS_OK: complete, bytes
 * behind the end are left alone; GS_ERROR: h->error tells why.
 */
gs_rc_t gs_http_response_feed(gs_http_response_t *h, const void *data,
    size_t len);

/* The connection ended: GS_OK if the answer is complete with that. */
gs_rc_t gs_http_response_eof(gs_http_response_t *h);

/* Gives back the memory; the answer's strings end with it. */
void gs_http_response_release(gs_http_response_t *h);

/*
 * The only line of that name (any case), NULL if there is none or more than
 * one.
 */
const gs_str_t *gs_http_response_header(const gs_http_response_t *h,
    const char *name);

/*
 * max-age of Cache-Control (RFC 9111 section 5.2.2) in seconds, 0 for no-store
 * and no-cache.  GS_DECLINED if it does not say, or not clearly.
 */
gs_rc_t gs_http_response_max_age(const gs_http_response_t *h,
    uint64_t *seconds);


#endif /* _GS_HTTP_RESPONSE_H_INCLUDED_ */
