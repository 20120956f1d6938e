
/*
 * Copyright (C) govsvc authors
 *
 * Limits: the directive that defines a zone, and the zone's shared memory.
 */


#include "http/ngx_http_govsvc_limit.h"
#include "http/ngx_http_govsvc_limit_sync.h"


/* in the order of ngx_http_govsvc_limit_params */

typedef struct {
    ngx_str_t  zone;                       /* name and size */
    ngx_str_t  rate;
    ngx_str_t  burst;
    ngx_str_t  prefix;
    ngx_str_t  full;
    ngx_str_t  sync;
    ngx_str_t  share;
    ngx_str_t  lease;
    ngx_str_t  leases;
    ngx_str_t  identified;
} ngx_http_govsvc_limit_args_t;


static char *ngx_http_govsvc_limit_zone_args(ngx_conf_t *cf,
    ngx_http_govsvc_limit_args_t *args);
static char *ngx_http_govsvc_limit_zone_full(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_str_t *full);
static char *ngx_http_govsvc_limit_zone_sync(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_http_govsvc_limit_args_t *args,
    size_t size);
static char *ngx_http_govsvc_limit_zone_lease(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_http_govsvc_limit_args_t *args);
static char *ngx_http_govsvc_limit_zone_leases(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, size_t size);
static char *ngx_http_govsvc_limit_zone_memory(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, size_t size);
static ngx_int_t ngx_http_govsvc_limit_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_govsvc_limit_init_leases(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_govsvc_limit_other_layout(ngx_shm_zone_t *shm_zone);
static void ngx_http_govsvc_limit_warn_resized(ngx_shm_zone_t *shm_zone);


static const char *const  ngx_http_govsvc_limit_params[] = {
    "zone=", "rate=", "burst=", "ipv6_prefix=", "full=", "sync=",
    "local_share=", "lease=", "leases=", "identified", NULL
};

/* in the order of ngx_http_govsvc_limit_full_e */

static const char *const  ngx_http_govsvc_limit_full[] = {
    "reject", "aggregate", "pass", NULL
};


char *
ngx_http_govsvc_limit_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    size_t                              size;
    ngx_str_t                           name;
    ngx_http_govsvc_limit_args_t        args;
    ngx_http_govsvc_limit_zone_t       *zone;
    ngx_http_govsvc_limit_main_conf_t  *lmcf;

    ngx_memzero(&args, sizeof(ngx_http_govsvc_limit_args_t));

    if (ngx_http_govsvc_limit_zone_args(cf, &args) != NGX_CONF_OK
        || ngx_govsvc_conf_zone(cf, &args.zone, 8 * ngx_pagesize, &name,
                                &size)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    lmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_limit_module);

    zone = ngx_govsvc_zone_define(cf, &lmcf->zones, &name,
                                  sizeof(ngx_http_govsvc_limit_zone_t),
                                  NGX_HTTP_GOVSVC_LIMIT_ZONES, "limit");
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_limit_compile_key(cf, &zone->key, &args.prefix,
                                          args.identified.data != NULL)
        != NGX_CONF_OK
        || ngx_http_govsvc_limit_class(cf, &zone->main, &args.rate,
                                       &args.burst)
           != NGX_CONF_OK
        || ngx_http_govsvc_limit_zone_full(cf, zone, &args.full)
           != NGX_CONF_OK
        || ngx_http_govsvc_limit_zone_sync(cf, zone, &args, size)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_limit_zone_memory(cf, zone, size);
}


