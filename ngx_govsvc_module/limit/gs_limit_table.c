
/*
 * Copyright (C) govsvc authors
 *
 * A table of limited keys in shared memory.
 *
 * The state of a slot holds a TAT (48 bits, us since the epoch of the table)
 * and 16 bits of its key's hash.  Whoever swaps the state owns the slot; the
 * tag follows.  A slot belongs to a key only if both tag and hash bits are
 * the key's, so a slot between the two writes, or left so by a killed
 * process, belongs to nobody the tag names and is free when its TAT passes.
 */


#include "core/gs_fault.h"
#include "limit/gs_limit_table.h"


#define GS_LIMIT_SLOTS      4              /* in a bucket, one cache line */
#define GS_LIMIT_WINDOW     8              /* buckets where a key may stand */
#define GS_LIMIT_TRIES      1000
#define GS_LIMIT_WAITS      16
#define GS_LIMIT_CHECK      0xffffull
#define GS_LIMIT_TAT_MAX    ((1ull << 48) - 1)
#define GS_LIMIT_SKEW       1000000ull     /* us, between two processes */

#define gs_limit_load(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define gs_limit_tat(state)  ((state) >> 16)


__extension__ typedef unsigned __int128  gs_limit_wide_t;


typedef struct {
    uint64_t            tag;               /* 0: never used */
    uint64_t            state;
} gs_limit_slot_t;


typedef struct {
    gs_limit_slot_t     slots[GS_LIMIT_SLOTS];
} gs_limit_bucket_t;


struct gs_limit_table_s {
    uint32_t            magic;
    uint32_t            version;
    uint64_t            size;
    uint64_t            buckets;
    uint64_t            epoch;
    gs_siphash_key_t    secret;
    uint64_t            unused[2];

    /* written at run time, so in a line of their own */
    uint64_t            aggregate;
    uint64_t            evicted;
    uint64_t            full;
    uint64_t            padding[5];
};


typedef struct {
    gs_limit_slot_t    *slot;              /* to be charged; NULL: no room */
    uint64_t            state;             /* as it was read */
    unsigned            own:1;
    unsigned            evict:1;
    unsigned            claimed:1;         /* perhaps the key, untagged yet */
} gs_limit_place_t;


static gs_rc_t gs_limit_charge(gs_limit_charge_t *charge, uint64_t now,
    unsigned write);
static gs_rc_t gs_limit_overflow(gs_limit_charge_t *charge, uint64_t now,
    unsigned write);
static void gs_limit_find(const gs_limit_charge_t *charge, uint64_t now,
    gs_limit_place_t *place);
static void gs_limit_settle(const gs_limit_charge_t *charge,
    gs_limit_slot_t *slot);
static uint64_t gs_limit_own_tat(const gs_limit_charge_t *charge,
    gs_limit_place_t *place, uint64_t now);
static int gs_limit_swap(uint64_t *p, uint64_t old, uint64_t new);
static uint64_t gs_limit_clock(const gs_limit_table_t *table, uint64_t now);
static gs_limit_bucket_t *gs_limit_buckets(const gs_limit_table_t *table);


size_t
gs_limit_table_size(size_t keys)
{
    size_t  buckets;

    if (keys > SIZE_MAX / sizeof(gs_limit_bucket_t)) {
        return SIZE_MAX;
    }

    buckets = keys / (GS_LIMIT_SLOTS / 2) + 1;

    if (buckets < GS_LIMIT_WINDOW) {
        buckets = GS_LIMIT_WINDOW;
    }

    return sizeof(gs_limit_table_t) + buckets * sizeof(gs_limit_bucket_t);
}


gs_limit_table_t *
gs_limit_table_init(void *mem, size_t size, const gs_siphash_key_t *secret,
    uint64_t now)
{
    gs_limit_table_t *table = mem;

    if (size < gs_limit_table_size(0)) {
        return NULL;
    }

    memset(mem, 0, size);

    table->version = GS_LIMIT_VERSION;
    table->size = size;
    table->buckets = (size - sizeof(gs_limit_table_t))
                     / sizeof(gs_limit_bucket_t);
    table->epoch = now;
    table->secret = *secret;

    /* last: without it the table is not taken for a whole one */

    __atomic_store_n(&table->magic, GS_LIMIT_MAGIC, __ATOMIC_RELEASE);

    return table;
}


gs_limit_table_t *
gs_limit_table_attach(void *mem, size_t size)
{
    gs_limit_table_t *table = mem;

    if (size < gs_limit_table_size(0)
        || gs_limit_load(&table->magic) != GS_LIMIT_MAGIC
        || table->version != GS_LIMIT_VERSION
        || table->size != size
        || table->buckets != (size - sizeof(gs_limit_table_t))
                             / sizeof(gs_limit_bucket_t))
    {
        return NULL;
    }

    return table;
}


