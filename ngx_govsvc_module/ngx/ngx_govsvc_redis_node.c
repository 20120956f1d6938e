
/*
 * Copyright (C) govsvc authors
 *
 * Redis: one address and what is known of it: its pipelined connection, when
 * to make it again, whether it answers with more than errors, its clock.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


static void ngx_govsvc_redis_node_ready(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_node_lost(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_node_log(ngx_govsvc_redis_node_t *node,
    ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_node_retry(ngx_event_t *ev);
static void ngx_govsvc_redis_node_later(ngx_govsvc_redis_node_t *node);
static void ngx_govsvc_redis_node_tick(ngx_event_t *ev);
static void ngx_govsvc_redis_node_time(ngx_govsvc_redis_call_t *call,
    ngx_govsvc_redis_status_e status, const gs_str_t *frame);
static void ngx_govsvc_redis_node_clock(ngx_govsvc_redis_node_t *node,
    uint64_t time, uint64_t sent, uint64_t heard);
static ngx_uint_t ngx_govsvc_redis_is_fault(ngx_govsvc_redis_status_e status);


static const ngx_str_t  ngx_govsvc_redis_node_words[] = {
    ngx_string("TIME")
};


ngx_govsvc_redis_node_t *
ngx_govsvc_redis_node_create(ngx_govsvc_redis_run_t *run,
    const gs_str_t *host, ngx_uint_t port)
{
    ngx_govsvc_redis_node_t  *node;

    if (run->nnodes == GS_REDIS_NODES) {
        return NULL;
    }

    node = ngx_calloc(sizeof(ngx_govsvc_redis_node_t), run->log);
    if (node == NULL) {
        return NULL;
    }

    node->rd = run->rd;

    if (ngx_govsvc_redis_node_set(node, host, port) != NGX_OK) {
        ngx_free(node);
        return NULL;
    }

    node->retry.handler = ngx_govsvc_redis_node_retry;
    node->retry.data = node;
    node->retry.log = run->log;
    node->retry.cancelable = 1;

    node->tick.handler = ngx_govsvc_redis_node_tick;
    node->tick.data = node;
    node->tick.log = run->log;
    node->tick.cancelable = 1;

    ngx_queue_insert_tail(&run->nodes, &node->queue);
    run->nnodes++;

    return node;
}


void
ngx_govsvc_redis_node_destroy(ngx_govsvc_redis_node_t *node)
{
    ngx_govsvc_redis_conn_t  *conn;

    if (node->retry.timer_set) {
        ngx_del_timer(&node->retry);
    }

    if (node->tick.timer_set) {
        ngx_del_timer(&node->tick);
    }

    conn = node->conn;
    node->conn = NULL;

    ngx_queue_remove(&node->queue);
    node->rd->run->nnodes--;

    if (conn != NULL) {
        ngx_govsvc_redis_conn_drop(conn);
    }

    ngx_govsvc_redis_format_free(&node->time);
    ngx_free(node);
}


/* Another address; the connection to the one before is not touched. */

ngx_int_t
ngx_govsvc_redis_node_set(ngx_govsvc_redis_node_t *node, const gs_str_t *host,
    ngx_uint_t port)
{
    if (host->len >= sizeof(node->host)) {
        return NGX_ERROR;
    }

    ngx_memcpy(node->host, host->data, host->len);
    node->host[host->len] = '\0';

    node->peer.host.data = node->host;
    node->peer.host.len = host->len;
    node->peer.port = port;

    node->known = 0;
    node->clock = 0;

    return NGX_OK;
}


void
ngx_govsvc_redis_node_connect(ngx_govsvc_redis_node_t *node)
{
    ngx_govsvc_redis_conn_t  *conn;

    if (node->conn != NULL) {
        return;
    }

    if (node->retry.timer_set) {
        ngx_del_timer(&node->retry);
    }

    conn = ngx_govsvc_redis_conn_create(node->rd, &node->peer);

    if (conn == NULL) {
        node->failures++;
        ngx_govsvc_redis_node_later(node);
        return;
    }

    conn->ready = ngx_govsvc_redis_node_ready;
    conn->lost = ngx_govsvc_redis_node_lost;
    conn->done = ngx_govsvc_redis_done;
    conn->data = node;

    node->conn = conn;
    ngx_govsvc_redis_row_update(node->rd->run);

    ngx_govsvc_redis_conn_start(conn);
}


