
/*
 * Copyright (C) govsvc authors
 *
 * The Merkle tree over record hashes: proofs from its tiles, and their check.
 */


#include "audit/gs_audit_tree.h"


static gs_rc_t gs_audit_tiles_node(const gs_audit_tiles_t *tiles,
    unsigned level, uint64_t index, gs_uchar_t *hash);
static gs_rc_t gs_audit_tiles_range(const gs_audit_tiles_t *tiles,
    uint64_t start, uint64_t n, gs_uchar_t *hash);
static gs_rc_t gs_audit_proof_push(const gs_audit_tiles_t *tiles,
    gs_audit_proof_t *proof, uint64_t start, uint64_t n);
static void gs_audit_proof_reverse(gs_audit_proof_t *proof);
static uint64_t gs_audit_tree_split(uint64_t n);


gs_rc_t
gs_audit_tree_load(gs_audit_tree_t *tree, uint64_t size,
    gs_audit_tree_read_pt read, void *data)
{
    gs_rc_t           rc;
    unsigned          level;
    gs_audit_tiles_t  tiles;

    if (size >> GS_AUDIT_TREE_DEPTH != 0) {
        return GS_DECLINED;
    }

    tiles.hasher = &tree->hasher;
    tiles.read = read;
    tiles.data = data;

    for (level = 0; level < GS_AUDIT_TREE_DEPTH; level++) {

        if ((size >> level & 1) == 0) {
            continue;
        }

        rc = gs_audit_tiles_node(&tiles, level, (size >> level) - 1,
                                 tree->edge[level]);
        if (rc != GS_OK) {
            return rc;
        }
    }

    tree->size = size;

    return GS_OK;
}


/* A node between two levels of tiles is computed from those below it. */

static gs_rc_t
gs_audit_tiles_node(const gs_audit_tiles_t *tiles, unsigned level,
    uint64_t index, gs_uchar_t *hash)
{
    gs_rc_t     rc;
    unsigned    i, n, base, at;
    gs_uchar_t  edge[GS_AUDIT_TILE_HEIGHT][GS_AUDIT_HASH];

    base = level - level % GS_AUDIT_TILE_HEIGHT;
    n = 1u << (level - base);

    for (i = 0; i < n; i++) {
        rc = tiles->read(tiles->data, base, index * n + i, hash);
        if (rc != GS_OK) {
            return rc;
        }

        for (at = 0; i >> at & 1; at++) {
            rc = gs_audit_tree_node(tiles->hasher, edge[at], hash, hash);
            if (rc != GS_OK) {
                return rc;
            }
        }

        if (i + 1 < n) {
            memcpy(edge[at], hash, GS_AUDIT_HASH);
        }
    }

    return GS_OK;
}


/*
 * The root over n leaves from start on, which is a multiple of the power of
 * two at or above n: full subtrees joined from the right.
 */

static gs_rc_t
gs_audit_tiles_range(const gs_audit_tiles_t *tiles, uint64_t start,
    uint64_t n, gs_uchar_t *hash)
{
    int         found;
    gs_rc_t     rc;
    unsigned    level;
    uint64_t    end;
    gs_uchar_t  left[GS_AUDIT_HASH];

    found = 0;
    end = start + n;

    for (level = 0; n >> level != 0; level++) {

        if ((n >> level & 1) == 0) {
            continue;
        }

        end -= (uint64_t) 1 << level;

        rc = gs_audit_tiles_node(tiles, level, end >> level,
                                 found ? left : hash);
        if (rc != GS_OK) {
            return rc;
        }

        if (found) {
            rc = gs_audit_tree_node(tiles->hasher, left, hash, hash);
            if (rc != GS_OK) {
                return rc;
            }
        }

        found = 1;
    }

    return GS_OK;
}


gs_rc_t
gs_audit_tree_include(const gs_audit_tiles_t *tiles, uint64_t size,
    uint64_t index, gs_audit_proof_t *proof)
{
    gs_rc_t   rc;
    uint64_t  k, start;

    proof->n = 0;

    if (index >= size || size >> GS_AUDIT_TREE_DEPTH != 0) {
        return GS_DECLINED;
    }

    start = 0;

    while (size > 1) {
        k = gs_audit_tree_split(size);

        if (index - start < k) {
            rc = gs_audit_proof_push(tiles, proof, start + k, size - k);
            size = k;

        } else {
            rc = gs_audit_proof_push(tiles, proof, start, k);
            start += k;
            size -= k;
        }

        if (rc != GS_OK) {
            return rc;
        }
    }

    gs_audit_proof_reverse(proof);

    return GS_OK;
}


