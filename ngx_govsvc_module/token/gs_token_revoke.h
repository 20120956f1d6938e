
/*
 * Copyright (C) govsvc authors
 *
 * Tokens taken back before they expire: a table in memory shared by
 * processes.  No lock: an entry is published by one store and changed by
 * compare-and-swap, so a process may die at any instruction.
 *
 * An entry holds no identifier but 128 bits of a keyed hash of kind, issuer
 * and value.  It lives until a time after which no token that it means can be
 * good any more; nothing else removes it, so that a table which is full
 * refuses new entries and forgets none.  One that was lifted is kept for a
 * while, so that nobody who has not heard of it brings it back.
 *
 * Tables with the same key, one of each node, become equal by telling one
 * another their entries, in any order and any number of times.
 */


#ifndef _GS_TOKEN_REVOKE_H_INCLUDED_
#define _GS_TOKEN_REVOKE_H_INCLUDED_


#include "core/gs_err.h"
#include "token/gs_token.h"


#define GS_TOKEN_REVOKE_MIN      65536     /* bytes */
#define GS_TOKEN_REVOKE_NEVER    GS_TOKEN_MAX_TIME
#define GS_TOKEN_REVOKE_VALUE    1024      /* bytes of a value */
#define GS_TOKEN_REVOKE_KEEP     (7 * 86400)   /* s, of what was lifted */
#define GS_TOKEN_REVOKE_LINE     120       /* bytes of an entry as text */


typedef enum {
    GS_TOKEN_REVOKE_JTI = 0,
    GS_TOKEN_REVOKE_SID,
    GS_TOKEN_REVOKE_SUB,                   /* whatever it was issued at */
    GS_TOKEN_REVOKE_KID,
    GS_TOKEN_REVOKE_BEFORE,                /* of a sub, issued before */
    GS_TOKEN_REVOKE_KINDS
} gs_token_revoke_e;


typedef struct gs_token_revoke_hdr_s  gs_token_revoke_hdr_t;


/* A process's view of the memory. */
typedef struct {
    gs_token_revoke_hdr_t  *hdr;
    void                   *entries;
    uint32_t                pid;           /* of this process, not 0 */
    int                   (*alive)(uint32_t pid);    /* 0: it is gone */
} gs_token_revoke_t;


typedef struct {
    gs_token_revoke_e       kind;
    gs_str_t                iss;           /* of the policy */
    gs_str_t                value;
    int64_t                 before;        /* s; of GS_TOKEN_REVOKE_BEFORE */
    int64_t                 until;         /* s; when the entry dies */
} gs_token_revocation_t;


/* An entry as it stands, and as nodes tell one another. */
typedef struct {
    uint64_t                hash[2];
    gs_token_revoke_e       kind;
    int64_t                 until;         /* s */
    int64_t                 before;        /* s; of GS_TOKEN_REVOKE_BEFORE */
    uint64_t                revoked;       /* ms; the last time */
    uint64_t                lifted;        /* ms; likewise, 0: never */
} gs_token_revoke_item_t;


/* A change of an entry, for other nodes. */
typedef struct {
    gs_token_revoke_item_t  is;
    gs_token_revoke_item_t  was;           /* if it was there */
    unsigned                had:1;
} gs_token_revoke_change_t;


/* What a token says of itself; a part that it does not say has len 0. */
typedef struct {
    gs_str_t                iss;           /* of the policy */
    gs_str_t                jti;
    gs_str_t                sid;
    gs_str_t                sub;
    gs_str_t                actor;         /* who acts for sub */
    gs_str_t                kid;
    int64_t                 iat;           /* s; 0: unknown */
} gs_token_revoke_subject_t;


typedef struct {
    uint64_t                slots;
    uint64_t                live;
    uint64_t                lifted;        /* that are kept */
    uint64_t                untold;        /* to the other nodes */
    uint64_t                full;          /* entries that found no room */
    uint64_t                epoch;
} gs_token_revoke_stat_t;


/*
 * Lays an empty table out in size bytes of zeros, aligned to 64; random is
 * the secret key of the hash and the first epoch.  GS_ERROR if size is below
 * GS_TOKEN_REVOKE_MIN.
 */
gs_rc_t gs_token_revoke_create(gs_token_revoke_t *t, void *memory,
    size_t size, const gs_uchar_t random[24]);

/* GS_ERROR if memory does not hold a table of this layout. */
gs_rc_t gs_token_revoke_attach(gs_token_revoke_t *t, void *memory,
    size_t size);

/*
 * The key of the hash of all nodes, for a table just laid out, before a state
 * is loaded: what that has under its own key stays in force.
 */
void gs_token_revoke_share(gs_token_revoke_t *t, const gs_uchar_t key[16]);

/* 1 if the table was laid out with that key, or with none where key is NULL. */
int gs_token_revoke_shared(const gs_token_revoke_t *t,
    const gs_uchar_t key[16]);