static void
ngx_govsvc_redis_node_ready(ngx_govsvc_redis_conn_t *conn)
{
    ngx_govsvc_redis_run_t   *run;
    ngx_govsvc_redis_node_t  *node;

    node = conn->data;
    run = node->rd->run;

    ngx_log_error(NGX_LOG_NOTICE, run->log, 0,
                  "govsvc redis: \"%V\" is connected to %V:%ui",
                  &node->rd->name, &node->peer.host, node->peer.port);

    (void) ngx_atomic_fetch_add(&run->row->connects, 1);

    /* started again, or a history that is shorter than it was */

    if (node->known
        && (conn->run_id[0] == '\0' || conn->offset < node->repl
            || ngx_memcmp(conn->run_id, node->run_id,
                          NGX_GOVSVC_REDIS_RUN_ID) != 0))
    {
        ngx_govsvc_redis_new_epoch(run);
    }

    ngx_memcpy(node->run_id, conn->run_id, NGX_GOVSVC_REDIS_RUN_ID);

    node->known = 1;
    node->repl = conn->offset;
    node->clock = 0;
    node->rtt = 0;
    node->failures = 0;
    node->backoff = 0;
    node->errors = 0;
    node->open = 0;
    node->probing = 0;
    node->ticking = 0;
    run->failed = 0;

    ngx_govsvc_redis_node_clock(node, conn->time, conn->hello,
                                conn->heard_us);

    ngx_add_timer(&node->tick,
                  ngx_govsvc_redis_jitter(NGX_GOVSVC_REDIS_TICK, 10));

    ngx_govsvc_redis_row_update(run);
    ngx_govsvc_redis_wake(run);
}


static void
ngx_govsvc_redis_node_lost(ngx_govsvc_redis_conn_t *conn)
{
    ngx_govsvc_redis_run_t   *run;
    ngx_govsvc_redis_node_t  *node;

    node = conn->data;
    run = node->rd->run;

    if (node->conn != conn) {
        return;
    }

    ngx_govsvc_redis_node_log(node, conn);

    node->conn = NULL;
    node->clock = 0;
    node->failures++;
    run->failed++;

    (void) ngx_atomic_fetch_add(&run->row->failures, 1);

    if (node->tick.timer_set) {
        ngx_del_timer(&node->tick);
    }

    ngx_govsvc_redis_node_later(node);
    ngx_govsvc_redis_row_update(run);
}


/* Once when it goes, not for each attempt that fails. */

static void
ngx_govsvc_redis_node_log(ngx_govsvc_redis_node_t *node,
    ngx_govsvc_redis_conn_t *conn)
{
    ngx_uint_t  level;

    level = (node->failures == 0) ? NGX_LOG_ERR : NGX_LOG_INFO;

    ngx_log_error(level, node->rd->run->log, 0,
                  "govsvc redis: \"%V\" has no connection to %V:%ui: %s",
                  &node->rd->name, &node->peer.host, node->peer.port,
                  conn->reason);
}


static void
ngx_govsvc_redis_node_later(ngx_govsvc_redis_node_t *node)
{
    ngx_govsvc_redis_t      *rd;
    ngx_govsvc_redis_run_t  *run;

    rd = node->rd;
    run = rd->run;

    if (node->gone) {
        return;
    }

    /* the address itself may be out of date */

    if (run->ask != NULL) {
        ngx_govsvc_redis_ask_now(run->ask);
    }

    node->backoff = (node->backoff == 0) ? rd->reconnect
                                         : ngx_min(node->backoff * 2,
                                                   rd->reconnect_max);

    ngx_add_timer(&node->retry,
                  ngx_govsvc_redis_jitter(node->backoff, rd->jitter));
}


static void
ngx_govsvc_redis_node_retry(ngx_event_t *ev)
{
    ngx_govsvc_redis_node_connect(ev->data);
}


/* Once a second: the clock, and a sign of life from a quiet connection. */

static void
ngx_govsvc_redis_node_tick(ngx_event_t *ev)
{
    ngx_govsvc_redis_cmd_t    cmd;
    ngx_govsvc_redis_node_t  *node;

    node = ev->data;

    if (node->conn == NULL) {
        return;
    }

    if (node->gone && node->conn->ncalls == 0) {
        ngx_govsvc_redis_node_destroy(node);
        return;
    }

    ngx_add_timer(&node->tick,
                  ngx_govsvc_redis_jitter(NGX_GOVSVC_REDIS_TICK, 10));

    if (node->ticking) {
        return;
    }

    if (node->time.cmd == NULL) {
        ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));
        cmd.argv = ngx_govsvc_redis_node_words;
        cmd.argc = 1;

        if (ngx_govsvc_redis_format(&node->time, &cmd, 1) != NGX_OK) {
            return;
        }
    }

    node->time.data = node;
    node->time.frame = ngx_govsvc_redis_node_time;
    node->time.replies = 1;
    node->time.late = 0;
    node->time.deadline = ngx_current_msec + node->rd->connect_timeout;
    node->ticking = 1;

    if (ngx_govsvc_redis_queue_send(node->conn, &node->time) != NGX_OK) {
        node->ticking = 0;
    }
}


static void
ngx_govsvc_redis_node_time(ngx_govsvc_redis_call_t *call,
    ngx_govsvc_redis_status_e status, const gs_str_t *frame)
{
    uint64_t                  us;
    ngx_govsvc_redis_node_t  *node;

    node = call->data;

    if (call->queued) {

        /* timed out, its reply may still come */

        return;
    }

    node->ticking = 0;

    if (status == NGX_GOVSVC_REDIS_OK && frame != NULL
        && gs_redis_time(frame, &us) == GS_OK)
    {
        ngx_govsvc_redis_node_clock(node, us, call->sent,
                                    ngx_govsvc_mono_us());
    }
}


