
/*
 * Copyright (C) govsvc authors
 *
 * The sender of syslog messages: its buffer, its clock, what its owner is
 * told.
 *
 * The buffer is never moved: OpenSSL wants the bytes of a write that did not
 * end again at the same place.
 */


#include "ngx/ngx_govsvc_syslog_priv.h"

#include <sys/ioctl.h>
#include <linux/sockios.h>


#define NGX_GOVSVC_SYSLOG_DELAY   250      /* ms, the first */
#define NGX_GOVSVC_SYSLOG_LATER   30000    /* ms, the longest */
#define NGX_GOVSVC_SYSLOG_TICK    10000    /* ms between looks at a peer */
#define NGX_GOVSVC_SYSLOG_STALLS  6        /* looks without progress */
#define NGX_GOVSVC_SYSLOG_FULL    50       /* ms, for a datagram's room */


static void ngx_govsvc_syslog_timer(ngx_event_t *ev);
static void ngx_govsvc_syslog_look(ngx_govsvc_syslog_t *s);
static void ngx_govsvc_syslog_call(ngx_event_t *ev);
static void ngx_govsvc_syslog_tell(ngx_govsvc_syslog_t *s);
static void ngx_govsvc_syslog_read(ngx_govsvc_syslog_t *s);
static ngx_int_t ngx_govsvc_syslog_datagram_send(ngx_govsvc_syslog_t *s,
    const ngx_str_t *message);


void
ngx_govsvc_syslog_open(ngx_govsvc_syslog_t *s, ngx_govsvc_syslog_pt handler,
    void *data)
{
    s->handler = handler;
    s->data = data;
    s->open = 1;
    s->error = NULL;
    s->lost = 0;
    s->delay = 0;
    s->log = *ngx_cycle->log;
    s->log.connection = 0;

    s->dummy.data = s;
    s->dummy.fd = (ngx_socket_t) -1;

    s->timer.handler = ngx_govsvc_syslog_timer;
    s->timer.data = &s->dummy;
    s->timer.log = ngx_cycle->log;
    s->timer.cancelable = 1;

    s->call.handler = ngx_govsvc_syslog_call;
    s->call.data = &s->dummy;
    s->call.log = ngx_cycle->log;

    ngx_add_timer(&s->timer, 1);
}


void
ngx_govsvc_syslog_close(ngx_govsvc_syslog_t *s)
{
    if (!s->open) {
        return;
    }

    s->open = 0;

    ngx_govsvc_syslog_shut(s);

    if (s->timer.timer_set) {
        ngx_del_timer(&s->timer);
    }

    if (s->call.posted) {
        ngx_delete_posted_event(&s->call);
    }
}


ngx_uint_t
ngx_govsvc_syslog_up(ngx_govsvc_syslog_t *s)
{
    return s->up;
}


uint64_t
ngx_govsvc_syslog_given(ngx_govsvc_syslog_t *s)
{
    return s->given;
}


/*
 * Of what the system has not been told of as taken, each byte on the wire
 * bears one byte of ours at most.
 */

uint64_t
ngx_govsvc_syslog_taken(ngx_govsvc_syslog_t *s)
{
    int  left;

    if (!s->up || ngx_govsvc_syslog_datagram(s)) {
        return s->sent;
    }

    if (ioctl(s->peer.connection->fd, SIOCOUTQ, &left) == -1 || left < 0) {
        return 0;
    }

    return (s->sent > (uint64_t) left) ? s->sent - (uint64_t) left : 0;
}


const ngx_str_t *
ngx_govsvc_syslog_name(ngx_govsvc_syslog_t *s)
{
    return &s->name;
}


/* Between connections it begins one, else it looks after the one there is. */

static void
ngx_govsvc_syslog_timer(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_govsvc_syslog_t  *s;

    c = ev->data;
    s = c->data;

    if (s->up) {
        ngx_govsvc_syslog_look(s);
        return;
    }

    if (s->peer.connection != NULL || s->resolve != NULL) {
        ngx_govsvc_syslog_lose(s, "no connection in time");
        return;
    }

    ngx_govsvc_syslog_start(s);
}


