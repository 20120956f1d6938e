
/*
 * Copyright (C) govsvc authors
 *
 * Route: asks the table (route/gs_route_match.c) where a request goes.  A
 * stage of SERVER_REWRITE, before Nginx looks for the location; what has no
 * route is refused by the commit stage, where a location may say otherwise.
 */


#include "http/ngx_http_govsvc_balancer.h"
#include "http/ngx_http_govsvc_route_priv.h"


#define NGX_HTTP_GOVSVC_CLAIM  "govsvc_claim_"


static ngx_int_t ngx_http_govsvc_route_find(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_uint_t claims);
static ngx_int_t ngx_http_govsvc_route_unsafe(ngx_http_request_t *r);
static ngx_int_t ngx_http_govsvc_route_keep(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, const gs_route_result_t *res);
static void ngx_http_govsvc_route_copy(u_char **p, ngx_str_t *dst,
    const gs_str_t *src);
static gs_str_t ngx_http_govsvc_route_header(void *data,
    const gs_str_t *name);
static gs_str_t ngx_http_govsvc_route_claim(void *data, const gs_str_t *name);
static uint32_t ngx_http_govsvc_route_geo(void *data);


static const ngx_http_govsvc_reason_e  ngx_http_govsvc_route_refusals[] = {
    NGX_HTTP_GOVSVC_INTERNAL,              /* GS_ROUTE_MATCHED */
    NGX_HTTP_GOVSVC_ROUTE_NOT_FOUND,
    NGX_HTTP_GOVSVC_REGION_UNKNOWN,
    NGX_HTTP_GOVSVC_ITEM_UNKNOWN,
    NGX_HTTP_GOVSVC_ROUTE_NOT_FOUND        /* GS_ROUTE_LATE */
};


