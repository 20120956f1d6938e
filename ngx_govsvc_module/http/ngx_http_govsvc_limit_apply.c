
/*
 * Copyright (C) govsvc authors
 *
 * Limits: the directive that puts zones to use, and the secret of their names.
 */


#include "http/ngx_http_govsvc_limit.h"


#define NGX_HTTP_GOVSVC_LIMIT_SECRET      4096     /* bytes of its file */
#define NGX_HTTP_GOVSVC_LIMIT_SECRET_MIN  16


static char *ngx_http_govsvc_limit_args(ngx_conf_t *cf,
    ngx_http_govsvc_limit_t *like);
static char *ngx_http_govsvc_limit_arg_cost(ngx_conf_t *cf,
    ngx_http_govsvc_limit_t *like, ngx_str_t *text);
static char *ngx_http_govsvc_limit_arg_name(ngx_conf_t *cf,
    ngx_http_govsvc_limit_t *like, ngx_str_t *text);
static char *ngx_http_govsvc_limit_word(ngx_conf_t *cf, const char *what,
    ngx_str_t *text, const char *const *names, ngx_uint_t *index);
static char *ngx_http_govsvc_limit_off(ngx_conf_t *cf,
    ngx_http_govsvc_limit_conf_t *lcf);
static char *ngx_http_govsvc_limit_add(ngx_conf_t *cf,
    ngx_http_govsvc_limit_conf_t *lcf, ngx_str_t *name,
    ngx_http_govsvc_limit_t *like);


static const char *const  ngx_http_govsvc_limit_params[] = {
    "zone=", "name=", "cost=", "mode=", "delay=", "nodelay", "dry_run",
    "on_error=", "timeout=", NULL
};

/* in the order of gs_limit_error_e */

static const char *const  ngx_http_govsvc_limit_errors[] = {
    "local", "open", "closed", NULL
};


char *
ngx_http_govsvc_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_limit_conf_t *lcf = conf;

    ngx_str_t                *value, name;
    ngx_uint_t                i, zones;
    ngx_http_govsvc_limit_t   like;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return ngx_http_govsvc_limit_off(cf, lcf);
    }

    if (lcf->limits == NULL) {
        return "stands beside \"govsvc_limit off\"";
    }

    ngx_memzero(&like, sizeof(ngx_http_govsvc_limit_t));

    if (ngx_http_govsvc_limit_args(cf, &like) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (lcf->limits == NGX_CONF_UNSET_PTR) {
        lcf->limits = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_govsvc_limit_t));
        if (lcf->limits == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    zones = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        if (!ngx_govsvc_conf_param(&value[i], "zone=", &name)) {
            continue;
        }

        zones++;

        if (ngx_http_govsvc_limit_add(cf, lcf, &name, &like)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (zones > 1 && like.name.len != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"name\" stands for one zone, but there are %ui",
                           zones);
        return NGX_CONF_ERROR;
    }

    if (zones == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone=NAME\" parameter",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


/* The parameters that hold for all zones of the directive. */

static char *
ngx_http_govsvc_limit_args(ngx_conf_t *cf, ngx_http_govsvc_limit_t *like)
{
    char        *rv;
    ngx_str_t   *value, text;
    ngx_uint_t   i, nodelay;

    nodelay = 0;
    like->cost = 1;
    like->timeout = 50;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_govsvc_conf_param(&value[i], "zone=", &text)) {
            continue;
        }

        if (ngx_govsvc_conf_param(&value[i], "dry_run", &text)) {
            like->dry_run = 1;
            continue;
        }

        if (ngx_govsvc_conf_param(&value[i], "nodelay", &text)) {
            nodelay = 1;
            continue;
        }

        if (ngx_govsvc_conf_param(&value[i], "off", &text)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"off\" must stand alone in \"%V\" "
                               "directive", &value[0]);
            return NGX_CONF_ERROR;
        }

        rv = ngx_http_govsvc_limit_arg(cf, like, &value[i],
                                       ngx_http_govsvc_limit_params);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (nodelay && like->delayed) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"delay\" and \"nodelay\" exclude one another");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_limit_arg(ngx_conf_t *cf, ngx_http_govsvc_limit_t *like,
    ngx_str_t *arg, const char *const *names)
{
    char        *rv;
    gs_str_t     s;
    uint64_t     n;
    ngx_str_t    text;
    ngx_uint_t   i;

    if (ngx_govsvc_conf_param(arg, "cost=", &text)) {
        return ngx_http_govsvc_limit_arg_cost(cf, like, &text);
    }

    if (ngx_govsvc_conf_param(arg, "mode=", &text)) {
        rv = ngx_http_govsvc_limit_word(cf, "mode", &text,
                                        ngx_http_govsvc_limit_modes, &i);
        like->mode = i;
        return rv;
    }

    if (ngx_govsvc_conf_param(arg, "on_error=", &text)) {
        rv = ngx_http_govsvc_limit_word(cf, "on_error", &text,
                                        ngx_http_govsvc_limit_errors, &i);
        like->on_error = i;
        return rv;
    }

    if (ngx_govsvc_conf_param(arg, "name=", &text)) {
        return ngx_http_govsvc_limit_arg_name(cf, like, &text);
    }

    if (ngx_govsvc_conf_param(arg, "delay=", &text)) {
        s = ngx_govsvc_to_gs(&text);

        if (gs_parse_u64(&s, &n) != GS_OK || n > NGX_MAX_INT32_VALUE) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid delay \"%V\", it is the number of "
                               "requests that are not held back", &text);
            return NGX_CONF_ERROR;
        }

        like->delay = (ngx_uint_t) n;
        like->delayed = 1;

        return NGX_CONF_OK;
    }

    if (ngx_govsvc_conf_param(arg, "timeout=", &text)) {
        s = ngx_govsvc_to_gs(&text);

        if (gs_parse_msec(&s, &n) != GS_OK || n < 5 || n > 5000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid timeout \"%V\", it must be a time from "
                               "5ms to 5s", &text);
            return NGX_CONF_ERROR;
        }

        like->timeout = (ngx_msec_t) n;

        return NGX_CONF_OK;
    }

    return ngx_govsvc_conf_unknown(cf, arg, names);
}


