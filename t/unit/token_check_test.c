
/*
 * Copyright (C) govsvc authors
 *
 * Tokens, good and bad: published vectors and the known ways to cheat.
 */


#include "tap.h"
#include "token_sign.h"
#include "token/gs_token_check.h"
#include "token/gs_token_claim.h"


#define NOW  1700000000
#define GOOD_CLAIMS  "\"iss\":\"https://sso.gov.example\",\"sub\":\"u1001\"," \
    "\"aud\":\"portal\",\"iat\":1699999000,\"exp\":1700003600"
#define GOOD  "{" GOOD_CLAIMS "}"


static void setup(void);
static void load_keys(gs_token_issuer_t *is, const char *jwks);
static gs_token_reason_e check(gs_str_t token);
static void refuses(gs_token_reason_e want, const char *header,
    const char *payload, const char *name);
static void test_vectors(void);
static void vector(const char *jwks, const char *token, int whole,
    const char *name);
static void test_good(void);
static void test_header(void);
static void test_kid(void);
static void test_segments(void);
static void test_base64(void);
static void test_signature(void);
static void test_payload(void);
static void test_dates(void);
static void test_claims(void);
static void test_typ(void);
static void test_issuers(void);
static void test_level(void);
static void test_seal(void);
static void test_memory(void);


static gs_token_verifier_t      *v;
static gs_token_issuer_t         issuer;
static const gs_token_issuer_t  *list[2] = { &issuer, NULL };
static gs_token_policy_t         policy;
static gs_token_verdict_t        verdict;
static gs_str_t                  audience[2];


