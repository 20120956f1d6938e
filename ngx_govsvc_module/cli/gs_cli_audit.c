
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit verify: reads segments from disk, also while they are being
 * written.
 */


#include "cli/gs_cli_audit.h"
#include "cli/gs_cli_audit_list.h"
#include "cli/gs_cli_audit_removed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


#define GS_CLI_AUDIT_CHUNK   (256 * 1024)


typedef struct {
    gs_cli_t             *cli;
    gs_audit_verify_t    *v;
    gs_uchar_t           *chunk;
    gs_seal_file_list_t   segments;        /* full names */
    const char           *folder;          /* NULL: files were named */
    gs_cli_sealed_t      *sealed;          /* NULL: no --seal */
    gs_seal_keys_t   *keys;            /* NULL: no --key */
    gs_cli_removed_t      removed;
    int                   code;            /* of all chains so far */
    unsigned              unreadable:1;    /* of this chain */
    unsigned              single:1;        /* one chain of a store */
} gs_cli_audit_t;


static int gs_cli_audit_run(gs_cli_t *cli);
static int gs_cli_audit_sealed(gs_cli_audit_t *a);
static int gs_cli_audit_arg(gs_cli_audit_t *a, int i);
static void gs_cli_audit_folder(gs_cli_audit_t *a, const char *path);
static void gs_cli_audit_removed(gs_cli_audit_t *a, const char *path,
    int single);

static gs_rc_t gs_cli_audit_read(gs_cli_audit_t *a, const char *path,
    gs_seal_file_list_t *folders);
static void gs_cli_audit_chain(gs_cli_audit_t *a, const char *name);
static int gs_cli_audit_more(gs_cli_audit_t *a);
static void gs_cli_audit_segment(gs_cli_audit_t *a, size_t i);
static gs_rc_t gs_cli_audit_feed(gs_cli_audit_t *a, int fd, uint64_t left,
    int live);
static void gs_cli_audit_given_up(gs_cli_audit_t *a, int fd);
static int gs_cli_audit_open(gs_cli_audit_t *a, const char *path);

static int gs_cli_audit_worse(int one, int two);


