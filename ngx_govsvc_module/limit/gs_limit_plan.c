
/*
 * Copyright (C) govsvc authors
 *
 * Leases: how a limit is divided among nodes, and what may go beyond it.
 */


#include "limit/gs_limit_lease.h"


__extension__ typedef unsigned __int128  gs_limit_wide_t;


static void gs_limit_plan_part(gs_limit_rate_t *part,
    const gs_limit_rate_t *rate, uint64_t num, uint64_t den, uint64_t least);
static uint64_t gs_limit_plan_count(const gs_limit_rate_t *rate, uint64_t us);


void
gs_limit_plan(gs_limit_plan_t *plan, const gs_limit_rate_t *rate,
    uint64_t nodes, unsigned share, uint64_t target)
{
    uint64_t  n;

    if (rate->burst * share < 100 * nodes) {
        share = 0;
    }

    plan->target = target;
    plan->strict = (share == 0);

    gs_limit_plan_nodes(plan, rate, nodes, share);

    /* what the nodes' shares lose by rounding, Redis does not gain */

    gs_limit_plan_part(&plan->shared, rate, 100 - share, 100, 1);

    plan->low = (plan->shared.unit > target);

    plan->life = 5 * target;

    if (plan->life < plan->shared.unit) {
        plan->life = plan->shared.unit;
    }

    plan->credit = gs_limit_step(&plan->shared, 0, plan->shared.burst - 1);

    plan->most = gs_limit_plan_count(&plan->shared, target);
    n = plan->shared.burst / 8;

    if (plan->most < n) {
        plan->most = n;
    }

    if (plan->most > GS_LIMIT_LEASE_MAX / 2) {
        plan->most = GS_LIMIT_LEASE_MAX / 2;
    }

    if (plan->most == 0) {
        plan->most = 1;
    }
}


void
gs_limit_plan_nodes(gs_limit_plan_t *plan, const gs_limit_rate_t *rate,
    uint64_t nodes, unsigned share)
{
    if (plan->strict) {
        share = 0;
    }

    plan->nodes = nodes;

    gs_limit_plan_part(&plan->local, rate, share, 100 * nodes, 0);
    gs_limit_plan_part(&plan->fallback, rate, 100 - share, 100 * nodes, 1);
}


uint64_t
gs_limit_plan_bound(const gs_limit_plan_t *plan, uint64_t delta)
{
    uint64_t  lie, held;

    /* slots of the life of one, and one for the edge */

    lie = gs_limit_plan_count(&plan->shared, plan->life) + 1;
    held = plan->nodes * (plan->most + (plan->most + 1) / 2);

    if (held < lie) {
        lie = held;
    }

    return lie + gs_limit_plan_count(&plan->shared, 2 * delta)
           + (delta != 0);
}


/* num / den of a rate; a burst of at least least. */

static void
gs_limit_plan_part(gs_limit_rate_t *part, const gs_limit_rate_t *rate,
    uint64_t num, uint64_t den, uint64_t least)
{
    gs_limit_wide_t  interval, tau;

    *part = *rate;

    if (num == 0 || den == 0) {
        part->burst = 0;
        return;
    }

    part->burst = (uint64_t) ((gs_limit_wide_t) rate->burst * num / den);

    if (part->burst < least) {
        part->burst = least;
    }

    interval = ((gs_limit_wide_t) rate->interval * den + num - 1) / num;

    /* the slowest that the arithmetic has: one in 38 hours */

    if (interval > UINT64_MAX) {
        interval = UINT64_MAX;
    }

    part->interval = (uint64_t) interval;
    part->inverse = (uint64_t) (((gs_limit_wide_t) 1 << 90) / interval);
    part->unit = (uint64_t) ((interval + (1u << 27) - 1) >> 27);

    tau = (gs_limit_wide_t) part->burst * interval;
    part->tau = (uint64_t) ((tau + (1u << 27) - 1) >> 27)
                + ((part->interval & ((1u << 27) - 1)) != 0);
}


static uint64_t
gs_limit_plan_count(const gs_limit_rate_t *rate, uint64_t us)
{
    return (uint64_t) (((gs_limit_wide_t) us << 27) / rate->interval);
}