/*
 * Samples with a round trip over twice the least say little; the least grows
 * by 1/64 with each sample, so that a path that became longer is believed
 * after a while.
 */

static void
ngx_govsvc_redis_node_clock(ngx_govsvc_redis_node_t *node, uint64_t time,
    uint64_t sent, uint64_t heard)
{
    uint64_t  rtt;

    rtt = heard - sent;
    node->rd->run->row->rtt = (ngx_atomic_uint_t) rtt;

    if (node->clock) {
        node->rtt += node->rtt / 64 + 1;
    }

    if (!node->clock || rtt < node->rtt) {
        node->rtt = rtt;
    }

    if (node->clock && rtt > 2 * node->rtt) {
        return;
    }

    node->offset = (int64_t) (time - (sent + rtt / 2));
    node->error = rtt / 2 + 1;
    node->clock = 1;
}


ngx_govsvc_redis_status_e
ngx_govsvc_redis_node_check(ngx_govsvc_redis_node_t *node, ngx_uint_t *probe)
{
    *probe = 0;

    if (node->conn == NULL) {
        return NGX_GOVSVC_REDIS_DOWN;
    }

    if (!ngx_govsvc_redis_conn_up(node->conn)) {

        /* the first attempt is waited for, those of an outage are not */

        return (node->failures == 0) ? NGX_GOVSVC_REDIS_OK
                                     : NGX_GOVSVC_REDIS_DOWN;
    }

    if (!node->open) {
        return NGX_GOVSVC_REDIS_OK;
    }

    /* one call at a time tries whether it is better */

    if (node->probing
        || (ngx_msec_int_t) (ngx_current_msec - node->mend) < 0)
    {
        return NGX_GOVSVC_REDIS_BREAKER;
    }

    *probe = 1;

    return NGX_GOVSVC_REDIS_OK;
}


void
ngx_govsvc_redis_node_judge(ngx_govsvc_redis_node_t *node,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status)
{
    if (call->probe) {
        call->probe = 0;
        node->probing = 0;
    }

    if (!ngx_govsvc_redis_is_fault(status)) {

        if (node->open) {
            ngx_log_error(NGX_LOG_NOTICE, node->rd->run->log, 0,
                          "govsvc redis: \"%V\" serves again at %V:%ui",
                          &node->rd->name, &node->peer.host,
                          node->peer.port);
        }

        node->errors = 0;
        node->open = 0;

    } else {
        node->errors++;

        if (node->open || node->errors >= node->rd->breaker_errors) {

            if (!node->open) {
                ngx_log_error(NGX_LOG_ERR, node->rd->run->log, 0,
                              "govsvc redis: \"%V\" only fails at %V:%ui: %s",
                              &node->rd->name, &node->peer.host,
                              node->peer.port,
                              ngx_govsvc_redis_status_text(status));
                (void) ngx_atomic_fetch_add(&node->rd->run->row->breaker, 1);
            }

            node->open = 1;
            node->mend = ngx_current_msec
                         + ngx_govsvc_redis_jitter(NGX_GOVSVC_REDIS_MEND,
                                                   node->rd->jitter);
        }
    }

    ngx_govsvc_redis_row_update(node->rd->run);
}


/* A reply to one command may be an error of its caller; these are not. */

static ngx_uint_t
ngx_govsvc_redis_is_fault(ngx_govsvc_redis_status_e status)
{
    switch (status) {

    case NGX_GOVSVC_REDIS_TIMEOUT:
    case NGX_GOVSVC_REDIS_LOADING:
    case NGX_GOVSVC_REDIS_OOM:
    case NGX_GOVSVC_REDIS_READONLY:
    case NGX_GOVSVC_REDIS_MISCONF:
    case NGX_GOVSVC_REDIS_NOREPLICAS:
    case NGX_GOVSVC_REDIS_CLUSTERDOWN:
    case NGX_GOVSVC_REDIS_NOAUTH:
        return 1;

    default:
        return 0;
    }
}


ngx_govsvc_redis_state_e
ngx_govsvc_redis_node_state(ngx_govsvc_redis_node_t *node)
{
    if (node->conn == NULL) {
        return NGX_GOVSVC_REDIS_STATE_DOWN;
    }

    if (!ngx_govsvc_redis_conn_up(node->conn)) {
        return (node->failures == 0) ? NGX_GOVSVC_REDIS_STATE_CONNECTING
                                     : NGX_GOVSVC_REDIS_STATE_DOWN;
    }

    return node->open ? NGX_GOVSVC_REDIS_STATE_BREAKER
                      : NGX_GOVSVC_REDIS_STATE_READY;
}
