
/*
 * Copyright (C) govsvc authors
 *
 * Redis from the inside.  From the bottom up:
 *
 *     codec     commands to bytes, replies to trees (hiredis)
 *     conn      one connection: connect, TLS, close
 *     hello     what is asked first: AUTH, CLIENT SETNAME, ROLE, TIME
 *     queue     its FIFO of calls: flush, replies, deadlines
 *     node      an address: its pipelined connection, reconnects, breaker,
 *               clock
 *     ask       one question to the first of many addresses that answers;
 *               for Sentinel and for the slots of a cluster
 *     redis     a named redis: calls, where they go, what becomes of them
 */


#ifndef _NGX_GOVSVC_REDIS_PRIV_H_INCLUDED_
#define _NGX_GOVSVC_REDIS_PRIV_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "core/gs_redis.h"
#include "ngx/ngx_govsvc_redis.h"


#define NGX_GOVSVC_REDIS_BYTES      (4 * 1024 * 1024)   /* of one reply */
#define NGX_GOVSVC_REDIS_ITEMS      (128 * 1024)        /* in one reply */
#define NGX_GOVSVC_REDIS_COMMAND    (1024 * 1024)       /* bytes of a call */
#define NGX_GOVSVC_REDIS_BACKLOG    (16 * 1024 * 1024)  /* not yet sent */
#define NGX_GOVSVC_REDIS_BUFFER     16384
#define NGX_GOVSVC_REDIS_REDIRECTS  5
#define NGX_GOVSVC_REDIS_TICK       1000                /* ms: TIME */
#define NGX_GOVSVC_REDIS_MEND       200                 /* ms: half open */
#define NGX_GOVSVC_REDIS_ROWS       1024
#define NGX_GOVSVC_REDIS_REASON     160
#define NGX_GOVSVC_REDIS_RUN_ID     40

/* put to the number of commands that stand between MULTI and EXEC */
#define NGX_GOVSVC_REDIS_IN_MULTI   0x10000


typedef struct ngx_govsvc_redis_conn_s  ngx_govsvc_redis_conn_t;
typedef struct ngx_govsvc_redis_node_s  ngx_govsvc_redis_node_t;
typedef struct ngx_govsvc_redis_ask_s   ngx_govsvc_redis_ask_t;
typedef struct ngx_govsvc_redis_run_s   ngx_govsvc_redis_run_t;


typedef enum {
    NGX_GOVSVC_REDIS_SERVER = 0,
    NGX_GOVSVC_REDIS_SENTINEL,
    NGX_GOVSVC_REDIS_CLUSTER
} ngx_govsvc_redis_kind_e;


typedef struct {
    ngx_str_t   host;                      /* address, name, or path */
    ngx_uint_t  port;                      /* 0: a UNIX socket */
} ngx_govsvc_redis_peer_t;


/* In shared memory. */
typedef struct {
    uint32_t                 magic;
    ngx_govsvc_redis_row_t   rows[NGX_GOVSVC_REDIS_ROWS];
} ngx_govsvc_redis_rows_t;


struct ngx_govsvc_redis_s {
    ngx_str_t                 name;
    ngx_govsvc_redis_kind_e   kind;
    ngx_array_t               peers;       /* ngx_govsvc_redis_peer_t */
    ngx_str_t                 master;      /* its name in Sentinel */

    ngx_str_t                 user;
    ngx_str_t                 password;    /* data NULL: no AUTH */
    ngx_str_t                 sentinel_user;
    ngx_str_t                 sentinel_password;
    ngx_str_t                 prefix;
    ngx_str_t                 client;      /* CLIENT SETNAME, without worker */

    ngx_ssl_t                *ssl;         /* NULL: plain */
    ngx_str_t                 tls_name;    /* "": the host */
    ngx_str_t                 tls_cert;
    ngx_str_t                 tls_key;
    ngx_str_t                 ca;
    ngx_flag_t                tls;
    ngx_flag_t                tls_verify;

    ngx_msec_t                connect_timeout;
    ngx_msec_t                command_timeout;
    ngx_uint_t                max_inflight;
    ngx_msec_t                reconnect;
    ngx_msec_t                reconnect_max;
    ngx_uint_t                jitter;              /* percent */
    ngx_uint_t                breaker_errors;
    ngx_msec_t                breaker_silence;

