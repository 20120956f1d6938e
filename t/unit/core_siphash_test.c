
/*
 * Copyright (C) govsvc authors
 *
 * SipHash-2-4 against the reference vectors (key and input 00 01 02 ...,
 * github.com/veorq/SipHash, vectors.h).
 */


#include "core/gs_siphash.h"
#include "tap.h"


typedef struct {
    size_t    len;
    uint64_t  h64;
    uint64_t  low;
    uint64_t  high;
} vector_t;


static const vector_t  vectors[] = {
    { 0, 0x726fdb47dd0e0e31, 0xe6a825ba047f81a3, 0x930255c71472f66d },
    { 1, 0x74f839c593dc67fd, 0x44af996bd8c187da, 0x45fc229b11597634 },
    { 7, 0xab0200f58b01d137, 0x53c1dbd8beebf1a1, 0x3982f01fa64ab8c0 },
    { 8, 0x93f5f5799a932462, 0x61f55862baa9623b, 0xb49714f364e2830f },
    { 15, 0xa129ca6149be45e5, 0x11a8b03399e99354, 0xd9c3cf970fec087e },
    { 63, 0x958a324ceb064572, 0x4a83502f77d15051, 0x7cbd3f979a063e50 },
};


int
main(void)
{
    size_t            i;
    uint64_t          out[2];
    gs_uchar_t        data[64];
    gs_siphash_key_t  key;

    for (i = 0; i < sizeof(data); i++) {
        data[i] = (gs_uchar_t) i;
    }

    key.k0 = 0x0706050403020100;
    key.k1 = 0x0f0e0d0c0b0a0908;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        ok(gs_siphash(&key, data, vectors[i].len) == vectors[i].h64,
           "64 bits of %zu bytes", vectors[i].len);

        gs_siphash128(&key, data, vectors[i].len, out);
        ok(out[0] == vectors[i].low && out[1] == vectors[i].high,
           "128 bits of %zu bytes", vectors[i].len);
    }

    ok(gs_siphash(&key, NULL, 0) == vectors[0].h64, "nothing may be NULL");

    key.k0 ^= 1;
    ok(gs_siphash(&key, data, 8) != vectors[3].h64, "the key counts");

    return done_testing();
}
