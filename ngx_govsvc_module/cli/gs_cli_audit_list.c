
/*
 * Copyright (C) govsvc authors
 *
 * The folders of an audit store, for the command.
 */


#include "cli/gs_cli_audit_list.h"
#include "cli/gs_cli_seal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


#define GS_CLI_AUDIT_LATELY  10            /* s */


static ssize_t gs_cli_audit_first(int fd, void *buf);


gs_rc_t
gs_cli_audit_list_read(gs_cli_t *cli, const char *path,
    gs_seal_file_list_t *folders, gs_seal_file_list_t *segments)
{
    gs_seal_log_t  log;

    gs_cli_seal_log(cli, &log);

    return gs_seal_list_read(cli->mem, &log, path, folders, segments);
}


int
gs_cli_audit_live(int fd)
{
    struct stat  st;

    return fstat(fd, &st) == 0
           && time(NULL) - st.st_mtime < GS_CLI_AUDIT_LATELY;
}


uint64_t
gs_cli_audit_counted(const gs_seal_file_list_t *segments, size_t next,
    void *buf)
{
    int       fd;
    char      stem[GS_AUDIT_NAME_MAX];
    ssize_t   n;
    uint64_t  bytes;

    fd = open(segments->names[next], O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return UINT64_MAX;
    }

    n = gs_cli_audit_first(fd, buf);
    (void) close(fd);

    gs_seal_stem(segments->names[next - 1], stem);

    if (n > 0
        && gs_audit_verify_counted(buf, (size_t) n, stem, &bytes) == GS_OK)
    {
        return bytes;
    }

    return UINT64_MAX;
}


static ssize_t
gs_cli_audit_first(int fd, void *buf)
{
    ssize_t   n;
    unsigned  tries;

    for (tries = 0; /* void */ ; tries++) {
        n = pread(fd, buf, GS_AUDIT_LINE_MAX, 0);

        if (n == -1 || n == GS_AUDIT_LINE_MAX || memchr(buf, '\n', (size_t) n)
            || tries == GS_CLI_AUDIT_TRIES || !gs_cli_audit_live(fd))
        {
            return n;
        }

        (void) usleep(GS_CLI_AUDIT_PAUSE);
    }
}