static const char  jwks_rsa[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJ"
    "cyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-"
    "pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5r"
    "exMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k"
    "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb"
    "54h4FRWyuXpoQ\",\"e\":\"AQAB\"}]}";

static const char  jwks_ec[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static const char  jwks_ed[] =
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";


int
main(void)
{
    sign_init();
    setup();

    test_vectors();
    test_good();
    test_header();
    test_kid();
    test_segments();
    test_base64();
    test_signature();
    test_payload();
    test_dates();
    test_claims();
    test_typ();
    test_issuers();
    test_level();
    test_seal();
    test_memory();

    gs_token_keys_destroy(issuer.keys);
    gs_token_verifier_destroy(v);
    sign_done();

    return done_testing();
}


static void
setup(void)
{
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


static void
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


/* From memory of exactly its size, so that ASan sees a byte too far. */

static gs_token_reason_e
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


static void
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


static void
test_vectors(void)
{
    vector(jwks_rsa,
        "eyJhbGciOiJSUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
        "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
        "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
        "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
        "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
        "p0igcN_IoypGlUPQGe77Rw", 1, "RFC 7515 A.2");

    vector(jwks_ec,
        "eyJhbGciOiJFUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
        "pmWQxfKTUJqPP3-Kg6NU1Q", 1, "RFC 7515 A.3");

    vector(jwks_ed,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
        "hVsPt9g7sVvpAr_MuM0KAg", 0, "RFC 8037 A.4");
}


static void
vector(const char *jwks, const char *token, int whole, const char *name)
{
    char                      bad[1024];
    size_t                    i;
    gs_str_t                  s;
    gs_token_issuer_t         joe;
    gs_token_policy_t         p;
    gs_token_verdict_t        d;
    const gs_token_issuer_t  *one[1];

    gs_token_issuer_init(&joe);
    load_keys(&joe, jwks);

    one[0] = &joe;
    p = policy;
    p.issuers = one;
    s = gs_str_text(token);

    is_int(gs_token_check_signature(v, &p, &s), GS_TOKEN_OK, "%s", name);

    /* again, since contexts are used again */

    is_int(gs_token_check_signature(v, &p, &s), GS_TOKEN_OK, "%s again",
           name);

    strcpy(bad, token);
    i = strlen(bad) - 20;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    s = gs_str_text(bad);
    is_int(gs_token_check_signature(v, &p, &s), GS_TOKEN_BAD_SIGNATURE,
           "%s, signature changed", name);

    if (whole) {
        s = gs_str_text(token);
        joe.iss = gs_str_text("joe");

        is_int(gs_token_check(v, &p, &s, 1300819000, &d), GS_TOKEN_OK,
               "%s as a token", name);
        is_int(d.exp, 1300819380, "its exp");
        is_int(gs_token_check(v, &p, &s, 1300819380 + 29, &d), GS_TOKEN_OK,
               "%s within leeway", name);
        is_int(gs_token_check(v, &p, &s, 1300819380 + 30, &d),
               GS_TOKEN_EXPIRED, "%s expired", name);
    }

    gs_token_keys_destroy(joe.keys);
}


static void
test_good(void)
{
    gs_str_t          name;
    gs_token_claim_t  c;

    is_int(check(sign_token(GS_TOKEN_RS256, "{\"alg\":\"RS256\",\"kid\":"
           "\"rs\"}", GOOD)), GS_TOKEN_OK, "RS256");
    is_int(check(sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\",\"kid\":"
           "\"es\"}", GOOD)), GS_TOKEN_OK, "ES256");
    is_int(check(sign_token(GS_TOKEN_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":"
           "\"ed\"}", GOOD)), GS_TOKEN_OK, "EdDSA");
    is_int(check(sign_token(GS_TOKEN_EDDSA, "{\"alg\":\"Ed25519\",\"kid\":"
           "\"ed\"}", GOOD)), GS_TOKEN_OK, "Ed25519");
    is_int(check(sign_token(GS_TOKEN_SM2, "{\"alg\":\"SM2\",\"kid\":\"sm\"}",
           GOOD)), GS_TOKEN_OK, "SM2");
    is_int(check(sign_token(GS_TOKEN_SM2, "{\"alg\":\"SM3WithSM2\"}", GOOD)),
           GS_TOKEN_OK, "SM3WithSM2, no kid");
    is_int(check(sign_token(GS_TOKEN_SM2, "{\"alg\":\"GmSM2\"}", GOOD)),
           GS_TOKEN_OK, "GmSM2");
    is_int(check(sign_token_len(GS_TOKEN_SM2, "{\"alg\":\"SM2SM3\"}", GOOD,
           strlen(GOOD), 1)), GS_TOKEN_OK, "SM2SM3, DER");

    is_int(verdict.exp, 1700003600, "exp");
    is_int(verdict.nbf, 0, "no nbf");
    is_int(verdict.issuer, 0, "issuer");
    is_int(verdict.level, 0, "no scale, level 0");
    is_int(verdict.cached, 0, "not from a cache");

    name = gs_str_text("sub");
    is_int(gs_token_claim_find(&verdict.claims, &name, &c), GS_OK, "claims");
    is_str(c.value, "u1001", "sub");
}


static void
test_header(void)
{
    refuses(GS_TOKEN_BAD_ALG, "{\"alg\":\"none\"}", GOOD, "alg none");
    refuses(GS_TOKEN_BAD_ALG, "{\"alg\":\"NONE\"}", GOOD, "alg NONE");
    refuses(GS_TOKEN_BAD_ALG, "{\"alg\":\"nOnE\"}", GOOD, "alg nOnE");
    refuses(GS_TOKEN_BAD_ALG, "{\"alg\":\"es256\"}", GOOD, "alg es256");
    refuses(GS_TOKEN_BAD_ALG, "{\"alg\":\"\"}", GOOD, "alg empty");
    refuses(GS_TOKEN_BAD_ALG, "{\"alg\":\"PS256\",\"kid\":\"rs\"}", GOOD,
            "PS256 under an RSA key");
    refuses(GS_TOKEN_BAD_ALG, "{\"alg\":\"ES384\"}", GOOD, "ES384");
    refuses(GS_TOKEN_BAD_HEADER, "{}", GOOD, "no alg");
    refuses(GS_TOKEN_BAD_HEADER, "{\"alg\":null}", GOOD, "alg null");
    refuses(GS_TOKEN_BAD_HEADER, "{\"alg\":[\"ES256\"]}", GOOD, "alg array");
    refuses(GS_TOKEN_BAD_HEADER, "{\"alg\":\"ES256\",\"alg\":\"none\"}", GOOD,
            "two alg");
    refuses(GS_TOKEN_BAD_HEADER, "[]", GOOD, "header is an array");
    refuses(GS_TOKEN_BAD_HEADER, "{\"alg\":\"ES256\"}x", GOOD, "junk behind");

    is_int(check(sign_token(SIGN_HS256, "{\"alg\":\"HS256\",\"kid\":\"rs\"}",
           GOOD)), GS_TOKEN_BAD_ALG, "HS256 with the key set as secret");
    is_int(check(sign_token(SIGN_HS256, "{\"alg\":\"RS256\",\"kid\":\"rs\"}",
           GOOD)), GS_TOKEN_BAD_SIGNATURE, "the same, named RS256");
    is_int(check(sign_token(GS_TOKEN_ES256, "{\"alg\":\"SM2\",\"kid\":"
           "\"sm\"}", GOOD)), GS_TOKEN_BAD_SIGNATURE, "ES256 named SM2");
    is_int(check(sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\",\"kid\":"
           "\"sm\"}", GOOD)), GS_TOKEN_UNKNOWN_KEY, "ES256 by an SM2 kid");

    refuses(GS_TOKEN_BAD_CRIT, "{\"alg\":\"ES256\",\"crit\":[\"x\"],\"x\":1}",
            GOOD, "crit unknown");
    refuses(GS_TOKEN_BAD_CRIT, "{\"alg\":\"ES256\",\"crit\":[]}", GOOD,
            "crit empty");
    refuses(GS_TOKEN_BAD_CRIT, "{\"alg\":\"ES256\",\"crit\":[\"alg\"]}", GOOD,
            "crit alg");
    refuses(GS_TOKEN_BAD_CRIT, "{\"alg\":\"ES256\",\"crit\":\"x\"}", GOOD,
            "crit a string");
    refuses(GS_TOKEN_BAD_CRIT, "{\"alg\":\"ES256\",\"b64\":false,\"crit\":"
            "[\"b64\"]}", GOOD, "b64 false (RFC 7797)");
    refuses(GS_TOKEN_BAD_CRIT, "{\"alg\":\"ES256\",\"b64\":false}", GOOD,
            "b64 without crit");
    refuses(GS_TOKEN_BAD_CRIT, "{\"alg\":\"ES256\",\"zip\":\"DEF\"}", GOOD,
            "zip");

    refuses(GS_TOKEN_OK, "{\"alg\":\"ES256\",\"jku\":\"http://127.0.0.1/x\","
            "\"x5u\":\"http://127.0.0.1/y\",\"x5c\":[\"AA\"],\"jwk\":{}}",
            GOOD, "a key it brings along is not looked at");
    refuses(GS_TOKEN_UNKNOWN_KEY, "{\"alg\":\"ES256\",\"kid\":\"new\","
            "\"jwk\":{\"kty\":\"EC\"}}", GOOD, "and never used");

    issuer.algs = 1u << GS_TOKEN_RS256;
    refuses(GS_TOKEN_BAD_ALG, "{\"alg\":\"ES256\"}", GOOD, "alg not allowed");
    issuer.algs = (1u << GS_TOKEN_ALGS) - 1;
}


static void
test_kid(void)
{
    int   i;
    char  text[16384];

    refuses(GS_TOKEN_UNKNOWN_KEY, "{\"alg\":\"ES256\",\"kid\":"
            "\"../../../../dev/null\"}", GOOD, "kid path");
    refuses(GS_TOKEN_UNKNOWN_KEY, "{\"alg\":\"ES256\",\"kid\":"
            "\"x' UNION SELECT '1';--\"}", GOOD, "kid SQL");
    refuses(GS_TOKEN_UNKNOWN_KEY, "{\"alg\":\"ES256\",\"kid\":\"|sleep 10\"}",
            GOOD, "kid command");
    refuses(GS_TOKEN_BAD_HEADER, "{\"alg\":\"ES256\",\"kid\":\"\"}", GOOD,
            "kid empty");
    refuses(GS_TOKEN_BAD_HEADER, "{\"alg\":\"ES256\",\"kid\":\"a\\r\\nb\"}",
            GOOD, "kid with CR LF");
    refuses(GS_TOKEN_BAD_HEADER, "{\"alg\":\"ES256\",\"kid\":7}", GOOD,
            "kid number");
    refuses(GS_TOKEN_BAD_HEADER, "{\"alg\":\"ES256\",\"kid\":[\"es\"]}", GOOD,
            "kid array");
    refuses(GS_TOKEN_BAD_HEADER, "{\"alg\":\"ES256\",\"kid\":null}", GOOD,
            "kid null");

    i = sprintf(text, "{\"alg\":\"ES256\",\"kid\":\"");
    memset(text + i, 'k', 257);
    strcpy(text + i + 257, "\"}");
    refuses(GS_TOKEN_BAD_HEADER, text, GOOD, "kid of 257 bytes");

    memset(text + i, 'k', 15000);
    strcpy(text + i + 15000, "\"}");
    refuses(GS_TOKEN_TOO_LONG, text, GOOD, "kid of 15000 bytes");
}


static void
test_segments(void)
{
    size_t                    i;
    gs_str_t                  t;
    char                     *text;
    static const char *const  bad[] = {
        "", ".", "..", "...", "a", "a.b", "a.b.", ".b.c", "a..c", "..c",
        "a.b.c.d", "a.b.c.d.e", "eyJhbGciOiJub25lIn0.MTIzNDAw.",
        "{\"payload\":\"e30\",\"signatures\":[]}"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_int(check(gs_str_text(bad[i])), GS_TOKEN_BAD_SEGMENTS,
               "segments: \"%s\"", bad[i]);
    }

    t = sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}", GOOD);

    for (i = 0; i < t.len; i++) {
        if (check(gs_str_make(t.data, i)) == GS_TOKEN_OK) {
            break;
        }
    }

    is_int((int64_t) i, (int64_t) t.len, "cut anywhere it is bad");

    text = malloc(65536);
    memset(text, 'A', 65536);
    text[10] = '.';
    text[20] = '.';
    is_int(check(gs_str_make(text, 8193)), GS_TOKEN_TOO_LONG, "8193 bytes");
    is_int(check(gs_str_make(text, 65536)), GS_TOKEN_TOO_LONG, "65536 bytes");
    is_int(check(gs_str_make(text, 8192)), GS_TOKEN_BAD_HEADER, "8192 bytes");
    free(text);

    is_int(check(gs_str_text("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00ifQ"
                             ".AA.AA.AA.AA")),
           GS_TOKEN_BAD_SEGMENTS, "JWE");
}


