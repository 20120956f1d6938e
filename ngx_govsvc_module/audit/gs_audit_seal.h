
/*
 * Copyright (C) govsvc authors
 *
 * The small files beside the tiles of a sealed store: what the tree holds
 * (state), and which records its leaves are (index).
 *
 * Each line of a chain that counts is one leaf, the lines that open and close
 * segments too, in the order of the chain.  A run is a row of lines of one
 * chain that are neighbours in the tree: the line with number seq + i is the
 * leaf with number leaf + i.
 */


#ifndef _GS_AUDIT_SEAL_H_INCLUDED_
#define _GS_AUDIT_SEAL_H_INCLUDED_


#include "audit/gs_audit_note.h"
#include "audit/gs_audit_verify.h"


#define GS_AUDIT_STATE_MAX  512            /* the text of a state */
#define GS_AUDIT_RUN_MAX    512            /* a line of the index */


typedef struct {
    gs_audit_checkpoint_t   point;
    uint64_t                index;         /* bytes of the index that count */
} gs_audit_state_t;


typedef struct {
    uint64_t                leaf;          /* the first one */
    uint64_t                n;             /* at least 1 */
    uint64_t                seq;           /* of the first line */
    uint64_t                bytes;         /* where the last line ends ... */
    gs_str_t                segment;       /* ... in this file */
    gs_str_t                chain;
    unsigned                closed:1;      /* the chain has ended */
} gs_audit_run_t;


/*
 * ORIGIN LF SIZE LF ROOT LF INDEX LF, the form of a checkpoint with one more
 * line.  point.origin points into text.  GS_ERROR for any other bytes.
 */
void gs_audit_state_put(gs_buf_t *b, const gs_audit_state_t *state);
gs_rc_t gs_audit_state_parse(const gs_str_t *text, gs_audit_state_t *state);

/*
 * LEAF N SEQ BYTES SEGMENT CHAIN LF, with " end" before LF when the chain has
 * ended.  line is without LF; names point into it and hold no slash.
 */
void gs_audit_run_put(gs_buf_t *b, const gs_audit_run_t *run);
gs_rc_t gs_audit_run_parse(const gs_str_t *line, gs_audit_run_t *run);

/* The hash of the tree, as the name of the log tells: SM3 for ".../sm3". */
gs_audit_alg_e gs_audit_seal_alg(const gs_str_t *origin);


#endif /* _GS_AUDIT_SEAL_H_INCLUDED_ */
