
/*
 * Copyright (C) govsvc authors
 *
 * Variables: what the stages have found out so far.  Before its stage a
 * variable is empty ("not found"); none holds a secret.
 */


#include "http/ngx_http_govsvc_ctx.h"
#include "http/ngx_http_govsvc_audit.h"


typedef enum {
    NGX_HTTP_GOVSVC_VAR_ASN = 0,
    NGX_HTTP_GOVSVC_VAR_AUTH,
    NGX_HTTP_GOVSVC_VAR_LEVEL,
    NGX_HTTP_GOVSVC_VAR_UNPROVEN,
    NGX_HTTP_GOVSVC_VAR_PID,
    NGX_HTTP_GOVSVC_VAR_AUDIT_ID,
    NGX_HTTP_GOVSVC_VAR_LIMIT,
    NGX_HTTP_GOVSVC_VAR_BAN,
    NGX_HTTP_GOVSVC_VAR_DECISION,
    NGX_HTTP_GOVSVC_VAR_REASON
} ngx_http_govsvc_var_e;


static ngx_int_t ngx_http_govsvc_text_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_govsvc_caller_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_govsvc_number_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_govsvc_made_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_govsvc_put_text(ngx_http_variable_value_t *v,
    const ngx_str_t *s);
static ngx_int_t ngx_http_govsvc_put_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_uint_t n);


#define ngx_http_govsvc_text(name, field)                                     \
    { ngx_string("govsvc_" name), NULL, ngx_http_govsvc_text_variable,        \
      offsetof(ngx_http_govsvc_ctx_t, field), NGX_HTTP_VAR_NOCACHEABLE, 0 }

#define ngx_http_govsvc_caller(name, field)                                   \
    { ngx_string("govsvc_" name), NULL, ngx_http_govsvc_caller_variable,      \
      offsetof(ngx_http_govsvc_ctx_t, field), NGX_HTTP_VAR_NOCACHEABLE, 0 }

#define ngx_http_govsvc_number(name, field)                                   \
    { ngx_string("govsvc_" name), NULL, ngx_http_govsvc_number_variable,      \
      offsetof(ngx_http_govsvc_ctx_t, field), NGX_HTTP_VAR_NOCACHEABLE, 0 }

