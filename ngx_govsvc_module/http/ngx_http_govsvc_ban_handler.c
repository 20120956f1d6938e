
/*
 * Copyright (C) govsvc authors
 *
 * Bans of a request: its address first of all, its caller once that is known.
 */


#include "http/ngx_http_govsvc_ban.h"
#include "http/ngx_http_govsvc_correlate.h"


#define NGX_HTTP_GOVSVC_BAN_ISSUER  128    /* bytes of its name that count */
#define NGX_HTTP_GOVSVC_BAN_NAME    512


static ngx_int_t ngx_http_govsvc_ban_net(ngx_http_request_t *r,
    ngx_http_govsvc_ban_conf_t *bcf, uint64_t now, uint64_t *until,
    gs_ban_id_t *id);
static ngx_int_t ngx_http_govsvc_ban_waits(ngx_http_request_t *r,
    ngx_http_govsvc_ban_conf_t *bcf, ngx_http_govsvc_ctx_t *ctx,
    const gs_ban_id_t *id, uint64_t now);
static ngx_int_t ngx_http_govsvc_ban_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ban_conf_t *bcf, ngx_http_govsvc_ctx_t *ctx,
    const gs_ban_id_t *id, uint64_t until, uint64_t now);
static uint64_t ngx_http_govsvc_ban_caller(ngx_http_govsvc_ban_conf_t *bcf,
    gs_ban_kind_e kind, ngx_str_t *issuer, ngx_str_t *name, uint64_t now,
    gs_ban_id_t *id);
static void ngx_http_govsvc_ban_log(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, uint64_t until, ngx_log_t *log);


static ngx_str_t  ngx_http_govsvc_ban_nobody = ngx_null_string;


uint64_t
ngx_http_govsvc_ban_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


ngx_int_t
ngx_http_govsvc_ban_client_handler(ngx_http_request_t *r)
{
    uint64_t                     now, until;
    gs_ban_id_t                  id;
    ngx_http_govsvc_ctx_t       *ctx;
    ngx_http_govsvc_ban_conf_t  *bcf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    bcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_ban_module);

    if (bcf->zone == NULL
        || !(bcf->kinds & 1 << GS_BAN_NET)
        || !gs_ban_has(&bcf->zone->table, GS_BAN_NET))
    {
        return NGX_DECLINED;
    }

    now = ngx_http_govsvc_ban_now();

    if (ngx_http_govsvc_ban_net(r, bcf, now, &until, &id) != NGX_OK) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_govsvc_ban_waits(r, bcf, ctx, &id, now) == NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_govsvc_ban_refuse(r, bcf, ctx, &id, until, now);
}


static ngx_int_t
ngx_http_govsvc_ban_net(ngx_http_request_t *r,
    ngx_http_govsvc_ban_conf_t *bcf, uint64_t now, uint64_t *until,
    gs_ban_id_t *id)
{
    gs_net_t           net;
    ngx_connection_t  *c;

    c = r->connection;

    if (gs_net_sockaddr(&net, c->sockaddr, c->socklen) != GS_OK) {
        return NGX_DECLINED;
    }

    *until = gs_ban_address(&bcf->zone->table, &net, now, id);

    if (*until == 0
        || (bcf->zone->allow != NULL
            && gs_net_set_has(bcf->zone->allow, &net)))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * A ban of the caller of a rule, where that proved to be nobody, is one of the
 * address, but holds nobody who signs on behind it.
 */

static ngx_int_t
ngx_http_govsvc_ban_waits(ngx_http_request_t *r,
    ngx_http_govsvc_ban_conf_t *bcf, ngx_http_govsvc_ctx_t *ctx,
    const gs_ban_id_t *id, uint64_t now)
{
    gs_ban_entry_t                   e;
    ngx_http_govsvc_correlate_ban_e  rc;

    if (gs_ban_find(&bcf->zone->table, id, now, &e) != GS_OK || e.rule == 0) {
        return NGX_DECLINED;
    }

    rc = ngx_http_govsvc_correlate_banned(r, ctx, e.rule, e.until);

    if (rc == NGX_HTTP_GOVSVC_CORRELATE_UNPROVEN
        && ngx_http_govsvc_proves(r))
    {
        ctx->ban_waits = 1;
        return NGX_OK;
    }

    return (rc == NGX_HTTP_GOVSVC_CORRELATE_SPARED) ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_http_govsvc_ban_caller_handler(ngx_http_request_t *r)
{
    uint64_t                     now, until;
    gs_ban_id_t                  id;
    ngx_http_govsvc_ctx_t       *ctx;
    ngx_http_govsvc_ban_conf_t  *bcf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    bcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_ban_module);

    if (bcf->zone == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    now = ngx_http_govsvc_ban_now();

    if (ctx->ban_waits && ngx_http_govsvc_anonymous(ctx)
        && ngx_http_govsvc_ban_net(r, bcf, now, &until, &id) == NGX_OK)
    {
        return ngx_http_govsvc_ban_refuse(r, bcf, ctx, &id, until, now);
    }

    until = ngx_http_govsvc_ban_caller(bcf, GS_BAN_SUBJECT, &ctx->issuer,
                                       &ctx->subject, now, &id);

    if (until == 0) {
        until = ngx_http_govsvc_ban_caller(bcf, GS_BAN_APP,
                                           &ngx_http_govsvc_ban_nobody,
                                           &ctx->app, now, &id);
    }

    if (until == 0) {
        until = ngx_http_govsvc_ban_caller(bcf, GS_BAN_KID, &ctx->issuer,
                                           &ctx->kid, now, &id);
    }

    if (until == 0) {
        return NGX_DECLINED;
    }

    return ngx_http_govsvc_ban_refuse(r, bcf, ctx, &id, until, now);
}


static uint64_t
ngx_http_govsvc_ban_caller(ngx_http_govsvc_ban_conf_t *bcf,
    gs_ban_kind_e kind, ngx_str_t *issuer, ngx_str_t *name, uint64_t now,
    gs_ban_id_t *id)
{
    if (name->len == 0
        || !(bcf->kinds & (ngx_uint_t) 1 << kind)
        || !gs_ban_has(&bcf->zone->table, kind))
    {
        return 0;
    }

    ngx_http_govsvc_ban_caller_id(bcf->zone, kind, issuer, name, id);

    return gs_ban_until(&bcf->zone->table, id, now);
}


static ngx_int_t
ngx_http_govsvc_ban_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_ban_conf_t *bcf, ngx_http_govsvc_ctx_t *ctx,
    const gs_ban_id_t *id, uint64_t until, uint64_t now)
{
    ctx->ban_until = until;

    if (bcf->dry_run) {
        ctx->ban_dry_run = 1;

        ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                      "govsvc ban: %s is banned by zone \"%V\" (dry run)",
                      gs_ban_kinds[id->kind], &bcf->zone->base.name);

        return NGX_DECLINED;
    }

    ctx->retry_after = (ngx_uint_t) ((until - now + 999) / 1000);

    return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_BANNED);
}


