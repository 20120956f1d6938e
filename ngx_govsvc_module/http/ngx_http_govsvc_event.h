
/*
 * Copyright (C) govsvc authors
 *
 * Security events: one record of type "sec" for each request with hits, and
 * what other features add of their own.
 */


#ifndef _NGX_HTTP_GOVSVC_EVENT_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_EVENT_H_INCLUDED_


#include "audit/gs_audit_event.h"
#include "http/ngx_http_govsvc_audit.h"
#include "http/ngx_http_govsvc_ban.h"
#include "http/ngx_http_govsvc_correlate.h"
#include "http/ngx_http_govsvc_revoke.h"
#include "route/gs_health.h"


/*
 * What the request of ctx shows of an attack, the word of its kind, with the
 * grade; NULL: nothing.  Costs two comparisons where there is nothing.
 */
const char *ngx_http_govsvc_event_attack(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, unsigned *severity);

/* The critical system that the request is for; empty: none. */
void ngx_http_govsvc_event_critical(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_str_t *critical);

/*
 * Fills what is known of a request, in the log phase: identifiers, source,
 * target, critical mark.  Kind, grade and action are the caller's.  Texts
 * live as long as r.
 */
void ngx_http_govsvc_event_fill(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_audit_event_t *ev);

/*
 * Writes the event into the chain of this process, with the node, the next
 * number and the time.  Full: it is counted as lost.  Nothing without a store.
 */
void ngx_http_govsvc_event_write(gs_audit_event_t *ev);

/*
 * A ban that r set by hand, until ms since 1970, or lifted (ban NULL): who,
 * why, from where.
 */
void ngx_http_govsvc_event_ban(ngx_http_request_t *r, const gs_ban_id_t *id,
    const gs_ban_t *ban, uint64_t until);

/* A revocation that r made by hand, or lifted. */
void ngx_http_govsvc_event_revoked(ngx_http_request_t *r,
    const ngx_http_govsvc_revocation_t *rev, const gs_str_t *actor,
    ngx_uint_t lifted);


/*
 * What became of an instance: the code of the event, and how grave it is.
 * Strings are borrowed; until is wall time in us, 0: not told.
 */
typedef struct {
    const char       *code;                /* "INSTANCE_EJECTED" */
    unsigned          severity;
    gs_str_t          platform;
    gs_str_t          pool;
    gs_str_t          id;
    gs_str_t          address;
    const char       *why;                 /* "failures", "ratio", "check" */
    const gs_health_t  *health;            /* the last error; NULL: none */
    uint64_t          until;
} ngx_http_govsvc_event_instance_t;

/* An event of no request, from any worker; nothing without a store. */
void ngx_http_govsvc_event_instance(
    const ngx_http_govsvc_event_instance_t *what);

/* The hook of correlation: a rule over many requests fired, an event itself. */
void ngx_http_govsvc_event_fired(ngx_http_request_t *r,
    const ngx_http_govsvc_correlate_fired_t *fired, void *data);


#endif /* _NGX_HTTP_GOVSVC_EVENT_H_INCLUDED_ */
