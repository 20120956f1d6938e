
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit retention: what is old enough to go, and its removal.
 *
 * A segment goes when the one after it was opened, or its chain was ended,
 * longer ago than the days asked for, which are never less than the law and the
 * segment itself ask for; when it verifies, and when all its lines are sealed.
 * What will go is declared and signed before anything is unlinked, oldest
 * first: an interruption at any point leaves a store that verifies.
 */


#include "cli/gs_cli_audit.h"
#include "cli/gs_cli_audit_list.h"
#include "cli/gs_cli_audit_note.h"
#include "cli/gs_cli_audit_removed.h"
#include "cli/gs_cli_lines.h"
#include "cli/gs_cli_sealed.h"
#include "audit/gs_audit_field.h"
#include "audit/gs_audit_json.h"
#include "core/gs_json_out.h"
#include "core/gs_time.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


#define GS_CLI_RETENTION_DAY   (86400ull * 1000000)
#define GS_CLI_RETENTION_LINE  2048        /* of a declaration, at most */


/* What can go of one chain. */
typedef struct {
    const char            *folder;
    gs_seal_file_list_t    segments;
    size_t                 n;              /* of them go */
    char                   to[GS_AUDIT_NAME_MAX];
    char                   last[GS_AUDIT_TIME_MAX];
    gs_audit_retention_t   r;
} gs_cli_retention_chain_t;


typedef struct {
    gs_cli_t                   *cli;
    const char                 *dir;
    uint64_t                    now;       /* us */
    uint64_t                    days;
    gs_seal_file_list_t         folders;
    gs_cli_retention_chain_t   *chains;
    size_t                      n;
    uint64_t                    segments;
    uint64_t                    bytes;
    gs_cli_lines_t              lines;
    gs_cli_sealed_t            *sealed;
} gs_cli_retention_t;


static int gs_cli_retention_run(gs_cli_t *cli);
static int gs_cli_retention_days(gs_cli_retention_t *t);
static int gs_cli_retention_plan(gs_cli_retention_t *t);
static int gs_cli_retention_chain(gs_cli_retention_t *t, const char *folder);
static int gs_cli_retention_ended(gs_cli_retention_t *t,
    gs_cli_retention_chain_t *c, size_t i, char *time);
static gs_rc_t gs_cli_retention_line(gs_cli_retention_t *t, const char *path,
    int last, gs_audit_fields_t *f);
static uint64_t gs_cli_retention_keep(gs_cli_retention_t *t,
    gs_cli_retention_chain_t *c, size_t i);
static void gs_cli_retention_show(gs_cli_retention_t *t);
static int gs_cli_retention_remove(gs_cli_retention_t *t);
static int gs_cli_retention_check(gs_cli_retention_t *t);
static int gs_cli_retention_declare(gs_cli_retention_t *t);
static gs_rc_t gs_cli_retention_put(gs_cli_retention_t *t, gs_buf_t *b,
    gs_audit_chain_t *hash, const char *chain, const char *user);
static int gs_cli_retention_unlink(gs_cli_retention_t *t);


static const gs_cli_option_t  gs_cli_retention_options[] = {
    { "days", "N", "older than so many days (180, and never less)",
      "早于多少天（180，不得更少）" },
    { "remove", NULL, "remove them; without it they are only shown",
      "删除；不加则仅列出" },
    { "seal", "DIR", "the folder of the sealer: only what is sealed is removed",
      "封存目录：只删除已封存的段" },
    { "key", "PRIVATE", "key of the seal, that signs what was removed",
      "封存私钥，用于签署清理声明" },
    { "ticket", "TEXT", "why this is done, for the record of it",
      "事由，写入记录" },
    { "no-record", NULL, "a copy of a store: leaves no record of the query",
      "副本：不写查询记录" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_retention = {
    "audit", "retention", "DIR",
    "show or remove segments that are older than the law asks for",
    "列出或删除超过法定留存期的段",
    "govsvc audit retention /var/lib/govsvc/audit --days 365 --remove --seal "
    "/var/lib/govsvc/seal --key /etc/govsvc/seal/seal.key",
    gs_cli_retention_options,
    gs_cli_retention_run
};


static int
gs_cli_retention_run(gs_cli_t *cli)
{
    int                  rc;
    struct timespec      ts;
    gs_cli_retention_t   t;

    if (cli->argc != 1) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit retention needs the "
                           "directory of govsvc_audit_store");
    }

    memset(&t, 0, sizeof(gs_cli_retention_t));
    (void) clock_gettime(CLOCK_REALTIME, &ts);

    t.cli = cli;
    t.dir = cli->argv[0];
    t.now = (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
    t.lines.fd = -1;

    rc = gs_cli_retention_days(&t);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_audit_note(cli, t.dir);
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_retention_plan(&t);
    }

    if (rc == GS_CLI_YES && t.segments != 0
        && gs_cli_option(cli, "remove") != NULL)
    {
        rc = gs_cli_retention_remove(&t);
    }

    if (rc == GS_CLI_YES) {
        gs_cli_retention_show(&t);
    }

    return rc;
}


