
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit query and tail: records of a store, now and as they come.
 */


#include "cli/gs_cli_audit_filter.h"
#include "cli/gs_cli_audit_note.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>


#define GS_CLI_QUERY_PAUSE  200000         /* us */
#define GS_CLI_QUERY_LIMIT  1000
#define GS_CLI_TAIL_LINES   10


static int gs_cli_query_run(gs_cli_t *cli);
static int gs_cli_tail_run(gs_cli_t *cli);
static int gs_cli_tail_follow(gs_cli_t *cli, gs_cli_store_t *store,
    const gs_cli_filter_t *filter);
static int gs_cli_query_begin(gs_cli_t *cli, const char *name,
    uint64_t *value, uint64_t most, gs_cli_filter_t *filter,
    gs_cli_store_t *store);


static const gs_cli_option_t  gs_cli_query_options[] = {
    GS_CLI_FILTER_OPTIONS,
    { "limit", "N", "at most so many records (1000)",
      "至多返回多少条（1000）" },
    { "count", NULL, "only their number", "只输出条数" },
    GS_CLI_NOTE_OPTIONS,
    { NULL, NULL, NULL, NULL }
};


static const gs_cli_option_t  gs_cli_tail_options[] = {
    GS_CLI_FILTER_OPTIONS,
    { "follow", NULL, "go on as records are written", "持续输出新记录" },
    { "lines", "N", "how many of the last records (10)", "最后多少条（10）" },
    GS_CLI_NOTE_OPTIONS,
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_query = {
    "audit", "query", "DIR...",
    "find records of a store, oldest first",
    "查询审计记录，按时间先后输出",
    "govsvc audit query /var/lib/govsvc/audit --case 1144... "
    "--from 2026-11-17 --to 2026-11-18",
    gs_cli_query_options,
    gs_cli_query_run
};


const gs_cli_verb_t  gs_cli_audit_tail = {
    "audit", "tail", "DIR...",
    "show the last records of a store, and those to come",
    "显示最近的审计记录，并可持续输出",
    "govsvc audit tail /var/lib/govsvc/audit --follow --act deny",
    gs_cli_tail_options,
    gs_cli_tail_run
};


static int
gs_cli_query_run(gs_cli_t *cli)
{
    int              rc;
    gs_rc_t          next;
    gs_str_t         line;
    uint64_t         n, shown, limit;
    gs_cli_store_t   store;
    gs_cli_filter_t  filter;

    limit = GS_CLI_QUERY_LIMIT;

    rc = gs_cli_query_begin(cli, "limit", &limit, UINT64_MAX, &filter, &store);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    shown = 0;

    for (n = 0; ; ) {
        next = gs_cli_store_next(&store, &line);

        if (next != GS_OK) {
            break;
        }

        if (!gs_cli_filter_match(&filter, &line)) {
            continue;
        }

        n++;

        if (gs_cli_option(cli, "count") != NULL) {
            continue;
        }

        if (shown == limit) {
            continue;
        }

        gs_cli_audit_show(cli, &line);
        shown++;
    }

    if (gs_cli_option(cli, "count") != NULL) {
        printf(cli->json ? "{\"count\":%llu}\n" : "%llu\n",
               (unsigned long long) n);

    } else if (shown < n) {
        fprintf(stderr, cli->zh ? "govsvc：共 %llu 条，只输出了前 %llu 条，"
                                  "可用 --limit 调整\n"
                                : "govsvc: %llu records, the first %llu are "
                                  "shown; --limit shows more\n",
                (unsigned long long) n, (unsigned long long) shown);
    }

    if (next == GS_ERROR) {
        return GS_CLI_READ;
    }

    if (store.unreadable) {
        return GS_CLI_INCOMPLETE;
    }

    return (n != 0) ? GS_CLI_YES : GS_CLI_NO;
}


/*
 * What both take: the option of that name, at most so many, the filter, and
 * the store.
 */

static int
gs_cli_query_begin(gs_cli_t *cli, const char *name, uint64_t *value,
    uint64_t most, gs_cli_filter_t *filter, gs_cli_store_t *store)
{
    int          rc;
    gs_str_t     s;
    const char  *text;

    if (cli->argc == 0) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit %s needs the directory "
                           "of govsvc_audit_store", cli->verb->verb);
    }

    text = gs_cli_option(cli, name);

    if (text != NULL) {
        s = gs_str_text(text);

        if (gs_parse_u64(&s, value) != GS_OK) {
            return gs_cli_fail(cli, GS_CLI_USAGE,
                               "invalid number \"%s\" in --%s", text, name);
        }
    }

    rc = gs_cli_filter_init(filter, cli);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    if (*value > most) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--%s is at most %llu", name,
                           (unsigned long long) most);
    }

    /* no answer without a record of the question */

    rc = gs_cli_audit_note_all(cli, cli->argc);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    return (gs_cli_store_open(store, cli, cli->argv, cli->argc, filter->from,
                              filter->to)
            == GS_OK)
           ? GS_CLI_YES : GS_CLI_READ;
}


/* The last lines are kept in a ring while the store is read to its end. */

static int
gs_cli_tail_run(gs_cli_t *cli)
{
    int               rc;
    gs_rc_t           next;
    gs_str_t          line, *ring;
    uint64_t          i, n, lines;
    gs_cli_store_t    store;
    gs_cli_filter_t   filter;

    lines = GS_CLI_TAIL_LINES;

    rc = gs_cli_query_begin(cli, "lines", &lines, 10000, &filter, &store);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    ring = gs_calloc(cli->mem, (size_t) lines + 1, sizeof(gs_str_t));

    if (ring == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    n = 0;

    for ( ;; ) {
        next = gs_cli_store_next(&store, &line);

        if (next != GS_OK) {
            break;
        }

        if (lines == 0 || !gs_cli_filter_match(&filter, &line)) {
            continue;
        }

        i = n++ % lines;
        free((void *) ring[i].data);
        ring[i] = gs_str_dup(&gs_mem_libc, &line);

        if (ring[i].data == NULL) {
            return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
        }
    }

    for (i = (n > lines) ? n - lines : 0; i < n; i++) {
        gs_cli_audit_show(cli, &ring[i % lines]);
        free((void *) ring[i % lines].data);
    }

    if (next == GS_DONE && gs_cli_option(cli, "follow") != NULL) {
        rc = gs_cli_tail_follow(cli, &store, &filter);

    } else {
        rc = (next == GS_ERROR) ? GS_CLI_READ
             : store.unreadable ? GS_CLI_INCOMPLETE : GS_CLI_YES;
    }

    return rc;
}


static int
gs_cli_tail_follow(gs_cli_t *cli, gs_cli_store_t *store,
    const gs_cli_filter_t *filter)
{
    gs_str_t  line;

    for ( ;; ) {

        if (fflush(stdout) != 0) {
            return GS_CLI_YES;
        }

        (void) usleep(GS_CLI_QUERY_PAUSE);

        if (gs_cli_store_again(store) != GS_OK) {
            return GS_CLI_READ;
        }

        while (gs_cli_store_next(store, &line) == GS_OK) {
            if (gs_cli_filter_match(filter, &line)) {
                gs_cli_audit_show(cli, &line);
            }
        }
    }
}
