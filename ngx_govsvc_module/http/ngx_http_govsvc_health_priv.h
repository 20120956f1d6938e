
/*
 * Copyright (C) govsvc authors
 *
 * The inside of checks: the elected worker's jobs and its probes on the wire.
 */


#ifndef _NGX_HTTP_GOVSVC_HEALTH_PRIV_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_HEALTH_PRIV_H_INCLUDED_


#include "http/ngx_http_govsvc_balancer_priv.h"
#include "ngx/ngx_govsvc_http.h"


#define NGX_HTTP_GOVSVC_HEALTH_TICK    50  /* ms */
#define NGX_HTTP_GOVSVC_HEALTH_FLYING  256 /* probes at a time */
#define NGX_HTTP_GOVSVC_HEALTH_FREE    32  /* connections left to requests */
#define NGX_HTTP_GOVSVC_HEALTH_BODY    65536


/* One question to one instance; all it needs is copied from the table. */
typedef struct {
    ngx_pool_t                    *pool;
    ngx_http_govsvc_health_t      *health;
    ngx_govsvc_http_t             *http;
    ngx_govsvc_http_target_t       target;
    uint32_t                       index;  /* of the instance, then */
    uint32_t                       slot;
    uint32_t                       generation;
} ngx_http_govsvc_probe_t;


typedef struct {
    ngx_http_govsvc_probe_t       *probe;
    ngx_msec_t                     due;
    uint32_t                       generation;
} ngx_http_govsvc_health_job_t;


struct ngx_http_govsvc_health_s {
    ngx_http_govsvc_balancer_main_conf_t  *conf;
    ngx_govsvc_lead_t                     *lead;

    /* of the leader */
    gs_registry_t                         *registry;   /* of the jobs */
    ngx_http_govsvc_health_job_t          *jobs;       /* by slot */
    uint32_t                               njobs;
    uint32_t                               next;
    ngx_uint_t                             flying;
    ngx_event_t                            timer;
    ngx_connection_t                       dummy;
    ngx_log_t                              log;
};


/* NULL: no memory, or no such TLS profile in this process. */
ngx_http_govsvc_probe_t *ngx_http_govsvc_probe_start(
    ngx_http_govsvc_health_t *h, ngx_http_govsvc_section_t *s,
    const gs_route_instance_t *instance);
void ngx_http_govsvc_probe_cancel(ngx_http_govsvc_probe_t *probe);

/* GS_HEALTH_ERRORS if the result says nothing of the peer. */
gs_health_error_e ngx_http_govsvc_probe_verdict(
    const ngx_govsvc_http_result_t *result);

/* Called by a probe that ended; it is gone after the return. */
void ngx_http_govsvc_health_result(ngx_http_govsvc_health_t *h,
    const ngx_http_govsvc_probe_t *probe,
    const ngx_govsvc_http_result_t *result);


#endif /* _NGX_HTTP_GOVSVC_HEALTH_PRIV_H_INCLUDED_ */
