
/*
 * Copyright (C) govsvc authors
 *
 * Algorithms: each one signs and verifies, none is taken for another, secrets
 * have a floor and sets of their own, and what is published verifies.
 */


#include "token_fixture.h"


#define KINDS  (sizeof(kinds) / sizeof(kinds[0]))


static void test_each(void);
static void test_cross(void);
static void test_pinned(void);
static void test_secrets(void);
static void test_floors(void);
static void test_mixed(void);
static void test_vectors(void);
static void vector(const char *jwks, const char *token, int secret,
    const char *name);
static void test_names(void);
static gs_token_reason_e try_alg(gs_token_alg_e sign, const char *alg,
    const char *kid);
static gs_token_keys_t *load(const char *text, int secret, gs_err_t *err);


static const struct {
    gs_token_alg_e   alg;
    const char      *kid;
} kinds[] = {
    { GS_TOKEN_RS256, "rs" },
    { GS_TOKEN_RS384, "rs" },
    { GS_TOKEN_RS512, "rs" },
    { GS_TOKEN_PS256, "rs" },
    { GS_TOKEN_PS384, "rs" },
    { GS_TOKEN_PS512, "rs" },
    { GS_TOKEN_ES256, "es" },
    { GS_TOKEN_ES384, "e3" },
    { GS_TOKEN_ES512, "e5" },
    { GS_TOKEN_EDDSA, "ed" },
    { GS_TOKEN_SM2, "sm" },
    { GS_TOKEN_HS256, "hs" },
    { GS_TOKEN_HS384, "hs" },
    { GS_TOKEN_HS512, "hs" },
    { GS_TOKEN_HSM3, "hs" }
};


static gs_token_keys_t  *public_keys;
static gs_token_keys_t  *secret_keys;


int
main(void)
{
    gs_err_t  err;

    setup();

    public_keys = issuer.keys;
    secret_keys = load(sign_secrets, 1, &err);
    ok(secret_keys != NULL, "secrets: %s", err.text);

    test_each();
    test_cross();
    test_pinned();
    test_secrets();
    test_floors();
    test_mixed();
    test_vectors();
    test_names();

    issuer.keys = public_keys;
    gs_token_keys_destroy(secret_keys);
    done();

    return done_testing();
}


static gs_token_keys_t *
load(const char *text, int secret, gs_err_t *err)
{
    gs_str_t  s;

    memset(err, 0, sizeof(gs_err_t));
    s = gs_str_text(text);

    return secret ? gs_token_keys_load_secrets(&gs_mem_libc, &s, err)
                  : gs_token_keys_load(&gs_mem_libc, &s, err);
}


static gs_token_reason_e
try_alg(gs_token_alg_e sign, const char *alg, const char *kid)
{
    char      header[128];
    gs_str_t  t;

    (void) snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}",
                    alg, kid);
    t = sign_token(sign, header, GOOD);

    issuer.keys = sign >= GS_TOKEN_HS256 ? secret_keys : public_keys;
    issuer.algs = sign >= GS_TOKEN_HS256 ? GS_TOKEN_SECRET_ALGS
                                         : GS_TOKEN_PUBLIC_ALGS;

    return check(t);
}


static void
test_each(void)
{
    int          n;
    char         bad[4096];
    size_t       i;
    gs_str_t     t;
    const char  *name;

    for (i = 0; i < KINDS; i++) {
        name = gs_token_alg_name(kinds[i].alg);

        /* twice: contexts are used again; often: numbers have short forms */

        for (n = 0; n < (kinds[i].alg == GS_TOKEN_ES512 ? 8 : 2); n++) {
            is_int(try_alg(kinds[i].alg, name, kinds[i].kid), GS_TOKEN_OK,
                   "%s", name);
        }

        issuer.algs &= ~(1u << kinds[i].alg);
        (void) snprintf(bad, sizeof(bad), "{\"alg\":\"%s\"}", name);
        t = sign_token(kinds[i].alg, bad, GOOD);
        is_int(check(t), GS_TOKEN_BAD_ALG, "%s not allowed", name);

        issuer.algs |= 1u << kinds[i].alg;
        is_int(check(t), GS_TOKEN_OK, "%s without kid", name);

        memcpy(bad, t.data, t.len);
        bad[t.len - 20] = bad[t.len - 20] == 'A' ? 'B' : 'A';
        t = gs_str_make(bad, t.len);
        is_int(check(t), GS_TOKEN_BAD_SIGNATURE, "%s forged", name);
    }
}


