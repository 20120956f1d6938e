
/*
 * Copyright (C) govsvc authors
 *
 * Syslog: a batch of the feed, message by message, as fast as the receiver
 * takes them, and what of it need not be sent again.
 */


#include "http/ngx_http_govsvc_syslog.h"


#define NGX_HTTP_GOVSVC_SYSLOG_ROOM  (GS_AUDIT_LINE_MAX                       \
                                      + GS_AUDIT_SYSLOG_EXTRA)


static void ngx_http_govsvc_syslog_event(void *data, ngx_int_t rc);
static void ngx_http_govsvc_syslog_timer(ngx_event_t *ev);
static void ngx_http_govsvc_syslog_go(ngx_http_govsvc_syslog_t *st);
static void ngx_http_govsvc_syslog_forget(ngx_http_govsvc_syslog_t *st);
static void ngx_http_govsvc_syslog_push(ngx_http_govsvc_syslog_t *st);
static ngx_int_t ngx_http_govsvc_syslog_one(ngx_http_govsvc_syslog_t *st,
    size_t max);
static void ngx_http_govsvc_syslog_mark(ngx_http_govsvc_syslog_t *st,
    uint64_t n);
static void ngx_http_govsvc_syslog_settle(ngx_http_govsvc_syslog_t *st,
    ngx_uint_t end);


void
ngx_http_govsvc_syslog_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_syslog_t *st = data;

    st->leads = leads;
    st->state = NGX_HTTP_GOVSVC_SYSLOG_IDLE;

    if (leads) {
        st->timer.handler = ngx_http_govsvc_syslog_timer;
        st->timer.data = &st->dummy;
        st->timer.log = ngx_cycle->log;
        st->timer.cancelable = 1;
        st->dummy.data = st;
        st->dummy.fd = (ngx_socket_t) -1;

        ngx_http_govsvc_syslog_forget(st);
        ngx_govsvc_syslog_open(st->sender, ngx_http_govsvc_syslog_event, st);
        return;
    }

    /* an end in order: what the receiver's system has will be read */

    if (ngx_govsvc_syslog_up(st->sender)) {
        ngx_govsvc_syslog_flush(st->sender);
        ngx_http_govsvc_syslog_settle(st, 1);
    }

    ngx_http_govsvc_feed_up(st->feed, 0);
    ngx_govsvc_syslog_close(st->sender);
    ngx_http_govsvc_syslog_forget(st);

    ngx_free(st->room);
    st->room = NULL;
}


static void
ngx_http_govsvc_syslog_event(void *data, ngx_int_t rc)
{
    ngx_http_govsvc_syslog_t *st = data;

    switch (rc) {

    case NGX_OK:
        ngx_http_govsvc_feed_up(st->feed, 1);
        ngx_http_govsvc_syslog_go(st);
        return;

    case NGX_AGAIN:
        if (st->batch != NULL) {
            ngx_http_govsvc_syslog_push(st);
        }

        return;

    default:
        ngx_http_govsvc_feed_up(st->feed, 0);
        ngx_http_govsvc_syslog_forget(st);
    }
}


/* Of a connection that is no more. */

static void
ngx_http_govsvc_syslog_forget(ngx_http_govsvc_syslog_t *st)
{
    if (st->timer.timer_set) {
        ngx_del_timer(&st->timer);
    }

    st->batch = NULL;
    st->sought = 0;
    st->first = 0;
    st->nmarks = 0;
}


static void
ngx_http_govsvc_syslog_timer(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_http_govsvc_syslog_go(c->data);
}


static void
ngx_http_govsvc_syslog_go(ngx_http_govsvc_syslog_t *st)
{
    if (!st->leads || st->batch != NULL
        || !ngx_govsvc_syslog_up(st->sender))
    {
        return;
    }

    if (st->timer.timer_set) {
        ngx_del_timer(&st->timer);
    }

    ngx_http_govsvc_syslog_settle(st, 0);

    /* the answer of a task that was begun before comes first */

    if (ngx_http_govsvc_feed_busy(st->feed)) {
        ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_SYSLOG_POLL);
        return;
    }

    if (!st->sought) {
        st->state = NGX_HTTP_GOVSVC_SYSLOG_SEEKS;
        ngx_http_govsvc_feed_seek(st->feed, NGX_HTTP_GOVSVC_FEED_CONFIRMED);
        return;
    }

    st->state = NGX_HTTP_GOVSVC_SYSLOG_READS;
    ngx_http_govsvc_feed_next(st->feed);
}


void
ngx_http_govsvc_syslog_fed(void *data, ngx_int_t rc)
{
    ngx_http_govsvc_syslog_t *st = data;

    ngx_uint_t  state;

    state = st->state;
    st->state = NGX_HTTP_GOVSVC_SYSLOG_IDLE;

    if (!st->leads || !ngx_govsvc_syslog_up(st->sender)) {
        return;
    }

    if (rc == NGX_OK && state == NGX_HTTP_GOVSVC_SYSLOG_SEEKS) {
        st->sought = 1;
        ngx_http_govsvc_syslog_go(st);
        return;
    }

    /* read for a connection that is no more: it is sought anew */

    if (!st->sought) {
        ngx_add_timer(&st->timer, (rc == NGX_OK || rc == NGX_DECLINED)
                                  ? 1 : NGX_HTTP_GOVSVC_SYSLOG_RETRY);
        return;
    }

    switch (rc) {

    case NGX_OK:
        st->batch = ngx_http_govsvc_feed_batch(st->feed);
        st->next = 0;
        ngx_http_govsvc_syslog_push(st);
        return;

    case NGX_DECLINED:
        ngx_http_govsvc_syslog_settle(st, 0);
        ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_SYSLOG_POLL);
        return;

    default:

        /* another process has it for now, or the error was logged */

        st->sought = 0;
        ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_SYSLOG_RETRY);
    }
}


