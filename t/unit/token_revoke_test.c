
/*
 * Copyright (C) govsvc authors
 *
 * Revocations: each kind, expiry, a full table, the text of the state with
 * every byte damaged, and processes that write at once or are killed.
 */


#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "token/gs_token_revoke_priv.h"


#define NOW   1700000000
#define SIZE  (256 * 1024)
#define ISS   "https://sso.gov.example"


static void fresh(size_t size);
static int alive(uint32_t pid);
static gs_rc_t take_back(gs_token_revoke_e kind, const char *iss,
    const char *value, int64_t until);
static gs_rc_t add(const gs_token_revocation_t *rev, int64_t now);
static gs_rc_t lift(const gs_token_revocation_t *rev);
static int check(const char *iss, const char *kind, const char *value,
    int64_t iat, int64_t now);
static void test_layout(void);
static void test_kinds(void);
static void test_before(void);
static void test_bad(void);
static void test_expiry(void);
static void test_lift(void);
static void test_full(void);
static void test_state(void);
static void test_damage(void);
static void test_small(void);
static void test_processes(void);
static void test_killed(void);


static char               *memory;
static gs_token_revoke_t   table;
static gs_uchar_t          random_key[24] = "0123456789abcdefABCDEFG";


int
main(void)
{
    memory = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                  -1, 0);

    test_layout();
    test_kinds();
    test_before();
    test_bad();
    test_expiry();
    test_lift();
    test_full();
    test_state();
    test_damage();
    test_small();
    test_processes();
    test_killed();

    (void) munmap(memory, SIZE);

    return done_testing();
}


static void
fresh(size_t size)
{
    memset(memory, 0, SIZE);

    (void) gs_token_revoke_create(&table, memory, size, random_key);

    table.pid = (uint32_t) getpid();
    table.alive = alive;
}


static int
alive(uint32_t pid)
{
    return kill((pid_t) pid, 0) == 0 || errno != ESRCH;
}


static gs_rc_t
take_back(gs_token_revoke_e kind, const char *iss, const char *value,
    int64_t until)
{
    gs_token_revocation_t  rev;

    memset(&rev, 0, sizeof(rev));
    rev.kind = kind;
    rev.iss = gs_str_text(iss);
    rev.value = gs_str_text(value);
    rev.until = until;
    rev.before = NOW;

    return add(&rev, NOW);
}


static gs_rc_t
add(const gs_token_revocation_t *rev, int64_t now)
{
    return gs_token_revoke_add(&table, rev, now, NULL, NULL);
}


static gs_rc_t
lift(const gs_token_revocation_t *rev)
{
    return gs_token_revoke_lift(&table, rev, NOW, NULL, NULL);
}


/* kind is a letter: j, s (sid), u (sub), a (actor), k */

static int
check(const char *iss, const char *kind, const char *value, int64_t iat,
    int64_t now)
{
    gs_token_revoke_subject_t  s;

    memset(&s, 0, sizeof(s));
    s.iss = gs_str_text(iss);
    s.jti = gs_str_text(kind[0] == 'j' ? value : "");
    s.sid = gs_str_text(kind[0] == 's' ? value : "");
    s.sub = gs_str_text(kind[0] == 'u' ? value : "");
    s.actor = gs_str_text(kind[0] == 'a' ? value : "");
    s.kid = gs_str_text(kind[0] == 'k' ? value : "");
    s.iat = iat;

    return gs_token_revoke_check(&table, &s, now);
}


