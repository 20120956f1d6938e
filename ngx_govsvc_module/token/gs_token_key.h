
/*
 * Copyright (C) govsvc authors
 *
 * Keys: a JWK set (RFC 7517, RFC 7518 section 6, RFC 8037) read once.  What a
 * key may be used for is decided by its type and its alg, never by a token.
 */


#ifndef _GS_TOKEN_KEY_H_INCLUDED_
#define _GS_TOKEN_KEY_H_INCLUDED_


#include "core/gs_err.h"
#include "core/gs_mem.h"
#include "token/gs_token.h"


#define GS_TOKEN_KEYS_MAX_TEXT  262144     /* bytes of a JWK set */
#define GS_TOKEN_KEYS_MAX       64         /* keys of a set */


struct evp_pkey_st;
struct evp_pkey_ctx_st;
struct evp_mac_ctx_st;


/* Contexts are prepared for each algorithm that the key may be used for. */
typedef struct {
    uint64_t                 id;           /* of its content, never 0 */
    gs_str_t                 kid;          /* len 0: the key has none */
    unsigned                 algs;         /* 1 << gs_token_alg_e */
    size_t                   sig_len;      /* of RSA */
    struct evp_pkey_st      *pkey;         /* NULL: a secret */
    struct evp_pkey_ctx_st  *ctx[GS_TOKEN_DIGESTED];
    struct evp_mac_ctx_st   *mac[GS_TOKEN_MACS];
} gs_token_key_t;


typedef struct {
    gs_token_key_t  *keys;
    size_t           n;
    size_t           skipped;              /* keys that are not for us */
    uint64_t         generation;           /* of the text, never 0 */
    gs_mem_t        *mem;
} gs_token_keys_t;


/*
 * Reads a JWK set, public keys only: RSA of 2048 to 8192 bits, EC P-256,
 * P-384 and P-521, OKP Ed25519, and SM2 as EC with crv "SM2".  Skipped, as RFC
 * 7517 section 5 wants: use "enc", key_ops without "verify", other types,
 * curves and algorithms.  Refused: private and symmetric keys, weak keys,
 * points off the curve, an alg that does not fit the type, a kid used twice, a
 * set without a usable key.  NULL on failure, err tells line and pointer.
 *
 * Keys hold contexts of libcrypto that verification writes to, so one thread
 * at a time may use a set; after fork() each process has its own.
 */
gs_token_keys_t *gs_token_keys_load(gs_mem_t *mem, const gs_str_t *text,
    gs_err_t *err);

/*
 * Likewise a set of secrets ("oct") and of nothing else, each at least as long
 * as the output of the hash (RFC 7518 section 3.2).
 */
gs_token_keys_t *gs_token_keys_load_secrets(gs_mem_t *mem,
    const gs_str_t *text, gs_err_t *err);

void gs_token_keys_destroy(gs_token_keys_t *keys);      /* may be NULL */

/*
 * The key for a token: the one with its kid, or, for a token without kid
 * (len 0), the only one of the algorithm.  NULL if there is none.
 */
const gs_token_key_t *gs_token_keys_find(const gs_token_keys_t *keys,
    const gs_str_t *kid, gs_token_alg_e alg);

/* The key of that number, NULL if the set (or NULL) has it no more. */
const gs_token_key_t *gs_token_keys_by_id(const gs_token_keys_t *keys,
    uint64_t id);


#endif /* _GS_TOKEN_KEY_H_INCLUDED_ */
