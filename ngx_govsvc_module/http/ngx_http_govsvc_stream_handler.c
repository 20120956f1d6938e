
/*
 * Copyright (C) govsvc authors
 *
 * Streams: WATCH, look, and MULTI with one batch.  Whatever comes between
 * undoes the batch; whatever is unclear is looked at again.
 */


#include "http/ngx_http_govsvc_stream.h"


static void ngx_http_govsvc_stream_timer(ngx_event_t *ev);
static void ngx_http_govsvc_stream_policy(ngx_http_govsvc_stream_t *st);
static void ngx_http_govsvc_stream_policy_told(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_stream_ask(ngx_http_govsvc_stream_t *st);
static void ngx_http_govsvc_stream_told(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static ngx_int_t ngx_http_govsvc_stream_info(ngx_http_govsvc_stream_t *st,
    ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_stream_compare(ngx_http_govsvc_stream_t *st);
static void ngx_http_govsvc_stream_batch(ngx_http_govsvc_stream_t *st);
static void ngx_http_govsvc_stream_queued(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_stream_done(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);


void
ngx_http_govsvc_stream_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_stream_t *st = data;

    st->leads = leads;
    st->state = NGX_HTTP_GOVSVC_STREAM_IDLE;
    st->sought = 0;
    st->batch = NULL;

    if (!leads) {

        if (st->timer.timer_set) {
            ngx_del_timer(&st->timer);
        }

        if (st->session != NULL) {
            ngx_govsvc_redis_session_close(st->session);
            st->session = NULL;
        }

        return;
    }

    st->timer.handler = ngx_http_govsvc_stream_timer;
    st->timer.data = &st->dummy;
    st->timer.log = ngx_cycle->log;
    st->timer.cancelable = 1;
    st->dummy.data = st;
    st->dummy.fd = (ngx_socket_t) -1;

    ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_STREAM_POLL);
}


static void
ngx_http_govsvc_stream_timer(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_http_govsvc_stream_go(c->data);
}


void
ngx_http_govsvc_stream_go(ngx_http_govsvc_stream_t *st)
{
    st->state = NGX_HTTP_GOVSVC_STREAM_IDLE;

    if (!st->leads) {
        return;
    }

    if (st->timer.timer_set) {
        ngx_del_timer(&st->timer);
    }

    /* the answer of a task that was begun before comes first */

    if (ngx_http_govsvc_feed_busy(st->feed)) {
        ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_STREAM_POLL);
        return;
    }

    if (st->session == NULL) {
        st->sought = 0;
        st->kept = 0;
        st->session = ngx_govsvc_redis_session_open(st->redis, &st->key);

        if (st->session == NULL) {
            ngx_http_govsvc_stream_fail(st, "there is no connection");
            return;
        }
    }

    if (!st->kept) {
        ngx_http_govsvc_stream_policy(st);
        return;
    }

    if (!st->sought || st->batch != NULL) {
        ngx_http_govsvc_stream_ask(st);
        return;
    }

    if (ngx_http_govsvc_stream_trim(st) != NGX_DECLINED) {
        return;
    }

    st->state = NGX_HTTP_GOVSVC_STREAM_READS;
    ngx_http_govsvc_feed_next(st->feed);
}


void
ngx_http_govsvc_stream_fed(void *data, ngx_int_t rc)
{
    ngx_http_govsvc_stream_t *st = data;

    ngx_uint_t  state;

    if (!st->leads) {
        return;
    }

    state = st->state;
    st->state = NGX_HTTP_GOVSVC_STREAM_IDLE;

    switch (rc) {

    case NGX_OK:

        if (state == NGX_HTTP_GOVSVC_STREAM_SEEKS) {
            ngx_http_govsvc_feed_up(st->feed, 1);
            st->sought = 1;
            st->fresh = 1;
            st->expect = st->last;

        } else if (state == NGX_HTTP_GOVSVC_STREAM_READS) {
            st->batch = ngx_http_govsvc_feed_batch(st->feed);
        }

        ngx_http_govsvc_stream_go(st);
        return;

    case NGX_DECLINED:

        if (st->sought
            && ngx_current_msec - st->checked >= NGX_HTTP_GOVSVC_STREAM_CHECK)
        {
            ngx_http_govsvc_stream_ask(st);
            return;
        }

        ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_STREAM_POLL);
        return;

    default:

        /* another process has it for now, or the error was logged */

        st->sought = 0;
        ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_STREAM_RETRY);
    }
}


/*
 * A Redis that is short of memory and may remove any key removes whole streams:
 * once a connection it is asked what it would do.
 */

static void
ngx_http_govsvc_stream_policy(ngx_http_govsvc_stream_t *st)
{
    ngx_str_t  argv[2];

    st->state = NGX_HTTP_GOVSVC_STREAM_POLICY;

    ngx_str_set(&argv[0], "INFO");
    ngx_str_set(&argv[1], "memory");

    (void) ngx_http_govsvc_stream_send(st, argv, 2,
                                       ngx_http_govsvc_stream_policy_told,
                                       st);
}


