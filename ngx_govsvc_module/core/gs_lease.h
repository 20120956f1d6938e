
/*
 * Copyright (C) govsvc authors
 *
 * A lease in one word of shared memory: who holds it, and until when.  Taken,
 * renewed and given back with a single compare-and-swap, so that a holder may
 * be killed at any instruction: its time simply runs out.
 */


#ifndef _GS_LEASE_H_INCLUDED_
#define _GS_LEASE_H_INCLUDED_


#include "core/gs_rc.h"

#include <stdint.h>


#define GS_LEASE_MAX_TTL  3600000          /* ms */


/*
 * The word: 32 bits of the time at which it ends, in units of 16 ms, 10 of
 * the term, 22 of the holder.  0 is a lease that nobody ever held.  Times are
 * monotonic milliseconds; a word that was left alone for a year is read as if
 * it had just ended.
 */
typedef uint64_t  gs_lease_t;


/*
 * Takes the lease for holder (1 to 4194303, a process number), or renews it,
 * until now + ttl (at most GS_LEASE_MAX_TTL).  GS_OK: holder has it;
 * GS_DECLINED: another one has, or was quicker.
 */
gs_rc_t gs_lease_take(gs_lease_t *lease, uint32_t holder, uint64_t now,
    uint64_t ttl);

/* 1 if holder has the lease at this time. */
int gs_lease_mine(const gs_lease_t *lease, uint32_t holder, uint64_t now);

/* Who has it at this time, 0 if nobody. */
uint32_t gs_lease_holder(const gs_lease_t *lease, uint64_t now);

/* 1 if nobody has it. */
int gs_lease_free(const gs_lease_t *lease, uint64_t now);

/* Gives it back at once, if holder has it, or had it last. */
void gs_lease_drop(gs_lease_t *lease, uint32_t holder);

/* A number that changes, modulo 1024, with each new holder. */
unsigned gs_lease_term(const gs_lease_t *lease);


#endif /* _GS_LEASE_H_INCLUDED_ */
