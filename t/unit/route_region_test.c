
/*
 * Copyright (C) govsvc authors
 *
 * The built-in provinces and the forms of a region.
 */


#include "core/gs_utf8.h"
#include "route/gs_region.h"
#include "tap.h"


static void
test_table(void)
{
    int                 sorted, unique, valid, source;
    unsigned            i, j, isos;
    gs_str_t            zh;
    const gs_region_t  *a, *b;

    sorted = unique = valid = source = 1;
    isos = 0;

    for (i = 0; i < GS_REGION_PROVINCES; i++) {
        a = &gs_region_provinces[i];
        zh = gs_str_text(a->zh);
        isos += (a->iso != NULL);
        valid &= zh.len >= 6 && gs_utf8_valid(&zh) && a->code % 10000 == 0
                 && a->code >= 110000 && a->code <= 820000;
        source &= a->data_source[0] == '1'
                  && (uint32_t) ((a->data_source[1] - '0') * 10
                                 + a->data_source[2] - '0')
                     == a->code / 10000;

        for (j = i + 1; j < GS_REGION_PROVINCES; j++) {
            b = &gs_region_provinces[j];
            sorted &= a->code < b->code;
            unique &= strcmp(a->slug, b->slug) != 0
                      && strcmp(a->pinyin, b->pinyin) != 0
                      && strcmp(a->slug, b->pinyin) != 0
                      && strcmp(a->zh, b->zh) != 0;
        }
    }

    ok(sorted, "codes ascend");
    ok(unique, "names are unique");
    ok(valid, "codes and names have their form");
    ok(source, "data_source is 1 and the province");
    is_int(isos, 34, "34 provinces have an ISO 3166-2 suffix");
}


static uint32_t
iso(const char *text)
{
    gs_str_t            s;
    const gs_region_t  *region;

    s = gs_str_text(text);
    region = gs_region_iso(&s);

    return (region != NULL) ? region->code : 0;
}


static uint32_t
slug(const char *text)
{
    gs_str_t            s;
    const gs_region_t  *region;

    s = gs_str_text(text);
    region = gs_region_slug(&s);

    return (region != NULL) ? region->code : 0;
}


static int64_t
digits(const char *text)
{
    gs_str_t  s;
    uint32_t  code;

    s = gs_str_text(text);

    return (gs_region_digits(&s, &code) == GS_OK) ? (int64_t) code : -1;
}


int
main(void)
{
    gs_uchar_t  text[6];

    test_table();

    is_int(iso("GD"), 440000, "GD");
    is_int(iso("gd"), 440000, "gd");
    is_int(iso("CN-GD"), 440000, "CN-GD");
    is_int(iso("cn-gz"), 520000, "GZ is Guizhou, not Guangzhou");
    is_int(iso("SX"), 140000, "SX is Shanxi");
    is_int(iso("SN"), 610000, "SN is Shaanxi");
    is_int(iso("BT"), 0, "the Corps has no ISO code");
    is_int(iso("US-CA"), 0, "another country");
    is_int(iso(""), 0, "nothing");

    is_int(slug("bt"), 660000, "bt is the Corps");
    is_int(slug("bingtuan"), 660000, "bingtuan");
    is_int(slug("guangdong"), 440000, "guangdong");
    is_int(slug("gd"), 440000, "gd");
    is_int(slug("GD"), 0, "a path is lower case");
    is_int(slug("shanxi"), 140000, "shanxi");
    is_int(slug("shaanxi"), 610000, "shaanxi");
    is_int(slug("guangdon"), 0, "a beginning");
    is_int(slug("g"), 0, "one letter");
    is_int(slug(""), 0, "no letter");

    is_int(digits("44"), 440000, "province");
    is_int(digits("4401"), 440100, "prefecture");
    is_int(digits("440103"), 440103, "county");
    is_int(digits("440103001"), 440103, "township");
    is_int(digits("440103001002"), 440103, "village");
    is_int(digits("4"), -1, "one digit");
    is_int(digits("440"), -1, "three digits");
    is_int(digits("4401030"), -1, "seven digits");
    is_int(digits("44010x"), -1, "a letter");
    is_int(digits("44010300100x"), -1, "a letter behind the six");
    is_int(digits("-44010"), -1, "a sign");

    is_int(gs_region_parent(440103), 440100, "above a county");
    is_int(gs_region_parent(440100), 440000, "above a prefecture");
    is_int(gs_region_parent(440000), 0, "above a province");

    ok(gs_region_province(441900) != NULL, "a province by any of its codes");
    ok(gs_region_province(100000) == NULL, "100000 is no province");
    ok(gs_region_province(0) == NULL, "nor is 0");
    ok(gs_region_province(4294967295u) == NULL, "nor is the largest number");

    gs_region_print(text, 110000);
    is_str(gs_str_make(text, 6), "110000", "six digits");

    return done_testing();
}
