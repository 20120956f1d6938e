
/*
 * Copyright (C) govsvc authors
 *
 * SipHash-2-4 with 64 and 128 bits of result.
 */


#include "core/gs_siphash.h"


#define gs_rotl(x, n)  (((x) << (n)) | ((x) >> (64 - (n))))


static inline void gs_sip_absorb(gs_siphash_state_t *s,
    const gs_siphash_key_t *key, const void *data, size_t len);
static inline void gs_sip_round(gs_siphash_state_t *s);
static inline uint64_t gs_sip_finish(gs_siphash_state_t *s);
static inline uint64_t gs_sip_le64(const gs_uchar_t *p);


uint64_t
gs_siphash(const gs_siphash_key_t *key, const void *data, size_t len)
{
    gs_siphash_state_t  s;

    s.v1 = 0;
    gs_sip_absorb(&s, key, data, len);

    s.v2 ^= 0xff;

    return gs_sip_finish(&s);
}


void
gs_siphash128(const gs_siphash_key_t *key, const void *data, size_t len,
    uint64_t out[2])
{
    gs_siphash_state_t  s;

    out[0] = gs_siphash128_low(&s, key, data, len);
    out[1] = gs_siphash128_high(&s);
}


uint64_t
gs_siphash128_low(gs_siphash_state_t *s, const gs_siphash_key_t *key,
    const void *data, size_t len)
{
    s->v1 = 0xee;
    gs_sip_absorb(s, key, data, len);

    s->v2 ^= 0xee;

    return gs_sip_finish(s);
}


uint64_t
gs_siphash128_high(gs_siphash_state_t *s)
{
    s->v1 ^= 0xdd;

    return gs_sip_finish(s);
}


/* s->v1 holds the tweak of the variant on entry. */

static inline void
gs_sip_absorb(gs_siphash_state_t *s, const gs_siphash_key_t *key,
    const void *data, size_t len)
{
    size_t             i, n;
    uint64_t           m;
    const gs_uchar_t  *p;

    s->v0 = 0x736f6d6570736575ull ^ key->k0;
    s->v1 ^= 0x646f72616e646f6dull ^ key->k1;
    s->v2 = 0x6c7967656e657261ull ^ key->k0;
    s->v3 = 0x7465646279746573ull ^ key->k1;

    p = data;

    for (n = len / 8; n != 0; n--) {
        m = gs_sip_le64(p);
        p += 8;

        s->v3 ^= m;
        gs_sip_round(s);
        gs_sip_round(s);
        s->v0 ^= m;
    }

    m = (uint64_t) len << 56;

    for (i = 0; i < len % 8; i++) {
        m |= (uint64_t) p[i] << (8 * i);
    }

    s->v3 ^= m;
    gs_sip_round(s);
    gs_sip_round(s);
    s->v0 ^= m;
}


static inline void
gs_sip_round(gs_siphash_state_t *s)
{
    s->v0 += s->v1;
    s->v1 = gs_rotl(s->v1, 13);
    s->v1 ^= s->v0;
    s->v0 = gs_rotl(s->v0, 32);

    s->v2 += s->v3;
    s->v3 = gs_rotl(s->v3, 16);
    s->v3 ^= s->v2;

    s->v0 += s->v3;
    s->v3 = gs_rotl(s->v3, 21);
    s->v3 ^= s->v0;

    s->v2 += s->v1;
    s->v1 = gs_rotl(s->v1, 17);
    s->v1 ^= s->v2;
    s->v2 = gs_rotl(s->v2, 32);
}


static inline uint64_t
gs_sip_finish(gs_siphash_state_t *s)
{
    unsigned  i;

    for (i = 0; i < 4; i++) {
        gs_sip_round(s);
    }

    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}


static inline uint64_t
gs_sip_le64(const gs_uchar_t *p)
{
    return (uint64_t) p[0] | (uint64_t) p[1] << 8
           | (uint64_t) p[2] << 16 | (uint64_t) p[3] << 24
           | (uint64_t) p[4] << 32 | (uint64_t) p[5] << 40
           | (uint64_t) p[6] << 48 | (uint64_t) p[7] << 56;
}
