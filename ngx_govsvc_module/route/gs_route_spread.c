
/*
 * Copyright (C) govsvc authors
 *
 * What picks read: for each pool the sequence of smooth weighted round robin,
 * worked out once, and for hash pools the lookup table of Maglev (Eisenbud
 * and others, 2016), weighted.
 */


#include "route/gs_route_load.h"


typedef struct {
    uint32_t  index;                       /* in the pool */
    uint32_t  weight;
    int64_t   current;
    uint32_t  offset;
    uint32_t  skip;
    uint32_t  next;
    uint64_t  taken;
} gs_route_member_t;


static gs_rc_t gs_route_spread_seq(gs_route_load_t *l, gs_route_pool_t *pool,
    gs_route_member_t *members, uint32_t n);
static uint32_t gs_route_spread_scale(gs_route_member_t *members, uint32_t n);
static gs_rc_t gs_route_spread_maglev(gs_route_load_t *l,
    gs_route_pool_t *pool, gs_route_member_t *members, uint32_t n);
static uint32_t gs_route_maglev_take(uint16_t *slots, uint32_t size,
    gs_route_member_t *member);


/* Prime, each at least 100 times the members it serves. */

static const uint32_t  gs_route_maglev_sizes[] = {
    1021, 4093, 16381, 65521, 131071
};


gs_rc_t
gs_route_build_spread(gs_route_load_t *l, gs_route_pool_t *pool)
{
    uint32_t              i, n;
    gs_route_member_t    *members;
    gs_route_instance_t  *instance;

    pool->seq = l->sections[GS_ROUTE_S_SEQ].n;
    pool->maglev = l->sections[GS_ROUTE_S_MAGLEV].n;

    if (pool->ninstances == 0) {
        return GS_OK;
    }

    members = gs_route_load_alloc(l, pool->ninstances,
                                  sizeof(gs_route_member_t));

    if (members == NULL) {
        return GS_ERROR;
    }

    n = 0;

    for (i = 0; i < pool->ninstances; i++) {
        instance = gs_route_vec_at(&l->sections[GS_ROUTE_S_INSTANCES],
                                   gs_route_instance_t, pool->instance + i);

        if (instance->state == GS_ROUTE_ENABLED) {
            members[n].index = i;
            members[n].weight = instance->weight;
            n++;
        }
    }

    if (n == 0) {
        return GS_OK;
    }

    if (pool->method == GS_ROUTE_HASH
        && gs_route_spread_maglev(l, pool, members, n) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_route_spread_seq(l, pool, members, n);
}


static gs_rc_t
gs_route_spread_seq(gs_route_load_t *l, gs_route_pool_t *pool,
    gs_route_member_t *members, uint32_t n)
{
    uint32_t   i, j, best, total;
    uint16_t  *seq;

    total = gs_route_spread_scale(members, n);
    seq = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_SEQ], total);

    if (seq == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i < total; i++) {
        best = 0;

        for (j = 0; j < n; j++) {
            members[j].current += members[j].weight;

            if (members[j].current > members[best].current) {
                best = j;
            }
        }

        members[best].current -= total;
        seq[i] = (uint16_t) members[best].index;
    }

    pool->nseq = total;

    return GS_OK;
}


/* Weights to small ones of the same ratio; returns their sum. */

static uint32_t
gs_route_spread_scale(gs_route_member_t *members, uint32_t n)
{
    uint32_t  i, a, b, rest, gcd, sum, scaled;

    gcd = members[0].weight;

    for (i = 1; i < n; i++) {

        a = gcd;
        b = members[i].weight;

        while (b != 0) {
            rest = a % b;
            a = b;
            b = rest;
        }

        gcd = a;
    }

    sum = 0;

    for (i = 0; i < n; i++) {
        members[i].weight /= gcd;
        sum += members[i].weight;
    }

    if (sum <= GS_ROUTE_SEQ_LEN) {
        return sum;
    }

    /* none falls to 0, so up to n more than the bound may come out */

    scaled = 0;

    for (i = 0; i < n; i++) {
        members[i].weight = (uint32_t) ((uint64_t) members[i].weight
                                        * (GS_ROUTE_SEQ_LEN - n) / sum) + 1;
        scaled += members[i].weight;
    }

    return scaled;
}


static gs_rc_t
gs_route_spread_maglev(gs_route_load_t *l, gs_route_pool_t *pool,
    gs_route_member_t *members, uint32_t n)
{
    uint32_t              i, size, filled, heaviest;
    uint64_t              turn;
    uint16_t             *slots;
    gs_route_instance_t  *instance;

    for (i = 0; gs_route_maglev_sizes[i] < n * 100; i++) { /* void */ }

    size = gs_route_maglev_sizes[i];
    slots = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_MAGLEV], size);

    if (slots == NULL) {
        return GS_ERROR;
    }

    memset(slots, 0xff, size * sizeof(uint16_t));
    heaviest = 0;

    for (i = 0; i < n; i++) {
        instance = gs_route_vec_at(&l->sections[GS_ROUTE_S_INSTANCES],
                                   gs_route_instance_t,
                                   pool->instance + members[i].index);

        members[i].offset = (uint32_t) (instance->key % size);
        members[i].skip = (uint32_t) ((instance->key >> 32) % (size - 1)) + 1;

        if (members[i].weight > heaviest) {
            heaviest = members[i].weight;
        }
    }

    filled = 0;

    for (turn = 1; filled < size; turn++) {

        for (i = 0; i < n && filled < size; i++) {

            if (members[i].taken * heaviest >= turn * members[i].weight) {
                continue;
            }

            slots[gs_route_maglev_take(slots, size, &members[i])] =
                (uint16_t) members[i].index;
            filled++;
        }
    }

    pool->nmaglev = size;

    return GS_OK;
}


/* The member's next free slot in its own permutation. */

static uint32_t
gs_route_maglev_take(uint16_t *slots, uint32_t size,
    gs_route_member_t *member)
{
    uint32_t  slot;

    do {
        slot = (uint32_t) ((member->offset
                            + (uint64_t) member->next * member->skip) % size);
        member->next++;
    } while (slots[slot] != 0xffff);

    member->taken++;

    return slot;
}
