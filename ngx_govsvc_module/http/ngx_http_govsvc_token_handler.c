
/*
 * Copyright (C) govsvc authors
 *
 * Tokens on the way of a request: verified in PREACCESS, so that limits and
 * routes know who is calling; whether that is enough is decided in ACCESS.
 */


#include "http/ngx_http_govsvc_token.h"


static ngx_int_t ngx_http_govsvc_token_missing(ngx_http_request_t *r,
    ngx_http_govsvc_token_conf_t *tlcf, gs_token_verdict_t *verdict);
static ngx_int_t ngx_http_govsvc_token_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_token_reason_e reason);
static void ngx_http_govsvc_token_log(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_uint_t level, const char *reason);
static ngx_int_t ngx_http_govsvc_token_accept(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_token_conf_t *tlcf,
    gs_token_verdict_t *verdict);
static void ngx_http_govsvc_token_forget(ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_token_claim(gs_str_t *claims, const char *name,
    ngx_str_t *value);
static ngx_int_t ngx_http_govsvc_token_scope(ngx_http_request_t *r,
    gs_str_t *claims, ngx_str_t *value);
static ngx_int_t ngx_http_govsvc_token_join(ngx_http_request_t *r,
    gs_str_t *claims, gs_str_t *name, u_char sep, ngx_str_t *value);
static ngx_int_t ngx_http_govsvc_claim_name(gs_str_t *claims,
    gs_str_t *wanted, gs_str_t *name);


static ngx_str_t  ngx_http_govsvc_token_realm =
    ngx_string("Bearer realm=\"govsvc\"");

static ngx_str_t  ngx_http_govsvc_token_request =
    ngx_string("Bearer realm=\"govsvc\", error=\"invalid_request\"");

static ngx_str_t  ngx_http_govsvc_token_invalid =
    ngx_string("Bearer realm=\"govsvc\", error=\"invalid_token\"");

static ngx_str_t  ngx_http_govsvc_token_expired =
    ngx_string("Bearer realm=\"govsvc\", error=\"invalid_token\", "
               "error_description=\"expired\"");


ngx_int_t
ngx_http_govsvc_token_verify_handler(ngx_http_request_t *r)
{
    gs_str_t                            s;
    ngx_int_t                           rc;
    ngx_str_t                           token;
    gs_token_verdict_t                  verdict;
    ngx_http_govsvc_ctx_t              *ctx;
    ngx_http_govsvc_token_data_t       *data;
    ngx_http_govsvc_token_conf_t       *tlcf;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_token_module);

    if (tlcf->policy == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    data = ctx->token_data;

    if (data != NULL && data->policy == tlcf->policy
        && data->sources == tlcf->sources)
    {
        return NGX_DECLINED;
    }

    ngx_http_govsvc_token_forget(ctx);

    rc = ngx_http_govsvc_token_find(r, tlcf->sources, &token);

    if (rc == NGX_DECLINED) {
        ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_ABSENT;
        return NGX_DECLINED;
    }

    if (rc == NGX_ERROR) {
        ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_BAD;
        ctx->challenge = ngx_http_govsvc_token_request;

        ngx_http_govsvc_token_log(r, ctx, NGX_LOG_INFO, "bad_request");

        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_TOKEN_MALFORMED);
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_token_module);
    s = ngx_govsvc_to_gs(&token);

    if (gs_token_cache_check(tmcf->ready ? &tmcf->cache : NULL,
                             tmcf->verifier, tlcf->policy, &s,
                             (int64_t) ngx_time(), &verdict)
        != GS_TOKEN_OK)
    {
        if (ngx_http_govsvc_token_missing(r, tlcf, &verdict) == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        return ngx_http_govsvc_token_refuse(r, ctx, verdict.reason);
    }

    if (ngx_http_govsvc_token_accept(r, ctx, tlcf, &verdict) != NGX_OK) {
        ngx_http_govsvc_token_forget(ctx);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "govsvc token: ok, level:%ui cached:%d",
                   ctx->level, verdict.cached);

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_govsvc_token_decide_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_token_conf_t  *tlcf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_token_module);

    if (tlcf->policy == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* an application that signs is no token of an issuer that is named */

    if (ctx->auth_status != NGX_HTTP_GOVSVC_AUTH_OK
        || (ctx->token_data == NULL && tlcf->issuers != NULL
            && tlcf->mode == NGX_HTTP_GOVSVC_TOKEN_REQUIRED))
    {
        if (tlcf->mode != NGX_HTTP_GOVSVC_TOKEN_REQUIRED
            && tlcf->require == NULL)
        {
            return NGX_DECLINED;
        }

        ctx->challenge = ngx_http_govsvc_token_realm;

        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_AUTH_REQUIRED);
    }

    if (tlcf->require != NULL) {
        rc = ngx_http_govsvc_require_check(r, ctx, tlcf->require);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


/* Whether the source of the issuer's keys wants the request to wait. */

static ngx_int_t
ngx_http_govsvc_token_missing(ngx_http_request_t *r,
    ngx_http_govsvc_token_conf_t *tlcf, gs_token_verdict_t *verdict)
{
    ngx_http_govsvc_issuer_t  *is;

    if (verdict->reason != GS_TOKEN_NO_KEYS
        && verdict->reason != GS_TOKEN_UNKNOWN_KEY)
    {
        return NGX_DECLINED;
    }

    /* the first member of ours */

    is = (ngx_http_govsvc_issuer_t *) tlcf->policy->issuers[verdict->issuer];

    return is->missing != NULL ? is->missing(r, is, is->missing_data)
                               : NGX_DECLINED;
}


/*
 * The caller learns that the token is bad or expired, the log why: an answer
 * that told a wrong key from a wrong signature would help a forger.
 */

static ngx_int_t
ngx_http_govsvc_token_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_token_reason_e reason)
{
    ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_BAD;

    if (reason == GS_TOKEN_NO_MEMORY || reason == GS_TOKEN_NO_KEYS) {
        ngx_http_govsvc_token_log(r, ctx, NGX_LOG_ERR,
                                  gs_token_reason_name(reason));

        ctx->retry_after = 1;

        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_AUTH_UNAVAILABLE);
    }

    ngx_http_govsvc_token_log(r, ctx, NGX_LOG_INFO,
                              gs_token_reason_name(reason));

    if (reason == GS_TOKEN_EXPIRED) {
        ctx->challenge = ngx_http_govsvc_token_expired;
        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_TOKEN_EXPIRED);
    }

    ctx->challenge = ngx_http_govsvc_token_invalid;

    return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_TOKEN_INVALID);
}


