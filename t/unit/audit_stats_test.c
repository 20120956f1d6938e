
/*
 * Copyright (C) govsvc authors
 *
 * Counts over lines: names beyond a table, durations within their bound, and
 * memory that is out; values of lines of the wrong form.
 */


#include "audit/gs_audit_export.h"
#include "audit/gs_audit_stats.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


static void test_latency(void);
static void test_names(void);
static void test_memory(void);
static void test_form(void);
static void test_small(void);
static gs_rc_t add(gs_audit_stats_t *s, const char *text);


int
main(void)
{
    test_latency();
    test_names();
    test_memory();
    test_form();
    test_small();

    return done_testing();
}


static gs_rc_t
add(gs_audit_stats_t *s, const char *text)
{
    gs_str_t  line;

    line = gs_str_text(text);

    return gs_audit_stats_add(s, &line);
}


static void
test_latency(void)
{
    unsigned             bad, shift;
    uint64_t             us, at;
    gs_audit_latency_t  *l;

    bad = 0;

    for (shift = 0; shift < 37; shift++) {
        for (us = 1ull << shift; us < (1ull << shift) + 40; us += 13) {
            l = gs_calloc(&gs_mem_libc, 1, sizeof(gs_audit_latency_t));

            gs_audit_latency_add(l, us);
            l->max = UINT64_MAX;
            at = gs_audit_latency_at(l, 500);

            bad += (at < us || at > us + us / 32 + 1);
            gs_free(&gs_mem_libc, l);
        }
    }

    is_int(bad, 0, "each value is met, at most 1/32 too large");

    l = gs_calloc(&gs_mem_libc, 1, sizeof(gs_audit_latency_t));
    is_int((int64_t) gs_audit_latency_at(l, 990), 0, "nothing was counted");

    for (us = 1; us <= 1000; us++) {
        gs_audit_latency_add(l, us);
    }

    at = gs_audit_latency_at(l, 500);
    ok(at >= 500 && at <= 516, "p50: %llu", (unsigned long long) at);
    at = gs_audit_latency_at(l, 990);
    ok(at >= 990 && at <= 1000, "p99: %llu", (unsigned long long) at);
    is_int((int64_t) gs_audit_latency_at(l, 1000), 1000, "never above the "
           "largest");

    gs_audit_latency_add(l, UINT64_MAX);
    ok(gs_audit_latency_at(l, 1000) > 1000, "beyond all places");

    gs_free(&gs_mem_libc, l);
}


static void
test_names(void)
{
    char               text[512], name[100];
    unsigned           i, failed;
    uint64_t           n;
    gs_arena_t        *arena;
    gs_audit_stats_t  *s;

    arena = gs_arena_create(&gs_mem_libc);
    s = gs_audit_stats_create(gs_arena_mem(arena), 0);
    failed = 0;

    for (i = 0; i < 1000; i++) {
        (void) snprintf(text, sizeof(text), "{\"ty\":\"http\",\"st\":\"done\","
                        "\"t\":\"2026-11-22T13:08:36.0\",\"http\":{\"us\":5},"
                        "\"gov\":{\"platform\":\"p%u\"}}", i % 100);
        failed += (add(s, text) != GS_OK);
    }

    is_int(failed, 0, "all were counted");

    is_int(s->platforms.n, 65, "64 platforms, and one row for the others");
    is_str(gs_str_text(s->platforms.rows[64].name), "_other", "its name");

    for (n = 0, i = 0; i < s->platforms.n; i++) {
        n += s->platforms.rows[i].n;
    }

    is_int((int64_t) n, 1000, "nothing is missing");

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    (void) snprintf(text, sizeof(text), "{\"ty\":\"%s\"}", name);
    (void) add(s, text);
    is_str(gs_str_text(s->types.rows[1].name), "_long", "too long a name");

    gs_arena_destroy(arena);
}


