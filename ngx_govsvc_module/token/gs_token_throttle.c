
/*
 * Copyright (C) govsvc authors
 *
 * The throttle of clients: the generic cell rate algorithm in words of 24
 * bits of the client's hash and 40 of its theoretical time of arrival, in ms.
 */


#include "token/gs_token_throttle.h"


#define GS_TOKEN_THROTTLE_TIME  40
#define GS_TOKEN_THROTTLE_MASK  ((1ull << GS_TOKEN_THROTTLE_TIME) - 1)
#define GS_TOKEN_THROTTLE_TRIES 8


static uint64_t *gs_token_throttle_set(const gs_token_throttle_t *t,
    const gs_str_t *client, uint64_t *tag);
static uint64_t gs_token_throttle_ahead(uint64_t word, uint64_t now);


int
gs_token_throttle_over(const gs_token_throttle_t *t, const gs_str_t *client,
    uint64_t now)
{
    unsigned   i;
    uint64_t  *set, tag, word;

    if (t->period == 0 || client->len == 0) {
        return 0;
    }

    set = gs_token_throttle_set(t, client, &tag);

    for (i = 0; i < GS_TOKEN_THROTTLE_WAYS; i++) {
        word = __atomic_load_n(&set[i], __ATOMIC_RELAXED);

        if ((word & ~GS_TOKEN_THROTTLE_MASK) == tag) {
            return gs_token_throttle_ahead(word, now)
                   > t->period * (t->burst - 1);
        }
    }

    return 0;
}


void
gs_token_throttle_count(gs_token_throttle_t *t, const gs_str_t *client,
    uint64_t now, unsigned n)
{
    unsigned   i, try, found;
    uint64_t  *set, tag, word, next, ahead, least;

    if (t->period == 0 || client->len == 0) {
        return;
    }

    set = gs_token_throttle_set(t, client, &tag);

    for (try = 0; try < GS_TOKEN_THROTTLE_TRIES; try++) {

        found = 0;
        word = 0;
        least = UINT64_MAX;

        for (i = 0; i < GS_TOKEN_THROTTLE_WAYS; i++) {
            next = __atomic_load_n(&set[i], __ATOMIC_RELAXED);
            ahead = gs_token_throttle_ahead(next, now);

            if ((next & ~GS_TOKEN_THROTTLE_MASK) == tag) {
                found = i;
                word = next;
                break;
            }

            if (ahead < least) {
                found = i;
                word = next;
                least = ahead;
            }
        }

        ahead = 0;

        if ((word & ~GS_TOKEN_THROTTLE_MASK) == tag) {
            ahead = gs_token_throttle_ahead(word, now);
        }

        /* no further ahead than the limit: a client is free again in time */

        if (ahead > t->period * t->burst) {
            return;
        }

        next = tag | ((now + ahead + n * t->period)
                      & GS_TOKEN_THROTTLE_MASK);

        if (__atomic_compare_exchange_n(&set[found], &word, next, 0,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        {
            return;
        }
    }
}


static uint64_t *
gs_token_throttle_set(const gs_token_throttle_t *t, const gs_str_t *client,
    uint64_t *tag)
{
    uint64_t  hash;

    hash = gs_siphash(t->key, client->data, client->len);
    *tag = hash & ~GS_TOKEN_THROTTLE_MASK;

    /* no client has the tag of a word never written */

    if (*tag == 0) {
        *tag = 1ull << GS_TOKEN_THROTTLE_TIME;
    }

    return &t->words[(hash & GS_TOKEN_THROTTLE_MASK) % t->sets
                     * GS_TOKEN_THROTTLE_WAYS];
}


/* How far the time of arrival is ahead of now, 0 if it is past. */

static uint64_t
gs_token_throttle_ahead(uint64_t word, uint64_t now)
{
    uint64_t  ahead;

    ahead = (word - now) & GS_TOKEN_THROTTLE_MASK;

    return ahead > GS_TOKEN_THROTTLE_MASK / 2 ? 0 : ahead;
}
