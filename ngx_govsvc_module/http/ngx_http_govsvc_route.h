
/*
 * Copyright (C) govsvc authors
 *
 * Route: what the balancer takes from the route feature.
 */


#ifndef _NGX_HTTP_GOVSVC_ROUTE_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_ROUTE_H_INCLUDED_


#include "http/ngx_http_govsvc.h"
#include "route/gs_route.h"


/* In ctx->route_data once the route was looked for. */
typedef struct {
    gs_route_reason_e  reason;
    unsigned           late:1;             /* claims may change the answer */
} ngx_http_govsvc_route_data_t;


/*
 * The table compiled from the configuration, NULL without govsvc_platforms.
 * It lives as long as the cycle.  Also for cf->cycle, from
 * init_main_conf of the http block on.
 */
const gs_route_table_t *ngx_http_govsvc_route_blob(ngx_cycle_t *cycle);

/*
 * The last word on the request's route, for the commit stage: looks for it
 * where no stage did yet and again when claims are needed, which are known by
 * then.  NGX_DECLINED: govsvc_route is off here; NGX_OK: found, the context
 * is filled; NGX_ABORT: refuse with *reason.
 */
ngx_int_t ngx_http_govsvc_route_commit(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_reason_e *reason);


#endif /* _NGX_HTTP_GOVSVC_ROUTE_H_INCLUDED_ */
