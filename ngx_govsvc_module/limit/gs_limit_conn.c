
/*
 * Copyright (C) govsvc authors
 *
 * Requests in progress by key.
 *
 * A slot is the count of one key by one process:
 *
 *     tag     63 bits of the key's hash and a 1
 *     state   10 bits place of the process | 22 its generation
 *             | 16 of the hash | 16 count
 *
 * It counts while the generation is that of its place.  Whoever begins adds
 * to its own slot first and sums up all of the key then: of those that begin
 * at once, the last to add sees all others, so that no more than max pass.
 */


#include "core/gs_fault.h"
#include "limit/gs_limit_conn.h"


#define GS_LIMIT_CONN_MAGIC    0x6c67436eu
#define GS_LIMIT_CONN_VERSION  1
#define GS_LIMIT_CONN_WINDOW   64          /* slots where a key may stand */
#define GS_LIMIT_CONN_TRIES    1000
#define GS_LIMIT_CONN_COUNT    0xffffull
#define GS_LIMIT_CONN_CHECK    0xffff0000ull
#define GS_LIMIT_CONN_GEN      0x3fffffull

#define gs_limit_conn_load(p)  __atomic_load_n(p, __ATOMIC_SEQ_CST)


__extension__ typedef unsigned __int128  gs_limit_wide_t;


typedef struct {
    uint64_t              tag;
    uint64_t              state;
} gs_limit_conn_slot_t;


/* 32 bits of the process number, 32 of the generation: one word */

struct gs_limit_conn_table_s {
    uint32_t              magic;
    uint32_t              version;
    uint64_t              size;
    uint64_t              slots;
    uint64_t              unused;
    gs_siphash_key_t      secret;
    uint64_t              padding[2];
    uint64_t              places[GS_LIMIT_CONN_PROCESSES];
};


typedef struct {
    uint64_t              tag;
    uint64_t              owner;           /* state without count */
    uint64_t              first;
} gs_limit_conn_key_t;


static void gs_limit_conn_key(const gs_limit_conn_table_t *table,
    unsigned place, const gs_str_t *key, gs_limit_conn_key_t *k);
static gs_limit_conn_slot_t *gs_limit_conn_own(gs_limit_conn_table_t *table,
    const gs_limit_conn_key_t *k);
static uint64_t gs_limit_conn_sum(gs_limit_conn_table_t *table,
    const gs_limit_conn_key_t *k);
static uint64_t gs_limit_conn_live(const gs_limit_conn_table_t *table,
    uint64_t state);
static gs_limit_conn_slot_t *gs_limit_conn_slot(
    const gs_limit_conn_table_t *table, uint64_t n);
static int gs_limit_conn_swap(uint64_t *p, uint64_t old, uint64_t new);


size_t
gs_limit_conn_size(size_t counts)
{
    if (counts > SIZE_MAX / (4 * sizeof(gs_limit_conn_slot_t))) {
        return SIZE_MAX;
    }

    counts = 2 * counts;

    if (counts < GS_LIMIT_CONN_WINDOW) {
        counts = GS_LIMIT_CONN_WINDOW;
    }

    return sizeof(gs_limit_conn_table_t)
           + counts * sizeof(gs_limit_conn_slot_t);
}


gs_limit_conn_table_t *
gs_limit_conn_init(void *mem, size_t size, const gs_siphash_key_t *secret)
{
    gs_limit_conn_table_t *table = mem;

    if (size < gs_limit_conn_size(0)) {
        return NULL;
    }

    memset(mem, 0, size);

    table->version = GS_LIMIT_CONN_VERSION;
    table->size = size;
    table->slots = (size - sizeof(gs_limit_conn_table_t))
                   / sizeof(gs_limit_conn_slot_t);
    table->secret = *secret;

    __atomic_store_n(&table->magic, GS_LIMIT_CONN_MAGIC, __ATOMIC_RELEASE);

    return table;
}


gs_limit_conn_table_t *
gs_limit_conn_attach(void *mem, size_t size)
{
    gs_limit_conn_table_t *table = mem;

    if (size < gs_limit_conn_size(0)
        || gs_limit_conn_load(&table->magic) != GS_LIMIT_CONN_MAGIC
        || table->version != GS_LIMIT_CONN_VERSION
        || table->size != size)
    {
        return NULL;
    }

    return table;
}


void
gs_limit_conn_start(gs_limit_conn_table_t *table, unsigned place,
    uint32_t pid)
{
    uint64_t  old;

    do {
        old = gs_limit_conn_load(&table->places[place]);
    } while (!gs_limit_conn_swap(&table->places[place], old,
                                 (uint64_t) pid << 32
                                 | ((old + 1) & GS_LIMIT_CONN_GEN)));
}


uint32_t
gs_limit_conn_pid(const gs_limit_conn_table_t *table, unsigned place)
{
    return (uint32_t) (gs_limit_conn_load(&table->places[place]) >> 32);
}


void
gs_limit_conn_bury(gs_limit_conn_table_t *table, unsigned place, uint32_t pid)
{
    uint64_t  old;

    old = gs_limit_conn_load(&table->places[place]);

    if ((uint32_t) (old >> 32) == pid) {
        (void) gs_limit_conn_swap(&table->places[place], old,
                                  (old + 1) & GS_LIMIT_CONN_GEN);
    }
}


