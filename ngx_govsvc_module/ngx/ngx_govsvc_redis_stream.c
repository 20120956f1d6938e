
/*
 * Copyright (C) govsvc authors
 *
 * Redis: a reader of one stream, on its own connection.  After each connect it
 * asks for the first and the last entry, to tell a gap, then reads all there
 * is, then blocks for more.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


#define NGX_GOVSVC_REDIS_STREAM_COUNT  512
#define NGX_GOVSVC_REDIS_STREAM_BLOCK  2000    /* ms */


struct ngx_govsvc_redis_stream_s {
    ngx_queue_t                      queue;
    ngx_govsvc_redis_run_t          *run;          /* NULL: stopped */
    ngx_govsvc_redis_stream_conf_t   conf;
    ngx_govsvc_redis_conn_t         *conn;
    ngx_govsvc_redis_call_t          call;
    ngx_event_t                      retry;
    ngx_msec_t                       backoff;
    ngx_str_t                        key;
    uint64_t                         ms;           /* of the last entry */
    uint64_t                         seq;
    u_char                           id[2 * NGX_INT64_LEN + 2];
    ngx_uint_t                       entered;
    unsigned                         now:1;        /* "$": not yet known */
    unsigned                         ready:1;
    unsigned                         closed:1;
};


static void ngx_govsvc_redis_stream_connect(ngx_event_t *ev);
static void ngx_govsvc_redis_stream_later(
    ngx_govsvc_redis_stream_t *stream);
static void ngx_govsvc_redis_stream_up(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_stream_lost(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_stream_done(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame);
static ngx_int_t ngx_govsvc_redis_stream_edges(
    ngx_govsvc_redis_stream_t *stream, ngx_govsvc_redis_reply_t *reply);
static ngx_int_t ngx_govsvc_redis_stream_edge(ngx_govsvc_redis_reply_t *reply,
    ngx_uint_t i, uint64_t *ms, uint64_t *seq);
static ngx_int_t ngx_govsvc_redis_stream_entries(
    ngx_govsvc_redis_stream_t *stream, ngx_govsvc_redis_reply_t *reply,
    ngx_uint_t *n);
static ngx_int_t ngx_govsvc_redis_stream_entry(
    ngx_govsvc_redis_stream_t *stream, ngx_govsvc_redis_reply_t *reply);
static ngx_int_t ngx_govsvc_redis_stream_ask(
    ngx_govsvc_redis_stream_t *stream);
static ngx_int_t ngx_govsvc_redis_stream_read(
    ngx_govsvc_redis_stream_t *stream);
static ngx_int_t ngx_govsvc_redis_stream_send(
    ngx_govsvc_redis_stream_t *stream, const ngx_govsvc_redis_cmd_t *cmds,
    ngx_uint_t n);
static void ngx_govsvc_redis_stream_tell(ngx_govsvc_redis_stream_t *stream,
    ngx_govsvc_redis_stream_event_e event);
static void ngx_govsvc_redis_stream_leave(ngx_govsvc_redis_stream_t *stream);


ngx_govsvc_redis_stream_t *
ngx_govsvc_redis_stream_open(ngx_govsvc_redis_t *rd, const ngx_str_t *key,
    const ngx_str_t *id, const ngx_govsvc_redis_stream_conf_t *conf)
{
    gs_str_t                    s;
    ngx_govsvc_redis_stream_t  *stream;

    if (rd->run == NULL) {
        return NULL;
    }

    stream = ngx_calloc(sizeof(ngx_govsvc_redis_stream_t) + key->len,
                        rd->run->log);
    if (stream == NULL) {
        return NULL;
    }

    s = ngx_govsvc_to_gs(id);

    if (id->len == 1 && id->data[0] == '$') {
        stream->now = 1;

    } else if (gs_redis_id(&s, &stream->ms, &stream->seq) != GS_OK) {
        ngx_free(stream);
        return NULL;
    }

    stream->run = rd->run;
    stream->conf = *conf;
    stream->key.data = (u_char *) stream + sizeof(ngx_govsvc_redis_stream_t);
    stream->key.len = key->len;
    ngx_memcpy(stream->key.data, key->data, key->len);

    stream->retry.handler = ngx_govsvc_redis_stream_connect;
    stream->retry.data = stream;
    stream->retry.log = rd->run->log;
    stream->retry.cancelable = 1;

    ngx_queue_insert_tail(&rd->run->streams, &stream->queue);
    ngx_add_timer(&stream->retry, 0);

    return stream;
}


void
ngx_govsvc_redis_stream_close(ngx_govsvc_redis_stream_t *stream)
{
    ngx_govsvc_redis_conn_t  *conn;

    stream->entered++;
    stream->closed = 1;

    if (stream->run != NULL) {
        ngx_queue_remove(&stream->queue);
        stream->run = NULL;
    }

    if (stream->retry.timer_set) {
        ngx_del_timer(&stream->retry);
    }

    conn = stream->conn;
    stream->conn = NULL;

    if (conn != NULL) {
        ngx_govsvc_redis_conn_drop(conn);
    }

    ngx_govsvc_redis_stream_leave(stream);
}


static void
ngx_govsvc_redis_stream_connect(ngx_event_t *ev)
{
    gs_str_t                    key;
    ngx_uint_t                  slot;
    ngx_govsvc_redis_run_t     *run;
    ngx_govsvc_redis_node_t    *node;
    ngx_govsvc_redis_conn_t    *conn;
    ngx_govsvc_redis_stream_t  *stream;

    stream = ev->data;
    run = stream->run;

    if (ngx_exiting) {
        return;
    }

    key = ngx_govsvc_to_gs(&stream->key);
    slot = (run->map != NULL) ? gs_redis_slot(&key) : GS_REDIS_SLOTS;
    node = ngx_govsvc_redis_node_of(run, slot);

    if (node == NULL || node->failures != 0) {
        ngx_govsvc_redis_stream_later(stream);
        return;
    }

    conn = ngx_govsvc_redis_conn_create(run->rd, &node->peer);

    if (conn == NULL) {
        ngx_govsvc_redis_stream_later(stream);
        return;
    }

    conn->silence = 0;
    conn->quits = 1;
    conn->ready = ngx_govsvc_redis_stream_up;
    conn->lost = ngx_govsvc_redis_stream_lost;
    conn->done = ngx_govsvc_redis_stream_done;
    conn->data = stream;

    stream->conn = conn;

    ngx_govsvc_redis_conn_start(conn);
}


static void
ngx_govsvc_redis_stream_later(ngx_govsvc_redis_stream_t *stream)
{
    ngx_govsvc_redis_t  *rd;

    if (ngx_exiting || stream->run == NULL) {
        return;
    }

    rd = stream->run->rd;

    stream->backoff = (stream->backoff == 0) ? rd->reconnect
                                             : ngx_min(stream->backoff * 2,
                                                       rd->reconnect_max);

    ngx_add_timer(&stream->retry,
                  ngx_govsvc_redis_jitter(stream->backoff, rd->jitter));
}


static void
ngx_govsvc_redis_stream_up(ngx_govsvc_redis_conn_t *conn)
{
    ngx_govsvc_redis_stream_t  *stream;

    stream = conn->data;

    if (ngx_govsvc_redis_stream_ask(stream) != NGX_OK) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                    "not enough memory");
    }
}


