
/*
 * Copyright (C) govsvc authors
 *
 * Availability: the duty of one worker.  Every few seconds it looks at all
 * platforms, at the end of a minute it writes the file; where it dies another
 * goes on with what stands in shared memory.
 */


#include "http/ngx_http_govsvc_avail.h"

#include "core/gs_time.h"
#include "http/ngx_http_govsvc_instance.h"


#define NGX_HTTP_GOVSVC_AVAIL_SOME   1     /* it has instances */
#define NGX_HTTP_GOVSVC_AVAIL_USABLE 2
#define NGX_HTTP_GOVSVC_AVAIL_PROVED 4     /* by a check */


static ngx_int_t ngx_http_govsvc_avail_take(
    ngx_http_govsvc_avail_main_conf_t *acf, ngx_str_t *text,
    ngx_cycle_t *cycle);
static void ngx_http_govsvc_avail_begin(
    ngx_http_govsvc_avail_main_conf_t *acf);
static void ngx_http_govsvc_avail_tick(ngx_event_t *ev);
static void ngx_http_govsvc_avail_work(
    ngx_http_govsvc_avail_main_conf_t *acf);
static void ngx_http_govsvc_avail_look(
    ngx_http_govsvc_avail_main_conf_t *acf);
static void ngx_http_govsvc_avail_instances(
    ngx_http_govsvc_avail_main_conf_t *acf, ngx_http_govsvc_section_t *s);
static void ngx_http_govsvc_avail_platform(
    ngx_http_govsvc_avail_main_conf_t *acf, ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_metrics_sh_t *sh, uint32_t i);
static ngx_int_t ngx_http_govsvc_avail_text(
    ngx_http_govsvc_avail_main_conf_t *acf, ngx_str_t *text);
static void ngx_http_govsvc_avail_tell(void *ctx,
    const gs_avail_news_t *news);


const gs_avail_t *
ngx_http_govsvc_avail_read(ngx_cycle_t *cycle)
{
    size_t                              len;
    gs_str_t                            text;
    uint64_t                            generation;
    ngx_http_govsvc_avail_main_conf_t  *acf;

    acf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_govsvc_avail_module);

    if (acf == NULL || acf->blob == NULL) {
        return NULL;
    }

    if (gs_blob_generation(acf->blob) != acf->seen
        && gs_blob_read(acf->blob, acf->room, &len, &generation) == GS_OK)
    {
        text = gs_str_make(acf->room, len);
        acf->seen = (gs_avail_load(acf->copy, &text, NULL) == GS_OK)
                    ? generation : 0;
    }

    return (acf->seen != 0) ? acf->copy : NULL;
}


ngx_int_t
ngx_http_govsvc_avail_restore(ngx_http_govsvc_avail_main_conf_t *acf,
    ngx_cycle_t *cycle)
{
    time_t       changed;
    ngx_int_t    rc;
    ngx_str_t    text;
    ngx_pool_t  *pool;

    if (gs_blob_generation(acf->blob) != 0) {
        return NGX_OK;
    }

    pool = ngx_create_pool(4096, cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_govsvc_save_read(acf->save, pool, &text, &changed, cycle->log);

    if (rc == NGX_OK) {
        rc = ngx_http_govsvc_avail_take(acf, &text, cycle);
    }

    ngx_destroy_pool(pool);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/*
 * Figures of the past are no reason to keep requests from being served: a
 * damaged file is put aside, for whoever can mend it, and counting begins
 * anew.
 */

static ngx_int_t
ngx_http_govsvc_avail_take(ngx_http_govsvc_avail_main_conf_t *acf,
    ngx_str_t *text, ngx_cycle_t *cycle)
{
    u_char    aside[NGX_MAX_PATH];
    gs_err_t  err;
    gs_str_t  s;

    s = ngx_govsvc_to_gs(text);
    ngx_memzero(&err, sizeof(gs_err_t));

    if (gs_avail_load(acf->copy, &s, &err) == GS_OK) {
        return (gs_blob_publish(acf->blob, &s) == GS_ERROR) ? NGX_ERROR
                                                            : NGX_OK;
    }

    (void) ngx_snprintf(aside, NGX_MAX_PATH, "%V.damaged%Z", &acf->file);

    ngx_log_error(NGX_LOG_CRIT, cycle->log, 0,
                  "govsvc availability: %s in %V:%ui, moved to \"%s\"; "
                  "minutes are counted from now on",
                  err.text, &acf->file, (ngx_uint_t) err.line, aside);

    if (ngx_rename_file(acf->file.data, aside) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, ngx_errno,
                      ngx_rename_file_n " \"%V\" to \"%s\" failed",
                      &acf->file, aside);
    }

    return NGX_OK;
}


void
ngx_http_govsvc_avail_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_avail_main_conf_t *acf = data;

    if (!leads) {
        if (acf->tick.timer_set) {
            ngx_del_timer(&acf->tick);
        }

        return;
    }

    ngx_http_govsvc_avail_begin(acf);

    acf->tick.handler = ngx_http_govsvc_avail_tick;
    acf->tick.data = &acf->dummy;
    acf->tick.log = acf->cycle->log;
    acf->tick.cancelable = 1;

    acf->dummy.data = acf;
    acf->dummy.fd = (ngx_socket_t) -1;

    ngx_http_govsvc_avail_work(acf);
    ngx_add_timer(&acf->tick, NGX_HTTP_GOVSVC_AVAIL_TICK);
}


