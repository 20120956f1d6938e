
/*
 * Copyright (C) govsvc authors
 *
 * Redis: the calls of one connection, first in, first out.  Commands collect
 * in a buffer and are written once a turn of the event loop; replies are
 * measured before anything parses them; deadlines are those of each call.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


static const gs_resp_limits_t  ngx_govsvc_redis_limits = {
    NGX_GOVSVC_REDIS_BYTES, NGX_GOVSVC_REDIS_ITEMS
};


static ngx_int_t ngx_govsvc_redis_queue_put(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call);
static void ngx_govsvc_redis_queue_wake(ngx_govsvc_redis_conn_t *conn,
    ngx_msec_t when);
static ngx_int_t ngx_govsvc_redis_queue_room(ngx_govsvc_redis_conn_t *conn);
static ngx_int_t ngx_govsvc_redis_queue_parse(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_queue_reply(ngx_govsvc_redis_conn_t *conn,
    const gs_str_t *frame);
static ngx_int_t ngx_govsvc_redis_queue_expire(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_queue_arm(ngx_govsvc_redis_conn_t *conn);


static const char  ngx_govsvc_redis_asking[] = "*1\r\n$6\r\nASKING\r\n";


#define ngx_govsvc_redis_before(a, b)                                         \
    ((ngx_msec_int_t) ((a) - (b)) < 0)


ngx_int_t
ngx_govsvc_redis_queue_send(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call)
{
    if (ngx_govsvc_redis_conn_up(conn)) {

        if (ngx_govsvc_redis_queue_put(conn, call) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_queue_empty(&conn->calls)) {
            conn->heard = ngx_current_msec;
        }

        ngx_govsvc_redis_queue_wake(conn, call->deadline);

        if (conn->silence != 0) {
            ngx_govsvc_redis_queue_wake(conn, conn->heard + conn->silence);
        }

    } else {
        ngx_govsvc_redis_queue_wake(conn, call->deadline);
    }

    if (call->handler != NULL) {

        /* a worker that shuts down waits for it, no longer than its time */

        conn->timer.cancelable = 0;
    }

    ngx_queue_insert_tail(&conn->calls, &call->queue);
    conn->ncalls++;
    call->queued = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_redis_queue_put(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call)
{
    if (call->asking
        && ngx_govsvc_redis_queue_write(conn, ngx_govsvc_redis_asking,
                                        sizeof(ngx_govsvc_redis_asking) - 1)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_govsvc_redis_queue_write(conn, call->cmd, call->len) != NGX_OK) {
        return NGX_ERROR;
    }

    call->expect = call->replies + call->asking;
    call->written = 1;
    call->sent = ngx_govsvc_mono_us();

    /* the bytes are needed again only to send them elsewhere */

    if (!call->again && call->run != NULL
        && conn->rd->kind != NGX_GOVSVC_REDIS_CLUSTER)
    {
        ngx_govsvc_redis_format_free(call);
    }

    if (!conn->flush.posted) {
        ngx_post_event(&conn->flush, &ngx_posted_events);
    }

    return NGX_OK;
}


ngx_int_t
ngx_govsvc_redis_queue_write(ngx_govsvc_redis_conn_t *conn, const char *cmd,
    size_t len)
{
    u_char  *p;
    size_t   size, used;

    used = conn->out_last - conn->out_pos;

    if (len > NGX_GOVSVC_REDIS_BACKLOG - used) {
        return NGX_ERROR;
    }

    if (len > conn->out_size - conn->out_last) {

        size = NGX_GOVSVC_REDIS_BUFFER;

        while (size < used + len) {
            size *= 2;
        }

        p = ngx_alloc(size, conn->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (conn->out != NULL) {
            ngx_memcpy(p, conn->out + conn->out_pos, used);
            ngx_free(conn->out);
        }

        conn->out = p;
        conn->out_size = size;
        conn->out_pos = 0;
        conn->out_last = used;
    }

    ngx_memcpy(conn->out + conn->out_last, cmd, len);
    conn->out_last += len;

    return NGX_OK;
}


void
ngx_govsvc_redis_queue_open(ngx_govsvc_redis_conn_t *conn)
{
    ngx_queue_t              *q;
    ngx_govsvc_redis_call_t  *call;

    conn->heard = ngx_current_msec;

    for (q = ngx_queue_head(&conn->calls);
         q != ngx_queue_sentinel(&conn->calls);
         q = ngx_queue_next(q))
    {
        call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);

        if (!call->written
            && ngx_govsvc_redis_queue_put(conn, call) != NGX_OK)
        {
            ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                        "not enough memory");
            return;
        }
    }

    ngx_govsvc_redis_queue_arm(conn);
}


