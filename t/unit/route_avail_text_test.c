
/*
 * Copyright (C) govsvc authors
 *
 * Availability: its bounds, the text of the file and damage to it, reports.
 */


#include "route_avail_fixture.h"


static void test_full(void);
static void test_ring(void);
static void test_text(void);
static void test_damage(void);
static void test_report(void);
static void test_month_parse(void);
static void test_time(void);
static void test_memory(void);


int
main(void)
{
    a = gs_avail_create(&gs_mem_libc);

    test_full();
    test_ring();
    test_text();
    test_damage();
    test_report();
    test_month_parse();
    test_time();
    test_memory();

    gs_avail_destroy(a);
    gs_avail_destroy(NULL);

    return done_testing();
}


static void
test_full(void)
{
    char             name[80];
    gs_rc_t          rc;
    unsigned         i;
    gs_avail_now_t   one;
    gs_avail_look_t  l;

    begin_bare("2026-11-10T10:00:00+08:00");
    (void) gs_avail_turn(a, now, NULL, NULL);
    memset(&l, 0, sizeof(l));

    for (rc = GS_OK, i = 0; rc == GS_OK && i < 1000; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        l.platform = gs_str_text(name);
        rc = gs_avail_look(a, 1, &l);
    }

    ok(rc == GS_BUSY && i == GS_AVAIL_PLATFORMS + 1, "full after %u", i - 1);

    now += MINUTE;
    (void) gs_avail_turn(a, now, NULL, NULL);

    for (i = 0; gs_avail_now(a, i, &one) == GS_OK; i++) { /* void */ }

    is_int(i, GS_AVAIL_PLATFORMS, "all are told");
    ok(save() != 0, "all fit into the text");

    l.platform = gs_str_text("");
    ok(gs_avail_look(a, 1, &l) == GS_DECLINED, "no name");
    l.platform = gs_str_text("a b");
    ok(gs_avail_look(a, 1, &l) == GS_DECLINED, "no name either");
    memset(name, 'x', sizeof(name));
    l.platform = gs_str_make(name, 65);
    ok(gs_avail_look(a, 1, &l) == GS_DECLINED, "too long");

    /* all are gone, and fifteen months later so are their figures */

    now = at("2028-02-01T00:00:00+08:00");
    (void) gs_avail_turn(a, now, NULL, NULL);
    (void) gs_avail_look(a, 1, &l);
    l.platform = gs_str_text("p0");
    (void) gs_avail_look(a, 1, &l);
    now += MINUTE;
    (void) gs_avail_turn(a, now, NULL, NULL);
    (void) gs_avail_look(a, 1, &l);
    now = at("2029-05-01T00:00:00+08:00");
    (void) gs_avail_turn(a, now, NULL, NULL);
    (void) gs_avail_look(a, 1, &l);
    l.platform = gs_str_text("late");
    ok(gs_avail_look(a, 1, &l) == GS_OK, "there is room for others");
}


/* The ring of outages: the latest are kept. */

static void
test_ring(void)
{
    unsigned  i;
    gs_str_t  s;

    begin("2026-11-10T10:00:00+08:00");

    for (i = 0; i < GS_AVAIL_OUTAGES + 10; i++) {
        step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
        step("gd", 1, 0, GS_AVAIL_UNKNOWN, 0);
    }

    (void) json("2026-11", "");
    ok(strstr(out, "T10:18:00+08:00\",\"until") == NULL
       && strstr(out, "T10:20:00+08:00\",\"until") != NULL,
       "the tenth is forgotten, the eleventh is there");
    ok(strstr(out, "\"outages\":522,") != NULL, "all are counted");

    s = gs_str_make(text, save());
    ok(gs_avail_load(a, &s, NULL) == GS_OK
       && strstr(json("2026-11", ""), "T10:20:00+08:00\",\"until") != NULL,
       "the ring is read again");
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    step("gd", 1, 0, GS_AVAIL_UNKNOWN, 0);
    ok(strstr(json("2026-11", ""), "T10:20:00+08:00\",\"until") == NULL,
       "and goes on");
}


