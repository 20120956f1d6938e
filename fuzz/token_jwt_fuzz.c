
/*
 * Copyright (C) govsvc authors
 *
 * A compact token from a client, with and without the cache: no input is
 * good, since nobody has the private keys, and both ways agree.
 */


#include <stdlib.h>

#include "token/gs_token_cache.h"


#define FUZZ_CACHE  131072


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void fuzz_init(void);


/* RFC 7515 A.3, RFC 8037 A.2, GM/T 0003.5 */

static const char  fuzz_jwks[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"d\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
    "{\"kty\":\"EC\",\"crv\":\"SM2\",\"kid\":\"s\","
    "\"x\":\"CfnfMR5UIaFQ3X0WHkvFxnIXn60YM_wHa7CP81bzUCA\","
    "\"y\":\"zOpJDOJndaUtxupxjMGqYArtBfvzXghKZjL2By2prRM\"}]}";


static gs_token_verifier_t      *verifier;
static gs_token_issuer_t         issuer;
static const gs_token_issuer_t  *list[1] = { &issuer };
static gs_token_policy_t         policy;
static gs_token_cache_t          cache;


static void
fuzz_init(void)
{
    void              *memory;
    gs_str_t           s;
    const gs_uchar_t   random[16] = "fuzz";

    verifier = gs_token_verifier_create(&gs_mem_libc);
    gs_token_issuer_init(&issuer);

    s = gs_str_text(fuzz_jwks);
    issuer.keys = gs_token_keys_load(&gs_mem_libc, &s, NULL);

    policy.issuers = list;
    policy.n = 1;
    policy.max_len = GS_TOKEN_MAX_LEN;

    memory = aligned_alloc(64, FUZZ_CACHE);

    if (verifier == NULL || issuer.keys == NULL || memory == NULL) {
        abort();
    }

    (void) gs_token_issuer_seal(&issuer, gs_token_verifier_crypto(verifier));
    (void) gs_token_policy_seal(&policy, gs_token_verifier_crypto(verifier));

    memset(memory, 0, FUZZ_CACHE);
    (void) gs_token_cache_create(&cache, memory, FUZZ_CACHE, 0, random);
    cache.pid = 1;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                  i;
    gs_str_t             token;
    gs_token_ask_t       ask;
    gs_token_reason_e    reason;
    gs_token_verdict_t   verdict;

    if (verifier == NULL) {
        fuzz_init();
    }

    token = gs_str_make(data, size);
    reason = gs_token_check(verifier, &policy, &token, 1700000000, &verdict);

    if (reason == GS_TOKEN_OK || reason != verdict.reason) {
        abort();
    }

    ask.token = token;
    ask.client = gs_str_make(NULL, 0);
    ask.now = 1700000000000;

    for (i = 0; i < 2; i++) {
        if (gs_token_cache_check(&cache, verifier, &policy, &ask, &verdict)
            != reason)
        {
            abort();
        }
    }

    (void) gs_token_check_signature(verifier, &policy, &token);

    return 0;
}
