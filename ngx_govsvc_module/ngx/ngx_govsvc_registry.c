
/*
 * Copyright (C) govsvc authors
 *
 * The zone of a registry: made once, kept over reloads, read by the workers
 * of the old and the new cycle alike.
 */


#include "ngx/ngx_govsvc_registry.h"

#include <signal.h>


#define NGX_GOVSVC_REGISTRY_TRIES   50
#define NGX_GOVSVC_REGISTRY_PAUSE   10     /* ms */
#define NGX_GOVSVC_REGISTRY_MIN     (2 * 1024 * 1024)


static ngx_int_t ngx_govsvc_registry_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_govsvc_registry_carve(ngx_shm_zone_t *zone);
static int ngx_govsvc_registry_alive(int64_t pid);
static ngx_int_t ngx_govsvc_registry_usable(ngx_govsvc_registry_t *r);
static gs_registry_t *ngx_govsvc_registry_own(ngx_govsvc_registry_t *r);


ngx_govsvc_registry_t *
ngx_govsvc_registry_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    void *tag)
{
    ngx_str_t               full;
    ngx_govsvc_registry_t  *r;

    r = ngx_pcalloc(cf->pool, sizeof(ngx_govsvc_registry_t));
    if (r == NULL) {
        return NULL;
    }

    /* a module of another layout must not find this one's memory */

    full.data = ngx_pnalloc(cf->pool, name->len + 1 + NGX_INT32_LEN + 1);
    if (full.data == NULL) {
        return NULL;
    }

    full.len = ngx_sprintf(full.data, "%V.%d%Z", name, GS_REGISTRY_VERSION)
               - full.data - 1;

    r->zone = ngx_shared_memory_add(cf, &full, size, tag);
    if (r->zone == NULL) {
        return NULL;
    }

    r->pool = cf->pool;
    r->zone->init = ngx_govsvc_registry_init_zone;
    r->zone->data = r;

    return r;
}


size_t
ngx_govsvc_registry_default_size(size_t blob, uint32_t names)
{
    size_t  need, size;

    need = gs_registry_size(blob, names, NGX_MAX_PROCESSES) * 2;
    size = NGX_GOVSVC_REGISTRY_MIN;

    /* powers of two: a small change of the file keeps the zone */

    while (size < need) {
        size *= 2;
    }

    return size;
}


/*
 * Runs in nginx -t, and before it is certain that the new cycle will live:
 * what the old workers use must stay as it is.
 */

static ngx_int_t
ngx_govsvc_registry_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_govsvc_registry_t *old = data;

    size_t                  need;
    ngx_govsvc_registry_t  *r;

    r = zone->data;

    if (old != NULL && old->shared != NULL) {
        r->shared = old->shared;

    } else if (ngx_govsvc_registry_carve(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    if (gs_registry_fits(r->shared, r->size, r->nnames)) {
        return NGX_OK;
    }

    need = ngx_govsvc_registry_default_size(r->size, r->nnames);

    ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                  "registry zone \"%V\" of %uz bytes is too small for the "
                  "platforms, allowed: at least %uzm",
                  &zone->shm.name, zone->shm.size, need / (1024 * 1024));

    return NGX_ERROR;
}


static ngx_int_t
ngx_govsvc_registry_carve(ngx_shm_zone_t *zone)
{
    void                   *base;
    size_t                  size;
    ngx_slab_pool_t        *shpool;
    ngx_govsvc_registry_t  *r;

    r = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        base = shpool->data;

    } else {

        /* the whole of it, in one piece; a fresh zone is all zeros */

        size = shpool->pfree * ngx_pagesize;

        base = ngx_slab_alloc(shpool, size);

        if (base == NULL
            || gs_registry_create(base, size, NGX_MAX_PROCESSES) != GS_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                          "registry zone \"%V\" of %uz bytes is too small, "
                          "allowed: at least 1m",
                          &zone->shm.name, zone->shm.size);
            return NGX_ERROR;
        }

        shpool->data = base;
        shpool->log_nomem = 0;
    }

    r->shared = gs_registry_open(base);

    if (r->shared == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "registry zone \"%V\" has another layout",
                      &zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_govsvc_registry_publish(ngx_govsvc_registry_t *r, ngx_log_t *log)
{
    gs_rc_t  rc;

    if (r->blob == NULL) {
        return;
    }

    rc = ngx_govsvc_registry_replace(r, r->blob, r->size, r->names,
                                     r->nnames);

    if (rc == GS_OK) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "govsvc registry: published revision %uL",
                      gs_registry_revision(r->shared));
        return;
    }

    if (rc == GS_DECLINED) {
        return;
    }

    ngx_log_error(NGX_LOG_CRIT, log, 0,
                  "govsvc registry: publishing failed (%d), the workers of "
                  "this configuration use their own copy", (int) rc);

    r->failed = 1;
    (void) ngx_govsvc_registry_own(r);
}


