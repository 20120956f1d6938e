
/*
 * Copyright (C) govsvc authors
 *
 * A text in shared memory that one process replaces and all read: two slots,
 * of which one word names the current, and a checksum that tells a slot that
 * was being written.  No lock; a writer killed at any instruction leaves what
 * was there.
 */


#ifndef _GS_BLOB_H_INCLUDED_
#define _GS_BLOB_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


typedef struct gs_blob_s  gs_blob_t;


/* Bytes of shared memory for texts of at most max bytes. */
size_t gs_blob_size(size_t max);

/* Lays it out in base, which is aligned to 8 and all zeros. */
gs_blob_t *gs_blob_create(void *base, size_t max);

/*
 * What is in base, NULL if it is none, or not of this max.
 */
gs_blob_t *gs_blob_open(void *base, size_t max);

/* Grows with each text; 0 before the first. */
uint64_t gs_blob_generation(const gs_blob_t *b);

/*
 * GS_OK: text is the current one; GS_DECLINED: another writer was quicker;
 * GS_ERROR: it is too long.  Writers should be one at a time: two at once
 * cannot make readers see a wrong text, but may have both to write again.
 */
gs_rc_t gs_blob_publish(gs_blob_t *b, const gs_str_t *text);

/*
 * Copies the current text to dst, which holds max bytes.  GS_DECLINED: there
 * is none yet; GS_AGAIN: it is just being replaced, or was not written whole
 * and waits for the next.
 */
gs_rc_t gs_blob_read(const gs_blob_t *b, gs_uchar_t *dst, size_t *len,
    uint64_t *generation);


#endif /* _GS_BLOB_H_INCLUDED_ */
