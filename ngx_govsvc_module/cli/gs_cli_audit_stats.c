
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit stats: counts over a store.
 */


#include "audit/gs_audit_stats.h"
#include "cli/gs_cli_audit_filter.h"
#include "cli/gs_cli_audit_note.h"
#include "core/gs_json_out.h"

#include <stdlib.h>


#define GS_CLI_STATS_TOP  10


typedef struct {
    const char               *key;         /* of JSON */
    const char               *en;
    const char               *zh;
    const gs_audit_counts_t  *counts;
    unsigned                  ordered:1;   /* by name, all of them */
} gs_cli_stats_table_t;


static int gs_cli_stats_run(gs_cli_t *cli);
static int gs_cli_stats_read(gs_cli_t *cli, gs_audit_stats_t *s,
    const gs_cli_filter_t *filter);
static int gs_cli_stats_tables(gs_cli_t *cli, const gs_audit_stats_t *s,
    unsigned top);
static void gs_cli_stats_head(gs_cli_t *cli, const gs_audit_stats_t *s);
static void gs_cli_stats_table(gs_cli_t *cli, const gs_cli_stats_table_t *t,
    const gs_audit_count_t **rows, unsigned n);
static void gs_cli_stats_latency(gs_cli_t *cli, const char *name,
    const gs_audit_latency_t *l);
static void gs_cli_stats_json(gs_cli_t *cli, const gs_audit_stats_t *s);
static void gs_cli_stats_json_table(const gs_cli_stats_table_t *t,
    const gs_audit_count_t **rows);
static void gs_cli_stats_json_latency(gs_buf_t *b, const char *key,
    const gs_audit_latency_t *l);
static void gs_cli_stats_put(const gs_buf_t *b);
static int gs_cli_stats_by_n(const void *one, const void *two);
static int gs_cli_stats_by_name(const void *one, const void *two);


static const gs_cli_option_t  gs_cli_stats_options[] = {
    GS_CLI_FILTER_OPTIONS,
    { "by", "day|hour", "periods counted (day)", "统计周期（day）" },
    { "top", "N", "rows of each table (10); JSON has all",
      "每张表的行数（10）；JSON 输出全部" },
    GS_CLI_NOTE_OPTIONS,
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_stats = {
    "audit", "stats", "DIR...",
    "count records by decision, platform, region, status, duration, period",
    "按决定、平台、区划、状态、用时和时段统计审计记录",
    "govsvc audit stats /var/lib/govsvc/audit --from 24h --by hour",
    gs_cli_stats_options,
    gs_cli_stats_run
};


static int
gs_cli_stats_run(gs_cli_t *cli)
{
    int                rc;
    gs_str_t           top;
    uint64_t           n;
    const char        *by, *text;
    gs_cli_filter_t    filter;
    gs_audit_stats_t  *s;

    if (cli->argc == 0) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit stats needs the "
                           "directory of govsvc_audit_store");
    }

    by = gs_cli_option(cli, "by");

    if (by != NULL && strcmp(by, "day") != 0 && strcmp(by, "hour") != 0) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid --by \"%s\", allowed: "
                           "day, hour", by);
    }

    n = GS_CLI_STATS_TOP;
    text = gs_cli_option(cli, "top");

    if (text != NULL) {
        top = gs_str_text(text);

        if (gs_parse_u64(&top, &n) != GS_OK || n > 100000) {
            return gs_cli_fail(cli, GS_CLI_USAGE, "invalid number \"%s\" in "
                               "--top", text);
        }
    }

    rc = gs_cli_filter_init(&filter, cli);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_audit_note_all(cli, cli->argc);
    }

    if (rc != GS_CLI_YES) {
        return rc;
    }

    s = gs_audit_stats_create(cli->mem, by != NULL && by[0] == 'h');

    if (s == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    rc = gs_cli_stats_read(cli, s, &filter);

    if (rc == GS_CLI_READ) {
        return rc;
    }

    if (cli->json) {
        gs_cli_stats_json(cli, s);

    } else {
        gs_cli_stats_head(cli, s);
    }

    if (gs_cli_stats_tables(cli, s, (unsigned) n) != GS_CLI_YES) {
        return GS_CLI_READ;
    }

    return rc;
}


static int
gs_cli_stats_read(gs_cli_t *cli, gs_audit_stats_t *s,
    const gs_cli_filter_t *filter)
{
    gs_rc_t         rc;
    gs_str_t        line;
    gs_cli_store_t  store;

    if (gs_cli_store_open(&store, cli, cli->argv, cli->argc, filter->from,
                          filter->to)
        != GS_OK)
    {
        return GS_CLI_READ;
    }

    for ( ;; ) {
        rc = gs_cli_store_next(&store, &line);

        if (rc != GS_OK) {
            break;
        }

        if (gs_cli_filter_match(filter, &line)
            && gs_audit_stats_add(s, &line) == GS_ERROR)
        {
            rc = GS_ERROR;
            (void) gs_cli_fail(cli, GS_CLI_READ, "out of memory");
            break;
        }
    }

    if (rc == GS_ERROR) {
        return GS_CLI_READ;
    }

    if (s->malformed != 0) {
        return gs_cli_fail(cli, GS_CLI_INCOMPLETE, "%llu lines have not the "
                           "form of a record and were not counted; see govsvc "
                           "audit verify", (unsigned long long) s->malformed);
    }

    return store.unreadable ? GS_CLI_INCOMPLETE : GS_CLI_YES;
}


