
/*
 * Copyright (C) govsvc authors
 *
 * The shared table: decisions, full windows, many processes, kill -9.
 */


#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limit/gs_limit_table.h"
#include "tap.h"


#define TINY       gs_limit_table_size(0)  /* one window: 32 slots */
#define PROCESSES  4


typedef struct {
    uint64_t  clock;
    uint64_t  admitted;
    uint64_t  round;
    uint64_t  ready;
} shared_t;


static void test_layout(void);
static void test_one_key(void);
static void test_keys(void);
static void test_together(void);
static void test_undo(void);
static void test_dry_run(void);
static void test_full(void);
static void test_aggregate(void);
static void test_eviction(void);
static void test_random_keys(void);
static void test_clock(void);
static void test_faster_rate(void);
static void test_processes(void);
static void test_new_key_race(void);
static void test_kill(void);
static void kill_child(gs_limit_table_t *table, const gs_limit_rate_t *rate);
static gs_limit_table_t *make_table(size_t size, uint64_t now);
static void make_rate(gs_limit_rate_t *rate, const char *text,
    uint64_t burst);
static void prepare(gs_limit_charge_t *c, gs_limit_table_t *table,
    const gs_limit_rate_t *rate, uint64_t key, uint64_t cost);
static gs_rc_t charge(gs_limit_table_t *table, const gs_limit_rate_t *rate,
    uint64_t key, uint64_t now);
static void *shared_memory(size_t size);
static uint64_t next_random(void);


static uint64_t  seed = 88172645463325252ull;


int
main(void)
{
    test_layout();
    test_one_key();
    test_keys();
    test_together();
    test_undo();
    test_dry_run();
    test_full();
    test_aggregate();
    test_eviction();
    test_random_keys();
    test_clock();
    test_faster_rate();
    test_processes();
    test_new_key_race();
    test_kill();

    return done_testing();
}


static void
test_layout(void)
{
    size_t             size;
    uint32_t          *word;
    gs_limit_stats_t   stats;
    gs_siphash_key_t   secret;
    gs_limit_table_t  *table;

    is_int((int64_t) TINY, 128 + 8 * 64, "the least table");
    is_int((int64_t) gs_limit_table_size(1000000), 128 + 500001 * 64,
           "a million keys");
    ok(gs_limit_table_size(SIZE_MAX) == SIZE_MAX, "absurd number of keys");

    size = 32768;
    table = make_table(size, 1);
    gs_limit_table_stats(table, &stats);
    is_int((int64_t) stats.slots, (32768 - 128) / 16, "all memory is used");

    ok(gs_limit_table_attach(table, size) == table, "attached again");
    ok(gs_limit_table_attach(table, size - 64) == NULL, "other size");
    ok(gs_limit_table_attach(table, 64) == NULL, "no room for a table");

    word = (uint32_t *) table;
    word[1]++;
    ok(gs_limit_table_attach(table, size) == NULL, "other version");
    word[1]--;
    word[0] ^= 1;
    ok(gs_limit_table_attach(table, size) == NULL, "other magic");

    secret.k0 = secret.k1 = 0;
    ok(gs_limit_table_init(table, TINY - 1, &secret, 1) == NULL,
       "too small to be made");

    munmap(table, size);
}


static void
test_one_key(void)
{
    size_t              i;
    gs_limit_rate_t     rate;
    gs_limit_table_t   *table;
    gs_limit_charge_t   c;

    static const struct {
        uint64_t  now;
        gs_rc_t   rc;
        uint64_t  remaining;
        uint64_t  reset;
        uint64_t  retry_after;
    } steps[] = {
        { 5000000, GS_OK, 1, 500000, 0 },
        { 5000000, GS_OK, 0, 1000000, 0 },
        { 5000001, GS_DECLINED, 0, 999999, 499999 },
        { 5499999, GS_DECLINED, 0, 500001, 1 },
        { 5500000, GS_OK, 0, 1000000, 0 },
        { 9000000, GS_OK, 1, 500000, 0 },
    };

    table = make_table(TINY, 5000000);
    make_rate(&rate, "2r/s", 2);

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        prepare(&c, table, &rate, 7, 1);
        is_int(gs_limit_peek(&c, steps[i].now), steps[i].rc, "peek %zu", i);
        is_int(gs_limit_commit(&c, steps[i].now), steps[i].rc, "commit %zu",
               i);
        is_int((int64_t) c.result.remaining, (int64_t) steps[i].remaining,
               "remaining %zu", i);
        is_int((int64_t) c.result.reset, (int64_t) steps[i].reset,
               "reset %zu", i);
        is_int((int64_t) c.result.retry_after,
               (int64_t) steps[i].retry_after, "retry %zu", i);
        is_int(c.refused, steps[i].rc != GS_OK, "refused %zu", i);
    }

    munmap(table, TINY);
}


