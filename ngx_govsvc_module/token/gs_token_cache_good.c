
/*
 * Copyright (C) govsvc authors
 *
 * Good verdicts in the cache.  One with many claims takes several slots of
 * its set: each is looked at as the first is, so that a part which another
 * writer took makes the whole a miss.
 */


#include "token/gs_token_cache_priv.h"


_Static_assert(GS_TOKEN_CACHE_SLOTS <= GS_TOKEN_CACHE_WAYS, "a set at most");
_Static_assert(GS_TOKEN_CACHE_SLOTS * GS_TOKEN_CACHE_CLAIMS
               <= GS_TOKEN_MAX_LEN, "the room of a verifier");


static int gs_token_cache_read(gs_token_cache_good_t *set, unsigned i,
    const gs_token_policy_t *policy, const gs_uchar_t digest[32],
    gs_uchar_t *claims, gs_token_verdict_t *verdict, uint64_t *seen);
static int gs_token_cache_rest(gs_token_cache_good_t *set,
    const gs_uchar_t *more, const gs_uchar_t digest[32], gs_uchar_t *claims,
    size_t len);
static void gs_token_cache_revoked(gs_token_cache_t *cache,
    gs_token_cache_good_t *slot, uint64_t word,
    const gs_token_policy_t *policy, int64_t now,
    gs_token_verdict_t *verdict);
static gs_rc_t gs_token_cache_seize(gs_token_cache_t *cache,
    gs_token_cache_good_t *set, size_t n, int64_t now, gs_uchar_t *more);
static unsigned gs_token_cache_victim(gs_token_cache_good_t *set,
    unsigned taken, int64_t now, int *live);
static void gs_token_cache_fill(gs_token_cache_good_t *slot,
    const gs_uchar_t digest[32], const gs_token_verdict_t *verdict,
    unsigned part);
static size_t gs_token_cache_parts(size_t len);
static void gs_token_cache_touch(gs_token_cache_good_t *slot, int64_t now);
static uint64_t gs_token_cache_tag(uint64_t hash);


int
gs_token_cache_get(gs_token_cache_t *cache, const gs_token_policy_t *policy,
    const gs_uchar_t digest[32], uint64_t hash, int64_t now,
    gs_uchar_t *claims, gs_token_verdict_t *verdict)
{
    size_t                  n, part;
    unsigned                i;
    uint64_t                first, tag, word;
    uint64_t               *tags = cache->tags;
    gs_token_cache_good_t  *set = cache->good;

    first = hash % cache->hdr->good_sets * GS_TOKEN_CACHE_WAYS;
    tag = gs_token_cache_tag(hash);

    tags += first;
    set += first;

    for (i = 0; i < GS_TOKEN_CACHE_WAYS; i++) {

        if (__atomic_load_n(&tags[i], __ATOMIC_RELAXED) != tag
            || !gs_token_cache_read(set, i, policy, digest, claims, verdict,
                                    &word))
        {
            continue;
        }

        verdict->reason = gs_token_check_time(
                              policy->issuers[verdict->issuer], verdict->exp,
                              verdict->nbf, now);

        n = gs_token_cache_parts(verdict->claims.len);

        if (verdict->reason == GS_TOKEN_OK && policy->revoke != NULL) {
            gs_token_cache_revoked(cache, &set[i], word, policy, now,
                                   verdict);
        }

        gs_token_cache_touch(&set[i], now);

        /* which they are may have changed: one touched wrongly lives longer */

        for (part = 1; part < n; part++) {
            gs_token_cache_touch(&set[set[i].more[part]
                                      % GS_TOKEN_CACHE_WAYS], now);
        }

        gs_token_cache_count(cache, hits);

        return 1;
    }

    return 0;
}


/*
 * Everything is copied before it is believed: the word tells whether the copy
 * is of one piece.
 */

