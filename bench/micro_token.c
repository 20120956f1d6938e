
/*
 * Copyright (C) govsvc authors
 *
 * What a token costs: first seen, by algorithm; from the cache; refused early
 * and late.  Keys are fresh at every start.
 */


#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../t/unit/token_sign.h"
#include "token/gs_token_cache.h"


#define BENCH_NOW    1700000000
#define BENCH_CACHE  (32 * 1024 * 1024)
#define BENCH_MANY   10000


static void bench_init(void);
static double bench_clock(void);
static void bench_run(const char *name, gs_token_cache_t *c,
    const gs_str_t *token, size_t n, long rounds, gs_token_reason_e want);
static void bench_sign(gs_token_alg_e alg, const char *kid, gs_str_t *token);


static gs_token_verifier_t      *verifier;
static gs_token_issuer_t         issuer;
static const gs_token_issuer_t  *list[1] = { &issuer };
static gs_token_policy_t         policy;
static gs_token_cache_t          cache;
static gs_str_t                  audience[1];


/* The size of a real token: about 400 bytes of claims. */

static const char  bench_claims[] =
    "{\"iss\":\"https://sso.gov.example\",\"aud\":[\"portal\",\"api\"],"
    "\"sub\":\"8f14e45f-ceea-467f-a0e6-1d2c3b4a5968\",\"iat\":1699999000,"
    "\"exp\":1700003600,\"jti\":\"c9f0f895-fb98-4b91-8d1e-2f3a4b5c6d7e\","
    "\"client_id\":\"portal-web\",\"scope\":\"openid profile apply read\","
    "\"acr\":\"4\",\"user_type\":1,\"user_region\":\"440100\","
    "\"name\":\"\xe5\xbc\xa0\xe4\xb8\x89\",\"sid\":\"45c48cce2e2d7fbd\","
    "\"groups\":[\"citizen\",\"agent\"],\"phone_verified\":true}";


int
main(void)
{
    int        i;
    char       copy[8192];
    gs_str_t   token, bad, *many;

    static const struct {
        const char      *name;
        gs_token_alg_e   alg;
        const char      *kid;
        long             rounds;
    } algs[] = {
        { "token_verify_rs256", GS_TOKEN_RS256, "rs", 20000 },
        { "token_verify_es256", GS_TOKEN_ES256, "es", 5000 },
        { "token_verify_eddsa", GS_TOKEN_EDDSA, "ed", 3000 },
        { "token_verify_sm2", GS_TOKEN_SM2, "sm", 1000 }
    };

    bench_init();

    for (i = 0; i < 4; i++) {
        bench_sign(algs[i].alg, algs[i].kid, &token);
        bench_run(algs[i].name, NULL, &token, 1, algs[i].rounds, GS_TOKEN_OK);
    }

    bench_run("token_hit", &cache, &token, 1, 500000, GS_TOKEN_OK);

    many = calloc(BENCH_MANY, sizeof(gs_str_t));
    if (many == NULL) {
        return 1;
    }

    for (i = 0; i < BENCH_MANY; i++) {
        (void) snprintf(copy, sizeof(copy), "{\"sub\":\"u%d\",%s", i,
                        bench_claims + 1);
        (void) memcpy(strstr(copy + 1, "\"sub\":\"8f") + 1, "xub", 3);

        token = sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\",\"kid\":"
                           "\"es\",\"typ\":\"JWT\"}", copy);
        many[i] = gs_str_dup(&gs_mem_libc, &token);
    }

    bench_run("token_hit_10000", &cache, many, BENCH_MANY, 500000,
              GS_TOKEN_OK);

    bench_sign(GS_TOKEN_SM2, "sm", &token);
    memcpy(copy, token.data, token.len);
    copy[token.len - 40] = copy[token.len - 40] == 'A' ? 'B' : 'A';
    bad = gs_str_make(copy, token.len);

    bench_run("token_bad_sm2", NULL, &bad, 1, 1000, GS_TOKEN_BAD_SIGNATURE);
    bench_run("token_bad_sm2_again", &cache, &bad, 1, 500000,
              GS_TOKEN_BAD_SIGNATURE);

    issuer.algs = 1u << GS_TOKEN_RS256;
    bench_run("token_bad_alg", NULL, &token, 1, 500000, GS_TOKEN_BAD_ALG);
    issuer.algs = GS_TOKEN_PUBLIC_ALGS;

    audience[0] = gs_str_text("elsewhere");
    bench_run("token_bad_audience", NULL, &token, 1, 200000,
              GS_TOKEN_BAD_AUDIENCE);

    return 0;
}


static void
bench_init(void)
{
    void        *memory;
    gs_str_t     s;
    gs_uchar_t   random[16] = "0123456789abcde";

    sign_init();

    verifier = gs_token_verifier_create(&gs_mem_libc);
    gs_token_issuer_init(&issuer);
    s = gs_str_text(sign_jwks);

    audience[0] = gs_str_text("portal");
    issuer.iss = gs_str_text("https://sso.gov.example");
    issuer.audience = audience;
    issuer.naudience = 1;
    issuer.keys = gs_token_keys_load(&gs_mem_libc, &s, NULL);

    policy.issuers = list;
    policy.n = 1;
    policy.max_len = GS_TOKEN_MAX_LEN;

    memory = aligned_alloc(64, BENCH_CACHE);

    if (verifier == NULL || issuer.keys == NULL || memory == NULL) {
        sign_die("no memory");
    }

    memset(memory, 0, BENCH_CACHE);
    (void) gs_token_cache_create(&cache, memory, BENCH_CACHE, 0, random);
    cache.pid = (uint32_t) getpid();

    (void) gs_token_issuer_seal(&issuer, gs_token_verifier_crypto(verifier));
    (void) gs_token_policy_seal(&policy, gs_token_verifier_crypto(verifier));
}


static void
bench_sign(gs_token_alg_e alg, const char *kid, gs_str_t *token)
{
    char  header[128];

    (void) snprintf(header, sizeof(header),
                    "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
                    gs_token_alg_name(alg), kid);

    *token = sign_token(alg, header, bench_claims);
}


static void
bench_run(const char *name, gs_token_cache_t *c, const gs_str_t *token,
    size_t n, long rounds, gs_token_reason_e want)
{
    long                 i;
    double               start;
    gs_token_ask_t       ask;
    gs_token_verdict_t   verdict;

    ask.client = gs_str_make(NULL, 0);
    ask.now = BENCH_NOW * 1000ull;

    for (i = 0; i < (long) n; i++) {
        ask.token = token[i];

        if (gs_token_cache_check(c, verifier, &policy, &ask, &verdict)
            != want)
        {
            (void) fprintf(stderr, "%s: %s\n", name,
                           gs_token_reason_name(verdict.reason));
            exit(1);
        }
    }

    start = bench_clock();

    for (i = 0; i < rounds; i++) {
        ask.token = token[(size_t) (i * 7919) % n];

        (void) gs_token_cache_check(c, verifier, &policy, &ask, &verdict);
    }

    (void) printf("%s\t%.2f\tus/op\n", name,
                  (bench_clock() - start) * 1e6 / (double) rounds);
}


/* Processor time: another process on this core does not count. */

static double
bench_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}
