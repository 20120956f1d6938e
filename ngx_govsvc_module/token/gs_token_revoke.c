
/*
 * Copyright (C) govsvc authors
 *
 * The table of revocations.
 */


#include "token/gs_token_revoke_priv.h"


_Static_assert(sizeof(gs_token_revoke_hdr_t) == 256, "header layout");
_Static_assert(sizeof(gs_token_revoke_entry_t) == 64, "entry layout");


static uint64_t gs_token_revoke_plan(size_t size);
static gs_rc_t gs_token_revoke_lift_one(gs_token_revoke_t *t,
    const uint64_t hash[2], int64_t now, gs_token_revoke_change_t *change);
static uint64_t gs_token_revoke_later(uint64_t time,
    const gs_token_revoke_item_t *is);
static gs_rc_t gs_token_revoke_hash(const gs_siphash_key_t *key,
    gs_token_revoke_e kind, const gs_str_t *iss, const gs_str_t *value,
    uint64_t hash[2]);
static gs_token_revoke_entry_t *gs_token_revoke_place(
    const gs_token_revoke_t *t, const uint64_t hash[2], unsigned i);
static int64_t gs_token_revoke_kept(const gs_token_revoke_entry_t *e,
    int64_t until, unsigned *force);
static int gs_token_revoke_unused(const gs_token_revoke_entry_t *e,
    int64_t now, int full);
static int gs_token_revoke_has(const gs_token_revoke_t *t,
    gs_token_revoke_e kind, const gs_str_t *iss, const gs_str_t *value,
    int64_t iat, int64_t now);
static int gs_token_revoke_has_hash(const gs_token_revoke_t *t,
    const uint64_t hash[2], gs_token_revoke_e kind, int64_t iat, int64_t now);


const char *const  gs_token_revoke_names[] = {
    "jti",
    "sid",
    "sub",
    "kid",
    "sub_before",
    NULL
};


gs_rc_t
gs_token_revoke_create(gs_token_revoke_t *t, void *memory, size_t size,
    const gs_uchar_t random[24])
{
    gs_token_revoke_hdr_t  *hdr = memory;

    if (size < GS_TOKEN_REVOKE_MIN) {
        return GS_ERROR;
    }

    hdr->size = size;
    hdr->slots = gs_token_revoke_plan(size);

    memcpy(&hdr->key, random, sizeof(hdr->key));
    memcpy(&hdr->epoch, random + sizeof(hdr->key), sizeof(hdr->epoch));

    hdr->version = GS_TOKEN_REVOKE_VERSION;
    hdr->magic = GS_TOKEN_REVOKE_MAGIC;

    t->hdr = hdr;
    t->entries = hdr + 1;

    return GS_OK;
}


gs_rc_t
gs_token_revoke_attach(gs_token_revoke_t *t, void *memory, size_t size)
{
    gs_token_revoke_hdr_t  *hdr = memory;

    if (size < GS_TOKEN_REVOKE_MIN
        || hdr->magic != GS_TOKEN_REVOKE_MAGIC
        || hdr->version != GS_TOKEN_REVOKE_VERSION
        || hdr->size < GS_TOKEN_REVOKE_MIN
        || hdr->size > size
        || hdr->slots != gs_token_revoke_plan(hdr->size))
    {
        return GS_ERROR;
    }

    t->hdr = hdr;
    t->entries = hdr + 1;

    return GS_OK;
}


static uint64_t
gs_token_revoke_plan(size_t size)
{
    return (size - sizeof(gs_token_revoke_hdr_t))
           / sizeof(gs_token_revoke_entry_t);
}


void
gs_token_revoke_share(gs_token_revoke_t *t, const gs_uchar_t key[16])
{
    memcpy(&t->hdr->key, key, sizeof(t->hdr->key));
    t->hdr->shared = 1;
}


int
gs_token_revoke_shared(const gs_token_revoke_t *t, const gs_uchar_t key[16])
{
    if (key == NULL) {
        return t->hdr->shared == 0;
    }

    return t->hdr->shared != 0
           && gs_ct_eq(&t->hdr->key, key, sizeof(t->hdr->key));
}


