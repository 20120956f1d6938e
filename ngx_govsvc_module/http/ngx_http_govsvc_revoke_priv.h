
/*
 * Copyright (C) govsvc authors
 *
 * The zone of revocations and its state file, for the files that serve them.
 */


#ifndef _NGX_HTTP_GOVSVC_REVOKE_PRIV_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_REVOKE_PRIV_H_INCLUDED_


#include "http/ngx_http_govsvc_follow.h"
#include "http/ngx_http_govsvc_revoke.h"
#include "ngx/ngx_govsvc_lead.h"
#include "ngx/ngx_govsvc_store.h"


struct ngx_http_govsvc_revoke_zone_s {
    ngx_cycle_t               *cycle;
    ngx_shm_zone_t            *zone;
    ngx_str_t                  path;       /* of the state, ends with NUL */
    ngx_str_t                  dir;
    gs_token_revoke_t          table;
    uint64_t                   cycle_number;
    uint64_t                   path_number;
    ngx_govsvc_lead_t         *lead;       /* one worker writes */
    ngx_uint_t                 shared;     /* with other nodes */
    u_char                     key[NGX_HTTP_GOVSVC_FOLLOW_KEY];
    ngx_http_govsvc_follow_t   follow;

    /* of the worker */
    ngx_event_t                event;
    ngx_connection_t           dummy;
    ngx_uint_t                 writing;    /* a thread does; atomic */
    ngx_uint_t                 failed;     /* has been logged */
    ngx_err_t                  err;        /* of the thread, 0: none */
    const char                *what;       /* which call */

    /* likewise, of the one that follows */
    ngx_govsvc_redis_call_t   *asking;     /* for a part of the set */
    ngx_govsvc_redis_call_t   *marking;
    ngx_msec_t                 asked;      /* for the mark */
    ngx_msec_t                 compare;    /* when to */
    ngx_msec_t                 sweep;      /* when to */
    uint64_t                   scan;       /* where in the set */
    uint64_t                   place;      /* where in the table */
    unsigned                   ready:1;    /* the stream is read */
    unsigned                   wanted:1;   /* to compare with the set */
    unsigned                   comparing:1;
    unsigned                   sure:1;     /* of what was told */
    unsigned                   sweeping:1;
    unsigned                   refused:1;  /* has been logged */
    unsigned                   full:1;     /* likewise */
};


/*
 * Reads the state into a table just laid out; a file that does not exist is
 * an empty state.  NGX_ERROR is logged as emerg.
 */
ngx_int_t ngx_http_govsvc_revoke_read(ngx_http_govsvc_revoke_zone_t *rz);

/*
 * Writes the state beside the file, syncs and renames it, and blocks while it
 * does: for a thread, or the end of a worker.  Processes that write at once
 * take turns.  NGX_ERROR, with rz->err and rz->what, if the file is as it was.
 */
ngx_int_t ngx_http_govsvc_revoke_write(ngx_http_govsvc_revoke_zone_t *rz);

/* The same in a thread, if there is anything to write. */
void ngx_http_govsvc_revoke_save(ngx_http_govsvc_revoke_zone_t *rz);

/* 1 if there is anything that the file does not have, or is not its name. */
ngx_uint_t ngx_http_govsvc_revoke_dirty(ngx_http_govsvc_revoke_zone_t *rz);


/* Makes the zone one of all nodes that name the same redis; logs. */
char *ngx_http_govsvc_revoke_sync_add(ngx_conf_t *cf,
    ngx_http_govsvc_revoke_zone_t *rz, ngx_str_t *redis);

/* In each worker. */
void ngx_http_govsvc_revoke_sync_start(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_log_t *log);

/*
 * Tells the other nodes of an entry; was is what they knew, or NULL.
 * NGX_ERROR: not now, the elected worker does it later.
 */
ngx_int_t ngx_http_govsvc_revoke_tell(ngx_http_govsvc_revoke_zone_t *rz,
    const gs_token_revoke_item_t *item, const gs_token_revoke_item_t *was);


#endif /* _NGX_HTTP_GOVSVC_REVOKE_PRIV_H_INCLUDED_ */
