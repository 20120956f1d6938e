
/*
 * Copyright (C) govsvc authors
 *
 * Bans: the key that a rule names, taken of a request, and what people see of
 * it.
 */


#include "http/ngx_http_govsvc_ban.h"


#define NGX_HTTP_GOVSVC_BAN_SHOWN  2       /* bytes of a subject */


static ngx_int_t ngx_http_govsvc_ban_request_net(ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_ban_zone_t *zone, ngx_uint_t wide, gs_ban_id_t *id,
    u_char *label, gs_str_t *text);
static size_t ngx_http_govsvc_ban_mask(u_char *dst, ngx_str_t *issuer,
    ngx_str_t *subject);


ngx_int_t
ngx_http_govsvc_ban_request_id(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_ban_zone_t *zone,
    const gs_str_t *key, gs_ban_id_t *id, u_char *label, gs_str_t *text)
{
    size_t      len;
    ngx_str_t   nobody;
    ngx_uint_t  caller;

    caller = gs_str_eq_text(key, "caller");

    if (caller && ngx_http_govsvc_anonymous(ctx)) {
        return ngx_http_govsvc_ban_request_net(ctx, zone, 0, id, label, text);
    }

    if (caller || gs_str_eq_text(key, "subject")) {

        if (ctx->subject.len == 0) {
            return NGX_DECLINED;
        }

        ngx_http_govsvc_ban_caller_id(zone, GS_BAN_SUBJECT, &ctx->issuer,
                                      &ctx->subject, id);
        len = ngx_http_govsvc_ban_mask(label, &ctx->issuer, &ctx->subject);
        *text = gs_str_make(label, len);

        return NGX_OK;
    }

    if (gs_str_eq_text(key, "app")) {

        if (ctx->app.len == 0) {
            return NGX_DECLINED;
        }

        ngx_str_null(&nobody);
        ngx_http_govsvc_ban_caller_id(zone, GS_BAN_APP, &nobody, &ctx->app,
                                      id);
        *text = ngx_govsvc_to_gs(&ctx->app);

        return NGX_OK;
    }

    return ngx_http_govsvc_ban_request_net(ctx, zone,
                                           gs_str_eq_text(key, "network"),
                                           id, label, text);
}


static ngx_int_t
ngx_http_govsvc_ban_request_net(ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_ban_zone_t *zone, ngx_uint_t wide, gs_ban_id_t *id,
    u_char *label, gs_str_t *text)
{
    gs_str_t  s;
    gs_net_t  net;

    s = ngx_govsvc_to_gs(&ctx->client_net);

    if (gs_net_parse(&net, &s) != GS_OK
        || (net.family != GS_NET_IPV4 && net.family != GS_NET_IPV6))
    {
        return NGX_DECLINED;
    }

    if (wide) {
        gs_net_mask(&net, net.family == GS_NET_IPV4
                          ? NGX_HTTP_GOVSVC_BAN_INET
                          : NGX_HTTP_GOVSVC_BAN_INET6);
    }

    gs_ban_net(&zone->table, &net, id);
    *text = gs_str_make(label, gs_net_print(label, &net));

    return NGX_OK;
}


/* "portal/ab***": enough to tell two cases apart, too little to tell who. */

static size_t
ngx_http_govsvc_ban_mask(u_char *dst, ngx_str_t *issuer, ngx_str_t *subject)
{
    size_t   i, n;
    u_char  *p;

    n = ngx_min(issuer->len, NGX_HTTP_GOVSVC_BAN_LABEL / 2);

    p = ngx_cpymem(dst, issuer->data, n);
    *p++ = '/';

    for (i = 0; i < NGX_HTTP_GOVSVC_BAN_SHOWN && subject->len >= 8; i++) {
        if (subject->data[i] > 0x20 && subject->data[i] < 0x7f) {
            *p++ = subject->data[i];
        }
    }

    p = ngx_cpymem(p, "***", 3);

    return p - dst;
}


void
ngx_http_govsvc_ban_escalate(ngx_http_govsvc_ban_zone_t *zone,
    gs_ban_tiers_t *tiers, uint64_t ttl, ngx_uint_t factor, uint64_t max)
{
    if (max == 0 || max > NGX_HTTP_GOVSVC_BAN_MAX_TIME) {
        max = NGX_HTTP_GOVSVC_BAN_MAX_TIME;
    }

    tiers->memory = zone->tiers.memory;

    for (tiers->n = 0; tiers->n < GS_BAN_TIERS; tiers->n++) {
        tiers->ms[tiers->n] = ngx_min(ttl, max);
        ttl = (ttl > max / factor) ? max : ttl * factor;
    }
}
