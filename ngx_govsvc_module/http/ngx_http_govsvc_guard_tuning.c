
/*
 * Copyright (C) govsvc authors
 *
 * Guard: how one place wants the rules.  Each directive inherits by itself.
 */


#include "http/ngx_http_govsvc_guard_priv.h"


static char *ngx_http_govsvc_guard_number(ngx_conf_t *cf, ngx_str_t *value,
    const char *what, size_t skip, ngx_uint_t max, ngx_uint_t *number);
static char *ngx_http_govsvc_guard_choice(ngx_conf_t *cf, ngx_str_t *value,
    ngx_uint_t *choice, const char *const *names);
static char *ngx_http_govsvc_guard_policy(ngx_conf_t *cf,
    ngx_http_govsvc_guard_main_conf_t *gmcf,
    ngx_http_govsvc_guard_loc_conf_t *conf);


/* In the order of NGX_HTTP_GOVSVC_GUARD_PASS and what follows. */

static const char *const  ngx_http_govsvc_guard_oversizes[] = {
    "oversize=pass", "oversize=score", "oversize=block", NULL
};


static const char *const  ngx_http_govsvc_guard_overs[] = {
    "over=pass", "over=score", "over=block", NULL
};


char *
ngx_http_govsvc_guard_set_level(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_guard_loc_conf_t *glcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i, *level;

    static const char *const  names[] = { "block=N", "log=N", NULL };

    if (glcf->level_block != NGX_CONF_UNSET_UINT
        || glcf->level_log != NGX_CONF_UNSET_UINT)
    {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len > 6
            && ngx_strncmp(value[i].data, "block=", 6) == 0)
        {
            level = &glcf->level_block;
            rv = ngx_http_govsvc_guard_number(cf, &value[i], "level", 6, 4,
                                              level);

        } else if (value[i].len > 4
                   && ngx_strncmp(value[i].data, "log=", 4) == 0)
        {
            level = &glcf->level_log;
            rv = ngx_http_govsvc_guard_number(cf, &value[i], "level", 4, 4,
                                              level);

        } else {
            return ngx_govsvc_conf_invalid(cf, "parameter", &value[i], names);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (glcf->level_block != NGX_CONF_UNSET_UINT
        && glcf->level_log != NGX_CONF_UNSET_UINT
        && glcf->level_log < glcf->level_block)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the level \"log=%ui\" is below \"block=%ui\"",
                           glcf->level_log, glcf->level_block);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_guard_number(ngx_conf_t *cf, ngx_str_t *value,
    const char *what, size_t skip, ngx_uint_t max, ngx_uint_t *number)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data + skip, value->len - skip);

    if (n == NGX_ERROR || n < 1 || (ngx_uint_t) n > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %s \"%V\", allowed: 1-%ui", what, value,
                           max);
        return NGX_CONF_ERROR;
    }

    *number = (ngx_uint_t) n;

    return NGX_CONF_OK;
}


/* "5 sqli=4 xss=10": of all, and of single classes. */

