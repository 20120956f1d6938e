
/*
 * Copyright (C) govsvc authors
 *
 * What the entry module takes from the files that serve it.
 */


#ifndef _NGX_HTTP_GOVSVC_CTX_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_CTX_H_INCLUDED_


#include "http/ngx_http_govsvc.h"


/* The variables read from the context; ends with name len 0. */
extern ngx_http_variable_t  ngx_http_govsvc_variables[];


/* Draws the secret from which this worker makes its identifiers. */
ngx_int_t ngx_http_govsvc_ctx_init_process(ngx_cycle_t *cycle);

/* Puts our header filter into the chain; called once the module acts. */
ngx_int_t ngx_http_govsvc_filter_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_GOVSVC_CTX_H_INCLUDED_ */
