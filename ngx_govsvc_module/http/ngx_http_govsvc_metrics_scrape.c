
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: the answer to a scrape.  Buffers of the request, line by line, so
 * that its size has no bound but the number of names.
 */


#include "http/ngx_http_govsvc_metrics.h"


#define NGX_HTTP_GOVSVC_METRICS_BUFFER  32768
#define NGX_HTTP_GOVSVC_METRICS_ROOM    4096       /* for a histogram */


static void ngx_http_govsvc_metrics_write(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *metrics);
static void ngx_http_govsvc_metrics_flush(ngx_http_govsvc_metrics_out_t *o);
static void ngx_http_govsvc_metrics_dropped(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);


/* The last one: it counts what the others left out. */

static const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_end[] = {

    { "govsvc_metrics_dropped", "gauge",
      "Series that this scrape left out for their number.",
      ngx_http_govsvc_metrics_dropped },

    { NULL, NULL, NULL, NULL }
};


ngx_int_t
ngx_http_govsvc_metrics_scrape(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_chain_t                   *cl;
    ngx_http_govsvc_metrics_out_t  o;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(&o, sizeof(ngx_http_govsvc_metrics_out_t));

    o.request = r;
    o.last = &o.out;
    o.conf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_metrics_module);
    o.sh = o.conf->sh;

    ngx_http_govsvc_metrics_write(&o, ngx_http_govsvc_metrics_traffic);
    ngx_http_govsvc_metrics_write(&o, ngx_http_govsvc_metrics_redis);
    ngx_http_govsvc_metrics_write(&o, ngx_http_govsvc_metrics_nonce);
    ngx_http_govsvc_metrics_write(&o, ngx_http_govsvc_metrics_revoke);
    ngx_http_govsvc_metrics_write(&o, ngx_http_govsvc_metrics_state);
    ngx_http_govsvc_metrics_write(&o, ngx_http_govsvc_metrics_avail);
    ngx_http_govsvc_metrics_write(&o, ngx_http_govsvc_metrics_delivery);
    ngx_http_govsvc_metrics_write(&o, ngx_http_govsvc_metrics_seal);
    ngx_http_govsvc_metrics_write(&o, ngx_http_govsvc_metrics_end);
    ngx_http_govsvc_metrics_flush(&o);

    if (o.failed || o.out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (cl = o.out; cl->next != NULL; cl = cl->next) { /* void */ }

    cl->buf->last_buf = 1;
    cl->buf->last_in_chain = 1;

    ngx_str_set(&r->headers_out.content_type,
                "text/plain; version=0.0.4; charset=utf-8");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = o.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, o.out);
}


static void
ngx_http_govsvc_metrics_write(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *metrics)
{
    const ngx_http_govsvc_metric_t  *m;

    for (m = metrics; m->name != NULL; m++) {
        gs_metric_head(ngx_http_govsvc_metrics_room(o), m->name, m->type,
                       m->help);
        m->write(o, m);
    }
}


gs_buf_t *
ngx_http_govsvc_metrics_room(ngx_http_govsvc_metrics_out_t *o)
{
    u_char  *p;

    if (o->failed
        || (size_t) (o->b.last - o->b.pos) >= NGX_HTTP_GOVSVC_METRICS_ROOM)
    {
        return &o->b;
    }

    ngx_http_govsvc_metrics_flush(o);

    p = ngx_palloc(o->request->pool, NGX_HTTP_GOVSVC_METRICS_BUFFER);

    if (p == NULL) {
        o->failed = 1;
        return &o->b;
    }

    gs_buf_init(&o->b, p, NGX_HTTP_GOVSVC_METRICS_BUFFER);

    return &o->b;
}


static void
ngx_http_govsvc_metrics_flush(ngx_http_govsvc_metrics_out_t *o)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (o->b.overflow) {
        o->failed = 1;
    }

    if (o->failed || o->b.pos == o->b.start) {
        return;
    }

    b = ngx_calloc_buf(o->request->pool);
    cl = ngx_alloc_chain_link(o->request->pool);

    if (b == NULL || cl == NULL) {
        o->failed = 1;
        return;
    }

    b->start = o->b.start;
    b->pos = o->b.start;
    b->last = o->b.pos;
    b->end = o->b.last;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    *o->last = cl;
    o->last = &cl->next;
    o->len += b->last - b->pos;
}


static void
ngx_http_govsvc_metrics_dropped(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
                   o->dropped);
}
