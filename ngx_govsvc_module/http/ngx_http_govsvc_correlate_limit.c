
/*
 * Copyright (C) govsvc authors
 *
 * Correlation: those whom a rule put under a limit, until its time is over.
 * Stages of PREACCESS, one for addresses and one for callers.
 */


#include "http/ngx_http_govsvc_correlate_priv.h"


#define NGX_HTTP_GOVSVC_CORRELATE_CLASSES  250
#define NGX_HTTP_GOVSVC_CORRELATE_WHOLE    0xff   /* no class */


static ngx_int_t ngx_http_govsvc_correlate_limit(ngx_http_request_t *r,
    const gs_correlate_kind_e *kinds);
static ngx_uint_t ngx_http_govsvc_correlate_later(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_correlate_kind_e kind, ngx_uint_t early);
static ngx_int_t ngx_http_govsvc_correlate_charge(
    ngx_http_govsvc_correlate_request_t *w, gs_correlate_kind_e kind,
    uint64_t now);
static ngx_uint_t ngx_http_govsvc_correlate_concerns(
    ngx_http_govsvc_correlate_request_t *w, unsigned lane, uint32_t mark);
static ngx_http_govsvc_correlate_rate_t *ngx_http_govsvc_correlate_find(
    ngx_http_govsvc_correlate_main_conf_t *conf, uint32_t mark);
static size_t ngx_http_govsvc_correlate_prepare(
    ngx_http_govsvc_correlate_request_t *w,
    ngx_http_govsvc_correlate_rate_t *rate, const gs_str_t *key,
    gs_limit_charge_t *charges);
static u_char ngx_http_govsvc_correlate_class(ngx_http_request_t *r);
static ngx_uint_t ngx_http_govsvc_correlate_is_soft(
    const gs_correlate_rule_t *rule);
static char *ngx_http_govsvc_correlate_rate(ngx_conf_t *cf,
    ngx_http_govsvc_correlate_main_conf_t *conf, const gs_guard_do_t *act,
    uint32_t mark, ngx_uint_t times);
static gs_rc_t ngx_http_govsvc_correlate_whole(
    ngx_http_govsvc_correlate_rate_t *rate, ngx_uint_t times, gs_err_t *err);


/* Unproven callers behind an address may still prove who they are. */

static const gs_correlate_kind_e  ngx_http_govsvc_correlate_early[] = {
    GS_CORRELATE_IP, GS_CORRELATE_NETWORK, GS_CORRELATE_CALLER
};

static const gs_correlate_kind_e  ngx_http_govsvc_correlate_late[] = {
    GS_CORRELATE_SUBJECT, GS_CORRELATE_APP, GS_CORRELATE_CALLER
};


ngx_int_t
ngx_http_govsvc_correlate_client_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_correlate_limit(r, ngx_http_govsvc_correlate_early);
}


ngx_int_t
ngx_http_govsvc_correlate_caller_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_correlate_limit(r, ngx_http_govsvc_correlate_late);
}


/* Where nobody is limited this asks three words, and that is all. */

