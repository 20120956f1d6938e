
/*
 * Copyright (C) govsvc authors
 *
 * The directory of segment files.
 */


#include "ngx/ngx_govsvc_store.h"

#include <sys/file.h>


static ngx_int_t ngx_govsvc_store_usable(ngx_core_conf_t *ccf,
    ngx_str_t *dir, ngx_log_t *log);
static ngx_int_t ngx_govsvc_store_read(const char *path, uint64_t *epoch,
    ngx_log_t *log);
static ngx_int_t ngx_govsvc_store_scan(ngx_str_t *dir, uint64_t *epoch,
    ngx_log_t *log);
static ngx_int_t ngx_govsvc_store_write(ngx_str_t *dir, const char *path,
    uint64_t epoch, ngx_fd_t folder, ngx_log_t *log);


#define NGX_GOVSVC_STORE_DIGITS  20


ngx_int_t
ngx_govsvc_store_prepare(ngx_cycle_t *cycle, ngx_str_t *dir)
{
    ngx_log_t        *log;
    ngx_core_conf_t  *ccf;
    ngx_file_info_t   fi;

    log = cycle->log;
    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ngx_create_dir(dir->data, 0750) != NGX_FILE_ERROR) {

        if (geteuid() == 0
            && chown((const char *) dir->data, ccf->user, ccf->group) == -1)
        {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                          "chown(\"%V\") failed", dir);
            return NGX_ERROR;
        }

    } else if (ngx_errno != NGX_EEXIST) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "cannot make the directory \"%V\", its parent has to "
                      "exist", dir);
        return NGX_ERROR;
    }

    if (ngx_file_info(dir->data, &fi) == NGX_FILE_ERROR || !ngx_is_dir(&fi)) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "\"%V\" is not a directory", dir);
        return NGX_ERROR;
    }

    return ngx_govsvc_store_usable(ccf, dir, log);
}


/*
 * As root the master asks with the rights of the worker: they also decide
 * about the directories above.
 */

static ngx_int_t
ngx_govsvc_store_usable(ngx_core_conf_t *ccf, ngx_str_t *dir, ngx_log_t *log)
{
    int        rc;
    ngx_err_t  err;

    if (geteuid() != 0 || ccf->user == 0) {
        rc = access((const char *) dir->data, W_OK|X_OK);
        err = ngx_errno;

        if (rc == -1) {
            ngx_log_error(NGX_LOG_EMERG, log, err,
                          "the directory \"%V\" is not writable, give it to "
                          "the user that runs nginx", dir);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (setegid(ccf->group) == -1 || seteuid(ccf->user) == -1) {
        err = ngx_errno;
        ngx_log_error(NGX_LOG_EMERG, log, err, "seteuid(%d) failed",
                      (int) ccf->user);

        if (setegid(0) == -1) {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "setegid(0) failed");
        }

        return NGX_ERROR;
    }

    rc = faccessat(AT_FDCWD, (const char *) dir->data, W_OK|X_OK, AT_EACCESS);
    err = ngx_errno;

    if (seteuid(0) == -1 || setegid(0) == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "seteuid(0) failed");
        return NGX_ERROR;
    }

    if (rc == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, err,
                      "the directory \"%V\" is not writable for the workers, "
                      "run: chown %s \"%V\"", dir, ccf->username, dir);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_govsvc_store_epoch(ngx_str_t *dir, uint64_t *epoch, ngx_log_t *log)
{
    char       path[NGX_MAX_PATH];
    ngx_fd_t   folder;
    ngx_int_t  rc;

    if (dir->len + sizeof("/epoch.new") > sizeof(path)) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "\"%V\" is too long", dir);
        return NGX_ERROR;
    }

    ngx_sprintf((u_char *) path, "%V/epoch%Z", dir);

    folder = open((const char *) dir->data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (folder == NGX_INVALID_FILE || flock(folder, LOCK_EX) == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "cannot lock the directory \"%V\"", dir);
        rc = NGX_ERROR;

    } else {
        rc = ngx_govsvc_store_read(path, epoch, log);

        if (rc == NGX_DECLINED) {
            rc = ngx_govsvc_store_scan(dir, epoch, log);
        }

        if (rc == NGX_OK) {
            (*epoch)++;
            rc = ngx_govsvc_store_write(dir, path, *epoch, folder, log);
        }
    }

    if (folder != NGX_INVALID_FILE) {
        (void) ngx_close_file(folder);
    }

    return rc;
}


