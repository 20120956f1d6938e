
/*
 * Copyright (C) govsvc authors
 *
 * Keys and signed tokens for the tests of token/.  Everything lives in static
 * memory; a failure ends the program.
 */


#ifndef _TOKEN_SIGN_H_INCLUDED_
#define _TOKEN_SIGN_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "core/gs_b64.h"
#include "token/gs_token.h"


#define SIGN_ROOM  262144

/* instead of an algorithm: the MAC that confuses */
#define SIGN_HS256  GS_TOKEN_ALGS


static EVP_PKEY  *sign_pkey[GS_TOKEN_ALGS];  /* RS256 serves all of RSA */
static char       sign_jwks[16384];

/* 64 bytes, for every MAC; sign_secrets is their set */
static char       sign_secret[] = "0123456789abcdef0123456789ABCDEF"
                                  "fedcba9876543210FEDCBA9876543210";
static char       sign_secrets[1024];


static inline void
sign_die(const char *what)
{
    (void) printf("Bail out! %s\n", what);
    exit(1);
}


static inline size_t
sign_b64(char *dst, const void *data, size_t len)
{
    size_t  n;

    n = gs_b64url_encode((gs_uchar_t *) dst, data, len);
    dst[n] = '\0';

    return n;
}


/* A part of the public key, base64url, in one of a few static buffers. */

static inline const char *
sign_part(gs_token_alg_e alg, const char *name)
{
    size_t           n;
    BIGNUM          *bn;
    static int       turn;
    static char      text[16][1500];
    unsigned char    buf[1024];

    turn = (turn + 1) % 16;
    n = sizeof(buf);
    bn = NULL;

    if (alg == GS_TOKEN_RS256) {
        if (EVP_PKEY_get_bn_param(sign_pkey[alg], name, &bn) != 1) {
            sign_die("no RSA number");
        }

        n = (size_t) BN_bn2bin(bn, buf);
        BN_free(bn);
        (void) sign_b64(text[turn], buf, n);

    } else if (alg == GS_TOKEN_EDDSA) {
        (void) EVP_PKEY_get_raw_public_key(sign_pkey[alg], buf, &n);
        (void) sign_b64(text[turn], buf, n);

    } else {
        (void) EVP_PKEY_get_octet_string_param(sign_pkey[alg],
                                               OSSL_PKEY_PARAM_PUB_KEY, buf,
                                               sizeof(buf), &n);
        n = (n - 1) / 2;
        (void) sign_b64(text[turn], buf + 1 + (name[0] == 'x' ? 0 : n), n);
    }

    return text[turn];
}


/*
 * One key of each type, kid rs, es, e3, e5, ed, sm: sign_jwks is their set;
 * and a secret, kid hs, in sign_secrets.
 */

static inline void
sign_init(void)
{
    int   i;
    char  text[128];

    sign_pkey[GS_TOKEN_RS256] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
                                                  (size_t) 2048);
    sign_pkey[GS_TOKEN_ES256] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    sign_pkey[GS_TOKEN_ES384] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    sign_pkey[GS_TOKEN_ES512] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
    sign_pkey[GS_TOKEN_EDDSA] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    sign_pkey[GS_TOKEN_SM2] = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");

    for (i = GS_TOKEN_RS384; i < GS_TOKEN_ES256; i++) {
        sign_pkey[i] = sign_pkey[GS_TOKEN_RS256];
    }

    for (i = 0; i < GS_TOKEN_HS256; i++) {
        if (sign_pkey[i] == NULL) {
            sign_die("cannot make keys");
        }
    }

    (void) snprintf(sign_jwks, sizeof(sign_jwks),
        "{\"keys\": [\n"
        "{\"kty\": \"RSA\", \"kid\": \"rs\", \"n\": \"%s\", \"e\": \"%s\"},\n"
        "{\"kty\": \"EC\", \"crv\": \"P-256\", \"kid\": \"es\",\n"
        " \"x\": \"%s\", \"y\": \"%s\"},\n"
        "{\"kty\": \"EC\", \"crv\": \"P-384\", \"kid\": \"e3\",\n"
        " \"x\": \"%s\", \"y\": \"%s\"},\n"
        "{\"kty\": \"EC\", \"crv\": \"P-521\", \"kid\": \"e5\",\n"
        " \"x\": \"%s\", \"y\": \"%s\"},\n"
        "{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"kid\": \"ed\",\n"
        " \"x\": \"%s\"},\n"
        "{\"kty\": \"EC\", \"crv\": \"SM2\", \"kid\": \"sm\",\n"
        " \"x\": \"%s\", \"y\": \"%s\"}\n"
        "]}\n",
        sign_part(GS_TOKEN_RS256, "n"), sign_part(GS_TOKEN_RS256, "e"),
        sign_part(GS_TOKEN_ES256, "x"), sign_part(GS_TOKEN_ES256, "y"),
        sign_part(GS_TOKEN_ES384, "x"), sign_part(GS_TOKEN_ES384, "y"),
        sign_part(GS_TOKEN_ES512, "x"), sign_part(GS_TOKEN_ES512, "y"),
        sign_part(GS_TOKEN_EDDSA, "x"),
        sign_part(GS_TOKEN_SM2, "x"), sign_part(GS_TOKEN_SM2, "y"));

    (void) sign_b64(text, sign_secret, strlen(sign_secret));
    (void) snprintf(sign_secrets, sizeof(sign_secrets),
        "{\"keys\": [{\"kty\": \"oct\", \"kid\": \"hs\", \"k\": \"%s\"}]}",
        text);
}


