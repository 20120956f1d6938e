
/*
 * Copyright (C) govsvc authors
 *
 * The cache of verdicts.
 */


#include "token/gs_token_cache_priv.h"


_Static_assert(sizeof(gs_token_cache_hdr_t) == 192, "header layout");
_Static_assert(sizeof(gs_token_cache_good_t) == 1024, "good slot layout");
_Static_assert(sizeof(gs_token_cache_bad_t) == 64, "bad slot layout");


static void gs_token_cache_plan(gs_token_cache_hdr_t *hdr, size_t size,
    size_t bad);
static void gs_token_cache_view(gs_token_cache_t *cache, void *memory);
static int gs_token_cache_get_bad(gs_token_cache_t *cache,
    const gs_token_policy_t *policy, const gs_uchar_t digest[32],
    uint64_t hash, int64_t now, gs_token_verdict_t *verdict);
static void gs_token_cache_put_bad(gs_token_cache_t *cache,
    const gs_uchar_t digest[32],
    uint64_t hash, int64_t now, const gs_token_verdict_t *verdict);


gs_rc_t
gs_token_cache_create(gs_token_cache_t *cache, void *memory, size_t size,
    size_t bad, const gs_uchar_t random[16])
{
    gs_token_cache_hdr_t  *hdr = memory;

    if (size < GS_TOKEN_CACHE_MIN || bad > size / 2) {
        return GS_ERROR;
    }

    gs_token_cache_plan(hdr, size, bad);
    memcpy(&hdr->key, random, sizeof(hdr->key));

    hdr->version = GS_TOKEN_CACHE_VERSION;
    hdr->magic = GS_TOKEN_CACHE_MAGIC;

    gs_token_cache_view(cache, memory);

    return GS_OK;
}


gs_rc_t
gs_token_cache_attach(gs_token_cache_t *cache, void *memory, size_t size)
{
    gs_token_cache_hdr_t   plan;
    gs_token_cache_hdr_t  *hdr = memory;

    if (size < GS_TOKEN_CACHE_MIN
        || hdr->magic != GS_TOKEN_CACHE_MAGIC
        || hdr->version != GS_TOKEN_CACHE_VERSION
        || hdr->size < GS_TOKEN_CACHE_MIN
        || hdr->size > size
        || hdr->bad > hdr->size / 2)
    {
        return GS_ERROR;
    }

    gs_token_cache_plan(&plan, hdr->size, hdr->bad);

    if (hdr->good_sets != plan.good_sets || hdr->bad_sets != plan.bad_sets
        || hdr->client_sets != plan.client_sets)
    {
        return GS_ERROR;
    }

    gs_token_cache_view(cache, memory);

    return GS_OK;
}


/* An eighth for bad verdicts: at 64 bytes each they are twice as many. */

static void
gs_token_cache_plan(gs_token_cache_hdr_t *hdr, size_t size, size_t bad)
{
    size_t  left, bad_set, good_set, client_set;

    left = size - sizeof(gs_token_cache_hdr_t);

    good_set = (sizeof(gs_token_cache_good_t) + sizeof(uint64_t))
               * GS_TOKEN_CACHE_WAYS;
    bad_set = sizeof(gs_token_cache_bad_t) * GS_TOKEN_CACHE_BAD_WAYS;
    client_set = sizeof(uint64_t) * GS_TOKEN_THROTTLE_WAYS;

    hdr->size = size;
    hdr->bad = bad;

    hdr->client_sets = left / GS_TOKEN_CACHE_CLIENTS / client_set;
    left -= hdr->client_sets * client_set;

    hdr->bad_sets = (bad ? bad : left / GS_TOKEN_CACHE_BAD_PART) / bad_set;

    if (hdr->bad_sets == 0) {
        hdr->bad_sets = 1;
    }

    hdr->good_sets = (left - hdr->bad_sets * bad_set) / good_set;
}


static void
gs_token_cache_view(gs_token_cache_t *cache, void *memory)
{
    gs_uchar_t            *p = memory;
    gs_token_cache_hdr_t  *hdr = memory;

    cache->hdr = hdr;

    p += sizeof(gs_token_cache_hdr_t);
    cache->tags = p;

    p += hdr->good_sets * GS_TOKEN_CACHE_WAYS * sizeof(uint64_t);
    cache->good = p;

    p += hdr->good_sets * GS_TOKEN_CACHE_WAYS * sizeof(gs_token_cache_good_t);
    cache->bad = p;

    p += hdr->bad_sets * GS_TOKEN_CACHE_BAD_WAYS
         * sizeof(gs_token_cache_bad_t);
    cache->throttle.words = (uint64_t *) p;
    cache->throttle.sets = hdr->client_sets;
    cache->throttle.key = &hdr->key;
}


