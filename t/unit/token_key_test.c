
/*
 * Copyright (C) govsvc authors
 *
 * JWK sets: what is taken, skipped and refused, with line and pointer, and
 * every allocation failing once.
 */


#include "tap.h"
#include "token_sign.h"
#include "token/gs_token_key.h"
#include "token/gs_token_sig.h"

#include <jansson.h>
#include <openssl/bn.h>


typedef struct {
    const char  *jwk;
    const char  *text;                     /* NULL: skipped */
    const char  *pointer;
} key_case_t;


static gs_token_keys_t *load(const char *text, gs_err_t *err);
static void test_set(void);
static void test_refused(void);
static void test_cases(void);
static void test_rsa(void);
static void rsa_case(const BIGNUM *n, const char *e, const char *want,
    const char *name);
static void test_sm2_vector(void);
static void test_memory(void);
static void *json_fail_alloc(size_t size);


static unsigned  json_count, json_fail;


#define KEY_EC  "\"kty\":\"EC\",\"crv\":\"P-256\"," \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""


static const key_case_t  cases[] = {
    { KEY_EC ",\"use\":\"enc\"", NULL, NULL },
    { KEY_EC ",\"key_ops\":[\"encrypt\"]", NULL, NULL },
    { KEY_EC ",\"key_ops\":[\"sign\"]", NULL, NULL },
    { KEY_EC ",\"key_ops\":[]", NULL, NULL },
    { KEY_EC ",\"alg\":\"ECDH-ES\"", NULL, NULL },
    { "\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"",
      NULL, NULL },
    { "\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"", NULL, NULL },
    { "\"kty\":\"new\"", NULL, NULL },
    { "\"kty\":\"RSA\",\"alg\":\"RSA-OAEP\"", NULL, NULL },

    { KEY_EC ",\"d\":\"AA\"", "the set holds a private or symmetric key "
      "(member \"d\")", "/keys/1/d" },
    { "\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ\"",
      "the set holds a private or symmetric key (member \"k\")",
      "/keys/1/k" },
    { "\"kid\":\"x\"", "\"kty\" must be a string", "/keys/1/kty" },
    { "\"kty\":7", "\"kty\" must be a string", "/keys/1/kty" },
    { KEY_EC ",\"use\":1", "\"use\" must be a string", "/keys/1/use" },
    { KEY_EC ",\"key_ops\":\"verify\"",
      "\"key_ops\" must be an array of strings", "/keys/1/key_ops" },
    { KEY_EC ",\"key_ops\":[1]",
      "\"key_ops\" must be an array of strings", "/keys/1/key_ops" },
    { KEY_EC ",\"alg\":\"RS256\"", "alg \"RS256\" does not fit the type "
      "of the key, allowed: ES256", "/keys/1/alg" },
    { KEY_EC ",\"alg\":\"ES384\"", "alg \"ES384\" does not fit the type "
      "of the key, allowed: ES256", "/keys/1/alg" },
    { KEY_EC ",\"alg\":\"none\"", "alg \"none\" does not fit the type "
      "of the key, allowed: ES256", "/keys/1/alg" },
    { KEY_EC ",\"alg\":null", "\"alg\" must be a string", "/keys/1/alg" },
    { KEY_EC ",\"kid\":\"first\"", "kid \"first\" stands twice in the "
      "set", "/keys/1/kid" },
    { KEY_EC ",\"kid\":\"\"", "\"kid\" has 0 bytes", "/keys/1/kid" },
    { KEY_EC ",\"kid\":5", "\"kid\" must be a string", "/keys/1/kid" },
    { "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHM"
      "zV76e8Tus9uPHvRVEU\"", "\"y\" must be a string", "/keys/1/y" },
    { "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHM"
      "zV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYj"
      "KIWI5a4\"", "x and y are no point of the curve", "/keys/1/x" },
    { "\"kty\":\"EC\",\"crv\":\"SM2\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV"
      "76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKI"
      "WI5a0\"", "x and y are no point of the curve", "/keys/1/x" },
    { "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHM"
      "zV76e8Tus9uPHvRVEX\",\"y\":\"AA\"",
      "\"x\" is no base64url without padding", "/keys/1/x" },
    { "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHM"
      "zV76e8Tus9uPHvRVEU=\",\"y\":\"AA\"",
      "\"x\" is no base64url without padding", "/keys/1/x" },
    { "\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHM"
      "zV76e8Tus9uPHvRVEU\",\"y\":\"AA\"",
      "\"x\" has 32 bytes, allowed: 48", "/keys/1/x" },
    { "\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHM"
      "zV76e8Tus9uPHvRVEU\",\"y\":\"AA\"",
      "\"x\" has 32 bytes, allowed: 66", "/keys/1/x" },
    { "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"",
      "\"x\" has 3 bytes, allowed: 32", "/keys/1/x" },
    { "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAA"
      "AAAAAAAAAAAAAAAAAAAAA\"", "x is a point of small order",
      "/keys/1/x" },
    { "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAA"
      "AAAAAAAAAAAAAAAAAAAIA\"", "x is a point of small order",
      "/keys/1/x" },
    { "\"kty\":\"RSA\",\"e\":\"AQAB\"", "\"n\" must be a string",
      "/keys/1/n" },
    { "\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"", "\"n\" has 0 characters",
      "/keys/1/n" }
};


int
main(void)
{
    sign_init();

    test_set();
    test_refused();
    test_cases();
    test_rsa();
    test_sm2_vector();
    test_memory();

    sign_done();

    return done_testing();
}


static gs_token_keys_t *
load(const char *text, gs_err_t *err)
{
    gs_str_t  s;

    memset(err, 0, sizeof(gs_err_t));
    s = gs_str_text(text);

    return gs_token_keys_load(&gs_mem_libc, &s, err);
}


static void
test_set(void)
{
    gs_err_t          err;
    gs_str_t          kid, none;
    gs_token_keys_t  *keys, *again;

    none = gs_str_text("");
    keys = load(sign_jwks, &err);

    ok(keys != NULL, "set of six: %s", err.text);
    is_int((int64_t) keys->n, 6, "six keys");
    is_int((int64_t) keys->skipped, 0, "none skipped");
    ok(keys->generation != 0, "generation");

    kid = gs_str_text("es");
    ok(gs_token_keys_find(keys, &kid, GS_TOKEN_ES256) != NULL, "by kid");
    ok(gs_token_keys_find(keys, &kid, GS_TOKEN_RS256) == NULL,
       "kid of another algorithm");
    ok(gs_token_keys_find(keys, &none, GS_TOKEN_SM2) != NULL,
       "no kid, one key of the algorithm");
    kid = gs_str_text("../../../../dev/null");
    ok(gs_token_keys_find(keys, &kid, GS_TOKEN_ES256) == NULL, "unknown kid");

    again = load(sign_jwks, &err);
    ok(again->generation == keys->generation, "same text, same generation");
    gs_token_keys_destroy(again);

    again = load("{\"keys\":[{" KEY_EC "},{" KEY_EC ",\"kid\":\"b\"}]}",
                 &err);
    ok(again != NULL, "one key with kid, one without");
    ok(again->generation != keys->generation, "other text, other generation");
    ok(gs_token_keys_find(again, &none, GS_TOKEN_ES256) == NULL,
       "no kid, two keys");
    gs_token_keys_destroy(again);

    gs_token_keys_destroy(keys);
    gs_token_keys_destroy(NULL);
}


static void
test_refused(void)
{
    char             *big;
    size_t            i;
    gs_err_t          err;
    gs_str_t          s;
    gs_token_keys_t  *keys;

    static const struct {
        const char  *text;
        const char  *want;
        unsigned     line;
    } sets[] = {
        { "{\"keys\": [\n{\"kty\": }\n]}", "the JWK set is no JSON: ", 2 },
        { "{\"keys\": [],\n\"keys\": []}", "the JWK set is no JSON: ", 2 },
        { "[]", "the JWK set has no array \"keys\"", 1 },
        { "{}", "the JWK set has no array \"keys\"", 1 },
        { "{\"keys\": {}}", "the JWK set has no array \"keys\"", 1 },
        { "{\"keys\": []}", "the JWK set has no usable key (0 skipped)", 0 },
        { "{\"keys\": [{\"kty\":\"X\"}]}", "the JWK set has no usable key "
          "(1 skipped)", 0 },
        { "{\"keys\": [\n\n7]}", "a key must be an object", 3 },
        { "", "the JWK set is no JSON: ", 1 }
    };

    for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        keys = load(sets[i].text, &err);
        ok(keys == NULL, "set %zu is refused", i);
        ok(strncmp(err.text, sets[i].want, strlen(sets[i].want)) == 0,
           "because: %s", err.text);
        is_int(err.line, sets[i].line, "its line");
    }

    big = calloc(1, GS_TOKEN_KEYS_MAX_TEXT + 1);
    s = gs_str_make(big, GS_TOKEN_KEYS_MAX_TEXT + 1);
    memset(&err, 0, sizeof(err));
    ok(gs_token_keys_load(&gs_mem_libc, &s, &err) == NULL, "too large");
    ok(strstr(err.text, "262145 bytes") != NULL, "says how large");
    ok(gs_token_keys_load(&gs_mem_libc, &s, NULL) == NULL, "err may be NULL");
    free(big);

    big = malloc(65 * 8 + 64);
    strcpy(big, "{\"keys\":[1");

    for (i = 0; i < 64; i++) {
        strcat(big, ",1");
    }

    strcat(big, "]}");
    ok(load(big, &err) == NULL, "65 keys");
    ok(strstr(err.text, "65 keys") != NULL, "says how many");
    free(big);
}


