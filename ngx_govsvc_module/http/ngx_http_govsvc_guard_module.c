
/*
 * Copyright (C) govsvc authors
 *
 * Guard: directives.  Rules are read where they are named, compiled when the
 * configuration is complete, and freed with it.
 */


#include "http/ngx_http_govsvc_client.h"
#include "http/ngx_http_govsvc_guard_priv.h"


#define NGX_HTTP_GOVSVC_RULES_MAX   (4 * 1024 * 1024)
#define NGX_HTTP_GOVSVC_GUARD_BODY  (128 * 1024)


static void *ngx_http_govsvc_guard_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_guard_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_govsvc_guard_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_guard_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_govsvc_guard_set_rules(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_govsvc_guard_begin(ngx_conf_t *cf,
    ngx_http_govsvc_guard_main_conf_t *gmcf);
static char *ngx_http_govsvc_guard_read_glob(
    ngx_http_govsvc_guard_main_conf_t *gmcf, ngx_str_t *pattern);
static char *ngx_http_govsvc_guard_read(
    ngx_http_govsvc_guard_main_conf_t *gmcf, ngx_str_t *name);
static gs_rc_t ngx_http_govsvc_guard_include(void *data,
    gs_guard_build_t *build, const gs_str_t *from, const gs_str_t *pattern,
    gs_err_t *err);
static gs_rc_t ngx_http_govsvc_guard_load(void *data, const gs_str_t *from,
    const gs_str_t *name, gs_str_t *text, gs_err_t *err);
static ngx_int_t ngx_http_govsvc_guard_beside(
    ngx_http_govsvc_guard_main_conf_t *gmcf, const gs_str_t *from,
    const gs_str_t *name, ngx_str_t *path);
static void ngx_http_govsvc_guard_warn(void *data, const gs_str_t *file,
    unsigned line, const char *text);
static char *ngx_http_govsvc_guard_set_mode(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static void ngx_http_govsvc_guard_cleanup(void *data);


static ngx_conf_enum_t  ngx_http_govsvc_guard_modes[] = {
    { ngx_string("off"), NGX_HTTP_GOVSVC_GUARD_OFF },
    { ngx_string("detect"), NGX_HTTP_GOVSVC_GUARD_DETECT },
    { ngx_string("on"), NGX_HTTP_GOVSVC_GUARD_ON },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_govsvc_guard_commands[] = {

    { ngx_string("govsvc_rules"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_guard_set_rules,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_guard_main_conf_t, files),
      NULL },

    { ngx_string("govsvc_guard"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_guard_set_mode,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_guard_loc_conf_t, mode),
      &ngx_http_govsvc_guard_modes },

    { ngx_string("govsvc_level"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_govsvc_guard_set_level,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_guard_loc_conf_t, level_block),
      NULL },

    { ngx_string("govsvc_threshold"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_guard_set_threshold,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_guard_loc_conf_t, threshold),
      NULL },

    { ngx_string("govsvc_rule_off"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_govsvc_guard_set_rule_off,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_guard_loc_conf_t, off),
      NULL },

    { ngx_string("govsvc_body_inspect"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_govsvc_guard_set_body,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_guard_loc_conf_t, body),
      NULL },

    { ngx_string("govsvc_guard_budget"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_govsvc_guard_set_budget,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_guard_loc_conf_t, budget),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_guard_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_guard_create_main_conf,     /* create main conf */
    ngx_http_govsvc_guard_init_main_conf,       /* init main conf */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_guard_create_loc_conf,      /* create location conf */
    ngx_http_govsvc_guard_merge_loc_conf        /* merge location conf */
};


ngx_module_t  ngx_http_govsvc_guard_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_guard_module_ctx,     /* module context */
    ngx_http_govsvc_guard_commands,        /* module directives */
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
ngx_http_govsvc_guard_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_guard_main_conf_t));
}


static char *
ngx_http_govsvc_guard_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_guard_main_conf_t *gmcf = conf;

    gs_err_t                             err;
    ngx_str_t                            name;
    ngx_http_govsvc_client_main_conf_t  *cmcf;

    if (gmcf->build == NULL) {
        return NGX_CONF_OK;
    }

    ngx_memzero(&err, sizeof(gs_err_t));

    if (gs_guard_compile(&gmcf->guard, gmcf->build, &err) != GS_OK) {
        ngx_str_set(&name, "\"govsvc_rules\"");
        return ngx_govsvc_conf_error(cf, &name, &err);
    }

    gmcf->build = NULL;
    gmcf->cf = cf;

    cmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_client_module);

    gs_guard_unknown(gmcf->guard, cmcf->geo.db != NULL,
                     cmcf->numbers.db != NULL, ngx_http_govsvc_guard_warn,
                     gmcf);

    if (gmcf->body == 0) {
        gmcf->body = NGX_HTTP_GOVSVC_GUARD_BODY;
    }

    if (!gs_guard_acts(gmcf->guard, GS_GUARD_BODY, 1)) {
        gmcf->body = 0;
    }

    gmcf->scratch = gs_guard_scratch_create(gmcf->guard, gmcf->mem,
                                            gmcf->body);

    return (gmcf->scratch == NULL) ? NGX_CONF_ERROR : NGX_CONF_OK;
}


