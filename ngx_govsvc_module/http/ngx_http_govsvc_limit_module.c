
/*
 * Copyright (C) govsvc authors
 *
 * Limits: the directives.  A zone may be named before it is defined, as an
 * included file may stand anywhere.
 */


#include "http/ngx_http_govsvc_limit.h"


static void *ngx_http_govsvc_limit_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_limit_init_main_conf(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_limit_undefined(ngx_conf_t *cf,
    ngx_http_govsvc_limit_main_conf_t *lmcf,
    ngx_http_govsvc_limit_zone_t *zone);
static void *ngx_http_govsvc_limit_create_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_limit_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_govsvc_limit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_limit_args(ngx_conf_t *cf,
    ngx_http_govsvc_limit_t *like);
static char *ngx_http_govsvc_limit_off(ngx_conf_t *cf,
    ngx_http_govsvc_limit_conf_t *lcf);
static char *ngx_http_govsvc_limit_add(ngx_conf_t *cf,
    ngx_http_govsvc_limit_conf_t *lcf, ngx_str_t *name,
    ngx_http_govsvc_limit_t *like);


static ngx_command_t  ngx_http_govsvc_limit_commands[] = {

    { ngx_string("govsvc_limit_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_govsvc_limit_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_limit_main_conf_t, zones),
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
    NULL,                                  /* preconfiguration */
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
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static const char *const  ngx_http_govsvc_limit_params[] = {
    "zone=", "cost=", "dry_run", NULL
};


ngx_http_govsvc_limit_zone_t *
ngx_http_govsvc_limit_get_zone(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                           i;
    ngx_http_govsvc_limit_zone_t        *zone, **zones, **slot;
    ngx_http_govsvc_limit_main_conf_t   *lmcf;

    lmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_limit_module);
    zones = lmcf->zones.elts;

    for (i = 0; i < lmcf->zones.nelts; i++) {
        if (zones[i]->name.len == name->len
            && ngx_memcmp(zones[i]->name.data, name->data, name->len) == 0)
        {
            return zones[i];
        }
    }

    if (lmcf->zones.nelts == NGX_HTTP_GOVSVC_LIMIT_ZONES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many limit zones, at most %d are allowed",
                           NGX_HTTP_GOVSVC_LIMIT_ZONES);
        return NULL;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_limit_zone_t));
    slot = ngx_array_push(&lmcf->zones);

    if (zone == NULL || slot == NULL) {
        return NULL;
    }

    /* with a NUL behind it, for words of errors */

    zone->name.data = ngx_pcalloc(cf->pool, name->len + 1);
    if (zone->name.data == NULL) {
        return NULL;
    }

    ngx_memcpy(zone->name.data, name->data, name->len);

    zone->name.len = name->len;
    zone->index = lmcf->zones.nelts - 1;
    zone->file = cf->conf_file->file.name;
    zone->line = cf->conf_file->line;

    *slot = zone;

    return zone;
}


ngx_uint_t
ngx_http_govsvc_limit_param(ngx_str_t *arg, const char *name,
    ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (arg->len < len || ngx_memcmp(arg->data, name, len) != 0
        || (arg->len > len && name[len - 1] != '='))
    {
        return 0;
    }

    value->len = arg->len - len;
    value->data = arg->data + len;

    return 1;
}


char *
ngx_http_govsvc_limit_unknown(ngx_conf_t *cf, ngx_str_t *arg,
    const char *const *names)
{
    u_char     *p;
    ngx_str_t   name;

    name = *arg;

    p = ngx_strlchr(arg->data, arg->data + arg->len, '=');
    if (p != NULL) {
        name.len = p + 1 - arg->data;
    }

    return ngx_govsvc_conf_invalid(cf, "parameter", &name, names);
}


static void *
ngx_http_govsvc_limit_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_limit_main_conf_t  *lmcf;

    lmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_limit_main_conf_t));
    if (lmcf == NULL) {
        return NULL;
    }

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

    zones = lmcf->zones.elts;

    for (i = 0; i < lmcf->zones.nelts; i++) {
        if (zones[i]->shm_zone == NULL) {
            return ngx_http_govsvc_limit_undefined(cf, lmcf, zones[i]);
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_undefined(ngx_conf_t *cf,
    ngx_http_govsvc_limit_main_conf_t *lmcf,
    ngx_http_govsvc_limit_zone_t *zone)
{
    gs_err_t                        err;
    gs_str_t                        name;
    ngx_uint_t                      i, n;
    const char                     *names[NGX_HTTP_GOVSVC_LIMIT_ZONES + 1];
    ngx_http_govsvc_limit_zone_t  **zones;

    n = 0;
    zones = lmcf->zones.elts;

    for (i = 0; i < lmcf->zones.nelts; i++) {
        if (zones[i]->shm_zone != NULL) {
            names[n++] = (const char *) zones[i]->name.data;
        }
    }

    names[n] = NULL;

    name = ngx_govsvc_to_gs(&zone->name);

    ngx_memzero(&err, sizeof(gs_err_t));
    gs_err(&err, "limit zone \"%S\" is not defined", &name);
    gs_err_hint(&err, &name, names);
    err.line = (unsigned) zone->line;

    return ngx_govsvc_conf_error(cf, &zone->file, &err);
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

    gs_err_t                  err;
    ngx_uint_t                i;
    ngx_http_govsvc_limit_t  *limit;

    ngx_conf_merge_ptr_value(conf->limits, prev->limits, NULL);

    if (conf->limits == NULL) {
        return NGX_CONF_OK;
    }

    limit = conf->limits->elts;

    for (i = 0; i < conf->limits->nelts; i++) {

        if (limit[i].cost <= limit[i].zone->rate.burst) {
            continue;
        }

        ngx_memzero(&err, sizeof(gs_err_t));
        gs_err(&err, "invalid cost \"%zu\", no request could pass: the burst "
               "of limit zone \"%s\" is %zu", (size_t) limit[i].cost,
               (char *) limit[i].zone->name.data,
               (size_t) limit[i].zone->rate.burst);
        err.line = (unsigned) limit[i].line;

        return ngx_govsvc_conf_error(cf, &limit[i].file, &err);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_limit_conf_t *lcf = conf;

    ngx_str_t                *value, name;
    ngx_uint_t                i, zones;
    ngx_http_govsvc_limit_t   like;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return ngx_http_govsvc_limit_off(cf, lcf);
    }

    if (lcf->limits == NULL) {
        return "stands beside \"govsvc_limit off\"";
    }

    ngx_memzero(&like, sizeof(ngx_http_govsvc_limit_t));

    if (ngx_http_govsvc_limit_args(cf, &like) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (lcf->limits == NGX_CONF_UNSET_PTR) {
        lcf->limits = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_govsvc_limit_t));
        if (lcf->limits == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    zones = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        if (!ngx_http_govsvc_limit_param(&value[i], "zone=", &name)) {
            continue;
        }

        zones++;

        if (ngx_http_govsvc_limit_add(cf, lcf, &name, &like)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (zones == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone=NAME\" parameter",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


/* The parameters that hold for all zones of the directive. */

static char *
ngx_http_govsvc_limit_args(ngx_conf_t *cf, ngx_http_govsvc_limit_t *like)
{
    uint64_t     cost;
    gs_str_t     number;
    ngx_str_t   *value, text;
    ngx_uint_t   i;

    like->cost = 1;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_govsvc_limit_param(&value[i], "zone=", &text)) {
            continue;
        }

        if (ngx_http_govsvc_limit_param(&value[i], "dry_run", &text)) {
            like->dry_run = 1;
            continue;
        }

        if (ngx_http_govsvc_limit_param(&value[i], "off", &text)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"off\" must stand alone in \"%V\" "
                               "directive", &value[0]);
            return NGX_CONF_ERROR;
        }

        if (!ngx_http_govsvc_limit_param(&value[i], "cost=", &text)) {
            return ngx_http_govsvc_limit_unknown(cf, &value[i],
                                               ngx_http_govsvc_limit_params);
        }

        number = ngx_govsvc_to_gs(&text);

        if (gs_parse_u64(&number, &cost) != GS_OK || cost == 0
            || cost > NGX_MAX_INT32_VALUE)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid cost \"%V\" in \"%V\" directive, it "
                               "must be a whole number from 1 to %d",
                               &text, &value[0], NGX_MAX_INT32_VALUE);
            return NGX_CONF_ERROR;
        }

        like->cost = (ngx_uint_t) cost;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_off(ngx_conf_t *cf, ngx_http_govsvc_limit_conf_t *lcf)
{
    if (lcf->limits == NULL) {
        return "is duplicate";
    }

    if (lcf->limits != NGX_CONF_UNSET_PTR) {
        return "stands beside other limits, \"off\" must stand alone";
    }

    lcf->limits = NULL;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_add(ngx_conf_t *cf, ngx_http_govsvc_limit_conf_t *lcf,
    ngx_str_t *name, ngx_http_govsvc_limit_t *like)
{
    ngx_uint_t                     i;
    ngx_http_govsvc_limit_t       *limit;
    ngx_http_govsvc_limit_zone_t  *zone;

    if (name->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "empty zone name in \"govsvc_limit\" directive");
        return NGX_CONF_ERROR;
    }

    zone = ngx_http_govsvc_limit_get_zone(cf, name);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    limit = lcf->limits->elts;

    for (i = 0; i < lcf->limits->nelts; i++) {
        if (limit[i].zone == zone) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate limit zone \"%V\"", name);
            return NGX_CONF_ERROR;
        }
    }

    if (lcf->limits->nelts == NGX_HTTP_GOVSVC_LIMIT_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many limits, at most %d may apply at once",
                           NGX_HTTP_GOVSVC_LIMIT_MAX);
        return NGX_CONF_ERROR;
    }

    limit = ngx_array_push(lcf->limits);
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    *limit = *like;

    limit->zone = zone;
    limit->file = cf->conf_file->file.name;
    limit->line = cf->conf_file->line;

    return NGX_CONF_OK;
}
