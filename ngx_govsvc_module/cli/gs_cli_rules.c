
/*
 * Copyright (C) govsvc authors
 *
 * govsvc rules test, govsvc rules explain: the rules as the module reads them,
 * without a server.
 */


#include "cli/gs_cli_rules.h"
#include "core/gs_json_out.h"
#include "guard/gs_correlate.h"

#include <glob.h>


static int gs_cli_rules_run_test(gs_cli_t *cli);
static int gs_cli_rules_run_explain(gs_cli_t *cli);
static int gs_cli_rules_file(gs_cli_rules_t *rules, const char *name);
static gs_rc_t gs_cli_rules_include(void *data, gs_guard_build_t *build,
    const gs_str_t *from, const gs_str_t *pattern, gs_err_t *err);
static gs_rc_t gs_cli_rules_set(void *data, const gs_str_t *from,
    const gs_str_t *name, gs_str_t *text, gs_err_t *err);
static char *gs_cli_rules_beside(gs_cli_rules_t *rules, const gs_str_t *from,
    const gs_str_t *name);
static void gs_cli_rules_warn(void *data, const gs_str_t *file, unsigned line,
    const char *text);
static int gs_cli_rules_tests(gs_cli_rules_t *rules, unsigned n,
    const gs_guard_rule_info_t *info, unsigned *failures);
static unsigned gs_cli_rules_correlations(gs_cli_rules_t *rules,
    unsigned *tests, unsigned *failures);
static void gs_cli_rules_failure(gs_cli_rules_t *rules,
    const gs_guard_rule_info_t *info, const gs_guard_test_t *test,
    const char *why);
static void gs_cli_rules_trace(void *data, uint32_t rule, unsigned line,
    const char *view, const gs_str_t *target, const gs_str_t *name,
    const gs_str_t *value);
static void gs_cli_rules_hit(gs_cli_rules_t *rules, uint32_t id,
    const gs_guard_verdict_t *verdict);
static void gs_cli_rules_hit_json(gs_cli_rules_t *rules,
    const gs_guard_rule_info_t *info);
static const char *gs_cli_rules_own(uint32_t id);


const char *const  gs_cli_rules_actions[] = { "pass", "log", "block" };


