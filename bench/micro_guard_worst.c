
/*
 * Copyright (C) govsvc authors
 *
 * The requests that cost the guard most, by the processor's time of one
 * check: the ten dearest of some thousands, with the budget as it is set when
 * nobody sets it, and the ten that go longest without a look at the clock.
 * With an argument: all whose names hold it ("" for all), one a line, with and
 * without the budget; with another, a number: each so many-th of those that
 * are made of a rule, 1 for all.  To search for what costs most:
 *
 *     build/bench/micro_guard_worst '' 3 | sort -n -k3 | tail
 */


#include "../t/unit/guard_fixture.h"
#include "../t/unit/guard_worst.h"

#include <dirent.h>
#include <stddef.h>
#include <time.h>


#define BENCH_BUDGET  20000000             /* ns */
#define BENCH_LISTED  10
#define BENCH_SEEDS   "fuzz/corpus/guard_check"


typedef struct {
    char                 name[WORST_NAMES];
    uint64_t             free;             /* ns, without a budget */
    uint64_t             spent;
    uint64_t             step;             /* longest between two looks */
    unsigned             action;
    unsigned             rule;
    unsigned             over;
} bench_worst_t;


typedef struct {
    const gs_guard_t    *guard;
    gs_guard_scratch_t  *s;
    const char          *all;              /* NULL: the dearest */
    bench_worst_t        worst[BENCH_LISTED];
    bench_worst_t        steps[BENCH_LISTED];
    uint64_t             looked;           /* at the clock */
    uint64_t             step;
} bench_t;


static void bench_one(void *data, worst_t *w);
static void bench_measure(bench_t *b, const gs_guard_input_t *in,
    bench_worst_t *one);
static void bench_enter(bench_worst_t *list, const bench_worst_t *one,
    size_t by);
static void bench_seeds(bench_t *b, const char *folder);
static uint64_t bench_check(bench_t *b, const gs_guard_input_t *in,
    uint64_t budget, gs_guard_verdict_t *v);
static uint64_t bench_clock(void *data);
static uint64_t bench_look(void *data);


int
main(int argc, char **argv)
{
    bench_t      b;
    unsigned     i, n, step;
    gs_arena_t  *arena;

    static const size_t  sizes[] = { 128 * 1024, 1024 * 1024 };

    step = (argc > 2) ? (unsigned) atoi(argv[2]) : 0;
    step = (step > 0) ? step : (argc > 1) ? 1 : 7;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {

        memset(&b, 0, sizeof(bench_t));
        arena = gs_arena_create(&gs_mem_libc);

        b.all = (argc > 1) ? argv[1] : NULL;
        b.guard = fixture_guard(gs_arena_mem(arena));
        b.s = gs_guard_scratch_create(b.guard, gs_arena_mem(arena), sizes[i]);

        worst_each(b.guard, b.s, sizes[i], step, bench_one, &b);
        bench_seeds(&b, BENCH_SEEDS);

        for (n = 0; n < BENCH_LISTED && !b.all; n++) {
            printf("guard_worst_%zuk_%s\t%.2f\tms%s\n", sizes[i] / 1024,
                   b.worst[n].name, (double) b.worst[n].spent / 1e6,
                   b.worst[n].over ? ", cut" : "");
        }

        for (n = 0; n < BENCH_LISTED && !b.all; n++) {
            printf("guard_step_%zuk_%s\t%.2f\tms\n", sizes[i] / 1024,
                   b.steps[n].name, (double) b.steps[n].step / 1e6);
        }

        gs_guard_scratch_destroy(b.s);
        gs_guard_destroy((gs_guard_t *) (uintptr_t) b.guard);
        gs_arena_destroy(arena);
    }

    return 0;
}


