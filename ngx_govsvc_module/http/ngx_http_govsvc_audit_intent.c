
/*
 * Copyright (C) govsvc authors
 *
 * Audit before the request has any effect: the last stage before the platform
 * is asked.  Where the route wants it, the intent is on the disk before the
 * request goes on; every request that goes on is known as being in flight, so
 * that its end is told even if it has none.
 */


#include "http/ngx_http_govsvc_audit_priv.h"
#include "core/gs_b64.h"


#define NGX_HTTP_GOVSVC_AUDIT_RETRY  5     /* s, for who was refused */
#define NGX_HTTP_GOVSVC_AUDIT_TRIES  50    /* times 10 ms, at exit */


static ngx_int_t ngx_http_govsvc_audit_enter(ngx_http_request_t *r,
    ngx_http_govsvc_audit_chain_t *chain, ngx_http_govsvc_audit_req_t *req,
    ngx_http_govsvc_audit_loc_conf_t *alcf);
static void ngx_http_govsvc_audit_fly(ngx_http_request_t *r,
    ngx_http_govsvc_audit_chain_t *chain, ngx_http_govsvc_audit_req_t *req);
static ngx_int_t ngx_http_govsvc_audit_suspend(ngx_http_request_t *r,
    ngx_http_govsvc_audit_chain_t *chain, ngx_http_govsvc_audit_req_t *req);
static void ngx_http_govsvc_audit_put_intent(
    ngx_http_govsvc_audit_chain_t *chain, ngx_http_govsvc_audit_req_t *req);