/* Whatever the header says, only the algorithm that signed verifies. */

static void
test_cross(void)
{
    size_t              i, n, passed;
    gs_token_reason_e   reason;

    passed = 0;

    for (i = 0; i < KINDS; i++) {
        for (n = 0; n < KINDS; n++) {

            reason = try_alg(kinds[i].alg, gs_token_alg_name(kinds[n].alg),
                             kinds[n].kid);

            if (i == n) {
                passed += (reason == GS_TOKEN_OK);
                continue;
            }

            if (reason == GS_TOKEN_OK) {
                ok(0, "%s passes as %s", gs_token_alg_name(kinds[i].alg),
                   gs_token_alg_name(kinds[n].alg));
            }
        }
    }

    is_int((int64_t) passed, (int64_t) KINDS, "each only as itself");
}


static void
test_pinned(void)
{
    char        text[16384], *p;
    gs_err_t    err;

    gs_token_keys_destroy(public_keys);

    p = strstr(sign_jwks, "\"kid\": \"rs\"");
    (void) snprintf(text, sizeof(text), "%.*s\"alg\": \"RS384\", %s",
                    (int) (p - sign_jwks), sign_jwks, p);

    public_keys = load(text, 0, &err);
    ok(public_keys != NULL, "a key with an alg: %s", err.text);

    is_int(try_alg(GS_TOKEN_RS384, "RS384", "rs"), GS_TOKEN_OK, "that alg");
    is_int(try_alg(GS_TOKEN_RS256, "RS256", "rs"), GS_TOKEN_UNKNOWN_KEY,
           "no other one");
    is_int(try_alg(GS_TOKEN_PS384, "PS384", "rs"), GS_TOKEN_UNKNOWN_KEY,
           "nor its relative");

    gs_token_keys_destroy(public_keys);

    (void) snprintf(text, sizeof(text), "%.*s\"alg\": \"ES256\", %s",
                    (int) (p - sign_jwks), sign_jwks, p);
    public_keys = load(text, 0, &err);
    ok(public_keys == NULL && strstr(err.text, "allowed: RS256, RS384")
       != NULL, "alg of another type: %s", err.text);

    load_keys(&issuer, sign_jwks);
    public_keys = issuer.keys;
}


static void
test_secrets(void)
{
    char              text[4096];
    gs_str_t          t;
    gs_err_t          err;
    gs_token_keys_t  *keys;

    /* the text of the public set, or a number of it, as a secret */

    issuer.keys = public_keys;
    issuer.algs = GS_TOKEN_PUBLIC_ALGS | GS_TOKEN_SECRET_ALGS;
    t = sign_token(SIGN_HS256, "{\"alg\":\"HS256\",\"kid\":\"rs\"}", GOOD);
    is_int(check(t), GS_TOKEN_UNKNOWN_KEY,
           "HS256 keyed with the set, though HS256 were allowed");

    /* pinned */

    (void) snprintf(text, sizeof(text), "%.*s,\"alg\":\"HS512\"}]}",
                    (int) strlen(sign_secrets) - 3, sign_secrets);
    keys = load(text, 1, &err);
    ok(keys != NULL, "a secret with an alg: %s", err.text);

    gs_token_keys_destroy(secret_keys);
    secret_keys = keys;

    is_int(try_alg(GS_TOKEN_HS512, "HS512", "hs"), GS_TOKEN_OK, "that alg");
    is_int(try_alg(GS_TOKEN_HS256, "HS256", "hs"), GS_TOKEN_UNKNOWN_KEY,
           "no other one");
    is_int(try_alg(GS_TOKEN_HS512, "HS512", "else"), GS_TOKEN_UNKNOWN_KEY,
           "another kid");
}


