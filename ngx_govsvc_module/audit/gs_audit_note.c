
/*
 * Copyright (C) govsvc authors
 *
 * Signed checkpoints of the tree.
 */


#include "audit/gs_audit_note.h"
#include "core/gs_b64.h"

#include <openssl/err.h>
#include <openssl/evp.h>


#define GS_AUDIT_SIG_MAX   128             /* key hash and signature */
#define GS_AUDIT_ROOT_B64  44
#define GS_AUDIT_STAMP     8               /* bytes of a time, big-endian */
#define GS_AUDIT_WITNESSED_MAX  (GS_AUDIT_NOTE_MAX + 64)


static gs_rc_t gs_audit_note_put(const gs_audit_key_t *key,
    const gs_str_t *text, size_t head, gs_uchar_t *sig, gs_buf_t *b);
static void gs_audit_note_witnessed(gs_buf_t *b, uint64_t time,
    const gs_str_t *text);
static gs_rc_t gs_audit_note_find(const gs_audit_key_t *key,
    const gs_str_t *note, uint64_t *time);
static gs_rc_t gs_audit_note_valid(const gs_audit_key_t *key,
    const gs_str_t *text, const gs_uchar_t *sig, size_t len, uint64_t *time);
static EVP_MD_CTX *gs_audit_note_md_ctx(const gs_audit_key_t *key,
    EVP_PKEY_CTX **pctx);
static gs_rc_t gs_audit_note_verify(const gs_audit_key_t *key,
    const gs_str_t *text, const gs_uchar_t *sig, size_t len);
static gs_rc_t gs_audit_note_line(gs_str_t *rest, gs_str_t *line);
static gs_rc_t gs_audit_note_signature(const gs_str_t *line, gs_str_t *name,
    gs_uchar_t *sig, size_t *len);


static const gs_str_t  gs_audit_note_dash = gs_string("\xe2\x80\x94 ");

/* the default id of GB/T 35276 */
static const gs_str_t  gs_audit_note_sm2_id = gs_string("1234567812345678");


void
gs_audit_checkpoint_put(gs_buf_t *b, const gs_audit_checkpoint_t *point)
{
    gs_uchar_t  root[GS_AUDIT_ROOT_B64];

    gs_b64_encode(root, point->root, GS_AUDIT_HASH);

    gs_buf_str(b, &point->origin);
    gs_buf_char(b, '\n');
    gs_buf_u64(b, point->size);
    gs_buf_char(b, '\n');
    gs_buf_put(b, root, GS_AUDIT_ROOT_B64);
    gs_buf_char(b, '\n');
}


gs_rc_t
gs_audit_checkpoint_parse(const gs_str_t *text, gs_audit_checkpoint_t *point)
{
    size_t      n;
    gs_str_t    rest, size, root;
    gs_uchar_t  raw[GS_AUDIT_ROOT_B64 / 4 * 3];

    rest = *text;

    if (gs_audit_note_line(&rest, &point->origin) != GS_OK
        || point->origin.len == 0
        || gs_audit_note_line(&rest, &size) != GS_OK
        || gs_audit_note_line(&rest, &root) != GS_OK
        || gs_parse_u64(&size, &point->size) != GS_OK
        || (size.len > 1 && size.data[0] == '0')
        || root.len != GS_AUDIT_ROOT_B64
        || gs_b64_decode(raw, &n, &root) != GS_OK
        || n != GS_AUDIT_HASH)
    {
        return GS_ERROR;
    }

    memcpy(point->root, raw, GS_AUDIT_HASH);

    return GS_OK;
}


/* The line without its LF. */

static gs_rc_t
gs_audit_note_line(gs_str_t *rest, gs_str_t *line)
{
    size_t  n;

    n = gs_str_chr(rest, 0, '\n');

    if (n == rest->len) {
        return GS_ERROR;
    }

    *line = gs_str_make(rest->data, n);
    *rest = gs_str_make(rest->data + n + 1, rest->len - n - 1);

    return GS_OK;
}


gs_rc_t
gs_audit_note_sign(const gs_audit_key_t *key, const gs_str_t *text,
    gs_buf_t *b)
{
    gs_uchar_t  sig[GS_AUDIT_SIG_MAX];

    if (!key->private || key->type == GS_AUDIT_KEY_WITNESS
        || text->len == 0 || text->data[text->len - 1] != '\n')
    {
        return GS_ERROR;
    }

    return gs_audit_note_put(key, text, 4, sig, b);
}


