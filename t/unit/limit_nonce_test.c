
/*
 * Copyright (C) govsvc authors
 *
 * The store of nonces: new, seen, expired, full; shared by processes of which
 * some are killed.
 */


#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "limit/gs_nonce.h"


#define NOW   1700000000
#define SIZE  65536


static void test_basic(void);
static void test_layout(void);
static void test_full(void);
static void test_wrap(void);
static void test_processes(void);
static void test_killed(void);
static void test_lost(void);
static gs_rc_t insert(gs_nonce_t *store, unsigned n, int64_t until,
    int64_t now);
static void *memory(void);
static void create(gs_nonce_t *store, void *mem);


static const gs_uchar_t  random16[16] = "nonce test key!";


int
main(void)
{
    test_basic();
    test_layout();
    test_full();
    test_wrap();
    test_processes();
    test_killed();
    test_lost();

    return done_testing();
}


static void
test_basic(void)
{
    void             *mem;
    gs_str_t          a, b, x, ab, empty;
    gs_nonce_t        store;

    mem = memory();
    create(&store, mem);

    a = gs_str_text("a");
    b = gs_str_text("b");
    ab = gs_str_text("ab");
    x = gs_str_text("nonce");
    empty = gs_str_text("");

    is_int(gs_nonce_insert(&store, &a, &x, NOW + 300, NOW), GS_OK, "new");
    is_int(gs_nonce_insert(&store, &a, &x, NOW + 300, NOW), GS_DECLINED,
           "seen");
    is_int(gs_nonce_insert(&store, &b, &x, NOW + 300, NOW), GS_OK,
           "of another application");
    is_int(gs_nonce_insert(&store, &a, &x, NOW + 600, NOW + 300), GS_DECLINED,
           "seen at the last second");
    is_int(gs_nonce_insert(&store, &a, &x, NOW + 900, NOW + 316), GS_OK,
           "new when it has expired");
    is_int(gs_nonce_insert(&store, &ab, &empty, NOW + 9, NOW), GS_OK,
           "app ab, no nonce");
    is_int(gs_nonce_insert(&store, &a, &b, NOW + 9, NOW), GS_OK,
           "app a, nonce b is another");
    is_int(gs_nonce_insert(&store, &a, &ab, NOW, NOW), GS_BUSY,
           "already expired");

    x = gs_str_make(mem, 300);
    is_int(gs_nonce_insert(&store, &a, &x, NOW + 9, NOW), GS_BUSY,
           "too long");

    is_int((int64_t) gs_nonce_counted(&store, GS_NONCE_STORED), 5, "stored");
    is_int((int64_t) gs_nonce_counted(&store, GS_NONCE_REPLAYED), 2,
           "replayed");
    is_int((int64_t) gs_nonce_used(&store, NOW), 4, "used");
    is_int((int64_t) gs_nonce_used(&store, NOW + 2000), 0, "used later");

    (void) munmap(mem, SIZE);
}


static void
test_layout(void)
{
    void        *mem;
    gs_nonce_t   store, other;

    mem = memory();

    is_int(gs_nonce_create(&store, mem, GS_NONCE_MIN - 1, random16), GS_ERROR,
           "too small");
    is_int(gs_nonce_attach(&store, mem, SIZE), GS_ERROR, "nothing there");
    create(&store, mem);
    is_int(insert(&store, 1, NOW + 300, NOW), GS_OK, "stored");
    is_int(gs_nonce_attach(&other, mem, SIZE), GS_OK, "attached");
    is_int(insert(&other, 1, NOW + 300, NOW), GS_DECLINED, "seen by both");
    is_int(gs_nonce_attach(&other, mem, SIZE - 64), GS_ERROR, "another size");

    (void) munmap(mem, SIZE);
}


static void
test_full(void)
{
    void             *mem;
    unsigned          n, i, passed;
    uint64_t          size;
    gs_nonce_t        store;

    mem = memory();
    create(&store, mem);
    size = gs_nonce_size(&store);

    for (n = 0; insert(&store, n, NOW + 300, NOW) == GS_OK; n++) {
        /* void */
    }

    ok(n > size * 8 / 10, "%u of %u before the first is refused", n,
       (unsigned) size);
    is_int(insert(&store, n, NOW + 300, NOW), GS_BUSY, "no room");

    passed = 0;

    for (i = 0; i < n; i++) {
        passed += (insert(&store, i, NOW + 300, NOW) != GS_DECLINED);
    }

    is_int(passed, 0, "none is forgotten when it is full");

    for (i = 0; i < 5 * size; i++) {
        (void) insert(&store, n + i, NOW + 300, NOW);
    }

    passed = 0;

    for (i = 0; i < n; i++) {
        passed += (insert(&store, i, NOW + 300, NOW) != GS_DECLINED);
    }

    is_int(passed, 0, "nor by a flood");
    ok(gs_nonce_counted(&store, GS_NONCE_FULL) > 0, "counted");
    is_int(insert(&store, n, NOW + 900, NOW + 400), GS_OK,
           "room again when they have expired");

    (void) munmap(mem, SIZE);
}


/* The time in a word repeats after 34 years. */

