
/*
 * Copyright (C) govsvc authors
 *
 * The state file of revocations: read once when the zone is made, replaced as
 * a whole by a thread whenever the zone has changed.
 */


#include "http/ngx_http_govsvc_token.h"
#include "http/ngx_http_govsvc_revoke_priv.h"
#include "ngx/ngx_govsvc_thread.h"
#include "token/gs_token_revoke_priv.h"

#include <sys/file.h>


static ngx_int_t ngx_http_govsvc_revoke_read_fd(
    ngx_http_govsvc_revoke_zone_t *rz, ngx_fd_t fd, u_char *text,
    size_t size);
static void *ngx_http_govsvc_revoke_thread(void *data);
static ngx_int_t ngx_http_govsvc_revoke_write_locked(
    ngx_http_govsvc_revoke_zone_t *rz, ngx_fd_t folder);
static uint64_t ngx_http_govsvc_revoke_mark(
    ngx_http_govsvc_revoke_zone_t *rz);
static void ngx_http_govsvc_revoke_merge(ngx_http_govsvc_revoke_zone_t *rz,
    int64_t now);
static ngx_int_t ngx_http_govsvc_revoke_write_file(
    ngx_http_govsvc_revoke_zone_t *rz, const char *name, const u_char *text,
    size_t len);
static ngx_int_t ngx_http_govsvc_revoke_write_fd(
    ngx_http_govsvc_revoke_zone_t *rz, ngx_fd_t fd, const u_char *text,
    size_t len);
static ngx_int_t ngx_http_govsvc_revoke_failed(
    ngx_http_govsvc_revoke_zone_t *rz, const char *what);


ngx_int_t
ngx_http_govsvc_revoke_read(ngx_http_govsvc_revoke_zone_t *rz)
{
    u_char           *text;
    ngx_fd_t          fd;
    ngx_int_t         rc;
    ngx_log_t        *log;
    ngx_file_info_t   fi;

    log = rz->cycle->log;

    fd = ngx_open_file(rz->path.data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {

        if (ngx_errno == NGX_ENOENT) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", &rz->path);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "\"%V\" is not a regular file",
                      &rz->path);

    } else {
        text = ngx_alloc((size_t) ngx_file_size(&fi) + 1, log);

        if (text != NULL) {
            rc = ngx_http_govsvc_revoke_read_fd(rz, fd, text,
                                                (size_t) ngx_file_size(&fi));
            ngx_free(text);
        }
    }

    (void) ngx_close_file(fd);

    return rc;
}


static ngx_int_t
ngx_http_govsvc_revoke_read_fd(ngx_http_govsvc_revoke_zone_t *rz, ngx_fd_t fd,
    u_char *text, size_t size)
{
    size_t                     len;
    ssize_t                    n;
    gs_err_t                   err;
    gs_str_t                   s;
    gs_token_revoke_stat_t     stat;

    for (len = 0; len < size; len += (size_t) n) {
        n = ngx_read_fd(fd, text + len, size - len);

        if (n == -1) {
            ngx_log_error(NGX_LOG_EMERG, rz->cycle->log, ngx_errno,
                          ngx_read_fd_n " \"%V\" failed", &rz->path);
            return NGX_ERROR;
        }

        if (n == 0) {
            break;
        }
    }

    s = gs_str_make(text, len);
    ngx_memzero(&err, sizeof(gs_err_t));

    if (gs_token_revoke_load(&rz->table, &s, (int64_t) ngx_time(), &err)
        != GS_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, rz->cycle->log, 0,
                      "%s in %V:%ui, put a sound copy in its place, or remove "
                      "it to let revoked tokens in again",
                      err.text, &rz->path, (ngx_uint_t) err.line);
        return NGX_ERROR;
    }

    /* what was loaded is what the file has */

    rz->table.hdr->saved = rz->table.hdr->dirty;
    rz->table.hdr->file = ngx_http_govsvc_revoke_mark(rz);
    rz->table.hdr->path = rz->path_number;

    gs_token_revoke_stat(&rz->table, (int64_t) ngx_time(), &stat);

    ngx_log_error(NGX_LOG_NOTICE, rz->cycle->log, 0,
                  "govsvc token: %uL revocations read from \"%V\"",
                  stat.live, &rz->path);

    return NGX_OK;
}