static void
test_layout(void)
{
    gs_token_revoke_t  other;

    memset(memory, 0, SIZE);
    is_int(gs_token_revoke_create(&other, memory, GS_TOKEN_REVOKE_MIN - 1,
           random_key), GS_ERROR, "too small");
    is_int(gs_token_revoke_attach(&other, memory, SIZE), GS_ERROR,
           "nothing to attach to");

    fresh(SIZE);
    is_int(gs_token_revoke_attach(&other, memory, SIZE), GS_OK, "attached");
    ok(other.entries == table.entries, "the same view");
    is_int(gs_token_revoke_attach(&other, memory, SIZE - 1), GS_ERROR,
           "less memory than it says");
    ok((char *) table.entries + table.hdr->slots * 64 <= memory + SIZE,
       "within its memory");

    table.hdr->version++;
    is_int(gs_token_revoke_attach(&other, memory, SIZE), GS_ERROR,
           "another version");
}


static void
test_kinds(void)
{
    size_t    i, n;
    uint64_t  epoch, seen;

    static const struct {
        gs_token_revoke_e   kind;
        const char         *letter;
    } kinds[] = {
        { GS_TOKEN_REVOKE_JTI, "j" },
        { GS_TOKEN_REVOKE_SID, "s" },
        { GS_TOKEN_REVOKE_SUB, "u" },
        { GS_TOKEN_REVOKE_KID, "k" }
    };

    fresh(SIZE);
    epoch = gs_token_revoke_epoch(&table);
    ok(epoch != 0, "an epoch");

    for (i = 0; i < 4; i++) {
        is_int(check(ISS, kinds[i].letter, "x", NOW, NOW), 0, "%s: not yet",
               gs_token_revoke_names[kinds[i].kind]);
        is_int(take_back(kinds[i].kind, ISS, "x", NOW + 100), GS_OK, "revoked");

        for (n = 0; n < 4; n++) {
            is_int(check(ISS, kinds[n].letter, "x", NOW, NOW), n <= i,
                   "%s by %s", gs_token_revoke_names[kinds[n].kind],
                   gs_token_revoke_names[kinds[i].kind]);
        }

        is_int(check("https://else.example", kinds[i].letter, "x", NOW, NOW),
               0, "not of another issuer");
        is_int(check(ISS, kinds[i].letter, "xx", NOW, NOW), 0,
               "not another value");

        seen = epoch;
        epoch = gs_token_revoke_epoch(&table);
        ok(epoch != seen, "another epoch");
    }

    is_int(check(ISS, "a", "x", NOW, NOW), 1, "who acts is a sub as well");
    is_int(check(ISS, "j", "", NOW, NOW), 0, "nothing said, nothing revoked");
    is_str(gs_str_text(gs_token_revoke_names[GS_TOKEN_REVOKE_BEFORE]),
           "sub_before", "name");
    ok(gs_token_revoke_names[GS_TOKEN_REVOKE_KINDS] == NULL, "the list ends");

    table.hdr->epoch = 0;
    ok(gs_token_revoke_epoch(&table) != 0, "an epoch is never 0");
}


static void
test_before(void)
{
    gs_token_revocation_t  rev;

    fresh(SIZE);
    is_int(take_back(GS_TOKEN_REVOKE_BEFORE, ISS, "u", NOW + 100), GS_OK,
           "all before now");
    is_int(check(ISS, "u", "u", NOW - 1, NOW), 1, "issued before");
    is_int(check(ISS, "u", "u", NOW, NOW), 0, "issued at that time");
    is_int(check(ISS, "u", "u", 0, NOW), 1, "issued nobody knows when");
    is_int(check(ISS, "u", "v", NOW - 1, NOW), 0, "another sub");
    is_int(check(ISS, "a", "u", NOW - 1, NOW), 1, "as one who acts");

    memset(&rev, 0, sizeof(rev));
    rev.kind = GS_TOKEN_REVOKE_BEFORE;
    rev.iss = gs_str_text(ISS);
    rev.value = gs_str_text("u");
    rev.until = NOW + 50;
    rev.before = NOW + 20;
    is_int(add(&rev, NOW), GS_OK, "a later time");
    is_int(check(ISS, "u", "u", NOW + 10, NOW), 1, "counts");
    is_int(check(ISS, "u", "u", NOW + 10, NOW + 60), 1, "its end only grows");

    rev.before = NOW - 1000;
    rev.until = NOW + 200;
    is_int(add(&rev, NOW), GS_OK, "an earlier time");
    is_int(check(ISS, "u", "u", NOW + 10, NOW), 1, "takes nothing back");
    is_int(check(ISS, "u", "u", NOW + 10, NOW + 150), 1,
           "though the end is later");
}


