
/*
 * Copyright (C) govsvc authors
 *
 * Quotas: windows of the calendar, one node, tickets of many.
 */


#include <stdio.h>
#include <stdlib.h>

#include "core/gs_time.h"
#include "limit/gs_limit_quota.h"
#include "tap.h"


#define NODES  3


static void test_parse(void);
static void test_windows(void);
static void test_one_node(void);
static void test_nodes(void);
static void test_outage(void);
static void test_full(void);
static gs_limit_quota_table_t *make(size_t keys);
static gs_rc_t take(gs_limit_quota_table_t *table, gs_limit_quota_t *quota,
    const char *key, uint64_t cost, uint64_t window, uint64_t *redis,
    unsigned gone);
static uint64_t at(const char *text);


int
main(void)
{
    test_parse();
    test_windows();
    test_one_node();
    test_nodes();
    test_outage();
    test_full();

    return done_testing();
}


static void
test_parse(void)
{
    size_t            i;
    gs_str_t          s;
    gs_limit_quota_t  q;

    static const char *const  bad[] = {
        "", "5", "/day", "0/day", "-1/day", "5/week", "5/days", "x/day",
        "4000000001/day", "99999999999999999999/day"
    };

    static const char *const  zones[] = {
        "", "08:00", "+8:00", "+0800", "+15:00", "+08:60", "+0x:00", "z"
    };

    s = gs_str_text("1000000/day");
    is_int(gs_limit_quota_parse(&q, &s, NULL), GS_OK, "a quota");
    is_int((int64_t) q.limit, 1000000, "its number");
    is_int(q.unit, GS_LIMIT_QUOTA_DAY, "its unit");

    s = gs_str_text("-03:30");
    is_int(gs_limit_quota_zone(&q, &s, NULL), GS_OK, "a time zone");
    is_int(q.zone, -12600, "in the west");

    s = gs_str_text("Z");
    is_int(gs_limit_quota_zone(&q, &s, NULL), GS_OK, "Greenwich");
    is_int(q.zone, 0, "is 0");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = gs_str_text(bad[i]);
        is_int(gs_limit_quota_parse(&q, &s, NULL), GS_ERROR, "bad quota %s",
               bad[i]);
    }

    for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        s = gs_str_text(zones[i]);
        is_int(gs_limit_quota_zone(&q, &s, NULL), GS_ERROR, "bad zone %s",
               zones[i]);
    }
}


