
/*
 * Copyright (C) govsvc authors
 *
 * Audit of one request: the last stage, in the log phase, reached by every
 * request, also by those that Nginx refused before any other stage.
 */


#include "http/ngx_http_govsvc_audit_priv.h"
#include "http/ngx_http_govsvc_event.h"


#define NGX_HTTP_GOVSVC_AUDIT_ITEM    31
#define NGX_HTTP_GOVSVC_AUDIT_HANDLE  33


static const char *ngx_http_govsvc_audit_version(ngx_http_request_t *r);
static ngx_uint_t ngx_http_govsvc_audit_status(ngx_http_request_t *r);
static void ngx_http_govsvc_audit_context(ngx_http_govsvc_ctx_t *ctx,
    gs_audit_record_t *rec);
static void ngx_http_govsvc_audit_who(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_audit_record_t *rec);
static void ngx_http_govsvc_audit_decision(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_audit_record_t *rec, u_char *code);
static ngx_uint_t ngx_http_govsvc_audit_refusal(ngx_uint_t status);
static void ngx_http_govsvc_audit_upstream(ngx_http_request_t *r,
    gs_audit_record_t *rec);
static ngx_int_t ngx_http_govsvc_audit_hide(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_str_t *value, size_t place,
    ngx_str_t *pid);


ngx_int_t
ngx_http_govsvc_audit_handler(ngx_http_request_t *r)
{
    u_char                              code[NGX_HTTP_GOVSVC_AUDIT_CODE];
    ngx_uint_t                          cls;
    gs_audit_record_t                   rec;
    ngx_http_govsvc_ctx_t              *ctx;
    ngx_http_govsvc_audit_req_t        *req;
    ngx_http_govsvc_audit_chain_t      *chain;
    ngx_http_govsvc_audit_flight_t     *flight;
    ngx_http_govsvc_audit_loc_conf_t   *alcf;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    static ngx_str_t  none = ngx_null_string;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_audit_module);
    ctx = ngx_http_govsvc_get_ctx(r);
    req = (ctx != NULL) ? ctx->audit_data : NULL;
    flight = (req != NULL) ? req->slot : NULL;
    chain = ngx_http_govsvc_audit_chain();

    if (alcf->level == NGX_HTTP_GOVSVC_AUDIT_OFF
        && (ctx == NULL || ctx->audit_g == 0) && (req == NULL || !req->flies))
    {
        return NGX_DECLINED;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_audit_module);

    ngx_http_govsvc_audit_compose(r, &rec, GS_AUDIT_DONE, code);

    /* a rule that refused tells of an attack, which is not to be shed */

    cls = (rec.denied && rec.rule != 0) ? GS_AUDIT_SECURITY
          : (req != NULL && req->flies) ? req->cls : alcf->cls;

    if (chain != NULL && ctx != NULL && amcf->deny_rate != 0) {
        rec.attack = ngx_http_govsvc_event_attack(r, ctx, &rec.severity);
    }

    if (chain == NULL
        || !ngx_http_govsvc_audit_coalesce(chain, ctx != NULL
                                           ? &ctx->client_net : &none, &rec,
                                           flight))
    {
        ngx_http_govsvc_audit_write(amcf, &rec, cls, flight);

    } else if (ctx != NULL) {
        ctx->audit_counted = 1;
    }

    gs_fault("audit_end");

    if (req != NULL && chain != NULL) {
        ngx_http_govsvc_audit_land(chain, req);
    }

    return NGX_DECLINED;
}


