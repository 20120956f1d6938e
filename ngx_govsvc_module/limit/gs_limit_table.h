
/*
 * Copyright (C) govsvc authors
 *
 * A table of limited keys in memory that processes share.  No lock: each key
 * is one 16-byte slot, and every decision is one compare-and-swap on the
 * 64-bit state of the slot.  A process killed at any instruction leaves the
 * table usable.  docs/design/limit.md tells layout and guarantees.
 */


#ifndef _GS_LIMIT_TABLE_H_INCLUDED_
#define _GS_LIMIT_TABLE_H_INCLUDED_


#include "core/gs_siphash.h"
#include "limit/gs_limit_gcra.h"


#define GS_LIMIT_MAGIC    0x6c67566cu      /* "lVgl" */
#define GS_LIMIT_VERSION  2


typedef struct gs_limit_table_s  gs_limit_table_t;


/*
 * One key to be charged.  Filled by gs_limit_prepare(), used at once: it
 * points into the table and must not be kept.
 */
typedef struct {
    gs_limit_table_t       *table;
    const gs_limit_rate_t  *rate;
    uint64_t                cost;
    uint64_t                tag;
    uint64_t                bucket;
    uint64_t                check;         /* 16 bits */
    uint64_t                empty;         /* in: us, when it was last */
    uint64_t               *state;         /* charged; NULL: not yet */
    gs_limit_result_t       result;
    unsigned                aggregate:1;   /* in: share one rate when full */
    unsigned                dry_run:1;     /* in: count, do not refuse */
    unsigned                refused:1;     /* out */
    unsigned                full:1;        /* out: there was no room */
} gs_limit_charge_t;


typedef struct {
    uint64_t  slots;
    uint64_t  evicted;                     /* keys put out before their time */
    uint64_t  full;                        /* requests that found no room */
} gs_limit_stats_t;


/* Bytes for a table in which that many active keys take half of the slots. */
size_t gs_limit_table_size(size_t keys);

/*
 * Makes an empty table in size bytes at mem, aligned to 64 bytes.  secret
 * keys the hash; now is in us, from the clock of all later calls.  NULL if
 * size is too small.
 */
gs_limit_table_t *gs_limit_table_init(void *mem, size_t size,
    const gs_siphash_key_t *secret, uint64_t now);

/* The table at mem if it is a whole one of this layout and size, or NULL. */
gs_limit_table_t *gs_limit_table_attach(void *mem, size_t size);

void gs_limit_table_stats(const gs_limit_table_t *table,
    gs_limit_stats_t *stats);


/*
 * Hashes a key of any length and has its slots fetched; the flags are
 * cleared.  cost is at least 1.  empty may be set behind it: the time at
 * which the bucket is taken to have been empty.
 */
void gs_limit_prepare(gs_limit_charge_t *charge, gs_limit_table_t *table,
    const gs_limit_rate_t *rate, const gs_str_t *key, uint64_t cost);

/*
 * GS_OK if a charge at the time now would pass, GS_DECLINED if it is over
 * the limit, GS_BUSY if there is no room for the key.  Charges nothing.
 */
gs_rc_t gs_limit_peek(gs_limit_charge_t *charge, uint64_t now);

/* The same, and charges the key if the answer is GS_OK. */
gs_rc_t gs_limit_commit(gs_limit_charge_t *charge, uint64_t now);

/* Takes a committed charge back. */
void gs_limit_undo(gs_limit_charge_t *charge);

/*
 * Decides n charges together: all are committed, or none and GS_DECLINED
 * or GS_BUSY is returned.  Those of dry_run never refuse; they are charged
 * when the others pass.  refused is set in each charge that is over.
 */
gs_rc_t gs_limit_decide(gs_limit_charge_t *charges, size_t n, uint64_t now);


#endif /* _GS_LIMIT_TABLE_H_INCLUDED_ */
