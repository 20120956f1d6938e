
/*
 * Copyright (C) govsvc authors
 *
 * Provinces by ISO code, and numbers of autonomous systems out of databases of
 * a few bytes, whole and broken; t/30_guard_geo.t and t/30_guard_asn.t have
 * real ones.
 */


#include "guard/gs_guard_geo.h"
#include "tap.h"

#include <arpa/inet.h>
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>


#define TYPE    "\x4d" "database_type"
#define NUMBER  "\x58" "autonomous_system_number"


static char  file[] = "/tmp/guard_geo_test.XXXXXX";


static uint32_t
region(const char *country, const char *subdivision)
{
    gs_str_t  c, s;

    c = gs_str_text(country);
    s = gs_str_text(subdivision);

    return gs_geo_region(&c, &s);
}


/*
 * A database of one node: 0.0.0.0/1 leads to the value, 128.0.0.0/1 to
 * nothing.  Returns how many bytes it has.
 */

static size_t
build(unsigned char *out, const char *type, const char *value, size_t len)
{
    char    meta[256];
    size_t  n;

    static const unsigned char  head[] = {
        0, 0, 17, 0, 0, 1,                 /* node_count + 16, node_count */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    };

    memcpy(out, head, sizeof(head));
    n = sizeof(head);
    memcpy(out + n, value, len);
    n += len;

    out[n++] = 0xab;
    out[n++] = 0xcd;
    out[n++] = 0xef;

    n += (size_t) snprintf((char *) out + n, 256, "MaxMind.com\xe9"
             "\x5b" "binary_format_major_version\xa1\x02"
             "\x4a" "node_count\xc1\x01"
             "\x4b" "record_size\xa1\x18"
             "\x4a" "ip_version\xa1\x04"
             TYPE "%c%s", (int) (0x40 + strlen(type)), type);

    memcpy(meta, "\x49" "languages\x00\x04", 12);
    memcpy(meta + 12, "\x5b" "binary_format_minor_version\xa0", 29);
    memcpy(meta + 41, "\x4b" "build_epoch\x01\x02\x01", 15);
    memcpy(meta + 56, "\x4b" "description\xe0", 13);
    memcpy(out + n, meta, 69);

    return n + 69;
}


static void
put(const unsigned char *data, size_t len)
{
    FILE  *f;

    f = fopen(file, "wb");

    if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0) {
        perror(file);
        _exit(2);
    }
}


/* What the file says of an address: the number, -1 without, -2 damaged. */

static long long
number(const char *text)
{
    gs_rc_t             rc;
    gs_err_t            err;
    gs_geo_t           *geo;
    uint32_t            asn;
    struct sockaddr_in  sin;

    memset(&err, 0, sizeof(gs_err_t));

    if (gs_geo_open(&geo, &gs_mem_libc, file, GS_GEO_NUMBERS, &err)
        != GS_OK)
    {
        return -3;
    }

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    (void) inet_pton(AF_INET, text, &sin.sin_addr);

    asn = 7;
    rc = gs_geo_asn(geo, (struct sockaddr *) &sin, &asn);
    gs_geo_close(geo, &gs_mem_libc);

    if (rc == GS_OK) {
        return asn;
    }

    if (asn != 0) {
        return -4;
    }

    return (rc == GS_DECLINED) ? -1 : -2;
}


static long long
told(const char *value, size_t len)
{
    unsigned char  data[1024];

    put(data, build(data, "Test-ASN", value, len));

    return number("1.2.3.4");
}


#define say(literal)  told(literal, sizeof(literal) - 1)


static gs_str_t
refused(const char *type, gs_geo_kind_e kind)
{
    gs_geo_t         *geo;
    unsigned char     data[1024];
    static gs_err_t   err;

    put(data, build(data, type, "\xe0", 1));
    memset(&err, 0, sizeof(gs_err_t));

    if (gs_geo_open(&geo, &gs_mem_libc, file, kind, &err) == GS_OK) {
        gs_geo_close(geo, &gs_mem_libc);
        return gs_str_text("");
    }

    return gs_str_text(geo == NULL ? err.text : "an object none the less");
}


