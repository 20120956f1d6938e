
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
#define GS_TOKEN_REVOKE_VERSION  1
#define GS_TOKEN_REVOKE_WINDOW   32
#define GS_TOKEN_REVOKE_REST     60        /* s before a place is used again */


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
    uint64_t          mark;                /* of the file last written */
    uint64_t          path;                /* number of its name */
    uint64_t          cycles;              /* that were configured */
    uint64_t          cycle;               /* the last that has workers */
    uint64_t          pad;
};


/*
 * owner is the process that writes the entry, 0 if none does; until is stored
 * last and makes the rest valid.
 */
typedef struct {
    uint64_t          owner;
    uint64_t          hash[2];
    int64_t           until;               /* s, 0: never used */
    int64_t           before;
    uint64_t          pad[3];
} gs_token_revoke_entry_t;


/* The entry itself, by its hash; as gs_token_revoke_add(). */
gs_rc_t gs_token_revoke_put(gs_token_revoke_t *t, const uint64_t hash[2],
    int64_t before, int64_t until, int64_t now);


#endif /* _GS_TOKEN_REVOKE_PRIV_H_INCLUDED_ */
