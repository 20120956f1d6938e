
/*
 * Copyright (C) govsvc authors
 *
 * Canonical forms and their traps, and every scheme signed and verified; what
 * is malformed; fields of RFC 8941 and RFC 9530.
 */


#include "sign_fixture.h"

#include <openssl/evp.h>


/* base64 of 32 bytes, but the padding */
#define ZEROS  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* a signature in hexadecimal digits */
#define ZEROS64  "0000000000000000000000000000000000000000000000000000000000" \
    "000000"

#define PARAMS  ");created=1;keyid=\"k\";nonce=\"0123456789abcdef\""


static void test_round(void);
static void round_trip(gs_sign_scheme_e scheme, gs_sign_alg_e alg,
    EVP_PKEY *pkey);
static void test_govhmac(void);
static void govhmac(const char *target, const char *canon, const char *name);
static void test_v4_traps(void);
static void test_rfc_input(void);
static void input(const char *value, gs_sign_reason_e want);
static void covers(const char *list, unsigned body, unsigned want);
static void test_digest(void);
static void test_dates(void);
static void test_limits(void);
static EVP_PKEY *keypair(const char *type, const char *group);


int
main(void)
{
    EVP_PKEY  *pkey;

    crypto = gs_sign_crypto_create(&gs_mem_libc);

    if (crypto == NULL) {
        return 1;
    }

    test_round();

    pkey = keypair("ED25519", NULL);
    round_trip(GS_SIGN_RFC9421, GS_SIGN_ED25519, pkey);
    EVP_PKEY_free(pkey);

    pkey = keypair("EC", "P-256");
    round_trip(GS_SIGN_RFC9421, GS_SIGN_ECDSA_P256, pkey);
    EVP_PKEY_free(pkey);

    pkey = keypair("RSA", NULL);
    round_trip(GS_SIGN_RFC9421, GS_SIGN_RSA_PSS, pkey);
    EVP_PKEY_free(pkey);

    pkey = keypair("SM2", NULL);
    round_trip(GS_SIGN_RFC9421, GS_SIGN_SM2, pkey);
    EVP_PKEY_free(pkey);

    test_govhmac();
    test_v4_traps();
    test_rfc_input();
    test_digest();
    test_dates();
    test_limits();

    gs_sign_crypto_destroy(crypto);

    return done_testing();
}


static void
test_round(void)
{
    round_trip(GS_SIGN_TIF, GS_SIGN_SHA256, NULL);
    round_trip(GS_SIGN_TIF, GS_SIGN_SM3, NULL);
    round_trip(GS_SIGN_GJZWFWPT, GS_SIGN_HMAC_SHA256, NULL);
    round_trip(GS_SIGN_GJZWFWPT, GS_SIGN_HMAC_SM3, NULL);
    round_trip(GS_SIGN_XBG, GS_SIGN_HMAC_SHA256, NULL);
    round_trip(GS_SIGN_XBG, GS_SIGN_HMAC_SM3, NULL);
    round_trip(GS_SIGN_SIGV4, GS_SIGN_HMAC_SHA256, NULL);
    round_trip(GS_SIGN_RFC9421, GS_SIGN_HMAC_SHA256, NULL);
    round_trip(GS_SIGN_RFC9421, GS_SIGN_HMAC_SM3, NULL);
    round_trip(GS_SIGN_GOVHMAC, GS_SIGN_HMAC_SHA256, NULL);
    round_trip(GS_SIGN_GOVHMAC, GS_SIGN_HMAC_SM3, NULL);
}


/* Made, found again as it was made, verified; then with each bit of the
 * signature's ends turned. */

