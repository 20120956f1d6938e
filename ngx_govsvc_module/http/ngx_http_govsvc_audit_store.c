
/*
 * Copyright (C) govsvc authors
 *
 * Audit: shared memory, life of the chain of a process, and records on their
 * way into the ring.
 */


#include "http/ngx_http_govsvc_audit_priv.h"
#include "http/ngx_http_govsvc_metrics.h"
#include "ngx/ngx_govsvc_store.h"


#define NGX_HTTP_GOVSVC_AUDIT_MAGIC  0x67736175
#define NGX_HTTP_GOVSVC_AUDIT_TICK   1000  /* ms */
#define NGX_HTTP_GOVSVC_AUDIT_DRAIN  50    /* times 10 ms, at exit */
#define NGX_HTTP_GOVSVC_AUDIT_PIDS   10000000  /* Linux has 4194304 */


static ngx_int_t ngx_http_govsvc_audit_init_sh(
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_shm_zone_t *zone);
static size_t ngx_http_govsvc_audit_name(
    ngx_http_govsvc_audit_main_conf_t *amcf, u_char *p);
static ngx_http_govsvc_audit_chain_t *ngx_http_govsvc_audit_start(
    ngx_cycle_t *cycle, ngx_http_govsvc_audit_main_conf_t *amcf);
static void ngx_http_govsvc_audit_cleanup_cycle(void *data);
static ngx_govsvc_writer_t *ngx_http_govsvc_audit_writer(ngx_cycle_t *cycle,
    ngx_http_govsvc_audit_chain_t *chain,
    ngx_http_govsvc_audit_chain_t *rescue);
static ngx_int_t ngx_http_govsvc_audit_watch_reopen(ngx_cycle_t *cycle);
static void ngx_http_govsvc_audit_reopen(ngx_open_file_t *file,
    ngx_log_t *log);
static void ngx_http_govsvc_audit_tick(ngx_event_t *ev);


/* One of each worker; made at its start, ended at its exit. */

static ngx_http_govsvc_audit_chain_t  *ngx_http_govsvc_audit_own;