static void
ngx_http_govsvc_stream_policy_told(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_stream_t *st = data;

    u_char     *p;
    ngx_str_t   text;

    static const char  word[] = "maxmemory_policy:allkeys-";

    if (!st->leads || st->state != NGX_HTTP_GOVSVC_STREAM_POLICY) {
        return;
    }

    if (status == NGX_GOVSVC_REDIS_ERROR
        || status == NGX_GOVSVC_REDIS_NOPERM)
    {
        if (!st->warned) {
            st->warned = 1;
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "govsvc audit: INFO is not allowed at the Redis of "
                          "stream \"%V\", let its maxmemory-policy be "
                          "noeviction", &st->key);
        }

    } else if (status != NGX_GOVSVC_REDIS_OK
               || ngx_govsvc_redis_text(reply, &text) != NGX_OK)
    {
        ngx_http_govsvc_stream_fail(st, ngx_govsvc_redis_status_text(status));
        return;

    } else {

        for (p = text.data;
             p + sizeof(word) - 1 <= text.data + text.len;
             p++)
        {
            if (ngx_memcmp(p, word, sizeof(word) - 1) == 0) {
                ngx_http_govsvc_stream_fail(st, "the maxmemory-policy "
                                            "allkeys-* would remove it whole, "
                                            "noeviction is needed");
                return;
            }
        }
    }

    st->kept = 1;
    ngx_http_govsvc_stream_go(st);
}


/* The number of the last entry; a change before EXEC undoes the batch. */

static void
ngx_http_govsvc_stream_ask(ngx_http_govsvc_stream_t *st)
{
    ngx_str_t  argv[3];

    st->state = NGX_HTTP_GOVSVC_STREAM_ASKS;

    ngx_str_set(&argv[0], "WATCH");
    argv[1] = st->key;

    if (ngx_http_govsvc_stream_send(st, argv, 2, NULL, NULL) != NGX_OK) {
        return;
    }

    ngx_str_set(&argv[0], "XINFO");
    ngx_str_set(&argv[1], "STREAM");
    argv[2] = st->key;

    (void) ngx_http_govsvc_stream_send(st, argv, 3,
                                       ngx_http_govsvc_stream_told, st);
}


ngx_int_t
ngx_http_govsvc_stream_send(ngx_http_govsvc_stream_t *st, ngx_str_t *argv,
    ngx_uint_t argc, ngx_govsvc_redis_handler_pt handler, void *data)
{
    ngx_govsvc_redis_cmd_t     cmd;
    ngx_govsvc_redis_status_e  status;

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));
    cmd.argv = argv;
    cmd.argc = argc;
    cmd.handler = handler;
    cmd.data = data;

    status = ngx_govsvc_redis_session_send(st->session, &cmd, NULL);

    if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_http_govsvc_stream_fail(st, ngx_govsvc_redis_status_text(status));
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_stream_told(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_stream_t *st = data;

    ngx_str_t  text;

    if (!st->leads || st->state != NGX_HTTP_GOVSVC_STREAM_ASKS) {
        return;
    }

    st->checked = ngx_current_msec;
    st->missing = 0;

    if (status == NGX_GOVSVC_REDIS_ERROR
        && ngx_govsvc_redis_text(reply, &text) == NGX_OK
        && text.len >= 15
        && ngx_strncmp(text.data, "ERR no such key", 15) == 0)
    {
        st->last = 0;
        st->missing = 1;

    } else if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_http_govsvc_stream_fail(st, ngx_govsvc_redis_status_text(status));
        return;

    } else if (ngx_http_govsvc_stream_info(st, reply) != NGX_OK) {
        ngx_http_govsvc_stream_fail(st, "entries of somebody else are in it");
        return;
    }

    ngx_http_govsvc_stream_compare(st);
}


