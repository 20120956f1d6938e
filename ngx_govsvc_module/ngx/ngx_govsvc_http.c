
/*
 * Copyright (C) govsvc authors
 *
 * The HTTP client on its way: resolve, connect, TLS, send, read.  Whatever
 * ends it closes the connection at once; the handler is called from a posted
 * event, so never inside a call of its own.
 */


#include "ngx/ngx_govsvc_http_priv.h"


#define NGX_GOVSVC_HTTP_READ  8192


static ngx_int_t ngx_govsvc_http_prepare(ngx_govsvc_http_t *h,
    const ngx_govsvc_http_request_t *request);
static void ngx_govsvc_http_numeric(ngx_govsvc_http_t *h);
static void ngx_govsvc_http_resolve(ngx_govsvc_http_t *h);
static void ngx_govsvc_http_resolved(ngx_resolver_ctx_t *ctx);
static void ngx_govsvc_http_connect(ngx_govsvc_http_t *h);
static ngx_int_t ngx_govsvc_http_open(ngx_govsvc_http_t *h,
    ngx_govsvc_peer_addr_t *addr);
static void ngx_govsvc_http_event(ngx_event_t *ev);
static void ngx_govsvc_http_connecting(ngx_govsvc_http_t *h,
    ngx_connection_t *c);
static void ngx_govsvc_http_connected(ngx_govsvc_http_t *h);
static void ngx_govsvc_http_handshake(ngx_govsvc_http_t *h,
    ngx_connection_t *c);
static void ngx_govsvc_http_shaken(ngx_connection_t *c);
static void ngx_govsvc_http_send(ngx_govsvc_http_t *h, ngx_connection_t *c);
static void ngx_govsvc_http_read(ngx_govsvc_http_t *h, ngx_connection_t *c);
static void ngx_govsvc_http_invalid(ngx_govsvc_http_t *h);
static void ngx_govsvc_http_step(ngx_govsvc_http_t *h, ngx_msec_t wait,
    const char *step);
static void ngx_govsvc_http_timeout(ngx_event_t *ev);
static void ngx_govsvc_http_finish(ngx_govsvc_http_t *h,
    ngx_govsvc_http_error_e error, const char *text);
static void ngx_govsvc_http_stop(ngx_govsvc_http_t *h);
static void ngx_govsvc_http_close(ngx_govsvc_http_t *h);
static void ngx_govsvc_http_done(ngx_event_t *ev);


/* of this process: so that none is left open at the exit */

static ngx_queue_t  ngx_govsvc_http_open_queue;


ngx_govsvc_http_t *
ngx_govsvc_http_start(const ngx_govsvc_http_target_t *t,
    const ngx_govsvc_http_request_t *request, ngx_log_t *log)
{
    ngx_pool_t         *pool;
    ngx_govsvc_http_t  *h;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return NULL;
    }

    pool = ngx_create_pool(4096, log);
    if (pool == NULL) {
        return NULL;
    }

    h = ngx_pcalloc(pool, sizeof(ngx_govsvc_http_t));

    if (h == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    h->pool = pool;
    h->target = t;
    h->log = *log;
    h->log.handler = NULL;
    h->log.action = NULL;

    if (ngx_govsvc_http_prepare(h, request) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    if (ngx_govsvc_http_open_queue.next == NULL) {
        ngx_queue_init(&ngx_govsvc_http_open_queue);
    }

    ngx_queue_insert_tail(&ngx_govsvc_http_open_queue, &h->queue);

    if (t->url.numeric) {
        ngx_govsvc_http_numeric(h);

    } else {
        ngx_govsvc_http_resolve(h);
    }

    return h;
}


static ngx_int_t
ngx_govsvc_http_prepare(ngx_govsvc_http_t *h,
    const ngx_govsvc_http_request_t *request)
{
    h->allow = request->allow;
    h->handler = request->handler;
    h->data = request->data;
    h->start = ngx_current_msec;

    h->dummy.fd = (ngx_socket_t) -1;
    h->dummy.data = h;

    h->timer.handler = ngx_govsvc_http_timeout;
    h->timer.data = &h->dummy;
    h->timer.log = &h->log;
    h->timer.cancelable = 1;

    h->done.handler = ngx_govsvc_http_done;
    h->done.data = &h->dummy;
    h->done.log = &h->log;

    if (request->method == NULL) {
        return NGX_OK;
    }

    if (ngx_govsvc_http_build(h, request) != NGX_OK) {
        return NGX_ERROR;
    }

    h->mem = ngx_govsvc_mem(h->pool);

    if (h->mem == NULL
        || gs_http_response_init(&h->response, h->mem, h->target->max_head,
                                 h->target->max_body,
                                 ngx_strcmp(request->method, "HEAD") == 0)
           != GS_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_govsvc_http_numeric(ngx_govsvc_http_t *h)
{
    ngx_govsvc_peer_net(&h->addrs[0], &h->target->url.address);
    h->naddrs = (h->addrs[0].len != 0);

    ngx_govsvc_http_connect(h);
}


static void
ngx_govsvc_http_resolve(ngx_govsvc_http_t *h)
{
    ngx_resolver_ctx_t  *ctx;

    ctx = ngx_resolve_start(h->target->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_RESOLVE,
                               "the name cannot be resolved");
        return;
    }

    ctx->name = h->target->host;
    ctx->handler = ngx_govsvc_http_resolved;
    ctx->data = h;
    ctx->timeout = h->target->total_timeout;
    ctx->cancelable = 1;

    h->resolve = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        h->resolve = NULL;                 /* the resolver has freed it */
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_RESOLVE,
                               "the name cannot be resolved");
    }
}


