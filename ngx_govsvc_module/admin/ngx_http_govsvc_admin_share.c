
/*
 * Copyright (C) govsvc authors
 *
 * Objects that nodes share: what a job does in its thread.  A change is judged
 * against the document of the node, taken back, made in the store if nothing
 * came between, and only then made here.
 */


#include "admin/ngx_http_govsvc_admin.h"


#define NGX_HTTP_GOVSVC_SHARE_LOCK  2000   /* ms */


static gs_rc_t ngx_http_govsvc_share_stage(void *ctx,
    const gs_route_table_t *table, size_t size, const json_t *undo,
    gs_err_t *err);
static ngx_int_t ngx_http_govsvc_share_pair(ngx_http_govsvc_admin_job_t *job,
    const char *kind, const char *id, const json_t *record);
static gs_rc_t ngx_http_govsvc_share_accept(void *ctx, unsigned store);
static json_t *ngx_http_govsvc_share_nodes(void *ctx);
static json_t *ngx_http_govsvc_share_node(ngx_http_govsvc_admin_job_t *job,
    ngx_str_t *id, ngx_str_t *text);
static void ngx_http_govsvc_share_all(ngx_http_govsvc_admin_job_t *job);
static gs_rc_t ngx_http_govsvc_share_change(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log, gs_err_t *err);
static gs_rc_t ngx_http_govsvc_share_entries(
    ngx_http_govsvc_admin_job_t *job, ngx_log_t *log, gs_err_t *err);
static gs_rc_t ngx_http_govsvc_share_replace(
    ngx_http_govsvc_admin_job_t *job, ngx_log_t *log, gs_err_t *err);
static ngx_uint_t ngx_http_govsvc_share_maps(ngx_http_govsvc_admin_job_t *job,
    json_t **maps);
static void ngx_http_govsvc_share_position(ngx_http_govsvc_admin_job_t *job);


void
ngx_http_govsvc_share_hooks(ngx_http_govsvc_admin_job_t *job,
    gs_admin_host_t *host)
{
    host->stage = ngx_http_govsvc_share_stage;
    host->accept = ngx_http_govsvc_share_accept;

    if (job->nodes != NULL) {
        host->nodes = ngx_http_govsvc_share_nodes;
    }
}


static gs_rc_t
ngx_http_govsvc_share_stage(void *ctx, const gs_route_table_t *table,
    size_t size, const json_t *undo, gs_err_t *err)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    size_t                       i;
    json_t                      *change, *put, *entry;
    uint64_t                     state;
    ngx_http_govsvc_registry_t  *reg;

    reg = job->conf->registry;
    state = __atomic_load_n(&reg->sh->store, __ATOMIC_ACQUIRE);

    if (state != GS_ROUTE_SHARE_SAME && state != GS_ROUTE_SHARE_AHEAD) {
        return gs_err(err, "the store that nodes share is %s",
                      gs_route_share_name((unsigned) state));
    }

    if (ngx_http_govsvc_registry_fits(reg, table, size, err) != GS_OK) {
        return GS_ERROR;
    }

    change = gs_route_share_change(&job->conf->worker->doc, undo);
    job->change = (change != NULL) ? json_dumps(change, JSON_COMPACT) : NULL;
    job->pairs = ngx_array_create(job->pool, 8, sizeof(ngx_str_t));
    put = json_object_get(change, "put");

    if (job->change == NULL || job->pairs == NULL) {
        json_decref(change);
        return gs_err(err, "out of memory");
    }

    for (i = 0; i < json_array_size(put); i++) {
        entry = json_array_get(put, i);

        if (ngx_http_govsvc_share_pair(job,
                              json_string_value(json_array_get(entry, 0)),
                              json_string_value(json_array_get(entry, 1)),
                              json_array_get(entry, 2))
            != NGX_OK)
        {
            json_decref(change);
            return gs_err(err, "out of memory");
        }
    }

    json_decref(change);

    job->share = NGX_HTTP_GOVSVC_SHARE_PUT;
    ngx_http_govsvc_share_position(job);
    job->base.revision--;

    return GS_OK;
}


/* What is removed leaves a tombstone. */

