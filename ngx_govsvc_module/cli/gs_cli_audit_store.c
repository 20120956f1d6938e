
/*
 * Copyright (C) govsvc authors
 *
 * The records of an audit store, in the order of their time.
 *
 * Within a chain they are nearly so; between chains a heap chooses.  A chain
 * holds one line ahead, and no more of its file than a buffer.
 */


#include "cli/gs_cli_audit_store.h"
#include "core/gs_time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>


#define GS_CLI_STORE_BUF  (64 * 1024)


static gs_rc_t gs_cli_store_add(gs_cli_store_t *store, const char *folder);
static gs_cli_store_chain_t *gs_cli_store_grow(gs_cli_store_t *store);
static void gs_cli_store_push(gs_cli_store_t *store, size_t chain);
static size_t gs_cli_store_pop(gs_cli_store_t *store);
static int gs_cli_store_before(gs_cli_store_t *store, size_t i, size_t j);
static gs_rc_t gs_cli_store_record(gs_cli_store_t *store,
    gs_cli_store_chain_t *c);
static gs_rc_t gs_cli_store_line(gs_cli_store_t *store,
    gs_cli_store_chain_t *c);
static gs_rc_t gs_cli_store_fill(gs_cli_store_t *store,
    gs_cli_store_chain_t *c);
static gs_rc_t gs_cli_store_segment(gs_cli_store_t *store,
    gs_cli_store_chain_t *c, size_t i);
static void gs_cli_store_skip(gs_cli_store_t *store,
    gs_cli_store_chain_t *c);
static int gs_cli_store_stamp(const gs_str_t *line, char *time);


