
/*
 * Copyright (C) govsvc authors
 *
 * The inside of the balancer: what its files share.
 */


#ifndef _NGX_HTTP_GOVSVC_BALANCER_PRIV_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_BALANCER_PRIV_H_INCLUDED_


#include "http/ngx_http_govsvc_balancer.h"
#include "http/ngx_http_govsvc_registry.h"
#include "http/ngx_http_govsvc_route.h"
#include "http/ngx_http_govsvc_health.h"
#include "ngx/ngx_govsvc_lead.h"
#include "ngx/ngx_govsvc_registry.h"


#define NGX_HTTP_GOVSVC_TRIED         32   /* peers that one request tries */
#define NGX_HTTP_GOVSVC_STALE         8    /* stale connections, likewise */
#define NGX_HTTP_GOVSVC_CLONES        16384
#define NGX_HTTP_GOVSVC_CLONE_HASH    1024 /* a power of two */


/* Words of the slots.  Times are ngx_current_msec: monotonic on Linux. */

#define NGX_HTTP_GOVSVC_PEER_FAILS    0    /* in a row */
#define NGX_HTTP_GOVSVC_PEER_UNTIL    1    /* ejected until */
#define NGX_HTTP_GOVSVC_PEER_EJECTED  2    /* times without an answer since */
#define NGX_HTTP_GOVSVC_PEER_EWMA     3    /* us */
#define NGX_HTTP_GOVSVC_PEER_CHECK    4    /* what checks say */
#define NGX_HTTP_GOVSVC_PEER_WINDOW   5    /* requests and failures */
#define NGX_HTTP_GOVSVC_PEER_FATE     6    /* why it is out, or came back */

#define NGX_HTTP_GOVSVC_POOL_UNTIL    0    /* no peer is ejected after */
#define NGX_HTTP_GOVSVC_POOL_UNWELL   1    /* checks found a peer down */

#define NGX_HTTP_GOVSVC_TOKENS        200000   /* more than any burst */


/* What one worker remembers of a slot. */
typedef struct {
    uint32_t                      generation;
    uint32_t                      count;   /* in flight; cursor of a pool */
    uint32_t                      identity;
    uint32_t                      tokens;  /* for retries, of a pool */
    ngx_ssl_session_t            *session;
} ngx_http_govsvc_local_t;


/* A location's upstream configuration as a pool of one identity needs it. */
typedef struct ngx_http_govsvc_clone_s  ngx_http_govsvc_clone_t;

struct ngx_http_govsvc_clone_s {
    ngx_http_govsvc_clone_t      *next;
    ngx_http_upstream_conf_t     *origin;
    uint32_t                      identity;
    ngx_msec_t                    connect_timeout;
    ngx_msec_t                    send_timeout;
    ngx_msec_t                    read_timeout;
    ngx_http_upstream_conf_t      conf;
    ngx_http_complex_value_t      name;
};


/* A TLS profile of the configuration; found by the hash of its content. */
typedef struct {
    uint64_t                      key[2];
    ngx_ssl_t                     ssl;
} ngx_http_govsvc_tls_t;


/* Made at configuration, filled by the process that uses it. */
typedef struct {
    ngx_pool_t                   *pool;
    ngx_http_govsvc_local_t      *local[2];   /* shared registry, own */
    uint32_t                      nlocal[2];
    ngx_uint_t                    nclones;
    ngx_http_govsvc_clone_t      *clones[NGX_HTTP_GOVSVC_CLONE_HASH];
} ngx_http_govsvc_worker_t;


typedef struct {
    ngx_str_t                     zone;    /* name */
    size_t                        size;
    ngx_uint_t                    used;    /* by an upstream */
    ngx_govsvc_registry_t        *registry;
    ngx_http_govsvc_tls_t        *tls;     /* in the order of the table */
    ngx_uint_t                    ntls;
    ngx_http_govsvc_worker_t     *worker;
    ngx_http_govsvc_health_t     *health;
    ngx_http_govsvc_registry_t    store;
} ngx_http_govsvc_balancer_main_conf_t;


/* In ctx->balancer_data: the choice of the commit stage. */
typedef struct {
    ngx_str_t                     first;   /* the pool of the route */
    ngx_str_t                     chosen;
    ngx_uint_t                    step;    /* of its chain, 0: itself */
} ngx_http_govsvc_choice_t;


/* An open section on the table; see ngx_http_govsvc_table_enter(). */
typedef struct {
    ngx_http_govsvc_balancer_main_conf_t  *conf;
    const gs_registry_view_t              *view;
    const gs_route_table_t                *table;
    gs_registry_t                         *registry;
    uint64_t                               now;
    ngx_uint_t                             panic;

    /* of the pick: shares of slow start count; trials are for others */
    unsigned                               share:1;
    unsigned                               careful:1;
} ngx_http_govsvc_section_t;


/*
 * Tells security staff what became of an instance: the code of the event,
 * why, the last error or NULL, how long (ms, 0: not told).  One whose pool has
 * nobody left is graver.
 */
void ngx_http_govsvc_instance_event(ngx_http_govsvc_section_t *s,
    const gs_route_instance_t *instance, const char *code, const char *why,
    const gs_health_t *health, uint64_t time);


