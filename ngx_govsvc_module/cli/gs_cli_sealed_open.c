
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit verify: the seal itself, before any chain is compared.
 */


#include "cli/gs_cli_sealed.h"

#include <stdlib.h>


static int gs_cli_sealed_point(gs_cli_sealed_t *s);
static int gs_cli_sealed_note(gs_cli_sealed_t *s, const gs_str_t *note,
    gs_audit_checkpoint_t *point);
static int gs_cli_sealed_tree(gs_cli_sealed_t *s);
static gs_rc_t gs_cli_sealed_keep(void *data, unsigned level, uint64_t index,
    const gs_uchar_t *hash);
static int gs_cli_sealed_against(gs_cli_sealed_t *s);
static int gs_cli_sealed_witnesses(gs_cli_sealed_t *s);
static void gs_cli_sealed_witnessed(gs_cli_sealed_t *s, const gs_str_t *note);


int
gs_cli_sealed_open(gs_cli_sealed_t *s, gs_cli_t *cli,
    gs_cli_seal_load_pt load)
{
    int          rc;
    const char  *require;

    memset(s, 0, sizeof(gs_cli_sealed_t));
    s->index.fd = -1;
    require = gs_cli_option(cli, "require");

    if (require != NULL && strcmp(require, "sealed") != 0
        && strcmp(require, "anchored") != 0)
    {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid --require \"%s\", "
                           "allowed: sealed, anchored", require);
    }

    if (require != NULL && strcmp(require, "anchored") == 0
        && gs_cli_option(cli, "against") == NULL)
    {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--require=anchored needs "
                           "--against");
    }

    rc = gs_cli_sealed_start(s, cli, load);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_sealed_witnesses(s);
    }

    if (rc == GS_CLI_YES && s->kind == NULL) {
        rc = gs_cli_sealed_tree(s);
    }

    if (rc == GS_CLI_YES && s->kind == NULL) {
        rc = gs_cli_sealed_index(s);
    }

    if (rc == GS_CLI_YES && s->kind == NULL
        && gs_cli_option(cli, "against") != NULL)
    {
        rc = gs_cli_sealed_against(s);
    }

    return rc;
}