static void
test_base64(void)
{
    char      text[4096];
    size_t    n, i;
    gs_str_t  t;

    static const char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    t = sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}", GOOD);
    n = t.len;
    memcpy(text, t.data, n);

    /* 64 bytes are 86 characters, of the last of which 4 bits count */

    i = (size_t) (strchr(alphabet, text[n - 1]) - alphabet);
    is_int((int64_t) (i & 15), 0, "spare bits are zero");
    text[n - 1] = alphabet[i | 1];
    is_int(check(gs_str_make(text, n)), GS_TOKEN_BAD_BASE64,
           "spare bits used in the signature");
    text[n - 1] = alphabet[i];

    text[n] = '=';
    is_int(check(gs_str_make(text, n + 1)), GS_TOKEN_BAD_BASE64,
           "signature=");
    text[n + 1] = '=';
    is_int(check(gs_str_make(text, n + 2)), GS_TOKEN_BAD_BASE64,
           "signature==");
    memcpy(text + n, "=junk", 5);
    is_int(check(gs_str_make(text, n + 5)), GS_TOKEN_BAD_BASE64,
           "signature=junk");
    text[n] = 'A';
    is_int(check(gs_str_make(text, n + 1)), GS_TOKEN_BAD_SIGNATURE,
           "a character too many");
    text[n] = '\n';
    is_int(check(gs_str_make(text, n + 1)), GS_TOKEN_BAD_BASE64,
           "a line end behind");
    text[n - 3] = '+';
    is_int(check(gs_str_make(text, n)), GS_TOKEN_BAD_BASE64, "plus");
    text[n - 3] = '/';
    is_int(check(gs_str_make(text, n)), GS_TOKEN_BAD_BASE64, "slash");

    memcpy(text, t.data, n);
    text[3] = '=';
    is_int(check(gs_str_make(text, n)), GS_TOKEN_BAD_BASE64, "= in a header");
    memcpy(text, t.data, n);
    text[strcspn(text, ".") + 5] = '*';
    is_int(check(gs_str_make(text, n)), GS_TOKEN_BAD_BASE64, "* in a payload");
}


