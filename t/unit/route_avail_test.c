
/*
 * Copyright (C) govsvc authors
 *
 * Availability: the rule for a minute, outages and their clocks, months of
 * Beijing, the text and the reports.
 */


#include <stdio.h>
#include <stdlib.h>

#include "core/gs_time.h"
#include "route/gs_avail.h"
#include "tap.h"


#define MINUTE  60000000ull


typedef struct {
    char             text[4096];
    unsigned         n;
} log_t;


static void test_rule(void);
static void test_clocks(void);
static void test_ends(void);
static void test_announced(void);
static void test_months(void);
static void test_year(void);
static void test_gap(void);
static void test_clock_back(void);
static void test_counters(void);
static void test_gone(void);
static void test_full(void);
static void test_ring(void);
static void test_text(void);
static void test_damage(void);
static void test_report(void);
static void test_month_parse(void);
static void test_time(void);
static void test_memory(void);

static uint64_t at(const char *iso);
static void step(const char *name, unsigned served, unsigned failed,
    gs_avail_health_e health, unsigned announced);
static void steps(unsigned n, const char *name, unsigned served,
    unsigned failed, gs_avail_health_e health);
static void look(const char *name, gs_avail_health_e health,
    unsigned announced);
static void begin(const char *iso);
static void begin_bare(const char *iso);
static void tell(void *ctx, const gs_avail_news_t *news);
static const char *row(const char *month);
static const char *json(const char *month, const char *platform);
static size_t save(void);


static char         text[GS_AVAIL_TEXT];
static char         out[GS_AVAIL_TEXT];
static log_t        news;
static uint64_t     now;
static uint64_t     counters[3];
static gs_avail_t  *a;


