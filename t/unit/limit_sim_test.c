
/*
 * Copyright (C) govsvc authors
 *
 * Virtual time: nodes with their own tables, a model of Redis and a network
 * with delays, five patterns of load, wrong clocks and outages.  The oracle
 * compares what all nodes admitted with burst + rate * t and the bound that
 * the library states.  Algorithms that are known to be wrong must fail it.
 */


#include <stdio.h>
#include <stdlib.h>

#include "limit/gs_limit_item.h"
#include "limit/gs_limit_lease_priv.h"
#include "tap.h"


#define NODES    100
#define TICK     100                       /* us */
#define START    1000000000ull             /* us, of the nodes' clocks */
#define WALL     1790000000000000ull       /* us, of Redis at START */
#define TIMEOUT  20000


typedef enum {
    FLOOD = 0,
    ROTATE,
    BURSTS,
    SLAM,
    HOARD,
    STEADY
} pattern_e;


typedef enum {
    RIGHT = 0,
    REFUND,                                /* lapsed slots are given back */
    REANCHOR,                              /* ZADD without GT */
    STALE,                                 /* INCRBY on a stale time */
    IMMORTAL,                              /* slots live for ever */
    BLIND                                  /* no look before reserving */
} mutant_e;


typedef struct {
    const char        *name;
    pattern_e          pattern;
    mutant_e           mutant;
    const char        *rate;
    uint64_t           burst;
    unsigned           nodes;
    unsigned           share;
    double             load;               /* requests a second, all nodes */
    int64_t            skew;               /* us, either way */
    uint64_t           down;               /* us; from when Redis is gone */
    uint64_t           up;
    uint64_t           seconds;
    unsigned           strict;
} run_t;


typedef struct {
    gs_limit_lease_ask_t     ask;
    unsigned                 busy:1;
    unsigned                 sent:1;
    uint64_t                 at;           /* when Redis does it */
    uint64_t                 back;         /* when the answer comes */
    uint64_t                 score;
    unsigned                 look:1;
    unsigned                 lost:1;
} call_t;


typedef struct {
    gs_limit_table_t        *table;
    gs_limit_lease_table_t  *leases;
    int64_t                  offset;
    uint64_t                 outage;
    uint64_t                 recovered;
    uint64_t                 silent;       /* when an answer failed first */
    call_t                   call;
    double                   due;          /* arrivals */
    unsigned                 waiting;
    uint64_t                 waits[64];    /* until, of strict requests */
} node_t;


typedef struct {
    uint64_t                 arrived;
    uint64_t                 admitted;
    uint64_t                 ideal;
    uint64_t                 ops;
    double                   excess;       /* over burst + rate * t */
    double                   bound;
} outcome_t;


static void test_right(void);
static void test_mutants(void);
static void simulate(const run_t *run, outcome_t *out);
static void start_nodes(const run_t *run);
static void stop_nodes(const run_t *run);
static double arrivals(const run_t *run, unsigned i, uint64_t t);
static void request(const run_t *run, unsigned i, uint64_t t,
    outcome_t *out);
static unsigned decide(const run_t *run, node_t *node, uint64_t now);
static unsigned passes(node_t *node, uint64_t now);
static void answer(const run_t *run, node_t *node, uint64_t t, uint64_t now);
static void refund(const run_t *run, node_t *node, uint64_t now);
static void admit(const run_t *run, uint64_t t, outcome_t *out);
static uint64_t redis_reserve(const run_t *run,
    const gs_limit_lease_ask_t *ask);
static uint64_t next_random(uint64_t n);


static node_t            nodes[NODES];
static gs_limit_rate_t   rate;
static gs_limit_plan_t   split;
static uint64_t          score;            /* Redis: the arrival time */
static double            level;
static uint64_t          level_time;
static uint64_t          ideal_tat;
static uint64_t          wronged;          /* refused by a note alone */
static uint64_t          seed = 88172645463325252ull;


int
main(void)
{
    test_right();
    test_mutants();

    return done_testing();
}


/* admitted: at least this part, in hundredths, of what one node would. */

