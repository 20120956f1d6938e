
/*
 * Copyright (C) govsvc authors
 *
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above
 * U+10FFFF.
 */


#ifndef _GS_UTF8_H_INCLUDED_
#define _GS_UTF8_H_INCLUDED_


#include "core/gs_str.h"


#define GS_UTF8_BAD  0xffffffffu


/*
 * The code point at p (p < last); *used is set to its length.  GS_UTF8_BAD
 * with *used = 1..3 (the maximal bad prefix) on malformed input.
 */
uint32_t gs_utf8_next(const gs_uchar_t *p, const gs_uchar_t *last,
    unsigned *used);

/* Writes 1-4 bytes, returns their number; 0 for what is no scalar value. */
unsigned gs_utf8_put(gs_uchar_t *dst, uint32_t c);

int gs_utf8_valid(const gs_str_t *s);

/* Length of the longest prefix of s of at most max bytes that cuts no
 * character of well-formed input. */
size_t gs_utf8_cut(const gs_str_t *s, size_t max);

/*
 * 1 for what would deceive the reader of a line: controls (C0, DEL, C1),
 * U+2028, U+2029 and bidirectional controls.
 */
int gs_utf8_hidden(uint32_t c);


#endif /* _GS_UTF8_H_INCLUDED_ */
