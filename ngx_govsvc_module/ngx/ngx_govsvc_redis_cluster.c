
/*
 * Copyright (C) govsvc authors
 *
 * Redis: who owns which slot of a cluster, learned from CLUSTER SLOTS as a
 * whole and from MOVED slot by slot.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


static ngx_govsvc_redis_node_t *ngx_govsvc_redis_cluster_find(
    ngx_govsvc_redis_run_t *run, const gs_str_t *host, ngx_uint_t port);
static void ngx_govsvc_redis_cluster_forget(ngx_govsvc_redis_run_t *run);


ngx_int_t
ngx_govsvc_redis_cluster_learn(ngx_govsvc_redis_run_t *run,
    const ngx_govsvc_redis_peer_t *from, const gs_str_t *frame)
{
    gs_str_t                  self, host;
    ngx_uint_t                i;
    ngx_govsvc_redis_map_t   *map;
    ngx_govsvc_redis_node_t  *node, *owner;

    map = run->map;
    self = ngx_govsvc_to_gs(&from->host);

    if (gs_redis_slots(frame, &self, &map->slots, &map->scratch) != GS_OK) {
        ngx_log_error(NGX_LOG_ERR, run->log, 0,
                      "govsvc redis: \"%V\" has no slots at %V:%ui",
                      &run->rd->name, &from->host, from->port);
        return NGX_ERROR;
    }

    for (i = 0; i < map->slots.n; i++) {
        host = gs_str_text(map->slots.nodes[i].host);

        node = ngx_govsvc_redis_cluster_find(run, &host,
                                             map->slots.nodes[i].port);
        if (node == NULL) {
            return NGX_ERROR;
        }

        map->nodes[i] = node;
    }

    for (i = 0; i < GS_REDIS_SLOTS; i++) {
        owner = (map->slots.owner[i] == GS_REDIS_NODES)
                    ? NULL : map->nodes[map->slots.owner[i]];

        map->owner[i] = owner;
    }

    map->known = 1;

    ngx_govsvc_redis_cluster_forget(run);

    for (i = 0; i < map->slots.n; i++) {
        ngx_govsvc_redis_node_connect(map->nodes[i]);
    }

    ngx_govsvc_redis_row_update(run);
    ngx_govsvc_redis_wake(run);

    return NGX_OK;
}


/* Nodes without a slot go when nothing waits for them any more. */

static void
ngx_govsvc_redis_cluster_forget(ngx_govsvc_redis_run_t *run)
{
    ngx_uint_t                i;
    ngx_queue_t              *q, *next;
    ngx_govsvc_redis_node_t  *node;

    for (q = ngx_queue_head(&run->nodes);
         q != ngx_queue_sentinel(&run->nodes);
         q = next)
    {
        next = ngx_queue_next(q);
        node = ngx_queue_data(q, ngx_govsvc_redis_node_t, queue);

        for (i = 0; i < run->map->slots.n; i++) {
            if (run->map->nodes[i] == node) {
                break;
            }
        }

        if (i < run->map->slots.n) {

            if (node->gone) {
                node->gone = 0;
                node->failures = 0;
            }

            continue;
        }

        if (!node->gone) {
            node->gone = 1;
            ngx_govsvc_redis_new_epoch(run);
        }

        if (node->conn == NULL) {
            ngx_govsvc_redis_node_destroy(node);
        }
    }
}


ngx_govsvc_redis_node_t *
ngx_govsvc_redis_cluster_node(ngx_govsvc_redis_run_t *run,
    const gs_redis_addr_t *addr, const ngx_str_t *self)
{
    gs_str_t  host;

    host = addr->host;

    if (host.len == 0) {
        host = ngx_govsvc_to_gs(self);
    }

    return ngx_govsvc_redis_cluster_find(run, &host, addr->port);
}


static ngx_govsvc_redis_node_t *
ngx_govsvc_redis_cluster_find(ngx_govsvc_redis_run_t *run,
    const gs_str_t *host, ngx_uint_t port)
{
    gs_str_t                  other;
    ngx_queue_t              *q;
    ngx_govsvc_redis_node_t  *node;

    for (q = ngx_queue_head(&run->nodes);
         q != ngx_queue_sentinel(&run->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_govsvc_redis_node_t, queue);
        other = ngx_govsvc_to_gs(&node->peer.host);

        if (node->peer.port == port && gs_str_eq(&other, host)) {
            return node;
        }
    }

    return ngx_govsvc_redis_node_create(run, host, port);
}