void
ngx_http_govsvc_audit_compose(ngx_http_request_t *r, gs_audit_record_t *rec,
    gs_audit_stage_e stage, u_char *code)
{
    ngx_http_govsvc_ctx_t              *ctx;
    ngx_http_govsvc_audit_req_t        *req;
    ngx_http_govsvc_audit_loc_conf_t   *alcf;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_audit_module);
    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_audit_module);
    ctx = ngx_http_govsvc_get_ctx(r);

    ngx_memzero(rec, offsetof(gs_audit_record_t, headers));

    rec->stage = stage;
    rec->time = ngx_govsvc_wall_us();
    rec->mono = ngx_govsvc_mono_us();

    ngx_http_govsvc_audit_source(r, amcf, rec);
    ngx_http_govsvc_audit_exchange(r, rec);
    ngx_http_govsvc_audit_upstream(r, rec);

    /* no memory for a context is no reason to leave no record */

    if (ctx != NULL) {
        rec->g = ctx->audit_g;

        ngx_http_govsvc_audit_context(ctx, rec);
        ngx_http_govsvc_event_critical(r, ctx, &rec->critical);

        ngx_http_govsvc_audit_who(r, ctx, rec);

        req = ctx->audit_data;

        if (req != NULL) {
            rec->intent = req->intent;

            if (stage != GS_AUDIT_INTENT
                && gs_audit_digest_end(&req->body, rec->body_hash) == GS_OK)
            {
                rec->body_alg = gs_audit_alg_name((gs_audit_alg_e) amcf->alg);
                rec->body_len = req->body.len;
            }
        }
    }

    if (alcf->level >= NGX_HTTP_GOVSVC_AUDIT_HDRS) {
        ngx_http_govsvc_audit_headers_in(r, rec);
    }

    ngx_http_govsvc_audit_decision(r, ctx, rec, code);
}


ngx_int_t
ngx_http_govsvc_audit_id(ngx_http_request_t *r, ngx_str_t *id)
{
    gs_buf_t                            b;
    u_char                             *p;
    ngx_http_govsvc_ctx_t              *ctx;
    ngx_http_govsvc_audit_loc_conf_t   *alcf;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    ngx_str_null(id);

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    alcf = ngx_http_get_module_loc_conf(r->main, ngx_http_govsvc_audit_module);
    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_audit_module);

    if (ctx->audit_g == 0) {

        if (alcf->level == NGX_HTTP_GOVSVC_AUDIT_OFF) {
            return NGX_OK;
        }

        ctx->audit_g = ngx_http_govsvc_audit_next(amcf);
    }

    p = ngx_pnalloc(r->pool, amcf->node.len + 2 + 2 * NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    gs_buf_init(&b, p, amcf->node.len + 2 + 2 * NGX_INT64_LEN);
    gs_buf_str(&b, &amcf->node);
    gs_buf_char(&b, '.');
    gs_buf_u64(&b, amcf->epoch);
    gs_buf_char(&b, '.');
    gs_buf_u64(&b, ctx->audit_g);

    id->data = p;
    id->len = gs_buf_len(&b);

    return NGX_OK;
}


void
ngx_http_govsvc_audit_source(ngx_http_request_t *r,
    ngx_http_govsvc_audit_main_conf_t *amcf, gs_audit_record_t *rec)
{
    ngx_connection_t           *c;
    ngx_http_variable_value_t  *v;

    c = r->connection;

    rec->ip = ngx_govsvc_to_gs(&c->addr_text);
    rec->port = ngx_inet_get_port(c->sockaddr);

    if (amcf->realip == NGX_ERROR) {
        return;
    }

    v = ngx_http_get_indexed_variable(r, (ngx_uint_t) amcf->realip);

    if (v == NULL || v->not_found) {
        return;
    }

    rec->peer = gs_str_make(v->data, v->len);

    if (gs_str_eq(&rec->peer, &rec->ip)) {
        rec->peer.len = 0;
    }
}


void
ngx_http_govsvc_audit_exchange(ngx_http_request_t *r, gs_audit_record_t *rec)
{
    ngx_table_elt_t  *h;

    rec->method = ngx_govsvc_to_gs(&r->method_name);
    rec->host = ngx_govsvc_to_gs(&r->headers_in.server);
    rec->path = ngx_govsvc_to_gs(&r->uri);
    rec->args = ngx_govsvc_to_gs(&r->args);
    rec->version = ngx_http_govsvc_audit_version(r);
    rec->status = (unsigned) ngx_http_govsvc_audit_status(r);
    rec->bytes_in = (uint64_t) r->request_length;
    rec->bytes_out = (uint64_t) r->connection->sent;

    h = r->headers_in.user_agent;

    if (h != NULL) {
        rec->user_agent = ngx_govsvc_to_gs(&h->value);
    }

    h = r->headers_in.referer;

    if (h != NULL) {
        rec->referer = ngx_govsvc_to_gs(&h->value);
    }
}