static void
round_trip(gs_sign_scheme_e scheme, gs_sign_alg_e alg, EVP_PKEY *pkey)
{
    size_t            i, n;
    unsigned          fails;
    gs_arena_t       *arena;
    const char       *name;
    gs_sign_cred_t    made;
    gs_sign_header_t  add[GS_SIGN_MAX_ADD];

    name = gs_sign_alg_names[alg];
    arena = gs_arena_create(&gs_mem_libc);

    request("POST", "/a%20b/c?z=1&a=%E4%B8%AD&a", "Gw.Gov.Example:80");
    header("Host", "Gw.Gov.Example:80");
    header("Content-Type", "application/json");

    secret(alg, "a secret of some length");
    key.pkey = pkey;

    if (pkey != NULL) {
        key.secret = gs_str_make(NULL, 0);
    }

    memset(&made, 0, sizeof(made));
    made.scheme = scheme;
    made.id = gs_str_text("app-1");
    made.nonce = gs_str_text("0123456789abcdef");
    made.time = 1700000000;

    if (scheme == GS_SIGN_GJZWFWPT) {
        made.text[0] = gs_str_text("SID1");
    }

    is_reason(gs_sign_make(crypto, gs_arena_mem(arena), &req, &made, &key,
                           add, &n), GS_SIGN_OK, name);

    for (i = 0; i < n; i++) {
        headers[req.n++] = add[i];
    }

    is_reason(verify(), GS_SIGN_OK, name);
    is_str(cred.id, "app-1", "%s: app", name);
    is_int(cred.time, 1700000000, "%s: time", name);
    ok(cred.covered, "%s: covered", name);

    fails = 0;

    for (i = 0; i < 8; i++) {
        cred.sig[0] ^= 1 << i;
        fails += gs_sign_verify(crypto, &req, &cred, &key)
                 == GS_SIGN_BAD_SIGNATURE;
        cred.sig[0] ^= 1 << i;
        cred.sig[cred.sig_len - 1] ^= 1 << i;
        fails += gs_sign_verify(crypto, &req, &cred, &key)
                 == GS_SIGN_BAD_SIGNATURE;
        cred.sig[cred.sig_len - 1] ^= 1 << i;
    }

    is_int(fails, 16, "%s: each turned bit is seen", name);

    cred.sig_len--;
    is_reason(gs_sign_verify(crypto, &req, &cred, &key),
              GS_SIGN_BAD_SIGNATURE, name);

    gs_arena_destroy(arena);
}


static void
test_govhmac(void)
{
    govhmac("/a?b=2&a=1", "/a\na=1&b=2", "sorted by name");
    govhmac("/a?a=2&a=1&a=10", "/a\na=1&a=10&a=2", "then by value");
    govhmac("/a?a=b+c", "/a\na=b%2Bc", "a plus is a plus");
    govhmac("/a?a=b%20c", "/a\na=b%20c", "a blank is %20");
    govhmac("/a?a=%7e%2D%41", "/a\na=~-A", "unreserved are decoded");
    govhmac("/a?a=%e4%b8%ad", "/a\na=%E4%B8%AD", "upper case digits");
    govhmac("/a?a=%zz&b=%2", "/a\na=%25zz&b=%252", "no escape");
    govhmac("/a?b&a=&=c", "/a\n=c&a=&b=", "without value, without name");
    govhmac("/a?a=1=2", "/a\na=1%3D2", "an equals sign in the value");
    govhmac("/a?&&a=1&", "/a\na=1", "empty parameters");
    govhmac("/a?", "/a\n", "an empty query");
    govhmac("/a", "/a\n", "no query");
    govhmac("/a?x?y=1", "/a\nx%3Fy=1", "a second question mark");
    govhmac("/a//b/../c%2F", "/a//b/../c%2F\n", "the path as it came");
    govhmac("/a?a=%00", "/a\na=%00", "NUL");
}


static void
govhmac(const char *target, const char *canon, const char *name)
{
    char  want[512];

    request("GET", target, "A.gov:443");
    req.tls = 1;
    header("Authorization", "GOV-HMAC-SHA256 app=x, time=1700000000, "
           "nonce=0123456789abcdef, "
           "signature=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");

    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_OK, name);

    (void) snprintf(want, sizeof(want), "GOV-HMAC-SHA256\nGET\n%s\na.gov\n\n"
                    "1700000000\n0123456789abcdef\nx", canon);
    is_canon(want, name);
}


static void
test_v4_traps(void)
{
    request("GET", "/", "h");
    header("Host", "h");
    header("X-Amz-Date", "20150830T123600Z");
    header("X-Amz-Target", "t");
    header("Authorization", "AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_"
           "request, SignedHeaders=host;x-amz-date, Signature=0000000000000000"
           "000000000000000000000000000000000000000000000000");

    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_OK, "v4");
    ok(!cred.covered, "v4: an x-amz header that is not signed");

    headers[2].name = gs_str_text("Content-Type");
    (void) gs_sign_find(&req, SIGN_ALL, &cred);
    ok(!cred.covered, "v4: a content type that is not signed");

    headers[2].name = gs_str_text("Other");
    (void) gs_sign_find(&req, SIGN_ALL, &cred);
    ok(cred.covered, "v4: other headers need not be");

    headers[1].value = gs_str_text("20150831T123600Z");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_BAD_TIME,
              "v4: another day than the scope's");

    headers[1].value = gs_str_text("20150830T246000Z");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_BAD_TIME,
              "v4: no time of a day");

    headers[1].value = gs_str_text("19700101T000000Z");
    headers[3].value = gs_str_text("AWS4-HMAC-SHA256 Credential=A/19700101/r/s"
                                   "/aws4_request, SignedHeaders=host;x-amz-"
                                   "date, Signature=" ZEROS64);
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_BAD_TIME,
              "v4: the time that is none");
    headers[1].value = gs_str_text("19700101T000001Z");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_OK,
              "v4: a second later");

    headers[1].value = gs_str_text("20150830T123600Z");
    headers[3].value = gs_str_text("AWS4-HMAC-SHA256 SignedHeaders=host, "
                                   "Signature=00000000000000000000000000000000"
                                   "00000000000000000000000000000000");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_MALFORMED,
              "v4: no Credential");
    header("Authorization", "AWS4-HMAC-SHA256 x");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_MALFORMED,
              "v4: two Authorization");
}


