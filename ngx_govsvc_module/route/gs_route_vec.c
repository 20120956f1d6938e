
/*
 * Copyright (C) govsvc authors
 *
 * Growing arrays and a text map in the compiler's arena.
 */


#include "route/gs_route_load.h"


struct gs_route_map_slot_s {
    gs_str_t  key;
    uint32_t  value;
    unsigned  used;
};


static gs_rc_t gs_route_map_grow(gs_route_load_t *l, gs_route_map_t *m);
static struct gs_route_map_slot_s *gs_route_map_slot(const gs_route_map_t *m,
    const gs_str_t *s);


void
gs_route_vec_init(gs_route_vec_t *v, uint32_t size)
{
    v->data = NULL;
    v->n = 0;
    v->cap = 0;
    v->size = size;
}


/* n new elements of zeros. */

void *
gs_route_vec_push(gs_route_load_t *l, gs_route_vec_t *v, uint32_t n)
{
    void      *data;
    uint64_t   cap;

    if ((uint64_t) v->n + n > v->cap) {

        cap = (uint64_t) v->cap * 2;

        if (cap < (uint64_t) v->n + n) {
            cap = (uint64_t) v->n + n + 16;
        }

        if (cap * v->size > GS_ROUTE_MAX_SIZE) {
            gs_err(l->err, "the table would exceed %u MB",
                   (unsigned) (GS_ROUTE_MAX_SIZE / 1024 / 1024));
            return NULL;
        }

        data = gs_alloc(l->mem, cap * v->size);

        if (data == NULL) {
            gs_route_nomem(l);
            return NULL;
        }

        if (v->n != 0) {
            memcpy(data, v->data, (size_t) v->n * v->size);
        }

        v->data = data;
        v->cap = (uint32_t) cap;
    }

    data = (gs_uchar_t *) v->data + (size_t) v->n * v->size;
    memset(data, 0, (size_t) n * v->size);
    v->n += n;

    return data;
}


void *
gs_route_load_alloc(gs_route_load_t *l, size_t n, size_t size)
{
    void  *p;

    p = gs_calloc(l->mem, n, size);

    if (p == NULL) {
        gs_route_nomem(l);
    }

    return p;
}


gs_rc_t
gs_route_nomem(gs_route_load_t *l)
{
    return gs_err(l->err, "out of memory");
}


gs_rc_t
gs_route_map_add(gs_route_load_t *l, gs_route_map_t *m, const gs_str_t *s,
    uint32_t *value)
{
    struct gs_route_map_slot_s  *slot;

    if (m->n * 2 >= m->cap && gs_route_map_grow(l, m) != GS_OK) {
        return GS_ERROR;
    }

    slot = gs_route_map_slot(m, s);

    if (slot->used) {
        *value = slot->value;
        return GS_DECLINED;
    }

    slot->key = *s;
    slot->value = *value;
    slot->used = 1;
    m->n++;

    return GS_OK;
}


uint32_t
gs_route_map_find(const gs_route_map_t *m, const gs_str_t *s)
{
    struct gs_route_map_slot_s  *slot;

    if (m->cap == 0) {
        return GS_ROUTE_NONE;
    }

    slot = gs_route_map_slot(m, s);

    return slot->used ? slot->value : GS_ROUTE_NONE;
}


static gs_rc_t
gs_route_map_grow(gs_route_load_t *l, gs_route_map_t *m)
{
    uint32_t                     i, cap;
    gs_route_map_t               old;
    struct gs_route_map_slot_s  *slots;

    cap = (m->cap == 0) ? 64 : m->cap * 2;
    slots = gs_route_load_alloc(l, cap, sizeof(struct gs_route_map_slot_s));

    if (slots == NULL) {
        return GS_ERROR;
    }

    old = *m;
    m->slots = slots;
    m->cap = cap;

    for (i = 0; i < old.cap; i++) {
        if (old.slots[i].used) {
            *gs_route_map_slot(m, &old.slots[i].key) = old.slots[i];
        }
    }

    return GS_OK;
}


static struct gs_route_map_slot_s *
gs_route_map_slot(const gs_route_map_t *m, const gs_str_t *s)
{
    uint32_t  i;

    i = (uint32_t) gs_route_hash(s->data, s->len, 0) & (m->cap - 1);

    while (m->slots[i].used && !gs_str_eq(&m->slots[i].key, s)) {
        i = (i + 1) & (m->cap - 1);
    }

    return &m->slots[i];
}
