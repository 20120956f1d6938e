
/*
 * Copyright (C) govsvc authors
 *
 * Leases: the layout of a record, for the files that work on it.
 *
 * A key has two pools, one in use and one fetched ahead.  A pool is two words
 * that belong together when their sequence numbers agree: when the slots were
 * granted, and which are left.
 *
 *     grant   48 bits us | 10 bits of the key's hash | 6 sequence
 *     left    46 bits us of the end, where a further slot would be, relative
 *             to the grant | 12 bits number | 6 sequence
 *
 * Whoever brings slots swaps the grant first, which parts the words, and then
 * what is left, which joins them.  Killed in between, it leaves a pool that
 * nobody can use and anybody can fill.
 */


#ifndef _GS_LIMIT_LEASE_PRIV_H_INCLUDED_
#define _GS_LIMIT_LEASE_PRIV_H_INCLUDED_


#include "core/gs_fault.h"
#include "limit/gs_limit_lease.h"


#define GS_LIMIT_LEASE_PLACES   8          /* records in a bucket */
#define GS_LIMIT_LEASE_POOLS    2
#define GS_LIMIT_LEASE_SHIFT    (1ull << 45)
#define GS_LIMIT_LEASE_CHECK    0x3ffull
#define GS_LIMIT_LEASE_SEQ      0x3full

/*
 * seen counts spans of 65536 us, of which the same number comes again after 71
 * minutes; shareless is how far into that span, in us, the local share is
 * known to have nothing.
 */
#define GS_LIMIT_LEASE_SEEN     0xffff0000ull
#define GS_LIMIT_LEASE_SPAN     0xffffull

#define gs_limit_lease_load(p)  __atomic_load_n(p, __ATOMIC_ACQUIRE)


__extension__ typedef unsigned __int128  gs_limit_wide_t;


typedef struct {
    uint64_t                 left;
    uint64_t                 grant;
} gs_limit_lease_pool_t;


struct gs_limit_lease_record_s {
    gs_limit_lease_pool_t    pools[GS_LIMIT_LEASE_POOLS];
    uint64_t                 next;         /* 48 us: next slot of Redis, */
                                           /* 16 of the key's hash */
    uint64_t                 inflight;     /* us: until then one asks */
    uint64_t                 demand;       /* 16 wanted, 16 shareless, */
                                           /* 16 seen, 16 size */
    uint64_t                 closed;       /* 48 us: nobody passes before, */
                                           /* 16 of the key's hash */
};


typedef struct {
    uint64_t                 tags[GS_LIMIT_LEASE_PLACES];
    gs_limit_lease_record_t  records[GS_LIMIT_LEASE_PLACES];
} gs_limit_lease_bucket_t;


struct gs_limit_lease_table_s {
    uint32_t                 magic;
    uint32_t                 version;
    uint64_t                 size;
    uint64_t                 buckets;
    uint64_t                 epoch;
    uint64_t                 budget;       /* us between two leases */
    uint64_t                 unused[3];

    /* written at run time */
    uint64_t                 spent;        /* us: arrival time of leases */
    uint64_t                 asks;
    uint64_t                 slots;
    uint64_t                 discarded;
    uint64_t                 failed;
    uint64_t                 full;
    uint64_t                 padding[2];
};


/* A pool as it was read: what can still be used of it. */
typedef struct {
    gs_limit_lease_pool_t   *pool;
    uint64_t                 left;         /* the words */
    uint64_t                 grant;
    uint64_t                 start;        /* us: when granted */
    uint64_t                 end;          /* us */
    uint64_t                 n;            /* slots; 0: none or lapsed */
} gs_limit_lease_view_t;


/* Time of the table: from 2^45 us, so that no slot lies before 0. */
uint64_t gs_limit_lease_clock(const gs_limit_lease_table_t *table,
    uint64_t now);

/* Of n slots before end, those whose life is not over. */
uint64_t gs_limit_lease_lapse(const gs_limit_plan_t *plan, uint64_t end,
    uint64_t n, uint64_t now);

static inline void gs_limit_lease_view(const gs_limit_plan_t *plan,
    gs_limit_lease_pool_t *pool, uint64_t check, uint64_t now,
    gs_limit_lease_view_t *view);

static inline uint64_t gs_limit_lease_slot(const gs_limit_plan_t *plan,
    uint64_t end, uint64_t behind);

int gs_limit_lease_swap(uint64_t *p, uint64_t old, uint64_t new);


/*
 * When a slot comes, counted back from where its pool ends.  Rounded up, so
 * that the first one is within what Redis was charged for.
 */

static inline uint64_t
gs_limit_lease_slot(const gs_limit_plan_t *plan, uint64_t end,
    uint64_t behind)
{
    uint64_t  back;

    back = (uint64_t) (((gs_limit_wide_t) behind * plan->shared.interval)
                       >> GS_LIMIT_SHIFT);

    return (back < end) ? end - back : 0;
}


/*
 * A slot may be used from its time, or from the grant if that is later, for
 * the life of a slot.
 */

static inline void
gs_limit_lease_view(const gs_limit_plan_t *plan, gs_limit_lease_pool_t *pool,
    uint64_t check, uint64_t now, gs_limit_lease_view_t *view)
{
    view->pool = pool;
    view->left = gs_limit_lease_load(&pool->left);
    view->grant = gs_limit_lease_load(&pool->grant);
    view->start = view->grant >> 16;
    view->end = view->start + (view->left >> 18) - GS_LIMIT_LEASE_SHIFT;
    view->n = view->left >> 6 & GS_LIMIT_LEASE_MAX;

    if ((view->left & GS_LIMIT_LEASE_SEQ)
        != (view->grant & GS_LIMIT_LEASE_SEQ)
        || (view->grant >> 6 & GS_LIMIT_LEASE_CHECK)
           != (check & GS_LIMIT_LEASE_CHECK))
    {
        view->n = 0;
    }

    if (view->n != 0 && now > view->start + plan->life) {
        view->n = gs_limit_lease_lapse(plan, view->end, view->n, now);
    }
}


#endif /* _GS_LIMIT_LEASE_PRIV_H_INCLUDED_ */
