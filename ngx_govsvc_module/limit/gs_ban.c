
/*
 * Copyright (C) govsvc authors
 *
 * Who is kept out, and until when.
 *
 * A key may stand in one of two sets of eight slots.  The tags of a set are
 * one cache line; the entry of a slot is looked at only when its tag is the
 * key's.  An entry counts by its time alone, which is written last and, when
 * a slot changes its key, set to zero first: half an entry is no ban.
 */


#include "core/gs_fault.h"
#include "limit/gs_ban_priv.h"


#define GS_BAN_MAGIC    0x62674e76u        /* "vNgb" */
#define GS_BAN_VERSION  2


__extension__ typedef unsigned __int128  gs_ban_wide_t;


static void gs_ban_view(gs_ban_table_t *t, void *memory);
static uint64_t gs_ban_sets(size_t size);
static uint64_t gs_ban_set(const gs_ban_table_t *t, const gs_ban_id_t *id,
    unsigned which);
static gs_ban_slot_t *gs_ban_claim(gs_ban_table_t *t, const gs_ban_id_t *id,
    uint64_t now, uint64_t *index);
static uint64_t gs_ban_place(gs_ban_table_t *t, const gs_ban_id_t *id,
    uint64_t now);
static int gs_ban_lock(gs_ban_table_t *t, gs_ban_slot_t *slot);
static void gs_ban_forget(gs_ban_table_t *t, const gs_ban_id_t *id,
    uint64_t now);
static void gs_ban_unlock(gs_ban_slot_t *slot);
static uint64_t gs_ban_decide(const gs_ban_slot_t *slot, int own,
    const gs_ban_t *ban, uint64_t now, unsigned *tier);
static void gs_ban_write(gs_ban_slot_t *slot, const gs_ban_id_t *id,
    const gs_ban_t *ban, uint64_t now);
static uint16_t gs_ban_text(gs_uchar_t *dst, size_t size, const gs_str_t *s);
static void gs_ban_mark(gs_ban_table_t *t, const gs_ban_id_t *id);


const char *const  gs_ban_kinds[] = {
    "net", "subject", "app", "kid", NULL
};


static uint64_t
gs_ban_sets(size_t size)
{
    return (size - sizeof(gs_ban_hdr_t))
           / (GS_BAN_SET * (sizeof(gs_ban_slot_t) + sizeof(uint64_t)));
}


static void
gs_ban_view(gs_ban_table_t *t, void *memory)
{
    t->hdr = memory;
    t->tags = (uint64_t *) (t->hdr + 1);
    t->entries = t->tags + gs_ban_sets(t->hdr->size) * GS_BAN_SET;
}


gs_rc_t
gs_ban_create(gs_ban_table_t *t, void *memory, size_t size,
    const gs_siphash_key_t *secret)
{
    gs_ban_hdr_t *hdr = memory;

    if (size < GS_BAN_MIN) {
        return GS_ERROR;
    }

    hdr->version = GS_BAN_VERSION;
    hdr->size = size;
    hdr->sets = gs_ban_sets(size);
    hdr->secret = *secret;

    gs_ban_store(&hdr->magic, GS_BAN_MAGIC);
    gs_ban_view(t, memory);

    return GS_OK;
}


int
gs_ban_secret_is(const gs_ban_table_t *t, const gs_siphash_key_t *secret)
{
    return memcmp(&t->hdr->secret, secret, sizeof(gs_siphash_key_t)) == 0;
}


gs_rc_t
gs_ban_attach(gs_ban_table_t *t, void *memory, size_t size)
{
    gs_ban_hdr_t *hdr = memory;

    if (size < GS_BAN_MIN
        || gs_ban_load(&hdr->magic) != GS_BAN_MAGIC
        || hdr->version != GS_BAN_VERSION
        || hdr->size != size
        || hdr->sets != gs_ban_sets(size))
    {
        return GS_ERROR;
    }

    gs_ban_view(t, memory);

    return GS_OK;
}


void
gs_ban_net(const gs_ban_table_t *t, const gs_net_t *net, gs_ban_id_t *id)
{
    gs_uchar_t  text[19];

    text[0] = GS_BAN_NET;
    text[1] = (gs_uchar_t) net->family;
    text[2] = (gs_uchar_t) net->bits;
    memcpy(text + 3, net->addr, 16);

    id->kind = GS_BAN_NET;
    id->net = *net;

    gs_siphash128(&t->hdr->secret, text, sizeof(text), id->h);
}


