
/*
 * Copyright (C) govsvc authors
 *
 * Differences between versions of Nginx.  No other file looks at
 * nginx_version.
 */


#ifndef _NGX_GOVSVC_COMPAT_H_INCLUDED_
#define _NGX_GOVSVC_COMPAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Header lines of one name: an array for some, and the first one only for
 * others, before 1.23.0; linked lists since.
 *
 * ngx_govsvc_header_next(h)        the next line of that name, or NULL
 * ngx_govsvc_cookie(r, prev, n)    the n-th Cookie line, or NULL; prev is the
 *                                  one before it
 */

#if (nginx_version >= 1023000)

#define ngx_govsvc_header_next(h)                                             \
    ((h)->next)

#define ngx_govsvc_cookie(r, prev, n)                                         \
    ((n) == 0 ? (r)->headers_in.cookie : (prev)->next)

#else

/* a second line of a name kept once is refused by Nginx itself */

#define ngx_govsvc_header_next(h)                                             \
    ((ngx_table_elt_t *) NULL)

#define ngx_govsvc_cookie(r, prev, n)                                         \
    ((n) < (r)->headers_in.cookies.nelts                                      \
     ? ((ngx_table_elt_t **) (r)->headers_in.cookies.elts)[n] : NULL)

#endif


#endif /* _NGX_GOVSVC_COMPAT_H_INCLUDED_ */
