
/*
 * Copyright (C) govsvc authors
 *
 * The folder of a seal: tiles of the tree, "index", "state", "checkpoint"; and
 * the folders of the store that is sealed.
 *
 * This room works on files, with neither Nginx nor a terminal: the command and
 * the server seal with the same code.  All calls block.
 */


#ifndef _GS_SEAL_H_INCLUDED_
#define _GS_SEAL_H_INCLUDED_


#include "audit/gs_audit_seal.h"
#include "audit/gs_audit_tree.h"
#include "core/gs_mem.h"


#define GS_SEAL_KEYS        8
#define GS_SEAL_KEY_HEAD    "govsvc-seal-key "
#define GS_SEAL_KEY_WITNESS "govsvc-witness-key "
#define GS_SEAL_PATH        4096
#define GS_SEAL_TEXT        1024           /* a report, with NUL */
#define GS_SEAL_TILE_BYTES  (GS_AUDIT_TILE_WIDTH * GS_AUDIT_HASH)


/*
 * To whom failures are told, once each, where they happen: text is one line,
 * in Chinese if zh is set and there is a translation.  May be called by any
 * thread that works here.
 */
typedef void (*gs_seal_tell_pt)(void *data, const char *text);


typedef struct {
    gs_seal_tell_pt      tell;
    void                *data;
    unsigned             zh:1;
} gs_seal_log_t;


/* Tiles of a tree of that size; the last one read is kept. */
typedef struct {
    const gs_seal_log_t *log;
    const char          *path;
    uint64_t             size;
    unsigned             level;            /* of tiles */
    unsigned             width;            /* 0: none is held */
    uint64_t             tile;
    gs_uchar_t           hashes[GS_SEAL_TILE_BYTES];
} gs_seal_tiles_t;


/* Public or private keys of one log. */
typedef struct {
    unsigned             n;
    gs_audit_key_t       keys[GS_SEAL_KEYS];
} gs_seal_keys_t;


/* Names with their path, in memory of the caller. */
typedef struct {
    char               **names;
    size_t               n;
    size_t               size;
} gs_seal_file_list_t;


/* Tells the text and returns rc. */
gs_rc_t gs_seal_fail(const gs_seal_log_t *log, gs_rc_t rc, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));


/* PATH/NAME; GS_ERROR, which is told, if it is too long. */
gs_rc_t gs_seal_path(const gs_seal_log_t *log, char *dst, const char *path,
    const char *name);

/*
 * A file below path, whole and durable, or as it was before.  Folders on the
 * way are made.  GS_ERROR is told.
 */
gs_rc_t gs_seal_put(const gs_seal_log_t *log, const char *path,
    const char *name, const gs_str_t *text);
int gs_seal_sync(const char *path);        /* a folder; -1 and errno */

/* A file of at most size bytes; GS_DECLINED if there is none. */
gs_rc_t gs_seal_get(const gs_seal_log_t *log, const char *path,
    const char *name, void *data, size_t size, size_t *len);


/* For gs_audit_tree_load() and proofs; data is gs_seal_tiles_t. */
void gs_seal_tiles(gs_seal_tiles_t *tiles, const gs_seal_log_t *log,
    const char *path, uint64_t size);
gs_rc_t gs_seal_node(void *data, unsigned level, uint64_t index,
    gs_uchar_t *hash);

/* The hashes of one tile, tiles->width of them. */
gs_rc_t gs_seal_tile(gs_seal_tiles_t *tiles, unsigned level, uint64_t tile);
unsigned gs_seal_width(uint64_t size, unsigned level, uint64_t tile);

/* The tile of a level that a tree of that size ends in, and its width. */
unsigned gs_seal_edge(uint64_t size, unsigned level, uint64_t *tile);


/*
 * Adds a private key from a file that "govsvc audit keygen" made.  GS_DECLINED
 * when there is no place for it or it is of another log than the first one,
 * GS_ERROR when it cannot be read, may be read by others or is no key; all
 * are told.
 */
gs_rc_t gs_seal_key_add(gs_seal_keys_t *keys, const char *path,
    const gs_seal_log_t *log);
void gs_seal_keys_free(gs_seal_keys_t *keys);

/* The private key of a witness; GS_ERROR is told. */
gs_rc_t gs_seal_key_witness(gs_audit_key_t *key, const char *path,
    const gs_seal_log_t *log);


/*
 * Appends the folders and segments in path to the lists, with path before
 * each name, and sorts them; folders may be NULL.  GS_ERROR is told.
 */
gs_rc_t gs_seal_list_read(gs_mem_t *mem, const gs_seal_log_t *log,
    const char *path, gs_seal_file_list_t *folders,
    gs_seal_file_list_t *segments);

/* Appends one name; folder may be NULL.  GS_ERROR if memory is out. */
gs_rc_t gs_seal_list_push(gs_mem_t *mem, gs_seal_file_list_t *list,
    const char *folder, const char *name);

/* The order in which segments of one chain follow each other. */
void gs_seal_list_sort(gs_seal_file_list_t *segments);

/* What stands behind the last slash. */
const char *gs_seal_base(const char *path);

/* The name of a segment, without folder and ".seg", GS_AUDIT_NAME_MAX. */
void gs_seal_stem(const char *path, char *stem);


#endif /* _GS_SEAL_H_INCLUDED_ */
