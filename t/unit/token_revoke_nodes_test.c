
/*
 * Copyright (C) govsvc authors
 *
 * Revocations of several nodes: told in any order and any number of times,
 * tables become equal; lifts, times, what is told and what is not, entries
 * under a former secret, and entries as text.
 */


#include <stdio.h>
#include <stdlib.h>

#include "tap.h"
#include "token/gs_token_revoke_priv.h"


#define NOW    1700000000
#define NODES  3
#define SIZE   (128 * 1024)
#define ISS    "https://sso.gov.example"
#define LOG    4096


static void fresh(gs_token_revoke_t *t, const char *secret);
static void act(gs_token_revoke_t *t, int lift, gs_token_revoke_e kind,
    const char *value, int64_t time, int64_t now);
static int check(gs_token_revoke_t *t, gs_token_revoke_e kind,
    const char *value, int64_t iat, int64_t now);
static void all_hear(void);
static void test_merge(void);
static void test_lift(void);
static void test_again(void);
static void test_order(void);
static void test_told(void);
static void test_full(void);
static void test_text(void);
static void test_bad_text(void);
static void test_hostile(void);
static void test_former(void);


static gs_token_revoke_t       node[NODES];
static gs_token_revoke_item_t  said[LOG];
static unsigned                nsaid;


int
main(void)
{
    unsigned  i;

    for (i = 0; i < NODES; i++) {
        node[i].hdr = aligned_alloc(64, SIZE);
    }

    test_merge();
    test_lift();
    test_again();
    test_order();
    test_told();
    test_full();
    test_text();
    test_bad_text();
    test_hostile();
    test_former();

    for (i = 0; i < NODES; i++) {
        free(node[i].hdr);
    }

    return done_testing();
}


static void
fresh(gs_token_revoke_t *t, const char *secret)
{
    void        *memory;
    gs_uchar_t   random[24];

    memory = t->hdr;
    memset(memory, 0, SIZE);
    memset(random, 7 + (int) (t - node), sizeof(random));

    (void) gs_token_revoke_create(t, memory, SIZE, random);

    t->pid = 1;
    t->alive = NULL;

    if (secret != NULL) {
        gs_token_revoke_share(t, (const gs_uchar_t *) secret);
    }
}


/* time is until, or before for that kind. */

static void
act(gs_token_revoke_t *t, int lift, gs_token_revoke_e kind, const char *value,
    int64_t time, int64_t now)
{
    gs_rc_t                   rc;
    unsigned                  i, n;
    gs_token_revocation_t     rev;
    gs_token_revoke_change_t  tell[2];

    memset(&rev, 0, sizeof(rev));
    rev.kind = kind;
    rev.iss = gs_str_text(ISS);
    rev.value = gs_str_text(value);
    rev.until = (kind == GS_TOKEN_REVOKE_BEFORE) ? NOW + 10000 : time;
    rev.before = (kind == GS_TOKEN_REVOKE_BEFORE) ? time : 0;
    n = 0;

    rc = lift ? gs_token_revoke_lift(t, &rev, now, tell, &n)
              : gs_token_revoke_add(t, &rev, now, tell, &n);

    for (i = 0; rc == GS_OK && i < n && nsaid < LOG; i++) {
        said[nsaid++] = tell[i].is;
    }
}


static int
check(gs_token_revoke_t *t, gs_token_revoke_e kind, const char *value,
    int64_t iat, int64_t now)
{
    gs_token_revoke_subject_t  s;

    memset(&s, 0, sizeof(s));
    s.iss = gs_str_text(ISS);
    s.iat = iat;

    if (kind == GS_TOKEN_REVOKE_JTI) {
        s.jti = gs_str_text(value);

    } else {
        s.sub = gs_str_text(value);
    }

    return gs_token_revoke_check(t, &s, now);
}


