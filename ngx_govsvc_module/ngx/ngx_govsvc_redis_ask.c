
/*
 * Copyright (C) govsvc authors
 *
 * Redis: one question to one address after another, until one answers.  The
 * one that did is asked first the next time.  Sentinels are asked where the
 * primary is, the nodes of a cluster who owns which slots.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


#define NGX_GOVSVC_REDIS_ASK_GAP  100      /* ms between two questions */


static void ngx_govsvc_redis_ask_timer(ngx_event_t *ev);
static void ngx_govsvc_redis_ask_next(ngx_govsvc_redis_ask_t *ask);
static const ngx_govsvc_redis_peer_t *ngx_govsvc_redis_ask_peer(
    ngx_govsvc_redis_ask_t *ask);
static void ngx_govsvc_redis_ask_ready(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_ask_lost(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_ask_done(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame);
static ngx_int_t ngx_govsvc_redis_ask_learn(ngx_govsvc_redis_ask_t *ask,
    const gs_str_t *frame);
static ngx_int_t ngx_govsvc_redis_ask_primary(ngx_govsvc_redis_run_t *run,
    const gs_str_t *frame);
static void ngx_govsvc_redis_ask_later(ngx_govsvc_redis_ask_t *ask,
    ngx_msec_t ms);


ngx_govsvc_redis_ask_t *
ngx_govsvc_redis_ask_create(ngx_govsvc_redis_run_t *run)
{
    ngx_uint_t                i;
    ngx_str_t                 argv[3];
    ngx_govsvc_redis_cmd_t    cmd;
    ngx_govsvc_redis_ask_t   *ask;
    ngx_govsvc_redis_peer_t  *peers, *peer;

    ask = ngx_pcalloc(run->pool, sizeof(ngx_govsvc_redis_ask_t));

    if (ask == NULL
        || ngx_array_init(&ask->peers, run->pool, run->rd->peers.nelts,
                          sizeof(ngx_govsvc_redis_peer_t))
           != NGX_OK)
    {
        return NULL;
    }

    peers = run->rd->peers.elts;

    for (i = 0; i < run->rd->peers.nelts; i++) {
        peer = ngx_array_push(&ask->peers);
        if (peer == NULL) {
            return NULL;
        }

        *peer = peers[i];
    }

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));
    cmd.argv = argv;

    if (run->rd->kind == NGX_GOVSVC_REDIS_SENTINEL) {
        ngx_str_set(&argv[0], "SENTINEL");
        ngx_str_set(&argv[1], "GET-MASTER-ADDR-BY-NAME");
        argv[2] = run->rd->master;
        cmd.argc = 3;

    } else {
        ngx_str_set(&argv[0], "CLUSTER");
        ngx_str_set(&argv[1], "SLOTS");
        cmd.argc = 2;
    }

    if (ngx_govsvc_redis_format(&ask->call, &cmd, 1) != NGX_OK) {
        return NULL;
    }

    ask->rd = run->rd;
    ask->call.data = ask;
    ask->call.replies = 1;

    ask->timer.handler = ngx_govsvc_redis_ask_timer;
    ask->timer.data = ask;
    ask->timer.log = run->log;
    ask->timer.cancelable = 1;

    return ask;
}


void
ngx_govsvc_redis_ask_destroy(ngx_govsvc_redis_ask_t *ask)
{
    ngx_govsvc_redis_conn_t  *conn;

    if (ask->timer.timer_set) {
        ngx_del_timer(&ask->timer);
    }

    conn = ask->conn;
    ask->conn = NULL;

    if (conn != NULL) {
        ngx_govsvc_redis_conn_drop(conn);
    }

    ngx_govsvc_redis_format_free(&ask->call);
}


void
ngx_govsvc_redis_ask_now(ngx_govsvc_redis_ask_t *ask)
{
    if (ask->conn != NULL) {
        ask->wanted = 1;
        return;
    }

    if (!ask->timer.timer_set) {
        ask->next = 0;
        ngx_govsvc_redis_ask_later(ask, 0);
    }
}