ngx_int_t
ngx_http_govsvc_audit_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_govsvc_audit_main_conf_t *old = data;

    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = zone->data;

    if (old != NULL) {
        amcf->sh = old->sh;

    } else if (ngx_http_govsvc_audit_init_sh(amcf, zone) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_govsvc_store_prepare(amcf->cycle, &amcf->dir) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_test_config) {
        return NGX_OK;
    }

    if (ngx_govsvc_store_epoch(&amcf->dir, &amcf->epoch, zone->shm.log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (amcf->sh->base == 0) {
        amcf->sh->base = amcf->epoch;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_init_sh(ngx_http_govsvc_audit_main_conf_t *amcf,
    ngx_shm_zone_t *zone)
{
    size_t                       size;
    uint64_t                     wall, mono;
    ngx_uint_t                   i;
    ngx_slab_pool_t             *shpool;
    ngx_http_govsvc_audit_sh_t  *sh;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        amcf->sh = shpool->data;
        return NGX_OK;
    }

    size = ngx_http_govsvc_audit_slot_size(amcf);

    sh = ngx_slab_calloc(shpool, sizeof(ngx_http_govsvc_audit_sh_t));
    if (sh == NULL) {
        return NGX_ERROR;
    }

    /* not cleared: memory that no worker uses shall take none */

    sh->slots = ngx_slab_alloc(shpool, amcf->nslots * size);
    if (sh->slots == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < amcf->nslots; i++) {
        ((ngx_govsvc_writer_slot_t *) (sh->slots + i * size))->used = 0;
    }

    sh->magic = NGX_HTTP_GOVSVC_AUDIT_MAGIC;
    sh->nslots = amcf->nslots;
    sh->clock = ngx_http_govsvc_audit_clock(&wall, &mono);

    shpool->data = sh;
    amcf->sh = sh;

    return NGX_OK;
}


size_t
ngx_http_govsvc_audit_slot_size(ngx_http_govsvc_audit_main_conf_t *amcf)
{
    return ngx_govsvc_writer_slot_size(sizeof(ngx_http_govsvc_audit_slot_t),
                                       amcf->buffer);
}


ngx_int_t
ngx_http_govsvc_audit_init_process(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_audit_module);

    if (amcf == NULL || amcf->used_file == NULL) {
        return NGX_OK;
    }

    ngx_http_govsvc_audit_succeed(amcf);

    ngx_http_govsvc_audit_own = ngx_http_govsvc_audit_start(cycle, amcf);

    if (ngx_http_govsvc_audit_own == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_audit_watch_reopen(cycle);
}


ngx_http_govsvc_audit_chain_t *
ngx_http_govsvc_audit_chain(void)
{
    return ngx_http_govsvc_audit_own;
}


/*
 * The number of a process comes again when others have gone; that of a chain
 * must not, so it goes on above all numbers of processes.
 */

static size_t
ngx_http_govsvc_audit_name(ngx_http_govsvc_audit_main_conf_t *amcf, u_char *p)
{
    u_char           path[NGX_MAX_PATH], *last;
    uint64_t         n;
    ngx_str_t        node;
    ngx_file_info_t  fi;

    node = ngx_govsvc_from_gs(&amcf->node);
    n = (uint64_t) ngx_pid;

    for ( ;; ) {
        last = ngx_slprintf(p, p + NGX_HTTP_GOVSVC_AUDIT_NAME - 1,
                            "%V.%uL.w%ui.%uL", &node, amcf->epoch, ngx_worker,
                            n);

        *ngx_snprintf(path, sizeof(path) - 1, "%V/%*s", &amcf->dir,
                      (size_t) (last - p), p) = '\0';

        if (ngx_file_info(path, &fi) == NGX_FILE_ERROR) {
            return (size_t) (last - p);
        }

        n += NGX_HTTP_GOVSVC_AUDIT_PIDS;
    }
}


static ngx_http_govsvc_audit_chain_t *
ngx_http_govsvc_audit_start(ngx_cycle_t *cycle,
    ngx_http_govsvc_audit_main_conf_t *amcf)
{
    u_char                         *p;
    ngx_uint_t                      i;
    ngx_pool_cleanup_t             *cln;
    ngx_http_govsvc_audit_chain_t  *chain;

    chain = ngx_pcalloc(cycle->pool,
                        2 * sizeof(ngx_http_govsvc_audit_chain_t));
    p = ngx_pnalloc(cycle->pool, NGX_HTTP_GOVSVC_AUDIT_NAME);
    cln = ngx_pool_cleanup_add(cycle->pool, 0);

    if (chain == NULL || p == NULL || cln == NULL) {
        return NULL;
    }

    /* a single process that is reloaded never calls exit_process */

    cln->handler = ngx_http_govsvc_audit_cleanup_cycle;
    cln->data = cycle;

    chain->name = gs_str_make(p, ngx_http_govsvc_audit_name(amcf, p));

    if (ngx_http_govsvc_audit_chain_init(chain, amcf, cycle->log) != NGX_OK
        || ngx_http_govsvc_audit_chain_init(chain + 1, amcf, cycle->log)
           != NGX_OK)
    {
        return NULL;
    }

    chain->writer = ngx_http_govsvc_audit_writer(cycle, chain, chain + 1);
    if (chain->writer == NULL) {
        return NULL;
    }

    chain->slot = ngx_govsvc_writer_user(chain->writer);
    chain->slot->epoch = amcf->epoch;
    chain->slot->pid = (uint64_t) ngx_pid;
    chain->slot->alg = (uint32_t) amcf->alg;

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_FLIGHTS; i++) {
        chain->free[i] = (uint32_t) (NGX_HTTP_GOVSVC_AUDIT_FLIGHTS - 1 - i);
    }

    chain->nfree = NGX_HTTP_GOVSVC_AUDIT_FLIGHTS;

    ngx_queue_init(&chain->waits);
    ngx_queue_init(&chain->flights);

    chain->tick.handler = ngx_http_govsvc_audit_tick;
    chain->tick.data = &chain->dummy;
    chain->tick.log = cycle->log;
    chain->tick.cancelable = 1;
    chain->dummy.data = chain;
    chain->dummy.fd = (ngx_socket_t) -1;

    ngx_add_timer(&chain->tick, NGX_HTTP_GOVSVC_AUDIT_TICK);

    return chain;
}


static void
ngx_http_govsvc_audit_cleanup_cycle(void *data)
{
    ngx_http_govsvc_audit_exit_process(data);
}


static ngx_govsvc_writer_t *
ngx_http_govsvc_audit_writer(ngx_cycle_t *cycle,
    ngx_http_govsvc_audit_chain_t *chain,
    ngx_http_govsvc_audit_chain_t *rescue)
{
    ngx_govsvc_writer_conf_t            conf;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = chain->amcf;

    conf.dir = amcf->dir;
    conf.name = ngx_govsvc_from_gs(&chain->name);
    conf.format = &ngx_http_govsvc_audit_format;
    conf.data = chain;
    conf.rescue = rescue;
    conf.slots = amcf->sh->slots;
    conf.nslots = amcf->sh->nslots;
    conf.base = amcf->sh->base;
    conf.user = sizeof(ngx_http_govsvc_audit_slot_t);
    conf.buffer = amcf->buffer;
    conf.segment = amcf->segment;
    conf.segment_time = amcf->segment_time;
    conf.flush = amcf->flush;
    conf.sync = amcf->sync;
    conf.reserve = amcf->reserve;

    return ngx_govsvc_writer_create(cycle, &conf);
}


/*
 * USR1 makes each process open its files again and call those who asked for
 * it.  A file known to this process alone is the place to ask: the master,
 * which gives files to the user of the workers, never sees it.
 */

static ngx_int_t
ngx_http_govsvc_audit_watch_reopen(ngx_cycle_t *cycle)
{
    ngx_open_file_t  *file;

    file = ngx_list_push(&cycle->open_files);
    if (file == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&file->name, "/dev/null");
    file->flush = ngx_http_govsvc_audit_reopen;
    file->data = NULL;
    file->fd = ngx_open_file(file->name.data, NGX_FILE_APPEND,
                             NGX_FILE_CREATE_OR_OPEN, NGX_FILE_DEFAULT_ACCESS);

    if (file->fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", &file->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_audit_reopen(ngx_open_file_t *file, ngx_log_t *log)
{
    /* Nginx calls this as well when it ends */

    if (ngx_http_govsvc_audit_own != NULL
        && !ngx_terminate && !ngx_quit && !ngx_exiting)
    {
        ngx_govsvc_writer_rotate(ngx_http_govsvc_audit_own->writer);
    }
}


static void
ngx_http_govsvc_audit_tick(ngx_event_t *ev)
{
    ngx_connection_t               *c;
    ngx_http_govsvc_audit_chain_t  *chain;

    c = ev->data;
    chain = c->data;

    ngx_http_govsvc_audit_look(chain);
    ngx_http_govsvc_audit_watch_clock(chain);
    ngx_http_govsvc_audit_take_untold(chain);

    (void) ngx_http_govsvc_audit_put_lost(chain, chain->writer);
    (void) ngx_http_govsvc_audit_put_aggs(chain, chain->writer,
                                          ngx_govsvc_wall_us());

    ngx_add_timer(ev, NGX_HTTP_GOVSVC_AUDIT_TICK);
}


void
ngx_http_govsvc_audit_exit_process(ngx_cycle_t *cycle)
{
    uint64_t                        lost;
    ngx_uint_t                      i;
    ngx_http_govsvc_audit_chain_t  *chain;

    chain = ngx_http_govsvc_audit_own;

    if (chain == NULL) {
        return;
    }

    ngx_http_govsvc_audit_abort(chain);

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_DRAIN; i++) {

        if (ngx_http_govsvc_audit_put_lost(chain, chain->writer) == NGX_OK
            && ngx_http_govsvc_audit_put_aggs(chain, chain->writer,
                                              UINT64_MAX)
               == NGX_OK)
        {
            break;
        }

        ngx_msleep(10);
    }

    lost = ngx_govsvc_writer_finish(chain->writer);

    /* what is left is for another process, but this one was not killed */

    if (lost != 0) {
        chain->slot->ended = 1;
    }

    for (i = 0; i < GS_AUDIT_CLASSES; i++) {
        lost += chain->slot->lost[i].n;
    }

    if (lost != 0) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, 0,
                      "govsvc audit: %uL records could not be written before "
                      "the exit", lost);

    } else {
        ngx_http_govsvc_audit_chain_free(chain);
        ngx_http_govsvc_audit_chain_free(chain + 1);
    }

    if (chain->tick.timer_set) {
        ngx_del_timer(&chain->tick);
    }

    ngx_http_govsvc_audit_own = NULL;
}