static char *
ngx_http_govsvc_limit_zone_args(ngx_conf_t *cf,
    ngx_http_govsvc_limit_args_t *args)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_govsvc_conf_params(cf, 2, ngx_http_govsvc_limit_params,
                               (ngx_str_t *) args)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (args->zone.data == NULL || args->rate.data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"%s\" parameter", &value[0],
                           (args->zone.data == NULL) ? "zone=NAME:SIZE"
                                                     : "rate=NUMBERr/s");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_zone_full(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_str_t *full)
{
    gs_str_t    s;
    ngx_uint_t  i;

    if (full->data == NULL) {
        return NGX_CONF_OK;
    }

    s = ngx_govsvc_to_gs(full);

    for (i = 0; ngx_http_govsvc_limit_full[i] != NULL; i++) {
        if (gs_str_eq_text(&s, ngx_http_govsvc_limit_full[i])) {
            zone->full = i;
            return NGX_CONF_OK;
        }
    }

    return ngx_govsvc_conf_invalid(cf, "value of \"full\"", full,
                                   ngx_http_govsvc_limit_full);
}


static char *
ngx_http_govsvc_limit_zone_sync(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_http_govsvc_limit_args_t *args,
    size_t size)
{
    gs_str_t  s;
    uint64_t  bytes;

    s = ngx_govsvc_to_gs(&args->sync);

    if (args->sync.data == NULL || gs_str_eq_text(&s, "off")) {
        if (args->share.data == NULL && args->lease.data == NULL
            && args->leases.data == NULL)
        {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"local_share\", \"lease\" and \"leases\" need "
                           "\"sync=NAME\"");
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_limit_zone_lease(cf, zone, args) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    zone->sync = ngx_http_govsvc_limit_sync_create(cf, &args->sync);
    if (zone->sync == NULL) {
        return NGX_CONF_ERROR;
    }

    bytes = size / 4;

    if (args->leases.data != NULL) {
        s = ngx_govsvc_to_gs(&args->leases);

        if (gs_parse_size(&s, &bytes) != GS_OK || bytes > NGX_MAX_SIZE_T_VALUE
            || bytes < 8 * ngx_pagesize)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid leases \"%V\", it must be a size of "
                               "at least %uzk", &args->leases,
                               8 * ngx_pagesize / 1024);
            return NGX_CONF_ERROR;
        }
    }

    if (bytes < 8 * ngx_pagesize) {
        bytes = 8 * ngx_pagesize;
    }

    return ngx_http_govsvc_limit_zone_leases(cf, zone, (size_t) bytes);
}


static char *
ngx_http_govsvc_limit_zone_lease(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_http_govsvc_limit_args_t *args)
{
    gs_str_t  s;
    uint64_t  n;

    zone->target = GS_LIMIT_LEASE_TARGET;

    if (ngx_http_govsvc_limit_local_share(cf, &args->share, &zone->share)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (args->lease.data != NULL) {

        s = ngx_govsvc_to_gs(&args->lease);

        if (gs_parse_msec(&s, &n) != GS_OK || n < 5 || n > 1000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid lease \"%V\", it must be a time from "
                               "5ms to 1s", &args->lease);
            return NGX_CONF_ERROR;
        }

        zone->target = (ngx_uint_t) n * 1000;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_limit_local_share(ngx_conf_t *cf, ngx_str_t *text,
    ngx_uint_t *share)
{
    gs_str_t  s;
    uint64_t  n;

    *share = 20;

    if (text->data == NULL) {
        return NGX_CONF_OK;
    }

    s = ngx_govsvc_to_gs(text);

    if (s.len == 0 || s.data[--s.len] != '%' || gs_parse_u64(&s, &n) != GS_OK
        || n > 90)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid local_share \"%V\", it must be from 0%% "
                           "to 90%%", text);
        return NGX_CONF_ERROR;
    }

    *share = (ngx_uint_t) n;

    return NGX_CONF_OK;
}


/* A zone of its own, so that sync= may come and go with a reload. */

