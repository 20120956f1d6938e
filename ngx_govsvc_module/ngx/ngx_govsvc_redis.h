
/*
 * Copyright (C) govsvc authors
 *
 * Redis without waiting: commands are appended to one pipelined connection of
 * the worker, written once a turn of the event loop, and answered through a
 * handler.  Knows no domain.
 *
 * A named redis is read-only configuration; what a worker keeps of it lives
 * from init_process to exit_process.  Everything here but _ref() and the
 * accessors of replies is for workers and never blocks.
 */


#ifndef _NGX_GOVSVC_REDIS_H_INCLUDED_
#define _NGX_GOVSVC_REDIS_H_INCLUDED_


#include "core/gs_net.h"
#include "core/gs_redis.h"
#include "ngx/ngx_govsvc.h"


#define NGX_GOVSVC_REDIS_ARGS  64          /* words of one command */


typedef struct ngx_govsvc_redis_s          ngx_govsvc_redis_t;
typedef struct ngx_govsvc_redis_call_s     ngx_govsvc_redis_call_t;
typedef struct ngx_govsvc_redis_stream_s   ngx_govsvc_redis_stream_t;
typedef struct ngx_govsvc_redis_session_s  ngx_govsvc_redis_session_t;
typedef struct redisReply                  ngx_govsvc_redis_reply_t;


/*
 * How a command ended.  From TIMEOUT to CLOSED the outcome is unknown: it may
 * have been carried out.  From DOWN to BAD it was never sent.  From LOADING on
 * Redis refused it, and it had no effect.
 */
typedef enum {
    NGX_GOVSVC_REDIS_OK = 0,               /* answered, not by an error */
    NGX_GOVSVC_REDIS_TIMEOUT,
    NGX_GOVSVC_REDIS_CLOSED,               /* the connection was lost */
    NGX_GOVSVC_REDIS_DOWN,                 /* there is no connection */
    NGX_GOVSVC_REDIS_BREAKER,              /* open after too many errors */
    NGX_GOVSVC_REDIS_FULL,                 /* max_inflight are waiting */
    NGX_GOVSVC_REDIS_BAD,                  /* no memory, too long, no key */
    NGX_GOVSVC_REDIS_LOADING,
    NGX_GOVSVC_REDIS_OOM,
    NGX_GOVSVC_REDIS_READONLY,
    NGX_GOVSVC_REDIS_MISCONF,
    NGX_GOVSVC_REDIS_NOREPLICAS,
    NGX_GOVSVC_REDIS_CLUSTERDOWN,          /* and MASTERDOWN, TRYAGAIN */
    NGX_GOVSVC_REDIS_NOAUTH,               /* and WRONGPASS */
    NGX_GOVSVC_REDIS_NOPERM,               /* the ACL forbids the command */
    NGX_GOVSVC_REDIS_MOVED,                /* redirected more than 5 times */
    NGX_GOVSVC_REDIS_ERROR,                /* any other error reply */
    NGX_GOVSVC_REDIS_STATUS_MAX
} ngx_govsvc_redis_status_e;


/*
 * Runs exactly once, from the event loop, never inside the function that took
 * the command.  reply is NULL but for OK and for error replies, and dies with
 * the return.  May call everything here.
 */
typedef void (*ngx_govsvc_redis_handler_pt)(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);


typedef struct {
    const ngx_str_t               *argv;   /* copied; any bytes */
    ngx_uint_t                     argc;   /* 1 to NGX_GOVSVC_REDIS_ARGS */
    ngx_uint_t                     key;    /* index of the key, 0: none */
    ngx_msec_t                     timeout;     /* 0: command_timeout */
    ngx_govsvc_redis_handler_pt    handler;     /* NULL: nobody asks */
    void                          *data;

    /*
     * May be carried out twice: after a lost connection it is sent once more,
     * if its time allows.  Never for ZINCRBY, INCRBY, XADD and the like.
     */
    unsigned                       again:1;
} ngx_govsvc_redis_cmd_t;


/*
 * Takes one command, or n of them as MULTI ... EXEC (the handler of the first
 * gets the reply of EXEC, an array of n; in a cluster all keys share a slot).
 * OK: the handler will run, once, and *call (which may be NULL) holds for
 * _cancel() until then.  Any other status, from DOWN to BAD: nothing was taken,
 * the handler will not run.  Commands for one key are carried out in the order
 * given as long as none of them is marked "again".
 */
ngx_govsvc_redis_status_e ngx_govsvc_redis_send(ngx_govsvc_redis_t *rd,
    const ngx_govsvc_redis_cmd_t *cmd, ngx_govsvc_redis_call_t **call);