static int
gs_cli_retention_days(gs_cli_retention_t *t)
{
    gs_str_t     s;
    const char  *text;

    t->days = GS_AUDIT_RETENTION_DAYS;
    text = gs_cli_option(t->cli, "days");

    if (text != NULL) {
        s = gs_str_text(text);

        if (gs_parse_u64(&s, &t->days) != GS_OK || t->days > 36500) {
            return gs_cli_fail(t->cli, GS_CLI_USAGE, "invalid number \"%s\" "
                               "in --days", text);
        }
    }

    if (t->days < GS_AUDIT_RETENTION_DAYS) {
        return gs_cli_fail(t->cli, GS_CLI_USAGE, t->cli->zh
                           ? "--days %s 不足：《网络安全法》第二十一条规定"
                             "网络日志留存不少于六个月，至少 180"
                           : "--days %s is too short: the Cybersecurity Law "
                             "(article 21) asks for six months of network "
                             "logs, allowed: 180 or more", text);
    }

    if (gs_cli_option(t->cli, "remove") != NULL
        && (gs_cli_option(t->cli, "seal") == NULL
            || gs_cli_option(t->cli, "key") == NULL))
    {
        return gs_cli_fail(t->cli, GS_CLI_USAGE, "--remove needs --seal and "
                           "--key: only what is sealed is removed, and a "
                           "signed declaration stays in its place");
    }

    return GS_CLI_YES;
}


static int
gs_cli_retention_plan(gs_cli_retention_t *t)
{
    int                  rc;
    size_t               i;
    gs_seal_file_list_t  segments;

    memset(&segments, 0, sizeof(gs_seal_file_list_t));

    if (gs_cli_audit_list_read(t->cli, t->dir, &t->folders, &segments)
        != GS_OK)
    {
        return GS_CLI_READ;
    }

    if (segments.n != 0) {
        return gs_cli_fail(t->cli, GS_CLI_USAGE, "\"%s\" is one chain; audit "
                           "retention needs the directory of a store", t->dir);
    }

    t->chains = gs_calloc(t->cli->mem, t->folders.n + 1,
                          sizeof(gs_cli_retention_chain_t));

    if (t->chains == NULL) {
        return gs_cli_fail(t->cli, GS_CLI_READ, "out of memory");
    }

    rc = GS_CLI_YES;

    for (i = 0; rc == GS_CLI_YES && i < t->folders.n; i++) {

        /* declarations stay: they are few, and others rest on them */

        if (strncmp(gs_seal_base(t->folders.names[i]),
                    GS_CLI_REMOVED_PREFIX, sizeof(GS_CLI_REMOVED_PREFIX) - 1)
            != 0)
        {
            rc = gs_cli_retention_chain(t, t->folders.names[i]);
        }
    }

    return rc;
}