/*
 * Adds an entry, or extends one there is: until and before only grow.  Other
 * processes see it at once.  GS_OK, and tell (which may be NULL) has the
 * changes that other nodes have to know, as many as *n says, at most 2;
 * GS_BUSY: the table is full, nothing is revoked; GS_ERROR: an empty or too
 * long value, or an entry dead already.
 */
gs_rc_t gs_token_revoke_add(gs_token_revoke_t *t,
    const gs_token_revocation_t *rev, int64_t now,
    gs_token_revoke_change_t *tell, unsigned *n);

/* Ends an entry, likewise.  GS_DECLINED if there is none. */
gs_rc_t gs_token_revoke_lift(gs_token_revoke_t *t,
    const gs_token_revocation_t *rev, int64_t now,
    gs_token_revoke_change_t *tell, unsigned *n);

/*
 * 1 if the token is revoked.  One issued at an unknown time counts as issued
 * before any time.
 */
int gs_token_revoke_check(const gs_token_revoke_t *t,
    const gs_token_revoke_subject_t *subject, int64_t now);

/*
 * Changes with every change of the table, and is never 0; read before a check
 * whose result is kept.
 */
uint64_t gs_token_revoke_epoch(const gs_token_revoke_t *t);

void gs_token_revoke_stat(const gs_token_revoke_t *t, int64_t now,
    gs_token_revoke_stat_t *stat);

/*
 * The next entry at or behind place *cursor, which starts at 0 and is moved on;
 * with all, also those that were lifted, and with untold only those that other
 * nodes do not know.  GS_DONE at the end, or after at most look places (then
 * *cursor is not yet slots of the table).
 */
gs_rc_t gs_token_revoke_next(const gs_token_revoke_t *t, uint64_t *cursor,
    uint64_t look, int all, int untold, int64_t now,
    gs_token_revoke_item_t *item);

/* 1: it is revoked; 0: it was, and a lift came later. */
int gs_token_revoke_holds(const gs_token_revoke_item_t *item);

/*
 * Takes over what another node told: of a revocation and a lift the later one
 * counts, at the same time the revocation; of two revocations that no lift
 * came between the longer until and the greater before.  GS_OK: something
 * changed; GS_DECLINED: nothing; GS_BUSY: no room, which is counted; GS_ERROR:
 * it is over already.  With the first two, *now_is is what stands now.
 */
gs_rc_t gs_token_revoke_merge(gs_token_revoke_t *t,
    const gs_token_revoke_item_t *item, int64_t now,
    gs_token_revoke_item_t *now_is);

/* The other nodes know this entry, if it still is what it was. */
void gs_token_revoke_told(gs_token_revoke_t *t,
    const gs_token_revoke_item_t *item, int64_t now);

/* They know nothing. */
void gs_token_revoke_forgotten(gs_token_revoke_t *t);

/* s; when an entry need not be known any more. */
int64_t gs_token_revoke_end(const gs_token_revoke_item_t *item);

/*
 * An entry as text: "HASH KIND UNTIL BEFORE REVOKED LIFTED".  _print() takes
 * GS_TOKEN_REVOKE_LINE bytes and returns its length; _parse() takes any bytes,
 * GS_ERROR if they are no entry.
 */
size_t gs_token_revoke_print(const gs_token_revoke_item_t *item, void *dst);
gs_rc_t gs_token_revoke_parse(const gs_str_t *text,
    gs_token_revoke_item_t *item);

int gs_token_revoke_same(const gs_token_revoke_item_t *a,
    const gs_token_revoke_item_t *b);

/* "jti", "sid", "sub", "kid", "sub_before", then NULL. */
extern const char *const  gs_token_revoke_names[];


/*
 * The table as text, for a file: entries kept at the time now and the keys
 * of the hash, ended by a checksum.  Bytes that the text takes at most, and
 * the text itself; returns its length, 0 if size did not suffice, because
 * entries were added meanwhile.  gs_token_revoke_state.c.
 */
size_t gs_token_revoke_dump_size(const gs_token_revoke_t *t, int64_t now);
size_t gs_token_revoke_dump(const gs_token_revoke_t *t, int64_t now,
    void *dst, size_t size);

/*
 * Fills a table just laid out with such a text.  GS_ERROR, and err tells line
 * and cause, if the text is damaged or the table too small, or if it holds
 * entries under two keys that are not this table's; the table is then not to
 * be used.
 */
gs_rc_t gs_token_revoke_load(gs_token_revoke_t *t, const gs_str_t *text,
    int64_t now, gs_err_t *err);


/*
 * Merges the entries of such a text that another table wrote, whose hash has
 * the same keys.  GS_DECLINED if they are others.
 */
gs_rc_t gs_token_revoke_load_more(gs_token_revoke_t *t, const gs_str_t *text,
    int64_t now, gs_err_t *err);


#endif /* _GS_TOKEN_REVOKE_H_INCLUDED_ */
