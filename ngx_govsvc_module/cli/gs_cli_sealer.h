
/*
 * Copyright (C) govsvc authors
 *
 * Inside govsvc audit sealer: chains that are followed.
 */


#ifndef _GS_CLI_SEALER_H_INCLUDED_
#define _GS_CLI_SEALER_H_INCLUDED_


#include "cli/gs_cli_audit_list.h"
#include "cli/gs_cli_seal.h"


#define GS_CLI_SEALER_CHUNK   (64 * 1024)
#define GS_CLI_SEALER_LEVELS  8            /* of tiles */
#define GS_CLI_SEALER_LEAVES  100000       /* of one chain in one turn */


typedef struct gs_cli_sealer_s  gs_cli_sealer_t;


typedef struct {
    gs_cli_sealer_t     *sealer;
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
} gs_cli_sealer_chain_t;


struct gs_cli_sealer_s {
    gs_cli_t                *cli;
    const char              *store;
    const char              *seal;
    gs_cli_sealer_chain_t  **chains;       /* by name */
    size_t                   nchains;
    size_t                   size;
    uint64_t                 turn;
    unsigned                 more:1;       /* a chain has more than a turn */
    int                      index;
    uint64_t                 index_len;
    uint64_t                 leaves;       /* that the index tells of */
    gs_audit_tree_t          tree;
    gs_uchar_t              *edge;         /* the last tile of each level */
    gs_cli_seal_tiles_t     *tiles;
    gs_cli_seal_keys_t       keys;
    gs_uchar_t              *chunk;
};


/* The chain of that name, made if it is new; NULL if memory is out. */
gs_cli_sealer_chain_t *gs_cli_sealer_chain(gs_cli_sealer_t *s,
    const char *name, size_t len);

/*
 * Verifies what was written since and makes it durable; the hashes wait in
 * the chains.  Answers an exit code, which is reported.
 */
int gs_cli_sealer_follow(gs_cli_sealer_t *s);

/*
 * Locks the folder of the seal and takes up state, tree and index, which have
 * to agree with each other and with what was signed last.
 */
int gs_cli_sealer_open(gs_cli_sealer_t *s);

/* Replaces the state by that of the tree. */
int gs_cli_sealer_save(gs_cli_sealer_t *s);

/* No longer followed: closes and frees. */
void gs_cli_sealer_leave(gs_cli_sealer_chain_t *c);


#endif /* _GS_CLI_SEALER_H_INCLUDED_ */
