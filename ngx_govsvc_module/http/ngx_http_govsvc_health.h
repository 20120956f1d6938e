
/*
 * Copyright (C) govsvc authors
 *
 * The health of instances: one elected worker asks them by their check
 * profiles and writes what it hears to the slots of the registry, where each
 * pick of each worker reads it.
 */


#ifndef _NGX_HTTP_GOVSVC_HEALTH_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_HEALTH_H_INCLUDED_


#include "http/ngx_http_govsvc.h"
#include "route/gs_health.h"


typedef struct ngx_http_govsvc_health_s  ngx_http_govsvc_health_t;


/*
 * Called for an instance: id, pool and report are valid during the call only,
 * report->since is wall time in ms, 0: unknown.
 */
typedef void (*ngx_http_govsvc_health_pt)(void *data, const gs_str_t *id,
    const gs_str_t *pool, const gs_health_report_t *report);


/*
 * Tells of all instances of the current table, in its order; for the event
 * loop, linear in their number.  NGX_DECLINED where there is no table.
 */
ngx_int_t ngx_http_govsvc_health_each(ngx_http_govsvc_health_pt handler,
    void *data);


#endif /* _NGX_HTTP_GOVSVC_HEALTH_H_INCLUDED_ */
