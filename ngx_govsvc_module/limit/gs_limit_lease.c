
/*
 * Copyright (C) govsvc authors
 *
 * Leases: the records in shared memory, and slots taken from them.
 */


#include "limit/gs_limit_lease_priv.h"


#define GS_LIMIT_LEASE_MAGIC    0x6c67534cu
#define GS_LIMIT_LEASE_VERSION  2
#define GS_LIMIT_LEASE_TRIES    100
#define GS_LIMIT_LEASE_IDLE     16ull      /* of 65536 us */
#define GS_LIMIT_LEASE_WANTED   0x8000ull  /* more than any lease */
#define GS_LIMIT_LEASE_END      ((1ull << 48) - 1)
#define GS_LIMIT_LEASE_ODD      0x9e3779b97f4a7c15ull


static gs_limit_lease_bucket_t *gs_limit_lease_bucket(
    const gs_limit_lease_t *lease);
static gs_rc_t gs_limit_lease_use(gs_limit_lease_t *lease, uint64_t now,
    unsigned write);
static unsigned gs_limit_lease_swing(gs_limit_lease_t *lease,
    const gs_limit_lease_view_t *view);
static gs_rc_t gs_limit_lease_none(gs_limit_lease_t *lease, uint64_t now,
    uint64_t next);
static void gs_limit_lease_result(gs_limit_lease_t *lease, uint64_t now,
    uint64_t held);
static void gs_limit_lease_clear(gs_limit_lease_record_t *record,
    uint64_t now);
static unsigned gs_limit_lease_idle(uint64_t demand, uint64_t now);
static gs_rc_t gs_limit_lease_afford(gs_limit_lease_table_t *table,
    uint64_t now);


size_t
gs_limit_lease_size(size_t keys)
{
    size_t  n;

    if (keys > SIZE_MAX / sizeof(gs_limit_lease_bucket_t)) {
        return SIZE_MAX;
    }

    n = keys / (GS_LIMIT_LEASE_PLACES / 2) + 1;

    return sizeof(gs_limit_lease_table_t)
           + n * sizeof(gs_limit_lease_bucket_t);
}


gs_limit_lease_table_t *
gs_limit_lease_init(void *mem, size_t size, uint64_t now)
{
    gs_limit_lease_table_t *table = mem;

    if (size < gs_limit_lease_size(0)) {
        return NULL;
    }

    memset(mem, 0, size);

    table->version = GS_LIMIT_LEASE_VERSION;
    table->size = size;
    table->buckets = (size - sizeof(gs_limit_lease_table_t))
                     / sizeof(gs_limit_lease_bucket_t);
    table->epoch = now;

    __atomic_store_n(&table->magic, GS_LIMIT_LEASE_MAGIC, __ATOMIC_RELEASE);

    return table;
}


gs_limit_lease_table_t *
gs_limit_lease_attach(void *mem, size_t size)
{
    gs_limit_lease_table_t *table = mem;

    if (size < gs_limit_lease_size(0)
        || gs_limit_lease_load(&table->magic) != GS_LIMIT_LEASE_MAGIC
        || table->version != GS_LIMIT_LEASE_VERSION
        || table->size != size
        || table->buckets != (size - sizeof(gs_limit_lease_table_t))
                             / sizeof(gs_limit_lease_bucket_t))
    {
        return NULL;
    }

    return table;
}


void
gs_limit_lease_stats(const gs_limit_lease_table_t *table,
    gs_limit_lease_stats_t *stats)
{
    stats->records = table->buckets * GS_LIMIT_LEASE_PLACES;
    stats->asks = gs_limit_lease_load(&table->asks);
    stats->slots = gs_limit_lease_load(&table->slots);
    stats->discarded = gs_limit_lease_load(&table->discarded);
    stats->failed = gs_limit_lease_load(&table->failed);
    stats->full = gs_limit_lease_load(&table->full);
}


void
gs_limit_lease_budget(gs_limit_lease_table_t *table, uint64_t asks)
{
    table->budget = (asks == 0) ? 0 : 1000000 / asks;
}