static void
test_bad(void)
{
    char                   big[GS_TOKEN_REVOKE_VALUE + 2];
    gs_token_revocation_t  rev;

    fresh(SIZE);
    is_int(take_back(GS_TOKEN_REVOKE_JTI, ISS, "", NOW + 1), GS_ERROR, "empty");
    is_int(take_back(GS_TOKEN_REVOKE_JTI, ISS, "x", NOW), GS_ERROR, "dead");
    is_int(take_back(GS_TOKEN_REVOKE_JTI, ISS, "x", GS_TOKEN_REVOKE_NEVER + 1),
           GS_ERROR, "after the year 9999");

    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    is_int(take_back(GS_TOKEN_REVOKE_JTI, ISS, big, NOW + 1), GS_ERROR,
           "too long");
    is_int(check(ISS, "j", big, NOW, NOW), 0, "nor looked for");
    is_int(take_back(GS_TOKEN_REVOKE_JTI, ISS, big + 1, NOW + 1), GS_OK,
           "just not too long");
    is_int(check(ISS, "j", big + 1, NOW, NOW), 1, "revoked");

    memset(&rev, 0, sizeof(rev));
    rev.kind = GS_TOKEN_REVOKE_BEFORE;
    rev.iss = gs_str_text(ISS);
    rev.value = gs_str_text("u");
    rev.until = NOW + 1;
    is_int(add(&rev, NOW), GS_ERROR, "before 0");
    rev.before = GS_TOKEN_MAX_TIME + 1;
    is_int(add(&rev, NOW), GS_ERROR, "before never");
}


static void
test_expiry(void)
{
    gs_token_revoke_stat_t  stat;

    fresh(SIZE);
    (void) take_back(GS_TOKEN_REVOKE_JTI, ISS, "x", NOW + 100);
    is_int(check(ISS, "j", "x", NOW, NOW + 99), 1, "in force");
    is_int(check(ISS, "j", "x", NOW, NOW + 100), 0, "over");

    gs_token_revoke_stat(&table, NOW, &stat);
    is_int((int64_t) stat.live, 1, "one alive");
    gs_token_revoke_stat(&table, NOW + 100, &stat);
    is_int((int64_t) stat.live, 0, "none");

    (void) take_back(GS_TOKEN_REVOKE_JTI, ISS, "x", NOW + 200);
    is_int(check(ISS, "j", "x", NOW, NOW + 150), 1, "extended");
    (void) take_back(GS_TOKEN_REVOKE_JTI, ISS, "x", NOW + 50);
    is_int(check(ISS, "j", "x", NOW, NOW + 150), 1, "never shortened");

    gs_token_revoke_stat(&table, NOW, &stat);
    is_int((int64_t) stat.live, 1, "still one entry");
}


static void
test_lift(void)
{
    uint64_t               epoch;
    gs_token_revocation_t  rev;

    fresh(SIZE);
    memset(&rev, 0, sizeof(rev));
    rev.kind = GS_TOKEN_REVOKE_SUB;
    rev.iss = gs_str_text(ISS);
    rev.value = gs_str_text("u");

    is_int(lift(&rev), GS_DECLINED, "none");
    (void) take_back(GS_TOKEN_REVOKE_SUB, ISS, "u", GS_TOKEN_REVOKE_NEVER);
    is_int(check(ISS, "u", "u", NOW, NOW + 1000000), 1, "revoked for good");

    epoch = gs_token_revoke_epoch(&table);
    is_int(lift(&rev), GS_OK, "lifted");
    ok(gs_token_revoke_epoch(&table) != epoch, "another epoch");
    is_int(check(ISS, "u", "u", NOW, NOW), 0, "good again");
    is_int(lift(&rev), GS_DECLINED, "once");

    (void) take_back(GS_TOKEN_REVOKE_SUB, ISS, "u", NOW + 100);
    is_int(check(ISS, "u", "u", NOW, NOW), 1, "revoked again");

    rev.value.len = 0;
    is_int(lift(&rev), GS_ERROR, "empty");
}