static void
ngx_govsvc_syslog_look(ngx_govsvc_syslog_t *s)
{
    uint64_t  taken;

    if (ngx_govsvc_syslog_datagram(s)) {
        ngx_add_timer(&s->timer, NGX_GOVSVC_SYSLOG_TICK);

        if (s->full) {
            s->full = 0;
            s->room = 1;
            ngx_govsvc_syslog_tell(s);
        }

        return;
    }

    s->delay = 0;
    taken = ngx_govsvc_syslog_taken(s);

    if (taken == s->given || taken != s->seen) {
        s->stalls = 0;

    } else {
        s->stalls++;
    }

    s->seen = taken;

    if (s->stalls == NGX_GOVSVC_SYSLOG_STALLS) {
        ngx_govsvc_syslog_lose(s, "the receiver takes nothing");
        return;
    }

    ngx_add_timer(&s->timer, NGX_GOVSVC_SYSLOG_TICK);
}


void
ngx_govsvc_syslog_ready(ngx_govsvc_syslog_t *s)
{
    s->up = 1;
    s->given = 0;
    s->sent = 0;
    s->seen = 0;
    s->stalls = 0;
    s->full = 0;
    s->start = s->buf;
    s->end = s->buf;

    s->peer.connection->read->handler = ngx_govsvc_syslog_event;
    s->peer.connection->write->handler = ngx_govsvc_syslog_event;

    ngx_add_timer(&s->timer, NGX_GOVSVC_SYSLOG_TICK);

    if (s->error != NULL) {
        s->error = NULL;
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "govsvc syslog: \"%V\" is connected again", &s->name);
    }

    s->connected = 1;
    ngx_govsvc_syslog_tell(s);

    if (ngx_handle_read_event(s->peer.connection->read, 0) != NGX_OK) {
        ngx_govsvc_syslog_lose(s, "no event");
    }
}


void
ngx_govsvc_syslog_lose(ngx_govsvc_syslog_t *s, const char *why)
{
    ngx_msec_t  wait;

    if (s->error != why) {
        s->error = why;
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "govsvc syslog: no connection to \"%V\": %s", &s->name,
                      why);
    }

    if (s->up) {
        s->lost = 1;
        ngx_govsvc_syslog_tell(s);
    }

    ngx_govsvc_syslog_shut(s);

    /* not all nodes of a country at the same moment */

    s->delay = (s->delay == 0) ? NGX_GOVSVC_SYSLOG_DELAY
                               : ngx_min(s->delay * 2,
                                         NGX_GOVSVC_SYSLOG_LATER);
    wait = s->delay / 2 + (ngx_msec_t) ngx_random() % (s->delay / 2 + 1);

    ngx_add_timer(&s->timer, wait);
}


static void
ngx_govsvc_syslog_tell(ngx_govsvc_syslog_t *s)
{
    if (!s->call.posted) {
        ngx_post_event(&s->call, &ngx_posted_events);
    }
}


static void
ngx_govsvc_syslog_call(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_govsvc_syslog_t  *s;

    c = ev->data;
    s = c->data;

    if (s->lost) {
        s->lost = 0;
        s->handler(s->data, NGX_ERROR);
    }

    if (s->open && s->connected) {
        s->connected = 0;
        s->room = 0;

        if (s->up) {
            s->handler(s->data, NGX_OK);
        }
    }

    if (s->open && s->room) {
        s->room = 0;

        if (s->up) {
            s->handler(s->data, NGX_AGAIN);
        }
    }
}


void
ngx_govsvc_syslog_event(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_govsvc_syslog_t  *s;

    c = ev->data;
    s = c->data;

    if (!ev->write) {
        ngx_govsvc_syslog_read(s);

    } else if (!ngx_govsvc_syslog_datagram(s)) {
        ngx_govsvc_syslog_flush(s);
    }
}


