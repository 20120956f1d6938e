
/*
 * Copyright (C) govsvc authors
 *
 * The answer: the number of the request goes out with it, what belongs to the
 * inside of a platform does not.
 */


#include "http/ngx_http_govsvc_ctx.h"
#include "http/ngx_http_govsvc_guard_priv.h"


static ngx_int_t ngx_http_govsvc_header_filter(ngx_http_request_t *r);
static ngx_uint_t ngx_http_govsvc_headless(ngx_http_request_t *r);
static ngx_int_t ngx_http_govsvc_add_refusal(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_hide(ngx_http_request_t *r);
static ngx_uint_t ngx_http_govsvc_is_internal(ngx_table_elt_t *h);


static ngx_http_module_t  ngx_http_govsvc_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_filter_module_ctx,    /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_str_t  ngx_http_govsvc_request_id = ngx_string("X-Request-Id");
static ngx_str_t  ngx_http_govsvc_challenge = ngx_string("WWW-Authenticate");
static ngx_str_t  ngx_http_govsvc_retry_after = ngx_string("Retry-After");
static ngx_str_t  ngx_http_govsvc_cache_control = ngx_string("Cache-Control");
static ngx_str_t  ngx_http_govsvc_no_store = ngx_string("no-store");


/* names of the answer that tell of a platform's inside, or speak for us */

static const ngx_str_t  ngx_http_govsvc_internal[] = {
    ngx_string("x-govsvc-*"),
    ngx_string("x-request-id"),
    ngx_string("x-tif-*"),
    ngx_string("x-rio-*"),
    ngx_string("x-sal-*"),
    ngx_string("x-powered-by"),
    ngx_string("x-aspnet-version"),
    ngx_string("x-aspnetmvc-version"),
    ngx_string("x-application-context"),
    ngx_null_string
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


ngx_int_t
ngx_http_govsvc_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_govsvc_header_filter;

    ngx_http_govsvc_guard_filter_init();

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_header_filter(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_http_govsvc_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    if (r->upstream != NULL) {

        if (ngx_http_govsvc_headless(r)) {
            return NGX_HTTP_BAD_GATEWAY;
        }

        rc = ngx_http_govsvc_guard_answer(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }

        ngx_http_govsvc_supervision_answer(r, ctx);
        ngx_http_govsvc_hide(r);
    }

    if (ngx_http_govsvc_add_header(r, &ngx_http_govsvc_request_id,
                                   &ctx->request_id)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->limit_data != NULL
        && ngx_http_govsvc_limit_headers(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_govsvc_audit_headers(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->reason != NULL && ngx_http_govsvc_add_refusal(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


/*
 * Nginx takes what does not begin as HTTP for an answer of HTTP/0.9 and hands
 * it to the client as it is, status line and headers of its own making
 * included: a platform could write whole answers in our name.
 */

static ngx_uint_t
ngx_http_govsvc_headless(ngx_http_request_t *r)
{
    ngx_str_t  *protocol;

    protocol = &r->http_protocol;

    if (r->http_version != NGX_HTTP_VERSION_9
        || protocol->len != sizeof("HTTP/1.1") - 1)
    {
        return 0;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "govsvc: upstream answered without a header");

    r->http_version = (ngx_uint_t) (protocol->data[5] - '0') * 1000
                      + (ngx_uint_t) (protocol->data[7] - '0');

    return 1;
}


static ngx_int_t
ngx_http_govsvc_add_refusal(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    ngx_str_t  seconds;

    if (ngx_http_govsvc_add_header(r, &ngx_http_govsvc_cache_control,
                                   &ngx_http_govsvc_no_store)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->challenge.len != 0
        && ngx_http_govsvc_add_header(r, &ngx_http_govsvc_challenge,
                                      &ctx->challenge)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->retry_after == 0) {
        return NGX_OK;
    }

    seconds.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (seconds.data == NULL) {
        return NGX_ERROR;
    }

    seconds.len = ngx_sprintf(seconds.data, "%ui", ctx->retry_after)
                  - seconds.data;

    return ngx_http_govsvc_add_header(r, &ngx_http_govsvc_retry_after,
                                      &seconds);
}


static void
ngx_http_govsvc_hide(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len > 2 && (h[i].key.data[0] | 0x20) == 'x'
                && ngx_http_govsvc_is_internal(&h[i])
                && !ngx_http_govsvc_supervision_passes(r, &h[i].key))
            {
                h[i].hash = 0;
            }
        }
    }
}


static ngx_uint_t
ngx_http_govsvc_is_internal(ngx_table_elt_t *h)
{
    size_t            len;
    const ngx_str_t  *name;

    for (name = ngx_http_govsvc_internal; name->len != 0; name++) {
        len = name->len;

        if (name->data[len - 1] == '*') {
            len--;

            if (h->key.len < len) {
                continue;
            }

        } else if (h->key.len != len) {
            continue;
        }

        if (ngx_strncasecmp(h->key.data, name->data, len) == 0) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_govsvc_add_header(ngx_http_request_t *r, ngx_str_t *key,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key = *key;
    h->value = *value;

    return NGX_OK;
}
