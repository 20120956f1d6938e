
/*
 * Copyright (C) govsvc authors
 *
 * The table of correlation: its slots, and marks of keys.
 */


#include "core/gs_fault.h"
#include "guard/gs_correlate_priv.h"


#define GS_CORRELATE_TELL  60000           /* ms */


gs_correlate_table_t *
gs_correlate_table_init(void *mem, size_t size,
    const gs_siphash_key_t *secret)
{
    gs_correlate_table_t *t = mem;

    if (size < GS_CORRELATE_MIN) {
        return NULL;
    }

    memset(mem, 0, size);

    t->version = GS_CORRELATE_VERSION;
    t->size = size;
    t->groups = (size - sizeof(gs_correlate_table_t))
                / (GS_CORRELATE_WAYS * GS_CORRELATE_SLOT);
    t->secret = *secret;

    /* last: without it the table is not taken for a whole one */

    __atomic_store_n(&t->magic, GS_CORRELATE_MAGIC, __ATOMIC_RELEASE);

    return t;
}


gs_correlate_table_t *
gs_correlate_table_attach(void *mem, size_t size)
{
    gs_correlate_table_t *t = mem;

    if (size < GS_CORRELATE_MIN
        || gs_correlate_load(&t->magic) != GS_CORRELATE_MAGIC
        || t->version != GS_CORRELATE_VERSION
        || t->size != size
        || t->groups != (size - sizeof(gs_correlate_table_t))
                        / (GS_CORRELATE_WAYS * GS_CORRELATE_SLOT))
    {
        return NULL;
    }

    return t;
}


gs_rc_t
gs_correlate_mark(gs_correlate_table_t *t, gs_correlate_kind_e kind,
    unsigned lane, const gs_str_t *key, uint32_t rule, uint64_t now,
    uint64_t until)
{
    uint64_t              last, end;
    unsigned              i;
    gs_correlate_place_t  p;

    end = (until + 999) / 1000;
    gs_correlate_place(&p, t, lane << 8, kind, key);

    for (i = 0; i < GS_CORRELATE_TRIES; i++) {

        gs_correlate_find(&p, (uint32_t) (now / 1000), GS_CORRELATE_MARKED);

        if (p.head == NULL) {
            break;
        }

        if (!gs_correlate_swap(&p.head->state, p.state,
                               p.check << 48 | (end & GS_CORRELATE_LOW48)))
        {
            continue;
        }

        gs_fault("correlate_mark");

        gs_correlate_own(&p);
        __atomic_store_n(&p.head->aux, p.check << 48 | rule,
                         __ATOMIC_RELEASE);
        __atomic_store_n(&p.head->mark,
                         gs_correlate_mark_of(p.check, GS_CORRELATE_MARKED, 0,
                                              end),
                         __ATOMIC_RELEASE);

        gs_fault("correlate_marked");

        last = gs_correlate_load(&t->marks[kind]);

        while (last < until
               && !gs_correlate_swap(&t->marks[kind], last, until))
        {
            last = gs_correlate_load(&t->marks[kind]);
        }

        return GS_OK;
    }

    (void) __atomic_fetch_add(&t->full, 1, __ATOMIC_RELAXED);

    return GS_BUSY;
}


int
gs_correlate_marks(const gs_correlate_table_t *t, gs_correlate_kind_e kind,
    uint64_t now)
{
    return gs_correlate_load(&t->marks[kind]) > now;
}


uint32_t
gs_correlate_marked(gs_correlate_table_t *t, gs_correlate_kind_e kind,
    unsigned lane, const gs_str_t *key, uint64_t now)
{
    uint64_t              aux;
    gs_correlate_place_t  p;

    if (!gs_correlate_marks(t, kind, now)) {
        return 0;
    }

    gs_correlate_place(&p, t, lane << 8, kind, key);
    gs_correlate_find(&p, (uint32_t) (now / 1000), 0);

    if (!p.own || (p.state & GS_CORRELATE_LOW48) * 1000 <= now) {
        return 0;
    }

    aux = gs_correlate_load(&p.head->aux);

    return (gs_correlate_check_of(aux) == p.check) ? (uint32_t) aux : 0;
}


void
gs_correlate_unmark(gs_correlate_table_t *t, gs_correlate_kind_e kind,
    const gs_str_t *key)
{
    unsigned              lane;
    gs_correlate_place_t  p;

    for (lane = 0; lane < GS_CORRELATE_LANES; lane++) {

        gs_correlate_place(&p, t, lane << 8, kind, key);
        gs_correlate_find(&p, 0, 0);

        if (p.own) {
            __atomic_store_n(&p.head->aux, 0, __ATOMIC_RELEASE);
        }
    }
}


