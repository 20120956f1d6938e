
/*
 * Copyright (C) govsvc authors
 *
 * Checks of the elected worker: when each instance is asked, and what its
 * answer changes.  Nothing here is needed to pick a peer: without a leader
 * the last results stand.
 */


#include "http/ngx_http_govsvc_health_priv.h"
#include "http/ngx_http_govsvc_instance.h"


static void ngx_http_govsvc_health_lead(void *data, ngx_uint_t leads);
static void ngx_http_govsvc_health_end(ngx_http_govsvc_health_t *h);
static void ngx_http_govsvc_health_timer(ngx_event_t *ev);
static void ngx_http_govsvc_health_round(ngx_http_govsvc_health_t *h,
    ngx_http_govsvc_section_t *s);
static ngx_int_t ngx_http_govsvc_health_jobs(ngx_http_govsvc_health_t *h,
    ngx_http_govsvc_section_t *s);
static void ngx_http_govsvc_health_apply(ngx_http_govsvc_health_t *h,
    ngx_http_govsvc_section_t *s, const gs_route_instance_t *instance,
    gs_health_error_e error, uint32_t status);
static void ngx_http_govsvc_health_changed(ngx_http_govsvc_health_t *h,
    ngx_http_govsvc_section_t *s, const gs_route_instance_t *instance,
    uint64_t *words, gs_health_t *next, ngx_uint_t known);
static void ngx_http_govsvc_health_pool(ngx_http_govsvc_section_t *s,
    const gs_route_pool_t *pool);


ngx_int_t
ngx_http_govsvc_health_configure(ngx_conf_t *cf,
    ngx_http_govsvc_balancer_main_conf_t *bmcf)
{
    ngx_http_govsvc_health_t  *h;
    static ngx_str_t           duty = ngx_string("govsvc_health");

    h = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_health_t));
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->conf = bmcf;
    h->lead = ngx_govsvc_lead_add(cf, &duty, ngx_http_govsvc_health_lead, h);

    bmcf->health = h;

    return h->lead != NULL ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_govsvc_health_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_health_t *h = data;

    if (!leads) {
        ngx_http_govsvc_health_end(h);
        return;
    }

    h->dummy.fd = (ngx_socket_t) -1;
    h->dummy.data = h;

    h->timer.handler = ngx_http_govsvc_health_timer;
    h->timer.data = &h->dummy;
    h->timer.log = ngx_cycle->log;
    h->timer.cancelable = 1;

    /* what becomes of connections to peers is told by the state alone */

    h->log = *ngx_cycle->log;

    if (h->log.log_level < NGX_LOG_DEBUG) {
        h->log.log_level = ngx_min(h->log.log_level, NGX_LOG_CRIT);
    }

    ngx_add_timer(&h->timer, 1);
}


static void
ngx_http_govsvc_health_end(ngx_http_govsvc_health_t *h)
{
    uint32_t  i;

    if (h->timer.timer_set) {
        ngx_del_timer(&h->timer);
    }

    for (i = 0; i < h->njobs && h->flying != 0; i++) {
        if (h->jobs[i].probe != NULL) {
            ngx_http_govsvc_probe_cancel(h->jobs[i].probe);
        }
    }

    if (h->jobs != NULL) {
        ngx_govsvc_sparse_free(h->jobs, (size_t) h->njobs
                               * sizeof(ngx_http_govsvc_health_job_t));
    }

    h->jobs = NULL;
    h->njobs = 0;
    h->flying = 0;
    h->registry = NULL;
}


static void
ngx_http_govsvc_health_timer(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_http_govsvc_health_t   *h;
    ngx_http_govsvc_section_t   s;

    c = ev->data;
    h = c->data;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    ngx_add_timer(ev, NGX_HTTP_GOVSVC_HEALTH_TICK);

    if (ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return;
    }

    if (ngx_http_govsvc_health_jobs(h, &s) == NGX_OK) {
        ngx_http_govsvc_health_round(h, &s);

    } else {
        ngx_log_error(NGX_LOG_ERR, ev->log, 0,
                      "govsvc health: no memory for checks");
    }

    ngx_http_govsvc_section_leave(&s);
}


/* Jobs belong to slots, so they stay when the table changes around them. */

static ngx_int_t
ngx_http_govsvc_health_jobs(ngx_http_govsvc_health_t *h,
    ngx_http_govsvc_section_t *s)
{
    uint32_t  n;

    if (h->registry == s->registry) {
        return NGX_OK;
    }

    n = gs_registry_slots(s->registry);

    if (h->registry != NULL) {
        ngx_http_govsvc_health_end(h);
        ngx_add_timer(&h->timer, NGX_HTTP_GOVSVC_HEALTH_TICK);
    }

    h->jobs = ngx_govsvc_sparse((size_t) n
                                * sizeof(ngx_http_govsvc_health_job_t),
                                h->timer.log);
    if (h->jobs == NULL) {
        return NGX_ERROR;
    }

    h->njobs = n;
    h->registry = s->registry;

    return NGX_OK;
}


