
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: what the engine asks of its host, answered from the registry
 * and from shared memory.  All of it runs in the thread of a job.
 */


#include "admin/ngx_http_govsvc_admin_named.h"

#include "limit/gs_limit_gcra.h"


static gs_rc_t ngx_http_govsvc_admin_commit(void *ctx,
    const gs_route_table_t *table, size_t size, gs_err_t *err);
static uint64_t ngx_http_govsvc_admin_beat(void *ctx, const char *id,
    uint64_t deadline);
static gs_rc_t ngx_http_govsvc_admin_rate(void *ctx, const char *credential,
    const char *rate, unsigned *retry_after);
static unsigned ngx_http_govsvc_admin_healthy(void *ctx,
    const char *instance);
static unsigned ngx_http_govsvc_admin_is_ejected(
    ngx_http_govsvc_admin_job_t *job, const char *instance);
static json_t *ngx_http_govsvc_admin_health(void *ctx, const char *instance);
static void ngx_http_govsvc_admin_health_add(void *data, const gs_str_t *id,
    const gs_str_t *pool, const gs_health_report_t *report);
static gs_rc_t ngx_http_govsvc_admin_node(void *ctx, json_t *node);


void
ngx_http_govsvc_admin_engine(ngx_http_govsvc_admin_job_t *job, gs_admin_t *a,
    gs_admin_host_t *host)
{
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    amcf = job->conf;

    host->commit = ngx_http_govsvc_admin_commit;
    host->beat = ngx_http_govsvc_admin_beat;
    host->rate = ngx_http_govsvc_admin_rate;
    host->healthy = ngx_http_govsvc_admin_healthy;
    host->health = ngx_http_govsvc_admin_health;
    host->resolved = ngx_http_govsvc_named_times;
    host->node = ngx_http_govsvc_admin_node;
    host->stage = NULL;
    host->accept = NULL;
    host->nodes = NULL;
    host->ctx = job;

    if (amcf->worker->share != NULL) {
        ngx_http_govsvc_share_hooks(job, host);
    }

    ngx_memzero(a, sizeof(gs_admin_t));

    a->mem = &gs_mem_libc;
    a->doc = &amcf->worker->doc;
    a->regions = (amcf->registry->regions.data != NULL)
                 ? &amcf->registry->regions : NULL;
    a->deny = amcf->deny.elts;
    a->ndeny = (unsigned) amcf->deny.nelts;
    ngx_http_govsvc_own_others(amcf->worker->own, amcf->registry);
    a->own = ngx_http_govsvc_own(amcf->worker->own, amcf->cycle->log);
    a->read_only = (amcf->registry->snapshot.len == 0);
    a->proof = (amcf->proof != 0);
    a->loopback = (amcf->loopback != 0);

    if (amcf->named != NULL) {
        a->suffixes = amcf->named->suffixes.elts;
        a->nsuffixes = (unsigned) amcf->named->suffixes.nelts;
        a->naddresses = (unsigned) amcf->named->addresses;
    }

    a->host = host;
}


static gs_rc_t
ngx_http_govsvc_admin_commit(void *ctx, const gs_route_table_t *table,
    size_t size, gs_err_t *err)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    return ngx_http_govsvc_registry_commit(job->conf->registry,
                                           &job->conf->worker->doc, table,
                                           size, err, job->conf->cycle->log);
}


static uint64_t
ngx_http_govsvc_admin_beat(void *ctx, const char *id, uint64_t deadline)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    uint64_t  *word;

    word = ngx_http_govsvc_registry_word(job->conf->registry, "lease", id);

    if (word == NULL) {
        return 0;
    }

    if (deadline != 0) {
        __atomic_store_n(word, deadline, __ATOMIC_RELEASE);
    }

    if (deadline != 0 && !job->tick) {
        ngx_http_govsvc_share_beat(job, id, deadline);
    }

    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}


static gs_rc_t
ngx_http_govsvc_admin_rate(void *ctx, const char *credential,
    const char *rate, unsigned *retry_after)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    gs_str_t            s;
    uint64_t           *word, tat, next;
    gs_limit_rate_t     r;
    gs_limit_result_t   result;

    /* another node was first: that is not the caller's doing */

    if (job->tries != 0) {
        return GS_OK;
    }

    s = gs_str_text(rate != NULL ? rate : "50r/s");
    word = ngx_http_govsvc_registry_word(job->conf->registry, "rate",
                                         credential);

    if (word == NULL || gs_limit_rate_parse(&r, &s, NULL) != GS_OK
        || gs_limit_rate_init(&r, r.count * 2, NULL) != GS_OK)
    {
        return GS_DECLINED;
    }

    tat = __atomic_load_n(word, __ATOMIC_RELAXED);

    do {
        if (gs_limit_judge(&r, tat, job->q.now, 1, &next, &result) != GS_OK) {
            *retry_after = (unsigned) (result.retry_after / 1000000 + 1);
            return GS_DECLINED;
        }

    } while (!__atomic_compare_exchange_n(word, &tat, next, 0,
                                          __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));

    return GS_OK;
}


