
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: from the request to the job, from the job to the answer.
 */


#include "admin/ngx_http_govsvc_admin.h"

#include "core/gs_hex.h"
#include "core/gs_json_out.h"


#define NGX_HTTP_GOVSVC_ADMIN_POOL  4096


static void ngx_http_govsvc_admin_body(ngx_http_request_t *r);
static ngx_http_govsvc_admin_job_t *ngx_http_govsvc_admin_job(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_govsvc_admin_request(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job);
static ngx_int_t ngx_http_govsvc_admin_copy(ngx_pool_t *pool, gs_str_t *dst,
    ngx_str_t *src);
static ngx_int_t ngx_http_govsvc_admin_header(ngx_http_request_t *r,
    ngx_pool_t *pool, const char *name, gs_str_t *dst);
static ngx_int_t ngx_http_govsvc_admin_take(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job);
static void ngx_http_govsvc_admin_gone(void *data);
static ngx_int_t ngx_http_govsvc_admin_large(ngx_http_request_t *r);
static ngx_int_t ngx_http_govsvc_admin_note(ngx_http_request_t *r,
    gs_admin_reply_t *reply);
static ngx_int_t ngx_http_govsvc_admin_headers(ngx_http_request_t *r,
    gs_admin_reply_t *reply);
static ngx_int_t ngx_http_govsvc_admin_add(ngx_http_request_t *r,
    const char *key, const char *value);
static ngx_int_t ngx_http_govsvc_admin_send(ngx_http_request_t *r,
    gs_admin_reply_t *reply, const char *text, size_t len);
static ngx_int_t ngx_http_govsvc_admin_plain(ngx_http_request_t *r,
    gs_admin_reply_t *reply);


ngx_int_t
ngx_http_govsvc_admin_handler(ngx_http_request_t *r)
{
    ngx_int_t                          rc;
    ngx_http_govsvc_admin_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_admin_module);

    if (r != r->main) {
        return NGX_HTTP_FORBIDDEN;
    }

    if (r->headers_in.content_length_n > (off_t) alcf->body) {
        return ngx_http_govsvc_admin_large(r);
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_govsvc_admin_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_govsvc_admin_body(ngx_http_request_t *r)
{
    gs_admin_reply_t               reply;
    ngx_pool_cleanup_t            *cln;
    ngx_http_govsvc_admin_job_t   *job;

    ngx_memzero(&reply, sizeof(gs_admin_reply_t));

    job = ngx_http_govsvc_admin_job(r);
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (job == NULL || cln == NULL) {

        if (job != NULL) {
            ngx_http_govsvc_admin_free(job);
        }

        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    switch (ngx_http_govsvc_admin_request(r, job)) {

    case NGX_OK:
        break;

    case NGX_ABORT:
        ngx_http_govsvc_admin_free(job);
        ngx_http_finalize_request(r, ngx_http_govsvc_admin_large(r));
        return;

    default:
        ngx_http_govsvc_admin_free(job);
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ngx_strnstr((u_char *) job->q.path.data, "/instances",
                    job->q.path.len)
        != NULL
        && ngx_http_govsvc_admin_health_fill(job) != NGX_OK)
    {
        ngx_http_govsvc_admin_free(job);
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    job->request = r;
    cln->handler = ngx_http_govsvc_admin_gone;
    cln->data = job;

    r->read_event_handler = ngx_http_test_reading;

    if (ngx_http_govsvc_share_post(job) != NGX_OK) {
        cln->handler = NULL;
        ngx_http_govsvc_admin_free(job);

        reply.status = NGX_HTTP_SERVICE_UNAVAILABLE;
        reply.code = "BUSY";
        reply.retry_after = 1;
        ngx_http_finalize_request(r, ngx_http_govsvc_admin_plain(r, &reply));
    }
}


static ngx_http_govsvc_admin_job_t *
ngx_http_govsvc_admin_job(ngx_http_request_t *r)
{
    ngx_pool_t                   *pool;
    ngx_http_govsvc_admin_job_t  *job;

    pool = ngx_create_pool(NGX_HTTP_GOVSVC_ADMIN_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_http_govsvc_admin_job_t));
    if (job == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->pool = pool;
    ngx_queue_init(&job->entries);
    job->fd = NGX_INVALID_FILE;
    job->conf = ngx_http_get_module_main_conf(r,
                                              ngx_http_govsvc_admin_module);

    return job;
}


static ngx_int_t
ngx_http_govsvc_admin_request(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job)
{
    u_char                 *p, *nonce, random[NGX_HTTP_GOVSVC_ADMIN_NONCE / 2];
    ngx_str_t               path, id;
    gs_admin_request_t     *q;
    ngx_http_govsvc_ctx_t  *ctx;

    q = &job->q;
    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    /* as sent: what Nginx normalised is another name for the same object */

    path = r->unparsed_uri;
    p = ngx_strlchr(path.data, path.data + path.len, '?');

    if (p != NULL) {
        path.len = (size_t) (p - path.data);
    }

    nonce = ngx_pnalloc(job->pool, NGX_HTTP_GOVSVC_ADMIN_NONCE);

    if (nonce == NULL
        || ngx_govsvc_random(random, sizeof(random), r->connection->log)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    gs_hex_encode(nonce, random, sizeof(random));
    q->nonce = gs_str_make(nonce, NGX_HTTP_GOVSVC_ADMIN_NONCE);

    id = ctx->request_id;
    q->now = ngx_govsvc_wall_us();

    if (ngx_http_govsvc_admin_copy(job->pool, &q->method, &r->method_name)
        != NGX_OK
        || ngx_http_govsvc_admin_copy(job->pool, &q->path, &path) != NGX_OK
        || ngx_http_govsvc_admin_copy(job->pool, &q->args, &r->args)
           != NGX_OK
        || ngx_http_govsvc_admin_copy(job->pool, &q->request_id, &id)
           != NGX_OK
        || ngx_http_govsvc_admin_header(r, job->pool, "if-match",
                                        &q->if_match) != NGX_OK
        || ngx_http_govsvc_admin_header(r, job->pool, "if-none-match",
                                        &q->if_none_match) != NGX_OK
        || ngx_http_govsvc_admin_header(r, job->pool, "content-type",
                                        &q->content_type) != NGX_OK
        || ngx_http_govsvc_admin_header(r, job->pool, "accept", &q->accept)
           != NGX_OK
        || ngx_http_govsvc_admin_identify(r, job) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_admin_take(r, job);
}


static ngx_int_t
ngx_http_govsvc_admin_copy(ngx_pool_t *pool, gs_str_t *dst, ngx_str_t *src)
{
    u_char  *p;

    p = ngx_pnalloc(pool, src->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *dst = gs_str_make(p, src->len);

    if (src->len != 0) {
        p = ngx_cpymem(p, src->data, src->len);
    }

    *p = '\0';

    return NGX_OK;
}


/* A header that comes twice with two values says nothing: it becomes "". */

static ngx_int_t
ngx_http_govsvc_admin_header(ngx_http_request_t *r, ngx_pool_t *pool,
    const char *name, gs_str_t *dst)
{
    size_t            len;
    ngx_str_t         value;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    n = 0;
    ngx_str_null(&value);

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next)
    {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash != 0 && h[i].key.len == len
                && ngx_memcmp(h[i].lowcase_key, name, len) == 0)
            {
                value = h[i].value;
                n++;
            }
        }
    }

    if (n == 0) {
        return NGX_OK;
    }

    if (n > 1) {
        value.len = 0;
    }

    return ngx_http_govsvc_admin_copy(pool, dst, &value);
}


/* The body; one in a file is read by the thread. */

static ngx_int_t
ngx_http_govsvc_admin_take(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job)
{
    off_t                              len;
    u_char                            *p;
    ngx_chain_t                       *cl;
    ngx_http_govsvc_admin_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_admin_module);

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    len = 0;

    for (cl = r->request_body->bufs; cl != NULL; cl = cl->next) {
        len += ngx_buf_size(cl->buf);
    }

    if (len > (off_t) alcf->body) {
        return NGX_ABORT;
    }

    if (r->request_body->temp_file != NULL) {
        job->fd = dup(r->request_body->temp_file->file.fd);
        job->q.body.len = (size_t) len;

        return (job->fd != NGX_INVALID_FILE) ? NGX_OK : NGX_ERROR;
    }

    p = ngx_pnalloc(job->pool, (size_t) len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    job->q.body = gs_str_make(p, (size_t) len);

    for (cl = r->request_body->bufs; cl != NULL; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_admin_gone(void *data)
{
    ngx_http_govsvc_admin_job_t *job = data;

    job->request = NULL;
}


static ngx_int_t
ngx_http_govsvc_admin_large(ngx_http_request_t *r)
{
    gs_admin_reply_t  reply;

    ngx_memzero(&reply, sizeof(gs_admin_reply_t));

    reply.status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    reply.code = "TOO_LARGE";

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    return ngx_http_govsvc_admin_plain(r, &reply);
}


void
ngx_http_govsvc_admin_answer(ngx_http_govsvc_admin_job_t *job)
{
    ngx_int_t            rc;
    ngx_str_t            text;
    ngx_connection_t    *c;
    ngx_pool_cleanup_t  *cln;
    ngx_http_request_t  *r;

    r = job->request;
    c = r->connection;

    for (cln = r->pool->cleanup; cln != NULL; cln = cln->next) {
        if (cln->handler == ngx_http_govsvc_admin_gone) {
            cln->handler = NULL;
        }
    }

    ngx_http_set_log_request(c->log, r);

    if (job->reply.hosted != NULL) {
        rc = ngx_http_govsvc_admin_hosted(r, &job->reply, &text);

        rc = (rc == NGX_OK)
             ? ngx_http_govsvc_admin_send(r, &job->reply,
                                          (const char *) text.data, text.len)
             : NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (job->reply.text != NULL) {
        rc = ngx_http_govsvc_admin_send(r, &job->reply, job->reply.text,
                                        ngx_strlen(job->reply.text));

    } else if (job->text != NULL) {
        rc = ngx_http_govsvc_admin_send(r, &job->reply, job->text, job->len);

    } else {
        rc = ngx_http_govsvc_admin_plain(r, &job->reply);
    }

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


/* An answer that brings no text of its own. */

static ngx_int_t
ngx_http_govsvc_admin_plain(ngx_http_request_t *r, gs_admin_reply_t *reply)
{
    u_char     text[256];
    gs_buf_t   b;

    gs_buf_init(&b, text, sizeof(text));

    if (reply->code != NULL) {
        gs_buf_char(&b, '{');
        gs_json_kv_text(&b, "type", "about:blank");
        gs_json_kv_text(&b, "title", reply->code);
        gs_json_kv_u64(&b, "status", reply->status);
        gs_json_kv_text(&b, "code", reply->code);
        gs_buf_char(&b, '}');
    }

    return ngx_http_govsvc_admin_send(r, reply, (const char *) text,
                                      gs_buf_len(&b));
}


static ngx_int_t
ngx_http_govsvc_admin_send(ngx_http_request_t *r, gs_admin_reply_t *reply,
    const char *text, size_t len)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    if (ngx_http_govsvc_admin_note(r, reply) != NGX_OK
        || ngx_http_govsvc_admin_headers(r, reply) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* preconditions were judged already, against the object */

    r->disable_not_modified = 1;
    r->headers_out.status = reply->status;
    r->headers_out.content_length_n = (off_t) len;

    if (reply->code != NULL) {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");

    } else if (reply->csv) {
        ngx_str_set(&r->headers_out.content_type,
                    "text/csv; charset=utf-8; header=present");

    } else {
        ngx_str_set(&r->headers_out.content_type, "application/json");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (len == 0) {
        r->headers_out.content_type.len = 0;
        r->header_only = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, text, len);
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* For the record of the request: who, for whom, and why not. */

static ngx_int_t
ngx_http_govsvc_admin_note(ngx_http_request_t *r, gs_admin_reply_t *reply)
{
    u_char                    *p;
    ngx_http_govsvc_ctx_t     *ctx;
    ngx_http_govsvc_reason_t  *reason;

    ctx = ngx_http_govsvc_get_ctx(r);
    p = ngx_pnalloc(r->pool, sizeof(reply->credential)
                             + sizeof(reply->platform));
    reason = ngx_pcalloc(r->pool, sizeof(ngx_http_govsvc_reason_t));

    if (ctx == NULL || p == NULL || reason == NULL) {
        return NGX_ERROR;
    }

    ctx->app.data = p;
    ctx->app.len = ngx_strlen(reply->credential);
    p = ngx_cpymem(p, reply->credential, ctx->app.len);

    ctx->platform.data = p;
    ctx->platform.len = ngx_strlen(reply->platform);
    ngx_memcpy(p, reply->platform, ctx->platform.len);

    if (reply->code != NULL) {
        reason->status = reply->status;
        reason->code.data = (u_char *) reply->code;
        reason->code.len = ngx_strlen(reply->code);
        ctx->reason = reason;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_admin_headers(ngx_http_request_t *r, gs_admin_reply_t *reply)
{
    u_char  text[NGX_INT32_LEN + 1];

    ngx_sprintf(text, "%ud%Z", reply->retry_after);

    if ((reply->etag[0] != '\0'
         && ngx_http_govsvc_admin_add(r, "ETag", reply->etag) != NGX_OK)
        || (reply->allow[0] != '\0'
            && ngx_http_govsvc_admin_add(r, "Allow", reply->allow) != NGX_OK)
        || (reply->retry_after != 0
            && ngx_http_govsvc_admin_add(r, "Retry-After", (char *) text)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_admin_add(r, "Cache-Control", "no-store");
}


static ngx_int_t
ngx_http_govsvc_admin_add(ngx_http_request_t *r, const char *key,
    const char *value)
{
    ngx_str_t  k, v;

    k.len = ngx_strlen(key);
    k.data = (u_char *) key;
    v.len = ngx_strlen(value);
    v.data = ngx_pnalloc(r->pool, v.len + 1);

    if (v.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(v.data, value, v.len);

    return ngx_http_govsvc_add_header(r, &k, &v);
}