gs_rc_t
gs_audit_note_cosign(const gs_audit_key_t *key, const gs_str_t *text,
    uint64_t time, gs_buf_t *b)
{
    gs_buf_t    message;
    gs_str_t    view;
    unsigned    i;
    gs_uchar_t  sig[GS_AUDIT_SIG_MAX], buf[GS_AUDIT_WITNESSED_MAX];

    if (!key->private || key->type != GS_AUDIT_KEY_WITNESS
        || time > INT64_MAX || text->len == 0
        || text->data[text->len - 1] != '\n')
    {
        return GS_ERROR;
    }

    for (i = 0; i < GS_AUDIT_STAMP; i++) {
        sig[4 + i] = (gs_uchar_t) (time >> 8 * (GS_AUDIT_STAMP - 1 - i));
    }

    gs_buf_init(&message, buf, sizeof(buf));
    gs_audit_note_witnessed(&message, time, text);

    if (message.overflow) {
        return GS_ERROR;
    }

    view = gs_buf_view(&message);

    return gs_audit_note_put(key, &view, 4 + GS_AUDIT_STAMP, sig, b);
}


/* C2SP tlog-cosignature, "Ed25519 signed message". */

static void
gs_audit_note_witnessed(gs_buf_t *b, uint64_t time, const gs_str_t *text)
{
    gs_buf_text(b, "cosignature/v1\ntime ");
    gs_buf_u64(b, time);
    gs_buf_char(b, '\n');
    gs_buf_str(b, text);
}


/* The signature goes behind head bytes of sig, the key hash before them. */

static gs_rc_t
gs_audit_note_put(const gs_audit_key_t *key, const gs_str_t *text, size_t head,
    gs_uchar_t *sig, gs_buf_t *b)
{
    size_t         n;
    gs_rc_t        rc;
    gs_uchar_t     b64[(GS_AUDIT_SIG_MAX + 2) / 3 * 4];
    EVP_MD_CTX    *ctx;
    EVP_PKEY_CTX  *pctx;

    rc = GS_ERROR;
    n = GS_AUDIT_SIG_MAX - head;
    ctx = gs_audit_note_md_ctx(key, &pctx);

    if (ctx != NULL
        && EVP_DigestSignInit(ctx, NULL, key->type == GS_AUDIT_KEY_SM2
                                         ? EVP_sm3() : NULL,
                              NULL, key->pkey) == 1
        && EVP_DigestSign(ctx, sig + head, &n, text->data, text->len) == 1)
    {
        memcpy(sig, key->id, 4);

        gs_buf_str(b, &gs_audit_note_dash);
        gs_buf_put(b, key->name, key->name_len);
        gs_buf_char(b, ' ');
        gs_buf_put(b, b64, gs_b64_encode(b64, sig, n + head));
        gs_buf_char(b, '\n');

        rc = b->overflow ? GS_ERROR : GS_OK;
    }

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pctx);
    ERR_clear_error();

    return rc;
}


/* SM2 signs its id with the text; libcrypto takes it in a context of ours. */

static EVP_MD_CTX *
gs_audit_note_md_ctx(const gs_audit_key_t *key, EVP_PKEY_CTX **pctx)
{
    EVP_MD_CTX  *ctx;

    *pctx = NULL;
    ctx = EVP_MD_CTX_new();

    if (ctx == NULL || key->type != GS_AUDIT_KEY_SM2) {
        return ctx;
    }

    *pctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);

    if (*pctx == NULL
        || EVP_PKEY_CTX_set1_id(*pctx, gs_audit_note_sm2_id.data,
                                (int) gs_audit_note_sm2_id.len) != 1)
    {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }

    EVP_MD_CTX_set_pkey_ctx(ctx, *pctx);

    return ctx;
}


gs_rc_t
gs_audit_note_split(const gs_str_t *note, gs_str_t *text,
    gs_str_t *signatures)
{
    size_t  i, end;

    if (note->len < 3 || note->len > GS_AUDIT_NOTE_MAX
        || note->data[note->len - 1] != '\n')
    {
        return GS_ERROR;
    }

    /* the text ends at the last blank line */

    end = 0;

    for (i = 1; i + 1 < note->len; i++) {
        if (note->data[i] == '\n' && note->data[i - 1] == '\n') {
            end = i;
        }
    }

    if (end == 0) {
        return GS_ERROR;
    }

    *text = gs_str_make(note->data, end);
    *signatures = gs_str_make(note->data + end + 1, note->len - end - 1);

    return GS_OK;
}


