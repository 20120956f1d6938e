
/*
 * Copyright (C) govsvc authors
 *
 * The cache of verdicts: hits checked anew, bad verdicts apart, processes in
 * a race, a writer killed in the middle.
 */


#include "token_cache_fixture.h"


#define WORKERS  4
#define ROUNDS   4000


static void test_layout(void);
static void test_hit(void);
static void test_recheck(void);
static void test_keys(gs_str_t t);
static void test_bad(void);
static void test_large(void);
static gs_str_t large(size_t len);
static void fill(char *p, size_t len);
static int is_large(size_t len);
static void test_array(void);
static void test_parts(void);
static void test_beside(void);
static void test_evict(void);
static void test_torn(void);
static void test_processes(void);
static void worker(unsigned seed);
static gs_str_t long_of(int n);
static void test_killed(void);
static void forget_good(void);


int
main(void)
{
    sign_init();
    setup();

    test_layout();
    test_hit();
    test_recheck();
    test_bad();
    test_large();
    test_evict();
    test_torn();
    test_processes();
    test_killed();

    done();

    return done_testing();
}


static void
test_layout(void)
{
    gs_token_cache_t  other;

    memset(memory, 0, SIZE);

    is_int(gs_token_cache_create(&cache, memory, GS_TOKEN_CACHE_MIN - 1, 0,
           random_key), GS_ERROR, "too small");
    is_int(gs_token_cache_attach(&other, memory, SIZE), GS_ERROR,
           "nothing to attach to");

    fresh(SIZE);
    is_int(gs_token_cache_attach(&other, memory, SIZE), GS_OK, "attached");
    ok(other.good == cache.good && other.bad == cache.bad
       && other.tags == cache.tags, "the same view");
    is_int(gs_token_cache_attach(&other, memory, SIZE - 1), GS_ERROR,
           "less memory than it says");
    ok((char *) cache.bad + cache.hdr->bad_sets * 256
       <= (char *) memory + SIZE, "within its memory");

    cache.hdr->version++;
    is_int(gs_token_cache_attach(&other, memory, SIZE), GS_ERROR,
           "another version");
}


static void
test_hit(void)
{
    gs_str_t          t, name;
    gs_token_claim_t  c;

    fresh(SIZE);
    t = token_of(1);

    is_int(check(t, NOW), GS_TOKEN_OK, "first seen");
    is_int(verdict.cached, 0, "checked");
    is_int((int64_t) stat_now.misses, 1, "a miss");
    is_int((int64_t) stat_now.stores, 1, "a store");

    memset(&verdict, 0, sizeof(verdict));

    is_int(check(t, NOW), GS_TOKEN_OK, "again");
    is_int(verdict.cached, 1, "from the cache");
    is_int(verdict.exp, EXP, "its exp");
    is_int((int64_t) stat_now.hits, 1, "a hit");

    name = gs_str_text("sub");
    is_int(gs_token_claim_find(&verdict.claims, &name, &c), GS_OK, "claims");
    is_str(c.value, "u1", "sub");

    is_int(cached(NULL, &policy, t, NOW),
           GS_TOKEN_OK, "without a cache");
    is_int(verdict.cached, 0, "checked");
}


static void
test_recheck(void)
{
    gs_str_t           t;
    gs_token_issuer_t  other;
    gs_token_policy_t  p;

    fresh(SIZE);
    t = token_of(1);
    (void) check(t, NOW);

    is_int(check(t, EXP + 29), GS_TOKEN_OK, "within leeway");
    is_int(verdict.cached, 1, "a hit");
    is_int(check(t, EXP + 30), GS_TOKEN_EXPIRED, "expired");
    is_int(verdict.cached, 1, "a hit as well");

    t = sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}",
                   "{\"nbf\":1700000010,\"exp\":1700003600}");
    is_int(check(t, NOW), GS_TOKEN_OK, "nbf within leeway");
    is_int(check(t, NOW - 100), GS_TOKEN_NOT_YET_VALID, "the clock goes back");
    is_int(verdict.cached, 1, "found, and refused");

    /* another policy must never see this verdict */

    t = token_of(1);
    p = policy;
    other = issuer;
    list[0] = &other;
    other.iss = gs_str_text("else");
    (void) gs_token_issuer_seal(&other, gs_token_verifier_crypto(v));
    (void) gs_token_policy_seal(&p, gs_token_verifier_crypto(v));

    is_int(cached(&cache, &p, t, NOW),
           GS_TOKEN_BAD_ISSUER, "another policy");
    list[0] = &issuer;

    test_keys(t);
}