/* One try after another of one request; in memory of the request. */
typedef struct {
    ngx_http_request_t           *request;
    ngx_http_govsvc_ctx_t        *ctx;
    ngx_http_upstream_conf_t     *conf;    /* of the location */
    ngx_str_t                     first;
    ngx_str_t                     host;
    ngx_str_t                     pool;    /* of the current try */
    ngx_uint_t                    step;

    uint64_t                      tried[NGX_HTTP_GOVSVC_TRIED];
    ngx_uint_t                    ntried;
    ngx_uint_t                    stale;

    /* the current try */
    ngx_sockaddr_t                sockaddr;
    ngx_str_t                     name;
    ngx_msec_t                    start;
    uint64_t                      key;
    uint32_t                      identity;
    uint32_t                      generation;
    uint32_t                      eject_fails;
    uint32_t                      eject_ratio;
    uint32_t                      eject_volume;
    uint64_t                      eject_window;
    gs_registry_slot_t           *slot;
    ngx_http_govsvc_local_t      *local;
    ngx_http_govsvc_local_t      *purse;   /* of the pool */
    unsigned                      trial:1;
} ngx_http_govsvc_peer_t;


/* What the registry keeps slots for: memory for pools and instances. */
ngx_int_t ngx_http_govsvc_name_all(ngx_http_govsvc_balancer_main_conf_t *bmcf,
    const gs_route_table_t *t, gs_registry_name_t *names);

/*
 * The table of files and snapshot, at configuration; logs.  The zone of the
 * words is added with it.
 */
const gs_route_table_t *ngx_http_govsvc_registry_configure(ngx_conf_t *cf,
    ngx_http_govsvc_balancer_main_conf_t *bmcf, const gs_route_table_t *t);

/* The table of a document, and its way to all workers. */
ngx_int_t ngx_http_govsvc_registry_settle(ngx_http_govsvc_registry_t *reg,
    gs_mem_t *mem, gs_route_doc_t *doc, gs_route_table_t **table,
    size_t *size, ngx_log_t *log);
gs_rc_t ngx_http_govsvc_registry_publish(
    ngx_http_govsvc_balancer_main_conf_t *bmcf,
    const gs_route_table_t *table, size_t size);

/* Publishes what the configuration and the newest snapshot say. */
void ngx_http_govsvc_registry_start(
    ngx_http_govsvc_balancer_main_conf_t *bmcf, ngx_cycle_t *cycle);

/* A pool with TLS whose chain leads to one without, and that one; or NULL. */
const gs_route_pool_t *ngx_http_govsvc_tls_plain(const gs_route_table_t *t,
    const gs_route_pool_t **next);

/* NGX_DECLINED, and nothing to leave, without a table. */
ngx_int_t ngx_http_govsvc_section_enter(ngx_http_govsvc_section_t *s);
void ngx_http_govsvc_section_leave(ngx_http_govsvc_section_t *s);

const gs_registry_entry_t *ngx_http_govsvc_pool_entry(
    ngx_http_govsvc_section_t *s, const gs_route_pool_t *pool);
const gs_registry_entry_t *ngx_http_govsvc_peer_entry(
    ngx_http_govsvc_section_t *s, const gs_route_instance_t *instance);

/* NULL when memory is out. */
ngx_http_govsvc_local_t *ngx_http_govsvc_local(ngx_http_govsvc_section_t *s,
    const gs_registry_entry_t *entry);

/* 1 if the instance is not ejected, or if nothing better is left. */
int ngx_http_govsvc_usable(void *ctx, const gs_route_instance_t *instance);

/*
 * Usable instances of the pool, counted only while some are ejected; sets
 * s->panic.  last: no pool of the chain comes behind.
 */
ngx_uint_t ngx_http_govsvc_pool_usable(ngx_http_govsvc_section_t *s,
    const gs_route_pool_t *pool, ngx_uint_t last);

/*
 * The pool of a step of the chain that begins with first, NULL when it is
 * gone or the step is a page.  *last is set when no pool follows.
 */
const gs_route_pool_t *ngx_http_govsvc_step(ngx_http_govsvc_section_t *s,
    const gs_route_pool_t *first, ngx_uint_t step, ngx_uint_t *last);

/* Copies a string of the table to memory of the request. */
ngx_int_t ngx_http_govsvc_copy(ngx_http_request_t *r,
    const gs_route_table_t *t, gs_route_ref_t ref, ngx_str_t *dst);

ngx_int_t ngx_http_govsvc_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);

/* The end of one try. */
void ngx_http_govsvc_free_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);

/* Adds the duty of checks to the configuration; NGX_ERROR is logged. */
ngx_int_t ngx_http_govsvc_health_configure(ngx_conf_t *cf,
    ngx_http_govsvc_balancer_main_conf_t *bmcf);


/* 128 bits of the SHA-256 of the parts, each with its length. */
ngx_int_t ngx_http_govsvc_digest(const gs_str_t *parts, ngx_uint_t n,
    uint64_t key[2]);

/* Reads the files of all profiles; NGX_ERROR is logged. */
ngx_int_t ngx_http_govsvc_tls_configure(ngx_conf_t *cf,
    ngx_http_govsvc_balancer_main_conf_t *bmcf, const gs_route_table_t *t);

/* The profile of the process, NULL if it has none of that content. */
ngx_http_govsvc_tls_t *ngx_http_govsvc_tls_find(
    ngx_http_govsvc_balancer_main_conf_t *bmcf, const uint64_t key[2]);

/*
 * Makes the request speak to the pool as the pool demands: TLS or plain,
 * name, timeouts.  NGX_DECLINED if this process cannot; NGX_ERROR.
 */
ngx_int_t ngx_http_govsvc_tls_apply(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_peer_t *peer, const gs_route_pool_t *pool);

ngx_int_t ngx_http_govsvc_set_session(ngx_peer_connection_t *pc, void *data);
void ngx_http_govsvc_save_session(ngx_peer_connection_t *pc, void *data);


#endif /* _NGX_HTTP_GOVSVC_BALANCER_PRIV_H_INCLUDED_ */