gs_rc_t
gs_cli_store_open(gs_cli_store_t *store, gs_cli_t *cli, const char *path,
    const char *from, const char *to)
{
    size_t               i;
    gs_seal_file_list_t  segments;

    memset(store, 0, sizeof(gs_cli_store_t));
    memset(&segments, 0, sizeof(gs_seal_file_list_t));

    store->cli = cli;
    store->path = path;
    store->taken = SIZE_MAX;
    (void) snprintf(store->from, sizeof(store->from), "%s", from);
    (void) snprintf(store->to, sizeof(store->to), "%s", to);

    if (gs_cli_audit_list_read(cli, path, &store->folders, &segments)
        != GS_OK)
    {
        return GS_ERROR;
    }

    /* the folder of one chain will do as well */

    if (segments.n != 0) {
        return gs_cli_store_add(store, path);
    }

    for (i = 0; i < store->folders.n; i++) {
        if (gs_cli_store_add(store, store->folders.names[i]) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


void
gs_cli_store_close(gs_cli_store_t *store)
{
    size_t  i;

    for (i = 0; i < store->nchains; i++) {
        if (store->chains[i].fd != -1) {
            (void) close(store->chains[i].fd);
        }
    }
}


static gs_rc_t
gs_cli_store_add(gs_cli_store_t *store, const char *folder)
{
    gs_rc_t                rc;
    gs_cli_store_chain_t  *c;

    c = gs_cli_store_grow(store);

    if (c == NULL) {
        (void) gs_cli_fail(store->cli, GS_CLI_READ, "out of memory");
        return GS_ERROR;
    }

    c->fd = -1;
    c->folder = folder;

    if (gs_cli_audit_list_read(store->cli, folder, NULL, &c->segments)
        != GS_OK)
    {
        store->unreadable = 1;
        return GS_OK;
    }

    if (c->segments.n == 0) {
        return GS_OK;
    }

    gs_cli_store_skip(store, c);
    rc = gs_cli_store_record(store, c);

    if (rc == GS_OK) {
        gs_cli_store_push(store, store->nchains - 1);
    }

    return (rc == GS_ERROR) ? GS_ERROR : GS_OK;
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


/* Segments that end before the time that is asked for need not be read. */

static void
gs_cli_store_skip(gs_cli_store_t *store, gs_cli_store_chain_t *c)
{
    int         fd;
    char        time[GS_CLI_STORE_TIME + 1];
    ssize_t     n;
    gs_str_t    line;
    gs_uchar_t  head[1024];

    c->segment = 0;

    if (store->from[0] == '\0') {
        return;
    }

    while (c->segment + 1 < c->segments.n) {

        fd = open(c->segments.names[c->segment + 1], O_RDONLY|O_CLOEXEC);

        if (fd == -1) {
            return;
        }

        n = read(fd, head, sizeof(head));
        (void) close(fd);

        line = gs_str_make(head, n > 0 ? (size_t) n : 0);

        if (!gs_cli_store_stamp(&line, time) || strcmp(time, store->from) > 0)
        {
            return;
        }

        c->segment++;
    }
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
    size_t                 i, j;
    gs_rc_t                rc;
    gs_seal_file_list_t    folders, segments;
    gs_cli_store_chain_t  *c;

    memset(&folders, 0, sizeof(gs_seal_file_list_t));
    memset(&segments, 0, sizeof(gs_seal_file_list_t));

    for (i = 0; i < store->nchains; i++) {
        c = &store->chains[i];
        c->segments.n = 0;

        if (gs_cli_audit_list_read(store->cli, c->folder, NULL, &c->segments)
            != GS_OK)
        {
            store->unreadable = 1;
            continue;
        }

        rc = gs_cli_store_record(store, c);

        if (rc == GS_ERROR) {
            return GS_ERROR;
        }

        if (rc == GS_OK) {
            gs_cli_store_push(store, i);
        }
    }

    if (gs_cli_audit_list_read(store->cli, store->path, &folders, &segments)
        != GS_OK)
    {
        return GS_ERROR;
    }

    for (i = 0; i < folders.n; i++) {

        for (j = 0; j < store->nchains; j++) {
            if (strcmp(folders.names[i], store->chains[j].folder) == 0) {
                break;
            }
        }

        if (j == store->nchains
            && gs_cli_store_add(store, folders.names[i]) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
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


/* The next line of the chain that is a record of the time asked for. */

static gs_rc_t
gs_cli_store_record(gs_cli_store_t *store, gs_cli_store_chain_t *c)
{
    gs_rc_t          rc;
    gs_audit_line_t  l;

    for ( ;; ) {
        rc = gs_cli_store_line(store, c);

        if (rc != GS_OK) {
            return rc;
        }

        if (gs_audit_scan(&c->line, &l) != GS_OK
            || !gs_cli_store_stamp(&c->line, c->time)
            || gs_str_eq_text(&l.type, "seg.open")
            || gs_str_eq_text(&l.type, "seg.close"))
        {
            continue;
        }

        if ((store->from[0] == '\0' || strcmp(c->time, store->from) >= 0)
            && (store->to[0] == '\0' || strcmp(c->time, store->to) < 0))
        {
            return GS_OK;
        }
    }
}


static gs_rc_t
gs_cli_store_line(gs_cli_store_t *store, gs_cli_store_chain_t *c)
{
    gs_rc_t      rc;
    gs_uchar_t  *lf;

    for ( ;; ) {

        if (c->buf != NULL) {
            lf = memchr(c->buf + c->pos, '\n', c->last - c->pos);

            if (lf != NULL) {
                c->line = gs_str_make(c->buf + c->pos,
                                      (size_t) (lf - c->buf) - c->pos);
                c->pos = (size_t) (lf - c->buf) + 1;
                return GS_OK;
            }
        }

        rc = gs_cli_store_fill(store, c);

        if (rc != GS_OK) {
            return rc;
        }
    }
}


/* More bytes of this segment or of the next; half a line waits. */

static gs_rc_t
gs_cli_store_fill(gs_cli_store_t *store, gs_cli_store_chain_t *c)
{
    size_t   want;
    ssize_t  n;

    if (c->fd == -1 || c->buf == NULL) {

        if (c->buf != NULL || c->segments.n == 0) {
            return GS_DONE;
        }

        return gs_cli_store_segment(store, c, c->segment);
    }

    memmove(c->buf, c->buf + c->pos, c->last - c->pos);
    c->last -= c->pos;
    c->pos = 0;

    /* no line is so long */

    if (c->last == GS_CLI_STORE_BUF) {
        c->last = 0;
    }

    want = GS_CLI_STORE_BUF - c->last;

    if (want > c->left) {
        want = (size_t) c->left;
    }

    n = (want == 0) ? 0 : read(c->fd, c->buf + c->last, want);

    if (n == -1) {

        if (errno == EINTR) {
            return GS_OK;
        }

        (void) gs_cli_fail(store->cli, GS_CLI_READ, "cannot read \"%s\": %s",
                           c->segments.names[c->segment], strerror(errno));
        store->unreadable = 1;
        n = 0;
    }

    if (n != 0) {
        c->last += (size_t) n;
        c->left -= (uint64_t) n;
        return GS_OK;
    }

    if (c->segment + 1 >= c->segments.n) {
        return GS_DONE;
    }

    return gs_cli_store_segment(store, c, c->segment + 1);
}


static gs_rc_t
gs_cli_store_segment(gs_cli_store_t *store, gs_cli_store_chain_t *c, size_t i)
{
    if (c->buf == NULL) {
        c->buf = gs_alloc(store->cli->mem, GS_CLI_STORE_BUF);

        if (c->buf == NULL) {
            (void) gs_cli_fail(store->cli, GS_CLI_READ, "out of memory");
            return GS_ERROR;
        }
    }

    if (c->fd != -1) {
        (void) close(c->fd);
    }

    c->pos = 0;
    c->last = 0;
    c->segment = i;
    c->left = (i + 1 < c->segments.n)
                  ? gs_cli_audit_counted(&c->segments, i + 1, c->buf)
                  : UINT64_MAX;
    c->fd = open(c->segments.names[i], O_RDONLY|O_CLOEXEC);

    if (c->fd != -1) {
        return GS_OK;
    }

    (void) gs_cli_fail(store->cli, GS_CLI_READ, "cannot open \"%s\": %s",
                       c->segments.names[i], strerror(errno));
    store->unreadable = 1;

    return (i + 1 < c->segments.n) ? gs_cli_store_segment(store, c, i + 1)
                                   : GS_DONE;
}


/*
 * The time of a line.  A quote in a text is escaped, so that the key cannot
 * be written by a caller.
 */

static int
gs_cli_store_stamp(const gs_str_t *line, char *time)
{
    const gs_uchar_t  *p;

    p = memmem(line->data, line->len, ",\"t\":\"", 6);

    if (p == NULL
        || (size_t) (line->data + line->len - p) < 6 + GS_CLI_STORE_TIME)
    {
        return 0;
    }

    memcpy(time, p + 6, GS_CLI_STORE_TIME);
    time[GS_CLI_STORE_TIME] = '\0';

    return 1;
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
