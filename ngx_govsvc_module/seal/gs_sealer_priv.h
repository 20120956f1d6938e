
/*
 * Copyright (C) govsvc authors
 *
 * Inside the sealer: chains that are followed.
 */


#ifndef _GS_SEALER_PRIV_H_INCLUDED_
#define _GS_SEALER_PRIV_H_INCLUDED_


#include "seal/gs_sealer.h"


#define GS_SEALER_CHUNK   (64 * 1024)
#define GS_SEALER_LEVELS  8                /* of tiles */
#define GS_SEALER_LEAVES  100000           /* of one chain in one turn */


typedef struct {
    gs_sealer_t         *sealer;
    char                 name[GS_AUDIT_NAME_MAX];
    char                 segment[GS_AUDIT_NAME_MAX];
    gs_audit_verify_t   *v;                /* NULL: is not followed */
    int                  fd;
    uint64_t             at;               /* bytes read of the segment */

    uint64_t             leaf;             /* the last that was sealed */
    uint64_t             seq;              /* the line after it */
    uint64_t             bytes;            /* where it ends */

    gs_uchar_t          *hashes;           /* to be sealed */
    size_t               n;
    size_t               size;
    uint64_t             first;            /* the number of the first */

    uint64_t             turn;             /* when its folder was seen */
    unsigned             sealed:1;         /* a part of it is */
    unsigned             closed:1;
    unsigned             collect:1;
    unsigned             dirty:1;
    unsigned             failed:1;         /* memory is out */
} gs_sealer_chain_t;


struct gs_sealer_s {
    const gs_sealer_conf_t  *conf;
    const gs_seal_log_t     *log;          /* those of conf */
    const gs_seal_keys_t    *keys;
    gs_sealer_chain_t      **chains;       /* by name */
    size_t                   nchains;
    size_t                   size;
    uint64_t                 turn;
    unsigned                 more:1;       /* a chain has more than a turn */
    int                      lock;
    int                      index;
    uint64_t                 index_len;
    uint64_t                 leaves;       /* that the index tells of */
    gs_audit_tree_t          tree;
    gs_seal_tiles_t          tiles;
    gs_uchar_t               chunk[GS_SEALER_CHUNK];

    /* the last tile of each level */
    gs_uchar_t               edge[GS_SEALER_LEVELS][GS_SEAL_TILE_BYTES];
};


/* The chain of that name, made if it is new; NULL if memory is out. */
gs_sealer_chain_t *gs_sealer_chain(gs_sealer_t *s, const char *name,
    size_t len);

/*
 * Verifies what was written since and makes it durable; the hashes wait in
 * the chains.
 */
gs_rc_t gs_sealer_follow(gs_sealer_t *s);

/* The lock, and all that is to be read before the first turn. */
gs_rc_t gs_sealer_resume(gs_sealer_t *s);

/* Replaces the state by that of the tree. */
gs_rc_t gs_sealer_save(gs_sealer_t *s);

/* 1: it is to end. */
int gs_sealer_stopped(const gs_sealer_t *s);

/*
 * gs_seal_put() into the folder of the seal; GS_DONE when it is to end, whether
 * the file was written or not.
 */
gs_rc_t gs_sealer_put(gs_sealer_t *s, const char *name, const gs_str_t *text);

/* No longer followed: closes and frees. */
void gs_sealer_leave(gs_sealer_chain_t *c);


#endif /* _GS_SEALER_PRIV_H_INCLUDED_ */
