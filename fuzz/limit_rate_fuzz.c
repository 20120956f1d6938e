
/*
 * Copyright (C) govsvc authors
 *
 * Fuzz: a rate (first line), then requests: no rate that is accepted lets
 * more through than it says, and who waits as told passes.
 */


#include <stdlib.h>

#include "limit/gs_limit_gcra.h"


#define MOST  64


typedef struct {
    uint64_t  time;
    uint64_t  cost;
} arrival_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void play(const gs_limit_rate_t *rate, const gs_str_t *input);
static void check_wait(const gs_limit_rate_t *rate, uint64_t tat,
    uint64_t now, uint64_t cost, uint64_t wait);
static void check_sum(const gs_limit_rate_t *rate, const arrival_t *a,
    size_t n);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           n;
    gs_str_t         s, text, rest;
    gs_err_t         err;
    gs_limit_rate_t  rate;

    s = gs_str_make(data, size);
    n = gs_str_chr(&s, 0, '\n');

    if (size - n < 3) {
        return 0;
    }

    text = gs_str_make(data, n);
    rest = gs_str_make(data + n + 2, size - n - 2);

    if (gs_limit_rate_parse(&rate, &text, &err) != GS_OK) {
        return 0;
    }

    if (rate.count == 0 || rate.count > rate.period) {
        abort();
    }

    if (gs_limit_rate_init(&rate, data[n + 1], &err) == GS_OK) {
        play(&rate, &rest);
    }

    return 0;
}


/* Two bytes a request: the time since the last one, and the cost. */

static void
play(const gs_limit_rate_t *rate, const gs_str_t *input)
{
    size_t             i, n;
    gs_rc_t            rc;
    uint64_t           now, tat, old, cost;
    arrival_t          admitted[MOST];
    gs_limit_result_t  result;

    now = 1;
    tat = 0;
    n = 0;

    for (i = 0; i + 1 < input->len && n < MOST; i += 2) {
        now += rate->tau * input->data[i] / 64;
        cost = input->data[i + 1] % (rate->burst + 1) + 1;
        old = tat;

        rc = gs_limit_judge(rate, tat, now, cost, &tat, &result);

        if (rc == GS_OK) {
            admitted[n].time = now;
            admitted[n].cost = cost;
            n++;

        } else if (cost <= rate->burst) {
            check_wait(rate, old, now, cost, result.retry_after);
        }
    }

    check_sum(rate, admitted, n);
}


static void
check_wait(const gs_limit_rate_t *rate, uint64_t tat, uint64_t now,
    uint64_t cost, uint64_t wait)
{
    uint64_t           next;
    gs_limit_result_t  result;

    if (wait == 0
        || gs_limit_judge(rate, tat, now + wait, cost, &next, &result)
           != GS_OK)
    {
        abort();
    }
}


static void
check_sum(const gs_limit_rate_t *rate, const arrival_t *a, size_t n)
{
    size_t    i, k;
    double    allowed;
    uint64_t  sum;

    for (i = 0; i < n; i++) {
        sum = 0;

        for (k = i; k < n; k++) {
            sum += a[k].cost;
            allowed = (double) rate->burst
                      + ((double) (a[k].time - a[i].time) + 4)
                        * (double) rate->count / (double) rate->period;

            if ((double) sum > allowed * (1 + 1e-9)) {
                abort();
            }
        }
    }
}
