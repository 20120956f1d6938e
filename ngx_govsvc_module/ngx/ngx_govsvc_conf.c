
/*
 * Copyright (C) govsvc authors
 *
 * Configuration: files beside nginx.conf, and errors that say what to change.
 */


#include "ngx/ngx_govsvc_files.h"


static char *ngx_govsvc_conf_read_fd(ngx_conf_t *cf, ngx_str_t *path,
    ngx_fd_t fd, ngx_str_t *text, size_t max, ngx_uint_t secret);
static char *ngx_govsvc_conf_check(ngx_conf_t *cf, ngx_str_t *path,
    ngx_file_info_t *fi, size_t max, ngx_uint_t secret);
static ngx_uint_t ngx_govsvc_conf_is_name(ngx_str_t *name);
static ngx_int_t ngx_govsvc_conf_dump(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *text);


char *
ngx_govsvc_conf_read_file(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text,
    size_t max, ngx_uint_t secret)
{
    char      *rv;
    ngx_fd_t   fd;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* without NONBLOCK a pipe put there by mistake would hang nginx -t */

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", path);
        return NGX_CONF_ERROR;
    }

    rv = ngx_govsvc_conf_read_fd(cf, path, fd, text, max, secret);

    if (rv == NGX_CONF_OK
        && ngx_govsvc_files_add(cf, path, secret) == NGX_ERROR)
    {
        rv = NGX_CONF_ERROR;
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", path);
    }

    return rv;
}


static char *
ngx_govsvc_conf_read_fd(ngx_conf_t *cf, ngx_str_t *path, ngx_fd_t fd,
    ngx_str_t *text, size_t max, ngx_uint_t secret)
{
    size_t           size, done;
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", path);
        return NGX_CONF_ERROR;
    }

    if (ngx_govsvc_conf_check(cf, path, &fi, max, secret) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    size = (size_t) ngx_file_size(&fi);

    text->data = ngx_pnalloc(cf->pool, size + 1);
    if (text->data == NULL) {
        return NGX_CONF_ERROR;
    }

    for (done = 0; done < size; done += (size_t) n) {
        n = ngx_read_fd(fd, text->data + done, size - done);

        if (n == -1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               ngx_read_fd_n " \"%V\" failed", path);
            return NGX_CONF_ERROR;
        }

        if (n == 0) {
            break;
        }
    }

    text->len = done;
    text->data[done] = '\0';

    if (ngx_dump_config && !secret
        && ngx_govsvc_conf_dump(cf, path, text) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_conf_check(ngx_conf_t *cf, ngx_str_t *path, ngx_file_info_t *fi,
    size_t max, ngx_uint_t secret)
{
    if (!ngx_is_file(fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a regular file", path);
        return NGX_CONF_ERROR;
    }

    if ((uint64_t) ngx_file_size(fi) > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has %O bytes, at most %uz are allowed",
                           path, ngx_file_size(fi), max);
        return NGX_CONF_ERROR;
    }

    if (secret && (ngx_file_access(fi) & 0007)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" is open to other users, "
                           "allowed: owner and group, use chmod o-rwx", path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_govsvc_conf_dump(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text)
{
    size_t            i, size;
    ngx_buf_t        *buf;
    ngx_conf_dump_t  *dump;

    dump = cf->cycle->config_dump.elts;

    for (i = 0; i < cf->cycle->config_dump.nelts; i++) {
        if (dump[i].name.len == path->len
            && ngx_memcmp(dump[i].name.data, path->data, path->len) == 0)
        {
            return NGX_OK;
        }
    }

    size = text->len;

    buf = ngx_create_temp_buf(cf->cycle->pool, size + 1);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    buf->last = ngx_cpymem(buf->last, text->data, size);

    dump = ngx_array_push(&cf->cycle->config_dump);
    if (dump == NULL) {
        return NGX_ERROR;
    }

    dump->name = *path;
    dump->buffer = buf;

    return NGX_OK;
}


char *
ngx_govsvc_conf_error(ngx_conf_t *cf, ngx_str_t *file, const gs_err_t *err)
{
    ngx_str_t  name;

    name = *file;

    if (err->file[0] != '\0') {
        name.data = (u_char *) err->file;
        name.len = ngx_strlen(err->file);
    }

    if (err->line == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %V", err->text, &name);

    } else if (err->pointer[0] == '\0') {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %V:%ui",
                      err->text, &name, (ngx_uint_t) err->line);

    } else {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s at %s in %V:%ui",
                      err->text, err->pointer, &name, (ngx_uint_t) err->line);
    }

    return NGX_CONF_ERROR;
}


char *
ngx_govsvc_conf_invalid(ngx_conf_t *cf, const char *what, ngx_str_t *value,
    const char *const *names)
{
    gs_err_t    err;
    gs_str_t    s;
    ngx_str_t  *directive;

    s = ngx_govsvc_to_gs(value);
    directive = cf->args->elts;

    ngx_memzero(&err, sizeof(gs_err_t));
    gs_err(&err, "invalid %s \"%S\"", what, &s);

    if (names != NULL) {
        gs_err_hint(&err, &s, names);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\" directive",
                       err.text, &directive[0]);

    return NGX_CONF_ERROR;
}


char *
ngx_govsvc_conf_zone(ngx_conf_t *cf, ngx_str_t *value, size_t min,
    ngx_str_t *name, size_t *size)
{
    u_char     *colon, *last;
    gs_str_t    s;
    uint64_t    bytes;
    ngx_str_t   text, *directive;

    directive = cf->args->elts;
    last = value->data + value->len;
    colon = ngx_strlchr(value->data, last, ':');

    if (colon == NULL || colon == value->data || colon + 1 == last) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone \"%V\" in \"%V\" directive, "
                           "allowed: a name and a size, as in "
                           "\"zone=main:32m\"", value, &directive[0]);
        return NGX_CONF_ERROR;
    }

    name->data = value->data;
    name->len = (size_t) (colon - value->data);

    if (!ngx_govsvc_conf_is_name(name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone name \"%V\" in \"%V\" directive, "
                           "allowed: 1 to 64 letters, digits, \"-\", \"_\" "
                           "and \".\"", name, &directive[0]);
        return NGX_CONF_ERROR;
    }

    text.data = colon + 1;
    text.len = (size_t) (last - text.data);
    s = ngx_govsvc_to_gs(&text);

    if (gs_parse_size(&s, &bytes) != GS_OK || bytes < min
        || bytes > NGX_MAX_SIZE_T_VALUE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\" in \"%V\" directive, "
                           "allowed: %uzk or more, with k, m or g", &text,
                           &directive[0], min / 1024);
        return NGX_CONF_ERROR;
    }

    *size = (size_t) bytes;

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_govsvc_conf_is_name(ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c)
            && c != '-' && c != '_' && c != '.')
        {
            return 0;
        }
    }

    return name->len != 0 && name->len <= 64;
}