gs_rc_t
gs_limit_conn_begin(gs_limit_conn_table_t *table, unsigned place,
    const gs_str_t *key, uint64_t max, gs_limit_conn_t *conn, uint64_t *now)
{
    gs_limit_conn_key_t    k;
    gs_limit_conn_slot_t  *slot;

    conn->state = NULL;
    *now = 0;

    gs_limit_conn_key(table, place, key, &k);

    slot = gs_limit_conn_own(table, &k);

    if (slot == NULL) {
        return GS_BUSY;
    }

    conn->state = &slot->state;
    conn->owner = k.owner;

    gs_fault("conn_begin");

    *now = gs_limit_conn_sum(table, &k);

    if (*now > max) {
        gs_limit_conn_end(conn);
        return GS_DECLINED;
    }

    return GS_OK;
}


void
gs_limit_conn_end(gs_limit_conn_t *conn)
{
    uint64_t  state;

    if (conn->state == NULL) {
        return;
    }

    do {
        state = gs_limit_conn_load(conn->state);

        if ((state & ~GS_LIMIT_CONN_COUNT) != conn->owner
            || (state & GS_LIMIT_CONN_COUNT) == 0)
        {
            break;
        }

    } while (!gs_limit_conn_swap(conn->state, state, state - 1));

    conn->state = NULL;
}


static void
gs_limit_conn_key(const gs_limit_conn_table_t *table, unsigned place,
    const gs_str_t *key, gs_limit_conn_key_t *k)
{
    uint64_t  hash[2], gen;

    gs_siphash128(&table->secret, key->data, key->len, hash);

    gen = gs_limit_conn_load(&table->places[place]) & GS_LIMIT_CONN_GEN;

    k->tag = hash[0] | 1;
    k->first = (uint64_t) (((gs_limit_wide_t) hash[1] * table->slots) >> 64);
    k->owner = (uint64_t) place << 54 | gen << 32
               | (hash[1] << 16 & GS_LIMIT_CONN_CHECK);
}


/* This process's slot of the key with one more in it; NULL: no room. */

static gs_limit_conn_slot_t *
gs_limit_conn_own(gs_limit_conn_table_t *table, const gs_limit_conn_key_t *k)
{
    uint64_t               state, old, tag;
    unsigned               i, tries;
    gs_limit_conn_slot_t  *slot, *free;

    for (tries = 0; tries < GS_LIMIT_CONN_TRIES; tries++) {

        free = NULL;
        old = 0;

        for (i = 0; i < GS_LIMIT_CONN_WINDOW; i++) {

            slot = gs_limit_conn_slot(table, k->first + i);
            state = gs_limit_conn_load(&slot->state);

            if ((state & ~GS_LIMIT_CONN_COUNT) == k->owner
                && gs_limit_conn_load(&slot->tag) == k->tag
                && (state & GS_LIMIT_CONN_COUNT) != GS_LIMIT_CONN_COUNT)
            {
                free = slot;
                old = state;
                break;
            }

            if (free == NULL && gs_limit_conn_live(table, state) == 0) {
                free = slot;
                old = state;
            }
        }

        if (free == NULL) {
            return NULL;
        }

        state = (i < GS_LIMIT_CONN_WINDOW) ? old + 1 : k->owner + 1;

        if (!gs_limit_conn_swap(&free->state, old, state)) {
            continue;
        }

        gs_fault("conn_claim");

        tag = gs_limit_conn_load(&free->tag);

        if (tag != k->tag) {
            (void) gs_limit_conn_swap(&free->tag, tag, k->tag);
        }

        return free;
    }

    return NULL;
}


static uint64_t
gs_limit_conn_sum(gs_limit_conn_table_t *table, const gs_limit_conn_key_t *k)
{
    uint64_t               state, sum;
    unsigned               i;
    gs_limit_conn_slot_t  *slot;

    sum = 0;

    for (i = 0; i < GS_LIMIT_CONN_WINDOW; i++) {

        slot = gs_limit_conn_slot(table, k->first + i);

        if (gs_limit_conn_load(&slot->tag) != k->tag) {
            continue;
        }

        state = gs_limit_conn_load(&slot->state);

        if ((state & GS_LIMIT_CONN_CHECK) == (k->owner & GS_LIMIT_CONN_CHECK))
        {
            sum += gs_limit_conn_live(table, state);
        }
    }

    return sum;
}


/* The count, or 0 if its process is no more. */

static uint64_t
gs_limit_conn_live(const gs_limit_conn_table_t *table, uint64_t state)
{
    uint64_t  gen;

    gen = gs_limit_conn_load(&table->places[state >> 54]);

    if ((gen & GS_LIMIT_CONN_GEN) != (state >> 32 & GS_LIMIT_CONN_GEN)) {
        return 0;
    }

    return state & GS_LIMIT_CONN_COUNT;
}


static gs_limit_conn_slot_t *
gs_limit_conn_slot(const gs_limit_conn_table_t *table, uint64_t n)
{
    return (gs_limit_conn_slot_t *) (table + 1) + n % table->slots;
}


static int
gs_limit_conn_swap(uint64_t *p, uint64_t old, uint64_t new)
{
    return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}
