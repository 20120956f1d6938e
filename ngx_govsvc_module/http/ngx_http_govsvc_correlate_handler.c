
/*
 * Copyright (C) govsvc authors
 *
 * Correlation: every request at its end, counted by the rules that it
 * concerns; and what is done when one of them fires.
 */


#include "http/ngx_http_govsvc_correlate_priv.h"
#include "http/ngx_http_govsvc_ctx.h"


#define NGX_HTTP_GOVSVC_CORRELATE_REFUSED  100  /* the score of a refusal */


static ngx_uint_t ngx_http_govsvc_correlate_data(ngx_http_request_t *r);
static void ngx_http_govsvc_correlate_fired(void *data,
    const gs_correlate_fired_t *fired);
static ngx_uint_t ngx_http_govsvc_correlate_do(
    ngx_http_govsvc_correlate_request_t *w, const gs_correlate_fired_t *fired,
    ngx_str_t *evidence);
static ngx_uint_t ngx_http_govsvc_correlate_do_ban(
    ngx_http_govsvc_correlate_request_t *w, const gs_correlate_fired_t *fired,
    ngx_str_t *evidence);
static ngx_uint_t ngx_http_govsvc_correlate_do_limit(
    ngx_http_govsvc_correlate_request_t *w,
    const gs_correlate_fired_t *fired);
static size_t ngx_http_govsvc_correlate_evidence(u_char *dst,
    const gs_correlate_fired_t *fired);


static const char *const  ngx_http_govsvc_correlate_dos[] = {
    "log", "ban", "limit"
};


static ngx_str_t  ngx_http_govsvc_correlate_actor = ngx_string("correlation");


ngx_int_t
ngx_http_govsvc_correlate_handler(ngx_http_request_t *r)
{
    uint64_t                                lost;
    gs_correlate_input_t                    in;
    ngx_http_govsvc_ctx_t                  *ctx;
    ngx_http_govsvc_guard_loc_conf_t       *glcf;
    ngx_http_govsvc_correlate_request_t     w;
    ngx_http_govsvc_correlate_main_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_correlate_module);

    if (conf->table == NULL || conf->guard == NULL || r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_govsvc_find_ctx(r);

    if (ctx == NULL || ctx->guard_mode == NGX_HTTP_GOVSVC_GUARD_OFF
        || ctx->reason == &ngx_http_govsvc_reasons[NGX_HTTP_GOVSVC_BANNED]
        || ngx_http_govsvc_correlate_allowed(conf, r))
    {
        return NGX_OK;
    }

    ngx_http_govsvc_token_late(r, ctx);

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_guard_module);

    ngx_http_govsvc_correlate_request(&w, r, ctx, conf);
    w.level = glcf->level_block;
    w.acts = (ctx->guard_mode == NGX_HTTP_GOVSVC_GUARD_ON && !conf->dry_run);

    ngx_memzero(&in, sizeof(gs_correlate_input_t));

    in.now = ngx_http_govsvc_ban_now();
    in.status = (unsigned) (r->err_status ? r->err_status
                                          : r->headers_out.status);
    in.verdict = ctx->guard_data;
    in.method = ngx_govsvc_to_gs(&r->method_name);
    in.path = ngx_govsvc_to_gs(&r->uri);
    in.plain = gs_correlate_plain(&in.method, &in.path)
               && !ngx_http_govsvc_correlate_data(r);
    in.known = (ctx->auth_status == NGX_HTTP_GOVSVC_AUTH_OK
                && ctx->subject.len != 0);
    in.app = !in.known && !ngx_http_govsvc_anonymous(ctx);
    in.value = ngx_http_govsvc_correlate_value;
    in.fired = ngx_http_govsvc_correlate_fired;
    in.data = &w;

    if (in.verdict != NULL) {
        in.score = in.verdict->score;

        if (in.verdict->action == GS_GUARD_BLOCK
            && in.score < NGX_HTTP_GOVSVC_CORRELATE_REFUSED)
        {
            in.score = NGX_HTTP_GOVSVC_CORRELATE_REFUSED;
        }
    }

    gs_correlate_watch(conf->table, conf->guard, &in);

    lost = gs_correlate_lost(conf->table, in.now);

    if (lost != 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "govsvc correlate: zone \"%V\" is full, %uL events "
                      "were not counted", &conf->shm_zone->shm.name, lost);
    }

    return NGX_OK;
}


