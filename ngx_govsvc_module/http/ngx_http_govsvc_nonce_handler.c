
/*
 * Copyright (C) govsvc authors
 *
 * Nonces of a request: taken on this node first, so that a replay here never
 * asks Redis; then of all nodes, for which the request waits.
 *
 * The value at Redis is a number of this request alone.  So a command may be
 * sent again when its connection was lost: whether the first one was carried
 * out shows in the answer to the second.
 */


#include "core/gs_b64.h"
#include "core/gs_hex.h"
#include "http/ngx_http_govsvc_apps.h"

#include <openssl/sha.h>


#define NGX_HTTP_GOVSVC_NONCE_PREFIX  64


static ngx_int_t ngx_http_govsvc_nonce_ask(ngx_http_request_t *r,
    ngx_http_govsvc_nonce_zone_t *zone, const ngx_http_govsvc_nonce_t *n,
    ngx_http_govsvc_nonce_wait_t **wait, gs_sign_reason_e *reason);
static ngx_govsvc_redis_status_e ngx_http_govsvc_nonce_send(
    ngx_http_govsvc_nonce_wait_t *w, const ngx_http_govsvc_nonce_t *n);
static ngx_int_t ngx_http_govsvc_nonce_key(ngx_str_t *key,
    const ngx_str_t *prefix, const ngx_http_govsvc_nonce_t *n);
static void ngx_http_govsvc_nonce_answer(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static gs_sign_reason_e ngx_http_govsvc_nonce_judge(
    ngx_http_govsvc_nonce_wait_t *w, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply);
static gs_sign_reason_e ngx_http_govsvc_nonce_new(
    ngx_http_govsvc_nonce_wait_t *w);
static gs_sign_reason_e ngx_http_govsvc_nonce_failed(
    ngx_http_govsvc_nonce_zone_t *zone, ngx_govsvc_redis_status_e status);
static void ngx_http_govsvc_nonce_forget(void *data);


ngx_int_t
ngx_http_govsvc_nonce_take(ngx_http_request_t *r,
    ngx_http_govsvc_nonce_zone_t *zone, const ngx_http_govsvc_nonce_t *n,
    ngx_http_govsvc_nonce_wait_t **wait, gs_sign_reason_e *reason)
{
    if (zone->size == 0) {
        *reason = GS_SIGN_STORE_FULL;
        return NGX_OK;
    }

    switch (gs_nonce_insert(&zone->store, &n->app, &n->nonce, n->until,
                            n->now))
    {

    case GS_OK:
        break;

    case GS_DECLINED:
        *reason = GS_SIGN_REPLAY;
        return NGX_OK;

    default:
        *reason = GS_SIGN_STORE_FULL;
        return NGX_OK;
    }

    if (zone->redis == NULL) {
        *reason = GS_SIGN_OK;
        return NGX_OK;
    }

    return ngx_http_govsvc_nonce_ask(r, zone, n, wait, reason);
}


static ngx_int_t
ngx_http_govsvc_nonce_ask(ngx_http_request_t *r,
    ngx_http_govsvc_nonce_zone_t *zone, const ngx_http_govsvc_nonce_t *n,
    ngx_http_govsvc_nonce_wait_t **wait, gs_sign_reason_e *reason)
{
    ngx_http_cleanup_t            *cln;
    ngx_govsvc_redis_status_e      status;
    ngx_http_govsvc_nonce_wait_t  *w;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_govsvc_nonce_wait_t));

    if (cln == NULL
        || ngx_handle_read_event(r->connection->read, 0) != NGX_OK)
    {
        *reason = GS_SIGN_NO_MEMORY;
        return NGX_OK;
    }

    w = cln->data;
    ngx_memzero(w, sizeof(ngx_http_govsvc_nonce_wait_t));

    w->request = r;
    w->zone = zone;
    w->time = n->time;

    status = ngx_http_govsvc_nonce_send(w, n);

    if (status != NGX_GOVSVC_REDIS_OK) {
        *reason = ngx_http_govsvc_nonce_failed(zone, status);
        return NGX_OK;
    }

    cln->handler = ngx_http_govsvc_nonce_forget;
    *wait = w;

    /* a client that goes away is noticed, other events mean nothing */

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_AGAIN;
}


static ngx_govsvc_redis_status_e
ngx_http_govsvc_nonce_send(ngx_http_govsvc_nonce_wait_t *w,
    const ngx_http_govsvc_nonce_t *n)
{
    u_char                   random[NGX_HTTP_GOVSVC_NONCE_OWN / 2];
    u_char                   ttl[NGX_INT64_LEN];
    u_char                   key[NGX_HTTP_GOVSVC_NONCE_PREFIX + 2
                                 + NGX_HTTP_GOVSVC_NONCE_KEY];
    ngx_str_t                argv[7];
    const ngx_str_t         *prefix;
    ngx_govsvc_redis_cmd_t   cmd;

    prefix = ngx_govsvc_redis_prefix(w->zone->redis);

    argv[1].data = key;

    if (prefix->len > NGX_HTTP_GOVSVC_NONCE_PREFIX
        || ngx_http_govsvc_nonce_key(&argv[1], prefix, n) != NGX_OK
        || ngx_govsvc_random(random, sizeof(random),
                             w->request->connection->log)
           != NGX_OK)
    {
        return NGX_GOVSVC_REDIS_BAD;
    }

    gs_hex_encode(w->own, random, sizeof(random));

    ngx_str_set(&argv[0], "SET");
    argv[2].data = w->own;
    argv[2].len = NGX_HTTP_GOVSVC_NONCE_OWN;
    ngx_str_set(&argv[3], "NX");
    ngx_str_set(&argv[4], "GET");
    ngx_str_set(&argv[5], "PX");
    argv[6].data = ttl;
    argv[6].len = (size_t) (ngx_sprintf(ttl, "%L", (n->until - n->now) * 1000)
                            - ttl);

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    cmd.argv = argv;
    cmd.argc = 7;
    cmd.key = 1;
    cmd.handler = ngx_http_govsvc_nonce_answer;
    cmd.data = w;
    cmd.again = 1;

    return ngx_govsvc_redis_send(w->zone->redis, &cmd, &w->call);
}


