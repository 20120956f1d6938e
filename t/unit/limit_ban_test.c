
/*
 * Copyright (C) govsvc authors
 *
 * Bans: times, tiers, networks, a full table, writers that die, processes
 * that write at once.
 */


#define GS_FAULT

#include "limit/gs_ban.c"
#include "tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define SIZE  (256 * 1024)
#define NOW   1000000


static void test_time(void);
static void test_tiers(void);
static void test_nodes(void);
static void test_nets(void);
static void test_texts(void);
static void test_list(void);
static void test_full(void);
static void test_killed(void);
static void test_many(void);
static void test_attach(void);
static void make(void);
static gs_ban_id_t subject(const char *text);
static gs_net_t net(const char *text);
static gs_rc_t ban(gs_ban_id_t *id, uint64_t until);
static int alive(uint32_t pid);


static void              *memory;
static gs_ban_table_t     table;
static const char        *stop;            /* the point of fault */


int
main(void)
{
    memory = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                  -1, 0);

    test_time();
    test_tiers();
    test_nodes();
    test_nets();
    test_texts();
    test_list();
    test_full();
    test_killed();
    test_many();
    test_attach();

    return done_testing();
}


void
gs_fault(const char *point)
{
    if (stop != NULL && strcmp(point, stop) == 0) {
        kill(getpid(), SIGKILL);
    }
}


static void
test_time(void)
{
    gs_ban_id_t      id, other;
    gs_ban_stat_t    stat;

    make();

    id = subject("zhang");
    other = subject("li");

    ok(!gs_ban_has(&table, GS_BAN_SUBJECT), "there is no ban of a subject");
    ok(gs_ban_until(&table, &id, NOW) == 0, "an empty table bans nobody");
    ok(ban(&id, NOW + 10) == GS_OK, "banned");
    ok(gs_ban_has(&table, GS_BAN_SUBJECT) && !gs_ban_has(&table, GS_BAN_APP),
       "there may be bans of subjects, not of applications");
    is_int((int64_t) gs_ban_until(&table, &id, NOW + 9), NOW + 10,
           "until its time");
    is_int((int64_t) gs_ban_until(&table, &id, NOW + 10), 0, "not longer");
    is_int((int64_t) gs_ban_until(&table, &other, NOW), 0, "nobody else");

    ok(ban(&id, NOW + 5) == GS_DECLINED, "a shorter ban changes nothing");
    is_int((int64_t) gs_ban_until(&table, &id, NOW), NOW + 10, "it lasts");
    ok(ban(&id, NOW + 20) == GS_OK, "a longer one does");
    is_int((int64_t) gs_ban_until(&table, &id, NOW), NOW + 20, "longer");

    ok(ban(&id, NOW) == GS_ERROR && ban(&id, 0) == GS_ERROR,
       "a ban that has ended, or has no end, is an error");

    ok(gs_ban_lift(&table, &other, NOW) == GS_DECLINED, "no ban to lift");
    ok(gs_ban_lift(&table, &id, NOW) == GS_OK, "lifted");
    is_int((int64_t) gs_ban_until(&table, &id, NOW), 0, "no longer banned");

    gs_ban_stat(&table, &stat);
    ok(stat.added == 2 && stat.lifted == 1 && stat.full == 0, "counted");
    is_int((int64_t) gs_ban_changes(&table), 3, "so are the changes");
}


static void
test_tiers(void)
{
    uint64_t        until;
    unsigned        tier;
    gs_ban_t        b;
    gs_ban_id_t     id;
    gs_ban_tiers_t  tiers;

    make();

    memset(&b, 0, sizeof(gs_ban_t));
    b.tiers = &tiers;
    tiers.n = 3;
    tiers.ms[0] = 10;
    tiers.ms[1] = 20;
    tiers.ms[2] = 40;
    tiers.memory = 100;

    id = subject("wang");

    ok(gs_ban_add(&table, &id, &b, NOW, &until, &tier) == GS_OK
       && until == NOW + 10 && tier == 0, "the first ban is short");
    ok(gs_ban_add(&table, &id, &b, NOW + 5, &until, &tier) == GS_DECLINED
       && until == NOW + 10 && tier == 0, "while it runs it stays so");
    ok(gs_ban_add(&table, &id, &b, NOW + 50, &until, &tier) == GS_OK
       && until == NOW + 70 && tier == 1, "the second is longer");
    ok(gs_ban_add(&table, &id, &b, NOW + 80, &until, &tier) == GS_OK
       && until == NOW + 120 && tier == 2, "the third still longer");
    ok(gs_ban_add(&table, &id, &b, NOW + 130, &until, &tier) == GS_OK
       && until == NOW + 170 && tier == 2, "no longer than the last");
    ok(gs_ban_add(&table, &id, &b, NOW + 270, &until, &tier) == GS_OK
       && until == NOW + 280 && tier == 0, "forgotten after a while");

    gs_ban_add(&table, &id, &b, NOW + 290, &until, &tier);
    is_int(tier, 1, "not yet forgotten");
    gs_ban_lift(&table, &id, NOW + 291);
    ok(gs_ban_add(&table, &id, &b, NOW + 292, &until, &tier) == GS_OK
       && tier == 0, "a lifted ban is forgotten at once");

    gs_ban_add(&table, &id, &b, NOW + 600, &until, NULL);
    ok(gs_ban_lift(&table, &id, until) == GS_DECLINED
       && gs_ban_add(&table, &id, &b, until, &until, &tier) == GS_OK
       && tier == 0, "so is one that has ended by itself");
}


