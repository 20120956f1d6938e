
/*
 * Copyright (C) govsvc authors
 *
 * The tree over record hashes: against the definition of RFC 6962 section
 * 2.1, for each size up to some hundreds, and across levels of tiles.
 */


#include "audit/gs_audit_tree.h"
#include "core/gs_b64.h"
#include "tap.h"

#include <stdlib.h>


#define SIZE  600
#define BIG   66000                        /* a third level of tiles */


typedef struct {
    gs_uchar_t   (*level[3])[GS_AUDIT_HASH];
    uint64_t       n[3];
    int            deny;                   /* fails this call from now */
} store_t;


static void test_vectors(void);
static void test_roots(void);
static void test_include(void);
static void test_extend(void);
static void test_load(void);
static void test_faults(void);
static void test_paths(void);
static void record(uint64_t i, gs_uchar_t *h);
static void define(uint64_t from, uint64_t n, gs_uchar_t *root);
static gs_rc_t keep(void *data, unsigned level, uint64_t index,
    const gs_uchar_t *hash);
static gs_rc_t fetch(void *data, unsigned level, uint64_t index,
    gs_uchar_t *hash);


static store_t            store;
static gs_audit_tree_t    tree;
static gs_audit_tiles_t   tiles;
static gs_audit_proof_t   proof;
static gs_uchar_t         roots[SIZE + 1][GS_AUDIT_HASH];


int
main(void)
{
    unsigned  i;

    for (i = 0; i < 3; i++) {
        store.level[i] = calloc(BIG >> (8 * i), GS_AUDIT_HASH);
    }

    test_vectors();
    test_roots();
    test_include();
    test_extend();
    test_load();
    test_faults();
    test_paths();

    gs_audit_tree_free(&tree);

    for (i = 0; i < 3; i++) {
        free(store.level[i]);
    }

    return done_testing();
}


static void
test_vectors(void)
{
    size_t           len;
    gs_str_t         s;
    unsigned         i;
    gs_uchar_t       one[33], two[33], root[33], got[32];
    gs_audit_tree_t  t;
    static const char *const  text[2][3] = {
        { "RrrBoNuQbniH0f4Xbmx2mJ1R5fmqgQspo_eXCcR3WlI",
          "U17Tpytt3J0mf-6Oe8GDs9i5D-Kv8TT3nJKL83kvrA0",
          "kBumqGuezYaIr2PDBF3uvOiQ1H1VAGTtq8D5KPYoNS4" },
        { "uPqA8VZQcT0AhAfqd0RJ7P9A_DSAD3EvXEatT25m4GE",
          "bFNBRed4Sa7P7odRr_00P0mMjKHh1mhuAelGoP0WLWQ",
          "K-gQvwQXb95zf02HW94LltE5TsrhfoK_bgYypPoLWXM" }
    };

    for (i = 0; i < 2; i++) {
        s = gs_str_text(text[i][0]);
        gs_b64url_decode(one, &len, &s);
        s = gs_str_text(text[i][1]);
        gs_b64url_decode(two, &len, &s);
        s = gs_str_text(text[i][2]);
        gs_b64url_decode(root, &len, &s);

        ok(gs_audit_tree_init(&t, (gs_audit_alg_e) i) == GS_OK
           && gs_audit_tree_add(&t, one, NULL, NULL) == GS_OK
           && gs_audit_tree_add(&t, two, NULL, NULL) == GS_OK
           && gs_audit_tree_root(&t, got) == GS_OK
           && memcmp(got, root, 32) == 0,
           "the root over two records, %s",
           gs_audit_alg_name((gs_audit_alg_e) i));

        gs_audit_tree_free(&t);
    }
}


static void
test_roots(void)
{
    int         bad;
    uint64_t    i;
    gs_uchar_t  h[32], want[32];

    bad = 0;

    ok(gs_audit_tree_init(&tree, GS_AUDIT_SHA256) == GS_OK, "init");
    ok(gs_audit_tree_root(&tree, roots[0]) == GS_OK
       && roots[0][0] == 0xe3 && roots[0][31] == 0x55,
       "the empty tree has the hash of nothing");

    tiles.hasher = &tree.hasher;
    tiles.read = fetch;
    tiles.data = &store;

    for (i = 0; i < SIZE; i++) {
        record(i, h);

        if (gs_audit_tree_add(&tree, h, keep, &store) != GS_OK
            || gs_audit_tree_root(&tree, roots[i + 1]) != GS_OK)
        {
            bad++;
            continue;
        }

        define(0, i + 1, want);
        bad += (memcmp(roots[i + 1], want, 32) != 0);
    }

    is_int(bad, 0, "roots are those of the definition");
    is_int((int64_t) store.n[0], SIZE, "each leaf was kept");
    is_int((int64_t) store.n[1], SIZE / 256, "so was each full tile's root");
}


