
/*
 * Copyright (C) govsvc authors
 *
 * Inside the writer: the part of the event loop (ngx_govsvc_writer.c) and the
 * part of the thread (ngx_govsvc_writer_file.c).  While busy is set, what is
 * marked below belongs to the thread.
 */


#ifndef _NGX_GOVSVC_WRITER_PRIV_H_INCLUDED_
#define _NGX_GOVSVC_WRITER_PRIV_H_INCLUDED_


#include <ngx_event.h>

#include "ngx/ngx_govsvc_writer.h"


/* Before each record in the ring; records begin at multiples of 8. */
typedef struct {
    uint32_t                  len;
    uint32_t                  skip;        /* 1: go on at the ring's start */
} ngx_govsvc_writer_rec_t;


struct ngx_govsvc_writer_s {
    ngx_govsvc_writer_conf_t  conf;
    ngx_log_t                *log;

    /* the event loop's; positions only grow */
    u_char                   *ring;
    uint64_t                  head;
    uint64_t                  tail;        /* below it all is safe */
    ngx_event_t               event;       /* timer, or end of the turn */
    ngx_connection_t          dummy;
    ngx_msec_t                delay;       /* before the next attempt */
    time_t                    logged;
    unsigned                  busy:1;
    unsigned                  full:1;      /* somebody waits for space */
#if (NGX_THREADS)
    ngx_thread_task_t        *task;
#endif

    /* the thread's */
    uint64_t                  next;        /* to be made a line */
    uint64_t                  end;         /* of this batch */
    gs_buf_t                  out;         /* lines */
    u_char                   *sent;        /* written up to here */
    ngx_fd_t                  fd;
    dev_t                     dev;
    ino_t                     ino;
    off_t                     bytes;       /* written to the file */
    u_char                   *folder;      /* DIR/NAME */
    u_char                   *path;        /* of the file */
    size_t                    path_size;
    u_char                    name[NGX_GOVSVC_WRITER_NAME];
    ngx_govsvc_writer_prev_t  prev;

    uint64_t                  mark_next;   /* where mark() was called */
    off_t                     mark_bytes;
    unsigned                  marked:1;    /* in this file */
    unsigned                  need_head:1;
    unsigned                  new_folder:1;
    unsigned                  new_file:1;  /* the name is not synced yet */
    unsigned                  closing:1;   /* the tail is in out */
    unsigned                  finish:1;    /* end the file after the batch */

    /* from the thread to the event loop */
    ngx_int_t                 rc;
    ngx_err_t                 err;
    const char               *failed;      /* "write()" */
    ngx_uint_t                vanished;    /* files removed under us */
    ngx_atomic_t              done;
};


/*
 * Makes lines of [next, end) and writes them.  NGX_OK: all is safe up to
 * mark_next; NGX_ERROR: failed and err tell why, to be called again.
 */
ngx_int_t ngx_govsvc_writer_commit(ngx_govsvc_writer_t *w);

/* The record at *pos, which moves behind it; *len is its length. */
u_char *ngx_govsvc_writer_record(ngx_govsvc_writer_t *w, uint64_t *pos,
    size_t *len);


#endif /* _NGX_GOVSVC_WRITER_PRIV_H_INCLUDED_ */
