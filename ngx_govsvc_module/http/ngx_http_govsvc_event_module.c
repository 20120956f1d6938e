
/*
 * Copyright (C) govsvc authors
 *
 * Security events: systems that are watched more closely, by the directive
 * govsvc_critical.
 */


#include "http/ngx_http_govsvc_event.h"
#include "route/gs_route.h"


/* A mark, for all routes or those of a list. */
typedef struct {
    ngx_str_t     kind;
    ngx_array_t  *routes;                  /* ngx_str_t; NULL: all */
} ngx_http_govsvc_event_mark_t;


typedef struct {
    ngx_array_t  *marks;                   /* ngx_http_govsvc_event_mark_t */
} ngx_http_govsvc_event_loc_conf_t;


static ngx_int_t ngx_http_govsvc_event_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_govsvc_event_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_event_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_govsvc_event_mark(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_event_routes(ngx_conf_t *cf,
    ngx_http_govsvc_event_mark_t *mark, ngx_str_t *value);
static ngx_uint_t ngx_http_govsvc_event_is_route(ngx_str_t *pattern,
    ngx_str_t *route);


static const char *const  ngx_http_govsvc_event_kinds[] = {
    "license", "identity", "payment", "other", "off", NULL
};


static ngx_command_t  ngx_http_govsvc_event_commands[] = {

    { ngx_string("govsvc_critical"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_govsvc_event_mark,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_event_loc_conf_t, marks),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_event_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_govsvc_event_postconfiguration,   /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_event_create_loc_conf, /* create location configuration */
    ngx_http_govsvc_event_merge_loc_conf   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_event_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_event_module_ctx,     /* module context */
    ngx_http_govsvc_event_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_govsvc_event_postconfiguration(ngx_conf_t *cf)
{
    return ngx_http_govsvc_correlate_tell(cf, ngx_http_govsvc_event_fired,
                                          NULL);
}


static void *
ngx_http_govsvc_event_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_event_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_event_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->marks = NGX_CONF_UNSET_PTR;

    return conf;
}


static char *
ngx_http_govsvc_event_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_govsvc_event_loc_conf_t *prev = parent;
    ngx_http_govsvc_event_loc_conf_t *conf = child;

    ngx_conf_merge_ptr_value(conf->marks, prev->marks, NULL);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_event_mark(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_event_loc_conf_t *elcf = conf;

    gs_str_t                       s;
    ngx_str_t                     *value, routes;
    ngx_uint_t                     i;
    ngx_http_govsvc_event_mark_t  *mark;

    static const char *const  names[] = { "routes=", NULL };

    value = cf->args->elts;
    s = ngx_govsvc_to_gs(&value[1]);

    for (i = 0; ngx_http_govsvc_event_kinds[i] != NULL; i++) {
        if (gs_str_eq_text(&s, ngx_http_govsvc_event_kinds[i])) {
            break;
        }
    }

    if (ngx_http_govsvc_event_kinds[i] == NULL) {
        return ngx_govsvc_conf_invalid(cf, "kind of system", &value[1],
                                       ngx_http_govsvc_event_kinds);
    }

    if (ngx_govsvc_conf_params(cf, 2, names, &routes) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (elcf->marks == NGX_CONF_UNSET_PTR) {
        elcf->marks = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_govsvc_event_mark_t));
        if (elcf->marks == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    mark = ngx_array_push(elcf->marks);
    if (mark == NULL) {
        return NGX_CONF_ERROR;
    }

    mark->kind = value[1];
    mark->routes = NULL;

    if (gs_str_eq_text(&s, "off")) {
        mark->kind.len = 0;
    }

    ngx_http_govsvc_enable(cf);

    return ngx_http_govsvc_event_routes(cf, mark, &routes);
}


static char *
ngx_http_govsvc_event_routes(ngx_conf_t *cf,
    ngx_http_govsvc_event_mark_t *mark, ngx_str_t *value)
{
    ngx_str_t  *route, rest, word;

    if (value->data == NULL) {
        return NGX_CONF_OK;
    }

    mark->routes = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (mark->routes == NULL) {
        return NGX_CONF_ERROR;
    }

    rest = *value;

    while (ngx_govsvc_conf_next(&rest, &word)) {

        if (word.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid routes \"%V\", allowed: identifiers "
                               "of routes with commas between them, \"*\" at "
                               "the end for any rest", value);
            return NGX_CONF_ERROR;
        }

        route = ngx_array_push(mark->routes);
        if (route == NULL) {
            return NGX_CONF_ERROR;
        }

        *route = word;
    }

    return NGX_CONF_OK;
}


void
ngx_http_govsvc_event_critical(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_str_t *critical)
{
    ngx_str_t                         *route;
    ngx_uint_t                         i, k;
    ngx_http_govsvc_event_mark_t      *mark;
    ngx_http_govsvc_event_loc_conf_t  *elcf;

    critical->len = 0;
    critical->data = NULL;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_event_module);

    mark = (elcf->marks != NULL) ? elcf->marks->elts : NULL;

    for (i = 0; mark != NULL && i < elcf->marks->nelts; i++) {

        if (mark[i].routes == NULL) {
            *critical = ngx_govsvc_to_gs(&mark[i].kind);
            return;
        }

        route = mark[i].routes->elts;

        for (k = 0; k < mark[i].routes->nelts; k++) {
            if (ngx_http_govsvc_event_is_route(&route[k], &ctx->route)) {
                *critical = ngx_govsvc_to_gs(&mark[i].kind);
                return;
            }
        }
    }

    /* what the table says of the route, where no line says otherwise */

    if (ctx->route_critical != 0) {
        *critical = gs_str_text(gs_route_criticals[ctx->route_critical - 1]);
    }
}


static ngx_uint_t
ngx_http_govsvc_event_is_route(ngx_str_t *pattern, ngx_str_t *route)
{
    if (pattern->data[pattern->len - 1] == '*') {
        return route->len >= pattern->len - 1
               && ngx_strncmp(route->data, pattern->data, pattern->len - 1)
                  == 0;
    }

    return route->len == pattern->len
           && ngx_strncmp(route->data, pattern->data, pattern->len) == 0;
}