static void
test_signature(void)
{
    char            text[4096];
    size_t          i, n, len;
    gs_str_t        t;
    unsigned char   sig[1024];

    static const size_t  lengths[] = { 1, 32, 63, 65, 96, 128, 256 };

    memset(sig, 0, sizeof(sig));

    t = sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}", GOOD);
    memcpy(text, t.data, t.len);
    n = t.len - 86;

    len = sign_b64(text + n, sig, 64);
    is_int(check(gs_str_make(text, n + len)), GS_TOKEN_BAD_SIGNATURE,
           "64 bytes of zero (CVE-2022-21449)");

    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(sig, 0x41, sizeof(sig));
        len = sign_b64(text + n, sig, lengths[i]);
        is_int(check(gs_str_make(text, n + len)), GS_TOKEN_BAD_SIGNATURE,
               "ES256, %zu bytes", lengths[i]);
    }

    memset(sig, 0xff, sizeof(sig));
    len = sign_b64(text + n, sig, 64);
    is_int(check(gs_str_make(text, n + len)), GS_TOKEN_BAD_SIGNATURE,
           "R and S above the order");

    is_int(check(sign_token_len(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}", GOOD,
           strlen(GOOD), 1)), GS_TOKEN_BAD_SIGNATURE, "ES256 in DER");

    t = sign_token(GS_TOKEN_RS256, "{\"alg\":\"RS256\"}", GOOD);
    memcpy(text, t.data, t.len);

    for (i = 0; i < 256; i += 51) {
        memset(sig, 0, sizeof(sig));
        n = t.len - 342;
        len = sign_b64(text + n, sig, i + 1);
        is_int(check(gs_str_make(text, n + len)), GS_TOKEN_BAD_SIGNATURE,
               "RS256, %zu bytes of zero", i + 1);
    }

    is_int(check(t), GS_TOKEN_OK, "the context still works");

    t = sign_token(GS_TOKEN_EDDSA, "{\"alg\":\"EdDSA\"}", GOOD);
    memcpy(text, t.data, t.len);
    memset(sig, 0, sizeof(sig));
    len = sign_b64(text + t.len - 86, sig, 64);
    is_int(check(gs_str_make(text, t.len - 86 + len)),
           GS_TOKEN_BAD_SIGNATURE, "EdDSA, zeros");
    is_int(check(t), GS_TOKEN_OK, "the context still works");

    n = (size_t) sprintf(text, "%s", "eyJhbGciOiJTTTIifQ.");
    n += sign_b64(text + n, GOOD, strlen(GOOD));
    len = sign_bytes(GS_TOKEN_SM2, text, n, 0, "ALICE123@YAHOO.COM", sig);
    text[n++] = '.';
    n += sign_b64(text + n, sig, len);
    is_int(check(gs_str_make(text, n)), GS_TOKEN_BAD_SIGNATURE,
           "SM2 under another identity");

    issuer.sm2_id = gs_str_text("ALICE123@YAHOO.COM");
    is_int(check(gs_str_make(text, n)), GS_TOKEN_OK,
           "which the issuer may have");
    issuer.sm2_id = gs_str_text(GS_TOKEN_SM2_ID);
}