int
gs_cli_sealed_start(gs_cli_sealed_t *s, gs_cli_t *cli,
    gs_cli_seal_load_pt load)
{
    int  rc;

    memset(s, 0, sizeof(gs_cli_sealed_t));

    s->cli = cli;
    s->index.fd = -1;
    s->path = gs_cli_option(cli, "seal");
    gs_cli_seal_log(cli, &s->log);

    rc = load(cli, &s->keys);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    s->tiles = gs_alloc(cli->mem, sizeof(gs_seal_tiles_t));

    if (s->tiles == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    return gs_cli_sealed_point(s);
}


void
gs_cli_sealed_free(gs_cli_sealed_t *s)
{
    gs_seal_keys_free(&s->keys);
    gs_seal_keys_free(&s->witnesses);
    gs_audit_hasher_free(&s->hasher);
    gs_cli_lines_close(&s->index);
    gs_free(&gs_mem_libc, s->slots);
    gs_free(&gs_mem_libc, s->chains);
}


void
gs_cli_sealed_bad(gs_cli_sealed_t *s, const char *kind, const char *en,
    const char *zh)
{
    if (s->kind == NULL) {
        s->kind = kind;
        s->en = en;
        s->zh = zh;
    }
}


static int
gs_cli_sealed_note(gs_cli_sealed_t *s, const gs_str_t *note,
    gs_audit_checkpoint_t *point)
{
    gs_rc_t   rc;
    unsigned  i, good;
    gs_str_t  text, rest;

    good = 0;

    for (i = 0; i < s->keys.n; i++) {
        rc = gs_audit_note_check(&s->keys.keys[i], note);

        if (rc == GS_ERROR) {
            gs_cli_sealed_bad(s, "forged", "the signature of the checkpoint "
                              "is wrong", "封存点的签名不符");
            return GS_CLI_NO;
        }

        if (rc == GS_OK) {
            good++;
            s->signer = i;
        }
    }

    if (good == 0 || gs_audit_note_split(note, &text, &rest) != GS_OK
        || gs_audit_checkpoint_parse(&text, point) != GS_OK
        || !gs_str_eq_text(&point->origin, s->keys.keys[0].name))
    {
        gs_cli_sealed_bad(s, "forged", "the checkpoint is signed by none of "
                          "the keys", "封存点不由任何所给密钥签署");
        return GS_CLI_NO;
    }

    return GS_CLI_YES;
}


static int
gs_cli_sealed_point(gs_cli_sealed_t *s)
{
    size_t                  len;
    gs_rc_t                 rc;
    gs_str_t                note, time, mark;
    const gs_uchar_t       *p;
    gs_audit_checkpoint_t   point;

    rc = gs_seal_get(&s->log, s->path, "checkpoint", s->note,
                     sizeof(s->note), &len);

    if (rc != GS_OK) {
        return (rc == GS_ERROR) ? GS_CLI_READ
               : gs_cli_fail(s->cli, GS_CLI_READ, "there is no checkpoint in "
                             "\"%s\"", s->path);
    }

    s->note_len = len;
    note = gs_str_make(s->note, len);
    (void) snprintf(s->origin, sizeof(s->origin), "%s", s->keys.keys[0].name);

    if (gs_cli_sealed_note(s, &note, &point) != GS_CLI_YES) {
        return GS_CLI_YES;
    }

    s->size = point.size;
    memcpy(s->root, point.root, GS_AUDIT_HASH);

    mark = gs_str_text("\ntime ");
    p = memmem(s->note, len, mark.data, mark.len);

    if (p != NULL) {
        time.data = p + mark.len;
        time.len = (size_t) (s->note + len - time.data);
        time.len = gs_str_chr(&time, 0, '\n');
        (void) snprintf(s->time, sizeof(s->time), "%.*s", (int) time.len,
                        (const char *) time.data);
    }

    if (gs_audit_hasher_init(&s->hasher, gs_audit_seal_alg(&point.origin))
        != GS_OK)
    {
        return gs_cli_fail(s->cli, GS_CLI_READ, "out of memory");
    }

    gs_seal_tiles(s->tiles, &s->log, s->path, s->size);

    return GS_CLI_YES;
}


/* From all leaves, comparing every kept node on the way. */

static int
gs_cli_sealed_tree(gs_cli_sealed_t *s)
{
    gs_rc_t           rc;
    gs_str_t          origin;
    unsigned          i;
    uint64_t          tile;
    gs_uchar_t        root[GS_AUDIT_HASH];
    gs_audit_tree_t   tree;
    gs_seal_tiles_t  *upper;

    origin = gs_str_text(s->origin);
    upper = gs_alloc(s->cli->mem, sizeof(gs_seal_tiles_t));

    if (upper == NULL
        || gs_audit_tree_init(&tree, gs_audit_seal_alg(&origin)) != GS_OK)
    {
        return gs_cli_fail(s->cli, GS_CLI_READ, "out of memory");
    }

    gs_seal_tiles(upper, &s->log, s->path, s->size);
    rc = GS_OK;

    for (tile = 0; rc == GS_OK && tree.size < s->size; tile++) {
        rc = gs_seal_tile(s->tiles, 0, tile);

        for (i = 0; rc == GS_OK && i < s->tiles->width; i++) {
            rc = gs_audit_tree_add_leaf(&tree, s->tiles->hashes
                                               + i * GS_AUDIT_HASH,
                                        gs_cli_sealed_keep, upper);
        }
    }

    if (rc == GS_OK) {
        rc = gs_audit_tree_root(&tree, root);
    }

    gs_audit_tree_free(&tree);

    if (rc != GS_OK || memcmp(root, s->root, GS_AUDIT_HASH) != 0) {
        gs_cli_sealed_bad(s, "edit", "the tiles do not give the root that was "
                          "signed", "瓦片与已签署的树根不符");
    }

    return GS_CLI_YES;
}


static gs_rc_t
gs_cli_sealed_keep(void *data, unsigned level, uint64_t index,
    const gs_uchar_t *hash)
{
    gs_uchar_t  kept[GS_AUDIT_HASH];

    if (level == 0) {
        return GS_OK;
    }

    if (gs_seal_node(data, level, index, kept) != GS_OK
        || memcmp(kept, hash, GS_AUDIT_HASH) != 0)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


/* A checkpoint that was kept elsewhere is a beginning of this tree. */

static int
gs_cli_sealed_against(gs_cli_sealed_t *s)
{
    gs_rc_t                 rc;
    gs_str_t                note;
    gs_uchar_t              root[GS_AUDIT_HASH];
    gs_audit_tree_t         tree;
    gs_audit_checkpoint_t   point;

    if (gs_cli_read(s->cli, gs_cli_option(s->cli, "against"), &note)
        != GS_OK)
    {
        return GS_CLI_READ;
    }

    if (gs_cli_sealed_note(s, &note, &point) != GS_CLI_YES) {
        return GS_CLI_YES;
    }

    gs_cli_sealed_witnessed(s, &note);

    if (point.size > s->size) {
        gs_cli_sealed_bad(s, "rollback", "the checkpoint is older than the "
                          "one kept elsewhere", "封存点比异处保存的更旧");
        return GS_CLI_YES;
    }

    s->anchored = point.size;

    if (gs_audit_tree_init(&tree, gs_audit_seal_alg(&point.origin)) != GS_OK) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "out of memory");
    }

    rc = gs_audit_tree_load(&tree, point.size, gs_seal_node, s->tiles);

    if (rc == GS_OK) {
        rc = gs_audit_tree_root(&tree, root);
    }

    gs_audit_tree_free(&tree);

    if (rc != GS_OK || memcmp(root, point.root, GS_AUDIT_HASH) != 0) {
        gs_cli_sealed_bad(s, "fork", "another history was signed elsewhere",
                          "异处签署的是另一份历史");
    }

    return GS_CLI_YES;
}


