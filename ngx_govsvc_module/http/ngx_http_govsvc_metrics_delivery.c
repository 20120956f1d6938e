
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: families of the deliveries of audit records, a row for each feed.
 * Every one of them stands in docs/metrics.md, which lint compares.
 */


#include "http/ngx_http_govsvc_feed.h"
#include "http/ngx_http_govsvc_metrics.h"


static void ngx_http_govsvc_metrics_delivery_lag(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_delivery_records(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_delivery_up(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static ngx_http_govsvc_feed_row_t *ngx_http_govsvc_metrics_delivery_row(
    ngx_http_govsvc_metrics_out_t *o, ngx_uint_t *i,
    gs_metric_label_t *labels);


const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_delivery[] = {

    { "govsvc_audit_delivery_lag_seconds", "gauge",
      "Time since a receiver of audit records had all there were.",
      ngx_http_govsvc_metrics_delivery_lag },

    { "govsvc_audit_delivered_records_total", "counter",
      "Audit records that a receiver has taken.",
      ngx_http_govsvc_metrics_delivery_records },

    { "govsvc_audit_delivery_up", "gauge",
      "1 while there is a connection to a receiver of audit records.",
      ngx_http_govsvc_metrics_delivery_up },

    { NULL, NULL, NULL, NULL }
};


static void
ngx_http_govsvc_metrics_delivery_lag(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint64_t                     now, caught;
    ngx_uint_t                   i;
    gs_metric_label_t            labels[2];
    ngx_http_govsvc_feed_row_t  *row;

    i = 0;
    now = ngx_govsvc_wall_us();

    for ( ;; ) {
        row = ngx_http_govsvc_metrics_delivery_row(o, &i, labels);
        if (row == NULL) {
            return;
        }

        caught = gs_metric_get(&row->caught) * 1000;

        gs_metric_line_us(ngx_http_govsvc_metrics_room(o), m->name, "",
                          labels, 2, now > caught ? now - caught : 0);
    }
}


static void
ngx_http_govsvc_metrics_delivery_records(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t                   i;
    gs_metric_label_t            labels[2];
    ngx_http_govsvc_feed_row_t  *row;

    i = 0;

    for ( ;; ) {
        row = ngx_http_govsvc_metrics_delivery_row(o, &i, labels);
        if (row == NULL) {
            return;
        }

        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", labels,
                       2, gs_metric_get(&row->records));
    }
}


static void
ngx_http_govsvc_metrics_delivery_up(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t                   i;
    gs_metric_label_t            labels[2];
    ngx_http_govsvc_feed_row_t  *row;

    i = 0;

    for ( ;; ) {
        row = ngx_http_govsvc_metrics_delivery_row(o, &i, labels);
        if (row == NULL) {
            return;
        }

        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", labels,
                       2, gs_metric_get(&row->up));
    }
}


/* The next row from *i on, with its labels; NULL behind the last. */

static ngx_http_govsvc_feed_row_t *
ngx_http_govsvc_metrics_delivery_row(ngx_http_govsvc_metrics_out_t *o,
    ngx_uint_t *i, gs_metric_label_t *labels)
{
    ngx_http_govsvc_feed_row_t   *row;
    ngx_http_govsvc_feed_conf_t  *conf;

    for ( ;; ) {
        conf = ngx_http_govsvc_feed_at(o->conf->cycle, *i, &row);
        (*i)++;

        if (conf == NULL) {
            return NULL;
        }

        if (row != NULL) {
            break;
        }
    }

    labels[0].name = "feed";
    labels[0].value = ngx_govsvc_to_gs(&conf->name);
    labels[1].name = "to";
    labels[1].value = ngx_govsvc_to_gs(&conf->key);

    return row;
}
