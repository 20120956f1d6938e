
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: the events of a feed, told to one receiver by one worker.  The
 * segments of the store are the spool: nothing is read while something is
 * being told, so nothing grows.
 */


#ifndef _NGX_HTTP_GOVSVC_ALERT_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_ALERT_H_INCLUDED_


#include "audit/gs_alert.h"
#include "http/ngx_http_govsvc_feed.h"
#include "http/ngx_http_govsvc_syslog.h"
#include "ngx/ngx_govsvc_http.h"
#include "ngx/ngx_govsvc_save.h"


#define NGX_HTTP_GOVSVC_ALERT_STATE  128   /* bytes of the state file */
#define NGX_HTTP_GOVSVC_ALERT_MAX    5     /* messages of one round */
#define NGX_HTTP_GOVSVC_ALERT_KEPT   32    /* messages that are said again */


typedef enum {
    NGX_HTTP_GOVSVC_ALERT_IDLE = 0,
    NGX_HTTP_GOVSVC_ALERT_SEEKS,
    NGX_HTTP_GOVSVC_ALERT_READS,
    NGX_HTTP_GOVSVC_ALERT_TELLS            /* a round is closed */
} ngx_http_govsvc_alert_state_e;


/* What was being done; in the state file, so that a successor goes on. */
typedef struct {
    uint64_t                       from;   /* the round's first record */
    uint64_t                       to;     /* behind its last; 0: open */
    uint64_t                       max;    /* messages */
    uint64_t                       done;   /* of them */
} ngx_http_govsvc_alert_place_t;


/* A message that the receiver's system took. */
typedef struct {
    ngx_str_t                      text;
    ngx_msec_t                     time;
} ngx_http_govsvc_alert_kept_t;


/*
 * The way over syslog, which has no answers: a message is told once the
 * receiver's system has it, and said again if the connection breaks within the
 * time "resend".
 */
typedef struct {
    ngx_govsvc_syslog_t           *sender;
    ngx_http_govsvc_syslog_head_t  head;
    ngx_msec_t                     timeout;
    ngx_msec_t                     resend;

    /* of the worker that leads */
    ngx_event_t                    timer;
    ngx_connection_t               dummy;
    u_char                        *room;   /* of the message being told */
    size_t                         len;
    uint64_t                       mark;   /* its end, in the sender's bytes */
    uint64_t                       until;  /* ms */
    ngx_uint_t                     first;
    ngx_uint_t                     nkept;
    size_t                         bytes;  /* of those kept */
    ngx_http_govsvc_alert_kept_t   kept[NGX_HTTP_GOVSVC_ALERT_KEPT];
    unsigned                       given:1;    /* this connection has it */
    unsigned                       waits:1;
} ngx_http_govsvc_alert_syslog_t;


typedef struct {
    gs_alert_form_e                  form;
    gs_alert_lang_e                  lang;
    ngx_uint_t                       severity; /* the least */
    ngx_uint_t                       rate;     /* messages a minute */
    ngx_msec_t                       wait;
    ngx_msec_t                       window;
    ngx_msec_t                       give_up;
    ngx_str_t                        secret;
    ngx_str_t                        host;     /* for the log */
    gs_str_t                         node;
    ngx_govsvc_http_target_t         target;
    ngx_http_govsvc_alert_syslog_t  *syslog;   /* or NULL: over HTTP */
    ngx_http_govsvc_feed_conf_t      conf;
    ngx_http_govsvc_feed_t          *feed;
    ngx_govsvc_save_t               *save;
    ngx_str_t                        dead;     /* a file's name, with NUL */
    u_char                          *file;     /* of the directive */
    ngx_uint_t                       line;

    /* of the worker that leads */
    ngx_http_govsvc_alert_place_t    place;
    gs_alert_round_t                *round;
    gs_alert_plan_t                  plan;
    gs_alert_bucket_t                bucket;
    ngx_govsvc_http_t               *http;
    ngx_http_govsvc_feed_batch_t    *batch;
    ngx_uint_t                       at;       /* in the batch */
    ngx_event_t                      timer;
    ngx_connection_t                 dummy;
    ngx_uint_t                       state;
    uint64_t                         next;     /* record to be read */
    uint64_t                         opened;   /* ms, first event */
    uint64_t                         closed;   /* ms, the last round */
    uint64_t                         began;    /* ms, first try */
    ngx_uint_t                       tries;
    const char                      *error;    /* told in the log */
    unsigned                         leads:1;
    unsigned                         sought:1;
    unsigned                         urgent:1;
} ngx_http_govsvc_alert_t;


/* For the feed. */
void ngx_http_govsvc_alert_lead(void *data, ngx_uint_t leads);
void ngx_http_govsvc_alert_fed(void *data, ngx_int_t rc);

/* Tells the message that is next; then _told() goes on. */
void ngx_http_govsvc_alert_tell(ngx_http_govsvc_alert_t *a);

/* The message was taken, or was not, and why. */
void ngx_http_govsvc_alert_taken(ngx_http_govsvc_alert_t *a);
void ngx_http_govsvc_alert_failed(ngx_http_govsvc_alert_t *a,
    gs_alert_answer_e answer, const char *why, ngx_uint_t status,
    int64_t code);

/* The same over syslog; _lead() as of the feed. */
void ngx_http_govsvc_alert_syslog_lead(ngx_http_govsvc_alert_t *a,
    ngx_uint_t leads);
void ngx_http_govsvc_alert_syslog_post(ngx_http_govsvc_alert_t *a,
    const gs_alert_message_t *m);

/* A message was told, or is in the file of the dead. */
void ngx_http_govsvc_alert_told(ngx_http_govsvc_alert_t *a);

/* Wakes the alert after msec: it reads on, or tells again. */
void ngx_http_govsvc_alert_later(ngx_http_govsvc_alert_t *a, ngx_msec_t msec);

/* ms, from any start. */
uint64_t ngx_http_govsvc_alert_now(void);


#endif /* _NGX_HTTP_GOVSVC_ALERT_H_INCLUDED_ */
