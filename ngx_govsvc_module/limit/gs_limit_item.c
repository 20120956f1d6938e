
/*
 * Copyright (C) govsvc authors
 *
 * One limit of one request, and the decision over several.
 */


#include "limit/gs_limit_item.h"


static gs_rc_t gs_limit_item_judge(gs_limit_item_t *item, uint64_t now,
    unsigned write);
static gs_rc_t gs_limit_item_local(gs_limit_item_t *item, uint64_t now,
    unsigned write);
static gs_rc_t gs_limit_item_lease(gs_limit_item_t *item, uint64_t now,
    unsigned write);
static gs_rc_t gs_limit_item_share(gs_limit_item_t *item, uint64_t now,
    unsigned write);
static gs_rc_t gs_limit_item_error(gs_limit_item_t *item, uint64_t now,
    unsigned write);
static void gs_limit_item_spent(gs_limit_item_t *item, uint64_t now);
static void gs_limit_item_undo(gs_limit_item_t *item);


void
gs_limit_item_prepare(gs_limit_item_t *item, gs_limit_table_t *table,
    const gs_limit_rate_t *rate, const gs_limit_plan_t *plan,
    gs_limit_lease_table_t *leases, const gs_str_t *key, uint64_t cost)
{
    gs_limit_prepare(&item->charge, table,
                     (plan != NULL) ? &plan->local : rate, key, cost);

    if (plan != NULL) {
        gs_limit_lease_prepare(&item->lease, leases, plan, &item->charge,
                               &item->result);
    }

    item->plan = plan;
    item->on_error = GS_LIMIT_ERROR_LOCAL;
    item->outage = 0;
    item->strict = 0;
    item->pass_full = 0;
    item->leased = 0;
    item->spared = 0;
    item->refused = 0;
    item->full = 0;
    item->ask = 0;
    item->source = GS_LIMIT_SOURCE_NONE;
}


gs_rc_t
gs_limit_item_decide(gs_limit_item_t *items, size_t n, uint64_t now)
{
    size_t    i;
    gs_rc_t   rc, answer;
    unsigned  write;

    answer = GS_OK;

    /* a single limit needs no look ahead */

    for (write = (n == 1); write < 2 && answer == GS_OK; write++) {

        for (i = 0; i < n; i++) {
            rc = gs_limit_item_judge(&items[i], now, write);

            /* a refusal is worse than a wait: nobody waits to be refused */

            if (rc != GS_OK && !items[i].charge.dry_run
                && (answer == GS_OK || answer == GS_AGAIN))
            {
                answer = rc;
            }

            if (write && answer != GS_OK) {
                break;
            }
        }
    }

    if (answer != GS_OK) {
        for (i = 0; i < n; i++) {
            gs_limit_item_undo(&items[i]);
        }
    }

    return answer;
}


static gs_rc_t
gs_limit_item_judge(gs_limit_item_t *item, uint64_t now, unsigned write)
{
    gs_rc_t  rc;

    rc = (item->plan == NULL) ? gs_limit_item_local(item, now, write)
                              : gs_limit_item_lease(item, now, write);

    item->refused = (rc == GS_DECLINED || rc == GS_BUSY);

    return rc;
}


static gs_rc_t
gs_limit_item_local(gs_limit_item_t *item, uint64_t now, unsigned write)
{
    gs_rc_t  rc;

    rc = write ? gs_limit_commit(&item->charge, now)
               : gs_limit_peek(&item->charge, now);

    item->result = item->charge.result;
    item->full = item->charge.full;
    item->source = GS_LIMIT_SOURCE_LOCAL;

    if (item->full && item->charge.aggregate) {
        item->source = GS_LIMIT_SOURCE_AGGREGATE;
    }

    if (rc == GS_BUSY && item->pass_full) {
        item->source = GS_LIMIT_SOURCE_OPEN;
        rc = GS_OK;
    }

    return rc;
}


/* Slots of Redis first, for they lapse; then the share of this node. */