    ngx_resolver_t           *resolver;
    ngx_msec_t                resolver_timeout;

    ngx_shm_zone_t           *shm_zone;
    ngx_govsvc_redis_rows_t  *rows;

    ngx_uint_t                defined;
    ngx_str_t                 file;                /* of the first mention */
    ngx_uint_t                line;

    ngx_govsvc_redis_run_t   *run;                 /* of this worker */
};


struct ngx_govsvc_redis_call_s {
    ngx_queue_t                    queue;
    ngx_govsvc_redis_handler_pt    handler;
    void                          *data;

    /* instead of handler, inside: the bytes of the whole reply, or NULL */
    void                         (*frame)(ngx_govsvc_redis_call_t *call,
                                          ngx_govsvc_redis_status_e status,
                                          const gs_str_t *frame);

    ngx_govsvc_redis_run_t        *run;            /* NULL: not from run */
    char                          *cmd;            /* as formatted */
    size_t                         len;
    ngx_msec_t                     deadline;
    ngx_msec_t                     timeout;
    ngx_uint_t                     expect;         /* replies to come */
    ngx_uint_t                     replies;        /* of the whole call */
    ngx_uint_t                     slot;           /* or GS_REDIS_SLOTS */
    ngx_uint_t                     tries;
    uint64_t                       sent;           /* us, mono; for TIME */

    ngx_govsvc_redis_status_e      refused;        /* inside of a MULTI */
    ngx_govsvc_redis_status_e      outcome;        /* if it waits in vain */

    unsigned                       again:1;
    unsigned                       multi:1;
    unsigned                       written:1;      /* given to a connection */
    unsigned                       asking:1;
    unsigned                       probe:1;        /* the half-open one */
    unsigned                       queued:1;       /* in a connection */
    unsigned                       late:1;         /* ended, reply to come */
};


typedef enum {
    NGX_GOVSVC_REDIS_CONN_IDLE = 0,
    NGX_GOVSVC_REDIS_CONN_CONNECT,
    NGX_GOVSVC_REDIS_CONN_HANDSHAKE,
    NGX_GOVSVC_REDIS_CONN_READY,
    NGX_GOVSVC_REDIS_CONN_CLOSED
} ngx_govsvc_redis_conn_state_e;


typedef enum {
    NGX_GOVSVC_REDIS_STEP_AUTH = 0,
    NGX_GOVSVC_REDIS_STEP_SETNAME,
    NGX_GOVSVC_REDIS_STEP_ROLE,
    NGX_GOVSVC_REDIS_STEP_INFO,
    NGX_GOVSVC_REDIS_STEP_TIME
} ngx_govsvc_redis_step_e;


struct ngx_govsvc_redis_conn_s {
    ngx_govsvc_redis_t             *rd;
    ngx_pool_t                     *pool;
    ngx_log_t                      *log;
    ngx_govsvc_redis_conn_state_e   state;

    void                          (*ready)(ngx_govsvc_redis_conn_t *conn);
    void                          (*lost)(ngx_govsvc_redis_conn_t *conn);
    void                          (*done)(ngx_govsvc_redis_conn_t *conn,
                                          ngx_govsvc_redis_call_t *call,
                                          ngx_govsvc_redis_status_e status,
                                          const gs_str_t *frame);
    void                           *data;          /* of the owner */

    ngx_govsvc_redis_peer_t         peer;
    ngx_peer_connection_t           pc;
    ngx_sockaddr_t                  sockaddr;
    ngx_resolver_ctx_t             *resolving;

    ngx_uint_t                      sentinel;      /* AUTH as such, no ROLE */
    ngx_uint_t                      any;           /* a replica will do */
    ngx_govsvc_redis_step_e         steps[5];
    ngx_uint_t                      nsteps;
    ngx_uint_t                      step;

    ngx_queue_t                     calls;
    ngx_uint_t                      ncalls;
    ngx_event_t                     timer;
    ngx_event_t                     flush;
    ngx_msec_t                      started;
    ngx_msec_t                      wake;          /* when timer is set */
    ngx_msec_t                      heard;
    ngx_msec_t                      silence;       /* 0: for ever */

