
/*
 * Copyright (C) govsvc authors
 *
 * Applications on the way of a request: the signature is verified in
 * PREACCESS, behind the token.  A request without one costs a look at the
 * names of its headers.
 */


#include "http/ngx_http_govsvc_apps.h"


typedef struct {
    ngx_http_govsvc_reason_e  reason;
    ngx_uint_t                level;       /* of the log */
} ngx_http_govsvc_app_answer_t;


static ngx_uint_t ngx_http_govsvc_app_signed(ngx_http_request_t *r);
static ngx_uint_t ngx_http_govsvc_app_presigned(ngx_http_request_t *r,
    ngx_http_govsvc_apps_conf_t *alcf);
static ngx_int_t ngx_http_govsvc_app_again(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_apps_conf_t *alcf);
static ngx_int_t ngx_http_govsvc_app_verify(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_apps_conf_t *alcf,
    ngx_http_govsvc_app_data_t *data, gs_sign_reason_e *result);
static void ngx_http_govsvc_app_authority(ngx_http_request_t *r,
    gs_str_t *authority);
static gs_sign_reason_e ngx_http_govsvc_app_request(ngx_http_request_t *r,
    ngx_http_govsvc_app_data_t *data, gs_sign_request_t *req);
static gs_sign_reason_e ngx_http_govsvc_app_check(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, const gs_app_t *app);
static gs_sign_reason_e ngx_http_govsvc_app_route(
    ngx_http_govsvc_ctx_t *ctx, const gs_app_t *app);
static ngx_int_t ngx_http_govsvc_app_nonce(ngx_http_request_t *r,
    ngx_http_govsvc_app_data_t *data, const gs_sign_request_t *req,
    const gs_sign_cred_t *cred, gs_sign_reason_e *reason);
static gs_sign_reason_e ngx_http_govsvc_app_answered(
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_app_data_t *data);
static gs_sign_reason_e ngx_http_govsvc_app_subject(ngx_http_request_t *r,
    ngx_http_govsvc_app_data_t *data, const gs_sign_cred_t *cred);
static void ngx_http_govsvc_app_accept(ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_app_data_t *data);
static void ngx_http_govsvc_app_log(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_uint_t level, gs_sign_reason_e reason);


static ngx_str_t  ngx_http_govsvc_app_realm =
    ngx_string("GOV-HMAC-SHA256 realm=\"govsvc\"");


/* What is wrong with a signature is nobody's business but the log's. */

