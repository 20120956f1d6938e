
/*
 * Copyright (C) govsvc authors
 *
 * A feed: the records of the audit store in batches, numbered without gaps,
 * for one receiver.  The segments are the spool: whatever the receiver missed
 * is read again.  One elected worker has it; files are read in a thread.
 *
 * DIR/feed.<name>.<number> notes which range of which segment bears which
 * numbers (audit/gs_audit_feed.h), before anything is handed over.
 */


#ifndef _NGX_HTTP_GOVSVC_FEED_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_FEED_H_INCLUDED_


#include "audit/gs_audit_feed.h"
#include "http/ngx_http_govsvc_audit.h"
#include "ngx/ngx_govsvc_lead.h"


#define NGX_HTTP_GOVSVC_FEED_BATCH  1000   /* records at most */
#define NGX_HTTP_GOVSVC_FEED_TYPES  8      /* of records */
#define NGX_HTTP_GOVSVC_FEED_NAME   40
#define NGX_HTTP_GOVSVC_FEED_ROWS   64

/* For _seek(): the first record that was not confirmed. */
#define NGX_HTTP_GOVSVC_FEED_CONFIRMED  (UINT64_MAX - 1)


typedef struct ngx_http_govsvc_feed_s  ngx_http_govsvc_feed_t;


typedef struct {
    ngx_str_t                     line;    /* without LF */
    ngx_str_t                     type;
} ngx_http_govsvc_feed_record_t;


/* Records n, n + 1, ...; valid until the next call for the feed. */
typedef struct {
    uint64_t                      n;
    ngx_uint_t                    count;
    ngx_http_govsvc_feed_record_t records[NGX_HTTP_GOVSVC_FEED_BATCH];
} ngx_http_govsvc_feed_batch_t;


/*
 * In the event loop, once for each call of _seek() or _next():
 *
 * NGX_OK        there is a batch (of _next), or the place was found
 * NGX_DECLINED  _next: there is nothing new
 * NGX_BUSY      another process has the feed
 * NGX_ERROR     logged
 */
typedef void (*ngx_http_govsvc_feed_pt)(void *data, ngx_int_t rc);


/* How far the receiver is behind; in shared memory, for metrics. */
typedef struct {
    u_char                        name[NGX_HTTP_GOVSVC_FEED_NAME];
    uint64_t                      up;      /* there is a connection */
    uint64_t                      records; /* delivered */
    uint64_t                      caught;  /* ms, when nothing was behind */
} ngx_http_govsvc_feed_row_t;


typedef struct {
    ngx_str_t                     name;    /* "redis-0123abcd" */
    ngx_str_t                     key;     /* what it is for, no blanks */
    ngx_str_t                     types[NGX_HTTP_GOVSVC_FEED_TYPES];
    ngx_uint_t                    ntypes;  /* 0: all */
    ngx_uint_t                    batch;
    ngx_msec_t                    replay;
    ngx_http_govsvc_feed_pt       handler;
    ngx_govsvc_lead_pt            lead;    /* this worker has it, or not */
    void                         *data;    /* of both */
} ngx_http_govsvc_feed_conf_t;


/*
 * Parameters of directives: types=TYPE,..., replay=TIME; absent ones may have
 * data NULL.  All log what is wrong.
 */
char *ngx_http_govsvc_feed_types(ngx_conf_t *cf,
    ngx_http_govsvc_feed_conf_t *conf, ngx_str_t *value);
char *ngx_http_govsvc_feed_replay(ngx_conf_t *cf,
    ngx_http_govsvc_feed_conf_t *conf, ngx_str_t *value);

/* The name and the key of a feed of this kind, from here to there. */
char *ngx_http_govsvc_feed_name(ngx_conf_t *cf,
    ngx_http_govsvc_feed_conf_t *conf, const char *kind,
    const ngx_str_t *where, const ngx_str_t *what);

/*
 * Adds a feed to the configuration; conf is copied.  The store may be named
 * further down.  NULL is logged.
 */
ngx_http_govsvc_feed_t *ngx_http_govsvc_feed_add(ngx_conf_t *cf,
    const ngx_http_govsvc_feed_conf_t *conf);

/*
 * _seek(): the next batch begins with record n.  n 0: with the first one not
 * older than "replay"; UINT64_MAX: behind all that was handed over.  Numbers
 * never given to a record yet are skipped.  _next(): the next batch.  One call
 * at a time, in a worker that leads.
 */
void ngx_http_govsvc_feed_seek(ngx_http_govsvc_feed_t *feed, uint64_t n);
void ngx_http_govsvc_feed_next(ngx_http_govsvc_feed_t *feed);

ngx_http_govsvc_feed_batch_t *ngx_http_govsvc_feed_batch(
    ngx_http_govsvc_feed_t *feed);

/*
 * All records up to n need not be handed over again; noted on the disk with
 * the next call, or when the worker no longer leads.
 */
void ngx_http_govsvc_feed_confirm(ngx_http_govsvc_feed_t *feed, uint64_t n);

/*
 * For metrics: the receiver has all records up to n; and whether it is there.
 */
void ngx_http_govsvc_feed_delivered(ngx_http_govsvc_feed_t *feed, uint64_t n);
void ngx_http_govsvc_feed_up(ngx_http_govsvc_feed_t *feed, ngx_uint_t up);

/* Feed i of the cycle, and its row or NULL; NULL behind the last. */
ngx_http_govsvc_feed_conf_t *ngx_http_govsvc_feed_at(ngx_cycle_t *cycle,
    ngx_uint_t i, ngx_http_govsvc_feed_row_t **row);

/* 1 between a call and its handler. */
ngx_uint_t ngx_http_govsvc_feed_busy(ngx_http_govsvc_feed_t *feed);


#endif /* _NGX_HTTP_GOVSVC_FEED_H_INCLUDED_ */