static ngx_int_t
ngx_http_govsvc_share_pair(ngx_http_govsvc_admin_job_t *job,
    const char *kind, const char *id, const json_t *record)
{
    char       *text;
    json_t     *gone;
    ngx_str_t  *pair;

    gone = json_is_object(record) ? NULL : json_pack("{s:b}", "gone", 1);
    text = json_dumps(gone != NULL ? gone : record, JSON_COMPACT);
    json_decref(gone);

    pair = ngx_array_push_n(job->pairs, 2);

    if (text == NULL || pair == NULL) {
        free(text);
        return NGX_ERROR;
    }

    pair[0].data = ngx_pnalloc(job->pool, ngx_strlen(kind) + ngx_strlen(id)
                                          + 1);
    pair[1].len = ngx_strlen(text);
    pair[1].data = ngx_pnalloc(job->pool, pair[1].len);

    if (pair[0].data == NULL || pair[1].data == NULL) {
        free(text);
        return NGX_ERROR;
    }

    pair[0].len = (size_t) (ngx_sprintf(pair[0].data, "%s/%s", kind, id)
                            - pair[0].data);
    ngx_memcpy(pair[1].data, text, pair[1].len);
    free(text);

    return NGX_OK;
}


static gs_rc_t
ngx_http_govsvc_share_accept(void *ctx, unsigned store)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    ngx_http_govsvc_share_position(job);

    job->share = store ? NGX_HTTP_GOVSVC_SHARE_ACCEPT
                       : NGX_HTTP_GOVSVC_SHARE_FOUND;

    if (!store) {
        ngx_http_govsvc_share_all(job);
    }

    return (store || job->pairs != NULL) ? GS_OK : GS_ERROR;
}


static json_t *
ngx_http_govsvc_share_nodes(void *ctx)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    json_t      *list, *node;
    ngx_str_t   *text;
    ngx_uint_t   i;

    list = json_array();

    text = job->nodes->elts;

    for (i = 0; i + 1 < job->nodes->nelts; i += 2) {
        node = ngx_http_govsvc_share_node(job, &text[i], &text[i + 1]);

        if (node != NULL) {
            (void) json_array_append_new(list, node);
        }
    }

    return list;
}


/* lag: changes that the node has not yet; seen: ms since it was heard. */

static json_t *
ngx_http_govsvc_share_node(ngx_http_govsvc_admin_job_t *job, ngx_str_t *id,
    ngx_str_t *text)
{
    json_t                      *node;
    uint64_t                     rev, time, store;
    ngx_http_govsvc_registry_t  *reg;

    reg = job->conf->registry;
    node = json_loadb((const char *) text->data, text->len, 0, NULL);

    if (!json_is_object(node)) {
        json_decref(node);
        return NULL;
    }

    rev = (uint64_t) json_integer_value(json_object_get(node, "revision"));
    time = (uint64_t) json_integer_value(json_object_get(node, "time"));
    store = __atomic_load_n(&reg->sh->store_revision, __ATOMIC_ACQUIRE);

    if (json_object_set_new(node, "id", json_stringn((const char *) id->data,
                                                     id->len)) != 0
        || json_object_set_new(node, "lag",
                               json_integer((json_int_t)
                                       (store > rev ? store - rev : 0))) != 0
        || json_object_set_new(node, "seen",
                               json_integer((json_int_t)
                                       (job->q.now > time
                                        ? (job->q.now - time) / 1000 : 0)))
           != 0)
    {
        json_decref(node);
        return NULL;
    }

    return node;
}


void
ngx_http_govsvc_share_beat(ngx_http_govsvc_admin_job_t *job, const char *id,
    uint64_t deadline)
{
    ngx_str_t  *pair;

    if (job->conf->worker->share == NULL) {
        return;
    }

    if (job->beats == NULL) {
        job->beats = ngx_array_create(job->pool, 2, sizeof(ngx_str_t));
    }

    pair = (job->beats != NULL) ? ngx_array_push_n(job->beats, 2) : NULL;

    if (pair == NULL) {
        return;
    }

    pair[0].len = ngx_strlen(id);
    pair[0].data = ngx_pnalloc(job->pool, pair[0].len + NGX_INT64_LEN);

    if (pair[0].data == NULL) {
        job->beats = NULL;
        return;
    }

    ngx_memcpy(pair[0].data, id, pair[0].len);
    pair[1].data = pair[0].data + pair[0].len;
    pair[1].len = (size_t) (ngx_sprintf(pair[1].data, "%uL", deadline)
                            - pair[1].data);
}


/* The part of a job that knows the store, under the lock. */

