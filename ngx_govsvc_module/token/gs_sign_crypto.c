
/*
 * Copyright (C) govsvc authors
 *
 * Digests, HMAC (RFC 2104) and signatures with keys.  Contexts of libcrypto
 * are made once for a process.
 */


#include "token/gs_sign_priv.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/gs_hex.h"
#include "token/gs_token.h"


#define GS_SIGN_BLOCK  64                  /* of SHA-256 and SM3 */
#define GS_SIGN_DER    72


struct gs_sign_hash_s {
    gs_mem_t          *mem;
    EVP_MD_CTX        *md;
    gs_sign_digest_e   alg;
};


static gs_rc_t gs_sign_hmac_half(gs_sign_crypto_t *crypto, EVP_MD *md,
    const gs_uchar_t *pad, const gs_str_t *text, gs_uchar_t digest[32]);
static int gs_sign_pkey_is(const gs_sign_key_t *key);
static int gs_sign_pkey_init(gs_sign_crypto_t *crypto,
    const gs_sign_key_t *key, EVP_PKEY_CTX **sm2, int sign);
static size_t gs_sign_pkey_der(gs_uchar_t *der, const gs_uchar_t *raw);
static int gs_sign_pkey_raw(gs_uchar_t *raw, const gs_uchar_t *der,
    size_t len);
static int gs_sign_no_memory(void);


gs_sign_crypto_t *
gs_sign_crypto_create(gs_mem_t *mem)
{
    gs_sign_crypto_t  *crypto;

    crypto = gs_alloc(mem, sizeof(gs_sign_crypto_t));

    if (crypto == NULL) {
        return NULL;
    }

    crypto->mem = mem;
    crypto->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    crypto->sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    crypto->sm3 = EVP_MD_fetch(NULL, "SM3", NULL);
    crypto->md = EVP_MD_CTX_new();
    crypto->sig = EVP_MD_CTX_new();

    if (crypto->sha256 == NULL || crypto->sha512 == NULL
        || crypto->sm3 == NULL || crypto->md == NULL || crypto->sig == NULL)
    {
        gs_sign_crypto_destroy(crypto);
        return NULL;
    }

    return crypto;
}


void
gs_sign_crypto_destroy(gs_sign_crypto_t *crypto)
{
    if (crypto == NULL) {
        return;
    }

    EVP_MD_CTX_free(crypto->sig);
    EVP_MD_CTX_free(crypto->md);
    EVP_MD_free(crypto->sm3);
    EVP_MD_free(crypto->sha512);
    EVP_MD_free(crypto->sha256);

    /* x-tif has its secret in the text that it signs */

    OPENSSL_cleanse(crypto->canon, GS_SIGN_CANON);
    gs_free(crypto->mem, crypto);
}


EVP_MD *
gs_sign_md(gs_sign_crypto_t *crypto, gs_sign_alg_e alg)
{
    return (alg == GS_SIGN_HMAC_SM3 || alg == GS_SIGN_SM3) ? crypto->sm3
                                                           : crypto->sha256;
}


gs_rc_t
gs_sign_md_of(gs_sign_crypto_t *crypto, EVP_MD *md, const gs_str_t *text,
    gs_uchar_t *digest)
{
    if (EVP_DigestInit_ex2(crypto->md, md, NULL) != 1
        || EVP_DigestUpdate(crypto->md, text->data, text->len) != 1
        || EVP_DigestFinal_ex(crypto->md, digest, NULL) != 1)
    {
        ERR_clear_error();
        return GS_ERROR;
    }

    return GS_OK;
}


/*
 * By hand: with fetched digests and one context this costs a third of
 * EVP_MAC, which allocates.  SHA-256 and SM3 share their sizes.
 */

