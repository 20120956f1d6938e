
/*
 * Copyright (C) govsvc authors
 *
 * Redis: the life of one connection, from an address to its end.
 */


#include "ngx/ngx_govsvc_peer.h"
#include "ngx/ngx_govsvc_redis_priv.h"


static u_char *ngx_govsvc_redis_conn_log(ngx_log_t *log, u_char *buf,
    size_t len);
static ngx_int_t ngx_govsvc_redis_conn_unix(ngx_govsvc_redis_conn_t *conn);
static ngx_int_t ngx_govsvc_redis_conn_resolve(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_conn_resolved(ngx_resolver_ctx_t *ctx);
static void ngx_govsvc_redis_conn_connect(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_conn_connected(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_conn_tls(ngx_govsvc_redis_conn_t *conn);
static void ngx_govsvc_redis_conn_tls_handler(ngx_connection_t *c);
static void ngx_govsvc_redis_conn_tls_done(ngx_govsvc_redis_conn_t *conn);
static ngx_int_t ngx_govsvc_redis_conn_tls_name(ngx_govsvc_redis_conn_t *conn,
    ngx_str_t *name);
static void ngx_govsvc_redis_conn_read_handler(ngx_event_t *rev);
static void ngx_govsvc_redis_conn_write_handler(ngx_event_t *wev);
static void ngx_govsvc_redis_conn_shut(ngx_govsvc_redis_conn_t *conn);


ngx_govsvc_redis_conn_t *
ngx_govsvc_redis_conn_create(ngx_govsvc_redis_t *rd,
    const ngx_govsvc_redis_peer_t *peer)
{
    ngx_log_t                *log;
    ngx_pool_t               *pool;
    ngx_govsvc_redis_conn_t  *conn;

    pool = ngx_create_pool(2048, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    conn = ngx_pcalloc(pool, sizeof(ngx_govsvc_redis_conn_t));
    log = ngx_palloc(pool, sizeof(ngx_log_t));

    if (conn == NULL || log == NULL) {
        goto failed;
    }

    /* a NUL behind the host: OpenSSL wants one */

    conn->peer.host.data = ngx_pnalloc(pool, peer->host.len + 1);
    conn->reader = ngx_govsvc_redis_reader();

    if (conn->peer.host.data == NULL || conn->reader == NULL) {
        ngx_govsvc_redis_reader_free(conn->reader);
        goto failed;
    }

    (void) ngx_cpystrn(conn->peer.host.data, peer->host.data,
                       peer->host.len + 1);
    conn->peer.host.len = peer->host.len;
    conn->peer.port = peer->port;

    *log = *ngx_cycle->log;
    log->handler = ngx_govsvc_redis_conn_log;
    log->data = conn;
    log->action = NULL;

    conn->rd = rd;
    conn->pool = pool;
    conn->log = log;
    conn->silence = rd->breaker_silence;
    ngx_queue_init(&conn->calls);

    conn->timer.handler = ngx_govsvc_redis_queue_timer;
    conn->timer.data = conn;
    conn->timer.log = ngx_cycle->log;
    conn->timer.cancelable = 1;

    conn->flush.handler = ngx_govsvc_redis_queue_flush_handler;
    conn->flush.data = conn;
    conn->flush.log = ngx_cycle->log;

    return conn;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static u_char *
ngx_govsvc_redis_conn_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_govsvc_redis_conn_t  *conn;

    conn = log->data;

    return ngx_snprintf(buf, len, ", redis \"%V\" at %V:%ui", &conn->rd->name,
                        &conn->peer.host, conn->peer.port);
}


void
ngx_govsvc_redis_conn_start(ngx_govsvc_redis_conn_t *conn)
{
    ngx_int_t   rc;
    ngx_addr_t  addr;

    conn->state = NGX_GOVSVC_REDIS_CONN_CONNECT;
    conn->started = ngx_current_msec;
    conn->wake = conn->started + conn->rd->connect_timeout;
    ngx_add_timer(&conn->timer, conn->rd->connect_timeout);

    if (conn->rd->run != NULL && conn->rd->run->failed != 0) {

        /* an outage is logged when it begins and when it ends */

        conn->log->log_level = NGX_LOG_ALERT;
    }

    if (conn->peer.port == 0) {
        rc = ngx_govsvc_redis_conn_unix(conn);

    } else {
        rc = ngx_parse_addr(conn->pool, &addr, conn->peer.host.data,
                            conn->peer.host.len);

        if (rc == NGX_OK) {
            ngx_memcpy(&conn->sockaddr, addr.sockaddr, addr.socklen);
            ngx_inet_set_port(&conn->sockaddr.sockaddr,
                              (in_port_t) conn->peer.port);
            conn->pc.socklen = addr.socklen;

        } else if (rc == NGX_DECLINED) {
            rc = ngx_govsvc_redis_conn_resolve(conn);

            if (rc == NGX_AGAIN) {
                return;
            }
        }
    }

    if (rc != NGX_OK) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN,
                                    "no address");
        return;
    }

    ngx_govsvc_redis_conn_connect(conn);
}


static ngx_int_t
ngx_govsvc_redis_conn_unix(ngx_govsvc_redis_conn_t *conn)
{
    struct sockaddr_un  *un;

    un = &conn->sockaddr.sockaddr_un;

    if (conn->peer.host.len >= sizeof(un->sun_path)) {
        return NGX_ERROR;
    }

    un->sun_family = AF_UNIX;
    (void) ngx_cpystrn((u_char *) un->sun_path, conn->peer.host.data,
                       sizeof(un->sun_path));
    conn->pc.socklen = sizeof(struct sockaddr_un);

    return NGX_OK;
}


/* NGX_AGAIN: _resolved() goes on, or has closed the connection already. */

static ngx_int_t
ngx_govsvc_redis_conn_resolve(ngx_govsvc_redis_conn_t *conn)
{
    ngx_resolver_ctx_t  *ctx;

    if (conn->rd->resolver == NULL) {
        return NGX_ERROR;
    }

    ctx = ngx_resolve_start(conn->rd->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        return NGX_ERROR;
    }

    ctx->name = conn->peer.host;
    ctx->handler = ngx_govsvc_redis_conn_resolved;
    ctx->data = conn;
    ctx->timeout = conn->rd->resolver_timeout;
    ctx->cancelable = 1;

    conn->resolving = ctx;
    ngx_govsvc_redis_conn_enter(conn);

    if (ngx_resolve_name(ctx) != NGX_OK) {
        conn->resolving = NULL;
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN,
                                    "the resolver failed");
    }

    ngx_govsvc_redis_conn_leave(conn);

    return NGX_AGAIN;
}


static void
ngx_govsvc_redis_conn_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t                i;
    ngx_resolver_addr_t      *addr;
    ngx_govsvc_redis_conn_t  *conn;

    conn = ctx->data;
    conn->resolving = NULL;

    if (ctx->state != 0 || ctx->naddrs == 0) {
        ngx_resolve_name_done(ctx);
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN,
                                    "the name cannot be resolved");
        return;
    }

    i = (ngx_uint_t) ngx_random() % ctx->naddrs;
    addr = &ctx->addrs[i];

    ngx_memcpy(&conn->sockaddr, addr->sockaddr, addr->socklen);
    ngx_inet_set_port(&conn->sockaddr.sockaddr, (in_port_t) conn->peer.port);
    conn->pc.socklen = addr->socklen;

    ngx_resolve_name_done(ctx);
    ngx_govsvc_redis_conn_connect(conn);
}


