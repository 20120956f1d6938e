
/*
 * Copyright (C) govsvc authors
 *
 * Correlation: those whom a rule put under a limit, until its time is over.
 * Stages of PREACCESS, one for addresses and one for callers.
 */


#include "http/ngx_http_govsvc_correlate_priv.h"


static ngx_int_t ngx_http_govsvc_correlate_limit(ngx_http_request_t *r,
    ngx_uint_t from);
static ngx_int_t ngx_http_govsvc_correlate_charge(
    ngx_http_govsvc_correlate_request_t *w, gs_correlate_kind_e kind,
    uint64_t now);
static char *ngx_http_govsvc_correlate_rate(ngx_conf_t *cf,
    ngx_http_govsvc_correlate_main_conf_t *conf, const gs_guard_do_t *act,
    uint32_t mark);


ngx_int_t
ngx_http_govsvc_correlate_client_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_correlate_limit(r, GS_CORRELATE_IP);
}


ngx_int_t
ngx_http_govsvc_correlate_caller_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_correlate_limit(r, GS_CORRELATE_SUBJECT);
}


/* Where nobody is limited this asks two words, and that is all. */

static ngx_int_t
ngx_http_govsvc_correlate_limit(ngx_http_request_t *r, ngx_uint_t from)
{
    uint64_t                                now;
    ngx_int_t                               rc;
    ngx_uint_t                              i;
    ngx_http_govsvc_ctx_t                  *ctx;
    ngx_http_govsvc_correlate_request_t     w;
    ngx_http_govsvc_correlate_main_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_correlate_module);

    if (conf->table == NULL || ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    now = ngx_http_govsvc_ban_now();

    for (i = from; i < from + 2; i++) {

        if (!gs_correlate_marks(conf->table, (gs_correlate_kind_e) i, now)) {
            continue;
        }

        ctx = ngx_http_govsvc_get_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (ctx->guard_mode != NGX_HTTP_GOVSVC_GUARD_ON || conf->dry_run
            || (ctx->correlate_limited & 1u << i)
            || ngx_http_govsvc_correlate_allowed(conf, r))
        {
            continue;
        }

        ctx->correlate_limited |= 1u << i;
        ngx_http_govsvc_correlate_request(&w, r, ctx, conf);

        rc = ngx_http_govsvc_correlate_charge(&w, (gs_correlate_kind_e) i,
                                              now);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


/* A table of rates without room refuses: only who is limited comes here. */

static ngx_int_t
ngx_http_govsvc_correlate_charge(ngx_http_govsvc_correlate_request_t *w,
    gs_correlate_kind_e kind, uint64_t now)
{
    gs_str_t                           key;
    uint32_t                           mark;
    ngx_uint_t                         i;
    gs_limit_charge_t                  charge;
    ngx_http_govsvc_correlate_rate_t  *rate;

    if (ngx_http_govsvc_correlate_caller(w, kind, &key) != NGX_OK) {
        return NGX_DECLINED;
    }

    mark = gs_correlate_marked(w->conf->table, kind, &key, now);

    rate = w->conf->rates.elts;

    for (i = 0; mark != 0 && i < w->conf->rates.nelts; i++) {
        if (rate[i].mark == mark) {
            break;
        }
    }

    if (mark == 0 || i == w->conf->rates.nelts) {
        return NGX_DECLINED;
    }

    gs_limit_prepare(&charge, w->conf->limits, &rate[i].rate, &key, 1);

    if (gs_limit_commit(&charge, ngx_govsvc_mono_us()) == GS_OK) {
        return NGX_DECLINED;
    }

    w->ctx->rule = mark >> 2;
    w->ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED;
    w->ctx->retry_after = (ngx_uint_t) ((charge.result.retry_after + 999999)
                                        / 1000000);
    if (w->ctx->retry_after == 0) {
        w->ctx->retry_after = 1;
    }

    ngx_log_error(NGX_LOG_INFO, w->request->connection->log, 0,
                  "govsvc correlate: limited, rule: %uD", mark >> 2);

    return ngx_http_govsvc_refuse(w->request, NGX_HTTP_GOVSVC_RATE_LIMITED);
}


void
ngx_http_govsvc_correlate_act(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, const gs_guard_rule_info_t *rule)
{
    gs_str_t                                key;
    uint64_t                                now;
    gs_correlate_kind_e                     kind;
    ngx_http_govsvc_correlate_request_t     w;
    ngx_http_govsvc_correlate_main_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_correlate_module);

    if (conf->table == NULL || conf->dry_run
        || ngx_http_govsvc_correlate_allowed(conf, r))
    {
        return;
    }

    now = ngx_http_govsvc_ban_now();
    kind = ngx_http_govsvc_correlate_kind(&rule->limit.key);
    ngx_http_govsvc_correlate_request(&w, r, ctx, conf);

    if (ngx_http_govsvc_correlate_caller(&w, kind, &key) != NGX_OK) {
        return;
    }

    (void) gs_correlate_mark(conf->table, kind, &key,
                             ngx_http_govsvc_correlate_mark_of(rule->id, 0),
                             now, now + rule->limit.ttl);
}


char *
ngx_http_govsvc_correlate_rates(ngx_conf_t *cf,
    ngx_http_govsvc_correlate_main_conf_t *conf)
{
    unsigned                    i, k, n;
    gs_guard_rule_info_t        info;
    const gs_correlate_step_t  *step;
    const gs_correlate_rule_t  *rule;

    for (i = 0; gs_guard_rule(conf->guard, i, &info) == GS_OK; i++) {
        if (info.limit.set
            && ngx_http_govsvc_correlate_rate(cf, conf, &info.limit,
                         ngx_http_govsvc_correlate_mark_of(info.id, 0))
               != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    rule = gs_correlate_rules(conf->guard, &n);

    for (i = 0; i < n; i++) {
        for (k = 0; k <= GS_CORRELATE_STEPS; k++) {

            step = (k == GS_CORRELATE_STEPS) ? &rule[i].instead
                                             : &rule[i].steps[k];

            if (step->what == GS_CORRELATE_LIMIT
                && ngx_http_govsvc_correlate_rate(cf, conf, &step->act,
                      ngx_http_govsvc_correlate_mark_of(rule[i].plan.id, k))
                   != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_correlate_rate(ngx_conf_t *cf,
    ngx_http_govsvc_correlate_main_conf_t *conf, const gs_guard_do_t *act,
    uint32_t mark)
{
    gs_err_t                           err;
    ngx_http_govsvc_correlate_rate_t  *rate;

    ngx_memzero(&err, sizeof(gs_err_t));

    rate = ngx_array_push(&conf->rates);
    if (rate == NULL) {
        return NGX_CONF_ERROR;
    }

    rate->mark = mark;

    if (gs_limit_rate_parse(&rate->rate, &act->rate, &err) != GS_OK
        || gs_limit_rate_init(&rate->rate,
                              ngx_min(rate->rate.count,
                                      NGX_HTTP_GOVSVC_CORRELATE_BURST),
                              &err)
           != GS_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in rule %uD", err.text,
                      mark >> 2);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
