
/*
 * Copyright (C) govsvc authors
 *
 * Keys made of the members of a JWK, by type, with all contexts that their
 * algorithms need.
 */


#include "token/gs_token_key_priv.h"
#include "token/gs_token_pkey.h"
#include "core/gs_b64.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>


#define GS_TOKEN_KEY_FIELD     1040        /* decoded bytes of a member */
#define GS_TOKEN_KEY_RSA_ALGS  ((1u << GS_TOKEN_ES256) - 1)


static gs_rc_t gs_token_key_rsa(gs_token_key_in_t *in, gs_token_key_t *key,
    const gs_token_key_type_t *type);
static gs_rc_t gs_token_key_ec(gs_token_key_in_t *in, gs_token_key_t *key,
    const gs_token_key_type_t *type);
static gs_rc_t gs_token_key_okp(gs_token_key_in_t *in, gs_token_key_t *key,
    const gs_token_key_type_t *type);
static gs_rc_t gs_token_key_oct(gs_token_key_in_t *in, gs_token_key_t *key,
    const gs_token_key_type_t *type);
static EVP_PKEY_CTX *gs_token_key_ctx(gs_token_key_t *key,
    gs_token_alg_e alg);
static EVP_MAC_CTX *gs_token_key_mac(const gs_str_t *secret,
    const char *digest);
static gs_rc_t gs_token_key_bytes(gs_token_key_in_t *in, const char *name,
    gs_uchar_t *dst, size_t *len);
static gs_rc_t gs_token_key_exact(gs_token_key_in_t *in, const char *name,
    gs_uchar_t *dst, size_t width);


const gs_token_key_type_t  gs_token_key_types[] = {
    { "RSA", NULL, GS_TOKEN_KEY_RSA_ALGS,
      "RS256, RS384, RS512, PS256, PS384, PS512", 0, gs_token_key_rsa },
    { "EC", "P-256", 1u << GS_TOKEN_ES256, "ES256", 32, gs_token_key_ec },
    { "EC", "P-384", 1u << GS_TOKEN_ES384, "ES384", 48, gs_token_key_ec },
    { "EC", "P-521", 1u << GS_TOKEN_ES512, "ES512", 66, gs_token_key_ec },
    { "EC", "SM2", 1u << GS_TOKEN_SM2, "SM2", 32, gs_token_key_ec },
    { "OKP", "Ed25519", 1u << GS_TOKEN_EDDSA, "EdDSA", 32, gs_token_key_okp },
    { "oct", NULL, GS_TOKEN_SECRET_ALGS, "HS256, HS384, HS512, HSM3", 0,
      gs_token_key_oct },
    { NULL, NULL, 0, NULL, 0, NULL }
};


static const char *const  gs_token_key_digests[] = {
    "SHA256", "SHA384", "SHA512", "SM3"
};


/* RFC 7518 section 3.2 */

static const size_t  gs_token_key_floors[GS_TOKEN_MACS] = { 32, 48, 64, 32 };


static gs_rc_t
gs_token_key_rsa(gs_token_key_in_t *in, gs_token_key_t *key,
    const gs_token_key_type_t *type)
{
    size_t       nlen, elen;
    gs_str_t     n, e;
    gs_uchar_t   nbuf[GS_TOKEN_KEY_FIELD], ebuf[GS_TOKEN_KEY_FIELD];
    const char  *why;

    if (gs_token_key_bytes(in, "n", nbuf, &nlen) != GS_OK
        || gs_token_key_bytes(in, "e", ebuf, &elen) != GS_OK)
    {
        return GS_ERROR;
    }

    n = gs_str_make(nbuf, nlen);
    e = gs_str_make(ebuf, elen);

    /* RFC 7518 section 2: no leading zeros; some issuers send one for n */

    if (n.len > 1 && n.data[0] == 0) {
        n = gs_str_make(n.data + 1, n.len - 1);
    }

    key->pkey = gs_token_pkey_rsa(&n, &e, &why);

    if (key->pkey == NULL) {
        return gs_err(gs_token_key_at(in, "n"),
                      "%s", why);
    }

    key->sig_len = (size_t) EVP_PKEY_get_size(key->pkey);

    return GS_OK;
}


static gs_rc_t
gs_token_key_ec(gs_token_key_in_t *in, gs_token_key_t *key,
    const gs_token_key_type_t *type)
{
    gs_uchar_t   point[1 + 2 * GS_TOKEN_MAX_COORD];
    const char  *why;

    point[0] = 4;

    if (gs_token_key_exact(in, "x", point + 1, type->width) != GS_OK
        || gs_token_key_exact(in, "y", point + 1 + type->width, type->width)
           != GS_OK)
    {
        return GS_ERROR;
    }

    key->pkey = gs_token_pkey_ec(type->crv, point, 1 + 2 * type->width, &why);

    if (key->pkey == NULL) {
        return gs_err(gs_token_key_at(in, "x"),
                      "%s", why);
    }

    return GS_OK;
}


static gs_rc_t
gs_token_key_okp(gs_token_key_in_t *in, gs_token_key_t *key,
    const gs_token_key_type_t *type)
{
    gs_uchar_t   x[32];
    const char  *why;

    if (gs_token_key_exact(in, "x", x, sizeof(x)) != GS_OK) {
        return GS_ERROR;
    }

    key->pkey = gs_token_pkey_ed25519(x, &why);

    if (key->pkey == NULL) {
        return gs_err(gs_token_key_at(in, "x"),
                      "%s", why);
    }

    return GS_OK;
}


/* Each algorithm for which the secret is long enough, or the one named. */

