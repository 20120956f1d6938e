
/*
 * Copyright (C) govsvc authors
 *
 * jwks_uri: the schedule of fetches, and the way of the keys from the answer
 * to all workers and the state file.
 */


#include "http/ngx_http_govsvc_jwks.h"


#define NGX_HTTP_GOVSVC_JWKS_TICK    250   /* ms */
#define NGX_HTTP_GOVSVC_JWKS_FLIGHT  1500
#define NGX_HTTP_GOVSVC_JWKS_RETRY   1000
#define NGX_HTTP_GOVSVC_JWKS_SLOW    60000


static void ngx_http_govsvc_jwks_event(ngx_event_t *ev);
static void ngx_http_govsvc_jwks_expire(ngx_http_govsvc_jwks_t *j);
static void ngx_http_govsvc_jwks_done(void *data,
    const ngx_govsvc_http_result_t *result);
static ngx_int_t ngx_http_govsvc_jwks_take(ngx_http_govsvc_jwks_t *j,
    const ngx_govsvc_http_result_t *result, const char **why);
static void ngx_http_govsvc_jwks_good(ngx_http_govsvc_jwks_t *j,
    const ngx_govsvc_http_result_t *result);
static void ngx_http_govsvc_jwks_failed(ngx_http_govsvc_jwks_t *j,
    ngx_uint_t status, const char *why);
static void ngx_http_govsvc_jwks_later(ngx_http_govsvc_jwks_t *j,
    uint64_t wait);
static void ngx_http_govsvc_jwks_end(ngx_http_govsvc_jwks_t *j);

#define ngx_http_govsvc_jwks_get(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define ngx_http_govsvc_jwks_put(p, v)  __atomic_store_n(p, v,                \
                                                         __ATOMIC_RELEASE)


uint64_t
ngx_http_govsvc_jwks_now(void)
{
    return ngx_govsvc_mono_us() / 1000;
}