static ngx_int_t
ngx_govsvc_store_read(const char *path, uint64_t *epoch, ngx_log_t *log)
{
    u_char     buf[NGX_GOVSVC_STORE_DIGITS + 2];
    ssize_t    n;
    gs_str_t   text;
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = open(path, O_RDONLY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {

        if (ngx_errno == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "open() \"%s\" failed",
                      path);
        return NGX_ERROR;
    }

    n = read(fd, buf, sizeof(buf));
    err = (n == -1) ? ngx_errno : 0;

    (void) ngx_close_file(fd);

    if (n > 0 && buf[n - 1] == LF) {
        text = gs_str_make(buf, (size_t) n - 1);

        if (gs_parse_u64(&text, epoch) == GS_OK && *epoch < UINT64_MAX) {
            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, log, err,
                  "\"%s\" holds no number: remove it, the epoch is then found "
                  "from the names of the chains", path);

    return NGX_ERROR;
}


static ngx_int_t
ngx_govsvc_store_scan(ngx_str_t *dir, uint64_t *epoch, ngx_log_t *log)
{
    u_char     *p, *name, *end;
    uint64_t    n;
    gs_str_t    text;
    ngx_dir_t   d;

    *epoch = 0;

    if (ngx_open_dir(dir, &d) == NGX_ERROR) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      ngx_open_dir_n " \"%V\" failed", dir);
        return NGX_ERROR;
    }

    while (ngx_read_dir(&d) == NGX_OK) {

        /* the number before ".w" or ".m", with a point before it */

        name = ngx_de_name(&d);
        end = (u_char *) ngx_strstr(name, ".w");

        if (end == NULL) {
            end = (u_char *) ngx_strstr(name, ".m");
        }

        if (end == NULL) {
            continue;
        }

        for (p = end; p > name && gs_is_digit(p[-1]); p--) { /* void */ }

        text = gs_str_make(p, (size_t) (end - p));

        if (gs_parse_u64(&text, &n) == GS_OK && n > *epoch && n < UINT64_MAX) {
            *epoch = n;
        }
    }

    (void) ngx_close_dir(&d);

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_store_write(ngx_str_t *dir, const char *path, uint64_t epoch,
    ngx_fd_t folder, ngx_log_t *log)
{
    char        temp[NGX_MAX_PATH];
    u_char      text[NGX_GOVSVC_STORE_DIGITS + 2];
    size_t      len;
    ngx_fd_t    fd;
    ngx_err_t   err;
    ngx_uint_t  failed;

    ngx_sprintf((u_char *) temp, "%V/epoch.new%Z", dir);
    len = (size_t) (ngx_sprintf(text, "%uL\n", epoch) - text);

    fd = open(temp, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0640);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "open() \"%s\" failed",
                      temp);
        return NGX_ERROR;
    }

    failed = (write(fd, text, len) != (ssize_t) len || fsync(fd) == -1);
    err = ngx_errno;

    (void) ngx_close_file(fd);

    if (!failed) {
        failed = (rename(temp, path) == -1 || fsync(folder) == -1);
        err = ngx_errno;
    }

    if (failed) {
        ngx_log_error(NGX_LOG_EMERG, log, err, "cannot write \"%s\"", path);
        return NGX_ERROR;
    }

    return NGX_OK;
}
