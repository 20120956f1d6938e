
/*
 * Copyright (C) govsvc authors
 *
 * The sealer: where sealing goes on, if nothing was changed since.
 */


#include "seal/gs_sealer_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


#define GS_SEALER_WHO  64                  /* what the lock says, with NUL */


static gs_rc_t gs_sealer_take(gs_sealer_t *s);
static void gs_sealer_holder(int fd, char *text, size_t size);
static gs_rc_t gs_sealer_state(gs_sealer_t *s);
static gs_rc_t gs_sealer_load(gs_sealer_t *s,
    const gs_audit_state_t *state);
static gs_rc_t gs_sealer_edge(gs_sealer_t *s);
static gs_rc_t gs_sealer_signed(gs_sealer_t *s, const gs_str_t *note);
static gs_rc_t gs_sealer_index(gs_sealer_t *s);
static gs_rc_t gs_sealer_runs(gs_sealer_t *s, const gs_uchar_t *data,
    size_t len);
static gs_rc_t gs_sealer_refuse(gs_sealer_t *s, const char *en,
    const char *zh);


gs_rc_t
gs_sealer_resume(gs_sealer_t *s)
{
    char         path[GS_SEAL_PATH];
    gs_rc_t      rc;
    struct stat  st;

    if (stat(s->conf->store, &st) == -1) {
        return gs_seal_fail(s->log, GS_ERROR, "cannot open \"%s\": %s",
                            s->conf->store, strerror(errno));
    }

    if (mkdir(s->conf->seal, 0755) == -1 && errno != EEXIST) {
        return gs_seal_fail(s->log, GS_ERROR, "cannot make \"%s\": %s",
                            s->conf->seal, strerror(errno));
    }

    rc = gs_sealer_take(s);

    if (rc == GS_OK) {
        rc = gs_sealer_state(s);
    }

    if (rc == GS_OK) {
        rc = gs_seal_path(s->log, path, s->conf->seal, "index");
    }

    if (rc != GS_OK) {
        return rc;
    }

    s->index = open(path, O_RDWR|O_CREAT|O_CLOEXEC, 0644);

    if (s->index == -1 || fsync(s->index) == -1
        || gs_seal_sync(s->conf->seal) == -1)
    {
        return gs_seal_fail(s->log, GS_ERROR, "cannot open \"%s\": %s", path,
                            strerror(errno));
    }

    return gs_sealer_index(s);
}


static gs_rc_t
gs_sealer_refuse(gs_sealer_t *s, const char *en, const char *zh)
{
    return gs_seal_fail(s->log, GS_DECLINED, s->log->zh
                        ? "封存目录 %s：%s；拒绝签署"
                        : "seal %s: %s; refusing to sign", s->conf->seal,
                        s->log->zh ? zh : en);
}


/* Held until the sealer is closed, or the process dies. */

static gs_rc_t
gs_sealer_take(gs_sealer_t *s)
{
    int      n;
    char     path[GS_SEAL_PATH], text[GS_SEALER_WHO];
    gs_rc_t  rc;

    rc = gs_seal_path(s->log, path, s->conf->seal, "lock");

    if (rc != GS_OK) {
        return rc;
    }

    s->lock = open(path, O_RDWR|O_CREAT|O_CLOEXEC, 0600);

    if (s->lock == -1) {
        return gs_seal_fail(s->log, GS_ERROR, "cannot open \"%s\": %s", path,
                            strerror(errno));
    }

    if (flock(s->lock, LOCK_EX|LOCK_NB) == -1) {

        if (errno != EWOULDBLOCK) {
            return gs_seal_fail(s->log, GS_ERROR, "cannot lock \"%s\": %s",
                                path, strerror(errno));
        }

        gs_sealer_holder(s->lock, text, sizeof(text));

        return gs_seal_fail(s->log, GS_BUSY, s->log->zh
                            ? "另一封存进程正在 \"%s\" 中工作：%s"
                            : "another sealer works in \"%s\": %s",
                            s->conf->seal, text);
    }

    /* for people: that it could not be written harms nothing */

    n = snprintf(text, sizeof(text), "process %ld (%s)", (long) getpid(),
                 s->conf->who);

    if (ftruncate(s->lock, 0) == -1
        || pwrite(s->lock, text, (size_t) n, 0) != (ssize_t) n)
    {
        return GS_OK;
    }

    return GS_OK;
}