/*
 * What the worker before left; a text that it died in is not whole, the one
 * before that is what it had looked at some seconds earlier.
 */

static void
ngx_http_govsvc_avail_begin(ngx_http_govsvc_avail_main_conf_t *acf)
{
    size_t       len;
    gs_rc_t      rc;
    time_t       changed;
    gs_str_t     text;
    uint64_t     generation;
    ngx_str_t    saved;
    ngx_pool_t  *pool;

    acf->looked = 0;
    rc = gs_blob_read(acf->blob, acf->room, &len, &generation);

    if (rc == GS_OK) {
        text = gs_str_make(acf->room, len);
        rc = gs_avail_load(acf->own, &text, NULL);
    }

    if (rc == GS_OK || rc == GS_DECLINED) {
        return;
    }

    pool = ngx_create_pool(4096, acf->cycle->log);
    if (pool == NULL) {
        return;
    }

    if (ngx_govsvc_save_read(acf->save, pool, &saved, &changed,
                             acf->cycle->log)
        == NGX_OK)
    {
        text = ngx_govsvc_to_gs(&saved);
        (void) gs_avail_load(acf->own, &text, NULL);
    }

    ngx_destroy_pool(pool);
}


static void
ngx_http_govsvc_avail_tick(ngx_event_t *ev)
{
    ngx_connection_t                   *dummy;
    ngx_http_govsvc_avail_main_conf_t  *acf;

    dummy = ev->data;
    acf = dummy->data;

    if (ngx_govsvc_lead_mine(acf->lead)) {
        ngx_http_govsvc_avail_work(acf);
    }

    if (!ngx_exiting) {
        ngx_add_timer(ev, NGX_HTTP_GOVSVC_AVAIL_TICK);
    }
}


/*
 * The file is written at the end of a minute and before the looks of the
 * next: a start that reads it begins with a minute that nobody has seen.
 */

static void
ngx_http_govsvc_avail_work(ngx_http_govsvc_avail_main_conf_t *acf)
{
    gs_str_t   s;
    uint64_t   now;
    ngx_str_t  text;

    now = ngx_govsvc_wall_us();

    if (gs_avail_turn(acf->own, now, ngx_http_govsvc_avail_tell, acf) != 0
        && ngx_http_govsvc_avail_text(acf, &text) == NGX_OK)
    {
        ngx_govsvc_save(acf->save, &text, acf->cycle->log);
        acf->looked = 0;
    }

    if (now >= acf->looked
        && now - acf->looked < NGX_HTTP_GOVSVC_AVAIL_LOOK)
    {
        return;
    }

    acf->looked = now;

    ngx_http_govsvc_avail_look(acf);

    if (ngx_http_govsvc_avail_text(acf, &text) == NGX_OK) {
        s = ngx_govsvc_to_gs(&text);
        (void) gs_blob_publish(acf->blob, &s);
    }
}


static void
ngx_http_govsvc_avail_look(ngx_http_govsvc_avail_main_conf_t *acf)
{
    uint32_t                              i, n;
    ngx_http_govsvc_section_t             s;
    ngx_http_govsvc_metrics_main_conf_t  *mmcf;

    mmcf = ngx_http_govsvc_metrics_conf(acf->cycle);

    if (mmcf == NULL || ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return;
    }

    ngx_http_govsvc_avail_instances(acf, &s);

    n = gs_route_platforms(s.table);

    for (i = 0; i < n && i < NGX_HTTP_GOVSVC_AVAIL_SEEN; i++) {
        ngx_http_govsvc_avail_platform(acf, &s, mmcf->sh, i);
    }

    ngx_http_govsvc_section_leave(&s);
}


