
/*
 * Copyright (C) govsvc authors
 *
 * What the writers of lines share.
 */


#ifndef _GS_AUDIT_JSON_PRIV_H_INCLUDED_
#define _GS_AUDIT_JSON_PRIV_H_INCLUDED_


#include "audit/gs_audit_json.h"


/* {"v":1,"id":"...","ty":"..." */
void gs_audit_json_begin(gs_buf_t *b, const char *type, const gs_str_t *node,
    uint64_t epoch, uint64_t g);

/* ,"key":"<node>.<epoch>.<g>" */
void gs_audit_json_kv_id(gs_buf_t *b, const char *key, const gs_str_t *node,
    uint64_t epoch, uint64_t g);

/* ,"key":{ and }; an object that stayed empty is taken back with its key. */
void gs_audit_json_object(gs_buf_t *b, const char *key);
void gs_audit_json_end(gs_buf_t *b);

void gs_audit_json_kv_time(gs_buf_t *b, const char *key, uint64_t us);
void gs_audit_json_kv_hash(gs_buf_t *b, const char *key,
    const gs_uchar_t *h);

/* A draft in b, and its end: head, or 0 when it did not fit. */
gs_buf_t gs_audit_json_draft(const gs_buf_t *b);
size_t gs_audit_json_ready(gs_buf_t *b, const gs_buf_t *draft, size_t head);


#endif /* _GS_AUDIT_JSON_PRIV_H_INCLUDED_ */