gs_rc_t
ngx_govsvc_registry_replace(ngx_govsvc_registry_t *r, const void *blob,
    size_t size, const gs_registry_name_t *names, ngx_uint_t nnames)
{
    gs_rc_t     rc;
    ngx_uint_t  n;

    rc = GS_BUSY;

    for (n = 0; n < NGX_GOVSVC_REGISTRY_TRIES; n++) {

        rc = gs_registry_publish(r->shared, ngx_pid,
                                 ngx_govsvc_registry_alive, blob, size,
                                 names, (uint32_t) nnames);

        if (rc != GS_BUSY) {
            break;
        }

        /* a reader stopped in the middle; sections last microseconds */

        ngx_msleep(NGX_GOVSVC_REGISTRY_PAUSE);
    }

    return rc;
}


static int
ngx_govsvc_registry_alive(int64_t pid)
{
    if (pid <= 0) {
        return 0;
    }

    return kill((pid_t) pid, 0) == 0 || ngx_errno != ESRCH;
}


void
ngx_govsvc_registry_attach(ngx_govsvc_registry_t *r)
{
    r->pid = ngx_pid;
    r->depth = 0;
    r->seen = 0;

    gs_registry_attach(r->shared, (uint32_t) ngx_process_slot, ngx_pid);
}


const gs_registry_view_t *
ngx_govsvc_registry_enter(ngx_govsvc_registry_t *r)
{
    if (r->pid != ngx_pid) {
        ngx_govsvc_registry_attach(r);
    }

    if (r->depth++ != 0) {
        return &r->view;
    }

    if (!r->failed) {

        if (gs_registry_enter(r->shared, (uint32_t) ngx_process_slot,
                              &r->view)
            == GS_OK)
        {
            if (ngx_govsvc_registry_usable(r) == NGX_OK) {
                r->current = r->shared;
                return &r->view;
            }

            gs_registry_leave(r->shared, (uint32_t) ngx_process_slot);
        }
    }

    r->current = ngx_govsvc_registry_own(r);

    if (r->current == NULL
        || gs_registry_enter(r->current, 0, &r->view) != GS_OK)
    {
        r->depth = 0;
        return NULL;
    }

    return &r->view;
}


void
ngx_govsvc_registry_leave(ngx_govsvc_registry_t *r)
{
    if (--r->depth != 0) {
        return;
    }

    gs_registry_leave(r->current,
                      r->current == r->shared ? (uint32_t) ngx_process_slot
                                              : 0);
}


static ngx_int_t
ngx_govsvc_registry_usable(ngx_govsvc_registry_t *r)
{
    if (r->seen != r->view.revision) {
        r->seen = r->view.revision;
        r->verdict = r->check != NULL ? r->check(r->data, &r->view) : NGX_OK;
    }

    return r->verdict;
}


/* The cycle's own table, in memory of the process. */

static gs_registry_t *
ngx_govsvc_registry_own(ngx_govsvc_registry_t *r)
{
    void    *base;
    size_t   size;

    if (r->own != NULL || r->blob == NULL) {
        return r->own;
    }

    size = gs_registry_size(r->size, r->nnames, 1);

    base = ngx_pmemalign(r->pool, size, 64);
    if (base == NULL) {
        return NULL;
    }

    ngx_memzero(base, size);

    if (gs_registry_create(base, size, 1) != GS_OK
        || gs_registry_publish(base, ngx_pid, ngx_govsvc_registry_alive,
                               r->blob, r->size, r->names, r->nnames)
           != GS_OK)
    {
        return NULL;
    }

    r->own = gs_registry_open(base);

    return r->own;
}
