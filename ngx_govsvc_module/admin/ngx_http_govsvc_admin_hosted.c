
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: what lives in the memory of the gateway, not in the document.
 * In the event loop, after the engine said who may.
 */


#include "admin/ngx_http_govsvc_admin.h"


#define NGX_HTTP_GOVSVC_ADMIN_TEXT   (512 * 1024)


ngx_int_t
ngx_http_govsvc_admin_hosted(ngx_http_request_t *r, gs_admin_reply_t *reply,
    ngx_str_t *text)
{
    u_char    *p;
    gs_buf_t   b;

    p = ngx_palloc(r->pool, NGX_HTTP_GOVSVC_ADMIN_TEXT);
    if (p == NULL) {
        return NGX_ERROR;
    }

    gs_buf_init(&b, p, NGX_HTTP_GOVSVC_ADMIN_TEXT);

    if (ngx_strcmp(reply->hosted, "status") == 0) {
        ngx_http_govsvc_admin_status(r, &b);

    } else if (ngx_strcmp(reply->hosted, "availability") == 0) {
        ngx_http_govsvc_admin_availability(reply, &b);

    } else if (ngx_strcmp(reply->hosted, "bans") == 0) {
        ngx_http_govsvc_admin_bans(r, reply, &b);

    } else {
        ngx_http_govsvc_admin_revocations(r, reply, &b);
    }

    if (b.overflow) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = gs_buf_len(&b);

    return NGX_OK;
}


ngx_str_t
ngx_http_govsvc_admin_member(const json_t *given, const char *name)
{
    ngx_str_t      s;
    const json_t  *value;

    value = json_object_get(given, name);

    ngx_str_null(&s);

    if (json_is_string(value)) {
        s.data = (u_char *) json_string_value(value);
        s.len = json_string_length(value);
    }

    return s;
}


void
ngx_http_govsvc_admin_result(gs_buf_t *b, const char *result)
{
    gs_buf_char(b, '{');
    gs_json_kv_text(b, "result", result);
    gs_buf_char(b, '}');
}


void
ngx_http_govsvc_admin_fail(gs_admin_reply_t *reply, gs_buf_t *b,
    ngx_uint_t status, const char *code, const char *field,
    const char *detail)
{
    reply->status = (unsigned) status;
    reply->code = code;

    gs_buf_char(b, '{');
    gs_json_kv_text(b, "type", "about:blank");
    gs_json_kv_text(b, "title", code);
    gs_json_kv_u64(b, "status", status);
    gs_json_kv_text(b, "code", code);
    gs_json_kv_text(b, "field", field);
    gs_json_kv_text(b, "detail", detail);
    gs_buf_char(b, '}');
}