static void ngx_http_govsvc_audit_timeout(ngx_event_t *ev);
static ngx_int_t ngx_http_govsvc_audit_answer(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_audit_wake(ngx_http_govsvc_audit_req_t *req,
    ngx_uint_t phase);
static void ngx_http_govsvc_audit_unwait(ngx_http_govsvc_audit_req_t *req);
static void ngx_http_govsvc_audit_cleanup(void *data);


ngx_http_govsvc_audit_req_t *
ngx_http_govsvc_audit_req(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_govsvc_audit_req_t  *req;

    if (ctx->audit_data != NULL) {
        return ctx->audit_data;
    }

    cln = ngx_pool_cleanup_add(r->main->pool,
                               sizeof(ngx_http_govsvc_audit_req_t));
    if (cln == NULL) {
        return NULL;
    }

    req = cln->data;
    ngx_memzero(req, sizeof(ngx_http_govsvc_audit_req_t));

    req->request = r->main;

    cln->handler = ngx_http_govsvc_audit_cleanup;
    ctx->audit_data = req;

    return req;
}


ngx_int_t
ngx_http_govsvc_audit_intent_handler(ngx_http_request_t *r)
{
    ngx_int_t                          rc;
    ngx_http_govsvc_ctx_t             *ctx;
    ngx_http_govsvc_audit_req_t       *req;
    ngx_http_govsvc_audit_chain_t     *chain;
    ngx_http_govsvc_audit_loc_conf_t  *alcf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_audit_module);
    chain = ngx_http_govsvc_audit_chain();

    if (alcf->level == NGX_HTTP_GOVSVC_AUDIT_OFF || chain == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    req = ngx_http_govsvc_audit_req(r, ctx);
    if (req == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_govsvc_audit_enter(r, chain, req, alcf);

    if (rc == NGX_BUSY) {
        ctx->retry_after = NGX_HTTP_GOVSVC_AUDIT_RETRY;
        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_AUDIT_UNAVAILABLE);
    }

    return rc;
}


/* NGX_BUSY: the record cannot be kept, so the request must not go on. */

static ngx_int_t
ngx_http_govsvc_audit_enter(ngx_http_request_t *r,
    ngx_http_govsvc_audit_chain_t *chain, ngx_http_govsvc_audit_req_t *req,
    ngx_http_govsvc_audit_loc_conf_t *alcf)
{
    switch (req->phase) {

    case NGX_HTTP_GOVSVC_AUDIT_WAITS:
        return NGX_AGAIN;

    case NGX_HTTP_GOVSVC_AUDIT_FAILED:
        return (chain->amcf->on_error == NGX_HTTP_GOVSVC_AUDIT_FAIL_OPEN)
               ? NGX_DECLINED : NGX_BUSY;

    case NGX_HTTP_GOVSVC_AUDIT_SAFE:
        return NGX_DECLINED;
    }

    req->cls = alcf->cls;

    if (ngx_http_govsvc_audit_state(chain) >= NGX_HTTP_GOVSVC_AUDIT_READ_ONLY
        && (chain->amcf->on_error == NGX_HTTP_GOVSVC_AUDIT_FAIL_CLOSED
            || (chain->amcf->on_error == NGX_HTTP_GOVSVC_AUDIT_ONLY_READ
                && (alcf->cls != GS_AUDIT_READ || alcf->intent))))
    {
        return NGX_BUSY;
    }

    ngx_http_govsvc_audit_fly(r, chain, req);

    if (!alcf->intent) {
        return NGX_DECLINED;
    }

    req->receipt = alcf->receipt;

    return ngx_http_govsvc_audit_suspend(r, chain, req);
}


/* In flight: found at exit, and by who goes on with the chain of the dead. */

static void
ngx_http_govsvc_audit_fly(ngx_http_request_t *r,
    ngx_http_govsvc_audit_chain_t *chain, ngx_http_govsvc_audit_req_t *req)
{
    uint32_t                         i;
    ngx_http_govsvc_ctx_t           *ctx;
    ngx_http_govsvc_audit_flight_t  *flight;

    if (req->flies) {
        return;
    }

    ngx_queue_insert_tail(&chain->flights, &req->flight_queue);
    req->flies = 1;
    req->slot = NULL;

    if (chain->nfree == 0) {
        return;
    }

    i = chain->free[--chain->nfree];
    flight = &chain->slot->flights[i];
    ctx = ngx_http_govsvc_get_ctx(r);

    flight->intent = 0;
    flight->put = 0;
    flight->told = 0;
    flight->count = 0;
    flight->start = ctx->start;
    ngx_memcpy(flight->id, ctx->request_id.data, sizeof(flight->id));

    __atomic_store_n(&flight->used, 1, __ATOMIC_RELEASE);

    gs_fault("audit_flight");

    req->slot = flight;
}


void
ngx_http_govsvc_audit_land(ngx_http_govsvc_audit_chain_t *chain,
    ngx_http_govsvc_audit_req_t *req)
{
    if (!req->flies) {
        return;
    }

    ngx_queue_remove(&req->flight_queue);
    req->flies = 0;

    if (req->slot != NULL) {
        chain->free[chain->nfree++] = (uint32_t) (req->slot
                                                  - chain->slot->flights);
        __atomic_store_n(&req->slot->used, 0, __ATOMIC_RELEASE);
        req->slot = NULL;
    }
}


static ngx_int_t
ngx_http_govsvc_audit_suspend(ngx_http_request_t *r,
    ngx_http_govsvc_audit_chain_t *chain, ngx_http_govsvc_audit_req_t *req)
{
    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_govsvc_audit_put_intent(chain, req);

    req->phase = NGX_HTTP_GOVSVC_AUDIT_WAITS;
    ngx_queue_insert_tail(&chain->waits, &req->wait_queue);

    req->timer.handler = ngx_http_govsvc_audit_timeout;
    req->timer.data = &req->dummy;
    req->timer.log = r->connection->log;
    req->dummy.data = req;
    req->dummy.fd = r->connection->fd;

    ngx_add_timer(&req->timer, chain->amcf->wait);

    /* a client that goes away is noticed meanwhile */

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_govsvc_writer_wait(chain->writer, req->pos);

    return NGX_AGAIN;
}


/* Without room it waits for some. */

static void
ngx_http_govsvc_audit_put_intent(ngx_http_govsvc_audit_chain_t *chain,
    ngx_http_govsvc_audit_req_t *req)
{
    u_char             code[NGX_HTTP_GOVSVC_AUDIT_CODE];
    gs_audit_record_t  rec;

    ngx_http_govsvc_audit_compose(req->request, &rec, GS_AUDIT_INTENT, code);

    rec.g = 0;
    req->pos = ngx_http_govsvc_audit_put(chain, &rec, req->cls, req->slot);

    if (req->pos == 0) {
        return;
    }

    req->intent = rec.g;
    req->rec = chain->last;

    gs_fault("audit_intent");
}


/* Their room in the ring is used again after this. */

void
ngx_http_govsvc_audit_safe(void *data, uint64_t pos)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    ngx_queue_t                  *q;
    ngx_http_govsvc_audit_req_t  *req;

    for (q = ngx_queue_head(&chain->waits);
         q != ngx_queue_sentinel(&chain->waits);
         q = ngx_queue_next(q))
    {
        req = ngx_queue_data(q, ngx_http_govsvc_audit_req_t, wait_queue);

        if (req->pos == 0 || req->pos > pos || req->sealed) {
            continue;
        }

        ngx_memcpy(req->seal, ngx_govsvc_writer_seal(req->rec),
                   GS_AUDIT_HASH);
        req->sealed = 1;
    }
}


