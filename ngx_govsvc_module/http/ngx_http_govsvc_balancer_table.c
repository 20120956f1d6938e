
/*
 * Copyright (C) govsvc authors
 *
 * Balancer: the current table as the stages of a request look at it, with the
 * health of peers beside it.
 */


#include "http/ngx_http_govsvc_balancer_priv.h"


static void ngx_http_govsvc_local_cleanup(void *data);
static ngx_int_t ngx_http_govsvc_local_create(ngx_http_govsvc_worker_t *w,
    ngx_uint_t which, uint32_t n);


ngx_int_t
ngx_http_govsvc_section_enter(ngx_http_govsvc_section_t *s)
{
    s->conf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                              ngx_http_govsvc_balancer_module);

    if (s->conf == NULL || s->conf->registry == NULL) {
        return NGX_DECLINED;
    }

    s->view = ngx_govsvc_registry_enter(s->conf->registry);
    if (s->view == NULL) {
        return NGX_DECLINED;
    }

    s->table = s->view->blob;
    s->registry = s->conf->registry->current;
    s->now = ngx_current_msec;
    s->panic = 0;
    s->share = 0;
    s->careful = 0;

    return NGX_OK;
}


void
ngx_http_govsvc_section_leave(ngx_http_govsvc_section_t *s)
{
    ngx_govsvc_registry_leave(s->conf->registry);
}


const gs_registry_entry_t *
ngx_http_govsvc_pool_entry(ngx_http_govsvc_section_t *s,
    const gs_route_pool_t *pool)
{
    return &s->view->entries[pool->index];
}


const gs_registry_entry_t *
ngx_http_govsvc_peer_entry(ngx_http_govsvc_section_t *s,
    const gs_route_instance_t *instance)
{
    return &s->view->entries[gs_route_pools(s->table) + instance->index];
}


ngx_http_govsvc_local_t *
ngx_http_govsvc_local(ngx_http_govsvc_section_t *s,
    const gs_registry_entry_t *entry)
{
    ngx_uint_t                 which;
    ngx_http_govsvc_local_t   *local;
    ngx_http_govsvc_worker_t  *w;

    w = s->conf->worker;
    which = s->registry != s->conf->registry->shared;

    if (w->local[which] == NULL
        && ngx_http_govsvc_local_create(w, which,
                                        gs_registry_slots(s->registry))
           != NGX_OK)
    {
        return NULL;
    }

    local = &w->local[which][entry->slot];

    if (local->generation != entry->generation) {

        if (local->session != NULL) {
            ngx_ssl_free_session(local->session);
            local->session = NULL;
        }

        /* pools start anywhere: workers must not march in step */

        local->count = entry - s->view->entries
                           < (ptrdiff_t) gs_route_pools(s->table)
                       ? (uint32_t) ngx_random() : 0;
        local->tokens = NGX_HTTP_GOVSVC_TOKENS;
        local->generation = entry->generation;
    }

    return local;
}


static ngx_int_t
ngx_http_govsvc_local_create(ngx_http_govsvc_worker_t *w, ngx_uint_t which,
    uint32_t n)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(w->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    w->local[which] = ngx_govsvc_sparse(n * sizeof(ngx_http_govsvc_local_t),
                                        w->pool->log);
    if (w->local[which] == NULL) {
        return NGX_ERROR;
    }

    w->nlocal[which] = n;

    cln->handler = ngx_http_govsvc_local_cleanup;
    cln->data = w;

    return NGX_OK;
}


static void
ngx_http_govsvc_local_cleanup(void *data)
{
    ngx_http_govsvc_worker_t *w = data;

    ngx_uint_t                i, which;
    ngx_http_govsvc_local_t  *local;

    for (which = 0; which < 2; which++) {
        for (i = 0; i < w->nlocal[which]; i++) {
            local = &w->local[which][i];

            if (local->session != NULL) {
                ngx_ssl_free_session(local->session);
                local->session = NULL;
            }
        }

        if (w->local[which] != NULL) {
            ngx_govsvc_sparse_free(w->local[which], w->nlocal[which]
                                   * sizeof(ngx_http_govsvc_local_t));
            w->local[which] = NULL;
            w->nlocal[which] = 0;
        }
    }
}


