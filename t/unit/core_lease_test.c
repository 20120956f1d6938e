
/*
 * Copyright (C) govsvc authors
 *
 * A lease in one word: taken once, renewed, lost with time, given back.
 */


#include "core/gs_lease.h"
#include "tap.h"


static void take(void);
static void clocks(void);
static void bounds(void);


int
main(void)
{
    take();
    clocks();
    bounds();

    return done_testing();
}


static void
take(void)
{
    gs_lease_t  l;

    l = 0;

    ok(gs_lease_free(&l, 0), "nobody's at first");
    ok(!gs_lease_mine(&l, 7, 0), "not mine");
    ok(gs_lease_take(&l, 7, 1000, 1600) == GS_OK, "taken");
    ok(gs_lease_mine(&l, 7, 1000), "mine");
    ok(!gs_lease_mine(&l, 8, 1000), "not another's");
    ok(gs_lease_holder(&l, 1000) == 7, "its holder");
    ok(gs_lease_holder(&l, 9000) == 0, "who has it no longer");
    ok(gs_lease_take(&l, 8, 2500, 1600) == GS_DECLINED, "taken once");
    ok(gs_lease_take(&l, 7, 2500, 1600) == GS_OK, "renewed");
    ok(gs_lease_term(&l) == 1, "in the same term");
    ok(gs_lease_mine(&l, 7, 4080), "to its end");
    ok(!gs_lease_mine(&l, 7, 4112), "and no longer");
    ok(gs_lease_free(&l, 4112), "free then");
    ok(gs_lease_take(&l, 8, 4112, 1600) == GS_OK, "another takes it");
    ok(gs_lease_term(&l) == 2, "a new term");
    ok(gs_lease_take(&l, 7, 4112, 1600) == GS_DECLINED, "the first is out");

    gs_lease_drop(&l, 7);
    ok(gs_lease_mine(&l, 8, 4200), "only the holder gives it back");

    gs_lease_drop(&l, 8);
    ok(gs_lease_free(&l, 4200), "given back at once");
    ok(gs_lease_take(&l, 9, 4200, 1600) == GS_OK, "and taken at once");
    ok(gs_lease_term(&l) == 3, "a third term");
}


static void
clocks(void)
{
    uint64_t    now;
    gs_lease_t  l;

    /* where 32 bits of the unit go round */

    now = ((uint64_t) 1 << 36) - 160;
    l = 0;

    ok(gs_lease_take(&l, 5, now, 1600) == GS_OK, "near the end of the count");
    ok(gs_lease_mine(&l, 5, now + 1500), "over the end");
    ok(!gs_lease_mine(&l, 5, now + 1700), "ends behind it");
    ok(!gs_lease_mine(&l, 5, now + 86400000), "a day later");
    ok(!gs_lease_mine(&l, 5, now + 86400000ull * 366), "a year later");
    ok(gs_lease_free(&l, now + 86400000), "and free");
}


static void
bounds(void)
{
    gs_lease_t  l;

    l = 0;

    ok(gs_lease_take(&l, 0, 1000, 1600) == GS_DECLINED, "no holder 0");
    ok(gs_lease_take(&l, 4194304, 1000, 1600) == GS_DECLINED, "too large");
    ok(gs_lease_take(&l, 4194303, 1000, GS_LEASE_MAX_TTL + 1) == GS_DECLINED,
       "too long");
    ok(l == 0, "untouched");
    ok(gs_lease_take(&l, 4194303, 1000, GS_LEASE_MAX_TTL) == GS_OK, "largest");
    ok(gs_lease_mine(&l, 4194303, 1000), "mine for the longest time");
    ok(gs_lease_take(&l, 4194302, 1000, 1) == GS_DECLINED, "not another's");
    ok(gs_lease_take(&l, 4194303, 1000, 0) == GS_OK, "no time");
    ok(gs_lease_free(&l, 1000), "is given back");
}