/* The kind goes into the key of the hash: the value may be of any length. */

void
gs_ban_key(const gs_ban_table_t *t, gs_ban_kind_e kind, const gs_str_t *key,
    gs_ban_id_t *id)
{
    gs_siphash_key_t  secret;

    memset(&id->net, 0, sizeof(gs_net_t));
    id->kind = kind;

    secret = t->hdr->secret;
    secret.k0 ^= (uint64_t) kind << 56;

    gs_siphash128(&secret, key->data, key->len, id->h);
}


gs_ban_slot_t *
gs_ban_slot(const gs_ban_table_t *t, uint64_t i)
{
    return (gs_ban_slot_t *) t->entries + i;
}


/* The first slot of one of the two sets of a key. */

static uint64_t
gs_ban_set(const gs_ban_table_t *t, const gs_ban_id_t *id, unsigned which)
{
    uint64_t  h;

    h = (which == 0) ? id->h[1] : id->h[1] << 32 | id->h[1] >> 32;

    return (uint64_t) (((gs_ban_wide_t) h * t->hdr->sets) >> 64) * GS_BAN_SET;
}


/* The slot of a key whose ban runs, or NULL. */

gs_ban_slot_t *
gs_ban_own(const gs_ban_table_t *t, const gs_ban_id_t *id, uint64_t now,
    uint64_t *until)
{
    uint64_t        i, first, tag, time;
    unsigned        k;
    gs_ban_slot_t  *slot;

    tag = gs_ban_tag(id);

    for (k = 0; k < 2; k++) {
        first = gs_ban_set(t, id, k);

        for (i = first; i < first + GS_BAN_SET; i++) {

            if (gs_ban_load(&t->tags[i]) != tag) {
                continue;
            }

            slot = gs_ban_slot(t, i);
            time = gs_ban_load(&slot->until);

            /* the slot may have got another key between the reads */

            if (time > now
                && gs_ban_load(&slot->check) == id->h[1]
                && gs_ban_load(&slot->until) == time
                && gs_ban_load(&t->tags[i]) == tag)
            {
                *until = time;
                return slot;
            }
        }
    }

    return NULL;
}


uint64_t
gs_ban_until(const gs_ban_table_t *t, const gs_ban_id_t *id, uint64_t now)
{
    uint64_t  until;

    return (gs_ban_own(t, id, now, &until) != NULL) ? until : 0;
}


uint64_t
gs_ban_address(const gs_ban_table_t *t, const gs_net_t *address, uint64_t now,
    gs_ban_id_t *id)
{
    gs_net_t  net;
    uint64_t  until, lengths;
    unsigned  word, words, bit;

    words = (address->family == GS_NET_IPV6) ? 3 : 1;

    for (word = 0; word < words; word++) {

        lengths = (words == 1) ? gs_ban_load(&t->hdr->inet)
                               : gs_ban_load(&t->hdr->inet6[word]);

        for ( ; lengths != 0; lengths &= lengths - 1) {
            bit = (unsigned) __builtin_ctzll(lengths) + word * 64;

            if (bit > address->bits) {
                break;
            }

            net = *address;
            gs_net_mask(&net, bit);
            gs_ban_net(t, &net, id);

            until = gs_ban_until(t, id, now);

            if (until != 0) {
                return until;
            }
        }
    }

    return 0;
}


int
gs_ban_has(const gs_ban_table_t *t, gs_ban_kind_e kind)
{
    return (gs_ban_load(&t->hdr->kinds) >> kind & 1) != 0;
}


