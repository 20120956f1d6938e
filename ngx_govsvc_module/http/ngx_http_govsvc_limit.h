
/*
 * Copyright (C) govsvc authors
 *
 * Limits: what the directives and the stages share.
 */


#ifndef _NGX_HTTP_GOVSVC_LIMIT_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_LIMIT_H_INCLUDED_


#include "http/ngx_http_govsvc_cluster.h"
#include "limit/gs_limit_item.h"
#include "limit/gs_limit_key.h"
#include "ngx/ngx_govsvc_zone.h"


#define NGX_HTTP_GOVSVC_LIMIT_ZONES  64    /* bits of the set below */
#define NGX_HTTP_GOVSVC_LIMIT_MAX    16    /* limits of one location */
#define NGX_HTTP_GOVSVC_LIMIT_DELTA  1000  /* us: clocks against Redis */


typedef struct ngx_http_govsvc_limit_sync_s  ngx_http_govsvc_limit_sync_t;


typedef enum {
    NGX_HTTP_GOVSVC_LIMIT_REJECT = 0,      /* a full table refuses */
    NGX_HTTP_GOVSVC_LIMIT_AGGREGATE,
    NGX_HTTP_GOVSVC_LIMIT_PASS
} ngx_http_govsvc_limit_full_e;


typedef enum {
    NGX_HTTP_GOVSVC_LIMIT_AUTO = 0,
    NGX_HTTP_GOVSVC_LIMIT_LOCAL,
    NGX_HTTP_GOVSVC_LIMIT_LEASE,
    NGX_HTTP_GOVSVC_LIMIT_STRICT
} ngx_http_govsvc_limit_mode_e;


/* A key as the directives take it. */
typedef struct {
    ngx_http_complex_value_t       value;
    ngx_uint_t                     prefix;         /* of IPv6 networks */
    unsigned                       network:1;      /* it is the client's */
    unsigned                       subject:1;      /* it needs identity */
} ngx_http_govsvc_limit_key_t;


/* A rate of a zone: its own, or that of a tier. */
typedef struct {
    ngx_str_t                      tier;           /* the variable's value */
    gs_limit_rate_t                rate;
    gs_limit_plan_t                lease;          /* with a local share */
    gs_limit_plan_t                strict;         /* without one */
    ngx_str_t                      policy;         /* ;q=100;w=2 */
    unsigned                       off:1;          /* not limited */
} ngx_http_govsvc_limit_class_t;


typedef struct {
    ngx_govsvc_zone_t              base;
    ngx_shm_zone_t                *lease_zone;     /* NULL: this node alone */
    gs_limit_table_t              *table;
    size_t                         size;           /* of the table */
    gs_limit_lease_table_t        *leases;
    size_t                         lease_size;
    ngx_http_govsvc_limit_key_t    key;
    ngx_http_govsvc_limit_class_t  main;
    ngx_http_complex_value_t      *tier;           /* NULL: no tiers */
    ngx_array_t                    tiers;          /* of _class_t */
    ngx_http_govsvc_limit_sync_t  *sync;
    ngx_uint_t                     share;          /* hundredths */
    ngx_uint_t                     target;         /* us */
    ngx_uint_t                     budget;         /* leases a second */
    ngx_http_govsvc_limit_full_e   full;
} ngx_http_govsvc_limit_zone_t;


typedef struct {
    ngx_http_govsvc_limit_zone_t  *zone;
    ngx_str_t                      name;           /* of the policy */
    ngx_uint_t                     cost;
    ngx_http_complex_value_t      *cost_value;     /* NULL: cost */
    ngx_uint_t                     delay;          /* requests at once */
    ngx_msec_t                     timeout;        /* of strict */
    ngx_http_govsvc_limit_mode_e   mode;
    gs_limit_error_e               on_error;
    ngx_str_t                      file;
    ngx_uint_t                     line;
    unsigned                       delayed:1;      /* delay= is given */
    unsigned                       dry_run:1;
} ngx_http_govsvc_limit_t;


typedef struct {
    ngx_array_t                    zones;  /* ngx_http_govsvc_limit_zone_t * */
    ngx_uint_t                     nodes;          /* govsvc_cluster_size */
    ngx_uint_t                     counted;        /* it is given */
    ngx_http_govsvc_cluster_t     *cluster;        /* NULL: not "auto" */
    ngx_uint_t                     budget;         /* leases a second */
    ngx_str_t                      secret;         /* of names at Redis */
} ngx_http_govsvc_limit_main_conf_t;


typedef struct {
    ngx_array_t                   *limits;         /* NULL: off */
} ngx_http_govsvc_limit_conf_t;


