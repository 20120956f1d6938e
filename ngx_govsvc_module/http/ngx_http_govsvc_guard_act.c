
/*
 * Copyright (C) govsvc authors
 *
 * Guard: bans and limits that rules ask for.  Addresses meet them when the
 * rule hits, callers at the end of the request, when they are known if they
 * ever are.
 */


#include "http/ngx_http_govsvc_ban.h"
#include "http/ngx_http_govsvc_correlate.h"
#include "http/ngx_http_govsvc_ctx.h"
#include "http/ngx_http_govsvc_guard_priv.h"



static void ngx_http_govsvc_guard_limit(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_guard_loc_conf_t *glcf,
    ngx_uint_t i, const gs_guard_rule_info_t *info);
static ngx_uint_t ngx_http_govsvc_guard_is_address(const gs_str_t *key);
static void ngx_http_govsvc_guard_ban_hit(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_ban_zone_t *zone,
    const gs_guard_hit_t *hit, const gs_guard_rule_info_t *info);


static ngx_str_t  ngx_http_govsvc_guard_actor = ngx_string("rule");


void
ngx_http_govsvc_guard_act(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    gs_guard_verdict_t *verdict, ngx_uint_t from)
{
    ngx_uint_t                          i;
    const gs_guard_hit_t               *hit;
    gs_guard_rule_info_t                info;
    ngx_http_govsvc_ban_conf_t         *bcf;
    ngx_http_govsvc_guard_loc_conf_t   *glcf;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);
    glcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_guard_module);
    bcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_ban_module);

    for (i = from; i < verdict->nhits && i < GS_GUARD_MAX_HITS; i++) {

        hit = &verdict->list[i];

        if (hit->rule < GS_GUARD_ID_MIN
            || gs_guard_rule(gmcf->guard, hit->index, &info) != GS_OK
            || info.level > glcf->level_block)
        {
            continue;
        }

        if (info.limit.set) {
            ngx_http_govsvc_guard_limit(r, ctx, glcf, i, &info);
        }

        if (!info.ban.set) {
            continue;
        }

        if (glcf->mode == NGX_HTTP_GOVSVC_GUARD_DETECT || bcf->zone == NULL
            || bcf->dry_run)
        {
            ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                          "govsvc guard: would ban, rule: %uD%s", hit->rule,
                          bcf->zone == NULL ? ", \"govsvc_ban\" is off here"
                                            : "");
            continue;
        }

        if (ngx_http_govsvc_guard_is_address(&info.ban.key)) {
            ngx_http_govsvc_guard_ban_hit(r, ctx, bcf->zone, hit, &info);

        } else {
            ctx->guard_bans |= (ngx_uint_t) 1 << i;
            ctx->guard_ban_zone = bcf->zone;
        }
    }
}


static void
ngx_http_govsvc_guard_limit(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_guard_loc_conf_t *glcf, ngx_uint_t i,
    const gs_guard_rule_info_t *info)
{
    if (glcf->mode == NGX_HTTP_GOVSVC_GUARD_DETECT) {
        ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                      "govsvc guard: would limit, rule: %uD", info->id);

    } else if (ngx_http_govsvc_guard_is_address(&info->limit.key)) {
        ngx_http_govsvc_correlate_act(r, ctx, info);

    } else {
        ctx->guard_limits |= (ngx_uint_t) 1 << i;
    }
}


/* Another location may end the request, so the zone was kept. */

ngx_int_t
ngx_http_govsvc_guard_log_handler(ngx_http_request_t *r)
{
    ngx_uint_t                          i, bit;
    gs_guard_verdict_t                 *verdict;
    gs_guard_rule_info_t                info;
    ngx_http_govsvc_ctx_t              *ctx;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    if (r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_govsvc_find_ctx(r);

    if (ctx == NULL || (ctx->guard_bans | ctx->guard_limits) == 0) {
        return NGX_OK;
    }

    ngx_http_govsvc_token_late(r, ctx);

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);
    verdict = ctx->guard_data;

    for (i = 0; i < GS_GUARD_MAX_HITS; i++) {
        bit = (ngx_uint_t) 1 << i;

        if (((ctx->guard_bans | ctx->guard_limits) & bit) == 0
            || gs_guard_rule(gmcf->guard, verdict->list[i].index, &info)
               != GS_OK)
        {
            continue;
        }

        if (ctx->guard_bans & bit) {
            ngx_http_govsvc_guard_ban_hit(r, ctx, ctx->guard_ban_zone,
                                          &verdict->list[i], &info);
        }

        if (ctx->guard_limits & bit) {
            ngx_http_govsvc_correlate_act(r, ctx, &info);
        }
    }

    ctx->guard_limits = 0;
    ctx->guard_bans = 0;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_govsvc_guard_is_address(const gs_str_t *key)
{
    return gs_str_eq_text(key, "ip") || gs_str_eq_text(key, "network");
}


static void
ngx_http_govsvc_guard_ban_hit(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_ban_zone_t *zone,
    const gs_guard_hit_t *hit, const gs_guard_rule_info_t *info)
{
    u_char            evidence[GS_GUARD_TARGET + GS_GUARD_SAMPLE + 2], *p;
    u_char            label[NGX_HTTP_GOVSVC_BAN_LABEL];
    gs_ban_t          ban;
    gs_ban_id_t       id;
    gs_ban_tiers_t    tiers;

    ngx_memzero(&ban, sizeof(gs_ban_t));

    if (ngx_http_govsvc_ban_request_id(r, ctx, zone, &info->ban.key, &id,
                                       label, &ban.label)
        != NGX_OK)
    {
        return;
    }

    if (info->ban.escalate == 0) {
        ban.until = ngx_http_govsvc_ban_now() + info->ban.ttl;

    } else {
        ngx_http_govsvc_ban_escalate(zone, &tiers, info->ban.ttl,
                                     info->ban.escalate, info->ban.max);
        ban.tiers = &tiers;
    }

    p = ngx_cpymem(evidence, hit->target, hit->target_len);

    if (hit->sample_len != 0) {
        *p++ = ' ';
        p = ngx_cpymem(p, hit->sample, hit->sample_len);
    }

    ban.rule = hit->rule;
    ban.local = !info->ban.share;
    ban.reason = info->name;
    ban.actor = ngx_govsvc_to_gs(&ngx_http_govsvc_guard_actor);
    ban.evidence = gs_str_make(evidence, p - evidence);

    if (ngx_http_govsvc_ban_add(zone, &id, &ban, NULL, r->connection->log)
        == NGX_OK)
    {
        ctx->guard_banned = 1;
    }
}
