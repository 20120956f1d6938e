
/*
 * Copyright (C) govsvc authors
 *
 * Redis: names, states and counters, as variables and the status page show
 * them.  A row outlives its worker; the next one of that number counts on.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


#define NGX_GOVSVC_REDIS_MAGIC  0x67736f31


static const char *const  ngx_govsvc_redis_status_texts[] = {
    "ok", "timeout", "closed", "down", "breaker", "full", "bad", "loading",
    "oom", "readonly", "misconf", "noreplicas", "clusterdown", "noauth",
    "noperm", "moved", "error"
};


static const char *const  ngx_govsvc_redis_state_texts[] = {
    "off", "connecting", "ready", "breaker", "down"
};


const ngx_str_t *
ngx_govsvc_redis_name(const ngx_govsvc_redis_t *rd)
{
    return &rd->name;
}


const ngx_str_t *
ngx_govsvc_redis_prefix(const ngx_govsvc_redis_t *rd)
{
    return &rd->prefix;
}


const char *
ngx_govsvc_redis_status_text(ngx_govsvc_redis_status_e status)
{
    return ngx_govsvc_redis_status_texts[status];
}


const char *
ngx_govsvc_redis_state_text(ngx_govsvc_redis_state_e state)
{
    return ngx_govsvc_redis_state_texts[state];
}


/* The worst of its nodes: one that is down is noticed. */

ngx_govsvc_redis_state_e
ngx_govsvc_redis_state(const ngx_govsvc_redis_t *rd)
{
    ngx_queue_t               *q;
    ngx_govsvc_redis_run_t    *run;
    ngx_govsvc_redis_node_t   *node;
    ngx_govsvc_redis_state_e   state, worst;

    run = rd->run;

    if (run == NULL) {
        return NGX_GOVSVC_REDIS_STATE_OFF;
    }

    worst = NGX_GOVSVC_REDIS_STATE_OFF;

    for (q = ngx_queue_head(&run->nodes);
         q != ngx_queue_sentinel(&run->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_govsvc_redis_node_t, queue);

        if (node->gone) {
            continue;
        }

        state = ngx_govsvc_redis_node_state(node);

        if (worst == NGX_GOVSVC_REDIS_STATE_OFF
            || worst == NGX_GOVSVC_REDIS_STATE_READY
            || (state > worst && state != NGX_GOVSVC_REDIS_STATE_READY))
        {
            worst = state;
        }
    }

    if (worst == NGX_GOVSVC_REDIS_STATE_OFF) {
        return run->failed == 0 ? NGX_GOVSVC_REDIS_STATE_CONNECTING
                                : NGX_GOVSVC_REDIS_STATE_DOWN;
    }

    return worst;
}


ngx_int_t
ngx_govsvc_redis_zone_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t          *shpool;
    ngx_govsvc_redis_t       *rd, *old;
    ngx_govsvc_redis_rows_t  *rows;

    rd = zone->data;
    old = data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (old != NULL) {
        rd->rows = old->rows;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        rows = shpool->data;

        if (rows == NULL || rows->magic != NGX_GOVSVC_REDIS_MAGIC) {
            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                          "govsvc redis: zone \"%V\" is of another version",
                          &zone->shm.name);
            return NGX_ERROR;
        }

        rd->rows = rows;
        return NGX_OK;
    }

    rows = ngx_slab_calloc(shpool, sizeof(ngx_govsvc_redis_rows_t));
    if (rows == NULL) {
        return NGX_ERROR;
    }

    rows->magic = NGX_GOVSVC_REDIS_MAGIC;
    shpool->data = rows;
    rd->rows = rows;

    return NGX_OK;
}


void
ngx_govsvc_redis_row_take(ngx_govsvc_redis_run_t *run)
{
    if (run->rd->rows != NULL && ngx_worker < NGX_GOVSVC_REDIS_ROWS) {
        run->row = &run->rd->rows->rows[ngx_worker];
    }

    run->row->pid = (ngx_atomic_uint_t) ngx_pid;
    run->row->inflight = 0;
    run->row->epoch = 0;

    ngx_govsvc_redis_row_update(run);
}


void
ngx_govsvc_redis_row_give(ngx_govsvc_redis_run_t *run)
{
    if (run->row->pid == (ngx_atomic_uint_t) ngx_pid) {
        run->row->pid = 0;
        run->row->state = NGX_GOVSVC_REDIS_STATE_OFF;
        run->row->inflight = 0;
    }
}


/* During a reload two workers have the number: the new one is shown. */

void
ngx_govsvc_redis_row_update(ngx_govsvc_redis_run_t *run)
{
    if (run->row->pid == (ngx_atomic_uint_t) ngx_pid) {
        run->row->state = ngx_govsvc_redis_state(run->rd);
    }
}


const ngx_govsvc_redis_row_t *
ngx_govsvc_redis_row(const ngx_govsvc_redis_t *rd, ngx_uint_t i)
{
    if (rd->rows == NULL || i >= NGX_GOVSVC_REDIS_ROWS) {
        return NULL;
    }

    return &rd->rows->rows[i];
}


void
ngx_govsvc_redis_states(const ngx_govsvc_redis_t *rd,
    ngx_uint_t n[NGX_GOVSVC_REDIS_STATE_MAX])
{
    ngx_uint_t                     i;
    const ngx_govsvc_redis_row_t  *row;

    ngx_memzero(n, NGX_GOVSVC_REDIS_STATE_MAX * sizeof(ngx_uint_t));

    for (i = 0; /* void */; i++) {
        row = ngx_govsvc_redis_row(rd, i);
        if (row == NULL) {
            return;
        }

        if (row->pid != 0 && row->state < NGX_GOVSVC_REDIS_STATE_MAX) {
            n[row->state]++;
        }
    }
}
