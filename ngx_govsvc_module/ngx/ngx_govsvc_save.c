
/*
 * Copyright (C) govsvc authors
 *
 * Small files: a temporary one beside it, synced, then renamed.
 */


#include "ngx/ngx_govsvc_save.h"
#include "ngx/ngx_govsvc_store.h"

#if (NGX_THREADS)
#include <ngx_event.h>
#include <ngx_thread_pool.h>
#endif


#define NGX_GOVSVC_SAVE_PATH  1024


struct ngx_govsvc_save_s {
    ngx_str_t            path;
    ngx_str_t            dir;              /* with NUL */
    size_t               max;
    ngx_log_t           *log;
    ngx_str_t            text;             /* the thread's while busy */
    ngx_str_t            next;             /* comes after it; data or NULL */
    u_char              *room[2];
    ngx_err_t            err;              /* of the thread */
    const char          *failed;
    unsigned             busy:1;
#if (NGX_THREADS)
    ngx_thread_pool_t   *pool;
    ngx_thread_task_t   *task;
#endif
};


static void ngx_govsvc_save_start(ngx_govsvc_save_t *s);
#if (NGX_THREADS)
static void ngx_govsvc_save_thread(void *data, ngx_log_t *log);
static void ngx_govsvc_save_event(ngx_event_t *ev);
#endif
static void ngx_govsvc_save_done(ngx_govsvc_save_t *s);
static void ngx_govsvc_save_write(ngx_govsvc_save_t *s);
static ngx_int_t ngx_govsvc_save_fd(ngx_govsvc_save_t *s, ngx_fd_t fd);
static void ngx_govsvc_save_sync(ngx_govsvc_save_t *s);


ngx_govsvc_save_t *
ngx_govsvc_save_add(ngx_conf_t *cf, ngx_str_t *path, size_t max)
{
    u_char             *p;
    ngx_govsvc_save_t  *s;

    s = ngx_pcalloc(cf->pool, sizeof(ngx_govsvc_save_t));

    if (s == NULL || ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NULL;
    }

    if (path->len > NGX_GOVSVC_SAVE_PATH - 64
        || path->data[path->len - 1] == '/')
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no name of a file", path);
        return NULL;
    }

    s->path = *path;
    s->max = max;
    s->dir.data = ngx_pnalloc(cf->pool, path->len + 1);
    s->room[0] = ngx_palloc(cf->pool, max);
    s->room[1] = ngx_palloc(cf->pool, max);

    if (s->dir.data == NULL || s->room[0] == NULL || s->room[1] == NULL) {
        return NULL;
    }

    for (p = path->data + path->len; p[-1] != '/'; p--) {
        /* void */
    }

    s->dir.len = (size_t) (p - path->data);

    if (s->dir.len > 1) {
        s->dir.len--;
    }

    *ngx_cpymem(s->dir.data, path->data, s->dir.len) = '\0';

#if (NGX_THREADS)

    s->pool = ngx_thread_pool_add(cf, NULL);
    s->task = ngx_thread_task_alloc(cf->pool, sizeof(ngx_govsvc_save_t *));

    if (s->pool == NULL || s->task == NULL) {
        return NULL;
    }

    *(ngx_govsvc_save_t **) s->task->ctx = s;
    s->task->handler = ngx_govsvc_save_thread;
    s->task->event.handler = ngx_govsvc_save_event;
    s->task->event.data = s;

#endif

    return s;
}


ngx_int_t
ngx_govsvc_save_prepare(ngx_govsvc_save_t *s, ngx_cycle_t *cycle)
{
    return ngx_govsvc_store_prepare(cycle, &s->dir);
}


ngx_int_t
ngx_govsvc_save_read(ngx_govsvc_save_t *s, ngx_pool_t *pool, ngx_str_t *text,
    time_t *changed, ngx_log_t *log)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    fd = ngx_open_file(s->path.data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {

        if (ngx_errno == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", &s->path);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)
        || (size_t) ngx_file_size(&fi) > s->max)
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "\"%V\" is no file of at most %uz bytes", &s->path,
                      s->max);
        goto done;
    }

    text->len = (size_t) ngx_file_size(&fi);
    text->data = ngx_pnalloc(pool, text->len + 1);

    if (text->data == NULL) {
        goto done;
    }

    n = ngx_read_fd(fd, text->data, text->len);

    if (n != (ssize_t) text->len) {
        ngx_log_error(NGX_LOG_ERR, log, n == -1 ? ngx_errno : 0,
                      ngx_read_fd_n " \"%V\" failed", &s->path);
        goto done;
    }

    *changed = ngx_file_mtime(&fi);
    rc = NGX_OK;

