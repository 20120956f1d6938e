
/*
 * Copyright (C) govsvc authors
 *
 * Notes of feeds: what is written is read, and nothing else is.
 */


#include "tap.h"
#include "audit/gs_audit_feed.h"


static void test_lines(void);
static void test_bad(void);
static void test_segments(void);


int
main(void)
{
    test_lines();
    test_bad();
    test_segments();

    return done_testing();
}


static void
test_lines(void)
{
    size_t           i;
    gs_buf_t         b;
    gs_str_t         s, line;
    gs_uchar_t       room[GS_AUDIT_FEED_LINE];
    gs_audit_feed_t  e;

    static const char *const  good[] = {
        "V 1 main|gs:audit:n1,http\n",
        "N 1\n",
        "N 18446744073709551615\n",
        "C n1.17.w0.4711 257 0\n",
        "C n1.17.w0.4711 1 9223372036854775807\n",
        "E n1.17.w0.4711\n",
        "T 1795352916000\n",
        "S 0\n",
        "S 4711\n",
        "B 1 256 1795352916000 n1.17.w0.4711 257 812 180000\n",
        "B 1 1 0 n 1 9223372036853727231 1048576\n",
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        s = gs_str_text(good[i]);
        line = gs_str_make(s.data, s.len - 1);

        ok(gs_audit_feed_parse(&line, &e) == GS_OK, "read: %s", good[i]);

        gs_buf_init(&b, room, sizeof(room));
        gs_audit_feed_write(&b, &e);
        line = gs_buf_view(&b);

        ok(gs_str_eq(&line, &s), "and written again");
    }
}


static void
test_bad(void)
{
    size_t           i;
    gs_str_t         s;
    gs_audit_feed_t  e;

    static const char *const  bad[] = {
        "", "N", "N ", "N 01", "N -1", "N 1 ", "N 1 2", "N  1", "X 1", "n 1",
        "N 18446744073709551616", "NN 1", "V 1", "V 1 ", "E", "E ", "E a b",
        "E ../a", "E a/b", "E .", "C a 1", "C a x 1", "C a 1 1 1",
        "C a 1 9223372036854775808", "C ../../etc 1 1",
        "B 0 1 1 a 1 1 1", "B 1 0 1 a 1 1 1", "B 1 1 1 a 1 1 0",
        "B 1 1 1 a 1 1 1048577", "B 1 1 1 a 1 1", "B 1 1 1 a 1 1 1 1",
        "B 18446744073709551615 1 1 a 1 1 1",
        "B 1 1 1 a 1 9223372036854775807 1", "B 1 1 1 a/b 1 1 1",
        "B 1 1 1 \x80 1 1 1"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = gs_str_text(bad[i]);
        ok(gs_audit_feed_parse(&s, &e) == GS_ERROR, "refused: %s", bad[i]);
    }
}


static void
test_segments(void)
{
    size_t      i;
    gs_buf_t    b;
    gs_str_t    s, name;
    uint64_t    segment;
    gs_uchar_t  room[64];

    static const char *const  good[] = {
        "0000000000000000.seg", "0000000000004711.seg",
        "0000000000004711.2.seg", "0000000000004711.255.seg"
    };

    static const char *const  bad[] = {
        "", ".seg", "0000000000004711", "000000000004711.seg",
        "0000000000004711.0.seg", "0000000000004711.256.seg",
        "0000000000004711.seg.gz", "000000000000471x.seg",
        "0000000000004711.04.seg", "0000000000004711..seg",
        "00000000000004711.seg"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        s = gs_str_text(good[i]);
        ok(gs_audit_feed_segment(&s, &segment) == GS_OK, "%s", good[i]);

        gs_buf_init(&b, room, sizeof(room));
        gs_audit_feed_segment_name(&b, segment);
        gs_buf_text(&b, ".seg");
        name = gs_buf_view(&b);

        ok(gs_str_eq(&name, &s), "and its name");
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = gs_str_text(bad[i]);
        ok(gs_audit_feed_segment(&s, &segment) == GS_ERROR, "no segment: %s",
           bad[i]);
    }
}
