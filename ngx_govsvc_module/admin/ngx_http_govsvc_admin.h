
/*
 * Copyright (C) govsvc authors
 *
 * The registry API on the way of a request: configuration, and the jobs that
 * one thread at a time does for a worker.
 */


#ifndef _NGX_HTTP_GOVSVC_ADMIN_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_ADMIN_H_INCLUDED_


#include "admin/gs_admin.h"
#include "core/gs_json_out.h"
#include "http/ngx_http_govsvc_health.h"
#include "http/ngx_http_govsvc_registry.h"
#include "ngx/ngx_govsvc_lead.h"
#include "ngx/ngx_govsvc_thread.h"
#include "route/gs_route_share.h"


#define NGX_HTTP_GOVSVC_ADMIN_MTLS     1
#define NGX_HTTP_GOVSVC_ADMIN_JWT      2
#define NGX_HTTP_GOVSVC_ADMIN_SIGNED   4

#define NGX_HTTP_GOVSVC_ADMIN_WAITING  256  /* jobs of a worker */
#define NGX_HTTP_GOVSVC_ADMIN_SANS     16


#define NGX_HTTP_GOVSVC_ADMIN_PROBES   8    /* begun in a second */
#define NGX_HTTP_GOVSVC_ADMIN_NONCE    32


#define NGX_HTTP_GOVSVC_SHARE_DOWN     99   /* beside gs_route_share_e */


typedef struct ngx_http_govsvc_admin_job_s  ngx_http_govsvc_admin_job_t;
typedef struct ngx_http_govsvc_share_s      ngx_http_govsvc_share_t;
typedef struct ngx_http_govsvc_share_flow_s ngx_http_govsvc_share_flow_t;
typedef struct ngx_http_govsvc_own_s        ngx_http_govsvc_own_t;
typedef struct ngx_http_govsvc_named_s      ngx_http_govsvc_named_t;
typedef struct ngx_http_govsvc_named_job_s  ngx_http_govsvc_named_job_t;


/* What a job has to do with the store that nodes share. */
typedef enum {
    NGX_HTTP_GOVSVC_SHARE_NONE = 0,
    NGX_HTTP_GOVSVC_SHARE_PUT,             /* a change */
    NGX_HTTP_GOVSVC_SHARE_FOUND,           /* all this node has */
    NGX_HTTP_GOVSVC_SHARE_ACCEPT,          /* what the store has */
    NGX_HTTP_GOVSVC_SHARE_ASK,             /* how far is this node? */
    NGX_HTTP_GOVSVC_SHARE_ENTRIES,         /* changes of others */
    NGX_HTTP_GOVSVC_SHARE_REPLACE          /* all that the store has */
} ngx_http_govsvc_share_e;


/* A change of the stream, in one piece of memory. */
typedef struct {
    ngx_queue_t                     queue;
    uint64_t                        epoch;
    uint64_t                        revision;
    uint64_t                        tip;
    uint64_t                        prev;
    gs_str_t                        text;
} ngx_http_govsvc_share_entry_t;


/* A server that has to prove whose it is; texts end in NUL. */
typedef struct {
    u_char                          id[GS_ADMIN_ID + 1];
    u_char                          nonce[NGX_HTTP_GOVSVC_ADMIN_NONCE + 1];
    u_char                          tls[GS_ADMIN_ID + 1];  /* pool, or "" */
    u_char                          url[400];
    ngx_uint_t                      named;     /* asked at the address */
    gs_net_t                        net;
    u_char                          address[GS_NET_TEXT];
} ngx_http_govsvc_admin_probe_t;


/* Made at configuration, used by one worker. */
typedef struct {
    gs_route_doc_t                  doc;       /* of the thread */
    uint64_t                        stamp;
    ngx_uint_t                      ready;
    ngx_uint_t                      fresh;     /* stamp was taken */
    ngx_uint_t                      behind;    /* the file is no truth */
    uint64_t                        hosts;     /* stamp, of the table */

    ngx_queue_t                     waiting;   /* of the event loop */
    ngx_uint_t                      nwaiting;
    ngx_http_govsvc_admin_job_t    *current;
    ngx_uint_t                      done;
    ngx_event_t                     tick;
    ngx_event_t                     hold;      /* keeps the worker */
    ngx_http_govsvc_share_t        *share;     /* NULL: not shared */
    ngx_http_govsvc_own_t          *own;
#if (NGX_THREADS)
    ngx_thread_task_t              *task;
#endif
} ngx_http_govsvc_admin_worker_t;


