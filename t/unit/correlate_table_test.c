
/*
 * Copyright (C) govsvc authors
 *
 * The table of correlation under a clock of the test: windows, distinct
 * values and their error, runs of numbers, rates over their past, steps, what
 * a full table keeps, marks.
 */


#include "guard/gs_correlate.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


#define START  1790000040000ull            /* ms, the start of a minute */


static void test_memory(void);
static void test_count(void);
static void test_steps(void);
static void test_distinct(void);
static void test_distinct_error(void);
static void test_sequence(void);
static void test_rate(void);
static void test_full(void);
static void test_crowd(void);
static void test_marks(void);
static void test_forget(void);
static gs_correlate_plan_t make_plan(gs_correlate_measure_e measure,
    uint64_t window, uint32_t at);
static gs_rc_t add(const gs_correlate_plan_t *plan, const char *key,
    const char *value, uint64_t now);
static uint32_t read_key(const gs_correlate_plan_t *plan, const char *key,
    uint64_t now);
static void fresh(size_t size);


static void                   *memory;
static gs_correlate_table_t   *table;
static gs_correlate_result_t   result;


int
main(void)
{
    test_memory();
    test_count();
    test_steps();
    test_distinct();
    test_distinct_error();
    test_sequence();
    test_rate();
    test_full();
    test_crowd();
    test_marks();
    test_forget();

    free(memory);

    return done_testing();
}


static void
test_memory(void)
{
    gs_siphash_key_t  secret;

    secret.k0 = 1;
    secret.k1 = 2;

    fresh(GS_CORRELATE_MIN);

    ok(gs_correlate_table_init(memory, GS_CORRELATE_MIN - 1, &secret) == NULL,
       "too small");
    ok(gs_correlate_table_attach(memory, GS_CORRELATE_MIN) == table,
       "attached");
    ok(gs_correlate_table_attach(memory, GS_CORRELATE_MIN + 1024) == NULL,
       "of another size");

    memset(memory, 0, 64);
    ok(gs_correlate_table_attach(memory, GS_CORRELATE_MIN) == NULL,
       "no table at all");
}


static void
test_count(void)
{
    unsigned             i, fired;
    gs_correlate_plan_t  plan;

    fresh(GS_CORRELATE_MIN);
    plan = make_plan(GS_CORRELATE_COUNT, 60000, 10);

    for (i = 0, fired = 0; i < 9; i++) {
        fired += (add(&plan, "a", NULL, START + i) == GS_OK);
    }

    is_int(fired, 0, "nine are not enough");
    is_int((int64_t) read_key(&plan, "a", START + 9), 9, "nine are known");
    ok(add(&plan, "b", NULL, START + 9) == GS_DECLINED, "another key");
    ok(add(&plan, "a", NULL, START + 9) == GS_OK, "the tenth fires");
    is_int(result.n, 10, "ten of them");
    is_int(result.limit, 10, "of ten");
    is_int((int64_t) read_key(&plan, "a", START + 10), 0,
           "and it starts again");

    for (i = 0, fired = 0; i < 30; i++) {
        fired += (add(&plan, "a", NULL, START + 10) == GS_OK);
    }

    is_int(fired, 3, "thirty more fire three times");

    for (i = 0, fired = 0; i < 9; i++) {
        fired += (add(&plan, "c", NULL, START + 55000) == GS_OK);
    }

    fired += (add(&plan, "c", NULL, START + 60000 + 5000) == GS_OK);
    is_int(fired, 0, "a part of the window before has gone");
    is_int(result.n, 1 + 9 * 55 / 60, "and counts by what is left of it");

    for (i = 0, fired = 0; i < 9; i++) {
        fired += (add(&plan, "d", NULL, START + 59000) == GS_OK);
    }

    fired += (add(&plan, "d", NULL, START + 60000) == GS_OK);
    is_int(fired, 1, "the edge of a window does not help");

    for (i = 0, fired = 0; i < 500; i++) {
        fired += (add(&plan, "e", NULL, START + i * 7000) == GS_OK);
    }

    is_int(fired, 0, "one in seven seconds never fires");
    ok(add(&plan, "d", NULL, START - 1000) == GS_DECLINED,
       "a clock that goes back");

    plan.at[0] = 3;

    for (i = 0, fired = 0; i < 100; i++) {
        fired += (gs_correlate_add(table, &plan, &(gs_str_t) gs_string("f"),
                                   NULL, START, 4, &result)
                  == GS_OK);
    }

    is_int(fired, 8, "times four: every twelfth");
}


