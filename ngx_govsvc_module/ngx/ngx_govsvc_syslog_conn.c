
/*
 * Copyright (C) govsvc authors
 *
 * The sender of syslog messages: from a name to a connection that stands.
 */


#include "ngx/ngx_govsvc_syslog_priv.h"


static void ngx_govsvc_syslog_resolve(ngx_govsvc_syslog_t *s);
static void ngx_govsvc_syslog_resolved(ngx_resolver_ctx_t *ctx);
static void ngx_govsvc_syslog_connect(ngx_govsvc_syslog_t *s);
static void ngx_govsvc_syslog_connecting(ngx_event_t *ev);
static void ngx_govsvc_syslog_handshake(ngx_govsvc_syslog_t *s,
    ngx_connection_t *c);
static void ngx_govsvc_syslog_shaken(ngx_connection_t *c);


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
    ngx_resolver_ctx_t  *ctx;

    if (s->target.url.numeric) {
        ngx_govsvc_peer_net(&s->addrs[0], &s->target.url.address);
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
    ngx_govsvc_syslog_t  *s;

    s = ctx->data;

    s->naddrs = ngx_govsvc_peer_found(ctx, s->addrs, NGX_GOVSVC_SYSLOG_ADDRS);
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
    ngx_int_t                rc;
    ngx_connection_t        *c;
    ngx_govsvc_peer_addr_t  *addr;

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
    ngx_connection_t     *c;
    ngx_govsvc_syslog_t  *s;

    c = ev->data;
    s = c->data;

    if (ngx_govsvc_peer_connected(c) != NGX_OK) {
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
    ngx_int_t                  rc;
    const char                *wrong;
    ngx_govsvc_http_target_t  *t;

    t = &s->target;

    rc = ngx_govsvc_peer_handshake(c, t->ssl,
                                   ngx_govsvc_http_is_address(t)
                                       ? NULL : &t->ssl_name,
                                   ngx_govsvc_syslog_shaken, &wrong);

    if (rc == NGX_ERROR) {
        ngx_govsvc_syslog_lose(s, wrong);
        return;
    }

    if (rc == NGX_OK) {
        ngx_govsvc_syslog_shaken(c);
    }
}


static void
ngx_govsvc_syslog_shaken(ngx_connection_t *c)
{
    const char           *wrong;
    ngx_govsvc_syslog_t  *s;

    s = c->data;

    /* RFC 5425 section 5.2 */

    wrong = ngx_govsvc_peer_verify(c, &s->target.ssl_name,
                                   ngx_govsvc_http_is_address(&s->target));

    if (wrong != NULL) {
        ngx_govsvc_syslog_lose(s, wrong);
        return;
    }

    ngx_govsvc_syslog_ready(s);
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
