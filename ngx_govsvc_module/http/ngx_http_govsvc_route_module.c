
/*
 * Copyright (C) govsvc authors
 *
 * Route: the files of platforms and regions, and where routes are looked for.
 * The table is compiled once the whole http block is known.
 */


#include "http/ngx_http_govsvc_route_priv.h"


#define NGX_HTTP_GOVSVC_PLATFORMS_SIZE  (64 * 1024 * 1024)
#define NGX_HTTP_GOVSVC_REGIONS_SIZE    (4 * 1024 * 1024)


static void *ngx_http_govsvc_route_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_route_init_main_conf(ngx_conf_t *cf,
    void *conf);
static void *ngx_http_govsvc_route_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_route_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_govsvc_route_set_platforms(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_govsvc_route_set_regions(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_govsvc_route_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_http_govsvc_route_commands[] = {

    { ngx_string("govsvc_platforms"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_route_set_platforms,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_route_main_conf_t, platforms),
      NULL },

    { ngx_string("govsvc_regions"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_route_set_regions,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_route_main_conf_t, regions),
      NULL },

    { ngx_string("govsvc_route"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_govsvc_route_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_route_loc_conf_t, enable),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_route_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_route_create_main_conf,     /* create main conf */
    ngx_http_govsvc_route_init_main_conf,  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_route_create_loc_conf, /* create location configuration */
    ngx_http_govsvc_route_merge_loc_conf   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_route_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_route_module_ctx,     /* module context */
    ngx_http_govsvc_route_commands,        /* module directives */
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


const gs_route_table_t *
ngx_http_govsvc_route_blob(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_route_main_conf_t  *rmcf;

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_route_module);

    return (rmcf != NULL) ? rmcf->table : NULL;
}


static void *
ngx_http_govsvc_route_create_main_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->platforms = { 0, NULL };
     *     conf->regions = { 0, NULL };
     *     conf->table = NULL;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_route_main_conf_t));
}


static char *
ngx_http_govsvc_route_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_route_main_conf_t *rmcf = conf;

    size_t             size;
    gs_err_t           err;
    gs_mem_t          *mem;
    gs_str_t           platforms, regions;
    ngx_str_t         *file;
    gs_route_table_t  *table;

    if (rmcf->platforms.data == NULL) {
        return NGX_CONF_OK;
    }

    mem = ngx_govsvc_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    platforms = ngx_govsvc_to_gs(&rmcf->platforms_text);
    regions = ngx_govsvc_to_gs(&rmcf->regions_text);

    if (gs_route_compile(mem, &platforms,
                         (rmcf->regions.data != NULL) ? &regions : NULL,
                         &table, &size, &err) != GS_OK)
    {
        file = (err.file[0] == 'r') ? &rmcf->regions : &rmcf->platforms;
        err.file[0] = '\0';

        return ngx_govsvc_conf_error(cf, file, &err);
    }

    rmcf->table = table;

    return NGX_CONF_OK;
}


static void *
ngx_http_govsvc_route_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_route_loc_conf_t  *conf;

    conf = ngx_palloc(cf->pool, sizeof(ngx_http_govsvc_route_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->enable = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_govsvc_route_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_govsvc_route_loc_conf_t *prev = parent;
    ngx_http_govsvc_route_loc_conf_t *conf = child;

    ngx_http_govsvc_route_main_conf_t  *rmcf;

    ngx_conf_merge_value(conf->enable, prev->enable, 0);

    if (!conf->enable) {
        return NGX_CONF_OK;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_route_module);

    if (rmcf->platforms.data == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_route on\" needs \"govsvc_platforms\" in "
                      "the http block");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_route_set_platforms(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_route_main_conf_t *rmcf = conf;

    ngx_str_t  *value;

    if (rmcf->platforms.data != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;
    rmcf->platforms = value[1];

    ngx_http_govsvc_enable(cf);

    return ngx_govsvc_conf_read_file(cf, &rmcf->platforms,
                                     &rmcf->platforms_text,
                                     NGX_HTTP_GOVSVC_PLATFORMS_SIZE, 0);
}


static char *
ngx_http_govsvc_route_set_regions(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_route_main_conf_t *rmcf = conf;

    ngx_str_t  *value;

    if (rmcf->regions.data != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;
    rmcf->regions = value[1];

    return ngx_govsvc_conf_read_file(cf, &rmcf->regions, &rmcf->regions_text,
                                     NGX_HTTP_GOVSVC_REGIONS_SIZE, 0);
}


static char *
ngx_http_govsvc_route_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *rv;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv == NGX_CONF_OK) {
        ngx_http_govsvc_enable(cf);
    }

    return rv;
}
