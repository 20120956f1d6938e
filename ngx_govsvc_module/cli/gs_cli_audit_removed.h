
/*
 * Copyright (C) govsvc authors
 *
 * What retentions have removed from a store, as they have declared it.
 */


#ifndef _GS_CLI_AUDIT_REMOVED_H_INCLUDED_
#define _GS_CLI_AUDIT_REMOVED_H_INCLUDED_


#include "audit/gs_audit_retention.h"
#include "cli/gs_cli_seal.h"


#define GS_CLI_REMOVED_PREFIX  "retention."    /* of chains that tell */


typedef struct {
    gs_audit_retention_t  *list;           /* by chain, the last one last */
    size_t                 n;
    size_t                 size;
    const char            *en;             /* why one is forged; or NULL */
    const char            *zh;
    char                   forged[GS_AUDIT_NAME_MAX];
    unsigned               checked:1;      /* signatures were */
} gs_cli_removed_t;


/*
 * Reads the declarations of the store; those that cannot be true are left out
 * and told in forged.  Signatures are checked if there are keys.  GS_ERROR is
 * reported.
 */
gs_rc_t gs_cli_removed_read(gs_cli_removed_t *r, gs_cli_t *cli,
    const char *dir, const gs_seal_keys_t *keys);

/* The last one of the chain, or NULL. */
const gs_audit_retention_t *gs_cli_removed_find(const gs_cli_removed_t *r,
    const char *chain);


#endif /* _GS_CLI_AUDIT_REMOVED_H_INCLUDED_ */
