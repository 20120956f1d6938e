
/*
 * Copyright (C) govsvc authors
 *
 * What a pattern needs: a set of words of which at least one occurs (ASCII
 * case-blind) in every text that the pattern matches, next to what may stand
 * there, and gates of bytes of which at least one is open for every such
 * text.  What is not understood yields none; a need that is not one would be
 * a hole.
 */


#ifndef _GS_GUARD_LIT_H_INCLUDED_
#define _GS_GUARD_LIT_H_INCLUDED_


#include "core/gs_ac.h"
#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_GUARD_MAX_LITS   256
#define GS_GUARD_MAX_GATES  32


/* Open for texts with all these bytes (GS_BYTE_...) and one of each set. */
typedef struct {
    uint64_t         all;
    uint64_t         any[2];               /* 0: no set */
} gs_guard_gate_t;


typedef struct {
    unsigned         n;
    unsigned         ngates;               /* 0: nothing is known */
    gs_str_t         words[GS_GUARD_MAX_LITS];
    gs_uchar_t       before[GS_GUARD_MAX_LITS];  /* of nears, 0: any */
    gs_uchar_t       after[GS_GUARD_MAX_LITS];
    gs_ac_near_t    *nears;                /* from 1; NULL: there are none */
    gs_guard_gate_t  gates[GS_GUARD_MAX_GATES];
    gs_guard_gate_t  sum;                  /* one in the place of them */
} gs_guard_lits_t;


/*
 * GS_OK with the words, and what stands next to them, in mem; GS_DECLINED if
 * there is no such set (n is 0, gates may be there); GS_ERROR if memory is
 * out.
 */
gs_rc_t gs_guard_literals(gs_guard_lits_t *lits, gs_mem_t *mem,
    const gs_str_t *pattern);

/* 1 if a gate is open for a text of these bytes, or if there is none. */
int gs_guard_gate_open(const gs_guard_gate_t *gates, unsigned n,
    uint64_t bytes);

/* Bytes of which every text has one that opens a gate, 0 if not known. */
uint64_t gs_guard_gate_bytes(const gs_guard_gate_t *gates, unsigned n);


#endif /* _GS_GUARD_LIT_H_INCLUDED_ */
