
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
#define GS_LIT_NEARS  256


typedef enum {
    GS_LIT_CHAR = 0,                       /* one byte, in value */
    GS_LIT_BLANK,                          /* white space, in value a blank */
    GS_LIT_CLASS,                          /* one byte of the set any */
    GS_LIT_SET,                            /* a group, with a set or none */
    GS_LIT_OTHER,                          /* says nothing */
    GS_LIT_NOTHING                         /* not even an atom: options */
} gs_lit_kind_e;


/*
 * What stands on one side of a place: a byte of the set, the edge of the
 * text, and, if it is open, whatever surrounds the part that was read.  A
 * bound is "\b" right at the place.
 */
typedef struct {
    gs_ac_near_t       set;
    unsigned           open:1;
    unsigned           bound:1;
} gs_lit_near_t;


typedef struct {
    gs_mem_t          *mem;
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
    unsigned           depth;
    unsigned           failed;             /* memory is out */
    unsigned           nnears;
    gs_lit_near_t      nears[GS_LIT_NEARS];  /* the first: any */
} gs_lit_t;


typedef struct {
    gs_lit_kind_e      kind;
    gs_uchar_t         value;
    uint64_t           any;                /* 0: nothing is known */
    gs_lit_near_t      entry;              /* what it begins with */
    gs_lit_near_t      exit;               /* and ends with */
} gs_lit_atom_t;


gs_rc_t gs_lit_alternation(gs_lit_t *l, gs_guard_lits_t *lits,
    gs_lit_near_t *entry, gs_lit_near_t *exit);

/* The next atom, of a group with what it needs, and what repeats it. */
gs_rc_t gs_lit_atom(gs_lit_t *l, gs_lit_atom_t *atom, gs_guard_lits_t *set);
gs_rc_t gs_lit_quantifier(gs_lit_t *l, int *once, int *zero);

/* Nothing but what surrounds it; everything; one byte more. */
void gs_lit_near_open(gs_lit_near_t *near);
void gs_lit_near_any(gs_lit_near_t *near);
void gs_lit_near_byte(gs_lit_near_t *near, int c);

/* Beyond what is open stands what comes next; one of two branches. */
void gs_lit_near_join(gs_lit_near_t *near, const gs_lit_near_t *next);
void gs_lit_near_or(gs_lit_near_t *near, const gs_lit_near_t *other);

/* What is left of a place moves behind an atom with this exit. */
void gs_lit_near_pass(gs_lit_near_t *left, const gs_lit_near_t *exit);

/* The entry and exit of an atom that is no group, read up to "to". */
void gs_lit_near_atom(gs_lit_atom_t *atom, const gs_uchar_t *from,
    const gs_uchar_t *to);

/* Its number in l->nears, 0 if there are too many. */
unsigned gs_lit_near_keep(gs_lit_t *l, const gs_lit_near_t *near);

/* Closes the sides of all words; GS_ERROR if memory is out. */
gs_rc_t gs_lit_near_words(gs_lit_t *l, gs_guard_lits_t *lits);

/* The bit that tells of a byte, whatever its case; 0 for a digit. */
uint64_t gs_lit_bit(int c);


#endif /* _GS_GUARD_LIT_PRIV_H_INCLUDED_ */
