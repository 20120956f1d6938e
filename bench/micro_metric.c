
/*
 * Copyright (C) govsvc authors
 *
 * Micro-benchmark of metrics: what counting adds to a request that was routed,
 * judged by a limit and answered by a platform, when nobody else counts.
 */


#include <stdio.h>
#include <time.h>

#include "core/gs_metric.h"


#define BENCH_OPS  4000000


typedef struct {
    uint64_t               words[8];
    gs_metric_histogram_t  seconds;
    gs_metric_histogram_t  upstream;
} bench_row_t;


static void bench_request(gs_metric_names_t *names, bench_row_t *row,
    const gs_str_t *platform, const gs_str_t *zone, uint64_t us);
static double bench_now(void);


int
main(void)
{
    char                      text[32];
    double                    start;
    unsigned                  i;
    gs_str_t                  platform, zone, s;
    static bench_row_t        rows[GS_METRIC_PLACES];
    static gs_metric_names_t  names;

    /* as many names as a country has, and more */

    for (i = 0; i < 48; i++) {
        (void) snprintf(text, sizeof(text), "platform-%u", i);
        s = gs_str_text(text);
        (void) gs_metric_place(&names, &s);
    }

    platform = gs_str_text("platform-17");
    zone = gs_str_text("platform-40");
    start = bench_now();

    for (i = 0; i < BENCH_OPS; i++) {
        bench_request(&names, rows, &platform, &zone, (i & 1023) * 1000);
    }

    printf("metrics_request\t%.1f\tns\n",
           (bench_now() - start) * 1e9 / BENCH_OPS);

    return 0;
}


/* As the stage does it. */

static void
bench_request(gs_metric_names_t *names, bench_row_t *row,
    const gs_str_t *platform, const gs_str_t *zone, uint64_t us)
{
    bench_row_t  *r;

    r = &row[gs_metric_place(names, platform)];

    gs_metric_add(&r->words[0], 1);
    gs_metric_observe(&r->seconds, us);
    gs_metric_add(&r->words[1], 1);
    gs_metric_add(&r->words[2], 1);
    gs_metric_observe(&r->upstream, us);
    gs_metric_add(&r->words[3], 1);
    gs_metric_add(&r->words[4], 1);
    gs_metric_add(&r->words[5], 1);
    gs_metric_add(&row[gs_metric_place(names, zone)].words[6], 1);
}


static double
bench_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}
