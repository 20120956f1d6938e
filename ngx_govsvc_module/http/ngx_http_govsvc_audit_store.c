
/*
 * Copyright (C) govsvc authors
 *
 * Audit: the chain of a process.  It joins the pure chain (audit/) to the
 * writer (ngx/), which knows nothing of records.
 */


#include "http/ngx_http_govsvc_audit.h"
#include "ngx/ngx_govsvc_store.h"


#define NGX_HTTP_GOVSVC_AUDIT_MAGIC  0x67736175
#define NGX_HTTP_GOVSVC_AUDIT_NAME   128
#define NGX_HTTP_GOVSVC_AUDIT_HEAD   2     /* bytes, of a draft's head */


/* What the thread goes back to when a file is lost. */
typedef struct {
    gs_uchar_t                          h[GS_AUDIT_HASH];
    uint64_t                            seq;
    uint64_t                            n;
} ngx_http_govsvc_audit_mark_t;


typedef struct {
    ngx_http_govsvc_audit_main_conf_t  *amcf;
    ngx_govsvc_writer_t                *writer;
    ngx_log_t                          *log;
    gs_str_t                            name;

    /* of the writing thread */
    gs_audit_chain_t                    hash;
    uint64_t                            seq;      /* of the next line */
    uint64_t                            n;        /* lines of the segment */
    ngx_http_govsvc_audit_mark_t        mark;

    /* of the event loop */
    gs_audit_loss_t                     loss;
    time_t                              logged;
} ngx_http_govsvc_audit_chain_t;


static ngx_http_govsvc_audit_chain_t *ngx_http_govsvc_audit_start(
    ngx_cycle_t *cycle, ngx_http_govsvc_audit_main_conf_t *amcf);
static void ngx_http_govsvc_audit_lost(ngx_http_govsvc_audit_chain_t *chain,
    uint64_t g);
static ngx_int_t ngx_http_govsvc_audit_put(
    ngx_http_govsvc_audit_chain_t *chain, const gs_audit_record_t *rec,
    gs_audit_loss_t *loss);

static uint64_t ngx_http_govsvc_audit_number(void *data);
static ngx_int_t ngx_http_govsvc_audit_head(void *data, gs_buf_t *b,
    const ngx_govsvc_writer_prev_t *prev);
static ngx_int_t ngx_http_govsvc_audit_line(void *data, gs_buf_t *b,
    const u_char *rec, size_t len);
static ngx_int_t ngx_http_govsvc_audit_tail(void *data, gs_buf_t *b,
    const char *why);
static void ngx_http_govsvc_audit_mark(void *data);
static void ngx_http_govsvc_audit_reset(void *data);
static void ngx_http_govsvc_audit_space(void *data);


static const ngx_govsvc_writer_format_t  ngx_http_govsvc_audit_format = {
    ngx_http_govsvc_audit_number,
    ngx_http_govsvc_audit_head,
    ngx_http_govsvc_audit_line,
    ngx_http_govsvc_audit_tail,
    ngx_http_govsvc_audit_mark,
    ngx_http_govsvc_audit_reset,
    ngx_http_govsvc_audit_space,
    GS_AUDIT_LINE_MAX
};


/* One of each worker; made at its start, ended at its exit. */

static ngx_http_govsvc_audit_chain_t  *ngx_http_govsvc_audit_chain;


