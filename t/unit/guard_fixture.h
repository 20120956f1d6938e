
/*
 * Copyright (C) govsvc authors
 *
 * The rules as shipped or of a text, and the corpora of t/rules/gen.pl, for
 * unit tests of the guard.
 */


#ifndef _GUARD_FIXTURE_H_INCLUDED_
#define _GUARD_FIXTURE_H_INCLUDED_


#include "guard/gs_guard.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>


#define FIXTURE_FILE  (1024 * 1024)


static const char  fixture_rules[] = "lua-free-rules/*.rules";


static inline int
fixture_long(void)
{
    const char  *text;

    text = getenv("GOVSVC_LONG");

    return text != NULL && text[0] == '1';
}


/* All that a file or a command gives; freed by the caller. */

static inline char *
fixture_read(FILE *f, size_t *len)
{
    char    *data, *more;
    size_t   size;

    size = FIXTURE_FILE;
    data = malloc(size);
    *len = 0;

    while (f != NULL && data != NULL) {

        *len += fread(data + *len, 1, size - *len, f);

        if (*len < size) {
            return data;
        }

        size *= 2;
        more = realloc(data, size);

        if (more == NULL) {
            free(data);
        }

        data = more;
    }

    fputs("# cannot read\n", stderr);
    exit(1);
}


static inline gs_guard_t *
fixture_guard(gs_mem_t *mem)
{
    FILE              *f;
    char              *data;
    size_t             i, len;
    glob_t             found;
    gs_err_t           err;
    gs_str_t           file, text;
    gs_guard_t        *guard;
    gs_guard_build_t  *build;

    build = gs_guard_build_create(mem, NULL, NULL, NULL);

    if (build == NULL || glob(fixture_rules, 0, NULL, &found) != 0) {
        fputs("# no rules\n", stderr);
        exit(1);
    }

    for (i = 0; i < found.gl_pathc; i++) {
        f = fopen(found.gl_pathv[i], "rb");
        data = fixture_read(f, &len);
        (void) fclose(f);

        file = gs_str_text(found.gl_pathv[i]);
        text = gs_str_make(data, len);

        if (gs_guard_parse(build, &file, &text, &err) != GS_OK) {
            fprintf(stderr, "# rules: %s\n", found.gl_pathv[i]);
            exit(1);
        }

        free(data);
    }

    globfree(&found);

    if (gs_guard_compile(&guard, build, &err) != GS_OK) {
        fputs("# rules do not compile\n", stderr);
        exit(1);
    }

    return guard;
}


/* Rules of a text; NULL: they are told and there is no guard. */

static inline gs_guard_t *
fixture_rules_of(gs_arena_t *arena, const char *rules)
{
    gs_err_t           err;
    gs_str_t           file, text;
    gs_guard_t        *guard;
    gs_guard_build_t  *build;

    memset(&err, 0, sizeof(err));
    file = gs_str_text("t.rules");
    text = gs_str_text(rules);

    build = gs_guard_build_create(gs_arena_mem(arena), NULL, NULL, NULL);

    if (gs_guard_parse(build, &file, &text, &err) != GS_OK
        || gs_guard_compile(&guard, build, &err) != GS_OK)
    {
        printf("# %s\n", err.text);
        gs_guard_build_destroy(build);
        return NULL;
    }

    return guard;
}


typedef void (*fixture_request_pt)(void *data, const gs_str_t *request);


/* Calls with each request of a corpus, "attack" or "benign"; their number. */

static inline unsigned
fixture_corpus(const char *source, fixture_request_pt each, void *data)
{
    char        command[64], *text, *p, *next, *end;
    FILE       *f;
    size_t      len;
    gs_str_t    request;
    unsigned    n;

    (void) snprintf(command, sizeof(command), "perl t/rules/%s", source);

    f = popen(command, "r");
    text = fixture_read(f, &len);
    (void) pclose(f);

    end = text + len;
    n = 0;

    for (p = text; p != NULL && p < end; p = next) {

        p = memchr(p, '\n', (size_t) (end - p));

        if (p == NULL) {
            break;
        }

        p++;
        next = memmem(p, (size_t) (end - p), "\n=== ", 5);

        request = gs_str_make(p, (size_t) ((next ? next : end - 1) - p));
        each(data, &request);
        n++;

        next = next ? next + 1 : NULL;
    }

    free(text);

    return n;
}


#endif /* _GUARD_FIXTURE_H_INCLUDED_ */
