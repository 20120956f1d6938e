
/*
 * Copyright (C) govsvc authors
 *
 * Redis: calls that have no node yet, while a worker starts or a connection
 * is made again.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


static void ngx_govsvc_redis_wait_arm(ngx_govsvc_redis_run_t *run);
static void ngx_govsvc_redis_wait_take(ngx_govsvc_redis_run_t *run,
    ngx_queue_t *calls);


/* Calls without a node; those that nobody takes in time end as DOWN. */

void
ngx_govsvc_redis_wait(ngx_govsvc_redis_run_t *run,
    ngx_govsvc_redis_call_t *call)
{
    ngx_queue_insert_tail(&run->waiting, &call->queue);
    ngx_govsvc_redis_wait_arm(run);
}


static void
ngx_govsvc_redis_wait_arm(ngx_govsvc_redis_run_t *run)
{
    ngx_queue_t              *q;
    ngx_msec_int_t            ms, least;
    ngx_govsvc_redis_call_t  *call;

    if (run->timer.timer_set) {
        ngx_del_timer(&run->timer);
    }

    if (ngx_queue_empty(&run->waiting)) {
        return;
    }

    least = NGX_MAX_INT_T_VALUE;

    for (q = ngx_queue_head(&run->waiting);
         q != ngx_queue_sentinel(&run->waiting);
         q = ngx_queue_next(q))
    {
        call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);
        ms = (ngx_msec_int_t) (call->deadline - ngx_current_msec);
        least = ngx_min(least, ms);
    }

    ngx_add_timer(&run->timer, (ngx_msec_t) ngx_max(least, 0));
}


void
ngx_govsvc_redis_wait_timer(ngx_event_t *ev)
{
    ngx_queue_t              *q, *next, expired;
    ngx_govsvc_redis_run_t   *run;
    ngx_govsvc_redis_call_t  *call;

    run = ev->data;

    ngx_queue_init(&expired);

    for (q = ngx_queue_head(&run->waiting);
         q != ngx_queue_sentinel(&run->waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);

        if ((ngx_msec_int_t) (call->deadline - ngx_current_msec) <= 0) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&expired, q);
        }
    }

    while (!ngx_queue_empty(&expired)) {
        q = ngx_queue_head(&expired);
        ngx_queue_remove(q);

        call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);
        ngx_govsvc_redis_finish(NULL, call, call->outcome, NULL);
    }

    ngx_govsvc_redis_wait_arm(run);
}


/* A node is there: who waited is sent, or waits on. */

void
ngx_govsvc_redis_wake(ngx_govsvc_redis_run_t *run)
{
    ngx_queue_t              *q, waiting;
    ngx_govsvc_redis_call_t  *call;
    ngx_govsvc_redis_node_t  *node;

    ngx_govsvc_redis_wait_take(run, &waiting);

    while (!ngx_queue_empty(&waiting)) {
        q = ngx_queue_head(&waiting);
        ngx_queue_remove(q);

        call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);
        node = ngx_govsvc_redis_node_of(run, call->slot);

        if (node == NULL
            || ngx_govsvc_redis_route(run, call, node) != NGX_GOVSVC_REDIS_OK)
        {
            ngx_govsvc_redis_wait(run, call);
        }
    }

    ngx_govsvc_redis_wait_arm(run);
}


void
ngx_govsvc_redis_refuse_waiting(ngx_govsvc_redis_run_t *run)
{
    ngx_queue_t              *q, waiting;
    ngx_govsvc_redis_call_t  *call;

    ngx_govsvc_redis_wait_take(run, &waiting);

    while (!ngx_queue_empty(&waiting)) {
        q = ngx_queue_head(&waiting);
        ngx_queue_remove(q);

        call = ngx_queue_data(q, ngx_govsvc_redis_call_t, queue);
        ngx_govsvc_redis_finish(NULL, call, call->outcome, NULL);
    }

    ngx_govsvc_redis_wait_arm(run);
}


/* All of them: what is called for one may have another one wait. */

static void
ngx_govsvc_redis_wait_take(ngx_govsvc_redis_run_t *run, ngx_queue_t *calls)
{
    ngx_queue_init(calls);

    if (!ngx_queue_empty(&run->waiting)) {
        ngx_queue_add(calls, &run->waiting);
        ngx_queue_init(&run->waiting);
    }
}