static ngx_int_t
ngx_http_govsvc_stream_info(ngx_http_govsvc_stream_t *st,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_str_t   name, id;
    ngx_uint_t  i, n;

    n = ngx_govsvc_redis_count(reply);

    for (i = 0; i + 1 < n; i += 2) {

        if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, i), &name)
            == NGX_OK
            && name.len == 17
            && ngx_strncmp(name.data, "last-generated-id", 17) == 0)
        {
            if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, i + 1), &id)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            return ngx_http_govsvc_stream_id(&id, &st->last);
        }
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_http_govsvc_stream_id(const ngx_str_t *text, uint64_t *n)
{
    gs_str_t  s;

    if (text->len < 3 || text->data[text->len - 2] != '-'
        || text->data[text->len - 1] != '0')
    {
        return NGX_ERROR;
    }

    s = gs_str_make(text->data, text->len - 2);

    return (gs_parse_u64(&s, n) == GS_OK && *n < UINT64_MAX / 2)
           ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_govsvc_stream_compare(ngx_http_govsvc_stream_t *st)
{
    ngx_http_govsvc_feed_batch_t  *batch;

    batch = st->batch;

    if (st->sought && batch == NULL && st->last == st->expect) {
        st->state = NGX_HTTP_GOVSVC_STREAM_IDLE;
        ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_STREAM_POLL);
        return;
    }

    if (st->sought && batch != NULL) {

        if (batch->n == st->last + 1) {
            ngx_http_govsvc_stream_batch(st);
            return;
        }

        /* right behind a seek: there is nothing older any more */

        if (st->fresh && batch->n > st->last && st->last == st->expect) {

            if (!st->missing) {
                ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                              "govsvc audit: records %uL to %uL of stream "
                              "\"%V\" are no longer here", st->last + 1,
                              batch->n - 1, &st->key);
            }

            ngx_http_govsvc_stream_batch(st);
            return;
        }
    }

    st->batch = NULL;
    st->state = NGX_HTTP_GOVSVC_STREAM_SEEKS;

    ngx_http_govsvc_feed_seek(st->feed, st->missing ? 0 : st->last + 1);
}


static void
ngx_http_govsvc_stream_batch(ngx_http_govsvc_stream_t *st)
{
    u_char                         id[NGX_INT64_LEN + 2];
    ngx_str_t                      argv[7];
    ngx_uint_t                     i;
    ngx_http_govsvc_feed_batch_t  *batch;

    batch = st->batch;
    st->state = NGX_HTTP_GOVSVC_STREAM_SENDS;
    st->refused = NULL;

    ngx_str_set(&argv[0], "MULTI");

    if (ngx_http_govsvc_stream_send(st, argv, 1, NULL, NULL) != NGX_OK) {
        return;
    }

    ngx_str_set(&argv[0], "XADD");
    argv[1] = st->key;
    argv[2].data = id;
    ngx_str_set(&argv[3], "e");
    ngx_str_set(&argv[5], "ty");

    for (i = 0; i < batch->count; i++) {
        argv[2].len = (size_t) (ngx_sprintf(id, "%uL-0", batch->n + i) - id);
        argv[4] = batch->records[i].line;
        argv[6] = batch->records[i].type;

        if (ngx_http_govsvc_stream_send(st, argv, 7,
                                        ngx_http_govsvc_stream_queued, st)
            != NGX_OK)
        {
            return;
        }
    }

    ngx_str_set(&argv[0], "EXEC");

    (void) ngx_http_govsvc_stream_send(st, argv, 1,
                                       ngx_http_govsvc_stream_done, st);
}


/* EXEC only says that it was aborted, a command says why. */

static void
ngx_http_govsvc_stream_queued(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_stream_t *st = data;

    if (status != NGX_GOVSVC_REDIS_OK && st->refused == NULL) {
        st->refused = ngx_govsvc_redis_status_text(status);
    }
}


static void
ngx_http_govsvc_stream_done(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_stream_t *st = data;

    if (!st->leads || st->state != NGX_HTTP_GOVSVC_STREAM_SENDS) {
        return;
    }

    if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_http_govsvc_stream_fail(st, st->refused != NULL ? st->refused
                                        : ngx_govsvc_redis_status_text(status));
        return;
    }

    if (ngx_govsvc_redis_is_nil(reply)) {

        /* somebody changed the stream since it was looked at */

        st->batch = NULL;
        st->sought = 0;
        ngx_http_govsvc_stream_go(st);
        return;
    }

    if (ngx_govsvc_redis_count(reply) != st->batch->count) {
        ngx_http_govsvc_stream_fail(st, "a strange answer");
        return;
    }

    if (st->error != NULL) {
        st->error = NULL;

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "govsvc audit: stream \"%V\" grows again, with record "
                      "%uL", &st->key, st->batch->n);
    }

    st->last = st->batch->n + st->batch->count - 1;
    st->expect = st->last;
    ngx_http_govsvc_feed_up(st->feed, 1);
    ngx_http_govsvc_feed_delivered(st->feed, st->last);
    st->fresh = 0;
    st->batch = NULL;

    ngx_http_govsvc_stream_go(st);
}


/* What the stream has is not known any more. */

void
ngx_http_govsvc_stream_fail(ngx_http_govsvc_stream_t *st, const char *error)
{
    ngx_govsvc_redis_session_t  *session;

    if (st->error != error) {
        st->error = error;

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "govsvc audit: stream \"%V\" waits: %s", &st->key,
                      error);
    }

    session = st->session;

    ngx_http_govsvc_feed_up(st->feed, 0);

    st->state = NGX_HTTP_GOVSVC_STREAM_IDLE;
    st->session = NULL;
    st->sought = 0;
    st->batch = NULL;

    if (!st->timer.timer_set) {
        ngx_add_timer(&st->timer, NGX_HTTP_GOVSVC_STREAM_RETRY);
    }

    if (session != NULL) {
        ngx_govsvc_redis_session_close(session);
    }
}
