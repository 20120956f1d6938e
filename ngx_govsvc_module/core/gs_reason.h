
/*
 * Copyright (C) govsvc authors
 *
 * What a refusal is called, and who must act on it.
 */


#ifndef _GS_REASON_H_INCLUDED_
#define _GS_REASON_H_INCLUDED_


#include "core/gs_str.h"


typedef struct {
    unsigned     status;
    const char  *code;                     /* "TOKEN_EXPIRED" */
    const char  *zh;                       /* what the caller reads */
    const char  *en;
    const char  *who_zh;                   /* who must act */
    const char  *who_en;
} gs_reason_t;


/* The row of a code, or NULL. */
const gs_reason_t *gs_reason_find(const gs_str_t *code);


#endif /* _GS_REASON_H_INCLUDED_ */
