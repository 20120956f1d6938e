
/*
 * Copyright (C) govsvc authors
 *
 * The folders of an audit store, for the command.
 */


#ifndef _GS_CLI_AUDIT_LIST_H_INCLUDED_
#define _GS_CLI_AUDIT_LIST_H_INCLUDED_


#include "audit/gs_audit_verify.h"
#include "cli/gs_cli.h"
#include "seal/gs_seal.h"


/* gs_seal_list_read() in memory of the command; GS_ERROR is reported. */
gs_rc_t gs_cli_audit_list_read(gs_cli_t *cli, const char *path,
    gs_seal_file_list_t *folders, gs_seal_file_list_t *segments);


#endif /* _GS_CLI_AUDIT_LIST_H_INCLUDED_ */
