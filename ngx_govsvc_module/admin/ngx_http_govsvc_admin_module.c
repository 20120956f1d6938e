
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: directives.
 */


#include "admin/ngx_http_govsvc_admin_named.h"
#include "http/ngx_http_govsvc_audit.h"
#include "http/ngx_http_govsvc_balancer_priv.h"
#include "http/ngx_http_govsvc_metrics.h"
#include "http/ngx_http_govsvc_route_priv.h"


#define NGX_HTTP_GOVSVC_ADMIN_FILE  (4 * 1024 * 1024)
#define NGX_HTTP_GOVSVC_ADMIN_BODY  (64 * 1024)


static void *ngx_http_govsvc_admin_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_admin_init_main_conf(ngx_conf_t *cf,
    void *conf);
static ngx_int_t ngx_http_govsvc_admin_init_share(ngx_conf_t *cf,
    ngx_http_govsvc_admin_main_conf_t *amcf);
static void *ngx_http_govsvc_admin_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_admin_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_govsvc_admin_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_admin_set_body(ngx_conf_t *cf, ngx_str_t *value,
    size_t *body);
static char *ngx_http_govsvc_admin_set_flag(ngx_conf_t *cf,
    ngx_str_t *value, size_t skip, ngx_uint_t *flag);
static char *ngx_http_govsvc_admin_set_auth(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_govsvc_admin_set_credentials(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_govsvc_admin_set_deny(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


#if (NGX_THREADS)
static ngx_str_t  ngx_http_govsvc_admin_pool = ngx_string("govsvc_registry");
#endif

static const char *const  ngx_http_govsvc_admin_params[] = {
    "body=", "proof=", "loopback=", NULL
};

static const char *const  ngx_http_govsvc_admin_flags[] = {
    "on", "off", NULL
};

static const char *const  ngx_http_govsvc_admin_auths[] = {
    "mtls", "jwt", "govhmac", NULL
};


static ngx_command_t  ngx_http_govsvc_admin_commands[] = {

    { ngx_string("govsvc_admin"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_govsvc_admin_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_admin_loc_conf_t, enable),
      NULL },

    { ngx_string("govsvc_admin_auth"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_govsvc_admin_set_auth,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_admin_loc_conf_t, auth),
      NULL },

    { ngx_string("govsvc_admin_credentials"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_admin_set_credentials,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_admin_main_conf_t, credentials),
      NULL },

    { ngx_string("govsvc_admin_deny"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_admin_set_deny,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_admin_main_conf_t, deny),
      NULL },

    { ngx_string("govsvc_hosts"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_named_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_admin_main_conf_t, named),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_admin_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_admin_create_main_conf, /* create main configuration */
    ngx_http_govsvc_admin_init_main_conf,  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_admin_create_loc_conf, /* create location configuration */
    ngx_http_govsvc_admin_merge_loc_conf   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_admin_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_admin_module_ctx,     /* module context */
    ngx_http_govsvc_admin_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_admin_init_process,    /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_govsvc_admin_exit_process,    /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_govsvc_admin_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    /* set by pcalloc(): credentials = { 0, NULL }, used = 0, worker = NULL */

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_admin_main_conf_t));

    if (amcf == NULL
        || ngx_array_init(&amcf->deny, cf->pool, 4, sizeof(gs_net_t))
           != NGX_OK)
    {
        return NULL;
    }

    amcf->proof = NGX_CONF_UNSET_UINT;
    amcf->loopback = NGX_CONF_UNSET_UINT;

    return amcf;
}


static char *
ngx_http_govsvc_admin_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_admin_main_conf_t *amcf = conf;

    gs_err_t            err;
    gs_str_t            s;
    gs_rc_t             rc;
    ngx_str_t          *node;
    gs_route_doc_t      doc;

    ngx_conf_init_uint_value(amcf->proof, 1);
    ngx_conf_init_uint_value(amcf->loopback, 0);

    node = ngx_http_govsvc_node(cf);
    amcf->node = ngx_govsvc_to_gs(node);

    if (ngx_http_govsvc_admin_init_share(cf, amcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_named_init(cf, amcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_own_file(cf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (amcf->used && amcf->credentials.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_admin\" needs \"govsvc_admin_credentials\"");
        return NGX_CONF_ERROR;
    }

    if (amcf->credentials.len == 0) {
        return NGX_CONF_OK;
    }

    s = ngx_govsvc_to_gs(&amcf->credentials_text);
    ngx_memzero(&err, sizeof(gs_err_t));

    rc = gs_route_doc_init(&doc);

    if (rc == GS_OK) {
        rc = gs_route_doc_fix(&doc, &s, &err);
    }

    if (rc == GS_OK) {
        rc = gs_admin_credentials(&doc, &err);
    }

    gs_route_doc_free(&doc);

    return (rc == GS_OK) ? NGX_CONF_OK
                         : ngx_govsvc_conf_error(cf, &amcf->credentials,
                                                 &err);
}


/* A node that shares the objects follows them also without an API. */

static ngx_int_t
ngx_http_govsvc_admin_init_share(ngx_conf_t *cf,
    ngx_http_govsvc_admin_main_conf_t *amcf)
{
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    static ngx_str_t  name = ngx_string("govsvc registry store");

    bmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_balancer_module);

    if (bmcf->store.redis == NULL) {
        return NGX_OK;
    }

#if (NGX_THREADS)

    if (amcf->threads == NULL) {
        amcf->threads = ngx_govsvc_thread(cf, &ngx_http_govsvc_admin_pool);
        if (amcf->threads == NULL) {
            return NGX_ERROR;
        }
    }

#endif

    amcf->lead = ngx_govsvc_lead_add(cf, &name, ngx_http_govsvc_share_lead,
                                     amcf);

    return (amcf->lead != NULL) ? NGX_OK : NGX_ERROR;
}


static void *
ngx_http_govsvc_admin_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_admin_loc_conf_t  *conf;

    conf = ngx_palloc(cf->pool, sizeof(ngx_http_govsvc_admin_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->enable = 0;
    conf->auth = NGX_CONF_UNSET_UINT;
    conf->body = NGX_HTTP_GOVSVC_ADMIN_BODY;

    return conf;
}


/*
 * The API is no service of a platform, so no route leads to it; and nobody
 * uses it without a record.
 */

static char *
ngx_http_govsvc_admin_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_govsvc_admin_loc_conf_t *prev = parent;
    ngx_http_govsvc_admin_loc_conf_t *conf = child;

    ngx_http_govsvc_audit_loc_conf_t   *alcf;
    ngx_http_govsvc_route_loc_conf_t   *rlcf;
    ngx_http_govsvc_route_main_conf_t  *rmcf;

    if (conf->auth == NGX_CONF_UNSET_UINT) {
        conf->auth = prev->auth;
    }

    if (!conf->enable) {
        return NGX_CONF_OK;
    }

    if (conf->auth == NGX_CONF_UNSET_UINT) {
        conf->auth = NGX_HTTP_GOVSVC_ADMIN_MTLS;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_route_module);

    if (rmcf->platforms.data == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_admin\" needs \"govsvc_platforms\"");
        return NGX_CONF_ERROR;
    }

    alcf = ngx_http_conf_get_module_loc_conf(cf,
                                             ngx_http_govsvc_audit_module);

    if (alcf->level == NGX_HTTP_GOVSVC_AUDIT_OFF) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_admin\" needs \"govsvc_audit meta\" in its "
                      "location: each attempt is recorded");
        return NGX_CONF_ERROR;
    }

    rlcf = ngx_http_conf_get_module_loc_conf(cf,
                                             ngx_http_govsvc_route_module);
    rlcf->enable = 0;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_admin_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_admin_loc_conf_t *alcf = conf;

    char                               *rv;
    ngx_str_t                          *value;
    ngx_uint_t                          i;
    ngx_http_core_loc_conf_t           *clcf;
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    if (alcf->enable) {
        return "is duplicate";
    }

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_admin_module);
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "body=", 5) == 0) {
            rv = ngx_http_govsvc_admin_set_body(cf, &value[i], &alcf->body);

        } else if (ngx_strncmp(value[i].data, "proof=", 6) == 0) {
            rv = ngx_http_govsvc_admin_set_flag(cf, &value[i], 6,
                                                &amcf->proof);

        } else if (ngx_strncmp(value[i].data, "loopback=", 9) == 0) {
            rv = ngx_http_govsvc_admin_set_flag(cf, &value[i], 9,
                                                &amcf->loopback);

        } else {
            rv = ngx_govsvc_conf_invalid(cf, "parameter", &value[i],
                                         ngx_http_govsvc_admin_params);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

#if (NGX_THREADS)

    if (amcf->threads == NULL) {
        amcf->threads = ngx_govsvc_thread(cf, &ngx_http_govsvc_admin_pool);
        if (amcf->threads == NULL) {
            return NGX_CONF_ERROR;
        }
    }

#endif

    if (amcf->loopback == 1) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"loopback=on\" lets platforms name this "
                           "machine: for laboratories only");
    }

    /* the status tells rates */

    if (ngx_http_govsvc_metrics_use(cf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    alcf->enable = 1;
    amcf->used = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_govsvc_admin_handler;

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_admin_set_body(ngx_conf_t *cf, ngx_str_t *value, size_t *body)
{
    uint64_t  bytes;
    gs_str_t  s;

    s = gs_str_make(value->data + 5, value->len - 5);

    if (gs_parse_size(&s, &bytes) != GS_OK || bytes < 1024
        || bytes > 64 * 1024 * 1024)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid body size \"%V\", allowed: 1k to 64m",
                           value);
        return NGX_CONF_ERROR;
    }

    *body = (size_t) bytes;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_admin_set_flag(ngx_conf_t *cf, ngx_str_t *value, size_t skip,
    ngx_uint_t *flag)
{
    gs_str_t   s;
    ngx_str_t  text;

    text.data = value->data + skip;
    text.len = value->len - skip;
    s = ngx_govsvc_to_gs(&text);

    if (gs_str_eq_text(&s, "on")) {
        *flag = 1;

    } else if (gs_str_eq_text(&s, "off")) {
        *flag = 0;

    } else {
        return ngx_govsvc_conf_invalid(cf, "parameter", &text,
                                       ngx_http_govsvc_admin_flags);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_admin_set_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_admin_loc_conf_t *alcf = conf;

    gs_str_t     s;
    ngx_str_t   *value;
    ngx_uint_t   i, bit;

    if (alcf->auth != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    alcf->auth = 0;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        s = ngx_govsvc_to_gs(&value[i]);

        if (gs_str_eq_text(&s, "mtls")) {
            bit = NGX_HTTP_GOVSVC_ADMIN_MTLS;

        } else if (gs_str_eq_text(&s, "jwt")) {
            bit = NGX_HTTP_GOVSVC_ADMIN_JWT;

        } else if (gs_str_eq_text(&s, "govhmac")) {
            bit = NGX_HTTP_GOVSVC_ADMIN_SIGNED;

        } else {
            return ngx_govsvc_conf_invalid(cf, "method", &value[i],
                                           ngx_http_govsvc_admin_auths);
        }

        alcf->auth |= bit;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_admin_set_credentials(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_admin_main_conf_t *amcf = conf;

    ngx_str_t  *value;

    if (amcf->credentials.len != 0) {
        return "is duplicate";
    }

    value = cf->args->elts;
    amcf->credentials = value[1];

    return ngx_govsvc_conf_read_file(cf, &amcf->credentials,
                                     &amcf->credentials_text,
                                     NGX_HTTP_GOVSVC_ADMIN_FILE, 0);
}


static char *
ngx_http_govsvc_admin_set_deny(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_admin_main_conf_t *amcf = conf;

    gs_net_t    *net;
    gs_str_t     s;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        s = ngx_govsvc_to_gs(&value[i]);

        net = ngx_array_push(&amcf->deny);
        if (net == NULL) {
            return NGX_CONF_ERROR;
        }

        if (gs_net_parse(net, &s) != GS_OK || net->family == GS_NET_UNIX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid network \"%V\" in \"%V\" directive, "
                               "allowed: an address or a prefix such as "
                               "\"10.0.0.0/8\"", &value[i], &value[0]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
