
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


static double bench_run(const bench_t *b, gs_limit_table_t *table);
static void bench_child(const bench_t *b, gs_limit_table_t *table,
    unsigned number, double *seconds);
static void bench_prepare(gs_limit_charge_t *charge,
    gs_limit_table_t *table, const gs_limit_rate_t *rate, uint64_t key);
static void bench_sides(gs_limit_table_t *table);
static double bench_side(gs_limit_table_t *table,
    gs_limit_lease_table_t *leases, const gs_limit_rate_t *rate,
    const gs_limit_plan_t *plan, uint64_t *now, uint64_t *passed);
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

    table = gs_limit_table_init(mem, size, &secret, bench_us());
    if (table == NULL) {
        return 1;
    }

    bench_sides(table);

    /* at half load, where the tables work well */

    printf("limit_memory_per_key\t%zu\tbytes\n",
           gs_limit_table_size(BENCH_KEYS) / BENCH_KEYS);
    printf("limit_memory_per_leased_key\t%zu\tbytes more\n",
           gs_limit_lease_size(BENCH_KEYS) / BENCH_KEYS);

    return 0;
}


/*
 * A hot key at its rate, which most decisions refuse, once as a limit of this
 * node and once as one of all; answers of Redis come at once.
 */

static void
bench_sides(gs_limit_table_t *table)
{
    size_t                   size;
    double                   local, leased, a, b;
    gs_str_t                 s;
    uint64_t                 now[2], passed[2];
    unsigned                 i;
    gs_limit_rate_t          rate;
    gs_limit_plan_t          plan;
    gs_limit_lease_table_t  *leases;

    s = gs_str_text("1000000r/s");

    if (gs_limit_rate_parse(&rate, &s, NULL) != GS_OK
        || gs_limit_rate_init(&rate, 10000, NULL) != GS_OK)
    {
        abort();
    }

    gs_limit_plan(&plan, &rate, 3, 20, 2 * GS_LIMIT_LEASE_TARGET);

    size = gs_limit_lease_size(1000);
    leases = gs_limit_lease_init(bench_memory(size), size, bench_us());

    local = 0;
    leased = 0;
    now[0] = now[1] = bench_us();
    passed[0] = passed[1] = 0;

    for (i = 0; i < BENCH_TURNS; i++) {
        a = bench_side(table, NULL, &rate, NULL, &now[0], &passed[0]);
        b = bench_side(table, leases, &rate, &plan, &now[1], &passed[1]);

        local = (a > local) ? a : local;
        leased = (b > leased) ? b : leased;
    }

    printf("limit_of_node\t%.2f\tM/s\n", local / 1e6);
    printf("limit_of_all_nodes\t%.2f\tM/s\n", leased / 1e6);
    printf("limit_of_all_nodes_ratio\t%.3f\tof the node's own\n",
           leased / local);
    printf("limit_of_all_nodes_passed\t%.1f\t%%\n",
           100.0 * (double) passed[1] / BENCH_SIDE / BENCH_TURNS);
}


static double
bench_side(gs_limit_table_t *table, gs_limit_lease_table_t *leases,
    const gs_limit_rate_t *rate, const gs_limit_plan_t *plan, uint64_t *now,
    uint64_t *passed)
{
    double                start;
    int64_t               offset;
    gs_str_t              key;
    uint64_t              i;
    gs_limit_item_t       item;
    gs_limit_lease_ask_t  ask;

    static uint64_t  score;

    key = (plan != NULL) ? gs_str_text("shared by all nodes")
                         : gs_str_text("of this node alone!");
    offset = 1790000000000000;
    start = bench_cpu();

    for (i = 0; i < BENCH_SIDE; i++) {

        /* a decision in a microsecond: as many as the rate */

        (*now)++;

        gs_limit_item_prepare(&item, table, rate, plan, leases, &key, 1);
        *passed += (gs_limit_item_decide(&item, 1, *now) == GS_OK);

        if (item.ask
            && gs_limit_lease_ask(&item.lease, *now, offset, 0, 20000, &ask)
               == GS_OK)
        {
            score = ((score > ask.anchor) ? score : ask.anchor)
                    + ask.increment;
            (void) gs_limit_lease_grant(&ask, *now, offset, score);
        }
    }

    return BENCH_SIDE / (bench_cpu() - start);
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
