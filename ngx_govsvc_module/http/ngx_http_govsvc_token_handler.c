
/*
 * Copyright (C) govsvc authors
 *
 * Tokens on the way of a request: verified in PREACCESS, so that limits and
 * routes know who is calling; whether that is enough is decided in ACCESS.
 */


#include "http/ngx_http_govsvc_correlate.h"
#include "http/ngx_http_govsvc_token.h"


static ngx_int_t ngx_http_govsvc_token_examine(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_token_conf_t *tlcf);
static void ngx_http_govsvc_token_share(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_token_conf_t *tlcf,
    gs_token_ask_t *ask, gs_token_verdict_t *verdict);
static ngx_http_govsvc_token_data_t *ngx_http_govsvc_token_keep(
    ngx_http_request_t *r, ngx_http_govsvc_token_conf_t *tlcf,
    gs_token_verdict_t *verdict);
static ngx_int_t ngx_http_govsvc_token_missing(ngx_http_request_t *r,
    ngx_http_govsvc_token_conf_t *tlcf, ngx_http_govsvc_token_data_t *data);
static ngx_int_t ngx_http_govsvc_token_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_token_reason_e reason);
static void ngx_http_govsvc_token_log(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_uint_t level, const char *reason);
static ngx_int_t ngx_http_govsvc_token_accept(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_token_data_t *data,
    gs_token_verdict_t *verdict);
static void ngx_http_govsvc_token_forget(ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_token_claim(gs_str_t *claims, const gs_str_t *path,
    ngx_str_t *value);
static ngx_int_t ngx_http_govsvc_token_scope(ngx_http_request_t *r,
    gs_str_t *claims, ngx_str_t *value);
static ngx_int_t ngx_http_govsvc_token_join(ngx_http_request_t *r,
    gs_str_t *claims, gs_token_claim_iter_t *it, u_char sep,
    ngx_str_t *value);
static ngx_int_t ngx_http_govsvc_claim_value(ngx_http_request_t *r,
    ngx_http_govsvc_token_data_t *td, gs_str_t *path, ngx_str_t *value);


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
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_token_data_t  *data;
    ngx_http_govsvc_token_conf_t  *tlcf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_token_module);

    if (tlcf->policy == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ctx == NULL
        || ngx_http_govsvc_token_examine(r, ctx, tlcf) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    data = ctx->token_data;

    if (ctx->auth_status != NGX_HTTP_GOVSVC_AUTH_BAD) {
        return NGX_DECLINED;
    }

    if (data->malformed) {
        ctx->challenge = ngx_http_govsvc_token_request;

        ngx_http_govsvc_token_log(r, ctx, NGX_LOG_INFO, "bad_request");

        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_TOKEN_MALFORMED);
    }

    if (ngx_http_govsvc_token_missing(r, tlcf, data) == NGX_AGAIN) {
        ngx_http_govsvc_token_forget(ctx);
        return NGX_AGAIN;
    }

    return ngx_http_govsvc_token_refuse(r, ctx, data->reason);
}


void
ngx_http_govsvc_token_ask(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_token_conf_t  *tlcf;

    if (ngx_http_govsvc_skip(r)) {
        return;
    }

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_token_module);

    if (tlcf->policy == NULL) {
        return;
    }

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ctx != NULL && ctx->auth_status == NGX_HTTP_GOVSVC_AUTH_NONE) {
        (void) ngx_http_govsvc_token_examine(r, ctx, tlcf);
    }
}


void
ngx_http_govsvc_token_late(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    ngx_http_govsvc_token_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_token_module);

    if (tlcf->policy != NULL
        && ctx->auth_status == NGX_HTTP_GOVSVC_AUTH_NONE
        && ctx->reason
           == &ngx_http_govsvc_reasons[NGX_HTTP_GOVSVC_RULE_BLOCKED])
    {
        (void) ngx_http_govsvc_token_examine(r, ctx, tlcf);
    }
}


