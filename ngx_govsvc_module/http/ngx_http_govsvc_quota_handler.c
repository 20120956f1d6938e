
/*
 * Copyright (C) govsvc authors
 *
 * Quotas: two stages, behind those of rates.  A request waits for Redis only
 * where this node has neither a share nor a ticket left.
 */


#include "http/ngx_http_govsvc_quota.h"


#define NGX_HTTP_GOVSVC_QUOTA_INFLIGHT  100000   /* us */
#define NGX_HTTP_GOVSVC_QUOTA_POLL      2000     /* us */
#define NGX_HTTP_GOVSVC_QUOTA_GRACE     60000000 /* us behind the window */
#define NGX_HTTP_GOVSVC_QUOTA_KEY                                             \
    (64 + sizeof("q::") + NGX_HTTP_GOVSVC_LIMIT_HASH + NGX_INT64_LEN)


typedef struct ngx_http_govsvc_quota_call_s  ngx_http_govsvc_quota_call_t;


struct ngx_http_govsvc_quota_call_s {
    gs_limit_quota_ask_t           ask;
    ngx_http_govsvc_limit_sync_t  *sync;
    ngx_http_govsvc_quota_call_t  *next;           /* while it is free */
    ngx_str_t                      key;
    u_char                         text[NGX_HTTP_GOVSVC_QUOTA_KEY];
};


static ngx_int_t ngx_http_govsvc_quota_stage(ngx_http_request_t *r,
    ngx_uint_t subject);
static ngx_int_t ngx_http_govsvc_quota_spend(ngx_http_request_t *r,
    ngx_http_govsvc_quota_limit_t *limit);
static ngx_int_t ngx_http_govsvc_quota_wait(ngx_http_request_t *r,
    ngx_http_govsvc_limit_data_t *data, ngx_http_govsvc_quota_limit_t *limit);
static ngx_int_t ngx_http_govsvc_quota_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_quota_limit_t *limit, gs_rc_t rc, uint64_t end);
static ngx_int_t ngx_http_govsvc_quota_name(ngx_http_govsvc_quota_call_t *call,
    ngx_http_govsvc_quota_zone_t *zone, uint64_t window, gs_str_t *key);
static ngx_int_t ngx_http_govsvc_quota_send(ngx_http_govsvc_quota_call_t *call,
    const char *name, uint64_t n, ngx_govsvc_redis_handler_pt handler);
static void ngx_http_govsvc_quota_granted(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_quota_free(ngx_http_govsvc_quota_call_t *call);


/* of this worker */

static ngx_http_govsvc_quota_call_t  *ngx_http_govsvc_quota_calls;


ngx_int_t
ngx_http_govsvc_quota_client_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_quota_stage(r, 0);
}


ngx_int_t
ngx_http_govsvc_quota_subject_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_quota_stage(r, 1);
}


