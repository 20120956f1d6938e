
/*
 * Copyright (C) govsvc authors
 *
 * Tokens of our own: each kind of key, verified by our own verifier; keys that
 * are refused; memory that is out.
 */


#include <openssl/pem.h>

#include "token/gs_token_check.h"
#include "token/gs_token_signer.h"
#include "tap.h"


#define CLAIMS  "{\"iss\":\"gw\",\"sub\":\"u\",\"exp\":2000000000}"


static gs_str_t pem_of(EVP_PKEY *pkey);
static void round_trip(gs_str_t pem, gs_token_alg_e alg);
static void thumbprint(void);
static void refused(gs_str_t ed);
static void memory(gs_str_t pem);


static char  room[8][4096];
static int   rooms;


int
main(void)
{
    gs_str_t  ed, es, sm;

    ed = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    es = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
    sm = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "SM2"));

    round_trip(ed, GS_TOKEN_EDDSA);
    round_trip(es, GS_TOKEN_ES256);
    round_trip(sm, GS_TOKEN_SM2);
    thumbprint();
    refused(ed);
    memory(es);

    return done_testing();
}


static gs_str_t
pem_of(EVP_PKEY *pkey)
{
    BIO   *bio;
    char  *p;
    long   n;

    bio = BIO_new(BIO_s_mem());
    (void) PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    n = BIO_get_mem_data(bio, &p);

    memcpy(room[rooms], p, (size_t) n);
    BIO_free(bio);
    EVP_PKEY_free(pkey);

    return gs_str_make(room[rooms++], (size_t) n);
}


static void
round_trip(gs_str_t pem, gs_token_alg_e alg)
{
    char                      set[1024], token[GS_TOKEN_SIGNER_MAX];
    gs_err_t                  err;
    gs_buf_t                  b;
    gs_str_t                  kid, payload, text, tok;
    gs_token_issuer_t         issuer;
    gs_token_policy_t         policy;
    gs_token_signer_t        *s;
    gs_token_verdict_t        verdict;
    gs_token_verifier_t      *v;
    const gs_token_issuer_t  *issuers[1];

    kid = gs_str_text("our.key:1");
    s = gs_token_signer_create(&gs_mem_libc, &pem, alg, &kid, &err);

    ok(s != NULL, "%s: a signer", gs_token_alg_name(alg));

    gs_buf_init(&b, set, sizeof(set));
    gs_buf_text(&b, "{\"keys\":[");
    gs_token_signer_jwk(s, &b);
    gs_buf_text(&b, "]}");
    text = gs_buf_view(&b);

    payload = gs_str_text(CLAIMS);
    gs_buf_init(&b, token, sizeof(token));

    ok(gs_token_signer_sign(s, &payload, &b) == GS_OK, "signed");
    tok = gs_buf_view(&b);

    v = gs_token_verifier_create(&gs_mem_libc);
    gs_token_issuer_init(&issuer);
    issuer.iss = gs_str_text("gw");
    issuer.max_lifetime = 0;
    issuer.algs = 1u << alg;
    issuer.keys = gs_token_keys_load(&gs_mem_libc, &text, &err);

    ok(issuer.keys != NULL && issuer.keys->n == 1, "our JWK is one");

    (void) gs_token_issuer_seal(&issuer, gs_token_verifier_crypto(v));

    memset(&policy, 0, sizeof(policy));
    issuers[0] = &issuer;
    policy.issuers = issuers;
    policy.n = 1;
    policy.max_len = GS_TOKEN_MAX_LEN;
    (void) gs_token_policy_seal(&policy, gs_token_verifier_crypto(v));

    is_int(gs_token_check(v, &policy, &tok, 1999999990, &verdict),
           GS_TOKEN_OK, "verified");

    token[tok.len / 2] ^= 1;
    ok(gs_token_check(v, &policy, &tok, 1999999990, &verdict) != GS_TOKEN_OK,
       "and not when changed");

    payload.len = GS_TOKEN_SIGNER_PAYLOAD + 1;
    ok(gs_token_signer_sign(s, &payload, &b) == GS_ERROR, "too long");

    payload = gs_str_text(CLAIMS);
    gs_buf_init(&b, token, 20);
    ok(gs_token_signer_sign(s, &payload, &b) == GS_ERROR, "no room");

    gs_token_keys_destroy(issuer.keys);
    gs_token_verifier_destroy(v);
    gs_token_signer_destroy(s);
}


/* RFC 8037 appendix A.1 and A.3 */

static void
thumbprint(void)
{
    gs_err_t            err;
    gs_str_t            none, s;
    gs_token_signer_t  *signer;
    static const char   pem[] =
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
        "-----END PRIVATE KEY-----\n";

    none = gs_str_make(NULL, 0);
    s = gs_str_text(pem);
    signer = gs_token_signer_create(&gs_mem_libc, &s, GS_TOKEN_ALG_UNKNOWN,
                                    &none, &err);

    ok(signer != NULL, "the key of RFC 8037");
    is_str(gs_token_signer_kid(signer),
           "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "its thumbprint");

    gs_token_signer_destroy(signer);
}


static void
refused(gs_str_t ed)
{
    size_t              i;
    gs_err_t            err;
    gs_str_t            s, kid, none, rsa, p384;
    static const char  *kids[] = { "a b", "a\"b", "a/b", "\xe4\xbd\xa0" };

    none = gs_str_make(NULL, 0);
    rsa = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 2048));
    p384 = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"));

    ok(gs_token_signer_create(&gs_mem_libc, &rsa, GS_TOKEN_ALG_UNKNOWN, &none,
                              &err) == NULL, "RSA: %s", err.text);
    ok(gs_token_signer_create(&gs_mem_libc, &p384, GS_TOKEN_ALG_UNKNOWN,
                              &none, &err) == NULL, "P-384: %s", err.text);
    ok(gs_token_signer_create(&gs_mem_libc, &ed, GS_TOKEN_ES256, &none,
                              &err) == NULL, "%s", err.text);

    s = gs_str_text("no key");
    ok(gs_token_signer_create(&gs_mem_libc, &s, GS_TOKEN_ALG_UNKNOWN, &none,
                              &err) == NULL, "%s", err.text);

    for (i = 0; i < ed.len; i += 7) {
        s = gs_str_make(ed.data, i);

        if (gs_token_signer_create(&gs_mem_libc, &s, GS_TOKEN_ALG_UNKNOWN,
                                   &none, &err)
            != NULL)
        {
            break;
        }
    }

    ok(i >= ed.len, "half a key");

    for (i = 0; i < sizeof(kids) / sizeof(kids[0]); i++) {
        kid = gs_str_text(kids[i]);
        ok(gs_token_signer_create(&gs_mem_libc, &ed, GS_TOKEN_ALG_UNKNOWN,
                                  &kid, &err) == NULL, "kid %zu", i);
    }
}


static void
memory(gs_str_t pem)
{
    unsigned            n;
    gs_err_t            err;
    gs_str_t            none;
    gs_token_signer_t  *s;

    none = gs_str_make(NULL, 0);

    for (n = 1; ; n++) {
        s = gs_token_signer_create(tap_mem_fail(n), &pem,
                                   GS_TOKEN_ALG_UNKNOWN, &none, &err);

        if (!tap_mem_failed()) {
            ok(s != NULL, "with memory");
            gs_token_signer_destroy(s);
            break;
        }

        ok(s == NULL && err.text[0] != '\0', "allocation %u failed", n);
        is_int(tap_mem_live(), 0, "nothing is left");
    }
}