static const ngx_http_govsvc_app_answer_t
    ngx_http_govsvc_app_answers[GS_SIGN_REASONS] = {
    { NGX_HTTP_GOVSVC_INTERNAL, NGX_LOG_ALERT },            /* ok */
    { NGX_HTTP_GOVSVC_AUTH_REQUIRED, NGX_LOG_INFO },        /* absent */
    { NGX_HTTP_GOVSVC_APP_MALFORMED, NGX_LOG_INFO },        /* malformed */
    { NGX_HTTP_GOVSVC_APP_MALFORMED, NGX_LOG_INFO },        /* two */
    { NGX_HTTP_GOVSVC_APP_MALFORMED, NGX_LOG_INFO },        /* too long */
    { NGX_HTTP_GOVSVC_APP_MALFORMED, NGX_LOG_INFO },        /* bad time */
    { NGX_HTTP_GOVSVC_APP_MALFORMED, NGX_LOG_INFO },        /* bad nonce */
    { NGX_HTTP_GOVSVC_APP_INVALID, NGX_LOG_INFO },          /* bad alg */
    { NGX_HTTP_GOVSVC_APP_INVALID, NGX_LOG_INFO },          /* body */
    { NGX_HTTP_GOVSVC_APP_MALFORMED, NGX_LOG_INFO },        /* streaming */
    { NGX_HTTP_GOVSVC_APP_INVALID, NGX_LOG_INFO },          /* presigned */
    { NGX_HTTP_GOVSVC_APP_INVALID, NGX_LOG_INFO },          /* tag */
    { NGX_HTTP_GOVSVC_APP_INVALID, NGX_LOG_INFO },          /* not covered */
    { NGX_HTTP_GOVSVC_APP_INVALID, NGX_LOG_INFO },          /* unknown */
    { NGX_HTTP_GOVSVC_APP_INVALID, NGX_LOG_INFO },          /* signature */
    { NGX_HTTP_GOVSVC_CLOCK_SKEW, NGX_LOG_INFO },           /* skew */
    { NGX_HTTP_GOVSVC_APP_EXPIRED, NGX_LOG_INFO },          /* expired */
    { NGX_HTTP_GOVSVC_APP_FORBIDDEN, NGX_LOG_WARN },        /* network */
    { NGX_HTTP_GOVSVC_APP_FORBIDDEN, NGX_LOG_INFO },        /* route */
    { NGX_HTTP_GOVSVC_APP_FORBIDDEN, NGX_LOG_WARN },        /* identity */
    { NGX_HTTP_GOVSVC_REPLAY, NGX_LOG_WARN },               /* replay */
    { NGX_HTTP_GOVSVC_APP_DIGEST, NGX_LOG_WARN },           /* digest */
    { NGX_HTTP_GOVSVC_APP_BODY, NGX_LOG_INFO },             /* body size */
    { NGX_HTTP_GOVSVC_AUTH_UNAVAILABLE, NGX_LOG_CRIT },     /* store full */
    { NGX_HTTP_GOVSVC_AUTH_UNAVAILABLE, NGX_LOG_ERR },      /* store gone */
    { NGX_HTTP_GOVSVC_AUTH_UNAVAILABLE, NGX_LOG_WARN },     /* store lost */
    { NGX_HTTP_GOVSVC_AUTH_UNAVAILABLE, NGX_LOG_ERR }       /* memory */
};


ngx_int_t
ngx_http_govsvc_app_verify_handler(ngx_http_request_t *r)
{
    gs_sign_reason_e                   reason;
    ngx_http_govsvc_ctx_t             *ctx;
    ngx_http_govsvc_app_data_t        *data;
    ngx_http_govsvc_apps_conf_t       *alcf;
    ngx_http_govsvc_apps_main_conf_t  *amcf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_apps_module);

    if (amcf->apps == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_apps_module);
    data = ctx->app_data;

    if (data != NULL && data->app != NULL) {
        return ngx_http_govsvc_app_again(r, ctx, alcf);
    }

    if (alcf->mode == NGX_HTTP_GOVSVC_APP_OFF) {
        return NGX_DECLINED;
    }

    reason = GS_SIGN_ABSENT;

    if (data != NULL && data->nonce != NULL) {

        if (data->nonce->call != NULL) {
            return NGX_AGAIN;
        }

        reason = ngx_http_govsvc_app_answered(ctx, data);

    } else if (ngx_http_govsvc_app_signed(r)
               || ngx_http_govsvc_app_presigned(r, alcf))
    {
        data = ngx_http_govsvc_app_data(r, ctx);

        if (data == NULL) {
            reason = GS_SIGN_NO_MEMORY;

        } else if (ngx_http_govsvc_app_verify(r, ctx, alcf, data, &reason)
                   == NGX_AGAIN)
        {
            return NGX_AGAIN;
        }
    }

    if (reason == GS_SIGN_OK) {
        ngx_http_govsvc_app_accept(ctx, data);
        return NGX_DECLINED;
    }

    if (reason == GS_SIGN_ABSENT
        && alcf->mode == NGX_HTTP_GOVSVC_APP_OPTIONAL)
    {
        return NGX_DECLINED;
    }

    return ngx_http_govsvc_app_refuse(r, ctx, reason);
}