static void
test_keys(void)
{
    char               *text;
    gs_str_t            s, t;
    unsigned            wrong;
    uint64_t            i;
    gs_limit_rate_t     rate;
    gs_limit_table_t   *table;
    gs_limit_charge_t   c;

    table = make_table(gs_limit_table_size(10000), 1);
    make_rate(&rate, "1r/h", 1);
    wrong = 0;

    for (i = 0; i < 10000; i++) {
        wrong += (charge(table, &rate, i, 2) != GS_OK);
    }

    is_int(wrong, 0, "every key has a limit of its own");

    for (i = 0; i < 10000; i++) {
        wrong += (charge(table, &rate, i, 3) != GS_DECLINED);
    }

    is_int(wrong, 0, "and is remembered");

    /* keys of any length, that differ in the last byte only */

    text = gs_calloc(&gs_mem_libc, 70001, 1);
    s = gs_str_make(text, 70000);
    t = gs_str_make(text, 70001);

    gs_limit_prepare(&c, table, &rate, &s, 1);
    is_int(gs_limit_commit(&c, 2), GS_OK, "70000 bytes");
    gs_limit_prepare(&c, table, &rate, &s, 1);
    is_int(gs_limit_commit(&c, 2), GS_DECLINED, "70000 bytes again");
    gs_limit_prepare(&c, table, &rate, &t, 1);
    is_int(gs_limit_commit(&c, 2), GS_OK, "70001 bytes");

    gs_free(&gs_mem_libc, text);
    munmap(table, gs_limit_table_size(10000));
}


static void
test_together(void)
{
    gs_limit_rate_t     wide, tight;
    gs_limit_table_t   *table;
    gs_limit_charge_t   c[2];

    table = make_table(gs_limit_table_size(100), 1);
    make_rate(&wide, "1r/h", 3);
    make_rate(&tight, "1r/h", 1);

    prepare(&c[0], table, &wide, 1, 1);
    prepare(&c[1], table, &tight, 2, 1);
    is_int(gs_limit_decide(c, 2, 2), GS_OK, "both pass");

    prepare(&c[0], table, &wide, 1, 1);
    prepare(&c[1], table, &tight, 2, 1);
    is_int(gs_limit_decide(c, 2, 2), GS_DECLINED, "one is over");
    ok(!c[0].refused && c[1].refused, "the second");

    prepare(&c[0], table, &wide, 1, 1);
    is_int(gs_limit_peek(&c[0], 2), GS_OK, "the first passes alone");
    is_int((int64_t) c[0].result.remaining, 1, "a refused request is free");

    prepare(&c[0], table, &wide, 1, 3);
    is_int(gs_limit_decide(c, 1, 2), GS_DECLINED, "cost 3 of 2");
    prepare(&c[0], table, &wide, 1, 2);
    is_int(gs_limit_decide(c, 1, 2), GS_OK, "cost 2 of 2");
    prepare(&c[0], table, &wide, 3, 4);
    is_int(gs_limit_decide(c, 1, 2), GS_DECLINED, "cost over the burst");

    /* twice the same key: the look ahead passes, the second charge not */

    prepare(&c[0], table, &tight, 9, 1);
    prepare(&c[1], table, &tight, 9, 1);
    is_int(gs_limit_decide(c, 2, 2), GS_DECLINED, "conflict after the look");
    is_int(charge(table, &tight, 9, 2), GS_OK, "the first is taken back");

    munmap(table, gs_limit_table_size(100));
}


static void
test_undo(void)
{
    gs_limit_rate_t     rate;
    gs_limit_table_t   *table;
    gs_limit_charge_t   c, d;

    table = make_table(TINY, 1);
    make_rate(&rate, "7r/s", 2);

    prepare(&c, table, &rate, 1, 2);
    is_int(gs_limit_commit(&c, 1000), GS_OK, "charged");
    is_int(charge(table, &rate, 1, 1000), GS_DECLINED, "used up");
    gs_limit_undo(&c);
    gs_limit_undo(&c);
    prepare(&d, table, &rate, 1, 2);
    is_int(gs_limit_commit(&d, 1000), GS_OK, "back, and once only");

    prepare(&c, table, &rate, 2, 2);
    gs_limit_undo(&c);
    is_int(gs_limit_commit(&c, 1000), GS_OK, "nothing to take back");

    munmap(table, TINY);
}