    u_char                         *out;
    size_t                          out_size;
    size_t                          out_pos;
    size_t                          out_last;

    u_char                         *in;
    size_t                          in_size;
    size_t                          in_pos;
    size_t                          in_last;
    gs_resp_scan_t                  scan;
    void                           *reader;

    /* what the handshake told */
    uint64_t                        hello;         /* us, mono: sent */
    uint64_t                        offset;        /* of replication */
    uint64_t                        time;          /* us, TIME */
    u_char                          run_id[NGX_GOVSVC_REDIS_RUN_ID];
    uint64_t                        heard_us;

    ngx_uint_t                      entered;
    ngx_govsvc_redis_status_e       status;        /* why it was closed */
    u_char                          reason[NGX_GOVSVC_REDIS_REASON];
    unsigned                        freed:1;
    unsigned                        quits:1;       /* when the worker does */
};


struct ngx_govsvc_redis_node_s {
    ngx_queue_t                queue;
    ngx_govsvc_redis_t        *rd;
    ngx_govsvc_redis_peer_t    peer;
    u_char                     host[GS_REDIS_HOST + 1];    /* behind peer */
    ngx_govsvc_redis_conn_t   *conn;               /* NULL: down */

    ngx_event_t                retry;
    ngx_msec_t                 backoff;
    ngx_uint_t                 failures;           /* since it was ready */

    ngx_event_t                tick;
    ngx_govsvc_redis_call_t    time;               /* the TIME of a tick */
    int64_t                    offset;
    uint64_t                   error;
    uint64_t                   rtt;                /* the least, growing */

    uint64_t                   repl;               /* last offset seen */
    u_char                     run_id[NGX_GOVSVC_REDIS_RUN_ID];

    ngx_uint_t                 errors;             /* in a row */
    ngx_msec_t                 mend;               /* when half open */
    unsigned                   open:1;             /* the breaker */
    unsigned                   probing:1;
    unsigned                   ticking:1;          /* TIME is on its way */
    unsigned                   clock:1;            /* offset is measured */
    unsigned                   known:1;            /* repl is */
    unsigned                   gone:1;             /* not in the cluster */
};


struct ngx_govsvc_redis_ask_s {
    ngx_govsvc_redis_t        *rd;
    ngx_govsvc_redis_conn_t   *conn;
    ngx_govsvc_redis_call_t    call;
    ngx_array_t                peers;      /* copies, the best one first */
    ngx_uint_t                 next;
    ngx_event_t                timer;      /* to ask (again) */
    ngx_msec_t                 backoff;
    unsigned                   wanted:1;   /* once more after this one */
};


typedef struct {
    gs_redis_slots_t           slots;
    gs_redis_slots_t           scratch;
    ngx_govsvc_redis_node_t   *nodes[GS_REDIS_NODES];
    ngx_govsvc_redis_node_t   *owner[GS_REDIS_SLOTS];
    ngx_uint_t                 known;
} ngx_govsvc_redis_map_t;


struct ngx_govsvc_redis_run_s {
    ngx_govsvc_redis_t        *rd;
    ngx_pool_t                *pool;
    ngx_log_t                 *log;
    ngx_queue_t                nodes;
    ngx_uint_t                 nnodes;
    ngx_govsvc_redis_node_t   *primary;    /* not in a cluster */
    ngx_govsvc_redis_ask_t    *ask;        /* Sentinel, cluster */
    ngx_govsvc_redis_map_t    *map;        /* cluster */

    ngx_queue_t                chunks;     /* of calls */
    ngx_queue_t                free;       /* calls */
    ngx_uint_t                 ncalls;     /* in use */
    ngx_queue_t                waiting;    /* calls without a node */
    ngx_event_t                timer;      /* of their deadlines */

    ngx_queue_t                streams;
    ngx_queue_t                sessions;

    ngx_uint_t                 epoch;
    uint64_t                   since;
    ngx_govsvc_redis_row_t    *row;
    ngx_govsvc_redis_row_t     none;       /* when there is no zone */
    ngx_uint_t                 failed;     /* an attempt, since it worked */
};