ngx_uint_t
ngx_http_govsvc_app_stands(ngx_http_request_t *r)
{
    ngx_http_govsvc_apps_conf_t       *alcf;
    ngx_http_govsvc_apps_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_apps_module);
    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_apps_module);

    return amcf->apps != NULL && alcf->mode != NGX_HTTP_GOVSVC_APP_OFF
           && (ngx_http_govsvc_app_signed(r)
               || ngx_http_govsvc_app_presigned(r, alcf));
}


/* Names are in lower case already; few begin with these four letters. */

static ngx_uint_t
ngx_http_govsvc_app_signed(ngx_http_request_t *r)
{
    u_char            c;
    gs_str_t          name;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            c = h[i].lowcase_key[0];

            if (c != 'x' && c != 'a' && c != 's' && c != 'g') {
                continue;
            }

            name = gs_str_make(h[i].lowcase_key, h[i].key.len);

            if (!gs_sign_is_header(&name)) {
                continue;
            }

            if (c != 'a' || h[i].value.len == 0
                || (h[i].value.data[0] | 0x20) == 'a'
                || (h[i].value.data[0] | 0x20) == 'g')
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_govsvc_app_presigned(ngx_http_request_t *r,
    ngx_http_govsvc_apps_conf_t *alcf)
{
    gs_str_t                           query;
    ngx_http_govsvc_apps_main_conf_t  *amcf;

    if (r->args.len == 0) {
        return 0;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_apps_module);

    if (!(gs_apps_schemes(amcf->apps) & alcf->schemes
          & 1u << GS_SIGN_SIGV4))
    {
        return 0;
    }

    query = ngx_govsvc_to_gs(&r->args);

    return gs_sign_in_query(&query) ? 1 : 0;
}


/*
 * After an internal redirect: the signature stays good, and its nonce has been
 * taken, but the new place may not admit the application.
 */

static ngx_int_t
ngx_http_govsvc_app_again(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_apps_conf_t *alcf)
{
    gs_sign_reason_e             reason;
    ngx_http_govsvc_app_data_t  *data;

    data = ctx->app_data;

    if (alcf->mode == NGX_HTTP_GOVSVC_APP_OFF) {
        ngx_http_govsvc_app_forget(ctx);
        return NGX_DECLINED;
    }

    if (!(alcf->schemes & (ngx_uint_t) 1 << data->app->scheme)) {
        ngx_http_govsvc_app_forget(ctx);

        return alcf->mode == NGX_HTTP_GOVSVC_APP_OPTIONAL
                   ? NGX_DECLINED
                   : ngx_http_govsvc_app_refuse(r, ctx, GS_SIGN_ABSENT);
    }

    if (ctx->token_data != NULL && !alcf->with_token) {
        return ngx_http_govsvc_app_refuse(r, ctx, GS_SIGN_TWO);
    }

    reason = ngx_http_govsvc_app_check(r, ctx, data->app);

    if (reason != GS_SIGN_OK) {
        return ngx_http_govsvc_app_refuse(r, ctx, reason);
    }

    ngx_http_govsvc_app_accept(ctx, data);

    return NGX_DECLINED;
}


/* NGX_AGAIN: other nodes are asked for the nonce; else *result is set. */

static ngx_int_t
ngx_http_govsvc_app_verify(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_apps_conf_t *alcf, ngx_http_govsvc_app_data_t *data,
    gs_sign_reason_e *result)
{
    ngx_int_t                          rc;
    const gs_app_t                    *app;
    gs_sign_cred_t                     cred;
    gs_sign_reason_e                   reason;
    gs_sign_request_t                  req;
    ngx_http_govsvc_apps_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_apps_module);

    reason = ngx_http_govsvc_app_request(r, data, &req);

    if (reason != GS_SIGN_OK) {
        *result = reason;
        return NGX_OK;
    }

    cred.scheme = GS_SIGN_SCHEMES;
    reason = gs_sign_find(&req, (unsigned) alcf->schemes, &cred);

    ctx->errcode = (cred.scheme == GS_SIGN_TIF);

    if (reason == GS_SIGN_OK && ctx->token_data != NULL && !alcf->with_token)
    {
        reason = GS_SIGN_TWO;
    }

    if (reason != GS_SIGN_OK) {
        *result = reason;
        return NGX_OK;
    }

    reason = gs_apps_check(amcf->apps, amcf->crypto, &req, &cred,
                           (int64_t) ngx_time(), &app);

    if (reason == GS_SIGN_OK) {
        reason = ngx_http_govsvc_app_check(r, ctx, app);
    }

    if (reason == GS_SIGN_OK && r->headers_in.content_length_n > 0
        && (uint64_t) r->headers_in.content_length_n > alcf->body
        && cred.digest.alg != GS_SIGN_DIGEST_NONE)
    {
        reason = GS_SIGN_BODY_TOO_LARGE;
    }

    data->limit = alcf->body;

    if (reason == GS_SIGN_OK) {
        reason = ngx_http_govsvc_app_expect(r, data, &cred.digest);
    }

    if (reason == GS_SIGN_OK) {
        reason = ngx_http_govsvc_app_subject(r, data, &cred);
    }

    /* last: only a request that would pass uses its nonce up */

    rc = NGX_OK;

    if (reason == GS_SIGN_OK) {
        data->pending = app;
        rc = ngx_http_govsvc_app_nonce(r, data, &req, &cred, &reason);
    }

    if (rc == NGX_OK && reason == GS_SIGN_OK) {
        data->app = app;
    }

    *result = reason;

    return rc;
}


