
/*
 * Copyright (C) govsvc authors
 *
 * The keys of an issuer: each process holds its own, in a pool of their own,
 * and looks from time to time whether the file has changed.
 */


#include "http/ngx_http_govsvc_token.h"


#define NGX_HTTP_GOVSVC_KEYS_POOL   4096
#define NGX_HTTP_GOVSVC_KEYS_YOUNG  2      /* s */


static gs_token_keys_t *ngx_http_govsvc_keys_load(
    ngx_http_govsvc_issuer_t *is, ngx_pool_t *pool, ngx_str_t *text,
    gs_err_t *err);
static void ngx_http_govsvc_keys_swap(ngx_http_govsvc_issuer_t *is,
    ngx_pool_t *pool, gs_token_keys_t *keys);
static void ngx_http_govsvc_keys_cleanup(void *data);
static void ngx_http_govsvc_keys_refused(ngx_http_govsvc_issuer_t *is,
    ngx_str_t *text, ngx_str_t *source, const gs_err_t *err, ngx_log_t *log);
static void ngx_http_govsvc_keys_event(ngx_event_t *ev);
static void ngx_http_govsvc_keys_poll(ngx_http_govsvc_issuer_t *is,
    ngx_log_t *log);
static ngx_uint_t ngx_http_govsvc_keys_same(ngx_http_govsvc_issuer_t *is,
    ngx_file_info_t *fi);
static ngx_int_t ngx_http_govsvc_keys_read(ngx_http_govsvc_issuer_t *is,
    ngx_file_info_t *fi, ngx_str_t *text, ngx_pool_t *pool);
static ngx_int_t ngx_http_govsvc_keys_read_fd(ngx_fd_t fd,
    ngx_file_info_t *fi, ngx_str_t *text, ngx_pool_t *pool);


