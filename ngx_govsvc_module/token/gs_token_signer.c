
/*
 * Copyright (C) govsvc authors
 *
 * Tokens of our own.
 */


#include "token/gs_token_signer.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/gs_b64.h"
#include "core/gs_json_out.h"
#include "token/gs_sign_priv.h"


#define GS_TOKEN_SIGNER_HEADER  512
#define GS_TOKEN_SIGNER_JWK     512


struct gs_token_signer_s {
    gs_mem_t          *mem;
    gs_sign_crypto_t  *crypto;
    gs_sign_key_t      key;
    gs_token_alg_e     alg;
    size_t             kid_len;
    size_t             header_len;
    size_t             jwk_len;
    gs_uchar_t         kid[GS_TOKEN_SIGNER_KID];
    gs_uchar_t         header[GS_TOKEN_SIGNER_HEADER];    /* base64url, "." */
    gs_uchar_t         jwk[GS_TOKEN_SIGNER_JWK];
    gs_uchar_t         input[GS_TOKEN_SIGNER_MAX];
};


static EVP_PKEY *gs_token_signer_pem(const gs_str_t *pem);
static int gs_token_signer_no_passphrase(char *buf, int size, int rw,
    void *data);
static gs_rc_t gs_token_signer_alg(gs_token_signer_t *s, gs_token_alg_e alg,
    gs_err_t *err);
static gs_rc_t gs_token_signer_public(gs_token_signer_t *s, gs_buf_t *b);
static gs_rc_t gs_token_signer_name(gs_token_signer_t *s,
    const gs_str_t *kid, const gs_str_t *members, gs_err_t *err);
static void gs_token_signer_head(gs_token_signer_t *s,
    const gs_str_t *members);
static void gs_token_signer_b64(gs_buf_t *b, const void *data, size_t len);


gs_token_signer_t *
gs_token_signer_create(gs_mem_t *mem, const gs_str_t *pem,
    gs_token_alg_e alg, const gs_str_t *kid, gs_err_t *err)
{
    gs_buf_t            b;
    gs_str_t            members;
    gs_uchar_t          text[GS_TOKEN_SIGNER_JWK];
    gs_token_signer_t  *s;

    s = gs_calloc(mem, 1, sizeof(gs_token_signer_t));

    if (s == NULL) {
        gs_err(err, "not enough memory");
        return NULL;
    }

    s->mem = mem;
    s->crypto = gs_sign_crypto_create(mem);

    if (s->crypto == NULL) {
        gs_err(err, "not enough memory");
        goto failed;
    }

    s->key.pkey = gs_token_signer_pem(pem);

    if (s->key.pkey == NULL) {
        gs_err(err, "no private key in PEM without passphrase");
        goto failed;
    }

    gs_buf_init(&b, text, sizeof(text));

    if (gs_token_signer_alg(s, alg, err) != GS_OK) {
        goto failed;
    }

    if (gs_token_signer_public(s, &b) != GS_OK) {
        gs_err(err, "the key has no public part");
        goto failed;
    }

    members = gs_buf_view(&b);

    if (gs_token_signer_name(s, kid, &members, err) != GS_OK) {
        goto failed;
    }

    gs_token_signer_head(s, &members);

    return s;

failed:

    gs_token_signer_destroy(s);

    return NULL;
}


void
gs_token_signer_destroy(gs_token_signer_t *s)
{
    if (s == NULL) {
        return;
    }

    EVP_PKEY_free(s->key.pkey);
    gs_sign_crypto_destroy(s->crypto);
    gs_free(s->mem, s);
}


static EVP_PKEY *
gs_token_signer_pem(const gs_str_t *pem)
{
    BIO       *bio;
    EVP_PKEY  *pkey;

    if (pem->len > 65536) {
        return NULL;
    }

    bio = BIO_new_mem_buf(pem->data, (int) pem->len);

    if (bio == NULL) {
        return NULL;
    }

    pkey = PEM_read_bio_PrivateKey(bio, NULL, gs_token_signer_no_passphrase,
                                   NULL);
    BIO_free(bio);
    ERR_clear_error();

    return pkey;
}


/* Without it libcrypto would ask at the terminal. */

static int
gs_token_signer_no_passphrase(char *buf, int size, int rw, void *data)
{
    return -1;
}


static gs_rc_t
gs_token_signer_alg(gs_token_signer_t *s, gs_token_alg_e alg, gs_err_t *err)
{
    char       group[32];
    EVP_PKEY  *pkey;

    pkey = s->key.pkey;
    group[0] = '\0';

    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        s->alg = GS_TOKEN_EDDSA;
        s->key.alg = GS_SIGN_ED25519;

    } else if (EVP_PKEY_is_a(pkey, "SM2")) {
        s->alg = GS_TOKEN_SM2;
        s->key.alg = GS_SIGN_SM2;

    } else if (EVP_PKEY_is_a(pkey, "EC")
               && EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL)
                  == 1
               && strcmp(group, "prime256v1") == 0)
    {
        s->alg = GS_TOKEN_ES256;
        s->key.alg = GS_SIGN_ECDSA_P256;

    } else {
        ERR_clear_error();
        return gs_err(err, "a private key of another kind, allowed: Ed25519, "
                           "P-256, SM2");
    }

    if (alg != GS_TOKEN_ALG_UNKNOWN && alg != s->alg) {
        return gs_err(err, "the key is for %s, not for %s",
                      gs_token_alg_name(s->alg), gs_token_alg_name(alg));
    }

    return GS_OK;
}


/* The members that RFC 7638 hashes, in its order. */