static const char *
ngx_http_govsvc_audit_version(ngx_http_request_t *r)
{
    switch (r->http_version) {

    case NGX_HTTP_VERSION_9:
        return "0.9";

    case NGX_HTTP_VERSION_10:
        return "1.0";

    case NGX_HTTP_VERSION_11:
        return "1.1";

    case NGX_HTTP_VERSION_20:
        return "2";

    case 3000:                             /* since 1.25 */
        return "3";

    default:
        return NULL;
    }
}


/* As $status of ngx_http_log_module. */

static ngx_uint_t
ngx_http_govsvc_audit_status(ngx_http_request_t *r)
{
    if (r->err_status != 0) {
        return r->err_status;
    }

    if (r->headers_out.status != 0) {
        return r->headers_out.status;
    }

    return (r->http_version == NGX_HTTP_VERSION_9) ? 9 : 0;
}


static void
ngx_http_govsvc_audit_context(ngx_http_govsvc_ctx_t *ctx,
    gs_audit_record_t *rec)
{
    static const char *const  tokens[] = { NULL, "absent", "valid", "bad" };
    static const char *const  limits[] = {
        NULL, "ok", "limited", "dry_run", "delayed"
    };

    rec->duration = (rec->time > ctx->start) ? rec->time - ctx->start : 0;

    rec->request_id = ngx_govsvc_to_gs(&ctx->request_id);
    rec->trace_id = ngx_govsvc_to_gs(&ctx->trace_id);
    rec->span_id = ngx_govsvc_to_gs(&ctx->span_id);

    rec->item = ngx_govsvc_to_gs(&ctx->item);

    /* a handle item is an item and two characters more */

    if (rec->item.len == NGX_HTTP_GOVSVC_AUDIT_HANDLE) {
        rec->handle = rec->item;
        rec->item.len = NGX_HTTP_GOVSVC_AUDIT_ITEM;
    }

    rec->case_no = ngx_govsvc_to_gs(&ctx->case_no);
    rec->region = ngx_govsvc_to_gs(&ctx->region);
    rec->platform = ngx_govsvc_to_gs(&ctx->platform);
    rec->pool = ngx_govsvc_to_gs(&ctx->pool);
    rec->channel = ngx_govsvc_to_gs(&ctx->channel);
    rec->app = ngx_govsvc_to_gs(&ctx->app);
    rec->scheme = ngx_govsvc_to_gs(&ctx->scheme);

    rec->issuer = ngx_govsvc_to_gs(&ctx->issuer);
    rec->token = tokens[ctx->auth_status];

    if (ctx->auth_status == NGX_HTTP_GOVSVC_AUTH_OK) {
        rec->level = (unsigned) ctx->level;
    }

    rec->rule = ctx->rule;
    rec->limit = limits[ctx->limit_status];
}


/* The subject, who acts for it, the token: never but as pseudonyms. */

static void
ngx_http_govsvc_audit_who(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    gs_audit_record_t *rec)
{
    ngx_str_t  pid;

    rec->subject = ngx_govsvc_to_gs(&ctx->subject);

    if (ctx->auth_status == NGX_HTTP_GOVSVC_AUTH_OK) {
        rec->kind = ngx_govsvc_to_gs(&ctx->user);
    }

    if (ngx_http_govsvc_audit_pid(r, &pid) == NGX_OK) {
        rec->pid = ngx_govsvc_to_gs(&pid);
    }

    if (ngx_http_govsvc_audit_hide(r, ctx, &ctx->actor,
                        offsetof(ngx_http_govsvc_audit_req_t, agent), &pid)
        == NGX_OK)
    {
        rec->agent = ngx_govsvc_to_gs(&pid);
    }

    if (ngx_http_govsvc_audit_hide(r, ctx, &ctx->jti,
                        offsetof(ngx_http_govsvc_audit_req_t, jti), &pid)
        == NGX_OK)
    {
        rec->jti = ngx_govsvc_to_gs(&pid);
    }
}


/*
 * Refused by a stage of ours, or by Nginx itself before any platform was
 * asked (broken requests, "deny", "limit_req"): code HTTP_<status>.
 */

