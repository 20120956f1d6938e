
/*
 * Copyright (C) govsvc authors
 *
 * Correlations from their text to what they count: whom they concern, what
 * is taken for a key, exits that many share, memory that is out.
 */


#include "guard/gs_correlate.h"
#include "tap.h"

#include <stdio.h>


static void test_memory(void);
static void test_segments(void);
static void test_plain(void);
static void test_cases(void);
static gs_rc_t build_rules(gs_mem_t *mem, const char *rules,
    gs_guard_t **guard);


typedef struct {
    const char  *rule;
    const char  *requests;
    int          fires;
} case_t;


static const char  memory_rules[] =
    "rule 1500 x { match path eq /; event e; }"
    "correlate 2000 a { on status 401; on event e; only path /l; key ip; "
    "distinct arg:u >= 3 in 1m; do log; do ban ip 1h at=5; "
    "shared 2 x2 limit ip 5r/m 1m; tag t u; category c; reason r; "
    "test +\"9*1s /l?u=# 401\" -\"/ 200\"; }";


static const case_t  cases[] = {

    /* whom it concerns */

    { "on status 401; key ip; count >= 3 in 1m; do log;",
      "3*1s /a 401", 1 },
    { "on status 401; key ip; count >= 3 in 1m; do log;",
      "9*1s /a 403", 0 },
    { "on status 401; key ip; count >= 3 in 1m; do log;",
      "9*1s /a.css 401", 0 },
    { "on status 401; key ip; count >= 3 in 1m; do log;",
      "9*1s POST /a.css 401", 1 },
    { "on request; key ip; count >= 3 in 1m; do log;", "3*1s /a 200", 1 },
    { "on request; key ip; count >= 3 in 1m; do log;",
      "9*1s HEAD /A.PNG 200", 0 },
    { "on request; only method POST PUT; key ip; count >= 3 in 1m; do log;",
      "9*1s GET /a 200", 0 },
    { "on request; only method POST PUT; key ip; count >= 3 in 1m; do log;",
      "2*1s PUT /a 200 | POST /a 200", 1 },
    { "on request; only path /Login /b; key ip; count >= 3 in 1m; do log;",
      "3*1s /sso/LOGIN/x 200", 1 },
    { "on request; only path /Login /b; key ip; count >= 3 in 1m; do log;",
      "9*1s /sso/log 200", 0 },
    { "on score >= 5; key ip; count >= 3 in 1m; do log;",
      "9*1s /a 200 score=4", 0 },
    { "on score >= 5; key ip; count >= 3 in 1m; do log;",
      "3*1s /a.css 200 score=5", 1 },
    { "on event e f; only path /none; key ip; count >= 3 in 1m; do log;",
      "3*1s /a 200 event=f", 1 },
    { "on event e f; key ip; count >= 3 in 1m; do log;",
      "9*1s /a 200 event=g", 0 },

    /* keys and values */

    { "on request; key subject; count >= 3 in 1m; do log;",
      "9*1s /a 200", 0 },
    { "on request; key subject; count >= 3 in 1m; do log;",
      "3*1s /a 200 subject=x ip=192.0.2.#", 1 },
    { "on request; key arg:id; count >= 3 in 1m; do log;",
      "3*1s /a?x=#&id=7 200", 1 },
    { "on request; key arg:id; count >= 3 in 1m; do log;",
      "9*1s /a?idx=7 200", 0 },
    { "on request; key ip; distinct segment:2 >= 3 in 1m; do log;",
      "3*1s /a/#/c 200", 1 },
    { "on request; key ip; distinct segment:2 >= 3 in 1m; do log;",
      "9*1s /#/a/c 200", 0 },
    { "on request; key asn; count >= 3 in 1m; do log;",
      "3*1s /a 200 ip=192.0.2.# asn=4134", 1 },
    { "on request; key asn; count >= 3 in 1m; do log;",
      "9*1s /a 200 asn=4#", 0 },
    { "on request; key asn; count >= 3 in 1m; do log;",
      "9*1s /a 200", 0 },
    { "on request; key ip; distinct asn >= 3 in 1m; do log;",
      "3*1s /a 200 asn=#", 1 },
    { "on request; key ip; distinct province >= 3 in 1m; do log;",
      "9*1s /a 200", 0 },
    { "on score >= 1; key ip; distinct rule >= 3 in 1m; do log;",
      "3*1s /a 200 score=1 rule=#", 1 },

    { "on request; key ip; count >= 3 in 1m; do log;",
      "3*1s /case/1;.png 200", 1 },

    /* a caller is a subject, else who proves nobody behind an address */

    { "on status 404; key caller; count >= 3 in 1m; do log;",
      "3*1s /a 404 subject=x ip=192.0.2.#", 1 },
    { "on status 404; key caller; count >= 3 in 1m; do log;",
      "9*1s /a 404 subject=u#", 0 },
    { "on status 404; key caller; count >= 3 in 1m; do log;",
      "3*1s /a 404", 1 },
    { "on status 404; key caller; count >= 3 in 1m; do log;",
      "2*1s /a 404 | 9*1s /a 404 subject=u#", 0 },
    { "on status 404; key caller; count >= 3 in 1m; do log;",
      "9*1s /a 404 app=x", 0 },
    { "on status 404; key caller; count >= 3 in 1m; do log;",
      "3*1s /a 404 app=x subject=me", 1 },
    { "on status 404; key caller; count >= 3 in 1m; do log; shared 5 x3 log;",
      "6*1s /in 200 subject=p# | 3*1s /a 404 subject=p1", 1 },
    { "on status 404; key caller; count >= 3 in 1m; do log; shared 5 x3 log;",
      "6*1s /in 200 subject=p# | 8*1s /a 404", 0 },

    /* things by number, and parts of the country */

    { "on request; key ip; distinct object >= 3 in 1m; do log;",
      "3*1s /case/777#/detail 200", 1 },
    { "on request; key ip; distinct object >= 3 in 1m; do log;",
      "9*1s /list/# 200", 0 },
    { "on request; key ip; distinct object >= 3 in 1m; do log;",
      "9*1s /a#/1234 200", 0 },
    { "on request; key subject; distinct area >= 3 in 1m; do log;",
      "3*1s /a 200 subject=x province=#10000", 1 },
    { "on request; key subject; distinct area >= 3 in 1m; do log;",
      "9*1s /a 200 subject=x province=3#0000", 0 },

    /* short numbers in a row are pages, but not of one caller */

    { "on request; key ip; sequence segment:-1 >= 3 in 1m; do log;"
      " shared 5 x1 log;",
      "5*1s /list/# 200", 1 },
    { "on request; key ip; sequence segment:-1 >= 3 in 1m; do log;"
      " shared 5 x1 log;",
      "6*1s /in 200 subject=p# | 99*1s /list/# 200", 0 },
    { "on request; key ip; sequence segment:-1 >= 3 in 1m; do log;"
      " shared 5 x1 log;",
      "6*1s /in 200 subject=p# | 9*1s /list/777# 200", 1 },

    /* exits that many share: two windows of an hour, good tokens only */

    { "on status 401; key ip; count >= 3 in 1m; do log; shared 5 x3 log;",
      "6*1s /in 200 subject=p# | 8*1s /a 401", 0 },
    { "on status 401; key ip; count >= 3 in 1m; do log; shared 5 x3 log;",
      "6*1s /in 200 subject=p# | 9*1s /a 401", 1 },
    { "on status 401; key ip; count >= 3 in 1m; do log; shared 5 x3 log;",
      "6*1s /in 401 subject=p# | 3*1s /a 401", 1 },
    { "on status 401; key ip; count >= 3 in 1m; do log; shared 5 x3 log;",
      "60*1s /in 200 subject=p | 3*1s /a 401", 1 },
    { "on status 401; key ip; count >= 3 in 1m; do log; shared 5 x3 log;",
      "60*1s /in 200 subject=p# ip=192.0.2.9 | 3*1s /a 401", 1 },
    { "on status 401; key ip; count >= 3 in 1m; do log; shared 5 x3 log;",
      "6*1s /in 200 subject=p# | 1*3h /a 200 | 3*1s /a 401", 1 },
};


