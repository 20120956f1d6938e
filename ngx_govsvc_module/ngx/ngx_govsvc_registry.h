
/*
 * Copyright (C) govsvc authors
 *
 * The zone of a registry (core/gs_registry.h): its place in the life of
 * Nginx, from configuration and reload to the death of a worker.  What the
 * tables mean is the affair of the user.
 */


#ifndef _NGX_GOVSVC_REGISTRY_H_INCLUDED_
#define _NGX_GOVSVC_REGISTRY_H_INCLUDED_


#include "ngx/ngx_govsvc.h"
#include "core/gs_registry.h"


/*
 * One for a cycle.  blob and names are what the configuration of this cycle
 * publishes; check may be NULL and is asked once by each process for each new
 * table: NGX_OK if this process can work with it.
 */
typedef struct {
    ngx_pool_t                *pool;
    ngx_shm_zone_t            *zone;

    const void                *blob;
    size_t                     size;
    const gs_registry_name_t  *names;
    uint32_t                   nnames;

    ngx_int_t                (*check)(void *data,
                                  const gs_registry_view_t *view);
    void                      *data;
    ngx_uint_t                 failed;     /* could not be published */

    /* of the process */
    ngx_pid_t                  pid;
    ngx_uint_t                 depth;
    uint64_t                   seen;       /* the revision last checked */
    ngx_int_t                  verdict;
    gs_registry_t             *shared;
    gs_registry_t             *own;        /* where the shared is no use */
    gs_registry_t             *current;    /* inside a section */
    gs_registry_view_t         view;
} ngx_govsvc_registry_t;


/*
 * Adds the zone to the configuration; size 0 takes what the blob needs, with
 * room to grow.  A zone in which the blob does not fit fails the
 * configuration.  NULL is logged.
 */
ngx_govsvc_registry_t *ngx_govsvc_registry_add(ngx_conf_t *cf,
    ngx_str_t *name, size_t size, void *tag);

/* Bytes that size 0 comes to. */
size_t ngx_govsvc_registry_default_size(size_t blob, uint32_t names);

/*
 * Publishes what the cycle brings; to be called when nothing of the cycle can
 * fail any more.  Where that is impossible, logs and leaves the processes of
 * the cycle to their own copy.
 */
void ngx_govsvc_registry_publish(ngx_govsvc_registry_t *r, ngx_log_t *log);

/*
 * Publishes another table while the cycle lives, for a thread of one worker:
 * blocks while readers are in the way, half a second at most.  As
 * gs_registry_publish().
 */
gs_rc_t ngx_govsvc_registry_replace(ngx_govsvc_registry_t *r,
    const void *blob, size_t size, const gs_registry_name_t *names,
    ngx_uint_t nnames);

/* Takes the place of this process; also done on first use. */
void ngx_govsvc_registry_attach(ngx_govsvc_registry_t *r);

/*
 * The current table, or where the process cannot work with that the table of
 * its own cycle; valid until the leave, which must come before control goes
 * back to the event loop.  Sections nest.  NULL, with nothing to leave, when
 * memory is out.
 */
const gs_registry_view_t *ngx_govsvc_registry_enter(ngx_govsvc_registry_t *r);
void ngx_govsvc_registry_leave(ngx_govsvc_registry_t *r);


#endif /* _NGX_GOVSVC_REGISTRY_H_INCLUDED_ */
