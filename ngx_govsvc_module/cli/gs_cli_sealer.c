
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit sealer: puts each line of a store into the tree and signs it.
 *
 * The order makes every point a safe one to die at: segments are synced, then
 * tiles and index, then the state that counts them is replaced, and only then
 * is it signed.  What comes after the state is done again by the next turn,
 * what comes before it counts for nothing.
 */


#include "cli/gs_cli_sealer.h"
#include "core/gs_time.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>


static int gs_cli_sealer_run(gs_cli_t *cli);
static int gs_cli_sealer_loop(gs_cli_sealer_t *s, uint64_t ms, int once);
static int gs_cli_sealer_interval(gs_cli_t *cli, uint64_t *ms);
static int gs_cli_sealer_commit(gs_cli_sealer_t *s);
static int gs_cli_sealer_grow(gs_cli_sealer_t *s, gs_cli_sealer_chain_t *c);
static gs_rc_t gs_cli_sealer_keep(void *data, unsigned level, uint64_t index,
    const gs_uchar_t *hash);
static int gs_cli_sealer_partial(gs_cli_sealer_t *s, uint64_t old);
static void gs_cli_sealer_drop(gs_cli_sealer_t *s, uint64_t old);
static int gs_cli_sealer_sign(gs_cli_sealer_t *s);


static const gs_cli_option_t  gs_cli_sealer_options[] = {
    { "key", "FILE", "private key; several sign", "私钥文件，可多个" },
    { "seal", "DIR", "where tree and checkpoint are kept",
      "存放树与封存点的目录" },
    { "interval", "TIME", "time between checkpoints (1s)",
      "封存点的间隔（1s）" },
    { "once", NULL, "seal what is there, sign and end",
      "封存现有内容、签署后退出" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_sealer = {
    "audit", "sealer", "DIR",
    "verify a store as it grows, and sign a checkpoint each second",
    "随写随验，每秒签署一个封存点",
    "govsvc audit sealer /var/lib/govsvc/audit --key "
    "/etc/govsvc/seal/seal.key --seal /var/lib/govsvc/seal",
    gs_cli_sealer_options,
    gs_cli_sealer_run
};


static int
gs_cli_sealer_run(gs_cli_t *cli)
{
    int               rc;
    size_t            i;
    uint64_t          ms;
    gs_str_t          origin;
    gs_cli_sealer_t   s;

    memset(&s, 0, sizeof(gs_cli_sealer_t));

    s.cli = cli;
    s.seal = gs_cli_option(cli, "seal");
    s.index = -1;

    if (cli->argc != 1 || s.seal == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit sealer needs the "
                           "directory of govsvc_audit_store, --key and "
                           "--seal");
    }

    s.store = cli->argv[0];
    rc = gs_cli_sealer_interval(cli, &ms);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_seal_private(cli, &s.keys);
    }

    if (rc != GS_CLI_YES) {
        gs_cli_seal_free(&s.keys);
        return rc;
    }

    origin = gs_str_text(s.keys.keys[0].name);
    s.chunk = gs_alloc(cli->mem, GS_CLI_SEALER_CHUNK);
    s.edge = gs_calloc(cli->mem, GS_CLI_SEALER_LEVELS, GS_CLI_TILE_BYTES);
    s.tiles = gs_alloc(cli->mem, sizeof(gs_cli_seal_tiles_t));

    if (s.chunk == NULL || s.edge == NULL || s.tiles == NULL
        || gs_audit_tree_init(&s.tree, gs_audit_seal_alg(&origin)) != GS_OK)
    {
        gs_cli_seal_free(&s.keys);
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    rc = gs_cli_sealer_open(&s);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_sealer_loop(&s, ms, gs_cli_option(cli, "once") != NULL);
    }

    for (i = 0; i < s.nchains; i++) {
        gs_cli_sealer_leave(s.chains[i]);
        gs_free(&gs_mem_libc, s.chains[i]);
    }

    gs_free(&gs_mem_libc, s.chains);
    gs_audit_tree_free(&s.tree);
    gs_cli_seal_free(&s.keys);

    return rc;
}


