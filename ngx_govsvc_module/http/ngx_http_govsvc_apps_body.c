
/*
 * Copyright (C) govsvc authors
 *
 * Digests of bodies: computed as the body comes in, by a filter, and compared
 * before anything goes to a platform.  What is kept of the body, in memory and
 * on disk, is Nginx's affair.
 */


#include "http/ngx_http_govsvc_apps.h"
#include "http/ngx_http_govsvc_ctx.h"


static ngx_int_t ngx_http_govsvc_app_body_failed(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_app_data_t *data);
static void ngx_http_govsvc_app_body_read(ngx_http_request_t *r);
static gs_sign_reason_e ngx_http_govsvc_app_body_compare(
    ngx_http_govsvc_app_data_t *data);
static ngx_int_t ngx_http_govsvc_app_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static void ngx_http_govsvc_app_body_cleanup(void *data);


static ngx_http_request_body_filter_pt  ngx_http_govsvc_next_body_filter;


void
ngx_http_govsvc_app_body_init(void)
{
    ngx_http_govsvc_next_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_govsvc_app_body_filter;
}


gs_sign_reason_e
ngx_http_govsvc_app_expect(ngx_http_request_t *r,
    ngx_http_govsvc_app_data_t *data, const gs_sign_digest_t *digest)
{
    gs_mem_t                          *mem;
    ngx_pool_cleanup_t                *cln;
    ngx_http_govsvc_apps_main_conf_t  *amcf;

    if (digest->alg == GS_SIGN_DIGEST_NONE) {
        return GS_SIGN_OK;
    }

    /* read before anyone could hash it: what came is not known */

    if (r->request_body != NULL) {
        return GS_SIGN_BAD_DIGEST;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_apps_module);

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return GS_SIGN_NO_MEMORY;
    }

    mem = ngx_govsvc_mem(r->pool);
    if (mem == NULL) {
        return GS_SIGN_NO_MEMORY;
    }

    data->hash = gs_sign_hash_create(amcf->crypto, mem, digest->alg);

    if (data->hash == NULL) {
        return GS_SIGN_NO_MEMORY;
    }

    cln->handler = ngx_http_govsvc_app_body_cleanup;
    cln->data = data;
    data->digest = *digest;

    return GS_SIGN_OK;
}


static void
ngx_http_govsvc_app_body_cleanup(void *data)
{
    ngx_http_govsvc_app_data_t *app = data;

    gs_sign_hash_destroy(app->hash);
    app->hash = NULL;
}


/*
 * Reads the body whole, even where proxy_request_buffering is off: a platform
 * must not see a request of which it may be too late to say that it is forged.
 */

ngx_int_t
ngx_http_govsvc_app_body_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    gs_sign_reason_e             reason;
    ngx_http_govsvc_ctx_t       *ctx;
    ngx_http_govsvc_app_data_t  *data;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    data = ctx->app_data;

    if (data == NULL || data->hash == NULL || data->checked) {
        return NGX_DECLINED;
    }

    if (!data->read) {

        if (data->reading) {
            return ngx_http_govsvc_app_body_failed(r, ctx, data);
        }

        data->reading = 1;

        rc = ngx_http_read_client_request_body(r,
                                               ngx_http_govsvc_app_body_read);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }

        ngx_http_finalize_request(r, NGX_DONE);

        return NGX_DONE;
    }

    reason = ngx_http_govsvc_app_body_compare(data);

    if (reason != GS_SIGN_OK) {
        return ngx_http_govsvc_app_refuse(r, ctx, reason);
    }

    data->checked = 1;

    return NGX_DECLINED;
}


/*
 * The body could not be read and this is the page of that error: it is for
 * nobody in particular.
 */

static ngx_int_t
ngx_http_govsvc_app_body_failed(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_app_data_t *data)
{
    ngx_http_govsvc_apps_conf_t  *alcf;

    ngx_http_govsvc_app_forget(ctx);
    data->app = NULL;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_apps_module);

    return alcf->mode == NGX_HTTP_GOVSVC_APP_REQUIRED
               ? ngx_http_govsvc_app_refuse(r, ctx, GS_SIGN_BAD_DIGEST)
               : NGX_DECLINED;
}


static void
ngx_http_govsvc_app_body_read(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t       *ctx;
    ngx_http_govsvc_app_data_t  *data;

    ctx = ngx_http_govsvc_get_ctx(r);

    /* made in PREACCESS, or there would have been nothing to read */

    data = ctx->app_data;
    data->read = 1;

    r->preserve_body = 1;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


static gs_sign_reason_e
ngx_http_govsvc_app_body_compare(ngx_http_govsvc_app_data_t *data)
{
    gs_sign_digest_t  digest;

    if (data->failed || gs_sign_hash_final(data->hash, &digest) != GS_OK) {
        return GS_SIGN_NO_MEMORY;
    }

    return gs_sign_digest_eq(&digest, &data->digest) ? GS_SIGN_OK
                                                     : GS_SIGN_BAD_DIGEST;
}


static ngx_int_t
ngx_http_govsvc_app_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    size_t                       size;
    ngx_chain_t                 *cl;
    ngx_http_govsvc_ctx_t       *ctx;
    ngx_http_govsvc_app_data_t  *data;

    ctx = ngx_http_govsvc_find_ctx(r->main);
    data = (ctx != NULL) ? ctx->app_data : NULL;

    if (data == NULL || data->hash == NULL || data->read) {
        return ngx_http_govsvc_next_body_filter(r, in);
    }

    for (cl = in; cl != NULL; cl = cl->next) {

        if (!ngx_buf_in_memory(cl->buf)) {
            continue;
        }

        size = (size_t) (cl->buf->last - cl->buf->pos);
        data->received += (off_t) size;

        if ((uint64_t) data->received > data->limit) {
            ctx->reason = &ngx_http_govsvc_reasons[NGX_HTTP_GOVSVC_APP_BODY];

            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "govsvc app: refused, reason: body_too_large");

            return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }

        if (size != 0
            && gs_sign_hash_update(data->hash, cl->buf->pos, size) != GS_OK)
        {
            data->failed = 1;
        }
    }

    return ngx_http_govsvc_next_body_filter(r, in);
}
