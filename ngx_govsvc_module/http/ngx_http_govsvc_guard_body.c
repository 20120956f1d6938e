
/*
 * Copyright (C) govsvc authors
 *
 * Guard: asks the rules about the body.  A stage of PRECONTENT, behind all
 * that may refuse the caller; reads the body where a rule looks at it, as the
 * content handler would a moment later.
 */


#include "http/ngx_http_govsvc_guard_priv.h"


static ngx_uint_t ngx_http_govsvc_guard_has_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_govsvc_guard_read_body(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_guard_body_ready(ngx_http_request_t *r);
static ngx_int_t ngx_http_govsvc_guard_copy(ngx_http_request_t *r,
    ngx_buf_t *b, u_char *dst, size_t size);


ngx_int_t
ngx_http_govsvc_guard_body_handler(ngx_http_request_t *r)
{
    ngx_int_t                           rc;
    ngx_uint_t                          body;
    ngx_http_govsvc_ctx_t              *ctx;
    ngx_http_govsvc_guard_input_t       input;
    ngx_http_govsvc_guard_loc_conf_t   *glcf;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_guard_module);

    if (glcf->mode == NGX_HTTP_GOVSVC_GUARD_OFF) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->guard_body_mode >= glcf->mode) {
        return NGX_DECLINED;
    }

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);

    body = glcf->body > 0 && ngx_http_govsvc_guard_has_body(r);

    if (!gs_guard_acts(gmcf->guard, GS_GUARD_BODY, (int) body)) {
        return NGX_DECLINED;
    }

    if (body && r->request_body == NULL) {
        return ngx_http_govsvc_guard_read_body(r, ctx);
    }

    ctx->guard_body_mode = (unsigned) glcf->mode;

    ngx_http_govsvc_guard_input(&input, r);

    if (body) {
        rc = ngx_http_govsvc_guard_gather(&input, glcf->body);

        if (rc != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    input.in.oversize = (unsigned) glcf->oversize;

    return ngx_http_govsvc_guard_ask(&input, ctx, GS_GUARD_BODY);
}


static ngx_uint_t
ngx_http_govsvc_guard_has_body(ngx_http_request_t *r)
{
    return r->headers_in.content_length_n > 0 || r->headers_in.chunked;
}


/*
 * As the mirror module does: the phases go on when the body is there, and
 * the content handler finds it read.
 */

static ngx_int_t
ngx_http_govsvc_guard_read_body(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->guard_reading) {

        /* entered again by an event while the body is on its way */

        return NGX_DONE;
    }

    ctx->guard_reading = 1;

    rc = ngx_http_read_client_request_body(r,
                                           ngx_http_govsvc_guard_body_ready);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_govsvc_guard_body_ready(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ctx != NULL) {
        ctx->guard_reading = 0;
    }

    r->preserve_body = 1;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


ngx_int_t
ngx_http_govsvc_guard_gather(ngx_http_govsvc_guard_input_t *input, size_t max)
{
    size_t                              n;
    u_char                             *dst;
    ngx_buf_t                          *b;
    ngx_chain_t                        *cl, *bufs;
    gs_guard_pieces_t                   pieces;
    ngx_http_request_t                 *r;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    r = input->request;
    bufs = (r->request_body == NULL) ? NULL : r->request_body->bufs;

    if (bufs == NULL) {
        return NGX_OK;
    }

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);
    gs_guard_pieces_begin(&pieces, gmcf->scratch, max);

    b = bufs->buf;

    if (bufs->next == NULL && ngx_buf_in_memory(b)) {
        (void) gs_guard_pieces_next(&pieces, (uint64_t) (b->last - b->pos),
                                    &n);
        input->in.body = gs_str_make(b->pos, n);
        input->in.body_cut = pieces.cut;
        return NGX_OK;
    }

    for (cl = bufs; cl != NULL; cl = cl->next) {
        b = cl->buf;

        dst = gs_guard_pieces_next(&pieces, (uint64_t) ngx_buf_size(b), &n);

        if (n > 0 && ngx_http_govsvc_guard_copy(r, b, dst, n) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    gs_guard_pieces_end(&pieces, &input->in);

    return NGX_OK;
}


/* A file of Nginx's own, just written: its pages are in memory. */

static ngx_int_t
ngx_http_govsvc_guard_copy(ngx_http_request_t *r, ngx_buf_t *b, u_char *dst,
    size_t size)
{
    ssize_t  n;

    if (ngx_buf_in_memory(b)) {
        ngx_memcpy(dst, b->pos, size);
        return NGX_OK;
    }

    n = ngx_read_file(b->file, dst, size, b->file_pos);

    if (n != (ssize_t) size) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "govsvc guard: the file of the body cannot be read");
        return NGX_ERROR;
    }

    return NGX_OK;
}
