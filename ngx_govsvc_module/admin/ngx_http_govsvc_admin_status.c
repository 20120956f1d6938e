
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: the status of this node as one JSON object, from shared
 * memory; figures by the thousand are for govsvc_metrics.
 */


#include "admin/ngx_http_govsvc_admin.h"

#include "http/ngx_http_govsvc_audit_seal.h"
#include "http/ngx_http_govsvc_ban.h"
#include "http/ngx_http_govsvc_instance.h"
#include "http/ngx_http_govsvc_jwks.h"
#include "http/ngx_http_govsvc_metrics.h"
#include "http/ngx_http_govsvc_redis.h"


#define NGX_HTTP_GOVSVC_ADMIN_SPAN   10    /* s: rates are over so many */
#define NGX_HTTP_GOVSVC_ADMIN_PEERS  1000


static void ngx_http_govsvc_admin_node(gs_buf_t *b,
    ngx_http_govsvc_metrics_sh_t *sh);
static void ngx_http_govsvc_admin_platforms(gs_buf_t *b,
    ngx_http_govsvc_section_t *s, ngx_http_govsvc_metrics_sh_t *sh);
static void ngx_http_govsvc_admin_rates(gs_buf_t *b,
    ngx_http_govsvc_metrics_sh_t *sh, ngx_uint_t place);
static void ngx_http_govsvc_admin_pools(gs_buf_t *b,
    ngx_http_govsvc_section_t *s);
static ngx_uint_t ngx_http_govsvc_admin_peers(gs_buf_t *b,
    ngx_http_govsvc_section_t *s, const gs_route_pool_t *pool,
    ngx_uint_t told);
static void ngx_http_govsvc_admin_redises(gs_buf_t *b);
static void ngx_http_govsvc_admin_issuers(gs_buf_t *b);
static void ngx_http_govsvc_admin_audit(gs_buf_t *b,
    ngx_http_govsvc_metrics_sh_t *sh);
static void ngx_http_govsvc_admin_limits(gs_buf_t *b,
    ngx_http_govsvc_metrics_sh_t *sh);
static void ngx_http_govsvc_admin_ban_zones(gs_buf_t *b);
static void ngx_http_govsvc_admin_next(gs_buf_t *b);
static void ngx_http_govsvc_admin_kv(gs_buf_t *b, const char *key,
    const ngx_str_t *value);


static const char *const  ngx_http_govsvc_admin_platform_states[] = {
    "normal", "maintenance", "closed"
};

static const char *const  ngx_http_govsvc_admin_audit_states[] = {
    "good", "low", "critical", "read_only"
};


void
ngx_http_govsvc_admin_status(ngx_http_request_t *r, gs_buf_t *b)
{
    ngx_http_govsvc_section_t             s;
    ngx_http_govsvc_metrics_sh_t         *sh;
    ngx_http_govsvc_metrics_main_conf_t  *mmcf;

    mmcf = ngx_http_govsvc_metrics_conf((ngx_cycle_t *) ngx_cycle);
    sh = (mmcf != NULL) ? mmcf->sh : NULL;

    gs_buf_char(b, '{');

    ngx_http_govsvc_admin_node(b, sh);

    if (ngx_http_govsvc_section_enter(&s) == NGX_OK) {
        ngx_http_govsvc_admin_platforms(b, &s, sh);
        ngx_http_govsvc_admin_pools(b, &s);
        ngx_http_govsvc_section_leave(&s);
    }

    ngx_http_govsvc_admin_redises(b);
    ngx_http_govsvc_admin_issuers(b);

    if (sh != NULL) {
        ngx_http_govsvc_admin_audit(b, sh);
        ngx_http_govsvc_admin_limits(b, sh);
    }

    ngx_http_govsvc_admin_ban_zones(b);

    gs_buf_char(b, '}');
}


