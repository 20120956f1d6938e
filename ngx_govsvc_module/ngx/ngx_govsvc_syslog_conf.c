
/*
 * Copyright (C) govsvc authors
 *
 * The sender of syslog messages: addresses of the configuration.
 */


#include "ngx/ngx_govsvc_syslog_priv.h"


#define NGX_GOVSVC_SYSLOG_CONNECT  5000    /* ms, with TLS */


typedef struct {
    const char                *scheme;
    const char                *url;        /* what a target knows it as */
    ngx_govsvc_syslog_kind_e   kind;
} ngx_govsvc_syslog_scheme_t;


static char *ngx_govsvc_syslog_path(ngx_conf_t *cf, ngx_govsvc_syslog_t *s,
    ngx_str_t *path);
static char *ngx_govsvc_syslog_url(ngx_conf_t *cf, ngx_govsvc_syslog_t *s,
    const char *scheme, ngx_str_t *rest, ngx_govsvc_syslog_tls_t *tls);
static char *ngx_govsvc_syslog_certificate(ngx_conf_t *cf,
    ngx_govsvc_syslog_t *s, ngx_govsvc_syslog_tls_t *tls);


static const ngx_govsvc_syslog_scheme_t  ngx_govsvc_syslog_schemes[] = {
    { "tcp://", "http://", NGX_GOVSVC_SYSLOG_TCP },
    { "tls://", "https://", NGX_GOVSVC_SYSLOG_TLS },
    { "udp://", "http://", NGX_GOVSVC_SYSLOG_UDP },
    { "unix:", NULL, NGX_GOVSVC_SYSLOG_UNIX },
    { "unix-dgram:", NULL, NGX_GOVSVC_SYSLOG_DGRAM },
    { NULL, NULL, NGX_GOVSVC_SYSLOG_KINDS }
};


ngx_govsvc_syslog_t *
ngx_govsvc_syslog_conf(ngx_conf_t *cf, ngx_str_t *address,
    ngx_govsvc_syslog_tls_t *tls)
{
    char                              *rc;
    size_t                             len;
    ngx_str_t                          rest;
    ngx_govsvc_syslog_t               *s;
    const ngx_govsvc_syslog_scheme_t  *scheme;

    s = ngx_pcalloc(cf->pool, sizeof(ngx_govsvc_syslog_t));
    if (s == NULL) {
        return NULL;
    }

    s->name = *address;
    len = 0;

    for (scheme = ngx_govsvc_syslog_schemes;
         scheme->scheme != NULL;
         scheme++)
    {
        len = ngx_strlen(scheme->scheme);

        if (address->len > len
            && ngx_strncmp(address->data, scheme->scheme, len) == 0)
        {
            break;
        }
    }

    if (scheme->scheme == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\", allowed: "
                           "tcp://HOST:PORT, tls://HOST:PORT, "
                           "udp://HOST:PORT, unix:PATH, unix-dgram:PATH",
                           address);
        return NULL;
    }

    s->kind = scheme->kind;
    rest.data = address->data + len;
    rest.len = address->len - len;

    if (s->kind != NGX_GOVSVC_SYSLOG_TLS
        && (tls->ca.data != NULL || tls->name.data != NULL
            || tls->cert.data != NULL || tls->key.data != NULL))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ca=\", \"name=\", \"cert=\" and \"key=\" go "
                           "with a \"tls://\" address, not with \"%V\"",
                           address);
        return NULL;
    }

    if (scheme->url == NULL) {
        rc = ngx_govsvc_syslog_path(cf, s, &rest);

    } else {
        rc = ngx_govsvc_syslog_url(cf, s, scheme->url, &rest, tls);
    }

    s->target.connect_timeout = NGX_GOVSVC_SYSLOG_CONNECT;

    return (rc == NGX_CONF_OK) ? s : NULL;
}


static char *
ngx_govsvc_syslog_path(ngx_conf_t *cf, ngx_govsvc_syslog_t *s,
    ngx_str_t *path)
{
    struct sockaddr_un  *un;

    un = &s->path.addr.sockaddr_un;

    if (path->data[0] != '/' || path->len >= sizeof(un->sun_path)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\", allowed: a full name of at "
                           "most %uz bytes", path,
                           sizeof(un->sun_path) - 1);
        return NGX_CONF_ERROR;
    }

    un->sun_family = AF_UNIX;
    (void) ngx_cpystrn((u_char *) un->sun_path, path->data,
                       path->len + 1);
    s->path.len = sizeof(struct sockaddr_un);

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_syslog_url(ngx_conf_t *cf, ngx_govsvc_syslog_t *s,
    const char *scheme, ngx_str_t *rest, ngx_govsvc_syslog_tls_t *tls)
{
    size_t            brackets;
    u_char           *p;
    ngx_str_t         url;
    const gs_url_t   *u;

    url.len = ngx_strlen(scheme) + rest->len;
    url.data = ngx_pnalloc(cf->pool, url.len);

    if (url.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(url.data, scheme, ngx_strlen(scheme));
    (void) ngx_cpymem(p, rest->data, rest->len);

    if (ngx_govsvc_http_target(cf, &s->target, &url, &tls->ca, &tls->name)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    u = &s->target.url;
    brackets = (u->authority.len != 0 && u->authority.data[0] == '[') ? 2 : 0;

    if (u->target.len != 0 || u->authority.len <= u->host.len + brackets) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\", allowed: HOST:PORT and "
                           "nothing behind it", &s->name);
        return NGX_CONF_ERROR;
    }

    return (s->kind == NGX_GOVSVC_SYSLOG_TLS)
           ? ngx_govsvc_syslog_certificate(cf, s, tls) : NGX_CONF_OK;
}


static char *
ngx_govsvc_syslog_certificate(ngx_conf_t *cf, ngx_govsvc_syslog_t *s,
    ngx_govsvc_syslog_tls_t *tls)
{
    if ((tls->cert.data != NULL) != (tls->key.data != NULL)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"cert=\" and \"key=\" belong together");
        return NGX_CONF_ERROR;
    }

    if (tls->cert.data == NULL) {
        return NGX_CONF_OK;
    }

    return (ngx_ssl_certificate(cf, s->target.ssl, &tls->cert, &tls->key,
                                NULL)
            == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_govsvc_syslog_resolver(ngx_conf_t *cf, ngx_govsvc_syslog_t *s,
    ngx_resolver_t *resolver, ngx_str_t *who)
{
    if (s->path.len != 0) {
        return NGX_CONF_OK;
    }

    return ngx_govsvc_http_resolver(cf, &s->target, resolver, who);
}
