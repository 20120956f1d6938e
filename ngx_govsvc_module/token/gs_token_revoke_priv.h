
/*
 * Copyright (C) govsvc authors
 *
 * The layout of the table, for those who keep it, write and read it as text,
 * and test it.
 *
 *     header | entries of 64 bytes
 *
 * An entry stands in one of GS_TOKEN_REVOKE_WINDOW places that follow the one
 * its hash names.  Places are taken from the front, and a place once used is
 * never as if it had not been, so a search may end at the first place that
 * nobody ever touched.
 */


#ifndef _GS_TOKEN_REVOKE_PRIV_H_INCLUDED_
#define _GS_TOKEN_REVOKE_PRIV_H_INCLUDED_


#include "token/gs_token_revoke.h"
#include "core/gs_siphash.h"


#define GS_TOKEN_REVOKE_MAGIC    0x47545231u    /* GTR1 */
#define GS_TOKEN_REVOKE_VERSION  2
#define GS_TOKEN_REVOKE_WINDOW   32
#define GS_TOKEN_REVOKE_REST     60        /* s before a place is used again */
#define GS_TOKEN_REVOKE_TIME     (1ull << 62)  /* ms; far from overflow */


struct gs_token_revoke_hdr_s {
    uint32_t          magic;
    uint32_t          version;
    uint64_t          size;
    uint64_t          slots;
    gs_siphash_key_t  key;
    uint64_t          epoch;
    uint64_t          added;               /* 0: nothing was ever revoked */
    uint64_t          full;
    uint64_t          dirty;               /* changes of the content */
    uint64_t          saved;               /* those that a file has */
    int64_t           saved_at;            /* s */
    uint64_t          file;                /* mark of that last written */
    uint64_t          path;                /* number of its name */
    uint64_t          cycles;              /* that were configured */
    uint64_t          cycle;               /* the last that has workers */
    uint64_t          shared;              /* the key is that of all nodes */
    gs_siphash_key_t  former;              /* 0: none */
    uint64_t          formers;             /* entries may be under it */

    /* of the nodes */
    uint64_t          generation;          /* of what they know */
    uint64_t          cursor;              /* of what they say, 0: none */
    uint64_t          mark;                /* of where they say it, 0: none */
    uint64_t          untold;              /* 1: look for such */
    uint64_t          follows;             /* 1: what they say is read */
    uint64_t          tells;               /* that arrived */
    uint64_t          hears;               /* that changed something */
    uint64_t          pad[6];
};


/*
 * owner is the process that writes the entry, 0 if none does; until is stored
 * last and makes the rest valid.  revoked and lifted only grow while the place
 * is of this entry, which is in force unless the second is greater.
 */
typedef struct {
    uint64_t          owner;
    uint64_t          hash[2];
    int64_t           until;               /* s, 0: never used */
    int64_t           before;
    uint64_t          revoked;             /* ms */
    uint64_t          lifted;              /* ms */
    uint32_t          kind;
    uint32_t          told;                /* sum of what other nodes know */
} gs_token_revoke_entry_t;


/* The entry with that hash: in force, or else lifted and kept, or NULL. */
gs_token_revoke_entry_t *gs_token_revoke_find(const gs_token_revoke_t *t,
    const uint64_t hash[2], int lifted, int64_t now);

/* An empty place for it, of this process until owner is 0 again; or NULL. */
gs_token_revoke_entry_t *gs_token_revoke_claim(gs_token_revoke_t *t,
    const uint64_t hash[2], int64_t now);

/* After a change. */
void gs_token_revoke_changed(gs_token_revoke_t *t);

/* 0 if there is none, neither in force nor kept. */
int gs_token_revoke_copy(const gs_token_revoke_entry_t *e, int64_t now,
    gs_token_revoke_item_t *item);

/* 1 if other nodes do not know e, of which item is a copy. */
int gs_token_revoke_untold(const gs_token_revoke_t *t,
    const gs_token_revoke_entry_t *e, const gs_token_revoke_item_t *item);


#endif /* _GS_TOKEN_REVOKE_PRIV_H_INCLUDED_ */
