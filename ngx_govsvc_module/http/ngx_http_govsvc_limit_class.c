
/*
 * Copyright (C) govsvc authors
 *
 * Limits: the rate of a zone or of a tier, how it is divided among the nodes,
 * and what may go beyond it.
 */


#include "http/ngx_http_govsvc_limit.h"


typedef struct {
    ngx_http_govsvc_limit_zone_t  *zone;
    ngx_conf_handler_pt            handler;
    void                          *handler_conf;
} ngx_http_govsvc_limit_tiers_t;


static char *ngx_http_govsvc_limit_policy(ngx_conf_t *cf,
    ngx_http_govsvc_limit_class_t *class);
static char *ngx_http_govsvc_limit_tier_line(ngx_conf_t *cf,
    ngx_command_t *dummy, void *conf);
static char *ngx_http_govsvc_limit_tier_rate(ngx_conf_t *cf,
    ngx_http_govsvc_limit_class_t *class);
static void ngx_http_govsvc_limit_renew_class(
    ngx_http_govsvc_limit_zone_t *zone, ngx_http_govsvc_limit_class_t *class,
    ngx_uint_t nodes);
static void ngx_http_govsvc_limit_init_class(ngx_conf_t *cf,
    ngx_http_govsvc_limit_main_conf_t *lmcf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_http_govsvc_limit_class_t *class);


static const char *const  ngx_http_govsvc_limit_tier_params[] = {
    "rate=", "burst=", "off", NULL
};


char *
ngx_http_govsvc_limit_class(ngx_conf_t *cf,
    ngx_http_govsvc_limit_class_t *class, ngx_str_t *rate, ngx_str_t *burst)
{
    gs_err_t    err;
    gs_str_t    s;
    uint64_t    n;
    ngx_str_t  *value;

    n = 1;
    value = cf->args->elts;

    if (burst->data != NULL) {
        s = ngx_govsvc_to_gs(burst);

        if (gs_parse_u64(&s, &n) != GS_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid burst \"%V\" in \"%V\" directive, it "
                               "must be a whole number", burst, &value[0]);
            return NGX_CONF_ERROR;
        }
    }

    ngx_memzero(&err, sizeof(gs_err_t));
    s = ngx_govsvc_to_gs(rate);

    if (gs_limit_rate_parse(&class->rate, &s, &err) != GS_OK
        || gs_limit_rate_init(&class->rate, n, &err) != GS_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\" directive",
                           err.text, &value[0]);
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_limit_policy(cf, class);
}


/* ;q=100;w=2 does not change, so it is written once. */