static void
test_windows(void)
{
    size_t            i;
    uint64_t          first, last, end;
    gs_limit_quota_t  q;

    static const struct {
        gs_limit_quota_unit_e  unit;
        int                    zone;
        const char            *first;
        const char            *end;
    } rows[] = {
        { GS_LIMIT_QUOTA_DAY, 8, "2026-11-22T00:00:00+08:00",
          "2026-11-23T00:00:00+08:00" },
        { GS_LIMIT_QUOTA_DAY, -5, "2026-11-22T00:00:00-05:00",
          "2026-11-23T00:00:00-05:00" },
        { GS_LIMIT_QUOTA_HOUR, 8, "2026-11-22T23:00:00+08:00",
          "2026-11-23T00:00:00+08:00" },
        { GS_LIMIT_QUOTA_MONTH, 8, "2026-11-01T00:00:00+08:00",
          "2026-12-01T00:00:00+08:00" },
        { GS_LIMIT_QUOTA_MONTH, 8, "2026-12-01T00:00:00+08:00",
          "2027-01-01T00:00:00+08:00" },
        { GS_LIMIT_QUOTA_MONTH, 8, "2027-01-01T00:00:00+08:00",
          "2027-02-01T00:00:00+08:00" },
        { GS_LIMIT_QUOTA_MONTH, 8, "2027-02-01T00:00:00+08:00",
          "2027-03-01T00:00:00+08:00" },
        { GS_LIMIT_QUOTA_MONTH, 0, "2028-02-01T00:00:00Z",
          "2028-03-01T00:00:00Z" },
        { GS_LIMIT_QUOTA_MONTH, 0, "2100-02-01T00:00:00Z",
          "2100-03-01T00:00:00Z" },
        { GS_LIMIT_QUOTA_MONTH, 0, "2000-02-01T00:00:00Z",
          "2000-03-01T00:00:00Z" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        q.unit = rows[i].unit;
        q.zone = rows[i].zone * 3600;

        first = gs_limit_quota_window(&q, at(rows[i].first), &end);
        is_int((int64_t) end, (int64_t) at(rows[i].end), "%s ends",
               rows[i].first);

        last = gs_limit_quota_window(&q, end - 1, &end);
        is_int((int64_t) last, (int64_t) first, "%s: one window",
               rows[i].first);
        is_int((int64_t) end, (int64_t) at(rows[i].end), "%s: one end",
               rows[i].first);

        is_int((int64_t) gs_limit_quota_window(&q, end, &end),
               (int64_t) first + 1, "%s: the next", rows[i].first);
    }
}


static void
test_one_node(void)
{
    gs_limit_quota_t         q;
    gs_limit_quota_table_t  *table;

    table = make(10);
    q.limit = 3;
    gs_limit_quota_plan(&q, 0, 20);

    is_int(take(table, &q, "a", 1, 7, NULL, 0), GS_OK, "1 of 3");
    is_int(take(table, &q, "a", 3, 7, NULL, 0), GS_DECLINED, "4 of 3");
    is_int(take(table, &q, "a", 2, 7, NULL, 0), GS_OK, "3 of 3");
    is_int(take(table, &q, "a", 1, 7, NULL, 0), GS_DECLINED, "used up");
    is_int(take(table, &q, "b", 1, 7, NULL, 0), GS_OK, "another key");
    is_int(take(table, &q, "c", 4, 7, NULL, 0), GS_DECLINED,
           "more than the quota");
    is_int(take(table, &q, "a", 1, 8, NULL, 0), GS_OK, "the next window");
    is_int(take(table, &q, "a", 3, 8, NULL, 0), GS_DECLINED, "counts anew");

    free(table);
}


/* All nodes together spend the quota, whole and no more. */

static void
test_nodes(void)
{
    size_t                   i, n;
    uint64_t                 redis, passed, idle;
    gs_limit_quota_t         q;
    gs_limit_quota_table_t  *tables[NODES];

    static const uint64_t  limits[] = { 1, 2, 3, 100, 5000, 100000 };

    for (n = 0; n < sizeof(limits) / sizeof(limits[0]); n++) {

        q.limit = limits[n];
        gs_limit_quota_plan(&q, NODES, 20);
        ok(q.local * NODES + q.shared == q.limit, "%zu is divided",
           (size_t) q.limit);

        for (i = 0; i < NODES; i++) {
            tables[i] = make(10);
        }

        redis = 0;
        passed = 0;
        idle = 0;

        for (i = 0; idle < 100; i++) {
            if (take(tables[i % NODES], &q, "key", 1, 9, &redis, 0)
                == GS_OK)
            {
                passed++;
                idle = 0;

            } else {
                idle++;
            }
        }

        is_int((int64_t) passed, (int64_t) q.limit, "%zu, to the last",
               (size_t) q.limit);
        is_int((int64_t) redis, (int64_t) q.shared,
               "%zu, what was not granted is given back", (size_t) q.limit);

        for (i = 0; i < NODES; i++) {
            free(tables[i]);
        }
    }
}


static void
test_outage(void)
{
    uint64_t                 i, passed;
    gs_limit_quota_t         q;
    gs_limit_quota_table_t  *table;

    table = make(10);
    q.limit = 300;
    gs_limit_quota_plan(&q, NODES, 20);
    passed = 0;

    for (i = 0; i < 400; i++) {
        passed += (take(table, &q, "key", 1, 9, NULL, 1) == GS_OK);
    }

    is_int((int64_t) passed, 100, "without Redis, the part of one node");

    free(table);
}


static void
test_full(void)
{
    char                     text[16];
    unsigned                 i, busy;
    gs_limit_quota_t         q;
    gs_limit_quota_table_t  *table;

    table = make(0);
    q.limit = 1;
    gs_limit_quota_plan(&q, 0, 0);
    busy = 0;

    for (i = 0; i < 100; i++) {
        (void) snprintf(text, sizeof(text), "%u", i);
        busy += (take(table, &q, text, 1, 9, NULL, 0) == GS_BUSY);
    }

    is_int(busy, 68, "no room for more than 32");
    is_int(take(table, &q, "0", 1, 9, NULL, 0), GS_DECLINED,
           "who is counted stays counted");
    is_int(take(table, &q, "new", 1, 10, NULL, 0), GS_OK,
           "a new window has room");

    free(table);
}


static gs_limit_quota_table_t *
make(size_t keys)
{
    size_t            size;
    gs_siphash_key_t  secret;

    secret.k0 = 1;
    secret.k1 = 2;
    size = gs_limit_quota_size(keys);

    return gs_limit_quota_init(aligned_alloc(64, (size + 63) / 64 * 64), size,
                               &secret);
}


/* Redis, where there is one, answers at once. */

static gs_rc_t
take(gs_limit_quota_table_t *table, gs_limit_quota_t *quota, const char *text,
    uint64_t cost, uint64_t window, uint64_t *redis, unsigned gone)
{
    gs_rc_t               rc;
    gs_str_t              key;
    gs_limit_quota_ask_t  ask;
    gs_limit_quota_key_t  k;

    key = gs_str_text(text);
    gs_limit_quota_prepare(&k, table, quota, &key, cost, window);
    rc = gs_limit_quota_take(&k, gone);

    if (k.ask && !gone && redis != NULL
        && gs_limit_quota_ask(&k, 1000, 100, &ask) == GS_OK)
    {
        *redis += ask.n;
        *redis -= gs_limit_quota_grant(&ask, *redis);
    }

    return rc;
}


static uint64_t
at(const char *text)
{
    gs_str_t  s;
    uint64_t  us;

    s = gs_str_text(text);
    us = 0;
    ok(gs_time_parse(&s, &us) == GS_OK, "%s is a time", text);

    return us;
}