void
ngx_http_govsvc_share_run(ngx_http_govsvc_admin_job_t *job, ngx_log_t *log)
{
    gs_rc_t                          rc;
    gs_err_t                         why;
    ngx_fd_t                         fd;
    ngx_err_t                        err;
    ngx_http_govsvc_registry_t      *reg;
    ngx_http_govsvc_admin_worker_t  *w;

    w = job->conf->worker;
    reg = job->conf->registry;

    fd = ngx_govsvc_snapshot_lock(&reg->snapshot, NGX_HTTP_GOVSVC_SHARE_LOCK,
                                  &err);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      "govsvc registry: cannot lock the folder of \"%V\"",
                      &reg->snapshot);
        job->gap = 1;
        return;
    }

    ngx_http_govsvc_admin_refresh(job, log);
    ngx_memzero(&why, sizeof(gs_err_t));
    rc = GS_DECLINED;

    if (w->behind) {
        job->gap = 1;

    } else if (job->stored) {
        rc = ngx_http_govsvc_share_change(job, log, &why);

    } else if (job->share == NGX_HTTP_GOVSVC_SHARE_ENTRIES) {
        rc = ngx_http_govsvc_share_entries(job, log, &why);

    } else if (job->share == NGX_HTTP_GOVSVC_SHARE_REPLACE) {
        rc = ngx_http_govsvc_share_replace(job, log, &why);

    } else if (job->share == NGX_HTTP_GOVSVC_SHARE_FOUND) {
        ngx_http_govsvc_share_position(job);
        ngx_http_govsvc_share_all(job);

    } else if (job->share == NGX_HTTP_GOVSVC_SHARE_ASK) {

        /* read here, told in the event loop */

        (void) ngx_http_govsvc_own(w->own, log);
    }

    if (rc == GS_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "govsvc registry: what the store has is not taken: %s",
                      why.text);

        /* the document is half of this and half of that: read it again */

        gs_route_doc_free(&w->doc);
        w->ready = 0;
        w->fresh = 0;
        job->gap = 1;

    } else {
        if (job->share != NGX_HTTP_GOVSVC_SHARE_FOUND || job->stored) {
            ngx_http_govsvc_share_position(job);
        }

        w->stamp = ngx_govsvc_snapshot_stamp(&reg->snapshot);
    }

    ngx_govsvc_snapshot_unlock(fd);
}


static void
ngx_http_govsvc_share_position(ngx_http_govsvc_admin_job_t *job)
{
    gs_route_doc_t  *doc;

    doc = &job->conf->worker->doc;

    job->base.epoch = doc->epoch;
    job->base.revision = doc->revision;
    job->base.tip = doc->tip;
}


static void
ngx_http_govsvc_share_all(ngx_http_govsvc_admin_job_t *job)
{
    void            *iter;
    ngx_uint_t       kind;
    gs_route_doc_t  *doc;

    doc = &job->conf->worker->doc;
    job->pairs = ngx_array_create(job->pool, 64, sizeof(ngx_str_t));

    for (kind = 0; job->pairs != NULL && kind < GS_ROUTE_DOC_KINDS; kind++) {
        for (iter = json_object_iter(doc->api[kind]);
             iter != NULL;
             iter = json_object_iter_next(doc->api[kind], iter))
        {
            if (ngx_http_govsvc_share_pair(job, gs_route_doc_names[kind],
                                           json_object_iter_key(iter),
                                           json_object_iter_value(iter))
                != NGX_OK)
            {
                job->pairs = NULL;
                return;
            }
        }
    }
}


/* The store took what this job brought; the stream may have been faster. */

static gs_rc_t
ngx_http_govsvc_share_change(ngx_http_govsvc_admin_job_t *job, ngx_log_t *log,
    gs_err_t *err)
{
    gs_str_t         s;
    unsigned         broken;
    gs_route_doc_t  *doc;

    doc = &job->conf->worker->doc;

    if (job->share == NGX_HTTP_GOVSVC_SHARE_ACCEPT
        || doc->revision != job->base.revision
        || doc->epoch != job->base.epoch)
    {
        return GS_DECLINED;
    }

    if (job->share == NGX_HTTP_GOVSVC_SHARE_PUT) {
        s = gs_str_text(job->change);

        if (gs_route_share_apply(doc, &s, &broken, err) != GS_OK) {
            return GS_ERROR;
        }
    }

    doc->epoch = job->next.epoch;
    doc->revision = job->next.revision;
    doc->tip = job->next.tip;

    return ngx_http_govsvc_registry_store(job->conf->registry, doc, err, log);
}