static void
all_hear(void)
{
    unsigned                i, k;
    gs_token_revoke_item_t  is;

    for (i = 0; i < NODES; i++) {
        for (k = 0; k < nsaid; k++) {
            (void) gs_token_revoke_merge(&node[i], &said[k], NOW, &is);
        }
    }

    nsaid = 0;
}


static void
test_merge(void)
{
    unsigned                i;
    uint64_t                epoch;
    gs_token_revoke_item_t  is;

    for (i = 0; i < NODES; i++) {
        fresh(&node[i], "0123456789abcdef");
    }

    epoch = gs_token_revoke_epoch(&node[1]);
    act(&node[0], 0, GS_TOKEN_REVOKE_JTI, "a", NOW + 100, NOW);
    is_int((int64_t) nsaid, 1, "one entry to tell");

    is_int(gs_token_revoke_merge(&node[1], &said[0], NOW, &is), GS_OK,
           "taken over");
    ok(gs_token_revoke_same(&said[0], &is), "as it was told");
    ok(gs_token_revoke_epoch(&node[1]) != epoch, "verdicts are looked at");
    is_int(check(&node[1], GS_TOKEN_REVOKE_JTI, "a", NOW, NOW), 1,
           "in force");

    epoch = gs_token_revoke_epoch(&node[1]);
    is_int(gs_token_revoke_merge(&node[1], &said[0], NOW, &is), GS_DECLINED,
           "told again");
    ok(gs_token_revoke_epoch(&node[1]) == epoch, "changes nothing");
    is_int(gs_token_revoke_merge(&node[1], &said[0], NOW + 100, &is),
           GS_ERROR, "over");

    /* of two revocations the longer and the later */

    nsaid = 0;
    act(&node[0], 0, GS_TOKEN_REVOKE_BEFORE, "u", NOW - 50, NOW);
    act(&node[1], 0, GS_TOKEN_REVOKE_BEFORE, "u", NOW - 500, NOW + 5);
    act(&node[2], 0, GS_TOKEN_REVOKE_BEFORE, "u", NOW - 5, NOW - 3);
    all_hear();

    for (i = 0; i < NODES; i++) {
        is_int(check(&node[i], GS_TOKEN_REVOKE_BEFORE, "u", NOW - 6, NOW), 1,
               "node %u: the greatest time", i);
        is_int(check(&node[i], GS_TOKEN_REVOKE_BEFORE, "u", NOW - 5, NOW), 0,
               "node %u: and no more", i);
    }
}


static void
test_lift(void)
{
    unsigned                i;
    gs_token_revoke_item_t  old, is;

    for (i = 0; i < NODES; i++) {
        fresh(&node[i], "0123456789abcdef");
    }

    act(&node[0], 0, GS_TOKEN_REVOKE_SUB, "u", GS_TOKEN_REVOKE_NEVER, NOW);
    old = said[0];
    all_hear();

    /* by a clock that is behind */

    act(&node[1], 1, GS_TOKEN_REVOKE_SUB, "u", 0, NOW - 1000);
    is_int((int64_t) nsaid, 1, "a lift to tell");
    ok(said[0].lifted > old.revoked, "later than all");
    all_hear();

    for (i = 0; i < NODES; i++) {
        is_int(check(&node[i], GS_TOKEN_REVOKE_SUB, "u", NOW, NOW), 0,
               "node %u: lifted", i);
        is_int(gs_token_revoke_merge(&node[i], &old, NOW, &is), GS_DECLINED,
               "node %u: the old revocation", i);
        ok(!gs_token_revoke_holds(&is), "node %u: comes too late", i);
    }

    /* and one who was away, the other way round */

    fresh(&node[2], "0123456789abcdef");
    (void) gs_token_revoke_merge(&node[2], &is, NOW, &is);
    (void) gs_token_revoke_merge(&node[2], &old, NOW, &is);
    is_int(check(&node[2], GS_TOKEN_REVOKE_SUB, "u", NOW, NOW), 0,
           "the lift comes first");
    is_int(gs_token_revoke_merge(&node[2], &old,
                                 NOW + GS_TOKEN_REVOKE_KEEP + 2, &is), GS_OK,
           "a lift is kept for a week");

    /* of two at the same time the revocation */

    fresh(&node[2], "0123456789abcdef");
    (void) gs_token_revoke_merge(&node[2], &old, NOW, &is);
    old.lifted = old.revoked;
    (void) gs_token_revoke_merge(&node[2], &old, NOW, &is);
    ok(gs_token_revoke_holds(&is), "a lift at the same time counts less");
    is_int(check(&node[2], GS_TOKEN_REVOKE_SUB, "u", NOW, NOW), 1,
           "it is revoked");
}