static void
test_cases(void)
{
    char              text[4096];
    size_t            i;
    gs_err_t          err;
    gs_token_keys_t  *keys;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void) snprintf(text, sizeof(text), "{\"keys\": [\n{" KEY_EC
                        ",\"kid\":\"first\"},\n{%s}\n]}", cases[i].jwk);

        keys = load(text, &err);

        if (cases[i].text == NULL) {
            ok(keys != NULL && keys->n == 1 && keys->skipped == 1,
               "case %zu is skipped (%s)", i, err.text);

        } else {
            ok(keys == NULL, "case %zu is refused", i);
            ok(strncmp(err.text, cases[i].text, strlen(cases[i].text)) == 0,
               "because: %s", err.text);
            is_str(gs_str_text(err.pointer), cases[i].pointer, "pointer");
            is_int(err.line, 3, "line");
        }

        gs_token_keys_destroy(keys);
    }

    keys = load("{\"keys\":[{" KEY_EC ",\"use\":\"sig\",\"alg\":\"ES256\","
                "\"key_ops\":[\"sign\",\"verify\"],\"x5t\":\"abc\"}]}", &err);
    ok(keys != NULL && keys->n == 1, "everything right, and more: %s",
       err.text);
    gs_token_keys_destroy(keys);
}


static void
test_rsa(void)
{
    BIGNUM    *n, *m, *r;
    BN_CTX    *ctx;
    unsigned   p;

    ctx = BN_CTX_new();
    n = BN_new();
    m = BN_new();
    r = BN_new();

    (void) BN_set_bit(n, 1023);
    (void) BN_set_bit(n, 0);
    rsa_case(n, "AQAB", "too few or too many bits", "1024 bits");

    BN_zero(n);
    (void) BN_set_bit(n, 8192);
    (void) BN_set_bit(n, 0);
    rsa_case(n, "AQAB", "more than 8192 bits", "8193 bits");

    BN_zero(n);
    (void) BN_set_bit(n, 2047);
    rsa_case(n, "AQAB", "the RSA modulus is even", "even");

    (void) BN_set_bit(n, 0);
    rsa_case(n, "AQ", "the RSA exponent is even or below 65537", "e = 1");
    rsa_case(n, "Aw", "the RSA exponent is even or below 65537", "e = 3");
    rsa_case(n, "AQAA", "the RSA exponent is even or below 65537", "e even");
    rsa_case(n, "AQAAAAAAAAAB", "an exponent of more than 64", "e of 72 bits");

    /* n = 65537^17 modulo the small primes, which is all that counts */

    (void) BN_one(m);

    for (p = 2; p <= 167; p++) {
        BN_ULONG  d;

        for (d = 2; d * d <= p && p % d; d++) {
            /* void */
        }

        if (d * d > p) {
            (void) BN_mul_word(m, p);
        }
    }

    (void) BN_set_word(r, 65537);
    (void) BN_set_word(n, 17);
    (void) BN_mod_exp(r, r, n, m, ctx);

    BN_zero(n);
    (void) BN_set_bit(n, 2047);
    (void) BN_div(n, NULL, n, m, ctx);
    (void) BN_add_word(n, 2);
    (void) BN_mul(n, n, m, ctx);
    (void) BN_add(n, n, r);
    rsa_case(n, "AQAB", "the RSA key is of the ROCA kind", "ROCA");

    BN_free(n);
    BN_free(m);
    BN_free(r);
    BN_CTX_free(ctx);
}