/* A verdict counts while its key is there, and no longer. */

static void
test_keys(gs_str_t t)
{
    char              text[16400];
    gs_str_t          s;
    gs_token_keys_t  *keys;

    keys = issuer.keys;

    (void) check(t, NOW);
    is_int(check(t, NOW), GS_TOKEN_OK, "as before");
    is_int(verdict.cached, 1, "from the cache");

    /* another set with the key in it */

    (void) snprintf(text, sizeof(text), "%s ", sign_jwks);
    s = gs_str_text(text);
    issuer.keys = gs_token_keys_load(&gs_mem_libc, &s, NULL);

    ok(issuer.keys->generation != keys->generation, "other keys");
    is_int(check(t, NOW), GS_TOKEN_OK, "the key is still there");
    is_int(verdict.cached, 1, "and so is the verdict");
    gs_token_keys_destroy(issuer.keys);

    /* its number changes with its name */

    (void) memcpy(strstr(text, "\"es\""), "\"xs\"", 4);
    issuer.keys = gs_token_keys_load(&gs_mem_libc, &s, NULL);

    is_int(check(t, NOW), GS_TOKEN_OK, "the key under another name");
    is_int(verdict.cached, 0, "is another key");
    gs_token_keys_destroy(issuer.keys);

    issuer.keys = NULL;
    is_int(check(t, NOW), GS_TOKEN_NO_KEYS, "no keys at all");

    issuer.keys = keys;
    is_int(check(t, NOW), GS_TOKEN_OK, "the first keys again");
    is_int(verdict.cached, 1, "whose verdict was not lost");
}


static void
test_bad(void)
{
    int       i, seen;
    char      text[4096], number[16];
    gs_str_t  t, bad;

    fresh(SIZE);
    t = token_of(1);
    (void) check(t, NOW);

    memcpy(text, t.data, t.len);
    text[t.len - 40] = text[t.len - 40] == 'A' ? 'B' : 'A';
    t = gs_str_make(text, t.len);

    is_int(check(t, NOW), GS_TOKEN_BAD_SIGNATURE, "bad");
    is_int(verdict.cached, 0, "checked");
    is_int(check(t, NOW + 9), GS_TOKEN_BAD_SIGNATURE, "bad again");
    is_int(verdict.cached, 1, "from the cache");
    is_int((int64_t) stat_now.bad_hits, 1, "a bad hit");
    is_int(check(t, NOW + 10), GS_TOKEN_BAD_SIGNATURE, "ten seconds later");
    is_int(verdict.cached, 0, "checked anew");

    is_int(check(gs_str_text("a.b.c"), NOW), GS_TOKEN_BAD_BASE64, "junk");
    is_int(check(gs_str_text("a.b.c"), NOW), GS_TOKEN_BAD_BASE64, "again");
    is_int(verdict.cached, 0, "is not worth a slot");

    seen = 0;
    bad = t;

    for (i = 0; i < 3000; i++) {
        (void) snprintf(number, sizeof(number), "%04d", i);
        memcpy(text + t.len - 20, number, 4);
        seen += (check(bad, NOW) == GS_TOKEN_BAD_SIGNATURE);
    }

    is_int(seen, 3000, "3000 bad ones");
    is_int((int64_t) stat_now.evictions, 0, "drive no good one out");
    is_int((int64_t) stat_now.stores, 3003, "each was kept");
}


static void
test_large(void)
{
    size_t     i;
    gs_str_t   t;

    static const size_t  sizes[] = {
        860, 872, 873, 1768, 1769, 2664, 5000, 6000
    };

    fresh(SIZE);

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        t = large(sizes[i]);

        is_int(check(t, NOW), GS_TOKEN_OK, "%d bytes", (int) sizes[i]);
        is_int(verdict.cached, 0, "checked");
        memset(&verdict, 0, sizeof(verdict));

        is_int(check(t, NOW), GS_TOKEN_OK, "again");
        is_int(verdict.cached, 1, "from the cache");
        ok(is_large(sizes[i]), "whole");
    }

    is_int((int64_t) stat_now.too_large, 0, "all were kept");

    test_array();
    test_parts();
    test_beside();
}


