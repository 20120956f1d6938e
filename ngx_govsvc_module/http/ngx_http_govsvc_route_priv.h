
/*
 * Copyright (C) govsvc authors
 *
 * Route: its configuration, for the two files of the feature.
 */


#ifndef _NGX_HTTP_GOVSVC_ROUTE_PRIV_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_ROUTE_PRIV_H_INCLUDED_


#include "http/ngx_http_govsvc_route.h"
#include "route/gs_region.h"


typedef struct {
    ngx_str_t                platforms;    /* files, and what is in them */
    ngx_str_t                platforms_text;
    ngx_str_t                regions;
    ngx_str_t                regions_text;
    const gs_route_table_t  *table;
} ngx_http_govsvc_route_main_conf_t;


typedef struct {
    ngx_flag_t               enable;
} ngx_http_govsvc_route_loc_conf_t;


#endif /* _NGX_HTTP_GOVSVC_ROUTE_PRIV_H_INCLUDED_ */
