
/*
 * Copyright (C) govsvc authors
 *
 * The network of a client as a key.  One household, or one attacker, holds
 * at least a /64 of IPv6, so addresses within it share a limit.
 */


#ifndef _GS_LIMIT_KEY_H_INCLUDED_
#define _GS_LIMIT_KEY_H_INCLUDED_


#include "core/gs_str.h"


#define GS_LIMIT_KEY_SIZE  17              /* the longest key */


/*
 * Writes the key of an IPv4 address (4 bytes, network order) to dst, which
 * holds GS_LIMIT_KEY_SIZE bytes; returns its length.
 */
size_t gs_limit_key_inet(gs_uchar_t *dst, const gs_uchar_t *addr);

/*
 * The same for an IPv6 address (16 bytes) cut to prefix bits, 1 to 128.  An
 * IPv4-mapped address (RFC 4291 section 2.5.5.2) has the key of its IPv4
 * address.
 */
size_t gs_limit_key_inet6(gs_uchar_t *dst, const gs_uchar_t *addr,
    unsigned prefix);


#endif /* _GS_LIMIT_KEY_H_INCLUDED_ */
