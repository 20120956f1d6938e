
/*
 * Copyright (C) govsvc authors
 *
 * Names of instances, the part in the thread: answers and proofs are judged
 * by the objects as they are, the file is written, the table made current.
 */


#include "admin/ngx_http_govsvc_admin_named.h"


static void ngx_http_govsvc_named_take(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log);
static ngx_uint_t ngx_http_govsvc_named_judge(
    ngx_http_govsvc_admin_job_t *job, gs_admin_t *a, ngx_log_t *log);
static gs_rc_t ngx_http_govsvc_named_row(void *ctx,
    const gs_admin_named_t *one);
static gs_rc_t ngx_http_govsvc_named_waits(ngx_http_govsvc_admin_job_t *job,
    const gs_admin_named_t *one, const json_t *item);
static void ngx_http_govsvc_named_refused(void *ctx, const char *id,
    const char *name, const char *address, const char *why);
static u_char *ngx_http_govsvc_named_copy(ngx_pool_t *pool, const char *text);


void
ngx_http_govsvc_named_run(ngx_http_govsvc_admin_job_t *job, ngx_log_t *log)
{
    ngx_fd_t                         fd;
    ngx_err_t                        err;
    ngx_http_govsvc_registry_t      *reg;
    ngx_http_govsvc_admin_worker_t  *w;

    w = job->conf->worker;
    reg = job->conf->registry;

    fd = ngx_govsvc_snapshot_lock(&reg->snapshot, 0, &err);

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    ngx_http_govsvc_admin_refresh(job, log);

    if (!w->behind) {
        ngx_http_govsvc_named_take(job, log);
    }

    ngx_govsvc_snapshot_unlock(fd);
}


static void
ngx_http_govsvc_named_take(ngx_http_govsvc_admin_job_t *job, ngx_log_t *log)
{
    gs_rc_t                          rc;
    gs_err_t                         why;
    gs_admin_t                       a;
    ngx_uint_t                       changed;
    gs_route_doc_t                  *doc;
    gs_admin_host_t                  host;
    ngx_http_govsvc_named_job_t     *nj;
    ngx_http_govsvc_admin_worker_t  *w;

    nj = job->named;
    w = job->conf->worker;
    doc = &w->doc;

    ngx_http_govsvc_admin_engine(job, &a, &host);

    changed = ngx_http_govsvc_named_judge(job, &a, log) || nj->force;
    rc = GS_OK;

    /* what the server of before or after an upgrade found holds here, too */

    if (changed || doc->hosts_stamp != w->hosts) {
        ngx_memzero(&why, sizeof(gs_err_t));
        rc = ngx_http_govsvc_hosts_store(job->conf->registry, doc, changed,
                                         &why, log);

        if (rc == GS_OK) {
            w->hosts = doc->hosts_stamp;
        }

        if (rc == GS_ERROR) {
            ngx_log_error(NGX_LOG_ERR, log, 0, "govsvc hosts: %s", why.text);

            /* what is in the file is what holds */

            doc->hosts_stamp = 0;

            if (ngx_http_govsvc_hosts_load(job->conf->registry, doc, log)
                != NGX_OK)
            {
                (void) json_object_clear(doc->hosts);
            }
        }
    }

    nj->dirty = (rc != GS_OK);
    nj->done = gs_admin_named_each(&a, ngx_http_govsvc_named_row, job)
               == GS_OK;
}


static ngx_uint_t
ngx_http_govsvc_named_judge(ngx_http_govsvc_admin_job_t *job, gs_admin_t *a,
    ngx_log_t *log)
{
    gs_rc_t                          rc;
    ngx_uint_t                       i, changed, failed;
    gs_admin_answer_t                answer;
    ngx_http_govsvc_named_job_t     *nj;
    ngx_http_govsvc_admin_probe_t   *probe;
    ngx_http_govsvc_named_answer_t  *got;

    nj = job->named;
    got = nj->answers.elts;
    probe = nj->shown.elts;
    changed = 0;
    failed = 0;

    for (i = 0; i < nj->answers.nelts; i++) {
        ngx_memzero(&answer, sizeof(gs_admin_answer_t));
        answer.id = (char *) got[i].id;
        answer.name = (char *) got[i].name;
        answer.port = (unsigned) got[i].port;
        answer.error = got[i].error;
        answer.nets = got[i].nets;
        answer.n = (unsigned) got[i].n;

        rc = gs_admin_answered(a, &answer, job->q.now,
                               ngx_http_govsvc_named_refused, job);
        changed |= (rc == GS_OK);
        failed |= (rc == GS_ERROR);
    }

    for (i = 0; i < nj->shown.nelts; i++) {
        rc = gs_admin_shown(a, (char *) probe[i].id,
                            (char *) probe[i].address,
                            (char *) probe[i].nonce, job->q.now);
        changed |= (rc == GS_OK);
        failed |= (rc == GS_ERROR);
    }

    rc = gs_admin_named_review(a, job->q.now);
    changed |= (rc == GS_OK);
    failed |= (rc == GS_ERROR);

    if (failed) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "govsvc hosts: no memory");
    }

    return changed;
}