gs_rc_t
gs_sign_hmac(gs_sign_crypto_t *crypto, EVP_MD *md, const gs_str_t *key,
    const gs_str_t *text, gs_uchar_t digest[32])
{
    size_t      i;
    gs_rc_t     rc;
    gs_str_t    inner;
    gs_uchar_t  ipad[GS_SIGN_BLOCK], opad[GS_SIGN_BLOCK], hashed[32];

    memset(ipad, 0, GS_SIGN_BLOCK);

    if (key->len > GS_SIGN_BLOCK) {
        if (gs_sign_md_of(crypto, md, key, ipad) != GS_OK) {
            return GS_ERROR;
        }

    } else if (key->len != 0) {
        memcpy(ipad, key->data, key->len);
    }

    for (i = 0; i < GS_SIGN_BLOCK; i++) {
        opad[i] = ipad[i] ^ 0x5c;
        ipad[i] ^= 0x36;
    }

    rc = gs_sign_hmac_half(crypto, md, ipad, text, hashed);

    if (rc == GS_OK) {
        inner = gs_str_make(hashed, 32);
        rc = gs_sign_hmac_half(crypto, md, opad, &inner, digest);
    }

    OPENSSL_cleanse(ipad, GS_SIGN_BLOCK);
    OPENSSL_cleanse(opad, GS_SIGN_BLOCK);
    OPENSSL_cleanse(hashed, 32);

    return rc;
}


static gs_rc_t
gs_sign_hmac_half(gs_sign_crypto_t *crypto, EVP_MD *md,
    const gs_uchar_t *pad, const gs_str_t *text, gs_uchar_t digest[32])
{
    if (EVP_DigestInit_ex2(crypto->md, md, NULL) != 1
        || EVP_DigestUpdate(crypto->md, pad, GS_SIGN_BLOCK) != 1
        || EVP_DigestUpdate(crypto->md, text->data, text->len) != 1
        || EVP_DigestFinal_ex(crypto->md, digest, NULL) != 1)
    {
        ERR_clear_error();
        return GS_ERROR;
    }

    return GS_OK;
}


gs_rc_t
gs_sign_mac(gs_sign_crypto_t *crypto, const gs_sign_cred_t *cred,
    const gs_sign_key_t *key, const gs_str_t *canon, gs_uchar_t *mac,
    size_t *len)
{
    EVP_MD  *md;

    md = gs_sign_md(crypto, key->alg);
    *len = 32;

    if (key->alg == GS_SIGN_SHA256 || key->alg == GS_SIGN_SM3) {
        return gs_sign_md_of(crypto, md, canon, mac);
    }

    return gs_sign_hmac(crypto, md, &key->secret, canon, mac);
}


gs_sign_reason_e
gs_sign_pkey_verify(gs_sign_crypto_t *crypto, const gs_sign_key_t *key,
    const gs_str_t *text, const gs_uchar_t *sig, size_t len)
{
    int            rc, no_memory;
    gs_uchar_t     der[GS_SIGN_DER];
    EVP_PKEY_CTX  *sm2;

    if (!gs_sign_pkey_is(key)) {
        return GS_SIGN_BAD_ALG;
    }

    if (key->alg != GS_SIGN_RSA_PSS && len != 64) {
        return GS_SIGN_BAD_SIGNATURE;
    }

    if (key->alg == GS_SIGN_ECDSA_P256 || key->alg == GS_SIGN_SM2) {
        len = gs_sign_pkey_der(der, sig);
        sig = der;

        if (len == 0) {
            ERR_clear_error();
            return GS_SIGN_NO_MEMORY;
        }
    }

    sm2 = NULL;
    rc = -1;
    no_memory = !gs_sign_pkey_init(crypto, key, &sm2, 0);

    if (!no_memory) {
        rc = EVP_DigestVerify(crypto->sig, sig, len, text->data, text->len);
        no_memory = (rc != 1 && gs_sign_no_memory());
    }

    EVP_MD_CTX_set_pkey_ctx(crypto->sig, NULL);
    (void) EVP_MD_CTX_reset(crypto->sig);
    EVP_PKEY_CTX_free(sm2);
    ERR_clear_error();

    if (no_memory) {
        return GS_SIGN_NO_MEMORY;
    }

    return rc == 1 ? GS_SIGN_OK : GS_SIGN_BAD_SIGNATURE;
}