ngx_uint_t
ngx_http_govsvc_token_stands(ngx_http_request_t *r)
{
    ngx_str_t                      token;
    ngx_http_govsvc_token_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_token_module);

    return tlcf->policy != NULL
           && ngx_http_govsvc_token_find(r, tlcf->sources, &token)
              != NGX_DECLINED;
}


/*
 * Finds out what the credential of the request is worth here, unless that is
 * known already, and decides nothing.  NGX_ERROR when memory is out.
 */

static ngx_int_t
ngx_http_govsvc_token_examine(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_token_conf_t *tlcf)
{
    ngx_int_t                           rc;
    ngx_str_t                           token;
    gs_token_ask_t                      ask;
    gs_token_verdict_t                  verdict;
    ngx_http_govsvc_token_data_t       *data;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    data = ctx->token_data;

    if (data != NULL && data->policy == tlcf->policy
        && data->sources == tlcf->sources)
    {
        return NGX_OK;
    }

    ngx_http_govsvc_token_forget(ctx);

    ngx_memzero(&verdict, sizeof(gs_token_verdict_t));
    rc = ngx_http_govsvc_token_find(r, tlcf->sources, &token);

    if (rc == NGX_OK) {
        tmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_token_module);

        ask.token = ngx_govsvc_to_gs(&token);
        ask.client = ngx_govsvc_to_gs(ctx->client_net.len
                                      ? &ctx->client_net
                                      : &r->connection->addr_text);
        ask.now = (uint64_t) ngx_cached_time->sec * 1000
                  + (uint64_t) ngx_cached_time->msec;

        (void) gs_token_cache_check(tmcf->ready ? &tmcf->cache : NULL,
                                    tmcf->verifier, tlcf->policy, &ask,
                                    &verdict);

        if (verdict.reason == GS_TOKEN_THROTTLED) {
            ngx_http_govsvc_token_share(r, ctx, tlcf, &ask, &verdict);
        }
    }

    if (rc == NGX_DECLINED) {
        ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_ABSENT;
        return NGX_OK;
    }

    data = ngx_http_govsvc_token_keep(r, tlcf, &verdict);
    if (data == NULL) {
        return NGX_ERROR;
    }

    data->malformed = (rc == NGX_ERROR);
    ctx->token_data = data;

    if (rc == NGX_ERROR || verdict.reason != GS_TOKEN_OK) {
        ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_BAD;
        return NGX_OK;
    }

    if (ngx_http_govsvc_token_accept(r, ctx, data, &verdict) != NGX_OK) {
        ngx_http_govsvc_token_forget(ctx);
        return NGX_ERROR;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "govsvc token: ok, level:%ui cached:%d",
                   ctx->level, verdict.cached);

    return NGX_OK;
}


/*
 * One who forges tokens behind an exit of many would keep all others from
 * signing on: there each kind of browser has a throttle of its own.
 */

static void
ngx_http_govsvc_token_share(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_token_conf_t *tlcf,
    gs_token_ask_t *ask, gs_token_verdict_t *verdict)
{
    u_char                              text[NGX_SOCKADDR_STRLEN + 1];
    size_t                              len;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    len = ngx_min(ask->client.len, NGX_SOCKADDR_STRLEN);

    if (ngx_http_govsvc_correlate_share(r, ctx, &text[len]) != NGX_OK) {
        return;
    }

    ngx_memcpy(text, ask->client.data, len);
    ask->client = gs_str_make(text, len + 1);

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_token_module);

    (void) gs_token_cache_check(&tmcf->cache, tmcf->verifier, tlcf->policy,
                                ask, verdict);
}


/* The verdict's claims are in memory of the worker: one copy is kept. */

