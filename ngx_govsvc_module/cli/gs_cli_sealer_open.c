
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit sealer: where sealing goes on, if nothing was changed since.
 */


#include "cli/gs_cli_sealer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


static int gs_cli_sealer_lock(gs_cli_sealer_t *s);
static int gs_cli_sealer_state(gs_cli_sealer_t *s);
static int gs_cli_sealer_load(gs_cli_sealer_t *s,
    const gs_audit_state_t *state);
static int gs_cli_sealer_edge(gs_cli_sealer_t *s);
static int gs_cli_sealer_signed(gs_cli_sealer_t *s, const gs_str_t *note);
static int gs_cli_sealer_index(gs_cli_sealer_t *s);
static int gs_cli_sealer_runs(gs_cli_sealer_t *s, const gs_uchar_t *data,
    size_t len);
static int gs_cli_sealer_refuse(gs_cli_sealer_t *s, const char *en,
    const char *zh);


int
gs_cli_sealer_open(gs_cli_sealer_t *s)
{
    int         rc;
    char        path[GS_CLI_SEAL_PATH];
    struct stat st;

    if (stat(s->store, &st) == -1) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot open \"%s\": %s",
                           s->store, strerror(errno));
    }

    if (mkdir(s->seal, 0755) == -1 && errno != EEXIST) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot make \"%s\": %s",
                           s->seal, strerror(errno));
    }

    rc = gs_cli_sealer_lock(s);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_sealer_state(s);
    }

    if (rc != GS_CLI_YES) {
        return rc;
    }

    if (gs_cli_seal_path(s->cli, path, s->seal, "index") != GS_OK) {
        return GS_CLI_READ;
    }

    s->index = open(path, O_RDWR|O_CREAT|O_CLOEXEC, 0644);

    if (s->index == -1 || fsync(s->index) == -1
        || gs_cli_seal_sync(s->seal) == -1)
    {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot open \"%s\": %s",
                           path, strerror(errno));
    }

    return gs_cli_sealer_index(s);
}


static int
gs_cli_sealer_refuse(gs_cli_sealer_t *s, const char *en, const char *zh)
{
    return gs_cli_fail(s->cli, GS_CLI_NO, s->cli->zh
                       ? "封存目录 %s：%s；拒绝签署" : "seal %s: %s; refusing "
                         "to sign", s->seal, s->cli->zh ? zh : en);
}


static int
gs_cli_sealer_lock(gs_cli_sealer_t *s)
{
    int   fd;
    char  path[GS_CLI_SEAL_PATH];

    if (gs_cli_seal_path(s->cli, path, s->seal, "lock") != GS_OK) {
        return GS_CLI_READ;
    }

    fd = open(path, O_RDWR|O_CREAT|O_CLOEXEC, 0600);

    if (fd == -1) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot open \"%s\": %s",
                           path, strerror(errno));
    }

    /* held until the process ends */

    if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "another sealer works in "
                           "\"%s\"", s->seal);
    }

    return GS_CLI_YES;
}


