
/*
 * Copyright (C) govsvc authors
 *
 * Figures for Prometheus: revocations.
 */


#include "http/ngx_http_govsvc_metrics.h"
#include "http/ngx_http_govsvc_revoke.h"


static void ngx_http_govsvc_metrics_revocations(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_revocations_full(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_revocation_changes(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_revocation_follows(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_revocation_line(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m,
    const char *label, const char *value, uint64_t n);


const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_revoke[] = {

    { "govsvc_revocations", "gauge",
      "Revocations in force, lifted and still kept, unknown to other nodes.",
      ngx_http_govsvc_metrics_revocations },

    { "govsvc_revocations_full_total", "counter",
      "Revocations that found no room.",
      ngx_http_govsvc_metrics_revocations_full },

    { "govsvc_revocation_changes_total", "counter",
      "Changes told to other nodes, and heard of them.",
      ngx_http_govsvc_metrics_revocation_changes },

    { "govsvc_revocation_follows", "gauge",
      "1 while this node hears what other nodes revoke.",
      ngx_http_govsvc_metrics_revocation_follows },

    { NULL, NULL, NULL, NULL }
};


static void
ngx_http_govsvc_metrics_revocations(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    int64_t                         saved;
    gs_token_revoke_stat_t          stat;
    ngx_http_govsvc_revoke_nodes_t  nodes;

    if (ngx_http_govsvc_revoke_stat(&stat, &saved) != NGX_OK) {
        return;
    }

    ngx_http_govsvc_metrics_revocation_line(o, m, "state", "in_force",
                                            stat.live);
    ngx_http_govsvc_metrics_revocation_line(o, m, "state", "lifted",
                                            stat.lifted);

    if (ngx_http_govsvc_revoke_shared(&nodes) == NGX_OK) {
        ngx_http_govsvc_metrics_revocation_line(o, m, "state", "untold",
                                                stat.untold);
    }
}


static void
ngx_http_govsvc_metrics_revocations_full(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    int64_t                 saved;
    gs_token_revoke_stat_t  stat;

    if (ngx_http_govsvc_revoke_stat(&stat, &saved) == NGX_OK) {
        ngx_http_govsvc_metrics_revocation_line(o, m, NULL, NULL, stat.full);
    }
}


static void
ngx_http_govsvc_metrics_revocation_changes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_revoke_nodes_t  nodes;

    if (ngx_http_govsvc_revoke_shared(&nodes) == NGX_OK) {
        ngx_http_govsvc_metrics_revocation_line(o, m, "way", "told",
                                                nodes.told);
        ngx_http_govsvc_metrics_revocation_line(o, m, "way", "heard",
                                                nodes.heard);
    }
}


static void
ngx_http_govsvc_metrics_revocation_follows(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_revoke_nodes_t  nodes;

    if (ngx_http_govsvc_revoke_shared(&nodes) == NGX_OK) {
        ngx_http_govsvc_metrics_revocation_line(o, m, NULL, NULL,
                                                nodes.follows);
    }
}


static void
ngx_http_govsvc_metrics_revocation_line(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, const char *label, const char *value,
    uint64_t n)
{
    gs_metric_label_t  labels[1];

    if (label != NULL) {
        labels[0].name = label;
        labels[0].value = gs_str_text(value);
    }

    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", labels,
                   label != NULL ? 1 : 0, n);
}
