
/*
 * Copyright (C) govsvc authors
 *
 * Inside govsvc audit: the report of one chain.
 */


#ifndef _GS_CLI_AUDIT_H_INCLUDED_
#define _GS_CLI_AUDIT_H_INCLUDED_


#include "audit/gs_audit_verify.h"
#include "cli/gs_cli.h"
#include "cli/gs_cli_sealed.h"


/*
 * Prints what was found in words or, with --json, as one object a line;
 * returns the exit code for this chain.
 */
int gs_cli_audit_report(gs_cli_t *cli, const gs_audit_verify_t *v,
    const gs_cli_removed_t *removed, int unreadable);

/* The same for a declaration that cannot be true. */
void gs_cli_audit_forged(gs_cli_t *cli, const gs_cli_removed_t *removed);


/*
 * Verifies the first n segments of a chain of the store, and that each of
 * their lines is sealed; *next and h become the number of the line after them
 * and the hash of the last one.  removed is what was declared before, or NULL.
 * Other results than GS_CLI_YES are reported.
 */
int gs_cli_audit_prefix(gs_cli_t *cli, gs_cli_sealed_t *sealed,
    const char *folder, const gs_audit_retention_t *removed, size_t n,
    uint64_t *next, gs_uchar_t *h);


#endif /* _GS_CLI_AUDIT_H_INCLUDED_ */
