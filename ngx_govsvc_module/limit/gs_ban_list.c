
/*
 * Copyright (C) govsvc authors
 *
 * Who is kept out: copies of entries, for people.
 */


#include "limit/gs_ban_priv.h"


static gs_rc_t gs_ban_copy(const gs_ban_table_t *t, const gs_ban_slot_t *slot,
    uint64_t tag, gs_ban_entry_t *entry);
static gs_str_t gs_ban_copy_text(gs_uchar_t **p, const gs_uchar_t *src,
    size_t len, size_t size);


gs_rc_t
gs_ban_find(const gs_ban_table_t *t, const gs_ban_id_t *id, uint64_t now,
    gs_ban_entry_t *entry)
{
    uint64_t        until;
    unsigned        n;
    gs_ban_slot_t  *slot;

    for (n = 0; n < GS_BAN_TRIES; n++) {

        slot = gs_ban_own(t, id, now, &until);

        if (slot == NULL) {
            return GS_DECLINED;
        }

        if (gs_ban_copy(t, slot, gs_ban_tag(id), entry) == GS_OK
            && entry->h[1] == id->h[1])
        {
            return GS_OK;
        }
    }

    return GS_DECLINED;
}


gs_rc_t
gs_ban_next(const gs_ban_table_t *t, uint64_t *cursor, uint64_t now,
    gs_ban_entry_t *entry)
{
    uint64_t        i, tag;
    unsigned        n;
    gs_ban_slot_t  *slot;

    while (*cursor < t->hdr->sets * GS_BAN_SET) {

        i = (*cursor)++;
        slot = gs_ban_slot(t, i);

        for (n = 0; n < GS_BAN_TRIES; n++) {

            tag = gs_ban_load(&t->tags[i]);

            if (tag == 0 || gs_ban_load(&slot->until) <= now) {
                break;
            }

            if (gs_ban_copy(t, slot, tag, entry) == GS_OK) {
                return GS_OK;
            }
        }
    }

    return GS_DONE;
}


/* GS_AGAIN if it is being written; texts are worthless if the writer died. */

static gs_rc_t
gs_ban_copy(const gs_ban_table_t *t, const gs_ban_slot_t *slot, uint64_t tag,
    gs_ban_entry_t *entry)
{
    uint64_t     lock;
    gs_uchar_t  *p;

    lock = gs_ban_load(&slot->lock);

    if (gs_ban_writing(t, lock)) {
        return GS_AGAIN;
    }

    p = entry->text;

    entry->h[0] = tag;
    entry->h[1] = gs_ban_load(&slot->check);
    entry->kind = (slot->kind < GS_BAN_KINDS) ? (gs_ban_kind_e) slot->kind
                                              : GS_BAN_NET;
    entry->since = slot->since;
    entry->until = gs_ban_load(&slot->until);
    entry->rule = slot->rule;
    entry->tier = slot->tier;
    entry->local = slot->local;
    entry->family = (gs_net_family_e) slot->family;
    entry->bits = slot->bits;
    entry->label = gs_ban_copy_text(&p, slot->label, slot->label_len,
                                    GS_BAN_LABEL);
    entry->reason = gs_ban_copy_text(&p, slot->reason, slot->reason_len,
                                     GS_BAN_REASON);
    entry->actor = gs_ban_copy_text(&p, slot->actor, slot->actor_len,
                                    GS_BAN_ACTOR);
    entry->evidence = gs_ban_copy_text(&p, slot->evidence, slot->evidence_len,
                                       GS_BAN_EVIDENCE);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    return (gs_ban_load(&slot->lock) == lock) ? GS_OK : GS_AGAIN;
}


static gs_str_t
gs_ban_copy_text(gs_uchar_t **p, const gs_uchar_t *src, size_t len,
    size_t size)
{
    gs_str_t  s;

    if (len > size) {
        len = size;
    }

    memcpy(*p, src, len);
    s = gs_str_make(*p, len);
    *p += len;

    return s;
}


uint64_t
gs_ban_changes(const gs_ban_table_t *t)
{
    return gs_ban_load(&t->hdr->changes);
}


void
gs_ban_stat(const gs_ban_table_t *t, gs_ban_stat_t *stat)
{
    stat->slots = t->hdr->sets * GS_BAN_SET;
    stat->added = gs_ban_load(&t->hdr->added);
    stat->lifted = gs_ban_load(&t->hdr->lifted);
    stat->full = gs_ban_load(&t->hdr->full);
}
