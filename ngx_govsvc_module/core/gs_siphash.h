
/*
 * Copyright (C) govsvc authors
 *
 * SipHash-2-4 (Aumasson, Bernstein 2012), keyed, for every table that a
 * client can reach.
 */


#ifndef _GS_SIPHASH_H_INCLUDED_
#define _GS_SIPHASH_H_INCLUDED_


#include "core/gs_str.h"


typedef struct {
    uint64_t  k0;
    uint64_t  k1;
} gs_siphash_key_t;


/* Between the two halves of a hash. */
typedef struct {
    uint64_t  v0;
    uint64_t  v1;
    uint64_t  v2;
    uint64_t  v3;
} gs_siphash_state_t;


uint64_t gs_siphash(const gs_siphash_key_t *key, const void *data, size_t len);

/* The 128-bit variant; out[0] is the low half. */
void gs_siphash128(const gs_siphash_key_t *key, const void *data, size_t len,
    uint64_t out[2]);

/*
 * The same in two steps, for whoever can use the low half while the high one
 * is not known yet.
 */
uint64_t gs_siphash128_low(gs_siphash_state_t *s,
    const gs_siphash_key_t *key, const void *data, size_t len);
uint64_t gs_siphash128_high(gs_siphash_state_t *s);


#endif /* _GS_SIPHASH_H_INCLUDED_ */
