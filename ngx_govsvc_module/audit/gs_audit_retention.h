
/*
 * Copyright (C) govsvc authors
 *
 * What a retention has removed from a chain, declared by a line of its own and
 * signed with the key of the seal: verification knows by it that segments were
 * not taken away by somebody else.
 *
 *     ,"of":CHAIN,"to":SEGMENT,"next":SEQ,"last":TIME,"days":N,"n":SEGMENTS,
 *     "bytes":N,"whole":0|1,"hash":H,"sig":SIGNATURE
 *
 * SEGMENT is the last one removed, SEQ the first line that is left, H the hash
 * of the line before it, TIME when that segment had ended.
 */


#ifndef _GS_AUDIT_RETENTION_H_INCLUDED_
#define _GS_AUDIT_RETENTION_H_INCLUDED_


#include "audit/gs_audit_note.h"


/* Six months: Cybersecurity Law, article 21 (3). */
#define GS_AUDIT_RETENTION_DAYS  180

#define GS_AUDIT_RETENTION_TEXT  1024      /* what is signed, at most */


typedef struct {
    gs_str_t         time;                 /* of the declaration */
    gs_str_t         chain;
    gs_str_t         to;
    gs_str_t         last;
    gs_str_t         sig;                  /* line of a note, without LF */
    uint64_t         next;
    uint64_t         days;
    uint64_t         segments;
    uint64_t         bytes;
    gs_uchar_t       h[GS_AUDIT_HASH];
    unsigned         whole:1;              /* the chain had ended, is gone */
} gs_audit_retention_t;


/* The members of the line behind its time. */
void gs_audit_retention_put(gs_buf_t *b, const gs_audit_retention_t *r);

/* From a line of this type; texts point into it. */
gs_rc_t gs_audit_retention_parse(const gs_str_t *line,
    gs_audit_retention_t *r);

/* Appends the signature, without LF; GS_ERROR when that fails. */
gs_rc_t gs_audit_retention_sign(const gs_audit_key_t *key,
    const gs_audit_retention_t *r, gs_buf_t *b);

/* As gs_audit_note_check(). */
gs_rc_t gs_audit_retention_check(const gs_audit_key_t *key,
    const gs_audit_retention_t *r);

/* 1 if from one time to the other it is GS_AUDIT_RETENTION_DAYS or more. */
int gs_audit_retention_old(const gs_str_t *from, const gs_str_t *to);


#endif /* _GS_AUDIT_RETENTION_H_INCLUDED_ */