void
ngx_http_govsvc_audit_write(ngx_http_govsvc_audit_main_conf_t *amcf,
    gs_audit_record_t *rec, ngx_uint_t cls,
    ngx_http_govsvc_audit_flight_t *flight)
{
    ngx_http_govsvc_audit_chain_t  *chain;

    chain = ngx_http_govsvc_audit_own;

    if (chain == NULL) {

        /* a single process that was reloaded: it has begun no chain */

        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "govsvc audit: no chain in this process, the request "
                      "is not in the record");
        return;
    }

    if (ngx_http_govsvc_audit_put(chain, rec, cls, flight) == 0) {

        if (rec->g == 0) {
            rec->g = ngx_http_govsvc_audit_next(amcf);
        }

        ngx_http_govsvc_audit_lost(chain, cls, rec->g, flight);
        ngx_http_govsvc_metrics_record(cls, 1);

        return;
    }

    ngx_http_govsvc_metrics_record(cls, 0);
}


void
ngx_http_govsvc_audit_lost(ngx_http_govsvc_audit_chain_t *chain,
    ngx_uint_t cls, uint64_t g, ngx_http_govsvc_audit_flight_t *flight)
{
    ngx_http_govsvc_audit_lost_t  *lost;

    lost = &chain->slot->lost[cls];

    if (lost->n == 0) {
        lost->first = g;
        lost->last = g;
        lost->space = chain->shed;
    }

    /* a request that asked for its number early has a smaller one */

    lost->first = ngx_min(lost->first, g);
    lost->last = ngx_max(lost->last, g);

    ngx_http_govsvc_audit_count(chain, &lost->n, flight);

    if (chain->logged == ngx_time()) {
        return;
    }

    chain->logged = ngx_time();

    ngx_log_error(NGX_LOG_CRIT, chain->log, 0,
                  "govsvc audit: the %s is full, %uL requests are not in "
                  "the record", chain->shed ? "disk" : "buffer", lost->n);
}


