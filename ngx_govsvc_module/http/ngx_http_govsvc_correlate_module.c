
/*
 * Copyright (C) govsvc authors
 *
 * Correlation: the directive, the zone's shared memory, and the hooks of
 * others.
 */


#include "http/ngx_http_govsvc_correlate_priv.h"


typedef enum {
    NGX_HTTP_GOVSVC_CORRELATE_ZONE = 0,
    NGX_HTTP_GOVSVC_CORRELATE_BAN,
    NGX_HTTP_GOVSVC_CORRELATE_DRY_RUN,
    NGX_HTTP_GOVSVC_CORRELATE_PARAMS
} ngx_http_govsvc_correlate_param_e;


static void *ngx_http_govsvc_correlate_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_correlate_init_main_conf(ngx_conf_t *cf,
    void *conf);
static char *ngx_http_govsvc_correlate_set(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_govsvc_correlate_without(ngx_conf_t *cf,
    const gs_guard_t *guard);
static ngx_int_t ngx_http_govsvc_correlate_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static size_t ngx_http_govsvc_correlate_part(size_t size);
static void ngx_http_govsvc_correlate_lifted(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, void *data);
static void ngx_http_govsvc_correlate_cleanup(void *data);


static const char *const  ngx_http_govsvc_correlate_params[] = {
    "zone=", "ban=", "dry_run", NULL
};


static ngx_command_t  ngx_http_govsvc_correlate_commands[] = {

    { ngx_string("govsvc_correlate"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_govsvc_correlate_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_correlate_main_conf_t, shm_zone),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_correlate_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_correlate_create_main_conf, /* create main conf */
    ngx_http_govsvc_correlate_init_main_conf,   /* init main conf */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_correlate_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_correlate_module_ctx, /* module context */
    ngx_http_govsvc_correlate_commands,    /* module directives */
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


static void *
ngx_http_govsvc_correlate_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_correlate_main_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool,
                       sizeof(ngx_http_govsvc_correlate_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&conf->hooks, cf->pool, 2,
                       sizeof(ngx_http_govsvc_correlate_hook_t))
        != NGX_OK
        || ngx_array_init(&conf->rates, cf->pool, 4,
                          sizeof(ngx_http_govsvc_correlate_rate_t))
           != NGX_OK)
    {
        return NULL;
    }

    return conf;
}


ngx_int_t
ngx_http_govsvc_correlate_tell(ngx_conf_t *cf,
    ngx_http_govsvc_correlate_pt hook, void *data)
{
    ngx_http_govsvc_correlate_hook_t       *h;
    ngx_http_govsvc_correlate_main_conf_t  *conf;

    conf = ngx_http_conf_get_module_main_conf(cf,
                                            ngx_http_govsvc_correlate_module);

    h = ngx_array_push(&conf->hooks);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hook = hook;
    h->data = data;

    return NGX_OK;
}


static char *
ngx_http_govsvc_correlate_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_correlate_main_conf_t *ccf = conf;

    size_t      size;
    ngx_str_t   name, *value;
    ngx_str_t   params[NGX_HTTP_GOVSVC_CORRELATE_PARAMS];

    if (ccf->shm_zone != NULL) {
        return "is duplicate";
    }

    if (ngx_govsvc_conf_params(cf, 1, ngx_http_govsvc_correlate_params,
                               params)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (params[NGX_HTTP_GOVSVC_CORRELATE_ZONE].data == NULL) {
        value = cf->args->elts;
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone=NAME:SIZE\" parameter",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    if (ngx_govsvc_conf_zone(cf, &params[NGX_HTTP_GOVSVC_CORRELATE_ZONE],
                             64 * 1024, &name, &size)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    ccf->dry_run = (params[NGX_HTTP_GOVSVC_CORRELATE_DRY_RUN].data != NULL);

    if (params[NGX_HTTP_GOVSVC_CORRELATE_BAN].data != NULL) {

        ccf->ban = ngx_http_govsvc_ban_get_zone(cf,
                                     &params[NGX_HTTP_GOVSVC_CORRELATE_BAN]);
        if (ccf->ban == NULL) {
            return NGX_CONF_ERROR;
        }

        ccf->ban->lifted = ngx_http_govsvc_correlate_lifted;
        ccf->ban->lifted_data = ccf;
    }

    ccf->shm_zone = ngx_shared_memory_add(cf, &name, size,
                                          &ngx_http_govsvc_correlate_module);
    if (ccf->shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    ccf->shm_zone->init = ngx_http_govsvc_correlate_init_zone;
    ccf->shm_zone->data = ccf;

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


/* Behind that of the guard, so that the rules are compiled. */

static char *
ngx_http_govsvc_correlate_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_correlate_main_conf_t *ccf = conf;

    ngx_pool_cleanup_t                 *cln;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_guard_module);

    if (gmcf->guard == NULL) {
        return NGX_CONF_OK;
    }

    if (ccf->shm_zone == NULL) {
        return ngx_http_govsvc_correlate_without(cf, gmcf->guard);
    }

    ccf->guard = gmcf->guard;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_govsvc_correlate_cleanup;
    cln->data = ccf;

    if (ngx_http_govsvc_correlate_rates(cf, ccf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_correlate_taker(cf, ccf);
}


/* A rule that limits has nowhere to keep whom. */

static char *
ngx_http_govsvc_correlate_without(ngx_conf_t *cf, const gs_guard_t *guard)
{
    unsigned              i;
    ngx_str_t             file;
    gs_guard_rule_info_t  info;

    for (i = 0; gs_guard_rule(guard, i, &info) == GS_OK; i++) {
        if (info.limit.set) {
            file = ngx_govsvc_from_gs(&info.file);
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "rule %uD has \"limit\", but \"govsvc_correlate\" "
                          "is missing in http in %V:%ui", info.id, &file,
                          (ngx_uint_t) info.line);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_correlate_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_govsvc_correlate_main_conf_t *old = data;

    void                                   *p;
    size_t                                  part;
    gs_siphash_key_t                        secret;
    ngx_http_govsvc_correlate_main_conf_t  *ccf;

    ccf = shm_zone->data;

    if (old != NULL) {
        ccf->size = old->size;
        part = ngx_http_govsvc_correlate_part(ccf->size);

        ccf->table = gs_correlate_table_attach(old->table, ccf->size - part);
        ccf->limits = gs_limit_table_attach(old->limits, part);

    } else {
        p = ngx_govsvc_zone_memory(shm_zone, &ccf->size, &secret);
        if (p == NULL) {
            return NGX_ERROR;
        }

        part = ngx_http_govsvc_correlate_part(ccf->size);

        ccf->table = gs_correlate_table_init(p, ccf->size - part, &secret);
        ccf->limits = gs_limit_table_init((u_char *) p + ccf->size - part,
                                          part, &secret,
                                          ngx_govsvc_mono_us());
    }

    if (ccf->table == NULL || ccf->limits == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "govsvc correlate: zone \"%V\" holds another layout, "
                      "restart or give the zone another name",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* An eighth is for the rates of those who are limited. */

static size_t
ngx_http_govsvc_correlate_part(size_t size)
{
    return size / 8 & ~(size_t) 63;
}


/* "ip" and "network" of the address have the same kind of a ban. */

static void
ngx_http_govsvc_correlate_lifted(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, void *data)
{
    ngx_http_govsvc_correlate_main_conf_t *ccf = data;

    gs_str_t  key;

    if (ccf->guard == NULL || ccf->table == NULL) {
        return;
    }

    key = gs_str_make(id->h, sizeof(id->h));

    switch (id->kind) {

    case GS_BAN_NET:
        gs_correlate_forget(ccf->table, ccf->guard, GS_CORRELATE_IP, &key);
        gs_correlate_forget(ccf->table, ccf->guard, GS_CORRELATE_NETWORK,
                            &key);
        break;

    case GS_BAN_SUBJECT:
        gs_correlate_forget(ccf->table, ccf->guard, GS_CORRELATE_SUBJECT,
                            &key);
        break;

    default:
        gs_correlate_forget(ccf->table, ccf->guard, GS_CORRELATE_APP, &key);
    }
}


static void
ngx_http_govsvc_correlate_cleanup(void *data)
{
    ngx_http_govsvc_correlate_main_conf_t *ccf = data;

    gs_guard_scratch_destroy(ccf->scratch);
    gs_guard_destroy(ccf->taker);
    gs_guard_build_destroy(ccf->build);
}
