
/*
 * Copyright (C) govsvc authors
 *
 * A table that many processes read while one replaces it: memory layout,
 * reading and replacing.
 */


#include "core/gs_registry.h"

#include <stdlib.h>
#include <string.h>


#define GS_REGISTRY_MAGIC   0x67735267u
#define GS_REGISTRY_LINE    64
#define GS_REGISTRY_ARENAS  3
#define GS_REGISTRY_BITS    2              /* of the head, for the arena */

#define gs_registry_align(n)                                                  \
    (((n) + (GS_REGISTRY_LINE - 1)) & ~(size_t) (GS_REGISTRY_LINE - 1))


struct gs_registry_s {
    uint32_t             magic;
    uint32_t             version;
    uint64_t             size;

    uint32_t             nreaders;
    uint32_t             nslots;
    uint64_t             readers;          /* offsets */
    uint64_t             slots;
    uint64_t             arenas;
    uint64_t             arena_size;

    /* revision << GS_REGISTRY_BITS | arena, the latter from 1 */
    uint64_t             head;

    /* only of the writer */
    int64_t              writer;           /* pid, 0: free */
    uint64_t             retired[GS_REGISTRY_ARENAS];
    uint32_t             generation;       /* the last one given */
};


typedef struct {
    uint64_t             head;             /* 0: outside */
    int64_t              pid;
    uint64_t             pad[6];
} gs_registry_reader_t;


/* behind it: entries, index, bitmap of the slots, blob */

typedef struct {
    uint64_t             size;
    uint64_t             blob;             /* offsets in the arena */
    uint64_t             index;
    uint64_t             bitmap;
    uint32_t             nentries;
    uint32_t             reserved;
} gs_registry_arena_t;


/* the entries by key, so that a new table finds those of the old */

typedef struct {
    uint64_t             key[2];
    uint32_t             entry;
    uint32_t             reserved;
} gs_registry_index_t;


static size_t gs_registry_arena_need(size_t blob, uint32_t names,
    uint32_t slots);
static gs_registry_arena_t *gs_registry_arena(gs_registry_t *reg,
    unsigned n);
static gs_registry_arena_t *gs_registry_current(gs_registry_t *reg);
static gs_registry_entry_t *gs_registry_entries(gs_registry_arena_t *arena);
static gs_registry_index_t *gs_registry_index(gs_registry_arena_t *arena);
static uint8_t *gs_registry_bitmap(gs_registry_arena_t *arena);
static gs_registry_reader_t *gs_registry_reader(gs_registry_t *reg,
    uint32_t reader);
static int gs_registry_lock(gs_registry_t *reg, int64_t pid,
    gs_registry_alive_pt alive);
static void gs_registry_unlock(gs_registry_t *reg);
static int gs_registry_same(gs_registry_arena_t *arena, const void *blob,
    size_t size, const gs_registry_name_t *names, uint32_t nnames);
static unsigned gs_registry_free_arena(gs_registry_t *reg,
    gs_registry_alive_pt alive);
static int gs_registry_pinned(gs_registry_t *reg, uint64_t retired,
    gs_registry_alive_pt alive);
static gs_rc_t gs_registry_build(gs_registry_t *reg,
    gs_registry_arena_t *arena, const void *blob, size_t size,
    const gs_registry_name_t *names, uint32_t nnames);
static void gs_registry_layout(gs_registry_t *reg, gs_registry_arena_t *arena,
    size_t size, uint32_t nnames);
static gs_rc_t gs_registry_sort(gs_registry_arena_t *arena,
    const gs_registry_name_t *names, uint32_t nnames);
static int gs_registry_cmp(const void *a, const void *b);
static void gs_registry_carry(gs_registry_arena_t *arena,
    gs_registry_arena_t *old);
static gs_rc_t gs_registry_assign(gs_registry_t *reg,
    gs_registry_arena_t *arena, gs_registry_arena_t *old);


