
/*
 * Copyright (C) govsvc authors
 *
 * Guard: a request of Nginx as the rules see it.  Nothing is copied.
 */


#include "http/ngx_http_govsvc_guard_priv.h"


static gs_rc_t ngx_http_govsvc_guard_header(void *data,
    gs_guard_header_t *h);
static void ngx_http_govsvc_guard_rewind(void *data);
static gs_rc_t ngx_http_govsvc_guard_attr(void *data, gs_guard_attr_e attr,
    const gs_str_t *name, gs_str_t *value);
static gs_rc_t ngx_http_govsvc_guard_ip(ngx_http_govsvc_guard_input_t *input,
    gs_str_t *value);
static gs_rc_t ngx_http_govsvc_guard_number(
    ngx_http_govsvc_guard_input_t *input, const char *format, ngx_uint_t n,
    gs_str_t *value);
static gs_rc_t ngx_http_govsvc_guard_variable(ngx_http_request_t *r,
    const gs_str_t *name, gs_str_t *value);


void
ngx_http_govsvc_guard_input(ngx_http_govsvc_guard_input_t *input,
    ngx_http_request_t *r)
{
    ngx_uint_t         types, codings;
    gs_guard_input_t  *in;
    gs_guard_header_t  h;

    input->request = r;
    in = &input->in;

    ngx_memzero(in, sizeof(gs_guard_input_t));

    input->headers.first = &r->headers_in.headers.part;
    input->headers.ctx = ngx_http_govsvc_get_ctx(r);
    ngx_http_govsvc_guard_rewind(&input->headers);

    in->line = ngx_govsvc_to_gs(&r->request_line);
    in->method = ngx_govsvc_to_gs(&r->method_name);
    in->uri = ngx_govsvc_to_gs(&r->unparsed_uri);
    in->path = ngx_govsvc_to_gs(&r->uri);

    /* after try_files without arguments their address is whatever it is */

    if (r->args.len != 0) {
        in->args = ngx_govsvc_to_gs(&r->args);
    }

    in->header = ngx_http_govsvc_guard_header;
    in->rewind = ngx_http_govsvc_guard_rewind;
    in->cursor = &input->headers;
    in->attr = ngx_http_govsvc_guard_attr;
    in->attr_data = input;

    if (r->headers_in.content_type == NULL
        && r->headers_in.content_length_n <= 0 && !r->headers_in.chunked)
    {
        return;
    }

    types = 0;
    codings = 0;

    while (ngx_http_govsvc_guard_header(&input->headers, &h) == GS_OK) {

        if (gs_str_case_eq_text(&h.name, "content-type") && types++ == 0) {
            in->type = h.value;

        } else if (gs_str_case_eq_text(&h.name, "content-encoding")
                   && codings++ == 0)
        {
            in->coding = h.value;
        }
    }

    in->twice = (types > 1 || codings > 1);
}


void
ngx_http_govsvc_guard_input_answer(ngx_http_govsvc_guard_input_t *input)
{
    ngx_http_request_t  *r;

    r = input->request;

    input->answer.first = &r->headers_out.headers.part;
    input->answer.ctx = NULL;
    ngx_http_govsvc_guard_rewind(&input->answer);

    input->in.status = (unsigned) r->headers_out.status;
    input->in.answer = ngx_http_govsvc_guard_header;
    input->in.answer_cursor = &input->answer;
}


static void
ngx_http_govsvc_guard_rewind(void *data)
{
    ngx_http_govsvc_guard_cursor_t *cursor = data;

    cursor->part = cursor->first;
    cursor->i = 0;
}


static gs_rc_t
ngx_http_govsvc_guard_header(void *data, gs_guard_header_t *h)
{
    ngx_http_govsvc_guard_cursor_t *cursor = data;

    u_char           *own;
    ngx_table_elt_t  *elt;

    own = (u_char *) cursor->ctx;

    do {
        while (cursor->i == cursor->part->nelts) {

            if (cursor->part->next == NULL) {
                return GS_DONE;
            }

            cursor->part = cursor->part->next;
            cursor->i = 0;
        }

        elt = cursor->part->elts;
        elt += cursor->i++;

    } while (own != NULL && elt->value.data >= own
             && elt->value.data < own + sizeof(ngx_http_govsvc_ctx_t));

    h->name = ngx_govsvc_to_gs(&elt->key);
    h->value = ngx_govsvc_to_gs(&elt->value);

    return GS_OK;
}


static gs_rc_t
ngx_http_govsvc_guard_attr(void *data, gs_guard_attr_e attr,
    const gs_str_t *name, gs_str_t *value)
{
    ngx_http_govsvc_guard_input_t *input = data;

    ngx_str_t            country;
    ngx_http_request_t  *r;

    r = input->request;

    switch (attr) {

    case GS_GUARD_ATTR_IP:
        return ngx_http_govsvc_guard_ip(input, value);

    case GS_GUARD_ATTR_COUNTRY:
        country = ngx_http_govsvc_geo_country(r);
        *value = ngx_govsvc_to_gs(&country);

        return (country.len != 0) ? GS_OK : GS_DECLINED;

    case GS_GUARD_ATTR_PROVINCE:
        return ngx_http_govsvc_guard_number(input, "%06ui",
                                            ngx_http_govsvc_geo_region(r),
                                            value);

    case GS_GUARD_ATTR_ASN:
        return ngx_http_govsvc_guard_number(input, "%ui",
                                            ngx_http_govsvc_geo_asn(r),
                                            value);

    default: /* GS_GUARD_ATTR_TOKEN */
        return ngx_http_govsvc_guard_variable(r, name, value);
    }
}


static gs_rc_t
ngx_http_govsvc_guard_ip(ngx_http_govsvc_guard_input_t *input,
    gs_str_t *value)
{
    gs_net_t           net;
    ngx_connection_t  *c;

    c = input->request->connection;

    if (gs_net_sockaddr(&net, c->sockaddr, c->socklen) != GS_OK) {
        return GS_DECLINED;
    }

    *value = gs_str_make(input->text, gs_net_print(input->text, &net));

    return GS_OK;
}


static gs_rc_t
ngx_http_govsvc_guard_number(ngx_http_govsvc_guard_input_t *input,
    const char *format, ngx_uint_t n, gs_str_t *value)
{
    if (n == 0) {
        return GS_DECLINED;
    }

    *value = gs_str_make(input->text,
                         ngx_sprintf(input->text, format, n) - input->text);
    return GS_OK;
}


/* A claim, as $govsvc_claim_NAME shows it. */

static gs_rc_t
ngx_http_govsvc_guard_variable(ngx_http_request_t *r, const gs_str_t *name,
    gs_str_t *value)
{
    u_char                      text[128], *p;
    ngx_str_t                   variable;
    ngx_uint_t                  key;
    ngx_http_variable_value_t  *vv;

    if (name->len > sizeof(text) - sizeof("govsvc_claim_")) {
        return GS_DECLINED;
    }

    p = ngx_cpymem(text, "govsvc_claim_", sizeof("govsvc_claim_") - 1);
    p = ngx_cpymem(p, name->data, name->len);

    variable.data = text;
    variable.len = p - text;
    key = ngx_hash_key(text, variable.len);

    vv = ngx_http_get_variable(r, &variable, key);

    if (vv == NULL || vv->not_found || !vv->valid) {
        return GS_DECLINED;
    }

    *value = gs_str_make(vv->data, vv->len);

    return GS_OK;
}
