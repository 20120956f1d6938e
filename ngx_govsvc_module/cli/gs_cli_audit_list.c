
/*
 * Copyright (C) govsvc authors
 *
 * The folders of an audit store, for the command.
 */


#include "cli/gs_cli_audit_list.h"
#include "cli/gs_cli_seal.h"


gs_rc_t
gs_cli_audit_list_read(gs_cli_t *cli, const char *path,
    gs_seal_file_list_t *folders, gs_seal_file_list_t *segments)
{
    gs_seal_log_t  log;

    gs_cli_seal_log(cli, &log);

    return gs_seal_list_read(cli->mem, &log, path, folders, segments);
}
