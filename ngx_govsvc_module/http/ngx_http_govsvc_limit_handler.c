
/*
 * Copyright (C) govsvc authors
 *
 * Limits of a request: two stages, one before and one after the caller is
 * known.  All limits of a stage are decided together, and a zone is charged
 * once for a request however often the stages run.
 */


#include "http/ngx_http_govsvc_limit.h"
#include "http/ngx_http_govsvc_limit_sync.h"


#define NGX_HTTP_GOVSVC_LIMIT_SECOND  1000000
#define NGX_HTTP_GOVSVC_LIMIT_POLL    2000       /* us: others may ask */


/* The limits of a stage that apply to the request. */

typedef struct {
    ngx_uint_t                      n;
    uint64_t                        now;
    gs_limit_item_t                 items[NGX_HTTP_GOVSVC_LIMIT_MAX];
    gs_str_t                        keys[NGX_HTTP_GOVSVC_LIMIT_MAX];
    ngx_http_govsvc_limit_t        *limits[NGX_HTTP_GOVSVC_LIMIT_MAX];
    ngx_http_govsvc_limit_class_t  *classes[NGX_HTTP_GOVSVC_LIMIT_MAX];
    u_char                          bufs[NGX_HTTP_GOVSVC_LIMIT_MAX]
                                        [GS_LIMIT_KEY_SIZE];
} ngx_http_govsvc_limit_set_t;


static ngx_int_t ngx_http_govsvc_limit_stage(ngx_http_request_t *r,
    ngx_uint_t subject);
static ngx_int_t ngx_http_govsvc_limit_collect(ngx_http_request_t *r,
    ngx_array_t *limits, ngx_http_govsvc_limit_data_t *data,
    ngx_uint_t subject, ngx_http_govsvc_limit_set_t *set);
static ngx_int_t ngx_http_govsvc_limit_add_item(ngx_http_request_t *r,
    ngx_http_govsvc_limit_t *limit, ngx_http_govsvc_limit_data_t *data,
    ngx_http_govsvc_limit_set_t *set);
static void ngx_http_govsvc_limit_share(ngx_http_govsvc_limit_t *limit,
    ngx_http_govsvc_limit_data_t *data, gs_limit_item_t *item,
    const gs_limit_plan_t *strict, uint64_t now);
static ngx_int_t ngx_http_govsvc_limit_passed(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_limit_set_t *set);
static uint64_t ngx_http_govsvc_limit_delay(ngx_http_govsvc_limit_t *limit,
    ngx_http_govsvc_limit_class_t *class, gs_limit_item_t *item,
    uint64_t now);
static ngx_int_t ngx_http_govsvc_limit_await(ngx_http_request_t *r,
    ngx_http_govsvc_limit_data_t *data, ngx_http_govsvc_limit_set_t *set);
static void ngx_http_govsvc_limit_forget(void *data);
static void ngx_http_govsvc_limit_resume(ngx_http_request_t *r);
static void ngx_http_govsvc_limit_note(ngx_http_govsvc_limit_data_t *data,
    ngx_http_govsvc_limit_set_t *set, ngx_uint_t i);