gs_sign_reason_e
gs_sign_pkey_sign(gs_sign_crypto_t *crypto, const gs_sign_key_t *key,
    const gs_str_t *text, gs_uchar_t *sig, size_t *len)
{
    int            ok;
    gs_uchar_t     raw[64];
    EVP_PKEY_CTX  *sm2;

    if (!gs_sign_pkey_is(key)) {
        return GS_SIGN_BAD_ALG;
    }

    sm2 = NULL;
    *len = GS_SIGN_MAX_SIG;

    ok = gs_sign_pkey_init(crypto, key, &sm2, 1)
         && EVP_DigestSign(crypto->sig, sig, len, text->data, text->len) == 1;

    if (ok && (key->alg == GS_SIGN_ECDSA_P256 || key->alg == GS_SIGN_SM2)) {
        ok = gs_sign_pkey_raw(raw, sig, *len);

        if (ok) {
            memcpy(sig, raw, 64);
            *len = 64;
        }
    }

    EVP_MD_CTX_set_pkey_ctx(crypto->sig, NULL);
    (void) EVP_MD_CTX_reset(crypto->sig);
    EVP_PKEY_CTX_free(sm2);
    ERR_clear_error();

    return ok ? GS_SIGN_OK : GS_SIGN_NO_MEMORY;
}


/* Algorithm and kind of key belong together: neither picks the other. */

static int
gs_sign_pkey_is(const gs_sign_key_t *key)
{
    if (key->pkey == NULL) {
        return 0;
    }

    switch (key->alg) {

    case GS_SIGN_ED25519:
        return EVP_PKEY_is_a(key->pkey, "ED25519");

    case GS_SIGN_ECDSA_P256:
        return EVP_PKEY_is_a(key->pkey, "EC")
               && EVP_PKEY_get_bits(key->pkey) == 256;

    case GS_SIGN_RSA_PSS:
        return (EVP_PKEY_is_a(key->pkey, "RSA")
                || EVP_PKEY_is_a(key->pkey, "RSA-PSS"))
               && EVP_PKEY_get_size(key->pkey) <= GS_SIGN_MAX_SIG;

    case GS_SIGN_SM2:
        return EVP_PKEY_is_a(key->pkey, "SM2");

    default:
        return 0;
    }
}


static int
gs_sign_pkey_init(gs_sign_crypto_t *crypto, const gs_sign_key_t *key,
    EVP_PKEY_CTX **sm2, int sign)
{
    int            rc;
    EVP_MD        *md;
    EVP_PKEY_CTX  *ctx;

    md = NULL;
    ctx = NULL;

    if (key->alg == GS_SIGN_SM2) {
        md = crypto->sm3;
        *sm2 = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);

        if (*sm2 == NULL
            || EVP_PKEY_CTX_set1_id(*sm2, GS_TOKEN_SM2_ID,
                                    (int) sizeof(GS_TOKEN_SM2_ID) - 1)
               != 1)
        {
            return 0;
        }

        EVP_MD_CTX_set_pkey_ctx(crypto->sig, *sm2);

    } else if (key->alg == GS_SIGN_ECDSA_P256) {
        md = crypto->sha256;

    } else if (key->alg == GS_SIGN_RSA_PSS) {
        md = crypto->sha512;
    }

    rc = sign ? EVP_DigestSignInit(crypto->sig, &ctx, md, NULL, key->pkey)
              : EVP_DigestVerifyInit(crypto->sig, &ctx, md, NULL, key->pkey);

    if (rc != 1) {
        return 0;
    }

    /* RFC 9421 section 3.3.1: the salt is as long as the digest */

    return key->alg != GS_SIGN_RSA_PSS
           || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1
               && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 64) == 1);
}


/* R and S of 32 bytes each to a SEQUENCE; 0 if memory is out. */