size_t
gs_registry_size(size_t blob, uint32_t names, uint32_t readers)
{
    size_t  size, slots;

    /* what gs_registry_create() gives to slots and loses by rounding */

    slots = (size_t) names * 2 + 64;
    size = gs_registry_arena_need(blob, names, (uint32_t) slots);
    size = size * GS_REGISTRY_ARENAS + slots * sizeof(gs_registry_slot_t);

    return size + size / 7 + gs_registry_align(sizeof(gs_registry_t))
           + (size_t) readers * sizeof(gs_registry_reader_t)
           + slots * 8 * sizeof(gs_registry_slot_t)
           + GS_REGISTRY_LINE * 8;
}


gs_rc_t
gs_registry_create(void *base, size_t size, uint32_t readers)
{
    size_t          used, slots;
    gs_registry_t  *reg;

    reg = base;

    used = gs_registry_align(sizeof(gs_registry_t))
           + (size_t) readers * sizeof(gs_registry_reader_t);

    /* one eighth for slots: 64 bytes for each 512 of the zone */

    if (readers == 0 || size < used
        || size - used < 64 * sizeof(gs_registry_slot_t))
    {
        return GS_ERROR;
    }

    slots = (size - used) / 8 / sizeof(gs_registry_slot_t);

    if (slots > UINT32_MAX / 2) {
        slots = UINT32_MAX / 2;
    }

    reg->nreaders = readers;
    reg->nslots = (uint32_t) slots;
    reg->readers = gs_registry_align(sizeof(gs_registry_t));
    reg->slots = used;
    reg->arenas = used + slots * sizeof(gs_registry_slot_t);
    reg->arena_size = (size - reg->arenas) / GS_REGISTRY_ARENAS
                      / GS_REGISTRY_LINE * GS_REGISTRY_LINE;
    reg->size = size;
    reg->version = GS_REGISTRY_VERSION;

    __atomic_store_n(&reg->magic, GS_REGISTRY_MAGIC, __ATOMIC_RELEASE);

    return GS_OK;
}


gs_registry_t *
gs_registry_open(void *base)
{
    gs_registry_t  *reg;

    reg = base;

    if (__atomic_load_n(&reg->magic, __ATOMIC_ACQUIRE) != GS_REGISTRY_MAGIC
        || reg->version != GS_REGISTRY_VERSION)
    {
        return NULL;
    }

    return reg;
}


int
gs_registry_fits(gs_registry_t *reg, size_t blob, uint32_t names)
{
    if (blob > reg->arena_size || names > reg->nslots / 2) {
        return 0;
    }

    return gs_registry_arena_need(blob, names, reg->nslots)
           <= reg->arena_size;
}


static size_t
gs_registry_arena_need(size_t blob, uint32_t names, uint32_t slots)
{
    return gs_registry_align(sizeof(gs_registry_arena_t))
           + gs_registry_align(names * sizeof(gs_registry_entry_t))
           + gs_registry_align(names * sizeof(gs_registry_index_t))
           + gs_registry_align(slots / 8 + 1) + gs_registry_align(blob);
}


uint32_t
gs_registry_slots(gs_registry_t *reg)
{
    return reg->nslots;
}


gs_registry_slot_t *
gs_registry_slot(gs_registry_t *reg, uint32_t slot)
{
    gs_registry_slot_t  *slots;

    slots = (gs_registry_slot_t *) (void *) ((char *) reg + reg->slots);

    return &slots[slot];
}


uint64_t
gs_registry_revision(gs_registry_t *reg)
{
    return __atomic_load_n(&reg->head, __ATOMIC_ACQUIRE) >> GS_REGISTRY_BITS;
}


void
gs_registry_attach(gs_registry_t *reg, uint32_t reader, int64_t pid)
{
    gs_registry_reader_t  *r;

    r = gs_registry_reader(reg, reader);

    __atomic_store_n(&r->pid, pid, __ATOMIC_SEQ_CST);
    __atomic_store_n(&r->head, 0, __ATOMIC_SEQ_CST);
}


/*
 * The first load is what the writer sees of us, the second what we read.  The
 * store between them is ordered against the writer's store of the head and
 * its look at the readers: either it sees our epoch, or we see its table.
 */