static void
test_steps(void)
{
    unsigned             i, steps[3];
    gs_correlate_plan_t  plan;

    fresh(GS_CORRELATE_MIN);
    plan = make_plan(GS_CORRELATE_COUNT, 60000, 5);
    plan.nsteps = 2;
    plan.at[1] = 12;

    memset(steps, 0, sizeof(steps));

    for (i = 0; i < 24; i++) {
        if (add(&plan, "a", NULL, START) == GS_OK) {
            steps[result.step]++;
            steps[2] += i;
        }
    }

    is_int(steps[0], 2, "the first step fires once on the way");
    is_int(steps[1], 2, "so does the second");
    is_int(steps[2], 4 + 11 + 16 + 23, "each where it should");
}


static void
test_distinct(void)
{
    char                 value[32];
    unsigned             i, fired;
    gs_correlate_plan_t  plan;

    fresh(GS_CORRELATE_MIN);
    plan = make_plan(GS_CORRELATE_UNIQUE, 600000, 8);

    for (i = 0, fired = 0; i < 1000; i++) {
        fired += (add(&plan, "a", "one", START + i * 100) == GS_OK);
    }

    is_int(fired, 0, "the same value again and again");

    for (i = 0, fired = 0; i < 10; i++) {
        (void) snprintf(value, sizeof(value), "user%u", i);
        fired += (add(&plan, "b", value, START) == GS_OK);
    }

    is_int(fired, 1, "ten values where eight are too many");

    for (i = 0, fired = 0; i < 100; i++) {
        (void) snprintf(value, sizeof(value), "user%u", i);
        fired += (add(&plan, "c", value, START + i * 600000ull) == GS_OK);
    }

    is_int(fired, 0, "one each ten minutes");
    ok(read_key(&plan, "c", START + 100 * 600000ull) <= 2, "nor are they "
       "added up");
}


/* Over many keys, so that the error shows, and the bound that is stated. */

static void
test_distinct_error(void)
{
    char                 key[32], value[32];
    double               got, sum, worst;
    unsigned             i, k, n;
    gs_correlate_plan_t  plan;

    static const unsigned  sizes[] = { 8, 25, 100, 300, 1000 };
    static const double    mean[] = { 0.05, 0.03, 0.03, 0.03, 0.05 };
    static const double    single[] = { 0.40, 0.25, 0.20, 0.25, 0.50 };

    fresh(1024 * 1024);
    plan = make_plan(GS_CORRELATE_UNIQUE, 600000, 60000);

    for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {

        sum = worst = 0;

        for (n = 0; n < 200; n++) {
            (void) snprintf(key, sizeof(key), "%u/%u", k, n);

            for (i = 0; i < sizes[k]; i++) {
                (void) snprintf(value, sizeof(value), "%u.%u.%u", k, n, i);
                (void) add(&plan, key, value, START);
            }

            got = (double) result.n / sizes[k] - 1;
            sum += got;
            got = (got < 0) ? -got : got;
            worst = (got > worst) ? got : worst;
        }

        sum /= 200;
        sum = (sum < 0) ? -sum : sum;

        ok(sum < mean[k] && worst < single[k], "%u values: mean error "
           "%.1f %%, worst of 200 %.0f %%", sizes[k], sum * 100, worst * 100);
    }
}


