
/*
 * Copyright (C) govsvc authors
 *
 * Memory as an argument, and an arena over it.
 */


#include <stdlib.h>

#include "core/gs_mem.h"


#define GS_ARENA_ALIGN  16
#define GS_ARENA_BLOCK  4096
#define GS_ARENA_GROW   (256 * 1024)

#define gs_arena_align(n)                                                     \
    (((n) + (GS_ARENA_ALIGN - 1)) & ~((size_t) GS_ARENA_ALIGN - 1))


typedef struct gs_arena_block_s  gs_arena_block_t;

struct gs_arena_block_s {
    gs_arena_block_t  *next;
    gs_uchar_t        *pos;
    gs_uchar_t        *last;
};


struct gs_arena_s {
    gs_mem_t           mem;
    gs_mem_t          *parent;
    gs_arena_block_t  *blocks;             /* the one in use first */
    size_t             grow;
};


static void *gs_arena_alloc(void *ctx, size_t size);
static gs_arena_block_t *gs_arena_block(gs_arena_t *arena, size_t size);
static void gs_arena_release(void *ctx, void *p);
static void *gs_libc_alloc(void *ctx, size_t size);
static void gs_libc_release(void *ctx, void *p);


gs_mem_t  gs_mem_libc = { gs_libc_alloc, gs_libc_release, NULL };


void *
gs_alloc(gs_mem_t *mem, size_t size)
{
    if (size == 0) {
        return NULL;
    }

    return mem->alloc(mem->ctx, size);
}


void *
gs_calloc(gs_mem_t *mem, size_t n, size_t size)
{
    void  *p;

    if (n != 0 && size > SIZE_MAX / n) {
        return NULL;
    }

    p = gs_alloc(mem, n * size);

    if (p != NULL) {
        memset(p, 0, n * size);
    }

    return p;
}


void
gs_free(gs_mem_t *mem, void *p)
{
    if (p != NULL) {
        mem->release(mem->ctx, p);
    }
}


gs_str_t
gs_str_dup(gs_mem_t *mem, const gs_str_t *s)
{
    gs_str_t     copy;
    gs_uchar_t  *p;

    copy.len = 0;
    copy.data = NULL;

    if (s->len == SIZE_MAX) {
        return copy;
    }

    p = gs_alloc(mem, s->len + 1);
    if (p == NULL) {
        return copy;
    }

    if (s->len != 0) {
        memcpy(p, s->data, s->len);
    }

    p[s->len] = '\0';

    copy.len = s->len;
    copy.data = p;

    return copy;
}


gs_arena_t *
gs_arena_create(gs_mem_t *parent)
{
    gs_arena_t  *arena;

    arena = gs_alloc(parent, sizeof(gs_arena_t));
    if (arena == NULL) {
        return NULL;
    }

    arena->mem.alloc = gs_arena_alloc;
    arena->mem.release = gs_arena_release;
    arena->mem.ctx = arena;
    arena->parent = parent;
    arena->blocks = NULL;
    arena->grow = GS_ARENA_BLOCK;

    return arena;
}


gs_mem_t *
gs_arena_mem(gs_arena_t *arena)
{
    return &arena->mem;
}


void
gs_arena_destroy(gs_arena_t *arena)
{
    gs_arena_block_t  *block, *next;

    if (arena == NULL) {
        return;
    }

    for (block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        gs_free(arena->parent, block);
    }

    gs_free(arena->parent, arena);
}


static void *
gs_arena_alloc(void *ctx, size_t size)
{
    gs_arena_t *arena = ctx;

    gs_uchar_t        *p;
    gs_arena_block_t  *block;

    if (size > SIZE_MAX / 2) {
        return NULL;
    }

    size = gs_arena_align(size);
    block = arena->blocks;

    if (block == NULL || size > (size_t) (block->last - block->pos)) {
        block = gs_arena_block(arena, size);
        if (block == NULL) {
            return NULL;
        }
    }

    p = block->pos;
    block->pos += size;

    return p;
}


static gs_arena_block_t *
gs_arena_block(gs_arena_t *arena, size_t size)
{
    size_t             head, room;
    gs_arena_block_t  *block;

    head = gs_arena_align(sizeof(gs_arena_block_t));
    room = (size > arena->grow / 4) ? size : arena->grow - head;

    block = gs_alloc(arena->parent, head + room);
    if (block == NULL) {
        return NULL;
    }

    block->pos = (gs_uchar_t *) block + head;
    block->last = block->pos + room;

    /* a large piece has a block of its own, behind the one in use */

    if (room == size && arena->blocks != NULL) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
        return block;
    }

    block->next = arena->blocks;
    arena->blocks = block;

    if (arena->grow < GS_ARENA_GROW) {
        arena->grow *= 2;
    }

    return block;
}


static void
gs_arena_release(void *ctx, void *p)
{
}


static void *
gs_libc_alloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
gs_libc_release(void *ctx, void *p)
{
    free(p);
}
