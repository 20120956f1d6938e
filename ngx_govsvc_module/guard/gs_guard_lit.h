
/*
 * Copyright (C) govsvc authors
 *
 * Literals that a pattern needs: a set of words of which at least one occurs
 * (ASCII case-blind) in every text that the pattern matches.  What is not
 * understood yields no set; a set that is too small would be a hole.
 */


#ifndef _GS_GUARD_LIT_H_INCLUDED_
#define _GS_GUARD_LIT_H_INCLUDED_


#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_GUARD_MAX_LITS  64


typedef struct {
    unsigned  n;
    gs_str_t  words[GS_GUARD_MAX_LITS];
} gs_guard_lits_t;


/*
 * GS_OK with the words in mem; GS_DECLINED if there is no such set (n is 0);
 * GS_ERROR if memory is out.
 */
gs_rc_t gs_guard_literals(gs_guard_lits_t *lits, gs_mem_t *mem,
    const gs_str_t *pattern);


#endif /* _GS_GUARD_LIT_H_INCLUDED_ */
