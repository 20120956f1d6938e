
/*
 * Copyright (C) govsvc authors
 *
 * Audit: one chained line for every request.
 */


#ifndef _NGX_HTTP_GOVSVC_AUDIT_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_AUDIT_H_INCLUDED_


#include "audit/gs_audit_json.h"
#include "audit/gs_audit_pseudonym.h"
#include "http/ngx_http_govsvc.h"
#include "ngx/ngx_govsvc_writer.h"


#define NGX_HTTP_GOVSVC_AUDIT_OFF   0
#define NGX_HTTP_GOVSVC_AUDIT_META  1
#define NGX_HTTP_GOVSVC_AUDIT_HDRS  2
#define NGX_HTTP_GOVSVC_AUDIT_BODY  3

#define NGX_HTTP_GOVSVC_AUDIT_KEYS  8

#define NGX_HTTP_GOVSVC_AUDIT_DEATHS  64

#define NGX_HTTP_GOVSVC_AUDIT_ONLY_READ    0   /* on_error */
#define NGX_HTTP_GOVSVC_AUDIT_FAIL_CLOSED  1
#define NGX_HTTP_GOVSVC_AUDIT_FAIL_OPEN    2

#define NGX_HTTP_GOVSVC_AUDIT_GOOD         0   /* states of the store */
#define NGX_HTTP_GOVSVC_AUDIT_LOW          1
#define NGX_HTTP_GOVSVC_AUDIT_CRITICAL     2
#define NGX_HTTP_GOVSVC_AUDIT_READ_ONLY    3


/* A worker that has ended, as its successor was told. */
typedef struct {
    ngx_atomic_t                 pid;
    uint64_t                     status;   /* of waitpid() */
} ngx_http_govsvc_audit_death_t;


/* In shared memory, kept over reloads. */
typedef struct {
    uint32_t                     magic;
    ngx_uint_t                   nslots;
    uint64_t                     base;     /* epoch of the memory */
    u_char                      *slots;    /* mapped alike in all workers */
    ngx_atomic_t                 g;        /* the last number given */

    /* wall clock less monotonic, ms, and who said last that it was set */
    ngx_atomic_t                 clock;

    ngx_atomic_t                 ndeaths;
    ngx_http_govsvc_audit_death_t
                                 deaths[NGX_HTTP_GOVSVC_AUDIT_DEATHS];

    /* records of the master that could not be written */
    ngx_atomic_t                 untold;
    uint64_t                     untold_first;    /* g */
    uint64_t                     untold_last;

    /* of the configuration at work; 0: none */
    uint64_t                     generation;
    u_char                       sum[GS_AUDIT_HASH];
} ngx_http_govsvc_audit_sh_t;


/* Of a file system: a share, or bytes. */
typedef struct {
    uint64_t                     percent;
    uint64_t                     bytes;
} ngx_http_govsvc_audit_amount_t;


/* A key of pseudonyms, in use from a time on. */
typedef struct {
    ngx_str_t                    key;      /* cleansed once it is used */
    ngx_uint_t                   kid;
    uint64_t                     from;     /* us, wall clock */
    gs_audit_pseudonym_t        *pseudonym;
} ngx_http_govsvc_audit_key_t;


typedef struct {
    ngx_str_t                    dir;      /* full name; empty: no store */
    gs_str_t                     node;     /* as in identifiers */
    ngx_str_t                    name;     /* as it was configured */
    ngx_uint_t                   alg;
    size_t                       buffer;
    off_t                        segment;
    ngx_msec_t                   segment_time;
    ngx_msec_t                   flush;
    ngx_uint_t                   keep;     /* days */
    ngx_uint_t                   sync;

    ngx_cycle_t                 *cycle;
    uint64_t                     epoch;
    ngx_http_govsvc_audit_sh_t  *sh;
    ngx_shm_zone_t              *zone;
    ngx_uint_t                   nslots;

    ngx_uint_t                   nkeys;    /* in the order of their times */
    ngx_http_govsvc_audit_key_t  keys[NGX_HTTP_GOVSVC_AUDIT_KEYS];

    ngx_msec_t                   wait;
    ngx_uint_t                   on_error;

    ngx_http_govsvc_audit_amount_t  space[3];   /* low, critical, full */
    off_t                        reserve;
    ngx_uint_t                   deny_rate;     /* in a window; 0: all */
    ngx_msec_t                   deny_window;
    unsigned                     watch_space:1;
    unsigned                     bodies:1;      /* somewhere */

    ngx_int_t                    realip;   /* index of a variable */
    u_char                      *used_file;       /* the first "meta" */
    ngx_uint_t                   used_line;
} ngx_http_govsvc_audit_main_conf_t;


typedef struct {
    ngx_uint_t            level;
    ngx_uint_t            cls;             /* gs_audit_class_e */
    unsigned              intent:1;
    unsigned              receipt:1;
} ngx_http_govsvc_audit_loc_conf_t;


/*
 * The pseudonym of the caller, "p<kid>:...", kept for the request; empty when
 * nobody is known or no key is configured.  NGX_ERROR when memory is out.
 */
ngx_int_t ngx_http_govsvc_audit_pid(ngx_http_request_t *r, ngx_str_t *pid);

/*
 * The pseudonym of any value, by the key of now, in dst of GS_AUDIT_PID_MAX
 * bytes; its length, 0 if there is no key.
 */
size_t ngx_http_govsvc_audit_pid_of(ngx_http_request_t *r,
    const gs_str_t *value, u_char *dst);

/*
 * The identifier that the record of this request will have, in r->pool; empty
 * where nothing is recorded.  The number is given with it: a request that has
 * one is recorded wherever it ends.
 */
ngx_int_t ngx_http_govsvc_audit_id(ngx_http_request_t *r, ngx_str_t *id);

/* The next number of all records. */
uint64_t ngx_http_govsvc_audit_next(ngx_http_govsvc_audit_main_conf_t *amcf);

/* The bytes of shared memory for one process. */
size_t ngx_http_govsvc_audit_slot_size(
    ngx_http_govsvc_audit_main_conf_t *amcf);

/* Directory, epoch and shared memory of a new configuration. */
ngx_int_t ngx_http_govsvc_audit_init_zone(ngx_shm_zone_t *zone, void *data);

/* Records of the master: that a configuration is at work, and its end. */
ngx_int_t ngx_http_govsvc_audit_begins(ngx_cycle_t *cycle);
void ngx_http_govsvc_audit_ends(ngx_cycle_t *cycle);

/* Life of the chain of this process. */
ngx_int_t ngx_http_govsvc_audit_init_process(ngx_cycle_t *cycle);
void ngx_http_govsvc_audit_exit_process(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_GOVSVC_AUDIT_H_INCLUDED_ */