void
ngx_http_govsvc_audit_ready(void *data)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    uint64_t                      pos;
    ngx_uint_t                    more;
    ngx_queue_t                  *q, *next, ready;
    ngx_http_govsvc_audit_req_t  *req;

    ngx_queue_init(&ready);
    pos = 0;
    more = 0;

    for (q = ngx_queue_head(&chain->waits);
         q != ngx_queue_sentinel(&chain->waits);
         q = next)
    {
        next = ngx_queue_next(q);
        req = ngx_queue_data(q, ngx_http_govsvc_audit_req_t, wait_queue);

        if (req->sealed) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&ready, q);
            continue;
        }

        if (req->pos == 0) {
            ngx_http_govsvc_audit_put_intent(chain, req);
        }

        pos = ngx_max(pos, req->pos);
        more = 1;
    }

    if (more) {
        ngx_govsvc_writer_wait(chain->writer, pos);
    }

    /* one that ends meanwhile takes itself out of the queue */

    while (!ngx_queue_empty(&ready)) {
        q = ngx_queue_head(&ready);
        req = ngx_queue_data(q, ngx_http_govsvc_audit_req_t, wait_queue);

        ngx_http_govsvc_audit_wake(req, NGX_HTTP_GOVSVC_AUDIT_SAFE);
    }
}


static void
ngx_http_govsvc_audit_timeout(ngx_event_t *ev)
{
    ngx_connection_t             *c;
    ngx_http_govsvc_audit_req_t  *req;

    c = ev->data;
    req = c->data;

    ngx_log_error(NGX_LOG_CRIT, req->request->connection->log, 0,
                  "govsvc audit: an intent was not on disk in time");

    ngx_http_govsvc_audit_wake(req, NGX_HTTP_GOVSVC_AUDIT_FAILED);
}


