
/*
 * Copyright (C) govsvc authors
 *
 * Provinces by ISO code; t/30_guard_geo.t has databases.
 */


#include "guard/gs_guard_geo.h"
#include "tap.h"

#include <stdio.h>


static uint32_t
region(const char *country, const char *subdivision)
{
    gs_str_t  c, s;

    c = gs_str_text(country);
    s = gs_str_text(subdivision);

    return gs_geo_region(&c, &s);
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
    is_int(gs_geo_open(&geo, &gs_mem_libc, "/nonexistent.mmdb", &err),
           GS_ERROR, "no database");
    ok(err.text[0] != '\0', "with a reason");
    ok(geo == NULL, "and no object");
    is_int(gs_geo_open(&geo, tap_mem_fail(1), "/nonexistent.mmdb", &err),
           GS_ERROR, "no memory");

    return done_testing();
}
