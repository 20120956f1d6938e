
/*
 * Copyright (C) govsvc authors
 *
 * Client: what the address says, and headers that no client may send.
 */


#ifndef _NGX_HTTP_GOVSVC_CLIENT_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_CLIENT_H_INCLUDED_


#include "guard/gs_guard_geo.h"
#include "http/ngx_http_govsvc.h"


/* A database, opened again by each worker when its file is replaced. */
typedef struct {
    gs_geo_t                    *db;       /* NULL: there is none */
    ngx_str_t                    path;     /* full, with a NUL behind it */
    gs_geo_kind_e                kind;
    ngx_file_info_t              info;     /* of the file it was opened of */
} ngx_http_govsvc_geo_file_t;


typedef struct {
    ngx_http_govsvc_geo_file_t   geo;
    ngx_http_govsvc_geo_file_t   numbers;  /* none: those in geo, if any */
    ngx_event_t                  look;
    ngx_array_t                 *own;      /* that the gateway sets; or NULL */
} ngx_http_govsvc_client_main_conf_t;


typedef struct {
    ngx_str_t     name;                    /* lower case, "_" as "-" */
    ngx_uint_t    prefix;                  /* 1: it was written NAME* */
} ngx_http_govsvc_client_name_t;


typedef struct {
    ngx_array_t  *strip;                   /* ngx_http_govsvc_client_name_t */
    ngx_array_t  *own;                     /* the same, of the main conf */
    u_char        first[256];              /* a name begins with this byte */
} ngx_http_govsvc_client_srv_conf_t;


/* Identity headers of every server; ends with an empty name. */
extern const ngx_http_govsvc_client_name_t  ngx_http_govsvc_client_names[];


/*
 * At configuration: the gateway sets this header itself, so that it is taken
 * from what clients send, on every server.  Logs names that are none, or
 * those of headers that Nginx reads.
 */
char *ngx_http_govsvc_client_own(ngx_conf_t *cf, ngx_str_t *name);

/*
 * Takes the headers for which gone() is not 0 out of the request; NGX_ERROR
 * if memory is out.  The elements stay where they are.
 */
typedef ngx_uint_t (*ngx_http_govsvc_client_gone_pt)(void *data,
    ngx_table_elt_t *h);
ngx_int_t ngx_http_govsvc_client_remove(ngx_http_request_t *r,
    ngx_http_govsvc_client_gone_pt gone, void *data);

/*
 * At configuration: opens a database for the life of the cycle.  Logs what is
 * wrong with it.
 */
char *ngx_http_govsvc_geo_open(ngx_conf_t *cf,
    ngx_http_govsvc_geo_file_t *file, const ngx_str_t *name,
    gs_geo_kind_e kind);
ngx_int_t ngx_http_govsvc_geo_init_process(ngx_cycle_t *cycle);

/* The byte as names are compared: lower case, "-" for all else. */
u_char ngx_http_govsvc_client_fold(u_char c);


#endif /* _NGX_HTTP_GOVSVC_CLIENT_H_INCLUDED_ */
