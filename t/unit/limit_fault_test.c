
/*
 * Copyright (C) govsvc authors
 *
 * A worker is killed with SIGKILL at each named point of the tables in shared
 * memory; those that are left go on with them.  The sources are built in here
 * with the points in place.
 */


#define GS_FAULT

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limit/gs_limit_item.c"
#include "limit/gs_limit_table.c"
#define gs_limit_wide_t  gs_limit_wide_lease_t
#include "limit/gs_limit_lease.c"
#undef gs_limit_wide_t
#include "limit/gs_limit_lease_ask.c"
#define gs_limit_wide_t  gs_limit_wide_conn_t
#include "limit/gs_limit_conn.c"
#undef gs_limit_wide_t
#define gs_limit_wide_t  gs_limit_wide_quota_t
#include "limit/gs_limit_quota.c"
#include "tap.h"


#define NOW    1000000000ull
#define WALL   1790000000000000ull
#define HITS   3


typedef struct {
    gs_limit_table_t        *table;
    gs_limit_lease_table_t  *leases;
    gs_limit_conn_table_t   *conns;
    gs_limit_quota_table_t  *quotas;
    uint64_t                *score;        /* Redis */
    uint64_t                *admitted;
    uint64_t                *reached;
} shared_t;


static void test_rates(const char *point, unsigned hit);
static void test_conns(const char *point, unsigned hit);
static void test_quotas(const char *point, unsigned hit);
static unsigned spend(shared_t *s, uint64_t now);
static unsigned request(shared_t *s, uint64_t now);
static void make(shared_t *s);
static void drop(shared_t *s);
static void *memory(size_t size);
static unsigned die_in_child(const char *point, unsigned hit,
    void (*work)(shared_t *s), shared_t *s);
static void work_rates(shared_t *s);
static void work_conns(shared_t *s);
static void work_quotas(shared_t *s);


static const char       *fault_point;
static unsigned          fault_hit;
static uint64_t         *fault_reached;
static gs_limit_rate_t   rate;
static gs_limit_plan_t   split;


int
main(void)
{
    size_t    i;
    unsigned  hit;
    gs_str_t  s;

    static const char *const  rates[] = {
        "table_charge", "table_settle", "lease_open", "lease_clear",
        "lease_ask", "lease_grant", "lease_deposit", "lease_take"
    };

    static const char *const  conns[] = { "conn_claim", "conn_begin" };

    static const char *const  quotas[] = {
        "quota_used", "quota_ask", "quota_grant"
    };

    s = gs_str_text("1000r/s");
    ok(gs_limit_rate_parse(&rate, &s, NULL) == GS_OK
       && gs_limit_rate_init(&rate, 40, NULL) == GS_OK, "a rate");
    gs_limit_plan(&split, &rate, 2, 20, GS_LIMIT_LEASE_TARGET);

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        for (hit = 1; hit <= HITS; hit++) {
            test_rates(rates[i], hit);
        }
    }

    for (i = 0; i < sizeof(conns) / sizeof(conns[0]); i++) {
        for (hit = 1; hit <= HITS; hit++) {
            test_conns(conns[i], hit);
        }
    }

    for (i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++) {
        for (hit = 1; hit <= HITS; hit++) {
            test_quotas(quotas[i], hit);
        }
    }

    return done_testing();
}


void
gs_fault(const char *point)
{
    if (fault_point == NULL || strcmp(point, fault_point) != 0) {
        return;
    }

    if (--fault_hit == 0) {
        *fault_reached = 1;
        kill(getpid(), SIGKILL);
    }
}


static void
test_rates(const char *point, unsigned hit)
{
    double    most;
    uint64_t  t, before, after;
    shared_t  s;

    make(&s);

    if (!die_in_child(point, hit, work_rates, &s)) {

        /* a key is opened but once */

        ok(hit > 1, "%s was reached", point);
        drop(&s);
        return;
    }

    /* a survivor goes on for a second, 4000 requests */

    before = *s.admitted;

    for (t = NOW + 20000; t < NOW + 1020000; t += 250) {
        *s.admitted += request(&s, t);
    }

    after = *s.admitted;
    most = 40 + 1020 + (double) gs_limit_plan_bound(&split, 0);

    ok(after - before > 500, "%s, %u: the key is served (%u)", point, hit,
       (unsigned) (after - before));
    ok((double) after <= most, "%s, %u: and limited (%u)", point, hit,
       (unsigned) after);

    drop(&s);
}


static void
work_rates(shared_t *s)
{
    uint64_t  t;

    for (t = NOW; t < NOW + 20000; t += 100) {
        *s->admitted += request(s, t);
    }
}


