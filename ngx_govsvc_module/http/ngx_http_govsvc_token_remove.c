
/*
 * Copyright (C) govsvc authors
 *
 * The client's credential is for us: platforms get what we vouch for, and
 * nothing that they could use in the client's name elsewhere.
 */


#include "http/ngx_http_govsvc_client.h"
#include "http/ngx_http_govsvc_token.h"
#include "ngx/ngx_govsvc_compat.h"


static ngx_int_t ngx_http_govsvc_token_remove_header(ngx_http_request_t *r);
static ngx_int_t ngx_http_govsvc_token_remove_cookie(ngx_http_request_t *r,
    ngx_str_t *name);
static ngx_int_t ngx_http_govsvc_token_remove_arg(ngx_http_request_t *r,
    ngx_str_t *name);
static ngx_int_t ngx_http_govsvc_token_cut(ngx_pool_t *pool, ngx_str_t *text,
    size_t from, u_char sep, ngx_str_t *name);
static ngx_uint_t ngx_http_govsvc_token_is_authorization(void *data,
    ngx_table_elt_t *h);
static ngx_uint_t ngx_http_govsvc_token_is_empty(void *data,
    ngx_table_elt_t *h);


ngx_int_t
ngx_http_govsvc_token_remove(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_str_t                        token;
    ngx_uint_t                       i;
    ngx_array_t                      one;
    ngx_http_govsvc_token_conf_t    *tlcf;
    ngx_http_govsvc_token_source_t  *source;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_token_module);

    if (tlcf->policy == NULL || tlcf->forward) {
        return NGX_OK;
    }

    source = tlcf->sources->elts;

    for (i = 0; i < tlcf->sources->nelts; i++) {

        one = *tlcf->sources;
        one.elts = &source[i];
        one.nelts = 1;

        if (ngx_http_govsvc_token_find(r, &one, &token) != NGX_OK
            || token.data == ctx->credential.data)
        {
            continue;
        }

        ctx->credential = token;
        ctx->credential_source = &source[i];

        switch (source[i].type) {

        case NGX_HTTP_GOVSVC_TOKEN_HEADER:
            rc = ngx_http_govsvc_token_remove_header(r);
            break;

        case NGX_HTTP_GOVSVC_TOKEN_COOKIE:
            rc = ngx_http_govsvc_token_remove_cookie(r, &source[i].name);
            break;

        default: /* NGX_HTTP_GOVSVC_TOKEN_ARG */
            rc = ngx_http_govsvc_token_remove_arg(r, &source[i].name);
            break;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_token_remove_header(ngx_http_request_t *r)
{
    r->headers_in.authorization = NULL;

    return ngx_http_govsvc_client_remove(r,
                               ngx_http_govsvc_token_is_authorization, NULL);
}


static ngx_uint_t
ngx_http_govsvc_token_is_authorization(void *data, ngx_table_elt_t *h)
{
    return h->key.len == sizeof("authorization") - 1
           && ngx_strncmp(h->lowcase_key, "authorization", h->key.len) == 0;
}


static ngx_int_t
ngx_http_govsvc_token_remove_cookie(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_uint_t        n;
    ngx_table_elt_t  *h;

    h = NULL;

    for (n = 0; /* void */; n++) {
        h = ngx_govsvc_cookie(r, h, n);

        if (h == NULL) {
            break;
        }

        if (ngx_http_govsvc_token_cut(r->pool, &h->value, 0, ';', name)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_govsvc_client_remove(r, ngx_http_govsvc_token_is_empty,
                                         NULL);
}


static ngx_uint_t
ngx_http_govsvc_token_is_empty(void *data, ngx_table_elt_t *h)
{
    return h->value.len == 0 && h->key.len == sizeof("cookie") - 1
           && ngx_strncmp(h->lowcase_key, "cookie", h->key.len) == 0;
}


/* Both forms that Nginx keeps: either may become what goes upstream. */

static ngx_int_t
ngx_http_govsvc_token_remove_arg(ngx_http_request_t *r, ngx_str_t *name)
{
    u_char  *p;
    size_t   from;

    if (ngx_http_govsvc_token_cut(r->pool, &r->args, 0, '&', name) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_strlchr(r->unparsed_uri.data,
                    r->unparsed_uri.data + r->unparsed_uri.len, '?');

    if (p == NULL) {
        return NGX_OK;
    }

    from = (size_t) (p - r->unparsed_uri.data) + 1;

    if (ngx_http_govsvc_token_cut(r->pool, &r->unparsed_uri, from, '&', name)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->unparsed_uri.len == from) {
        r->unparsed_uri.len--;
    }

    return NGX_OK;
}


/* A copy without NAME=VALUE, as ngx_http_govsvc_token_find() reads them. */

static ngx_int_t
ngx_http_govsvc_token_cut(ngx_pool_t *pool, ngx_str_t *text, size_t from,
    u_char sep, ngx_str_t *name)
{
    u_char  *p, *d, *end, *last, *word;

    d = ngx_pnalloc(pool, text->len + 1);
    if (d == NULL) {
        return NGX_ERROR;
    }

    last = text->data + text->len;
    text->len = from;
    word = text->data;
    text->data = d;
    d = ngx_cpymem(d, word, from);

    for (p = word + from; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, sep);

        if (end == NULL) {
            end = last;
        }

        for (word = p; word < end && *word == ' '; word++) {
            /* void */
        }

        if ((size_t) (end - word) > name->len
            && word[name->len] == '='
            && ngx_strncmp(word, name->data, name->len) == 0)
        {
            continue;
        }

        if (d != text->data + from) {
            *d++ = sep;

        } else {
            p = word;
        }

        d = ngx_cpymem(d, p, (size_t) (end - p));
    }

    text->len = (size_t) (d - text->data);

    return NGX_OK;
}
