
/*
 * Copyright (C) govsvc authors
 *
 * The claims of a token: payloads, dates, audience, type, issuers, level; and
 * the identity of a policy.
 */


#include "token_fixture.h"


static void test_payload(void);
static void test_dates(void);
static void test_claims(void);
static void test_typ(void);
static void test_issuers(void);
static void test_level(void);
static void test_seal(void);
static void test_memory(void);


int
main(void)
{
    setup();

    test_payload();
    test_dates();
    test_claims();
    test_typ();
    test_issuers();
    test_level();
    test_seal();
    test_memory();

    done();

    return done_testing();
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
    char    text[512];
    size_t  i;

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
    char      text[512];
    size_t    i;
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
    char      text[256];
    size_t    i;
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
    char              text[512];
    size_t            i;
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
    is_mem(id, 32, issuer.id, 32, "keys do not");
    issuer.keys->generation--;

    issuer.sm2_id.len--;
    (void) gs_token_issuer_seal(&issuer, crypto);
    (void) gs_token_policy_seal(&policy, crypto);
    ok(memcmp(first, policy.id, 32) != 0, "the policy changes with its "
       "issuer");
    issuer.sm2_id.len++;

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
