
/*
 * Copyright (C) govsvc authors
 *
 * Limits: leases asked of Redis.  The answer finds the record in shared
 * memory again, whatever became of the request that caused the question.
 */


#include "http/ngx_http_govsvc_limit_sync.h"
#include "http/ngx_http_govsvc_redis.h"
#include "core/gs_hex.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>


#define NGX_HTTP_GOVSVC_LIMIT_GRACE     1000000  /* us, to connect at first */
#define NGX_HTTP_GOVSVC_LIMIT_TRIAL     200000   /* us between two trials */
#define NGX_HTTP_GOVSVC_LIMIT_FAILURES  3        /* in a row: an outage */
#define NGX_HTTP_GOVSVC_LIMIT_INFLIGHT  100000   /* us */
#define NGX_HTTP_GOVSVC_LIMIT_PREFIX    64


typedef struct ngx_http_govsvc_limit_call_s  ngx_http_govsvc_limit_call_t;


/* Of one worker; the configuration only points to it. */
struct ngx_http_govsvc_limit_sync_s {
    ngx_govsvc_redis_t            *redis;
    ngx_http_govsvc_limit_call_t  *free;
    uint64_t                       start;      /* us: first looked at */
    uint64_t                       outage;     /* us: since when; or 0 */
    uint64_t                       recovered;  /* us */
    uint64_t                       trial;      /* us: the last one */
    ngx_uint_t                     failures;
    unsigned                       met:1;      /* it was there once */
    unsigned                       trying:1;   /* in spite of failures */
};


struct ngx_http_govsvc_limit_call_s {
    gs_limit_lease_ask_t           ask;
    ngx_http_govsvc_limit_sync_t  *sync;
    ngx_http_request_t            *request;    /* NULL: nobody waits */
    ngx_http_govsvc_limit_call_t  *next;       /* while it is free */
    ngx_str_t                      key;
    u_char                         text[NGX_HTTP_GOVSVC_LIMIT_PREFIX + 3
                                        + NGX_HTTP_GOVSVC_LIMIT_HASH];
};


static uint64_t ngx_http_govsvc_limit_sync_recovered(
    ngx_http_govsvc_limit_sync_t *sync);
static ngx_uint_t ngx_http_govsvc_limit_sync_there(
    ngx_http_govsvc_limit_sync_t *sync);
static ngx_http_govsvc_limit_call_t *ngx_http_govsvc_limit_sync_call(
    ngx_http_govsvc_limit_sync_t *sync);
static ngx_int_t ngx_http_govsvc_limit_sync_name(
    ngx_http_govsvc_limit_call_t *call, ngx_http_govsvc_limit_zone_t *zone,
    const gs_limit_plan_t *plan, gs_str_t *key, ngx_str_t *secret);
static void ngx_http_govsvc_limit_sync_look(
    ngx_http_govsvc_limit_call_t *call);
static void ngx_http_govsvc_limit_sync_reserve(
    ngx_http_govsvc_limit_call_t *call);
static void ngx_http_govsvc_limit_sync_seen(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_limit_sync_granted(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static ngx_int_t ngx_http_govsvc_limit_sync_score(
    ngx_govsvc_redis_reply_t *reply, uint64_t *score);
static void ngx_http_govsvc_limit_sync_failed(
    ngx_http_govsvc_limit_call_t *call);
static void ngx_http_govsvc_limit_sync_end(
    ngx_http_govsvc_limit_call_t *call);


ngx_http_govsvc_limit_sync_t *
ngx_http_govsvc_limit_sync_create(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_govsvc_limit_sync_t  *sync;

    sync = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_limit_sync_t));
    if (sync == NULL) {
        return NULL;
    }

    sync->redis = ngx_http_govsvc_redis(cf, name);

    return (sync->redis != NULL) ? sync : NULL;
}


/*
 * Redis that was never there is waited for a moment, as a worker that has just
 * started; one that is there but fails is tried again from time to time.
 */