/* A token of that many bytes in a claim, each told from its neighbors. */

static gs_str_t
large(size_t len)
{
    size_t        i;
    static char   text[8192];

    i = (size_t) sprintf(text, "{\"exp\":1700003600,\"x\":\"");
    fill(text + i, len);
    strcpy(text + i + len, "\"}");

    return sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}", text);
}


static void
fill(char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        p[i] = (char) ('a' + (i * 7 + i / 896) % 26);
    }
}


static int
is_large(size_t len)
{
    gs_str_t          name;
    static char       text[8192];
    gs_token_claim_t  c;

    name = gs_str_text("x");
    fill(text, len);

    return gs_token_claim_find(&verdict.claims, &name, &c) == GS_OK
           && c.value.len == len && memcmp(c.value.data, text, len) == 0;
}


/* Values of one byte take most room for their names. */

static void
test_array(void)
{
    int          i, n;
    gs_str_t     t;
    static char  text[8192];

    n = sprintf(text, "{\"exp\":1700003600,\"%0100d\":[1", 0);

    for (i = 0; i < 120; i++) {
        n += sprintf(text + n, ",1");
    }

    (void) sprintf(text + n, "]}");
    t = sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}", text);

    (void) check(t, NOW);
    is_int(check(t, NOW), GS_TOKEN_OK, "claims larger than a set");
    is_int(verdict.cached, 0, "are checked each time");
    is_int((int64_t) stat_now.too_large, 2, "and counted");
}


/* Of a verdict in four slots each must be there, untouched and in its turn. */

static void
test_parts(void)
{
    size_t                  i, n;
    uint64_t                tag;
    gs_str_t                t;
    uint64_t               *tags;
    gs_token_cache_good_t   save;
    gs_token_cache_good_t  *slot;

    fresh(SIZE);
    t = large(3000);
    (void) check(t, NOW);

    slot = cache.good;
    tags = cache.tags;
    tag = 0;
    n = 0;

    for (i = 0; i < cache.hdr->good_sets * GS_TOKEN_CACHE_WAYS; i++, slot++) {

        if (slot->word == 0) {
            continue;
        }

        n++;
        is_int((check(t, NOW), verdict.cached), 1, "slot %d: there",
               (int) slot->part);

        save = *slot;
        slot->word |= 77;
        cache.alive = NULL;
        is_int((check(t, NOW), verdict.cached), 0, "being written");
        fresh(SIZE);
        (void) check(t, NOW);

        slot->digest[31] ^= 1;
        is_int((check(t, NOW), verdict.cached), 0, "of another token");
        fresh(SIZE);
        (void) check(t, NOW);

        slot->part++;
        is_int((check(t, NOW), verdict.cached), 0, "another part");
        fresh(SIZE);
        (void) check(t, NOW);

        if (slot->part == 0) {
            slot->more[1] = 200;
            is_int((check(t, NOW), verdict.cached), 0, "outside of the set");
            fresh(SIZE);
            (void) check(t, NOW);
        }

        ok(memcmp(slot->claims, save.claims, 300) == 0, "the same place");
    }

    is_int((int64_t) n, 4, "four slots");

    /* a part is not taken for a verdict of its own */

    slot = cache.good;

    for (i = 0; i < cache.hdr->good_sets * GS_TOKEN_CACHE_WAYS; i++) {
        tag |= tags[i];
    }

    for (i = 0; i < cache.hdr->good_sets * GS_TOKEN_CACHE_WAYS; i++) {
        tags[i] = (slot[i].word != 0 && slot[i].part == 2) ? tag : 0;
    }

    is_int((check(t, NOW), verdict.cached), 0, "a part alone is no verdict");
}


/* Small ones take over slots of a large one, and the other way round. */

