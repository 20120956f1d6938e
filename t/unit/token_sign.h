
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

#include "core/gs_b64.h"
#include "token/gs_token.h"


#define SIGN_ROOM  262144

/* instead of an algorithm: the MAC that confuses */
#define SIGN_HS256  GS_TOKEN_ALGS


static EVP_PKEY  *sign_pkey[GS_TOKEN_ALGS];
static char       sign_jwks[16384];


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
    static char      text[8][1500];
    unsigned char    buf[1024];

    turn = (turn + 1) % 8;
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
        (void) sign_b64(text[turn], buf + (name[0] == 'x' ? 1 : 33), 32);
    }

    return text[turn];
}


/* One key of each algorithm, kid rs, es, ed, sm; sign_jwks is their set. */

static inline void
sign_init(void)
{
    int  i;

    sign_pkey[GS_TOKEN_RS256] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
                                                  (size_t) 2048);
    sign_pkey[GS_TOKEN_ES256] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    sign_pkey[GS_TOKEN_EDDSA] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    sign_pkey[GS_TOKEN_SM2] = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");

    for (i = 0; i < GS_TOKEN_ALGS; i++) {
        if (sign_pkey[i] == NULL) {
            sign_die("cannot make keys");
        }
    }

    (void) snprintf(sign_jwks, sizeof(sign_jwks),
        "{\"keys\": [\n"
        "{\"kty\": \"RSA\", \"kid\": \"rs\", \"n\": \"%s\", \"e\": \"%s\"},\n"
        "{\"kty\": \"EC\", \"crv\": \"P-256\", \"kid\": \"es\",\n"
        " \"x\": \"%s\", \"y\": \"%s\"},\n"
        "{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"kid\": \"ed\",\n"
        " \"x\": \"%s\"},\n"
        "{\"kty\": \"EC\", \"crv\": \"SM2\", \"kid\": \"sm\",\n"
        " \"x\": \"%s\", \"y\": \"%s\"}\n"
        "]}\n",
        sign_part(GS_TOKEN_RS256, "n"), sign_part(GS_TOKEN_RS256, "e"),
        sign_part(GS_TOKEN_ES256, "x"), sign_part(GS_TOKEN_ES256, "y"),
        sign_part(GS_TOKEN_EDDSA, "x"),
        sign_part(GS_TOKEN_SM2, "x"), sign_part(GS_TOKEN_SM2, "y"));
}


static inline void
sign_done(void)
{
    int  i;

    for (i = 0; i < GS_TOKEN_ALGS; i++) {
        EVP_PKEY_free(sign_pkey[i]);
    }
}


static inline size_t
sign_raw(unsigned char *sig, size_t len)
{
    ECDSA_SIG            *s;
    const unsigned char  *p;

    p = sig;
    s = d2i_ECDSA_SIG(NULL, &p, (long) len);

    (void) BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, 32);
    (void) BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + 32, 32);
    ECDSA_SIG_free(s);

    return 64;
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
    md = EVP_sha256();

    if (alg == GS_TOKEN_SM2) {
        md = EVP_sm3();
        (void) EVP_PKEY_CTX_set1_id(pctx, sm2_id, (int) strlen(sm2_id));

    } else if (alg == GS_TOKEN_EDDSA) {
        md = NULL;
    }

    EVP_MD_CTX_set_pkey_ctx(ctx, pctx);

    if (EVP_DigestSignInit(ctx, NULL, md, NULL, sign_pkey[alg]) != 1
        || EVP_DigestSign(ctx, sig, &len, (const unsigned char *) input,
                          input_len)
           != 1)
    {
        sign_die("cannot sign");
    }

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pctx);

    if (!der && (alg == GS_TOKEN_ES256 || alg == GS_TOKEN_SM2)) {
        len = sign_raw(sig, len);
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
