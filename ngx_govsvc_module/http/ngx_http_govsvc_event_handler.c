
/*
 * Copyright (C) govsvc authors
 *
 * Security events: composed once, in the log phase, from what the stages left
 * in the context.  A request that no stage minded costs two comparisons.
 */


#include "http/ngx_http_govsvc_audit_priv.h"
#include "http/ngx_http_govsvc_client.h"
#include "http/ngx_http_govsvc_ctx.h"
#include "http/ngx_http_govsvc_event.h"
#include "http/ngx_http_govsvc_guard.h"
#include "http/ngx_http_govsvc_metrics.h"


#define NGX_HTTP_GOVSVC_EVENT_HASH  6      /* bytes told of one */


static const char *ngx_http_govsvc_event_reason(
    const ngx_http_govsvc_reason_t *reason);
static const char *ngx_http_govsvc_event_verdict(ngx_http_request_t *r,
    gs_guard_verdict_t *verdict, unsigned *severity);
static const char *ngx_http_govsvc_event_class(
    const gs_guard_rule_info_t *info);
static void ngx_http_govsvc_event_rules(ngx_http_request_t *r,
    gs_guard_verdict_t *verdict, gs_audit_event_t *ev);
static void ngx_http_govsvc_event_place(ngx_http_request_t *r,
    gs_audit_event_t *ev);


/* Refusals that tell of an attack by themselves. */

static const struct {
    ngx_http_govsvc_reason_e   reason;
    const char                *attack;
} ngx_http_govsvc_event_reasons[] = {
    { NGX_HTTP_GOVSVC_TOKEN_INVALID, "token" },
    { NGX_HTTP_GOVSVC_AUTH_THROTTLED, "throttle" },
    { NGX_HTTP_GOVSVC_APP_INVALID, "signature" },
    { NGX_HTTP_GOVSVC_APP_DIGEST, "signature" },
    { NGX_HTTP_GOVSVC_CLOCK_SKEW, "signature" },
    { NGX_HTTP_GOVSVC_REPLAY, "replay" },
    { NGX_HTTP_GOVSVC_REASONS, NULL }
};


ngx_int_t
ngx_http_govsvc_event_handler(ngx_http_request_t *r)
{
    unsigned                severity;
    gs_str_t                name;
    const char             *attack;
    gs_audit_event_t        ev;
    ngx_http_govsvc_ctx_t  *ctx;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_find_ctx(r);

    if (ctx == NULL || (ctx->guard_data == NULL && ctx->reason == NULL)
        || ctx->audit_counted || ngx_http_govsvc_audit_chain() == NULL)
    {
        return NGX_DECLINED;
    }

    attack = ngx_http_govsvc_event_attack(r, ctx, &severity);
    if (attack == NULL) {
        return NGX_DECLINED;
    }

    name = gs_str_text(attack);

    ngx_http_govsvc_event_fill(r, ctx, &ev);

    ev.attack = gs_audit_attack(&name);
    ev.severity = severity;

    if (ctx->guard_data != NULL) {
        ngx_http_govsvc_event_rules(r, ctx->guard_data, &ev);
        ev.score = (unsigned) ctx->score;
    }

    if (ctx->reason != NULL) {
        ev.action |= GS_AUDIT_EVENT_BLOCK;
        ev.code = ngx_govsvc_to_gs(&ctx->reason->code);

    } else if (ctx->guard_block) {
        ev.action |= GS_AUDIT_EVENT_DETECT;
    }

    if (ctx->guard_banned) {
        ev.action |= GS_AUDIT_EVENT_BAN;
    }

    ngx_http_govsvc_event_write(&ev);

    return NGX_DECLINED;
}


const char *
ngx_http_govsvc_event_attack(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, unsigned *severity)
{
    const char  *attack;

    *severity = 0;

    if (ctx->guard_data != NULL) {
        attack = ngx_http_govsvc_event_verdict(r, ctx->guard_data, severity);

        if (attack != NULL) {
            return attack;
        }
    }

    return (ctx->reason == NULL) ? NULL
                                 : ngx_http_govsvc_event_reason(ctx->reason);
}


static const char *
ngx_http_govsvc_event_reason(const ngx_http_govsvc_reason_t *reason)
{
    ngx_uint_t  i, n;

    n = (ngx_uint_t) (reason - ngx_http_govsvc_reasons);

    for (i = 0; ngx_http_govsvc_event_reasons[i].attack != NULL; i++) {
        if (ngx_http_govsvc_event_reasons[i].reason == n) {
            break;
        }
    }

    return ngx_http_govsvc_event_reasons[i].attack;
}


/* The gravest rule names the kind; rules marked "nolog" are no events. */

