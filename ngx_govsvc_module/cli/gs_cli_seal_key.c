
/*
 * Copyright (C) govsvc authors
 *
 * Keys of seals: making and reading them.
 *
 * NAME.key holds the name of the log in a line of its own before the PEM of
 * the private key, NAME.pub the public key as text.
 */


#include "cli/gs_cli_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


#define GS_CLI_KEY_MAX   4096


static int gs_cli_keygen_run(gs_cli_t *cli);
static int gs_cli_keygen_write(gs_cli_t *cli, const char *dir,
    const char *file, mode_t mode, const void *data, size_t len);
static void gs_cli_seal_tell(void *data, const char *text);


static const gs_cli_option_t  gs_cli_keygen_options[] = {
    { "alg", "ed25519|sm2", "how it signs (ed25519)", "签名算法（ed25519）" },
    { "name", "ORIGIN", "name of the log: gov.example/gd/gw1, or ending in "
      "/sm3 for a tree of SM3; or of the witness",
      "日志名称：gov.example/gd/gw1，以 /sm3 结尾则用 SM3 建树；或见证方名称" },
    { "out", "DIR", "folder for seal.key and seal.pub", "存放密钥的目录" },
    { "witness", NULL, "a key that signs the checkpoints of others: "
      "witness.key and witness.pub",
      "见证方密钥，用于见证他方的封存点：witness.key 与 witness.pub" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_keygen = {
    "audit", "keygen", "",
    "make a key that signs seals",
    "生成签署封存点的密钥",
    "govsvc audit keygen --alg sm2 --name gov.example/gd/gw1/sm3 --out "
    "/etc/govsvc/seal",
    gs_cli_keygen_options,
    gs_cli_keygen_run
};


static int
gs_cli_keygen_run(gs_cli_t *cli)
{
    int              rc, witness;
    char             text[GS_CLI_KEY_MAX];
    size_t           head, len;
    gs_buf_t         b;
    gs_err_t         err;
    gs_str_t         name, s;
    const char      *out, *alg, *origin;
    gs_uchar_t       public[GS_AUDIT_KEY_TEXT_MAX];
    gs_audit_key_t   key;

    alg = gs_cli_option(cli, "alg");
    origin = gs_cli_option(cli, "name");
    out = gs_cli_option(cli, "out");

    if (cli->argc != 0 || origin == NULL || out == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE,
                           "audit keygen needs --name and --out");
    }

    alg = (alg == NULL) ? "ed25519" : alg;

    if (strcmp(alg, "ed25519") != 0 && strcmp(alg, "sm2") != 0) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid --alg \"%s\", "
                           "allowed: ed25519, sm2", alg);
    }

    witness = (gs_cli_option(cli, "witness") != NULL);

    if (witness && strcmp(alg, "ed25519") != 0) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "a witness signs with ed25519");
    }

    if (strlen(origin) > GS_AUDIT_KEY_NAME_MAX) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--name is too long, allowed: "
                           "1 to 128 characters");
    }

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_text(&b, witness ? GS_SEAL_KEY_WITNESS : GS_SEAL_KEY_HEAD);
    gs_buf_text(&b, origin);
    gs_buf_char(&b, '\n');
    head = gs_buf_len(&b);

    if (gs_audit_key_generate(strcmp(alg, "sm2") == 0 ? GS_AUDIT_KEY_SM2
                                                      : GS_AUDIT_KEY_ED25519,
                              &b)
        != GS_OK)
    {
        return gs_cli_fail(cli, GS_CLI_READ, "libcrypto cannot make a key of "
                           "%s", alg);
    }

    memset(&err, 0, sizeof(gs_err_t));
    len = gs_buf_len(&b);
    name = gs_str_text(origin);
    s = gs_str_make(text + head, len - head);

    if (gs_audit_key_private(&key, &name, &s, &err) != GS_OK
        || (witness && gs_audit_key_witness(&key) != GS_OK))
    {
        explicit_bzero(text, sizeof(text));
        return gs_cli_fail(cli, GS_CLI_USAGE, "%s", err.text);
    }

    gs_buf_init(&b, public, sizeof(public));
    gs_audit_key_text(&key, &b);
    gs_buf_char(&b, '\n');
    gs_audit_key_free(&key);

    rc = gs_cli_keygen_write(cli, out, witness ? "witness.key" : "seal.key",
                             0600, text, len);
    explicit_bzero(text, sizeof(text));

    if (rc == GS_CLI_YES) {
        rc = gs_cli_keygen_write(cli, out,
                                 witness ? "witness.pub" : "seal.pub", 0644,
                                 public, gs_buf_len(&b));
    }

    if (rc == GS_CLI_YES) {
        (void) fwrite(public, 1, gs_buf_len(&b), stdout);
    }

    return rc;
}


/* No key is ever written over. */

