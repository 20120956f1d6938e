
/*
 * Copyright (C) govsvc authors
 *
 * Availability: the report of a month.
 */


#include "route/gs_avail_priv.h"

#include "core/gs_json_out.h"
#include "core/gs_time.h"


static void gs_avail_json_row(const gs_avail_row_t *row,
    const gs_avail_month_t *m, gs_buf_t *b);
static void gs_avail_json_outage(const gs_str_t *name, uint64_t since,
    uint64_t until, const gs_avail_outage_t *o, gs_buf_t *b);
static void gs_avail_json_clocks(uint64_t since, unsigned clocks,
    gs_buf_t *b);
static void gs_avail_json_time(gs_buf_t *b, const char *key, uint64_t minute);
static void gs_avail_comma(gs_buf_t *b);
static const gs_avail_month_t *gs_avail_find(const gs_avail_row_t *row,
    unsigned month, const gs_str_t *platform);
static unsigned gs_avail_within(const gs_uchar_t *name, size_t len,
    uint64_t since, uint64_t until, unsigned month, const gs_str_t *platform);
static void gs_avail_percent(const gs_avail_month_t *m, const char *none,
    gs_buf_t *b);
static void gs_avail_month_text(unsigned month, gs_buf_t *b);
static void gs_avail_second(uint64_t minute, gs_buf_t *b);


static const char *const  gs_avail_request_texts[GS_AVAIL_REQUESTS] = {
    "served", "failed", "announced"
};


gs_rc_t
gs_avail_month_parse(const gs_str_t *s, unsigned *month)
{
    gs_str_t  part;
    uint64_t  y, m;

    if (s->len != 7 || s->data[4] != '-') {
        return GS_ERROR;
    }

    part = gs_str_make(s->data, 4);

    if (gs_parse_u64(&part, &y) != GS_OK) {
        return GS_ERROR;
    }

    part = gs_str_make(s->data + 5, 2);

    if (gs_parse_u64(&part, &m) != GS_OK || y < 1970 || m < 1 || m > 12) {
        return GS_ERROR;
    }

    *month = (unsigned) (y * 100 + m);

    return GS_OK;
}


void
gs_avail_json(const gs_avail_t *a, const gs_str_t *node, unsigned month,
    const gs_str_t *platform, gs_buf_t *b)
{
    uint64_t                  i;
    gs_str_t                  name;
    const gs_avail_row_t     *row;
    const gs_avail_month_t   *m;
    const gs_avail_outage_t  *o;

    gs_buf_char(b, '{');
    gs_json_kv_str(b, "node", node);
    gs_json_key(b, "month");
    gs_buf_char(b, '"');
    gs_avail_month_text(month, b);
    gs_buf_char(b, '"');
    gs_avail_json_time(b, "until", a->minute);
    gs_json_key(b, "complete");
    gs_buf_text(b, gs_time_month(a->minute * GS_AVAIL_MINUTE) > month
                   ? "true" : "false");

    gs_json_key(b, "platforms");
    gs_buf_char(b, '[');

    for (i = 0; i < GS_AVAIL_PLATFORMS; i++) {
        m = gs_avail_find(&a->rows[i], month, platform);

        if (m != NULL) {
            gs_avail_comma(b);
            gs_avail_json_row(&a->rows[i], m, b);
        }
    }

    gs_buf_char(b, ']');

    gs_json_key(b, "outages");
    gs_buf_char(b, '[');

    i = (a->noutages > GS_AVAIL_OUTAGES) ? a->noutages - GS_AVAIL_OUTAGES : 0;

    for ( /* void */ ; i < a->noutages; i++) {
        o = &a->outages[i % GS_AVAIL_OUTAGES];

        if (gs_avail_within(o->name, o->len, o->since, o->until, month,
                            platform))
        {
            name = gs_str_make(o->name, o->len);
            gs_avail_json_outage(&name, o->since, o->until, o, b);
        }
    }

    for (i = 0; i < GS_AVAIL_PLATFORMS; i++) {
        row = &a->rows[i];

        if (row->since != 0
            && gs_avail_within(row->name, row->len, row->since, a->minute,
                               month, platform))
        {
            name = gs_str_make(row->name, row->len);
            gs_avail_json_outage(&name, row->since, row->last + 1, NULL, b);
            gs_json_kv_u64(b, "down", row->down);
            gs_avail_json_clocks(row->since, row->clocks, b);
            gs_buf_char(b, '}');
        }
    }

    gs_buf_text(b, "]}");
}