ngx_int_t
ngx_http_govsvc_keys_set(ngx_http_govsvc_issuer_t *is, ngx_str_t *text,
    ngx_str_t *source, ngx_log_t *log)
{
    gs_err_t          err;
    ngx_pool_t       *pool;
    gs_token_keys_t  *keys;

    pool = ngx_create_pool(NGX_HTTP_GOVSVC_KEYS_POOL, log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&err, sizeof(gs_err_t));
    keys = ngx_http_govsvc_keys_load(is, pool, text, &err);

    if (keys == NULL) {
        ngx_http_govsvc_keys_refused(is, text, source, &err, log);
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    is->broken = 0;

    if (keys->generation == ngx_http_govsvc_keys_generation(is)) {
        gs_token_keys_destroy(keys);
        ngx_destroy_pool(pool);
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "govsvc token: issuer \"%V\" has %uz keys now, %uz were "
                  "skipped, from \"%V\"",
                  &is->name, keys->n, keys->skipped, source);

    ngx_http_govsvc_keys_swap(is, pool, keys);

    return NGX_OK;
}


void
ngx_http_govsvc_keys_clear(ngx_http_govsvc_issuer_t *is)
{
    ngx_http_govsvc_keys_cleanup(is);
}


uint64_t
ngx_http_govsvc_keys_generation(ngx_http_govsvc_issuer_t *is)
{
    return is->issuer.keys != NULL ? is->issuer.keys->generation : 0;
}


void
ngx_http_govsvc_keys_source(ngx_http_govsvc_issuer_t *is,
    ngx_http_govsvc_keys_missing_pt missing, void *data)
{
    is->source = 1;
    is->missing = missing;
    is->missing_data = data;
}


char *
ngx_http_govsvc_keys_init(ngx_conf_t *cf, ngx_http_govsvc_issuer_t *is)
{
    gs_err_t             err;
    ngx_str_t            text;
    ngx_uint_t           secret;
    ngx_pool_t          *pool;
    gs_token_keys_t     *keys;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_govsvc_keys_cleanup;
    cln->data = is;

    if (is->jwks_file.len == 0) {
        return NGX_CONF_OK;
    }

    /* looked at first: a change while it is read is then seen */

    if (ngx_conf_full_name(cf->cycle, &is->jwks_file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    is->read = ngx_time();
    secret = (is->issuer.algs & GS_TOKEN_SECRET_ALGS) != 0;

    if (ngx_file_info(is->jwks_file.data, &is->file) == NGX_FILE_ERROR) {
        ngx_memzero(&is->file, sizeof(ngx_file_info_t));
    }

    if (ngx_govsvc_conf_read_file(cf, &is->jwks_file, &text,
                                  GS_TOKEN_KEYS_MAX_TEXT, secret)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    /* cf->log is that of the cycle before, which dies first */

    pool = ngx_create_pool(NGX_HTTP_GOVSVC_KEYS_POOL, &cf->cycle->new_log);
    if (pool == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&err, sizeof(gs_err_t));
    keys = ngx_http_govsvc_keys_load(is, pool, &text, &err);

    if (secret) {
        ngx_explicit_memzero(text.data, text.len);
    }

    if (keys == NULL) {
        ngx_destroy_pool(pool);
        return ngx_govsvc_conf_error(cf, &is->jwks_file, &err);
    }

    ngx_http_govsvc_keys_swap(is, pool, keys);

    return NGX_CONF_OK;
}


static gs_token_keys_t *
ngx_http_govsvc_keys_load(ngx_http_govsvc_issuer_t *is, ngx_pool_t *pool,
    ngx_str_t *text, gs_err_t *err)
{
    gs_mem_t  *mem;
    gs_str_t   s;

    mem = ngx_govsvc_mem(pool);

    if (mem == NULL) {
        gs_err(err, "not enough memory");
        return NULL;
    }

    s = ngx_govsvc_to_gs(text);

    return (is->issuer.algs & GS_TOKEN_SECRET_ALGS)
               ? gs_token_keys_load_secrets(mem, &s, err)
               : gs_token_keys_load(mem, &s, err);
}


/* A check begins and ends within one call, so nothing uses the old keys. */

static void
ngx_http_govsvc_keys_swap(ngx_http_govsvc_issuer_t *is, ngx_pool_t *pool,
    gs_token_keys_t *keys)
{
    ngx_http_govsvc_keys_cleanup(is);

    is->issuer.keys = keys;
    is->keys_pool = pool;
}


static void
ngx_http_govsvc_keys_cleanup(void *data)
{
    ngx_http_govsvc_issuer_t *is = data;

    gs_token_keys_destroy(is->issuer.keys);
    is->issuer.keys = NULL;

    if (is->keys_pool != NULL) {
        ngx_destroy_pool(is->keys_pool);
        is->keys_pool = NULL;
    }
}


static void
ngx_http_govsvc_keys_refused(ngx_http_govsvc_issuer_t *is, ngx_str_t *text,
    ngx_str_t *source, const gs_err_t *err, ngx_log_t *log)
{
    uint64_t  print;

    print = ((uint64_t) ngx_murmur_hash2(text->data, text->len) << 32)
            | (uint32_t) (text->len + 1);

    if (print == is->broken) {
        return;
    }

    is->broken = print;

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "govsvc token: issuer \"%V\" keeps the keys it has: %s%s%s "
                  "in %V:%ui",
                  &is->name, err->text, err->pointer[0] ? " at " : "",
                  err->pointer, source, (ngx_uint_t) err->line);
}


void
ngx_http_govsvc_keys_watch(ngx_http_govsvc_issuer_t *is, ngx_log_t *log)
{
    if (is->jwks_file.len == 0 || is->poll == 0) {
        return;
    }

    is->event.handler = ngx_http_govsvc_keys_event;
    is->event.data = &is->dummy;
    is->event.log = log;
    is->event.cancelable = 1;

    is->dummy.data = is;
    is->dummy.fd = (ngx_socket_t) -1;

    /* a worker that takes the place of a dead one has keys of the start */

    ngx_http_govsvc_keys_poll(is, log);

    ngx_add_timer(&is->event, is->poll);
}


static void
ngx_http_govsvc_keys_event(ngx_event_t *ev)
{
    ngx_connection_t          *dummy;
    ngx_http_govsvc_issuer_t  *is;

    dummy = ev->data;
    is = dummy->data;

    ngx_http_govsvc_keys_poll(is, ev->log);

    if (!ngx_exiting) {
        ngx_add_timer(ev, is->poll);
    }
}


static void
ngx_http_govsvc_keys_poll(ngx_http_govsvc_issuer_t *is, ngx_log_t *log)
{
    ngx_str_t         text;
    ngx_pool_t       *pool;
    ngx_file_info_t   fi;

    if (ngx_file_info(is->jwks_file.data, &fi) == NGX_FILE_ERROR) {

        if (!is->unreadable) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          "govsvc token: issuer \"%V\" keeps the keys it has: "
                          ngx_file_info_n " \"%V\" failed",
                          &is->name, &is->jwks_file);
        }

        is->unreadable = 1;
        return;
    }

    if (!is->unreadable && ngx_http_govsvc_keys_same(is, &fi)) {
        return;
    }

    pool = ngx_create_pool(NGX_HTTP_GOVSVC_KEYS_POOL, log);
    if (pool == NULL) {
        return;
    }

    is->read = ngx_time();

    if (ngx_http_govsvc_keys_read(is, &fi, &text, pool) == NGX_OK) {
        is->file = fi;
        is->unreadable = 0;

        (void) ngx_http_govsvc_keys_set(is, &text, &is->jwks_file, log);
        ngx_explicit_memzero(text.data, text.len);

    } else {

        if (!is->unreadable) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          "govsvc token: issuer \"%V\" keeps the keys it has: "
                          "cannot read \"%V\"", &is->name, &is->jwks_file);
        }

        is->unreadable = 1;
    }

    ngx_destroy_pool(pool);
}


