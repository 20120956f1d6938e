
/*
 * Copyright (C) govsvc authors
 *
 * A record of each question to an audit store.
 */


#include "cli/gs_cli_audit_note.h"
#include "audit/gs_audit_json.h"
#include "audit/gs_audit_record.h"
#include "core/gs_json_out.h"
#include "core/gs_time.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


#define GS_CLI_NOTE_KEEP   180             /* days */
#define GS_CLI_NOTE_NAME   160
#define GS_CLI_NOTE_WORDS  32              /* options and arguments told */


static gs_rc_t gs_cli_note_compose(gs_cli_t *cli, gs_buf_t *b,
    const char *chain, uint64_t time);
static void gs_cli_note_question(gs_cli_t *cli, gs_buf_t *b,
    const char *chain, uint64_t time);
static int gs_cli_note_file(const char *dir, int folder,
    const gs_buf_t *text);
static int gs_cli_note_sync(const char *path);


int
gs_cli_audit_note(gs_cli_t *cli, const char *dir)
{
    char              chain[GS_CLI_NOTE_NAME], user[40];
    char              text[3 * GS_AUDIT_LINE_MAX];
    gs_buf_t          b;
    uint64_t          time;
    struct timespec   ts;

    if (gs_cli_option(cli, "no-record") != NULL) {
        fputs(cli->zh ? "govsvc：本次查询未写入查询记录\n"
                      : "govsvc: this query leaves no record\n", stderr);
        return GS_CLI_YES;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    time = (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;

    gs_cli_audit_user(user, sizeof(user));
    (void) snprintf(chain, sizeof(chain), "query.%s.%llu.%d", user,
                    (unsigned long long) time, (int) getpid());

    gs_buf_init(&b, text, sizeof(text));

    if (gs_cli_note_compose(cli, &b, chain, time) != GS_OK) {
        return gs_cli_fail(cli, GS_CLI_READ,
                           "cannot compose the record of this query");
    }

    return gs_cli_audit_write(cli, dir, chain, &b);
}


int
gs_cli_audit_note_all(gs_cli_t *cli, int n)
{
    int  i, rc;

    rc = GS_CLI_YES;

    if (gs_cli_option(cli, "no-record") != NULL) {
        n = 1;
    }

    for (i = 0; rc == GS_CLI_YES && i < n; i++) {
        rc = gs_cli_audit_note(cli, cli->argv[i]);
    }

    return rc;
}


/* A chain of three lines: opened, the question, closed. */

static gs_rc_t
gs_cli_note_compose(gs_cli_t *cli, gs_buf_t *b, const char *chain,
    uint64_t time)
{
    gs_rc_t            rc;
    size_t             from;
    gs_audit_open_t    open;
    gs_audit_chain_t   hash;
    gs_audit_close_t   close;

    memset(&open, 0, sizeof(gs_audit_open_t));
    memset(&close, 0, sizeof(gs_audit_close_t));

    open.chain = gs_str_text(chain);
    open.time = time;
    open.keep = GS_CLI_NOTE_KEEP;
    open.why = "start";

    close.chain = open.chain;
    close.seq = 2;
    close.time = time;
    close.n = 3;
    close.why = "exit";

    if (gs_audit_chain_init(&hash, GS_AUDIT_SM3) != GS_OK) {
        return GS_ERROR;
    }

    rc = gs_audit_json_open(b, &hash, &open);

    if (rc == GS_OK) {
        from = gs_buf_len(b);
        gs_cli_note_question(cli, b, chain, time);
        rc = gs_audit_chain_seal(&hash, b, from);
    }

    if (rc == GS_OK) {
        rc = gs_audit_json_close(b, &hash, &close);
    }

    gs_audit_chain_free(&hash);

    return rc;
}


static void
gs_cli_note_question(gs_cli_t *cli, gs_buf_t *b, const char *chain,
    uint64_t time)
{
    int                     i;
    char                    user[40];
    gs_str_t                s;
    unsigned                n;
    const char             *value;
    const gs_cli_option_t  *o;

    gs_cli_audit_user(user, sizeof(user));

    gs_buf_text(b, "{\"v\":1,\"ty\":\"query\",\"ch\":");
    s = gs_str_text(chain);
    gs_json_str(b, &s);
    gs_buf_text(b, ",\"seq\":1,\"t\":\"");
    gs_time_iso(b, time);
    gs_buf_text(b, "\",\"by\":{\"uid\":");
    gs_buf_u64(b, (uint64_t) getuid());
    gs_buf_text(b, ",\"user\":");
    s = gs_str_text(user);
    gs_json_str(b, &s);
    gs_buf_text(b, "},\"verb\":\"");
    gs_buf_text(b, cli->verb->verb);
    gs_buf_text(b, "\",\"ask\":[");

    n = 0;

    for (o = cli->verb->options; o != NULL && o->name != NULL; o++) {
        value = gs_cli_option(cli, o->name);

        if (value == NULL || strcmp(o->name, "ticket") == 0) {
            continue;
        }

        gs_buf_text(b, n++ != 0 ? ",\"--" : "\"--");
        gs_buf_text(b, o->name);
        gs_buf_char(b, '"');

        if (value[0] != '\0' && strlen(value) <= 128) {
            s = gs_str_text(value);
            gs_buf_char(b, ',');
            gs_json_str(b, &s);
        }
    }

    for (i = 1; i < cli->argc && n < GS_CLI_NOTE_WORDS; i++) {
        s = gs_str_text(cli->argv[i]);

        if (s.len > 128) {
            s.len = 128;
        }

        gs_buf_text(b, n++ != 0 ? "," : "");
        gs_json_str(b, &s);
    }

    gs_buf_char(b, ']');

    value = gs_cli_option(cli, "ticket");

    if (value != NULL && strlen(value) <= 256) {
        s = gs_str_text(value);
        gs_buf_text(b, ",\"ticket\":");
        gs_json_str(b, &s);
    }
}


/* The name goes into that of a folder. */

void
gs_cli_audit_user(char *user, size_t size)
{
    char           *p;
    struct passwd  *pw;

    pw = getpwuid(getuid());

    if (pw == NULL) {
        (void) snprintf(user, size, "%u", (unsigned) getuid());

    } else {
        (void) snprintf(user, size, "%s", pw->pw_name);
    }

    for (p = user; *p != '\0'; p++) {
        if (!gs_is_alpha((unsigned char) *p)
            && !gs_is_digit((unsigned char) *p) && *p != '-' && *p != '_')
        {
            *p = '_';
        }
    }
}


/*
 * What root writes is given to those who have the store, so that whoever seals
 * it can read it.  The store is theirs: no name in it is followed.
 */

int
gs_cli_audit_write(gs_cli_t *cli, const char *dir, const char *chain,
    const gs_buf_t *text)
{
    int      folder, failed;
    char    *path;
    size_t   size;

    size = strlen(dir) + strlen(chain) + 2;
    path = gs_alloc(cli->mem, size);

    if (path == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    (void) snprintf(path, size, "%s/%s", dir, chain);

    folder = -1;
    failed = (mkdir(path, 0750) == -1);

    if (!failed) {
        folder = open(path, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
        failed = (folder == -1);
    }

    failed = (failed || gs_cli_note_file(dir, folder, text) == -1
              || fsync(folder) == -1 || gs_cli_note_sync(dir) == -1);

    if (failed) {
        (void) gs_cli_fail(cli, GS_CLI_READ, "cannot write the record of this "
                           "query to \"%s\": %s; ask a copy of the store with "
                           "--no-record", path, strerror(errno));
    }

    if (folder != -1) {
        (void) close(folder);
    }

    return failed ? GS_CLI_READ : GS_CLI_YES;
}


static int
gs_cli_note_file(const char *dir, int folder, const gs_buf_t *text)
{
    int          fd, failed;
    char         name[32];
    struct stat  st;

    (void) snprintf(name, sizeof(name), "%016d.seg", 0);

    if (stat(dir, &st) == -1
        || (geteuid() == 0 && fchown(folder, st.st_uid, st.st_gid) == -1))
    {
        return -1;
    }

    fd = openat(folder, name, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0640);

    if (fd == -1) {
        return -1;
    }

    failed = ((geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) == -1)
              || write(fd, text->start, gs_buf_len(text))
                 != (ssize_t) gs_buf_len(text)
              || fsync(fd) == -1);

    return (close(fd) == -1 || failed) ? -1 : 0;
}


static int
gs_cli_note_sync(const char *path)
{
    int  fd, rc;

    fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return -1;
    }

    rc = fsync(fd);

    (void) close(fd);

    return rc;
}