static void
ngx_http_govsvc_admin_node(gs_buf_t *b, ngx_http_govsvc_metrics_sh_t *sh)
{
    uint64_t                            pid, workers;
    ngx_uint_t                          i;
    ngx_http_govsvc_registry_t         *reg;
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_admin_module);

    gs_json_kv_str(b, "node", &amcf->node);
    gs_json_kv_text(b, "version", NGX_GOVSVC_VERSION);
    gs_json_kv_text(b, "nginx", NGINX_VERSION);
    gs_json_kv_u64(b, "time", (uint64_t) ngx_time());

    if (sh != NULL) {
        for (workers = 0, i = 0; i < NGX_HTTP_GOVSVC_METRICS_ROWS; i++) {
            pid = gs_metric_get(&sh->rows[i].pid);
            workers += (pid != 0 && ngx_govsvc_alive((uint32_t) pid));
        }

        gs_json_kv_u64(b, "uptime", (uint64_t) ngx_time() - sh->start);
        gs_json_kv_u64(b, "reloads", gs_metric_get(&sh->reloads));
        gs_json_kv_u64(b, "workers", workers);
    }

    reg = ngx_http_govsvc_registry((ngx_cycle_t *) ngx_cycle);

    if (reg != NULL && reg->sh != NULL) {
        gs_json_key(b, "revision");
        gs_buf_char(b, '{');
        gs_json_kv_u64(b, "stored", gs_metric_get(&reg->sh->committed));
        gs_json_kv_u64(b, "used", gs_metric_get(&reg->sh->applied));
        gs_json_kv_u64(b, "lost", gs_metric_get(&reg->sh->alarm));
        gs_json_kv_u64(b, "left_out", gs_metric_get(&reg->sh->left_out));
        gs_json_kv_u64(b, "refused", gs_metric_get(&reg->sh->refused));
        gs_buf_char(b, '}');
    }
}


static void
ngx_http_govsvc_admin_platforms(gs_buf_t *b, ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_metrics_sh_t *sh)
{
    uint32_t                    i, n;
    gs_str_t                    id;
    const gs_route_platform_t  *p;

    n = gs_route_platforms(s->table);

    gs_json_key(b, "platforms");
    gs_buf_char(b, '[');

    for (i = 0; i < n; i++) {
        p = gs_route_platform(s->table, i);
        id = gs_route_str(s->table, p->id);

        ngx_http_govsvc_admin_next(b);
        gs_json_kv_str(b, "id", &id);
        gs_json_kv_u64(b, "region", p->region);
        gs_json_kv_text(b, "state",
                        ngx_http_govsvc_admin_platform_states[p->state]);

        if (sh != NULL) {
            ngx_http_govsvc_admin_rates(b, sh,
                                        gs_metric_place(&sh->platforms, &id));
        }

        gs_buf_char(b, '}');
    }

    gs_buf_char(b, ']');
}


/* Between the newest sample and the oldest of the span, in thousandths. */

static void
ngx_http_govsvc_admin_rates(gs_buf_t *b, ngx_http_govsvc_metrics_sh_t *sh,
    ngx_uint_t place)
{
    uint64_t                            now, span, at;
    ngx_uint_t                          i;
    ngx_http_govsvc_metrics_sample_t   *s, *first, *last;

    now = ngx_govsvc_mono_us() / 1000000;
    first = NULL;
    last = NULL;

    for (i = 0; i < NGX_HTTP_GOVSVC_METRICS_SAMPLES; i++) {
        s = &sh->samples[i];
        at = __atomic_load_n(&s->second, __ATOMIC_ACQUIRE);

        if (at == 0 || at > now || now - at > NGX_HTTP_GOVSVC_ADMIN_SPAN) {
            continue;
        }

        first = (first == NULL || at < first->second) ? s : first;
        last = (last == NULL || at > last->second) ? s : last;
    }

    if (first == NULL || first == last) {
        return;
    }

    span = last->second - first->second;

    gs_json_kv_u64(b, "requests", last->requests[place]);
    gs_json_kv_u64(b, "requests_per_1000s",
                   (last->requests[place] - first->requests[place]) * 1000
                   / span);
    gs_json_kv_u64(b, "failed_per_1000s",
                   (last->failed[place] - first->failed[place]) * 1000
                   / span);
}


static void
ngx_http_govsvc_admin_pools(gs_buf_t *b, ngx_http_govsvc_section_t *s)
{
    uint32_t                i, n;
    gs_str_t                id, platform;
    ngx_uint_t              told;
    const gs_route_pool_t  *pool;

    n = gs_route_pools(s->table);
    told = 0;

    gs_json_key(b, "pools");
    gs_buf_char(b, '[');

    for (i = 0; i < n && told < NGX_HTTP_GOVSVC_ADMIN_PEERS; i++) {
        pool = gs_route_pool(s->table, i);
        id = gs_route_str(s->table, pool->id);
        platform = gs_route_str(s->table,
                       gs_route_platform(s->table, pool->platform)->id);

        ngx_http_govsvc_admin_next(b);
        gs_json_kv_str(b, "id", &id);
        gs_json_kv_str(b, "platform", &platform);
        gs_json_kv_u64(b, "size", pool->ninstances);

        gs_json_key(b, "instances");
        gs_buf_char(b, '[');
        told += ngx_http_govsvc_admin_peers(b, s, pool, told) + 1;
        gs_buf_text(b, "]}");
    }

    gs_buf_char(b, ']');
}


