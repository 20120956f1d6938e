
/*
 * Copyright (C) govsvc authors
 *
 * The table of revocations.
 */


#include "token/gs_token_revoke_priv.h"


_Static_assert(sizeof(gs_token_revoke_hdr_t) == 128, "header layout");
_Static_assert(sizeof(gs_token_revoke_entry_t) == 64, "entry layout");


static uint64_t gs_token_revoke_plan(size_t size);
static gs_rc_t gs_token_revoke_hash(const gs_token_revoke_t *t,
    gs_token_revoke_e kind, const gs_str_t *iss, const gs_str_t *value,
    uint64_t hash[2]);
static gs_token_revoke_entry_t *gs_token_revoke_place(
    const gs_token_revoke_t *t, const uint64_t hash[2], unsigned i);
static gs_token_revoke_entry_t *gs_token_revoke_find(
    const gs_token_revoke_t *t, const uint64_t hash[2], int64_t now);
static int gs_token_revoke_raise(int64_t *word, int64_t value, int64_t floor);
static gs_token_revoke_entry_t *gs_token_revoke_claim(gs_token_revoke_t *t,
    const uint64_t hash[2], int64_t now);
static int gs_token_revoke_unused(const gs_token_revoke_entry_t *e,
    int64_t now);
static void gs_token_revoke_changed(gs_token_revoke_t *t);
static int gs_token_revoke_has(const gs_token_revoke_t *t,
    gs_token_revoke_e kind, const gs_str_t *iss, const gs_str_t *value,
    int64_t iat, int64_t now);


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


gs_rc_t
gs_token_revoke_add(gs_token_revoke_t *t, const gs_token_revocation_t *rev,
    int64_t now)
{
    int64_t   before;
    uint64_t  hash[2];

    if (rev->value.len == 0 || rev->until <= now
        || rev->until > GS_TOKEN_REVOKE_NEVER
        || (rev->kind == GS_TOKEN_REVOKE_BEFORE
            && (rev->before <= 0 || rev->before > GS_TOKEN_MAX_TIME))
        || gs_token_revoke_hash(t, rev->kind, &rev->iss, &rev->value, hash)
           != GS_OK)
    {
        return GS_ERROR;
    }

    before = (rev->kind == GS_TOKEN_REVOKE_BEFORE) ? rev->before : 0;

    return gs_token_revoke_put(t, hash, before, rev->until, now);
}


gs_rc_t
gs_token_revoke_put(gs_token_revoke_t *t, const uint64_t hash[2],
    int64_t before, int64_t until, int64_t now)
{
    gs_token_revoke_entry_t  *e;

    e = gs_token_revoke_find(t, hash, now);

    if (e != NULL
        && gs_token_revoke_raise(&e->before, before, -1)
        && gs_token_revoke_raise(&e->until, until, now))
    {
        gs_token_revoke_changed(t);
        return GS_OK;
    }

    e = gs_token_revoke_claim(t, hash, now);

    if (e == NULL) {
        (void) __atomic_fetch_add(&t->hdr->full, 1, __ATOMIC_RELAXED);
        return GS_BUSY;
    }

    e->hash[0] = hash[0];
    e->hash[1] = hash[1];
    e->before = before;

    __atomic_store_n(&e->until, until, __ATOMIC_RELEASE);
    __atomic_store_n(&e->owner, 0, __ATOMIC_RELEASE);

    gs_token_revoke_changed(t);

    return GS_OK;
}


gs_rc_t
gs_token_revoke_lift(gs_token_revoke_t *t, const gs_token_revocation_t *rev,
    int64_t now)
{
    gs_rc_t                   rc;
    uint64_t                  hash[2];
    gs_token_revoke_entry_t  *e;

    if (rev->value.len == 0
        || gs_token_revoke_hash(t, rev->kind, &rev->iss, &rev->value, hash)
           != GS_OK)
    {
        return GS_ERROR;
    }

    rc = GS_DECLINED;

    /* two processes may have entered it at the same moment */

    for ( ;; ) {
        e = gs_token_revoke_find(t, hash, now);

        if (e == NULL) {
            break;
        }

        /* not used again at once: a reader may have it before its eyes */

        __atomic_store_n(&e->until, now, __ATOMIC_RELEASE);
        rc = GS_OK;
    }

    if (rc == GS_OK) {
        gs_token_revoke_changed(t);
    }

    return rc;
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
    gs_token_revoke_entry_t  *e = t->entries;

    stat->slots = t->hdr->slots;
    stat->live = 0;
    stat->full = __atomic_load_n(&t->hdr->full, __ATOMIC_RELAXED);
    stat->epoch = gs_token_revoke_epoch(t);

    for (i = 0; i < t->hdr->slots; i++) {
        stat->live += (__atomic_load_n(&e[i].until, __ATOMIC_RELAXED) > now);
    }
}


