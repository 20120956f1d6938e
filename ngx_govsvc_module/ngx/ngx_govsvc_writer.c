
/*
 * Copyright (C) govsvc authors
 *
 * The writer in the event loop: the ring, when to write, what to do when it
 * failed.  One batch is under way at a time, so that a batch grows while the
 * one before it is synced.
 */


#include "ngx/ngx_govsvc_writer_priv.h"


#define NGX_GOVSVC_WRITER_OUT    (128 * 1024)
#define NGX_GOVSVC_WRITER_RETRY  50        /* ms, doubled up to the next */
#define NGX_GOVSVC_WRITER_SLOW   2000

#define NGX_GOVSVC_WRITER_TRIES  20        /* at exit, 50 ms apart */
#define NGX_GOVSVC_WRITER_WAIT   10000     /* ms, for a thread at exit */

#define ngx_govsvc_writer_room(len)                                           \
    ngx_align(sizeof(ngx_govsvc_writer_rec_t) + (len), 8)


static ngx_int_t ngx_govsvc_writer_init(ngx_govsvc_writer_t *w,
    ngx_pool_t *pool);
static void ngx_govsvc_writer_event(ngx_event_t *ev);
static void ngx_govsvc_writer_schedule(ngx_govsvc_writer_t *w);
static void ngx_govsvc_writer_start(ngx_govsvc_writer_t *w);
static void ngx_govsvc_writer_complete(ngx_govsvc_writer_t *w);
static void ngx_govsvc_writer_report(ngx_govsvc_writer_t *w);
#if (NGX_THREADS)
static void ngx_govsvc_writer_thread(void *data, ngx_log_t *log);
static void ngx_govsvc_writer_thread_done(ngx_event_t *ev);
#endif


ngx_govsvc_writer_t *
ngx_govsvc_writer_create(ngx_cycle_t *cycle,
    const ngx_govsvc_writer_conf_t *conf)
{
    ngx_govsvc_writer_t  *w;

    w = ngx_pcalloc(cycle->pool, sizeof(ngx_govsvc_writer_t));
    if (w == NULL) {
        return NULL;
    }

    w->conf = *conf;
    w->conf.buffer = ngx_align(conf->buffer, 8);
    w->log = cycle->log;
    w->fd = NGX_INVALID_FILE;

    if (ngx_govsvc_writer_init(w, cycle->pool) != NGX_OK) {
        return NULL;
    }

    w->event.handler = ngx_govsvc_writer_event;
    w->event.data = &w->dummy;
    w->event.log = w->log;
    w->event.cancelable = 1;

    w->dummy.data = w;
    w->dummy.fd = (ngx_socket_t) -1;

    return w;
}


static ngx_int_t
ngx_govsvc_writer_init(ngx_govsvc_writer_t *w, ngx_pool_t *pool)
{
    size_t   size;
    u_char  *out;

    /* "/" ".seg" and NUL */

    size = w->conf.dir.len + 1 + w->conf.name.len + 1;
    w->path_size = size + 1 + NGX_GOVSVC_WRITER_NAME + 4;

    w->folder = ngx_pnalloc(pool, size);
    w->path = ngx_pnalloc(pool, w->path_size);
    w->ring = ngx_palloc(pool, w->conf.buffer);
    out = ngx_palloc(pool, NGX_GOVSVC_WRITER_OUT);

    if (w->folder == NULL || w->path == NULL || w->ring == NULL || out == NULL)
    {
        return NGX_ERROR;
    }

    ngx_sprintf(w->folder, "%V/%V%Z", &w->conf.dir, &w->conf.name);

    gs_buf_init(&w->out, out, NGX_GOVSVC_WRITER_OUT);
    w->sent = out;

#if (NGX_THREADS)

    if (w->conf.pool != NULL) {
        w->task = ngx_thread_task_alloc(pool, sizeof(ngx_govsvc_writer_t *));
        if (w->task == NULL) {
            return NGX_ERROR;
        }

        *(ngx_govsvc_writer_t **) w->task->ctx = w;

        w->task->handler = ngx_govsvc_writer_thread;
        w->task->event.handler = ngx_govsvc_writer_thread_done;
        w->task->event.data = w;
        w->task->event.log = w->log;
    }

#endif

    return NGX_OK;
}


u_char *
ngx_govsvc_writer_reserve(ngx_govsvc_writer_t *w, size_t size)
{
    size_t                    off, need, skip;
    ngx_govsvc_writer_rec_t  *rec;

    off = (size_t) (w->head % w->conf.buffer);
    need = ngx_govsvc_writer_room(size);
    skip = (w->conf.buffer - off < need) ? w->conf.buffer - off : 0;

    if (w->head - w->tail + skip + need > w->conf.buffer) {
        w->full = 1;
        return NULL;
    }

    if (skip != 0) {
        rec = (ngx_govsvc_writer_rec_t *) (w->ring + off);
        rec->len = 0;
        rec->skip = 1;

        w->head += skip;
        off = 0;
    }

    return w->ring + off + sizeof(ngx_govsvc_writer_rec_t);
}


void
ngx_govsvc_writer_put(ngx_govsvc_writer_t *w, size_t len)
{
    size_t                    off;
    ngx_govsvc_writer_rec_t  *rec;

    off = (size_t) (w->head % w->conf.buffer);

    rec = (ngx_govsvc_writer_rec_t *) (w->ring + off);
    rec->len = (uint32_t) len;
    rec->skip = 0;

    w->head += ngx_govsvc_writer_room(len);

    if (!w->busy && w->delay == 0) {
        ngx_govsvc_writer_schedule(w);
    }
}