static ngx_uint_t
ngx_http_govsvc_admin_peers(gs_buf_t *b, ngx_http_govsvc_section_t *s,
    const gs_route_pool_t *pool, ngx_uint_t told)
{
    uint32_t                    i;
    gs_str_t                    id;
    gs_health_report_t          report;
    const gs_route_instance_t  *instance;

    for (i = 0;
         i < pool->ninstances && told + i < NGX_HTTP_GOVSVC_ADMIN_PEERS;
         i++)
    {
        instance = gs_route_instance(s->table, pool->instance + i);
        id = gs_route_str(s->table, instance->id);
        ngx_http_govsvc_instance_report(s, instance, &report);

        ngx_http_govsvc_admin_next(b);
        gs_json_kv_str(b, "id", &id);
        gs_json_kv_text(b, "state", report.state);
        gs_json_kv_text(b, "reason", report.reason);
        gs_json_kv_u64(b, "since", report.since / 1000);
        gs_buf_char(b, '}');
    }

    return i;
}


static void
ngx_http_govsvc_admin_redises(gs_buf_t *b)
{
    ngx_uint_t            i, k, n[NGX_GOVSVC_REDIS_STATE_MAX];
    ngx_array_t          *all;
    ngx_govsvc_redis_t  **rd;

    all = ngx_http_govsvc_redis_all((ngx_cycle_t *) ngx_cycle);
    rd = all->elts;

    gs_json_key(b, "redis");
    gs_buf_char(b, '[');

    for (i = 0; i < all->nelts; i++) {
        ngx_govsvc_redis_states(rd[i], n);

        ngx_http_govsvc_admin_next(b);
        ngx_http_govsvc_admin_kv(b, "name", ngx_govsvc_redis_name(rd[i]));

        for (k = 1; k < NGX_GOVSVC_REDIS_STATE_MAX; k++) {
            gs_json_kv_u64(b, ngx_govsvc_redis_state_text(
                                  (ngx_govsvc_redis_state_e) k), n[k]);
        }

        gs_buf_char(b, '}');
    }

    gs_buf_char(b, ']');
}


static void
ngx_http_govsvc_admin_issuers(gs_buf_t *b)
{
    ngx_uint_t                          i;
    ngx_http_govsvc_issuer_t          **is;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_token_module);
    is = tmcf->issuers.elts;

    gs_json_key(b, "issuers");
    gs_buf_char(b, '[');

    for (i = 0; i < tmcf->issuers.nelts; i++) {
        ngx_http_govsvc_admin_next(b);
        ngx_http_govsvc_admin_kv(b, "name", &is[i]->name);

        gs_json_kv_text(b, "keys",
                        ngx_http_govsvc_keys_generation(is[i]) != 0
                        ? "present" : "none");

        if (is[i]->jwks != NULL && is[i]->jwks->shared != NULL) {
            gs_json_kv_u64(b, "fetched",
                           gs_metric_get(&is[i]->jwks->shared->good));
            gs_json_kv_u64(b, "failures",
                           gs_metric_get(&is[i]->jwks->shared->failures));
        }

        gs_buf_char(b, '}');
    }

    gs_buf_char(b, ']');
}


