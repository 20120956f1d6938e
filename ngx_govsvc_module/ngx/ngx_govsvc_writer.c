
/*
 * Copyright (C) govsvc authors
 *
 * The writer in the event loop: the ring, and when to wake the thread.  A
 * record costs no system call but the first of a batch, which wakes the
 * thread, or one that somebody waits for.
 */


#include "ngx/ngx_govsvc_writer_priv.h"

#include <sys/eventfd.h>


#define NGX_GOVSVC_WRITER_WAIT   10000     /* ms, for the thread at exit */

#define ngx_govsvc_writer_room(len)                                           \
    ngx_align(sizeof(ngx_govsvc_writer_rec_t) + (len), 8)


static ngx_int_t ngx_govsvc_writer_claim(ngx_govsvc_writer_t *w,
    ngx_pool_t *pool);
static void ngx_govsvc_writer_neighbour(ngx_govsvc_writer_t *w);
static ngx_int_t ngx_govsvc_writer_private(ngx_govsvc_writer_t *w,
    ngx_pool_t *pool);
static ngx_int_t ngx_govsvc_writer_connect(ngx_govsvc_writer_t *w,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_govsvc_writer_start(ngx_govsvc_writer_t *w);
static void ngx_govsvc_writer_event(ngx_event_t *ev);
static void ngx_govsvc_writer_posted(ngx_event_t *ev);
static void ngx_govsvc_writer_refresh(ngx_govsvc_writer_t *w);
static uint64_t ngx_govsvc_writer_check(uint64_t pos, uint32_t len,
    uint32_t skip);
static void ngx_govsvc_writer_wake(ngx_govsvc_writer_t *w);


ngx_govsvc_writer_t *
ngx_govsvc_writer_create(ngx_cycle_t *cycle,
    const ngx_govsvc_writer_conf_t *conf)
{
    ngx_govsvc_writer_t  *w;

    w = ngx_pcalloc(cycle->pool, 2 * sizeof(ngx_govsvc_writer_t));
    if (w == NULL) {
        return NULL;
    }

    w->conf = *conf;
    w->log = cycle->log;
    w->locks = NGX_INVALID_FILE;
    w->notify = NGX_INVALID_FILE;

    w->rescue = w + 1;
    w->rescue->conf = *conf;
    w->rescue->conf.data = conf->rescue;
    w->rescue->log = cycle->log;

    if (ngx_govsvc_writer_init(w, cycle->pool) != NGX_OK
        || ngx_govsvc_writer_init(w->rescue, cycle->pool) != NGX_OK
        || ngx_govsvc_writer_claim(w, cycle->pool) != NGX_OK
        || ngx_govsvc_writer_connect(w, cycle) != NGX_OK
        || ngx_govsvc_writer_start(w) != NGX_OK)
    {
        return NULL;
    }

    return w;
}


size_t
ngx_govsvc_writer_slot_size(size_t user, size_t buffer)
{
    return ngx_align(sizeof(ngx_govsvc_writer_slot_t), 64)
           + ngx_align(user, 64) + ngx_align(buffer, 64);
}


ngx_govsvc_writer_slot_t *
ngx_govsvc_writer_slot(const ngx_govsvc_writer_conf_t *conf, ngx_uint_t i)
{
    return (ngx_govsvc_writer_slot_t *)
               (conf->slots + i * ngx_govsvc_writer_slot_size(conf->user,
                                                              conf->buffer));
}


void *
ngx_govsvc_writer_user(ngx_govsvc_writer_t *w)
{
    return (u_char *) w->slot
           + ngx_align(sizeof(ngx_govsvc_writer_slot_t), 64);
}


/* A slot that is in use stays what it is, for the rescue. */

static ngx_int_t
ngx_govsvc_writer_claim(ngx_govsvc_writer_t *w, ngx_pool_t *pool)
{
    char        path[NGX_MAX_PATH];
    ngx_uint_t  i;

    if (w->conf.slots == NULL
        || w->conf.dir.len + sizeof("/slots") > sizeof(path))
    {
        return ngx_govsvc_writer_private(w, pool);
    }

    ngx_sprintf((u_char *) path, "%V/slots%Z", &w->conf.dir);

    w->locks = open(path, O_RDWR|O_CREAT|O_CLOEXEC, 0640);

    if (w->locks == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ALERT, w->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
        return ngx_govsvc_writer_private(w, pool);
    }

    for (i = 0; i < w->conf.nslots; i++) {

        w->slot = ngx_govsvc_writer_slot(&w->conf, i);

        if (w->slot->used || ngx_govsvc_writer_lock(w, i) != NGX_OK) {
            continue;
        }

        if (w->slot->used) {
            ngx_govsvc_writer_unlock(w, i);
            continue;
        }

        w->index = i;
        w->shared = 1;
        ngx_govsvc_writer_clear(w);

        if (ngx_worker == 0 && !ngx_inherited) {
            ngx_govsvc_writer_neighbour(w);
        }

        return NGX_OK;
    }

    return ngx_govsvc_writer_private(w, pool);
}


/*
 * Servers of one folder do no harm to each other: names and locks differ by
 * the number of the start.  But nobody wants it, except for an upgrade.  With
 * our own lock taken, the later one of two sees the other.
 */

static void
ngx_govsvc_writer_neighbour(ngx_govsvc_writer_t *w)
{
    off_t         first;
    ngx_int_t     n;
    ngx_uint_t    i;
    struct flock  fl;

    first = (off_t) (w->conf.base * w->conf.nslots);

    for (i = 0; i < 2; i++) {
        ngx_memzero(&fl, sizeof(struct flock));
        fl.l_type = F_WRLCK;
        fl.l_whence = SEEK_SET;
        fl.l_start = (i == 0) ? 0 : first + (off_t) w->conf.nslots;
        fl.l_len = (i == 0) ? first : 0;

        if (fcntl(w->locks, F_GETLK, &fl) == -1 || fl.l_type == F_UNLCK) {
            continue;
        }

        /* ours are those of a configuration before this one, too */

        for (n = 0; n < ngx_last_process; n++) {
            if (ngx_processes[n].pid == fl.l_pid) {
                break;
            }
        }

        if (n == ngx_last_process) {
            ngx_log_error(NGX_LOG_WARN, w->log, 0,
                          "govsvc writer: process %P of another server writes "
                          "to \"%V\" too: both are kept apart, but each should "
                          "have a folder of its own", fl.l_pid, &w->conf.dir);
            return;
        }
    }
}


static ngx_int_t
ngx_govsvc_writer_private(ngx_govsvc_writer_t *w, ngx_pool_t *pool)
{
    ngx_log_error(NGX_LOG_WARN, w->log, 0,
                  "govsvc writer: no slot is free in shared memory: should "
                  "this process be killed, records not yet on disk are lost");

    w->index = w->conf.nslots;
    w->slot = ngx_palloc(pool, ngx_govsvc_writer_slot_size(w->conf.user,
                                                           w->conf.buffer));
    if (w->slot == NULL) {
        return NGX_ERROR;
    }

    ngx_govsvc_writer_clear(w);

    return NGX_OK;
}


void
ngx_govsvc_writer_clear(ngx_govsvc_writer_t *w)
{
    size_t                     len;
    ngx_govsvc_writer_slot_t  *slot;

    slot = w->slot;
    len = ngx_min(w->conf.name.len, NGX_GOVSVC_WRITER_CHAIN - 1);

    ngx_memzero(slot, ngx_align(sizeof(ngx_govsvc_writer_slot_t), 64)
                      + w->conf.user);
    ngx_memcpy(slot->name, w->conf.name.data, len);

    w->conf.format->save(w->conf.data, slot->marks[0].state);

    slot->magic = NGX_GOVSVC_WRITER_MAGIC;
    __atomic_store_n(&slot->used, 1, __ATOMIC_RELEASE);

    ngx_govsvc_writer_attach(w, slot, slot->name);
}


ngx_int_t
ngx_govsvc_writer_lock(ngx_govsvc_writer_t *w, ngx_uint_t i)
{
    struct flock  fl;

    ngx_memzero(&fl, sizeof(struct flock));
    fl.l_type = F_WRLCK;
    fl.l_whence = SEEK_SET;
    fl.l_start = (off_t) (w->conf.base * w->conf.nslots + i);
    fl.l_len = 1;

    if (fcntl(w->locks, F_SETLK, &fl) == -1) {
        return (ngx_errno == NGX_EAGAIN || ngx_errno == NGX_EACCES)
               ? NGX_BUSY : NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_govsvc_writer_unlock(ngx_govsvc_writer_t *w, ngx_uint_t i)
{
    struct flock  fl;

    ngx_memzero(&fl, sizeof(struct flock));
    fl.l_type = F_UNLCK;
    fl.l_whence = SEEK_SET;
    fl.l_start = (off_t) (w->conf.base * w->conf.nslots + i);
    fl.l_len = 1;

    if (fcntl(w->locks, F_SETLK, &fl) == -1) {
        ngx_log_error(NGX_LOG_ALERT, w->log, ngx_errno,
                      "fcntl(F_SETLK) failed");
    }
}


static ngx_int_t
ngx_govsvc_writer_connect(ngx_govsvc_writer_t *w, ngx_cycle_t *cycle)
{
    w->notify = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (w->notify == -1) {
        ngx_log_error(NGX_LOG_EMERG, w->log, ngx_errno, "eventfd() failed");
        return NGX_ERROR;
    }

    w->c = ngx_get_connection(w->notify, cycle->log);
    if (w->c == NULL) {
        return NGX_ERROR;
    }

    w->c->data = w;
    w->c->read->handler = ngx_govsvc_writer_event;
    w->c->read->log = cycle->log;
    w->c->write->log = cycle->log;

    w->post.handler = ngx_govsvc_writer_posted;
    w->post.data = w;
    w->post.log = cycle->log;

    /* no request, so nothing that keeps a worker from ending */

    w->c->read->channel = 1;

    return ngx_handle_read_event(w->c->read, 0);
}


static ngx_int_t
ngx_govsvc_writer_start(ngx_govsvc_writer_t *w)
{
    int  rc;

    if (ngx_govsvc_thread_cond(&w->mutex, &w->cond) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, w->log, 0,
                      "govsvc writer: pthread_cond_init() failed");
        return NGX_ERROR;
    }

    w->running = 1;
    rc = ngx_govsvc_thread_create(&w->thread, NULL, ngx_govsvc_writer_run, w);

    if (rc != 0) {
        w->running = 0;
        ngx_log_error(NGX_LOG_EMERG, w->log, rc, "pthread_create() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


u_char *
ngx_govsvc_writer_reserve(ngx_govsvc_writer_t *w, size_t size, size_t keep)
{
    size_t                    off, need, skip;
    uint64_t                  head;
    ngx_govsvc_writer_rec_t  *rec;

    head = w->slot->head;
    off = (size_t) (head % w->conf.buffer);
    need = ngx_govsvc_writer_room(size);
    skip = (w->conf.buffer - off < need) ? w->conf.buffer - off : 0;

    if (head - w->freed + skip + need + keep > w->conf.buffer) {

        ngx_govsvc_writer_refresh(w);

        if (head - w->freed + skip + need + keep > w->conf.buffer) {
            return NULL;
        }
    }

    if (skip != 0) {

        /* a gap too small for a header needs none: all know its size */

        if (skip >= sizeof(ngx_govsvc_writer_rec_t)) {
            rec = (ngx_govsvc_writer_rec_t *) (w->ring + off);
            rec->len = 0;
            rec->skip = 1;
            rec->check = ngx_govsvc_writer_check(head, 0, 1);
        }

        off = 0;
    }

    w->gap = skip;

    gs_fault("writer_reserved");

    return w->ring + off + sizeof(ngx_govsvc_writer_rec_t);
}


uint64_t
ngx_govsvc_writer_put(ngx_govsvc_writer_t *w, size_t len, uint64_t *told)
{
    size_t                    off;
    uint64_t                  head;
    ngx_govsvc_writer_rec_t  *rec;

    head = w->slot->head + w->gap;
    off = (size_t) (head % w->conf.buffer);

    rec = (ngx_govsvc_writer_rec_t *) (w->ring + off);
    rec->len = (uint32_t) len;
    rec->skip = 0;
    rec->check = ngx_govsvc_writer_check(head, rec->len, 0);

    head += ngx_govsvc_writer_room(len);

    if (told != NULL) {
        __atomic_store_n(told, head, __ATOMIC_RELEASE);
    }

    gs_fault("writer_put");

    __atomic_store_n(&w->slot->head, head, __ATOMIC_RELEASE);

    gs_fault("writer_published");

    if (!w->running) {
        return head;
    }

    ngx_post_event(&w->post, &ngx_posted_events);

    return head;
}


ngx_uint_t
ngx_govsvc_writer_holds(ngx_govsvc_writer_t *w, uint64_t pos)
{
    return pos != 0 && pos <= w->slot->head;
}


ngx_govsvc_writer_rec_t *
ngx_govsvc_writer_record(ngx_govsvc_writer_t *w, uint64_t *pos, size_t *len)
{
    size_t                    off;
    ngx_govsvc_writer_rec_t  *rec;

    off = (size_t) (*pos % w->conf.buffer);
    rec = (ngx_govsvc_writer_rec_t *) (w->ring + off);

    if (w->conf.buffer - off < sizeof(ngx_govsvc_writer_rec_t)) {
        *pos += w->conf.buffer - off;
        rec = (ngx_govsvc_writer_rec_t *) w->ring;

    } else if (rec->skip && rec->check == ngx_govsvc_writer_check(*pos, 0, 1))
    {
        *pos += w->conf.buffer - off;
        rec = (ngx_govsvc_writer_rec_t *) w->ring;
    }

    off = (size_t) ((u_char *) rec - w->ring);

    if (rec->check != ngx_govsvc_writer_check(*pos, rec->len, 0)
        || rec->len > w->conf.buffer - off - sizeof(ngx_govsvc_writer_rec_t))
    {
        return NULL;
    }

    *len = rec->len;
    *pos += ngx_govsvc_writer_room(rec->len);

    return rec;
}


static uint64_t
ngx_govsvc_writer_check(uint64_t pos, uint32_t len, uint32_t skip)
{
    uint64_t  x;

    x = (pos ^ NGX_GOVSVC_WRITER_MAGIC) * 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 29) ^ ((uint64_t) skip << 32 | len)) * 0xbf58476d1ce4e5b9ull;

    return x ^ (x >> 32);
}


/* Before the room of safe records is used again, those that wait see them. */

static void
ngx_govsvc_writer_refresh(ngx_govsvc_writer_t *w)
{
    uint64_t  tail;

    tail = ngx_govsvc_writer_durable(w);

    if (tail == w->freed) {
        return;
    }

    if (w->running) {
        w->conf.format->safe(w->conf.data, tail);
    }

    w->freed = tail;
}


uint64_t
ngx_govsvc_writer_durable(ngx_govsvc_writer_t *w)
{
    ngx_atomic_uint_t  gen;

    /* a mark is written again only after the other became valid */

    gen = __atomic_load_n(&w->slot->gen, __ATOMIC_ACQUIRE);

    return __atomic_load_n(&w->slot->marks[gen & 1].tail, __ATOMIC_RELAXED);
}


void
ngx_govsvc_writer_count(ngx_govsvc_writer_t *w, ngx_govsvc_writer_stat_t *stat)
{
    __atomic_store_n(&w->stat, stat, __ATOMIC_RELEASE);
}


size_t
ngx_govsvc_writer_used(ngx_govsvc_writer_t *w, size_t *size)
{
    *size = w->conf.buffer;

    return (size_t) (w->slot->head - ngx_govsvc_writer_durable(w));
}


void
ngx_govsvc_writer_wait(ngx_govsvc_writer_t *w, uint64_t pos)
{
    w->waiting = 1;

    if (pos > w->want) {
        w->want = pos;
    }

    ngx_post_event(&w->post, &ngx_posted_events);
}


/*
 * At the end of a turn of the event loop, so that what came in one turn is one
 * batch.  The thread first tells that it sleeps and then looks again.
 */

static void
ngx_govsvc_writer_posted(ngx_event_t *ev)
{
    uint64_t              tail;
    ngx_govsvc_writer_t  *w;

    w = ev->data;

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (w->phase == NGX_GOVSVC_WRITER_BUSY) {
        return;
    }

    tail = ngx_govsvc_writer_durable(w);

    if (w->phase == NGX_GOVSVC_WRITER_IDLE || w->want > tail
        || w->slot->head - tail >= w->conf.buffer / 4)
    {
        ngx_govsvc_writer_wake(w);
    }
}


static void
ngx_govsvc_writer_wake(ngx_govsvc_writer_t *w)
{
    w->phase = NGX_GOVSVC_WRITER_BUSY;

    (void) pthread_mutex_lock(&w->mutex);
    w->woken = 1;
    (void) pthread_cond_signal(&w->cond);
    (void) pthread_mutex_unlock(&w->mutex);
}


static void
ngx_govsvc_writer_event(ngx_event_t *ev)
{
    ssize_t               n;
    uint64_t              count;
    ngx_connection_t     *c;
    ngx_govsvc_writer_t  *w;

    c = ev->data;
    w = c->data;

    n = read(w->notify, &count, sizeof(uint64_t));

    if (n == -1 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ALERT, w->log, ngx_errno,
                      "read() of eventfd failed");
    }

    (void) ngx_handle_read_event(ev, 0);

    ngx_govsvc_writer_refresh(w);

    w->conf.format->ready(w->conf.data);
}


ngx_msec_t
ngx_govsvc_writer_failing(ngx_govsvc_writer_t *w)
{
    uint64_t  now, since;

    since = w->failing;

    if (since == 0) {
        return 0;
    }

    now = ngx_govsvc_writer_msec();

    return (now > since) ? (ngx_msec_t) (now - since) : 1;
}


uint64_t
ngx_govsvc_writer_space(ngx_govsvc_writer_t *w, uint64_t *all)
{
    *all = w->space_all;

    return w->space_free;
}


void
ngx_govsvc_writer_rotate(ngx_govsvc_writer_t *w)
{
    w->rotate = 1;
    ngx_govsvc_writer_wake(w);
}


void
ngx_govsvc_writer_release(ngx_govsvc_writer_t *w, ngx_uint_t release)
{
    if (w->release != release) {
        w->release = release;
        ngx_govsvc_writer_wake(w);
    }
}


ngx_uint_t
ngx_govsvc_writer_finish(ngx_govsvc_writer_t *w)
{
    size_t      len;
    uint64_t    pos;
    ngx_uint_t  n;

    w->stop = 1;
    ngx_govsvc_writer_wake(w);

    for (n = 0; !w->ended && n < NGX_GOVSVC_WRITER_WAIT; n++) {
        ngx_msleep(1);
    }

    if (w->post.posted) {
        ngx_delete_posted_event(&w->post);
    }

    if (w->c != NULL) {
        ngx_close_connection(w->c);
        w->c = NULL;
    }

    if (!w->ended) {
        ngx_log_error(NGX_LOG_ALERT, w->log, 0,
                      "govsvc writer: the thread does not come back, "
                      "folder: \"%s\"", w->folder);
        return 1;
    }

    (void) pthread_join(w->thread, NULL);

    n = 0;

    for (pos = ngx_govsvc_writer_durable(w); pos != w->slot->head; n++) {
        if (ngx_govsvc_writer_record(w, &pos, &len) == NULL) {
            break;
        }
    }

    return n;
}
