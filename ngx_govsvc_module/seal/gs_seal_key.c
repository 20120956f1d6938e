
/*
 * Copyright (C) govsvc authors
 *
 * Private keys of seals: the name of the log in a line of its own before the
 * PEM of the key, as "govsvc audit keygen" writes them.
 */


#include "seal/gs_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>


#define GS_SEAL_KEY_MAX  4096


static gs_rc_t gs_seal_key_read(const char *path, char *text, size_t *len,
    const gs_seal_log_t *log);
static gs_rc_t gs_seal_key_load(gs_audit_key_t *key, const char *path,
    const char *head, const gs_seal_log_t *log);
static gs_rc_t gs_seal_key_parse(gs_audit_key_t *key, const char *path,
    const char *head, const gs_str_t *text, const gs_seal_log_t *log);


gs_rc_t
gs_seal_key_add(gs_seal_keys_t *keys, const char *path,
    const gs_seal_log_t *log)
{
    gs_rc_t          rc;
    gs_audit_key_t  *key;

    if (keys->n == GS_SEAL_KEYS) {
        return gs_seal_fail(log, GS_DECLINED, "more than %d keys",
                            GS_SEAL_KEYS);
    }

    key = &keys->keys[keys->n];
    rc = gs_seal_key_load(key, path, GS_SEAL_KEY_HEAD, log);

    if (rc != GS_OK) {
        return rc;
    }

    if (keys->n != 0 && strcmp(key->name, keys->keys[0].name) != 0) {
        gs_audit_key_free(key);
        return gs_seal_fail(log, GS_DECLINED, "\"%s\" is of another log than "
                            "the first key", path);
    }

    keys->n++;

    return GS_OK;
}


gs_rc_t
gs_seal_key_witness(gs_audit_key_t *key, const char *path,
    const gs_seal_log_t *log)
{
    if (gs_seal_key_load(key, path, GS_SEAL_KEY_WITNESS, log) != GS_OK) {
        return GS_ERROR;
    }

    if (gs_audit_key_witness(key) != GS_OK) {
        gs_audit_key_free(key);
        return gs_seal_fail(log, GS_ERROR, "\"%s\" is of another kind, a "
                            "witness signs with Ed25519", path);
    }

    return GS_OK;
}


static gs_rc_t
gs_seal_key_load(gs_audit_key_t *key, const char *path, const char *head,
    const gs_seal_log_t *log)
{
    char      data[GS_SEAL_KEY_MAX];
    size_t    len;
    gs_rc_t   rc;
    gs_str_t  text;

    len = 0;
    rc = gs_seal_key_read(path, data, &len, log);

    if (rc == GS_OK) {
        text = gs_str_make(data, len);
        rc = gs_seal_key_parse(key, path, head, &text, log);
    }

    explicit_bzero(data, sizeof(data));

    return rc;
}


/* The file that is read is the one whose mode was seen. */

static gs_rc_t
gs_seal_key_read(const char *path, char *text, size_t *len,
    const gs_seal_log_t *log)
{
    int          fd, err;
    ssize_t      n;
    struct stat  st;

    fd = open(path, O_RDONLY|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1 || fstat(fd, &st) == -1) {
        err = errno;

        if (fd != -1) {
            (void) close(fd);
        }

        return gs_seal_fail(log, GS_ERROR, "cannot open \"%s\": %s%s", path,
                            strerror(err), err != ENOENT ? ""
                            : "; make a key with govsvc audit keygen");
    }

    if ((st.st_mode & 077) != 0) {
        (void) close(fd);
        return gs_seal_fail(log, GS_ERROR, "\"%s\" may be read by others, "
                            "allowed: mode 0600", path);
    }

    n = read(fd, text, GS_SEAL_KEY_MAX);
    err = errno;

    (void) close(fd);

    if (n == -1) {
        return gs_seal_fail(log, GS_ERROR, "cannot read \"%s\": %s", path,
                            strerror(err));
    }

    *len = (size_t) n;

    return GS_OK;
}


static gs_rc_t
gs_seal_key_parse(gs_audit_key_t *key, const char *path, const char *head,
    const gs_str_t *text, const gs_seal_log_t *log)
{
    size_t    lf;
    gs_err_t  err;
    gs_str_t  prefix, name, pem;

    prefix = gs_str_text(head);
    lf = gs_str_chr(text, 0, '\n');

    if (!gs_str_prefix(text, &prefix) || lf == text->len) {
        return gs_seal_fail(log, GS_ERROR, "\"%s\" is no key made by govsvc "
                            "audit keygen", path);
    }

    name = gs_str_make(text->data + prefix.len, lf - prefix.len);
    pem = gs_str_make(text->data + lf + 1, text->len - lf - 1);
    memset(&err, 0, sizeof(gs_err_t));

    if (gs_audit_key_private(key, &name, &pem, &err) != GS_OK) {
        return gs_seal_fail(log, GS_ERROR, "%s: %s", path, err.text);
    }

    return GS_OK;
}


void
gs_seal_keys_free(gs_seal_keys_t *keys)
{
    while (keys->n != 0) {
        gs_audit_key_free(&keys->keys[--keys->n]);
    }
}
