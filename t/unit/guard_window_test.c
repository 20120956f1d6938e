
/*
 * Copyright (C) govsvc authors
 *
 * A long value is seen through windows: every pattern as shipped finds in it
 * what it finds in the whole, and at the same place, wherever that stands and
 * however far the pattern reads.
 */


#include "guard_fixture.h"
#include "guard/gs_guard_priv.h"
#include "tap.h"


#define WINDOW_TEXT  6000
#define WINDOW_LONG  20000                 /* of what a pattern repeats */


typedef struct {
    gs_guard_t          *guard;
    gs_guard_scratch_t  *s;
    gs_uchar_t          *text;
    unsigned             asked;
    unsigned             found;
    unsigned             differ;
} window_t;


static void window_rule(window_t *w, uint32_t rule, const gs_str_t *piece);
static void window_ask(window_t *w, const gs_cond_t *cond, size_t len);
static void window_pumps(window_t *w);
static void test_escalates(gs_arena_t *arena);
static void test_left_out(gs_arena_t *arena);


/* What patterns repeat: blanks, names, digits, marks. */
static const char  window_fillers[] = " a1(.=/\"";


int
main(void)
{
    size_t            at;
    uint32_t          i, t;
    window_t          w;
    gs_str_t          piece;
    gs_arena_t       *arena, *temp;
    gs_guard_test_t   test;

    memset(&w, 0, sizeof(window_t));
    arena = gs_arena_create(&gs_mem_libc);

    w.guard = fixture_guard(gs_arena_mem(arena));
    w.s = gs_guard_scratch_create(w.guard, gs_arena_mem(arena), 0);
    w.text = malloc(WINDOW_LONG + 1);

    for (i = 0; w.text != NULL && i < w.guard->nrules; i++) {
        for (t = 0; t < w.guard->rules[i].ntests; t++) {

            temp = gs_arena_create(&gs_mem_libc);
            (void) gs_guard_rule_test(w.guard, w.s, gs_arena_mem(temp), i, t,
                                      &test, NULL);

            at = gs_str_chr(&test.text, 0, '=') + 1;
            at = (at < test.text.len) ? at : 0;
            piece = gs_str_make(test.text.data + at, test.text.len - at);

            window_rule(&w, i, &piece);
            gs_arena_destroy(temp);
        }
    }

    ok(w.asked > 10000 && w.found > 1000, "%u texts, %u found", w.asked,
       w.found);
    is_int(w.differ, 0, "the same as without windows");

    w.asked = w.differ = 0;
    window_pumps(&w);

    ok(w.asked > 1000, "%u texts that patterns read to the end", w.asked);
    is_int(w.differ, 0, "the same as without windows");

    /* where the system forbids JIT */

    w.asked = w.differ = 0;

    for (i = 0; i < w.guard->nconds; i++) {
        w.guard->conds[i].jit = 0;
    }

    window_pumps(&w);
    is_int(w.differ, 0, "%u texts without JIT: the same", w.asked);

    test_escalates(arena);
    test_left_out(arena);

    gs_guard_scratch_destroy(w.s);
    gs_guard_destroy(w.guard);
    gs_arena_destroy(arena);
    free(w.text);

    return done_testing();
}


/* The piece at the begin, at the end, and about the end of a window. */

static void
window_rule(window_t *w, uint32_t rule, const gs_str_t *piece)
{
    int               filler;
    size_t            i, at, len;
    const gs_cond_t  *cond;

    static const size_t  places[] = { 0, 1500, 2040, 2047, 2048, 4000, 5000 };

    len = (piece->len < 1000) ? piece->len : 1000;

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {

        filler = window_fillers[(rule + i) % (sizeof(window_fillers) - 1)];
        at = places[i];

        memset(w->text, filler, WINDOW_TEXT);
        memcpy(w->text + at, piece->data, len);

        cond = &w->guard->conds[w->guard->rules[rule].cond];

        for ( /* void */ ; cond != NULL; cond = cond->same) {
            window_ask(w, cond, WINDOW_TEXT);
            window_ask(w, cond, at + len);
        }
    }
}


