
/*
 * Copyright (C) govsvc authors
 *
 * Instances that are named: shared by what names them and what judges the
 * answers of name servers.
 */


#ifndef _GS_ADMIN_NAMED_PRIV_H_INCLUDED_
#define _GS_ADMIN_NAMED_PRIV_H_INCLUDED_


#include "admin/gs_admin_priv.h"
#include "core/gs_host.h"


/* An instance with a name, and what its addresses have to fulfil. */
typedef struct {
    gs_admin_t    *admin;
    json_t        *record;                 /* NULL: of a file */
    const char    *id;
    char           name[GS_HOST_LEN + 1];
    unsigned       port;
    const char    *proof;                  /* NULL: none is asked for */
    json_t        *entry;                  /* of the same name and port */
} gs_admin_one_t;


void gs_admin_named_open(gs_admin_t *a, gs_admin_one_t *one, const char *id,
    json_t *object, json_t *record);

/* Why nobody is asked for it: what was allowed once may be so no longer. */
const char *gs_admin_named_bar(const gs_admin_one_t *one);

/* Why the address may not be used, or NULL. */
const char *gs_admin_named_denied(const gs_admin_one_t *one,
    const gs_net_t *net);


#endif /* _GS_ADMIN_NAMED_PRIV_H_INCLUDED_ */