static void
test_wrap(void)
{
    void        *mem;
    int64_t      now;
    gs_nonce_t   store;

    mem = memory();
    create(&store, mem);

    now = ((int64_t) 1 << 26) * GS_NONCE_UNIT * 2 - 8;

    is_int(insert(&store, 1, now + 300, now), GS_OK, "over the wrap");
    is_int(insert(&store, 1, now + 300, now), GS_DECLINED, "seen before");
    is_int(insert(&store, 1, now + 600, now + 290), GS_DECLINED, "and behind");
    is_int(insert(&store, 1, now + 900, now + 330), GS_OK, "until it ends");

    (void) munmap(mem, SIZE);
}


/* Of all processes that bring a nonce at most one may pass with it. */

static void
test_processes(void)
{
    int          status;
    void        *mem;
    pid_t        pid;
    unsigned     p, n, *passed, twice, once;
    gs_nonce_t   store;

    mem = memory();
    passed = memory();
    create(&store, mem);

    for (p = 0; p < 4; p++) {
        pid = fork();

        if (pid == 0) {
            for (n = 0; n < 4000; n++) {
                if (insert(&store, n, NOW + 300, NOW) == GS_OK) {
                    (void) __atomic_fetch_add(&passed[n], 1,
                                              __ATOMIC_RELAXED);
                }
            }

            _exit(0);
        }
    }

    while (wait(&status) > 0) {
        /* void */
    }

    twice = 0;
    once = 0;

    for (n = 0; n < 4000; n++) {
        twice += (passed[n] > 1);
        once += (passed[n] == 1);
    }

    is_int(twice, 0, "none passed twice");
    ok(once > 3900, "%u of 4000 passed once", once);

    (void) munmap(mem, SIZE);
    (void) munmap(passed, SIZE);
}


static void
test_killed(void)
{
    int          status;
    void        *mem;
    pid_t        pid;
    unsigned     round, n, lost;
    unsigned    *last;
    gs_nonce_t   store;

    lost = 0;
    last = memory();

    for (round = 0; round < 50; round++) {
        mem = memory();
        create(&store, mem);
        last[0] = 0;

        pid = fork();

        if (pid == 0) {
            for (n = 0; insert(&store, n, NOW + 300, NOW) == GS_OK; n++) {
                __atomic_store_n(&last[0], n + 1, __ATOMIC_SEQ_CST);
            }

            for ( ;; ) {
                (void) pause();
            }
        }

        while (__atomic_load_n(&last[0], __ATOMIC_SEQ_CST) < 20 * round) {
            /* void */
        }

        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);

        for (n = 0; n < last[0]; n++) {
            lost += (insert(&store, n, NOW + 300, NOW) != GS_DECLINED);
        }

        (void) munmap(mem, SIZE);
    }

    is_int(lost, 0, "what a killed process had stored is there");
    (void) munmap(last, SIZE);
}


/* What other nodes may have lost is fenced off from the last time on. */

static void
test_lost(void)
{
    int         status;
    void       *mem;
    pid_t       pid;
    gs_nonce_t  store, again;

    mem = memory();
    create(&store, mem);

    is_int(gs_nonce_lost(&store), 0, "nothing is lost yet");

    gs_nonce_history(&store, 0, NOW);
    gs_nonce_history(&store, 7, NOW);
    gs_nonce_history(&store, 7, NOW + 1);
    is_int(gs_nonce_lost(&store), 0, "the first history, and the same");

    gs_nonce_history(&store, 0, NOW + 2);
    is_int(gs_nonce_lost(&store), 0, "one that is not known");

    gs_nonce_history(&store, 8, NOW + 3);
    is_int(gs_nonce_lost(&store), NOW + 3, "another");

    gs_nonce_history(&store, 8, NOW + 4);
    is_int(gs_nonce_lost(&store), NOW + 3, "and the same");

    gs_nonce_lose(&store, NOW + 1);
    is_int(gs_nonce_lost(&store), NOW + 3, "never goes back");

    gs_nonce_history(&store, 7, NOW + 5);
    is_int(gs_nonce_lost(&store), NOW + 5, "the one of before is another");

    pid = fork();

    if (pid == 0) {
        gs_nonce_history(&store, 9, NOW + 6);
        gs_nonce_count(&store, GS_NONCE_FENCED);
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    is_int(gs_nonce_attach(&again, mem, SIZE), GS_OK, "a process that comes");
    is_int(gs_nonce_lost(&again), NOW + 6, "knows what another saw");
    is_int((int64_t) gs_nonce_counted(&again, GS_NONCE_FENCED), 1, "counted");

    gs_nonce_history(&again, 9, NOW + 7);
    is_int(gs_nonce_lost(&again), NOW + 6, "nothing new");

    (void) munmap(mem, SIZE);
}


static gs_rc_t
insert(gs_nonce_t *store, unsigned n, int64_t until, int64_t now)
{
    gs_str_t  app, nonce;

    app = gs_str_text("app");
    nonce = gs_str_make(&n, sizeof(n));

    return gs_nonce_insert(store, &app, &nonce, until, now);
}


static void *
memory(void)
{
    void  *p;

    p = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        abort();
    }

    return p;
}


static void
create(gs_nonce_t *store, void *mem)
{
    if (gs_nonce_create(store, mem, SIZE, random16) != GS_OK) {
        abort();
    }
}
