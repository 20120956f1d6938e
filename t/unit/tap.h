
/*
 * Copyright (C) govsvc authors
 *
 * The Test Anything Protocol for the unit tests, and an allocator that fails
 * on request.  A test program ends with "return done_testing();".
 */


#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <stdint.h>

#include "core/gs_mem.h"
#include "core/gs_str.h"


/* The number of tests to come; optional, done_testing() then checks it. */
void plan(int tests);

/* Ends the output; the exit code of the program: 0 if all tests passed. */
int done_testing(void);

/* Each returns 1 if the test passed; name is a printf format. */
int ok(int cond, const char *name, ...)
    __attribute__ ((format (printf, 2, 3)));
int is_int(int64_t got, int64_t want, const char *name, ...)
    __attribute__ ((format (printf, 3, 4)));
int is_str(gs_str_t got, const char *want, const char *name, ...)
    __attribute__ ((format (printf, 3, 4)));

/* As is_str() with bytes that may hold NUL. */
int is_mem(const void *got, size_t got_len, const void *want, size_t want_len,
    const char *name, ...) __attribute__ ((format (printf, 5, 6)));

/* A comment line of the output. */
void diag(const char *text, ...) __attribute__ ((format (printf, 1, 2)));


/*
 * Memory whose n-th allocation from now on fails, counted from 1; 0 fails
 * none.  There is one such allocator, each call sets it anew and zeroes its
 * counters.  The loop of a test is:
 *
 *     for (n = 1; ; n++) {
 *         rc = gs_thing_create(tap_mem_fail(n), &thing);
 *         if (!tap_mem_failed()) { break; }
 *         ...
 *     }
 */
gs_mem_t *tap_mem_fail(unsigned n);

/* 1 if the allocation that had to fail was reached. */
int tap_mem_failed(void);

/* Allocations asked for, and blocks not yet released, since it was set. */
unsigned tap_mem_calls(void);
int tap_mem_live(void);


#endif /* _TAP_H_INCLUDED_ */
