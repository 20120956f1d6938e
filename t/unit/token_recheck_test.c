
/*
 * Copyright (C) govsvc authors
 *
 * The cache and what happens around it: revocations after a verdict was kept,
 * clients that send forged tokens, the part for bad verdicts.
 */


#include "token_cache_fixture.h"


static void test_revoked(void);
static void test_throttle(void);
static void test_throttle_cost(void);
static int forged(gs_token_alg_e alg, const char *header);
static void test_negative(void);


int
main(void)
{
    sign_init();
    setup();

    test_revoked();
    test_throttle();
    test_throttle_cost();
    test_negative();

    done();

    return done_testing();
}


/* A verdict kept is looked at again after each revocation, and only then. */

static void
test_revoked(void)
{
    char                   text[256];
    void                  *room;
    gs_str_t               t, other;
    gs_token_revoke_t      revoked;
    gs_token_revocation_t  rev;

    static const gs_uchar_t  random[24] = "revocations";

    room = aligned_alloc(64, GS_TOKEN_REVOKE_MIN);
    memset(room, 0, GS_TOKEN_REVOKE_MIN);
    (void) gs_token_revoke_create(&revoked, room, GS_TOKEN_REVOKE_MIN,
                                  random);
    revoked.pid = cache.pid;
    revoked.alive = alive;

    fresh(SIZE);
    (void) snprintf(text, sizeof(text), "{\"iss\":\"i\",\"sub\":\"u1\","
                    "\"jti\":\"j1\",\"iat\":%d,\"exp\":1700003600}",
                    (int) NOW - 10);
    t = sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\",\"kid\":\"es\"}",
                   text);
    (void) snprintf(text, sizeof(text), "{\"iss\":\"i\",\"sub\":\"u2\","
                    "\"iat\":%d,\"exp\":1700003600}", (int) NOW - 10);
    other = sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}", text);

    /* kept before there was anything to be revoked in */

    is_int(check(t, NOW), GS_TOKEN_OK, "without revocations");
    policy.revoke = &revoked;
    is_int(check(t, NOW), GS_TOKEN_OK, "with none yet");
    is_int(verdict.cached, 1, "from the cache");
    is_int((int64_t) stat_now.rechecks, 1, "looked at once");
    is_int(check(t, NOW), GS_TOKEN_OK, "again");
    is_int((int64_t) stat_now.rechecks, 1, "not again");
    is_int(check(other, NOW), GS_TOKEN_OK, "another");

    memset(&rev, 0, sizeof(rev));
    rev.kind = GS_TOKEN_REVOKE_JTI;
    rev.value = gs_str_text("j1");
    rev.until = NOW + 100;
    (void) gs_token_revoke_add(&revoked, &rev, NOW, NULL, NULL);

    is_int(check(t, NOW), GS_TOKEN_REVOKED, "revoked by jti");
    is_int(verdict.cached, 1, "in the cache");
    is_int((int64_t) verdict.claims.len, 0, "and tells no claims");
    is_int(check(t, NOW), GS_TOKEN_REVOKED, "it stays so");
    is_int(check(other, NOW), GS_TOKEN_OK, "the other does not mind");
    is_int(check(t, NOW + 100), GS_TOKEN_OK, "until the entry ends");

    (void) gs_token_revoke_lift(&revoked, &rev, NOW, NULL, NULL);
    is_int(check(t, NOW), GS_TOKEN_OK, "lifted");

    rev.kind = GS_TOKEN_REVOKE_KID;
    rev.value = gs_str_text("es");
    (void) gs_token_revoke_add(&revoked, &rev, NOW, NULL, NULL);
    is_int(check(t, NOW), GS_TOKEN_REVOKED, "by kid");
    (void) gs_token_revoke_lift(&revoked, &rev, NOW, NULL, NULL);

    rev.kind = GS_TOKEN_REVOKE_BEFORE;
    rev.value = gs_str_text("u1");
    rev.before = NOW;
    (void) gs_token_revoke_add(&revoked, &rev, NOW, NULL, NULL);
    is_int(check(t, NOW), GS_TOKEN_REVOKED, "by time of issue");
    is_int(check(other, NOW), GS_TOKEN_OK, "not another subject");

    /* first seen */

    fresh(SIZE);
    is_int(check(t, NOW), GS_TOKEN_REVOKED, "first seen");
    is_int((int64_t) stat_now.stores, 0, "and not kept");
    t = token_of(1);
    is_int(check(t, NOW), GS_TOKEN_CLAIM_MISSING, "without iat");

    policy.revoke = NULL;
    (void) check(t, NOW);
    policy.revoke = &revoked;
    is_int(check(t, NOW), GS_TOKEN_REVOKED, "kept without iat");
    policy.revoke = NULL;

    free(room);
}


