
/*
 * Copyright (C) govsvc authors
 *
 * A writer of append-only segment files that never blocks the event loop.
 * Records wait in a ring in shared memory, a thread of the process turns them
 * into lines, writes and syncs them, one batch at a time.  What a line is, its
 * owner tells in a table of functions.
 *
 *     DIR/NAME/0000000000000000.seg, DIR/NAME/0000000000004711.seg, ...
 *
 * Files are created exclusively, appended to, and never renamed, truncated or
 * written to by another process.
 *
 * A slot of the shared memory belongs to the process that holds the lock of
 * its number in DIR/slots, which the kernel takes back when the process dies,
 * however it does.  Who finds a slot in use that nobody holds goes on with its
 * chain, writes what was not safe yet, and ends it.
 */


#ifndef _NGX_GOVSVC_WRITER_H_INCLUDED_
#define _NGX_GOVSVC_WRITER_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_metric.h"
#include "ngx/ngx_govsvc.h"


#define NGX_GOVSVC_WRITER_NAME   40        /* of a segment file, with NUL */
#define NGX_GOVSVC_WRITER_CHAIN  128       /* of a chain, with NUL */
#define NGX_GOVSVC_WRITER_STATE  64        /* bytes of the format's state */
#define NGX_GOVSVC_WRITER_SEAL   32        /* bytes left for a record */


typedef struct ngx_govsvc_writer_s  ngx_govsvc_writer_t;


/* What is safe on the disk; two copies, so that one is always whole. */
typedef struct {
    uint64_t      tail;                    /* of the ring */
    uint64_t      file;                    /* packed name, 0: none */
    uint64_t      bytes;                   /* of it */
    u_char        state[NGX_GOVSVC_WRITER_STATE];
} ngx_govsvc_writer_mark_t;


/* Added to by the thread, atomically. */
typedef struct {
    gs_metric_histogram_t  commit;         /* until the bytes were safe */
    uint64_t               bytes;          /* of the ring, that became safe */
    uint64_t               errors;         /* attempts that failed */
} ngx_govsvc_writer_stat_t;


/* In shared memory: this, the user's bytes, the ring. */
typedef struct {
    uint32_t                  magic;
    uint32_t                  used;        /* a chain that was not ended */
    ngx_atomic_t              head;        /* of the ring */
    ngx_atomic_t              gen;         /* marks[gen & 1] is valid */
    ngx_atomic_t              file;        /* newest that may exist */
    ngx_govsvc_writer_mark_t  marks[2];
    u_char                    name[NGX_GOVSVC_WRITER_CHAIN];
} ngx_govsvc_writer_slot_t;


/* The segment before the one that is opened. */
typedef struct {
    u_char       name[NGX_GOVSVC_WRITER_NAME];    /* without ".seg"; "" */
    off_t        bytes;                    /* that count */
    const char  *why;                      /* of opening the next */
} ngx_govsvc_writer_prev_t;


/*
 * The functions run in the writing thread but the last two.  Each of head,
 * line and tail appends lines of at most max_line bytes and returns NGX_OK, or
 * NGX_ERROR (the writer tries again later).
 */
typedef struct {
    /* the number of the next line; it names the file */
    uint64_t   (*number)(void *data);

    ngx_int_t  (*head)(void *data, gs_buf_t *b,
                       const ngx_govsvc_writer_prev_t *prev);

    /* seal: room beside the record, for what becomes known with its line */
    ngx_int_t  (*line)(void *data, gs_buf_t *b, const u_char *rec,
                       size_t len, u_char *seal);
    ngx_int_t  (*tail)(void *data, gs_buf_t *b, const char *why);

    /* the state between two lines */
    void       (*save)(void *data, u_char *state);
    void       (*load)(void *data, const u_char *state);

    /* the chain of another process is gone on with */
    void       (*adopt)(void *data, const u_char *name, void *user);

    /*
     * A line found in a file: NGX_OK when it was made of a record and fits,
     * NGX_DONE for one that fits but was not, NGX_DECLINED when it does not.
     */
    ngx_int_t  (*check)(void *data, const u_char *line, size_t len);

    /* what else the user's bytes hold is put; NGX_AGAIN: the ring is full */
    ngx_int_t  (*rest)(void *data, ngx_govsvc_writer_t *w);

    /* event loop: all below pos is safe and about to leave the ring */
    void       (*safe)(void *data, uint64_t pos);

    /* event loop: somebody waited, and something changed */
    void       (*ready)(void *data);

    size_t       max_line;
} ngx_govsvc_writer_format_t;