void
gs_limit_table_stats(const gs_limit_table_t *table, gs_limit_stats_t *stats)
{
    stats->slots = table->buckets * GS_LIMIT_SLOTS;
    stats->evicted = gs_limit_load(&table->evicted);
    stats->full = gs_limit_load(&table->full);
}


void
gs_limit_prepare(gs_limit_charge_t *charge, gs_limit_table_t *table,
    const gs_limit_rate_t *rate, const gs_str_t *key, uint64_t cost)
{
    uint64_t            hash;
    gs_siphash_state_t  s;

    hash = gs_siphash128_low(&s, &table->secret, key->data, key->len);

    charge->bucket = (uint64_t) (((gs_limit_wide_t) hash * table->buckets)
                                 >> 64);

    /* memory is waited for longer than for the rest of the hash */

    __builtin_prefetch(gs_limit_buckets(table) + charge->bucket);

    charge->table = table;
    charge->rate = rate;
    charge->cost = cost;
    charge->tag = gs_siphash128_high(&s) | 1;
    charge->check = hash & GS_LIMIT_CHECK;
    charge->empty = 0;
    charge->state = NULL;
    charge->aggregate = 0;
    charge->dry_run = 0;
    charge->refused = 0;
    charge->full = 0;
}


gs_rc_t
gs_limit_peek(gs_limit_charge_t *charge, uint64_t now)
{
    return gs_limit_charge(charge, now, 0);
}


gs_rc_t
gs_limit_commit(gs_limit_charge_t *charge, uint64_t now)
{
    return gs_limit_charge(charge, now, 1);
}


void
gs_limit_undo(gs_limit_charge_t *charge)
{
    uint64_t  state, tat;
    unsigned  i;

    if (charge->state == NULL) {
        return;
    }

    for (i = 0; i < GS_LIMIT_TRIES; i++) {

        state = gs_limit_load(charge->state);

        /* the overflow word has no owner, and bits of zero */

        if (!charge->full && (state & GS_LIMIT_CHECK) != charge->check) {
            break;
        }

        tat = gs_limit_step_back(charge->rate, gs_limit_tat(state),
                                 charge->cost);

        if (gs_limit_swap(charge->state, state,
                          tat << 16 | (state & GS_LIMIT_CHECK)))
        {
            break;
        }
    }

    charge->state = NULL;
}


gs_rc_t
gs_limit_decide(gs_limit_charge_t *charges, size_t n, uint64_t now)
{
    size_t   i;
    gs_rc_t  rc, answer;

    answer = GS_OK;

    /* a single limit needs no look ahead */

    if (n > 1) {
        for (i = 0; i < n; i++) {
            rc = gs_limit_peek(&charges[i], now);

            if (rc != GS_OK && !charges[i].dry_run) {
                answer = rc;
            }
        }
    }

    for (i = 0; i < n && answer == GS_OK; i++) {
        rc = gs_limit_commit(&charges[i], now);

        if (rc != GS_OK && !charges[i].dry_run) {
            answer = rc;
        }
    }

    if (answer != GS_OK) {
        for (i = 0; i < n; i++) {
            gs_limit_undo(&charges[i]);
        }
    }

    return answer;
}


static gs_rc_t
gs_limit_charge(gs_limit_charge_t *charge, uint64_t now, unsigned write)
{
    gs_rc_t           rc;
    uint64_t          t, tat, next, floor;
    unsigned          i, waits;
    gs_limit_place_t  place;

    t = gs_limit_clock(charge->table, now);
    waits = 0;
    charge->full = 0;

    for (i = 0; i < GS_LIMIT_TRIES; i++) {

        gs_limit_find(charge, t, &place);

        if (place.claimed && waits < GS_LIMIT_WAITS) {
            waits++;
            continue;
        }

        if (place.slot == NULL) {
            break;
        }

        tat = place.own ? gs_limit_own_tat(charge, &place, t) : 0;

        if (charge->empty != 0) {
            floor = gs_limit_clock(charge->table, charge->empty)
                    + charge->rate->tau;
            tat = (tat < floor) ? floor : tat;
        }

        rc = gs_limit_judge(charge->rate, tat, t, charge->cost, &next,
                            &charge->result);

        charge->refused = (rc != GS_OK);

        if (rc != GS_OK || !write) {
            return rc;
        }

        if (next > GS_LIMIT_TAT_MAX) {
            break;
        }

        if (!gs_limit_swap(&place.slot->state, place.state,
                           next << 16 | charge->check))
        {
            continue;
        }

        charge->state = &place.slot->state;

        gs_fault("table_charge");

        if (!place.own) {
            gs_limit_settle(charge, place.slot);
            gs_fault("table_settle");
        }

        if (place.evict) {
            (void) __atomic_fetch_add(&charge->table->evicted, 1,
                                      __ATOMIC_RELAXED);
        }

        return GS_OK;
    }

    return gs_limit_overflow(charge, t, write);
}


