
/*
 * Copyright (C) govsvc authors
 *
 * Objects that nodes share: one worker of a node follows the store, and the
 * event loop's part of each job.
 */


#include "admin/ngx_http_govsvc_admin.h"


#define NGX_HTTP_GOVSVC_SHARE_NODES    10      /* s */
#define NGX_HTTP_GOVSVC_SHARE_TICK     500     /* ms */
#define NGX_HTTP_GOVSVC_SHARE_WAIT     2000    /* ms */
#define NGX_HTTP_GOVSVC_SHARE_AGAIN    20      /* ms */
#define NGX_HTTP_GOVSVC_SHARE_TRIES    100
#define NGX_HTTP_GOVSVC_SHARE_STUCK    6       /* ticks behind the store */
#define NGX_HTTP_GOVSVC_SHARE_QUEUE    4096


struct ngx_http_govsvc_share_s {
    ngx_http_govsvc_admin_main_conf_t  *conf;
    ngx_event_t                         tick;
    ngx_govsvc_redis_stream_t          *stream;
    uint64_t                            epoch;     /* of the stream */
    ngx_queue_t                         entries;
    ngx_uint_t                          nentries;
    ngx_uint_t                          posted;
    ngx_http_govsvc_admin_job_t        *whole;     /* is being read */
    gs_route_head_t                     node;
    ngx_uint_t                          stuck;
    ngx_uint_t                          turn;
    unsigned                            leads:1;
    unsigned                            asking:1;
    unsigned                            gap:1;
    unsigned                            forked:1;
};


static void ngx_http_govsvc_share_tick(ngx_event_t *ev);
static void ngx_http_govsvc_share_ask(ngx_http_govsvc_share_t *share);
static ngx_http_govsvc_admin_job_t *ngx_http_govsvc_share_job(
    ngx_http_govsvc_share_t *share, ngx_http_govsvc_share_e what);
static void ngx_http_govsvc_share_send_ask(ngx_http_govsvc_share_t *share);
static void ngx_http_govsvc_share_asked(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_share_act(ngx_http_govsvc_share_t *share,
    ngx_uint_t verdict, const gs_route_head_t *store);
static void ngx_http_govsvc_share_state(ngx_http_govsvc_share_t *share,
    ngx_uint_t state, const gs_route_head_t *store);
static void ngx_http_govsvc_share_follow(ngx_http_govsvc_share_t *share);
static void ngx_http_govsvc_share_leave(ngx_http_govsvc_share_t *share);
static void ngx_http_govsvc_share_whole(ngx_http_govsvc_share_t *share);
static ngx_int_t ngx_http_govsvc_share_entry(void *data, const ngx_str_t *id,
    const ngx_str_t *fields, ngx_uint_t n);
static void ngx_http_govsvc_share_event(void *data,
    ngx_govsvc_redis_stream_event_e event);
static void ngx_http_govsvc_share_take(ngx_http_govsvc_share_t *share);
static void ngx_http_govsvc_share_taken(ngx_http_govsvc_share_t *share,
    ngx_http_govsvc_admin_job_t *job);


ngx_int_t
ngx_http_govsvc_share_init(ngx_http_govsvc_admin_main_conf_t *amcf,
    ngx_cycle_t *cycle)
{
    ngx_http_govsvc_share_t  *share;

    share = ngx_pcalloc(cycle->pool, sizeof(ngx_http_govsvc_share_t));
    if (share == NULL) {
        return NGX_ERROR;
    }

    share->conf = amcf;
    share->tick.handler = ngx_http_govsvc_share_tick;
    share->tick.data = share;
    share->tick.log = cycle->log;
    share->tick.cancelable = 1;
    ngx_queue_init(&share->entries);

    amcf->worker->share = share;

    return NGX_OK;
}


void
ngx_http_govsvc_share_exit(ngx_http_govsvc_admin_main_conf_t *amcf)
{
    ngx_http_govsvc_admin_job_t  *job;

    if (amcf->worker->share == NULL) {
        return;
    }

    job = amcf->worker->current;

    if (job != NULL && job->flow != NULL) {
        ngx_http_govsvc_share_flow_stop(job->flow);
    }

    ngx_http_govsvc_share_lead(amcf, 0);
    amcf->worker->share = NULL;
}


void
ngx_http_govsvc_share_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_share_t            *share;
    ngx_http_govsvc_admin_main_conf_t  *amcf;

    amcf = data;
    share = (amcf->worker != NULL) ? amcf->worker->share : NULL;

    if (share == NULL || share->leads == leads) {
        return;
    }

    share->leads = (leads != 0);

    if (leads) {
        ngx_add_timer(&share->tick, 1);
        return;
    }

    if (share->tick.timer_set) {
        ngx_del_timer(&share->tick);
    }

    ngx_http_govsvc_share_leave(share);

    if (share->whole != NULL && share->whole->flow != NULL) {
        ngx_http_govsvc_share_flow_stop(share->whole->flow);
        ngx_http_govsvc_admin_free(share->whole);
        share->whole = NULL;
    }
}


