
/*
 * Copyright (C) govsvc authors
 *
 * Tokens of our own: compact JWS (RFC 7515) signed with a private key, and
 * the public key as a JWK (RFC 7517) for those who verify them.
 */


#ifndef _GS_TOKEN_SIGNER_H_INCLUDED_
#define _GS_TOKEN_SIGNER_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_err.h"
#include "core/gs_mem.h"
#include "token/gs_token.h"


#define GS_TOKEN_SIGNER_PAYLOAD  1024      /* bytes of claims */
#define GS_TOKEN_SIGNER_MAX      2048      /* bytes of a token */
#define GS_TOKEN_SIGNER_KID      128


typedef struct gs_token_signer_s  gs_token_signer_t;


/*
 * Reads a private key in PEM (PKCS #8, without passphrase): Ed25519 signs as
 * EdDSA, P-256 as ES256, SM2 as SM2 with the identity 1234567812345678.  alg
 * demands one of them, GS_TOKEN_ALG_UNKNOWN takes what the key is for.  kid is
 * of letters, digits and "-_.:", at most GS_TOKEN_SIGNER_KID bytes; with len
 * 0 it is the thumbprint of RFC 7638.  For one thread at a time; after fork()
 * each process has its own.  NULL: err tells why.
 */
gs_token_signer_t *gs_token_signer_create(gs_mem_t *mem, const gs_str_t *pem,
    gs_token_alg_e alg, const gs_str_t *kid, gs_err_t *err);

void gs_token_signer_destroy(gs_token_signer_t *s);         /* may be NULL */

gs_str_t gs_token_signer_kid(const gs_token_signer_t *s);

/*
 * Appends the token with this payload (a JSON object, at most
 * GS_TOKEN_SIGNER_PAYLOAD bytes) to b, which has to have room for
 * GS_TOKEN_SIGNER_MAX.  GS_ERROR: too long, or libcrypto has no memory.
 */
gs_rc_t gs_token_signer_sign(gs_token_signer_t *s, const gs_str_t *payload,
    gs_buf_t *b);

/* Appends the public key as a JWK; at most 512 bytes. */
void gs_token_signer_jwk(const gs_token_signer_t *s, gs_buf_t *b);


#endif /* _GS_TOKEN_SIGNER_H_INCLUDED_ */
