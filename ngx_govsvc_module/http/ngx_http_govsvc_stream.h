
/*
 * Copyright (C) govsvc authors
 *
 * Streams: the records of a feed as entries of a Redis stream, "<n>-0" without
 * gaps.  What Redis has is asked before each batch, so that a flush, a stale
 * replica or another writer is noticed before anything is added.
 */


#ifndef _NGX_HTTP_GOVSVC_STREAM_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_STREAM_H_INCLUDED_


#include "http/ngx_http_govsvc_feed.h"
#include "http/ngx_http_govsvc_redis.h"


#define NGX_HTTP_GOVSVC_STREAM_GROUPS  8
#define NGX_HTTP_GOVSVC_STREAM_POLL    100     /* ms */
#define NGX_HTTP_GOVSVC_STREAM_RETRY   500     /* ms, after an error */
#define NGX_HTTP_GOVSVC_STREAM_CHECK   1000    /* ms, when nothing is new */
#define NGX_HTTP_GOVSVC_STREAM_TRIM    1000    /* ms */


typedef enum {
    NGX_HTTP_GOVSVC_STREAM_IDLE = 0,
    NGX_HTTP_GOVSVC_STREAM_POLICY,         /* would Redis keep it? */
    NGX_HTTP_GOVSVC_STREAM_ASKS,           /* what the stream has */
    NGX_HTTP_GOVSVC_STREAM_SEEKS,          /* that in the feed */
    NGX_HTTP_GOVSVC_STREAM_READS,          /* the next batch */
    NGX_HTTP_GOVSVC_STREAM_SENDS,
    NGX_HTTP_GOVSVC_STREAM_TRIMS
} ngx_http_govsvc_stream_state_e;


typedef struct {
    ngx_govsvc_redis_t             *redis;
    ngx_str_t                       key;       /* with the prefix */
    ngx_str_t                       groups[NGX_HTTP_GOVSVC_STREAM_GROUPS];
    ngx_uint_t                      ngroups;
    uint64_t                        maxlen;    /* 0: never trimmed */
    ngx_http_govsvc_feed_t         *feed;

    /* of the worker that leads */
    ngx_govsvc_redis_session_t     *session;
    ngx_event_t                     timer;
    ngx_connection_t                dummy;
    ngx_uint_t                      state;
    uint64_t                        last;      /* number of the last entry */
    uint64_t                        expect;    /* what it should be */
    uint64_t                        lowest;    /* unread by a group */
    uint64_t                        sealed;    /* entries up to this one */
    uint64_t                        marked;    /* will be, after ... */
    uint64_t                        marked_at; /* us, monotonic; 0: none */
    ngx_uint_t                      pending;   /* answers for the trim */
    ngx_msec_t                      checked;
    ngx_msec_t                      trimmed;
    ngx_http_govsvc_feed_batch_t   *batch;     /* to be sent; or NULL */
    const char                     *error;     /* told in the log */
    const char                     *refused;   /* a command of the batch */
    unsigned                        leads:1;
    unsigned                        sought:1;  /* feed and stream agree */
    unsigned                        missing:1; /* there is no stream */
    unsigned                        fresh:1;   /* nothing sent since then */
    unsigned                        kept:1;    /* Redis will keep the stream */
    unsigned                        warned:1;  /* it may not be asked */
} ngx_http_govsvc_stream_t;


/* For the feed of the stream. */
void ngx_http_govsvc_stream_lead(void *data, ngx_uint_t leads);
void ngx_http_govsvc_stream_fed(void *data, ngx_int_t rc);

/*
 * Removes what all groups have read and acknowledged, and what is sealed where
 * the server seals, beyond maxlen; ends with
 * ngx_http_govsvc_stream_go().  NGX_DECLINED: it is not due.
 */
ngx_int_t ngx_http_govsvc_stream_trim(ngx_http_govsvc_stream_t *st);

/* One command of the session; NGX_ERROR: _fail() was called. */
ngx_int_t ngx_http_govsvc_stream_send(ngx_http_govsvc_stream_t *st,
    ngx_str_t *argv, ngx_uint_t argc, ngx_govsvc_redis_handler_pt handler,
    void *data);

/* The next step; and the end of a round that failed. */
void ngx_http_govsvc_stream_go(ngx_http_govsvc_stream_t *st);
void ngx_http_govsvc_stream_fail(ngx_http_govsvc_stream_t *st,
    const char *error);

/* "<n>-0"; NGX_ERROR for anything else. */
ngx_int_t ngx_http_govsvc_stream_id(const ngx_str_t *text, uint64_t *n);


#endif /* _NGX_HTTP_GOVSVC_STREAM_H_INCLUDED_ */
