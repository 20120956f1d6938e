
/*
 * Copyright (C) govsvc authors
 *
 * Memory as an argument and the arena.
 */


#include "core/gs_mem.h"
#include "tap.h"


static void test_plain(void);
static void test_arena(void);
static void test_arena_failing(void);


int
main(void)
{
    test_plain();
    test_arena();
    test_arena_failing();

    return done_testing();
}


static void
test_plain(void)
{
    char      *p;
    gs_str_t   s, copy;

    ok(gs_alloc(&gs_mem_libc, 0) == NULL, "nothing of size 0");
    ok(gs_calloc(&gs_mem_libc, SIZE_MAX / 2, 3) == NULL, "product overflows");
    ok(gs_calloc(&gs_mem_libc, 0, 3) == NULL, "no elements");

    p = gs_calloc(&gs_mem_libc, 7, 1);
    ok(p != NULL && memcmp(p, "\0\0\0\0\0\0\0", 7) == 0, "zeros");
    gs_free(&gs_mem_libc, p);
    gs_free(&gs_mem_libc, NULL);

    s = gs_str_make("a\0b", 3);
    copy = gs_str_dup(&gs_mem_libc, &s);
    ok(gs_str_eq(&copy, &s) && copy.data != s.data, "copy");
    is_int(copy.data[3], 0, "NUL behind the copy");
    gs_free(&gs_mem_libc, (void *) copy.data);

    s = gs_str_make(NULL, 0);
    copy = gs_str_dup(&gs_mem_libc, &s);
    ok(copy.len == 0 && copy.data != NULL && copy.data[0] == '\0',
       "copy of nothing");
    gs_free(&gs_mem_libc, (void *) copy.data);

    copy = gs_str_dup(tap_mem_fail(1), &s);
    ok(copy.data == NULL, "copy without memory");
}


static void
test_arena(void)
{
    size_t       i, size;
    unsigned     misaligned;
    gs_mem_t    *mem;
    gs_arena_t  *arena;
    gs_uchar_t  *p, *first;

    arena = gs_arena_create(tap_mem_fail(0));
    ok(arena != NULL, "arena");
    mem = gs_arena_mem(arena);

    ok(gs_alloc(mem, SIZE_MAX) == NULL, "absurd size");

    first = gs_alloc(mem, 100);
    memset(first, 0x5a, 100);
    misaligned = 0;

    for (i = 1; i < 3000; i++) {
        size = (i * 7919) % 700 + 1;

        if (i % 500 == 0) {
            size = 100000;
        }

        p = gs_alloc(mem, size);
        misaligned += (p == NULL || (uintptr_t) p % 16 != 0);
        memset(p, (int) i, size);
        gs_free(mem, p);
    }

    is_int(misaligned, 0, "all pieces aligned");
    ok(first[0] == 0x5a && first[99] == 0x5a, "the first piece is whole");
    ok(tap_mem_calls() < 60, "few blocks for many pieces");

    gs_arena_destroy(arena);
    is_int(tap_mem_live(), 0, "all blocks released");
    gs_arena_destroy(NULL);
}


static void
test_arena_failing(void)
{
    void        *p;
    unsigned     n;
    gs_arena_t  *arena;

    for (n = 1; n < 100; n++) {
        p = NULL;
        arena = gs_arena_create(tap_mem_fail(n));

        if (arena != NULL) {
            p = gs_alloc(gs_arena_mem(arena), 10);

            if (p != NULL) {
                p = gs_alloc(gs_arena_mem(arena), 100000);
            }
        }

        gs_arena_destroy(arena);

        if (!tap_mem_failed()) {
            break;
        }

        ok(p == NULL, "allocation %u fails", n);
        is_int(tap_mem_live(), 0, "nothing left over");
    }

    is_int(n, 4, "three allocations");
    ok(p != NULL, "and then it works");
}
