
/*
 * Copyright (C) govsvc authors
 *
 * Balancer: one request and its peers.  Every try picks anew from the table
 * that is current then; what a request keeps is copied to its own memory.
 */


#include "http/ngx_http_govsvc_balancer_priv.h"
#include "core/gs_siphash.h"


static ngx_uint_t ngx_http_govsvc_barred(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);
static ngx_int_t ngx_http_govsvc_get_peer(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_http_govsvc_tries(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer);
static const gs_route_instance_t *ngx_http_govsvc_choose(
    ngx_http_govsvc_section_t *s, ngx_http_govsvc_peer_t *peer,
    const gs_route_pool_t **pool);
static const gs_route_instance_t *ngx_http_govsvc_pick(
    ngx_http_govsvc_section_t *s, ngx_http_govsvc_peer_t *peer,
    const gs_route_pool_t *pool, ngx_uint_t last);
static const gs_route_instance_t *ngx_http_govsvc_pick_by(
    ngx_http_govsvc_section_t *s, ngx_http_govsvc_peer_t *peer,
    const gs_route_pool_t *pool);
static uint32_t ngx_http_govsvc_load(void *ctx,
    const gs_route_instance_t *instance);
static ngx_int_t ngx_http_govsvc_hash(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool,
    uint64_t *hash);
static ngx_int_t ngx_http_govsvc_take(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool,
    const gs_route_instance_t *instance);
static void ngx_http_govsvc_address(ngx_http_govsvc_peer_t *peer,
    const gs_route_instance_t *instance);
static ngx_int_t ngx_http_govsvc_try(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool,
    const gs_route_instance_t *instance);


#define NGX_HTTP_GOVSVC_TRIALS  4          /* lost to others, in one pick */
#define NGX_HTTP_GOVSVC_ONCE                                                  \
    (NGX_HTTP_POST|NGX_HTTP_PATCH|NGX_HTTP_LOCK)


/* equal keys go to equal peers in all workers and on all nodes */

static const gs_siphash_key_t  ngx_http_govsvc_hash_key = {
    0x676f767376632d31, 0x62616c616e636572
};


ngx_int_t
ngx_http_govsvc_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_int_t                   tries;
    ngx_http_upstream_t        *u;
    ngx_http_govsvc_ctx_t      *ctx;
    ngx_http_govsvc_peer_t     *peer;
    ngx_http_govsvc_choice_t   *choice;
    ngx_http_govsvc_section_t   s;

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_govsvc_barred(r, ctx)) {
        return NGX_ERROR;
    }

    peer = ngx_pcalloc(r->pool, sizeof(ngx_http_govsvc_peer_t));
    if (peer == NULL) {
        return NGX_ERROR;
    }

    u = r->upstream;
    choice = ctx->balancer_data;

    peer->request = r;
    peer->ctx = ctx;
    peer->conf = u->conf;
    peer->first = choice != NULL ? choice->first : ctx->pool;
    peer->step = choice != NULL ? choice->step : 0;
    peer->pool = ctx->pool;

    if (ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return NGX_ERROR;
    }

    tries = ngx_http_govsvc_tries(&s, peer);

    ngx_http_govsvc_section_leave(&s);

    if (tries == NGX_ERROR) {
        return NGX_ERROR;
    }

    u->peer.tries = (ngx_uint_t) tries;
    u->peer.data = peer;
    u->peer.get = ngx_http_govsvc_get_peer;
    u->peer.free = ngx_http_govsvc_free_peer;
    u->peer.set_session = ngx_http_govsvc_set_session;
    u->peer.save_session = ngx_http_govsvc_save_session;

    return NGX_OK;
}


/*
 * A page for a refusal may come from anywhere but from a platform: the stages
 * stand aside for it, so the refused request itself would get there.
 */

static ngx_uint_t
ngx_http_govsvc_barred(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    if (ctx->reason != NULL) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "govsvc balancer: request was refused: %V, an "
                      "\"error_page\" may not lead to a platform",
                      &ctx->reason->code);
        return 1;
    }

    /* subrequests may come before the main request is committed */

    if (ctx->pool.len == 0 || (r == r->main && ctx->balancer_data == NULL)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "govsvc balancer: no pool was chosen, \"govsvc_route\" "
                      "is off here");
        return 1;
    }

    return 0;
}


