
/*
 * Copyright (C) govsvc authors
 *
 * The zone of verdicts: its directive, and how it is laid out.
 */


#include "http/ngx_http_govsvc_token.h"
#include "limit/gs_limit_gcra.h"


#define NGX_HTTP_GOVSVC_TOKEN_ZONE_MIN   131072
#define NGX_HTTP_GOVSVC_TOKEN_BURST_MAX  1000000


static char *ngx_http_govsvc_token_zone_option(ngx_conf_t *cf,
    ngx_http_govsvc_token_main_conf_t *tmcf, ngx_str_t *word, size_t size);
static ngx_int_t ngx_http_govsvc_token_init_zone(ngx_shm_zone_t *zone,
    void *data);


/*
 * zone=NAME:SIZE [negative=SIZE] [throttle=RATE] [burst=N], or off.  A zone of
 * another division is another zone: a reload cannot divide one in use.
 */

char *
ngx_http_govsvc_token_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_token_main_conf_t *tmcf = conf;

    size_t                    size;
    ngx_str_t                *value, zone, name, full;
    ngx_uint_t                i;
    static const char *const  form[] = { "zone=NAME:SIZE", "off", NULL };

    value = cf->args->elts;

    if (tmcf->zone != NULL || tmcf->zone_off) {
        return "is duplicate";
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        tmcf->zone_off = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "zone=", 5) != 0) {
        return ngx_govsvc_conf_invalid(cf, "parameter", &value[1], form);
    }

    zone.data = value[1].data + 5;
    zone.len = value[1].len - 5;

    if (ngx_govsvc_conf_zone(cf, &zone, NGX_HTTP_GOVSVC_TOKEN_ZONE_MIN, &name,
                             &size)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_govsvc_token_zone_option(cf, tmcf, &value[i], size)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    full = name;

    if (tmcf->negative != 0) {
        full.data = ngx_pnalloc(cf->pool, name.len + 1 + NGX_SIZE_T_LEN);
        if (full.data == NULL) {
            return NGX_CONF_ERROR;
        }

        full.len = ngx_sprintf(full.data, "%V.%uz", &name, tmcf->negative)
                   - full.data;
    }

    return ngx_http_govsvc_token_add_zone(cf, tmcf, &full, size);
}


static char *
ngx_http_govsvc_token_zone_option(ngx_conf_t *cf,
    ngx_http_govsvc_token_main_conf_t *tmcf, ngx_str_t *word, size_t size)
{
    gs_str_t                  s;
    ngx_int_t                 n;
    ngx_str_t                 rest;
    gs_limit_rate_t           rate;
    static const char *const  names[] = {
        "negative=SIZE", "throttle=RATE", "throttle=off", "burst=N", NULL
    };
    static const char *const  sizes[] = {
        "4k to half of the zone", NULL
    };
    static const char *const  rates[] = {
        "Nr/s or Nr/m, 1r/m to 1000r/s", "off", NULL
    };
    static const char *const  bursts[] = { "1 to 1000000", NULL };

    rest = *word;

    if (ngx_strncmp(word->data, "negative=", 9) == 0) {
        rest.data += 9;
        rest.len -= 9;
        n = ngx_parse_size(&rest);

        if (n == NGX_ERROR || n < 4096 || (size_t) n > size / 2) {
            return ngx_govsvc_conf_invalid(cf, "size", word, sizes);
        }

        tmcf->negative = (size_t) n;

        return NGX_CONF_OK;
    }

    if (ngx_strcmp(word->data, "throttle=off") == 0) {
        tmcf->cache.throttle.period = 0;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(word->data, "throttle=", 9) == 0) {
        s = gs_str_make(word->data + 9, word->len - 9);

        if (gs_limit_rate_parse(&rate, &s, NULL) != GS_OK
            || rate.period / 1000 / rate.count == 0
            || rate.period / 1000 / rate.count > 60000)
        {
            return ngx_govsvc_conf_invalid(cf, "rate", word, rates);
        }

        tmcf->cache.throttle.period = rate.period / 1000 / rate.count;

        return NGX_CONF_OK;
    }

    if (ngx_strncmp(word->data, "burst=", 6) == 0) {
        n = ngx_atoi(word->data + 6, word->len - 6);

        if (n == NGX_ERROR || n < 1 || n > NGX_HTTP_GOVSVC_TOKEN_BURST_MAX) {
            return ngx_govsvc_conf_invalid(cf, "number", word, bursts);
        }

        tmcf->cache.throttle.burst = (uint64_t) n;

        return NGX_CONF_OK;
    }

    return ngx_govsvc_conf_invalid(cf, "parameter", word, names);
}


char *
ngx_http_govsvc_token_add_zone(ngx_conf_t *cf,
    ngx_http_govsvc_token_main_conf_t *tmcf, ngx_str_t *name, size_t size)
{
    tmcf->zone = ngx_shared_memory_add(cf, name, size,
                                       &ngx_http_govsvc_token_module);
    if (tmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    tmcf->zone->init = ngx_http_govsvc_token_init_zone;
    tmcf->zone->data = tmcf;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_token_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_govsvc_token_main_conf_t *old = data;

    size_t                              size;
    u_char                              random[16];
    ngx_slab_pool_t                    *pool;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = zone->data;
    pool = (ngx_slab_pool_t *) zone->shm.addr;

    tmcf->cache.alive = ngx_govsvc_alive;
    tmcf->cache.pid = (uint32_t) ngx_pid;

    if (old != NULL) {

        size = (size_t) (pool->end - (u_char *) pool->data);

        if (gs_token_cache_attach(&tmcf->cache, pool->data, size) != GS_OK) {
            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                          "govsvc token: zone \"%V\" holds something else",
                          &zone->shm.name);
            return NGX_ERROR;
        }

        tmcf->ready = 1;

        return NGX_OK;
    }

    /* the pages left are one run, which the cache takes whole */

    size = pool->pfree * ngx_pagesize;
    pool->data = ngx_slab_calloc(pool, size);

    if (pool->data == NULL
        || ngx_govsvc_random(random, sizeof(random), zone->shm.log) != NGX_OK
        || gs_token_cache_create(&tmcf->cache, pool->data, size, tmcf->negative,
                                 random)
           != GS_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "govsvc token: cannot lay out zone \"%V\"",
                      &zone->shm.name);
        return NGX_ERROR;
    }

    tmcf->ready = 1;

    return NGX_OK;
}