ngx_int_t
ngx_http_govsvc_jwks_start(ngx_http_govsvc_issuer_t *is, ngx_cycle_t *cycle)
{
    ngx_http_govsvc_jwks_t  *j;

    j = is->jwks;

    if (j == NULL) {
        return NGX_OK;
    }

    j->log = cycle->log;
    j->room = ngx_palloc(cycle->pool, j->max_size);

    if (j->room == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_init(&j->waiting);

    /* a fetch of a dead process that had our number */

    gs_lease_drop(&j->shared->flight, (uint32_t) ngx_pid);

    j->dummy.fd = (ngx_socket_t) -1;
    j->dummy.data = j;
    j->event.handler = ngx_http_govsvc_jwks_event;
    j->event.data = &j->dummy;
    j->event.log = cycle->log;
    j->event.cancelable = 1;

    j->ended = ngx_http_govsvc_jwks_get(&j->shared->ended);

    (void) ngx_http_govsvc_jwks_load(j);
    ngx_http_govsvc_jwks_expire(j);

    ngx_add_timer(&j->event, 1);

    return NGX_OK;
}


static void
ngx_http_govsvc_jwks_event(ngx_event_t *ev)
{
    uint64_t                 ended;
    ngx_connection_t        *c;
    ngx_http_govsvc_jwks_t  *j;

    c = ev->data;
    j = c->data;

    ended = ngx_http_govsvc_jwks_get(&j->shared->ended);

    if (ngx_http_govsvc_jwks_load(j) == NGX_OK || ended != j->ended) {
        j->ended = ended;
        ngx_http_govsvc_jwks_wake(j);
    }

    ngx_http_govsvc_jwks_expire(j);

    if (j->http != NULL) {
        (void) gs_lease_take(&j->shared->flight, (uint32_t) ngx_pid,
                             ngx_http_govsvc_jwks_now(),
                             NGX_HTTP_GOVSVC_JWKS_FLIGHT);

    } else if (ngx_govsvc_lead_mine(j->lead)
               && ngx_http_govsvc_jwks_now()
                  >= ngx_http_govsvc_jwks_get(&j->shared->next))
    {
        (void) ngx_http_govsvc_jwks_fetch(j, 0);
    }

    ngx_add_timer(ev, j->nwaiting != 0 ? NGX_HTTP_GOVSVC_JWKS_QUICK
                                       : NGX_HTTP_GOVSVC_JWKS_TICK);
}


ngx_int_t
ngx_http_govsvc_jwks_load(ngx_http_govsvc_jwks_t *j)
{
    size_t     len;
    uint64_t   generation;
    ngx_str_t  text;

    if (gs_blob_generation(j->blob) == j->seen
        || gs_blob_read(j->blob, j->room, &len, &generation) != GS_OK)
    {
        return NGX_DECLINED;
    }

    j->seen = generation;

    text.data = j->room;
    text.len = len;

    return ngx_http_govsvc_keys_set(j->is, &text, &j->url, j->log);
}


/* Keys that nobody has confirmed for so long are no keys any more. */

static void
ngx_http_govsvc_jwks_expire(ngx_http_govsvc_jwks_t *j)
{
    uint64_t  good, now;

    good = ngx_http_govsvc_jwks_get(&j->shared->good);
    now = (uint64_t) ngx_time();

    if (good + j->grace / 1000 >= now) {

        /* they may be the same keys as before, so no load brings them */

        if (j->expired) {
            j->expired = 0;
            j->seen = 0;
            (void) ngx_http_govsvc_jwks_load(j);
            ngx_http_govsvc_jwks_wake(j);
        }

        return;
    }

    if (j->expired || ngx_http_govsvc_keys_generation(j->is) == 0) {
        return;
    }

    ngx_log_error(NGX_LOG_CRIT, j->log, 0,
                  "govsvc jwks: the keys of issuer \"%V\" are older than "
                  "grace and are not used any more, from \"%V\"",
                  &j->is->name, &j->url);

    ngx_http_govsvc_keys_clear(j->is);

    j->expired = 1;
}


ngx_int_t
ngx_http_govsvc_jwks_fetch(ngx_http_govsvc_jwks_t *j, ngx_msec_t throttle)
{
    uint64_t                   now, started;
    ngx_govsvc_http_field_t    accept;
    ngx_govsvc_http_request_t  request;

    if (j->http != NULL) {
        return NGX_OK;
    }

    now = ngx_http_govsvc_jwks_now();

    if (!gs_lease_free(&j->shared->flight, now)) {
        return NGX_OK;
    }

    started = ngx_http_govsvc_jwks_get(&j->shared->started);

    if (started != 0 && now - started < throttle) {
        return NGX_DECLINED;
    }

    if (gs_lease_take(&j->shared->flight, (uint32_t) ngx_pid, now,
                      NGX_HTTP_GOVSVC_JWKS_FLIGHT)
        != GS_OK)
    {
        return NGX_OK;                     /* another worker was quicker */
    }

    /* and may have come to its end between two lines of ours */

    if (ngx_http_govsvc_jwks_get(&j->shared->started) != started) {
        gs_lease_drop(&j->shared->flight, (uint32_t) ngx_pid);
        return NGX_OK;
    }

    ngx_http_govsvc_jwks_put(&j->shared->started, now);

    ngx_str_set(&accept.name, "Accept");
    ngx_str_set(&accept.value, "application/jwk-set+json, application/json");

    ngx_memzero(&request, sizeof(ngx_govsvc_http_request_t));

    request.method = "GET";
    request.fields = &accept;
    request.nfields = 1;
    request.handler = ngx_http_govsvc_jwks_done;
    request.data = j;

    j->http = ngx_govsvc_http_start(&j->target, &request, j->log);

    if (j->http == NULL) {
        ngx_http_govsvc_jwks_failed(j, 0, "the fetch could not be started");
        ngx_http_govsvc_jwks_end(j);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_jwks_done(void *data, const ngx_govsvc_http_result_t *result)
{
    ngx_http_govsvc_jwks_t *j = data;

    const char  *why;

    j->http = NULL;

    if (ngx_http_govsvc_jwks_take(j, result, &why) == NGX_OK) {
        ngx_http_govsvc_jwks_good(j, result);

    } else {
        ngx_http_govsvc_jwks_failed(j, result->status, why);
    }

    ngx_http_govsvc_jwks_end(j);
    ngx_http_govsvc_jwks_wake(j);
}


/* Ours first: what cannot be used here is not given to the others. */

static ngx_int_t
ngx_http_govsvc_jwks_take(ngx_http_govsvc_jwks_t *j,
    const ngx_govsvc_http_result_t *result, const char **why)
{
    gs_rc_t    rc;
    ngx_int_t  set;
    ngx_str_t  text;

    *why = result->text;

    if (result->error != NGX_GOVSVC_HTTP_OK) {
        return NGX_ERROR;
    }

    if (result->status != NGX_HTTP_OK) {
        *why = "the answer is not 200";
        return NGX_ERROR;
    }

    text = ngx_govsvc_from_gs(&result->response->body);
    set = ngx_http_govsvc_keys_set(j->is, &text, &j->url, j->log);

    if (set == NGX_ERROR) {
        *why = "the answer is no set of usable keys";
        return NGX_ERROR;
    }

    /* nobody has them yet, or others took an older set since */

    if (set == NGX_DECLINED && gs_blob_generation(j->blob) != 0
        && gs_blob_generation(j->blob) == j->seen)
    {
        return NGX_OK;
    }

    do {
        rc = gs_blob_publish(j->blob, &result->response->body);
    } while (rc == GS_DECLINED);

    if (rc != GS_OK) {
        *why = "the answer is too large";
        return NGX_ERROR;
    }

    j->seen = gs_blob_generation(j->blob);

    return NGX_OK;
}


static void
ngx_http_govsvc_jwks_good(ngx_http_govsvc_jwks_t *j,
    const ngx_govsvc_http_result_t *result)
{
    uint64_t   wait, age;
    ngx_str_t  text;

    ngx_http_govsvc_jwks_put(&j->shared->good, (uint64_t) ngx_time());
    ngx_http_govsvc_jwks_put(&j->shared->failures, 0);

    j->expired = 0;

    /* the issuer may ask for more often, never for less, nor for a flood */

    wait = j->interval;

    if (gs_http_response_max_age(result->response, &age) == GS_OK
        && age < wait / 1000)
    {
        wait = ngx_max(age * 1000, ngx_min(j->min_refetch, j->interval));
    }

    ngx_http_govsvc_jwks_later(j, wait);

    /* its date tells that the keys were good */

    if (j->save != NULL) {
        text = ngx_govsvc_from_gs(&result->response->body);
        ngx_govsvc_save(j->save, &text, j->log);
    }
}


static void
ngx_http_govsvc_jwks_failed(ngx_http_govsvc_jwks_t *j, ngx_uint_t status,
    const char *why)
{
    uint64_t  n, wait, good;

    n = ngx_http_govsvc_jwks_get(&j->shared->failures);
    ngx_http_govsvc_jwks_put(&j->shared->failures, n + 1);

    wait = (uint64_t) NGX_HTTP_GOVSVC_JWKS_RETRY << ngx_min(n, 6);
    wait = ngx_min(wait, ngx_min(NGX_HTTP_GOVSVC_JWKS_SLOW, j->interval));

    ngx_http_govsvc_jwks_later(j, wait);

    good = ngx_http_govsvc_jwks_get(&j->shared->good);

    if (good == 0) {
        ngx_log_error(NGX_LOG_ERR, j->log, 0,
                      "govsvc jwks: no keys of issuer \"%V\" yet: %s, "
                      "status: %ui, from \"%V\"",
                      &j->is->name, why, status, &j->url);
        return;
    }

    ngx_log_error(NGX_LOG_ERR, j->log, 0,
                  "govsvc jwks: the keys of issuer \"%V\" are %uL s old: %s, "
                  "status: %ui, from \"%V\"",
                  &j->is->name, (uint64_t) ngx_time() - good, why, status,
                  &j->url);
}


/* A tenth less at random: gateways that started together come apart. */

static void
ngx_http_govsvc_jwks_later(ngx_http_govsvc_jwks_t *j, uint64_t wait)
{
    wait -= (uint64_t) ngx_random() % (wait / 10 + 1);

    ngx_http_govsvc_jwks_put(&j->shared->next,
                             ngx_http_govsvc_jwks_now() + wait);
}


static void
ngx_http_govsvc_jwks_end(ngx_http_govsvc_jwks_t *j)
{
    (void) __atomic_add_fetch(&j->shared->ended, 1, __ATOMIC_ACQ_REL);

    gs_lease_drop(&j->shared->flight, (uint32_t) ngx_pid);
}