static void
rsa_case(const BIGNUM *n, const char *e, const char *want, const char *name)
{
    char              b64[1500], text[2048];
    gs_err_t          err;
    unsigned char     buf[1100];
    gs_token_keys_t  *keys;

    (void) sign_b64(b64, buf, (size_t) BN_bn2bin(n, buf));
    (void) snprintf(text, sizeof(text), "{\"keys\":[{\"kty\":\"RSA\","
                    "\"n\":\"%s\",\"e\":\"%s\"}]}", b64, e);

    keys = load(text, &err);
    ok(keys == NULL, "RSA, %s", name);
    ok(strstr(err.text, want) != NULL, "because: %s", err.text);
    gs_token_keys_destroy(keys);
}


/* GM/T 0003.5-2012, annex A.2: the signature of "message digest". */

static void
test_sm2_vector(void)
{
    size_t              i;
    gs_err_t            err;
    gs_str_t            id, none, input, sig;
    gs_token_keys_t    *keys;
    gs_token_crypto_t  *crypto;

    static const gs_uchar_t  rs[64] = {
        0xf5, 0xa0, 0x3b, 0x06, 0x48, 0xd2, 0xc4, 0x63,
        0x0e, 0xea, 0xc5, 0x13, 0xe1, 0xbb, 0x81, 0xa1,
        0x59, 0x44, 0xda, 0x38, 0x27, 0xd5, 0xb7, 0x41,
        0x43, 0xac, 0x7e, 0xac, 0xee, 0xe7, 0x20, 0xb3,
        0xb1, 0xb6, 0xaa, 0x29, 0xdf, 0x21, 0x2f, 0xd8,
        0x76, 0x31, 0x82, 0xbc, 0x0d, 0x42, 0x1c, 0xa1,
        0xbb, 0x90, 0x38, 0xfd, 0x1f, 0x7f, 0x42, 0xd4,
        0x84, 0x0b, 0x69, 0xc4, 0x85, 0xbb, 0xc1, 0xaa
    };
    static const char        jwk[] =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"SM2\","
        "\"x\":\"CfnfMR5UIaFQ3X0WHkvFxnIXn60YM_wHa7CP81bzUCA\","
        "\"y\":\"zOpJDOJndaUtxupxjMGqYArtBfvzXghKZjL2By2prRM\"}]}";

    gs_uchar_t  der[72];

    keys = load(jwk, &err);
    crypto = gs_token_crypto_create(&gs_mem_libc);
    ok(keys != NULL && crypto != NULL, "key of the standard: %s", err.text);

    id = gs_str_text(GS_TOKEN_SM2_ID);
    none = gs_str_text("");
    input = gs_str_text("message digest");
    sig = gs_str_make(rs, 64);

    is_int(gs_token_sig_verify(crypto, &keys->keys[0], GS_TOKEN_SM2,
           &id, &input, &sig),
           GS_TOKEN_OK, "GM/T 0003.5, raw");
    is_int(gs_token_sig_verify(crypto, &keys->keys[0], GS_TOKEN_SM2,
           &none, &input, &sig),
           GS_TOKEN_BAD_SIGNATURE, "not with an empty identity");

    der[0] = 0x30;
    der[1] = 70;
    der[2] = 2;
    der[3] = 33;
    der[4] = 0;
    memcpy(der + 5, rs, 32);
    der[37] = 2;
    der[38] = 33;
    der[39] = 0;
    memcpy(der + 40, rs + 32, 32);

    sig = gs_str_make(der, 72);
    is_int(gs_token_sig_verify(crypto, &keys->keys[0], GS_TOKEN_SM2,
           &id, &input, &sig),
           GS_TOKEN_OK, "GM/T 0003.5, DER");

    for (i = 0; i < 72; i++) {
        sig = gs_str_make(der, i);

        if (gs_token_sig_verify(crypto, &keys->keys[0], GS_TOKEN_SM2,
           &id, &input, &sig)
            != GS_TOKEN_BAD_SIGNATURE)
        {
            break;
        }
    }

    is_int((int64_t) i, 72, "DER cut anywhere is refused");

    sig = gs_str_make(rs, 63);
    is_int(gs_token_sig_verify(crypto, &keys->keys[0], GS_TOKEN_SM2,
           &id, &input, &sig),
           GS_TOKEN_BAD_SIGNATURE, "63 bytes");

    input = gs_str_text("message digesT");
    sig = gs_str_make(rs, 64);
    is_int(gs_token_sig_verify(crypto, &keys->keys[0], GS_TOKEN_SM2,
           &id, &input, &sig),
           GS_TOKEN_BAD_SIGNATURE, "another message");

    gs_token_crypto_destroy(crypto);
    gs_token_keys_destroy(keys);
}


