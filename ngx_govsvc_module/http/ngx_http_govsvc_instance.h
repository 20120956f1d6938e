
/*
 * Copyright (C) govsvc authors
 *
 * How an instance is, for people and figures.
 */


#ifndef _NGX_HTTP_GOVSVC_INSTANCE_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_INSTANCE_H_INCLUDED_


#include "http/ngx_http_govsvc_balancer_priv.h"


/*
 * Fills the report from the words of the instance; report->since is wall time
 * in ms, 0: unknown.  In a section on the table.
 */
void ngx_http_govsvc_instance_report(ngx_http_govsvc_section_t *s,
    const gs_route_instance_t *instance, gs_health_report_t *report);


#endif /* _NGX_HTTP_GOVSVC_INSTANCE_H_INCLUDED_ */