static int
gs_token_cache_read(gs_token_cache_good_t *set, unsigned i,
    const gs_token_policy_t *policy, const gs_uchar_t digest[32],
    gs_uchar_t *claims, gs_token_verdict_t *verdict, uint64_t *seen)
{
    size_t                  len, head;
    uint64_t                word;
    uint32_t                part;
    gs_uchar_t              found[32], more[GS_TOKEN_CACHE_WAYS];
    gs_token_cache_good_t  *slot;

    slot = &set[i];
    word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);

    if ((uint32_t) word != 0) {
        return 0;
    }

    memcpy(found, slot->digest, 32);
    memcpy(more, slot->more, sizeof(more));

    len = __atomic_load_n(&slot->len, __ATOMIC_RELAXED);
    part = slot->part;

    memset(verdict, 0, sizeof(gs_token_verdict_t));

    verdict->exp = slot->exp;
    verdict->nbf = slot->nbf;
    verdict->issuer = slot->issuer;
    verdict->key = slot->key;
    verdict->level = slot->level;
    verdict->user = slot->user;
    verdict->iat = slot->iat;
    verdict->epoch = slot->epoch;
    verdict->cached = 1;

    if (len > GS_TOKEN_CACHE_SLOTS * GS_TOKEN_CACHE_CLAIMS) {
        return 0;
    }

    head = len < GS_TOKEN_CACHE_CLAIMS ? len : GS_TOKEN_CACHE_CLAIMS;
    memcpy(claims, slot->claims, head);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (__atomic_load_n(&slot->word, __ATOMIC_RELAXED) != word
        || part != 0
        || memcmp(found, digest, 32) != 0
        || verdict->issuer >= policy->n
        || gs_token_keys_by_id(policy->issuers[verdict->issuer]->keys,
                               verdict->key)
           == NULL
        || !gs_token_cache_rest(set, more, digest, claims, len))
    {
        return 0;
    }

    verdict->claims = gs_str_make(claims, len);
    *seen = word;

    return 1;
}


/*
 * The claims behind those of the first slot.  What bears the digest and the
 * number of the part is that part, whoever wrote it and when: a digest has
 * but one verdict.
 */

static int
gs_token_cache_rest(gs_token_cache_good_t *set, const gs_uchar_t *more,
    const gs_uchar_t digest[32], gs_uchar_t *claims, size_t len)
{
    size_t                  n, pos, part;
    uint64_t                word;
    uint32_t                number;
    gs_uchar_t              found[32];
    gs_token_cache_good_t  *slot;

    for (part = 1; part < gs_token_cache_parts(len); part++) {

        if (more[part] >= GS_TOKEN_CACHE_WAYS) {
            return 0;
        }

        slot = &set[more[part]];
        word = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);

        pos = part * GS_TOKEN_CACHE_CLAIMS;
        n = len - pos;

        if (n > GS_TOKEN_CACHE_CLAIMS) {
            n = GS_TOKEN_CACHE_CLAIMS;
        }

        number = slot->part;
        memcpy(found, slot->digest, 32);
        memcpy(claims + pos, slot->claims, n);

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if ((uint32_t) word != 0
            || __atomic_load_n(&slot->word, __ATOMIC_RELAXED) != word
            || number != part
            || memcmp(found, digest, 32) != 0)
        {
            return 0;
        }
    }

    return 1;
}


/*
 * Looks at revocations again if there were any since the verdict was made,
 * and notes that in the slot, unless the slot has changed meanwhile.
 */

static void
gs_token_cache_revoked(gs_token_cache_t *cache, gs_token_cache_good_t *slot,
    uint64_t word, const gs_token_policy_t *policy, int64_t now,
    gs_token_verdict_t *verdict)
{
    uint64_t  epoch;

    epoch = gs_token_revoke_epoch(policy->revoke);

    if (verdict->epoch == epoch) {
        return;
    }

    gs_token_cache_count(cache, rechecks);

    if (gs_token_check_revoked(policy, verdict, now)) {
        verdict->reason = GS_TOKEN_REVOKED;
        verdict->claims.len = 0;
        return;
    }

    verdict->epoch = epoch;

    if (gs_token_cache_take_as(cache, &slot->word, word) == GS_OK) {
        slot->epoch = epoch;
        gs_token_cache_give(&slot->word);
    }
}


