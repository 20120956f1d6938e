
/*
 * Copyright (C) govsvc authors
 *
 * Base64url without padding, strict (RFC 4648 section 5, RFC 7515 section 2):
 * one text has exactly one spelling, so caches and deny lists keyed by the
 * text are sound.
 */


#ifndef _GS_B64_H_INCLUDED_
#define _GS_B64_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


#define gs_b64url_decoded_len(len)  ((len) / 4 * 3 + ((len) % 4) * 3 / 4)
#define gs_b64url_encoded_len(len)  (((len) * 4 + 2) / 3)


/*
 * Decodes src into dst, which holds gs_b64url_decoded_len(src->len) bytes.
 * *len is set to the bytes written.  GS_ERROR on a byte outside the alphabet,
 * padding, a length of 1 modulo 4, or unused bits that are not zero.
 */
gs_rc_t gs_b64url_decode(gs_uchar_t *dst, size_t *len, const gs_str_t *src);

/* Writes gs_b64url_encoded_len(len) bytes; returns that number. */
size_t gs_b64url_encode(gs_uchar_t *dst, const void *src, size_t len);


/* Padded base64 of RFC 4648 section 4, strict; dst holds len / 4 * 3. */
gs_rc_t gs_b64_decode(gs_uchar_t *dst, size_t *len, const gs_str_t *src);
size_t gs_b64_encode(gs_uchar_t *dst, const void *src, size_t len);


#endif /* _GS_B64_H_INCLUDED_ */
