
/*
 * Copyright (C) govsvc authors
 *
 * Health: the words and what moves them, in virtual time.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route/gs_health.h"
#include "tap.h"


#define HEAD  "HTTP/1.1 "
#define TAIL  "\r\nConnection: close\r\n"


static void test_words(void);
static void test_first(void);
static void test_rise_and_fall(void);
static void test_flapping(void);
static void test_delay(void);
static void test_judge(void);
static void test_window(void);
static void test_eject(void);
static void test_share(void);
static void test_budget(void);
static void test_report(void);
static void test_memory(void);
static gs_health_error_e judge(const char *id, const char *answer);
static const gs_route_check_t *find(const char *id);
static unsigned step(uint64_t *word, gs_health_error_e error, uint64_t now);
static void load(void);


static const char  text[] =
    "{\"check_profiles\":["
    "{\"id\":\"plain\",\"type\":\"http\",\"rise\":2,\"fall\":3,"
    "\"interval\":\"4s\",\"jitter\":\"2s\",\"fast\":\"500ms\"},"
    "{\"id\":\"strict\",\"type\":\"http\",\"path\":\"/health\","
    "\"match\":{\"status\":\"200-204\",\"body\":\"aab\","
    "\"header\":{\"name\":\"X-Ready\",\"value\":\"yes*\"}}},"
    "{\"id\":\"named\",\"type\":\"http\",\"match\":{\"header\":{\"name\":"
    "\"x-ready\"}}},"
    "{\"id\":\"port\",\"type\":\"tcp\"}],"
    "\"platforms\":[{\"id\":\"gd\",\"region\":\"440000\"}],"
    "\"pools\":[{\"id\":\"p\",\"platform\":\"gd\",\"check\":\"plain\","
    "\"slow_start\":\"10s\",\"retry\":{\"budget\":7,\"burst\":3},"
    "\"eject\":{\"ratio\":50,\"window\":\"5s\",\"volume\":8}},"
    "{\"id\":\"q\",\"platform\":\"gd\"}],"
    "\"instances\":["
    "{\"id\":\"a\",\"pool\":\"p\",\"address\":\"10.0.0.1\",\"port\":1},"
    "{\"id\":\"b\",\"pool\":\"p\",\"address\":\"10.0.0.2\",\"port\":1,"
    "\"check\":\"port\"},"
    "{\"id\":\"c\",\"pool\":\"q\",\"address\":\"10.0.0.3\",\"port\":1},"
    "{\"id\":\"d\",\"pool\":\"q\",\"address\":\"10.0.0.4\",\"port\":1,"
    "\"state\":\"drain\"},"
    "{\"id\":\"e\",\"pool\":\"q\",\"address\":\"10.0.0.5\",\"port\":1,"
    "\"state\":\"down\"}],"
    "\"routes\":[]}";


static gs_route_table_t  *table;


int
main(void)
{
    load();
    test_words();
    test_first();
    test_rise_and_fall();
    test_flapping();
    test_delay();
    test_judge();
    test_window();
    test_eject();
    test_share();
    test_budget();
    test_report();
    test_memory();

    gs_free(&gs_mem_libc, table);

    return done_testing();
}


static void
load(void)
{
    size_t                       size;
    gs_err_t                     err;
    gs_str_t                     s;
    const gs_route_pool_t       *p;
    const gs_route_check_t      *check;

    s = gs_str_text(text);

    if (!ok(gs_route_compile(&gs_mem_libc, &s, NULL, &table, &size, &err)
            == GS_OK, "platforms: %s", err.text))
    {
        exit(1);
    }

    p = gs_route_pool(table, 0);
    is_int(p->eject_ratio, 50, "ratio");
    is_int((int64_t) p->eject_window, 5000, "window");
    is_int(p->eject_volume, 8, "volume");
    is_int(p->retry_budget, 7, "budget");
    is_int(p->retry_burst, 3, "burst");
    is_int((int64_t) p->slow_start, 10000, "slow start");

    p = gs_route_pool(table, 1);
    is_int(p->check, GS_ROUTE_NONE, "no check unless one is named");
    is_int(p->eject_ratio, 0, "no ratio");
    is_int(p->retry_budget, 20, "the budget is 20 per cent");
    is_int((int64_t) p->slow_start, 0, "no slow start");

    is_int(gs_route_instance(table, 0)->check, 0, "the check of the pool");
    is_int(gs_route_instance(table, 1)->check, 3, "a check of its own");
    is_int(gs_route_instance(table, 2)->check, GS_ROUTE_NONE, "none");
    ok(gs_route_check(table, 4) == NULL, "past the end");

    check = find("port");
    is_int(check->type, GS_ROUTE_CHECK_TCP, "type");
    is_int(check->interval, 5000, "default of interval");
    is_int(check->jitter, 500, "default of jitter: a tenth");
    is_int(check->fast, 1000, "default of fast");
    is_int(check->timeout, 2000, "default of timeout");
    is_int(check->rise, 2, "default of rise");
    is_int(check->fall, 3, "default of fall");
}


static const gs_route_check_t *
find(const char *id)
{
    uint32_t                 i;
    gs_str_t                 s;
    const gs_route_check_t  *check;

    for (i = 0; ; i++) {
        check = gs_route_check(table, i);
        s = gs_route_str(table, check->id);

        if (gs_str_eq_text(&s, id)) {
            return check;
        }
    }
}


static void
test_words(void)
{
    gs_health_t  h, back;

    h.state = 7;
    h.error = (gs_health_error_e) 31;
    h.streak = 255;
    h.status = 1023;
    h.since = 0x3fffffffffull;

    ok(gs_health_pack(&h) == ~0ull, "a full word");
    gs_health_unpack(gs_health_pack(&h), &back);
    ok(memcmp(&h, &back, sizeof(gs_health_t)) == 0, "there and back");

    gs_health_unpack(0, &h);
    ok(h.state == GS_HEALTH_UNKNOWN && h.since == 0, "zero is unknown");

    ok(strcmp(gs_health_error_text((gs_health_error_e) 31), "") == 0,
       "an error of another version has no text");
    ok(strcmp(gs_health_error_text(GS_HEALTH_TLS), "tls") == 0, "a text");
}


static unsigned
step(uint64_t *word, gs_health_error_e error, uint64_t now)
{
    return gs_health_checked(*word, find("plain"), error,
                             error == GS_HEALTH_STATUS ? 500 : 0, now, word);
}


static void
test_first(void)
{
    uint64_t     word;
    gs_health_t  h;

    word = 0;
    ok(step(&word, GS_HEALTH_OK, 10) == 1, "the first success decides");
    gs_health_unpack(word, &h);
    ok(h.state == GS_HEALTH_UP && h.since == 10 && h.streak == 0, "up");

    word = 0;
    ok(step(&word, GS_HEALTH_STATUS, 20) == 1, "so does the first failure");
    gs_health_unpack(word, &h);
    ok(h.state == GS_HEALTH_DOWN && h.since == 20, "down");
    ok(h.error == GS_HEALTH_STATUS && h.status == 500, "with its reason");
}


static void
test_rise_and_fall(void)
{
    uint64_t     word;
    gs_health_t  h;

    word = 0;
    (void) step(&word, GS_HEALTH_OK, 1);

    ok(!step(&word, GS_HEALTH_TIMEOUT, 2), "one failure of three");
    ok(!step(&word, GS_HEALTH_TIMEOUT, 3), "two");
    gs_health_unpack(word, &h);
    ok(h.state == GS_HEALTH_UP && h.streak == 2 && h.since == 1,
       "still up, the streak is seen");
    ok(step(&word, GS_HEALTH_CONNECT, 4), "three: down");
    gs_health_unpack(word, &h);
    ok(h.state == GS_HEALTH_DOWN && h.since == 4
       && h.error == GS_HEALTH_CONNECT, "down for the last reason");

    ok(!step(&word, GS_HEALTH_OK, 5), "one success of two");
    ok(!step(&word, GS_HEALTH_TLS, 6), "and a failure");
    ok(!step(&word, GS_HEALTH_OK, 7), "begin again");
    ok(step(&word, GS_HEALTH_OK, 8), "two in a row: up");
    gs_health_unpack(word, &h);
    ok(h.state == GS_HEALTH_UP && h.error == GS_HEALTH_TLS,
       "the last error stays readable");
}


static void
test_flapping(void)
{
    unsigned  i, changes;
    uint64_t  word;

    word = 0;
    (void) step(&word, GS_HEALTH_OK, 1);

    for (i = 0, changes = 0; i < 1000; i++) {
        changes += step(&word, (i & 1) ? GS_HEALTH_CLOSED : GS_HEALTH_OK,
                        i + 2);
    }

    is_int(changes, 0, "alternating results change nothing");

    for (i = 0; i < 1000; i++) {
        (void) step(&word, GS_HEALTH_CLOSED, i + 2000);
    }

    ok(step(&word, GS_HEALTH_OK, 1) == 0 && step(&word, GS_HEALTH_OK, 1) == 1,
       "however long it was down");
}


static void
test_delay(void)
{
    uint32_t                 i;
    uint64_t                 word, delay, least, most;
    const gs_route_check_t  *check;

    check = find("plain");
    word = 0;
    is_int((int64_t) gs_health_delay(word, check, 9), 500,
           "fast as long as nothing is known");

    (void) step(&word, GS_HEALTH_OK, 1);

    for (i = 0, least = ~0ull, most = 0; i < 100000; i += 7) {
        delay = gs_health_delay(word, check, i);
        least = (delay < least) ? delay : least;
        most = (delay > most) ? delay : most;
    }

    is_int((int64_t) least, 4000, "the interval");
    is_int((int64_t) most, 6000, "and all of the jitter");

    (void) step(&word, GS_HEALTH_TIMEOUT, 2);
    is_int((int64_t) gs_health_delay(word, check, 9), 500,
           "fast in a transition");
}


static gs_health_error_e
judge(const char *id, const char *answer)
{
    gs_health_error_e   e;
    gs_http_response_t  r;

    if (gs_http_response_init(&r, &gs_mem_libc, 4096, 4096, 0) != GS_OK) {
        return GS_HEALTH_ERRORS;
    }

    e = GS_HEALTH_INVALID;

    if (gs_http_response_feed(&r, (const gs_uchar_t *) answer,
                              strlen(answer)) != GS_ERROR
        && gs_http_response_eof(&r) == GS_OK)
    {
        e = gs_health_judge(table, find(id), &r);
    }

    gs_http_response_release(&r);

    return e;
}


static void
test_judge(void)
{
    unsigned  i;
    static const struct {
        const char         *id;
        const char         *answer;
        gs_health_error_e   want;
    } v[] = {
        { "plain", HEAD "200 OK" TAIL "\r\n", GS_HEALTH_OK },
        { "plain", HEAD "302 Found" TAIL "Location: /\r\n\r\n",
          GS_HEALTH_OK },
        { "plain", HEAD "400 Bad" TAIL "\r\n", GS_HEALTH_STATUS },
        { "plain", HEAD "503 Bad" TAIL "\r\n", GS_HEALTH_STATUS },
        { "plain", "SSH-2.0-x\r\n", GS_HEALTH_INVALID },
        { "strict", HEAD "200 OK" TAIL "X-Ready: yes, sir\r\n\r\nxaaab",
          GS_HEALTH_OK },
        { "strict", HEAD "200 OK" TAIL "x-ready: no\r\nX-READY: yes\r\n\r\n"
          "aab", GS_HEALTH_OK },
        { "strict", HEAD "206 OK" TAIL "X-Ready: yes\r\n\r\naab",
          GS_HEALTH_STATUS },
        { "strict", HEAD "200 OK" TAIL "X-Ready: no\r\n\r\naab",
          GS_HEALTH_HEADER },
        { "strict", HEAD "200 OK" TAIL "\r\naab", GS_HEALTH_HEADER },
        { "strict", HEAD "200 OK" TAIL "X-Ready: yes\r\n\r\naaaa",
          GS_HEALTH_BODY },
        { "strict", HEAD "200 OK" TAIL "X-Ready: yes\r\n\r\naa",
          GS_HEALTH_BODY },
        { "strict", HEAD "200 OK" TAIL "X-Ready: yes\r\n\r\n",
          GS_HEALTH_BODY },
        { "named", HEAD "200 OK" TAIL "X-Ready: anything\r\n\r\n",
          GS_HEALTH_OK },
        { "named", HEAD "200 OK" TAIL "X-Readyness: yes\r\n\r\n",
          GS_HEALTH_HEADER }
    };

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        is_int(judge(v[i].id, v[i].answer), v[i].want, "%s, answer %u",
               v[i].id, i);
    }
}


static void
test_window(void)
{
    unsigned  i;
    uint64_t  word;

    word = 0;

    for (i = 0; i < 7; i++) {
        word = gs_health_count(word, 1, 1000, 100 + i);
    }

    ok(!gs_health_exceeds(word, 50, 8), "too few to judge by");
    word = gs_health_count(word, 0, 1000, 110);
    ok(gs_health_exceeds(word, 50, 8), "7 of 8");
    ok(gs_health_exceeds(word, 87, 8), "87 per cent are reached");
    ok(!gs_health_exceeds(word, 88, 8), "88 are not");
    ok(!gs_health_exceeds(word, 0, 1), "0 per cent: switched off");

    word = gs_health_count(word, 0, 1000, 1099);
    ok(gs_health_exceeds(word, 77, 9), "the last moment of the window");
    word = gs_health_count(word, 0, 1000, 1100);
    ok(!gs_health_exceeds(word, 1, 1), "the next begins with nothing");

    word = gs_health_count(0, 1, 1000, 0xffffffffull - 10);
    word = gs_health_count(word, 1, 1000, 0xffffffffull + 10);
    ok(gs_health_exceeds(word, 100, 2), "across the end of 32 bits");

    for (i = 0, word = 0; i < 200000; i++) {
        word = gs_health_count(word, i % 4 == 0, 1000, 5);
    }

    ok(gs_health_exceeds(word, 24, 100000) && !gs_health_exceeds(word, 26, 1),
       "many requests keep the share");
}


static void
test_eject(void)
{
    is_int((int64_t) gs_health_eject_time(1000, 0), 1000, "time");
    is_int((int64_t) gs_health_eject_time(1000, 1), 1000, "the first");
    is_int((int64_t) gs_health_eject_time(1000, 3), 4000, "the third");
    is_int((int64_t) gs_health_eject_time(1000, ~0ull), 32000, "the most");

    ok(!gs_health_may_eject(1, 1, 100, 1), "the only one is never");
    ok(gs_health_may_eject(1, 1, 100, 0), "unless another pool stands behind");
    ok(gs_health_may_eject(2, 2, 0, 1), "one of two is");
    ok(!gs_health_may_eject(2, 1, 50, 1), "the other one is not");
    ok(gs_health_may_eject(10, 8, 34, 1), "a third of ten");
    ok(!gs_health_may_eject(10, 7, 34, 1), "and no more");
    ok(!gs_health_may_eject(10, 0, 100, 0), "nobody left to eject");

    ok(!gs_health_panic(4, 4, 100, 1), "all are usable");
    ok(!gs_health_panic(4, 2, 50, 1), "half are enough");
    ok(gs_health_panic(4, 1, 50, 1), "a quarter is not");
    ok(!gs_health_panic(4, 0, 50, 0), "another pool is better");
    ok(!gs_health_panic(4, 0, 0, 1), "switched off");
    ok(gs_health_panic(1, 0, 0, 1), "but the only one is always tried");
}


static void
test_share(void)
{
    uint64_t     word;
    gs_health_t  h;

    memset(&h, 0, sizeof(gs_health_t));
    h.since = 1000;
    word = gs_health_pack(&h);
    is_int(gs_health_share(word, 1000, 1001), 1024, "nothing happened");

    h.state = GS_HEALTH_RECOVERED;
    word = gs_health_pack(&h);
    is_int(gs_health_share(word, 0, 1001), 1024, "no slow start");
    is_int(gs_health_share(word, 1000, 1000), 102, "begins with a tenth");
    is_int(gs_health_share(word, 1000, 1500), 512, "half the time");
    is_int(gs_health_share(word, 1000, 2000), 1024, "over");
    is_int(gs_health_share(word, 1000, 999), 1024, "a clock gone back");
}


static void
test_budget(void)
{
    unsigned  i, retries;
    uint32_t  tokens;

    tokens = 0;

    for (i = 0, retries = 0; i < 1000; i++) {
        gs_health_earn(&tokens, 20, 10);
        retries += (gs_health_spend(&tokens) == GS_OK);
    }

    is_int(retries, 200, "a fifth of all requests");

    for (i = 0; i < 1000; i++) {
        gs_health_earn(&tokens, 20, 3);
    }

    for (retries = 0; gs_health_spend(&tokens) == GS_OK; retries++) {
        ok(retries < 3, "from the burst: %u", retries);
    }

    is_int(retries, 3, "the burst and no more");
    ok(!gs_health_can_retry(tokens), "spent");

    for (i = 0, tokens = 0, retries = 0; i < 100; i++) {
        gs_health_earn(&tokens, 1, 0);
        retries += (gs_health_spend(&tokens) == GS_OK);
    }

    is_int(retries, 1, "one per cent without a burst");

    for (i = 0, tokens = 0; i < 100; i++) {
        gs_health_earn(&tokens, 0, 0);
    }

    ok(gs_health_spend(&tokens) == GS_DECLINED, "no budget, no burst");
}


static void
test_report(void)
{
    unsigned            i;
    uint64_t            up, down, ejected, back;
    gs_health_t         h;
    gs_health_report_t  r;

    up = 0;
    (void) step(&up, GS_HEALTH_OK, 50);
    down = 0;
    (void) step(&down, GS_HEALTH_STATUS, 60);

    memset(&h, 0, sizeof(gs_health_t));
    h.state = GS_HEALTH_RATIO;
    h.error = GS_HEALTH_TIMEOUT;
    h.since = 70;
    ejected = gs_health_pack(&h);
    h.state = GS_HEALTH_RECOVERED;
    back = gs_health_pack(&h);

    {
        const struct {
            uint32_t     instance;
            uint64_t     check;
            uint64_t     fate;
            uint64_t     until;
            uint64_t     times;
            const char  *want;
        } v[] = {
            { 0, 0, 0, 0, 0, "checking check  0 0" },
            { 0, up, 0, 0, 0, "up   0 50" },
            { 0, down, 0, 0, 0, "unhealthy check status 500 60" },
            { 0, up, ejected, 500, 1, "ejected ratio timeout 0 70" },
            { 0, down, ejected, 500, 1, "unhealthy check status 500 60" },
            { 0, up, ejected, 90, 1, "trial ratio timeout 0 70" },
            { 0, up, back, 0, 0, "slow_start recovered timeout 0 70" },
            { 2, down, 0, 0, 0, "up   0 0" },
            { 3, 0, ejected, 500, 1, "draining operator  0 0" },
            { 4, 0, ejected, 500, 1, "down operator  0 0" }
        };

        for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
            char  got[128];

            gs_health_report(gs_route_instance(table, v[i].instance),
                             v[i].check, v[i].fate, v[i].until, v[i].times,
                             1000, 100, &r);

            (void) snprintf(got, sizeof(got), "%s %s %s %u %llu", r.state,
                            r.reason, r.error, (unsigned) r.status,
                            (unsigned long long) r.since);

            ok(strcmp(got, v[i].want) == 0, "%s: %s", v[i].want, got);
        }
    }
}


static void
test_memory(void)
{
    size_t             size;
    gs_rc_t            rc;
    unsigned           n;
    gs_err_t           err;
    gs_str_t           s;
    gs_route_table_t  *t;

    s = gs_str_text(text);

    for (n = 1; n < 10000; n++) {
        rc = gs_route_compile(tap_mem_fail(n), &s, NULL, &t, &size, &err);

        if (!tap_mem_failed()) {
            break;
        }

        if (rc != GS_ERROR || tap_mem_live() != 0) {
            break;
        }
    }

    ok(rc == GS_OK && !tap_mem_failed(), "each allocation may fail: %u", n);

    gs_free(tap_mem_fail(0), t);
}