static void
test_dry_run(void)
{
    gs_limit_rate_t     wide, tight;
    gs_limit_table_t   *table;
    gs_limit_charge_t   c[2];

    table = make_table(TINY, 1);
    make_rate(&wide, "1r/h", 3);
    make_rate(&tight, "1r/h", 1);
    (void) charge(table, &tight, 2, 2);

    prepare(&c[0], table, &tight, 2, 1);
    prepare(&c[1], table, &wide, 1, 1);
    c[0].dry_run = 1;
    is_int(gs_limit_decide(c, 2, 2), GS_OK, "a dry run lets pass");
    ok(c[0].refused && !c[1].refused, "and tells");
    is_int((int64_t) c[1].result.remaining, 2, "the other is charged");

    prepare(&c[0], table, &tight, 2, 1);
    c[0].dry_run = 1;
    is_int(gs_limit_decide(c, 1, 2), GS_OK, "alone");
    ok(c[0].refused, "and tells");

    munmap(table, TINY);
}


static void
test_full(void)
{
    uint64_t            key;
    unsigned            wrong;
    gs_limit_rate_t     rate;
    gs_limit_stats_t    stats;
    gs_limit_table_t   *table;
    gs_limit_charge_t   c;

    table = make_table(TINY, 1);
    make_rate(&rate, "1r/h", 1);
    wrong = 0;

    for (key = 0; key < 32; key++) {
        wrong += (charge(table, &rate, key, 2) != GS_OK);
    }

    is_int(wrong, 0, "as many keys as slots");

    prepare(&c, table, &rate, 99, 1);
    is_int(gs_limit_peek(&c, 2), GS_BUSY, "no room, as peek sees it");
    prepare(&c, table, &rate, 99, 1);
    is_int(gs_limit_commit(&c, 2), GS_BUSY, "no room, as commit sees it");
    ok(c.full && c.refused && c.result.retry_after > 0, "and it says so");

    for (key = 0; key < 32; key++) {
        wrong += (charge(table, &rate, key, 3) != GS_DECLINED);
    }

    is_int(wrong, 0, "none of them was given up");

    gs_limit_table_stats(table, &stats);
    is_int((int64_t) stats.full, 2, "counted");
    is_int((int64_t) stats.evicted, 0, "no eviction");

    is_int(charge(table, &rate, 99, 3600000002ull), GS_OK,
           "room again when they are over");

    munmap(table, TINY);
}


static void
test_aggregate(void)
{
    uint64_t            key;
    gs_limit_rate_t     rate;
    gs_limit_table_t   *table;
    gs_limit_charge_t   c, d;

    table = make_table(TINY, 1);
    make_rate(&rate, "1r/h", 1);

    for (key = 0; key < 32; key++) {
        (void) charge(table, &rate, key, 2);
    }

    prepare(&c, table, &rate, 98, 1);
    c.aggregate = 1;
    is_int(gs_limit_peek(&c, 2), GS_OK, "the shared rate, peek");
    is_int(gs_limit_commit(&c, 2), GS_OK, "the shared rate, commit");
    ok(c.full && !c.refused, "full, but passed");

    prepare(&d, table, &rate, 99, 1);
    d.aggregate = 1;
    is_int(gs_limit_commit(&d, 2), GS_DECLINED, "shared by all others");
    ok(d.refused, "refused");

    gs_limit_undo(&c);
    is_int(gs_limit_commit(&d, 2), GS_OK, "taken back");

    munmap(table, TINY);
}


static void
test_eviction(void)
{
    uint64_t           key;
    unsigned           i, wrong;
    gs_limit_rate_t    rate;
    gs_limit_stats_t   stats;
    gs_limit_table_t  *table;

    table = make_table(TINY, 1);
    make_rate(&rate, "1r/h", 10);
    wrong = 0;

    /* 30 keys are limited, one has used 9, one has used 1 */

    for (key = 0; key < 30; key++) {
        for (i = 0; i < 10; i++) {
            wrong += (charge(table, &rate, key, 2) != GS_OK);
        }
    }

    for (i = 0; i < 9; i++) {
        wrong += (charge(table, &rate, 50, 2) != GS_OK);
    }

    wrong += (charge(table, &rate, 51, 2) != GS_OK);
    is_int(wrong, 0, "the window is full");

    is_int(charge(table, &rate, 60, 2), GS_OK, "a new key");
    gs_limit_table_stats(table, &stats);
    is_int((int64_t) stats.evicted, 1, "in the place of the least used");

    is_int(charge(table, &rate, 50, 2), GS_OK, "9 used: kept, now limited");
    is_int(charge(table, &rate, 50, 2), GS_DECLINED, "9 used: remembered");

    for (key = 0; key < 30; key++) {
        wrong += (charge(table, &rate, key, 2) != GS_DECLINED);
    }

    is_int(wrong, 0, "the limited stay limited");

    munmap(table, TINY);
}