/* "PREFIXn:" and 128 bits of a hash of the application and its nonce. */

static ngx_int_t
ngx_http_govsvc_nonce_key(ngx_str_t *key, const ngx_str_t *prefix,
    const ngx_http_govsvc_nonce_t *n)
{
    u_char   md[SHA256_DIGEST_LENGTH], text[GS_NONCE_TEXT];
    u_char  *p;

    /* both fit: the store of this node has taken them */

    p = ngx_cpymem(text, n->app.data, n->app.len);
    *p++ = '\0';
    p = ngx_cpymem(p, n->nonce.data, n->nonce.len);

    /* libcrypto allocates even for this */

    if (SHA256(text, (size_t) (p - text), md) == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(key->data, prefix->data, prefix->len);
    p = ngx_cpymem(p, "n:", 2);
    p += gs_b64url_encode(p, md, 16);

    key->len = (size_t) (p - key->data);

    return NGX_OK;
}


static void
ngx_http_govsvc_nonce_answer(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_nonce_wait_t *w = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    w->call = NULL;
    w->reason = ngx_http_govsvc_nonce_judge(w, status, reply);

    r = w->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}


static gs_sign_reason_e
ngx_http_govsvc_nonce_judge(ngx_http_govsvc_nonce_wait_t *w,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply)
{
    ngx_str_t  text;

    if (status != NGX_GOVSVC_REDIS_OK) {
        return ngx_http_govsvc_nonce_failed(w->zone, status);
    }

    if (ngx_govsvc_redis_is_nil(reply)) {
        return ngx_http_govsvc_nonce_new(w);
    }

    if (ngx_govsvc_redis_text(reply, &text) != NGX_OK
        || text.len != NGX_HTTP_GOVSVC_NONCE_OWN)
    {
        return ngx_http_govsvc_nonce_failed(w->zone, NGX_GOVSVC_REDIS_ERROR);
    }

    if (ngx_memcmp(text.data, w->own, text.len) == 0) {
        return ngx_http_govsvc_nonce_new(w);
    }

    gs_nonce_count(&w->zone->store, GS_NONCE_ELSEWHERE);

    return GS_SIGN_REPLAY;
}


/*
 * A primary that has just taken over may lack what another node wrote last:
 * what was signed before is not to be told from a replay.
 */

static gs_sign_reason_e
ngx_http_govsvc_nonce_new(ngx_http_govsvc_nonce_wait_t *w)
{
    int64_t                        now, old;
    uint64_t                       since;
    ngx_uint_t                     epoch;
    ngx_http_govsvc_nonce_zone_t  *zone;

    zone = w->zone;
    now = (int64_t) ngx_time();

    if (zone->gone) {
        zone->gone = 0;
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "govsvc nonce: redis \"%V\" answers again",
                      ngx_govsvc_redis_name(zone->redis));
    }

    gs_nonce_history(&zone->store, ngx_govsvc_redis_history(zone->redis),
                     now);

    epoch = ngx_govsvc_redis_epoch(zone->redis, &since);

    if (epoch != zone->epoch) {
        zone->epoch = epoch;
        gs_nonce_lose(&zone->store, now);
    }

    old = gs_nonce_lost(&zone->store);

    if (old == 0 || w->time > old + zone->skew) {
        return GS_SIGN_OK;
    }

    gs_nonce_count(&zone->store, GS_NONCE_FENCED);

    if (zone->on_error == NGX_HTTP_GOVSVC_NONCE_LOCAL) {
        gs_nonce_count(&zone->store, GS_NONCE_ALONE);
        return GS_SIGN_OK;
    }

    if (old + zone->skew >= now) {
        w->retry_after = (ngx_uint_t) (old + zone->skew - now + 1);
    }

    return GS_SIGN_STORE_LOST;
}


static gs_sign_reason_e
ngx_http_govsvc_nonce_failed(ngx_http_govsvc_nonce_zone_t *zone,
    ngx_govsvc_redis_status_e status)
{
    ngx_uint_t  local;

    local = (zone->on_error == NGX_HTTP_GOVSVC_NONCE_LOCAL);

    if (!zone->gone) {
        zone->gone = 1;
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "govsvc nonce: redis \"%V\" gives no answer (%s), %s",
                      ngx_govsvc_redis_name(zone->redis),
                      ngx_govsvc_redis_status_text(status),
                      local ? "a replay at another node is not seen"
                            : "signed requests are refused");
    }

    gs_nonce_count(&zone->store, local ? GS_NONCE_ALONE : GS_NONCE_REFUSED);

    return local ? GS_SIGN_OK : GS_SIGN_STORE_GONE;
}


/* The request ends while it waits. */

static void
ngx_http_govsvc_nonce_forget(void *data)
{
    ngx_http_govsvc_nonce_wait_t *w = data;

    if (w->call != NULL) {
        ngx_govsvc_redis_cancel(w->call);
        w->call = NULL;
    }
}
