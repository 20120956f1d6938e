
/*
 * Copyright (C) govsvc authors
 *
 * Tokens: configuration shared by the directives and the request's side.
 * Private to the feature.
 */


#ifndef _NGX_HTTP_GOVSVC_TOKEN_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_TOKEN_H_INCLUDED_


#include "http/ngx_http_govsvc_keys.h"
#include "token/gs_token_cache.h"
#include "token/gs_token_claim.h"


#define NGX_HTTP_GOVSVC_TOKEN_ZONE  4194304    /* without the directive */


typedef enum {
    NGX_HTTP_GOVSVC_TOKEN_OFF = 0,
    NGX_HTTP_GOVSVC_TOKEN_OPTIONAL,
    NGX_HTTP_GOVSVC_TOKEN_REQUIRED
} ngx_http_govsvc_token_mode_e;


typedef enum {
    NGX_HTTP_GOVSVC_TOKEN_HEADER = 0,
    NGX_HTTP_GOVSVC_TOKEN_COOKIE,
    NGX_HTTP_GOVSVC_TOKEN_ARG
} ngx_http_govsvc_token_source_e;


typedef struct {
    ngx_http_govsvc_token_source_e   type;
    ngx_str_t                        name; /* of the cookie or argument */
} ngx_http_govsvc_token_source_t;


/* Where a directive stands, for what is found out after parsing. */
typedef struct {
    ngx_str_t                        file;
    ngx_uint_t                       line;
} ngx_http_govsvc_token_place_t;


/* Named before it is defined, as zones are. */
struct ngx_http_govsvc_issuer_s {
    gs_token_issuer_t                issuer;
    ngx_str_t                        name;
    ngx_http_govsvc_token_place_t    place; /* of the first mention */
    ngx_uint_t                       audience;  /* is stated, or off */

    /* keys, which each process replaces for itself */
    ngx_str_t                        jwks_file;
    ngx_msec_t                       poll;
    ngx_pool_t                      *keys_pool;
    uint64_t                         broken;   /* the last text refused */
    time_t                           read;     /* when the file was */
    ngx_file_info_t                  file;     /* as it was then */
    ngx_event_t                      event;
    ngx_connection_t                 dummy;    /* for its log */

    ngx_http_govsvc_keys_missing_pt  missing;
    void                            *missing_data;
    struct ngx_http_govsvc_jwks_s   *jwks;     /* of jwks_uri; or NULL */

    unsigned                         defined:1;
    unsigned                         source:1;      /* besides the file */
    unsigned                         unreadable:1;  /* has been logged */
};


typedef enum {
    NGX_HTTP_GOVSVC_REQUIRE_LEVEL = 0,
    NGX_HTTP_GOVSVC_REQUIRE_SCOPE,
    NGX_HTTP_GOVSVC_REQUIRE_USER,
    NGX_HTTP_GOVSVC_REQUIRE_ACTOR,
    NGX_HTTP_GOVSVC_REQUIRE_CLAIM
} ngx_http_govsvc_require_e;


typedef struct {
    ngx_http_govsvc_require_e        type;
    ngx_uint_t                       level;
    gs_str_t                         name; /* path of the claim */
    gs_str_t                         value;
    u_char                           op;   /* one of = ! ^ < > */
    ngx_uint_t                       equal;    /* < and > or equal */
    int64_t                          number;
    ngx_str_t                        challenge;
} ngx_http_govsvc_require_t;


typedef struct ngx_http_govsvc_revoke_zone_s  ngx_http_govsvc_revoke_zone_t;


typedef struct {
    ngx_array_t                      issuers;  /* ngx_http_govsvc_issuer_t * */
    ngx_array_t                      policies; /* gs_token_policy_t * */
    ngx_shm_zone_t                  *zone;
    ngx_flag_t                       zone_off;
    ngx_uint_t                       used;     /* by a govsvc_token */
    gs_mem_t                        *mem;
    gs_token_verifier_t             *verifier;
    gs_token_cache_t                 cache;
    ngx_uint_t                       ready;    /* cache laid out */
    size_t                           negative; /* bytes, 0: a part */
    ngx_http_govsvc_revoke_zone_t   *revoke;   /* NULL: none */
} ngx_http_govsvc_token_main_conf_t;


typedef struct {
    ngx_uint_t                       mode;
    ngx_array_t                     *issuers;  /* NULL: all */
    ngx_array_t                     *sources;
    ngx_array_t                     *require;  /* NULL: nothing */
    ngx_flag_t                       forward;  /* credentials go upstream */
    gs_token_policy_t               *policy;
    ngx_http_govsvc_token_place_t    token;    /* of the directives */
    ngx_http_govsvc_token_place_t    required;
} ngx_http_govsvc_token_conf_t;


/* What a credential was found to be; ctx->token_data. */
typedef struct {
    gs_token_policy_t               *policy;
    ngx_array_t                     *sources;
    gs_str_t                         claims;   /* of a good token */
    gs_str_t                         kid;      /* and of its key, if any */
    gs_token_reason_e                reason;
    ngx_uint_t                       issuer;
    unsigned                         malformed:1;  /* or given twice */
} ngx_http_govsvc_token_data_t;


/* The block of an issuer: ngx_http_govsvc_issuer.c. */
char *ngx_http_govsvc_issuer_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* The issuer of that name, made if this is the first mention of it. */
ngx_http_govsvc_issuer_t *ngx_http_govsvc_issuer_get(ngx_conf_t *cf,
    ngx_http_govsvc_token_main_conf_t *tmcf, ngx_str_t *name);

/*
 * Reads the jwks_file of the issuer for the first time; NGX_CONF_ERROR is
 * logged.  ngx_http_govsvc_keys.c.
 */
char *ngx_http_govsvc_keys_init(ngx_conf_t *cf,
    ngx_http_govsvc_issuer_t *is);

/* Begins to look whether the file has changed; for a worker. */
void ngx_http_govsvc_keys_watch(ngx_http_govsvc_issuer_t *is,
    ngx_log_t *log);

/* The zone of verdicts: ngx_http_govsvc_token_zone.c. */
char *ngx_http_govsvc_token_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_govsvc_token_add_zone(ngx_conf_t *cf,
    ngx_http_govsvc_token_main_conf_t *tmcf, ngx_str_t *name, size_t size);

/* The zone of revocations: ngx_http_govsvc_revoke.c. */
char *ngx_http_govsvc_revocation_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* In the life of a worker. */
void ngx_http_govsvc_revoke_start(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_log_t *log);
void ngx_http_govsvc_revoke_stop(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_log_t *log);

/* Parameters of govsvc_require: ngx_http_govsvc_require.c. */
char *ngx_http_govsvc_require(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * NGX_OK: the context satisfies all of them; otherwise what the refusal
 * returned.
 */
ngx_int_t ngx_http_govsvc_require_check(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_array_t *require);

/*
 * The credential of a request: ngx_http_govsvc_token_source.c.  NGX_DECLINED
 * if there is none, NGX_ERROR if it is malformed or given twice.
 */
ngx_int_t ngx_http_govsvc_token_find(ngx_http_request_t *r,
    ngx_array_t *sources, ngx_str_t *token);

/*
 * Takes the credential out of a request that goes to a platform, unless the
 * place says forward=on; ngx_http_govsvc_token_find() goes on to find it.
 * NGX_ERROR if memory is out.
 */
ngx_int_t ngx_http_govsvc_token_remove(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);

/* $govsvc_claim_NAME */
ngx_int_t ngx_http_govsvc_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


#endif /* _NGX_HTTP_GOVSVC_TOKEN_H_INCLUDED_ */