static void
test_floors(void)
{
    char              text[512], k[128];
    size_t            i;
    gs_err_t          err;
    gs_token_keys_t  *keys;

    static const struct {
        size_t       len;
        const char  *alg;
        unsigned     algs;
    } sizes[] = {
        { 31, "", 0 },
        { 32, "", 1u << GS_TOKEN_HS256 | 1u << GS_TOKEN_HSM3 },
        { 48, "", 1u << GS_TOKEN_HS256 | 1u << GS_TOKEN_HS384
                  | 1u << GS_TOKEN_HSM3 },
        { 64, "", GS_TOKEN_SECRET_ALGS },
        { 31, ",\"alg\":\"HS256\"", 0 },
        { 47, ",\"alg\":\"HS384\"", 0 },
        { 63, ",\"alg\":\"HS512\"", 0 },
        { 31, ",\"alg\":\"HSM3\"", 0 },
        { 64, ",\"alg\":\"HSM3\"", 1u << GS_TOKEN_HSM3 },
        { 64, ",\"alg\":\"HMAC-SM3\"", 1u << GS_TOKEN_HSM3 }
    };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        (void) sign_b64(k, sign_secret, sizes[i].len);
        (void) snprintf(text, sizeof(text),
                        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"%s\"%s}]}", k,
                        sizes[i].alg);

        keys = load(text, 1, &err);

        if (sizes[i].algs == 0) {
            ok(keys == NULL && strstr(err.text, "the secret has ") != NULL,
               "%zu bytes%s: %s", sizes[i].len, sizes[i].alg, err.text);
            is_int(err.line, 1, "with its line");

        } else {
            ok(keys != NULL && keys->keys[0].algs == sizes[i].algs,
               "%zu bytes%s", sizes[i].len, sizes[i].alg);
        }

        gs_token_keys_destroy(keys);
    }

    keys = load("{\"keys\":[{\"kty\":\"oct\",\"k\":\"\"}]}", 1, &err);
    ok(keys == NULL, "an empty secret: %s", err.text);
}


static void
test_mixed(void)
{
    char              text[16384];
    gs_err_t          err;
    gs_token_keys_t  *keys;

    keys = load(sign_secrets, 0, &err);
    ok(keys == NULL && strstr(err.text, "private or symmetric key") != NULL,
       "a secret among public keys: %s", err.text);

    keys = load(sign_jwks, 1, &err);
    ok(keys == NULL && strstr(err.text, "of type \"RSA\"") != NULL,
       "a public key among secrets: %s", err.text);

    (void) snprintf(text, sizeof(text), "%.*s,%s",
                    (int) strlen(sign_secrets) - 2, sign_secrets,
                    strstr(sign_jwks, "{\"kty\": \"EC\", \"crv\": \"P-256\""));
    keys = load(text, 1, &err);
    ok(keys == NULL, "both, for secrets: %s", err.text);
    keys = load(text, 0, &err);
    ok(keys == NULL, "both, for public keys: %s", err.text);

    keys = load("{\"keys\":[{\"kty\":\"oct\",\"use\":\"enc\",\"k\":\"AA\"}]}",
                1, &err);
    ok(keys == NULL && strstr(err.text, "allowed: oct") != NULL,
       "a secret for another use: %s", err.text);
}


/* RFC 7515 A.2 and A.3, RFC 8037 A.4: token_jws_test.c. */

