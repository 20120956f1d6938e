
/*
 * Copyright (C) govsvc authors
 *
 * Limits: what of them lives at Redis.
 */


#ifndef _NGX_HTTP_GOVSVC_LIMIT_SYNC_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_LIMIT_SYNC_H_INCLUDED_


#include "http/ngx_http_govsvc_limit.h"
#include "http/ngx_http_govsvc_redis.h"


#define NGX_HTTP_GOVSVC_LIMIT_HASH  32     /* digits */


/*
 * For sync=NAME of a zone: the redis of that name, and this worker's view of
 * it.  NULL is logged.
 */
ngx_http_govsvc_limit_sync_t *ngx_http_govsvc_limit_sync_create(
    ngx_conf_t *cf, ngx_str_t *name);

/*
 * When Redis went away, as this worker sees it; 0 if it is there.  now is the
 * monotonic clock in us.
 */
uint64_t ngx_http_govsvc_limit_sync_outage(ngx_http_govsvc_limit_sync_t *sync,
    uint64_t now);

/*
 * Asks Redis for slots if that is due.  waits is the request that cannot go
 * on without them, or NULL; its phases run again when the answer is there.
 */
void ngx_http_govsvc_limit_sync_ask(ngx_http_govsvc_limit_zone_t *zone,
    gs_limit_item_t *item, gs_str_t *key, uint64_t now,
    ngx_http_request_t *waits);

/* The request is gone: its answer wakes nobody. */
void ngx_http_govsvc_limit_sync_forget(ngx_http_govsvc_limit_data_t *data);

/* For quotas: what became of a command, and where to send it. */
void ngx_http_govsvc_limit_sync_fails(ngx_http_govsvc_limit_sync_t *sync);
void ngx_http_govsvc_limit_sync_worked(ngx_http_govsvc_limit_sync_t *sync);
ngx_govsvc_redis_t *ngx_http_govsvc_limit_sync_redis(
    ngx_http_govsvc_limit_sync_t *sync);

/*
 * Writes NGX_HTTP_GOVSVC_LIMIT_HASH digits of an HMAC-SHA256: the same on all
 * nodes, and nothing of the key itself.
 */
ngx_int_t ngx_http_govsvc_limit_hash(u_char *dst, ngx_str_t *secret,
    ngx_str_t *head, gs_str_t *key);


#endif /* _NGX_HTTP_GOVSVC_LIMIT_SYNC_H_INCLUDED_ */
