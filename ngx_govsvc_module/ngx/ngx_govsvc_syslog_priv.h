
/*
 * Copyright (C) govsvc authors
 *
 * Inside the sender of syslog messages.
 */


#ifndef _NGX_GOVSVC_SYSLOG_PRIV_H_INCLUDED_
#define _NGX_GOVSVC_SYSLOG_PRIV_H_INCLUDED_


#include "ngx/ngx_govsvc_peer.h"
#include "ngx/ngx_govsvc_syslog.h"


#define NGX_GOVSVC_SYSLOG_ADDRS  8         /* of one name, that are tried */


typedef enum {
    NGX_GOVSVC_SYSLOG_TCP = 0,
    NGX_GOVSVC_SYSLOG_TLS,
    NGX_GOVSVC_SYSLOG_UDP,
    NGX_GOVSVC_SYSLOG_UNIX,
    NGX_GOVSVC_SYSLOG_DGRAM,
    NGX_GOVSVC_SYSLOG_KINDS
} ngx_govsvc_syslog_kind_e;


struct ngx_govsvc_syslog_s {
    ngx_str_t                    name;
    ngx_govsvc_syslog_kind_e     kind;
    ngx_govsvc_http_target_t     target;   /* not of Unix sockets */
    ngx_govsvc_peer_addr_t       path;     /* of a Unix socket */

    /* of the worker that has it open */
    ngx_govsvc_syslog_pt         handler;
    void                        *data;
    ngx_log_t                    log;
    ngx_event_t                  timer;
    ngx_event_t                  call;     /* of the handler */
    ngx_connection_t             dummy;

    ngx_resolver_ctx_t          *resolve;
    ngx_govsvc_peer_addr_t       addrs[NGX_GOVSVC_SYSLOG_ADDRS];
    ngx_uint_t                   naddrs;
    ngx_uint_t                   next;
    ngx_peer_connection_t        peer;
    ngx_pool_t                  *pool;     /* of the connection */

    u_char                      *buf;      /* NGX_GOVSVC_SYSLOG_BUFFER */
    u_char                      *start;
    u_char                      *end;
    uint64_t                     given;
    uint64_t                     sent;     /* the system has it */
    uint64_t                     seen;     /* taken, at the last look */
    ngx_uint_t                   stalls;
    ngx_msec_t                   delay;    /* before the next connection */
    const char                  *error;    /* told in the log; or NULL */
    unsigned                     open:1;
    unsigned                     up:1;
    unsigned                     full:1;   /* room is waited for */
    unsigned                     lost:1;   /* to be told to the handler */
    unsigned                     connected:1;
    unsigned                     room:1;
};


#define ngx_govsvc_syslog_datagram(s)                                         \
    ((s)->kind == NGX_GOVSVC_SYSLOG_UDP                                       \
     || (s)->kind == NGX_GOVSVC_SYSLOG_DGRAM)


/* Begins a connection; and ends one, with another to follow. */
void ngx_govsvc_syslog_start(ngx_govsvc_syslog_t *s);
void ngx_govsvc_syslog_lose(ngx_govsvc_syslog_t *s, const char *why);
void ngx_govsvc_syslog_shut(ngx_govsvc_syslog_t *s);

/* The connection stands: from now on messages are taken. */
void ngx_govsvc_syslog_ready(ngx_govsvc_syslog_t *s);
void ngx_govsvc_syslog_event(ngx_event_t *ev);


#endif /* _NGX_GOVSVC_SYSLOG_PRIV_H_INCLUDED_ */
