
/*
 * Copyright (C) govsvc authors
 *
 * Keys that sign checkpoints.
 */


#include "audit/gs_audit_note.h"
#include "core/gs_b64.h"
#include "core/gs_hex.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>


#define GS_AUDIT_ED25519_LEN  32
#define GS_AUDIT_SM2_LEN      65           /* an uncompressed point */


static gs_rc_t gs_audit_key_set_name(gs_audit_key_t *key,
    const gs_str_t *name, gs_err_t *err);
static gs_rc_t gs_audit_key_set_public(gs_audit_key_t *key);
static gs_rc_t gs_audit_key_set_id(gs_audit_key_t *key);
static int gs_audit_key_no_passphrase(char *buf, int size, int writing,
    void *data);
static EVP_PKEY *gs_audit_key_read(const gs_str_t *pem);
static gs_rc_t gs_audit_key_parse(gs_audit_key_t *key, const gs_str_t *text);
static EVP_PKEY *gs_audit_key_make(const gs_audit_key_t *key);
static EVP_PKEY *gs_audit_key_sm2(const gs_uchar_t *point);


/* names the algorithm behind type 255, as C2SP signed-note asks for */

static const gs_str_t  gs_audit_key_sm2_tag =
                                      gs_string("govsvc/sm2-with-sm3/v1\n");


gs_rc_t
gs_audit_key_private(gs_audit_key_t *key, const gs_str_t *name,
    const gs_str_t *pem, gs_err_t *err)
{
    memset(key, 0, sizeof(gs_audit_key_t));

    if (gs_audit_key_set_name(key, name, err) != GS_OK) {
        return GS_ERROR;
    }

    key->pkey = gs_audit_key_read(pem);

    if (key->pkey == NULL) {
        return gs_err(err, "no private key in PEM form without a passphrase; "
                      "allowed: Ed25519, SM2");
    }

    if (EVP_PKEY_is_a(key->pkey, "ED25519")) {
        key->type = GS_AUDIT_KEY_ED25519;

    } else if (EVP_PKEY_is_a(key->pkey, "SM2")) {
        key->type = GS_AUDIT_KEY_SM2;

    } else {
        gs_audit_key_free(key);
        return gs_err(err, "the key is of another kind, "
                      "allowed: Ed25519, SM2");
    }

    key->private = 1;

    if (gs_audit_key_set_public(key) != GS_OK
        || gs_audit_key_set_id(key) != GS_OK)
    {
        gs_audit_key_free(key);
        return gs_err(err, "the key's public half cannot be derived");
    }

    return GS_OK;
}


gs_rc_t
gs_audit_key_witness(gs_audit_key_t *key)
{
    if (key->type != GS_AUDIT_KEY_ED25519) {
        return GS_ERROR;
    }

    key->type = GS_AUDIT_KEY_WITNESS;
    key->public[0] = (gs_uchar_t) key->type;

    return gs_audit_key_set_id(key);
}


gs_rc_t
gs_audit_key_generate(gs_audit_key_type_e type, gs_buf_t *b)
{
    BIO       *bio;
    char      *pem;
    long       len;
    EVP_PKEY  *pkey;

    len = 0;
    bio = BIO_new(BIO_s_mem());
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, type == GS_AUDIT_KEY_SM2 ? "SM2"
                                                                  : "ED25519");

    if (bio != NULL && pkey != NULL
        && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
           == 1)
    {
        len = BIO_get_mem_data(bio, &pem);

        if (len > 0) {
            gs_buf_put(b, pem, (size_t) len);
            OPENSSL_cleanse(pem, (size_t) len);
        }
    }

    BIO_free(bio);
    EVP_PKEY_free(pkey);
    ERR_clear_error();

    return (len > 0 && !b->overflow) ? GS_OK : GS_ERROR;
}


gs_rc_t
gs_audit_key_public(gs_audit_key_t *key, const gs_str_t *text, gs_err_t *err)
{
    memset(key, 0, sizeof(gs_audit_key_t));

    if (gs_audit_key_parse(key, text) != GS_OK) {
        return gs_err(err, "malformed public key \"%S\", "
                      "allowed: NAME+HASH+KEY with the hash of NAME and KEY",
                      text);
    }

    key->pkey = gs_audit_key_make(key);

    if (key->pkey == NULL) {
        return gs_err(err, "public key \"%S\" is no Ed25519 or SM2 key", text);
    }

    return GS_OK;
}


void
gs_audit_key_free(gs_audit_key_t *key)
{
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}


void
gs_audit_key_text(const gs_audit_key_t *key, gs_buf_t *b)
{
    size_t      n;
    gs_uchar_t  text[(GS_AUDIT_PUBLIC_MAX + 2) / 3 * 4];

    gs_buf_put(b, key->name, key->name_len);
    gs_buf_char(b, '+');
    gs_buf_hex(b, key->id, 4);
    gs_buf_char(b, '+');

    n = gs_b64_encode(text, key->public, key->public_len);
    gs_buf_put(b, text, n);
}