static size_t
gs_sign_pkey_der(gs_uchar_t *der, const gs_uchar_t *raw)
{
    int          len;
    BIGNUM      *r, *s;
    ECDSA_SIG   *sig;
    gs_uchar_t  *p;

    len = 0;
    sig = ECDSA_SIG_new();
    r = BN_bin2bn(raw, 32, NULL);
    s = BN_bin2bn(raw + 32, 32, NULL);

    if (sig != NULL && r != NULL && s != NULL
        && ECDSA_SIG_set0(sig, r, s) == 1)
    {
        r = NULL;
        s = NULL;
        p = der;
        len = i2d_ECDSA_SIG(sig, &p);
    }

    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);

    return len > 0 ? (size_t) len : 0;
}


static int
gs_sign_pkey_raw(gs_uchar_t *raw, const gs_uchar_t *der, size_t len)
{
    int                ok;
    ECDSA_SIG         *sig;
    const gs_uchar_t  *p;

    p = der;
    sig = d2i_ECDSA_SIG(NULL, &p, (long) len);

    ok = sig != NULL
         && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32
         && BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32;

    ECDSA_SIG_free(sig);

    return ok;
}


static int
gs_sign_no_memory(void)
{
    int            found;
    unsigned long  error;

    found = 0;

    for (error = ERR_get_error(); error != 0; error = ERR_get_error()) {
        if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) {
            found = 1;
        }
    }

    return found;
}


gs_rc_t
gs_sign_key_pem(gs_sign_key_t *key, const gs_str_t *text, int is_private)
{
    BIO  *bio;

    key->pkey = NULL;
    bio = BIO_new_mem_buf(text->data, (int) text->len);

    if (bio != NULL && is_private) {
        key->pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    } else if (bio != NULL) {
        key->pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    }

    BIO_free(bio);
    ERR_clear_error();

    return key->pkey != NULL ? GS_OK : GS_ERROR;
}


void
gs_sign_key_clear(gs_sign_key_t *key)
{
    if (key->secret.len != 0) {
        OPENSSL_cleanse((void *) (uintptr_t) key->secret.data,
                        key->secret.len);
    }

    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}


gs_sign_hash_t *
gs_sign_hash_create(gs_sign_crypto_t *crypto, gs_mem_t *mem,
    gs_sign_digest_e alg)
{
    EVP_MD          *md;
    gs_sign_hash_t  *hash;

    hash = gs_alloc(mem, sizeof(gs_sign_hash_t));

    if (hash == NULL) {
        return NULL;
    }

    md = (alg == GS_SIGN_DIGEST_SM3) ? crypto->sm3
         : (alg == GS_SIGN_DIGEST_SHA512) ? crypto->sha512 : crypto->sha256;

    hash->mem = mem;
    hash->alg = alg;
    hash->md = EVP_MD_CTX_new();

    if (hash->md == NULL || EVP_DigestInit_ex2(hash->md, md, NULL) != 1) {
        ERR_clear_error();
        gs_sign_hash_destroy(hash);
        return NULL;
    }

    return hash;
}


void
gs_sign_hash_destroy(gs_sign_hash_t *hash)
{
    if (hash != NULL) {
        EVP_MD_CTX_free(hash->md);
        gs_free(hash->mem, hash);
    }
}


gs_rc_t
gs_sign_hash_update(gs_sign_hash_t *hash, const void *data, size_t len)
{
    return EVP_DigestUpdate(hash->md, data, len) == 1 ? GS_OK : GS_ERROR;
}


gs_rc_t
gs_sign_hash_final(gs_sign_hash_t *hash, gs_sign_digest_t *digest)
{
    unsigned  len;

    if (EVP_DigestFinal_ex(hash->md, digest->data, &len) != 1) {
        ERR_clear_error();
        return GS_ERROR;
    }

    digest->alg = hash->alg;
    digest->len = len;

    return GS_OK;
}


int
gs_sign_digest_eq(const gs_sign_digest_t *a, const gs_sign_digest_t *b)
{
    return a->alg == b->alg && a->len == b->len
           && gs_ct_eq(a->data, b->data, a->len);
}
