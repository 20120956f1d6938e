
/*
 * Copyright (C) govsvc authors
 *
 * A table that many processes read while one replaces it.  Three arenas of
 * shared memory hold immutable tables; readers tell by an epoch which one
 * they may be looking at, so a writer never touches it.  Beside the arenas
 * stand slots: the state that things named by a table (peers, pools) keep
 * while tables come and go.
 *
 * A process may be killed at any instruction.  A dead reader is found by its
 * pid, a dead writer loses the lock, and what it left half written was never
 * current.  There are no pointers in the memory, only offsets.
 */


#ifndef _GS_REGISTRY_H_INCLUDED_
#define _GS_REGISTRY_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "core/gs_rc.h"


/* changes with the layout; a zone of another layout is refused */
#define GS_REGISTRY_VERSION  1
#define GS_REGISTRY_WORDS    7


typedef struct gs_registry_s  gs_registry_t;


/*
 * What a table names.  The key says what the thing is: a thing of the same key
 * keeps its slot from table to table.  aux comes back with the entry.
 */
typedef struct {
    uint64_t                    key[2];
    uint64_t                    aux[2];
} gs_registry_name_t;


typedef struct {
    uint64_t                    key[2];
    uint64_t                    aux[2];
    uint32_t                    slot;
    uint32_t                    generation;
} gs_registry_entry_t;


/*
 * One cache line.  The generation is given anew with every owner and never
 * repeats while the memory lives, so it also serves as a number for the key.
 * The words are zero for a new owner; users access them atomically.
 */
typedef struct {
    uint32_t                    generation;
    uint32_t                    reserved;
    uint64_t                    words[GS_REGISTRY_WORDS];
} gs_registry_slot_t;


/* A table as a reader sees it; valid until gs_registry_leave(). */
typedef struct {
    uint64_t                    revision;  /* from 1 */
    const void                 *blob;      /* aligned to 64 bytes */
    size_t                      size;
    const gs_registry_entry_t  *entries;   /* in the order of the names */
    uint32_t                    nentries;
} gs_registry_view_t;


/* 1 if the process may still run. */
typedef int (*gs_registry_alive_pt)(int64_t pid);


/* Bytes of memory in which tables of that size fit. */
size_t gs_registry_size(size_t blob, uint32_t names, uint32_t readers);

/*
 * Carves the memory: zeros, aligned to 64 bytes, to be shared by all.
 * GS_ERROR if it is too small to hold anything.
 */
gs_rc_t gs_registry_create(void *base, size_t size, uint32_t readers);

/* The registry in memory carved before, NULL if it is none of this layout. */
gs_registry_t *gs_registry_open(void *base);

/* 1 if a table of that size would fit. */
int gs_registry_fits(gs_registry_t *reg, size_t blob, uint32_t names);

uint32_t gs_registry_slots(gs_registry_t *reg);
gs_registry_slot_t *gs_registry_slot(gs_registry_t *reg, uint32_t slot);

/* Revision of the current table, 0 if there is none yet. */
uint64_t gs_registry_revision(gs_registry_t *reg);


/*
 * Gives the reader's place (below readers) to the process; whatever a former
 * owner left there is void.
 */
void gs_registry_attach(gs_registry_t *reg, uint32_t reader, int64_t pid);

/*
 * Begins to read: fills the view and answers GS_OK, or GS_DECLINED if no table
 * was ever published; then nothing is to be left.  Never waits.  Not to be
 * entered twice by one reader.
 */
gs_rc_t gs_registry_enter(gs_registry_t *reg, uint32_t reader,
    gs_registry_view_t *view);
void gs_registry_leave(gs_registry_t *reg, uint32_t reader);


/*
 * Makes a copy of the blob the current table.  GS_DECLINED if just this is
 * current already; GS_BUSY if another process is publishing or readers hold
 * all other arenas: to be tried again; GS_ERROR if it does not fit, a key
 * comes twice, or slots or generations are used up.  The old table stays
 * current unless GS_OK.
 */
gs_rc_t gs_registry_publish(gs_registry_t *reg, int64_t pid,
    gs_registry_alive_pt alive, const void *blob, size_t size,
    const gs_registry_name_t *names, uint32_t nnames);


#endif /* _GS_REGISTRY_H_INCLUDED_ */