void
gs_limit_lease_prepare(gs_limit_lease_t *lease, gs_limit_lease_table_t *table,
    const gs_limit_plan_t *plan, const gs_limit_charge_t *charge,
    gs_limit_result_t *result)
{
    unsigned                  i;
    gs_limit_lease_bucket_t  *bucket;

    lease->table = table;
    lease->record = NULL;
    lease->plan = plan;
    lease->cost = charge->cost;
    lease->check = charge->check;
    lease->result = result;
    lease->taken = NULL;
    lease->held = 0;
    lease->size = 0;
    lease->closed = 0;
    lease->shareless = 0;

    /* slots of one interval are of no use to another */

    lease->tag = (charge->tag ^ plan->shared.interval * GS_LIMIT_LEASE_ODD)
                 | 1;
    lease->bucket = (uint64_t) (((gs_limit_wide_t) charge->tag
                                 * table->buckets) >> 64);
    bucket = gs_limit_lease_bucket(lease);

    for (i = 0; i < GS_LIMIT_LEASE_PLACES; i++) {
        if (gs_limit_lease_load(&bucket->tags[i]) == lease->tag) {
            lease->record = &bucket->records[i];
            return;
        }
    }
}


gs_rc_t
gs_limit_lease_open(gs_limit_lease_t *lease, uint64_t now)
{
    unsigned                  i;
    uint64_t                  t, tag;
    gs_limit_lease_bucket_t  *bucket;
    gs_limit_lease_record_t  *record;

    if (lease->record != NULL) {
        return GS_OK;
    }

    t = gs_limit_lease_clock(lease->table, now);
    bucket = gs_limit_lease_bucket(lease);

    if (gs_limit_lease_afford(lease->table, t) != GS_OK) {
        return GS_BUSY;
    }

    for (i = 0; i < GS_LIMIT_LEASE_PLACES; i++) {

        record = &bucket->records[i];
        tag = gs_limit_lease_load(&bucket->tags[i]);

        if (tag == lease->tag) {
            lease->record = record;
            return GS_OK;
        }

        if (tag != 0
            && (!gs_limit_lease_idle(gs_limit_lease_load(&record->demand), t)
                || gs_limit_lease_load(&record->inflight) > t))
        {
            continue;
        }

        if (!gs_limit_lease_swap(&bucket->tags[i], tag, lease->tag)) {
            continue;
        }

        gs_fault("lease_open");
        gs_limit_lease_clear(record, t);

        lease->record = record;
        return GS_OK;
    }

    (void) __atomic_fetch_add(&lease->table->full, 1, __ATOMIC_RELAXED);

    return GS_BUSY;
}


gs_rc_t
gs_limit_lease_peek(gs_limit_lease_t *lease, uint64_t now)
{
    return gs_limit_lease_use(lease, now, 0);
}


gs_rc_t
gs_limit_lease_take(gs_limit_lease_t *lease, uint64_t now)
{
    return gs_limit_lease_use(lease, now, 1);
}


void
gs_limit_lease_close(gs_limit_lease_t *lease, uint64_t now)
{
    uint64_t  t, demand, share, until, next, life;

    t = gs_limit_lease_clock(lease->table, now);
    demand = gs_limit_lease_load(&lease->record->demand);
    share = (lease->plan->local.burst == 0) ? UINT64_MAX
            : (demand ^ t) & GS_LIMIT_LEASE_SEEN ? 0
            : (t & ~GS_LIMIT_LEASE_SPAN)
              + (demand >> 32 & GS_LIMIT_LEASE_SPAN);

    until = t + lease->result->retry_after;

    if (until > share) {
        until = share;
    }

    /* whoever is refused asks Redis, from when that is of use */

    next = gs_limit_lease_load(&lease->record->next) >> 16;
    life = lease->plan->low ? 0 : lease->plan->life;

    if (next > t + life && until > next - life) {
        until = next - life;
    }

    if (lease->cost == 1 && until > t) {
        __atomic_store_n(&lease->record->closed, until << 16 | lease->check,
                         __ATOMIC_RELEASE);
    }
}


void
gs_limit_lease_shareless(gs_limit_lease_t *lease, uint64_t now,
    uint64_t until)
{
    uint64_t  t, demand;

    if (lease->record == NULL || lease->cost != 1) {
        return;
    }

    t = gs_limit_lease_clock(lease->table, now);
    until = gs_limit_lease_clock(lease->table, until) - t
            + (t & GS_LIMIT_LEASE_SPAN);

    if (until > GS_LIMIT_LEASE_SPAN) {
        until = GS_LIMIT_LEASE_SPAN;
    }

    demand = gs_limit_lease_load(&lease->record->demand);

    if (((demand ^ t) & GS_LIMIT_LEASE_SEEN) == 0) {
        (void) gs_limit_lease_swap(&lease->record->demand, demand,
                                   (demand & ~(GS_LIMIT_LEASE_SPAN << 32))
                                   | until << 32);
    }
}