ngx_int_t
ngx_http_govsvc_route_handler(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t             *ctx;
    ngx_http_govsvc_route_loc_conf_t  *rlcf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_route_module);

    if (!rlcf->enable) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the destination stands also when the request is redirected inside */

    if (ctx->route_data != NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_govsvc_route_unsafe(r)) {
        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_URI_UNSAFE);
    }

    if (ngx_http_govsvc_route_find(r, ctx, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_govsvc_route_commit(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_reason_e *reason)
{
    ngx_http_govsvc_route_data_t      *data;
    ngx_http_govsvc_route_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_route_module);

    if (!rlcf->enable) {
        return NGX_DECLINED;
    }

    data = ctx->route_data;

    if (data == NULL && ngx_http_govsvc_route_unsafe(r)) {
        *reason = NGX_HTTP_GOVSVC_URI_UNSAFE;
        return NGX_ABORT;
    }

    if (data == NULL || data->late) {

        if (ngx_http_govsvc_route_find(r, ctx, 1) != NGX_OK) {
            return NGX_ERROR;
        }

        data = ctx->route_data;
    }

    if (data->reason != GS_ROUTE_MATCHED) {
        *reason = ngx_http_govsvc_route_refusals[data->reason];
        return NGX_ABORT;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_route_unsafe(ngx_http_request_t *r)
{
    size_t          at;
    gs_str_t        target;
    gs_route_uri_e  rc;

    target = ngx_govsvc_to_gs(&r->unparsed_uri);
    rc = gs_route_uri_check(&target, &at);

    if (rc == GS_ROUTE_URI_SAFE) {
        return 0;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "govsvc route: unsafe request target: %s at byte %uz",
                  gs_route_uri_text(rc), at);

    return 1;
}


static ngx_int_t
ngx_http_govsvc_route_find(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_uint_t claims)
{
    ngx_int_t                rc;
    gs_route_input_t         in;
    gs_route_result_t        res;
    const gs_route_table_t  *table;

    ngx_memzero(&in, sizeof(gs_route_input_t));

    in.host = ngx_govsvc_to_gs(&r->headers_in.server);
    in.method = ngx_govsvc_to_gs(&r->method_name);
    in.uri = ngx_govsvc_to_gs(&r->uri);
    in.args = ngx_govsvc_to_gs(&r->args);
    in.header = ngx_http_govsvc_route_header;
    in.claim = claims ? ngx_http_govsvc_route_claim : NULL;
    in.geo = ngx_http_govsvc_route_geo;
    in.ctx = r;

    table = ngx_http_govsvc_table_enter();
    if (table == NULL) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "govsvc route: no table");
        return NGX_ERROR;
    }

    (void) gs_route_match(table, &in, &res);

    rc = ngx_http_govsvc_route_keep(r, ctx, &res);

    ngx_http_govsvc_table_leave();

    return rc;
}


/* Out of the table into the request, before the section is left. */

static ngx_int_t
ngx_http_govsvc_route_keep(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    const gs_route_result_t *res)
{
    size_t                         len;
    u_char                        *p;
    const char                    *source;
    ngx_http_govsvc_route_data_t  *data;

    len = res->route_id.len + res->platform_id.len + res->pool_id.len
          + res->host.len + 6 + res->channel.len;

    data = ngx_palloc(r->pool, sizeof(ngx_http_govsvc_route_data_t) + len);
    if (data == NULL) {
        return NGX_ERROR;
    }

    data->reason = res->reason;
    data->late = res->late;
    p = (u_char *) (data + 1);

    ngx_http_govsvc_route_copy(&p, &ctx->route, &res->route_id);
    ngx_http_govsvc_route_copy(&p, &ctx->platform, &res->platform_id);
    ngx_http_govsvc_route_copy(&p, &ctx->pool, &res->pool_id);
    ngx_http_govsvc_route_copy(&p, &ctx->upstream_host, &res->host);

    ngx_str_null(&ctx->region);

    if (res->region != 0) {
        gs_region_print(p, res->region);
        ctx->region.data = p;
        ctx->region.len = 6;
        p += 6;
    }

    ctx->channel.data = p;
    ctx->channel.len = res->channel.len;

    if (res->channel.len != 0) {
        ngx_strlow(p, (u_char *) res->channel.data, res->channel.len);
    }

    source = gs_route_source_text(res->source);
    ctx->region_source.data = (u_char *) source;
    ctx->region_source.len = ngx_strlen(source);

    ctx->item = ngx_govsvc_from_gs(&res->item.code);
    ctx->case_no = ngx_govsvc_from_gs(&res->case_no);
    ctx->route_critical = res->critical;
    ctx->route_data = data;

    return NGX_OK;
}


static void
ngx_http_govsvc_route_copy(u_char **p, ngx_str_t *dst, const gs_str_t *src)
{
    dst->data = *p;
    dst->len = src->len;

    if (src->len != 0) {
        *p = ngx_cpymem(*p, src->data, src->len);
    }
}


/*
 * A header that is sent twice with different values has none that a route may
 * rely on: the platform might believe the other one.
 */

static gs_str_t
ngx_http_govsvc_route_header(void *data, const gs_str_t *name)
{
    ngx_http_request_t *r = data;

    gs_str_t          value;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    value = gs_str_make(NULL, 0);

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {

            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash == 0 || h[i].key.len != name->len
            || ngx_memcmp(h[i].lowcase_key, name->data, name->len) != 0)
        {
            continue;
        }

        if (value.data != NULL
            && (value.len != h[i].value.len
                || ngx_memcmp(value.data, h[i].value.data, value.len) != 0))
        {
            return gs_str_text(",");
        }

        value = ngx_govsvc_to_gs(&h[i].value);
    }

    return value;
}


/* Claims by the variable of the token feature, which knows their names. */

static gs_str_t
ngx_http_govsvc_route_claim(void *data, const gs_str_t *name)
{
    ngx_http_request_t *r = data;

    u_char                      buf[sizeof(NGX_HTTP_GOVSVC_CLAIM) + 64];
    ngx_str_t                   variable;
    ngx_http_variable_value_t  *vv;

    if (name->len > 64) {
        return gs_str_make(NULL, 0);
    }

    variable.data = buf;
    variable.len = ngx_cpymem(ngx_cpymem(buf, NGX_HTTP_GOVSVC_CLAIM,
                                         sizeof(NGX_HTTP_GOVSVC_CLAIM) - 1),
                              name->data, name->len) - buf;

    vv = ngx_http_get_variable(r, &variable,
                               ngx_hash_key(variable.data, variable.len));

    if (vv == NULL || vv->not_found) {
        return gs_str_make(NULL, 0);
    }

    return gs_str_make(vv->data, vv->len);
}


static uint32_t
ngx_http_govsvc_route_geo(void *data)
{
    return (uint32_t) ngx_http_govsvc_geo_region(data);
}