static void
test_payload(void)
{
    static const char *const  h = "{\"alg\":\"ES256\"}";

    char       *big;
    size_t      i, n;
    gs_str_t    t;

    refuses(GS_TOKEN_BAD_PAYLOAD, h, "[]", "array");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, "\"x\"", "string");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, "{}x", "junk behind");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, "\xef\xbb\xbf" GOOD, "byte order mark");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, "{" GOOD_CLAIMS ",\"sub\":\"admin\"}",
            "two sub");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, "{" GOOD_CLAIMS ",\"\\u0073ub\":"
            "\"admin\"}", "two sub, one escaped");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, "{" GOOD_CLAIMS ",\"x\":\"\xff\"}",
            "bad UTF-8");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, "{" GOOD_CLAIMS ",\"x\":\"\\ud800\"}",
            "lone surrogate");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, "{" GOOD_CLAIMS ",\"x\":\"admin\\u0000x"
            "\"}", "NUL");

    t = sign_token_len(GS_TOKEN_ES256, h, GOOD "\0", sizeof(GOOD), 0);
    is_int(check(t), GS_TOKEN_BAD_PAYLOAD, "a raw NUL behind");

    big = malloc(200000);

    memset(big, '[', 2000);
    big[2000] = '\0';
    refuses(GS_TOKEN_BAD_PAYLOAD, h, big, "2000 brackets");

    n = (size_t) sprintf(big, "{" GOOD_CLAIMS);

    for (i = 0; i < 300; i++) {
        n += (size_t) sprintf(big + n, ",\"k%zu\":1", i);
    }

    strcpy(big + n, "}");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, big, "300 members");

    n = (size_t) sprintf(big, "{" GOOD_CLAIMS);

    for (i = 0; i < 10000; i++) {
        n += (size_t) sprintf(big + n, ",\"k%zu\":1", i);
    }

    strcpy(big + n, "}");
    refuses(GS_TOKEN_TOO_LONG, h, big, "10000 members");

    n = (size_t) sprintf(big, "{" GOOD_CLAIMS ",\"x\":\"");
    memset(big + n, 'x', 65536);
    strcpy(big + n + 65536, "\"}");
    refuses(GS_TOKEN_TOO_LONG, h, big, "a string of 64 KB");

    memset(big + n, 'x', 5000);
    strcpy(big + n + 5000, "\"}");
    refuses(GS_TOKEN_OK, h, big, "a string of 5000 bytes is legal");

    /* the packed form may grow beyond what a token can be */

    n = (size_t) sprintf(big, "{" GOOD_CLAIMS ",\"");
    memset(big + n, 'k', 4000);
    n += 4000;
    n += (size_t) sprintf(big + n, "\":[1,2,3,4,5,6,7]}");
    refuses(GS_TOKEN_BAD_PAYLOAD, h, big, "a long name times its elements");

    free(big);
}