ngx_govsvc_redis_status_e ngx_govsvc_redis_multi(ngx_govsvc_redis_t *rd,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n,
    ngx_govsvc_redis_call_t **call);

/*
 * The handler will not run any more; for the cleanup of a request that dies.
 * The command itself is not called back.
 */
void ngx_govsvc_redis_cancel(ngx_govsvc_redis_call_t *call);

/* 1 if a command would be taken now (but for FULL). */
ngx_uint_t ngx_govsvc_redis_ready(ngx_govsvc_redis_t *rd);


/*
 * The clock of the primary that keeps the key (NULL: the only one): its time
 * in microseconds is ngx_govsvc_mono_us() + *offset, within *error.
 * NGX_DECLINED as long as none was measured since the connection stands.
 */
ngx_int_t ngx_govsvc_redis_clock(ngx_govsvc_redis_t *rd, const ngx_str_t *key,
    int64_t *offset, uint64_t *error);

/*
 * Changes whenever writes may have been lost: another primary, or one whose
 * replication offset went back.  *since is the ngx_govsvc_mono_us() of the last
 * change, 0 for none since this worker started.
 */
ngx_uint_t ngx_govsvc_redis_epoch(ngx_govsvc_redis_t *rd, uint64_t *since);


/*
 * A number of the history that the primary writes, the same on all nodes, for
 * who keeps it longer than a worker lives.  0 in a cluster, and where it is
 * not known: without a connection, or where the ACL forbids INFO.
 */
uint64_t ngx_govsvc_redis_history(ngx_govsvc_redis_t *rd);


/* The name; the prefix of all keys (with its ":"), to be put before each. */
const ngx_str_t *ngx_govsvc_redis_name(const ngx_govsvc_redis_t *rd);
const ngx_str_t *ngx_govsvc_redis_prefix(const ngx_govsvc_redis_t *rd);
const char *ngx_govsvc_redis_status_text(ngx_govsvc_redis_status_e status);


/*
 * Replies.  A NULL reply, another type or an index too high give NGX_ERROR,
 * 0 or NULL; the bytes of _text() (bulk, status or error) live as long as the
 * reply.  _int() takes integers and decimal texts, whole and in range; _double
 * is for scores.
 */
ngx_uint_t ngx_govsvc_redis_is_nil(const ngx_govsvc_redis_reply_t *reply);
ngx_uint_t ngx_govsvc_redis_count(const ngx_govsvc_redis_reply_t *reply);
ngx_govsvc_redis_reply_t *ngx_govsvc_redis_at(
    const ngx_govsvc_redis_reply_t *reply, ngx_uint_t i);
ngx_int_t ngx_govsvc_redis_int(const ngx_govsvc_redis_reply_t *reply,
    int64_t *value);
ngx_int_t ngx_govsvc_redis_double(const ngx_govsvc_redis_reply_t *reply,
    double *value);
ngx_int_t ngx_govsvc_redis_text(const ngx_govsvc_redis_reply_t *reply,
    ngx_str_t *text);


/*
 * Follows a stream from the entry after *id on ("0": all there is, "$": from
 * now), by XREAD BLOCK on a connection of its own, through every reconnect.
 *
 * entry   one entry: its id, and n fields and values, alternating.  NGX_ERROR
 *         stops the reader until the connection is made again.
 * event   READY: all entries so far were handed over, once after each connect;
 *         GAP: entries after the last id may be lost (trimmed, or another
 *         history): fetch the snapshot; comes before the entries;
 *         LOST: the connection is gone; it is being made again.
 *
 * NULL if memory is out.  For one elected worker, not for all.
 */
typedef enum {
    NGX_GOVSVC_REDIS_STREAM_READY,
    NGX_GOVSVC_REDIS_STREAM_GAP,
    NGX_GOVSVC_REDIS_STREAM_LOST
} ngx_govsvc_redis_stream_event_e;

typedef struct {
    ngx_int_t  (*entry)(void *data, const ngx_str_t *id,
                        const ngx_str_t *fields, ngx_uint_t n);
    void       (*event)(void *data, ngx_govsvc_redis_stream_event_e event);
    void        *data;
} ngx_govsvc_redis_stream_conf_t;

ngx_govsvc_redis_stream_t *ngx_govsvc_redis_stream_open(
    ngx_govsvc_redis_t *rd, const ngx_str_t *key, const ngx_str_t *id,
    const ngx_govsvc_redis_stream_conf_t *conf);
void ngx_govsvc_redis_stream_close(ngx_govsvc_redis_stream_t *stream);


