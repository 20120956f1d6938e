
/*
 * Copyright (C) govsvc authors
 *
 * What a caller must have: govsvc_require, its parameters and its answers.
 */


#include "http/ngx_http_govsvc_token.h"


static char *ngx_http_govsvc_require_level(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_require_t *req);
static char *ngx_http_govsvc_require_scope(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_require_t *req);
static char *ngx_http_govsvc_require_claim(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_require_t *req);
static ngx_uint_t ngx_http_govsvc_require_holds(
    ngx_http_govsvc_require_t *req, ngx_http_govsvc_ctx_t *ctx);


static const char *const  ngx_http_govsvc_require_names[] = {
    "level>=N",
    "scope=NAME",
    "claim:NAME=VALUE",
    "off",
    NULL
};


char *
ngx_http_govsvc_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_token_conf_t *tlcf = conf;

    char                       *rv;
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_govsvc_require_t  *req;

    value = cf->args->elts;

    if (tlcf->require != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        tlcf->require = NULL;
        return NGX_CONF_OK;
    }

    tlcf->require = ngx_array_create(cf->pool, 4,
                                     sizeof(ngx_http_govsvc_require_t));
    if (tlcf->require == NULL) {
        return NGX_CONF_ERROR;
    }

    tlcf->required.file = cf->conf_file->file.name;
    tlcf->required.line = cf->conf_file->line;

    for (i = 1; i < cf->args->nelts; i++) {

        req = ngx_array_push(tlcf->require);
        if (req == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(req, sizeof(ngx_http_govsvc_require_t));

        if (ngx_strncmp(value[i].data, "level>=", 7) == 0) {
            rv = ngx_http_govsvc_require_level(cf, &value[i], req);

        } else if (ngx_strncmp(value[i].data, "scope=", 6) == 0) {
            rv = ngx_http_govsvc_require_scope(cf, &value[i], req);

        } else if (ngx_strncmp(value[i].data, "claim:", 6) == 0) {
            rv = ngx_http_govsvc_require_claim(cf, &value[i], req);

        } else {
            rv = ngx_govsvc_conf_invalid(cf, "requirement", &value[i],
                                         ngx_http_govsvc_require_names);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_require_level(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_require_t *req)
{
    u_char                   *p;
    static const char *const  levels[] = { "level>=1 to level>=5", NULL };

    if (value->len != sizeof("level>=N") - 1
        || value->data[7] < '1' || value->data[7] > '5')
    {
        return ngx_govsvc_conf_invalid(cf, "level", value, levels);
    }

    req->type = NGX_HTTP_GOVSVC_REQUIRE_LEVEL;
    req->level = (ngx_uint_t) (value->data[7] - '0');

    req->challenge.len = sizeof("Bearer realm=\"govsvc\", "
                                "error=\"insufficient_user_authentication\", "
                                "acr_values=\"N\"") - 1;

    p = ngx_pnalloc(cf->pool, req->challenge.len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    req->challenge.data = p;

    (void) ngx_snprintf(p, req->challenge.len, "Bearer realm=\"govsvc\", "
                        "error=\"insufficient_user_authentication\", "
                        "acr_values=\"%ui\"", req->level);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_require_scope(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_require_t *req)
{
    u_char                   *p;
    size_t                    i;
    static const char *const  chars[] = {
        "visible ASCII characters but quote and backslash", NULL
    };

    req->type = NGX_HTTP_GOVSVC_REQUIRE_SCOPE;
    req->name = gs_str_text("scope");
    req->value = gs_str_make(value->data + 6, value->len - 6);

    /* RFC 6749 section 3.3 */

    for (i = 0; i < req->value.len; i++) {
        if (req->value.data[i] <= 0x20 || req->value.data[i] >= 0x7f
            || req->value.data[i] == '"' || req->value.data[i] == '\\')
        {
            break;
        }
    }

    if (req->value.len == 0 || i < req->value.len) {
        return ngx_govsvc_conf_invalid(cf, "scope", value, chars);
    }

    req->challenge.len = sizeof("Bearer realm=\"govsvc\", "
                                "error=\"insufficient_scope\", "
                                "scope=\"\"") - 1 + req->value.len;

    p = ngx_pnalloc(cf->pool, req->challenge.len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    req->challenge.data = p;

    p = ngx_cpymem(p, "Bearer realm=\"govsvc\", "
                   "error=\"insufficient_scope\", scope=\"",
                   req->challenge.len - req->value.len - 1);
    p = ngx_cpymem(p, req->value.data, req->value.len);
    *p = '"';

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_require_claim(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_require_t *req)
{
    u_char                   *p, *eq, *last;
    static const char *const  form[] = { "claim:NAME=VALUE", NULL };

    p = value->data + 6;
    last = value->data + value->len;
    eq = ngx_strlchr(p, last, '=');

    if (eq == NULL || eq == p || eq + 1 == last) {
        return ngx_govsvc_conf_invalid(cf, "claim", value, form);
    }

    req->type = NGX_HTTP_GOVSVC_REQUIRE_CLAIM;
    req->name = gs_str_make(p, (size_t) (eq - p));
    req->value = gs_str_make(eq + 1, (size_t) (last - eq - 1));

    ngx_str_set(&req->challenge, "Bearer realm=\"govsvc\", "
                "error=\"insufficient_scope\"");

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_govsvc_require_check(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_array_t *require)
{
    ngx_uint_t                  i;
    ngx_http_govsvc_require_t  *req;

    req = require->elts;

    for (i = 0; i < require->nelts; i++) {

        if (ngx_http_govsvc_require_holds(&req[i], ctx)) {
            continue;
        }

        ctx->challenge = req[i].challenge;

        return ngx_http_govsvc_refuse(r,
                   req[i].type == NGX_HTTP_GOVSVC_REQUIRE_LEVEL
                   ? NGX_HTTP_GOVSVC_STEP_UP : NGX_HTTP_GOVSVC_FORBIDDEN);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_govsvc_require_holds(ngx_http_govsvc_require_t *req,
    ngx_http_govsvc_ctx_t *ctx)
{
    ngx_http_govsvc_token_data_t  *data;

    data = ctx->token_data;

    if (data == NULL && req->type != NGX_HTTP_GOVSVC_REQUIRE_LEVEL) {
        return 0;
    }

    switch (req->type) {

    case NGX_HTTP_GOVSVC_REQUIRE_LEVEL:
        return ctx->level >= req->level;

    case NGX_HTTP_GOVSVC_REQUIRE_SCOPE:
        return gs_token_claim_has_word(&data->claims, &req->name,
                                       &req->value);

    default: /* NGX_HTTP_GOVSVC_REQUIRE_CLAIM */
        return gs_token_claim_has(&data->claims, &req->name, &req->value);
    }
}