static void
numbers(void)
{
    gs_err_t             err;
    gs_geo_t            *geo;
    uint32_t             asn;
    unsigned char        data[1024];
    struct sockaddr_in6  sin6;

    is_int(say("\xe1" NUMBER "\xc2\x10\x26"), 4134, "a number");
    is_int(say("\xe1" NUMBER "\xc4\xff\xff\xff\xff"), 4294967295ll,
           "the greatest");
    is_int(say("\xe1" NUMBER "\xa2\x10\x26"), 4134, "of 16 bits");
    is_int(say("\xe1" "\x46" "traits" "\xe1" NUMBER "\xc1\x07"), 7,
           "as Enterprise has it");
    is_int(say("\xe1" NUMBER "\xc0"), -1, "0 is none");
    is_int(say("\xe1" NUMBER "\x46" "AS4134"), -1, "nor is a text");
    is_int(say("\xe1" NUMBER "\x02\x02\x10\x26"), -1, "nor 64 bits");
    is_int(say("\xe1" NUMBER "\x04\x01\xff\xff\xff\xff"), -1, "nor -1");
    is_int(say("\xe0"), -1, "an empty entry");
    is_int(say("\xc1\x07"), -1, "an entry that is a number");
    is_int(say("\xe1" "\x46" "traits" "\xc1\x07"), -1, "traits are a number");
    is_int(say("\xe1" NUMBER "\x20\x00"), -1, "a pointer to itself");
    is_int(number("200.1.1.1"), -1, "not in the database");

    put(data, build(data, "Test-ASN", "\xe1" NUMBER "\xc1\x07", 28));
    memset(&err, 0, sizeof(gs_err_t));
    is_int(gs_geo_open(&geo, &gs_mem_libc, file, GS_GEO_NUMBERS, &err), GS_OK,
           "opened");

    memset(&sin6, 0, sizeof(sin6));
    sin6.sin6_family = AF_INET6;
    sin6.sin6_addr.s6_addr[15] = 1;
    is_int(gs_geo_asn(geo, (struct sockaddr *) &sin6, &asn), GS_DECLINED,
           "an IPv6 address in a database of IPv4");

    memset(sin6.sin6_addr.s6_addr, 0, 16);
    memset(sin6.sin6_addr.s6_addr + 10, 0xff, 2);
    sin6.sin6_addr.s6_addr[12] = 1;
    is_int(gs_geo_asn(geo, (struct sockaddr *) &sin6, &asn), GS_OK,
           "an IPv4 address in IPv6");
    is_int(asn, 7, "and its number");

    sin6.sin6_family = AF_UNIX;
    is_int(gs_geo_asn(geo, (struct sockaddr *) &sin6, &asn), GS_DECLINED,
           "a socket file");
    is_int(gs_geo_asn(geo, NULL, &asn), GS_DECLINED, "no address");
    gs_geo_close(geo, &gs_mem_libc);

    is_int(gs_geo_open(&geo, tap_mem_fail(1), file, GS_GEO_NUMBERS, &err),
           GS_ERROR, "no memory for a database");
    gs_geo_close(NULL, &gs_mem_libc);
}


static void
types(void)
{
    is_str(refused("Test-City", GS_GEO_PLACES), "", "a city");
    is_str(refused("Test-Country", GS_GEO_PLACES), "", "a country");
    is_str(refused("Test-ISP", GS_GEO_NUMBERS), "", "providers");
    is_str(refused("Test-Enterprise", GS_GEO_PLACES), "", "both, as one");
    is_str(refused("Test-Enterprise", GS_GEO_NUMBERS), "", "or as the other");
    is_str(refused("City-and-ASN", GS_GEO_PLACES), "", "a joined one");
    is_str(refused("City-and-ASN", GS_GEO_NUMBERS), "", "for either");

    is_str(refused("Test-City", GS_GEO_NUMBERS),
           "database type \"Test-City\" knows no numbers of autonomous "
           "systems, allowed: an ASN, ISP or Enterprise database",
           "cities are no numbers");
    is_str(refused("Test-ASN", GS_GEO_PLACES),
           "database type \"Test-ASN\" knows no places, allowed: a City, "
           "Country or Enterprise database; this one is for \"asn=\"",
           "nor numbers places");
    is_str(refused("Domain", GS_GEO_PLACES),
           "database type \"Domain\" knows no places, allowed: a City, "
           "Country or Enterprise database", "something else");
}


