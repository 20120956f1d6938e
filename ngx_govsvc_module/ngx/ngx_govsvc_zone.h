
/*
 * Copyright (C) govsvc authors
 *
 * Zones of shared memory with a name: named by some directives, defined by
 * one, in any order, as an included file may stand anywhere.
 */


#ifndef _NGX_GOVSVC_ZONE_H_INCLUDED_
#define _NGX_GOVSVC_ZONE_H_INCLUDED_


#include "core/gs_siphash.h"
#include "ngx/ngx_govsvc.h"


/* What a zone of each kind begins with. */
typedef struct {
    ngx_str_t         name;                /* with a NUL behind it */
    ngx_uint_t        index;               /* among those of its kind */
    ngx_shm_zone_t   *shm_zone;            /* NULL: only named */
    ngx_str_t         file;                /* where first named */
    ngx_uint_t        line;
} ngx_govsvc_zone_t;


/*
 * The zone of that name among zones, an array of pointers, made of size bytes
 * of zeros if it is named for the first time.  kind is a word for errors.
 * NULL, logged, if there are max already, or memory is out.
 */
void *ngx_govsvc_zone_get(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_str_t *name, size_t size, ngx_uint_t max, const char *kind);

/* The same for its definition: NULL, logged, if it has one. */
void *ngx_govsvc_zone_define(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_str_t *name, size_t size, ngx_uint_t max, const char *kind);

/* Gives the zone size bytes of memory. */
char *ngx_govsvc_zone_add(ngx_conf_t *cf, ngx_govsvc_zone_t *zone,
    size_t size, void *tag, ngx_shm_zone_init_pt init);

/* Logs the first zone that was named and never defined. */
char *ngx_govsvc_zone_check(ngx_conf_t *cf, ngx_array_t *zones,
    const char *kind);

/*
 * In the initialisation of new memory: all its pages in one piece of zeros,
 * as the slab pool has no other user, and *size; and random bytes for a hash.
 * NULL is logged.
 */
void *ngx_govsvc_zone_memory(ngx_shm_zone_t *shm_zone, size_t *size,
    gs_siphash_key_t *secret);


#endif /* _NGX_GOVSVC_ZONE_H_INCLUDED_ */
