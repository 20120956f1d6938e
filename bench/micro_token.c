
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
static void bench_algs(void);
static void bench_library(void);
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
    gs_str_t   token, *many;

    bench_init();
    bench_algs();
    bench_library();

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

    issuer.algs = 1u << GS_TOKEN_RS256;
    bench_run("token_bad_alg", NULL, &token, 1, 500000, GS_TOKEN_BAD_ALG);
    issuer.algs = GS_TOKEN_PUBLIC_ALGS;

    audience[0] = gs_str_text("elsewhere");
    bench_run("token_bad_audience", NULL, &token, 1, 200000,
              GS_TOKEN_BAD_AUDIENCE);

    return 0;
}


/*
 * First seen, from the cache, forged, and the same forged one again; whatever
 * the algorithm, what the cache knows must cost the same.
 */

static void
bench_algs(void)
{
    char              name[64], copy[8192];
    size_t            i;
    gs_str_t          token, bad;
    gs_token_keys_t  *keys, *secrets;

    static const struct {
        const char      *name;
        gs_token_alg_e   alg;
        const char      *kid;
        long             rounds;
    } algs[] = {
        { "rs256", GS_TOKEN_RS256, "rs", 20000 },
        { "rs512", GS_TOKEN_RS512, "rs", 20000 },
        { "ps256", GS_TOKEN_PS256, "rs", 20000 },
        { "es256", GS_TOKEN_ES256, "es", 5000 },
        { "es384", GS_TOKEN_ES384, "e3", 500 },
        { "es512", GS_TOKEN_ES512, "e5", 500 },
        { "eddsa", GS_TOKEN_EDDSA, "ed", 3000 },
        { "sm2", GS_TOKEN_SM2, "sm", 1000 },
        { "hs256", GS_TOKEN_HS256, "hs", 50000 },
        { "hsm3", GS_TOKEN_HSM3, "hs", 50000 }
    };

    keys = issuer.keys;
    token = gs_str_text(sign_secrets);
    secrets = gs_token_keys_load_secrets(&gs_mem_libc, &token, NULL);

    for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {

        issuer.algs = algs[i].alg < GS_TOKEN_HS256 ? GS_TOKEN_PUBLIC_ALGS
                                                   : GS_TOKEN_SECRET_ALGS;
        issuer.keys = algs[i].alg < GS_TOKEN_HS256 ? keys : secrets;

        bench_sign(algs[i].alg, algs[i].kid, &token);
        memcpy(copy, token.data, token.len);
        copy[token.len - 40] = copy[token.len - 40] == 'A' ? 'B' : 'A';
        bad = gs_str_make(copy, token.len);

        (void) snprintf(name, sizeof(name), "token_verify_%s", algs[i].name);
        bench_run(name, NULL, &token, 1, algs[i].rounds, GS_TOKEN_OK);

        (void) snprintf(name, sizeof(name), "token_hit_%s", algs[i].name);
        bench_run(name, &cache, &token, 1, 300000, GS_TOKEN_OK);

        (void) snprintf(name, sizeof(name), "token_bad_%s", algs[i].name);
        bench_run(name, NULL, &bad, 1, algs[i].rounds / 2,
                  GS_TOKEN_BAD_SIGNATURE);

        (void) snprintf(name, sizeof(name), "token_bad_%s_again",
                        algs[i].name);
        bench_run(name, &cache, &bad, 1, 300000, GS_TOKEN_BAD_SIGNATURE);
    }

    gs_token_keys_destroy(secrets);
    issuer.keys = keys;
    issuer.algs = GS_TOKEN_PUBLIC_ALGS;
}


/* What libcrypto itself takes to verify the RS256 token: a fresh context. */

static void
bench_library(void)
{
    long             i, rounds;
    size_t           dot, len;
    double           start;
    EVP_MD          *md;
    gs_str_t         token, sig;
    gs_uchar_t       raw[1024];
    EVP_MD_CTX      *ctx;

    rounds = 20000;
    bench_sign(GS_TOKEN_RS256, "rs", &token);

    for (dot = token.len; token.data[dot - 1] != '.'; dot--) {
        /* void */
    }

    sig = gs_str_make(token.data + dot, token.len - dot);
    (void) gs_b64url_decode(raw, &len, &sig);

    md = EVP_MD_fetch(NULL, "SHA256", NULL);
    ctx = EVP_MD_CTX_new();
    start = bench_clock();

    for (i = 0; i < rounds; i++) {
        (void) EVP_MD_CTX_reset(ctx);

        if (EVP_DigestVerifyInit(ctx, NULL, md, NULL,
                                 sign_pkey[GS_TOKEN_RS256])
            != 1
            || EVP_DigestVerify(ctx, raw, len, token.data, dot - 1) != 1)
        {
            sign_die("libcrypto does not verify");
        }
    }

    (void) printf("token_libcrypto_rs256\t%.2f\tus/op\n",
                  (bench_clock() - start) * 1e6 / (double) rounds);

    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
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
