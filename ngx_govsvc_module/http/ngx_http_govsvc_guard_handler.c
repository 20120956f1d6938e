
/*
 * Copyright (C) govsvc authors
 *
 * Guard: asks the rules about one request.  A stage of PREACCESS; takes no
 * memory and never blocks.
 */


#include "http/ngx_http_govsvc_client.h"
#include "http/ngx_http_govsvc_guard.h"


typedef struct {
    ngx_list_part_t  *part;
    ngx_uint_t        i;
} ngx_http_govsvc_guard_cursor_t;


static gs_rc_t ngx_http_govsvc_guard_header(void *data,
    gs_guard_header_t *h);
static ngx_int_t ngx_http_govsvc_guard_act(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_guard_verdict_t *verdict,
    ngx_uint_t mode);
static ngx_int_t ngx_http_govsvc_guard_block(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_uint_t status);
static ngx_int_t ngx_http_govsvc_guard_fail(ngx_http_request_t *r,
    gs_guard_verdict_t *verdict, ngx_uint_t mode);


ngx_int_t
ngx_http_govsvc_guard_handler(ngx_http_request_t *r)
{
    gs_rc_t                             rc;
    gs_guard_input_t                    in;
    gs_guard_verdict_t                  verdict;
    ngx_http_govsvc_ctx_t              *ctx;
    ngx_http_govsvc_guard_cursor_t      cursor;
    ngx_http_govsvc_guard_loc_conf_t   *glcf;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    /* a request that Nginx refused comes to its page without stages */

    if (r->internal
        && (ngx_http_govsvc_context_handler(r) != NGX_DECLINED
            || ngx_http_govsvc_client_handler(r) != NGX_DECLINED))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_guard_module);

    if (glcf->mode == NGX_HTTP_GOVSVC_GUARD_OFF) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->guard_mode >= glcf->mode) {
        return NGX_DECLINED;
    }

    ctx->guard_mode = (unsigned) glcf->mode;

    if (ctx->guard_block) {
        return ngx_http_govsvc_guard_block(r, ctx, NGX_HTTP_FORBIDDEN);
    }

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);

    cursor.part = &r->headers_in.headers.part;
    cursor.i = 0;

    ngx_memzero(&in, sizeof(gs_guard_input_t));

    in.method = ngx_govsvc_to_gs(&r->method_name);
    in.uri = ngx_govsvc_to_gs(&r->unparsed_uri);
    in.path = ngx_govsvc_to_gs(&r->uri);
    in.args = ngx_govsvc_to_gs(&r->args);
    in.header = ngx_http_govsvc_guard_header;
    in.cursor = &cursor;

    rc = gs_guard_check(gmcf->guard, gmcf->scratch, &in, &verdict);

    if (rc == GS_DECLINED) {
        return NGX_DECLINED;
    }

    ctx->rule = verdict.rule;
    ctx->score = verdict.nhits;

    if (rc != GS_OK) {
        return ngx_http_govsvc_guard_fail(r, &verdict, glcf->mode);
    }

    return ngx_http_govsvc_guard_act(r, ctx, &verdict, glcf->mode);
}


static gs_rc_t
ngx_http_govsvc_guard_header(void *data, gs_guard_header_t *h)
{
    ngx_http_govsvc_guard_cursor_t *cursor = data;

    ngx_table_elt_t  *elt;

    while (cursor->i == cursor->part->nelts) {

        if (cursor->part->next == NULL) {
            return GS_DONE;
        }

        cursor->part = cursor->part->next;
        cursor->i = 0;
    }

    elt = cursor->part->elts;
    elt += cursor->i++;

    h->name = ngx_govsvc_to_gs(&elt->key);
    h->value = ngx_govsvc_to_gs(&elt->value);

    return GS_OK;
}


/* The log line names the rule; what the client sent stays out of it. */

static ngx_int_t
ngx_http_govsvc_guard_act(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    gs_guard_verdict_t *verdict, ngx_uint_t mode)
{
    if (verdict->undecided != 0) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "govsvc guard: match limit met, rule: %uD",
                      verdict->undecided);
    }

    if (verdict->action != GS_GUARD_BLOCK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "govsvc guard: hit, rule: %uD", verdict->rule);
        return NGX_DECLINED;
    }

    if (mode == NGX_HTTP_GOVSVC_GUARD_DETECT) {
        ctx->guard_block = 1;
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "govsvc guard: would block, rule: %uD", verdict->rule);
        return NGX_DECLINED;
    }

    return ngx_http_govsvc_guard_block(r, ctx, verdict->status);
}


static ngx_int_t
ngx_http_govsvc_guard_block(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_uint_t status)
{
    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "govsvc guard: blocked, rule: %ui", ctx->rule);

    if (status == NGX_HTTP_FORBIDDEN) {
        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_RULE_BLOCKED);
    }

    /* another status is to look like the answer of a server without us */

    ctx->reason = &ngx_http_govsvc_reasons[NGX_HTTP_GOVSVC_RULE_BLOCKED];

    return (ngx_int_t) status;
}


static ngx_int_t
ngx_http_govsvc_guard_fail(ngx_http_request_t *r, gs_guard_verdict_t *verdict,
    ngx_uint_t mode)
{
    ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                  "govsvc guard: pattern failed, rule: %uD",
                  verdict->undecided);

    if (mode == NGX_HTTP_GOVSVC_GUARD_DETECT) {
        return NGX_DECLINED;
    }

    return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_GUARD_UNAVAILABLE);
}