static void
test_beside(void)
{
    int       i, n, wrong;
    size_t    size[40];
    gs_str_t  t, token[40];

    /* more slots than there are, wherever they fall */

    for (i = 0; i < 40; i++) {
        size[i] = (i % 2 == 0) ? 1000 + (size_t) (i % 20) * 250 : 0;
        t = size[i] != 0 ? large(size[i]) : token_of(i);
        token[i] = gs_str_dup(&gs_mem_libc, &t);
    }

    fresh(GS_TOKEN_CACHE_MIN);
    wrong = 0;

    for (i = 0; i < 2000; i++) {
        n = i / 2 % 40;
        wrong += (check(token[n], NOW + i) != GS_TOKEN_OK);
        wrong += (size[n] != 0 && !is_large(size[n]));
    }

    for (i = 0; i < 40; i++) {
        gs_free(&gs_mem_libc, (void *) (uintptr_t) token[i].data);
    }

    is_int(wrong, 0, "large and small in turn");
    ok(stat_now.hits > 0 && stat_now.evictions > 0, "hits %d, evictions %d",
       (int) stat_now.hits, (int) stat_now.evictions);
}


static void
test_evict(void)
{
    int       i, hits;
    char      copy[4096];
    gs_str_t  hot;

    fresh(GS_TOKEN_CACHE_MIN);

    hot = token_of(0);
    memcpy(copy, hot.data, hot.len);
    hot = gs_str_make(copy, hot.len);
    (void) check(hot, NOW);

    hits = 0;

    for (i = 1; i < 300; i++) {
        (void) check(token_of(i), NOW + i);
        (void) check(hot, NOW + i);
        hits += verdict.cached;
    }

    is_int(hits, 299, "the one in use stays");
    ok(stat_now.evictions > 200, "others go: %d",
       (int) stat_now.evictions);

    fresh(GS_TOKEN_CACHE_MIN);

    for (i = 1; i < 100; i++) {
        (void) check(token_of(i), NOW);
    }

    memset(&cache.hdr->stat, 0, sizeof(gs_token_cache_stat_t));

    for (i = 0; i < (int) cache.hdr->good_sets * GS_TOKEN_CACHE_WAYS; i++) {
        gs_token_cache_good_t *slot = cache.good;

        slot[i].exp = NOW - 100;
    }

    /* no more than a set has, for they may all fall into one */

    for (i = 100; i < 100 + GS_TOKEN_CACHE_WAYS; i++) {
        (void) check(token_of(i), NOW);
    }

    is_int((int64_t) stat_now.evictions, 0, "expired ones go first");
}


/* A reader never believes a slot that is being written, or another token's. */

static void
test_torn(void)
{
    size_t                  i, n, bad;
    gs_str_t                t;
    gs_token_cache_good_t  *slot, *found;

    fresh(SIZE);
    t = token_of(1);
    (void) check(t, NOW);

    slot = cache.good;
    found = NULL;
    n = cache.hdr->good_sets * GS_TOKEN_CACHE_WAYS;

    for (i = 0; i < n; i++) {
        if (slot[i].word != 0) {
            found = &slot[i];
        }
    }

    ok(found != NULL, "the slot");
    is_int((int64_t) (uint32_t) found->word, 0, "no owner");

    cache.alive = NULL;
    found->word |= 77;
    (void) check(t, NOW);
    is_int(verdict.cached, 0, "owned: a miss");
    found->word &= ~(uint64_t) 77;

    fresh(SIZE);
    (void) check(t, NOW);

    for (i = 0, bad = 0; i < 32; i++) {
        found->digest[i] ^= 1;
        (void) check(t, NOW);
        bad += verdict.cached;
        fresh(SIZE);
        (void) check(t, NOW);
    }

    is_int((int64_t) bad, 0, "one bit of the digest: a miss");

    (void) check(t, NOW);
    is_int(verdict.cached, 1, "untouched: a hit");
    found->len = 60000;
    (void) check(t, NOW);
    is_int(verdict.cached, 0, "an absurd length: a miss");

    fresh(SIZE);
    (void) check(t, NOW);
    found->issuer = 9;
    (void) check(t, NOW);
    is_int(verdict.cached, 0, "an issuer that is none: a miss");
}


/*
 * Processes that share a cache too small for their tokens: each answer must
 * carry the claims of its own token.
 */

static void
test_processes(void)
{
    int       i, status, bad;
    pid_t     pid[WORKERS];

    fresh(GS_TOKEN_CACHE_MIN);

    for (i = 0; i < WORKERS; i++) {
        pid[i] = fork();

        if (pid[i] == 0) {
            worker((unsigned) i + 1);
        }
    }

    bad = 0;

    for (i = 0; i < WORKERS; i++) {
        if (waitpid(pid[i], &status, 0) != pid[i] || status != 0) {
            bad++;
        }
    }

    gs_token_cache_stat(&cache, &stat_now);
    is_int(bad, 0, "%d processes saw their own claims only", WORKERS);
    ok(stat_now.hits > 0 && stat_now.evictions > 0, "hits %d, evictions %d",
       (int) stat_now.hits, (int) stat_now.evictions);
}


