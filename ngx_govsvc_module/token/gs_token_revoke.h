
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
 * refuses new entries and forgets none.
 */


#ifndef _GS_TOKEN_REVOKE_H_INCLUDED_
#define _GS_TOKEN_REVOKE_H_INCLUDED_


#include "core/gs_err.h"
#include "token/gs_token.h"


#define GS_TOKEN_REVOKE_MIN      65536     /* bytes */
#define GS_TOKEN_REVOKE_NEVER    GS_TOKEN_MAX_TIME
#define GS_TOKEN_REVOKE_VALUE    1024      /* bytes of a value */


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
 * Adds an entry, or extends one there is: until and before only grow.  Other
 * processes see it at once.  GS_OK; GS_BUSY: the table is full, nothing is
 * revoked; GS_ERROR: an empty or too long value, or an entry dead already.
 */
gs_rc_t gs_token_revoke_add(gs_token_revoke_t *t,
    const gs_token_revocation_t *rev, int64_t now);

/* Ends an entry.  GS_DECLINED if there is none. */
gs_rc_t gs_token_revoke_lift(gs_token_revoke_t *t,
    const gs_token_revocation_t *rev, int64_t now);

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

/* "jti", "sid", "sub", "kid", "sub_before", then NULL. */
extern const char *const  gs_token_revoke_names[];


/*
 * The table as text, for a file: entries alive at the time now and the keys
 * of the hash, ended by a checksum.  Bytes that the text takes at most, and
 * the text itself; returns its length, 0 if size did not suffice, because
 * entries were added meanwhile.  gs_token_revoke_state.c.
 */
size_t gs_token_revoke_dump_size(const gs_token_revoke_t *t, int64_t now);
size_t gs_token_revoke_dump(const gs_token_revoke_t *t, int64_t now,
    void *dst, size_t size);

/*
 * Fills a table just laid out with such a text.  GS_ERROR, and err tells line
 * and cause, if the text is damaged or the table too small; the table is then
 * not to be used.
 */
gs_rc_t gs_token_revoke_load(gs_token_revoke_t *t, const gs_str_t *text,
    int64_t now, gs_err_t *err);


/*
 * Adds the entries of such a text that another table wrote, whose hash has the
 * same key.  GS_DECLINED if the key is another one.
 */
gs_rc_t gs_token_revoke_merge(gs_token_revoke_t *t, const gs_str_t *text,
    int64_t now, gs_err_t *err);


#endif /* _GS_TOKEN_REVOKE_H_INCLUDED_ */