static void
test_dates(void)
{
    size_t  i;
    char    text[512];

    static const struct {
        const char         *claims;
        gs_token_reason_e   want;
    } dates[] = {
        { "\"exp\":1700003600", GS_TOKEN_OK },
        { "\"exp\":1700003600.5", GS_TOKEN_OK },
        { "\"exp\":1.7000036e9", GS_TOKEN_OK },
        { "\"exp\":1699999971", GS_TOKEN_OK },
        { "\"exp\":1699999970", GS_TOKEN_EXPIRED },
        { "\"exp\":0", GS_TOKEN_EXPIRED },
        { "\"exp\":1e300", GS_TOKEN_CLAIM_INVALID },
        { "\"exp\":9223372036854775808", GS_TOKEN_CLAIM_INVALID },
        { "\"exp\":18446744073709551621", GS_TOKEN_CLAIM_INVALID },
        { "\"exp\":-1", GS_TOKEN_CLAIM_INVALID },
        { "\"exp\":\"1700003600\"", GS_TOKEN_CLAIM_INVALID },
        { "\"exp\":null", GS_TOKEN_CLAIM_INVALID },
        { "\"exp\":true", GS_TOKEN_CLAIM_INVALID },
        { "\"exp\":1700003600000", GS_TOKEN_CLAIM_INVALID },
        { "\"exp\":170000360000", GS_TOKEN_TOO_LONG_LIVED },
        { "\"x\":1", GS_TOKEN_CLAIM_MISSING },
        { "\"exp\":1700086400", GS_TOKEN_OK },
        { "\"exp\":1700086401", GS_TOKEN_TOO_LONG_LIVED },
        { "\"exp\":1700086400,\"iat\":1699999999", GS_TOKEN_TOO_LONG_LIVED },
        { "\"exp\":1700086399,\"iat\":1699999999", GS_TOKEN_OK },
        { "\"exp\":1700003600,\"iat\":1700000030", GS_TOKEN_OK },
        { "\"exp\":1700003600,\"iat\":1700000031", GS_TOKEN_NOT_YET_VALID },
        { "\"exp\":1700003600,\"iat\":\"x\"", GS_TOKEN_CLAIM_INVALID },
        { "\"exp\":1700003600,\"nbf\":1700000030", GS_TOKEN_OK },
        { "\"exp\":1700003600,\"nbf\":1700000031", GS_TOKEN_NOT_YET_VALID },
        { "\"exp\":1700003600,\"nbf\":1700003600", GS_TOKEN_NOT_YET_VALID },
        { "\"exp\":1700003600,\"nbf\":false", GS_TOKEN_CLAIM_INVALID }
    };

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        (void) snprintf(text, sizeof(text),
                        "{\"iss\":\"https://sso.gov.example\","
                        "\"aud\":\"portal\",%s}", dates[i].claims);
        refuses(dates[i].want, "{\"alg\":\"ES256\"}", text, dates[i].claims);
    }

    issuer.max_lifetime = 0;
    refuses(GS_TOKEN_OK, "{\"alg\":\"ES256\"}",
            "{\"iss\":\"https://sso.gov.example\",\"aud\":\"portal\","
            "\"exp\":170000360000}", "no limit of lifetime");
    issuer.max_lifetime = GS_TOKEN_MAX_LIFETIME;
}


static void
test_claims(void)
{
    size_t    i;
    char      text[512];
    gs_str_t  require[2];

    static const struct {
        const char         *aud;
        gs_token_reason_e   want;
    } auds[] = {
        { ",\"aud\":\"portal\"", GS_TOKEN_OK },
        { ",\"aud\":\"api\"", GS_TOKEN_OK },
        { ",\"aud\":[\"x\",\"portal\"]", GS_TOKEN_OK },
        { ",\"aud\":\"portal2\"", GS_TOKEN_BAD_AUDIENCE },
        { ",\"aud\":\"Portal\"", GS_TOKEN_BAD_AUDIENCE },
        { ",\"aud\":\"x,portal\"", GS_TOKEN_BAD_AUDIENCE },
        { ",\"aud\":\"\"", GS_TOKEN_BAD_AUDIENCE },
        { ",\"aud\":[\"x\"]", GS_TOKEN_BAD_AUDIENCE },
        { ",\"aud\":[]", GS_TOKEN_BAD_AUDIENCE },
        { ",\"aud\":[1]", GS_TOKEN_BAD_AUDIENCE },
        { ",\"aud\":[\"portal\",1]", GS_TOKEN_BAD_AUDIENCE },
        { ",\"aud\":{\"a\":1}", GS_TOKEN_BAD_AUDIENCE },
        { ",\"aud\":null", GS_TOKEN_BAD_AUDIENCE },
        { "", GS_TOKEN_BAD_AUDIENCE }
    };

    for (i = 0; i < sizeof(auds) / sizeof(auds[0]); i++) {
        (void) snprintf(text, sizeof(text),
                        "{\"iss\":\"https://sso.gov.example\","
                        "\"exp\":1700003600%s}", auds[i].aud);
        refuses(auds[i].want, "{\"alg\":\"ES256\"}", text,
                auds[i].aud[0] ? auds[i].aud + 1 : "no aud");
    }

    refuses(GS_TOKEN_CLAIM_INVALID, "{\"alg\":\"ES256\"}",
            "{\"iss\":\"https://sso.gov.example\",\"aud\":\"portal\","
            "\"exp\":1700003600,\"sub\":\"a\\r\\nX-Gov-Role: admin\"}",
            "sub with CR LF");
    refuses(GS_TOKEN_CLAIM_INVALID, "{\"alg\":\"ES256\"}",
            "{\"iss\":\"https://sso.gov.example\",\"aud\":\"portal\","
            "\"exp\":1700003600,\"sub\":1}", "sub number");
    refuses(GS_TOKEN_CLAIM_INVALID, "{\"alg\":\"ES256\"}",
            "{\"iss\":\"https://sso.gov.example\",\"aud\":\"portal\","
            "\"exp\":1700003600,\"azp\":[\"a\"]}", "azp array");
    refuses(GS_TOKEN_OK, "{\"alg\":\"ES256\"}",
            "{\"iss\":\"https://sso.gov.example\",\"aud\":\"portal\","
            "\"exp\":1700003600,\"sub\":\"\xe5\xbc\xa0\xe4\xb8\x89\"}",
            "sub in Chinese");

    require[0] = gs_str_text("sub");
    require[1] = gs_str_text("jti");
    issuer.require = require;
    issuer.nrequire = 2;

    refuses(GS_TOKEN_CLAIM_MISSING, "{\"alg\":\"ES256\"}", GOOD, "no jti");
    refuses(GS_TOKEN_CLAIM_MISSING, "{\"alg\":\"ES256\"}",
            "{" GOOD_CLAIMS ",\"jti\":\"\"}", "jti empty");
    refuses(GS_TOKEN_CLAIM_MISSING, "{\"alg\":\"ES256\"}",
            "{" GOOD_CLAIMS ",\"jti\":null}", "jti null");
    refuses(GS_TOKEN_OK, "{\"alg\":\"ES256\"}",
            "{" GOOD_CLAIMS ",\"jti\":\"1\"}", "with jti");

    issuer.nrequire = 0;
}


