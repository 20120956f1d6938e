
/*
 * Copyright (C) govsvc authors
 *
 * Quotas of a calendar window: what the directives and the stages share.
 */


#ifndef _NGX_HTTP_GOVSVC_QUOTA_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_QUOTA_H_INCLUDED_


#include "http/ngx_http_govsvc_limit_sync.h"
#include "limit/gs_limit_quota.h"
#include "ngx/ngx_govsvc_zone.h"


#define NGX_HTTP_GOVSVC_QUOTA_ZONES  64    /* bits of a set */


typedef struct {
    ngx_govsvc_zone_t              base;
    gs_limit_quota_table_t        *table;
    size_t                         size;
    ngx_http_govsvc_limit_key_t    key;
    gs_limit_quota_t               quota;
    ngx_uint_t                     share;          /* hundredths */
    ngx_http_govsvc_limit_sync_t  *sync;           /* NULL: one node */
} ngx_http_govsvc_quota_zone_t;


typedef struct {
    ngx_http_govsvc_quota_zone_t  *zone;
    ngx_http_govsvc_limit_t        args;           /* cost, on_error, ... */
} ngx_http_govsvc_quota_limit_t;


typedef struct {
    ngx_array_t                    zones;  /* ngx_http_govsvc_quota_zone_t * */
} ngx_http_govsvc_quota_main_conf_t;


typedef struct {
    ngx_array_t                   *limits;         /* NULL: off */
} ngx_http_govsvc_quota_conf_t;


/*
 * Asks Redis for a ticket, if that is due.  NGX_OK: the answer will come;
 * NGX_DECLINED: another one asks, or none is needed.
 */
ngx_int_t ngx_http_govsvc_quota_ask(ngx_http_govsvc_quota_zone_t *zone,
    gs_limit_quota_key_t *k, gs_str_t *key, uint64_t end);

/* In a worker: another number of nodes, for all zones with sync. */
void ngx_http_govsvc_quota_renew_plans(ngx_cycle_t *cycle, ngx_uint_t nodes);



#endif /* _NGX_HTTP_GOVSVC_QUOTA_H_INCLUDED_ */
