
/*
 * Copyright (C) govsvc authors
 *
 * Alerts over syslog.  What the receiver's system has taken is told, and kept
 * for a while: a connection that broke took its last messages with it, perhaps,
 * and they are said again under the same numbers.
 */


#include "http/ngx_http_govsvc_alert.h"


#define NGX_HTTP_GOVSVC_ALERT_ROOM   (GS_ALERT_BODY + GS_AUDIT_SYSLOG_EXTRA)
#define NGX_HTTP_GOVSVC_ALERT_LOOK   20    /* ms */

/* A connection that is new has room for all that is kept. */
#define NGX_HTTP_GOVSVC_ALERT_BYTES  (NGX_GOVSVC_SYSLOG_BUFFER / 2)


static void ngx_http_govsvc_alert_syslog_event(void *data, ngx_int_t rc);
static void ngx_http_govsvc_alert_syslog_timer(ngx_event_t *ev);
static void ngx_http_govsvc_alert_syslog_look(ngx_http_govsvc_alert_t *a);
static ngx_int_t ngx_http_govsvc_alert_syslog_give(ngx_http_govsvc_alert_t *a,
    const gs_alert_message_t *m);
static ngx_int_t ngx_http_govsvc_alert_syslog_one(
    ngx_http_govsvc_alert_syslog_t *st, const gs_alert_message_t *m,
    size_t max);
static void ngx_http_govsvc_alert_syslog_rest(
    ngx_http_govsvc_alert_syslog_t *st);
static void ngx_http_govsvc_alert_syslog_keep(
    ngx_http_govsvc_alert_syslog_t *st);
static void ngx_http_govsvc_alert_syslog_age(
    ngx_http_govsvc_alert_syslog_t *st, size_t room);
static void ngx_http_govsvc_alert_syslog_drop(
    ngx_http_govsvc_alert_syslog_t *st);
static void ngx_http_govsvc_alert_syslog_again(
    ngx_http_govsvc_alert_syslog_t *st);


void
ngx_http_govsvc_alert_syslog_lead(ngx_http_govsvc_alert_t *a,
    ngx_uint_t leads)
{
    ngx_http_govsvc_alert_syslog_t  *st;

    st = a->syslog;

    if (leads) {
        st->timer.handler = ngx_http_govsvc_alert_syslog_timer;
        st->timer.data = &st->dummy;
        st->timer.log = ngx_cycle->log;
        st->timer.cancelable = 1;
        st->dummy.data = a;
        st->dummy.fd = (ngx_socket_t) -1;

        ngx_govsvc_syslog_open(st->sender, ngx_http_govsvc_alert_syslog_event,
                               a);
        return;
    }

    /* an end in order: what the receiver's system has will be read */

    ngx_govsvc_syslog_flush(st->sender);
    ngx_govsvc_syslog_close(st->sender);
    ngx_http_govsvc_alert_syslog_rest(st);

    st->given = 0;

    while (st->nkept != 0) {
        ngx_http_govsvc_alert_syslog_drop(st);
    }

    ngx_free(st->room);
    st->room = NULL;
}


static void
ngx_http_govsvc_alert_syslog_event(void *data, ngx_int_t rc)
{
    ngx_http_govsvc_alert_t *a = data;

    ngx_uint_t                       waited;
    ngx_http_govsvc_alert_syslog_t  *st;

    st = a->syslog;

    switch (rc) {

    case NGX_OK:
        ngx_http_govsvc_alert_syslog_again(st);

        if (a->state != NGX_HTTP_GOVSVC_ALERT_TELLS) {
            return;
        }

        if (a->timer.timer_set) {
            ngx_del_timer(&a->timer);
        }

        ngx_http_govsvc_alert_tell(a);
        return;

    case NGX_AGAIN:

        /* what found no room is tried again by the alert's own clock */

        return;

    default:
        waited = st->waits;
        st->given = 0;

        ngx_http_govsvc_alert_syslog_age(st, 0);
        ngx_http_govsvc_alert_syslog_rest(st);

        if (waited) {
            ngx_http_govsvc_alert_failed(a, GS_ALERT_RETRY,
                                         "the connection was lost", 0, 0);
        }
    }
}


static void
ngx_http_govsvc_alert_syslog_rest(ngx_http_govsvc_alert_syslog_t *st)
{
    st->waits = 0;

    if (st->timer.timer_set) {
        ngx_del_timer(&st->timer);
    }
}


void
ngx_http_govsvc_alert_syslog_post(ngx_http_govsvc_alert_t *a,
    const gs_alert_message_t *m)
{
    ngx_int_t                        rc;
    ngx_http_govsvc_alert_syslog_t  *st;

    st = a->syslog;

    /* what this connection has been given comes, or the connection breaks */

    rc = st->given ? NGX_OK : ngx_http_govsvc_alert_syslog_give(a, m);

    switch (rc) {

    case NGX_OK:
        st->waits = 1;
        st->until = ngx_http_govsvc_alert_now() + st->timeout;

        ngx_govsvc_syslog_flush(st->sender);
        ngx_http_govsvc_alert_syslog_look(a);
        return;

    case NGX_DECLINED:
        ngx_http_govsvc_alert_failed(a, GS_ALERT_REFUSED,
                                     "it is too long for this way", 0, 0);
        return;

    case NGX_AGAIN:
        ngx_http_govsvc_alert_failed(a, GS_ALERT_RETRY,
                                     "there is no room for it", 0, 0);
        return;

    default:
        ngx_http_govsvc_alert_failed(a, GS_ALERT_RETRY,
                                     "there is no connection", 0, 0);
    }
}