gs_rc_t
gs_ban_add(gs_ban_table_t *t, const gs_ban_id_t *id, const gs_ban_t *ban,
    uint64_t now, uint64_t *until, unsigned *tier)
{
    int             own;
    uint64_t        i, time;
    unsigned        step;
    gs_ban_slot_t  *slot;

    if (ban->until <= now && (ban->until != 0 || ban->tiers == NULL)) {
        return GS_ERROR;
    }

    gs_ban_mark(t, id);

    slot = gs_ban_claim(t, id, now, &i);

    if (slot == NULL) {
        gs_ban_count(&t->hdr->full);
        return GS_BUSY;
    }

    own = (t->tags[i] == gs_ban_tag(id) && slot->check == id->h[1]);
    time = gs_ban_decide(slot, own, ban, now, &step);

    if (own && time <= slot->until) {
        time = slot->until;
        step = slot->tier;
        gs_ban_unlock(slot);

        own = 2;

    } else {

        if (!own) {
            gs_ban_store(&slot->until, 0);
            gs_ban_store(&t->tags[i], 0);
            gs_fault("ban-freed");
        }

        gs_ban_write(slot, id, ban, now);
        slot->tier = step;
        gs_ban_store(&slot->check, id->h[1]);
        gs_ban_store(&t->tags[i], gs_ban_tag(id));
        gs_fault("ban-tagged");

        gs_ban_store(&slot->until, time);
        gs_fault("ban-set");
        gs_ban_unlock(slot);

        gs_ban_count(&t->hdr->added);
        gs_ban_count(&t->hdr->changes);
    }

    if (until != NULL) {
        *until = time;
    }

    if (tier != NULL) {
        *tier = step;
    }

    return (own == 2) ? GS_DECLINED : GS_OK;
}


/* When the ban is to end, and of what tier it is. */

static uint64_t
gs_ban_decide(const gs_ban_slot_t *slot, int own, const gs_ban_t *ban,
    uint64_t now, unsigned *tier)
{
    const gs_ban_tiers_t  *tiers;

    *tier = 0;

    if (ban->until != 0) {
        *tier = (own && slot->tier > ban->tier) ? slot->tier : ban->tier;
        return ban->until;
    }

    tiers = ban->tiers;

    if (own && slot->until > now) {
        return slot->until;
    }

    if (own && slot->until != 0 && now - slot->until < tiers->memory) {
        *tier = (slot->tier + 1 < tiers->n) ? slot->tier + 1 : tiers->n - 1;
    }

    return now + tiers->ms[*tier];
}


static void
gs_ban_write(gs_ban_slot_t *slot, const gs_ban_id_t *id, const gs_ban_t *ban,
    uint64_t now)
{
    slot->since = now;
    slot->kind = (uint32_t) id->kind;
    slot->rule = ban->rule;
    slot->local = (gs_uchar_t) ban->local;
    slot->family = (gs_uchar_t) id->net.family;
    slot->bits = (gs_uchar_t) id->net.bits;

    slot->label_len = gs_ban_text(slot->label, GS_BAN_LABEL, &ban->label);
    slot->reason_len = gs_ban_text(slot->reason, GS_BAN_REASON, &ban->reason);
    slot->actor_len = gs_ban_text(slot->actor, GS_BAN_ACTOR, &ban->actor);
    slot->evidence_len = gs_ban_text(slot->evidence, GS_BAN_EVIDENCE,
                                     &ban->evidence);
}


/* Cut between characters. */

static uint16_t
gs_ban_text(gs_uchar_t *dst, size_t size, const gs_str_t *s)
{
    size_t  len;

    len = s->len;

    if (len > size) {
        for (len = size; len != 0 && (s->data[len] & 0xc0) == 0x80; len--) {
            /* void */
        }
    }

    if (len != 0) {
        memcpy(dst, s->data, len);
    }

    return (uint16_t) len;
}


/* Lengths of prefixes are never unmarked: it would cost more than a look. */

static void
gs_ban_mark(gs_ban_table_t *t, const gs_ban_id_t *id)
{
    uint64_t  *word, bit;

    (void) __atomic_fetch_or(&t->hdr->kinds, (uint64_t) 1 << id->kind,
                             __ATOMIC_RELEASE);

    if (id->kind != GS_BAN_NET) {
        return;
    }

    if (id->net.family == GS_NET_IPV6) {
        word = &t->hdr->inet6[id->net.bits / 64];
        bit = (uint64_t) 1 << id->net.bits % 64;

    } else {
        word = &t->hdr->inet;
        bit = (uint64_t) 1 << id->net.bits;
    }

    (void) __atomic_fetch_or(word, bit, __ATOMIC_RELEASE);
}


/* A slot for the key, locked: its own, else one that is free. */

