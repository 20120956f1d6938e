
/*
 * Copyright (C) govsvc authors
 *
 * Identity for the platforms: headers that the gateway sets, and signed ones
 * that a platform can verify.  Private to the feature.
 */


#ifndef _NGX_HTTP_GOVSVC_IDENTITY_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_IDENTITY_H_INCLUDED_


#include "http/ngx_http_govsvc.h"
#include "core/gs_siphash.h"
#include "token/gs_sign.h"
#include "token/gs_token_signer.h"


#define NGX_HTTP_GOVSVC_IDENTITY_VALUE  8192


typedef enum {
    NGX_HTTP_GOVSVC_IDENTITY_RAW = 0,
    NGX_HTTP_GOVSVC_IDENTITY_PCT,
    NGX_HTTP_GOVSVC_IDENTITY_BASE64URL
} ngx_http_govsvc_identity_encode_e;


/* A header that is sent, as it is written and as Nginx looks it up. */
typedef struct {
    ngx_str_t                         key;
    u_char                           *lowcase;
    ngx_uint_t                        hash;
} ngx_http_govsvc_identity_name_t;


typedef struct {
    ngx_http_govsvc_identity_name_t   name;
    ngx_http_complex_value_t          value;
    ngx_uint_t                        encode;
} ngx_http_govsvc_identity_set_t;


/* One assertion that was signed; of a worker. */
typedef struct {
    uint64_t                          key[2];
    time_t                            expires;
    size_t                            len;
    u_char                            text[GS_TOKEN_SIGNER_MAX];
} ngx_http_govsvc_identity_entry_t;


typedef struct {
    ngx_http_govsvc_identity_name_t   name;
    gs_token_signer_t                *signer;
    ngx_str_t                         iss;
    ngx_http_complex_value_t         *aud; /* NULL: the platform */
    time_t                            ttl;
    gs_siphash_key_t                  hash;
    ngx_http_govsvc_identity_entry_t *entries;     /* made on first use */
} ngx_http_govsvc_identity_jws_t;


typedef struct {
    gs_sign_crypto_t                 *crypto;
    gs_sign_key_t                     key;
    ngx_str_t                         app;
    ngx_http_complex_value_t         *uid;         /* NULL: the subject */
    ngx_http_complex_value_t         *uinfo;
    ngx_http_complex_value_t         *ext;
} ngx_http_govsvc_identity_tif_t;


typedef struct {
    ngx_array_t                       signers;     /* of all keys, once each */
    ngx_str_t                         jwks;
} ngx_http_govsvc_identity_main_conf_t;


typedef struct {
    ngx_array_t                      *set;         /* NULL: nothing */
    ngx_http_govsvc_identity_jws_t   *jws;
    ngx_http_govsvc_identity_tif_t   *tif;
    ngx_flag_t                        published;
} ngx_http_govsvc_identity_conf_t;


/* govsvc_identity_sign: ngx_http_govsvc_identity_conf.c. */
char *ngx_http_govsvc_identity_sign(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Makes a name of a header of text, and has it stripped from what clients
 * send, in every spelling and on every server.
 */
char *ngx_http_govsvc_identity_name(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_govsvc_identity_name_t *name);

/* The content handler of govsvc_identity_jwks. */
ngx_int_t ngx_http_govsvc_identity_jwks_handler(ngx_http_request_t *r);

/*
 * The assertion for the request, kept or signed now; valid until the next
 * call.  NGX_DECLINED: nobody to tell of; NGX_ERROR: could not be made.
 */
ngx_int_t ngx_http_govsvc_identity_assert(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_identity_jws_t *jws,
    ngx_str_t *text);


#endif /* _NGX_HTTP_GOVSVC_IDENTITY_H_INCLUDED_ */