static void
ngx_govsvc_redis_stream_lost(ngx_govsvc_redis_conn_t *conn)
{
    ngx_govsvc_redis_stream_t  *stream;

    stream = conn->data;

    stream->entered++;
    stream->conn = NULL;

    ngx_log_error(NGX_LOG_INFO, stream->run->log, 0,
                  "govsvc redis: \"%V\" lost the stream \"%V\": %s",
                  &conn->rd->name, &stream->key, conn->reason);

    ngx_govsvc_redis_stream_later(stream);

    if (stream->ready) {
        stream->ready = 0;
        ngx_govsvc_redis_stream_tell(stream, NGX_GOVSVC_REDIS_STREAM_LOST);
    }

    ngx_govsvc_redis_stream_leave(stream);
}


static void
ngx_govsvc_redis_stream_done(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame)
{
    ngx_int_t                   rc;
    ngx_uint_t                  n;
    ngx_govsvc_redis_reply_t   *reply;
    ngx_govsvc_redis_stream_t  *stream;

    if (conn->state == NGX_GOVSVC_REDIS_CONN_CLOSED) {
        return;
    }

    stream = conn->data;

    if (frame == NULL || status != NGX_GOVSVC_REDIS_OK) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                    ngx_govsvc_redis_status_text(status));
        return;
    }

    reply = ngx_govsvc_redis_parse(conn->reader, frame);

    stream->entered++;
    rc = NGX_ERROR;
    n = 0;

    if (reply != NULL) {
        rc = call->multi ? ngx_govsvc_redis_stream_edges(stream, reply)
                         : ngx_govsvc_redis_stream_entries(stream, reply, &n);
    }

    if (rc == NGX_OK && !call->multi
        && n < NGX_GOVSVC_REDIS_STREAM_COUNT && !stream->ready
        && !stream->closed)
    {
        stream->ready = 1;
        stream->backoff = 0;
        ngx_govsvc_redis_stream_tell(stream, NGX_GOVSVC_REDIS_STREAM_READY);
    }

    if (rc == NGX_OK && stream->conn == conn) {
        rc = ngx_govsvc_redis_stream_read(stream);
    }

    if (rc != NGX_OK && stream->conn == conn) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                    "its entries were not taken");
    }

    ngx_govsvc_redis_reply_free(reply);
    ngx_govsvc_redis_stream_leave(stream);
}


