
/*
 * Copyright (C) govsvc authors
 *
 * The thread of the writer.  It sleeps while there is nothing to write, waits
 * a moment for more when there is, and writes at once what somebody waits for.
 * While a batch is synced the next one grows.
 */


#include "ngx/ngx_govsvc_writer_priv.h"

#include <sys/statvfs.h>


#define NGX_GOVSVC_WRITER_RETRY  50        /* ms, doubled up to the next */
#define NGX_GOVSVC_WRITER_SLOW   2000
#define NGX_GOVSVC_WRITER_TRIES  20        /* at exit */


static ngx_msec_t ngx_govsvc_writer_pause(ngx_govsvc_writer_t *w);
static void ngx_govsvc_writer_sleep(ngx_govsvc_writer_t *w, ngx_msec_t msec);
static void ngx_govsvc_writer_step(ngx_govsvc_writer_t *w);
static void ngx_govsvc_writer_measure(ngx_govsvc_writer_t *w,
    uint64_t before, uint64_t start, ngx_int_t rc);
static void ngx_govsvc_writer_tell(ngx_govsvc_writer_t *w);
static void ngx_govsvc_writer_tick(ngx_govsvc_writer_t *w);
static void ngx_govsvc_writer_reserve_file(ngx_govsvc_writer_t *w);


void *
ngx_govsvc_writer_run(void *data)
{
    ngx_govsvc_writer_t *w = data;

    ngx_uint_t  tries;

    tries = 0;

    for ( ;; ) {

        if (ngx_govsvc_writer_msec() - w->ticked >= NGX_GOVSVC_WRITER_TICK) {
            ngx_govsvc_writer_tick(w);
        }

        if (!w->stop) {
            ngx_govsvc_writer_sleep(w, ngx_govsvc_writer_pause(w));
        }

        if (w->stop) {
            w->finish = 1;
        }

        ngx_govsvc_writer_step(w);

        if (!w->finish) {
            continue;
        }

        if (w->failing == 0 || ++tries == NGX_GOVSVC_WRITER_TRIES) {
            break;
        }

        ngx_msleep(NGX_GOVSVC_WRITER_RETRY);
    }

    if (w->failing == 0) {
        __atomic_store_n(&w->slot->used, 0, __ATOMIC_RELEASE);
    }

    __atomic_store_n(&w->ended, 1, __ATOMIC_RELEASE);

    return NULL;
}


uint64_t
ngx_govsvc_writer_msec(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000 + 1;
}


/*
 * How long there is nothing to do.  The phase is told before the ring is
 * looked at, and the event loop fills the ring before it looks at the phase:
 * one of the two sees the other.
 */

static ngx_msec_t
ngx_govsvc_writer_pause(ngx_govsvc_writer_t *w)
{
    uint64_t  head;

    if (w->delay != 0) {
        return w->delay;
    }

    w->phase = NGX_GOVSVC_WRITER_IDLE;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (w->rotate || w->stop || w->release != w->given) {
        return 0;
    }

    head = __atomic_load_n(&w->slot->head, __ATOMIC_ACQUIRE);

    if (head == w->next) {
        return NGX_GOVSVC_WRITER_TICK;
    }

    w->phase = NGX_GOVSVC_WRITER_LINGER;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (w->want > w->mark.tail || head - w->mark.tail >= w->conf.buffer / 4) {
        return 0;
    }

    return w->conf.flush;
}


static void
ngx_govsvc_writer_sleep(ngx_govsvc_writer_t *w, ngx_msec_t msec)
{
    int              rc;
    ngx_uint_t       idle;
    struct timespec  ts;

    idle = (w->phase == NGX_GOVSVC_WRITER_IDLE);

    if (msec != 0) {
        ngx_govsvc_thread_until(&ts, msec);

        (void) pthread_mutex_lock(&w->mutex);

        for (rc = 0; rc == 0 && !w->woken; /* void */) {
            rc = pthread_cond_timedwait(&w->cond, &w->mutex, &ts);
        }

        w->woken = 0;
        (void) pthread_mutex_unlock(&w->mutex);
    }

    w->phase = NGX_GOVSVC_WRITER_BUSY;

    /* the first record of a batch has come: others will */

    if (idle && msec != 0 && !w->stop && w->want <= w->mark.tail
        && w->slot->head != w->next)
    {
        ngx_govsvc_writer_sleep(w, ngx_govsvc_writer_pause(w));
    }
}