static int
gs_cli_keygen_write(gs_cli_t *cli, const char *dir, const char *file,
    mode_t mode, const void *data, size_t len)
{
    int            fd, failed;
    char           path[GS_SEAL_PATH];
    gs_seal_log_t  log;

    gs_cli_seal_log(cli, &log);

    if (gs_seal_path(&log, path, dir, file) != GS_OK) {
        return GS_CLI_READ;
    }

    fd = open(path, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, mode);
    failed = (fd == -1);

    if (!failed) {
        failed = (fchmod(fd, mode) == -1
                  || write(fd, data, len) != (ssize_t) len
                  || fsync(fd) == -1);
        failed = (close(fd) == -1 || failed);
    }

    if (failed || gs_seal_sync(dir) == -1) {
        return gs_cli_fail(cli, GS_CLI_READ, "cannot write \"%s\": %s", path,
                           strerror(errno));
    }

    return GS_CLI_YES;
}


int
gs_cli_seal_private(gs_cli_t *cli, gs_seal_keys_t *keys)
{
    gs_rc_t         rc;
    unsigned        i;
    const char     *path;
    gs_seal_log_t   log;

    gs_cli_seal_log(cli, &log);
    keys->n = 0;

    for (i = 0; /* void */; i++) {
        path = gs_cli_option_n(cli, "key", i);

        if (path == NULL) {
            break;
        }

        rc = gs_seal_key_add(keys, path, &log);

        if (rc != GS_OK) {
            gs_seal_keys_free(keys);
            return (rc == GS_DECLINED) ? GS_CLI_USAGE : GS_CLI_READ;
        }
    }

    return (keys->n != 0) ? GS_CLI_YES
           : gs_cli_fail(cli, GS_CLI_USAGE, "--key FILE is missing");
}


int
gs_cli_seal_public(gs_cli_t *cli, gs_seal_keys_t *keys)
{
    int       rc;
    unsigned  i;

    rc = gs_cli_seal_option(cli, keys, "key");

    for (i = 0; rc == GS_CLI_YES && i < keys->n; i++) {
        if (keys->keys[i].type == GS_AUDIT_KEY_WITNESS) {
            rc = gs_cli_fail(cli, GS_CLI_USAGE, "--key %s is the key of a "
                             "witness", keys->keys[i].name);
        }
    }

    return (rc != GS_CLI_YES || keys->n != 0) ? rc
           : gs_cli_fail(cli, GS_CLI_USAGE, "--key PUBLIC is missing");
}


int
gs_cli_seal_witnesses(gs_cli_t *cli, gs_seal_keys_t *keys)
{
    int       rc;
    unsigned  i, k;

    rc = gs_cli_seal_option(cli, keys, "witness");

    for (i = 0; rc == GS_CLI_YES && i < keys->n; i++) {

        if (keys->keys[i].type != GS_AUDIT_KEY_WITNESS) {
            return gs_cli_fail(cli, GS_CLI_USAGE, "--witness %s is no key of "
                               "a witness", keys->keys[i].name);
        }

        /* one that is given twice is not two */

        for (k = 0; k < i; k++) {
            if (memcmp(keys->keys[k].public, keys->keys[i].public,
                       keys->keys[i].public_len)
                == 0)
            {
                return gs_cli_fail(cli, GS_CLI_USAGE, "--witness %s is given "
                                   "twice", keys->keys[i].name);
            }
        }
    }

    return rc;
}


int
gs_cli_seal_option(gs_cli_t *cli, gs_seal_keys_t *keys, const char *option)
{
    gs_err_t     err;
    gs_str_t     text;
    const char  *value;

    for (keys->n = 0; ; keys->n++) {
        value = gs_cli_option_n(cli, option, keys->n);

        if (value == NULL) {
            return GS_CLI_YES;
        }

        if (keys->n == GS_SEAL_KEYS) {
            return gs_cli_fail(cli, GS_CLI_USAGE, "more than %d keys",
                               GS_SEAL_KEYS);
        }

        text = gs_str_text(value);

        if (access(value, F_OK) == 0
            && gs_cli_read(cli, value, &text) != GS_OK)
        {
            return GS_CLI_READ;
        }

        while (text.len != 0 && text.data[text.len - 1] == '\n') {
            text.len--;
        }

        memset(&err, 0, sizeof(gs_err_t));

        if (gs_audit_key_public(&keys->keys[keys->n], &text, &err) != GS_OK) {
            return gs_cli_fail(cli, GS_CLI_USAGE, "%s", err.text);
        }
    }
}


void
gs_cli_seal_log(gs_cli_t *cli, gs_seal_log_t *log)
{
    log->tell = gs_cli_seal_tell;
    log->data = cli;
    log->zh = cli->zh;
}


static void
gs_cli_seal_tell(void *data, const char *text)
{
    (void) gs_cli_fail(data, GS_CLI_READ, "%s", text);
}


int
gs_cli_seal_code(gs_rc_t rc)
{
    switch (rc) {

    case GS_OK:
    case GS_AGAIN:
    case GS_DONE:
        return GS_CLI_YES;

    case GS_DECLINED:
        return GS_CLI_NO;

    default:
        return GS_CLI_READ;
    }
}
