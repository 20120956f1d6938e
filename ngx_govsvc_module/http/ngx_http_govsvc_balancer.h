
/*
 * Copyright (C) govsvc authors
 *
 * The table of platforms that is current for all workers, and the balancer
 * that picks peers from it.
 */


#ifndef _NGX_HTTP_GOVSVC_BALANCER_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_BALANCER_H_INCLUDED_


#include "http/ngx_http_govsvc.h"
#include "route/gs_route.h"


/*
 * The current table, in shared memory; valid until the leave, which must
 * come before control returns to the event loop, and no pointer into the
 * table may outlive it.  Sections nest.  NULL, and no leave is due, where the
 * configuration has no platforms.
 */
const gs_route_table_t *ngx_http_govsvc_table_enter(void);
void ngx_http_govsvc_table_leave(void);


#endif /* _NGX_HTTP_GOVSVC_BALANCER_H_INCLUDED_ */