ngx_int_t
ngx_http_govsvc_audit_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_govsvc_audit_main_conf_t *old = data;

    ngx_slab_pool_t                    *shpool;
    ngx_http_govsvc_audit_sh_t         *sh;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (old != NULL) {
        sh = old->sh;

    } else if (zone->shm.exists) {
        sh = shpool->data;

    } else {
        sh = ngx_slab_calloc(shpool, sizeof(ngx_http_govsvc_audit_sh_t));
        if (sh == NULL) {
            return NGX_ERROR;
        }

        sh->magic = NGX_HTTP_GOVSVC_AUDIT_MAGIC;
        shpool->data = sh;
    }

    amcf->sh = sh;

    if (ngx_govsvc_store_prepare(amcf->cycle, &amcf->dir) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_test_config) {
        return NGX_OK;
    }

    return ngx_govsvc_store_epoch(&amcf->dir, &amcf->epoch,
                                  zone->shm.log);
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

    ngx_http_govsvc_audit_chain = ngx_http_govsvc_audit_start(cycle, amcf);

    return (ngx_http_govsvc_audit_chain == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_http_govsvc_audit_chain_t *
ngx_http_govsvc_audit_start(ngx_cycle_t *cycle,
    ngx_http_govsvc_audit_main_conf_t *amcf)
{
    u_char                         *p, *last;
    ngx_str_t                       node;
    ngx_govsvc_writer_conf_t        conf;
    ngx_http_govsvc_audit_chain_t  *chain;

    chain = ngx_pcalloc(cycle->pool, sizeof(ngx_http_govsvc_audit_chain_t));
    p = ngx_pnalloc(cycle->pool, NGX_HTTP_GOVSVC_AUDIT_NAME);

    if (chain == NULL || p == NULL) {
        return NULL;
    }

    node = ngx_govsvc_from_gs(&amcf->node);
    last = ngx_slprintf(p, p + NGX_HTTP_GOVSVC_AUDIT_NAME, "%V.%uL.w%ui.%P",
                        &node, amcf->epoch, ngx_worker, ngx_pid);

    chain->name = gs_str_make(p, (size_t) (last - p));
    chain->amcf = amcf;
    chain->log = cycle->log;

    if (gs_audit_chain_init(&chain->hash, (gs_audit_alg_e) amcf->alg)
        != GS_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "govsvc audit: %s is not available in libcrypto",
                      gs_audit_alg_name((gs_audit_alg_e) amcf->alg));
        return NULL;
    }

    conf.dir = amcf->dir;
    conf.name = ngx_govsvc_from_gs(&chain->name);
    conf.format = &ngx_http_govsvc_audit_format;
    conf.data = chain;
    conf.pool = amcf->pool;
    conf.buffer = amcf->buffer;
    conf.segment = amcf->segment;
    conf.flush = amcf->flush;
    conf.sync = amcf->sync;

    chain->writer = ngx_govsvc_writer_create(cycle, &conf);
    if (chain->writer == NULL) {
        return NULL;
    }

    return chain;
}


void
ngx_http_govsvc_audit_exit_process(ngx_cycle_t *cycle)
{
    uint64_t                        lost;
    ngx_http_govsvc_audit_chain_t  *chain;

    chain = ngx_http_govsvc_audit_chain;

    if (chain == NULL) {
        return;
    }

    lost = ngx_govsvc_writer_finish(chain->writer) + chain->loss.n;

    if (lost != 0) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, 0,
                      "govsvc audit: %uL records could not be written before "
                      "the exit", lost);
    }

    gs_audit_chain_free(&chain->hash);
    ngx_http_govsvc_audit_chain = NULL;
}


void
ngx_http_govsvc_audit_write(ngx_http_govsvc_audit_main_conf_t *amcf,
    gs_audit_record_t *rec)
{
    ngx_http_govsvc_audit_chain_t  *chain;

    chain = ngx_http_govsvc_audit_chain;

    if (chain == NULL) {

        /* a single process that was reloaded: it has begun no chain */

        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "govsvc audit: no chain in this process, the request "
                      "is not in the record");
        return;
    }

    /* what was lost is told before anything that came after it */

    if (chain->loss.n != 0) {
        ngx_http_govsvc_audit_space(chain);
    }

    rec->node = amcf->node;
    rec->epoch = amcf->epoch;

    if (rec->g == 0) {
        rec->g = ngx_http_govsvc_audit_next(amcf);
    }

    if (chain->loss.n != 0
        || ngx_http_govsvc_audit_put(chain, rec, NULL) != NGX_OK)
    {
        ngx_http_govsvc_audit_lost(chain, rec->g);
    }
}


static void
ngx_http_govsvc_audit_lost(ngx_http_govsvc_audit_chain_t *chain, uint64_t g)
{
    if (chain->loss.n++ == 0) {
        chain->loss.first = g;
        chain->loss.last = g;
    }

    /* a request that asked for its number early has a smaller one */

    chain->loss.first = ngx_min(chain->loss.first, g);
    chain->loss.last = ngx_max(chain->loss.last, g);

    if (chain->logged == ngx_time()) {
        return;
    }

    chain->logged = ngx_time();

    ngx_log_error(NGX_LOG_CRIT, chain->log, 0,
                  "govsvc audit: the buffer is full, %uL requests are not in "
                  "the record", chain->loss.n);
}


