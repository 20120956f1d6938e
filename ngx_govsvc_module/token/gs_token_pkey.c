
/*
 * Copyright (C) govsvc authors
 *
 * Public keys of libcrypto, weak ones refused.
 */


#include "token/gs_token_pkey.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>


#define GS_TOKEN_RSA_MIN  2048
#define GS_TOKEN_RSA_MAX  8192


static const char *gs_token_pkey_rsa_weak(const BIGNUM *n, const BIGNUM *e);
static int gs_token_pkey_roca(const BIGNUM *n);
static int gs_token_pkey_roca_prime(BN_ULONG rest, BN_ULONG prime);
static EVP_PKEY *gs_token_pkey_build(const char *type, OSSL_PARAM_BLD *bld);
static int gs_token_pkey_valid(EVP_PKEY *pkey);
static int gs_token_pkey_small_order(const gs_uchar_t *x);


static const char  gs_token_pkey_memory[] = "not enough memory";


EVP_PKEY *
gs_token_pkey_rsa(const gs_str_t *n, const gs_str_t *e, const char **why)
{
    BIGNUM          *bn, *be;
    EVP_PKEY        *pkey;
    OSSL_PARAM_BLD  *bld;

    /* libcrypto's own limit is far above ours, and dear */

    if (n->len > GS_TOKEN_RSA_MAX / 8 || e->len > 8) {
        *why = "the RSA key has more than 8192 bits "
               "or an exponent of more than 64, allowed: 2048 to 8192";
        return NULL;
    }

    pkey = NULL;
    *why = gs_token_pkey_memory;

    bn = BN_bin2bn(n->data, (int) n->len, NULL);
    be = BN_bin2bn(e->data, (int) e->len, NULL);
    bld = OSSL_PARAM_BLD_new();

    if (bn != NULL && be != NULL && bld != NULL) {
        *why = gs_token_pkey_rsa_weak(bn, be);

        if (*why == NULL) {
            *why = gs_token_pkey_memory;

            if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn) == 1
                && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, be) == 1)
            {
                pkey = gs_token_pkey_build("RSA", bld);
            }
        }
    }

    OSSL_PARAM_BLD_free(bld);
    BN_free(bn);
    BN_free(be);
    ERR_clear_error();

    return pkey;
}


static const char *
gs_token_pkey_rsa_weak(const BIGNUM *n, const BIGNUM *e)
{
    int  bits;

    bits = BN_num_bits(n);

    if (bits < GS_TOKEN_RSA_MIN || bits > GS_TOKEN_RSA_MAX) {
        return "the RSA key has too few or too many bits, "
               "allowed: 2048 to 8192";
    }

    if (!BN_is_odd(n)) {
        return "the RSA modulus is even";
    }

    /* FIPS 186-5 A.1.1: 2^16 < e, odd */

    if (!BN_is_odd(e) || BN_num_bits(e) < 17) {
        return "the RSA exponent is even or below 65537";
    }

    if (gs_token_pkey_roca(n)) {
        return "the RSA key is of the ROCA kind (CVE-2017-15361) "
               "and can be factored";
    }

    return NULL;
}


/*
 * The primes of such keys are powers of 65537 modulo the product of all small
 * primes, hence the modulus is one modulo each.  A sound key passes all of
 * these tests with a probability below 2^-27.
 */

static int
gs_token_pkey_roca(const BIGNUM *n)
{
    size_t                 i;
    BN_ULONG               rest;
    static const BN_ULONG  primes[] = {
        11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151,
        157
    };

    for (i = 0; i < sizeof(primes) / sizeof(primes[0]); i++) {
        rest = BN_mod_word(n, primes[i]);

        if (!gs_token_pkey_roca_prime(rest, primes[i])) {
            return 0;
        }
    }

    return 1;
}


static int
gs_token_pkey_roca_prime(BN_ULONG rest, BN_ULONG prime)
{
    BN_ULONG  power;

    power = 1;

    do {
        if (power == rest) {
            return 1;
        }

        power = power * 65537 % prime;

    } while (power != 1);

    return 0;
}


EVP_PKEY *
gs_token_pkey_ec(const char *group, const gs_uchar_t *point, size_t len,
    const char **why)
{
    EVP_PKEY        *pkey;
    OSSL_PARAM_BLD  *bld;

    pkey = NULL;
    *why = gs_token_pkey_memory;

    bld = OSSL_PARAM_BLD_new();

    if (bld != NULL
        && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                           group, 0)
           == 1
        && OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, len)
           == 1)
    {
        *why = "x and y are no point of the curve";
        pkey = gs_token_pkey_build(group[0] == 'S' ? "SM2" : "EC", bld);

        if (pkey != NULL && !gs_token_pkey_valid(pkey)) {
            EVP_PKEY_free(pkey);
            pkey = NULL;
        }
    }

    OSSL_PARAM_BLD_free(bld);
    ERR_clear_error();

    return pkey;
}


static EVP_PKEY *
gs_token_pkey_build(const char *type, OSSL_PARAM_BLD *bld)
{
    EVP_PKEY      *pkey;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx;

    pkey = NULL;
    params = OSSL_PARAM_BLD_to_param(bld);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (params == NULL || ctx == NULL
        || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
    {
        pkey = NULL;
    }

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);

    return pkey;
}


static int
gs_token_pkey_valid(EVP_PKEY *pkey)
{
    int            ok;
    EVP_PKEY_CTX  *ctx;

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    ok = (ctx != NULL && EVP_PKEY_public_check(ctx) == 1);
    EVP_PKEY_CTX_free(ctx);

    return ok;
}


EVP_PKEY *
gs_token_pkey_ed25519(const gs_uchar_t *x, const char **why)
{
    EVP_PKEY  *pkey;

    if (gs_token_pkey_small_order(x)) {
        *why = "x is a point of small order, under which anyone can sign";
        return NULL;
    }

    *why = gs_token_pkey_memory;
    pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x, 32);
    ERR_clear_error();

    return pkey;
}


/* The y of the points whose order divides 8, and y + p where it fits. */

static int
gs_token_pkey_small_order(const gs_uchar_t *x)
{
    size_t                   i;
    gs_uchar_t               y[32];
    static const gs_uchar_t  weak[7][32] = {
        { 0 },
        { 1 },
        { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,
          0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
          0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
          0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
        { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f,
          0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
          0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
          0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
        { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
        { 0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
        { 0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f }
    };

    memcpy(y, x, 32);
    y[31] &= 0x7f;

    for (i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
        if (memcmp(y, weak[i], 32) == 0) {
            return 1;
        }
    }

    return 0;
}