char *
ngx_govsvc_conf_params(ngx_conf_t *cf, ngx_uint_t from,
    const char *const *names, ngx_str_t *values)
{
    ngx_str_t   *value, text;
    ngx_uint_t   i, k;

    value = cf->args->elts;

    for (k = 0; names[k] != NULL; k++) {
        ngx_str_null(&values[k]);
    }

    for (i = from; i < cf->args->nelts; i++) {

        ngx_str_null(&text);

        for (k = 0; names[k] != NULL; k++) {
            if (ngx_govsvc_conf_param(&value[i], names[k], &text)) {
                break;
            }
        }

        if (names[k] == NULL) {
            return ngx_govsvc_conf_unknown(cf, &value[i], names);
        }

        if (values[k].data != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\" in \"%V\" "
                               "directive", &value[i], &value[0]);
            return NGX_CONF_ERROR;
        }

        values[k] = text;
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_govsvc_conf_param(ngx_str_t *arg, const char *name, ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (arg->len < len || ngx_memcmp(arg->data, name, len) != 0
        || (arg->len > len && name[len - 1] != '='))
    {
        return 0;
    }

    value->len = arg->len - len;
    value->data = arg->data + len;

    return 1;
}


char *
ngx_govsvc_conf_unknown(ngx_conf_t *cf, ngx_str_t *arg,
    const char *const *names)
{
    u_char     *p;
    ngx_str_t   name;

    name = *arg;

    p = ngx_strlchr(arg->data, arg->data + arg->len, '=');
    if (p != NULL) {
        name.len = (size_t) (p + 1 - arg->data);
    }

    return ngx_govsvc_conf_invalid(cf, "parameter", &name, names);
}


ngx_uint_t
ngx_govsvc_conf_next(ngx_str_t *rest, ngx_str_t *word)
{
    u_char  *comma, *last;

    if (rest->data == NULL) {
        return 0;
    }

    last = rest->data + rest->len;
    comma = ngx_strlchr(rest->data, last, ',');

    word->data = rest->data;

    if (comma == NULL) {
        word->len = rest->len;
        ngx_str_null(rest);

    } else {
        word->len = (size_t) (comma - rest->data);
        rest->data = comma + 1;
        rest->len = (size_t) (last - comma - 1);
    }

    return 1;
}
