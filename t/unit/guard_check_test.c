
/*
 * Copyright (C) govsvc authors
 *
 * Rules from text to verdict.
 */


#include "guard/gs_guard.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


typedef struct {
    const char         *request;
    uint32_t            rule;              /* 0: passes */
    gs_guard_action_e   action;
} check_case_t;


typedef struct {
    gs_arena_t          *arena;
    gs_guard_t          *guard;
    gs_guard_scratch_t  *scratch;
} check_t;


typedef struct {
    gs_arena_t          *arena;
    unsigned             left;
    unsigned             failed;
} count_t;


static unsigned    check_warnings;
static unsigned    check_traced;
static gs_str_t    check_target;
static gs_uchar_t  check_value[64];
static size_t      check_value_len;


static const char  check_rules[] =
    "# comment\n"
    "rule 1000 lit { match path|args lit \"Union\" /x/ ; block; }\n"
    "rule 1001 eq { match method eq PUT \"DELETE\"; block 405; }\n"
    "rule 1002 prefix { match path prefix /a/; match path suffix .php; log;"
    " tag t; block; }\n"
    "rule 1003 log { match args lit watch; log; }\n"
    "rule 1004 same { match args lit one two;"
    " match same pcre \"(?i)ONE.*two\";"
    " match same !lit four; block; }\n"
    "rule 1005 all { match header:* lit evil; match header:host !eq good;"
    " block; }\n"
    "rule 1006 neg { match path prefix /only/; match method !eq GET; block; }\n"
    "rule 1007 raw { match uri lit %2f; match query eq a=%41; block; }\n"
    "rule 1008 limit { match args lit aaaaaaaaaaaaaaaa;"
    " match same pcre ^(?:a+)+$; block; }\n"
    "rule 1009 soft { match args lit bbbbbbbbbbbbbbbb;"
    " match same pcre ^(?:b+)+$; log; }\n"
    "rule 1010 flag { match args flag nul; block; }\n"
    "rule 1011 flags { match path flag bad-utf8 control; block; }\n"
    "rule 1012 back { match args pcre \"^(\\\\w)\\\\1\\\\1zzz\"; block; }\n"
    "rule 1013 any { match args pcre \"^\\d{3,5}$\"; match arg_names eq n;"
    " log; }\n"
    "rule 1014 standing { match header:host !pcre .; match path eq /nohost;"
    " block; }\n"
    "rule 1015 never { match path eq /a; match path eq /b; block; }\n"
    "rule 1016 absent { match header:x-need !pcre .; match method !eq GET;"
    " match path !prefix /; block; }\n"
    "rule 1017 order { match header:cookie lit evilcookie; block; }\n";


