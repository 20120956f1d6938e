
/*
 * Copyright (C) govsvc authors
 *
 * The sender of syslog messages: from a name to a connection that stands.
 */


#include "ngx/ngx_govsvc_syslog_priv.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>


static void ngx_govsvc_syslog_resolve(ngx_govsvc_syslog_t *s);
static void ngx_govsvc_syslog_resolved(ngx_resolver_ctx_t *ctx);
static void ngx_govsvc_syslog_connect(ngx_govsvc_syslog_t *s);
static void ngx_govsvc_syslog_connecting(ngx_event_t *ev);
static void ngx_govsvc_syslog_handshake(ngx_govsvc_syslog_t *s,
    ngx_connection_t *c);
static void ngx_govsvc_syslog_shaken(ngx_connection_t *c);
static const char *ngx_govsvc_syslog_verify(ngx_govsvc_syslog_t *s,
    ngx_connection_t *c);


void
ngx_govsvc_syslog_start(ngx_govsvc_syslog_t *s)
{
    if (s->buf == NULL) {
        s->buf = ngx_alloc(NGX_GOVSVC_SYSLOG_BUFFER, ngx_cycle->log);

        if (s->buf == NULL) {
            ngx_govsvc_syslog_lose(s, "not enough memory");
            return;
        }
    }

    /* an outage is logged when it begins and when it ends */

    s->log.log_level = (s->error != NULL) ? NGX_LOG_ALERT
                                          : ngx_cycle->log->log_level;

    if (s->path.len != 0) {
        s->addrs[0] = s->path;
        s->naddrs = 1;
        s->next = 0;

    } else if (s->next >= s->naddrs) {
        s->naddrs = 0;
        s->next = 0;

        ngx_govsvc_syslog_resolve(s);
        return;
    }

    ngx_govsvc_syslog_connect(s);
}


static void
ngx_govsvc_syslog_resolve(ngx_govsvc_syslog_t *s)
{
    const gs_net_t       *net;
    ngx_resolver_ctx_t   *ctx;
    struct sockaddr_in   *sin;
    struct sockaddr_in6  *sin6;

    if (s->target.url.numeric) {
        net = &s->target.url.address;
        ngx_memzero(&s->addrs[0], sizeof(ngx_govsvc_syslog_addr_t));

        if (net->family == GS_NET_IPV4) {
            sin = &s->addrs[0].addr.sockaddr_in;
            sin->sin_family = AF_INET;
            ngx_memcpy(&sin->sin_addr, net->addr, 4);
            s->addrs[0].len = sizeof(struct sockaddr_in);

        } else {
            sin6 = &s->addrs[0].addr.sockaddr_in6;
            sin6->sin6_family = AF_INET6;
            ngx_memcpy(&sin6->sin6_addr, net->addr, 16);
            s->addrs[0].len = sizeof(struct sockaddr_in6);
        }

        s->naddrs = 1;
        ngx_govsvc_syslog_connect(s);
        return;
    }

    ctx = ngx_resolve_start(s->target.resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_govsvc_syslog_lose(s, "the name cannot be resolved");
        return;
    }

    ctx->name = s->target.host;
    ctx->handler = ngx_govsvc_syslog_resolved;
    ctx->data = s;
    ctx->timeout = s->target.connect_timeout;
    ctx->cancelable = 1;

    s->resolve = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        s->resolve = NULL;                 /* the resolver has freed it */
        ngx_govsvc_syslog_lose(s, "the name cannot be resolved");
    }
}


static void
ngx_govsvc_syslog_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t                 i;
    ngx_govsvc_syslog_t       *s;
    ngx_govsvc_syslog_addr_t  *addr;

    s = ctx->data;

    for (i = 0;
         ctx->state == 0 && i < ctx->naddrs
         && s->naddrs < NGX_GOVSVC_SYSLOG_ADDRS;
         i++)
    {
        if (ctx->addrs[i].socklen > sizeof(ngx_sockaddr_t)) {
            continue;
        }

        addr = &s->addrs[s->naddrs++];
        addr->len = ctx->addrs[i].socklen;
        ngx_memcpy(&addr->addr, ctx->addrs[i].sockaddr, addr->len);
    }

    s->resolve = NULL;
    ngx_resolve_name_done(ctx);

    if (s->naddrs == 0) {
        ngx_govsvc_syslog_lose(s, "the name cannot be resolved");
        return;
    }

    ngx_govsvc_syslog_connect(s);
}