int
main(void)
{
    test_memory();
    test_segments();
    test_plain();
    test_cases();

    return done_testing();
}


static void
test_memory(void)
{
    gs_rc_t           rc;
    unsigned          n;
    gs_guard_t       *guard;
    gs_arena_t       *arena;
    gs_guard_test_t   test;

    for (n = 1; ; n++) {

        arena = gs_arena_create(tap_mem_fail(n));
        rc = (arena == NULL)
             ? GS_ERROR
             : build_rules(gs_arena_mem(arena), memory_rules, &guard);

        if (rc == GS_OK) {
            rc = gs_correlate_rule_test(guard, gs_arena_mem(arena), 0, 0,
                                        &test, NULL);
            gs_guard_destroy(guard);
        }

        gs_arena_destroy(arena);

        if (!tap_mem_failed()) {
            break;
        }

        if (rc == GS_OK) {
            ok(0, "allocation %u failed unseen", n);
        }
    }

    ok(rc == GS_OK && n > 5, "%u allocations, each can fail", n - 1);
    is_int(tap_mem_live(), 0, "nothing is lost");
}


static void
test_segments(void)
{
    gs_str_t  path, value;

    path = gs_str_text("/a/bc//d");

    ok(gs_correlate_segment(&path, 1, &value) == GS_OK, "the first");
    is_str(value, "a", "is a");
    ok(gs_correlate_segment(&path, 2, &value) == GS_OK, "the second");
    is_str(value, "bc", "is bc");
    ok(gs_correlate_segment(&path, 3, &value) == GS_OK && value.len == 0,
       "the third is empty");
    ok(gs_correlate_segment(&path, -1, &value) == GS_OK, "the last");
    is_str(value, "d", "is d");
    ok(gs_correlate_segment(&path, -4, &value) == GS_OK, "the fourth last");
    is_str(value, "a", "is a");
    ok(gs_correlate_segment(&path, 5, &value) == GS_DECLINED, "no fifth");
    ok(gs_correlate_segment(&path, -5, &value) == GS_DECLINED,
       "nor from the end");

    path = gs_str_text("");
    ok(gs_correlate_segment(&path, 1, &value) == GS_DECLINED, "no path");
}


