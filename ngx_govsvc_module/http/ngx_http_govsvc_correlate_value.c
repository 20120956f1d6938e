
/*
 * Copyright (C) govsvc authors
 *
 * Correlation: fields of a request.  Those of the query, of headers and of
 * the body are taken by a small set of rules of its own, so that they are
 * decoded as the guard decodes them.
 */


#include "core/gs_buf.h"
#include "http/ngx_http_govsvc_correlate_priv.h"


static void ngx_http_govsvc_correlate_place(
    ngx_http_govsvc_correlate_request_t *w, gs_correlate_kind_e kind,
    const gs_str_t *value);
static gs_rc_t ngx_http_govsvc_correlate_where(
    ngx_http_govsvc_correlate_request_t *w, gs_correlate_kind_e kind,
    gs_str_t *value);
static gs_rc_t ngx_http_govsvc_correlate_taken(
    ngx_http_govsvc_correlate_request_t *w, const gs_correlate_field_t *field,
    gs_str_t *value);
static void ngx_http_govsvc_correlate_take(
    ngx_http_govsvc_correlate_request_t *w);
static void ngx_http_govsvc_correlate_trace(void *data, uint32_t rule,
    unsigned line, const char *view, const gs_str_t *target,
    const gs_str_t *name, const gs_str_t *value);
static gs_rc_t ngx_http_govsvc_correlate_text(const ngx_str_t *text,
    gs_str_t *value);
static ngx_int_t ngx_http_govsvc_correlate_name(
    ngx_http_govsvc_correlate_request_t *w, gs_correlate_kind_e kind,
    gs_str_t *key);
static ngx_uint_t ngx_http_govsvc_correlate_field(
    ngx_http_govsvc_correlate_main_conf_t *conf,
    const gs_correlate_field_t *field);


const ngx_str_t  ngx_http_govsvc_correlate_callers[] = {
    ngx_string("ip"), ngx_string("network"), ngx_string("subject"),
    ngx_string("app"), ngx_string("caller")
};


void
ngx_http_govsvc_correlate_request(ngx_http_govsvc_correlate_request_t *w,
    ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_correlate_main_conf_t *conf)
{
    w->request = r;
    w->ctx = ctx;
    w->conf = conf;
    w->level = 0;
    w->acts = 0;
    w->taken = 0;
    w->shown = gs_str_make(w->label, 0);
}


gs_correlate_kind_e
ngx_http_govsvc_correlate_kind(ngx_http_govsvc_ctx_t *ctx,
    const gs_str_t *key)
{
    ngx_uint_t  i;

    for (i = 0; i < GS_CORRELATE_CALLER; i++) {
        if (gs_str_eq_text(key, (char *)
                           ngx_http_govsvc_correlate_callers[i].data))
        {
            return (gs_correlate_kind_e) i;
        }
    }

    return ngx_http_govsvc_anonymous(ctx) ? GS_CORRELATE_CALLER
                                          : GS_CORRELATE_SUBJECT;
}


ngx_uint_t
ngx_http_govsvc_correlate_allowed(ngx_http_govsvc_correlate_main_conf_t *conf,
    ngx_http_request_t *r)
{
    gs_net_t  net;

    return conf->ban != NULL && conf->ban->allow != NULL
           && gs_net_sockaddr(&net, r->connection->sockaddr,
                              r->connection->socklen)
              == GS_OK
           && gs_net_set_has(conf->ban->allow, &net);
}


/* Nobody is told by it, so that people may read which one it was. */

static void
ngx_http_govsvc_correlate_place(ngx_http_govsvc_correlate_request_t *w,
    gs_correlate_kind_e kind, const gs_str_t *value)
{
    gs_buf_t  b;

    gs_buf_init(&b, w->label, sizeof(w->label));
    gs_buf_text(&b, (kind == GS_CORRELATE_ASN) ? "AS" : "");
    gs_buf_str(&b, value);

    w->shown = gs_buf_view(&b);
}


