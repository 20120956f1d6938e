
/*
 * Copyright (C) govsvc authors
 *
 * jwks_uri: the keys of an issuer from its server.  One elected worker
 * fetches them from time to time, and any worker at once when a token names a
 * key that nobody has; all take them from shared memory.  Private to the token
 * feature: configuration and schedule in ngx_http_govsvc_jwks.c, requests
 * that wait for keys in ngx_http_govsvc_jwks_wait.c.
 */


#ifndef _NGX_HTTP_GOVSVC_JWKS_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_JWKS_H_INCLUDED_


#include "http/ngx_http_govsvc_token.h"
#include "core/gs_blob.h"
#include "core/gs_lease.h"
#include "ngx/ngx_govsvc_http.h"
#include "ngx/ngx_govsvc_lead.h"
#include "ngx/ngx_govsvc_save.h"


#define NGX_HTTP_GOVSVC_JWKS_QUICK  25     /* ms, while requests wait */


/* Of all workers; each field one word. */
typedef struct {
    gs_lease_t                 flight;     /* who is fetching */
    uint64_t                   started;    /* ms, monotonic: the last fetch */
    uint64_t                   next;       /* ms, monotonic: the next */
    uint64_t                   good;       /* s, wall clock: last success */
    uint64_t                   failures;   /* in a row */
    uint64_t                   ended;      /* fetches that came to an end */
} ngx_http_govsvc_jwks_shared_t;


typedef struct ngx_http_govsvc_jwks_s  ngx_http_govsvc_jwks_t;

struct ngx_http_govsvc_jwks_s {
    ngx_http_govsvc_issuer_t  *is;
    ngx_str_t                  url;
    ngx_govsvc_http_target_t   target;
    ngx_msec_t                 interval;
    ngx_msec_t                 grace;
    ngx_msec_t                 min_refetch;
    ngx_msec_t                 wait;
    size_t                     max_size;
    ngx_govsvc_save_t         *save;       /* NULL: no state file */
    ngx_cycle_t               *cycle;
    ngx_shm_zone_t            *zone;
    ngx_govsvc_lead_t         *lead;

    ngx_http_govsvc_jwks_shared_t
                              *shared;
    gs_blob_t                 *blob;

    /* of this worker */
    ngx_log_t                 *log;
    ngx_govsvc_http_t         *http;       /* its own fetch, or NULL */
    u_char                    *room;       /* max_size bytes */
    uint64_t                   seen;       /* the generation it has */
    uint64_t                   ended;      /* of shared, as last seen */
    ngx_event_t                event;
    ngx_connection_t           dummy;
    ngx_queue_t                waiting;    /* requests */
    ngx_uint_t                 nwaiting;
    unsigned                   expired:1;  /* beyond grace, and logged */
};


/* The words after jwks_uri; conf is the issuer. */
char *ngx_http_govsvc_jwks_uri(ngx_conf_t *cf, void *conf);

/* When the http block has been read: the resolver, if it is needed. */
char *ngx_http_govsvc_jwks_init(ngx_conf_t *cf, ngx_http_govsvc_issuer_t *is);

/* In each worker. */
ngx_int_t ngx_http_govsvc_jwks_start(ngx_http_govsvc_issuer_t *is,
    ngx_cycle_t *cycle);

/* Takes what is new in shared memory; NGX_OK: the keys are others now. */
ngx_int_t ngx_http_govsvc_jwks_load(ngx_http_govsvc_jwks_t *j);

/*
 * Fetches, unless somebody does, or did less than throttle (ms) ago.
 * NGX_OK: a fetch is on its way, here or elsewhere; NGX_DECLINED: none.
 */
ngx_int_t ngx_http_govsvc_jwks_fetch(ngx_http_govsvc_jwks_t *j,
    ngx_msec_t throttle);

/* Lets the requests that wait decide: the keys are new, or none will come. */
void ngx_http_govsvc_jwks_wake(ngx_http_govsvc_jwks_t *j);

/* ngx_http_govsvc_keys_missing_pt; data is the ngx_http_govsvc_jwks_t. */
ngx_int_t ngx_http_govsvc_jwks_missing(ngx_http_request_t *r,
    ngx_http_govsvc_issuer_t *is, void *data);

/* The clock of shared: ms, monotonic. */
uint64_t ngx_http_govsvc_jwks_now(void);


#endif /* _NGX_HTTP_GOVSVC_JWKS_H_INCLUDED_ */
