
/*
 * Copyright (C) govsvc authors
 *
 * Revocations as tables of several nodes tell them to one another: merged word
 * by word, so that a process may die at any instruction, and in an order that
 * does not matter.
 */


#include "token/gs_token_revoke_priv.h"
#include "core/gs_buf.h"
#include "core/gs_hex.h"


static gs_rc_t gs_token_revoke_enter(gs_token_revoke_t *t,
    const gs_token_revoke_item_t *item, int64_t now);
static int gs_token_revoke_revive(gs_token_revoke_entry_t *e,
    const gs_token_revoke_item_t *item, int64_t until, int64_t before);
static int gs_token_revoke_raise(int64_t *word, int64_t value);
static int gs_token_revoke_advance(uint64_t *word, uint64_t value);
static uint32_t gs_token_revoke_sum(const gs_token_revoke_t *t,
    const gs_token_revoke_item_t *item);
static gs_rc_t gs_token_revoke_number(gs_str_t *text, uint64_t most,
    uint64_t *n);


gs_rc_t
gs_token_revoke_merge(gs_token_revoke_t *t, const gs_token_revoke_item_t *item,
    int64_t now, gs_token_revoke_item_t *now_is)
{
    int                       changed, stands, stood;
    int64_t                   until, before;
    uint64_t                  lifted;
    gs_token_revoke_entry_t  *e;

    if (gs_token_revoke_end(item) <= now) {
        return GS_ERROR;
    }

    e = gs_token_revoke_find(t, item->hash, 1, now);

    if (e == NULL) {
        *now_is = *item;
        return gs_token_revoke_enter(t, item, now);
    }

    /* the kind is part of what is hashed: whoever says so is wrong */

    if (e->kind != (uint32_t) item->kind) {
        return GS_ERROR;
    }

    /* before the times: what is seen here is no younger than they are */

    until = __atomic_load_n(&e->until, __ATOMIC_ACQUIRE);
    before = __atomic_load_n(&e->before, __ATOMIC_ACQUIRE);
    lifted = __atomic_load_n(&e->lifted, __ATOMIC_ACQUIRE);

    if (lifted < item->lifted) {
        lifted = item->lifted;
    }

    stood = __atomic_load_n(&e->revoked, __ATOMIC_ACQUIRE) >= lifted;
    stands = (item->revoked >= lifted);
    changed = 0;

    if (stands && !stood) {
        changed = gs_token_revoke_revive(e, item, until, before);

    } else if (stands || !stood) {
        changed = gs_token_revoke_raise(&e->until, item->until);

        if (stands) {
            changed |= gs_token_revoke_raise(&e->before, item->before);
        }
    }

    /* the lift last: killed in between, it would rather hold than not */

    changed |= gs_token_revoke_advance(&e->revoked, item->revoked);
    changed |= gs_token_revoke_advance(&e->lifted, item->lifted);

    if (changed) {
        gs_token_revoke_changed(t);
    }

    /* in a full table somebody may just have taken the place of what was */

    if (stands && !stood && __atomic_load_n(&e->owner, __ATOMIC_SEQ_CST) != 0)
    {
        *now_is = *item;
        return gs_token_revoke_enter(t, item, now);
    }

    if (!gs_token_revoke_copy(e, now, now_is)) {

        /* it ended meanwhile, and may be another one by now */

        *now_is = *item;
    }

    return changed ? GS_OK : GS_DECLINED;
}


static gs_rc_t
gs_token_revoke_enter(gs_token_revoke_t *t, const gs_token_revoke_item_t *item,
    int64_t now)
{
    gs_token_revoke_entry_t  *e;

    e = gs_token_revoke_claim(t, item->hash, now);

    if (e == NULL) {
        (void) __atomic_fetch_add(&t->hdr->full, 1, __ATOMIC_RELAXED);
        return GS_BUSY;
    }

    __atomic_store_n(&e->until, now - GS_TOKEN_REVOKE_REST, __ATOMIC_RELEASE);

    e->hash[0] = item->hash[0];
    e->hash[1] = item->hash[1];
    e->before = item->before;
    e->revoked = item->revoked;
    e->lifted = item->lifted;
    e->kind = (uint32_t) item->kind;
    e->told = 0;

    __atomic_store_n(&e->until, item->until, __ATOMIC_RELEASE);
    __atomic_store_n(&e->owner, 0, __ATOMIC_RELEASE);

    gs_token_revoke_changed(t);

    return GS_OK;
}