/*
 * Without the context that Nginx would add: the request line may hold the
 * token itself.
 */

static void
ngx_http_govsvc_token_log(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_uint_t level, const char *reason)
{
    ngx_log_t  log;

    log = *r->connection->log;
    log.handler = NULL;

    ngx_log_error(level, &log, 0,
                  "govsvc token: refused, reason: %s, client: %V, request: %V",
                  reason, &r->connection->addr_text, &ctx->request_id);
}


/* The verdict's claims are in memory of the worker: one copy is kept. */

static ngx_int_t
ngx_http_govsvc_token_accept(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_token_conf_t *tlcf,
    gs_token_verdict_t *verdict)
{
    u_char                        *p;
    ngx_http_govsvc_token_data_t  *data;

    data = ngx_palloc(r->pool, sizeof(ngx_http_govsvc_token_data_t)
                               + verdict->claims.len);
    if (data == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) (data + 1);
    ngx_memcpy(p, verdict->claims.data, verdict->claims.len);

    data->policy = tlcf->policy;
    data->sources = tlcf->sources;
    data->claims = gs_str_make(p, verdict->claims.len);

    ctx->token_data = data;
    ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_OK;
    ctx->level = verdict->level;
    ctx->issuer = ngx_govsvc_from_gs(
                      &tlcf->policy->issuers[verdict->issuer]->name);

    ngx_http_govsvc_token_claim(&data->claims, "sub", &ctx->subject);
    ngx_http_govsvc_token_claim(&data->claims, "client_id", &ctx->app);

    if (ctx->app.len == 0) {
        ngx_http_govsvc_token_claim(&data->claims, "azp", &ctx->app);
    }

    return ngx_http_govsvc_token_scope(r, &data->claims, &ctx->scope);
}


