
/*
 * Copyright (C) govsvc authors
 *
 * Time as text.
 */


#include "core/gs_time.h"
#include "tap.h"


typedef struct {
    const char  *text;
    uint64_t     us;
} case_t;


static void test_write(void);
static void test_parse(void);
static void test_refuse(void);
static void test_round_trip(void);


static const case_t  writes[] = {
    { "1970-01-01T08:00:00.000000+08:00", 0 },
    { "2026-11-22T13:08:36.888598+08:00", 1795324116888598ull },
    { "2000-02-29T23:59:59.999999+08:00", 951839999999999ull },
    { "2000-03-01T00:00:00.000000+08:00", 951840000000000ull },
    { "2100-03-01T00:00:00.000000+08:00", 4107513600000000ull },
    { "9999-12-31T23:59:59.000000+08:00", 253402271999000000ull },
};


static const case_t  reads[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "1970-01-01t00:00:00z", 0 },
    { "2026-11-22T13:08:36.888598+08:00", 1795324116888598ull },
    { "2026-11-22T05:08:36.8885987Z", 1795324116888598ull },
    { "2026-11-22T05:08:36.5Z", 1795324116500000ull },
    { "2026-11-21T23:08:36-06:00", 1795324116000000ull },
    { "1969-12-31T23:30:00-00:30", 0 },
    { "1998-12-31T23:59:60Z", 915148800000000ull },
    { "2024-02-29T00:00:00Z", 1709164800000000ull },
};


static const char *const  bad[] = {
    "", "1970-01-01", "1970-01-01T00:00:00", "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+00:01", "1970-01-01T00:00:00 Z",
    "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z", "1970-01-32T00:00:00Z",
    "1970-01-00T00:00:00Z", "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
    "1970-04-31T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
    "1970-01-01T00:00:60Z", "1970-01-01T00:59:61Z", "1970-01-01T00:00:00.Z",
    "1970-01-01T00:00:00,5Z", "1970-01-01T00:00:00+0800",
    "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+08:60",
    "1970-01-01T00:00:00ZZ", "1970/01/01T00:00:00Z", "197a-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z", "+970-01-01T00:00:00Z", "1970-01-01 00:00:00Z",
    NULL
};


int
main(void)
{
    test_write();
    test_parse();
    test_refuse();
    test_round_trip();

    return done_testing();
}


static void
test_write(void)
{
    char      data[64];
    size_t    i;
    gs_buf_t  b;

    for (i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        gs_buf_init(&b, data, sizeof(data));
        gs_time_iso(&b, writes[i].us);
        is_str(gs_buf_view(&b), writes[i].text, "%s", writes[i].text);
    }

    gs_buf_init(&b, data, sizeof(data));
    gs_time_iso(&b, UINT64_MAX);
    ok(!b.overflow, "the last instant of all");
}


static void
test_parse(void)
{
    size_t    i;
    gs_rc_t   rc;
    gs_str_t  s;
    uint64_t  us;

    for (i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        s = gs_str_text(reads[i].text);
        us = 1;
        rc = gs_time_parse(&s, &us);
        ok(rc == GS_OK && us == reads[i].us, "%s", reads[i].text);
    }
}


static void
test_refuse(void)
{
    size_t    i;
    gs_rc_t   rc;
    gs_str_t  s;
    uint64_t  us;

    for (i = 0; bad[i] != NULL; i++) {
        s = gs_str_text(bad[i]);
        us = 4711;
        rc = gs_time_parse(&s, &us);
        ok(rc == GS_ERROR && us == 4711, "refused: \"%s\"", bad[i]);
    }
}


static void
test_round_trip(void)
{
    char      data[64];
    gs_buf_t  b;
    gs_str_t  s;
    uint64_t  us, back;
    unsigned  wrong;

    wrong = 0;

    for (us = 0; us < 8000000000000000ull; us += 43201000001ull) {
        gs_buf_init(&b, data, sizeof(data));
        gs_time_iso(&b, us);
        s = gs_buf_view(&b);
        wrong += (gs_time_parse(&s, &back) != GS_OK || back != us);
    }

    is_int(wrong, 0, "every half day to 2223 makes the round trip");
}
