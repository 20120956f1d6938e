
/*
 * Copyright (C) govsvc authors
 *
 * What nodes share through a Redis: a sorted set of what holds, by the time
 * (ms) when it ends, and a stream of what changes.  One elected worker of a
 * node follows the stream; whoever changes something tells it.
 */


#ifndef _NGX_HTTP_GOVSVC_FOLLOW_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_FOLLOW_H_INCLUDED_


#include "http/ngx_http_govsvc_redis.h"
#include "ngx/ngx_govsvc_lead.h"


#define NGX_HTTP_GOVSVC_FOLLOW_KEY  16     /* bytes */


/*
 * Part of what shares; the first six members are set by its owner.  tick runs
 * every 100 ms in each worker, ended when this worker no longer leads.
 */
typedef struct {
    void                       *data;
    ngx_int_t                 (*entry)(void *data, const ngx_str_t *id,
                                       const ngx_str_t *fields, ngx_uint_t n);
    void                      (*event)(void *data,
                                       ngx_govsvc_redis_stream_event_e event);
    void                      (*tick)(void *data);
    void                      (*ended)(void *data);
    uint64_t                   *cursor;    /* shared by workers; 0: none */

    ngx_govsvc_redis_t         *redis;
    ngx_govsvc_lead_t          *lead;
    ngx_str_t                   what;      /* "ban" */
    ngx_str_t                   name;
    ngx_str_t                   duty;

    /* of the worker */
    ngx_log_t                  *log;
    ngx_event_t                 event_timer;
    ngx_connection_t            dummy;
    ngx_str_t                   set;       /* "gs:{ban:NAME}:set" */
    ngx_str_t                   stream;    /* "gs:{ban:NAME}:log" */
    ngx_str_t                   mark;      /* "gs:{ban:NAME}:mark" */
    ngx_govsvc_redis_stream_t  *reader;    /* NULL: does not lead */
    ngx_msec_t                  gc;
    unsigned                    leads:1;
} ngx_http_govsvc_follow_t;


/*
 * At configuration: names the redis and adds the duty.  what and name live as
 * long as the cycle.  Logs.
 */
char *ngx_http_govsvc_follow_add(ngx_conf_t *cf, ngx_http_govsvc_follow_t *f,
    ngx_str_t *what, ngx_str_t *name, ngx_str_t *redis);

/*
 * redis=NAME and secret=FILE, which need one another: reads the file, and makes
 * a key of it that all nodes have.  kind and name are for words of errors.
 */
char *ngx_http_govsvc_follow_secret(ngx_conf_t *cf, const char *kind,
    ngx_str_t *name, ngx_str_t *redis, ngx_str_t *secret,
    u_char key[NGX_HTTP_GOVSVC_FOLLOW_KEY]);

/* In each worker; NGX_ERROR: no memory. */
ngx_int_t ngx_http_govsvc_follow_start(ngx_http_govsvc_follow_t *f,
    ngx_log_t *log);


#endif /* _NGX_HTTP_GOVSVC_FOLLOW_H_INCLUDED_ */