static int
gs_cli_sealer_interval(gs_cli_t *cli, uint64_t *ms)
{
    gs_str_t     s;
    const char  *text;

    *ms = 1000;
    text = gs_cli_option(cli, "interval");

    if (text == NULL) {
        return GS_CLI_YES;
    }

    s = gs_str_text(text);

    if (gs_parse_msec(&s, ms) != GS_OK || *ms < 100 || *ms > 60000) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid --interval \"%s\", "
                           "allowed: 100ms to 60s", text);
    }

    return GS_CLI_YES;
}


static int
gs_cli_sealer_loop(gs_cli_sealer_t *s, uint64_t ms, int once)
{
    int              rc;
    struct timespec  ts;

    for ( ;; ) {
        rc = gs_cli_sealer_follow(s);

        if (rc == GS_CLI_YES) {
            rc = gs_cli_sealer_commit(s);
        }

        if (rc != GS_CLI_YES) {
            return rc;
        }

        if (s->more) {
            continue;
        }

        if (once) {
            break;
        }

        ts.tv_sec = (time_t) (ms / 1000);
        ts.tv_nsec = (long) (ms % 1000) * 1000000;
        (void) nanosleep(&ts, NULL);
    }

    printf(s->cli->zh ? "已封存 %llu 行\n" : "%llu lines are sealed\n",
           (unsigned long long) s->tree.size);

    return GS_CLI_YES;
}


static int
gs_cli_sealer_commit(gs_cli_sealer_t *s)
{
    int                     rc;
    size_t                  i;
    uint64_t                old;
    gs_cli_sealer_chain_t  *c;

    old = s->tree.size;
    rc = GS_CLI_YES;

    for (i = 0; rc == GS_CLI_YES && i < s->nchains; i++) {
        if (s->chains[i]->n != 0) {
            rc = gs_cli_sealer_grow(s, s->chains[i]);
        }
    }

    if (rc == GS_CLI_YES && s->tree.size != old) {
        rc = gs_cli_sealer_partial(s, old);

        if (rc == GS_CLI_YES && fdatasync(s->index) == -1) {
            rc = gs_cli_fail(s->cli, GS_CLI_READ, "cannot sync the index: %s",
                             strerror(errno));
        }

        if (rc == GS_CLI_YES) {
            rc = gs_cli_sealer_save(s);
        }
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_sealer_sign(s);
    }

    if (rc == GS_CLI_YES && s->tree.size != old) {
        gs_cli_sealer_drop(s, old);
    }

    for (i = 0; rc == GS_CLI_YES && i < s->nchains; i++) {
        c = s->chains[i];
        c->n = 0;

        if (c->closed) {
            gs_cli_sealer_leave(c);
        }
    }

    return rc;
}


static int
gs_cli_sealer_grow(gs_cli_sealer_t *s, gs_cli_sealer_chain_t *c)
{
    char            text[GS_AUDIT_RUN_MAX];
    size_t          i;
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

    if (b.overflow
        || pwrite(s->index, text, gs_buf_len(&b), (off_t) s->index_len)
           != (ssize_t) gs_buf_len(&b))
    {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot write the index: %s",
                           strerror(errno));
    }

    s->index_len += gs_buf_len(&b);

    for (i = 0; i < c->n; i++) {
        if (gs_audit_tree_add(&s->tree, c->hashes + i * GS_AUDIT_HASH,
                              gs_cli_sealer_keep, s)
            != GS_OK)
        {
            return gs_cli_fail(s->cli, GS_CLI_READ, "cannot grow the tree");
        }
    }

    return GS_CLI_YES;
}


/* A tile that is full is written at once. */

static gs_rc_t
gs_cli_sealer_keep(void *data, unsigned level, uint64_t index,
    const gs_uchar_t *hash)
{
    gs_cli_sealer_t *s = data;

    char         name[GS_AUDIT_TILE_PATH];
    gs_str_t     text;
    unsigned     i;
    gs_uchar_t  *tile;

    level /= GS_AUDIT_TILE_HEIGHT;

    if (level >= GS_CLI_SEALER_LEVELS) {
        return GS_ERROR;
    }

    i = (unsigned) (index % GS_AUDIT_TILE_WIDTH);
    tile = s->edge + level * GS_CLI_TILE_BYTES;
    memcpy(tile + i * GS_AUDIT_HASH, hash, GS_AUDIT_HASH);

    if (i + 1 != GS_AUDIT_TILE_WIDTH) {
        return GS_OK;
    }

    gs_audit_tile_path(name, level, index / GS_AUDIT_TILE_WIDTH,
                       GS_AUDIT_TILE_WIDTH);
    text = gs_str_make(tile, GS_CLI_TILE_BYTES);

    return gs_cli_seal_put(s->cli, s->seal, name, &text);
}


