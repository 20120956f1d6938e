
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

/*
 * The context of r, a main request, if there is one; takes no memory, so also
 * for those who write about a lack of it.
 */
ngx_http_govsvc_ctx_t *ngx_http_govsvc_find_ctx(ngx_http_request_t *r);

/*
 * Ends a line of the error log about r, or sr of its subrequests, in place of
 * ngx_http_log_error_handler(): nothing of what the client sent.
 */
u_char *ngx_http_govsvc_log_handler(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);

/* Puts our header filter into the chain; called once the module acts. */
ngx_int_t ngx_http_govsvc_filter_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_GOVSVC_CTX_H_INCLUDED_ */
