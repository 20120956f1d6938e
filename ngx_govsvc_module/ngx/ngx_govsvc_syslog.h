
/*
 * Copyright (C) govsvc authors
 *
 * A sender of syslog messages over Nginx's events: TCP with octet counting
 * (RFC 6587), TLS (RFC 5425), UDP (RFC 5426), Unix sockets.  It connects again
 * by itself, keeps at most NGX_GOVSVC_SYSLOG_BUFFER bytes, and no call blocks.
 * What is in a message is not its concern (audit/gs_audit_syslog.h makes them).
 *
 * Syslog has no answers.  What the receiver's system has taken is known of TCP,
 * TLS and Unix sockets; what its program did with it is not, so who must not
 * lose anything sends again what a connection took shortly before it broke.
 */


#ifndef _NGX_GOVSVC_SYSLOG_H_INCLUDED_
#define _NGX_GOVSVC_SYSLOG_H_INCLUDED_


#include "ngx/ngx_govsvc_http.h"


#define NGX_GOVSVC_SYSLOG_BUFFER  (128 * 1024)
#define NGX_GOVSVC_SYSLOG_FRAME   (NGX_GOVSVC_SYSLOG_BUFFER / 2)


typedef struct ngx_govsvc_syslog_s  ngx_govsvc_syslog_t;


/*
 * In the event loop, never from inside a call of the sender's:
 *
 * NGX_OK     connected; nothing of an earlier connection is left
 * NGX_AGAIN  there is room again, after a send that found none
 * NGX_ERROR  the connection is lost (logged), a new one comes
 */
typedef void (*ngx_govsvc_syslog_pt)(void *data, ngx_int_t rc);


/* Parameters of a directive beside the address; absent ones have data NULL. */
typedef struct {
    ngx_str_t                  ca;         /* file; else the system's */
    ngx_str_t                  name;       /* of the certificate */
    ngx_str_t                  cert;       /* our own, and its key */
    ngx_str_t                  key;
} ngx_govsvc_syslog_tls_t;


/*
 * Makes a sender of "tcp://HOST:PORT", "tls://HOST:PORT", "udp://HOST:PORT",
 * "unix:PATH" (stream, octet counting) or "unix-dgram:PATH" (as /dev/log).
 * NULL is logged.
 */
ngx_govsvc_syslog_t *ngx_govsvc_syslog_conf(ngx_conf_t *cf,
    ngx_str_t *address, ngx_govsvc_syslog_tls_t *tls);

/* At the end of the configuration, as ngx_govsvc_http_resolver(). */
char *ngx_govsvc_syslog_resolver(ngx_conf_t *cf, ngx_govsvc_syslog_t *s,
    ngx_resolver_t *resolver, ngx_str_t *who);

/* Opens and closes the sender of this worker; data is of handler. */
void ngx_govsvc_syslog_open(ngx_govsvc_syslog_t *s,
    ngx_govsvc_syslog_pt handler, void *data);
void ngx_govsvc_syslog_close(ngx_govsvc_syslog_t *s);

/* 1 while there is a connection. */
ngx_uint_t ngx_govsvc_syslog_up(ngx_govsvc_syslog_t *s);

/*
 * Takes one message, which is copied and framed.  NGX_OK: taken; NGX_AGAIN:
 * not, there is no room for now; NGX_DECLINED: not, it is too long for this
 * way (NGX_GOVSVC_SYSLOG_FRAME, or what a datagram holds); NGX_ERROR: not,
 * there is no connection.
 */
ngx_int_t ngx_govsvc_syslog_send(ngx_govsvc_syslog_t *s,
    const ngx_str_t *message);

/* Writes what it can; to be called behind the last message of some. */
void ngx_govsvc_syslog_flush(ngx_govsvc_syslog_t *s);

/*
 * Bytes that this connection was given, with frames, and those that the
 * receiver's system has surely taken (of datagrams: that were sent).
 */
uint64_t ngx_govsvc_syslog_given(ngx_govsvc_syslog_t *s);
uint64_t ngx_govsvc_syslog_taken(ngx_govsvc_syslog_t *s);

/* What the log calls it: the address. */
const ngx_str_t *ngx_govsvc_syslog_name(ngx_govsvc_syslog_t *s);


#endif /* _NGX_GOVSVC_SYSLOG_H_INCLUDED_ */
