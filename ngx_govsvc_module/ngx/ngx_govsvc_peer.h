
/*
 * Copyright (C) govsvc authors
 *
 * What the clients of other servers share: addresses, whether connect() went
 * well, TLS with a peer that is who it should be.
 */


#ifndef _NGX_GOVSVC_PEER_H_INCLUDED_
#define _NGX_GOVSVC_PEER_H_INCLUDED_


#include "ngx/ngx_govsvc.h"

#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "core/gs_net.h"


typedef struct {
    ngx_sockaddr_t   addr;
    socklen_t        len;
} ngx_govsvc_peer_addr_t;


/* An address without a port; len 0: of a family that is not built in. */
void ngx_govsvc_peer_net(ngx_govsvc_peer_addr_t *addr, const gs_net_t *net);

/* Copies what a resolver found, at most max; how many. */
ngx_uint_t ngx_govsvc_peer_found(ngx_resolver_ctx_t *ctx,
    ngx_govsvc_peer_addr_t *addrs, ngx_uint_t max);

/* After the first event of c: NGX_ERROR, logged, if connect() has failed. */
ngx_int_t ngx_govsvc_peer_connected(ngx_connection_t *c);

/*
 * Begins the handshake; sni ends with a NUL, or is NULL for an address, which
 * RFC 6066 section 3 does not allow.  NGX_AGAIN: handler is called; NGX_OK: it
 * is for the caller to do so; NGX_ERROR: *wrong says why.  Does not block.
 */
ngx_int_t ngx_govsvc_peer_handshake(ngx_connection_t *c, ngx_ssl_t *ssl,
    ngx_str_t *sni, ngx_connection_handler_pt handler, const char **wrong);

/*
 * After the handshake: NULL if the certificate verifies and is for the name,
 * or for the address where numeric is set (RFC 6125, RFC 5280 section 4.2.1.6);
 * else what is wrong.  The name ends with a NUL.
 */
const char *ngx_govsvc_peer_verify(ngx_connection_t *c, ngx_str_t *name,
    ngx_uint_t numeric);


#endif /* _NGX_GOVSVC_PEER_H_INCLUDED_ */
