
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: asks servers that wait whose they are.  The address was
 * checked when it was named, is a number, and is the one that is asked.
 */


#include "admin/ngx_http_govsvc_admin_named.h"

#include "http/ngx_http_govsvc_balancer_priv.h"
#include "ngx/ngx_govsvc_http.h"


#define NGX_HTTP_GOVSVC_ADMIN_AGAIN  5000000     /* us */


typedef struct {
    ngx_http_govsvc_admin_probe_t       probe;
    ngx_govsvc_http_target_t            target;
    ngx_http_govsvc_admin_main_conf_t  *conf;
    ngx_pool_t                         *pool;
} ngx_http_govsvc_admin_asked_t;


static void ngx_http_govsvc_admin_found(void *ctx, const char *id,
    const char *address, unsigned port, const char *nonce, const char *tls);
static ngx_int_t ngx_http_govsvc_admin_ask_tls(
    ngx_http_govsvc_admin_asked_t *asked);
static void ngx_http_govsvc_admin_said(void *data,
    const ngx_govsvc_http_result_t *result);


void
ngx_http_govsvc_admin_waiting(ngx_http_govsvc_admin_job_t *job, gs_admin_t *a)
{
    if (a->proof) {
        gs_admin_pending(a, ngx_http_govsvc_admin_found, job);
    }
}


static void
ngx_http_govsvc_admin_found(void *ctx, const char *id, const char *address,
    unsigned port, const char *nonce, const char *tls)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    uint64_t                       *word;
    ngx_http_govsvc_admin_probe_t  *probe;

    if (job->nprobes == NGX_HTTP_GOVSVC_ADMIN_PROBES
        || strlen(id) >= sizeof(probe->id)
        || strlen(nonce) >= sizeof(probe->nonce)
        || (tls != NULL && strlen(tls) >= sizeof(probe->tls)))
    {
        return;
    }

    word = ngx_http_govsvc_registry_word(job->conf->registry, "proof", nonce);

    if (word == NULL
        || job->q.now - __atomic_load_n(word, __ATOMIC_RELAXED)
           < NGX_HTTP_GOVSVC_ADMIN_AGAIN)
    {
        return;
    }

    __atomic_store_n(word, job->q.now, __ATOMIC_RELAXED);

    probe = &job->probes[job->nprobes++];

    ngx_memcpy(probe->id, id, strlen(id) + 1);
    ngx_memcpy(probe->nonce, nonce, strlen(nonce) + 1);
    probe->tls[0] = '\0';
    probe->named = 0;

    if (tls != NULL) {
        ngx_memcpy(probe->tls, tls, strlen(tls) + 1);
    }

    *ngx_snprintf(probe->url, sizeof(probe->url) - 1,
                  strchr(address, ':') != NULL
                  ? "%s://[%s]:%ud/.well-known/govsvc/%s"
                  : "%s://%s:%ud/.well-known/govsvc/%s",
                  tls != NULL ? "https" : "http", address, port, nonce)
        = '\0';
}


void
ngx_http_govsvc_admin_ask(ngx_http_govsvc_admin_job_t *job)
{
    ngx_uint_t  i;

    for (i = 0; i < job->nprobes; i++) {
        if (ngx_http_govsvc_admin_ask_one(job->conf, &job->probes[i])
            != NGX_OK)
        {
            ngx_log_error(NGX_LOG_ERR, job->conf->cycle->log, 0,
                          "govsvc admin: cannot ask \"%s\" for its proof",
                          job->probes[i].id);
        }
    }
}


