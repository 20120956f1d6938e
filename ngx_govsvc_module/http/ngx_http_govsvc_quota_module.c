
/*
 * Copyright (C) govsvc authors
 *
 * Quotas of a calendar window: the directives and the zone's memory.
 */


#include "http/ngx_http_govsvc_quota.h"


#define NGX_HTTP_GOVSVC_QUOTA_ARGS  7      /* parameters of a zone */


static void *ngx_http_govsvc_quota_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_quota_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_govsvc_quota_create_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_quota_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_http_govsvc_quota_zone_t *ngx_http_govsvc_quota_get_zone(
    ngx_conf_t *cf, ngx_str_t *name);
static char *ngx_http_govsvc_quota_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_govsvc_quota_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static char *ngx_http_govsvc_quota(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_quota_args(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_govsvc_quota_limit_t *limit);
static ngx_int_t ngx_http_govsvc_quota_add_variables(ngx_conf_t *cf);
static ngx_int_t ngx_http_govsvc_quota_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static char *ngx_http_govsvc_quota_zone_quota(ngx_conf_t *cf,
    ngx_http_govsvc_quota_zone_t *zone, ngx_str_t *quota, ngx_str_t *tz);
static char *ngx_http_govsvc_quota_zone_sync(ngx_conf_t *cf,
    ngx_http_govsvc_quota_zone_t *zone, ngx_str_t *sync, ngx_str_t *share);


static ngx_command_t  ngx_http_govsvc_quota_commands[] = {

    { ngx_string("govsvc_quota_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_govsvc_quota_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_quota_main_conf_t, zones),
      NULL },

    { ngx_string("govsvc_quota"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_quota,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_quota_conf_t, limits),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_quota_module_ctx = {
    ngx_http_govsvc_quota_add_variables,   /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_quota_create_main_conf,
    ngx_http_govsvc_quota_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_quota_create_conf,      /* create location configuration */
    ngx_http_govsvc_quota_merge_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_quota_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_quota_module_ctx,      /* module context */
    ngx_http_govsvc_quota_commands,         /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_http_govsvc_quota_variables[] = {

    { ngx_string("govsvc_quota_remaining"), NULL,
      ngx_http_govsvc_quota_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


static const char *const  ngx_http_govsvc_quota_zone_params[] = {
    "zone=", "quota=", "tz=", "ipv6_prefix=", "identified", "sync=",
    "local_share=", NULL
};

static const char *const  ngx_http_govsvc_quota_params[] = {
    "zone=", "cost=", "on_error=", "timeout=", "dry_run", NULL
};


static void *
ngx_http_govsvc_quota_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_quota_main_conf_t  *qmcf;

    qmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_quota_main_conf_t));
    if (qmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&qmcf->zones, cf->pool, 4,
                       sizeof(ngx_http_govsvc_quota_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return qmcf;
}


static char *
ngx_http_govsvc_quota_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_quota_main_conf_t  *qmcf = conf;

    ngx_uint_t                           i;
    ngx_http_govsvc_quota_zone_t       **zones;
    ngx_http_govsvc_limit_main_conf_t   *lmcf;

    if (ngx_govsvc_zone_check(cf, &qmcf->zones, "quota") != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    zones = qmcf->zones.elts;
    lmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_limit_module);

    for (i = 0; i < qmcf->zones.nelts; i++) {

        if (zones[i]->sync != NULL && !lmcf->counted) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "quota zone \"%V\" has \"sync\", which needs "
                          "\"govsvc_cluster_size NUMBER\" in %V:%ui",
                          &zones[i]->base.name, &zones[i]->base.file,
                          zones[i]->base.line);
            return NGX_CONF_ERROR;
        }

        gs_limit_quota_plan(&zones[i]->quota,
                            (zones[i]->sync != NULL) ? lmcf->nodes : 0,
                            (lmcf->cluster != NULL)
                            ? 0 : (unsigned) zones[i]->share);
    }

    return NGX_CONF_OK;
}


/* Where nodes come and go, no part of a quota is promised to each of them. */

void
ngx_http_govsvc_quota_renew_plans(ngx_cycle_t *cycle, ngx_uint_t nodes)
{
    ngx_uint_t                          i;
    ngx_http_govsvc_quota_zone_t      **zones;
    ngx_http_govsvc_quota_main_conf_t  *qmcf;

    qmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_quota_module);
    zones = qmcf->zones.elts;

    for (i = 0; i < qmcf->zones.nelts; i++) {
        if (zones[i]->sync != NULL) {
            gs_limit_quota_plan(&zones[i]->quota, nodes, 0);
        }
    }
}


static void *
ngx_http_govsvc_quota_create_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_quota_conf_t  *qcf;

    qcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_quota_conf_t));
    if (qcf == NULL) {
        return NULL;
    }

    qcf->limits = NGX_CONF_UNSET_PTR;

    return qcf;
}


