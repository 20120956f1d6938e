
/*
 * Copyright (C) govsvc authors
 *
 * The hash chain of audit lines.  A line is
 *
 *     B ,"h":"<base64url(h)>"} LF        h_i = H(h_{i-1} || B_i)
 *
 * where B runs from '{' to before ,"h": and H is SM3 (GB/T 32905) or SHA-256
 * (FIPS 180-4).  The hash covers the bytes as they were written, so that no
 * canonical form of JSON is needed.  The state before the first line of a
 * segment is 32 zero bytes; segments are joined by what their first line says
 * about the one before.
 */


#ifndef _GS_AUDIT_CHAIN_H_INCLUDED_
#define _GS_AUDIT_CHAIN_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_AUDIT_HASH       32
#define GS_AUDIT_HASH_TEXT  43             /* base64url, no padding */

/* ,"h":" and "} around the text of the hash */
#define GS_AUDIT_SEAL       (6 + GS_AUDIT_HASH_TEXT + 2)

#define GS_AUDIT_BODY_MIN   96             /* B is never shorter */
#define GS_AUDIT_LINE_MAX   8192           /* with LF; never longer */


typedef enum {
    GS_AUDIT_SM3 = 0,
    GS_AUDIT_SHA256,
    GS_AUDIT_ALGS
} gs_audit_alg_e;


typedef struct {
    void            *md;                   /* EVP_MD, EVP_MD_CTX */
    void            *md_ctx;
    gs_uchar_t       h[GS_AUDIT_HASH];     /* of the last line */
    gs_audit_alg_e   alg;
} gs_audit_chain_t;


/* "sm3" and "sha256", the words of configuration and of seg.open. */
const char *gs_audit_alg_name(gs_audit_alg_e alg);
gs_rc_t gs_audit_alg_find(const gs_str_t *name, gs_audit_alg_e *alg);

/*
 * Fetches the hash once and starts at 32 zero bytes.  GS_ERROR when libcrypto
 * lacks the hash or memory; then nothing is held.
 */
gs_rc_t gs_audit_chain_init(gs_audit_chain_t *chain, gs_audit_alg_e alg);
void gs_audit_chain_free(gs_audit_chain_t *chain);

/* A hash of bytes that come in pieces. */
typedef struct {
    void            *md_ctx;               /* NULL: not begun */
    uint64_t         len;
} gs_audit_digest_t;


/*
 * Adds bytes, beginning the digest with the hash of chain on first use.
 * GS_ERROR when libcrypto has no memory.  end() writes GS_AUDIT_HASH bytes;
 * free() may be called at any time.
 */
gs_rc_t gs_audit_digest(gs_audit_digest_t *d, const gs_audit_chain_t *chain,
    const void *data, size_t len);
gs_rc_t gs_audit_digest_end(gs_audit_digest_t *d, gs_uchar_t *h);
void gs_audit_digest_free(gs_audit_digest_t *d);

/* Back to 32 zero bytes, for the first line of a segment. */
void gs_audit_chain_start(gs_audit_chain_t *chain);

/* h = H(h || body).  Allocates nothing. */
gs_rc_t gs_audit_chain_step(gs_audit_chain_t *chain, const void *body,
    size_t len);

/*
 * Seals the line that begins at offset from of b and holds B so far: appends
 * ,"h":"..."} and LF.  GS_ERROR on overflow of b or failure of the hash; the
 * line is then worthless and h unchanged on overflow.
 */
gs_rc_t gs_audit_chain_seal(gs_audit_chain_t *chain, gs_buf_t *b, size_t from);

/* The current h as text; dst holds GS_AUDIT_HASH_TEXT bytes. */
void gs_audit_chain_text(const gs_audit_chain_t *chain, gs_uchar_t *dst);


#endif /* _GS_AUDIT_CHAIN_H_INCLUDED_ */