static void
bench_one(void *data, worst_t *w)
{
    bench_t             *b = data;

    bench_worst_t        one;
    gs_guard_verdict_t   v;

    if (b->all && strstr(w->name, b->all) == NULL) {
        return;
    }

    memcpy(one.name, w->name, WORST_NAMES);
    one.spent = one.step = (uint64_t) -1;
    bench_measure(b, &w->in, &one);

    if (b->all) {
        one.free = bench_check(b, &w->in, 0, &v);

        printf("%.3f\t%.3f\t%.3f\t%s\t%u\t%s\t%s\n",
               (double) one.spent / 1e6, (double) one.free / 1e6,
               (double) one.step / 1e6,
               one.action == GS_GUARD_BLOCK ? "block"
               : one.action == GS_GUARD_LOG ? "log" : "pass",
               one.rule, one.over ? "cut" : "-", one.name);
        return;
    }

    /* what would be listed is measured again: the machine has other work */

    if (one.spent > b->worst[BENCH_LISTED - 1].spent
        || one.step > b->steps[BENCH_LISTED - 1].step)
    {
        bench_measure(b, &w->in, &one);
        bench_enter(b->worst, &one, offsetof(bench_worst_t, spent));
        bench_enter(b->steps, &one, offsetof(bench_worst_t, step));
    }
}


static void
bench_measure(bench_t *b, const gs_guard_input_t *in, bench_worst_t *one)
{
    uint64_t            spent;
    gs_guard_verdict_t  v;

    spent = bench_check(b, in, BENCH_BUDGET, &v);

    one->spent = (spent < one->spent) ? spent : one->spent;
    one->step = (b->step < one->step) ? b->step : one->step;
    one->action = v.action;
    one->rule = v.rule;
    one->over = v.over_budget;
}


/* Into a list with the greatest first, by the number at this offset. */

static void
bench_enter(bench_worst_t *list, const bench_worst_t *one, size_t by)
{
    uint64_t  value, other;
    unsigned  i, k;

    memcpy(&value, (const char *) one + by, sizeof(uint64_t));

    for (i = 0; i < BENCH_LISTED; i++) {
        memcpy(&other, (const char *) &list[i] + by, sizeof(uint64_t));

        if (value > other) {
            break;
        }
    }

    for (k = BENCH_LISTED - 1; i < BENCH_LISTED && k > i; k--) {
        list[k] = list[k - 1];
    }

    if (i < BENCH_LISTED) {
        list[i] = *one;
    }
}


static void
bench_seeds(bench_t *b, const char *folder)
{
    DIR            *dir;
    FILE           *f;
    char            path[512], *data;
    size_t          len;
    worst_t         w;
    gs_str_t        text;
    gs_arena_t     *arena;
    struct dirent  *e;

    memset(&w, 0, sizeof(worst_t));
    dir = opendir(folder);

    for (e = dir ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {

        (void) snprintf(path, sizeof(path), "%s/%.255s", folder, e->d_name);
        (void) snprintf(w.name, WORST_NAMES, "seed-%.40s", e->d_name);

        f = (e->d_name[0] == '.') ? NULL : fopen(path, "rb");

        if (f == NULL) {
            continue;
        }

        data = fixture_read(f, &len);
        (void) fclose(f);

        arena = gs_arena_create(&gs_mem_libc);
        text = gs_str_make(data, len);

        if (gs_guard_request(&w.in, gs_arena_mem(arena), &text, NULL)
            == GS_OK)
        {
            bench_one(b, &w);
        }

        gs_arena_destroy(arena);
        free(data);
    }

    if (dir != NULL) {
        (void) closedir(dir);
    }
}


static uint64_t
bench_check(bench_t *b, const gs_guard_input_t *in, uint64_t budget,
    gs_guard_verdict_t *v)
{
    uint64_t  start;

    gs_guard_budget(b->s, budget ? bench_look : NULL, b, budget);

    start = bench_clock(NULL);
    b->looked = start;
    b->step = 0;
    (void) gs_guard_check(b->guard, b->s, in, v);

    return bench_look(b) - start;
}


/* The clock of the guard. */

static uint64_t
bench_look(void *data)
{
    bench_t   *b = data;

    uint64_t   now;

    now = bench_clock(NULL);
    b->step = (now - b->looked > b->step) ? now - b->looked : b->step;
    b->looked = now;

    return now;
}


static uint64_t
bench_clock(void *data)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}
