
/*
 * Copyright (C) govsvc authors
 *
 * The budget of a request: whatever costs much looks at the clock often, and
 * stops there; what was not looked at is not taken for clean.  The clock of
 * these tests counts how often it is asked, so that no machine is too slow
 * for them.
 */


#include "guard_fixture.h"
#include "guard_worst.h"
#include "tap.h"


#define COST_SIZE    (256 * 1024)
#define COST_LOOKS   8                     /* of what costs much */


typedef struct {
    const gs_guard_t    *guard;
    gs_guard_scratch_t  *s;
    uint64_t             now;
    unsigned             n;
    unsigned             dear;
    unsigned             wrong;
} cost_t;


static void cost_one(void *data, worst_t *w);
static uint64_t cost_clock(void *data);
static unsigned cost_run(cost_t *t, const gs_guard_input_t *in,
    uint64_t budget, gs_guard_verdict_t *v);
static void test_worst(cost_t *t);
static void test_remembered(cost_t *t);
static void test_phases(cost_t *t);
static void test_windows(gs_mem_t *mem);
static void test_negated(gs_mem_t *mem);
static gs_guard_t *cost_guard(gs_mem_t *mem, const char *rules);
static void cost_input(gs_guard_input_t *in, const gs_uchar_t *body,
    size_t len);


int
main(void)
{
    cost_t       t;
    gs_arena_t  *arena;

    memset(&t, 0, sizeof(cost_t));
    arena = gs_arena_create(&gs_mem_libc);

    t.guard = fixture_guard(gs_arena_mem(arena));
    t.s = gs_guard_scratch_create(t.guard, gs_arena_mem(arena), COST_SIZE);

    test_worst(&t);
    test_remembered(&t);
    test_phases(&t);
    test_windows(gs_arena_mem(arena));
    test_negated(gs_arena_mem(arena));

    gs_guard_scratch_destroy(t.s);
    gs_guard_destroy((gs_guard_t *) (uintptr_t) t.guard);
    gs_arena_destroy(arena);

    return done_testing();
}


static void
test_worst(cost_t *t)
{
    worst_each(t->guard, t->s, COST_SIZE, fixture_long() ? 1 : 37, cost_one,
               t);

    ok(t->n > 50, "%u requests that cost much", t->n);
    ok(t->dear * 2 > t->n, "%u look at the clock %u times and more", t->dear,
       COST_LOOKS);
    is_int(t->wrong, 0, "each is cut where its time is over, and told");
}


static void
cost_one(void *data, worst_t *w)
{
    cost_t              *t = data;

    unsigned             all, cut;
    gs_guard_verdict_t   v;

    t->n++;
    all = cost_run(t, &w->in, (uint64_t) -1, &v);

    if (v.over_budget) {
        t->wrong++;
        diag("%s: cut without a bound", w->name);
    }

    if (all < COST_LOOKS) {
        return;
    }

    t->dear++;
    cut = cost_run(t, &w->in, all / 2, &v);

    /* two phases: a look at the begin of each, another that tells the sum */

    if (!v.over_budget || v.spent < all / 2 || cut > all / 2 + 6) {
        t->wrong++;
        diag("%s: %u looks, %u with half of them, over: %u", w->name, all,
             cut, v.over_budget);
    }
}


static unsigned
cost_run(cost_t *t, const gs_guard_input_t *in, uint64_t budget,
    gs_guard_verdict_t *v)
{
    t->now = 0;
    gs_guard_budget(t->s, cost_clock, t, budget);
    (void) gs_guard_check(t->guard, t->s, in, v);
    gs_guard_budget(t->s, NULL, NULL, 0);

    return (unsigned) t->now;
}


static uint64_t
cost_clock(void *data)
{
    cost_t  *t = data;

    return ++t->now;
}


/* Bytes that were not asked about for want of time are asked about again. */

static void
test_remembered(cost_t *t)
{
    size_t               len;
    worst_t              w;
    unsigned             i;
    gs_guard_verdict_t   cut, v;

    static const char  attack[] = "' union select password from users--";

    memset(&w, 0, sizeof(worst_t));
    w.headers = calloc(4096, sizeof(gs_guard_header_t));
    w.text = malloc(WORST_BODY);

    if (w.headers == NULL || w.text == NULL) {
        exit(1);
    }

    worst_begin(&w, "");
    len = worst_fill(&w, 4000, "", "' or (<a on%u ", "", 0);

    for (i = 0; i < 12; i++) {
        w.headers[i].name = gs_str_text("X-A");
        w.headers[i].value = gs_str_make(w.text, len);
    }

    w.headers[i].name = gs_str_text("X-B");
    w.headers[i].value = gs_str_text(attack);
    w.nheaders = i + 1;

    (void) cost_run(t, &w.in, 0, &cut);
    ok(cut.over_budget, "cut before the last header");

    w.headers[0] = w.headers[i];
    w.nheaders = 1;

    (void) cost_run(t, &w.in, (uint64_t) -1, &v);
    ok(v.nhits > 0, "which is asked about the next time");

    free(w.headers);
    free(w.text);
}


