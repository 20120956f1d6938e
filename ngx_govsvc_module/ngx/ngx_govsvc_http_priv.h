
/*
 * Copyright (C) govsvc authors
 *
 * Inside the HTTP client: the way of the events (ngx_govsvc_http.c), and what
 * is made of the configuration and the request (ngx_govsvc_http_conf.c).
 */


#ifndef _NGX_GOVSVC_HTTP_PRIV_H_INCLUDED_
#define _NGX_GOVSVC_HTTP_PRIV_H_INCLUDED_


#include "ngx/ngx_govsvc_http.h"
#include "ngx/ngx_govsvc_peer.h"


#define NGX_GOVSVC_HTTP_ADDRS  4           /* of one name, that are tried */


struct ngx_govsvc_http_s {
    ngx_queue_t                      queue;
    ngx_pool_t                      *pool;
    ngx_log_t                        log;
    const ngx_govsvc_http_target_t  *target;
    ngx_govsvc_http_address_pt       allow;
    ngx_govsvc_http_pt               handler;
    void                            *data;

    ngx_resolver_ctx_t              *resolve;
    ngx_govsvc_peer_addr_t           addrs[NGX_GOVSVC_HTTP_ADDRS];
    ngx_uint_t                       naddrs;
    ngx_uint_t                       next;
    ngx_peer_connection_t            peer;

    ngx_buf_t                       *request;
    gs_mem_t                        *mem;
    gs_http_response_t               response;

    ngx_event_t                      timer;
    ngx_event_t                      done;
    ngx_connection_t                 dummy;
    ngx_msec_t                       start;

    ngx_govsvc_http_error_e          error;
    const char                      *text;
    const char                      *step;
    unsigned                         connected:1;
    unsigned                         sent:1;
    unsigned                         finished:1;
    unsigned                         calling:1;
};


/* The request's bytes, in h->pool; NGX_ERROR is logged. */
ngx_int_t ngx_govsvc_http_build(ngx_govsvc_http_t *h,
    const ngx_govsvc_http_request_t *request);


#endif /* _NGX_GOVSVC_HTTP_PRIV_H_INCLUDED_ */