/* One with a name: as long as an address of it is. */

static unsigned
ngx_http_govsvc_admin_healthy(void *ctx, const char *instance)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    u_char         id[GS_ADMIN_ID + GS_NET_TEXT + 2], *last;
    size_t         i;
    const char    *state, *address;
    const json_t  *entry, *list, *one;

    entry = json_object_get(job->conf->worker->doc.hosts, instance);

    if (entry == NULL) {
        return !ngx_http_govsvc_admin_is_ejected(job, instance);
    }

    list = json_object_get(entry, "addresses");

    for (i = 0; i < json_array_size(list); i++) {
        one = json_array_get(list, i);
        state = json_string_value(json_object_get(one, "state"));
        address = json_string_value(json_object_get(one, "address"));

        if (state == NULL || address == NULL || strcmp(state, "up") != 0) {
            continue;
        }

        last = ngx_snprintf(id, sizeof(id) - 1, "%s@%s", instance, address);
        *last = '\0';

        if (!ngx_http_govsvc_admin_is_ejected(job, (char *) id)) {
            return 1;
        }
    }

    return 0;
}


static unsigned
ngx_http_govsvc_admin_is_ejected(ngx_http_govsvc_admin_job_t *job,
    const char *instance)
{
    ngx_str_t   *id;
    ngx_uint_t   i;

    id = job->ejected.elts;

    for (i = 0; i < job->ejected.nelts; i++) {
        if (ngx_strcmp(id[i].data, instance) == 0) {
            return 1;
        }
    }

    return 0;
}


/* The words of a report are constants. */

static json_t *
ngx_http_govsvc_admin_health(void *ctx, const char *instance)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    gs_str_t                         id;
    ngx_uint_t                       i;
    ngx_http_govsvc_admin_health_t  *h;

    h = job->health.elts;
    id = gs_str_text(instance);

    for (i = 0; i < job->health.nelts; i++) {
        if (gs_str_eq(&h[i].id, &id)) {
            return json_pack("{s:s, s:s, s:s, s:i, s:i, s:I}",
                             "state", h[i].report.state,
                             "reason", h[i].report.reason,
                             "error", h[i].report.error,
                             "status", (int) h[i].report.status,
                             "streak", (int) h[i].report.streak,
                             "since", (json_int_t) h[i].report.since);
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_govsvc_admin_health_fill(ngx_http_govsvc_admin_job_t *job)
{
    if (ngx_array_init(&job->health, job->pool, 16,
                       sizeof(ngx_http_govsvc_admin_health_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    (void) ngx_http_govsvc_health_each(ngx_http_govsvc_admin_health_add, job);

    return NGX_OK;
}


/* Out of memory it is not told; the object is. */

static void
ngx_http_govsvc_admin_health_add(void *data, const gs_str_t *id,
    const gs_str_t *pool, const gs_health_report_t *report)
{
    ngx_http_govsvc_admin_job_t *job = data;

    u_char                          *p;
    ngx_http_govsvc_admin_health_t  *h;

    p = ngx_pnalloc(job->pool, id->len);
    if (p == NULL) {
        return;
    }

    h = ngx_array_push(&job->health);
    if (h == NULL) {
        return;
    }

    ngx_memcpy(p, id->data, id->len);
    h->id = gs_str_make(p, id->len);
    h->report = *report;
}


static gs_rc_t
ngx_http_govsvc_admin_node(void *ctx, json_t *node)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    json_t                         *more;
    ngx_http_govsvc_registry_t     *reg;
    ngx_http_govsvc_registry_sh_t  *sh;

    reg = job->conf->registry;
    sh = reg->sh;

    more = json_pack("{s:s%, s:I, s:I, s:i, s:I, s:I, s:i}",
                     "id", (const char *) job->conf->node.data,
                     job->conf->node.len,
                     "committed", (json_int_t)
                     __atomic_load_n(&sh->committed, __ATOMIC_ACQUIRE),
                     "applied", (json_int_t)
                     __atomic_load_n(&sh->applied, __ATOMIC_ACQUIRE),
                     "snapshot_generation", (int) sh->generation,
                     "lost_revision", (json_int_t)
                     __atomic_load_n(&sh->alarm, __ATOMIC_ACQUIRE),
                     "time", (json_int_t) job->q.now,
                     "waiting", (int) job->conf->worker->nwaiting);

    if (reg->redis != NULL && more != NULL
        && json_object_set_new(more, "store",
                               json_string(gs_route_share_name((unsigned)
                                   __atomic_load_n(&sh->store,
                                                   __ATOMIC_ACQUIRE))))
           != 0)
    {
        json_decref(more);
        return GS_ERROR;
    }

    if (more == NULL || json_object_update(node, more) != 0) {
        json_decref(more);
        return GS_ERROR;
    }

    json_decref(more);

    return GS_OK;
}