static void
test_typ(void)
{
    size_t    i;
    char      text[256];
    gs_str_t  typ[1];

    static const struct {
        const char         *typ;
        gs_token_reason_e   standard;
        gs_token_reason_e   access;        /* with at+jwt alone allowed */
    } typs[] = {
        { "", GS_TOKEN_OK, GS_TOKEN_BAD_TYP },
        { ",\"typ\":\"JWT\"", GS_TOKEN_OK, GS_TOKEN_BAD_TYP },
        { ",\"typ\":\"jwt\"", GS_TOKEN_OK, GS_TOKEN_BAD_TYP },
        { ",\"typ\":\"at+jwt\"", GS_TOKEN_OK, GS_TOKEN_OK },
        { ",\"typ\":\"application/AT+JWT\"", GS_TOKEN_OK, GS_TOKEN_OK },
        { ",\"typ\":\"dpop+jwt\"", GS_TOKEN_BAD_TYP, GS_TOKEN_BAD_TYP },
        { ",\"typ\":\"logout+jwt\"", GS_TOKEN_BAD_TYP, GS_TOKEN_BAD_TYP },
        { ",\"typ\":\"application/\"", GS_TOKEN_BAD_TYP, GS_TOKEN_BAD_TYP },
        { ",\"typ\":\"\"", GS_TOKEN_BAD_HEADER, GS_TOKEN_BAD_HEADER },
        { ",\"typ\":1", GS_TOKEN_BAD_HEADER, GS_TOKEN_BAD_HEADER }
    };

    for (i = 0; i < sizeof(typs) / sizeof(typs[0]); i++) {
        (void) snprintf(text, sizeof(text), "{\"alg\":\"ES256\"%s}",
                        typs[i].typ);

        issuer.ntyp = 0;
        refuses(typs[i].standard, text, GOOD,
                typs[i].typ[0] ? typs[i].typ + 1 : "no typ");

        typ[0] = gs_str_text("at+jwt");
        issuer.typ = typ;
        issuer.ntyp = 1;
        refuses(typs[i].access, text, GOOD, "at+jwt alone");
    }

    issuer.ntyp = 0;
}