static void
test_plain(void)
{
    size_t    i;
    gs_str_t  get, path;

    static const char *const  yes[] = { "/a.css", "/x/y.WOFF2", "/.js" };
    static const char *const  no[] = {
        "/a", "/css", "/a.jsp", "/a.css/b", "/a.json", "", "/a.",
        "/a.css;.html"
    };

    get = gs_str_text("GET");

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        path = gs_str_text(yes[i]);
        ok(gs_correlate_plain(&get, &path), "%s is static", yes[i]);
    }

    for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        path = gs_str_text(no[i]);
        ok(!gs_correlate_plain(&get, &path), "\"%s\" is not", no[i]);
    }
}


static void
test_cases(void)
{
    char              text[512];
    size_t            i;
    gs_guard_t       *guard;
    gs_arena_t       *arena;
    gs_guard_test_t   test;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        (void) snprintf(text, sizeof(text),
                        "correlate 2000 a { %s test %c\"%s\"; }",
                        cases[i].rule, cases[i].fires ? '+' : '-',
                        cases[i].requests);

        arena = gs_arena_create(&gs_mem_libc);

        ok(build_rules(gs_arena_mem(arena), text, &guard) == GS_OK
           && gs_correlate_rule_test(guard, gs_arena_mem(arena), 0, 0, &test,
                                     NULL)
              == GS_OK,
           "%s: %s %s", cases[i].rule, cases[i].requests,
           cases[i].fires ? "fires" : "does not fire");

        gs_guard_destroy(guard);
        gs_arena_destroy(arena);
    }
}


static gs_rc_t
build_rules(gs_mem_t *mem, const char *rules, gs_guard_t **guard)
{
    gs_str_t           file, text;
    gs_guard_build_t  *build;

    file = gs_str_text("test.rules");
    text = gs_str_text(rules);

    build = gs_guard_build_create(mem, NULL, NULL, NULL);
    if (build == NULL) {
        return GS_ERROR;
    }

    if (gs_guard_parse(build, &file, &text, NULL) != GS_OK
        || gs_guard_compile(guard, build, NULL) != GS_OK)
    {
        gs_guard_build_destroy(build);
        return GS_ERROR;
    }

    return GS_OK;
}
