
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: records are gathered into a round; a closed round is written down
 * before it is told, so that whoever goes on after a crash reads the same
 * records again and tells the same messages under the same numbers.
 */


#include "http/ngx_http_govsvc_alert.h"


#define NGX_HTTP_GOVSVC_ALERT_POLL   100   /* ms */
#define NGX_HTTP_GOVSVC_ALERT_RETRY  500   /* ms, after an error of the feed */


static void ngx_http_govsvc_alert_timer(ngx_event_t *ev);
static void ngx_http_govsvc_alert_load(ngx_http_govsvc_alert_t *a);
static void ngx_http_govsvc_alert_store(ngx_http_govsvc_alert_t *a);
static void ngx_http_govsvc_alert_go(ngx_http_govsvc_alert_t *a);
static void ngx_http_govsvc_alert_gather(ngx_http_govsvc_alert_t *a);
static void ngx_http_govsvc_alert_take(ngx_http_govsvc_alert_t *a,
    ngx_http_govsvc_feed_record_t *record);
static ngx_uint_t ngx_http_govsvc_alert_due(ngx_http_govsvc_alert_t *a);
static void ngx_http_govsvc_alert_close(ngx_http_govsvc_alert_t *a,
    uint64_t to);


uint64_t
ngx_http_govsvc_alert_now(void)
{
    return ngx_govsvc_mono_us() / 1000;
}


void
ngx_http_govsvc_alert_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_alert_t *a = data;

    a->leads = (unsigned) leads;
    a->state = NGX_HTTP_GOVSVC_ALERT_IDLE;
    a->sought = 0;
    a->batch = NULL;
    a->error = NULL;

    if (a->syslog != NULL) {
        ngx_http_govsvc_alert_syslog_lead(a, leads);
    }

    if (!leads) {

        if (a->timer.timer_set) {
            ngx_del_timer(&a->timer);
        }

        if (a->http != NULL) {
            ngx_govsvc_http_cancel(a->http);
            a->http = NULL;
        }

        return;
    }

    a->timer.handler = ngx_http_govsvc_alert_timer;
    a->timer.data = &a->dummy;
    a->timer.log = ngx_cycle->log;
    a->timer.cancelable = 1;
    a->dummy.data = a;
    a->dummy.fd = (ngx_socket_t) -1;
    a->closed = 0;

    gs_alert_bucket(&a->bucket, a->rate, ngx_http_govsvc_alert_now());
    ngx_http_govsvc_alert_load(a);

    ngx_http_govsvc_alert_later(a, NGX_HTTP_GOVSVC_ALERT_POLL);
}


void
ngx_http_govsvc_alert_later(ngx_http_govsvc_alert_t *a, ngx_msec_t msec)
{
    if (a->leads && !a->timer.timer_set) {
        ngx_add_timer(&a->timer, msec);
    }
}


static void
ngx_http_govsvc_alert_timer(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_govsvc_alert_t  *a;

    c = ev->data;
    a = c->data;

    if (!a->leads) {
        return;
    }

    if (a->state == NGX_HTTP_GOVSVC_ALERT_TELLS) {
        ngx_http_govsvc_alert_tell(a);
        return;
    }

    ngx_http_govsvc_alert_go(a);
}


/* "1 FROM TO MAX DONE" */

static void
ngx_http_govsvc_alert_load(ngx_http_govsvc_alert_t *a)
{
    time_t       changed;
    u_char      *p, *last;
    gs_str_t     s;
    uint64_t     n[5];
    ngx_str_t    text;
    ngx_uint_t   i;
    ngx_pool_t  *pool;

    ngx_memzero(&a->place, sizeof(ngx_http_govsvc_alert_place_t));
    gs_alert_begin(a->round);

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    if (ngx_govsvc_save_read(a->save, pool, &text, &changed, ngx_cycle->log)
        == NGX_OK)
    {
        p = text.data;
        last = text.data + text.len;

        for (i = 0; i < 5 && p < last; i++) {
            s = gs_str_make(p, 0);

            while (p < last && *p != ' ' && *p != '\n') {
                p++;
            }

            s.len = (size_t) (p - s.data);
            p++;

            if (gs_parse_u64(&s, &n[i]) != GS_OK) {
                break;
            }
        }

        if (i == 5 && n[0] == 1 && (n[2] == 0 || n[2] > n[1])
            && n[3] <= NGX_HTTP_GOVSVC_ALERT_MAX && n[4] <= n[3])
        {
            a->place.from = n[1];
            a->place.to = n[2];
            a->place.max = n[3];
            a->place.done = n[4];

        } else {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "govsvc alert: the state for \"%V\" is broken, "
                          "begins again with recent events", &a->host);
        }
    }

    ngx_destroy_pool(pool);
}


static void
ngx_http_govsvc_alert_store(ngx_http_govsvc_alert_t *a)
{
    u_char     room[NGX_HTTP_GOVSVC_ALERT_STATE];
    ngx_str_t  text;

    text.data = room;
    text.len = (size_t) (ngx_snprintf(room, sizeof(room),
                                      "1 %uL %uL %uL %uL\n", a->place.from,
                                      a->place.to, a->place.max,
                                      a->place.done)
                         - room);

    ngx_govsvc_save(a->save, &text, ngx_cycle->log);
}


