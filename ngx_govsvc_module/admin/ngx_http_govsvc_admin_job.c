
/*
 * Copyright (C) govsvc authors
 *
 * Jobs of the registry API: one at a time in a worker, in a thread, so that
 * neither a file nor a compilation ever holds a request.  Between workers the
 * lock of the snapshot keeps order; the kernel takes it back from the dead.
 */


#include "admin/ngx_http_govsvc_admin_named.h"


#define NGX_HTTP_GOVSVC_ADMIN_LOCK  2000   /* ms */
#define NGX_HTTP_GOVSVC_ADMIN_TICK  1000   /* ms */
#define NGX_HTTP_GOVSVC_ADMIN_DEAD  256    /* ejected instances looked at */
#define NGX_HTTP_GOVSVC_ADMIN_HOLD  5000   /* ms */


static void ngx_http_govsvc_admin_start(ngx_http_govsvc_admin_worker_t *w);
static void ngx_http_govsvc_admin_held(ngx_event_t *ev);
static void ngx_http_govsvc_admin_complete(ngx_http_govsvc_admin_worker_t *w);
static void ngx_http_govsvc_admin_tick(ngx_event_t *ev);
static ngx_int_t ngx_http_govsvc_admin_tick_job(
    ngx_http_govsvc_admin_main_conf_t *amcf);
static ngx_int_t ngx_http_govsvc_admin_ready(
    ngx_http_govsvc_admin_job_t *job, ngx_log_t *log);
static void ngx_http_govsvc_admin_call(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log);
static void ngx_http_govsvc_admin_second(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log);
static ngx_int_t ngx_http_govsvc_admin_read_body(
    ngx_http_govsvc_admin_job_t *job);

#if (NGX_THREADS)
static void ngx_http_govsvc_admin_thread(void *data, ngx_log_t *log);
static void ngx_http_govsvc_admin_thread_done(ngx_event_t *ev);
#endif


ngx_int_t
ngx_http_govsvc_admin_init_process(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_admin_worker_t     *w;
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_admin_module);

    if (amcf == NULL
        || (!amcf->used && amcf->lead == NULL && amcf->named == NULL)
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    amcf->cycle = cycle;
    amcf->registry = ngx_http_govsvc_registry(cycle);

    if (amcf->registry == NULL) {
        return NGX_OK;
    }

    w = ngx_pcalloc(cycle->pool, sizeof(ngx_http_govsvc_admin_worker_t));
    if (w == NULL) {
        return NGX_ERROR;
    }

    w->own = ngx_http_govsvc_own_create(cycle->pool, cycle);
    if (w->own == NULL) {
        return NGX_ERROR;
    }

    amcf->worker = w;
    ngx_queue_init(&w->waiting);

    w->hold.handler = ngx_http_govsvc_admin_held;
    w->hold.data = w;
    w->hold.log = cycle->log;

#if (NGX_THREADS)

    w->task = ngx_thread_task_alloc(cycle->pool, sizeof(void *));
    if (w->task == NULL) {
        return NGX_ERROR;
    }

    *(ngx_http_govsvc_admin_worker_t **) w->task->ctx = w;
    w->task->handler = ngx_http_govsvc_admin_thread;
    w->task->event.handler = ngx_http_govsvc_admin_thread_done;
    w->task->event.data = w;
    w->task->event.log = cycle->log;

#endif

    if (amcf->registry->snapshot.len == 0) {
        return NGX_OK;
    }

    w->tick.handler = ngx_http_govsvc_admin_tick;
    w->tick.data = amcf;
    w->tick.log = cycle->log;
    w->tick.cancelable = 1;

    ngx_add_timer(&w->tick, NGX_HTTP_GOVSVC_ADMIN_TICK);

    if (amcf->registry->redis != NULL) {
        return ngx_http_govsvc_share_init(amcf, cycle);
    }

    return NGX_OK;
}