static void
test_memory(void)
{
    gs_rc_t            rc;
    unsigned           n, failed;
    gs_mem_t          *mem;
    gs_arena_t        *arena;
    gs_audit_stats_t  *s;

    failed = 0;

    for (n = 1; n < 100; n++) {
        mem = tap_mem_fail(n);
        arena = gs_arena_create(mem);
        s = (arena == NULL) ? NULL
            : gs_audit_stats_create(gs_arena_mem(arena), 1);
        rc = (s == NULL) ? GS_ERROR
             : add(s, "{\"ty\":\"http\",\"st\":\"done\","
                   "\"gov\":{\"platform\":\"p\"}}");

        gs_arena_destroy(arena);

        if (!tap_mem_failed()) {
            is_int(rc, GS_OK, "with all memory");
            break;
        }

        failed += (rc != GS_ERROR);
    }

    ok(n > 2, "memory failed %u times", n - 1);
    is_int(failed, 0, "which is told each time");
    is_int(tap_mem_live(), 0, "nothing is left");
}


static void
test_form(void)
{
    unsigned           i;
    gs_str_t           line;
    gs_audit_fields_t  f;

    static const char *const  good[] = {
        "{\"a\":\"b\"}", "{\"a\":-5,\"b\":null,\"c\":true,\"d\":[]}",
        "{\"a\":{\"b\":[\"c\",1]},\"d\":[{\"e\":1},{\"f\":\"\"}]}",
        "{\"a\":\"\\u00e4\\n\\\"\"}", "{\"a\":0}",
        "{\"a\":9223372036854775807,\"b\":-9223372036854775807}",
        "{\"a\":\"\\ud83d\\ude00\"}"
    };
    static const char *const  bad[] = {
        "", "{", "{}", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":01}",
        "{\"a\":1}x", "{\"a\":1.5}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}", "{\"a\":{\"b\":{}}}",
        "{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":[[1]]}", "{\"a\":[{\"b\":[]}]}",
        "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1},\"a\":{\"b\":1}}",
        "{\"a\":{\"b\":1,\"b\":2}}", "{\"a\":[1,]}", "{\"a\":nul}",
        "{\"a\":-}", "{\"a\":\"b}", "{\"a\":9223372036854775808}",
        "{\"a\":-00}", "{\"a\":1,\"\\u0061\":2}", "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":[{\"b\":1,\"c\":2,\"b\":3}]}", "{\"a\":{\"b\":1}"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        line = gs_str_text(good[i]);
        is_int(gs_audit_fields(&f, &line), GS_OK, "good: %s", good[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        line = gs_str_text(bad[i]);
        is_int(gs_audit_fields(&f, &line), GS_ERROR, "bad: %s", bad[i]);
    }
}


/* Too small a buffer never passes for a whole line. */

static void
test_small(void)
{
    char                text[2048];
    size_t              size, full;
    gs_buf_t            b;
    gs_str_t            line;
    unsigned            bad, format;

    line = gs_str_text("{\"v\":1,\"id\":\"n.1.2\",\"ty\":\"http\",\"st\":"
                       "\"done\",\"t\":\"2026-11-22T13:08:36.000000+08:00\","
                       "\"src\":{\"ip\":\"10.0.0.1\"},\"http\":{\"m\":\"GET\","
                       "\"status\":200},\"x\":[1]}");
    bad = 0;

    for (format = 0; format <= GS_AUDIT_CEF; format++) {
        gs_buf_init(&b, text, sizeof(text));
        is_int(gs_audit_export(&b, (gs_audit_format_e) format, &line), GS_OK,
               "format %u", format);
        full = gs_buf_len(&b);

        for (size = 0; size < full; size++) {
            gs_buf_init(&b, text, size);
            bad += (gs_audit_export(&b, (gs_audit_format_e) format, &line)
                    == GS_OK);
        }
    }

    is_int(bad, 0, "no size that is too small");
}
