
/*
 * Copyright (C) govsvc authors
 *
 * Zones of shared memory with a name.
 */


#include "ngx/ngx_govsvc_zone.h"


static char *ngx_govsvc_zone_undefined(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_govsvc_zone_t *zone, const char *kind);


void *
ngx_govsvc_zone_get(ngx_conf_t *cf, ngx_array_t *zones, ngx_str_t *name,
    size_t size, ngx_uint_t max, const char *kind)
{
    ngx_uint_t           i;
    ngx_govsvc_zone_t   *zone, **all, **slot;

    all = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        if (all[i]->name.len == name->len
            && ngx_memcmp(all[i]->name.data, name->data, name->len) == 0)
        {
            return all[i];
        }
    }

    if (zones->nelts == max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many %s zones, at most %ui are allowed",
                           kind, max);
        return NULL;
    }

    zone = ngx_pcalloc(cf->pool, size);
    slot = ngx_array_push(zones);

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
    zone->index = zones->nelts - 1;
    zone->file = cf->conf_file->file.name;
    zone->line = cf->conf_file->line;

    *slot = zone;

    return zone;
}


void *
ngx_govsvc_zone_define(ngx_conf_t *cf, ngx_array_t *zones, ngx_str_t *name,
    size_t size, ngx_uint_t max, const char *kind)
{
    ngx_govsvc_zone_t  *zone;

    zone = ngx_govsvc_zone_get(cf, zones, name, size, max, kind);

    if (zone != NULL && zone->shm_zone != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s zone \"%V\" is already defined", kind,
                           &zone->name);
        return NULL;
    }

    return zone;
}


char *
ngx_govsvc_zone_add(ngx_conf_t *cf, ngx_govsvc_zone_t *zone, size_t size,
    void *tag, ngx_shm_zone_init_pt init)
{
    ngx_shm_zone_t  *shm_zone;

    shm_zone = ngx_shared_memory_add(cf, &zone->name, size, tag);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    shm_zone->init = init;
    shm_zone->data = zone;
    zone->shm_zone = shm_zone;

    return NGX_CONF_OK;
}


char *
ngx_govsvc_zone_check(ngx_conf_t *cf, ngx_array_t *zones, const char *kind)
{
    ngx_uint_t           i;
    ngx_govsvc_zone_t  **all;

    all = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        if (all[i]->shm_zone == NULL) {
            return ngx_govsvc_zone_undefined(cf, zones, all[i], kind);
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_zone_undefined(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_govsvc_zone_t *zone, const char *kind)
{
    gs_err_t             err;
    gs_str_t             name;
    ngx_uint_t           i, n;
    const char         **names;
    ngx_govsvc_zone_t  **all;

    n = 0;
    all = zones->elts;

    names = ngx_pcalloc(cf->pool, (zones->nelts + 1) * sizeof(char *));
    if (names == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < zones->nelts; i++) {
        if (all[i]->shm_zone != NULL) {
            names[n++] = (const char *) all[i]->name.data;
        }
    }

    name = ngx_govsvc_to_gs(&zone->name);

    ngx_memzero(&err, sizeof(gs_err_t));
    gs_err(&err, "%s zone \"%S\" is not defined", kind, &name);

    if (n != 0) {
        gs_err_hint(&err, &name, names);
    }

    err.line = (unsigned) zone->line;

    return ngx_govsvc_conf_error(cf, &zone->file, &err);
}


void *
ngx_govsvc_zone_memory(ngx_shm_zone_t *shm_zone, size_t *size,
    gs_siphash_key_t *secret)
{
    void             *p;
    ngx_slab_pool_t  *shpool;

    if (ngx_govsvc_random(secret, sizeof(gs_siphash_key_t), shm_zone->shm.log)
        != NGX_OK)
    {
        return NULL;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    *size = shpool->pfree * ngx_pagesize;

    p = ngx_slab_alloc(shpool, *size);

    if (p == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "govsvc: no memory in zone \"%V\"",
                      &shm_zone->shm.name);
        return NULL;
    }

    ngx_memzero(p, *size);

    return p;
}