static const char *
ngx_http_govsvc_event_verdict(ngx_http_request_t *r,
    gs_guard_verdict_t *verdict, unsigned *severity)
{
    gs_guard_t                 *guard;
    ngx_uint_t                  i;
    const char                 *attack;
    gs_guard_rule_info_t        info;
    const gs_audit_attack_t    *kind;

    attack = NULL;
    guard = ngx_http_govsvc_guard_rules(r);

    for (i = 0; i < verdict->nhits && i < GS_GUARD_MAX_HITS; i++) {

        if (verdict->list[i].rule < GS_GUARD_ID_MIN) {

            if (attack == NULL) {
                attack = "engine";
                *severity = 2;
            }

            continue;
        }

        if (gs_guard_rule(guard, verdict->list[i].index, &info) != GS_OK
            || info.nolog)
        {
            continue;
        }

        if (info.severity == 0) {
            info.reason = gs_str_text(ngx_http_govsvc_event_class(&info));
            kind = gs_audit_attack(&info.reason);
            info.severity = kind->severity;
        }

        if (attack == NULL || info.severity > *severity) {
            attack = ngx_http_govsvc_event_class(&info);
            *severity = info.severity;
        }
    }

    if (attack == NULL && verdict->rule != 0
        && verdict->rule < GS_GUARD_ID_MIN)
    {
        attack = "engine";
        *severity = 2;
    }

    return attack;
}


static const char *
ngx_http_govsvc_event_class(const gs_guard_rule_info_t *info)
{
    unsigned                  i;
    const gs_audit_attack_t  *kind, *tagged;

    kind = gs_audit_attack(&info->class);

    for (i = 0; i < info->ntags && strcmp(kind->name, "other") == 0; i++) {
        tagged = gs_audit_attack(&info->tags[i]);
        kind = tagged;
    }

    return kind->name;
}


static void
ngx_http_govsvc_event_rules(ngx_http_request_t *r,
    gs_guard_verdict_t *verdict, gs_audit_event_t *ev)
{
    gs_guard_t             *guard;
    ngx_uint_t              i;
    gs_guard_hit_t         *hit;
    gs_guard_rule_info_t    info;
    gs_audit_event_rule_t  *rule;

    guard = ngx_http_govsvc_guard_rules(r);
    ev->hits = verdict->nhits;

    for (i = 0; i < verdict->nhits && i < GS_GUARD_MAX_HITS; i++) {

        if (ev->nrules == GS_AUDIT_EVENT_RULES) {
            return;
        }

        hit = &verdict->list[i];
        rule = &ev->rules[ev->nrules];

        ngx_memzero(rule, sizeof(gs_audit_event_rule_t));

        if (hit->rule >= GS_GUARD_ID_MIN
            && gs_guard_rule(guard, hit->index, &info) == GS_OK)
        {
            if (info.nolog) {
                continue;
            }

            rule->name = info.name;
        }

        rule->id = hit->rule;
        rule->target = gs_str_make(hit->target, hit->target_len);
        rule->sample = gs_str_make(hit->sample, hit->sample_len);

        if (hit->view != NULL) {
            rule->view = gs_str_text(hit->view);
        }

        ev->nrules++;
    }
}


void
ngx_http_govsvc_event_fill(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    gs_audit_event_t *ev)
{
    ngx_str_t                           pid;
    gs_audit_record_t                   rec;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_audit_module);

    ngx_memzero(ev, offsetof(gs_audit_event_t, rules));
    ngx_memzero(&rec, offsetof(gs_audit_record_t, headers));

    ngx_http_govsvc_audit_source(r, amcf, &rec);
    ngx_http_govsvc_audit_exchange(r, &rec);

    ev->request_id = ngx_govsvc_to_gs(&ctx->request_id);
    ev->trace_id = ngx_govsvc_to_gs(&ctx->trace_id);

    ev->ip = rec.ip;
    ev->port = rec.port;
    ev->peer = rec.peer;
    ev->net = ngx_govsvc_to_gs(&ctx->client_net);

    if (gs_str_eq(&ev->net, &ev->ip)) {
        ev->net.len = 0;
    }

    if (ngx_http_govsvc_audit_pid(r, &pid) == NGX_OK) {
        ev->pid = ngx_govsvc_to_gs(&pid);
    }

    ngx_http_govsvc_event_place(r, ev);

    ev->app = ngx_govsvc_to_gs(&ctx->app);
    ev->platform = ngx_govsvc_to_gs(&ctx->platform);
    ev->route = ngx_govsvc_to_gs(&ctx->route);
    ev->region = ngx_govsvc_to_gs(&ctx->region);
    ev->item = ngx_govsvc_to_gs(&ctx->item);
    ev->method = rec.method;
    ev->host = rec.host;
    ev->path = rec.path;
    ev->status = rec.status;

    ngx_http_govsvc_event_critical(r, ctx, &ev->critical);
}


/* Where the address is and whose, as far as databases tell. */