/* Nothing is expected but the end. */

static void
ngx_govsvc_syslog_read(ngx_govsvc_syslog_t *s)
{
    u_char             junk[512];
    ssize_t            n;
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = s->peer.connection;

    for (i = 0; i < 64; i++) {
        n = c->recv(c, junk, sizeof(junk));

        if (n == NGX_AGAIN) {
            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_govsvc_syslog_lose(s, "no event");
            }

            return;
        }

        if (n < 0 || (n == 0 && !ngx_govsvc_syslog_datagram(s))) {
            ngx_govsvc_syslog_lose(s, n == 0 ? "the receiver closed it"
                                             : "the receiver refused it");
            return;
        }
    }

    ngx_govsvc_syslog_lose(s, "the receiver talks");
}


ngx_int_t
ngx_govsvc_syslog_send(ngx_govsvc_syslog_t *s, const ngx_str_t *message)
{
    u_char  *last;

    if (!s->up) {
        return NGX_ERROR;
    }

    if (message->len > NGX_GOVSVC_SYSLOG_FRAME) {
        return NGX_DECLINED;
    }

    if (ngx_govsvc_syslog_datagram(s)) {
        return ngx_govsvc_syslog_datagram_send(s, message);
    }

    if ((size_t) (s->buf + NGX_GOVSVC_SYSLOG_BUFFER - s->end)
        < message->len + NGX_SIZE_T_LEN + 1)
    {
        ngx_govsvc_syslog_flush(s);

        if (!s->up) {
            return NGX_ERROR;
        }

        if (s->start != s->end) {
            s->full = 1;
            return NGX_AGAIN;
        }
    }

    /* RFC 6587 section 3.4.1, RFC 5425 section 4.3 */

    last = ngx_sprintf(s->end, "%uz ", message->len);
    last = ngx_cpymem(last, message->data, message->len);

    s->given += (uint64_t) (last - s->end);
    s->end = last;

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_syslog_datagram_send(ngx_govsvc_syslog_t *s,
    const ngx_str_t *message)
{
    ssize_t    n;
    ngx_err_t  err;

    do {
        n = send(s->peer.connection->fd, message->data, message->len,
                 MSG_NOSIGNAL|MSG_DONTWAIT);
        err = (n == -1) ? ngx_socket_errno : 0;
    } while (err == NGX_EINTR);

    switch (err) {

    case 0:
        s->given += message->len;
        s->sent = s->given;
        s->delay = 0;
        return NGX_OK;

    case NGX_EAGAIN:
    case ENOBUFS:
        s->full = 1;
        ngx_add_timer(&s->timer, NGX_GOVSVC_SYSLOG_FULL);
        return NGX_AGAIN;

    case EMSGSIZE:
        return NGX_DECLINED;

    default:
        ngx_govsvc_syslog_lose(s, "the receiver is not there");
        return NGX_ERROR;
    }
}


void
ngx_govsvc_syslog_flush(ngx_govsvc_syslog_t *s)
{
    ssize_t            n;
    ngx_connection_t  *c;

    if (!s->up || ngx_govsvc_syslog_datagram(s)) {
        return;
    }

    c = s->peer.connection;

    while (s->start != s->end) {
        n = c->send(c, s->start, (size_t) (s->end - s->start));

        if (n == NGX_AGAIN || (n == 0 && !c->write->error)) {
            if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
                ngx_govsvc_syslog_lose(s, "no event");
            }

            return;
        }

        if (n < 0 || c->write->error) {
            ngx_govsvc_syslog_lose(s, "the receiver closed it");
            return;
        }

        s->start += n;
        s->sent += (uint64_t) n;
    }

    s->start = s->buf;
    s->end = s->buf;

    if (s->full) {
        s->full = 0;
        s->room = 1;
        ngx_govsvc_syslog_tell(s);
    }
}
