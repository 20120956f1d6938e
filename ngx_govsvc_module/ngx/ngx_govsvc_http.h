
/*
 * Copyright (C) govsvc authors
 *
 * An HTTP/1.1 client over Nginx's events: one request, one connection, its
 * answer whole in memory.  No redirects, no cookies, no content codings; no
 * call blocks.
 */


#ifndef _NGX_GOVSVC_HTTP_H_INCLUDED_
#define _NGX_GOVSVC_HTTP_H_INCLUDED_


#include "ngx/ngx_govsvc.h"
#include "core/gs_http_response.h"
#include "core/gs_url.h"

#include <ngx_event.h>
#include <ngx_event_connect.h>


typedef struct ngx_govsvc_http_s  ngx_govsvc_http_t;


typedef enum {
    NGX_GOVSVC_HTTP_OK = 0,                /* an answer, whatever its status */
    NGX_GOVSVC_HTTP_RESOLVE,
    NGX_GOVSVC_HTTP_VETO,                  /* no address was allowed */
    NGX_GOVSVC_HTTP_CONNECT,
    NGX_GOVSVC_HTTP_TLS,                   /* handshake, or not who it is */
    NGX_GOVSVC_HTTP_SEND,
    NGX_GOVSVC_HTTP_READ,                  /* broken in the middle */
    NGX_GOVSVC_HTTP_TIMEOUT,
    NGX_GOVSVC_HTTP_INVALID,               /* no HTTP, or not clearly */
    NGX_GOVSVC_HTTP_TOO_LARGE,
    NGX_GOVSVC_HTTP_MEMORY,
    NGX_GOVSVC_HTTP_QUIT                   /* the worker ends */
} ngx_govsvc_http_error_e;


typedef struct {
    ngx_govsvc_http_error_e    error;
    const char                *text;       /* of the error, for a log */
    ngx_uint_t                 status;     /* 0 without an answer */
    const gs_http_response_t  *response;   /* headers, body */
} ngx_govsvc_http_result_t;


/*
 * Called once for a request that was started, from the event loop, never from
 * inside the start.  What result points to ends with the return; the request
 * must not be used after it.  Not called when the process exits before.
 */
typedef void (*ngx_govsvc_http_pt)(void *data,
    const ngx_govsvc_http_result_t *result);

/*
 * Asked for each address before it is connected to, after names have become
 * addresses: NGX_OK lets it be used.  It sees what will be used, so a name
 * that resolves anew changes nothing.
 */
typedef ngx_int_t (*ngx_govsvc_http_address_pt)(void *data,
    struct sockaddr *sockaddr, socklen_t socklen);


/*
 * Where to, and how: from the configuration, read-only afterwards, one for any
 * number of requests.  To be set by hand after ngx_govsvc_http_target(), or
 * left: times, sizes, the resolver.  Times in ms, of each step; total bounds
 * all together.
 */
typedef struct {
    gs_url_t                   url;
    ngx_str_t                  host;       /* NUL behind it, for TLS */
    ngx_resolver_t            *resolver;   /* needed for names */
    ngx_ssl_t                 *ssl;        /* NULL for http */
    ngx_str_t                  ssl_name;   /* to be proved; with NUL */
    ngx_msec_t                 connect_timeout;    /* 3 s; with TLS */
    ngx_msec_t                 send_timeout;       /* 5 s without progress */
    ngx_msec_t                 read_timeout;       /* 5 s without a byte */
    ngx_msec_t                 total_timeout;      /* 15 s */
    size_t                     max_head;   /* 16k */
    size_t                     max_body;   /* 256k */
} ngx_govsvc_http_target_t;


/* Whether ssl_name is an address. */
#define ngx_govsvc_http_is_address(t)                                         \
    ((t)->url.numeric && (t)->ssl_name.data == (t)->host.data)


typedef struct {
    ngx_str_t                   name;
    ngx_str_t                   value;
} ngx_govsvc_http_field_t;


/*
 * All may be left zero but method and handler.  method NULL: the connection,
 * with TLS the proof of who it is, and no request.
 */
typedef struct {
    const char                 *method;    /* "GET", "HEAD", "POST", ... */
    ngx_str_t                   target;    /* instead of the URL's */
    const ngx_govsvc_http_field_t
                               *fields;    /* beside Host, User-Agent, */
    ngx_uint_t                  nfields;   /* Connection, Content-Length */
    ngx_str_t                   body;
    ngx_govsvc_http_address_pt  allow;
    ngx_govsvc_http_pt          handler;
    void                       *data;      /* of both */
} ngx_govsvc_http_request_t;


/*
 * Fills t with the URL and the defaults, in cf->pool.  TLS for https: peers
 * are verified against the authorities of the file ca (relative to the
 * configuration's folder), or those of the system if it is empty, and against
 * the host's name or address, or name if it is not empty; TLS 1.2 at least.
 * Logs and returns NGX_CONF_ERROR otherwise.
 */
char *ngx_govsvc_http_target(ngx_conf_t *cf, ngx_govsvc_http_target_t *t,
    ngx_str_t *url, ngx_str_t *ca, ngx_str_t *name);

/*
 * Gives the target the resolver (of the http block, known when all of it has
 * been read).  A name without one is an error that says what to write; who
 * names the directive for it.
 */
char *ngx_govsvc_http_resolver(ngx_conf_t *cf, ngx_govsvc_http_target_t *t,
    ngx_resolver_t *resolver, ngx_str_t *who);

/*
 * Starts a request in this worker.  Everything is copied but t and the method,
 * which must live until the handler was called or the request cancelled.  NULL
 * (logged; the handler will not be called): memory is out, a field has control
 * bytes, or the worker quits.
 */
ngx_govsvc_http_t *ngx_govsvc_http_start(const ngx_govsvc_http_target_t *t,
    const ngx_govsvc_http_request_t *request, ngx_log_t *log);

/* Ends it without a call of the handler. */
void ngx_govsvc_http_cancel(ngx_govsvc_http_t *h);

/* A stable word such as "timeout", for logs and metrics. */
const char *ngx_govsvc_http_error_name(ngx_govsvc_http_error_e error);

/* For ngx_govsvc_module: closes what is open when the process exits. */
void ngx_govsvc_http_exit_process(ngx_cycle_t *cycle);


#endif /* _NGX_GOVSVC_HTTP_H_INCLUDED_ */