void
ngx_govsvc_redis_queue_flush_handler(ngx_event_t *ev)
{
    ngx_govsvc_redis_conn_t  *conn;

    conn = ev->data;

    if (conn->rd->run != NULL) {
        (void) ngx_atomic_fetch_add(&conn->rd->run->row->flushes, 1);
    }

    ngx_govsvc_redis_queue_flush(conn);
}


void
ngx_govsvc_redis_queue_flush(ngx_govsvc_redis_conn_t *conn)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = conn->pc.connection;

    while (conn->out_pos < conn->out_last) {

        n = c->send(c, conn->out + conn->out_pos,
                    conn->out_last - conn->out_pos);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n < 0) {
            ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                        "cannot send");
            return;
        }

        conn->out_pos += (size_t) n;
    }

    if (conn->out_pos == conn->out_last) {
        conn->out_pos = 0;
        conn->out_last = 0;

        if (conn->out_size > 16 * NGX_GOVSVC_REDIS_BUFFER) {
            ngx_free(conn->out);
            conn->out = NULL;
            conn->out_size = 0;
        }
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                    "the event module failed");
    }
}


void
ngx_govsvc_redis_queue_read(ngx_govsvc_redis_conn_t *conn)
{
    ssize_t            n;
    const char        *reason;
    ngx_connection_t  *c;

    c = conn->pc.connection;
    reason = NULL;

    ngx_govsvc_redis_conn_enter(conn);

    for ( ;; ) {

        if (ngx_govsvc_redis_queue_room(conn) != NGX_OK) {
            reason = "not enough memory";
            break;
        }

        n = c->recv(c, conn->in + conn->in_last,
                    conn->in_size - conn->in_last);

        if (n == NGX_AGAIN) {
            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                reason = "the event module failed";
            }
            break;
        }

        if (n <= 0) {
            reason = (n == 0) ? "the server closed it" : "cannot receive";
            break;
        }

        conn->in_last += (size_t) n;
        conn->heard = ngx_current_msec;

        if (ngx_govsvc_redis_queue_parse(conn) != NGX_OK) {
            reason = "malformed or oversized reply";
            break;
        }

        if (conn->state == NGX_GOVSVC_REDIS_CONN_CLOSED) {
            break;
        }
    }

    if (reason != NULL) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED, reason);
    }

    ngx_govsvc_redis_conn_leave(conn);
}


static ngx_int_t
ngx_govsvc_redis_queue_room(ngx_govsvc_redis_conn_t *conn)
{
    u_char  *p;
    size_t   size, used;

    used = conn->in_last - conn->in_pos;

    if (used == 0) {
        conn->in_pos = 0;
        conn->in_last = 0;

        if (conn->in_size > 16 * NGX_GOVSVC_REDIS_BUFFER) {
            ngx_free(conn->in);
            conn->in = NULL;
            conn->in_size = 0;
        }
    }

    if (conn->in_last < conn->in_size) {
        return NGX_OK;
    }

    if (conn->in_pos != 0) {
        ngx_memmove(conn->in, conn->in + conn->in_pos, used);
        conn->in_pos = 0;
        conn->in_last = used;
        return NGX_OK;
    }

    /* the scan stops a reply that grows beyond its limit */

    size = (conn->in_size == 0) ? NGX_GOVSVC_REDIS_BUFFER : conn->in_size * 2;

    p = ngx_alloc(size, conn->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (conn->in != NULL) {
        ngx_memcpy(p, conn->in, used);
        ngx_free(conn->in);
    }

    conn->in = p;
    conn->in_size = size;

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_redis_queue_parse(ngx_govsvc_redis_conn_t *conn)
{
    size_t    used;
    gs_rc_t   rc;
    gs_str_t  frame;

    while (conn->in_pos < conn->in_last) {

        rc = gs_resp_scan(&conn->scan, &ngx_govsvc_redis_limits,
                          conn->in + conn->in_pos,
                          conn->in_last - conn->in_pos, &used);

        if (rc == GS_AGAIN) {
            return NGX_OK;
        }

        if (rc == GS_ERROR) {
            return NGX_ERROR;
        }

        frame = gs_str_make(conn->in + conn->in_pos, used);
        conn->in_pos += used;

        if (conn->state == NGX_GOVSVC_REDIS_CONN_HANDSHAKE) {
            ngx_govsvc_redis_hello_reply(conn, &frame);

        } else {
            ngx_govsvc_redis_queue_reply(conn, &frame);
        }

        if (conn->state == NGX_GOVSVC_REDIS_CONN_CLOSED) {
            return NGX_OK;
        }
    }

    return NGX_OK;
}


static void
ngx_govsvc_redis_queue_reply(ngx_govsvc_redis_conn_t *conn,
    const gs_str_t *frame)
{
    ngx_queue_t                *q;
    ngx_govsvc_redis_call_t    *call;
    ngx_govsvc_redis_status_e   status;

    q = ngx_queue_head(&conn->calls);
    call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);

    if (ngx_queue_empty(&conn->calls) || !call->written) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                    "a reply to nothing");
        return;
    }

    status = ngx_govsvc_redis_class(frame);

    if (status == NGX_GOVSVC_REDIS_MOVED) {
        ngx_govsvc_redis_moved(conn, frame);
    }

    call->expect--;

    if (call->expect != 0) {
        if (status != NGX_GOVSVC_REDIS_OK
            && call->refused == NGX_GOVSVC_REDIS_OK)
        {
            call->refused = status;
        }

        return;
    }

    ngx_queue_remove(q);
    conn->ncalls--;
    call->queued = 0;

    conn->done(conn, call, status, frame);
}