/* What nodes tell one another: tiers, who set it, the length of a prefix. */

static void
test_nodes(void)
{
    gs_ban_t          b;
    gs_net_t          n;
    unsigned          tier;
    gs_ban_id_t       id, again;
    gs_ban_entry_t    e;
    gs_ban_tiers_t    tiers;
    gs_siphash_key_t  secret;

    make();

    memset(&b, 0, sizeof(gs_ban_t));
    n = net("2001:db8::/48");
    gs_ban_net(&table, &n, &id);

    b.until = NOW + 10;
    b.tier = 2;
    b.local = 1;
    ok(gs_ban_add(&table, &id, &b, NOW, NULL, &tier) == GS_OK, "of a node");
    is_int(tier, 2, "with the tier there");
    ok(gs_ban_find(&table, &id, NOW, &e) == GS_OK && e.local, "for this node");
    is_int(e.family, GS_NET_IPV6, "its family");
    is_int(e.bits, 48, "and length");

    /* the hash and the length are enough for another node */

    make();

    memset(&again, 0, sizeof(gs_ban_id_t));
    again.kind = GS_BAN_NET;
    again.h[0] = e.h[0];
    again.h[1] = e.h[1];
    again.net.family = e.family;
    again.net.bits = e.bits;

    b.local = 0;
    ok(gs_ban_add(&table, &again, &b, NOW, NULL, NULL) == GS_OK, "by hash");

    n = net("2001:db8::7");
    is_int((int64_t) gs_ban_address(&table, &n, NOW, &id), NOW + 10,
           "an address of it is banned");
    ok(gs_ban_find(&table, &again, NOW, &e) == GS_OK && !e.local, "shared");

    memset(&tiers, 0, sizeof(gs_ban_tiers_t));
    tiers.n = 4;
    tiers.ms[0] = tiers.ms[1] = tiers.ms[2] = 10;
    tiers.ms[3] = 1000;
    tiers.memory = 100;

    b.until = 0;
    b.tiers = &tiers;
    ok(gs_ban_add(&table, &again, &b, NOW + 20, NULL, &tier) == GS_OK,
       "banned here next");
    is_int(tier, 3, "with the tier behind that of the other node");

    secret = table.hdr->secret;
    ok(gs_ban_secret_is(&table, &secret), "its secret");
    secret.k1 ^= 1;
    ok(!gs_ban_secret_is(&table, &secret), "another");
}


static void
test_nets(void)
{
    size_t       i;
    gs_net_t     n;
    gs_ban_id_t  id;
    static const struct {
        const char  *address;
        int          banned;
    } cases[] = {
        { "10.1.2.3", 1 }, { "10.1.2.4", 0 }, { "10.2.0.1", 1 },
        { "10.2.255.255", 1 }, { "10.3.0.0", 0 }, { "::ffff:10.1.2.3", 1 },
        { "2001:db8::1", 1 }, { "2001:db8:0:0:ffff::", 1 },
        { "2001:db8:0:1::", 0 }, { "2001:db9::7", 1 }, { "2001:db9::8", 0 },
        { "unix", 0 }
    };

    make();

    n = net("10.1.2.3");
    ok(gs_ban_address(&table, &n, NOW, &id) == 0, "no address is banned");

    gs_ban_net(&table, &n, &id);
    ban(&id, NOW + 10);
    n = net("10.2.0.0/16");
    gs_ban_net(&table, &n, &id);
    ban(&id, NOW + 20);
    n = net("2001:db8::/64");
    gs_ban_net(&table, &n, &id);
    ban(&id, NOW + 30);
    n = net("2001:db9::7");
    gs_ban_net(&table, &n, &id);
    ban(&id, NOW + 30);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = net(cases[i].address);
        is_int(gs_ban_address(&table, &n, NOW, &id) != 0, cases[i].banned,
               "%s", cases[i].address);
    }

    n = net("10.2.3.4");
    is_int((int64_t) gs_ban_address(&table, &n, NOW, &id), NOW + 20,
           "the time of the network");
    ok(id.net.bits == 16 && gs_ban_lift(&table, &id, NOW) == GS_OK
       && gs_ban_address(&table, &n, NOW, &id) == 0,
       "the network that was found can be lifted");
}