static void
gs_avail_json_row(const gs_avail_row_t *row, const gs_avail_month_t *m,
    gs_buf_t *b)
{
    gs_str_t  name;
    unsigned  k;

    name = gs_str_make(row->name, row->len);

    gs_buf_char(b, '{');
    gs_json_kv_str(b, "platform", &name);
    gs_json_key(b, "availability");
    gs_avail_percent(m, "null", b);

    gs_json_key(b, "minutes");
    gs_buf_char(b, '{');

    for (k = 0; k < GS_AVAIL_STATES; k++) {
        gs_json_kv_u64(b, gs_avail_state_texts[k], m->minutes[k]);
    }

    gs_buf_char(b, '}');
    gs_json_key(b, "requests");
    gs_buf_char(b, '{');

    for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
        gs_json_kv_u64(b, gs_avail_request_texts[k], m->requests[k]);
    }

    gs_buf_char(b, '}');
    gs_json_kv_u64(b, "outages", m->outages);
    gs_json_kv_u64(b, "longest", m->longest);
    gs_buf_char(b, '}');
}


/* o is NULL for one that goes on; the caller then adds the rest. */

static void
gs_avail_json_outage(const gs_str_t *name, uint64_t since, uint64_t until,
    const gs_avail_outage_t *o, gs_buf_t *b)
{
    gs_avail_comma(b);
    gs_buf_char(b, '{');
    gs_json_kv_str(b, "platform", name);
    gs_avail_json_time(b, "since", since);
    gs_avail_json_time(b, "until", until);
    gs_json_key(b, "ended");
    gs_buf_text(b, (o != NULL) ? "true" : "false");
    gs_json_kv_u64(b, "minutes", until - since);

    if (o != NULL) {
        gs_json_kv_u64(b, "down", o->down);
        gs_avail_json_clocks(since, o->clocks, b);
        gs_buf_char(b, '}');
    }
}


/* The moments at which clocks that passed had run so long. */

static void
gs_avail_json_clocks(uint64_t since, unsigned clocks, gs_buf_t *b)
{
    unsigned  i;

    gs_json_key(b, "clocks");
    gs_buf_char(b, '[');

    for (i = 0; i < clocks && i < GS_AVAIL_CLOCKS; i++) {
        gs_avail_comma(b);
        gs_buf_char(b, '{');
        gs_json_kv_u64(b, "hours", gs_avail_hours[i]);
        gs_avail_json_time(b, "at", since + gs_avail_hours[i] * 60);
        gs_buf_char(b, '}');
    }

    gs_buf_char(b, ']');
}


static void
gs_avail_json_time(gs_buf_t *b, const char *key, uint64_t minute)
{
    gs_json_key(b, key);
    gs_buf_char(b, '"');
    gs_avail_second(minute, b);
    gs_buf_char(b, '"');
}


static void
gs_avail_comma(gs_buf_t *b)
{
    if (b->pos != b->start && b->pos[-1] != '[') {
        gs_buf_char(b, ',');
    }
}