static void
ngx_govsvc_redis_ask_timer(ngx_event_t *ev)
{
    ngx_govsvc_redis_ask_next(ev->data);
}


static void
ngx_govsvc_redis_ask_next(ngx_govsvc_redis_ask_t *ask)
{
    ngx_govsvc_redis_run_t         *run;
    ngx_govsvc_redis_conn_t        *conn;
    const ngx_govsvc_redis_peer_t  *peer;

    run = ask->rd->run;
    peer = ngx_govsvc_redis_ask_peer(ask);

    if (peer == NULL) {

        /* nobody answered: all calls that wait have waited long enough */

        if (run->failed == 0) {
            ngx_log_error(NGX_LOG_ERR, run->log, 0,
                          "govsvc redis: \"%V\" cannot be found: nobody "
                          "answers", &run->rd->name);
        }

        run->failed++;
        ngx_govsvc_redis_refuse_waiting(run);
        ngx_govsvc_redis_row_update(run);

        ask->next = 0;
        ask->backoff = (ask->backoff == 0) ? run->rd->reconnect
                                           : ngx_min(ask->backoff * 2,
                                                     run->rd->reconnect_max);
        ngx_govsvc_redis_ask_later(ask, ngx_govsvc_redis_jitter(
                                            ask->backoff, run->rd->jitter));
        return;
    }

    conn = ngx_govsvc_redis_conn_create(ask->rd, peer);

    if (conn == NULL) {
        ngx_govsvc_redis_ask_later(ask, ask->rd->reconnect_max);
        return;
    }

    conn->sentinel = (ask->rd->kind == NGX_GOVSVC_REDIS_SENTINEL);
    conn->any = 1;
    conn->silence = 0;
    conn->quits = 1;
    conn->ready = ngx_govsvc_redis_ask_ready;
    conn->lost = ngx_govsvc_redis_ask_lost;
    conn->done = ngx_govsvc_redis_ask_done;
    conn->data = ask;

    ask->conn = conn;
    ngx_govsvc_redis_conn_start(conn);
}


/* The addresses of the block, then the nodes that the cluster told of. */

static const ngx_govsvc_redis_peer_t *
ngx_govsvc_redis_ask_peer(ngx_govsvc_redis_ask_t *ask)
{
    ngx_uint_t                i;
    ngx_queue_t              *q;
    ngx_govsvc_redis_run_t   *run;
    ngx_govsvc_redis_node_t  *node;
    ngx_govsvc_redis_peer_t  *peers;

    run = ask->rd->run;
    peers = ask->peers.elts;
    i = ask->next;

    if (i < ask->peers.nelts) {
        return &peers[i];
    }

    if (run->map == NULL) {
        return NULL;
    }

    for (q = ngx_queue_head(&run->nodes);
         q != ngx_queue_sentinel(&run->nodes);
         q = ngx_queue_next(q))
    {
        if (i == ask->peers.nelts) {
            node = ngx_queue_data(q, ngx_govsvc_redis_node_t, queue);
            return &node->peer;
        }

        i--;
    }

    return NULL;
}


static void
ngx_govsvc_redis_ask_ready(ngx_govsvc_redis_conn_t *conn)
{
    ngx_govsvc_redis_ask_t  *ask;

    ask = conn->data;

    ask->call.late = 0;
    ask->call.deadline = ngx_current_msec + ask->rd->connect_timeout;

    if (ngx_govsvc_redis_queue_send(conn, &ask->call) != NGX_OK) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN,
                                    "not enough memory");
    }
}


static void
ngx_govsvc_redis_ask_lost(ngx_govsvc_redis_conn_t *conn)
{
    ngx_govsvc_redis_ask_t  *ask;

    ask = conn->data;

    if (ask->conn != conn) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, ask->rd->run->log, 0,
                  "govsvc redis: \"%V\" had no answer from %V:%ui: %s",
                  &ask->rd->name, &conn->peer.host, conn->peer.port,
                  conn->reason);

    ask->conn = NULL;
    ask->next++;

    if (!ngx_exiting) {
        ngx_govsvc_redis_ask_later(ask, 0);
    }
}


