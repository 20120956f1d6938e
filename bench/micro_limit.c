
/*
 * Copyright (C) govsvc authors
 *
 * Micro-benchmark of the limiter: decisions a second on one key and on a
 * million, in one process and in two; the same limit of this node and of all
 * nodes, by turns; bytes of memory for a key.
 */


#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "limit/gs_limit_item.h"


#define BENCH_KEYS  1000000
#define BENCH_OPS   4000000
#define BENCH_SIDE  200000                 /* decisions of a turn */
#define BENCH_TURNS 20


typedef struct {
    const char     *name;
    const char     *rate;
    uint64_t        burst;
    uint64_t        keys;
    unsigned        processes;
    unsigned        clock;                 /* decisions per reading */
    unsigned        ahead;                 /* keys prepared in advance */
} bench_t;


typedef struct {
    const char     *name;
    const char     *rate;
    uint64_t        step;                  /* us, from one to the next */
} bench_load_t;


/* One limit: of this node without a plan, else of all nodes. */
typedef struct {
    gs_limit_table_t        *table;
    gs_limit_lease_table_t  *leases;
    const gs_limit_rate_t   *rate;
    const gs_limit_plan_t   *plan;
    gs_str_t                 key;
    uint64_t                 score;        /* us: Redis */
    uint64_t                 now;          /* us */
    uint64_t                 passed;
} bench_side_t;


static double bench_run(const bench_t *b, gs_limit_table_t *table);
static void bench_child(const bench_t *b, gs_limit_table_t *table,
    unsigned number, double *seconds);
static void bench_prepare(gs_limit_charge_t *charge,
    gs_limit_table_t *table, const gs_limit_rate_t *rate, uint64_t key);
static void bench_sides(const bench_load_t *load, gs_limit_table_t *table);
static double bench_side(bench_side_t *side, uint64_t step);
static double bench_median(double *values);
static int bench_compare(const void *a, const void *b);
static uint64_t bench_random(uint64_t *state);
static uint64_t bench_us(void);
static double bench_cpu(void);
static void *bench_memory(size_t size);


static const bench_t  benches[] = {
    { "limit_pass_1_key_1_process", "1000000r/s", 1000000000, 1, 1, 64, 0 },
    { "limit_pass_1_key_2_processes", "1000000r/s", 1000000000, 1, 2, 64, 0 },
    { "limit_refuse_1_key_1_process", "1r/m", 1, 1, 1, 64, 0 },
    { "limit_refuse_1_key_2_processes", "1r/m", 1, 1, 2, 64, 0 },
    { "limit_1m_keys_1_process", "1r/s", 100, BENCH_KEYS, 1, 64, 0 },
    { "limit_1m_keys_2_processes", "1r/s", 100, BENCH_KEYS, 2, 64, 0 },
    { "limit_1m_keys_1_process_prefetched", "1r/s", 100, BENCH_KEYS, 1, 64,
      1 },
    { "limit_1m_keys_1_process_and_clock", "1r/s", 100, BENCH_KEYS, 1, 1, 0 },
};


/* Half of the rate, a quarter above it, and ten times the rate. */

static const bench_load_t  loads[] = {
    { "below", "1000000r/s", 2 },
    { "above", "800000r/s", 1 },
    { "flood", "100000r/s", 1 }
};


