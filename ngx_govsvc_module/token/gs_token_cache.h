
/*
 * Copyright (C) govsvc authors
 *
 * Verdicts kept in memory shared by processes.  No lock: a slot has a word of
 * sequence and owner; a reader copies the slot out and looks at the word
 * again.  A writer that dies leaves its word behind, and whoever finds the
 * owner dead takes the slot.
 *
 * A verdict is found by SHA-256 over the policy and the exact bytes of the
 * token, compared in full; where it is kept is decided by a keyed hash of
 * that, so that nobody can aim at a slot.  It counts as long as the key that
 * it was made with is among those of the issuer.  Bad verdicts have their own
 * part, so that a flood of them drives no good one out.
 */


#ifndef _GS_TOKEN_CACHE_H_INCLUDED_
#define _GS_TOKEN_CACHE_H_INCLUDED_


#include "token/gs_token_check.h"
#include "token/gs_token_throttle.h"


#define GS_TOKEN_CACHE_MIN      65536      /* bytes */
#define GS_TOKEN_CACHE_CLAIMS   896        /* packed bytes that fit a slot */
#define GS_TOKEN_CACHE_SLOTS    8          /* that one verdict may take */
#define GS_TOKEN_CACHE_BAD_TTL  10         /* s */
#define GS_TOKEN_CACHE_BAD_PART 8          /* of all, by default */


typedef struct gs_token_cache_hdr_s  gs_token_cache_hdr_t;


/* A process's view of the memory. */
typedef struct {
    gs_token_cache_hdr_t  *hdr;
    void                  *tags;
    void                  *good;
    void                  *bad;
    gs_token_throttle_t    throttle;       /* period and burst: the caller */
    uint32_t               pid;            /* of this process, not 0 */
    int                  (*alive)(uint32_t pid);    /* 0: it is gone */
} gs_token_cache_t;


typedef struct {
    uint64_t  hits;
    uint64_t  bad_hits;
    uint64_t  misses;
    uint64_t  stores;
    uint64_t  evictions;                   /* of verdicts still good */
    uint64_t  steals;                      /* from dead processes */
    uint64_t  too_large;                   /* verdicts that fit no slots */
    uint64_t  rechecks;                    /* hits after a revocation */
    uint64_t  throttled;
} gs_token_cache_stat_t;


/* Who asks for what, and when. */
typedef struct {
    gs_str_t  token;
    gs_str_t  client;                      /* len 0: not throttled */
    uint64_t  now;                         /* ms since the epoch */
} gs_token_ask_t;


/*
 * Lays the cache out in size bytes of zeros, aligned to 64, bad of them for
 * bad verdicts (0: an eighth; at most half); random is 16 secret bytes.
 * GS_ERROR if size is below GS_TOKEN_CACHE_MIN.
 */
gs_rc_t gs_token_cache_create(gs_token_cache_t *cache, void *memory,
    size_t size, size_t bad, const gs_uchar_t random[16]);

/*
 * GS_ERROR if memory, of at least size bytes, does not hold a cache of this
 * layout.
 */
gs_rc_t gs_token_cache_attach(gs_token_cache_t *cache, void *memory,
    size_t size);

/*
 * gs_token_check() by way of the cache, which may be NULL.  A hit is checked
 * against the time, the keys, the policy and what was revoked meanwhile; it
 * costs one SHA-256.  A token seen first is not looked at, GS_TOKEN_THROTTLED,
 * when its client has sent too many bad signatures.  The claims of the verdict
 * live in v until its next use.
 */
gs_token_reason_e gs_token_cache_check(gs_token_cache_t *cache,
    gs_token_verifier_t *v, const gs_token_policy_t *policy,
    const gs_token_ask_t *ask, gs_token_verdict_t *verdict);

void gs_token_cache_stat(const gs_token_cache_t *cache,
    gs_token_cache_stat_t *stat);


#endif /* _GS_TOKEN_CACHE_H_INCLUDED_ */
