
/*
 * Copyright (C) govsvc authors
 *
 * Picks: shares by weight, smoothness, what is tried and unusable, and how
 * little of a hash moves when an instance goes.
 */


#include <stdio.h>
#include <stdlib.h>

#include "route/gs_route.h"
#include "tap.h"


#define MAX  64


typedef struct {
    unsigned  down;                        /* bits of instances */
    uint32_t  load[MAX];
} health_t;


static int
usable(void *ctx, const gs_route_instance_t *instance)
{
    const health_t *h = ctx;

    return !(h->down >> instance->index & 1);
}


static uint32_t
load(void *ctx, const gs_route_instance_t *instance)
{
    const health_t *h = ctx;

    return h->load[instance->index];
}


/* weights ends with 0; a negative one is an instance that drains. */

static gs_route_table_t *
table_of(const char *method, const int *weights)
{
    char              *p;
    size_t             size;
    unsigned           i;
    gs_err_t           err;
    gs_str_t           s;
    gs_route_table_t  *t;
    static char        text[256 * 1024];

    p = text + sprintf(text, "{\"platforms\":[{\"id\":\"p\"}],\"pools\":[{"
                       "\"id\":\"w\",\"platform\":\"p\",\"method\":\"%s\"}],"
                       "\"instances\":[", method);

    for (i = 0; weights[i] != 0; i++) {
        p += sprintf(p, "%s{\"id\":\"i%u\",\"pool\":\"w\",\"address\":"
                     "\"10.0.%u.%u\",\"port\":80,\"weight\":%d,"
                     "\"state\":\"%s\"}", i ? "," : "", i, i / 250,
                     i % 250 + 1, abs(weights[i]),
                     (weights[i] < 0) ? "drain" : "enabled");
    }

    p += sprintf(p, "]}");
    s = gs_str_make(text, (size_t) (p - text));

    if (gs_route_compile(&gs_mem_libc, &s, NULL, &t, &size, &err) != GS_OK) {
        diag("%s at %s", err.text, err.pointer);
        exit(1);
    }

    return t;
}


/* Nobody bears the shares of those that are down alone. */

static void
test_wrr_shares(void)
{
    static const int  weights[] = { 1, 1, 1, 1, 1, 0 };

    uint32_t           i, n[5];
    health_t           h;
    gs_route_pick_t    pick;
    gs_route_table_t  *t;

    t = table_of("wrr", weights);
    memset(&pick, 0, sizeof(gs_route_pick_t));
    memset(&h, 0, sizeof(health_t));
    memset(n, 0, sizeof(n));

    pick.usable = usable;
    pick.ctx = &h;
    h.down = 3;

    for (i = 0; i < 9000; i++) {
        n[gs_route_pick_wrr(t, gs_route_pool(t, 0), i, &pick)->index]++;
    }

    ok(n[0] + n[1] == 0 && n[2] > 2800 && n[2] < 3200 && n[3] > 2800
       && n[3] < 3200,
       "two neighbours of five down: a third each for the others");

    gs_free(&gs_mem_libc, t);
}


static void
test_wrr(void)
{
    static const int  weights[] = { 5, 1, -9, 1, 0 };

    char                        text[32];
    uint64_t                    tried[3];
    uint32_t                    i, n;
    health_t                    h;
    gs_route_pick_t             pick;
    gs_route_table_t           *t;
    const gs_route_pool_t      *pool;
    const gs_route_instance_t  *inst;

    t = table_of("wrr", weights);
    pool = gs_route_pool(t, 0);
    memset(&pick, 0, sizeof(gs_route_pick_t));
    memset(&h, 0, sizeof(health_t));

    is_int(pool->nseq, 7, "a turn of 7");

    for (i = 0; i < 14; i++) {
        text[i] = (char) ('0' + gs_route_pick_wrr(t, pool, i, &pick)->index);
    }

    is_str(gs_str_make(text, 14), "00103000010300",
           "smooth, and none that drains");

    pick.usable = usable;
    pick.ctx = &h;
    h.down = 1;

    n = 0;

    for (i = 0; i < 7000; i++) {
        n += (gs_route_pick_wrr(t, pool, i, &pick)->index == 1);
    }

    ok(n > 3300 && n < 3700, "the heavy one down: the others share");

    h.down = 0;
    tried[0] = gs_route_instance(t, 0)->key;
    tried[1] = gs_route_instance(t, 1)->key;
    pick.tried = tried;
    pick.ntried = 2;
    inst = gs_route_pick_wrr(t, pool, 0, &pick);
    ok(inst != NULL && inst->index == 3, "what was tried is left out");

    h.down = 8;
    ok(gs_route_pick_wrr(t, pool, 0, &pick) == NULL, "none is left");

    ok(gs_route_pick_wrr(t, pool, 0xffffffffu, &pick) == NULL,
       "also with the largest cursor");

    gs_free(&gs_mem_libc, t);
}


