
/*
 * Copyright (C) govsvc authors
 *
 * Limits on requests in progress: what the directives and the stages share.
 */


#ifndef _NGX_HTTP_GOVSVC_CONN_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_CONN_H_INCLUDED_


#include "http/ngx_http_govsvc_limit.h"
#include "limit/gs_limit_conn.h"
#include "ngx/ngx_govsvc_zone.h"


#define NGX_HTTP_GOVSVC_CONN_ZONES  64     /* bits of a set */
#define NGX_HTTP_GOVSVC_CONN_MAX    1000000


typedef struct {
    ngx_govsvc_zone_t             base;
    gs_limit_conn_table_t        *table;
    size_t                        size;
    ngx_http_govsvc_limit_key_t   key;
} ngx_http_govsvc_conn_zone_t;


typedef struct {
    ngx_http_govsvc_conn_zone_t  *zone;
    ngx_uint_t                    max;
    ngx_uint_t                    dry_run;
} ngx_http_govsvc_conn_limit_t;


typedef struct {
    ngx_array_t                   zones;   /* ngx_http_govsvc_conn_zone_t * */
} ngx_http_govsvc_conn_main_conf_t;


typedef struct {
    ngx_array_t                  *limits;          /* NULL: off */
} ngx_http_govsvc_conn_conf_t;


#endif /* _NGX_HTTP_GOVSVC_CONN_H_INCLUDED_ */
