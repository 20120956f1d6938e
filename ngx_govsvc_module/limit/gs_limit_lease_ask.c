
/*
 * Copyright (C) govsvc authors
 *
 * Leases: when to ask Redis, for how much, and what becomes of the answer.
 */


#include "limit/gs_limit_lease_priv.h"


#define GS_LIMIT_LEASE_SOUND    1000000000000ull  /* us: in the year 1970 */
#define GS_LIMIT_LEASE_TTL      60000             /* ms, at least */
#define GS_LIMIT_LEASE_RETRIES  8


static gs_rc_t gs_limit_lease_due(gs_limit_lease_t *lease, uint64_t now,
    uint64_t size);
static uint64_t gs_limit_lease_demand(gs_limit_lease_t *lease, uint64_t now,
    uint64_t recovered);
static uint64_t gs_limit_lease_last(gs_limit_lease_record_t *record,
    uint64_t check);
static uint64_t gs_limit_lease_ttl(const gs_limit_lease_t *lease,
    uint64_t slots, uint64_t now, uint64_t last);
static void gs_limit_lease_spend(gs_limit_lease_table_t *table,
    uint64_t now);
static void gs_limit_lease_deposit(gs_limit_lease_ask_t *ask, uint64_t now,
    uint64_t first);
static uint64_t gs_limit_lease_local(const gs_limit_lease_ask_t *ask,
    uint64_t now, int64_t offset, uint64_t score, uint64_t back);
static void gs_limit_lease_end(gs_limit_lease_ask_t *ask);


gs_rc_t
gs_limit_lease_ask(gs_limit_lease_t *lease, uint64_t now, int64_t offset,
    uint64_t recovered, uint64_t timeout, gs_limit_lease_ask_t *ask)
{
    uint64_t                  t, size, inflight, last, redis;
    const gs_limit_plan_t    *plan;
    gs_limit_lease_record_t  *record;

    record = lease->record;
    plan = lease->plan;

    if (record == NULL || lease->cost > plan->shared.burst
        || lease->cost > GS_LIMIT_LEASE_MAX)
    {
        return GS_DECLINED;
    }

    t = gs_limit_lease_clock(lease->table, now);
    inflight = gs_limit_lease_load(&record->inflight);
    size = gs_limit_lease_load(&record->demand) & 0xffff;

    if (inflight > t || gs_limit_lease_due(lease, t, size) != GS_OK
        || !gs_limit_lease_swap(&record->inflight, inflight, t + timeout))
    {
        return GS_DECLINED;
    }

    gs_fault("lease_ask");

    recovered = (recovered == 0) ? 0
                : gs_limit_lease_clock(lease->table, recovered);
    last = gs_limit_lease_last(record, lease->check);

    ask->table = lease->table;
    ask->record = record;
    ask->plan = plan;
    ask->tag = lease->tag;
    ask->check = lease->check;
    ask->inflight = t + timeout;
    ask->cost = lease->cost;
    ask->look = plan->low;

    ask->slots = plan->low ? lease->cost
                           : gs_limit_lease_demand(lease, t, recovered);

    ask->increment = gs_limit_step(&plan->shared, 0, ask->slots)
                     + (plan->shared.unit
                        != gs_limit_step(&plan->shared, 0, 1));

    /* a bucket that was empty when Redis came back has refilled since */

    redis = (uint64_t) ((int64_t) now + offset);
    ask->anchor = redis;

    if (recovered != 0 && recovered + plan->credit > t) {
        ask->anchor = redis + recovered + plan->credit - t;
    }

    ask->ttl = gs_limit_lease_ttl(lease, ask->slots, t, last);

    gs_limit_lease_spend(lease->table, t);

    return GS_OK;
}


gs_rc_t
gs_limit_lease_seen(gs_limit_lease_ask_t *ask, uint64_t now, int64_t offset,
    uint64_t score)
{
    uint64_t  t, next, last;

    t = gs_limit_lease_clock(ask->table, now);

    if (score < ask->anchor) {
        score = ask->anchor;
    }

    next = gs_limit_lease_local(ask, t, offset - (int64_t) (t - now), score,
                                ask->plan->credit);
    last = gs_limit_step(&ask->plan->shared, next, ask->cost - 1);

    if (last <= t) {
        return GS_OK;
    }

    __atomic_store_n(&ask->record->next, next << 16 | ask->check,
                     __ATOMIC_RELEASE);
    gs_limit_lease_end(ask);

    return GS_DECLINED;
}


