
/*
 * Copyright (C) govsvc authors
 *
 * Limits on requests in progress: two stages, as those of rates.  A request
 * counts from here to its end.
 */


#include "http/ngx_http_govsvc_conn.h"

#include <signal.h>


typedef struct {
    uint64_t         counted;              /* zones, by index */
    gs_limit_conn_t  conn;                 /* of the zone of its bit */
} ngx_http_govsvc_conn_count_t;


static ngx_int_t ngx_http_govsvc_conn_stage(ngx_http_request_t *r,
    ngx_uint_t subject);
static ngx_int_t ngx_http_govsvc_conn_count(ngx_http_request_t *r,
    ngx_http_govsvc_conn_limit_t *limit);
static gs_rc_t ngx_http_govsvc_conn_begin(ngx_http_govsvc_conn_limit_t *limit,
    gs_str_t *key, gs_limit_conn_t *conn);
static ngx_uint_t ngx_http_govsvc_conn_counted(ngx_http_request_t *r,
    ngx_uint_t index);
static void ngx_http_govsvc_conn_cleanup(void *data);
static void ngx_http_govsvc_conn_bury(ngx_http_govsvc_conn_zone_t *zone);


ngx_int_t
ngx_http_govsvc_conn_client_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_conn_stage(r, 0);
}


ngx_int_t
ngx_http_govsvc_conn_subject_handler(ngx_http_request_t *r)
{
    return ngx_http_govsvc_conn_stage(r, 1);
}


static ngx_int_t
ngx_http_govsvc_conn_stage(ngx_http_request_t *r, ngx_uint_t subject)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_http_govsvc_conn_conf_t   *ccf;
    ngx_http_govsvc_conn_limit_t  *limit;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    ccf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_conn_module);

    if (ccf->limits == NULL) {
        return NGX_DECLINED;
    }

    limit = ccf->limits->elts;

    for (i = 0; i < ccf->limits->nelts; i++) {

        if (limit[i].zone->key.subject != subject
            || ngx_http_govsvc_conn_counted(r, limit[i].zone->base.index))
        {
            continue;
        }

        rc = ngx_http_govsvc_conn_count(r, &limit[i]);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_govsvc_conn_count(ngx_http_request_t *r,
    ngx_http_govsvc_conn_limit_t *limit)
{
    u_char                         buf[GS_LIMIT_KEY_SIZE];
    gs_rc_t                        rc;
    gs_str_t                       key;
    ngx_pool_cleanup_t            *cln;
    ngx_http_govsvc_ctx_t         *ctx;
    ngx_http_govsvc_conn_count_t  *count;

    if (ngx_http_govsvc_limit_eval_key(r, &limit->zone->key, buf, &key)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (key.len == 0) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_govsvc_conn_count_t));

    if (ctx == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    count = cln->data;
    count->counted = (uint64_t) 1 << limit->zone->base.index;

    rc = ngx_http_govsvc_conn_begin(limit, &key, &count->conn);

    cln->handler = ngx_http_govsvc_conn_cleanup;

    if (rc == GS_OK) {
        return NGX_DECLINED;
    }

    if (limit->dry_run) {
        ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED_DRY_RUN;
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "govsvc conn: would be refused, dry run, zone: \"%V\"",
                      &limit->zone->base.name);
        return NGX_DECLINED;
    }

    ctx->limit_status = NGX_HTTP_GOVSVC_LIMIT_REJECTED;
    ctx->retry_after = 1;

    if (rc == GS_BUSY) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "govsvc conn: refused, no room in zone: \"%V\"",
                      &limit->zone->base.name);
        return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_LIMIT_UNAVAILABLE);
    }

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "govsvc conn: refused, %ui in progress, zone: \"%V\"",
                  limit->max, &limit->zone->base.name);

    return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_CONN_LIMITED);
}


/* Those that count may be dead: looked at once before a refusal. */

static gs_rc_t
ngx_http_govsvc_conn_begin(ngx_http_govsvc_conn_limit_t *limit, gs_str_t *key,
    gs_limit_conn_t *conn)
{
    gs_rc_t   rc;
    uint64_t  now;

    static time_t  looked;

    rc = gs_limit_conn_begin(limit->zone->table, (unsigned) ngx_process_slot,
                             key, limit->max, conn, &now);

    if (rc == GS_OK || looked == ngx_time()) {
        return rc;
    }

    looked = ngx_time();
    ngx_http_govsvc_conn_bury(limit->zone);

    return gs_limit_conn_begin(limit->zone->table,
                               (unsigned) ngx_process_slot, key, limit->max,
                               conn, &now);
}


static void
ngx_http_govsvc_conn_bury(ngx_http_govsvc_conn_zone_t *zone)
{
    uint32_t  pid;
    unsigned  i;

    for (i = 0; i < GS_LIMIT_CONN_PROCESSES; i++) {

        pid = gs_limit_conn_pid(zone->table, i);

        if (pid != 0 && kill((pid_t) pid, 0) == -1 && ngx_errno == NGX_ESRCH)
        {
            gs_limit_conn_bury(zone->table, i, pid);
        }
    }
}


/* Internal redirects run the stages again; the pool remembers. */

static ngx_uint_t
ngx_http_govsvc_conn_counted(ngx_http_request_t *r, ngx_uint_t index)
{
    ngx_pool_cleanup_t            *cln;
    ngx_http_govsvc_conn_count_t  *count;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_govsvc_conn_cleanup) {
            continue;
        }

        count = cln->data;

        if (count->counted & (uint64_t) 1 << index) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_govsvc_conn_cleanup(void *data)
{
    ngx_http_govsvc_conn_count_t *count = data;

    gs_limit_conn_end(&count->conn);
}