static void
test_sequence(void)
{
    char                 value[64];
    unsigned             i, fired;
    gs_correlate_plan_t  plan;

    fresh(GS_CORRELATE_MIN);
    plan = make_plan(GS_CORRELATE_SEQUENCE, 60000, 20);

    for (i = 0, fired = 0; i < 21; i++) {
        (void) snprintf(value, sizeof(value), "11440100007482575H344%010u",
                        3118009000u + i);
        fired += (add(&plan, "a", value, START) == GS_OK);
    }

    is_int(fired, 1, "twenty steps upwards");

    for (i = 0, fired = 0; i < 21; i++) {
        (void) snprintf(value, sizeof(value), "%u", 5000 - 3 * i);
        fired += (add(&plan, "b", value, START) == GS_OK);
    }

    is_int(fired, 1, "downwards by three");

    for (i = 0, fired = 0; i < 500; i++) {
        (void) snprintf(value, sizeof(value), "%u", i * 7919 % 100000);
        fired += (add(&plan, "c", value, START) == GS_OK);
    }

    is_int(fired, 0, "here and there");

    for (i = 0, fired = 0; i < 500; i++) {
        (void) snprintf(value, sizeof(value), "%c%u", 'a' + (int) (i % 2), i);
        fired += (add(&plan, "d", value, START) == GS_OK);
    }

    is_int(fired, 0, "by turns behind two beginnings");

    for (i = 0, fired = 0; i < 500; i++) {
        fired += (add(&plan, "e", "17", START) == GS_OK);
        fired += (add(&plan, "e", "index", START) == GS_OK);
    }

    is_int(fired, 0, "the same number, and none");
}


static void
test_rate(void)
{
    unsigned             i, s, fired, first;
    gs_correlate_plan_t  plan;

    fresh(GS_CORRELATE_MIN);
    plan = make_plan(GS_CORRELATE_RATE, 1000, 50);
    plan.factor = 3;
    plan.baseline = 60;

    for (s = 0, fired = 0; s < 120; s++) {
        for (i = 0; i < 100; i++) {
            fired += (add(&plan, "a", NULL, START + s * 1000) == GS_OK);
        }
    }

    is_int(fired, 0, "a steady rate above the least one");

    for (i = 0; i < 280; i++) {
        fired += (add(&plan, "a", NULL, START + s * 1000) == GS_OK);
    }

    is_int(fired, 0, "not yet three times as much");

    for (s = 121, first = 0; s < 151; s++) {
        for (i = 0; i < 400; i++) {
            if (add(&plan, "a", NULL, START + s * 1000) == GS_OK) {
                fired++;
                first = result.n;
            }
        }
    }

    is_int(fired, 1, "a flood fires once, not once a second");
    ok(first >= 290 && first <= 330, "at three times as much (%u)", first);

    for (s = 151; s < 161; s++) {
        for (i = 0; i < 100; i++) {
            fired += (add(&plan, "a", NULL, START + s * 1000) == GS_OK);
        }
    }

    for (s = 161; s < 171; s++) {
        for (i = 0; i < 2000; i++) {
            fired += (add(&plan, "a", NULL, START + s * 1000) == GS_OK);
        }
    }

    is_int(fired, 2, "the next flood fires again");

    for (s = 0, fired = 0; s < 10; s++) {
        for (i = 0; i < 1000; i++) {
            fired += (add(&plan, "b", NULL, START + s * 1000) == GS_OK);
        }
    }

    is_int(fired, 0, "nothing is told before the past is known");

    for (s = 0, fired = 0; s < 100; s++) {
        for (i = 0; i < (s == 90 ? 45u : 2u); i++) {
            fired += (add(&plan, "c", NULL, START + s * 1000) == GS_OK);
        }
    }

    is_int(fired, 0, "many times as much, but little");
}


/* Many keys of one event do not put out those that are known for more. */