static gs_ban_slot_t *
gs_ban_claim(gs_ban_table_t *t, const gs_ban_id_t *id, uint64_t now,
    uint64_t *index)
{
    uint64_t        i;
    unsigned        n;
    gs_ban_slot_t  *slot;

    for (n = 0; n < GS_BAN_TRIES; n++) {

        i = gs_ban_place(t, id, now);

        if (i == UINT64_MAX) {
            return NULL;
        }

        slot = gs_ban_slot(t, i);

        if (!gs_ban_lock(t, slot)) {
            continue;
        }

        /* as it was when it was chosen? */

        if ((gs_ban_load(&t->tags[i]) == gs_ban_tag(id)
             && slot->check == id->h[1])
            || gs_ban_load(&slot->until) <= now)
        {
            *index = i;
            return slot;
        }

        gs_ban_unlock(slot);
    }

    return NULL;
}


/* Its own slot, or the oldest free one of the set that has more of them. */

static uint64_t
gs_ban_place(gs_ban_table_t *t, const gs_ban_id_t *id, uint64_t now)
{
    uint64_t        i, first, best, mine, until, oldest;
    unsigned        k, n, most;
    gs_ban_slot_t  *slot;

    most = 0;
    best = UINT64_MAX;

    for (k = 0; k < 2; k++) {

        n = 0;
        mine = UINT64_MAX;
        oldest = UINT64_MAX;
        first = gs_ban_set(t, id, k);

        for (i = first; i < first + GS_BAN_SET; i++) {

            slot = gs_ban_slot(t, i);

            if (gs_ban_load(&t->tags[i]) == gs_ban_tag(id)
                && gs_ban_load(&slot->check) == id->h[1])
            {
                return i;
            }

            until = gs_ban_load(&slot->until);

            if (until > now) {
                continue;
            }

            n++;

            if (until < oldest) {
                oldest = until;
                mine = i;
            }
        }

        if (n > most) {
            most = n;
            best = mine;
        }
    }

    return best;
}


/* The word holds the pid of the writer above a count of changes. */

static int
gs_ban_lock(gs_ban_table_t *t, gs_ban_slot_t *slot)
{
    uint64_t  old, new;

    old = gs_ban_load(&slot->lock);

    if (gs_ban_writing(t, old)) {
        return 0;
    }

    new = (uint64_t) t->pid << 32 | (uint32_t) (old + 1);

    return __atomic_compare_exchange_n(&slot->lock, &old, new, 0,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}


int
gs_ban_writing(const gs_ban_table_t *t, uint64_t lock)
{
    uint32_t  pid;

    pid = (uint32_t) (lock >> 32);

    return pid != 0 && pid != t->pid && t->alive(pid);
}


static void
gs_ban_unlock(gs_ban_slot_t *slot)
{
    gs_ban_store(&slot->lock, (uint64_t) (uint32_t) (slot->lock + 1));
}


gs_rc_t
gs_ban_lift(gs_ban_table_t *t, const gs_ban_id_t *id, uint64_t now)
{
    gs_rc_t         rc;
    uint64_t        until;
    unsigned        n;
    gs_ban_slot_t  *slot;

    rc = GS_DECLINED;

    for (n = 0; n < GS_BAN_TRIES; n++) {

        slot = gs_ban_own(t, id, now, &until);

        if (slot == NULL) {

            if (rc == GS_DECLINED) {
                gs_ban_forget(t, id, now);
            }

            return rc;
        }

        if (!gs_ban_lock(t, slot)) {
            continue;
        }

        if (slot->check == id->h[1]) {
            slot->tier = 0;
            gs_ban_store(&slot->until, 0);
            gs_ban_count(&t->hdr->lifted);
            gs_ban_count(&t->hdr->changes);
            rc = GS_OK;
        }

        gs_ban_unlock(slot);
    }

    return GS_BUSY;
}


/* The next ban of the key is its first, though it was banned before. */

static void
gs_ban_forget(gs_ban_table_t *t, const gs_ban_id_t *id, uint64_t now)
{
    uint64_t        i;
    unsigned        n;
    gs_ban_slot_t  *slot;

    for (n = 0; n < GS_BAN_TRIES; n++) {

        i = gs_ban_place(t, id, now);

        if (i == UINT64_MAX || gs_ban_load(&t->tags[i]) != gs_ban_tag(id)) {
            return;
        }

        slot = gs_ban_slot(t, i);

        if (!gs_ban_lock(t, slot)) {
            continue;
        }

        if (slot->check == id->h[1] && gs_ban_load(&slot->until) <= now) {
            slot->tier = 0;
            gs_ban_store(&slot->until, 0);
        }

        gs_ban_unlock(slot);

        return;
    }
}
