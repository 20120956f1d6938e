
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit cosign: the witness of another's log, C2SP tlog-witness without
 * its HTTP.
 *
 * A witness has two duties: never to sign two histories of one log, and never
 * to go back.  What it signed last is on its disk before anybody can see the
 * signature, and it trusts tiles only as far as a proof of consistency holds.
 */


#include "cli/gs_cli_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>


typedef struct {
    gs_cli_t               *cli;
    const char             *seal;
    const char             *state;
    gs_seal_log_t           log;
    gs_audit_key_t          key;           /* of the witness */
    gs_seal_keys_t          logs;
    gs_seal_tiles_t        *tiles;
    gs_str_t                note;
    gs_str_t                text;          /* of the note */
    gs_audit_checkpoint_t   point;
    gs_audit_checkpoint_t   was;           /* signed last */
    int                     lock;
    unsigned                has_key:1;
    unsigned                has_was:1;
} gs_cli_cosign_t;


static int gs_cli_cosign_run(gs_cli_t *cli);
static int gs_cli_cosign_open(gs_cli_cosign_t *c);
static int gs_cli_cosign_lock(gs_cli_cosign_t *c);
static int gs_cli_cosign_note(gs_cli_cosign_t *c);
static int gs_cli_cosign_state(gs_cli_cosign_t *c);
static int gs_cli_cosign_follows(gs_cli_cosign_t *c);
static int gs_cli_cosign_extends(gs_cli_cosign_t *c);
static int gs_cli_cosign_sign(gs_cli_cosign_t *c);
static int gs_cli_cosign_keep(gs_cli_cosign_t *c, const gs_str_t *note);
static int gs_cli_cosign_refuse(gs_cli_cosign_t *c, const char *kind,
    const char *en, const char *zh);


static const gs_cli_option_t  gs_cli_cosign_options[] = {
    { "key", "FILE", "key of this witness, from keygen --witness",
      "本见证方的私钥，由 keygen --witness 生成" },
    { "log", "PUBLIC", "public key of the log, as text or file; any of them",
      "日志的公钥，文本或文件，可多个" },
    { "state", "FILE", "where this witness keeps what it signed last",
      "本见证方保存最近一次见证的文件" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_cosign = {
    "audit", "cosign", "SEAL [NOTE]",
    "sign a checkpoint of another's log as its witness",
    "作为见证方为他方日志的封存点签名",
    "govsvc audit cosign /mnt/gw1/seal --key witness.key --log gw1.pub "
    "--state /var/lib/witness/gw1 > gw1.checkpoint",
    gs_cli_cosign_options,
    gs_cli_cosign_run
};


static int
gs_cli_cosign_run(gs_cli_t *cli)
{
    int              rc;
    gs_cli_cosign_t  c;

    if (cli->argc < 1 || cli->argc > 2
        || gs_cli_option(cli, "key") == NULL
        || gs_cli_option(cli, "log") == NULL
        || gs_cli_option(cli, "state") == NULL)
    {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit cosign needs the folder "
                           "of a seal, --key, --log and --state");
    }

    memset(&c, 0, sizeof(gs_cli_cosign_t));

    c.cli = cli;
    c.seal = cli->argv[0];
    c.state = gs_cli_option(cli, "state");
    c.lock = -1;
    gs_cli_seal_log(cli, &c.log);

    rc = gs_cli_cosign_open(&c);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_cosign_lock(&c);
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_cosign_note(&c);
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_cosign_state(&c);
    }

    if (rc == GS_CLI_YES && c.has_was) {
        rc = gs_cli_cosign_follows(&c);
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_cosign_sign(&c);
    }

    if (c.has_key) {
        gs_audit_key_free(&c.key);
    }

    if (c.lock != -1) {
        (void) close(c.lock);
    }

    gs_seal_keys_free(&c.logs);

    return rc;
}


static int
gs_cli_cosign_open(gs_cli_cosign_t *c)
{
    int  rc;

    rc = gs_cli_seal_option(c->cli, &c->logs, "log");

    if (rc != GS_CLI_YES) {
        return rc;
    }

    c->tiles = gs_alloc(c->cli->mem, sizeof(gs_seal_tiles_t));

    if (c->tiles == NULL) {
        return gs_cli_fail(c->cli, GS_CLI_READ, "out of memory");
    }

    if (gs_seal_key_witness(&c->key, gs_cli_option(c->cli, "key"), &c->log)
        != GS_OK)
    {
        return GS_CLI_READ;
    }

    c->has_key = 1;

    return GS_CLI_YES;
}