static void
ngx_http_govsvc_health_round(ngx_http_govsvc_health_t *h,
    ngx_http_govsvc_section_t *s)
{
    uint32_t                       i, n, start;
    const gs_route_check_t        *check;
    const gs_registry_entry_t     *e;
    const gs_route_instance_t     *instance;
    ngx_http_govsvc_health_job_t  *job;

    n = gs_route_instances(s->table);
    start = h->next;

    for (i = 0; i < n; i++) {

        /* never at the expense of requests; the rest in the next round */

        if (h->flying >= NGX_HTTP_GOVSVC_HEALTH_FLYING
            || ngx_cycle->free_connection_n < NGX_HTTP_GOVSVC_HEALTH_FREE)
        {
            break;
        }

        h->next = (start + i) % n;
        instance = gs_route_instance(s->table, h->next);

        /* one in maintenance is not asked */

        if (instance->check == GS_ROUTE_NONE
            || instance->state == GS_ROUTE_DOWN)
        {
            continue;
        }

        e = ngx_http_govsvc_peer_entry(s, instance);
        job = &h->jobs[e->slot];
        check = gs_route_check(s->table, instance->check);

        if (job->probe != NULL) {
            continue;
        }

        if (job->generation != e->generation) {

            /* soon, but not all at once */

            job->generation = e->generation;
            job->due = ngx_current_msec
                       + (ngx_msec_t) ngx_random() % (check->fast + 1);
        }

        /* an interval that was made shorter counts from now on */

        if ((ngx_msec_int_t) (job->due - ngx_current_msec)
            > (ngx_msec_int_t) (check->interval + check->jitter))
        {
            job->due = ngx_current_msec + check->fast;
        }

        if ((ngx_msec_int_t) (job->due - ngx_current_msec) > 0) {
            continue;
        }

        job->due = ngx_current_msec + check->fast;

        job->probe = ngx_http_govsvc_probe_start(h, s, instance);

        if (job->probe != NULL) {
            h->flying++;
        }
    }
}


/* An error of our own (memory, a worker that quits) says nothing of a peer. */

void
ngx_http_govsvc_health_result(ngx_http_govsvc_health_t *h,
    const ngx_http_govsvc_probe_t *probe,
    const ngx_govsvc_http_result_t *result)
{
    uint32_t                       i, n;
    uint64_t                       word;
    gs_health_error_e              error;
    const gs_route_check_t        *check;
    const gs_registry_entry_t     *e;
    const gs_route_instance_t     *instance;
    ngx_http_govsvc_section_t      s;
    ngx_http_govsvc_health_job_t  *job;

    job = &h->jobs[probe->slot];
    job->probe = NULL;
    h->flying--;

    if (ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return;
    }

    n = gs_route_instances(s.table);
    e = NULL;
    instance = NULL;

    if (s.registry == h->registry && ngx_govsvc_lead_mine(h->lead)) {

        for (i = 0; i < n; i++) {
            instance = gs_route_instance(s.table, (probe->index + i) % n);
            e = ngx_http_govsvc_peer_entry(&s, instance);

            if (e->slot == probe->slot
                && e->generation == probe->generation)
            {
                break;
            }

            e = NULL;
        }
    }

    /* gone, or without a check, meanwhile */

    if (e == NULL || instance->check == GS_ROUTE_NONE) {
        ngx_http_govsvc_section_leave(&s);
        return;
    }

    check = gs_route_check(s.table, instance->check);
    error = ngx_http_govsvc_probe_verdict(result);

    if (error == GS_HEALTH_OK && result->status != 0) {
        error = gs_health_judge(s.table, check, result->response);
    }

    if (error != GS_HEALTH_ERRORS) {
        ngx_http_govsvc_health_apply(h, &s, instance, error,
                                     (uint32_t) result->status);
    }

    word = __atomic_load_n(&gs_registry_slot(s.registry, e->slot)
                               ->words[NGX_HTTP_GOVSVC_PEER_CHECK],
                           __ATOMIC_RELAXED);

    job->due = ngx_current_msec
               + gs_health_delay(word, check, (uint32_t) ngx_random());

    ngx_http_govsvc_section_leave(&s);
}


