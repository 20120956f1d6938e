
/*
 * Copyright (C) govsvc authors
 *
 * Lines of a file of any size, through a buffer.
 */


#ifndef _GS_CLI_LINES_H_INCLUDED_
#define _GS_CLI_LINES_H_INCLUDED_


#include "cli/gs_cli.h"


#define GS_CLI_LINES_BUF  (64 * 1024)      /* no line is so long */


typedef struct {
    int                     fd;            /* -1: none */
    uint64_t                offset;        /* of buf in the file */
    size_t                  pos;
    size_t                  last;
    gs_uchar_t             *buf;
} gs_cli_lines_t;


/* The buffer is of the command's memory; GS_ERROR is reported. */
gs_rc_t gs_cli_lines_open(gs_cli_lines_t *l, gs_cli_t *cli, const char *path);
void gs_cli_lines_close(gs_cli_lines_t *l);

/* The next line is that at offset. */
void gs_cli_lines_seek(gs_cli_lines_t *l, uint64_t offset);

/*
 * A line without LF, which holds until the next call, and where it begins.
 * GS_DONE at the end, where half a line may stand; GS_ERROR (not reported) when
 * it cannot be read or is too long.
 */
gs_rc_t gs_cli_lines_next(gs_cli_lines_t *l, gs_str_t *line,
    uint64_t *offset);


#endif /* _GS_CLI_LINES_H_INCLUDED_ */
