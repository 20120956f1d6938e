
/*
 * Copyright (C) govsvc authors
 *
 * Guard: asks the rules about one request, first about its head in
 * PREACCESS.  Takes no memory while no rule hits, and never blocks.
 */


#include "http/ngx_http_govsvc_client.h"
#include "http/ngx_http_govsvc_guard_priv.h"

#include <time.h>


static uint64_t ngx_http_govsvc_guard_clock(void *data);
static ngx_int_t ngx_http_govsvc_guard_judge(
    ngx_http_govsvc_guard_input_t *input, ngx_http_govsvc_ctx_t *ctx,
    gs_guard_verdict_t *verdict, gs_rc_t rc);
static ngx_int_t ngx_http_govsvc_guard_keep(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_guard_verdict_t *verdict);
static ngx_int_t ngx_http_govsvc_guard_block(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_uint_t status);
static ngx_int_t ngx_http_govsvc_guard_fail(ngx_http_request_t *r,
    gs_guard_verdict_t *verdict, ngx_uint_t mode);


ngx_int_t
ngx_http_govsvc_guard_handler(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t             *ctx;
    ngx_http_govsvc_guard_input_t      input;
    ngx_http_govsvc_guard_loc_conf_t  *glcf;

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

    ngx_http_govsvc_guard_input(&input, r);

    return ngx_http_govsvc_guard_ask(&input, ctx, GS_GUARD_HEAD);
}


ngx_int_t
ngx_http_govsvc_guard_ask(ngx_http_govsvc_guard_input_t *input,
    ngx_http_govsvc_ctx_t *ctx, gs_guard_phase_e phase)
{
    gs_rc_t                             rc;
    ngx_uint_t                          before;
    ngx_http_request_t                 *r;
    gs_guard_verdict_t                  fresh, *verdict;
    ngx_http_govsvc_guard_loc_conf_t   *glcf;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    r = input->request;

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);
    glcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_guard_module);

    verdict = ctx->guard_data;

    if (verdict == NULL) {
        verdict = &fresh;
        gs_guard_verdict_init(verdict);
    }

    verdict->undecided = 0;
    verdict->over_budget = 0;
    verdict->spent = ctx->guard_spent;
    before = verdict->nhits;

    gs_guard_budget(gmcf->scratch,
                    glcf->budget == 0 ? NULL : ngx_http_govsvc_guard_clock,
                    NULL, (uint64_t) glcf->budget * 1000000);

    rc = gs_guard_run(gmcf->guard, gmcf->scratch, glcf->policy, phase,
                      &input->in, verdict);

    ctx->guard_spent = verdict->spent;

    if (rc != GS_ERROR && verdict->nhits == before && !verdict->over_budget) {
        return NGX_DECLINED;
    }

    if (verdict == &fresh
        && ngx_http_govsvc_guard_keep(r, ctx, verdict) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_govsvc_guard_act(r, ctx, ctx->guard_data, before);

    return ngx_http_govsvc_guard_judge(input, ctx, ctx->guard_data, rc);
}


/* The processor's time of this process: a busy machine is nobody's fault. */

static uint64_t
ngx_http_govsvc_guard_clock(void *data)
{
    struct timespec  ts;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) != 0) {
        return 0;
    }

    return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}


static ngx_int_t
ngx_http_govsvc_guard_keep(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    gs_guard_verdict_t *verdict)
{
    ctx->guard_data = ngx_palloc(ctx->request->pool,
                                 sizeof(gs_guard_verdict_t));
    if (ctx->guard_data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ctx->guard_data, verdict, sizeof(gs_guard_verdict_t));

    return NGX_OK;
}


/* The log line names the rule; what the client sent stays out of it. */

static ngx_int_t
ngx_http_govsvc_guard_judge(ngx_http_govsvc_guard_input_t *input,
    ngx_http_govsvc_ctx_t *ctx, gs_guard_verdict_t *verdict, gs_rc_t rc)
{
    ngx_uint_t                         i;
    ngx_http_request_t                *r;
    ngx_http_govsvc_guard_loc_conf_t  *glcf;

    r = input->request;
    glcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_guard_module);

    if (verdict->over_budget) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "govsvc guard: time spent, not all rules were asked");

        if (glcf->over == NGX_HTTP_GOVSVC_GUARD_BLOCK
            && verdict->action != GS_GUARD_BLOCK)
        {
            verdict->action = GS_GUARD_BLOCK;
            verdict->rule = GS_GUARD_BUDGET;
            verdict->status = NGX_HTTP_FORBIDDEN;

        } else if (verdict->action == GS_GUARD_PASS) {
            verdict->action = GS_GUARD_LOG;
            verdict->rule = GS_GUARD_BUDGET;
        }
    }

    ctx->rule = verdict->rule;
    ctx->score = verdict->score + verdict->noted;

    for (i = 0; i < verdict->nhits && i < GS_GUARD_MAX_HITS; i++) {
        ctx->score += (verdict->list[i].points == 0);
    }

    ctx->score += (verdict->nhits > i) ? verdict->nhits - i : 0;

    if (rc == GS_ERROR) {
        return ngx_http_govsvc_guard_fail(r, verdict, glcf->mode);
    }

    if (verdict->undecided != 0) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "govsvc guard: match limit met, rule: %uD",
                      verdict->undecided);
    }

    if (verdict->action != GS_GUARD_BLOCK || ctx->guard_noting) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "govsvc guard: hit, rule: %uD", verdict->rule);
        return NGX_DECLINED;
    }

    if (glcf->mode == NGX_HTTP_GOVSVC_GUARD_DETECT) {
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

    if (r->headers_out.status != 0) {

        /* the answer of a platform, taken back before it began */

        ctx->reason = &ngx_http_govsvc_reasons[NGX_HTTP_GOVSVC_RULE_BLOCKED];

        return (ngx_int_t) status;
    }

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

    if (r->headers_out.status != 0) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_GUARD_UNAVAILABLE);
}


gs_guard_verdict_t *
ngx_http_govsvc_guard_verdict(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);

    return (ctx == NULL) ? NULL : ctx->guard_data;
}


gs_guard_t *
ngx_http_govsvc_guard_rules(ngx_http_request_t *r)
{
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);

    return gmcf->guard;
}


ngx_uint_t
ngx_http_govsvc_guard_mode(ngx_http_request_t *r)
{
    ngx_http_govsvc_guard_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_guard_module);

    return glcf->mode;
}
