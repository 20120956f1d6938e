
/*
 * Copyright (C) govsvc authors
 *
 * The folder of a seal: tiles of the tree, "index", "state", "checkpoint".
 */


#ifndef _GS_CLI_SEAL_H_INCLUDED_
#define _GS_CLI_SEAL_H_INCLUDED_


#include "audit/gs_audit_seal.h"
#include "audit/gs_audit_tree.h"
#include "cli/gs_cli.h"


#define GS_CLI_SEAL_KEYS   8
#define GS_CLI_SEAL_PATH   4096
#define GS_CLI_TILE_BYTES  (GS_AUDIT_TILE_WIDTH * GS_AUDIT_HASH)


/* Tiles of a tree of that size; the last one read is kept. */
typedef struct {
    gs_cli_t           *cli;
    const char         *path;
    uint64_t            size;
    unsigned            level;             /* of tiles */
    unsigned            width;             /* 0: none is held */
    uint64_t            tile;
    gs_uchar_t          hashes[GS_CLI_TILE_BYTES];
} gs_cli_seal_tiles_t;


/* Public or private keys named by --key. */
typedef struct {
    unsigned            n;
    gs_audit_key_t      keys[GS_CLI_SEAL_KEYS];
} gs_cli_seal_keys_t;


typedef int (*gs_cli_seal_load_pt)(gs_cli_t *cli, gs_cli_seal_keys_t *keys);


/* PATH/NAME; GS_ERROR, which is reported, if it is too long. */
gs_rc_t gs_cli_seal_path(gs_cli_t *cli, char *dst, const char *path,
    const char *name);

/*
 * A file below path, whole and durable, or as it was before.  Folders on the
 * way are made.  GS_ERROR is reported.
 */
gs_rc_t gs_cli_seal_put(gs_cli_t *cli, const char *path, const char *name,
    const gs_str_t *text);
int gs_cli_seal_sync(const char *path);    /* a folder; -1 and errno */

/* A file of at most size bytes; GS_DECLINED if there is none. */
gs_rc_t gs_cli_seal_get(gs_cli_t *cli, const char *path, const char *name,
    void *data, size_t size, size_t *len);

/* For gs_audit_tree_load() and proofs; data is gs_cli_seal_tiles_t. */
void gs_cli_seal_tiles(gs_cli_seal_tiles_t *tiles, gs_cli_t *cli,
    const char *path, uint64_t size);
gs_rc_t gs_cli_seal_node(void *data, unsigned level, uint64_t index,
    gs_uchar_t *hash);

/* The hashes of one tile, tiles->width of them. */
gs_rc_t gs_cli_seal_tile(gs_cli_seal_tiles_t *tiles, unsigned level,
    uint64_t tile);
unsigned gs_cli_seal_width(uint64_t size, unsigned level, uint64_t tile);

/* All of --key; a public key may be given as its text or in a file. */
int gs_cli_seal_public(gs_cli_t *cli, gs_cli_seal_keys_t *keys);
int gs_cli_seal_private(gs_cli_t *cli, gs_cli_seal_keys_t *keys);
void gs_cli_seal_free(gs_cli_seal_keys_t *keys);


#endif /* _GS_CLI_SEAL_H_INCLUDED_ */
