
/*
 * Copyright (C) govsvc authors
 *
 * Redis: what a new connection asks, all in one write: AUTH, CLIENT SETNAME,
 * ROLE (only a primary will do), INFO server for its run id, and TIME.
 * Sentinels are asked AUTH alone.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


static ngx_int_t ngx_govsvc_redis_hello_put(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_step_e step, const ngx_str_t *argv, ngx_uint_t argc);
static ngx_int_t ngx_govsvc_redis_hello_auth(ngx_govsvc_redis_conn_t *conn);
static ngx_int_t ngx_govsvc_redis_hello_name(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_hello_refused(ngx_govsvc_redis_conn_t *conn,
    const char *what, const gs_str_t *frame);
static void ngx_govsvc_redis_hello_done(ngx_govsvc_redis_conn_t *conn);


static const ngx_str_t  ngx_govsvc_redis_role_word = ngx_string("ROLE");
static const ngx_str_t  ngx_govsvc_redis_time_word = ngx_string("TIME");

static const ngx_str_t  ngx_govsvc_redis_info_words[] = {
    ngx_string("INFO"), ngx_string("server")
};


void
ngx_govsvc_redis_hello(ngx_govsvc_redis_conn_t *conn)
{
    ngx_int_t  rc;

    conn->state = NGX_GOVSVC_REDIS_CONN_HANDSHAKE;
    conn->hello = ngx_govsvc_mono_us();

    rc = ngx_govsvc_redis_hello_auth(conn);

    if (rc == NGX_OK && !conn->sentinel) {
        rc = ngx_govsvc_redis_hello_name(conn);

        if (rc == NGX_OK) {
            rc = ngx_govsvc_redis_hello_put(conn, NGX_GOVSVC_REDIS_STEP_ROLE,
                                            &ngx_govsvc_redis_role_word, 1);
        }

        if (rc == NGX_OK) {
            rc = ngx_govsvc_redis_hello_put(conn, NGX_GOVSVC_REDIS_STEP_INFO,
                                            ngx_govsvc_redis_info_words, 2);
        }

        if (rc == NGX_OK) {
            rc = ngx_govsvc_redis_hello_put(conn, NGX_GOVSVC_REDIS_STEP_TIME,
                                            &ngx_govsvc_redis_time_word, 1);
        }
    }

    if (rc != NGX_OK) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN,
                                    "not enough memory");
        return;
    }

    if (conn->nsteps == 0) {
        ngx_govsvc_redis_hello_done(conn);
        return;
    }

    ngx_govsvc_redis_queue_flush(conn);
}


static ngx_int_t
ngx_govsvc_redis_hello_put(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_step_e step, const ngx_str_t *argv, ngx_uint_t argc)
{
    ngx_int_t                rc;
    ngx_govsvc_redis_cmd_t   cmd;
    ngx_govsvc_redis_call_t  call;

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));
    ngx_memzero(&call, sizeof(ngx_govsvc_redis_call_t));

    cmd.argv = argv;
    cmd.argc = argc;

    if (ngx_govsvc_redis_format(&call, &cmd, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_govsvc_redis_queue_write(conn, call.cmd, call.len);

    ngx_explicit_memzero(call.cmd, call.len);
    ngx_govsvc_redis_format_free(&call);

    conn->steps[conn->nsteps] = step;
    conn->nsteps++;

    return rc;
}


static ngx_int_t
ngx_govsvc_redis_hello_auth(ngx_govsvc_redis_conn_t *conn)
{
    ngx_str_t   argv[3];
    ngx_str_t  *user, *password;
    ngx_uint_t  n;

    user = conn->sentinel ? &conn->rd->sentinel_user : &conn->rd->user;
    password = conn->sentinel ? &conn->rd->sentinel_password
                              : &conn->rd->password;

    if (password->data == NULL) {
        return NGX_OK;
    }

    n = 0;
    ngx_str_set(&argv[n], "AUTH");
    n++;

    if (user->len != 0) {
        argv[n++] = *user;
    }

    argv[n++] = *password;

    return ngx_govsvc_redis_hello_put(conn, NGX_GOVSVC_REDIS_STEP_AUTH, argv,
                                      n);
}


/* govsvc-NODE-WORKER, for CLIENT LIST */

