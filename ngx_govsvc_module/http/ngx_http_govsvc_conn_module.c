
/*
 * Copyright (C) govsvc authors
 *
 * Limits on requests in progress: the directives and the zone's memory.
 */


#include "http/ngx_http_govsvc_conn.h"


static void *ngx_http_govsvc_conn_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_conn_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_govsvc_conn_create_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_conn_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_http_govsvc_conn_zone_t *ngx_http_govsvc_conn_get_zone(
    ngx_conf_t *cf, ngx_str_t *name);
static char *ngx_http_govsvc_conn_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_govsvc_conn_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static char *ngx_http_govsvc_conn(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_conn_args(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_govsvc_conn_limit_t *limit);
static ngx_int_t ngx_http_govsvc_conn_init_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_govsvc_conn_commands[] = {

    { ngx_string("govsvc_conn_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_govsvc_conn_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_conn_main_conf_t, zones),
      NULL },

    { ngx_string("govsvc_conn"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_conn,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_conn_conf_t, limits),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_conn_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_conn_create_main_conf,
    ngx_http_govsvc_conn_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_conn_create_conf,      /* create location configuration */
    ngx_http_govsvc_conn_merge_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_conn_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_conn_module_ctx,      /* module context */
    ngx_http_govsvc_conn_commands,         /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_conn_init_process,     /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static const char *const  ngx_http_govsvc_conn_zone_params[] = {
    "zone=", "ipv6_prefix=", "identified", NULL
};

static const char *const  ngx_http_govsvc_conn_params[] = {
    "zone=", "max=", "dry_run", NULL
};


static void *
ngx_http_govsvc_conn_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_conn_main_conf_t  *cmcf;

    cmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_conn_main_conf_t));
    if (cmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&cmcf->zones, cf->pool, 4,
                       sizeof(ngx_http_govsvc_conn_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return cmcf;
}


static char *
ngx_http_govsvc_conn_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_conn_main_conf_t *cmcf = conf;

    return ngx_govsvc_zone_check(cf, &cmcf->zones, "conn");
}


static void *
ngx_http_govsvc_conn_create_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_conn_conf_t  *ccf;

    ccf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_conn_conf_t));
    if (ccf == NULL) {
        return NULL;
    }

    ccf->limits = NGX_CONF_UNSET_PTR;

    return ccf;
}


static char *
ngx_http_govsvc_conn_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_govsvc_conn_conf_t *prev = parent;
    ngx_http_govsvc_conn_conf_t *conf = child;

    ngx_conf_merge_ptr_value(conf->limits, prev->limits, NULL);

    return NGX_CONF_OK;
}


static ngx_http_govsvc_conn_zone_t *
ngx_http_govsvc_conn_get_zone(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_govsvc_conn_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_conn_module);

    return ngx_govsvc_zone_get(cf, &cmcf->zones, name,
                               sizeof(ngx_http_govsvc_conn_zone_t),
                               NGX_HTTP_GOVSVC_CONN_ZONES, "conn");
}


static char *
ngx_http_govsvc_conn_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    size_t                              size;
    ngx_str_t                          *value, name, args[3];
    ngx_http_govsvc_conn_zone_t        *zone;
    ngx_http_govsvc_conn_main_conf_t   *cmcf;

    value = cf->args->elts;

    if (ngx_govsvc_conf_params(cf, 2, ngx_http_govsvc_conn_zone_params, args)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (args[0].data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone=NAME:SIZE\" parameter",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    if (ngx_govsvc_conf_zone(cf, &args[0], 8 * ngx_pagesize, &name, &size)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_conn_module);

    zone = ngx_govsvc_zone_define(cf, &cmcf->zones, &name,
                                  sizeof(ngx_http_govsvc_conn_zone_t),
                                  NGX_HTTP_GOVSVC_CONN_ZONES, "conn");
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_limit_compile_key(cf, &zone->key, &args[1],
                                          args[2].data != NULL)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_govsvc_zone_add(cf, &zone->base, size,
                               &ngx_http_govsvc_conn_module,
                               ngx_http_govsvc_conn_init_zone);
}


static ngx_int_t
ngx_http_govsvc_conn_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_govsvc_conn_zone_t *old = data;

    void                         *p;
    gs_siphash_key_t              secret;
    ngx_http_govsvc_conn_zone_t  *zone;

    zone = shm_zone->data;

    if (old != NULL) {
        zone->size = old->size;
        zone->table = gs_limit_conn_attach(old->table, old->size);

    } else {

        p = ngx_govsvc_zone_memory(shm_zone, &zone->size, &secret);

        zone->table = (p != NULL)
                      ? gs_limit_conn_init(p, zone->size, &secret) : NULL;
    }

    if (zone->table == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "govsvc conn: zone \"%V\" has no memory or another "
                      "layout", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static char *
ngx_http_govsvc_conn(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_conn_conf_t *ccf = conf;

    ngx_str_t                     *value, name;
    ngx_uint_t                     i;
    ngx_http_govsvc_conn_limit_t   args, *limit;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {

        if (ccf->limits != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        ccf->limits = NULL;
        return NGX_CONF_OK;
    }

    if (ccf->limits == NULL) {
        return "stands beside \"govsvc_conn off\"";
    }

    ngx_memzero(&args, sizeof(ngx_http_govsvc_conn_limit_t));

    if (ngx_http_govsvc_conn_args(cf, &name, &args) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    args.zone = ngx_http_govsvc_conn_get_zone(cf, &name);
    if (args.zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ccf->limits == NGX_CONF_UNSET_PTR) {
        ccf->limits = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_govsvc_conn_limit_t));
        if (ccf->limits == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    limit = ccf->limits->elts;

    for (i = 0; i < ccf->limits->nelts; i++) {
        if (limit[i].zone == args.zone) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate conn zone \"%V\"", &name);
            return NGX_CONF_ERROR;
        }
    }

    limit = ngx_array_push(ccf->limits);
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    *limit = args;

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_conn_args(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_govsvc_conn_limit_t *limit)
{
    gs_str_t    s;
    uint64_t    max;
    ngx_str_t  *value, args[3];

    value = cf->args->elts;

    if (ngx_govsvc_conf_params(cf, 1, ngx_http_govsvc_conn_params, args)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (args[0].len == 0 || args[1].data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone=NAME\" and \"max=NUMBER\" "
                           "parameters", &value[0]);
        return NGX_CONF_ERROR;
    }

    s = ngx_govsvc_to_gs(&args[1]);

    if (gs_parse_u64(&s, &max) != GS_OK || max == 0
        || max > NGX_HTTP_GOVSVC_CONN_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid max \"%V\", it must be a whole number "
                           "from 1 to %d", &args[1],
                           NGX_HTTP_GOVSVC_CONN_MAX);
        return NGX_CONF_ERROR;
    }

    *name = args[0];
    limit->max = (ngx_uint_t) max;
    limit->dry_run = args[2].data != NULL;

    return NGX_CONF_OK;
}


/* The place of a worker that was killed goes to the one that replaces it. */

static ngx_int_t
ngx_http_govsvc_conn_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                          i;
    ngx_http_govsvc_conn_zone_t       **zones;
    ngx_http_govsvc_conn_main_conf_t   *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_conn_module);
    if (cmcf == NULL) {
        return NGX_OK;
    }

    zones = cmcf->zones.elts;

    for (i = 0; i < cmcf->zones.nelts; i++) {
        gs_limit_conn_start(zones[i]->table, (unsigned) ngx_process_slot,
                            (uint32_t) ngx_pid);
    }

    return NGX_OK;
}