gs_rc_t
gs_registry_enter(gs_registry_t *reg, uint32_t reader,
    gs_registry_view_t *view)
{
    uint64_t               head;
    gs_registry_arena_t   *arena;
    gs_registry_reader_t  *r;

    r = gs_registry_reader(reg, reader);

    head = __atomic_load_n(&reg->head, __ATOMIC_ACQUIRE);
    if (head == 0) {
        return GS_DECLINED;
    }

    __atomic_store_n(&r->head, head, __ATOMIC_SEQ_CST);

    head = __atomic_load_n(&reg->head, __ATOMIC_SEQ_CST);

    arena = gs_registry_arena(reg,
                              head & ((1u << GS_REGISTRY_BITS) - 1));

    view->revision = head >> GS_REGISTRY_BITS;
    view->blob = (char *) arena + arena->blob;
    view->size = arena->size;
    view->entries = gs_registry_entries(arena);
    view->nentries = arena->nentries;

    return GS_OK;
}


void
gs_registry_leave(gs_registry_t *reg, uint32_t reader)
{
    __atomic_store_n(&gs_registry_reader(reg, reader)->head, 0,
                     __ATOMIC_RELEASE);
}


gs_rc_t
gs_registry_publish(gs_registry_t *reg, int64_t pid,
    gs_registry_alive_pt alive, const void *blob, size_t size,
    const gs_registry_name_t *names, uint32_t nnames)
{
    gs_rc_t               rc;
    unsigned              n, old;
    uint64_t              revision;
    gs_registry_arena_t  *arena;

    if (!gs_registry_fits(reg, size, nnames)) {
        return GS_ERROR;
    }

    if (!gs_registry_lock(reg, pid, alive)) {
        return GS_BUSY;
    }

    arena = gs_registry_current(reg);

    if (arena != NULL && gs_registry_same(arena, blob, size, names, nnames)) {
        rc = GS_DECLINED;
        goto done;
    }

    n = gs_registry_free_arena(reg, alive);
    if (n == 0) {
        rc = GS_BUSY;
        goto done;
    }

    rc = gs_registry_build(reg, gs_registry_arena(reg, n), blob, size,
                           names, nnames);
    if (rc != GS_OK) {
        goto done;
    }

    old = reg->head & ((1u << GS_REGISTRY_BITS) - 1);
    revision = (reg->head >> GS_REGISTRY_BITS) + 1;

    /* before the head: a successor of a writer killed between the two must
     * not take the arena for one that nobody can be reading */

    if (old != 0) {
        reg->retired[old - 1] = revision;
    }

    __atomic_store_n(&reg->head, revision << GS_REGISTRY_BITS | n,
                     __ATOMIC_SEQ_CST);

done:

    gs_registry_unlock(reg);

    return rc;
}


static gs_registry_arena_t *
gs_registry_arena(gs_registry_t *reg, unsigned n)
{
    return (gs_registry_arena_t *) (void *)
               ((char *) reg + reg->arenas + (n - 1) * reg->arena_size);
}


static gs_registry_arena_t *
gs_registry_current(gs_registry_t *reg)
{
    uint64_t  head;

    head = __atomic_load_n(&reg->head, __ATOMIC_ACQUIRE);
    if (head == 0) {
        return NULL;
    }

    return gs_registry_arena(reg, head & ((1u << GS_REGISTRY_BITS) - 1));
}


static gs_registry_entry_t *
gs_registry_entries(gs_registry_arena_t *arena)
{
    return (gs_registry_entry_t *) (void *)
           ((char *) arena + gs_registry_align(sizeof(gs_registry_arena_t)));
}


static gs_registry_index_t *
gs_registry_index(gs_registry_arena_t *arena)
{
    return (gs_registry_index_t *) (void *) ((char *) arena + arena->index);
}


static uint8_t *
gs_registry_bitmap(gs_registry_arena_t *arena)
{
    return (uint8_t *) arena + arena->bitmap;
}


static gs_registry_reader_t *
gs_registry_reader(gs_registry_t *reg, uint32_t reader)
{
    gs_registry_reader_t  *readers;

    readers = (gs_registry_reader_t *) (void *) ((char *) reg + reg->readers);

    return &readers[reader];
}