#define ngx_http_govsvc_made(name, which)                                     \
    { ngx_string("govsvc_" name), NULL, ngx_http_govsvc_made_variable,        \
      NGX_HTTP_GOVSVC_VAR_##which, NGX_HTTP_VAR_NOCACHEABLE, 0 }


ngx_http_variable_t  ngx_http_govsvc_variables[] = {

    ngx_http_govsvc_text("request_id", request_id),
    ngx_http_govsvc_text("trace_id", trace_id),
    ngx_http_govsvc_text("client_net", client_net),
    ngx_http_govsvc_text("platform", platform),
    ngx_http_govsvc_text("pool", pool),
    ngx_http_govsvc_text("route", route),
    ngx_http_govsvc_text("region", region),
    ngx_http_govsvc_text("region_source", region_source),
    ngx_http_govsvc_text("item", item),
    ngx_http_govsvc_text("case", case_no),
    ngx_http_govsvc_text("channel", channel),
    ngx_http_govsvc_text("upstream_host", upstream_host),
    ngx_http_govsvc_caller("issuer", issuer),
    ngx_http_govsvc_caller("subject", subject),
    ngx_http_govsvc_caller("actor", actor),
    ngx_http_govsvc_caller("user", user),
    ngx_http_govsvc_caller("app", app),
    ngx_http_govsvc_caller("scope", scope),
    ngx_http_govsvc_number("rule", rule),
    ngx_http_govsvc_number("score", score),
    ngx_http_govsvc_made("asn", ASN),
    ngx_http_govsvc_made("auth", AUTH),
    ngx_http_govsvc_made("level", LEVEL),
    ngx_http_govsvc_made("unproven_net", UNPROVEN),
    ngx_http_govsvc_made("subject_pid", PID),
    ngx_http_govsvc_made("audit_id", AUDIT_ID),
    ngx_http_govsvc_made("limit_status", LIMIT),
    ngx_http_govsvc_made("ban_status", BAN),
    ngx_http_govsvc_made("decision", DECISION),
    ngx_http_govsvc_made("reason", REASON),

      ngx_http_null_variable
};


static const ngx_str_t  ngx_http_govsvc_auth_names[] = {
    ngx_null_string,
    ngx_string("absent"),
    ngx_string("ok"),
    ngx_string("bad")
};


static const ngx_str_t  ngx_http_govsvc_limit_names[] = {
    ngx_null_string,
    ngx_string("PASSED"),
    ngx_string("REJECTED"),
    ngx_string("REJECTED_DRY_RUN"),
    ngx_string("DELAYED")
};


ngx_int_t
ngx_http_govsvc_add_variables(ngx_conf_t *cf, ngx_http_variable_t *vars)
{
    ngx_http_variable_t  *var, *v;

    for (v = vars; v->name.len != 0; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_text_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_put_text(v, (ngx_str_t *) ((char *) ctx + data));
}


static ngx_int_t
ngx_http_govsvc_caller_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_govsvc_token_ask(r);

    return ngx_http_govsvc_text_variable(r, v, data);
}


static ngx_int_t
ngx_http_govsvc_number_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_uint_t             *n;
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    n = (ngx_uint_t *) ((char *) ctx + data);

    if (*n == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    return ngx_http_govsvc_put_number(r, v, *n);
}


static ngx_int_t
ngx_http_govsvc_made_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_int_t               rc;
    ngx_str_t               s;
    ngx_uint_t              asn;
    ngx_http_govsvc_ctx_t  *ctx;

    static const ngx_str_t  allow = ngx_string("allow");
    static const ngx_str_t  deny = ngx_string("deny");
    static const ngx_str_t  banned = ngx_string("BANNED");
    static const ngx_str_t  dry_run = ngx_string("BANNED_DRY_RUN");

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;
    ngx_str_null(&s);

    switch (data) {

    case NGX_HTTP_GOVSVC_VAR_ASN:
        asn = ngx_http_govsvc_geo_asn(r);

        if (asn != 0) {
            return ngx_http_govsvc_put_number(r, v, asn);
        }
        break;

    case NGX_HTTP_GOVSVC_VAR_AUTH:
        ngx_http_govsvc_token_ask(r);
        s = ngx_http_govsvc_auth_names[ctx->auth_status];
        break;

    case NGX_HTTP_GOVSVC_VAR_LEVEL:
        ngx_http_govsvc_token_ask(r);

        if (ctx->auth_status != NGX_HTTP_GOVSVC_AUTH_NONE) {
            return ngx_http_govsvc_put_number(r, v, ctx->level);
        }
        break;

    case NGX_HTTP_GOVSVC_VAR_UNPROVEN:
        ngx_http_govsvc_token_ask(r);

        if (ngx_http_govsvc_anonymous(ctx)) {
            s = ctx->client_net;
        }
        break;

    case NGX_HTTP_GOVSVC_VAR_PID:
        rc = ngx_http_govsvc_audit_pid(r, &s);
        break;

    case NGX_HTTP_GOVSVC_VAR_AUDIT_ID:
        rc = ngx_http_govsvc_audit_id(r, &s);
        break;

    case NGX_HTTP_GOVSVC_VAR_LIMIT:
        s = ngx_http_govsvc_limit_names[ctx->limit_status];
        break;

    case NGX_HTTP_GOVSVC_VAR_BAN:
        if (ctx->ban_until != 0) {
            s = ctx->ban_dry_run ? dry_run : banned;
        }

        break;

    case NGX_HTTP_GOVSVC_VAR_DECISION:
        s = (ctx->reason != NULL) ? deny : allow;
        break;

    default: /* NGX_HTTP_GOVSVC_VAR_REASON */
        if (ctx->reason != NULL) {
            s = ctx->reason->code;
        }
    }

    return (rc == NGX_OK) ? ngx_http_govsvc_put_text(v, &s) : rc;
}


static ngx_int_t
ngx_http_govsvc_put_text(ngx_http_variable_value_t *v, const ngx_str_t *s)
{
    if (s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = s->data;
    v->len = (unsigned) s->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_put_number(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    ngx_uint_t n)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;
    v->len = (unsigned) (ngx_sprintf(p, "%ui", n) - p);
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