static const gs_cli_option_t  gs_cli_audit_options[] = {
    { "seal", "DIR", "compare with what was sealed there",
      "与该目录中的封存比对" },
    { "key", "PUBLIC", "public key of the seal, as text or file; any of them",
      "封存公钥，文本或文件，可多个" },
    { "require", "sealed|anchored", "fail where lines are not sealed yet, or "
      "not covered by --against",
      "有未封存或未被覆盖的行即失败" },
    { "against", "FILE", "a checkpoint that was kept elsewhere",
      "异处保存的封存点" },
    { "witness", "PUBLIC", "that checkpoint must be cosigned by this witness; "
      "by each of them, or --quorum of them",
      "该封存点须有此见证方的签名；给出多个时须全部具备，"
      "或达到 --quorum 个" },
    { "quorum", "N", "how many of the witnesses", "须有几个见证方" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_verify = {
    "audit", "verify", "DIR|FILE...",
    "check hash chains of audit records and name the first bad line",
    "校验审计记录的散列链，指出第一条有问题的记录",
    "govsvc audit verify /var/lib/govsvc/audit --seal /var/lib/govsvc/seal "
    "--key /etc/govsvc/seal/seal.pub",
    gs_cli_audit_options,
    gs_cli_audit_run
};


static int
gs_cli_audit_run(gs_cli_t *cli)
{
    int             i;
    gs_cli_audit_t  a;
    gs_seal_keys_t  keys;

    if (cli->argc == 0) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit verify needs the "
                           "directory of govsvc_audit_store, or a chain, or "
                           "segment files");
    }

    memset(&a, 0, sizeof(gs_cli_audit_t));

    a.cli = cli;
    a.code = GS_CLI_YES;
    a.v = gs_alloc(cli->mem, sizeof(gs_audit_verify_t));
    a.chunk = gs_alloc(cli->mem, GS_CLI_AUDIT_CHUNK);

    if (a.v == NULL || a.chunk == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    gs_audit_verify_init(a.v);

    if (gs_cli_option(cli, "seal") != NULL) {
        return gs_cli_audit_sealed(&a);
    }

    memset(&keys, 0, sizeof(gs_seal_keys_t));

    if (gs_cli_option(cli, "key") != NULL) {
        a.keys = &keys;
        a.code = gs_cli_seal_public(cli, &keys);
    }

    for (i = 0;
         a.code != GS_CLI_USAGE && i < cli->argc;
         i += gs_cli_audit_arg(&a, i))
    {
        /* void */
    }

    gs_seal_keys_free(&keys);
    gs_audit_verify_free(a.v);

    return a.code;
}


/* Then the argument is one folder, that all lines of a seal are in. */

static int
gs_cli_audit_sealed(gs_cli_audit_t *a)
{
    int              rc;
    struct stat      st;
    gs_cli_sealed_t  sealed;

    if (a->cli->argc != 1 || stat(a->cli->argv[0], &st) != 0
        || !S_ISDIR(st.st_mode))
    {
        return gs_cli_fail(a->cli, GS_CLI_USAGE, "audit verify with --seal "
                           "needs one directory");
    }

    a->sealed = &sealed;
    rc = gs_cli_sealed_open(&sealed, a->cli, gs_cli_seal_public);

    if (rc == GS_CLI_YES) {
        a->v->handler = gs_cli_sealed_line;
        a->v->data = &sealed;
        a->keys = &sealed.keys;
        sealed.removals = &a->removed;
        (void) gs_cli_audit_arg(a, 0);
        rc = gs_cli_audit_worse(a->code,
                                gs_cli_sealed_end(&sealed, !a->single));
    }

    gs_cli_sealed_free(&sealed);
    gs_audit_verify_free(a->v);

    a->sealed = NULL;
    a->v->data = NULL;

    return rc;
}


/* Files of one folder in a row are one chain; returns the arguments used. */

static int
gs_cli_audit_arg(gs_cli_audit_t *a, int i)
{
    int           n;
    size_t        len;
    char        **argv;
    struct stat   st;

    argv = a->cli->argv;

    if (stat(argv[i], &st) != 0) {
        a->code = gs_cli_audit_worse(a->code, GS_CLI_READ);
        (void) gs_cli_fail(a->cli, GS_CLI_READ, "cannot open \"%s\": %s",
                           argv[i], strerror(errno));
        return 1;
    }

    if (S_ISDIR(st.st_mode)) {
        gs_cli_audit_folder(a, argv[i]);
        return 1;
    }

    a->folder = NULL;
    a->segments.n = 0;
    len = (size_t) (gs_seal_base(argv[i]) - argv[i]);

    for (n = 0; i + n < a->cli->argc; n++) {

        if (stat(argv[i + n], &st) != 0 || S_ISDIR(st.st_mode)
            || strncmp(argv[i], argv[i + n], len) != 0
            || strchr(argv[i + n] + len, '/') != NULL
            || gs_seal_list_push(a->cli->mem, &a->segments, NULL, argv[i + n])
               != GS_OK)
        {
            break;
        }
    }

    if (n == 0) {
        a->code = gs_cli_fail(a->cli, GS_CLI_READ, "out of memory");
        return 1;
    }

    gs_seal_list_sort(&a->segments);

    gs_cli_audit_chain(a, "");

    return n;
}


/* The directory of a store, or one chain of it. */

static void
gs_cli_audit_folder(gs_cli_audit_t *a, const char *path)
{
    size_t               i, len;
    char                *name;
    gs_seal_file_list_t  folders;

    memset(&folders, 0, sizeof(gs_seal_file_list_t));
    a->segments.n = 0;

    if (gs_cli_audit_read(a, path, &folders) != GS_OK) {
        return;
    }

    if (a->segments.n != 0 || folders.n == 0) {

        /* the name of the chain, without slashes behind it */

        for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--) {
            /* void */
        }

        name = gs_alloc(a->cli->mem, len + 1);
        if (name == NULL) {
            a->code = gs_cli_fail(a->cli, GS_CLI_READ, "out of memory");
            return;
        }

        memcpy(name, path, len);
        name[len] = '\0';

        gs_cli_audit_removed(a, path, 1);

        a->folder = path;
        a->single = (folders.n == 0 && a->segments.n != 0);
        name = (char *) gs_seal_base(name);

        /* "." is no name: the first line tells it then */

        gs_cli_audit_chain(a, name[0] == '.' ? "" : name);
        return;
    }

    gs_cli_audit_removed(a, path, 0);

    for (i = 0; i < folders.n; i++) {
        a->segments.n = 0;
        a->folder = folders.names[i];

        if (gs_cli_audit_read(a, a->folder, NULL)
            == GS_OK)
        {
            gs_cli_audit_chain(a, gs_seal_base(a->folder));
        }
    }
}


/* What retentions tell of the store; one that is forged is tampering. */

static void
gs_cli_audit_removed(gs_cli_audit_t *a, const char *path, int single)
{
    char           store[GS_SEAL_PATH];
    gs_seal_log_t  log;

    gs_cli_seal_log(a->cli, &log);

    if (gs_seal_path(&log, store, path, single ? ".." : ".") != GS_OK
        || gs_cli_removed_read(&a->removed, a->cli, store, a->keys) != GS_OK)
    {
        a->code = gs_cli_audit_worse(a->code, GS_CLI_READ);
        return;
    }

    if (a->removed.en != NULL) {
        a->code = gs_cli_audit_worse(a->code, GS_CLI_NO);
        gs_cli_audit_forged(a->cli, &a->removed);
    }
}


