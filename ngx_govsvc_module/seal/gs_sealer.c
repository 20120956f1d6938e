
/*
 * Copyright (C) govsvc authors
 *
 * The sealer: a turn, from what was verified to what is signed.
 */


#include "seal/gs_sealer_priv.h"
#include "core/gs_fault.h"
#include "core/gs_time.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


static gs_rc_t gs_sealer_locked(gs_sealer_t *s);
static gs_rc_t gs_sealer_commit(gs_sealer_t *s);
static gs_rc_t gs_sealer_grow(gs_sealer_t *s, gs_sealer_chain_t *c);
static gs_rc_t gs_sealer_keep(void *data, unsigned level, uint64_t index,
    const gs_uchar_t *hash);
static gs_rc_t gs_sealer_partial(gs_sealer_t *s, uint64_t old);
static void gs_sealer_drop(gs_sealer_t *s, uint64_t old);
static gs_rc_t gs_sealer_sign(gs_sealer_t *s);
static void gs_sealer_quiet(void *data, const char *text);


gs_rc_t
gs_sealer_open(gs_sealer_t **sealer, const gs_sealer_conf_t *conf)
{
    gs_rc_t       rc;
    gs_str_t      origin;
    gs_sealer_t  *s;

    *sealer = NULL;
    s = gs_calloc(&gs_mem_libc, 1, sizeof(gs_sealer_t));

    if (s == NULL) {
        return gs_seal_fail(conf->log, GS_ERROR, "out of memory");
    }

    s->conf = conf;
    s->log = conf->log;
    s->keys = conf->keys;
    s->lock = -1;
    s->index = -1;

    origin = gs_str_text(s->keys->keys[0].name);
    rc = gs_audit_tree_init(&s->tree, gs_audit_seal_alg(&origin));

    if (rc != GS_OK) {
        gs_free(&gs_mem_libc, s);
        return gs_seal_fail(conf->log, GS_ERROR, "out of memory");
    }

    rc = gs_sealer_resume(s);

    if (rc != GS_OK) {
        gs_sealer_close(s);
        return rc;
    }

    *sealer = s;

    return GS_OK;
}


void
gs_sealer_close(gs_sealer_t *s)
{
    size_t  i;

    if (s == NULL) {
        return;
    }

    for (i = 0; i < s->nchains; i++) {
        gs_sealer_leave(s->chains[i]);
        gs_free(&gs_mem_libc, s->chains[i]);
    }

    if (s->index != -1) {
        (void) close(s->index);
    }

    /* last: from now on another one may work here */

    if (s->lock != -1) {
        (void) close(s->lock);
    }

    gs_audit_tree_free(&s->tree);
    gs_free(&gs_mem_libc, s->chains);
    gs_free(&gs_mem_libc, s);
}


uint64_t
gs_sealer_size(const gs_sealer_t *s)
{
    return s->tree.size;
}


int
gs_sealer_stopped(const gs_sealer_t *s)
{
    return s->conf->stop != NULL && s->conf->stop(s->conf->data);
}


gs_rc_t
gs_sealer_put(gs_sealer_t *s, const char *name, const gs_str_t *text)
{
    gs_rc_t  rc;

    if (gs_sealer_stopped(s)) {
        return GS_DONE;
    }

    rc = gs_seal_put(s->log, s->conf->seal, name, text);

    return gs_sealer_stopped(s) ? GS_DONE : rc;
}


gs_rc_t
gs_sealer_turn(gs_sealer_t *s)
{
    gs_rc_t  rc;

    rc = gs_sealer_locked(s);

    if (rc == GS_OK) {
        rc = gs_sealer_follow(s);
    }

    if (rc == GS_OK) {
        rc = gs_sealer_commit(s);
    }

    return (rc == GS_OK && s->more) ? GS_AGAIN : rc;
}


/* A lock that was unlinked keeps nobody out. */

static gs_rc_t
gs_sealer_locked(gs_sealer_t *s)
{
    struct stat  st;

    if (fstat(s->lock, &st) == -1 || st.st_nlink == 0) {
        return gs_seal_fail(s->log, GS_ERROR, "the lock in \"%s\" was removed",
                            s->conf->seal);
    }

    return GS_OK;
}