static const gs_cli_option_t  gs_cli_rules_explain_options[] = {
    { "request", "FILE|URL", "the request: a URL, a file, or - for stdin",
      "请求：网址、文件，或用 - 表示标准输入" },
    { "asn", "N", "the autonomous system of the client, as a line "
      "\"@asn: N\" of the request",
      "客户端所属自治系统的编号，等同请求中的 \"@asn: N\" 一行" },
    { "cost", NULL, "what one check costs, and each rule of it",
      "检查一次的耗时，以及其中每条规则的耗时" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_rules_test = {
    "rules", "test", "FILE...",
    "runs the tests that detection rules carry",
    "运行检测规则自带的测试",
    "govsvc rules test lua-free-rules/*.rules",
    NULL,
    gs_cli_rules_run_test
};


const gs_cli_verb_t  gs_cli_rules_explain = {
    "rules", "explain", "FILE... --request FILE|URL",
    "tells which rules a request hits, and where",
    "说明一个请求命中哪些规则、命中在何处",
    "govsvc rules explain lua-free-rules/*.rules "
        "--request 'http://portal.example/?id=1%20union%20select%201,2'",
    gs_cli_rules_explain_options,
    gs_cli_rules_run_explain
};


static int
gs_cli_rules_run_test(gs_cli_t *cli)
{
    int                   rc;
    gs_buf_t              b;
    unsigned              n, tests, failures;
    gs_cli_rules_t        rules;
    gs_guard_rule_info_t  info;

    rc = gs_cli_rules_load(&rules, cli);

    tests = 0;
    failures = 0;

    for (n = 0; rc == GS_CLI_YES; n++) {

        if (gs_guard_rule(rules.guard, n, &info) != GS_OK) {
            break;
        }

        tests += info.ntests;
        rc = gs_cli_rules_tests(&rules, n, &info, &failures);
    }

    if (rc == GS_CLI_YES) {

        n += gs_cli_rules_correlations(&rules, &tests, &failures);

        if (cli->json) {
            gs_buf_init(&b, rules.out, GS_CLI_RULES_LINE);
            gs_buf_char(&b, '{');
            gs_json_kv_u64(&b, "rules", n);
            gs_json_kv_u64(&b, "tests", tests);
            gs_json_kv_u64(&b, "failed", failures);
            gs_json_kv_u64(&b, "warnings", rules.warnings);
            gs_buf_text(&b, "}\n");
            (void) fwrite(b.start, 1, gs_buf_len(&b), stdout);

        } else {
            (void) printf(cli->zh ? "%u 条规则，%u 项测试，%u 项失败\n"
                                  : "%u rules, %u tests, %u failed\n",
                          n, tests, failures);
        }

        rc = (failures == 0) ? GS_CLI_YES : GS_CLI_NO;
    }

    gs_cli_rules_free(&rules);

    return rc;
}


int
gs_cli_rules_load(gs_cli_rules_t *rules, gs_cli_t *cli)
{
    return gs_cli_rules_load_with(rules, cli, gs_cli_rules_warn);
}


int
gs_cli_rules_load_with(gs_cli_rules_t *rules, gs_cli_t *cli,
    gs_guard_warn_pt warn)
{
    int       i, rc;
    gs_err_t  err;

    memset(rules, 0, sizeof(gs_cli_rules_t));
    memset(&err, 0, sizeof(gs_err_t));

    rules->cli = cli;
    rules->last = &rules->first;

    if (cli->argc == 0) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "no rule files given");
    }

    rules->out = gs_alloc(cli->mem, GS_CLI_RULES_LINE);
    rules->build = gs_guard_build_create(cli->mem, gs_cli_rules_include,
                                         warn, rules);

    if (rules->out == NULL || rules->build == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    gs_guard_build_load(rules->build, gs_cli_rules_set);

    for (i = 0; i < cli->argc; i++) {
        rc = gs_cli_rules_file(rules, cli->argv[i]);

        if (rc != GS_CLI_YES) {
            return rc;
        }
    }

    if (gs_guard_compile(&rules->guard, rules->build, &err) != GS_OK) {
        return gs_cli_fail_err(cli, GS_CLI_NO, cli->argv[0], &err);
    }

    rules->scratch = gs_guard_scratch_create(rules->guard, cli->mem,
                                             GS_GUARD_MAX_BODY);

    if (rules->scratch == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    return GS_CLI_YES;
}


static int
gs_cli_rules_file(gs_cli_rules_t *rules, const char *name)
{
    gs_err_t  err;
    gs_str_t  file, text;

    if (gs_cli_read(rules->cli, name, &text) != GS_OK) {
        rules->reported = 1;
        return GS_CLI_READ;
    }

    memset(&err, 0, sizeof(gs_err_t));
    file = gs_str_text(name);

    if (gs_guard_parse(rules->build, &file, &text, &err) == GS_OK) {
        return GS_CLI_YES;
    }

    if (rules->reported) {
        return GS_CLI_NO;
    }

    rules->reported = 1;

    return gs_cli_fail_err(rules->cli, GS_CLI_NO,
                           err.file[0] != '\0' ? err.file : name, &err);
}


static gs_rc_t
gs_cli_rules_include(void *data, gs_guard_build_t *build,
    const gs_str_t *from, const gs_str_t *pattern, gs_err_t *err)
{
    gs_cli_rules_t *rules = data;

    int      rc;
    char    *name;
    size_t   i;
    glob_t   found;

    name = gs_cli_rules_beside(rules, from, pattern);
    if (name == NULL) {
        return gs_err(err, "no memory");
    }

    if (glob(name, 0, NULL, &found) != 0) {
        return gs_err(err, "no rule file fits \"%s\"", name);
    }

    rc = GS_CLI_YES;

    for (i = 0; i < found.gl_pathc && rc == GS_CLI_YES; i++) {
        rc = gs_cli_rules_file(rules, found.gl_pathv[i]);
    }

    globfree(&found);

    return (rc == GS_CLI_YES) ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_cli_rules_set(void *data, const gs_str_t *from, const gs_str_t *name,
    gs_str_t *text, gs_err_t *err)
{
    gs_cli_rules_t *rules = data;

    char  *path;

    path = gs_cli_rules_beside(rules, from, name);
    if (path == NULL) {
        return gs_err(err, "no memory");
    }

    if (gs_cli_read(rules->cli, path, text) != GS_OK) {
        return gs_err(err, "the file \"%s\" of a set cannot be read", path);
    }

    return GS_OK;
}


/* A name relative to the folder of another file. */

static char *
gs_cli_rules_beside(gs_cli_rules_t *rules, const gs_str_t *from,
    const gs_str_t *name)
{
    char    *path;
    size_t   folder;

    folder = from->len;

    while (folder > 0 && from->data[folder - 1] != '/') {
        folder--;
    }

    if (name->data[0] == '/') {
        folder = 0;
    }

    path = gs_alloc(rules->cli->mem, folder + name->len + 1);
    if (path == NULL) {
        return NULL;
    }

    if (folder > 0) {
        memcpy(path, from->data, folder);
    }

    memcpy(path + folder, name->data, name->len);
    path[folder + name->len] = '\0';

    return path;
}


static void
gs_cli_rules_warn(void *data, const gs_str_t *file, unsigned line,
    const char *text)
{
    gs_cli_rules_t *rules = data;

    rules->warnings++;

    (void) gs_cli_fail(rules->cli, 0, "%.*s:%u: warning: %s",
                       (int) file->len, (const char *) file->data, line,
                       text);
}


void
gs_cli_rules_free(gs_cli_rules_t *rules)
{
    gs_guard_scratch_destroy(rules->scratch);

    if (rules->guard != NULL) {
        gs_guard_destroy(rules->guard);

    } else {
        gs_guard_build_destroy(rules->build);
    }
}


/* A rule is taken on trust only as far as its tests go: both kinds. */

static int
gs_cli_rules_tests(gs_cli_rules_t *rules, unsigned n,
    const gs_guard_rule_info_t *info, unsigned *failures)
{
    gs_err_t         err;
    unsigned         t, seen;
    const char      *why;
    gs_guard_test_t  test;

    seen = 0;

    for (t = 0; t < info->ntests; t++) {

        memset(&err, 0, sizeof(gs_err_t));

        switch (gs_guard_rule_test(rules->guard, rules->scratch,
                                   rules->cli->mem, n, t, &test, &err))
        {

        case GS_OK:
            seen |= test.expected ? 1 : 2;
            continue;

        case GS_DECLINED:
            why = test.expected ? "must hit, does not"
                                : "must not hit, but does";
            break;

        default:
            why = err.text;
        }

        seen |= test.expected ? 1 : 2;
        (*failures)++;
        gs_cli_rules_failure(rules, info, &test, why);
    }

    if (seen != 3) {
        gs_cli_rules_warn(rules, &info->file, info->line,
                          "the rule needs tests of both kinds: +\"...\" and "
                          "-\"...\"");
    }

    return GS_CLI_YES;
}


/* How many there are; each runs over a table and a clock of its own. */

static unsigned
gs_cli_rules_correlations(gs_cli_rules_t *rules, unsigned *tests,
    unsigned *failures)
{
    gs_rc_t                     rc;
    gs_err_t                    err;
    unsigned                    i, n, t, seen;
    gs_guard_test_t             test;
    gs_guard_rule_info_t        info;
    const gs_correlate_rule_t  *rule;

    rule = gs_correlate_rules(rules->guard, &n);

    for (i = 0; i < n; i++, rule++) {

        seen = 0;
        memset(&info, 0, sizeof(gs_guard_rule_info_t));
        info.id = rule->plan.id;
        info.name = rule->name;
        info.file = rule->file;
        *tests += rule->ntests;

        for (t = 0; t < rule->ntests; t++) {

            memset(&err, 0, sizeof(gs_err_t));
            rc = gs_correlate_rule_test(rules->guard, rules->cli->mem, i, t,
                                        &test, &err);
            seen |= test.expected ? 1 : 2;

            if (rc != GS_OK) {
                (*failures)++;
                gs_cli_rules_failure(rules, &info, &test,
                                     rc == GS_ERROR ? err.text
                                     : test.expected ? "must fire, does not"
                                     : "must not fire, but does");
            }
        }

        if (seen != 3) {
            gs_cli_rules_warn(rules, &rule->file, rule->line,
                              "the rule needs tests of both kinds: +\"...\" "
                              "and -\"...\"");
        }
    }

    return n;
}


static void
gs_cli_rules_failure(gs_cli_rules_t *rules, const gs_guard_rule_info_t *info,
    const gs_guard_test_t *test, const char *why)
{
    gs_buf_t  b;

    if (!rules->cli->json) {
        gs_cli_print(stdout, &info->file);
        (void) printf(":%u: %u ", test->line, (unsigned) info->id);
        gs_cli_print(stdout, &info->name);
        (void) printf(": %s: %c\"", why, test->expected ? '+' : '-');
        gs_cli_print(stdout, &test->text);
        (void) printf("\"\n");
        return;
    }

    gs_buf_init(&b, rules->out, GS_CLI_RULES_LINE);
    gs_buf_char(&b, '{');
    (void) gs_json_kv_str(&b, "file", &info->file);
    gs_json_kv_u64(&b, "line", test->line);
    gs_json_kv_u64(&b, "id", info->id);
    (void) gs_json_kv_str(&b, "name", &info->name);
    gs_json_kv_text(&b, "expected", test->expected ? "hit" : "pass");
    (void) gs_json_kv_str(&b, "request", &test->text);
    gs_json_kv_text(&b, "error", why);
    gs_buf_text(&b, "}\n");

    (void) fwrite(b.start, 1, gs_buf_len(&b), stdout);
}


static int
gs_cli_rules_run_explain(gs_cli_t *cli)
{
    int                 rc;
    unsigned            i;
    uint64_t            cost;
    const char         *name, *action;
    gs_cli_rules_t      rules;
    gs_guard_input_t    in;
    gs_guard_verdict_t  verdict;

    name = gs_cli_option(cli, "request");

    if (name == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--request is missing");
    }

    rc = gs_cli_rules_load(&rules, cli);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_rules_request(&rules, &in, name);
    }

    if (rc == GS_CLI_YES) {

        cost = (gs_cli_option(cli, "cost") != NULL)
               ? gs_cli_rules_cost(&rules, &in) : 0;

        gs_guard_trace(rules.scratch, gs_cli_rules_trace, &rules);
        (void) gs_guard_check(rules.guard, rules.scratch, &in, &verdict);

        for (i = 0; i < verdict.nhits && i < GS_GUARD_MAX_HITS; i++) {
            gs_cli_rules_hit(&rules, verdict.hits[i], &verdict);
        }

        action = gs_cli_rules_actions[verdict.action];

        if (cli->json) {
            (void) printf("{\"verdict\":\"%s\",\"rule\":%u,\"status\":%u,"
                          "\"hits\":%u", action,
                          (unsigned) verdict.rule, verdict.status,
                          verdict.nhits);

            if (cost != 0) {
                (void) printf(",\"cost_ns\":%llu", (unsigned long long) cost);
            }

            (void) printf("}\n");

        } else if (verdict.rule == 0) {
            (void) printf(cli->zh ? "结论：放行\n" : "verdict: pass\n");

        } else {
            (void) printf(cli->zh ? "结论：%s，规则 %u\n"
                                  : "verdict: %s, rule %u\n",
                          action, (unsigned) verdict.rule);
        }

        if (cost != 0 && !cli->json) {
            (void) printf(cli->zh ? "耗时：%.1f 微秒\n" : "cost: %.1f us\n",
                          (double) cost / 1000);
        }

        if (cost != 0 && gs_cli_rules_costs(&rules, &in) != GS_OK) {
            rules.failed = 1;
        }

        rc = (verdict.action == GS_GUARD_BLOCK) ? GS_CLI_NO : GS_CLI_YES;

        if (rules.failed) {
            rc = gs_cli_fail(cli, GS_CLI_READ, "out of memory");
        }
    }

    gs_cli_rules_free(&rules);

    return rc;
}


static void
gs_cli_rules_trace(void *data, uint32_t rule, unsigned line,
    const char *view, const gs_str_t *target, const gs_str_t *name,
    const gs_str_t *value)
{
    gs_cli_rules_t *rules = data;

    gs_mem_t        *mem;
    gs_cli_trace_t  *t;

    mem = rules->cli->mem;

    t = gs_calloc(mem, 1, sizeof(gs_cli_trace_t));
    if (t == NULL) {
        rules->failed = 1;
        return;
    }

    t->rule = rule;
    t->line = line;
    t->view = view;
    t->target = *target;

    if (name->len > 0) {
        t->name = gs_str_dup(mem, name);

        if (t->name.data == NULL) {
            rules->failed = 1;
            return;
        }
    }

    if (value->len > 0) {
        t->value = gs_str_dup(mem, value);

        if (t->value.data == NULL) {
            rules->failed = 1;
            return;
        }
    }

    *rules->last = t;
    rules->last = &t->next;
}


static void
gs_cli_rules_hit(gs_cli_rules_t *rules, uint32_t id,
    const gs_guard_verdict_t *verdict)
{
    gs_cli_trace_t        *t;
    gs_guard_rule_info_t   info;

    if (gs_guard_rule_by_id(rules->guard, id, &info) != GS_OK) {

        memset(&info, 0, sizeof(gs_guard_rule_info_t));
        info.id = id;
        info.name = gs_str_text(gs_cli_rules_own(id));
        info.action = verdict->action;
    }

    if (rules->cli->json) {
        gs_cli_rules_hit_json(rules, &info);
        return;
    }

    (void) printf("%-5s %u ", gs_cli_rules_actions[info.action],
                  (unsigned) info.id);
    gs_cli_print(stdout, &info.name);

    if (info.file.len > 0) {
        (void) printf(" [");
        gs_cli_print(stdout, &info.tag);
        (void) printf("] ");
        gs_cli_print(stdout, &info.file);
        (void) printf(":%u", info.line);
    }

    (void) printf("\n");

    for (t = rules->first; t != NULL; t = t->next) {

        if (t->rule != id) {
            continue;
        }

        (void) printf("      %u: ", t->line);
        gs_cli_print(stdout, &t->target);

        if (t->name.len > 0) {
            (void) printf(":");
            gs_cli_print(stdout, &t->name);
        }

        (void) printf(" %s \"", t->view);
        gs_cli_print(stdout, &t->value);
        (void) printf("\"\n");
    }
}


static void
gs_cli_rules_hit_json(gs_cli_rules_t *rules, const gs_guard_rule_info_t *info)
{
    gs_buf_t         b;
    gs_cli_trace_t  *t;

    gs_buf_init(&b, rules->out, GS_CLI_RULES_LINE);

    gs_buf_char(&b, '{');
    gs_json_kv_u64(&b, "id", info->id);
    (void) gs_json_kv_str(&b, "name", &info->name);
    gs_json_kv_text(&b, "action", gs_cli_rules_actions[info->action]);
    (void) gs_json_kv_str(&b, "tag", &info->tag);
    (void) gs_json_kv_str(&b, "file", &info->file);
    gs_json_kv_u64(&b, "line", info->line);
    gs_json_key(&b, "on");
    gs_buf_char(&b, '[');

    for (t = rules->first; t != NULL; t = t->next) {

        if (t->rule != info->id) {
            continue;
        }

        if (b.pos[-1] != '[') {
            gs_buf_char(&b, ',');
        }

        gs_buf_char(&b, '{');
        gs_json_kv_u64(&b, "line", t->line);
        (void) gs_json_kv_str(&b, "target", &t->target);
        (void) gs_json_kv_str(&b, "name", &t->name);
        gs_json_kv_text(&b, "view", t->view);
        (void) gs_json_kv_str(&b, "value", &t->value);
        gs_buf_char(&b, '}');
    }

    gs_buf_text(&b, "]}\n");

    if (b.overflow) {
        (void) gs_cli_fail(rules->cli, 0, "rule %u: values too long to show",
                           (unsigned) info->id);
        return;
    }

    (void) fwrite(b.start, 1, gs_buf_len(&b), stdout);
}


static const char *
gs_cli_rules_own(uint32_t id)
{
    return (id == GS_GUARD_OVERSIZE) ? "oversize"
           : (id == GS_GUARD_BUDGET) ? "budget" : "undecided";
}
