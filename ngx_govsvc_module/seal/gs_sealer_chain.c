
/*
 * Copyright (C) govsvc authors
 *
 * The sealer: follows the chains of a store, verifying each line.
 *
 * What was read may not be on disk yet: nothing is sealed before the segment,
 * its folder and the store were synced.
 */


#include "seal/gs_sealer_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>


static gs_rc_t gs_sealer_one(gs_sealer_t *s, gs_sealer_chain_t *c,
    gs_mem_t *mem, const char *folder);
static gs_rc_t gs_sealer_start(gs_sealer_chain_t *c,
    gs_seal_file_list_t *segments, size_t *i);
static gs_rc_t gs_sealer_same(gs_sealer_chain_t *c);
static gs_rc_t gs_sealer_rewind(gs_sealer_chain_t *c, const char *path,
    uint64_t until);
static gs_rc_t gs_sealer_segment(gs_sealer_chain_t *c, const char *path);
static gs_rc_t gs_sealer_end(gs_sealer_chain_t *c, uint64_t until);
static int gs_sealer_head(gs_sealer_chain_t *c, const char *path,
    const char *before, uint64_t *until);
static gs_rc_t gs_sealer_feed(gs_sealer_chain_t *c, uint64_t until);
static gs_rc_t gs_sealer_sync(gs_sealer_chain_t *c);
static gs_rc_t gs_sealer_bad(gs_sealer_chain_t *c);
static gs_rc_t gs_sealer_missing(gs_sealer_chain_t *c, const char *what);
static gs_rc_t gs_sealer_memory(gs_sealer_t *s);
static void gs_sealer_line(void *data, const gs_audit_line_t *line);