static void
test_random_keys(void)
{
    uint64_t           i, key, now;
    unsigned           freed;
    gs_limit_rate_t    rate;
    gs_limit_stats_t   stats;
    gs_limit_table_t  *table;

    table = make_table(gs_limit_table_size(1000), 1);
    make_rate(&rate, "1r/h", 2);
    now = 2;
    freed = 0;

    for (key = 0; key < 100; key++) {
        freed += (charge(table, &rate, key, now) != GS_OK);
        freed += (charge(table, &rate, key, now) != GS_OK);
    }

    for (i = 0; i < 1000000; i++) {
        now += 10;
        (void) charge(table, &rate, next_random() | 1ull << 63, now);

        if (i % 10 == 0) {
            freed += (charge(table, &rate, i / 10 % 100, now)
                      != GS_DECLINED);
        }
    }

    is_int(freed, 0, "a million random keys free no limited key");
    gs_limit_table_stats(table, &stats);
    ok(stats.evicted > 100000, "they put out one another");

    munmap(table, gs_limit_table_size(1000));
}


static void
test_clock(void)
{
    gs_limit_rate_t    rate;
    gs_limit_table_t  *table;

    table = make_table(TINY, 1000000);
    make_rate(&rate, "1r/s", 1);

    is_int(charge(table, &rate, 1, 500000), GS_OK, "before the epoch");
    is_int(charge(table, &rate, 1, 0), GS_DECLINED, "long before it");
    is_int(charge(table, &rate, 1, 1999999), GS_DECLINED, "0.999999 s on");
    is_int(charge(table, &rate, 1, 2000000), GS_OK, "1 s on");
    is_int(charge(table, &rate, 1, 1500000), GS_DECLINED, "back in time");
    is_int(charge(table, &rate, 1, 3000000), GS_OK, "and on");
    is_int(charge(table, &rate, 1, UINT64_MAX), GS_BUSY,
           "past the end of time nothing passes");

    munmap(table, TINY);
}


static void
test_faster_rate(void)
{
    gs_limit_rate_t     slow, fast;
    gs_limit_table_t   *table;
    gs_limit_charge_t   c;

    table = make_table(TINY, 1);
    make_rate(&slow, "1r/d", 1);
    make_rate(&fast, "10r/s", 5);

    is_int(charge(table, &slow, 1, 2), GS_OK, "one a day");
    is_int(charge(table, &slow, 1, 2), GS_DECLINED, "and no more");

    prepare(&c, table, &fast, 1, 1);
    is_int(gs_limit_commit(&c, 2), GS_DECLINED, "faster after a reload");
    is_int((int64_t) c.result.retry_after, 100000, "waits as the new says");
    is_int(charge(table, &fast, 1, 100002), GS_OK, "and passes then");

    munmap(table, TINY);
}


static void
test_processes(void)
{
    uint64_t           now, allowed;
    unsigned           i, n;
    shared_t          *shared;
    gs_limit_rate_t    rate;
    gs_limit_table_t  *table;

    table = make_table(TINY, 1);
    make_rate(&rate, "3000r/s", 10);
    shared = shared_memory(sizeof(shared_t));
    shared->clock = 2;

    for (i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            for (n = 0; n < 200000; n++) {
                now = __atomic_fetch_add(&shared->clock, n % 8 == 0,
                                         __ATOMIC_SEQ_CST);

                if (charge(table, &rate, 1, now) == GS_OK) {
                    (void) __atomic_fetch_add(&shared->admitted, 1,
                                              __ATOMIC_SEQ_CST);
                }
            }

            _exit(0);
        }
    }

    while (wait(NULL) > 0) {
        /* void */
    }

    allowed = 10 + (shared->clock - 2) * 3000 / 1000000;

    ok(shared->admitted <= allowed + 1 && shared->admitted + 1 >= allowed,
       "%u processes together: %u admitted, %u allowed", PROCESSES,
       (unsigned) shared->admitted, (unsigned) allowed);

    munmap(table, TINY);
    munmap(shared, sizeof(shared_t));
}