void
ngx_http_govsvc_admin_exit_process(ngx_cycle_t *cycle)
{
    ngx_queue_t                        *q;
    ngx_http_govsvc_admin_worker_t     *w;
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_admin_module);

    if (amcf == NULL || amcf->worker == NULL) {
        return;
    }

    w = amcf->worker;

    ngx_http_govsvc_share_exit(amcf);

    while (!ngx_queue_empty(&w->waiting)) {
        q = ngx_queue_head(&w->waiting);
        ngx_queue_remove(q);
        ngx_http_govsvc_admin_free(ngx_queue_data(q,
                                       ngx_http_govsvc_admin_job_t, queue));
    }

    if (w->current != NULL) {
        ngx_http_govsvc_admin_free(w->current);
        w->current = NULL;
    }

    if (w->ready) {
        gs_route_doc_free(&w->doc);
        w->ready = 0;
    }
}


ngx_int_t
ngx_http_govsvc_admin_post(ngx_http_govsvc_admin_job_t *job)
{
    ngx_http_govsvc_admin_worker_t  *w;

    w = job->conf->worker;

    if (w->nwaiting == NGX_HTTP_GOVSVC_ADMIN_WAITING) {
        return NGX_BUSY;
    }

    ngx_queue_insert_tail(&w->waiting, &job->queue);
    w->nwaiting++;

    /* a worker that quits stays as long as a timer waits: for the answer */

    if (job->request != NULL) {
        ngx_add_timer(&w->hold, NGX_HTTP_GOVSVC_ADMIN_HOLD);
    }

    if (w->current == NULL) {
        ngx_http_govsvc_admin_start(w);
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_admin_start(ngx_http_govsvc_admin_worker_t *w)
{
    ngx_queue_t                        *q;
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    while (w->current == NULL && !ngx_queue_empty(&w->waiting)) {

        q = ngx_queue_head(&w->waiting);
        ngx_queue_remove(q);
        w->nwaiting--;

        w->current = ngx_queue_data(q, ngx_http_govsvc_admin_job_t, queue);
        amcf = w->current->conf;

        ngx_http_govsvc_own_stores(w->own, amcf->cycle);

#if (NGX_THREADS)

        w->done = 0;

        if (ngx_thread_task_post(amcf->threads, w->task) == NGX_OK) {
            return;
        }

#endif

        ngx_http_govsvc_admin_run(w->current, amcf->cycle->log);
        ngx_http_govsvc_admin_complete(w);
    }
}


static void
ngx_http_govsvc_admin_held(ngx_event_t *ev)
{
    ngx_http_govsvc_admin_worker_t *w = ev->data;

    if (w->current != NULL || w->nwaiting != 0) {
        ngx_add_timer(ev, NGX_HTTP_GOVSVC_ADMIN_HOLD);
    }
}


static void
ngx_http_govsvc_admin_complete(ngx_http_govsvc_admin_worker_t *w)
{
    ngx_http_govsvc_admin_job_t  *job;

    job = w->current;

    if (w->share != NULL && ngx_http_govsvc_share_next(job)) {
        return;
    }

    w->current = NULL;

    if (job->request != NULL) {
        ngx_http_govsvc_admin_answer(job);

    } else if (job->named != NULL) {
        ngx_http_govsvc_named_done(job);

    } else if (job->nprobes != 0 && !job->proved) {
        ngx_http_govsvc_admin_ask(job);
    }

    ngx_http_govsvc_admin_free(job);

    if (w->nwaiting == 0 && w->hold.timer_set) {
        ngx_del_timer(&w->hold);
    }
}


void
ngx_http_govsvc_admin_end(ngx_http_govsvc_admin_worker_t *w)
{
    ngx_http_govsvc_admin_complete(w);
    ngx_http_govsvc_admin_start(w);
}


void
ngx_http_govsvc_admin_release(ngx_http_govsvc_admin_worker_t *w)
{
    w->current = NULL;
    ngx_http_govsvc_admin_start(w);
}


void
ngx_http_govsvc_admin_again(ngx_http_govsvc_admin_worker_t *w)
{
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    amcf = w->current->conf;

#if (NGX_THREADS)

    w->done = 0;

    if (ngx_thread_task_post(amcf->threads, w->task) == NGX_OK) {
        return;
    }

#endif

    ngx_http_govsvc_admin_run(w->current, amcf->cycle->log);
    ngx_http_govsvc_admin_end(w);
}


#if (NGX_THREADS)

static void
ngx_http_govsvc_admin_thread(void *data, ngx_log_t *log)
{
    ngx_http_govsvc_admin_worker_t *w;

    w = *(ngx_http_govsvc_admin_worker_t **) data;

    ngx_http_govsvc_admin_run(w->current, log);

    ngx_memory_barrier();
    w->done = 1;
}


static void
ngx_http_govsvc_admin_thread_done(ngx_event_t *ev)
{
    ngx_http_govsvc_admin_worker_t *w = ev->data;

    if (w->current == NULL || !w->done) {
        return;
    }

    ngx_http_govsvc_admin_complete(w);
    ngx_http_govsvc_admin_start(w);
}

#endif


void
ngx_http_govsvc_admin_free(ngx_http_govsvc_admin_job_t *job)
{
    gs_admin_reply_free(&job->reply);
    free(job->text);
    ngx_http_govsvc_share_free(job);

    if (job->fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(job->fd);
    }

    ngx_destroy_pool(job->pool);
}


/* One worker of all does the work of each second, whoever comes first. */

static void
ngx_http_govsvc_admin_tick(ngx_event_t *ev)
{
    uint64_t                           *word, last, now;
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    amcf = ev->data;

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    ngx_add_timer(ev, NGX_HTTP_GOVSVC_ADMIN_TICK / 2);

    now = ngx_current_msec;
    word = ngx_http_govsvc_registry_word(amcf->registry, "tick", "");

    if (word == NULL) {
        return;
    }

    last = __atomic_load_n(word, __ATOMIC_RELAXED);

    if (now - last < NGX_HTTP_GOVSVC_ADMIN_TICK && now >= last) {
        return;
    }

    if (__atomic_compare_exchange_n(word, &last, now, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)
        && ngx_http_govsvc_admin_tick_job(amcf) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, ev->log, 0,
                      "govsvc admin: no memory for the work of this second");
    }
}


static ngx_int_t
ngx_http_govsvc_admin_tick_job(ngx_http_govsvc_admin_main_conf_t *amcf)
{
    ngx_http_govsvc_admin_job_t  *job;

    job = ngx_http_govsvc_admin_own_job(amcf);
    if (job == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_govsvc_registry_ejected(&job->ejected,
                                         NGX_HTTP_GOVSVC_ADMIN_DEAD)
        == NGX_ERROR
        || ngx_http_govsvc_admin_post(job) != NGX_OK)
    {
        ngx_http_govsvc_admin_free(job);
    }

    return NGX_OK;
}


ngx_http_govsvc_admin_job_t *
ngx_http_govsvc_admin_own_job(ngx_http_govsvc_admin_main_conf_t *amcf)
{
    ngx_pool_t                   *pool;
    ngx_http_govsvc_admin_job_t  *job;

    pool = ngx_create_pool(1024, amcf->cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_http_govsvc_admin_job_t));

    if (job == NULL
        || ngx_array_init(&job->ejected, pool, 4, sizeof(ngx_str_t))
           != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->pool = pool;
    ngx_queue_init(&job->entries);
    job->conf = amcf;
    job->tick = 1;
    job->fd = NGX_INVALID_FILE;
    job->q.now = ngx_govsvc_wall_us();

    return job;
}


void
ngx_http_govsvc_admin_run(ngx_http_govsvc_admin_job_t *job, ngx_log_t *log)
{
    if (ngx_http_govsvc_admin_ready(job, log) != NGX_OK) {
        ngx_http_govsvc_admin_refuse(job, 503, "NO_MEMORY");
        return;
    }

    if (job->share != NGX_HTTP_GOVSVC_SHARE_NONE) {
        ngx_http_govsvc_share_run(job, log);
        return;
    }

    if (job->named != NULL) {
        ngx_http_govsvc_named_run(job, log);
        return;
    }

    if (job->tick) {
        ngx_http_govsvc_admin_second(job, log);
        return;
    }

    if (ngx_http_govsvc_admin_read_body(job) != NGX_OK) {
        ngx_http_govsvc_admin_refuse(job, 503, "NO_MEMORY");
        return;
    }

    ngx_http_govsvc_admin_call(job, log);

    if (job->reply.text != NULL) {
        return;
    }

    if (job->reply.body != NULL) {
        job->text = json_dumps(job->reply.body, JSON_COMPACT);

        if (job->text == NULL) {
            ngx_http_govsvc_admin_refuse(job, 503, "NO_MEMORY");
            return;
        }

        job->len = ngx_strlen(job->text);
    }
}


/* The fixed half of the document, once. */

static ngx_int_t
ngx_http_govsvc_admin_ready(ngx_http_govsvc_admin_job_t *job, ngx_log_t *log)
{
    gs_err_t                            err;
    gs_str_t                            s;
    ngx_http_govsvc_admin_worker_t     *w;
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    amcf = job->conf;
    w = amcf->worker;

    if (w->ready) {
        return NGX_OK;
    }

    ngx_memzero(&err, sizeof(gs_err_t));
    s = ngx_govsvc_to_gs(&amcf->credentials_text);

    if (gs_route_doc_init(&w->doc) != GS_OK
        || gs_route_doc_fix(&w->doc, &amcf->registry->platforms, &err)
           != GS_OK
        || (s.len != 0 && gs_route_doc_fix(&w->doc, &s, &err) != GS_OK))
    {
        ngx_log_error(NGX_LOG_ERR, log, 0, "govsvc admin: %s", err.text);
        gs_route_doc_free(&w->doc);
        return NGX_ERROR;
    }

    w->ready = 1;

    return NGX_OK;
}


static void
ngx_http_govsvc_admin_call(ngx_http_govsvc_admin_job_t *job, ngx_log_t *log)
{
    ngx_fd_t                         fd;
    ngx_err_t                        err;
    gs_admin_t                       a;
    ngx_uint_t                       writes;
    gs_admin_host_t                  host;
    ngx_http_govsvc_registry_t      *reg;
    ngx_http_govsvc_admin_worker_t  *w;

    w = job->conf->worker;
    reg = job->conf->registry;
    writes = gs_admin_writes(&job->q) && reg->snapshot.len != 0;
    fd = NGX_INVALID_FILE;

    if (writes) {
        fd = ngx_govsvc_snapshot_lock(&reg->snapshot,
                                      NGX_HTTP_GOVSVC_ADMIN_LOCK, &err);

        if (fd == NGX_INVALID_FILE) {
            ngx_log_error(NGX_LOG_ERR, log, err,
                          "govsvc admin: cannot lock the folder of \"%V\"",
                          &reg->snapshot);
            job->reply.retry_after = 1;
            ngx_http_govsvc_admin_refuse(job, 503, "BUSY");
            return;
        }
    }

    if (reg->snapshot.len != 0) {
        ngx_http_govsvc_admin_refresh(job, log);
    }

    if (w->behind
        && (writes || w->doc.revision
                      < __atomic_load_n(&reg->sh->committed,
                                        __ATOMIC_ACQUIRE)))
    {
        /* nor does it tell what it never read to be no more */

        job->reply.retry_after = 5;
        ngx_http_govsvc_admin_refuse(job, 503, "SNAPSHOT_BEHIND");

    } else {
        ngx_http_govsvc_admin_engine(job, &a, &host);
        gs_admin_handle(&a, &job->q, &job->reply);
    }

    if (fd != NGX_INVALID_FILE) {

        /* nobody else wrote meanwhile */

        w->stamp = ngx_govsvc_snapshot_stamp(&reg->snapshot);
        ngx_govsvc_snapshot_unlock(fd);
    }
}


void
ngx_http_govsvc_admin_refresh(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log)
{
    uint64_t                         stamp;
    ngx_http_govsvc_registry_t      *reg;
    ngx_http_govsvc_admin_worker_t  *w;

    w = job->conf->worker;
    reg = job->conf->registry;

    (void) ngx_http_govsvc_hosts_load(reg, &w->doc, log);

    stamp = ngx_govsvc_snapshot_stamp(&reg->snapshot);

    if (w->fresh && stamp == w->stamp) {
        return;
    }

    w->behind = ngx_http_govsvc_registry_refresh(reg, &w->doc, log)
                == NGX_ERROR;
    w->stamp = stamp;
    w->fresh = 1;

    /* what the compiler has to find is looked for where there is some */

    if (__atomic_load_n(&reg->sh->left_found, __ATOMIC_ACQUIRE) != 0) {
        ngx_http_govsvc_registry_look(reg, &w->doc, log);

    } else {
        (void) gs_route_doc_refer(&w->doc, 1);
    }
}


/*
 * Nobody waits for this: a lock that another holds is no reason to wait, the
 * next second comes.
 */

static void
ngx_http_govsvc_admin_second(ngx_http_govsvc_admin_job_t *job, ngx_log_t *log)
{
    gs_err_t                         why;
    ngx_fd_t                         fd;
    ngx_err_t                        err;
    gs_admin_t                       a;
    gs_admin_host_t                  host;
    ngx_http_govsvc_registry_t      *reg;
    ngx_http_govsvc_admin_worker_t  *w;

    w = job->conf->worker;
    reg = job->conf->registry;

    fd = ngx_govsvc_snapshot_lock(&reg->snapshot,
                                  job->proved ? NGX_HTTP_GOVSVC_ADMIN_LOCK
                                              : 0, &err);

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    ngx_http_govsvc_admin_refresh(job, log);

    if (!w->behind) {
        (void) ngx_http_govsvc_registry_catch_up(reg, &w->doc, log);

        ngx_memzero(&why, sizeof(gs_err_t));
        ngx_http_govsvc_admin_engine(job, &a, &host);

        if (job->proved) {
            if (gs_admin_prove(&a, (char *) job->probes[0].id,
                               (char *) job->probes[0].nonce, job->q.now,
                               &why)
                == GS_ERROR)
            {
                ngx_log_error(NGX_LOG_ERR, log, 0,
                              "govsvc admin: proof of \"%s\": %s",
                              job->probes[0].id, why.text);
            }

        } else {
            if (gs_admin_sweep(&a, job->q.now, &why) == GS_ERROR) {
                ngx_log_error(NGX_LOG_ERR, log, 0,
                              "govsvc admin: leases: %s", why.text);
            }

            ngx_http_govsvc_admin_waiting(job, &a);
            ngx_http_govsvc_admin_judge(reg, &a, log);
        }

        w->stamp = ngx_govsvc_snapshot_stamp(&reg->snapshot);
    }

    ngx_govsvc_snapshot_unlock(fd);
}


static ngx_int_t
ngx_http_govsvc_admin_read_body(ngx_http_govsvc_admin_job_t *job)
{
    size_t    done, len;
    u_char   *p;
    ssize_t   n;

    if (job->fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    len = job->q.body.len;

    p = ngx_pnalloc(job->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (done = 0; done < len; done += (size_t) n) {
        n = pread(job->fd, p + done, len - done, (off_t) done);

        if (n <= 0) {
            return NGX_ERROR;
        }
    }

    job->q.body = gs_str_make(p, len);

    return NGX_OK;
}


void
ngx_http_govsvc_admin_refuse(ngx_http_govsvc_admin_job_t *job,
    unsigned status, const char *code)
{
    gs_admin_reply_free(&job->reply);

    job->reply.status = status;
    job->reply.code = code;
    job->reply.text = NULL;
}
