
/*
 * Copyright (C) govsvc authors
 *
 * The request context: made once, found again after internal redirects, and
 * with it the identifiers by which a request is known everywhere.
 */


#include "http/ngx_http_govsvc_ctx.h"
#include "core/gs_hex.h"
#include "core/gs_siphash.h"


#define NGX_HTTP_GOVSVC_SEEN_TRACE    1
#define NGX_HTTP_GOVSVC_SEEN_REQUEST  2


static void ngx_http_govsvc_ctx_cleanup(void *data);
static void ngx_http_govsvc_make_ids(ngx_http_govsvc_ctx_t *ctx);
static ngx_int_t ngx_http_govsvc_set_trace(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);
static ngx_uint_t ngx_http_govsvc_replace_ids(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_str_t *parent);
static ngx_int_t ngx_http_govsvc_push_field(ngx_http_request_t *r,
    const char *key, const char *lowcase_key, ngx_str_t *value);


/* of this worker: identifiers are a keyed hash of a counter, so unique,
 * not to be guessed, and made without a system call */

static gs_siphash_key_t  ngx_http_govsvc_id_key;
static uint64_t          ngx_http_govsvc_id_count;


ngx_int_t
ngx_http_govsvc_ctx_init_process(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_id_count = 0;

    return ngx_govsvc_random(&ngx_http_govsvc_id_key,
                             sizeof(gs_siphash_key_t), cycle->log);
}


ngx_http_govsvc_ctx_t *
ngx_http_govsvc_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t     *cln;
    ngx_http_govsvc_ctx_t  *ctx;

    r = r->main;

    ctx = ngx_http_get_module_ctx(r, ngx_http_govsvc_module);
    if (ctx != NULL) {
        return ctx;
    }

    ctx = ngx_http_govsvc_find_ctx(r);

    if (ctx == NULL) {
        cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_govsvc_ctx_t));
        if (cln == NULL) {
            return NULL;
        }

        ctx = cln->data;
        ngx_memzero(ctx, sizeof(ngx_http_govsvc_ctx_t));

        cln->handler = ngx_http_govsvc_ctx_cleanup;

        r->log_handler = ngx_http_govsvc_log_handler;

        ctx->request = r;
        ctx->start = ngx_govsvc_wall_us();
        ngx_http_govsvc_make_ids(ctx);
    }

    ngx_http_set_ctx(r, ctx, ngx_http_govsvc_module);

    return ctx;
}


ngx_http_govsvc_ctx_t *
ngx_http_govsvc_find_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_govsvc_ctx_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


static void
ngx_http_govsvc_ctx_cleanup(void *data)
{
    /* the address of this function is what find_ctx() looks for */
}


/*
 * The trace begins here, so it may bear the number of the request: whoever has
 * one of them finds both.  W3C Trace Context forbids identifiers of zeros.
 */

static void
ngx_http_govsvc_make_ids(ngx_http_govsvc_ctx_t *ctx)
{
    uint64_t  seed[2], id[3];

    seed[0] = ngx_http_govsvc_id_count++;
    seed[1] = ctx->start;

    gs_siphash128(&ngx_http_govsvc_id_key, seed, sizeof(seed), id);

    id[0] |= 1;
    id[2] = gs_siphash(&ngx_http_govsvc_id_key, seed, sizeof(seed)) | 1;

    gs_hex_encode(ctx->ids, id, sizeof(id));

    ctx->request_id.data = ctx->ids;
    ctx->request_id.len = 32;
    ctx->trace_id = ctx->request_id;
    ctx->span_id.data = ctx->ids + 32;
    ctx->span_id.len = 16;
}


ngx_uint_t
ngx_http_govsvc_skip(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t  *ctx;

    if (r != r->main) {
        return 1;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_govsvc_module);

    if (ctx == NULL && r->internal) {
        ctx = ngx_http_govsvc_find_ctx(r);
    }

    return ctx != NULL && ctx->reason != NULL;
}


/*
 * The identifiers go to the platform as well; what the client sent under these
 * names is replaced, since the public edge trusts no foreign trace.
 */

ngx_int_t
ngx_http_govsvc_context_handler(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t  *ctx;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ctx == NULL || ngx_http_govsvc_set_trace(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_govsvc_set_trace(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    u_char      *p;
    ngx_str_t    parent;
    ngx_uint_t   seen;

    parent.data = ctx->traceparent;
    parent.len = NGX_HTTP_GOVSVC_TRACEPARENT;

    p = ngx_cpymem(ctx->traceparent, "00-", 3);
    p = ngx_cpymem(p, ctx->trace_id.data, 32);
    *p++ = '-';
    p = ngx_cpymem(p, ctx->span_id.data, 16);
    ngx_memcpy(p, "-01", 3);

    seen = ngx_http_govsvc_replace_ids(r, ctx, &parent);

    if (!(seen & NGX_HTTP_GOVSVC_SEEN_TRACE)
        && ngx_http_govsvc_push_field(r, "Traceparent", "traceparent",
                                      &parent)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!(seen & NGX_HTTP_GOVSVC_SEEN_REQUEST)
        && ngx_http_govsvc_push_field(r, "X-Request-Id", "x-request-id",
                                      &ctx->request_id)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_govsvc_replace_ids(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_str_t *parent)
{
    ngx_uint_t        i, seen;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    seen = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            switch (h[i].key.len) {

            case sizeof("tracestate") - 1:
                if (ngx_memcmp(h[i].lowcase_key, "tracestate", 10) == 0) {
                    ngx_str_null(&h[i].value);
                }
                break;

            case sizeof("traceparent") - 1:
                if (ngx_memcmp(h[i].lowcase_key, "traceparent", 11) == 0) {
                    h[i].value = *parent;
                    seen |= NGX_HTTP_GOVSVC_SEEN_TRACE;
                }
                break;

            case sizeof("x-request-id") - 1:
                if (ngx_memcmp(h[i].lowcase_key, "x-request-id", 12) == 0) {
                    h[i].value = ctx->request_id;
                    seen |= NGX_HTTP_GOVSVC_SEEN_REQUEST;
                }
                break;
            }
        }
    }

    return seen;
}


static ngx_int_t
ngx_http_govsvc_push_field(ngx_http_request_t *r, const char *key,
    const char *lowcase_key, ngx_str_t *value)
{
    ngx_list_t       *headers;
    ngx_table_elt_t  *h;

    headers = &r->headers_in.headers;

    /* HTTP/0.9 has no headers: Nginx leaves it without a list of them */

    if (headers->last == NULL
        && ngx_list_init(headers, r->pool, 4, sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    h = ngx_list_push(headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.data = (u_char *) key;
    h->key.len = ngx_strlen(key);
    h->lowcase_key = (u_char *) lowcase_key;
    h->hash = ngx_hash_key(h->lowcase_key, h->key.len);
    h->value = *value;

    return NGX_OK;
}
