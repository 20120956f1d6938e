
/*
 * Copyright (C) govsvc authors
 *
 * Errors for people: what was found, where, what is allowed.  Filled by
 * loaders and compilers, printed by nginx -t and by the command line.
 */


#ifndef _GS_ERR_H_INCLUDED_
#define _GS_ERR_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_ERR_TEXT     512
#define GS_ERR_POINTER  256


typedef struct {
    unsigned  line;                        /* from 1; 0 if unknown */
    char      file[256];                   /* "" if the caller knows it */
    char      pointer[GS_ERR_POINTER];     /* RFC 6901, "" outside JSON */
    char      text[GS_ERR_TEXT];           /* without file and line */
} gs_err_t;


/*
 * Sets the text (cut at the end if too long) and returns GS_ERROR, so that
 * "return gs_err(err, ...)" reads well.  Conversions: %s %d %u %zu %c %x and
 * %S, which takes a const gs_str_t * and escapes control bytes and bad UTF-8.
 * err may be NULL.  line, file and pointer are left as they are.
 */
gs_rc_t gs_err(gs_err_t *err, const char *fmt, ...);

/*
 * Appends to the text: "; did you mean "NAME"?" when one of names is near s,
 * and otherwise "; allowed: A, B, C".  names ends with NULL.
 */
void gs_err_hint(gs_err_t *err, const gs_str_t *s, const char *const *names);


#endif /* _GS_ERR_H_INCLUDED_ */
