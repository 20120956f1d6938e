
/*
 * Copyright (C) govsvc authors
 *
 * Why a request was refused: one stable code for each cause, with the words
 * that the caller reads.  Documented in docs/reasons.md, which lint compares.
 */


#ifndef _NGX_HTTP_GOVSVC_REASON_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_REASON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_GOVSVC_URI_UNSAFE = 0,
    NGX_HTTP_GOVSVC_ROUTE_NOT_FOUND,
    NGX_HTTP_GOVSVC_REGION_UNKNOWN,
    NGX_HTTP_GOVSVC_ITEM_UNKNOWN,
    NGX_HTTP_GOVSVC_PLATFORM_MAINTENANCE,
    NGX_HTTP_GOVSVC_PLATFORM_CLOSED,
    NGX_HTTP_GOVSVC_PLATFORM_UNAVAILABLE,
    NGX_HTTP_GOVSVC_BANNED,
    NGX_HTTP_GOVSVC_RULE_BLOCKED,
    NGX_HTTP_GOVSVC_GUARD_UNAVAILABLE,
    NGX_HTTP_GOVSVC_RATE_LIMITED,
    NGX_HTTP_GOVSVC_LIMIT_UNAVAILABLE,
    NGX_HTTP_GOVSVC_CONN_LIMITED,
    NGX_HTTP_GOVSVC_AUTH_REQUIRED,
    NGX_HTTP_GOVSVC_TOKEN_MALFORMED,
    NGX_HTTP_GOVSVC_TOKEN_INVALID,
    NGX_HTTP_GOVSVC_TOKEN_EXPIRED,
    NGX_HTTP_GOVSVC_STEP_UP,
    NGX_HTTP_GOVSVC_FORBIDDEN,
    NGX_HTTP_GOVSVC_AUTH_UNAVAILABLE,
    NGX_HTTP_GOVSVC_AUDIT_UNAVAILABLE,
    NGX_HTTP_GOVSVC_APP_MALFORMED,
    NGX_HTTP_GOVSVC_APP_INVALID,
    NGX_HTTP_GOVSVC_CLOCK_SKEW,
    NGX_HTTP_GOVSVC_REPLAY,
    NGX_HTTP_GOVSVC_APP_EXPIRED,
    NGX_HTTP_GOVSVC_APP_FORBIDDEN,
    NGX_HTTP_GOVSVC_APP_DIGEST,
    NGX_HTTP_GOVSVC_APP_BODY,
    NGX_HTTP_GOVSVC_INTERNAL,
    NGX_HTTP_GOVSVC_REASONS
} ngx_http_govsvc_reason_e;


typedef struct {
    ngx_uint_t  status;
    ngx_str_t   code;                      /* "TOKEN_EXPIRED" */
    ngx_str_t   zh;
    ngx_str_t   en;
} ngx_http_govsvc_reason_t;


extern const ngx_http_govsvc_reason_t
    ngx_http_govsvc_reasons[NGX_HTTP_GOVSVC_REASONS];


#endif /* _NGX_HTTP_GOVSVC_REASON_H_INCLUDED_ */
