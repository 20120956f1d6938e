
/*
 * Copyright (C) govsvc authors
 *
 * Applications that sign their requests: the directives.
 */


#include "http/ngx_http_govsvc_apps.h"


static void *ngx_http_govsvc_apps_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_apps_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_govsvc_apps_create_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_apps_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_govsvc_apps_postconfiguration(ngx_conf_t *cf);
static char *ngx_http_govsvc_apps(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static gs_rc_t ngx_http_govsvc_apps_read(void *data, const gs_str_t *name,
    int secret, gs_str_t *text, gs_err_t *err);
static void ngx_http_govsvc_apps_cleanup(void *data);
static char *ngx_http_govsvc_app(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_app_parameter(ngx_conf_t *cf,
    ngx_http_govsvc_apps_conf_t *alcf, ngx_str_t *value);
static char *ngx_http_govsvc_app_schemes(ngx_conf_t *cf,
    ngx_http_govsvc_apps_conf_t *alcf, ngx_str_t *list);


static ngx_conf_enum_t  ngx_http_govsvc_app_modes[] = {
    { ngx_string("required"), NGX_HTTP_GOVSVC_APP_REQUIRED },
    { ngx_string("optional"), NGX_HTTP_GOVSVC_APP_OPTIONAL },
    { ngx_string("off"), NGX_HTTP_GOVSVC_APP_OFF },
    { ngx_null_string, 0 }
};


static const char *const  ngx_http_govsvc_app_mode_names[] = {
    "required", "optional", "off", NULL
};


static ngx_command_t  ngx_http_govsvc_apps_commands[] = {

    { ngx_string("govsvc_apps"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_apps,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_apps_main_conf_t, file),
      NULL },

    { ngx_string("govsvc_nonce_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1234,
      ngx_http_govsvc_nonce_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_apps_main_conf_t, zones),
      NULL },

    { ngx_string("govsvc_app"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
      |NGX_CONF_TAKE1234,
      ngx_http_govsvc_app,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_apps_conf_t, mode),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_apps_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_govsvc_apps_postconfiguration,    /* postconfiguration */

    ngx_http_govsvc_apps_create_main_conf, /* create main configuration */
    ngx_http_govsvc_apps_init_main_conf,   /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_apps_create_conf,      /* create location configuration */
    ngx_http_govsvc_apps_merge_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_apps_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_apps_module_ctx,      /* module context */
    ngx_http_govsvc_apps_commands,         /* module directives */
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
ngx_http_govsvc_apps_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_apps_main_conf_t  *amcf;

    /* set by pcalloc(): everything to 0 and NULL */

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_apps_main_conf_t));
    if (amcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&amcf->zones, cf->pool, 1,
                       sizeof(ngx_http_govsvc_nonce_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return amcf;
}


static char *
ngx_http_govsvc_apps_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_apps_main_conf_t *amcf = conf;

    return (amcf->apps != NULL && amcf->zones.nelts == 0)
           ? ngx_http_govsvc_nonce_default(cf, &amcf->zones) : NGX_CONF_OK;
}


static void *
ngx_http_govsvc_apps_create_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_apps_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_apps_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->mode = NGX_CONF_UNSET_UINT;

    return conf;
}


static char *
ngx_http_govsvc_apps_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_govsvc_apps_conf_t *prev = parent;
    ngx_http_govsvc_apps_conf_t *conf = child;

    ngx_http_govsvc_apps_main_conf_t  *amcf;

    if (conf->mode == NGX_CONF_UNSET_UINT) {
        conf->schemes = prev->schemes;
        conf->with_token = prev->with_token;
        conf->body = prev->body;
        conf->file = prev->file;
        conf->line = prev->line;
    }

    ngx_conf_merge_uint_value(conf->mode, prev->mode,
                              NGX_HTTP_GOVSVC_APP_OPTIONAL);

    if (conf->schemes == 0) {
        conf->schemes = (1u << GS_SIGN_SCHEMES) - 1;
    }

    if (conf->body == 0) {
        conf->body = NGX_HTTP_GOVSVC_APP_BODY_MAX;
    }

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_apps_module);

    if (conf->mode == NGX_HTTP_GOVSVC_APP_REQUIRED && amcf->apps == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_app\" needs \"govsvc_apps\" in %V:%ui",
                      &conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    /* tokens are merged before applications, by the order in config */

    return ngx_http_govsvc_require_check_conf(cf, amcf->apps != NULL
                                    && conf->mode != NGX_HTTP_GOVSVC_APP_OFF);
}


/* Nginx drops the headers of gjzwfwpt unless it is told to keep them. */

static ngx_int_t
ngx_http_govsvc_apps_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                          i;
    ngx_http_core_srv_conf_t          **cscf;
    ngx_http_core_main_conf_t          *cmcf;
    ngx_http_govsvc_apps_main_conf_t   *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_apps_module);

    if (amcf->apps == NULL) {
        return NGX_OK;
    }

    ngx_http_govsvc_app_body_init();

    if (!(gs_apps_schemes(amcf->apps) & 1u << GS_SIGN_GJZWFWPT)) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        if (!cscf[i]->underscores_in_headers) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "gjzwfwpt applications need \"underscores_in_headers "
                          "on\" in the server in %s:%ui", cscf[i]->file_name,
                          cscf[i]->line);
        }
    }

    return NGX_OK;
}


