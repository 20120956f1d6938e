
/*
 * Copyright (C) govsvc authors
 *
 * The files of a configuration.  Directives tell of theirs as they read them;
 * Nginx keeps no list of what it included, so that is found once more.
 */


#include "ngx/ngx_govsvc_files.h"
#include "core/gs_conf_scan.h"


#define NGX_GOVSVC_FILES_DEPTH  16


typedef struct {
    ngx_array_t         *files;            /* ngx_govsvc_file_t */
} ngx_govsvc_files_conf_t;


typedef struct {
    ngx_cycle_t         *cycle;
    ngx_pool_t          *pool;
    ngx_array_t         *files;
    ngx_uint_t           depth;
} ngx_govsvc_files_scan_t;


static void *ngx_govsvc_files_create_conf(ngx_cycle_t *cycle);
static ngx_int_t ngx_govsvc_files_push(ngx_array_t *files,
    ngx_pool_t *pool, ngx_str_t *path, ngx_uint_t secret);
static ngx_int_t ngx_govsvc_files_scan(ngx_govsvc_files_scan_t *scan,
    ngx_str_t *path);
static ngx_int_t ngx_govsvc_files_text(ngx_str_t *path, ngx_str_t *text,
    ngx_pool_t *pool);
static gs_rc_t ngx_govsvc_files_include(void *data, const gs_str_t *name);


static ngx_core_module_t  ngx_govsvc_files_module_ctx = {
    ngx_string("govsvc_files"),
    ngx_govsvc_files_create_conf,          /* create configuration */
    NULL                                   /* init configuration */
};


