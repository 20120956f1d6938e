
/*
 * Copyright (C) govsvc authors
 *
 * A cache in shared memory with one issuer and all keys: for the tests of the
 * cache.
 */


#ifndef _TOKEN_CACHE_FIXTURE_H_INCLUDED_
#define _TOKEN_CACHE_FIXTURE_H_INCLUDED_


#include "tap.h"
#include "token_sign.h"
#include "token/gs_token_cache_priv.h"
#include "token/gs_token_claim.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define NOW      1700000000
#define EXP      1700003600
#define CLAIMS   "{\"iss\":\"i\",\"sub\":\"u%d\",\"exp\":1700003600}"
#define SIZE     131072


static gs_token_verifier_t      *v;
static gs_token_issuer_t         issuer;
static const gs_token_issuer_t  *list[1] = { &issuer };
static gs_token_policy_t         policy;
static gs_token_verdict_t        verdict;
static const char               *client = "";
static gs_token_cache_t          cache;
static gs_token_cache_stat_t     stat_now;
static void                     *memory;
static gs_uchar_t                random_key[16] = "0123456789abcde";


static inline int
alive(uint32_t pid)
{
    return kill((pid_t) pid, 0) == 0 || errno != ESRCH;
}


static inline void
setup(void)
{
    gs_str_t  s;

    memory = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                  -1, 0);
    if (memory == MAP_FAILED) {
        sign_die("mmap");
    }

    v = gs_token_verifier_create(&gs_mem_libc);
    gs_token_issuer_init(&issuer);
    s = gs_str_text(sign_jwks);
    issuer.keys = gs_token_keys_load(&gs_mem_libc, &s, NULL);

    policy.issuers = list;
    policy.n = 1;
    policy.max_len = GS_TOKEN_MAX_LEN;

    (void) gs_token_issuer_seal(&issuer, gs_token_verifier_crypto(v));
    (void) gs_token_policy_seal(&policy, gs_token_verifier_crypto(v));
}


static inline void
fresh(size_t size)
{
    memset(memory, 0, SIZE);

    if (gs_token_cache_create(&cache, memory, size, 0, random_key) != GS_OK) {
        sign_die("cache");
    }

    cache.pid = (uint32_t) getpid();
    cache.alive = alive;
}


static inline gs_token_reason_e
cached(gs_token_cache_t *c, const gs_token_policy_t *p, gs_str_t token,
    int64_t now)
{
    gs_token_ask_t  ask;

    ask.token = token;
    ask.client = gs_str_text(client);
    ask.now = (uint64_t) now * 1000;

    return gs_token_cache_check(c, v, p, &ask, &verdict);
}


static inline gs_token_reason_e
check(gs_str_t token, int64_t now)
{
    gs_token_reason_e  reason;

    reason = cached(&cache, &policy, token, now);
    gs_token_cache_stat(&cache, &stat_now);

    return reason;
}


static inline gs_str_t
token_of(int n)
{
    char  text[256];

    (void) snprintf(text, sizeof(text), CLAIMS, n);

    return sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}", text);
}


static inline void
done(void)
{
    gs_token_keys_destroy(issuer.keys);
    gs_token_verifier_destroy(v);
    sign_done();
    (void) munmap(memory, SIZE);
}


#endif /* _TOKEN_CACHE_FIXTURE_H_INCLUDED_ */
