
/*
 * Copyright (C) govsvc authors
 *
 * Requests that wait for keys: a token came before its key did.  Each waits
 * once, for a short time, and then decides with what there is.
 */


#include "http/ngx_http_govsvc_jwks.h"


#define NGX_HTTP_GOVSVC_JWKS_WAITING  4096
#define NGX_HTTP_GOVSVC_JWKS_FIRST    1000 /* ms, as long as there is no key */


typedef struct {
    ngx_queue_t              queue;
    ngx_http_request_t      *request;
    ngx_http_govsvc_jwks_t  *jwks;
    ngx_event_t              event;
    unsigned                 waiting:1;
} ngx_http_govsvc_jwks_wait_t;


static ngx_http_govsvc_jwks_wait_t *ngx_http_govsvc_jwks_waited(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_govsvc_jwks_park(ngx_http_request_t *r,
    ngx_http_govsvc_jwks_t *j, ngx_msec_t wait);
static void ngx_http_govsvc_jwks_timeout(ngx_event_t *ev);
static void ngx_http_govsvc_jwks_resume(ngx_http_govsvc_jwks_wait_t *w);
static void ngx_http_govsvc_jwks_leave(void *data);


ngx_int_t
ngx_http_govsvc_jwks_missing(ngx_http_request_t *r,
    ngx_http_govsvc_issuer_t *is, void *data)
{
    ngx_http_govsvc_jwks_t *j = data;

    ngx_msec_t                    throttle;
    ngx_http_govsvc_jwks_wait_t  *w;

    w = ngx_http_govsvc_jwks_waited(r);

    if (w != NULL) {
        return w->waiting ? NGX_AGAIN : NGX_DECLINED;
    }

    if (j->nwaiting >= NGX_HTTP_GOVSVC_JWKS_WAITING) {
        return NGX_DECLINED;
    }

    /* another worker may have brought it this very moment */

    if (ngx_http_govsvc_jwks_load(j) == NGX_OK) {
        return ngx_http_govsvc_jwks_park(r, j, 1);
    }

    throttle = ngx_http_govsvc_keys_generation(is) != 0
                   ? j->min_refetch
                   : ngx_min(j->min_refetch, NGX_HTTP_GOVSVC_JWKS_FIRST);

    if (ngx_http_govsvc_jwks_fetch(j, throttle) != NGX_OK || j->wait == 0) {
        return NGX_DECLINED;
    }

    return ngx_http_govsvc_jwks_park(r, j, j->wait);
}


static ngx_http_govsvc_jwks_wait_t *
ngx_http_govsvc_jwks_waited(ngx_http_request_t *r)
{
    ngx_http_cleanup_t  *cln;

    for (cln = r->main->cleanup; cln != NULL; cln = cln->next) {
        if (cln->handler == ngx_http_govsvc_jwks_leave) {
            return cln->data;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_govsvc_jwks_park(ngx_http_request_t *r, ngx_http_govsvc_jwks_t *j,
    ngx_msec_t wait)
{
    ngx_http_cleanup_t           *cln;
    ngx_http_govsvc_jwks_wait_t  *w;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_govsvc_jwks_wait_t));
    if (cln == NULL) {
        return NGX_DECLINED;
    }

    w = cln->data;
    ngx_memzero(w, sizeof(ngx_http_govsvc_jwks_wait_t));

    cln->handler = ngx_http_govsvc_jwks_leave;

    w->request = r;
    w->jwks = j;
    w->waiting = 1;
    w->event.handler = ngx_http_govsvc_jwks_timeout;
    w->event.data = w;
    w->event.log = r->connection->log;

    ngx_queue_insert_tail(&j->waiting, &w->queue);
    j->nwaiting++;

    /* a client that goes away is noticed, other events mean nothing */

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        ngx_http_govsvc_jwks_leave(w);
        return NGX_DECLINED;
    }

    ngx_add_timer(&w->event, wait);

    if (j->http == NULL && j->nwaiting == 1 && j->event.timer_set) {
        ngx_del_timer(&j->event);
        ngx_add_timer(&j->event, NGX_HTTP_GOVSVC_JWKS_QUICK);
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "govsvc jwks: waits %M ms for keys", wait);

    return NGX_AGAIN;
}


static void
ngx_http_govsvc_jwks_timeout(ngx_event_t *ev)
{
    ngx_http_govsvc_jwks_resume(ev->data);
}


void
ngx_http_govsvc_jwks_wake(ngx_http_govsvc_jwks_t *j)
{
    ngx_queue_t                  *q;
    ngx_http_govsvc_jwks_wait_t  *w;

    /* by their timers: each may end another that is in the queue */

    for (q = ngx_queue_head(&j->waiting);
         q != ngx_queue_sentinel(&j->waiting);
         q = ngx_queue_next(q))
    {
        w = ngx_queue_data(q, ngx_http_govsvc_jwks_wait_t, queue);

        if (!w->event.posted) {
            ngx_post_event(&w->event, &ngx_posted_events);
        }
    }
}


static void
ngx_http_govsvc_jwks_resume(ngx_http_govsvc_jwks_wait_t *w)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = w->request;
    c = r->connection;

    ngx_http_govsvc_jwks_leave(w);

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}


/* Also when the request ends while it waits. */

static void
ngx_http_govsvc_jwks_leave(void *data)
{
    ngx_http_govsvc_jwks_wait_t *w = data;

    if (!w->waiting) {
        return;
    }

    w->waiting = 0;
    w->jwks->nwaiting--;
    ngx_queue_remove(&w->queue);

    if (w->event.timer_set) {
        ngx_del_timer(&w->event);
    }

    if (w->event.posted) {
        ngx_delete_posted_event(&w->event);
    }
}
