
/*
 * Copyright (C) govsvc authors
 *
 * Limits: what a request may be told, and logged, of the limit that left it
 * the least or refused it.
 */


#include "http/ngx_http_govsvc_limit.h"


typedef enum {
    NGX_HTTP_GOVSVC_LIMIT_VAR_NAME = 0,
    NGX_HTTP_GOVSVC_LIMIT_VAR_SOURCE,
    NGX_HTTP_GOVSVC_LIMIT_VAR_LIMIT,
    NGX_HTTP_GOVSVC_LIMIT_VAR_REMAINING,
    NGX_HTTP_GOVSVC_LIMIT_VAR_RESET,
    NGX_HTTP_GOVSVC_LIMIT_VAR_RETRY,
    NGX_HTTP_GOVSVC_LIMIT_VAR_WAIT,
    NGX_HTTP_GOVSVC_LIMIT_VAR_BOUND
} ngx_http_govsvc_limit_var_e;


static ngx_int_t ngx_http_govsvc_limit_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static uint64_t ngx_http_govsvc_limit_number(
    ngx_http_govsvc_limit_data_t *data, uintptr_t which);


#define ngx_http_govsvc_limit_var(name, which)                                \
    { ngx_string("govsvc_" name), NULL, ngx_http_govsvc_limit_variable, \
      NGX_HTTP_GOVSVC_LIMIT_VAR_##which, NGX_HTTP_VAR_NOCACHEABLE, 0 }


ngx_http_variable_t  ngx_http_govsvc_limit_variables[] = {

    ngx_http_govsvc_limit_var("limit_name", NAME),
    ngx_http_govsvc_limit_var("limit_source", SOURCE),
    ngx_http_govsvc_limit_var("limit_limit", LIMIT),
    ngx_http_govsvc_limit_var("limit_remaining", REMAINING),
    ngx_http_govsvc_limit_var("limit_reset", RESET),
    ngx_http_govsvc_limit_var("limit_retry_after", RETRY),
    ngx_http_govsvc_limit_var("limit_wait_us", WAIT),
    ngx_http_govsvc_limit_var("limit_bound", BOUND),

      ngx_http_null_variable
};


/* in the order of gs_limit_source_e */

static const ngx_str_t  ngx_http_govsvc_limit_sources[] = {
    ngx_null_string,
    ngx_string("local"),
    ngx_string("lease"),
    ngx_string("fallback"),
    ngx_string("aggregate"),
    ngx_string("open")
};


static ngx_int_t
ngx_http_govsvc_limit_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t which)
{
    u_char                        *p;
    ngx_str_t                      s;
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_limit_data_t  *data;

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    data = ctx->limit_data;

    if (data == NULL || data->limit == NULL
        || (which == NGX_HTTP_GOVSVC_LIMIT_VAR_RETRY && data->retry == 0)
        || (which == NGX_HTTP_GOVSVC_LIMIT_VAR_BOUND
            && data->limit->zone->sync == NULL))
    {
        v->not_found = 1;
        return NGX_OK;
    }

    switch (which) {

    case NGX_HTTP_GOVSVC_LIMIT_VAR_NAME:
        s = data->limit->name;
        break;

    case NGX_HTTP_GOVSVC_LIMIT_VAR_SOURCE:
        s = ngx_http_govsvc_limit_sources[data->source];
        break;

    default:
        p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        s.data = p;
        s.len = ngx_sprintf(p, "%uL",
                            ngx_http_govsvc_limit_number(data, which))
                - p;
    }

    v->data = s.data;
    v->len = (unsigned) s.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static uint64_t
ngx_http_govsvc_limit_number(ngx_http_govsvc_limit_data_t *data,
    uintptr_t which)
{
    const gs_limit_plan_t  *plan;

    switch (which) {

    case NGX_HTTP_GOVSVC_LIMIT_VAR_LIMIT:
        return data->class->rate.burst;

    case NGX_HTTP_GOVSVC_LIMIT_VAR_REMAINING:
        return data->remaining;

    case NGX_HTTP_GOVSVC_LIMIT_VAR_RESET:
        return (data->wait + 999999) / 1000000;

    case NGX_HTTP_GOVSVC_LIMIT_VAR_RETRY:
        return (data->retry + 999999) / 1000000;

    case NGX_HTTP_GOVSVC_LIMIT_VAR_WAIT:
        return data->suspended;

    default: /* NGX_HTTP_GOVSVC_LIMIT_VAR_BOUND */
        plan = (data->limit->mode == NGX_HTTP_GOVSVC_LIMIT_STRICT
                || data->class->lease.strict)
               ? &data->class->strict : &data->class->lease;

        return gs_limit_plan_bound(plan, NGX_HTTP_GOVSVC_LIMIT_DELTA);
    }
}
