
/*
 * Copyright (C) govsvc authors
 *
 * Names of instances, the part in the event loop of the worker that leads:
 * questions to name servers, requests for proofs, alarms.  Without a leader
 * the addresses that were found last stand.
 */


#include "admin/ngx_http_govsvc_admin_named.h"
#include "http/ngx_http_govsvc_event.h"


#define NGX_HTTP_GOVSVC_NAMED_TICK   500   /* ms */
#define NGX_HTTP_GOVSVC_NAMED_AGAIN  5000  /* ms, between proofs */


static void ngx_http_govsvc_named_end(ngx_http_govsvc_named_t *h);
static void ngx_http_govsvc_named_timer(ngx_event_t *ev);
static void ngx_http_govsvc_named_ask(ngx_http_govsvc_named_t *h);
static void ngx_http_govsvc_named_answered(ngx_resolver_ctx_t *ctx);
static void ngx_http_govsvc_named_told(ngx_http_govsvc_named_entry_t *e,
    const char *error);
static void ngx_http_govsvc_named_post(ngx_http_govsvc_named_t *h);
static ngx_int_t ngx_http_govsvc_named_fill(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_admin_job_t *job);
static ngx_http_govsvc_named_entry_t *ngx_http_govsvc_named_find(
    ngx_http_govsvc_named_t *h, ngx_str_t *id);
static void ngx_http_govsvc_named_sync(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_named_job_t *nj);
static void ngx_http_govsvc_named_add(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_named_row_t *row);
static void ngx_http_govsvc_named_drop(ngx_http_govsvc_named_entry_t *e);
static void ngx_http_govsvc_named_prove(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_named_job_t *nj);
static void ngx_http_govsvc_named_alarm(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_named_refused_t *one);
static void ngx_http_govsvc_named_count(ngx_http_govsvc_named_t *h,
    const char *name, uint64_t n, ngx_uint_t set);


void
ngx_http_govsvc_named_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_named_t *h = data;

    if (!leads) {
        ngx_http_govsvc_named_end(h);
        return;
    }

    if (h->conf->worker == NULL) {
        return;
    }

    ngx_rbtree_init(&h->tree, &h->sentinel, ngx_str_rbtree_insert_value);
    ngx_queue_init(&h->entries);

    h->leads = 1;
    h->flying = 0;
    h->busy = 0;

    /* who led before may have been killed between the file and the table */

    h->dirty = 1;

    h->dummy.fd = (ngx_socket_t) -1;
    h->dummy.data = h;
    h->timer.handler = ngx_http_govsvc_named_timer;
    h->timer.data = &h->dummy;
    h->timer.log = ngx_cycle->log;
    h->timer.cancelable = 1;

    ngx_add_timer(&h->timer, 1);
}


static void
ngx_http_govsvc_named_end(ngx_http_govsvc_named_t *h)
{
    ngx_queue_t  *q, *next;

    if (!h->leads) {
        return;
    }

    if (h->timer.timer_set) {
        ngx_del_timer(&h->timer);
    }

    for (q = ngx_queue_head(&h->entries);
         q != ngx_queue_sentinel(&h->entries);
         q = next)
    {
        next = ngx_queue_next(q);
        ngx_http_govsvc_named_drop(
            ngx_queue_data(q, ngx_http_govsvc_named_entry_t, queue));
    }

    h->leads = 0;
}


static void
ngx_http_govsvc_named_timer(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_govsvc_named_t  *h;

    c = ev->data;
    h = c->data;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    ngx_add_timer(ev, NGX_HTTP_GOVSVC_NAMED_TICK);

    ngx_http_govsvc_named_ask(h);
    ngx_http_govsvc_named_post(h);
}


