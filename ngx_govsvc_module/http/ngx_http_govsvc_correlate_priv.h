
/*
 * Copyright (C) govsvc authors
 *
 * Inside of the correlation feature: its zone, its limits, a request as the
 * rules see it at its end.
 */


#ifndef _NGX_HTTP_GOVSVC_CORRELATE_PRIV_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_CORRELATE_PRIV_H_INCLUDED_


#include "http/ngx_http_govsvc_ban.h"
#include "http/ngx_http_govsvc_correlate.h"
#include "http/ngx_http_govsvc_guard_priv.h"
#include "limit/gs_limit_table.h"


#define NGX_HTTP_GOVSVC_CORRELATE_FIELDS  16   /* taken by the rule engine */
#define NGX_HTTP_GOVSVC_CORRELATE_VALUE   128  /* bytes of one that count */
#define NGX_HTTP_GOVSVC_CORRELATE_BURST   10   /* of a limit, at most */
#define NGX_HTTP_GOVSVC_CORRELATE_KEY     (NGX_HTTP_GOVSVC_BAN_LABEL + 512)

/* What a mark in the table says: a rule, and which of its limits. */
#define ngx_http_govsvc_correlate_mark_of(id, step)  ((id) << 2 | (step))

/* Lanes of marks: all requests, those of "only" of the rule. */
#define NGX_HTTP_GOVSVC_CORRELATE_ALL   0
#define NGX_HTTP_GOVSVC_CORRELATE_ONLY  1


typedef struct {
    ngx_http_govsvc_correlate_pt    hook;
    void                           *data;
} ngx_http_govsvc_correlate_hook_t;


typedef struct {
    uint32_t                        mark;
    gs_limit_rate_t                 rate;
    gs_limit_rate_t                 whole;         /* of a shared exit */
} ngx_http_govsvc_correlate_rate_t;


typedef struct {
    ngx_shm_zone_t                 *shm_zone;      /* NULL: off */
    size_t                          size;          /* of both tables */
    gs_correlate_table_t           *table;
    gs_limit_table_t               *limits;
    ngx_http_govsvc_ban_zone_t     *ban;           /* NULL: nobody is banned */
    ngx_flag_t                      dry_run;
    gs_guard_t                     *guard;         /* of the rules */
    ngx_array_t                     hooks;         /* ..._hook_t */
    ngx_array_t                     rates;         /* ..._rate_t */
    ngx_uint_t                      nfields;
    const gs_correlate_field_t     *fields[NGX_HTTP_GOVSVC_CORRELATE_FIELDS];
    gs_guard_build_t               *build;         /* of a set of rules that */
    gs_guard_t                     *taker;         /* takes the fields */
    gs_guard_scratch_t             *scratch;
} ngx_http_govsvc_correlate_main_conf_t;


/* A request at its end; on the stack of the stage. */
typedef struct {
    ngx_http_request_t                     *request;
    ngx_http_govsvc_ctx_t                  *ctx;
    ngx_http_govsvc_correlate_main_conf_t  *conf;
    ngx_uint_t                              level; /* rules up to it act */
    unsigned                                acts:1;
    unsigned                                taken:1;
    gs_ban_id_t                             id;    /* of the key asked last */
    gs_str_t                                shown;
    u_char                                  label[NGX_HTTP_GOVSVC_BAN_LABEL];
    u_char                                  key[NGX_HTTP_GOVSVC_CORRELATE_KEY];
    u_char                                  text[GS_NET_TEXT];
    u_char                                  asn[NGX_INT_T_LEN];
    gs_str_t                        values[NGX_HTTP_GOVSVC_CORRELATE_FIELDS];
    u_char                          data[NGX_HTTP_GOVSVC_CORRELATE_FIELDS]
                                        [NGX_HTTP_GOVSVC_CORRELATE_VALUE];
} ngx_http_govsvc_correlate_request_t;


/* Of gs_correlate_input_t; NGX_HTTP_GOVSVC_CORRELATE_... by the request. */
gs_rc_t ngx_http_govsvc_correlate_value(void *data,
    const gs_correlate_field_t *field, unsigned key, gs_str_t *value);

/*
 * The key of a caller ("ip", "network", "subject", "app"), as the table
 * counts it; id and shown of w are those of a ban.  NGX_DECLINED: the request
 * has none.
 */
ngx_int_t ngx_http_govsvc_correlate_caller(
    ngx_http_govsvc_correlate_request_t *w, gs_correlate_kind_e kind,
    gs_str_t *key);

void ngx_http_govsvc_correlate_request(ngx_http_govsvc_correlate_request_t *w,
    ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_correlate_main_conf_t *conf);

/* 1 if the address is one that is never banned, and so never counted. */
ngx_uint_t ngx_http_govsvc_correlate_allowed(
    ngx_http_govsvc_correlate_main_conf_t *conf, ngx_http_request_t *r);

/* At configuration: the rules that take fields; logs. */
char *ngx_http_govsvc_correlate_taker(ngx_conf_t *cf,
    ngx_http_govsvc_correlate_main_conf_t *conf);

/*
 * Puts the key under the limit of the mark, unless one as strict holds on
 * that lane.  NGX_ERROR if there is no room.
 */
ngx_int_t ngx_http_govsvc_correlate_hold(
    ngx_http_govsvc_correlate_main_conf_t *conf, gs_correlate_kind_e kind,
    unsigned lane, const gs_str_t *key, uint32_t mark, uint64_t until);

/* At configuration: all limits of rules and correlations; logs. */
char *ngx_http_govsvc_correlate_rates(ngx_conf_t *cf,
    ngx_http_govsvc_correlate_main_conf_t *conf);

/* "ip", ... by kind, with a zero behind. */
extern const ngx_str_t  ngx_http_govsvc_correlate_callers[];

/*
 * The kind of mark for a key of a limit: the "caller" of the request is the
 * subject if it proved one, else the unproven behind its address.
 */
gs_correlate_kind_e ngx_http_govsvc_correlate_kind(
    ngx_http_govsvc_ctx_t *ctx, const gs_str_t *key);


#endif /* _NGX_HTTP_GOVSVC_CORRELATE_PRIV_H_INCLUDED_ */
