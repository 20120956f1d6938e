
/*
 * Copyright (C) govsvc authors
 *
 * Inside the reader of audit stores: one chain of it.
 */


#ifndef _GS_CLI_AUDIT_STORE_PRIV_H_INCLUDED_
#define _GS_CLI_AUDIT_STORE_PRIV_H_INCLUDED_


#include "cli/gs_cli_audit_store.h"


/* Passes over segments that end before the time asked for; GS_ERROR is told. */
gs_rc_t gs_cli_store_skip(gs_cli_store_t *store, gs_cli_store_chain_t *c);

/*
 * The next line of the chain that is a record of the time asked for, in
 * c->line and c->time.  GS_DONE at the end, for now; GS_ERROR is told.
 */
gs_rc_t gs_cli_store_record(gs_cli_store_t *store, gs_cli_store_chain_t *c);

/* Tells that there is no more memory: GS_ERROR. */
gs_rc_t gs_cli_store_memory(gs_cli_store_t *store);


#endif /* _GS_CLI_AUDIT_STORE_PRIV_H_INCLUDED_ */