/*
 * RFC 9112 section 3.2.2: an address in absolute form chooses the server, the
 * Host header beside it means nothing.
 */

static void
ngx_http_govsvc_app_authority(ngx_http_request_t *r, gs_str_t *authority)
{
    u_char  *p, *last;

    if (r->host_start == NULL || r->host_end == NULL) {

        if (r->headers_in.host != NULL) {
            *authority = ngx_govsvc_to_gs(&r->headers_in.host->value);

        } else {
            *authority = gs_str_make(NULL, 0);
        }

        return;
    }

    p = r->host_end;
    last = r->request_line.data + r->request_line.len;

    if (p < last && *p == ':') {
        do {
            p++;
        } while (p < last && gs_is_digit(*p));
    }

    *authority = gs_str_make(r->host_start, (size_t) (p - r->host_start));
}


static gs_sign_reason_e
ngx_http_govsvc_app_request(ngx_http_request_t *r,
    ngx_http_govsvc_app_data_t *data, gs_sign_request_t *req)
{
    gs_str_t           authority;
    ngx_uint_t         i, n;
    ngx_list_part_t   *part;
    ngx_table_elt_t   *h;
    gs_sign_header_t  *headers;

    ngx_http_govsvc_app_authority(r, &authority);

    n = 3;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        n += part->nelts;
    }

    headers = ngx_palloc(r->pool, n * sizeof(gs_sign_header_t));
    if (headers == NULL) {
        return GS_SIGN_NO_MEMORY;
    }

    n = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            headers[n].name = ngx_govsvc_to_gs(&h[i].key);
            headers[n].value = (&h[i] == r->headers_in.host)
                                   ? authority
                                   : ngx_govsvc_to_gs(&h[i].value);
            n++;
        }
    }

    for (i = 0; i < 3; i++) {
        if (data->names[i].len != 0) {
            headers[n].name = ngx_govsvc_to_gs(&data->names[i]);
            headers[n].value = ngx_govsvc_to_gs(&data->identity[i]);
            n++;
        }
    }

    ngx_memzero(req, sizeof(gs_sign_request_t));

    req->method = ngx_govsvc_to_gs(&r->method_name);
    req->target = ngx_govsvc_to_gs(&r->unparsed_uri);
    req->headers = headers;
    req->n = n;
    req->host = authority;
    req->body = (r->headers_in.content_length_n > 0 || r->headers_in.chunked);

#if (NGX_HTTP_SSL)
    req->tls = (r->connection->ssl != NULL);
#endif

    return GS_SIGN_OK;
}


