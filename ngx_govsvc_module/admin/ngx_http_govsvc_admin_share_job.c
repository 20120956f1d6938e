
/*
 * Copyright (C) govsvc authors
 *
 * Objects that nodes share: jobs that come back to the queue, and what they
 * ask of Redis or tell it beside the flow.
 */


#include "admin/ngx_http_govsvc_admin.h"


#define NGX_HTTP_GOVSVC_SHARE_WAIT     2000    /* ms */


static void ngx_http_govsvc_share_repost(ngx_http_govsvc_admin_job_t *job);
static void ngx_http_govsvc_share_listed(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);


/* Another node was faster: the whole call, with what it has brought. */

void
ngx_http_govsvc_share_retry(ngx_event_t *ev)
{
    ngx_http_govsvc_admin_job_t *job = ev->data;

    gs_admin_reply_free(&job->reply);
    ngx_memzero(&job->reply, sizeof(gs_admin_reply_t));
    free(job->text);
    free(job->change);

    job->text = NULL;
    job->change = NULL;
    job->pairs = NULL;
    job->beats = NULL;
    job->share = NGX_HTTP_GOVSVC_SHARE_NONE;

    ngx_http_govsvc_share_repost(job);
}


static void
ngx_http_govsvc_share_repost(ngx_http_govsvc_admin_job_t *job)
{
    if (ngx_http_govsvc_admin_post(job) == NGX_OK) {
        return;
    }

    if (job->request != NULL) {
        job->reply.retry_after = 1;
        ngx_http_govsvc_admin_refuse(job, 503, "BUSY");
        ngx_http_govsvc_admin_answer(job);
    }

    ngx_http_govsvc_admin_free(job);
}


/* Nobody waits for it: the next heartbeat comes. */

void
ngx_http_govsvc_share_tell(ngx_http_govsvc_admin_job_t *job)
{
    ngx_str_t               argv[4], *pair;
    ngx_uint_t              i;
    ngx_govsvc_redis_t     *rd;
    ngx_govsvc_redis_cmd_t  cmd;

    rd = job->conf->registry->redis;
    pair = job->beats->elts;

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));
    ngx_str_set(&argv[0], "HSET");

    if (ngx_http_govsvc_share_key(rd, job->pool, "beats", 0, &argv[1])
        != NGX_OK)
    {
        return;
    }

    for (i = 0; i + 1 < job->beats->nelts; i += 2) {
        argv[2] = pair[i];
        argv[3] = pair[i + 1];
        cmd.argv = argv;
        cmd.argc = 4;
        cmd.key = 1;
        (void) ngx_govsvc_redis_send(rd, &cmd, NULL);
    }

    job->beats = NULL;
}


ngx_int_t
ngx_http_govsvc_share_post(ngx_http_govsvc_admin_job_t *job)
{
    ngx_str_t               argv[2];
    ngx_govsvc_redis_t     *rd;
    ngx_govsvc_redis_cmd_t  cmd;

    rd = job->conf->registry->redis;

    if (job->conf->worker->share == NULL
        || !gs_str_eq_text(&job->q.path, GS_ADMIN_PREFIX "nodes"))
    {
        return ngx_http_govsvc_admin_post(job);
    }

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));
    ngx_str_set(&argv[0], "HGETALL");
    cmd.argv = argv;
    cmd.argc = 2;
    cmd.key = 1;
    cmd.timeout = NGX_HTTP_GOVSVC_SHARE_WAIT;
    cmd.handler = ngx_http_govsvc_share_listed;
    cmd.data = job;

    if (ngx_http_govsvc_share_key(rd, job->pool, "nodes", 0, &argv[1])
        == NGX_OK
        && ngx_govsvc_redis_send(rd, &cmd, NULL) == NGX_GOVSVC_REDIS_OK)
    {
        return NGX_OK;
    }

    return ngx_http_govsvc_admin_post(job);
}


static void
ngx_http_govsvc_share_listed(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_admin_job_t *job = data;

    if (job->request == NULL) {
        ngx_http_govsvc_admin_free(job);
        return;
    }

    job->nodes = ngx_array_create(job->pool, 8, sizeof(ngx_str_t));

    if (status != NGX_GOVSVC_REDIS_OK || job->nodes == NULL
        || ngx_http_govsvc_share_texts(job->nodes, reply) != NGX_OK)
    {
        job->nodes = NULL;
    }

    ngx_http_govsvc_share_repost(job);
}
