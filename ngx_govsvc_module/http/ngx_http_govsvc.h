
/*
 * Copyright (C) govsvc authors
 *
 * What the features share: the request context, the stages, refusals.  Each
 * feature keeps its configuration to itself.
 */


#ifndef _NGX_HTTP_GOVSVC_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/gs_rc.h"
#include "core/gs_str.h"
#include "http/ngx_http_govsvc_reason.h"
#include "ngx/ngx_govsvc.h"


typedef enum {
    NGX_HTTP_GOVSVC_LIMIT_NONE = 0,        /* no limit applies here */
    NGX_HTTP_GOVSVC_LIMIT_PASSED,
    NGX_HTTP_GOVSVC_LIMIT_REJECTED,
    NGX_HTTP_GOVSVC_LIMIT_REJECTED_DRY_RUN,
    NGX_HTTP_GOVSVC_LIMIT_DELAYED
} ngx_http_govsvc_limit_status_e;


typedef enum {
    NGX_HTTP_GOVSVC_AUTH_NONE = 0,         /* no credential was asked for */
    NGX_HTTP_GOVSVC_AUTH_ABSENT,
    NGX_HTTP_GOVSVC_AUTH_OK,
    NGX_HTTP_GOVSVC_AUTH_BAD
} ngx_http_govsvc_auth_status_e;


#define NGX_HTTP_GOVSVC_TRACEPARENT  (sizeof("00--01-") - 1 + 32 + 16)


/*
 * One for a request, its subrequests and its internal redirects.  Written by
 * the stage that owns the part, read by all later ones; strings live as long
 * as the request.  A part that its stage has not reached is zero.
 */
typedef struct {
    ngx_http_request_t              *request;     /* the main request */

    /* context */
    uint64_t                         start;       /* us, wall clock */
    ngx_str_t                        request_id;  /* 32 hexadecimal digits */
    ngx_str_t                        trace_id;    /* 32 */
    ngx_str_t                        span_id;     /* 16 */

    /* client */
    ngx_str_t                        client_net;  /* 10.1.2.3, 2001:db8::/64 */
    ngx_uint_t                       geo_region;  /* 440000; 0: unknown */
    ngx_uint_t                       geo_asn;     /* 4134; 0: unknown */
    u_char                           geo_country[2];    /* "CN", or zeros */

    /* route */
    ngx_str_t                        route;       /* identifiers */
    ngx_str_t                        platform;
    ngx_str_t                        pool;
    ngx_str_t                        region;      /* 6 digits */
    ngx_str_t                        region_source;
    ngx_str_t                        item;        /* 12, 31 or 33 characters */
    ngx_str_t                        case_no;
    ngx_str_t                        channel;
    ngx_str_t                        upstream_host;
    ngx_uint_t                       route_critical;  /* 0: none */
    void                            *route_data;  /* of the route feature */
    void                            *balancer_data;

    /* ban */
    uint64_t                         ban_until;   /* ms, 0: not banned */

    /* guard */
    ngx_uint_t                       rule;        /* the first that hit */
    ngx_uint_t                       score;
    void                            *guard_data;  /* verdict, NULL: no hit */
    ngx_buf_t                       *guard_answer;  /* what goes by */
    ngx_uint_t                       guard_bans;  /* bits of hits to act on */
    ngx_uint_t                       guard_limits;
    void                            *guard_ban_zone;
    uint64_t                         guard_spent;       /* ns */

    /* limit */
    ngx_http_govsvc_limit_status_e   limit_status;
    void                            *limit_data;

    /* token */
    ngx_http_govsvc_auth_status_e    auth_status;
    ngx_str_t                        issuer;
    ngx_str_t                        kid;         /* of the key that signed */
    ngx_str_t                        subject;
    ngx_str_t                        actor;       /* who acts for it */
    ngx_str_t                        jti;
    ngx_str_t                        user;        /* natural, legal */
    ngx_str_t                        scope;
    ngx_str_t                        app;
    ngx_str_t                        scheme;      /* how the app signs */
    ngx_uint_t                       level;       /* assurance, 0-5 */
    void                            *token_data;
    void                            *app_data;    /* of the apps feature */
    ngx_str_t                        credential;  /* taken from the request */
    void                            *credential_source;

    /* outcome */
    const ngx_http_govsvc_reason_t  *reason;      /* NULL: not refused */
    ngx_str_t                        challenge;   /* WWW-Authenticate */
    ngx_uint_t                       retry_after; /* s, 0: no header */
    void                            *audit_data;
    uint64_t                         audit_g;     /* 0: no number given yet */

    /* what the gateway itself puts into the headers of the request */
    u_char                           ids[32 + 16];
    u_char                           traceparent[NGX_HTTP_GOVSVC_TRACEPARENT];

    unsigned                         geo_placed:1;      /* was looked up */
    unsigned                         geo_numbered:1;
    unsigned                         errcode:1;     /* answers of x-tif */
    unsigned                         ban_dry_run:1;
    unsigned                         ban_waits:1;   /* for who is calling */
    unsigned                         guard_mode:2;  /* the strictest asked */
    unsigned                         guard_block:1; /* "on" would refuse */
    unsigned                         guard_body_mode:2;
    unsigned                         guard_reading:1;   /* the body */
    unsigned                         guard_answered:1;
    unsigned                         guard_noting:1;    /* too late to refuse */
    unsigned                         correlate_limited:5;   /* bits of keys */
    unsigned                         guard_banned:1;
    unsigned                         audit_counted:1;   /* not told by itself */
} ngx_http_govsvc_ctx_t;