static void
ngx_http_govsvc_share_tick(ngx_event_t *ev)
{
    ngx_http_govsvc_share_t *share = ev->data;

    if (!share->leads || ngx_exiting) {
        return;
    }

    ngx_add_timer(ev, NGX_HTTP_GOVSVC_SHARE_TICK);
    ngx_http_govsvc_share_ask(share);
}


/*
 * How far this node is first, the head of the store after that: what is less
 * then went back, and was not just overtaken.
 */

static void
ngx_http_govsvc_share_ask(ngx_http_govsvc_share_t *share)
{
    if (share->asking || !share->leads) {
        return;
    }

    share->asking = (ngx_http_govsvc_share_job(share,
                                               NGX_HTTP_GOVSVC_SHARE_ASK)
                     != NULL);
}


static ngx_http_govsvc_admin_job_t *
ngx_http_govsvc_share_job(ngx_http_govsvc_share_t *share,
    ngx_http_govsvc_share_e what)
{
    ngx_http_govsvc_admin_job_t  *job;

    job = ngx_http_govsvc_admin_own_job(share->conf);
    if (job == NULL) {
        return NULL;
    }

    job->share = what;

    if (what == NGX_HTTP_GOVSVC_SHARE_ENTRIES) {
        ngx_queue_add(&job->entries, &share->entries);
        ngx_queue_init(&share->entries);
        share->nentries = 0;
    }

    if (what != NGX_HTTP_GOVSVC_SHARE_REPLACE
        && ngx_http_govsvc_admin_post(job) != NGX_OK)
    {
        share->gap = 1;
        ngx_http_govsvc_admin_free(job);
        return NULL;
    }

    return job;
}