static void
ngx_http_govsvc_avail_instances(ngx_http_govsvc_avail_main_conf_t *acf,
    ngx_http_govsvc_section_t *s)
{
    uint32_t                    i, n, platform;
    gs_health_report_t          report;
    const gs_route_instance_t  *instance;

    ngx_memzero(acf->health, sizeof(acf->health));

    n = gs_route_instances(s->table);

    for (i = 0; i < n; i++) {
        instance = gs_route_instance(s->table, i);
        platform = gs_route_pool(s->table, instance->pool)->platform;

        if (platform >= NGX_HTTP_GOVSVC_AVAIL_SEEN
            || (acf->health[platform] & NGX_HTTP_GOVSVC_AVAIL_PROVED))
        {
            continue;
        }

        acf->health[platform] |= NGX_HTTP_GOVSVC_AVAIL_SOME;

        ngx_http_govsvc_instance_report(s, instance, &report);

        if (report.is > GS_HEALTH_IS_TRIAL) {
            continue;
        }

        acf->health[platform] |= NGX_HTTP_GOVSVC_AVAIL_USABLE;

        if (instance->check != GS_ROUTE_NONE
            && (report.is == GS_HEALTH_IS_UP
                || report.is == GS_HEALTH_IS_SLOW))
        {
            acf->health[platform] |= NGX_HTTP_GOVSVC_AVAIL_PROVED;
        }
    }
}


static void
ngx_http_govsvc_avail_platform(ngx_http_govsvc_avail_main_conf_t *acf,
    ngx_http_govsvc_section_t *s, ngx_http_govsvc_metrics_sh_t *sh,
    uint32_t i)
{
    ngx_uint_t                  k, place;
    gs_avail_look_t             look;
    const gs_route_platform_t  *platform;

    ngx_memzero(&look, sizeof(gs_avail_look_t));

    platform = gs_route_platform(s->table, i);
    look.platform = gs_route_str(s->table, platform->id);
    look.announced = (platform->state != GS_ROUTE_NORMAL);

    if (acf->health[i] & NGX_HTTP_GOVSVC_AVAIL_PROVED) {
        look.health = GS_AVAIL_PROVED;

    } else if (acf->health[i] == NGX_HTTP_GOVSVC_AVAIL_SOME) {
        look.health = GS_AVAIL_NONE;
    }

    place = gs_metric_place(&sh->platforms, &look.platform);

    /* what shares a place says nothing about one of those who share it */

    for (k = 0; place != GS_METRIC_OTHER && k < GS_AVAIL_REQUESTS; k++) {
        look.requests[k] = ngx_http_govsvc_metrics_sum(sh,
                               offsetof(ngx_http_govsvc_metrics_row_t,
                                        platforms)
                               + place
                                 * sizeof(ngx_http_govsvc_metrics_platform_t)
                               + offsetof(ngx_http_govsvc_metrics_platform_t,
                                          outcomes)
                               + k * sizeof(uint64_t));
    }

    if (gs_avail_look(acf->own, sh->start, &look) == GS_BUSY && !acf->full) {
        acf->full = 1;
        ngx_log_error(NGX_LOG_CRIT, acf->cycle->log, 0,
                      "govsvc availability: more than %d platforms, the "
                      "minutes of some are not counted",
                      GS_AVAIL_PLATFORMS);
    }
}


static ngx_int_t
ngx_http_govsvc_avail_text(ngx_http_govsvc_avail_main_conf_t *acf,
    ngx_str_t *text)
{
    gs_buf_t  b;

    gs_buf_init(&b, acf->room, GS_AVAIL_TEXT);

    if (gs_avail_save(acf->own, &b) != GS_OK) {
        ngx_log_error(NGX_LOG_ALERT, acf->cycle->log, 0,
                      "govsvc availability: the figures are too long");
        return NGX_ERROR;
    }

    text->data = acf->room;
    text->len = gs_buf_len(&b);

    return NGX_OK;
}


static void
ngx_http_govsvc_avail_tell(void *ctx, const gs_avail_news_t *news)
{
    ngx_http_govsvc_avail_main_conf_t *acf = ctx;

    u_char      since[64];
    gs_buf_t    b;
    gs_str_t    s;
    ngx_str_t   id;

    gs_buf_init(&b, since, sizeof(since));
    gs_time_iso(&b, news->since);
    s = gs_buf_view(&b);
    s.len = sizeof("2026-11-22T13:08") - 1;
    id = ngx_govsvc_from_gs(&news->platform);

    switch (news->event) {

    case GS_AVAIL_BEGINS:
        ngx_log_error(NGX_LOG_ERR, acf->cycle->log, 0,
                      "govsvc availability: platform \"%V\" is unavailable "
                      "since %*s", &id, s.len, s.data);
        break;

    case GS_AVAIL_CLOCK:
        ngx_log_error(NGX_LOG_CRIT, acf->cycle->log, 0,
                      "govsvc availability: platform \"%V\" is unavailable "
                      "since %*s, for %ui minutes: the reporting clock of "
                      "%ui h has run out", &id, s.len, s.data,
                      (ngx_uint_t) news->minutes, (ngx_uint_t) news->hours);
        break;

    default:
        ngx_log_error(NGX_LOG_WARN, acf->cycle->log, 0,
                      "govsvc availability: platform \"%V\", unavailable "
                      "since %*s for %ui minutes, is available again",
                      &id, s.len, s.data, (ngx_uint_t) news->minutes);
    }
}
