
/*
 * Copyright (C) govsvc authors
 *
 * Refusals: a page that a citizen can read, or a problem document (RFC 9457)
 * where JSON is asked for.  Both carry the number of the request.
 */


#include "http/ngx_http_govsvc.h"
#include "core/gs_json_out.h"


static ngx_uint_t ngx_http_govsvc_has_error_page(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_uint_t ngx_http_govsvc_wants_json(ngx_http_request_t *r);
static ngx_uint_t ngx_http_govsvc_wants_html(ngx_http_request_t *r);
static ngx_table_elt_t *ngx_http_govsvc_accept(ngx_http_request_t *r);
static ngx_uint_t ngx_http_govsvc_contains(ngx_str_t *s, const char *word);
static void ngx_http_govsvc_problem(gs_buf_t *b, ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_errcode(gs_buf_t *b, ngx_http_govsvc_ctx_t *ctx);
static void ngx_http_govsvc_page(gs_buf_t *b, ngx_http_govsvc_ctx_t *ctx);
static ngx_int_t ngx_http_govsvc_send(ngx_http_request_t *r, gs_buf_t *b,
    ngx_uint_t json);


/* the longest page and its longest reason fit by far; overflow is checked */
#define NGX_HTTP_GOVSVC_BODY_MAX  4096

/* beside 0 for a page and 1 for a problem document */
#define NGX_HTTP_GOVSVC_ERRCODE   2


static const char  ngx_http_govsvc_page_head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"zh-CN\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<title>政务服务 Government Service</title>\n"
    "<style>\n"
    "body{margin:2em auto;max-width:34em;padding:0 1em;color:#111;"
    "background:#fff;font:20px/1.7 sans-serif}\n"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#111}}\n"
    "h1{font-size:1.3em}p.n{border-top:2px solid;padding-top:1em}\n"
    "code{word-break:break-all}\n"
    "</style>\n"
    "</head>\n"
    "<body>\n"
    "<main>\n"
    "<h1>";


ngx_int_t
ngx_http_govsvc_refuse(ngx_http_request_t *r, ngx_http_govsvc_reason_e reason)
{
    gs_buf_t                b;
    u_char                 *p;
    ngx_int_t               rc;
    ngx_uint_t              json;
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->reason = &ngx_http_govsvc_reasons[reason];

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "govsvc refuse: %V", &ctx->reason->code);

    if (ngx_http_govsvc_has_error_page(r, ctx->reason->status)) {
        return (ngx_int_t) ctx->reason->status;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_GOVSVC_BODY_MAX);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    gs_buf_init(&b, p, NGX_HTTP_GOVSVC_BODY_MAX);

    json = ngx_http_govsvc_wants_json(r);

    if (ctx->errcode && !ngx_http_govsvc_wants_html(r)) {
        json = NGX_HTTP_GOVSVC_ERRCODE;
        ngx_http_govsvc_errcode(&b, ctx);

    } else if (json) {
        ngx_http_govsvc_problem(&b, ctx);

    } else {
        ngx_http_govsvc_page(&b, ctx);
    }

    if (b.overflow) {
        return (ngx_int_t) ctx->reason->status;
    }

    rc = ngx_http_govsvc_send(r, &b, json);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


static ngx_uint_t
ngx_http_govsvc_has_error_page(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->error_pages == NULL || r->error_page) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].status == (ngx_int_t) status) {
            return 1;
        }
    }

    return 0;
}


/*
 * JSON when Accept names it and does not name HTML, and for those who accept
 * anything but send JSON themselves.
 */

static ngx_uint_t
ngx_http_govsvc_wants_json(ngx_http_request_t *r)
{
    ngx_table_elt_t  *accept;

    accept = ngx_http_govsvc_accept(r);

    if (accept != NULL) {
        if (ngx_http_govsvc_contains(&accept->value, "text/html")) {
            return 0;
        }

        if (ngx_http_govsvc_contains(&accept->value, "json")) {
            return 1;
        }
    }

    return r->headers_in.content_type != NULL
           && ngx_http_govsvc_contains(&r->headers_in.content_type->value,
                                       "json");
}


/* A browser: callers of x-tif that want another form do not say so. */

static ngx_uint_t
ngx_http_govsvc_wants_html(ngx_http_request_t *r)
{
    ngx_table_elt_t  *accept;

    accept = ngx_http_govsvc_accept(r);

    return accept != NULL
           && ngx_http_govsvc_contains(&accept->value, "text/html");
}


/* headers_in.accept exists only in builds with certain modules */

