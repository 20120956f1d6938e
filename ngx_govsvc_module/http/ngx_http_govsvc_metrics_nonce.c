
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: families of the nonces of signed requests.  Every one of them
 * stands in docs/metrics.md, which lint compares.
 */


#include "http/ngx_http_govsvc_metrics.h"

#include "http/ngx_http_govsvc_apps.h"


static void ngx_http_govsvc_metrics_nonces(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_nonce_lost(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static ngx_http_govsvc_nonce_zone_t *ngx_http_govsvc_metrics_nonce_zone(
    ngx_http_govsvc_metrics_out_t *o);


const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_nonce[] = {

    { "govsvc_nonces_total", "counter",
      "Nonces of signed requests, by what became of them.",
      ngx_http_govsvc_metrics_nonces },

    { "govsvc_nonces_lost_timestamp_seconds", "gauge",
      "When nonces of other nodes may last have been lost, 0 if never.",
      ngx_http_govsvc_metrics_nonce_lost },

    { NULL, NULL, NULL, NULL }
};


static void
ngx_http_govsvc_metrics_nonces(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t                     i;
    gs_metric_label_t              labels[2];
    ngx_http_govsvc_nonce_zone_t  *zone;

    zone = ngx_http_govsvc_metrics_nonce_zone(o);
    if (zone == NULL) {
        return;
    }

    labels[0].name = "zone";
    labels[0].value = ngx_govsvc_to_gs(&zone->base.name);
    labels[1].name = "event";

    for (i = 0; i < GS_NONCE_COUNTS; i++) {
        labels[1].value = gs_str_text(gs_nonce_counts[i]);
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", labels,
                       2, gs_nonce_counted(&zone->store,
                                           (gs_nonce_count_e) i));
    }
}


static void
ngx_http_govsvc_metrics_nonce_lost(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    gs_metric_label_t              label;
    ngx_http_govsvc_nonce_zone_t  *zone;

    zone = ngx_http_govsvc_metrics_nonce_zone(o);

    if (zone == NULL || zone->redis == NULL) {
        return;
    }

    label.name = "zone";
    label.value = ngx_govsvc_to_gs(&zone->base.name);

    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label, 1,
                   (uint64_t) gs_nonce_lost(&zone->store));
}


static ngx_http_govsvc_nonce_zone_t *
ngx_http_govsvc_metrics_nonce_zone(ngx_http_govsvc_metrics_out_t *o)
{
    ngx_http_govsvc_nonce_zone_t      **zones;
    ngx_http_govsvc_apps_main_conf_t   *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(o->conf->cycle,
                                               ngx_http_govsvc_apps_module);
    zones = amcf->zones.elts;

    return (amcf->zones.nelts != 0 && zones[0]->size != 0) ? zones[0] : NULL;
}