static gs_rc_t
gs_sealer_commit(gs_sealer_t *s)
{
    size_t              i;
    gs_rc_t             rc;
    uint64_t            old;
    gs_sealer_chain_t  *c;

    old = s->tree.size;
    rc = GS_OK;

    for (i = 0; rc == GS_OK && i < s->nchains; i++) {
        if (s->chains[i]->n != 0) {
            rc = gs_sealer_grow(s, s->chains[i]);
        }
    }

    if (rc == GS_OK && s->tree.size != old) {
        rc = gs_sealer_partial(s, old);

        gs_fault("seal_tiles");

        if (rc == GS_OK && fdatasync(s->index) == -1) {
            rc = gs_seal_fail(s->log, GS_ERROR, "cannot sync the index: %s",
                              strerror(errno));
        }

        gs_fault("seal_synced");

        if (rc == GS_OK) {
            rc = gs_sealer_save(s);
        }

        gs_fault("seal_state");
    }

    if (rc == GS_OK) {
        rc = gs_sealer_sign(s);
    }

    gs_fault("seal_checkpoint");

    if (rc == GS_OK && s->tree.size != old) {
        gs_sealer_drop(s, old);
        gs_fault("seal_dropped");
    }

    for (i = 0; rc == GS_OK && i < s->nchains; i++) {
        c = s->chains[i];
        c->n = 0;

        if (c->closed) {
            gs_sealer_leave(c);
        }
    }

    return rc;
}


static gs_rc_t
gs_sealer_grow(gs_sealer_t *s, gs_sealer_chain_t *c)
{
    char            text[GS_AUDIT_RUN_MAX];
    size_t          i;
    gs_rc_t         rc;
    gs_buf_t        b;
    gs_audit_run_t  run;

    c->sealed = 1;
    c->closed = c->v->closed;
    c->seq = c->first + c->n;
    c->bytes = c->v->bytes;
    c->leaf = s->tree.size + c->n - 1;

    run.leaf = s->tree.size;
    run.n = c->n;
    run.seq = c->first;
    run.bytes = c->bytes;
    run.segment = gs_str_text(c->segment);
    run.chain = gs_str_text(c->name);
    run.closed = c->closed;

    gs_buf_init(&b, text, sizeof(text));
    gs_audit_run_put(&b, &run);

    /* what a full disk takes a part of is no error of the call */

    errno = ENOSPC;

    if (b.overflow
        || pwrite(s->index, text, gs_buf_len(&b), (off_t) s->index_len)
           != (ssize_t) gs_buf_len(&b))
    {
        return gs_seal_fail(s->log, GS_ERROR, "cannot write the index: %s",
                            strerror(errno));
    }

    s->index_len += gs_buf_len(&b);

    gs_fault("seal_index");

    for (i = 0; i < c->n; i++) {
        rc = gs_audit_tree_add(&s->tree, c->hashes + i * GS_AUDIT_HASH,
                               gs_sealer_keep, s);

        if (rc != GS_OK && gs_sealer_stopped(s)) {
            return GS_DONE;
        }

        if (rc != GS_OK) {
            return gs_seal_fail(s->log, GS_ERROR, "cannot grow the tree");
        }
    }

    return GS_OK;
}


/* A tile that is full is written at once. */

static gs_rc_t
gs_sealer_keep(void *data, unsigned level, uint64_t index,
    const gs_uchar_t *hash)
{
    gs_sealer_t *s = data;

    char         name[GS_AUDIT_TILE_PATH];
    gs_str_t     text;
    unsigned     i;
    gs_uchar_t  *tile;

    level /= GS_AUDIT_TILE_HEIGHT;

    if (level >= GS_SEALER_LEVELS) {
        return GS_ERROR;
    }

    i = (unsigned) (index % GS_AUDIT_TILE_WIDTH);
    tile = s->edge[level];
    memcpy(tile + i * GS_AUDIT_HASH, hash, GS_AUDIT_HASH);

    if (i + 1 != GS_AUDIT_TILE_WIDTH) {
        return GS_OK;
    }

    gs_audit_tile_path(name, level, index / GS_AUDIT_TILE_WIDTH,
                       GS_AUDIT_TILE_WIDTH);
    text = gs_str_make(tile, GS_SEAL_TILE_BYTES);

    gs_fault("seal_tile");

    return gs_sealer_put(s, name, &text);
}


static gs_rc_t
gs_sealer_partial(gs_sealer_t *s, uint64_t old)
{
    char      name[GS_AUDIT_TILE_PATH];
    gs_rc_t   rc;
    gs_str_t  text;
    unsigned  level, width;
    uint64_t  tile;

    for (level = 0; level < GS_SEALER_LEVELS; level++) {
        width = gs_seal_edge(s->tree.size, level, &tile);

        if (width == 0 || width == gs_seal_width(old, level, tile)) {
            continue;
        }

        gs_audit_tile_path(name, level, tile, width);
        text = gs_str_make(s->edge[level], width * GS_AUDIT_HASH);

        rc = gs_sealer_put(s, name, &text);

        if (rc != GS_OK) {
            return rc;
        }
    }

    return GS_OK;
}