int
main(void)
{
    a = gs_avail_create(&gs_mem_libc);

    test_rule();
    test_clocks();
    test_ends();
    test_announced();
    test_months();
    test_year();
    test_gap();
    test_clock_back();
    test_counters();
    test_gone();
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
test_rule(void)
{
    begin("2026-11-10T10:00:00+08:00");

    step("gd", 10, 0, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(row("2026-11")), "1 0 0 0 0", "all served: up");

    step("gd", 6, 5, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(row("2026-11")), "2 0 0 0 0", "a minority failed: up");

    step("gd", 5, 5, GS_AVAIL_PROVED, 0);
    is_str(gs_str_text(row("2026-11")), "2 0 1 0 0",
           "half of them failed: down, whatever checks say");

    step("gd", 0, 0, GS_AVAIL_PROVED, 0);
    is_str(gs_str_text(row("2026-11")), "2 1 1 0 0",
           "no request, checks pass: idle");

    step("gd", 0, 0, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(row("2026-11")), "2 2 1 0 0",
           "no request, nothing known: idle");

    step("gd", 0, 0, GS_AVAIL_NONE, 0);
    is_str(gs_str_text(row("2026-11")), "2 2 2 0 0",
           "no request, nobody could take one: down");

    step("gd", 1, 0, GS_AVAIL_NONE, 0);
    is_str(gs_str_text(row("2026-11")), "3 2 2 0 0",
           "a request that was served proves more than a check");

    step("gd", 0, 0, GS_AVAIL_NONE, 1);
    is_str(gs_str_text(row("2026-11")), "3 2 2 1 0", "announced");

    /* one look of two sees it usable, or announced */

    look("gd", GS_AVAIL_NONE, 0);
    step("gd", 0, 0, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(row("2026-11")), "3 3 2 1 0",
           "usable at one look: not down");

    look("gd", GS_AVAIL_NONE, 1);
    step("gd", 0, 3, GS_AVAIL_NONE, 0);
    is_str(gs_str_text(row("2026-11")), "3 3 3 1 0",
           "announced for a part of the minute: judged by its requests");
}


static void
test_clocks(void)
{
    begin("2026-11-10T10:00:00+08:00");

    step("gd", 5, 0, GS_AVAIL_UNKNOWN, 0);
    steps(59, "gd", 0, 2, GS_AVAIL_UNKNOWN);
    is_str(gs_str_text(news.text), "begin gd 10:01 1/1;",
           "an outage is told once; 59 minutes pass no clock");

    step("gd", 0, 2, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(news.text),
           "begin gd 10:01 1/1;clock1 gd 10:01 60/60;", "one hour");

    news.text[0] = '\0';
    steps(59, "gd", 0, 2, GS_AVAIL_UNKNOWN);
    is_str(gs_str_text(news.text), "", "119 minutes");
    step("gd", 0, 2, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(news.text), "clock2 gd 10:01 120/120;", "two hours");

    news.text[0] = '\0';
    steps(119, "gd", 0, 2, GS_AVAIL_UNKNOWN);
    is_str(gs_str_text(news.text), "", "239 minutes");
    step("gd", 0, 2, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(news.text), "clock4 gd 10:01 240/240;", "four hours");

    news.text[0] = '\0';
    steps(300, "gd", 0, 2, GS_AVAIL_UNKNOWN);
    is_str(gs_str_text(news.text), "", "no clock behind the last");

    step("gd", 9, 0, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(news.text), "end gd 10:01 540/540;", "its end is told");

    step("gd", 0, 9, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(news.text),
           "end gd 10:01 540/540;begin gd 19:02 1/1;", "the next begins");
}


static void
test_ends(void)
{
    begin("2026-11-10T10:00:00+08:00");

    step("gd", 0, 2, GS_AVAIL_UNKNOWN, 0);
    steps(30, "gd", 0, 0, GS_AVAIL_UNKNOWN);
    step("gd", 0, 2, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(news.text), "begin gd 10:00 1/1;",
           "minutes without requests or checks prove nothing");
    is_str(gs_str_text(row("2026-11")), "0 30 2 0 0",
           "they are not down either");

    steps(27, "gd", 0, 0, GS_AVAIL_UNKNOWN);
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(news.text),
           "begin gd 10:00 1/1;clock1 gd 10:00 60/3;",
           "the clock ran in them, and passes with a minute down");

    news.text[0] = '\0';
    steps(59, "gd", 0, 0, GS_AVAIL_UNKNOWN);
    is_str(gs_str_text(news.text), "", "59 minutes of nothing");
    step("gd", 0, 0, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(news.text), "end gd 10:00 60/3;",
           "after an hour of nothing it is over, at its last minute down");

    news.text[0] = '\0';
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    look("gd", GS_AVAIL_UNKNOWN, 0);
    step("gd", 0, 0, GS_AVAIL_PROVED, 0);
    is_str(gs_str_text(news.text), "begin gd 12:00 1/1;",
           "checks that pass in a part of the minute do not end it");
    step("gd", 0, 0, GS_AVAIL_PROVED, 0);
    is_str(gs_str_text(news.text), "begin gd 12:00 1/1;end gd 12:00 1/1;",
           "in all of it they do");
}


static void
test_announced(void)
{
    begin("2026-11-10T10:00:00+08:00");

    steps(30, "gd", 0, 2, GS_AVAIL_UNKNOWN);
    step("gd", 0, 0, GS_AVAIL_NONE, 1);
    steps(29, "gd", 0, 2, GS_AVAIL_UNKNOWN);

    is_str(gs_str_text(news.text),
           "begin gd 10:00 1/1;clock1 gd 10:00 60/59;",
           "announcing maintenance in an outage does not stop its clocks");
    is_str(gs_str_text(row("2026-11")), "0 0 59 1 0", "the minute is apart");

    begin("2026-11-10T10:00:00+08:00");

    step("gd", 5, 0, GS_AVAIL_UNKNOWN, 0);
    for (now = now + 0; now < at("2026-11-10T16:00:00+08:00"); /* void */ ) {
        step("gd", 0, 0, GS_AVAIL_NONE, 1);
    }

    is_str(gs_str_text(news.text), "", "announced before: no outage");
    is_str(gs_str_text(row("2026-11")), "1 0 0 359 0", "six hours of it");
}


