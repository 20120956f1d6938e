
/*
 * Copyright (C) govsvc authors
 *
 * Signatures.  The contexts of libcrypto are made once for a process and used
 * again for every token.
 */


#ifndef _GS_TOKEN_SIG_H_INCLUDED_
#define _GS_TOKEN_SIG_H_INCLUDED_


#include "core/gs_mem.h"
#include "token/gs_token_key.h"


typedef struct gs_token_crypto_s  gs_token_crypto_t;


/*
 * Digests fetched and a context to work with; NULL when memory is out.  For
 * one thread at a time; after fork() each process has its own.
 */
gs_token_crypto_t *gs_token_crypto_create(gs_mem_t *mem);
void gs_token_crypto_destroy(gs_token_crypto_t *crypto);  /* may be NULL */

/*
 * Verifies sig over input by alg, one of key->algs.  ES256, ES384, ES512:
 * exactly R and S (RFC 7518 3.4).  SM2 (GM/T 0003): 64 bytes likewise, or the
 * DER form of GM/T 0009; sm2_id is the signer's identity.  MACs are compared in
 * constant time.  GS_TOKEN_OK, GS_TOKEN_BAD_SIGNATURE or GS_TOKEN_NO_MEMORY.
 */
gs_token_reason_e gs_token_sig_verify(gs_token_crypto_t *crypto,
    const gs_token_key_t *key, gs_token_alg_e alg, const gs_str_t *sm2_id,
    const gs_str_t *input, const gs_str_t *sig);

/* SHA-256 of the parts, one behind the other; GS_ERROR when memory is out. */
gs_rc_t gs_token_crypto_sha256(gs_token_crypto_t *crypto,
    const gs_str_t *parts, size_t n, gs_uchar_t digest[32]);


#endif /* _GS_TOKEN_SIG_H_INCLUDED_ */
