
/*
 * Copyright (C) govsvc authors
 *
 * Inside audit: the chain of a process, and what of it lies in shared memory,
 * where another process finds it should this one be killed.
 */


#ifndef _NGX_HTTP_GOVSVC_AUDIT_PRIV_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_AUDIT_PRIV_H_INCLUDED_


#include "audit/gs_audit_scan.h"
#include "core/gs_fault.h"
#include "http/ngx_http_govsvc_audit.h"


#define NGX_HTTP_GOVSVC_AUDIT_NAME     NGX_GOVSVC_WRITER_CHAIN
#define NGX_HTTP_GOVSVC_AUDIT_HEAD     2   /* bytes, of a draft's head */
#define NGX_HTTP_GOVSVC_AUDIT_KEEP     180 /* days: six months by law */
#define NGX_HTTP_GOVSVC_AUDIT_SHORT    1024  /* a record of ours */
#define NGX_HTTP_GOVSVC_AUDIT_AGGS     256
#define NGX_HTTP_GOVSVC_AUDIT_FLIGHTS  4096
#define NGX_HTTP_GOVSVC_AUDIT_CODE     8   /* "HTTP_" and three digits */
#define NGX_HTTP_GOVSVC_AUDIT_RECEIPT  (32 + 3 + 40 + GS_AUDIT_HASH_TEXT)


/* Requests of one class that are not in the record. */
typedef struct {
    uint64_t                            n;
    uint64_t                            first;    /* g */
    uint64_t                            last;
    uint64_t                            space;    /* shed for the disk's */
    uint64_t                            told;     /* in the ring, behind it */
} ngx_http_govsvc_audit_lost_t;


/* Refusals of one kind in this window. */
typedef struct {
    uint64_t                            key;      /* 0: free */
    uint64_t                            end;      /* us, of the window */
    uint64_t                            seen;
    uint64_t                            n;        /* not told one by one */
    uint64_t                            told;     /* in the ring, behind it */
    uint64_t                            first;
    uint64_t                            last;
    uint64_t                            first_time;
    uint64_t                            last_time;
    uint64_t                            rule;
    uint32_t                            status;
    uint32_t                            net_len;
    uint32_t                            code_len;
    uint32_t                            id_len;
    uint32_t                            attack;   /* number + 1, 0: none */
    uint32_t                            severity;
    u_char                              net[48];
    u_char                              code[32];
    u_char                              id[32];
} ngx_http_govsvc_audit_agg_t;


/*
 * A request that may have gone upstream and has not ended.  What makes its end
 * known and that it has ended are two stores, and a process may be killed
 * between them: told says beforehand by what the first is seen.
 */
typedef struct {
    ngx_atomic_t                        used;
    uint64_t                            intent;   /* g; 0: none */
    uint64_t                            put;      /* in the ring, behind it */
    uint64_t                            told;     /* the end, behind it */
    uint64_t                            count;    /* told is a count, there */
    uint64_t                            start;    /* us */
    u_char                              id[32];
} ngx_http_govsvc_audit_flight_t;


/* What is to be told of this process. */
typedef struct {
    uint64_t                            what;     /* 0: nothing */
    uint64_t                            told;     /* as of writer_put() */
    uint64_t                            mono;     /* us */
    uint64_t                            from;
    uint64_t                            to;
} ngx_http_govsvc_audit_notice_t;


/* Written by the event loop, read by who goes on with the chain. */
typedef struct {
    uint64_t                            epoch;
    uint64_t                            pid;
    uint32_t                            alg;
    uint32_t                            ended;    /* not killed, or told */
    ngx_http_govsvc_audit_notice_t      notice;
    ngx_http_govsvc_audit_lost_t        lost[GS_AUDIT_CLASSES];
    ngx_http_govsvc_audit_agg_t         aggs[NGX_HTTP_GOVSVC_AUDIT_AGGS];
    ngx_http_govsvc_audit_flight_t      flights[NGX_HTTP_GOVSVC_AUDIT_FLIGHTS];
} ngx_http_govsvc_audit_slot_t;