static void
test_months(void)
{
    begin("2026-11-30T23:58:00+08:00");

    steps(5, "gd", 0, 1, GS_AVAIL_UNKNOWN);
    step("gd", 1, 0, GS_AVAIL_UNKNOWN, 0);

    is_str(gs_str_text(row("2026-11")), "0 0 2 0 0", "to the end of November");
    is_str(gs_str_text(row("2026-12")), "1 0 3 0 0", "December in Beijing");
    ok(strstr(json("2026-11", ""), "\"outages\":1,\"longest\":2}") != NULL,
       "it began in November");
    ok(strstr(out, "\"since\":\"2026-11-30T23:58:00+08:00\","
              "\"until\":\"2026-12-01T00:03:00+08:00\",\"ended\":true,"
              "\"minutes\":5,\"down\":5,\"clocks\":[]}")
       != NULL, "the whole outage stands in November");
    ok(strstr(json("2026-12", ""), "\"outages\":0,\"longest\":5}") != NULL
       && strstr(out, "\"since\":\"2026-11-30T23:58:00+08:00\"") != NULL,
       "and in December, where it did not begin");
    ok(strstr(json("2026-11", ""), "\"complete\":true") != NULL
       && strstr(json("2026-12", ""), "\"complete\":false") != NULL,
       "November is over");
}


/* Every minute of a year and two months, with a day down in each month. */

static void
test_year(void)
{
    char      key[8];
    unsigned  m, y, wrong, days;
    uint64_t  t;

    begin("2027-12-01T00:00:00+08:00");
    wrong = 0;

    for (t = 0; t < (31 + 366 + 31) * 1440; t++) {
        step("gd", (now / MINUTE + 480) % 1440 != 600, 1, GS_AVAIL_UNKNOWN,
             0);
    }

    for (m = 0; m < 14; m++) {
        y = 2027 + (m + 11) / 12;
        snprintf(key, sizeof(key), "%u-%02u", y, (m + 11) % 12 + 1);
        days = (unsigned)
               ((gs_time_month_start(gs_time_month_next(y * 100
                                                        + (m + 11) % 12 + 1))
                 - gs_time_month_start(y * 100 + (m + 11) % 12 + 1))
                / (1440 * MINUTE));
        snprintf(text, sizeof(text), "0 0 %u 0 0", days * 1440);
        wrong += strcmp(row(key), text) != 0;
    }

    is_int(wrong, 0, "14 months, one a leap February, have all their minutes");
    is_str(gs_str_text(row("2028-02")), "0 0 41760 0 0", "February 2028");

    step("gd", 1, 0, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(row("2027-12")), "none", "the fifteenth month");

    save();
    ok(strstr(text, "month 202712 ") == NULL
       && strstr(text, "month 202801 ") != NULL,
       "takes the place of the first in the text too");
}


static void
test_gap(void)
{
    begin("2026-11-10T10:00:00+08:00");

    steps(20, "gd", 0, 1, GS_AVAIL_UNKNOWN);
    now += 20 * MINUTE;
    steps(19, "gd", 0, 1, GS_AVAIL_UNKNOWN);
    is_str(gs_str_text(row("2026-11")), "0 0 39 0 20",
           "minutes that nobody saw, the one begun too");
    is_str(gs_str_text(news.text), "begin gd 10:00 1/1;",
           "the outage went on");
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(news.text),
           "begin gd 10:00 1/1;clock1 gd 10:00 60/40;", "and its clock");

    news.text[0] = '\0';
    now += 61 * MINUTE;
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    ok(strncmp(news.text, "end gd 10:00 61/41;", 19) == 0,
       "after an hour that nobody saw it is another: %s", news.text);

    begin("2026-01-31T23:00:00+08:00");
    step("gd", 1, 0, GS_AVAIL_UNKNOWN, 0);
    now = at("2026-04-01T00:30:00+08:00");
    steps(2, "gd", 1, 0, GS_AVAIL_UNKNOWN);
    is_str(gs_str_text(row("2026-01")), "1 0 0 0 59", "rest of January");
    is_str(gs_str_text(row("2026-02")), "0 0 0 0 40320", "February");
    is_str(gs_str_text(row("2026-03")), "0 0 0 0 44640", "March");
    is_str(gs_str_text(row("2026-04")), "2 0 0 0 30", "April so far");

    begin("2020-01-01T00:00:00+08:00");
    step("gd", 1, 0, GS_AVAIL_UNKNOWN, 0);
    now = at("9990-01-01T00:00:00+08:00");
    steps(2, "gd", 1, 0, GS_AVAIL_UNKNOWN);
    is_str(gs_str_text(row("9989-12")), "0 0 0 0 44640",
           "thousands of years are counted from where they are kept");
    is_str(gs_str_text(row("9988-11")), "none", "and not before");
}