static void
ngx_govsvc_redis_ask_done(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame)
{
    ngx_govsvc_redis_ask_t   *ask;
    ngx_govsvc_redis_peer_t   peer, *peers;

    ask = conn->data;

    if (conn->state == NGX_GOVSVC_REDIS_CONN_CLOSED) {
        return;
    }

    if (status != NGX_GOVSVC_REDIS_OK || frame == NULL
        || ngx_govsvc_redis_ask_learn(ask, frame) != NGX_OK)
    {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                    "it has no answer");
        return;
    }

    /* the one that answers goes to the front */

    peers = ask->peers.elts;

    if (ask->next != 0 && ask->next < ask->peers.nelts) {
        peer = peers[ask->next];
        ngx_memmove(&peers[1], &peers[0],
                    ask->next * sizeof(ngx_govsvc_redis_peer_t));
        peers[0] = peer;
    }

    ask->conn = NULL;
    ask->next = 0;
    ask->backoff = 0;

    if (ask->wanted) {
        ask->wanted = 0;
        ngx_govsvc_redis_ask_later(ask, NGX_GOVSVC_REDIS_ASK_GAP);
    }

    ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED, "");
}


static ngx_int_t
ngx_govsvc_redis_ask_learn(ngx_govsvc_redis_ask_t *ask, const gs_str_t *frame)
{
    ngx_govsvc_redis_run_t  *run;

    run = ask->rd->run;

    if (run->rd->kind == NGX_GOVSVC_REDIS_SENTINEL) {
        return ngx_govsvc_redis_ask_primary(run, frame);
    }

    return ngx_govsvc_redis_cluster_learn(run, &ask->conn->peer, frame);
}


static ngx_int_t
ngx_govsvc_redis_ask_primary(ngx_govsvc_redis_run_t *run,
    const gs_str_t *frame)
{
    gs_rc_t                   rc;
    gs_str_t                  host;
    gs_redis_addr_t           addr;
    ngx_govsvc_redis_conn_t  *conn;
    ngx_govsvc_redis_node_t  *node;

    rc = gs_redis_master_addr(frame, &addr);

    if (rc != GS_OK) {
        ngx_log_error(NGX_LOG_ERR, run->log, 0,
                      "govsvc redis: a sentinel of \"%V\" %s \"%V\"",
                      &run->rd->name,
                      rc == GS_DECLINED ? "does not know" : "misinforms on",
                      &run->rd->master);
        return NGX_ERROR;
    }

    node = run->primary;

    if (node == NULL) {
        node = ngx_govsvc_redis_node_create(run, &addr.host, addr.port);
        if (node == NULL) {
            return NGX_ERROR;
        }

        run->primary = node;
        ngx_govsvc_redis_node_connect(node);

        return NGX_OK;
    }

    host = ngx_govsvc_to_gs(&node->peer.host);

    if (node->peer.port == addr.port && gs_str_eq(&host, &addr.host)) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_NOTICE, run->log, 0,
                  "govsvc redis: the primary of \"%V\" moved from %V:%ui",
                  &run->rd->name, &node->peer.host, node->peer.port);

    conn = node->conn;
    node->conn = NULL;

    (void) ngx_govsvc_redis_node_set(node, &addr.host, addr.port);
    ngx_govsvc_redis_new_epoch(run);

    node->failures = 0;
    node->backoff = 0;

    if (conn != NULL) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                    "the primary moved");
    }

    ngx_govsvc_redis_node_connect(node);

    return NGX_OK;
}


static void
ngx_govsvc_redis_ask_later(ngx_govsvc_redis_ask_t *ask, ngx_msec_t ms)
{
    if (!ask->timer.timer_set) {
        ngx_add_timer(&ask->timer, ms);
    }
}
