
/*
 * Copyright (C) govsvc authors
 *
 * One record with what proves it.
 */


#include "audit/gs_audit_bundle.h"
#include "audit/gs_audit_scan.h"
#include "audit/gs_audit_seal.h"
#include "core/gs_b64.h"


#define GS_AUDIT_BUNDLE_HEAD  "govsvc-audit-proof 1\n"


static void gs_audit_bundle_hash(gs_buf_t *b, const char *word,
    const gs_uchar_t *hash);
static gs_rc_t gs_audit_bundle_field(gs_str_t *rest, const char *word,
    gs_str_t *value);
static gs_rc_t gs_audit_bundle_get(const gs_str_t *text, gs_uchar_t *hash);
static gs_rc_t gs_audit_bundle_chain(const gs_audit_bundle_t *bundle,
    gs_uchar_t *h, gs_err_t *err);


void
gs_audit_bundle_put(gs_buf_t *b, const gs_audit_bundle_t *bundle)
{
    unsigned  i;

    gs_buf_text(b, GS_AUDIT_BUNDLE_HEAD "alg ");
    gs_buf_text(b, gs_audit_alg_name(bundle->alg));
    gs_buf_char(b, '\n');
    gs_audit_bundle_hash(b, "previous ", bundle->previous);
    gs_buf_text(b, "line ");
    gs_buf_str(b, &bundle->line);
    gs_buf_text(b, "\nindex ");
    gs_buf_u64(b, bundle->index);
    gs_buf_char(b, '\n');

    for (i = 0; i < bundle->path.n; i++) {
        gs_audit_bundle_hash(b, "path ", bundle->path.hash[i]);
    }

    gs_buf_char(b, '\n');
    gs_buf_str(b, &bundle->note);
}


static void
gs_audit_bundle_hash(gs_buf_t *b, const char *word, const gs_uchar_t *hash)
{
    gs_uchar_t  text[GS_AUDIT_HASH_TEXT];

    gs_b64url_encode(text, hash, GS_AUDIT_HASH);
    gs_buf_text(b, word);
    gs_buf_put(b, text, sizeof(text));
    gs_buf_char(b, '\n');
}


gs_rc_t
gs_audit_bundle_parse(const gs_str_t *text, gs_audit_bundle_t *bundle)
{
    gs_str_t  rest, head, value;

    head = gs_str_text(GS_AUDIT_BUNDLE_HEAD);

    if (text->len > GS_AUDIT_BUNDLE_MAX || !gs_str_prefix(text, &head)) {
        return GS_ERROR;
    }

    rest = gs_str_make(text->data + head.len, text->len - head.len);

    if (gs_audit_bundle_field(&rest, "alg ", &value) != GS_OK
        || gs_audit_alg_find(&value, &bundle->alg) != GS_OK
        || gs_audit_bundle_field(&rest, "previous ", &value) != GS_OK
        || gs_audit_bundle_get(&value, bundle->previous) != GS_OK
        || gs_audit_bundle_field(&rest, "line ", &bundle->line) != GS_OK
        || gs_audit_bundle_field(&rest, "index ", &value) != GS_OK
        || gs_parse_u64(&value, &bundle->index) != GS_OK
        || (value.len > 1 && value.data[0] == '0'))
    {
        return GS_ERROR;
    }

    for (bundle->path.n = 0;
         gs_audit_bundle_field(&rest, "path ", &value) == GS_OK;
         bundle->path.n++)
    {
        if (bundle->path.n == GS_AUDIT_PROOF_MAX
            || gs_audit_bundle_get(&value,
                                   bundle->path.hash[bundle->path.n])
               != GS_OK)
        {
            return GS_ERROR;
        }
    }

    if (rest.len < 2 || rest.data[0] != '\n') {
        return GS_ERROR;
    }

    bundle->note = gs_str_make(rest.data + 1, rest.len - 1);

    return GS_OK;
}


static gs_rc_t
gs_audit_bundle_field(gs_str_t *rest, const char *word, gs_str_t *value)
{
    size_t    lf;
    gs_str_t  head;

    head = gs_str_text(word);
    lf = gs_str_chr(rest, 0, '\n');

    if (!gs_str_prefix(rest, &head) || lf == rest->len || lf < head.len) {
        return GS_ERROR;
    }

    *value = gs_str_make(rest->data + head.len, lf - head.len);
    *rest = gs_str_make(rest->data + lf + 1, rest->len - lf - 1);

    return GS_OK;
}


static gs_rc_t
gs_audit_bundle_get(const gs_str_t *text, gs_uchar_t *hash)
{
    size_t  len;

    if (text->len != GS_AUDIT_HASH_TEXT) {
        return GS_ERROR;
    }

    return gs_b64url_decode(hash, &len, text);
}


gs_rc_t
gs_audit_bundle_check(const gs_audit_bundle_t *bundle,
    const gs_audit_key_t *key, gs_audit_checkpoint_t *point, gs_err_t *err)
{
    gs_rc_t            rc;
    gs_str_t           text, rest;
    gs_uchar_t         h[GS_AUDIT_HASH];
    gs_audit_hasher_t  hasher;

    rc = gs_audit_bundle_chain(bundle, h, err);

    if (rc != GS_OK) {
        return rc;
    }

    if (gs_audit_note_check(key, &bundle->note) != GS_OK
        || gs_audit_note_split(&bundle->note, &text, &rest) != GS_OK
        || gs_audit_checkpoint_parse(&text, point) != GS_OK
        || !gs_str_eq_text(&point->origin, key->name))
    {
        (void) gs_err(err, "the checkpoint is not signed by the key");
        return GS_DECLINED;
    }

    if (gs_audit_hasher_init(&hasher, gs_audit_seal_alg(&point->origin))
        != GS_OK)
    {
        return gs_err(err, "libcrypto failed");
    }

    rc = gs_audit_tree_check_include(&hasher, point->size, bundle->index, h,
                                     &bundle->path, point->root);
    gs_audit_hasher_free(&hasher);

    if (rc == GS_DECLINED) {
        (void) gs_err(err, "the path does not lead from the line to the root "
                      "that was signed");

    } else if (rc != GS_OK) {
        (void) gs_err(err, "libcrypto failed");
    }

    return rc;
}


static gs_rc_t
gs_audit_bundle_chain(const gs_audit_bundle_t *bundle, gs_uchar_t *h,
    gs_err_t *err)
{
    int               same;
    gs_rc_t           rc;
    gs_audit_line_t   line;
    gs_audit_chain_t  chain;

    if (gs_audit_scan(&bundle->line, &line) != GS_OK) {
        (void) gs_err(err, "the line is no audit record");
        return GS_DECLINED;
    }

    if (gs_audit_chain_init(&chain, bundle->alg) != GS_OK) {
        return gs_err(err, "libcrypto failed");
    }

    memcpy(chain.h, bundle->previous, GS_AUDIT_HASH);
    rc = gs_audit_chain_step(&chain, line.body.data, line.body.len);
    same = (rc == GS_OK && memcmp(chain.h, line.h, GS_AUDIT_HASH) == 0);
    memcpy(h, line.h, GS_AUDIT_HASH);
    gs_audit_chain_free(&chain);

    if (rc != GS_OK) {
        return gs_err(err, "libcrypto failed");
    }

    if (!same) {
        (void) gs_err(err, "the hash is not that of the line");
        return GS_DECLINED;
    }

    return GS_OK;
}
