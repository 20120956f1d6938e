
/*
 * Copyright (C) govsvc authors
 *
 * Client: directives of identity headers and of the place of addresses.
 */


#include "http/ngx_http_govsvc_client.h"


static void *ngx_http_govsvc_client_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_govsvc_client_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_client_merge_srv_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_govsvc_client_set_strip(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_govsvc_client_add_name(ngx_conf_t *cf,
    ngx_array_t *strip, ngx_str_t *value);
static ngx_uint_t ngx_http_govsvc_client_known(
    ngx_http_govsvc_client_name_t *name);
static char *ngx_http_govsvc_client_set_geo(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


static ngx_command_t  ngx_http_govsvc_client_commands[] = {

    { ngx_string("govsvc_identity_strip"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_client_set_strip,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_govsvc_client_srv_conf_t, strip),
      NULL },

    { ngx_string("govsvc_geo"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_govsvc_client_set_geo,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_client_main_conf_t, geo),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_client_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_client_create_main_conf,    /* create main conf */
    NULL,                                  /* init main configuration */

    ngx_http_govsvc_client_create_srv_conf,     /* create server conf */
    ngx_http_govsvc_client_merge_srv_conf,      /* merge server conf */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_client_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_client_module_ctx,    /* module context */
    ngx_http_govsvc_client_commands,       /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_geo_init_process,      /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/*
 * Injected by the gateway for the platforms, or by a gateway behind a client
 * of ours: from a client they are forgeries.
 */

const ngx_http_govsvc_client_name_t  ngx_http_govsvc_client_names[] = {
    { ngx_string("x-tif-uid"), 0 },
    { ngx_string("x-tif-uinfo"), 0 },
    { ngx_string("x-tif-ext"), 0 },
    { ngx_string("x-rio-uid"), 0 },
    { ngx_string("x-rio-uinfo"), 0 },
    { ngx_string("x-rio-ext"), 0 },
    { ngx_string("x-sal-uid"), 0 },
    { ngx_string("x-sal-uinfo"), 0 },
    { ngx_string("x-sal-ext"), 0 },
    { ngx_string("x-ext-data"), 0 },
    { ngx_string("x-tai-identity"), 0 },
    { ngx_string("x-govsvc-"), 1 },
    { ngx_string("staffid"), 0 },
    { ngx_string("staffname"), 0 },
    { ngx_null_string, 0 }
};


static void *
ngx_http_govsvc_client_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_client_main_conf_t));
}


static void *
ngx_http_govsvc_client_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_client_srv_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_client_srv_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->strip = NGX_CONF_UNSET_PTR;

    return conf;
}


static char *
ngx_http_govsvc_client_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_govsvc_client_srv_conf_t *prev = parent;
    ngx_http_govsvc_client_srv_conf_t *conf = child;

    ngx_uint_t                            i;
    ngx_http_govsvc_client_name_t        *names;
    const ngx_http_govsvc_client_name_t  *known;
    ngx_http_govsvc_client_main_conf_t   *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_client_module);
    conf->own = cmcf->own;

    ngx_conf_merge_ptr_value(conf->strip, prev->strip, NULL);

    for (known = ngx_http_govsvc_client_names; known->name.len; known++) {
        conf->first[known->name.data[0]] = 1;
    }

    if (conf->strip != NULL) {
        names = conf->strip->elts;

        for (i = 0; i < conf->strip->nelts; i++) {
            conf->first[names[i].name.data[0]] = 1;
        }
    }

    if (conf->own != NULL) {
        names = conf->own->elts;

        for (i = 0; i < conf->own->nelts; i++) {
            conf->first[names[i].name.data[0]] = 1;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_client_own(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_govsvc_client_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_client_module);

    if (cmcf->own == NULL) {
        cmcf->own = ngx_array_create(cf->pool, 4,
                                     sizeof(ngx_http_govsvc_client_name_t));
        if (cmcf->own == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_govsvc_client_add_name(cf, cmcf->own, name);
}


static char *
ngx_http_govsvc_client_set_strip(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_client_srv_conf_t *ccf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (ccf->strip == NGX_CONF_UNSET_PTR) {
        ccf->strip = ngx_array_create(cf->pool, 4,
                                      sizeof(ngx_http_govsvc_client_name_t));
        if (ccf->strip == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_govsvc_client_add_name(cf, ccf->strip, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_client_add_name(ngx_conf_t *cf, ngx_array_t *strip,
    ngx_str_t *value)
{
    u_char                          c;
    ngx_str_t                       name, *directive;
    ngx_uint_t                      i;
    ngx_http_govsvc_client_name_t  *n;

    directive = cf->args->elts;
    name = *value;

    n = ngx_array_push(strip);
    if (n == NULL) {
        return NGX_CONF_ERROR;
    }

    n->prefix = (name.len > 0 && name.data[name.len - 1] == '*');
    name.len -= n->prefix;

    n->name.len = name.len;
    n->name.data = ngx_pnalloc(cf->pool, name.len + 1);

    if (n->name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < name.len; i++) {
        c = name.data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_') {
            break;
        }

        n->name.data[i] = ngx_http_govsvc_client_fold(c);
    }

    if (name.len == 0 || i < name.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid header name \"%V\" in \"%V\" directive, "
                           "allowed: letters, digits, \"-\", \"_\", and \"*\" "
                           "at the end", value, directive);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_client_known(n)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"%V\" directive is a header that nginx "
                           "itself reads", value, directive);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Nginx has read its own headers before us and keeps pointers to them. */

static ngx_uint_t
ngx_http_govsvc_client_known(ngx_http_govsvc_client_name_t *name)
{
    ngx_http_header_t  *h;

    for (h = ngx_http_headers_in; h->name.len; h++) {

        if (h->name.len < name->name.len
            || (h->name.len > name->name.len && !name->prefix))
        {
            continue;
        }

        if (ngx_strncasecmp(h->name.data, name->name.data, name->name.len)
            == 0)
        {
            return 1;
        }
    }

    return 0;
}


static char *
ngx_http_govsvc_client_set_geo(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_client_main_conf_t *cmcf = conf;

    ngx_str_t  *value, name;

    static const char *const  known[] = { "asn=FILE", NULL };

    if (cmcf->geo.db != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_govsvc_geo_open(cf, &cmcf->geo, &value[1], GS_GEO_PLACES)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    name = value[2];

    if (name.len < 4 || ngx_strncmp(name.data, "asn=", 4) != 0) {
        return ngx_govsvc_conf_invalid(cf, "parameter", &name, known);
    }

    name.data += 4;
    name.len -= 4;

    if (name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "empty file name in parameter \"%V\" of "
                           "\"govsvc_geo\" directive, expecting the name of "
                           "an ASN, ISP or Enterprise database", &value[2]);
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_geo_open(cf, &cmcf->numbers, &name,
                                    GS_GEO_NUMBERS);
}