static ngx_int_t
ngx_http_govsvc_quota_stage(ngx_http_request_t *r, ngx_uint_t subject)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    ngx_http_govsvc_ctx_t          *ctx;
    ngx_http_govsvc_quota_conf_t   *qcf;
    ngx_http_govsvc_limit_data_t   *data;
    ngx_http_govsvc_quota_limit_t  *limit;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    qcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_quota_module);

    if (qcf->limits == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    data = ngx_http_govsvc_limit_get_data(r, ctx);
    if (data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    limit = qcf->limits->elts;

    for (i = 0; i < qcf->limits->nelts; i++) {

        if (limit[i].zone->key.subject != subject
            || (data->quotas & (uint64_t) 1 << limit[i].zone->base.index))
        {
            continue;
        }

        rc = ngx_http_govsvc_quota_spend(r, &limit[i]);

        if (rc != NGX_DECLINED) {
            return rc;
        }

        data->quotas |= (uint64_t) 1 << limit[i].zone->base.index;
        data->quota_deadline = 0;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_govsvc_quota_spend(ngx_http_request_t *r,
    ngx_http_govsvc_quota_limit_t *limit)
{
    u_char                         buf[GS_LIMIT_KEY_SIZE];
    gs_rc_t                        rc;
    unsigned                       gone;
    gs_str_t                       key;
    uint64_t                       now, cost, window, end;
    ngx_http_govsvc_ctx_t         *ctx;
    gs_limit_quota_key_t           k;
    ngx_http_govsvc_limit_data_t  *data;
    ngx_http_govsvc_quota_zone_t  *zone;

    zone = limit->zone;
    ctx = ngx_http_govsvc_get_ctx(r);
    data = ctx->limit_data;

    if (ngx_http_govsvc_limit_eval_key(r, &zone->key, buf, &key) != NGX_OK
        || ngx_http_govsvc_limit_cost(r, &limit->args, &cost) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (key.len == 0 || cost == 0) {
        return NGX_DECLINED;
    }

    now = ngx_govsvc_mono_us();
    window = gs_limit_quota_window(&zone->quota, ngx_govsvc_wall_us(), &end);

    gone = (zone->sync != NULL
            && (ngx_http_govsvc_limit_sync_outage(zone->sync, now) != 0
                || (data->quota_deadline != 0
                    && now >= data->quota_deadline)));

    gs_limit_quota_prepare(&k, zone->table, &zone->quota, &key, cost, window);

    rc = gs_limit_quota_take(&k, gone
                             && limit->args.on_error == GS_LIMIT_ERROR_LOCAL);

    if (k.ask && !gone) {
        (void) ngx_http_govsvc_quota_ask(zone, &k, &key, end);
    }

    if (rc == GS_AGAIN && !gone && !limit->args.dry_run) {
        return ngx_http_govsvc_quota_wait(r, data, limit);
    }

    if (rc != GS_OK && gone && limit->args.on_error == GS_LIMIT_ERROR_OPEN) {
        return NGX_DECLINED;
    }

    if (!data->quota_known || k.remaining < data->quota_left) {
        data->quota_left = k.remaining;
        data->quota_known = 1;
    }

    if (rc == GS_OK) {
        return NGX_DECLINED;
    }

    if (gone && limit->args.on_error == GS_LIMIT_ERROR_CLOSED) {
        rc = GS_BUSY;
    }

    return ngx_http_govsvc_quota_refuse(r, limit, rc, end);
}


static ngx_int_t
ngx_http_govsvc_quota_wait(ngx_http_request_t *r,
    ngx_http_govsvc_limit_data_t *data, ngx_http_govsvc_quota_limit_t *limit)
{
    if (data->quota_deadline == 0) {
        data->quota_deadline = ngx_govsvc_mono_us()
                               + (uint64_t) limit->args.timeout * 1000;
    }

    return ngx_http_govsvc_limit_suspend(r, NGX_HTTP_GOVSVC_QUOTA_POLL);
}


static ngx_int_t
ngx_http_govsvc_quota_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_quota_limit_t *limit, gs_rc_t rc, uint64_t end)
{
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);

    if (limit->args.dry_run) {
        ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED_DRY_RUN;
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "govsvc quota: would be refused, dry run, zone: \"%V\"",
                      &limit->zone->base.name);
        return NGX_DECLINED;
    }

    ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED;

    if (rc == GS_BUSY) {
        ctx->retry_after = 1;
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "govsvc quota: refused, no room or no redis, zone: "
                      "\"%V\"", &limit->zone->base.name);
        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_LIMIT_UNAVAILABLE);
    }

    ctx->retry_after = (ngx_uint_t) ((end - ngx_govsvc_wall_us()) / 1000000
                                     + 1);

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "govsvc quota: refused for %ui s, zone: \"%V\"",
                  ctx->retry_after, &limit->zone->base.name);

    return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_QUOTA_EXCEEDED);
}