static void
ngx_http_govsvc_audit_wake(ngx_http_govsvc_audit_req_t *req, ngx_uint_t phase)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    ngx_http_govsvc_audit_unwait(req);
    req->phase = phase;

    r = req->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);

    } else {
        r->read_event_handler = ngx_http_block_reading;
        r->write_event_handler = ngx_http_core_run_phases;

        ngx_http_core_run_phases(r);
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_govsvc_audit_unwait(ngx_http_govsvc_audit_req_t *req)
{
    if (req->phase != NGX_HTTP_GOVSVC_AUDIT_WAITS) {
        return;
    }

    req->phase = NGX_HTTP_GOVSVC_AUDIT_FAILED;
    ngx_queue_remove(&req->wait_queue);

    if (req->timer.timer_set) {
        ngx_del_timer(&req->timer);
    }
}


static void
ngx_http_govsvc_audit_cleanup(void *data)
{
    ngx_http_govsvc_audit_req_t *req = data;

    ngx_http_govsvc_audit_chain_t  *chain;

    ngx_http_govsvc_audit_unwait(req);
    gs_audit_digest_free(&req->body);

    chain = ngx_http_govsvc_audit_chain();

    if (chain != NULL) {
        ngx_http_govsvc_audit_land(chain, req);
    }
}


/* The process ends: what it began has no other end than this. */

void
ngx_http_govsvc_audit_abort(ngx_http_govsvc_audit_chain_t *chain)
{
    u_char                        code[NGX_HTTP_GOVSVC_AUDIT_CODE];
    ngx_uint_t                    tries;
    ngx_queue_t                  *q;
    gs_audit_record_t             rec;
    ngx_http_govsvc_audit_req_t  *req;

    tries = 0;

    while (!ngx_queue_empty(&chain->flights)) {

        q = ngx_queue_head(&chain->flights);
        req = ngx_queue_data(q, ngx_http_govsvc_audit_req_t, flight_queue);

        ngx_http_govsvc_audit_unwait(req);
        ngx_http_govsvc_audit_compose(req->request, &rec, GS_AUDIT_ABORTED,
                                      code);

        while (ngx_http_govsvc_audit_put(chain, &rec, GS_AUDIT_SECURITY,
                                         req->slot)
               == 0)
        {
            if (++tries > NGX_HTTP_GOVSVC_AUDIT_TRIES) {
                return;
            }

            ngx_msleep(10);
        }

        ngx_http_govsvc_audit_land(chain, req);
    }
}


/*
 * Also what was answered before any stage of ours is in flight from here to
 * its record: no client has an answer of which nothing is known.
 */

static ngx_int_t
ngx_http_govsvc_audit_answer(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    ngx_http_govsvc_audit_req_t       *req;
    ngx_http_govsvc_audit_chain_t     *chain;
    ngx_http_govsvc_audit_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_audit_module);
    chain = ngx_http_govsvc_audit_chain();

    if (alcf->level == NGX_HTTP_GOVSVC_AUDIT_OFF || chain == NULL) {
        return NGX_OK;
    }

    req = ngx_http_govsvc_audit_req(r, ctx);
    if (req == NULL) {
        return NGX_ERROR;
    }

    if (!req->flies) {
        req->cls = alcf->cls;
        ngx_http_govsvc_audit_fly(r, chain, req);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_audit_headers(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx)
{
    u_char                             *p;
    gs_buf_t                            b;
    ngx_str_t                           value;
    ngx_http_govsvc_audit_req_t        *req;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    static ngx_str_t  name = ngx_string("X-Govsvc-Receipt");

    if (ngx_http_govsvc_audit_answer(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    req = ctx->audit_data;

    if (req == NULL || !req->receipt || !req->sealed) {
        return NGX_OK;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_audit_module);

    p = ngx_pnalloc(r->pool, NGX_HTTP_GOVSVC_AUDIT_RECEIPT);
    if (p == NULL) {
        return NGX_ERROR;
    }

    gs_buf_init(&b, p, NGX_HTTP_GOVSVC_AUDIT_RECEIPT);
    gs_buf_str(&b, &amcf->node);
    gs_buf_char(&b, '.');
    gs_buf_u64(&b, amcf->epoch);
    gs_buf_char(&b, '.');
    gs_buf_u64(&b, req->intent);
    gs_buf_char(&b, '.');

    b.pos += gs_b64url_encode(b.pos, req->seal, GS_AUDIT_HASH);

    value.data = p;
    value.len = gs_buf_len(&b);

    return ngx_http_govsvc_add_header(r, &name, &value);
}
