
/*
 * Copyright (C) govsvc authors
 *
 * Client: strips identity headers, names the network of the client.
 */


#include "http/ngx_http_govsvc_client.h"
#include "core/gs_net.h"


static ngx_int_t ngx_http_govsvc_client_strip(ngx_http_request_t *r);
static ngx_uint_t ngx_http_govsvc_client_identity(
    ngx_http_govsvc_client_srv_conf_t *ccf, ngx_str_t *key);
static ngx_uint_t ngx_http_govsvc_client_matches(ngx_str_t *key,
    const ngx_http_govsvc_client_name_t *name);
static ngx_uint_t ngx_http_govsvc_client_gone(void *data,
    ngx_table_elt_t *h);
static ngx_uint_t ngx_http_govsvc_client_listed(ngx_array_t *list,
    ngx_str_t *key);
static ngx_int_t ngx_http_govsvc_client_keep(ngx_http_request_t *r,
    ngx_list_part_t **out, ngx_table_elt_t *elts, ngx_uint_t n);
static ngx_int_t ngx_http_govsvc_client_net(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);


/*
 * Strips before it asks whether there is anything else to do: no request
 * passes with a forged identity, whatever became of it.
 */

ngx_int_t
ngx_http_govsvc_client_handler(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t  *ctx;

    if (ngx_http_govsvc_client_strip(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->client_net.len != 0) {
        return NGX_DECLINED;
    }

    if (ngx_http_govsvc_client_net(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


/* Takes identity headers out of r; NGX_ERROR if memory is out. */

static ngx_int_t
ngx_http_govsvc_client_strip(ngx_http_request_t *r)
{
    ngx_uint_t                          i;
    ngx_list_part_t                    *part;
    ngx_table_elt_t                    *h;
    ngx_http_govsvc_client_srv_conf_t  *ccf;

    ccf = ngx_http_get_module_srv_conf(r, ngx_http_govsvc_client_module);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (!ngx_http_govsvc_client_identity(ccf, &h[i].key)) {
                continue;
            }

            return ngx_http_govsvc_app_identity(r) == NGX_OK
                       ? ngx_http_govsvc_client_remove(r,
                                          ngx_http_govsvc_client_gone, ccf)
                       : NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_govsvc_client_identity(ngx_http_govsvc_client_srv_conf_t *ccf,
    ngx_str_t *key)
{
    const ngx_http_govsvc_client_name_t  *known;

    if (key->len == 0
        || !ccf->first[ngx_http_govsvc_client_fold(key->data[0])])
    {
        return 0;
    }

    for (known = ngx_http_govsvc_client_names; known->name.len; known++) {
        if (ngx_http_govsvc_client_matches(key, known)) {
            return 1;
        }
    }

    return ngx_http_govsvc_client_listed(ccf->own, key)
           || ngx_http_govsvc_client_listed(ccf->strip, key);
}


static ngx_uint_t
ngx_http_govsvc_client_listed(ngx_array_t *list, ngx_str_t *key)
{
    ngx_uint_t                      i;
    ngx_http_govsvc_client_name_t  *names;

    if (list == NULL) {
        return 0;
    }

    names = list->elts;

    for (i = 0; i < list->nelts; i++) {
        if (ngx_http_govsvc_client_matches(key, &names[i])) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_govsvc_client_gone(void *data, ngx_table_elt_t *h)
{
    return ngx_http_govsvc_client_identity(data, &h->key);
}


static ngx_uint_t
ngx_http_govsvc_client_matches(ngx_str_t *key,
    const ngx_http_govsvc_client_name_t *name)
{
    size_t  i;

    if (key->len < name->name.len
        || (key->len > name->name.len && !name->prefix))
    {
        return 0;
    }

    for (i = 0; i < name->name.len; i++) {
        if (ngx_http_govsvc_client_fold(key->data[i]) != name->name.data[i]) {
            return 0;
        }
    }

    return 1;
}


/*
 * CGI and its heirs make every byte that is no letter or digit a "_" in the
 * name of a variable: "X_Tif.Uid" reaches such a platform as "X-Tif-Uid".
 */

u_char
ngx_http_govsvc_client_fold(u_char c)
{
    if (gs_is_alpha(c)) {
        return (u_char) gs_to_lower(c);
    }

    return gs_is_digit(c) ? c : '-';
}


/*
 * Nginx keeps pointers to elements (headers_in.host and the like, chains of
 * equal headers since 1.23), so none may move: parts of the list are cut into
 * runs of the elements kept.
 */

ngx_int_t
ngx_http_govsvc_client_remove(ngx_http_request_t *r,
    ngx_http_govsvc_client_gone_pt gone, void *data)
{
    ngx_list_t        *list;
    ngx_uint_t         i, start;
    ngx_list_part_t    first, *part, *out;
    ngx_table_elt_t   *h;

    list = &r->headers_in.headers;
    first = list->part;
    out = NULL;

    for (part = &first; part; part = part->next) {
        h = part->elts;
        start = 0;

        for (i = 0; i < part->nelts; i++) {

            if (!gone(data, &h[i])) {
                continue;
            }

            if (ngx_http_govsvc_client_keep(r, &out, &h[start], i - start)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            start = i + 1;
        }

        if (ngx_http_govsvc_client_keep(r, &out, &h[start], i - start)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (out == NULL) {
        list->part = first;
        list->part.nelts = 0;
        list->part.next = NULL;
        list->last = &list->part;

        return NGX_OK;
    }

    /* the last run ends before its memory does: it counts as full */

    list->last = out;
    list->nalloc = out->nelts;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_client_keep(ngx_http_request_t *r, ngx_list_part_t **out,
    ngx_table_elt_t *elts, ngx_uint_t n)
{
    ngx_list_part_t  *part;

    if (n == 0) {
        return NGX_OK;
    }

    if (*out == NULL) {
        part = &r->headers_in.headers.part;

    } else {
        part = ngx_palloc(r->pool, sizeof(ngx_list_part_t));
        if (part == NULL) {
            return NGX_ERROR;
        }

        (*out)->next = part;
    }

    part->elts = elts;
    part->nelts = n;
    part->next = NULL;

    *out = part;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_client_net(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx)
{
    gs_net_t           net;
    ngx_connection_t  *c;

    c = r->connection;

    (void) gs_net_sockaddr(&net, c->sockaddr, c->socklen);

    switch (net.family) {

    case GS_NET_UNIX:
        ngx_str_set(&ctx->client_net, "unix");
        return NGX_OK;

    case GS_NET_IPV4:

        if (c->sockaddr->sa_family == AF_INET && c->addr_text.len != 0) {
            ctx->client_net = c->addr_text;
            return NGX_OK;
        }

        break;

    case GS_NET_IPV6:
        gs_net_client(&net);
        break;

    default:
        ngx_log_error(NGX_LOG_ALERT, c->log, 0,
                      "govsvc client: address of unknown family: %d",
                      c->sockaddr->sa_family);
        return NGX_ERROR;
    }

    ctx->client_net.data = ngx_pnalloc(r->pool, GS_NET_TEXT);
    if (ctx->client_net.data == NULL) {
        return NGX_ERROR;
    }

    ctx->client_net.len = gs_net_print(ctx->client_net.data, &net);

    return NGX_OK;
}