static void
ngx_http_govsvc_share_send_ask(ngx_http_govsvc_share_t *share)
{
    u_char                      *last;
    u_char                       text[256 + NGX_HTTP_GOVSVC_NODES_TEXT];
    ngx_str_t                    argv[4][4];
    ngx_pool_t                  *pool;
    ngx_uint_t                   i, ncmds;
    ngx_govsvc_redis_t          *rd;
    ngx_govsvc_redis_cmd_t       cmds[4];
    ngx_govsvc_redis_status_e    status;
    ngx_http_govsvc_registry_t  *reg;

    reg = share->conf->registry;
    rd = reg->redis;
    status = NGX_GOVSVC_REDIS_BAD;

    pool = ngx_create_pool(1024, share->conf->cycle->log);
    if (pool == NULL) {
        share->asking = 0;
        return;
    }

    ngx_memzero(cmds, sizeof(cmds));

    last = ngx_sprintf(text, "{\"revision\":%uL,\"store\":\"%s\","
                       "\"time\":%uL,\"addresses\":", share->node.revision,
                       gs_route_share_name((unsigned) reg->sh->store),
                       ngx_govsvc_wall_us());
    last = ngx_http_govsvc_nodes_text(share->conf->worker->own, last,
                                      share->tick.log);
    *last++ = '}';

    /* the other nodes do not move every second */

    ncmds = (share->turn++ % NGX_HTTP_GOVSVC_SHARE_NODES == 0) ? 4 : 3;

    ngx_str_set(&argv[0][0], "GET");
    ngx_str_set(&argv[1][0], "HSET");
    ngx_str_set(&argv[2][0], "HGETALL");
    ngx_str_set(&argv[3][0], "HGETALL");
    argv[1][2].data = (u_char *) share->conf->node.data;
    argv[1][2].len = share->conf->node.len;
    argv[1][3].data = text;
    argv[1][3].len = (size_t) (last - text);

    for (i = 0; i < 4; i++) {
        cmds[i].argv = argv[i];
        cmds[i].argc = (i == 1) ? 4 : 2;
        cmds[i].key = 1;
        cmds[i].timeout = NGX_HTTP_GOVSVC_SHARE_WAIT;
        cmds[i].handler = ngx_http_govsvc_share_asked;
        cmds[i].data = share;
    }

    if (ngx_http_govsvc_share_key(rd, pool, "head", 0, &argv[0][1]) == NGX_OK
        && ngx_http_govsvc_share_key(rd, pool, "nodes", 0, &argv[1][1])
           == NGX_OK
        && ngx_http_govsvc_share_key(rd, pool, "beats", 0, &argv[2][1])
           == NGX_OK)
    {
        argv[3][1] = argv[1][1];
        status = ngx_govsvc_redis_multi(rd, cmds, ncmds, NULL);
    }

    ngx_destroy_pool(pool);

    if (status != NGX_GOVSVC_REDIS_OK) {
        share->asking = 0;
        ngx_http_govsvc_share_state(share, NGX_HTTP_GOVSVC_SHARE_DOWN, NULL);
    }
}


static void
ngx_http_govsvc_share_asked(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_share_t *share = data;

    gs_str_t                   s;
    ngx_str_t                  text;
    ngx_uint_t                 verdict;
    gs_route_head_t            store;
    ngx_govsvc_redis_reply_t  *head;

    share->asking = 0;

    if (!share->leads) {
        return;
    }

    head = ngx_govsvc_redis_at(reply, 0);

    if (status != NGX_GOVSVC_REDIS_OK || head == NULL) {
        ngx_http_govsvc_share_state(share, NGX_HTTP_GOVSVC_SHARE_DOWN, NULL);
        return;
    }

    ngx_http_govsvc_nodes_beats(share->conf->registry,
                                ngx_govsvc_redis_at(reply, 2));

    if (ngx_govsvc_redis_count(reply) == 4) {
        ngx_http_govsvc_nodes_take(share->conf,
                                   ngx_govsvc_redis_at(reply, 3));
    }

    if (ngx_govsvc_redis_is_nil(head)) {
        ngx_http_govsvc_share_act(share,
                                  gs_route_share_judge(&share->node, NULL),
                                  NULL);
        return;
    }

    verdict = GS_ROUTE_SHARE_FOREIGN;
    ngx_memzero(&store, sizeof(gs_route_head_t));

    if (ngx_govsvc_redis_text(head, &text) == NGX_OK) {
        s = ngx_govsvc_to_gs(&text);

        if (gs_route_head_read(&store, &s) == GS_OK) {
            verdict = gs_route_share_judge(&share->node, &store);
        }
    }

    ngx_http_govsvc_share_act(share, verdict, &store);
}


