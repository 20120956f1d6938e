
/*
 * Copyright (C) govsvc authors
 *
 * Nonces: two sets, the emptier is taken, and a look back afterwards.
 */


#include "limit/gs_nonce.h"


#define GS_NONCE_MAGIC    0x474e4f31u      /* GNO1 */
#define GS_NONCE_VERSION  2
#define GS_NONCE_WAYS     8
#define GS_NONCE_TRIES    64
#define GS_NONCE_BITS     26               /* of the time: 34 years */
#define GS_NONCE_MASK     ((1u << GS_NONCE_BITS) - 1)


struct gs_nonce_hdr_s {
    uint32_t          magic;
    uint32_t          version;
    uint64_t          size;
    uint64_t          sets;
    gs_siphash_key_t  key;
    uint64_t          history;             /* of others; 0: not told yet */
    int64_t           lost;                /* s, only ever moved on */
    uint64_t          counts[GS_NONCE_COUNTS];
};


const char *const  gs_nonce_counts[] = {
    "stored", "replayed", "full", "elsewhere", "refused", "alone", "fenced",
    NULL
};


/* the words begin behind two lines */

typedef char  gs_nonce_hdr_fits[sizeof(struct gs_nonce_hdr_s)
                                <= 2 * GS_NONCE_WAYS * 8 ? 1 : -1];


/* What one look at both sets found. */
typedef struct {
    uint64_t         *slot;                /* free, NULL if none is */
    uint64_t          word;                /* that was in it */
    unsigned          seen;                /* copies of the tag */
} gs_nonce_look_t;


static gs_rc_t gs_nonce_hash(const gs_nonce_t *store, const gs_str_t *app,
    const gs_str_t *nonce, uint64_t hash[2]);
static void gs_nonce_look(const gs_nonce_t *store, uint64_t *const sets[2],
    uint64_t tag, int64_t now, gs_nonce_look_t *look);
static int gs_nonce_live(uint64_t word, int64_t now);


gs_rc_t
gs_nonce_create(gs_nonce_t *store, void *memory, size_t size,
    const gs_uchar_t random[16])
{
    gs_nonce_hdr_t  *hdr;

    if (size < GS_NONCE_MIN) {
        return GS_ERROR;
    }

    hdr = memory;

    memcpy(&hdr->key.k0, random, 8);
    memcpy(&hdr->key.k1, random + 8, 8);

    hdr->size = size;
    hdr->sets = size / 64 - 2;
    hdr->version = GS_NONCE_VERSION;

    __atomic_store_n(&hdr->magic, GS_NONCE_MAGIC, __ATOMIC_RELEASE);

    return gs_nonce_attach(store, memory, size);
}


gs_rc_t
gs_nonce_attach(gs_nonce_t *store, void *memory, size_t size)
{
    gs_nonce_hdr_t  *hdr;

    hdr = memory;

    if (size < GS_NONCE_MIN
        || __atomic_load_n(&hdr->magic, __ATOMIC_ACQUIRE) != GS_NONCE_MAGIC
        || hdr->version != GS_NONCE_VERSION || hdr->size != size
        || hdr->sets != size / 64 - 2)
    {
        return GS_ERROR;
    }

    store->hdr = hdr;
    store->words = (uint64_t *) memory + 2 * GS_NONCE_WAYS;

    return GS_OK;
}


/*
 * The word is set first, and only then is looked whether another process has
 * set one for the same nonce elsewhere: of two that do so at once at least one
 * sees the other.
 */