done:

    (void) ngx_close_file(fd);

    return rc;
}


void
ngx_govsvc_save(ngx_govsvc_save_t *s, ngx_str_t *text, ngx_log_t *log)
{
    u_char  *room;

    if (text->len > s->max) {
        return;
    }

    s->log = log;

    room = (s->text.data == s->room[0]) ? s->room[1] : s->room[0];
    ngx_memcpy(room, text->data, text->len);

    s->next.data = room;
    s->next.len = text->len;

    if (!s->busy) {
        ngx_govsvc_save_start(s);
    }
}


ngx_uint_t
ngx_govsvc_save_busy(const ngx_govsvc_save_t *s)
{
    return s->busy;
}


static void
ngx_govsvc_save_start(ngx_govsvc_save_t *s)
{
    s->text = s->next;
    ngx_str_null(&s->next);
    s->failed = NULL;

#if (NGX_THREADS)

    if (ngx_thread_task_post(s->pool, s->task) == NGX_OK) {
        s->busy = 1;
        return;
    }

#endif

    ngx_govsvc_save_write(s);
    ngx_govsvc_save_done(s);
}


#if (NGX_THREADS)

static void
ngx_govsvc_save_thread(void *data, ngx_log_t *log)
{
    ngx_govsvc_save_t *s = *(ngx_govsvc_save_t **) data;

    ngx_govsvc_save_write(s);
}


static void
ngx_govsvc_save_event(ngx_event_t *ev)
{
    ngx_govsvc_save_t  *s;

    s = ev->data;
    s->busy = 0;

    ngx_govsvc_save_done(s);

    if (s->next.data != NULL) {
        ngx_govsvc_save_start(s);
    }
}

#endif


static void
ngx_govsvc_save_done(ngx_govsvc_save_t *s)
{
    if (s->failed != NULL) {
        ngx_log_error(NGX_LOG_ERR, s->log, s->err,
                      "govsvc: %s failed, file: \"%V\"", s->failed, &s->path);
    }
}


static void
ngx_govsvc_save_write(ngx_govsvc_save_t *s)
{
    char      tmp[NGX_GOVSVC_SAVE_PATH];
    ngx_fd_t  fd;

    ngx_snprintf((u_char *) tmp, NGX_GOVSVC_SAVE_PATH, "%V.%P.new%Z",
                 &s->path, ngx_pid);

    fd = open(tmp, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC|O_NOFOLLOW, 0640);

    if (fd == NGX_INVALID_FILE) {
        s->failed = "open()";
        s->err = ngx_errno;
        return;
    }

    if (ngx_govsvc_save_fd(s, fd) != NGX_OK) {
        (void) ngx_delete_file(tmp);
        return;
    }

    if (ngx_rename_file(tmp, s->path.data) == NGX_FILE_ERROR) {
        s->failed = "rename()";
        s->err = ngx_errno;
        (void) ngx_delete_file(tmp);
        return;
    }

    ngx_govsvc_save_sync(s);
}


static ngx_int_t
ngx_govsvc_save_fd(ngx_govsvc_save_t *s, ngx_fd_t fd)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < s->text.len; done += (size_t) n) {
        n = write(fd, s->text.data + done, s->text.len - done);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;
            continue;
        }

        if (n <= 0) {
            s->failed = "write()";
            s->err = ngx_errno;
            (void) ngx_close_file(fd);
            return NGX_ERROR;
        }
    }

    if (fsync(fd) == -1) {
        s->failed = "fsync()";
        s->err = ngx_errno;
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        s->failed = "close()";
        s->err = ngx_errno;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* The new name has to be as durable as the bytes. */

static void
ngx_govsvc_save_sync(ngx_govsvc_save_t *s)
{
    ngx_fd_t  fd;

    fd = open((const char *) s->dir.data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    if (fsync(fd) == -1 && ngx_errno != NGX_EINVAL) {
        s->failed = "fsync() of the folder";
        s->err = ngx_errno;
    }

    (void) ngx_close_file(fd);
}
