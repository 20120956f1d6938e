
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: directives, shared memory, and the work of each second.
 */


#include "http/ngx_http_govsvc_metrics.h"

#include "http/ngx_http_govsvc_audit_priv.h"
#include "http/ngx_http_govsvc_registry.h"
#include "http/ngx_http_govsvc_route_priv.h"


#define NGX_HTTP_GOVSVC_METRICS_MAGIC  0x6d747230      /* "mtr0" */
#define NGX_HTTP_GOVSVC_METRICS_TICK   1000


static void *ngx_http_govsvc_metrics_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_govsvc_metrics_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_metrics_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_govsvc_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_govsvc_metrics_init_zone(ngx_shm_zone_t *zone,
    void *data);
static uint64_t ngx_http_govsvc_metrics_magic(void);
static ngx_int_t ngx_http_govsvc_metrics_init_process(ngx_cycle_t *cycle);
static void ngx_http_govsvc_metrics_exit_process(ngx_cycle_t *cycle);
static void ngx_http_govsvc_metrics_tick(ngx_event_t *ev);
static void ngx_http_govsvc_metrics_look(
    ngx_http_govsvc_metrics_main_conf_t *mmcf);
static void ngx_http_govsvc_metrics_sample(ngx_http_govsvc_metrics_sh_t *sh);


static ngx_command_t  ngx_http_govsvc_metrics_commands[] = {

    { ngx_string("govsvc_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_govsvc_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_metrics_loc_conf_t, enable),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_metrics_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_metrics_create_main_conf,
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_metrics_create_loc_conf,
    ngx_http_govsvc_metrics_merge_loc_conf
};


ngx_module_t  ngx_http_govsvc_metrics_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_metrics_module_ctx,   /* module context */
    ngx_http_govsvc_metrics_commands,      /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_metrics_init_process,  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_govsvc_metrics_exit_process,  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_govsvc_metrics_create_main_conf(ngx_conf_t *cf)
{
    /* set by pcalloc(): zone = NULL, sh = NULL */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_metrics_main_conf_t));
}


static void *
ngx_http_govsvc_metrics_create_loc_conf(ngx_conf_t *cf)
{
    /* set by pcalloc(): enable = 0; never inherited */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_metrics_loc_conf_t));
}


/* The figures are no service of a platform: no route leads to them. */

static char *
ngx_http_govsvc_metrics_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_govsvc_metrics_loc_conf_t *conf = child;

    ngx_http_govsvc_route_loc_conf_t  *rlcf;

    if (conf->enable) {
        rlcf = ngx_http_conf_get_module_loc_conf(cf,
                                                 ngx_http_govsvc_route_module);
        rlcf->enable = 0;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_metrics_loc_conf_t *mlcf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    if (mlcf->enable) {
        return "is duplicate";
    }

    if (ngx_http_govsvc_metrics_use(cf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    mlcf->enable = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_govsvc_metrics_scrape;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_govsvc_metrics_use(ngx_conf_t *cf)
{
    size_t                                size;
    ngx_http_govsvc_metrics_main_conf_t  *mmcf;

    static ngx_str_t  name = ngx_string("govsvc_metrics.1");
    static ngx_str_t  duty = ngx_string("metrics");

    mmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_metrics_module);

    if (mmcf->zone != NULL) {
        return NGX_OK;
    }

    /* the slab pool and its table of pages come on top */

    size = sizeof(ngx_http_govsvc_metrics_sh_t);
    size += size / 64 + 16 * ngx_pagesize;

    mmcf->cycle = cf->cycle;
    mmcf->lead = ngx_govsvc_lead_add(cf, &duty, NULL, NULL);
    mmcf->zone = ngx_shared_memory_add(cf, &name, ngx_align(size,
                                                            ngx_pagesize),
                                       &ngx_http_govsvc_metrics_module);

    if (mmcf->lead == NULL || mmcf->zone == NULL) {
        return NGX_ERROR;
    }

    mmcf->zone->init = ngx_http_govsvc_metrics_init_zone;
    mmcf->zone->data = mmcf;

    ngx_http_govsvc_enable(cf);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_metrics_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_govsvc_metrics_main_conf_t *old = data;

    ngx_slab_pool_t                      *shpool;
    ngx_http_govsvc_metrics_sh_t         *sh;
    ngx_http_govsvc_metrics_main_conf_t  *mmcf;

    mmcf = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (old != NULL) {
        sh = old->sh;
        gs_metric_add(&sh->reloads, 1);

    } else if (zone->shm.exists) {
        sh = shpool->data;

    } else {
        sh = ngx_slab_calloc(shpool, sizeof(ngx_http_govsvc_metrics_sh_t));
        if (sh == NULL) {
            return NGX_ERROR;
        }

        sh->magic = ngx_http_govsvc_metrics_magic();
        sh->start = (uint64_t) ngx_time();
        shpool->data = sh;
    }

    if (sh == NULL || sh->magic != ngx_http_govsvc_metrics_magic()) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "govsvc metrics: zone \"%V\" has another layout",
                      &zone->shm.name);
        return NGX_ERROR;
    }

    mmcf->sh = sh;

    return NGX_OK;
}


