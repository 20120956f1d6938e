
/*
 * Copyright (C) govsvc authors
 *
 * Inside what the master tells: a chain of one segment that is composed in
 * memory and put to the disk as a whole.
 */


#ifndef _NGX_HTTP_GOVSVC_AUDIT_PROCESS_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_AUDIT_PROCESS_H_INCLUDED_


#include "http/ngx_http_govsvc_audit_priv.h"


#define NGX_HTTP_GOVSVC_AUDIT_CHUNK  65536


typedef struct {
    ngx_http_govsvc_audit_main_conf_t  *amcf;
    ngx_cycle_t                        *cycle;
    ngx_pool_t                         *pool;
    ngx_log_t                          *log;
    gs_audit_chain_t                    hash;
    gs_str_t                            chain;
    uint64_t                            seq;
    uint64_t                            n;        /* records */
    uint64_t                            first;    /* g */
    uint64_t                            last;
    gs_buf_t                            out;
    u_char                             *chunk;
    u_char                              name[NGX_HTTP_GOVSVC_AUDIT_NAME];
} ngx_http_govsvc_audit_process_t;


/* The number of the next record. */
uint64_t ngx_http_govsvc_audit_process_number(
    ngx_http_govsvc_audit_process_t *p);

/* Makes a line of the draft, whose first part ends at head; in memory. */
ngx_int_t ngx_http_govsvc_audit_process_append(
    ngx_http_govsvc_audit_process_t *p, const gs_buf_t *draft, size_t head);

/* Makes the lines of what the configuration is made of, ngx_govsvc_file_t. */
ngx_int_t ngx_http_govsvc_audit_process_cfg(ngx_http_govsvc_audit_process_t *p,
    ngx_array_t *files);

/*
 * Size, time of change and, unless it is a secret, digest of a file; path
 * stays.  NGX_DECLINED: there is no such file, NGX_ERROR: it cannot be read.
 */
ngx_int_t ngx_http_govsvc_audit_process_hash(
    ngx_http_govsvc_audit_process_t *p, const char *path,
    gs_audit_cfg_file_t *file);

/* The lines to the disk, synced; NGX_ERROR is logged. */
ngx_int_t ngx_http_govsvc_audit_process_keep(
    ngx_http_govsvc_audit_process_t *p);


#endif /* _NGX_HTTP_GOVSVC_AUDIT_PROCESS_H_INCLUDED_ */
