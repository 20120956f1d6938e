
/*
 * Copyright (C) govsvc authors
 *
 * The records of an audit store, in the order of their time.
 *
 * Within a chain they are nearly so; between chains a heap chooses.
 */


#include "cli/gs_cli_audit_store_priv.h"
#include "cli/gs_cli_seal.h"
#include "core/gs_time.h"

#include <unistd.h>


static gs_rc_t gs_cli_store_path(gs_cli_store_t *store, char *path);
static gs_rc_t gs_cli_store_add(gs_cli_store_t *store, const char *folder);
static gs_cli_store_chain_t *gs_cli_store_grow(gs_cli_store_t *store);
static gs_rc_t gs_cli_store_look(gs_cli_store_t *store, gs_mem_t *mem);
static gs_rc_t gs_cli_store_grown(gs_cli_store_t *store,
    gs_cli_store_chain_t *c, gs_mem_t *mem);
static int gs_cli_store_known(const gs_cli_store_chain_t *c,
    const char *name);
static gs_rc_t gs_cli_store_more(gs_cli_store_t *store, size_t i);
static void gs_cli_store_push(gs_cli_store_t *store, size_t chain);
static size_t gs_cli_store_pop(gs_cli_store_t *store);
static int gs_cli_store_before(gs_cli_store_t *store, size_t i, size_t j);


