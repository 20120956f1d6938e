
/*
 * Copyright (C) govsvc authors
 *
 * Addresses: text, sockaddr, prefixes, sets.
 */


#include "core/gs_net.h"
#include "tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>


typedef struct {
    const char  *text;
    const char  *want;                     /* NULL: refused */
} net_case_t;


static const net_case_t  net_cases[] = {
    { "10.1.2.3", "10.1.2.3" },
    { "0.0.0.0", "0.0.0.0" },
    { "255.255.255.255", "255.255.255.255" },
    { "10.0.0.0/8", "10.0.0.0/8" },
    { "10.1.2.3/8", "10.0.0.0/8" },
    { "10.1.2.3/32", "10.1.2.3" },
    { "0.0.0.0/0", "0.0.0.0/0" },
    { "unix", "unix" },
    { "unix:", "unix" },
    { "unix:/run/x.sock", "unix" },

    /* RFC 5952 */

    { "::", "::" },
    { "::1", "::1" },
    { "1::", "1::" },
    { "2001:DB8::1", "2001:db8::1" },
    { "2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1" },
    { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
    { "1:0:0:2:0:0:0:3", "1:0:0:2::3" },
    { "0:0:0:4:0:0:0:0", "0:0:0:4::" },
    { "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
    { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
    { "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
    { "2001:db8::/32", "2001:db8::/32" },
    { "2001:db8:1:2:3::/64", "2001:db8:1:2::/64" },
    { "::/0", "::/0" },
    { "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },

    /* RFC 4291 section 2.5.5.2 */

    { "::ffff:10.1.2.3", "10.1.2.3" },
    { "::ffff:a01:203", "10.1.2.3" },
    { "::ffff:10.0.0.0/104", "10.0.0.0/8" },
    { "::ffff:0:0/95", "::fffe:0:0/95" },

    { "", NULL },
    { "10.1.2", NULL },
    { "10.1.2.3.4", NULL },
    { "10.1.2.", NULL },
    { "10.1.2.256", NULL },
    { "010.1.2.3", NULL },
    { "0x10.1.2.3", NULL },
    { " 10.1.2.3", NULL },
    { "10.1.2.3 ", NULL },
    { "10.0.0.0/", NULL },
    { "10.0.0.0/33", NULL },
    { "10.0.0.0/08", NULL },
    { "10.0.0.0/-1", NULL },
    { "10.0.0.0/8/8", NULL },
    { "/8", NULL },
    { ":", NULL },
    { ":::", NULL },
    { "1:2:3:4:5:6:7", NULL },
    { "1:2:3:4:5:6:7:8:9", NULL },
    { "1:2:3:4:5:6:7:8::", NULL },
    { "1::2::3", NULL },
    { "12345::", NULL },
    { "1:", NULL },
    { ":1", NULL },
    { "g::", NULL },
    { "::1%eth0", NULL },
    { "[::1]", NULL },
    { "1:2:3:4:5:6:7:10.0.0.1", NULL },
    { "::10.0.0.1:1", NULL },
    { "::10.0.0", NULL },
    { "::/129", NULL }
};


static void
test_text(void)
{
    size_t             i;
    gs_rc_t            rc;
    gs_str_t           s;
    gs_net_t           net;
    gs_uchar_t         text[GS_NET_TEXT];
    const net_case_t  *c;

    for (i = 0; i < sizeof(net_cases) / sizeof(net_cases[0]); i++) {
        c = &net_cases[i];
        s = gs_str_text(c->text);
        rc = gs_net_parse(&net, &s);

        if (c->want == NULL) {
            ok(rc == GS_ERROR && net.family == GS_NET_NONE,
               "\"%s\" is refused", c->text);
            continue;
        }

        ok(rc != GS_ERROR, "\"%s\" is read", c->text);
        is_str(gs_str_make(text, gs_net_print(text, &net)), c->want,
               "\"%s\" in its normal form", c->text);
    }

    s = gs_str_text("10.1.2.3/8");
    is_int(gs_net_parse(&net, &s), GS_DONE, "bits behind the prefix are told");
    s = gs_str_text("10.0.0.0/8");
    is_int(gs_net_parse(&net, &s), GS_OK, "no bits behind the prefix");
}


static void
test_sockaddr(void)
{
    gs_net_t             net;
    gs_uchar_t           text[GS_NET_TEXT];
    struct sockaddr      sa;
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    (void) inet_pton(AF_INET, "203.0.113.9", &sin.sin_addr);

    is_int(gs_net_sockaddr(&net, (struct sockaddr *) &sin, sizeof(sin)),
           GS_OK, "AF_INET");
    gs_net_client(&net);
    is_str(gs_str_make(text, gs_net_print(text, &net)), "203.0.113.9",
           "an IPv4 client");

    memset(&sin6, 0, sizeof(sin6));
    sin6.sin6_family = AF_INET6;
    (void) inet_pton(AF_INET6, "2001:db8:1:2:3:4:5:6", &sin6.sin6_addr);

    is_int(gs_net_sockaddr(&net, (struct sockaddr *) &sin6, sizeof(sin6)),
           GS_OK, "AF_INET6");
    is_int(net.bits, 128, "AF_INET6 is whole");
    gs_net_client(&net);
    is_str(gs_str_make(text, gs_net_print(text, &net)), "2001:db8:1:2::/64",
           "an IPv6 client");
    gs_net_mask(&net, 128);
    is_int(net.bits, 64, "a mask never widens");

    (void) inet_pton(AF_INET6, "::ffff:203.0.113.9", &sin6.sin6_addr);
    is_int(gs_net_sockaddr(&net, (struct sockaddr *) &sin6, sizeof(sin6)),
           GS_OK, "mapped");
    is_str(gs_str_make(text, gs_net_print(text, &net)), "203.0.113.9",
           "mapped is IPv4");

    memset(&sa, 0, sizeof(sa));
    sa.sa_family = AF_UNIX;
    is_int(gs_net_sockaddr(&net, &sa, sizeof(sa)), GS_OK, "AF_UNIX");
    is_str(gs_str_make(text, gs_net_print(text, &net)), "unix", "unix");

    sa.sa_family = AF_APPLETALK;
    is_int(gs_net_sockaddr(&net, &sa, sizeof(sa)), GS_ERROR, "another family");
    is_int(net.family, GS_NET_NONE, "another family is none");
    is_int((int64_t) gs_net_print(text, &net), 0, "none has no text");
    is_int(gs_net_sockaddr(&net, (struct sockaddr *) &sin, 2), GS_ERROR,
           "a short sockaddr");
}


static gs_net_t
net_of(const char *text)
{
    gs_str_t  s;
    gs_net_t  net;

    s = gs_str_text(text);
    (void) gs_net_parse(&net, &s);

    return net;
}


static int
has(const gs_net_set_t *set, const char *text)
{
    gs_net_t  net;

    net = net_of(text);

    return gs_net_set_has(set, &net);
}


static int
near(const char *text)
{
    gs_net_t  net;

    net = net_of(text);

    return gs_net_loopback(&net);
}


static void
test_loopback(void)
{
    gs_net_t  none;

    ok(near("127.0.0.1") && near("127.255.255.255"), "127.0.0.0 and on");
    ok(near("127.0.0.0/8"), "all of them");
    ok(near("::1") && near("::ffff:127.1.2.3"), "IPv6, mapped");
    ok(!near("126.255.255.255") && !near("128.0.0.0"), "before, behind");
    ok(!near("126.0.0.0/7"), "a wider net");
    ok(!near("::") && !near("::2") && !near("::1:1"), "others of IPv6");
    ok(!near("::/127") && !near("7f00::1"), "nor these");
    ok(!near("::ffff:10.0.0.1") && !near("unix"), "nor others");

    memset(&none, 0, sizeof(gs_net_t));
    none.addr[0] = 127;
    ok(!gs_net_loopback(&none), "no address");
}


static void
test_set(void)
{
    unsigned       n;
    gs_net_t       nets[8], a, b;
    gs_net_set_t  *set;

    a = net_of("10.0.0.0/8");
    b = net_of("10.1.2.3");
    ok(gs_net_contains(&a, &b), "a net contains an address");
    ok(!gs_net_contains(&b, &a), "an address contains no net");
    b = net_of("::a00:0/104");
    ok(!gs_net_contains(&a, &b), "families differ");

    nets[0] = net_of("10.1.0.0/16");
    nets[1] = net_of("192.168.1.0/24");
    nets[2] = net_of("10.0.0.0/8");
    nets[3] = net_of("2001:db8::/32");
    nets[4] = net_of("10.255.255.255");
    nets[5] = net_of("59.255.0.0/16");
    nets[6] = net_of("59.255.0.0/16");
    nets[7] = net_of("unix");

    set = gs_net_set_create(&gs_mem_libc, nets, 8);

    ok(has(set, "10.0.0.0"), "first of a net");
    ok(has(set, "10.255.255.255"), "last of a net");
    ok(has(set, "10.1.2.3"), "inside of two");
    ok(!has(set, "11.0.0.0"), "behind");
    ok(!has(set, "9.255.255.255"), "before");
    ok(has(set, "192.168.1.77"), "a later one");
    ok(!has(set, "192.168.2.0"), "between two");
    ok(!has(set, "255.255.255.255"), "behind all of IPv4");
    ok(has(set, "2001:db8:ffff::1"), "IPv6");
    ok(!has(set, "2001:db9::"), "IPv6 behind");
    ok(has(set, "::ffff:10.0.0.1"), "mapped");
    ok(has(set, "10.1.0.0/16"), "a net in the set");
    ok(!has(set, "10.0.0.0/7"), "a wider net");
    ok(has(set, "unix"), "unix");

    gs_free(&gs_mem_libc, set);

    set = gs_net_set_create(&gs_mem_libc, nets, 0);
    ok(!has(set, "10.0.0.0"), "an empty set");
    ok(!has(set, "unix"), "an empty set, unix");
    gs_free(&gs_mem_libc, set);

    for (n = 1; /* void */ ; n++) {
        set = gs_net_set_create(tap_mem_fail(n), nets, 8);

        if (!tap_mem_failed()) {
            break;
        }

        ok(set == NULL, "allocation %u fails", n);
    }

    gs_free(tap_mem_fail(0), set);
}


int
main(void)
{
    test_text();
    test_sockaddr();
    test_loopback();
    test_set();

    return done_testing();
}
