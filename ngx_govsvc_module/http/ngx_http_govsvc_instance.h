
/*
 * Copyright (C) govsvc authors
 *
 * The state of an instance in one word, for people and figures.
 */


#ifndef _NGX_HTTP_GOVSVC_INSTANCE_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_INSTANCE_H_INCLUDED_


#include "http/ngx_http_govsvc_balancer_priv.h"


/*
 * "up", "ejected" (requests to it failed), "drain" or "down" (somebody said
 * so); *why is a sentence.  In a section on the table.
 */
const char *ngx_http_govsvc_instance_state(ngx_http_govsvc_section_t *s,
    const gs_route_instance_t *instance, const char **why);


#endif /* _NGX_HTTP_GOVSVC_INSTANCE_H_INCLUDED_ */