static ngx_int_t
ngx_govsvc_redis_hello_name(ngx_govsvc_redis_conn_t *conn)
{
    u_char     name[NGX_MAXHOSTNAMELEN + 32];
    ngx_str_t  argv[3];

    ngx_str_set(&argv[0], "CLIENT");
    ngx_str_set(&argv[1], "SETNAME");
    argv[2].data = name;
    argv[2].len = (size_t) (ngx_snprintf(name, sizeof(name), "govsvc-%V-%ui",
                                         &conn->rd->client, ngx_worker)
                            - name);

    return ngx_govsvc_redis_hello_put(conn, NGX_GOVSVC_REDIS_STEP_SETNAME,
                                      argv, 3);
}


void
ngx_govsvc_redis_hello_reply(ngx_govsvc_redis_conn_t *conn,
    const gs_str_t *frame)
{
    gs_str_t                 id;
    unsigned                 master;
    ngx_govsvc_redis_step_e  step;

    if (conn->step == conn->nsteps) {
        ngx_govsvc_redis_hello_refused(conn, "a reply to nothing", frame);
        return;
    }

    step = conn->steps[conn->step];
    conn->step++;

    switch (step) {

    case NGX_GOVSVC_REDIS_STEP_AUTH:
        if (frame->data[0] != '+') {
            ngx_govsvc_redis_hello_refused(conn, "AUTH was refused", frame);
            return;
        }
        break;

    case NGX_GOVSVC_REDIS_STEP_SETNAME:

        /* a name is a convenience; an ACL without it does no harm */

        break;

    case NGX_GOVSVC_REDIS_STEP_ROLE:
        if (gs_redis_role(frame, &master, &conn->offset) != GS_OK) {
            ngx_govsvc_redis_hello_refused(conn, "ROLE was refused", frame);
            return;
        }

        if (!master && !conn->any) {
            ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_READONLY,
                                        "it is no primary");
            return;
        }
        break;

    case NGX_GOVSVC_REDIS_STEP_INFO:

        /* without it every new connection counts as another history */

        if (gs_redis_run_id(frame, &id) == GS_OK
            && id.len == NGX_GOVSVC_REDIS_RUN_ID)
        {
            ngx_memcpy(conn->run_id, id.data, id.len);
        }
        break;

    default: /* NGX_GOVSVC_REDIS_STEP_TIME */
        conn->heard_us = ngx_govsvc_mono_us();

        if (gs_redis_time(frame, &conn->time) != GS_OK) {
            ngx_govsvc_redis_hello_refused(conn, "TIME was refused", frame);
            return;
        }
    }

    if (conn->step == conn->nsteps) {
        ngx_govsvc_redis_hello_done(conn);
    }
}


static void
ngx_govsvc_redis_hello_refused(ngx_govsvc_redis_conn_t *conn,
    const char *what, const gs_str_t *frame)
{
    u_char                     *p, *last, c;
    size_t                      i;
    u_char                      text[NGX_GOVSVC_REDIS_REASON];
    ngx_govsvc_redis_status_e   status;

    status = ngx_govsvc_redis_class(frame);

    last = text + sizeof(text) - 1;
    p = ngx_slprintf(text, last, "%s", what);

    if (frame->data[0] == '-') {
        p = ngx_slprintf(p, last, ": ");

        for (i = 1; i < frame->len && p < last; i++) {
            c = frame->data[i];

            if (c == '\r' || c == '\n') {
                break;
            }

            *p++ = (c < 0x20 || c > 0x7e) ? '?' : c;
        }
    }

    *p = '\0';

    if (status == NGX_GOVSVC_REDIS_OK) {
        status = NGX_GOVSVC_REDIS_CLOSED;
    }

    ngx_govsvc_redis_conn_close(conn, status, (char *) text);
}


static void
ngx_govsvc_redis_hello_done(ngx_govsvc_redis_conn_t *conn)
{
    conn->state = NGX_GOVSVC_REDIS_CONN_READY;

    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    ngx_govsvc_redis_conn_enter(conn);

    if (conn->ready != NULL) {
        conn->ready(conn);
    }

    if (ngx_govsvc_redis_conn_up(conn)) {
        ngx_govsvc_redis_queue_open(conn);
    }

    ngx_govsvc_redis_conn_leave(conn);
}