#define NGX_GOVSVC_REDIS_CHUNK  64         /* calls allocated at once */


typedef struct {
    ngx_queue_t              queue;
    ngx_govsvc_redis_call_t  calls[NGX_GOVSVC_REDIS_CHUNK];
} ngx_govsvc_redis_chunk_t;


/* codec */

ngx_int_t ngx_govsvc_redis_format(ngx_govsvc_redis_call_t *call,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n);
void ngx_govsvc_redis_format_free(ngx_govsvc_redis_call_t *call);
void *ngx_govsvc_redis_reader(void);
void ngx_govsvc_redis_reader_free(void *reader);

/* The tree of one whole reply; NULL if memory is out or it is malformed. */
ngx_govsvc_redis_reply_t *ngx_govsvc_redis_parse(void *reader,
    const gs_str_t *frame);
void ngx_govsvc_redis_reply_free(ngx_govsvc_redis_reply_t *reply);
ngx_govsvc_redis_status_e ngx_govsvc_redis_class(const gs_str_t *frame);


/* conn: NULL if memory is out; it reports through ready, lost, done */

ngx_govsvc_redis_conn_t *ngx_govsvc_redis_conn_create(ngx_govsvc_redis_t *rd,
    const ngx_govsvc_redis_peer_t *peer);
void ngx_govsvc_redis_conn_start(ngx_govsvc_redis_conn_t *conn);

/*
 * Closes; lost() runs first, then the calls end with status, those never
 * written with DOWN.  The memory goes when nothing of it runs any more.
 */
void ngx_govsvc_redis_conn_close(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_status_e status, const char *reason);

/* Closes without a word to anybody. */
void ngx_govsvc_redis_conn_drop(ngx_govsvc_redis_conn_t *conn);

void ngx_govsvc_redis_conn_enter(ngx_govsvc_redis_conn_t *conn);
void ngx_govsvc_redis_conn_leave(ngx_govsvc_redis_conn_t *conn);

#define ngx_govsvc_redis_conn_up(conn)                                        \
    ((conn)->state == NGX_GOVSVC_REDIS_CONN_READY)


/* hello */

void ngx_govsvc_redis_hello(ngx_govsvc_redis_conn_t *conn);
void ngx_govsvc_redis_hello_reply(ngx_govsvc_redis_conn_t *conn,
    const gs_str_t *frame);


/* queue */

/* Takes the call; NGX_ERROR (memory, backlog): not taken. */
ngx_int_t ngx_govsvc_redis_queue_send(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call);
ngx_int_t ngx_govsvc_redis_queue_write(ngx_govsvc_redis_conn_t *conn,
    const char *cmd, size_t len);

/* The handshake is over: what waited goes out. */
void ngx_govsvc_redis_queue_open(ngx_govsvc_redis_conn_t *conn);
void ngx_govsvc_redis_queue_flush(ngx_govsvc_redis_conn_t *conn);
void ngx_govsvc_redis_queue_read(ngx_govsvc_redis_conn_t *conn);
void ngx_govsvc_redis_queue_timer(ngx_event_t *ev);
void ngx_govsvc_redis_queue_flush_handler(ngx_event_t *ev);


/* node */

ngx_govsvc_redis_node_t *ngx_govsvc_redis_node_create(
    ngx_govsvc_redis_run_t *run, const gs_str_t *host, ngx_uint_t port);
void ngx_govsvc_redis_node_destroy(ngx_govsvc_redis_node_t *node);
ngx_int_t ngx_govsvc_redis_node_set(ngx_govsvc_redis_node_t *node,
    const gs_str_t *host, ngx_uint_t port);
void ngx_govsvc_redis_node_connect(ngx_govsvc_redis_node_t *node);

/* OK: a call would be taken now; else DOWN or BREAKER. */
ngx_govsvc_redis_status_e ngx_govsvc_redis_node_check(
    ngx_govsvc_redis_node_t *node, ngx_uint_t *probe);

/* What an answer says about the node; for the breaker. */
void ngx_govsvc_redis_node_judge(ngx_govsvc_redis_node_t *node,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status);
ngx_govsvc_redis_state_e ngx_govsvc_redis_node_state(
    ngx_govsvc_redis_node_t *node);