/*
 * A file changed in the very second in which it was read may change again
 * under the same date, so it is read once more.
 */

static ngx_uint_t
ngx_http_govsvc_keys_same(ngx_http_govsvc_issuer_t *is, ngx_file_info_t *fi)
{
    return fi->st_ino == is->file.st_ino
           && fi->st_dev == is->file.st_dev
           && fi->st_size == is->file.st_size
           && fi->st_mtime == is->file.st_mtime
           && fi->st_ctime == is->file.st_ctime
           && is->read - fi->st_ctime >= NGX_HTTP_GOVSVC_KEYS_YOUNG;
}


static ngx_int_t
ngx_http_govsvc_keys_read(ngx_http_govsvc_issuer_t *is, ngx_file_info_t *fi,
    ngx_str_t *text, ngx_pool_t *pool)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    fd = ngx_open_file(is->jwks_file.data,
                       NGX_FILE_RDONLY|NGX_FILE_NONBLOCK, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    rc = ngx_http_govsvc_keys_read_fd(fd, fi, text, pool);

    (void) ngx_close_file(fd);

    return rc;
}


static ngx_int_t
ngx_http_govsvc_keys_read_fd(ngx_fd_t fd, ngx_file_info_t *fi,
    ngx_str_t *text, ngx_pool_t *pool)
{
    size_t   size;
    ssize_t  n;

    if (ngx_fd_info(fd, fi) == NGX_FILE_ERROR) {
        return NGX_ERROR;
    }

    if (!ngx_is_file(fi)) {
        ngx_set_errno(NGX_EISDIR);
        return NGX_ERROR;
    }

    /* one byte more than allowed is enough to be refused */

    size = (size_t) ngx_min(ngx_file_size(fi), GS_TOKEN_KEYS_MAX_TEXT + 1);

    text->len = 0;
    text->data = ngx_pnalloc(pool, size + 1);

    if (text->data == NULL) {
        return NGX_ERROR;
    }

    while (text->len < size) {
        n = ngx_read_fd(fd, text->data + text->len, size - text->len);

        if (n == -1) {
            return NGX_ERROR;
        }

        if (n == 0) {
            break;
        }

        text->len += (size_t) n;
    }

    return NGX_OK;
}