static void
test_right(void)
{
    size_t     i;
    double     part, ops;
    outcome_t  out;

    static const struct {
        run_t     run;
        unsigned  part;
        unsigned  ops;                     /* a second and node, at most */
    } rows[] = {
        { { "flood, 3 nodes", FLOOD, RIGHT, "1000r/s", 100, 3, 20, 10000,
            0, 0, 0, 10, 0 }, 95, 120 },
        { { "flood, 20 nodes", FLOOD, RIGHT, "1000r/s", 100, 20, 20, 10000,
            0, 0, 0, 10, 0 }, 95, 120 },
        { { "flood, nothing local", FLOOD, RIGHT, "1000r/s", 100, 5, 0, 10000,
            0, 0, 0, 10, 0 }, 95, 120 },
        { { "flood, fast", FLOOD, RIGHT, "20000r/s", 1000, 4, 20, 60000,
            0, 0, 0, 3, 0 }, 95, 120 },
        { { "flood, an interval of no whole us", FLOOD, RIGHT, "3000r/s", 300,
            3, 20, 30000, 0, 0, 0, 5, 0 }, 95, 120 },
        { { "flood, clocks 20 ms wrong", FLOOD, RIGHT, "1000r/s", 100, 3, 20,
            10000, 20000, 0, 0, 10, 0 }, 80, 120 },
        { { "steady below the rate", STEADY, RIGHT, "1000r/s", 100, 3, 20,
            700, 0, 0, 0, 10, 0 }, 95, 160 },
        { { "rotation, 3 nodes", ROTATE, RIGHT, "1000r/s", 100, 3, 20, 10000,
            0, 0, 0, 10, 0 }, 60, 120 },
        { { "rotation, 20 nodes", ROTATE, RIGHT, "1000r/s", 100, 20, 20,
            10000, 0, 0, 0, 10, 0 }, 50, 120 },
        { { "bursts together, 3 nodes", BURSTS, RIGHT, "1000r/s", 100, 3, 20,
            3000, 0, 0, 0, 10, 0 }, 50, 120 },
        { { "bursts together, 20 nodes", BURSTS, RIGHT, "1000r/s", 100, 20,
            20, 6000, 0, 0, 0, 10, 0 }, 50, 120 },
        { { "trickle, then slam", SLAM, RIGHT, "1000r/s", 100, 3, 20, 10000,
            0, 0, 0, 10, 0 }, 70, 120 },
        { { "hoarding, 3 nodes", HOARD, RIGHT, "1000r/s", 100, 3, 20, 10000,
            0, 0, 0, 10, 0 }, 50, 200 },
        { { "hoarding, 20 nodes, clocks wrong", HOARD, RIGHT, "1000r/s", 100,
            20, 20, 10000, 5000, 0, 0, 10, 0 }, 50, 200 },
        { { "outage of 4 s", FLOOD, RIGHT, "1000r/s", 100, 3, 20, 10000,
            0, 3000000, 7000000, 12, 0 }, 90, 120 },
        { { "outage, rotation", ROTATE, RIGHT, "1000r/s", 100, 20, 20, 10000,
            0, 3000000, 7000000, 12, 0 }, 20, 120 },
        { { "hoarding, 100 nodes", HOARD, RIGHT, "1000r/s", 100, 100, 0,
            10000, 0, 0, 0, 5, 0 }, 30, 120 },
        { { "5 a minute, strict, 20 nodes", STEADY, RIGHT, "5r/m", 5, 20, 0,
            0.5, 0, 0, 0, 600, 1 }, 99, 120 },
        { { "flood of 5 a minute, strict", FLOOD, RIGHT, "5r/m", 5, 20, 0,
            200, 0, 0, 0, 120, 1 }, 95, 1 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        simulate(&rows[i].run, &out);

        part = 100.0 * (double) out.admitted / (double) out.ideal;
        ops = (double) out.ops / (double) rows[i].run.seconds
              / rows[i].run.nodes;

        diag("%s: %.1f %% of ideal, excess %.1f of %.0f, %.1f ops/s a node",
             rows[i].run.name, part, out.excess, out.bound, ops);

        ok(out.excess <= out.bound, "%s: the bound holds", rows[i].run.name);
        ok(part >= rows[i].part, "%s: enough pass", rows[i].run.name);
        is_int((int64_t) wronged, 0, "%s: notes refuse nobody who would pass",
               rows[i].run.name);
        ok(ops <= rows[i].ops, "%s: Redis is not asked often",
           rows[i].run.name);
    }
}


static void
test_mutants(void)
{
    size_t     i;
    double     part;
    unsigned   over;
    outcome_t  out;

    static const run_t  rows[] = {
        { "refunds", HOARD, REFUND, "1000r/s", 100, 100, 0, 10000, 0, 0, 0,
          5, 0 },
        { "ZADD without GT", FLOOD, REANCHOR, "1000r/s", 100, 3, 20, 10000,
          0, 0, 0, 5, 0 },
        { "a stale time", SLAM, STALE, "1000r/s", 100, 3, 20, 10000, 0, 0, 0,
          5, 0 },
        { "slots that live for ever", HOARD, IMMORTAL, "1000r/s", 100, 100, 0,
          10000, 0, 0, 0, 5, 0 },
        { "reserving blindly", STEADY, BLIND, "5r/m", 5, 20, 0, 0.5, 0, 0, 0,
          600, 1 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        simulate(&rows[i], &out);

        part = 100.0 * (double) out.admitted / (double) out.ideal;
        over = (out.excess > out.bound);

        diag("mutant, %s: %.1f %% of ideal, excess %.1f of %.0f",
             rows[i].name, part, out.excess, out.bound);

        ok(over || part < 50, "the oracle finds out: %s", rows[i].name);
    }
}


static void
simulate(const run_t *run, outcome_t *out)
{
    double    outage;
    uint64_t  t, end, now;
    unsigned  i, k, n;

    memset(out, 0, sizeof(outcome_t));

    seed = 88172645463325252ull;
    score = 0;
    level = 0;
    level_time = 0;
    ideal_tat = 0;
    wronged = 0;

    start_nodes(run);

    /* fallback buckets begin with the outage and overlap what was leased */

    outage = (run->up == 0) ? 0 : 2.0 * (double) run->burst;
    out->bound = (double) gs_limit_plan_bound(&split, (uint64_t) run->skew)
                 + outage;

    if (run->mutant == IMMORTAL) {
        split.life = 60000000;
    }

    if (run->mutant == BLIND) {
        split.low = 0;
    }

    end = run->seconds * 1000000;

    for (t = 0; t < end; t += TICK) {

        for (i = 0; i < run->nodes; i++) {

            now = START + t;
            answer(run, &nodes[i], t, now);

            if (run->mutant == REFUND) {
                refund(run, &nodes[i], now);
            }

            /* strict requests look again */

            n = nodes[i].waiting;
            nodes[i].waiting = 0;

            for (k = 0; k < n; k++) {
                if (nodes[i].waits[k] < t) {
                    continue;
                }

                switch (decide(run, &nodes[i], now)) {
                case 0:
                    admit(run, t, out);
                    break;
                case 2:
                    nodes[i].waits[nodes[i].waiting++] = nodes[i].waits[k];
                }
            }

            nodes[i].due += arrivals(run, i, t);

            while (nodes[i].due >= 1) {
                nodes[i].due -= 1;
                request(run, i, t, out);
            }
        }
    }

    for (i = 0; i < run->nodes; i++) {
        gs_limit_lease_stats_t  stats;

        gs_limit_lease_stats(nodes[i].leases, &stats);
        out->ops += stats.asks * (run->strict ? 1 : 2);
    }

    stop_nodes(run);
}


static void
start_nodes(const run_t *run)
{
    void              *mem;
    size_t             size;
    gs_str_t           s;
    unsigned           i;
    gs_siphash_key_t   secret;

    s = gs_str_text(run->rate);
    ok(gs_limit_rate_parse(&rate, &s, NULL) == GS_OK
       && gs_limit_rate_init(&rate, run->burst, NULL) == GS_OK,
       "%s: the rate", run->name);

    gs_limit_plan(&split, &rate, run->nodes, run->share,
                  GS_LIMIT_LEASE_TARGET);

    memset(nodes, 0, sizeof(nodes));

    for (i = 0; i < run->nodes; i++) {
        secret.k0 = i;
        secret.k1 = 7;

        size = gs_limit_table_size(100);
        mem = aligned_alloc(64, (size + 63) / 64 * 64);
        nodes[i].table = gs_limit_table_init(mem, size, &secret, START);

        size = gs_limit_lease_size(10);
        mem = aligned_alloc(64, (size + 63) / 64 * 64);
        nodes[i].leases = gs_limit_lease_init(mem, size, START - i);

        nodes[i].offset = (int64_t) (WALL - START);

        if (run->skew != 0) {
            nodes[i].offset += (i % 2 == 0) ? run->skew : -run->skew;
        }

        nodes[i].due = (double) next_random(1000) / 1000.0;
    }
}


static void
stop_nodes(const run_t *run)
{
    unsigned  i;

    for (i = 0; i < run->nodes; i++) {
        free(nodes[i].table);
        free(nodes[i].leases);
    }
}


/* Requests that come to the node in this tick. */

static double
arrivals(const run_t *run, unsigned i, uint64_t t)
{
    double    each;
    uint64_t  phase;

    each = run->load * TICK / 1e6;
    each *= 0.5 + (double) next_random(1000) / 1000.0;

    switch (run->pattern) {

    case ROTATE:
        return (t / 150000 % run->nodes == i) ? each : 0;

    case BURSTS:

        /* a tenth of the time, at all nodes at once */

        return (t % 1000000 < 100000) ? each * 10 / run->nodes : 0;

    case SLAM:

        phase = t % 2000000;
        return (phase < 1500000) ? each / 200 / run->nodes
                                 : each / run->nodes;

    case HOARD:

        /* each node is made to lease, and they cash in together */

        phase = t % 1000000;

        if (phase < 900000) {
            return (phase / 5000 % run->nodes == i) ? each / 10 : 0;
        }

        return each * 3 / run->nodes;

    default: /* FLOOD, STEADY */
        return each / run->nodes;
    }
}


static void
request(const run_t *run, unsigned i, uint64_t t, outcome_t *out)
{
    uint64_t           next;
    gs_limit_result_t  result;

    out->arrived++;

    if (gs_limit_judge(&rate, ideal_tat, START + t, 1, &next, &result)
        == GS_OK)
    {
        ideal_tat = next;
        out->ideal++;
    }

    switch (decide(run, &nodes[i], START + t)) {

    case 0:
        admit(run, t, out);
        break;

    case 2:
        if (nodes[i].waiting < 64) {
            nodes[i].waits[nodes[i].waiting++] = t + TIMEOUT;
        }
    }
}


/* 0: admitted, 1: refused, 2: waits. */

static unsigned
decide(const run_t *run, node_t *node, uint64_t now)
{
    gs_rc_t          rc;
    gs_str_t         key;
    unsigned         pass;
    gs_limit_item_t  item;

    key = gs_str_text("key");
    pass = passes(node, now);

    gs_limit_item_prepare(&item, node->table, NULL, &split, node->leases, &key,
                          1);
    item.strict = (run->strict != 0);
    item.outage = node->outage;

    rc = gs_limit_item_decide(&item, 1, now);
    wronged += (pass && rc != GS_OK);

    if (item.ask && node->outage == 0 && !node->call.busy
        && gs_limit_lease_ask(&item.lease, now, node->offset,
                              node->recovered, TIMEOUT, &node->call.ask)
           == GS_OK)
    {
        node->call.busy = 1;
        node->call.look = (node->call.ask.look && run->mutant != BLIND);
        node->call.sent = 0;
        node->call.at = now + 100 + next_random(900);
        node->call.back = node->call.at + 100 + next_random(900);
    }

    return (rc == GS_OK) ? 0 : (rc == GS_AGAIN) ? 2 : 1;
}


/* Whether there is a slot or a share, without the notes of refusals. */

static unsigned
passes(node_t *node, uint64_t now)
{
    gs_rc_t                   rc;
    gs_str_t                  key;
    gs_limit_item_t           item;
    gs_limit_lease_record_t  *record, before;

    key = gs_str_text("key");
    gs_limit_item_prepare(&item, node->table, NULL, &split, node->leases, &key,
                          1);

    if (item.plan->local.burst != 0
        && gs_limit_peek(&item.charge, now) == GS_OK)
    {
        return 1;
    }

    record = item.lease.record;

    if (record == NULL) {
        return 0;
    }

    before = *record;
    record->closed = 0;

    rc = gs_limit_lease_peek(&item.lease, now);
    *record = before;

    return rc == GS_OK;
}


/* Redis does its part, and the answer arrives; or nothing does. */

static void
answer(const run_t *run, node_t *node, uint64_t t, uint64_t now)
{
    call_t    *call;
    unsigned   gone;

    call = &node->call;
    gone = (run->up != 0 && t >= run->down && t < run->up);

    if (node->outage != 0 && !gone && t > run->up + 200000) {
        node->outage = 0;
        node->silent = 0;
        node->recovered = now;
    }

    if (!call->busy) {
        return;
    }

    if (!call->sent && now >= call->at) {
        call->sent = 1;
        call->lost = gone;

        if (!gone) {
            call->score = call->look ? score
                                     : redis_reserve(run, &call->ask);
        }
    }

    if (call->sent && call->lost) {
        if (now < call->at + TIMEOUT) {
            return;
        }

        gs_limit_lease_fail(&call->ask);
        call->busy = 0;

        if (node->silent == 0) {
            node->silent = now;
        }

        if (now >= node->silent + 50000) {
            node->outage = now;
        }

        return;
    }

    if (!call->sent || now < call->back) {
        return;
    }

    if (!call->look) {
        (void) gs_limit_lease_grant(&call->ask, now, node->offset,
                                    call->score);
        call->busy = 0;
        return;
    }

    if (gs_limit_lease_seen(&call->ask, now, node->offset, call->score)
        != GS_OK)
    {
        call->busy = 0;
        return;
    }

    call->look = 0;
    call->sent = 0;
    call->at = now + 100 + next_random(900);
    call->back = call->at + 100 + next_random(900);
}


static uint64_t
redis_reserve(const run_t *run, const gs_limit_lease_ask_t *ask)
{
    switch (run->mutant) {

    case REANCHOR:
        score = ask->anchor;
        break;

    case STALE:
        if (score == 0) {
            score = ask->anchor;
        }
        break;

    default:
        if (score < ask->anchor) {
            score = ask->anchor;
        }
    }

    score += ask->increment;

    return score;
}


/* The mutant that gives lapsed slots back to Redis. */

static void
refund(const run_t *run, node_t *node, uint64_t now)
{
    uint64_t                  t, n;
    unsigned                  k;
    gs_str_t                  key;
    gs_limit_lease_t          lease;
    gs_limit_charge_t         charge;
    gs_limit_result_t         result;
    gs_limit_lease_view_t     view;
    gs_limit_lease_record_t  *record;

    key = gs_str_text("key");
    gs_limit_prepare(&charge, node->table, &split.local, &key, 1);
    gs_limit_lease_prepare(&lease, node->leases, &split, &charge, &result);

    record = lease.record;

    if (record == NULL) {
        return;
    }

    t = gs_limit_lease_clock(node->leases, now);

    for (k = 0; k < GS_LIMIT_LEASE_POOLS; k++) {

        gs_limit_lease_view(&split, &record->pools[k], lease.check, t, &view);
        n = record->pools[k].left >> 6 & GS_LIMIT_LEASE_MAX;

        if (view.n == 0 && n != 0) {
            score -= gs_limit_step(&split.shared, 0, n);
            record->pools[k].left &= GS_LIMIT_LEASE_SEQ;
        }
    }
}


static void
admit(const run_t *run, uint64_t t, outcome_t *out)
{
    double  per_us;

    per_us = (double) rate.count / (double) rate.period;

    level -= (double) (t - level_time) * per_us;

    if (level < 0) {
        level = 0;
    }

    level += 1;
    level_time = t;
    out->admitted++;

    if (level - (double) run->burst > out->excess) {
        out->excess = level - (double) run->burst;
    }
}


static uint64_t
next_random(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed % n;
}