static gs_sign_reason_e
ngx_http_govsvc_app_check(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    const gs_app_t *app)
{
    gs_net_t          from;
    gs_sign_reason_e  reason;

    (void) gs_net_sockaddr(&from, r->connection->sockaddr,
                           r->connection->socklen);

    reason = gs_app_from(app, &from);

    /* a route that is not known yet is looked at when it is final */

    return (reason == GS_SIGN_OK && ctx->route.len != 0)
               ? ngx_http_govsvc_app_route(ctx, app) : reason;
}


static gs_sign_reason_e
ngx_http_govsvc_app_route(ngx_http_govsvc_ctx_t *ctx, const gs_app_t *app)
{
    gs_str_t  route, platform;

    route = ngx_govsvc_to_gs(&ctx->route);
    platform = ngx_govsvc_to_gs(&ctx->platform);

    return gs_app_to(app, &route, &platform);
}


ngx_int_t
ngx_http_govsvc_app_commit(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    gs_sign_reason_e              reason;
    ngx_http_govsvc_app_data_t   *data;
    ngx_http_govsvc_apps_conf_t  *alcf;

    data = ctx->app_data;

    if (data == NULL || data->app == NULL) {
        return NGX_OK;
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_apps_module);

    if (alcf->mode == NGX_HTTP_GOVSVC_APP_OFF) {
        return NGX_OK;
    }

    reason = ngx_http_govsvc_app_route(ctx, data->app);

    return reason == GS_SIGN_OK ? NGX_OK
                                : ngx_http_govsvc_app_refuse(r, ctx, reason);
}


static ngx_int_t
ngx_http_govsvc_app_nonce(ngx_http_request_t *r,
    ngx_http_govsvc_app_data_t *data, const gs_sign_request_t *req,
    const gs_sign_cred_t *cred, gs_sign_reason_e *reason)
{
    ngx_http_govsvc_nonce_t             n;
    ngx_http_govsvc_nonce_zone_t      **zones;
    ngx_http_govsvc_apps_main_conf_t   *amcf;

    n.now = (int64_t) ngx_time();

    if (gs_app_nonce(data->pending, req, cred, n.now, &n.nonce, &n.until)
        != GS_OK)
    {
        return NGX_OK;
    }

    n.app = data->pending->id;
    n.time = cred->time;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_apps_module);
    zones = amcf->zones.elts;

    return ngx_http_govsvc_nonce_take(r, zones[0], &n, &data->nonce, reason);
}


static gs_sign_reason_e
ngx_http_govsvc_app_answered(ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_app_data_t *data)
{
    if (data->nonce->reason == GS_SIGN_OK) {
        data->app = data->pending;

    } else {
        ctx->retry_after = data->nonce->retry_after;
    }

    return data->nonce->reason;
}


/* Control bytes would go on to logs and headers of platforms. */

static gs_sign_reason_e
ngx_http_govsvc_app_subject(ngx_http_request_t *r,
    ngx_http_govsvc_app_data_t *data, const gs_sign_cred_t *cred)
{
    size_t  i;

    if (!cred->identity) {
        return GS_SIGN_OK;
    }

    for (i = 0; i < cred->subject.len; i++) {
        if (cred->subject.data[i] < 0x20 || cred->subject.data[i] == 0x7f) {
            return GS_SIGN_MALFORMED;
        }
    }

    data->subject = ngx_govsvc_from_gs(&cred->subject);

    return GS_SIGN_OK;
}


/* With a token, the subject and its level are the token's. */

static void
ngx_http_govsvc_app_accept(ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_app_data_t *data)
{
    ctx->app = ngx_govsvc_from_gs(&data->app->id);

    if (ctx->token_data != NULL) {
        return;
    }

    ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_OK;
    ctx->level = data->app->level;
    ctx->subject = data->subject;
}


