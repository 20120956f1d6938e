
/*
 * Copyright (C) govsvc authors
 *
 * Hexadecimal digits.
 */


#ifndef _GS_HEX_H_INCLUDED_
#define _GS_HEX_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


/* 0-15, or -1. */
int gs_hex_value(int c);

/* Lower case; dst holds 2 * len bytes. */
void gs_hex_encode(gs_uchar_t *dst, const void *src, size_t len);

/* Either case; dst holds src->len / 2 bytes; GS_ERROR on an odd length. */
gs_rc_t gs_hex_decode(gs_uchar_t *dst, const gs_str_t *src);


#endif /* _GS_HEX_H_INCLUDED_ */