gs_rc_t
ngx_http_govsvc_correlate_value(void *data, const gs_correlate_field_t *field,
    unsigned key, gs_str_t *value)
{
    ngx_http_govsvc_correlate_request_t *w = data;

    gs_str_t                   path;
    ngx_http_request_t        *r;
    ngx_http_core_srv_conf_t  *cscf;

    r = w->request;

    switch (field->kind) {

    case GS_CORRELATE_IP:
    case GS_CORRELATE_NETWORK:
    case GS_CORRELATE_SUBJECT:
    case GS_CORRELATE_APP:
        if (key) {
            return (gs_rc_t) ngx_http_govsvc_correlate_caller(w, field->kind,
                                                              value);
        }

        return (field->kind == GS_CORRELATE_SUBJECT)
               ? ngx_http_govsvc_correlate_text(&w->ctx->subject, value)
               : (field->kind == GS_CORRELATE_APP)
               ? ngx_http_govsvc_correlate_text(&w->ctx->app, value)
               : ngx_http_govsvc_correlate_text(&w->ctx->client_net, value);

    case GS_CORRELATE_SITE:
        cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
        *value = ngx_govsvc_to_gs(&cscf->server_name);
        break;

    case GS_CORRELATE_PATH:
        *value = ngx_govsvc_to_gs(&r->uri);
        break;

    case GS_CORRELATE_OBJECT:
        path = ngx_govsvc_to_gs(&r->uri);

        if (gs_correlate_object(&path, value) != GS_OK) {
            return GS_DECLINED;
        }

        break;

    case GS_CORRELATE_ITEM:
        *value = ngx_govsvc_to_gs(&w->ctx->item);
        break;

    case GS_CORRELATE_PROVINCE:
    case GS_CORRELATE_AREA:
    case GS_CORRELATE_ASN:
        if (ngx_http_govsvc_correlate_where(w, field->kind, value) != GS_OK) {
            return GS_DECLINED;
        }

        break;

    case GS_CORRELATE_HIT:
        return GS_DECLINED;

    case GS_CORRELATE_SEGMENT:
        path = ngx_govsvc_to_gs(&r->uri);

        if (gs_correlate_segment(&path, field->number, value) != GS_OK) {
            return GS_DECLINED;
        }

        break;

    default:
        if (ngx_http_govsvc_correlate_taken(w, field, value) != GS_OK) {
            return GS_DECLINED;
        }
    }

    if (key) {
        w->shown = gs_str_make(w->label, 0);

        if (field->kind == GS_CORRELATE_ASN
            || field->kind == GS_CORRELATE_PROVINCE
            || field->kind == GS_CORRELATE_AREA)
        {
            ngx_http_govsvc_correlate_place(w, field->kind, value);
        }
    }

    return (value->len != 0) ? GS_OK : GS_DECLINED;
}


/* A ban of it has the same hash, so that one that is lifted is found. */

