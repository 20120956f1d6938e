
/*
 * Copyright (C) govsvc authors
 *
 * Declarations of retentions: chains of the store that are verified as all
 * others are; here their lines are only read.
 */


#include "cli/gs_cli_audit_list.h"
#include "cli/gs_cli_audit_removed.h"
#include "cli/gs_cli_lines.h"
#include "core/gs_time.h"

#include <stdlib.h>
#include <time.h>


#define GS_CLI_REMOVED_AHEAD  (86400ull * 1000000)    /* clocks that differ */


static gs_rc_t gs_cli_removed_chain(gs_cli_removed_t *r, gs_cli_t *cli,
    const char *folder, const gs_seal_keys_t *keys);
static gs_rc_t gs_cli_removed_line(gs_cli_removed_t *r, gs_cli_t *cli,
    const gs_str_t *line, const gs_seal_keys_t *keys);
static int gs_cli_removed_true(gs_cli_removed_t *r,
    const gs_audit_retention_t *one, const gs_seal_keys_t *keys);
static int gs_cli_removed_signed(const gs_audit_retention_t *one,
    const gs_seal_keys_t *keys);
static int gs_cli_removed_cmp(const void *one, const void *two);


gs_rc_t
gs_cli_removed_read(gs_cli_removed_t *r, gs_cli_t *cli, const char *dir,
    const gs_seal_keys_t *keys)
{
    size_t               i;
    const char          *name;
    gs_seal_file_list_t  folders, none;

    memset(r, 0, sizeof(gs_cli_removed_t));
    memset(&folders, 0, sizeof(gs_seal_file_list_t));
    memset(&none, 0, sizeof(gs_seal_file_list_t));

    r->checked = (keys != NULL && keys->n != 0);

    if (gs_cli_audit_list_read(cli, dir, &folders, &none) != GS_OK) {
        return GS_ERROR;
    }

    for (i = 0; i < folders.n; i++) {
        name = gs_seal_base(folders.names[i]);

        if (strncmp(name, GS_CLI_REMOVED_PREFIX,
                    sizeof(GS_CLI_REMOVED_PREFIX) - 1) == 0
            && gs_cli_removed_chain(r, cli, folders.names[i], keys) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    if (r->n != 0) {
        qsort(r->list, r->n, sizeof(gs_audit_retention_t),
              gs_cli_removed_cmp);
    }

    return GS_OK;
}


static gs_rc_t
gs_cli_removed_chain(gs_cli_removed_t *r, gs_cli_t *cli, const char *folder,
    const gs_seal_keys_t *keys)
{
    size_t               i;
    gs_rc_t              rc;
    gs_str_t             line;
    uint64_t             offset;
    gs_cli_lines_t       lines;
    gs_seal_file_list_t  segments;

    memset(&lines, 0, sizeof(gs_cli_lines_t));
    memset(&segments, 0, sizeof(gs_seal_file_list_t));

    if (gs_cli_audit_list_read(cli, folder, NULL, &segments) != GS_OK) {
        return GS_ERROR;
    }

    rc = GS_DONE;

    for (i = 0; rc == GS_DONE && i < segments.n; i++) {

        if (gs_cli_lines_open(&lines, cli, segments.names[i]) != GS_OK) {
            return GS_ERROR;
        }

        do {
            rc = gs_cli_lines_next(&lines, &line, &offset);

            if (rc == GS_OK) {
                rc = gs_cli_removed_line(r, cli, &line, keys);
            }

        } while (rc == GS_OK);

        gs_cli_lines_close(&lines);
    }

    return (rc == GS_ERROR) ? GS_ERROR : GS_OK;
}


static gs_rc_t
gs_cli_removed_line(gs_cli_removed_t *r, gs_cli_t *cli, const gs_str_t *line,
    const gs_seal_keys_t *keys)
{
    gs_str_t               copy;
    gs_audit_retention_t   one, *list;

    if (gs_audit_retention_parse(line, &one) != GS_OK
        || !gs_cli_removed_true(r, &one, keys))
    {
        return GS_OK;
    }

    if (r->n == r->size) {
        r->size = (r->size == 0) ? 16 : r->size * 2;
        list = gs_calloc(cli->mem, r->size, sizeof(gs_audit_retention_t));

        if (list == NULL) {
            (void) gs_cli_fail(cli, GS_CLI_READ, "out of memory");
            return GS_ERROR;
        }

        if (r->n != 0) {
            memcpy(list, r->list, r->n * sizeof(gs_audit_retention_t));
        }

        r->list = list;
    }

    copy = gs_str_dup(cli->mem, line);

    if (copy.data == NULL) {
        (void) gs_cli_fail(cli, GS_CLI_READ, "out of memory");
        return GS_ERROR;
    }

    /* texts point into the copy */

    (void) gs_audit_retention_parse(&copy, &r->list[r->n++]);

    return GS_OK;
}


static int
gs_cli_removed_true(gs_cli_removed_t *r, const gs_audit_retention_t *one,
    const gs_seal_keys_t *keys)
{
    uint64_t          us;
    const char       *en, *zh;
    struct timespec   ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    if (gs_time_parse(&one->time, &us) != GS_OK
        || us > (uint64_t) ts.tv_sec * 1000000 + GS_CLI_REMOVED_AHEAD)
    {
        en = "a retention was declared for a time to come";
        zh = "留存清理的声明时间在将来";

    } else if (one->days < GS_AUDIT_RETENTION_DAYS
               || !gs_audit_retention_old(&one->last, &one->time))
    {
        en = "a retention has removed what was not 180 days old";
        zh = "留存清理删除了不满 180 天的记录";

    } else if (r->checked && !gs_cli_removed_signed(one, keys)) {
        en = "a retention is signed by none of the keys";
        zh = "留存清理的声明不由任何所给密钥签署";

    } else {
        return 1;
    }

    if (r->en == NULL) {
        r->en = en;
        r->zh = zh;
        (void) snprintf(r->forged, sizeof(r->forged), "%.*s",
                        (int) one->chain.len, (const char *) one->chain.data);
    }

    return 0;
}


static int
gs_cli_removed_signed(const gs_audit_retention_t *one,
    const gs_seal_keys_t *keys)
{
    unsigned  i;

    for (i = 0; i < keys->n; i++) {
        if (gs_audit_retention_check(&keys->keys[i], one) == GS_OK) {
            return 1;
        }
    }

    return 0;
}


static int
gs_cli_removed_cmp(const void *one, const void *two)
{
    int                          rc;
    const gs_audit_retention_t  *a = one;
    const gs_audit_retention_t  *b = two;

    rc = gs_str_cmp(&a->chain, &b->chain);

    return (rc != 0) ? rc : (a->next > b->next) - (a->next < b->next);
}


const gs_audit_retention_t *
gs_cli_removed_find(const gs_cli_removed_t *r, const char *chain)
{
    size_t    low, high, i;
    gs_str_t  name;

    name = gs_str_text(chain);
    low = 0;
    high = r->n;

    /* the place behind the last one of this chain */

    while (low < high) {
        i = (low + high) / 2;

        if (gs_str_cmp(&r->list[i].chain, &name) <= 0) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    return (low != 0 && gs_str_eq(&r->list[low - 1].chain, &name))
           ? &r->list[low - 1] : NULL;
}
