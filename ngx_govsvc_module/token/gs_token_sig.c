
/*
 * Copyright (C) govsvc authors
 *
 * Signatures by libcrypto.
 */


#include "token/gs_token_sig.h"

#include <openssl/err.h>
#include <openssl/evp.h>


#define GS_TOKEN_SIG_DER        72         /* two integers of 33 bytes */

/* the library failed before it looked at the signature: not always with an
 * error that names memory, but with a key that is sound for no other reason */
#define GS_TOKEN_SIG_UNCHECKED  -2


struct gs_token_crypto_s {
    EVP_MD      *sha256;
    EVP_MD      *sm3;
    EVP_MD_CTX  *md;                       /* SHA-256 */
    EVP_MD_CTX  *sig;                      /* EdDSA, SM2 */
    gs_mem_t    *mem;
};


typedef int (*gs_token_sig_pt)(gs_token_crypto_t *crypto,
    const gs_token_key_t *key, const gs_str_t *sm2_id, const gs_str_t *input,
    const gs_str_t *sig);


static int gs_token_sig_rs256(gs_token_crypto_t *crypto,
    const gs_token_key_t *key, const gs_str_t *sm2_id, const gs_str_t *input,
    const gs_str_t *sig);
static int gs_token_sig_es256(gs_token_crypto_t *crypto,
    const gs_token_key_t *key, const gs_str_t *sm2_id, const gs_str_t *input,
    const gs_str_t *sig);
static int gs_token_sig_eddsa(gs_token_crypto_t *crypto,
    const gs_token_key_t *key, const gs_str_t *sm2_id, const gs_str_t *input,
    const gs_str_t *sig);
static int gs_token_sig_sm2(gs_token_crypto_t *crypto,
    const gs_token_key_t *key, const gs_str_t *sm2_id, const gs_str_t *input,
    const gs_str_t *sig);
static size_t gs_token_sig_der(gs_uchar_t *der, const gs_uchar_t *raw);
static gs_uchar_t *gs_token_sig_integer(gs_uchar_t *p,
    const gs_uchar_t *raw);
static int gs_token_sig_no_memory(void);


static const gs_token_sig_pt  gs_token_sig_table[GS_TOKEN_ALGS] = {
    gs_token_sig_rs256,
    gs_token_sig_es256,
    gs_token_sig_eddsa,
    gs_token_sig_sm2
};


gs_token_crypto_t *
gs_token_crypto_create(gs_mem_t *mem)
{
    gs_token_crypto_t  *crypto;

    crypto = gs_calloc(mem, 1, sizeof(gs_token_crypto_t));

    if (crypto == NULL) {
        return NULL;
    }

    crypto->mem = mem;
    crypto->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    crypto->sm3 = EVP_MD_fetch(NULL, "SM3", NULL);
    crypto->md = EVP_MD_CTX_new();
    crypto->sig = EVP_MD_CTX_new();

    if (crypto->sha256 == NULL || crypto->sm3 == NULL
        || crypto->md == NULL || crypto->sig == NULL)
    {
        gs_token_crypto_destroy(crypto);
        return NULL;
    }

    return crypto;
}


void
gs_token_crypto_destroy(gs_token_crypto_t *crypto)
{
    if (crypto == NULL) {
        return;
    }

    EVP_MD_CTX_free(crypto->sig);
    EVP_MD_CTX_free(crypto->md);
    EVP_MD_free(crypto->sm3);
    EVP_MD_free(crypto->sha256);
    gs_free(crypto->mem, crypto);
}


gs_token_reason_e
gs_token_sig_verify(gs_token_crypto_t *crypto, const gs_token_key_t *key,
    const gs_str_t *sm2_id, const gs_str_t *input, const gs_str_t *sig)
{
    int  rc, no_memory;

    rc = gs_token_sig_table[key->alg](crypto, key, sm2_id, input, sig);

    if (rc == 1) {
        return GS_TOKEN_OK;
    }

    /* empties the queue: an error in it would be taken for one of TLS */

    no_memory = gs_token_sig_no_memory();

    return (rc == GS_TOKEN_SIG_UNCHECKED || no_memory)
               ? GS_TOKEN_NO_MEMORY : GS_TOKEN_BAD_SIGNATURE;
}


gs_rc_t
gs_token_crypto_sha256(gs_token_crypto_t *crypto, const gs_str_t *parts,
    size_t n, gs_uchar_t digest[32])
{
    size_t  i;

    if (EVP_DigestInit_ex2(crypto->md, crypto->sha256, NULL) != 1) {
        return GS_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (EVP_DigestUpdate(crypto->md, parts[i].data, parts[i].len) != 1) {
            return GS_ERROR;
        }
    }

    return EVP_DigestFinal_ex(crypto->md, digest, NULL) == 1 ? GS_OK
                                                             : GS_ERROR;
}