int
ngx_http_govsvc_usable(void *ctx, const gs_route_instance_t *instance)
{
    ngx_http_govsvc_section_t *s = ctx;

    uint64_t               *words;
    uint32_t                share;
    gs_health_t             check;
    const gs_route_pool_t  *pool;

    if (s->panic) {
        return 1;
    }

    words = gs_registry_slot(s->registry,
                             ngx_http_govsvc_peer_entry(s, instance)->slot)
            ->words;

    if (instance->check != GS_ROUTE_NONE) {
        gs_health_unpack(__atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_CHECK],
                                         __ATOMIC_RELAXED),
                         &check);

        if (check.state == GS_HEALTH_DOWN) {
            return 0;
        }
    }

    if (__atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_UNTIL], __ATOMIC_RELAXED)
        > s->now
        || (s->careful
            && __atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_EJECTED],
                               __ATOMIC_RELAXED)
               != 0))
    {
        return 0;
    }

    if (!s->share) {
        return 1;
    }

    pool = gs_route_pool(s->table, instance->pool);

    if (pool->slow_start == 0) {
        return 1;
    }

    share = gs_health_share(__atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_FATE],
                                            __ATOMIC_RELAXED),
                            pool->slow_start, s->now);

    return (uint32_t) ngx_random() % GS_HEALTH_WHOLE < share;
}


ngx_uint_t
ngx_http_govsvc_pool_usable(ngx_http_govsvc_section_t *s,
    const gs_route_pool_t *pool, ngx_uint_t last)
{
    uint32_t                    i;
    ngx_uint_t                  enabled, usable;
    gs_registry_slot_t         *slot;
    const gs_route_instance_t  *instance;

    s->panic = 0;
    enabled = gs_route_pool_enabled(s->table, pool);

    slot = gs_registry_slot(s->registry,
                            ngx_http_govsvc_pool_entry(s, pool)->slot);

    if (__atomic_load_n(&slot->words[NGX_HTTP_GOVSVC_POOL_UNTIL],
                        __ATOMIC_RELAXED)
        <= s->now
        && __atomic_load_n(&slot->words[NGX_HTTP_GOVSVC_POOL_UNWELL],
                           __ATOMIC_RELAXED)
           == 0)
    {
        return enabled;
    }

    usable = 0;

    for (i = 0; i < pool->ninstances; i++) {
        instance = gs_route_instance(s->table, pool->instance + i);

        if (instance->state == GS_ROUTE_ENABLED
            && ngx_http_govsvc_usable(s, instance))
        {
            usable++;
        }
    }

    if (gs_health_panic((uint32_t) enabled, (uint32_t) usable, pool->panic,
                        last))
    {
        s->panic = 1;
        return enabled;
    }

    return usable;
}


const gs_route_pool_t *
ngx_http_govsvc_step(ngx_http_govsvc_section_t *s,
    const gs_route_pool_t *first, ngx_uint_t step, ngx_uint_t *last)
{
    ngx_uint_t                  i;
    const gs_route_fallback_t  *chain;

    chain = gs_route_fallback(s->table, first);

    *last = 1;

    for (i = step; i < first->nfallback; i++) {
        if (chain[i].pool != GS_ROUTE_NONE) {
            *last = 0;
            break;
        }
    }

    if (step == 0) {
        return first;
    }

    if (step > first->nfallback || chain[step - 1].pool == GS_ROUTE_NONE) {
        return NULL;
    }

    return gs_route_pool(s->table, chain[step - 1].pool);
}


ngx_int_t
ngx_http_govsvc_copy(ngx_http_request_t *r, const gs_route_table_t *t,
    gs_route_ref_t ref, ngx_str_t *dst)
{
    gs_str_t  s;

    s = gs_route_str(t, ref);

    dst->data = ngx_pnalloc(r->pool, s.len != 0 ? s.len : 1);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, s.data, s.len);
    dst->len = s.len;

    return NGX_OK;
}