static const check_case_t  check_cases[] = {
    { "/", 0, GS_GUARD_PASS },
    { "/UNION", 1000, GS_GUARD_BLOCK },
    { "/x/y", 1000, GS_GUARD_BLOCK },
    { "/?a=1&b=uNion", 1000, GS_GUARD_BLOCK },
    { "/?union=1", 0, GS_GUARD_PASS },
    { "/?union", 1000, GS_GUARD_BLOCK },
    { "/?a=un%69on", 1000, GS_GUARD_BLOCK },
    { "/?a=un%2569on", 0, GS_GUARD_PASS },
    { "PUT /", 1001, GS_GUARD_BLOCK },
    { "put /", 0, GS_GUARD_PASS },
    { "/a/b.php", 1002, GS_GUARD_BLOCK },
    { "/a/b.PHP", 0, GS_GUARD_PASS },
    { "/b/b.php", 0, GS_GUARD_PASS },
    { "/b/../a/./b.php", 1002, GS_GUARD_BLOCK },
    { "/?q=watch", 1003, GS_GUARD_LOG },
    { "/?q=watch&r=union", 1000, GS_GUARD_BLOCK },
    { "/?q=one+two", 1004, GS_GUARD_BLOCK },
    { "/?q=one&r=two", 0, GS_GUARD_PASS },
    { "/?q=two+one", 0, GS_GUARD_PASS },
    { "/?q=one+two+four", 0, GS_GUARD_PASS },
    { "/?q=one+two+four&r=one+two", 1004, GS_GUARD_BLOCK },
    { "/\nX-A: evil", 1005, GS_GUARD_BLOCK },
    { "/\nX-A: evil\nHost: good", 0, GS_GUARD_PASS },
    { "/\nHOST: evil", 1005, GS_GUARD_BLOCK },
    { "/\nX-A: evi\nX-B: l", 0, GS_GUARD_PASS },
    { "/only/", 0, GS_GUARD_PASS },
    { "HEAD /only/", 1006, GS_GUARD_BLOCK },
    { "/b%2fc?a=%41", 1007, GS_GUARD_BLOCK },
    { "/b%2Fc?a=A", 0, GS_GUARD_PASS },
    { "/?q=aaaaaaaaaaaaaaaaaaaa", 1008, GS_GUARD_BLOCK },
    { "/?q=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 2, GS_GUARD_BLOCK },
    { "/?q=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc", 2, GS_GUARD_LOG },
    { "/?q=a%00b", 1010, GS_GUARD_BLOCK },
    { "/?q=a%01b", 0, GS_GUARD_PASS },
    { "/%ff", 1011, GS_GUARD_BLOCK },
    { "/%c0%af", 1011, GS_GUARD_BLOCK },
    { "/%ed%a0%80", 1011, GS_GUARD_BLOCK },
    { "/a%7fb", 1011, GS_GUARD_BLOCK },
    { "/%E5%B9%BF%E4%B8%9C", 0, GS_GUARD_PASS },
    { "/?q=aaazzz", 1012, GS_GUARD_BLOCK },
    { "/?q=aabzzz", 0, GS_GUARD_PASS },
    { "/?n=1234", 1013, GS_GUARD_LOG },
    { "/?m=1234", 0, GS_GUARD_PASS },
    { "/?n=12", 0, GS_GUARD_PASS },
    { "/nohost", 1014, GS_GUARD_BLOCK },
    { "/nohost\nHost: a", 0, GS_GUARD_PASS },
    { "/a", 0, GS_GUARD_PASS },
    { "/?=&&=&a&%&%4", 0, GS_GUARD_PASS },
    { "/\nCookie: EVILCOOKIE", 1005, GS_GUARD_BLOCK }
};


static void
check_warn(void *data, const gs_str_t *file, unsigned line, const char *text)
{
    check_warnings++;
}


static void
check_trace(void *data, uint32_t rule, unsigned line, const char *view,
    const gs_str_t *target, const gs_str_t *name, const gs_str_t *value)
{
    check_traced++;
    check_target = (name->len > 0) ? *name : *target;
    check_value_len = value->len < 64 ? value->len : 64;
    memcpy(check_value, value->data, check_value_len);
}


static int
check_open(check_t *c, gs_mem_t *mem, const char *rules)
{
    gs_err_t           err;
    gs_str_t           file, text;
    gs_guard_build_t  *build;

    c->guard = NULL;
    c->scratch = NULL;

    c->arena = (mem == NULL) ? gs_arena_create(&gs_mem_libc) : NULL;

    if (mem == NULL) {
        mem = gs_arena_mem(c->arena);
    }

    memset(&err, 0, sizeof(err));
    file = gs_str_text("t.rules");
    text = gs_str_text(rules);

    build = gs_guard_build_create(mem, NULL, check_warn, NULL);
    if (build == NULL) {
        return 0;
    }

    if (gs_guard_parse(build, &file, &text, &err) != GS_OK
        || gs_guard_compile(&c->guard, build, &err) != GS_OK)
    {
        gs_guard_build_destroy(build);
        return 0;
    }

    c->scratch = gs_guard_scratch_create(c->guard, mem, 0);

    return c->scratch != NULL;
}


static void
check_close(check_t *c)
{
    gs_guard_scratch_destroy(c->scratch);
    gs_guard_destroy(c->guard);
    gs_arena_destroy(c->arena);
}


static gs_rc_t
check_run(check_t *c, const char *request, gs_guard_verdict_t *v)
{
    gs_rc_t            rc;
    gs_str_t           text;
    gs_arena_t        *arena;
    gs_guard_input_t   in;

    arena = gs_arena_create(&gs_mem_libc);
    text = gs_str_text(request);

    if (gs_guard_request(&in, gs_arena_mem(arena), &text, NULL) != GS_OK) {
        gs_arena_destroy(arena);
        return GS_BUSY;
    }

    rc = gs_guard_check(c->guard, c->scratch, &in, v);
    gs_arena_destroy(arena);

    return rc;
}


static void
test_cases(void)
{
    size_t               i;
    gs_rc_t              rc;
    check_t              c;
    gs_guard_verdict_t   v;
    const check_case_t  *t;

    check_warnings = 0;
    ok(check_open(&c, NULL, check_rules), "rules");
    is_int(check_warnings, 5, "patterns that cost are told");

    for (i = 0; i < sizeof(check_cases) / sizeof(check_cases[0]); i++) {
        t = &check_cases[i];
        rc = check_run(&c, t->request, &v);

        ok(rc == (t->action == GS_GUARD_PASS ? GS_DECLINED : GS_OK)
           && v.rule == t->rule && v.action == t->action,
           "%s: rule %u", t->request, (unsigned) v.rule);
    }

    (void) check_run(&c, "PUT /x/?q=watch&r=union", &v);
    is_int(v.nhits, 3, "every rule is noted");
    is_int(v.hits[0], 1000, "in the order of the file");
    is_int(v.hits[2], 1003, "those that log too");
    is_int(v.rule, 1000, "the first that blocks");
    is_int(v.status, 403, "its status");

    (void) check_run(&c, "PUT /", &v);
    is_int(v.status, 405, "a status of its own");

    (void) check_run(&c, "/?q=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", &v);
    is_int(v.undecided, 1008, "the rule at its limit");

    gs_guard_trace(c.scratch, check_trace, NULL);
    check_traced = 0;
    (void) check_run(&c, "/\nX-A: an evil one", &v);
    is_int(check_traced, 1, "one condition holds");
    is_str(check_target, "X-A", "the header");
    is_str(gs_str_make(check_value, check_value_len), "an evil one",
           "the value");

    check_close(&c);
}


static gs_rc_t
many_headers(void *cursor, gs_guard_header_t *h)
{
    unsigned *left = cursor;

    static gs_uchar_t  value[1000];

    if (*left == 0) {
        return GS_DONE;
    }

    (*left)--;
    h->name = gs_str_text("X-A-B-C-D-E-F-G-H-I-J-K-");      /* 24 */
    h->value = gs_str_make(value, sizeof(value));

    return GS_OK;
}


static void
test_oversize(void)
{
    char                *args;
    size_t               i;
    check_t              c;
    unsigned             left;
    gs_guard_input_t     in;
    gs_guard_verdict_t   v;

    ok(check_open(&c, NULL,
                  "rule 1000 a { match path lit zzz; block; }"), "rules");

    args = malloc(200000);
    memset(&in, 0, sizeof(in));
    in.method = gs_str_text("GET");
    in.uri = in.path = gs_str_text("/");

    for (i = 0; i < 200000; i++) {
        args[i] = (i % 2) ? '&' : 'a';
    }

    in.args = gs_str_make(args, 1999);
    is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_DECLINED,
           "1,000 arguments");
    in.args = gs_str_make(args, 2001);
    is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_OK,
           "1,001 arguments");
    is_int(v.rule, GS_GUARD_OVERSIZE, "1,001 arguments: the rule");
    is_int(v.action, GS_GUARD_BLOCK, "1,001 arguments: refused");

    memset(args, '%', 200000);
    in.args = gs_str_make(args, GS_GUARD_MAX_VALUE);
    is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_DECLINED,
           "an argument of 64 KB");
    in.args = gs_str_make(args, GS_GUARD_MAX_VALUE + 1);
    is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_OK,
           "a longer argument");
    in.args = gs_str_make(args, 0);

    in.header = many_headers;
    in.cursor = &left;
    left = 63;
    is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_DECLINED,
           "headers within the limit");
    left = 64;
    is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_OK,
           "headers beyond the limit");
    is_int(v.rule, GS_GUARD_OVERSIZE, "headers beyond the limit: the rule");

    free(args);
    check_close(&c);
}