static void
test_clock_back(void)
{
    begin("2026-11-10T10:00:00+08:00");

    steps(5, "gd", 0, 1, GS_AVAIL_UNKNOWN);
    now -= 3 * MINUTE;
    steps(3, "gd", 0, 1, GS_AVAIL_UNKNOWN);
    is_str(gs_str_text(row("2026-11")), "0 0 5 0 0",
           "a clock that went back is waited for");
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    is_str(gs_str_text(row("2026-11")), "0 0 6 0 0", "then it goes on");

    now = at("2027-03-01T00:00:00+08:00");
    steps(5, "gd", 0, 1, GS_AVAIL_UNKNOWN);
    now = at("2026-11-10T11:00:00+08:00");
    news.text[0] = '\0';
    steps(2, "gd", 1, 0, GS_AVAIL_UNKNOWN);
    ok(strstr(news.text, "end gd ") != NULL, "a clock put right: the outage "
       "of the wrong time ends");
    is_str(gs_str_text(row("2027-03")), "none", "its months are gone");
    ok(strstr(json("2026-11", ""), "2027-") == NULL, "its outages too");
    ok(save() != 0, "saved");
    {
        gs_str_t  s;

        s = gs_str_text(text);
        ok(gs_avail_load(a, &s, NULL) == GS_OK, "and can be read again");
    }
}


static void
test_counters(void)
{
    gs_avail_look_t  l;

    begin_bare("2026-11-10T10:00:00+08:00");
    (void) gs_avail_turn(a, now, NULL, NULL);

    /* counters that had a past when they were met */

    memset(&l, 0, sizeof(l));
    l.platform = gs_str_text("gd");
    l.requests[GS_AVAIL_SERVED] = 1000;
    l.requests[GS_AVAIL_FAILED] = 5000;
    ok(gs_avail_look(a, 7, &l) == GS_OK, "first look");
    l.requests[GS_AVAIL_SERVED] += 3;
    (void) gs_avail_look(a, 7, &l);
    now += MINUTE;
    (void) gs_avail_turn(a, now, NULL, NULL);
    ok(strstr(json("2026-11", ""), "\"served\":3,\"failed\":0,") != NULL,
       "the past of the counters counts not");

    /* a platform that came later began at 0 */

    (void) gs_avail_look(a, 7, &l);
    l.platform = gs_str_text("bj");
    l.requests[GS_AVAIL_SERVED] = 2;
    l.requests[GS_AVAIL_FAILED] = 0;
    (void) gs_avail_look(a, 7, &l);
    now += MINUTE;
    (void) gs_avail_turn(a, now, NULL, NULL);
    ok(strstr(json("2026-11", "bj"), "\"served\":2,\"failed\":0,") != NULL,
       "those of a new platform count from their first");

    /* a restart */

    l.requests[GS_AVAIL_SERVED] = 1;
    (void) gs_avail_look(a, 8, &l);
    now += MINUTE;
    (void) gs_avail_turn(a, now, NULL, NULL);
    ok(strstr(json("2026-11", "bj"), "\"served\":3,\"failed\":0,") != NULL,
       "with another epoch they began at 0");

    l.requests[GS_AVAIL_SERVED] = 0;
    l.requests[GS_AVAIL_FAILED] = 4;
    (void) gs_avail_look(a, 8, &l);
    now += MINUTE;
    (void) gs_avail_turn(a, now, NULL, NULL);
    ok(strstr(json("2026-11", "bj"), "\"served\":3,\"failed\":4,") != NULL,
       "and so did one that is below what it was");
}


