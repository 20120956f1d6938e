
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
static char *ngx_http_govsvc_require_who(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_require_t *req);
static ngx_int_t ngx_http_govsvc_require_number(const gs_str_t *s,
    int64_t *n);
static ngx_int_t ngx_http_govsvc_require_step_up(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_require_t *req);
static ngx_uint_t ngx_http_govsvc_require_visible(const gs_str_t *s);
static ngx_uint_t ngx_http_govsvc_require_compare(
    ngx_http_govsvc_require_t *req, gs_str_t *claims);
static ngx_uint_t ngx_http_govsvc_require_holds(
    ngx_http_govsvc_require_t *req, ngx_http_govsvc_ctx_t *ctx);


static const char *const  ngx_http_govsvc_require_names[] = {
    "level>=N",
    "scope=NAME",
    "user=natural",
    "user=legal",
    "actor=none",
    "actor=some",
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

        } else if (ngx_strncmp(value[i].data, "user=", 5) == 0
                   || ngx_strncmp(value[i].data, "actor=", 6) == 0)
        {
            rv = ngx_http_govsvc_require_who(cf, &value[i], req);

        } else if (ngx_strcmp(value[i].data, "off") == 0) {
            return "has \"off\" beside requirements; it stands alone";

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
ngx_http_govsvc_require_who(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_require_t *req)
{
    static const char *const  users[] = {
        "user=natural", "user=legal", NULL
    };
    static const char *const  actors[] = {
        "actor=none", "actor=some", NULL
    };

    ngx_str_set(&req->challenge, "Bearer realm=\"govsvc\", "
                "error=\"insufficient_scope\"");

    if (value->data[0] == 'u') {
        req->type = NGX_HTTP_GOVSVC_REQUIRE_USER;
        req->value = gs_str_make(value->data + 5, value->len - 5);

        if (ngx_strcmp(value->data, users[0]) != 0
            && ngx_strcmp(value->data, users[1]) != 0)
        {
            return ngx_govsvc_conf_invalid(cf, "user", value, users);
        }

        return NGX_CONF_OK;
    }

    req->type = NGX_HTTP_GOVSVC_REQUIRE_ACTOR;
    req->level = (ngx_strcmp(value->data, actors[1]) == 0);

    if (!req->level && ngx_strcmp(value->data, actors[0]) != 0) {
        return ngx_govsvc_conf_invalid(cf, "actor", value, actors);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_require_claim(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_require_t *req)
{
    u_char                   *p, *op, *last;
    static const char *const  form[] = {
        "claim:NAME=VALUE", "claim:NAME!=VALUE", "claim:NAME^=PREFIX",
        "claim:NAME>=N", "claim:NAME<=N", "claim:NAME>N", "claim:NAME<N", NULL
    };
    static const char *const  pointer[] = {
        "a JSON pointer with \"~0\" and \"~1\" for \"~\" and \"/\"", NULL
    };

    p = value->data + 6;
    last = value->data + value->len;

    req->type = NGX_HTTP_GOVSVC_REQUIRE_CLAIM;

    ngx_str_set(&req->challenge, "Bearer realm=\"govsvc\", "
                "error=\"insufficient_scope\"");

    for (op = p; op < last; op++) {

        if (*op == '='
            || ((*op == '!' || *op == '^') && op + 1 < last && op[1] == '=')
            || *op == '<' || *op == '>')
        {
            break;
        }
    }

    req->name = gs_str_make(p, (size_t) (op - p));

    if (op < last) {
        req->op = *op++;
    }

    if (req->op != '=' && op < last && *op == '=') {
        req->equal = 1;
        op++;
    }

    req->value = gs_str_make(op, (size_t) (last - op));

    if (req->name.len == 0 || req->value.len == 0
        || ((req->op == '<' || req->op == '>')
            && ngx_http_govsvc_require_number(&req->value, &req->number)
               != NGX_OK))
    {
        return ngx_govsvc_conf_invalid(cf, "claim", value, form);
    }

    if (!gs_token_json_is_path(&req->name)) {
        return ngx_govsvc_conf_invalid(cf, "claim", value, pointer);
    }

    return NGX_CONF_OK;
}


/*
 * Called when tokens and applications of the place are known: a signature has
 * a level, and nothing else of what may be required.
 */

char *
ngx_http_govsvc_require_check_conf(ngx_conf_t *cf, ngx_uint_t app)
{
    ngx_uint_t                     i;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_govsvc_require_t     *req;
    ngx_http_govsvc_token_conf_t  *tlcf;

    tlcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_govsvc_token_module);

    if (tlcf->require == NULL || tlcf->mode != NGX_HTTP_GOVSVC_TOKEN_OFF) {
        return NGX_CONF_OK;
    }

    req = tlcf->require->elts;

    for (i = 0; app && i < tlcf->require->nelts; i++) {
        if (req[i].type != NGX_HTTP_GOVSVC_REQUIRE_LEVEL) {
            break;
        }
    }

    if (i == tlcf->require->nelts) {
        return NGX_CONF_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"govsvc_require\" needs \"govsvc_token\" required or "
                  "optional%s in location \"%V\" in %V:%ui",
                  app ? " for what is not level>=N" : "", &clcf->name,
                  &tlcf->required.file, tlcf->required.line);

    return NGX_CONF_ERROR;
}


/* A whole number of at most 15 digits, which a double holds as well. */

static ngx_int_t
ngx_http_govsvc_require_number(const gs_str_t *s, int64_t *n)
{
    gs_str_t  digits;
    uint64_t  u;

    digits = *s;

    if (digits.len != 0 && digits.data[0] == '-') {
        digits = gs_str_make(digits.data + 1, digits.len - 1);
    }

    if (digits.len > 15 || gs_parse_u64(&digits, &u) != GS_OK) {
        return NGX_DECLINED;
    }

    *n = (digits.len == s->len) ? (int64_t) u : -(int64_t) u;

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_require_check(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_array_t *require)
{
    ngx_uint_t                     i;
    ngx_http_govsvc_require_t     *req;
    ngx_http_govsvc_token_conf_t  *tlcf;

    req = require->elts;

    for (i = 0; i < require->nelts; i++) {

        if (ngx_http_govsvc_require_holds(&req[i], ctx)) {
            continue;
        }

        /* an application has one level, and nowhere to step up to */

        tlcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_token_module);

        if (tlcf->policy == NULL) {
            return ngx_http_govsvc_refuse(r, NGX_HTTP_GOVSVC_FORBIDDEN);
        }

        ctx->challenge = req[i].challenge;

        if (req[i].type == NGX_HTTP_GOVSVC_REQUIRE_LEVEL
            && ngx_http_govsvc_require_step_up(r, ctx, &req[i]) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_govsvc_refuse(r,
                   req[i].type == NGX_HTTP_GOVSVC_REQUIRE_LEVEL
                   ? NGX_HTTP_GOVSVC_STEP_UP : NGX_HTTP_GOVSVC_FORBIDDEN);
    }

    return NGX_OK;
}


/*
 * RFC 9470 section 3: acr_values in the words of the issuer, where its scale
 * is of the claim acr; those that are enough, the least of them first.
 */

static ngx_int_t
ngx_http_govsvc_require_step_up(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_require_t *req)
{
    size_t                         i, len;
    u_char                        *p;
    ngx_uint_t                     level;
    const gs_token_issuer_t       *issuer;
    ngx_http_govsvc_token_data_t  *data;

    data = ctx->token_data;

    if (data == NULL) {
        return NGX_OK;
    }

    issuer = data->policy->issuers[data->issuer];

    if (!gs_str_eq_text(&issuer->acr, "acr")) {
        return NGX_OK;
    }

    len = req->challenge.len + 1;

    for (i = 0; i < issuer->nlevels; i++) {
        len += issuer->levels[i].value.len + 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->challenge.data = p;

    p = ngx_cpymem(p, req->challenge.data, req->challenge.len - 2);
    ctx->challenge.len = (size_t) (p - ctx->challenge.data);

    for (level = req->level; level <= 5; level++) {
        for (i = 0; i < issuer->nlevels; i++) {

            if (issuer->levels[i].level == level
                && ngx_http_govsvc_require_visible(&issuer->levels[i].value))
            {
                p = ngx_cpymem(p, issuer->levels[i].value.data,
                               issuer->levels[i].value.len);
                *p++ = ' ';
            }
        }
    }

    if (p == ctx->challenge.data + ctx->challenge.len) {
        ctx->challenge = req->challenge;
        return NGX_OK;
    }

    p[-1] = '"';
    ctx->challenge.len = (size_t) (p - ctx->challenge.data);

    return NGX_OK;
}


/* What may stand in a list of words within a quoted string. */

static ngx_uint_t
ngx_http_govsvc_require_visible(const gs_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] <= 0x20 || s->data[i] >= 0x7f
            || s->data[i] == '"' || s->data[i] == '\\')
        {
            return 0;
        }
    }

    return s->len != 0;
}


static ngx_uint_t
ngx_http_govsvc_require_holds(ngx_http_govsvc_require_t *req,
    ngx_http_govsvc_ctx_t *ctx)
{
    gs_token_claim_t               claim;
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

    case NGX_HTTP_GOVSVC_REQUIRE_USER:
        return ctx->user.len == req->value.len
               && ngx_memcmp(ctx->user.data, req->value.data, req->value.len)
                  == 0;

    case NGX_HTTP_GOVSVC_REQUIRE_ACTOR:
        return (gs_token_claim_find(&data->claims,
                    &data->policy->issuers[data->issuer]->actor, &claim)
                == GS_OK)
               == (req->level != 0);

    default: /* NGX_HTTP_GOVSVC_REQUIRE_CLAIM */
        return ngx_http_govsvc_require_compare(req, &data->claims);
    }
}


/* One value that fits is enough; for "!=" there must be values, all others. */

static ngx_uint_t
ngx_http_govsvc_require_compare(ngx_http_govsvc_require_t *req,
    gs_str_t *claims)
{
    int64_t                n;
    ngx_uint_t             found;
    gs_token_claim_t       claim;
    gs_token_claim_iter_t  it;

    found = 0;
    gs_token_claim_iter(&it, &req->name);

    while (gs_token_claim_each(&it, claims, &claim) == GS_OK) {

        switch (req->op) {

        case '=':
            found = gs_str_eq(&claim.value, &req->value);
            break;

        case '^':
            found = gs_str_prefix(&claim.value, &req->value);
            break;

        case '!':
            found = 1;

            if (gs_str_eq(&claim.value, &req->value)) {
                return 0;
            }

            continue;

        default: /* '<', '>' */
            found = ngx_http_govsvc_require_number(&claim.value, &n) == NGX_OK
                    && ((req->equal && n == req->number)
                        || (req->op == '<' ? n < req->number
                                           : n > req->number));
        }

        if (found) {
            return 1;
        }
    }

    return found;
}