static void
ngx_govsvc_http_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_govsvc_http_t  *h;

    h = ctx->data;

    if (ctx->state != 0) {
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_RESOLVE,
                               ngx_resolver_strerror(ctx->state));
        return;
    }

    h->naddrs = ngx_govsvc_peer_found(ctx, h->addrs, NGX_GOVSVC_HTTP_ADDRS);
    h->resolve = NULL;
    ngx_resolve_name_done(ctx);

    ngx_govsvc_http_connect(h);
}


/* The next address that can be connected to. */

static void
ngx_govsvc_http_connect(ngx_govsvc_http_t *h)
{
    ngx_int_t                rc;
    ngx_uint_t               tried;
    ngx_govsvc_peer_addr_t  *addr;

    tried = 0;

    if (ngx_exiting) {
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_QUIT, "the worker quits");
        return;
    }

    while (h->next < h->naddrs) {
        addr = &h->addrs[h->next++];

        ngx_inet_set_port(&addr->addr.sockaddr, h->target->url.port);

        if (h->allow != NULL
            && h->allow(h->data, &addr->addr.sockaddr, addr->len) != NGX_OK)
        {
            continue;
        }

        tried = 1;
        rc = ngx_govsvc_http_open(h, addr);

        if (rc == NGX_OK) {
            ngx_govsvc_http_connected(h);
            return;
        }

        if (rc == NGX_AGAIN) {
            ngx_govsvc_http_step(h, h->target->connect_timeout,
                                 "no connection in time");
            return;
        }
    }

    if (!tried && h->allow != NULL && h->text == NULL) {
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_VETO,
                               "no address is allowed");
        return;
    }

    ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_CONNECT, "no connection");
}


static ngx_int_t
ngx_govsvc_http_open(ngx_govsvc_http_t *h, ngx_govsvc_peer_addr_t *addr)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    ngx_memzero(&h->peer, sizeof(ngx_peer_connection_t));

    h->peer.sockaddr = &addr->addr.sockaddr;
    h->peer.socklen = addr->len;
    h->peer.name = (ngx_str_t *) &h->target->host;
    h->peer.get = ngx_event_get_peer;
    h->peer.log = &h->log;
    h->peer.log_error = NGX_ERROR_ERR;

    rc = ngx_event_connect_peer(&h->peer);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        h->peer.connection = NULL;
        return NGX_ERROR;
    }

    c = h->peer.connection;

    c->data = h;
    c->pool = h->pool;
    c->log = &h->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_govsvc_http_event;
    c->write->handler = ngx_govsvc_http_event;
    c->sendfile = 0;

    /* a worker that quits does not wait for us */

    c->idle = 1;

    return rc;
}


static void
ngx_govsvc_http_event(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ngx_govsvc_http_t  *h;

    c = ev->data;
    h = c->data;

    if (c->close) {
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_QUIT, "the worker quits");

    } else if (!h->connected) {
        ngx_govsvc_http_connecting(h, c);

    } else if (!h->sent) {
        ngx_govsvc_http_send(h, c);

    } else {
        ngx_govsvc_http_read(h, c);
    }
}