/* A full table says so and forgets nobody. */

static void
test_full(void)
{
    int                      i, added, refused, lost;
    char                     text[32];
    gs_token_revoke_stat_t   stat;
    gs_token_revocation_t    rev;

    fresh(GS_TOKEN_REVOKE_MIN);
    added = 0;

    for (i = 0; i < 4000; i++) {
        (void) snprintf(text, sizeof(text), "n%d", i);

        if (take_back(GS_TOKEN_REVOKE_JTI, ISS, text, NOW + 100) != GS_OK) {
            break;
        }

        added++;
    }

    refused = 0;

    for ( /* void */ ; i < 4000; i++) {
        (void) snprintf(text, sizeof(text), "n%d", i);
        refused += (take_back(GS_TOKEN_REVOKE_JTI, ISS, text, NOW + 100)
                    == GS_BUSY);
    }

    ok(added * 10 > (int) table.hdr->slots * 6,
       "%d of %d places taken before the first refusal", added,
       (int) table.hdr->slots);

    gs_token_revoke_stat(&table, NOW, &stat);
    is_int((int64_t) stat.full, refused + 1, "%d refused, and counted",
           refused);
    is_int((int64_t) stat.live, 4000 - refused, "all others are there");

    lost = 0;

    for (i = 0; i < added; i++) {
        (void) snprintf(text, sizeof(text), "n%d", i);
        lost += !check(ISS, "j", text, NOW, NOW);
    }

    is_int(lost, 0, "none forgotten");

    /* places of dead entries are used again, but not at once */

    memset(&rev, 0, sizeof(rev));
    rev.kind = GS_TOKEN_REVOKE_JTI;
    rev.iss = gs_str_text(ISS);
    rev.until = NOW + 1000;
    refused = 0;

    for (i = 0; i < 2000; i++) {
        (void) snprintf(text, sizeof(text), "m%d", i);
        rev.value = gs_str_text(text);
        refused += (add(&rev, NOW + 110) == GS_BUSY);
    }

    ok(refused > 900, "%d refused while the places rest", refused);

    added = 0;

    for (i = 0; i < 600; i++) {
        (void) snprintf(text, sizeof(text), "o%d", i);
        rev.value = gs_str_text(text);
        added += (add(&rev, NOW + 160) == GS_OK);
    }

    is_int(added, 600, "and all taken afterwards");
}


