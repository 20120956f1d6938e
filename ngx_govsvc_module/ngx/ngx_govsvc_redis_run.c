
/*
 * Copyright (C) govsvc authors
 *
 * Redis: what a worker keeps of a named redis, from start to stop, and what
 * it tells of it.
 */


#include "core/gs_siphash.h"
#include "ngx/ngx_govsvc_redis_priv.h"


ngx_uint_t
ngx_govsvc_redis_ready(ngx_govsvc_redis_t *rd)
{
    ngx_uint_t                probe;
    ngx_govsvc_redis_node_t  *node;

    if (rd->run == NULL) {
        return 0;
    }

    node = ngx_govsvc_redis_node_of(rd->run, GS_REDIS_SLOTS);

    if (node == NULL) {
        return rd->run->failed == 0
               && (rd->run->map == NULL || !rd->run->map->known);
    }

    return ngx_govsvc_redis_node_check(node, &probe) == NGX_GOVSVC_REDIS_OK;
}


ngx_int_t
ngx_govsvc_redis_clock(ngx_govsvc_redis_t *rd, const ngx_str_t *key,
    int64_t *offset, uint64_t *error)
{
    gs_str_t                  k;
    ngx_uint_t                slot;
    ngx_govsvc_redis_node_t  *node;

    if (rd->run == NULL) {
        return NGX_DECLINED;
    }

    slot = GS_REDIS_SLOTS;

    if (key != NULL && rd->run->map != NULL) {
        k = ngx_govsvc_to_gs(key);
        slot = gs_redis_slot(&k);
    }

    node = ngx_govsvc_redis_node_of(rd->run, slot);

    if (node == NULL || !node->clock) {
        return NGX_DECLINED;
    }

    *offset = node->offset;
    *error = node->error;

    return NGX_OK;
}


ngx_uint_t
ngx_govsvc_redis_epoch(ngx_govsvc_redis_t *rd, uint64_t *since)
{
    if (rd->run == NULL) {
        *since = 0;
        return 0;
    }

    *since = rd->run->since;

    return rd->run->epoch;
}


uint64_t
ngx_govsvc_redis_history(ngx_govsvc_redis_t *rd)
{
    ngx_govsvc_redis_node_t  *node;
    static gs_siphash_key_t   key;

    if (rd->run == NULL || rd->run->map != NULL) {
        return 0;
    }

    node = rd->run->primary;

    if (node == NULL || node->conn == NULL
        || !ngx_govsvc_redis_conn_up(node->conn)
        || node->run_id[0] == '\0')
    {
        return 0;
    }

    return gs_siphash(&key, node->run_id, NGX_GOVSVC_REDIS_RUN_ID) | 1;
}


void
ngx_govsvc_redis_new_epoch(ngx_govsvc_redis_run_t *run)
{
    run->epoch++;
    run->since = ngx_govsvc_mono_us();
    run->row->epoch = run->epoch;

    ngx_log_error(NGX_LOG_NOTICE, run->log, 0,
                  "govsvc redis: \"%V\" may have lost writes, epoch %ui",
                  &run->rd->name, run->epoch);
}


ngx_msec_t
ngx_govsvc_redis_jitter(ngx_msec_t ms, ngx_uint_t percent)
{
    ngx_msec_t  spread;

    spread = ms * percent / 100;

    return ms - spread + (ngx_msec_t) ngx_random() % (2 * spread + 1);
}


ngx_int_t
ngx_govsvc_redis_start(ngx_govsvc_redis_t *rd, ngx_cycle_t *cycle)
{
    gs_str_t                  host;
    ngx_govsvc_redis_run_t   *run;
    ngx_govsvc_redis_peer_t  *peers;

    run = ngx_pcalloc(cycle->pool, sizeof(ngx_govsvc_redis_run_t));
    if (run == NULL) {
        return NGX_ERROR;
    }

    run->rd = rd;
    run->pool = cycle->pool;
    run->log = cycle->log;
    run->row = &run->none;

    ngx_queue_init(&run->nodes);
    ngx_queue_init(&run->free);
    ngx_queue_init(&run->chunks);
    ngx_queue_init(&run->waiting);
    ngx_queue_init(&run->streams);
    ngx_queue_init(&run->sessions);

    run->timer.handler = ngx_govsvc_redis_wait_timer;
    run->timer.data = run;
    run->timer.log = cycle->log;

    ngx_govsvc_redis_row_take(run);

    rd->run = run;

    if (rd->kind == NGX_GOVSVC_REDIS_CLUSTER) {
        run->map = ngx_pcalloc(cycle->pool, sizeof(ngx_govsvc_redis_map_t));
        if (run->map == NULL) {
            return NGX_ERROR;
        }
    }

    if (rd->kind != NGX_GOVSVC_REDIS_SERVER) {
        run->ask = ngx_govsvc_redis_ask_create(run);
        if (run->ask == NULL) {
            return NGX_ERROR;
        }

        ngx_govsvc_redis_ask_now(run->ask);

        return NGX_OK;
    }

    peers = rd->peers.elts;
    host = ngx_govsvc_to_gs(&peers[0].host);

    run->primary = ngx_govsvc_redis_node_create(run, &host, peers[0].port);
    if (run->primary == NULL) {
        return NGX_ERROR;
    }

    ngx_govsvc_redis_node_connect(run->primary);

    return NGX_OK;
}


void
ngx_govsvc_redis_stop(ngx_govsvc_redis_t *rd)
{
    ngx_uint_t                 i;
    ngx_queue_t               *q;
    ngx_govsvc_redis_run_t    *run;
    ngx_govsvc_redis_chunk_t  *chunk;

    run = rd->run;

    if (run == NULL) {
        return;
    }

    ngx_govsvc_redis_streams_stop(run);
    ngx_govsvc_redis_sessions_stop(run);

    if (run->ask != NULL) {
        ngx_govsvc_redis_ask_destroy(run->ask);
    }

    while (!ngx_queue_empty(&run->nodes)) {
        q = ngx_queue_head(&run->nodes);
        ngx_govsvc_redis_node_destroy(ngx_queue_data(q,
                                          ngx_govsvc_redis_node_t, queue));
    }

    if (run->timer.timer_set) {
        ngx_del_timer(&run->timer);
    }

    for (q = ngx_queue_head(&run->chunks);
         q != ngx_queue_sentinel(&run->chunks);
         q = ngx_queue_next(q))
    {
        chunk = ngx_queue_data(q, ngx_govsvc_redis_chunk_t, queue);

        for (i = 0; i < NGX_GOVSVC_REDIS_CHUNK; i++) {
            ngx_govsvc_redis_format_free(&chunk->calls[i]);
        }
    }

    rd->run = NULL;

    ngx_govsvc_redis_row_give(run);
}
