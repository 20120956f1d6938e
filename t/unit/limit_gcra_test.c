
/*
 * Copyright (C) govsvc authors
 *
 * The rate algorithm: vectors and properties.
 */


#include <stdio.h>

#include "limit/gs_limit_gcra.h"
#include "tap.h"


#define ARRIVALS  300


typedef struct {
    uint64_t  time;
    uint64_t  cost;
} arrival_t;


static void test_parse(void);
static void test_refused_rates(void);
static void test_burst(void);
static void test_vectors(void);
static void test_exact(const char *text, uint64_t burst, uint64_t us,
    uint64_t least, uint64_t most);
static void test_far(void);
static void test_step(void);
static void test_properties(void);
static unsigned check_intervals(const gs_limit_rate_t *rate,
    const arrival_t *a, unsigned n);
static unsigned check_answer(const gs_limit_rate_t *rate, uint64_t tat,
    uint64_t now, uint64_t cost, gs_rc_t rc, const gs_limit_result_t *res);
static void make_rate(gs_limit_rate_t *rate, const char *text,
    uint64_t burst);
static uint64_t next_random(void);


static gs_err_t  err;
static uint64_t  seed = 88172645463325252ull;


int
main(void)
{
    test_parse();
    test_refused_rates();
    test_burst();
    test_vectors();
    test_exact("3000r/s", 1, 2000000, 6000, 6001);
    test_exact("700000r/s", 10, 1000000, 700009, 700012);
    test_exact("1000000r/s", 1, 1000000, 1000000, 1000000);
    test_exact("999999r/s", 5, 1000000, 1000000, 1000000);
    test_exact("7r/s", 2, 3000000, 22, 23);
    test_far();
    test_step();
    test_properties();

    return done_testing();
}


static void
test_parse(void)
{
    size_t           i;
    gs_str_t         s;
    gs_limit_rate_t  rate;

    static const struct {
        const char  *text;
        uint64_t     count;
        uint64_t     period;
    } good[] = {
        { "1r/s", 1, 1000000 },
        { "1000000r/s", 1000000, 1000000 },
        { "3000r/m", 3000, 60000000 },
        { "100r/h", 100, 3600000000ull },
        { "5r/d", 5, 86400000000ull },
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        s = gs_str_text(good[i].text);
        ok(gs_limit_rate_parse(&rate, &s, &err) == GS_OK
           && rate.count == good[i].count && rate.period == good[i].period,
           "rate %s", good[i].text);
    }
}


static void
test_refused_rates(void)
{
    size_t           i;
    gs_str_t         s;
    gs_limit_rate_t  rate;

    static const char *const  bad[] = {
        "", "/", "r/s", "/s", "1", "1r", "1r/", "1/s", "1r/w", "1r/S",
        "-1r/s", "1.5r/s", " 1r/s", "1r/s ", "1rr/s", "1r/ss",
        "18446744073709551616r/s", NULL
    };

    for (i = 0; bad[i] != NULL; i++) {
        s = gs_str_text(bad[i]);
        is_int(gs_limit_rate_parse(&rate, &s, &err), GS_ERROR,
               "rate \"%s\"", bad[i]);
    }

    is_str(gs_str_text(err.text),
           "invalid rate \"18446744073709551616r/s\", it must be a number "
           "and r/s, r/m, r/h or r/d, as in \"50r/s\"", "the form");

    s = gs_str_text("0r/s");
    is_int(gs_limit_rate_parse(&rate, &s, &err), GS_ERROR, "rate 0");
    s = gs_str_text("1000001r/s");
    is_int(gs_limit_rate_parse(&rate, &s, &err), GS_ERROR, "too fast");
    is_str(gs_str_text(err.text),
           "invalid rate \"1000001r/s\", it must be at least 1 in its "
           "period and at most 1000000r/s", "the bounds");
}