static void
ngx_http_govsvc_admin_audit(gs_buf_t *b, ngx_http_govsvc_metrics_sh_t *sh)
{
    uint64_t                          state, worst, records, lost;
    ngx_uint_t                        i;
    ngx_http_govsvc_audit_seal_sh_t  *seal;

    for (worst = 0, i = 0; i < NGX_HTTP_GOVSVC_METRICS_ROWS; i++) {
        state = gs_metric_get(&sh->rows[i].audit_state);

        if (gs_metric_get(&sh->rows[i].pid) != 0 && state > worst) {
            worst = state;
        }
    }

    for (records = 0, lost = 0, i = 0; i < GS_AUDIT_CLASSES; i++) {
        records += ngx_http_govsvc_metrics_sum(sh,
                       offsetof(ngx_http_govsvc_metrics_row_t, records)
                       + i * sizeof(uint64_t));
        lost += ngx_http_govsvc_metrics_sum(sh,
                    offsetof(ngx_http_govsvc_metrics_row_t, lost)
                    + i * sizeof(uint64_t));
    }

    gs_json_key(b, "audit");
    gs_buf_char(b, '{');
    gs_json_kv_text(b, "state", ngx_http_govsvc_admin_audit_states[worst & 3]);
    gs_json_kv_u64(b, "records", records);
    gs_json_kv_u64(b, "lost", lost);

    seal = ngx_http_govsvc_audit_seal_row((ngx_cycle_t *) ngx_cycle);

    if (seal != NULL) {
        state = gs_metric_get(&seal->state)
                % NGX_HTTP_GOVSVC_AUDIT_SEAL_STATES;

        gs_json_key(b, "seal");
        gs_buf_char(b, '{');
        gs_json_kv_text(b, "state", ngx_http_govsvc_audit_seal_states[state]);
        gs_json_kv_u64(b, "lines", gs_metric_get(&seal->lines));
        gs_json_kv_u64(b, "signed", gs_metric_get(&seal->signed_at) / 1000000);
        gs_buf_char(b, '}');
    }

    gs_buf_char(b, '}');
}


static void
ngx_http_govsvc_admin_limits(gs_buf_t *b, ngx_http_govsvc_metrics_sh_t *sh)
{
    size_t      at;
    uint64_t    n[NGX_HTTP_GOVSVC_METRICS_LIMITS], all;
    gs_str_t    name;
    ngx_uint_t  i, k;

    gs_json_key(b, "limits");
    gs_buf_char(b, '[');

    for (i = 0; i < GS_METRIC_PLACES; i++) {
        at = offsetof(ngx_http_govsvc_metrics_row_t, limits)
             + i * sizeof(sh->rows[0].limits[0]);

        for (all = 0, k = 0; k < NGX_HTTP_GOVSVC_METRICS_LIMITS; k++) {
            n[k] = ngx_http_govsvc_metrics_sum(sh, at + k * sizeof(uint64_t));
            all += n[k];
        }

        if (all == 0) {
            continue;
        }

        name = gs_metric_name(&sh->zones, (unsigned) i);

        ngx_http_govsvc_admin_next(b);
        gs_json_kv_str(b, "zone", &name);
        gs_json_kv_u64(b, "passed", n[NGX_HTTP_GOVSVC_LIMIT_PASSED]);
        gs_json_kv_u64(b, "delayed", n[NGX_HTTP_GOVSVC_LIMIT_DELAYED]);
        gs_json_kv_u64(b, "rejected", n[NGX_HTTP_GOVSVC_LIMIT_REJECTED]);
        gs_buf_char(b, '}');
    }

    gs_buf_char(b, ']');
}


static void
ngx_http_govsvc_admin_ban_zones(gs_buf_t *b)
{
    ngx_uint_t                        i;
    gs_ban_stat_t                     stat;
    ngx_http_govsvc_ban_zone_t      **zone;
    ngx_http_govsvc_ban_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_ban_module);
    zone = bmcf->zones.elts;

    gs_json_key(b, "bans");
    gs_buf_char(b, '[');

    for (i = 0; i < bmcf->zones.nelts; i++) {
        gs_ban_stat(&zone[i]->table, &stat);

        ngx_http_govsvc_admin_next(b);
        ngx_http_govsvc_admin_kv(b, "zone", &zone[i]->base.name);
        gs_json_kv_u64(b, "added", stat.added);
        gs_json_kv_u64(b, "lifted", stat.lifted);
        gs_json_kv_u64(b, "full", stat.full);
        gs_json_kv_u64(b, "slots", stat.slots);
        gs_buf_char(b, '}');
    }

    gs_buf_char(b, ']');
}


/* Begins an object of a list. */

static void
ngx_http_govsvc_admin_next(gs_buf_t *b)
{
    if (b->pos[-1] != '[') {
        gs_buf_char(b, ',');
    }

    gs_buf_char(b, '{');
}


static void
ngx_http_govsvc_admin_kv(gs_buf_t *b, const char *key, const ngx_str_t *value)
{
    gs_str_t  s;

    s = ngx_govsvc_to_gs(value);
    (void) gs_json_kv_str(b, key, &s);
}
