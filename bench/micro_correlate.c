
/*
 * Copyright (C) govsvc authors
 *
 * Costs of correlation: one event of one rule, by what it counts; a request
 * that concerns no rule, and one that concerns those of floods; requests of
 * 2,000 citizens behind one exit, signed on or not, under the rules as
 * shipped; bytes of memory for a key.
 */


#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "guard/gs_correlate.h"


#define BENCH_OPS   2000000
#define BENCH_KEYS  100000
#define BENCH_SIZE  (64 * 1024 * 1024)
#define BENCH_NOW   1790000000000ull
#define BENCH_FILE  "lua-free-rules/40_correlation.rules"
#define BENCH_TEXT  65536


typedef struct {
    const char              *name;
    gs_correlate_measure_e   measure;
    unsigned                 keys;
    size_t                   size;         /* of the table */
} bench_t;


static void bench_add(const bench_t *b);
static void bench_watch(const char *name, const char *rules,
    const char *path, unsigned known);
static const char *bench_shipped(void);
static gs_rc_t bench_value(void *data, const gs_correlate_field_t *field,
    unsigned key, gs_str_t *value);
static void bench_fired(void *data, const gs_correlate_fired_t *fired);
static gs_correlate_table_t *bench_table(size_t size, void **mem);
static double now(void);


static const bench_t  benches[] = {
    { "correlate_count_1_key", GS_CORRELATE_COUNT, 1, BENCH_SIZE },
    { "correlate_count_100k_keys", GS_CORRELATE_COUNT, BENCH_KEYS,
      BENCH_SIZE },
    { "correlate_distinct_1_key", GS_CORRELATE_UNIQUE, 1, BENCH_SIZE },
    { "correlate_distinct_100k_keys", GS_CORRELATE_UNIQUE, BENCH_KEYS,
      BENCH_SIZE },
    { "correlate_sequence_1_key", GS_CORRELATE_SEQUENCE, 1, BENCH_SIZE },
    { "correlate_rate_1_key", GS_CORRELATE_RATE, 1, BENCH_SIZE },
    { "correlate_count_full_table", GS_CORRELATE_COUNT, BENCH_KEYS,
      1024 * 1024 },
};


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(benches) / sizeof(benches[0]); i++) {
        bench_add(&benches[i]);
    }

    bench_watch("correlate_request_no_rule",
                "correlate 2000 a { on status 404; key ip; count >= 5 in 1m; "
                "do log; } correlate 2001 b { on score >= 5; key ip; "
                "count >= 5 in 1m; do log; }", "/44/portal/index", 0);
    bench_watch("correlate_request_static_file",
                "correlate 2000 a { on request; key ip; count >= 60000 in 1m;"
                " do log; }", "/static/app.css", 0);
    bench_watch("correlate_request_flood_rule",
                "correlate 2000 a { on request; key ip; count >= 60000 in 1m;"
                " do log; }", "/44/portal/index", 0);

    bench_watch("correlate_request_shipped_signed_on", bench_shipped(),
                "/44/portal/index", 1);
    bench_watch("correlate_request_shipped_unproven", bench_shipped(),
                "/44/portal/index", 0);
    bench_watch("correlate_request_shipped_case", bench_shipped(),
                "/44/case/20260712", 1);

    printf("correlate_key_memory\t%d\tbytes\n", GS_CORRELATE_SLOT);

    return 0;
}