static void
ngx_govsvc_redis_conn_connect(ngx_govsvc_redis_conn_t *conn)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    conn->pc.sockaddr = &conn->sockaddr.sockaddr;
    conn->pc.name = &conn->peer.host;
    conn->pc.get = ngx_event_get_peer;
    conn->pc.log = conn->log;
    conn->pc.log_error = NGX_ERROR_INFO;

    rc = ngx_event_connect_peer(&conn->pc);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN,
                                    "cannot connect");
        return;
    }

    c = conn->pc.connection;
    c->data = conn;
    c->pool = conn->pool;
    c->idle = 1;
    c->read->handler = ngx_govsvc_redis_conn_read_handler;
    c->write->handler = ngx_govsvc_redis_conn_write_handler;

    if (rc == NGX_OK) {
        ngx_govsvc_redis_conn_connected(conn);
    }
}


static void
ngx_govsvc_redis_conn_connected(ngx_govsvc_redis_conn_t *conn)
{
    ngx_connection_t  *c;

    c = conn->pc.connection;

    if (ngx_govsvc_peer_connected(c) != NGX_OK) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN,
                                    "the connection was refused");
        return;
    }

    if (conn->peer.port != 0 && ngx_tcp_nodelay(c) != NGX_OK) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN,
                                    "TCP_NODELAY failed");
        return;
    }

    if (conn->rd->ssl != NULL) {
        ngx_govsvc_redis_conn_tls(conn);
        return;
    }

    ngx_govsvc_redis_hello(conn);
}


static void
ngx_govsvc_redis_conn_tls(ngx_govsvc_redis_conn_t *conn)
{
    ngx_int_t    rc;
    ngx_str_t    name;
    const char  *wrong;

    rc = ngx_govsvc_redis_conn_tls_name(conn, &name);

    rc = ngx_govsvc_peer_handshake(conn->pc.connection, conn->rd->ssl,
                                   rc == NGX_OK ? &name : NULL,
                                   ngx_govsvc_redis_conn_tls_handler, &wrong);

    if (rc == NGX_ERROR) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN, wrong);
        return;
    }

    if (rc == NGX_OK) {
        ngx_govsvc_redis_conn_tls_done(conn);
    }
}


static void
ngx_govsvc_redis_conn_tls_handler(ngx_connection_t *c)
{
    ngx_govsvc_redis_conn_tls_done(c->data);
}