typedef struct {
    ngx_http_govsvc_audit_main_conf_t  *amcf;
    ngx_govsvc_writer_t                *writer;
    ngx_http_govsvc_audit_slot_t       *slot;
    ngx_log_t                          *log;
    gs_str_t                            name;

    /* of the writing thread */
    gs_audit_chain_t                    hashes[GS_AUDIT_ALGS];
    gs_audit_alg_e                      alg;
    uint64_t                            seq;      /* of the next line */
    uint64_t                            n;        /* lines of the segment */

    /* of the event loop */
    ngx_event_t                         tick;     /* each second */
    ngx_connection_t                    dummy;
    time_t                              logged;
    ngx_uint_t                          state;    /* of the space */
    ngx_uint_t                          shed;
    u_char                             *last;     /* put into the ring */
    ngx_queue_t                         waits;
    ngx_queue_t                         flights;
    uint32_t                            free[NGX_HTTP_GOVSVC_AUDIT_FLIGHTS];
    ngx_uint_t                          nfree;
} ngx_http_govsvc_audit_chain_t;


typedef enum {
    NGX_HTTP_GOVSVC_AUDIT_NEW = 0,
    NGX_HTTP_GOVSVC_AUDIT_WAITS,           /* until the intent is safe */
    NGX_HTTP_GOVSVC_AUDIT_SAFE,
    NGX_HTTP_GOVSVC_AUDIT_FAILED           /* it was not in time */
} ngx_http_govsvc_audit_phase_e;


/* What audit keeps of one request; in its pool. */
typedef struct {
    ngx_http_request_t                 *request;
    ngx_str_t                           pid;      /* kept pseudonyms */
    ngx_str_t                           agent;
    ngx_str_t                           jti;

    ngx_uint_t                          phase;
    ngx_uint_t                          cls;
    ngx_queue_t                         wait_queue;
    ngx_queue_t                         flight_queue;
    ngx_http_govsvc_audit_flight_t     *slot;     /* NULL: none was free */
    ngx_event_t                         timer;
    ngx_connection_t                    dummy;

    uint64_t                            intent;   /* g of it, 0: none */
    uint64_t                            pos;      /* behind it in the ring */
    u_char                             *rec;
    u_char                              seal[GS_AUDIT_HASH];
    gs_audit_digest_t                   body;
    unsigned                            flies:1;
    unsigned                            sealed:1; /* the intent is safe */
    unsigned                            receipt:1;
} ngx_http_govsvc_audit_req_t;


extern const ngx_govsvc_writer_format_t  ngx_http_govsvc_audit_format;


/* Setter of govsvc_audit_store; and the size of its memory, at the end. */
char *ngx_http_govsvc_audit_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_govsvc_audit_zone_size(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf);

