
/*
 * Copyright (C) govsvc authors
 *
 * What the clients of other servers share.
 */


#include "ngx/ngx_govsvc_peer.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>


void
ngx_govsvc_peer_net(ngx_govsvc_peer_addr_t *addr, const gs_net_t *net)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(addr, sizeof(ngx_govsvc_peer_addr_t));

    if (net->family == GS_NET_IPV4) {
        sin = &addr->addr.sockaddr_in;
        sin->sin_family = AF_INET;
        ngx_memcpy(&sin->sin_addr, net->addr, 4);
        addr->len = sizeof(struct sockaddr_in);
    }

#if (NGX_HAVE_INET6)

    if (net->family == GS_NET_IPV6) {
        sin6 = &addr->addr.sockaddr_in6;
        sin6->sin6_family = AF_INET6;
        ngx_memcpy(&sin6->sin6_addr, net->addr, 16);
        addr->len = sizeof(struct sockaddr_in6);
    }

#endif
}


ngx_uint_t
ngx_govsvc_peer_found(ngx_resolver_ctx_t *ctx, ngx_govsvc_peer_addr_t *addrs,
    ngx_uint_t max)
{
    ngx_uint_t            i, n;
    ngx_resolver_addr_t  *found;

    if (ctx->state != 0) {
        return 0;
    }

    for (i = 0, n = 0; i < ctx->naddrs && n < max; i++) {
        found = &ctx->addrs[i];

        if (found->socklen > sizeof(ngx_sockaddr_t)) {
            continue;
        }

        addrs[n].len = found->socklen;
        ngx_memcpy(&addrs[n].addr, found->sockaddr, found->socklen);
        n++;
    }

    return n;
}


ngx_int_t
ngx_govsvc_peer_connected(ngx_connection_t *c)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err != 0) {
        (void) ngx_connection_error(c, err, "connect() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_govsvc_peer_handshake(ngx_connection_t *c, ngx_ssl_t *ssl,
    ngx_str_t *sni, ngx_connection_handler_pt handler, const char **wrong)
{
    if (ngx_ssl_create_connection(ssl, c, NGX_SSL_CLIENT) != NGX_OK) {
        *wrong = "TLS cannot start";
        return NGX_ERROR;
    }

    if (sni != NULL
        && SSL_set_tlsext_host_name(c->ssl->connection, (char *) sni->data)
           == 0)
    {
        *wrong = "the name cannot be sent";
        return NGX_ERROR;
    }

    if (ngx_ssl_handshake(c) == NGX_AGAIN) {
        c->ssl->handler = handler;
        return NGX_AGAIN;
    }

    return NGX_OK;
}


const char *
ngx_govsvc_peer_verify(ngx_connection_t *c, ngx_str_t *name,
    ngx_uint_t numeric)
{
    long        rc;
    X509       *cert;
    ngx_uint_t  ok;

    if (!c->ssl->handshaked) {
        return "the TLS handshake failed";
    }

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        return X509_verify_cert_error_string(rc);
    }

    if (numeric) {
        cert = SSL_get_peer_certificate(c->ssl->connection);
        ok = cert != NULL
             && X509_check_ip_asc(cert, (char *) name->data, 0) == 1;
        X509_free(cert);

    } else {
        ok = ngx_ssl_check_host(c, name) == NGX_OK;
    }

    return ok ? NULL : "the certificate is for another name";
}