gs_rc_t
gs_limit_lease_grant(gs_limit_lease_ask_t *ask, uint64_t now, int64_t offset,
    uint64_t score)
{
    uint64_t  t, first, next;

    t = gs_limit_lease_clock(ask->table, now);

    if (score < GS_LIMIT_LEASE_SOUND) {
        (void) __atomic_fetch_add(&ask->table->discarded, 1,
                                  __ATOMIC_RELAXED);
        gs_limit_lease_end(ask);
        return GS_DECLINED;
    }

    offset -= (int64_t) (t - now);
    first = gs_limit_lease_local(ask, t, offset, score,
                                 ask->increment + ask->plan->credit);
    next = gs_limit_lease_local(ask, t, offset, score, ask->plan->credit);

    gs_limit_lease_deposit(ask, t, first);

    gs_fault("lease_deposit");

    __atomic_store_n(&ask->record->next, next << 16 | ask->check,
                     __ATOMIC_RELEASE);

    /* an answer that comes late may bring slots of before */

    __atomic_store_n(&ask->record->closed, 0, __ATOMIC_RELEASE);
    (void) __atomic_fetch_add(&ask->table->slots, ask->slots,
                              __ATOMIC_RELAXED);
    gs_limit_lease_end(ask);

    return GS_OK;
}


void
gs_limit_lease_fail(gs_limit_lease_ask_t *ask)
{
    (void) __atomic_fetch_add(&ask->table->failed, 1, __ATOMIC_RELAXED);
    gs_limit_lease_end(ask);
}


/*
 * Due when less than half a lease is held and one pool is empty, unless the
 * next slot of Redis lies further ahead than a slot lives: then a flood that
 * is being refused costs nothing.  Low rates look only when a slot is due.
 */

static gs_rc_t
gs_limit_lease_due(gs_limit_lease_t *lease, uint64_t now, uint64_t size)
{
    uint64_t                held, word, next;
    unsigned                i, empty;
    const gs_limit_plan_t  *plan;
    gs_limit_lease_view_t   view;

    plan = lease->plan;
    held = 0;
    empty = 0;

    for (i = 0; i < GS_LIMIT_LEASE_POOLS; i++) {
        gs_limit_lease_view(plan, &lease->record->pools[i], lease->check, now,
                            &view);
        held += view.n;
        empty += (view.n == 0);
    }

    if (empty == 0 || (held > size / 2 && held >= lease->cost)) {
        return GS_DECLINED;
    }

    if (plan->low && held >= lease->cost) {
        return GS_DECLINED;
    }

    word = gs_limit_lease_load(&lease->record->next);

    if ((word & 0xffff) != lease->check) {
        return GS_OK;
    }

    next = word >> 16;

    if (plan->low) {
        next = gs_limit_step(&plan->shared, next, lease->cost - 1);
        return (next <= now) ? GS_OK : GS_DECLINED;
    }

    return (next <= now + plan->life) ? GS_OK : GS_DECLINED;
}


/*
 * The size of the lease: what one target of time has used lately.  It grows
 * at once, by no more than what was asked for in vain and as much again, and
 * shrinks slowly; after an outage it starts from one.
 */

static uint64_t
gs_limit_lease_demand(gs_limit_lease_t *lease, uint64_t now,
    uint64_t recovered)
{
    unsigned                i;
    uint64_t                word, wanted, size, old, sample, elapsed, last;
    const gs_limit_plan_t  *plan;

    plan = lease->plan;
    last = gs_limit_lease_last(lease->record, lease->check);
    size = 0;

    for (i = 0; i < GS_LIMIT_LEASE_RETRIES; i++) {

        word = gs_limit_lease_load(&lease->record->demand);
        wanted = word >> 48;
        old = word & 0xffff;

        if (last == 0 || last < recovered) {
            old = 0;
        }

        elapsed = (last != 0 && last < now) ? now - last : 1;
        sample = old * plan->target / elapsed;

        if (elapsed > 16 * plan->target) {
            sample = 0;
        }

        sample += wanted;

        if (sample <= old) {
            size = (3 * old + sample) / 4;

        } else if (last < recovered + 50 * plan->target && recovered != 0) {
            size = 2 * old;

        } else {
            size = 2 * old + wanted;
        }

        if (sample > old && size > sample) {
            size = sample;
        }

        if (size > plan->most) {
            size = plan->most;
        }

        if (size < lease->cost) {
            size = lease->cost;
        }

        if (gs_limit_lease_swap(&lease->record->demand, word,
                                (word & ~(0xffff | 0xffffull << 48))
                                | size))
        {
            break;
        }
    }

    return size;
}