static void
test_issuers(void)
{
    gs_token_issuer_t  other;

    refuses(GS_TOKEN_BAD_ISSUER, "{\"alg\":\"ES256\"}",
            "{\"iss\":\"https://sso.gov.example/\",\"aud\":\"portal\","
            "\"exp\":1700003600}", "iss with a slash more");
    refuses(GS_TOKEN_BAD_ISSUER, "{\"alg\":\"ES256\"}",
            "{\"aud\":\"portal\",\"exp\":1700003600}", "no iss");
    refuses(GS_TOKEN_BAD_ISSUER, "{\"alg\":\"ES256\"}",
            "{\"iss\":[\"https://sso.gov.example\"],\"exp\":1700003600}",
            "iss array");

    gs_token_issuer_init(&other);
    load_keys(&other, jwks_ec);
    other.iss = gs_str_text("https://zj.gov.example");
    other.algs = 1u << GS_TOKEN_ES256;

    list[1] = &other;
    policy.n = 2;

    refuses(GS_TOKEN_OK, "{\"alg\":\"ES256\"}", GOOD, "first of two");
    is_int(verdict.issuer, 0, "index 0");
    refuses(GS_TOKEN_BAD_SIGNATURE, "{\"alg\":\"ES256\"}",
            "{\"iss\":\"https://zj.gov.example\",\"exp\":1700003600}",
            "the key of one issuer for another");
    is_int(verdict.issuer, 1, "index 1");
    is_int(check(sign_token(GS_TOKEN_EDDSA, "{\"alg\":\"EdDSA\"}",
           "{\"iss\":\"https://zj.gov.example\",\"exp\":1700003600}")),
           GS_TOKEN_BAD_ALG, "the algorithm of one issuer for another");

    gs_token_keys_destroy(other.keys);
    policy.n = 1;
    list[1] = NULL;
}


static void
test_level(void)
{
    size_t            i;
    char              text[512];
    gs_token_level_t  levels[3];

    static const struct {
        const char  *acr;
        unsigned     level;
    } acrs[] = {
        { ",\"acr\":\"L3\"", 3 },
        { ",\"acr\":5", 5 },
        { ",\"acr\":\"5\"", 5 },
        { ",\"acr\":\"urn:gov:2\"", 2 },
        { ",\"acr\":\"l3\"", 0 },
        { ",\"acr\":[\"L3\"]", 0 },
        { ",\"acr\":null", 0 },
        { "", 0 }
    };

    levels[0].value = gs_str_text("L3");
    levels[0].level = 3;
    levels[1].value = gs_str_text("5");
    levels[1].level = 5;
    levels[2].value = gs_str_text("urn:gov:2");
    levels[2].level = 2;

    issuer.acr = gs_str_text("acr");
    issuer.levels = levels;
    issuer.nlevels = 3;

    for (i = 0; i < sizeof(acrs) / sizeof(acrs[0]); i++) {
        (void) snprintf(text, sizeof(text), "{" GOOD_CLAIMS "%s}",
                        acrs[i].acr);
        refuses(GS_TOKEN_OK, "{\"alg\":\"ES256\"}", text, "acr");
        is_int(verdict.level, acrs[i].level, "level of %s", acrs[i].acr);
    }

    issuer.acr.len = 0;
    issuer.nlevels = 0;
}


static void
test_seal(void)
{
    gs_uchar_t          first[32], id[32];
    gs_token_crypto_t  *crypto;

    crypto = gs_token_verifier_crypto(v);

    is_int(gs_token_issuer_seal(&issuer, crypto), GS_OK, "sealed");
    is_int(gs_token_policy_seal(&policy, crypto), GS_OK, "policy sealed");
    memcpy(first, policy.id, 32);

    (void) gs_token_issuer_seal(&issuer, crypto);
    (void) gs_token_policy_seal(&policy, crypto);
    is_mem(first, 32, policy.id, 32, "the same content, the same identity");

    memcpy(id, issuer.id, 32);
    issuer.leeway++;
    (void) gs_token_issuer_seal(&issuer, crypto);
    ok(memcmp(id, issuer.id, 32) != 0, "leeway counts");
    issuer.leeway--;

    issuer.naudience = 1;
    (void) gs_token_issuer_seal(&issuer, crypto);
    ok(memcmp(id, issuer.id, 32) != 0, "audience counts");
    issuer.naudience = 2;

    issuer.keys->generation++;
    (void) gs_token_issuer_seal(&issuer, crypto);
    ok(memcmp(id, issuer.id, 32) != 0, "keys count");
    (void) gs_token_policy_seal(&policy, crypto);
    ok(memcmp(first, policy.id, 32) != 0, "and the policy changes with them");
    issuer.keys->generation--;

    (void) gs_token_issuer_seal(&issuer, crypto);
    is_mem(id, 32, issuer.id, 32, "all put back");
}


static void
test_memory(void)
{
    unsigned              n;
    gs_token_verifier_t  *tmp;

    for (n = 1; ; n++) {
        tmp = gs_token_verifier_create(tap_mem_fail(n));

        if (!tap_mem_failed()) {
            break;
        }

        ok(tmp == NULL, "allocation %u of a verifier failed", n);
        is_int(tap_mem_live(), 0, "nothing is left");
    }

    gs_token_verifier_destroy(tmp);
    is_int(tap_mem_live(), 0, "nothing is left behind a good one");
    gs_token_verifier_destroy(NULL);

    ok(n > 2, "two allocations at least");
}