/*
 * Cut at each byte, and each bit another: told, not fallen over.  The library
 * leaks memory when it refuses some of them.
 */

static void
broken(void)
{
    size_t         i, n;
    unsigned       bit, odd, opened;
    long long      rc;
    unsigned char  data[1024];

    n = build(data, "Test-ASN", "\xe1" NUMBER "\xc2\x10\x26", 29);
    put(data, n);
    is_int(number("1.2.3.4"), 4134, "the whole one");

    odd = 0;
    __lsan_disable();

    for (i = 0; i < n; i++) {
        put(data, i);
        rc = number("1.2.3.4");
        odd += (rc != -3 && rc != -2 && rc != -1);
    }

    is_int(odd, 0, "of a piece there is no number");

    opened = 0;

    for (i = 0; i < n; i++) {
        for (bit = 0; bit < 8; bit++) {
            data[i] ^= (unsigned char) (1u << bit);
            put(data, n);
            rc = number("1.2.3.4");
            odd += (rc < -3);
            opened += (rc != -3);
            data[i] ^= (unsigned char) (1u << bit);
        }
    }

    __lsan_enable();
    is_int(odd, 0, "each bit another");
    ok(opened > 100, "and many are opened");
}


int
main(void)
{
    char       digits[3];
    gs_geo_t  *geo;
    gs_err_t   err;
    unsigned   i, n;

    is_int(region("CN", "GD"), 440000, "Guangdong");
    is_int(region("CN", "SN"), 610000, "Shaanxi");
    is_int(region("CN", "SX"), 140000, "Shanxi");
    is_int(region("CN", "GZ"), 520000, "GZ is Guizhou");
    is_int(region("CN", "NM"), 150000, "Inner Mongolia");
    is_int(region("HK", ""), 810000, "HK");
    is_int(region("MO", ""), 820000, "MO");
    is_int(region("TW", "TPE"), 710000, "TW");
    is_int(region("CN", "91"), 810000, "the old ISO number of Hong Kong");
    is_int(region("CN", "82"), 0, "not the number of GB/T 2260");
    is_int(region("CN", "66"), 0, "never the XPCC");
    is_int(region("CN", "XX"), 0, "no such province");
    is_int(region("CN", "gd"), 0, "codes are upper case");
    is_int(region("CN", ""), 0, "no province");
    is_int(region("US", "GD"), 0, "another country");
    is_int(region("", ""), 0, "nothing");

    n = 0;

    for (i = 0; i < 100; i++) {
        (void) snprintf(digits, sizeof(digits), "%02u", i);
        n += (region("CN", digits) != 0);
    }

    is_int(n, 34, "34 regions have a number");

    memset(&err, 0, sizeof(err));
    is_int(gs_geo_open(&geo, &gs_mem_libc, "/nonexistent.mmdb",
                       GS_GEO_PLACES, &err),
           GS_ERROR, "no database");
    ok(err.text[0] != '\0', "with a reason");
    ok(geo == NULL, "and no object");
    is_int(gs_geo_open(&geo, tap_mem_fail(1), "/nonexistent.mmdb",
                       GS_GEO_PLACES, &err),
           GS_ERROR, "no memory");

    n = (unsigned) mkstemp(file);
    ok((int) n != -1, "a file");
    (void) close((int) n);

    numbers();
    types();
    broken();

    (void) unlink(file);

    return done_testing();
}