static gs_rc_t
ngx_http_govsvc_named_row(void *ctx, const gs_admin_named_t *one)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    size_t                        i;
    gs_str_t                      state;
    const json_t                 *list, *item;
    ngx_http_govsvc_named_row_t  *row;

    row = ngx_array_push(&job->named->rows);
    if (row == NULL) {
        return GS_ERROR;
    }

    ngx_memzero(row, sizeof(ngx_http_govsvc_named_row_t));
    row->id.len = ngx_strlen(one->id);
    row->id.data = ngx_http_govsvc_named_copy(job->pool, one->id);
    row->name.len = ngx_strlen(one->name);
    row->name.data = ngx_http_govsvc_named_copy(job->pool, one->name);
    row->port = one->port;
    row->barred = (one->bar != NULL);
    row->stale = json_object_get(one->entry, "error") != NULL;

    if (row->id.data == NULL || row->name.data == NULL) {
        return GS_ERROR;
    }

    list = json_object_get(one->entry, "addresses");

    for (i = 0; i < json_array_size(list); i++) {
        item = json_array_get(list, i);
        state = gs_str_text(json_string_value(json_object_get(item,
                                                              "state")));
        row->up += gs_str_eq_text(&state, "up");

        if (gs_str_eq_text(&state, "proving") && one->proof != NULL
            && ngx_http_govsvc_named_waits(job, one, item) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


/* The URL has the name, for who answers by it; the address is asked. */

static gs_rc_t
ngx_http_govsvc_named_waits(ngx_http_govsvc_admin_job_t *job,
    const gs_admin_named_t *one, const json_t *item)
{
    json_t                         *pool, *record;
    gs_str_t                        s;
    ngx_uint_t                      tls;
    const char                     *address;
    ngx_http_govsvc_admin_probe_t  *probe;

    address = json_string_value(json_object_get(item, "address"));
    s = gs_str_text(address);

    probe = ngx_array_push(&job->named->proving);
    if (probe == NULL) {
        return GS_ERROR;
    }

    ngx_memzero(probe, sizeof(ngx_http_govsvc_admin_probe_t));

    if (gs_net_parse(&probe->net, &s) != GS_OK
        || s.len >= sizeof(probe->address)
        || strlen(one->id) >= sizeof(probe->id)
        || strlen(one->proof) >= sizeof(probe->nonce)
        || one->pool == NULL || strlen(one->pool) >= sizeof(probe->tls))
    {
        job->named->proving.nelts--;
        return GS_OK;
    }

    pool = gs_route_doc_find(&job->conf->worker->doc, GS_ROUTE_DOC_POOLS,
                             one->pool, &record);
    tls = pool == NULL || json_object_get(pool, "tls") != NULL;

    probe->named = 1;
    ngx_memcpy(probe->id, one->id, strlen(one->id));
    ngx_memcpy(probe->nonce, one->proof, strlen(one->proof));
    ngx_memcpy(probe->address, address, s.len);

    if (tls) {
        ngx_memcpy(probe->tls, one->pool, strlen(one->pool));
    }

    *ngx_snprintf(probe->url, sizeof(probe->url) - 1,
                  "%s://%s:%ud/.well-known/govsvc/%s",
                  tls ? "https" : "http", one->name, one->port, one->proof)
        = '\0';

    return GS_OK;
}


static void
ngx_http_govsvc_named_refused(void *ctx, const char *id, const char *name,
    const char *address, const char *why)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    ngx_http_govsvc_named_refused_t  *one;

    ngx_log_error(NGX_LOG_CRIT, job->conf->cycle->log, 0,
                  "govsvc hosts: name \"%s\" of instance \"%s\" was answered "
                  "with %s, which is refused: %s", name, id, address, why);

    one = ngx_array_push(&job->named->refused);
    if (one == NULL) {
        return;
    }

    one->id = ngx_http_govsvc_named_copy(job->pool, id);
    one->name = ngx_http_govsvc_named_copy(job->pool, name);
    one->address = ngx_http_govsvc_named_copy(job->pool, address);
    one->why = why;

    if (one->id == NULL || one->name == NULL || one->address == NULL) {
        job->named->refused.nelts--;
    }
}


static u_char *
ngx_http_govsvc_named_copy(ngx_pool_t *pool, const char *text)
{
    u_char  *p;

    p = ngx_pnalloc(pool, strlen(text) + 1);

    if (p != NULL) {
        ngx_memcpy(p, text, strlen(text) + 1);
    }

    return p;
}