static void
ngx_govsvc_syslog_connect(ngx_govsvc_syslog_t *s)
{
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_govsvc_syslog_addr_t  *addr;

    addr = &s->addrs[s->next++];

    if (s->path.len == 0) {
        ngx_inet_set_port(&addr->addr.sockaddr, s->target.url.port);
    }

    s->pool = ngx_create_pool(1024, ngx_cycle->log);

    if (s->pool == NULL) {
        ngx_govsvc_syslog_lose(s, "not enough memory");
        return;
    }

    ngx_memzero(&s->peer, sizeof(ngx_peer_connection_t));

    s->peer.sockaddr = &addr->addr.sockaddr;
    s->peer.socklen = addr->len;
    s->peer.name = &s->name;
    s->peer.get = ngx_event_get_peer;
    s->peer.log = &s->log;
    s->peer.log_error = NGX_ERROR_INFO;
    s->peer.type = ngx_govsvc_syslog_datagram(s) ? SOCK_DGRAM : SOCK_STREAM;

    rc = ngx_event_connect_peer(&s->peer);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        s->peer.connection = NULL;
        ngx_govsvc_syslog_lose(s, "no connection");
        return;
    }

    c = s->peer.connection;

    c->data = s;
    c->pool = s->pool;
    c->log = &s->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_govsvc_syslog_connecting;
    c->write->handler = ngx_govsvc_syslog_connecting;
    c->sendfile = 0;

    ngx_add_timer(&s->timer, s->target.connect_timeout);

    if (rc == NGX_OK) {
        ngx_govsvc_syslog_connecting(c->write);
    }
}


static void
ngx_govsvc_syslog_connecting(ngx_event_t *ev)
{
    int                   err;
    socklen_t             len;
    ngx_connection_t     *c;
    ngx_govsvc_syslog_t  *s;

    c = ev->data;
    s = c->data;

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err != 0) {
        (void) ngx_connection_error(c, err, "connect() failed");
        ngx_govsvc_syslog_lose(s, "no connection");
        return;
    }

    if (!c->write->ready) {
        return;
    }

    if (s->kind == NGX_GOVSVC_SYSLOG_TLS) {
        ngx_govsvc_syslog_handshake(s, c);
        return;
    }

    ngx_govsvc_syslog_ready(s);
}


static void
ngx_govsvc_syslog_handshake(ngx_govsvc_syslog_t *s, ngx_connection_t *c)
{
    ngx_govsvc_http_target_t  *t;

    t = &s->target;

    if (ngx_ssl_create_connection(t->ssl, c, NGX_SSL_CLIENT) != NGX_OK) {
        ngx_govsvc_syslog_lose(s, "not enough memory");
        return;
    }

    /* RFC 6066 section 3 allows names only */

    if ((!t->url.numeric || t->ssl_name.data != t->host.data)
        && SSL_set_tlsext_host_name(c->ssl->connection,
                                    (char *) t->ssl_name.data)
           == 0)
    {
        ngx_govsvc_syslog_lose(s, "the name cannot be sent");
        return;
    }

    if (ngx_ssl_handshake(c) == NGX_AGAIN) {
        c->ssl->handler = ngx_govsvc_syslog_shaken;
        return;
    }

    ngx_govsvc_syslog_shaken(c);
}


static void
ngx_govsvc_syslog_shaken(ngx_connection_t *c)
{
    const char           *wrong;
    ngx_govsvc_syslog_t  *s;

    s = c->data;

    wrong = c->ssl->handshaked ? ngx_govsvc_syslog_verify(s, c)
                               : "the TLS handshake failed";

    if (wrong != NULL) {
        ngx_govsvc_syslog_lose(s, wrong);
        return;
    }

    ngx_govsvc_syslog_ready(s);
}


/* RFC 5425 section 5.2; NULL: it is who it should be. */

static const char *
ngx_govsvc_syslog_verify(ngx_govsvc_syslog_t *s, ngx_connection_t *c)
{
    long                       rc;
    X509                      *cert;
    ngx_uint_t                 ok;
    ngx_govsvc_http_target_t  *t;

    t = &s->target;
    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        return X509_verify_cert_error_string(rc);
    }

    if (t->url.numeric && t->ssl_name.data == t->host.data) {
        cert = SSL_get_peer_certificate(c->ssl->connection);
        ok = cert != NULL
             && X509_check_ip_asc(cert, (char *) t->ssl_name.data, 0) == 1;
        X509_free(cert);

    } else {
        ok = ngx_ssl_check_host(c, &t->ssl_name) == NGX_OK;
    }

    return ok ? NULL : "the certificate is for another name";
}


void
ngx_govsvc_syslog_shut(ngx_govsvc_syslog_t *s)
{
    ngx_connection_t  *c;

    if (s->resolve != NULL) {
        ngx_resolve_name_done(s->resolve);
        s->resolve = NULL;
    }

    if (s->timer.timer_set) {
        ngx_del_timer(&s->timer);
    }

    c = s->peer.connection;
    s->peer.connection = NULL;

    if (c != NULL) {

        if (c->ssl != NULL) {
            c->ssl->no_wait_shutdown = 1;
            c->ssl->no_send_shutdown = s->up ? 0 : 1;

            (void) ngx_ssl_shutdown(c);

            /* what is left would be taken for another's error */

            ERR_clear_error();
        }

        ngx_close_connection(c);
    }

    if (s->pool != NULL) {
        ngx_destroy_pool(s->pool);
        s->pool = NULL;
    }

    ngx_free(s->buf);

    s->buf = NULL;
    s->start = NULL;
    s->end = NULL;
    s->up = 0;
    s->full = 0;
    s->connected = 0;
    s->room = 0;
    s->given = 0;
    s->sent = 0;
}
