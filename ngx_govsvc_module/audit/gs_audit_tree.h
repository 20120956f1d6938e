
/*
 * Copyright (C) govsvc authors
 *
 * The Merkle tree over record hashes (RFC 6962 section 2.1, RFC 9162 section
 * 2.1), so that one record is proved without the others, and one signed root
 * stands for all.  A leaf is H(0x00 || h), h being the 32 bytes at the end of
 * a record's line: the tree holds no personal data and may be given away.
 *
 * Nodes of each eighth level are kept in tiles of 256 (C2SP tlog-tiles); all
 * others are computed from them.  Nothing here reads or writes: tiles come
 * and go through callbacks.
 */


#ifndef _GS_AUDIT_TREE_H_INCLUDED_
#define _GS_AUDIT_TREE_H_INCLUDED_


#include "audit/gs_audit_chain.h"


#define GS_AUDIT_TILE_HEIGHT  8            /* levels of the tree in a tile */
#define GS_AUDIT_TILE_WIDTH   256          /* hashes in a full tile */
#define GS_AUDIT_TILE_PATH    80           /* the longest path, with NUL */
#define GS_AUDIT_TREE_DEPTH   63           /* levels; sizes below 2^63 */
#define GS_AUDIT_PROOF_MAX    126          /* hashes of the longest proof */


/* A node that is to be kept: level is a multiple of 8. */
typedef gs_rc_t (*gs_audit_tree_keep_pt)(void *data, unsigned level,
    uint64_t index, const gs_uchar_t *hash);

/* Fetches a node that was kept; any result but GS_OK ends the proof. */
typedef gs_rc_t (*gs_audit_tree_read_pt)(void *data, unsigned level,
    uint64_t index, gs_uchar_t *hash);


typedef struct {
    void            *md;                   /* EVP_MD, EVP_MD_CTX */
    void            *md_ctx;
} gs_audit_hasher_t;


/* The right edge of a tree that grows: one full subtree for each set bit. */
typedef struct {
    gs_audit_hasher_t  hasher;
    uint64_t           size;               /* leaves */
    gs_uchar_t         edge[GS_AUDIT_TREE_DEPTH + 1][GS_AUDIT_HASH];
} gs_audit_tree_t;


/* A tree that was kept, to be asked for proofs. */
typedef struct {
    gs_audit_hasher_t       *hasher;
    gs_audit_tree_read_pt    read;
    void                    *data;
} gs_audit_tiles_t;


typedef struct {
    unsigned         n;
    gs_uchar_t       hash[GS_AUDIT_PROOF_MAX][GS_AUDIT_HASH];
} gs_audit_proof_t;


/* GS_ERROR when libcrypto lacks the hash or memory; then nothing is held. */
gs_rc_t gs_audit_hasher_init(gs_audit_hasher_t *hasher, gs_audit_alg_e alg);
void gs_audit_hasher_free(gs_audit_hasher_t *hasher);

/* H(0x00 || h) and H(0x01 || left || right); out may be an input. */
gs_rc_t gs_audit_tree_leaf(gs_audit_hasher_t *hasher, const gs_uchar_t *h,
    gs_uchar_t *out);
gs_rc_t gs_audit_tree_node(gs_audit_hasher_t *hasher, const gs_uchar_t *left,
    const gs_uchar_t *right, gs_uchar_t *out);


/* An empty tree. */
gs_rc_t gs_audit_tree_init(gs_audit_tree_t *tree, gs_audit_alg_e alg);
void gs_audit_tree_free(gs_audit_tree_t *tree);

/*
 * Adds the record with hash h.  keep, which may be NULL, is called for the
 * leaf and for each node of a tile that it completes.  After GS_ERROR the
 * tree is to be loaded again.  Allocates nothing.
 */
gs_rc_t gs_audit_tree_add(gs_audit_tree_t *tree, const gs_uchar_t *h,
    gs_audit_tree_keep_pt keep, void *data);

/* The same with H(0x00 || h), as tiles hold it. */
gs_rc_t gs_audit_tree_add_leaf(gs_audit_tree_t *tree, const gs_uchar_t *leaf,
    gs_audit_tree_keep_pt keep, void *data);

/* The root over all leaves; of an empty tree, the hash of nothing. */
gs_rc_t gs_audit_tree_root(gs_audit_tree_t *tree, gs_uchar_t *root);

/* The right edge again, from what was kept of a tree of that size. */
gs_rc_t gs_audit_tree_load(gs_audit_tree_t *tree, uint64_t size,
    gs_audit_tree_read_pt read, void *data);


/*
 * Proofs over the tree's first size leaves.  GS_DECLINED when index or old
 * lie outside, else what the read callback or libcrypto failed with.
 */
gs_rc_t gs_audit_tree_include(const gs_audit_tiles_t *tiles, uint64_t size,
    uint64_t index, gs_audit_proof_t *proof);
gs_rc_t gs_audit_tree_extend(const gs_audit_tiles_t *tiles, uint64_t old,
    uint64_t size, gs_audit_proof_t *proof);

/*
 * GS_OK when the proof holds (RFC 9162 sections 2.1.3.2 and 2.1.4.2),
 * GS_DECLINED when not.  h is the record's hash, not that of the leaf.
 */
gs_rc_t gs_audit_tree_check_include(gs_audit_hasher_t *hasher, uint64_t size,
    uint64_t index, const gs_uchar_t *h, const gs_audit_proof_t *proof,
    const gs_uchar_t *root);
gs_rc_t gs_audit_tree_check_extend(gs_audit_hasher_t *hasher, uint64_t old,
    const gs_uchar_t *old_root, uint64_t size, const gs_uchar_t *root,
    const gs_audit_proof_t *proof);


/*
 * The path of a tile below the tree's folder, "tile/0/x001/067" or, of width
 * below 256, "tile/0/x001/067.p/12".  level counts tiles, not nodes; path
 * holds GS_AUDIT_TILE_PATH bytes.
 */
void gs_audit_tile_path(char *path, unsigned level, uint64_t index,
    unsigned width);


#endif /* _GS_AUDIT_TREE_H_INCLUDED_ */
