
/*
 * Copyright (C) govsvc authors
 *
 * Threads for work that takes long: those of Nginx, and our own.
 */


#include "ngx/ngx_govsvc_thread.h"

#include <signal.h>


#if (NGX_THREADS)

extern ngx_module_t  ngx_thread_pool_module;


/*
 * A pool other than "default" has to be configured, so this is what
 * "thread_pool NAME threads=1;" does.
 */

ngx_thread_pool_t *
ngx_govsvc_thread(ngx_conf_t *cf, ngx_str_t *name)
{
    void           *conf;
    ngx_str_t       value[3];
    ngx_array_t     args, *saved;
    ngx_command_t  *cmd;

    if (ngx_thread_pool_get(cf->cycle, name) == NULL) {

        ngx_str_set(&value[0], "thread_pool");
        value[1] = *name;
        ngx_str_set(&value[2], "threads=1");

        ngx_memzero(&args, sizeof(ngx_array_t));
        args.elts = value;
        args.nelts = 3;

        cmd = ngx_thread_pool_module.commands;
        conf = ngx_get_conf(cf->cycle->conf_ctx, ngx_thread_pool_module);

        saved = cf->args;
        cf->args = &args;

        if (cmd->set(cf, cmd, conf) != NGX_CONF_OK) {
            cf->args = saved;
            return NULL;
        }

        cf->args = saved;
    }

    return ngx_thread_pool_add(cf, name);
}

#endif


int
ngx_govsvc_thread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *data), void *data)
{
    int       rc;
    sigset_t  all, old;

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    rc = pthread_create(thread, attr, run, data);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    return rc;
}


ngx_int_t
ngx_govsvc_thread_cond(pthread_mutex_t *mutex, pthread_cond_t *cond)
{
    pthread_condattr_t  attr;

    if (pthread_mutex_init(mutex, NULL) != 0
        || pthread_condattr_init(&attr) != 0
        || pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0
        || pthread_cond_init(cond, &attr) != 0)
    {
        return NGX_ERROR;
    }

    (void) pthread_condattr_destroy(&attr);

    return NGX_OK;
}


void
ngx_govsvc_thread_until(struct timespec *ts, uint64_t msec)
{
    (void) clock_gettime(CLOCK_MONOTONIC, ts);

    ts->tv_sec += (time_t) (msec / 1000);
    ts->tv_nsec += (long) (msec % 1000) * 1000000;

    if (ts->tv_nsec >= 1000000000) {
        ts->tv_nsec -= 1000000000;
        ts->tv_sec++;
    }
}