static inline void
sign_done(void)
{
    int  i;

    for (i = 0; i < GS_TOKEN_ALGS; i++) {
        if (i == GS_TOKEN_RS256 || i >= GS_TOKEN_ES256) {
            EVP_PKEY_free(sign_pkey[i]);
        }
    }
}


static inline size_t
sign_raw(unsigned char *sig, size_t len, int width)
{
    ECDSA_SIG            *s;
    const unsigned char  *p;

    p = sig;
    s = d2i_ECDSA_SIG(NULL, &p, (long) len);

    (void) BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, width);
    (void) BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + width, width);
    ECDSA_SIG_free(s);

    return 2 * (size_t) width;
}


static inline const EVP_MD *
sign_md(gs_token_alg_e alg)
{
    switch (alg) {

    case GS_TOKEN_RS384:
    case GS_TOKEN_PS384:
    case GS_TOKEN_ES384:
    case GS_TOKEN_HS384:
        return EVP_sha384();

    case GS_TOKEN_RS512:
    case GS_TOKEN_PS512:
    case GS_TOKEN_ES512:
    case GS_TOKEN_HS512:
        return EVP_sha512();

    case GS_TOKEN_SM2:
    case GS_TOKEN_HSM3:
        return EVP_sm3();

    default:
        return EVP_sha256();
    }
}


/* The signature of input; DER for the curves where der is set. */

static inline size_t
sign_bytes(gs_token_alg_e alg, const char *input, size_t input_len, int der,
    const char *sm2_id, unsigned char sig[1024])
{
    size_t          len;
    EVP_MD_CTX     *ctx;
    const EVP_MD   *md;
    EVP_PKEY_CTX   *pctx;

    len = 1024;
    ctx = EVP_MD_CTX_new();
    pctx = EVP_PKEY_CTX_new_from_pkey(NULL, sign_pkey[alg], NULL);
    md = sign_md(alg);

    if (alg == GS_TOKEN_SM2) {
        (void) EVP_PKEY_CTX_set1_id(pctx, sm2_id, (int) strlen(sm2_id));

    } else if (alg == GS_TOKEN_EDDSA) {
        md = NULL;
    }

    EVP_MD_CTX_set_pkey_ctx(ctx, pctx);

    if (EVP_DigestSignInit(ctx, &pctx, md, NULL, sign_pkey[alg]) != 1
        || (alg >= GS_TOKEN_PS256 && alg < GS_TOKEN_ES256
            && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1
                || EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
                                                    RSA_PSS_SALTLEN_DIGEST)
                   != 1))
        || EVP_DigestSign(ctx, sig, &len, (const unsigned char *) input,
                          input_len)
           != 1)
    {
        sign_die("cannot sign");
    }

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pctx);

    if (!der && alg >= GS_TOKEN_ES256 && alg != GS_TOKEN_EDDSA) {
        len = sign_raw(sig, len, alg == GS_TOKEN_ES384 ? 48
                                 : alg == GS_TOKEN_ES512 ? 66 : 32);
    }

    return len;
}


/*
 * HEADER.PAYLOAD.SIGNATURE of exactly these texts, good until the fourth
 * call from now.
 */

static inline gs_str_t
sign_token_len(gs_token_alg_e alg, const char *header, const char *payload,
    size_t payload_len, int der)
{
    char           *t;
    size_t          n, len;
    unsigned        out;
    static int      turn;
    static char     room[4][SIGN_ROOM];
    unsigned char   sig[1024];

    turn = (turn + 1) % 4;
    t = room[turn];

    n = sign_b64(t, header, strlen(header));
    t[n++] = '.';
    n += sign_b64(t + n, payload, payload_len);

    if (alg == SIGN_HS256) {
        (void) HMAC(EVP_sha256(), sign_jwks, (int) strlen(sign_jwks),
                    (unsigned char *) t, n, sig, &out);
        len = out;

    } else if (alg >= GS_TOKEN_HS256) {
        (void) HMAC(sign_md(alg), sign_secret, (int) strlen(sign_secret),
                    (unsigned char *) t, n, sig, &out);
        len = out;

    } else {
        len = sign_bytes(alg, t, n, der, GS_TOKEN_SM2_ID, sig);
    }

    t[n++] = '.';
    n += sign_b64(t + n, sig, len);

    return gs_str_make(t, n);
}


static inline gs_str_t
sign_token(gs_token_alg_e alg, const char *header, const char *payload)
{
    return sign_token_len(alg, header, payload, strlen(payload), 0);
}


#endif /* _TOKEN_SIGN_H_INCLUDED_ */