gs_rc_t
gs_token_revoke_add(gs_token_revoke_t *t, const gs_token_revocation_t *rev,
    int64_t now, gs_token_revoke_change_t *tell, unsigned *n)
{
    gs_rc_t                    rc;
    gs_token_revoke_item_t     item;
    gs_token_revoke_entry_t   *e;
    gs_token_revoke_change_t   change;

    if (rev->value.len == 0 || rev->until <= now
        || rev->until > GS_TOKEN_REVOKE_NEVER
        || (rev->kind == GS_TOKEN_REVOKE_BEFORE
            && (rev->before <= 0 || rev->before > GS_TOKEN_MAX_TIME))
        || gs_token_revoke_hash(&t->hdr->key, rev->kind, &rev->iss,
                                &rev->value, item.hash)
           != GS_OK)
    {
        return GS_ERROR;
    }

    item.kind = rev->kind;
    item.until = rev->until;
    item.before = (rev->kind == GS_TOKEN_REVOKE_BEFORE) ? rev->before : 0;
    item.revoked = (uint64_t) now * 1000;
    item.lifted = 0;

    e = gs_token_revoke_find(t, item.hash, 1, now);

    memset(&change, 0, sizeof(change));

    if (e != NULL && gs_token_revoke_copy(e, now, &change.was)) {
        change.had = 1;
        item.lifted = change.was.lifted;
        item.revoked = gs_token_revoke_later(item.revoked, &change.was);
    }

    rc = gs_token_revoke_merge(t, &item, now, &change.is);

    if (rc != GS_OK && rc != GS_DECLINED) {
        return rc;
    }

    if (tell != NULL) {
        tell[0] = change;
        *n = 1;
    }

    return GS_OK;
}


gs_rc_t
gs_token_revoke_lift(gs_token_revoke_t *t, const gs_token_revocation_t *rev,
    int64_t now, gs_token_revoke_change_t *tell, unsigned *n)
{
    gs_rc_t                   rc;
    uint64_t                  hash[2];
    unsigned                  i, keys, lifted;
    gs_siphash_key_t          key[2];
    gs_token_revoke_change_t  change;

    if (rev->value.len == 0) {
        return GS_ERROR;
    }

    key[0] = t->hdr->key;
    key[1] = t->hdr->former;
    keys = t->hdr->formers ? 2 : 1;
    lifted = 0;

    for (i = 0; i < keys; i++) {

        if (gs_token_revoke_hash(&key[i], rev->kind, &rev->iss, &rev->value,
                                 hash)
            != GS_OK)
        {
            return GS_ERROR;
        }

        rc = gs_token_revoke_lift_one(t, hash, now, &change);

        if (rc == GS_OK) {
            if (tell != NULL) {
                tell[lifted] = change;
            }

            lifted++;
        }
    }

    if (tell != NULL) {
        *n = lifted;
    }

    return (lifted != 0) ? GS_OK : GS_DECLINED;
}


static gs_rc_t
gs_token_revoke_lift_one(gs_token_revoke_t *t, const uint64_t hash[2],
    int64_t now, gs_token_revoke_change_t *change)
{
    gs_rc_t                   rc;
    gs_token_revoke_item_t    is;
    gs_token_revoke_entry_t  *e;

    rc = GS_DECLINED;

    /* two processes may have entered it at the same moment */

    for ( ;; ) {
        e = gs_token_revoke_find(t, hash, 0, now);

        if (e == NULL || !gs_token_revoke_copy(e, now, &is)) {
            return rc;
        }

        change->was = is;
        change->had = 1;
        is.lifted = gs_token_revoke_later((uint64_t) now * 1000, &is);

        /* at the end of time nothing comes later */

        if (is.lifted <= is.revoked) {
            return GS_DECLINED;
        }

        (void) gs_token_revoke_merge(t, &is, now, &change->is);
        rc = GS_OK;
    }
}


/* A time after all that this node knows of, whatever the clock says. */

static uint64_t
gs_token_revoke_later(uint64_t time, const gs_token_revoke_item_t *is)
{
    uint64_t  last;

    last = is->lifted > is->revoked ? is->lifted : is->revoked;

    if (time > last) {
        return time;
    }

    return last < GS_TOKEN_REVOKE_TIME ? last + 1 : last;
}