static void
ngx_govsvc_http_connecting(ngx_govsvc_http_t *h, ngx_connection_t *c)
{
    if (ngx_govsvc_peer_connected(c) != NGX_OK) {
        h->text = "no connection";         /* an address was tried */
        ngx_govsvc_http_close(h);
        ngx_govsvc_http_connect(h);
        return;
    }

    if (c->write->ready) {
        ngx_govsvc_http_connected(h);
    }
}


static void
ngx_govsvc_http_connected(ngx_govsvc_http_t *h)
{
    ngx_connection_t  *c;

    c = h->peer.connection;
    h->connected = 1;

    if (h->target->ssl != NULL) {
        ngx_govsvc_http_handshake(h, c);
        return;
    }

    ngx_govsvc_http_send(h, c);
}


static void
ngx_govsvc_http_handshake(ngx_govsvc_http_t *h, ngx_connection_t *c)
{
    ngx_int_t                        rc;
    const char                      *wrong;
    const ngx_govsvc_http_target_t  *t;

    t = h->target;

    rc = ngx_govsvc_peer_handshake(c, t->ssl,
                                   ngx_govsvc_http_is_address(t)
                                       ? NULL : (ngx_str_t *) &t->ssl_name,
                                   ngx_govsvc_http_shaken, &wrong);

    if (rc == NGX_ERROR) {
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_TLS, wrong);
        return;
    }

    if (rc == NGX_AGAIN) {
        ngx_govsvc_http_step(h, t->connect_timeout,
                             "no TLS handshake in time");
        return;
    }

    ngx_govsvc_http_shaken(c);
}


static void
ngx_govsvc_http_shaken(ngx_connection_t *c)
{
    const char                      *wrong;
    ngx_govsvc_http_t               *h;
    const ngx_govsvc_http_target_t  *t;

    h = c->data;
    t = h->target;

    wrong = ngx_govsvc_peer_verify(c, (ngx_str_t *) &t->ssl_name,
                                   ngx_govsvc_http_is_address(t));

    if (wrong != NULL) {
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_TLS, wrong);
        return;
    }

    c->read->handler = ngx_govsvc_http_event;
    c->write->handler = ngx_govsvc_http_event;

    ngx_govsvc_http_send(h, c);
}


static void
ngx_govsvc_http_send(ngx_govsvc_http_t *h, ngx_connection_t *c)
{
    ssize_t     n;
    ngx_buf_t  *b;

    b = h->request;

    if (b == NULL) {
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_OK, "ok");
        return;
    }

    while (b->pos < b->last) {

        n = c->send(c, b->pos, (size_t) (b->last - b->pos));

        if (n > 0) {
            b->pos += n;
            continue;
        }

        if (n != NGX_AGAIN || ngx_handle_write_event(c->write, 0) != NGX_OK
            || ngx_handle_read_event(c->read, 0) != NGX_OK)
        {
            ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_SEND,
                                   "the request could not be sent");
            return;
        }

        ngx_govsvc_http_step(h, h->target->send_timeout,
                             "the request was not taken in time");
        return;
    }

    h->sent = 1;

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_SEND,
                               "the request could not be sent");
        return;
    }

    ngx_govsvc_http_read(h, c);
}


static void
ngx_govsvc_http_read(ngx_govsvc_http_t *h, ngx_connection_t *c)
{
    u_char   buf[NGX_GOVSVC_HTTP_READ];
    gs_rc_t  rc;
    ssize_t  n;

    for ( ;; ) {

        n = c->recv(c, buf, NGX_GOVSVC_HTTP_READ);

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                n = NGX_ERROR;

            } else {
                ngx_govsvc_http_step(h, h->target->read_timeout,
                                     "no answer in time");
                return;
            }
        }

        if (n == NGX_ERROR) {
            ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_READ,
                                   "the connection broke");
            return;
        }

        rc = n == 0 ? gs_http_response_eof(&h->response)
                    : gs_http_response_feed(&h->response, buf, (size_t) n);

        if (rc == GS_OK) {
            ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_OK, "ok");
            return;
        }

        if (rc == GS_ERROR) {
            ngx_govsvc_http_invalid(h);
            return;
        }
    }
}


