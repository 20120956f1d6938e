
/*
 * Copyright (C) govsvc authors
 *
 * govsvc rules check: the verdict about each request of a corpus, and how
 * many of each label are refused.
 */


#include "cli/gs_cli_rules.h"

#include <time.h>


#define GS_CLI_CHECK_LABELS  256


typedef struct {
    gs_str_t            name;
    unsigned            n;
    unsigned            blocked;
    unsigned            bad;               /* no request at all */
} gs_cli_check_label_t;


typedef struct {
    gs_cli_t            *cli;
    gs_cli_rules_t       rules;
    gs_guard_policy_t   *policy;
    gs_cli_check_label_t  labels[GS_CLI_CHECK_LABELS];
    unsigned             nlabels;
    unsigned             n;
    uint64_t             spent;            /* ns */
} gs_cli_check_t;


static int gs_cli_check_run(gs_cli_t *cli);
static int gs_cli_check_policy(gs_cli_check_t *check);
static int gs_cli_check_number(gs_cli_t *cli, const char *name,
    unsigned *value);
static int gs_cli_check_corpus(gs_cli_check_t *check, const gs_str_t *text);
static size_t gs_cli_check_next(const gs_str_t *text, size_t from);
static int gs_cli_check_one(gs_cli_check_t *check, const gs_str_t *label,
    const gs_str_t *request);
static gs_cli_check_label_t *gs_cli_check_label(gs_cli_check_t *check,
    const gs_str_t *label);
static void gs_cli_check_print(gs_cli_check_t *check, const gs_str_t *label,
    const gs_guard_verdict_t *v);
static void gs_cli_check_sum(gs_cli_check_t *check);


static const gs_cli_option_t  gs_cli_check_options[] = {
    { "corpus", "FILE", "requests, each behind a line \"=== LABEL ...\"",
      "请求集：每个请求之前有一行“=== 标签 ...”" },
    { "level", "N", "rules up to this level block (1)",
      "不高于该级别的规则参与拦截（默认 1）" },
    { "threshold", "N", "the score from which on a request is refused (5)",
      "达到该分值即拦截（默认 5）" },
    { "only", "block|pass", "lists the requests of this verdict only",
      "只列出此种结论的请求" },
    { "summary", NULL, "counts by label only", "只输出各标签的统计" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_rules_check = {
    "rules", "check", "FILE... --corpus FILE",
    "tells the verdict about every request of a corpus",
    "给出请求集中每个请求的结论",
    "govsvc rules check lua-free-rules/*.rules --corpus attacks.txt",
    gs_cli_check_options,
    gs_cli_check_run
};


static int
gs_cli_check_run(gs_cli_t *cli)
{
    int              rc;
    gs_str_t         text;
    const char      *name;
    gs_cli_check_t  *check;

    name = gs_cli_option(cli, "corpus");

    if (name == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--corpus is missing");
    }

    check = gs_calloc(cli->mem, 1, sizeof(gs_cli_check_t));
    if (check == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    check->cli = cli;
    rc = gs_cli_rules_load(&check->rules, cli);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_check_policy(check);
    }

    if (rc == GS_CLI_YES && gs_cli_read(cli, name, &text) != GS_OK) {
        rc = GS_CLI_READ;
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_check_corpus(check, &text);
    }

    if (rc == GS_CLI_YES) {
        gs_cli_check_sum(check);
    }

    gs_cli_rules_free(&check->rules);

    return rc;
}


static int
gs_cli_check_policy(gs_cli_check_t *check)
{
    int                rc;
    gs_err_t           err;
    gs_guard_tuning_t  tuning;

    memset(&tuning, 0, sizeof(gs_guard_tuning_t));
    memset(&err, 0, sizeof(gs_err_t));

    rc = gs_cli_check_number(check->cli, "level", &tuning.level_block);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_check_number(check->cli, "threshold", &tuning.threshold);
    }

    if (rc != GS_CLI_YES) {
        return rc;
    }

    if (gs_guard_policy(&check->policy, check->rules.guard, check->cli->mem,
                        &tuning, &err)
        != GS_OK)
    {
        return gs_cli_fail(check->cli, GS_CLI_READ, "%s", err.text);
    }

    return GS_CLI_YES;
}


static int
gs_cli_check_number(gs_cli_t *cli, const char *name, unsigned *value)
{
    gs_str_t     text;
    uint64_t     n;
    const char  *option;

    option = gs_cli_option(cli, name);

    if (option == NULL) {
        return GS_CLI_YES;
    }

    text = gs_str_text(option);

    if (gs_parse_u64(&text, &n) != GS_OK || n == 0 || n > 1000) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid --%s", name);
    }

    *value = (unsigned) n;

    return GS_CLI_YES;
}


