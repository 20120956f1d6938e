
/*
 * Copyright (C) govsvc authors
 *
 * Nonces: their directive and their shared memory.
 */


#include "http/ngx_http_govsvc_apps.h"


#define NGX_HTTP_GOVSVC_NONCE_ZONE      16777216
#define NGX_HTTP_GOVSVC_NONCE_ZONE_MIN  32768
#define NGX_HTTP_GOVSVC_NONCE_SKEW      5000       /* ms */
#define NGX_HTTP_GOVSVC_NONCE_SKEW_MAX  600000


typedef enum {
    NGX_HTTP_GOVSVC_NONCE_P_ZONE = 0,
    NGX_HTTP_GOVSVC_NONCE_P_REDIS,
    NGX_HTTP_GOVSVC_NONCE_P_ON_ERROR,
    NGX_HTTP_GOVSVC_NONCE_P_SKEW,
    NGX_HTTP_GOVSVC_NONCE_PARAMS
} ngx_http_govsvc_nonce_param_e;


static char *ngx_http_govsvc_nonce_nodes(ngx_conf_t *cf,
    ngx_http_govsvc_nonce_zone_t *zone, ngx_str_t *params);
static char *ngx_http_govsvc_nonce_skew(ngx_conf_t *cf,
    ngx_http_govsvc_nonce_zone_t *zone, ngx_str_t *text);
static char *ngx_http_govsvc_nonce_define(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_str_t *name, ngx_http_govsvc_nonce_zone_t **zone);
static ngx_int_t ngx_http_govsvc_nonce_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);


static const char *const  ngx_http_govsvc_nonce_params[] = {
    "zone=", "redis=", "on_error=", "skew=", NULL
};

/* in the order of ngx_http_govsvc_nonce_error_e */

static const char *const  ngx_http_govsvc_nonce_errors[] = {
    "closed", "local", NULL
};


char *
ngx_http_govsvc_nonce_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_apps_main_conf_t *amcf = conf;

    size_t                         size;
    ngx_str_t                     *value, name;
    ngx_str_t                      params[NGX_HTTP_GOVSVC_NONCE_PARAMS];
    ngx_http_govsvc_nonce_zone_t  *zone;

    value = cf->args->elts;

    if (amcf->zones.nelts != 0) {
        return "is duplicate";
    }

    if (ngx_govsvc_conf_params(cf, 1, ngx_http_govsvc_nonce_params, params)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (params[NGX_HTTP_GOVSVC_NONCE_P_ZONE].data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone=NAME:SIZE\" parameter",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    if (ngx_govsvc_conf_zone(cf, &params[NGX_HTTP_GOVSVC_NONCE_P_ZONE],
                             NGX_HTTP_GOVSVC_NONCE_ZONE_MIN, &name, &size)
        != NGX_CONF_OK
        || ngx_http_govsvc_nonce_define(cf, &amcf->zones, &name, &zone)
           != NGX_CONF_OK
        || ngx_http_govsvc_nonce_nodes(cf, zone, params) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_govsvc_zone_add(cf, &zone->base, size,
                               &ngx_http_govsvc_apps_module,
                               ngx_http_govsvc_nonce_init_zone);
}


static char *
ngx_http_govsvc_nonce_nodes(ngx_conf_t *cf,
    ngx_http_govsvc_nonce_zone_t *zone, ngx_str_t *params)
{
    ngx_str_t   *redis, *on_error, *skew;
    ngx_uint_t   i;

    redis = &params[NGX_HTTP_GOVSVC_NONCE_P_REDIS];
    on_error = &params[NGX_HTTP_GOVSVC_NONCE_P_ON_ERROR];
    skew = &params[NGX_HTTP_GOVSVC_NONCE_P_SKEW];

    if (redis->data == NULL) {

        if (on_error->data != NULL || skew->data != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%s\" of nonce zone \"%V\" needs "
                               "\"redis=NAME\"",
                               on_error->data != NULL ? "on_error" : "skew",
                               &zone->base.name);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (on_error->data != NULL) {

        for (i = 0; ngx_http_govsvc_nonce_errors[i] != NULL; i++) {
            if (ngx_strcmp(on_error->data, ngx_http_govsvc_nonce_errors[i])
                == 0)
            {
                break;
            }
        }

        if (ngx_http_govsvc_nonce_errors[i] == NULL) {
            return ngx_govsvc_conf_invalid(cf, "on_error", on_error,
                                           ngx_http_govsvc_nonce_errors);
        }

        zone->on_error = i;
    }

    if (ngx_http_govsvc_nonce_skew(cf, zone, skew) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    zone->redis = ngx_http_govsvc_redis(cf, redis);

    return (zone->redis != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_govsvc_nonce_skew(ngx_conf_t *cf,
    ngx_http_govsvc_nonce_zone_t *zone, ngx_str_t *text)
{
    gs_str_t  s;
    uint64_t  ms;

    ms = NGX_HTTP_GOVSVC_NONCE_SKEW;

    if (text->data != NULL) {
        s = ngx_govsvc_to_gs(text);

        if (gs_parse_msec(&s, &ms) != GS_OK || ms % 1000 != 0
            || ms > NGX_HTTP_GOVSVC_NONCE_SKEW_MAX)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid skew \"%V\", allowed: 0s to 10m, whole "
                               "seconds, as in \"5s\"", text);
            return NGX_CONF_ERROR;
        }
    }

    zone->skew = (int64_t) (ms / 1000);

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_nonce_default(ngx_conf_t *cf, ngx_array_t *zones)
{
    ngx_http_govsvc_nonce_zone_t  *zone;

    static ngx_str_t  name = ngx_string("govsvc_nonces");

    if (ngx_http_govsvc_nonce_define(cf, zones, &name, &zone) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_govsvc_zone_add(cf, &zone->base, NGX_HTTP_GOVSVC_NONCE_ZONE,
                               &ngx_http_govsvc_apps_module,
                               ngx_http_govsvc_nonce_init_zone);
}


static char *
ngx_http_govsvc_nonce_define(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_str_t *name, ngx_http_govsvc_nonce_zone_t **zone)
{
    *zone = ngx_govsvc_zone_define(cf, zones, name,
                                   sizeof(ngx_http_govsvc_nonce_zone_t), 1,
                                   "nonce");

    return (*zone != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_govsvc_nonce_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_govsvc_nonce_zone_t *old = data;

    void                          *p;
    size_t                         size;
    gs_siphash_key_t               secret;
    ngx_http_govsvc_nonce_zone_t  *zone;

    zone = shm_zone->data;

    if (old != NULL) {

        if (gs_nonce_attach(&zone->store, old->store.hdr, old->size)
            != GS_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "govsvc app: zone \"%V\" holds another layout, "
                          "restart or give the zone another name",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        zone->size = old->size;
        return NGX_OK;
    }

    p = ngx_govsvc_zone_memory(shm_zone, &size, &secret);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (gs_nonce_create(&zone->store, p, size, (u_char *) &secret) != GS_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "govsvc app: cannot lay out zone \"%V\"",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    zone->size = size;

    return NGX_OK;
}
