
/*
 * Copyright (C) govsvc authors
 *
 * A small file that a worker replaces now and then, whole or not at all: what
 * was learned from elsewhere and is wanted again after a restart.
 */


#ifndef _NGX_GOVSVC_SAVE_H_INCLUDED_
#define _NGX_GOVSVC_SAVE_H_INCLUDED_


#include "ngx/ngx_govsvc.h"


typedef struct ngx_govsvc_save_s  ngx_govsvc_save_t;


/*
 * The file path (relative to the configuration's folder; it becomes the full
 * name) of at most max bytes.  Written by a thread of the default pool where
 * Nginx has threads.  NULL is logged.
 */
ngx_govsvc_save_t *ngx_govsvc_save_add(ngx_conf_t *cf, ngx_str_t *path,
    size_t max);

/*
 * For the master, before there are workers: sees to it that they may write
 * the file, and makes the last folder of its name.  NGX_ERROR is logged.
 */
ngx_int_t ngx_govsvc_save_prepare(ngx_govsvc_save_t *s, ngx_cycle_t *cycle);

/*
 * Reads it into pool; *changed is its date.  NGX_DECLINED: there is none;
 * NGX_ERROR is logged.
 */
ngx_int_t ngx_govsvc_save_read(ngx_govsvc_save_t *s, ngx_pool_t *pool,
    ngx_str_t *text, time_t *changed, ngx_log_t *log);

/*
 * Replaces it, in the background; text is copied.  A text that comes while
 * the one before is being written is written after it; of several the last.
 * Failures are logged.
 */
void ngx_govsvc_save(ngx_govsvc_save_t *s, ngx_str_t *text, ngx_log_t *log);

/* Whether a text that was given is still on its way to the disk. */
ngx_uint_t ngx_govsvc_save_busy(const ngx_govsvc_save_t *s);


#endif /* _NGX_GOVSVC_SAVE_H_INCLUDED_ */
