
/*
 * Copyright (C) govsvc authors
 *
 * For the tests alone: commands from the query string to a named redis, so
 * that its transport is tried in a real worker.
 *
 *     location /main { redis_test main; }
 *
 *     /main?do=send&a=SET&a=k&a=v     one command; key=1, timeout=MS, again=1
 *     /main?do=multi&a=...&a=,&a=...  MULTI, commands apart by ",", EXEC
 *     /main?do=session&gap=MS&a=...   commands one after the other, exclusive
 *     /main?do=burst&n=N&a=...        the same N times at once
 *     /main?do=cancel&a=...           sent and cancelled
 *     /main?do=stream&a=KEY&a=ID      follows a stream; do=log, do=end
 *     /main?do=clock, do=row          offset, error, epoch; counters
 */


#include "http/ngx_http_govsvc_redis.h"


#define NGX_HTTP_REDIS_TEST_LOG  (256 * 1024)


typedef struct {
    ngx_govsvc_redis_t          *redis;
} ngx_http_redis_test_conf_t;


typedef struct {
    ngx_http_request_t          *request;          /* NULL: it has gone */
    ngx_govsvc_redis_call_t     *call;
    ngx_govsvc_redis_session_t  *session;
    ngx_govsvc_redis_cmd_t      *cmds;
    ngx_uint_t                   ncmds;
    ngx_uint_t                   next;
    ngx_uint_t                   left;
    ngx_uint_t                   ended[NGX_GOVSVC_REDIS_STATUS_MAX];
    ngx_event_t                  gap;
    ngx_msec_t                   pause;
    ngx_msec_t                   start;
    u_char                      *last;
    u_char                      *end;
    u_char                       out[65536];
} ngx_http_redis_test_ctx_t;