static void
ngx_http_govsvc_share_act(ngx_http_govsvc_share_t *share, ngx_uint_t verdict,
    const gs_route_head_t *store)
{
    if (verdict == GS_ROUTE_SHARE_AHEAD && share->forked) {
        verdict = GS_ROUTE_SHARE_FORKED;

    } else if (verdict != GS_ROUTE_SHARE_AHEAD) {
        share->forked = 0;
        share->stuck = 0;
    }

    ngx_http_govsvc_share_state(share, verdict, store);

    switch (verdict) {

    case GS_ROUTE_SHARE_SAME:
        share->gap = 0;
        ngx_http_govsvc_share_follow(share);
        break;

    case GS_ROUTE_SHARE_AHEAD:
        ngx_http_govsvc_share_follow(share);

        if (share->gap || share->stuck++ == NGX_HTTP_GOVSVC_SHARE_STUCK) {
            ngx_http_govsvc_share_whole(share);
        }

        break;

    case GS_ROUTE_SHARE_FOUND:
        (void) ngx_http_govsvc_share_job(share, NGX_HTTP_GOVSVC_SHARE_FOUND);
        break;

    case GS_ROUTE_SHARE_ADOPT:
        ngx_http_govsvc_share_whole(share);
        break;

    default:

        /* what is forked is known by the stream only, which goes on */

        if (verdict != GS_ROUTE_SHARE_FORKED) {
            ngx_http_govsvc_share_leave(share);
        }
    }
}


static void
ngx_http_govsvc_share_state(ngx_http_govsvc_share_t *share, ngx_uint_t state,
    const gs_route_head_t *store)
{
    uint64_t                        old;
    ngx_uint_t                      level;
    ngx_http_govsvc_registry_sh_t  *sh;

    sh = share->conf->registry->sh;

    if (store != NULL) {
        __atomic_store_n(&sh->store_revision, store->revision,
                         __ATOMIC_RELEASE);
    }

    old = __atomic_exchange_n(&sh->store, state, __ATOMIC_ACQ_REL);

    if (old == state || (old <= GS_ROUTE_SHARE_AHEAD
                         && state <= GS_ROUTE_SHARE_AHEAD))
    {
        return;
    }

    if (state >= GS_ROUTE_SHARE_WIPED && state <= GS_ROUTE_SHARE_FOREIGN) {
        ngx_log_error(NGX_LOG_CRIT, share->tick.log, 0,
                      "govsvc registry: the store in redis \"%V\" is %s "
                      "(revision %uL, this node has %uL): what runs goes on, "
                      "changes are refused until an operator accepts one of "
                      "them by POST /govsvc/v1/snapshot/accept",
                      ngx_govsvc_redis_name(share->conf->registry->redis),
                      gs_route_share_name((unsigned) state),
                      store != NULL ? store->revision : 0,
                      share->node.revision);
        return;
    }

    level = (state == NGX_HTTP_GOVSVC_SHARE_DOWN) ? NGX_LOG_ERR
                                                  : NGX_LOG_NOTICE;

    ngx_log_error(level, share->tick.log, 0,
                  "govsvc registry: the store in redis \"%V\" is %s",
                  ngx_govsvc_redis_name(share->conf->registry->redis),
                  gs_route_share_name((unsigned) state));
}


static void
ngx_http_govsvc_share_follow(ngx_http_govsvc_share_t *share)
{
    u_char                           id[NGX_INT64_LEN + 2];
    ngx_str_t                        key, from;
    ngx_pool_t                      *pool;
    ngx_govsvc_redis_t              *rd;
    ngx_govsvc_redis_stream_conf_t   conf;

    if (share->stream != NULL && share->epoch == share->node.epoch) {
        return;
    }

    ngx_http_govsvc_share_leave(share);
    rd = share->conf->registry->redis;

    pool = ngx_create_pool(512, share->conf->cycle->log);
    if (pool == NULL) {
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_govsvc_redis_stream_conf_t));
    conf.entry = ngx_http_govsvc_share_entry;
    conf.event = ngx_http_govsvc_share_event;
    conf.data = share;

    from.data = id;
    from.len = (size_t) (ngx_sprintf(id, "%uL-0", share->node.revision) - id);

    if (ngx_http_govsvc_share_key(rd, pool, "log", share->node.epoch, &key)
        == NGX_OK)
    {
        share->stream = ngx_govsvc_redis_stream_open(rd, &key, &from, &conf);
        share->epoch = share->node.epoch;
    }

    ngx_destroy_pool(pool);
}


