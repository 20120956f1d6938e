
/*
 * Copyright (C) govsvc authors
 *
 * Signed checkpoints of the tree: a note in the form of C2SP signed-note
 *
 *     ORIGIN LF SIZE LF base64(ROOT) LF          the checkpoint
 *     LF
 *     -- NAME base64(key hash || signature) LF   one line for each key
 *
 * with an em dash (U+2014) where two hyphens stand here.  Keys are Ed25519
 * (RFC 8032, type 1) or SM2 with SM3 (GB/T 32918.2, DER signature, of the
 * type 255 that others pass over).
 */


#ifndef _GS_AUDIT_NOTE_H_INCLUDED_
#define _GS_AUDIT_NOTE_H_INCLUDED_


#include "audit/gs_audit_chain.h"
#include "core/gs_err.h"


#define GS_AUDIT_NOTE_MAX      8192        /* a note with all signatures */
#define GS_AUDIT_KEY_NAME_MAX  128
#define GS_AUDIT_KEY_TEXT_MAX  320         /* a public key as text, with NUL */
#define GS_AUDIT_PUBLIC_MAX    96          /* type and public key */


typedef enum {
    GS_AUDIT_KEY_ED25519 = 1,
    GS_AUDIT_KEY_WITNESS = 4,              /* Ed25519, of cosignatures only */
    GS_AUDIT_KEY_SM2 = 0xff
} gs_audit_key_type_e;


typedef struct {
    void                 *pkey;            /* EVP_PKEY */
    gs_audit_key_type_e   type;
    unsigned              private:1;       /* can sign */
    gs_uchar_t            id[4];           /* the key hash */
    size_t                public_len;
    gs_uchar_t            public[GS_AUDIT_PUBLIC_MAX];
    size_t                name_len;
    char                  name[GS_AUDIT_KEY_NAME_MAX + 1];
} gs_audit_key_t;


typedef struct {
    gs_str_t              origin;
    uint64_t              size;
    gs_uchar_t            root[GS_AUDIT_HASH];
} gs_audit_checkpoint_t;


/*
 * A private key from the text of its PEM (PKCS #8), which is not kept; name
 * is that of the log, without blanks and "+".  GS_ERROR with the reason; then
 * nothing is held.
 */
gs_rc_t gs_audit_key_private(gs_audit_key_t *key, const gs_str_t *name,
    const gs_str_t *pem, gs_err_t *err);

/*
 * Makes a key and appends its PEM, for gs_audit_key_private().  Uses the random
 * numbers of libcrypto.  GS_ERROR when that fails or b is too small.
 */
gs_rc_t gs_audit_key_generate(gs_audit_key_type_e type, gs_buf_t *b);

/* A public key from its text, NAME+HASH+KEY. */
gs_rc_t gs_audit_key_public(gs_audit_key_t *key, const gs_str_t *text,
    gs_err_t *err);

/*
 * Makes an Ed25519 key one that cosigns, C2SP tlog-cosignature: it has another
 * text, and can sign nothing else.  GS_ERROR for any other key.
 */
gs_rc_t gs_audit_key_witness(gs_audit_key_t *key);

void gs_audit_key_free(gs_audit_key_t *key);

/* NAME+HASH+KEY, without line feed. */
void gs_audit_key_text(const gs_audit_key_t *key, gs_buf_t *b);


/* ORIGIN, SIZE and ROOT. */
void gs_audit_checkpoint_put(gs_buf_t *b, const gs_audit_checkpoint_t *point);

/*
 * Reads the text of a note up to and with the LF before the blank line.
 * Further lines are allowed and skipped.  point->origin points into text.
 */
gs_rc_t gs_audit_checkpoint_parse(const gs_str_t *text,
    gs_audit_checkpoint_t *point);


/* Appends the signature line of key over text, which ends with LF. */
gs_rc_t gs_audit_note_sign(const gs_audit_key_t *key, const gs_str_t *text,
    gs_buf_t *b);

/*
 * Appends the cosignature of a witness over text, at that time (s since the
 * epoch): that of all trees of this log it has seen, this is the largest, and
 * begins with all others.
 */
gs_rc_t gs_audit_note_cosign(const gs_audit_key_t *key, const gs_str_t *text,
    uint64_t time, gs_buf_t *b);

/* Takes a note apart: the text with its last LF, the signature lines. */
gs_rc_t gs_audit_note_split(const gs_str_t *note, gs_str_t *text,
    gs_str_t *signatures);

/*
 * GS_OK: signed by key; GS_DECLINED: no signature of this key; GS_ERROR: the
 * note is malformed, or a signature in the key's name is wrong.  What the key
 * of a witness has signed does not count.
 */
gs_rc_t gs_audit_note_check(const gs_audit_key_t *key, const gs_str_t *note);

/* The same for cosignatures of a witness; *time is the last one, or 0. */
gs_rc_t gs_audit_note_cosigned(const gs_audit_key_t *key,
    const gs_str_t *note, uint64_t *time);


#endif /* _GS_AUDIT_NOTE_H_INCLUDED_ */
