
/*
 * Copyright (C) govsvc authors
 *
 * A text in shared memory, in two slots.
 */


#include "core/gs_blob.h"
#include "core/gs_siphash.h"


#define GS_BLOB_MAGIC  0x31626c62          /* "blb1" */


typedef struct {
    uint64_t       len;
    uint64_t       sum;                    /* over len and text */
} gs_blob_slot_t;


struct gs_blob_s {
    uint32_t       magic;
    uint32_t       reserved;
    uint64_t       max;
    uint64_t       current;                /* generation << 1 | slot */
};


static gs_blob_slot_t *gs_blob_slot(const gs_blob_t *b, uint64_t current);
static size_t gs_blob_stride(size_t max);
static uint64_t gs_blob_sum(const gs_uchar_t *data, size_t len);


size_t
gs_blob_size(size_t max)
{
    return sizeof(gs_blob_t) + 2 * gs_blob_stride(max);
}


gs_blob_t *
gs_blob_create(void *base, size_t max)
{
    gs_blob_t *b = base;

    b->max = max;
    b->magic = GS_BLOB_MAGIC;

    return b;
}


gs_blob_t *
gs_blob_open(void *base, size_t max)
{
    gs_blob_t *b = base;

    return (b->magic == GS_BLOB_MAGIC && b->max == max) ? b : NULL;
}


uint64_t
gs_blob_generation(const gs_blob_t *b)
{
    return __atomic_load_n(&b->current, __ATOMIC_ACQUIRE) >> 1;
}


gs_rc_t
gs_blob_publish(gs_blob_t *b, const gs_str_t *text)
{
    uint64_t         current, next;
    gs_blob_slot_t  *slot;

    if (text->len > b->max) {
        return GS_ERROR;
    }

    current = __atomic_load_n(&b->current, __ATOMIC_ACQUIRE);
    next = ((current >> 1) + 1) << 1 | (~current & 1);

    /* readers of the slot before last find that its sum does not fit */

    slot = gs_blob_slot(b, next);

    __atomic_store_n(&slot->sum, 0, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    slot->len = text->len;
    memcpy(slot + 1, text->data, text->len);

    __atomic_store_n(&slot->sum, gs_blob_sum(text->data, text->len),
                     __ATOMIC_RELEASE);

    return __atomic_compare_exchange_n(&b->current, &current, next, 0,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
           ? GS_OK : GS_DECLINED;
}


gs_rc_t
gs_blob_read(const gs_blob_t *b, gs_uchar_t *dst, size_t *len,
    uint64_t *generation)
{
    uint64_t         current, sum;
    gs_blob_slot_t  *slot;

    current = __atomic_load_n(&b->current, __ATOMIC_ACQUIRE);

    if (current >> 1 == 0) {
        return GS_DECLINED;
    }

    slot = gs_blob_slot(b, current);
    sum = __atomic_load_n(&slot->sum, __ATOMIC_ACQUIRE);
    *len = (size_t) slot->len;

    if (*len > b->max) {
        return GS_AGAIN;
    }

    memcpy(dst, slot + 1, *len);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (sum != gs_blob_sum(dst, *len)
        || __atomic_load_n(&b->current, __ATOMIC_ACQUIRE) != current)
    {
        return GS_AGAIN;
    }

    *generation = current >> 1;

    return GS_OK;
}


static gs_blob_slot_t *
gs_blob_slot(const gs_blob_t *b, uint64_t current)
{
    gs_uchar_t  *p;

    p = (gs_uchar_t *) (uintptr_t) (b + 1);

    return (gs_blob_slot_t *) (p + (current & 1)
                                   * gs_blob_stride((size_t) b->max));
}


static size_t
gs_blob_stride(size_t max)
{
    return sizeof(gs_blob_slot_t) + (max + 7) / 8 * 8;
}


/* Against half of a text, not against forgery: the key is no secret. */

static uint64_t
gs_blob_sum(const gs_uchar_t *data, size_t len)
{
    gs_siphash_key_t  key;

    key.k0 = len;
    key.k1 = GS_BLOB_MAGIC;

    return gs_siphash(&key, data, len) | 1;
}