/* No room for the key: refused, or charged with all others of that lot. */

static gs_rc_t
gs_limit_overflow(gs_limit_charge_t *charge, uint64_t now, unsigned write)
{
    gs_rc_t   rc;
    uint64_t  state, next, *word;
    unsigned  i;

    charge->full = 1;
    charge->refused = 1;
    word = &charge->table->aggregate;

    if (write || !charge->aggregate) {
        (void) __atomic_fetch_add(&charge->table->full, 1, __ATOMIC_RELAXED);
    }

    for (i = 0; i < GS_LIMIT_TRIES && charge->aggregate; i++) {

        state = gs_limit_load(word);

        rc = gs_limit_judge(charge->rate, gs_limit_tat(state), now,
                            charge->cost, &next, &charge->result);

        charge->refused = (rc != GS_OK);

        if (rc != GS_OK || !write) {
            return rc;
        }

        if (next > GS_LIMIT_TAT_MAX) {
            break;
        }

        if (gs_limit_swap(word, state, next << 16)) {
            charge->state = word;
            return GS_OK;
        }
    }

    charge->refused = 1;
    charge->result.limit = charge->rate->burst;
    charge->result.remaining = 0;
    charge->result.reset = charge->rate->tau;
    charge->result.retry_after = charge->rate->unit;

    return GS_BUSY;
}


/*
 * The slot of the key; else the first free one; else the one whose TAT is
 * least, unless even that key is limited now.
 */

static void
gs_limit_find(const gs_limit_charge_t *charge, uint64_t now,
    gs_limit_place_t *place)
{
    uint64_t            tag, state, least, b;
    unsigned            i, k, free;
    gs_limit_slot_t    *slot;
    gs_limit_bucket_t  *buckets;

    place->slot = NULL;
    place->own = 0;
    place->evict = 0;
    place->claimed = 0;

    free = 0;
    b = charge->bucket;
    least = now + charge->rate->tau - charge->rate->unit + 1;
    buckets = gs_limit_buckets(charge->table);

    for (i = 0; i < GS_LIMIT_WINDOW; i++) {

        for (k = 0; k < GS_LIMIT_SLOTS; k++) {

            slot = &buckets[b].slots[k];
            tag = gs_limit_load(&slot->tag);
            state = gs_limit_load(&slot->state);

            if ((state & GS_LIMIT_CHECK) == charge->check) {

                if (tag == charge->tag) {
                    place->slot = slot;
                    place->state = state;
                    place->own = 1;
                    place->evict = 0;
                    place->claimed = 0;
                    return;
                }

                place->claimed |= (gs_limit_tat(state) > now);
            }

            if (free) {
                continue;
            }

            if (gs_limit_tat(state) < least) {
                least = gs_limit_tat(state);
                place->slot = slot;
                place->state = state;
                free = (least <= now);
                place->evict = !free;
            }
        }

        if (++b == charge->table->buckets) {
            b = 0;
        }
    }
}


/* Tags the slot whose state is ours, unless that was taken meanwhile. */

static void
gs_limit_settle(const gs_limit_charge_t *charge, gs_limit_slot_t *slot)
{
    uint64_t  tag;

    for ( ;; ) {

        tag = gs_limit_load(&slot->tag);

        if (tag == charge->tag
            || (gs_limit_load(&slot->state) & GS_LIMIT_CHECK)
               != charge->check
            || gs_limit_swap(&slot->tag, tag, charge->tag))
        {
            return;
        }
    }
}


/*
 * A TAT further ahead than this rate can put it comes from a slower rate
 * before a reload; it is brought back, or the key would stay limited for as
 * long as the old rate says.
 */

static uint64_t
gs_limit_own_tat(const gs_limit_charge_t *charge, gs_limit_place_t *place,
    uint64_t now)
{
    uint64_t  tat, state;

    tat = gs_limit_tat(place->state);

    if (tat <= now + charge->rate->tau + GS_LIMIT_SKEW) {
        return tat;
    }

    tat = now + charge->rate->tau;
    state = tat << 16 | charge->check;

    if (gs_limit_swap(&place->slot->state, place->state, state)) {
        place->state = state;
    }

    return tat;
}


static int
gs_limit_swap(uint64_t *p, uint64_t old, uint64_t new)
{
    return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}


/*
 * From 1, so that an empty slot is in the past; at the end of the 48 bits,
 * nearly nine years on, the clock stops and nothing passes.
 */

static uint64_t
gs_limit_clock(const gs_limit_table_t *table, uint64_t now)
{
    if (now <= table->epoch) {
        return 1;
    }

    now -= table->epoch;

    return (now < GS_LIMIT_TAT_MAX) ? now + 1 : GS_LIMIT_TAT_MAX;
}


static gs_limit_bucket_t *
gs_limit_buckets(const gs_limit_table_t *table)
{
    return (gs_limit_bucket_t *) (table + 1);
}