static void
test_burst(void)
{
    gs_str_t         s;
    gs_limit_rate_t  rate;

    s = gs_str_text("1r/d");
    (void) gs_limit_rate_parse(&rate, &s, &err);

    is_int(gs_limit_rate_init(&rate, 366, &err), GS_OK, "366 days");
    is_int(gs_limit_rate_init(&rate, 367, &err), GS_ERROR, "367 days");
    is_str(gs_str_text(err.text), "invalid burst, at this rate it takes "
           "more than 366 days to come back", "which is too long");
    is_int(gs_limit_rate_init(&rate, UINT64_MAX, &err), GS_ERROR,
           "absurd burst");
    is_int(gs_limit_rate_init(&rate, 0, &err), GS_ERROR, "burst 0");
    is_str(gs_str_text(err.text), "invalid burst \"0\", it is the number of "
           "requests that may come at once, at least 1", "and why");
}


static void
test_vectors(void)
{
    size_t             i;
    gs_rc_t            rc;
    uint64_t           tat;
    gs_limit_rate_t    rate;
    gs_limit_result_t  res;

    static const struct {
        uint64_t           now;
        uint64_t           cost;
        gs_rc_t            rc;
        gs_limit_result_t  res;
    } steps[] = {
        /* 10r/s, burst 3 */
        { 1000000, 1, GS_OK, { 3, 2, 100000, 0 } },
        { 1000000, 1, GS_OK, { 3, 1, 200000, 0 } },
        { 1000000, 2, GS_DECLINED, { 3, 1, 200000, 100000 } },
        { 1000000, 1, GS_OK, { 3, 0, 300000, 0 } },
        { 1000000, 1, GS_DECLINED, { 3, 0, 300000, 100000 } },
        { 1099999, 1, GS_DECLINED, { 3, 0, 200001, 1 } },
        { 1100000, 1, GS_OK, { 3, 0, 300000, 0 } },
        { 900000, 1, GS_DECLINED, { 3, 0, 500000, 300000 } },
        { 1400000, 3, GS_OK, { 3, 0, 300000, 0 } },
        { 9000000, 4, GS_DECLINED, { 3, 3, 0, 300000 } },
        { 9000000, 3, GS_OK, { 3, 0, 300000, 0 } },
    };

    make_rate(&rate, "10r/s", 3);
    tat = 0;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        rc = gs_limit_judge(&rate, tat, steps[i].now, steps[i].cost, &tat,
                            &res);
        is_int(rc, steps[i].rc, "step %zu", i);
        ok(memcmp(&res, &steps[i].res, sizeof(res)) == 0,
           "step %zu: %d of %d, full in %d, wait %d", i, (int) res.remaining,
           (int) res.limit, (int) res.reset, (int) res.retry_after);
    }
}


/* A flood, one request in each microsecond. */

static void
test_exact(const char *text, uint64_t burst, uint64_t us, uint64_t least,
    uint64_t most)
{
    uint64_t           now, tat, n;
    gs_limit_rate_t    rate;
    gs_limit_result_t  res;

    make_rate(&rate, text, burst);
    tat = 0;
    n = 0;

    for (now = 1; now <= us; now++) {
        n += (gs_limit_judge(&rate, tat, now, 1, &tat, &res) == GS_OK);
    }

    ok(n >= least && n <= most, "%s lets %d through in %d us", text, (int) n,
       (int) us);
}


static void
test_far(void)
{
    uint64_t           tat, now;
    gs_limit_rate_t    rate;
    gs_limit_result_t  res;

    make_rate(&rate, "1r/d", 1);
    tat = 0;
    now = 1ull << 47;

    is_int(gs_limit_judge(&rate, tat, now, 1, &tat, &res), GS_OK,
           "after four years");
    is_int(gs_limit_judge(&rate, tat, now + 86399999999ull, 1, &tat, &res),
           GS_DECLINED, "a microsecond before the day is over");
    is_int((int64_t) res.retry_after, 1, "which it says");
    is_int(gs_limit_judge(&rate, tat, now + 86400000000ull, 1, &tat, &res),
           GS_OK, "a day later");
}