char *
ngx_http_govsvc_guard_set_threshold(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_guard_loc_conf_t *glcf = conf;

    u_char      *p;
    unsigned    *points;
    gs_str_t    *class, name;
    ngx_str_t   *value;
    ngx_uint_t   i, k, n;

    if (glcf->threshold != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_govsvc_guard_number(cf, &value[1], "threshold", 0, 10000,
                                     &glcf->threshold)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    glcf->classes = ngx_array_create(cf->pool, 4, sizeof(gs_str_t));
    glcf->points = ngx_array_create(cf->pool, 4, sizeof(unsigned));

    if (glcf->classes == NULL || glcf->points == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        p = ngx_strlchr(value[i].data, value[i].data + value[i].len, '=');

        if (p == NULL || p == value[i].data) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid threshold \"%V\", expecting "
                               "CLASS=N", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_govsvc_guard_number(cf, &value[i], "threshold",
                                         p + 1 - value[i].data, 10000, &n)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        name = gs_str_make(value[i].data, p - value[i].data);
        class = glcf->classes->elts;

        for (k = 0; k < glcf->classes->nelts; k++) {
            if (gs_str_eq(&class[k], &name)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "duplicate class in threshold \"%V\"",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }
        }

        class = ngx_array_push(glcf->classes);
        points = ngx_array_push(glcf->points);

        if (class == NULL || points == NULL) {
            return NGX_CONF_ERROR;
        }

        *class = name;
        *points = (unsigned) n;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_guard_set_rule_off(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_guard_loc_conf_t *glcf = conf;

    ngx_str_t                    *value;
    ngx_http_govsvc_guard_off_t  *off;

    if (glcf->off == NGX_CONF_UNSET_PTR) {
        glcf->off = ngx_array_create(cf->pool, 4,
                                     sizeof(ngx_http_govsvc_guard_off_t));
        if (glcf->off == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    off = ngx_array_push(glcf->off);
    if (off == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    ngx_memzero(off, sizeof(ngx_http_govsvc_guard_off_t));

    off->what = value[1];
    off->line = cf->conf_file->line;
    off->file = cf->conf_file->file.name.data;

    if (cf->args->nelts == 3) {
        off->target = value[2];
    }

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_guard_set_body(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_guard_loc_conf_t *glcf = conf;

    ssize_t                             size;
    ngx_str_t                          *value;
    ngx_http_govsvc_guard_main_conf_t  *gmcf;

    if (glcf->body != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        glcf->body = 0;
        return NGX_CONF_OK;
    }

    size = ngx_parse_size(&value[1]);

    if (size < 1024 || size > GS_GUARD_MAX_BODY) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\", allowed: 1k-1m, or \"off\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    glcf->body = size;

    gmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_guard_module);
    gmcf->body = ngx_max(gmcf->body, glcf->body);

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    return ngx_http_govsvc_guard_choice(cf, &value[2], &glcf->oversize,
                                        ngx_http_govsvc_guard_oversizes);
}


static char *
ngx_http_govsvc_guard_choice(ngx_conf_t *cf, ngx_str_t *value,
    ngx_uint_t *choice, const char *const *names)
{
    ngx_uint_t  i;

    for (i = 0; names[i] != NULL; i++) {
        if (ngx_strcmp(value->data, names[i]) == 0) {
            *choice = i;
            return NGX_CONF_OK;
        }
    }

    return ngx_govsvc_conf_invalid(cf, "parameter", value, names);
}


char *
ngx_http_govsvc_guard_set_budget(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_guard_loc_conf_t *glcf = conf;

    ngx_int_t   ms;
    ngx_str_t  *value;

    if (glcf->budget != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        glcf->budget = 0;
        return NGX_CONF_OK;
    }

    ms = ngx_parse_time(&value[1], 0);

    if (ms == NGX_ERROR || ms < 1 || ms > 10000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\", allowed: 1ms-10s, or \"off\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    glcf->budget = ms;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    return ngx_http_govsvc_guard_choice(cf, &value[2], &glcf->over,
                                        ngx_http_govsvc_guard_overs);
}


char *
ngx_http_govsvc_guard_merge_tuning(ngx_conf_t *cf,
    ngx_http_govsvc_guard_main_conf_t *gmcf,
    ngx_http_govsvc_guard_loc_conf_t *prev,
    ngx_http_govsvc_guard_loc_conf_t *conf)
{
    ngx_uint_t  same;

    same = conf->level_block == NGX_CONF_UNSET_UINT
           && conf->level_log == NGX_CONF_UNSET_UINT
           && conf->threshold == NGX_CONF_UNSET_UINT
           && conf->off == NGX_CONF_UNSET_PTR;

    if (conf->threshold == NGX_CONF_UNSET_UINT) {
        conf->classes = prev->classes;
        conf->points = prev->points;
    }

    if (conf->level_block == NGX_CONF_UNSET_UINT
        && conf->level_log == NGX_CONF_UNSET_UINT)
    {
        conf->level_block = prev->level_block;
        conf->level_log = prev->level_log;
    }

    if (conf->body == NGX_CONF_UNSET_SIZE) {
        conf->oversize = prev->oversize;
    }

    if (conf->budget == NGX_CONF_UNSET_MSEC) {
        conf->over = prev->over;
    }

    ngx_conf_merge_uint_value(conf->level_block, NGX_CONF_UNSET_UINT, 1);
    ngx_conf_merge_uint_value(conf->level_log, NGX_CONF_UNSET_UINT,
                              ngx_max(conf->level_block, 2));
    ngx_conf_merge_uint_value(conf->threshold, prev->threshold, 5);
    ngx_conf_merge_ptr_value(conf->off, prev->off, NULL);
    ngx_conf_merge_size_value(conf->body, prev->body, 128 * 1024);
    ngx_conf_merge_uint_value(conf->oversize, NGX_CONF_UNSET_UINT,
                              NGX_HTTP_GOVSVC_GUARD_SCORE);
    ngx_conf_merge_msec_value(conf->budget, prev->budget, 20);
    ngx_conf_merge_uint_value(conf->over, NGX_CONF_UNSET_UINT,
                              NGX_HTTP_GOVSVC_GUARD_BLOCK);

    if (gmcf->guard == NULL || conf->mode == NGX_HTTP_GOVSVC_GUARD_OFF) {
        return NGX_CONF_OK;
    }

    if (same && prev->policy != NULL) {
        conf->policy = prev->policy;
        return NGX_CONF_OK;
    }

    return ngx_http_govsvc_guard_policy(cf, gmcf, conf);
}


static char *
ngx_http_govsvc_guard_policy(ngx_conf_t *cf,
    ngx_http_govsvc_guard_main_conf_t *gmcf,
    ngx_http_govsvc_guard_loc_conf_t *conf)
{
    gs_err_t                      err;
    gs_str_t                     *what, *target;
    ngx_uint_t                    i, n;
    gs_guard_tuning_t             tuning;
    ngx_http_govsvc_guard_off_t  *off;

    ngx_memzero(&tuning, sizeof(gs_guard_tuning_t));
    ngx_memzero(&err, sizeof(gs_err_t));

    n = (conf->off == NULL) ? 0 : conf->off->nelts;
    off = (conf->off == NULL) ? NULL : conf->off->elts;

    what = ngx_palloc(cf->temp_pool, (n + 1) * sizeof(gs_str_t));
    target = ngx_palloc(cf->temp_pool, (n + 1) * sizeof(gs_str_t));

    if (what == NULL || target == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        what[i] = ngx_govsvc_to_gs(&off[i].what);
        target[i] = ngx_govsvc_to_gs(&off[i].target);
    }

    tuning.level_block = (unsigned) conf->level_block;
    tuning.level_log = (unsigned) conf->level_log;
    tuning.threshold = (unsigned) conf->threshold;
    tuning.noff = (unsigned) n;
    tuning.off = what;
    tuning.targets = target;

    if (conf->classes != NULL) {
        tuning.nthresholds = (unsigned) conf->classes->nelts;
        tuning.classes = conf->classes->elts;
        tuning.points = conf->points->elts;
    }

    if (gs_guard_policy(&conf->policy, gmcf->guard, gmcf->mem, &tuning, &err)
        == GS_OK)
    {
        return NGX_CONF_OK;
    }

    if (off != NULL && err.line < n && err.text[0] != 'n') {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%s in \"govsvc_rule_off\" in %s:%ui", err.text,
                      off[err.line].file, off[err.line].line);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"govsvc_threshold\"",
                           err.text);
    }

    return NGX_CONF_ERROR;
}
