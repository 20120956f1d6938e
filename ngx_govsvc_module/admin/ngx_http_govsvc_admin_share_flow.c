
/*
 * Copyright (C) govsvc authors
 *
 * Objects that nodes share: the flow of commands of a job.
 *
 *     PUT      WATCH head, GET head; MULTI HSET... SET head, XADD log EXEC
 *     FOUND    the same, and HSET of all objects before; the names of objects
 *              and log carry the epoch, so nobody sees half of them
 *     ACCEPT   WATCH head, GET head; MULTI RENAME objects, SET head EXEC
 *     REPLACE  GET head, HSCAN..., GET head: the same, or once more
 */


#include "admin/ngx_http_govsvc_admin.h"


#define NGX_HTTP_GOVSVC_SHARE_TIMEOUT  2000    /* ms */
#define NGX_HTTP_GOVSVC_SHARE_PAIRS    20      /* of one HSET */
#define NGX_HTTP_GOVSVC_SHARE_LEAP     1000
#define NGX_HTTP_GOVSVC_SHARE_SCANS    8


struct ngx_http_govsvc_share_flow_s {
    ngx_pool_t                         *pool;
    ngx_http_govsvc_admin_main_conf_t  *conf;
    ngx_http_govsvc_admin_job_t        *job;
    ngx_govsvc_redis_session_t         *session;
    ngx_str_t                           key;       /* of the head */
    ngx_str_t                           objects;
    ngx_str_t                           log;
    ngx_str_t                           was;       /* text of the head */
    gs_route_head_t                     store;
    ngx_uint_t                          exists;
    ngx_uint_t                          at;        /* of the pairs */
    ngx_uint_t                          scans;
    ngx_uint_t                          closed;
    ngx_event_t                         end;
    const char                         *code;
};


static ngx_int_t ngx_http_govsvc_share_send(
    ngx_http_govsvc_share_flow_t *flow, ngx_str_t *argv, ngx_uint_t argc,
    ngx_govsvc_redis_handler_pt handler);
