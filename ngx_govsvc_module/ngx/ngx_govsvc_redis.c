
/*
 * Copyright (C) govsvc authors
 *
 * A named redis of one worker: takes calls, sends each where its key lives,
 * and sees to it that each ends once.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


static ngx_govsvc_redis_status_e ngx_govsvc_redis_issue(
    ngx_govsvc_redis_t *rd, const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n,
    ngx_govsvc_redis_call_t **out);
static ngx_govsvc_redis_status_e ngx_govsvc_redis_refused(
    ngx_govsvc_redis_run_t *run, ngx_govsvc_redis_status_e status);
static ngx_int_t ngx_govsvc_redis_grow(ngx_govsvc_redis_run_t *run);
static ngx_uint_t ngx_govsvc_redis_slot_of(ngx_govsvc_redis_run_t *run,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n);
static ngx_int_t ngx_govsvc_redis_elsewhere(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame);


ngx_govsvc_redis_status_e
ngx_govsvc_redis_send(ngx_govsvc_redis_t *rd,
    const ngx_govsvc_redis_cmd_t *cmd, ngx_govsvc_redis_call_t **call)
{
    return ngx_govsvc_redis_issue(rd, cmd, 1, call);
}


ngx_govsvc_redis_status_e
ngx_govsvc_redis_multi(ngx_govsvc_redis_t *rd,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n,
    ngx_govsvc_redis_call_t **call)
{
    if (n == 0 || n >= NGX_GOVSVC_REDIS_IN_MULTI) {
        return NGX_GOVSVC_REDIS_BAD;
    }

    return ngx_govsvc_redis_issue(rd, cmds, n | NGX_GOVSVC_REDIS_IN_MULTI,
                                  call);
}


static ngx_govsvc_redis_status_e
ngx_govsvc_redis_issue(ngx_govsvc_redis_t *rd,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n,
    ngx_govsvc_redis_call_t **out)
{
    ngx_govsvc_redis_run_t     *run;
    ngx_govsvc_redis_call_t    *call;
    ngx_govsvc_redis_status_e   status;

    run = rd->run;

    if (run == NULL) {
        return NGX_GOVSVC_REDIS_DOWN;
    }

    call = ngx_govsvc_redis_take(run, cmds, n, &status);

    if (call == NULL) {
        return ngx_govsvc_redis_refused(run, status);
    }

    status = ngx_govsvc_redis_route(run, call,
                                    ngx_govsvc_redis_node_of(run,
                                                             call->slot));
    if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_govsvc_redis_release(call);
        return ngx_govsvc_redis_refused(run, status);
    }

    (void) ngx_atomic_fetch_add(&run->row->commands, 1);

    if (out != NULL) {
        *out = call;
    }

    return NGX_GOVSVC_REDIS_OK;
}


static ngx_govsvc_redis_status_e
ngx_govsvc_redis_refused(ngx_govsvc_redis_run_t *run,
    ngx_govsvc_redis_status_e status)
{
    (void) ngx_atomic_fetch_add(&run->row->ended[status], 1);

    return status;
}


ngx_govsvc_redis_call_t *
ngx_govsvc_redis_take(ngx_govsvc_redis_run_t *run,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n,
    ngx_govsvc_redis_status_e *status)
{
    ngx_uint_t                slot, multi;
    ngx_queue_t              *q;
    ngx_govsvc_redis_call_t  *call;

    multi = (n & NGX_GOVSVC_REDIS_IN_MULTI) ? 1 : 0;
    n &= ~NGX_GOVSVC_REDIS_IN_MULTI;

    slot = ngx_govsvc_redis_slot_of(run, cmds, n);

    if (slot > GS_REDIS_SLOTS) {
        *status = NGX_GOVSVC_REDIS_BAD;
        return NULL;
    }

    if (run->ncalls >= run->rd->max_inflight
        || (ngx_queue_empty(&run->free)
            && ngx_govsvc_redis_grow(run) != NGX_OK))
    {
        *status = NGX_GOVSVC_REDIS_FULL;
        return NULL;
    }

    q = ngx_queue_head(&run->free);
    call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);
    ngx_queue_remove(q);

    ngx_memzero(call, sizeof(ngx_govsvc_redis_call_t));

    call->run = run;
    call->multi = multi;
    call->replies = multi ? n + 2 : 1;
    call->slot = slot;
    call->handler = cmds->handler;
    call->data = cmds->data;
    call->again = cmds->again;
    call->timeout = cmds->timeout != 0 ? cmds->timeout
                                       : run->rd->command_timeout;
    call->deadline = ngx_current_msec + call->timeout;
    call->outcome = NGX_GOVSVC_REDIS_DOWN;

    run->ncalls++;
    run->row->inflight = run->ncalls;

    if (ngx_govsvc_redis_format(call, cmds, n) != NGX_OK) {
        ngx_govsvc_redis_release(call);
        *status = NGX_GOVSVC_REDIS_BAD;
        return NULL;
    }

    return call;
}


void
ngx_govsvc_redis_release(ngx_govsvc_redis_call_t *call)
{
    ngx_govsvc_redis_run_t  *run;

    run = call->run;

    ngx_govsvc_redis_format_free(call);
    ngx_queue_insert_head(&run->free, &call->queue);

    run->ncalls--;
    run->row->inflight = run->ncalls;
}


static ngx_int_t
ngx_govsvc_redis_grow(ngx_govsvc_redis_run_t *run)
{
    ngx_uint_t                 i;
    ngx_govsvc_redis_chunk_t  *chunk;

    chunk = ngx_pcalloc(run->pool, sizeof(ngx_govsvc_redis_chunk_t));
    if (chunk == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&run->chunks, &chunk->queue);

    for (i = 0; i < NGX_GOVSVC_REDIS_CHUNK; i++) {
        ngx_queue_insert_tail(&run->free, &chunk->calls[i].queue);
    }

    return NGX_OK;
}


/* GS_REDIS_SLOTS without a key; more if keys are missing or lie apart. */

