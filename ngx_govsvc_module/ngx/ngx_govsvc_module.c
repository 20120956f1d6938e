
/*
 * Copyright (C) govsvc authors
 *
 * The core module that names the shared object, and the proofs at compile
 * time that the pure library and Nginx agree on numbers and layouts.
 */


#include "ngx/ngx_govsvc_http.h"
#include "ngx/ngx_govsvc_lead.h"
#include "core/gs_rc.h"


#define ngx_govsvc_assert(name, cond)                                         \
    typedef char  ngx_govsvc_assert_##name[(cond) ? 1 : -1]


ngx_govsvc_assert(ok, (int) GS_OK == NGX_OK);
ngx_govsvc_assert(error, (int) GS_ERROR == NGX_ERROR);
ngx_govsvc_assert(again, (int) GS_AGAIN == NGX_AGAIN);
ngx_govsvc_assert(busy, (int) GS_BUSY == NGX_BUSY);
ngx_govsvc_assert(done, (int) GS_DONE == NGX_DONE);
ngx_govsvc_assert(declined, (int) GS_DECLINED == NGX_DECLINED);
ngx_govsvc_assert(str_size, sizeof(gs_str_t) == sizeof(ngx_str_t));
ngx_govsvc_assert(str_data, offsetof(gs_str_t, data)
                            == offsetof(ngx_str_t, data));


static void ngx_govsvc_exit_process(ngx_cycle_t *cycle);


static ngx_core_module_t  ngx_govsvc_module_ctx = {
    ngx_string("govsvc"),
    ngx_govsvc_lead_create_conf,           /* create configuration */
    NULL                                   /* init configuration */
};


ngx_module_t  ngx_govsvc_module = {
    NGX_MODULE_V1,
    &ngx_govsvc_module_ctx,                /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_govsvc_lead_init_process,          /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_govsvc_exit_process,               /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* Duties end first: their ends may cancel requests. */

static void
ngx_govsvc_exit_process(ngx_cycle_t *cycle)
{
    ngx_govsvc_lead_exit_process(cycle);
    ngx_govsvc_http_exit_process(cycle);
}