/*
 * A connection for one user alone, for WATCH ... MULTI ... EXEC.  Commands are
 * queued while it connects to the primary that keeps the key.  When it is
 * lost, they end as CLOSED and later ones as DOWN; it is not made again.
 * _close() runs the handlers that are left with CLOSED.
 */
ngx_govsvc_redis_session_t *ngx_govsvc_redis_session_open(
    ngx_govsvc_redis_t *rd, const ngx_str_t *key);
ngx_govsvc_redis_status_e ngx_govsvc_redis_session_send(
    ngx_govsvc_redis_session_t *session, const ngx_govsvc_redis_cmd_t *cmd,
    ngx_govsvc_redis_call_t **call);
void ngx_govsvc_redis_session_close(ngx_govsvc_redis_session_t *session);


/*
 * What status shows: one row for each worker, in shared memory, each counter
 * whole.  A row counts on when its worker is replaced.
 */
typedef enum {
    NGX_GOVSVC_REDIS_STATE_OFF = 0,        /* no worker has this row */
    NGX_GOVSVC_REDIS_STATE_CONNECTING,     /* connect, TLS, handshake */
    NGX_GOVSVC_REDIS_STATE_READY,
    NGX_GOVSVC_REDIS_STATE_BREAKER,        /* connected, errors only */
    NGX_GOVSVC_REDIS_STATE_DOWN,           /* waiting to connect again */
    NGX_GOVSVC_REDIS_STATE_MAX
} ngx_govsvc_redis_state_e;

typedef struct {
    ngx_atomic_t  state;
    ngx_atomic_t  pid;
    ngx_atomic_t  connects;                /* handshakes that succeeded */
    ngx_atomic_t  failures;                /* connections refused or lost */
    ngx_atomic_t  commands;
    ngx_atomic_t  flushes;                 /* writes: commands / flushes is */
                                           /* the depth of the pipeline */
    ngx_atomic_t  ended[NGX_GOVSVC_REDIS_STATUS_MAX];
    ngx_atomic_t  inflight;
    ngx_atomic_t  rtt;                     /* us, of the last TIME */
    ngx_atomic_t  epoch;
    ngx_atomic_t  redirects;
    ngx_atomic_t  breaker;                 /* times it opened */
} ngx_govsvc_redis_row_t;

ngx_govsvc_redis_state_e ngx_govsvc_redis_state(const ngx_govsvc_redis_t *rd);
const char *ngx_govsvc_redis_state_text(ngx_govsvc_redis_state_e state);

/* Row i of rows; NULL when i is too high or shared memory is not there. */
const ngx_govsvc_redis_row_t *ngx_govsvc_redis_row(
    const ngx_govsvc_redis_t *rd, ngx_uint_t i);

/* How many workers are in each state; of those without a row none. */
void ngx_govsvc_redis_states(const ngx_govsvc_redis_t *rd,
    ngx_uint_t n[NGX_GOVSVC_REDIS_STATE_MAX]);


/*
 * Calls found for each address that is known to be of a server, Sentinel or
 * node of the redis: those written as numbers, and, in a worker, those that
 * were discovered and those it is connected to.  One may come twice.
 */
typedef void (*ngx_govsvc_redis_addr_pt)(void *data, const gs_net_t *net,
    ngx_uint_t port);

void ngx_govsvc_redis_addrs(const ngx_govsvc_redis_t *rd,
    ngx_govsvc_redis_addr_pt found, void *data);


/*
 * For the module that owns the blocks.  _create() stands for a name where it
 * is mentioned first, _block() reads the block that cf is at, _init() ends the
 * configuration of each: certificates, shared memory, and the refusal of a name
 * without a block.  All log what is wrong.  client is for CLIENT SETNAME.
 */
ngx_govsvc_redis_t *ngx_govsvc_redis_conf_create(ngx_conf_t *cf,
    ngx_str_t *name);
char *ngx_govsvc_redis_conf_block(ngx_conf_t *cf, ngx_govsvc_redis_t *rd);
char *ngx_govsvc_redis_conf_init(ngx_conf_t *cf, ngx_govsvc_redis_t *rd,
    ngx_str_t *client, ngx_resolver_t *resolver, ngx_msec_t timeout);

/* In a worker, from init_process to exit_process; NGX_ERROR: no memory. */
ngx_int_t ngx_govsvc_redis_start(ngx_govsvc_redis_t *rd, ngx_cycle_t *cycle);
void ngx_govsvc_redis_stop(ngx_govsvc_redis_t *rd);


#endif /* _NGX_GOVSVC_REDIS_H_INCLUDED_ */
