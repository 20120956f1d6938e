
/*
 * Copyright (C) govsvc authors
 *
 * Memory that runs out within libcrypto, for one allocation and for good: a
 * token is then found good or not looked at, never bad, and a set is refused
 * without anything left behind.  Not SM2, where libcrypto 3.0 itself crashes.
 */


#include <errno.h>

#include <openssl/crypto.h>

#include "token_fixture.h"


static void *crypto_alloc(size_t size, const char *file, int line);
static void *crypto_realloc(void *p, size_t size, const char *file, int line);
static void crypto_release(void *p, const char *file, int line);
static int crypto_fails(void);
static void test_verify(gs_token_alg_e alg, const char *kid, int all);
static void test_forged(gs_token_alg_e alg, const char *kid);
static void test_load(const char *text, int secrets, int all);


static unsigned  calls;
static unsigned  fail;                     /* 0: none */
static int       for_good;


int
main(void)
{
    int               all;
    gs_str_t          s;
    gs_token_keys_t  *keys, *secrets;

    if (CRYPTO_set_mem_functions(crypto_alloc, crypto_realloc,
                                 crypto_release)
        != 1)
    {
        sign_die("libcrypto keeps its allocator");
    }

    setup();
    keys = issuer.keys;
    s = gs_str_text(sign_secrets);
    secrets = gs_token_keys_load_secrets(&gs_mem_libc, &s, NULL);

    for (all = 0; all < 2; all++) {
        test_verify(GS_TOKEN_RS256, "rs", all);
        test_verify(GS_TOKEN_PS384, "rs", all);
        test_verify(GS_TOKEN_ES256, "es", all);
        test_verify(GS_TOKEN_ES384, "e3", all);
        test_verify(GS_TOKEN_ES512, "e5", all);
        test_verify(GS_TOKEN_EDDSA, "ed", all);
        issuer.keys = secrets;
        issuer.algs = GS_TOKEN_SECRET_ALGS;
        test_verify(GS_TOKEN_HS256, "hs", all);
        issuer.keys = keys;
        issuer.algs = GS_TOKEN_PUBLIC_ALGS;

        test_load(sign_jwks, 0, all);
        test_load(sign_secrets, 1, all);
    }

    test_forged(GS_TOKEN_EDDSA, "ed");
    test_forged(GS_TOKEN_ES256, "es");
    test_forged(GS_TOKEN_ES384, "e3");

    gs_token_keys_destroy(secrets);
    done();

    return done_testing();
}


static int
crypto_fails(void)
{
    calls++;

    if (fail == 0 || calls < fail || (calls > fail && !for_good)) {
        return 0;
    }

    /* as malloc() does */

    errno = ENOMEM;

    return 1;
}


static void *
crypto_alloc(size_t size, const char *file, int line)
{
    return crypto_fails() ? NULL : malloc(size);
}


static void *
crypto_realloc(void *p, size_t size, const char *file, int line)
{
    return crypto_fails() ? NULL : realloc(p, size);
}


static void
crypto_release(void *p, const char *file, int line)
{
    free(p);
}


static void
test_verify(gs_token_alg_e alg, const char *kid, int all)
{
    char               header[128];
    unsigned           n, wrong, denied;
    gs_str_t           token;
    gs_token_reason_e  reason;

    (void) snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}",
                    gs_token_alg_name(alg), kid);
    token = sign_token(alg, header, GOOD);

    /* what libcrypto makes on first use is made */

    is_int(check(token), GS_TOKEN_OK, "%s", gs_token_alg_name(alg));

    for_good = all;
    wrong = 0;
    denied = 0;

    for (n = 1; n < 10000; n++) {
        calls = 0;
        fail = n;
        reason = check(token);
        fail = 0;

        if (calls < n) {
            break;
        }

        denied += (reason == GS_TOKEN_NO_MEMORY);
        wrong += (reason != GS_TOKEN_NO_MEMORY && reason != GS_TOKEN_OK);
    }

    ok(wrong == 0,
       "%s, %s: not taken for bad (%u allocations, %u denied, %u wrong)",
       gs_token_alg_name(alg), all ? "for good" : "once", n - 1, denied,
       wrong);
    is_int(check(token), GS_TOKEN_OK, "and works afterwards");
}


/* A forged one must not pass either. */

static void
test_forged(gs_token_alg_e alg, const char *kid)
{
    char               header[128], bad[4096];
    unsigned           n, passed;
    gs_str_t           token;
    gs_token_reason_e  reason;

    (void) snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}",
                    gs_token_alg_name(alg), kid);
    token = sign_token(alg, header, GOOD);
    memcpy(bad, token.data, token.len);
    bad[token.len - 20] = bad[token.len - 20] == 'A' ? 'B' : 'A';
    token = gs_str_make(bad, token.len);

    is_int(check(token), GS_TOKEN_BAD_SIGNATURE, "forged");

    for_good = 0;
    passed = 0;

    for (n = 1; n < 10000; n++) {
        calls = 0;
        fail = n;
        reason = check(token);
        fail = 0;

        if (calls < n) {
            break;
        }

        passed += (reason == GS_TOKEN_OK);
    }

    is_int(passed, 0, "forged %s never passes", gs_token_alg_name(alg));
}


static void
test_load(const char *text, int secrets, int all)
{
    unsigned          n, silent;
    gs_err_t          err;
    gs_str_t          s;
    gs_token_keys_t  *keys;

    s = gs_str_text(text);
    for_good = all;
    silent = 0;

    for (n = 1; n < 100000; n++) {
        memset(&err, 0, sizeof(err));
        calls = 0;
        fail = n;
        keys = secrets ? gs_token_keys_load_secrets(&gs_mem_libc, &s, &err)
                       : gs_token_keys_load(&gs_mem_libc, &s, &err);
        fail = 0;

        silent += (keys == NULL && err.text[0] == '\0');
        gs_token_keys_destroy(keys);

        if (calls < n) {
            break;
        }
    }

    is_int(silent, 0, "a set, %s: %u allocations failed, none in silence",
           all ? "for good" : "once", n - 1);
}