static void
test_many_hits(void)
{
    size_t               n;
    check_t              c;
    unsigned             i;
    static char          rules[65536];
    gs_guard_verdict_t   v;

    n = 0;

    for (i = 0; i < 200; i++) {
        n += (size_t) snprintf(rules + n, sizeof(rules) - n,
                               "rule %u r { match args lit word; "
                               "match header:x-%u !lit a; log; "
                               "test +\"/?a=word\" -\"/\"; }\n",
                               1000 + i, i % 50);
    }

    ok(check_open(&c, NULL, rules), "200 rules");
    (void) check_run(&c, "/?q=word", &v);
    is_int(v.nhits, 200, "all are counted");
    is_int(v.hits[15], 1015, "sixteen are listed");
    (void) check_run(&c, "/?q=word\nX-7: a", &v);
    is_int(v.nhits, 196, "one header takes four away");
    (void) check_run(&c, "/?q=other", &v);
    is_int(v.nhits, 0, "nothing stays from the last check");

    check_close(&c);
}


static void
test_own_tests(void)
{
    check_t                c;
    gs_guard_test_t        test;
    gs_guard_rule_info_t   info;

    ok(check_open(&c, NULL,
                  "rule 1000 a { match args lit x; tag t; block;\n"
                  "test +\"/?q=x\" -\"/?q=y\"\n +\"/?q=z\" -\"q\"; }"),
       "rules");

    is_int(gs_guard_rule(c.guard, 0, &info), GS_OK, "the rule");
    is_int(info.ntests, 4, "its tests");
    is_str(info.tag, "t", "its tag");
    is_str(info.file, "t.rules", "its file");
    is_int(gs_guard_rule(c.guard, 1, &info), GS_DONE, "no other");
    is_int(gs_guard_rule_by_id(c.guard, 1001, &info), GS_DECLINED, "no id");
    is_int(gs_guard_rule_by_id(c.guard, 1000, &info), GS_OK, "by id");

    is_int(gs_guard_rule_test(c.guard, c.scratch, gs_arena_mem(c.arena), 0, 0,
                              &test, NULL), GS_OK, "hits as it must");
    is_int(gs_guard_rule_test(c.guard, c.scratch, gs_arena_mem(c.arena), 0, 1,
                              &test, NULL), GS_OK, "passes as it must");
    is_int(gs_guard_rule_test(c.guard, c.scratch, gs_arena_mem(c.arena), 0, 2,
                              &test, NULL), GS_DECLINED, "does not hit");
    is_int(test.line, 3, "the line of the test");
    is_str(test.text, "/?q=z", "the text of the test");
    is_int(gs_guard_rule_test(c.guard, c.scratch, gs_arena_mem(c.arena), 0, 3,
                              &test, NULL), GS_ERROR, "not a request");
    is_int(gs_guard_rule_test(c.guard, c.scratch, gs_arena_mem(c.arena), 0, 4,
                              &test, NULL), GS_ERROR, "no such test");

    check_close(&c);
}