void
gs_avail_csv(const gs_avail_t *a, const gs_str_t *node, unsigned month,
    const gs_str_t *platform, gs_buf_t *b)
{
    size_t                   k;
    unsigned                 i;
    const gs_avail_row_t    *row;
    const gs_avail_month_t  *m;

    gs_buf_text(b, "node,month,platform,availability,up,idle,down,announced,"
                   "unobserved,served,failed,refused,outages,longest\r\n");

    for (i = 0; i < GS_AVAIL_PLATFORMS; i++) {
        row = &a->rows[i];
        m = gs_avail_find(row, month, platform);

        if (m == NULL) {
            continue;
        }

        /* a quote would be doubled; a name of a node has none */

        gs_buf_char(b, '"');

        for (k = 0; k < node->len; k++) {
            gs_buf_char(b, node->data[k]);

            if (node->data[k] == '"') {
                gs_buf_char(b, '"');
            }
        }

        gs_buf_text(b, "\",");
        gs_avail_month_text(month, b);
        gs_buf_char(b, ',');
        gs_buf_put(b, row->name, row->len);
        gs_buf_char(b, ',');
        gs_avail_percent(m, "", b);

        for (k = 0; k < GS_AVAIL_STATES; k++) {
            gs_buf_char(b, ',');
            gs_buf_u64(b, m->minutes[k]);
        }

        for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
            gs_buf_char(b, ',');
            gs_buf_u64(b, m->requests[k]);
        }

        gs_buf_char(b, ',');
        gs_buf_u64(b, m->outages);
        gs_buf_char(b, ',');
        gs_buf_u64(b, m->longest);
        gs_buf_text(b, "\r\n");
    }
}


static const gs_avail_month_t *
gs_avail_find(const gs_avail_row_t *row, unsigned month,
    const gs_str_t *platform)
{
    gs_str_t                 name;
    const gs_avail_month_t  *m;

    if (row->len == 0) {
        return NULL;
    }

    name = gs_str_make(row->name, row->len);

    if (platform->len != 0 && !gs_str_eq(&name, platform)) {
        return NULL;
    }

    m = gs_avail_slot((gs_avail_row_t *) row, month);

    return (m->month == month) ? m : NULL;
}


static unsigned
gs_avail_within(const gs_uchar_t *name, size_t len, uint64_t since,
    uint64_t until, unsigned month, const gs_str_t *platform)
{
    gs_str_t  s;
    uint64_t  first, next;

    s = gs_str_make(name, len);

    if (platform->len != 0 && !gs_str_eq(&s, platform)) {
        return 0;
    }

    first = gs_time_month_start(month) / GS_AVAIL_MINUTE;
    next = gs_time_month_start(gs_time_month_next(month)) / GS_AVAIL_MINUTE;

    return since < next && until > first;
}


/* Rounded down: 100 means that not a minute was down. */

static void
gs_avail_percent(const gs_avail_month_t *m, const char *none, gs_buf_t *b)
{
    uint64_t  good, all, part;

    good = (uint64_t) m->minutes[GS_AVAIL_UP] + m->minutes[GS_AVAIL_IDLE];
    all = good + m->minutes[GS_AVAIL_DOWN];

    if (all == 0) {
        gs_buf_text(b, none);
        return;
    }

    part = good * 1000000 / all;

    gs_buf_u64(b, part / 10000);
    gs_buf_char(b, '.');
    gs_buf_pad(b, part % 10000, 4);
}


static void
gs_avail_month_text(unsigned month, gs_buf_t *b)
{
    gs_buf_pad(b, month / 100, 4);
    gs_buf_char(b, '-');
    gs_buf_pad(b, month % 100, 2);
}


/* 2026-11-22T13:08:00+08:00 */

static void
gs_avail_second(uint64_t minute, gs_buf_t *b)
{
    char      text[sizeof("0000-00-00T00:00:00.000000+08:00")];
    gs_buf_t  t;

    gs_buf_init(&t, text, sizeof(text));
    gs_time_iso(&t, minute * GS_AVAIL_MINUTE);

    gs_buf_put(b, text, 19);
    gs_buf_text(b, "+08:00");
}