static int
gs_cli_retention_chain(gs_cli_retention_t *t, const char *folder)
{
    int                        rc;
    char                       time[GS_AUDIT_TIME_MAX];
    uint64_t                   keep, us;
    gs_str_t                   s;
    struct stat                st;
    gs_cli_retention_chain_t  *c;

    c = &t->chains[t->n];
    memset(c, 0, sizeof(gs_cli_retention_chain_t));
    c->folder = folder;

    if (gs_cli_audit_list_read(t->cli, folder, NULL, &c->segments) != GS_OK) {
        return GS_CLI_READ;
    }

    while (c->n < c->segments.n) {
        rc = gs_cli_retention_ended(t, c, c->n, time);

        if (rc == GS_CLI_READ) {
            return rc;
        }

        if (rc != GS_CLI_YES) {
            break;
        }

        s = gs_str_text(time);
        keep = gs_cli_retention_keep(t, c, c->n);

        if (gs_time_parse(&s, &us) != GS_OK
            || us + keep * GS_CLI_RETENTION_DAY > t->now)
        {
            break;
        }

        if (stat(c->segments.names[c->n], &st) == 0) {
            c->r.bytes += (uint64_t) st.st_size;
        }

        memcpy(c->last, time, sizeof(c->last));
        gs_seal_stem(c->segments.names[c->n], c->to);
        c->n++;
    }

    if (c->n == 0) {
        return GS_CLI_YES;
    }

    c->r.chain = gs_str_text(gs_seal_base(folder));
    c->r.to = gs_str_text(c->to);
    c->r.last = gs_str_text(c->last);
    c->r.days = t->days;
    c->r.segments = c->n;
    c->r.whole = (c->n == c->segments.n);

    t->segments += c->n;
    t->bytes += c->r.bytes;
    t->n++;

    return GS_CLI_YES;
}


/*
 * When a segment had ended: the next one was opened, or the chain was ended.
 * The last one of a chain that was not ended stays.
 */

static int
gs_cli_retention_ended(gs_cli_retention_t *t, gs_cli_retention_chain_t *c,
    size_t i, char *time)
{
    int                last;
    gs_rc_t            rc;
    gs_str_t           type, why, when;
    gs_audit_fields_t  f;

    last = (i + 1 == c->segments.n);
    rc = gs_cli_retention_line(t, c->segments.names[last ? i : i + 1], last,
                               &f);
    if (rc == GS_ERROR) {
        return GS_CLI_READ;
    }

    if (rc != GS_OK) {
        return GS_CLI_NO;
    }

    type = gs_audit_field_value(&f, "", "ty");
    why = gs_audit_field_value(&f, "", "why");
    when = gs_audit_field_value(&f, "", "t");

    if (when.len >= GS_AUDIT_TIME_MAX
        || !gs_str_eq_text(&type, last ? "seg.close" : "seg.open")
        || (last && !gs_str_eq_text(&why, "exit")))
    {
        return GS_CLI_NO;
    }

    memcpy(time, when.data, when.len);
    time[when.len] = '\0';

    return GS_CLI_YES;
}


/* The first or last line; it stays in the buffer. */

static gs_rc_t
gs_cli_retention_line(gs_cli_retention_t *t, const char *path, int last,
    gs_audit_fields_t *f)
{
    int          good;
    gs_rc_t      rc;
    gs_str_t     line;
    uint64_t     offset;
    struct stat  st;

    if (gs_cli_lines_open(&t->lines, t->cli, path) != GS_OK) {
        return GS_ERROR;
    }

    /* the last line is in the last 16k; what is before it may be half a one */

    if (last && stat(path, &st) == 0 && st.st_size > 2 * GS_AUDIT_LINE_MAX) {
        gs_cli_lines_seek(&t->lines, (uint64_t) st.st_size
                                     - 2 * GS_AUDIT_LINE_MAX);
    }

    good = 0;

    do {
        rc = gs_cli_lines_next(&t->lines, &line, &offset);

        if (rc == GS_OK) {
            good = (gs_audit_fields(f, &line) == GS_OK);
        }

    } while (last && rc == GS_OK);

    gs_cli_lines_close(&t->lines);

    if (rc == GS_ERROR) {
        (void) gs_cli_fail(t->cli, GS_CLI_READ, "cannot read \"%s\"", path);
        return GS_ERROR;
    }

    return good ? GS_OK : GS_DECLINED;
}


/* Days, as the segment says itself if that is more. */

static uint64_t
gs_cli_retention_keep(gs_cli_retention_t *t, gs_cli_retention_chain_t *c,
    size_t i)
{
    uint64_t           keep;
    gs_audit_fields_t  f;

    if (gs_cli_retention_line(t, c->segments.names[i], 0, &f) != GS_OK) {
        return 1000000;
    }

    keep = gs_audit_field_number(&f, "", "keep");

    return (keep > t->days && keep < 1000000) ? keep : t->days;
}


