
/*
 * Copyright (C) govsvc authors
 *
 * Seals in the command: what the room seal/ tells goes to stderr, keys come
 * from --key.
 */


#ifndef _GS_CLI_SEAL_H_INCLUDED_
#define _GS_CLI_SEAL_H_INCLUDED_


#include "cli/gs_cli.h"
#include "seal/gs_seal.h"


typedef int (*gs_cli_seal_load_pt)(gs_cli_t *cli, gs_seal_keys_t *keys);


/* One that reports as gs_cli_fail() does. */
void gs_cli_seal_log(gs_cli_t *cli, gs_seal_log_t *log);

/* The exit code for a result of that room. */
int gs_cli_seal_code(gs_rc_t rc);

/*
 * All public keys of an option, which may be none, given as text or in a file;
 * all of --key, at least one; all of --witness.
 */
int gs_cli_seal_option(gs_cli_t *cli, gs_seal_keys_t *keys,
    const char *option);
int gs_cli_seal_public(gs_cli_t *cli, gs_seal_keys_t *keys);
int gs_cli_seal_witnesses(gs_cli_t *cli, gs_seal_keys_t *keys);
int gs_cli_seal_private(gs_cli_t *cli, gs_seal_keys_t *keys);


#endif /* _GS_CLI_SEAL_H_INCLUDED_ */