static void
ngx_http_govsvc_event_place(ngx_http_request_t *r, gs_audit_event_t *ev)
{
    ngx_str_t  country;

    country = ngx_http_govsvc_geo_country(r);

    ev->country = ngx_govsvc_to_gs(&country);
    ev->province = (unsigned) ngx_http_govsvc_geo_region(r);
    ev->asn = (unsigned) ngx_http_govsvc_geo_asn(r);
}


void
ngx_http_govsvc_event_write(gs_audit_event_t *ev)
{
    size_t                          head;
    u_char                         *p;
    gs_buf_t                        b;
    ngx_http_govsvc_audit_chain_t  *chain;

    chain = ngx_http_govsvc_audit_chain();
    if (chain == NULL) {
        return;
    }

    p = ngx_http_govsvc_audit_room(chain, GS_AUDIT_SECURITY);

    ev->node = chain->amcf->node;
    ev->epoch = chain->amcf->epoch;
    ev->g = ngx_http_govsvc_audit_next(chain->amcf);
    ev->time = ngx_govsvc_wall_us();

    head = 0;

    if (p != NULL) {
        gs_buf_init(&b, p + NGX_HTTP_GOVSVC_AUDIT_HEAD, GS_AUDIT_DRAFT_MAX);
        head = gs_audit_json_event(&b, ev);
    }

    ngx_http_govsvc_audit_write_draft(chain, GS_AUDIT_SECURITY, ev->g, p, &b,
                                      head);
}


void
ngx_http_govsvc_event_ban(ngx_http_request_t *r, const gs_ban_id_t *id,
    const gs_ban_t *ban, uint64_t until)
{
    u_char                  key[GS_NET_TEXT + 64];
    gs_buf_t                b;
    gs_str_t                kind;
    gs_audit_event_t        ev;
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ctx == NULL || ngx_http_govsvc_audit_chain() == NULL) {
        return;
    }

    ngx_http_govsvc_event_fill(r, ctx, &ev);

    gs_buf_init(&b, key, sizeof(key));

    if (id->kind == GS_BAN_NET && id->net.family != 0) {
        ev.key = gs_str_make(key, gs_net_print(key, &id->net));

    } else {
        gs_buf_text(&b, gs_ban_kinds[id->kind]);
        gs_buf_char(&b, ':');

        /* the beginning of it: long random words are taken for secrets */

        gs_buf_hex(&b, id->h, NGX_HTTP_GOVSVC_EVENT_HASH);
        ev.key = gs_buf_view(&b);
    }

    kind = gs_str_text("ban");
    ev.attack = gs_audit_attack(&kind);
    ev.severity = 1;
    ev.code = gs_str_text(ban == NULL ? "BAN_LIFTED" : "BAN_SET");

    if (ban != NULL) {
        ev.action = GS_AUDIT_EVENT_BAN;
        ev.until = until * 1000;
        ev.actor = ban->actor;
        ev.reason = ban->reason;
    }

    ngx_http_govsvc_event_write(&ev);
}


void
ngx_http_govsvc_event_fired(ngx_http_request_t *r,
    const ngx_http_govsvc_correlate_fired_t *fired, void *data)
{
    unsigned                    i;
    gs_str_t                    word;
    gs_audit_event_t            ev;
    ngx_http_govsvc_ctx_t      *ctx;
    gs_audit_event_rule_t      *rule;
    const gs_audit_attack_t    *kind;

    ctx = ngx_http_govsvc_find_ctx(r);

    if (ctx == NULL || ngx_http_govsvc_audit_chain() == NULL) {
        return;
    }

    ngx_http_govsvc_event_fill(r, ctx, &ev);

    word = gs_str_text("other");
    kind = gs_audit_attack(&word);

    for (i = 0; i < fired->rule->ntags && strcmp(kind->name, "other") == 0;
         i++)
    {
        kind = gs_audit_attack(&fired->rule->tags[i]);
    }

    if (strcmp(kind->name, "other") == 0) {
        word = gs_str_text("correlation");
        kind = gs_audit_attack(&word);
    }

    ev.attack = kind;
    ev.severity = fired->rule->severity;
    ev.count = fired->count;
    ev.key = ngx_govsvc_to_gs(&fired->key);
    ev.hits = 1;
    ev.nrules = 1;

    rule = &ev.rules[0];
    ngx_memzero(rule, sizeof(gs_audit_event_rule_t));

    rule->id = fired->id;
    rule->name = fired->rule->name;
    rule->target = ngx_govsvc_to_gs(&fired->kind);
    rule->sample = ngx_govsvc_to_gs(&fired->evidence);

    word = ngx_govsvc_to_gs(&fired->action);

    if (gs_str_eq_text(&word, "ban")) {
        ev.action |= fired->done ? GS_AUDIT_EVENT_BAN : GS_AUDIT_EVENT_DETECT;

    } else if (gs_str_eq_text(&word, "limit")) {
        ev.action |= fired->done ? GS_AUDIT_EVENT_LIMIT
                                 : GS_AUDIT_EVENT_DETECT;
    }

    ngx_http_govsvc_event_write(&ev);
}
