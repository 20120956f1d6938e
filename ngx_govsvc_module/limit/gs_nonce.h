
/*
 * Copyright (C) govsvc authors
 *
 * Nonces seen, in memory shared by processes: one 64-bit word for each, set
 * by compare-and-swap, so that a process may die at any instruction.
 *
 * A word holds 38 bits of a keyed hash and the time until which the nonce is
 * refused, in units of 16 seconds.  A nonce may stand in one of two sets of
 * eight words, each a cache line; it goes to the emptier.  Two different
 * nonces look equal with a probability of 16 in 2^38: then a good request is
 * refused, never the other way round.
 */


#ifndef _GS_NONCE_H_INCLUDED_
#define _GS_NONCE_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_siphash.h"
#include "core/gs_str.h"


#define GS_NONCE_MIN   4096                /* bytes of a store */
#define GS_NONCE_UNIT  16                  /* s */
#define GS_NONCE_TEXT  256                 /* of app and nonce together */


typedef struct gs_nonce_hdr_s  gs_nonce_hdr_t;


/* A process's view of the memory. */
typedef struct {
    gs_nonce_hdr_t  *hdr;
    uint64_t        *words;
} gs_nonce_t;


/* What became of nonces; of each the store keeps a count. */
typedef enum {
    GS_NONCE_STORED = 0,                   /* new here */
    GS_NONCE_REPLAYED,                     /* seen here before */
    GS_NONCE_FULL,                         /* no room */
    GS_NONCE_ELSEWHERE,                    /* new here, seen by another node */
    GS_NONCE_REFUSED,                      /* the others could not be asked */
    GS_NONCE_ALONE,                        /* nor here, passed all the same */
    GS_NONCE_FENCED,                       /* older than what others lost */
    GS_NONCE_COUNTS
} gs_nonce_count_e;


/*
 * Lays a store out in size bytes of zeros, aligned to 64; random is 16 secret
 * bytes.  GS_ERROR if size is below GS_NONCE_MIN.
 */
gs_rc_t gs_nonce_create(gs_nonce_t *store, void *memory, size_t size,
    const gs_uchar_t random[16]);

/* GS_ERROR if memory, of size bytes, holds no store of this layout. */
gs_rc_t gs_nonce_attach(gs_nonce_t *store, void *memory, size_t size);

/*
 * Takes note of a nonce of an application until a time (s since the epoch,
 * rounded up).  GS_OK if it is new, GS_DECLINED if it was seen before, GS_BUSY
 * if there is no room: all but GS_OK are to be refused.  Of processes that
 * bring the same nonce at once at most one gets GS_OK.
 */
gs_rc_t gs_nonce_insert(gs_nonce_t *store, const gs_str_t *app,
    const gs_str_t *nonce, int64_t until, int64_t now);

/*
 * The memory that nodes share writes one history, told by a number that is
 * not 0.  Where it is another than the store was told of last, nonces that
 * other nodes had written may be lost: now (s) is kept as the time of it.
 */
void gs_nonce_history(gs_nonce_t *store, uint64_t history, int64_t now);

/* Nonces of others may be lost, at that time; and when last, 0: never. */
void gs_nonce_lose(gs_nonce_t *store, int64_t now);
int64_t gs_nonce_lost(const gs_nonce_t *store);

/* Nonces still refused at that time; reads the whole store. */
uint64_t gs_nonce_used(const gs_nonce_t *store, int64_t now);
uint64_t gs_nonce_size(const gs_nonce_t *store);

/* Counts what the caller found, and tells a count. */
void gs_nonce_count(gs_nonce_t *store, gs_nonce_count_e what);
uint64_t gs_nonce_counted(const gs_nonce_t *store, gs_nonce_count_e what);

/* "stored", "replayed", ... in that order, and NULL. */
extern const char *const  gs_nonce_counts[];


#endif /* _GS_NONCE_H_INCLUDED_ */