static gs_rc_t
gs_token_revoke_hash(const gs_token_revoke_t *t, gs_token_revoke_e kind,
    const gs_str_t *iss, const gs_str_t *value, uint64_t hash[2])
{
    uint64_t    scope;
    gs_uchar_t  text[1 + sizeof(uint64_t) + GS_TOKEN_REVOKE_VALUE];

    if (value->len > GS_TOKEN_REVOKE_VALUE) {
        return GS_ERROR;
    }

    scope = gs_siphash(&t->hdr->key, iss->data, iss->len);

    text[0] = (gs_uchar_t) kind;
    memcpy(text + 1, &scope, sizeof(scope));
    memcpy(text + 1 + sizeof(scope), value->data, value->len);

    gs_siphash128(&t->hdr->key, text, 1 + sizeof(scope) + value->len, hash);

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

static gs_token_revoke_entry_t *
gs_token_revoke_find(const gs_token_revoke_t *t, const uint64_t hash[2],
    int64_t now)
{
    int64_t                   until;
    unsigned                  i;
    uint64_t                  owner;
    gs_token_revoke_entry_t  *e;

    for (i = 0; i < GS_TOKEN_REVOKE_WINDOW; i++) {
        e = gs_token_revoke_place(t, hash, i);

        owner = __atomic_load_n(&e->owner, __ATOMIC_ACQUIRE);
        until = __atomic_load_n(&e->until, __ATOMIC_ACQUIRE);

        if (until > now && e->hash[0] == hash[0] && e->hash[1] == hash[1]) {
            return e;
        }

        if (until == 0 && owner == 0) {
            break;
        }
    }

    return NULL;
}


/* 0 if the word was at floor or below: what it belongs to has ended. */

static int
gs_token_revoke_raise(int64_t *word, int64_t value, int64_t floor)
{
    int64_t  old;

    old = __atomic_load_n(word, __ATOMIC_ACQUIRE);

    while (old > floor) {
        if (old >= value
            || __atomic_compare_exchange_n(word, &old, value, 0,
                                           __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE))
        {
            return 1;
        }
    }

    return 0;
}


static gs_token_revoke_entry_t *
gs_token_revoke_claim(gs_token_revoke_t *t, const uint64_t hash[2],
    int64_t now)
{
    unsigned                  i;
    uint64_t                  owner;
    gs_token_revoke_entry_t  *e;

    for (i = 0; i < GS_TOKEN_REVOKE_WINDOW; i++) {
        e = gs_token_revoke_place(t, hash, i);

        if (!gs_token_revoke_unused(e, now)) {
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
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        {
            continue;
        }

        /* another one may have come and gone in between */

        if (gs_token_revoke_unused(e, now)) {
            return e;
        }

        __atomic_store_n(&e->owner, 0, __ATOMIC_RELEASE);
    }

    return NULL;
}


static int
gs_token_revoke_unused(const gs_token_revoke_entry_t *e, int64_t now)
{
    int64_t  until;

    until = __atomic_load_n(&e->until, __ATOMIC_ACQUIRE);

    return until == 0 || until <= now - GS_TOKEN_REVOKE_REST;
}


/* After the change: who reads the new number sees the change. */

static void
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
    uint64_t                  hash[2];
    gs_token_revoke_entry_t  *e;

    if (value->len == 0
        || gs_token_revoke_hash(t, kind, iss, value, hash) != GS_OK)
    {
        return 0;
    }

    e = gs_token_revoke_find(t, hash, now);

    if (e == NULL) {
        return 0;
    }

    return kind != GS_TOKEN_REVOKE_BEFORE
           || iat < __atomic_load_n(&e->before, __ATOMIC_ACQUIRE);
}
