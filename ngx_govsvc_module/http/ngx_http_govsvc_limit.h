
/*
 * Copyright (C) govsvc authors
 *
 * Limits: what the directives and the stages share.
 */


#ifndef _NGX_HTTP_GOVSVC_LIMIT_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_LIMIT_H_INCLUDED_


#include "http/ngx_http_govsvc.h"
#include "limit/gs_limit_key.h"
#include "limit/gs_limit_table.h"


#define NGX_HTTP_GOVSVC_LIMIT_ZONES  64    /* bits of the set below */
#define NGX_HTTP_GOVSVC_LIMIT_MAX    16    /* limits of one location */


typedef struct {
    ngx_str_t                      name;
    ngx_uint_t                     index;
    ngx_shm_zone_t                *shm_zone;       /* NULL: only named */
    gs_limit_table_t              *table;
    size_t                         size;           /* of the table */
    ngx_http_complex_value_t       key;
    gs_limit_rate_t                rate;
    ngx_str_t                      policy;         /* RateLimit-Policy */
    ngx_str_t                      file;           /* where first named */
    ngx_uint_t                     line;
    ngx_uint_t                     prefix;         /* of IPv6 networks */
    unsigned                       network:1;      /* key is the client's */
    unsigned                       subject:1;      /* key needs identity */
    unsigned                       aggregate:1;
} ngx_http_govsvc_limit_zone_t;


typedef struct {
    ngx_http_govsvc_limit_zone_t  *zone;
    ngx_uint_t                     cost;
    ngx_uint_t                     dry_run;
    ngx_str_t                      file;
    ngx_uint_t                     line;
} ngx_http_govsvc_limit_t;


typedef struct {
    ngx_array_t                    zones;  /* ngx_http_govsvc_limit_zone_t * */
} ngx_http_govsvc_limit_main_conf_t;


typedef struct {
    ngx_array_t                   *limits;         /* NULL: off */
} ngx_http_govsvc_limit_conf_t;


/* What is known of a request; ctx->limit_data. */

typedef struct {
    uint64_t                       charged;        /* zones, by index */
    ngx_http_govsvc_limit_zone_t  *zone;           /* the tightest; or NULL */
    uint64_t                       remaining;
    uint64_t                       wait;           /* us: until more, full */
} ngx_http_govsvc_limit_data_t;


/* The setter of govsvc_limit_zone. */
char *ngx_http_govsvc_limit_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * The zone of that name, made if it is named for the first time.  NULL if
 * memory is out or there are too many, which is logged.
 */
ngx_http_govsvc_limit_zone_t *ngx_http_govsvc_limit_get_zone(ngx_conf_t *cf,
    ngx_str_t *name);

/* 1 if arg is name, with value set to what follows a name that ends in "=" */
ngx_uint_t ngx_http_govsvc_limit_param(ngx_str_t *arg, const char *name,
    ngx_str_t *value);

/* Logs an unknown parameter by its name and returns NGX_CONF_ERROR. */
char *ngx_http_govsvc_limit_unknown(ngx_conf_t *cf, ngx_str_t *arg,
    const char *const *names);


#endif /* _NGX_HTTP_GOVSVC_LIMIT_H_INCLUDED_ */