static void
ngx_http_govsvc_named_ask(ngx_http_govsvc_named_t *h)
{
    ngx_queue_t                    *q, *next;
    ngx_resolver_ctx_t             *ctx;
    ngx_http_govsvc_named_entry_t  *e;

    for (q = ngx_queue_head(&h->entries);
         q != ngx_queue_sentinel(&h->entries)
         && h->flying < NGX_HTTP_GOVSVC_NAMED_FLYING;
         q = next)
    {
        next = ngx_queue_next(q);
        e = ngx_queue_data(q, ngx_http_govsvc_named_entry_t, queue);

        if (e->ctx != NULL || e->ready
            || (ngx_msec_int_t) (e->due - ngx_current_msec) > 0)
        {
            continue;
        }

        ctx = ngx_resolve_start(h->resolver, NULL);

        if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
            ngx_http_govsvc_named_told(e, "no resolver");
            continue;
        }

        ctx->name.data = e->name;
        ctx->name.len = ngx_strlen(e->name);
        ctx->handler = ngx_http_govsvc_named_answered;
        ctx->data = e;
        ctx->timeout = h->timeout;
        ctx->cancelable = 1;

        e->ctx = ctx;
        h->flying++;

        if (ngx_resolve_name(ctx) != NGX_OK) {

            /* the resolver has freed it */

            e->ctx = NULL;
            h->flying--;
            ngx_http_govsvc_named_told(e, "the resolver failed");
        }
    }
}


static void
ngx_http_govsvc_named_answered(ngx_resolver_ctx_t *ctx)
{
    time_t                          ttl;
    ngx_uint_t                      i;
    const char                     *error;
    ngx_http_govsvc_named_entry_t  *e;

    e = ctx->data;
    error = NULL;
    e->n = 0;

    if (ctx->state != 0) {
        error = ngx_resolver_strerror(ctx->state);

    } else {
        ttl = ctx->valid - ngx_time();
        e->ttl = ngx_max(ttl, 0);

        for (i = 0; i < ctx->naddrs && e->n < NGX_HTTP_GOVSVC_NAMED_ANSWER;
             i++)
        {
            if (gs_net_sockaddr(&e->nets[e->n], ctx->addrs[i].sockaddr,
                                ctx->addrs[i].socklen)
                == GS_OK)
            {
                e->n++;
            }
        }

        if (e->n == 0) {
            error = "no addresses";
        }
    }

    e->ctx = NULL;
    e->named->flying--;
    ngx_resolve_name_done(ctx);

    ngx_http_govsvc_named_told(e, error);
}


/* When it is asked again: never all at once, never for ever nor without end. */

static void
ngx_http_govsvc_named_told(ngx_http_govsvc_named_entry_t *e,
    const char *error)
{
    ngx_msec_t                wait;
    ngx_http_govsvc_named_t  *h;

    h = e->named;

    if (error == NULL) {
        wait = (ngx_msec_t) ngx_min(e->ttl, 86400) * 1000;
        wait = ngx_max(ngx_min(wait, h->max), h->min);
        e->failures = 0;

    } else {
        wait = h->min << ngx_min(e->failures, 10);
        wait = ngx_min(wait, h->max);
        e->failures++;
    }

    e->due = ngx_current_msec + wait
             + (ngx_msec_t) ngx_random() % (wait / 10 + 1);
    e->error = error;
    e->ready = 1;

    ngx_http_govsvc_named_count(h, error == NULL ? "good" : "failed", 1, 0);
}


static void
ngx_http_govsvc_named_post(ngx_http_govsvc_named_t *h)
{
    ngx_http_govsvc_admin_job_t  *job;

    if (h->busy || !ngx_govsvc_lead_mine(h->lead)) {
        return;
    }

    job = ngx_http_govsvc_admin_own_job(h->conf);

    if (job == NULL || ngx_http_govsvc_named_fill(h, job) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, h->timer.log, 0,
                      "govsvc hosts: no memory");

        if (job != NULL) {
            ngx_http_govsvc_admin_free(job);
        }

        return;
    }

    if (ngx_http_govsvc_admin_post(job) != NGX_OK) {
        ngx_http_govsvc_admin_free(job);
        return;
    }

    h->busy = 1;
}