static uint64_t
ngx_http_govsvc_metrics_magic(void)
{
    return ((uint64_t) NGX_HTTP_GOVSVC_METRICS_MAGIC << 32)
           | sizeof(ngx_http_govsvc_metrics_sh_t);
}


ngx_http_govsvc_metrics_main_conf_t *
ngx_http_govsvc_metrics_conf(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_metrics_main_conf_t  *mmcf;

    mmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_govsvc_metrics_module);

    return (mmcf != NULL && mmcf->sh != NULL) ? mmcf : NULL;
}


static ngx_int_t
ngx_http_govsvc_metrics_init_process(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_metrics_row_t        *row;
    ngx_http_govsvc_metrics_main_conf_t  *mmcf;

    mmcf = ngx_http_govsvc_metrics_conf(cycle);

    if (mmcf == NULL || (ngx_process != NGX_PROCESS_WORKER
                         && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    row = &mmcf->sh->rows[ngx_worker % NGX_HTTP_GOVSVC_METRICS_ROWS];

    __atomic_store_n(&row->pid, (uint64_t) ngx_pid, __ATOMIC_RELAXED);

    ngx_http_govsvc_metrics_set_row(row, mmcf->sh);

    ngx_http_govsvc_metrics_look(mmcf);

    mmcf->tick.handler = ngx_http_govsvc_metrics_tick;
    mmcf->tick.data = &mmcf->dummy;
    mmcf->tick.log = cycle->log;
    mmcf->tick.cancelable = 1;

    mmcf->dummy.data = mmcf;
    mmcf->dummy.fd = (ngx_socket_t) -1;

    ngx_add_timer(&mmcf->tick, NGX_HTTP_GOVSVC_METRICS_TICK);

    return NGX_OK;
}


/* The row is shown as nobody's; after a kill -9 the next worker takes it. */

static void
ngx_http_govsvc_metrics_exit_process(ngx_cycle_t *cycle)
{
    uint64_t                        pid;
    ngx_http_govsvc_metrics_row_t  *row;

    row = ngx_http_govsvc_metrics_row();
    pid = (uint64_t) ngx_pid;

    if (row != NULL) {
        (void) __atomic_compare_exchange_n(&row->pid, &pid, 0, 0,
                                           __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
}


static void
ngx_http_govsvc_metrics_tick(ngx_event_t *ev)
{
    ngx_connection_t                     *dummy;
    ngx_http_govsvc_metrics_main_conf_t  *mmcf;

    dummy = ev->data;
    mmcf = dummy->data;

    ngx_http_govsvc_metrics_look(mmcf);

    if (!ngx_exiting && ngx_govsvc_lead_mine(mmcf->lead)) {
        ngx_http_govsvc_metrics_sample(mmcf->sh);
    }

    if (!ngx_exiting) {
        ngx_add_timer(ev, NGX_HTTP_GOVSVC_METRICS_TICK);
    }
}


/* What only this worker can see, for whoever is asked. */

static void
ngx_http_govsvc_metrics_look(ngx_http_govsvc_metrics_main_conf_t *mmcf)
{
    size_t                          used, size;
    uint64_t                        now, seen;
    ngx_http_govsvc_registry_t     *reg;
    ngx_http_govsvc_audit_chain_t  *chain;
    ngx_http_govsvc_metrics_row_t  *row;

    row = ngx_http_govsvc_metrics_row();
    chain = ngx_http_govsvc_audit_chain();

    if (chain != NULL && row->pid == (uint64_t) ngx_pid) {
        ngx_govsvc_writer_count(chain->writer, &row->writer);
        used = ngx_govsvc_writer_used(chain->writer, &size);

        __atomic_store_n(&row->ring_used, used, __ATOMIC_RELAXED);
        __atomic_store_n(&row->ring_size, size, __ATOMIC_RELAXED);
        __atomic_store_n(&row->audit_state,
                         ngx_http_govsvc_audit_state(chain), __ATOMIC_RELAXED);
    }

    reg = ngx_http_govsvc_registry(mmcf->cycle);

    if (reg == NULL || reg->sh == NULL) {
        return;
    }

    now = __atomic_load_n(&reg->sh->applied, __ATOMIC_ACQUIRE);
    seen = __atomic_load_n(&mmcf->sh->revision, __ATOMIC_ACQUIRE);

    if ((mmcf->sh->changed == 0 || now != seen)
        && __atomic_compare_exchange_n(&mmcf->sh->revision, &seen, now, 0,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        __atomic_store_n(&mmcf->sh->changed, (uint64_t) ngx_time(),
                         __ATOMIC_RELAXED);
    }
}


uint64_t
ngx_http_govsvc_metrics_sum(ngx_http_govsvc_metrics_sh_t *sh, size_t at)
{
    uint64_t    sum;
    ngx_uint_t  i;

    sum = 0;

    for (i = 0; i < NGX_HTTP_GOVSVC_METRICS_ROWS; i++) {
        sum += gs_metric_get((uint64_t *) ((u_char *) &sh->rows[i] + at));
    }

    return sum;
}


/* For rates; the second goes last, so that a sample is whole or another's. */

static void
ngx_http_govsvc_metrics_sample(ngx_http_govsvc_metrics_sh_t *sh)
{
    size_t                              at;
    uint64_t                            now, n;
    ngx_uint_t                          i, k;
    ngx_http_govsvc_metrics_sample_t   *s;

    now = ngx_govsvc_mono_us() / 1000000;
    s = &sh->samples[now % NGX_HTTP_GOVSVC_METRICS_SAMPLES];

    if (s->second == now) {
        return;
    }

    __atomic_store_n(&s->second, 0, __ATOMIC_RELEASE);

    for (i = 0; i < GS_METRIC_PLACES; i++) {
        at = offsetof(ngx_http_govsvc_metrics_row_t, platforms)
             + i * sizeof(ngx_http_govsvc_metrics_platform_t);

        for (n = 0, k = 0; k < NGX_HTTP_GOVSVC_METRICS_CLASSES; k++) {
            n += ngx_http_govsvc_metrics_sum(sh, at
                     + offsetof(ngx_http_govsvc_metrics_platform_t, requests)
                     + k * sizeof(uint64_t));
        }

        s->requests[i] = n;
        s->failed[i] = ngx_http_govsvc_metrics_sum(sh, at
                     + offsetof(ngx_http_govsvc_metrics_platform_t, outcomes)
                     + NGX_HTTP_GOVSVC_METRICS_FAILED * sizeof(uint64_t));
    }

    __atomic_store_n(&s->second, now, __ATOMIC_RELEASE);
}
