
/*
 * Copyright (C) govsvc authors
 *
 * Inside the writer: the event loop (ngx_govsvc_writer.c), the thread
 * (_thread.c), files (_file.c), chains of dead processes (_rescue.c).
 */


#ifndef _NGX_GOVSVC_WRITER_PRIV_H_INCLUDED_
#define _NGX_GOVSVC_WRITER_PRIV_H_INCLUDED_


#include <ngx_event.h>

#include "core/gs_fault.h"
#include "ngx/ngx_govsvc_thread.h"
#include "ngx/ngx_govsvc_writer.h"


#define NGX_GOVSVC_WRITER_MAGIC  0x67737772
#define NGX_GOVSVC_WRITER_TICK   1000      /* ms */

#define NGX_GOVSVC_WRITER_BUSY    0        /* phases of the thread */
#define NGX_GOVSVC_WRITER_IDLE    1        /* nothing to write */
#define NGX_GOVSVC_WRITER_LINGER  2        /* waits for more */


/*
 * Before each record in the ring; records begin at multiples of 8.  The check
 * binds it to its place: what a process left half done is never taken.
 */
typedef struct {
    uint32_t                   len;
    uint32_t                   skip;       /* 1: go on at the ring's start */
    uint64_t                   check;
    u_char                     seal[NGX_GOVSVC_WRITER_SEAL];
} ngx_govsvc_writer_rec_t;


struct ngx_govsvc_writer_s {
    ngx_govsvc_writer_conf_t   conf;
    ngx_log_t                 *log;
    ngx_govsvc_writer_slot_t  *slot;
    ngx_uint_t                 index;      /* of the slot */
    u_char                    *ring;
    ngx_fd_t                   locks;      /* DIR/slots */
    ngx_govsvc_writer_t       *rescue;     /* writes for the dead */
    unsigned                   shared:1;   /* the slot outlives us */
    unsigned                   running:1;  /* has a thread */

    /* the event loop's */
    uint64_t                   freed;      /* of the ring, seen by safe() */
    size_t                     gap;        /* before what reserve() gave */
    ngx_fd_t                   notify;
    ngx_connection_t          *c;
    ngx_event_t                post;       /* end of the turn */

    /* between both */
    pthread_t                  thread;
    pthread_mutex_t            mutex;
    pthread_cond_t             cond;
    unsigned                   woken;      /* under the mutex */
    ngx_atomic_t               phase;
    ngx_atomic_t               want;       /* somebody waits up to here */
    ngx_atomic_t               waiting;
    ngx_atomic_t               rotate;
    ngx_atomic_t               release;
    ngx_atomic_t               stop;
    ngx_atomic_t               ended;
    ngx_atomic_t               failing;    /* since, monotonic ms */
    ngx_atomic_t               space_free;
    ngx_atomic_t               space_all;
    ngx_govsvc_writer_stat_t  *stat;       /* NULL: nobody counts */

    /* the thread's */
    uint64_t                   next;       /* to be made a line */
    uint64_t                   end;        /* of this batch */
    gs_buf_t                   out;        /* lines */
    u_char                    *sent;       /* written up to here */
    ngx_fd_t                   fd;
    dev_t                      dev;
    ino_t                      ino;
    off_t                      bytes;      /* written to the file */
    uint64_t                   begun;      /* the file, monotonic ms */
    uint64_t                   packed;     /* its name */
    u_char                    *folder;     /* DIR/NAME */
    u_char                    *path;       /* of the file */
    size_t                     path_size;
    u_char                    *reserve;    /* DIR/reserve */
    u_char                     name[NGX_GOVSVC_WRITER_NAME];
    ngx_govsvc_writer_prev_t   prev;
    ngx_govsvc_writer_mark_t   mark;       /* the last that was published */
    ngx_msec_t                 delay;      /* before the next attempt */
    uint64_t                   ticked;     /* monotonic ms */
    time_t                     logged;
    ngx_err_t                  err;
    const char                *failed;     /* "write()" */
    const char                *turn;       /* why the segment is ended */
    unsigned                   marked:1;   /* in this file */
    unsigned                   need_head:1;
    unsigned                   holds:1;    /* a record */
    unsigned                   dirty:1;    /* not synced */
    unsigned                   new_folder:1;
    unsigned                   new_file:1; /* the name is not synced yet */
    unsigned                   closing:1;  /* the tail is in out */
    unsigned                   reopen:1;   /* the next without a record */
    unsigned                   finish:1;   /* end the file after the batch */
    unsigned                   given:1;    /* the reserve is gone */
};


/* Monotonic time, for the thread: that of the event loop may stand. */
uint64_t ngx_govsvc_writer_msec(void);

/* Memory of w but the slot; NGX_ERROR is logged. */
ngx_int_t ngx_govsvc_writer_init(ngx_govsvc_writer_t *w, ngx_pool_t *pool);

/* w works on this slot, the chain of which has the name. */
void ngx_govsvc_writer_attach(ngx_govsvc_writer_t *w,
    ngx_govsvc_writer_slot_t *slot, const u_char *name);

/* A slot as it begins. */
void ngx_govsvc_writer_clear(ngx_govsvc_writer_t *w);

ngx_govsvc_writer_slot_t *ngx_govsvc_writer_slot(
    const ngx_govsvc_writer_conf_t *conf, ngx_uint_t i);

/* NGX_OK, NGX_BUSY: another process has it, NGX_ERROR. */
ngx_int_t ngx_govsvc_writer_lock(ngx_govsvc_writer_t *w, ngx_uint_t i);
void ngx_govsvc_writer_unlock(ngx_govsvc_writer_t *w, ngx_uint_t i);

/* The thread. */
void *ngx_govsvc_writer_run(void *data);

/* Logs what commit() could not do, at most once a second. */
void ngx_govsvc_writer_complain(ngx_govsvc_writer_t *w);

/* Looks for slots in use that nobody holds and ends their chains. */
void ngx_govsvc_writer_rescue(ngx_govsvc_writer_t *w);

/*
 * Makes lines of [next, end) and writes them.  NGX_OK: all is safe up to
 * next; NGX_ERROR: failed and err tell why, to be called again.
 */
ngx_int_t ngx_govsvc_writer_commit(ngx_govsvc_writer_t *w);

/*
 * Finds what of a chain is on the disk behind its mark, and goes on there.
 * NGX_ERROR as commit().
 */
ngx_int_t ngx_govsvc_writer_resume(ngx_govsvc_writer_t *w);

/* All up to next, in the file so far, is safe: tells the slot. */
void ngx_govsvc_writer_publish(ngx_govsvc_writer_t *w);

/*
 * The record at *pos, which moves behind it; *len is its length.  NULL when
 * the bytes are none.
 */
ngx_govsvc_writer_rec_t *ngx_govsvc_writer_record(ngx_govsvc_writer_t *w,
    uint64_t *pos, size_t *len);

void ngx_govsvc_writer_path(ngx_govsvc_writer_t *w, uint64_t packed);
ngx_int_t ngx_govsvc_writer_failed(ngx_govsvc_writer_t *w, const char *what,
    ngx_err_t err);


#endif /* _NGX_GOVSVC_WRITER_PRIV_H_INCLUDED_ */