static void
test_include(void)
{
    int         bad, passed;
    uint64_t    i, n;
    gs_uchar_t  h[32];

    bad = 0;
    passed = 0;

    for (n = 1; n <= SIZE; n += (n < 70) ? 1 : 53) {
        for (i = 0; i < n; i++) {
            record(i, h);

            if (gs_audit_tree_include(&tiles, n, i, &proof) != GS_OK
                || gs_audit_tree_check_include(&tree.hasher, n, i, h, &proof,
                                               roots[n]) != GS_OK)
            {
                bad++;
            }

            /* another record, place, size, root, a longer or shorter path */

            h[5] ^= 1;
            passed += gs_audit_tree_check_include(&tree.hasher, n, i, h,
                                                  &proof, roots[n]) == GS_OK;
            h[5] ^= 1;
            passed += gs_audit_tree_check_include(&tree.hasher, n, i ^ 1, h,
                                                  &proof, roots[n]) == GS_OK;
            passed += gs_audit_tree_check_include(&tree.hasher, n, i, h,
                                                  &proof, roots[n - 1])
                      == GS_OK;

            memset(proof.hash[proof.n++], 0, 32);
            passed += gs_audit_tree_check_include(&tree.hasher, n, i, h,
                                                  &proof, roots[n]) == GS_OK;
            proof.n--;

            if (proof.n != 0) {
                proof.n--;
                passed += gs_audit_tree_check_include(&tree.hasher, n, i, h,
                                                      &proof, roots[n])
                          == GS_OK;
            }
        }
    }

    is_int(bad, 0, "each record is proved in trees of each size");
    is_int(passed, 0, "nothing else is");

    ok(gs_audit_tree_include(&tiles, 10, 10, &proof) == GS_DECLINED
       && gs_audit_tree_check_include(&tree.hasher, 10, 10, h, &proof,
                                      roots[10]) == GS_DECLINED,
       "a record outside is declined");
}


static void
test_extend(void)
{
    int         bad, passed;
    uint64_t    n, old;

    bad = 0;
    passed = 0;

    for (n = 1; n <= SIZE; n += (n < 70) ? 1 : 53) {
        for (old = 1; old <= n; old++) {

            if (gs_audit_tree_extend(&tiles, old, n, &proof) != GS_OK
                || gs_audit_tree_check_extend(&tree.hasher, old, roots[old],
                                              n, roots[n], &proof) != GS_OK)
            {
                bad++;
            }

            passed += gs_audit_tree_check_extend(&tree.hasher, old,
                                                 roots[old - 1], n, roots[n],
                                                 &proof) == GS_OK;
            passed += gs_audit_tree_check_extend(&tree.hasher, old,
                                                 roots[old], n, roots[n - 1],
                                                 &proof) == GS_OK;

            if (proof.n != 0) {
                proof.hash[proof.n / 2][7] ^= 1;
                passed += gs_audit_tree_check_extend(&tree.hasher, old,
                                                     roots[old], n, roots[n],
                                                     &proof) == GS_OK;
                proof.hash[proof.n / 2][7] ^= 1;
                proof.n--;
                passed += gs_audit_tree_check_extend(&tree.hasher, old,
                                                     roots[old], n, roots[n],
                                                     &proof) == GS_OK;
            }
        }
    }

    is_int(bad, 0, "each tree is proved to extend each before it");
    is_int(passed, 0, "no other is");

    ok(gs_audit_tree_extend(&tiles, 0, 4, &proof) == GS_DECLINED
       && gs_audit_tree_extend(&tiles, 5, 4, &proof) == GS_DECLINED,
       "no tree extends nothing, or a larger one");
}