static char *
ngx_http_govsvc_quota_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_govsvc_quota_conf_t  *prev = parent;
    ngx_http_govsvc_quota_conf_t  *conf = child;

    ngx_conf_merge_ptr_value(conf->limits, prev->limits, NULL);

    return NGX_CONF_OK;
}


static ngx_http_govsvc_quota_zone_t *
ngx_http_govsvc_quota_get_zone(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_govsvc_quota_main_conf_t  *qmcf;

    qmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_quota_module);

    return ngx_govsvc_zone_get(cf, &qmcf->zones, name,
                               sizeof(ngx_http_govsvc_quota_zone_t),
                               NGX_HTTP_GOVSVC_QUOTA_ZONES, "quota");
}


static char *
ngx_http_govsvc_quota_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    size_t                              size;
    ngx_str_t                          *value, name;
    ngx_str_t                           args[NGX_HTTP_GOVSVC_QUOTA_ARGS];
    ngx_uint_t                          k;
    ngx_http_govsvc_quota_zone_t       *zone;
    ngx_http_govsvc_quota_main_conf_t  *qmcf;

    value = cf->args->elts;

    if (ngx_govsvc_conf_params(cf, 2, ngx_http_govsvc_quota_zone_params, args)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (k = 0; k < 3; k++) {
        if (args[k].data == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" must have \"%s...\" parameter",
                               &value[0],
                               ngx_http_govsvc_quota_zone_params[k]);
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_govsvc_conf_zone(cf, &args[0], 8 * ngx_pagesize, &name, &size)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    qmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_quota_module);

    zone = ngx_govsvc_zone_define(cf, &qmcf->zones, &name,
                                  sizeof(ngx_http_govsvc_quota_zone_t),
                                  NGX_HTTP_GOVSVC_QUOTA_ZONES, "quota");
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_limit_compile_key(cf, &zone->key, &args[3],
                                          args[4].data != NULL)
        != NGX_CONF_OK
        || ngx_http_govsvc_quota_zone_quota(cf, zone, &args[1], &args[2])
           != NGX_CONF_OK
        || ngx_http_govsvc_quota_zone_sync(cf, zone, &args[5], &args[6])
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_govsvc_zone_add(cf, &zone->base, size,
                               &ngx_http_govsvc_quota_module,
                               ngx_http_govsvc_quota_init_zone);
}