static void
ngx_govsvc_writer_step(ngx_govsvc_writer_t *w)
{
    uint64_t   before, start;
    ngx_int_t  rc;

    if (w->rotate) {
        w->rotate = 0;

        if (w->holds) {
            w->turn = "rotate";
        }
    }

    ngx_govsvc_writer_reserve_file(w);

    before = w->mark.tail;
    w->end = __atomic_load_n(&w->slot->head, __ATOMIC_ACQUIRE);

    start = ngx_govsvc_mono_us();

    gs_fault("thread_take");

    rc = ngx_govsvc_writer_commit(w);

    ngx_govsvc_writer_measure(w, before, start, rc);

    if (rc == NGX_OK) {
        w->delay = 0;
        w->failing = 0;

    } else {
        w->delay = (w->delay == 0) ? NGX_GOVSVC_WRITER_RETRY
                                   : ngx_min(w->delay * 2,
                                             NGX_GOVSVC_WRITER_SLOW);
        if (w->failing == 0) {
            w->failing = ngx_govsvc_writer_msec();
        }

        ngx_govsvc_writer_complain(w);
    }

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (w->waiting && (w->mark.tail != before || w->mark.tail >= w->want
                       || rc != NGX_OK))
    {
        w->waiting = 0;
        ngx_govsvc_writer_tell(w);
    }
}


static void
ngx_govsvc_writer_measure(ngx_govsvc_writer_t *w, uint64_t before,
    uint64_t start, ngx_int_t rc)
{
    ngx_govsvc_writer_stat_t  *stat;

    stat = __atomic_load_n(&w->stat, __ATOMIC_ACQUIRE);

    if (stat == NULL) {
        return;
    }

    if (rc != NGX_OK) {
        gs_metric_add(&stat->errors, 1);
    }

    if (w->mark.tail != before) {
        gs_metric_add(&stat->bytes, w->mark.tail - before);
        gs_metric_observe(&stat->commit, ngx_govsvc_mono_us() - start);
    }
}


static void
ngx_govsvc_writer_tell(ngx_govsvc_writer_t *w)
{
    uint64_t  one;

    one = 1;

    /* EAGAIN: the event is there already */

    if (write(w->notify, &one, sizeof(uint64_t)) == -1
        && ngx_errno != NGX_EAGAIN)
    {
        ngx_log_error(NGX_LOG_ALERT, w->log, ngx_errno,
                      "write() to eventfd failed");

        /* tried again after the next batch, or the next tick */

        w->waiting = 1;
    }
}


void
ngx_govsvc_writer_complain(ngx_govsvc_writer_t *w)
{
    time_t  now;

    now = (time_t) (ngx_govsvc_writer_msec() / 1000);

    if (w->logged == now) {
        return;
    }

    w->logged = now;

    ngx_log_error(NGX_LOG_CRIT, w->log, w->err,
                  "govsvc writer: %s failed, %uL bytes wait, file: \"%s\"",
                  w->failed, (uint64_t) (w->slot->head - w->mark.tail),
                  w->path);
}


static void
ngx_govsvc_writer_tick(ngx_govsvc_writer_t *w)
{
    struct statvfs  fs;

    w->ticked = ngx_govsvc_writer_msec();

    if (statvfs((char *) w->conf.dir.data, &fs) == 0 && fs.f_blocks != 0) {
        w->space_all = (ngx_atomic_uint_t) fs.f_blocks * fs.f_frsize;
        w->space_free = (ngx_atomic_uint_t) fs.f_bavail * fs.f_frsize;
    }

    if (w->fd != NGX_INVALID_FILE && w->holds && w->conf.segment_time != 0
        && w->ticked - w->begun >= w->conf.segment_time)
    {
        w->turn = "time";
    }

    if (w->shared && !w->stop) {
        ngx_govsvc_writer_rescue(w);
    }
}


/* Blocks set aside for the day when there are no others. */

static void
ngx_govsvc_writer_reserve_file(ngx_govsvc_writer_t *w)
{
    int       rc;
    ngx_fd_t  fd;

    if (w->release == w->given) {
        return;
    }

    w->given = (w->release != 0);

    if (w->conf.reserve == 0) {
        return;
    }

    if (w->given) {
        if (unlink((char *) w->reserve) == -1 && ngx_errno != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_ALERT, w->log, ngx_errno,
                          "unlink() \"%s\" failed", w->reserve);
        }

        return;
    }

    fd = open((char *) w->reserve, O_WRONLY|O_CREAT|O_CLOEXEC, 0640);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ALERT, w->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", w->reserve);
        return;
    }

    rc = posix_fallocate(fd, 0, w->conf.reserve);

    if (rc != 0) {
        ngx_log_error(NGX_LOG_WARN, w->log, rc,
                      "posix_fallocate() \"%s\" failed", w->reserve);
    }

    (void) ngx_close_file(fd);
}
