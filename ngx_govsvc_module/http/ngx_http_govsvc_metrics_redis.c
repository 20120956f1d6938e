
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: families of the connections to Redis, summed over the rows of all
 * workers.  Every one of them stands in docs/metrics.md, which lint compares.
 */


#include "http/ngx_http_govsvc_limit.h"
#include "http/ngx_http_govsvc_metrics.h"

#include "http/ngx_http_govsvc_redis.h"


typedef struct {
    const char  *name;
    size_t       at;                       /* in ngx_govsvc_redis_row_t */
} ngx_http_govsvc_metrics_field_t;


static void ngx_http_govsvc_metrics_redis_state(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_redis_events(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_redis_ended(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_redis_inflight(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_redis_nodes(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static uint64_t ngx_http_govsvc_metrics_redis_sum(
    const ngx_govsvc_redis_t *rd, size_t at);


static const ngx_http_govsvc_metrics_field_t
    ngx_http_govsvc_metrics_redis_fields[] = {
    { "connect", offsetof(ngx_govsvc_redis_row_t, connects) },
    { "failure", offsetof(ngx_govsvc_redis_row_t, failures) },
    { "command", offsetof(ngx_govsvc_redis_row_t, commands) },
    { "flush", offsetof(ngx_govsvc_redis_row_t, flushes) },
    { "redirect", offsetof(ngx_govsvc_redis_row_t, redirects) },
    { "breaker", offsetof(ngx_govsvc_redis_row_t, breaker) },
    { NULL, 0 }
};


const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_redis[] = {

    { "govsvc_redis_state", "gauge",
      "Workers whose connections to a Redis are in this state.",
      ngx_http_govsvc_metrics_redis_state },

    { "govsvc_redis_events_total", "counter",
      "What happened on the connections to a Redis.",
      ngx_http_govsvc_metrics_redis_events },

    { "govsvc_redis_commands_total", "counter",
      "Commands to a Redis that ended, by result.",
      ngx_http_govsvc_metrics_redis_ended },

    { "govsvc_redis_commands_in_flight", "gauge",
      "Commands to a Redis that have not ended.",
      ngx_http_govsvc_metrics_redis_inflight },

    { "govsvc_cluster_nodes", "gauge",
      "Nodes that keep limits together, as this node counts them.",
      ngx_http_govsvc_metrics_redis_nodes },

    { NULL, NULL, NULL, NULL }
};


static void
ngx_http_govsvc_metrics_redis_state(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t            i, k, n[NGX_GOVSVC_REDIS_STATE_MAX];
    ngx_array_t          *all;
    gs_metric_label_t     labels[2];
    ngx_govsvc_redis_t  **rd;

    all = ngx_http_govsvc_redis_all(o->conf->cycle);
    rd = all->elts;

    labels[0].name = "redis";
    labels[1].name = "state";

    for (i = 0; i < all->nelts; i++) {
        ngx_govsvc_redis_states(rd[i], n);

        labels[0].value = ngx_govsvc_to_gs(ngx_govsvc_redis_name(rd[i]));

        for (k = 1; k < NGX_GOVSVC_REDIS_STATE_MAX; k++) {
            labels[1].value = gs_str_text(ngx_govsvc_redis_state_text(
                                            (ngx_govsvc_redis_state_e) k));
            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                           labels, 2, n[k]);
        }
    }
}


static void
ngx_http_govsvc_metrics_redis_events(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t                               i;
    ngx_array_t                             *all;
    gs_metric_label_t                        labels[2];
    ngx_govsvc_redis_t                     **rd;
    const ngx_http_govsvc_metrics_field_t   *field;

    all = ngx_http_govsvc_redis_all(o->conf->cycle);
    rd = all->elts;

    labels[0].name = "redis";
    labels[1].name = "event";

    for (i = 0; i < all->nelts; i++) {
        labels[0].value = ngx_govsvc_to_gs(ngx_govsvc_redis_name(rd[i]));

        for (field = ngx_http_govsvc_metrics_redis_fields;
             field->name != NULL;
             field++)
        {
            labels[1].value = gs_str_text(field->name);
            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                labels, 2, ngx_http_govsvc_metrics_redis_sum(rd[i],
                                                             field->at));
        }
    }
}


static void
ngx_http_govsvc_metrics_redis_ended(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t             i, k;
    ngx_array_t           *all;
    gs_metric_label_t      labels[2];
    ngx_govsvc_redis_t   **rd;

    all = ngx_http_govsvc_redis_all(o->conf->cycle);
    rd = all->elts;

    labels[0].name = "redis";
    labels[1].name = "result";

    for (i = 0; i < all->nelts; i++) {
        labels[0].value = ngx_govsvc_to_gs(ngx_govsvc_redis_name(rd[i]));

        for (k = 0; k < NGX_GOVSVC_REDIS_STATUS_MAX; k++) {
            labels[1].value = gs_str_text(ngx_govsvc_redis_status_text(
                                            (ngx_govsvc_redis_status_e) k));
            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                labels, 2, ngx_http_govsvc_metrics_redis_sum(rd[i],
                    offsetof(ngx_govsvc_redis_row_t, ended)
                    + k * sizeof(ngx_atomic_t)));
        }
    }
}


static void
ngx_http_govsvc_metrics_redis_inflight(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t             i;
    ngx_array_t           *all;
    gs_metric_label_t      label;
    ngx_govsvc_redis_t   **rd;

    all = ngx_http_govsvc_redis_all(o->conf->cycle);
    rd = all->elts;

    label.name = "redis";

    for (i = 0; i < all->nelts; i++) {
        label.value = ngx_govsvc_to_gs(ngx_govsvc_redis_name(rd[i]));
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
            1, ngx_http_govsvc_metrics_redis_sum(rd[i],
                   offsetof(ngx_govsvc_redis_row_t, inflight)));
    }
}


static void
ngx_http_govsvc_metrics_redis_nodes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(o->conf->cycle,
                                               ngx_http_govsvc_limit_module);

    if (lmcf->cluster != NULL) {
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
                       ngx_http_govsvc_cluster_nodes(lmcf->cluster));
    }
}


static uint64_t
ngx_http_govsvc_metrics_redis_sum(const ngx_govsvc_redis_t *rd, size_t at)
{
    uint64_t                       sum;
    ngx_uint_t                     i;
    const ngx_govsvc_redis_row_t  *row;

    for (sum = 0, i = 0; /* void */; i++) {
        row = ngx_govsvc_redis_row(rd, i);
        if (row == NULL) {
            return sum;
        }

        sum += *(const ngx_atomic_t *) ((const u_char *) row + at);
    }
}
