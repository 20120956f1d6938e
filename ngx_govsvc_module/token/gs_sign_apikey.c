
/*
 * Copyright (C) govsvc authors
 *
 * apikey: "X-Api-Key: ID:SECRET".  Nothing is signed and nothing expires, so
 * it is for what anyone may read.  Of the secret only SHA-256 is kept.
 */


#include "token/gs_sign_priv.h"


static gs_sign_reason_e gs_sign_apikey_parse(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_sign_reason_e gs_sign_apikey_canon(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_str_t *secret, gs_buf_t *b);
static gs_rc_t gs_sign_apikey_mac(gs_sign_crypto_t *crypto,
    const gs_sign_cred_t *cred, const gs_sign_key_t *key,
    const gs_str_t *canon, gs_uchar_t *mac, size_t *len);
static int gs_sign_apikey_before(gs_sign_maker_t *m);
static int gs_sign_apikey_after(gs_sign_maker_t *m);


const gs_sign_scheme_t  gs_sign_apikey = {
    0,
    1u << GS_SIGN_SHA256,
    GS_SIGN_SHA256,
    gs_sign_apikey_parse,
    gs_sign_apikey_canon,
    gs_sign_apikey_mac,
    gs_sign_apikey_before,
    gs_sign_apikey_after
};


static gs_sign_reason_e
gs_sign_apikey_parse(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    size_t    colon;
    gs_str_t  value;

    if (gs_sign_header(r, "x-api-key", &value) != GS_OK) {
        return GS_SIGN_MALFORMED;
    }

    colon = gs_str_chr(&value, 0, ':');

    if (colon == 0 || value.len - colon < 2
        || value.len - colon - 1 > GS_SIGN_MAX_SIG)
    {
        return GS_SIGN_MALFORMED;
    }

    cred->id = gs_str_make(value.data, colon);
    cred->sig_len = 1;
    cred->sig[0] = 1;
    cred->text[0] = gs_str_make(value.data + colon + 1,
                                value.len - colon - 1);

    return GS_SIGN_OK;
}


static gs_sign_reason_e
gs_sign_apikey_canon(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_str_t *secret, gs_buf_t *b)
{
    gs_buf_str(b, &cred->text[0]);

    return GS_SIGN_OK;
}


/* The "signature" is whether the hashes are equal: one byte that says so. */

static gs_rc_t
gs_sign_apikey_mac(gs_sign_crypto_t *crypto, const gs_sign_cred_t *cred,
    const gs_sign_key_t *key, const gs_str_t *canon, gs_uchar_t *mac,
    size_t *len)
{
    gs_uchar_t  digest[32];

    if (gs_sign_md_of(crypto, crypto->sha256, canon, digest) != GS_OK) {
        return GS_ERROR;
    }

    *len = 1;
    mac[0] = (gs_uchar_t) (key->secret.len == 32
                           && gs_ct_eq(digest, key->secret.data, 32));

    return GS_OK;
}


static int
gs_sign_apikey_before(gs_sign_maker_t *m)
{
    return 1;
}


static int
gs_sign_apikey_after(gs_sign_maker_t *m)
{
    size_t       size;
    gs_buf_t     b;
    gs_str_t     value;
    gs_uchar_t  *p;

    size = m->cred->id.len + 1 + m->key->secret.len;
    p = gs_alloc(m->mem, size);

    if (p == NULL) {
        return 0;
    }

    gs_buf_init(&b, p, size);
    gs_buf_str(&b, &m->cred->id);
    gs_buf_char(&b, ':');
    gs_buf_str(&b, &m->key->secret);
    value = gs_buf_view(&b);

    return gs_sign_add(m, "X-Api-Key", &value);
}
