
/*
 * Copyright (C) govsvc authors
 *
 * Reads back what a verifier needs of one audit line.
 */


#ifndef _GS_AUDIT_SCAN_H_INCLUDED_
#define _GS_AUDIT_SCAN_H_INCLUDED_


#include "audit/gs_audit_chain.h"


/* Strings are raw (escapes as written) and point into the line. */
typedef struct {
    gs_str_t    body;                      /* B */
    gs_uchar_t  h[GS_AUDIT_HASH];

    gs_str_t    type;
    gs_str_t    chain;
    gs_str_t    alg;
    gs_str_t    time;
    gs_str_t    why;
    gs_str_t    stage;                     /* "st" */
    gs_str_t    intent;                    /* identifier; empty: none */
    uint64_t    seq;
    uint64_t    g;                         /* 0: none */
    uint64_t    n;

    gs_str_t    prev_seg;
    uint64_t    prev_bytes;
    uint64_t    prev_seq;
    gs_uchar_t  prev_h[GS_AUDIT_HASH];

    unsigned    has_seq:1;
    unsigned    has_prev:1;                /* prev is no null */
} gs_audit_line_t;


/*
 * line is without LF.  GS_ERROR when it has not the form of a sealed line;
 * what of seq was found before is filled in all the same.  Any bytes may come.
 */
gs_rc_t gs_audit_scan(const gs_str_t *line, gs_audit_line_t *out);


#endif /* _GS_AUDIT_SCAN_H_INCLUDED_ */