static char *
ngx_http_govsvc_quota_zone_quota(ngx_conf_t *cf,
    ngx_http_govsvc_quota_zone_t *zone, ngx_str_t *quota, ngx_str_t *tz)
{
    gs_err_t  err;
    gs_str_t  q, z;

    ngx_memzero(&err, sizeof(gs_err_t));
    q = ngx_govsvc_to_gs(quota);
    z = ngx_govsvc_to_gs(tz);

    if (gs_limit_quota_parse(&zone->quota, &q, &err) != GS_OK
        || gs_limit_quota_zone(&zone->quota, &z, &err) != GS_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", err.text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_quota_zone_sync(ngx_conf_t *cf,
    ngx_http_govsvc_quota_zone_t *zone, ngx_str_t *sync, ngx_str_t *share)
{
    gs_str_t  s;

    s = ngx_govsvc_to_gs(sync);

    if (ngx_http_govsvc_limit_local_share(cf, share, &zone->share)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (sync->data != NULL && !gs_str_eq_text(&s, "off")) {
        zone->sync = ngx_http_govsvc_limit_sync_create(cf, sync);

        return (zone->sync != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    if (share->data != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"local_share\" needs \"sync=NAME\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_quota_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_govsvc_quota_zone_t  *old = data;

    void                          *p;
    gs_siphash_key_t               secret;
    ngx_http_govsvc_quota_zone_t  *zone;

    zone = shm_zone->data;

    if (old != NULL) {
        zone->size = old->size;
        zone->table = gs_limit_quota_attach(old->table, old->size);

    } else {

        p = ngx_govsvc_zone_memory(shm_zone, &zone->size, &secret);

        zone->table = (p != NULL)
                      ? gs_limit_quota_init(p, zone->size, &secret) : NULL;
    }

    if (zone->table == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "govsvc quota: zone \"%V\" has no memory or another "
                      "layout", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static char *
ngx_http_govsvc_quota(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_quota_conf_t  *qcf = conf;

    ngx_str_t                      *value, name;
    ngx_uint_t                      i;
    ngx_http_govsvc_quota_limit_t   args, *limit;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {

        if (qcf->limits != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        qcf->limits = NULL;
        return NGX_CONF_OK;
    }

    if (qcf->limits == NULL) {
        return "stands beside \"govsvc_quota off\"";
    }

    ngx_memzero(&args, sizeof(ngx_http_govsvc_quota_limit_t));

    if (ngx_http_govsvc_quota_args(cf, &name, &args) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    args.zone = ngx_http_govsvc_quota_get_zone(cf, &name);
    if (args.zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (qcf->limits == NGX_CONF_UNSET_PTR) {
        qcf->limits = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_govsvc_quota_limit_t));
        if (qcf->limits == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    limit = qcf->limits->elts;

    for (i = 0; i < qcf->limits->nelts; i++) {
        if (limit[i].zone == args.zone) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate quota zone \"%V\"", &name);
            return NGX_CONF_ERROR;
        }
    }

    limit = ngx_array_push(qcf->limits);
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    *limit = args;

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_quota_args(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_govsvc_quota_limit_t *limit)
{
    ngx_str_t   *value, text;
    ngx_uint_t   i, k;

    value = cf->args->elts;
    limit->args.cost = 1;
    limit->args.timeout = 50;
    ngx_str_null(name);

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_govsvc_conf_param(&value[i], "zone=", name)) {
            continue;
        }

        if (ngx_govsvc_conf_param(&value[i], "dry_run", &text)) {
            limit->args.dry_run = 1;
            continue;
        }

        for (k = 0; ngx_http_govsvc_quota_params[k] != NULL; k++) {
            if (ngx_govsvc_conf_param(&value[i],
                                            ngx_http_govsvc_quota_params[k],
                                            &text))
            {
                break;
            }
        }

        if (ngx_http_govsvc_quota_params[k] == NULL) {
            return ngx_govsvc_conf_unknown(cf, &value[i],
                                           ngx_http_govsvc_quota_params);
        }

        if (ngx_http_govsvc_limit_arg(cf, &limit->args, &value[i],
                                      ngx_http_govsvc_quota_params)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (name->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone=NAME\" parameter",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_quota_add_variables(ngx_conf_t *cf)
{
    return ngx_http_govsvc_add_variables(cf, ngx_http_govsvc_quota_variables);
}


static ngx_int_t
ngx_http_govsvc_quota_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t which)
{
    u_char                        *p;
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_limit_data_t  *data;

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    data = ctx->limit_data;

    if (data == NULL || !data->quota_known) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;
    v->len = (unsigned) (ngx_sprintf(p, "%uL", data->quota_left) - p);
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