static void
worker(unsigned seed)
{
    int                 i, n;
    char                text[64];
    size_t              len;
    gs_str_t            t, name, token[100];
    gs_token_claim_t    c;
    static gs_uchar_t   room[100][4096];

    cache.pid = (uint32_t) getpid();
    name = gs_str_text("sub");

    for (i = 0; i < 100; i++) {
        t = (i % 4 == 0) ? long_of(i) : token_of(i);
        memcpy(room[i], t.data, t.len);
        token[i] = gs_str_make(room[i], t.len);
    }

    for (i = 0; i < ROUNDS; i++) {
        seed = seed * 1103515245 + 12345;
        n = (int) (seed >> 16) % 100;

        if (cached(&cache, &policy, token[n], NOW)
            != GS_TOKEN_OK)
        {
            _exit(2);
        }

        len = (size_t) snprintf(text, sizeof(text), "u%d", n);

        if (gs_token_claim_find(&verdict.claims, &name, &c) != GS_OK
            || c.value.len != len || memcmp(c.value.data, text, len) != 0)
        {
            _exit(3);
        }
    }

    _exit(0);
}


/* In three slots, and what is looked for in the last. */

static gs_str_t
long_of(int n)
{
    char  text[4096];

    (void) snprintf(text, sizeof(text), "{\"exp\":1700003600,\"x\":\"%02000d"
                    "\",\"sub\":\"u%d\"}", n, n);

    return sign_token(GS_TOKEN_ES256, "{\"alg\":\"ES256\"}", text);
}


/* A child takes every slot and is killed before it gives one back. */

static void
test_killed(void)
{
    int                     status, fd[2];
    char                    c;
    pid_t                   pid;
    size_t                  i, n, m;
    gs_str_t                t;
    gs_token_cache_bad_t   *bad;
    gs_token_cache_good_t  *good;

    fresh(GS_TOKEN_CACHE_MIN);

    good = cache.good;
    bad = cache.bad;
    n = cache.hdr->good_sets * GS_TOKEN_CACHE_WAYS;
    m = cache.hdr->bad_sets * GS_TOKEN_CACHE_BAD_WAYS;
    t = token_of(1);

    if (pipe(fd) != 0) {
        sign_die("pipe");
    }

    pid = fork();

    if (pid == 0) {
        cache.pid = (uint32_t) getpid();

        for (i = 0; i < n; i++) {
            (void) gs_token_cache_take(&cache, &good[i].word);
            memset(good[i].digest, 0xee, 32);
        }

        for (i = 0; i < m; i++) {
            (void) gs_token_cache_take(&cache, &bad[i].word);
        }

        (void) !write(fd[1], "x", 1);
        (void) pause();
        _exit(0);
    }

    (void) !read(fd[0], &c, 1);

    is_int(check(t, NOW), GS_TOKEN_OK, "the owner lives: checked");
    is_int(check(t, NOW), GS_TOKEN_OK, "again");
    is_int(verdict.cached, 0, "nothing kept");
    is_int((int64_t) stat_now.stores, 0, "nothing stolen from the living");

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    is_int(check(t, NOW), GS_TOKEN_OK, "the owner is dead: checked");
    is_int((int64_t) stat_now.steals, 1, "and a slot taken over");
    is_int(check(t, NOW), GS_TOKEN_OK, "again");
    is_int(verdict.cached, 1, "from the cache");

    forget_good();
    (void) close(fd[0]);
    (void) close(fd[1]);
}


/* A slot with our own number on it is that of a dead process. */

static void
forget_good(void)
{
    uint64_t  word;

    word = ((uint64_t) 5 << 32) | cache.pid;
    is_int(gs_token_cache_take(&cache, &word), GS_OK, "our own number");
    is_int((int64_t) (word >> 32), 6, "one up");
    gs_token_cache_give(&word);
    is_int((int64_t) (word >> 32), 7, "two up");
    is_int((int64_t) (uint32_t) word, 0, "free");
}