static void
test_vectors(void)
{
    gs_str_t  s;

    vector("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVM"
        "koqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}]}",
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", 1, "RFC 7515 A.1");

    vector("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8V"
        "cfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxc"
        "WceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3"
        "S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}]}",
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA"
        ".AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwq"
        "T2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJj"
        "yqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn", 0, "RFC 7515 A.4");

    /* A.5, and the same with a signature of some kind behind it */

    issuer.keys = public_keys;
    issuer.algs = GS_TOKEN_PUBLIC_ALGS;

    s = gs_str_text("eyJhbGciOiJub25lIn0"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.");
    is_int(check(s), GS_TOKEN_BAD_SEGMENTS, "RFC 7515 A.5");
    is_int(gs_token_check_signature(v, &policy, &s), GS_TOKEN_BAD_SEGMENTS,
           "also by its signature alone");

    s = gs_str_text("eyJhbGciOiJub25lIn0"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.AA");
    is_int(check(s), GS_TOKEN_BAD_ALG, "RFC 7515 A.5 with a signature");

    /* RFC 7797 section 4.1: HS256 of A.1's key, payload detached and not */

    s = gs_str_text("eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19"
        "..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY");
    is_int(check(s), GS_TOKEN_BAD_SEGMENTS, "RFC 7797 4.2, detached");
    s = gs_str_text("eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19"
        ".$.02.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY");
    is_int(check(s), GS_TOKEN_BAD_SEGMENTS, "RFC 7797 4.2, $.02 within");
    s = gs_str_text("eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19"
        ".JC4wMg.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY");
    is_int(check(s), GS_TOKEN_BAD_CRIT, "RFC 7797 4.2, encoded");
}


static void
vector(const char *jwks, const char *token, int secret, const char *name)
{
    char                      bad[1024];
    size_t                    i;
    gs_str_t                  s;
    gs_err_t                  err;
    gs_token_issuer_t         joe;
    gs_token_policy_t         p;
    gs_token_verdict_t        d;
    const gs_token_issuer_t  *one[1];

    gs_token_issuer_init(&joe);
    joe.algs |= GS_TOKEN_SECRET_ALGS;
    joe.keys = load(jwks, secret, &err);
    ok(joe.keys != NULL, "%s, key: %s", name, err.text);

    one[0] = &joe;
    p = policy;
    p.issuers = one;

    for (i = 0; i < 2; i++) {
        s = gs_str_text(token);
        is_int(gs_token_check_signature(v, &p, &s), GS_TOKEN_OK, "%s", name);

        strcpy(bad, token);
        bad[strlen(bad) - 20] ^= 1;
        s = gs_str_text(bad);
        is_int(gs_token_check_signature(v, &p, &s), GS_TOKEN_BAD_SIGNATURE,
               "%s, signature changed", name);
    }

    if (secret) {
        s = gs_str_text(token);
        is_int(gs_token_check(v, &p, &s, 1300819000, &d), GS_TOKEN_OK,
               "%s as a token", name);
    }

    gs_token_keys_destroy(joe.keys);
}


static void
test_names(void)
{
    size_t    i;
    gs_str_t  s;

    static const struct {
        const char      *name;
        gs_token_alg_e   alg;
    } names[] = {
        { "Ed25519", GS_TOKEN_EDDSA },
        { "SM2SM3", GS_TOKEN_SM2 },
        { "SM3WithSM2", GS_TOKEN_SM2 },
        { "SM3withSM2", GS_TOKEN_SM2 },
        { "GmSM2", GS_TOKEN_SM2 },
        { "HS-SM3", GS_TOKEN_HSM3 },
        { "HMAC-SM3", GS_TOKEN_HSM3 },
        { "ES256K", GS_TOKEN_ALG_UNKNOWN },
        { "rs256", GS_TOKEN_ALG_UNKNOWN },
        { "HS1", GS_TOKEN_ALG_UNKNOWN },
        { "none", GS_TOKEN_ALG_UNKNOWN },
        { "", GS_TOKEN_ALG_UNKNOWN }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        s = gs_str_text(names[i].name);
        is_int(gs_token_alg_find(&s), names[i].alg, "\"%s\"", names[i].name);
    }

    for (i = 0; i < GS_TOKEN_ALGS; i++) {
        s = gs_str_text(gs_token_alg_name((gs_token_alg_e) i));
        is_int(gs_token_alg_find(&s), (int64_t) i, "%s is found",
               gs_token_alg_name((gs_token_alg_e) i));
    }

    ok(gs_token_alg_names[GS_TOKEN_ALGS] == NULL, "the list ends");
}