typedef struct {
    ngx_str_t                       credentials;       /* a file */
    ngx_str_t                       credentials_text;
    ngx_array_t                     deny;              /* gs_net_t */
    ngx_uint_t                      used;
    ngx_uint_t                      proof;
    ngx_uint_t                      loopback;
    gs_str_t                        node;
    ngx_cycle_t                    *cycle;
    ngx_govsvc_lead_t              *lead;      /* of the stream */
    ngx_http_govsvc_named_t        *named;     /* NULL: numbers only */
    ngx_http_govsvc_registry_t     *registry;
    ngx_http_govsvc_admin_worker_t *worker;
#if (NGX_THREADS)
    ngx_thread_pool_t              *threads;
#endif
} ngx_http_govsvc_admin_main_conf_t;


typedef struct {
    ngx_flag_t                      enable;
    ngx_uint_t                      auth;              /* bits */
    size_t                          body;
} ngx_http_govsvc_admin_loc_conf_t;


typedef struct {
    gs_str_t                        id;
    gs_health_report_t              report;
} ngx_http_govsvc_admin_health_t;


/*
 * A call or, without a request, the work of each second.  In a pool of its
 * own: the request may be gone before the thread is done.
 */
struct ngx_http_govsvc_admin_job_s {
    ngx_queue_t                     queue;
    ngx_pool_t                     *pool;
    ngx_http_request_t             *request;           /* NULL: gone */
    ngx_uint_t                      tick;
    ngx_http_govsvc_admin_main_conf_t *conf;

    gs_admin_request_t              q;
    gs_str_t                        sans[NGX_HTTP_GOVSVC_ADMIN_SANS];
    ngx_array_t                     ejected;           /* ngx_str_t */
    ngx_array_t                     health;            /* of instances */
    ngx_http_govsvc_admin_probe_t   probes[NGX_HTTP_GOVSVC_ADMIN_PROBES];
    ngx_uint_t                      nprobes;
    ngx_uint_t                      proved;            /* the first did */
    ngx_http_govsvc_named_job_t    *named;             /* names, or NULL */
    ngx_fd_t                        fd;                /* of a long body */

    gs_admin_reply_t                reply;
    char                           *text;              /* malloc'ed */
    size_t                          len;

    ngx_http_govsvc_share_e         share;
    ngx_uint_t                      stored;            /* in the store */
    ngx_uint_t                      tries;
    ngx_uint_t                      gap;
    ngx_uint_t                      forked;
    ngx_event_t                     retry;
    ngx_http_govsvc_share_flow_t   *flow;
    gs_route_head_t                 base;              /* of the document */
    gs_route_head_t                 next;
    char                           *change;            /* malloc'ed */
    ngx_array_t                    *pairs;             /* name, record, ... */
    ngx_array_t                    *nodes;             /* id, state, ... */
    ngx_array_t                    *beats;             /* id, deadline, ... */
    ngx_queue_t                     entries;
};


ngx_int_t ngx_http_govsvc_admin_handler(ngx_http_request_t *r);

/* Fills who is calling, as far as it was proved. */
ngx_int_t ngx_http_govsvc_admin_identify(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job);

/* Called in the event loop when a job with a request is done. */
void ngx_http_govsvc_admin_answer(ngx_http_govsvc_admin_job_t *job);

/*
 * In the event loop: answers what the engine leaves to the gateway, as text
 * in memory of the request.  NGX_ERROR: memory is out.
 */
ngx_int_t ngx_http_govsvc_admin_hosted(ngx_http_request_t *r,
    gs_admin_reply_t *reply, ngx_str_t *text);

