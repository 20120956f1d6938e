
/*
 * Copyright (C) govsvc authors
 *
 * Memory as an argument.  The library takes no memory but through a
 * gs_mem_t, so that a test can make the n-th allocation fail and Nginx can
 * give a pool.
 */


#ifndef _GS_MEM_H_INCLUDED_
#define _GS_MEM_H_INCLUDED_


#include "core/gs_str.h"


typedef struct gs_mem_s  gs_mem_t;

struct gs_mem_s {
    void  *(*alloc)(void *ctx, size_t size);     /* NULL on failure */
    void   (*release)(void *ctx, void *p);       /* may be a no-op (pools) */
    void    *ctx;
};


/* Memory aligned for any type, not cleared; NULL on failure or size 0. */
void *gs_alloc(gs_mem_t *mem, size_t size);

/* n * size bytes of zeros; NULL also when the product overflows. */
void *gs_calloc(gs_mem_t *mem, size_t n, size_t size);

/* p may be NULL. */
void gs_free(gs_mem_t *mem, void *p);

/* A copy of s with a NUL behind it (not counted); data NULL on failure. */
gs_str_t gs_str_dup(gs_mem_t *mem, const gs_str_t *s);


/*
 * An arena: many small pieces, freed at once.  Compilers of rules, routes and
 * key sets build into one; its gs_mem_t has a no-op release.  blocks come from
 * the parent.
 */
typedef struct gs_arena_s  gs_arena_t;

gs_arena_t *gs_arena_create(gs_mem_t *parent);
gs_mem_t *gs_arena_mem(gs_arena_t *arena);
void gs_arena_destroy(gs_arena_t *arena);        /* arena may be NULL */


/* malloc and free, for the command line, tests and fuzz targets. */
extern gs_mem_t  gs_mem_libc;


#endif /* _GS_MEM_H_INCLUDED_ */