static void
test_rfc_input(void)
{
    input("a=(\"@method\");created=1;keyid=\"k\"", GS_SIGN_OK);
    input("a=();keyid=\"k\"", GS_SIGN_OK);
    input("a=(\"@query-param\";name=\"x\");keyid=\"k\"", GS_SIGN_OK);

    input("", GS_SIGN_MALFORMED);
    input("a", GS_SIGN_MALFORMED);
    input("a=", GS_SIGN_MALFORMED);
    input("a=\"@method\";keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(", GS_SIGN_MALFORMED);
    input("a=(\"@method\"", GS_SIGN_MALFORMED);
    input("a=(\"@method\"  \"@path\");keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=( \"@method\");keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(\"@method\" );keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(\"@method\" \"@method\");keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(@method);keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(\"date\";sf);keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(\"date\";req);keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(\"@query-param\");keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(\"@query-param\";name=x);keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(\"@method\")", GS_SIGN_MALFORMED);
    input("a=(\"@method\");keyid=k", GS_SIGN_MALFORMED);
    input("a=(\"@method\");keyid=\"\"", GS_SIGN_MALFORMED);
    input("a=(\"@method\");keyid=\"k\";keyid=\"l\"", GS_SIGN_MALFORMED);
    input("a=(\"@method\"); keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(\"@method\");keyid=\"k\\\"l\"", GS_SIGN_MALFORMED);
    input("a=(\"@method\");keyid=\"k\";x=1", GS_SIGN_MALFORMED);
    input("a=(\"@method\");keyid=\"k\",", GS_SIGN_MALFORMED);
    input("a=(\"@method\");keyid=\"k\" x", GS_SIGN_MALFORMED);
    input("A=(\"@method\");keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=(\"@method\");keyid=\"k\", b=(\"@method\");keyid=\"k\"",
          GS_SIGN_OK);
    is_reason(gs_sign_again(&req, &cred), GS_SIGN_ABSENT, "without signature");
    input("a=();created=\"1\";keyid=\"k\"", GS_SIGN_BAD_TIME);
    input("a=();created=-1;keyid=\"k\"", GS_SIGN_BAD_TIME);
    input("a=();created=1.5;keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=();created=01;keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=();created=9999999999999999;keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=();created=1;created=2;keyid=\"k\"", GS_SIGN_MALFORMED);
    input("a=();alg=\"none\";keyid=\"k\"", GS_SIGN_BAD_ALG);
    input("a=();alg=\"ed25519\";alg=\"ed25519\";keyid=\"k\"",
          GS_SIGN_BAD_ALG);

    covers("\"@method\" \"@authority\" \"@path\" \"@query\"", 0, 1);
    covers("\"@method\" \"@target-uri\"", 0, 1);
    covers("\"@method\" \"@authority\" \"@request-target\"", 0, 1);
    covers("\"@method\" \"@authority\" \"@path\"", 0, 0);
    covers("\"@method\" \"@authority\" \"@path\" \"@query-param\";name=\"a\"",
           0, 0);
    covers("\"@authority\" \"@path\" \"@query\"", 0, 0);
    covers("\"@method\" \"@path\" \"@query\"", 0, 0);
    covers("\"@method\" \"@target-uri\" \"content-digest\"", 1, 1);
    ok(!cred.unsigned_body, "the body is signed");
    covers("\"@method\" \"@target-uri\"", 1, 1);
    ok(cred.unsigned_body, "the body is not signed");

    input("a=(\"@unknown\");keyid=\"k\"", GS_SIGN_OK);
    secret(GS_SIGN_HMAC_SHA256, "secret");
    is_reason(verify(), GS_SIGN_NOT_COVERED, "an unknown component");
    input("a=(\"x-none\");keyid=\"k\"", GS_SIGN_OK);
    is_reason(verify(), GS_SIGN_NOT_COVERED, "a field that is not there");
    input("a=(\"Date\");keyid=\"k\"", GS_SIGN_OK);
    is_reason(verify(), GS_SIGN_NOT_COVERED, "a name in upper case");
    input("a=(\"@query-param\";name=\"a\");keyid=\"k\"", GS_SIGN_OK);
    req.target = gs_str_text("/?a=1&a=2");
    is_reason(verify(), GS_SIGN_NOT_COVERED, "a parameter that is there twice");
}


