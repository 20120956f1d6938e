
/*
 * Copyright (C) govsvc authors
 *
 * Picks: constant work while instances are usable.  When the first choice is
 * not, others are drawn by weight, so that the load of a failed instance
 * spreads over all, and at last the whole pool is searched.
 */


#include "route/gs_route_priv.h"


#define GS_ROUTE_PICK_STEPS  32


static int gs_route_pick_ok(const gs_route_instance_t *instance,
    const gs_route_pick_t *pick);
static const gs_route_instance_t *gs_route_pick_any(
    const gs_route_instance_t *instances, uint32_t n, uint32_t start,
    const gs_route_pick_t *pick);


unsigned
gs_route_pool_enabled(const gs_route_table_t *t, const gs_route_pool_t *pool)
{
    uint32_t                    i;
    unsigned                    n;
    const gs_route_instance_t  *instances;

    instances = gs_route_section(t, GS_ROUTE_S_INSTANCES, gs_route_instance_t)
                + pool->instance;
    n = 0;

    for (i = 0; i < pool->ninstances; i++) {
        n += (instances[i].state == GS_ROUTE_ENABLED);
    }

    return n;
}


const gs_route_instance_t *
gs_route_pick_wrr(const gs_route_table_t *t, const gs_route_pool_t *pool,
    uint32_t cursor, const gs_route_pick_t *pick)
{
    uint32_t                    i, place;
    const uint16_t             *seq;
    const gs_route_instance_t  *instances;

    if (pool->nseq == 0) {
        return NULL;
    }

    instances = gs_route_section(t, GS_ROUTE_S_INSTANCES, gs_route_instance_t)
                + pool->instance;
    seq = gs_route_section(t, GS_ROUTE_S_SEQ, uint16_t) + pool->seq;

    place = cursor;

    for (i = 0; i < GS_ROUTE_PICK_STEPS; i++) {

        if (gs_route_pick_ok(&instances[seq[place % pool->nseq]], pick)) {
            return &instances[seq[place % pool->nseq]];
        }

        /* not to the next one: it would bear the whole share of this one */

        place = (uint32_t) gs_route_hash(&cursor, sizeof(cursor), i);
    }

    return gs_route_pick_any(instances, pool->ninstances, cursor, pick);
}


const gs_route_instance_t *
gs_route_pick_p2c(const gs_route_table_t *t, const gs_route_pool_t *pool,
    uint32_t random1, uint32_t random2, const gs_route_pick_t *pick)
{
    uint64_t                    load1, load2;
    const gs_route_instance_t  *first, *second;

    first = gs_route_pick_wrr(t, pool, random1, pick);

    if (first == NULL || pick->load == NULL) {
        return first;
    }

    second = gs_route_pick_wrr(t, pool, random2, pick);

    if (second == first) {
        second = gs_route_pick_wrr(t, pool, random2 + 1, pick);
    }

    if (second == NULL) {
        return first;
    }

    /* load per weight; one more, as an idle heavy instance is the better */

    load1 = ((uint64_t) pick->load(pick->ctx, first) + 1) * second->weight;
    load2 = ((uint64_t) pick->load(pick->ctx, second) + 1) * first->weight;

    return (load2 < load1) ? second : first;
}


const gs_route_instance_t *
gs_route_pick_hash(const gs_route_table_t *t, const gs_route_pool_t *pool,
    uint64_t hash, const gs_route_pick_t *pick)
{
    uint32_t                    i;
    const uint16_t             *slots;
    const gs_route_instance_t  *instance, *instances;

    if (pool->nmaglev == 0) {
        return gs_route_pick_wrr(t, pool, (uint32_t) hash, pick);
    }

    instances = gs_route_section(t, GS_ROUTE_S_INSTANCES, gs_route_instance_t)
                + pool->instance;
    slots = gs_route_section(t, GS_ROUTE_S_MAGLEV, uint16_t) + pool->maglev;

    /* each key has its own order of second choices */

    for (i = 0; i < GS_ROUTE_PICK_STEPS; i++) {
        instance = &instances[slots[hash % pool->nmaglev]];

        if (gs_route_pick_ok(instance, pick)) {
            return instance;
        }

        hash = gs_route_hash(&hash, sizeof(hash), i);
    }

    return gs_route_pick_any(instances, pool->ninstances, (uint32_t) hash,
                             pick);
}


static const gs_route_instance_t *
gs_route_pick_any(const gs_route_instance_t *instances, uint32_t n,
    uint32_t start, const gs_route_pick_t *pick)
{
    uint32_t                    i;
    const gs_route_instance_t  *instance;

    start %= n;

    for (i = 0; i < n; i++) {
        instance = &instances[(start + i) % n];

        if (gs_route_pick_ok(instance, pick)) {
            return instance;
        }
    }

    return NULL;
}


static int
gs_route_pick_ok(const gs_route_instance_t *instance,
    const gs_route_pick_t *pick)
{
    unsigned  i;

    if (instance->state != GS_ROUTE_ENABLED) {
        return 0;
    }

    for (i = 0; i < pick->ntried; i++) {
        if (pick->tried[i] == instance->key) {
            return 0;
        }
    }

    return pick->usable == NULL || pick->usable(pick->ctx, instance);
}