u_char *
ngx_govsvc_writer_record(ngx_govsvc_writer_t *w, uint64_t *pos, size_t *len)
{
    size_t                    off;
    ngx_govsvc_writer_rec_t  *rec;

    off = (size_t) (*pos % w->conf.buffer);
    rec = (ngx_govsvc_writer_rec_t *) (w->ring + off);

    if (rec->skip) {
        *pos += w->conf.buffer - off;
        rec = (ngx_govsvc_writer_rec_t *) w->ring;
    }

    *len = rec->len;
    *pos += ngx_govsvc_writer_room(rec->len);

    return (u_char *) rec + sizeof(ngx_govsvc_writer_rec_t);
}


static void
ngx_govsvc_writer_schedule(ngx_govsvc_writer_t *w)
{
    /* a quarter of the ring waits no longer; each batch costs a sync */

    if (w->conf.flush == 0 || w->head - w->tail >= w->conf.buffer / 4) {
        ngx_post_event(&w->event, &ngx_posted_events);
        return;
    }

    if (!w->event.timer_set) {
        ngx_add_timer(&w->event, w->conf.flush);
    }
}


static void
ngx_govsvc_writer_event(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_govsvc_writer_t  *w;

    c = ev->data;
    w = c->data;

    if (w->event.timer_set) {
        ngx_del_timer(&w->event);
    }

    if (!w->busy && w->head != w->tail) {
        ngx_govsvc_writer_start(w);
    }
}


static void
ngx_govsvc_writer_start(ngx_govsvc_writer_t *w)
{
    w->end = w->head;

#if (NGX_THREADS)

    if (w->task != NULL) {
        w->done = 0;

        /* a full queue of the pool is no reason to lose a record */

        if (ngx_thread_task_post(w->conf.pool, w->task) == NGX_OK) {
            w->busy = 1;
            return;
        }
    }

#endif

    w->rc = ngx_govsvc_writer_commit(w);

    ngx_govsvc_writer_complete(w);
}


#if (NGX_THREADS)

static void
ngx_govsvc_writer_thread(void *data, ngx_log_t *log)
{
    ngx_govsvc_writer_t *w = *(ngx_govsvc_writer_t **) data;

    w->rc = ngx_govsvc_writer_commit(w);

    ngx_memory_barrier();
    w->done = 1;
}


static void
ngx_govsvc_writer_thread_done(ngx_event_t *ev)
{
    ngx_govsvc_writer_t  *w;

    w = ev->data;
    w->busy = 0;

    ngx_govsvc_writer_complete(w);
}

#endif


static void
ngx_govsvc_writer_complete(ngx_govsvc_writer_t *w)
{
    w->tail = w->mark_next;

    ngx_govsvc_writer_report(w);

    if (w->rc == NGX_OK) {
        w->delay = 0;

    } else {
        w->delay = (w->delay == 0) ? NGX_GOVSVC_WRITER_RETRY
                                   : ngx_min(w->delay * 2,
                                             NGX_GOVSVC_WRITER_SLOW);
        if (w->event.timer_set) {
            ngx_del_timer(&w->event);
        }

        ngx_add_timer(&w->event, w->delay);
    }

    if (w->full && w->rc == NGX_OK) {
        w->full = 0;
        w->conf.format->space(w->conf.data);
    }

    if (w->rc == NGX_OK && w->head != w->tail) {
        ngx_govsvc_writer_schedule(w);
    }
}


static void
ngx_govsvc_writer_report(ngx_govsvc_writer_t *w)
{
    if (w->vanished != 0) {
        ngx_log_error(NGX_LOG_ALERT, w->log, 0,
                      "govsvc writer: the file being written was removed or "
                      "replaced, went on in a new one, folder: \"%s\"",
                      w->folder);
        w->vanished = 0;
    }

    if (w->rc == NGX_OK || w->logged == ngx_time()) {
        return;
    }

    w->logged = ngx_time();

    ngx_log_error(NGX_LOG_CRIT, w->log, w->err,
                  "govsvc writer: %s failed, %uL bytes wait, file: \"%s\"",
                  w->failed, w->head - w->tail, w->path);
}


ngx_uint_t
ngx_govsvc_writer_finish(ngx_govsvc_writer_t *w)
{
    size_t      len;
    uint64_t    pos;
    ngx_uint_t  n;

    /* the pool ran the task before it ended, only the event was not told */

    for (n = 0; w->busy && !w->done && n < NGX_GOVSVC_WRITER_WAIT; n++) {
        ngx_msleep(1);
    }

    if (w->busy && !w->done) {
        ngx_log_error(NGX_LOG_ALERT, w->log, 0,
                      "govsvc writer: a thread does not come back, "
                      "folder: \"%s\"", w->folder);
        return 1;
    }

    w->busy = 0;
    w->tail = w->mark_next;
    w->full = 0;
    w->conf.format->space(w->conf.data);

    w->finish = 1;

    for (n = 0; n < NGX_GOVSVC_WRITER_TRIES; n++) {
        w->end = w->head;
        w->rc = ngx_govsvc_writer_commit(w);
        w->tail = w->mark_next;

        ngx_govsvc_writer_report(w);

        if (w->rc == NGX_OK) {
            break;
        }

        ngx_msleep(NGX_GOVSVC_WRITER_RETRY);
    }

    if (w->event.timer_set) {
        ngx_del_timer(&w->event);
    }

    n = 0;

    for (pos = w->tail; pos != w->head; n++) {
        (void) ngx_govsvc_writer_record(w, &pos, &len);
    }

    return n;
}
