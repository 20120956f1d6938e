
/*
 * Copyright (C) govsvc authors
 *
 * Bans of all nodes: what a worker keeps, for the files that tell and read.
 */


#ifndef _NGX_HTTP_GOVSVC_BAN_SYNC_PRIV_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_BAN_SYNC_PRIV_H_INCLUDED_


#include "core/gs_hex.h"
#include "http/ngx_http_govsvc_ban_sync.h"
#include "http/ngx_http_govsvc_follow.h"


#define NGX_HTTP_GOVSVC_BAN_CROSSED  30000    /* ms */
#define NGX_HTTP_GOVSVC_BAN_BATCH    128      /* told again in one tick */
#define NGX_HTTP_GOVSVC_BAN_PENDING  256      /* lifted, not told yet */
#define NGX_HTTP_GOVSVC_BAN_SNAP     500      /* entries asked for at once */
#define NGX_HTTP_GOVSVC_BAN_MEMBER   64       /* "subject:" and the rest */


typedef struct ngx_http_govsvc_ban_sync_s  ngx_http_govsvc_ban_sync_t;


typedef struct {
    uint64_t                      cursor;     /* of the stream; 0: none */
    uint64_t                      resync;     /* not 0: tell all bans again */
    uint64_t                      origin;     /* of this memory */
} ngx_http_govsvc_ban_shared_t;


typedef struct {
    ngx_http_govsvc_ban_sync_t   *sync;
    gs_ban_id_t                   id;
    unsigned                      used:1;
    unsigned                      sent:1;
} ngx_http_govsvc_ban_lifted_t;


struct ngx_http_govsvc_ban_sync_s {
    ngx_http_govsvc_ban_zone_t    *zone;
    ngx_http_govsvc_follow_t       follow;
    ngx_http_govsvc_ban_shared_t  *shared;

    /* of the worker */
    ngx_govsvc_redis_call_t       *asking;   /* for the snapshot */
    ngx_msec_t                     retold;
    uint64_t                       told;     /* where in the table */
    uint64_t                       from;     /* of the snapshot, ms */
    uint64_t                       offset;
    unsigned                       telling:1;
    unsigned                       again:1;  /* bans were told again */
    unsigned                       wanted:1; /* a snapshot */
    unsigned                       ready:1;  /* all was handed over */
    ngx_http_govsvc_ban_lifted_t  *lifted;
    gs_ban_id_t                   *gone;     /* while a snapshot is asked */
    ngx_uint_t                     ngone;
};


/* Tells the nodes; of a zone, by its hook.  data is the sync. */
void ngx_http_govsvc_ban_sync_changed(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, const gs_ban_t *ban, uint64_t until, void *data);

/* The name of a key in Redis; returns its length. */
size_t ngx_http_govsvc_ban_sync_member(u_char *dst,
    const gs_ban_id_t *id);

/* Of the reader of the stream. */
ngx_int_t ngx_http_govsvc_ban_sync_entry(void *data,
    const ngx_str_t *id, const ngx_str_t *fields, ngx_uint_t n);
void ngx_http_govsvc_ban_sync_stream(void *data,
    ngx_govsvc_redis_stream_event_e event);

/* The leader asks again for what it did not get. */
void ngx_http_govsvc_ban_sync_ask(ngx_http_govsvc_ban_sync_t *sync);


#endif /* _NGX_HTTP_GOVSVC_BAN_SYNC_PRIV_H_INCLUDED_ */