/* The narrower tiles of before; who reads them finds the wider ones. */

static void
gs_sealer_drop(gs_sealer_t *s, uint64_t old)
{
    char      name[GS_AUDIT_TILE_PATH], path[GS_SEAL_PATH];
    unsigned  level, width;
    uint64_t  tile;

    for (level = 0; level < GS_SEALER_LEVELS; level++) {
        width = gs_seal_edge(old, level, &tile);

        if (width == 0
            || width == gs_seal_width(s->tree.size, level, tile))
        {
            continue;
        }

        gs_audit_tile_path(name, level, tile, width);

        if (gs_seal_path(s->log, path, s->conf->seal, name) == GS_OK) {
            (void) unlink(path);
            *strrchr(path, '/') = '\0';
            (void) rmdir(path);
        }
    }
}


gs_rc_t
gs_sealer_save(gs_sealer_t *s)
{
    char              text[GS_AUDIT_STATE_MAX];
    gs_buf_t          b;
    gs_str_t          view;
    gs_audit_state_t  state;

    state.point.origin = gs_str_text(s->keys->keys[0].name);
    state.point.size = s->tree.size;
    state.index = s->index_len;

    if (gs_audit_tree_root(&s->tree, state.point.root) != GS_OK) {
        return gs_seal_fail(s->log, GS_ERROR, "cannot compute the root");
    }

    gs_buf_init(&b, text, sizeof(text));
    gs_audit_state_put(&b, &state);
    view = gs_buf_view(&b);

    return gs_sealer_put(s, "state", &view);
}


static gs_rc_t
gs_sealer_sign(gs_sealer_t *s)
{
    char                   text[GS_AUDIT_NOTE_MAX];
    unsigned               i;
    gs_buf_t               b;
    gs_str_t               body, view;
    struct timespec        ts;
    gs_audit_checkpoint_t  point;

    point.origin = gs_str_text(s->keys->keys[0].name);
    point.size = s->tree.size;

    if (gs_audit_tree_root(&s->tree, point.root) != GS_OK) {
        return gs_seal_fail(s->log, GS_ERROR, "cannot compute the root");
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    gs_buf_init(&b, text, sizeof(text));
    gs_audit_checkpoint_put(&b, &point);
    gs_buf_text(&b, "time ");
    gs_time_iso(&b, (uint64_t) ts.tv_sec * 1000000
                    + (uint64_t) ts.tv_nsec / 1000);
    gs_buf_char(&b, '\n');
    body = gs_buf_view(&b);
    gs_buf_char(&b, '\n');

    for (i = 0; i < s->keys->n; i++) {
        if (gs_audit_note_sign(&s->keys->keys[i], &body, &b) != GS_OK) {
            return gs_seal_fail(s->log, GS_ERROR, "cannot sign");
        }
    }

    view = gs_buf_view(&b);

    gs_fault("seal_signed");

    return gs_sealer_put(s, "checkpoint", &view);
}


gs_rc_t
gs_sealer_last(const char *seal, uint64_t *size, uint64_t *time)
{
    size_t                  len;
    gs_rc_t                 rc;
    gs_str_t                note, text, rest;
    gs_uchar_t              data[GS_AUDIT_NOTE_MAX];
    gs_seal_log_t           log;
    const gs_uchar_t       *p;
    gs_audit_checkpoint_t   point;

    static const char  mark[] = "\ntime ";

    memset(&log, 0, sizeof(gs_seal_log_t));
    log.tell = gs_sealer_quiet;

    rc = gs_seal_get(&log, seal, "checkpoint", data, sizeof(data), &len);

    if (rc != GS_OK) {
        return GS_DECLINED;
    }

    note = gs_str_make(data, len);

    if (gs_audit_note_split(&note, &text, &rest) != GS_OK
        || gs_audit_checkpoint_parse(&text, &point) != GS_OK)
    {
        return GS_DECLINED;
    }

    p = memmem(text.data, text.len, mark, sizeof(mark) - 1);

    if (p == NULL) {
        return GS_DECLINED;
    }

    p += sizeof(mark) - 1;
    rest = gs_str_make(p, (size_t) (text.data + text.len - p));
    rest.len = gs_str_chr(&rest, 0, '\n');
    *size = point.size;

    return (gs_time_parse(&rest, time) == GS_OK) ? GS_OK : GS_DECLINED;
}


static void
gs_sealer_quiet(void *data, const char *text)
{
    /* what cannot be read just now is asked again */
}
