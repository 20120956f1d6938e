
/*
 * Copyright (C) govsvc authors
 *
 * Client: what the address says, and headers that no client may send.
 */


#ifndef _NGX_HTTP_GOVSVC_CLIENT_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_CLIENT_H_INCLUDED_


#include "guard/gs_guard_geo.h"
#include "http/ngx_http_govsvc.h"


typedef struct {
    gs_geo_t     *geo;                     /* NULL: no database */
} ngx_http_govsvc_client_main_conf_t;


typedef struct {
    ngx_str_t     name;                    /* lower case, "_" as "-" */
    ngx_uint_t    prefix;                  /* 1: it was written NAME* */
} ngx_http_govsvc_client_name_t;


typedef struct {
    ngx_array_t  *strip;                   /* ngx_http_govsvc_client_name_t */
    u_char        first[256];              /* a name begins with this byte */
} ngx_http_govsvc_client_srv_conf_t;


/* Identity headers of every server; ends with an empty name. */
extern const ngx_http_govsvc_client_name_t  ngx_http_govsvc_client_names[];


/* The byte as names are compared: lower case, "-" for all else. */
u_char ngx_http_govsvc_client_fold(u_char c);


#endif /* _NGX_HTTP_GOVSVC_CLIENT_H_INCLUDED_ */