ngx_int_t
ngx_http_govsvc_correlate_caller(ngx_http_govsvc_correlate_request_t *w,
    gs_correlate_kind_e kind, gs_str_t *key)
{
    gs_str_t  name;

    if (w->conf->ban == NULL) {
        return ngx_http_govsvc_correlate_name(w, kind, key);
    }

    name = ngx_govsvc_to_gs(&ngx_http_govsvc_correlate_callers[kind]);

    if (ngx_http_govsvc_ban_request_id(w->request, w->ctx, w->conf->ban,
                                       &name, &w->id, w->label, &w->shown)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    *key = gs_str_make(w->id.h, sizeof(w->id.h));

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_correlate_name(ngx_http_govsvc_correlate_request_t *w,
    gs_correlate_kind_e kind, gs_str_t *key)
{
    u_char                 *p;
    gs_str_t                s;
    gs_net_t                net;
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = w->ctx;
    w->shown = gs_str_make(w->label, 0);

    switch (kind) {

    case GS_CORRELATE_SUBJECT:
        if (ctx->subject.len == 0) {
            return NGX_DECLINED;
        }

        p = ngx_cpymem(w->key, ctx->issuer.data,
                       ngx_min(ctx->issuer.len, NGX_HTTP_GOVSVC_BAN_LABEL));
        *p++ = '\0';
        p = ngx_cpymem(p, ctx->subject.data, ngx_min(ctx->subject.len, 500));
        *key = gs_str_make(w->key, p - w->key);

        return NGX_OK;

    case GS_CORRELATE_APP:
        *key = w->shown = ngx_govsvc_to_gs(&ctx->app);
        return (key->len != 0) ? NGX_OK : NGX_DECLINED;

    default:
        s = ngx_govsvc_to_gs(&ctx->client_net);

        if (gs_net_parse(&net, &s) != GS_OK) {
            return NGX_DECLINED;
        }

        if (kind == GS_CORRELATE_NETWORK) {
            gs_net_mask(&net, net.family == GS_NET_IPV4
                              ? NGX_HTTP_GOVSVC_BAN_INET
                              : NGX_HTTP_GOVSVC_BAN_INET6);
        }

        w->shown = gs_str_make(w->label, gs_net_print(w->label, &net));
        *key = w->shown;

        return NGX_OK;
    }
}


static gs_rc_t
ngx_http_govsvc_correlate_text(const ngx_str_t *text, gs_str_t *value)
{
    *value = ngx_govsvc_to_gs(text);

    return (value->len != 0) ? GS_OK : GS_DECLINED;
}


/*
 * Without a database of places there is none, and nothing is counted.  The
 * first digit of a province (GB/T 2260) is the part of the country.
 */

static gs_rc_t
ngx_http_govsvc_correlate_where(ngx_http_govsvc_correlate_request_t *w,
    gs_correlate_kind_e kind, gs_str_t *value)
{
    ngx_uint_t  n;

    if (kind == GS_CORRELATE_ASN) {
        n = ngx_http_govsvc_geo_asn(w->request);
        *value = gs_str_make(w->asn, ngx_sprintf(w->asn, "%ui", n) - w->asn);

        return (n != 0) ? GS_OK : GS_DECLINED;
    }

    n = ngx_http_govsvc_geo_region(w->request);
    *value = gs_str_make(w->text, ngx_sprintf(w->text, "%06ui",
                                              n / 10000 * 10000)
                                  - w->text);

    if (kind == GS_CORRELATE_AREA) {
        value->len = 1;
    }

    return (n != 0) ? GS_OK : GS_DECLINED;
}


static gs_rc_t
ngx_http_govsvc_correlate_taken(ngx_http_govsvc_correlate_request_t *w,
    const gs_correlate_field_t *field, gs_str_t *value)
{
    ngx_uint_t  i;

    i = ngx_http_govsvc_correlate_field(w->conf, field);

    if (i == w->conf->nfields) {
        return GS_DECLINED;
    }

    if (!w->taken) {
        w->taken = 1;
        ngx_http_govsvc_correlate_take(w);
    }

    *value = w->values[i];

    return (value->len != 0) ? GS_OK : GS_DECLINED;
}


static void
ngx_http_govsvc_correlate_take(ngx_http_govsvc_correlate_request_t *w)
{
    gs_guard_verdict_t                  verdict;
    ngx_http_request_t                 *r;
    ngx_http_govsvc_guard_input_t       input;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    r = w->request;
    ngx_memzero(w->values, sizeof(w->values));

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_guard_module);
    ngx_http_govsvc_guard_input(&input, r);

    if (gmcf->body != 0 && r->request_body != NULL
        && ngx_http_govsvc_guard_gather(&input, gmcf->body) != NGX_OK)
    {
        input.in.body = gs_str_make(NULL, 0);
    }

    gs_guard_trace(w->conf->scratch, ngx_http_govsvc_correlate_trace, w);
    gs_guard_verdict_init(&verdict);

    (void) gs_guard_run(w->conf->taker, w->conf->scratch, NULL,
                        GS_GUARD_HEAD, &input.in, &verdict);

    if (input.in.body.len != 0) {
        (void) gs_guard_run(w->conf->taker, w->conf->scratch, NULL,
                            GS_GUARD_BODY, &input.in, &verdict);
    }
}


/* The first value of each field; what is longer counts by its beginning. */

static void
ngx_http_govsvc_correlate_trace(void *data, uint32_t rule, unsigned line,
    const char *view, const gs_str_t *target, const gs_str_t *name,
    const gs_str_t *value)
{
    ngx_http_govsvc_correlate_request_t *w = data;

    size_t      len;
    ngx_uint_t  i;

    i = rule - GS_GUARD_ID_MIN;

    if (i >= w->conf->nfields || w->values[i].len != 0) {
        return;
    }

    len = ngx_min(value->len, NGX_HTTP_GOVSVC_CORRELATE_VALUE);

    ngx_memcpy(w->data[i], value->data, len);
    w->values[i] = gs_str_make(w->data[i], len);
}


static ngx_uint_t
ngx_http_govsvc_correlate_field(ngx_http_govsvc_correlate_main_conf_t *conf,
    const gs_correlate_field_t *field)
{
    ngx_uint_t  i;

    for (i = 0; i < conf->nfields; i++) {
        if (gs_str_eq(&conf->fields[i]->text, &field->text)) {
            break;
        }
    }

    return i;
}


char *
ngx_http_govsvc_correlate_taker(ngx_conf_t *cf,
    ngx_http_govsvc_correlate_main_conf_t *conf)
{
    u_char                              text[256], *p;
    gs_err_t                            err;
    gs_str_t                            file, rules;
    gs_mem_t                           *mem;
    ngx_str_t                           name;
    unsigned                            i, n;
    ngx_uint_t                          k;
    const gs_correlate_rule_t          *rule;
    const gs_correlate_field_t         *field;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    rule = gs_correlate_rules(conf->guard, &n);
    gmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_guard_module);

    ngx_memzero(&err, sizeof(gs_err_t));
    ngx_str_set(&name, "\"govsvc_correlate\"");
    file = gs_str_text("correlate");

    mem = ngx_govsvc_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->build = gs_guard_build_create(mem, NULL, NULL, NULL);
    if (conf->build == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < 2 * n; i++) {

        field = (i % 2 == 0) ? &rule[i / 2].key : &rule[i / 2].of;

        if (field->kind < GS_CORRELATE_ARG || field->text.len == 0
            || ngx_http_govsvc_correlate_field(conf, field) < conf->nfields)
        {
            continue;
        }

        k = conf->nfields;

        if (k == NGX_HTTP_GOVSVC_CORRELATE_FIELDS) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "correlations look at more than %d fields",
                          NGX_HTTP_GOVSVC_CORRELATE_FIELDS);
            return NGX_CONF_ERROR;
        }

        name = ngx_govsvc_from_gs(&field->text);
        p = ngx_snprintf(text, sizeof(text),
                         "rule %ui v { match \"%V\" exists; log; }",
                         GS_GUARD_ID_MIN + k, &name);
        rules = gs_str_make(text, p - text);

        if (gs_guard_parse(conf->build, &file, &rules, &err) != GS_OK) {
            return ngx_govsvc_conf_error(cf, &name, &err);
        }

        conf->fields[conf->nfields++] = field;
    }

    if (gs_guard_compile(&conf->taker, conf->build, &err) != GS_OK) {
        return ngx_govsvc_conf_error(cf, &name, &err);
    }

    conf->build = NULL;
    conf->scratch = gs_guard_scratch_create(conf->taker, mem, gmcf->body);

    return (conf->scratch == NULL) ? NGX_CONF_ERROR : NGX_CONF_OK;
}