static char *
ngx_http_govsvc_limit_zone_leases(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, size_t size)
{
    ngx_str_t        name;
    ngx_shm_zone_t  *shm_zone;

    name.data = ngx_pnalloc(cf->pool, zone->base.name.len + sizeof(":leases"));
    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    name.len = ngx_sprintf(name.data, "%V:leases%Z", &zone->base.name)
               - name.data - 1;

    shm_zone = ngx_shared_memory_add(cf, &name, size,
                                     &ngx_http_govsvc_limit_module);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    shm_zone->init = ngx_http_govsvc_limit_init_leases;
    shm_zone->data = zone;
    zone->lease_zone = shm_zone;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_zone_memory(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, size_t size)
{
    return ngx_govsvc_zone_add(cf, &zone->base, size,
                               &ngx_http_govsvc_limit_module,
                               ngx_http_govsvc_limit_init_zone);
}


/*
 * A zone that is reused keeps its counters: its memory is taken as it is, or
 * the configuration is refused.
 */

static ngx_int_t
ngx_http_govsvc_limit_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_govsvc_limit_zone_t *old = data;

    void                          *p;
    gs_siphash_key_t               secret;
    ngx_http_govsvc_limit_zone_t  *zone;

    zone = shm_zone->data;

    if (old != NULL) {
        zone->size = old->size;
        zone->table = gs_limit_table_attach(old->table, old->size);

        return (zone->table != NULL) ? NGX_OK
                                : ngx_http_govsvc_limit_other_layout(shm_zone);
    }

    ngx_http_govsvc_limit_warn_resized(shm_zone);

    p = ngx_govsvc_zone_memory(shm_zone, &zone->size, &secret);

    if (p == NULL) {
        return NGX_ERROR;
    }

    zone->table = gs_limit_table_init(p, zone->size, &secret,
                                      ngx_govsvc_mono_us());

    return (zone->table != NULL) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_govsvc_limit_init_leases(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_govsvc_limit_zone_t *old = data;

    void                          *p;
    ngx_slab_pool_t               *shpool;
    ngx_http_govsvc_limit_zone_t  *zone;

    zone = shm_zone->data;

    if (old != NULL) {
        zone->lease_size = old->lease_size;
        zone->leases = gs_limit_lease_attach(old->leases, old->lease_size);

        if (zone->leases == NULL) {
            return ngx_http_govsvc_limit_other_layout(shm_zone);
        }

        gs_limit_lease_budget(zone->leases, zone->budget);

        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    zone->lease_size = shpool->pfree * ngx_pagesize;

    p = ngx_slab_alloc(shpool, zone->lease_size);

    if (p != NULL) {
        zone->leases = gs_limit_lease_init(p, zone->lease_size,
                                           ngx_govsvc_mono_us());
    }

    if (zone->leases == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "govsvc limit: no memory in zone \"%V\"",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    gs_limit_lease_budget(zone->leases, zone->budget);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_limit_other_layout(ngx_shm_zone_t *shm_zone)
{
    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "govsvc limit: zone \"%V\" holds another layout, restart or "
                  "give the zone another name", &shm_zone->shm.name);

    return NGX_ERROR;
}


static void
ngx_http_govsvc_limit_warn_resized(ngx_shm_zone_t *shm_zone)
{
    ngx_uint_t                 i;
    ngx_shm_zone_t            *old;
    volatile ngx_list_part_t  *part;

    for (part = &ngx_cycle->shared_memory.part; part; part = part->next) {
        old = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (old[i].tag == shm_zone->tag
                && old[i].shm.size != shm_zone->shm.size
                && old[i].shm.name.len == shm_zone->shm.name.len
                && ngx_memcmp(old[i].shm.name.data, shm_zone->shm.name.data,
                              shm_zone->shm.name.len)
                   == 0)
            {
                ngx_log_error(NGX_LOG_WARN, shm_zone->shm.log, 0,
                              "govsvc limit: zone \"%V\" changed from %uz "
                              "to %uz bytes, its counters start empty",
                              &shm_zone->shm.name, old[i].shm.size,
                              shm_zone->shm.size);
                return;
            }
        }
    }
}