/* What is revoked again lasts as long as was said then. */

static void
test_again(void)
{
    unsigned  i;

    for (i = 0; i < NODES; i++) {
        fresh(&node[i], "0123456789abcdef");
    }

    act(&node[0], 0, GS_TOKEN_REVOKE_SUB, "u", GS_TOKEN_REVOKE_NEVER, NOW);
    act(&node[0], 1, GS_TOKEN_REVOKE_SUB, "u", 0, NOW);
    act(&node[0], 0, GS_TOKEN_REVOKE_SUB, "u", NOW + 100, NOW);
    is_int((int64_t) nsaid, 3, "three changes");
    all_hear();

    for (i = 0; i < NODES; i++) {
        is_int(check(&node[i], GS_TOKEN_REVOKE_SUB, "u", NOW, NOW + 99), 1,
               "node %u: revoked again", i);
        is_int(check(&node[i], GS_TOKEN_REVOKE_SUB, "u", NOW, NOW + 100), 0,
               "node %u: for that time", i);
    }

    /* an operator elsewhere who did not hear of the lift */

    act(&node[0], 1, GS_TOKEN_REVOKE_SUB, "u", 0, NOW + 10);
    act(&node[1], 0, GS_TOKEN_REVOKE_SUB, "u", NOW + 100, NOW + 20);
    all_hear();

    for (i = 0; i < NODES; i++) {
        is_int(check(&node[i], GS_TOKEN_REVOKE_SUB, "u", NOW, NOW + 50), 1,
               "node %u: the later word counts", i);
    }
}


/* Random acts, each heard in another order, some twice: all agree. */

static void
test_order(void)
{
    char                    value[8];
    int64_t                 now;
    unsigned                i, k, n, turn, bad, live;
    uint64_t                cursor;
    gs_token_revoke_item_t  is, other;

    bad = 0;
    live = 0;
    srand(42);

    for (turn = 0; turn < 200; turn++) {

        for (i = 0; i < NODES; i++) {
            fresh(&node[i], "0123456789abcdef");
        }

        nsaid = 0;

        for (n = 0; n < 20; n++) {
            now = NOW + rand() % 5;
            (void) snprintf(value, sizeof(value), "v%d", rand() % 4);

            act(&node[rand() % NODES], rand() % 3 == 0,
                rand() % 2 ? GS_TOKEN_REVOKE_SUB : GS_TOKEN_REVOKE_BEFORE,
                value, NOW + 100 + rand() % 100, now);
        }

        /* what differs from what was told is told again, until it ends */

        for (k = 0; k < nsaid && nsaid < LOG - NODES; k++) {
            for (i = 0; i < NODES; i++) {

                n = k;

                if (k < 20 && i != 0) {
                    n = (k * 7 + i) % 20 < nsaid ? (k * 7 + i) % 20 : k;
                }

                (void) gs_token_revoke_merge(&node[i], &said[n], NOW, &is);
            }
        }

        for (i = 0; i < 2 * NODES; i++) {
            cursor = 0;

            while (gs_token_revoke_next(&node[i % NODES], &cursor, SIZE, 1, 0,
                                        NOW, &is)
                   == GS_OK)
            {
                for (k = 0; k < NODES; k++) {
                    (void) gs_token_revoke_merge(&node[k], &is, NOW, &other);
                }
            }
        }

        for (i = 0; i < NODES; i++) {
            cursor = 0;

            while (gs_token_revoke_next(&node[i], &cursor, SIZE, 1, 0, NOW,
                                        &is)
                   == GS_OK)
            {
                live += (unsigned) gs_token_revoke_holds(&is);

                for (k = 0; k < NODES; k++) {
                    bad += (gs_token_revoke_merge(&node[k], &is, NOW, &other)
                            != GS_DECLINED
                            || other.lifted != is.lifted
                            || other.revoked != is.revoked
                            || (gs_token_revoke_holds(&is)
                                && (other.until != is.until
                                    || other.before != is.before)));
                }
            }
        }
    }

    is_int((int64_t) bad, 0, "all nodes agree");
    ok(live > 1000, "on %u revocations", live);
}