static gs_rc_t
gs_token_signer_public(gs_token_signer_t *s, gs_buf_t *b)
{
    size_t      len;
    gs_uchar_t  point[65];

    if (s->alg == GS_TOKEN_EDDSA) {
        len = sizeof(point);

        if (EVP_PKEY_get_raw_public_key(s->key.pkey, point, &len) != 1
            || len != 32)
        {
            return GS_ERROR;
        }

        gs_buf_text(b, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"");
        gs_token_signer_b64(b, point, 32);
        gs_buf_char(b, '"');

        return GS_OK;
    }

    if (EVP_PKEY_get_octet_string_param(s->key.pkey, "pub", point,
                                        sizeof(point), &len)
        != 1 || len != 65 || point[0] != 4)
    {
        ERR_clear_error();
        return GS_ERROR;
    }

    gs_buf_text(b, s->alg == GS_TOKEN_SM2 ? "\"crv\":\"SM2\""
                                          : "\"crv\":\"P-256\"");
    gs_buf_text(b, ",\"kty\":\"EC\",\"x\":\"");
    gs_token_signer_b64(b, point + 1, 32);
    gs_buf_text(b, "\",\"y\":\"");
    gs_token_signer_b64(b, point + 33, 32);
    gs_buf_char(b, '"');

    return GS_OK;
}


static gs_rc_t
gs_token_signer_name(gs_token_signer_t *s, const gs_str_t *kid,
    const gs_str_t *members, gs_err_t *err)
{
    size_t      i;
    gs_buf_t    b;
    gs_uchar_t  c, digest[32], text[GS_TOKEN_SIGNER_JWK + 2];

    for (i = 0; i < kid->len; i++) {
        c = kid->data[i];

        if (i == GS_TOKEN_SIGNER_KID
            || (!gs_is_alpha(c) && !gs_is_digit(c)
                && (c == '\0' || strchr("-_.:", c) == NULL)))
        {
            return gs_err(err, "invalid kid \"%S\", allowed: at most %d "
                               "letters, digits, \"-\", \"_\", \".\" and "
                               "\":\"", kid, GS_TOKEN_SIGNER_KID);
        }
    }

    if (kid->len != 0) {
        memcpy(s->kid, kid->data, kid->len);
        s->kid_len = kid->len;
        return GS_OK;
    }

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_char(&b, '{');
    gs_buf_str(&b, members);
    gs_buf_char(&b, '}');

    if (EVP_Q_digest(NULL, "SHA256", NULL, text, gs_buf_len(&b), digest, NULL)
        != 1)
    {
        return gs_err(err, "not enough memory");
    }

    s->kid_len = gs_b64url_encode(s->kid, digest, 32);

    return GS_OK;
}


/* What does not change from token to token is made once. */

static void
gs_token_signer_head(gs_token_signer_t *s, const gs_str_t *members)
{
    gs_buf_t     b;
    gs_str_t     kid;
    gs_uchar_t   text[GS_TOKEN_SIGNER_HEADER];
    const char  *alg;

    kid = gs_str_make(s->kid, s->kid_len);
    alg = gs_token_alg_name(s->alg);

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_char(&b, '{');
    gs_json_kv_text(&b, "alg", alg);
    gs_json_kv_str(&b, "kid", &kid);
    gs_json_kv_text(&b, "typ", "JWT");
    gs_buf_char(&b, '}');

    s->header_len = gs_b64url_encode(s->header, text, gs_buf_len(&b));
    s->header[s->header_len++] = '.';

    gs_buf_init(&b, s->jwk, sizeof(s->jwk));
    gs_buf_char(&b, '{');
    gs_buf_str(&b, members);
    gs_json_kv_str(&b, "kid", &kid);
    gs_json_kv_text(&b, "alg", alg);
    gs_json_kv_text(&b, "use", "sig");
    gs_buf_char(&b, '}');

    s->jwk_len = gs_buf_len(&b);
}


gs_str_t
gs_token_signer_kid(const gs_token_signer_t *s)
{
    return gs_str_make(s->kid, s->kid_len);
}


gs_rc_t
gs_token_signer_sign(gs_token_signer_t *s, const gs_str_t *payload,
    gs_buf_t *out)
{
    size_t      len;
    gs_buf_t    b;
    gs_str_t    input;
    gs_uchar_t  sig[GS_SIGN_MAX_SIG];

    if (payload->len > GS_TOKEN_SIGNER_PAYLOAD) {
        return GS_ERROR;
    }

    gs_buf_init(&b, s->input, sizeof(s->input));
    gs_buf_put(&b, s->header, s->header_len);
    gs_token_signer_b64(&b, payload->data, payload->len);

    input = gs_buf_view(&b);

    if (b.overflow
        || gs_sign_pkey_sign(s->crypto, &s->key, &input, sig, &len)
           != GS_SIGN_OK)
    {
        return GS_ERROR;
    }

    gs_buf_str(out, &input);
    gs_buf_char(out, '.');
    gs_token_signer_b64(out, sig, len);

    return out->overflow ? GS_ERROR : GS_OK;
}


static void
gs_token_signer_b64(gs_buf_t *b, const void *data, size_t len)
{
    if (b->overflow
        || gs_b64url_encoded_len(len) > (size_t) (b->last - b->pos))
    {
        b->overflow = 1;
        return;
    }

    b->pos += gs_b64url_encode(b->pos, data, len);
}


void
gs_token_signer_jwk(const gs_token_signer_t *s, gs_buf_t *b)
{
    gs_buf_put(b, s->jwk, s->jwk_len);
}
