
/*
 * Copyright (C) govsvc authors
 *
 * Requests in progress: counts of several processes, at once and in turn.
 */


#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limit/gs_limit_conn.h"
#include "tap.h"


#define PROCESSES  4
#define MAX        5
#define ROUNDS     20000


static void test_counts(void);
static void test_places(void);
static void test_full(void);
static void test_layout(void);
static void test_at_once(void);
static gs_limit_conn_table_t *make(size_t counts);


int
main(void)
{
    test_counts();
    test_places();
    test_full();
    test_layout();
    test_at_once();

    return done_testing();
}


static void
test_counts(void)
{
    unsigned                i;
    uint64_t                now;
    gs_str_t                a, b;
    gs_limit_conn_t         conns[4], other;
    gs_limit_conn_table_t  *table;

    table = make(100);
    a = gs_str_text("a");
    b = gs_str_text("b");

    for (i = 0; i < 3; i++) {
        is_int(gs_limit_conn_begin(table, 0, &a, 3, &conns[i], &now), GS_OK,
               "begins");
        is_int((int64_t) now, i + 1, "is counted");
    }

    is_int(gs_limit_conn_begin(table, 0, &a, 3, &conns[3], &now), GS_DECLINED,
           "a fourth does not");
    ok(conns[3].state == NULL, "and holds nothing");
    gs_limit_conn_end(&conns[3]);

    is_int(gs_limit_conn_begin(table, 1, &a, 3, &conns[3], &now), GS_DECLINED,
           "nor in another process");
    is_int(gs_limit_conn_begin(table, 1, &b, 3, &other, &now), GS_OK,
           "another key does");

    gs_limit_conn_end(&conns[1]);
    is_int(gs_limit_conn_begin(table, 1, &a, 3, &conns[1], &now), GS_OK,
           "when one has ended, another process may");
    is_int((int64_t) now, 3, "three of two processes");

    gs_limit_conn_end(&conns[1]);
    gs_limit_conn_end(&conns[1]);
    is_int(gs_limit_conn_begin(table, 2, &a, 9, &conns[1], &now), GS_OK,
           "ended twice");
    is_int((int64_t) now, 3, "counts once");

    free(table);
}


static void
test_places(void)
{
    uint64_t                now;
    gs_str_t                a;
    gs_limit_conn_t         old, conn;
    gs_limit_conn_table_t  *table;

    table = make(100);
    a = gs_str_text("a");

    gs_limit_conn_start(table, 7, 100);
    is_int(gs_limit_conn_begin(table, 7, &a, 1, &old, &now), GS_OK, "begins");
    is_int(gs_limit_conn_begin(table, 8, &a, 1, &conn, &now), GS_DECLINED,
           "is counted");

    gs_limit_conn_bury(table, 7, 99);
    is_int(gs_limit_conn_begin(table, 8, &a, 1, &conn, &now), GS_DECLINED,
           "another is dead");

    gs_limit_conn_bury(table, 7, 100);
    is_int(gs_limit_conn_pid(table, 7), 0, "nobody is there");
    is_int(gs_limit_conn_begin(table, 8, &a, 1, &conn, &now), GS_OK,
           "a dead one does not count");

    gs_limit_conn_end(&old);
    is_int(gs_limit_conn_begin(table, 9, &a, 1, &old, &now), GS_DECLINED,
           "and takes nobody with it");

    gs_limit_conn_start(table, 8, 101);
    is_int(gs_limit_conn_pid(table, 8), 101, "the next at the place");
    is_int(gs_limit_conn_begin(table, 9, &a, 1, &old, &now), GS_OK,
           "begins with nothing");

    free(table);
}


static void
test_full(void)
{
    char                    text[16];
    unsigned                i, busy;
    uint64_t                now;
    gs_str_t                key;
    gs_limit_conn_t         conn, kept;
    gs_limit_conn_table_t  *table;

    table = make(0);
    busy = 0;

    for (i = 0; i < 64; i++) {
        key = gs_str_make(text, (size_t) snprintf(text, sizeof(text), "k%u",
                                                  i));
        busy += (gs_limit_conn_begin(table, 0, &key, 1, &conn, &now)
                 != GS_OK);

        if (i == 0) {
            kept = conn;
        }
    }

    is_int(busy, 0, "64 counts have room");

    key = gs_str_text("one more");
    is_int(gs_limit_conn_begin(table, 0, &key, 1, &conn, &now), GS_BUSY,
           "a full table refuses");

    gs_limit_conn_end(&kept);
    is_int(gs_limit_conn_begin(table, 0, &key, 1, &conn, &now), GS_OK,
           "until one has ended");

    free(table);
}


static void
test_layout(void)
{
    size_t                  size;
    gs_limit_conn_table_t  *table;

    size = gs_limit_conn_size(100);
    table = make(100);

    ok(gs_limit_conn_attach(table, size) == table, "attached");
    ok(gs_limit_conn_attach(table, size - 64) == NULL, "of another size");
    ((uint32_t *) table)[1]++;
    ok(gs_limit_conn_attach(table, size) == NULL, "of another version");
    ok(gs_limit_conn_init(table, 100, NULL) == NULL, "too small");
    ok(gs_limit_conn_size(SIZE_MAX) == SIZE_MAX, "absurd");

    free(table);
}


/* No more than MAX hold at any time, whatever processes do at once. */

static void
test_at_once(void)
{
    size_t                  size;
    unsigned                i, k;
    uint64_t                now, held;
    uint64_t               *shared;
    gs_str_t                key;
    gs_limit_conn_t         conns[2];
    gs_siphash_key_t        secret;
    gs_limit_conn_table_t  *table;

    size = gs_limit_conn_size(100);
    table = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                 -1, 0);
    shared = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                  -1, 0);

    secret.k0 = 3;
    secret.k1 = 4;
    (void) gs_limit_conn_init(table, size, &secret);
    key = gs_str_text("key");

    for (i = 0; i < PROCESSES; i++) {

        if (fork() != 0) {
            continue;
        }

        for (k = 0; k < ROUNDS; k++) {

            if (gs_limit_conn_begin(table, i, &key, MAX, &conns[k % 2], &now)
                == GS_OK)
            {
                held = __atomic_add_fetch(&shared[0], 1, __ATOMIC_SEQ_CST);

                if (held > MAX) {
                    shared[1] = held;
                }

                shared[2 + i]++;

                if (k % 2 == 0) {
                    continue;
                }
            }

            if (conns[0].state != NULL && k > 0) {
                __atomic_sub_fetch(&shared[0], 1, __ATOMIC_SEQ_CST);
                gs_limit_conn_end(&conns[0]);
            }

            if (k % 2 == 1 && conns[1].state != NULL) {
                __atomic_sub_fetch(&shared[0], 1, __ATOMIC_SEQ_CST);
                gs_limit_conn_end(&conns[1]);
            }
        }

        _exit(0);
    }

    while (wait(NULL) > 0) {
        /* void */
    }

    is_int((int64_t) shared[1], 0, "never more than %d at once", MAX);
    ok(shared[2] > 0 && shared[3] > 0, "all had their turn");

    munmap(table, size);
    munmap(shared, 4096);
}


static gs_limit_conn_table_t *
make(size_t counts)
{
    size_t             size;
    gs_siphash_key_t   secret;

    secret.k0 = 1;
    secret.k1 = 2;
    size = gs_limit_conn_size(counts);

    return gs_limit_conn_init(aligned_alloc(64, (size + 63) / 64 * 64), size,
                              &secret);
}