static void
test_told(void)
{
    unsigned                n;
    uint64_t                cursor;
    gs_token_revoke_stat_t  stat;
    gs_token_revoke_item_t  item;

    fresh(&node[0], "0123456789abcdef");
    nsaid = 0;

    act(&node[0], 0, GS_TOKEN_REVOKE_SUB, "a", NOW + 100, NOW);
    act(&node[0], 0, GS_TOKEN_REVOKE_SUB, "b", NOW + 100, NOW);

    gs_token_revoke_stat(&node[0], NOW, &stat);
    is_int((int64_t) stat.untold, 2, "nobody was told");

    gs_token_revoke_told(&node[0], &said[0], NOW);
    gs_token_revoke_stat(&node[0], NOW, &stat);
    is_int((int64_t) stat.untold, 1, "one was told");

    cursor = 0;
    is_int(gs_token_revoke_next(&node[0], &cursor, SIZE, 1, 1, NOW, &item),
           GS_OK, "the other one");
    ok(gs_token_revoke_same(&item, &said[1]), "is found");
    is_int(gs_token_revoke_next(&node[0], &cursor, SIZE, 1, 1, NOW, &item),
           GS_DONE, "alone");

    /* an answer to what is no longer so */

    act(&node[0], 0, GS_TOKEN_REVOKE_SUB, "b", NOW + 200, NOW);
    gs_token_revoke_told(&node[0], &said[1], NOW);
    gs_token_revoke_stat(&node[0], NOW, &stat);
    is_int((int64_t) stat.untold, 1, "a change meanwhile is not told");
    gs_token_revoke_told(&node[0], &said[2], NOW);

    gs_token_revoke_forgotten(&node[0]);
    gs_token_revoke_stat(&node[0], NOW, &stat);
    is_int((int64_t) stat.untold, 2, "they forgot everything");

    act(&node[0], 1, GS_TOKEN_REVOKE_SUB, "b", 0, NOW);
    gs_token_revoke_stat(&node[0], NOW, &stat);
    is_int((int64_t) stat.live, 1, "one in force");
    is_int((int64_t) stat.lifted, 1, "one lifted");

    cursor = 0;
    n = 0;

    while (cursor < node[0].hdr->slots) {
        n += (gs_token_revoke_next(&node[0], &cursor, 10, 0, 0, NOW, &item)
              == GS_OK);
    }

    is_int((int64_t) n, 1, "by small steps, without what was lifted");
    cursor = UINT64_MAX;
    is_int(gs_token_revoke_next(&node[0], &cursor, 10, 0, 0, NOW, &item),
           GS_DONE, "behind the end");
}


/* What was lifted goes before a revocation would be refused. */

