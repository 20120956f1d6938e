
/*
 * Copyright (C) govsvc authors
 *
 * Availability: from looks to minutes, from minutes to outages.
 */


#include "route/gs_avail_priv.h"

#include "core/gs_time.h"


static void gs_avail_end_minute(gs_avail_t *a, gs_avail_row_t *row,
    unsigned watched, gs_avail_pt tell, void *ctx);
static gs_avail_state_e gs_avail_judge(gs_avail_row_t *row,
    const uint64_t *requests, unsigned watched);
static void gs_avail_count(gs_avail_row_t *row, uint64_t minute, uint64_t n,
    gs_avail_state_e state);
static gs_avail_month_t *gs_avail_month(gs_avail_row_t *row,
    uint64_t minute);
static void gs_avail_down(gs_avail_t *a, gs_avail_row_t *row,
    gs_avail_pt tell, void *ctx);
static void gs_avail_over(gs_avail_t *a, gs_avail_row_t *row,
    gs_avail_pt tell, void *ctx);
static void gs_avail_tell(gs_avail_row_t *row, gs_avail_event_e event,
    unsigned hours, gs_avail_pt tell, void *ctx);
static void gs_avail_gap(gs_avail_t *a, gs_avail_row_t *row, uint64_t from,
    uint64_t to, gs_avail_pt tell, void *ctx);
static void gs_avail_back(gs_avail_t *a, uint64_t minute, gs_avail_pt tell,
    void *ctx);
static void gs_avail_forget(gs_avail_t *a, gs_avail_row_t *row);


const char *const  gs_avail_state_texts[GS_AVAIL_STATES] = {
    "up", "idle", "down", "announced", "unobserved"
};

const unsigned  gs_avail_hours[GS_AVAIL_CLOCKS] = { 1, 2, 4 };


gs_avail_t *
gs_avail_create(gs_mem_t *mem)
{
    gs_avail_t  *a;

    a = gs_calloc(mem, 1, sizeof(gs_avail_t));

    if (a != NULL) {
        a->mem = mem;
    }

    return a;
}


void
gs_avail_destroy(gs_avail_t *a)
{
    if (a != NULL) {
        gs_free(a->mem, a);
    }
}


void
gs_avail_reset(gs_avail_t *a)
{
    gs_mem_t  *mem;

    mem = a->mem;
    memset(a, 0, sizeof(gs_avail_t));
    a->mem = mem;
}


uint64_t
gs_avail_time(const gs_avail_t *a)
{
    return a->minute * GS_AVAIL_MINUTE;
}


uint64_t
gs_avail_turn(gs_avail_t *a, uint64_t now, gs_avail_pt tell, void *ctx)
{
    uint64_t  minute, ended;
    unsigned  i, watched;

    minute = now / GS_AVAIL_MINUTE;

    if (minute == 0 || minute >= GS_AVAIL_LAST) {
        return 0;
    }

    if (a->minute == 0) {
        a->minute = minute;
        return 0;
    }

    if (minute <= a->minute) {

        if (a->minute - minute > GS_AVAIL_SILENT) {
            gs_avail_back(a, minute, tell, ctx);
        }

        return 0;
    }

    for (watched = 0, i = 0; i < GS_AVAIL_PLATFORMS; i++) {
        watched |= (a->rows[i].looks != 0);
    }

    for (i = 0; i < GS_AVAIL_PLATFORMS; i++) {

        if (a->rows[i].len == 0) {
            continue;
        }

        gs_avail_end_minute(a, &a->rows[i], watched, tell, ctx);
        gs_avail_gap(a, &a->rows[i], a->minute + 1, minute, tell, ctx);
    }

    ended = minute - a->minute;
    a->minute = minute;

    for (i = 0; i < GS_AVAIL_PLATFORMS; i++) {
        gs_avail_forget(a, &a->rows[i]);
    }

    return ended;
}