/* When the last lease was granted to this key, 0 for never. */

static uint64_t
gs_limit_lease_last(gs_limit_lease_record_t *record, uint64_t check)
{
    unsigned  i;
    uint64_t  grant, last;

    last = 0;

    for (i = 0; i < GS_LIMIT_LEASE_POOLS; i++) {
        grant = gs_limit_lease_load(&record->pools[i].grant);

        if ((grant >> 6 & GS_LIMIT_LEASE_CHECK)
            == (check & GS_LIMIT_LEASE_CHECK) && grant >> 16 > last)
        {
            last = grant >> 16;
        }
    }

    return last;
}


/* Twice in the life of the key at Redis, so that it lives while leased. */

static uint64_t
gs_limit_lease_ttl(const gs_limit_lease_t *lease, uint64_t slots,
    uint64_t now, uint64_t last)
{
    uint64_t  ttl;

    ttl = 2 * (lease->plan->shared.tau + slots * lease->plan->shared.unit)
          / 1000;

    if (ttl < GS_LIMIT_LEASE_TTL) {
        ttl = GS_LIMIT_LEASE_TTL;
    }

    return (last == 0 || now / (ttl * 500) != last / (ttl * 500)) ? ttl : 0;
}


static void
gs_limit_lease_spend(gs_limit_lease_table_t *table, uint64_t now)
{
    uint64_t  old, new;

    (void) __atomic_fetch_add(&table->asks, 1, __ATOMIC_RELAXED);

    if (table->budget == 0) {
        return;
    }

    do {
        old = gs_limit_lease_load(&table->spent);
        new = ((old < now) ? now : old) + table->budget;
    } while (!gs_limit_lease_swap(&table->spent, old, new));
}


static void
gs_limit_lease_deposit(gs_limit_lease_ask_t *ask, uint64_t now,
    uint64_t first)
{
    uint64_t                seq, grant, left, end;
    unsigned                i, k;
    gs_limit_lease_view_t   view;

    end = gs_limit_step(&ask->plan->shared, first, ask->slots);

    /* a slot too far away for its word is of no use */

    if (end + GS_LIMIT_LEASE_SHIFT < now
        || end >= now + GS_LIMIT_LEASE_SHIFT)
    {
        return;
    }

    for (i = 0; i < GS_LIMIT_LEASE_RETRIES; i++) {

        for (k = 0; k < GS_LIMIT_LEASE_POOLS; k++) {
            gs_limit_lease_view(ask->plan, &ask->record->pools[k], ask->check,
                                now, &view);
            if (view.n == 0) {
                break;
            }
        }

        if (k == GS_LIMIT_LEASE_POOLS) {
            return;
        }

        seq = (view.grant + 1) & GS_LIMIT_LEASE_SEQ;
        grant = now << 16 | (ask->check & GS_LIMIT_LEASE_CHECK) << 6 | seq;
        left = (end - now + GS_LIMIT_LEASE_SHIFT) << 18 | ask->slots << 6
               | seq;

        if (!gs_limit_lease_swap(&view.pool->grant, view.grant, grant)) {
            continue;
        }

        gs_fault("lease_grant");

        if (gs_limit_lease_swap(&view.pool->left, view.left, left)) {
            return;
        }
    }
}


/* A time of Redis less back as time of the table, within its range. */

static uint64_t
gs_limit_lease_local(const gs_limit_lease_ask_t *ask, uint64_t now,
    int64_t offset, uint64_t score, uint64_t back)
{
    int64_t  t;

    t = (int64_t) score - offset - (int64_t) back;

    if (t < 0) {
        return 0;
    }

    if ((uint64_t) t > now + 2 * GS_LIMIT_LEASE_SHIFT) {
        t = (int64_t) (now + 2 * GS_LIMIT_LEASE_SHIFT);
    }

    return (uint64_t) t & ((1ull << 48) - 1);
}


/* Lets go of the ask, unless its time was over and another one has it. */

static void
gs_limit_lease_end(gs_limit_lease_ask_t *ask)
{
    (void) gs_limit_lease_swap(&ask->record->inflight, ask->inflight, 0);
}