static char *
ngx_http_govsvc_limit_arg_cost(ngx_conf_t *cf, ngx_http_govsvc_limit_t *like,
    ngx_str_t *text)
{
    uint64_t                           cost;
    gs_str_t                           number;
    ngx_str_t                         *value;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    if (text->len != 0 && text->data[0] == '$') {

        like->cost_value = ngx_palloc(cf->pool,
                                      sizeof(ngx_http_complex_value_t));
        if (like->cost_value == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        ccv.cf = cf;
        ccv.value = text;
        ccv.complex_value = like->cost_value;

        return (ngx_http_compile_complex_value(&ccv) == NGX_OK)
               ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    number = ngx_govsvc_to_gs(text);

    if (gs_parse_u64(&number, &cost) != GS_OK || cost == 0
        || cost > NGX_MAX_INT32_VALUE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid cost \"%V\" in \"%V\" directive, it "
                           "must be a whole number from 1 to %d",
                           text, &value[0], NGX_MAX_INT32_VALUE);
        return NGX_CONF_ERROR;
    }

    like->cost = (ngx_uint_t) cost;

    return NGX_CONF_OK;
}


/* It stands in a quoted string of the answer. */

static char *
ngx_http_govsvc_limit_arg_name(ngx_conf_t *cf, ngx_http_govsvc_limit_t *like,
    ngx_str_t *text)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < text->len; i++) {
        c = text->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_'
            && c != '.')
        {
            break;
        }
    }

    if (text->len == 0 || text->len > 64 || i < text->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\", allowed: 1 to 64 letters, "
                           "digits, \"-\", \"_\" and \".\"", text);
        return NGX_CONF_ERROR;
    }

    like->name = *text;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_word(ngx_conf_t *cf, const char *what, ngx_str_t *text,
    const char *const *names, ngx_uint_t *index)
{
    gs_str_t  s;

    s = ngx_govsvc_to_gs(text);

    for (*index = 0; names[*index] != NULL; (*index)++) {
        if (gs_str_eq_text(&s, names[*index])) {
            return NGX_CONF_OK;
        }
    }

    *index = 0;

    return ngx_govsvc_conf_invalid(cf, what, text, names);
}


/* A file, so that the secret is not in the configuration; 16 bytes or more. */

char *
ngx_http_govsvc_limit_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_limit_main_conf_t *lmcf = conf;

    ngx_str_t  *value, path;

    if (lmcf->secret.data != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;
    path = value[1];

    if (ngx_govsvc_conf_read_file(cf, &path, &lmcf->secret,
                                  NGX_HTTP_GOVSVC_LIMIT_SECRET, 1)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    while (lmcf->secret.len != 0
           && lmcf->secret.data[lmcf->secret.len - 1] <= ' ')
    {
        lmcf->secret.len--;
    }

    if (lmcf->secret.len < NGX_HTTP_GOVSVC_LIMIT_SECRET_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the secret in \"%V\" is shorter than 16 bytes",
                           &path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_off(ngx_conf_t *cf, ngx_http_govsvc_limit_conf_t *lcf)
{
    if (lcf->limits == NULL) {
        return "is duplicate";
    }

    if (lcf->limits != NGX_CONF_UNSET_PTR) {
        return "stands beside other limits, \"off\" must stand alone";
    }

    lcf->limits = NULL;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_add(ngx_conf_t *cf, ngx_http_govsvc_limit_conf_t *lcf,
    ngx_str_t *name, ngx_http_govsvc_limit_t *like)
{
    ngx_uint_t                     i;
    ngx_http_govsvc_limit_t       *limit;
    ngx_http_govsvc_limit_zone_t  *zone;

    if (name->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "empty zone name in \"govsvc_limit\" directive");
        return NGX_CONF_ERROR;
    }

    zone = ngx_http_govsvc_limit_get_zone(cf, name);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    limit = lcf->limits->elts;

    for (i = 0; i < lcf->limits->nelts; i++) {
        if (limit[i].zone == zone) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate limit zone \"%V\"", name);
            return NGX_CONF_ERROR;
        }
    }

    if (lcf->limits->nelts == NGX_HTTP_GOVSVC_LIMIT_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many limits, at most %d may apply at once",
                           NGX_HTTP_GOVSVC_LIMIT_MAX);
        return NGX_CONF_ERROR;
    }

    limit = ngx_array_push(lcf->limits);
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    *limit = *like;

    limit->zone = zone;

    if (limit->name.len == 0) {
        limit->name = zone->base.name;
    }

    limit->file = cf->conf_file->file.name;
    limit->line = cf->conf_file->line;

    return NGX_CONF_OK;
}