uint64_t
ngx_http_govsvc_limit_sync_outage(ngx_http_govsvc_limit_sync_t *sync,
    uint64_t now)
{
    ngx_uint_t  there;

    there = ngx_http_govsvc_limit_sync_there(sync);

    if (sync->outage == 0) {

        if (there) {
            sync->met = 1;
            return 0;
        }

        if (!sync->met) {

            if (sync->start == 0) {
                sync->start = now;
            }

            if (now < sync->start + NGX_HTTP_GOVSVC_LIMIT_GRACE) {
                return 0;
            }
        }

        sync->outage = now;

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "govsvc limit: redis \"%V\" is gone, limits fall back",
                      ngx_govsvc_redis_name(sync->redis));

        return now;
    }

    if (!there) {
        sync->trying = 0;
        return sync->outage;
    }

    if (sync->trying) {
        return 0;
    }

    if (sync->failures != 0
        && now < sync->trial + NGX_HTTP_GOVSVC_LIMIT_TRIAL)
    {
        return sync->outage;
    }

    sync->trial = now;
    sync->recovered = now;

    if (sync->failures != 0) {
        sync->trying = 1;
        return 0;
    }

    ngx_http_govsvc_limit_sync_worked(sync);

    return 0;
}


/* Whether it is due is found out first, for most often it is not. */

void
ngx_http_govsvc_limit_sync_ask(ngx_http_govsvc_limit_zone_t *zone,
    gs_limit_item_t *item, gs_str_t *key, uint64_t now,
    ngx_http_request_t *waits)
{
    int64_t                             offset;
    uint64_t                            error;
    ngx_http_govsvc_ctx_t              *ctx;
    gs_limit_lease_ask_t                ask;
    ngx_http_govsvc_limit_call_t       *call;
    ngx_http_govsvc_limit_data_t       *data;
    ngx_http_govsvc_limit_sync_t       *sync;
    ngx_http_govsvc_limit_main_conf_t  *lmcf;

    sync = zone->sync;

    if (gs_limit_lease_ask(&item->lease, now, 0,
                           ngx_http_govsvc_limit_sync_recovered(sync),
                           NGX_HTTP_GOVSVC_LIMIT_INFLIGHT, &ask)
        != GS_OK)
    {
        return;
    }

    call = ngx_http_govsvc_limit_sync_call(sync);

    if (call == NULL) {
        gs_limit_lease_fail(&ask);
        return;
    }

    call->ask = ask;

    lmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_limit_module);

    if (ngx_http_govsvc_limit_sync_name(call, zone, ask.plan, key,
                                        &lmcf->secret)
        != NGX_OK
        || ngx_govsvc_redis_clock(sync->redis, &call->key, &offset, &error)
           != NGX_OK)
    {
        gs_limit_lease_fail(&call->ask);
        ngx_http_govsvc_limit_sync_end(call);
        return;
    }

    call->ask.anchor = (uint64_t) ((int64_t) ask.anchor + offset);

    if (waits != NULL) {
        ctx = ngx_http_govsvc_get_ctx(waits);
        data = ctx->limit_data;
        data->call = call;
        call->request = waits;
    }

    if (ask.look) {
        ngx_http_govsvc_limit_sync_look(call);

    } else {
        ngx_http_govsvc_limit_sync_reserve(call);
    }
}


void
ngx_http_govsvc_limit_sync_forget(ngx_http_govsvc_limit_data_t *data)
{
    ngx_http_govsvc_limit_call_t *call = data->call;

    if (call != NULL) {
        call->request = NULL;
        data->call = NULL;
    }
}


/* Writes that were lost with a primary are as good as an outage. */

static uint64_t
ngx_http_govsvc_limit_sync_recovered(ngx_http_govsvc_limit_sync_t *sync)
{
    uint64_t  since;

    (void) ngx_govsvc_redis_epoch(sync->redis, &since);

    return (since > sync->recovered) ? since : sync->recovered;
}


static ngx_uint_t
ngx_http_govsvc_limit_sync_there(ngx_http_govsvc_limit_sync_t *sync)
{
    return ngx_govsvc_redis_ready(sync->redis);
}


static ngx_http_govsvc_limit_call_t *
ngx_http_govsvc_limit_sync_call(ngx_http_govsvc_limit_sync_t *sync)
{
    ngx_http_govsvc_limit_call_t  *call;

    call = sync->free;

    if (call != NULL) {
        sync->free = call->next;

    } else {
        call = ngx_palloc(ngx_cycle->pool,
                          sizeof(ngx_http_govsvc_limit_call_t));
        if (call == NULL) {
            return NULL;
        }
    }

    call->sync = sync;
    call->request = NULL;

    return call;
}


