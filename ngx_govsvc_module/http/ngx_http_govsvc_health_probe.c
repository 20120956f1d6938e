
/*
 * Copyright (C) govsvc authors
 *
 * One check on the wire, over the client of ngx/: the address of the instance
 * itself, the TLS of its pool, no redirects.
 */


#include "http/ngx_http_govsvc_health_priv.h"


static ngx_int_t ngx_http_govsvc_probe_target(ngx_http_govsvc_probe_t *probe,
    ngx_http_govsvc_section_t *s, const gs_route_instance_t *instance);
static ngx_int_t ngx_http_govsvc_probe_tls(ngx_http_govsvc_probe_t *probe,
    ngx_http_govsvc_section_t *s, const gs_route_pool_t *pool);
static ngx_int_t ngx_http_govsvc_probe_copy(ngx_pool_t *pool,
    const gs_route_table_t *t, gs_route_ref_t ref, ngx_str_t *dst);
static void ngx_http_govsvc_probe_done(void *data,
    const ngx_govsvc_http_result_t *result);


ngx_http_govsvc_probe_t *
ngx_http_govsvc_probe_start(ngx_http_govsvc_health_t *h,
    ngx_http_govsvc_section_t *s, const gs_route_instance_t *instance)
{
    ngx_pool_t                 *pool;
    const gs_route_check_t     *check;
    const gs_registry_entry_t  *e;
    ngx_http_govsvc_probe_t    *probe;
    ngx_govsvc_http_request_t   request;

    pool = ngx_create_pool(2048, &h->log);
    if (pool == NULL) {
        return NULL;
    }

    probe = ngx_pcalloc(pool, sizeof(ngx_http_govsvc_probe_t));

    if (probe == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    e = ngx_http_govsvc_peer_entry(s, instance);
    check = gs_route_check(s->table, instance->check);

    probe->pool = pool;
    probe->health = h;
    probe->index = instance->index;
    probe->slot = e->slot;
    probe->generation = e->generation;

    ngx_memzero(&request, sizeof(ngx_govsvc_http_request_t));

    request.handler = ngx_http_govsvc_probe_done;
    request.data = probe;

    if (check->type == GS_ROUTE_CHECK_HTTP
        || check->type == GS_ROUTE_CHECK_HTTPS)
    {
        request.method = check->head ? "HEAD" : "GET";
    }

    if (ngx_http_govsvc_probe_target(probe, s, instance) == NGX_OK) {
        probe->http = ngx_govsvc_http_start(&probe->target, &request,
                                            &h->log);
    }

    if (probe->http == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    return probe;
}


static ngx_int_t
ngx_http_govsvc_probe_target(ngx_http_govsvc_probe_t *probe,
    ngx_http_govsvc_section_t *s, const gs_route_instance_t *instance)
{
    ngx_str_t                  host, path;
    gs_route_ref_t             ref;
    const gs_route_pool_t     *pool;
    const gs_route_check_t    *check;
    ngx_govsvc_http_target_t  *t;

    t = &probe->target;
    pool = gs_route_pool(s->table, instance->pool);
    check = gs_route_check(s->table, instance->check);

    ref = (check->host.len != 0) ? check->host
          : (pool->host.len != 0) ? pool->host : instance->name;

    if (ngx_http_govsvc_probe_copy(probe->pool, s->table, ref, &host)
        != NGX_OK
        || ngx_http_govsvc_probe_copy(probe->pool, s->table, check->path,
                                      &path)
           != NGX_OK
        || ngx_http_govsvc_probe_copy(probe->pool, s->table, instance->name,
                                      &t->host)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    t->url.numeric = 1;
    t->url.authority = ngx_govsvc_to_gs(&host);
    t->url.target = ngx_govsvc_to_gs(&path);
    t->url.port = (uint16_t) instance->port;
    t->url.address.family = (instance->family == 4) ? GS_NET_IPV4
                                                    : GS_NET_IPV6;
    ngx_memcpy(t->url.address.addr, instance->addr,
               instance->family == 4 ? 4 : 16);

    t->connect_timeout = check->timeout;
    t->send_timeout = check->timeout;
    t->read_timeout = check->timeout;
    t->total_timeout = check->timeout;
    t->max_head = 16384;
    t->max_body = NGX_HTTP_GOVSVC_HEALTH_BODY;

    if (check->type == GS_ROUTE_CHECK_HTTPS
        || check->type == GS_ROUTE_CHECK_TLS)
    {
        return ngx_http_govsvc_probe_tls(probe, s, pool);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_probe_tls(ngx_http_govsvc_probe_t *probe,
    ngx_http_govsvc_section_t *s, const gs_route_pool_t *pool)
{
    gs_route_ref_t          ref;
    ngx_http_govsvc_tls_t  *tls;

    tls = ngx_http_govsvc_tls_find(s->conf,
                                   ngx_http_govsvc_pool_entry(s, pool)->aux);
    if (tls == NULL) {
        return NGX_ERROR;
    }

    ref = gs_route_tls(s->table, pool->tls)->name;

    if (ref.len == 0) {
        ref = pool->host;
    }

    probe->target.url.tls = 1;
    probe->target.ssl = &tls->ssl;

    return ngx_http_govsvc_probe_copy(probe->pool, s->table, ref,
                                      &probe->target.ssl_name);
}


static ngx_int_t
ngx_http_govsvc_probe_copy(ngx_pool_t *pool, const gs_route_table_t *t,
    gs_route_ref_t ref, ngx_str_t *dst)
{
    gs_str_t  s;

    s = gs_route_str(t, ref);

    dst->len = s.len;
    dst->data = ngx_pnalloc(pool, s.len + 1);

    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(dst->data, s.data, s.len) = '\0';

    return NGX_OK;
}


static void
ngx_http_govsvc_probe_done(void *data, const ngx_govsvc_http_result_t *result)
{
    ngx_http_govsvc_probe_t *probe = data;

    ngx_http_govsvc_health_result(probe->health, probe, result);

    ngx_destroy_pool(probe->pool);
}


void
ngx_http_govsvc_probe_cancel(ngx_http_govsvc_probe_t *probe)
{
    ngx_govsvc_http_cancel(probe->http);
    ngx_destroy_pool(probe->pool);
}


gs_health_error_e
ngx_http_govsvc_probe_verdict(const ngx_govsvc_http_result_t *result)
{
    switch (result->error) {

    case NGX_GOVSVC_HTTP_OK:
        return GS_HEALTH_OK;

    case NGX_GOVSVC_HTTP_CONNECT:
        return GS_HEALTH_CONNECT;

    case NGX_GOVSVC_HTTP_TLS:
        return GS_HEALTH_TLS;

    case NGX_GOVSVC_HTTP_TIMEOUT:
        return GS_HEALTH_TIMEOUT;

    case NGX_GOVSVC_HTTP_SEND:
    case NGX_GOVSVC_HTTP_READ:
        return GS_HEALTH_CLOSED;

    case NGX_GOVSVC_HTTP_INVALID:
        return GS_HEALTH_INVALID;

    case NGX_GOVSVC_HTTP_TOO_LARGE:
        return GS_HEALTH_TOO_LARGE;

    default:
        return GS_HEALTH_ERRORS;
    }
}
