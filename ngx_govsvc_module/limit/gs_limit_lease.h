
/*
 * Copyright (C) govsvc authors
 *
 * A limit that several nodes keep together.  Redis holds one arrival time for
 * each key; a node leases the next slots of time from it, in advance, and its
 * workers hand them out from shared memory: no request waits for Redis.  A
 * slot that is not used within its life is lost, never given back.
 * docs/design/limit.md tells the algorithm and proves the bound.
 */


#ifndef _GS_LIMIT_LEASE_H_INCLUDED_
#define _GS_LIMIT_LEASE_H_INCLUDED_


#include "limit/gs_limit_table.h"


#define GS_LIMIT_LEASE_MAX      4095       /* slots of one lease */
#define GS_LIMIT_LEASE_TARGET   20000      /* us, one lease should last */


/*
 * How a limit is divided: a share of every node that needs no Redis, the rest
 * leased from Redis, and what a node may admit of that rest without it.
 */
typedef struct {
    gs_limit_rate_t  local;                /* burst 0: there is none */
    gs_limit_rate_t  shared;
    gs_limit_rate_t  fallback;
    uint64_t         target;               /* us */
    uint64_t         life;                 /* us, of a slot */
    uint64_t         credit;               /* us, of burst - 1 requests */
    uint64_t         most;                 /* slots of a lease */
    uint64_t         nodes;
    unsigned         low:1;                /* look before reserving */
    unsigned         strict:1;             /* too small for a local share */
} gs_limit_plan_t;


typedef struct gs_limit_lease_table_s   gs_limit_lease_table_t;
typedef struct gs_limit_lease_record_s  gs_limit_lease_record_t;


/* One key; filled by gs_limit_lease_prepare() and used at once. */
typedef struct {
    gs_limit_lease_table_t   *table;
    gs_limit_lease_record_t  *record;      /* NULL: the key has none */
    const gs_limit_plan_t    *plan;
    uint64_t                  cost;
    uint64_t                  tag;
    uint64_t                  check;
    uint64_t                  bucket;
    uint64_t                 *taken;       /* the word, for undo */
    uint64_t                  before;
    uint64_t                  after;
    uint64_t                  end;         /* of the slots of that grant */
    uint64_t                  behind;      /* of them, from the last taken */
    uint64_t                  held;        /* slots left after it */
    uint64_t                  size;        /* slots of the last lease */
    gs_limit_result_t        *result;      /* of the caller */
    unsigned                  closed:1;    /* out: refused for now */
    unsigned                  shareless:1; /* out: no share, for now */
} gs_limit_lease_t;


/* What is to be asked of Redis; kept until the answer. */
typedef struct {
    gs_limit_lease_table_t   *table;
    gs_limit_lease_record_t  *record;
    const gs_limit_plan_t    *plan;
    uint64_t                  check;
    uint64_t                  tag;
    uint64_t                  inflight;
    uint64_t                  slots;
    uint64_t                  cost;
    uint64_t                  increment;   /* us: ZINCRBY */
    uint64_t                  anchor;      /* us of Redis: ZADD GT */
    uint64_t                  ttl;         /* ms: PEXPIRE; 0: not now */
    unsigned                  look:1;      /* ZSCORE first */
} gs_limit_lease_ask_t;


typedef struct {
    uint64_t  records;
    uint64_t  asks;                        /* leases asked for */
    uint64_t  slots;                       /* slots granted */
    uint64_t  discarded;                   /* answers that were no grant */
    uint64_t  failed;
    uint64_t  full;                        /* no room for a record */
} gs_limit_lease_stats_t;


/*
 * Divides rate among nodes (at least 1).  share, 0 to 90, is the part in
 * hundredths that the nodes keep to themselves; it becomes 0 where it would
 * be less than one request for a node.
 */
void gs_limit_plan(gs_limit_plan_t *plan, const gs_limit_rate_t *rate,
    uint64_t nodes, unsigned share, uint64_t target);

/*
 * Another number of nodes for a plan of that rate and share: what is leased
 * stays as it was, so this may be done while leases are out.  A local share of
 * less than one request is no share.
 */
void gs_limit_plan_nodes(gs_limit_plan_t *plan, const gs_limit_rate_t *rate,
    uint64_t nodes, unsigned share);

