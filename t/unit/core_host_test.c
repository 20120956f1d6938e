
/*
 * Copyright (C) govsvc authors
 *
 * Names of hosts: what may be looked up, and all that is refused.
 */


#include "core/gs_host.h"
#include "tap.h"

#include <string.h>


typedef struct {
    const char  *text;
    const char  *why;
} bad_t;


static const char *const  good[] = {
    "a.cn", "gd-web.gov.example", "xn--fiq228c.xn--fiqs8s", "1.2.3.cn",
    "a.0x.cn", "10-44-0.cn", "v1-2-3-4.cn", "3com.cn", "a.b.c.d.e.f.g.cn",
    "localhost.cn", "local.cn", "arpa.cn", "a1-b2-3.cn", NULL
};


static const bad_t  bad[] = {
    { "", "empty" },
    { ".", "ends in a dot" },
    { "a.cn.", "ends in a dot" },
    { ".a.cn", "empty label" },
    { "a..cn", "empty label" },
    { "cn", "one label" },
    { "localhost", "one label" },
    { "a.localhost", "no name of the network" },
    { "printer.local", "no name of the network" },
    { "metadata.google.internal", "no name of the network" },
    { "1.0.0.127.in-addr.arpa", "address" },
    { "x.onion", "no name of the network" },
    { "A.cn", "upper case" },
    { "a.CN", "upper case" },
    { "a_b.cn", "other bytes" },
    { "a b.cn", "other bytes" },
    { "a.cn/x", "other bytes" },
    { "a@b.cn", "other bytes" },
    { "a.cn\n", "other bytes" },
    { "[::1]", "other bytes" },
    { "*.a.cn", "other bytes" },
    { "-a.cn", "begins or ends" },
    { "a-.cn", "begins or ends" },
    { "a.-.cn", "begins or ends" },
    { "ab--c.cn", "reserved" },
    { "xn--.cn", "begins or ends" },
    { "\xe6\x94\xbf.cn", "ASCII form" },
    { "a.\xff", "ASCII form" },
    { "127.0.0.1", "address" },
    { "0x7f.1", "ends in a number" },
    { "127.1", "ends in a number" },
    { "a.1", "ends in a number" },
    { "a.0x7f", "ends in a number" },
    { "a.0x", "ends in a number" },
    { "2130706433", "ends in a number" },
    { "127.0.0.1.nip.cn", "address" },
    { "a.0177.0.0.0x1.cn", "address" },
    { "a.127-0-0-1.cn", "address" },
    { "127-0-0-1.a.cn", "address" },
    { "web-10-44-0-1.a.cn", "address" },
    { NULL, NULL }
};


static void
test_under(const char *name, const char *suffix, unsigned want)
{
    gs_str_t  a, b;

    a = gs_str_text(name);
    b = gs_str_text(suffix);

    is_int(gs_host_under(&a, &b), want, "\"%s\" under \"%s\"", name, suffix);
}


static void
test_split(const char *text, const char *name, int port)
{
    unsigned  got, rc;
    gs_str_t  s, out;

    s = gs_str_text(text);
    rc = gs_host_split(&s, &out, &got);

    is_int(rc, port >= 0, "\"%s\" splits or not", text);
    is_str(out, name, "\"%s\": the name", text);

    if (port >= 0) {
        is_int(got, port, "\"%s\": the port", text);
    }
}


static void
test_lengths(void)
{
    size_t      i;
    gs_str_t    s;
    gs_uchar_t  big[300];

    memset(big, 'a', sizeof(big));

    for (i = 63; i < sizeof(big); i += 64) {
        big[i] = '.';
    }

    s = gs_str_make(big, 253);
    ok(gs_host_name(&s) == NULL, "253 bytes");

    s.len = 254;
    ok(strstr(gs_host_name(&s), "253") != NULL, "254 bytes");

    big[63] = 'a';
    big[64] = '.';
    s = gs_str_make(big, 68);
    ok(strstr(gs_host_name(&s), "63") != NULL, "a label of 64 bytes");

    s = gs_str_make("a\0b.cn", 6);
    ok(gs_host_name(&s) != NULL, "a NUL inside");
}


/* Whatever passes keeps all the rules; nothing reads behind the end. */

static void
test_random(void)
{
    size_t             i, len;
    char              *p;
    unsigned           n, broken, passed;
    gs_str_t           s;
    uint64_t           seed;
    static const char  set[] = "a1-.x0nZ_\xe4:";

    seed = 88172645463325252u;
    broken = 0;
    passed = 0;

    for (n = 0; n < 200000; n++) {

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;

        len = seed % 12;
        p = gs_alloc(&gs_mem_libc, len + 1);

        for (i = 0; i < len; i++) {
            p[i] = set[(seed >> (4 * i + 8)) % (sizeof(set) - 1)];
        }

        s = gs_str_make(p, len);

        if (gs_host_name(&s) == NULL) {
            passed++;
            broken += len < 3 || p[0] == '.' || p[len - 1] == '.'
                      || memchr(p, '.', len) == NULL
                      || memchr(p, ':', len) != NULL
                      || memchr(p, 'Z', len) != NULL
                      || memchr(p, '_', len) != NULL
                      || memchr(p, '\xe4', len) != NULL;
        }

        gs_free(&gs_mem_libc, p);
    }

    ok(passed > 100, "%u random names pass", passed);
    is_int(broken, 0, "none that breaks a rule");
}


int
main(void)
{
    size_t       i;
    gs_str_t     s;
    const char  *why;

    for (i = 0; good[i] != NULL; i++) {
        s = gs_str_text(good[i]);
        why = gs_host_name(&s);
        ok(why == NULL, "\"%s\": %s", good[i], why != NULL ? why : "good");
    }

    for (i = 0; bad[i].text != NULL; i++) {
        s = gs_str_text(bad[i].text);
        why = gs_host_name(&s);
        ok(why != NULL && strstr(why, bad[i].why) != NULL, "bad %zu: %s", i,
           why != NULL ? why : "good");
    }

    test_lengths();
    test_random();

    test_under("a.gd.cn", "gd.cn", 1);
    test_under("a.gd.cn", ".gd.cn", 1);
    test_under("gd.cn", "gd.cn", 1);
    test_under("gd.cn", ".gd.cn", 1);
    test_under("evilgd.cn", "gd.cn", 0);
    test_under("evilgd.cn", ".gd.cn", 0);
    test_under("gd.cn.evil.cn", "gd.cn", 0);
    test_under("cn", "gd.cn", 0);
    test_under("a.cn", "", 0);
    test_under("a.cn", ".", 0);

    s = gs_str_text(".gd.cn");
    ok(gs_host_suffix(&s) == NULL, "a suffix with a dot");
    s = gs_str_text("gd.cn");
    ok(gs_host_suffix(&s) == NULL, "a suffix without");
    s = gs_str_text(".cn");
    ok(gs_host_suffix(&s) != NULL, "no country");
    s = gs_str_text("..gd.cn");
    ok(gs_host_suffix(&s) != NULL, "no two dots");

    test_split("a.cn", "a.cn", 0);
    test_split("a.cn:8443", "a.cn", 8443);
    test_split("a.cn:65535", "a.cn", 65535);
    test_split("a.cn:", "a.cn", -1);
    test_split("a.cn:0", "a.cn", -1);
    test_split("a.cn:080", "a.cn", -1);
    test_split("a.cn:65536", "a.cn", -1);
    test_split("a.cn:1:2", "a.cn", -1);
    test_split("2001:db8::1", "2001", -1);

    return done_testing();
}