void
ngx_http_govsvc_audit_write_draft(ngx_http_govsvc_audit_chain_t *chain,
    ngx_uint_t cls, uint64_t g, u_char *p, gs_buf_t *b, size_t head)
{
    if (p == NULL || head == 0) {
        ngx_http_govsvc_audit_lost(chain, cls, g, NULL);
        ngx_http_govsvc_metrics_record(cls, 1);

        return;
    }

    ngx_http_govsvc_audit_put_draft(chain->writer, p, b, head, NULL);
    ngx_http_govsvc_metrics_record(cls, 0);
}


u_char *
ngx_http_govsvc_audit_room(ngx_http_govsvc_audit_chain_t *chain,
    ngx_uint_t cls)
{
    size_t  keep;

    /* what was lost is told before anything that came after it */

    if (chain->slot->lost[cls].n != 0
        && ngx_http_govsvc_audit_put_lost(chain, chain->writer) != NGX_OK)
    {
        return NULL;
    }

    if (cls == GS_AUDIT_READ
        && chain->state >= NGX_HTTP_GOVSVC_AUDIT_CRITICAL
        && chain->amcf->on_error != NGX_HTTP_GOVSVC_AUDIT_FAIL_OPEN)
    {
        chain->shed = 1;
        return NULL;
    }

    chain->shed = 0;
    keep = (cls == GS_AUDIT_READ) ? chain->amcf->buffer / 4 : 1024;

    return ngx_govsvc_writer_reserve(chain->writer,
                                     NGX_HTTP_GOVSVC_AUDIT_HEAD
                                     + GS_AUDIT_DRAFT_MAX, keep);
}


uint64_t
ngx_http_govsvc_audit_put(ngx_http_govsvc_audit_chain_t *chain,
    gs_audit_record_t *rec, ngx_uint_t cls,
    ngx_http_govsvc_audit_flight_t *flight)
{
    size_t     head;
    u_char    *p;
    gs_buf_t   b;
    uint64_t  *told;

    p = ngx_http_govsvc_audit_room(chain, cls);
    if (p == NULL) {
        return 0;
    }

    rec->node = chain->amcf->node;
    rec->epoch = chain->amcf->epoch;

    if (rec->g == 0) {
        rec->g = ngx_http_govsvc_audit_next(chain->amcf);
    }

    gs_buf_init(&b, p + NGX_HTTP_GOVSVC_AUDIT_HEAD, GS_AUDIT_DRAFT_MAX);

    head = gs_audit_json_http(&b, rec);
    if (head == 0) {
        return 0;
    }

    p[0] = (u_char) (head & 0xff);
    p[1] = (u_char) (head >> 8);

    chain->last = p;
    told = NULL;

    if (flight != NULL && rec->stage == GS_AUDIT_INTENT) {
        flight->intent = rec->g;
        told = &flight->put;

    } else if (flight != NULL) {
        told = &flight->told;
    }

    return ngx_govsvc_writer_put(chain->writer,
                                 NGX_HTTP_GOVSVC_AUDIT_HEAD + gs_buf_len(&b),
                                 told);
}


uint64_t
ngx_http_govsvc_audit_next(ngx_http_govsvc_audit_main_conf_t *amcf)
{
    return (uint64_t) ngx_atomic_fetch_add(&amcf->sh->g, 1) + 1;
}


/*
 * Errors count once they last as long as a request may wait: till then a
 * retry may mend them unseen.
 */

ngx_uint_t
ngx_http_govsvc_audit_state(ngx_http_govsvc_audit_chain_t *chain)
{
    ngx_msec_t  failing;

    failing = ngx_govsvc_writer_failing(chain->writer);

    if (failing != 0 && failing >= chain->amcf->wait) {
        return NGX_HTTP_GOVSVC_AUDIT_READ_ONLY;
    }

    return chain->state;
}
