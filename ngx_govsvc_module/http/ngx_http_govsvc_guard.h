
/*
 * Copyright (C) govsvc authors
 *
 * Guard: what other features may ask about the verdict of a request, and how
 * the rules of the configuration are held.
 */


#ifndef _NGX_HTTP_GOVSVC_GUARD_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_GUARD_H_INCLUDED_


#include "guard/gs_guard.h"
#include "http/ngx_http_govsvc.h"


/* In this order: a request that passed one passes those before it. */
#define NGX_HTTP_GOVSVC_GUARD_OFF     0
#define NGX_HTTP_GOVSVC_GUARD_DETECT  1
#define NGX_HTTP_GOVSVC_GUARD_ON      2

/* What is done about a body beyond the bound, and about spent time. */
#define NGX_HTTP_GOVSVC_GUARD_PASS    0
#define NGX_HTTP_GOVSVC_GUARD_SCORE   1
#define NGX_HTTP_GOVSVC_GUARD_BLOCK   2


/*
 * What the rules said so far, NULL while none hit: the hits with their
 * evidence, the scores, the first rule.  Lives as long as the request; for
 * events, correlation and the audit record.
 */
gs_guard_verdict_t *ngx_http_govsvc_guard_verdict(ngx_http_request_t *r);

/* The rules, for names and tags of hits; NULL if there are none. */
gs_guard_t *ngx_http_govsvc_guard_rules(ngx_http_request_t *r);

/* Of this location: NGX_HTTP_GOVSVC_GUARD_... */
ngx_uint_t ngx_http_govsvc_guard_mode(ngx_http_request_t *r);


#endif /* _NGX_HTTP_GOVSVC_GUARD_H_INCLUDED_ */
