
/*
 * Copyright (C) govsvc authors
 *
 * One record with what proves it, to be checked without the store:
 *
 *     govsvc-audit-proof 1
 *     alg sm3                          of the chain
 *     previous BASE64URL               the hash of the line before
 *     line {"v":1, ... }
 *     index 123                        its leaf
 *     path BASE64URL                   any number, from the leaf up
 *                                      a blank line
 *     ORIGIN ...                       the checkpoint, a signed note
 *
 * Nothing of the neighbours but a hash is told.
 */


#ifndef _GS_AUDIT_BUNDLE_H_INCLUDED_
#define _GS_AUDIT_BUNDLE_H_INCLUDED_


#include "audit/gs_audit_note.h"
#include "audit/gs_audit_tree.h"


/* The longest text of a proof. */
#define GS_AUDIT_BUNDLE_MAX  (GS_AUDIT_LINE_MAX + GS_AUDIT_NOTE_MAX + 8192)


typedef struct {
    gs_audit_alg_e      alg;
    gs_uchar_t          previous[GS_AUDIT_HASH];
    gs_str_t            line;              /* without LF */
    uint64_t            index;
    gs_audit_proof_t    path;
    gs_str_t            note;
} gs_audit_bundle_t;


void gs_audit_bundle_put(gs_buf_t *b, const gs_audit_bundle_t *bundle);

/* Strings point into text.  GS_ERROR for any other form. */
gs_rc_t gs_audit_bundle_parse(const gs_str_t *text, gs_audit_bundle_t *bundle);

/*
 * GS_OK: key has signed a checkpoint over this record.  GS_DECLINED with the
 * reason: not so.  GS_ERROR: libcrypto failed.  *point is what was signed.
 */
gs_rc_t gs_audit_bundle_check(const gs_audit_bundle_t *bundle,
    const gs_audit_key_t *key, gs_audit_checkpoint_t *point, gs_err_t *err);


#endif /* _GS_AUDIT_BUNDLE_H_INCLUDED_ */
