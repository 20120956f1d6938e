
/*
 * Copyright (C) govsvc authors
 *
 * The Redis servers that the http block names.
 */


#ifndef _NGX_HTTP_GOVSVC_REDIS_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_REDIS_H_INCLUDED_


#include "http/ngx_http_govsvc.h"
#include "ngx/ngx_govsvc_redis.h"


/*
 * The redis of that name, for a parameter like sync=NAME.  Its block may stand
 * further down; without one the configuration is refused at its end, at the
 * place of this call.  NULL is logged.
 */
ngx_govsvc_redis_t *ngx_http_govsvc_redis(ngx_conf_t *cf, ngx_str_t *name);

/*
 * All of them: ngx_govsvc_redis_t *; complete after init.  NULL: the cycle has
 * no block http.
 */
ngx_array_t *ngx_http_govsvc_redis_all(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_GOVSVC_REDIS_H_INCLUDED_ */