/*
 * The context of r's main request, made on first use.  NULL only when memory
 * is out.  Found again after internal redirects, which zero r->ctx.
 */
ngx_http_govsvc_ctx_t *ngx_http_govsvc_get_ctx(ngx_http_request_t *r);

/* 1 where a stage has nothing to do: a subrequest, or already refused. */
ngx_uint_t ngx_http_govsvc_skip(ngx_http_request_t *r);

/*
 * 1 if nobody proved who he is with this request, as far as it was looked at;
 * and 1 if it has something to prove it by that this place looks at.
 */
ngx_uint_t ngx_http_govsvc_anonymous(const ngx_http_govsvc_ctx_t *ctx);
ngx_uint_t ngx_http_govsvc_proves(ngx_http_request_t *r);
ngx_uint_t ngx_http_govsvc_token_stands(ngx_http_request_t *r);
ngx_uint_t ngx_http_govsvc_app_stands(ngx_http_request_t *r);

/*
 * Answers the request with the reason: an error_page of the location where
 * there is one, else our own page or problem document.  Sends, finalizes and
 * returns what the phase handler must return at once.  May set
 * ctx->challenge and ctx->retry_after before.
 */
ngx_int_t ngx_http_govsvc_refuse(ngx_http_request_t *r,
    ngx_http_govsvc_reason_e reason);

/*
 * Called by every directive that makes the module act: without one of them a
 * loaded module leaves requests alone.
 */
void ngx_http_govsvc_enable(ngx_conf_t *cf);

/*
 * The name of this node (govsvc_node, else the host name); complete once the
 * http block is read, so from init_main_conf of later modules on.
 */
ngx_str_t *ngx_http_govsvc_node(ngx_conf_t *cf);


/*
 * Verifies the credential, where the location wants one and nobody has done so
 * yet, without refusing anything: for those who ask for the caller before
 * PREACCESS.
 */
void ngx_http_govsvc_token_ask(ngx_http_request_t *r);


/*
 * The same at the end of a request that a rule refused before its credential
 * was looked at: whoever signed on is held by his name, not by his address.
 */
void ngx_http_govsvc_token_late(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);


/* The stages, in the order of execution; ngx_http_govsvc_module.c runs them. */
ngx_int_t ngx_http_govsvc_context_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_client_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_route_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_ban_client_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_guard_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_correlate_client_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_quota_client_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_conn_client_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_limit_client_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_token_verify_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_app_verify_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_ban_caller_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_correlate_caller_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_token_decide_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_quota_subject_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_conn_subject_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_limit_subject_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_app_body_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_guard_body_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_commit_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_identity_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_audit_intent_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_guard_log_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_correlate_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_event_handler(ngx_http_request_t *r);

/*
 * Records what a platform says of a case in the header of its answer; and 1
 * for a name of such a header where it goes on to the client.
 */