static void
gs_avail_end_minute(gs_avail_t *a, gs_avail_row_t *row, unsigned watched,
    gs_avail_pt tell, void *ctx)
{
    uint64_t           requests[GS_AVAIL_REQUESTS];
    unsigned           k, proved;
    gs_avail_month_t  *month;
    gs_avail_state_e   state;

    if (row->looks == 0 && (watched || !row->active)) {

        /* others were looked at: this platform is gone */

        row->active = 0;
        gs_avail_over(a, row, tell, ctx);
        return;
    }

    memset(requests, 0, sizeof(requests));

    if (row->looks != 0) {
        for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
            requests[k] = (row->seen[k] >= row->base[k])
                          ? row->seen[k] - row->base[k] : row->seen[k];
            row->base[k] = row->seen[k];
        }
    }

    state = gs_avail_judge(row, requests, watched);
    proved = (row->proved == row->looks);

    row->active = 1;
    row->looks = 0;
    row->announced = 0;
    row->none = 0;
    row->proved = 0;

    gs_avail_count(row, a->minute, 1, state);

    month = gs_avail_month(row, a->minute);

    for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
        month->requests[k] += requests[k];
    }

    if (state == GS_AVAIL_DOWN) {
        gs_avail_down(a, row, tell, ctx);

    } else if (state == GS_AVAIL_UP || (state == GS_AVAIL_IDLE && proved)
               || a->minute - row->last >= GS_AVAIL_SILENT)
    {
        gs_avail_over(a, row, tell, ctx);
    }
}


static gs_avail_state_e
gs_avail_judge(gs_avail_row_t *row, const uint64_t *requests,
    unsigned watched)
{
    uint64_t  served, failed;

    if (!watched) {
        return GS_AVAIL_UNOBSERVED;
    }

    if (row->announced == row->looks) {
        return GS_AVAIL_ANNOUNCED;
    }

    served = requests[GS_AVAIL_SERVED];
    failed = requests[GS_AVAIL_FAILED];

    if (served != 0 || failed != 0) {
        return (failed >= served) ? GS_AVAIL_DOWN : GS_AVAIL_UP;
    }

    return (row->none == row->looks) ? GS_AVAIL_DOWN : GS_AVAIL_IDLE;
}


/* n minutes from minute on, all in one month. */

static void
gs_avail_count(gs_avail_row_t *row, uint64_t minute, uint64_t n,
    gs_avail_state_e state)
{
    row->total[state] += n;
    gs_avail_month(row, minute)->minutes[state] += (uint32_t) n;
}


static gs_avail_month_t *
gs_avail_month(gs_avail_row_t *row, uint64_t minute)
{
    unsigned           month;
    gs_avail_month_t  *m;

    month = gs_time_month(minute * GS_AVAIL_MINUTE);
    m = gs_avail_slot(row, month);

    if (m->month != month) {
        memset(m, 0, sizeof(gs_avail_month_t));
        m->month = month;
    }

    return m;
}


gs_avail_month_t *
gs_avail_slot(gs_avail_row_t *row, unsigned month)
{
    return &row->months[(month / 100 * 12 + month % 100) % GS_AVAIL_MONTHS];
}


static void
gs_avail_down(gs_avail_t *a, gs_avail_row_t *row, gs_avail_pt tell, void *ctx)
{
    uint64_t           age;
    gs_avail_month_t  *month;

    month = gs_avail_month(row, a->minute);

    if (row->since == 0) {
        row->since = a->minute;
        row->last = a->minute;
        row->down = 1;
        row->clocks = 0;
        month->outages++;
        gs_avail_tell(row, GS_AVAIL_BEGINS, 0, tell, ctx);

    } else {
        row->last = a->minute;
        row->down++;
    }

    age = a->minute + 1 - row->since;

    if (age > month->longest) {
        month->longest = (uint32_t) age;
    }

    while (row->clocks < GS_AVAIL_CLOCKS
           && age >= gs_avail_hours[row->clocks] * 60)
    {
        row->clocks++;
        gs_avail_tell(row, GS_AVAIL_CLOCK, gs_avail_hours[row->clocks - 1],
                      tell, ctx);
    }
}