int
gs_token_revoke_check(const gs_token_revoke_t *t,
    const gs_token_revoke_subject_t *s, int64_t now)
{
    if (__atomic_load_n(&t->hdr->added, __ATOMIC_ACQUIRE) == 0) {
        return 0;
    }

    return gs_token_revoke_has(t, GS_TOKEN_REVOKE_JTI, &s->iss, &s->jti, 0,
                               now)
           || gs_token_revoke_has(t, GS_TOKEN_REVOKE_SID, &s->iss, &s->sid, 0,
                                  now)
           || gs_token_revoke_has(t, GS_TOKEN_REVOKE_SUB, &s->iss, &s->sub, 0,
                                  now)
           || gs_token_revoke_has(t, GS_TOKEN_REVOKE_SUB, &s->iss, &s->actor,
                                  0, now)
           || gs_token_revoke_has(t, GS_TOKEN_REVOKE_KID, &s->iss, &s->kid, 0,
                                  now)
           || gs_token_revoke_has(t, GS_TOKEN_REVOKE_BEFORE, &s->iss, &s->sub,
                                  s->iat, now)
           || gs_token_revoke_has(t, GS_TOKEN_REVOKE_BEFORE, &s->iss,
                                  &s->actor, s->iat, now);
}


uint64_t
gs_token_revoke_epoch(const gs_token_revoke_t *t)
{
    uint64_t  epoch;

    epoch = __atomic_load_n(&t->hdr->epoch, __ATOMIC_SEQ_CST);

    return epoch != 0 ? epoch : 1;
}


void
gs_token_revoke_stat(const gs_token_revoke_t *t, int64_t now,
    gs_token_revoke_stat_t *stat)
{
    uint64_t                  i;
    gs_token_revoke_item_t    item;
    gs_token_revoke_entry_t  *e = t->entries;

    stat->slots = t->hdr->slots;
    stat->live = 0;
    stat->lifted = 0;
    stat->untold = 0;
    stat->full = __atomic_load_n(&t->hdr->full, __ATOMIC_RELAXED);
    stat->epoch = gs_token_revoke_epoch(t);

    for (i = 0; i < t->hdr->slots; i++) {

        if (gs_token_revoke_copy(&e[i], now, &item)) {
            stat->live += (unsigned) gs_token_revoke_holds(&item);
            stat->lifted += !gs_token_revoke_holds(&item);
            stat->untold += (unsigned) gs_token_revoke_untold(t, &e[i],
                                                              &item);
        }
    }
}


static gs_rc_t
gs_token_revoke_hash(const gs_siphash_key_t *key, gs_token_revoke_e kind,
    const gs_str_t *iss, const gs_str_t *value, uint64_t hash[2])
{
    uint64_t    scope;
    gs_uchar_t  text[1 + sizeof(uint64_t) + GS_TOKEN_REVOKE_VALUE];

    if (value->len > GS_TOKEN_REVOKE_VALUE) {
        return GS_ERROR;
    }

    scope = gs_siphash(key, iss->data, iss->len);

    text[0] = (gs_uchar_t) kind;
    memcpy(text + 1, &scope, sizeof(scope));
    memcpy(text + 1 + sizeof(scope), value->data, value->len);

    gs_siphash128(key, text, 1 + sizeof(scope) + value->len, hash);

    return GS_OK;
}


static gs_token_revoke_entry_t *
gs_token_revoke_place(const gs_token_revoke_t *t, const uint64_t hash[2],
    unsigned i)
{
    gs_token_revoke_entry_t  *e = t->entries;

    return &e[(hash[0] % t->hdr->slots + i) % t->hdr->slots];
}


/*
 * The owner is read before the rest: a place without one and never used was
 * so before anybody could have passed it by.
 */

gs_token_revoke_entry_t *
gs_token_revoke_find(const gs_token_revoke_t *t, const uint64_t hash[2],
    int lifted, int64_t now)
{
    int64_t                   until;
    unsigned                  i, force;
    uint64_t                  owner;
    gs_token_revoke_entry_t  *e, *kept;

    kept = NULL;

    for (i = 0; i < GS_TOKEN_REVOKE_WINDOW; i++) {
        e = gs_token_revoke_place(t, hash, i);

        owner = __atomic_load_n(&e->owner, __ATOMIC_ACQUIRE);
        until = __atomic_load_n(&e->until, __ATOMIC_ACQUIRE);

        if (until > now && e->hash[0] == hash[0] && e->hash[1] == hash[1]) {

            if (gs_token_revoke_kept(e, until, &force) > now) {

                if (force) {
                    return e;
                }

                if (lifted && kept == NULL) {
                    kept = e;
                }
            }
        }

        if (until == 0 && owner == 0) {
            break;
        }
    }

    return kept;
}


/* Until when the entry must be known. */

