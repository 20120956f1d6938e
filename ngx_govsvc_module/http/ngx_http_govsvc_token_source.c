
/*
 * Copyright (C) govsvc authors
 *
 * Where a credential stands in a request.  Exactly one is taken: with two, the
 * gateway and the platform behind it might look at different ones.
 */


#include "http/ngx_http_govsvc_token.h"
#include "ngx/ngx_govsvc_compat.h"


static void ngx_http_govsvc_token_kept(ngx_http_request_t *r,
    ngx_array_t *sources, ngx_str_t *token);
static ngx_int_t ngx_http_govsvc_token_header(ngx_http_request_t *r,
    ngx_str_t *token);
static ngx_int_t ngx_http_govsvc_token_cookie(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *token);
static ngx_int_t ngx_http_govsvc_token_arg(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *token);
static ngx_int_t ngx_http_govsvc_token_pairs(ngx_str_t *text, u_char sep,
    ngx_str_t *name, ngx_str_t *token);


ngx_int_t
ngx_http_govsvc_token_find(ngx_http_request_t *r, ngx_array_t *sources,
    ngx_str_t *token)
{
    ngx_int_t                        rc;
    ngx_str_t                        found;
    ngx_uint_t                       i;
    ngx_http_govsvc_token_source_t  *source;

    ngx_str_null(token);

    source = sources->elts;

    for (i = 0; i < sources->nelts; i++) {

        ngx_str_null(&found);

        switch (source[i].type) {

        case NGX_HTTP_GOVSVC_TOKEN_HEADER:
            rc = ngx_http_govsvc_token_header(r, &found);
            break;

        case NGX_HTTP_GOVSVC_TOKEN_COOKIE:
            rc = ngx_http_govsvc_token_cookie(r, &source[i].name, &found);
            break;

        default: /* NGX_HTTP_GOVSVC_TOKEN_ARG */
            rc = ngx_http_govsvc_token_arg(r, &source[i].name, &found);
            break;
        }

        if (rc == NGX_ERROR || (rc == NGX_OK && token->len != 0)) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK) {
            *token = found;
        }
    }

    if (token->len == 0) {
        ngx_http_govsvc_token_kept(r, sources, token);
    }

    return token->len != 0 ? NGX_OK : NGX_DECLINED;
}


/* Taken out of the request before an internal redirect led here. */

static void
ngx_http_govsvc_token_kept(ngx_http_request_t *r, ngx_array_t *sources,
    ngx_str_t *token)
{
    ngx_uint_t                       i;
    ngx_http_govsvc_ctx_t           *ctx;
    ngx_http_govsvc_token_source_t  *source, *kept;

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ctx == NULL || ctx->credential.len == 0) {
        return;
    }

    kept = ctx->credential_source;
    source = sources->elts;

    for (i = 0; i < sources->nelts; i++) {
        if (source[i].type == kept->type
            && source[i].name.len == kept->name.len
            && (kept->name.len == 0
                || ngx_strncmp(source[i].name.data, kept->name.data,
                               kept->name.len)
                   == 0))
        {
            *token = ctx->credential;
            return;
        }
    }
}


/*
 * RFC 6750 section 2.1, with the scheme case-blind (RFC 9110 section 11.1).
 * Another scheme is no credential for us.
 */

static ngx_int_t
ngx_http_govsvc_token_header(ngx_http_request_t *r, ngx_str_t *token)
{
    u_char           *p, *last;
    ngx_table_elt_t  *h;

    h = r->headers_in.authorization;

    if (h == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_govsvc_header_next(h) != NULL) {
        return NGX_ERROR;
    }

    p = h->value.data;
    last = p + h->value.len;

    if (h->value.len < sizeof("Bearer") - 1
        || ngx_strncasecmp(p, (u_char *) "Bearer", sizeof("Bearer") - 1) != 0)
    {
        return NGX_DECLINED;
    }

    p += sizeof("Bearer") - 1;

    if (p < last && *p != ' ') {
        return NGX_DECLINED;
    }

    while (p < last && *p == ' ') {
        p++;
    }

    while (p < last && last[-1] == ' ') {
        last--;
    }

    if (p == last || memchr(p, ' ', (size_t) (last - p)) != NULL) {
        return NGX_ERROR;
    }

    token->data = p;
    token->len = (size_t) (last - p);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_token_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *token)
{
    ngx_uint_t        n;
    ngx_table_elt_t  *h;

    h = NULL;

    for (n = 0; /* void */; n++) {
        h = ngx_govsvc_cookie(r, h, n);

        if (h == NULL) {
            break;
        }

        if (ngx_http_govsvc_token_pairs(&h->value, ';', name, token)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return token->len != 0 ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_govsvc_token_arg(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *token)
{
    if (ngx_http_govsvc_token_pairs(&r->args, '&', name, token) != NGX_OK) {
        return NGX_ERROR;
    }

    return token->len != 0 ? NGX_OK : NGX_DECLINED;
}


/*
 * Looks for NAME=VALUE between separators; an empty value is none.  NGX_ERROR
 * on a second one.  Nothing is unescaped: a token has no byte that needs it.
 */

static ngx_int_t
ngx_http_govsvc_token_pairs(ngx_str_t *text, u_char sep, ngx_str_t *name,
    ngx_str_t *token)
{
    u_char  *p, *end, *last;

    last = text->data + text->len;

    for (p = text->data; p < last; p = end + 1) {

        while (p < last && *p == ' ') {
            p++;
        }

        end = ngx_strlchr(p, last, sep);

        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) <= name->len + 1
            || p[name->len] != '='
            || ngx_strncmp(p, name->data, name->len) != 0)
        {
            continue;
        }

        if (token->len != 0) {
            return NGX_ERROR;
        }

        p += name->len + 1;

        token->data = p;
        token->len = (size_t) (end - p);
    }

    return NGX_OK;
}