/* Two at once could each go on from the same state, to different ends. */

static int
gs_cli_cosign_lock(gs_cli_cosign_t *c)
{
    int   n;
    char  path[GS_SEAL_PATH];

    n = snprintf(path, sizeof(path), "%s.lock", c->state);

    if (n < 0 || (size_t) n >= sizeof(path)) {
        return gs_cli_fail(c->cli, GS_CLI_USAGE, "--state is too long");
    }

    c->lock = open(path, O_RDWR|O_CREAT|O_CLOEXEC, 0600);

    if (c->lock == -1 || flock(c->lock, LOCK_EX) == -1) {
        return gs_cli_fail(c->cli, GS_CLI_READ, "cannot lock \"%s\": %s", path,
                           strerror(errno));
    }

    return GS_CLI_YES;
}


/* Signed by the log itself: others' signatures are of no interest. */

static int
gs_cli_cosign_note(gs_cli_cosign_t *c)
{
    char      *data;
    size_t     len;
    gs_rc_t    rc;
    gs_str_t   rest;
    unsigned   i, good;

    if (c->cli->argc == 2) {
        if (gs_cli_read(c->cli, c->cli->argv[1], &c->note) != GS_OK) {
            return GS_CLI_READ;
        }

    } else {
        data = gs_alloc(c->cli->mem, GS_AUDIT_NOTE_MAX);

        if (data == NULL) {
            return gs_cli_fail(c->cli, GS_CLI_READ, "out of memory");
        }

        rc = gs_seal_get(&c->log, c->seal, "checkpoint", data,
                         GS_AUDIT_NOTE_MAX, &len);

        if (rc != GS_OK) {
            return (rc == GS_ERROR) ? GS_CLI_READ
                   : gs_cli_fail(c->cli, GS_CLI_READ, "there is no checkpoint "
                                 "in \"%s\"", c->seal);
        }

        c->note = gs_str_make(data, len);
    }

    good = 0;

    for (i = 0; i < c->logs.n; i++) {
        rc = gs_audit_note_check(&c->logs.keys[i], &c->note);

        if (rc == GS_ERROR) {
            good = 0;
            break;
        }

        good += (rc == GS_OK);
    }

    if (good == 0
        || gs_audit_note_split(&c->note, &c->text, &rest) != GS_OK
        || gs_audit_checkpoint_parse(&c->text, &c->point) != GS_OK
        || !gs_str_eq_text(&c->point.origin, c->logs.keys[0].name))
    {
        return gs_cli_cosign_refuse(c, "forged", "the checkpoint is not "
                                    "signed by the log",
                                    "封存点未由该日志签署");
    }

    return GS_CLI_YES;
}


/* What was signed last, of this log, by this key. */

static int
gs_cli_cosign_state(gs_cli_cosign_t *c)
{
    char      *data;
    gs_str_t   note, text, rest;
    uint64_t   time;

    if (access(c->state, F_OK) == -1 && errno == ENOENT) {
        fputs(c->cli->zh ? "govsvc：首次见证该日志，此前的历史未经比对\n"
                         : "govsvc: the first checkpoint of this log: what "
                           "was before it is not compared\n", stderr);
        return GS_CLI_YES;
    }

    if (gs_cli_read(c->cli, c->state, &note) != GS_OK) {
        return GS_CLI_READ;
    }

    if (gs_audit_note_cosigned(&c->key, &note, &time) != GS_OK
        || gs_audit_note_split(&note, &text, &rest) != GS_OK)
    {
        return gs_cli_fail(c->cli, GS_CLI_READ, "\"%s\" was not signed by this "
                           "witness", c->state);
    }

    /* was.origin points into it */

    data = gs_alloc(c->cli->mem, text.len);

    if (data == NULL) {
        return gs_cli_fail(c->cli, GS_CLI_READ, "out of memory");
    }

    memcpy(data, text.data, text.len);
    text.data = (gs_uchar_t *) data;

    if (gs_audit_checkpoint_parse(&text, &c->was) != GS_OK
        || !gs_str_eq(&c->was.origin, &c->point.origin))
    {
        return gs_cli_fail(c->cli, GS_CLI_READ, "\"%s\" is of another log",
                           c->state);
    }

    c->has_was = 1;

    return GS_CLI_YES;
}