static void
test_state(void)
{
    int        i, lost;
    char       text[32];
    void      *dump;
    size_t     len, size;
    gs_err_t   err;
    gs_str_t   s;

    fresh(SIZE);
    memset(&err, 0, sizeof(err));

    for (i = 0; i < 1000; i++) {
        (void) snprintf(text, sizeof(text), "n%d", i);
        (void) take_back(GS_TOKEN_REVOKE_JTI, ISS, text, NOW + 100 + i);
    }

    (void) take_back(GS_TOKEN_REVOKE_BEFORE, ISS, "u", GS_TOKEN_REVOKE_NEVER);

    size = gs_token_revoke_dump_size(&table, NOW);
    dump = malloc(size);
    len = gs_token_revoke_dump(&table, NOW, dump, size);
    ok(len != 0 && len <= size, "%zu bytes of %zu", len, size);
    is_int((int64_t) gs_token_revoke_dump(&table, NOW, dump, len - 1), 0,
           "too little room");
    is_int((int64_t) gs_token_revoke_dump(&table, NOW, dump, 10), 0,
           "next to none");
    len = gs_token_revoke_dump(&table, NOW, dump, size);

    /* into a table of another size and with another key */

    random_key[0]++;
    fresh(SIZE / 2);
    random_key[0]--;

    s = gs_str_make(dump, len);
    is_int(gs_token_revoke_load(&table, &s, NOW + 200, &err), GS_OK,
           "loaded: %s", err.text);

    lost = 0;

    for (i = 0; i < 1000; i++) {
        (void) snprintf(text, sizeof(text), "n%d", i);
        lost += (check(ISS, "j", text, NOW, NOW + 200) != (i > 100));
    }

    is_int(lost, 0, "those alive and no others");
    is_int(check(ISS, "u", "u", NOW - 1, NOW), 1, "with their times");
    is_int(check(ISS, "u", "u", NOW, NOW), 0, "exactly");
    ok(memmem(dump, len, "n5", 2) == NULL && memmem(dump, len, ISS, 10)
       == NULL, "no value can be read from it");

    fresh(SIZE);
    s.len = gs_token_revoke_dump(&table, NOW, dump, size);
    is_int(gs_token_revoke_load(&table, &s, NOW, NULL), GS_OK, "of none");
    is_int(check(ISS, "j", "n500", NOW, NOW), 0, "there are none");

    free(dump);
}


static void
test_damage(void)
{
    char      *dump, *copy;
    size_t     i, len, bad;
    gs_err_t   err;
    gs_str_t   s;

    fresh(SIZE);
    (void) take_back(GS_TOKEN_REVOKE_JTI, ISS, "x", NOW + 100);
    (void) take_back(GS_TOKEN_REVOKE_JTI, ISS, "y", NOW + 100);

    len = gs_token_revoke_dump_size(&table, NOW);
    dump = malloc(len);
    len = gs_token_revoke_dump(&table, NOW, dump, len);

    bad = 0;

    for (i = 0; i < len; i++) {

        /* from memory of exactly its size, so that ASan sees a byte too far */

        copy = malloc(len);
        memcpy(copy, dump, len);
        copy[i] ^= 1;
        fresh(SIZE);
        memset(&err, 0, sizeof(err));

        s = gs_str_make(copy, len);
        bad += (gs_token_revoke_load(&table, &s, NOW, &err) == GS_ERROR
                && err.line >= 1 && err.line <= 5);
        free(copy);
    }

    is_int((int64_t) bad, (int64_t) len, "every byte changed is seen");

    bad = 0;

    for (i = 0; i < len; i++) {
        copy = malloc(i ? i : 1);
        memcpy(copy, dump, i);
        fresh(SIZE);

        s = gs_str_make(copy, i);
        bad += (gs_token_revoke_load(&table, &s, NOW, NULL) == GS_ERROR);
        free(copy);
    }

    is_int((int64_t) bad, (int64_t) len, "cut anywhere is seen");

    copy = malloc(len + 1);
    memcpy(copy, dump, len);
    copy[len] = '\n';
    fresh(SIZE);
    s = gs_str_make(copy, len + 1);
    is_int(gs_token_revoke_load(&table, &s, NOW, &err), GS_ERROR,
           "something behind: %s", err.text);
    free(copy);
    free(dump);
}


static void
test_small(void)
{
    int        i;
    char       text[32], *dump;
    size_t     len;
    gs_err_t   err;
    gs_str_t   s;

    fresh(SIZE);

    for (i = 0; i < 2000; i++) {
        (void) snprintf(text, sizeof(text), "n%d", i);
        (void) take_back(GS_TOKEN_REVOKE_JTI, ISS, text, NOW + 100);
    }

    len = gs_token_revoke_dump_size(&table, NOW);
    dump = malloc(len);
    len = gs_token_revoke_dump(&table, NOW, dump, len);

    fresh(GS_TOKEN_REVOKE_MIN);
    memset(&err, 0, sizeof(err));
    s = gs_str_make(dump, len);
    is_int(gs_token_revoke_load(&table, &s, NOW, &err), GS_ERROR,
           "a table that is too small");
    is_str(gs_str_text(err.text), "the state of revocations is damaged: the "
           "zone is too small for it", "is said to be");

    free(dump);
}