static void
test_texts(void)
{
    char            chinese[200];
    size_t          i;
    gs_ban_t        b;
    gs_ban_id_t     id;
    gs_ban_entry_t  e;

    make();

    for (i = 0; i + 3 < sizeof(chinese); i += 3) {
        memcpy(chinese + i, "\xe7\xa6\x81", 3);
    }

    memset(&b, 0, sizeof(gs_ban_t));
    b.until = NOW + 10;
    b.rule = 1203;
    b.label = gs_str_text("p1:abc");
    b.reason = gs_str_make(chinese, 198);
    b.actor = gs_str_text("operator li");
    b.evidence = gs_str_text("' or 1=1");

    id = subject("zhao");
    gs_ban_add(&table, &id, &b, NOW, NULL, NULL);

    ok(gs_ban_find(&table, &id, NOW, &e) == GS_OK, "found");
    ok(e.kind == GS_BAN_SUBJECT && e.since == NOW && e.until == NOW + 10
       && e.rule == 1203 && e.tier == 0, "with its numbers");
    is_str(e.label, "p1:abc", "label");
    is_str(e.actor, "operator li", "actor");
    is_str(e.evidence, "' or 1=1", "evidence");
    is_int((int64_t) e.reason.len, 48, "a long reason is cut");
    ok(gs_ban_find(&table, &id, NOW + 10, &e) == GS_DECLINED,
       "what has ended is not found");

    b.until = NOW + 20;
    b.reason = gs_str_make(chinese + 1, 100);
    gs_ban_add(&table, &id, &b, NOW, NULL, NULL);
    gs_ban_find(&table, &id, NOW, &e);
    is_int((int64_t) e.reason.len, 47, "between two characters");
}


static void
test_list(void)
{
    char            name[16];
    unsigned        i, n;
    uint64_t        cursor;
    gs_ban_id_t     id;
    gs_ban_entry_t  e;

    make();

    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        id = subject(name);
        ban(&id, NOW + 10 + i);
    }

    cursor = 0;

    for (n = 0; gs_ban_next(&table, &cursor, NOW, &e) == GS_OK; n++) {
        /* void */
    }

    is_int(n, 100, "all bans are listed");

    cursor = 0;

    for (n = 0; gs_ban_next(&table, &cursor, NOW + 59, &e) == GS_OK; n++) {
        /* void */
    }

    is_int(n, 50, "but those that have ended");
    ok(gs_ban_next(&table, &cursor, NOW, &e) == GS_DONE, "the end stays");
}


static void
test_full(void)
{
    int            lost;
    char           name[16];
    gs_rc_t        rc;
    unsigned       i, n;
    gs_ban_id_t    id;
    gs_ban_stat_t  stat;

    make();
    gs_ban_stat(&table, &stat);
    rc = GS_OK;

    for (n = 0; n < 10 * stat.slots; n++) {
        snprintf(name, sizeof(name), "s%u", n);
        id = subject(name);
        rc = ban(&id, NOW + 10);

        if (rc != GS_OK) {
            break;
        }
    }

    ok(rc == GS_BUSY, "a table without room says so");
    ok(n * 10 > stat.slots * 6, "it was filled to %u of %u", n,
       (unsigned) stat.slots);

    lost = 0;

    for (i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        id = subject(name);
        lost += (gs_ban_until(&table, &id, NOW) == 0);
    }

    is_int(lost, 0, "no ban was put out");

    snprintf(name, sizeof(name), "s%u", n);
    id = subject(name);
    is_int((int64_t) gs_ban_until(&table, &id, NOW), 0, "the last has none");

    gs_ban_stat(&table, &stat);
    is_int((int64_t) stat.full, 1, "counted");

    ok(gs_ban_until(&table, &id, NOW) == 0
       && ban(&id, NOW + 20) == GS_BUSY, "it stays so while they run");

    id = subject("s0");
    ok(ban(&id, NOW + 30) == GS_OK, "those that are there can be longer");
}