ngx_uint_t
ngx_http_govsvc_revoke_dirty(ngx_http_govsvc_revoke_zone_t *rz)
{
    return __atomic_load_n(&rz->table.hdr->dirty, __ATOMIC_ACQUIRE)
           != __atomic_load_n(&rz->table.hdr->saved, __ATOMIC_ACQUIRE)
           || __atomic_load_n(&rz->table.hdr->path, __ATOMIC_ACQUIRE)
              != rz->path_number;
}


void
ngx_http_govsvc_revoke_save(ngx_http_govsvc_revoke_zone_t *rz)
{
    int             rc;
    pthread_t       thread;
    pthread_attr_t  attr;

    if (!ngx_http_govsvc_revoke_dirty(rz)
        && rz->table.hdr->file == ngx_http_govsvc_revoke_mark(rz))
    {
        return;
    }

    (void) pthread_attr_init(&attr);
    (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);

    __atomic_store_n(&rz->writing, 1, __ATOMIC_RELEASE);

    rc = ngx_govsvc_thread_create(&thread, &attr,
                                  ngx_http_govsvc_revoke_thread, rz);

    if (rc != 0) {
        rz->err = rc;
        rz->what = "pthread_create()";
        __atomic_store_n(&rz->writing, 0, __ATOMIC_RELEASE);
    }

    (void) pthread_attr_destroy(&attr);
}


static void *
ngx_http_govsvc_revoke_thread(void *data)
{
    ngx_http_govsvc_revoke_zone_t *rz = data;

    (void) ngx_http_govsvc_revoke_write(rz);

    __atomic_store_n(&rz->writing, 0, __ATOMIC_RELEASE);

    return NULL;
}


/* The lock of the folder: an older state must not replace a newer one. */