static ngx_http_govsvc_token_data_t *
ngx_http_govsvc_token_keep(ngx_http_request_t *r,
    ngx_http_govsvc_token_conf_t *tlcf, gs_token_verdict_t *verdict)
{
    u_char                        *p;
    gs_str_t                       kid;
    const gs_token_key_t          *key;
    ngx_http_govsvc_token_data_t  *data;

    kid = gs_str_make(NULL, 0);

    /* keys may be replaced while the request runs */

    if (verdict->reason == GS_TOKEN_OK) {
        key = gs_token_keys_by_id(
                         tlcf->policy->issuers[verdict->issuer]->keys,
                         verdict->key);

        if (key != NULL) {
            kid = key->kid;
        }
    }

    data = ngx_palloc(r->pool, sizeof(ngx_http_govsvc_token_data_t)
                               + verdict->claims.len + kid.len);
    if (data == NULL) {
        return NULL;
    }

    p = (u_char *) (data + 1);

    if (verdict->claims.len != 0) {
        ngx_memcpy(p, verdict->claims.data, verdict->claims.len);
    }

    if (kid.len != 0) {
        ngx_memcpy(p + verdict->claims.len, kid.data, kid.len);
    }

    data->policy = tlcf->policy;
    data->sources = tlcf->sources;
    data->claims = gs_str_make(p, verdict->claims.len);
    data->kid = gs_str_make(p + verdict->claims.len, kid.len);
    data->reason = verdict->reason;
    data->issuer = verdict->issuer;
    data->malformed = 0;

    return data;
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

    if (tlcf->policy == NULL && tlcf->require == NULL) {
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

        if (tlcf->policy == NULL) {
            return ngx_http_govsvc_app_absent(r, ctx);
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
    ngx_http_govsvc_token_conf_t *tlcf, ngx_http_govsvc_token_data_t *data)
{
    ngx_http_govsvc_issuer_t  *is;

    if (data->reason != GS_TOKEN_NO_KEYS
        && data->reason != GS_TOKEN_UNKNOWN_KEY)
    {
        return NGX_DECLINED;
    }

    /* the first member of ours */

    is = (ngx_http_govsvc_issuer_t *) tlcf->policy->issuers[data->issuer];

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

    if (reason == GS_TOKEN_THROTTLED) {
        ctx->retry_after = 1;
        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_AUTH_THROTTLED);
    }

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


static ngx_int_t
ngx_http_govsvc_token_accept(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_token_data_t *data,
    gs_token_verdict_t *verdict)
{
    const gs_token_issuer_t  *issuer;

    static const gs_str_t     sub = gs_string("sub");
    static const gs_str_t     jti = gs_string("jti");
    static const gs_str_t     client_id = gs_string("client_id");
    static const gs_str_t     azp = gs_string("azp");
    static const ngx_str_t    users[] = {
        ngx_null_string,
        ngx_string("natural"),
        ngx_string("legal")
    };

    issuer = data->policy->issuers[verdict->issuer];

    ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_OK;
    ctx->level = verdict->level;
    ctx->user = users[verdict->user];
    ctx->issuer = ngx_govsvc_from_gs(&issuer->name);
    ctx->kid = ngx_govsvc_from_gs(&data->kid);

    ngx_http_govsvc_token_claim(&data->claims, &sub, &ctx->subject);
    ngx_http_govsvc_token_claim(&data->claims, &issuer->actor, &ctx->actor);
    ngx_http_govsvc_token_claim(&data->claims, &jti, &ctx->jti);
    ngx_http_govsvc_token_claim(&data->claims, &client_id, &ctx->app);

    if (ctx->app.len == 0) {
        ngx_http_govsvc_token_claim(&data->claims, &azp, &ctx->app);
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
    ngx_str_null(&ctx->kid);
    ngx_str_null(&ctx->subject);
    ngx_str_null(&ctx->actor);
    ngx_str_null(&ctx->jti);
    ngx_str_null(&ctx->user);
    ngx_str_null(&ctx->scope);
    ngx_str_null(&ctx->app);
}


static void
ngx_http_govsvc_token_claim(gs_str_t *claims, const gs_str_t *path,
    ngx_str_t *value)
{
    gs_token_claim_t  claim;

    if (gs_token_claim_find(claims, path, &claim) == GS_OK
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
    gs_token_claim_iter_t  it;
    static const gs_str_t  scope = gs_string("scope");

    gs_token_claim_iter(&it, &scope);

    return ngx_http_govsvc_token_join(r, claims, &it, ' ', value)
           == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


/*
 * All values that the iterator, fresh, comes by, with sep between them.
 * NGX_DECLINED, and an empty value, if there is none, or one with a control
 * character, or an element with sep in it, which would read as two, or values
 * of two claims, which differ in the case of their names.
 */

static ngx_int_t
ngx_http_govsvc_token_join(ngx_http_request_t *r, gs_str_t *claims,
    gs_token_claim_iter_t *it, u_char sep, ngx_str_t *value)
{
    size_t                  len;
    u_char                 *p;
    gs_str_t                name;
    ngx_uint_t              n;
    gs_token_claim_t        claim;
    gs_token_claim_iter_t   again;

    ngx_str_null(value);

    again = *it;
    name = gs_str_make(NULL, 0);
    len = 0;
    n = 0;

    while (gs_token_claim_each(it, claims, &claim) == GS_OK) {

        if ((claim.flags & GS_TOKEN_CLAIM_CTL)
            || (n != 0 && !gs_str_eq(&claim.name, &name))
            || ((claim.flags & GS_TOKEN_CLAIM_ARRAY)
                && gs_str_chr(&claim.value, 0, sep) != claim.value.len))
        {
            ngx_str_null(value);
            return NGX_DECLINED;
        }

        if (n++ == 0) {
            *value = ngx_govsvc_from_gs(&claim.value);
            name = claim.name;
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

    while (gs_token_claim_each(&again, claims, &claim) == GS_OK) {
        p = ngx_cpymem(p, claim.value.data, claim.value.len);
        *p++ = sep;
    }

    return NGX_OK;
}


/*
 * Nginx turns names of variables into lower case: a claim of exactly that
 * name is meant, else the only one that equals it case-blind, else, with "__"
 * for the steps of a path, what stands deeper.
 */

ngx_int_t
ngx_http_govsvc_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *full = (ngx_str_t *) data;

    u_char                        *p;
    size_t                         i;
    gs_str_t                       path;
    ngx_int_t                      rc;
    ngx_str_t                      value;
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_token_data_t  *td;

    v->not_found = 1;

    ngx_http_govsvc_token_ask(r);

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    td = ctx->token_data;

    if (td == NULL || ctx->auth_status != NGX_HTTP_GOVSVC_AUTH_OK) {
        return NGX_OK;
    }

    path = gs_str_make(full->data + sizeof("govsvc_claim_") - 1,
                       full->len - (sizeof("govsvc_claim_") - 1));

    rc = ngx_http_govsvc_claim_value(r, td, &path, &value);

    if (rc == NGX_DECLINED && memmem(path.data, path.len, "__", 2) != NULL) {

        p = ngx_pnalloc(r->pool, path.len + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        value.data = p;
        *p++ = '/';

        for (i = 0; i < path.len; i++) {

            if (path.data[i] == '_' && i + 1 < path.len
                && path.data[i + 1] == '_')
            {
                *p++ = '/';
                i++;

            } else {
                *p++ = path.data[i];
            }
        }

        path = gs_str_make(value.data, (size_t) (p - value.data));
        rc = ngx_http_govsvc_claim_value(r, td, &path, &value);
    }

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


static ngx_int_t
ngx_http_govsvc_claim_value(ngx_http_request_t *r,
    ngx_http_govsvc_token_data_t *td, gs_str_t *path, ngx_str_t *value)
{
    gs_token_claim_t       claim;
    gs_token_claim_iter_t  it;

    gs_token_claim_iter(&it, path);
    it.nocase = (gs_token_claim_find(&td->claims, path, &claim) != GS_OK);

    return ngx_http_govsvc_token_join(r, &td->claims, &it, ',', value);
}