static void
ngx_http_govsvc_health_apply(ngx_http_govsvc_health_t *h,
    ngx_http_govsvc_section_t *s, const gs_route_instance_t *instance,
    gs_health_error_e error, uint32_t status)
{
    uint64_t                old, word, *words, *unwell;
    unsigned                changed;
    gs_health_t             next;
    const gs_route_pool_t  *pool;

    pool = gs_route_pool(s->table, instance->pool);

    words = gs_registry_slot(s->registry,
                             ngx_http_govsvc_peer_entry(s, instance)->slot)
            ->words;
    unwell = &gs_registry_slot(s->registry,
                               ngx_http_govsvc_pool_entry(s, pool)->slot)
                  ->words[NGX_HTTP_GOVSVC_POOL_UNWELL];

    old = __atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_CHECK],
                          __ATOMIC_ACQUIRE);

    do {
        changed = gs_health_checked(old,
                                    gs_route_check(s->table, instance->check),
                                    error, status, s->now, &word);
        gs_health_unpack(word, &next);

        /* the pool first: a peer down without it would not be seen as such */

        if (next.state == GS_HEALTH_DOWN) {
            __atomic_store_n(unwell, 1, __ATOMIC_SEQ_CST);
        }

    } while (!__atomic_compare_exchange_n(&words[NGX_HTTP_GOVSVC_PEER_CHECK],
                                          &old, word, 0, __ATOMIC_SEQ_CST,
                                          __ATOMIC_ACQUIRE));

    if (changed) {
        ngx_http_govsvc_health_changed(h, s, instance, words, &next,
                                       old != 0);
    }

    ngx_http_govsvc_health_pool(s, pool);
}


static void
ngx_http_govsvc_health_changed(ngx_http_govsvc_health_t *h,
    ngx_http_govsvc_section_t *s, const gs_route_instance_t *instance,
    uint64_t *words, gs_health_t *next, ngx_uint_t known)
{
    gs_str_t      id, name;
    ngx_str_t     n_id, n_name;
    gs_health_t   fate;

    id = gs_route_str(s->table, instance->id);
    name = gs_route_str(s->table, instance->name);
    n_id = ngx_govsvc_from_gs(&id);
    n_name = ngx_govsvc_from_gs(&name);

    if (next->state == GS_HEALTH_DOWN) {
        ngx_log_error(NGX_LOG_WARN, h->timer.log, 0,
                      "govsvc health: instance \"%V\" (%V) is down: %s %uD",
                      &n_id, &n_name, gs_health_error_text(next->error),
                      next->status);
        ngx_http_govsvc_instance_event(s, instance, "INSTANCE_DOWN", "check",
                                       next, 0);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, h->timer.log, 0,
                  "govsvc health: instance \"%V\" (%V) is up", &n_id,
                  &n_name);

    if (!known) {
        return;
    }

    ngx_http_govsvc_instance_event(s, instance, "INSTANCE_UP", "check", NULL,
                                   0);

    /* its past with requests is over as well; it begins slowly */

    fate = *next;
    fate.state = GS_HEALTH_RECOVERED;

    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_FATE],
                     gs_health_pack(&fate), __ATOMIC_RELAXED);
    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_FAILS], 0, __ATOMIC_RELAXED);
    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_WINDOW], 0,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_EJECTED], 0,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&words[NGX_HTTP_GOVSVC_PEER_UNTIL], 0, __ATOMIC_SEQ_CST);
}


/* Whether requests have to count the usable; only the leader writes it. */

static void
ngx_http_govsvc_health_pool(ngx_http_govsvc_section_t *s,
    const gs_route_pool_t *pool)
{
    uint32_t                    i;
    uint64_t                    down, *unwell;
    gs_health_t                 check;
    const gs_route_instance_t  *instance;

    down = 0;

    for (i = 0; i < pool->ninstances && !down; i++) {
        instance = gs_route_instance(s->table, pool->instance + i);

        gs_health_unpack(__atomic_load_n(&gs_registry_slot(s->registry,
                             ngx_http_govsvc_peer_entry(s, instance)->slot)
                             ->words[NGX_HTTP_GOVSVC_PEER_CHECK],
                             __ATOMIC_RELAXED),
                         &check);

        down = instance->check != GS_ROUTE_NONE
               && check.state == GS_HEALTH_DOWN;
    }

    unwell = &gs_registry_slot(s->registry,
                               ngx_http_govsvc_pool_entry(s, pool)->slot)
                  ->words[NGX_HTTP_GOVSVC_POOL_UNWELL];

    if (__atomic_load_n(unwell, __ATOMIC_RELAXED) != down) {
        __atomic_store_n(unwell, down, __ATOMIC_SEQ_CST);
    }
}


ngx_int_t
ngx_http_govsvc_health_each(ngx_http_govsvc_health_pt handler, void *data)
{
    uint32_t                    i, n;
    gs_str_t                    id, pool_id;
    gs_health_report_t          report;
    const gs_route_pool_t      *pool;
    const gs_route_instance_t  *instance;
    ngx_http_govsvc_section_t   s;

    if (ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = gs_route_instances(s.table);

    for (i = 0; i < n; i++) {
        instance = gs_route_instance(s.table, i);
        pool = gs_route_pool(s.table, instance->pool);

        ngx_http_govsvc_instance_report(&s, instance, &report);

        id = gs_route_str(s.table, instance->id);
        pool_id = gs_route_str(s.table, pool->id);

        handler(data, &id, &pool_id, &report);
    }

    ngx_http_govsvc_section_leave(&s);

    return NGX_OK;
}