/* A refusal of what is hosted, as the text of the answer. */
void ngx_http_govsvc_admin_fail(gs_admin_reply_t *reply, gs_buf_t *b,
    ngx_uint_t status, const char *code, const char *field,
    const char *detail);

/* A member of what was given, empty if it is none or no text; ends in NUL. */
ngx_str_t ngx_http_govsvc_admin_member(const json_t *given, const char *name);

/* {"result":"..."} */
void ngx_http_govsvc_admin_result(gs_buf_t *b, const char *result);

/*
 * The resources bans and revocations: a page of the list where nothing is
 * given, else sets or lifts.
 */
void ngx_http_govsvc_admin_bans(ngx_http_request_t *r,
    gs_admin_reply_t *reply, gs_buf_t *b);
void ngx_http_govsvc_admin_revocations(ngx_http_request_t *r,
    gs_admin_reply_t *reply, gs_buf_t *b);

/* The report of a month, JSON or CSV. */
void ngx_http_govsvc_admin_availability(gs_admin_reply_t *reply,
    gs_buf_t *b);

/* The status of this node, as one JSON object. */
void ngx_http_govsvc_admin_status(ngx_http_request_t *r, gs_buf_t *b);

/* Gives the job to the thread; NGX_BUSY when too many wait. */
ngx_int_t ngx_http_govsvc_admin_post(ngx_http_govsvc_admin_job_t *job);
void ngx_http_govsvc_admin_free(ngx_http_govsvc_admin_job_t *job);

/* The engine for the job, and its host; both are the caller's memory. */
void ngx_http_govsvc_admin_engine(ngx_http_govsvc_admin_job_t *job,
    gs_admin_t *a, gs_admin_host_t *host);

/*
 * What this node is itself, and where the others are.  _create() in the
 * memory of pool, NULL if it is out; _stores() in the event loop while no
 * thread works: where Redis is now; _own() in the thread, or while none works:
 * as it is now, the interfaces as they were a minute ago at most; _others() in
 * the thread: what _nodes_take() learnt.  _file() at the end of the
 * configuration: logs an instance of govsvc_platforms at such a place,
 * NGX_ERROR.
 */
ngx_http_govsvc_own_t *ngx_http_govsvc_own_create(ngx_pool_t *pool,
    ngx_cycle_t *cycle);
void ngx_http_govsvc_own_stores(ngx_http_govsvc_own_t *o,
    ngx_cycle_t *cycle);
const gs_admin_own_t *ngx_http_govsvc_own(ngx_http_govsvc_own_t *o,
    ngx_log_t *log);
void ngx_http_govsvc_own_others(ngx_http_govsvc_own_t *o,
    ngx_http_govsvc_registry_t *reg);
ngx_int_t ngx_http_govsvc_own_file(ngx_conf_t *cf);

/*
 * The addresses of nodes, in the event loop.  _text(): those of this one, as a
 * JSON array into buf, while no thread works; the end.  _take(): of what all
 * nodes told.
 */
#define NGX_HTTP_GOVSVC_NODES_TEXT  4096

u_char *ngx_http_govsvc_nodes_text(ngx_http_govsvc_own_t *o, u_char *buf,
    ngx_log_t *log);
void ngx_http_govsvc_nodes_take(ngx_http_govsvc_admin_main_conf_t *amcf,
    ngx_govsvc_redis_reply_t *reply);

/* In the event loop: heartbeats of leases that any node got. */
void ngx_http_govsvc_nodes_beats(ngx_http_govsvc_registry_t *reg,
    ngx_govsvc_redis_reply_t *reply);

/* In the event loop: what instances will show of their health. */
ngx_int_t ngx_http_govsvc_admin_health_fill(ngx_http_govsvc_admin_job_t *job);

/* In the thread: finds servers that have to prove something now. */
void ngx_http_govsvc_admin_waiting(ngx_http_govsvc_admin_job_t *job,
    gs_admin_t *a);

/* In the thread, each second: is what came by the API still allowed? */
void ngx_http_govsvc_admin_judge(ngx_http_govsvc_registry_t *reg,
    gs_admin_t *a, ngx_log_t *log);

/* In the event loop: asks them; what they prove becomes another job. */
void ngx_http_govsvc_admin_ask(ngx_http_govsvc_admin_job_t *job);

