
/*
 * Copyright (C) govsvc authors
 *
 * Inside govsvc audit: whether one record is proved.
 */


#ifndef _GS_CLI_AUDIT_PROVE_H_INCLUDED_
#define _GS_CLI_AUDIT_PROVE_H_INCLUDED_


#include "cli/gs_cli.h"


/*
 * GS_CLI_YES when the record with that id in the store (the first argument)
 * is one that was sealed in --seal with --key; else reported on stderr.
 */
int gs_cli_audit_proved(gs_cli_t *cli, const char *record);


#endif /* _GS_CLI_AUDIT_PROVE_H_INCLUDED_ */