static void
test_gone(void)
{
    begin("2026-11-10T10:00:00+08:00");

    look("gd", GS_AVAIL_UNKNOWN, 0);
    counters[GS_AVAIL_FAILED]++;
    look("bj", GS_AVAIL_UNKNOWN, 0);
    step("gd", 0, 1, GS_AVAIL_UNKNOWN, 0);
    news.text[0] = '\0';
    steps(3, "bj", 1, 0, GS_AVAIL_UNKNOWN);
    ok(strstr(news.text, "end gd 10:00 1/1;") != NULL,
       "the outage of a platform that is gone is over");
    ok(strstr(json("2026-11", "gd"), "\"down\":1,\"announced\":0,"
              "\"unobserved\":0") != NULL, "and its minutes end");
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


static uint64_t
at(const char *iso)
{
    gs_str_t  s;
    uint64_t  us;

    s = gs_str_text(iso);

    if (gs_time_parse(&s, &us) != GS_OK) {
        abort();
    }

    return us;
}


/* Another platform is looked at before, so that all of gd's requests count. */

static void
begin(const char *iso)
{
    gs_avail_look_t  l;

    begin_bare(iso);

    memset(&l, 0, sizeof(l));
    l.platform = gs_str_text("before");

    (void) gs_avail_turn(a, now - MINUTE, NULL, NULL);
    (void) gs_avail_look(a, 1, &l);
    (void) gs_avail_turn(a, now, NULL, NULL);
}


static void
begin_bare(const char *iso)
{
    gs_avail_destroy(a);
    a = gs_avail_create(&gs_mem_libc);

    now = at(iso);
    memset(counters, 0, sizeof(counters));
    memset(&news, 0, sizeof(news));
}


static void
look(const char *name, gs_avail_health_e health, unsigned announced)
{
    gs_avail_look_t  l;

    memset(&l, 0, sizeof(l));
    l.platform = gs_str_text(name);
    memcpy(l.requests, counters, sizeof(l.requests));
    l.health = health;
    l.announced = announced;

    (void) gs_avail_turn(a, now, tell, &news);
    (void) gs_avail_look(a, 1, &l);
}


/* One minute, to its end. */

static void
step(const char *name, unsigned served, unsigned failed,
    gs_avail_health_e health, unsigned announced)
{
    counters[GS_AVAIL_SERVED] += served;
    counters[GS_AVAIL_FAILED] += failed;

    look(name, health, announced);

    now += MINUTE;
    (void) gs_avail_turn(a, now, tell, &news);
}


static void
steps(unsigned n, const char *name, unsigned served, unsigned failed,
    gs_avail_health_e health)
{
    while (n-- != 0) {
        step(name, served, failed, health, 0);
    }
}


static void
tell(void *ctx, const gs_avail_news_t *n)
{
    char      iso[64];
    log_t    *log = ctx;
    size_t    len;
    gs_buf_t  b;

    gs_buf_init(&b, iso, sizeof(iso));
    gs_time_iso(&b, n->since);

    len = strlen(log->text);

    if (n->event == GS_AVAIL_CLOCK) {
        snprintf(log->text + len, sizeof(log->text) - len, "clock%u ",
                 n->hours);

    } else {
        snprintf(log->text + len, sizeof(log->text) - len, "%s ",
                 n->event == GS_AVAIL_BEGINS ? "begin" : "end");
    }

    len = strlen(log->text);
    snprintf(log->text + len, sizeof(log->text) - len, "%.*s %.5s %u/%u;",
             (int) n->platform.len, (const char *) n->platform.data,
             iso + 11, n->minutes, n->down);
}


/* The minutes of gd in that month. */

static const char *
row(const char *month)
{
    const char   *p;
    unsigned      up, idle, down, announced, unobserved;
    static char   line[128];

    p = strstr(json(month, "gd"), "\"minutes\":{");

    if (p == NULL
        || sscanf(p, "\"minutes\":{\"up\":%u,\"idle\":%u,\"down\":%u,"
                  "\"announced\":%u,\"unobserved\":%u", &up, &idle, &down,
                  &announced, &unobserved) != 5)
    {
        return "none";
    }

    snprintf(line, sizeof(line), "%u %u %u %u %u", up, idle, down, announced,
             unobserved);

    return line;
}


static const char *
json(const char *month, const char *platform)
{
    gs_buf_t  b;
    gs_str_t  node, p, s;
    unsigned  m;

    s = gs_str_text(month);
    node = gs_str_text("gw-1");
    p = gs_str_text(platform);

    gs_buf_init(&b, out, sizeof(out) - 1);

    if (gs_avail_month_parse(&s, &m) == GS_OK) {
        gs_avail_json(a, &node, m, &p, &b);
    }

    out[gs_buf_len(&b)] = '\0';

    return out;
}


static size_t
save(void)
{
    gs_buf_t  b;

    gs_buf_init(&b, text, sizeof(text) - 1);

    if (gs_avail_save(a, &b) != GS_OK) {
        return 0;
    }

    text[gs_buf_len(&b)] = '\0';

    return gs_buf_len(&b);
}