void
ngx_govsvc_redis_queue_timer(ngx_event_t *ev)
{
    ngx_int_t                 rc;
    ngx_govsvc_redis_conn_t  *conn;

    conn = ev->data;

    if (!ngx_govsvc_redis_conn_up(conn)
        && !ngx_govsvc_redis_before(ngx_current_msec,
                                    conn->started
                                    + conn->rd->connect_timeout))
    {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN,
                                    "it did not answer in connect_timeout");
        return;
    }

    ngx_govsvc_redis_conn_enter(conn);

    rc = ngx_govsvc_redis_queue_expire(conn);

    if (rc == NGX_OK) {
        ngx_govsvc_redis_queue_arm(conn);
    }

    ngx_govsvc_redis_conn_leave(conn);
}


/* NGX_DONE: the connection was closed. */

static ngx_int_t
ngx_govsvc_redis_queue_expire(ngx_govsvc_redis_conn_t *conn)
{
    ngx_queue_t              *q, *next;
    ngx_govsvc_redis_call_t  *call;

    if (ngx_govsvc_redis_conn_up(conn) && conn->silence != 0
        && !ngx_queue_empty(&conn->calls)
        && !ngx_govsvc_redis_before(ngx_current_msec,
                                    conn->heard + conn->silence))
    {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_TIMEOUT,
                                    "it is silent");
        return NGX_DONE;
    }

    for (q = ngx_queue_head(&conn->calls);
         q != ngx_queue_sentinel(&conn->calls);
         q = next)
    {
        next = ngx_queue_next(q);
        call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);

        if (call->late
            || ngx_govsvc_redis_before(ngx_current_msec, call->deadline))
        {
            continue;
        }

        if (call->written) {
            conn->done(conn, call, NGX_GOVSVC_REDIS_TIMEOUT, NULL);

        } else {
            ngx_queue_remove(q);
            conn->ncalls--;
            call->queued = 0;
            conn->done(conn, call, NGX_GOVSVC_REDIS_DOWN, NULL);
        }

        if (conn->state == NGX_GOVSVC_REDIS_CONN_CLOSED) {
            return NGX_DONE;
        }
    }

    return NGX_OK;
}


/* The timer runs no later than when. */

static void
ngx_govsvc_redis_queue_wake(ngx_govsvc_redis_conn_t *conn, ngx_msec_t when)
{
    ngx_msec_int_t  ms;

    if (conn->timer.timer_set
        && !ngx_govsvc_redis_before(when, conn->wake))
    {
        return;
    }

    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    ms = (ngx_msec_int_t) (when - ngx_current_msec);

    conn->wake = when;
    ngx_add_timer(&conn->timer, (ms > 0) ? (ngx_msec_t) ms : 0);
}


static void
ngx_govsvc_redis_queue_arm(ngx_govsvc_redis_conn_t *conn)
{
    ngx_queue_t              *q;
    ngx_govsvc_redis_call_t  *call;

    conn->timer.cancelable = 1;

    if (!ngx_govsvc_redis_conn_up(conn)) {
        ngx_govsvc_redis_queue_wake(conn, conn->started
                                          + conn->rd->connect_timeout);

    } else if (conn->silence != 0 && !ngx_queue_empty(&conn->calls)) {
        ngx_govsvc_redis_queue_wake(conn, conn->heard + conn->silence);
    }

    for (q = ngx_queue_head(&conn->calls);
         q != ngx_queue_sentinel(&conn->calls);
         q = ngx_queue_next(q))
    {
        call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);

        if (!call->late) {
            ngx_govsvc_redis_queue_wake(conn, call->deadline);

            if (call->handler != NULL) {
                conn->timer.cancelable = 0;
            }
        }
    }
}
