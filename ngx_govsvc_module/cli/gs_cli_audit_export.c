
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit export: records in the words of other systems.
 */


#include "audit/gs_audit_export.h"
#include "cli/gs_cli_audit_filter.h"
#include "cli/gs_cli_audit_note.h"

#include <stdlib.h>


static int gs_cli_export_run(gs_cli_t *cli);
static int gs_cli_export_write(gs_cli_t *cli, gs_audit_format_e format,
    const gs_cli_filter_t *filter);


static const gs_cli_option_t  gs_cli_export_options[] = {
    { "format", "ecs|ocsf|cef", "Elastic Common Schema 8.11, OCSF 1.3.0 (HTTP "
      "Activity), or ArcSight CEF 0",
      "输出格式：ECS 8.11、OCSF 1.3.0（HTTP Activity）或 ArcSight CEF 0" },
    GS_CLI_FILTER_OPTIONS,
    GS_CLI_NOTE_OPTIONS,
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_export = {
    "audit", "export", "DIR...",
    "write records in the form of other systems, oldest first",
    "以其他系统的格式导出审计记录，按时间先后输出",
    "govsvc audit export /var/lib/govsvc/audit --format ecs --from 24h "
    "--ticket SOC-17 > records.ndjson",
    gs_cli_export_options,
    gs_cli_export_run
};


static int
gs_cli_export_run(gs_cli_t *cli)
{
    int                rc;
    gs_err_t           err;
    gs_str_t           name;
    gs_cli_filter_t    filter;
    gs_audit_format_e  format;

    if (cli->argc == 0 || gs_cli_option(cli, "format") == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit export needs the "
                           "directory of govsvc_audit_store and --format; "
                           "allowed: ecs, ocsf, cef");
    }

    name = gs_str_text(gs_cli_option(cli, "format"));

    if (gs_audit_format_find(&name, &format) != GS_OK) {
        memset(&err, 0, sizeof(gs_err_t));
        (void) gs_err(&err, "unknown format \"%S\"", &name);
        gs_err_hint(&err, &name, gs_audit_formats);
        return gs_cli_fail(cli, GS_CLI_USAGE, "%s", err.text);
    }

    rc = gs_cli_filter_init(&filter, cli);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_audit_note_all(cli, cli->argc);
    }

    return (rc == GS_CLI_YES) ? gs_cli_export_write(cli, format, &filter)
                              : rc;
}


static int
gs_cli_export_write(gs_cli_t *cli, gs_audit_format_e format,
    const gs_cli_filter_t *filter)
{
    char            *text;
    gs_rc_t          rc;
    gs_buf_t         b;
    gs_str_t         line;
    uint64_t         n, bad;
    gs_cli_store_t   store;

    text = gs_alloc(cli->mem, GS_AUDIT_EXPORT_MAX);

    if (text == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    if (gs_cli_store_open(&store, cli, cli->argv, cli->argc, filter->from,
                          filter->to)
        != GS_OK)
    {
        return GS_CLI_READ;
    }

    n = 0;
    bad = 0;

    for ( ;; ) {
        rc = gs_cli_store_next(&store, &line);

        if (rc != GS_OK) {
            break;
        }

        if (!gs_cli_filter_match(filter, &line)) {
            continue;
        }

        gs_buf_init(&b, text, GS_AUDIT_EXPORT_MAX);

        if (gs_audit_export(&b, format, &line) != GS_OK) {
            bad++;
            continue;
        }

        n++;
        gs_buf_char(&b, '\n');

        if (fwrite(text, 1, gs_buf_len(&b), stdout) != gs_buf_len(&b)) {
            rc = GS_ERROR;
            break;
        }
    }

    if (bad != 0) {
        (void) gs_cli_fail(cli, GS_CLI_INCOMPLETE, "%llu lines have not the "
                           "form of a record and were left out; see govsvc "
                           "audit verify", (unsigned long long) bad);
    }

    if (rc == GS_ERROR) {
        return GS_CLI_READ;
    }

    if (store.unreadable || bad != 0) {
        return GS_CLI_INCOMPLETE;
    }

    return (n != 0) ? GS_CLI_YES : GS_CLI_NO;
}
