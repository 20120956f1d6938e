
/*
 * Copyright (C) govsvc authors
 *
 * Redis: the end of the configuration: names, certificates, shared memory.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


static char *ngx_govsvc_redis_conf_names(ngx_conf_t *cf,
    ngx_govsvc_redis_t *rd);
static char *ngx_govsvc_redis_conf_tls(ngx_conf_t *cf,
    ngx_govsvc_redis_t *rd);
static char *ngx_govsvc_redis_conf_zone(ngx_conf_t *cf,
    ngx_govsvc_redis_t *rd);


extern ngx_module_t  ngx_govsvc_module;


char *
ngx_govsvc_redis_conf_init(ngx_conf_t *cf, ngx_govsvc_redis_t *rd,
    ngx_str_t *client, ngx_resolver_t *resolver, ngx_msec_t timeout)
{
    if (!rd->defined) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "unknown redis \"%V\", there is no block "
                      "\"govsvc_redis %V\" in %V:%ui", &rd->name, &rd->name,
                      &rd->file, rd->line);
        return NGX_CONF_ERROR;
    }

    rd->client = *client;
    rd->resolver = resolver;
    rd->resolver_timeout = rd->connect_timeout;

    if (timeout != NGX_CONF_UNSET_MSEC) {
        rd->resolver_timeout = ngx_min(timeout, rd->connect_timeout);
    }

    if (ngx_govsvc_redis_conf_names(cf, rd) != NGX_CONF_OK
        || ngx_govsvc_redis_conf_tls(cf, rd) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_govsvc_redis_conf_zone(cf, rd);
}


static char *
ngx_govsvc_redis_conf_names(ngx_conf_t *cf, ngx_govsvc_redis_t *rd)
{
    ngx_addr_t                addr;
    ngx_uint_t                i;
    ngx_govsvc_redis_peer_t  *peers;

    if (rd->resolver != NULL && rd->resolver->connections.nelts != 0) {
        return NGX_CONF_OK;
    }

    rd->resolver = NULL;
    peers = rd->peers.elts;

    for (i = 0; i < rd->peers.nelts; i++) {
        if (peers[i].port == 0
            || ngx_parse_addr(cf->pool, &addr, peers[i].host.data,
                              peers[i].host.len) == NGX_OK)
        {
            continue;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "govsvc_redis \"%V\" names \"%V\", which needs a "
                      "\"resolver\" in the http block in %V:%ui", &rd->name,
                      &peers[i].host, &rd->file, rd->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_conf_tls(ngx_conf_t *cf, ngx_govsvc_redis_t *rd)
{
    ngx_pool_cleanup_t  *cln;

    if (!rd->tls) {
        return NGX_CONF_OK;
    }

    rd->ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (rd->ssl == NULL) {
        return NGX_CONF_ERROR;
    }

    rd->ssl->log = cf->log;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_ssl_create(rd->ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = rd->ssl;

    /* the buffer of commands grows, and moves, while a write waits */

    SSL_CTX_set_mode(rd->ssl->ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                   |SSL_MODE_ENABLE_PARTIAL_WRITE);

    if (rd->tls_cert.len != 0
        && ngx_ssl_certificate(cf, rd->ssl, &rd->tls_cert, &rd->tls_key, NULL)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (rd->ca.len != 0
        && ngx_ssl_trusted_certificate(cf, rd->ssl, &rd->ca, 9) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_conf_zone(ngx_conf_t *cf, ngx_govsvc_redis_t *rd)
{
    ngx_str_t  name;

    name.len = sizeof("govsvc_redis_") - 1 + rd->name.len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_sprintf(name.data, "govsvc_redis_%V", &rd->name);

    rd->shm_zone = ngx_shared_memory_add(cf, &name,
                                         ngx_align(sizeof(
                                             ngx_govsvc_redis_rows_t),
                                             ngx_pagesize)
                                         + 8 * ngx_pagesize,
                                         &ngx_govsvc_module);
    if (rd->shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    rd->shm_zone->init = ngx_govsvc_redis_zone_init;
    rd->shm_zone->data = rd;

    return NGX_CONF_OK;
}
