
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: families of what was counted, summed over the rows of all workers.
 * Every one of them stands in docs/metrics.md, which lint compares.
 */


#include "http/ngx_http_govsvc_metrics.h"


#define ngx_http_govsvc_metrics_at(member)                                    \
    offsetof(ngx_http_govsvc_metrics_row_t, member)


static void ngx_http_govsvc_metrics_requests(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_tries(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_classes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t at);
static void ngx_http_govsvc_metrics_outcomes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_seconds(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_upstream_seconds(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_times(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t at);
static void ngx_http_govsvc_metrics_histogram(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m,
    const gs_metric_label_t *label, size_t at);
static void ngx_http_govsvc_metrics_methods(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_decisions(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_tokens(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_limits(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_guards(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_records(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_lost(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_alerts(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_audit(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t at);
static void ngx_http_govsvc_metrics_bytes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_errors(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_commit(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);


const char *const  ngx_http_govsvc_metrics_class_texts[] = {
    "other", "1xx", "2xx", "3xx", "4xx", "5xx"
};

static const char *const  ngx_http_govsvc_metrics_method_texts[] = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "_other"
};

static const char *const  ngx_http_govsvc_metrics_outcome_texts[] = {
    "served", "failed", "announced"
};

static const char *const  ngx_http_govsvc_metrics_limit_texts[] = {
    "none", "passed", "rejected", "rejected_dry_run", "delayed"
};

static const char *const  ngx_http_govsvc_metrics_audit_texts[] = {
    "read", "write", "security", "supervision"
};


const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_traffic[] = {

    { "govsvc_requests_total", "counter",
      "Requests that ended, by platform and class of the status.",
      ngx_http_govsvc_metrics_requests },

    { "govsvc_requests_by_method_total", "counter",
      "Requests that ended, by method.",
      ngx_http_govsvc_metrics_methods },

    { "govsvc_request_duration_seconds", "histogram",
      "Time from the first byte of a request to the last of its answer.",
      ngx_http_govsvc_metrics_seconds },

    { "govsvc_upstream_requests_total", "counter",
      "Tries on servers of a platform, by class of what they answered.",
      ngx_http_govsvc_metrics_tries },

    { "govsvc_upstream_duration_seconds", "histogram",
      "Time that servers of a platform took for a request, all tries.",
      ngx_http_govsvc_metrics_upstream_seconds },

    { "govsvc_platform_outcomes_total", "counter",
      "What became of requests that were meant for a platform.",
      ngx_http_govsvc_metrics_outcomes },

    { "govsvc_decisions_total", "counter",
      "Requests allowed, and refused by reason.",
      ngx_http_govsvc_metrics_decisions },

    { "govsvc_token_checks_total", "counter",
      "Credentials looked at, by result.",
      ngx_http_govsvc_metrics_tokens },

    { "govsvc_ratelimit_total", "counter",
      "Requests that a limit judged, by the zone that left the least.",
      ngx_http_govsvc_metrics_limits },

    { "govsvc_guard_hits_total", "counter",
      "Rules that hit, by class of attack.",
      ngx_http_govsvc_metrics_guards },

    { "govsvc_audit_records_total", "counter",
      "Audit records of requests that were taken, by class.",
      ngx_http_govsvc_metrics_records },

    { "govsvc_audit_lost_total", "counter",
      "Requests that are not in the audit record, by class.",
      ngx_http_govsvc_metrics_lost },

    { "govsvc_alerts_total", "counter",
      "Messages to receivers of alerts: sent, tried again, given up.",
      ngx_http_govsvc_metrics_alerts },

    { "govsvc_audit_durable_bytes_total", "counter",
      "Bytes of audit records that became safe on the disk.",
      ngx_http_govsvc_metrics_bytes },

    { "govsvc_audit_write_errors_total", "counter",
      "Attempts to make audit records safe that failed.",
      ngx_http_govsvc_metrics_errors },

    { "govsvc_audit_commit_duration_seconds", "histogram",
      "Time to write and sync a batch of audit records.",
      ngx_http_govsvc_metrics_commit },

    { NULL, NULL, NULL, NULL }
};


static void
ngx_http_govsvc_metrics_requests(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_classes(o, m,
        offsetof(ngx_http_govsvc_metrics_platform_t, requests));
}


static void
ngx_http_govsvc_metrics_tries(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_classes(o, m,
        offsetof(ngx_http_govsvc_metrics_platform_t, tries));
}


static void
ngx_http_govsvc_metrics_classes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t at)
{
    uint64_t            n;
    ngx_uint_t          i, k;
    gs_metric_label_t   labels[2];

    labels[0].name = "platform";
    labels[1].name = "class";

    for (i = 0; i < GS_METRIC_PLACES; i++) {
        labels[0].value = gs_metric_name(&o->sh->platforms, (unsigned) i);

        for (k = 0; k < NGX_HTTP_GOVSVC_METRICS_CLASSES; k++) {
            n = ngx_http_govsvc_metrics_sum(o->sh,
                    ngx_http_govsvc_metrics_at(platforms[i]) + at
                    + k * sizeof(uint64_t));

            if (n == 0) {
                continue;
            }

            labels[1].value =
                gs_str_text(ngx_http_govsvc_metrics_class_texts[k]);

            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                           labels, 2, n);
        }
    }
}


/* All outcomes of a platform that had one: rates need the zeros. */

static void
ngx_http_govsvc_metrics_outcomes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint64_t            n[NGX_HTTP_GOVSVC_METRICS_OUTCOMES], all;
    ngx_uint_t          i, k;
    gs_metric_label_t   labels[2];

    labels[0].name = "platform";
    labels[1].name = "outcome";

    for (i = 0; i < GS_METRIC_PLACES; i++) {
        labels[0].value = gs_metric_name(&o->sh->platforms, (unsigned) i);

        for (all = 0, k = 0; k < NGX_HTTP_GOVSVC_METRICS_OUTCOMES; k++) {
            n[k] = ngx_http_govsvc_metrics_sum(o->sh,
                      ngx_http_govsvc_metrics_at(platforms[i].outcomes[k]));
            all += n[k];
        }

        if (all == 0) {
            continue;
        }

        for (k = 0; k < NGX_HTTP_GOVSVC_METRICS_OUTCOMES; k++) {
            labels[1].value =
                gs_str_text(ngx_http_govsvc_metrics_outcome_texts[k]);

            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                           labels, 2, n[k]);
        }
    }
}


static void
ngx_http_govsvc_metrics_seconds(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_times(o, m,
        offsetof(ngx_http_govsvc_metrics_platform_t, seconds));
}


static void
ngx_http_govsvc_metrics_upstream_seconds(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_times(o, m,
        offsetof(ngx_http_govsvc_metrics_platform_t, upstream));
}


static void
ngx_http_govsvc_metrics_times(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t at)
{
    ngx_uint_t          i;
    gs_metric_label_t   label;

    label.name = "platform";

    for (i = 0; i < GS_METRIC_PLACES; i++) {
        label.value = gs_metric_name(&o->sh->platforms, (unsigned) i);

        ngx_http_govsvc_metrics_histogram(o, m, &label,
            ngx_http_govsvc_metrics_at(platforms[i]) + at);
    }
}


/* Nothing for a platform that has none. */

static void
ngx_http_govsvc_metrics_histogram(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, const gs_metric_label_t *label,
    size_t at)
{
    uint64_t               all;
    ngx_uint_t             i;
    gs_metric_histogram_t  h;

    for (all = 0, i = 0; i < GS_METRIC_BUCKETS; i++) {
        h.buckets[i] = ngx_http_govsvc_metrics_sum(o->sh, at
                           + offsetof(gs_metric_histogram_t, buckets)
                           + i * sizeof(uint64_t));
        all += h.buckets[i];
    }

    h.sum = ngx_http_govsvc_metrics_sum(o->sh, at
                + offsetof(gs_metric_histogram_t, sum));

    if (all != 0 || label == NULL) {
        gs_metric_histogram(ngx_http_govsvc_metrics_room(o), m->name, label,
                            &h);
    }
}


static void
ngx_http_govsvc_metrics_methods(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t          i;
    gs_metric_label_t   label;

    label.name = "method";

    for (i = 0; i < NGX_HTTP_GOVSVC_METRICS_METHODS; i++) {
        label.value = gs_str_text(ngx_http_govsvc_metrics_method_texts[i]);

        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
            1, ngx_http_govsvc_metrics_sum(o->sh,
                   ngx_http_govsvc_metrics_at(methods[i])));
    }
}


static void
ngx_http_govsvc_metrics_decisions(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t          i;
    gs_metric_label_t   labels[2];

    labels[0].name = "decision";
    labels[1].name = "reason";

    for (i = 0; i < NGX_HTTP_GOVSVC_METRICS_REASONS; i++) {
        labels[0].value = gs_str_text("deny");

        if (i < NGX_HTTP_GOVSVC_REASONS) {
            labels[1].value =
                ngx_govsvc_to_gs(&ngx_http_govsvc_reasons[i].code);

        } else if (i == NGX_HTTP_GOVSVC_METRICS_ALLOW) {
            labels[0].value = gs_str_text("allow");
            labels[1].value = gs_str_text("");

        } else {
            labels[1].value = gs_str_text("_other");
        }

        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", labels,
            2, ngx_http_govsvc_metrics_sum(o->sh,
                   ngx_http_govsvc_metrics_at(decisions[i])));
    }
}


static void
ngx_http_govsvc_metrics_tokens(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t          i;
    const char         *text;
    gs_metric_label_t   label;

    label.name = "result";

    for (i = 0; i < NGX_HTTP_GOVSVC_METRICS_TOKENS; i++) {
        text = (i == NGX_HTTP_GOVSVC_METRICS_ABSENT) ? "absent"
               : (i == NGX_HTTP_GOVSVC_METRICS_BAD) ? "malformed"
               : gs_token_reason_name((gs_token_reason_e) i);

        label.value = gs_str_text(text);

        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
            1, ngx_http_govsvc_metrics_sum(o->sh,
                   ngx_http_govsvc_metrics_at(tokens[i])));
    }
}


static void
ngx_http_govsvc_metrics_limits(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint64_t            n;
    ngx_uint_t          i, k;
    gs_metric_label_t   labels[2];

    labels[0].name = "zone";
    labels[1].name = "result";

    for (i = 0; i < GS_METRIC_PLACES; i++) {
        labels[0].value = gs_metric_name(&o->sh->zones, (unsigned) i);

        for (k = 1; k < NGX_HTTP_GOVSVC_METRICS_LIMITS; k++) {
            n = ngx_http_govsvc_metrics_sum(o->sh,
                    ngx_http_govsvc_metrics_at(limits[i][k]));

            if (n == 0) {
                continue;
            }

            labels[1].value =
                gs_str_text(ngx_http_govsvc_metrics_limit_texts[k]);

            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                           labels, 2, n);
        }
    }
}


static void
ngx_http_govsvc_metrics_guards(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint64_t            n;
    ngx_uint_t          i;
    gs_metric_label_t   label;

    label.name = "class";

    for (i = 0; i < GS_METRIC_PLACES; i++) {
        n = ngx_http_govsvc_metrics_sum(o->sh,
                ngx_http_govsvc_metrics_at(guards[i]));

        if (n != 0) {
            label.value = gs_metric_name(&o->sh->classes, (unsigned) i);
            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                           &label, 1, n);
        }
    }
}


static void
ngx_http_govsvc_metrics_records(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_audit(o, m, ngx_http_govsvc_metrics_at(records));
}


static void
ngx_http_govsvc_metrics_lost(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_audit(o, m, ngx_http_govsvc_metrics_at(lost));
}


static void
ngx_http_govsvc_metrics_alerts(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint64_t            n;
    ngx_uint_t          i;
    gs_metric_label_t   label;

    static const char *const  results[] = { "sent", "retried", "dead" };

    label.name = "result";

    for (i = 0; i < NGX_HTTP_GOVSVC_METRICS_ALERTS; i++) {
        n = ngx_http_govsvc_metrics_sum(o->sh,
                ngx_http_govsvc_metrics_at(alerts[i]));

        label.value = gs_str_text(results[i]);
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
                       1, n);
    }
}


static void
ngx_http_govsvc_metrics_audit(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t at)
{
    ngx_uint_t          i;
    gs_metric_label_t   label;

    label.name = "class";

    for (i = 0; i < GS_AUDIT_CLASSES; i++) {
        label.value = gs_str_text(ngx_http_govsvc_metrics_audit_texts[i]);

        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
            1, ngx_http_govsvc_metrics_sum(o->sh, at + i * sizeof(uint64_t)));
    }
}


static void
ngx_http_govsvc_metrics_bytes(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
        ngx_http_govsvc_metrics_sum(o->sh,
            ngx_http_govsvc_metrics_at(writer.bytes)));
}


static void
ngx_http_govsvc_metrics_errors(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
        ngx_http_govsvc_metrics_sum(o->sh,
            ngx_http_govsvc_metrics_at(writer.errors)));
}


static void
ngx_http_govsvc_metrics_commit(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_histogram(o, m, NULL,
        ngx_http_govsvc_metrics_at(writer.commit));
}