gs_rc_t
gs_audit_note_check(const gs_audit_key_t *key, const gs_str_t *note)
{
    uint64_t  time;

    return (key->type == GS_AUDIT_KEY_WITNESS)
           ? GS_DECLINED : gs_audit_note_find(key, note, &time);
}


gs_rc_t
gs_audit_note_cosigned(const gs_audit_key_t *key, const gs_str_t *note,
    uint64_t *time)
{
    *time = 0;

    return (key->type == GS_AUDIT_KEY_WITNESS)
           ? gs_audit_note_find(key, note, time) : GS_DECLINED;
}


static gs_rc_t
gs_audit_note_find(const gs_audit_key_t *key, const gs_str_t *note,
    uint64_t *time)
{
    size_t      len;
    gs_rc_t     rc;
    gs_str_t    text, rest, line, name;
    uint64_t    stamp;
    gs_uchar_t  sig[GS_AUDIT_NOTE_MAX];

    *time = 0;

    if (gs_audit_note_split(note, &text, &rest) != GS_OK) {
        return GS_ERROR;
    }

    rc = GS_DECLINED;

    while (rest.len != 0) {

        if (gs_audit_note_line(&rest, &line) != GS_OK
            || gs_audit_note_signature(&line, &name, sig, &len) != GS_OK)
        {
            return GS_ERROR;
        }

        if (name.len != key->name_len
            || memcmp(name.data, key->name, name.len) != 0
            || memcmp(sig, key->id, 4) != 0)
        {
            continue;
        }

        if (gs_audit_note_valid(key, &text, sig + 4, len - 4, &stamp)
            != GS_OK)
        {
            return GS_ERROR;
        }

        if (stamp > *time) {
            *time = stamp;
        }

        rc = GS_OK;
    }

    return rc;
}


static gs_rc_t
gs_audit_note_valid(const gs_audit_key_t *key, const gs_str_t *text,
    const gs_uchar_t *sig, size_t len, uint64_t *time)
{
    gs_buf_t    b;
    gs_str_t    view;
    unsigned    i;
    gs_uchar_t  buf[GS_AUDIT_WITNESSED_MAX];

    *time = 0;

    if (key->type != GS_AUDIT_KEY_WITNESS) {
        return gs_audit_note_verify(key, text, sig, len);
    }

    if (len <= GS_AUDIT_STAMP) {
        return GS_ERROR;
    }

    for (i = 0; i < GS_AUDIT_STAMP; i++) {
        *time = *time << 8 | sig[i];
    }

    gs_buf_init(&b, buf, sizeof(buf));
    gs_audit_note_witnessed(&b, *time, text);

    if (b.overflow || *time > INT64_MAX) {
        return GS_ERROR;
    }

    view = gs_buf_view(&b);

    return gs_audit_note_verify(key, &view, sig + GS_AUDIT_STAMP,
                                len - GS_AUDIT_STAMP);
}


static gs_rc_t
gs_audit_note_signature(const gs_str_t *line, gs_str_t *name, gs_uchar_t *sig,
    size_t *len)
{
    size_t    from, blank;
    gs_str_t  b64;

    from = gs_audit_note_dash.len;

    if (!gs_str_prefix(line, &gs_audit_note_dash)) {
        return GS_ERROR;
    }

    blank = gs_str_chr(line, from, ' ');

    if (blank == from || blank == line->len) {
        return GS_ERROR;
    }

    *name = gs_str_make(line->data + from, blank - from);
    b64 = gs_str_make(line->data + blank + 1, line->len - blank - 1);

    if (gs_b64_decode(sig, len, &b64) != GS_OK || *len < 5) {
        return GS_ERROR;
    }

    return GS_OK;
}


static gs_rc_t
gs_audit_note_verify(const gs_audit_key_t *key, const gs_str_t *text,
    const gs_uchar_t *sig, size_t len)
{
    gs_rc_t        rc;
    EVP_MD_CTX    *ctx;
    EVP_PKEY_CTX  *pctx;

    rc = GS_ERROR;
    ctx = gs_audit_note_md_ctx(key, &pctx);

    if (ctx != NULL
        && EVP_DigestVerifyInit(ctx, NULL, key->type == GS_AUDIT_KEY_SM2
                                           ? EVP_sm3() : NULL,
                                NULL, key->pkey) == 1
        && EVP_DigestVerify(ctx, sig, len, text->data, text->len) == 1)
    {
        rc = GS_OK;
    }

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pctx);
    ERR_clear_error();

    return rc;
}