static void
ngx_http_govsvc_alert_go(ngx_http_govsvc_alert_t *a)
{
    if (ngx_http_govsvc_feed_busy(a->feed)) {
        ngx_http_govsvc_alert_later(a, NGX_HTTP_GOVSVC_ALERT_POLL);
        return;
    }

    if (!a->sought) {
        a->state = NGX_HTTP_GOVSVC_ALERT_SEEKS;
        a->batch = NULL;
        gs_alert_begin(a->round);
        a->next = a->place.from;
        ngx_http_govsvc_feed_seek(a->feed, a->place.from);
        return;
    }

    if (a->batch != NULL) {
        ngx_http_govsvc_alert_gather(a);
        return;
    }

    if (ngx_http_govsvc_alert_due(a)) {
        ngx_http_govsvc_alert_close(a, a->next);
        return;
    }

    a->state = NGX_HTTP_GOVSVC_ALERT_READS;
    ngx_http_govsvc_feed_next(a->feed);
}


void
ngx_http_govsvc_alert_fed(void *data, ngx_int_t rc)
{
    ngx_http_govsvc_alert_t *a = data;

    ngx_uint_t  state;

    if (!a->leads) {
        return;
    }

    state = a->state;
    a->state = NGX_HTTP_GOVSVC_ALERT_IDLE;

    switch (rc) {

    case NGX_OK:

        if (state == NGX_HTTP_GOVSVC_ALERT_SEEKS) {
            a->sought = 1;

        } else if (state == NGX_HTTP_GOVSVC_ALERT_READS) {
            a->batch = ngx_http_govsvc_feed_batch(a->feed);
            a->at = 0;
        }

        ngx_http_govsvc_alert_go(a);
        return;

    case NGX_DECLINED:

        /* a round that was closed before, and records that have gone since */

        if (a->place.to != 0 || ngx_http_govsvc_alert_due(a)) {
            ngx_http_govsvc_alert_close(a, a->place.to != 0 ? a->place.to
                                                            : a->next);
            return;
        }

        ngx_http_govsvc_alert_later(a, NGX_HTTP_GOVSVC_ALERT_POLL);
        return;

    default:

        /* another process has it for now, or the error was logged */

        a->sought = 0;
        ngx_http_govsvc_alert_later(a, NGX_HTTP_GOVSVC_ALERT_RETRY);
    }
}


static void
ngx_http_govsvc_alert_gather(ngx_http_govsvc_alert_t *a)
{
    uint64_t  n;

    while (a->at < a->batch->count) {
        n = a->batch->n + a->at;

        if (a->place.to != 0 && n >= a->place.to) {
            ngx_http_govsvc_alert_close(a, a->place.to);
            return;
        }

        if (a->round->n == 0 && a->place.to == 0) {
            a->place.from = n;
        }

        ngx_http_govsvc_alert_take(a, &a->batch->records[a->at]);

        a->at++;
        a->next = n + 1;
    }

    a->batch = NULL;

    if (a->place.to != 0 && a->next >= a->place.to) {
        ngx_http_govsvc_alert_close(a, a->place.to);
        return;
    }

    ngx_http_govsvc_alert_go(a);
}


static void
ngx_http_govsvc_alert_take(ngx_http_govsvc_alert_t *a,
    ngx_http_govsvc_feed_record_t *record)
{
    gs_str_t          line;
    gs_alert_event_t  ev;

    line = ngx_govsvc_to_gs(&record->line);

    if (gs_alert_read(&line, &ev) != GS_OK || ev.severity < a->severity) {
        return;
    }

    if (a->round->n == 0) {
        a->opened = ngx_http_govsvc_alert_now();
    }

    /* what concerns the evidence itself waits for nobody */

    if (ngx_strcmp(ev.attack->name, "tamper") == 0) {
        a->urgent = 1;
    }

    gs_alert_add(a->round, &ev);
}


/* The first of a quiet time is told soon, what follows once a window. */

static ngx_uint_t
ngx_http_govsvc_alert_due(ngx_http_govsvc_alert_t *a)
{
    uint64_t  now;

    if (a->round->n == 0 || a->place.to != 0) {
        return 0;
    }

    now = ngx_http_govsvc_alert_now();

    if (gs_alert_tokens(&a->bucket, now) == 0) {
        return 0;
    }

    return a->urgent
           || (now - a->opened >= a->wait
               && (a->closed == 0 || now - a->closed >= a->window));
}


static void
ngx_http_govsvc_alert_close(ngx_http_govsvc_alert_t *a, uint64_t to)
{
    uint64_t  now, max;

    now = ngx_http_govsvc_alert_now();

    if (a->place.to == 0) {
        max = gs_alert_tokens(&a->bucket, now);

        a->place.to = to;
        a->place.max = ngx_max(1, ngx_min(max, NGX_HTTP_GOVSVC_ALERT_MAX));
        a->place.done = 0;

        ngx_http_govsvc_alert_store(a);
    }

    a->plan = gs_alert_plan(a->round, (unsigned) a->place.max);
    a->state = NGX_HTTP_GOVSVC_ALERT_TELLS;
    a->urgent = 0;
    a->closed = now;
    a->tries = 0;

    /* of records that have all gone there is nothing to tell */

    if (a->place.done >= a->plan.single + a->plan.digest) {
        a->place.done = a->plan.single + a->plan.digest;
        ngx_http_govsvc_alert_told(a);
        return;
    }

    ngx_http_govsvc_alert_tell(a);
}


void
ngx_http_govsvc_alert_told(ngx_http_govsvc_alert_t *a)
{
    a->tries = 0;

    if (a->syslog != NULL) {
        a->syslog->given = 0;
    }

    if (a->place.done < a->plan.single + a->plan.digest) {
        a->place.done++;
    }

    if (a->place.done >= a->plan.single + a->plan.digest) {
        a->place.from = a->place.to;
        a->place.to = 0;
        a->place.max = 0;
        a->place.done = 0;
        a->state = NGX_HTTP_GOVSVC_ALERT_IDLE;

        gs_alert_begin(a->round);
    }

    ngx_http_govsvc_alert_store(a);
    ngx_http_govsvc_alert_later(a, 1);
}
