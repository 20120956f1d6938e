
/*
 * Copyright (C) govsvc authors
 *
 * Inside a feed: its thread's view of the store and of its own notes.
 */


#ifndef _NGX_HTTP_GOVSVC_FEED_PRIV_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_FEED_PRIV_H_INCLUDED_


#include "http/ngx_http_govsvc_feed.h"

#include <ngx_event.h>

#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif


#define NGX_HTTP_GOVSVC_FEED_NOTES   (4 * 1024 * 1024)   /* bytes of a file */
#define NGX_HTTP_GOVSVC_FEED_SCAN    1000  /* ms between looks for chains */
#define NGX_HTTP_GOVSVC_FEED_QUIET   30000 /* ms: then no look in between */


/* How far a chain was read. */
typedef struct {
    char                          name[GS_AUDIT_FEED_CHAIN];
    uint64_t                      segment; /* 0: none yet */
    uint64_t                      offset;
    uint64_t                      safe;    /* on the disk up to here */
    uint64_t                      next;    /* seen behind it */
    uint64_t                      active;  /* ms, of the last line */
    unsigned                      ended:1;
    unsigned                      complained:1;
} ngx_http_govsvc_feed_chain_t;


struct ngx_http_govsvc_feed_s {
    ngx_http_govsvc_feed_conf_t   conf;
    ngx_http_govsvc_audit_main_conf_t
                                 *amcf;
    ngx_govsvc_lead_t            *lead;
    ngx_log_t                    *log;

    /* between both: the event loop keeps off while busy is set */
#if (NGX_THREADS)
    ngx_thread_pool_t            *pool;
    ngx_thread_task_t            *task;
#endif
    ngx_event_t                   event;   /* without a thread */
    uint64_t                      seek;    /* 0: as for _seek() */
    uint64_t                      confirm; /* as for _confirm() */
    uint64_t                      asked;   /* that, of the task */
    ngx_int_t                     rc;
    ngx_http_govsvc_feed_batch_t *batch;
    unsigned                      busy:1;
    unsigned                      seeks:1;
    unsigned                      leads:1;

    /* for metrics, of the event loop */
    ngx_http_govsvc_feed_row_t   *row;
    uint64_t                      handed;  /* the last of the last batch */
    uint64_t                      delivered;
    unsigned                      end:1;   /* nothing was behind it */

    /* the thread's */
    char                         *path;
    size_t                        path_size;
    u_char                       *data;    /* GS_AUDIT_FEED_BYTES */
    size_t                        used;    /* of data: whole lines */
    ngx_http_govsvc_feed_chain_t *chains;
    ngx_uint_t                    nchains;
    ngx_uint_t                    size;
    ngx_uint_t                    turn;    /* the chain to begin with */
    uint64_t                      scanned; /* ms */

    ngx_fd_t                      lock;
    ngx_fd_t                      notes;   /* the newest file, to append */
    uint64_t                      notes_size;
    uint64_t                      next;    /* number of the next record */
    uint64_t                      confirmed;
    uint64_t                      since;   /* ms; older segments are not new */

    ngx_fd_t                      replay;  /* a file being read again */
    uint64_t                      replay_file;
    uint64_t                      replay_pos;
    uint64_t                      want;    /* the first record wanted */
    unsigned                      open:1;
};


/* Adds the feed to those of the cycle; NGX_ERROR is logged. */
ngx_int_t ngx_http_govsvc_feed_list(ngx_conf_t *cf,
    ngx_http_govsvc_feed_t *feed);

/* ms, wall clock, for the thread. */
uint64_t ngx_http_govsvc_feed_msec(void);

/* Logs and returns NGX_ERROR; what failed is in feed->path. */
ngx_int_t ngx_http_govsvc_feed_failed(ngx_http_govsvc_feed_t *feed,
    const char *what);

/* The chain of that name, added if it is not there; NULL: no memory. */
ngx_http_govsvc_feed_chain_t *ngx_http_govsvc_feed_chain(
    ngx_http_govsvc_feed_t *feed, const gs_str_t *name);

/*
 * The notes.  _open(): NGX_OK, NGX_BUSY, NGX_ERROR.  _find(): the place of a
 * number.  _again(): the next range that was handed over before, NGX_DONE
 * behind the last.  _note(): adds a line; files grow and are replaced.
 */
ngx_int_t ngx_http_govsvc_feed_notes_open(ngx_http_govsvc_feed_t *feed);
void ngx_http_govsvc_feed_notes_close(ngx_http_govsvc_feed_t *feed);
ngx_int_t ngx_http_govsvc_feed_notes_find(ngx_http_govsvc_feed_t *feed,
    uint64_t n);
ngx_int_t ngx_http_govsvc_feed_notes_again(ngx_http_govsvc_feed_t *feed,
    gs_audit_feed_t *entry, char *chain);
ngx_int_t ngx_http_govsvc_feed_note(ngx_http_govsvc_feed_t *feed,
    const gs_audit_feed_t *entry);

/* Notes that records up to n were received, if that is new. */
ngx_int_t ngx_http_govsvc_feed_notes_confirm(ngx_http_govsvc_feed_t *feed,
    uint64_t n);

/*
 * The store.  _range(): the records of a range, NGX_OK or NGX_DECLINED when
 * it is gone.  _fresh(): new ones; a note is made.  NGX_DECLINED: none.
 */
ngx_int_t ngx_http_govsvc_feed_range(ngx_http_govsvc_feed_t *feed,
    const gs_audit_feed_t *entry);
ngx_int_t ngx_http_govsvc_feed_fresh(ngx_http_govsvc_feed_t *feed);


#endif /* _NGX_HTTP_GOVSVC_FEED_PRIV_H_INCLUDED_ */