gs_sealer_chain_t *
gs_sealer_chain(gs_sealer_t *s, const char *name, size_t len)
{
    int                 rc;
    char                text[GS_AUDIT_NAME_MAX];
    size_t              low, high, i, size;
    gs_sealer_chain_t  *c, **chains;

    if (len >= sizeof(text)) {
        return NULL;
    }

    memcpy(text, name, len);
    text[len] = '\0';

    low = 0;
    high = s->nchains;

    while (low < high) {
        i = (low + high) / 2;
        rc = strverscmp(s->chains[i]->name, text);

        if (rc == 0) {
            return s->chains[i];
        }

        if (rc < 0) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    if (s->nchains == s->size) {
        size = (s->size == 0) ? 64 : s->size * 2;
        chains = gs_calloc(&gs_mem_libc, size, sizeof(gs_sealer_chain_t *));

        if (chains == NULL) {
            return NULL;
        }

        if (s->nchains != 0) {
            memcpy(chains, s->chains,
                   s->nchains * sizeof(gs_sealer_chain_t *));
        }

        gs_free(&gs_mem_libc, s->chains);
        s->chains = chains;
        s->size = size;
    }

    c = gs_calloc(&gs_mem_libc, 1, sizeof(gs_sealer_chain_t));

    if (c == NULL) {
        return NULL;
    }

    c->sealer = s;
    c->fd = -1;
    memcpy(c->name, text, len + 1);

    memmove(s->chains + low + 1, s->chains + low,
            (s->nchains - low) * sizeof(gs_sealer_chain_t *));
    s->chains[low] = c;
    s->nchains++;

    return c;
}


void
gs_sealer_leave(gs_sealer_chain_t *c)
{
    if (c->fd != -1) {
        (void) close(c->fd);
        c->fd = -1;
    }

    if (c->v != NULL) {
        gs_audit_verify_free(c->v);
        gs_free(&gs_mem_libc, c->v);
        c->v = NULL;
    }

    gs_free(&gs_mem_libc, c->hashes);
    c->hashes = NULL;
    c->n = 0;
    c->size = 0;
}


gs_rc_t
gs_sealer_follow(gs_sealer_t *s)
{
    size_t               i;
    gs_rc_t              rc;
    gs_mem_t            *mem;
    const char          *name;
    gs_arena_t          *arena;
    gs_sealer_chain_t   *c;
    gs_seal_file_list_t  folders, none;

    arena = gs_arena_create(&gs_mem_libc);

    if (arena == NULL) {
        return gs_sealer_memory(s);
    }

    mem = gs_arena_mem(arena);
    s->turn++;
    s->more = 0;

    memset(&folders, 0, sizeof(gs_seal_file_list_t));
    memset(&none, 0, sizeof(gs_seal_file_list_t));

    rc = gs_seal_list_read(mem, s->log, s->conf->store, &folders, &none);

    for (i = 0; rc == GS_OK && i < folders.n; i++) {
        name = gs_seal_base(folders.names[i]);
        c = gs_sealer_chain(s, name, strlen(name));

        if (c == NULL) {
            rc = gs_sealer_memory(s);
            break;
        }

        c->turn = s->turn;

        if (!c->closed) {
            rc = gs_sealer_one(s, c, mem, folders.names[i]);
        }
    }

    for (i = 0; rc == GS_OK && i < s->nchains; i++) {
        c = s->chains[i];

        if (c->turn != s->turn && !c->closed && c->sealed) {
            rc = gs_sealer_missing(c, "the chain");
        }
    }

    gs_arena_destroy(arena);

    return rc;
}


static gs_rc_t
gs_sealer_one(gs_sealer_t *s, gs_sealer_chain_t *c, gs_mem_t *mem,
    const char *folder)
{
    int                  next;
    char                 stem[GS_AUDIT_NAME_MAX];
    size_t               i;
    gs_rc_t              rc;
    uint64_t             until;
    gs_seal_file_list_t  segments;

    memset(&segments, 0, sizeof(gs_seal_file_list_t));

    rc = gs_seal_list_read(mem, s->log, folder, NULL, &segments);

    if (rc != GS_OK) {
        return rc;
    }

    if (segments.n == 0) {
        return c->sealed ? gs_sealer_missing(c, "all segments")
                         : GS_OK;
    }

    i = 0;

    if (c->v == NULL) {
        rc = gs_sealer_start(c, &segments, &i);

        if (rc != GS_OK) {
            return rc;
        }

    } else {
        for (i = 0; i < segments.n; i++) {
            gs_seal_stem(segments.names[i], stem);

            if (strcmp(stem, c->segment) == 0) {
                break;
            }
        }
    }

    for ( ;; ) {

        if (i >= segments.n) {
            return gs_sealer_missing(c, c->segment);
        }

        until = UINT64_MAX;
        next = (i + 1 < segments.n
                && gs_sealer_head(c, segments.names[i + 1],
                                  segments.names[i], &until));

        if (next && until < c->v->bytes) {
            rc = gs_sealer_rewind(c, segments.names[i], until);

            if (rc != GS_OK) {
                return rc;
            }
        }

        rc = gs_sealer_feed(c, until);

        if (rc != GS_OK) {
            return rc;
        }

        if (c->n >= GS_SEALER_LEAVES) {
            s->more = 1;
            break;
        }

        if (!next) {
            break;
        }

        rc = gs_sealer_end(c, until);

        if (rc == GS_OK) {
            rc = gs_sealer_segment(c, segments.names[++i]);
        }

        if (rc != GS_OK) {
            return rc;
        }
    }

    return gs_sealer_sync(c);
}


/* Where sealing stopped: the segment is verified again up to there. */

static gs_rc_t
gs_sealer_start(gs_sealer_chain_t *c, gs_seal_file_list_t *segments,
    size_t *i)
{
    char     want[GS_AUDIT_NAME_MAX], stem[GS_AUDIT_NAME_MAX];
    gs_rc_t  rc;

    c->v = gs_alloc(&gs_mem_libc, sizeof(gs_audit_verify_t));

    if (c->v == NULL) {
        return gs_sealer_memory(c->sealer);
    }

    gs_audit_verify_init(c->v);
    gs_audit_verify_chain(c->v, c->name, c->sealed);
    c->v->handler = gs_sealer_line;
    c->v->data = c;

    *i = 0;

    if (c->sealed) {
        memcpy(want, c->segment, sizeof(want));

        for ( /* void */ ; *i < segments->n; (*i)++) {
            gs_seal_stem(segments->names[*i], stem);

            if (strcmp(stem, want) == 0) {
                break;
            }
        }

        if (*i == segments->n) {
            return gs_sealer_missing(c, want);
        }
    }

    rc = gs_sealer_segment(c, segments->names[*i]);

    if (rc == GS_OK && c->sealed) {
        c->collect = 0;
        rc = gs_sealer_feed(c, c->bytes);

        if (rc == GS_OK) {
            rc = gs_sealer_same(c);
        }
    }

    c->collect = 1;

    return rc;
}


/* The hash of the last sealed line stands for all lines before it. */

static gs_rc_t
gs_sealer_same(gs_sealer_chain_t *c)
{
    gs_rc_t       rc;
    gs_uchar_t    want[GS_AUDIT_HASH], leaf[GS_AUDIT_HASH];
    gs_sealer_t  *s;

    s = c->sealer;
    rc = gs_seal_node(&s->tiles, 0, c->leaf, want);

    if (rc == GS_ERROR
        || gs_audit_tree_leaf(&s->tree.hasher, c->v->h, leaf) != GS_OK)
    {
        return gs_seal_fail(s->log, GS_ERROR, "cannot compare chain %s with "
                            "its seal", c->name);
    }

    if (rc != GS_OK || c->v->bytes != c->bytes || c->v->next_seq != c->seq
        || memcmp(want, leaf, GS_AUDIT_HASH) != 0)
    {
        return gs_seal_fail(s->log, GS_DECLINED, "chain %s, segment %s: edit: "
                            "its lines are not those that were sealed; "
                            "nothing is signed any more", c->name, c->segment);
    }

    return GS_OK;
}


/* A sync of the writer failed: what it wrote behind is said again. */

static gs_rc_t
gs_sealer_rewind(gs_sealer_chain_t *c, const char *path,
    uint64_t until)
{
    gs_rc_t  rc;

    gs_audit_verify_chain(c->v, c->name, 1);

    rc = gs_sealer_segment(c, path);

    if (rc == GS_OK) {
        c->collect = 0;
        rc = gs_sealer_feed(c, until);
        c->collect = 1;
    }

    if (c->n != 0 && c->v->next_seq >= c->first
        && c->v->next_seq - c->first < c->n)
    {
        c->n = (size_t) (c->v->next_seq - c->first);

    } else if (c->v->next_seq < c->first) {
        c->n = 0;
    }

    return rc;
}


static gs_rc_t
gs_sealer_segment(gs_sealer_chain_t *c, const char *path)
{
    int   rc;
    char  folder[GS_SEAL_PATH];

    if (c->fd != -1) {
        (void) close(c->fd);
    }

    c->at = 0;
    gs_seal_stem(path, c->segment);
    gs_audit_verify_segment(c->v, c->segment);

    c->fd = open(path, O_RDONLY|O_CLOEXEC);
    rc = -1;

    if (c->fd != -1 && strlen(path) < sizeof(folder)) {
        memcpy(folder, path, strlen(path) + 1);
        *strrchr(folder, '/') = '\0';
        rc = gs_seal_sync(folder);

        if (rc == 0 && !c->sealed) {
            rc = gs_seal_sync(c->sealer->conf->store);
        }
    }

    if (rc == -1) {
        return gs_seal_fail(c->sealer->log, GS_ERROR,
                            "cannot open \"%s\": %s", path, strerror(errno));
    }

    return gs_sealer_stopped(c->sealer) ? GS_DONE : GS_OK;
}


/* The end of a segment that another one follows. */

static gs_rc_t
gs_sealer_end(gs_sealer_chain_t *c, uint64_t until)
{
    gs_rc_t  rc;

    rc = gs_sealer_sync(c);

    if (rc != GS_OK) {
        return rc;
    }

    /* a torn end that the next segment declares */

    if (c->v->bytes == until) {
        c->v->part_len = 0;
    }

    gs_audit_verify_end(c->v, 0);

    return (c->v->fault.kind != GS_AUDIT_GOOD) ? gs_sealer_bad(c)
                                               : GS_OK;
}


/* 1 if the first line of the segment is whole. */

static int
gs_sealer_head(gs_sealer_chain_t *c, const char *path,
    const char *before, uint64_t *until)
{
    int      fd;
    char     stem[GS_AUDIT_NAME_MAX];
    ssize_t  n;

    fd = open(path, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return 0;
    }

    n = read(fd, c->sealer->chunk, GS_AUDIT_LINE_MAX);

    (void) close(fd);

    if (n <= 0 || memchr(c->sealer->chunk, '\n', (size_t) n) == NULL) {
        return (n == GS_AUDIT_LINE_MAX);
    }

    gs_seal_stem(before, stem);
    (void) gs_audit_verify_counted(c->sealer->chunk, (size_t) n, stem, until);

    return 1;
}


static gs_rc_t
gs_sealer_feed(gs_sealer_chain_t *c, uint64_t until)
{
    size_t        want;
    gs_rc_t       rc;
    ssize_t       n;
    gs_sealer_t  *s;

    s = c->sealer;

    while (c->at < until) {

        if (gs_sealer_stopped(s)) {
            return GS_DONE;
        }

        want = (until - c->at < GS_SEALER_CHUNK)
               ? (size_t) (until - c->at) : GS_SEALER_CHUNK;
        n = read(c->fd, s->chunk, want);

        if (n == 0) {
            break;
        }

        if (n == -1) {

            if (errno == EINTR) {
                continue;
            }

            return gs_seal_fail(s->log, GS_ERROR, "cannot read segment %s "
                                "of chain %s: %s", c->segment, c->name,
                                strerror(errno));
        }

        c->at += (uint64_t) n;
        rc = gs_audit_verify_feed(c->v, s->chunk, (size_t) n);

        if (c->failed || rc == GS_ERROR) {
            return gs_sealer_memory(s);
        }

        if (rc != GS_OK || c->v->fault.kind != GS_AUDIT_GOOD) {
            return gs_sealer_bad(c);
        }

        if (c->n >= GS_SEALER_LEAVES) {
            break;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_sealer_sync(gs_sealer_chain_t *c)
{
    if (c->dirty && fdatasync(c->fd) == -1) {
        return gs_seal_fail(c->sealer->log, GS_ERROR, "cannot sync segment "
                            "%s of chain %s: %s", c->segment, c->name,
                            strerror(errno));
    }

    c->dirty = 0;

    return gs_sealer_stopped(c->sealer) ? GS_DONE : GS_OK;
}


static void
gs_sealer_line(void *data, const gs_audit_line_t *line)
{
    gs_sealer_chain_t *c = data;

    size_t       size;
    gs_uchar_t  *hashes;

    if (!c->collect || c->failed) {
        return;
    }

    if (c->n == c->size) {
        size = (c->size == 0) ? 256 : c->size * 2;
        hashes = gs_calloc(&gs_mem_libc, size, GS_AUDIT_HASH);

        if (hashes == NULL) {
            c->failed = 1;
            return;
        }

        if (c->n != 0) {
            memcpy(hashes, c->hashes, c->n * GS_AUDIT_HASH);
        }

        gs_free(&gs_mem_libc, c->hashes);
        c->hashes = hashes;
        c->size = size;
    }

    if (c->n == 0) {
        c->first = line->seq;
    }

    memcpy(c->hashes + c->n * GS_AUDIT_HASH, line->h, GS_AUDIT_HASH);
    c->n++;
    c->dirty = 1;
}


static gs_rc_t
gs_sealer_bad(gs_sealer_chain_t *c)
{
    const gs_audit_fault_t  *f;

    f = &c->v->fault;

    return gs_seal_fail(c->sealer->log, GS_DECLINED, c->sealer->log->zh
                       ? "链 %s 段 %s 第 %llu 行：%s：%s；不再签署"
                       : "chain %s, segment %s, line %llu: %s: %s; nothing is "
                        "signed any more",
                        c->name, f->file, (unsigned long long) f->line,
                        gs_audit_kind_name(f->kind),
                        c->sealer->log->zh ? f->zh : f->en);
}


static gs_rc_t
gs_sealer_missing(gs_sealer_chain_t *c, const char *what)
{
    return gs_seal_fail(c->sealer->log, GS_DECLINED, c->sealer->log->zh
                       ? "链 %s：delete：%s 已封存，但已不在；不再签署"
                       : "chain %s: delete: %s was sealed and is gone; "
                        "nothing is signed any more", c->name, what);
}


static gs_rc_t
gs_sealer_memory(gs_sealer_t *s)
{
    return gs_seal_fail(s->log, GS_ERROR, "out of memory");
}