static void
test_text(void)
{
    char      first[2048];
    size_t    len;
    gs_str_t  s;

    begin("2026-11-10T10:00:00+08:00");
    steps(59, "gd", 0, 3, GS_AVAIL_UNKNOWN);
    look("gd", GS_AVAIL_NONE, 0);
    counters[GS_AVAIL_FAILED] += 2;
    look("gd", GS_AVAIL_NONE, 0);

    len = save();
    ok(len != 0 && len < sizeof(first), "saved");
    memcpy(first, text, len);

    s = gs_str_make(first, len);
    ok(gs_avail_load(a, &s, NULL) == GS_OK, "loaded");
    ok(save() == len && memcmp(first, text, len) == 0,
       "what is saved again is the same");

    news.text[0] = '\0';
    now += MINUTE;
    (void) gs_avail_turn(a, now, tell, &news);
    is_str(gs_str_text(news.text), "clock1 gd 10:00 60/60;",
           "another process ends the minute that runs, with its requests");
    ok(strstr(json("2026-11", ""), "\"failed\":179,") != NULL,
       "none lost, none twice");

    /* too little room at every length */

    {
        gs_buf_t  b;
        size_t    i, wrong, save_len;

        save_len = save();

        for (wrong = 0, i = 0; i < save_len; i++) {
            gs_buf_init(&b, out, i);
            wrong += (gs_avail_save(a, &b) != GS_ERROR);
        }

        is_int((int64_t) wrong, 0, "too little room is an error");
    }
}


static void
test_damage(void)
{
    char        bad[4096];
    size_t      i, len, wrong;
    gs_err_t    err;
    gs_str_t    s;
    static const char *const  lies[][2] = {
        { "clock 1 29", "clock 1 99" },
        { "clock 1 ", "clock 1  " },
        { "clock", "klock" },
        { "platform gd 1", "platform gd 2" },
        { "platform gd 1", "platform g/ 1" },
        { "platform gd 1", "platform gd x" },
        { "platform gd 1 0 0 0 0", "platform gd 1 5 4 1 0" },
        { "platform gd 1 0 0 0 0", "platform gd 1 0 4 0 0" },
        { "platform gd 1 0 0 0 0", "platform gd 1 5 6 3 0" },
        { "platform gd 1 0 0 0 0", "platform gd 1 5 6 0 0" },
        { "platform gd 1 0 0 0 0", "platform gd 1 0 0 0 4" },
        { "month 202611", "month 202612" },
        { "month 202611", "month 202500" },
        { "month 202611", "month 202509" },
        { "month 202611", "month 202613" },
        { "month 202611 3 0 1", "month 202611 44640 0 1" },
        { "month 202611 3 0 1", "month 202611 3 0 0" },
        { "month 202611", "look 0 0 0 0 1 1 1\nmonth 202611" },
        { "month 202611", "look 1 2 0 0 1 1 1\nmonth 202611" },
        { "month 202611", "look 1 0 1 1 1 1 1\nmonth 202611" },
        { "month 202611", "look 1 0 1 0 1 1 1\nlook 1 0 1 0 1 1 1\n"
                          "month 202611" },
        { "outage gd", "outage %d" },
        { "outage gd 2", "outage gd 3" },
        { "outage gd 29", "outage gd 0 29" },
        { "outage gd", "outrage gd" },
        { "outage gd", "platform gd 0 0 0 0 0 0 0 0 0 0 0 0 0\noutage gd" },
        { "govsvc-availability 1", "govsvc-availability 2" },
        { NULL, NULL }
    };

    begin("2026-11-10T10:00:00+08:00");
    step("gd", 1, 0, GS_AVAIL_UNKNOWN, 0);
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    steps(2, "gd", 1, 0, GS_AVAIL_UNKNOWN);
    len = save();

    for (wrong = 0, i = 0; i < len; i++) {
        s = gs_str_make(text, i);
        wrong += (gs_avail_load(a, &s, NULL) != GS_ERROR);
    }

    is_int((int64_t) wrong, 0, "no beginning of it is whole");

    for (wrong = 0, i = 0; i < len * 8; i++) {
        text[i / 8] ^= (char) (1 << i % 8);
        s = gs_str_make(text, len);
        wrong += (gs_avail_load(a, &s, &err) != GS_ERROR);
        text[i / 8] ^= (char) (1 << i % 8);
    }

    is_int((int64_t) wrong, 0, "every bit counts");
    ok(gs_avail_time(a) == 0, "what was refused leaves nothing");

    for (i = 0; lies[i][0] != NULL; i++) {
        char      *p;
        gs_buf_t   b;
        gs_avail_t *fresh;

        p = strstr(text, lies[i][0]);
        ok(p != NULL, "lie %zu has its place", i);

        if (p == NULL) {
            continue;
        }

        /* a right checksum over the lie */

        gs_buf_init(&b, bad, sizeof(bad));
        gs_buf_put(&b, text, (size_t) (p - text));
        gs_buf_text(&b, lies[i][1]);
        p += strlen(lies[i][0]);
        gs_buf_put(&b, p, (size_t) (text + len - 21 - p));
        b.overflow = 0;

        fresh = gs_avail_create(&gs_mem_libc);
        s = gs_buf_view(&b);
        is_int(gs_avail_load(fresh, &s, &err), GS_ERROR,
               "lie %zu is refused", i);
        gs_avail_destroy(fresh);
    }
}