static char *
ngx_http_govsvc_limit_policy(ngx_conf_t *cf,
    ngx_http_govsvc_limit_class_t *class)
{
    uint64_t          window;
    gs_limit_rate_t  *rate;

    class->policy.data = ngx_pnalloc(cf->pool, sizeof(";q=;w=") - 1
                                               + 2 * NGX_INT64_LEN);
    if (class->policy.data == NULL) {
        return NGX_CONF_ERROR;
    }

    rate = &class->rate;
    window = (rate->burst * rate->period + rate->count * 1000000 - 1)
             / (rate->count * 1000000);

    class->policy.len = ngx_sprintf(class->policy.data, ";q=%uL;w=%uL",
                                    rate->burst, window)
                        - class->policy.data;

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_limit_tier(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                              *rv;
    ngx_str_t                         *value, name;
    ngx_conf_t                         save;
    ngx_http_govsvc_limit_zone_t      *zone;
    ngx_http_govsvc_limit_tiers_t      tiers;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    if (!ngx_govsvc_conf_param(&value[1], "zone=", &name)
        || name.len == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must begin with \"zone=NAME\", not \"%V\"",
                           &value[0], &value[1]);
        return NGX_CONF_ERROR;
    }

    zone = ngx_http_govsvc_limit_get_zone(cf, &name);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (zone->tier != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "limit zone \"%V\" already has tiers", &name);
        return NGX_CONF_ERROR;
    }

    zone->tier = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));

    if (zone->tier == NULL
        || ngx_array_init(&zone->tiers, cf->pool, 4,
                          sizeof(ngx_http_govsvc_limit_class_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[2];
    ccv.complex_value = zone->tier;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    tiers.zone = zone;
    save = *cf;
    cf->handler = ngx_http_govsvc_limit_tier_line;
    cf->handler_conf = (char *) &tiers;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
ngx_http_govsvc_limit_tier_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf)
{
    ngx_http_govsvc_limit_tiers_t *tiers = conf;

    ngx_str_t                      *value;
    ngx_uint_t                      i;
    ngx_http_govsvc_limit_class_t  *class;

    value = cf->args->elts;
    class = tiers->zone->tiers.elts;

    for (i = 0; i < tiers->zone->tiers.nelts; i++) {
        if (class[i].tier.len == value[0].len
            && ngx_memcmp(class[i].tier.data, value[0].data, value[0].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate tier \"%V\"",
                               &value[0]);
            return NGX_CONF_ERROR;
        }
    }

    class = ngx_array_push(&tiers->zone->tiers);
    if (class == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(class, sizeof(ngx_http_govsvc_limit_class_t));
    class->tier = value[0];

    return ngx_http_govsvc_limit_tier_rate(cf, class);
}


static char *
ngx_http_govsvc_limit_tier_rate(ngx_conf_t *cf,
    ngx_http_govsvc_limit_class_t *class)
{
    ngx_str_t  *value, args[3];

    value = cf->args->elts;

    if (ngx_govsvc_conf_params(cf, 1, ngx_http_govsvc_limit_tier_params, args)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (args[2].data != NULL && cf->args->nelts == 2) {
        class->off = 1;
        return NGX_CONF_OK;
    }

    if (args[0].data == NULL || args[2].data != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "tier \"%V\" must have \"rate=NUMBERr/s\" or "
                           "\"off\"", &value[0]);
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_limit_class(cf, class, &args[0], &args[1]);
}


ngx_http_govsvc_limit_class_t *
ngx_http_govsvc_limit_find_class(ngx_http_request_t *r,
    ngx_http_govsvc_limit_zone_t *zone, ngx_int_t *rc)
{
    ngx_str_t                       value;
    ngx_uint_t                      i;
    ngx_http_govsvc_limit_class_t  *class;

    *rc = NGX_OK;

    if (zone->tier == NULL) {
        return &zone->main;
    }

    *rc = ngx_http_complex_value(r, zone->tier, &value);
    if (*rc != NGX_OK) {
        return NULL;
    }

    class = zone->tiers.elts;

    for (i = 0; i < zone->tiers.nelts; i++) {
        if (class[i].tier.len == value.len
            && ngx_memcmp(class[i].tier.data, value.data, value.len) == 0)
        {
            return class[i].off ? NULL : &class[i];
        }
    }

    return &zone->main;
}


void
ngx_http_govsvc_limit_init_plans(ngx_conf_t *cf,
    ngx_http_govsvc_limit_main_conf_t *lmcf,
    ngx_http_govsvc_limit_zone_t *zone)
{
    ngx_uint_t                      i;
    ngx_http_govsvc_limit_class_t  *class;

    ngx_http_govsvc_limit_init_class(cf, lmcf, zone, &zone->main);

    class = zone->tiers.elts;

    for (i = 0; i < zone->tiers.nelts; i++) {
        if (!class[i].off) {
            ngx_http_govsvc_limit_init_class(cf, lmcf, zone, &class[i]);
        }
    }
}


void
ngx_http_govsvc_limit_renew_plans(ngx_cycle_t *cycle, ngx_uint_t nodes)
{
    ngx_uint_t                          i, k;
    ngx_http_govsvc_limit_zone_t      **zones;
    ngx_http_govsvc_limit_class_t      *class;
    ngx_http_govsvc_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_limit_module);
    zones = lmcf->zones.elts;

    for (i = 0; i < lmcf->zones.nelts; i++) {

        if (zones[i]->sync == NULL) {
            continue;
        }

        ngx_http_govsvc_limit_renew_class(zones[i], &zones[i]->main, nodes);

        class = zones[i]->tiers.elts;

        for (k = 0; k < zones[i]->tiers.nelts; k++) {
            if (!class[k].off) {
                ngx_http_govsvc_limit_renew_class(zones[i], &class[k], nodes);
            }
        }
    }
}


static void
ngx_http_govsvc_limit_renew_class(ngx_http_govsvc_limit_zone_t *zone,
    ngx_http_govsvc_limit_class_t *class, ngx_uint_t nodes)
{
    gs_limit_plan_nodes(&class->lease, &class->rate, nodes,
                        (unsigned) zone->share);
    gs_limit_plan_nodes(&class->strict, &class->rate, nodes, 0);
}


/* What the limit promises is said once, where operations will look for it. */

static void
ngx_http_govsvc_limit_init_class(ngx_conf_t *cf,
    ngx_http_govsvc_limit_main_conf_t *lmcf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_http_govsvc_limit_class_t *class)
{
    uint64_t          bound, second;
    gs_limit_plan_t  *plan;

    if (zone->sync == NULL) {
        return;
    }

    gs_limit_plan(&class->lease, &class->rate, lmcf->nodes,
                  (unsigned) zone->share, zone->target);
    gs_limit_plan(&class->strict, &class->rate, lmcf->nodes, 0,
                  zone->target);

    plan = class->lease.strict ? &class->strict : &class->lease;
    bound = gs_limit_plan_bound(plan, NGX_HTTP_GOVSVC_LIMIT_DELTA);
    second = class->rate.burst + class->rate.count * 1000000
                                 / class->rate.period;

    ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                  "govsvc limit: zone \"%V\"%s%V: over-admission <= %uL "
                  "requests (%uL%% of a second's), %ui nodes%s, %s",
                  &zone->base.name, class->tier.len ? " tier " : "",
                  &class->tier, bound, bound * 100 / second, lmcf->nodes,
                  lmcf->cluster != NULL ? " expected" : "",
                  class->lease.strict ? "decided strictly" : "leased");
}
