
/*
 * Copyright (C) govsvc authors
 *
 * Threads for work that takes long: those of Nginx, and our own.
 */


#ifndef _NGX_GOVSVC_THREAD_H_INCLUDED_
#define _NGX_GOVSVC_THREAD_H_INCLUDED_


#include "ngx/ngx_govsvc.h"

#include <pthread.h>

#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif


/*
 * A thread in which no signal is handled: those are for the event loop.  attr
 * may be NULL.  An error number of pthread_create(), 0: it runs.
 */
int ngx_govsvc_thread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *data), void *data);

/*
 * What a thread sleeps on, its end by the monotonic clock.  NGX_ERROR is not
 * logged.
 */
ngx_int_t ngx_govsvc_thread_cond(pthread_mutex_t *mutex,
    pthread_cond_t *cond);

/* msec from now, as pthread_cond_timedwait() takes it for such a cond. */
void ngx_govsvc_thread_until(struct timespec *ts, uint64_t msec);


#if (NGX_THREADS)


/*
 * At configuration: the pool of that name, of one thread unless the operator
 * made it.  What runs there runs one after another and has its memory in one
 * heap, which is not that of the event loop: malloc() of the two do not wait
 * for one another.  name is a constant.  NULL is logged.
 */
ngx_thread_pool_t *ngx_govsvc_thread(ngx_conf_t *cf, ngx_str_t *name);

#endif


#endif /* _NGX_GOVSVC_THREAD_H_INCLUDED_ */
