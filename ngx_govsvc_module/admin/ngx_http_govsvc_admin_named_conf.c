
/*
 * Copyright (C) govsvc authors
 *
 * Names of instances: the directive, and what a configuration with names has
 * to have.
 */


#include "admin/ngx_http_govsvc_admin_named.h"
#include "http/ngx_http_govsvc_balancer_priv.h"
#include "http/ngx_http_govsvc_route_priv.h"


static char *ngx_http_govsvc_named_time(ngx_conf_t *cf, ngx_str_t *value,
    size_t skip, ngx_msec_t *msec);
static char *ngx_http_govsvc_named_suffix(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_named_t *h);
static ngx_int_t ngx_http_govsvc_named_files(ngx_conf_t *cf,
    ngx_http_govsvc_admin_main_conf_t *amcf, ngx_str_t *file,
    ngx_str_t *text);


static const char *const  ngx_http_govsvc_named_params[] = {
    "min=", "max=", "timeout=", "addresses=", NULL
};


char *
ngx_http_govsvc_named_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_admin_main_conf_t *amcf = conf;

    char                     *rv;
    ngx_int_t                 n;
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_govsvc_named_t  *h;

    if (amcf->named != NULL) {
        return "is duplicate";
    }

    h = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_named_t));

    if (h == NULL
        || ngx_array_init(&h->suffixes, cf->pool, 4, sizeof(gs_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    h->min = 5000;
    h->max = 600000;
    h->timeout = 5000;
    h->addresses = 16;
    h->conf = amcf;
    amcf->named = h;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        rv = NGX_CONF_OK;

        if (ngx_strncmp(value[i].data, "min=", 4) == 0) {
            rv = ngx_http_govsvc_named_time(cf, &value[i], 4, &h->min);

        } else if (ngx_strncmp(value[i].data, "max=", 4) == 0) {
            rv = ngx_http_govsvc_named_time(cf, &value[i], 4, &h->max);

        } else if (ngx_strncmp(value[i].data, "timeout=", 8) == 0) {
            rv = ngx_http_govsvc_named_time(cf, &value[i], 8, &h->timeout);

        } else if (ngx_strncmp(value[i].data, "addresses=", 10) == 0) {
            n = ngx_atoi(value[i].data + 10, value[i].len - 10);

            if (n < 1 || n > 64) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid number \"%V\", allowed: 1 to 64",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            h->addresses = (ngx_uint_t) n;

        } else if (ngx_strlchr(value[i].data, value[i].data + value[i].len,
                               '=') != NULL)
        {
            rv = ngx_govsvc_conf_invalid(cf, "parameter", &value[i],
                                         ngx_http_govsvc_named_params);

        } else {
            rv = ngx_http_govsvc_named_suffix(cf, &value[i], h);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (h->suffixes.nelts == 0) {
        return "needs a suffix of names, such as \"gd.gov.example\"";
    }

    if (h->min > h->max) {
        return "has a \"min=\" above \"max=\"";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_named_time(ngx_conf_t *cf, ngx_str_t *value, size_t skip,
    ngx_msec_t *msec)
{
    ngx_int_t  n;
    ngx_str_t  s;

    s.data = value->data + skip;
    s.len = value->len - skip;
    n = ngx_parse_time(&s, 0);

    if (n == NGX_ERROR || n < 1000 || n > 86400000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\", allowed: 1s to 1d", value);
        return NGX_CONF_ERROR;
    }

    *msec = (ngx_msec_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_named_suffix(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_govsvc_named_t *h)
{
    gs_str_t    *s, suffix;
    const char  *why;

    suffix = ngx_govsvc_to_gs(value);
    why = gs_host_suffix(&suffix);

    if (why != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid suffix of names \"%V\", it %s", value,
                           why);
        return NGX_CONF_ERROR;
    }

    s = ngx_array_push(&h->suffixes);
    if (s == NULL) {
        return NGX_CONF_ERROR;
    }

    *s = suffix;

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_named_init(ngx_conf_t *cf,
    ngx_http_govsvc_admin_main_conf_t *amcf)
{
    ngx_http_core_loc_conf_t              *clcf;
    ngx_http_govsvc_named_t               *h;
    ngx_http_govsvc_route_main_conf_t     *rmcf;
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    static ngx_str_t  name = ngx_string("govsvc hosts");

    h = amcf->named;
    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_route_module);
    bmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_balancer_module);

    if (rmcf->platforms.data != NULL
        && ngx_http_govsvc_named_files(cf, amcf, &rmcf->platforms,
                                       &rmcf->platforms_text) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (h == NULL) {
        return NGX_CONF_OK;
    }

    if (bmcf->store.snapshot.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_hosts\" needs \"govsvc_registry\" with "
                      "\"snapshot=\": the last addresses are kept beside it");
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->resolver == NULL || clcf->resolver->connections.nelts == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_hosts\" needs a resolver, write \"resolver "
                      "ADDRESS;\" in the http block");
        return NGX_CONF_ERROR;
    }

    h->resolver = clcf->resolver;

#if (NGX_THREADS)

    if (amcf->threads == NULL) {
        amcf->threads = ngx_thread_pool_add(cf, NULL);
        if (amcf->threads == NULL) {
            return NGX_CONF_ERROR;
        }
    }

#endif

    h->lead = ngx_govsvc_lead_add(cf, &name, ngx_http_govsvc_named_lead, h);

    return (h->lead != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* Names in the file of the operator are under his own rule, too. */

static ngx_int_t
ngx_http_govsvc_named_files(ngx_conf_t *cf,
    ngx_http_govsvc_admin_main_conf_t *amcf, ngx_str_t *file,
    ngx_str_t *text)
{
    void            *iter;
    size_t           i;
    json_t          *map;
    gs_err_t         err;
    gs_str_t         s, name, *suffix;
    ngx_int_t        rc;
    unsigned         port, allowed;
    gs_route_doc_t   doc;

    ngx_memzero(&err, sizeof(gs_err_t));
    s = ngx_govsvc_to_gs(text);
    rc = NGX_OK;

    if (gs_route_doc_init(&doc) != GS_OK
        || gs_route_doc_fix(&doc, &s, &err) != GS_OK)
    {
        gs_route_doc_free(&doc);
        (void) ngx_govsvc_conf_error(cf, file, &err);
        return NGX_ERROR;
    }

    map = doc.fixed[GS_ROUTE_DOC_INSTANCES];

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        if (!gs_admin_named(json_object_iter_value(iter), &name, &port)) {
            continue;
        }

        allowed = 0;
        suffix = (amcf->named != NULL) ? amcf->named->suffixes.elts : NULL;

        for (i = 0; suffix != NULL && i < amcf->named->suffixes.nelts; i++) {
            allowed |= gs_host_under(&name, &suffix[i]);
        }

        if (!allowed) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "instance \"%s\" in \"%V\" has the name \"%*s\", "
                          "which is under no suffix of \"govsvc_hosts\"",
                          json_object_iter_key(iter), file, name.len,
                          name.data);
            rc = NGX_ERROR;
            break;
        }
    }

    gs_route_doc_free(&doc);

    return rc;
}
