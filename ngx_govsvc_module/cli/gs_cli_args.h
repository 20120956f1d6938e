
/*
 * Copyright (C) govsvc authors
 *
 * Arguments of the command line.
 */


#ifndef _GS_CLI_ARGS_H_INCLUDED_
#define _GS_CLI_ARGS_H_INCLUDED_


#include "cli/gs_cli.h"


/* 1 when --lang or the locale asks for Chinese. */
int gs_cli_is_zh(int argc, char **argv);

/*
 * Checks the arguments behind the verb against its table; fills cli.  Answers
 * GS_CLI_YES, or GS_CLI_USAGE, which is already reported.
 */
int gs_cli_parse(gs_cli_t *cli, int argc, char **argv);


#endif /* _GS_CLI_ARGS_H_INCLUDED_ */
