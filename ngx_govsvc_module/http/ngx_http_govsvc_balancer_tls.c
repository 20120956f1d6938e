
/*
 * Copyright (C) govsvc authors
 *
 * Balancer: TLS towards the platforms.  Each pool has its own authorities,
 * name and client certificate, whatever the location says; connections and
 * sessions of one identity never serve another.
 */


#include "http/ngx_http_govsvc_balancer_priv.h"

#include <openssl/evp.h>


#define NGX_HTTP_GOVSVC_TLS_FILE   (1024 * 1024)
#define NGX_HTTP_GOVSVC_TLS_DEPTH  4
#define NGX_HTTP_GOVSVC_TLS_1_3    0x0304


static const gs_route_pool_t *ngx_http_govsvc_tls_next(
    const gs_route_table_t *t, const gs_route_pool_t *pool);
static ngx_int_t ngx_http_govsvc_tls_create(ngx_conf_t *cf,
    const gs_route_table_t *t, const gs_route_tls_t *profile,
    ngx_http_govsvc_tls_t *tls);
static ngx_int_t ngx_http_govsvc_tls_context(ngx_conf_t *cf,
    const gs_route_tls_t *profile, ngx_http_govsvc_tls_t *tls,
    ngx_str_t *ca, ngx_str_t *cert, ngx_str_t *key);
static ngx_int_t ngx_http_govsvc_tls_file(ngx_conf_t *cf,
    const gs_route_table_t *t, gs_route_ref_t ref, ngx_uint_t secret,
    ngx_str_t *name, gs_str_t *text);
static ngx_http_govsvc_clone_t *ngx_http_govsvc_clone(
    ngx_http_govsvc_section_t *s, ngx_http_govsvc_peer_t *peer,
    const gs_route_pool_t *pool, ngx_http_govsvc_tls_t *tls);
static ngx_int_t ngx_http_govsvc_clone_fill(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_clone_t *clone, const gs_route_pool_t *pool,
    ngx_http_govsvc_tls_t *tls);
static gs_str_t ngx_http_govsvc_tls_name(const gs_route_table_t *t,
    const gs_route_pool_t *pool);