ngx_int_t
ngx_http_govsvc_revoke_write(ngx_http_govsvc_revoke_zone_t *rz)
{
    ngx_fd_t   folder;
    ngx_int_t  rc;

    rz->err = 0;

    folder = open((const char *) rz->dir.data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (folder == -1) {
        return ngx_http_govsvc_revoke_failed(rz, "open()");
    }

    if (flock(folder, LOCK_EX) == -1) {
        rc = ngx_http_govsvc_revoke_failed(rz, "flock()");

    } else {
        rc = ngx_http_govsvc_revoke_write_locked(rz, folder);
    }

    (void) close(folder);

    return rc;
}


static ngx_int_t
ngx_http_govsvc_revoke_write_locked(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_fd_t folder)
{
    char       name[NGX_MAX_PATH];
    size_t     size, len;
    u_char    *text;
    int64_t    now;
    uint64_t   dirty, mark;
    ngx_int_t  rc;

    now = (int64_t) time(NULL);
    mark = ngx_http_govsvc_revoke_mark(rz);

    if (rz->table.hdr->file != mark) {
        ngx_http_govsvc_revoke_merge(rz, now);

        /* two zones would write by turns for ever */

        if (mark != 0 && !ngx_http_govsvc_revoke_dirty(rz)) {
            rz->table.hdr->file = mark;
            return NGX_OK;
        }
    }

    /* before the copy: what comes during it is written once more */

    dirty = __atomic_load_n(&rz->table.hdr->dirty, __ATOMIC_ACQUIRE);

    size = gs_token_revoke_dump_size(&rz->table, now) + 4096;
    text = ngx_alloc(size, rz->cycle->log);

    if (text == NULL) {
        return ngx_http_govsvc_revoke_failed(rz, "malloc()");
    }

    (void) ngx_snprintf((u_char *) name, sizeof(name), "%V.new%Z", &rz->path);

    len = gs_token_revoke_dump(&rz->table, now, text, size);
    rc = NGX_ERROR;

    if (len == 0) {

        /* more came than there was room for: the next turn has it */

        ngx_free(text);
        return NGX_OK;
    }

    if (ngx_http_govsvc_revoke_write_file(rz, name, text, len) == NGX_OK) {

        if (rename(name, (const char *) rz->path.data) == -1) {
            (void) ngx_http_govsvc_revoke_failed(rz, "rename()");

        } else if (fsync(folder) == -1) {
            (void) ngx_http_govsvc_revoke_failed(rz, "fsync()");

        } else {
            rz->table.hdr->file = ngx_http_govsvc_revoke_mark(rz);
            __atomic_store_n(&rz->table.hdr->saved_at, now, __ATOMIC_RELAXED);
            __atomic_store_n(&rz->table.hdr->saved, dirty, __ATOMIC_RELEASE);
            __atomic_store_n(&rz->table.hdr->path, rz->path_number,
                             __ATOMIC_RELEASE);
            rc = NGX_OK;
        }
    }

    ngx_free(text);

    return rc;
}


/* What tells the file from any other one under that name; 0: there is none. */

static uint64_t
ngx_http_govsvc_revoke_mark(ngx_http_govsvc_revoke_zone_t *rz)
{
    struct stat  st;

    if (stat((const char *) rz->path.data, &st) == -1) {
        return 0;
    }

    return ((uint64_t) st.st_ino * 0x9e3779b97f4a7c15u)
           ^ (uint64_t) st.st_mtim.tv_sec * 1000000000
           ^ (uint64_t) st.st_mtim.tv_nsec;
}


/*
 * The file is not the one that this zone wrote: after a reload with another
 * size the workers that quit and the new ones have a zone each, as have two
 * binaries during an upgrade; what is revoked in either must stay so.
 */

static void
ngx_http_govsvc_revoke_merge(ngx_http_govsvc_revoke_zone_t *rz, int64_t now)
{
    size_t        len;
    u_char       *text;
    ssize_t       n;
    ngx_fd_t      fd;
    gs_str_t      s;
    struct stat   st;

    fd = open((const char *) rz->path.data, O_RDONLY|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1) {
        return;
    }

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        text = ngx_alloc((size_t) st.st_size + 1, rz->cycle->log);

        if (text != NULL) {

            for (len = 0; len < (size_t) st.st_size; len += (size_t) n) {
                n = read(fd, text + len, (size_t) st.st_size - len);

                if (n <= 0) {
                    break;
                }
            }

            s = gs_str_make(text, len);
            (void) gs_token_revoke_load_more(&rz->table, &s, now, NULL);
            ngx_free(text);
        }
    }

    (void) close(fd);
}


static ngx_int_t
ngx_http_govsvc_revoke_write_file(ngx_http_govsvc_revoke_zone_t *rz,
    const char *name, const u_char *text, size_t len)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    fd = open(name, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0600);

    if (fd == -1) {
        return ngx_http_govsvc_revoke_failed(rz, "open()");
    }

    rc = ngx_http_govsvc_revoke_write_fd(rz, fd, text, len);

    if (close(fd) == -1 && rc == NGX_OK) {
        rc = ngx_http_govsvc_revoke_failed(rz, "close()");
    }

    return rc;
}


static ngx_int_t
ngx_http_govsvc_revoke_write_fd(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_fd_t fd, const u_char *text, size_t len)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < len; done += (size_t) n) {
        n = write(fd, text + done, len - done);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;
            continue;
        }

        if (n == -1) {
            return ngx_http_govsvc_revoke_failed(rz, "write()");
        }
    }

    return fsync(fd) == -1 ? ngx_http_govsvc_revoke_failed(rz, "fsync()")
                           : NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_revoke_failed(ngx_http_govsvc_revoke_zone_t *rz,
    const char *what)
{
    rz->err = ngx_errno;
    rz->what = what;

    return NGX_ERROR;
}