ngx_int_t
ngx_http_govsvc_admin_ask_one(ngx_http_govsvc_admin_main_conf_t *amcf,
    ngx_http_govsvc_admin_probe_t *probe)
{
    gs_err_t                        err;
    gs_str_t                        url;
    ngx_pool_t                     *pool;
    ngx_govsvc_http_target_t       *t;
    ngx_govsvc_http_request_t       request;
    ngx_http_govsvc_admin_asked_t  *asked;

    pool = ngx_create_pool(2048, amcf->cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    asked = ngx_pcalloc(pool, sizeof(ngx_http_govsvc_admin_asked_t));
    if (asked == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    asked->probe = *probe;
    asked->conf = amcf;
    asked->pool = pool;

    t = &asked->target;
    url = gs_str_text((char *) asked->probe.url);

    ngx_memzero(&request, sizeof(ngx_govsvc_http_request_t));
    request.method = "GET";
    request.handler = ngx_http_govsvc_admin_said;
    request.data = asked;

    t->connect_timeout = 2000;
    t->send_timeout = 2000;
    t->read_timeout = 2000;
    t->total_timeout = 4000;
    t->max_head = 8192;
    t->max_body = 256;

    if (gs_url_parse(&t->url, &url, &err) == GS_OK) {

        /* the address was checked; the name is not looked up once more */

        if (asked->probe.named) {
            t->url.numeric = 1;
            t->url.address = asked->probe.net;
        }

        t->host.len = t->url.host.len;
        t->host.data = ngx_pnalloc(pool, t->host.len + 1);

        if (t->host.data != NULL) {
            ngx_memcpy(t->host.data, t->url.host.data, t->host.len);
            t->host.data[t->host.len] = '\0';

            if (ngx_http_govsvc_admin_ask_tls(asked) == NGX_OK
                && ngx_govsvc_http_start(t, &request, amcf->cycle->log)
                   != NULL)
            {
                return NGX_OK;
            }
        }
    }

    ngx_destroy_pool(pool);

    return NGX_ERROR;
}


/*
 * Over TLS the server also shows that it has the certificate that requests
 * will ask for: the profile is that of its pool.
 */

static ngx_int_t
ngx_http_govsvc_admin_ask_tls(ngx_http_govsvc_admin_asked_t *asked)
{
    uint32_t                     i, n;
    gs_str_t                     id, name;
    ngx_int_t                    rc;
    const gs_route_pool_t       *pool;
    ngx_http_govsvc_tls_t       *tls;
    ngx_http_govsvc_section_t    s;
    ngx_govsvc_http_target_t    *t;

    if (asked->probe.tls[0] == '\0') {
        return NGX_OK;
    }

    if (ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return NGX_ERROR;
    }

    t = &asked->target;
    rc = NGX_ERROR;
    n = gs_route_pools(s.table);

    for (i = 0; i < n; i++) {
        pool = gs_route_pool(s.table, i);
        id = gs_route_str(s.table, pool->id);

        if (!gs_str_eq_text(&id, (const char *) asked->probe.tls)
            || pool->tls == GS_ROUTE_NONE)
        {
            continue;
        }

        tls = ngx_http_govsvc_tls_find(s.conf,
                                   ngx_http_govsvc_pool_entry(&s, pool)->aux);

        name = gs_route_str(s.table, gs_route_tls(s.table, pool->tls)->name);

        if (name.len == 0) {
            name = gs_route_str(s.table, pool->host);
        }

        t->ssl_name.len = name.len;
        t->ssl_name.data = ngx_pnalloc(asked->pool, name.len + 1);

        if (tls != NULL && t->ssl_name.data != NULL) {
            *ngx_cpymem(t->ssl_name.data, name.data, name.len) = '\0';
            t->ssl = &tls->ssl;
            rc = NGX_OK;
        }

        break;
    }

    ngx_http_govsvc_section_leave(&s);

    return rc;
}


/* Just the nonce, but for the end of a line. */

static void
ngx_http_govsvc_admin_said(void *data, const ngx_govsvc_http_result_t *result)
{
    ngx_http_govsvc_admin_asked_t *asked = data;

    gs_str_t                      body;
    ngx_uint_t                    proved;
    ngx_http_govsvc_admin_job_t  *job;

    proved = 0;

    if (result->error == NGX_GOVSVC_HTTP_OK && result->status == 200) {
        body = result->response->body;

        while (body.len != 0 && (body.data[body.len - 1] == '\n'
                                 || body.data[body.len - 1] == '\r'))
        {
            body.len--;
        }

        proved = gs_str_eq_text(&body, (char *) asked->probe.nonce);
    }

    if (!proved) {
        ngx_log_error(NGX_LOG_INFO, asked->conf->cycle->log, 0,
                      "govsvc admin: \"%s\" gave no proof: %s, status %ui",
                      asked->probe.id,
                      ngx_govsvc_http_error_name(result->error),
                      result->status);
    }

    if (proved && asked->probe.named) {
        ngx_http_govsvc_named_proved(asked->conf, &asked->probe);
    }

    job = proved ? ngx_http_govsvc_admin_own_job(asked->conf) : NULL;

    if (job != NULL) {
        job->probes[0] = asked->probe;
        job->nprobes = 1;
        job->proved = 1;

        if (ngx_http_govsvc_admin_post(job) != NGX_OK) {
            ngx_http_govsvc_admin_free(job);
        }
    }

    ngx_destroy_pool(asked->pool);
}
