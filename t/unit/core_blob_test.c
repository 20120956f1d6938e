
/*
 * Copyright (C) govsvc authors
 *
 * A text in shared memory: replaced while others read, by writers that die in
 * the middle; no reader ever sees a text that nobody wrote.
 */


#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/gs_blob.h"
#include "tap.h"


#define MAX     4096
#define ROUNDS  40


static void basics(void);
static void killed(void);
static void writer(gs_blob_t *b, unsigned seed);
static int whole(const gs_uchar_t *p, size_t len);


int
main(void)
{
    basics();
    killed();

    return done_testing();
}


static void
basics(void)
{
    void        *base;
    size_t       len;
    uint64_t     gen;
    gs_str_t     text;
    gs_blob_t   *b;
    gs_uchar_t   dst[100];

    base = calloc(1, gs_blob_size(100));

    ok(gs_blob_open(base, 100) == NULL, "zeros are none");

    b = gs_blob_create(base, 100);

    ok(gs_blob_open(base, 100) == b, "found again");
    ok(gs_blob_open(base, 101) == NULL, "not with another size");
    ok(gs_blob_generation(b) == 0, "nothing in it");
    ok(gs_blob_read(b, dst, &len, &gen) == GS_DECLINED, "nothing to read");

    text = gs_str_text("one");
    ok(gs_blob_publish(b, &text) == GS_OK, "published");
    ok(gs_blob_read(b, dst, &len, &gen) == GS_OK && gen == 1, "read");
    is_mem(dst, len, "one", 3, "as it was");

    text = gs_str_text("twotwo");
    ok(gs_blob_publish(b, &text) == GS_OK && gs_blob_generation(b) == 2,
       "the next");
    ok(gs_blob_read(b, dst, &len, &gen) == GS_OK && gen == 2, "read");
    is_mem(dst, len, "twotwo", 6, "as it was");

    text = gs_str_text("");
    ok(gs_blob_publish(b, &text) == GS_OK, "an empty one");
    ok(gs_blob_read(b, dst, &len, &gen) == GS_OK && len == 0 && gen == 3,
       "read");

    text = gs_str_make(base, 101);
    ok(gs_blob_publish(b, &text) == GS_ERROR && gs_blob_generation(b) == 3,
       "one too long changes nothing");

    /* what a writer in the middle leaves */

    text = gs_str_text("damaged");
    ok(gs_blob_publish(b, &text) == GS_OK, "published");
    ((gs_uchar_t *) base)[gs_blob_size(100) - 104] ^= 1;
    ((gs_uchar_t *) base)[gs_blob_size(100) - 104 - 120] ^= 1;
    ok(gs_blob_read(b, dst, &len, &gen) == GS_AGAIN,
       "half a text is not read");

    free(base);
}


/* Texts of one letter: half of two would show. */

static int
whole(const gs_uchar_t *p, size_t len)
{
    size_t  i;

    for (i = 1; i < len; i++) {
        if (p[i] != p[0]) {
            return 0;
        }
    }

    return 1;
}


static void
writer(gs_blob_t *b, unsigned seed)
{
    gs_str_t    s;
    gs_uchar_t  text[MAX];

    for ( ;; ) {
        seed = seed * 1103515245 + 12345;
        memset(text, 'a' + (int) (seed >> 16) % 26, MAX);
        s = gs_str_make(text, MAX - (seed >> 20) % 100);
        (void) gs_blob_publish(b, &s);
    }
}


static void
killed(void)
{
    int               i, torn;
    void             *base;
    pid_t             pid;
    size_t            len, reads;
    uint64_t          gen, last;
    gs_blob_t        *b;
    gs_uchar_t        dst[MAX];
    struct timespec   until, now;

    base = mmap(NULL, gs_blob_size(MAX), PROT_READ|PROT_WRITE,
                MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    b = gs_blob_create(base, MAX);

    torn = 0;
    reads = 0;
    last = 0;

    for (i = 0; i < ROUNDS; i++) {

        pid = fork();

        if (pid == 0) {
            writer(b, (unsigned) i);
        }

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 5000000 + i * 10007;

        do {
            if (gs_blob_read(b, dst, &len, &gen) == GS_OK) {
                torn += !whole(dst, len) || gen < last;
                last = gen;
                reads++;
            }

            clock_gettime(CLOCK_MONOTONIC, &now);

        } while (now.tv_sec < until.tv_sec
                 || (now.tv_sec == until.tv_sec
                     && now.tv_nsec < until.tv_nsec));

        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);

        if (gs_blob_read(b, dst, &len, &gen) == GS_OK) {
            torn += !whole(dst, len);
        }
    }

    is_int(torn, 0, "no text that nobody wrote");
    ok(reads > 0 && last > ROUNDS, "texts were read and replaced");

    (void) munmap(base, gs_blob_size(MAX));
}
