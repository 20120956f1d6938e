
/*
 * Copyright (C) govsvc authors
 *
 * What a node is itself: where it listens, the addresses of its machine and
 * of other nodes, and the Redis that it speaks with.  A peer there would be the
 * gateway calling itself, or a province reading what all of them share.
 */


#ifndef _GS_ADMIN_OWN_H_INCLUDED_
#define _GS_ADMIN_OWN_H_INCLUDED_


#include "core/gs_err.h"
#include "core/gs_net.h"


/* A net of 0 bits is every address of the machine in that family. */
typedef struct {
    gs_net_t                 net;
    unsigned                 port;
} gs_admin_place_t;


typedef struct {
    const gs_admin_place_t  *listens;
    unsigned                 nlistens;
    const gs_admin_place_t  *stores;       /* Redis, Sentinel */
    unsigned                 nstores;
    const gs_net_t          *addrs;        /* of interfaces; NULL: not known */
    unsigned                 naddrs;
    const gs_net_t          *others;       /* of other nodes */
    unsigned                 nothers;
} gs_admin_own_t;


/*
 * Why no peer may be there, or NULL; looks through NAT64 and 6to4 addresses.
 * *always: a place that is taken, whatever else is allowed; otherwise it is
 * another port of such an address.  own may be NULL.
 */
const char *gs_admin_own_denied(const gs_admin_own_t *own,
    const gs_net_t *net, unsigned port, unsigned *always);

/*
 * Looks at the instances of a file that route/gs_route_doc.h accepted: those
 * at places that are taken are refused, with line and pointer.
 */
gs_rc_t gs_admin_own_file(const gs_admin_own_t *own, const gs_str_t *text,
    gs_err_t *err);


#endif /* _GS_ADMIN_OWN_H_INCLUDED_ */
