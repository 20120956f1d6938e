
/*
 * Copyright (C) govsvc authors
 *
 * The writer for the dead: a chain whose process was killed is gone on with in
 * a new segment, which tells how much of the one before counts, until all that
 * the slot holds is on the disk; then it is ended.
 */


#include "ngx/ngx_govsvc_writer_priv.h"


#define NGX_GOVSVC_WRITER_TRIES  3         /* then another second */


static ngx_int_t ngx_govsvc_writer_end_chain(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_newest(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_read(ngx_govsvc_writer_t *w);
static size_t ngx_govsvc_writer_accept(ngx_govsvc_writer_t *w,
    const u_char *p, size_t len, ngx_uint_t *end);


void
ngx_govsvc_writer_rescue(ngx_govsvc_writer_t *w)
{
    ngx_uint_t                 i;
    ngx_govsvc_writer_t       *dead;
    ngx_govsvc_writer_slot_t  *slot;

    dead = w->rescue;

    for (i = 0; i < w->conf.nslots; i++) {

        slot = ngx_govsvc_writer_slot(&w->conf, i);

        if (i == w->index || !slot->used
            || ngx_govsvc_writer_lock(w, i) != NGX_OK)
        {
            continue;
        }

        if (slot->used && slot->magic == NGX_GOVSVC_WRITER_MAGIC) {

            ngx_govsvc_writer_attach(dead, slot, slot->name);
            dead->conf.format->adopt(dead->conf.data, slot->name,
                                     ngx_govsvc_writer_user(dead));

            ngx_log_error(NGX_LOG_NOTICE, w->log, 0,
                          "govsvc writer: going on with the chain of a dead "
                          "process, folder: \"%s\"", dead->folder);

            if (ngx_govsvc_writer_end_chain(dead) == NGX_OK) {
                gs_fault("rescue_ended");
                __atomic_store_n(&slot->used, 0, __ATOMIC_RELEASE);

            } else {
                ngx_govsvc_writer_complain(dead);
            }

            if (dead->fd != NGX_INVALID_FILE) {
                (void) ngx_close_file(dead->fd);
                dead->fd = NGX_INVALID_FILE;
            }
        }

        ngx_govsvc_writer_unlock(w, i);
    }
}


static ngx_int_t
ngx_govsvc_writer_end_chain(ngx_govsvc_writer_t *w)
{
    ngx_int_t   rc;
    ngx_uint_t  tries;

    if (ngx_govsvc_writer_resume(w) != NGX_OK) {
        return NGX_ERROR;
    }

    tries = 0;

    while (tries < NGX_GOVSVC_WRITER_TRIES) {

        gs_fault("rescue_resumed");

        w->freed = w->mark.tail;
        rc = w->conf.format->rest(w->conf.data, w);

        gs_fault("rescue_rest");

        w->end = w->slot->head;
        w->finish = (rc == NGX_OK);

        if (ngx_govsvc_writer_commit(w) != NGX_OK) {
            tries++;
            continue;
        }

        if (rc == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_govsvc_writer_resume(ngx_govsvc_writer_t *w)
{
    ngx_int_t  rc;

    w->conf.format->load(w->conf.data, w->mark.state);

    if (w->slot->file == 0) {
        return NGX_OK;
    }

    rc = ngx_govsvc_writer_newest(w);

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
    }

    w->bytes = (w->packed == w->mark.file) ? (off_t) w->mark.bytes : 0;

    rc = ngx_govsvc_writer_read(w);

    (void) ngx_close_file(w->fd);
    w->fd = NGX_INVALID_FILE;

    w->out.pos = w->out.start;
    w->sent = w->out.start;

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(w->prev.name, w->name, NGX_GOVSVC_WRITER_NAME);
    w->prev.bytes = w->bytes;
    w->prev.why = "crash";

    w->mark.file = w->packed;
    w->mark.bytes = (uint64_t) w->bytes;

    gs_fault("rescue_read");

    ngx_govsvc_writer_publish(w);

    /* a chain that nobody writes any more is ended, also without a record */

    w->reopen = 1;

    return NGX_OK;
}


/* NGX_DECLINED: no file was made, or it is gone; prev is set. */

static ngx_int_t
ngx_govsvc_writer_newest(ngx_govsvc_writer_t *w)
{
    ngx_govsvc_writer_path(w, w->slot->file);

    w->fd = open((char *) w->path, O_RDONLY|O_CLOEXEC);

    if (w->fd == NGX_INVALID_FILE && ngx_errno == NGX_ENOENT
        && w->mark.file != 0 && w->mark.file != w->packed)
    {
        ngx_govsvc_writer_path(w, w->mark.file);
        w->fd = open((char *) w->path, O_RDONLY|O_CLOEXEC);
    }

    if (w->fd != NGX_INVALID_FILE) {
        return NGX_OK;
    }

    if (ngx_errno != NGX_ENOENT) {
        return ngx_govsvc_writer_failed(w, ngx_open_file_n, ngx_errno);
    }

    if (w->mark.file != 0) {
        ngx_memcpy(w->prev.name, w->name, NGX_GOVSVC_WRITER_NAME);
        w->prev.bytes = (off_t) w->mark.bytes;
        w->prev.why = "unlinked";
        w->reopen = 1;
    }

    return NGX_DECLINED;
}


/*
 * Who read the file may have used any whole line of it, so these stay; they
 * are synced before they are taken for safe.
 */

static ngx_int_t
ngx_govsvc_writer_read(ngx_govsvc_writer_t *w)
{
    size_t       have, used;
    ssize_t      n;
    ngx_uint_t   end;
    gs_uchar_t  *buf;

    if (w->conf.sync && fdatasync(w->fd) == -1) {

        /* the pages may be lost: only what the mark vouches for counts */

        return NGX_OK;
    }

    buf = w->out.start;
    have = 0;
    end = 0;

    while (!end) {

        n = pread(w->fd, buf + have, (size_t) (w->out.last - buf) - have,
                  w->bytes + (off_t) have);

        if (n == -1) {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return ngx_govsvc_writer_failed(w, "pread()", ngx_errno);
        }

        if (n == 0) {
            break;
        }

        have += (size_t) n;
        used = ngx_govsvc_writer_accept(w, buf, have, &end);

        if (used == 0 && have == (size_t) (w->out.last - buf)) {
            break;
        }

        w->bytes += (off_t) used;
        have -= used;

        ngx_memmove(buf, buf + used, have);
    }

    return NGX_OK;
}


static size_t
ngx_govsvc_writer_accept(ngx_govsvc_writer_t *w, const u_char *p, size_t len,
    ngx_uint_t *end)
{
    size_t         n, used;
    uint64_t       pos;
    ngx_int_t      rc;
    const u_char  *lf;

    used = 0;

    while (used < len) {

        lf = memchr(p + used, LF, len - used);
        if (lf == NULL) {
            break;
        }

        n = (size_t) (lf - p) - used;

        rc = w->conf.format->check(w->conf.data, p + used, n);

        if (rc == NGX_DECLINED) {
            *end = 1;
            break;
        }

        used += n + 1;

        if (rc != NGX_OK) {
            continue;
        }

        /* the record is in the file: not to be written again */

        pos = w->next;

        if (pos == w->slot->head
            || ngx_govsvc_writer_record(w, &pos, &n) == NULL)
        {
            *end = 1;
            break;
        }

        w->next = pos;
    }

    return used;
}
