
/*
 * Copyright (C) govsvc authors
 *
 * Threads of Nginx for work that takes long.
 */


#ifndef _NGX_GOVSVC_THREAD_H_INCLUDED_
#define _NGX_GOVSVC_THREAD_H_INCLUDED_


#include "ngx/ngx_govsvc.h"

#if (NGX_THREADS)

#include <ngx_thread_pool.h>


/*
 * At configuration: the pool of that name, of one thread unless the operator
 * made it.  What runs there runs one after another and has its memory in one
 * heap, which is not that of the event loop: malloc() of the two do not wait
 * for one another.  name is a constant.  NULL is logged.
 */
ngx_thread_pool_t *ngx_govsvc_thread(ngx_conf_t *cf, ngx_str_t *name);

#endif


#endif /* _NGX_GOVSVC_THREAD_H_INCLUDED_ */
