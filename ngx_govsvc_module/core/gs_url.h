
/*
 * Copyright (C) govsvc authors
 *
 * An http or https URL of the configuration or the registry (RFC 3986), as a
 * client needs it.
 */


#ifndef _GS_URL_H_INCLUDED_
#define _GS_URL_H_INCLUDED_


#include "core/gs_err.h"
#include "core/gs_net.h"


typedef struct {
    unsigned  tls:1;                       /* https */
    unsigned  numeric:1;                   /* host is an address */
    gs_str_t  authority;                   /* host and port, as written */
    gs_str_t  host;                        /* without brackets */
    uint16_t  port;
    gs_str_t  target;                      /* path and query, may be "" */
    gs_net_t  address;                     /* when numeric */
} gs_url_t;


/*
 * Takes text apart; the parts point into it.  Refused: other schemes, a user,
 * a fragment, blanks and control bytes, names that are none, port 0, numbers
 * that are not quite an address (which a system's parser might read as one).
 * GS_ERROR: err tells what is allowed.
 */
gs_rc_t gs_url_parse(gs_url_t *url, const gs_str_t *text, gs_err_t *err);


#endif /* _GS_URL_H_INCLUDED_ */
