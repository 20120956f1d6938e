
/*
 * Copyright (C) govsvc authors
 *
 * A lease in one word.
 */


#include "core/gs_lease.h"


#define GS_LEASE_HOLDER  0x3fffffu
#define GS_LEASE_TERMS   0x3ffu
#define GS_LEASE_UNIT    16                /* ms */


static uint32_t gs_lease_who(uint64_t word);
static int gs_lease_ended(uint64_t word, uint64_t now);
static uint64_t gs_lease_word(uint64_t until, uint64_t term,
    uint32_t holder);


gs_rc_t
gs_lease_take(gs_lease_t *lease, uint32_t holder, uint64_t now, uint64_t ttl)
{
    uint64_t  word, next, term;

    if (holder == 0 || holder > GS_LEASE_HOLDER || ttl > GS_LEASE_MAX_TTL) {
        return GS_DECLINED;
    }

    word = __atomic_load_n(lease, __ATOMIC_ACQUIRE);
    term = (word >> 22) & GS_LEASE_TERMS;

    if (gs_lease_ended(word, now)) {
        term++;

    } else if (gs_lease_who(word) != holder) {
        return GS_DECLINED;
    }

    next = gs_lease_word(now + ttl, term, holder);

    if (!__atomic_compare_exchange_n(lease, &word, next, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
    {
        return GS_DECLINED;
    }

    return GS_OK;
}


int
gs_lease_mine(const gs_lease_t *lease, uint32_t holder, uint64_t now)
{
    uint64_t  word;

    word = __atomic_load_n(lease, __ATOMIC_ACQUIRE);

    return gs_lease_who(word) == holder && !gs_lease_ended(word, now);
}


uint32_t
gs_lease_holder(const gs_lease_t *lease, uint64_t now)
{
    uint64_t  word;

    word = __atomic_load_n(lease, __ATOMIC_ACQUIRE);

    return gs_lease_ended(word, now) ? 0 : gs_lease_who(word);
}


int
gs_lease_free(const gs_lease_t *lease, uint64_t now)
{
    return gs_lease_ended(__atomic_load_n(lease, __ATOMIC_ACQUIRE), now);
}


void
gs_lease_drop(gs_lease_t *lease, uint32_t holder)
{
    uint64_t  word, next;

    word = __atomic_load_n(lease, __ATOMIC_ACQUIRE);

    /* who fails here lost it to another already */

    if (gs_lease_who(word) == holder) {
        next = word & ((uint64_t) GS_LEASE_TERMS << 22);

        (void) __atomic_compare_exchange_n(lease, &word, next, 0,
                                           __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE);
    }
}


unsigned
gs_lease_term(const gs_lease_t *lease)
{
    return (unsigned) (__atomic_load_n(lease, __ATOMIC_ACQUIRE) >> 22)
           & GS_LEASE_TERMS;
}


static uint32_t
gs_lease_who(uint64_t word)
{
    return (uint32_t) (word & GS_LEASE_HOLDER);
}


static int
gs_lease_ended(uint64_t word, uint64_t now)
{
    uint32_t  left;

    if (gs_lease_who(word) == 0) {
        return 1;
    }

    /* no lease is longer than the maximum: more is a clock that went round */

    left = (uint32_t) (word >> 32) - (uint32_t) (now / GS_LEASE_UNIT);

    return left == 0 || left > GS_LEASE_MAX_TTL / GS_LEASE_UNIT + 1;
}


static uint64_t
gs_lease_word(uint64_t until, uint64_t term, uint32_t holder)
{
    return (uint64_t) (uint32_t) (until / GS_LEASE_UNIT) << 32
           | (term & GS_LEASE_TERMS) << 22 | holder;
}