static ngx_int_t
ngx_http_govsvc_named_fill(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_admin_job_t *job)
{
    ngx_uint_t                       i;
    ngx_queue_t                     *q;
    ngx_http_govsvc_named_job_t     *nj;
    ngx_http_govsvc_admin_probe_t   *probe;
    ngx_http_govsvc_named_entry_t   *e;
    ngx_http_govsvc_named_answer_t  *answer;

    nj = ngx_pcalloc(job->pool, sizeof(ngx_http_govsvc_named_job_t));

    if (nj == NULL
        || ngx_array_init(&nj->answers, job->pool, 4,
                          sizeof(ngx_http_govsvc_named_answer_t)) != NGX_OK
        || ngx_array_init(&nj->shown, job->pool, 1,
                          sizeof(ngx_http_govsvc_admin_probe_t)) != NGX_OK
        || ngx_array_init(&nj->rows, job->pool, 16,
                          sizeof(ngx_http_govsvc_named_row_t)) != NGX_OK
        || ngx_array_init(&nj->proving, job->pool, 1,
                          sizeof(ngx_http_govsvc_admin_probe_t)) != NGX_OK
        || ngx_array_init(&nj->refused, job->pool, 1,
                          sizeof(ngx_http_govsvc_named_refused_t)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    job->named = nj;
    nj->force = h->dirty;

    for (q = ngx_queue_head(&h->entries);
         q != ngx_queue_sentinel(&h->entries);
         q = ngx_queue_next(q))
    {
        e = ngx_queue_data(q, ngx_http_govsvc_named_entry_t, queue);

        for (i = 0; i < e->nshown; i++) {
            probe = ngx_array_push(&nj->shown);
            if (probe == NULL) {
                return NGX_ERROR;
            }

            *probe = e->shown[i];
        }

        if (!e->ready) {
            continue;
        }

        answer = ngx_array_push(&nj->answers);
        if (answer == NULL) {
            return NGX_ERROR;
        }

        answer->id = ngx_pnalloc(job->pool, sizeof(e->id));
        answer->name = ngx_pnalloc(job->pool, sizeof(e->name));
        answer->nets = ngx_palloc(job->pool, sizeof(e->nets));

        if (answer->id == NULL || answer->name == NULL
            || answer->nets == NULL)
        {
            return NGX_ERROR;
        }

        ngx_memcpy(answer->id, e->id, sizeof(e->id));
        ngx_memcpy(answer->name, e->name, sizeof(e->name));
        ngx_memcpy(answer->nets, e->nets, sizeof(e->nets));
        answer->port = e->port;
        answer->error = e->error;
        answer->n = e->n;
    }

    return NGX_OK;
}


void
ngx_http_govsvc_named_done(ngx_http_govsvc_admin_job_t *job)
{
    ngx_uint_t                        i;
    ngx_http_govsvc_named_t          *h;
    ngx_http_govsvc_named_job_t      *nj;
    ngx_http_govsvc_named_refused_t  *refused;

    h = job->conf->named;
    nj = job->named;
    h->busy = 0;

    /* nobody leads here any more; or the lock was another's */

    if (!h->leads || !nj->done) {
        return;
    }

    h->dirty = nj->dirty;

    ngx_http_govsvc_named_sync(h, nj);
    ngx_http_govsvc_named_prove(h, nj);

    refused = nj->refused.elts;

    for (i = 0; i < nj->refused.nelts; i++) {
        ngx_http_govsvc_named_alarm(h, &refused[i]);
    }
}


static ngx_http_govsvc_named_entry_t *
ngx_http_govsvc_named_find(ngx_http_govsvc_named_t *h, ngx_str_t *id)
{
    return (ngx_http_govsvc_named_entry_t *)
           ngx_str_rbtree_lookup(&h->tree, id,
                                 ngx_crc32_short(id->data, id->len));
}


static void
ngx_http_govsvc_named_sync(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_named_job_t *nj)
{
    uint64_t                        *word, unresolved, stale;
    ngx_str_t                        id;
    ngx_uint_t                       i;
    ngx_queue_t                     *q, *next;
    ngx_http_govsvc_named_row_t     *row;
    ngx_http_govsvc_named_entry_t   *e;
    ngx_http_govsvc_named_answer_t  *answer;

    answer = nj->answers.elts;

    for (i = 0; i < nj->answers.nelts; i++) {
        id.data = answer[i].id;
        id.len = ngx_strlen(id.data);
        e = ngx_http_govsvc_named_find(h, &id);

        if (e == NULL) {
            continue;
        }

        e->ready = 0;
        word = ngx_http_govsvc_registry_word(h->conf->registry, "answered",
                                             (char *) e->id);

        if (e->error == NULL && word != NULL) {
            __atomic_store_n(word, ngx_govsvc_wall_us(), __ATOMIC_RELAXED);
        }

        word = ngx_http_govsvc_registry_word(h->conf->registry, "valid",
                                             (char *) e->id);

        if (e->error == NULL && word != NULL) {
            __atomic_store_n(word, (uint64_t) e->ttl, __ATOMIC_RELAXED);
        }
    }

    h->mark++;
    unresolved = 0;
    stale = 0;
    row = nj->rows.elts;

    for (i = 0; i < nj->rows.nelts; i++) {
        unresolved += (row[i].up == 0);
        stale += (row[i].up != 0 && row[i].stale);

        if (!row[i].barred) {
            ngx_http_govsvc_named_add(h, &row[i]);
        }
    }

    for (q = ngx_queue_head(&h->entries);
         q != ngx_queue_sentinel(&h->entries);
         q = next)
    {
        next = ngx_queue_next(q);
        e = ngx_queue_data(q, ngx_http_govsvc_named_entry_t, queue);

        if (e->mark != h->mark) {
            ngx_http_govsvc_named_drop(e);
        }
    }

    ngx_http_govsvc_named_count(h, "unresolved", unresolved, 1);
    ngx_http_govsvc_named_count(h, "stale", stale, 1);
    ngx_http_govsvc_named_count(h, "fresh",
                                nj->rows.nelts - unresolved - stale, 1);
}


static void
ngx_http_govsvc_named_add(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_named_row_t *row)
{
    ngx_http_govsvc_named_entry_t  *e;

    e = ngx_http_govsvc_named_find(h, &row->id);

    if (e != NULL
        && (e->port != row->port
            || ngx_strcmp(e->name, row->name.data) != 0))
    {
        ngx_http_govsvc_named_drop(e);
        e = NULL;
    }

    if (e != NULL) {
        e->mark = h->mark;
        e->nshown = 0;
        return;
    }

    if (row->id.len > GS_ADMIN_ID || row->name.len > GS_HOST_LEN) {
        return;
    }

    e = ngx_calloc(sizeof(ngx_http_govsvc_named_entry_t), h->timer.log);
    if (e == NULL) {
        return;
    }

    ngx_memcpy(e->id, row->id.data, row->id.len);
    ngx_memcpy(e->name, row->name.data, row->name.len);

    e->named = h;
    e->port = row->port;
    e->mark = h->mark;
    e->due = ngx_current_msec;
    e->asked = ngx_current_msec - NGX_HTTP_GOVSVC_NAMED_AGAIN;
    e->node.str.data = e->id;
    e->node.str.len = row->id.len;
    e->node.node.key = ngx_crc32_short(e->id, row->id.len);

    ngx_rbtree_insert(&h->tree, &e->node.node);
    ngx_queue_insert_tail(&h->entries, &e->queue);
}


static void
ngx_http_govsvc_named_drop(ngx_http_govsvc_named_entry_t *e)
{
    if (e->ctx != NULL) {
        ngx_resolve_name_done(e->ctx);
        e->named->flying--;
    }

    ngx_rbtree_delete(&e->named->tree, &e->node.node);
    ngx_queue_remove(&e->queue);
    ngx_free(e);
}


/* All addresses of a name that wait, then none of it for a while. */

static void
ngx_http_govsvc_named_prove(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_named_job_t *nj)
{
    ngx_str_t                       id;
    ngx_uint_t                      i;
    ngx_http_govsvc_admin_probe_t  *probe;
    ngx_http_govsvc_named_entry_t  *e, *last;

    probe = nj->proving.elts;
    last = NULL;

    for (i = 0; i < nj->proving.nelts; i++) {
        id.data = probe[i].id;
        id.len = ngx_strlen(probe[i].id);
        e = ngx_http_govsvc_named_find(h, &id);

        if (e == NULL
            || (e != last && (ngx_msec_int_t) (ngx_current_msec - e->asked)
                             < NGX_HTTP_GOVSVC_NAMED_AGAIN))
        {
            continue;
        }

        e->asked = ngx_current_msec;
        last = e;

        if (ngx_http_govsvc_admin_ask_one(h->conf, &probe[i]) != NGX_OK) {
            ngx_log_error(NGX_LOG_ERR, h->timer.log, 0,
                          "govsvc hosts: cannot ask \"%s\" at %s for its "
                          "proof", probe[i].id, probe[i].address);
        }
    }
}


void
ngx_http_govsvc_named_proved(ngx_http_govsvc_admin_main_conf_t *amcf,
    const ngx_http_govsvc_admin_probe_t *probe)
{
    ngx_str_t                       id;
    ngx_http_govsvc_named_t        *h;
    ngx_http_govsvc_named_entry_t  *e;

    h = amcf->named;

    if (h == NULL || !h->leads) {
        return;
    }

    id.data = (u_char *) probe->id;
    id.len = ngx_strlen(probe->id);
    e = ngx_http_govsvc_named_find(h, &id);

    /* with no room it is asked again */

    if (e != NULL && e->nshown < NGX_HTTP_GOVSVC_ADMIN_PROBES) {
        e->shown[e->nshown++] = *probe;
    }
}


/* Somebody answers for a province with what is none of its business. */

static void
ngx_http_govsvc_named_alarm(ngx_http_govsvc_named_t *h,
    ngx_http_govsvc_named_refused_t *one)
{
    u_char            peer[GS_ADMIN_ID + GS_NET_TEXT + 2], *last;
    gs_str_t          kind;
    gs_audit_event_t  ev;

    ngx_http_govsvc_named_count(h, "refused", 1, 0);

    ngx_memzero(&ev, sizeof(gs_audit_event_t));

    kind = gs_str_text("ssrf");
    ev.attack = gs_audit_attack(&kind);
    ev.severity = ev.attack->severity;
    last = ngx_snprintf(peer, sizeof(peer), "%s@%s", one->id, one->address);
    ev.host = gs_str_text((char *) one->name);
    ev.key = gs_str_make(peer, (size_t) (last - peer));
    ev.code = gs_str_text("ADDRESS_DENIED");
    ev.action = GS_AUDIT_EVENT_BLOCK;
    ev.hits = 1;

    ngx_http_govsvc_event_write(&ev);
}


static void
ngx_http_govsvc_named_count(ngx_http_govsvc_named_t *h, const char *name,
    uint64_t n, ngx_uint_t set)
{
    uint64_t  *word;

    word = ngx_http_govsvc_registry_word(h->conf->registry, "hosts", name);

    if (word == NULL) {
        return;
    }

    if (set) {
        __atomic_store_n(word, n, __ATOMIC_RELAXED);

    } else {
        (void) __atomic_fetch_add(word, n, __ATOMIC_RELAXED);
    }
}


gs_rc_t
ngx_http_govsvc_named_times(void *ctx, const char *instance, json_t *shown)
{
    ngx_http_govsvc_admin_job_t *job = ctx;

    uint64_t  *word, at;

    word = ngx_http_govsvc_registry_word(job->conf->registry, "answered",
                                         instance);
    at = (word != NULL) ? __atomic_load_n(word, __ATOMIC_RELAXED) : 0;

    if (at == 0) {
        return GS_OK;
    }

    word = ngx_http_govsvc_registry_word(job->conf->registry, "valid",
                                         instance);

    return (word != NULL
            && json_object_set_new(shown, "answered",
                                   json_integer((json_int_t) at)) == 0
            && json_object_set_new(shown, "ttl",
                                   json_integer((json_int_t)
                                       __atomic_load_n(word,
                                                   __ATOMIC_RELAXED))) == 0)
           ? GS_OK : GS_ERROR;
}