void
gs_token_cache_put(gs_token_cache_t *cache, const gs_uchar_t digest[32],
    uint64_t hash, int64_t now, const gs_token_verdict_t *verdict)
{
    size_t                  n, part;
    uint64_t                first;
    uint64_t               *tags = cache->tags;
    gs_uchar_t              more[GS_TOKEN_CACHE_WAYS];
    gs_token_cache_good_t  *slot;
    gs_token_cache_good_t  *set = cache->good;

    n = gs_token_cache_parts(verdict->claims.len);

    if (n > GS_TOKEN_CACHE_SLOTS) {
        gs_token_cache_count(cache, too_large);
        return;
    }

    first = hash % cache->hdr->good_sets * GS_TOKEN_CACHE_WAYS;
    tags += first;
    set += first;

    if (gs_token_cache_seize(cache, set, n, now, more) != GS_OK) {
        return;
    }

    /* the first one last: it is what makes the others be found */

    for (part = n; part > 0; part--) {
        slot = &set[more[part - 1]];

        gs_token_cache_fill(slot, digest, verdict, (unsigned) part - 1);
        memcpy(slot->more, more, sizeof(more));

        __atomic_store_n(&tags[more[part - 1]],
                         part == 1 ? gs_token_cache_tag(hash) : 0,
                         __ATOMIC_RELAXED);

        gs_token_cache_touch(slot, now);
        gs_token_cache_give(&slot->word);
    }

    gs_token_cache_count(cache, stores);
}


/*
 * Takes n slots for writing, all or none.  One given back unwritten is as it
 * was.
 */

static gs_rc_t
gs_token_cache_seize(gs_token_cache_t *cache, gs_token_cache_good_t *set,
    size_t n, int64_t now, gs_uchar_t *more)
{
    int       live;
    size_t    part;
    unsigned  i, taken, evicted;

    memset(more, 0, GS_TOKEN_CACHE_WAYS);

    taken = 0;
    evicted = 0;

    for (part = 0; part < n; part++) {
        i = gs_token_cache_victim(set, taken, now, &live);

        if (gs_token_cache_take(cache, &set[i].word) != GS_OK) {

            while (part-- > 0) {
                gs_token_cache_give(&set[more[part]].word);
            }

            return GS_BUSY;
        }

        more[part] = (gs_uchar_t) i;
        taken |= 1u << i;
        evicted += (unsigned) live;
    }

    while (evicted-- > 0) {
        gs_token_cache_count(cache, evictions);
    }

    return GS_OK;
}


/*
 * The slot to overwrite, of those not taken: an expired one, else the one not
 * used for longest.  What is read here may be torn and decides no more than
 * that.
 */

static unsigned
gs_token_cache_victim(gs_token_cache_good_t *set, unsigned taken,
    int64_t now, int *live)
{
    unsigned  i, found;
    uint32_t  used;
    uint64_t  oldest;

    found = 0;
    oldest = UINT64_MAX;

    for (i = 0; i < GS_TOKEN_CACHE_WAYS; i++) {

        if (taken & (1u << i)) {
            continue;
        }

        if (set[i].exp < now) {
            *live = 0;
            return i;
        }

        used = __atomic_load_n(&set[i].used, __ATOMIC_RELAXED);

        if (used < oldest) {
            oldest = used;
            found = i;
        }
    }

    *live = 1;

    return found;
}


static void
gs_token_cache_fill(gs_token_cache_good_t *slot,
    const gs_uchar_t digest[32], const gs_token_verdict_t *verdict,
    unsigned part)
{
    size_t  n, pos;

    pos = part * GS_TOKEN_CACHE_CLAIMS;
    n = verdict->claims.len - pos;

    if (n > GS_TOKEN_CACHE_CLAIMS) {
        n = GS_TOKEN_CACHE_CLAIMS;
    }

    memcpy(slot->digest, digest, 32);

    slot->key = verdict->key;
    slot->exp = verdict->exp;
    slot->nbf = verdict->nbf;
    slot->issuer = verdict->issuer;
    slot->level = (uint16_t) verdict->level;
    slot->user = verdict->user;
    slot->iat = verdict->iat;
    slot->epoch = verdict->epoch;
    slot->len = (uint16_t) verdict->claims.len;
    slot->part = part;

    memcpy(slot->claims, verdict->claims.data + pos, n);
}


/* At least one: a token may have no claims but exp. */

static size_t
gs_token_cache_parts(size_t len)
{
    return len == 0 ? 1 : (len - 1) / GS_TOKEN_CACHE_CLAIMS + 1;
}


static void
gs_token_cache_touch(gs_token_cache_good_t *slot, int64_t now)
{
    if (__atomic_load_n(&slot->used, __ATOMIC_RELAXED) != (uint32_t) now) {
        __atomic_store_n(&slot->used, (uint32_t) now, __ATOMIC_RELAXED);
    }
}


/* Never 0, which is the tag of a slot never written. */

static uint64_t
gs_token_cache_tag(uint64_t hash)
{
    return hash | 1;
}
