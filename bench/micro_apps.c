
/*
 * Copyright (C) govsvc authors
 *
 * What it costs to verify one signed request: found in 14 headers, the text
 * built, the signature checked; and one nonce.
 */


#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>

#include "limit/gs_nonce.h"
#include "token/gs_sign.h"


#define BENCH_HEADERS  24
#define BENCH_NONCES   (16 * 1024 * 1024)


static double bench_now(void);
static void bench_report(const char *name, double seconds, unsigned n);
static void bench_scheme(const char *name, gs_sign_scheme_e scheme,
    gs_sign_alg_e alg, EVP_PKEY *pkey, unsigned rounds);
static void bench_absent(void);
static void bench_nonce(void);


static gs_sign_crypto_t  *crypto;


/* What a client sends besides. */

static const char *const  bench_headers[][2] = {
    { "Host", "gw.gov.example" },
    { "User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" },
    { "Accept", "application/json" },
    { "Accept-Encoding", "gzip, deflate, br" },
    { "Accept-Language", "zh-CN,zh;q=0.9" },
    { "Content-Type", "application/json" },
    { "Cookie", "sid=0123456789abcdef; lang=zh" },
    { "X-Request-Id", "3ad1c5b2a0f94e7d8c6b5a4f3e2d77ca" },
    { "Traceparent", "00-3ad1c5b2a0f94e7d8c6b5a4f3e2d77ca-1-01" },
    { "X-Channel", "app" }
};


int
main(void)
{
    EVP_PKEY  *pkey;

    crypto = gs_sign_crypto_create(&gs_mem_libc);

    if (crypto == NULL) {
        return 1;
    }

    bench_absent();
    bench_scheme("x_tif", GS_SIGN_TIF, GS_SIGN_SHA256, NULL, 100000);
    bench_scheme("x_tif_sm3", GS_SIGN_TIF, GS_SIGN_SM3, NULL, 100000);
    bench_scheme("gjzwfwpt", GS_SIGN_GJZWFWPT, GS_SIGN_HMAC_SHA256, NULL,
                 100000);
    bench_scheme("x_bg_hmac", GS_SIGN_XBG, GS_SIGN_HMAC_SHA256, NULL, 100000);
    bench_scheme("sigv4", GS_SIGN_SIGV4, GS_SIGN_HMAC_SHA256, NULL, 50000);
    bench_scheme("rfc9421_hmac", GS_SIGN_RFC9421, GS_SIGN_HMAC_SHA256, NULL,
                 100000);
    bench_scheme("govhmac", GS_SIGN_GOVHMAC, GS_SIGN_HMAC_SHA256, NULL,
                 100000);
    bench_scheme("govhmac_sm3", GS_SIGN_GOVHMAC, GS_SIGN_HMAC_SM3, NULL,
                 100000);

    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    bench_scheme("rfc9421_ed25519", GS_SIGN_RFC9421, GS_SIGN_ED25519, pkey,
                 2000);
    EVP_PKEY_free(pkey);

    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    bench_scheme("rfc9421_ecdsa", GS_SIGN_RFC9421, GS_SIGN_ECDSA_P256, pkey,
                 2000);
    EVP_PKEY_free(pkey);

    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 2048);
    bench_scheme("rfc9421_rsa_pss", GS_SIGN_RFC9421, GS_SIGN_RSA_PSS, pkey,
                 2000);
    EVP_PKEY_free(pkey);

    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    bench_scheme("rfc9421_sm2", GS_SIGN_RFC9421, GS_SIGN_SM2, pkey, 500);
    EVP_PKEY_free(pkey);

    bench_nonce();
    gs_sign_crypto_destroy(crypto);

    return 0;
}


static double
bench_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static void
bench_report(const char *name, double seconds, unsigned n)
{
    printf("apps.%s\t%.3f\tus\n", name, seconds / n * 1e6);
}