/* Setters of govsvc_audit_space and govsvc_audit_coalesce. */
char *ngx_http_govsvc_audit_space(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_govsvc_audit_coalesce_deny(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* The state of the store by the space that is left. */
void ngx_http_govsvc_audit_look(ngx_http_govsvc_audit_chain_t *chain);

/* Puts the filter that makes digests of bodies into the chain. */
void ngx_http_govsvc_audit_body_init(void);

/* The header of the request, for the record. */
void ngx_http_govsvc_audit_headers_in(ngx_http_request_t *r,
    gs_audit_record_t *rec);

/* The chain of this process; NULL: none was begun. */
ngx_http_govsvc_audit_chain_t *ngx_http_govsvc_audit_chain(void);

/*
 * Fetches the hashes; NGX_ERROR, logged, when that of the configuration is
 * not there.
 */
ngx_int_t ngx_http_govsvc_audit_chain_init(
    ngx_http_govsvc_audit_chain_t *chain,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_log_t *log);
void ngx_http_govsvc_audit_chain_free(ngx_http_govsvc_audit_chain_t *chain);

/*
 * Writes a loss record for each class that lost something; NGX_AGAIN when the
 * ring has no room.
 */
ngx_int_t ngx_http_govsvc_audit_put_lost(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w);

/*
 * 1: rec is one refusal of many and was counted.  Otherwise it is to be
 * written.
 */
ngx_uint_t ngx_http_govsvc_audit_coalesce(
    ngx_http_govsvc_audit_chain_t *chain, ngx_str_t *net,
    gs_audit_record_t *rec, ngx_http_govsvc_audit_flight_t *flight);

/* *n, in the slot, becomes one more, which is the end of flight (or NULL). */
void ngx_http_govsvc_audit_count(ngx_http_govsvc_audit_chain_t *chain,
    uint64_t *n, ngx_http_govsvc_audit_flight_t *flight);

/* Tells what was counted in windows that ended before now; as put_lost(). */
ngx_int_t ngx_http_govsvc_audit_put_aggs(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w, uint64_t now);

/* Compares the clocks; that one was set is told once by all workers. */
void ngx_http_govsvc_audit_watch_clock(ngx_http_govsvc_audit_chain_t *chain);
ngx_uint_t ngx_http_govsvc_audit_clock(uint64_t *wall, uint64_t *mono);

/* Of whom this process takes the place, and how that one ended. */
void ngx_http_govsvc_audit_succeed(ngx_http_govsvc_audit_main_conf_t *amcf);

/* What the master could not write is lost for this chain. */
void ngx_http_govsvc_audit_take_untold(ngx_http_govsvc_audit_chain_t *chain);

/*
 * For who goes on with this chain: what its process had begun to tell, and
 * that it died.  Settled before anything is put.
 */
void ngx_http_govsvc_audit_settle_notice(
    ngx_http_govsvc_audit_chain_t *chain, ngx_govsvc_writer_t *w);
ngx_int_t ngx_http_govsvc_audit_put_death(
    ngx_http_govsvc_audit_chain_t *chain, ngx_govsvc_writer_t *w);

/*
 * Puts the draft b, made behind p that was reserved; told as of
 * ngx_govsvc_writer_put().
 */
void ngx_http_govsvc_audit_put_draft(ngx_govsvc_writer_t *w, u_char *p,
    gs_buf_t *b, size_t head, uint64_t *told);

/*
 * The same for the record g of that class, whose draft was made in room();
 * it is lost when p is NULL or head 0.  Either is in the figures.
 */
void ngx_http_govsvc_audit_write_draft(ngx_http_govsvc_audit_chain_t *chain,
    ngx_uint_t cls, uint64_t g, u_char *p, gs_buf_t *b, size_t head);

/*
 * Room in the ring for a record of that class; NULL: its part is full, and the
 * caller counts the record as lost.
 */
u_char *ngx_http_govsvc_audit_room(ngx_http_govsvc_audit_chain_t *chain,
    ngx_uint_t cls);
void ngx_http_govsvc_audit_lost(ngx_http_govsvc_audit_chain_t *chain,
    ngx_uint_t cls, uint64_t g, ngx_http_govsvc_audit_flight_t *flight);

/*
 * Puts a record, the intent or the end of flight (or NULL), into the ring and
 * returns the position behind it; 0 when the part of the ring that its class
 * may use is full.
 */
uint64_t ngx_http_govsvc_audit_put(ngx_http_govsvc_audit_chain_t *chain,
    gs_audit_record_t *rec, ngx_uint_t cls,
    ngx_http_govsvc_audit_flight_t *flight);

/*
 * As put(), under the number the record has or else the next.  Full: it is
 * counted, a loss record follows as soon as there is room.
 */
void ngx_http_govsvc_audit_write(ngx_http_govsvc_audit_main_conf_t *amcf,
    gs_audit_record_t *rec, ngx_uint_t cls,
    ngx_http_govsvc_audit_flight_t *flight);

/* That of r, made on first use; NULL: memory is out. */
ngx_http_govsvc_audit_req_t *ngx_http_govsvc_audit_req(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);

/* Everything that is known of r now; code is memory for a reason. */
void ngx_http_govsvc_audit_compose(ngx_http_request_t *r,
    gs_audit_record_t *rec, gs_audit_stage_e stage, u_char *code);

/* Parts of it: who asked, what for. */
void ngx_http_govsvc_audit_source(ngx_http_request_t *r,
    ngx_http_govsvc_audit_main_conf_t *amcf, gs_audit_record_t *rec);
void ngx_http_govsvc_audit_exchange(ngx_http_request_t *r,
    gs_audit_record_t *rec);

/* In flight no more: its end is in the ring. */
void ngx_http_govsvc_audit_land(ngx_http_govsvc_audit_chain_t *chain,
    ngx_http_govsvc_audit_req_t *req);

/* Records of all that are in flight; the process ends. */
void ngx_http_govsvc_audit_abort(ngx_http_govsvc_audit_chain_t *chain);

/* How the store is, NGX_HTTP_GOVSVC_AUDIT_GOOD to _READ_ONLY. */
ngx_uint_t ngx_http_govsvc_audit_state(ngx_http_govsvc_audit_chain_t *chain);

/* What waits for safe records; see ngx_govsvc_writer_format_t. */
void ngx_http_govsvc_audit_safe(void *data, uint64_t pos);
void ngx_http_govsvc_audit_ready(void *data);


#endif /* _NGX_HTTP_GOVSVC_AUDIT_PRIV_H_INCLUDED_ */