uint64_t
gs_correlate_lost(gs_correlate_table_t *t, uint64_t now)
{
    uint64_t  told, full, heard;

    full = gs_correlate_load(&t->full);
    heard = gs_correlate_load(&t->heard);

    if (full == heard) {
        return 0;
    }

    told = gs_correlate_load(&t->told);

    if (now < told + GS_CORRELATE_TELL
        || !gs_correlate_swap(&t->told, told, now))
    {
        return 0;
    }

    __atomic_store_n(&t->heard, full, __ATOMIC_RELEASE);

    return full - heard;
}


void
gs_correlate_stat(const gs_correlate_table_t *t, uint64_t now,
    gs_correlate_stat_t *stat)
{
    uint64_t              i, mark;
    gs_correlate_head_t  *heads;

    heads = gs_correlate_heads(t);

    stat->slots = t->groups * GS_CORRELATE_WAYS;
    stat->used = 0;
    stat->evicted = gs_correlate_load(&t->evicted);
    stat->full = gs_correlate_load(&t->full);

    for (i = 0; i < stat->slots; i++) {
        mark = gs_correlate_load(&heads[i].mark);
        stat->used += ((uint32_t) mark > (uint32_t) (now / 1000));
    }
}


void
gs_correlate_place(gs_correlate_place_t *p, gs_correlate_table_t *t,
    uint32_t id, uint64_t salt, const gs_str_t *key)
{
    uint64_t              hash[2];
    unsigned              i;
    gs_siphash_key_t      secret;
    gs_correlate_head_t  *head;

    /* each rule has a hash of its own, so it need not be part of the key */

    secret.k0 = t->secret.k0 ^ id;
    secret.k1 = t->secret.k1 ^ salt;

    gs_siphash128(&secret, key->data, key->len, hash);

    p->table = t;
    p->tag = hash[0] | 1;
    p->group = (uint64_t) (((gs_correlate_wide_t) hash[1] * t->groups) >> 64);
    p->check = (hash[1] & 0xffff) | 1;

    head = gs_correlate_heads(t) + p->group * GS_CORRELATE_WAYS;

    for (i = 0; i < GS_CORRELATE_WAYS; i += 2) {
        __builtin_prefetch(&head[i]);
    }
}


/*
 * The slot of the key; else one that nobody has an interest in any more; else
 * that of the weakest, and among equals of the oldest, below a strength.
 */

void
gs_correlate_find(gs_correlate_place_t *p, uint32_t now, unsigned strength)
{
    uint64_t              state, mark, rank, least;
    unsigned              i;
    gs_correlate_head_t  *head;

    p->head = NULL;
    p->own = 0;
    p->evict = 0;

    least = (uint64_t) strength << 32;
    head = gs_correlate_heads(p->table) + p->group * GS_CORRELATE_WAYS;

    for (i = 0; i < GS_CORRELATE_WAYS; i++, head++) {

        state = gs_correlate_load(&head->state);

        if (gs_correlate_load(&head->tag) == p->tag
            && gs_correlate_check_of(state) == p->check)
        {
            p->head = head;
            p->state = state;
            p->own = 1;
            p->evict = 0;
            return;
        }

        mark = gs_correlate_load(&head->mark);

        /* one that is being taken, or was left half way, is weak */

        rank = (mark >> 40 & 0xff) << 32 | (uint32_t) mark;

        if (gs_correlate_check_of(mark) != gs_correlate_check_of(state)
            || (uint32_t) mark <= now)
        {
            rank = 0;
        }

        if (rank < least) {
            least = rank;
            p->head = head;
            p->state = state;
            p->evict = (rank != 0);
        }
    }
}


/* Names the slot whose state is ours, unless that was taken meanwhile. */

void
gs_correlate_own(gs_correlate_place_t *p)
{
    uint64_t  tag;

    for ( ;; ) {

        tag = gs_correlate_load(&p->head->tag);

        if (tag == p->tag
            || gs_correlate_check_of(gs_correlate_load(&p->head->state))
               != p->check
            || gs_correlate_swap(&p->head->tag, tag, p->tag))
        {
            break;
        }
    }

    if (!p->own && p->evict) {
        (void) __atomic_fetch_add(&p->table->evicted, 1, __ATOMIC_RELAXED);
    }
}


uint64_t
gs_correlate_mark_of(uint64_t check, unsigned strength, unsigned level,
    uint64_t end)
{
    return check << 48 | (uint64_t) strength << 40 | (uint64_t) level << 32
           | (uint32_t) end;
}


gs_correlate_body_t *
gs_correlate_body(const gs_correlate_place_t *p)
{
    gs_correlate_head_t  *heads;

    heads = gs_correlate_heads(p->table);

    return (gs_correlate_body_t *) (heads
                                    + p->table->groups * GS_CORRELATE_WAYS)
           + (p->head - heads);
}


gs_correlate_head_t *
gs_correlate_heads(const gs_correlate_table_t *t)
{
    return (gs_correlate_head_t *) (t + 1);
}


int
gs_correlate_swap(uint64_t *p, uint64_t old, uint64_t new)
{
    return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}