static void
bench_scheme(const char *name, gs_sign_scheme_e scheme, gs_sign_alg_e alg,
    EVP_PKEY *pkey, unsigned rounds)
{
    size_t             i, n;
    double             start;
    unsigned           k;
    gs_arena_t        *arena;
    gs_sign_key_t      key;
    gs_sign_cred_t     cred;
    gs_sign_header_t   headers[BENCH_HEADERS], add[GS_SIGN_MAX_ADD];
    gs_sign_request_t  r;

    arena = gs_arena_create(&gs_mem_libc);
    memset(&r, 0, sizeof(r));
    memset(&key, 0, sizeof(key));
    memset(&cred, 0, sizeof(cred));

    r.method = gs_str_text("GET");
    r.target = gs_str_text("/open-api/items/list?region=440000&page=2&size=20");
    r.host = gs_str_text("gw.gov.example");
    r.headers = headers;

    for (i = 0; i < sizeof(bench_headers) / sizeof(bench_headers[0]); i++) {
        headers[i].name = gs_str_text(bench_headers[i][0]);
        headers[i].value = gs_str_text(bench_headers[i][1]);
    }

    r.n = i;
    key.alg = alg;
    key.pkey = pkey;
    key.secret = gs_str_text("a secret of thirty-two characters");
    cred.scheme = scheme;
    cred.id = gs_str_text("partner-1");
    cred.nonce = gs_str_text("0123456789abcdef0123456789abcdef");
    cred.time = 1700000000;

    if (scheme == GS_SIGN_GJZWFWPT) {
        cred.text[0] = gs_str_text("SID0001");
    }

    if (arena == NULL
        || gs_sign_make(crypto, gs_arena_mem(arena), &r, &cred, &key, add, &n)
           != GS_SIGN_OK)
    {
        abort();
    }

    for (i = 0; i < n; i++) {
        headers[r.n++] = add[i];
    }

    start = bench_now();

    for (k = 0; k < rounds; k++) {
        if (gs_sign_find(&r, (1u << GS_SIGN_SCHEMES) - 1, &cred) != GS_SIGN_OK
            || gs_sign_verify(crypto, &r, &cred, &key) != GS_SIGN_OK)
        {
            abort();
        }
    }

    bench_report(name, bench_now() - start, rounds);
    gs_arena_destroy(arena);
}


/* What a request without a signature pays: the names of its headers. */

static void
bench_absent(void)
{
    size_t             i;
    double             start;
    unsigned           k, found;
    gs_str_t           names[10];
    static const char  lower[10][16] = {
        "host", "user-agent", "accept", "accept-encoding", "accept-language",
        "content-type", "cookie", "x-request-id", "traceparent", "x-channel"
    };

    for (i = 0; i < 10; i++) {
        names[i] = gs_str_make(lower[i], strnlen(lower[i], 16));
    }

    found = 0;
    start = bench_now();

    for (k = 0; k < 200000; k++) {
        for (i = 0; i < 10; i++) {
            if (names[i].data[0] == 'x' || names[i].data[0] == 'a'
                || names[i].data[0] == 's' || names[i].data[0] == 'g')
            {
                found += (unsigned) gs_sign_is_header(&names[i]);
            }
        }
    }

    bench_report("no_signature", bench_now() - start, 200000 + found);
}


static void
bench_nonce(void)
{
    void        *memory;
    double       start;
    unsigned     k, n;
    gs_str_t     app, nonce;
    gs_nonce_t   store;
    gs_uchar_t   random[16] = "bench";

    memory = aligned_alloc(64, BENCH_NONCES);

    if (memory == NULL) {
        abort();
    }

    memset(memory, 0, BENCH_NONCES);
    (void) gs_nonce_create(&store, memory, BENCH_NONCES, random);

    app = gs_str_text("partner-1");
    nonce = gs_str_make(&k, sizeof(k));
    n = 1000000;
    start = bench_now();

    for (k = 0; k < n; k++) {
        if (gs_nonce_insert(&store, &app, &nonce, 1700000600, 1700000000)
            == GS_DECLINED)
        {
            abort();
        }
    }

    bench_report("nonce", bench_now() - start, n);
    free(memory);
}
