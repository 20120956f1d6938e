
/*
 * Copyright (C) govsvc authors
 *
 * Signatures by libcrypto.
 */


#include "token/gs_token_sig.h"

#include <errno.h>

#include <openssl/err.h>
#include <openssl/evp.h>


#define GS_TOKEN_SIG_DER        144        /* two integers of 67 bytes */
#define GS_TOKEN_SIG_SM2_DER    72         /* two integers of 33 bytes */
#define GS_TOKEN_SIG_DIGESTS    3

/* the library failed before it looked at the signature: not always with an
 * error that names memory, but with a key that is sound for no other reason */
#define GS_TOKEN_SIG_UNCHECKED  -2


struct gs_token_crypto_s {
    EVP_MD      *sha[GS_TOKEN_SIG_DIGESTS];    /* 256, 384, 512 */
    EVP_MD      *sm3;
    EVP_MD_CTX  *md;                       /* SHA-2 */
    EVP_MD_CTX  *sig;                      /* EdDSA, SM2 */
    gs_mem_t    *mem;
};


/* What is to be verified, by what. */
typedef struct {
    const gs_token_key_t  *key;
    gs_token_alg_e         alg;
    const gs_str_t        *sm2_id;
    const gs_str_t        *input;
    const gs_str_t        *sig;
} gs_token_sig_t;


static int gs_token_sig_dispatch(gs_token_crypto_t *crypto,
    const gs_token_sig_t *s);
static int gs_token_sig_rsa(gs_token_crypto_t *crypto,
    const gs_token_sig_t *s);
static int gs_token_sig_ecdsa(gs_token_crypto_t *crypto,
    const gs_token_sig_t *s);
static int gs_token_sig_eddsa(gs_token_crypto_t *crypto,
    const gs_token_sig_t *s);
static int gs_token_sig_sm2(gs_token_crypto_t *crypto,
    const gs_token_sig_t *s);
static int gs_token_sig_mac(const gs_token_sig_t *s);
static gs_rc_t gs_token_sig_digest(gs_token_crypto_t *crypto, EVP_MD *md,
    const gs_str_t *parts, size_t n, gs_uchar_t *digest);
static size_t gs_token_sig_der(gs_uchar_t *der, const gs_uchar_t *raw,
    size_t width);
static gs_uchar_t *gs_token_sig_integer(gs_uchar_t *p, const gs_uchar_t *raw,
    size_t width);
static int gs_token_sig_mismatch(void);


static const size_t  gs_token_sig_sizes[GS_TOKEN_MACS] = { 32, 48, 64, 32 };


/* R and S of ES256, ES384, ES512. */

