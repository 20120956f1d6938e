
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: families of the availability of platforms.
 */


#include "http/ngx_http_govsvc_avail.h"


static void ngx_http_govsvc_metrics_minutes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_outage(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_clock(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);


const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_avail[] = {

    { "govsvc_platform_minutes_total", "counter",
      "Minutes of a platform, by what became of them.",
      ngx_http_govsvc_metrics_minutes },

    { "govsvc_platform_outage_seconds", "gauge",
      "Age of the outage of a platform at its last minute down, 0 if none.",
      ngx_http_govsvc_metrics_outage },

    { "govsvc_platform_reporting_clock_hours", "gauge",
      "The last reporting clock that the outage passed: 0, 1, 2 or 4.",
      ngx_http_govsvc_metrics_clock },

    { NULL, NULL, NULL, NULL }
};


static void
ngx_http_govsvc_metrics_minutes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    unsigned            i, k;
    gs_avail_now_t      now;
    const gs_avail_t   *a;
    gs_metric_label_t   labels[2];

    a = ngx_http_govsvc_avail_read(o->conf->cycle);

    labels[0].name = "platform";
    labels[1].name = "state";

    for (i = 0; a != NULL && gs_avail_now(a, i, &now) == GS_OK; i++) {
        labels[0].value = now.platform;

        for (k = 0; k < GS_AVAIL_STATES; k++) {
            labels[1].value = gs_str_text(gs_avail_state_texts[k]);

            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                           labels, 2, now.minutes[k]);
        }
    }
}


static void
ngx_http_govsvc_metrics_outage(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    unsigned            i;
    gs_avail_now_t      now;
    const gs_avail_t   *a;
    gs_metric_label_t   label;

    a = ngx_http_govsvc_avail_read(o->conf->cycle);
    label.name = "platform";

    for (i = 0; a != NULL && gs_avail_now(a, i, &now) == GS_OK; i++) {
        label.value = now.platform;
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
                       1, (uint64_t) now.age * 60);
    }
}


static void
ngx_http_govsvc_metrics_clock(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    unsigned            i;
    gs_avail_now_t      now;
    const gs_avail_t   *a;
    gs_metric_label_t   label;

    a = ngx_http_govsvc_avail_read(o->conf->cycle);
    label.name = "platform";

    for (i = 0; a != NULL && gs_avail_now(a, i, &now) == GS_OK; i++) {
        label.value = now.platform;
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
                       1, now.hours);
    }
}