/*
 * What was lifted counts no more; but where another process was quicker, the
 * longer of both.
 */

static int
gs_token_revoke_revive(gs_token_revoke_entry_t *e,
    const gs_token_revoke_item_t *item, int64_t until, int64_t before)
{
    int  changed;

    changed = (until != item->until || before != item->before);

    if (!__atomic_compare_exchange_n(&e->until, &until, item->until, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    {
        (void) gs_token_revoke_raise(&e->until, item->until);
    }

    if (!__atomic_compare_exchange_n(&e->before, &before, item->before, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    {
        (void) gs_token_revoke_raise(&e->before, item->before);
    }

    return changed;
}


static int
gs_token_revoke_raise(int64_t *word, int64_t value)
{
    int64_t  old;

    old = __atomic_load_n(word, __ATOMIC_ACQUIRE);

    while (old < value) {
        if (__atomic_compare_exchange_n(word, &old, value, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        {
            return 1;
        }
    }

    return 0;
}


static int
gs_token_revoke_advance(uint64_t *word, uint64_t value)
{
    uint64_t  old;

    old = __atomic_load_n(word, __ATOMIC_ACQUIRE);

    while (old < value) {
        if (__atomic_compare_exchange_n(word, &old, value, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        {
            return 1;
        }
    }

    return 0;
}


/* What makes the entry valid is read first. */

int
gs_token_revoke_copy(const gs_token_revoke_entry_t *e, int64_t now,
    gs_token_revoke_item_t *item)
{
    item->until = __atomic_load_n(&e->until, __ATOMIC_ACQUIRE);

    if (item->until <= now) {
        return 0;
    }

    item->hash[0] = e->hash[0];
    item->hash[1] = e->hash[1];
    item->before = __atomic_load_n(&e->before, __ATOMIC_ACQUIRE);
    item->revoked = __atomic_load_n(&e->revoked, __ATOMIC_ACQUIRE);
    item->lifted = __atomic_load_n(&e->lifted, __ATOMIC_ACQUIRE);
    item->kind = (gs_token_revoke_e) e->kind;

    return gs_token_revoke_end(item) > now;
}


int
gs_token_revoke_holds(const gs_token_revoke_item_t *item)
{
    return item->revoked >= item->lifted;
}


int64_t
gs_token_revoke_end(const gs_token_revoke_item_t *item)
{
    int64_t  end;

    if (gs_token_revoke_holds(item)) {
        return item->until;
    }

    end = (int64_t) (item->lifted / 1000) + GS_TOKEN_REVOKE_KEEP;

    return end < item->until ? end : item->until;
}


gs_rc_t
gs_token_revoke_next(const gs_token_revoke_t *t, uint64_t *cursor,
    uint64_t look, int all, int untold, int64_t now,
    gs_token_revoke_item_t *item)
{
    uint64_t                  i, last;
    gs_token_revoke_entry_t  *e = t->entries;

    last = t->hdr->slots;

    if (*cursor > last) {
        *cursor = last;
    }

    if (look < last - *cursor) {
        last = *cursor + look;
    }

    for (i = *cursor; i < last; i++) {

        if (!gs_token_revoke_copy(&e[i], now, item)
            || (!all && !gs_token_revoke_holds(item))
            || (untold && !gs_token_revoke_untold(t, &e[i], item)))
        {
            continue;
        }

        *cursor = i + 1;
        return GS_OK;
    }

    *cursor = last;

    return GS_DONE;
}


void
gs_token_revoke_told(gs_token_revoke_t *t, const gs_token_revoke_item_t *item,
    int64_t now)
{
    gs_token_revoke_entry_t  *e;

    e = gs_token_revoke_find(t, item->hash, 1, now);

    if (e != NULL) {
        __atomic_store_n(&e->told, gs_token_revoke_sum(t, item),
                         __ATOMIC_RELEASE);
    }
}


int
gs_token_revoke_untold(const gs_token_revoke_t *t,
    const gs_token_revoke_entry_t *e, const gs_token_revoke_item_t *item)
{
    return t->hdr->shared
           && __atomic_load_n(&e->told, __ATOMIC_ACQUIRE)
              != gs_token_revoke_sum(t, item);
}


void
gs_token_revoke_forgotten(gs_token_revoke_t *t)
{
    (void) __atomic_fetch_add(&t->hdr->generation, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&t->hdr->untold, 1, __ATOMIC_SEQ_CST);
}


/* Another generation, another sum; never 0. */

static uint32_t
gs_token_revoke_sum(const gs_token_revoke_t *t,
    const gs_token_revoke_item_t *item)
{
    uint64_t          words[4];
    gs_siphash_key_t  key;

    key.k0 = __atomic_load_n(&t->hdr->generation, __ATOMIC_ACQUIRE);
    key.k1 = 0;

    words[0] = (uint64_t) item->until;
    words[1] = (uint64_t) item->before;
    words[2] = item->revoked;
    words[3] = item->lifted;

    return (uint32_t) gs_siphash(&key, words, sizeof(words)) | 1;
}


size_t
gs_token_revoke_print(const gs_token_revoke_item_t *item, void *dst)
{
    gs_buf_t  b;

    gs_buf_init(&b, dst, GS_TOKEN_REVOKE_LINE);

    gs_buf_hex(&b, item->hash, sizeof(item->hash));
    gs_buf_char(&b, ' ');
    gs_buf_text(&b, gs_token_revoke_names[item->kind]);
    gs_buf_char(&b, ' ');
    gs_buf_i64(&b, item->until);
    gs_buf_char(&b, ' ');
    gs_buf_i64(&b, item->before);
    gs_buf_char(&b, ' ');
    gs_buf_u64(&b, item->revoked);
    gs_buf_char(&b, ' ');
    gs_buf_u64(&b, item->lifted);

    return gs_buf_len(&b);
}


gs_rc_t
gs_token_revoke_parse(const gs_str_t *text, gs_token_revoke_item_t *item)
{
    size_t    end;
    gs_str_t  rest, word;
    uint64_t  until, before;
    unsigned  i;

    rest = *text;
    end = 2 * sizeof(item->hash);

    if (rest.len <= end + 1 || rest.data[end] != ' ') {
        return GS_ERROR;
    }

    word = gs_str_make(rest.data, end);

    if (gs_hex_decode((gs_uchar_t *) item->hash, &word) != GS_OK) {
        return GS_ERROR;
    }

    rest = gs_str_make(rest.data + end + 1, rest.len - end - 1);
    end = gs_str_chr(&rest, 0, ' ');
    word = gs_str_make(rest.data, end);

    for (i = 0; i < GS_TOKEN_REVOKE_KINDS; i++) {
        if (gs_str_eq_text(&word, gs_token_revoke_names[i])) {
            break;
        }
    }

    if (i == GS_TOKEN_REVOKE_KINDS || end == rest.len) {
        return GS_ERROR;
    }

    item->kind = (gs_token_revoke_e) i;
    rest = gs_str_make(rest.data + end + 1, rest.len - end - 1);

    if (gs_token_revoke_number(&rest, GS_TOKEN_REVOKE_NEVER, &until) != GS_OK
        || gs_token_revoke_number(&rest, GS_TOKEN_MAX_TIME, &before) != GS_OK
        || gs_token_revoke_number(&rest, GS_TOKEN_REVOKE_TIME, &item->revoked)
           != GS_OK
        || gs_parse_u64(&rest, &item->lifted) != GS_OK
        || item->lifted > GS_TOKEN_REVOKE_TIME
        || (item->kind == GS_TOKEN_REVOKE_BEFORE) != (before != 0))
    {
        return GS_ERROR;
    }

    item->until = (int64_t) until;
    item->before = (int64_t) before;

    return GS_OK;
}


/* The number before the next blank, which is taken along. */

static gs_rc_t
gs_token_revoke_number(gs_str_t *text, uint64_t most, uint64_t *n)
{
    size_t    end;
    gs_str_t  word;

    end = gs_str_chr(text, 0, ' ');
    word = gs_str_make(text->data, end);

    if (end == text->len || gs_parse_u64(&word, n) != GS_OK || *n > most) {
        return GS_ERROR;
    }

    *text = gs_str_make(text->data + end + 1, text->len - end - 1);

    return GS_OK;
}


int
gs_token_revoke_same(const gs_token_revoke_item_t *a,
    const gs_token_revoke_item_t *b)
{
    return a->hash[0] == b->hash[0] && a->hash[1] == b->hash[1]
           && a->until == b->until && a->before == b->before
           && a->revoked == b->revoked && a->lifted == b->lifted;
}
