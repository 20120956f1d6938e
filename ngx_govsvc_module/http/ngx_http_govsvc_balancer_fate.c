
/*
 * Copyright (C) govsvc authors
 *
 * Balancer: what the fate of a request says of the peer that had it, and
 * whether there may be another try.
 */


#include "http/ngx_http_govsvc_balancer_priv.h"
#include "http/ngx_http_govsvc_event.h"


static ngx_int_t ngx_http_govsvc_verdict(ngx_peer_connection_t *pc,
    ngx_http_upstream_t *u, ngx_uint_t state);
static void ngx_http_govsvc_succeeded(ngx_http_govsvc_peer_t *peer,
    ngx_http_upstream_t *u);
static void ngx_http_govsvc_recovered(ngx_http_govsvc_peer_t *peer);
static void ngx_http_govsvc_failed(ngx_http_govsvc_peer_t *peer,
    ngx_peer_connection_t *pc, ngx_http_upstream_t *u);
static ngx_uint_t ngx_http_govsvc_counted(ngx_http_govsvc_peer_t *peer,
    ngx_uint_t failed);
static gs_health_error_e ngx_http_govsvc_error(ngx_peer_connection_t *pc,
    ngx_http_upstream_t *u);
static void ngx_http_govsvc_eject(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, gs_health_t *fate, uint64_t fails);
static const gs_route_instance_t *ngx_http_govsvc_peer_instance(
    ngx_http_govsvc_section_t *s, const gs_route_pool_t *pool,
    const gs_registry_slot_t *slot);
static void ngx_http_govsvc_back(ngx_http_govsvc_peer_t *peer);


void
ngx_http_govsvc_free_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_govsvc_peer_t *peer = data;

    ngx_int_t  rc;

    rc = ngx_http_govsvc_verdict(pc, peer->request->upstream, state);

    if (peer->local->generation == peer->generation
        && peer->local->count != 0)
    {
        peer->local->count--;
    }

    if (rc == NGX_AGAIN) {
        peer->stale++;

    } else if (peer->ntried < NGX_HTTP_GOVSVC_TRIED) {
        peer->tried[peer->ntried++] = peer->key;
    }

    if (__atomic_load_n(&peer->slot->generation, __ATOMIC_ACQUIRE)
        == peer->generation)
    {
        if (rc == NGX_OK) {
            ngx_http_govsvc_succeeded(peer, peer->request->upstream);

        } else if (rc == NGX_ERROR) {
            ngx_http_govsvc_failed(peer, pc, peer->request->upstream);
        }
    }

    if ((state & NGX_PEER_FAILED) && rc != NGX_AGAIN && pc->tries > 1
        && peer->purse != NULL && !gs_health_can_retry(peer->purse->tokens))
    {
        ngx_log_error(NGX_LOG_WARN, peer->request->connection->log, 0,
                      "govsvc balancer: no retry, the budget of pool \"%V\" "
                      "is spent", &peer->pool);
        pc->tries = 0;
    }

    if (pc->tries) {
        pc->tries--;
    }
}


/*
 * NGX_OK: an answer; NGX_ERROR: none, or one of a gateway (502, 503, 504);
 * NGX_AGAIN: the peer had closed a cached connection before our request came,
 * which says nothing of its health; NGX_DECLINED: nothing to learn.
 */

static ngx_int_t
ngx_http_govsvc_verdict(ngx_peer_connection_t *pc, ngx_http_upstream_t *u,
    ngx_uint_t state)
{
    ngx_uint_t         status;
    ngx_connection_t  *c;

    status = u->state != NULL ? u->state->status : 0;

    if (status != 0) {
        return (status == NGX_HTTP_BAD_GATEWAY
                || status == NGX_HTTP_SERVICE_UNAVAILABLE
                || status == NGX_HTTP_GATEWAY_TIME_OUT)
                   ? NGX_ERROR : NGX_OK;
    }

    if (!(state & NGX_PEER_FAILED)) {
        return NGX_DECLINED;
    }

    c = pc->connection;

    if (pc->cached && c != NULL && !c->read->timedout && !c->write->timedout
        && (u->state == NULL || u->state->bytes_received == 0))
    {
        return NGX_AGAIN;
    }

    return NGX_ERROR;
}


