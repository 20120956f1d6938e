
/*
 * Copyright (C) govsvc authors
 *
 * The generic cell rate algorithm on one number.
 */


#include "limit/gs_limit_gcra.h"


#define GS_LIMIT_SECOND  1000000ull


__extension__ typedef unsigned __int128  gs_limit_wide_t;


static uint64_t gs_limit_cells(const gs_limit_rate_t *rate, uint64_t x);
static uint64_t gs_limit_start(const gs_limit_rate_t *rate, uint64_t n);
static uint64_t gs_limit_remaining(const gs_limit_rate_t *rate,
    uint64_t used, uint64_t most);


gs_rc_t
gs_limit_rate_parse(gs_limit_rate_t *rate, const gs_str_t *s, gs_err_t *err)
{
    size_t    slash;
    gs_str_t  number, unit;
    uint64_t  period;

    slash = gs_str_chr(s, 0, '/');
    number = gs_str_make(s->data, (slash == 0) ? 0 : slash - 1);
    unit = gs_str_make(s->data + slash, s->len - slash);

    if (gs_str_eq_text(&unit, "/s")) {
        period = GS_LIMIT_SECOND;

    } else if (gs_str_eq_text(&unit, "/m")) {
        period = 60 * GS_LIMIT_SECOND;

    } else if (gs_str_eq_text(&unit, "/h")) {
        period = 3600 * GS_LIMIT_SECOND;

    } else if (gs_str_eq_text(&unit, "/d")) {
        period = 86400 * GS_LIMIT_SECOND;

    } else {
        period = 0;
    }

    if (period == 0 || slash == 0 || s->data[slash - 1] != 'r'
        || gs_parse_u64(&number, &rate->count) != GS_OK)
    {
        return gs_err(err, "invalid rate \"%S\", it must be a number and "
                      "r/s, r/m, r/h or r/d, as in \"50r/s\"", s);
    }

    if (rate->count == 0 || rate->count > period) {
        return gs_err(err, "invalid rate \"%S\", it must be at least 1 in "
                      "its period and at most 1000000r/s", s);
    }

    rate->period = period;

    return GS_OK;
}


gs_rc_t
gs_limit_rate_init(gs_limit_rate_t *rate, uint64_t burst, gs_err_t *err)
{
    gs_limit_wide_t  n;

    if (burst == 0) {
        return gs_err(err, "invalid burst \"0\", it is the number of "
                      "requests that may come at once, at least 1");
    }

    n = ((gs_limit_wide_t) rate->period << GS_LIMIT_SHIFT)
        + rate->count - 1;

    rate->burst = burst;
    rate->interval = (uint64_t) (n / rate->count);
    rate->inverse = (uint64_t) (((gs_limit_wide_t) 1 << 90)
                                / rate->interval);

    n = (gs_limit_wide_t) 1 << GS_LIMIT_SHIFT;
    rate->unit = (uint64_t) ((rate->interval + n - 1) >> GS_LIMIT_SHIFT);

    if (burst > GS_LIMIT_WINDOW_MAX
        || (gs_limit_wide_t) burst * rate->interval
           > (gs_limit_wide_t) GS_LIMIT_WINDOW_MAX << GS_LIMIT_SHIFT)
    {
        return gs_err(err, "invalid burst, at this rate it takes more than "
                      "366 days to come back");
    }

    n = (gs_limit_wide_t) burst * rate->interval;
    rate->tau = (uint64_t) ((n + (1u << GS_LIMIT_SHIFT) - 1)
                            >> GS_LIMIT_SHIFT);

    /* what rounding may cost a burst; none if the interval is whole */

    if (rate->interval & ((1u << GS_LIMIT_SHIFT) - 1)) {
        rate->tau++;
    }

    return GS_OK;
}


gs_rc_t
gs_limit_judge(const gs_limit_rate_t *rate, uint64_t tat, uint64_t now,
    uint64_t cost, uint64_t *next, gs_limit_result_t *result)
{
    uint64_t  t;

    result->limit = rate->burst;

    if (tat < now) {
        tat = now;
    }

    if (cost > rate->burst) {
        result->remaining = gs_limit_remaining(rate, tat - now, rate->burst);
        result->reset = tat - now;
        result->retry_after = rate->tau;
        return GS_DECLINED;
    }

    t = gs_limit_step(rate, tat, cost);

    if (t > now + rate->tau) {
        result->remaining = gs_limit_remaining(rate, tat - now, cost - 1);
        result->reset = tat - now;
        result->retry_after = t - now - rate->tau;
        return GS_DECLINED;
    }

    result->remaining = gs_limit_remaining(rate, t - now,
                                           rate->burst - cost);
    result->reset = t - now;
    result->retry_after = 0;

    *next = t;

    return GS_OK;
}


/*
 * Time is cut into cells, the n-th begins at the n-th multiple of the
 * interval rounded down.  A step leads from a place in one cell to the same
 * place in another.
 */

uint64_t
gs_limit_step(const gs_limit_rate_t *rate, uint64_t x, uint64_t n)
{
    uint64_t  cell;

    cell = gs_limit_cells(rate, x);

    return x + gs_limit_start(rate, cell + n) - gs_limit_start(rate, cell);
}


uint64_t
gs_limit_step_back(const gs_limit_rate_t *rate, uint64_t x, uint64_t n)
{
    uint64_t  cell, back;

    cell = gs_limit_cells(rate, x);

    if (cell < n) {
        return 0;
    }

    back = gs_limit_start(rate, cell) - gs_limit_start(rate, cell - n);

    return x - back;
}


static uint64_t
gs_limit_cells(const gs_limit_rate_t *rate, uint64_t x)
{
    uint64_t  n;

    n = (uint64_t) (((gs_limit_wide_t) x * rate->inverse) >> 63);

    while (gs_limit_start(rate, n + 1) <= x) {
        n++;
    }

    return n;
}


static uint64_t
gs_limit_start(const gs_limit_rate_t *rate, uint64_t n)
{
    return (uint64_t) (((gs_limit_wide_t) n * rate->interval)
                       >> GS_LIMIT_SHIFT);
}


/* Rounding may show one too many, never more than the decision allows. */

static uint64_t
gs_limit_remaining(const gs_limit_rate_t *rate, uint64_t used, uint64_t most)
{
    uint64_t  n;

    if (used >= rate->tau) {
        return 0;
    }

    n = gs_limit_cells(rate, rate->tau - used);

    return (n < most) ? n : most;
}