static void
ngx_http_govsvc_audit_decision(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_audit_record_t *rec, u_char *code)
{
    if (ctx != NULL && ctx->reason != NULL) {
        rec->denied = 1;
        rec->code = ngx_govsvc_to_gs(&ctx->reason->code);
        return;
    }

    if (rec->up_tries == 0 && ngx_http_govsvc_audit_refusal(rec->status)) {
        ngx_sprintf(code, "HTTP_%03ui", (ngx_uint_t) rec->status);

        rec->denied = 1;
        rec->code = gs_str_make(code, NGX_HTTP_GOVSVC_AUDIT_CODE);
    }
}


static ngx_uint_t
ngx_http_govsvc_audit_refusal(ngx_uint_t status)
{
    switch (status) {

    case NGX_HTTP_BAD_REQUEST:
    case NGX_HTTP_UNAUTHORIZED:
    case NGX_HTTP_FORBIDDEN:
    case NGX_HTTP_NOT_ALLOWED:
    case NGX_HTTP_REQUEST_TIME_OUT:
    case NGX_HTTP_LENGTH_REQUIRED:
    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
    case NGX_HTTP_REQUEST_URI_TOO_LARGE:
    case NGX_HTTP_MISDIRECTED_REQUEST:
    case NGX_HTTP_TOO_MANY_REQUESTS:
    case NGX_HTTP_REQUEST_HEADER_TOO_LARGE:
    case NGX_HTTPS_CERT_ERROR:
    case NGX_HTTPS_NO_CERT:
    case NGX_HTTP_TO_HTTPS:
    case NGX_HTTP_NOT_IMPLEMENTED:
    case NGX_HTTP_SERVICE_UNAVAILABLE:
    case NGX_HTTP_VERSION_NOT_SUPPORTED:
        return 1;

    default:
        return 0;
    }
}


static void
ngx_http_govsvc_audit_upstream(ngx_http_request_t *r, gs_audit_record_t *rec)
{
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL) {
        return;
    }

    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {

        /* an empty one stands between two upstreams of one request */

        if (state[i].peer == NULL) {
            continue;
        }

        rec->up_tries++;
        rec->up_addr = ngx_govsvc_to_gs(state[i].peer);
        rec->up_status = (unsigned) state[i].status;

        if (state[i].response_time != (ngx_msec_t) -1) {
            rec->up_duration = (uint64_t) state[i].response_time * 1000;
        }
    }
}


ngx_int_t
ngx_http_govsvc_audit_pid(ngx_http_request_t *r, ngx_str_t *pid)
{
    ngx_http_govsvc_ctx_t  *ctx;

    ngx_str_null(pid);

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_audit_hide(r, ctx, &ctx->subject,
                        offsetof(ngx_http_govsvc_audit_req_t, pid), pid);
}


/* The pseudonym of value, kept at that place of what audit keeps of r. */

static ngx_int_t
ngx_http_govsvc_audit_hide(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_str_t *value, size_t place, ngx_str_t *pid)
{
    size_t                              len;
    u_char                             *p;
    gs_str_t                            id;
    ngx_str_t                          *kept;
    ngx_http_govsvc_audit_req_t        *req;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    ngx_str_null(pid);

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_audit_module);

    if (amcf->nkeys == 0 || value->len == 0) {
        return NGX_OK;
    }

    req = ngx_http_govsvc_audit_req(r, ctx);
    if (req == NULL) {
        return NGX_ERROR;
    }

    kept = (ngx_str_t *) ((u_char *) req + place);

    if (kept->len != 0) {
        *pid = *kept;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, GS_AUDIT_PID_MAX);
    if (p == NULL) {
        return NGX_ERROR;
    }

    id = ngx_govsvc_to_gs(value);
    len = ngx_http_govsvc_audit_pid_of(r, &id, p);

    if (len == 0) {
        return NGX_ERROR;
    }

    kept->len = len;
    kept->data = p;

    *pid = *kept;

    return NGX_OK;
}


size_t
ngx_http_govsvc_audit_pid_of(ngx_http_request_t *r, const gs_str_t *value,
    u_char *dst)
{
    size_t                              len;
    uint64_t                            now;
    ngx_uint_t                          i;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_audit_module);

    if (amcf->nkeys == 0 || value->len == 0) {
        return 0;
    }

    now = ngx_govsvc_wall_us();

    for (i = amcf->nkeys - 1; i != 0 && amcf->keys[i].from > now; i--) {
        /* void */
    }

    return gs_audit_pseudonym(amcf->keys[i].pseudonym, value, dst, &len)
           == GS_OK ? len : 0;
}
