
/*
 * Copyright (C) govsvc authors
 *
 * What becomes of hits: scores, levels, thresholds and exceptions, what is
 * shown of a value, and the end that a budget puts to it all.
 */


#include "guard_fixture.h"
#include "core/gs_utf8.h"
#include "tap.h"

#include <stdlib.h>


#define TEN(x)  x x x x x x x x x x


/* Scores, levels, thresholds, exceptions. */

static void
test_policy(void)
{
    gs_err_t             err;
    gs_str_t             text, off[2], target[2], class;
    unsigned             points;
    gs_arena_t          *arena;
    gs_guard_t          *guard;
    gs_guard_input_t     in;
    gs_guard_policy_t   *policy;
    gs_guard_tuning_t    t;
    gs_guard_scratch_t  *s;
    gs_guard_verdict_t   v;

    arena = gs_arena_create(&gs_mem_libc);
    guard = fixture_rules_of(arena,
        "rule 1000 a { match args|form lit one; score x 3; tag p; }"
        "rule 1001 b { match args lit two; score y 2; }"
        "rule 1002 c { match args lit three; level 2; score x 9; }"
        "rule 1003 d { match args lit four; level 3; block; }"
        "rule 1004 e { match path eq /ok; allow; }"
        "rule 1005 f { match path prefix /a; match form eq z; block 409; }"
        "rule 1006 g { match path prefix /a; match form !eq z; event none; }");
    s = gs_guard_scratch_create(guard, gs_arena_mem(arena), 65536);
    memset(&err, 0, sizeof(err));

#define RUN(request, p)                                                       \
    text = gs_str_text(request);                                              \
    (void) gs_guard_request(&in, gs_arena_mem(arena), &text, NULL);           \
    (void) gs_guard_check_with(guard, s, p, &in, &v)
    RUN("/?a=one", NULL);
    is_int(v.action, GS_GUARD_LOG, "three points pass");
    is_int(v.score, 3, "they are counted");
    RUN("/?a=one&b=two", NULL);
    is_int(v.action, GS_GUARD_BLOCK, "five points do not");
    is_int(v.rule, 1001, "the rule that reached the threshold");
    is_int(v.status, 403, "the status");
    RUN("/?a=one&b=one", NULL);
    is_int(v.score, 3, "a rule counts once");
    RUN("POST /?a=one\n\nb=one", NULL);
    is_int(v.score, 3, "and once in all phases");
    is_int(v.nhits, 1, "and is listed once");
    RUN("/?a=three", NULL);
    is_int(v.action, GS_GUARD_LOG, "level 2 only notes");
    is_int(v.noted, 9, "what it would count");
    RUN("/?a=four", NULL);
    is_int(v.action, GS_GUARD_PASS, "level 3 is not asked");
    RUN("/ok?a=one&b=two", NULL);
    is_int(v.action, GS_GUARD_LOG, "allowed");
    is_int(v.allowed, 1004, "by the rule");
    RUN("POST /a\n\nq=z", NULL);
    is_int(v.status, 409, "conditions of two phases");
    RUN("POST /a\n\nq=y", NULL);
    is_int(v.hits[0], 1006, "none is z");
    RUN("/a", NULL);
    is_int(v.hits[0], 1006, "there is none");

    memset(&t, 0, sizeof(t));
    t.level_block = 3;
    t.threshold = 100;
    class = gs_str_text("y");
    points = 2;
    t.nthresholds = 1;
    t.classes = &class;
    t.points = &points;
    off[0] = gs_str_text("tag:p");
    target[0] = gs_str_text("arg:a");
    off[1] = gs_str_text("1002");
    target[1] = gs_str_text("");
    t.noff = 2;
    t.off = off;
    t.targets = target;
    is_int(gs_guard_policy(&policy, guard, gs_arena_mem(arena), &t, &err),
           GS_OK, "a policy");
    RUN("/?a=one", policy);
    is_int(v.nhits, 0, "off for the argument");
    RUN("/?b=one", policy);
    is_int(v.nhits, 1, "not for another");
    RUN("/?b=three", policy);
    is_int(v.nhits, 0, "off");
    RUN("/?b=two", policy);
    is_int(v.action, GS_GUARD_BLOCK, "the threshold of a class");
    RUN("/?b=four", policy);
    is_int(v.action, GS_GUARD_BLOCK, "level 3 blocks");
    off[1] = gs_str_text("1999");
    is_int(gs_guard_policy(&policy, guard, gs_arena_mem(arena), &t, &err),
           GS_ERROR, "no such rule");
    is_str(gs_str_text(err.text), "there is no rule \"1999\"", "the error");
    is_int(err.line, 1, "which");
    target[0] = gs_str_text("arg");
    is_int(gs_guard_policy(&policy, guard, gs_arena_mem(arena), &t, &err),
           GS_ERROR, "no such target");
    class = gs_str_text("z");
    is_int(gs_guard_policy(&policy, guard, gs_arena_mem(arena), &t, &err),
           GS_ERROR, "no such class");

    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    gs_arena_destroy(arena);
}