unsigned
gs_limit_lease_short(const gs_limit_lease_t *lease)
{
    return lease->held <= lease->size / 2;
}


void
gs_limit_lease_undo(gs_limit_lease_t *lease)
{
    if (lease->taken != NULL) {
        (void) gs_limit_lease_swap(lease->taken, lease->after, lease->before);
        lease->taken = NULL;
    }
}


uint64_t
gs_limit_lease_time(const gs_limit_lease_t *lease)
{
    return gs_limit_lease_slot(lease->plan, lease->end,
                              lease->behind);
}


void
gs_limit_lease_want(gs_limit_lease_t *lease)
{
    uint64_t  demand;

    if (lease->record == NULL) {
        return;
    }

    demand = gs_limit_lease_load(&lease->record->demand);

    if (demand >> 48 < GS_LIMIT_LEASE_WANTED) {
        (void) __atomic_fetch_add(&lease->record->demand, lease->cost << 48,
                                  __ATOMIC_RELAXED);
    }
}


uint64_t
gs_limit_lease_clock(const gs_limit_lease_table_t *table, uint64_t now)
{
    now = (now > table->epoch) ? now - table->epoch : 0;

    if (now >= GS_LIMIT_LEASE_END - GS_LIMIT_LEASE_SHIFT) {
        return GS_LIMIT_LEASE_END;
    }

    return now + GS_LIMIT_LEASE_SHIFT;
}


int
gs_limit_lease_swap(uint64_t *p, uint64_t old, uint64_t new)
{
    return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}


static gs_limit_lease_bucket_t *
gs_limit_lease_bucket(const gs_limit_lease_t *lease)
{
    return (gs_limit_lease_bucket_t *) (lease->table + 1) + lease->bucket;
}


uint64_t
gs_limit_lease_lapse(const gs_limit_plan_t *plan, uint64_t end, uint64_t n,
    uint64_t now)
{
    uint64_t  next, late, m;

    next = gs_limit_lease_slot(plan, end, n);

    if (now <= next + plan->life) {
        return n;
    }

    late = now - plan->life - next;
    m = (uint64_t) (((gs_limit_wide_t) late << 27) / plan->shared.interval)
        + 1;

    return (m < n) ? n - m : 0;
}


static gs_rc_t
gs_limit_lease_use(gs_limit_lease_t *lease, uint64_t now, unsigned write)
{
    uint64_t                  t, last, demand, word;
    unsigned                  i;
    gs_limit_lease_view_t     view, other;
    gs_limit_lease_record_t  *record;

    record = lease->record;

    if (record == NULL) {
        return GS_AGAIN;
    }

    t = gs_limit_lease_clock(lease->table, now);
    demand = gs_limit_lease_load(&record->demand);
    lease->size = demand & 0xffff;

    if ((demand ^ t) & GS_LIMIT_LEASE_SEEN) {
        (void) gs_limit_lease_swap(&record->demand, demand,
                                   demand >> 48 << 48
                                   | (t & GS_LIMIT_LEASE_SEEN)
                                   | lease->size);

    } else {
        lease->shareless = ((t & GS_LIMIT_LEASE_SPAN)
                            < (demand >> 32 & GS_LIMIT_LEASE_SPAN));
    }

    word = gs_limit_lease_load(&record->closed);

    if (word >> 16 > t && (word & 0xffff) == lease->check && lease->cost == 1)
    {
        gs_limit_lease_result(lease, t, 0);
        lease->result->retry_after = (word >> 16) - t;
        lease->closed = 1;
        return GS_DECLINED;
    }

    for (i = 0; i < GS_LIMIT_LEASE_TRIES; i++) {

        gs_limit_lease_view(lease->plan, &record->pools[0], lease->check, t,
                            &view);
        gs_limit_lease_view(lease->plan, &record->pools[1], lease->check, t,
                            &other);

        lease->held = view.n + other.n;

        /* leases never overlap: what ends earlier is earlier */

        if ((other.end < view.end) ? other.n >= lease->cost
                                   : view.n < lease->cost)
        {
            view = other;
        }

        if (view.n < lease->cost) {
            gs_limit_lease_result(lease, t, 0);
            return gs_limit_lease_none(lease, t, UINT64_MAX);
        }

        lease->end = now - (t - view.end);
        lease->behind = view.n - lease->cost + 1;

        /* most often the time of all has come */

        if (view.end > t) {
            last = gs_limit_lease_slot(lease->plan, view.end,
                                      lease->behind);
            if (last > t) {
                gs_limit_lease_result(lease, t, 0);
                return gs_limit_lease_none(lease, t, last);
            }
        }

        /* before the swap, whose latency it fills */

        lease->held -= lease->cost;
        gs_limit_lease_result(lease, t, lease->held);

        if (!write || gs_limit_lease_swing(lease, &view)) {
            return GS_OK;
        }
    }

    gs_limit_lease_result(lease, t, 0);

    return GS_AGAIN;
}


