
/*
 * Copyright (C) govsvc authors
 *
 * Redis: a connection for one user, for WATCH.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


struct ngx_govsvc_redis_session_s {
    ngx_queue_t               queue;
    ngx_govsvc_redis_run_t   *run;         /* NULL: stopped */
    ngx_govsvc_redis_conn_t  *conn;        /* NULL: lost */
};


static void ngx_govsvc_redis_session_lost(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_session_done(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame);


ngx_govsvc_redis_session_t *
ngx_govsvc_redis_session_open(ngx_govsvc_redis_t *rd, const ngx_str_t *key)
{
    gs_str_t                     k;
    ngx_uint_t                   slot;
    ngx_govsvc_redis_run_t      *run;
    ngx_govsvc_redis_node_t     *node;
    ngx_govsvc_redis_conn_t     *conn;
    ngx_govsvc_redis_session_t  *session;

    run = rd->run;

    if (run == NULL) {
        return NULL;
    }

    k = ngx_govsvc_to_gs(key);
    slot = (run->map != NULL) ? gs_redis_slot(&k) : GS_REDIS_SLOTS;
    node = ngx_govsvc_redis_node_of(run, slot);

    if (node == NULL || node->failures != 0) {
        return NULL;
    }

    session = ngx_calloc(sizeof(ngx_govsvc_redis_session_t), run->log);
    if (session == NULL) {
        return NULL;
    }

    conn = ngx_govsvc_redis_conn_create(rd, &node->peer);
    if (conn == NULL) {
        ngx_free(session);
        return NULL;
    }

    conn->lost = ngx_govsvc_redis_session_lost;
    conn->done = ngx_govsvc_redis_session_done;
    conn->data = session;

    session->run = run;
    session->conn = conn;
    ngx_queue_insert_tail(&run->sessions, &session->queue);

    ngx_govsvc_redis_conn_start(conn);

    return session;
}


static void
ngx_govsvc_redis_session_lost(ngx_govsvc_redis_conn_t *conn)
{
    ngx_govsvc_redis_session_t  *session;

    session = conn->data;
    session->conn = NULL;
}


static void
ngx_govsvc_redis_session_done(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame)
{
    ngx_govsvc_redis_finish(conn, call, status, frame);
}


ngx_govsvc_redis_status_e
ngx_govsvc_redis_session_send(ngx_govsvc_redis_session_t *session,
    const ngx_govsvc_redis_cmd_t *cmd, ngx_govsvc_redis_call_t **out)
{
    ngx_govsvc_redis_run_t     *run;
    ngx_govsvc_redis_call_t    *call;
    ngx_govsvc_redis_status_e   status;

    run = session->run;

    if (run == NULL || session->conn == NULL) {
        return NGX_GOVSVC_REDIS_DOWN;
    }

    call = ngx_govsvc_redis_take(run, cmd, 1, &status);

    if (call == NULL) {
        return status;
    }

    call->again = 0;

    if (ngx_govsvc_redis_queue_send(session->conn, call) != NGX_OK) {
        ngx_govsvc_redis_release(call);
        return NGX_GOVSVC_REDIS_FULL;
    }

    (void) ngx_atomic_fetch_add(&run->row->commands, 1);

    if (out != NULL) {
        *out = call;
    }

    return NGX_GOVSVC_REDIS_OK;
}


void
ngx_govsvc_redis_session_close(ngx_govsvc_redis_session_t *session)
{
    ngx_govsvc_redis_conn_t  *conn;

    conn = session->conn;

    if (session->run != NULL) {
        ngx_queue_remove(&session->queue);
    }

    ngx_free(session);

    if (conn != NULL) {
        conn->lost = NULL;
        conn->data = NULL;
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED, "");
    }
}


/* The sessions stay valid, and dead, for their owners to close. */

void
ngx_govsvc_redis_sessions_stop(ngx_govsvc_redis_run_t *run)
{
    ngx_queue_t                 *q;
    ngx_govsvc_redis_conn_t     *conn;
    ngx_govsvc_redis_session_t  *session;

    while (!ngx_queue_empty(&run->sessions)) {
        q = ngx_queue_head(&run->sessions);
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is a ring */
        ngx_queue_remove(q);

        session = ngx_queue_data(q, ngx_govsvc_redis_session_t, queue);
        conn = session->conn;

        session->run = NULL;
        session->conn = NULL;

        if (conn != NULL) {
            ngx_govsvc_redis_conn_drop(conn);
        }
    }
}