static void
ngx_http_govsvc_token_forget(ngx_http_govsvc_ctx_t *ctx)
{
    ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_NONE;
    ctx->token_data = NULL;
    ctx->level = 0;

    ngx_str_null(&ctx->issuer);
    ngx_str_null(&ctx->subject);
    ngx_str_null(&ctx->scope);
    ngx_str_null(&ctx->app);
}


static void
ngx_http_govsvc_token_claim(gs_str_t *claims, const char *name,
    ngx_str_t *value)
{
    gs_str_t          s;
    gs_token_claim_t  claim;

    s = gs_str_text(name);

    if (gs_token_claim_find(claims, &s, &claim) == GS_OK
        && !(claim.flags & GS_TOKEN_CLAIM_CTL))
    {
        *value = ngx_govsvc_from_gs(&claim.value);

    } else {
        ngx_str_null(value);
    }
}


static ngx_int_t
ngx_http_govsvc_token_scope(ngx_http_request_t *r, gs_str_t *claims,
    ngx_str_t *value)
{
    gs_str_t  name;

    name = gs_str_text("scope");

    return ngx_http_govsvc_token_join(r, claims, &name, ' ', value)
           == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


/*
 * All values of a claim with sep between them.  NGX_DECLINED, and an empty
 * value, if there is none, or one with a control character, or an element
 * with sep in it, which would read as two.
 */

static ngx_int_t
ngx_http_govsvc_token_join(ngx_http_request_t *r, gs_str_t *claims,
    gs_str_t *name, u_char sep, ngx_str_t *value)
{
    size_t             pos, len;
    u_char            *p;
    ngx_uint_t         n;
    gs_token_claim_t   claim;

    ngx_str_null(value);

    pos = 0;
    len = 0;
    n = 0;

    while (gs_token_claim_next(claims, &pos, &claim) == GS_OK) {

        if (!gs_str_eq(&claim.name, name)) {
            continue;
        }

        if ((claim.flags & GS_TOKEN_CLAIM_CTL)
            || ((claim.flags & GS_TOKEN_CLAIM_ARRAY)
                && gs_str_chr(&claim.value, 0, sep) != claim.value.len))
        {
            return NGX_DECLINED;
        }

        if (n++ == 0) {
            *value = ngx_govsvc_from_gs(&claim.value);
        }

        len += claim.value.len + 1;
    }

    if (n < 2) {
        return n == 0 ? NGX_DECLINED : NGX_OK;
    }

    ngx_str_null(value);

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    value->len = len - 1;
    pos = 0;

    while (gs_token_claim_next(claims, &pos, &claim) == GS_OK) {
        if (gs_str_eq(&claim.name, name)) {
            p = ngx_cpymem(p, claim.value.data, claim.value.len);
            *p++ = sep;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *full = (ngx_str_t *) data;

    gs_str_t                       name, wanted;
    ngx_int_t                      rc;
    ngx_str_t                      value;
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_token_data_t  *td;

    v->not_found = 1;

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    td = ctx->token_data;

    wanted = gs_str_make(full->data + sizeof("govsvc_claim_") - 1,
                         full->len - (sizeof("govsvc_claim_") - 1));

    if (td == NULL
        || ngx_http_govsvc_claim_name(&td->claims, &wanted, &name) != NGX_OK)
    {
        return NGX_OK;
    }

    rc = ngx_http_govsvc_token_join(r, &td->claims, &name, ',', &value);

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    v->data = value.data;
    v->len = (unsigned) value.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/*
 * Nginx turns names of variables into lower case: a claim of exactly that
 * name is meant, else the only one that equals it case-blind.
 */

static ngx_int_t
ngx_http_govsvc_claim_name(gs_str_t *claims, gs_str_t *wanted, gs_str_t *name)
{
    size_t            pos;
    gs_token_claim_t  claim;

    pos = 0;
    name->data = NULL;
    name->len = 0;

    if (gs_token_claim_find(claims, wanted, &claim) == GS_OK) {
        *name = claim.name;
        return NGX_OK;
    }

    while (gs_token_claim_next(claims, &pos, &claim) == GS_OK) {

        if (!gs_str_case_eq(&claim.name, wanted)) {
            continue;
        }

        if (name->data != NULL && !gs_str_eq(&claim.name, name)) {
            return NGX_DECLINED;
        }

        *name = claim.name;
    }

    return name->data != NULL ? NGX_OK : NGX_DECLINED;
}