static ngx_int_t
ngx_http_govsvc_audit_put(ngx_http_govsvc_audit_chain_t *chain,
    const gs_audit_record_t *rec, gs_audit_loss_t *loss)
{
    size_t     head;
    u_char    *p;
    gs_buf_t   b;

    p = ngx_govsvc_writer_reserve(chain->writer,
                                  NGX_HTTP_GOVSVC_AUDIT_HEAD
                                  + GS_AUDIT_DRAFT_MAX);
    if (p == NULL) {
        return NGX_BUSY;
    }

    if (loss != NULL) {

        /* not before there is room: a number that is given is used */

        loss->g = ngx_http_govsvc_audit_next(chain->amcf);
    }

    gs_buf_init(&b, p + NGX_HTTP_GOVSVC_AUDIT_HEAD, GS_AUDIT_DRAFT_MAX);

    head = (rec != NULL) ? gs_audit_json_http(&b, rec)
                         : gs_audit_json_loss(&b, loss);
    if (head == 0) {
        return NGX_ERROR;
    }

    p[0] = (u_char) (head & 0xff);
    p[1] = (u_char) (head >> 8);

    ngx_govsvc_writer_put(chain->writer,
                          NGX_HTTP_GOVSVC_AUDIT_HEAD + gs_buf_len(&b));

    return NGX_OK;
}


uint64_t
ngx_http_govsvc_audit_next(ngx_http_govsvc_audit_main_conf_t *amcf)
{
    return (uint64_t) ngx_atomic_fetch_add(&amcf->sh->g, 1) + 1;
}


static uint64_t
ngx_http_govsvc_audit_number(void *data)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    return chain->seq;
}


static ngx_int_t
ngx_http_govsvc_audit_head(void *data, gs_buf_t *b,
    const ngx_govsvc_writer_prev_t *prev)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    gs_audit_open_t  open;

    open.chain = chain->name;
    open.seq = chain->seq;
    open.time = ngx_govsvc_wall_us();
    open.keep = chain->amcf->keep;
    open.why = (prev->name[0] == '\0') ? "start" : prev->why;
    open.prev_name = gs_str_text((const char *) prev->name);
    open.prev_bytes = (uint64_t) prev->bytes;
    open.prev_seq = chain->seq - 1;
    ngx_memcpy(open.prev_h, chain->hash.h, GS_AUDIT_HASH);

    /* nothing of the file before counts, and there was none before it */

    if (chain->seq == 0) {
        open.prev_seq = 0;
        ngx_memzero(open.prev_h, GS_AUDIT_HASH);
    }

    if (gs_audit_json_open(b, &chain->hash, &open) != GS_OK) {
        return NGX_ERROR;
    }

    chain->seq++;
    chain->n = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_line(void *data, gs_buf_t *b, const u_char *rec,
    size_t len)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    size_t    head;
    gs_str_t  draft;

    head = rec[0] | ((size_t) rec[1] << 8);
    draft = gs_str_make(rec + NGX_HTTP_GOVSVC_AUDIT_HEAD,
                        len - NGX_HTTP_GOVSVC_AUDIT_HEAD);

    if (gs_audit_json_line(b, &chain->hash, &chain->name, chain->seq, &draft,
                           head)
        != GS_OK)
    {
        return NGX_ERROR;
    }

    chain->seq++;
    chain->n++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_tail(void *data, gs_buf_t *b, const char *why)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    gs_audit_close_t  end;

    end.chain = chain->name;
    end.seq = chain->seq;
    end.time = ngx_govsvc_wall_us();
    end.n = chain->n + 1;
    end.why = why;

    if (gs_audit_json_close(b, &chain->hash, &end) != GS_OK) {
        return NGX_ERROR;
    }

    chain->seq++;
    chain->n++;

    return NGX_OK;
}


static void
ngx_http_govsvc_audit_mark(void *data)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    ngx_memcpy(chain->mark.h, chain->hash.h, GS_AUDIT_HASH);
    chain->mark.seq = chain->seq;
    chain->mark.n = chain->n;
}


static void
ngx_http_govsvc_audit_reset(void *data)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    ngx_memcpy(chain->hash.h, chain->mark.h, GS_AUDIT_HASH);
    chain->seq = chain->mark.seq;
    chain->n = chain->mark.n;
}


/* There is room: say how many requests are missing. */

static void
ngx_http_govsvc_audit_space(void *data)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    gs_audit_loss_t                    *loss;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    loss = &chain->loss;
    amcf = chain->amcf;

    if (loss->n == 0) {
        return;
    }

    loss->node = amcf->node;
    loss->epoch = amcf->epoch;
    loss->time = ngx_govsvc_wall_us();
    loss->why = "buffer full";

    if (ngx_http_govsvc_audit_put(chain, NULL, loss) == NGX_OK) {
        loss->n = 0;
    }
}