static void
test_report(void)
{
    gs_buf_t  b;
    gs_str_t  node, all;

    begin("2026-11-10T10:00:00+08:00");
    steps(2, "gd", 3, 0, GS_AVAIL_UNKNOWN);
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    counters[GS_AVAIL_REFUSED] += 5;
    step("gd", 0, 0, GS_AVAIL_NONE, 1);

    is_str(gs_str_text(json("2026-11", "gd")),
           "{\"node\":\"gw-1\",\"month\":\"2026-11\","
           "\"until\":\"2026-11-10T10:04:00+08:00\",\"complete\":false,"
           "\"platforms\":[{\"platform\":\"gd\",\"availability\":66.6666,"
           "\"minutes\":{\"up\":2,\"idle\":0,\"down\":1,\"announced\":1,"
           "\"unobserved\":0},\"requests\":{\"served\":6,\"failed\":1,"
           "\"announced\":5},\"outages\":1,\"longest\":1}],"
           "\"outages\":[{\"platform\":\"gd\","
           "\"since\":\"2026-11-10T10:02:00+08:00\","
           "\"until\":\"2026-11-10T10:03:00+08:00\",\"ended\":false,"
           "\"minutes\":1,\"down\":1,\"clocks\":[]}]}", "JSON");

    ok(strstr(json("2026-11", "bj"), "\"platforms\":[],\"outages\":[]}")
       != NULL, "of another platform nothing");
    ok(strstr(json("2025-11", ""), "\"platforms\":[],\"outages\":[]}")
       != NULL, "of another month nothing");

    steps(61, "gd", 0, 1, GS_AVAIL_UNKNOWN);
    ok(strstr(json("2026-11", "gd"), "\"clocks\":[{\"hours\":1,"
              "\"at\":\"2026-11-10T11:02:00+08:00\"}]") != NULL,
       "when a clock passed");

    begin("2026-11-10T10:00:00+08:00");
    step("gd", 3, 0, GS_AVAIL_UNKNOWN, 0);
    step("gd", 0, 0, GS_AVAIL_NONE, 1);

    node = gs_str_text("gw\"1");
    all = gs_str_text("gd");
    gs_buf_init(&b, out, sizeof(out));
    gs_avail_csv(a, &node, 202611, &all, &b);
    is_str(gs_buf_view(&b),
           "node,month,platform,availability,up,idle,down,announced,"
           "unobserved,served,failed,refused,outages,longest\r\n"
           "\"gw\"\"1\",2026-11,gd,100.0000,1,0,0,1,0,3,0,0,0,0\r\n", "CSV");

    begin("2026-11-10T10:00:00+08:00");
    step("gd", 0, 0, GS_AVAIL_NONE, 1);
    ok(strstr(json("2026-11", "gd"), "\"availability\":null") != NULL,
       "nothing but announced minutes: no figure");
}


static void
test_month_parse(void)
{
    size_t    i;
    unsigned  month;
    gs_str_t  s;
    static const char *const  wrong[] = {
        "", "2026", "2026-1", "2026-13", "2026-00", "1969-12", "2026/11",
        "2026-011", "+026-11", "2026-1a", NULL
    };

    s = gs_str_text("2026-11");
    ok(gs_avail_month_parse(&s, &month) == GS_OK && month == 202611, "a month");

    for (i = 0; wrong[i] != NULL; i++) {
        s = gs_str_text(wrong[i]);
        ok(gs_avail_month_parse(&s, &month) == GS_ERROR, "no month: \"%s\"",
           wrong[i]);
    }
}


static void
test_time(void)
{
    is_int(gs_time_month(at("2026-11-30T23:59:59+08:00")), 202611,
           "the last second of November in Beijing");
    is_int(gs_time_month(at("2026-11-30T16:00:00Z")), 202612,
           "December begins at 16:00 UTC");
    is_int(gs_time_month(0), 197001, "the epoch");
    ok(gs_time_month_start(202612) == at("2026-12-01T00:00:00+08:00"),
       "the first moment of a month");
    ok(gs_time_month_start(197001) == 0, "January 1970 began before the epoch");
    is_int(gs_time_month_next(202612), 202701, "after December");
    is_int(gs_time_month_next(202611), 202612, "after November");
}


static void
test_memory(void)
{
    gs_avail_t  *b;

    ok(gs_avail_create(tap_mem_fail(1)) == NULL && tap_mem_failed(),
       "no memory");

    b = gs_avail_create(tap_mem_fail(0));
    gs_avail_destroy(b);
    ok(b != NULL && tap_mem_live() == 0, "none is left");
}