static void
test_phases(cost_t *t)
{
    worst_t              w;
    uint64_t             head;
    gs_guard_verdict_t   v;

    memset(&w, 0, sizeof(worst_t));
    w.text = malloc(WORST_BODY);

    if (w.text == NULL) {
        exit(1);
    }

    worst_begin(&w, "");
    w.in.args = gs_str_make(w.text, worst_fill(&w, WORST_HEAD, "",
                                               "a%u=%%27 or (<a&", "", 900));

    gs_guard_verdict_init(&v);
    t->now = 0;
    gs_guard_budget(t->s, cost_clock, t, 1000000);

    (void) gs_guard_run(t->guard, t->s, NULL, GS_GUARD_HEAD, &w.in, &v);
    head = v.spent;
    ok(head > 0, "a phase tells what it spent");

    (void) gs_guard_run(t->guard, t->s, NULL, GS_GUARD_HEAD, &w.in, &v);
    ok(v.spent > head, "the next one adds to it");

    gs_guard_verdict_init(&v);
    v.spent = 1000000;
    (void) gs_guard_run(t->guard, t->s, NULL, GS_GUARD_HEAD, &w.in, &v);
    ok(v.over_budget, "what is spent before counts");

    gs_guard_budget(t->s, NULL, NULL, 0);
    free(w.text);
}


/* A long value is tried in pieces: a match may begin and end anywhere. */

static void
test_windows(gs_mem_t *mem)
{
    size_t               i, len;
    unsigned             missed, wrong;
    gs_guard_t          *guard;
    gs_uchar_t          *text;
    gs_guard_input_t     in;
    gs_guard_verdict_t   v;
    gs_guard_scratch_t  *s;

    guard = cost_guard(mem, "rule 1000 a { match body view=raw pcre "
                       "'[(]x{40}[)]'; log; }\n"
                       "rule 1001 b { match body view=raw pcre "
                       "'(?<=[(])xxx'; log; }\n"
                       "rule 1002 c { match body view=raw pcre '^[(]x';"
                       " log; }\n"
                       "rule 1003 d { match body view=raw pcre 'x[)]$'; log; }"
                       "\n");
    s = gs_guard_scratch_create(guard, mem, COST_SIZE);
    len = 9000;
    text = malloc(len);

    if (text == NULL) {
        exit(1);
    }

    missed = wrong = 0;

    for (i = 0; i + 42 <= len; i++) {

        if (i > 4200 && i < 6000) {
            i += 97;
        }

        memset(text, '.', len);
        memset(text + i, 'x', 42);
        text[i] = '(';
        text[i + 41] = ')';

        cost_input(&in, text, len);
        (void) gs_guard_check(guard, s, &in, &v);

        missed += (v.nhits < 2 || v.hits[0] != 1000 || v.hits[1] != 1001);
        wrong += (v.nhits != 2u + (i == 0) + (i + 42 == len));
    }

    is_int(missed, 0, "a match is found wherever it begins");
    is_int(wrong, 0, "the ends of a value are its own");

    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    free(text);
}


/* What was not asked to the end tells nothing by not being found. */

static void
test_negated(gs_mem_t *mem)
{
    cost_t               t;
    size_t               len;
    gs_guard_t          *guard;
    gs_uchar_t          *text;
    gs_guard_input_t     in;
    gs_guard_verdict_t   v;

    guard = cost_guard(mem, "rule 1000 a { match method eq POST; "
                       "match body view=raw !pcre 'needle[0-9]'; allow; }\n");
    len = COST_SIZE;
    text = malloc(len);

    if (text == NULL) {
        exit(1);
    }

    memset(text, 'n', len);
    cost_input(&in, text, len);

    memset(&t, 0, sizeof(cost_t));
    t.guard = guard;
    t.s = gs_guard_scratch_create(guard, mem, COST_SIZE);

    gs_guard_plain(t.s, 1);
    (void) cost_run(&t, &in, (uint64_t) -1, &v);
    is_int(v.allowed, 1000, "not there: allowed");

    (void) cost_run(&t, &in, 0, &v);
    ok(v.over_budget, "cut");
    is_int(v.allowed, 0, "not looked at: not allowed");

    gs_guard_scratch_destroy(t.s);
    gs_guard_destroy(guard);
    free(text);
}


static gs_guard_t *
cost_guard(gs_mem_t *mem, const char *rules)
{
    gs_err_t           err;
    gs_str_t           file, text;
    gs_guard_t        *guard;
    gs_guard_build_t  *build;

    build = gs_guard_build_create(mem, NULL, NULL, NULL);
    file = gs_str_text("a.rules");
    text = gs_str_text(rules);

    if (build == NULL || gs_guard_parse(build, &file, &text, &err) != GS_OK
        || gs_guard_compile(&guard, build, &err) != GS_OK)
    {
        diag("rules");
        exit(1);
    }

    return guard;
}


static void
cost_input(gs_guard_input_t *in, const gs_uchar_t *body, size_t len)
{
    memset(in, 0, sizeof(gs_guard_input_t));

    in->method = gs_str_text("POST");
    in->uri = gs_str_text("/");
    in->path = gs_str_text("/");
    in->type = gs_str_text("image/x");
    in->body = gs_str_make(body, len);
}
