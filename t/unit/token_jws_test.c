
/*
 * Copyright (C) govsvc authors
 *
 * The JWS of a token: published vectors, and the known ways to cheat with
 * header, segments, base64url and signature.
 */


#include "token_fixture.h"
#include "token/gs_token_claim.h"


static void test_vectors(void);
static void vector(const char *jwks, const char *token, int whole,
    const char *name);
static void test_good(void);
static void test_header(void);
static void test_kid(void);
static void test_segments(void);
static void test_base64(void);
static void test_signature(void);


static const char  jwks_rsa[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJ"
    "cyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-"
    "pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5r"
    "exMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k"
    "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb"
    "54h4FRWyuXpoQ\",\"e\":\"AQAB\"}]}";

static const char  jwks_ed[] =
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";


int
main(void)
{
    setup();

    test_vectors();
    test_good();
    test_header();
    test_kid();
    test_segments();
    test_base64();
    test_signature();

    done();

    return done_testing();
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
    refuses(GS_TOKEN_BAD_SIGNATURE, "{\"alg\":\"PS256\",\"kid\":\"rs\"}",
            GOOD, "PS256 under an RSA key");
    refuses(GS_TOKEN_BAD_SIGNATURE, "{\"alg\":\"ES384\"}", GOOD, "ES384");
    refuses(GS_TOKEN_BAD_ALG, "{\"alg\":\"ES256K\"}", GOOD, "ES256K");
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
    issuer.algs = GS_TOKEN_PUBLIC_ALGS;
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
    char                     *text;
    size_t                    i;
    gs_str_t                  t;
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
