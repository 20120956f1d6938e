
/*
 * Copyright (C) govsvc authors
 *
 * The network of a client as a key.
 */


#include "limit/gs_limit_key.h"


size_t
gs_limit_key_inet(gs_uchar_t *dst, const gs_uchar_t *addr)
{
    dst[0] = 4;
    memcpy(dst + 1, addr, 4);

    return 5;
}


size_t
gs_limit_key_inet6(gs_uchar_t *dst, const gs_uchar_t *addr, unsigned prefix)
{
    unsigned  whole, rest;

    static const gs_uchar_t  mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    if (memcmp(addr, mapped, sizeof(mapped)) == 0) {
        return gs_limit_key_inet(dst, addr + sizeof(mapped));
    }

    whole = prefix / 8;
    rest = prefix % 8;

    dst[0] = 6;
    memset(dst + 1, 0, 16);
    memcpy(dst + 1, addr, whole);

    if (rest != 0) {
        dst[1 + whole] = addr[whole] & (gs_uchar_t) (0xff << (8 - rest));
    }

    return GS_LIMIT_KEY_SIZE;
}
