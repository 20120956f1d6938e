
/*
 * Copyright (C) govsvc authors
 *
 * The HTTP client: targets of the configuration, TLS, the request's bytes.
 */


#include "ngx/ngx_govsvc_http_priv.h"

#include <openssl/ssl.h>


#define NGX_GOVSVC_HTTP_DEPTH  4           /* of a chain of certificates */


static char *ngx_govsvc_http_tls(ngx_conf_t *cf, ngx_govsvc_http_target_t *t,
    ngx_str_t *ca);
static ngx_uint_t ngx_govsvc_http_is_field(
    const ngx_govsvc_http_field_t *field);
static ngx_int_t ngx_govsvc_http_copy(ngx_pool_t *pool, ngx_str_t *dst,
    const gs_str_t *src);


static const char *const  ngx_govsvc_http_errors[] = {
    "ok", "resolve", "veto", "connect", "tls", "send", "read", "timeout",
    "invalid", "too_large", "memory", "quit"
};


const char *
ngx_govsvc_http_error_name(ngx_govsvc_http_error_e error)
{
    return ngx_govsvc_http_errors[error];
}


char *
ngx_govsvc_http_target(ngx_conf_t *cf, ngx_govsvc_http_target_t *t,
    ngx_str_t *url, ngx_str_t *ca, ngx_str_t *name)
{
    gs_err_t    err;
    gs_str_t    s;
    ngx_str_t  *directive;

    ngx_memzero(t, sizeof(ngx_govsvc_http_target_t));
    ngx_memzero(&err, sizeof(gs_err_t));

    s = ngx_govsvc_to_gs(url);

    if (gs_url_parse(&t->url, &s, &err) != GS_OK) {
        directive = cf->args->elts;

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in \"%V\" directive", err.text, &directive[0]);
        return NGX_CONF_ERROR;
    }

    t->connect_timeout = 3000;
    t->send_timeout = 5000;
    t->read_timeout = 5000;
    t->total_timeout = 15000;
    t->max_head = 16384;
    t->max_body = 262144;

    if (ngx_govsvc_http_copy(cf->pool, &t->host, &t->url.host) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    t->ssl_name = (name->len != 0) ? *name : t->host;

    return t->url.tls ? ngx_govsvc_http_tls(cf, t, ca) : NGX_CONF_OK;
}


static ngx_int_t
ngx_govsvc_http_copy(ngx_pool_t *pool, ngx_str_t *dst, const gs_str_t *src)
{
    dst->len = src->len;
    dst->data = ngx_pnalloc(pool, src->len + 1);

    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(dst->data, src->data, src->len) = '\0';

    return NGX_OK;
}


static char *
ngx_govsvc_http_tls(ngx_conf_t *cf, ngx_govsvc_http_target_t *t,
    ngx_str_t *ca)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (ssl == NULL) {
        return NGX_CONF_ERROR;
    }

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(ssl);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    /* a body up to the end must end with the peer's word, not a cut wire */

    (void) SSL_CTX_clear_options(ssl->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);

    if (ca->len != 0) {

        if (ngx_ssl_trusted_certificate(cf, ssl, ca, NGX_GOVSVC_HTTP_DEPTH)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

    } else if (SSL_CTX_set_default_verify_paths(ssl->ctx) != 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the authorities of the system cannot be used, "
                           "write \"ca=FILE\"");
        return NGX_CONF_ERROR;
    }

    t->ssl = ssl;

    return NGX_CONF_OK;
}


char *
ngx_govsvc_http_resolver(ngx_conf_t *cf, ngx_govsvc_http_target_t *t,
    ngx_resolver_t *resolver, ngx_str_t *who)
{
    if (t->url.numeric) {
        return NGX_CONF_OK;
    }

    /* Nginx makes an empty one where none is configured */

    if (resolver == NULL || resolver->connections.nelts == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" needs a resolver for the name \"%V\", write "
                      "\"resolver ADDRESS;\" in the http block", who,
                      &t->host);
        return NGX_CONF_ERROR;
    }

    t->resolver = resolver;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_govsvc_http_build(ngx_govsvc_http_t *h,
    const ngx_govsvc_http_request_t *request)
{
    size_t                          len;
    ngx_buf_t                      *b;
    ngx_str_t                       target, authority;
    ngx_uint_t                      i;
    const ngx_govsvc_http_field_t  *f;

    target = request->target;

    if (target.len == 0) {
        target = ngx_govsvc_from_gs(&h->target->url.target);
    }

    if (target.len == 0) {
        ngx_str_set(&target, "/");
    }

    authority = ngx_govsvc_from_gs(&h->target->url.authority);

    len = sizeof("  HTTP/1.1" CRLF "Host: " CRLF "User-Agent: govsvc" CRLF
                 "Connection: close" CRLF "Content-Length: " CRLF CRLF)
          + ngx_strlen(request->method) + target.len + authority.len
          + NGX_SIZE_T_LEN + request->body.len;

    for (i = 0; i < request->nfields; i++) {
        f = &request->fields[i];

        if (!ngx_govsvc_http_is_field(f)) {
            ngx_log_error(NGX_LOG_ERR, &h->log, 0,
                          "govsvc http: a header with control bytes was not "
                          "sent");
            return NGX_ERROR;
        }

        len += f->name.len + f->value.len + sizeof(": " CRLF);
    }

    b = ngx_create_temp_buf(h->pool, len);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_sprintf(b->last, "%s %V HTTP/1.1" CRLF "Host: %V" CRLF
                          "User-Agent: govsvc" CRLF "Connection: close" CRLF,
                          request->method, &target, &authority);

    if (request->body.len != 0 || ngx_strcmp(request->method, "POST") == 0) {
        b->last = ngx_sprintf(b->last, "Content-Length: %uz" CRLF,
                              request->body.len);
    }

    for (i = 0; i < request->nfields; i++) {
        b->last = ngx_sprintf(b->last, "%V: %V" CRLF,
                              &request->fields[i].name,
                              &request->fields[i].value);
    }

    *b->last++ = CR;
    *b->last++ = LF;

    if (request->body.len != 0) {
        b->last = ngx_cpymem(b->last, request->body.data, request->body.len);
    }

    h->request = b;

    return NGX_OK;
}


static ngx_uint_t
ngx_govsvc_http_is_field(const ngx_govsvc_http_field_t *field)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < field->name.len; i++) {
        c = field->name.data[i];

        if (c <= 0x20 || c >= 0x7f || c == ':') {
            return 0;
        }
    }

    for (i = 0; i < field->value.len; i++) {
        c = field->value.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return 0;
        }
    }

    return field->name.len != 0;
}