static int
gs_cli_stats_tables(gs_cli_t *cli, const gs_audit_stats_t *s, unsigned top)
{
    unsigned                      i, k, n;
    const gs_audit_count_t      **rows;
    const gs_cli_stats_table_t   *t;

    const gs_cli_stats_table_t  tables[] = {
        { "periods", s->hours ? "hour" : "day", s->hours ? "小时" : "日期",
          &s->periods, 1 },
        { "platforms", "platform", "平台", &s->platforms, 0 },
        { "regions", "region", "区划", &s->regions, 0 },
        { "statuses", "status", "状态", &s->statuses, 0 },
        { "codes", "reason", "拒绝原因", &s->codes, 0 },
        { "rules", "rule", "规则", &s->rules, 0 },
        { "apps", "application", "应用", &s->apps, 0 },
        { "channels", "channel", "渠道", &s->channels, 0 },
        { "lost_by_class", "lost, class", "丢失，类别", &s->losses, 0 },
        { "types", "type of record", "记录类型", &s->types, 0 }
    };

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        t = &tables[i];
        n = t->counts->n;
        rows = gs_calloc(cli->mem, n + 1, sizeof(gs_audit_count_t *));

        if (rows == NULL) {
            return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
        }

        for (k = 0; k < n; k++) {
            rows[k] = &t->counts->rows[k];
        }

        qsort(rows, n, sizeof(gs_audit_count_t *),
              t->ordered ? gs_cli_stats_by_name : gs_cli_stats_by_n);

        if (cli->json) {
            gs_cli_stats_json_table(t, rows);

        } else if (n != 0) {
            gs_cli_stats_table(cli, t, rows,
                               (t->ordered || n < top) ? n : top);
        }
    }

    if (cli->json) {
        fputs("}\n", stdout);
    }

    return GS_CLI_YES;
}


static void
gs_cli_stats_head(gs_cli_t *cli, const gs_audit_stats_t *s)
{
    uint64_t  all;

    all = s->done + s->aborted + s->aggregated + s->lost;

    printf(cli->zh ? "记录 %llu 条" : "%llu records",
           (unsigned long long) s->records);

    if (s->records != 0) {
        printf(cli->zh ? "，%s 至 %s" : ", %s to %s", s->first, s->last);
    }

    printf(cli->zh
           ? "\n请求 %llu = 完成 %llu + 中断 %llu + 合并计数 %llu + 丢失 "
             "%llu\n放行 %llu，拒绝 %llu，平台出错 %llu，意图记录 %llu\n"
             "接收 %llu 字节，发送 %llu 字节\n"
           : "\nrequests %llu = done %llu + aborted %llu + aggregated %llu + "
             "lost %llu\nallowed %llu, refused %llu, failed %llu, intents "
             "%llu\nbytes in %llu, out %llu\n",
           (unsigned long long) all, (unsigned long long) s->done,
           (unsigned long long) s->aborted,
           (unsigned long long) s->aggregated, (unsigned long long) s->lost,
           (unsigned long long) s->allowed, (unsigned long long) s->denied,
           (unsigned long long) s->failed, (unsigned long long) s->intents,
           (unsigned long long) s->bytes_in,
           (unsigned long long) s->bytes_out);

    gs_cli_stats_latency(cli, cli->zh ? "用时" : "duration", &s->latency);
    gs_cli_stats_latency(cli, cli->zh ? "平台用时" : "upstream",
                         &s->upstream);
}


static void
gs_cli_stats_latency(gs_cli_t *cli, const char *name,
    const gs_audit_latency_t *l)
{
    if (l->n == 0) {
        return;
    }

    printf(cli->zh ? "%s（微秒）：p50 %llu，p90 %llu，p99 %llu，p99.9 %llu，"
                     "最大 %llu\n"
                   : "%s, us: p50 %llu, p90 %llu, p99 %llu, p99.9 %llu, max "
                     "%llu\n", name,
           (unsigned long long) gs_audit_latency_at(l, 500),
           (unsigned long long) gs_audit_latency_at(l, 900),
           (unsigned long long) gs_audit_latency_at(l, 990),
           (unsigned long long) gs_audit_latency_at(l, 999),
           (unsigned long long) l->max);
}