ngx_int_t
ngx_http_govsvc_ban_net_id(ngx_http_govsvc_ban_zone_t *zone, ngx_str_t *text,
    gs_ban_id_t *id)
{
    gs_str_t  s;
    gs_net_t  net;

    s = ngx_govsvc_to_gs(text);

    if (gs_net_parse(&net, &s) != GS_OK) {
        return NGX_ERROR;
    }

    gs_ban_net(&zone->table, &net, id);

    return NGX_OK;
}


/* One hash over both names: the issuer's goes first, with its length. */

void
ngx_http_govsvc_ban_caller_id(ngx_http_govsvc_ban_zone_t *zone,
    gs_ban_kind_e kind, ngx_str_t *issuer, ngx_str_t *name, gs_ban_id_t *id)
{
    size_t    len;
    u_char    buf[NGX_HTTP_GOVSVC_BAN_NAME], *p;
    gs_str_t  s;

    len = ngx_min(issuer->len, NGX_HTTP_GOVSVC_BAN_ISSUER);

    p = buf;
    *p++ = (u_char) len;

    if (len != 0) {
        p = ngx_cpymem(p, issuer->data, len);
    }

    if (name->len <= (size_t) (buf + sizeof(buf) - p)) {
        p = ngx_cpymem(p, name->data, name->len);

    } else {
        s = ngx_govsvc_to_gs(name);
        gs_ban_key(&zone->table, kind, &s, id);
        p = ngx_cpymem(p, id->h, sizeof(id->h));
    }

    s = gs_str_make(buf, (size_t) (p - buf));
    gs_ban_key(&zone->table, kind, &s, id);
}


ngx_int_t
ngx_http_govsvc_ban_add(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, const gs_ban_t *ban, uint64_t *until,
    ngx_log_t *log)
{
    gs_rc_t   rc;
    gs_ban_t  b;
    uint64_t  time;

    b = *ban;
    time = 0;

    if (b.until == 0 && b.tiers == NULL) {
        b.tiers = &zone->tiers;
    }

    if (id->kind == GS_BAN_NET && zone->allow != NULL
        && gs_net_set_has(zone->allow, &id->net))
    {
        rc = GS_DECLINED;

    } else {
        rc = gs_ban_add(&zone->table, id, &b, ngx_http_govsvc_ban_now(),
                        &time, NULL);
    }

    if (until != NULL) {
        *until = time;
    }

    switch (rc) {

    case GS_OK:
        ngx_http_govsvc_ban_log(zone, id, time, log);

        if (zone->changed != NULL) {
            zone->changed(zone, id, &b, time, zone->data);
        }

        break;

    case GS_BUSY:
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "govsvc ban: zone \"%V\" is full, a ban was not set",
                      &zone->base.name);
        break;

    default:
        break;
    }

    return (ngx_int_t) rc;
}


static void
ngx_http_govsvc_ban_log(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, uint64_t until, ngx_log_t *log)
{
    ngx_str_t       label, reason, actor;
    gs_ban_entry_t  e;

    if (gs_ban_find(&zone->table, id, ngx_http_govsvc_ban_now(), &e)
        != GS_OK)
    {
        return;
    }

    label = ngx_govsvc_from_gs(&e.label);
    reason = ngx_govsvc_from_gs(&e.reason);
    actor = ngx_govsvc_from_gs(&e.actor);

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "govsvc ban: %s \"%V\" banned in zone \"%V\" for %uLs, "
                  "rule %uD, reason \"%V\", by \"%V\"",
                  gs_ban_kinds[id->kind], &label, &zone->base.name,
                  (until - ngx_http_govsvc_ban_now() + 999) / 1000, e.rule,
                  &reason, &actor);
}


ngx_int_t
ngx_http_govsvc_ban_lift(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, ngx_log_t *log)
{
    gs_rc_t  rc;

    rc = gs_ban_lift(&zone->table, id, ngx_http_govsvc_ban_now());

    if (rc == GS_OK) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "govsvc ban: ban of a %s lifted in zone \"%V\"",
                      gs_ban_kinds[id->kind], &zone->base.name);
    }

    if (zone->lifted != NULL) {
        zone->lifted(zone, id, zone->lifted_data);
    }

    /* other nodes may have one that this one lacks */

    if (zone->changed != NULL) {
        zone->changed(zone, id, NULL, 0, zone->data);
    }

    return (ngx_int_t) rc;
}