gs_rc_t
gs_audit_tree_extend(const gs_audit_tiles_t *tiles, uint64_t old,
    uint64_t size, gs_audit_proof_t *proof)
{
    int       whole;
    gs_rc_t   rc;
    uint64_t  k, start;

    proof->n = 0;

    if (old == 0 || old > size || size >> GS_AUDIT_TREE_DEPTH != 0) {
        return GS_DECLINED;
    }

    start = 0;
    whole = 1;

    while (old != size) {
        k = gs_audit_tree_split(size);

        if (old <= k) {
            rc = gs_audit_proof_push(tiles, proof, start + k, size - k);
            size = k;

        } else {
            rc = gs_audit_proof_push(tiles, proof, start, k);
            start += k;
            old -= k;
            size -= k;
            whole = 0;
        }

        if (rc != GS_OK) {
            return rc;
        }
    }

    if (!whole) {
        rc = gs_audit_proof_push(tiles, proof, start, size);
        if (rc != GS_OK) {
            return rc;
        }
    }

    gs_audit_proof_reverse(proof);

    return GS_OK;
}


static gs_rc_t
gs_audit_proof_push(const gs_audit_tiles_t *tiles, gs_audit_proof_t *proof,
    uint64_t start, uint64_t n)
{
    return gs_audit_tiles_range(tiles, start, n, proof->hash[proof->n++]);
}


static void
gs_audit_proof_reverse(gs_audit_proof_t *proof)
{
    unsigned    i, j;
    gs_uchar_t  hash[GS_AUDIT_HASH];

    for (i = 0, j = proof->n; i + 1 < j; i++) {
        j--;

        memcpy(hash, proof->hash[i], GS_AUDIT_HASH);
        memcpy(proof->hash[i], proof->hash[j], GS_AUDIT_HASH);
        memcpy(proof->hash[j], hash, GS_AUDIT_HASH);
    }
}


/* The largest power of two below n, which is over 1. */

static uint64_t
gs_audit_tree_split(uint64_t n)
{
    return (uint64_t) 1 << (63 - __builtin_clzll(n - 1));
}


gs_rc_t
gs_audit_tree_check_include(gs_audit_hasher_t *hasher, uint64_t size,
    uint64_t index, const gs_uchar_t *h, const gs_audit_proof_t *proof,
    const gs_uchar_t *root)
{
    gs_rc_t     rc;
    unsigned    i;
    uint64_t    fn, sn;
    gs_uchar_t  hash[GS_AUDIT_HASH];

    if (index >= size || proof->n > GS_AUDIT_PROOF_MAX) {
        return GS_DECLINED;
    }

    if (gs_audit_tree_leaf(hasher, h, hash) != GS_OK) {
        return GS_ERROR;
    }

    fn = index;
    sn = size - 1;

    for (i = 0; i < proof->n; i++) {

        if (sn == 0) {
            return GS_DECLINED;
        }

        if ((fn & 1) || fn == sn) {
            rc = gs_audit_tree_node(hasher, proof->hash[i], hash, hash);

            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }

        } else {
            rc = gs_audit_tree_node(hasher, hash, proof->hash[i], hash);
        }

        if (rc != GS_OK) {
            return rc;
        }

        fn >>= 1;
        sn >>= 1;
    }

    return (sn == 0 && memcmp(hash, root, GS_AUDIT_HASH) == 0) ? GS_OK
                                                               : GS_DECLINED;
}


gs_rc_t
gs_audit_tree_check_extend(gs_audit_hasher_t *hasher, uint64_t old,
    const gs_uchar_t *old_root, uint64_t size, const gs_uchar_t *root,
    const gs_audit_proof_t *proof)
{
    gs_rc_t            rc;
    unsigned           i;
    uint64_t           fn, sn;
    gs_uchar_t         fr[GS_AUDIT_HASH], sr[GS_AUDIT_HASH];
    const gs_uchar_t  *c;

    if (old == 0 || old > size || proof->n > GS_AUDIT_PROOF_MAX) {
        return GS_DECLINED;
    }

    if (old == size) {
        return (proof->n == 0 && memcmp(old_root, root, GS_AUDIT_HASH) == 0)
               ? GS_OK : GS_DECLINED;
    }

    fn = old - 1;
    sn = size - 1;

    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }

    /* an old tree that is full stands for itself */

    i = 0;
    c = old_root;

    if ((old & (old - 1)) != 0) {

        if (proof->n == 0) {
            return GS_DECLINED;
        }

        c = proof->hash[i++];
    }

    memcpy(fr, c, GS_AUDIT_HASH);
    memcpy(sr, c, GS_AUDIT_HASH);

    for ( /* void */ ; i < proof->n; i++) {

        if (sn == 0) {
            return GS_DECLINED;
        }

        c = proof->hash[i];

        if ((fn & 1) || fn == sn) {
            rc = gs_audit_tree_node(hasher, c, fr, fr);

            if (rc == GS_OK) {
                rc = gs_audit_tree_node(hasher, c, sr, sr);
            }

            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }

        } else {
            rc = gs_audit_tree_node(hasher, sr, c, sr);
        }

        if (rc != GS_OK) {
            return rc;
        }

        fn >>= 1;
        sn >>= 1;
    }

    return (sn == 0 && memcmp(fr, old_root, GS_AUDIT_HASH) == 0
            && memcmp(sr, root, GS_AUDIT_HASH) == 0)
           ? GS_OK : GS_DECLINED;
}