static int
gs_cli_sealer_state(gs_cli_sealer_t *s)
{
    int               rc;
    size_t            len;
    gs_rc_t           found, noted;
    gs_str_t          text, note;
    gs_uchar_t        data[GS_AUDIT_STATE_MAX], point[GS_AUDIT_NOTE_MAX];
    gs_audit_state_t  state;

    noted = gs_cli_seal_get(s->cli, s->seal, "checkpoint", point,
                            sizeof(point), &len);
    note = gs_str_make(point, len);
    found = gs_cli_seal_get(s->cli, s->seal, "state", data, sizeof(data),
                            &len);
    text = gs_str_make(data, len);

    if (noted == GS_ERROR || found == GS_ERROR) {
        return GS_CLI_READ;
    }

    if (found == GS_DECLINED) {
        return (noted == GS_OK)
               ? gs_cli_sealer_refuse(s, "there is a checkpoint but no state",
                                      "有封存点而无状态文件")
               : gs_cli_sealer_save(s);
    }

    if (gs_audit_state_parse(&text, &state) != GS_OK) {
        return gs_cli_sealer_refuse(s, "the state is damaged",
                                    "状态文件已损坏");
    }

    if (!gs_str_eq_text(&state.point.origin, s->keys.keys[0].name)) {
        return gs_cli_sealer_refuse(s, "the keys are of another log",
                                    "密钥属于另一日志");
    }

    rc = gs_cli_sealer_load(s, &state);

    if (rc == GS_CLI_YES && noted == GS_OK) {
        rc = gs_cli_sealer_signed(s, &note);

    } else if (rc == GS_CLI_YES && state.point.size != 0) {
        rc = gs_cli_sealer_refuse(s, "the checkpoint is gone",
                                  "封存点已不在");
    }

    return rc;
}


static int
gs_cli_sealer_load(gs_cli_sealer_t *s, const gs_audit_state_t *state)
{
    gs_rc_t     rc;
    gs_uchar_t  root[GS_AUDIT_HASH];

    gs_cli_seal_tiles(s->tiles, s->cli, s->seal, state->point.size);
    rc = gs_audit_tree_load(&s->tree, state->point.size, gs_cli_seal_node,
                            s->tiles);
    if (rc == GS_OK) {
        rc = gs_audit_tree_root(&s->tree, root);
    }

    if (rc == GS_ERROR) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot load the tree");
    }

    if (rc != GS_OK || memcmp(root, state->point.root, GS_AUDIT_HASH) != 0) {
        return gs_cli_sealer_refuse(s, "the tiles do not give the root of the "
                                    "state", "瓦片与状态文件的树根不符");
    }

    s->index_len = state->index;

    return gs_cli_sealer_edge(s);
}


static int
gs_cli_sealer_edge(gs_cli_sealer_t *s)
{
    gs_rc_t   rc;
    unsigned  level, width;
    uint64_t  tile;

    for (level = 0; level < GS_CLI_SEALER_LEVELS; level++) {
        tile = s->tree.size >> level * GS_AUDIT_TILE_HEIGHT
                            >> GS_AUDIT_TILE_HEIGHT;
        width = gs_cli_seal_width(s->tree.size, level, tile);

        if (width == 0) {
            continue;
        }

        rc = gs_cli_seal_tile(s->tiles, level, tile);

        if (rc != GS_OK) {
            return gs_cli_sealer_refuse(s, "a tile is missing", "瓦片缺失");
        }

        memcpy(s->edge + level * GS_CLI_TILE_BYTES, s->tiles->hashes,
               width * GS_AUDIT_HASH);
    }

    return GS_CLI_YES;
}


/* What was signed last is a beginning of what is here. */

static int
gs_cli_sealer_signed(gs_cli_sealer_t *s, const gs_str_t *note)
{
    gs_rc_t                 rc;
    unsigned                i, good;
    gs_str_t                text, rest;
    gs_uchar_t              root[GS_AUDIT_HASH];
    gs_audit_tree_t         tree;
    gs_audit_checkpoint_t   point;

    good = 0;

    for (i = 0; i < s->keys.n; i++) {
        rc = gs_audit_note_check(&s->keys.keys[i], note);

        if (rc == GS_ERROR) {
            return gs_cli_sealer_refuse(s, "the checkpoint is damaged or "
                                        "forged", "封存点已损坏或系伪造");
        }

        good += (rc == GS_OK);
    }

    if (good == 0) {
        return gs_cli_sealer_refuse(s, "the checkpoint was signed by none of "
                                    "the keys; give the old key too",
                                    "封存点不由所给密钥签署，请一并给出旧密钥");
    }

    if (gs_audit_note_split(note, &text, &rest) != GS_OK
        || gs_audit_checkpoint_parse(&text, &point) != GS_OK
        || point.size > s->tree.size)
    {
        return gs_cli_sealer_refuse(s, "the state is older than the "
                                    "checkpoint", "状态文件比封存点旧");
    }

    if (gs_audit_tree_init(&tree, gs_audit_seal_alg(&point.origin)) != GS_OK) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "out of memory");
    }

    rc = gs_audit_tree_load(&tree, point.size, gs_cli_seal_node, s->tiles);

    if (rc == GS_OK) {
        rc = gs_audit_tree_root(&tree, root);
    }

    gs_audit_tree_free(&tree);

    if (rc == GS_ERROR) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot load the tree");
    }

    if (rc != GS_OK || memcmp(root, point.root, GS_AUDIT_HASH) != 0) {
        return gs_cli_sealer_refuse(s, "the tiles do not give the root that "
                                    "was signed", "瓦片与已签署的树根不符");
    }

    return GS_CLI_YES;
}


