
/*
 * Copyright (C) govsvc authors
 *
 * Client: where an address is and whose, looked up when asked.  A database
 * that was replaced is opened again without a reload.
 */


#include "http/ngx_http_govsvc_client.h"
#include "ngx/ngx_govsvc_files.h"


#define NGX_HTTP_GOVSVC_GEO_EVERY  2000    /* ms between two looks at files */


static ngx_http_govsvc_ctx_t *ngx_http_govsvc_geo_ask(ngx_http_request_t *r);
static void ngx_http_govsvc_geo_damaged(ngx_http_request_t *r,
    ngx_http_govsvc_geo_file_t *file);
static void ngx_http_govsvc_geo_cleanup(void *data);
static void ngx_http_govsvc_geo_look(ngx_event_t *ev);
static void ngx_http_govsvc_geo_fresh(ngx_http_govsvc_geo_file_t *file,
    ngx_log_t *log);


char *
ngx_http_govsvc_geo_open(ngx_conf_t *cf, ngx_http_govsvc_geo_file_t *file,
    const ngx_str_t *name, gs_geo_kind_e kind)
{
    gs_err_t             err;
    ngx_pool_cleanup_t  *cln;

    file->path = *name;
    file->kind = kind;

    if (ngx_conf_full_name(cf->cycle, &file->path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&err, sizeof(gs_err_t));

    /* before it is opened: what replaces it meanwhile is seen as new */

    if (ngx_file_info(file->path.data, &file->info) == NGX_FILE_ERROR) {
        ngx_memzero(&file->info, sizeof(ngx_file_info_t));
    }

    if (gs_geo_open(&file->db, &gs_mem_libc, (char *) file->path.data, kind,
                    &err)
        != GS_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\"", err.text,
                           &file->path);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_govsvc_geo_cleanup;
    cln->data = file;

    if (ngx_govsvc_files_add(cf, &file->path, 0) == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void
ngx_http_govsvc_geo_cleanup(void *data)
{
    ngx_http_govsvc_geo_file_t *file = data;

    gs_geo_close(file->db, &gs_mem_libc);
    file->db = NULL;
}


ngx_int_t
ngx_http_govsvc_geo_init_process(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_client_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_client_module);

    if (cmcf == NULL || cmcf->geo.db == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    cmcf->look.handler = ngx_http_govsvc_geo_look;
    cmcf->look.data = cmcf;
    cmcf->look.log = cycle->log;
    cmcf->look.cancelable = 1;

    ngx_add_timer(&cmcf->look, NGX_HTTP_GOVSVC_GEO_EVERY);

    return NGX_OK;
}


static void
ngx_http_govsvc_geo_look(ngx_event_t *ev)
{
    ngx_http_govsvc_client_main_conf_t *cmcf = ev->data;

    ngx_http_govsvc_geo_fresh(&cmcf->geo, ev->log);

    if (cmcf->numbers.db != NULL) {
        ngx_http_govsvc_geo_fresh(&cmcf->numbers, ev->log);
    }

    ngx_add_timer(ev, NGX_HTTP_GOVSVC_GEO_EVERY);
}


/*
 * Only a new file is one: what is written into a mapped file is seen by those
 * who mapped it.  No request keeps anything of a database between two events,
 * so the old one may go at once.
 */

static void
ngx_http_govsvc_geo_fresh(ngx_http_govsvc_geo_file_t *file, ngx_log_t *log)
{
    gs_err_t          err;
    gs_geo_t         *db;
    ngx_file_info_t   info;

    if (ngx_file_info(file->path.data, &info) == NGX_FILE_ERROR
        || (info.st_ino == file->info.st_ino
            && info.st_dev == file->info.st_dev
            && info.st_size == file->info.st_size
            && info.st_mtime == file->info.st_mtime))
    {
        return;
    }

    file->info = info;
    ngx_memzero(&err, sizeof(gs_err_t));

    if (gs_geo_open(&db, &gs_mem_libc, (char *) file->path.data, file->kind,
                    &err)
        != GS_OK)
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "govsvc client: %s in \"%V\", the database before it "
                      "stays", err.text, &file->path);
        return;
    }

    gs_geo_close(file->db, &gs_mem_libc);
    file->db = db;

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "govsvc client: \"%V\" was replaced, and opened again",
                  &file->path);
}


ngx_uint_t
ngx_http_govsvc_geo_region(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_geo_ask(r);

    return (ctx != NULL) ? ctx->geo_region : 0;
}


ngx_str_t
ngx_http_govsvc_geo_country(ngx_http_request_t *r)
{
    ngx_str_t               country;
    ngx_http_govsvc_ctx_t  *ctx;

    ngx_str_null(&country);
    ctx = ngx_http_govsvc_geo_ask(r);

    if (ctx != NULL && ctx->geo_country[0] != '\0') {
        country.len = sizeof(ctx->geo_country);
        country.data = ctx->geo_country;
    }

    return country;
}


/* The context of r with its place, looked up once; or NULL. */

static ngx_http_govsvc_ctx_t *
ngx_http_govsvc_geo_ask(ngx_http_request_t *r)
{
    gs_geo_place_t                       place;
    ngx_http_govsvc_ctx_t               *ctx;
    ngx_http_govsvc_client_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_client_module);

    if (cmcf->geo.db == NULL) {
        return NULL;
    }

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ctx == NULL || ctx->geo_placed) {
        return ctx;
    }

    ctx->geo_placed = 1;

    if (gs_geo_lookup(cmcf->geo.db, r->connection->sockaddr, &place)
        == GS_ERROR)
    {
        ngx_http_govsvc_geo_damaged(r, &cmcf->geo);
    }

    ctx->geo_region = place.region;

    /* codes of ISO 3166-1; what else stands there names no country */

    if (place.country.len == sizeof(ctx->geo_country)) {
        ngx_memcpy(ctx->geo_country, place.country.data,
                   sizeof(ctx->geo_country));
    }

    return ctx;
}


ngx_uint_t
ngx_http_govsvc_geo_asn(ngx_http_request_t *r)
{
    uint32_t                             asn;
    ngx_http_govsvc_ctx_t               *ctx;
    ngx_http_govsvc_geo_file_t          *file;
    ngx_http_govsvc_client_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_client_module);
    file = (cmcf->numbers.db != NULL) ? &cmcf->numbers : &cmcf->geo;

    if (file->db == NULL) {
        return 0;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return 0;
    }

    if (!ctx->geo_numbered) {
        ctx->geo_numbered = 1;

        if (gs_geo_asn(file->db, r->connection->sockaddr, &asn) == GS_ERROR) {
            ngx_http_govsvc_geo_damaged(r, file);
        }

        ctx->geo_asn = asn;
    }

    return ctx->geo_asn;
}


static void
ngx_http_govsvc_geo_damaged(ngx_http_request_t *r,
    ngx_http_govsvc_geo_file_t *file)
{
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "govsvc client: the database \"%V\" is damaged",
                  &file->path);
}