/*
 * As many as there are usable peers here and in the pools that may follow;
 * also keeps the host that these must share.
 */

static ngx_int_t
ngx_http_govsvc_tries(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer)
{
    gs_str_t                id, host, peer_host;
    ngx_uint_t              n, step, last;
    const gs_route_pool_t  *first, *pool;

    id = ngx_govsvc_to_gs(&peer->first);
    first = gs_route_pool_find(s->table, &id);

    n = 0;
    last = first == NULL;

    for (step = peer->step; !last && n < NGX_HTTP_GOVSVC_TRIED; step++) {

        pool = ngx_http_govsvc_step(s, first, step, &last);
        if (pool == NULL) {
            continue;
        }

        if (step == peer->step
            && ngx_http_govsvc_copy(peer->request, s->table, pool->host,
                                    &peer->host)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        host = gs_route_str(s->table, pool->host);
        peer_host = ngx_govsvc_to_gs(&peer->host);

        if (!gs_str_eq(&host, &peer_host)) {
            break;
        }

        n += ngx_http_govsvc_pool_usable(s, pool, last);
    }

    return (ngx_int_t) ngx_max(1, ngx_min(n, NGX_HTTP_GOVSVC_TRIED));
}


static ngx_int_t
ngx_http_govsvc_get_peer(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_govsvc_peer_t *peer = data;

    ngx_int_t                   rc;
    const gs_route_pool_t      *pool;
    ngx_http_govsvc_section_t   s;
    const gs_route_instance_t  *instance;

    pc->cached = 0;
    pc->connection = NULL;

    /* $upstream_addr shows the pool where there is no peer */

    pc->name = &peer->pool;

    if (peer->purse != NULL && peer->ntried != 0) {
        (void) gs_health_spend(&peer->purse->tokens);
    }

    if (peer->ntried == NGX_HTTP_GOVSVC_TRIED
        || peer->stale == NGX_HTTP_GOVSVC_STALE
        || ngx_http_govsvc_section_enter(&s) != NGX_OK)
    {
        return NGX_BUSY;
    }

    instance = ngx_http_govsvc_choose(&s, peer, &pool);

    if (instance == NULL) {
        rc = NGX_BUSY;

    } else {
        rc = ngx_http_govsvc_take(&s, peer, pool, instance);
    }

    ngx_http_govsvc_section_leave(&s);

    if (rc == NGX_OK) {
        pc->sockaddr = &peer->sockaddr.sockaddr;
        pc->socklen = peer->sockaddr.sockaddr.sa_family == AF_INET
                          ? sizeof(struct sockaddr_in)
                          : sizeof(struct sockaddr_in6);
        pc->name = ngx_palloc(peer->request->pool, sizeof(ngx_str_t));
        if (pc->name == NULL) {
            pc->name = &peer->pool;
            pc->sockaddr = NULL;
            peer->local->count--;
            return NGX_ERROR;
        }

        *pc->name = peer->name;
    }

    return rc == NGX_DECLINED ? NGX_BUSY : rc;
}


/*
 * Goes on in the next pool of the chain only where it serves the same host:
 * the request upstream is written already.
 */

static const gs_route_instance_t *
ngx_http_govsvc_choose(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t **result)
{
    gs_str_t                    id, host, peer_host;
    ngx_str_t                   next;
    ngx_uint_t                  last, begun;
    const gs_route_pool_t      *first, *pool;
    const gs_route_instance_t  *instance;

    id = ngx_govsvc_to_gs(&peer->first);
    first = gs_route_pool_find(s->table, &id);

    peer_host = ngx_govsvc_to_gs(&peer->host);
    last = first == NULL;

    for (begun = peer->step; !last; peer->step++) {

        pool = ngx_http_govsvc_step(s, first, peer->step, &last);
        if (pool == NULL) {
            continue;
        }

        if (peer->step != begun) {

            host = gs_route_str(s->table, pool->host);

            if (!gs_str_eq(&host, &peer_host)
                || ngx_http_govsvc_copy(peer->request, s->table, pool->id,
                                        &next)
                   != NGX_OK)
            {
                return NULL;
            }

            peer->pool = next;
            peer->ctx->pool = next;
        }

        instance = ngx_http_govsvc_pick(s, peer, pool, last);

        if (instance != NULL) {
            *result = pool;
            return instance;
        }
    }

    return NULL;
}


static const gs_route_instance_t *
ngx_http_govsvc_pick(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool, ngx_uint_t last)
{
    ngx_uint_t                  i;
    const gs_route_instance_t  *instance;

    (void) ngx_http_govsvc_pool_usable(s, pool, last);

    instance = NULL;

    for (i = 0; i < NGX_HTTP_GOVSVC_TRIALS; i++) {

        /* what cannot be sent twice is not sent where it may well fail */

        s->share = 1;
        s->careful = (peer->request->method & NGX_HTTP_GOVSVC_ONCE) != 0;

        instance = ngx_http_govsvc_pick_by(s, peer, pool);

        s->share = 0;
        s->careful = 0;

        if (instance == NULL) {
            instance = ngx_http_govsvc_pick_by(s, peer, pool);
        }

        if (instance == NULL
            || ngx_http_govsvc_try(s, peer, pool, instance) == NGX_OK)
        {
            break;
        }

        instance = NULL;
    }

    if (instance == NULL && last && peer->ntried == 0
        && (pool->panic != 0 || gs_route_pool_enabled(s->table, pool) == 1))
    {
        /* ejected before the pool changed its identity */

        s->panic = 1;
        instance = ngx_http_govsvc_pick_by(s, peer, pool);
    }

    return instance;
}


/*
 * One request at a time tries a peer whose ejection is over: it ejects it
 * anew for all others until its answer comes, or until that time is over too,
 * should the worker die.  NGX_DECLINED: another request was first.
 */

static ngx_int_t
ngx_http_govsvc_try(ngx_http_govsvc_section_t *s, ngx_http_govsvc_peer_t *peer,
    const gs_route_pool_t *pool, const gs_route_instance_t *instance)
{
    uint64_t  until, *words;

    peer->trial = 0;

    words = gs_registry_slot(s->registry,
                             ngx_http_govsvc_peer_entry(s, instance)->slot)
            ->words;

    if (s->panic
        || __atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_EJECTED],
                           __ATOMIC_RELAXED)
           == 0)
    {
        return NGX_OK;
    }

    until = __atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_UNTIL],
                            __ATOMIC_RELAXED);

    if (until > s->now
        || !__atomic_compare_exchange_n(&words[NGX_HTTP_GOVSVC_PEER_UNTIL],
                                        &until, s->now + pool->eject_time, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
    {
        return NGX_DECLINED;
    }

    peer->trial = 1;

    return NGX_OK;
}


static const gs_route_instance_t *
ngx_http_govsvc_pick_by(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool)
{
    uint64_t                  hash;
    gs_route_pick_t           pick;
    ngx_http_govsvc_local_t  *local;

    pick.usable = ngx_http_govsvc_usable;
    pick.load = ngx_http_govsvc_load;
    pick.ctx = s;
    pick.tried = peer->tried;
    pick.ntried = peer->ntried;

    if (pool->method == GS_ROUTE_P2C) {
        return gs_route_pick_p2c(s->table, pool, (uint32_t) ngx_random(),
                                 (uint32_t) ngx_random(), &pick);
    }

    if (pool->method == GS_ROUTE_HASH
        && ngx_http_govsvc_hash(s, peer, pool, &hash) == NGX_OK)
    {
        return gs_route_pick_hash(s->table, pool, hash, &pick);
    }

    local = ngx_http_govsvc_local(s, ngx_http_govsvc_pool_entry(s, pool));
    if (local == NULL) {
        return NULL;
    }

    return gs_route_pick_wrr(s->table, pool, local->count++, &pick);
}


/* In flight here times the moving average of the answer's time. */

static uint32_t
ngx_http_govsvc_load(void *ctx, const gs_route_instance_t *instance)
{
    ngx_http_govsvc_section_t *s = ctx;

    uint64_t                    load;
    gs_registry_slot_t         *slot;
    const gs_registry_entry_t  *e;
    ngx_http_govsvc_local_t    *local;

    e = ngx_http_govsvc_peer_entry(s, instance);
    slot = gs_registry_slot(s->registry, e->slot);
    local = ngx_http_govsvc_local(s, e);

    load = __atomic_load_n(&slot->words[NGX_HTTP_GOVSVC_PEER_EWMA],
                           __ATOMIC_RELAXED);
    load = (load / 64 + 1) * ((local != NULL ? local->count : 0) + 1);

    return (uint32_t) ngx_min(load, UINT32_MAX);
}


/* NGX_DECLINED: nothing to hash, any peer will do. */

static ngx_int_t
ngx_http_govsvc_hash(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool, uint64_t *hash)
{
    gs_str_t                    s_name;
    ngx_str_t                   name;
    ngx_uint_t                  key;
    ngx_http_variable_value_t  *v;

    s_name = gs_route_str(s->table, pool->variable);

    name.len = s_name.len;
    name.data = ngx_pnalloc(peer->request->pool, name.len);
    if (name.data == NULL) {
        return NGX_DECLINED;
    }

    key = ngx_hash_strlow(name.data, (u_char *) s_name.data, name.len);

    v = ngx_http_get_variable(peer->request, &name, key);

    if (v == NULL || v->not_found || v->len == 0) {
        return NGX_DECLINED;
    }

    *hash = gs_siphash(&ngx_http_govsvc_hash_key, v->data, v->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_take(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool,
    const gs_route_instance_t *instance)
{
    ngx_int_t                   rc;
    const gs_registry_entry_t  *e;

    rc = ngx_http_govsvc_tls_apply(s, peer, pool);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_govsvc_copy(peer->request, s->table, instance->name,
                             &peer->name)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    e = ngx_http_govsvc_peer_entry(s, instance);

    peer->local = ngx_http_govsvc_local(s, e);
    if (peer->local == NULL) {
        return NGX_ERROR;
    }

    peer->purse = ngx_http_govsvc_local(s, ngx_http_govsvc_pool_entry(s,
                                                                      pool));

    if (peer->purse != NULL && peer->ntried == 0) {
        gs_health_earn(&peer->purse->tokens, pool->retry_budget,
                       pool->retry_burst);
    }

    peer->local->count++;
    peer->slot = gs_registry_slot(s->registry, e->slot);
    peer->generation = e->generation;
    peer->key = instance->key;
    peer->eject_fails = pool->eject_fails;
    peer->eject_ratio = pool->eject_ratio;
    peer->eject_volume = pool->eject_volume;
    peer->eject_window = pool->eject_window;
    peer->start = ngx_current_msec;

    ngx_http_govsvc_address(peer, instance);

    return NGX_OK;
}


/*
 * The caches of connections compare nothing but the address: the identity
 * goes where connect() does not look, and connections of one pool are never
 * found by another.
 */

static void
ngx_http_govsvc_address(ngx_http_govsvc_peer_t *peer,
    const gs_route_instance_t *instance)
{
    struct sockaddr_in   *sin;
    struct sockaddr_in6  *sin6;

    ngx_memzero(&peer->sockaddr, sizeof(ngx_sockaddr_t));

    if (instance->family == 4) {
        sin = &peer->sockaddr.sockaddr_in;
        sin->sin_family = AF_INET;
        sin->sin_port = htons((in_port_t) instance->port);
        ngx_memcpy(&sin->sin_addr, instance->addr, 4);
        ngx_memcpy(sin->sin_zero, &peer->identity, sizeof(uint32_t));
        return;
    }

    sin6 = &peer->sockaddr.sockaddr_in6;
    sin6->sin6_family = AF_INET6;
    sin6->sin6_port = htons((in_port_t) instance->port);
    ngx_memcpy(&sin6->sin6_addr, instance->addr, 16);
    sin6->sin6_flowinfo = peer->identity;
}