static void
test_load(void)
{
    int              bad;
    uint64_t         i, n;
    gs_uchar_t       h[32], got[32], want[32];
    gs_audit_tree_t  again;

    bad = 0;

    for (n = 0; n <= SIZE; n += 7) {
        gs_audit_tree_init(&again, GS_AUDIT_SHA256);

        if (gs_audit_tree_load(&again, n, fetch, &store) != GS_OK
            || gs_audit_tree_root(&again, got) != GS_OK
            || memcmp(got, roots[n], 32) != 0)
        {
            bad++;
        }

        gs_audit_tree_free(&again);
    }

    is_int(bad, 0, "a tree is loaded from its tiles");

    for (i = SIZE; i < BIG; i++) {
        record(i, h);
        gs_audit_tree_add(&tree, h, keep, &store);
    }

    is_int((int64_t) store.n[2], 1, "a third level of tiles is kept");

    gs_audit_tree_root(&tree, want);
    gs_audit_tree_init(&again, GS_AUDIT_SHA256);

    ok(gs_audit_tree_load(&again, BIG, fetch, &store) == GS_OK
       && gs_audit_tree_root(&again, got) == GS_OK
       && memcmp(got, want, 32) == 0, "and loaded");

    gs_audit_tree_free(&again);

    record(65536, h);
    ok(gs_audit_tree_include(&tiles, BIG, 65536, &proof) == GS_OK
       && gs_audit_tree_check_include(&tree.hasher, BIG, 65536, h, &proof,
                                      want) == GS_OK, "and proves");
    ok(gs_audit_tree_extend(&tiles, SIZE, BIG, &proof) == GS_OK
       && gs_audit_tree_check_extend(&tree.hasher, SIZE, roots[SIZE], BIG,
                                     want, &proof) == GS_OK, "and extends");
}


static void
test_faults(void)
{
    gs_uchar_t       h[32];
    gs_audit_tree_t  again;

    store.deny = 1;
    record(SIZE, h);

    gs_audit_tree_init(&again, GS_AUDIT_SHA256);

    ok(gs_audit_tree_load(&again, SIZE, fetch, &store) == GS_BUSY
       && gs_audit_tree_include(&tiles, SIZE, 3, &proof) == GS_BUSY
       && gs_audit_tree_extend(&tiles, 3, SIZE, &proof) == GS_BUSY,
       "a tile that cannot be read is told");
    ok(gs_audit_tree_add(&again, h, keep, &store) == GS_ERROR,
       "so is one that cannot be kept");

    again.size = (uint64_t) 1 << 63;
    ok(gs_audit_tree_add(&again, h, NULL, NULL) == GS_ERROR,
       "a tree has an end");

    gs_audit_tree_free(&again);
    store.deny = 0;
}


static void
test_paths(void)
{
    char  path[GS_AUDIT_TILE_PATH];

    gs_audit_tile_path(path, 0, 0, 256);
    is_str(gs_str_text(path), "tile/0/000", "the first tile");
    gs_audit_tile_path(path, 0, 1234067, 256);
    is_str(gs_str_text(path), "tile/0/x001/x234/067", "a later one");
    gs_audit_tile_path(path, 2, 999, 12);
    is_str(gs_str_text(path), "tile/2/999.p/12", "a partial one");
    gs_audit_tile_path(path, 7, ((uint64_t) 1 << 63) / 256, 255);
    is_str(gs_str_text(path), "tile/7/x036/x028/x797/x018/x963/968.p/255",
           "the longest");
}


static void
record(uint64_t i, gs_uchar_t *h)
{
    unsigned  j;

    for (j = 0; j < GS_AUDIT_HASH; j++) {
        i = i * 6364136223846793005u + 1442695040888963407u;
        h[j] = (gs_uchar_t) (i >> 56);
    }
}


static void
define(uint64_t from, uint64_t n, gs_uchar_t *root)
{
    uint64_t    k;
    gs_uchar_t  h[32], left[32], right[32];

    if (n == 1) {
        record(from, h);
        gs_audit_tree_leaf(&tree.hasher, h, root);
        return;
    }

    for (k = 1; k * 2 < n; k *= 2) {
        /* void */
    }

    define(from, k, left);
    define(from + k, n - k, right);
    gs_audit_tree_node(&tree.hasher, left, right, root);
}


static gs_rc_t
keep(void *data, unsigned level, uint64_t index, const gs_uchar_t *hash)
{
    store_t *s = data;

    if (s->deny || index != s->n[level / 8]) {
        return GS_ERROR;
    }

    memcpy(s->level[level / 8][index], hash, GS_AUDIT_HASH);
    s->n[level / 8]++;

    return GS_OK;
}


static gs_rc_t
fetch(void *data, unsigned level, uint64_t index, gs_uchar_t *hash)
{
    store_t *s = data;

    if (s->deny || level % 8 != 0 || index >= s->n[level / 8]) {
        return GS_BUSY;
    }

    memcpy(hash, s->level[level / 8][index], GS_AUDIT_HASH);

    return GS_OK;
}
