
/*
 * Copyright (C) govsvc authors
 *
 * Names of instances: one worker looks them up, off the way of requests, and
 * a thread puts what it found into the file and the table.
 */


#ifndef _NGX_HTTP_GOVSVC_ADMIN_NAMED_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_ADMIN_NAMED_H_INCLUDED_


#include "admin/ngx_http_govsvc_admin.h"
#include "core/gs_host.h"


#define NGX_HTTP_GOVSVC_NAMED_ANSWER  128  /* addresses looked at */
#define NGX_HTTP_GOVSVC_NAMED_FLYING  32   /* questions at a time */


/* govsvc_hosts, and the work of the process that leads. */
struct ngx_http_govsvc_named_s {
    ngx_array_t                         suffixes;      /* gs_str_t */
    ngx_msec_t                          min;
    ngx_msec_t                          max;
    ngx_msec_t                          timeout;
    ngx_uint_t                          addresses;
    ngx_resolver_t                     *resolver;
    ngx_govsvc_lead_t                  *lead;
    ngx_http_govsvc_admin_main_conf_t  *conf;

    ngx_rbtree_t                        tree;          /* by id */
    ngx_rbtree_node_t                   sentinel;
    ngx_queue_t                         entries;
    ngx_uint_t                          flying;
    ngx_uint_t                          mark;
    ngx_uint_t                          busy;          /* a job runs */
    ngx_uint_t                          dirty;         /* no table yet */
    ngx_uint_t                          leads;
    ngx_event_t                         timer;
    ngx_connection_t                    dummy;
};


/* A name that is looked up; malloc'ed. */
typedef struct {
    ngx_str_node_t                      node;          /* id */
    ngx_queue_t                         queue;
    ngx_http_govsvc_named_t            *named;
    u_char                              id[GS_ADMIN_ID + 1];
    u_char                              name[GS_HOST_LEN + 1];
    ngx_uint_t                          port;
    ngx_uint_t                          mark;
    ngx_msec_t                          due;
    ngx_msec_t                          asked;         /* for proofs */
    ngx_uint_t                          failures;
    ngx_resolver_ctx_t                 *ctx;

    ngx_uint_t                          ready;         /* an answer */
    const char                         *error;
    time_t                              ttl;
    ngx_uint_t                          n;
    gs_net_t                            nets[NGX_HTTP_GOVSVC_NAMED_ANSWER];
    ngx_uint_t                          nshown;
    ngx_http_govsvc_admin_probe_t       shown[NGX_HTTP_GOVSVC_ADMIN_PROBES];
} ngx_http_govsvc_named_entry_t;


/* What a job brings to the thread and back, in memory of the job. */
typedef struct {
    u_char                             *id;
    u_char                             *name;
    ngx_uint_t                          port;
    const char                         *error;
    gs_net_t                           *nets;
    ngx_uint_t                          n;
} ngx_http_govsvc_named_answer_t;

typedef struct {
    ngx_str_t                           id;
    ngx_str_t                           name;
    ngx_uint_t                          port;
    ngx_uint_t                          barred;
    ngx_uint_t                          up;            /* addresses */
    ngx_uint_t                          stale;         /* has an error */
} ngx_http_govsvc_named_row_t;

typedef struct {
    u_char                             *id;
    u_char                             *name;
    u_char                             *address;
    const char                         *why;
} ngx_http_govsvc_named_refused_t;

struct ngx_http_govsvc_named_job_s {
    ngx_array_t                         answers;
    ngx_array_t                         shown;         /* probes */
    ngx_array_t                         rows;
    ngx_array_t                         proving;       /* probes */
    ngx_array_t                         refused;
    ngx_uint_t                          force;
    ngx_uint_t                          done;
    ngx_uint_t                          dirty;
};


char *ngx_http_govsvc_named_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* At the end of the configuration; NGX_CONF_ERROR is logged. */
char *ngx_http_govsvc_named_init(ngx_conf_t *cf,
    ngx_http_govsvc_admin_main_conf_t *amcf);

void ngx_http_govsvc_named_lead(void *data, ngx_uint_t leads);

/* In the thread. */
void ngx_http_govsvc_named_run(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log);

/* In the event loop, when the thread is done. */
void ngx_http_govsvc_named_done(ngx_http_govsvc_admin_job_t *job);

/* An address answered to its proof. */
void ngx_http_govsvc_named_proved(ngx_http_govsvc_admin_main_conf_t *amcf,
    const ngx_http_govsvc_admin_probe_t *probe);

/* For the API: when a name was answered, and for how long that is good. */
gs_rc_t ngx_http_govsvc_named_times(void *ctx, const char *instance,
    json_t *shown);


#endif /* _NGX_HTTP_GOVSVC_ADMIN_NAMED_H_INCLUDED_ */