/* What stands behind the length of the state was never counted. */

static int
gs_cli_sealer_index(gs_cli_sealer_t *s)
{
    int          rc;
    size_t       keep, used;
    ssize_t      n;
    uint64_t     left;
    gs_uchar_t  *lf;
    struct stat  st;

    if (fstat(s->index, &st) == -1 || (uint64_t) st.st_size < s->index_len) {
        return gs_cli_sealer_refuse(s, "the index is shorter than the state "
                                    "says", "索引比状态文件所记的短");
    }

    if (ftruncate(s->index, (off_t) s->index_len) == -1) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "cannot truncate the index: "
                           "%s", strerror(errno));
    }

    keep = 0;
    left = s->index_len;

    while (left != 0) {
        n = read(s->index, s->chunk + keep, GS_CLI_SEALER_CHUNK - keep);

        if (n <= 0) {
            return gs_cli_fail(s->cli, GS_CLI_READ, "cannot read the index");
        }

        left -= (uint64_t) n;
        keep += (size_t) n;
        lf = memrchr(s->chunk, '\n', keep);
        used = (lf == NULL) ? 0 : (size_t) (lf - s->chunk) + 1;
        rc = gs_cli_sealer_runs(s, s->chunk, used);

        if (rc != GS_CLI_YES || (used == 0 && keep == GS_CLI_SEALER_CHUNK)) {
            return gs_cli_sealer_refuse(s, "the index is damaged",
                                        "索引已损坏");
        }

        keep -= used;
        memmove(s->chunk, s->chunk + used, keep);
    }

    return (keep == 0 && s->leaves == s->tree.size) ? GS_CLI_YES
           : gs_cli_sealer_refuse(s, "the index is damaged", "索引已损坏");
}


static int
gs_cli_sealer_runs(gs_cli_sealer_t *s, const gs_uchar_t *data, size_t len)
{
    size_t                  lf;
    gs_str_t                rest, line;
    gs_audit_run_t          run;
    gs_cli_sealer_chain_t  *c;

    rest = gs_str_make(data, len);

    while (rest.len != 0) {
        lf = gs_str_chr(&rest, 0, '\n');
        line = gs_str_make(rest.data, lf);
        rest = gs_str_make(rest.data + lf + 1, rest.len - lf - 1);

        if (gs_audit_run_parse(&line, &run) != GS_OK
            || run.leaf != s->leaves)
        {
            return GS_CLI_NO;
        }

        c = gs_cli_sealer_chain(s, (const char *) run.chain.data,
                                run.chain.len);
        if (c == NULL) {
            return GS_CLI_NO;
        }

        memcpy(c->segment, run.segment.data, run.segment.len);
        c->segment[run.segment.len] = '\0';
        c->sealed = 1;
        c->closed = run.closed;
        c->leaf = run.leaf + run.n - 1;
        c->seq = run.seq + run.n;
        c->bytes = run.bytes;
        s->leaves += run.n;
    }

    return GS_CLI_YES;
}
