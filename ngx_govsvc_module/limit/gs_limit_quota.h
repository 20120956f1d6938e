
/*
 * Copyright (C) govsvc authors
 *
 * Quotas of a calendar window: so many requests in a day or a month of a time
 * zone.  With several nodes each has a share of its own and draws the rest
 * from Redis in tickets; what nobody granted is never spent.
 */


#ifndef _GS_LIMIT_QUOTA_H_INCLUDED_
#define _GS_LIMIT_QUOTA_H_INCLUDED_


#include "core/gs_err.h"
#include "core/gs_siphash.h"


#define GS_LIMIT_QUOTA_MAX  4000000000ull


typedef enum {
    GS_LIMIT_QUOTA_HOUR = 0,
    GS_LIMIT_QUOTA_DAY,
    GS_LIMIT_QUOTA_MONTH
} gs_limit_quota_unit_e;


typedef struct {
    uint64_t               limit;
    gs_limit_quota_unit_e  unit;
    int64_t                zone;           /* s east of Greenwich */

    /* as divided by gs_limit_quota_plan() */
    uint64_t               local;          /* of this node, always */
    uint64_t               spare;          /* more, while Redis is gone */
    uint64_t               shared;         /* at Redis; 0: one node alone */
    uint64_t               ticket;
} gs_limit_quota_t;


typedef struct gs_limit_quota_table_s   gs_limit_quota_table_t;
typedef struct gs_limit_quota_record_s  gs_limit_quota_record_t;


typedef struct {
    gs_limit_quota_table_t   *table;
    const gs_limit_quota_t   *quota;
    gs_limit_quota_record_t  *record;      /* NULL: not yet */
    uint64_t                  tag;
    uint64_t                  check;
    uint64_t                  first;
    uint64_t                  window;
    uint64_t                  cost;
    uint64_t                  remaining;   /* out: as this node knows */
    unsigned                  ask:1;       /* out: a ticket is due */
} gs_limit_quota_key_t;


/* Kept until the answer of Redis. */
typedef struct {
    gs_limit_quota_record_t  *record;
    const gs_limit_quota_t   *quota;
    uint64_t                  check;
    uint64_t                  window;
    uint64_t                  inflight;
    uint64_t                  n;           /* INCRBY */
} gs_limit_quota_ask_t;


/* Reads "1000000/day", "500/hour", "30000/month". */
gs_rc_t gs_limit_quota_parse(gs_limit_quota_t *quota, const gs_str_t *s,
    gs_err_t *err);

/* Reads "+08:00", "-03:30", "Z". */
gs_rc_t gs_limit_quota_zone(gs_limit_quota_t *quota, const gs_str_t *s,
    gs_err_t *err);

/* nodes 0: this node alone.  share is in hundredths. */
void gs_limit_quota_plan(gs_limit_quota_t *quota, uint64_t nodes,
    unsigned share);

/*
 * The number of the window of a time (us since the Unix epoch), from 1, and
 * when it ends.
 */
uint64_t gs_limit_quota_window(const gs_limit_quota_t *quota, uint64_t now,
    uint64_t *end);


size_t gs_limit_quota_size(size_t keys);
gs_limit_quota_table_t *gs_limit_quota_init(void *mem, size_t size,
    const gs_siphash_key_t *secret);
gs_limit_quota_table_t *gs_limit_quota_attach(void *mem, size_t size);


void gs_limit_quota_prepare(gs_limit_quota_key_t *k,
    gs_limit_quota_table_t *table, const gs_limit_quota_t *quota,
    const gs_str_t *key, uint64_t cost, uint64_t window);

/*
 * GS_OK: spent.  GS_DECLINED: the quota is used up.  GS_AGAIN: Redis may have
 * a ticket.  GS_BUSY: there is no room for the key.  gone: Redis cannot be
 * asked, the spare part may be spent.
 */
gs_rc_t gs_limit_quota_take(gs_limit_quota_key_t *k, unsigned gone);

/* As gs_limit_lease_ask(); times are monotonic us. */
gs_rc_t gs_limit_quota_ask(gs_limit_quota_key_t *k, uint64_t now,
    uint64_t timeout, gs_limit_quota_ask_t *ask);

/*
 * The answer to INCRBY, value.  Returns how many were not granted and are to
 * be given back with DECRBY.
 */
uint64_t gs_limit_quota_grant(gs_limit_quota_ask_t *ask, uint64_t value);

void gs_limit_quota_fail(gs_limit_quota_ask_t *ask);


#endif /* _GS_LIMIT_QUOTA_H_INCLUDED_ */
