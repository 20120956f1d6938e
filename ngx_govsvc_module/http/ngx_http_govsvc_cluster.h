
/*
 * Copyright (C) govsvc authors
 *
 * How many nodes keep limits together: a number of the configuration, or
 * learned from beats that all of them leave at a Redis.
 */


#ifndef _NGX_HTTP_GOVSVC_CLUSTER_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_CLUSTER_H_INCLUDED_


#include "http/ngx_http_govsvc.h"


typedef struct ngx_http_govsvc_cluster_s  ngx_http_govsvc_cluster_t;


/* The setter of govsvc_cluster_size. */
char *ngx_http_govsvc_cluster_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* In each worker; cluster may be NULL. */
void ngx_http_govsvc_cluster_start(ngx_http_govsvc_cluster_t *cluster,
    ngx_cycle_t *cycle);

/* The number in use on this node. */
ngx_uint_t ngx_http_govsvc_cluster_nodes(
    const ngx_http_govsvc_cluster_t *cluster);


#endif /* _NGX_HTTP_GOVSVC_CLUSTER_H_INCLUDED_ */