/* The slots are the request's if nobody was faster. */

static unsigned
gs_limit_lease_swing(gs_limit_lease_t *lease,
    const gs_limit_lease_view_t *view)
{
    lease->before = view->left;
    lease->after = (view->left & ~((uint64_t) GS_LIMIT_LEASE_MAX << 6))
                   | (view->n - lease->cost) << 6;

    if (!gs_limit_lease_swap(&view->pool->left, lease->before, lease->after))
    {
        return 0;
    }

    gs_fault("lease_take");
    lease->taken = &view->pool->left;

    return 1;
}


/* Nothing to be had now: because of the limit, or for want of a lease. */

static gs_rc_t
gs_limit_lease_none(gs_limit_lease_t *lease, uint64_t now, uint64_t next)
{
    uint64_t  word, t;

    if (lease->cost > lease->plan->shared.burst
        || lease->cost > GS_LIMIT_LEASE_MAX)
    {
        lease->result->retry_after = lease->plan->shared.tau;
        return GS_DECLINED;
    }

    if (next != UINT64_MAX) {
        lease->result->retry_after = next - now;
        return GS_DECLINED;
    }

    word = gs_limit_lease_load(&lease->record->next);

    if ((word & 0xffff) == lease->check) {
        t = gs_limit_step(&lease->plan->shared, word >> 16, lease->cost - 1);

        if (t > now) {
            lease->result->retry_after = t - now;
            return GS_DECLINED;
        }
    }

    lease->result->retry_after = lease->plan->target;

    return GS_AGAIN;
}


/* What is left as this node knows it: held, and open at Redis. */

static void
gs_limit_lease_result(gs_limit_lease_t *lease, uint64_t now, uint64_t held)
{
    uint64_t                word, next, n;
    const gs_limit_rate_t  *rate;

    rate = &lease->plan->shared;
    word = gs_limit_lease_load(&lease->record->next);
    next = ((word & 0xffff) == lease->check) ? word >> 16 : 0;

    n = rate->burst;

    if (next > now) {
        n = 0;

    } else if (now - next < rate->tau) {
        n = (uint64_t) (((gs_limit_wide_t) (now - next) * rate->inverse)
                        >> 63) + 1;
    }

    n += held;

    lease->result->limit = rate->burst;
    lease->result->remaining = (n < rate->burst) ? n : rate->burst;
    lease->result->retry_after = 0;
    lease->result->reset = (next + lease->plan->credit > now)
                          ? next + lease->plan->credit - now : 0;
}


/* Pools of the former key are emptied; its hash bits part them already. */

static void
gs_limit_lease_clear(gs_limit_lease_record_t *record, uint64_t now)
{
    unsigned  i;
    uint64_t  left;

    for (i = 0; i < GS_LIMIT_LEASE_POOLS; i++) {
        left = gs_limit_lease_load(&record->pools[i].left);
        (void) gs_limit_lease_swap(&record->pools[i].left, left,
                                   left & GS_LIMIT_LEASE_SEQ);
    }

    gs_fault("lease_clear");

    __atomic_store_n(&record->next, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&record->inflight, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&record->closed, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&record->demand, now & GS_LIMIT_LEASE_SEEN,
                     __ATOMIC_RELEASE);
}


/* A worker that is a little behind must not take a key for an idle one. */

static unsigned
gs_limit_lease_idle(uint64_t demand, uint64_t now)
{
    uint64_t  age;

    age = ((now >> 16) - (demand >> 16)) & 0xffff;

    return age + GS_LIMIT_LEASE_IDLE <= 0xffff && age > GS_LIMIT_LEASE_IDLE;
}


/* New keys may lease only while leases keep to the budget of a second. */

static gs_rc_t
gs_limit_lease_afford(gs_limit_lease_table_t *table, uint64_t now)
{
    if (table->budget == 0) {
        return GS_OK;
    }

    return (gs_limit_lease_load(&table->spent) <= now + 1000000) ? GS_OK
                                                                 : GS_BUSY;
}
