
/*
 * Copyright (C) govsvc authors
 *
 * Inside of what a pattern needs: the reader of its atoms, and gates.
 */


#ifndef _GS_GUARD_LIT_PRIV_H_INCLUDED_
#define _GS_GUARD_LIT_PRIV_H_INCLUDED_


#include "guard/gs_guard_lit.h"
#include "guard/gs_guard_priv.h"


#define GS_LIT_DEPTH  16
#define GS_LIT_RUN    64
#define GS_LIT_BRANCH 8                    /* gates of one of many branches */


typedef enum {
    GS_LIT_CHAR = 0,                       /* one byte, in value */
    GS_LIT_BLANK,                          /* white space, in value a blank */
    GS_LIT_CLASS,                          /* one byte of the set any */
    GS_LIT_SET,                            /* a group, with a set or none */
    GS_LIT_OTHER,                          /* says nothing */
    GS_LIT_NOTHING                         /* not even an atom: options */
} gs_lit_kind_e;


typedef struct {
    gs_mem_t          *mem;
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
    unsigned           depth;
    unsigned           failed;             /* memory is out */
} gs_lit_t;


typedef struct {
    gs_lit_kind_e      kind;
    gs_uchar_t         value;
    uint64_t           any;                /* 0: nothing is known */
} gs_lit_atom_t;


gs_rc_t gs_lit_alternation(gs_lit_t *l, gs_guard_lits_t *lits);

/* The next atom, of a group with what it needs, and what repeats it. */
gs_rc_t gs_lit_atom(gs_lit_t *l, gs_lit_atom_t *atom, gs_guard_lits_t *set);
gs_rc_t gs_lit_quantifier(gs_lit_t *l, int *once, int *zero);

/* The bit that tells of a byte, whatever its case; 0 for a digit. */
uint64_t gs_lit_bit(int c);


#endif /* _GS_GUARD_LIT_PRIV_H_INCLUDED_ */