ngx_int_t
ngx_http_govsvc_tls_configure(ngx_conf_t *cf,
    ngx_http_govsvc_balancer_main_conf_t *bmcf, const gs_route_table_t *t)
{
    gs_str_t                s;
    uint32_t                i, n;
    ngx_str_t               id, other;
    const gs_route_pool_t  *pool, *next;

    pool = ngx_http_govsvc_tls_plain(t, &next);

    if (pool != NULL) {
        s = gs_route_str(t, pool->id);
        id = ngx_govsvc_from_gs(&s);
        s = gs_route_str(t, next->id);
        other = ngx_govsvc_from_gs(&s);

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "pool \"%V\" speaks TLS and falls back to pool \"%V\" "
                      "without, allowed: a fallback with TLS", &id, &other);
        return NGX_ERROR;
    }

    n = gs_route_tls_profiles(t);

    bmcf->tls = ngx_pcalloc(cf->pool, (n + 1) * sizeof(ngx_http_govsvc_tls_t));
    if (bmcf->tls == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (ngx_http_govsvc_tls_create(cf, t, gs_route_tls(t, i),
                                       &bmcf->tls[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        bmcf->ntls++;
    }

    return NGX_OK;
}


/*
 * A peer that fails verification makes way for the next pool: were that plain,
 * a forged certificate would be enough to get the request unencrypted.
 */

static const gs_route_pool_t *
ngx_http_govsvc_tls_next(const gs_route_table_t *t,
    const gs_route_pool_t *pool)
{
    uint32_t                    i;
    const gs_route_pool_t      *other;
    const gs_route_fallback_t  *chain;

    chain = gs_route_fallback(t, pool);

    for (i = 0; i < pool->nfallback; i++) {

        if (chain[i].pool == GS_ROUTE_NONE) {
            continue;
        }

        other = gs_route_pool(t, chain[i].pool);

        if (other->tls == GS_ROUTE_NONE) {
            return other;
        }
    }

    return NULL;
}


const gs_route_pool_t *
ngx_http_govsvc_tls_plain(const gs_route_table_t *t,
    const gs_route_pool_t **next)
{
    uint32_t                i, n;
    const gs_route_pool_t  *pool;

    n = gs_route_pools(t);

    for (i = 0; i < n; i++) {
        pool = gs_route_pool(t, i);

        if (pool->tls == GS_ROUTE_NONE) {
            continue;
        }

        *next = ngx_http_govsvc_tls_next(t, pool);

        if (*next != NULL) {
            return pool;
        }
    }

    return NULL;
}


/* gs_route_compile() sees to it that there is one. */

static gs_str_t
ngx_http_govsvc_tls_name(const gs_route_table_t *t,
    const gs_route_pool_t *pool)
{
    gs_str_t  name;

    name = gs_route_str(t, gs_route_tls(t, pool->tls)->name);

    if (name.len == 0) {
        name = gs_route_str(t, pool->host);
    }

    return name;
}


static ngx_int_t
ngx_http_govsvc_tls_create(ngx_conf_t *cf, const gs_route_table_t *t,
    const gs_route_tls_t *profile, ngx_http_govsvc_tls_t *tls)
{
    gs_str_t   parts[7];
    ngx_str_t  ca, cert, key;

    parts[0] = gs_str_text("tls");
    parts[1] = gs_route_str(t, profile->name);
    parts[2] = gs_route_str(t, profile->min);
    parts[3] = gs_route_str(t, profile->id);

    if (ngx_http_govsvc_tls_file(cf, t, profile->ca, 0, &ca, &parts[4])
        != NGX_OK
        || ngx_http_govsvc_tls_file(cf, t, profile->cert, 0, &cert, &parts[5])
           != NGX_OK
        || ngx_http_govsvc_tls_file(cf, t, profile->key, 1, &key, &parts[6])
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the key's content counts too, as it decides what the peer sees */

    if (ngx_http_govsvc_digest(parts, 7, tls->key) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_explicit_memzero((void *) parts[6].data, parts[6].len);

    return ngx_http_govsvc_tls_context(cf, profile, tls, &ca, &cert, &key);
}


static ngx_int_t
ngx_http_govsvc_tls_file(ngx_conf_t *cf, const gs_route_table_t *t,
    gs_route_ref_t ref, ngx_uint_t secret, ngx_str_t *name, gs_str_t *text)
{
    gs_str_t   s;
    ngx_str_t  content;

    s = gs_route_str(t, ref);

    name->len = s.len;
    name->data = NULL;
    *text = gs_str_make(NULL, 0);

    if (s.len == 0) {
        return NGX_OK;
    }

    name->data = ngx_pnalloc(cf->pool, s.len + 1);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(name->data, s.data, s.len);
    name->data[s.len] = '\0';

    if (ngx_govsvc_conf_read_file(cf, name, &content,
                                  NGX_HTTP_GOVSVC_TLS_FILE, secret)
        != NGX_CONF_OK)
    {
        return NGX_ERROR;
    }

    *text = ngx_govsvc_to_gs(&content);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_tls_context(ngx_conf_t *cf, const gs_route_tls_t *profile,
    ngx_http_govsvc_tls_t *tls, ngx_str_t *ca, ngx_str_t *cert,
    ngx_str_t *key)
{
    ngx_str_t            ciphers;
    ngx_uint_t           protocols;
    ngx_pool_cleanup_t  *cln;

    protocols = NGX_SSL_TLSv1_3;

    if (profile->version != NGX_HTTP_GOVSVC_TLS_1_3) {
        protocols |= NGX_SSL_TLSv1_2;
    }

    tls->ssl.log = cf->log;

    if (ngx_ssl_create(&tls->ssl, protocols, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(&tls->ssl);
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = &tls->ssl;

    ngx_str_set(&ciphers, "DEFAULT");

    if (ngx_ssl_ciphers(cf, &tls->ssl, &ciphers, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    if (cert->len != 0
        && ngx_ssl_certificate(cf, &tls->ssl, cert, key, NULL) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_ssl_trusted_certificate(cf, &tls->ssl, ca,
                                    NGX_HTTP_GOVSVC_TLS_DEPTH)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_ssl_client_session_cache(cf, &tls->ssl, 1);
}


ngx_int_t
ngx_http_govsvc_digest(const gs_str_t *parts, ngx_uint_t n, uint64_t key[2])
{
    int          ok;
    u_char       md[EVP_MAX_MD_SIZE];
    ngx_uint_t   i;
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ok = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

    for (i = 0; i < n && ok; i++) {
        ok = EVP_DigestUpdate(ctx, &parts[i].len, sizeof(parts[i].len))
             && EVP_DigestUpdate(ctx, parts[i].data, parts[i].len);
    }

    ok = ok && EVP_DigestFinal_ex(ctx, md, NULL);

    EVP_MD_CTX_free(ctx);

    if (!ok) {
        return NGX_ERROR;
    }

    ngx_memcpy(key, md, 2 * sizeof(uint64_t));

    return NGX_OK;
}


ngx_http_govsvc_tls_t *
ngx_http_govsvc_tls_find(ngx_http_govsvc_balancer_main_conf_t *bmcf,
    const uint64_t key[2])
{
    ngx_uint_t  i;

    for (i = 0; i < bmcf->ntls; i++) {
        if (bmcf->tls[i].key[0] == key[0] && bmcf->tls[i].key[1] == key[1]) {
            return &bmcf->tls[i];
        }
    }

    return NULL;
}


/*
 * u->conf and u->ssl are read when the connection is made, so after the pick;
 * what the location says of TLS is never used.
 */

ngx_int_t
ngx_http_govsvc_tls_apply(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool)
{
    ngx_http_upstream_t        *u;
    const gs_registry_entry_t  *e;
    ngx_http_govsvc_tls_t      *tls;
    ngx_http_govsvc_clone_t    *clone;

    u = peer->request->upstream;
    e = ngx_http_govsvc_pool_entry(s, pool);

    peer->identity = e->generation;
    tls = NULL;

    if (pool->tls != GS_ROUTE_NONE) {
        tls = ngx_http_govsvc_tls_find(s->conf, e->aux);

        if (tls == NULL) {
            ngx_log_error(NGX_LOG_ERR, peer->request->connection->log, 0,
                          "govsvc balancer: no TLS profile for pool \"%V\"",
                          &peer->pool);
            return NGX_DECLINED;
        }
    }

    if (tls == NULL && pool->connect_timeout == 0 && pool->send_timeout == 0
        && pool->read_timeout == 0)
    {
        u->conf = peer->conf;
        u->ssl = 0;
        return NGX_OK;
    }

    clone = ngx_http_govsvc_clone(s, peer, pool, tls);
    if (clone == NULL) {
        return NGX_ERROR;
    }

    u->conf = &clone->conf;
    u->ssl = tls != NULL;

    if (tls != NULL) {
        ngx_str_set(&u->schema, "https://");   /* for the error log */
    }

    return NGX_OK;
}


/*
 * Clones are kept, for Nginx 1.29 and newer compare their addresses before a
 * cached connection is used again.
 */

static ngx_http_govsvc_clone_t *
ngx_http_govsvc_clone(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool,
    ngx_http_govsvc_tls_t *tls)
{
    ngx_uint_t                 hash;
    ngx_http_govsvc_clone_t   *c;
    ngx_http_govsvc_worker_t  *w;

    w = s->conf->worker;

    hash = ((uintptr_t) peer->conf >> 4) * 31 + peer->identity;
    hash &= NGX_HTTP_GOVSVC_CLONE_HASH - 1;

    for (c = w->clones[hash]; c != NULL; c = c->next) {
        if (c->origin == peer->conf && c->identity == peer->identity
            && c->connect_timeout == pool->connect_timeout
            && c->send_timeout == pool->send_timeout
            && c->read_timeout == pool->read_timeout)
        {
            return c;
        }
    }

    if (w->nclones == NGX_HTTP_GOVSVC_CLONES) {
        ngx_log_error(NGX_LOG_CRIT, peer->request->connection->log, 0,
                      "govsvc balancer: too many identities in one worker, "
                      "reload to begin anew");
        return NULL;
    }

    c = ngx_pcalloc(w->pool, sizeof(ngx_http_govsvc_clone_t));
    if (c == NULL) {
        return NULL;
    }

    c->origin = peer->conf;
    c->identity = peer->identity;

    if (ngx_http_govsvc_clone_fill(s, c, pool, tls) != NGX_OK) {
        return NULL;
    }

    c->next = w->clones[hash];
    w->clones[hash] = c;
    w->nclones++;

    return c;
}


static ngx_int_t
ngx_http_govsvc_clone_fill(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_clone_t *clone, const gs_route_pool_t *pool,
    ngx_http_govsvc_tls_t *tls)
{
    gs_str_t                   name;
    ngx_http_upstream_conf_t  *conf;

    clone->connect_timeout = pool->connect_timeout;
    clone->send_timeout = pool->send_timeout;
    clone->read_timeout = pool->read_timeout;

    conf = &clone->conf;
    *conf = *clone->origin;

    if (pool->connect_timeout != 0) {
        conf->connect_timeout = pool->connect_timeout;
    }

    if (pool->send_timeout != 0) {
        conf->send_timeout = pool->send_timeout;
    }

    if (pool->read_timeout != 0) {
        conf->read_timeout = pool->read_timeout;
    }

    if (tls == NULL) {
        return NGX_OK;
    }

    name = ngx_http_govsvc_tls_name(s->table, pool);

    clone->name.value.data = ngx_pnalloc(s->conf->worker->pool, name.len);
    if (clone->name.value.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(clone->name.value.data, name.data, name.len);
    clone->name.value.len = name.len;

    conf->ssl = &tls->ssl;
    conf->ssl_name = &clone->name;
    conf->ssl_server_name = 1;
    conf->ssl_verify = 1;
    conf->ssl_session_reuse = 1;
    conf->ssl_certificate = NULL;
    conf->ssl_certificate_key = NULL;
    conf->ssl_passwords = NULL;

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_govsvc_peer_t *peer = data;

    ngx_http_govsvc_local_t  *local;

    local = peer->local;

    if (local->session == NULL || local->generation != peer->generation
        || local->identity != peer->identity)
    {
        return NGX_OK;
    }

    return ngx_ssl_set_session(pc->connection, local->session);
}


void
ngx_http_govsvc_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_govsvc_peer_t *peer = data;

    ngx_ssl_session_t        *session;
    ngx_http_govsvc_local_t  *local;

    local = peer->local;

    /* the slot may have a new owner by now */

    if (local->generation != peer->generation) {
        return;
    }

    session = ngx_ssl_get_session(pc->connection);
    if (session == NULL) {
        return;
    }

    if (local->session != NULL) {
        ngx_ssl_free_session(local->session);
    }

    local->session = session;
    local->identity = peer->identity;
}
