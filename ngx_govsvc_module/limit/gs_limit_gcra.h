
/*
 * Copyright (C) govsvc authors
 *
 * The generic cell rate algorithm on one number: the theoretical arrival
 * time (TAT), in microseconds.  A bucket of burst requests refills at the
 * rate; over any interval of t seconds at most burst + rate * t pass.
 */


#ifndef _GS_LIMIT_GCRA_H_INCLUDED_
#define _GS_LIMIT_GCRA_H_INCLUDED_


#include "core/gs_err.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


/* The longest time a full bucket may take to refill: 366 days. */
#define GS_LIMIT_WINDOW_MAX  (366ull * 86400 * 1000000)

#define GS_LIMIT_SHIFT       27            /* bits of an interval below 1 us */


typedef struct {
    uint64_t  count;                       /* requests in a period */
    uint64_t  period;                      /* us */
    uint64_t  burst;                       /* requests */
    uint64_t  interval;                    /* us between two, 37.27 bits */
    uint64_t  inverse;                     /* 2^90 / interval */
    uint64_t  unit;                        /* us between two, rounded up */
    uint64_t  tau;                         /* us to fill an empty bucket */
} gs_limit_rate_t;


typedef struct {
    uint64_t  limit;                       /* requests: the burst */
    uint64_t  remaining;                   /* requests */
    uint64_t  reset;                       /* us until the bucket is full */
    uint64_t  retry_after;                 /* us; 0 if admitted */
} gs_limit_result_t;


/*
 * Reads "50r/s", "3000r/m", "100r/h", "5r/d" into count and period.  GS_ERROR
 * with err set on anything else, on 0 and on more than 1000000 a second.
 */
gs_rc_t gs_limit_rate_parse(gs_limit_rate_t *rate, const gs_str_t *s,
    gs_err_t *err);

/*
 * Completes a rate with its burst, at least 1.  GS_ERROR with err set if the
 * burst is 0 or takes more than 366 days to refill.
 */
gs_rc_t gs_limit_rate_init(gs_limit_rate_t *rate, uint64_t burst,
    gs_err_t *err);

/*
 * Judges a request of the given cost at the time now on the TAT.  GS_OK with
 * *next set to the TAT to store, or GS_DECLINED.  result is filled in both
 * cases, as it stands after the decision.  A cost above the burst never
 * passes.
 */
gs_rc_t gs_limit_judge(const gs_limit_rate_t *rate, uint64_t tat,
    uint64_t now, uint64_t cost, uint64_t *next, gs_limit_result_t *result);

/*
 * x plus the time of n requests.  An interval that is no whole number of
 * microseconds is rounded up or down so that the error never adds up: the
 * remainder follows from x itself.
 */
uint64_t gs_limit_step(const gs_limit_rate_t *rate, uint64_t x, uint64_t n);

/* x less the time of n requests; 0 at least. */
uint64_t gs_limit_step_back(const gs_limit_rate_t *rate, uint64_t x,
    uint64_t n);


#endif /* _GS_LIMIT_GCRA_H_INCLUDED_ */
