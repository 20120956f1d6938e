
/*
 * Copyright (C) govsvc authors
 *
 * Availability: the rule for a minute, outages and their clocks, months of
 * Beijing, clocks that jump.
 */


#include "route_avail_fixture.h"


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
static const char *row(const char *month);


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