static int
gs_registry_lock(gs_registry_t *reg, int64_t pid, gs_registry_alive_pt alive)
{
    int64_t  owner;

    owner = 0;

    if (__atomic_compare_exchange_n(&reg->writer, &owner, pid, 0,
                                    __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
    {
        return 1;
    }

    /* our own pid there: of a dead process that had it before */

    if (owner != pid && alive(owner)) {
        return 0;
    }

    return __atomic_compare_exchange_n(&reg->writer, &owner, pid, 0,
                                       __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE);
}


static void
gs_registry_unlock(gs_registry_t *reg)
{
    __atomic_store_n(&reg->writer, 0, __ATOMIC_RELEASE);
}


static int
gs_registry_same(gs_registry_arena_t *arena, const void *blob, size_t size,
    const gs_registry_name_t *names, uint32_t nnames)
{
    uint32_t              i;
    gs_registry_entry_t  *e;

    if (arena->size != size || arena->nentries != nnames
        || memcmp((char *) arena + arena->blob, blob, size) != 0)
    {
        return 0;
    }

    e = gs_registry_entries(arena);

    for (i = 0; i < nnames; i++) {
        if (e[i].key[0] != names[i].key[0] || e[i].key[1] != names[i].key[1]
            || e[i].aux[0] != names[i].aux[0]
            || e[i].aux[1] != names[i].aux[1])
        {
            return 0;
        }
    }

    return 1;
}


/* An arena that is not current and that no reader can be in, or 0. */

static unsigned
gs_registry_free_arena(gs_registry_t *reg, gs_registry_alive_pt alive)
{
    unsigned  n, current;

    current = reg->head & ((1u << GS_REGISTRY_BITS) - 1);

    for (n = 1; n <= GS_REGISTRY_ARENAS; n++) {
        if (n != current
            && !gs_registry_pinned(reg, reg->retired[n - 1], alive))
        {
            return n;
        }
    }

    return 0;
}


/* 1 if a live reader entered before the revision. */

static int
gs_registry_pinned(gs_registry_t *reg, uint64_t retired,
    gs_registry_alive_pt alive)
{
    int64_t                pid;
    uint32_t               i;
    uint64_t               head;
    gs_registry_reader_t  *r;

    for (i = 0; i < reg->nreaders; i++) {
        r = gs_registry_reader(reg, i);

        head = __atomic_load_n(&r->head, __ATOMIC_SEQ_CST);

        if (head == 0 || (head >> GS_REGISTRY_BITS) >= retired) {
            continue;
        }

        pid = __atomic_load_n(&r->pid, __ATOMIC_SEQ_CST);

        if (alive(pid)) {
            return 1;
        }

        /* fails when a new owner of the place has entered meanwhile */

        if (!__atomic_compare_exchange_n(&r->head, &head, 0, 0,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
            && head != 0 && (head >> GS_REGISTRY_BITS) < retired)
        {
            return 1;
        }
    }

    return 0;
}


static gs_rc_t
gs_registry_build(gs_registry_t *reg, gs_registry_arena_t *arena,
    const void *blob, size_t size, const gs_registry_name_t *names,
    uint32_t nnames)
{
    gs_registry_arena_t  *old;

    old = gs_registry_current(reg);

    gs_registry_layout(reg, arena, size, nnames);

    if (gs_registry_sort(arena, names, nnames) != GS_OK) {
        return GS_ERROR;
    }

    if (old != NULL) {
        gs_registry_carry(arena, old);
    }

    if (gs_registry_assign(reg, arena, old) != GS_OK) {
        return GS_ERROR;
    }

    memcpy((char *) arena + arena->blob, blob, size);

    return GS_OK;
}


static void
gs_registry_layout(gs_registry_t *reg, gs_registry_arena_t *arena,
    size_t size, uint32_t nnames)
{
    arena->size = size;
    arena->nentries = nnames;
    arena->index = gs_registry_align(sizeof(gs_registry_arena_t))
                   + gs_registry_align(nnames * sizeof(gs_registry_entry_t));
    arena->bitmap = arena->index
                    + gs_registry_align(nnames * sizeof(gs_registry_index_t));
    arena->blob = arena->bitmap + gs_registry_align(reg->nslots / 8 + 1);

    memset(gs_registry_bitmap(arena), 0, reg->nslots / 8 + 1);
}


static gs_rc_t
gs_registry_sort(gs_registry_arena_t *arena, const gs_registry_name_t *names,
    uint32_t nnames)
{
    uint32_t              i;
    gs_registry_entry_t  *e;
    gs_registry_index_t  *index;

    e = gs_registry_entries(arena);
    index = gs_registry_index(arena);

    for (i = 0; i < nnames; i++) {
        memcpy(e[i].key, names[i].key, sizeof(e[i].key));
        memcpy(e[i].aux, names[i].aux, sizeof(e[i].aux));
        e[i].slot = UINT32_MAX;
        e[i].generation = 0;

        memcpy(index[i].key, names[i].key, sizeof(index[i].key));
        index[i].entry = i;
        index[i].reserved = 0;
    }

    if (nnames > 1) {
        qsort(index, nnames, sizeof(gs_registry_index_t), gs_registry_cmp);
    }

    for (i = 1; i < nnames; i++) {
        if (gs_registry_cmp(&index[i - 1], &index[i]) == 0) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static int
gs_registry_cmp(const void *a, const void *b)
{
    const gs_registry_index_t *one = a;
    const gs_registry_index_t *two = b;

    if (one->key[0] != two->key[0]) {
        return one->key[0] < two->key[0] ? -1 : 1;
    }

    if (one->key[1] != two->key[1]) {
        return one->key[1] < two->key[1] ? -1 : 1;
    }

    return 0;
}


/* Entries of both tables keep their slots; both indexes are sorted. */

static void
gs_registry_carry(gs_registry_arena_t *arena, gs_registry_arena_t *old)
{
    int                   d;
    uint32_t              i, n;
    gs_registry_entry_t  *e, *o;
    gs_registry_index_t  *index, *before;

    e = gs_registry_entries(arena);
    o = gs_registry_entries(old);
    index = gs_registry_index(arena);
    before = gs_registry_index(old);

    i = 0;
    n = 0;

    while (i < arena->nentries && n < old->nentries) {

        d = gs_registry_cmp(&index[i], &before[n]);

        if (d == 0) {
            e[index[i].entry].slot = o[before[n].entry].slot;
            e[index[i].entry].generation = o[before[n].entry].generation;
        }

        i += d <= 0;
        n += d >= 0;
    }
}


/*
 * Gives slots to the rest.  Those of the old table are left alone even when
 * it is the last that names them: its readers are still at work.
 */

static gs_rc_t
gs_registry_assign(gs_registry_t *reg, gs_registry_arena_t *arena,
    gs_registry_arena_t *old)
{
    uint8_t              *bitmap;
    uint32_t              i, slot;
    gs_registry_slot_t   *s;
    gs_registry_entry_t  *e;

    bitmap = gs_registry_bitmap(arena);

    if (old != NULL) {
        e = gs_registry_entries(old);

        for (i = 0; i < old->nentries; i++) {
            bitmap[e[i].slot / 8] |= (uint8_t) (1u << (e[i].slot % 8));
        }
    }

    e = gs_registry_entries(arena);
    slot = 0;

    for (i = 0; i < arena->nentries; i++) {

        if (e[i].slot != UINT32_MAX) {
            continue;
        }

        while (slot < reg->nslots
               && bitmap[slot / 8] & (1u << (slot % 8)))
        {
            slot++;
        }

        if (slot == reg->nslots || reg->generation == UINT32_MAX) {
            return GS_ERROR;
        }

        reg->generation++;

        s = gs_registry_slot(reg, slot);
        memset(s->words, 0, sizeof(s->words));
        __atomic_store_n(&s->generation, reg->generation, __ATOMIC_RELEASE);

        e[i].slot = slot++;
        e[i].generation = reg->generation;
    }

    return GS_OK;
}
