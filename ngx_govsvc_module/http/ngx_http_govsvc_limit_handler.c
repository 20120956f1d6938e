
/*
 * Copyright (C) govsvc authors
 *
 * Limits of a request: two stages, one before and one after the caller is
 * known.  All limits of a stage are decided together, and a zone is charged
 * once for a request however often the stages run.
 */


#include "http/ngx_http_govsvc_limit.h"


#define NGX_HTTP_GOVSVC_LIMIT_SECOND  1000000


static ngx_int_t ngx_http_govsvc_limit_stage(ngx_http_request_t *r,
    ngx_uint_t subject);
static ngx_int_t ngx_http_govsvc_limit_collect(ngx_http_request_t *r,
    ngx_array_t *limits, uint64_t charged, ngx_uint_t subject,
    gs_limit_charge_t *charges, ngx_http_govsvc_limit_t **found);
static ngx_int_t ngx_http_govsvc_limit_key(ngx_http_request_t *r,
    ngx_http_govsvc_limit_zone_t *zone, u_char *buf, gs_str_t *key);
static ngx_int_t ngx_http_govsvc_limit_network(ngx_http_request_t *r,
    ngx_uint_t prefix, u_char *buf, gs_str_t *key);
static void ngx_http_govsvc_limit_note(ngx_http_govsvc_limit_data_t *data,
    ngx_http_govsvc_limit_t *limit, gs_limit_charge_t *charge);
static ngx_int_t ngx_http_govsvc_limit_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_limit_charge_t *charges,
    ngx_http_govsvc_limit_t **limits, ngx_int_t n);
static void ngx_http_govsvc_limit_dry_run(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_limit_t *limit);
static uint64_t ngx_http_govsvc_limit_seconds(uint64_t us);


static ngx_str_t  ngx_http_govsvc_limit_policy =
    ngx_string("RateLimit-Policy");
static ngx_str_t  ngx_http_govsvc_limit_state = ngx_string("RateLimit");


ngx_int_t
ngx_http_govsvc_limit_client_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_limit_stage(r, 0);
}


ngx_int_t
ngx_http_govsvc_limit_subject_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_limit_stage(r, 1);
}