/* What is known of a request; ctx->limit_data. */

typedef struct {
    uint64_t                       charged;        /* zones, by index */
    ngx_http_govsvc_limit_t       *limit;          /* the tightest; or NULL */
    ngx_http_govsvc_limit_class_t *class;
    gs_limit_source_e              source;
    uint64_t                       remaining;
    uint64_t                       wait;           /* us: until more, full */
    uint64_t                       retry;          /* us, 0: not refused */
    uint64_t                       suspended;      /* us, in all */
    uint64_t                       deadline;       /* us: of strict; or 0 */
    void                          *call;           /* asked for us */
    uint64_t                       quotas;         /* zones that are spent */
    uint64_t                       quota_left;
    uint64_t                       quota_deadline; /* us; or 0 */
    unsigned                       quota_known:1;
} ngx_http_govsvc_limit_data_t;


/* The setters of govsvc_limit_zone, govsvc_limit and govsvc_limit_secret. */
char *ngx_http_govsvc_limit_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_govsvc_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_govsvc_limit_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * The zone of that name, made if it is named for the first time.  NULL if
 * memory is out or there are too many, which is logged.
 */
ngx_http_govsvc_limit_zone_t *ngx_http_govsvc_limit_get_zone(ngx_conf_t *cf,
    ngx_str_t *name);

/*
 * Compiles the key of cf->args; prefix is the value of ipv6_prefix=, or empty,
 * identified 1 if it is to be looked at when the caller is known.
 */
char *ngx_http_govsvc_limit_compile_key(ngx_conf_t *cf,
    ngx_http_govsvc_limit_key_t *key, ngx_str_t *prefix,
    ngx_uint_t identified);

/* buf has GS_LIMIT_KEY_SIZE bytes; what key points to lives as long as r. */
ngx_int_t ngx_http_govsvc_limit_eval_key(ngx_http_request_t *r,
    ngx_http_govsvc_limit_key_t *conf, u_char *buf, gs_str_t *key);

/* The setter of govsvc_limit_tier. */
char *ngx_http_govsvc_limit_tier(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Reads rate and burst (data NULL: 1) of a zone or tier. */
char *ngx_http_govsvc_limit_class(ngx_conf_t *cf,
    ngx_http_govsvc_limit_class_t *class, ngx_str_t *rate, ngx_str_t *burst);

/* The class of the request; NULL: not limited, or an error (*rc set). */
ngx_http_govsvc_limit_class_t *ngx_http_govsvc_limit_find_class(
    ngx_http_request_t *r, ngx_http_govsvc_limit_zone_t *zone, ngx_int_t *rc);

/* The whole configuration is read: plans, and their bounds for the log. */
void ngx_http_govsvc_limit_init_plans(ngx_conf_t *cf,
    ngx_http_govsvc_limit_main_conf_t *lmcf,
    ngx_http_govsvc_limit_zone_t *zone);

/* In a worker: another number of nodes, for all zones with sync. */
void ngx_http_govsvc_limit_renew_plans(ngx_cycle_t *cycle, ngx_uint_t nodes);

/* Holds the request for us, then runs its phases again: NGX_AGAIN or error. */
ngx_int_t ngx_http_govsvc_limit_suspend(ngx_http_request_t *r, uint64_t us);

/* Ends the suspension now. */
void ngx_http_govsvc_limit_wake(ngx_http_request_t *r);

/* ctx->limit_data, made on first use; NULL if memory is out. */
ngx_http_govsvc_limit_data_t *ngx_http_govsvc_limit_get_data(
    ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx);

/* cost=, on_error= and the like of a directive; cost of a request. */
char *ngx_http_govsvc_limit_arg(ngx_conf_t *cf, ngx_http_govsvc_limit_t *like,
    ngx_str_t *arg, const char *const *names);
ngx_int_t ngx_http_govsvc_limit_cost(ngx_http_request_t *r,
    ngx_http_govsvc_limit_t *limit, uint64_t *cost);

/* local_share=, 0 to 90 hundredths; 20 where text is empty. */
char *ngx_http_govsvc_limit_local_share(ngx_conf_t *cf, ngx_str_t *text,
    ngx_uint_t *share);

/* Names of ngx_http_govsvc_limit_mode_e. */
extern const char *const  ngx_http_govsvc_limit_modes[];

/* The variables of limits, for preconfiguration. */
extern ngx_http_variable_t  ngx_http_govsvc_limit_variables[];


#endif /* _NGX_HTTP_GOVSVC_LIMIT_H_INCLUDED_ */