static ngx_int_t
ngx_http_govsvc_limit_sync_name(ngx_http_govsvc_limit_call_t *call,
    ngx_http_govsvc_limit_zone_t *zone, const gs_limit_plan_t *plan,
    gs_str_t *key, ngx_str_t *secret)
{
    u_char            head[64 + 1 + 2 * NGX_INT64_LEN + 2], *p;
    ngx_str_t         s;
    const ngx_str_t  *prefix;

    prefix = ngx_govsvc_redis_prefix(call->sync->redis);

    if (prefix->len > NGX_HTTP_GOVSVC_LIMIT_PREFIX) {
        return NGX_ERROR;
    }

    s.data = head;
    s.len = ngx_snprintf(head, sizeof(head), "%V/%uL/%uL", &zone->base.name,
                         plan->shared.interval, plan->shared.burst)
            - head;

    p = ngx_cpymem(call->text, prefix->data, prefix->len);
    p = ngx_cpymem(p, "rl:", 3);

    if (ngx_http_govsvc_limit_hash(p, secret, &s, key) != NGX_OK) {
        return NGX_ERROR;
    }

    call->key.data = call->text;
    call->key.len = prefix->len + 3 + NGX_HTTP_GOVSVC_LIMIT_HASH;

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_limit_hash(u_char *dst, ngx_str_t *secret, ngx_str_t *head,
    gs_str_t *key)
{
    u_char    md[EVP_MAX_MD_SIZE], seed[EVP_MAX_MD_SIZE];
    unsigned  len;

    /* first a key of the zone, so that what follows may be of any length */

    if (HMAC(EVP_sha256(), secret->len ? secret->data : (u_char *) "",
             (int) secret->len, head->data, head->len, seed, &len)
        == NULL
        || HMAC(EVP_sha256(), seed, (int) len, key->data, key->len, md, &len)
           == NULL)
    {
        return NGX_ERROR;
    }

    gs_hex_encode(dst, md, NGX_HTTP_GOVSVC_LIMIT_HASH / 2);

    return NGX_OK;
}


static void
ngx_http_govsvc_limit_sync_look(ngx_http_govsvc_limit_call_t *call)
{
    ngx_str_t               argv[3];
    ngx_govsvc_redis_cmd_t  cmd;

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    ngx_str_set(&argv[0], "ZSCORE");
    argv[1] = call->key;
    ngx_str_set(&argv[2], "t");

    cmd.argv = argv;
    cmd.argc = 3;
    cmd.key = 1;
    cmd.handler = ngx_http_govsvc_limit_sync_seen;
    cmd.data = call;

    if (ngx_govsvc_redis_send(call->sync->redis, &cmd, NULL)
        != NGX_GOVSVC_REDIS_OK)
    {
        ngx_http_govsvc_limit_sync_failed(call);
    }
}


/*
 * No MULTI is needed: ZADD GT only ever moves the time on, and ranges of
 * ZINCRBY never overlap, whatever comes between the two.
 */

static void
ngx_http_govsvc_limit_sync_reserve(ngx_http_govsvc_limit_call_t *call)
{
    u_char                      anchor[NGX_INT64_LEN], number[NGX_INT64_LEN];
    ngx_str_t                   argv[5];
    ngx_govsvc_redis_t         *redis;
    ngx_govsvc_redis_cmd_t      cmd;
    ngx_govsvc_redis_status_e   status;

    redis = call->sync->redis;
    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    ngx_str_set(&argv[0], "ZADD");
    argv[1] = call->key;
    ngx_str_set(&argv[2], "GT");
    argv[3].data = anchor;
    argv[3].len = ngx_sprintf(anchor, "%uL", call->ask.anchor) - anchor;
    ngx_str_set(&argv[4], "t");

    cmd.argv = argv;
    cmd.argc = 5;
    cmd.key = 1;

    status = ngx_govsvc_redis_send(redis, &cmd, NULL);

    if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_http_govsvc_limit_sync_failed(call);
        return;
    }

    ngx_str_set(&argv[0], "ZINCRBY");
    argv[2].data = number;
    argv[2].len = ngx_sprintf(number, "%uL", call->ask.increment) - number;
    ngx_str_set(&argv[3], "t");

    cmd.argc = 4;
    cmd.handler = ngx_http_govsvc_limit_sync_granted;
    cmd.data = call;

    status = ngx_govsvc_redis_send(redis, &cmd, NULL);

    if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_http_govsvc_limit_sync_failed(call);
        return;
    }

    if (call->ask.ttl == 0) {
        return;
    }

    ngx_str_set(&argv[0], "PEXPIRE");
    argv[2].len = ngx_sprintf(number, "%uL", call->ask.ttl) - number;

    cmd.argc = 3;
    cmd.handler = NULL;
    cmd.data = NULL;

    (void) ngx_govsvc_redis_send(redis, &cmd, NULL);
}