/* All write the same and other entries at once; nothing is lost. */

static void
test_processes(void)
{
    int     i, n, lost, status;
    char    text[32];
    pid_t   pid[4];

    fresh(SIZE);

    for (n = 0; n < 4; n++) {
        pid[n] = fork();

        if (pid[n] == 0) {
            table.pid = (uint32_t) getpid();

            for (i = 0; i < 400; i++) {
                (void) snprintf(text, sizeof(text), "%d-%d", n, i);
                (void) take_back(GS_TOKEN_REVOKE_JTI, ISS, text, NOW + 100);
                (void) snprintf(text, sizeof(text), "all-%d", i);
                (void) take_back(GS_TOKEN_REVOKE_SID, ISS, text, NOW + 100);
            }

            _exit(0);
        }
    }

    for (n = 0; n < 4; n++) {
        (void) waitpid(pid[n], &status, 0);
    }

    lost = 0;

    for (i = 0; i < 400; i++) {
        for (n = 0; n < 4; n++) {
            (void) snprintf(text, sizeof(text), "%d-%d", n, i);
            lost += !check(ISS, "j", text, NOW, NOW);
        }

        (void) snprintf(text, sizeof(text), "all-%d", i);
        lost += !check(ISS, "s", text, NOW, NOW);
    }

    is_int(lost, 0, "four processes, nothing lost");
}


/* A process dies with a place in its hands: another takes it. */

static void
test_killed(void)
{
    int                       i, status;
    char                      text[32];
    pid_t                     pid;
    uint64_t                  slots;
    gs_token_revoke_entry_t  *e;

    fresh(GS_TOKEN_REVOKE_MIN);
    slots = table.hdr->slots;
    e = table.entries;

    pid = fork();

    if (pid == 0) {
        for (i = 0; i < (int) slots; i++) {
            e[i].owner = (uint64_t) getpid();
        }

        _exit(0);
    }

    /* not yet waited for: a zombie still counts as alive */

    while (e[slots - 1].owner == 0) {
        (void) usleep(1000);
    }

    is_int(take_back(GS_TOKEN_REVOKE_JTI, ISS, "x", NOW + 100), GS_BUSY,
           "all places in other hands");

    (void) waitpid(pid, &status, 0);

    for (i = 0; i < 500; i++) {
        (void) snprintf(text, sizeof(text), "n%d", i);

        if (take_back(GS_TOKEN_REVOKE_JTI, ISS, text, NOW + 100) != GS_OK
            || !check(ISS, "j", text, NOW, NOW))
        {
            break;
        }
    }

    is_int(i, 500, "places of the dead are taken");

    /* killed at any instruction */

    fresh(SIZE);

    for (i = 0; i < 30; i++) {
        pid = fork();

        if (pid == 0) {
            table.pid = (uint32_t) getpid();

            for ( ;; ) {
                (void) snprintf(text, sizeof(text), "k%d", rand() % 1000);
                (void) take_back(GS_TOKEN_REVOKE_JTI, ISS, text, NOW + 100);
            }
        }

        (void) usleep(1000);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);
    }

    for (i = 0; i < 1000; i++) {
        (void) snprintf(text, sizeof(text), "k%d", i);

        if (take_back(GS_TOKEN_REVOKE_JTI, ISS, text, NOW + 100) != GS_OK
            || !check(ISS, "j", text, NOW, NOW))
        {
            break;
        }
    }

    is_int(i, 1000, "30 processes killed, the table works");
}
