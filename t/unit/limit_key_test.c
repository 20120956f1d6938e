
/*
 * Copyright (C) govsvc authors
 *
 * The network of a client as a key.
 */


#include "limit/gs_limit_key.h"
#include "tap.h"


static void test_inet6(const char *name, const gs_uchar_t *addr,
    unsigned prefix, const char *want);


static const gs_uchar_t  addr[16] = {
    0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
};

static const gs_uchar_t  mapped[16] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1
};

static const gs_uchar_t  nearly[16] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 192, 0, 2, 1
};


int
main(void)
{
    size_t      len;
    gs_uchar_t  key[GS_LIMIT_KEY_SIZE];

    len = gs_limit_key_inet(key, mapped + 12);
    is_mem(key, len, "\x04\xc0\x00\x02\x01", 5, "IPv4");

    len = gs_limit_key_inet6(key, mapped, 64);
    is_mem(key, len, "\x04\xc0\x00\x02\x01", 5, "IPv4-mapped");

    test_inet6("/128", addr, 128, "\x06\x20\x01\x0d\xb8\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\xff");
    test_inet6("/64", addr, 64, "\x06\x20\x01\x0d\xb8\xff\xff\xff\xff"
               "\0\0\0\0\0\0\0\0");
    test_inet6("/56", addr, 56, "\x06\x20\x01\x0d\xb8\xff\xff\xff\x00"
               "\0\0\0\0\0\0\0\0");
    test_inet6("/61", addr, 61, "\x06\x20\x01\x0d\xb8\xff\xff\xff\xf8"
               "\0\0\0\0\0\0\0\0");
    test_inet6("/1", addr, 1, "\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    test_inet6("/127", addr, 127, "\x06\x20\x01\x0d\xb8\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\xfe");
    test_inet6("not mapped", nearly, 128, "\x06\0\0\0\0\0\0\0\0\0\x01\xff\xff"
               "\xc0\x00\x02\x01");

    return done_testing();
}


static void
test_inet6(const char *name, const gs_uchar_t *a, unsigned prefix,
    const char *want)
{
    size_t      len;
    gs_uchar_t  key[GS_LIMIT_KEY_SIZE];

    memset(key, 0xa5, sizeof(key));
    len = gs_limit_key_inet6(key, a, prefix);
    is_mem(key, len, want, GS_LIMIT_KEY_SIZE, "IPv6 %s", name);
}
