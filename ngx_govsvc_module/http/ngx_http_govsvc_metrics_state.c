
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: families of how things stand at the moment of the scrape.  Every
 * one of them stands in docs/metrics.md, which lint compares.
 */


#include "http/ngx_http_govsvc_metrics.h"

#include "http/ngx_http_govsvc_ban.h"
#include "http/ngx_http_govsvc_instance.h"
#include "http/ngx_http_govsvc_jwks.h"
#include "http/ngx_http_govsvc_registry.h"
#include "http/ngx_http_govsvc_revoke.h"


#define NGX_HTTP_GOVSVC_METRICS_INSTANCES  1024    /* told one by one */
#define NGX_HTTP_GOVSVC_METRICS_ZONE       512     /* bytes of a name */


static void ngx_http_govsvc_metrics_build(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_start(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_reloads(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_workers(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_ring(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_audit_state(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_revision(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_changed(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_snapshot(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_shared(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t offset);
static void ngx_http_govsvc_metrics_alarm(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_left_out(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_judged(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_words(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, const char *label,
    const char *const *names);
static void ngx_http_govsvc_metrics_names(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_lookups(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_refused(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_upstreams(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_jwks_good(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_jwks_failures(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_jwks(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t at);
static void ngx_http_govsvc_metrics_jwks_present(
    ngx_http_govsvc_metrics_out_t *o, const ngx_http_govsvc_metric_t *m);
static ngx_http_govsvc_issuer_t **ngx_http_govsvc_metrics_issuers(
    ngx_http_govsvc_metrics_out_t *o, ngx_uint_t *n);
static void ngx_http_govsvc_metrics_bans(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_leads(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_shm_size(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_shm_used(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m);
static void ngx_http_govsvc_metrics_shm(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, ngx_uint_t used);


static const char *const  ngx_http_govsvc_metrics_instance_texts[] = {
    "checking", "up", "slow_start", "trial", "ejected",
    "unhealthy", "draining", "down", NULL
};


const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_state[] = {

    { "govsvc_build_info", "gauge",
      "Always 1; the labels tell versions and the node.",
      ngx_http_govsvc_metrics_build },

    { "govsvc_start_time_seconds", "gauge",
      "When counting began, seconds since 1970.",
      ngx_http_govsvc_metrics_start },

    { "govsvc_reloads_total", "counter",
      "Configurations taken since then.",
      ngx_http_govsvc_metrics_reloads },

    { "govsvc_workers", "gauge",
      "Worker processes that count.",
      ngx_http_govsvc_metrics_workers },

    { "govsvc_audit_ring_used_ratio", "gauge",
      "Share of a worker's audit ring that is not safe yet.",
      ngx_http_govsvc_metrics_ring },

    { "govsvc_audit_state", "gauge",
      "Worst state of the audit store: 0 good, 1 low, 2 critical, "
      "3 read only.",
      ngx_http_govsvc_metrics_audit_state },

    { "govsvc_registry_revision", "gauge",
      "Revision of the registry: stored on this node, and in use.",
      ngx_http_govsvc_metrics_revision },

    { "govsvc_registry_changed_timestamp_seconds", "gauge",
      "When the revision in use was first seen, seconds since 1970.",
      ngx_http_govsvc_metrics_changed },

    { "govsvc_registry_snapshot_generation", "gauge",
      "Generation of the snapshot file that was read last.",
      ngx_http_govsvc_metrics_snapshot },

    { "govsvc_registry_lost_revisions", "gauge",
      "Revisions that are missing from the snapshots, 0 if none.",
      ngx_http_govsvc_metrics_alarm },

    { "govsvc_registry_left_out", "gauge",
      "Objects of the API that do not fit the files and are not in use.",
      ngx_http_govsvc_metrics_left_out },

    { "govsvc_registry_refused", "gauge",
      "Objects in use that the rules of now would refuse.",
      ngx_http_govsvc_metrics_judged },

    { "govsvc_host_names", "gauge",
      "Instances with a name, by what is known of it.",
      ngx_http_govsvc_metrics_names },

    { "govsvc_host_lookups_total", "counter",
      "Questions to name servers, by their end.",
      ngx_http_govsvc_metrics_lookups },

    { "govsvc_host_refused_total", "counter",
      "Addresses of answers that may not be used.",
      ngx_http_govsvc_metrics_refused },

    { "govsvc_upstream_state", "gauge",
      "1 for the state that an instance is in, 0 for the others.",
      ngx_http_govsvc_metrics_upstreams },

    { "govsvc_jwks_last_success_timestamp_seconds", "gauge",
      "When the keys of an issuer were last fetched, 0 if never.",
      ngx_http_govsvc_metrics_jwks_good },

    { "govsvc_jwks_failures", "gauge",
      "Fetches of an issuer's keys that failed since the last good one.",
      ngx_http_govsvc_metrics_jwks_failures },

    { "govsvc_jwks_present", "gauge",
      "1 if the worker that was asked has keys of the issuer.",
      ngx_http_govsvc_metrics_jwks_present },

    { "govsvc_bans_total", "counter",
      "Bans set, lifted, and not set because the zone was full.",
      ngx_http_govsvc_metrics_bans },

    { "govsvc_leader", "gauge",
      "Number of the process that has a duty of one worker, 0 if none.",
      ngx_http_govsvc_metrics_leads },

    { "govsvc_shm_size_bytes", "gauge",
      "Size of a zone of shared memory.",
      ngx_http_govsvc_metrics_shm_size },

    { "govsvc_shm_used_bytes", "gauge",
      "Pages of the zone that are taken; tables take theirs at once.",
      ngx_http_govsvc_metrics_shm_used },

    { NULL, NULL, NULL, NULL }
};


static void
ngx_http_govsvc_metrics_build(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    gs_metric_label_t  labels[2];

    labels[0].name = "version";
    labels[0].value = gs_str_text(NGX_GOVSVC_VERSION);
    labels[1].name = "nginx";
    labels[1].value = gs_str_text(NGINX_VERSION);

    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", labels, 2, 1);
}


static void
ngx_http_govsvc_metrics_start(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
                   o->sh->start);
}


static void
ngx_http_govsvc_metrics_reloads(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
                   gs_metric_get(&o->sh->reloads));
}


static void
ngx_http_govsvc_metrics_workers(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint64_t    pid, n;
    ngx_uint_t  i;

    for (n = 0, i = 0; i < NGX_HTTP_GOVSVC_METRICS_ROWS; i++) {
        pid = gs_metric_get(&o->sh->rows[i].pid);
        n += (pid != 0 && ngx_govsvc_alive((uint32_t) pid));
    }

    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0, n);
}


static void
ngx_http_govsvc_metrics_ring(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    u_char                          text[NGX_INT_T_LEN];
    uint64_t                        used, size;
    ngx_uint_t                      i;
    gs_metric_label_t               label;
    ngx_http_govsvc_metrics_row_t  *row;

    label.name = "worker";

    for (i = 0; i < NGX_HTTP_GOVSVC_METRICS_ROWS; i++) {
        row = &o->sh->rows[i];
        used = gs_metric_get(&row->ring_used);
        size = gs_metric_get(&row->ring_size);

        if (gs_metric_get(&row->pid) == 0 || size == 0) {
            continue;
        }

        label.value = gs_str_make(text, ngx_sprintf(text, "%ui", i) - text);

        /* a ratio has six places too */

        gs_metric_line_us(ngx_http_govsvc_metrics_room(o), m->name, "",
                          &label, 1, ngx_min(used, size) * 1000000 / size);
    }
}


static void
ngx_http_govsvc_metrics_audit_state(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint64_t    worst, state;
    ngx_uint_t  i;

    for (worst = 0, i = 0; i < NGX_HTTP_GOVSVC_METRICS_ROWS; i++) {
        state = gs_metric_get(&o->sh->rows[i].audit_state);

        if (gs_metric_get(&o->sh->rows[i].pid) != 0 && state > worst) {
            worst = state;
        }
    }

    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
                   worst);
}


static void
ngx_http_govsvc_metrics_revision(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    gs_metric_label_t            label;
    ngx_http_govsvc_registry_t  *reg;

    reg = ngx_http_govsvc_registry(o->conf->cycle);

    if (reg == NULL || reg->sh == NULL) {
        return;
    }

    label.name = "what";
    label.value = gs_str_text("stored");
    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label, 1,
                   gs_metric_get(&reg->sh->committed));

    label.value = gs_str_text("used");
    gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label, 1,
                   gs_metric_get(&reg->sh->applied));
}


static void
ngx_http_govsvc_metrics_changed(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    if (ngx_http_govsvc_registry(o->conf->cycle) != NULL) {
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
                       gs_metric_get(&o->sh->changed));
    }
}


static void
ngx_http_govsvc_metrics_snapshot(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_registry_t  *reg;

    reg = ngx_http_govsvc_registry(o->conf->cycle);

    if (reg != NULL && reg->sh != NULL) {
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
                       reg->sh->generation);
    }
}


/* A word of the registry's, by its place. */

static void
ngx_http_govsvc_metrics_shared(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t offset)
{
    ngx_http_govsvc_registry_t  *reg;

    reg = ngx_http_govsvc_registry(o->conf->cycle);

    if (reg != NULL && reg->sh != NULL) {
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", NULL, 0,
                       gs_metric_get((uint64_t *) ((u_char *) reg->sh
                                                   + offset)));
    }
}


static void
ngx_http_govsvc_metrics_alarm(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_shared(o, m,
        offsetof(ngx_http_govsvc_registry_sh_t, alarm));
}


static void
ngx_http_govsvc_metrics_left_out(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_shared(o, m,
        offsetof(ngx_http_govsvc_registry_sh_t, left_out));
}


static void
ngx_http_govsvc_metrics_judged(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_shared(o, m,
        offsetof(ngx_http_govsvc_registry_sh_t, refused));
}


static void
ngx_http_govsvc_metrics_words(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, const char *label,
    const char *const *names)
{
    uint64_t                    *word;
    gs_metric_label_t            l;
    ngx_http_govsvc_registry_t  *reg;

    reg = ngx_http_govsvc_registry(o->conf->cycle);

    if (reg == NULL || reg->sh == NULL || reg->hosts.len == 0) {
        return;
    }

    for (/* void */; *names != NULL; names++) {
        word = ngx_http_govsvc_registry_word(reg, "hosts", *names);

        if (word == NULL) {
            continue;
        }

        l.name = label;
        l.value = gs_str_text(*names);
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &l,
                       label != NULL, gs_metric_get(word));
    }
}


static void
ngx_http_govsvc_metrics_names(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    static const char *const  names[] = {
        "fresh", "stale", "unresolved", NULL
    };

    ngx_http_govsvc_metrics_words(o, m, "state", names);
}


static void
ngx_http_govsvc_metrics_lookups(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    static const char *const  names[] = { "good", "failed", NULL };

    ngx_http_govsvc_metrics_words(o, m, "result", names);
}


static void
ngx_http_govsvc_metrics_refused(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    static const char *const  names[] = { "refused", NULL };

    ngx_http_govsvc_metrics_words(o, m, NULL, names);
}


static void
ngx_http_govsvc_metrics_upstreams(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    uint32_t                    i, n;
    ngx_uint_t                  k;
    gs_metric_label_t           labels[3];
    gs_health_report_t          report;
    const gs_route_instance_t  *instance;
    ngx_http_govsvc_section_t   s;

    if (ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return;
    }

    labels[0].name = "pool";
    labels[1].name = "instance";
    labels[2].name = "state";

    n = gs_route_instances(s.table);

    for (i = 0; i < n; i++) {

        if (i >= NGX_HTTP_GOVSVC_METRICS_INSTANCES) {
            o->dropped += 8;
            continue;
        }

        instance = gs_route_instance(s.table, i);
        ngx_http_govsvc_instance_report(&s, instance, &report);

        labels[0].value = gs_route_str(s.table,
                              gs_route_pool(s.table, instance->pool)->id);
        labels[1].value = gs_route_str(s.table, instance->id);

        for (k = 0; ngx_http_govsvc_metrics_instance_texts[k] != NULL; k++) {
            labels[2].value =
                gs_str_text(ngx_http_govsvc_metrics_instance_texts[k]);

            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                labels, 3, ngx_strcmp(report.state,
                               ngx_http_govsvc_metrics_instance_texts[k])
                           == 0);
        }
    }

    ngx_http_govsvc_section_leave(&s);
}


static void
ngx_http_govsvc_metrics_jwks_good(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_jwks(o, m,
                            offsetof(ngx_http_govsvc_jwks_shared_t, good));
}


static void
ngx_http_govsvc_metrics_jwks_failures(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_jwks(o, m,
                            offsetof(ngx_http_govsvc_jwks_shared_t, failures));
}


/* The word at that offset, of all issuers whose keys are fetched. */

static void
ngx_http_govsvc_metrics_jwks(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, size_t at)
{
    uint64_t                    *word;
    ngx_uint_t                   i, n;
    gs_metric_label_t            label;
    ngx_http_govsvc_issuer_t   **is;

    is = ngx_http_govsvc_metrics_issuers(o, &n);
    label.name = "issuer";

    for (i = 0; i < n; i++) {

        if (is[i]->jwks == NULL || is[i]->jwks->shared == NULL) {
            continue;
        }

        word = (uint64_t *) ((u_char *) is[i]->jwks->shared + at);
        label.value = ngx_govsvc_to_gs(&is[i]->name);

        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
                       1, gs_metric_get(word));
    }
}


static void
ngx_http_govsvc_metrics_jwks_present(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t                   i, n;
    gs_metric_label_t            label;
    ngx_http_govsvc_issuer_t   **is;

    is = ngx_http_govsvc_metrics_issuers(o, &n);
    label.name = "issuer";

    for (i = 0; i < n; i++) {
        label.value = ngx_govsvc_to_gs(&is[i]->name);
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
                       1, ngx_http_govsvc_keys_generation(is[i]) != 0);
    }
}


static ngx_http_govsvc_issuer_t **
ngx_http_govsvc_metrics_issuers(ngx_http_govsvc_metrics_out_t *o,
    ngx_uint_t *n)
{
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(o->conf->cycle,
                                               ngx_http_govsvc_token_module);
    *n = tmcf->issuers.nelts;

    return tmcf->issuers.elts;
}


static void
ngx_http_govsvc_metrics_bans(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_uint_t                         i;
    gs_ban_stat_t                      stat;
    gs_metric_label_t                  labels[2];
    ngx_http_govsvc_ban_zone_t       **zone;
    ngx_http_govsvc_ban_main_conf_t   *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(o->conf->cycle,
                                               ngx_http_govsvc_ban_module);
    zone = bmcf->zones.elts;

    labels[0].name = "zone";
    labels[1].name = "event";

    for (i = 0; i < bmcf->zones.nelts; i++) {
        gs_ban_stat(&zone[i]->table, &stat);

        labels[0].value = ngx_govsvc_to_gs(&zone[i]->base.name);

        labels[1].value = gs_str_text("added");
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", labels,
                       2, stat.added);

        labels[1].value = gs_str_text("lifted");
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", labels,
                       2, stat.lifted);

        labels[1].value = gs_str_text("full");
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", labels,
                       2, stat.full);
    }
}


static void
ngx_http_govsvc_metrics_leads(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_pid_t           pid;
    ngx_str_t           name;
    ngx_uint_t          i;
    gs_metric_label_t   label;

    label.name = "duty";

    for (i = 0;
         ngx_govsvc_lead_row(o->conf->cycle, i, &name, &pid) == NGX_OK;
         i++)
    {
        label.value = ngx_govsvc_to_gs(&name);
        gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "", &label,
                       1, (uint64_t) pid);
    }
}


static void
ngx_http_govsvc_metrics_shm_size(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_shm(o, m, 0);
}


static void
ngx_http_govsvc_metrics_shm_used(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m)
{
    ngx_http_govsvc_metrics_shm(o, m, 1);
}


static void
ngx_http_govsvc_metrics_shm(ngx_http_govsvc_metrics_out_t *o,
    const ngx_http_govsvc_metric_t *m, ngx_uint_t used)
{
    uint64_t            n;
    ngx_uint_t          i;
    ngx_list_part_t    *part;
    ngx_shm_zone_t     *zone;
    ngx_slab_pool_t    *shpool;
    gs_metric_label_t   label;

    label.name = "zone";

    part = (ngx_list_part_t *) &o->conf->cycle->shared_memory.part;

    for ( /* void */ ; part != NULL; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (zone[i].shm.addr == NULL) {
                continue;
            }

            /* Nginx itself takes any name */

            if (zone[i].shm.name.len > NGX_HTTP_GOVSVC_METRICS_ZONE) {
                o->dropped++;
                continue;
            }

            n = zone[i].shm.size;

            if (used) {
                shpool = (ngx_slab_pool_t *) zone[i].shm.addr;
                n -= ngx_min(n, (uint64_t) shpool->pfree * ngx_pagesize);
            }

            label.value = ngx_govsvc_to_gs(&zone[i].shm.name);
            gs_metric_line(ngx_http_govsvc_metrics_room(o), m->name, "",
                           &label, 1, n);
        }
    }
}