/* One server: the probe is copied.  NGX_ERROR: it was not asked. */
ngx_int_t ngx_http_govsvc_admin_ask_one(
    ngx_http_govsvc_admin_main_conf_t *amcf,
    ngx_http_govsvc_admin_probe_t *probe);

/* A job of the work of each second, or with what was proved. */
ngx_http_govsvc_admin_job_t *ngx_http_govsvc_admin_own_job(
    ngx_http_govsvc_admin_main_conf_t *amcf);

/* In the thread: does what the job says. */
void ngx_http_govsvc_admin_run(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log);

/*
 * The job that is done is run once more, completed, or left to its owner: in
 * the event loop.
 */
void ngx_http_govsvc_admin_release(ngx_http_govsvc_admin_worker_t *w);
void ngx_http_govsvc_admin_again(ngx_http_govsvc_admin_worker_t *w);
void ngx_http_govsvc_admin_end(ngx_http_govsvc_admin_worker_t *w);
void ngx_http_govsvc_admin_refuse(ngx_http_govsvc_admin_job_t *job,
    unsigned status, const char *code);
void ngx_http_govsvc_admin_refresh(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log);


/*
 * The store that nodes share.  _hooks() gives the engine what it then asks,
 * _run() is the part of a job that is done in the thread, _next() the part in
 * the event loop: 1 if the job goes on.  _post() is as _admin_post(), but asks
 * the store before where the answer needs that.
 */
ngx_int_t ngx_http_govsvc_share_init(ngx_http_govsvc_admin_main_conf_t *amcf,
    ngx_cycle_t *cycle);
void ngx_http_govsvc_share_exit(ngx_http_govsvc_admin_main_conf_t *amcf);
void ngx_http_govsvc_share_lead(void *data, ngx_uint_t leads);
void ngx_http_govsvc_share_hooks(ngx_http_govsvc_admin_job_t *job,
    gs_admin_host_t *host);
void ngx_http_govsvc_share_run(ngx_http_govsvc_admin_job_t *job,
    ngx_log_t *log);
ngx_uint_t ngx_http_govsvc_share_next(ngx_http_govsvc_admin_job_t *job);
ngx_int_t ngx_http_govsvc_share_post(ngx_http_govsvc_admin_job_t *job);
void ngx_http_govsvc_share_free(ngx_http_govsvc_admin_job_t *job);

/* In the thread: a heartbeat that other nodes are to learn of. */
void ngx_http_govsvc_share_beat(ngx_http_govsvc_admin_job_t *job,
    const char *id, uint64_t deadline);

/* The flow of commands of a job; its end is told by _flow_done(). */
ngx_int_t ngx_http_govsvc_share_flow(ngx_http_govsvc_admin_main_conf_t *amcf,
    ngx_http_govsvc_admin_job_t *job);
void ngx_http_govsvc_share_flow_done(ngx_http_govsvc_admin_job_t *job,
    const char *code);
void ngx_http_govsvc_share_flow_stop(ngx_http_govsvc_share_flow_t *flow);
uint64_t ngx_http_govsvc_share_random(void);

/* The handler of job->retry; heartbeats of the job, to the other nodes. */
void ngx_http_govsvc_share_retry(ngx_event_t *ev);
void ngx_http_govsvc_share_tell(ngx_http_govsvc_admin_job_t *job);

/* PREFIX{registry}:NAME or PREFIX{registry}:NAME:EPOCH, in memory of pool. */
ngx_int_t ngx_http_govsvc_share_key(ngx_govsvc_redis_t *rd, ngx_pool_t *pool,
    const char *name, uint64_t epoch, ngx_str_t *key);
/* Copies the texts of a reply to the array. */
ngx_int_t ngx_http_govsvc_share_texts(ngx_array_t *list,
    ngx_govsvc_redis_reply_t *reply);


ngx_int_t ngx_http_govsvc_admin_init_process(ngx_cycle_t *cycle);
void ngx_http_govsvc_admin_exit_process(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_GOVSVC_ADMIN_H_INCLUDED_ */