void ngx_http_govsvc_supervision_answer(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);
ngx_uint_t ngx_http_govsvc_supervision_passes(ngx_http_request_t *r,
    const ngx_str_t *name);

ngx_int_t ngx_http_govsvc_audit_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_govsvc_metrics_handler(ngx_http_request_t *r);


/*
 * Fields of the answer that a feature adds (limit headers); called by our
 * header filter for the main request.
 */
ngx_int_t ngx_http_govsvc_limit_headers(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);
ngx_int_t ngx_http_govsvc_audit_headers(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);

/* Appends one header to the answer; key and value live as long as r. */
ngx_int_t ngx_http_govsvc_add_header(ngx_http_request_t *r, ngx_str_t *key,
    ngx_str_t *value);

/*
 * The region (GB/T 2260, six digits as a number) that the client's address
 * suggests, 0 if unknown; its country (ISO 3166-1), empty if unknown; the
 * number of its autonomous system, 0 if unknown.  Looked up on first use, once
 * for a request.
 */
ngx_uint_t ngx_http_govsvc_geo_region(ngx_http_request_t *r);
ngx_str_t ngx_http_govsvc_geo_country(ngx_http_request_t *r);
ngx_uint_t ngx_http_govsvc_geo_asn(ngx_http_request_t *r);

/*
 * May the application that signed go where the request goes, now that this is
 * final?  NGX_OK, or what the refusal returned.
 */
ngx_int_t ngx_http_govsvc_app_commit(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);

/* Refuses a request that no application signed, where one has to. */
ngx_int_t ngx_http_govsvc_app_absent(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);

/*
 * Does govsvc_require of this place, merged, fit what may call there?  app:
 * applications that sign may.
 */
char *ngx_http_govsvc_require_check_conf(ngx_conf_t *cf, ngx_uint_t app);

/*
 * Keeps the identity headers of a signed request, which belong to its
 * signature; called before they are stripped.
 */
ngx_int_t ngx_http_govsvc_app_identity(ngx_http_request_t *r);

/* Variables of one feature, added in its preconfiguration; ends with name
 * len 0.  Handlers see the context through ngx_http_govsvc_get_ctx(). */
ngx_int_t ngx_http_govsvc_add_variables(ngx_conf_t *cf,
    ngx_http_variable_t *vars);


extern ngx_module_t  ngx_http_govsvc_module;
extern ngx_module_t  ngx_http_govsvc_redis_module;
extern ngx_module_t  ngx_http_govsvc_client_module;
extern ngx_module_t  ngx_http_govsvc_route_module;
extern ngx_module_t  ngx_http_govsvc_balancer_module;
extern ngx_module_t  ngx_http_govsvc_ban_module;
extern ngx_module_t  ngx_http_govsvc_guard_module;
extern ngx_module_t  ngx_http_govsvc_correlate_module;
extern ngx_module_t  ngx_http_govsvc_limit_module;
extern ngx_module_t  ngx_http_govsvc_conn_module;
extern ngx_module_t  ngx_http_govsvc_quota_module;
extern ngx_module_t  ngx_http_govsvc_token_module;
extern ngx_module_t  ngx_http_govsvc_apps_module;
extern ngx_module_t  ngx_http_govsvc_identity_module;
extern ngx_module_t  ngx_http_govsvc_audit_module;
extern ngx_module_t  ngx_http_govsvc_audit_seal_module;
extern ngx_module_t  ngx_http_govsvc_event_module;
extern ngx_module_t  ngx_http_govsvc_alert_module;
extern ngx_module_t  ngx_http_govsvc_metrics_module;
extern ngx_module_t  ngx_http_govsvc_avail_module;
extern ngx_module_t  ngx_http_govsvc_supervision_module;
extern ngx_module_t  ngx_http_govsvc_feed_module;
extern ngx_module_t  ngx_http_govsvc_stream_module;
extern ngx_module_t  ngx_http_govsvc_syslog_module;
extern ngx_module_t  ngx_http_govsvc_admin_module;
extern ngx_module_t  ngx_http_govsvc_filter_module;


#endif /* _NGX_HTTP_GOVSVC_H_INCLUDED_ */