static void
test_full(void)
{
    char                 key[32];
    unsigned             i, k, fired;
    gs_correlate_plan_t  plan;
    gs_correlate_stat_t  stat;

    fresh(64 * 1024);
    plan = make_plan(GS_CORRELATE_COUNT, 600000, 10);

    for (k = 0; k < 20; k++) {
        (void) snprintf(key, sizeof(key), "attacker%u", k);

        for (i = 0; i < 5; i++) {
            (void) add(&plan, key, NULL, START);
        }
    }

    for (i = 0; i < 100000; i++) {
        (void) snprintf(key, sizeof(key), "once%u", i);
        (void) add(&plan, key, NULL, START + i / 1000);
    }

    for (k = 0, fired = 0; k < 20; k++) {
        (void) snprintf(key, sizeof(key), "attacker%u", k);

        for (i = 0; i < 5; i++) {
            fired += (add(&plan, key, NULL, START + 200) == GS_OK);
        }
    }

    gs_correlate_stat(table, START + 200, &stat);

    is_int(fired, 20, "all of them are still counted");
    ok(stat.evicted > 90000, "others had to go");
    ok(stat.used == stat.slots, "every slot is used");
    is_int((int64_t) stat.full, 0, "there is room for the next all the time");

    for (k = 0, fired = 0; k < 3000; k++) {
        (void) snprintf(key, sizeof(key), "known%u", k);

        for (i = 0; i < 10; i++) {
            fired += (add(&plan, key, NULL, START + 300) == GS_OK);
        }
    }

    gs_correlate_stat(table, START + 300, &stat);

    is_int(fired, (int64_t) (stat.slots - 20), "until every slot knows one");
    ok(stat.full > 0, "which is told");
    is_int((int64_t) gs_correlate_lost(table, START + 300),
           (int64_t) stat.full, "with how many");
    is_int((int64_t) gs_correlate_lost(table, START + 400), 0, "once");
    (void) add(&plan, "one-more", NULL, START + 400);
    is_int((int64_t) gs_correlate_lost(table, START + 500), 0,
           "not more often than each minute");
    is_int((int64_t) gs_correlate_lost(table, START + 60300), 1,
           "and then what came since");

    for (i = 0, fired = 0; i < 10; i++) {
        fired += (add(&plan, "later", NULL, START + 7200 * 1000) == GS_OK);
    }

    is_int(fired, 1, "not for ever");
}


/* Nor those that tell that many callers share an exit. */

static void
test_crowd(void)
{
    char                 key[32];
    unsigned             i;
    gs_correlate_plan_t  crowd, plan;

    fresh(64 * 1024);
    plan = make_plan(GS_CORRELATE_COUNT, 600000, 10);
    crowd = make_plan(GS_CORRELATE_UNIQUE, 3600000, 0);
    crowd.nsteps = 0;

    for (i = 0; i < 20; i++) {
        (void) snprintf(key, sizeof(key), "citizen%u", i);
        (void) add(&crowd, "exit", key, START);
    }

    for (i = 0; i < 100000; i++) {
        (void) snprintf(key, sizeof(key), "flood%u", i / 2);
        (void) add(&plan, key, NULL, START + i / 1000);
    }

    ok(read_key(&crowd, "exit", START + 200) >= 15,
       "a flood of addresses does not make an exit unknown");
}


