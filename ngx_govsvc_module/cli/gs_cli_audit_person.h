
/*
 * Copyright (C) govsvc authors
 *
 * --id-card: the records of one person, found by pseudonyms.
 */


#ifndef _GS_CLI_AUDIT_PERSON_H_INCLUDED_
#define _GS_CLI_AUDIT_PERSON_H_INCLUDED_


#include "cli/gs_cli_audit_filter.h"


/*
 * The pseudonyms of --id-card with every --pseudonym-key.  The number is wiped
 * from the arguments, where ps would show it, and its place there is taken by
 * pseudonyms, which the record of the query tells.  What is wrong is reported.
 */
int gs_cli_filter_person(gs_cli_filter_t *filter, gs_cli_t *cli);


#endif /* _GS_CLI_AUDIT_PERSON_H_INCLUDED_ */