static void
ngx_http_govsvc_succeeded(ngx_http_govsvc_peer_t *peer, ngx_http_upstream_t *u)
{
    uint64_t   ewma, us, *words;

    words = peer->slot->words;

    /* the line is shared by all workers: written only where it changes */

    if (__atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_FAILS], __ATOMIC_RELAXED)
        != 0)
    {
        __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_FAILS], 0,
                         __ATOMIC_RELAXED);
    }

    if (__atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_EJECTED],
                        __ATOMIC_RELAXED)
        != 0)
    {
        ngx_http_govsvc_recovered(peer);
    }

    if (peer->eject_ratio != 0) {
        (void) ngx_http_govsvc_counted(peer, 0);
    }

    us = (uint64_t) (u->state->header_time != (ngx_msec_t) -1
                         ? u->state->header_time
                         : ngx_current_msec - peer->start)
         * 1000;

    ewma = __atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_EWMA],
                           __ATOMIC_RELAXED);

    us = (ewma * 7 + us) / 8;

    if (us != ewma) {
        __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_EWMA], us,
                         __ATOMIC_RELAXED);
    }
}


/*
 * Not by an answer that was on its way before the peer was ejected: by one to
 * a trial, or in a panic.
 */

static void
ngx_http_govsvc_recovered(ngx_http_govsvc_peer_t *peer)
{
    uint64_t     *words;
    gs_health_t   fate;

    words = peer->slot->words;

    gs_health_unpack(__atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_FATE],
                                     __ATOMIC_RELAXED),
                     &fate);

    if (!peer->trial && peer->start <= fate.since) {
        return;
    }

    fate.state = GS_HEALTH_RECOVERED;
    fate.since = ngx_current_msec;

    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_FATE],
                     gs_health_pack(&fate), __ATOMIC_RELAXED);
    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_WINDOW], 0,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_EJECTED], 0,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_UNTIL], 0, __ATOMIC_SEQ_CST);

    ngx_log_error(NGX_LOG_NOTICE, peer->request->connection->log, 0,
                  "govsvc balancer: peer %V of pool \"%V\" is back",
                  &peer->name, &peer->pool);

    ngx_http_govsvc_back(peer);
}


static void
ngx_http_govsvc_back(ngx_http_govsvc_peer_t *peer)
{
    gs_str_t                    id;
    const gs_route_pool_t      *pool;
    const gs_route_instance_t  *instance;
    ngx_http_govsvc_section_t   s;

    if (ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return;
    }

    id = ngx_govsvc_to_gs(&peer->pool);
    pool = gs_route_pool_find(s.table, &id);
    instance = ngx_http_govsvc_peer_instance(&s, pool, peer->slot);

    if (instance != NULL) {
        ngx_http_govsvc_instance_event(&s, instance, "INSTANCE_BACK",
                                       "an answer", NULL, 0);
    }

    ngx_http_govsvc_section_leave(&s);
}


/* NULL: it is gone from the table, or its pool is. */

static const gs_route_instance_t *
ngx_http_govsvc_peer_instance(ngx_http_govsvc_section_t *s,
    const gs_route_pool_t *pool, const gs_registry_slot_t *slot)
{
    uint32_t                    i, n;
    const gs_route_instance_t  *instance;

    for (i = 0; pool != NULL && i < pool->ninstances; i++) {
        instance = gs_route_instance(s->table, pool->instance + i);
        n = ngx_http_govsvc_peer_entry(s, instance)->slot;

        if (gs_registry_slot(s->registry, n) == slot) {
            return instance;
        }
    }

    return NULL;
}


void
ngx_http_govsvc_instance_event(ngx_http_govsvc_section_t *s,
    const gs_route_instance_t *instance, const char *code, const char *why,
    const gs_health_t *health, uint64_t time)
{
    const gs_route_pool_t             *pool;
    ngx_http_govsvc_event_instance_t   what;

    pool = gs_route_pool(s->table, instance->pool);

    ngx_memzero(&what, sizeof(ngx_http_govsvc_event_instance_t));

    what.code = code;
    what.why = why;
    what.health = health;
    what.id = gs_route_str(s->table, instance->id);
    what.address = gs_route_str(s->table, instance->name);
    what.pool = gs_route_str(s->table, pool->id);
    what.platform = gs_route_str(s->table,
                        gs_route_platform(s->table, pool->platform)->id);

    if (health == NULL) {
        what.severity = 1;

    } else {
        what.severity = ngx_http_govsvc_pool_usable(s, pool, 0) != 0 ? 2 : 3;
    }

    if (time != 0) {
        what.until = ngx_govsvc_wall_us() + time * 1000;
    }

    ngx_http_govsvc_event_instance(&what);
}


/* 1 if too large a share of the requests of the window failed. */

static ngx_uint_t
ngx_http_govsvc_counted(ngx_http_govsvc_peer_t *peer, ngx_uint_t failed)
{
    uint64_t  old, word, *window;

    window = &peer->slot->words[NGX_HTTP_GOVSVC_PEER_WINDOW];
    old = __atomic_load_n(window, __ATOMIC_RELAXED);

    do {
        word = gs_health_count(old, failed, peer->eject_window,
                               ngx_current_msec);

    } while (!__atomic_compare_exchange_n(window, &old, word, 0,
                                          __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));

    return gs_health_exceeds(word, peer->eject_ratio, peer->eject_volume);
}