static void
window_ask(window_t *w, const gs_cond_t *cond, size_t len)
{
    size_t      at;
    gs_rc_t     rc;
    gs_str_t    text;
    gs_value_t  v;

    if (cond->op != GS_OP_PCRE) {
        return;
    }

    text = gs_str_make(w->text, len);
    gs_guard_value_init(&v, GS_KIND_BODY, GS_DECODE_NONE, &text);

    w->asked++;

    gs_guard_plain(w->s, 1);
    rc = gs_guard_confirm(w->s, cond, &v, GS_VIEW_RAW);
    at = w->s->at;

    gs_guard_plain(w->s, 0);

    if (gs_guard_confirm(w->s, cond, &v, GS_VIEW_RAW) != rc
        || (rc == GS_OK && w->s->at != at))
    {
        w->differ++;
        diag("rule %u, line %u: %d", w->guard->rules[cond->rule].id,
             cond->line, rc);
    }

    w->found += (rc == GS_OK);
}


/* A literal of the pattern, and then one byte without end. */

static void
window_pumps(window_t *w)
{
    size_t      i, len;
    uint32_t    n;
    gs_cond_t  *cond;

    for (n = 0; n < w->guard->nconds; n++) {
        for (cond = &w->guard->conds[n]; cond != NULL; cond = cond->same) {

            if (cond->nwords == 0) {
                continue;
            }

            for (i = 0; i + 1 < sizeof(window_fillers); i++) {
                memset(w->text, window_fillers[i], WINDOW_LONG);

                len = cond->words[i % cond->nwords].len;
                memcpy(w->text, cond->words[i % cond->nwords].data, len);
                window_ask(w, cond, WINDOW_LONG);
            }
        }
    }
}


/* Steps of one place are few at first, not in the end. */

static void
test_escalates(gs_arena_t *arena)
{
    gs_str_t             text;
    gs_value_t           v;
    gs_guard_t          *guard;
    gs_uchar_t          *data;
    gs_guard_scratch_t  *s;

    static const char  rules[] =
        "rule 1000 a { match body view=raw pcre '[(](?:a|aa)*[)]'; log; }\n";

    guard = fixture_rules_of(arena, rules);
    s = gs_guard_scratch_create(guard, gs_arena_mem(arena), 0);
    data = malloc(WINDOW_LONG);

    if (data == NULL) {
        exit(1);
    }

    memset(data, 'a', WINDOW_LONG);
    data[0] = '(';
    data[8000] = ')';
    data[WINDOW_LONG - 1] = ')';
    data[WINDOW_LONG - 2] = 'x';

    text = gs_str_make(data, WINDOW_LONG);
    gs_guard_value_init(&v, GS_KIND_BODY, GS_DECODE_NONE, &text);

    is_int(gs_guard_confirm(s, &guard->conds[0], &v, GS_VIEW_RAW), GS_OK,
           "found behind thousands of steps");

    data[8000] = 'a';

    is_int(gs_guard_confirm(s, &guard->conds[0], &v, GS_VIEW_RAW), GS_ERROR,
           "and undecided beyond the last of them");

    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    free(data);
}


/* What a pattern leaves out is left out however far it reaches. */

static void
test_left_out(gs_arena_t *arena)
{
    unsigned             i;
    gs_str_t             text;
    gs_value_t           v;
    gs_guard_t          *guard;
    gs_uchar_t          *data;
    gs_guard_scratch_t  *s;

    static const char  rules[] =
        "rule 1000 a { match body view=raw pcre"
        " '[(][^)]*[)](*SKIP)(*FAIL)|x'; log; }\n"
        "rule 1001 b { match body view=raw pcre"
        " '^[(][^)]*[)](*COMMIT)(*FAIL)|x'; log; }\n";

    guard = fixture_rules_of(arena, rules);
    s = gs_guard_scratch_create(guard, gs_arena_mem(arena), 0);
    data = malloc(WINDOW_LONG);

    if (data == NULL) {
        exit(1);
    }

    memset(data, 'x', WINDOW_LONG);
    data[0] = '(';
    data[WINDOW_LONG - 2] = ')';

    for (i = 0; i < 2; i++) {
        text = gs_str_make(data, WINDOW_LONG - 1);
        gs_guard_value_init(&v, GS_KIND_BODY, GS_DECODE_NONE, &text);

        is_int(gs_guard_confirm(s, &guard->conds[i], &v, GS_VIEW_RAW),
               GS_DECLINED, "all of it is left out");

        text.len++;
        gs_guard_value_init(&v, GS_KIND_BODY, GS_DECODE_NONE, &text);

        is_int(gs_guard_confirm(s, &guard->conds[i], &v, GS_VIEW_RAW),
               i == 0 ? GS_OK : GS_DECLINED, "and what is behind it is %s",
               i == 0 ? "not" : "too");
    }

    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    free(data);
}