/* All of them, or as many as --quorum tells. */

static int
gs_cli_sealed_witnesses(gs_cli_sealed_t *s)
{
    int          rc;
    gs_str_t     text;
    const char  *quorum;

    rc = gs_cli_seal_witnesses(s->cli, &s->witnesses);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    quorum = gs_cli_option(s->cli, "quorum");

    if ((s->witnesses.n != 0 && gs_cli_option(s->cli, "against") == NULL)
        || (s->witnesses.n == 0 && quorum != NULL))
    {
        return gs_cli_fail(s->cli, GS_CLI_USAGE, s->witnesses.n != 0
                           ? "--witness needs --against"
                           : "--quorum needs --witness");
    }

    s->quorum = s->witnesses.n;

    if (quorum == NULL) {
        return GS_CLI_YES;
    }

    text = gs_str_text(quorum);

    if (gs_parse_u64(&text, &s->quorum) != GS_OK || s->quorum == 0
        || s->quorum > s->witnesses.n)
    {
        return gs_cli_fail(s->cli, GS_CLI_USAGE, "invalid --quorum \"%s\", "
                           "allowed: 1 to %u", quorum, s->witnesses.n);
    }

    return GS_CLI_YES;
}


static void
gs_cli_sealed_witnessed(gs_cli_sealed_t *s, const gs_str_t *note)
{
    gs_rc_t   rc;
    unsigned  i;
    uint64_t  good, time;

    good = 0;

    for (i = 0; i < s->witnesses.n; i++) {
        rc = gs_audit_note_cosigned(&s->witnesses.keys[i], note, &time);

        if (rc == GS_ERROR) {
            gs_cli_sealed_bad(s, "forged", "the signature of a witness is "
                              "wrong", "见证方的签名不符");
            return;
        }

        good += (rc == GS_OK);
    }

    if (good < s->quorum) {
        gs_cli_sealed_bad(s, "unwitnessed", "too few witnesses have signed "
                          "the checkpoint kept elsewhere",
                          "见证过异处封存点的见证方不足");
    }
}
