
/*
 * Copyright (C) govsvc authors
 *
 * Correlation: who wants to be told of a rule that fired, and what other
 * features may ask.
 */


#ifndef _NGX_HTTP_GOVSVC_CORRELATE_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_CORRELATE_H_INCLUDED_


#include "guard/gs_correlate.h"
#include "http/ngx_http_govsvc.h"


#define NGX_HTTP_GOVSVC_CORRELATE_KINDS  64


/*
 * A rule that fired at the end of a request.  The texts stand until the
 * hook returns; key shows a caller masked, evidence is masked and at most
 * GS_CORRELATE_EVIDENCE bytes.
 */
typedef struct {
    uint32_t                     id;
    const gs_correlate_rule_t   *rule;     /* name, severity, category, ... */
    ngx_str_t                    kind;     /* of the key: "ip" */
    ngx_str_t                    key;      /* "192.0.2.7", "" if not shown */
    ngx_str_t                    evidence; /* "count 10 in 300s" */
    ngx_str_t                    action;   /* "log", "ban", "limit" */
    ngx_uint_t                   count;
    ngx_uint_t                   shared;   /* callers behind it, or 0 */
    unsigned                     done:1;   /* 0: it would be, in detect */
} ngx_http_govsvc_correlate_fired_t;


/* Called in the log phase, before the stages of the audit record. */
typedef void (*ngx_http_govsvc_correlate_pt)(ngx_http_request_t *r,
    const ngx_http_govsvc_correlate_fired_t *fired, void *data);


/*
 * At configuration: asks to be told of every rule that fires, here or in
 * detect.  NGX_ERROR if memory is out.
 */
ngx_int_t ngx_http_govsvc_correlate_tell(ngx_conf_t *cf,
    ngx_http_govsvc_correlate_pt hook, void *data);

/* What a ban of the address by a rule means for the request. */
typedef enum {
    NGX_HTTP_GOVSVC_CORRELATE_HOLDS = 0,   /* everybody */
    NGX_HTTP_GOVSVC_CORRELATE_UNPROVEN,    /* who does not prove a caller */
    NGX_HTTP_GOVSVC_CORRELATE_SPARED       /* nobody: a limit came for it */
} ngx_http_govsvc_correlate_ban_e;

ngx_http_govsvc_correlate_ban_e ngx_http_govsvc_correlate_banned(
    ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx, uint32_t rule,
    uint64_t until);

/*
 * NGX_OK if many callers are known behind the address of the request, with a
 * number below NGX_HTTP_GOVSVC_CORRELATE_KINDS for its kind of browser.
 */
ngx_int_t ngx_http_govsvc_correlate_share(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, u_char *kind);

/* The "limit" of a rule that hit, for the guard. */
void ngx_http_govsvc_correlate_act(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, const gs_guard_rule_info_t *rule);


#endif /* _NGX_HTTP_GOVSVC_CORRELATE_H_INCLUDED_ */