static ngx_int_t
ngx_http_govsvc_limit_stage(ngx_http_request_t *r, ngx_uint_t subject)
{
    ngx_int_t                      i, n;
    gs_limit_charge_t              charges[NGX_HTTP_GOVSVC_LIMIT_MAX];
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_limit_t       *limits[NGX_HTTP_GOVSVC_LIMIT_MAX];
    ngx_http_govsvc_limit_conf_t  *lcf;
    ngx_http_govsvc_limit_data_t  *data;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_limit_module);

    if (lcf->limits == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    data = ctx->limit_data;

    n = ngx_http_govsvc_limit_collect(r, lcf->limits,
                                      (data != NULL) ? data->charged : 0,
                                      subject, charges, limits);

    if (n == 0) {
        return NGX_DECLINED;
    }

    if (n == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (data == NULL) {
        data = ngx_pcalloc(r->pool, sizeof(ngx_http_govsvc_limit_data_t));
        if (data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->limit_data = data;
    }

    if (gs_limit_decide(charges, (size_t) n, ngx_govsvc_mono_us()) != GS_OK) {
        return ngx_http_govsvc_limit_refuse(r, ctx, charges, limits, n);
    }

    if (ctx->limit_status == NGX_HTTP_GOVSVC_LIMIT_NONE) {
        ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_PASSED;
    }

    for (i = 0; i < n; i++) {

        data->charged |= (uint64_t) 1 << limits[i]->zone->index;

        if (!limits[i]->dry_run) {
            ngx_http_govsvc_limit_note(data, limits[i], &charges[i]);

        } else if (charges[i].refused) {
            ngx_http_govsvc_limit_dry_run(r, ctx, limits[i]);
        }
    }

    return NGX_DECLINED;
}


/* Returns how many limits of the stage apply, or NGX_ERROR. */

static ngx_int_t
ngx_http_govsvc_limit_collect(ngx_http_request_t *r, ngx_array_t *limits,
    uint64_t charged, ngx_uint_t subject, gs_limit_charge_t *charges,
    ngx_http_govsvc_limit_t **found)
{
    u_char                         buf[GS_LIMIT_KEY_SIZE];
    gs_str_t                       key;
    ngx_int_t                      n;
    ngx_uint_t                     i;
    ngx_http_govsvc_limit_t       *limit;
    ngx_http_govsvc_limit_zone_t  *zone;

    n = 0;
    limit = limits->elts;

    for (i = 0; i < limits->nelts; i++) {

        zone = limit[i].zone;

        if (zone->subject != subject
            || (charged & (uint64_t) 1 << zone->index))
        {
            continue;
        }

        if (ngx_http_govsvc_limit_key(r, zone, buf, &key) != NGX_OK) {
            return NGX_ERROR;
        }

        if (key.len == 0) {
            continue;
        }

        gs_limit_prepare(&charges[n], zone->table, &zone->rate, &key,
                         limit[i].cost);

        charges[n].aggregate = zone->aggregate;
        charges[n].dry_run = (limit[i].dry_run != 0);
        found[n] = &limit[i];
        n++;
    }

    return n;
}


static ngx_int_t
ngx_http_govsvc_limit_key(ngx_http_request_t *r,
    ngx_http_govsvc_limit_zone_t *zone, u_char *buf, gs_str_t *key)
{
    ngx_str_t  value;

    if (zone->network) {
        return ngx_http_govsvc_limit_network(r, zone->prefix, buf, key);
    }

    if (ngx_http_complex_value(r, &zone->key, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    *key = ngx_govsvc_to_gs(&value);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_limit_network(ngx_http_request_t *r, ngx_uint_t prefix,
    u_char *buf, gs_str_t *key)
{
    struct sockaddr      *sa;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    sa = r->connection->sockaddr;

    switch (sa->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        *key = gs_str_make(buf, gs_limit_key_inet6(buf,
                                                   sin6->sin6_addr.s6_addr,
                                                   (unsigned) prefix));
        return NGX_OK;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        *key = gs_str_make(buf, gs_limit_key_inet(buf,
                                             (u_char *) &sin->sin_addr));
        return NGX_OK;

    default:

        /* callers over one Unix socket are one client */

        *key = gs_str_text("unix:");
        return NGX_OK;
    }
}


/* Keeps the tightest limit for the fields of the answer. */

static void
ngx_http_govsvc_limit_note(ngx_http_govsvc_limit_data_t *data,
    ngx_http_govsvc_limit_t *limit, gs_limit_charge_t *charge)
{
    gs_limit_result_t  *result;

    result = &charge->result;

    if (data->zone == NULL
        || result->remaining < data->remaining
        || (result->remaining == data->remaining
            && result->reset > data->wait))
    {
        data->zone = limit->zone;
        data->remaining = result->remaining;
        data->wait = result->reset;
    }
}


static ngx_int_t
ngx_http_govsvc_limit_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_limit_charge_t *charges,
    ngx_http_govsvc_limit_t **limits, ngx_int_t n)
{
    ngx_int_t                      i, worst;
    gs_limit_charge_t             *charge;
    ngx_http_govsvc_limit_data_t  *data;

    data = ctx->limit_data;
    data->wait = 0;
    worst = 0;

    for (i = 0; i < n; i++) {

        if (charges[i].refused && !limits[i]->dry_run
            && charges[i].result.retry_after > data->wait)
        {
            data->wait = charges[i].result.retry_after;
            worst = i;
        }
    }

    charge = &charges[worst];

    data->zone = limits[worst]->zone;
    data->remaining = charge->result.remaining;

    ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED;
    ctx->retry_after = (ngx_uint_t) ngx_http_govsvc_limit_seconds(data->wait);

    if (charge->full && !charge->aggregate) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "govsvc limit: refused, no room in zone: \"%V\"",
                      &data->zone->name);

        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_LIMIT_UNAVAILABLE);
    }

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "govsvc limit: refused for %ui s, zone: \"%V\"",
                  ctx->retry_after, &data->zone->name);

    return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_RATE_LIMITED);
}


static void
ngx_http_govsvc_limit_dry_run(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_limit_t *limit)
{
    ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED_DRY_RUN;

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "govsvc limit: would be refused, dry run, zone: \"%V\"",
                  &limit->zone->name);
}


/* draft-ietf-httpapi-ratelimit-headers-11: RateLimit-Policy, RateLimit. */

ngx_int_t
ngx_http_govsvc_limit_headers(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx)
{
    u_char                        *p;
    size_t                         len;
    ngx_str_t                      value;
    ngx_http_govsvc_limit_data_t  *data;

    data = ctx->limit_data;

    if (data == NULL || data->zone == NULL) {
        return NGX_OK;
    }

    len = data->zone->name.len + sizeof("\"\";r=;t=") - 1
          + 2 * NGX_INT64_LEN;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "\"%V\";r=%uL;t=%uL", &data->zone->name,
                            data->remaining,
                            ngx_http_govsvc_limit_seconds(data->wait))
                - p;

    if (ngx_http_govsvc_add_header(r, &ngx_http_govsvc_limit_policy,
                                   &data->zone->policy)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_add_header(r, &ngx_http_govsvc_limit_state,
                                      &value);
}


/* Rounded up, and at least 1: who waits no less than told must pass. */

static uint64_t
ngx_http_govsvc_limit_seconds(uint64_t us)
{
    if (us == 0) {
        return 1;
    }

    return (us + NGX_HTTP_GOVSVC_LIMIT_SECOND - 1)
           / NGX_HTTP_GOVSVC_LIMIT_SECOND;
}
