
/*
 * Copyright (C) govsvc authors
 *
 * Sealing inside the server: one elected worker, in a thread of its own, runs
 * the sealer of seal/ over the store.
 */


#ifndef _NGX_HTTP_GOVSVC_AUDIT_SEAL_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_AUDIT_SEAL_H_INCLUDED_


#include "http/ngx_http_govsvc_audit.h"
#include "ngx/ngx_govsvc_lead.h"
#include "seal/gs_sealer.h"


typedef enum {
    NGX_HTTP_GOVSVC_AUDIT_SEAL_STARTING = 0,
    NGX_HTTP_GOVSVC_AUDIT_SEAL_SIGNING,
    NGX_HTTP_GOVSVC_AUDIT_SEAL_ELSEWHERE,  /* another sealer holds the lock */
    NGX_HTTP_GOVSVC_AUDIT_SEAL_FAILING,    /* and tried again */
    NGX_HTTP_GOVSVC_AUDIT_SEAL_REFUSED,    /* something was changed */
    NGX_HTTP_GOVSVC_AUDIT_SEAL_STATES
} ngx_http_govsvc_audit_seal_state_e;


/* In shared memory: written by the thread that seals, for metrics. */
typedef struct {
    uint32_t                     magic;
    uint64_t                     state;
    uint64_t                     lines;    /* sealed */
    uint64_t                     signed_at;  /* us, wall clock; 0: never */
    uint64_t                     covers;   /* us, monotonic: all that was
                                              written before is sealed */
    uint64_t                     failed;
    uint64_t                     refused;
} ngx_http_govsvc_audit_seal_sh_t;


typedef struct {
    ngx_str_t                    dir;      /* len 0: no sealing here */
    gs_seal_keys_t              *keys;
    ngx_msec_t                   interval;
    u_char                      *file;     /* of the directive */
    ngx_uint_t                   line;
    ngx_cycle_t                 *cycle;
    ngx_govsvc_lead_t           *lead;
    ngx_shm_zone_t              *zone;
    ngx_http_govsvc_audit_seal_sh_t  *sh;
} ngx_http_govsvc_audit_seal_main_conf_t;


extern const char *const  ngx_http_govsvc_audit_seal_states[];


/* What is known of sealing in the cycle; NULL: it does not seal. */
ngx_http_govsvc_audit_seal_sh_t *ngx_http_govsvc_audit_seal_row(
    ngx_cycle_t *cycle);

/*
 * The thread of this process: starts asleep.  _lead() wakes it or makes it
 * give the lock back soon; never blocks, as data is nothing.  _end() waits for
 * it, some seconds at most, and leaves it behind if it hangs in the disk.
 */
ngx_int_t ngx_http_govsvc_audit_seal_start(
    ngx_http_govsvc_audit_seal_main_conf_t *smcf, ngx_str_t *store,
    ngx_log_t *log);
void ngx_http_govsvc_audit_seal_lead(void *data, ngx_uint_t leads);
void ngx_http_govsvc_audit_seal_end(void);


#endif /* _NGX_HTTP_GOVSVC_AUDIT_SEAL_H_INCLUDED_ */