static void *
ngx_http_govsvc_guard_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_guard_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_guard_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->mode = NGX_CONF_UNSET_UINT;
    conf->level_block = NGX_CONF_UNSET_UINT;
    conf->level_log = NGX_CONF_UNSET_UINT;
    conf->threshold = NGX_CONF_UNSET_UINT;
    conf->off = NGX_CONF_UNSET_PTR;
    conf->body = NGX_CONF_UNSET_SIZE;
    conf->oversize = NGX_CONF_UNSET_UINT;
    conf->budget = NGX_CONF_UNSET_MSEC;
    conf->over = NGX_CONF_UNSET_UINT;

    return conf;
}


static char *
ngx_http_govsvc_guard_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_govsvc_guard_loc_conf_t *prev = parent;
    ngx_http_govsvc_guard_loc_conf_t *conf = child;

    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    ngx_conf_merge_uint_value(conf->mode, prev->mode,
                              NGX_HTTP_GOVSVC_GUARD_OFF);

    gmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_guard_module);

    if (conf->mode != NGX_HTTP_GOVSVC_GUARD_OFF && gmcf->guard == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_guard\" needs rules: \"govsvc_rules\" is "
                           "missing in http");
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_guard_merge_tuning(cf, gmcf, prev, conf);
}


static char *
ngx_http_govsvc_guard_set_rules(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_guard_main_conf_t *gmcf = conf;

    ngx_str_t   *value, *file;
    ngx_uint_t   i;

    if (ngx_http_govsvc_guard_begin(cf, gmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        file = ngx_array_push(gmcf->files);
        if (file == NULL) {
            return NGX_CONF_ERROR;
        }

        *file = value[i];

        if (ngx_http_govsvc_guard_read_glob(gmcf, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_guard_begin(ngx_conf_t *cf,
    ngx_http_govsvc_guard_main_conf_t *gmcf)
{
    ngx_pool_cleanup_t  *cln;

    gmcf->cf = cf;
    gmcf->logged = 0;

    if (gmcf->build != NULL) {
        return NGX_OK;
    }

    gmcf->files = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    gmcf->mem = ngx_govsvc_mem(cf->pool);
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (gmcf->files == NULL || gmcf->mem == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_govsvc_guard_cleanup;
    cln->data = gmcf;

    gmcf->build = gs_guard_build_create(gmcf->mem,
                                        ngx_http_govsvc_guard_include,
                                        ngx_http_govsvc_guard_warn, gmcf);

    if (gmcf->build == NULL) {
        return NGX_ERROR;
    }

    gs_guard_build_load(gmcf->build, ngx_http_govsvc_guard_load);

    return NGX_OK;
}


/* Unlike "include", a pattern that names nothing is a fault: no rules then. */

static char *
ngx_http_govsvc_guard_read_glob(ngx_http_govsvc_guard_main_conf_t *gmcf,
    ngx_str_t *pattern)
{
    char        *rv;
    ngx_int_t    n;
    ngx_str_t    path, name, file;
    ngx_glob_t   gl;

    path = *pattern;

    if (ngx_conf_full_name(gmcf->cf->cycle, &path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (strpbrk((char *) path.data, "*?[") == NULL) {
        return ngx_http_govsvc_guard_read(gmcf, &path);
    }

    ngx_memzero(&gl, sizeof(ngx_glob_t));

    gl.pattern = path.data;
    gl.log = gmcf->cf->log;

    if (ngx_open_glob(&gl) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, gmcf->cf, 0,
                           "no rule file fits \"%V\"", &path);
        gmcf->logged = 1;
        return NGX_CONF_ERROR;
    }

    rv = NGX_CONF_OK;

    for ( ;; ) {
        n = ngx_read_glob(&gl, &name);

        if (n != NGX_OK) {
            break;
        }

        file.len = name.len++;
        file.data = ngx_pstrdup(gmcf->cf->pool, &name);

        if (file.data == NULL) {
            rv = NGX_CONF_ERROR;
            break;
        }

        rv = ngx_http_govsvc_guard_read(gmcf, &file);

        if (rv != NGX_CONF_OK) {
            break;
        }
    }

    ngx_close_glob(&gl);

    return rv;
}


static char *
ngx_http_govsvc_guard_read(ngx_http_govsvc_guard_main_conf_t *gmcf,
    ngx_str_t *name)
{
    gs_err_t   err;
    gs_str_t   file, rules;
    ngx_str_t  path, text;

    path = *name;

    if (ngx_govsvc_conf_read_file(gmcf->cf, &path, &text,
                                  NGX_HTTP_GOVSVC_RULES_MAX, 0)
        != NGX_CONF_OK)
    {
        gmcf->logged = 1;
        return NGX_CONF_ERROR;
    }

    file = ngx_govsvc_to_gs(&path);
    rules = ngx_govsvc_to_gs(&text);

    ngx_memzero(&err, sizeof(gs_err_t));

    if (gs_guard_parse(gmcf->build, &file, &rules, &err) != GS_OK) {
        if (!gmcf->logged) {
            gmcf->logged = 1;
            (void) ngx_govsvc_conf_error(gmcf->cf, &path, &err);
        }

        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static gs_rc_t
ngx_http_govsvc_guard_include(void *data, gs_guard_build_t *build,
    const gs_str_t *from, const gs_str_t *pattern, gs_err_t *err)
{
    ngx_http_govsvc_guard_main_conf_t *gmcf = data;

    ngx_str_t  name;

    if (ngx_http_govsvc_guard_beside(gmcf, from, pattern, &name) != NGX_OK) {
        return gs_err(err, "no memory");
    }

    return (ngx_http_govsvc_guard_read_glob(gmcf, &name) == NGX_CONF_OK)
           ? GS_OK : GS_ERROR;
}


static gs_rc_t
ngx_http_govsvc_guard_load(void *data, const gs_str_t *from,
    const gs_str_t *name, gs_str_t *text, gs_err_t *err)
{
    ngx_http_govsvc_guard_main_conf_t *gmcf = data;

    ngx_str_t  path, got;

    if (ngx_http_govsvc_guard_beside(gmcf, from, name, &path) != NGX_OK) {
        return gs_err(err, "no memory");
    }

    if (ngx_govsvc_conf_read_file(gmcf->cf, &path, &got,
                                  NGX_HTTP_GOVSVC_RULES_MAX, 0)
        != NGX_CONF_OK)
    {
        gmcf->logged = 1;
        return GS_ERROR;
    }

    *text = ngx_govsvc_to_gs(&got);

    return GS_OK;
}


/* A name relative to the folder of another file. */

static ngx_int_t
ngx_http_govsvc_guard_beside(ngx_http_govsvc_guard_main_conf_t *gmcf,
    const gs_str_t *from, const gs_str_t *name, ngx_str_t *path)
{
    u_char  *p;
    size_t   folder;

    folder = from->len;

    while (folder > 0 && from->data[folder - 1] != '/') {
        folder--;
    }

    if (name->data[0] == '/') {
        folder = 0;
    }

    path->len = folder + name->len;
    path->data = ngx_pnalloc(gmcf->cf->pool, path->len + 1);

    if (path->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(path->data, from->data, folder);
    p = ngx_cpymem(p, name->data, name->len);
    *p = '\0';

    return NGX_OK;
}


static void
ngx_http_govsvc_guard_warn(void *data, const gs_str_t *file, unsigned line,
    const char *text)
{
    ngx_http_govsvc_guard_main_conf_t *gmcf = data;

    ngx_str_t  name;

    name = ngx_govsvc_from_gs(file);

    ngx_log_error(NGX_LOG_WARN, gmcf->cf->log, 0, "%s in %V:%ui",
                  text, &name, (ngx_uint_t) line);
}


static char *
ngx_http_govsvc_guard_set_mode(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_guard_loc_conf_t *glcf = conf;

    ngx_str_t        *value;
    ngx_conf_enum_t  *mode;

    static const char *const  names[] = { "on", "detect", "off", NULL };

    if (glcf->mode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (mode = ngx_http_govsvc_guard_modes; mode->name.len; mode++) {

        if (mode->name.len != value[1].len
            || ngx_memcmp(mode->name.data, value[1].data, value[1].len) != 0)
        {
            continue;
        }

        glcf->mode = mode->value;

        if (glcf->mode != NGX_HTTP_GOVSVC_GUARD_OFF) {
            ngx_http_govsvc_enable(cf);
        }

        return NGX_CONF_OK;
    }

    return ngx_govsvc_conf_invalid(cf, "value", &value[1], names);
}


static void
ngx_http_govsvc_guard_cleanup(void *data)
{
    ngx_http_govsvc_guard_main_conf_t *gmcf = data;

    gs_guard_scratch_destroy(gmcf->scratch);
    gs_guard_destroy(gmcf->guard);
    gs_guard_build_destroy(gmcf->build);
}