static ngx_uint_t
ngx_govsvc_redis_slot_of(ngx_govsvc_redis_run_t *run,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n)
{
    gs_str_t    key;
    ngx_uint_t  i, slot, one;

    slot = GS_REDIS_SLOTS;

    for (i = 0; i < n; i++) {

        if (cmds[i].argc == 0 || cmds[i].key >= cmds[i].argc) {
            return GS_REDIS_SLOTS + 1;
        }

        if (cmds[i].key == 0 || run->map == NULL) {
            continue;
        }

        key = ngx_govsvc_to_gs(&cmds[i].argv[cmds[i].key]);
        one = gs_redis_slot(&key);

        if (slot != GS_REDIS_SLOTS && slot != one) {
            return GS_REDIS_SLOTS + 1;
        }

        slot = one;
    }

    return slot;
}


/* NULL: nobody is known. */

ngx_govsvc_redis_node_t *
ngx_govsvc_redis_node_of(ngx_govsvc_redis_run_t *run, ngx_uint_t slot)
{
    ngx_queue_t              *q;
    ngx_govsvc_redis_node_t  *node;

    if (run->map == NULL) {
        return run->primary;
    }

    if (slot < GS_REDIS_SLOTS) {
        return run->map->owner[slot];
    }

    for (q = ngx_queue_head(&run->nodes);
         q != ngx_queue_sentinel(&run->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_govsvc_redis_node_t, queue);

        if (node->conn != NULL && ngx_govsvc_redis_conn_up(node->conn)
            && !node->gone)
        {
            return node;
        }
    }

    return NULL;
}


ngx_govsvc_redis_status_e
ngx_govsvc_redis_route(ngx_govsvc_redis_run_t *run,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_node_t *node)
{
    ngx_uint_t                  probe;
    ngx_govsvc_redis_status_e   status;

    if (node == NULL) {

        if (run->failed != 0 || (run->map != NULL && run->map->known
                                 && call->slot < GS_REDIS_SLOTS))
        {
            return NGX_GOVSVC_REDIS_DOWN;
        }

        /* the worker has just started: the primary is being looked for */

        ngx_govsvc_redis_wait(run, call);

        return NGX_GOVSVC_REDIS_OK;
    }

    status = ngx_govsvc_redis_node_check(node, &probe);

    if (status != NGX_GOVSVC_REDIS_OK) {
        return status;
    }

    if (ngx_govsvc_redis_queue_send(node->conn, call) != NGX_OK) {
        return NGX_GOVSVC_REDIS_FULL;
    }

    if (probe) {
        call->probe = 1;
        node->probing = 1;
    }

    return NGX_GOVSVC_REDIS_OK;
}


/* A cluster says that a slot is elsewhere: for this call, and all later. */

void
ngx_govsvc_redis_moved(ngx_govsvc_redis_conn_t *conn, const gs_str_t *frame)
{
    gs_str_t                  line;
    unsigned                  slot;
    gs_redis_addr_t           addr;
    ngx_govsvc_redis_run_t   *run;
    ngx_govsvc_redis_node_t  *node;

    run = conn->rd->run;
    line = gs_str_make(frame->data + 1, frame->len - 3);

    if (run == NULL || run->map == NULL
        || gs_redis_error(&line) != GS_REDIS_ERROR_MOVED
        || gs_redis_redirect(&line, &slot, &addr) != GS_OK)
    {
        return;
    }

    (void) ngx_atomic_fetch_add(&run->row->redirects, 1);

    node = ngx_govsvc_redis_cluster_node(run, &addr, &conn->peer.host);

    if (node != NULL) {
        node->gone = 0;
        run->map->owner[slot] = node;
        ngx_govsvc_redis_node_connect(node);
    }

    ngx_govsvc_redis_ask_now(run->ask);
}


