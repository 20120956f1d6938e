
/*
 * Copyright (C) govsvc authors
 *
 * Who is kept out, and until when: a table in memory shared by processes.
 * To look an address up costs one or two cache lines, and no lock.  An entry
 * has one writer at a time, told by its pid; the next one takes over from a
 * writer that is gone, so a process may die at any instruction.
 *
 * A ban that runs is never put out to make room for another.  One that has
 * ended is kept while there is room, so that the next of the same key can be
 * longer.
 */


#ifndef _GS_BAN_H_INCLUDED_
#define _GS_BAN_H_INCLUDED_


#include "core/gs_net.h"
#include "core/gs_siphash.h"


#define GS_BAN_MIN       16384             /* bytes of a table */
#define GS_BAN_LABEL     128               /* bytes of each text, at most */
#define GS_BAN_REASON    48
#define GS_BAN_ACTOR     48
#define GS_BAN_EVIDENCE  80
#define GS_BAN_TIERS     8


typedef enum {
    GS_BAN_NET = 0,                        /* an address or a network */
    GS_BAN_SUBJECT,
    GS_BAN_APP,
    GS_BAN_KID,                            /* the key of tokens */
    GS_BAN_KINDS
} gs_ban_kind_e;


/* A key by its keyed hash; equal on nodes that share the secret. */
typedef struct {
    uint64_t             h[2];
    gs_ban_kind_e        kind;
    gs_net_t             net;              /* of GS_BAN_NET */
} gs_ban_id_t;


/* How long the first, second, ... ban of a key lasts. */
typedef struct {
    unsigned             n;
    uint64_t             ms[GS_BAN_TIERS];
    uint64_t             memory;           /* ms, after which it is the first */
} gs_ban_tiers_t;


/* Texts are cut to what an entry holds. */
typedef struct {
    uint64_t             until;            /* ms since 1970; 0: by tiers */
    const gs_ban_tiers_t  *tiers;
    uint32_t             rule;             /* 0: none */
    gs_str_t             label;            /* what people see of the key */
    gs_str_t             reason;
    gs_str_t             actor;
    gs_str_t             evidence;         /* masked already */
    unsigned             local:1;          /* not to be told to other nodes */
    unsigned             tier;             /* with until: at least this one */
} gs_ban_t;


/* A copy of an entry. */
typedef struct {
    uint64_t             h[2];
    gs_ban_kind_e        kind;
    uint64_t             since;            /* ms */
    uint64_t             until;
    uint32_t             rule;
    unsigned             tier;             /* from 0 */
    unsigned             local:1;
    gs_net_family_e      family;           /* of GS_BAN_NET, */
    unsigned             bits;             /* as of its id */
    gs_str_t             label;            /* into text */
    gs_str_t             reason;
    gs_str_t             actor;
    gs_str_t             evidence;
    gs_uchar_t           text[GS_BAN_LABEL + GS_BAN_REASON + GS_BAN_ACTOR
                              + GS_BAN_EVIDENCE];
} gs_ban_entry_t;


typedef struct gs_ban_hdr_s  gs_ban_hdr_t;


/* A process's view of the memory. */
typedef struct {
    gs_ban_hdr_t        *hdr;
    uint64_t            *tags;
    void                *entries;
    uint32_t             pid;              /* of this process, not 0 */
    int                (*alive)(uint32_t pid);     /* 0: it is gone */
} gs_ban_table_t;


typedef struct {
    uint64_t             slots;
    uint64_t             added;
    uint64_t             lifted;
    uint64_t             full;             /* bans that found no room */
} gs_ban_stat_t;


/* "net", "subject", "app", "kid", NULL. */
extern const char *const  gs_ban_kinds[];


/*
 * Lays an empty table out in size bytes of zeros, aligned to 64.  pid and
 * alive of t are set by the caller.  GS_ERROR if size is below GS_BAN_MIN.
 */
gs_rc_t gs_ban_create(gs_ban_table_t *t, void *memory, size_t size,
    const gs_siphash_key_t *secret);

/* 1 if the keys of the table are hashes under that secret. */
int gs_ban_secret_is(const gs_ban_table_t *t, const gs_siphash_key_t *secret);

/* GS_ERROR if memory holds no table of this layout and size. */
gs_rc_t gs_ban_attach(gs_ban_table_t *t, void *memory, size_t size);


/*
 * The key of a network, in its normal form, and of any other kind.  The
 * network may be a whole address.
 */
void gs_ban_net(const gs_ban_table_t *t, const gs_net_t *net,
    gs_ban_id_t *id);
void gs_ban_key(const gs_ban_table_t *t, gs_ban_kind_e kind,
    const gs_str_t *key, gs_ban_id_t *id);

/*
 * Bans the key.  With a time it lasts until then at least, also where it was
 * banned for less; with tiers nothing changes while a ban of the key runs.
 * *until and *tier, which may be NULL, are what holds now.  GS_OK: banned,
 * or banned longer; GS_DECLINED: it was banned so long already; GS_BUSY: no
 * room; GS_ERROR: the time has passed, or neither time nor tiers.
 */
gs_rc_t gs_ban_add(gs_ban_table_t *t, const gs_ban_id_t *id,
    const gs_ban_t *ban, uint64_t now, uint64_t *until, unsigned *tier);

/*
 * Ends the ban and forgets how often there was one, also of a ban that has
 * ended by itself.  GS_DECLINED if the key is not banned, GS_BUSY if an entry
 * is being written for too long.
 */
gs_rc_t gs_ban_lift(gs_ban_table_t *t, const gs_ban_id_t *id, uint64_t now);


/* The time until which the key is banned, 0 if it is not. */
uint64_t gs_ban_until(const gs_ban_table_t *t, const gs_ban_id_t *id,
    uint64_t now);

/* The same for an address: its own ban or that of a network around it. */
uint64_t gs_ban_address(const gs_ban_table_t *t, const gs_net_t *address,
    uint64_t now, gs_ban_id_t *id);

/* 1 if there may be entries of that kind. */
int gs_ban_has(const gs_ban_table_t *t, gs_ban_kind_e kind);

/* A copy of the key's entry, GS_DECLINED if it is not banned. */
gs_rc_t gs_ban_find(const gs_ban_table_t *t, const gs_ban_id_t *id,
    uint64_t now, gs_ban_entry_t *entry);

/*
 * The next ban that runs at or behind slot *cursor, which starts at 0 and is
 * moved on.  GS_DONE at the end.  Bans added meanwhile may be missed.
 */
gs_rc_t gs_ban_next(const gs_ban_table_t *t, uint64_t *cursor, uint64_t now,
    gs_ban_entry_t *entry);

/* Grows with every change of the table. */
uint64_t gs_ban_changes(const gs_ban_table_t *t);

void gs_ban_stat(const gs_ban_table_t *t, gs_ban_stat_t *stat);


#endif /* _GS_BAN_H_INCLUDED_ */
