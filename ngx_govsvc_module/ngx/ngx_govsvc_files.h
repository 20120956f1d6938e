
/*
 * Copyright (C) govsvc authors
 *
 * The files that a configuration is made of: nginx.conf, what it includes,
 * and what our directives name in it.
 */


#ifndef _NGX_GOVSVC_FILES_H_INCLUDED_
#define _NGX_GOVSVC_FILES_H_INCLUDED_


#include "ngx/ngx_govsvc.h"


#define NGX_GOVSVC_FILES_MAX   4096
#define NGX_GOVSVC_FILES_TEXT  (16 * 1024 * 1024)


typedef struct {
    ngx_str_t    path;                     /* full, with a NUL behind it */
    unsigned     secret:1;
} ngx_govsvc_file_t;


/*
 * A directive at hand has read path; NGX_ERROR when memory is out.  A name is
 * kept once, and beyond NGX_GOVSVC_FILES_MAX not at all: NGX_DECLINED.
 */
ngx_int_t ngx_govsvc_files_add(ngx_conf_t *cf, ngx_str_t *path,
    ngx_uint_t secret);

/*
 * All files of the cycle, in the order in which they are read, in pool.  Reads
 * the configuration again to find what it includes: for init_module, not for
 * the event loop.  NULL when memory is out.
 */
ngx_array_t *ngx_govsvc_files(ngx_cycle_t *cycle, ngx_pool_t *pool);


/* For ngx_govsvc_files_module. */
extern ngx_module_t  ngx_govsvc_files_module;


#endif /* _NGX_GOVSVC_FILES_H_INCLUDED_ */