typedef struct {
    ngx_str_t                          dir;       /* exists */
    ngx_str_t                          name;      /* made when needed */
    const ngx_govsvc_writer_format_t  *format;
    void                              *data;
    void                              *rescue;    /* data for other chains */

    u_char                            *slots;     /* NULL: memory of ours */
    ngx_uint_t                         nslots;
    uint64_t                           base;      /* of the locks */
    size_t                             user;      /* bytes in a slot */
    size_t                             buffer;    /* bytes of the ring */

    off_t                              segment;   /* bytes of a file */
    ngx_msec_t                         segment_time;
    ngx_msec_t                         flush;     /* the longest wait */
    ngx_uint_t                         sync;      /* fdatasync each batch */
    off_t                              reserve;   /* bytes of DIR/reserve */
} ngx_govsvc_writer_conf_t;


/* The bytes of a slot with these sizes. */
size_t ngx_govsvc_writer_slot_size(size_t user, size_t buffer);

/*
 * Takes a slot and starts the thread.  Opens no segment yet: a process that
 * writes no record leaves no file.  Memory comes from cycle->pool.  NULL is
 * logged.
 */
ngx_govsvc_writer_t *ngx_govsvc_writer_create(ngx_cycle_t *cycle,
    const ngx_govsvc_writer_conf_t *conf);

/* The user's bytes of the slot, zero at first. */
void *ngx_govsvc_writer_user(ngx_govsvc_writer_t *w);

/*
 * Room for one record of at most size bytes that leaves keep bytes of the ring
 * free, or NULL.  ngx_govsvc_writer_put() then takes the len bytes that were
 * used and returns the position behind them; between the two calls nothing
 * else may use the writer.  In told, a word of the user's bytes or NULL, that
 * position is left before the record is there: whoever finds the slot of a
 * dead process asks ngx_govsvc_writer_holds() whether it got there.
 */
u_char *ngx_govsvc_writer_reserve(ngx_govsvc_writer_t *w, size_t size,
    size_t keep);
uint64_t ngx_govsvc_writer_put(ngx_govsvc_writer_t *w, size_t len,
    uint64_t *told);
ngx_uint_t ngx_govsvc_writer_holds(ngx_govsvc_writer_t *w, uint64_t pos);

/* What line() left beside the record that reserve() gave. */
#define ngx_govsvc_writer_seal(rec)  ((rec) - NGX_GOVSVC_WRITER_SEAL)

/*
 * Somebody waits until all below pos is safe (or just for any change, pos 0):
 * ready() is called in the event loop, once for each call of this.
 */
void ngx_govsvc_writer_wait(ngx_govsvc_writer_t *w, uint64_t pos);

/* All below this position is safe. */
uint64_t ngx_govsvc_writer_durable(ngx_govsvc_writer_t *w);

/* From now on the thread counts there, in memory that lives longer than w. */
void ngx_govsvc_writer_count(ngx_govsvc_writer_t *w,
    ngx_govsvc_writer_stat_t *stat);

/* Bytes of the ring that are not safe yet, and all there are. */
size_t ngx_govsvc_writer_used(ngx_govsvc_writer_t *w, size_t *size);

/* How long writing fails already, ms; 0: it does not. */
ngx_msec_t ngx_govsvc_writer_failing(ngx_govsvc_writer_t *w);

/* Free and all bytes of the file system, as of a second ago; 0: unknown. */
uint64_t ngx_govsvc_writer_space(ngx_govsvc_writer_t *w, uint64_t *all);

/* Ends the segment and begins the next, when it holds a record. */
void ngx_govsvc_writer_rotate(ngx_govsvc_writer_t *w);

/* 1: gives DIR/reserve to the records; 0: makes it again. */
void ngx_govsvc_writer_release(ngx_govsvc_writer_t *w, ngx_uint_t release);

/*
 * Writes what waits, ends the segment and the thread; for exit_process.
 * Returns the number of records that could not be written (logged); they stay
 * in the ring, where another process finds them.
 */
ngx_uint_t ngx_govsvc_writer_finish(ngx_govsvc_writer_t *w);


#endif /* _NGX_GOVSVC_WRITER_H_INCLUDED_ */
