
/*
 * Copyright (C) govsvc authors
 *
 * What the tests of availability share: a clock that they turn, counters that
 * they raise, and what came of it as short texts.
 */


#ifndef _ROUTE_AVAIL_FIXTURE_H_INCLUDED_
#define _ROUTE_AVAIL_FIXTURE_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include "core/gs_time.h"
#include "route/gs_avail.h"
#include "tap.h"


#define MINUTE  60000000ull


typedef struct {
    char         text[4096];
} log_t;


static uint64_t at(const char *iso);
static void begin(const char *iso);
static void begin_bare(const char *iso);
static void look(const char *name, gs_avail_health_e health,
    unsigned announced);
static void step(const char *name, unsigned served, unsigned failed,
    gs_avail_health_e health, unsigned announced);
static void steps(unsigned n, const char *name, unsigned served,
    unsigned failed, gs_avail_health_e health);
static void tell(void *ctx, const gs_avail_news_t *news);
static const char *json(const char *month, const char *platform);
static size_t save(void);


static char         text[GS_AVAIL_TEXT];
static char         out[GS_AVAIL_TEXT];
static log_t        news;
static uint64_t     now;
static uint64_t     counters[GS_AVAIL_REQUESTS];
static gs_avail_t  *a;


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


#endif /* _ROUTE_AVAIL_FIXTURE_H_INCLUDED_ */