static void
test_memory(void)
{
    unsigned          n;
    gs_err_t          err;
    gs_str_t          s;
    gs_token_keys_t  *keys;

    s = gs_str_text(sign_jwks);

    for (n = 1; ; n++) {
        memset(&err, 0, sizeof(gs_err_t));
        keys = gs_token_keys_load(tap_mem_fail(n), &s, &err);

        if (!tap_mem_failed()) {
            break;
        }

        ok(keys == NULL && err.text[0] != '\0', "allocation %u failed: %s", n,
           err.text);
        is_int(tap_mem_live(), 0, "nothing is left");
    }

    ok(keys != NULL, "then none");
    gs_token_keys_destroy(keys);
    is_int(tap_mem_live(), 0, "nothing is left behind a good one");

    json_set_alloc_funcs(json_fail_alloc, free);

    for (n = 1; ; n++) {
        json_count = 0;
        json_fail = n;
        memset(&err, 0, sizeof(gs_err_t));

        keys = gs_token_keys_load(tap_mem_fail(0), &s, &err);

        if (json_count < n) {
            break;
        }

        if (keys != NULL || tap_mem_live() != 0) {
            break;
        }
    }

    ok(keys != NULL && json_count < n, "%u allocations of jansson failed",
       n - 1);
    gs_token_keys_destroy(keys);
    is_int(tap_mem_live(), 0, "nothing is left");

    json_set_alloc_funcs(malloc, free);
}


static void *
json_fail_alloc(size_t size)
{
    return ++json_count == json_fail ? NULL : malloc(size);
}