static void
test_conns(const char *point, unsigned hit)
{
    unsigned         i;
    uint64_t         now;
    gs_str_t         key;
    shared_t         s;
    gs_limit_conn_t  conn;

    make(&s);
    ok(die_in_child(point, hit, work_conns, &s), "%s was reached", point);

    /* the survivor sees those of the dead, until its place is taken */

    key = gs_str_text("key0");
    gs_limit_conn_start(s.conns, 1, 11);
    is_int(gs_limit_conn_pid(s.conns, 0), 10, "the dead one has its place");

    gs_limit_conn_start(s.conns, 0, 12);

    for (i = 0; i < 2; i++) {
        is_int(gs_limit_conn_begin(s.conns, i, &key, 2, &conn, &now), GS_OK,
               "%s, %u: room for %u", point, hit, i);
        is_int((int64_t) now, i + 1, "%s, %u: counted", point, hit);
    }

    is_int(gs_limit_conn_begin(s.conns, 0, &key, 2, &conn, &now),
           GS_DECLINED, "%s, %u: and no more", point, hit);

    drop(&s);
}


static void
work_conns(shared_t *s)
{
    char             text[8];
    unsigned         i;
    uint64_t         now;
    gs_str_t         key;
    gs_limit_conn_t  conn;

    gs_limit_conn_start(s->conns, 0, 10);

    for (i = 0; i < 8; i++) {
        (void) snprintf(text, sizeof(text), "key%u", i % 2);
        key = gs_str_text(text);
        (void) gs_limit_conn_begin(s->conns, 0, &key, 100, &conn, &now);
    }
}


/* What the dead one held is lost; the rest can be spent, and no more. */

static void
test_quotas(const char *point, unsigned hit)
{
    uint64_t  t;
    shared_t  s;

    make(&s);
    ok(die_in_child(point, hit, work_quotas, &s), "%s was reached", point);

    for (t = NOW + 200000; t < NOW + 600000; t += 100) {
        *s.admitted += spend(&s, t);
    }

    ok(*s.admitted <= 1000, "%s, %u: no more than the quota", point, hit);
    ok(*s.admitted >= 900 - 10, "%s, %u: and little less (%u)", point,
       hit, (unsigned) *s.admitted);

    drop(&s);
}


static void
work_quotas(shared_t *s)
{
    unsigned  i;

    for (i = 0; i < 200; i++) {
        *s->admitted += spend(s, NOW + i);
    }
}


/* A quota of 1000, of which another node has a share of 100. */

static unsigned
spend(shared_t *s, uint64_t now)
{
    gs_rc_t               rc;
    gs_str_t              key;
    gs_limit_quota_t      quota;
    gs_limit_quota_ask_t  ask;
    gs_limit_quota_key_t  k;

    key = gs_str_text("key");
    quota.limit = 1000;
    gs_limit_quota_plan(&quota, 2, 20);

    gs_limit_quota_prepare(&k, s->quotas, &quota, &key, 1, 5);
    rc = gs_limit_quota_take(&k, 0);

    if (k.ask && gs_limit_quota_ask(&k, now, 5000, &ask) == GS_OK) {
        *s->score += ask.n;
        *s->score -= gs_limit_quota_grant(&ask, *s->score);
    }

    return rc == GS_OK;
}


static unsigned
request(shared_t *s, uint64_t now)
{
    gs_rc_t               rc;
    gs_str_t              key;
    gs_limit_item_t       item;
    gs_limit_lease_ask_t  ask;

    key = gs_str_text("key");

    gs_limit_item_prepare(&item, s->table, NULL, &split, s->leases, &key, 1);
    rc = gs_limit_item_decide(&item, 1, now);

    if (item.ask
        && gs_limit_lease_ask(&item.lease, now, (int64_t) (WALL - NOW), 0,
                              5000, &ask)
           == GS_OK)
    {
        if (*s->score < ask.anchor) {
            *s->score = ask.anchor;
        }

        *s->score += ask.increment;

        (void) gs_limit_lease_grant(&ask, now, (int64_t) (WALL - NOW),
                                    *s->score);
    }

    return rc == GS_OK;
}


static unsigned
die_in_child(const char *point, unsigned hit, void (*work)(shared_t *s),
    shared_t *s)
{
    int    status;
    pid_t  pid;

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        fault_point = point;
        fault_hit = hit;
        fault_reached = s->reached;
        work(s);
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && *s->reached;
}


static void
make(shared_t *s)
{
    size_t            size;
    gs_siphash_key_t  secret;

    secret.k0 = 1;
    secret.k1 = 2;

    size = gs_limit_table_size(100);
    s->table = gs_limit_table_init(memory(size), size, &secret, NOW - 1);

    size = gs_limit_lease_size(0);
    s->leases = gs_limit_lease_init(memory(size), size, NOW - 1);

    size = gs_limit_conn_size(100);
    s->conns = gs_limit_conn_init(memory(size), size, &secret);

    size = gs_limit_quota_size(100);
    s->quotas = gs_limit_quota_init(memory(size), size, &secret);

    s->score = memory(3 * sizeof(uint64_t));
    s->admitted = s->score + 1;
    s->reached = s->score + 2;
}


static void
drop(shared_t *s)
{
    munmap(s->table, gs_limit_table_size(100));
    munmap(s->leases, gs_limit_lease_size(0));
    munmap(s->conns, gs_limit_conn_size(100));
    munmap(s->quotas, gs_limit_quota_size(100));
    munmap(s->score, 3 * sizeof(uint64_t));
}


static void *
memory(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        _exit(1);
    }

    return p;
}