static void *ngx_http_redis_test_create_conf(ngx_conf_t *cf);
static char *ngx_http_redis_test(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_redis_test_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_redis_test_cmds(ngx_http_request_t *r,
    ngx_http_redis_test_ctx_t *ctx);
static ngx_uint_t ngx_http_redis_test_arg(ngx_http_request_t *r,
    const char *name);
static ngx_int_t ngx_http_redis_test_start(ngx_http_request_t *r,
    ngx_http_redis_test_ctx_t *ctx, ngx_govsvc_redis_t *rd, ngx_str_t *what);
static void ngx_http_redis_test_reply(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_redis_test_burst(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_redis_test_step(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_redis_test_gap(ngx_event_t *ev);
static void ngx_http_redis_test_print(ngx_http_redis_test_ctx_t *ctx,
    ngx_govsvc_redis_reply_t *reply);
static void ngx_http_redis_test_gone(void *data);
static void ngx_http_redis_test_finish(ngx_http_redis_test_ctx_t *ctx);
static ngx_int_t ngx_http_redis_test_answer(ngx_http_request_t *r,
    ngx_http_redis_test_ctx_t *ctx);
static ngx_int_t ngx_http_redis_test_entry(void *data, const ngx_str_t *id,
    const ngx_str_t *fields, ngx_uint_t n);
static void ngx_http_redis_test_event(void *data,
    ngx_govsvc_redis_stream_event_e event);
static void ngx_http_redis_test_rows(ngx_http_redis_test_ctx_t *ctx,
    ngx_govsvc_redis_t *rd);
static void ngx_http_redis_test_exit(ngx_cycle_t *cycle);


static ngx_govsvc_redis_stream_t  *ngx_http_redis_test_stream;
static u_char  ngx_http_redis_test_log[NGX_HTTP_REDIS_TEST_LOG];
static size_t  ngx_http_redis_test_logged;


static ngx_command_t  ngx_http_redis_test_commands[] = {

    { ngx_string("redis_test"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_redis_test,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_redis_test_module_ctx = {
    NULL, NULL,                            /* pre-, postconfiguration */
    NULL, NULL,                            /* create, init main conf */
    NULL, NULL,                            /* create, merge server conf */
    ngx_http_redis_test_create_conf,       /* create location conf */
    NULL                                   /* merge location conf */
};


ngx_module_t  ngx_http_redis_test_module = {
    NGX_MODULE_V1,
    &ngx_http_redis_test_module_ctx,       /* module context */
    ngx_http_redis_test_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL, NULL, NULL, NULL, NULL, ngx_http_redis_test_exit, NULL,
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_redis_test_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_redis_test_conf_t));
}


static char *
ngx_http_redis_test(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_redis_test_conf_t *tcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    value = cf->args->elts;
    tcf->redis = ngx_http_govsvc_redis(cf, &value[1]);

    if (tcf->redis == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_redis_test_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_redis_test_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_str_t                    what;
    ngx_pool_cleanup_t          *cln;
    ngx_http_redis_test_ctx_t   *ctx;
    ngx_http_redis_test_conf_t  *tcf;

    tcf = ngx_http_get_module_loc_conf(r, ngx_http_redis_test_module);

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_redis_test_ctx_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx == NULL || cln == NULL
        || ngx_http_arg(r, (u_char *) "do", 2, &what) != NGX_OK
        || ngx_http_redis_test_cmds(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    cln->handler = ngx_http_redis_test_gone;
    cln->data = ctx;

    ctx->request = r;
    ctx->last = ctx->out;
    ctx->end = ctx->out + sizeof(ctx->out);
    ctx->start = ngx_current_msec;

    rc = ngx_http_redis_test_start(r, ctx, tcf->redis, &what);

    if (rc == NGX_AGAIN) {
        r->main->count++;
        return NGX_DONE;
    }

    return (rc == NGX_OK) ? ngx_http_redis_test_answer(r, ctx) : rc;
}


static ngx_int_t
ngx_http_redis_test_cmds(ngx_http_request_t *r, ngx_http_redis_test_ctx_t *ctx)
{
    u_char                  *p, *last, *end, *dst, *src;
    ngx_str_t               *word;
    ngx_array_t              words;
    ngx_govsvc_redis_cmd_t  *cmd;

    if (ngx_array_init(&words, r->pool, 128, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->cmds = ngx_pcalloc(r->pool, 64 * sizeof(ngx_govsvc_redis_cmd_t));
    if (ctx->cmds == NULL) {
        return NGX_ERROR;
    }

    last = r->args.data + r->args.len;
    cmd = NULL;

    for (p = r->args.data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        end = (end == NULL) ? last : end;

        if (end - p < 2 || p[0] != 'a' || p[1] != '=') {
            continue;
        }

        if (end - p == 3 && p[2] == ',') {
            cmd = NULL;
            continue;
        }

        if (words.nelts == 128 || ctx->ncmds == 64) {
            return NGX_ERROR;
        }

        word = ngx_array_push(&words);
        word->data = ngx_pnalloc(r->pool, (size_t) (end - p));
        if (word->data == NULL) {
            return NGX_ERROR;
        }

        dst = word->data;
        src = p + 2;
        ngx_unescape_uri(&dst, &src, (size_t) (end - src), 0);
        word->len = (size_t) (dst - word->data);

        if (cmd == NULL) {
            cmd = &ctx->cmds[ctx->ncmds];
            ctx->ncmds++;
            cmd->argv = word;
            cmd->key = ngx_http_redis_test_arg(r, "key");
            cmd->timeout = ngx_http_redis_test_arg(r, "timeout");
            cmd->again = ngx_http_redis_test_arg(r, "again") != 0;
            cmd->data = ctx;
        }

        cmd->argc++;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_redis_test_arg(ngx_http_request_t *r, const char *name)
{
    ngx_int_t  n;
    ngx_str_t  value;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &value) != NGX_OK) {
        return 0;
    }

    n = ngx_atoi(value.data, value.len);

    return (n == NGX_ERROR) ? 0 : (ngx_uint_t) n;
}


static ngx_int_t
ngx_http_redis_test_start(ngx_http_request_t *r,
    ngx_http_redis_test_ctx_t *ctx, ngx_govsvc_redis_t *rd, ngx_str_t *what)
{
    int64_t                          offset;
    uint64_t                         error, since;
    ngx_uint_t                       i, n, epoch;
    ngx_govsvc_redis_status_e        status;
    ngx_govsvc_redis_stream_conf_t   conf;

    if (ngx_strncmp(what->data, "clock", 5) == 0) {
        offset = 0;
        error = 0;

        if (ngx_govsvc_redis_clock(rd, NULL, &offset, &error) == NGX_OK) {
            offset += (int64_t) (ngx_govsvc_mono_us() - ngx_govsvc_wall_us());
        }

        epoch = ngx_govsvc_redis_epoch(rd, &since);
        ctx->last = ngx_sprintf(ctx->last, "skew %L error %uL epoch %ui\n",
                                offset, error, epoch);
        return NGX_OK;
    }

    if (ngx_strncmp(what->data, "row", 3) == 0) {
        ngx_http_redis_test_rows(ctx, rd);
        return NGX_OK;
    }

    if (ngx_strncmp(what->data, "log", 3) == 0) {
        ctx->last = ngx_slprintf(ctx->last, ctx->end, "%*s",
                                 ngx_min(ngx_http_redis_test_logged, 65536),
                                 ngx_http_redis_test_log);
        return NGX_OK;
    }

    if (ngx_strncmp(what->data, "end", 3) == 0) {
        if (ngx_http_redis_test_stream != NULL) {
            ngx_govsvc_redis_stream_close(ngx_http_redis_test_stream);
            ngx_http_redis_test_stream = NULL;
        }

        ngx_http_redis_test_logged = 0;
        return NGX_OK;
    }

    if (ctx->ncmds == 0) {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (ngx_strncmp(what->data, "stream", 6) == 0) {
        conf.entry = ngx_http_redis_test_entry;
        conf.event = ngx_http_redis_test_event;
        conf.data = NULL;

        ngx_http_redis_test_stream = ngx_govsvc_redis_stream_open(rd,
                                         &ctx->cmds[0].argv[0],
                                         &ctx->cmds[0].argv[1], &conf);
        ctx->last = ngx_sprintf(ctx->last, "%s\n",
                                ngx_http_redis_test_stream ? "open" : "no");
        return NGX_OK;
    }

    if (ngx_strncmp(what->data, "session", 7) == 0) {
        ctx->pause = ngx_http_redis_test_arg(r, "gap");
        ctx->session = ngx_govsvc_redis_session_open(rd,
                            &ctx->cmds[0].argv[ctx->cmds[0].argc > 1]);
        if (ctx->session == NULL) {
            ctx->last = ngx_sprintf(ctx->last, "no session\n");
            return NGX_OK;
        }

        ctx->gap.handler = ngx_http_redis_test_gap;
        ctx->gap.data = ctx;
        ctx->gap.log = r->connection->log;
        ngx_http_redis_test_gap(&ctx->gap);

        return NGX_AGAIN;
    }

    if (ngx_strncmp(what->data, "burst", 5) == 0) {
        n = ngx_http_redis_test_arg(r, "n");
        ctx->cmds[0].handler = ngx_http_redis_test_burst;
        ctx->left = 1;

        for (i = 0; i < n; i++) {
            status = ngx_govsvc_redis_send(rd, &ctx->cmds[0], NULL);

            if (status == NGX_GOVSVC_REDIS_OK) {
                ctx->left++;

            } else {
                ctx->ended[status]++;
            }
        }

        r->main->count++;
        ngx_http_redis_test_burst(ctx, NGX_GOVSVC_REDIS_STATUS_MAX, NULL);

        return NGX_DONE;
    }

    ctx->cmds[0].handler = ngx_http_redis_test_reply;

    status = (ngx_strncmp(what->data, "multi", 5) == 0)
             ? ngx_govsvc_redis_multi(rd, ctx->cmds, ctx->ncmds, &ctx->call)
             : ngx_govsvc_redis_send(rd, ctx->cmds, &ctx->call);

    if (status != NGX_GOVSVC_REDIS_OK) {
        ctx->last = ngx_sprintf(ctx->last, "at once %s\n",
                                ngx_govsvc_redis_status_text(status));
        return NGX_OK;
    }

    if (ngx_strncmp(what->data, "cancel", 6) == 0) {
        ngx_govsvc_redis_cancel(ctx->call);
        ctx->call = NULL;
        ctx->last = ngx_sprintf(ctx->last, "cancelled\n");
        return NGX_OK;
    }

    return NGX_AGAIN;
}


static void
ngx_http_redis_test_reply(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_redis_test_ctx_t *ctx = data;

    ctx->call = NULL;
    ctx->last = ngx_slprintf(ctx->last, ctx->end, "%s ",
                             ngx_govsvc_redis_status_text(status));

    ngx_http_redis_test_print(ctx, reply);
    ngx_http_redis_test_finish(ctx);
}


static void
ngx_http_redis_test_burst(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_redis_test_ctx_t *ctx = data;

    ngx_uint_t  i;

    if (status != NGX_GOVSVC_REDIS_STATUS_MAX) {
        ctx->ended[status]++;
    }

    ctx->left--;

    if (ctx->left != 0) {
        return;
    }

    for (i = 0; i < NGX_GOVSVC_REDIS_STATUS_MAX; i++) {
        if (ctx->ended[i] != 0) {
            ctx->last = ngx_slprintf(ctx->last, ctx->end, "%s=%ui ",
                                     ngx_govsvc_redis_status_text(i),
                                     ctx->ended[i]);
        }
    }

    ctx->last = ngx_slprintf(ctx->last, ctx->end, "ms=%M",
                             ngx_current_msec - ctx->start);

    ngx_http_redis_test_finish(ctx);
}


static void
ngx_http_redis_test_step(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_redis_test_ctx_t *ctx = data;

    ctx->call = NULL;
    ctx->last = ngx_slprintf(ctx->last, ctx->end, "%s ",
                             ngx_govsvc_redis_status_text(status));
    ngx_http_redis_test_print(ctx, reply);
    ctx->last = ngx_slprintf(ctx->last, ctx->end, "; ");

    ngx_add_timer(&ctx->gap, ctx->pause);
}


static void
ngx_http_redis_test_gap(ngx_event_t *ev)
{
    ngx_http_redis_test_ctx_t *ctx = ev->data;

    ngx_govsvc_redis_cmd_t      *cmd;
    ngx_govsvc_redis_status_e    status;
    ngx_govsvc_redis_session_t  *session;

    if (ctx->next < ctx->ncmds) {
        cmd = &ctx->cmds[ctx->next];
        ctx->next++;
        cmd->handler = ngx_http_redis_test_step;

        status = ngx_govsvc_redis_session_send(ctx->session, cmd, &ctx->call);

        if (status == NGX_GOVSVC_REDIS_OK) {
            return;
        }

        ctx->last = ngx_slprintf(ctx->last, ctx->end, "at once %s; ",
                                 ngx_govsvc_redis_status_text(status));
    }

    session = ctx->session;
    ctx->session = NULL;
    ngx_govsvc_redis_session_close(session);

    ngx_http_redis_test_finish(ctx);
}


static void
ngx_http_redis_test_print(ngx_http_redis_test_ctx_t *ctx,
    ngx_govsvc_redis_reply_t *reply)
{
    int64_t     n;
    ngx_str_t   text;
    ngx_uint_t  i;

    if (reply == NULL) {
        ctx->last = ngx_slprintf(ctx->last, ctx->end, "-");

    } else if (ngx_govsvc_redis_is_nil(reply)) {
        ctx->last = ngx_slprintf(ctx->last, ctx->end, "nil");

    } else if (ngx_govsvc_redis_text(reply, &text) == NGX_OK) {
        ctx->last = ngx_slprintf(ctx->last, ctx->end, "\"%*s\"",
                                 ngx_min(text.len, 200), text.data);

    } else if (ngx_govsvc_redis_int(reply, &n) == NGX_OK) {
        ctx->last = ngx_slprintf(ctx->last, ctx->end, "%L", n);

    } else {
        ctx->last = ngx_slprintf(ctx->last, ctx->end, "[");

        for (i = 0; i < ngx_govsvc_redis_count(reply); i++) {
            ctx->last = ngx_slprintf(ctx->last, ctx->end, "%s",
                                     i == 0 ? "" : " ");
            ngx_http_redis_test_print(ctx, ngx_govsvc_redis_at(reply, i));
        }

        ctx->last = ngx_slprintf(ctx->last, ctx->end, "]");
    }
}


static void
ngx_http_redis_test_gone(void *data)
{
    ngx_http_redis_test_ctx_t *ctx = data;

    if (ctx->call != NULL) {
        ngx_govsvc_redis_cancel(ctx->call);
    }

    if (ctx->gap.timer_set) {
        ngx_del_timer(&ctx->gap);
    }

    if (ctx->session != NULL) {
        ngx_govsvc_redis_session_close(ctx->session);
    }
}


static void
ngx_http_redis_test_finish(ngx_http_redis_test_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ctx->last = ngx_slprintf(ctx->last, ctx->end, "\n");

    ngx_http_finalize_request(r, ngx_http_redis_test_answer(r, ctx));
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_redis_test_answer(ngx_http_request_t *r,
    ngx_http_redis_test_ctx_t *ctx)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = ctx->out;
    b->last = ctx->last;
    b->memory = (b->pos != b->last);
    b->last_buf = 1;

    out.buf = b;
    out.next = NULL;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_redis_test_entry(void *data, const ngx_str_t *id,
    const ngx_str_t *fields, ngx_uint_t n)
{
    u_char      *p, *last;
    ngx_uint_t   i;

    p = ngx_http_redis_test_log + ngx_http_redis_test_logged;
    last = ngx_http_redis_test_log + NGX_HTTP_REDIS_TEST_LOG;

    p = ngx_slprintf(p, last, "entry");

    for (i = 0; i < n; i++) {
        p = ngx_slprintf(p, last, " %V", &fields[i]);
    }

    p = ngx_slprintf(p, last, "\n");
    ngx_http_redis_test_logged = (size_t) (p - ngx_http_redis_test_log);

    return NGX_OK;
}


static void
ngx_http_redis_test_event(void *data, ngx_govsvc_redis_stream_event_e event)
{
    u_char                    *p, *last;
    static const char *const   names[] = { "ready", "gap", "lost" };

    p = ngx_http_redis_test_log + ngx_http_redis_test_logged;
    last = ngx_http_redis_test_log + NGX_HTTP_REDIS_TEST_LOG;

    p = ngx_slprintf(p, last, "%s\n", names[event]);
    ngx_http_redis_test_logged = (size_t) (p - ngx_http_redis_test_log);
}


static void
ngx_http_redis_test_rows(ngx_http_redis_test_ctx_t *ctx,
    ngx_govsvc_redis_t *rd)
{
    ngx_uint_t                     i, k;
    const ngx_govsvc_redis_row_t  *row;

    for (i = 0; i < 4; i++) {
        row = ngx_govsvc_redis_row(rd, i);

        if (row == NULL || row->pid == 0) {
            continue;
        }

        ctx->last = ngx_slprintf(ctx->last, ctx->end,
                        "%ui %s connects=%uA failures=%uA commands=%uA "
                        "flushes=%uA inflight=%uA redirects=%uA breaker=%uA",
                        i, ngx_govsvc_redis_state_text(row->state),
                        row->connects, row->failures, row->commands,
                        row->flushes, row->inflight, row->redirects,
                        row->breaker);

        for (k = 0; k < NGX_GOVSVC_REDIS_STATUS_MAX; k++) {
            if (row->ended[k] != 0) {
                ctx->last = ngx_slprintf(ctx->last, ctx->end, " %s=%uA",
                                         ngx_govsvc_redis_status_text(k),
                                         row->ended[k]);
            }
        }

        ctx->last = ngx_slprintf(ctx->last, ctx->end, "\n");
    }
}


/* As a user of the transport would: after it has stopped. */

static void
ngx_http_redis_test_exit(ngx_cycle_t *cycle)
{
    if (ngx_http_redis_test_stream != NULL) {
        ngx_govsvc_redis_stream_close(ngx_http_redis_test_stream);
        ngx_http_redis_test_stream = NULL;
    }
}