static void
gs_avail_over(gs_avail_t *a, gs_avail_row_t *row, gs_avail_pt tell, void *ctx)
{
    gs_avail_outage_t  *o;

    if (row->since == 0) {
        return;
    }

    gs_avail_tell(row, GS_AVAIL_ENDS, 0, tell, ctx);

    o = &a->outages[a->noutages++ % GS_AVAIL_OUTAGES];

    memcpy(o->name, row->name, row->len);
    o->len = row->len;
    o->down = row->down;
    o->clocks = row->clocks;
    o->since = row->since;
    o->until = row->last + 1;

    row->since = 0;
    row->last = 0;
    row->down = 0;
    row->clocks = 0;
}


static void
gs_avail_tell(gs_avail_row_t *row, gs_avail_event_e event, unsigned hours,
    gs_avail_pt tell, void *ctx)
{
    gs_avail_news_t  news;

    if (tell == NULL) {
        return;
    }

    news.event = event;
    news.platform = gs_str_make(row->name, row->len);
    news.since = row->since * GS_AVAIL_MINUTE;
    news.minutes = (unsigned) (row->last + 1 - row->since);
    news.down = row->down;
    news.hours = hours;

    tell(ctx, &news);
}


/* Minutes that nobody saw, up to the one that runs; months at a time. */

static void
gs_avail_gap(gs_avail_t *a, gs_avail_row_t *row, uint64_t from, uint64_t to,
    gs_avail_pt tell, void *ctx)
{
    uint64_t  next, oldest;

    if (!row->active || from >= to) {
        return;
    }

    /* what would be forgotten at once is not counted */

    oldest = gs_time_month_start(gs_avail_oldest(to)) / GS_AVAIL_MINUTE;

    for (from = (from > oldest) ? from : oldest; from < to; from = next) {
        next = gs_time_month_start(gs_time_month_next(
                   gs_time_month(from * GS_AVAIL_MINUTE)))
               / GS_AVAIL_MINUTE;
        next = (next < to) ? next : to;

        gs_avail_count(row, from, next - from, GS_AVAIL_UNOBSERVED);
    }

    if (to - row->last > GS_AVAIL_SILENT) {
        gs_avail_over(a, row, tell, ctx);
    }
}


unsigned
gs_avail_oldest(uint64_t minute)
{
    unsigned  month, n;

    month = gs_time_month(minute * GS_AVAIL_MINUTE);
    n = month / 100 * 12 + month % 100 - 1 - (GS_AVAIL_MONTHS - 1);
    n = (n > 1970 * 12) ? n : 1970 * 12;

    return n / 12 * 100 + n % 12 + 1;
}


/* The clock was wrong and was put right: what it had counted ahead goes. */

static void
gs_avail_back(gs_avail_t *a, uint64_t minute, gs_avail_pt tell, void *ctx)
{
    uint64_t            i, n;
    unsigned            k, month;
    gs_avail_row_t     *row;
    gs_avail_outage_t   o;

    month = gs_time_month(minute * GS_AVAIL_MINUTE);

    for (i = 0; i < GS_AVAIL_PLATFORMS; i++) {
        row = &a->rows[i];

        gs_avail_over(a, row, tell, ctx);

        for (k = 0; k < GS_AVAIL_MONTHS; k++) {
            if (row->months[k].month > month) {
                memset(&row->months[k], 0, sizeof(gs_avail_month_t));
            }
        }
    }

    i = (a->noutages > GS_AVAIL_OUTAGES) ? a->noutages - GS_AVAIL_OUTAGES : 0;

    for (n = i; i < a->noutages; i++) {
        o = a->outages[i % GS_AVAIL_OUTAGES];

        if (o.until <= minute) {
            a->outages[n++ % GS_AVAIL_OUTAGES] = o;
        }
    }

    a->noutages = n;
    a->minute = minute;
    a->began = (a->began > minute) ? minute : a->began;
}


