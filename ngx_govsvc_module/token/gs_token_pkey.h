
/*
 * Copyright (C) govsvc authors
 *
 * Public keys of libcrypto made of the numbers of a JWK, with the checks that
 * keep weak ones out.  Private to the room.
 */


#ifndef _GS_TOKEN_PKEY_H_INCLUDED_
#define _GS_TOKEN_PKEY_H_INCLUDED_


#include <openssl/evp.h>

#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_TOKEN_MAX_COORD  66             /* bytes of one of P-521 */


/*
 * Each returns a key, or NULL with *why set to a sentence for the operator
 * (a literal).
 */

/* n and e are big-endian, without leading zero. */
EVP_PKEY *gs_token_pkey_rsa(const gs_str_t *n, const gs_str_t *e,
    const char **why);

/* group is "P-256", "P-384", "P-521" or "SM2"; point is 04, X, Y. */
EVP_PKEY *gs_token_pkey_ec(const char *group, const gs_uchar_t *point,
    size_t len, const char **why);

/* x is 32 bytes. */
EVP_PKEY *gs_token_pkey_ed25519(const gs_uchar_t *x, const char **why);


#endif /* _GS_TOKEN_PKEY_H_INCLUDED_ */
