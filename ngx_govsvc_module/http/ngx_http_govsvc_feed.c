
/*
 * Copyright (C) govsvc authors
 *
 * Feeds in the event loop: who has one, and one task at a time for a thread.
 */


#include "http/ngx_http_govsvc_feed_priv.h"


static void ngx_http_govsvc_feed_lead(void *data, ngx_uint_t leads);
static void ngx_http_govsvc_feed_leave(ngx_http_govsvc_feed_t *feed);
static void ngx_http_govsvc_feed_start(ngx_http_govsvc_feed_t *feed);
#if (NGX_THREADS)
static void ngx_http_govsvc_feed_thread(void *data, ngx_log_t *log);
#endif
static ngx_int_t ngx_http_govsvc_feed_work(ngx_http_govsvc_feed_t *feed);
static void ngx_http_govsvc_feed_event(ngx_event_t *ev);


ngx_http_govsvc_feed_t *
ngx_http_govsvc_feed_add(ngx_conf_t *cf,
    const ngx_http_govsvc_feed_conf_t *conf)
{
    ngx_http_govsvc_feed_t  *feed;

    feed = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_feed_t));
    if (feed == NULL) {
        return NULL;
    }

    feed->conf = *conf;
    feed->lock = NGX_INVALID_FILE;
    feed->notes = NGX_INVALID_FILE;
    feed->replay = NGX_INVALID_FILE;
    feed->log = &cf->cycle->new_log;
    feed->amcf = ngx_http_conf_get_module_main_conf(cf,
                                                ngx_http_govsvc_audit_module);

    feed->event.handler = ngx_http_govsvc_feed_event;
    feed->event.data = feed;
    feed->event.log = feed->log;

#if (NGX_THREADS)

    feed->pool = ngx_thread_pool_add(cf, NULL);
    feed->task = ngx_thread_task_alloc(cf->pool,
                                       sizeof(ngx_http_govsvc_feed_t *));

    if (feed->pool == NULL || feed->task == NULL) {
        return NULL;
    }

    *(ngx_http_govsvc_feed_t **) feed->task->ctx = feed;
    feed->task->handler = ngx_http_govsvc_feed_thread;
    feed->task->event.handler = ngx_http_govsvc_feed_event;
    feed->task->event.data = feed;

#endif

    feed->lead = ngx_govsvc_lead_add(cf, &feed->conf.name,
                                     ngx_http_govsvc_feed_lead, feed);

    if (feed->lead == NULL
        || ngx_http_govsvc_feed_list(cf, feed) != NGX_OK)
    {
        return NULL;
    }

    return feed;
}


/* A thread that is at work ends what it does; its answer is not told. */

static void
ngx_http_govsvc_feed_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_feed_t *feed = data;

    feed->leads = leads;
    feed->log = ngx_cycle->log;
    feed->end = 0;

    feed->conf.lead(feed->conf.data, leads);

    if (!leads && !feed->busy) {
        ngx_http_govsvc_feed_leave(feed);
    }
}


/* What was confirmed since the last task is noted by the event loop itself. */

static void
ngx_http_govsvc_feed_leave(ngx_http_govsvc_feed_t *feed)
{
    if (feed->open) {
        (void) ngx_http_govsvc_feed_notes_confirm(feed, feed->confirm);
    }

    ngx_http_govsvc_feed_notes_close(feed);
    feed->confirm = 0;
}


void
ngx_http_govsvc_feed_seek(ngx_http_govsvc_feed_t *feed, uint64_t n)
{
    feed->seeks = 1;
    feed->seek = n;

    ngx_http_govsvc_feed_start(feed);
}


void
ngx_http_govsvc_feed_next(ngx_http_govsvc_feed_t *feed)
{
    feed->seeks = 0;

    ngx_http_govsvc_feed_start(feed);
}


void
ngx_http_govsvc_feed_confirm(ngx_http_govsvc_feed_t *feed, uint64_t n)
{
    feed->confirm = ngx_max(feed->confirm, n);
}


ngx_http_govsvc_feed_batch_t *
ngx_http_govsvc_feed_batch(ngx_http_govsvc_feed_t *feed)
{
    return feed->batch;
}


ngx_uint_t
ngx_http_govsvc_feed_busy(ngx_http_govsvc_feed_t *feed)
{
    return feed->busy;
}


