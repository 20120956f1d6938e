
/*
 * Copyright (C) govsvc authors
 *
 * Limits: the key of a zone, in the configuration and in a request.
 */


#include "http/ngx_http_govsvc_limit.h"


static ngx_uint_t ngx_http_govsvc_limit_is_network(ngx_str_t *key);
static ngx_uint_t ngx_http_govsvc_limit_is_subject(ngx_str_t *key);
static ngx_uint_t ngx_http_govsvc_limit_matches(ngx_str_t *name,
    const char *pattern);
static ngx_int_t ngx_http_govsvc_limit_network(ngx_http_request_t *r,
    ngx_uint_t prefix, u_char *buf, gs_str_t *key);


/* keys that are the address of the client; its network is the key then */

static const char *const  ngx_http_govsvc_limit_networks[] = {
    "$govsvc_client_net", "$binary_remote_addr", "$remote_addr", NULL
};


/* variables that are known only after the caller is; "*" ends a prefix */

static const char *const  ngx_http_govsvc_limit_subjects[] = {
    "govsvc_subject", "govsvc_subject_pid", "govsvc_app", "govsvc_level",
    "govsvc_scope", "govsvc_auth", "govsvc_unproven_net", "govsvc_claim_*",
    NULL
};


char *
ngx_http_govsvc_limit_compile_key(ngx_conf_t *cf,
    ngx_http_govsvc_limit_key_t *key, ngx_str_t *prefix,
    ngx_uint_t identified)
{
    gs_str_t                           number;
    uint64_t                           bits;
    ngx_str_t                         *value;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "empty key in \"%V\" directive", &value[0]);
        return NGX_CONF_ERROR;
    }

    key->network = (ngx_http_govsvc_limit_is_network(&value[1]) != 0);
    key->subject = (identified
                    || ngx_http_govsvc_limit_is_subject(&value[1]));
    key->prefix = 64;

    if (prefix->data != NULL && !key->network) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ipv6_prefix\" needs a key that is an address: "
                           "$govsvc_client_net, $binary_remote_addr or "
                           "$remote_addr, not \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (prefix->data != NULL) {
        number = ngx_govsvc_to_gs(prefix);

        if (gs_parse_u64(&number, &bits) != GS_OK || bits < 1 || bits > 128) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid ipv6_prefix \"%V\", it must be a "
                               "number of bits from 1 to 128", prefix);
            return NGX_CONF_ERROR;
        }

        key->prefix = (ngx_uint_t) bits;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = &key->value;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_govsvc_limit_eval_key(ngx_http_request_t *r,
    ngx_http_govsvc_limit_key_t *conf, u_char *buf, gs_str_t *key)
{
    ngx_str_t  value;

    if (conf->network) {
        return ngx_http_govsvc_limit_network(r, conf->prefix, buf, key);
    }

    if (ngx_http_complex_value(r, &conf->value, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    *key = ngx_govsvc_to_gs(&value);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_limit_network(ngx_http_request_t *r, ngx_uint_t prefix,
    u_char *buf, gs_str_t *key)
{
    struct sockaddr      *sa;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    sa = r->connection->sockaddr;

    switch (sa->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        *key = gs_str_make(buf, gs_limit_key_inet6(buf,
                                                   sin6->sin6_addr.s6_addr,
                                                   (unsigned) prefix));
        return NGX_OK;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        *key = gs_str_make(buf, gs_limit_key_inet(buf,
                                             (u_char *) &sin->sin_addr));
        return NGX_OK;

    default:

        /* callers over one Unix socket are one client */

        *key = gs_str_text("unix:");
        return NGX_OK;
    }
}


static ngx_uint_t
ngx_http_govsvc_limit_is_network(ngx_str_t *key)
{
    gs_str_t            s;
    const char *const  *name;

    s = ngx_govsvc_to_gs(key);

    for (name = ngx_http_govsvc_limit_networks; *name != NULL; name++) {
        if (gs_str_eq_text(&s, *name)) {
            return 1;
        }
    }

    return 0;
}


/* Looks for the variables in the text, "$name" and "${name}". */

static ngx_uint_t
ngx_http_govsvc_limit_is_subject(ngx_str_t *key)
{
    u_char              *p, *last;
    ngx_str_t            name;
    const char *const   *pattern;

    p = key->data;
    last = p + key->len;

    while (p < last) {

        if (*p++ != '$') {
            continue;
        }

        if (p < last && *p == '{') {
            p++;
        }

        name.data = p;

        while (p < last && (gs_is_alpha(*p) || gs_is_digit(*p) || *p == '_'))
        {
            p++;
        }

        name.len = p - name.data;
        pattern = ngx_http_govsvc_limit_subjects;

        for ( ; *pattern != NULL; pattern++) {
            if (ngx_http_govsvc_limit_matches(&name, *pattern)) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_govsvc_limit_matches(ngx_str_t *name, const char *pattern)
{
    gs_str_t  s, p;

    s = ngx_govsvc_to_gs(name);
    p = gs_str_text(pattern);

    if (p.data[p.len - 1] != '*') {
        return gs_str_case_eq(&s, &p) != 0;
    }

    p.len--;

    if (s.len > p.len) {
        s.len = p.len;
    }

    return gs_str_case_eq(&s, &p) != 0;
}
