
/*
 * Copyright (C) govsvc authors
 *
 * Limits: the directives.  A zone may be named before it is defined, as an
 * included file may stand anywhere.
 */


#include "http/ngx_http_govsvc_limit.h"


static ngx_int_t ngx_http_govsvc_limit_add_variables(ngx_conf_t *cf);
static void *ngx_http_govsvc_limit_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_limit_init_main_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_http_govsvc_limit_init_process(ngx_cycle_t *cycle);
static void *ngx_http_govsvc_limit_create_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_limit_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_govsvc_limit_check(ngx_conf_t *cf,
    ngx_http_govsvc_limit_t *limit);


static ngx_conf_num_bounds_t  ngx_http_govsvc_limit_budget = {
    ngx_conf_check_num_bounds, 0, 1000000
};


static ngx_command_t  ngx_http_govsvc_limit_commands[] = {

    { ngx_string("govsvc_limit_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_govsvc_limit_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_limit_main_conf_t, zones),
      NULL },

    { ngx_string("govsvc_limit_tier"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE2,
      ngx_http_govsvc_limit_tier,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_limit_main_conf_t, zones),
      NULL },

    { ngx_string("govsvc_cluster_size"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_govsvc_cluster_size,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_limit_main_conf_t, nodes),
      NULL },

    { ngx_string("govsvc_limit_leases"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_limit_main_conf_t, budget),
      &ngx_http_govsvc_limit_budget },

    { ngx_string("govsvc_limit_secret"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_limit_secret,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_limit_main_conf_t, secret),
      NULL },

    { ngx_string("govsvc_limit"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_limit_conf_t, limits),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_limit_module_ctx = {
    ngx_http_govsvc_limit_add_variables,   /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_limit_create_main_conf,
    ngx_http_govsvc_limit_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_limit_create_conf,     /* create location configuration */
    ngx_http_govsvc_limit_merge_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_limit_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_limit_module_ctx,     /* module context */
    ngx_http_govsvc_limit_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_limit_init_process,    /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* in the order of ngx_http_govsvc_limit_mode_e */

const char *const  ngx_http_govsvc_limit_modes[] = {
    "auto", "local", "lease", "strict", NULL
};


ngx_http_govsvc_limit_zone_t *
ngx_http_govsvc_limit_get_zone(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_govsvc_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_limit_module);

    return ngx_govsvc_zone_get(cf, &lmcf->zones, name,
                               sizeof(ngx_http_govsvc_limit_zone_t),
                               NGX_HTTP_GOVSVC_LIMIT_ZONES, "limit");
}


static ngx_int_t
ngx_http_govsvc_limit_add_variables(ngx_conf_t *cf)
{
    return ngx_http_govsvc_add_variables(cf, ngx_http_govsvc_limit_variables);
}


static void *
ngx_http_govsvc_limit_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_limit_main_conf_t  *lmcf;

    lmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_limit_main_conf_t));
    if (lmcf == NULL) {
        return NULL;
    }

    lmcf->nodes = NGX_CONF_UNSET_UINT;
    lmcf->budget = NGX_CONF_UNSET_UINT;

    if (ngx_array_init(&lmcf->zones, cf->pool, 4,
                       sizeof(ngx_http_govsvc_limit_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return lmcf;
}


static char *
ngx_http_govsvc_limit_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_limit_main_conf_t *lmcf = conf;

    ngx_uint_t                      i;
    ngx_http_govsvc_limit_zone_t  **zones;

    if (ngx_govsvc_zone_check(cf, &lmcf->zones, "limit") != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    zones = lmcf->zones.elts;

    for (i = 0; i < lmcf->zones.nelts; i++) {

        if (zones[i]->sync != NULL && lmcf->nodes == NGX_CONF_UNSET_UINT) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "limit zone \"%V\" has \"sync\", which needs "
                          "\"govsvc_cluster_size NUMBER\" in %V:%ui",
                          &zones[i]->base.name, &zones[i]->base.file,
                          zones[i]->base.line);
            return NGX_CONF_ERROR;
        }
    }

    lmcf->counted = (lmcf->nodes != NGX_CONF_UNSET_UINT);

    ngx_conf_init_uint_value(lmcf->nodes, 1);
    ngx_conf_init_uint_value(lmcf->budget, 5000);

    for (i = 0; i < lmcf->zones.nelts; i++) {
        ngx_http_govsvc_limit_init_plans(cf, lmcf, zones[i]);
        zones[i]->budget = lmcf->budget;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_limit_init_process(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_limit_module);

    if (lmcf != NULL
        && (ngx_process == NGX_PROCESS_WORKER
            || ngx_process == NGX_PROCESS_SINGLE))
    {
        ngx_http_govsvc_cluster_start(lmcf->cluster, cycle);
    }

    return NGX_OK;
}


static void *
ngx_http_govsvc_limit_create_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_limit_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_limit_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    lcf->limits = NGX_CONF_UNSET_PTR;

    return lcf;
}


static char *
ngx_http_govsvc_limit_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_govsvc_limit_conf_t *prev = parent;
    ngx_http_govsvc_limit_conf_t *conf = child;

    ngx_uint_t                i;
    ngx_http_govsvc_limit_t  *limit;

    ngx_conf_merge_ptr_value(conf->limits, prev->limits, NULL);

    if (conf->limits == NULL) {
        return NGX_CONF_OK;
    }

    limit = conf->limits->elts;

    for (i = 0; i < conf->limits->nelts; i++) {
        if (ngx_http_govsvc_limit_check(cf, &limit[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* What can be judged only when the zone is known. */

static char *
ngx_http_govsvc_limit_check(ngx_conf_t *cf, ngx_http_govsvc_limit_t *limit)
{
    gs_err_t                        err;
    ngx_uint_t                      i;
    ngx_http_govsvc_limit_zone_t   *zone;
    ngx_http_govsvc_limit_class_t  *class;

    zone = limit->zone;
    class = zone->tiers.elts;

    ngx_memzero(&err, sizeof(gs_err_t));
    err.line = (unsigned) limit->line;

    if (limit->cost > zone->main.rate.burst) {
        gs_err(&err, "invalid cost \"%zu\", no request could pass: the burst "
               "of limit zone \"%s\" is %zu", (size_t) limit->cost,
               (char *) zone->base.name.data, (size_t) zone->main.rate.burst);

        return ngx_govsvc_conf_error(cf, &limit->file, &err);
    }

    for (i = 0; i < zone->tiers.nelts; i++) {

        if (class[i].off || limit->cost <= class[i].rate.burst) {
            continue;
        }

        gs_err(&err, "invalid cost \"%zu\", no request could pass: the burst "
               "of tier \"%s\" of limit zone \"%s\" is %zu",
               (size_t) limit->cost, (char *) class[i].tier.data,
               (char *) zone->base.name.data, (size_t) class[i].rate.burst);

        return ngx_govsvc_conf_error(cf, &limit->file, &err);
    }

    if (limit->mode > NGX_HTTP_GOVSVC_LIMIT_LOCAL && zone->sync == NULL) {
        gs_err(&err, "mode \"%s\" needs \"sync=NAME\" of limit zone \"%s\"",
               ngx_http_govsvc_limit_modes[limit->mode],
               (char *) zone->base.name.data);

        return ngx_govsvc_conf_error(cf, &limit->file, &err);
    }

    if (limit->mode == NGX_HTTP_GOVSVC_LIMIT_LEASE && zone->main.lease.strict)
    {
        gs_err(&err, "mode \"lease\" needs a larger burst: the local share of "
               "limit zone \"%s\" is less than one request a node; use "
               "\"strict\"", (char *) zone->base.name.data);

        return ngx_govsvc_conf_error(cf, &limit->file, &err);
    }

    return NGX_CONF_OK;
}