static int64_t
gs_token_revoke_kept(const gs_token_revoke_entry_t *e, int64_t until,
    unsigned *force)
{
    int64_t   end;
    uint64_t  lifted;

    lifted = __atomic_load_n(&e->lifted, __ATOMIC_ACQUIRE);
    *force = (__atomic_load_n(&e->revoked, __ATOMIC_ACQUIRE) >= lifted);

    if (*force) {
        return until;
    }

    end = (int64_t) (lifted / 1000) + GS_TOKEN_REVOKE_KEEP;

    return end < until ? end : until;
}


/* Where all places are taken, what was lifted goes before what was not. */

gs_token_revoke_entry_t *
gs_token_revoke_claim(gs_token_revoke_t *t, const uint64_t hash[2],
    int64_t now)
{
    int                       full;
    unsigned                  i;
    uint64_t                  owner;
    gs_token_revoke_entry_t  *e;

    for (i = 0; i < 2 * GS_TOKEN_REVOKE_WINDOW; i++) {
        full = (i >= GS_TOKEN_REVOKE_WINDOW);
        e = gs_token_revoke_place(t, hash, i % GS_TOKEN_REVOKE_WINDOW);

        if (!gs_token_revoke_unused(e, now, full)) {
            continue;
        }

        owner = __atomic_load_n(&e->owner, __ATOMIC_ACQUIRE);

        /* our own number there was that of a process which is dead now */

        if (owner != 0 && owner != t->pid
            && (t->alive == NULL || t->alive((uint32_t) owner)))
        {
            continue;
        }

        if (!__atomic_compare_exchange_n(&e->owner, &owner, t->pid, 0,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        {
            continue;
        }

        /* another one may have come and gone in between */

        if (gs_token_revoke_unused(e, now, full)) {
            return e;
        }

        __atomic_store_n(&e->owner, 0, __ATOMIC_RELEASE);
    }

    return NULL;
}


/* Not at once: a reader may have it before its eyes. */

static int
gs_token_revoke_unused(const gs_token_revoke_entry_t *e, int64_t now,
    int full)
{
    int64_t   until;
    uint64_t  lifted;
    unsigned  force;

    until = __atomic_load_n(&e->until, __ATOMIC_ACQUIRE);

    if (until == 0 || until <= now - GS_TOKEN_REVOKE_REST
        || gs_token_revoke_kept(e, until, &force)
           <= now - GS_TOKEN_REVOKE_REST)
    {
        return 1;
    }

    lifted = __atomic_load_n(&e->lifted, __ATOMIC_SEQ_CST);

    return full && __atomic_load_n(&e->revoked, __ATOMIC_SEQ_CST) < lifted
           && (int64_t) (lifted / 1000) <= now - GS_TOKEN_REVOKE_REST;
}


/* After the change: who reads the new number sees the change. */

void
gs_token_revoke_changed(gs_token_revoke_t *t)
{
    __atomic_store_n(&t->hdr->added, 1, __ATOMIC_RELEASE);

    (void) __atomic_fetch_add(&t->hdr->epoch, 2, __ATOMIC_SEQ_CST);
    (void) __atomic_fetch_add(&t->hdr->dirty, 1, __ATOMIC_SEQ_CST);
}


static int
gs_token_revoke_has(const gs_token_revoke_t *t, gs_token_revoke_e kind,
    const gs_str_t *iss, const gs_str_t *value, int64_t iat, int64_t now)
{
    uint64_t  hash[2];

    if (value->len == 0
        || gs_token_revoke_hash(&t->hdr->key, kind, iss, value, hash)
           != GS_OK)
    {
        return 0;
    }

    if (gs_token_revoke_has_hash(t, hash, kind, iat, now)) {
        return 1;
    }

    return t->hdr->formers
           && gs_token_revoke_hash(&t->hdr->former, kind, iss, value, hash)
              == GS_OK
           && gs_token_revoke_has_hash(t, hash, kind, iat, now);
}


static int
gs_token_revoke_has_hash(const gs_token_revoke_t *t, const uint64_t hash[2],
    gs_token_revoke_e kind, int64_t iat, int64_t now)
{
    gs_token_revoke_entry_t  *e;

    e = gs_token_revoke_find(t, hash, 0, now);

    if (e == NULL) {
        return 0;
    }

    return kind != GS_TOKEN_REVOKE_BEFORE
           || iat < __atomic_load_n(&e->before, __ATOMIC_ACQUIRE);
}