static void
test_step(void)
{
    size_t           i, k;
    uint64_t         x, y, n;
    unsigned         wrong;
    gs_limit_rate_t  rate;

    static const char *const  rates[] = {
        "1r/s", "3r/s", "3000r/s", "700000r/s", "1000000r/s", "999983r/s",
        "7r/m", "59r/h", "11r/d"
    };

    wrong = 0;

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        make_rate(&rate, rates[i], 1);

        for (k = 0; k < 20000; k++) {
            x = next_random() >> 17;
            n = next_random() % 100 + 1;
            y = gs_limit_step(&rate, x, n);

            /* within a microsecond of n intervals, and back again */

            wrong += (((y - x) + 1) * rate.count < n * rate.period
                      || ((y - x) - 1) * rate.count > n * rate.period);
            x = y - gs_limit_step_back(&rate, y, n);
            wrong += ((x + 1) * rate.count < n * rate.period
                      || (x - 1) * rate.count > n * rate.period);
        }
    }

    is_int(wrong, 0, "steps are as long as the rate says");
    make_rate(&rate, "1r/s", 1);
    is_int((int64_t) gs_limit_step_back(&rate, 500000, 1), 0,
           "back ends at 0");
}


static void
test_properties(void)
{
    char               text[32];
    gs_rc_t            rc;
    uint64_t           now, tat, old, cost, last, burst;
    unsigned           round, i, n, over, idle, answers;
    arrival_t          admitted[ARRIVALS];
    gs_limit_rate_t    rate;
    gs_limit_result_t  res;

    over = 0;
    idle = 0;
    answers = 0;

    for (round = 0; round < 400; round++) {

        snprintf(text, sizeof(text), "%ur/%c",
                 (unsigned) (1 + next_random() % ((round % 2) ? 1000000 : 50)),
                 "smhd"[next_random() % 4]);
        burst = 1 + next_random() % 20;
        make_rate(&rate, text, burst);

        now = next_random() >> 18;
        tat = 0;
        last = 0;
        n = 0;

        for (i = 0; i < ARRIVALS; i++) {

            now += (next_random() % 4 == 0)
                   ? next_random() % (3 * rate.tau + 2)
                   : next_random() % (rate.unit + 1);
            cost = (next_random() % 4 == 0) ? 1 + next_random() % burst : 1;

            old = tat;
            rc = gs_limit_judge(&rate, tat, now, cost, &tat, &res);
            answers += check_answer(&rate, old, now, cost, rc, &res);

            if (rc == GS_OK) {
                admitted[n].time = now;
                admitted[n].cost = cost;
                n++;
                last = now;

            } else if (cost == 1 && now - last >= rate.unit) {
                idle++;
            }
        }

        over += check_intervals(&rate, admitted, n);
    }

    is_int(over, 0, "no interval lets more through than burst + rate * t");
    is_int(idle, 0, "none is refused after an idle interval");
    is_int(answers, 0, "waiting as told is enough, and not too much");
}


static unsigned
check_intervals(const gs_limit_rate_t *rate, const arrival_t *a, unsigned n)
{
    uint64_t  sum, slack, allowed;
    unsigned  i, k, over;

    over = 0;
    slack = (rate->interval & ((1u << 27) - 1)) ? 3 : 0;

    for (i = 0; i < n; i++) {
        sum = 0;

        for (k = i; k < n; k++) {
            sum += a[k].cost;
            allowed = a[k].time - a[i].time + slack;

            /* sum <= burst + allowed * count / period */

            over += (sum > rate->burst
                     && (__extension__ (unsigned __int128)
                         (sum - rate->burst) * rate->period)
                        > (__extension__ (unsigned __int128)
                           allowed * rate->count));
        }
    }

    return over;
}


static unsigned
check_answer(const gs_limit_rate_t *rate, uint64_t tat, uint64_t now,
    uint64_t cost, gs_rc_t rc, const gs_limit_result_t *res)
{
    uint64_t           next;
    gs_limit_result_t  r;

    if (rc == GS_OK) {
        return res->retry_after != 0 || res->reset > rate->tau
               || res->remaining >= rate->burst;
    }

    return gs_limit_judge(rate, tat, now + res->retry_after, cost, &next, &r)
           != GS_OK
           || gs_limit_judge(rate, tat, now + res->retry_after - 1, cost,
                             &next, &r)
              == GS_OK;
}


static void
make_rate(gs_limit_rate_t *rate, const char *text, uint64_t burst)
{
    gs_str_t  s;

    s = gs_str_text(text);

    if (gs_limit_rate_parse(rate, &s, &err) != GS_OK
        || gs_limit_rate_init(rate, burst, &err) != GS_OK)
    {
        diag("%s: %s", text, err.text);
    }
}


static uint64_t
next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed;
}