static void
test_marks(void)
{
    gs_str_t  a, b;

    a = gs_str_text("a");
    b = gs_str_text("b");

    fresh(GS_CORRELATE_MIN);

    ok(!gs_correlate_marks(table, GS_CORRELATE_IP, START), "none yet");
    ok(gs_correlate_mark(table, GS_CORRELATE_IP, 0, &a, 4711, START,
                         START + 60000)
       == GS_OK, "marked");
    ok(gs_correlate_marks(table, GS_CORRELATE_IP, START), "there is one");
    ok(!gs_correlate_marks(table, GS_CORRELATE_APP, START), "of its kind");
    is_int(gs_correlate_marked(table, GS_CORRELATE_IP, 0, &a, START), 4711,
           "for the rule");
    is_int(gs_correlate_marked(table, GS_CORRELATE_IP, 0, &b, START), 0,
           "not another key");
    is_int(gs_correlate_marked(table, GS_CORRELATE_SUBJECT, 0, &a, START), 0,
           "not another kind");
    is_int(gs_correlate_marked(table, GS_CORRELATE_IP, 0, &a, START + 60000), 0,
           "not for longer");
    gs_correlate_unmark(table, GS_CORRELATE_IP, &a);
    is_int(gs_correlate_marked(table, GS_CORRELATE_IP, 0, &a, START), 0,
           "nor when it was lifted");
    ok(gs_correlate_mark(table, GS_CORRELATE_IP, 1, &a, 4713, START,
                         START + 60000)
       == GS_OK
       && gs_correlate_marked(table, GS_CORRELATE_IP, 0, &a, START) == 0
       && gs_correlate_marked(table, GS_CORRELATE_IP, 1, &a, START) == 4713,
       "another lane");

    gs_correlate_unmark(table, GS_CORRELATE_IP, &a);
    is_int(gs_correlate_marked(table, GS_CORRELATE_IP, 1, &a, START), 0,
           "cleared with the first");

    ok(gs_correlate_mark(table, GS_CORRELATE_IP, 0, &a, 4712, START,
                         START + 60000)
       == GS_OK, "again");
    is_int(gs_correlate_marked(table, GS_CORRELATE_IP, 0, &a, START), 4712,
           "for the other rule");
}


static void
test_forget(void)
{
    unsigned             i;
    gs_str_t             key;
    gs_correlate_plan_t  count, unique;

    fresh(GS_CORRELATE_MIN);
    count = make_plan(GS_CORRELATE_COUNT, 60000, 10);
    unique = make_plan(GS_CORRELATE_UNIQUE, 60000, 10);

    for (i = 0; i < 9; i++) {
        (void) add(&count, "a", NULL, START);
        (void) add(&unique, "a", i % 2 ? "x" : "y", START);
    }

    key = gs_str_text("a");
    gs_correlate_clear(table, &count, &key);
    gs_correlate_clear(table, &unique, &key);

    is_int((int64_t) read_key(&count, "a", START), 0, "no events");
    is_int((int64_t) read_key(&unique, "a", START), 0, "no values");
    ok(add(&count, "a", NULL, START) == GS_DECLINED, "it begins again");
    is_int(result.n, 1, "with one");
}


static gs_correlate_plan_t
make_plan(gs_correlate_measure_e measure, uint64_t window, uint32_t at)
{
    gs_correlate_plan_t  plan;

    memset(&plan, 0, sizeof(gs_correlate_plan_t));

    plan.id = 3000;
    plan.measure = measure;
    plan.window = window;
    plan.nsteps = 1;
    plan.at[0] = at;

    return plan;
}


static gs_rc_t
add(const gs_correlate_plan_t *plan, const char *key, const char *value,
    uint64_t now)
{
    gs_str_t  k, v;

    k = gs_str_text(key);
    v = gs_str_text(value != NULL ? value : "");

    return gs_correlate_add(table, plan, &k, &v, now, 1, &result);
}


static uint32_t
read_key(const gs_correlate_plan_t *plan, const char *key, uint64_t now)
{
    gs_str_t  k;

    k = gs_str_text(key);

    return gs_correlate_read(table, plan, &k, now);
}


static void
fresh(size_t size)
{
    gs_siphash_key_t  secret;

    secret.k0 = 0x0123456789abcdefull;
    secret.k1 = 42;

    free(memory);
    memory = NULL;

    if (posix_memalign(&memory, 64, size) != 0) {
        exit(1);
    }

    table = gs_correlate_table_init(memory, size, &secret);
}