static gs_health_error_e
ngx_http_govsvc_error(ngx_peer_connection_t *pc, ngx_http_upstream_t *u)
{
    ngx_connection_t  *c;

    if (u->state != NULL && u->state->status != 0) {
        return GS_HEALTH_STATUS;
    }

    c = pc->connection;

    if (c != NULL && (c->read->timedout || c->write->timedout)) {
        return GS_HEALTH_TIMEOUT;
    }

    if (u->state == NULL || u->state->connect_time == (ngx_msec_t) -1) {
        return GS_HEALTH_CONNECT;
    }

    return GS_HEALTH_REQUEST;
}


static void
ngx_http_govsvc_failed(ngx_http_govsvc_peer_t *peer, ngx_peer_connection_t *pc,
    ngx_http_upstream_t *u)
{
    uint64_t                    fails;
    ngx_uint_t                  ratio;
    gs_health_t                 fate;
    ngx_http_govsvc_section_t   s;

    fails = __atomic_add_fetch(
                &peer->slot->words[NGX_HTTP_GOVSVC_PEER_FAILS], 1,
                __ATOMIC_RELAXED);

    ratio = peer->eject_ratio != 0 && ngx_http_govsvc_counted(peer, 1);

    if ((!ratio && !peer->trial
         && (peer->eject_fails == 0 || fails < peer->eject_fails))
        || ngx_http_govsvc_section_enter(&s) != NGX_OK)
    {
        return;
    }

    ngx_memzero(&fate, sizeof(gs_health_t));

    fate.state = ratio ? GS_HEALTH_RATIO : GS_HEALTH_FAILS;
    fate.error = ngx_http_govsvc_error(pc, u);
    fate.status = u->state != NULL ? (uint32_t) u->state->status : 0;
    fate.since = s.now;

    ngx_http_govsvc_eject(&s, peer, &fate, fails);

    ngx_http_govsvc_section_leave(&s);
}


static void
ngx_http_govsvc_eject(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, gs_health_t *fate, uint64_t fails)
{
    gs_str_t                    id;
    uint64_t                    time, until, times, *words, *pool_until;
    ngx_uint_t                  last;
    const gs_route_pool_t      *pool, *first;
    const gs_route_instance_t  *instance;

    id = ngx_govsvc_to_gs(&peer->pool);
    pool = gs_route_pool_find(s->table, &id);
    id = ngx_govsvc_to_gs(&peer->first);
    first = gs_route_pool_find(s->table, &id);

    if (pool == NULL || first == NULL) {
        return;
    }

    words = peer->slot->words;

    /* a trial has its place among the ejected already */

    if (!peer->trial) {

        if (__atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_UNTIL],
                            __ATOMIC_RELAXED)
            > s->now)
        {
            return;
        }

        (void) ngx_http_govsvc_step(s, first, peer->step, &last);

        if (!gs_health_may_eject(gs_route_pool_enabled(s->table, pool),
                                 (uint32_t) ngx_http_govsvc_pool_usable(s,
                                                                 pool, 0),
                                 pool->eject_max, last))
        {
            return;
        }
    }

    times = __atomic_add_fetch(&words[NGX_HTTP_GOVSVC_PEER_EJECTED], 1,
                               __ATOMIC_RELAXED);
    time = gs_health_eject_time(pool->eject_time, times);
    until = s->now + time;

    /* the pool first: a peer out without it would not be seen as such */

    pool_until = &gs_registry_slot(s->registry,
                           ngx_http_govsvc_pool_entry(s, pool)->slot)
                     ->words[NGX_HTTP_GOVSVC_POOL_UNTIL];

    if (__atomic_load_n(pool_until, __ATOMIC_RELAXED) < until) {
        __atomic_store_n(pool_until, until, __ATOMIC_SEQ_CST);
    }

    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_FATE], gs_health_pack(fate),
                     __ATOMIC_RELAXED);
    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_UNTIL], until,
                     __ATOMIC_SEQ_CST);
    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_FAILS], 0,
                     __ATOMIC_RELAXED);

    ngx_log_error(NGX_LOG_WARN, peer->request->connection->log, 0,
                  "govsvc balancer: peer %V of pool \"%V\" ejected for %uLms "
                  "after %uL failures", &peer->name, &peer->pool, time, fails);

    instance = ngx_http_govsvc_peer_instance(s, pool, peer->slot);

    if (instance != NULL) {
        ngx_http_govsvc_instance_event(s, instance, "INSTANCE_EJECTED",
                                       fate->state == GS_HEALTH_RATIO
                                       ? "ratio" : "failures", fate, time);
    }
}