/* A writer killed at each point leaves a table that works. */

static void
test_killed(void)
{
    size_t          i, k;
    pid_t           pid;
    gs_ban_id_t     id;
    gs_ban_entry_t  e;
    static const char *const  points[] = {
        "ban-freed", "ban-tagged", "ban-set"
    };

    for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        for (k = 0; k < 2; k++) {
            make();
            id = subject("zhang");

            if (k == 1) {
                ban(&id, NOW + 10);
            }

            pid = fork();

            if (pid == 0) {
                table.pid = (uint32_t) getpid();
                stop = points[i];
                ban(&id, NOW + 20);
                _exit(0);
            }

            waitpid(pid, NULL, 0);

            if (k == 1) {
                ok(gs_ban_until(&table, &id, NOW) >= NOW + 10,
                   "%s: the ban there was holds", points[i]);
            }

            ok(ban(&id, NOW + 30) == GS_OK
               && gs_ban_until(&table, &id, NOW) == NOW + 30,
               "%s: it can be banned", points[i]);
            ok(gs_ban_find(&table, &id, NOW, &e) == GS_OK,
               "%s: found", points[i]);
            ok(gs_ban_lift(&table, &id, NOW) == GS_OK
               && gs_ban_until(&table, &id, NOW) == 0,
               "%s: and lifted", points[i]);
        }
    }
}


/* Two processes that ban and lift the same few keys. */

static void
test_many(void)
{
    char         name[16];
    pid_t        pid[2];
    unsigned     i, p;
    gs_ban_id_t  id;

    make();

    for (p = 0; p < 2; p++) {
        pid[p] = fork();

        if (pid[p] != 0) {
            continue;
        }

        table.pid = (uint32_t) getpid();

        for (i = 0; i < 100000; i++) {
            snprintf(name, sizeof(name), "s%u", i % 7);
            id = subject(name);
            ban(&id, NOW + 10 + i);

            if (i % 3 == 0) {
                gs_ban_lift(&table, &id, NOW);
            }
        }

        _exit(0);
    }

    waitpid(pid[0], NULL, 0);
    waitpid(pid[1], NULL, 0);

    for (i = 0, p = 0; i < 7; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        id = subject(name);
        gs_ban_lift(&table, &id, NOW);
        p += (gs_ban_until(&table, &id, NOW) != 0);
    }

    is_int(p, 0, "after two writers at once each ban can be lifted");
}


static void
test_attach(void)
{
    gs_ban_id_t     id;
    gs_ban_table_t  again;

    make();
    id = subject("zhang");
    ban(&id, NOW + 10);

    again = table;
    again.hdr = NULL;

    ok(gs_ban_attach(&again, memory, SIZE) == GS_OK
       && gs_ban_until(&again, &id, NOW) == NOW + 10, "found again");
    ok(gs_ban_attach(&again, memory, SIZE - 64) == GS_ERROR, "another size");

    table.hdr->version++;
    ok(gs_ban_attach(&again, memory, SIZE) == GS_ERROR, "another layout");
}


static void
make(void)
{
    gs_siphash_key_t  secret;

    memset(memory, 0, SIZE);
    secret.k0 = 1;
    secret.k1 = 2;

    table.pid = (uint32_t) getpid();
    table.alive = alive;

    if (gs_ban_create(&table, memory, GS_BAN_MIN - 1, &secret) != GS_ERROR
        || gs_ban_create(&table, memory, SIZE, &secret) != GS_OK)
    {
        abort();
    }
}


static gs_ban_id_t
subject(const char *text)
{
    gs_str_t     s;
    gs_ban_id_t  id;

    s = gs_str_text(text);
    gs_ban_key(&table, GS_BAN_SUBJECT, &s, &id);

    return id;
}


static gs_net_t
net(const char *text)
{
    gs_net_t  n;
    gs_str_t  s;

    s = gs_str_text(text);
    gs_net_parse(&n, &s);

    return n;
}


static gs_rc_t
ban(gs_ban_id_t *id, uint64_t until)
{
    gs_ban_t  b;

    memset(&b, 0, sizeof(gs_ban_t));
    b.until = until;

    return gs_ban_add(&table, id, &b, NOW, NULL, NULL);
}


static int
alive(uint32_t pid)
{
    return kill((pid_t) pid, 0) == 0;
}