/* Evidence is cut and masked. */

static void
test_evidence(void)
{
    gs_str_t             text;
    gs_arena_t          *arena;
    gs_guard_t          *guard;
    gs_guard_input_t     in;
    gs_guard_scratch_t  *s;
    gs_guard_verdict_t   v;

    arena = gs_arena_create(&gs_mem_libc);
    guard = fixture_rules_of(arena,
        "rule 1000 a { match args view=deep lit evil; log; }");
    s = gs_guard_scratch_create(guard, gs_arena_mem(arena), 0);

    RUN("/?id=11010119900307123X%01evil+13800138000", NULL);
    is_str(gs_str_make(v.list[0].target, v.list[0].target_len), "arg:id",
           "the target");
    is_str(gs_str_make(v.list[0].sample, v.list[0].sample_len),
           "110************23x.evil 138******00", "numbers are masked");
    is_str(gs_str_text(v.list[0].view), "deep", "the view");

    RUN("/?password=evil", NULL);
    is_str(gs_str_make(v.list[0].sample, v.list[0].sample_len), "***",
           "a secret");

    RUN("/?id=" TEN("\xe5\xb9\xbf") TEN("\xe4\xb8\x9c") "evil"
        TEN("\xe5\xb9\xbf") TEN("\xe4\xb8\x9c") TEN("\xe4\xb8\x9c"), NULL);
    text = gs_str_make(v.list[0].sample, v.list[0].sample_len);
    ok(gs_utf8_valid(&text), "no half of a character");
    ok(text.len > 76 && text.len <= 80, "cut");

    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    gs_arena_destroy(arena);

    arena = gs_arena_create(&gs_mem_libc);
    guard = fixture_rules_of(arena,
        "rule 1000 a { match args view=deep sqli; log; }");
    s = gs_guard_scratch_create(guard, gs_arena_mem(arena), 0);

    RUN("/?id=" TEN("1234 6789 ") "1' or '1'='1", NULL);
    is_str(gs_str_make(v.list[0].sample, v.list[0].sample_len),
           "6789 1234 6789 1' or '1'='1", "a tokenizer's evidence");

    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    gs_arena_destroy(arena);
}


static uint64_t
budget_clock(void *data)
{
    uint64_t *now = data;

    return *now += 10;
}


/* Whatever comes, the clock ends it. */

static void
test_budget(void)
{
    char                *body;
    size_t               i, size;
    uint64_t             now;
    gs_arena_t          *arena;
    gs_guard_t          *guard;
    gs_guard_input_t     in;
    gs_guard_scratch_t  *s;
    gs_guard_verdict_t   v;

    size = 512 * 1024;
    body = malloc(size);
    arena = gs_arena_create(&gs_mem_libc);
    guard = fixture_rules_of(arena,
        "rule 1000 a { match form view=deep pcre "
        "\"a.{0,40}b[^c]{0,9}d\"; block; }"
        "rule 1001 b { match form lit zzz; block; }");
    s = gs_guard_scratch_create(guard, gs_arena_mem(arena), size);

    for (i = 0; i < size; i++) {
        body[i] = "a=abab%2541&"[i % 12];
    }

    memcpy(body + size - 6, "&x=zzz", 6);

    memset(&in, 0, sizeof(in));
    in.method = gs_str_text("POST");
    in.uri = in.path = gs_str_text("/");
    in.body = gs_str_make(body, size);

    now = 0;
    gs_guard_budget(s, budget_clock, &now, 50);
    (void) gs_guard_check(guard, s, &in, &v);
    is_int(v.over_budget, 1, "over the budget");
    ok(now < 200, "asked %u times", (unsigned) now / 10);

    gs_guard_budget(s, NULL, NULL, 0);
    (void) gs_guard_check(guard, s, &in, &v);
    is_int(v.over_budget, 0, "without a budget");

    in.body = gs_str_make(body + size - 60 * 1024, 60 * 1024);
    (void) gs_guard_check(guard, s, &in, &v);
    is_int(v.rule, 1001, "all is looked at");

    free(body);
    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    gs_arena_destroy(arena);
}


int
main(void)
{
    test_policy();
    test_evidence();
    test_budget();

    return done_testing();
}
