
/*
 * Copyright (C) govsvc authors
 *
 * Costs of one audit line: composing (in the event loop) and the hash (in
 * the writing thread), a pseudonym, and checking a line again.
 */


#include "audit_record.h"

#include "audit/gs_audit_export.h"
#include "audit/gs_audit_json.h"
#include "audit/gs_audit_mask.h"
#include "audit/gs_audit_pseudonym.h"
#include "audit/gs_audit_stats.h"
#include "audit/gs_audit_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>


#define BENCH_LINES   200000
#define BENCH_ROUNDS  5


static double now(void);
static void report(const char *name, double seconds, double n,
    const char *unit);
static size_t bench_compose(const gs_audit_record_t *rec);
static void bench_mask(const gs_audit_record_t *rec);
static void bench_chain(const gs_audit_record_t *rec, gs_audit_alg_e alg);
static void bench_hash(gs_audit_alg_e alg, size_t len);
static void bench_verify(gs_audit_alg_e alg, const gs_audit_record_t *rec);
static void bench_stats(const gs_str_t *line);
static void bench_pseudonym(gs_audit_alg_e alg);


static gs_uchar_t  out[GS_AUDIT_LINE_MAX];


int
main(void)
{
    size_t             len;
    gs_audit_record_t  rec;

    bench_audit_record(&rec);

    len = bench_compose(&rec);
    printf("audit_draft_size\t%zu\tbytes\n", len);

    bench_mask(&rec);
    bench_chain(&rec, GS_AUDIT_SM3);
    bench_chain(&rec, GS_AUDIT_SHA256);
    bench_hash(GS_AUDIT_SM3, len);
    bench_hash(GS_AUDIT_SHA256, len);
    bench_verify(GS_AUDIT_SM3, &rec);
    bench_verify(GS_AUDIT_SHA256, &rec);
    bench_pseudonym(GS_AUDIT_SM3);
    bench_pseudonym(GS_AUDIT_SHA256);

    return 0;
}


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static void
report(const char *name, double seconds, double n, const char *unit)
{
    printf("%s\t%.0f\t%s\n", name, seconds / n * 1e9, unit);
}


static size_t
bench_compose(const gs_audit_record_t *rec)
{
    double    start, best, t;
    size_t    i, round;
    gs_buf_t  b;

    best = 1e9;

    for (round = 0; round < BENCH_ROUNDS; round++) {
        start = now();

        for (i = 0; i < BENCH_LINES; i++) {
            gs_buf_init(&b, out, GS_AUDIT_DRAFT_MAX);

            if (gs_audit_json_http(&b, rec) == 0) {
                exit(1);
            }
        }

        t = now() - start;
        best = (t < best) ? t : best;
    }

    report("audit_compose", best, BENCH_LINES, "ns/line");

    return gs_buf_len(&b);
}


static void
bench_mask(const gs_audit_record_t *rec)
{
    double  start;
    size_t  i, sum;

    sum = 0;
    start = now();

    for (i = 0; i < BENCH_LINES; i++) {
        sum += gs_audit_mask(out, &rec->path);
        sum += gs_audit_mask(out, &rec->user_agent);
    }

    if (sum == 0) {
        exit(1);
    }

    report("audit_mask_path_ua", now() - start, BENCH_LINES, "ns/line");
}


static void
bench_chain(const gs_audit_record_t *rec, gs_audit_alg_e alg)
{
    char              name[40];
    double            start, best, t;
    size_t            i, head, round;
    gs_buf_t          b, line;
    gs_str_t          draft, chain_name;
    static gs_uchar_t  text[GS_AUDIT_LINE_MAX];
    gs_audit_chain_t  chain;

    if (gs_audit_chain_init(&chain, alg) != GS_OK) {
        exit(1);
    }

    chain_name = gs_str_text("gw-bj-01.17.w0.12345");
    gs_buf_init(&b, out, GS_AUDIT_DRAFT_MAX);
    head = gs_audit_json_http(&b, rec);
    draft = gs_buf_view(&b);
    best = 1e9;

    for (round = 0; round < BENCH_ROUNDS; round++) {
        start = now();

        for (i = 0; i < BENCH_LINES; i++) {
            gs_buf_init(&line, text, sizeof(text));

            if (gs_audit_json_line(&line, &chain, &chain_name, i, &draft,
                                   head)
                != GS_OK)
            {
                exit(1);
            }
        }

        t = now() - start;
        best = (t < best) ? t : best;
    }

    snprintf(name, sizeof(name), "audit_chain_%s", gs_audit_alg_name(alg));
    report(name, best, BENCH_LINES, "ns/line");

    if (alg == GS_AUDIT_SM3) {
        printf("audit_line_size\t%zu\tbytes\n", gs_buf_len(&line));
    }

    gs_audit_chain_free(&chain);
}


/* The hash alone, over as many bytes as a line has: what cannot be saved. */

