
/*
 * Copyright (C) govsvc authors
 *
 * Where the servers of a redis are.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


static void ngx_govsvc_redis_addr_peer(const ngx_govsvc_redis_peer_t *peer,
    ngx_govsvc_redis_addr_pt found, void *data);
static void ngx_govsvc_redis_addr_conn(const ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_addr_pt found, void *data);


void
ngx_govsvc_redis_addrs(const ngx_govsvc_redis_t *rd,
    ngx_govsvc_redis_addr_pt found, void *data)
{
    ngx_uint_t                      i;
    ngx_queue_t                    *q;
    const ngx_govsvc_redis_node_t  *node;
    const ngx_govsvc_redis_peer_t  *peers;

    peers = rd->peers.elts;

    for (i = 0; i < rd->peers.nelts; i++) {
        ngx_govsvc_redis_addr_peer(&peers[i], found, data);
    }

    if (rd->run == NULL) {
        return;
    }

    for (q = ngx_queue_head(&rd->run->nodes);
         q != ngx_queue_sentinel(&rd->run->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_govsvc_redis_node_t, queue);

        ngx_govsvc_redis_addr_peer(&node->peer, found, data);
        ngx_govsvc_redis_addr_conn(node->conn, found, data);
    }

    if (rd->run->ask != NULL) {
        ngx_govsvc_redis_addr_conn(rd->run->ask->conn, found, data);
    }
}


/* A name is known by the connection that it led to. */

static void
ngx_govsvc_redis_addr_peer(const ngx_govsvc_redis_peer_t *peer,
    ngx_govsvc_redis_addr_pt found, void *data)
{
    gs_net_t  net;
    gs_str_t  s;

    s = ngx_govsvc_to_gs(&peer->host);

    if (peer->port != 0 && gs_net_parse(&net, &s) == GS_OK) {
        found(data, &net, peer->port);
    }
}


static void
ngx_govsvc_redis_addr_conn(const ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_addr_pt found, void *data)
{
    gs_net_t  net;

    if (conn == NULL || conn->pc.sockaddr == NULL || conn->peer.port == 0) {
        return;
    }

    if (gs_net_sockaddr(&net, conn->pc.sockaddr, conn->pc.socklen) == GS_OK) {
        found(data, &net, conn->peer.port);
    }
}