static void
input(const char *value, gs_sign_reason_e want)
{
    request("GET", "/x?a=1", "h");
    header("Signature-Input", value);
    header("Signature", "a=:AAAA:");
    header("Content-Digest",
           "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), want, value);
}


static void
covers(const char *list, unsigned body, unsigned want)
{
    static char  value[512];

    (void) snprintf(value, sizeof(value), "a=(%s" PARAMS, list);
    input(value, GS_SIGN_OK);
    req.body = body;
    (void) gs_sign_find(&req, SIGN_ALL, &cred);
    is_int(cred.covered, want, "covers: %s", list);
}


static void
test_digest(void)
{
    size_t            i;
    gs_str_t          s;
    gs_sign_digest_t  digest;

    static const struct {
        const char  *text;
        gs_rc_t      want;
    } rows[] = {
        { "sha-256=:" ZEROS "=:", GS_OK },
        { "sm3=:" ZEROS "=:", GS_OK },
        { "md5=:AAAA:, sha-256=:" ZEROS "=:", GS_OK },
        { "sha-256=:" ZEROS "=:;a=1;b", GS_OK },
        { "md5=:AAAA:", GS_DECLINED },
        { "sha-256=:AAAA:", GS_ERROR },
        { "sha-256=AAAA", GS_ERROR },
        { "sha-256=:AA=A:", GS_ERROR },
        { "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=:",
          GS_ERROR },
        { "sha-256=:" ZEROS "=:,", GS_ERROR },
        { "SHA-256=:AAAA:", GS_ERROR },
        { "md5=:AAAA: x", GS_ERROR },
        { "", GS_ERROR }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s = gs_str_text(rows[i].text);
        is_int(gs_sign_content_digest(&s, &digest), rows[i].want,
               "content-digest: %s", rows[i].text);
    }

    s = gs_str_text("sha-256=:" ZEROS "=:, sha-256=:" ZEROS "=:");
    is_int(gs_sign_content_digest(&s, &digest), GS_ERROR, "one twice");
}


static void
test_dates(void)
{
    size_t  i;

    static const char *const  bad[] = {
        "Tue, 14 Nov 2023 22:13:20 UTC", "Tue, 14 nov 2023 22:13:20 GMT",
        "Tue, 30 Feb 2024 22:13:20 GMT", "Tue, 14 Nov 2023 24:13:20 GMT",
        "Tue, 14 Nov 2023 22:13:20", "Tuesday, 14-Nov-23 22:13:20 GMT",
        "Tue, 14 Nov 1923 22:13:20 GMT", "1700000000", "",
        "Thu, 01 Jan 1970 00:00:00 GMT"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        request("GET", "/", "h");
        header("X-BG-HMAC-ACCESS-KEY", "a");
        header("X-BG-HMAC-ALGORITHM", "hmac-sha256");
        header("X-BG-DATE-TIME", bad[i]);
        header("X-BG-HMAC-SIGNATURE",
               "e6+JwZ/1/1Z9jWrOj6xKjqe30W0jLVfksGUuwiWF6yU=");
        is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_BAD_TIME,
                  bad[i]);
    }

    headers[2].value = gs_str_text("Thu, 29 Feb 2024 23:59:59 GMT");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_OK, "leap day");
    is_int(cred.time, 1709251199, "its last second");
    headers[2].value = gs_str_text("Fri, 31 Dec 1999 00:00:00 GMT");
    (void) gs_sign_find(&req, SIGN_ALL, &cred);
    is_int(cred.time, 946598400, "another century");
}


static void
test_limits(void)
{
    size_t  i;
    char   *target;

    target = calloc(1, GS_SIGN_CANON + 8);

    if (target == NULL) {
        abort();
    }

    memcpy(target, "/?", 2);

    for (i = 0; i < 257; i++) {
        memcpy(target + 2 + 2 * i, "a&", 2);
    }

    govhmac("/", "/\n", "a request");
    secret(GS_SIGN_HMAC_SHA256, "secret");
    req.target = gs_str_text(target);
    is_reason(verify(), GS_SIGN_TOO_LONG, "257 parameters");
    target[2 + 512] = '\0';
    req.target = gs_str_text(target);
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "256 parameters");

    memset(target + 1, 'a', GS_SIGN_CANON);
    req.target = gs_str_text(target);
    is_reason(verify(), GS_SIGN_TOO_LONG, "a long path");
    target[1] = '?';
    req.target = gs_str_text(target);
    is_reason(verify(), GS_SIGN_TOO_LONG, "a long query");

    free(target);
}


static EVP_PKEY *
keypair(const char *type, const char *group)
{
    EVP_PKEY  *pkey;

    if (group != NULL) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, type, group);

    } else if (type[0] == 'R') {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t) 2048);

    } else {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, type);
    }

    if (pkey == NULL) {
        abort();
    }

    return pkey;
}
