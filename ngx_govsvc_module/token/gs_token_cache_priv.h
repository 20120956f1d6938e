
/*
 * Copyright (C) govsvc authors
 *
 * The layout of the cache, for gs_token_cache.c and its test.
 *
 *     header | tags, 8 of 8 bytes a set | good slots of 1024 bytes, 8 a set
 *     | bad slots of 64 bytes, 4 a set | words of clients, 8 a set
 */


#ifndef _GS_TOKEN_CACHE_PRIV_H_INCLUDED_
#define _GS_TOKEN_CACHE_PRIV_H_INCLUDED_


#include "token/gs_token_cache.h"
#include "core/gs_siphash.h"


#define GS_TOKEN_CACHE_MAGIC    0x47544331u    /* GTC1 */
#define GS_TOKEN_CACHE_VERSION  3
#define GS_TOKEN_CACHE_WAYS     8
#define GS_TOKEN_CACHE_BAD_WAYS 4
#define GS_TOKEN_CACHE_CLIENTS  64         /* part of all for clients */


#define gs_token_cache_count(cache, what)                                     \
    (void) __atomic_fetch_add(&(cache)->hdr->stat.what, 1, __ATOMIC_RELAXED)


struct gs_token_cache_hdr_s {
    uint32_t               magic;
    uint32_t               version;
    uint64_t               size;
    uint64_t               good_sets;
    uint64_t               bad_sets;
    uint64_t               client_sets;
    uint64_t               bad;            /* bytes asked for */
    gs_siphash_key_t       key;
    gs_token_cache_stat_t  stat;           /* each counted atomically */
    gs_uchar_t             pad[56];
};


/*
 * word: high half, a number that every write raises by two; low half, the
 * process writing, or 0.
 *
 * Claims that take more than one slot go on in others of the same set, in the
 * order of more[]; these have no tag, so that only the first is found, and
 * bear the digest and their part of the whole.
 */
typedef struct {
    uint64_t    word;
    gs_uchar_t  digest[32];
    uint64_t    key;
    int64_t     exp;
    int64_t     nbf;
    int64_t     iat;
    uint64_t    epoch;                     /* of revocations */
    uint32_t    issuer;
    uint16_t    level;
    uint16_t    len;
    uint32_t    used;                      /* s, outside the sequence */
    uint32_t    user;
    uint32_t    part;                      /* 0: the first */
    gs_uchar_t  more[GS_TOKEN_CACHE_WAYS]; /* of the set, by part */
    uint32_t    pad[5];
    gs_uchar_t  claims[GS_TOKEN_CACHE_CLAIMS];
} gs_token_cache_good_t;


typedef struct {
    uint64_t    word;
    gs_uchar_t  digest[32];
    int64_t     until;                     /* s */
    uint32_t    reason;
    uint32_t    issuer;
    uint64_t    key;
} gs_token_cache_bad_t;


/*
 * A good verdict of that digest, if it is there and counts still: 1, and the
 * verdict with its claims in claims (room of GS_TOKEN_MAX_LEN bytes).
 */
int gs_token_cache_get(gs_token_cache_t *cache,
    const gs_token_policy_t *policy, const gs_uchar_t digest[32],
    uint64_t hash, int64_t now, gs_uchar_t *claims,
    gs_token_verdict_t *verdict);

/* Keeps a good verdict, if there is room that no other process writes to. */
void gs_token_cache_put(gs_token_cache_t *cache, const gs_uchar_t digest[32],
    uint64_t hash, int64_t now, const gs_token_verdict_t *verdict);

/*
 * Takes a slot for writing: free ones, and those of dead processes.  GS_BUSY
 * if another process has it.
 */
gs_rc_t gs_token_cache_take(gs_token_cache_t *cache, uint64_t *word);

/* The same with a word that must be as it was read. */
gs_rc_t gs_token_cache_take_as(gs_token_cache_t *cache, uint64_t *word,
    uint64_t old);

/* Gives it back, readable. */
void gs_token_cache_give(uint64_t *word);


#endif /* _GS_TOKEN_CACHE_PRIV_H_INCLUDED_ */