static void
ngx_http_govsvc_feed_start(ngx_http_govsvc_feed_t *feed)
{
    feed->busy = 1;
    feed->asked = feed->confirm;

#if (NGX_THREADS)

    if (ngx_thread_task_post(feed->pool, feed->task) == NGX_OK) {
        return;
    }

    /* the queue of the threads is full: rather later than here */

    feed->rc = NGX_ERROR;

#else

    feed->rc = ngx_http_govsvc_feed_work(feed);

#endif

    ngx_post_event(&feed->event, &ngx_posted_events);
}


#if (NGX_THREADS)

static void
ngx_http_govsvc_feed_thread(void *data, ngx_log_t *log)
{
    ngx_http_govsvc_feed_t *feed = *(ngx_http_govsvc_feed_t **) data;

    feed->rc = ngx_http_govsvc_feed_work(feed);
}

#endif


static ngx_int_t
ngx_http_govsvc_feed_work(ngx_http_govsvc_feed_t *feed)
{
    char             chain[GS_AUDIT_FEED_CHAIN];
    ngx_int_t        rc;
    gs_audit_feed_t  entry;

    if (!feed->open) {
        rc = ngx_http_govsvc_feed_notes_open(feed);

        if (rc != NGX_OK) {
            ngx_http_govsvc_feed_notes_close(feed);
            return rc;
        }
    }

    if (ngx_http_govsvc_feed_notes_confirm(feed, feed->asked) != NGX_OK) {
        return NGX_ERROR;
    }

    if (feed->seeks) {
        return ngx_http_govsvc_feed_notes_find(feed, feed->seek);
    }

    for ( ;; ) {
        rc = ngx_http_govsvc_feed_notes_again(feed, &entry, chain);

        if (rc == NGX_DONE) {
            return ngx_http_govsvc_feed_fresh(feed);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_govsvc_feed_range(feed, &entry);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }
}


static void
ngx_http_govsvc_feed_event(ngx_event_t *ev)
{
    ngx_http_govsvc_feed_t  *feed;

    feed = ev->data;
    feed->busy = 0;

    if (!feed->leads) {
        ngx_http_govsvc_feed_leave(feed);
        return;
    }

    if (feed->rc == NGX_OK && !feed->seeks) {
        feed->handed = feed->batch->n + feed->batch->count - 1;

        if (feed->delivered == 0) {
            feed->delivered = feed->batch->n - 1;
        }
    }

    feed->end = (feed->rc == NGX_DECLINED);
    ngx_http_govsvc_feed_delivered(feed, 0);

    feed->conf.handler(feed->conf.data, feed->rc);
}


uint64_t
ngx_http_govsvc_feed_msec(void)
{
    return ngx_govsvc_wall_us() / 1000;
}


ngx_int_t
ngx_http_govsvc_feed_failed(ngx_http_govsvc_feed_t *feed, const char *what)
{
    ngx_log_error(NGX_LOG_ERR, feed->log, ngx_errno,
                  "govsvc feed: %s failed, file: \"%s\"", what, feed->path);

    return NGX_ERROR;
}


ngx_http_govsvc_feed_chain_t *
ngx_http_govsvc_feed_chain(ngx_http_govsvc_feed_t *feed, const gs_str_t *name)
{
    ngx_uint_t                     i, size;
    ngx_http_govsvc_feed_chain_t  *chain;

    for (i = feed->nchains; i != 0; i--) {
        chain = &feed->chains[i - 1];

        if (gs_str_eq_text(name, chain->name)) {
            return chain;
        }
    }

    if (feed->nchains == feed->size) {
        size = feed->size * 2 + 64;

        chain = ngx_alloc(size * sizeof(ngx_http_govsvc_feed_chain_t),
                          feed->log);
        if (chain == NULL) {
            return NULL;
        }

        if (feed->nchains != 0) {
            ngx_memcpy(chain, feed->chains, feed->nchains
                       * sizeof(ngx_http_govsvc_feed_chain_t));
        }

        ngx_free(feed->chains);

        feed->chains = chain;
        feed->size = size;
    }

    chain = &feed->chains[feed->nchains];
    feed->nchains++;

    ngx_memzero(chain, sizeof(ngx_http_govsvc_feed_chain_t));
    ngx_memcpy(chain->name, name->data, name->len);

    return chain;
}