/* A platform that is gone and has no month left leaves its place. */

static void
gs_avail_forget(gs_avail_t *a, gs_avail_row_t *row)
{
    unsigned  i, oldest;

    if (row->len == 0 || row->active || row->looks != 0) {
        return;
    }

    oldest = gs_avail_oldest(a->minute);

    for (i = 0; i < GS_AVAIL_MONTHS; i++) {
        if (row->months[i].month >= oldest) {
            return;
        }
    }

    memset(row, 0, sizeof(gs_avail_row_t));
}


gs_rc_t
gs_avail_look(gs_avail_t *a, uint64_t epoch, const gs_avail_look_t *look)
{
    unsigned         i;
    gs_avail_row_t  *row;

    if (!gs_avail_is_name(&look->platform)) {
        return GS_DECLINED;
    }

    row = gs_avail_row(a, &look->platform);
    if (row == NULL) {
        return GS_BUSY;
    }

    if (a->epoch == 0) {
        a->began = a->minute;

    } else if (a->epoch != epoch) {
        for (i = 0; i < GS_AVAIL_PLATFORMS; i++) {
            memset(a->rows[i].base, 0, sizeof(a->rows[i].base));
        }
    }

    a->epoch = epoch;

    if (row->len == 0) {
        memcpy(row->name, look->platform.data, look->platform.len);
        row->len = (uint32_t) look->platform.len;

        /* the past of counters that are met for the first time counts not */

        if (a->began == a->minute) {
            memcpy(row->base, look->requests, sizeof(row->base));
        }
    }

    memcpy(row->seen, look->requests, sizeof(row->seen));

    row->looks++;
    row->announced += (look->announced != 0);
    row->none += (look->health == GS_AVAIL_NONE);
    row->proved += (look->health == GS_AVAIL_PROVED);

    return GS_OK;
}


unsigned
gs_avail_is_name(const gs_str_t *s)
{
    int     c;
    size_t  i;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_'
            && c != '.')
        {
            return 0;
        }
    }

    return i != 0 && i <= GS_AVAIL_NAME;
}


gs_avail_row_t *
gs_avail_row(gs_avail_t *a, const gs_str_t *name)
{
    gs_str_t         s;
    unsigned         i;
    gs_avail_row_t  *row;

    for (row = NULL, i = 0; i < GS_AVAIL_PLATFORMS; i++) {

        if (a->rows[i].len == 0) {
            row = (row == NULL) ? &a->rows[i] : row;
            continue;
        }

        s = gs_str_make(a->rows[i].name, a->rows[i].len);

        if (gs_str_eq(&s, name)) {
            return &a->rows[i];
        }
    }

    return row;
}


gs_rc_t
gs_avail_now(const gs_avail_t *a, unsigned i, gs_avail_now_t *now)
{
    unsigned               k, n;
    const gs_avail_row_t  *row;

    for (k = 0, n = 0; k < GS_AVAIL_PLATFORMS; k++) {
        row = &a->rows[k];

        if (row->len == 0 || !row->active || n++ != i) {
            continue;
        }

        memset(now, 0, sizeof(gs_avail_now_t));

        now->platform = gs_str_make(row->name, row->len);
        memcpy(now->minutes, row->total, sizeof(now->minutes));

        if (row->since != 0) {
            now->since = row->since * GS_AVAIL_MINUTE;
            now->age = (unsigned) (row->last + 1 - row->since);
            now->hours = (row->clocks != 0)
                         ? gs_avail_hours[row->clocks - 1] : 0;
        }

        return GS_OK;
    }

    return GS_DONE;
}
