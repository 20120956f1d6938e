
/*
 * Copyright (C) govsvc authors
 *
 * Names of hosts that may be looked up: one spelling only, nothing that is
 * taken for an address by anybody, nothing that never leaves a machine.
 */


#ifndef _GS_HOST_H_INCLUDED_
#define _GS_HOST_H_INCLUDED_


#include "core/gs_str.h"


#define GS_HOST_LEN    253                 /* RFC 1035 section 2.3.4 */
#define GS_HOST_LABEL  63


/*
 * NULL if the name may be looked up, or why not, to stand after "the name":
 * lower case letters, digits and hyphens in two labels or more (RFC 1123
 * section 2.1), no final dot, other scripts as A-labels (RFC 5890 section
 * 2.3.2.1), no part that reads as an address, no special name of RFC 6761,
 * 6762, 7686 or 9476.  Hostile bytes are as good as any.
 */
const char *gs_host_name(const gs_str_t *name);

/* As gs_host_name(), of what names may end in: ".gd.example" alike. */
const char *gs_host_suffix(const gs_str_t *suffix);

/* 1 if the name is the suffix, or ends in it after a dot. */
unsigned gs_host_under(const gs_str_t *name, const gs_str_t *suffix);

/*
 * "name", or "name:port": cuts the port off, *port 0 if there is none.  0 if
 * what stands behind the colon is no port, or there are several colons.
 */
unsigned gs_host_split(const gs_str_t *text, gs_str_t *name, unsigned *port);


#endif /* _GS_HOST_H_INCLUDED_ */