static void ngx_http_govsvc_share_head(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static ngx_int_t ngx_http_govsvc_share_decide(
    ngx_http_govsvc_share_flow_t *flow);
static ngx_int_t ngx_http_govsvc_share_begin(
    ngx_http_govsvc_share_flow_t *flow);
static void ngx_http_govsvc_share_fill(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static ngx_int_t ngx_http_govsvc_share_hset(
    ngx_http_govsvc_share_flow_t *flow, ngx_govsvc_redis_handler_pt handler);
static ngx_int_t ngx_http_govsvc_share_exec(
    ngx_http_govsvc_share_flow_t *flow);
static ngx_int_t ngx_http_govsvc_share_xadd(
    ngx_http_govsvc_share_flow_t *flow);
static void ngx_http_govsvc_share_executed(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static ngx_int_t ngx_http_govsvc_share_scan(
    ngx_http_govsvc_share_flow_t *flow, ngx_str_t *cursor);
static void ngx_http_govsvc_share_scanned(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_share_compared(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_share_end(ngx_http_govsvc_share_flow_t *flow,
    const char *code);
static void ngx_http_govsvc_share_ended(ngx_event_t *ev);


ngx_int_t
ngx_http_govsvc_share_key(ngx_govsvc_redis_t *rd, ngx_pool_t *pool,
    const char *name, uint64_t epoch, ngx_str_t *key)
{
    u_char           *p;
    const ngx_str_t  *prefix;

    prefix = ngx_govsvc_redis_prefix(rd);

    key->data = ngx_pnalloc(pool, prefix->len + 64);
    if (key->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(key->data, "%V{registry}:%s", prefix, name);

    if (epoch != 0) {
        p = ngx_sprintf(p, ":%016xL", epoch);
    }

    key->len = (size_t) (p - key->data);

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_share_texts(ngx_array_t *list,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_str_t   text, *copy;
    ngx_uint_t  i, n;

    n = ngx_govsvc_redis_count(reply);

    for (i = 0; i < n; i++) {
        if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, i), &text)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        copy = ngx_array_push(list);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        copy->len = text.len;
        copy->data = ngx_pnalloc(list->pool, text.len + 1);

        if (copy->data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(copy->data, text.data, text.len);
        copy->data[text.len] = '\0';
    }

    return NGX_OK;
}


uint64_t
ngx_http_govsvc_share_random(void)
{
    uint64_t  value;

    value = 0;

    if (ngx_govsvc_random(&value, sizeof(value), ngx_cycle->log) != NGX_OK) {
        return 0;
    }

    return (value & INT64_MAX) | 1;
}


ngx_int_t
ngx_http_govsvc_share_flow(ngx_http_govsvc_admin_main_conf_t *amcf,
    ngx_http_govsvc_admin_job_t *job)
{
    ngx_str_t                      argv[2];
    ngx_govsvc_redis_t            *rd;
    ngx_http_govsvc_share_flow_t  *flow;

    rd = amcf->registry->redis;

    flow = ngx_pcalloc(job->pool, sizeof(ngx_http_govsvc_share_flow_t));

    if (flow == NULL
        || ngx_http_govsvc_share_key(rd, job->pool, "head", 0, &flow->key)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    flow->pool = job->pool;
    flow->conf = amcf;
    flow->job = job;
    flow->end.handler = ngx_http_govsvc_share_ended;
    flow->end.data = flow;
    flow->end.log = amcf->cycle->log;
    flow->session = ngx_govsvc_redis_session_open(rd, &flow->key);

    if (flow->session == NULL) {
        return NGX_ERROR;
    }

    job->flow = flow;
    argv[1] = flow->key;

    ngx_str_set(&argv[0], "WATCH");

    if (ngx_http_govsvc_share_send(flow, argv, 2, NULL) == NGX_OK) {
        ngx_str_set(&argv[0], "GET");

        if (ngx_http_govsvc_share_send(flow, argv, 2,
                                       ngx_http_govsvc_share_head)
            == NGX_OK)
        {
            return NGX_OK;
        }
    }

    ngx_http_govsvc_share_flow_stop(flow);

    return NGX_ERROR;
}


void
ngx_http_govsvc_share_flow_stop(ngx_http_govsvc_share_flow_t *flow)
{
    flow->closed = 1;
    flow->job->flow = NULL;

    if (flow->end.timer_set) {
        ngx_del_timer(&flow->end);
    }

    if (flow->session != NULL) {
        ngx_govsvc_redis_session_close(flow->session);
        flow->session = NULL;
    }
}


static ngx_int_t
ngx_http_govsvc_share_send(ngx_http_govsvc_share_flow_t *flow,
    ngx_str_t *argv, ngx_uint_t argc, ngx_govsvc_redis_handler_pt handler)
{
    ngx_govsvc_redis_cmd_t  cmd;

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));
    cmd.argv = argv;
    cmd.argc = argc;
    cmd.timeout = NGX_HTTP_GOVSVC_SHARE_TIMEOUT;
    cmd.handler = handler;
    cmd.data = flow;

    return (ngx_govsvc_redis_session_send(flow->session, &cmd, NULL)
            == NGX_GOVSVC_REDIS_OK) ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_govsvc_share_head(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_share_flow_t *flow = data;

    gs_str_t   s;
    ngx_str_t  text;

    if (flow->closed) {
        return;
    }

    if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_http_govsvc_share_end(flow, "STORE_DOWN");
        return;
    }

    flow->exists = 0;

    if (ngx_govsvc_redis_text(reply, &text) == NGX_OK) {
        s = ngx_govsvc_to_gs(&text);
        flow->exists = 1;
        flow->was.data = ngx_pnalloc(flow->pool, text.len);
        flow->was.len = text.len;

        if (flow->was.data == NULL
            || gs_route_head_read(&flow->store, &s) != GS_OK)
        {
            ngx_http_govsvc_share_end(flow, "STORE_FOREIGN");
            return;
        }

        ngx_memcpy(flow->was.data, text.data, text.len);

    } else if (!ngx_govsvc_redis_is_nil(reply)) {
        ngx_http_govsvc_share_end(flow, "STORE_FOREIGN");
        return;
    }

    if (ngx_http_govsvc_share_decide(flow) != NGX_OK) {
        ngx_http_govsvc_share_end(flow, "STORE_DOWN");
    }
}


static ngx_int_t
ngx_http_govsvc_share_decide(ngx_http_govsvc_share_flow_t *flow)
{
    ngx_str_t                     zero;
    gs_route_share_e              verdict;
    ngx_http_govsvc_admin_job_t  *job;

    job = flow->job;
    verdict = gs_route_share_judge(&job->base,
                                   flow->exists ? &flow->store : NULL);

    switch (job->share) {

    case NGX_HTTP_GOVSVC_SHARE_PUT:

        if (verdict == GS_ROUTE_SHARE_SAME) {
            return ngx_http_govsvc_share_begin(flow);
        }

        ngx_http_govsvc_share_end(flow, verdict == GS_ROUTE_SHARE_AHEAD
                                        ? "AGAIN" : "STORE_ALARM");
        return NGX_OK;

    case NGX_HTTP_GOVSVC_SHARE_FOUND:

        /* the first of all, or an operator says so */

        if (job->request == NULL && job->tick
            && verdict != GS_ROUTE_SHARE_FOUND)
        {
            ngx_http_govsvc_share_end(flow, "AGAIN");
            return NGX_OK;
        }

        return ngx_http_govsvc_share_begin(flow);

    case NGX_HTTP_GOVSVC_SHARE_ACCEPT:

        if (!flow->exists) {
            ngx_http_govsvc_share_end(flow, "STORE_EMPTY");
            return NGX_OK;
        }

        return ngx_http_govsvc_share_begin(flow);

    default:

        if (!flow->exists) {
            ngx_http_govsvc_share_end(flow, "AGAIN");
            return NGX_OK;
        }

        ngx_str_set(&zero, "0");
        job->next = flow->store;
        job->pairs = ngx_array_create(flow->pool, 64, sizeof(ngx_str_t));

        if (job->pairs == NULL
            || ngx_http_govsvc_share_key(flow->conf->registry->redis,
                                         flow->pool, "objects",
                                         flow->store.epoch, &flow->objects)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        return ngx_http_govsvc_share_scan(flow, &zero);
    }
}


/* The head that is to come. */

static ngx_int_t
ngx_http_govsvc_share_begin(ngx_http_govsvc_share_flow_t *flow)
{
    gs_route_head_t              *next;
    ngx_govsvc_redis_t           *rd;
    ngx_http_govsvc_admin_job_t  *job;

    job = flow->job;
    rd = flow->conf->registry->redis;
    next = &job->next;

    *next = flow->store;
    next->revision = job->base.revision + 1;
    next->tip = ngx_http_govsvc_share_random();

    if (job->share != NGX_HTTP_GOVSVC_SHARE_PUT) {
        ngx_memzero(next, sizeof(gs_route_head_t));

        next->epoch = ngx_http_govsvc_share_random();
        next->tip = ngx_http_govsvc_share_random();
        next->parents[0] = job->base.epoch;
        next->parents[1] = flow->store.epoch;
        next->upto[0] = INT64_MAX;
        next->upto[1] = INT64_MAX;
        next->revision = job->base.revision + 1;

        /* beyond what any node may have: revisions never go back */

        if (flow->exists || job->base.epoch != 0) {
            next->revision = ngx_max(job->base.revision,
                                     flow->store.revision)
                             + NGX_HTTP_GOVSVC_SHARE_LEAP;
        }
    }

    if (next->tip == 0 || next->epoch == 0
        || ngx_http_govsvc_share_key(rd, flow->pool, "objects", next->epoch,
                                     &flow->objects) != NGX_OK
        || ngx_http_govsvc_share_key(rd, flow->pool, "log", next->epoch,
                                     &flow->log) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (job->share != NGX_HTTP_GOVSVC_SHARE_FOUND) {
        return ngx_http_govsvc_share_exec(flow);
    }

    return ngx_http_govsvc_share_hset(flow, ngx_http_govsvc_share_fill);
}


static void
ngx_http_govsvc_share_fill(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_share_flow_t *flow = data;

    ngx_int_t  rc;

    if (flow->closed) {
        return;
    }

    rc = NGX_ERROR;

    if (status == NGX_GOVSVC_REDIS_OK) {
        rc = (flow->at < flow->job->pairs->nelts)
             ? ngx_http_govsvc_share_hset(flow, ngx_http_govsvc_share_fill)
             : ngx_http_govsvc_share_exec(flow);
    }

    if (rc != NGX_OK) {
        ngx_http_govsvc_share_end(flow, "STORE_DOWN");
    }
}


/* The next of the pairs; the field "." says that the hash was not lost. */

static ngx_int_t
ngx_http_govsvc_share_hset(ngx_http_govsvc_share_flow_t *flow,
    ngx_govsvc_redis_handler_pt handler)
{
    ngx_str_t   argv[NGX_GOVSVC_REDIS_ARGS], *pair;
    ngx_uint_t  n, i;

    pair = flow->job->pairs->elts;
    n = 0;

    ngx_str_set(&argv[n], "HSET");
    n++;
    argv[n++] = flow->objects;

    if (flow->at == 0) {
        ngx_str_set(&argv[n], ".");
        n++;
        ngx_str_set(&argv[n], "1");
        n++;
    }

    for (i = 0; i < NGX_HTTP_GOVSVC_SHARE_PAIRS
                && flow->at < flow->job->pairs->nelts; i++)
    {
        argv[n++] = pair[flow->at++];
        argv[n++] = pair[flow->at++];
    }

    return ngx_http_govsvc_share_send(flow, argv, n, handler);
}


static ngx_int_t
ngx_http_govsvc_share_exec(ngx_http_govsvc_share_flow_t *flow)
{
    char                          text[GS_ROUTE_HEAD_TEXT];
    ngx_str_t                     argv[3], old;
    ngx_http_govsvc_admin_job_t  *job;

    job = flow->job;
    ngx_str_set(&argv[0], "MULTI");

    if (ngx_http_govsvc_share_send(flow, argv, 1, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    if (job->share == NGX_HTTP_GOVSVC_SHARE_PUT) {
        while (flow->at < job->pairs->nelts) {
            if (ngx_http_govsvc_share_hset(flow, NULL) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        if (ngx_http_govsvc_share_xadd(flow) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (flow->exists) {
        if (ngx_http_govsvc_share_key(flow->conf->registry->redis, flow->pool,
                                      "objects", flow->store.epoch, &old)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_str_set(&argv[0], "DEL");
        argv[1] = old;

        if (job->share == NGX_HTTP_GOVSVC_SHARE_ACCEPT) {
            ngx_str_set(&argv[0], "RENAME");
            argv[2] = flow->objects;
        }

        if (ngx_http_govsvc_share_send(flow, argv,
                            2 + (job->share == NGX_HTTP_GOVSVC_SHARE_ACCEPT),
                            NULL)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    gs_route_head_text(&job->next, text);

    ngx_str_set(&argv[0], "SET");
    argv[1] = flow->key;
    argv[2].data = (u_char *) text;
    argv[2].len = ngx_strlen(text);

    if (ngx_http_govsvc_share_send(flow, argv, 3, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_set(&argv[0], "EXEC");

    return ngx_http_govsvc_share_send(flow, argv, 1,
                                      ngx_http_govsvc_share_executed);
}


static ngx_int_t
ngx_http_govsvc_share_xadd(ngx_http_govsvc_share_flow_t *flow)
{
    u_char                        text[3][NGX_INT64_LEN + 8];
    ngx_str_t                     argv[12];
    ngx_http_govsvc_admin_job_t  *job;

    job = flow->job;

    ngx_str_set(&argv[0], "XADD");
    argv[1] = flow->log;
    ngx_str_set(&argv[2], "MAXLEN");
    ngx_str_set(&argv[3], "~");
    ngx_str_set(&argv[4], "10000");
    argv[5].data = text[0];
    argv[5].len = (size_t) (ngx_sprintf(text[0], "%uL-0", job->next.revision)
                            - text[0]);
    ngx_str_set(&argv[6], "tip");
    argv[7].data = text[1];
    argv[7].len = (size_t) (ngx_sprintf(text[1], "%uL", job->next.tip)
                            - text[1]);
    ngx_str_set(&argv[8], "prev");
    argv[9].data = text[2];
    argv[9].len = (size_t) (ngx_sprintf(text[2], "%uL", job->base.tip)
                            - text[2]);
    ngx_str_set(&argv[10], "change");
    argv[11].data = (u_char *) job->change;
    argv[11].len = ngx_strlen(job->change);

    return ngx_http_govsvc_share_send(flow, argv, 12, NULL);
}


/* nil: somebody was faster.  Without an answer it may have been done. */

static void
ngx_http_govsvc_share_executed(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_share_flow_t *flow = data;

    if (flow->closed) {
        return;
    }

    if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_http_govsvc_share_end(flow, status <= NGX_GOVSVC_REDIS_CLOSED
                                        ? "STORE_UNKNOWN" : "STORE_DOWN");

    } else if (ngx_govsvc_redis_is_nil(reply)) {
        ngx_http_govsvc_share_end(flow, "AGAIN");

    } else {
        ngx_http_govsvc_share_end(flow, NULL);
    }
}


static ngx_int_t
ngx_http_govsvc_share_scan(ngx_http_govsvc_share_flow_t *flow,
    ngx_str_t *cursor)
{
    ngx_str_t  argv[5];

    ngx_str_set(&argv[0], "HSCAN");
    argv[1] = flow->objects;
    argv[2] = *cursor;
    ngx_str_set(&argv[3], "COUNT");
    ngx_str_set(&argv[4], "200");

    return ngx_http_govsvc_share_send(flow, argv, 5,
                                      ngx_http_govsvc_share_scanned);
}


static void
ngx_http_govsvc_share_scanned(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_share_flow_t *flow = data;

    ngx_int_t  rc;
    ngx_str_t  argv[2], cursor;

    if (flow->closed) {
        return;
    }

    if (status != NGX_GOVSVC_REDIS_OK
        || ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, 0), &cursor)
           != NGX_OK
        || ngx_http_govsvc_share_texts(flow->job->pairs,
                                       ngx_govsvc_redis_at(reply, 1))
           != NGX_OK)
    {
        ngx_http_govsvc_share_end(flow, "STORE_DOWN");
        return;
    }

    if (cursor.len != 1 || cursor.data[0] != '0') {
        rc = ngx_http_govsvc_share_scan(flow, &cursor);

    } else {
        ngx_str_set(&argv[0], "GET");
        argv[1] = flow->key;
        rc = ngx_http_govsvc_share_send(flow, argv, 2,
                                        ngx_http_govsvc_share_compared);
    }

    if (rc != NGX_OK) {
        ngx_http_govsvc_share_end(flow, "STORE_DOWN");
    }
}


/* What was read in many pieces is whole if nothing changed meanwhile. */

static void
ngx_http_govsvc_share_compared(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_share_flow_t *flow = data;

    ngx_str_t  text;

    if (flow->closed) {
        return;
    }

    if (status != NGX_GOVSVC_REDIS_OK
        || ngx_govsvc_redis_text(reply, &text) != NGX_OK)
    {
        ngx_http_govsvc_share_end(flow, "STORE_DOWN");
        return;
    }

    if (text.len == flow->was.len
        && ngx_memcmp(text.data, flow->was.data, text.len) == 0)
    {
        ngx_http_govsvc_share_end(flow, flow->job->pairs->nelts != 0
                                        ? NULL : "STORE_LOST");
        return;
    }

    if (++flow->scans == NGX_HTTP_GOVSVC_SHARE_SCANS) {
        ngx_http_govsvc_share_end(flow, "AGAIN");
        return;
    }

    ngx_http_govsvc_share_head(flow, status, reply);
}


/* Not from within a handler of the session that is to be closed. */

static void
ngx_http_govsvc_share_end(ngx_http_govsvc_share_flow_t *flow,
    const char *code)
{
    if (flow->end.timer_set) {
        return;
    }

    flow->code = code;
    ngx_add_timer(&flow->end, 0);
}


static void
ngx_http_govsvc_share_ended(ngx_event_t *ev)
{
    const char                    *code;
    ngx_http_govsvc_admin_job_t   *job;
    ngx_http_govsvc_share_flow_t  *flow;

    flow = ev->data;
    job = flow->job;
    code = flow->code;

    ngx_http_govsvc_share_flow_stop(flow);
    ngx_http_govsvc_share_flow_done(job, code);
}
