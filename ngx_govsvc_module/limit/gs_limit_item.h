
/*
 * Copyright (C) govsvc authors
 *
 * One limit of one request, be it of this node or of all, and the decision
 * over several of them at once.
 */


#ifndef _GS_LIMIT_ITEM_H_INCLUDED_
#define _GS_LIMIT_ITEM_H_INCLUDED_


#include "limit/gs_limit_lease.h"


typedef enum {
    GS_LIMIT_SOURCE_NONE = 0,
    GS_LIMIT_SOURCE_LOCAL,                 /* this node's own, or its share */
    GS_LIMIT_SOURCE_LEASE,
    GS_LIMIT_SOURCE_FALLBACK,              /* the share without Redis */
    GS_LIMIT_SOURCE_AGGREGATE,             /* with others: the table is full */
    GS_LIMIT_SOURCE_OPEN                   /* not limited, as on_error says */
} gs_limit_source_e;


typedef enum {
    GS_LIMIT_ERROR_LOCAL = 0,
    GS_LIMIT_ERROR_OPEN,
    GS_LIMIT_ERROR_CLOSED
} gs_limit_error_e;


/* Filled by gs_limit_item_prepare(); what stands behind it may be set. */
typedef struct {
    gs_limit_charge_t       charge;
    gs_limit_charge_t       spare;         /* of the fallback */
    gs_limit_lease_t        lease;
    const gs_limit_plan_t  *plan;          /* NULL: of this node alone */
    gs_limit_error_e        on_error;
    uint64_t                outage;        /* us: Redis is gone since, or 0 */
    unsigned                strict:1;      /* wait rather than refuse */
    unsigned                pass_full:1;   /* no room: not limited */
    unsigned                leased:1;
    unsigned                spared:1;

    /* out */
    unsigned                refused:1;
    unsigned                full:1;
    unsigned                ask:1;         /* gs_limit_lease_ask() is due */
    gs_limit_source_e       source;
    gs_limit_result_t       result;
} gs_limit_item_t;


/*
 * A limit of rate in table; with a plan it is one of all nodes, its records
 * are in leases and rate is not looked at.
 */
void gs_limit_item_prepare(gs_limit_item_t *item, gs_limit_table_t *table,
    const gs_limit_rate_t *rate, const gs_limit_plan_t *plan,
    gs_limit_lease_table_t *leases, const gs_str_t *key, uint64_t cost);

/*
 * Decides n limits together: all are charged, or none.  GS_DECLINED: refused
 * is set in each that is over; GS_BUSY: one has no room, or is closed for
 * want of Redis; GS_AGAIN: a strict one needs an answer of Redis first.
 * Those of charge.dry_run have no say.
 */
gs_rc_t gs_limit_item_decide(gs_limit_item_t *items, size_t n, uint64_t now);


#endif /* _GS_LIMIT_ITEM_H_INCLUDED_ */
