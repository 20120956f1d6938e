
/*
 * Copyright (C) govsvc authors
 *
 * Guard: asks the rules about the answer, its head in the header filter and
 * the beginning of its body as it goes by.  The body is never changed.
 */


#include "http/ngx_http_govsvc_guard_priv.h"


#define NGX_HTTP_GOVSVC_GUARD_ANSWER  (16 * 1024)


static ngx_int_t ngx_http_govsvc_guard_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_uint_t ngx_http_govsvc_guard_collect(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_chain_t *in);
static ngx_uint_t ngx_http_govsvc_guard_is_text(ngx_http_request_t *r);


static ngx_http_output_body_filter_pt  ngx_http_next_body_filter;


void
ngx_http_govsvc_guard_filter_init(void)
{
    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_govsvc_guard_body_filter;
}


ngx_int_t
ngx_http_govsvc_guard_answer(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx)
{
    ngx_int_t                           rc;
    ngx_http_govsvc_guard_input_t       input;
    ngx_http_govsvc_guard_loc_conf_t   *glcf;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_guard_module);

    if (glcf->mode == NGX_HTTP_GOVSVC_GUARD_OFF || ctx->reason != NULL
        || ctx->guard_answered)
    {
        return NGX_OK;
    }

    ctx->guard_answered = 1;

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);

    if (gs_guard_acts(gmcf->guard, GS_GUARD_ANSWER_BODY, 1)
        && ngx_http_govsvc_guard_is_text(r))
    {
        ctx->guard_answer = ngx_create_temp_buf(r->pool,
                                                NGX_HTTP_GOVSVC_GUARD_ANSWER);
        if (ctx->guard_answer == NULL) {
            return NGX_ERROR;
        }
    }

    if (!gs_guard_acts(gmcf->guard, GS_GUARD_ANSWER, 1)) {
        return NGX_OK;
    }

    ngx_http_govsvc_guard_input(&input, r);
    ngx_http_govsvc_guard_input_answer(&input);

    rc = ngx_http_govsvc_guard_ask(&input, ctx, GS_GUARD_ANSWER);

    return (rc == NGX_DECLINED) ? NGX_OK : rc;
}


/* Compressed by the platform it cannot be read, nor is a picture text. */

static ngx_uint_t
ngx_http_govsvc_guard_is_text(ngx_http_request_t *r)
{
    ngx_str_t  *type;

    type = &r->headers_out.content_type;

    if (r->header_only || r->headers_out.content_encoding != NULL) {
        return 0;
    }

    return type->len == 0
           || ngx_strlcasestrn(type->data, type->data + type->len,
                               (u_char *) "text", 3)
              != NULL
           || ngx_strlcasestrn(type->data, type->data + type->len,
                               (u_char *) "json", 3)
              != NULL
           || ngx_strlcasestrn(type->data, type->data + type->len,
                               (u_char *) "xml", 2)
              != NULL;
}


static ngx_int_t
ngx_http_govsvc_guard_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                         *b;
    ngx_http_govsvc_ctx_t             *ctx;
    ngx_http_govsvc_guard_input_t      input;

    if (r != r->main || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ctx == NULL || ctx->guard_answer == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    if (ngx_http_govsvc_guard_collect(r, ctx, in)) {

        b = ctx->guard_answer;
        ctx->guard_answer = NULL;

        ngx_http_govsvc_guard_input(&input, r);
        input.in.answer_body = gs_str_make(b->pos, b->last - b->pos);

        /* it has begun: a rule can only note what goes out */

        ctx->guard_noting = 1;
        (void) ngx_http_govsvc_guard_ask(&input, ctx, GS_GUARD_ANSWER_BODY);
        ctx->guard_noting = 0;
    }

    return ngx_http_next_body_filter(r, in);
}


/* 1 when there is enough, or no more. */

static ngx_uint_t
ngx_http_govsvc_guard_collect(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_chain_t *in)
{
    size_t        n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ctx->guard_answer;

    for (cl = in; cl != NULL; cl = cl->next) {

        if (ngx_buf_in_memory(cl->buf)) {
            n = ngx_min(cl->buf->last - cl->buf->pos, b->end - b->last);
            b->last = ngx_cpymem(b->last, cl->buf->pos, n);
        }

        if (cl->buf->last_buf || b->last == b->end) {
            return 1;
        }
    }

    return 0;
}
