
/*
 * Copyright (C) govsvc authors
 *
 * Audit levels beyond the line of the request: fields of its header that are
 * no secret, names of the others, and a digest of its body, made while the
 * body is read.
 */


#include "http/ngx_http_govsvc_audit_priv.h"


#define NGX_HTTP_GOVSVC_AUDIT_FIELD  128   /* bytes of a value in the line */


static ngx_int_t ngx_http_govsvc_audit_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_govsvc_audit_again(ngx_http_request_t *r,
    gs_audit_record_t *rec);
static ngx_uint_t ngx_http_govsvc_audit_harmless(const ngx_table_elt_t *h);


/*
 * Values of these are told, masked.  Whatever is not here may be a credential
 * or a name: only that it was sent is told.
 */

static const ngx_str_t  ngx_http_govsvc_audit_fields[] = {
    ngx_string("accept"),
    ngx_string("accept-encoding"),
    ngx_string("accept-language"),
    ngx_string("content-encoding"),
    ngx_string("content-length"),
    ngx_string("content-type"),
    ngx_string("if-modified-since"),
    ngx_string("if-none-match"),
    ngx_string("origin"),
    ngx_string("range"),
    ngx_string("sec-fetch-dest"),
    ngx_string("sec-fetch-mode"),
    ngx_string("sec-fetch-site"),
    ngx_string("transfer-encoding"),
    ngx_string("upgrade"),
    ngx_string("via"),
    ngx_string("x-forwarded-for"),
    ngx_string("x-forwarded-proto"),
    ngx_string("x-requested-with"),
    ngx_null_string
};


/* Told elsewhere in the line, or ours. */

static const ngx_str_t  ngx_http_govsvc_audit_known[] = {
    ngx_string("host"),
    ngx_string("user-agent"),
    ngx_string("referer"),
    ngx_string("connection"),
    ngx_string("traceparent"),
    ngx_string("x-request-id"),
    ngx_null_string
};


static ngx_http_request_body_filter_pt  ngx_http_next_request_body_filter;


void
ngx_http_govsvc_audit_body_init(void)
{
    ngx_http_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_govsvc_audit_body_filter;
}


static ngx_int_t
ngx_http_govsvc_audit_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                         *b;
    ngx_chain_t                       *cl;
    ngx_http_govsvc_ctx_t             *ctx;
    ngx_http_govsvc_audit_req_t       *req;
    ngx_http_govsvc_audit_chain_t     *chain;
    ngx_http_govsvc_audit_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_audit_module);
    chain = ngx_http_govsvc_audit_chain();

    if (alcf->level < NGX_HTTP_GOVSVC_AUDIT_BODY || r != r->main
        || chain == NULL)
    {
        return ngx_http_next_request_body_filter(r, in);
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    req = ngx_http_govsvc_audit_req(r, ctx);
    if (req == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        if (gs_audit_digest(&req->body, &chain->hashes[chain->amcf->alg],
                            b->pos, (size_t) (b->last - b->pos))
            != GS_OK)
        {
            ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                          "govsvc audit: the digest of the body failed");
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_next_request_body_filter(r, in);
}


void
ngx_http_govsvc_audit_headers_in(ngx_http_request_t *r,
    gs_audit_record_t *rec)
{
    ngx_uint_t          i;
    ngx_list_part_t    *part;
    ngx_table_elt_t    *h;
    gs_audit_header_t  *to;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash == 0 || h[i].key.len == 0
                || rec->nheaders == GS_AUDIT_HEADERS)
            {
                continue;
            }

            to = &rec->headers[rec->nheaders];

            to->name = gs_str_make(h[i].lowcase_key, h[i].key.len);
            to->value.len = 0;

            switch (ngx_http_govsvc_audit_harmless(&h[i])) {

            case 2:
                continue;

            case 1:
                to->value = ngx_govsvc_to_gs(&h[i].value);

                if (ngx_http_govsvc_audit_again(r, rec) == NGX_OK) {
                    continue;
                }

                break;
            }

            rec->nheaders++;
        }
    }
}


/*
 * A field given again is the same field (RFC 9110, 5.3): a record that has a
 * key twice would be no record for its readers.  NGX_DECLINED: it is new.
 */

static ngx_int_t
ngx_http_govsvc_audit_again(ngx_http_request_t *r, gs_audit_record_t *rec)
{
    size_t              len;
    u_char             *p;
    ngx_uint_t          i;
    gs_audit_header_t  *was, *now;

    now = &rec->headers[rec->nheaders];
    was = rec->headers;

    for (i = 0; i < rec->nheaders; i++, was++) {
        if (was->value.len != 0 && gs_str_eq(&was->name, &now->name)) {
            break;
        }
    }

    if (i == rec->nheaders || now->value.len == 0) {
        return NGX_DECLINED;
    }

    /* what stands behind this is cut off anyway */

    if (was->value.len >= NGX_HTTP_GOVSVC_AUDIT_FIELD) {
        return NGX_OK;
    }

    len = was->value.len + 2 + now->value.len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_OK;
    }

    (void) ngx_cpymem(ngx_cpymem(ngx_cpymem(p, was->value.data,
                                            was->value.len), ", ", 2),
                      now->value.data, now->value.len);

    was->value = gs_str_make(p, len);

    return NGX_OK;
}


/* 1: tell the value, 2: tell nothing, 0: tell the name. */

static ngx_uint_t
ngx_http_govsvc_audit_harmless(const ngx_table_elt_t *h)
{
    const ngx_str_t  *s;

    for (s = ngx_http_govsvc_audit_known; s->len != 0; s++) {
        if (s->len == h->key.len
            && ngx_memcmp(s->data, h->lowcase_key, s->len) == 0)
        {
            return 2;
        }
    }

    for (s = ngx_http_govsvc_audit_fields; s->len != 0; s++) {
        if (s->len == h->key.len
            && ngx_memcmp(s->data, h->lowcase_key, s->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
