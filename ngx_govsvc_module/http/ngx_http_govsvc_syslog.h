
/*
 * Copyright (C) govsvc authors
 *
 * Records of a feed as messages of syslog.  A connection that broke took its
 * last records with it, perhaps: what was sent within the time "resend" before
 * is sent again.
 */


#ifndef _NGX_HTTP_GOVSVC_SYSLOG_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_SYSLOG_H_INCLUDED_


#include "audit/gs_audit_syslog.h"
#include "http/ngx_http_govsvc_feed.h"
#include "ngx/ngx_govsvc_syslog.h"


#define NGX_HTTP_GOVSVC_SYSLOG_POLL   100  /* ms */
#define NGX_HTTP_GOVSVC_SYSLOG_RETRY  500  /* ms, after an error */
#define NGX_HTTP_GOVSVC_SYSLOG_MARKS  64
#define NGX_HTTP_GOVSVC_SYSLOG_SPACE  32   /* marks of the time "resend" */


/* What messages of a receiver have in common. */
typedef struct {
    gs_str_t                       app;
    gs_str_t                       sd;
    unsigned                       facility;
    size_t                         max;    /* of a message's text; 0: any */
} ngx_http_govsvc_syslog_head_t;


/* Records up to n were given to the sender as its bytes up to bytes. */
typedef struct {
    uint64_t                       n;
    uint64_t                       bytes;
    ngx_msec_t                     time;
} ngx_http_govsvc_syslog_mark_t;


typedef enum {
    NGX_HTTP_GOVSVC_SYSLOG_IDLE = 0,
    NGX_HTTP_GOVSVC_SYSLOG_SEEKS,
    NGX_HTTP_GOVSVC_SYSLOG_READS
} ngx_http_govsvc_syslog_state_e;


typedef struct {
    ngx_govsvc_syslog_t           *sender;
    ngx_http_govsvc_feed_t        *feed;
    gs_str_t                       node;
    ngx_http_govsvc_syslog_head_t  head;
    ngx_msec_t                     resend;

    /* of the worker that leads */
    ngx_event_t                    timer;
    ngx_connection_t               dummy;
    ngx_uint_t                     state;
    ngx_http_govsvc_feed_batch_t  *batch;  /* being sent, or NULL */
    ngx_uint_t                     next;   /* record of it */
    u_char                        *room;   /* for one message */
    ngx_uint_t                     first;
    ngx_uint_t                     nmarks;
    ngx_http_govsvc_syslog_mark_t  marks[NGX_HTTP_GOVSVC_SYSLOG_MARKS];
    unsigned                       leads:1;
    unsigned                       sought:1;
} ngx_http_govsvc_syslog_t;


/*
 * Sets what the parameters "facility=", "app=" and "sd_id=" say (data NULL:
 * what is usual), and how long a text may be by the address.
 */
char *ngx_http_govsvc_syslog_head(ngx_conf_t *cf,
    ngx_http_govsvc_syslog_head_t *head, const ngx_str_t *address,
    ngx_str_t *facility, ngx_str_t *app, ngx_str_t *sd);

/* For the feed. */
void ngx_http_govsvc_syslog_lead(void *data, ngx_uint_t leads);
void ngx_http_govsvc_syslog_fed(void *data, ngx_int_t rc);


#endif /* _NGX_HTTP_GOVSVC_SYSLOG_H_INCLUDED_ */
