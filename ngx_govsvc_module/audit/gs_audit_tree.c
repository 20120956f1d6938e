
/*
 * Copyright (C) govsvc authors
 *
 * The Merkle tree over record hashes: growing it.
 */


#include "audit/gs_audit_tree.h"

#include <openssl/evp.h>


static gs_rc_t gs_audit_hasher_run(gs_audit_hasher_t *hasher, int prefix,
    const gs_uchar_t *one, const gs_uchar_t *two, gs_uchar_t *out);


gs_rc_t
gs_audit_hasher_init(gs_audit_hasher_t *hasher, gs_audit_alg_e alg)
{
    hasher->md_ctx = NULL;
    hasher->md = EVP_MD_fetch(NULL, alg == GS_AUDIT_SM3 ? "SM3" : "SHA256",
                              NULL);

    if (hasher->md == NULL) {
        return GS_ERROR;
    }

    hasher->md_ctx = EVP_MD_CTX_new();

    if (hasher->md_ctx == NULL
        || EVP_DigestInit_ex(hasher->md_ctx, hasher->md, NULL) != 1)
    {
        gs_audit_hasher_free(hasher);
        return GS_ERROR;
    }

    return GS_OK;
}


void
gs_audit_hasher_free(gs_audit_hasher_t *hasher)
{
    EVP_MD_CTX_free(hasher->md_ctx);
    EVP_MD_free(hasher->md);

    hasher->md_ctx = NULL;
    hasher->md = NULL;
}


/* prefix below 0: none; one and two may be NULL. */

static gs_rc_t
gs_audit_hasher_run(gs_audit_hasher_t *hasher, int prefix,
    const gs_uchar_t *one, const gs_uchar_t *two, gs_uchar_t *out)
{
    unsigned     n;
    gs_uchar_t   c;
    EVP_MD_CTX  *ctx;

    ctx = hasher->md_ctx;

    if (EVP_DigestInit_ex(ctx, NULL, NULL) != 1) {
        return GS_ERROR;
    }

    if (prefix >= 0) {
        c = (gs_uchar_t) prefix;

        if (EVP_DigestUpdate(ctx, &c, 1) != 1) {
            return GS_ERROR;
        }
    }

    if ((one != NULL && EVP_DigestUpdate(ctx, one, GS_AUDIT_HASH) != 1)
        || (two != NULL && EVP_DigestUpdate(ctx, two, GS_AUDIT_HASH) != 1)
        || EVP_DigestFinal_ex(ctx, out, &n) != 1
        || n != GS_AUDIT_HASH)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


gs_rc_t
gs_audit_tree_leaf(gs_audit_hasher_t *hasher, const gs_uchar_t *h,
    gs_uchar_t *out)
{
    return gs_audit_hasher_run(hasher, 0, h, NULL, out);
}


gs_rc_t
gs_audit_tree_node(gs_audit_hasher_t *hasher, const gs_uchar_t *left,
    const gs_uchar_t *right, gs_uchar_t *out)
{
    return gs_audit_hasher_run(hasher, 1, left, right, out);
}


gs_rc_t
gs_audit_tree_init(gs_audit_tree_t *tree, gs_audit_alg_e alg)
{
    memset(tree, 0, sizeof(gs_audit_tree_t));

    return gs_audit_hasher_init(&tree->hasher, alg);
}


void
gs_audit_tree_free(gs_audit_tree_t *tree)
{
    gs_audit_hasher_free(&tree->hasher);
}


gs_rc_t
gs_audit_tree_add(gs_audit_tree_t *tree, const gs_uchar_t *h,
    gs_audit_tree_keep_pt keep, void *data)
{
    gs_uchar_t  leaf[GS_AUDIT_HASH];

    if (gs_audit_tree_leaf(&tree->hasher, h, leaf) != GS_OK) {
        return GS_ERROR;
    }

    return gs_audit_tree_add_leaf(tree, leaf, keep, data);
}


/*
 * As a binary counter: the new leaf is joined with the full subtree of each
 * trailing one of the size.
 */

gs_rc_t
gs_audit_tree_add_leaf(gs_audit_tree_t *tree, const gs_uchar_t *leaf,
    gs_audit_tree_keep_pt keep, void *data)
{
    unsigned    level;
    uint64_t    index;
    gs_uchar_t  hash[GS_AUDIT_HASH];

    if (tree->size >> GS_AUDIT_TREE_DEPTH != 0) {
        return GS_ERROR;
    }

    memcpy(hash, leaf, GS_AUDIT_HASH);
    index = tree->size;

    for (level = 0; ; level++) {

        if (level % GS_AUDIT_TILE_HEIGHT == 0 && keep != NULL
            && keep(data, level, index, hash) != GS_OK)
        {
            return GS_ERROR;
        }

        if ((index & 1) == 0) {
            break;
        }

        if (gs_audit_tree_node(&tree->hasher, tree->edge[level], hash, hash)
            != GS_OK)
        {
            return GS_ERROR;
        }

        index >>= 1;
    }

    memcpy(tree->edge[level], hash, GS_AUDIT_HASH);
    tree->size++;

    return GS_OK;
}


gs_rc_t
gs_audit_tree_root(gs_audit_tree_t *tree, gs_uchar_t *root)
{
    int       found;
    unsigned  level;

    if (tree->size == 0) {
        return gs_audit_hasher_run(&tree->hasher, -1, NULL, NULL, root);
    }

    found = 0;

    for (level = 0; level <= GS_AUDIT_TREE_DEPTH; level++) {

        if ((tree->size >> level & 1) == 0) {
            continue;
        }

        if (!found) {
            memcpy(root, tree->edge[level], GS_AUDIT_HASH);
            found = 1;
            continue;
        }

        if (gs_audit_tree_node(&tree->hasher, tree->edge[level], root, root)
            != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


void
gs_audit_tile_path(char *path, unsigned level, uint64_t index, unsigned width)
{
    unsigned  n, group[7];
    gs_buf_t  b;

    /* 2^63 / 256 has 17 digits, six groups of three */

    n = 0;

    do {
        group[n++] = (unsigned) (index % 1000);
        index /= 1000;

    } while (index != 0);

    gs_buf_init(&b, path, GS_AUDIT_TILE_PATH - 1);
    gs_buf_text(&b, "tile/");
    gs_buf_u64(&b, level);

    while (n-- != 0) {
        gs_buf_text(&b, n != 0 ? "/x" : "/");
        gs_buf_pad(&b, group[n], 3);
    }

    if (width < GS_AUDIT_TILE_WIDTH) {
        gs_buf_text(&b, ".p/");
        gs_buf_u64(&b, width);
    }

    *b.pos = '\0';
}