static gs_rc_t
gs_limit_item_lease(gs_limit_item_t *item, uint64_t now, unsigned write)
{
    gs_rc_t  rc;

    rc = write ? gs_limit_lease_take(&item->lease, now)
               : gs_limit_lease_peek(&item->lease, now);

    if (rc == GS_OK) {
        item->source = GS_LIMIT_SOURCE_LEASE;
        item->leased = (write != 0);

        /* who may wait fetches nothing ahead: others may need it first */

        item->ask = (!item->strict && gs_limit_lease_short(&item->lease));
        return GS_OK;
    }

    if (item->lease.closed && item->outage == 0) {
        item->source = GS_LIMIT_SOURCE_LEASE;
        return GS_DECLINED;
    }

    if (gs_limit_item_share(item, now, write) == GS_OK) {
        return GS_OK;
    }

    if (item->outage != 0) {
        return gs_limit_item_error(item, now, write);
    }

    if (gs_limit_lease_open(&item->lease, now) != GS_OK) {
        return gs_limit_item_error(item, now, write);
    }

    if (rc == GS_AGAIN) {
        rc = gs_limit_lease_peek(&item->lease, now);
    }

    item->source = GS_LIMIT_SOURCE_LEASE;
    item->ask = (item->lease.held < item->charge.cost
                 || gs_limit_lease_short(&item->lease));

    if (rc == GS_AGAIN) {
        gs_limit_lease_want(&item->lease);

    } else if (rc == GS_DECLINED) {
        gs_limit_lease_close(&item->lease, now);
    }

    /* slots that came since the first look are for who asks again */

    return (item->strict && rc != GS_DECLINED) ? GS_AGAIN : GS_DECLINED;
}


/*
 * Half of the share is gone: the key will need slots.  A refusal leaves the
 * result of the lease.
 */

static gs_rc_t
gs_limit_item_share(gs_limit_item_t *item, uint64_t now, unsigned write)
{
    gs_rc_t            rc;
    gs_limit_result_t  leased;

    if (item->plan->local.burst < item->charge.cost
        || item->lease.shareless)
    {
        return GS_DECLINED;
    }

    leased = item->result;
    rc = gs_limit_item_local(item, now, write);

    if (rc == GS_DECLINED && !item->full) {
        gs_limit_lease_shareless(&item->lease, now,
                                 now + item->result.retry_after);
    }

    if (rc != GS_OK) {
        item->result = leased;
        return rc;
    }

    if (write && item->source == GS_LIMIT_SOURCE_LOCAL) {
        gs_limit_item_spent(item, now);
    }

    if (write && item->outage == 0
        && item->result.remaining <= item->plan->local.burst / 2
        && gs_limit_lease_open(&item->lease, now) == GS_OK)
    {
        item->ask = 1;
    }

    return GS_OK;
}


/* The last of the share was taken: the next comes one interval later. */

static void
gs_limit_item_spent(gs_limit_item_t *item, uint64_t now)
{
    uint64_t                until;
    const gs_limit_rate_t  *rate;

    rate = &item->plan->local;
    until = item->result.reset + (rate->interval >> GS_LIMIT_SHIFT);

    if (until > rate->tau) {
        gs_limit_lease_shareless(&item->lease, now, now + until - rate->tau);
    }
}


static gs_rc_t
gs_limit_item_error(gs_limit_item_t *item, uint64_t now, unsigned write)
{
    gs_rc_t  rc;

    item->source = GS_LIMIT_SOURCE_FALLBACK;

    switch (item->on_error) {

    case GS_LIMIT_ERROR_OPEN:
        item->source = GS_LIMIT_SOURCE_OPEN;
        item->result.limit = item->plan->shared.burst;
        item->result.remaining = item->plan->shared.burst;
        item->result.reset = 0;
        item->result.retry_after = 0;
        return GS_OK;

    case GS_LIMIT_ERROR_CLOSED:
        item->full = 1;
        item->result.limit = item->plan->shared.burst;
        item->result.remaining = 0;
        item->result.reset = item->plan->fallback.unit;
        item->result.retry_after = item->plan->fallback.unit;
        return GS_BUSY;

    default: /* GS_LIMIT_ERROR_LOCAL */
        break;
    }

    if (!item->spared) {
        item->spare = item->charge;
        item->spare.rate = &item->plan->fallback;
        item->spare.tag ^= 0x5a5a5a5a5a5a5a5aull & ~1ull;
        item->spare.check ^= 0x5a5a;
        item->spare.state = NULL;
        item->spare.empty = item->outage;
        item->spared = 1;
    }

    rc = write ? gs_limit_commit(&item->spare, now)
               : gs_limit_peek(&item->spare, now);

    item->result = item->spare.result;
    item->full = item->spare.full;

    if (rc == GS_BUSY && item->pass_full) {
        item->source = GS_LIMIT_SOURCE_OPEN;
        rc = GS_OK;
    }

    return rc;
}


static void
gs_limit_item_undo(gs_limit_item_t *item)
{
    gs_limit_undo(&item->charge);

    if (item->spared) {
        gs_limit_undo(&item->spare);
    }

    if (item->leased) {
        gs_limit_lease_undo(&item->lease);
        item->leased = 0;
    }
}