static void
ngx_http_govsvc_syslog_push(ngx_http_govsvc_syslog_t *st)
{
    uint64_t   n;
    ngx_int_t  rc;

    if (st->room == NULL) {
        st->room = ngx_alloc(NGX_HTTP_GOVSVC_SYSLOG_ROOM, ngx_cycle->log);

        if (st->room == NULL) {
            st->batch = NULL;
            st->sought = 0;
            ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_SYSLOG_RETRY);
            return;
        }
    }

    while (st->next < st->batch->count) {
        rc = ngx_http_govsvc_syslog_one(st, st->head.max);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_govsvc_syslog_one(st, 1);
        }

        if (rc == NGX_AGAIN || rc == NGX_ERROR) {

            /* there will be room, or the loss is told */

            if (st->next != 0) {
                ngx_http_govsvc_syslog_mark(st, st->batch->n + st->next - 1);
            }

            return;
        }

        if (rc == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                          "govsvc audit: record %uL does not fit a message "
                          "to \"%V\"", st->batch->n + st->next,
                          ngx_govsvc_syslog_name(st->sender));
        }

        st->next++;
    }

    n = st->batch->n + st->batch->count - 1;
    st->batch = NULL;

    ngx_http_govsvc_syslog_mark(st, n);
    ngx_govsvc_syslog_flush(st->sender);
    ngx_http_govsvc_syslog_go(st);
}


static ngx_int_t
ngx_http_govsvc_syslog_one(ngx_http_govsvc_syslog_t *st, size_t max)
{
    gs_buf_t           b;
    gs_str_t           line;
    ngx_str_t          message;
    gs_audit_syslog_t  m;

    m.facility = st->head.facility;
    m.host = st->node;
    m.app = st->head.app;
    m.proc = gs_str_make(NULL, 0);
    m.sd = st->head.sd;
    m.nparams = 0;

    line = ngx_govsvc_to_gs(&st->batch->records[st->next].line);

    gs_audit_syslog_number(&m, "n", st->batch->n + st->next);
    gs_buf_init(&b, st->room, NGX_HTTP_GOVSVC_SYSLOG_ROOM);

    if (gs_audit_syslog_line(&m, &line, max) != GS_OK
        || gs_audit_syslog_write(&b, &m) != GS_OK)
    {
        return NGX_DECLINED;
    }

    message.data = st->room;
    message.len = gs_buf_len(&b);

    return ngx_govsvc_syslog_send(st->sender, &message);
}


/* Marks are a part of "resend" apart; the last one grows until then. */

static void
ngx_http_govsvc_syslog_mark(ngx_http_govsvc_syslog_t *st, uint64_t n)
{
    ngx_msec_t                      apart;
    ngx_http_govsvc_syslog_mark_t  *mark;

    apart = st->resend / NGX_HTTP_GOVSVC_SYSLOG_SPACE;
    mark = NULL;

    if (st->nmarks != 0) {
        mark = &st->marks[(st->first + st->nmarks - 1)
                          % NGX_HTTP_GOVSVC_SYSLOG_MARKS];
    }

    if (mark == NULL
        || (ngx_current_msec - mark->time > apart
            && st->nmarks < NGX_HTTP_GOVSVC_SYSLOG_MARKS))
    {
        mark = &st->marks[(st->first + st->nmarks)
                          % NGX_HTTP_GOVSVC_SYSLOG_MARKS];
        mark->time = ngx_current_msec;
        st->nmarks++;
    }

    /* of those too many, the last is as young as its youngest record */

    if (ngx_current_msec - mark->time > apart) {
        mark->time = ngx_current_msec;
    }

    mark->n = n;
    mark->bytes = ngx_govsvc_syslog_given(st->sender);
}


/* What was taken is delivered; what was taken long ago is not sent again. */

static void
ngx_http_govsvc_syslog_settle(ngx_http_govsvc_syslog_t *st, ngx_uint_t end)
{
    uint64_t                        taken;
    ngx_uint_t                      i;
    ngx_msec_t                      age;
    ngx_http_govsvc_syslog_mark_t  *mark;

    if (st->nmarks == 0) {
        return;
    }

    taken = ngx_govsvc_syslog_taken(st->sender);
    age = st->resend + st->resend / NGX_HTTP_GOVSVC_SYSLOG_SPACE;

    for (i = 0; i < st->nmarks; i++) {
        mark = &st->marks[(st->first + i) % NGX_HTTP_GOVSVC_SYSLOG_MARKS];

        if (mark->bytes > taken) {
            break;
        }

        ngx_http_govsvc_feed_delivered(st->feed, mark->n);
    }

    while (st->nmarks != 0) {
        mark = &st->marks[st->first];

        if (mark->bytes > taken
            || (!end && ngx_current_msec - mark->time < age))
        {
            return;
        }

        ngx_http_govsvc_feed_confirm(st->feed, mark->n);

        st->first = (st->first + 1) % NGX_HTTP_GOVSVC_SYSLOG_MARKS;
        st->nmarks--;
    }
}