/*
 * Frameworks that take "/query.png" for "/query" answer it with data: what is
 * found and reads as data or a page is no picture, whatever its name.
 */

static ngx_uint_t
ngx_http_govsvc_correlate_data(ngx_http_request_t *r)
{
    size_t      i, len;
    ngx_str_t  *type;

    static const ngx_str_t  types[] = {
        ngx_string("application/json"), ngx_string("text/html"),
        ngx_string("text/plain"), ngx_string("text/xml"),
        ngx_string("application/xml")
    };

    type = &r->headers_out.content_type;

    if (r->headers_out.status >= NGX_HTTP_BAD_REQUEST) {
        return 0;
    }

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        len = types[i].len;

        if (type->len >= len
            && ngx_strncasecmp(type->data, types[i].data, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_govsvc_correlate_fired(void *data, const gs_correlate_fired_t *fired)
{
    ngx_http_govsvc_correlate_request_t *w = data;

    u_char                              text[GS_CORRELATE_EVIDENCE];
    u_char                              shown[NGX_HTTP_GOVSVC_BAN_LABEL];
    ngx_str_t                           name;
    ngx_uint_t                          i;
    ngx_http_govsvc_correlate_hook_t   *hook;
    ngx_http_govsvc_correlate_fired_t   f;

    f.id = fired->rule->plan.id;
    f.rule = fired->rule;
    f.kind = (fired->kind < GS_CORRELATE_CALLERS)
             ? ngx_http_govsvc_correlate_callers[fired->kind]
             : ngx_govsvc_from_gs(&fired->rule->key.text);
    f.count = fired->result.n;
    f.shared = fired->shared;
    f.evidence.data = text;
    f.evidence.len = ngx_http_govsvc_correlate_evidence(text, fired);
    f.action.data = (u_char *)
                    ngx_http_govsvc_correlate_dos[fired->step->what];
    f.action.len = ngx_strlen(f.action.data);

    /* what is done may ask for another key, so this one is kept */

    f.key.data = shown;
    f.key.len = ngx_min(w->shown.len, sizeof(shown));
    ngx_memcpy(shown, w->shown.data, f.key.len);

    f.done = w->acts && fired->rule->level <= w->level
             && ngx_http_govsvc_correlate_do(w, fired, &f.evidence);

    name = ngx_govsvc_from_gs(&fired->rule->name);

    ngx_log_error(NGX_LOG_NOTICE, w->request->connection->log, 0,
                  "govsvc correlate: rule %uD \"%V\", %V \"%V\": %V, %s%V",
                  f.id, &name, &f.kind, &f.key, &f.evidence,
                  f.done ? "" : "would ", &f.action);

    hook = w->conf->hooks.elts;

    for (i = 0; i < w->conf->hooks.nelts; i++) {
        hook[i].hook(w->request, &f, hook[i].data);
    }
}


static ngx_uint_t
ngx_http_govsvc_correlate_do(ngx_http_govsvc_correlate_request_t *w,
    const gs_correlate_fired_t *fired, ngx_str_t *evidence)
{
    switch (fired->step->what) {

    case GS_CORRELATE_BAN:
        return ngx_http_govsvc_correlate_do_ban(w, fired, evidence);

    case GS_CORRELATE_LIMIT:
        return ngx_http_govsvc_correlate_do_limit(w, fired);

    default:
        return 1;
    }
}


static ngx_uint_t
ngx_http_govsvc_correlate_do_ban(ngx_http_govsvc_correlate_request_t *w,
    const gs_correlate_fired_t *fired, ngx_str_t *evidence)
{
    gs_ban_t                     ban;
    gs_ban_tiers_t               tiers;
    const gs_guard_do_t         *act;
    ngx_http_govsvc_ban_zone_t  *zone;
    ngx_http_govsvc_ban_conf_t  *bcf;

    act = &fired->step->act;
    zone = w->conf->ban;
    bcf = ngx_http_get_module_loc_conf(w->request,
                                       ngx_http_govsvc_ban_module);

    if (zone == NULL || (bcf->zone != NULL && bcf->dry_run)) {
        return 0;
    }

    ngx_memzero(&ban, sizeof(gs_ban_t));

    if (ngx_http_govsvc_ban_request_id(w->request, w->ctx, zone, &act->key,
                                       &w->id, w->label, &ban.label)
        != NGX_OK)
    {
        return 0;
    }

    if (act->escalate == 0) {
        ban.until = ngx_http_govsvc_ban_now() + act->ttl;

    } else {
        ngx_http_govsvc_ban_escalate(zone, &tiers, act->ttl, act->escalate,
                                     act->max);
        ban.tiers = &tiers;
    }

    ban.rule = fired->rule->plan.id;
    ban.local = !act->share;
    ban.reason = fired->rule->name;
    ban.actor = ngx_govsvc_to_gs(&ngx_http_govsvc_correlate_actor);
    ban.evidence = ngx_govsvc_to_gs(evidence);

    switch (ngx_http_govsvc_ban_add(zone, &w->id, &ban, NULL,
                                    w->request->connection->log))
    {

    case NGX_OK:
    case NGX_DECLINED:
        return 1;

    default:
        return 0;
    }
}


static ngx_uint_t
ngx_http_govsvc_correlate_do_limit(ngx_http_govsvc_correlate_request_t *w,
    const gs_correlate_fired_t *fired)
{
    gs_str_t              key;
    unsigned              lane;
    uint32_t              step;
    gs_correlate_kind_e   kind;
    const gs_guard_do_t  *act;

    act = &fired->step->act;
    kind = ngx_http_govsvc_correlate_kind(w->ctx, &act->key);

    lane = (fired->only && gs_str_eq_text(&act->key, "caller"))
           ? NGX_HTTP_GOVSVC_CORRELATE_ONLY : NGX_HTTP_GOVSVC_CORRELATE_ALL;

    step = (fired->step == &fired->rule->instead)
           ? GS_CORRELATE_STEPS
           : (uint32_t) (fired->step - fired->rule->steps);

    return ngx_http_govsvc_correlate_caller(w, kind, &key) == NGX_OK
           && ngx_http_govsvc_correlate_hold(w->conf, kind, lane, &key,
                       ngx_http_govsvc_correlate_mark_of(fired->rule->plan.id,
                                                         step),
                                    ngx_http_govsvc_ban_now() + act->ttl)
              == NGX_OK;
}


/* "distinct arg:username 9 >= 8 in 600s, 12 callers behind it" */

static size_t
ngx_http_govsvc_correlate_evidence(u_char *dst,
    const gs_correlate_fired_t *fired)
{
    u_char                     *p, *last;
    ngx_str_t                   of;
    const gs_correlate_plan_t  *plan;

    static const char *const  measures[] = {
        "count", "distinct", "sequence", "rate"
    };

    plan = &fired->rule->plan;
    of = ngx_govsvc_from_gs(&fired->rule->of.text);
    last = dst + GS_CORRELATE_EVIDENCE;

    p = ngx_slprintf(dst, last, "%s%s%V %uD of %uD in %uLs",
                     measures[plan->measure], of.len != 0 ? " " : "", &of,
                     fired->result.n, fired->result.limit,
                     plan->window / 1000);

    if (fired->shared != 0) {
        p = ngx_slprintf(p, last, ", %ui callers", fired->shared);
    }

    return p - dst;
}
