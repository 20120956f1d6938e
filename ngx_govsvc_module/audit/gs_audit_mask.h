
/*
 * Copyright (C) govsvc authors
 *
 * Finds personal numbers by form and checksum and hides them: resident
 * identity numbers (GB 11643: date and MOD 11-2), mobile numbers, bank cards
 * (13-19 digits, ISO/IEC 7812 Luhn).  Unified credit codes (GB 32100) and
 * item codes (31, 33, case 43) stay clear.
 */


#ifndef _GS_AUDIT_MASK_H_INCLUDED_
#define _GS_AUDIT_MASK_H_INCLUDED_


#include "core/gs_str.h"


/*
 * No number that is hidden takes more bytes than this in any spelling that is
 * understood (percent-encoded up to three times, full-width), so a caller who
 * cuts at n hides the first n + GS_AUDIT_MASK_SLACK bytes and cuts then.
 */
#define GS_AUDIT_MASK_SLACK  800


/*
 * Writes src with personal numbers masked to dst (src->len bytes at most;
 * dst and src do not overlap) and returns the length.  A number is seen also
 * where its digits are percent-encoded or full-width, or stand in groups; what
 * is not hidden is copied as it stands.  One pass, no memory.
 *
 *     11010519491231002X   1****************X
 *     13712349050          137****9050
 *     137 1234 9050        137 **** 9050
 *     6225750000001491     ************1491
 */
size_t gs_audit_mask(gs_uchar_t *dst, const gs_str_t *src);


#endif /* _GS_AUDIT_MASK_H_INCLUDED_ */