static int
gs_cli_sealer_partial(gs_cli_sealer_t *s, uint64_t old)
{
    char      name[GS_AUDIT_TILE_PATH];
    gs_str_t  text;
    unsigned  level, width;
    uint64_t  tile;

    for (level = 0; level < GS_CLI_SEALER_LEVELS; level++) {
        tile = s->tree.size >> level * GS_AUDIT_TILE_HEIGHT
                            >> GS_AUDIT_TILE_HEIGHT;
        width = gs_cli_seal_width(s->tree.size, level, tile);

        if (width == 0 || width == gs_cli_seal_width(old, level, tile)) {
            continue;
        }

        gs_audit_tile_path(name, level, tile, width);
        text = gs_str_make(s->edge + level * GS_CLI_TILE_BYTES,
                           width * GS_AUDIT_HASH);

        if (gs_cli_seal_put(s->cli, s->seal, name, &text) != GS_OK) {
            return GS_CLI_READ;
        }
    }

    return GS_CLI_YES;
}


/* The narrower tiles of before; who reads them finds the wider ones. */

static void
gs_cli_sealer_drop(gs_cli_sealer_t *s, uint64_t old)
{
    char      name[GS_AUDIT_TILE_PATH], path[GS_CLI_SEAL_PATH];
    unsigned  level, width;
    uint64_t  tile;

    for (level = 0; level < GS_CLI_SEALER_LEVELS; level++) {
        tile = old >> level * GS_AUDIT_TILE_HEIGHT >> GS_AUDIT_TILE_HEIGHT;
        width = gs_cli_seal_width(old, level, tile);

        if (width == 0
            || width == gs_cli_seal_width(s->tree.size, level, tile))
        {
            continue;
        }

        gs_audit_tile_path(name, level, tile, width);

        if (gs_cli_seal_path(s->cli, path, s->seal, name) == GS_OK) {
            (void) unlink(path);
            *strrchr(path, '/') = '\0';
            (void) rmdir(path);
        }
    }
}


int
gs_cli_sealer_save(gs_cli_sealer_t *s)
{
    char              text[GS_AUDIT_STATE_MAX];
    gs_buf_t          b;
    gs_str_t          view;
    gs_audit_state_t  state;

    state.point.origin = gs_str_text(s->keys.keys[0].name);
    state.point.size = s->tree.size;
    state.index = s->index_len;

    if (gs_audit_tree_root(&s->tree, state.point.root) != GS_OK) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot compute the root");
    }

    gs_buf_init(&b, text, sizeof(text));
    gs_audit_state_put(&b, &state);
    view = gs_buf_view(&b);

    return (gs_cli_seal_put(s->cli, s->seal, "state", &view) == GS_OK)
           ? GS_CLI_YES : GS_CLI_READ;
}


static int
gs_cli_sealer_sign(gs_cli_sealer_t *s)
{
    char                   text[GS_AUDIT_NOTE_MAX];
    unsigned               i;
    gs_buf_t               b;
    gs_str_t               body, view;
    struct timespec        ts;
    gs_audit_checkpoint_t  point;

    point.origin = gs_str_text(s->keys.keys[0].name);
    point.size = s->tree.size;

    if (gs_audit_tree_root(&s->tree, point.root) != GS_OK) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot compute the root");
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

    for (i = 0; i < s->keys.n; i++) {
        if (gs_audit_note_sign(&s->keys.keys[i], &body, &b) != GS_OK) {
            return gs_cli_fail(s->cli, GS_CLI_READ, "cannot sign");
        }
    }

    view = gs_buf_view(&b);

    return (gs_cli_seal_put(s->cli, s->seal, "checkpoint", &view) == GS_OK)
           ? GS_CLI_YES : GS_CLI_READ;
}
