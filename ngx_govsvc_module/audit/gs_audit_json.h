
/*
 * Copyright (C) govsvc authors
 *
 * Audit records as lines: fixed key order, integers only, absent is omitted,
 * strict escaping (core/gs_json_out.h), personal numbers masked, over-long
 * values cut at a character and named in "cut".
 */


#ifndef _GS_AUDIT_JSON_H_INCLUDED_
#define _GS_AUDIT_JSON_H_INCLUDED_


#include "audit/gs_audit_chain.h"
#include "audit/gs_audit_record.h"


/*
 * A record on its way to the chain: text whose first head bytes come before
 * the chain's name and sequence, which are known only when it is written.
 * A draft and chain name and seal together fit GS_AUDIT_LINE_MAX.
 */
#define GS_AUDIT_DRAFT_MAX  (GS_AUDIT_LINE_MAX - 256)


/*
 * Writes a draft to b, at most GS_AUDIT_DRAFT_MAX bytes, and returns the
 * length of its head; 0 when b is too small, with nothing of worth written.
 */
size_t gs_audit_json_http(gs_buf_t *b, const gs_audit_record_t *rec);
size_t gs_audit_json_loss(gs_buf_t *b, const gs_audit_loss_t *loss);
size_t gs_audit_json_agg(gs_buf_t *b, const gs_audit_agg_t *agg);
size_t gs_audit_json_aborted(gs_buf_t *b, const gs_audit_aborted_t *end);
size_t gs_audit_json_tamper(gs_buf_t *b, const gs_audit_tamper_t *tamper);
size_t gs_audit_json_sys(gs_buf_t *b, const gs_audit_sys_t *sys);
size_t gs_audit_json_step(gs_buf_t *b, const gs_audit_step_t *step);

/*
 * The same for the files from number *next on, as many as one line holds; at
 * least one while there are any.  *next becomes that of the first one left.
 */
size_t gs_audit_json_cfg(gs_buf_t *b, const gs_audit_cfg_t *cfg,
    size_t *next);

/* Adds what stands in a cfg line for file to the digest of all. */
gs_rc_t gs_audit_cfg_digest(gs_audit_digest_t *d,
    const gs_audit_chain_t *chain, const gs_audit_cfg_file_t *file);

/* "read", "write", "security", "supervision" */
const char *gs_audit_class_name(gs_audit_class_e cls);

/*
 * Writes the whole line of a draft and seals it.  chain_name is at most 128
 * bytes.  GS_ERROR as gs_audit_chain_seal().
 */
gs_rc_t gs_audit_json_line(gs_buf_t *b, gs_audit_chain_t *chain,
    const gs_str_t *chain_name, uint64_t seq, const gs_str_t *draft,
    size_t head);

/* The first line of a segment (starts the chain) and the last. */
gs_rc_t gs_audit_json_open(gs_buf_t *b, gs_audit_chain_t *chain,
    const gs_audit_open_t *open);
gs_rc_t gs_audit_json_close(gs_buf_t *b, gs_audit_chain_t *chain,
    const gs_audit_close_t *end);


#endif /* _GS_AUDIT_JSON_H_INCLUDED_ */
