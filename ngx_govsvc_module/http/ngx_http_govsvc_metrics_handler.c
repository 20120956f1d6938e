
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: counting.  The last stage of a request; a handful of additions to
 * words of this worker, no clock, no memory, no lock.
 */


#include "http/ngx_http_govsvc_metrics.h"

#include "http/ngx_http_govsvc_ctx.h"
#include "http/ngx_http_govsvc_guard.h"
#include "http/ngx_http_govsvc_limit.h"
#include "http/ngx_http_govsvc_token.h"


static ngx_uint_t ngx_http_govsvc_metrics_class(ngx_uint_t status);
static ngx_uint_t ngx_http_govsvc_metrics_method(ngx_http_request_t *r);
static void ngx_http_govsvc_metrics_upstream(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_uint_t status,
    ngx_http_govsvc_metrics_platform_t *p);
static void ngx_http_govsvc_metrics_decision(ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_metrics_caller(ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_metrics_limit(ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_metrics_guard(ngx_http_request_t *r,
    gs_guard_verdict_t *verdict);


static ngx_http_govsvc_metrics_row_t  *ngx_http_govsvc_metrics_own;
static ngx_http_govsvc_metrics_sh_t   *ngx_http_govsvc_metrics_sh;


ngx_http_govsvc_metrics_row_t *
ngx_http_govsvc_metrics_row(void)
{
    return ngx_http_govsvc_metrics_own;
}


void
ngx_http_govsvc_metrics_set_row(ngx_http_govsvc_metrics_row_t *row,
    ngx_http_govsvc_metrics_sh_t *sh)
{
    ngx_http_govsvc_metrics_own = row;
    ngx_http_govsvc_metrics_sh = sh;
}


void
ngx_http_govsvc_metrics_record(ngx_uint_t cls, ngx_uint_t lost)
{
    ngx_http_govsvc_metrics_row_t  *row;

    row = ngx_http_govsvc_metrics_own;

    if (row != NULL) {
        gs_metric_add(lost ? &row->lost[cls] : &row->records[cls], 1);
    }
}


void
ngx_http_govsvc_metrics_alert(ngx_uint_t result)
{
    ngx_http_govsvc_metrics_row_t  *row;

    row = ngx_http_govsvc_metrics_own;

    if (row != NULL) {
        gs_metric_add(&row->alerts[result], 1);
    }
}


ngx_int_t
ngx_http_govsvc_metrics_handler(ngx_http_request_t *r)
{
    gs_str_t                             name;
    uint64_t                             ms;
    ngx_time_t                          *now;
    ngx_uint_t                           status;
    ngx_http_govsvc_ctx_t               *ctx;
    ngx_http_govsvc_metrics_row_t       *row;
    ngx_http_govsvc_metrics_platform_t  *p;

    row = ngx_http_govsvc_metrics_own;

    if (row == NULL || r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_find_ctx(r);
    name = (ctx != NULL) ? ngx_govsvc_to_gs(&ctx->platform)
                         : gs_str_make(NULL, 0);

    p = &row->platforms[gs_metric_place(&ngx_http_govsvc_metrics_sh->platforms,
                                        &name)];

    status = (r->err_status != 0) ? r->err_status : r->headers_out.status;

    /* the clock of $request_time, good to a millisecond */

    now = ngx_timeofday();
    ms = (uint64_t) ngx_max((now->sec - r->start_sec) * 1000
                            + ((ngx_msec_int_t) now->msec
                               - (ngx_msec_int_t) r->start_msec), 0);

    gs_metric_add(&p->requests[ngx_http_govsvc_metrics_class(status)], 1);
    gs_metric_observe(&p->seconds, ms * 1000);
    gs_metric_add(&row->methods[ngx_http_govsvc_metrics_method(r)], 1);

    ngx_http_govsvc_metrics_upstream(r, ctx, status, p);

    if (ctx == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_govsvc_metrics_decision(ctx);
    ngx_http_govsvc_metrics_caller(ctx);
    ngx_http_govsvc_metrics_limit(ctx);

    if (ctx->guard_data != NULL) {
        ngx_http_govsvc_metrics_guard(r, ctx->guard_data);
    }

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_http_govsvc_metrics_class(ngx_uint_t status)
{
    status /= 100;

    return (status < NGX_HTTP_GOVSVC_METRICS_CLASSES) ? status : 0;
}


static ngx_uint_t
ngx_http_govsvc_metrics_method(ngx_http_request_t *r)
{
    switch (r->method) {

    case NGX_HTTP_GET:
        return 0;

    case NGX_HTTP_HEAD:
        return 1;

    case NGX_HTTP_POST:
        return 2;

    case NGX_HTTP_PUT:
        return 3;

    case NGX_HTTP_PATCH:
        return 4;

    case NGX_HTTP_DELETE:
        return 5;

    case NGX_HTTP_OPTIONS:
        return 6;

    default:
        return 7;
    }
}


static void
ngx_http_govsvc_metrics_upstream(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_uint_t status,
    ngx_http_govsvc_metrics_platform_t *p)
{
    uint64_t                            ms;
    ngx_uint_t                          i, outcome;
    ngx_http_upstream_state_t          *state;
    const ngx_http_govsvc_reason_t     *reason;

    ms = 0;
    reason = (ctx != NULL) ? ctx->reason : NULL;

    if (r->upstream_states != NULL && r->upstream_states->nelts != 0) {
        state = r->upstream_states->elts;

        for (i = 0; i < r->upstream_states->nelts; i++) {

            /* an element without a peer parts two internal redirects */

            if (state[i].peer == NULL) {
                continue;
            }

            gs_metric_add(
                &p->tries[ngx_http_govsvc_metrics_class(state[i].status)], 1);

            if (state[i].response_time != (ngx_msec_t) -1) {
                ms += state[i].response_time;
            }
        }

        gs_metric_observe(&p->upstream, ms * 1000);

        /* a client that left did not wait to see */

        if (status == NGX_HTTP_CLIENT_CLOSED_REQUEST) {
            return;
        }

        outcome = (status >= 500) ? NGX_HTTP_GOVSVC_METRICS_FAILED
                                  : NGX_HTTP_GOVSVC_METRICS_SERVED;

    } else if (reason
               == &ngx_http_govsvc_reasons[
                      NGX_HTTP_GOVSVC_PLATFORM_UNAVAILABLE])
    {
        outcome = NGX_HTTP_GOVSVC_METRICS_FAILED;

    } else if (reason
               == &ngx_http_govsvc_reasons[
                      NGX_HTTP_GOVSVC_PLATFORM_MAINTENANCE]
               || reason
                  == &ngx_http_govsvc_reasons[
                         NGX_HTTP_GOVSVC_PLATFORM_CLOSED])
    {
        outcome = NGX_HTTP_GOVSVC_METRICS_ANNOUNCED;

    } else {

        /* the gateway's own answer tells nothing about the platform */

        return;
    }

    gs_metric_add(&p->outcomes[outcome], 1);
}


static void
ngx_http_govsvc_metrics_decision(ngx_http_govsvc_ctx_t *ctx)
{
    ngx_uint_t  i;

    if (ctx->reason == NULL) {
        i = NGX_HTTP_GOVSVC_METRICS_ALLOW;

    } else if (ctx->reason >= ngx_http_govsvc_reasons
               && ctx->reason
                  < ngx_http_govsvc_reasons + NGX_HTTP_GOVSVC_REASONS)
    {
        i = (ngx_uint_t) (ctx->reason - ngx_http_govsvc_reasons);

    } else {

        /* the registry API has codes of its own */

        i = NGX_HTTP_GOVSVC_METRICS_DENY;
    }

    gs_metric_add(&ngx_http_govsvc_metrics_own->decisions[i], 1);
}


static void
ngx_http_govsvc_metrics_caller(ngx_http_govsvc_ctx_t *ctx)
{
    ngx_uint_t                      i;
    ngx_http_govsvc_token_data_t   *data;

    data = ctx->token_data;

    switch (ctx->auth_status) {

    case NGX_HTTP_GOVSVC_AUTH_ABSENT:
        i = NGX_HTTP_GOVSVC_METRICS_ABSENT;
        break;

    case NGX_HTTP_GOVSVC_AUTH_OK:
        i = GS_TOKEN_OK;
        break;

    case NGX_HTTP_GOVSVC_AUTH_BAD:
        i = (data != NULL && data->reason != GS_TOKEN_OK)
            ? data->reason : NGX_HTTP_GOVSVC_METRICS_BAD;
        break;

    default:
        return;
    }

    gs_metric_add(&ngx_http_govsvc_metrics_own->tokens[i], 1);
}


static void
ngx_http_govsvc_metrics_limit(ngx_http_govsvc_ctx_t *ctx)
{
    gs_str_t                       name;
    ngx_http_govsvc_limit_data_t  *data;

    data = ctx->limit_data;

    if (data == NULL || data->limit == NULL
        || ctx->limit_status == NGX_HTTP_GOVSVC_LIMIT_NONE)
    {
        return;
    }

    name = ngx_govsvc_to_gs(&data->limit->zone->base.name);

    gs_metric_add(
        &ngx_http_govsvc_metrics_own->limits
            [gs_metric_place(&ngx_http_govsvc_metrics_sh->zones, &name)]
            [ctx->limit_status], 1);
}


static void
ngx_http_govsvc_metrics_guard(ngx_http_request_t *r,
    gs_guard_verdict_t *verdict)
{
    gs_str_t              name;
    unsigned              i, n;
    gs_guard_t           *guard;
    gs_guard_rule_info_t  info;

    guard = ngx_http_govsvc_guard_rules(r);

    if (guard == NULL) {
        return;
    }

    n = ngx_min(verdict->nhits, GS_GUARD_MAX_HITS);

    for (i = 0; i < n; i++) {

        if (gs_guard_rule(guard, verdict->list[i].index, &info) != GS_OK) {
            continue;
        }

        name = (info.class.len != 0) ? info.class : info.tag;

        gs_metric_add(
            &ngx_http_govsvc_metrics_own->guards
                [gs_metric_place(&ngx_http_govsvc_metrics_sh->classes,
                                 &name)], 1);
    }
}
