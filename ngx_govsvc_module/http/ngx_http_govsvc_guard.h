
/*
 * Copyright (C) govsvc authors
 *
 * Guard: the rules of the configuration and the mode of a location.
 */


#ifndef _NGX_HTTP_GOVSVC_GUARD_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_GUARD_H_INCLUDED_


#include "guard/gs_guard.h"
#include "http/ngx_http_govsvc.h"


/* In this order: a request that passed one passes those before it. */
#define NGX_HTTP_GOVSVC_GUARD_OFF     0
#define NGX_HTTP_GOVSVC_GUARD_DETECT  1
#define NGX_HTTP_GOVSVC_GUARD_ON      2


typedef struct {
    gs_mem_t            *mem;
    ngx_conf_t          *cf;               /* while a directive is read */
    ngx_uint_t           logged;           /* the error was reported */
    ngx_array_t         *files;            /* ngx_str_t, as written */
    gs_guard_build_t    *build;            /* NULL: compiled, or no rules */
    gs_guard_t          *guard;            /* NULL: no rules */
    gs_guard_scratch_t  *scratch;          /* each worker has a copy */
} ngx_http_govsvc_guard_main_conf_t;


typedef struct {
    ngx_uint_t           mode;
} ngx_http_govsvc_guard_loc_conf_t;


#endif /* _NGX_HTTP_GOVSVC_GUARD_H_INCLUDED_ */