static int
gs_cli_cosign_follows(gs_cli_cosign_t *c)
{
    if (c->point.size < c->was.size) {
        return gs_cli_cosign_refuse(c, "rollback", "the checkpoint is older "
                                    "than one that was cosigned",
                                    "封存点比已见证的更旧");
    }

    if (c->was.size == 0) {
        return GS_CLI_YES;
    }

    if (c->point.size == c->was.size) {
        return (memcmp(c->point.root, c->was.root, GS_AUDIT_HASH) == 0)
               ? GS_CLI_YES
               : gs_cli_cosign_refuse(c, "fork", "another tree of this size "
                                      "was cosigned",
                                      "已见证过同样大小的另一棵树");
    }

    return gs_cli_cosign_extends(c);
}


static int
gs_cli_cosign_extends(gs_cli_cosign_t *c)
{
    gs_rc_t            rc;
    gs_audit_tiles_t   tiles;
    gs_audit_proof_t   proof;
    gs_audit_hasher_t  hasher;

    if (gs_audit_hasher_init(&hasher, gs_audit_seal_alg(&c->point.origin))
        != GS_OK)
    {
        return gs_cli_fail(c->cli, GS_CLI_READ, "out of memory");
    }

    gs_seal_tiles(c->tiles, &c->log, c->seal, c->point.size);

    tiles.hasher = &hasher;
    tiles.read = gs_seal_node;
    tiles.data = c->tiles;

    rc = gs_audit_tree_extend(&tiles, c->was.size, c->point.size, &proof);

    if (rc != GS_OK) {
        gs_audit_hasher_free(&hasher);
        return gs_cli_fail(c->cli, GS_CLI_READ, "a tile in \"%s\" is missing "
                           "or cannot be read", c->seal);
    }

    rc = gs_audit_tree_check_extend(&hasher, c->was.size, c->was.root,
                                    c->point.size, c->point.root, &proof);

    gs_audit_hasher_free(&hasher);

    return (rc == GS_OK) ? GS_CLI_YES
           : gs_cli_cosign_refuse(c, "fork", "the tree does not begin with "
                                  "the one that was cosigned",
                                  "该树不以已见证的树为开头");
}


static int
gs_cli_cosign_sign(gs_cli_cosign_t *c)
{
    int              rc;
    char            *data;
    gs_buf_t         b;
    gs_str_t         view;
    struct timespec  ts;

    data = gs_alloc(c->cli->mem, GS_AUDIT_NOTE_MAX);

    if (data == NULL) {
        return gs_cli_fail(c->cli, GS_CLI_READ, "out of memory");
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    gs_buf_init(&b, data, GS_AUDIT_NOTE_MAX);
    gs_buf_str(&b, &c->note);

    if (gs_audit_note_cosign(&c->key, &c->text, (uint64_t) ts.tv_sec, &b)
        != GS_OK)
    {
        return gs_cli_fail(c->cli, GS_CLI_READ, "the checkpoint cannot be "
                           "signed");
    }

    view = gs_buf_view(&b);
    rc = gs_cli_cosign_keep(c, &view);

    if (rc == GS_CLI_YES
        && (fwrite(view.data, 1, view.len, stdout) != view.len
            || fflush(stdout) != 0))
    {
        rc = gs_cli_fail(c->cli, GS_CLI_READ, "cannot write the checkpoint");
    }

    return rc;
}


static int
gs_cli_cosign_keep(gs_cli_cosign_t *c, const gs_str_t *note)
{
    char    *slash, dir[GS_SEAL_PATH];
    size_t   len;

    len = strlen(c->state);
    memcpy(dir, c->state, len + 1);
    slash = strrchr(dir, '/');

    if (slash == NULL) {
        dir[0] = '.';
        dir[1] = '\0';

    } else {
        slash[slash == dir ? 1 : 0] = '\0';
    }

    return (gs_seal_put(&c->log, dir, gs_seal_base(c->state), note) == GS_OK)
           ? GS_CLI_YES : GS_CLI_READ;
}


static int
gs_cli_cosign_refuse(gs_cli_cosign_t *c, const char *kind, const char *en,
    const char *zh)
{
    return gs_cli_fail(c->cli, GS_CLI_NO, "%s: %s", kind, c->cli->zh ? zh : en);
}