static ngx_int_t
ngx_http_govsvc_alert_syslog_give(ngx_http_govsvc_alert_t *a,
    const gs_alert_message_t *m)
{
    ngx_int_t                        rc;
    ngx_http_govsvc_alert_syslog_t  *st;

    st = a->syslog;

    if (st->room == NULL) {
        st->room = ngx_alloc(NGX_HTTP_GOVSVC_ALERT_ROOM, ngx_cycle->log);

        if (st->room == NULL) {
            return NGX_AGAIN;
        }
    }

    /* of what is too long at least the counts are told */

    rc = ngx_http_govsvc_alert_syslog_one(st, m, st->head.max);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_govsvc_alert_syslog_one(st, m, 1);
    }

    if (rc == NGX_OK) {
        st->given = 1;
        st->mark = ngx_govsvc_syslog_given(st->sender);
    }

    return rc;
}


static ngx_int_t
ngx_http_govsvc_alert_syslog_one(ngx_http_govsvc_alert_syslog_t *st,
    const gs_alert_message_t *m, size_t max)
{
    gs_buf_t           b;
    ngx_str_t          message;
    gs_audit_syslog_t  s;

    s.facility = st->head.facility;
    s.app = st->head.app;
    s.sd = st->head.sd;

    gs_buf_init(&b, st->room, NGX_HTTP_GOVSVC_ALERT_ROOM);

    if (gs_alert_syslog(&b, m, &s, max) != GS_OK) {
        return NGX_DECLINED;
    }

    st->len = gs_buf_len(&b);
    message.data = st->room;
    message.len = st->len;

    return ngx_govsvc_syslog_send(st->sender, &message);
}


static void
ngx_http_govsvc_alert_syslog_timer(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_http_govsvc_alert_syslog_look(c->data);
}


static void
ngx_http_govsvc_alert_syslog_look(ngx_http_govsvc_alert_t *a)
{
    ngx_http_govsvc_alert_syslog_t  *st;

    st = a->syslog;

    /* a connection that is no more: its loss is about to be told */

    if (!st->waits || !ngx_govsvc_syslog_up(st->sender)) {
        return;
    }

    if (ngx_govsvc_syslog_taken(st->sender) >= st->mark) {
        ngx_http_govsvc_alert_syslog_rest(st);
        ngx_http_govsvc_alert_syslog_keep(st);
        ngx_http_govsvc_alert_taken(a);
        return;
    }

    if (ngx_http_govsvc_alert_now() >= st->until) {
        ngx_http_govsvc_alert_syslog_rest(st);
        ngx_http_govsvc_alert_failed(a, GS_ALERT_RETRY,
                                     "it was not taken in time", 0, 0);
        return;
    }

    ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_ALERT_LOOK);
}


/* Without memory it is told once, as without a connection that breaks. */

static void
ngx_http_govsvc_alert_syslog_keep(ngx_http_govsvc_alert_syslog_t *st)
{
    u_char                        *copy;
    ngx_http_govsvc_alert_kept_t  *kept;

    if (st->resend == 0) {
        return;
    }

    ngx_http_govsvc_alert_syslog_age(st, st->len);

    copy = ngx_alloc(st->len, ngx_cycle->log);
    if (copy == NULL) {
        return;
    }

    ngx_memcpy(copy, st->room, st->len);

    kept = &st->kept[(st->first + st->nkept) % NGX_HTTP_GOVSVC_ALERT_KEPT];
    kept->text.data = copy;
    kept->text.len = st->len;
    kept->time = ngx_current_msec;

    st->bytes += st->len;
    st->nkept++;
}


/* Forgets those of long ago, and the oldest until there is room. */

static void
ngx_http_govsvc_alert_syslog_age(ngx_http_govsvc_alert_syslog_t *st,
    size_t room)
{
    while (st->nkept != 0
           && (ngx_current_msec - st->kept[st->first].time >= st->resend
               || (room != 0
                   && (st->nkept == NGX_HTTP_GOVSVC_ALERT_KEPT
                       || st->bytes + room > NGX_HTTP_GOVSVC_ALERT_BYTES))))
    {
        ngx_http_govsvc_alert_syslog_drop(st);
    }
}


static void
ngx_http_govsvc_alert_syslog_drop(ngx_http_govsvc_alert_syslog_t *st)
{
    st->bytes -= st->kept[st->first].text.len;

    ngx_free(st->kept[st->first].text.data);

    st->first = (st->first + 1) % NGX_HTTP_GOVSVC_ALERT_KEPT;
    st->nkept--;
}


static void
ngx_http_govsvc_alert_syslog_again(ngx_http_govsvc_alert_syslog_t *st)
{
    ngx_uint_t                     i;
    ngx_http_govsvc_alert_kept_t  *kept;

    for (i = 0; i < st->nkept; i++) {
        kept = &st->kept[(st->first + i) % NGX_HTTP_GOVSVC_ALERT_KEPT];

        if (ngx_govsvc_syslog_send(st->sender, &kept->text) != NGX_OK) {
            break;
        }

        kept->time = ngx_current_msec;
    }

    ngx_govsvc_syslog_flush(st->sender);
}