static void
gs_cli_stats_table(gs_cli_t *cli, const gs_cli_stats_table_t *t,
    const gs_audit_count_t **rows, unsigned n)
{
    gs_str_t  name;
    unsigned  i;

    printf(cli->zh ? "\n%s：数量 拒绝 平台出错\n"
                   : "\n%s: number refused failed\n", cli->zh ? t->zh : t->en);

    for (i = 0; i < n; i++) {
        name = gs_str_text(rows[i]->name);

        fputs("  ", stdout);
        gs_cli_print(stdout, &name);
        printf(" %llu %llu %llu", (unsigned long long) rows[i]->n,
               (unsigned long long) rows[i]->denied,
               (unsigned long long) rows[i]->failed);

        if (rows[i]->latency != NULL) {
            printf(" p50=%llu p99=%llu us",
                   (unsigned long long) gs_audit_latency_at(rows[i]->latency,
                                                            500),
                   (unsigned long long) gs_audit_latency_at(rows[i]->latency,
                                                            990));
        }

        putchar('\n');
    }

    if (n < t->counts->n) {
        printf(cli->zh ? "  …… 共 %u 行\n" : "  ... of %u rows\n",
               t->counts->n);
    }
}


static void
gs_cli_stats_json(gs_cli_t *cli, const gs_audit_stats_t *s)
{
    gs_buf_t    b;
    gs_uchar_t  text[4096];

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_char(&b, '{');
    gs_json_kv_u64(&b, "records", s->records);

    if (s->records != 0) {
        gs_json_kv_text(&b, "first", s->first);
        gs_json_kv_text(&b, "last", s->last);
    }

    gs_json_kv_u64(&b, "requests",
                   s->done + s->aborted + s->aggregated + s->lost);
    gs_json_kv_u64(&b, "done", s->done);
    gs_json_kv_u64(&b, "aborted", s->aborted);
    gs_json_kv_u64(&b, "aggregated", s->aggregated);
    gs_json_kv_u64(&b, "lost", s->lost);
    gs_json_kv_u64(&b, "intents", s->intents);
    gs_json_kv_u64(&b, "allowed", s->allowed);
    gs_json_kv_u64(&b, "denied", s->denied);
    gs_json_kv_u64(&b, "failed", s->failed);
    gs_json_kv_u64(&b, "bytes_in", s->bytes_in);
    gs_json_kv_u64(&b, "bytes_out", s->bytes_out);
    gs_cli_stats_json_latency(&b, "us", &s->latency);
    gs_cli_stats_json_latency(&b, "upstream_us", &s->upstream);
    gs_cli_stats_put(&b);
}


static void
gs_cli_stats_json_latency(gs_buf_t *b, const char *key,
    const gs_audit_latency_t *l)
{
    if (l->n == 0) {
        return;
    }

    gs_json_key(b, key);
    gs_buf_char(b, '{');
    gs_json_kv_u64(b, "n", l->n);
    gs_json_kv_u64(b, "p50", gs_audit_latency_at(l, 500));
    gs_json_kv_u64(b, "p90", gs_audit_latency_at(l, 900));
    gs_json_kv_u64(b, "p99", gs_audit_latency_at(l, 990));
    gs_json_kv_u64(b, "p999", gs_audit_latency_at(l, 999));
    gs_json_kv_u64(b, "max", l->max);
    gs_buf_char(b, '}');
}


/* Names are texts of lines, escaped as they stand. */

static void
gs_cli_stats_json_table(const gs_cli_stats_table_t *t,
    const gs_audit_count_t **rows)
{
    gs_buf_t    b;
    unsigned    i;
    gs_uchar_t  text[1024];

    printf(",\"%s\":{", t->key);

    for (i = 0; i < t->counts->n; i++) {
        gs_buf_init(&b, text, sizeof(text));

        if (i != 0) {
            gs_buf_char(&b, ',');
        }

        gs_buf_char(&b, '"');
        gs_buf_text(&b, rows[i]->name);
        gs_buf_text(&b, "\":{");
        gs_json_kv_u64(&b, "n", rows[i]->n);
        gs_json_kv_u64(&b, "denied", rows[i]->denied);
        gs_json_kv_u64(&b, "failed", rows[i]->failed);

        if (rows[i]->latency != NULL) {
            gs_cli_stats_json_latency(&b, "us", rows[i]->latency);
        }

        gs_buf_char(&b, '}');
        gs_cli_stats_put(&b);
    }

    putchar('}');
}


static void
gs_cli_stats_put(const gs_buf_t *b)
{
    (void) fwrite(b->start, 1, gs_buf_len(b), stdout);
}


static int
gs_cli_stats_by_n(const void *one, const void *two)
{
    const gs_audit_count_t *const *a = one;
    const gs_audit_count_t *const *b = two;

    if ((*a)->n != (*b)->n) {
        return (*a)->n < (*b)->n ? 1 : -1;
    }

    return strcmp((*a)->name, (*b)->name);
}


static int
gs_cli_stats_by_name(const void *one, const void *two)
{
    const gs_audit_count_t *const *a = one;
    const gs_audit_count_t *const *b = two;

    return strcmp((*a)->name, (*b)->name);
}
