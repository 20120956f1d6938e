
/*
 * Copyright (C) govsvc authors
 *
 * How many bad signatures a client may send: a rate for each client, in
 * memory shared by processes.  One word for each client and one
 * compare-and-swap for each count; where there is no room the client that has
 * been quiet for longest makes it.
 */


#ifndef _GS_TOKEN_THROTTLE_H_INCLUDED_
#define _GS_TOKEN_THROTTLE_H_INCLUDED_


#include "core/gs_siphash.h"
#include "core/gs_str.h"


#define GS_TOKEN_THROTTLE_WAYS  8          /* words in which a client may be */


typedef struct {
    uint64_t                *words;        /* zeros at first */
    uint64_t                 sets;         /* of GS_TOKEN_THROTTLE_WAYS */
    const gs_siphash_key_t  *key;
    uint64_t                 period;       /* ms for one; 0: no limit */
    uint64_t                 burst;        /* how many at once */
} gs_token_throttle_t;


/* 1 if the client is over its rate; now is in ms of the wall clock. */
int gs_token_throttle_over(const gs_token_throttle_t *t,
    const gs_str_t *client, uint64_t now);

/* Counts one that cost as much as n. */
void gs_token_throttle_count(gs_token_throttle_t *t, const gs_str_t *client,
    uint64_t now, unsigned n);


#endif /* _GS_TOKEN_THROTTLE_H_INCLUDED_ */