static int
gs_token_sig_rs256(gs_token_crypto_t *crypto, const gs_token_key_t *key,
    const gs_str_t *sm2_id, const gs_str_t *input, const gs_str_t *sig)
{
    gs_uchar_t  digest[32];

    if (sig->len != key->sig_len) {
        return 0;
    }

    if (gs_token_crypto_sha256(crypto, input, 1, digest) != GS_OK) {
        return GS_TOKEN_SIG_UNCHECKED;
    }

    return EVP_PKEY_verify(key->ctx, sig->data, sig->len, digest, 32);
}


static int
gs_token_sig_es256(gs_token_crypto_t *crypto, const gs_token_key_t *key,
    const gs_str_t *sm2_id, const gs_str_t *input, const gs_str_t *sig)
{
    size_t      len;
    gs_uchar_t  digest[32], der[GS_TOKEN_SIG_DER];

    if (sig->len != 64) {
        return 0;
    }

    if (gs_token_crypto_sha256(crypto, input, 1, digest) != GS_OK) {
        return GS_TOKEN_SIG_UNCHECKED;
    }

    len = gs_token_sig_der(der, sig->data);

    return EVP_PKEY_verify(key->ctx, der, len, digest, 32);
}


static int
gs_token_sig_eddsa(gs_token_crypto_t *crypto, const gs_token_key_t *key,
    const gs_str_t *sm2_id, const gs_str_t *input, const gs_str_t *sig)
{
    int  rc;

    if (sig->len != 64) {
        return 0;
    }

    if (EVP_DigestVerifyInit_ex(crypto->sig, NULL, NULL, NULL, NULL,
                                key->pkey, NULL)
        != 1)
    {
        return GS_TOKEN_SIG_UNCHECKED;
    }

    rc = EVP_DigestVerify(crypto->sig, sig->data, sig->len, input->data,
                          input->len);

    (void) EVP_MD_CTX_reset(crypto->sig);

    return rc;
}


/*
 * The identity must be set before the context is initialized: the default of
 * OpenSSL 3 is an empty one.  DER is read by libcrypto, which refuses any
 * encoding but the shortest.
 */

static int
gs_token_sig_sm2(gs_token_crypto_t *crypto, const gs_token_key_t *key,
    const gs_str_t *sm2_id, const gs_str_t *input, const gs_str_t *sig)
{
    int            rc;
    size_t         len;
    gs_uchar_t     der[GS_TOKEN_SIG_DER];
    EVP_PKEY_CTX  *ctx;

    len = sig->len;

    if (len == 64) {
        len = gs_token_sig_der(der, sig->data);

    } else if (len >= 8 && len <= GS_TOKEN_SIG_DER && sig->data[0] == 0x30) {
        memcpy(der, sig->data, len);

    } else {
        return 0;
    }

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);

    if (ctx == NULL) {
        return GS_TOKEN_SIG_UNCHECKED;
    }

    rc = GS_TOKEN_SIG_UNCHECKED;

    if (EVP_PKEY_CTX_set1_id(ctx, sm2_id->data, (int) sm2_id->len) == 1) {
        EVP_MD_CTX_set_pkey_ctx(crypto->sig, ctx);

        if (EVP_DigestVerifyInit(crypto->sig, NULL, crypto->sm3, NULL,
                                 key->pkey)
            == 1)
        {
            rc = EVP_DigestVerify(crypto->sig, der, len, input->data,
                                  input->len);
        }

        EVP_MD_CTX_set_pkey_ctx(crypto->sig, NULL);
        (void) EVP_MD_CTX_reset(crypto->sig);
    }

    EVP_PKEY_CTX_free(ctx);

    return rc;
}


/* SEQUENCE { INTEGER, INTEGER } of two numbers of 32 bytes. */

static size_t
gs_token_sig_der(gs_uchar_t *der, const gs_uchar_t *raw)
{
    gs_uchar_t  *p;

    p = gs_token_sig_integer(der + 2, raw);
    p = gs_token_sig_integer(p, raw + 32);

    der[0] = 0x30;
    der[1] = (gs_uchar_t) (p - der - 2);

    return (size_t) (p - der);
}


static gs_uchar_t *
gs_token_sig_integer(gs_uchar_t *p, const gs_uchar_t *raw)
{
    size_t  zeros, sign;

    for (zeros = 0; zeros < 31 && raw[zeros] == 0; zeros++) {
        /* void */
    }

    sign = raw[zeros] >> 7;

    *p++ = 0x02;
    *p++ = (gs_uchar_t) (32 - zeros + sign);

    if (sign) {
        *p++ = 0;
    }

    memcpy(p, raw + zeros, 32 - zeros);

    return p + (32 - zeros);
}


static int
gs_token_sig_no_memory(void)
{
    int            found;
    unsigned long  error;

    /* each function on the way out may have added its own on top */

    found = 0;

    for (error = ERR_get_error(); error != 0; error = ERR_get_error()) {
        if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) {
            found = 1;
        }
    }

    return found;
}
