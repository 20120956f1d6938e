
/*
 * Copyright (C) govsvc authors
 *
 * A text that must outlive the node: one file with a checksum and the two
 * generations before it, replaced atomically, under a lock that the kernel
 * takes back from whoever dies.
 *
 *     FILE, FILE.1, FILE.2     {"revision":R,"length":L,"sha256":"..."} LF text
 *
 * All functions block: for the master, or for a thread.
 */


#ifndef _NGX_GOVSVC_SNAPSHOT_H_INCLUDED_
#define _NGX_GOVSVC_SNAPSHOT_H_INCLUDED_


#include "ngx/ngx_govsvc.h"


#define NGX_GOVSVC_SNAPSHOT_KEEP  3
#define NGX_GOVSVC_SNAPSHOT_MAX   (256 * 1024 * 1024)


typedef struct {
    uint64_t    revision;
    ngx_uint_t  generation;                /* 0: FILE itself */
    char       *base;                      /* malloc'ed, of the whole */
    gs_str_t    text;
} ngx_govsvc_snapshot_t;


/*
 * Takes the lock of the folder of path, waiting at most msec.  The descriptor,
 * to be given to the unlock; NGX_INVALID_FILE with *err, NGX_EAGAIN when
 * somebody else has it.
 */
ngx_fd_t ngx_govsvc_snapshot_lock(ngx_str_t *path, ngx_msec_t msec,
    ngx_err_t *err);
void ngx_govsvc_snapshot_unlock(ngx_fd_t fd);

/*
 * Reads one generation.  NGX_DECLINED: there is no such file; NGX_ERROR: it
 * cannot be read or is not whole, why is logged as crit.
 */
ngx_int_t ngx_govsvc_snapshot_read(ngx_str_t *path, ngx_uint_t generation,
    ngx_govsvc_snapshot_t *s, ngx_log_t *log);
void ngx_govsvc_snapshot_free(ngx_govsvc_snapshot_t *s);

/* A number that changes with the file; 0: there is none. */
uint64_t ngx_govsvc_snapshot_stamp(ngx_str_t *path);

/*
 * Makes the text generation 0, synced; there is a whole generation 0 at every
 * moment.  To be called under the lock.  NGX_ERROR is logged and leaves the
 * generations readable.
 */
ngx_int_t ngx_govsvc_snapshot_write(ngx_str_t *path, uint64_t revision,
    const gs_str_t *text, ngx_log_t *log);


#endif /* _NGX_GOVSVC_SNAPSHOT_H_INCLUDED_ */
