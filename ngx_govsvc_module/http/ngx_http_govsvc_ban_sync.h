
/*
 * Copyright (C) govsvc authors
 *
 * Bans of all nodes: a sorted set of who is banned until when, and a stream
 * of what changes, in a Redis.  The tables of the nodes stay the first line:
 * no request waits.
 */


#ifndef _NGX_HTTP_GOVSVC_BAN_SYNC_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_BAN_SYNC_H_INCLUDED_


#include "http/ngx_http_govsvc_ban.h"


#define NGX_HTTP_GOVSVC_BAN_SHARED  64     /* bytes behind a table */


/* Makes the zone one of all nodes that name the same redis; logs. */
char *ngx_http_govsvc_ban_sync_add(ngx_conf_t *cf,
    ngx_http_govsvc_ban_zone_t *zone, ngx_str_t *redis);

/* Memory shared by the workers, of zeros when new; NGX_ERROR is logged. */
ngx_int_t ngx_http_govsvc_ban_sync_shared(ngx_http_govsvc_ban_zone_t *zone,
    void *memory, ngx_log_t *log);

/* In each worker. */
void ngx_http_govsvc_ban_sync_start(ngx_http_govsvc_ban_zone_t *zone,
    ngx_log_t *log);


#endif /* _NGX_HTTP_GOVSVC_BAN_SYNC_H_INCLUDED_ */
