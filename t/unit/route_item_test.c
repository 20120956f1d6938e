
/*
 * Copyright (C) govsvc authors
 *
 * Item codes; the codes of 31 are published ones of Guangdong.
 */


#include "route/gs_item.h"
#include "tap.h"


static const char *const  good[] = {
    "440118009000",
    "000118009001",
    "11440100007482575H3440118009000",
    "11440000MB2D0164XH2440289876000",
    "11440100696927671X3442011817001",
    "91441500196720244T3442199806003",
    "11440100007482575H344011800900001",
    "11440100007482575H9440199009000"       /* a type not in any list */
};

static const char *const  bad[] = {
    "",
    "4",
    "44011800900",
    "4401180090000",
    "44011800900a",
    "11440100007482575H344011800900",
    "11440100007482575H34401180090000",
    "11440100007482575H3440118009000011",
    "11440100007482575h3440118009000",
    "1144010000748257IH3440118009000",
    "1144010000748257OH3440118009000",
    "1144010000748257SH3440118009000",
    "1144010000748257VH3440118009000",
    "1144010000748257ZH3440118009000",
    "114401A0007482575H3440118009000",
    "11440100007482575H0440118009000",
    "11440100007482575HA440118009000",
    "11440100007482575H34401180090X0",
    "11440100007482575H344011800900O",
    "11440100007482575H3440118009 00",
    "11440100007482575H344011800900\xef\xbc\x90",
    "../../../../../../../etc/passwd"
};


static void
test_parts(void)
{
    gs_str_t   s;
    gs_item_t  item;

    s = gs_str_text("11440100007482575H344011800900107");

    is_int(gs_item_parse(&s, &item), GS_OK, "a code of 33");
    is_str(item.uscc, "11440100007482575H", "credit code");
    is_int(item.level, 3, "level");
    is_int(item.region, 440100, "region");
    is_str(item.base, "440118009001", "basic code");
    is_str(item.issuer, "44", "issuer");
    is_str(item.type, "01", "type");
    is_str(item.main, "18009", "main item");
    is_str(item.sub, "001", "sub-item");
    is_str(item.seq, "07", "sequence");
    is_int(item.check_failed, 0, "check character holds");

    s = gs_str_text("91441500196720244T3442199806003");

    is_int(gs_item_parse(&s, &item), GS_OK, "a wrong check character");
    is_int(item.check_failed, 1, "is reported");
    is_int(gs_item_uscc_check(s.data), 'M', "and M would be right");
    is_int(item.region, 441500, "region all the same");

    s = gs_str_text("440118009000");

    is_int(gs_item_parse(&s, &item), GS_OK, "a code of 12");
    is_int(item.region, 0, "names no region: its 44 is the issuer");
    is_int((int64_t) item.uscc.len, 0, "no credit code");

    s = gs_str_text("bad");
    is_int(gs_item_parse(&s, &item), GS_DECLINED, "no code");
    is_int((int64_t) item.code.len, 0, "clears the item");

    is_int(gs_item_uscc_check((const gs_uchar_t *) "1144000MB2D0164XIX"), 0,
           "no check character of a malformed code");
}


static void
test_same(const char *one, const char *two, int want)
{
    gs_str_t   s;
    gs_item_t  a, b;

    s = gs_str_text(one);
    (void) gs_item_parse(&s, &a);
    s = gs_str_text(two);
    (void) gs_item_parse(&s, &b);

    is_int(gs_item_same(&a, &b), want, "%s and %s", one, two);
    is_int(gs_item_same(&b, &a), want, "the other way round");
}


static void
test_case(void)
{
    char         text[52];
    gs_str_t     s;

    s = gs_str_text("37-2026_0001aZ");
    is_int(gs_item_case_no(&s), 1, "a case number");

    memset(text, 'a', sizeof(text));
    s = gs_str_make(text, 50);
    is_int(gs_item_case_no(&s), 1, "of 50");
    s.len = 51;
    is_int(gs_item_case_no(&s), 0, "of 51");
    s.len = 0;
    is_int(gs_item_case_no(&s), 0, "of none");

    s = gs_str_text("a b");
    is_int(gs_item_case_no(&s), 0, "with a blank");
    s = gs_str_text("a'or'1");
    is_int(gs_item_case_no(&s), 0, "with quotes");
}


int
main(void)
{
    size_t     i;
    gs_str_t   s;
    gs_item_t  item;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        s = gs_str_text(good[i]);
        is_int(gs_item_parse(&s, &item), GS_OK, "good %s", good[i]);
        is_str(item.code, good[i], "the whole code");
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = gs_str_text(bad[i]);
        is_int(gs_item_parse(&s, &item), GS_DECLINED, "bad %s", bad[i]);
    }

    test_parts();

    test_same("440118009000", "440118009000", 1);
    test_same("440118009000", "440118009001", 0);
    test_same("11440100007482575H3440118009000", "440118009000", 1);
    test_same("11440100007482575H3440118009000", "440118009001", 0);
    test_same("11440100007482575H3440118009000",
              "11440100007482575H344011800900001", 1);
    test_same("11440100007482575H344011800900002",
              "11440100007482575H344011800900001", 0);
    test_same("11440100007482575H3440118009000",
              "11440000MB2D0164XH3440118009000", 0);

    test_case();

    return done_testing();
}