static const size_t  gs_token_sig_widths[GS_TOKEN_SIG_DIGESTS] = {
    32, 48, 66
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
    crypto->sha[0] = EVP_MD_fetch(NULL, "SHA256", NULL);
    crypto->sha[1] = EVP_MD_fetch(NULL, "SHA384", NULL);
    crypto->sha[2] = EVP_MD_fetch(NULL, "SHA512", NULL);
    crypto->sm3 = EVP_MD_fetch(NULL, "SM3", NULL);
    crypto->md = EVP_MD_CTX_new();
    crypto->sig = EVP_MD_CTX_new();

    if (crypto->sha[0] == NULL || crypto->sha[1] == NULL
        || crypto->sha[2] == NULL || crypto->sm3 == NULL
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
    size_t  i;

    if (crypto == NULL) {
        return;
    }

    EVP_MD_CTX_free(crypto->sig);
    EVP_MD_CTX_free(crypto->md);
    EVP_MD_free(crypto->sm3);

    for (i = 0; i < GS_TOKEN_SIG_DIGESTS; i++) {
        EVP_MD_free(crypto->sha[i]);
    }

    gs_free(crypto->mem, crypto);
}


gs_token_reason_e
gs_token_sig_verify(gs_token_crypto_t *crypto, const gs_token_key_t *key,
    gs_token_alg_e alg, const gs_str_t *sm2_id, const gs_str_t *input,
    const gs_str_t *sig)
{
    int             rc;
    gs_token_sig_t  s;

    s.key = key;
    s.alg = alg;
    s.sm2_id = sm2_id;
    s.input = input;
    s.sig = sig;

    errno = 0;

    rc = gs_token_sig_dispatch(crypto, &s);

    if (rc == 1) {
        return GS_TOKEN_OK;
    }

    if (!gs_token_sig_mismatch()) {
        rc = GS_TOKEN_SIG_UNCHECKED;
    }

    return rc == GS_TOKEN_SIG_UNCHECKED ? GS_TOKEN_NO_MEMORY
                                        : GS_TOKEN_BAD_SIGNATURE;
}


static int
gs_token_sig_dispatch(gs_token_crypto_t *crypto, const gs_token_sig_t *s)
{
    if (!(s->key->algs & (1u << s->alg))) {
        return 0;
    }

    if (s->alg < GS_TOKEN_ES256) {
        return gs_token_sig_rsa(crypto, s);
    }

    if (s->alg < GS_TOKEN_EDDSA) {
        return gs_token_sig_ecdsa(crypto, s);
    }

    if (s->alg == GS_TOKEN_EDDSA) {
        return gs_token_sig_eddsa(crypto, s);
    }

    if (s->alg == GS_TOKEN_SM2) {
        return gs_token_sig_sm2(crypto, s);
    }

    return gs_token_sig_mac(s);
}


gs_rc_t
gs_token_crypto_sha256(gs_token_crypto_t *crypto, const gs_str_t *parts,
    size_t n, gs_uchar_t digest[32])
{
    return gs_token_sig_digest(crypto, crypto->sha[0], parts, n, digest);
}


static gs_rc_t
gs_token_sig_digest(gs_token_crypto_t *crypto, EVP_MD *md,
    const gs_str_t *parts, size_t n, gs_uchar_t *digest)
{
    size_t  i;

    if (EVP_DigestInit_ex2(crypto->md, md, NULL) != 1) {
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
gs_token_sig_rsa(gs_token_crypto_t *crypto, const gs_token_sig_t *s)
{
    size_t      i;
    gs_uchar_t  digest[EVP_MAX_MD_SIZE];

    i = s->alg % GS_TOKEN_SIG_DIGESTS;

    if (s->sig->len != s->key->sig_len) {
        return 0;
    }

    if (gs_token_sig_digest(crypto, crypto->sha[i], s->input, 1, digest)
        != GS_OK)
    {
        return GS_TOKEN_SIG_UNCHECKED;
    }

    return EVP_PKEY_verify(s->key->ctx[s->alg], s->sig->data, s->sig->len,
                           digest, gs_token_sig_sizes[i]);
}


static int
gs_token_sig_ecdsa(gs_token_crypto_t *crypto, const gs_token_sig_t *s)
{
    size_t      i, len;
    gs_uchar_t  digest[EVP_MAX_MD_SIZE], der[GS_TOKEN_SIG_DER];

    i = s->alg % GS_TOKEN_SIG_DIGESTS;

    if (s->sig->len != 2 * gs_token_sig_widths[i]) {
        return 0;
    }

    if (gs_token_sig_digest(crypto, crypto->sha[i], s->input, 1, digest)
        != GS_OK)
    {
        return GS_TOKEN_SIG_UNCHECKED;
    }

    len = gs_token_sig_der(der, s->sig->data, gs_token_sig_widths[i]);

    return EVP_PKEY_verify(s->key->ctx[s->alg], der, len, digest,
                           gs_token_sig_sizes[i]);
}


static int
gs_token_sig_eddsa(gs_token_crypto_t *crypto, const gs_token_sig_t *s)
{
    int  rc;

    if (s->sig->len != 64) {
        return 0;
    }

    if (EVP_DigestVerifyInit_ex(crypto->sig, NULL, NULL, NULL, NULL,
                                s->key->pkey, NULL)
        != 1)
    {
        return GS_TOKEN_SIG_UNCHECKED;
    }

    rc = EVP_DigestVerify(crypto->sig, s->sig->data, s->sig->len,
                          s->input->data, s->input->len);

    (void) EVP_MD_CTX_reset(crypto->sig);

    return rc == 1 ? 1 : 0;
}


/*
 * The identity must be set before the context is initialized: the default of
 * OpenSSL 3 is an empty one.  DER is read by libcrypto, which refuses any
 * encoding but the shortest.
 */

static int
gs_token_sig_sm2(gs_token_crypto_t *crypto, const gs_token_sig_t *s)
{
    int            rc;
    size_t         len;
    gs_uchar_t     der[GS_TOKEN_SIG_DER];
    EVP_PKEY_CTX  *ctx;

    len = s->sig->len;

    if (len == 64) {
        len = gs_token_sig_der(der, s->sig->data, 32);

    } else if (len >= 8 && len <= GS_TOKEN_SIG_SM2_DER
               && s->sig->data[0] == 0x30)
    {
        memcpy(der, s->sig->data, len);

    } else {
        return 0;
    }

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, s->key->pkey, NULL);

    if (ctx == NULL) {
        return GS_TOKEN_SIG_UNCHECKED;
    }

    rc = GS_TOKEN_SIG_UNCHECKED;

    if (EVP_PKEY_CTX_set1_id(ctx, s->sm2_id->data, (int) s->sm2_id->len)
        == 1)
    {
        EVP_MD_CTX_set_pkey_ctx(crypto->sig, ctx);

        if (EVP_DigestVerifyInit(crypto->sig, NULL, crypto->sm3, NULL,
                                 s->key->pkey)
            == 1)
        {
            rc = EVP_DigestVerify(crypto->sig, der, len, s->input->data,
                                  s->input->len);
        }

        EVP_MD_CTX_set_pkey_ctx(crypto->sig, NULL);
        (void) EVP_MD_CTX_reset(crypto->sig);
    }

    EVP_PKEY_CTX_free(ctx);

    return rc;
}


static int
gs_token_sig_mac(const gs_token_sig_t *s)
{
    size_t        size, len;
    gs_uchar_t    mac[EVP_MAX_MD_SIZE];
    EVP_MAC_CTX  *ctx;

    ctx = s->key->mac[s->alg - GS_TOKEN_HS256];
    size = gs_token_sig_sizes[s->alg - GS_TOKEN_HS256];

    if (s->sig->len != size) {
        return 0;
    }

    /* without a key: the one it has */

    if (EVP_MAC_init(ctx, NULL, 0, NULL) != 1
        || EVP_MAC_update(ctx, s->input->data, s->input->len) != 1
        || EVP_MAC_final(ctx, mac, &len, sizeof(mac)) != 1)
    {
        return GS_TOKEN_SIG_UNCHECKED;
    }

    return len == size && gs_ct_eq(mac, s->sig->data, size);
}


/* SEQUENCE { INTEGER, INTEGER } of two numbers of that many bytes. */

static size_t
gs_token_sig_der(gs_uchar_t *der, const gs_uchar_t *raw, size_t width)
{
    size_t       len;
    gs_uchar_t  *p, *body;

    /* at most one byte more for the length, for numbers of 521 bits */

    body = der + 3;

    p = gs_token_sig_integer(body, raw, width);
    p = gs_token_sig_integer(p, raw + width, width);
    len = (size_t) (p - body);

    der[0] = 0x30;

    if (len >= 0x80) {
        der[1] = 0x81;
        der[2] = (gs_uchar_t) len;

        return len + 3;
    }

    der[1] = (gs_uchar_t) len;
    memmove(der + 2, body, len);

    return len + 2;
}


static gs_uchar_t *
gs_token_sig_integer(gs_uchar_t *p, const gs_uchar_t *raw, size_t width)
{
    size_t  zeros, sign;

    for (zeros = 0; zeros < width - 1 && raw[zeros] == 0; zeros++) {
        /* void */
    }

    sign = raw[zeros] >> 7;

    *p++ = 0x02;
    *p++ = (gs_uchar_t) (width - zeros + sign);

    if (sign) {
        *p++ = 0;
    }

    memcpy(p, raw + zeros, width - zeros);

    return p + (width - zeros);
}


/*
 * Whether it is the signature that was refused, and not the memory for looking
 * at it: a good token must not be remembered as a bad one.  Not all places of
 * libcrypto leave an error when they have none, but malloc() does.  Empties
 * the queue of errors, in which one would be taken for an error of TLS.
 */

static int
gs_token_sig_mismatch(void)
{
    int            memory;
    unsigned long  error;

    memory = (errno != ENOMEM);

    /* each function on the way out may have added its own on top */

    for (error = ERR_get_error(); error != 0; error = ERR_get_error()) {
        if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) {
            memory = 0;
        }
    }

    return memory;
}