/* The path as Nginx makes it. */

static void
test_path(void)
{
    size_t      i, len;
    gs_rc_t     rc;
    gs_str_t    uri;
    gs_uchar_t  path[64];

    static const char *const  cases[][2] = {
        { "/", "/" }, { "/a/b", "/a/b" }, { "//a///b/", "/a/b/" },
        { "/a/./b", "/a/b" }, { "/a/.", "/a/" }, { "/a/../b", "/b" },
        { "/a/b/..", "/a/" }, { "/a/..", "/" }, { "/%41%2f%2e%2e/b", "/b" },
        { "/a?x/../y", "/a" }, { "/a#b", "/a" }, { "/...", "/..." },
        { "/.a", "/.a" }, { "/..", NULL }, { "/a/../..", NULL },
        { "/%zz", NULL }, { "/%4", NULL }, { "/%00", NULL }, { "a", NULL },
        { "", NULL }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uri = gs_str_text(cases[i][0]);
        rc = gs_guard_path(path, &len, &uri);

        if (cases[i][1] == NULL) {
            is_int(rc, GS_ERROR, "path \"%s\" is refused", cases[i][0]);

        } else {
            is_str(gs_str_make(path, len), cases[i][1], "path \"%s\"",
                   cases[i][0]);
        }
    }
}


