
/*
 * Copyright (C) govsvc authors
 *
 * Availability: the directive and the shared memory.
 */


#include "http/ngx_http_govsvc_avail.h"

#include "http/ngx_http_govsvc_route_priv.h"


static void *ngx_http_govsvc_avail_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_avail_init_main_conf(ngx_conf_t *cf,
    void *conf);
static char *ngx_http_govsvc_avail_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_govsvc_avail_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_govsvc_avail_init_module(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_govsvc_avail_commands[] = {

    { ngx_string("govsvc_availability"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_avail_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_avail_main_conf_t, file),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_avail_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_avail_create_main_conf,
    ngx_http_govsvc_avail_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_avail_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_avail_module_ctx,     /* module context */
    ngx_http_govsvc_avail_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_govsvc_avail_init_module,     /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_govsvc_avail_create_main_conf(ngx_conf_t *cf)
{
    /* set by pcalloc(): file = { 0, NULL }, blob = NULL, copy = NULL */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_avail_main_conf_t));
}


static char *
ngx_http_govsvc_avail_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_avail_main_conf_t *acf = conf;

    ngx_http_govsvc_route_main_conf_t  *rmcf;

    if (acf->file.len == 0) {
        return NGX_CONF_OK;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_route_module);

    if (rmcf->platforms.data == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_availability\" needs \"govsvc_platforms\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_avail_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_avail_main_conf_t *acf = conf;

    size_t      size;
    gs_mem_t   *mem;
    ngx_str_t  *value;

    static ngx_str_t  name = ngx_string("govsvc_availability.1");
    static ngx_str_t  duty = ngx_string("availability");

    if (acf->file.len != 0) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs the name of a file";
    }

    /* the zone of the requests, before the one that looks at it */

    if (ngx_http_govsvc_metrics_use(cf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    acf->file = value[1];
    acf->cycle = cf->cycle;
    acf->save = ngx_govsvc_save_add(cf, &acf->file, GS_AVAIL_TEXT);

    mem = ngx_govsvc_mem(cf->pool);
    acf->room = ngx_palloc(cf->pool, GS_AVAIL_TEXT);

    if (acf->save == NULL || mem == NULL || acf->room == NULL) {
        return NGX_CONF_ERROR;
    }

    acf->own = gs_avail_create(mem);
    acf->copy = gs_avail_create(mem);

    size = gs_blob_size(GS_AVAIL_TEXT);
    size += size / 64 + 16 * ngx_pagesize;

    acf->lead = ngx_govsvc_lead_add(cf, &duty, ngx_http_govsvc_avail_lead,
                                    acf);
    acf->zone = ngx_shared_memory_add(cf, &name,
                                      ngx_align(size, ngx_pagesize),
                                      &ngx_http_govsvc_avail_module);

    if (acf->own == NULL || acf->copy == NULL || acf->lead == NULL
        || acf->zone == NULL)
    {
        return NGX_CONF_ERROR;
    }

    acf->zone->init = ngx_http_govsvc_avail_init_zone;
    acf->zone->data = acf;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_avail_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_govsvc_avail_main_conf_t *old = data;

    void                               *base;
    ngx_slab_pool_t                    *shpool;
    ngx_http_govsvc_avail_main_conf_t  *acf;

    acf = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (ngx_govsvc_save_prepare(acf->save, acf->cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    if (old != NULL) {
        acf->blob = old->blob;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        base = shpool->data;

    } else {
        base = ngx_slab_calloc(shpool, gs_blob_size(GS_AVAIL_TEXT));
        if (base == NULL) {
            return NGX_ERROR;
        }

        shpool->data = base;

        (void) gs_blob_create(base, GS_AVAIL_TEXT);
    }

    acf->blob = gs_blob_open(base, GS_AVAIL_TEXT);

    if (acf->blob == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "govsvc availability: zone \"%V\" has another layout",
                      &zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* The new cycle will live: only now a damaged file may be put aside. */

static ngx_int_t
ngx_http_govsvc_avail_init_module(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_avail_main_conf_t  *acf;

    acf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_govsvc_avail_module);

    if (acf == NULL || acf->blob == NULL || ngx_test_config) {
        return NGX_OK;
    }

    return ngx_http_govsvc_avail_restore(acf, cycle);
}
