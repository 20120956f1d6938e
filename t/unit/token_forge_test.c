
/*
 * Copyright (C) govsvc authors
 *
 * Forged tokens: signatures of Ed25519 that are not the only ones (RFC 8032
 * section 8.4), points of small order in key and signature, and every form of a
 * public key as the secret of a MAC.
 */


#include "token_fixture.h"

#include <openssl/pem.h>
#include <openssl/x509.h>


#define POINTS  7


static void test_points(void);
static void test_above_order(void);
static void test_small_order(void);
static void test_secrets(void);
static void with_secret(const void *data, size_t len, const char *name);
static size_t forged(const char *alg, const EVP_MD *md, const char *kid,
    const void *data, size_t len);
static gs_token_reason_e with_signature(const unsigned char *sig);


/* L of RFC 8032 section 5.1, the end of S first */

static const unsigned char  order[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2,
    0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10
};


/* y of the points whose order divides 8; then y + p, where that fits */

static unsigned char  points[POINTS][32] = {
    { 0 },
    { 1 },
    { 0xec }, { 0xed }, { 0xee },
    { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89,
      0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
      0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
    { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76,
      0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
      0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a }
};


static gs_str_t  token;


int
main(void)
{
    int  i;

    setup();

    for (i = 2; i < 5; i++) {
        memset(points[i] + 1, 0xff, 30);
        points[i][31] = 0x7f;
    }

    token = sign_token(GS_TOKEN_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}",
                       GOOD);
    is_int(check(token), GS_TOKEN_OK, "a good one");

    test_points();
    test_above_order();
    test_small_order();
    test_secrets();

    is_int(check(token), GS_TOKEN_OK, "a good one still passes");

    done();

    return done_testing();
}


/* As keys: under these anybody can sign. */

static void
test_points(void)
{
    int               i, sign;
    char              x[64], text[256];
    gs_err_t          err;
    gs_str_t          s;
    unsigned char     y[32];
    gs_token_keys_t  *keys;

    for (i = 0; i < POINTS; i++) {
        for (sign = 0; sign < 2; sign++) {
            memcpy(y, points[i], 32);
            y[31] |= (unsigned char) (sign << 7);

            (void) sign_b64(x, y, 32);
            (void) snprintf(text, sizeof(text), "{\"keys\":[{\"kty\":\"OKP\","
                            "\"crv\":\"Ed25519\",\"x\":\"%s\"}]}", x);

            s = gs_str_text(text);
            memset(&err, 0, sizeof(err));
            keys = gs_token_keys_load(&gs_mem_libc, &s, &err);

            ok(keys == NULL && strstr(err.text, "small order") != NULL,
               "no key: %s", x);
            gs_token_keys_destroy(keys);
        }
    }
}


/* S + k * L is the same number to who does not look, RFC 8032 5.1.7. */

static void
test_above_order(void)
{
    int            k, i, carry;
    size_t         len;
    gs_str_t       last;
    unsigned char  sig[64];

    last = gs_str_make(token.data + token.len - 86, 86);

    if (gs_b64url_decode(sig, &len, &last) != GS_OK || len != 64) {
        sign_die("no signature");
    }

    is_int(with_signature(sig), GS_TOKEN_OK, "as it was");

    for (k = 1; k < 15; k++) {
        for (i = 0, carry = 0; i < 32; i++) {
            carry += sig[32 + i] + order[i];
            sig[32 + i] = (unsigned char) carry;
            carry >>= 8;
        }

        is_int(with_signature(sig), GS_TOKEN_BAD_SIGNATURE, "S + %d L", k);
    }
}


/* R of small order: then S is the hash of the message times the secret. */

static void
test_small_order(void)
{
    int            i, sign, s;
    unsigned       passed;
    unsigned char  sig[64];

    passed = 0;

    for (i = 0; i < POINTS; i++) {
        for (sign = 0; sign < 2; sign++) {
            for (s = 0; s < 4; s++) {
                memset(sig, 0, sizeof(sig));
                memcpy(sig, points[i], 32);
                sig[31] |= (unsigned char) (sign << 7);

                if (s < 2) {
                    sig[32] = (unsigned char) s;

                } else {
                    memcpy(sig + 32, order, 32);
                    sig[32] = (unsigned char) (sig[32] + s - 3);
                }

                passed += (with_signature(sig) == GS_TOKEN_OK);
            }
        }
    }

    is_int(passed, 0, "no signature of small order passes");
}


