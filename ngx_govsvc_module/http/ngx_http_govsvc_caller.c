
/*
 * Copyright (C) govsvc authors
 *
 * Whether somebody proved who he is with a request, or may still do so: for
 * what holds an address, but none of those who sign on behind it.
 */


#include "http/ngx_http_govsvc.h"


ngx_uint_t
ngx_http_govsvc_anonymous(const ngx_http_govsvc_ctx_t *ctx)
{
    return ctx->auth_status != NGX_HTTP_GOVSVC_AUTH_OK
           || (ctx->subject.len == 0 && ctx->app.len == 0);
}


ngx_uint_t
ngx_http_govsvc_proves(ngx_http_request_t *r)
{
    return ngx_http_govsvc_token_stands(r) || ngx_http_govsvc_app_stands(r);
}