/* All processes charge the same new key at once, again and again. */

static void
test_new_key_race(void)
{
    uint64_t           round;
    unsigned           i;
    shared_t          *shared;
    gs_limit_rate_t    rate;
    gs_limit_table_t  *table;

    table = make_table(gs_limit_table_size(4000), 1);
    make_rate(&rate, "1r/h", 1);
    shared = shared_memory(sizeof(shared_t));

    for (i = 0; i < 2; i++) {
        if (fork() == 0) {
            for (round = 0; round < 2000; round++) {

                (void) __atomic_fetch_add(&shared->ready, 1,
                                          __ATOMIC_SEQ_CST);

                while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST)
                       < 2 * (round + 1))
                {
                    /* void */
                }

                if (charge(table, &rate, round, 2) == GS_OK) {
                    (void) __atomic_fetch_add(&shared->admitted, 1,
                                              __ATOMIC_SEQ_CST);
                }
            }

            _exit(0);
        }
    }

    while (wait(NULL) > 0) {
        /* void */
    }

    ok(shared->admitted >= 2000 && shared->admitted <= 2020,
       "a new key is charged once: %u of 2000", (unsigned) shared->admitted);

    munmap(table, gs_limit_table_size(4000));
    munmap(shared, sizeof(shared_t));
}


static void
test_kill(void)
{
    int                status;
    pid_t              pid;
    uint64_t           key, later;
    unsigned           round, wrong;
    gs_limit_rate_t    rate;
    gs_limit_table_t  *table;

    table = make_table(TINY, 1);
    make_rate(&rate, "1r/s", 2);
    wrong = 0;

    for (round = 0; round < 100; round++) {
        pid = fork();

        if (pid == 0) {
            seed += round * 2654435761u;
            kill_child(table, &rate);
        }

        usleep((useconds_t) (1000 + next_random() % 2000));
        kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);
        wrong += !WIFSIGNALED(status);
    }

    is_int(wrong, 0, "100 processes killed at work");
    ok(gs_limit_table_attach(table, TINY) == table, "the table is whole");

    later = 1ull << 40;

    for (key = 0; key < 32; key++) {
        wrong += (charge(table, &rate, key, later) != GS_OK);
        wrong += (charge(table, &rate, key, later) != GS_OK);
        wrong += (charge(table, &rate, key, later) != GS_DECLINED);
    }

    is_int(wrong, 0, "every slot still serves");
    is_int(charge(table, &rate, 99, later), GS_BUSY, "and no more than that");

    munmap(table, TINY);
}


static void
kill_child(gs_limit_table_t *table, const gs_limit_rate_t *rate)
{
    uint64_t           now;
    gs_limit_charge_t  c[2];

    now = 2;

    for ( ;; ) {
        prepare(&c[0], table, rate, next_random() % 64, 1);
        prepare(&c[1], table, rate, next_random() % 64, 1);
        (void) gs_limit_decide(c, 2, now);
        now += next_random() % 100000;
    }
}


static gs_limit_table_t *
make_table(size_t size, uint64_t now)
{
    gs_siphash_key_t  secret;

    secret.k0 = 0x0123456789abcdefull;
    secret.k1 = 0xfedcba9876543210ull;

    return gs_limit_table_init(shared_memory(size), size, &secret, now);
}


static void
make_rate(gs_limit_rate_t *rate, const char *text, uint64_t burst)
{
    gs_str_t  s;
    gs_err_t  err;

    s = gs_str_text(text);

    if (gs_limit_rate_parse(rate, &s, &err) != GS_OK
        || gs_limit_rate_init(rate, burst, &err) != GS_OK)
    {
        diag("%s: %s", text, err.text);
    }
}


static void
prepare(gs_limit_charge_t *c, gs_limit_table_t *table,
    const gs_limit_rate_t *rate, uint64_t key, uint64_t cost)
{
    gs_str_t  s;

    s = gs_str_make(&key, sizeof(key));
    gs_limit_prepare(c, table, rate, &s, cost);
}


static gs_rc_t
charge(gs_limit_table_t *table, const gs_limit_rate_t *rate, uint64_t key,
    uint64_t now)
{
    gs_limit_charge_t  c;

    prepare(&c, table, rate, key, 1);

    return gs_limit_commit(&c, now);
}


static void *
shared_memory(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        perror("mmap");
        _exit(2);
    }

    return p;
}


static uint64_t
next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed;
}