static char *
ngx_http_govsvc_apps(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_apps_main_conf_t *amcf = conf;

    gs_err_t             err;
    gs_str_t             s;
    ngx_str_t           *value, text;
    ngx_pool_cleanup_t  *cln;

    if (amcf->file.len != 0) {
        return "is duplicate";
    }

    value = cf->args->elts;
    amcf->file = value[1];

    if (ngx_govsvc_conf_read_file(cf, &amcf->file, &text, GS_APP_MAX_TEXT, 0)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    amcf->mem = ngx_govsvc_mem(cf->pool);
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (amcf->mem == NULL || cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_govsvc_apps_cleanup;
    cln->data = amcf;

    amcf->crypto = gs_sign_crypto_create(amcf->mem);

    if (amcf->crypto == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "libcrypto gives no SHA-2 or SM3, or not enough "
                           "memory");
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&err, sizeof(gs_err_t));
    s = ngx_govsvc_to_gs(&text);

    amcf->apps = gs_apps_load(amcf->mem, &s, ngx_http_govsvc_apps_read, cf,
                              &err);

    if (amcf->apps == NULL) {

        /* what the reader of files found is in the log */

        return err.text[0] == '\0' ? NGX_CONF_ERROR
                                   : ngx_govsvc_conf_error(cf, &amcf->file,
                                                           &err);
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static gs_rc_t
ngx_http_govsvc_apps_read(void *data, const gs_str_t *name, int secret,
    gs_str_t *text, gs_err_t *err)
{
    ngx_conf_t *cf = data;

    size_t     max;
    ngx_str_t  path, content;

    /* with a NUL behind, as Nginx wants its names */

    path.len = name->len;
    path.data = ngx_pnalloc(cf->pool, name->len + 1);
    if (path.data == NULL) {
        return GS_ERROR;
    }

    ngx_memcpy(path.data, name->data, name->len);
    path.data[name->len] = '\0';

    max = secret ? GS_APP_MAX_SECRET : GS_TOKEN_KEYS_MAX_TEXT;

    if (ngx_govsvc_conf_read_file(cf, &path, &content, max,
                                  (ngx_uint_t) secret)
        != NGX_CONF_OK)
    {
        return GS_ERROR;
    }

    *text = ngx_govsvc_to_gs(&content);

    return GS_OK;
}


static void
ngx_http_govsvc_apps_cleanup(void *data)
{
    ngx_http_govsvc_apps_main_conf_t *amcf = data;

    gs_apps_destroy(amcf->apps);
    gs_sign_crypto_destroy(amcf->crypto);
}


static char *
ngx_http_govsvc_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_apps_conf_t *alcf = conf;

    char             *rv;
    ngx_str_t        *value;
    ngx_uint_t        i;
    ngx_conf_enum_t  *mode;

    if (alcf->mode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (mode = ngx_http_govsvc_app_modes; mode->name.len != 0; mode++) {
        if (ngx_strcmp(value[1].data, mode->name.data) == 0) {
            break;
        }
    }

    if (mode->name.len == 0) {
        return ngx_govsvc_conf_invalid(cf, "mode", &value[1],
                                       ngx_http_govsvc_app_mode_names);
    }

    alcf->mode = mode->value;
    alcf->file = cf->conf_file->file.name;
    alcf->line = cf->conf_file->line;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_govsvc_app_parameter(cf, alcf, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_app_parameter(ngx_conf_t *cf,
    ngx_http_govsvc_apps_conf_t *alcf, ngx_str_t *value)
{
    gs_str_t                  s;
    uint64_t                  bytes;
    ngx_str_t                 list;
    static const char *const  names[] = {
        "scheme=NAME,NAME", "with=token", "body=SIZE", NULL
    };

    if (ngx_strncmp(value->data, "scheme=", 7) == 0 && alcf->schemes == 0) {
        list.data = value->data + 7;
        list.len = value->len - 7;

        return ngx_http_govsvc_app_schemes(cf, alcf, &list);
    }

    if (ngx_strcmp(value->data, "with=token") == 0) {
        alcf->with_token = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "body=", 5) == 0 && alcf->body == 0) {
        s = gs_str_make(value->data + 5, value->len - 5);

        if (gs_parse_size(&s, &bytes) == GS_OK && bytes != 0
            && bytes <= NGX_MAX_OFF_T_VALUE)
        {
            alcf->body = (size_t) bytes;
            return NGX_CONF_OK;
        }
    }

    return ngx_govsvc_conf_invalid(cf, "parameter", value, names);
}


static char *
ngx_http_govsvc_app_schemes(ngx_conf_t *cf,
    ngx_http_govsvc_apps_conf_t *alcf, ngx_str_t *list)
{
    gs_str_t    s;
    ngx_str_t   rest, word;
    ngx_uint_t  i;

    rest = *list;

    while (ngx_govsvc_conf_next(&rest, &word)) {
        s = ngx_govsvc_to_gs(&word);

        for (i = 0; gs_sign_scheme_names[i] != NULL; i++) {
            if (gs_str_eq_text(&s, gs_sign_scheme_names[i])) {
                break;
            }
        }

        if (gs_sign_scheme_names[i] == NULL) {
            return ngx_govsvc_conf_invalid(cf, "scheme", &word,
                                           gs_sign_scheme_names);
        }

        alcf->schemes |= (ngx_uint_t) 1 << i;
    }

    return NGX_CONF_OK;
}