static void
ngx_http_govsvc_limit_sync_seen(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_limit_call_t *call = data;

    int64_t   offset;
    uint64_t  score, error;

    score = 0;

    if (status != NGX_GOVSVC_REDIS_OK
        || (!ngx_govsvc_redis_is_nil(reply)
            && ngx_http_govsvc_limit_sync_score(reply, &score) != NGX_OK)
        || ngx_govsvc_redis_clock(call->sync->redis, &call->key, &offset,
                                  &error)
           != NGX_OK)
    {
        ngx_http_govsvc_limit_sync_failed(call);
        return;
    }

    ngx_http_govsvc_limit_sync_worked(call->sync);

    if (gs_limit_lease_seen(&call->ask, ngx_govsvc_mono_us(), offset, score)
        == GS_OK)
    {
        ngx_http_govsvc_limit_sync_reserve(call);
        return;
    }

    ngx_http_govsvc_limit_sync_end(call);
}


static void
ngx_http_govsvc_limit_sync_granted(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_limit_call_t *call = data;

    int64_t   offset;
    uint64_t  score, error;

    if (status != NGX_GOVSVC_REDIS_OK
        || ngx_http_govsvc_limit_sync_score(reply, &score) != NGX_OK
        || ngx_govsvc_redis_clock(call->sync->redis, &call->key, &offset,
                                  &error)
           != NGX_OK)
    {
        ngx_http_govsvc_limit_sync_failed(call);
        return;
    }

    ngx_http_govsvc_limit_sync_worked(call->sync);

    (void) gs_limit_lease_grant(&call->ask, ngx_govsvc_mono_us(), offset,
                                score);

    ngx_http_govsvc_limit_sync_end(call);
}


static ngx_int_t
ngx_http_govsvc_limit_sync_score(ngx_govsvc_redis_reply_t *reply,
    uint64_t *score)
{
    double  value;

    if (ngx_govsvc_redis_double(reply, &value) != NGX_OK
        || !(value >= 0 && value < 9007199254740992.0))
    {
        return NGX_ERROR;
    }

    *score = (uint64_t) value;

    return NGX_OK;
}


/* Never asked again: what was reserved, if it was, is spent. */

static void
ngx_http_govsvc_limit_sync_failed(ngx_http_govsvc_limit_call_t *call)
{
    ngx_http_govsvc_limit_sync_fails(call->sync);

    gs_limit_lease_fail(&call->ask);
    ngx_http_govsvc_limit_sync_end(call);
}


void
ngx_http_govsvc_limit_sync_fails(ngx_http_govsvc_limit_sync_t *sync)
{
    sync->trying = 0;

    if (++sync->failures == NGX_HTTP_GOVSVC_LIMIT_FAILURES
        && sync->outage == 0)
    {
        sync->outage = ngx_govsvc_mono_us();
        sync->trial = sync->outage;

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "govsvc limit: redis \"%V\" fails, limits fall back",
                      ngx_govsvc_redis_name(sync->redis));
    }
}


ngx_govsvc_redis_t *
ngx_http_govsvc_limit_sync_redis(ngx_http_govsvc_limit_sync_t *sync)
{
    return sync->redis;
}


void
ngx_http_govsvc_limit_sync_worked(ngx_http_govsvc_limit_sync_t *sync)
{
    if (sync->outage != 0) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "govsvc limit: redis \"%V\" is back",
                      ngx_govsvc_redis_name(sync->redis));
    }

    sync->outage = 0;
    sync->trying = 0;
    sync->failures = 0;
}


static void
ngx_http_govsvc_limit_sync_end(ngx_http_govsvc_limit_call_t *call)
{
    ngx_http_request_t            *r;
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_limit_data_t  *data;

    r = call->request;

    call->request = NULL;
    call->next = call->sync->free;
    call->sync->free = call;

    if (r == NULL) {
        return;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    data = ctx->limit_data;
    data->call = NULL;

    ngx_http_govsvc_limit_wake(r);
}
