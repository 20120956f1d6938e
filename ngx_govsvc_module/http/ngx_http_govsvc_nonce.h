
/*
 * Copyright (C) govsvc authors
 *
 * Nonces of signed requests: a store of this node, and behind it one that
 * nodes share over Redis.  Private to the feature of applications.
 */


#ifndef _NGX_HTTP_GOVSVC_NONCE_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_NONCE_H_INCLUDED_


#include "http/ngx_http_govsvc_redis.h"
#include "limit/gs_nonce.h"
#include "ngx/ngx_govsvc_zone.h"
#include "token/gs_sign.h"


#define NGX_HTTP_GOVSVC_NONCE_OWN  32      /* digits */
#define NGX_HTTP_GOVSVC_NONCE_KEY  22      /* base64url of 128 bits */


typedef enum {
    NGX_HTTP_GOVSVC_NONCE_CLOSED = 0,
    NGX_HTTP_GOVSVC_NONCE_LOCAL
} ngx_http_govsvc_nonce_error_e;


typedef struct {
    ngx_govsvc_zone_t              base;   /* first */
    gs_nonce_t                     store;
    size_t                         size;   /* 0: it is not laid out */
    ngx_govsvc_redis_t            *redis;  /* NULL: this node alone */
    ngx_uint_t                     on_error;
    int64_t                        skew;   /* s */

    /* of the worker */
    ngx_uint_t                     epoch;  /* that the store was told of */
    ngx_uint_t                     gone;   /* the log says so */
} ngx_http_govsvc_nonce_zone_t;


/* What a request brings. */
typedef struct {
    gs_str_t                       app;
    gs_str_t                       nonce;
    int64_t                        time;   /* s, that was signed */
    int64_t                        until;  /* to be remembered */
    int64_t                        now;
} ngx_http_govsvc_nonce_t;


/* A request that waits for the answer of Redis, and the answer. */
typedef struct {
    ngx_http_request_t            *request;
    ngx_http_govsvc_nonce_zone_t  *zone;
    ngx_govsvc_redis_call_t       *call;   /* NULL: answered */
    int64_t                        time;
    gs_sign_reason_e               reason;
    ngx_uint_t                     retry_after;    /* s; 0: no idea */
    u_char                         own[NGX_HTTP_GOVSVC_NONCE_OWN];
} ngx_http_govsvc_nonce_wait_t;


/* The setter of govsvc_nonce_zone; where it is absent. */
char *ngx_http_govsvc_nonce_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_govsvc_nonce_default(ngx_conf_t *cf, ngx_array_t *zones);

/*
 * Takes the nonce.  NGX_OK: *reason tells whether it is new, GS_SIGN_OK, or
 * why the request is to be refused.  NGX_AGAIN: the request waits for Redis,
 * its phases run again when *wait, whose call is NULL then, has the reason.
 */
ngx_int_t ngx_http_govsvc_nonce_take(ngx_http_request_t *r,
    ngx_http_govsvc_nonce_zone_t *zone, const ngx_http_govsvc_nonce_t *n,
    ngx_http_govsvc_nonce_wait_t **wait, gs_sign_reason_e *reason);


#endif /* _NGX_HTTP_GOVSVC_NONCE_H_INCLUDED_ */