static void
test_full(void)
{
    char      value[16];
    unsigned  i, in, lost;

    fresh(&node[0], "0123456789abcdef");

    for (i = 0; i < 3000; i++) {
        nsaid = 0;
        (void) snprintf(value, sizeof(value), "l%u", i);
        act(&node[0], 0, GS_TOKEN_REVOKE_JTI, value, NOW + 100000, NOW);
        act(&node[0], 1, GS_TOKEN_REVOKE_JTI, value, 0, NOW);
    }

    in = 0;
    lost = 0;

    for (i = 0; i < 1000; i++) {
        nsaid = 0;
        (void) snprintf(value, sizeof(value), "n%u", i);
        act(&node[0], 0, GS_TOKEN_REVOKE_JTI, value, NOW + 100000, NOW + 10);
        in += nsaid;
    }

    ok(in < 500, "%u of 1000 found room while the places rest", in);

    for (i = 0; i < 1000; i++) {
        nsaid = 0;
        (void) snprintf(value, sizeof(value), "n%u", i);
        act(&node[0], 0, GS_TOKEN_REVOKE_JTI, value, NOW + 100000, NOW + 90);
        lost += !check(&node[0], GS_TOKEN_REVOKE_JTI, value, NOW, NOW + 90);
    }

    is_int((int64_t) lost, 0, "then all");
    nsaid = 0;
}


static void
test_text(void)
{
    char                    line[GS_TOKEN_REVOKE_LINE], *copy;
    size_t                  i, len, taken;
    gs_str_t                s;
    gs_token_revoke_item_t  item, again;

    memset(&item, 0xff, sizeof(item));
    item.kind = GS_TOKEN_REVOKE_BEFORE;
    item.until = GS_TOKEN_REVOKE_NEVER;
    item.before = GS_TOKEN_MAX_TIME;
    item.revoked = 1ull << 62;
    item.lifted = 1ull << 62;

    len = gs_token_revoke_print(&item, line);
    ok(len < GS_TOKEN_REVOKE_LINE, "the longest entry has room: %zu", len);

    s = gs_str_make(line, len);
    is_int(gs_token_revoke_parse(&s, &again), GS_OK, "read again");
    ok(gs_token_revoke_same(&item, &again) && again.kind == item.kind,
       "as it was");

    /* so that the last number has one digit, without which it is none */

    item.lifted = 0;
    len = gs_token_revoke_print(&item, line);

    taken = 0;

    for (i = 0; i < len; i++) {
        copy = malloc(i ? i : 1);
        memcpy(copy, line, i);
        s = gs_str_make(copy, i);
        taken += (gs_token_revoke_parse(&s, &again) == GS_OK);
        free(copy);
    }

    is_int((int64_t) taken, 0, "cut anywhere it is none");
}


static void
test_bad_text(void)
{
    size_t                  i;
    gs_str_t                s;
    gs_token_revoke_item_t  item;

#define HASH  "00112233445566778899aabbccddeeff "

    static const char *const  bad[] = {
        "",
        HASH,
        HASH "jti",
        HASH "jti 1 0 1 ",
        HASH "jti 1 0 1 x",
        HASH "jti 1 0 1 0 ",
        HASH "jti  1 0 1 0",
        HASH "jtis 1 0 1 0",
        HASH "jti -1 0 1 0",
        HASH "jti 1 1 1 0",
        HASH "sub_before 1 0 1 0",
        HASH "jti 253402300800 0 1 0",
        HASH "sub_before 1 253402300800 1 0",
        HASH "jti 1 0 4611686018427387905 0",
        HASH "jti 1 0 0 4611686018427387905",
        HASH "jti 1 0 99999999999999999999 0",
        "00112233445566778899aabbccddeefg jti 1 0 1 0",
        "00112233445566778899aabbccddeef jti 1 0 1 0"
    };

    s = gs_str_text(HASH "jti 1 0 1 0");
    is_int(gs_token_revoke_parse(&s, &item), GS_OK, "an entry");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = gs_str_text(bad[i]);
        is_int(gs_token_revoke_parse(&s, &item), GS_ERROR, "none: \"%s\"",
               bad[i]);
    }
}


/* What nobody honest would say must not do harm. */