static void
gs_sealer_holder(int fd, char *text, size_t size)
{
    size_t   i;
    ssize_t  n;

    n = pread(fd, text, size - 1, 0);

    for (i = 0; n > 0 && i < (size_t) n; i++) {
        if ((unsigned char) text[i] < 0x20 || (unsigned char) text[i] > 0x7e) {
            break;
        }
    }

    text[i] = '\0';

    if (i == 0) {
        (void) snprintf(text, size, "process unknown");
    }
}


gs_rc_t
gs_sealer_who(const char *seal, char *text, size_t size)
{
    int      fd, n;
    char     path[GS_SEAL_PATH];
    gs_rc_t  rc;

    n = snprintf(path, sizeof(path), "%s/lock", seal);

    if (n < 0 || (size_t) n >= sizeof(path)) {
        return GS_ERROR;
    }

    fd = open(path, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return (errno == ENOENT) ? GS_DECLINED : GS_ERROR;
    }

    rc = GS_DECLINED;

    if (flock(fd, LOCK_SH|LOCK_NB) == -1) {
        rc = (errno == EWOULDBLOCK) ? GS_OK : GS_ERROR;
        gs_sealer_holder(fd, text, size);
    }

    (void) close(fd);

    return rc;
}


static gs_rc_t
gs_sealer_state(gs_sealer_t *s)
{
    size_t            len;
    gs_rc_t           rc, found, noted;
    gs_str_t          text, note;
    gs_uchar_t        data[GS_AUDIT_STATE_MAX], point[GS_AUDIT_NOTE_MAX];
    gs_audit_state_t  state;

    noted = gs_seal_get(s->log, s->conf->seal, "checkpoint", point,
                        sizeof(point), &len);
    note = gs_str_make(point, len);
    found = gs_seal_get(s->log, s->conf->seal, "state", data, sizeof(data),
                        &len);
    text = gs_str_make(data, len);

    if (noted == GS_ERROR || found == GS_ERROR) {
        return GS_ERROR;
    }

    if (found == GS_DECLINED) {
        return (noted == GS_OK)
               ? gs_sealer_refuse(s, "there is a checkpoint but no state",
                                  "有封存点而无状态文件")
               : gs_sealer_save(s);
    }

    if (gs_audit_state_parse(&text, &state) != GS_OK) {
        return gs_sealer_refuse(s, "the state is damaged",
                                "状态文件已损坏");
    }

    if (!gs_str_eq_text(&state.point.origin, s->keys->keys[0].name)) {
        return gs_sealer_refuse(s, "the keys are of another log",
                                "密钥属于另一日志");
    }

    rc = gs_sealer_load(s, &state);

    if (rc == GS_OK && noted == GS_OK) {
        rc = gs_sealer_signed(s, &note);

    } else if (rc == GS_OK && state.point.size != 0) {
        rc = gs_sealer_refuse(s, "the checkpoint is gone",
                              "封存点已不在");
    }

    return rc;
}


static gs_rc_t
gs_sealer_load(gs_sealer_t *s, const gs_audit_state_t *state)
{
    gs_rc_t     rc;
    gs_uchar_t  root[GS_AUDIT_HASH];

    gs_seal_tiles(&s->tiles, s->log, s->conf->seal, state->point.size);
    rc = gs_audit_tree_load(&s->tree, state->point.size, gs_seal_node,
                            &s->tiles);
    if (rc == GS_OK) {
        rc = gs_audit_tree_root(&s->tree, root);
    }

    if (rc == GS_ERROR) {
        return gs_seal_fail(s->log, GS_ERROR, "cannot load the tree");
    }

    if (rc != GS_OK || memcmp(root, state->point.root, GS_AUDIT_HASH) != 0) {
        return gs_sealer_refuse(s, "the tiles do not give the root of the "
                                "state", "瓦片与状态文件的树根不符");
    }

    s->index_len = state->index;

    return gs_sealer_edge(s);
}


static gs_rc_t
gs_sealer_edge(gs_sealer_t *s)
{
    gs_rc_t   rc;
    unsigned  level, width;
    uint64_t  tile;

    for (level = 0; level < GS_SEALER_LEVELS; level++) {
        width = gs_seal_edge(s->tree.size, level, &tile);

        if (width == 0) {
            continue;
        }

        rc = gs_seal_tile(&s->tiles, level, tile);

        if (rc != GS_OK) {
            return gs_sealer_refuse(s, "a tile is missing", "瓦片缺失");
        }

        memcpy(s->edge[level], s->tiles.hashes,
               width * GS_AUDIT_HASH);
    }

    return GS_OK;
}


/* What was signed last is a beginning of what is here. */

