
/*
 * Copyright (C) govsvc authors
 *
 * Inside govsvc audit: the report of one chain.
 */


#ifndef _GS_CLI_AUDIT_H_INCLUDED_
#define _GS_CLI_AUDIT_H_INCLUDED_


#include "audit/gs_audit_verify.h"
#include "cli/gs_cli.h"


/*
 * Prints what was found in words or, with --json, as one object a line;
 * returns the exit code for this chain.
 */
int gs_cli_audit_report(gs_cli_t *cli, const gs_audit_verify_t *v,
    int unreadable);


#endif /* _GS_CLI_AUDIT_H_INCLUDED_ */