static gs_rc_t
ngx_http_govsvc_share_entries(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log, gs_err_t *err)
{
    unsigned                        broken;
    ngx_uint_t                      n;
    ngx_queue_t                    *q;
    gs_route_doc_t                 *doc;
    ngx_http_govsvc_share_entry_t  *entry;

    doc = &job->conf->worker->doc;
    n = 0;

    for (q = ngx_queue_head(&job->entries);
         q != ngx_queue_sentinel(&job->entries);
         q = ngx_queue_next(q))
    {
        entry = ngx_queue_data(q, ngx_http_govsvc_share_entry_t, queue);

        if (entry->epoch != doc->epoch || entry->revision <= doc->revision) {
            continue;
        }

        if (entry->revision != doc->revision + 1) {
            job->gap = 1;
            break;
        }

        if (entry->prev != doc->tip) {
            job->forked = 1;
            break;
        }

        if (gs_route_share_apply(doc, &entry->text, &broken, err) != GS_OK) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "govsvc registry: change %uL is left out: %s",
                          entry->revision, err->text);

        } else if (broken != 0) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "govsvc registry: %ui broken objects of change %uL "
                          "are left out", broken, entry->revision);
        }

        doc->revision = entry->revision;
        doc->tip = entry->tip;
        n++;
    }

    if (n == 0) {
        return GS_DECLINED;
    }

    return ngx_http_govsvc_registry_store(job->conf->registry, doc, err, log);
}


static gs_rc_t
ngx_http_govsvc_share_replace(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log, gs_err_t *err)
{
    json_t          *maps[GS_ROUTE_DOC_KINDS];
    ngx_uint_t       i, failed;
    gs_route_doc_t  *doc;

    doc = &job->conf->worker->doc;

    if (job->next.revision <= doc->revision) {
        return GS_DECLINED;
    }

    ngx_memzero(maps, sizeof(maps));
    failed = 0;

    for (i = 0; i < GS_ROUTE_DOC_KINDS; i++) {
        maps[i] = json_object();
        failed |= (maps[i] == NULL);
    }

    failed = failed || ngx_http_govsvc_share_maps(job, maps);

    for (i = 0; i < GS_ROUTE_DOC_KINDS; i++) {
        if (failed) {
            json_decref(maps[i]);
            continue;
        }

        json_decref(doc->api[i]);
        doc->api[i] = maps[i];
    }

    if (failed) {
        return gs_err(err, "out of memory");
    }

    doc->epoch = job->next.epoch;
    doc->revision = job->next.revision;
    doc->tip = job->next.tip;

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "govsvc registry: all of revision %uL is read from the "
                  "store", doc->revision);

    __atomic_store_n(&job->conf->registry->sh->judged, 0, __ATOMIC_RELEASE);

    return ngx_http_govsvc_registry_store(job->conf->registry, doc, err, log);
}


static ngx_uint_t
ngx_http_govsvc_share_maps(ngx_http_govsvc_admin_job_t *job, json_t **maps)
{
    gs_rc_t      rc;
    gs_str_t     name, text;
    ngx_str_t   *pair;
    ngx_uint_t   i;

    pair = job->pairs->elts;

    for (i = 0; i + 1 < job->pairs->nelts; i += 2) {

        if (pair[i].len == 1 && pair[i].data[0] == '.') {
            continue;
        }

        name = ngx_govsvc_to_gs(&pair[i]);
        text = ngx_govsvc_to_gs(&pair[i + 1]);
        rc = gs_route_share_record(maps, &job->conf->worker->doc, &name,
                                   &text);

        if (rc == GS_ERROR) {
            return 1;
        }

        if (rc == GS_DECLINED) {
            ngx_log_error(NGX_LOG_ERR, job->conf->cycle->log, 0,
                          "govsvc registry: \"%V\" of the store is broken, "
                          "it stays as it was", &pair[i]);
        }
    }

    return 0;
}


void
ngx_http_govsvc_share_free(ngx_http_govsvc_admin_job_t *job)
{
    ngx_queue_t  *q;

    free(job->change);

    if (job->retry.timer_set) {
        ngx_del_timer(&job->retry);
    }

    while (!ngx_queue_empty(&job->entries)) {
        q = ngx_queue_head(&job->entries);
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is a ring */
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, ngx_http_govsvc_share_entry_t, queue));
    }
}
