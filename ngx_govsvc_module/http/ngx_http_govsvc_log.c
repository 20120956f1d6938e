
/*
 * Copyright (C) govsvc authors
 *
 * What Nginx adds to a line of the error log about a request.  Its own words
 * are the request line, the address upstream and the referer: any of them may
 * hold a token or the number of an identity card.  Ours name the request by
 * its number, under which the audit record tells the rest, masked.
 */


#include "http/ngx_http_govsvc_ctx.h"


u_char *
ngx_http_govsvc_log_handler(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    u_char                    *p;
    ngx_http_upstream_t       *u;
    ngx_http_govsvc_ctx_t     *ctx;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    p = ngx_snprintf(buf, len, ", server: %V", &cscf->server_name);
    len -= p - buf;
    buf = p;

    ctx = ngx_http_govsvc_find_ctx(r);

    if (ctx != NULL) {
        p = ngx_snprintf(buf, len, ", request: %V \"%V\"", &ctx->request_id,
                         &r->method_name);
        len -= p - buf;
        buf = p;
    }

    if (r != sr) {
        p = ngx_snprintf(buf, len, ", subrequest: \"%V\"", &sr->uri);
        len -= p - buf;
        buf = p;
    }

    u = sr->upstream;

    if (u != NULL && u->peer.name != NULL) {
        p = ngx_snprintf(buf, len, ", upstream: \"%V%V\"", &u->schema,
                         u->peer.name);
        len -= p - buf;
        buf = p;
    }

    if (r->headers_in.server.len != 0) {
        p = ngx_snprintf(buf, len, ", host: \"%V\"", &r->headers_in.server);
        buf = p;
    }

    return buf;
}
