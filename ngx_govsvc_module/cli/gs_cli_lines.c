
/*
 * Copyright (C) govsvc authors
 *
 * Lines of a file of any size.
 */


#include "cli/gs_cli_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>


static gs_rc_t gs_cli_lines_fill(gs_cli_lines_t *l);


gs_rc_t
gs_cli_lines_open(gs_cli_lines_t *l, gs_cli_t *cli, const char *path)
{
    l->pos = 0;
    l->last = 0;
    l->offset = 0;

    if (l->buf == NULL) {
        l->buf = gs_alloc(cli->mem, GS_CLI_LINES_BUF);

        if (l->buf == NULL) {
            (void) gs_cli_fail(cli, GS_CLI_READ, "out of memory");
            return GS_ERROR;
        }
    }

    l->fd = open(path, O_RDONLY|O_CLOEXEC);

    if (l->fd == -1) {
        (void) gs_cli_fail(cli, GS_CLI_READ, "cannot open \"%s\": %s", path,
                           strerror(errno));
        return GS_ERROR;
    }

    return GS_OK;
}


void
gs_cli_lines_close(gs_cli_lines_t *l)
{
    if (l->fd != -1) {
        (void) close(l->fd);
        l->fd = -1;
    }
}


/* What is in the buffer is not read again. */

void
gs_cli_lines_seek(gs_cli_lines_t *l, uint64_t offset)
{
    if (offset >= l->offset && offset <= l->offset + l->last) {
        l->pos = (size_t) (offset - l->offset);
        return;
    }

    l->offset = offset;
    l->pos = 0;
    l->last = 0;
}


gs_rc_t
gs_cli_lines_next(gs_cli_lines_t *l, gs_str_t *line, uint64_t *offset)
{
    gs_rc_t            rc;
    const gs_uchar_t  *lf;

    for ( ;; ) {
        lf = memchr(l->buf + l->pos, '\n', l->last - l->pos);

        if (lf != NULL) {
            *offset = l->offset + l->pos;
            *line = gs_str_make(l->buf + l->pos,
                                (size_t) (lf - l->buf) - l->pos);
            l->pos = (size_t) (lf - l->buf) + 1;
            return GS_OK;
        }

        rc = gs_cli_lines_fill(l);

        if (rc != GS_OK) {
            return rc;
        }
    }
}


static gs_rc_t
gs_cli_lines_fill(gs_cli_lines_t *l)
{
    ssize_t  n;

    memmove(l->buf, l->buf + l->pos, l->last - l->pos);
    l->offset += l->pos;
    l->last -= l->pos;
    l->pos = 0;

    if (l->last == GS_CLI_LINES_BUF) {
        return GS_ERROR;
    }

    do {
        n = pread(l->fd, l->buf + l->last, GS_CLI_LINES_BUF - l->last,
                  (off_t) (l->offset + l->last));
    } while (n == -1 && errno == EINTR);

    if (n <= 0) {
        return (n == 0) ? GS_DONE : GS_ERROR;
    }

    l->last += (size_t) n;

    return GS_OK;
}
