
/*
 * Copyright (C) govsvc authors
 *
 * Assertions: who is calling, signed for one platform.  Equal callers share
 * one for half of its life, so that requests do not pay for signatures.
 */


#include "http/ngx_http_govsvc_identity.h"

#include "core/gs_json_out.h"


#define NGX_HTTP_GOVSVC_IDENTITY_SETS  256
#define NGX_HTTP_GOVSVC_IDENTITY_WAYS  4


static ngx_int_t ngx_http_govsvc_identity_claims(ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_identity_jws_t *jws, ngx_str_t *aud, gs_buf_t *b);
static ngx_int_t ngx_http_govsvc_identity_make(ngx_http_request_t *r,
    ngx_http_govsvc_identity_jws_t *jws, gs_buf_t *claims,
    ngx_http_govsvc_identity_entry_t *e);
static ngx_http_govsvc_identity_entry_t *ngx_http_govsvc_identity_find(
    ngx_http_govsvc_identity_jws_t *jws, uint64_t *key);


ngx_int_t
ngx_http_govsvc_identity_assert(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_identity_jws_t *jws,
    ngx_str_t *text)
{
    u_char                             claims[GS_TOKEN_SIGNER_PAYLOAD];
    gs_buf_t                           b;
    uint64_t                           key[2];
    ngx_str_t                          aud;
    ngx_http_govsvc_identity_entry_t  *e;

    if (ctx->auth_status != NGX_HTTP_GOVSVC_AUTH_OK
        || ctx->subject.len == 0)
    {
        return NGX_DECLINED;
    }

    aud = ctx->platform;

    if (jws->aud != NULL
        && ngx_http_complex_value(r, jws->aud, &aud) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* one that is for nobody would be for everybody */

    if (aud.len == 0) {
        return NGX_DECLINED;
    }

    gs_buf_init(&b, claims, sizeof(claims));

    if (ngx_http_govsvc_identity_claims(ctx, jws, &aud, &b) != NGX_OK) {
        return NGX_DECLINED;
    }

    gs_siphash128(&jws->hash, b.start, gs_buf_len(&b), key);

    e = ngx_http_govsvc_identity_find(jws, key);
    if (e == NULL) {
        return NGX_ERROR;
    }

    if (e->key[0] != key[0] || e->key[1] != key[1]
        || e->expires - ngx_time() < jws->ttl / 2)
    {
        e->expires = 0;

        if (ngx_http_govsvc_identity_make(r, jws, &b, e) != NGX_OK) {
            return NGX_ERROR;
        }

        e->key[0] = key[0];
        e->key[1] = key[1];
        e->expires = ngx_time() + jws->ttl;
    }

    text->data = e->text;
    text->len = e->len;

    return NGX_OK;
}


/* What does not change with time; also the key of the cache. */

static ngx_int_t
ngx_http_govsvc_identity_claims(ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_identity_jws_t *jws, ngx_str_t *aud, gs_buf_t *b)
{
    gs_str_t  s;

    gs_buf_char(b, '{');

    s = ngx_govsvc_to_gs(&jws->iss);
    (void) gs_json_kv_str(b, "iss", &s);
    s = ngx_govsvc_to_gs(aud);
    (void) gs_json_kv_str(b, "aud", &s);
    s = ngx_govsvc_to_gs(&ctx->subject);
    (void) gs_json_kv_str(b, "sub", &s);

    if (ctx->issuer.len != 0) {
        s = ngx_govsvc_to_gs(&ctx->issuer);
        (void) gs_json_kv_str(b, "idp", &s);
    }

    if (ctx->app.len != 0) {
        s = ngx_govsvc_to_gs(&ctx->app);
        (void) gs_json_kv_str(b, "client_id", &s);
    }

    gs_json_kv_u64(b, "level", ctx->level);

    return b->overflow ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_identity_make(ngx_http_request_t *r,
    ngx_http_govsvc_identity_jws_t *jws, gs_buf_t *claims,
    ngx_http_govsvc_identity_entry_t *e)
{
    gs_buf_t   b;
    gs_str_t   payload;
    uint64_t   jti[2];

    if (ngx_govsvc_random(jti, sizeof(jti), r->connection->log) != NGX_OK) {
        return NGX_ERROR;
    }

    gs_json_kv_u64(claims, "iat", (uint64_t) ngx_time());
    gs_json_kv_u64(claims, "exp", (uint64_t) (ngx_time() + jws->ttl));
    gs_json_key(claims, "jti");
    gs_buf_char(claims, '"');
    gs_buf_hex(claims, jti, sizeof(jti));
    gs_buf_text(claims, "\"}");

    payload = gs_buf_view(claims);
    gs_buf_init(&b, e->text, sizeof(e->text));

    if (claims->overflow
        || gs_token_signer_sign(jws->signer, &payload, &b) != GS_OK)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "govsvc identity: an assertion could not be signed");
        return NGX_ERROR;
    }

    e->len = gs_buf_len(&b);

    return NGX_OK;
}


/* The entry with the key, else the one of its set that ends first. */

static ngx_http_govsvc_identity_entry_t *
ngx_http_govsvc_identity_find(ngx_http_govsvc_identity_jws_t *jws,
    uint64_t *key)
{
    size_t                             size;
    ngx_uint_t                         i;
    ngx_http_govsvc_identity_entry_t  *e, *victim;

    if (jws->entries == NULL) {
        size = NGX_HTTP_GOVSVC_IDENTITY_SETS * NGX_HTTP_GOVSVC_IDENTITY_WAYS
               * sizeof(ngx_http_govsvc_identity_entry_t);

        jws->entries = ngx_pcalloc(ngx_cycle->pool, size);
        if (jws->entries == NULL) {
            return NULL;
        }
    }

    e = jws->entries
        + key[0] % NGX_HTTP_GOVSVC_IDENTITY_SETS
          * NGX_HTTP_GOVSVC_IDENTITY_WAYS;
    victim = e;

    for (i = 0; i < NGX_HTTP_GOVSVC_IDENTITY_WAYS; i++) {

        if (e[i].key[0] == key[0] && e[i].key[1] == key[1]) {
            return &e[i];
        }

        if (e[i].expires < victim->expires) {
            victim = &e[i];
        }
    }

    return victim;
}


ngx_int_t
ngx_http_govsvc_identity_jwks_handler(ngx_http_request_t *r)
{
    ngx_int_t                              rc;
    ngx_str_t                              type;
    ngx_http_complex_value_t               cv;
    ngx_http_govsvc_identity_main_conf_t  *imcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    imcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_identity_module);

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));
    cv.value = imcf->jwks;

    ngx_str_set(&type, "application/jwk-set+json");

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}