/* ask: Sentinel for the primary, a cluster for its slots */

ngx_govsvc_redis_ask_t *ngx_govsvc_redis_ask_create(
    ngx_govsvc_redis_run_t *run);
void ngx_govsvc_redis_ask_destroy(ngx_govsvc_redis_ask_t *ask);

/* Asks now, or soon when it has just been asked; many calls are one. */
void ngx_govsvc_redis_ask_now(ngx_govsvc_redis_ask_t *ask);


/* cluster */

ngx_int_t ngx_govsvc_redis_cluster_learn(ngx_govsvc_redis_run_t *run,
    const ngx_govsvc_redis_peer_t *from, const gs_str_t *frame);
ngx_govsvc_redis_node_t *ngx_govsvc_redis_cluster_node(
    ngx_govsvc_redis_run_t *run, const gs_redis_addr_t *addr,
    const ngx_str_t *self);


/* redis */

void ngx_govsvc_redis_moved(ngx_govsvc_redis_conn_t *conn,
    const gs_str_t *frame);
void ngx_govsvc_redis_done(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame);
void ngx_govsvc_redis_finish(ngx_govsvc_redis_conn_t *conn,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_status_e status,
    const gs_str_t *frame);
ngx_govsvc_redis_status_e ngx_govsvc_redis_route(ngx_govsvc_redis_run_t *run,
    ngx_govsvc_redis_call_t *call, ngx_govsvc_redis_node_t *node);


/* wait: calls without a node */

void ngx_govsvc_redis_wait(ngx_govsvc_redis_run_t *run,
    ngx_govsvc_redis_call_t *call);
void ngx_govsvc_redis_wait_timer(ngx_event_t *ev);
void ngx_govsvc_redis_wake(ngx_govsvc_redis_run_t *run);
void ngx_govsvc_redis_refuse_waiting(ngx_govsvc_redis_run_t *run);


/* run */

void ngx_govsvc_redis_new_epoch(ngx_govsvc_redis_run_t *run);
ngx_govsvc_redis_node_t *ngx_govsvc_redis_node_of(ngx_govsvc_redis_run_t *run,
    ngx_uint_t slot);
ngx_govsvc_redis_call_t *ngx_govsvc_redis_take(ngx_govsvc_redis_run_t *run,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n,
    ngx_govsvc_redis_status_e *status);
void ngx_govsvc_redis_release(ngx_govsvc_redis_call_t *call);

/* ms, spread by percent to both sides */
ngx_msec_t ngx_govsvc_redis_jitter(ngx_msec_t ms, ngx_uint_t percent);

void ngx_govsvc_redis_streams_stop(ngx_govsvc_redis_run_t *run);
void ngx_govsvc_redis_sessions_stop(ngx_govsvc_redis_run_t *run);


/* row */

void ngx_govsvc_redis_row_take(ngx_govsvc_redis_run_t *run);
void ngx_govsvc_redis_row_give(ngx_govsvc_redis_run_t *run);
void ngx_govsvc_redis_row_update(ngx_govsvc_redis_run_t *run);


/* value: in directives of the block; they log what they refuse */

ngx_uint_t ngx_govsvc_redis_param(ngx_str_t *arg, const char *name,
    ngx_str_t *value);
char *ngx_govsvc_redis_unknown(ngx_conf_t *cf, ngx_str_t *arg,
    const char *const *names);
char *ngx_govsvc_redis_msec(ngx_conf_t *cf, ngx_str_t *value,
    ngx_uint_t min, ngx_uint_t max, ngx_msec_t *ms);
char *ngx_govsvc_redis_number(ngx_conf_t *cf, ngx_str_t *value,
    ngx_uint_t min, ngx_uint_t max, ngx_uint_t *n);
char *ngx_govsvc_redis_on(ngx_conf_t *cf, ngx_str_t *value,
    ngx_flag_t *flag);


/* conf */

ngx_int_t ngx_govsvc_redis_zone_init(ngx_shm_zone_t *zone, void *data);


#endif /* _NGX_GOVSVC_REDIS_PRIV_H_INCLUDED_ */