static gs_rc_t
gs_audit_key_set_name(gs_audit_key_t *key, const gs_str_t *name, gs_err_t *err)
{
    size_t  i;

    if (name->len == 0 || name->len > GS_AUDIT_KEY_NAME_MAX) {
        return gs_err(err, "invalid key name \"%S\", "
                      "allowed: 1 to 128 characters", name);
    }

    for (i = 0; i < name->len; i++) {
        if (name->data[i] <= ' ' || name->data[i] == '+'
            || name->data[i] >= 0x7f)
        {
            return gs_err(err, "invalid key name \"%S\", "
                          "allowed: visible ASCII characters but \"+\"", name);
        }
    }

    memcpy(key->name, name->data, name->len);
    key->name_len = name->len;

    return GS_OK;
}


static gs_rc_t
gs_audit_key_set_public(gs_audit_key_t *key)
{
    size_t      n;
    gs_uchar_t *p;

    p = key->public;
    *p++ = (gs_uchar_t) key->type;

    if (key->type == GS_AUDIT_KEY_ED25519) {
        n = GS_AUDIT_ED25519_LEN;

        if (EVP_PKEY_get_raw_public_key(key->pkey, p, &n) != 1
            || n != GS_AUDIT_ED25519_LEN)
        {
            return GS_ERROR;
        }

    } else {
        memcpy(p, gs_audit_key_sm2_tag.data, gs_audit_key_sm2_tag.len);
        p += gs_audit_key_sm2_tag.len;

        if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY,
                                            p, GS_AUDIT_SM2_LEN, &n) != 1
            || n != GS_AUDIT_SM2_LEN)
        {
            return GS_ERROR;
        }
    }

    key->public_len = (size_t) (p + n - key->public);

    return GS_OK;
}


/* SHA-256(NAME LF KEY), the first four bytes. */

static gs_rc_t
gs_audit_key_set_id(gs_audit_key_t *key)
{
    unsigned    n;
    gs_uchar_t  hash[EVP_MAX_MD_SIZE];
    gs_uchar_t  text[GS_AUDIT_KEY_NAME_MAX + 1 + GS_AUDIT_PUBLIC_MAX];

    memcpy(text, key->name, key->name_len);
    text[key->name_len] = '\n';
    memcpy(text + key->name_len + 1, key->public, key->public_len);

    if (EVP_Digest(text, key->name_len + 1 + key->public_len, hash, &n,
                   EVP_sha256(), NULL) != 1)
    {
        return GS_ERROR;
    }

    memcpy(key->id, hash, 4);

    return GS_OK;
}


static int
gs_audit_key_no_passphrase(char *buf, int size, int writing, void *data)
{
    return -1;
}


static EVP_PKEY *
gs_audit_key_read(const gs_str_t *pem)
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

    pkey = PEM_read_bio_PrivateKey(bio, NULL, gs_audit_key_no_passphrase,
                                   NULL);
    BIO_free(bio);
    ERR_clear_error();

    return pkey;
}


static gs_rc_t
gs_audit_key_parse(gs_audit_key_t *key, const gs_str_t *text)
{
    size_t      one, two, n;
    gs_str_t    name, hash, public;
    gs_uchar_t  id[4], raw[(GS_AUDIT_PUBLIC_MAX + 2) / 3 * 3];

    one = gs_str_chr(text, 0, '+');
    two = gs_str_chr(text, one + 1, '+');

    if (two >= text->len) {
        return GS_ERROR;
    }

    name = gs_str_make(text->data, one);
    hash = gs_str_make(text->data + one + 1, two - one - 1);
    public = gs_str_make(text->data + two + 1, text->len - two - 1);

    if (hash.len != 8 || gs_hex_decode(id, &hash) != GS_OK
        || public.len / 4 * 3 > sizeof(raw)
        || gs_b64_decode(raw, &n, &public) != GS_OK
        || n == 0 || n > GS_AUDIT_PUBLIC_MAX
        || gs_audit_key_set_name(key, &name, NULL) != GS_OK)
    {
        return GS_ERROR;
    }

    memcpy(key->public, raw, n);
    key->public_len = n;
    key->type = (gs_audit_key_type_e) raw[0];

    if (gs_audit_key_set_id(key) != GS_OK || memcmp(id, key->id, 4) != 0) {
        return GS_ERROR;
    }

    return GS_OK;
}


static EVP_PKEY *
gs_audit_key_make(const gs_audit_key_t *key)
{
    const gs_str_t  *tag;

    if ((key->type == GS_AUDIT_KEY_ED25519
         || key->type == GS_AUDIT_KEY_WITNESS)
        && key->public_len == 1 + GS_AUDIT_ED25519_LEN)
    {
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL,
                                              key->public + 1,
                                              GS_AUDIT_ED25519_LEN);
    }

    tag = &gs_audit_key_sm2_tag;

    if (key->type == GS_AUDIT_KEY_SM2
        && key->public_len == 1 + tag->len + GS_AUDIT_SM2_LEN
        && memcmp(key->public + 1, tag->data, tag->len) == 0)
    {
        return gs_audit_key_sm2(key->public + 1 + tag->len);
    }

    return NULL;
}


static EVP_PKEY *
gs_audit_key_sm2(const gs_uchar_t *point)
{
    EVP_PKEY      *pkey;
    OSSL_PARAM     params[3];
    EVP_PKEY_CTX  *ctx;

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                 (char *) "SM2", 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                  (void *) point,
                                                  GS_AUDIT_SM2_LEN);
    params[2] = OSSL_PARAM_construct_end();

    pkey = NULL;
    ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);

    if (ctx == NULL
        || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
    {
        pkey = NULL;
    }

    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();

    return pkey;
}