static void
gs_cli_retention_show(gs_cli_retention_t *t)
{
    int                        removed;
    size_t                     i;
    gs_str_t                   s;
    gs_buf_t                   b;
    gs_uchar_t                 text[1024];
    gs_cli_retention_chain_t  *c;

    removed = (gs_cli_option(t->cli, "remove") != NULL);

    for (i = 0; i < t->n; i++) {
        c = &t->chains[i];

        if (t->cli->json) {
            gs_buf_init(&b, text, sizeof(text));
            gs_buf_char(&b, '{');
            (void) gs_json_kv_str(&b, "chain", &c->r.chain);
            gs_json_kv_u64(&b, "segments", c->n);
            gs_json_kv_u64(&b, "bytes", c->r.bytes);
            (void) gs_json_kv_str(&b, "to", &c->r.to);
            (void) gs_json_kv_str(&b, "ended", &c->r.last);
            gs_json_kv_u64(&b, "whole", c->r.whole);
            gs_json_kv_u64(&b, "removed", removed ? 1 : 0);
            gs_buf_text(&b, "}\n");
            (void) fwrite(text, 1, gs_buf_len(&b), stdout);
            continue;
        }

        s = c->r.chain;
        gs_cli_print(stdout, &s);
        printf(t->cli->zh ? "：%llu 段，%llu 字节，至 %s，结束于 "
                          : ": %llu segments, %llu bytes, up to %s, ended ",
               (unsigned long long) c->n, (unsigned long long) c->r.bytes,
               c->to);
        gs_cli_print(stdout, &c->r.last);
        printf("%s\n", !c->r.whole ? "" : t->cli->zh ? "，整条链"
                                                     : ", the whole chain");
    }

    if (!t->cli->json) {
        printf(t->cli->zh ? "%s %llu 段，%llu 字节，均早于 %llu 天\n"
                          : "%s %llu segments, %llu bytes, older than %llu "
                            "days\n",
               removed ? (t->cli->zh ? "已删除" : "removed")
                       : (t->cli->zh ? "可删除" : "can be removed:"),
               (unsigned long long) t->segments,
               (unsigned long long) t->bytes, (unsigned long long) t->days);
    }
}


static int
gs_cli_retention_remove(gs_cli_retention_t *t)
{
    int  rc;

    t->sealed = gs_alloc(t->cli->mem, sizeof(gs_cli_sealed_t));

    if (t->sealed == NULL) {
        return gs_cli_fail(t->cli, GS_CLI_READ, "out of memory");
    }

    rc = gs_cli_sealed_open(t->sealed, t->cli, gs_cli_seal_private);

    if (rc == GS_CLI_YES && t->sealed->kind != NULL) {
        rc = gs_cli_fail(t->cli, GS_CLI_NO, "%s: %s; nothing was removed",
                         t->sealed->kind, t->cli->zh ? t->sealed->zh
                                                     : t->sealed->en);
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_retention_check(t);
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_retention_declare(t);
    }

    gs_cli_sealed_free(t->sealed);

    return (rc == GS_CLI_YES) ? gs_cli_retention_unlink(t) : rc;
}


/* All are checked before one is removed. */

static int
gs_cli_retention_check(gs_cli_retention_t *t)
{
    int                        rc;
    size_t                     i;
    gs_cli_removed_t           removed;
    gs_cli_retention_chain_t  *c;

    if (gs_cli_removed_read(&removed, t->cli, t->dir, &t->sealed->keys)
        != GS_OK)
    {
        return GS_CLI_READ;
    }

    if (removed.en != NULL) {
        return gs_cli_fail(t->cli, GS_CLI_NO, "%s: %s; nothing was removed",
                           removed.forged, t->cli->zh ? removed.zh
                                                      : removed.en);
    }

    for (i = 0; i < t->n; i++) {
        c = &t->chains[i];
        rc = gs_cli_audit_prefix(t->cli, t->sealed, c->folder,
                                 gs_cli_removed_find(&removed,
                                                     gs_seal_base(
                                                         c->folder)),
                                 c->n, &c->r.next, c->r.h);
        if (rc != GS_CLI_YES) {
            return rc;
        }
    }

    return GS_CLI_YES;
}