static void
bench_add(const bench_t *b)
{
    char                    text[32];
    void                   *mem;
    double                  start;
    gs_str_t                key, value;
    unsigned                i;
    gs_correlate_plan_t     plan;
    gs_correlate_table_t   *table;
    gs_correlate_result_t   result;

    table = bench_table(b->size, &mem);

    memset(&plan, 0, sizeof(gs_correlate_plan_t));
    plan.id = 2000;
    plan.measure = b->measure;
    plan.window = (b->measure == GS_CORRELATE_RATE) ? 1000 : 600000;
    plan.baseline = 600;
    plan.factor = 3;
    plan.nsteps = 1;
    plan.at[0] = 60000;

    start = now();

    for (i = 0; i < BENCH_OPS; i++) {
        key = gs_str_make(text, (size_t) sprintf(text, "10.%07u",
                                                 i * 7919u % b->keys));
        value = gs_str_make(text + 4, 6);

        (void) gs_correlate_add(table, &plan, &key, &value,
                                BENCH_NOW + i / 100, 1, &result);
    }

    printf("%s\t%.3f\tus\n", b->name, (now() - start) * 1e6 / BENCH_OPS);

    free(mem);
}


/* From the top of the tree, as "make bench" runs it; else no rule. */

static const char *
bench_shipped(void)
{
    FILE         *f;
    size_t        n;
    static char   text[BENCH_TEXT];

    f = fopen(BENCH_FILE, "rb");

    if (f == NULL) {
        return "";
    }

    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    (void) fclose(f);

    return text;
}


static void
bench_watch(const char *name, const char *rules, const char *path,
    unsigned known)
{
    void                  *mem;
    char                   subject[16];
    double                 start;
    gs_err_t               err;
    gs_str_t               file, text;
    unsigned               i;
    gs_guard_t            *guard;
    gs_arena_t            *arena;
    gs_guard_build_t      *build;
    gs_correlate_input_t   in;
    gs_correlate_table_t  *table;

    arena = gs_arena_create(&gs_mem_libc);
    table = bench_table(BENCH_SIZE, &mem);
    build = gs_guard_build_create(gs_arena_mem(arena), NULL, NULL, NULL);

    file = gs_str_text("bench");
    text = gs_str_text(rules);

    if (gs_guard_parse(build, &file, &text, &err) != GS_OK
        || gs_guard_compile(&guard, build, &err) != GS_OK)
    {
        fprintf(stderr, "%s: %s\n", name, err.text);
        exit(1);
    }

    memset(&in, 0, sizeof(gs_correlate_input_t));
    in.status = 200;
    in.method = gs_str_text("GET");
    in.path = gs_str_text(path);
    in.known = known;
    in.data = subject;
    in.value = bench_value;
    in.fired = bench_fired;

    start = now();

    for (i = 0; i < BENCH_OPS; i++) {
        if (known) {
            (void) sprintf(subject, "s%u", i * 7919u % 2000);
        }

        in.now = BENCH_NOW + i / 10;
        in.plain = gs_correlate_plain(&in.method, &in.path) ? 1 : 0;
        gs_correlate_watch(table, guard, &in);
    }

    printf("%s\t%.3f\tus\n", name, (now() - start) * 1e6 / BENCH_OPS);

    gs_guard_destroy(guard);
    gs_arena_destroy(arena);
    free(mem);
}


static gs_rc_t
bench_value(void *data, const gs_correlate_field_t *field, unsigned key,
    gs_str_t *value)
{
    switch (field->kind) {

    case GS_CORRELATE_SUBJECT:
        *value = gs_str_text(data);
        return GS_OK;

    case GS_CORRELATE_IP:
    case GS_CORRELATE_NETWORK:
    case GS_CORRELATE_SITE:
    case GS_CORRELATE_PATH:
        *value = gs_str_text("192.0.2.1");
        return GS_OK;

    case GS_CORRELATE_OBJECT:
    case GS_CORRELATE_SEGMENT:
        *value = gs_str_text("20260712");
        return GS_OK;

    default:
        return GS_DECLINED;
    }
}


static void
bench_fired(void *data, const gs_correlate_fired_t *fired)
{
    /* void */
}


static gs_correlate_table_t *
bench_table(size_t size, void **mem)
{
    gs_siphash_key_t  secret;

    secret.k0 = 0x0123456789abcdefull;
    secret.k1 = 0xfedcba9876543210ull;

    if (posix_memalign(mem, 64, size) != 0) {
        exit(1);
    }

    return gs_correlate_table_init(*mem, size, &secret);
}


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}