/*
 * How many requests may pass beyond burst + rate * t, all nodes together:
 * slots that lie unused, and clocks that are delta us wrong.
 */
uint64_t gs_limit_plan_bound(const gs_limit_plan_t *plan, uint64_t delta);


/* As those of gs_limit_table.h; keys are those above their local share. */
size_t gs_limit_lease_size(size_t keys);
gs_limit_lease_table_t *gs_limit_lease_init(void *mem, size_t size,
    uint64_t now);
gs_limit_lease_table_t *gs_limit_lease_attach(void *mem, size_t size);
void gs_limit_lease_stats(const gs_limit_lease_table_t *table,
    gs_limit_lease_stats_t *stats);

/* The most leases a second that this node asks for; 0: any number. */
void gs_limit_lease_budget(gs_limit_lease_table_t *table, uint64_t asks);


/*
 * charge has been prepared: its hash is used.  Finds the key's record; result
 * is where decisions are told.
 */
void gs_limit_lease_prepare(gs_limit_lease_t *lease,
    gs_limit_lease_table_t *table, const gs_limit_plan_t *plan,
    const gs_limit_charge_t *charge, gs_limit_result_t *result);

/*
 * Gives the key a record.  GS_BUSY if all of its places are in use, or if the
 * budget of leases is: the key is to be held by the fallback.
 */
gs_rc_t gs_limit_lease_open(gs_limit_lease_t *lease, uint64_t now);

/*
 * GS_OK: there are slots for the cost, and _take() has taken them.
 * GS_DECLINED: over the limit until result.retry_after.  GS_AGAIN: there may
 * be more, Redis is to be asked.
 */
gs_rc_t gs_limit_lease_peek(gs_limit_lease_t *lease, uint64_t now);
gs_rc_t gs_limit_lease_take(gs_limit_lease_t *lease, uint64_t now);

/*
 * The local share was found to have nothing for a request that costs 1, so
 * nothing for any, until then; _peek() and _take() tell by shareless.
 */
void gs_limit_lease_shareless(gs_limit_lease_t *lease, uint64_t now,
    uint64_t until);

/*
 * After GS_DECLINED of _peek() or _take() and with no share: notes until when
 * no request can pass.  Before that, _peek() and _take() of cost 1 set closed:
 * nothing else is to be looked at.
 */
void gs_limit_lease_close(gs_limit_lease_t *lease, uint64_t now);

/* 1 if, after slots were taken, less than half a lease is left. */
unsigned gs_limit_lease_short(const gs_limit_lease_t *lease);

/* The time, on the clock of now, of the last slot that was taken. */
uint64_t gs_limit_lease_time(const gs_limit_lease_t *lease);

/* Puts slots back that nobody has seen; they are lost if somebody has. */
void gs_limit_lease_undo(gs_limit_lease_t *lease);

/* Counts a request that found no slot, so that the next lease is larger. */
void gs_limit_lease_want(gs_limit_lease_t *lease);

/*
 * GS_OK: this process is to ask Redis, and to end the ask within timeout us.
 * GS_DECLINED: it need not, or another one does.  offset is the clock of
 * Redis less now; recovered is when Redis came back after an outage, 0 for
 * never: buckets are taken to have been empty then.
 */
gs_rc_t gs_limit_lease_ask(gs_limit_lease_t *lease, uint64_t now,
    int64_t offset, uint64_t recovered, uint64_t timeout,
    gs_limit_lease_ask_t *ask);

/*
 * The answer to ZSCORE, 0 if there was none.  GS_OK: reserve; GS_DECLINED:
 * the limit is reached, the ask is over.
 */
gs_rc_t gs_limit_lease_seen(gs_limit_lease_ask_t *ask, uint64_t now,
    int64_t offset, uint64_t score);

/*
 * The answer to ZINCRBY.  GS_OK: the slots are there; GS_DECLINED: it is no
 * arrival time, since the key was lost in between.  The ask is over.
 */
gs_rc_t gs_limit_lease_grant(gs_limit_lease_ask_t *ask, uint64_t now,
    int64_t offset, uint64_t score);

/* There was no answer; what was reserved, if it was, is lost. */
void gs_limit_lease_fail(gs_limit_lease_ask_t *ask);


#endif /* _GS_LIMIT_LEASE_H_INCLUDED_ */
