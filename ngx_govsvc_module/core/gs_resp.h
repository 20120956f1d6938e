
/*
 * Copyright (C) govsvc authors
 *
 * RESP2, the protocol of Redis: where a reply ends, within bounds, before
 * anything else looks at it; and a walk through a whole one.
 */


#ifndef _GS_RESP_H_INCLUDED_
#define _GS_RESP_H_INCLUDED_


#include "core/gs_str.h"


#define GS_RESP_DEPTH  6                   /* arrays in arrays */
#define GS_RESP_LINE   4096                /* bytes of a status or an error */


typedef struct {
    size_t    max_bytes;                   /* of one reply */
    uint64_t  max_items;                   /* values in it, at any depth */
} gs_resp_limits_t;


/* Zeroed for a new connection; the scan goes on where it stopped. */
typedef struct {
    size_t    pos;                         /* seen of the current reply */
    size_t    mark;                        /* start of the current line */
    uint64_t  items;                       /* announced so far */
    uint64_t  left[GS_RESP_DEPTH];         /* to come in each array */
    unsigned  depth;
    size_t    bulk;                        /* bytes to skip, with CR LF */
} gs_resp_scan_t;


typedef enum {
    GS_RESP_STATUS = '+',
    GS_RESP_ERROR = '-',
    GS_RESP_INTEGER = ':',
    GS_RESP_BULK = '$',
    GS_RESP_ARRAY = '*',
    GS_RESP_NIL = 0
} gs_resp_type_e;


typedef struct {
    gs_resp_type_e  type;
    gs_str_t        text;                  /* status, error, bulk, integer */
    uint64_t        n;                     /* of an array */
} gs_resp_value_t;


/*
 * data holds the bytes from the start of the current reply on: those of the
 * last call, perhaps elsewhere, and more.  GS_OK: the first *used bytes are one
 * whole reply, and s stands for the next; GS_AGAIN: more is needed; GS_ERROR:
 * no RESP2, or beyond the limits.
 */
gs_rc_t gs_resp_scan(gs_resp_scan_t *s, const gs_resp_limits_t *limits,
    const void *data, size_t len, size_t *used);

/*
 * The next value of a whole reply at *pos, which starts at 0: an array, then
 * its elements.  GS_DONE at the end, GS_ERROR if the bytes are no RESP2.
 */
gs_rc_t gs_resp_next(const gs_str_t *reply, size_t *pos, gs_resp_value_t *v);

/* Passes over one value with all that is in it. */
gs_rc_t gs_resp_skip(const gs_str_t *reply, size_t *pos);


#endif /* _GS_RESP_H_INCLUDED_ */