gs_rc_t
gs_nonce_insert(gs_nonce_t *store, const gs_str_t *app,
    const gs_str_t *nonce, int64_t until, int64_t now)
{
    unsigned         i;
    uint64_t         hash[2], tag, word, *sets[2];
    gs_nonce_look_t  look;

    if (until <= now || gs_nonce_hash(store, app, nonce, hash) != GS_OK) {
        return GS_BUSY;
    }

    sets[0] = store->words + hash[1] % store->hdr->sets * GS_NONCE_WAYS;
    sets[1] = store->words + (hash[1] >> 32 ^ hash[0] << 32)
                             % store->hdr->sets * GS_NONCE_WAYS;

    tag = hash[0] >> GS_NONCE_BITS << GS_NONCE_BITS;

    if (tag == 0) {
        tag = (uint64_t) 1 << GS_NONCE_BITS;
    }

    word = tag | (((uint64_t) until + GS_NONCE_UNIT - 1) / GS_NONCE_UNIT
                  & GS_NONCE_MASK);

    for (i = 0; i < GS_NONCE_TRIES; i++) {

        gs_nonce_look(store, sets, tag, now, &look);

        if (look.seen != 0) {
            gs_nonce_count(store, GS_NONCE_REPLAYED);
            return GS_DECLINED;
        }

        if (look.slot == NULL) {
            break;
        }

        if (!__atomic_compare_exchange_n(look.slot, &look.word, word, 0,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        {
            continue;
        }

        gs_nonce_look(store, sets, tag, now, &look);

        if (look.seen > 1) {
            gs_nonce_count(store, GS_NONCE_REPLAYED);
            return GS_DECLINED;
        }

        gs_nonce_count(store, GS_NONCE_STORED);
        return GS_OK;
    }

    gs_nonce_count(store, GS_NONCE_FULL);

    return GS_BUSY;
}


/* "app NUL nonce": neither can hold a NUL where it comes from a header. */

static gs_rc_t
gs_nonce_hash(const gs_nonce_t *store, const gs_str_t *app,
    const gs_str_t *nonce, uint64_t hash[2])
{
    gs_uchar_t  text[GS_NONCE_TEXT];

    if (app->len + nonce->len + 1 > GS_NONCE_TEXT) {
        return GS_ERROR;
    }

    memcpy(text, app->data, app->len);
    text[app->len] = '\0';
    memcpy(text + app->len + 1, nonce->data, nonce->len);

    gs_siphash128(&store->hdr->key, text, app->len + nonce->len + 1, hash);

    return GS_OK;
}


static void
gs_nonce_look(const gs_nonce_t *store, uint64_t *const sets[2], uint64_t tag,
    int64_t now, gs_nonce_look_t *look)
{
    unsigned   s, i, room, best;
    uint64_t   word, free_word, *free_slot;

    best = 0;
    look->slot = NULL;
    look->word = 0;
    look->seen = 0;

    for (s = 0; s < 2; s++) {

        if (s == 1 && sets[1] == sets[0]) {
            break;
        }

        room = 0;
        free_slot = NULL;
        free_word = 0;

        for (i = 0; i < GS_NONCE_WAYS; i++) {
            word = __atomic_load_n(&sets[s][i], __ATOMIC_SEQ_CST);

            if (!gs_nonce_live(word, now)) {
                room++;

                if (free_slot == NULL) {
                    free_slot = &sets[s][i];
                    free_word = word;
                }

            } else if ((word ^ tag) >> GS_NONCE_BITS == 0) {
                look->seen++;
            }
        }

        if (room > best) {
            best = room;
            look->slot = free_slot;
            look->word = free_word;
        }
    }
}


static int
gs_nonce_live(uint64_t word, int64_t now)
{
    uint32_t  left;

    if (word == 0) {
        return 0;
    }

    left = ((uint32_t) word - (uint32_t) ((uint64_t) now / GS_NONCE_UNIT))
           & GS_NONCE_MASK;

    return left != 0 && left <= GS_NONCE_MASK / 2;
}


uint64_t
gs_nonce_used(const gs_nonce_t *store, int64_t now)
{
    uint64_t  i, n;

    n = 0;

    for (i = 0; i < gs_nonce_size(store); i++) {
        n += (uint64_t) gs_nonce_live(__atomic_load_n(&store->words[i],
                                                      __ATOMIC_RELAXED),
                                      now);
    }

    return n;
}


uint64_t
gs_nonce_size(const gs_nonce_t *store)
{
    return store->hdr->sets * GS_NONCE_WAYS;
}


void
gs_nonce_history(gs_nonce_t *store, uint64_t history, int64_t now)
{
    uint64_t  before;

    before = __atomic_load_n(&store->hdr->history, __ATOMIC_RELAXED);

    if (history == 0 || history == before) {
        return;
    }

    /* first the time: a process may die between the two */

    if (before != 0) {
        gs_nonce_lose(store, now);
    }

    __atomic_store_n(&store->hdr->history, history, __ATOMIC_RELEASE);
}


void
gs_nonce_lose(gs_nonce_t *store, int64_t now)
{
    int64_t  lost;

    lost = __atomic_load_n(&store->hdr->lost, __ATOMIC_RELAXED);

    while (lost < now) {
        if (__atomic_compare_exchange_n(&store->hdr->lost, &lost, now, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        {
            return;
        }
    }
}


int64_t
gs_nonce_lost(const gs_nonce_t *store)
{
    return __atomic_load_n(&store->hdr->lost, __ATOMIC_ACQUIRE);
}


void
gs_nonce_count(gs_nonce_t *store, gs_nonce_count_e what)
{
    (void) __atomic_fetch_add(&store->hdr->counts[what], 1, __ATOMIC_RELAXED);
}


uint64_t
gs_nonce_counted(const gs_nonce_t *store, gs_nonce_count_e what)
{
    return __atomic_load_n(&store->hdr->counts[what], __ATOMIC_RELAXED);
}
