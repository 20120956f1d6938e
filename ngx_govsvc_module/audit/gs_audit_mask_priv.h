
/*
 * Copyright (C) govsvc authors
 *
 * Inside masking: units of a text, and what numbers are personal.
 */


#ifndef _GS_AUDIT_MASK_PRIV_H_INCLUDED_
#define _GS_AUDIT_MASK_PRIV_H_INCLUDED_


#include "audit/gs_audit_mask.h"


#define GS_AUDIT_MASK_DIGITS  19

#define GS_AUDIT_MASK_OTHER   -1
#define GS_AUDIT_MASK_X       33           /* 0-9 digits, 10-35 letters */


typedef struct {
    gs_uchar_t        *dst;
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
} gs_audit_mask_t;


/* One byte, percent-encoded up to three times. */
int gs_audit_mask_byte(const gs_uchar_t *p, const gs_uchar_t *last,
    size_t *used);

/* The value of a letter or digit, or GS_AUDIT_MASK_OTHER. */
int gs_audit_mask_unit(const gs_uchar_t *p, const gs_uchar_t *last,
    size_t *used);

void gs_audit_mask_copy(gs_audit_mask_t *m, const gs_uchar_t *to);

/* 18 values; the length of the prefix, n if it is none; n values. */
int gs_audit_mask_is_id(const int *v);
unsigned gs_audit_mask_is_mobile(const int *v, unsigned n);
int gs_audit_mask_is_card(const int *v, unsigned n);

/* Digits in groups at m->p; 0: no number, nothing was copied. */
int gs_audit_mask_groups(gs_audit_mask_t *m);


#endif /* _GS_AUDIT_MASK_PRIV_H_INCLUDED_ */
