
/*
 * Copyright (C) govsvc authors
 *
 * Keyed pseudonyms: HMAC of an identifier cut to 128 bits, so that lines of
 * one person can be joined by those who may, and by nobody else.  Identity
 * numbers are guessable: without the key a plain hash would be no protection.
 */


#ifndef _GS_AUDIT_PSEUDONYM_H_INCLUDED_
#define _GS_AUDIT_PSEUDONYM_H_INCLUDED_


#include "audit/gs_audit_chain.h"


#define GS_AUDIT_KEY_MIN  32               /* bytes of a key */

/* "p" kid ":" and 22 characters */
#define GS_AUDIT_PID_MAX  (1 + 10 + 1 + 22)


typedef struct {
    void      *mac;                        /* EVP_MAC, EVP_MAC_CTX */
    void      *mac_ctx;
    unsigned   kid;                        /* epoch of the key */
} gs_audit_pseudonym_t;


/*
 * Keys the HMAC once (the key is not kept elsewhere).  GS_ERROR for a key
 * shorter than GS_AUDIT_KEY_MIN or when libcrypto fails.
 */
gs_rc_t gs_audit_pseudonym_init(gs_audit_pseudonym_t *p, gs_audit_alg_e alg,
    const gs_str_t *key, unsigned kid);
void gs_audit_pseudonym_free(gs_audit_pseudonym_t *p);

/*
 * "p7:Q5qAj024px7SOwG_po7trg" of id; dst holds GS_AUDIT_PID_MAX bytes, *len
 * becomes the length.
 */
gs_rc_t gs_audit_pseudonym(gs_audit_pseudonym_t *p, const gs_str_t *id,
    gs_uchar_t *dst, size_t *len);


#endif /* _GS_AUDIT_PSEUDONYM_H_INCLUDED_ */