static int
gs_cli_retention_declare(gs_cli_retention_t *t)
{
    char               chain[GS_AUDIT_NAME_MAX], user[40], *text;
    size_t             size;
    gs_rc_t            rc;
    gs_buf_t           b;
    gs_audit_chain_t   hash;

    gs_cli_audit_user(user, sizeof(user));
    (void) snprintf(chain, sizeof(chain), GS_CLI_REMOVED_PREFIX "%s.%llu.%d",
                    user, (unsigned long long) t->now, (int) getpid());

    size = (t->n + 2) * GS_CLI_RETENTION_LINE;
    text = gs_alloc(t->cli->mem, size);

    if (text == NULL || gs_audit_chain_init(&hash, GS_AUDIT_SM3) != GS_OK) {
        return gs_cli_fail(t->cli, GS_CLI_READ, "out of memory");
    }

    gs_buf_init(&b, text, size);
    rc = gs_cli_retention_put(t, &b, &hash, chain, user);
    gs_audit_chain_free(&hash);

    if (rc != GS_OK) {
        return gs_cli_fail(t->cli, GS_CLI_READ, "cannot sign what is to be "
                           "removed; nothing was removed");
    }

    return gs_cli_audit_write(t->cli, t->dir, chain, &b);
}


static gs_rc_t
gs_cli_retention_put(gs_cli_retention_t *t, gs_buf_t *b,
    gs_audit_chain_t *hash, const char *chain, const char *user)
{
    char                   time[40], sig[GS_CLI_RETENTION_LINE / 2];
    size_t                 i, from;
    gs_rc_t                rc;
    gs_buf_t               s;
    gs_str_t               name, at;
    gs_audit_open_t        open;
    gs_audit_close_t       end;
    gs_audit_retention_t  *r;

    memset(&open, 0, sizeof(gs_audit_open_t));
    memset(&end, 0, sizeof(gs_audit_close_t));

    name = gs_str_text(chain);
    open.chain = name;
    open.time = t->now;
    open.keep = GS_AUDIT_RETENTION_DAYS;
    open.why = "start";

    gs_buf_init(&s, time, sizeof(time));
    gs_time_iso(&s, t->now);
    at = gs_buf_view(&s);
    rc = gs_audit_json_open(b, hash, &open);

    for (i = 0; rc == GS_OK && i < t->n; i++) {
        r = &t->chains[i].r;
        r->time = at;
        gs_buf_init(&s, sig, sizeof(sig));
        rc = gs_audit_retention_sign(&t->sealed->keys.keys[0], r, &s);
        r->sig = gs_buf_view(&s);

        from = gs_buf_len(b);

        gs_buf_text(b, "{\"v\":1,\"ty\":\"retention\",\"ch\":");
        (void) gs_json_str(b, &name);
        gs_buf_text(b, ",\"seq\":");
        gs_buf_u64(b, i + 1);
        gs_json_kv_str(b, "t", &r->time);
        gs_buf_text(b, ",\"by\":{\"uid\":");
        gs_buf_u64(b, (uint64_t) getuid());
        gs_json_kv_text(b, "user", user);
        gs_buf_char(b, '}');
        gs_audit_retention_put(b, r);

        if (rc == GS_OK) {
            rc = gs_audit_chain_seal(hash, b, from);
        }
    }

    end.chain = name;
    end.seq = i + 1;
    end.time = t->now;
    end.n = i + 2;
    end.why = "exit";

    return (rc == GS_OK) ? gs_audit_json_close(b, hash, &end) : rc;
}


/* Oldest first, so that what is left is always one row. */

static int
gs_cli_retention_unlink(gs_cli_retention_t *t)
{
    size_t                     i, k;
    gs_cli_retention_chain_t  *c;

    for (i = 0; i < t->n; i++) {
        c = &t->chains[i];

        for (k = 0; k < c->n; k++) {
            if (unlink(c->segments.names[k]) == -1 && errno != ENOENT) {
                return gs_cli_fail(t->cli, GS_CLI_READ, "cannot remove "
                                   "\"%s\": %s", c->segments.names[k],
                                   strerror(errno));
            }
        }

        if (c->r.whole && rmdir(c->folder) == -1) {
            return gs_cli_fail(t->cli, GS_CLI_READ, "cannot remove \"%s\": "
                               "%s", c->folder, strerror(errno));
        }
    }

    return (gs_seal_sync(t->dir) == 0) ? GS_CLI_YES
           : gs_cli_fail(t->cli, GS_CLI_READ, "cannot sync \"%s\": %s",
                         t->dir, strerror(errno));
}