static ngx_table_elt_t *
ngx_http_govsvc_accept(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == sizeof("accept") - 1
                && ngx_memcmp(h[i].lowcase_key, "accept", 6) == 0)
            {
                return &h[i];
            }
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_govsvc_contains(ngx_str_t *s, const char *word)
{
    size_t  len;

    len = ngx_strlen(word);

    return s->len >= len
           && ngx_strlcasestrn(s->data, s->data + s->len, (u_char *) word,
                               len - 1)
              != NULL;
}


static void
ngx_http_govsvc_problem(gs_buf_t *b, ngx_http_govsvc_ctx_t *ctx)
{
    gs_str_t                         s;
    const ngx_http_govsvc_reason_t  *reason;

    reason = ctx->reason;

    gs_buf_char(b, '{');
    gs_json_kv_text(b, "type", "about:blank");
    s = ngx_govsvc_to_gs(&reason->en);
    (void) gs_json_kv_str(b, "title", &s);
    gs_json_kv_u64(b, "status", reason->status);
    s = ngx_govsvc_to_gs(&reason->code);
    (void) gs_json_kv_str(b, "code", &s);

    gs_json_key(b, "detail");
    gs_buf_char(b, '{');
    s = ngx_govsvc_to_gs(&reason->zh);
    (void) gs_json_kv_str(b, "zh", &s);
    s = ngx_govsvc_to_gs(&reason->en);
    (void) gs_json_kv_str(b, "en", &s);
    gs_buf_char(b, '}');

    s = ngx_govsvc_to_gs(&ctx->request_id);
    (void) gs_json_kv_str(b, "request_id", &s);
    gs_buf_text(b, "}\n");
}


/* The form that callers of x-tif know: 400000000 and the status. */

static void
ngx_http_govsvc_errcode(gs_buf_t *b, ngx_http_govsvc_ctx_t *ctx)
{
    gs_str_t  s;

    gs_buf_char(b, '{');
    gs_json_kv_u64(b, "errcode", 400000000 + ctx->reason->status);
    s = ngx_govsvc_to_gs(&ctx->reason->en);
    (void) gs_json_kv_str(b, "errmsg", &s);
    s = ngx_govsvc_to_gs(&ctx->reason->code);
    (void) gs_json_kv_str(b, "code", &s);
    s = ngx_govsvc_to_gs(&ctx->request_id);
    (void) gs_json_kv_str(b, "request_id", &s);
    gs_buf_text(b, "}\n");
}


static void
ngx_http_govsvc_page(gs_buf_t *b, ngx_http_govsvc_ctx_t *ctx)
{
    gs_str_t                         s;
    const ngx_http_govsvc_reason_t  *reason;

    reason = ctx->reason;

    gs_buf_text(b, ngx_http_govsvc_page_head);
    s = ngx_govsvc_to_gs(&reason->zh);
    gs_buf_str(b, &s);
    gs_buf_text(b, "</h1>\n<p lang=\"en\">");
    s = ngx_govsvc_to_gs(&reason->en);
    gs_buf_str(b, &s);
    gs_buf_text(b, "</p>\n<p class=\"n\">编号 Reference number<br><code>");
    s = ngx_govsvc_to_gs(&ctx->request_id);
    gs_buf_str(b, &s);
    gs_buf_text(b, "</code><br>原因 Reason <code>");
    s = ngx_govsvc_to_gs(&reason->code);
    gs_buf_str(b, &s);
    gs_buf_text(b, "</code></p>\n</main>\n</body>\n</html>\n");
}


static ngx_int_t
ngx_http_govsvc_send(ngx_http_request_t *r, gs_buf_t *b, ngx_uint_t json)
{
    ngx_int_t               rc;
    ngx_buf_t              *buf;
    ngx_chain_t             out;
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    ngx_http_clear_location(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    r->headers_out.status = ctx->reason->status;
    r->headers_out.content_length_n = (off_t) gs_buf_len(b);

    if (json == NGX_HTTP_GOVSVC_ERRCODE) {
        ngx_str_set(&r->headers_out.content_type, "application/json");
        ngx_str_null(&r->headers_out.charset);

    } else if (json) {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");
        ngx_str_null(&r->headers_out.charset);

    } else {
        ngx_str_set(&r->headers_out.content_type, "text/html");
        ngx_str_set(&r->headers_out.charset, "utf-8");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    buf = ngx_calloc_buf(r->pool);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    buf->pos = b->start;
    buf->last = b->pos;
    buf->memory = 1;
    buf->last_buf = 1;
    buf->last_in_chain = 1;

    out.buf = buf;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