int
gs_cli_audit_prefix(gs_cli_t *cli, gs_cli_sealed_t *sealed, const char *folder,
    const gs_audit_retention_t *removed, size_t n, uint64_t *next,
    gs_uchar_t *h)
{
    int             rc;
    size_t          i;
    const char     *name;
    gs_cli_audit_t  a;

    memset(&a, 0, sizeof(gs_cli_audit_t));

    name = gs_seal_base(folder);
    a.cli = cli;
    a.folder = folder;
    a.sealed = sealed;
    a.v = gs_alloc(cli->mem, sizeof(gs_audit_verify_t));
    a.chunk = gs_alloc(cli->mem, GS_CLI_AUDIT_CHUNK);

    if (a.v == NULL || a.chunk == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    gs_audit_verify_init(a.v);
    gs_audit_verify_chain(a.v, name, 0);
    gs_audit_verify_removed(a.v, removed);
    gs_cli_sealed_chain(sealed, name, removed);

    a.v->handler = gs_cli_sealed_line;
    a.v->data = sealed;

    if (gs_cli_audit_read(&a, folder, NULL) != GS_OK) {
        return GS_CLI_READ;
    }

    for (i = 0;
         i < n && !a.unreadable && a.v->fault.kind == GS_AUDIT_GOOD;
         i++)
    {
        gs_cli_audit_segment(&a, i);
    }

    rc = a.unreadable ? GS_CLI_READ : GS_CLI_YES;

    if (rc == GS_CLI_YES
        && (a.v->fault.kind != GS_AUDIT_GOOD || sealed->kind != NULL))
    {
        rc = gs_cli_fail(cli, GS_CLI_NO, "%s: %s: %s; nothing was removed",
                         name, sealed->kind != NULL ? sealed->kind
                               : gs_audit_kind_name(a.v->fault.kind),
                         sealed->kind != NULL
                         ? (cli->zh ? sealed->zh : sealed->en)
                         : (cli->zh ? a.v->fault.zh : a.v->fault.en));

    } else if (rc == GS_CLI_YES && (sealed->after != 0 || sealed->failed)) {
        rc = gs_cli_fail(cli, GS_CLI_INCOMPLETE, "%s: %llu lines are not "
                         "sealed; nothing was removed", name,
                         (unsigned long long) sealed->after);
    }

    *next = a.v->next_seq;
    memcpy(h, a.v->h, GS_AUDIT_HASH);

    sealed->chain = NULL;
    gs_audit_verify_free(a.v);
    gs_free(cli->mem, a.chunk);

    return rc;
}


static gs_rc_t
gs_cli_audit_read(gs_cli_audit_t *a, const char *path,
    gs_seal_file_list_t *folders)
{
    if (gs_cli_audit_list_read(a->cli, path, folders, &a->segments)
        != GS_OK)
    {
        a->code = gs_cli_audit_worse(a->code, GS_CLI_READ);
        return GS_ERROR;
    }

    return GS_OK;
}


static void
gs_cli_audit_chain(gs_cli_audit_t *a, const char *name)
{
    size_t                       i;
    const gs_audit_retention_t  *removed;

    removed = gs_cli_removed_find(&a->removed, name);

    gs_audit_verify_chain(a->v, name, a->folder == NULL);
    gs_audit_verify_removed(a->v, removed);
    a->unreadable = 0;

    if (a->sealed != NULL) {
        gs_cli_sealed_chain(a->sealed, name, removed);
    }

    for (i = 0; i < a->segments.n && !a->unreadable; i++) {

        gs_cli_audit_segment(a, i);

        if (a->v->fault.kind != GS_AUDIT_GOOD) {
            break;
        }
    }

    a->code = gs_cli_audit_worse(a->code,
                                 gs_cli_audit_report(a->cli, a->v,
                                                     &a->removed,
                                                     a->unreadable));

    if (a->sealed != NULL) {
        gs_cli_sealed_chain_end(a->sealed, a->unreadable
                                || (a->v->fault.kind != GS_AUDIT_GOOD
                                    && a->v->fault.kind != GS_AUDIT_TORN));
    }
}


/* A writer may have gone on to the next segment since the folder was read. */

static int
gs_cli_audit_more(gs_cli_audit_t *a)
{
    size_t    n;
    unsigned  i;

    if (!a->v->more || a->folder == NULL) {
        return 0;
    }

    n = a->segments.n;

    for (i = 0; i < GS_CLI_AUDIT_TRIES; i++) {
        a->segments.n = 0;

        if (gs_cli_audit_read(a, a->folder, NULL)
            != GS_OK)
        {
            break;
        }

        if (a->segments.n > n) {
            return 1;
        }

        (void) usleep(GS_CLI_AUDIT_PAUSE);
    }

    return 0;
}


static void
gs_cli_audit_segment(gs_cli_audit_t *a, size_t i)
{
    int       fd, last;
    char      stem[GS_AUDIT_NAME_MAX];
    gs_rc_t   rc;
    uint64_t  counted;

    last = (i + 1 == a->segments.n);
    counted = last ? UINT64_MAX
                   : gs_cli_audit_counted(&a->segments, i + 1, a->chunk);

    gs_seal_stem(a->segments.names[i], stem);
    gs_audit_verify_segment(a->v, stem);

    fd = gs_cli_audit_open(a, a->segments.names[i]);

    if (fd == -1) {
        return;
    }

    rc = gs_cli_audit_feed(a, fd, counted, last && gs_cli_audit_live(fd));

    if (a->sealed != NULL && counted != UINT64_MAX) {
        gs_cli_audit_given_up(a, fd);
    }

    (void) close(fd);

    if (rc == GS_ERROR) {
        a->unreadable = 1;
        (void) gs_cli_fail(a->cli, GS_CLI_READ, "cannot read \"%s\"",
                           a->segments.names[i]);
        return;
    }

    gs_audit_verify_end(a->v, last && !gs_cli_audit_more(a));
}


static gs_rc_t
gs_cli_audit_feed(gs_cli_audit_t *a, int fd, uint64_t left, int live)
{
    size_t    want;
    gs_rc_t   rc;
    ssize_t   n;
    unsigned  tries;

    tries = 0;

    while (left != 0) {

        want = (left < GS_CLI_AUDIT_CHUNK) ? (size_t) left
                                           : GS_CLI_AUDIT_CHUNK;
        n = read(fd, a->chunk, want);

        if (n == -1) {

            if (errno == EINTR) {
                continue;
            }

            return GS_ERROR;
        }

        if (n == 0) {

            /* no line, or half a one: the rest may be about to come */

            if (!live || tries == GS_CLI_AUDIT_TRIES
                || (a->v->part_len == 0 && a->v->opened))
            {
                break;
            }

            tries++;
            (void) usleep(GS_CLI_AUDIT_PAUSE);
            continue;
        }

        left -= (uint64_t) n;
        rc = gs_audit_verify_feed(a->v, a->chunk, (size_t) n);

        if (rc != GS_OK) {
            return rc;
        }
    }

    return GS_OK;
}


/*
 * Lines behind those that count may have been sealed before it was known that
 * they do not.
 */

static void
gs_cli_audit_given_up(gs_cli_audit_t *a, int fd)
{
    size_t             lf;
    ssize_t            n;
    uint64_t           seq;
    gs_str_t           rest, text;
    gs_audit_line_t    line;
    gs_audit_chain_t  *chain;

    chain = &a->v->chains[a->v->alg];
    seq = a->v->next_seq;
    n = pread(fd, a->chunk, GS_CLI_AUDIT_CHUNK, (off_t) a->v->bytes);

    if (n <= 0 || !a->v->ready[a->v->alg]) {
        return;
    }

    memcpy(chain->h, a->v->h, GS_AUDIT_HASH);
    rest = gs_str_make(a->chunk, (size_t) n);

    for ( ;; ) {
        lf = gs_str_chr(&rest, 0, '\n');
        text = gs_str_make(rest.data, lf);

        if (lf == rest.len || gs_audit_scan(&text, &line) != GS_OK
            || gs_audit_chain_step(chain, line.body.data, line.body.len)
               != GS_OK
            || memcmp(chain->h, line.h, GS_AUDIT_HASH) != 0
            || line.seq != seq
            || !gs_cli_sealed_given_up(a->sealed, seq, line.h))
        {
            return;
        }

        seq++;
        rest = gs_str_make(rest.data + lf + 1, rest.len - lf - 1);
    }
}


static int
gs_cli_audit_open(gs_cli_audit_t *a, const char *path)
{
    int  fd;

    fd = open(path, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        a->unreadable = 1;
        (void) gs_cli_fail(a->cli, GS_CLI_READ, "cannot open \"%s\": %s",
                           path, strerror(errno));
    }

    return fd;
}


/* Tampering weighs more than what cannot be read, that more than a gap. */

static int
gs_cli_audit_worse(int one, int two)
{
    unsigned  i;

    static const int  order[] = {
        GS_CLI_NO, GS_CLI_READ, GS_CLI_INCOMPLETE, GS_CLI_YES
    };

    for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (one == order[i] || two == order[i]) {
            return order[i];
        }
    }

    return one;
}