static void
ngx_govsvc_redis_conn_tls_done(ngx_govsvc_redis_conn_t *conn)
{
    ngx_int_t          rc;
    ngx_str_t          name;
    const char        *wrong;
    ngx_connection_t  *c;

    c = conn->pc.connection;
    wrong = c->ssl->handshaked ? NULL : "the TLS handshake failed";

    if (conn->rd->tls_verify) {
        rc = ngx_govsvc_redis_conn_tls_name(conn, &name);
        wrong = ngx_govsvc_peer_verify(c, &name, rc != NGX_OK);
    }

    if (wrong != NULL) {
        ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_DOWN, wrong);
        return;
    }

    c->read->handler = ngx_govsvc_redis_conn_read_handler;
    c->write->handler = ngx_govsvc_redis_conn_write_handler;

    ngx_govsvc_redis_hello(conn);
}


/* The name for SNI and for the certificate; NGX_DECLINED for an address. */

static ngx_int_t
ngx_govsvc_redis_conn_tls_name(ngx_govsvc_redis_conn_t *conn, ngx_str_t *name)
{
    ngx_addr_t  addr;

    *name = conn->rd->tls_name;

    if (name->len != 0) {
        return NGX_OK;
    }

    *name = conn->peer.host;

    if (conn->peer.port == 0
        || ngx_parse_addr(conn->pool, &addr, name->data, name->len) == NGX_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_govsvc_redis_conn_read_handler(ngx_event_t *rev)
{
    ngx_connection_t         *c;
    ngx_govsvc_redis_conn_t  *conn;

    c = rev->data;
    conn = c->data;

    if (c->close) {

        /*
         * The worker shuts down.  Requests that it still serves need their
         * limits and nonces: only what follows a stream ends at once.
         */

        if (c->error || conn->quits) {
            ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED,
                                        "the worker shuts down");
            return;
        }

        c->close = 0;
        return;
    }

    if (conn->state == NGX_GOVSVC_REDIS_CONN_CONNECT) {
        ngx_govsvc_redis_conn_connected(conn);
        return;
    }

    ngx_govsvc_redis_queue_read(conn);
}


static void
ngx_govsvc_redis_conn_write_handler(ngx_event_t *wev)
{
    ngx_connection_t         *c;
    ngx_govsvc_redis_conn_t  *conn;

    c = wev->data;
    conn = c->data;

    if (conn->state == NGX_GOVSVC_REDIS_CONN_CONNECT) {
        ngx_govsvc_redis_conn_connected(conn);
        return;
    }

    ngx_govsvc_redis_queue_flush(conn);
}


void
ngx_govsvc_redis_conn_close(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_status_e status, const char *reason)
{
    ngx_queue_t              *q;
    ngx_govsvc_redis_call_t  *call;

    if (conn->state == NGX_GOVSVC_REDIS_CONN_CLOSED) {
        return;
    }

    conn->state = NGX_GOVSVC_REDIS_CONN_CLOSED;
    conn->status = status;
    (void) ngx_cpystrn(conn->reason, (u_char *) reason, sizeof(conn->reason));

    ngx_govsvc_redis_conn_enter(conn);
    ngx_govsvc_redis_conn_shut(conn);

    /* the owner first: what the calls do next must not come back here */

    if (conn->lost != NULL) {
        conn->lost(conn);
    }

    while (!ngx_queue_empty(&conn->calls)) {
        q = ngx_queue_head(&conn->calls);
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is a ring */
        ngx_queue_remove(q);
        conn->ncalls--;

        call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);
        call->queued = 0;

        if (conn->done != NULL) {
            conn->done(conn, call,
                       call->written ? status : NGX_GOVSVC_REDIS_DOWN, NULL);
        }
    }

    conn->freed = 1;
    ngx_govsvc_redis_conn_leave(conn);
}


void
ngx_govsvc_redis_conn_drop(ngx_govsvc_redis_conn_t *conn)
{
    conn->lost = NULL;
    conn->done = NULL;

    ngx_govsvc_redis_conn_close(conn, NGX_GOVSVC_REDIS_CLOSED, "");
}


static void
ngx_govsvc_redis_conn_shut(ngx_govsvc_redis_conn_t *conn)
{
    ngx_connection_t  *c;

    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    if (conn->flush.posted) {
        ngx_delete_posted_event(&conn->flush);
    }

    if (conn->resolving != NULL) {
        ngx_resolve_name_done(conn->resolving);
        conn->resolving = NULL;
    }

    c = conn->pc.connection;

    if (c != NULL) {
        if (c->ssl != NULL) {
            c->ssl->no_wait_shutdown = 1;
            c->ssl->no_send_shutdown = 1;
            (void) ngx_ssl_shutdown(c);
        }

        ngx_close_connection(c);
        conn->pc.connection = NULL;
    }
}


/* Between the two the memory stays, whatever handlers do. */

void
ngx_govsvc_redis_conn_enter(ngx_govsvc_redis_conn_t *conn)
{
    conn->entered++;
}


void
ngx_govsvc_redis_conn_leave(ngx_govsvc_redis_conn_t *conn)
{
    conn->entered--;

    if (conn->entered != 0 || !conn->freed) {
        return;
    }

    ngx_govsvc_redis_reader_free(conn->reader);

    if (conn->out != NULL) {
        ngx_free(conn->out);
    }

    if (conn->in != NULL) {
        ngx_free(conn->in);
    }

    ngx_destroy_pool(conn->pool);
}