int
main(void)
{
    size_t             i, size;
    void              *mem;
    double             rate;
    gs_siphash_key_t   secret;
    gs_limit_table_t  *table;

    secret.k0 = 0x0123456789abcdefull;
    secret.k1 = 0xfedcba9876543210ull;

    size = gs_limit_table_size(BENCH_KEYS);
    mem = bench_memory(size);

    for (i = 0; i < sizeof(benches) / sizeof(benches[0]); i++) {

        table = gs_limit_table_init(mem, size, &secret, bench_us());
        if (table == NULL) {
            return 1;
        }

        rate = bench_run(&benches[i], table);
        printf("%s\t%.2f\tM/s\n", benches[i].name, rate / 1e6);
    }

    for (i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {

        table = gs_limit_table_init(mem, size, &secret, bench_us());
        if (table == NULL) {
            return 1;
        }

        bench_sides(&loads[i], table);
    }

    /* at half load, where the tables work well */

    printf("limit_memory_per_key\t%zu\tbytes\n",
           gs_limit_table_size(BENCH_KEYS) / BENCH_KEYS);
    printf("limit_memory_per_leased_key\t%zu\tbytes more\n",
           gs_limit_lease_size(BENCH_KEYS) / BENCH_KEYS);

    return 0;
}


/*
 * A hot key, once as a limit of this node and once as one of all, by turns;
 * answers of Redis come at once.
 */

static void
bench_sides(const bench_load_t *load, gs_limit_table_t *table)
{
    size_t           size;
    double           seconds[2][BENCH_TURNS], local, leased;
    gs_str_t         s;
    unsigned         i, k;
    bench_side_t     sides[2];
    gs_limit_rate_t  rate;
    gs_limit_plan_t  plan;

    s = gs_str_text(load->rate);

    if (gs_limit_rate_parse(&rate, &s, NULL) != GS_OK
        || gs_limit_rate_init(&rate, 10000, NULL) != GS_OK)
    {
        abort();
    }

    gs_limit_plan(&plan, &rate, 3, 20, 2 * GS_LIMIT_LEASE_TARGET);

    size = gs_limit_lease_size(1000);

    sides[0].table = table;
    sides[0].leases = NULL;
    sides[0].rate = &rate;
    sides[0].plan = NULL;
    sides[0].key = gs_str_text("of this node alone!");
    sides[0].score = 0;
    sides[0].now = bench_us();
    sides[0].passed = 0;

    sides[1] = sides[0];
    sides[1].leases = gs_limit_lease_init(bench_memory(size), size,
                                          bench_us());
    sides[1].plan = &plan;
    sides[1].key = gs_str_text("shared by all nodes");

    for (i = 0; i < BENCH_TURNS; i++) {
        for (k = 0; k < 2; k++) {
            seconds[k][i] = bench_side(&sides[k], load->step);
        }
    }

    local = BENCH_SIDE / bench_median(seconds[0]);
    leased = BENCH_SIDE / bench_median(seconds[1]);

    printf("limit_of_node_%s\t%.2f\tM/s\n", load->name, local / 1e6);
    printf("limit_of_all_nodes_%s\t%.2f\tM/s\n", load->name, leased / 1e6);
    printf("limit_of_all_nodes_%s_ratio\t%.3f\tof the node's own\n",
           load->name, leased / local);
    printf("limit_of_all_nodes_%s_passed\t%.1f\t%%\n", load->name,
           100.0 * (double) sides[1].passed / BENCH_SIDE / BENCH_TURNS);

    munmap(sides[1].leases, size);
}


static double
bench_side(bench_side_t *side, uint64_t step)
{
    double                start;
    int64_t               offset;
    uint64_t              i;
    gs_limit_item_t       item;
    gs_limit_lease_ask_t  ask;

    offset = 1790000000000000;
    start = bench_cpu();

    for (i = 0; i < BENCH_SIDE; i++) {

        side->now += step;

        gs_limit_item_prepare(&item, side->table, side->rate, side->plan,
                              side->leases, &side->key, 1);
        side->passed += (gs_limit_item_decide(&item, 1, side->now) == GS_OK);

        if (item.ask
            && gs_limit_lease_ask(&item.lease, side->now, offset, 0, 20000,
                                  &ask)
               == GS_OK)
        {
            if (side->score < ask.anchor) {
                side->score = ask.anchor;
            }

            side->score += ask.increment;
            (void) gs_limit_lease_grant(&ask, side->now, offset, side->score);
        }
    }

    return bench_cpu() - start;
}


static double
bench_median(double *values)
{
    qsort(values, BENCH_TURNS, sizeof(double), bench_compare);

    return values[BENCH_TURNS / 2];
}


static int
bench_compare(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return (x > y) - (x < y);
}


static double
bench_run(const bench_t *b, gs_limit_table_t *table)
{
    double    *seconds, rate;
    unsigned   i;

    seconds = bench_memory(sizeof(double) * b->processes);

    for (i = 0; i < b->processes; i++) {
        if (fork() == 0) {
            bench_child(b, table, i, &seconds[i]);
            _exit(0);
        }
    }

    while (wait(NULL) > 0) {
        /* void */
    }

    rate = 0;

    for (i = 0; i < b->processes; i++) {
        rate += BENCH_OPS / seconds[i];
    }

    munmap(seconds, sizeof(double) * b->processes);

    return rate;
}


static void
bench_child(const bench_t *b, gs_limit_table_t *table, unsigned number,
    double *seconds)
{
    double             start;
    gs_str_t           s;
    uint64_t           i, k, now, seed;
    gs_limit_rate_t    rate;
    gs_limit_charge_t  charges[2];

    s = gs_str_text(b->rate);

    if (gs_limit_rate_parse(&rate, &s, NULL) != GS_OK
        || gs_limit_rate_init(&rate, b->burst, NULL) != GS_OK)
    {
        abort();
    }

    seed = number + 1;

    if (b->keys > 1) {
        for (k = number; k < b->keys; k += b->processes) {
            bench_prepare(&charges[0], table, &rate, k);
            (void) gs_limit_decide(&charges[0], 1, bench_us());
        }
    }

    bench_prepare(&charges[1], table, &rate, 0);

    start = bench_cpu();
    now = bench_us();

    for (i = 0; i < BENCH_OPS; i++) {

        if (i % b->clock == 0) {
            now = bench_us();
        }

        k = (bench_random(&seed) >> 32) * b->keys >> 32;
        bench_prepare(&charges[i % 2], table, &rate, k);
        (void) gs_limit_decide(&charges[(i + b->ahead) % 2], 1, now);
    }

    *seconds = bench_cpu() - start;
}


static void
bench_prepare(gs_limit_charge_t *charge, gs_limit_table_t *table,
    const gs_limit_rate_t *rate, uint64_t key)
{
    gs_str_t  s;

    s = gs_str_make(&key, sizeof(key));
    gs_limit_prepare(charge, table, rate, &s, 1);
}


static uint64_t
bench_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;

    return *state;
}


static uint64_t
bench_us(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}


/* Seconds of the processor, so that a busy machine does not count. */

static double
bench_cpu(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static void *
bench_memory(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        abort();
    }

    return p;
}