static void
test_hostile(void)
{
    char                    line[GS_TOKEN_REVOKE_LINE];
    gs_str_t                s;
    gs_token_revoke_item_t  item, is;

    fresh(&node[0], "0123456789abcdef");
    nsaid = 0;
    act(&node[0], 0, GS_TOKEN_REVOKE_SUB, "u", NOW + 100, NOW);

    item = said[0];
    item.kind = GS_TOKEN_REVOKE_BEFORE;
    item.before = NOW;
    is_int(gs_token_revoke_merge(&node[0], &item, NOW, &is), GS_ERROR,
           "the same hash of another kind");

    item = said[0];
    item.revoked = 1ull << 62;
    (void) gs_token_revoke_merge(&node[0], &item, NOW, &is);
    nsaid = 0;
    act(&node[0], 1, GS_TOKEN_REVOKE_SUB, "u", 0, NOW);
    is_int((int64_t) nsaid, 0, "at the end of time nothing is lifted");
    act(&node[0], 0, GS_TOKEN_REVOKE_SUB, "u", NOW + 200, NOW);
    is_int((int64_t) nsaid, 1, "but revoked");

    s = gs_str_make(line, gs_token_revoke_print(&said[0], line));
    is_int(gs_token_revoke_parse(&s, &item), GS_OK, "and can be read again");
}


/* A node that gets a secret keeps what it revoked without one. */

static void
test_former(void)
{
    char       dump[8192];
    gs_err_t   err;
    gs_str_t   s;

    memset(&err, 0, sizeof(err));
    fresh(&node[0], NULL);
    fresh(&node[1], "0123456789abcdef");
    fresh(&node[2], "fedcba9876543210");

    ok(gs_token_revoke_shared(&node[0], NULL), "a key of its own");
    ok(!gs_token_revoke_shared(&node[1], NULL), "a shared one");
    ok(gs_token_revoke_shared(&node[1], (gs_uchar_t *) "0123456789abcdef"),
       "this one");
    ok(!gs_token_revoke_shared(&node[1], (gs_uchar_t *) "fedcba9876543210"),
       "not another");

    nsaid = 0;
    act(&node[0], 0, GS_TOKEN_REVOKE_SUB, "u", GS_TOKEN_REVOKE_NEVER, NOW);
    s = gs_str_make(dump, gs_token_revoke_dump(&node[0], NOW, dump,
                                               sizeof(dump)));

    is_int(gs_token_revoke_load(&node[1], &s, NOW, &err), GS_OK, "loaded");
    is_int(check(&node[1], GS_TOKEN_REVOKE_SUB, "u", NOW, NOW), 1,
           "still in force");
    act(&node[1], 0, GS_TOKEN_REVOKE_SUB, "v", GS_TOKEN_REVOKE_NEVER, NOW);

    s = gs_str_make(dump, gs_token_revoke_dump(&node[1], NOW, dump,
                                               sizeof(dump)));
    is_int(gs_token_revoke_load(&node[2], &s, NOW, &err), GS_ERROR,
           "a third secret");
    is_str(gs_str_text(err.text), "the state of revocations has entries under "
           "two secrets before this one", "is refused");

    fresh(&node[1], "0123456789abcdef");
    is_int(gs_token_revoke_load(&node[1], &s, NOW, &err), GS_OK,
           "over a restart");
    is_int(check(&node[1], GS_TOKEN_REVOKE_SUB, "u", NOW, NOW), 1,
           "the former one");
    is_int(check(&node[1], GS_TOKEN_REVOKE_SUB, "v", NOW, NOW), 1,
           "and the new one");

    act(&node[1], 0, GS_TOKEN_REVOKE_SUB, "u", GS_TOKEN_REVOKE_NEVER, NOW);
    nsaid = 0;
    act(&node[1], 1, GS_TOKEN_REVOKE_SUB, "u", 0, NOW);
    is_int((int64_t) nsaid, 2, "lifted under both");
    is_int(check(&node[1], GS_TOKEN_REVOKE_SUB, "u", NOW, NOW), 0,
           "good again");
}