static int
gs_cli_check_corpus(gs_cli_check_t *check, const gs_str_t *text)
{
    int       rc;
    size_t    from, to, end;
    gs_str_t  label, request;

    from = gs_cli_check_next(text, 0);

    while (from < text->len) {

        end = gs_str_chr(text, from, '\n');
        label = gs_str_make(text->data + from + 4, end - from - 4);

        if (label.len > 0 && label.data[label.len - 1] == '\r') {
            label.len--;
        }

        from = (end < text->len) ? end + 1 : end;
        to = gs_cli_check_next(text, from);

        request = gs_str_make(text->data + from, to - from);

        /* the line feed before the next mark is of the mark */

        if (to < text->len && request.len > 0) {
            request.len--;
        }

        rc = gs_cli_check_one(check, &label, &request);

        if (rc != GS_CLI_YES) {
            return rc;
        }

        from = to;
    }

    return GS_CLI_YES;
}


/* The next line that begins with "=== ". */

static size_t
gs_cli_check_next(const gs_str_t *text, size_t from)
{
    size_t  i;

    for (i = from; i + 4 <= text->len; i = gs_str_chr(text, i, '\n') + 1) {
        if (memcmp(text->data + i, "=== ", 4) == 0) {
            return i;
        }
    }

    return text->len;
}


static int
gs_cli_check_one(gs_cli_check_t *check, const gs_str_t *label,
    const gs_str_t *request)
{
    gs_str_t               first;
    uint64_t               start;
    gs_arena_t            *arena;
    const char            *only;
    gs_guard_input_t       in;
    gs_guard_verdict_t     v;
    gs_cli_check_label_t  *slot;

    first = gs_str_make(label->data, gs_str_chr(label, 0, ' '));
    slot = gs_cli_check_label(check, &first);

    if (slot == NULL) {
        return gs_cli_fail(check->cli, GS_CLI_READ, "more than %d labels",
                           GS_CLI_CHECK_LABELS);
    }

    arena = gs_arena_create(&gs_mem_libc);
    if (arena == NULL) {
        return gs_cli_fail(check->cli, GS_CLI_READ, "out of memory");
    }

    slot->n++;

    if (gs_guard_request(&in, gs_arena_mem(arena), request, NULL) != GS_OK) {

        /* the server answers 400 before any rule is asked */

        slot->bad++;
        gs_arena_destroy(arena);
        return GS_CLI_YES;
    }

    start = gs_cli_rules_clock();
    (void) gs_guard_check_with(check->rules.guard, check->rules.scratch,
                               check->policy, &in, &v);
    check->spent += gs_cli_rules_clock() - start;
    check->n++;

    slot->blocked += (v.action == GS_GUARD_BLOCK);

    only = gs_cli_option(check->cli, "only");

    if (gs_cli_option(check->cli, "summary") == NULL
        && (only == NULL
            || (strcmp(only, "block") == 0) == (v.action == GS_GUARD_BLOCK)))
    {
        gs_cli_check_print(check, label, &v);
    }

    gs_arena_destroy(arena);

    return GS_CLI_YES;
}


static gs_cli_check_label_t *
gs_cli_check_label(gs_cli_check_t *check, const gs_str_t *label)
{
    unsigned  i;

    for (i = 0; i < check->nlabels; i++) {
        if (gs_str_eq(&check->labels[i].name, label)) {
            return &check->labels[i];
        }
    }

    if (i == GS_CLI_CHECK_LABELS) {
        return NULL;
    }

    check->nlabels++;
    check->labels[i].name = *label;

    return &check->labels[i];
}


/* VERDICT SCORE LABEL [ID TARGET VIEW "SAMPLE"]..., between tabs. */

static void
gs_cli_check_print(gs_cli_check_t *check, const gs_str_t *label,
    const gs_guard_verdict_t *v)
{
    gs_str_t               text;
    unsigned               i;
    const gs_guard_hit_t  *hit;

    (void) printf("%s\t%u\t", gs_cli_rules_actions[v->action], v->score);
    gs_cli_print(stdout, label);

    for (i = 0; i < v->nhits && i < GS_GUARD_MAX_HITS; i++) {
        hit = &v->list[i];

        (void) printf("\t%u", (unsigned) hit->rule);

        if (hit->view == NULL) {
            continue;
        }

        text = gs_str_make(hit->target, hit->target_len);
        (void) printf(" ");
        gs_cli_print(stdout, &text);
        (void) printf(" %s \"", hit->view);

        text = gs_str_make(hit->sample, hit->sample_len);
        gs_cli_print(stdout, &text);
        (void) printf("\"");
    }

    (void) printf("\n");
}


static void
gs_cli_check_sum(gs_cli_check_t *check)
{
    double                       n;
    unsigned                     i;
    const gs_cli_check_label_t  *l;

    for (i = 0; i < check->nlabels; i++) {
        l = &check->labels[i];
        n = l->n;

        (void) printf("sum\t");
        gs_cli_print(stdout, &l->name);
        (void) printf("\t%u\tblocked %u (%.2f %%)", l->n, l->blocked,
                      n > 0 ? l->blocked * 100 / n : 0.0);

        if (l->bad > 0) {
            (void) printf("\tanswered 400: %u", l->bad);
        }

        (void) printf("\n");
    }

    (void) printf("sum\tall\t%u\t%.1f us each\n", check->n,
                  check->n > 0 ? (double) check->spent / check->n / 1000
                               : 0.0);
}


uint64_t
gs_cli_rules_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}