static void
ngx_govsvc_http_invalid(ngx_govsvc_http_t *h)
{
    ngx_govsvc_http_error_e  error;

    error = NGX_GOVSVC_HTTP_INVALID;

    if (h->response.too_large) {
        error = NGX_GOVSVC_HTTP_TOO_LARGE;

    } else if (h->response.no_memory) {
        error = NGX_GOVSVC_HTTP_MEMORY;
    }

    ngx_govsvc_http_finish(h, error, h->response.error);
}


/* A step's time, or what the whole has left. */

static void
ngx_govsvc_http_step(ngx_govsvc_http_t *h, ngx_msec_t wait, const char *step)
{
    ngx_msec_t  spent;

    spent = ngx_current_msec - h->start;

    if (spent >= h->target->total_timeout) {
        wait = 1;

    } else if (wait > h->target->total_timeout - spent) {
        wait = h->target->total_timeout - spent;
    }

    h->step = step;

    /* not ngx_add_timer() alone: it keeps a timer that is nearly the same */

    if (h->timer.timer_set) {
        ngx_del_timer(&h->timer);
    }

    ngx_add_timer(&h->timer, wait);
}


static void
ngx_govsvc_http_timeout(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ngx_govsvc_http_t  *h;

    c = ev->data;
    h = c->data;

    if (!h->connected && h->next < h->naddrs
        && ngx_current_msec - h->start < h->target->total_timeout)
    {
        h->text = "no connection";
        ngx_govsvc_http_close(h);
        ngx_govsvc_http_connect(h);
        return;
    }

    ngx_govsvc_http_finish(h, NGX_GOVSVC_HTTP_TIMEOUT, h->step);
}


static void
ngx_govsvc_http_finish(ngx_govsvc_http_t *h, ngx_govsvc_http_error_e error,
    const char *text)
{
    if (h->finished) {
        return;
    }

    h->finished = 1;
    h->error = error;
    h->text = text;

    ngx_govsvc_http_stop(h);

    ngx_post_event(&h->done, &ngx_posted_events);
}


static void
ngx_govsvc_http_stop(ngx_govsvc_http_t *h)
{
    if (h->timer.timer_set) {
        ngx_del_timer(&h->timer);
    }

    if (h->resolve != NULL) {
        ngx_resolve_name_done(h->resolve);
        h->resolve = NULL;
    }

    ngx_govsvc_http_close(h);
}


static void
ngx_govsvc_http_close(ngx_govsvc_http_t *h)
{
    ngx_connection_t  *c;

    c = h->peer.connection;

    if (c == NULL) {
        return;
    }

    h->peer.connection = NULL;

    if (c->ssl != NULL) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = (h->error != NGX_GOVSVC_HTTP_OK);

        (void) ngx_ssl_shutdown(c);

        /* what is left in the queue would be taken for another's error */

        ERR_clear_error();
    }

    ngx_close_connection(c);
}


static void
ngx_govsvc_http_done(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_govsvc_http_t         *h;
    ngx_govsvc_http_result_t   result;

    c = ev->data;
    h = c->data;

    ngx_memzero(&result, sizeof(ngx_govsvc_http_result_t));

    result.error = h->error;
    result.text = h->text;
    result.response = &h->response;

    if (h->error == NGX_GOVSVC_HTTP_OK) {
        result.status = h->response.status;
    }

    h->calling = 1;
    h->handler(h->data, &result);

    ngx_queue_remove(&h->queue);
    ngx_destroy_pool(h->pool);
}


void
ngx_govsvc_http_cancel(ngx_govsvc_http_t *h)
{
    if (h->calling) {
        return;
    }

    h->finished = 1;
    ngx_govsvc_http_stop(h);

    if (h->done.posted) {
        ngx_delete_posted_event(&h->done);
    }

    ngx_queue_remove(&h->queue);
    ngx_destroy_pool(h->pool);
}


void
ngx_govsvc_http_exit_process(ngx_cycle_t *cycle)
{
    ngx_queue_t        *q;
    ngx_govsvc_http_t  *h;

    if (ngx_govsvc_http_open_queue.next == NULL) {
        return;
    }

    while (!ngx_queue_empty(&ngx_govsvc_http_open_queue)) {
        q = ngx_queue_head(&ngx_govsvc_http_open_queue);
        h = ngx_queue_data(q, ngx_govsvc_http_t, queue);

        ngx_govsvc_http_cancel(h);
    }
}