static ngx_int_t ngx_http_govsvc_limit_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_limit_set_t *set);
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
    gs_rc_t                        rc;
    ngx_uint_t                     i;
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_limit_set_t    set;
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
    set.n = 0;
    set.now = ngx_govsvc_mono_us();

    if (ngx_http_govsvc_limit_collect(r, lcf->limits, data, subject, &set)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (set.n == 0) {
        return NGX_DECLINED;
    }

    data = ngx_http_govsvc_limit_get_data(r, ctx);
    if (data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = gs_limit_item_decide(set.items, set.n, set.now);

    for (i = 0; i < set.n; i++) {
        if (set.items[i].ask) {
            ngx_http_govsvc_limit_sync_ask(set.limits[i]->zone, &set.items[i],
                                           &set.keys[i], set.now,
                                           (rc == GS_AGAIN) ? r : NULL);
        }
    }

    switch (rc) {

    case GS_OK:
        return ngx_http_govsvc_limit_passed(r, ctx, &set);

    case GS_AGAIN:
        return ngx_http_govsvc_limit_await(r, data, &set);

    default: /* GS_DECLINED, GS_BUSY */
        return ngx_http_govsvc_limit_refuse(r, ctx, &set);
    }
}


ngx_http_govsvc_limit_data_t *
ngx_http_govsvc_limit_get_data(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx)
{
    if (ctx->limit_data == NULL) {
        ctx->limit_data = ngx_pcalloc(r->pool,
                                      sizeof(ngx_http_govsvc_limit_data_t));
    }

    return ctx->limit_data;
}


static ngx_int_t
ngx_http_govsvc_limit_collect(ngx_http_request_t *r, ngx_array_t *limits,
    ngx_http_govsvc_limit_data_t *data, ngx_uint_t subject,
    ngx_http_govsvc_limit_set_t *set)
{
    uint64_t                       charged;
    ngx_uint_t                     i;
    ngx_http_govsvc_limit_t       *limit;
    ngx_http_govsvc_limit_zone_t  *zone;

    charged = (data != NULL) ? data->charged : 0;
    limit = limits->elts;

    for (i = 0; i < limits->nelts; i++) {

        zone = limit[i].zone;

        if (zone->key.subject != subject
            || (charged & (uint64_t) 1 << zone->base.index))
        {
            continue;
        }

        if (ngx_http_govsvc_limit_add_item(r, &limit[i], data, set)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_limit_add_item(ngx_http_request_t *r,
    ngx_http_govsvc_limit_t *limit, ngx_http_govsvc_limit_data_t *data,
    ngx_http_govsvc_limit_set_t *set)
{
    uint64_t                        cost;
    gs_str_t                       *key;
    ngx_int_t                       rc;
    gs_limit_item_t                *item;
    const gs_limit_plan_t          *plan;
    ngx_http_govsvc_limit_zone_t   *zone;
    ngx_http_govsvc_limit_class_t  *class;

    zone = limit->zone;
    key = &set->keys[set->n];
    item = &set->items[set->n];

    if (ngx_http_govsvc_limit_eval_key(r, &zone->key, set->bufs[set->n], key)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (key->len == 0) {
        return NGX_OK;
    }

    class = ngx_http_govsvc_limit_find_class(r, zone, &rc);

    if (class == NULL) {
        return rc;
    }

    if (ngx_http_govsvc_limit_cost(r, limit, &cost) != NGX_OK) {
        return NGX_ERROR;
    }

    if (cost == 0) {
        return NGX_OK;
    }

    plan = NULL;

    if (zone->sync != NULL && limit->mode != NGX_HTTP_GOVSVC_LIMIT_LOCAL) {
        plan = (limit->mode == NGX_HTTP_GOVSVC_LIMIT_STRICT
                || class->lease.strict)
               ? &class->strict : &class->lease;
    }

    gs_limit_item_prepare(item, zone->table, &class->rate, plan, zone->leases,
                          key, cost);

    item->charge.aggregate = (zone->full == NGX_HTTP_GOVSVC_LIMIT_AGGREGATE);
    item->charge.dry_run = limit->dry_run;
    item->pass_full = (zone->full == NGX_HTTP_GOVSVC_LIMIT_PASS);

    if (plan != NULL) {
        ngx_http_govsvc_limit_share(limit, data, item, &class->strict,
                                    set->now);
    }

    set->limits[set->n] = limit;
    set->classes[set->n] = class;
    set->n++;

    return NGX_OK;
}


/*
 * A value that is no number counts as one; 0 is for free.  A number that is
 * too large to be read is more than any burst.
 */

ngx_int_t
ngx_http_govsvc_limit_cost(ngx_http_request_t *r,
    ngx_http_govsvc_limit_t *limit, uint64_t *cost)
{
    size_t     i;
    gs_str_t   s;
    ngx_str_t  value;

    *cost = limit->cost;

    if (limit->cost_value == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, limit->cost_value, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    s = ngx_govsvc_to_gs(&value);

    if (gs_parse_u64(&s, cost) == GS_OK) {
        return NGX_OK;
    }

    *cost = 1;

    for (i = 0; i < s.len && gs_is_digit(s.data[i]); i++) {
        /* void */
    }

    if (s.len != 0 && i == s.len) {
        *cost = UINT64_MAX;
    }

    return NGX_OK;
}


/* Who has waited long enough is judged as if Redis were gone. */

static void
ngx_http_govsvc_limit_share(ngx_http_govsvc_limit_t *limit,
    ngx_http_govsvc_limit_data_t *data, gs_limit_item_t *item,
    const gs_limit_plan_t *strict, uint64_t now)
{
    item->on_error = limit->on_error;
    item->strict = (item->plan == strict && !limit->dry_run);
    item->outage = ngx_http_govsvc_limit_sync_outage(limit->zone->sync, now);

    if (item->strict && item->outage == 0 && data != NULL
        && data->deadline != 0 && now >= data->deadline)
    {
        item->outage = now;
    }
}


static ngx_int_t
ngx_http_govsvc_limit_passed(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_limit_set_t *set)
{
    uint64_t                       wait, longest;
    ngx_uint_t                     i;
    ngx_http_govsvc_limit_data_t  *data;

    data = ctx->limit_data;
    data->deadline = 0;
    longest = 0;

    if (ctx->limit_status == NGX_HTTP_GOVSVC_LIMIT_NONE) {
        ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_PASSED;
    }

    for (i = 0; i < set->n; i++) {

        data->charged |= (uint64_t) 1 << set->limits[i]->zone->base.index;

        if (set->limits[i]->dry_run) {
            if (set->items[i].refused) {
                ngx_http_govsvc_limit_dry_run(r, ctx, set->limits[i]);
            }

            continue;
        }

        ngx_http_govsvc_limit_note(data, set, i);

        wait = ngx_http_govsvc_limit_delay(set->limits[i], set->classes[i],
                                           &set->items[i], set->now);

        if (wait > longest) {
            longest = wait;
        }
    }

    if (longest < 1000) {
        return NGX_DECLINED;
    }

    ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_DELAYED;

    return ngx_http_govsvc_limit_suspend(r, longest);
}


/*
 * What goes beyond the first requests of delay= is held back until it fits
 * the rate.  The time of a slot says when that is, whichever node has it.
 */

static uint64_t
ngx_http_govsvc_limit_delay(ngx_http_govsvc_limit_t *limit,
    ngx_http_govsvc_limit_class_t *class, gs_limit_item_t *item, uint64_t now)
{
    uint64_t          free, due;
    gs_limit_rate_t  *rate;

    rate = &class->rate;

    if (!limit->delayed || limit->delay >= rate->burst) {
        return 0;
    }

    switch (item->source) {

    case GS_LIMIT_SOURCE_LEASE:
        due = gs_limit_lease_time(&item->lease) + rate->tau
              - gs_limit_step(rate, 0, limit->delay);
        return (due > now) ? due - now : 0;

    case GS_LIMIT_SOURCE_LOCAL:
    case GS_LIMIT_SOURCE_FALLBACK:
    case GS_LIMIT_SOURCE_AGGREGATE:
        free = gs_limit_step(rate, 0, limit->delay);
        return (item->result.reset > free) ? item->result.reset - free : 0;

    default:
        return 0;
    }
}


static ngx_int_t
ngx_http_govsvc_limit_await(ngx_http_request_t *r,
    ngx_http_govsvc_limit_data_t *data, ngx_http_govsvc_limit_set_t *set)
{
    ngx_uint_t           i;
    ngx_msec_t           timeout;
    ngx_pool_cleanup_t  *cln;

    if (data->deadline == 0) {

        cln = ngx_pool_cleanup_add(r->pool, 0);
        if (cln == NULL) {
            ngx_http_govsvc_limit_sync_forget(data);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        cln->handler = ngx_http_govsvc_limit_forget;
        cln->data = data;

        timeout = NGX_MAX_INT32_VALUE;

        for (i = 0; i < set->n; i++) {
            if (set->items[i].strict && set->limits[i]->timeout < timeout) {
                timeout = set->limits[i]->timeout;
            }
        }

        data->deadline = set->now + (uint64_t) timeout * 1000;
    }

    return ngx_http_govsvc_limit_suspend(r, NGX_HTTP_GOVSVC_LIMIT_POLL);
}


static void
ngx_http_govsvc_limit_forget(void *data)
{
    ngx_http_govsvc_limit_sync_forget(data);
}


ngx_int_t
ngx_http_govsvc_limit_suspend(ngx_http_request_t *r, uint64_t us)
{
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_limit_data_t  *data;

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    data = ctx->limit_data;
    data->suspended += us;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_govsvc_limit_resume;

    r->connection->write->delayed = 1;
    ngx_add_timer(r->connection->write, (ngx_msec_t) (us + 999) / 1000);

    return NGX_AGAIN;
}


static void
ngx_http_govsvc_limit_resume(ngx_http_request_t *r)
{
    ngx_event_t  *wev;

    wev = r->connection->write;

    if (wev->delayed) {
        if (ngx_handle_write_event(wev, 0) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        }

        return;
    }

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


void
ngx_http_govsvc_limit_wake(ngx_http_request_t *r)
{
    ngx_event_t  *wev;

    wev = r->connection->write;
    wev->delayed = 0;

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    ngx_post_event(wev, &ngx_posted_events);
}


/* Keeps the tightest limit for the fields of the answer. */

static void
ngx_http_govsvc_limit_note(ngx_http_govsvc_limit_data_t *data,
    ngx_http_govsvc_limit_set_t *set, ngx_uint_t i)
{
    gs_limit_result_t  *result;

    result = &set->items[i].result;

    if (data->limit == NULL
        || result->remaining < data->remaining
        || (result->remaining == data->remaining
            && result->reset > data->wait))
    {
        data->limit = set->limits[i];
        data->class = set->classes[i];
        data->source = set->items[i].source;
        data->remaining = result->remaining;
        data->wait = result->reset;
    }
}


static ngx_int_t
ngx_http_govsvc_limit_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_limit_set_t *set)
{
    ngx_uint_t                     i, worst;
    gs_limit_item_t               *item;
    ngx_http_govsvc_limit_data_t  *data;

    data = ctx->limit_data;
    data->retry = 0;
    worst = 0;

    for (i = 0; i < set->n; i++) {

        if (set->items[i].refused && !set->limits[i]->dry_run
            && set->items[i].result.retry_after > data->retry)
        {
            data->retry = set->items[i].result.retry_after;
            worst = i;
        }
    }

    item = &set->items[worst];

    data->limit = set->limits[worst];
    data->class = set->classes[worst];
    data->source = item->source;
    data->remaining = item->result.remaining;
    data->wait = data->retry;

    ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED;
    ctx->retry_after = (ngx_uint_t) ngx_http_govsvc_limit_seconds(data->wait);

    if (item->full && !item->charge.aggregate) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "govsvc limit: refused, %s zone: \"%V\"",
                      (item->source == GS_LIMIT_SOURCE_FALLBACK
                       && item->on_error == GS_LIMIT_ERROR_CLOSED)
                      ? "redis is gone," : "no room in",
                      &data->limit->zone->base.name);

        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_LIMIT_UNAVAILABLE);
    }

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "govsvc limit: refused for %ui s, zone: \"%V\"",
                  ctx->retry_after, &data->limit->zone->base.name);

    return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_RATE_LIMITED);
}


static void
ngx_http_govsvc_limit_dry_run(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_limit_t *limit)
{
    ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED_DRY_RUN;

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "govsvc limit: would be refused, dry run, zone: \"%V\"",
                  &limit->zone->base.name);
}


/* draft-ietf-httpapi-ratelimit-headers-11: RateLimit-Policy, RateLimit. */

ngx_int_t
ngx_http_govsvc_limit_headers(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx)
{
    u_char                        *p;
    size_t                         len;
    ngx_str_t                      policy, state, *name;
    ngx_http_govsvc_limit_data_t  *data;

    data = ctx->limit_data;

    if (data == NULL || data->limit == NULL) {
        return NGX_OK;
    }

    name = &data->limit->name;
    len = 2 * name->len + data->class->policy.len
          + sizeof("\"\"\"\";r=;t=") - 1 + 2 * NGX_INT64_LEN;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    policy.data = p;
    p = ngx_sprintf(p, "\"%V\"%V", name, &data->class->policy);
    policy.len = p - policy.data;

    state.data = p;
    p = ngx_sprintf(p, "\"%V\";r=%uL;t=%uL", name, data->remaining,
                    ngx_http_govsvc_limit_seconds(data->wait));
    state.len = p - state.data;

    if (ngx_http_govsvc_add_header(r, &ngx_http_govsvc_limit_policy, &policy)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_add_header(r, &ngx_http_govsvc_limit_state,
                                      &state);
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
