
/*
 * Copyright (C) govsvc authors
 *
 * A writer of append-only segment files that never blocks the event loop:
 * records wait in a ring of the process, a thread of a pool turns them into
 * lines and writes, one batch at a time.  What a line is, its owner tells in
 * a table of functions.
 *
 *     DIR/NAME/0000000000000000.seg, DIR/NAME/0000000000004711.seg, ...
 *
 * Files are created exclusively, appended to, and never renamed, truncated or
 * opened again.
 */


#ifndef _NGX_GOVSVC_WRITER_H_INCLUDED_
#define _NGX_GOVSVC_WRITER_H_INCLUDED_


#include "core/gs_buf.h"
#include "ngx/ngx_govsvc.h"

#if (NGX_THREADS)
#include <ngx_thread_pool.h>
typedef ngx_thread_pool_t  ngx_govsvc_pool_t;
#else
typedef void               ngx_govsvc_pool_t;
#endif


#define NGX_GOVSVC_WRITER_NAME  40         /* of a segment file, with NUL */


typedef struct ngx_govsvc_writer_s  ngx_govsvc_writer_t;


/* The segment before the one that is opened. */
typedef struct {
    u_char       name[NGX_GOVSVC_WRITER_NAME];    /* without ".seg"; "" */
    off_t        bytes;                    /* that count */
    const char  *why;                      /* of opening the next */
} ngx_govsvc_writer_prev_t;


/*
 * All but space() run in the writing thread, one at a time.  Each of head,
 * line and tail appends one line of at most max_line bytes and returns NGX_OK,
 * or NGX_ERROR (the writer tries again later).
 */
typedef struct {
    /* the number of the next line; it names the file */
    uint64_t   (*number)(void *data);

    ngx_int_t  (*head)(void *data, gs_buf_t *b,
                       const ngx_govsvc_writer_prev_t *prev);
    ngx_int_t  (*line)(void *data, gs_buf_t *b, const u_char *rec,
                       size_t len);
    ngx_int_t  (*tail)(void *data, gs_buf_t *b, const char *why);

    /* remember the state between two lines, and go back to it */
    void       (*mark)(void *data);
    void       (*reset)(void *data);

    /* in the event loop: there is room again after NGX_BUSY */
    void       (*space)(void *data);

    size_t       max_line;
} ngx_govsvc_writer_format_t;


typedef struct {
    ngx_str_t                          dir;       /* exists */
    ngx_str_t                          name;      /* made when needed */
    const ngx_govsvc_writer_format_t  *format;
    void                              *data;
    ngx_govsvc_pool_t                 *pool;      /* NULL: written inline */
    size_t                             buffer;    /* bytes of the ring */
    off_t                              segment;   /* bytes of a file */
    ngx_msec_t                         flush;     /* the longest wait */
    ngx_uint_t                         sync;      /* fdatasync each batch */
} ngx_govsvc_writer_conf_t;


/*
 * Opens nothing yet: a process that writes no record leaves no file.  Memory
 * comes from cycle->pool.  NULL is logged.
 */
ngx_govsvc_writer_t *ngx_govsvc_writer_create(ngx_cycle_t *cycle,
    const ngx_govsvc_writer_conf_t *conf);

/*
 * Room for one record of at most size bytes, or NULL when the ring is full.
 * ngx_govsvc_writer_put() then takes the len bytes that were used; between the
 * two calls nothing else may use the writer.
 */
u_char *ngx_govsvc_writer_reserve(ngx_govsvc_writer_t *w, size_t size);
void ngx_govsvc_writer_put(ngx_govsvc_writer_t *w, size_t len);

/*
 * Writes what waits, ends the segment and closes it; for exit_process, when
 * the threads are gone.  Returns the number of records that could not be
 * written (logged).
 */
ngx_uint_t ngx_govsvc_writer_finish(ngx_govsvc_writer_t *w);


#endif /* _NGX_GOVSVC_WRITER_H_INCLUDED_ */