gs_rc_t
gs_cli_store_open(gs_cli_store_t *store, gs_cli_t *cli, char **paths, int n,
    const char *from, const char *to)
{
    int  i;

    memset(store, 0, sizeof(gs_cli_store_t));

    store->cli = cli;
    store->paths = paths;
    store->npaths = n;
    store->taken = SIZE_MAX;
    (void) snprintf(store->from, sizeof(store->from), "%s", from);
    (void) snprintf(store->to, sizeof(store->to), "%s", to);

    for (i = 0; i < n; i++) {
        if (gs_cli_store_path(store, paths[i]) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_cli_store_path(gs_cli_store_t *store, char *path)
{
    size_t               i;
    gs_seal_file_list_t  folders, segments;

    memset(&folders, 0, sizeof(gs_seal_file_list_t));
    memset(&segments, 0, sizeof(gs_seal_file_list_t));

    if (gs_cli_audit_list_read(store->cli, path, &folders, &segments)
        != GS_OK)
    {
        return GS_ERROR;
    }

    /* the folder of one chain will do as well */

    if (segments.n != 0) {
        return gs_cli_store_add(store, path);
    }

    for (i = 0; i < folders.n; i++) {
        if (gs_cli_store_add(store, folders.names[i]) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_cli_store_add(gs_cli_store_t *store, const char *folder)
{
    gs_cli_store_chain_t  *c;

    c = gs_cli_store_grow(store);

    if (c == NULL) {
        return gs_cli_store_memory(store);
    }

    c->folder = folder;

    if (gs_cli_audit_list_read(store->cli, folder, NULL, &c->segments)
        != GS_OK)
    {
        store->unreadable = 1;
        return GS_OK;
    }

    if (gs_cli_store_skip(store, c) != GS_OK) {
        return GS_ERROR;
    }

    return gs_cli_store_more(store, store->nchains - 1);
}


static gs_cli_store_chain_t *
gs_cli_store_grow(gs_cli_store_t *store)
{
    size_t                 n, *heap;
    gs_cli_store_chain_t  *chains;

    n = store->nchains;

    /* a power of two: there is room for twice as many */

    if ((n & (n - 1)) == 0) {
        chains = gs_calloc(store->cli->mem, 2 * n + 1,
                           sizeof(gs_cli_store_chain_t));
        heap = gs_calloc(store->cli->mem, 2 * n + 1, sizeof(size_t));

        if (chains == NULL || heap == NULL) {
            return NULL;
        }

        if (n != 0) {
            memcpy(chains, store->chains, n * sizeof(gs_cli_store_chain_t));
            memcpy(heap, store->heap, store->nheap * sizeof(size_t));
        }

        store->chains = chains;
        store->heap = heap;
    }

    store->nchains++;

    return &store->chains[n];
}


gs_rc_t
gs_cli_store_next(gs_cli_store_t *store, gs_str_t *line)
{
    gs_rc_t  rc;

    if (store->taken != SIZE_MAX) {
        rc = gs_cli_store_record(store, &store->chains[store->taken]);

        if (rc == GS_ERROR) {
            return GS_ERROR;
        }

        if (rc == GS_OK) {
            gs_cli_store_push(store, store->taken);
        }

        store->taken = SIZE_MAX;
    }

    if (store->nheap == 0) {
        return GS_DONE;
    }

    store->taken = gs_cli_store_pop(store);
    *line = store->chains[store->taken].line;

    return GS_OK;
}


gs_rc_t
gs_cli_store_again(gs_cli_store_t *store)
{
    gs_rc_t      rc;
    gs_arena_t  *arena;

    /* lists that are read five times a second are not kept */

    arena = gs_arena_create(&gs_mem_libc);

    if (arena == NULL) {
        return gs_cli_store_memory(store);
    }

    rc = gs_cli_store_look(store, gs_arena_mem(arena));

    gs_arena_destroy(arena);

    return rc;
}


static gs_rc_t
gs_cli_store_look(gs_cli_store_t *store, gs_mem_t *mem)
{
    int                  k;
    size_t               i, j, n;
    gs_str_t             name;
    gs_seal_log_t        log;
    gs_seal_file_list_t  folders, segments;

    gs_cli_seal_log(store->cli, &log);

    n = store->nchains;

    for (i = 0; i < n; i++) {
        if (gs_cli_store_grown(store, &store->chains[i], mem) != GS_OK
            || gs_cli_store_more(store, i) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    for (k = 0; k < store->npaths; k++) {

        memset(&folders, 0, sizeof(gs_seal_file_list_t));
        memset(&segments, 0, sizeof(gs_seal_file_list_t));

        if (gs_seal_list_read(mem, &log, store->paths[k], &folders, &segments)
            != GS_OK)
        {
            return GS_ERROR;
        }

        for (i = 0; i < folders.n; i++) {

            for (j = 0; j < n; j++) {
                if (strcmp(folders.names[i], store->chains[j].folder) == 0) {
                    break;
                }
            }

            if (j != n) {
                continue;
            }

            name = gs_str_text(folders.names[i]);
            name = gs_str_dup(store->cli->mem, &name);

            if (name.data == NULL) {
                return gs_cli_store_memory(store);
            }

            if (gs_cli_store_add(store, (const char *) name.data) != GS_OK) {
                return GS_ERROR;
            }
        }
    }

    return GS_OK;
}


/* Segments that were begun since; those that were removed keep their place. */

static gs_rc_t
gs_cli_store_grown(gs_cli_store_t *store, gs_cli_store_chain_t *c,
    gs_mem_t *mem)
{
    size_t               i, from;
    gs_seal_log_t        log;
    gs_seal_file_list_t  now;

    gs_cli_seal_log(store->cli, &log);
    memset(&now, 0, sizeof(gs_seal_file_list_t));

    if (access(c->folder, F_OK) != 0) {
        return GS_OK;
    }

    if (gs_seal_list_read(mem, &log, c->folder, NULL, &now) != GS_OK) {
        store->unreadable = 1;
        return GS_OK;
    }

    for (from = now.n; from != 0; from--) {
        if (gs_cli_store_known(c, now.names[from - 1])) {
            break;
        }
    }

    for (i = from; i < now.n; i++) {
        if (gs_seal_list_push(store->cli->mem, &c->segments, NULL,
                              now.names[i])
            != GS_OK)
        {
            return gs_cli_store_memory(store);
        }
    }

    return GS_OK;
}


static int
gs_cli_store_known(const gs_cli_store_chain_t *c, const char *name)
{
    size_t  i;

    for (i = c->segments.n; i != 0; i--) {
        if (strcmp(c->segments.names[i - 1], name) == 0) {
            return 1;
        }
    }

    return 0;
}


/* The chain takes its place again if it has another record. */

static gs_rc_t
gs_cli_store_more(gs_cli_store_t *store, size_t i)
{
    gs_rc_t  rc;

    rc = gs_cli_store_record(store, &store->chains[i]);

    if (rc == GS_OK) {
        gs_cli_store_push(store, i);
    }

    return (rc == GS_ERROR) ? GS_ERROR : GS_OK;
}


static int
gs_cli_store_before(gs_cli_store_t *store, size_t i, size_t j)
{
    return strcmp(store->chains[store->heap[i]].time,
                  store->chains[store->heap[j]].time) < 0;
}


static void
gs_cli_store_push(gs_cli_store_t *store, size_t chain)
{
    size_t  i, up, swap;

    i = store->nheap++;
    store->heap[i] = chain;

    while (i != 0) {
        up = (i - 1) / 2;

        if (!gs_cli_store_before(store, i, up)) {
            break;
        }

        swap = store->heap[i];
        store->heap[i] = store->heap[up];
        store->heap[up] = swap;
        i = up;
    }
}


static size_t
gs_cli_store_pop(gs_cli_store_t *store)
{
    size_t  i, down, first, swap;

    first = store->heap[0];
    store->heap[0] = store->heap[--store->nheap];

    for (i = 0; 2 * i + 1 < store->nheap; i = down) {
        down = 2 * i + 1;

        if (down + 1 < store->nheap
            && gs_cli_store_before(store, down + 1, down))
        {
            down++;
        }

        if (!gs_cli_store_before(store, down, i)) {
            break;
        }

        swap = store->heap[i];
        store->heap[i] = store->heap[down];
        store->heap[down] = swap;
    }

    return first;
}


gs_rc_t
gs_cli_store_memory(gs_cli_store_t *store)
{
    (void) gs_cli_fail(store->cli, GS_CLI_READ, "out of memory");

    return GS_ERROR;
}


gs_rc_t
gs_cli_store_time(char *dst, const char *text, uint64_t now)
{
    char      full[40];
    size_t    len;
    gs_buf_t  b;
    gs_str_t  s;
    uint64_t  us, ms;

    s = gs_str_text(text);
    len = s.len;

    if (len != 0 && len < 12 && !memchr(text, '-', len)
        && !gs_is_digit(text[len - 1]))
    {
        if (gs_parse_msec(&s, &ms) != GS_OK || ms > now / 1000) {
            return GS_ERROR;
        }

        us = now - ms * 1000;

    } else {

        /* what is left out is zero, and the zone Beijing's */

        if (len > 32) {
            return GS_ERROR;
        }

        (void) snprintf(full, sizeof(full), "%s%s", text,
                        len == 10 ? "T00:00:00+08:00"
                        : len == 16 ? ":00+08:00" : len == 19 ? "+08:00" : "");
        s = gs_str_text(full);

        if (gs_time_parse(&s, &us) != GS_OK) {
            return GS_ERROR;
        }
    }

    gs_buf_init(&b, full, sizeof(full));
    gs_time_iso(&b, us);
    memcpy(dst, full, GS_CLI_STORE_TIME);
    dst[GS_CLI_STORE_TIME] = '\0';

    return GS_OK;
}