ngx_int_t
ngx_http_govsvc_quota_ask(ngx_http_govsvc_quota_zone_t *zone,
    gs_limit_quota_key_t *k, gs_str_t *key, uint64_t end)
{
    gs_limit_quota_ask_t           ask;
    ngx_http_govsvc_quota_call_t  *call;

    if (zone->sync == NULL
        || gs_limit_quota_ask(k, ngx_govsvc_mono_us(),
                              NGX_HTTP_GOVSVC_QUOTA_INFLIGHT, &ask)
           != GS_OK)
    {
        return NGX_DECLINED;
    }

    call = ngx_http_govsvc_quota_calls;

    if (call != NULL) {
        ngx_http_govsvc_quota_calls = call->next;

    } else {
        call = ngx_palloc(ngx_cycle->pool,
                          sizeof(ngx_http_govsvc_quota_call_t));
        if (call == NULL) {
            gs_limit_quota_fail(&ask);
            return NGX_DECLINED;
        }
    }

    call->ask = ask;
    call->sync = zone->sync;

    if (ngx_http_govsvc_quota_name(call, zone, k->window, key) != NGX_OK
        || ngx_http_govsvc_quota_send(call, "INCRBY", ask.n,
                                      ngx_http_govsvc_quota_granted)
           != NGX_OK)
    {
        gs_limit_quota_fail(&call->ask);
        ngx_http_govsvc_limit_sync_fails(call->sync);
        ngx_http_govsvc_quota_free(call);
        return NGX_DECLINED;
    }

    (void) ngx_http_govsvc_quota_send(call, "PEXPIREAT",
                                      (end + NGX_HTTP_GOVSVC_QUOTA_GRACE)
                                      / 1000, NULL);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_quota_name(ngx_http_govsvc_quota_call_t *call,
    ngx_http_govsvc_quota_zone_t *zone, uint64_t window, gs_str_t *key)
{
    u_char                             *p, head[64 + 8 + 3 * NGX_INT64_LEN];
    ngx_str_t                           s;
    const ngx_str_t                    *prefix;
    ngx_http_govsvc_limit_main_conf_t  *lmcf;

    prefix = ngx_govsvc_redis_prefix(
                                ngx_http_govsvc_limit_sync_redis(zone->sync));

    if (prefix->len > 64) {
        return NGX_ERROR;
    }

    lmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_limit_module);

    s.data = head;
    s.len = ngx_snprintf(head, sizeof(head), "%V/q/%uL/%d/%L", &zone->base.name,
                         zone->quota.shared, (int) zone->quota.unit,
                         zone->quota.zone)
            - head;

    p = ngx_cpymem(call->text, prefix->data, prefix->len);
    p = ngx_cpymem(p, "q:", 2);

    if (ngx_http_govsvc_limit_hash(p, &lmcf->secret, &s, key) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(p + NGX_HTTP_GOVSVC_LIMIT_HASH, ":%uL", window);

    call->key.data = call->text;
    call->key.len = p - call->text;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_quota_send(ngx_http_govsvc_quota_call_t *call,
    const char *name, uint64_t n, ngx_govsvc_redis_handler_pt handler)
{
    u_char                  number[NGX_INT64_LEN];
    ngx_str_t               argv[3];
    ngx_govsvc_redis_cmd_t  cmd;

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    argv[0].data = (u_char *) name;
    argv[0].len = ngx_strlen(name);
    argv[1] = call->key;
    argv[2].data = number;
    argv[2].len = ngx_sprintf(number, "%uL", n) - number;

    cmd.argv = argv;
    cmd.argc = 3;
    cmd.key = 1;
    cmd.handler = handler;
    cmd.data = (handler != NULL) ? call : NULL;

    return (ngx_govsvc_redis_send(ngx_http_govsvc_limit_sync_redis(call->sync),
                                  &cmd, NULL)
            == NGX_GOVSVC_REDIS_OK)
           ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_govsvc_quota_granted(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_quota_call_t *call = data;

    int64_t   value;
    uint64_t  back;

    if (status != NGX_GOVSVC_REDIS_OK
        || ngx_govsvc_redis_int(reply, &value) != NGX_OK || value < 0)
    {
        gs_limit_quota_fail(&call->ask);
        ngx_http_govsvc_limit_sync_fails(call->sync);

    } else {
        ngx_http_govsvc_limit_sync_worked(call->sync);
        back = gs_limit_quota_grant(&call->ask, (uint64_t) value);

        if (back != 0) {
            (void) ngx_http_govsvc_quota_send(call, "DECRBY", back, NULL);
        }
    }

    ngx_http_govsvc_quota_free(call);
}


static void
ngx_http_govsvc_quota_free(ngx_http_govsvc_quota_call_t *call)
{
    call->next = ngx_http_govsvc_quota_calls;
    ngx_http_govsvc_quota_calls = call;
}