static void
ngx_http_govsvc_share_leave(ngx_http_govsvc_share_t *share)
{
    ngx_queue_t  *q;

    if (share->stream != NULL) {
        ngx_govsvc_redis_stream_close(share->stream);
        share->stream = NULL;
    }

    while (!ngx_queue_empty(&share->entries)) {
        q = ngx_queue_head(&share->entries);
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is a ring */
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, ngx_http_govsvc_share_entry_t, queue));
    }

    share->nentries = 0;
}


/* All of the store; one that cannot be read now is tried with the next tick. */

static void
ngx_http_govsvc_share_whole(ngx_http_govsvc_share_t *share)
{
    ngx_http_govsvc_admin_job_t  *job;

    if (share->whole != NULL) {
        return;
    }

    job = ngx_http_govsvc_share_job(share, NGX_HTTP_GOVSVC_SHARE_REPLACE);
    if (job == NULL) {
        return;
    }

    job->base = share->node;

    if (ngx_http_govsvc_share_flow(share->conf, job) != NGX_OK) {
        ngx_http_govsvc_admin_free(job);
        return;
    }

    share->whole = job;
    share->stuck = 0;
}


static ngx_int_t
ngx_http_govsvc_share_entry(void *data, const ngx_str_t *id,
    const ngx_str_t *fields, ngx_uint_t n)
{
    ngx_http_govsvc_share_t *share = data;

    gs_str_t                        s, name, change;
    uint64_t                        revision, tip, prev;
    ngx_uint_t                      i;
    ngx_http_govsvc_share_entry_t  *entry;

    s = ngx_govsvc_to_gs(id);
    s.len = gs_str_chr(&s, 0, '-');
    tip = 0;
    prev = 0;
    change = gs_str_make(NULL, 0);

    if (gs_parse_u64(&s, &revision) != GS_OK) {
        return NGX_OK;
    }

    for (i = 0; i + 1 < n; i += 2) {
        name = ngx_govsvc_to_gs(&fields[i]);
        s = ngx_govsvc_to_gs(&fields[i + 1]);

        if (gs_str_eq_text(&name, "change")) {
            change = s;

        } else if (gs_str_eq_text(&name, "tip")) {
            (void) gs_parse_u64(&s, &tip);

        } else if (gs_str_eq_text(&name, "prev")) {
            (void) gs_parse_u64(&s, &prev);
        }
    }

    if (share->nentries == NGX_HTTP_GOVSVC_SHARE_QUEUE) {
        return NGX_ERROR;
    }

    entry = ngx_alloc(sizeof(ngx_http_govsvc_share_entry_t) + change.len + 1,
                      share->tick.log);
    if (entry == NULL) {
        return NGX_ERROR;
    }

    entry->epoch = share->epoch;
    entry->revision = revision;
    entry->tip = tip;
    entry->prev = prev;
    entry->text.data = (gs_uchar_t *) (entry + 1);
    entry->text.len = change.len;

    if (change.len != 0) {
        ngx_memcpy(entry + 1, change.data, change.len);
    }

    ngx_queue_insert_tail(&share->entries, &entry->queue);
    share->nentries++;

    ngx_http_govsvc_share_take(share);

    return NGX_OK;
}


static void
ngx_http_govsvc_share_event(void *data, ngx_govsvc_redis_stream_event_e event)
{
    ngx_http_govsvc_share_t *share = data;

    if (event == NGX_GOVSVC_REDIS_STREAM_GAP) {
        share->gap = 1;
    }

    ngx_http_govsvc_share_ask(share);
}


static void
ngx_http_govsvc_share_take(ngx_http_govsvc_share_t *share)
{
    if (share->posted || ngx_queue_empty(&share->entries)) {
        return;
    }

    share->posted = (ngx_http_govsvc_share_job(share,
                                               NGX_HTTP_GOVSVC_SHARE_ENTRIES)
                     != NULL);
}


