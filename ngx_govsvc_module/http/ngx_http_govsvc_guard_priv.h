
/*
 * Copyright (C) govsvc authors
 *
 * Inside of the guard feature: its configuration, and a request as the rules
 * see it.
 */


#ifndef _NGX_HTTP_GOVSVC_GUARD_PRIV_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_GUARD_PRIV_H_INCLUDED_


#include "core/gs_net.h"
#include "http/ngx_http_govsvc_guard.h"


typedef struct {
    gs_mem_t            *mem;
    ngx_conf_t          *cf;               /* while a directive is read */
    ngx_uint_t           logged;           /* the error was reported */
    ngx_array_t         *files;            /* ngx_str_t, as written */
    size_t               body;             /* the greatest bound */
    gs_guard_build_t    *build;            /* NULL: compiled, or no rules */
    gs_guard_t          *guard;            /* NULL: no rules */
    gs_guard_scratch_t  *scratch;          /* each worker has a copy */
} ngx_http_govsvc_guard_main_conf_t;


typedef struct {
    ngx_str_t            what;             /* id or tag:NAME */
    ngx_str_t            target;           /* "" for all */
    u_char              *file;
    ngx_uint_t           line;
} ngx_http_govsvc_guard_off_t;


typedef struct {
    ngx_uint_t           mode;
    ngx_uint_t           level_block;
    ngx_uint_t           level_log;
    ngx_uint_t           threshold;
    ngx_array_t         *classes;          /* gs_str_t */
    ngx_array_t         *points;           /* unsigned */
    ngx_array_t         *off;              /* ngx_http_govsvc_guard_off_t */
    size_t               body;             /* 0: not looked at */
    ngx_uint_t           oversize;
    ngx_msec_t           budget;           /* us, 0: none */
    ngx_uint_t           over;
    gs_guard_policy_t   *policy;
} ngx_http_govsvc_guard_loc_conf_t;


/* A place in a list of headers. */
typedef struct {
    ngx_list_part_t        *first;
    ngx_list_part_t        *part;
    ngx_uint_t              i;
    ngx_http_govsvc_ctx_t  *ctx;           /* whose own headers are not told */
} ngx_http_govsvc_guard_cursor_t;


/* A request as the rules see it; on the stack of a stage. */
typedef struct {
    ngx_http_request_t              *request;
    gs_guard_input_t                 in;
    ngx_http_govsvc_guard_cursor_t   headers;
    ngx_http_govsvc_guard_cursor_t   answer;
    u_char                           text[GS_NET_TEXT];
} ngx_http_govsvc_guard_input_t;


/* Directives of one place; the setters of ngx_http_govsvc_guard_tuning.c. */
char *ngx_http_govsvc_guard_set_level(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_govsvc_guard_set_threshold(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_govsvc_guard_set_rule_off(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_govsvc_guard_set_body(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_govsvc_guard_set_budget(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_govsvc_guard_merge_tuning(ngx_conf_t *cf,
    ngx_http_govsvc_guard_main_conf_t *gmcf,
    ngx_http_govsvc_guard_loc_conf_t *prev,
    ngx_http_govsvc_guard_loc_conf_t *conf);

/* Fills what is known of every request. */
void ngx_http_govsvc_guard_input(ngx_http_govsvc_guard_input_t *input,
    ngx_http_request_t *r);
void ngx_http_govsvc_guard_input_answer(ngx_http_govsvc_guard_input_t *input);

/* The body in one piece: where it lies, if it does, or in the work space. */
ngx_int_t ngx_http_govsvc_guard_gather(ngx_http_govsvc_guard_input_t *input,
    size_t max);

/*
 * Asks the rules of one phase and does what they say: NGX_DECLINED to go on,
 * or what the stage must return.
 */
ngx_int_t ngx_http_govsvc_guard_ask(ngx_http_govsvc_guard_input_t *input,
    ngx_http_govsvc_ctx_t *ctx, gs_guard_phase_e phase);

/*
 * Bans what the rules of the verdict, from that hit on, ask for; a caller
 * only at the end of the request.
 */
void ngx_http_govsvc_guard_act(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_guard_verdict_t *verdict, ngx_uint_t from);

/* Puts the filter of bodies into the chain. */
void ngx_http_govsvc_guard_filter_init(void);

/* Of the header filter: NGX_OK, or the status in place of the answer. */
ngx_int_t ngx_http_govsvc_guard_answer(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx);


#endif /* _NGX_HTTP_GOVSVC_GUARD_PRIV_H_INCLUDED_ */