static gs_token_reason_e
with_signature(const unsigned char *sig)
{
    static char  text[4096];

    memcpy(text, token.data, token.len);
    (void) sign_b64(text + token.len - 86, sig, 64);

    return check(gs_str_make(text, token.len));
}


/* Public keys as whatever a library may have made of them. */

static void
test_secrets(void)
{
    BIO              *bio;
    char             *pem;
    size_t            len;
    unsigned          i;
    gs_err_t          err;
    gs_str_t          s;
    unsigned char    *der, raw[256];
    gs_token_keys_t  *keys;

    static const struct {
        gs_token_alg_e  alg;
        const char     *name;
    } kinds[] = {
        { GS_TOKEN_RS256, "RSA" }, { GS_TOKEN_ES256, "P-256" },
        { GS_TOKEN_EDDSA, "Ed25519" }, { GS_TOKEN_SM2, "SM2" }
    };

    issuer.algs = GS_TOKEN_PUBLIC_ALGS | GS_TOKEN_SECRET_ALGS;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        der = NULL;
        len = (size_t) i2d_PUBKEY(sign_pkey[kinds[i].alg], &der);
        with_secret(der, len, kinds[i].name);
        OPENSSL_free(der);

        bio = BIO_new(BIO_s_mem());
        (void) PEM_write_bio_PUBKEY(bio, sign_pkey[kinds[i].alg]);
        len = (size_t) BIO_get_mem_data(bio, &pem);
        with_secret(pem, len, kinds[i].name);
        with_secret(pem, len - 1, kinds[i].name);
        BIO_free(bio);
    }

    len = sizeof(raw);
    (void) EVP_PKEY_get_raw_public_key(sign_pkey[GS_TOKEN_EDDSA], raw, &len);
    with_secret(raw, len, "x of Ed25519");
    (void) EVP_PKEY_get_octet_string_param(sign_pkey[GS_TOKEN_ES256],
                                           OSSL_PKEY_PARAM_PUB_KEY, raw,
                                           sizeof(raw), &len);
    with_secret(raw, len, "the point of P-256");
    with_secret("", 0, "nothing");
    with_secret(sign_jwks, strlen(sign_jwks), "the set");

    /* such a token passes where that is the secret */

    keys = issuer.keys;
    s = gs_str_text(sign_secrets);
    issuer.keys = gs_token_keys_load_secrets(&gs_mem_libc, &s, &err);
    is_int((int64_t) forged("HS256", EVP_sha256(), "hs", sign_secret,
                            strlen(sign_secret)), 1, "the secret is one");
    gs_token_keys_destroy(issuer.keys);
    issuer.keys = keys;
    issuer.algs = GS_TOKEN_PUBLIC_ALGS;
}


static void
with_secret(const void *data, size_t len, const char *name)
{
    size_t    passed, i;
    unsigned  k;

    static const char *const  kids[] = { "rs", "es", "ed", "sm", NULL };
    static const char *const  algs[] = {
        "HS256", "HS384", "HS512", "HSM3", "RS256", "ES256", "EdDSA"
    };

    passed = 0;

    for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        for (k = 0; k < 5; k++) {
            passed += forged(algs[i], i == 1 ? EVP_sha384()
                             : i == 2 ? EVP_sha512()
                             : i == 3 ? EVP_sm3() : EVP_sha256(), kids[k],
                             data, len);
        }
    }

    is_int((int64_t) passed, 0, "%s is no secret (%zu bytes)", name, len);
}


static size_t
forged(const char *alg, const EVP_MD *md, const char *kid, const void *data,
    size_t len)
{
    char            header[128];
    size_t          n;
    unsigned        out;
    static char     text[4096];
    unsigned char   mac[64];

    (void) snprintf(header, sizeof(header), "{\"alg\":\"%s\"%s%s%s}", alg,
                    kid != NULL ? ",\"kid\":\"" : "", kid != NULL ? kid : "",
                    kid != NULL ? "\"" : "");

    n = sign_b64(text, header, strlen(header));
    text[n++] = '.';
    n += sign_b64(text + n, GOOD, strlen(GOOD));
    (void) HMAC(md, data, (int) len, (unsigned char *) text, n, mac, &out);
    text[n++] = '.';
    n += sign_b64(text + n, mac, out);

    return check(gs_str_make(text, n)) == GS_TOKEN_OK;
}
