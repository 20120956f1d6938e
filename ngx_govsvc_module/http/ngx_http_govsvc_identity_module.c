
/*
 * Copyright (C) govsvc authors
 *
 * Identity for the platforms: the directives.
 */


#include "http/ngx_http_govsvc_identity.h"


static void *ngx_http_govsvc_identity_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_identity_init_main_conf(ngx_conf_t *cf,
    void *conf);
static void *ngx_http_govsvc_identity_create_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_identity_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_govsvc_identity_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_identity_set_one(ngx_conf_t *cf,
    ngx_array_t *set);
static char *ngx_http_govsvc_identity_jwks(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


static ngx_command_t  ngx_http_govsvc_identity_commands[] = {

    { ngx_string("govsvc_identity_set"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_govsvc_identity_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_identity_conf_t, set),
      NULL },

    { ngx_string("govsvc_identity_sign"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_identity_sign,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_identity_conf_t, jws),
      NULL },

    { ngx_string("govsvc_identity_jwks"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_govsvc_identity_jwks,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_identity_conf_t, published),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_identity_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_identity_create_main_conf,
                                           /* create main configuration */
    ngx_http_govsvc_identity_init_main_conf,
                                           /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_identity_create_conf,  /* create location configuration */
    ngx_http_govsvc_identity_merge_conf    /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_identity_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_identity_module_ctx,  /* module context */
    ngx_http_govsvc_identity_commands,     /* module directives */
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


static void *
ngx_http_govsvc_identity_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_identity_main_conf_t  *imcf;

    imcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_identity_main_conf_t));
    if (imcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&imcf->signers, cf->pool, 2, sizeof(void *)) != NGX_OK)
    {
        return NULL;
    }

    return imcf;
}


/* The set of all keys that sign somewhere: {"keys":[...]} */

static char *
ngx_http_govsvc_identity_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_identity_main_conf_t *imcf = conf;

    size_t                size;
    u_char               *p;
    gs_buf_t              b;
    ngx_uint_t            i;
    gs_token_signer_t   **signer;

    signer = imcf->signers.elts;
    size = sizeof("{\"keys\":[]}") + imcf->signers.nelts * 513;

    p = ngx_pnalloc(cf->pool, size);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    gs_buf_init(&b, p, size);
    gs_buf_text(&b, "{\"keys\":[");

    for (i = 0; i < imcf->signers.nelts; i++) {

        if (i != 0) {
            gs_buf_char(&b, ',');
        }

        gs_token_signer_jwk(signer[i], &b);
    }

    gs_buf_text(&b, "]}");

    imcf->jwks.data = p;
    imcf->jwks.len = gs_buf_len(&b);

    return NGX_CONF_OK;
}


static void *
ngx_http_govsvc_identity_create_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_identity_conf_t  *conf;

    conf = ngx_palloc(cf->pool, sizeof(ngx_http_govsvc_identity_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->set = NGX_CONF_UNSET_PTR;
    conf->jws = NGX_CONF_UNSET_PTR;
    conf->tif = NGX_CONF_UNSET_PTR;
    conf->published = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_govsvc_identity_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_govsvc_identity_conf_t *prev = parent;
    ngx_http_govsvc_identity_conf_t *conf = child;

    /* one directive of a kind ends the inheritance of both forms */

    if (conf->jws != NGX_CONF_UNSET_PTR || conf->tif != NGX_CONF_UNSET_PTR) {
        ngx_conf_init_ptr_value(conf->jws, NULL);
        ngx_conf_init_ptr_value(conf->tif, NULL);
    }

    ngx_conf_merge_ptr_value(conf->set, prev->set, NULL);
    ngx_conf_merge_ptr_value(conf->jws, prev->jws, NULL);
    ngx_conf_merge_ptr_value(conf->tif, prev->tif, NULL);
    ngx_conf_init_value(conf->published, 0);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_identity_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_identity_conf_t *icf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "off") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"govsvc_identity_set\" needs a header and a "
                               "value, or \"off\"");
            return NGX_CONF_ERROR;
        }

        if (icf->set != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        icf->set = NULL;

        return NGX_CONF_OK;
    }

    if (icf->set == NULL) {
        return "is duplicate";
    }

    if (icf->set == NGX_CONF_UNSET_PTR) {
        icf->set = ngx_array_create(cf->pool, 4,
                                    sizeof(ngx_http_govsvc_identity_set_t));
        if (icf->set == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_govsvc_identity_set_one(cf, icf->set);
}


static char *
ngx_http_govsvc_identity_set_one(ngx_conf_t *cf, ngx_array_t *set)
{
    ngx_str_t                         *value;
    ngx_uint_t                         i;
    ngx_http_compile_complex_value_t   ccv;
    ngx_http_govsvc_identity_set_t    *s, *sets;
    static const char *const           names[] = {
        "encode=raw", "encode=pct", "encode=base64url", NULL
    };

    value = cf->args->elts;

    s = ngx_array_push(set);
    if (s == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(s, sizeof(ngx_http_govsvc_identity_set_t));

    if (ngx_http_govsvc_identity_name(cf, &value[1], &s->name) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    sets = set->elts;

    for (i = 0; i < set->nelts - 1; i++) {
        if (sets[i].name.key.len == s->name.key.len
            && ngx_strncmp(sets[i].name.lowcase, s->name.lowcase,
                           s->name.key.len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate header \"%V\" in "
                               "\"govsvc_identity_set\" directive", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (cf->args->nelts == 4) {

        for (i = 0; names[i] != NULL; i++) {
            if (ngx_strcmp(value[3].data, names[i]) == 0) {
                break;
            }
        }

        if (names[i] == NULL) {
            return ngx_govsvc_conf_invalid(cf, "parameter", &value[3], names);
        }

        s->encode = i;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[2];
    ccv.complex_value = &s->value;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_identity_jwks(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_identity_conf_t *icf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    if (icf->published != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    icf->published = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_govsvc_identity_jwks_handler;

    return NGX_CONF_OK;
}