static gs_rc_t
gs_sealer_signed(gs_sealer_t *s, const gs_str_t *note)
{
    gs_rc_t                rc;
    unsigned               i, good;
    gs_str_t               text, rest;
    gs_uchar_t             root[GS_AUDIT_HASH];
    gs_audit_tree_t        tree;
    gs_audit_checkpoint_t  point;

    good = 0;

    for (i = 0; i < s->keys->n; i++) {
        rc = gs_audit_note_check(&s->keys->keys[i], note);

        if (rc == GS_ERROR) {
            return gs_sealer_refuse(s, "the checkpoint is damaged or "
                                    "forged", "封存点已损坏或系伪造");
        }

        good += (rc == GS_OK);
    }

    if (good == 0) {
        return gs_sealer_refuse(s, "the checkpoint was signed by none of "
                                "the keys; give the old key too",
                                "封存点不由所给密钥签署，请一并给出旧密钥");
    }

    if (gs_audit_note_split(note, &text, &rest) != GS_OK
        || gs_audit_checkpoint_parse(&text, &point) != GS_OK
        || point.size > s->tree.size)
    {
        return gs_sealer_refuse(s, "the state is older than the "
                                "checkpoint", "状态文件比封存点旧");
    }

    if (gs_audit_tree_init(&tree, gs_audit_seal_alg(&point.origin)) != GS_OK) {
        return gs_seal_fail(s->log, GS_ERROR, "out of memory");
    }

    rc = gs_audit_tree_load(&tree, point.size, gs_seal_node, &s->tiles);

    if (rc == GS_OK) {
        rc = gs_audit_tree_root(&tree, root);
    }

    gs_audit_tree_free(&tree);

    if (rc == GS_ERROR) {
        return gs_seal_fail(s->log, GS_ERROR, "cannot load the tree");
    }

    if (rc != GS_OK || memcmp(root, point.root, GS_AUDIT_HASH) != 0) {
        return gs_sealer_refuse(s, "the tiles do not give the root that "
                                "was signed", "瓦片与已签署的树根不符");
    }

    return GS_OK;
}


/* What stands behind the length of the state was never counted. */

static gs_rc_t
gs_sealer_index(gs_sealer_t *s)
{
    size_t       keep, used;
    gs_rc_t      rc;
    ssize_t      n;
    uint64_t     left;
    gs_uchar_t  *lf;
    struct stat  st;

    if (fstat(s->index, &st) == -1 || (uint64_t) st.st_size < s->index_len) {
        return gs_sealer_refuse(s, "the index is shorter than the state "
                                "says", "索引比状态文件所记的短");
    }

    if (ftruncate(s->index, (off_t) s->index_len) == -1) {
        return gs_seal_fail(s->log, GS_ERROR, "cannot truncate the index: "
                            "%s", strerror(errno));
    }

    keep = 0;
    left = s->index_len;

    while (left != 0) {

        if (gs_sealer_stopped(s)) {
            return GS_DONE;
        }

        n = read(s->index, s->chunk + keep, GS_SEALER_CHUNK - keep);

        if (n <= 0) {
            return gs_seal_fail(s->log, GS_ERROR, "cannot read the index");
        }

        left -= (uint64_t) n;
        keep += (size_t) n;
        lf = memrchr(s->chunk, '\n', keep);
        used = (lf == NULL) ? 0 : (size_t) (lf - s->chunk) + 1;
        rc = gs_sealer_runs(s, s->chunk, used);

        if (rc != GS_OK || (used == 0 && keep == GS_SEALER_CHUNK)) {
            return gs_sealer_refuse(s, "the index is damaged",
                                    "索引已损坏");
        }

        keep -= used;
        memmove(s->chunk, s->chunk + used, keep);
    }

    return (keep == 0 && s->leaves == s->tree.size) ? GS_OK
           : gs_sealer_refuse(s, "the index is damaged", "索引已损坏");
}


static gs_rc_t
gs_sealer_runs(gs_sealer_t *s, const gs_uchar_t *data, size_t len)
{
    size_t              lf;
    gs_str_t            rest, line;
    gs_audit_run_t      run;
    gs_sealer_chain_t  *c;

    rest = gs_str_make(data, len);

    while (rest.len != 0) {
        lf = gs_str_chr(&rest, 0, '\n');
        line = gs_str_make(rest.data, lf);
        rest = gs_str_make(rest.data + lf + 1, rest.len - lf - 1);

        if (gs_audit_run_parse(&line, &run) != GS_OK
            || run.leaf != s->leaves)
        {
            return GS_DECLINED;
        }

        c = gs_sealer_chain(s, (const char *) run.chain.data,
                            run.chain.len);
        if (c == NULL) {
            return GS_DECLINED;
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

    return GS_OK;
}