static gs_rc_t
gs_token_key_oct(gs_token_key_in_t *in, gs_token_key_t *key,
    const gs_token_key_type_t *type)
{
    int         ok;
    size_t      i, len;
    unsigned    bit;
    gs_str_t    secret, text;
    gs_uchar_t  k[GS_TOKEN_KEY_FIELD];

    if (gs_token_key_bytes(in, "k", k, &len) != GS_OK) {
        return GS_ERROR;
    }

    secret = gs_str_make(k, len);
    ok = 1;

    for (i = 0; i < GS_TOKEN_MACS; i++) {
        bit = 1u << (GS_TOKEN_HS256 + i);

        if (len < gs_token_key_floors[i]) {
            key->algs &= ~bit;
        }

        if (ok && (key->algs & bit)) {
            key->mac[i] = gs_token_key_mac(&secret, gs_token_key_digests[i]);
            ok = (key->mac[i] != NULL);
        }
    }

    OPENSSL_cleanse(k, sizeof(k));

    if (gs_token_key_text(in, "k", &text) == GS_OK) {
        OPENSSL_cleanse((void *) text.data, text.len);
    }

    if (key->algs == 0) {
        return gs_err(gs_token_key_at(in, "k"),
                      "the secret has %zu bytes, allowed: as many as the hash "
                      "at least, 32, 48 or 64", len);
    }

    return ok ? GS_OK : gs_err(gs_token_key_at(in, NULL),
                               "not enough memory");
}


static EVP_MAC_CTX *
gs_token_key_mac(const gs_str_t *secret, const char *digest)
{
    EVP_MAC      *mac;
    OSSL_PARAM    params[2];
    EVP_MAC_CTX  *ctx;

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 (char *) digest, 0);
    params[1] = OSSL_PARAM_construct_end();

    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    ctx = (mac != NULL) ? EVP_MAC_CTX_new(mac) : NULL;

    EVP_MAC_free(mac);

    if (ctx != NULL
        && EVP_MAC_init(ctx, secret->data, secret->len, params) != 1)
    {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }

    ERR_clear_error();

    return ctx;
}


/*
 * RSA and the curves of NIST verify a digest, so everything but that can be
 * prepared.  EdDSA and SM2 take the message and start afresh each time.
 */

gs_rc_t
gs_token_key_contexts(gs_token_key_in_t *in, gs_token_key_t *key)
{
    size_t  i;

    for (i = 0; i < GS_TOKEN_DIGESTED; i++) {

        if (!(key->algs & (1u << i))) {
            continue;
        }

        key->ctx[i] = gs_token_key_ctx(key, (gs_token_alg_e) i);

        if (key->ctx[i] == NULL) {
            return gs_err(gs_token_key_at(in, NULL),
                          "libcrypto does not take the key");
        }
    }

    return GS_OK;
}


static EVP_PKEY_CTX *
gs_token_key_ctx(gs_token_key_t *key, gs_token_alg_e alg)
{
    int            ok;
    EVP_MD        *md;
    EVP_PKEY_CTX  *ctx;

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    md = EVP_MD_fetch(NULL, gs_token_key_digests[alg % 3], NULL);

    ok = (ctx != NULL && md != NULL && EVP_PKEY_verify_init(ctx) == 1);

    if (ok && alg < GS_TOKEN_ES256) {
        ok = (EVP_PKEY_CTX_set_rsa_padding(ctx, alg < GS_TOKEN_PS256
                                                ? RSA_PKCS1_PADDING
                                                : RSA_PKCS1_PSS_PADDING)
              == 1);
    }

    ok = ok && EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;

    /* RFC 7518 section 3.5: the hash for both, a salt as long as the hash */

    if (ok && alg >= GS_TOKEN_PS256 && alg < GS_TOKEN_ES256) {
        ok = (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1
              && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST)
                 == 1);
    }

    EVP_MD_free(md);

    if (!ok) {
        EVP_PKEY_CTX_free(ctx);
        ctx = NULL;
    }

    ERR_clear_error();

    return ctx;
}


gs_rc_t
gs_token_key_text(gs_token_key_in_t *in, const char *name, gs_str_t *value)
{
    json_t  *v;

    v = json_object_get(in->jwk, name);

    if (!json_is_string(v)) {
        return gs_err(gs_token_key_at(in, name),
                      "\"%s\" must be a string", name);
    }

    *value = gs_str_make(json_string_value(v), json_string_length(v));

    return GS_OK;
}


static gs_rc_t
gs_token_key_bytes(gs_token_key_in_t *in, const char *name, gs_uchar_t *dst,
    size_t *len)
{
    gs_str_t  text;

    if (gs_token_key_text(in, name, &text) != GS_OK) {
        return GS_ERROR;
    }

    if (text.len == 0
        || gs_b64url_decoded_len(text.len) > GS_TOKEN_KEY_FIELD)
    {
        return gs_err(gs_token_key_at(in, name),
                      "\"%s\" has %zu characters, allowed: 1 to %u",
                      name, text.len, GS_TOKEN_KEY_FIELD / 3 * 4);
    }

    if (gs_b64url_decode(dst, len, &text) != GS_OK) {
        return gs_err(gs_token_key_at(in, name),
                      "\"%s\" is no base64url without padding", name);
    }

    return GS_OK;
}


static gs_rc_t
gs_token_key_exact(gs_token_key_in_t *in, const char *name, gs_uchar_t *dst,
    size_t width)
{
    size_t      len;
    gs_uchar_t  buf[GS_TOKEN_KEY_FIELD];

    if (gs_token_key_bytes(in, name, buf, &len) != GS_OK) {
        return GS_ERROR;
    }

    if (len != width) {
        return gs_err(gs_token_key_at(in, name),
                      "\"%s\" has %zu bytes, allowed: %zu", name, len, width);
    }

    memcpy(dst, buf, width);

    return GS_OK;
}