/* An arena whose n-th allocation fails: nothing needs to be given back. */

static void *
count_alloc(void *ctx, size_t size)
{
    count_t *count = ctx;

    if (--count->left == 0) {
        count->failed = 1;
        return NULL;
    }

    return gs_alloc(gs_arena_mem(count->arena), size);
}


static void
count_release(void *ctx, void *p)
{
    /* the arena keeps it */
}


static void
test_memory(void)
{
    int                  bad, open;
    check_t              c;
    count_t              count;
    gs_mem_t             mem;
    unsigned             n;
    gs_guard_verdict_t   v;

    mem.alloc = count_alloc;
    mem.release = count_release;
    mem.ctx = &count;

    bad = 0;
    open = 0;

    for (n = 1; n < 5000; n++) {
        count.arena = gs_arena_create(&gs_mem_libc);
        count.left = n;
        count.failed = 0;

        open = check_open(&c, &mem, check_rules);

        /* without memory for JIT patterns are interpreted: all still holds */

        if (open) {
            count.left = 0;
            (void) check_run(&c, "/?q=aaazzz", &v);
            bad += (v.rule != 1012);
        }

        check_close(&c);
        gs_arena_destroy(count.arena);

        if (!count.failed) {
            break;
        }
    }

    ok(n > 100 && n < 5000, "each of %u allocations may fail", n - 1);
    is_int(bad, 0, "what opens works");
    ok(open, "enough memory");
}


/* What is remembered of clean values never hides one that is not. */

static void
test_known(void)
{
    check_t              c;
    unsigned             i;
    gs_guard_input_t     in;
    gs_guard_verdict_t   v;

    static const char  one[] = "GET / HTTP/1.1\nX-A: evil\nX-B: evil\n";
    static const char  two[] = "GET / HTTP/1.1\nX-B: evil\nX-C: good\n";
    static const char  cookie[] = "GET / HTTP/1.1\nCookie: a=1; b=%2565vil\n";

    ok(check_open(&c, NULL,
                  "rule 1000 a { match headers lit evil; block; }"
                  "rule 1001 b { match path|args lit bad; block; }"
                  "rule 1002 c { match cookies view=deep lit evil; block; }"),
       "rules");

    for (i = 0; i < 3; i++) {
        is_int(check_run(&c, one, &v), GS_OK, "a header and one like it");
        is_int(check_run(&c, two, &v), GS_OK, "the one like it, alone");
        is_int(v.rule, 1000, "its rule");
        is_int(check_run(&c, cookie, &v), GS_OK, "a cookie in a header");
        is_int(v.rule, 1002, "its rule");
    }

    memset(&in, 0, sizeof(in));
    in.method = gs_str_text("GET");
    in.uri = gs_str_text("/a?b=1");

    for (i = 0; i < 3; i++) {
        in.path = gs_str_text("/a");
        in.args = gs_str_make(in.uri.data + 3, 3);
        is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_DECLINED,
               "a line");
        in.path = gs_str_text("/bad");
        is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_OK,
               "the line with another path");
        in.path = gs_str_text("/a");
        in.args = gs_str_text("b=bad");
        is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_OK,
               "the line with other arguments");
    }

    in.args = gs_str_make(NULL, 0);
    in.uri = gs_str_text("/?c=bad");
    in.path = gs_str_text("/");
    is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_DECLINED,
           "a line whose arguments are gone");
    in.args = gs_str_make(in.uri.data + 2, 5);
    is_int(gs_guard_check(c.guard, c.scratch, &in, &v), GS_OK,
           "the line with them");

    check_close(&c);
}


int
main(void)
{
    test_cases();
    test_known();
    test_oversize();
    test_many_hits();
    test_own_tests();
    test_path();
    test_memory();

    return done_testing();
}