static void
test_throttle(void)
{
    int       i, bad, throttled;
    char      text[4096], number[16];
    gs_str_t  t, forged;

    fresh(SIZE);
    cache.throttle.period = 100;
    cache.throttle.burst = 20;
    client = "192.0.2.1";

    t = token_of(1);
    is_int(check(t, NOW), GS_TOKEN_OK, "a good one");

    memcpy(text, t.data, t.len);
    forged = gs_str_make(text, t.len);
    bad = 0;
    throttled = 0;

    for (i = 0; i < 100; i++) {
        (void) snprintf(number, sizeof(number), "%04d", i);
        memcpy(text + t.len - 20, number, 4);

        switch (check(forged, NOW)) {

        case GS_TOKEN_BAD_SIGNATURE:
            bad++;
            break;

        case GS_TOKEN_THROTTLED:
            throttled++;
            break;

        default:
            break;
        }
    }

    is_int(bad, 20, "20 are looked at");
    is_int(throttled, 80, "the rest is not");
    is_int((int64_t) stat_now.throttled, 80, "and counted");

    is_int(check(t, NOW), GS_TOKEN_OK, "what is known to be good passes");
    is_int(verdict.cached, 1, "from the cache");

    t = token_of(2);
    is_int(check(t, NOW), GS_TOKEN_THROTTLED, "a new one does not");
    client = "192.0.2.2";
    is_int(check(t, NOW), GS_TOKEN_OK, "but of another client");

    client = "192.0.2.1";
    t = token_of(3);
    is_int(check(t, NOW + 1), GS_TOKEN_OK, "a second later");

    bad = 0;

    for (i = 0; i < 100; i++) {
        (void) snprintf(number, sizeof(number), "%04d", 1000 + i);
        memcpy(text + forged.len - 20, number, 4);
        bad += (check(forged, NOW + 1) == GS_TOKEN_BAD_SIGNATURE);
    }

    is_int(bad, 10, "ten more in that second");

    cache.throttle.period = 0;
    is_int(check(token_of(4), NOW), GS_TOKEN_OK, "off");
    client = "";
}


static void
test_negative(void)
{
    gs_token_cache_t  other;

    memset(memory, 0, SIZE);
    is_int(gs_token_cache_create(&cache, memory, SIZE, SIZE / 2 + 1,
           random_key), GS_ERROR, "more than half for bad ones");
    is_int(gs_token_cache_create(&cache, memory, SIZE, SIZE / 2, random_key),
           GS_OK, "half of it");
    is_int((int64_t) cache.hdr->bad_sets, SIZE / 2 / 256, "as asked for");
    ok((char *) (cache.throttle.words
                 + cache.throttle.sets * GS_TOKEN_THROTTLE_WAYS)
       <= (char *) memory + SIZE, "within its memory");
    is_int(gs_token_cache_attach(&other, memory, SIZE), GS_OK, "attached");

    cache.hdr->bad++;
    is_int(gs_token_cache_attach(&other, memory, SIZE), GS_ERROR,
           "another division");
}


/* What is dear to verify counts for more. */

static void
test_throttle_cost(void)
{
    is_int(forged(GS_TOKEN_RS256, "{\"alg\":\"RS256\",\"kid\":\"rs\"}"), 40,
           "40 of RS256");
    is_int(forged(GS_TOKEN_SM2, "{\"alg\":\"SM2\",\"kid\":\"sm\"}"), 10,
           "10 of SM2");
    is_int(forged(GS_TOKEN_ES384, "{\"alg\":\"ES384\",\"kid\":\"e3\"}"), 5,
           "5 of ES384");
    is_int(forged(GS_TOKEN_ES512, "{\"alg\":\"ES512\",\"kid\":\"e5\"}"), 5,
           "5 of ES512");
}


/* How many of 60 are looked at. */

static int
forged(gs_token_alg_e alg, const char *header)
{
    int       i, bad;
    char      text[4096], number[16];
    gs_str_t  t;

    fresh(SIZE);
    cache.throttle.period = 100;
    cache.throttle.burst = 40;
    client = "192.0.2.1";
    bad = 0;

    t = sign_token(alg, header, "{\"exp\":1700003600}");
    memcpy(text, t.data, t.len);
    t = gs_str_make(text, t.len);

    for (i = 0; i < 60; i++) {
        (void) snprintf(number, sizeof(number), "%04d", i);
        memcpy(text + t.len - 20, number, 4);
        bad += (check(t, NOW) == GS_TOKEN_BAD_SIGNATURE);
    }

    client = "";

    return bad;
}
