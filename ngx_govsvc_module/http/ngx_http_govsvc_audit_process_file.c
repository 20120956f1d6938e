
/*
 * Copyright (C) govsvc authors
 *
 * Audit: the file of a chain of the master.
 */


#include "http/ngx_http_govsvc_audit_process.h"


static ngx_int_t ngx_http_govsvc_audit_as(
    ngx_http_govsvc_audit_process_t *p, uid_t uid, gid_t gid);
static ngx_int_t ngx_http_govsvc_audit_file(
    ngx_http_govsvc_audit_process_t *p);
static ngx_int_t ngx_http_govsvc_audit_fill(
    ngx_http_govsvc_audit_process_t *p, ngx_fd_t fd, const char *path);
static ngx_int_t ngx_http_govsvc_audit_sync_dir(
    ngx_http_govsvc_audit_process_t *p, const char *path);


/*
 * With the rights of the workers, who own the store: root is not to be led
 * elsewhere by a link that one of them has put there.
 */

ngx_int_t
ngx_http_govsvc_audit_process_keep(ngx_http_govsvc_audit_process_t *p)
{
    ngx_int_t         rc;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(p->cycle->conf_ctx,
                                           ngx_core_module);

    if (geteuid() != 0 || ccf->user == (uid_t) NGX_CONF_UNSET_UINT
        || ccf->user == 0)
    {
        return ngx_http_govsvc_audit_file(p);
    }

    rc = ngx_http_govsvc_audit_as(p, ccf->user, ccf->group);

    if (rc == NGX_OK) {
        rc = ngx_http_govsvc_audit_file(p);
    }

    if (ngx_http_govsvc_audit_as(p, 0, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
ngx_http_govsvc_audit_as(ngx_http_govsvc_audit_process_t *p, uid_t uid,
    gid_t gid)
{
    int  rc;

    rc = (uid == 0) ? seteuid(uid) : setegid(gid);

    if (rc == 0) {
        rc = (uid == 0) ? setegid(gid) : seteuid(uid);
    }

    if (rc == -1) {
        ngx_log_error(NGX_LOG_ALERT, p->log, ngx_errno,
                      "seteuid(%d) failed", (int) uid);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* A folder and its file, both new; taken back when there is no room. */

static ngx_int_t
ngx_http_govsvc_audit_file(ngx_http_govsvc_audit_process_t *p)
{
    char       folder[NGX_MAX_PATH], path[NGX_MAX_PATH];
    ngx_fd_t   fd;
    ngx_int_t  rc;

    if (p->amcf->dir.len + sizeof(p->name) + 32 > sizeof(path)) {
        return NGX_ERROR;
    }

    ngx_sprintf((u_char *) folder, "%V/%s%Z", &p->amcf->dir, p->name);
    ngx_sprintf((u_char *) path, "%s/0000000000000000.seg%Z", folder);

    if (ngx_create_dir(folder, 0750) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      ngx_create_dir_n " \"%s\" failed", folder);
        return NGX_ERROR;
    }

    fd = open(path, O_WRONLY|O_APPEND|O_CREAT|O_EXCL|O_CLOEXEC, 0640);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
        (void) ngx_delete_dir(folder);
        return NGX_ERROR;
    }

    rc = ngx_http_govsvc_audit_fill(p, fd, path);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      ngx_close_file_n " \"%s\" failed", path);
        rc = (rc == NGX_OK) ? NGX_ERROR : rc;
    }

    if (rc == NGX_DECLINED) {
        (void) ngx_delete_file(path);
        (void) ngx_delete_dir(folder);
        return NGX_ERROR;
    }

    if (rc != NGX_OK || !p->amcf->sync) {
        return rc;
    }

    if (ngx_http_govsvc_audit_sync_dir(p, folder) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_audit_sync_dir(p, (char *) p->amcf->dir.data);
}


/* NGX_DECLINED: nothing was written. */

static ngx_int_t
ngx_http_govsvc_audit_fill(ngx_http_govsvc_audit_process_t *p, ngx_fd_t fd,
    const char *path)
{
    ssize_t   n;
    gs_str_t  s;

    s = gs_buf_view(&p->out);

    /* all or nothing: half a line would have to be explained */

    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t) s.len) == -1
        && ngx_errno != EOPNOTSUPP && ngx_errno != ENOSYS)
    {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      "fallocate() \"%s\" failed", path);
        return NGX_DECLINED;
    }

    while (s.len != 0) {
        n = write(fd, s.data, s.len);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n <= 0) {
            ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                          ngx_write_fd_n " \"%s\" failed", path);
            return (s.data == p->out.start) ? NGX_DECLINED : NGX_ERROR;
        }

        s.data += n;
        s.len -= (size_t) n;
    }

    if (p->amcf->sync && fdatasync(fd) == -1) {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      "fdatasync() \"%s\" failed", path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_sync_dir(ngx_http_govsvc_audit_process_t *p,
    const char *path)
{
    int        rc;
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    rc = (fd == NGX_INVALID_FILE) ? -1 : fsync(fd);
    err = ngx_errno;

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
    }

    if (rc == -1) {
        ngx_log_error(NGX_LOG_CRIT, p->log, err, "fsync() of \"%s\" failed",
                      path);
        return NGX_ERROR;
    }

    return NGX_OK;
}
