
/*
 * Copyright (C) govsvc authors
 *
 * Where a JSON value stands.  jansson tells line and column of syntax errors
 * only; this finds the line of a value by its pointer (RFC 6901) in a text
 * that jansson has accepted, for errors about meaning.
 */


#ifndef _GS_JSON_POS_H_INCLUDED_
#define _GS_JSON_POS_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


/*
 * Line (from 1) on which the value named by pointer begins; for a pointer
 * whose last member is missing, the line of the nearest parent.  Never fails
 * on hostile text: answers 1 at worst.
 */
unsigned gs_json_line(const gs_str_t *text, const char *pointer);


#endif /* _GS_JSON_POS_H_INCLUDED_ */
