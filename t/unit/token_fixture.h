
/*
 * Copyright (C) govsvc authors
 *
 * One issuer with all keys, and the check of one token against it: for the
 * tests of token/.
 */


#ifndef _TOKEN_FIXTURE_H_INCLUDED_
#define _TOKEN_FIXTURE_H_INCLUDED_


#include "tap.h"
#include "token_sign.h"
#include "token/gs_token_check.h"


#define NOW  1700000000
#define GOOD_CLAIMS  "\"iss\":\"https://sso.gov.example\",\"sub\":\"u1001\"," \
    "\"aud\":\"portal\",\"iat\":1699999000,\"exp\":1700003600"
#define GOOD  "{" GOOD_CLAIMS "}"


static gs_token_verifier_t      *v;
static gs_token_issuer_t         issuer;
static const gs_token_issuer_t  *list[2] = { &issuer, NULL };
static gs_token_policy_t         policy;
static gs_token_verdict_t        verdict;
static gs_str_t                  audience[2];


/* RFC 7515 A.3 */

static const char  jwks_ec[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";


static inline void
load_keys(gs_token_issuer_t *is, const char *jwks)
{
    gs_err_t  err;
    gs_str_t  s;

    memset(&err, 0, sizeof(err));
    s = gs_str_text(jwks);
    is->keys = gs_token_keys_load(&gs_mem_libc, &s, &err);

    if (is->keys == NULL) {
        sign_die(err.text);
    }
}


static inline void
setup(void)
{
    sign_init();

    v = gs_token_verifier_create(&gs_mem_libc);

    gs_token_issuer_init(&issuer);
    load_keys(&issuer, sign_jwks);

    audience[0] = gs_str_text("portal");
    audience[1] = gs_str_text("api");

    issuer.iss = gs_str_text("https://sso.gov.example");
    issuer.audience = audience;
    issuer.naudience = 2;

    policy.issuers = list;
    policy.n = 1;
    policy.max_len = GS_TOKEN_MAX_LEN;
}


static inline void
done(void)
{
    gs_token_keys_destroy(issuer.keys);
    gs_token_verifier_destroy(v);
    sign_done();
}


/* From memory of exactly its size, so that ASan sees a byte too far. */

static inline gs_token_reason_e
check(gs_str_t token)
{
    char               *p;
    gs_str_t            s;
    gs_token_reason_e   reason;

    p = malloc(token.len ? token.len : 1);
    memcpy(p, token.data, token.len);
    s = gs_str_make(p, token.len);

    reason = gs_token_check(v, &policy, &s, NOW, &verdict);
    free(p);

    return reason;
}


static inline void
refuses(gs_token_reason_e want, const char *header, const char *payload,
    const char *name)
{
    gs_str_t           token;
    gs_token_reason_e  got;

    token = sign_token(GS_TOKEN_ES256, header, payload);
    got = check(token);

    ok(got == want, "%s: %s, wanted %s", name, gs_token_reason_name(got),
       gs_token_reason_name(want));
    is_int(verdict.reason, got, "also in the verdict");
}


#endif /* _TOKEN_FIXTURE_H_INCLUDED_ */