/* [[first entry], [last entry]], each empty in an empty stream */

static ngx_int_t
ngx_govsvc_redis_stream_edges(ngx_govsvc_redis_stream_t *stream,
    ngx_govsvc_redis_reply_t *reply)
{
    uint64_t    ms[2], seq[2];
    ngx_uint_t  i, gap;

    for (i = 0; i < 2; i++) {
        if (ngx_govsvc_redis_stream_edge(reply, i, &ms[i], &seq[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (stream->now) {
        stream->now = 0;
        stream->ms = ms[1];
        stream->seq = seq[1];
        return NGX_OK;
    }

    if (stream->ms == 0 && stream->seq == 0) {
        return NGX_OK;
    }

    gap = (ms[0] > stream->ms
           || (ms[0] == stream->ms && seq[0] > stream->seq));

    if (ms[1] < stream->ms || (ms[1] == stream->ms && seq[1] < stream->seq)) {

        /* another history: all of it is new */

        gap = 1;
        stream->ms = 0;
        stream->seq = 0;
    }

    if (gap) {
        ngx_govsvc_redis_stream_tell(stream, NGX_GOVSVC_REDIS_STREAM_GAP);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_redis_stream_edge(ngx_govsvc_redis_reply_t *reply, ngx_uint_t i,
    uint64_t *ms, uint64_t *seq)
{
    gs_str_t                   s;
    ngx_str_t                  id;
    ngx_govsvc_redis_reply_t  *entry;

    *ms = 0;
    *seq = 0;

    reply = ngx_govsvc_redis_at(reply, i);
    entry = ngx_govsvc_redis_at(reply, 0);

    if (entry == NULL) {
        return (reply != NULL) ? NGX_OK : NGX_ERROR;
    }

    if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(entry, 0), &id) != NGX_OK) {
        return NGX_ERROR;
    }

    s = ngx_govsvc_to_gs(&id);

    return gs_redis_id(&s, ms, seq) == GS_OK ? NGX_OK : NGX_ERROR;
}


/* nil, or [[key, [entry, ...]]] */

static ngx_int_t
ngx_govsvc_redis_stream_entries(ngx_govsvc_redis_stream_t *stream,
    ngx_govsvc_redis_reply_t *reply, ngx_uint_t *n)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_govsvc_redis_reply_t  *entries;

    *n = 0;

    if (ngx_govsvc_redis_is_nil(reply)) {
        return NGX_OK;
    }

    entries = ngx_govsvc_redis_at(ngx_govsvc_redis_at(reply, 0), 1);
    *n = ngx_govsvc_redis_count(entries);

    if (*n == 0) {
        return NGX_ERROR;
    }

    for (i = 0; i < *n; i++) {
        rc = ngx_govsvc_redis_stream_entry(stream,
                                           ngx_govsvc_redis_at(entries, i));

        if (rc != NGX_OK || stream->closed) {
            return rc;
        }
    }

    return NGX_OK;
}


/* [id, [field, value, ...]] */

static ngx_int_t
ngx_govsvc_redis_stream_entry(ngx_govsvc_redis_stream_t *stream,
    ngx_govsvc_redis_reply_t *reply)
{
    gs_str_t                   s;
    uint64_t                   ms, seq;
    ngx_str_t                  id, fields[NGX_GOVSVC_REDIS_ARGS];
    ngx_uint_t                 i, n;
    ngx_govsvc_redis_reply_t  *list;

    if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, 0), &id) != NGX_OK) {
        return NGX_ERROR;
    }

    s = ngx_govsvc_to_gs(&id);
    list = ngx_govsvc_redis_at(reply, 1);
    n = ngx_govsvc_redis_count(list);

    if (gs_redis_id(&s, &ms, &seq) != GS_OK) {
        return NGX_ERROR;
    }

    if (n > NGX_GOVSVC_REDIS_ARGS || n % 2 != 0) {

        /* none of ours; to stop here would be to stop for ever */

        ngx_log_error(NGX_LOG_ERR, stream->run->log, 0,
                      "govsvc redis: entry %V of \"%V\" has %ui fields, "
                      "skipped", &id, &stream->key, n);

    } else {
        for (i = 0; i < n; i++) {
            if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(list, i),
                                      &fields[i])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (stream->conf.entry(stream->conf.data, &id, fields, n) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    stream->ms = ms;
    stream->seq = seq;

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_redis_stream_ask(ngx_govsvc_redis_stream_t *stream)
{
    ngx_uint_t              i;
    ngx_str_t               argv[2][6];
    ngx_govsvc_redis_cmd_t  cmds[2];

    ngx_memzero(cmds, sizeof(cmds));

    for (i = 0; i < 2; i++) {
        argv[i][1] = stream->key;
        ngx_str_set(&argv[i][4], "COUNT");
        ngx_str_set(&argv[i][5], "1");
        cmds[i].argv = argv[i];
        cmds[i].argc = 6;
    }

    ngx_str_set(&argv[0][0], "XRANGE");
    ngx_str_set(&argv[0][2], "-");
    ngx_str_set(&argv[0][3], "+");

    ngx_str_set(&argv[1][0], "XREVRANGE");
    ngx_str_set(&argv[1][2], "+");
    ngx_str_set(&argv[1][3], "-");

    return ngx_govsvc_redis_stream_send(stream, cmds, 2);
}


static ngx_int_t
ngx_govsvc_redis_stream_read(ngx_govsvc_redis_stream_t *stream)
{
    ngx_str_t               argv[8];
    ngx_uint_t              n;
    ngx_govsvc_redis_cmd_t  cmd;

    n = 0;
    ngx_str_set(&argv[n], "XREAD");
    n++;
    ngx_str_set(&argv[n], "COUNT");
    n++;
    ngx_str_set(&argv[n], "512");
    n++;

    if (stream->ready) {
        ngx_str_set(&argv[n], "BLOCK");
        n++;
        ngx_str_set(&argv[n], "2000");
        n++;
    }

    ngx_str_set(&argv[n], "STREAMS");
    n++;
    argv[n++] = stream->key;

    argv[n].data = stream->id;
    argv[n].len = (size_t) (ngx_sprintf(stream->id, "%uL-%uL", stream->ms,
                                        stream->seq)
                            - stream->id);
    n++;

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));
    cmd.argv = argv;
    cmd.argc = n;

    return ngx_govsvc_redis_stream_send(stream, &cmd, 1);
}


static ngx_int_t
ngx_govsvc_redis_stream_send(ngx_govsvc_redis_stream_t *stream,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n)
{
    ngx_govsvc_redis_call_t  *call;

    call = &stream->call;

    ngx_govsvc_redis_format_free(call);
    ngx_memzero(call, sizeof(ngx_govsvc_redis_call_t));

    call->multi = (n > 1);
    call->replies = call->multi ? n + 2 : 1;
    call->deadline = ngx_current_msec + NGX_GOVSVC_REDIS_STREAM_BLOCK
                     + stream->run->rd->connect_timeout;

    if (ngx_govsvc_redis_format(call, cmds, n) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_govsvc_redis_queue_send(stream->conn, call);
}


static void
ngx_govsvc_redis_stream_tell(ngx_govsvc_redis_stream_t *stream,
    ngx_govsvc_redis_stream_event_e event)
{
    if (!stream->closed && stream->conf.event != NULL) {
        stream->conf.event(stream->conf.data, event);
    }
}


/* The last one out takes the memory along. */

static void
ngx_govsvc_redis_stream_leave(ngx_govsvc_redis_stream_t *stream)
{
    stream->entered--;

    if (stream->entered == 0 && stream->closed) {
        ngx_govsvc_redis_format_free(&stream->call);
        ngx_free(stream);
    }
}


/* The streams stay valid, and dead, for their owners to close. */

void
ngx_govsvc_redis_streams_stop(ngx_govsvc_redis_run_t *run)
{
    ngx_queue_t                *q;
    ngx_govsvc_redis_conn_t    *conn;
    ngx_govsvc_redis_stream_t  *stream;

    while (!ngx_queue_empty(&run->streams)) {
        q = ngx_queue_head(&run->streams);
        ngx_queue_remove(q);

        stream = ngx_queue_data(q, ngx_govsvc_redis_stream_t, queue);
        conn = stream->conn;

        stream->run = NULL;
        stream->conn = NULL;

        if (stream->retry.timer_set) {
            ngx_del_timer(&stream->retry);
        }

        if (conn != NULL) {
            ngx_govsvc_redis_conn_drop(conn);
        }

        ngx_govsvc_redis_format_free(&stream->call);
    }
}