static ngx_int_t
ngx_http_govsvc_correlate_limit(ngx_http_request_t *r,
    const gs_correlate_kind_e *kinds)
{
    uint64_t                                now;
    ngx_int_t                               rc;
    ngx_uint_t                              i;
    gs_correlate_kind_e                     kind;
    ngx_http_govsvc_ctx_t                  *ctx;
    ngx_http_govsvc_correlate_request_t     w;
    ngx_http_govsvc_correlate_main_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_correlate_module);

    if (conf->table == NULL || ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    now = ngx_http_govsvc_ban_now();

    for (i = 0; i < 3; i++) {

        kind = kinds[i];

        if (!gs_correlate_marks(conf->table, kind, now)) {
            continue;
        }

        ctx = ngx_http_govsvc_get_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (ctx->guard_mode != NGX_HTTP_GOVSVC_GUARD_ON || conf->dry_run
            || (ctx->correlate_limited & 1u << kind)
            || ngx_http_govsvc_correlate_allowed(conf, r)
            || ngx_http_govsvc_correlate_later(r, ctx, kind,
                                  kinds == ngx_http_govsvc_correlate_early))
        {
            continue;
        }

        ctx->correlate_limited |= 1u << kind;
        ngx_http_govsvc_correlate_request(&w, r, ctx, conf);

        rc = ngx_http_govsvc_correlate_charge(&w, kind, now);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


/* Whoever has something to prove himself by is judged when that was read. */

static ngx_uint_t
ngx_http_govsvc_correlate_later(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_correlate_kind_e kind, ngx_uint_t early)
{
    if (kind != GS_CORRELATE_CALLER) {
        return 0;
    }

    return early ? ngx_http_govsvc_proves(r) : !ngx_http_govsvc_anonymous(ctx);
}


/*
 * Whoever is refused by one limit does not use up another.  A table of rates
 * without room refuses: only who is limited comes here.
 */

static ngx_int_t
ngx_http_govsvc_correlate_charge(ngx_http_govsvc_correlate_request_t *w,
    gs_correlate_kind_e kind, uint64_t now)
{
    size_t                             i, n;
    gs_str_t                           key;
    unsigned                           lane;
    uint32_t                           mark, by;
    gs_limit_charge_t                  charges[2 * GS_CORRELATE_LANES];
    ngx_http_govsvc_correlate_rate_t  *rate;

    if (ngx_http_govsvc_correlate_caller(w, kind, &key) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = 0;
    by = 0;

    for (lane = 0; lane < GS_CORRELATE_LANES; lane++) {

        mark = gs_correlate_marked(w->conf->table, kind, lane, &key, now);

        if (mark != 0 && ngx_http_govsvc_correlate_concerns(w, lane, mark)) {
            rate = ngx_http_govsvc_correlate_find(w->conf, mark);

            if (rate != NULL) {
                n += ngx_http_govsvc_correlate_prepare(w, rate, &key,
                                                       &charges[n]);
                by = mark;
            }
        }
    }

    if (n == 0 || gs_limit_decide(charges, n, ngx_govsvc_mono_us()) == GS_OK) {
        return NGX_DECLINED;
    }

    w->ctx->rule = by >> 2;
    w->ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED;
    w->ctx->retry_after = 1;

    for (i = 0; i < n; i++) {
        w->ctx->retry_after = ngx_max(w->ctx->retry_after, (ngx_uint_t)
                       ((charges[i].result.retry_after + 999999) / 1000000));
    }

    ngx_log_error(NGX_LOG_INFO, w->request->connection->log, 0,
                  "govsvc correlate: limited, rule: %uD", by >> 2);

    return ngx_http_govsvc_refuse(w->request, NGX_HTTP_GOVSVC_RATE_LIMITED);
}


/* Static files, and what the rule did not count, are held against nobody. */

static ngx_uint_t
ngx_http_govsvc_correlate_concerns(ngx_http_govsvc_correlate_request_t *w,
    unsigned lane, uint32_t mark)
{
    gs_str_t                    method, path;
    const gs_correlate_rule_t  *rule;

    method = ngx_govsvc_to_gs(&w->request->method_name);
    path = ngx_govsvc_to_gs(&w->request->uri);

    if (gs_correlate_plain(&method, &path)) {
        return 0;
    }

    if (lane == NGX_HTTP_GOVSVC_CORRELATE_ALL) {
        return 1;
    }

    rule = gs_correlate_rule(w->conf->guard, mark >> 2);

    return rule == NULL || gs_correlate_only(rule, &method, &path);
}


static ngx_http_govsvc_correlate_rate_t *
ngx_http_govsvc_correlate_find(ngx_http_govsvc_correlate_main_conf_t *conf,
    uint32_t mark)
{
    ngx_uint_t                         i;
    ngx_http_govsvc_correlate_rate_t  *rate;

    rate = conf->rates.elts;

    for (i = 0; i < conf->rates.nelts; i++) {
        if (rate[i].mark == mark) {
            return &rate[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_govsvc_correlate_hold(ngx_http_govsvc_correlate_main_conf_t *conf,
    gs_correlate_kind_e kind, unsigned lane, const gs_str_t *key,
    uint32_t mark, uint64_t until)
{
    uint64_t                           now;
    ngx_http_govsvc_correlate_rate_t  *old, *new;

    now = ngx_http_govsvc_ban_now();

    old = ngx_http_govsvc_correlate_find(conf,
              gs_correlate_marked(conf->table, kind, lane, key, now));
    new = ngx_http_govsvc_correlate_find(conf, mark);

    /* by another mark of the same rate it would start with a full bucket */

    if (old != NULL && new != NULL && old != new
        && old->rate.unit >= new->rate.unit)
    {
        return NGX_OK;
    }

    return gs_correlate_mark(conf->table, kind, lane, key, mark, now, until)
           == GS_OK ? NGX_OK : NGX_ERROR;
}


/*
 * Behind an exit that many share each kind of browser has the rate, and all
 * of them together some times that: who floods is most often of one kind.
 */

static size_t
ngx_http_govsvc_correlate_prepare(ngx_http_govsvc_correlate_request_t *w,
    ngx_http_govsvc_correlate_rate_t *rate, const gs_str_t *key,
    gs_limit_charge_t *charges)
{
    size_t    n, len;
    u_char    text[NGX_HTTP_GOVSVC_CORRELATE_KEY + sizeof(uint32_t) + 1];
    u_char   *class;
    gs_str_t  k;

    /* limits of two rules do not mix, nor do those of classes */

    len = ngx_min(key->len, NGX_HTTP_GOVSVC_CORRELATE_KEY);
    class = ngx_cpymem(text, &rate->mark, sizeof(uint32_t));
    *class = NGX_HTTP_GOVSVC_CORRELATE_WHOLE;
    ngx_memcpy(class + 1, key->data, len);

    k = gs_str_make(text, len + sizeof(uint32_t) + 1);
    n = 0;

    if (rate->whole.count != 0) {
        gs_limit_prepare(&charges[n++], w->conf->limits, &rate->whole, &k, 1);
        *class = ngx_http_govsvc_correlate_class(w->request);
    }

    gs_limit_prepare(&charges[n++], w->conf->limits, &rate->rate, &k, 1);

    return n;
}


/* By what a browser says of itself, and whether it was here before. */

static u_char
ngx_http_govsvc_correlate_class(ngx_http_request_t *r)
{
    uint32_t          hash;
    ngx_str_t         name;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    hash = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            name.len = h[i].key.len;
            name.data = h[i].lowcase_key;

            if ((name.len == sizeof("user-agent") - 1
                 && ngx_memcmp(name.data, "user-agent", name.len) == 0)
                || (name.len == sizeof("accept-language") - 1
                    && ngx_memcmp(name.data, "accept-language", name.len)
                       == 0))
            {
                hash ^= ngx_murmur_hash2(h[i].value.data, h[i].value.len);

            } else if (name.len == sizeof("cookie") - 1
                       && ngx_memcmp(name.data, "cookie", name.len) == 0)
            {
                hash ^= 0x9e3779b9;
            }
        }
    }

    return (u_char) (hash % NGX_HTTP_GOVSVC_CORRELATE_CLASSES);
}


ngx_int_t
ngx_http_govsvc_correlate_share(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, u_char *kind)
{
    gs_str_t                                key;
    ngx_http_govsvc_correlate_request_t     w;
    ngx_http_govsvc_correlate_main_conf_t  *conf;

    static const gs_correlate_rule_t  many = {
        .shared = GS_CORRELATE_MANY
    };

    conf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_correlate_module);

    if (conf->table == NULL || conf->guard == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_govsvc_correlate_request(&w, r, ctx, conf);

    if (ngx_http_govsvc_correlate_caller(&w, GS_CORRELATE_IP, &key) != NGX_OK
        || !gs_correlate_shared(conf->table, &many, GS_CORRELATE_IP, &key,
                                ngx_http_govsvc_ban_now()))
    {
        return NGX_DECLINED;
    }

    *kind = ngx_http_govsvc_correlate_class(r)
            % NGX_HTTP_GOVSVC_CORRELATE_KINDS;

    return NGX_OK;
}


ngx_http_govsvc_correlate_ban_e
ngx_http_govsvc_correlate_banned(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, uint32_t id, uint64_t until)
{
    gs_str_t                                key;
    uint32_t                                mark;
    uint64_t                                now;
    unsigned                                lane;
    gs_guard_rule_info_t                    info;
    const gs_correlate_rule_t              *rule;
    ngx_http_govsvc_guard_main_conf_t      *gmcf;
    ngx_http_govsvc_correlate_request_t     w;
    ngx_http_govsvc_correlate_main_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_correlate_module);
    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);

    if (gmcf->guard == NULL) {
        return NGX_HTTP_GOVSVC_CORRELATE_HOLDS;
    }

    rule = gs_correlate_rule(gmcf->guard, id);

    if (rule == NULL) {
        return (gs_guard_rule_by_id(gmcf->guard, id, &info) == GS_OK
                && info.ban.set && gs_str_eq_text(&info.ban.key, "caller"))
               ? NGX_HTTP_GOVSVC_CORRELATE_UNPROVEN
               : NGX_HTTP_GOVSVC_CORRELATE_HOLDS;
    }

    if (!ngx_http_govsvc_correlate_is_soft(rule)) {
        return NGX_HTTP_GOVSVC_CORRELATE_HOLDS;
    }

    now = ngx_http_govsvc_ban_now();
    ngx_http_govsvc_correlate_request(&w, r, ctx, conf);

    if (conf->table == NULL || conf->dry_run
        || ngx_http_govsvc_correlate_caller(&w, GS_CORRELATE_IP, &key)
           != NGX_OK
        || !gs_correlate_shared(conf->table, rule, GS_CORRELATE_IP, &key, now))
    {
        return NGX_HTTP_GOVSVC_CORRELATE_UNPROVEN;
    }

    /* that many share the exit was not known when it was banned */

    mark = ngx_http_govsvc_correlate_mark_of(id, GS_CORRELATE_STEPS);
    lane = (rule->nevents == 0 && rule->nmethods + rule->npaths != 0)
           ? NGX_HTTP_GOVSVC_CORRELATE_ONLY : NGX_HTTP_GOVSVC_CORRELATE_ALL;

    if (rule->instead.what == GS_CORRELATE_LIMIT
        && gs_correlate_marked(conf->table, GS_CORRELATE_CALLER, lane, &key,
                               now)
           == 0
        && gs_correlate_mark(conf->table, GS_CORRELATE_CALLER, lane, &key,
                             mark, now, until)
           != GS_OK)
    {
        return NGX_HTTP_GOVSVC_CORRELATE_UNPROVEN;
    }

    return NGX_HTTP_GOVSVC_CORRELATE_SPARED;
}


static ngx_uint_t
ngx_http_govsvc_correlate_is_soft(const gs_correlate_rule_t *rule)
{
    unsigned  i;

    for (i = 0; i < rule->plan.nsteps; i++) {
        if (rule->steps[i].what == GS_CORRELATE_BAN
            && gs_str_eq_text(&rule->steps[i].act.key, "caller"))
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_govsvc_correlate_act(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, const gs_guard_rule_info_t *rule)
{
    gs_str_t                                key;
    gs_correlate_kind_e                     kind;
    ngx_http_govsvc_correlate_request_t     w;
    ngx_http_govsvc_correlate_main_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_correlate_module);

    if (conf->table == NULL || conf->dry_run
        || ngx_http_govsvc_correlate_allowed(conf, r))
    {
        return;
    }

    kind = ngx_http_govsvc_correlate_kind(ctx, &rule->limit.key);
    ngx_http_govsvc_correlate_request(&w, r, ctx, conf);

    if (ngx_http_govsvc_correlate_caller(&w, kind, &key) != NGX_OK) {
        return;
    }

    (void) ngx_http_govsvc_correlate_hold(conf, kind,
                             NGX_HTTP_GOVSVC_CORRELATE_ALL, &key,
                             ngx_http_govsvc_correlate_mark_of(rule->id, 0),
                             ngx_http_govsvc_ban_now() + rule->limit.ttl);
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
                         ngx_http_govsvc_correlate_mark_of(info.id, 0), 0)
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
                      ngx_http_govsvc_correlate_mark_of(rule[i].plan.id, k),
                      (k == GS_CORRELATE_STEPS
                       && !gs_str_eq_text(&step->act.key, "subject")
                       && !gs_str_eq_text(&step->act.key, "app"))
                      ? rule[i].times : 0)
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
    uint32_t mark, ngx_uint_t times)
{
    gs_rc_t                            rc;
    gs_err_t                           err;
    ngx_http_govsvc_correlate_rate_t  *rate;

    ngx_memzero(&err, sizeof(gs_err_t));

    rate = ngx_array_push(&conf->rates);
    if (rate == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rate, sizeof(ngx_http_govsvc_correlate_rate_t));
    rate->mark = mark;

    rc = gs_limit_rate_parse(&rate->rate, &act->rate, &err);

    if (rc == GS_OK) {
        rc = (times != 0)
             ? ngx_http_govsvc_correlate_whole(rate, times, &err)
             : gs_limit_rate_init(&rate->rate,
                                  ngx_min(rate->rate.count,
                                          NGX_HTTP_GOVSVC_CORRELATE_BURST),
                                  &err);
    }

    if (rc != GS_OK) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in rule %uD", err.text,
                      mark >> 2);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Citizens behind one exit come in swarms: a minute's share at once. */

static gs_rc_t
ngx_http_govsvc_correlate_whole(ngx_http_govsvc_correlate_rate_t *rate,
    ngx_uint_t times, gs_err_t *err)
{
    uint64_t  burst;

    burst = ngx_max(rate->rate.count * 60000000 / rate->rate.period,
                    rate->rate.count);

    rate->whole = rate->rate;
    rate->whole.count *= times;

    if (gs_limit_rate_init(&rate->rate, burst, err) != GS_OK) {
        return GS_ERROR;
    }

    return gs_limit_rate_init(&rate->whole, burst * times, err);
}