/* The end of a call of a node's connection. */

void
ngx_govsvc_redis_done(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame)
{
    ngx_govsvc_redis_t       *rd;
    ngx_govsvc_redis_node_t  *node;

    rd = conn->rd;
    node = conn->data;

    if (call->frame != NULL) {
        call->late = call->queued;
        call->frame(call, status, frame);
        return;
    }

    /* EXECABORT hides why; the first refusal says it */

    if (call->multi && status == NGX_GOVSVC_REDIS_ERROR
        && call->refused != NGX_GOVSVC_REDIS_OK)
    {
        status = call->refused;
    }

    if (node->conn == conn
        && (frame != NULL || status == NGX_GOVSVC_REDIS_TIMEOUT))
    {
        ngx_govsvc_redis_node_judge(node, call, status);
    }

    if (!call->late
        && ngx_govsvc_redis_elsewhere(conn, call, status, frame) == NGX_OK)
    {
        return;
    }

    ngx_govsvc_redis_finish(conn, call, status, frame);

    if (conn->state == NGX_GOVSVC_REDIS_CONN_CLOSED || rd->run == NULL) {
        return;
    }

    if (status == NGX_GOVSVC_REDIS_READONLY
        && rd->kind == NGX_GOVSVC_REDIS_SENTINEL)
    {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_READONLY,
                                    "it is no primary any more");

    } else if (rd->run->map != NULL
               && (status == NGX_GOVSVC_REDIS_READONLY
                   || status == NGX_GOVSVC_REDIS_CLUSTERDOWN))
    {
        ngx_govsvc_redis_ask_now(rd->run->ask);
    }
}


/* NGX_OK: the call goes on, at another node or a new connection. */

static ngx_int_t
ngx_govsvc_redis_elsewhere(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame)
{
    gs_str_t                  line;
    unsigned                  slot;
    gs_redis_addr_t           addr;
    ngx_govsvc_redis_run_t   *run;
    ngx_govsvc_redis_node_t  *node;

    run = call->run;

    if (call->cmd == NULL || call->queued || run == NULL
        || (ngx_msec_int_t) (call->deadline - ngx_current_msec) <= 0)
    {
        return NGX_DECLINED;
    }

    if (status == NGX_GOVSVC_REDIS_MOVED && frame != NULL && run->map != NULL
        && call->tries < NGX_GOVSVC_REDIS_REDIRECTS)
    {
        call->tries++;
        call->written = 0;
        call->asking = 0;
        call->refused = NGX_GOVSVC_REDIS_OK;
        call->outcome = NGX_GOVSVC_REDIS_DOWN;

        node = ngx_govsvc_redis_node_of(run, call->slot);
        line = gs_str_make(frame->data + 1, frame->len - 3);

        if (gs_redis_error(&line) == GS_REDIS_ERROR_ASK) {

            if (gs_redis_redirect(&line, &slot, &addr) != GS_OK) {
                return NGX_DECLINED;
            }

            (void) ngx_atomic_fetch_add(&run->row->redirects, 1);

            node = ngx_govsvc_redis_cluster_node(run, &addr,
                                                 &conn->peer.host);
            call->asking = 1;

            if (node != NULL) {
                ngx_govsvc_redis_node_connect(node);
            }
        }

        if (node == NULL
            || ngx_govsvc_redis_route(run, call, node) != NGX_GOVSVC_REDIS_OK)
        {
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    if (call->again && call->tries == 0 && frame == NULL) {
        call->tries++;
        call->written = 0;
        call->outcome = status;
        ngx_govsvc_redis_wait(run, call);
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* Tells the caller; conn is where the answer came from, or NULL. */

void
ngx_govsvc_redis_finish(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame)
{
    ngx_govsvc_redis_reply_t     *reply;
    ngx_govsvc_redis_handler_pt   handler;

    if (call->late) {
        if (!call->queued) {
            ngx_govsvc_redis_release(call);
        }

        return;
    }

    handler = call->handler;
    reply = NULL;

    if (frame != NULL && handler != NULL) {
        reply = ngx_govsvc_redis_parse(conn->reader, frame);

        if (reply == NULL) {
            status = NGX_GOVSVC_REDIS_CLOSED;
        }
    }

    (void) ngx_atomic_fetch_add(&call->run->row->ended[status], 1);

    /* its reply, if it comes at all, finds nobody */

    call->late = call->queued;

    if (handler != NULL) {
        handler(call->data, status, reply);
    }

    call->handler = NULL;

    if (reply == NULL && frame != NULL && handler != NULL) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                    "malformed reply");
    }

    ngx_govsvc_redis_reply_free(reply);

    if (!call->late) {
        ngx_govsvc_redis_release(call);
    }
}


void
ngx_govsvc_redis_cancel(ngx_govsvc_redis_call_t *call)
{
    call->handler = NULL;
}