static void
ngx_http_govsvc_share_taken(ngx_http_govsvc_share_t *share,
    ngx_http_govsvc_admin_job_t *job)
{
    if (job->share == NGX_HTTP_GOVSVC_SHARE_REPLACE) {
        share->whole = NULL;

    } else {
        share->posted = 0;
        share->gap |= (job->gap != 0);
        share->forked |= (job->forked != 0);
        ngx_http_govsvc_share_take(share);
    }

    if (job->gap || job->forked
        || job->share == NGX_HTTP_GOVSVC_SHARE_REPLACE)
    {
        ngx_http_govsvc_share_ask(share);
    }
}


ngx_uint_t
ngx_http_govsvc_share_next(ngx_http_govsvc_admin_job_t *job)
{
    ngx_http_govsvc_share_t  *share;

    share = job->conf->worker->share;

    if (job->stored) {
        return 0;
    }

    if (job->beats != NULL) {
        ngx_http_govsvc_share_tell(job);
    }

    switch (job->share) {

    case NGX_HTTP_GOVSVC_SHARE_NONE:
        return 0;

    case NGX_HTTP_GOVSVC_SHARE_ASK:

        if (job->gap || !share->leads) {
            share->asking = 0;
            return 0;
        }

        share->node = job->base;
        ngx_http_govsvc_share_send_ask(share);
        return 0;

    case NGX_HTTP_GOVSVC_SHARE_ENTRIES:
    case NGX_HTTP_GOVSVC_SHARE_REPLACE:
        ngx_http_govsvc_share_taken(share, job);
        return 0;

    default:

        if (job->gap || (job->pairs == NULL
                         && job->share != NGX_HTTP_GOVSVC_SHARE_ACCEPT))
        {
            return 0;
        }

        if (ngx_http_govsvc_share_flow(job->conf, job) == NGX_OK) {
            return 1;
        }

        ngx_http_govsvc_share_flow_done(job, "STORE_DOWN");
        return 1;
    }
}


void
ngx_http_govsvc_share_flow_done(ngx_http_govsvc_admin_job_t *job,
    const char *code)
{
    ngx_http_govsvc_share_t         *share;
    ngx_http_govsvc_admin_worker_t  *w;

    w = job->conf->worker;
    share = w->share;

    if (job->share == NGX_HTTP_GOVSVC_SHARE_REPLACE) {

        if (code == NULL && ngx_http_govsvc_admin_post(job) == NGX_OK) {
            return;
        }

        if (code != NULL && ngx_strcmp(code, "STORE_LOST") == 0) {
            ngx_http_govsvc_share_state(share, GS_ROUTE_SHARE_WIPED, NULL);
        }

        share->whole = NULL;
        ngx_http_govsvc_admin_free(job);
        return;
    }

    if (code != NULL && ngx_strcmp(code, "AGAIN") == 0 && !job->tick
        && job->tries++ < NGX_HTTP_GOVSVC_SHARE_TRIES)
    {
        job->retry.handler = ngx_http_govsvc_share_retry;
        job->retry.data = job;
        job->retry.log = share->tick.log;
        ngx_add_timer(&job->retry, NGX_HTTP_GOVSVC_SHARE_AGAIN);

        /* what it waits for may be the next job of this worker */

        ngx_http_govsvc_admin_release(w);
        return;
    }

    job->stored = 1;

    if (code == NULL && job->share != NGX_HTTP_GOVSVC_SHARE_ACCEPT) {
        ngx_http_govsvc_admin_again(w);
        return;
    }

    if (code != NULL) {
        free(job->text);
        job->text = NULL;
        job->reply.etag[0] = '\0';
        job->reply.retry_after = 2;

        if (ngx_strcmp(code, "STORE_EMPTY") == 0) {
            job->reply.retry_after = 0;
            ngx_http_govsvc_admin_refuse(job, 409, code);

        } else {
            ngx_http_govsvc_admin_refuse(job, 503,
                                         ngx_strcmp(code, "AGAIN") == 0
                                         ? "STORE_BUSY" : code);
        }
    }

    ngx_http_govsvc_admin_end(w);
}