void
ngx_http_govsvc_app_forget(ngx_http_govsvc_ctx_t *ctx)
{
    if (ctx->token_data != NULL) {
        return;
    }

    if (ctx->auth_status == NGX_HTTP_GOVSVC_AUTH_OK) {
        ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_NONE;
    }

    ctx->level = 0;

    ngx_str_null(&ctx->app);
    ngx_str_null(&ctx->subject);
}


ngx_http_govsvc_app_data_t *
ngx_http_govsvc_app_data(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    if (ctx->app_data == NULL) {
        ctx->app_data = ngx_pcalloc(r->pool,
                                    sizeof(ngx_http_govsvc_app_data_t));
    }

    return ctx->app_data;
}


/*
 * Called before identity headers are stripped: those of a gateway that signs
 * them are part of its signature.
 */

ngx_int_t
ngx_http_govsvc_app_identity(ngx_http_request_t *r)
{
    ngx_str_t                         *key;
    ngx_uint_t                         i, n;
    ngx_list_part_t                   *part;
    ngx_table_elt_t                   *h;
    ngx_http_govsvc_ctx_t             *ctx;
    ngx_http_govsvc_app_data_t        *data;
    ngx_http_govsvc_apps_main_conf_t  *amcf;
    static const char *const           names[] = { "uid", "uinfo", "ext" };

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_apps_module);

    if (amcf->apps == NULL || r != r->main
        || !(gs_apps_schemes(amcf->apps) & 1u << GS_SIGN_TIF)
        || !ngx_http_govsvc_app_signed(r))
    {
        return NGX_OK;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    data = ngx_http_govsvc_app_data(r, ctx);
    if (data == NULL) {
        return NGX_ERROR;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            key = &h[i].key;

            for (n = 0; n < 3; n++) {
                if (key->len == 6 + ngx_strlen(names[n])
                    && (ngx_strncmp(h[i].lowcase_key, "x-tif-", 6) == 0
                        || ngx_strncmp(h[i].lowcase_key, "x-rio-", 6) == 0
                        || ngx_strncmp(h[i].lowcase_key, "x-sal-", 6) == 0)
                    && ngx_strncmp(h[i].lowcase_key + 6, names[n],
                                   key->len - 6)
                       == 0)
                {
                    break;
                }
            }

            if (n == 3) {
                continue;
            }

            /* a second one makes no signature: its name says so */

            if (data->names[n].len != 0) {
                ngx_str_set(&data->names[0], "x-tif-paasid");
                ngx_str_null(&data->identity[0]);
                return NGX_OK;
            }

            data->names[n] = *key;
            data->identity[n] = h[i].value;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_app_absent(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    return ngx_http_govsvc_app_refuse(r, ctx, GS_SIGN_ABSENT);
}


ngx_int_t
ngx_http_govsvc_app_refuse(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    gs_sign_reason_e reason)
{
    const ngx_http_govsvc_app_answer_t  *answer;

    answer = &ngx_http_govsvc_app_answers[reason];

    if (reason != GS_SIGN_ABSENT) {
        ctx->auth_status = NGX_HTTP_GOVSVC_AUTH_BAD;
        ngx_http_govsvc_app_log(r, ctx, answer->level, reason);
    }

    if (ngx_http_govsvc_reasons[answer->reason].status
        == NGX_HTTP_UNAUTHORIZED)
    {
        ctx->challenge = ngx_http_govsvc_app_realm;
    }

    if (answer->reason == NGX_HTTP_GOVSVC_AUTH_UNAVAILABLE
        && ctx->retry_after == 0)
    {
        ctx->retry_after = 1;
    }

    return ngx_http_govsvc_refuse(r, answer->reason);
}


/* Without the context that Nginx would add: secrets may be in the query. */

static void
ngx_http_govsvc_app_log(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_uint_t level, gs_sign_reason_e reason)
{
    ngx_log_t  log;

    log = *r->connection->log;
    log.handler = NULL;

    ngx_log_error(level, &log, 0,
                  "govsvc app: refused, reason: %s, client: %V, request: %V",
                  gs_sign_reason_name(reason), &r->connection->addr_text,
                  &ctx->request_id);
}
