
/*
 * Copyright (C) govsvc authors
 *
 * What was handed over of an audit store, and under which number: the lines of
 * a text file that a feed keeps beside the store.
 *
 *     V 1 <key of the feed>                            the first line
 *     T <ms>                                           nothing older counts
 *     S <number>                                       received up to here
 *     N <number>                                       of the next record
 *     C <chain> <segment> <offset>                     read up to here
 *     E <chain>                                        read to its end
 *     B <number> <count> <ms> <chain> <segment> <offset> <bytes>
 *                                                      handed over
 */


#ifndef _GS_AUDIT_FEED_H_INCLUDED_
#define _GS_AUDIT_FEED_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_AUDIT_FEED_CHAIN  128           /* bytes of a name */
#define GS_AUDIT_FEED_LINE   512           /* bytes of a line, with LF */
#define GS_AUDIT_FEED_BYTES  (1024 * 1024) /* of one batch at most */


typedef struct {
    char      kind;                        /* the letters above */
    uint64_t  n;                           /* of a record, as above */
    uint64_t  count;                       /* records */
    uint64_t  time;                        /* ms, wall clock */
    gs_str_t  chain;                       /* borrowed; of 'V' the key */
    uint64_t  segment;                     /* ((number << 8) | i) + 1 */
    uint64_t  offset;                      /* bytes */
    uint64_t  bytes;
} gs_audit_feed_t;


/*
 * Reads a line without its LF; GS_ERROR for anything that
 * gs_audit_feed_write() does not write.
 */
gs_rc_t gs_audit_feed_parse(const gs_str_t *line, gs_audit_feed_t *entry);

/* Writes a line with its LF. */
void gs_audit_feed_write(gs_buf_t *b, const gs_audit_feed_t *entry);

/*
 * A name of a segment file, "0000000000004711.seg" or "0000000000004711.2.seg",
 * as the number above; and back, without ".seg".  GS_ERROR for other names.
 */
gs_rc_t gs_audit_feed_segment(const gs_str_t *name, uint64_t *segment);
void gs_audit_feed_segment_name(gs_buf_t *b, uint64_t segment);


#endif /* _GS_AUDIT_FEED_H_INCLUDED_ */
