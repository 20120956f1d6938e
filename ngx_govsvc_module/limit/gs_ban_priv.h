
/*
 * Copyright (C) govsvc authors
 *
 * Who is kept out: the layout of the table, for the files of gs_ban.
 */


#ifndef _GS_BAN_PRIV_H_INCLUDED_
#define _GS_BAN_PRIV_H_INCLUDED_


#include "limit/gs_ban.h"


#define GS_BAN_SET    8
#define GS_BAN_TRIES  10000

/* never 0, which is the tag of an empty slot */
#define gs_ban_tag(id)      ((id)->h[0] | 1)

#define gs_ban_load(p)      __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define gs_ban_store(p, v)  __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define gs_ban_count(p)     (void) __atomic_fetch_add(p, 1, __ATOMIC_RELAXED)


typedef struct {
    uint64_t          lock;                /* pid of the writer, changes */
    uint64_t          until;               /* ms */
    uint64_t          check;               /* the other half of the hash */
    uint64_t          since;
    uint32_t          kind;
    uint32_t          rule;
    uint32_t          tier;
    uint16_t          label_len;
    uint16_t          reason_len;
    uint16_t          actor_len;
    uint16_t          evidence_len;
    gs_uchar_t        label[GS_BAN_LABEL];
    gs_uchar_t        reason[GS_BAN_REASON];
    gs_uchar_t        actor[GS_BAN_ACTOR];
    gs_uchar_t        evidence[GS_BAN_EVIDENCE];
    gs_uchar_t        local;
    gs_uchar_t        family;
    gs_uchar_t        bits;
    gs_uchar_t        unused[25];
} gs_ban_slot_t;


struct gs_ban_hdr_s {
    uint32_t          magic;
    uint32_t          version;
    uint64_t          size;
    uint64_t          sets;
    gs_siphash_key_t  secret;
    uint64_t          kinds;               /* bits: there was one */
    uint64_t          inet;                /* bits: lengths of prefixes */

    uint64_t          inet6[3];
    uint64_t          changes;
    uint64_t          added;
    uint64_t          lifted;
    uint64_t          full;
    uint64_t          unused;
};


/* Slot i; the one in which a ban of the key runs, NULL if none does. */
gs_ban_slot_t *gs_ban_slot(const gs_ban_table_t *t, uint64_t i);
gs_ban_slot_t *gs_ban_own(const gs_ban_table_t *t, const gs_ban_id_t *id,
    uint64_t now, uint64_t *until);

/* 1 if a process that lives is writing. */
int gs_ban_writing(const gs_ban_table_t *t, uint64_t lock);


#endif /* _GS_BAN_PRIV_H_INCLUDED_ */