gs_token_reason_e
gs_token_cache_check(gs_token_cache_t *cache, gs_token_verifier_t *v,
    const gs_token_policy_t *policy, const gs_token_ask_t *ask,
    gs_token_verdict_t *verdict)
{
    int64_t     now;
    gs_str_t    parts[2];
    uint64_t    hash;
    gs_uchar_t  digest[32];

    now = (int64_t) (ask->now / 1000);

    if (cache == NULL || ask->token.len > policy->max_len) {
        return gs_token_check(v, policy, &ask->token, now, verdict);
    }

    parts[0] = gs_str_make(policy->id, GS_TOKEN_ID_LEN);
    parts[1] = ask->token;

    if (gs_token_crypto_sha256(gs_token_verifier_crypto(v), parts, 2, digest)
        != GS_OK)
    {
        memset(verdict, 0, sizeof(gs_token_verdict_t));
        verdict->reason = GS_TOKEN_NO_MEMORY;
        return verdict->reason;
    }

    hash = gs_siphash(&cache->hdr->key, digest, 32);

    if (gs_token_cache_get(cache, policy, digest, hash, now,
                           gs_token_verifier_room(v), verdict)
        || gs_token_cache_get_bad(cache, policy, digest, hash, now, verdict))
    {
        return verdict->reason;
    }

    if (gs_token_throttle_over(&cache->throttle, &ask->client, ask->now)) {
        gs_token_cache_count(cache, throttled);
        memset(verdict, 0, sizeof(gs_token_verdict_t));
        verdict->reason = GS_TOKEN_THROTTLED;
        return verdict->reason;
    }

    gs_token_cache_count(cache, misses);

    (void) gs_token_check(v, policy, &ask->token, now, verdict);

    if (verdict->reason == GS_TOKEN_OK) {
        gs_token_cache_put(cache, digest, hash, now, verdict);

    } else if (verdict->reason == GS_TOKEN_BAD_SIGNATURE) {
        gs_token_cache_put_bad(cache, digest, hash, now, verdict);
        gs_token_throttle_count(&cache->throttle, &ask->client, ask->now,
                                gs_token_alg_cost(verdict->alg));
    }

    return verdict->reason;
}


void
gs_token_cache_stat(const gs_token_cache_t *cache,
    gs_token_cache_stat_t *stat)
{
    size_t           i;
    uint64_t        *to;
    const uint64_t  *from;

    to = (uint64_t *) stat;
    from = (const uint64_t *) &cache->hdr->stat;

    for (i = 0; i < sizeof(gs_token_cache_stat_t) / sizeof(uint64_t); i++) {
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    }
}


static int
gs_token_cache_get_bad(gs_token_cache_t *cache,
    const gs_token_policy_t *policy, const gs_uchar_t digest[32],
    uint64_t hash, int64_t now, gs_token_verdict_t *verdict)
{
    unsigned               i;
    uint64_t               word;
    gs_token_cache_bad_t   copy;
    gs_token_cache_bad_t  *slot = cache->bad;

    slot += hash % cache->hdr->bad_sets * GS_TOKEN_CACHE_BAD_WAYS;

    for (i = 0; i < GS_TOKEN_CACHE_BAD_WAYS; i++, slot++) {

        word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);
        copy = *slot;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if ((uint32_t) word != 0
            || __atomic_load_n(&slot->word, __ATOMIC_RELAXED) != word
            || memcmp(copy.digest, digest, 32) != 0
            || copy.until <= now
            || copy.issuer >= policy->n
            || gs_token_keys_by_id(policy->issuers[copy.issuer]->keys,
                                   copy.key)
               == NULL
            || copy.reason == GS_TOKEN_OK
            || copy.reason >= GS_TOKEN_REASONS)
        {
            continue;
        }

        memset(verdict, 0, sizeof(gs_token_verdict_t));
        verdict->reason = (gs_token_reason_e) copy.reason;
        verdict->issuer = copy.issuer;
        verdict->cached = 1;

        gs_token_cache_count(cache, bad_hits);

        return 1;
    }

    return 0;
}


static void
gs_token_cache_put_bad(gs_token_cache_t *cache,
    const gs_uchar_t digest[32],
    uint64_t hash, int64_t now, const gs_token_verdict_t *verdict)
{
    unsigned               i;
    gs_token_cache_bad_t  *victim;
    gs_token_cache_bad_t  *slot = cache->bad;

    slot += hash % cache->hdr->bad_sets * GS_TOKEN_CACHE_BAD_WAYS;
    victim = slot;

    for (i = 1; i < GS_TOKEN_CACHE_BAD_WAYS; i++) {
        if (slot[i].until < victim->until) {
            victim = &slot[i];
        }
    }

    if (gs_token_cache_take(cache, &victim->word) != GS_OK) {
        return;
    }

    memcpy(victim->digest, digest, 32);

    victim->until = now + GS_TOKEN_CACHE_BAD_TTL;
    victim->reason = verdict->reason;
    victim->issuer = verdict->issuer;
    victim->key = verdict->key;

    gs_token_cache_give(&victim->word);
    gs_token_cache_count(cache, stores);
}


gs_rc_t
gs_token_cache_take(gs_token_cache_t *cache, uint64_t *word)
{
    return gs_token_cache_take_as(cache, word,
                                  __atomic_load_n(word, __ATOMIC_RELAXED));
}


gs_rc_t
gs_token_cache_take_as(gs_token_cache_t *cache, uint64_t *word, uint64_t old)
{
    uint32_t  owner;
    uint64_t  taken;

    owner = (uint32_t) old;

    /* our own number there was that of a process which is dead now */

    if (owner != 0 && owner != cache->pid
        && (cache->alive == NULL || cache->alive(owner)))
    {
        return GS_BUSY;
    }

    taken = (((old >> 32) + 1) << 32) | cache->pid;

    if (!__atomic_compare_exchange_n(word, &old, taken, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
    {
        return GS_BUSY;
    }

    /* the word is seen as taken before anything else is seen to change */

    __atomic_thread_fence(__ATOMIC_RELEASE);

    if (owner != 0) {
        gs_token_cache_count(cache, steals);
    }

    return GS_OK;
}


void
gs_token_cache_give(uint64_t *word)
{
    uint64_t  old;

    old = __atomic_load_n(word, __ATOMIC_RELAXED);

    __atomic_store_n(word, ((old >> 32) + 1) << 32, __ATOMIC_RELEASE);
}