static void
bench_hash(gs_audit_alg_e alg, size_t len)
{
    char              name[40];
    double            start, best, t;
    size_t            i, round;
    gs_audit_chain_t  chain;

    if (gs_audit_chain_init(&chain, alg) != GS_OK) {
        exit(1);
    }

    best = 1e9;

    for (round = 0; round < BENCH_ROUNDS; round++) {
        start = now();

        for (i = 0; i < BENCH_LINES / 4; i++) {
            if (gs_audit_chain_step(&chain, out, len) != GS_OK) {
                exit(1);
            }
        }

        t = now() - start;
        best = (t < best) ? t : best;
    }

    snprintf(name, sizeof(name), "audit_hash_%s", gs_audit_alg_name(alg));
    report(name, best, BENCH_LINES / 4, "ns/line");
    gs_audit_chain_free(&chain);
}


/* What stats and export do with a line that was read. */

static void
bench_stats(const gs_str_t *line)
{
    double             start;
    size_t             i;
    gs_buf_t           b;
    gs_arena_t        *arena;
    gs_audit_stats_t  *s;
    static gs_uchar_t  text[GS_AUDIT_EXPORT_MAX];

    arena = gs_arena_create(&gs_mem_libc);
    s = gs_audit_stats_create(gs_arena_mem(arena), 0);
    start = now();

    for (i = 0; i < BENCH_LINES / 4; i++) {
        if (gs_audit_stats_add(s, line) != GS_OK) {
            exit(1);
        }
    }

    report("audit_stats", now() - start, BENCH_LINES / 4, "ns/line");
    gs_arena_destroy(arena);

    start = now();

    for (i = 0; i < BENCH_LINES / 4; i++) {
        gs_buf_init(&b, text, sizeof(text));

        if (gs_audit_export(&b, GS_AUDIT_ECS, line) != GS_OK) {
            exit(1);
        }
    }

    report("audit_export_ecs", now() - start, BENCH_LINES / 4, "ns/line");
}


static void
bench_verify(gs_audit_alg_e alg, const gs_audit_record_t *rec)
{
    char                      name[40];
    double                    t, best;
    size_t                    i, n, head, size;
    gs_buf_t                  b, d;
    gs_str_t                  draft;
    gs_uchar_t               *data;
    gs_audit_open_t           open;
    gs_audit_chain_t          chain;
    gs_audit_record_t         r;
    static gs_audit_verify_t  v;

    n = 20000;
    size = n * 2048;
    data = malloc(size);

    if (data == NULL || gs_audit_chain_init(&chain, alg) != GS_OK) {
        exit(1);
    }

    memset(&open, 0, sizeof(open));
    open.chain = gs_str_text("gw-bj-01.17.w0.12345");
    open.why = "start";

    gs_buf_init(&b, data, size);
    (void) gs_audit_json_open(&b, &chain, &open);
    r = *rec;

    for (i = 1; i < n; i++) {
        r.g = i;
        gs_buf_init(&d, out, GS_AUDIT_DRAFT_MAX);
        head = gs_audit_json_http(&d, &r);
        draft = gs_buf_view(&d);
        (void) gs_audit_json_line(&b, &chain, &open.chain, i, &draft, head);
    }

    gs_audit_verify_init(&v);
    best = 1e9;

    for (i = 0; i < BENCH_ROUNDS; i++) {
        t = now();

        gs_audit_verify_chain(&v, "", 0);
        gs_audit_verify_segment(&v, "0000000000000000");

        if (gs_audit_verify_feed(&v, data, gs_buf_len(&b)) != GS_OK) {
            exit(1);
        }

        t = now() - t;
        best = (t < best) ? t : best;
    }

    snprintf(name, sizeof(name), "audit_verify_%s", gs_audit_alg_name(alg));
    report(name, best, (double) n, "ns/line");

    if (alg == GS_AUDIT_SHA256) {
        head = (size_t) ((gs_uchar_t *) memrchr(data, '\n',
                                                gs_buf_len(&b) - 1) - data);
        draft = gs_str_make(data + head + 1, gs_buf_len(&b) - head - 2);
        bench_stats(&draft);
    }

    gs_audit_verify_free(&v);
    gs_audit_chain_free(&chain);
    free(data);
}


static void
bench_pseudonym(gs_audit_alg_e alg)
{
    char                  name[40];
    double                start;
    size_t                i, len;
    gs_str_t              key, id;
    gs_audit_pseudonym_t  p;

    key = gs_str_text("0123456789abcdef0123456789abcdef");
    id = gs_str_text("u-44-2026-000123456");

    if (gs_audit_pseudonym_init(&p, alg, &key, 7) != GS_OK) {
        exit(1);
    }

    start = now();

    for (i = 0; i < BENCH_LINES; i++) {
        if (gs_audit_pseudonym(&p, &id, out, &len) != GS_OK) {
            exit(1);
        }
    }

    snprintf(name, sizeof(name), "audit_pid_%s", gs_audit_alg_name(alg));
    report(name, now() - start, BENCH_LINES, "ns/op");

    gs_audit_pseudonym_free(&p);
}
