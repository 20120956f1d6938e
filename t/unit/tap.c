
/*
 * Copyright (C) govsvc authors
 *
 * The Test Anything Protocol for the unit tests.
 */


#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"


static int tap_result(int passed, const char *name, va_list args);
static void tap_show(const char *what, const void *data, size_t len);
static void *tap_mem_alloc(void *ctx, size_t size);
static void tap_mem_release(void *ctx, void *p);


static int       tap_planned;
static int       tap_run;
static int       tap_bad;

static unsigned  tap_mem_nth;
static unsigned  tap_mem_count;
static int       tap_mem_blocks;

static gs_mem_t  tap_mem = { tap_mem_alloc, tap_mem_release, NULL };


void
plan(int tests)
{
    tap_planned = tests;

    printf("1..%d\n", tests);
    fflush(stdout);
}


int
done_testing(void)
{
    if (tap_planned == 0) {
        printf("1..%d\n", tap_run);

    } else if (tap_planned != tap_run) {
        printf("# planned %d tests but ran %d\n", tap_planned, tap_run);
        tap_bad++;
    }

    if (tap_bad != 0) {
        printf("# %d of %d tests failed\n", tap_bad, tap_run);
    }

    fflush(stdout);

    return (tap_bad == 0) ? 0 : 1;
}


int
ok(int cond, const char *name, ...)
{
    int      rc;
    va_list  args;

    va_start(args, name);
    rc = tap_result(cond != 0, name, args);
    va_end(args);

    return rc;
}


int
is_int(int64_t got, int64_t want, const char *name, ...)
{
    int      rc;
    va_list  args;

    va_start(args, name);
    rc = tap_result(got == want, name, args);
    va_end(args);

    if (!rc) {
        printf("#   got:      %lld\n", (long long) got);
        printf("#   expected: %lld\n", (long long) want);
    }

    return rc;
}


int
is_str(gs_str_t got, const char *want, const char *name, ...)
{
    int      rc;
    size_t   len;
    va_list  args;

    len = strlen(want);

    va_start(args, name);
    rc = tap_result(got.len == len
                    && (len == 0 || memcmp(got.data, want, len) == 0),
                    name, args);
    va_end(args);

    if (!rc) {
        tap_show("got:     ", got.data, got.len);
        tap_show("expected:", want, len);
    }

    return rc;
}


int
is_mem(const void *got, size_t got_len, const void *want, size_t want_len,
    const char *name, ...)
{
    int      rc;
    va_list  args;

    va_start(args, name);
    rc = tap_result(got_len == want_len
                    && (got_len == 0 || memcmp(got, want, got_len) == 0),
                    name, args);
    va_end(args);

    if (!rc) {
        tap_show("got:     ", got, got_len);
        tap_show("expected:", want, want_len);
    }

    return rc;
}


void
diag(const char *text, ...)
{
    va_list  args;

    printf("# ");

    va_start(args, text);
    vprintf(text, args);
    va_end(args);

    printf("\n");
}


gs_mem_t *
tap_mem_fail(unsigned n)
{
    tap_mem_nth = n;
    tap_mem_count = 0;
    tap_mem_blocks = 0;

    return &tap_mem;
}


int
tap_mem_failed(void)
{
    return tap_mem_nth != 0 && tap_mem_count >= tap_mem_nth;
}


unsigned
tap_mem_calls(void)
{
    return tap_mem_count;
}


int
tap_mem_live(void)
{
    return tap_mem_blocks;
}


static int
tap_result(int passed, const char *name, va_list args)
{
    tap_run++;

    if (!passed) {
        tap_bad++;
    }

    printf("%s %d - ", passed ? "ok" : "not ok", tap_run);
    vprintf(name, args);
    printf("\n");
    fflush(stdout);

    return passed;
}


static void
tap_show(const char *what, const void *data, size_t len)
{
    size_t             i;
    const gs_uchar_t  *p;

    p = data;

    printf("#   %s \"", what);

    for (i = 0; i < len && i < 1024; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '\\' || p[i] == '"') {
            printf("\\x%02x", p[i]);
            continue;
        }

        printf("%c", p[i]);
    }

    printf("\"%s, %zu bytes\n", (i < len) ? " ..." : "", len);
}


static void *
tap_mem_alloc(void *ctx, size_t size)
{
    void  *p;

    tap_mem_count++;

    if (tap_mem_count == tap_mem_nth) {
        return NULL;
    }

    p = malloc(size);

    if (p != NULL) {
        tap_mem_blocks++;
    }

    return p;
}


static void
tap_mem_release(void *ctx, void *p)
{
    if (p != NULL) {
        tap_mem_blocks--;
    }

    free(p);
}