static void
test_scale(void)
{
    static const int  heavy[] = { 65535, 1, 1, 30000, 0 };
    static const int  even[] = { 40000, 40000, 40000, 0 };
    static const int  none[] = { -1, -1, 0 };

    uint32_t           i, seen[4];
    gs_route_pick_t    pick;
    gs_route_table_t  *t;

    memset(&pick, 0, sizeof(gs_route_pick_t));
    memset(seen, 0, sizeof(seen));

    t = table_of("wrr", heavy);
    ok(gs_route_pool(t, 0)->nseq <= 4096 + 4, "a bounded turn");

    for (i = 0; i < gs_route_pool(t, 0)->nseq; i++) {
        seen[gs_route_pick_wrr(t, gs_route_pool(t, 0), i, &pick)->index]++;
    }

    ok(seen[1] == 1 && seen[2] == 1, "the lightest have their turn");
    ok(seen[0] > 2 * seen[3] && seen[0] < 3 * seen[3], "the heavy a ratio");
    gs_free(&gs_mem_libc, t);

    t = table_of("wrr", even);
    is_int(gs_route_pool(t, 0)->nseq, 3, "equal weights become 1");
    gs_free(&gs_mem_libc, t);

    t = table_of("hash:$arg_a", none);
    is_int(gs_route_pool(t, 0)->nseq, 0, "all drain: no turn");
    ok(gs_route_pick_wrr(t, gs_route_pool(t, 0), 1, &pick) == NULL
       && gs_route_pick_p2c(t, gs_route_pool(t, 0), 1, 2, &pick) == NULL
       && gs_route_pick_hash(t, gs_route_pool(t, 0), 1, &pick) == NULL,
       "and no pick");
    gs_free(&gs_mem_libc, t);

    t = table_of("p2c", none + 2);
    ok(gs_route_pick_p2c(t, gs_route_pool(t, 0), 1, 2, &pick) == NULL,
       "an empty pool");
    gs_free(&gs_mem_libc, t);
}


static void
test_p2c(void)
{
    static const int  weights[] = { 1, 1, 2, 0 };

    int                         worse;
    uint32_t                    i, j;
    health_t                    h;
    gs_route_pick_t             pick;
    gs_route_table_t           *t;
    const gs_route_pool_t      *pool;
    const gs_route_instance_t  *inst;

    t = table_of("p2c", weights);
    pool = gs_route_pool(t, 0);
    memset(&pick, 0, sizeof(gs_route_pick_t));
    memset(&h, 0, sizeof(health_t));
    pick.usable = usable;
    pick.load = load;
    pick.ctx = &h;

    h.load[0] = 100;
    h.load[1] = 100;
    h.load[2] = 100;
    worse = 0;

    for (i = 0; i < 4; i++) {
        for (j = 0; j < 4; j++) {
            inst = gs_route_pick_p2c(t, pool, i, j, &pick);
            worse += (gs_route_pick_wrr(t, pool, i, &pick)->index == 2
                      && inst->index != 2);
        }
    }

    is_int(worse, 0, "of equal loads the heavier weight is taken");

    h.load[2] = 1000;
    worse = 0;

    for (i = 0; i < 4; i++) {
        for (j = 0; j < 4; j++) {
            worse += (gs_route_pick_p2c(t, pool, i, j, &pick)->index == 2
                      && gs_route_pick_wrr(t, pool, j, &pick)->index != 2);
        }
    }

    is_int(worse, 0, "the more loaded of two is not taken");

    h.down = 6;
    inst = gs_route_pick_p2c(t, pool, 1, 2, &pick);
    ok(inst != NULL && inst->index == 0, "one usable: that one");

    h.down = 7;
    ok(gs_route_pick_p2c(t, pool, 1, 2, &pick) == NULL, "none usable");

    gs_free(&gs_mem_libc, t);
}


static void
test_hash(void)
{
    static const int  weights[] = {
        1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 0
    };
    static const int  fewer[] = { 1, 1, 1, 1, 1, 1, 1, 1, -1, 3, 0 };

    uint32_t                    i, moved, lost, seen[10];
    uint64_t                    hash;
    health_t                    h;
    gs_route_pick_t             pick;
    gs_route_table_t           *t, *t2;
    const gs_route_instance_t  *a, *b;

    t = table_of("hash:$arg_a", weights);
    t2 = table_of("hash:$arg_a", fewer);
    memset(&pick, 0, sizeof(gs_route_pick_t));
    memset(&h, 0, sizeof(health_t));
    memset(seen, 0, sizeof(seen));
    pick.usable = usable;
    pick.ctx = &h;
    moved = lost = 0;

    for (i = 0; i < 12000; i++) {
        hash = (i + 1) * 0x9e3779b97f4a7c15ull;
        h.down = 0;
        a = gs_route_pick_hash(t, gs_route_pool(t, 0), hash, &pick);
        b = gs_route_pick_hash(t2, gs_route_pool(t2, 0), hash, &pick);
        seen[a->index]++;
        moved += (a->index != b->index && a->index != 8);

        h.down = 1u << a->index;
        b = gs_route_pick_hash(t, gs_route_pool(t, 0), hash, &pick);
        lost += (b == NULL || b->index == a->index);
    }

    ok(seen[0] > 800 && seen[0] < 1200 && seen[9] > 2600 && seen[9] < 3400,
       "shares follow the weights: %u, %u", seen[0], seen[9]);
    ok(moved < 1200, "an instance less moves few others: %u of 12000", moved);
    is_int(lost, 0, "an unusable one has a second choice");

    h.down = 0x3ff;
    ok(gs_route_pick_hash(t, gs_route_pool(t, 0), 1, &pick) == NULL,
       "none usable");

    gs_free(&gs_mem_libc, t);
    gs_free(&gs_mem_libc, t2);
}


int
main(void)
{
    test_wrr();
    test_wrr_shares();
    test_scale();
    test_p2c();
    test_hash();

    return done_testing();
}
