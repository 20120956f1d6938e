
/*
 * Copyright (C) govsvc authors
 *
 * The registry at run time: the document behind the table, its snapshot, and
 * the way a new table takes to all workers.  Functions that say so block and
 * are for the master or for a thread, one at a time in a process.
 */


#ifndef _NGX_HTTP_GOVSVC_REGISTRY_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_REGISTRY_H_INCLUDED_


#include "http/ngx_http_govsvc.h"
#include "ngx/ngx_govsvc_redis.h"
#include "ngx/ngx_govsvc_snapshot.h"
#include "route/gs_route_doc.h"


#define NGX_HTTP_GOVSVC_REGISTRY_WORDS  16384
#define NGX_HTTP_GOVSVC_REGISTRY_PROBES 32
#define NGX_HTTP_GOVSVC_REGISTRY_OTHERS 512


/* A number for a name, in shared memory. */
typedef struct {
    uint64_t    key;                       /* 0: free */
    uint64_t    value;
} ngx_http_govsvc_word_t;


/* Shared by all workers, kept over reloads. */
typedef struct {
    uint32_t                magic;
    uint32_t                generation;    /* of the snapshot that is read */
    uint64_t                committed;     /* revision of the file */
    uint64_t                applied;       /* revision of the table */
    uint64_t                files;         /* hash of the operator's files */
    uint64_t                alarm;         /* revisions lost, 0: none */
    uint64_t                store;         /* gs_route_share_e, or down */
    uint64_t                store_revision;
    uint64_t                left_out;      /* records, see gs_route_doc.h */
    uint64_t                left_found;    /* of them by the compiler */
    uint64_t                left_told;     /* hash of those in the log */
    uint64_t                rules;         /* configurations so far */
    uint64_t                judged;        /* when, ms; 0: to be done */
    uint64_t                refused;       /* objects, by the rules of now */
    uint64_t                refused_told;
    uint64_t                others_turn;   /* odd: is being written */
    uint64_t                nothers;       /* addresses of other nodes */
    uint64_t                others[NGX_HTTP_GOVSVC_REGISTRY_OTHERS][3];
    ngx_http_govsvc_word_t  words[NGX_HTTP_GOVSVC_REGISTRY_WORDS];
} ngx_http_govsvc_registry_sh_t;


/* Of the configuration; snapshot.len 0: there is no place for changes. */
typedef struct {
    ngx_str_t                       snapshot;
    ngx_str_t                       hosts;      /* file, len 0 as above */
    ngx_govsvc_redis_t             *redis;      /* NULL: not shared */
    ngx_http_govsvc_registry_sh_t  *sh;
    uint64_t                        files;
    uint64_t                        revision;   /* compiled at configuration */
    gs_str_t                        platforms;  /* texts of the files */
    gs_str_t                        regions;    /* data NULL: none */
    ngx_uint_t                      generation;
    ngx_uint_t                      left_out;   /* as in sh, until it is */
    ngx_uint_t                      left_found;
    uint64_t                        left_told;
    uint64_t                        rules;      /* of this configuration */
    ngx_cycle_t                    *cycle;
} ngx_http_govsvc_registry_t;


/* NULL where the configuration has no platforms. */
ngx_http_govsvc_registry_t *ngx_http_govsvc_registry(ngx_cycle_t *cycle);

/*
 * Brings the document (made by gs_route_doc_init() and, for the fixed half,
 * gs_route_doc_fix()) to the newest snapshot that is whole.  NGX_DECLINED:
 * there is none newer; NGX_ERROR: it is gone, or older than what runs, logged.
 * Blocks.
 */
ngx_int_t ngx_http_govsvc_registry_refresh(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log);

/*
 * Stores the document, under the lock of the snapshot, and makes the table
 * current for all workers.  GS_BUSY: stored, but readers hold all arenas;
 * ngx_http_govsvc_registry_catch_up() mends that.  GS_ERROR: not stored, err
 * says why.  Blocks.
 */
gs_rc_t ngx_http_govsvc_registry_commit(ngx_http_govsvc_registry_t *reg,
    const gs_route_doc_t *doc, const gs_route_table_t *table, size_t size,
    gs_err_t *err, ngx_log_t *log);

/*
 * As _commit(), of a document that came from elsewhere: an object that fits
 * nothing is left out, not all others with it.
 */
gs_rc_t ngx_http_govsvc_registry_store(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, gs_err_t *err, ngx_log_t *log);

/* Finds what of the document a table has to leave out.  Blocks. */
void ngx_http_govsvc_registry_look(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log);

/* What _commit() asks of a table, before anything is written. */
gs_rc_t ngx_http_govsvc_registry_fits(ngx_http_govsvc_registry_t *reg,
    const gs_route_table_t *table, size_t size, gs_err_t *err);

/*
 * Compiles and publishes the document if the table is older: after a worker
 * was killed between storing and publishing.  Under the lock.  Blocks.
 */
ngx_int_t ngx_http_govsvc_registry_catch_up(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log);

/*
 * The addresses that names of instances were found to have.  _load() brings
 * doc->hosts to the newest file that is whole, NGX_DECLINED if it is there
 * already; _store() writes doc->hosts, if that is asked for, and makes the
 * table current, as _commit().  Under the lock of the snapshot.  Both block.
 */
ngx_int_t ngx_http_govsvc_hosts_load(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log);
gs_rc_t ngx_http_govsvc_hosts_store(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_uint_t write, gs_err_t *err, ngx_log_t *log);

/*
 * The shared word of a name; never taken back.  NULL when the table is full.
 * To be accessed atomically.
 */
uint64_t *ngx_http_govsvc_registry_word(ngx_http_govsvc_registry_t *reg,
    const char *what, const char *name);

/*
 * Appends the ids (ngx_str_t, in memory of the array's pool) of instances that
 * are ejected now, as long as there is room.  For the event loop.
 */
ngx_int_t ngx_http_govsvc_registry_ejected(ngx_array_t *ids, ngx_uint_t max);


#endif /* _NGX_HTTP_GOVSVC_REGISTRY_H_INCLUDED_ */
