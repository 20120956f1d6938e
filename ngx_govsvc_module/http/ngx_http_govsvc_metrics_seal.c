
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: families of sealing inside the server.  Every one of them stands
 * in docs/metrics.md, which lint compares.
 */


#include "http/ngx_http_govsvc_audit_seal.h"
#include "http/ngx_http_govsvc_metrics.h"


static void ngx_http_govsvc_metrics_seal_state(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_seal_lines(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_seal_age(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_seal_errors(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);


const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_seal[] = {

    { "govsvc_audit_seal_state", "gauge",
      "1 for the state of sealing inside the server.",
      ngx_http_govsvc_metrics_seal_state },

    { "govsvc_audit_sealed_lines", "gauge",
      "Lines of the audit store under the last checkpoint.",
      ngx_http_govsvc_metrics_seal_lines },

    { "govsvc_audit_checkpoint_age_seconds", "gauge",
      "Time since the last checkpoint was signed.",
      ngx_http_govsvc_metrics_seal_age },

    { "govsvc_audit_seal_errors_total", "counter",
      "Attempts to seal that failed or were refused.",
      ngx_http_govsvc_metrics_seal_errors },

    { NULL, NULL, NULL, NULL }
};


static void
ngx_http_govsvc_metrics_seal_state(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint64_t                          state;
    ngx_uint_t                        i;
    gs_metric_label_t                 label;
    ngx_http_govsvc_audit_seal_sh_t  *sh;

    sh = ngx_http_govsvc_audit_seal_row(o->conf->cycle);
    if (sh == NULL) {
        return;
    }

    state = gs_metric_get(&sh->state);
    label.name = "state";

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_SEAL_STATES; i++) {
        label.value = gs_str_text(ngx_http_govsvc_audit_seal_states[i]);
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
                       1, i == state);
    }
}


static void
ngx_http_govsvc_metrics_seal_lines(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_audit_seal_sh_t  *sh;

    sh = ngx_http_govsvc_audit_seal_row(o->conf->cycle);

    if (sh != NULL) {
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
                       gs_metric_get(&sh->lines));
    }
}


/* Nothing before the first: an age that is not known looks like a good one. */

static void
ngx_http_govsvc_metrics_seal_age(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint64_t                          now, last;
    ngx_http_govsvc_audit_seal_sh_t  *sh;

    sh = ngx_http_govsvc_audit_seal_row(o->conf->cycle);
    last = (sh != NULL) ? gs_metric_get(&sh->signed_at) : 0;

    if (last != 0) {
        now = ngx_govsvc_wall_us();
        gs_metric_line_us(ngx_http_govsvc_metrics_room(o), m->name, "", NULL,
                          0, now > last ? now - last : 0);
    }
}


static void
ngx_http_govsvc_metrics_seal_errors(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    gs_metric_label_t                 label;
    ngx_http_govsvc_audit_seal_sh_t  *sh;

    sh = ngx_http_govsvc_audit_seal_row(o->conf->cycle);
    if (sh == NULL) {
        return;
    }

    label.name = "why";
    label.value = gs_str_text("failed");
    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label, 1,
                   gs_metric_get(&sh->failed));

    label.value = gs_str_text("refused");
    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label, 1,
                   gs_metric_get(&sh->refused));
}
