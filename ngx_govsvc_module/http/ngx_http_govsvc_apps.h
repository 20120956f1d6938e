
/*
 * Copyright (C) govsvc authors
 *
 * Applications that sign their requests: configuration shared by the
 * directives and the request's side.  Private to the feature.
 */


#ifndef _NGX_HTTP_GOVSVC_APPS_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_APPS_H_INCLUDED_


#include "http/ngx_http_govsvc.h"
#include "http/ngx_http_govsvc_nonce.h"
#include "token/gs_app.h"


#define NGX_HTTP_GOVSVC_APP_BODY_MAX  67108864


typedef enum {
    NGX_HTTP_GOVSVC_APP_OFF = 0,
    NGX_HTTP_GOVSVC_APP_OPTIONAL,
    NGX_HTTP_GOVSVC_APP_REQUIRED
} ngx_http_govsvc_app_mode_e;


typedef struct {
    ngx_str_t            file;
    gs_mem_t            *mem;
    gs_apps_t           *apps;             /* NULL: none configured */
    gs_sign_crypto_t    *crypto;
    ngx_array_t          zones;            /* of nonces: one, or none */
} ngx_http_govsvc_apps_main_conf_t;


typedef struct {
    ngx_uint_t           mode;
    ngx_uint_t           schemes;          /* as bits */
    ngx_uint_t           with_token;       /* both credentials may be there */
    size_t               body;             /* largest that is hashed */
    ngx_uint_t           line;             /* of the directive */
    ngx_str_t            file;
} ngx_http_govsvc_apps_conf_t;


/* What is known of the caller; ctx->app_data. */
typedef struct {
    const gs_app_t      *app;              /* NULL: not verified (yet) */
    ngx_str_t            subject;
    ngx_str_t            identity[3];      /* x-tif-uid, -uinfo, -ext */
    ngx_str_t            names[3];         /* as they were sent */
    const gs_app_t      *pending;          /* good but for its nonce */
    ngx_http_govsvc_nonce_wait_t  *nonce;  /* asked for; or NULL */
    gs_sign_digest_t     digest;           /* that the body must have */
    gs_sign_hash_t      *hash;             /* NULL: none is wanted */
    off_t                received;
    size_t               limit;
    unsigned             reading:1;
    unsigned             read:1;
    unsigned             checked:1;        /* the digest is right */
    unsigned             failed:1;         /* libcrypto gave no digest */
} ngx_http_govsvc_app_data_t;


/* The data of a request, made on first use; NULL if memory is out. */
ngx_http_govsvc_app_data_t *ngx_http_govsvc_app_data(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);

/* Logs why, and answers the request with what the caller may know. */
ngx_int_t ngx_http_govsvc_app_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_sign_reason_e reason);

/* Takes back what the application had set, but not what a token had. */
void ngx_http_govsvc_app_forget(ngx_http_govsvc_ctx_t *ctx);

/* Prepares the digest of the body that is to come. */
gs_sign_reason_e ngx_http_govsvc_app_expect(ngx_http_request_t *r,
    ngx_http_govsvc_app_data_t *data, const gs_sign_digest_t *digest);

/* Puts the filter of bodies in place; at configuration. */
void ngx_http_govsvc_app_body_init(void);


#endif /* _NGX_HTTP_GOVSVC_APPS_H_INCLUDED_ */
