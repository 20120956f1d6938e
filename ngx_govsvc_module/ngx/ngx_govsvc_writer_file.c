
/*
 * Copyright (C) govsvc authors
 *
 * The writer's files: lines, write, sync.
 *
 * Every step can fail and be called again: what could not be written stays in
 * out and goes on from the exact byte.  After a failed sync nothing is known
 * about the pages of the file (Linux marks them clean), so that the file is
 * left, and all since the last good sync is written again to the next one.
 */


#include "ngx/ngx_govsvc_writer_priv.h"


#define NGX_GOVSVC_WRITER_OUT   (128 * 1024)
#define NGX_GOVSVC_WRITER_SAME  100        /* files that share a number */


static void ngx_govsvc_writer_check(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_open(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_create_file(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_fill(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_lines(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_send(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_sync(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_sync_names(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_sync_folder(ngx_govsvc_writer_t *w,
    const u_char *folder);
static ngx_int_t ngx_govsvc_writer_close(ngx_govsvc_writer_t *w);
static void ngx_govsvc_writer_abandon(ngx_govsvc_writer_t *w,
    const char *why);


ngx_int_t
ngx_govsvc_writer_init(ngx_govsvc_writer_t *w, ngx_pool_t *pool)
{
    size_t   size;
    u_char  *out;

    /* "/" ".seg" and NUL */

    size = w->conf.dir.len + 1 + NGX_GOVSVC_WRITER_CHAIN;
    w->path_size = size + 1 + NGX_GOVSVC_WRITER_NAME + 4;

    w->folder = ngx_pnalloc(pool, size);
    w->path = ngx_pnalloc(pool, w->path_size);
    w->reserve = ngx_pnalloc(pool, size);
    out = ngx_palloc(pool, NGX_GOVSVC_WRITER_OUT);

    if (w->folder == NULL || w->path == NULL || w->reserve == NULL
        || out == NULL)
    {
        return NGX_ERROR;
    }

    ngx_sprintf(w->reserve, "%V/reserve%Z", &w->conf.dir);

    /* the first thing that the thread does is to make it */

    w->given = 1;

    gs_buf_init(&w->out, out, NGX_GOVSVC_WRITER_OUT);

    return NGX_OK;
}


void
ngx_govsvc_writer_attach(ngx_govsvc_writer_t *w,
    ngx_govsvc_writer_slot_t *slot, const u_char *name)
{
    w->slot = slot;
    w->ring = (u_char *) slot + ngx_align(sizeof(ngx_govsvc_writer_slot_t), 64)
              + ngx_align(w->conf.user, 64);
    w->mark = slot->marks[slot->gen & 1];
    w->next = w->mark.tail;
    w->freed = w->mark.tail;
    w->fd = NGX_INVALID_FILE;
    w->path[0] = '\0';
    w->prev.name[0] = '\0';
    w->prev.bytes = 0;
    w->prev.why = "start";
    w->out.pos = w->out.start;
    w->out.overflow = 0;
    w->sent = w->out.start;
    w->turn = NULL;
    w->marked = 0;
    w->need_head = 0;
    w->holds = 0;
    w->dirty = 0;
    w->new_folder = 0;
    w->new_file = 0;
    w->closing = 0;
    w->reopen = 0;
    w->finish = 0;

    ngx_sprintf(w->folder, "%V/%s%Z", &w->conf.dir, name);
}


ngx_int_t
ngx_govsvc_writer_commit(ngx_govsvc_writer_t *w)
{
    ngx_govsvc_writer_check(w);

    if (w->fd == NGX_INVALID_FILE) {
        w->turn = NULL;
    }

    for ( ;; ) {

        if (ngx_govsvc_writer_send(w) != NGX_OK) {
            return NGX_ERROR;
        }

        if (w->closing && ngx_govsvc_writer_close(w) != NGX_OK) {
            return NGX_ERROR;
        }

        if (w->next == w->end
            && (!w->finish || w->fd == NGX_INVALID_FILE)
            && w->turn == NULL && !w->reopen)
        {
            break;
        }

        if (w->fd == NGX_INVALID_FILE && ngx_govsvc_writer_open(w) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_govsvc_writer_fill(w) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_govsvc_writer_sync(w);
}


/* A file that nobody can find any more is no record: go on in a new one. */

static void
ngx_govsvc_writer_check(ngx_govsvc_writer_t *w)
{
    ngx_file_info_t  fi;

    if (w->fd == NGX_INVALID_FILE) {
        return;
    }

    if (ngx_file_info(w->path, &fi) == NGX_FILE_ERROR) {

        if (ngx_errno != NGX_ENOENT && ngx_errno != NGX_ENOTDIR) {
            return;
        }

    } else if (fi.st_ino == w->ino && fi.st_dev == w->dev) {
        return;
    }

    ngx_log_error(NGX_LOG_ALERT, w->log, 0,
                  "govsvc writer: the file being written was removed or "
                  "replaced, went on in a new one, folder: \"%s\"",
                  w->folder);

    ngx_govsvc_writer_abandon(w, "unlinked");
}


static ngx_int_t
ngx_govsvc_writer_open(ngx_govsvc_writer_t *w)
{
    ngx_file_info_t  fi;

    if (ngx_create_dir(w->folder, 0750) == NGX_FILE_ERROR) {

        if (ngx_errno != NGX_EEXIST) {
            return ngx_govsvc_writer_failed(w, ngx_create_dir_n, ngx_errno);
        }

    } else {
        w->new_folder = 1;
    }

    if (ngx_govsvc_writer_create_file(w) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_fd_info(w->fd, &fi) == NGX_FILE_ERROR) {
        ngx_govsvc_writer_failed(w, ngx_fd_info_n, ngx_errno);
        (void) ngx_close_file(w->fd);
        w->fd = NGX_INVALID_FILE;
        return NGX_ERROR;
    }

    w->dev = fi.st_dev;
    w->ino = fi.st_ino;
    w->bytes = 0;
    w->begun = ngx_govsvc_writer_msec();
    w->marked = 0;
    w->need_head = 1;
    w->holds = 0;
    w->new_file = 1;
    w->reopen = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_writer_create_file(ngx_govsvc_writer_t *w)
{
    uint64_t    number;
    ngx_uint_t  i;

    number = w->conf.format->number(w->conf.data);

    for (i = 0; i < NGX_GOVSVC_WRITER_SAME; i++) {

        ngx_govsvc_writer_path(w, ((number << 8) | i) + 1);

        /* told before it can exist: who goes on with the chain finds it */

        __atomic_store_n(&w->slot->file, w->packed, __ATOMIC_RELEASE);

        gs_fault("file_named");

        w->fd = open((const char *) w->path,
                     O_WRONLY|O_APPEND|O_CREAT|O_EXCL|O_CLOEXEC, 0640);

        if (w->fd != NGX_INVALID_FILE) {
            gs_fault("file_opened");
            return NGX_OK;
        }

        if (ngx_errno != NGX_EEXIST) {
            break;
        }
    }

    return ngx_govsvc_writer_failed(w, ngx_open_file_n, ngx_errno);
}


void
ngx_govsvc_writer_path(ngx_govsvc_writer_t *w, uint64_t packed)
{
    u_char    *last;
    uint64_t   number, i;

    number = (packed - 1) >> 8;
    i = (packed - 1) & 0xff;
    last = w->name + NGX_GOVSVC_WRITER_NAME;

    w->packed = packed;

    if (i == 0) {
        ngx_slprintf(w->name, last, "%016uL%Z", number);

    } else {
        ngx_slprintf(w->name, last, "%016uL.%uL%Z", number, i);
    }

    ngx_slprintf(w->path, w->path + w->path_size, "%s/%s.seg%Z",
                 w->folder, w->name);
}


static ngx_int_t
ngx_govsvc_writer_fill(ngx_govsvc_writer_t *w)
{
    off_t                              size;
    ngx_int_t                          rc;
    const char                        *why;
    const ngx_govsvc_writer_format_t  *format;

    format = w->conf.format;

    if (w->need_head) {
        if (format->head(w->conf.data, &w->out, &w->prev) != NGX_OK) {
            w->out.pos = w->out.start;
            w->out.overflow = 0;
            return ngx_govsvc_writer_failed(w, "making the first line", 0);
        }

        w->need_head = 0;

        gs_fault("file_head");
    }

    rc = ngx_govsvc_writer_lines(w);

    if (rc != NGX_OK) {
        return rc;
    }

    size = w->bytes + (off_t) gs_buf_len(&w->out);

    /* a full segment is ended when there is something for the next */

    if (size >= w->conf.segment && w->next != w->end) {
        why = "size";

    } else if (w->turn != NULL && w->next == w->end) {
        why = w->turn;

    } else if (w->finish && w->next == w->end) {
        why = "exit";

    } else {
        return NGX_OK;
    }

    if (format->tail(w->conf.data, &w->out, why) != NGX_OK) {
        return ngx_govsvc_writer_failed(w, "making the last line", 0);
    }

    w->closing = 1;

    gs_fault("file_tail");

    return NGX_OK;
}


/* As many lines as out holds beside the last line of a segment. */

static ngx_int_t
ngx_govsvc_writer_lines(ngx_govsvc_writer_t *w)
{
    off_t                     size;
    size_t                    len, max;
    uint64_t                  pos;
    gs_uchar_t               *start;
    ngx_govsvc_writer_rec_t  *rec;

    max = w->conf.format->max_line;

    while (w->next != w->end) {

        size = w->bytes + (off_t) gs_buf_len(&w->out);

        if (size >= w->conf.segment
            || (size_t) (w->out.last - w->out.pos) < 2 * max)
        {
            break;
        }

        pos = w->next;
        start = w->out.pos;
        rec = ngx_govsvc_writer_record(w, &pos, &len);

        if (rec == NULL) {

            /* memory was overwritten: what follows cannot be found */

            ngx_log_error(NGX_LOG_ALERT, w->log, 0,
                          "govsvc writer: the ring is damaged, %uL bytes of "
                          "records are lost, folder: \"%s\"",
                          (uint64_t) (w->end - w->next), w->folder);
            w->next = w->end;
            break;
        }

        if (w->conf.format->line(w->conf.data, &w->out, (u_char *) (rec + 1),
                                 len, rec->seal)
            != NGX_OK)
        {
            w->out.pos = start;
            w->out.overflow = 0;
            return ngx_govsvc_writer_failed(w, "making a line", 0);
        }

        w->next = pos;
        w->holds = 1;

        gs_fault("thread_line");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_writer_send(ngx_govsvc_writer_t *w)
{
    ssize_t    n;
    ngx_err_t  err;

    while (w->sent != w->out.pos) {

        gs_fault("thread_write");

        n = write(w->fd, w->sent, (size_t) (w->out.pos - w->sent));

        if (n == -1) {
            err = ngx_errno;

            if (err == NGX_EINTR) {
                continue;
            }

            return ngx_govsvc_writer_failed(w, "write()", err);
        }

        w->sent += n;
        w->bytes += n;
        w->dirty = 1;

        gs_fault("thread_written");
    }

    w->out.pos = w->out.start;
    w->sent = w->out.start;

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_writer_sync(ngx_govsvc_writer_t *w)
{
    ngx_err_t  err;

    if (w->fd == NGX_INVALID_FILE || (!w->dirty && !w->new_file)) {
        return NGX_OK;
    }

    if (w->conf.sync && fdatasync(w->fd) == -1) {
        err = ngx_errno;

        ngx_govsvc_writer_abandon(w, "eio");

        return ngx_govsvc_writer_failed(w, "fdatasync()", err);
    }

    gs_fault("thread_synced");

    if (ngx_govsvc_writer_sync_names(w) != NGX_OK) {
        return NGX_ERROR;
    }

    w->mark.file = w->packed;
    w->mark.bytes = (uint64_t) w->bytes;
    w->marked = 1;
    w->dirty = 0;

    ngx_govsvc_writer_publish(w);

    return NGX_OK;
}


void
ngx_govsvc_writer_publish(ngx_govsvc_writer_t *w)
{
    ngx_atomic_uint_t          gen;
    ngx_govsvc_writer_slot_t  *slot;

    slot = w->slot;

    w->mark.tail = w->next;
    w->conf.format->save(w->conf.data, w->mark.state);

    gen = slot->gen + 1;
    slot->marks[gen & 1] = w->mark;

    gs_fault("thread_mark");

    __atomic_store_n(&slot->gen, gen, __ATOMIC_RELEASE);

    gs_fault("thread_freed");
}


/*
 * The name of a new file has to be as durable as its bytes; it is synced after
 * them, so that a reader does not find a file without its first line.
 */

static ngx_int_t
ngx_govsvc_writer_sync_names(ngx_govsvc_writer_t *w)
{
    if (w->new_folder
        && ngx_govsvc_writer_sync_folder(w, w->conf.dir.data) != NGX_OK)
    {
        return NGX_ERROR;
    }

    w->new_folder = 0;

    if (w->new_file
        && ngx_govsvc_writer_sync_folder(w, w->folder) != NGX_OK)
    {
        return NGX_ERROR;
    }

    w->new_file = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_writer_sync_folder(ngx_govsvc_writer_t *w, const u_char *folder)
{
    ngx_fd_t   fd;
    ngx_err_t  err;

    if (!w->conf.sync) {
        return NGX_OK;
    }

    fd = open((const char *) folder, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == NGX_INVALID_FILE) {
        return ngx_govsvc_writer_failed(w, "open() of the folder", ngx_errno);
    }

    gs_fault("file_folder");

    err = (fsync(fd) == -1) ? ngx_errno : 0;

    (void) ngx_close_file(fd);

    /* file systems that cannot sync a folder say EINVAL */

    if (err != 0 && err != NGX_EINVAL) {
        return ngx_govsvc_writer_failed(w, "fsync() of the folder", err);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_writer_close(ngx_govsvc_writer_t *w)
{
    if (ngx_govsvc_writer_sync(w) != NGX_OK) {
        return NGX_ERROR;
    }

    /* synced or not to be: an error of close() tells nothing new */

    (void) ngx_close_file(w->fd);

    w->fd = NGX_INVALID_FILE;
    w->closing = 0;

    ngx_memcpy(w->prev.name, w->name, NGX_GOVSVC_WRITER_NAME);
    w->prev.bytes = w->bytes;
    w->prev.why = (w->turn != NULL) ? w->turn : "size";

    w->reopen = (w->turn != NULL);
    w->turn = NULL;

    gs_fault("file_closed");

    return NGX_OK;
}


/*
 * Leaves the file; what it holds behind the mark does not count, and is said
 * again in the next one.
 */

static void
ngx_govsvc_writer_abandon(ngx_govsvc_writer_t *w, const char *why)
{
    (void) ngx_close_file(w->fd);

    w->fd = NGX_INVALID_FILE;
    w->closing = 0;
    w->need_head = 0;
    w->new_file = 0;
    w->holds = 0;
    w->dirty = 0;
    w->turn = NULL;

    w->out.pos = w->out.start;
    w->out.overflow = 0;
    w->sent = w->out.start;

    w->conf.format->load(w->conf.data, w->mark.state);
    w->next = w->mark.tail;

    ngx_memcpy(w->prev.name, w->name, NGX_GOVSVC_WRITER_NAME);
    w->prev.bytes = w->marked ? (off_t) w->mark.bytes : 0;
    w->prev.why = why;
}


ngx_int_t
ngx_govsvc_writer_failed(ngx_govsvc_writer_t *w, const char *what,
    ngx_err_t err)
{
    w->failed = what;
    w->err = err;

    return NGX_ERROR;
}
