
/*
 * Copyright (C) govsvc authors
 *
 * Redis: the values that stand in the block, and what is said of bad ones.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


ngx_uint_t
ngx_govsvc_redis_param(ngx_str_t *arg, const char *name, ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (arg->len < len || ngx_strncmp(arg->data, name, len) != 0) {
        return 0;
    }

    value->data = arg->data + len;
    value->len = arg->len - len;

    return 1;
}


char *
ngx_govsvc_redis_unknown(ngx_conf_t *cf, ngx_str_t *arg,
    const char *const *names)
{
    u_char     *eq;
    ngx_str_t   name;

    name = *arg;
    eq = ngx_strlchr(arg->data, arg->data + arg->len, '=');

    if (eq != NULL) {
        name.len = (size_t) (eq + 1 - arg->data);
    }

    return ngx_govsvc_conf_invalid(cf, "parameter", &name, names);
}


char *
ngx_govsvc_redis_msec(ngx_conf_t *cf, ngx_str_t *value, ngx_uint_t min,
    ngx_uint_t max, ngx_msec_t *ms)
{
    gs_str_t    s;
    uint64_t    n;
    ngx_str_t  *directive;

    directive = cf->args->elts;
    s = ngx_govsvc_to_gs(value);

    if (gs_parse_msec(&s, &n) != GS_OK || n < min || n > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\" in \"%V\" directive, allowed: "
                           "%uims to %uims", value, &directive[0], min, max);
        return NGX_CONF_ERROR;
    }

    *ms = (ngx_msec_t) n;

    return NGX_CONF_OK;
}


char *
ngx_govsvc_redis_number(ngx_conf_t *cf, ngx_str_t *value, ngx_uint_t min,
    ngx_uint_t max, ngx_uint_t *n)
{
    gs_str_t    s;
    uint64_t    u;
    ngx_str_t  *directive;

    directive = cf->args->elts;
    s = ngx_govsvc_to_gs(value);

    if (gs_parse_u64(&s, &u) != GS_OK || u < min || u > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number \"%V\" in \"%V\" directive, "
                           "allowed: %ui to %ui", value, &directive[0], min,
                           max);
        return NGX_CONF_ERROR;
    }

    *n = (ngx_uint_t) u;

    return NGX_CONF_OK;
}


char *
ngx_govsvc_redis_on(ngx_conf_t *cf, ngx_str_t *value, ngx_flag_t *flag)
{
    gs_str_t                  s;
    static const char *const  names[] = { "on", "off", NULL };

    s = ngx_govsvc_to_gs(value);

    if (gs_str_eq_text(&s, "on")) {
        *flag = 1;
        return NGX_CONF_OK;
    }

    if (gs_str_eq_text(&s, "off")) {
        *flag = 0;
        return NGX_CONF_OK;
    }

    return ngx_govsvc_conf_invalid(cf, "value", value, names);
}