ngx_module_t  ngx_govsvc_files_module = {
    NGX_MODULE_V1,
    &ngx_govsvc_files_module_ctx,          /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
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
ngx_govsvc_files_create_conf(ngx_cycle_t *cycle)
{
    ngx_govsvc_files_conf_t  *fcf;

    fcf = ngx_pcalloc(cycle->pool, sizeof(ngx_govsvc_files_conf_t));
    if (fcf == NULL) {
        return NULL;
    }

    fcf->files = ngx_array_create(cycle->pool, 16, sizeof(ngx_govsvc_file_t));
    if (fcf->files == NULL) {
        return NULL;
    }

    return fcf;
}


ngx_int_t
ngx_govsvc_files_add(ngx_conf_t *cf, ngx_str_t *path, ngx_uint_t secret)
{
    ngx_govsvc_files_conf_t  *fcf;

    fcf = (ngx_govsvc_files_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                                   ngx_govsvc_files_module);

    return ngx_govsvc_files_push(fcf->files, cf->cycle->pool, path, secret);
}


static ngx_int_t
ngx_govsvc_files_push(ngx_array_t *files, ngx_pool_t *pool, ngx_str_t *path,
    ngx_uint_t secret)
{
    u_char             *p;
    ngx_uint_t          i;
    ngx_govsvc_file_t  *file;

    file = files->elts;

    for (i = 0; i < files->nelts; i++) {

        if (file[i].path.len == path->len
            && ngx_memcmp(file[i].path.data, path->data, path->len) == 0)
        {
            /* what one directive takes for a secret is one */

            file[i].secret |= (secret != 0);
            return NGX_DECLINED;
        }
    }

    if (files->nelts == NGX_GOVSVC_FILES_MAX) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(pool, path->len + 1);
    file = ngx_array_push(files);

    if (p == NULL || file == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, path->data, path->len);
    p[path->len] = '\0';

    file->path.len = path->len;
    file->path.data = p;
    file->secret = (secret != 0);

    return NGX_OK;
}


ngx_array_t *
ngx_govsvc_files(ngx_cycle_t *cycle, ngx_pool_t *pool)
{
    ngx_uint_t                i;
    ngx_govsvc_file_t        *file;
    ngx_govsvc_files_conf_t  *fcf;
    ngx_govsvc_files_scan_t   scan;

    fcf = (ngx_govsvc_files_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                   ngx_govsvc_files_module);

    scan.cycle = cycle;
    scan.pool = pool;
    scan.depth = 0;
    scan.files = ngx_array_create(pool, 16, sizeof(ngx_govsvc_file_t));

    if (scan.files == NULL
        || ngx_govsvc_files_scan(&scan, &cycle->conf_file) != NGX_OK)
    {
        return NULL;
    }

    file = fcf->files->elts;

    for (i = 0; i < fcf->files->nelts; i++) {
        if (ngx_govsvc_files_push(scan.files, pool, &file[i].path,
                                  file[i].secret)
            == NGX_ERROR)
        {
            return NULL;
        }
    }

    return scan.files;
}


/* A file that cannot be read any more is of the configuration all the same. */

static ngx_int_t
ngx_govsvc_files_scan(ngx_govsvc_files_scan_t *scan, ngx_str_t *path)
{
    gs_rc_t    rc;
    gs_str_t   s;
    ngx_int_t  pushed;
    ngx_str_t  text;

    pushed = ngx_govsvc_files_push(scan->files, scan->pool, path, 0);

    if (pushed != NGX_OK || scan->depth == NGX_GOVSVC_FILES_DEPTH) {
        return (pushed == NGX_ERROR) ? NGX_ERROR : NGX_OK;
    }

    if (ngx_govsvc_files_text(path, &text, scan->pool) != NGX_OK) {
        return NGX_OK;
    }

    s = ngx_govsvc_to_gs(&text);

    scan->depth++;
    rc = gs_conf_scan(&s, ngx_govsvc_files_include, scan);
    scan->depth--;

    (void) ngx_pfree(scan->pool, text.data);

    return (rc == GS_OK) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_govsvc_files_text(ngx_str_t *path, ngx_str_t *text, ngx_pool_t *pool)
{
    size_t            size;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_file_info_t   fi;

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_DECLINED;
    }

    text->data = NULL;
    text->len = 0;

    if (ngx_fd_info(fd, &fi) != NGX_FILE_ERROR && ngx_is_file(&fi)
        && ngx_file_size(&fi) <= NGX_GOVSVC_FILES_TEXT)
    {
        size = (size_t) ngx_file_size(&fi);
        text->data = ngx_pnalloc(pool, size + 1);

        while (text->data != NULL && text->len < size) {
            n = ngx_read_fd(fd, text->data + text->len, size - text->len);

            if (n <= 0) {
                break;
            }

            text->len += (size_t) n;
        }
    }

    (void) ngx_close_file(fd);

    return (text->data != NULL) ? NGX_OK : NGX_DECLINED;
}


/* As ngx_conf_include() finds them. */

static gs_rc_t
ngx_govsvc_files_include(void *data, const gs_str_t *name)
{
    ngx_govsvc_files_scan_t *scan = data;

    u_char      *p;
    ngx_int_t    rc;
    ngx_str_t    path, found;
    ngx_glob_t   gl;

    p = ngx_pnalloc(scan->pool, name->len + 1);
    if (p == NULL) {
        return GS_ERROR;
    }

    ngx_memcpy(p, name->data, name->len);
    p[name->len] = '\0';

    path.data = p;
    path.len = name->len;

    if (ngx_conf_full_name(scan->cycle, &path, 1) != NGX_OK) {
        return GS_ERROR;
    }

    if (strpbrk((char *) path.data, "*?[") == NULL) {
        return (ngx_govsvc_files_scan(scan, &path) == NGX_OK) ? GS_OK
                                                              : GS_ERROR;
    }

    ngx_memzero(&gl, sizeof(ngx_glob_t));

    gl.pattern = path.data;
    gl.log = scan->cycle->log;
    gl.test = 1;

    if (ngx_open_glob(&gl) != NGX_OK) {
        return GS_OK;
    }

    do {
        rc = ngx_read_glob(&gl, &found);

    } while (rc == NGX_OK && ngx_govsvc_files_scan(scan, &found) == NGX_OK);

    ngx_close_glob(&gl);

    return (rc == NGX_OK) ? GS_ERROR : GS_OK;
}
