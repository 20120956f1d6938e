
/*
 * Copyright (C) govsvc authors
 *
 * govsvc rules lint: what is unwise in rules that are right.
 */


#include "cli/gs_cli_rules.h"
#include "core/gs_json_out.h"


static int gs_cli_lint_run(gs_cli_t *cli);
static void gs_cli_lint_say(void *data, const gs_str_t *file, unsigned line,
    const char *text);


const gs_cli_verb_t  gs_cli_rules_lint = {
    "rules", "lint", "FILE...",
    "tells what is unwise in detection rules",
    "指出检测规则中不妥的写法",
    "govsvc rules lint lua-free-rules/*.rules",
    NULL,
    gs_cli_lint_run
};


/* What is told while the rules are read comes first. */

static int
gs_cli_lint_run(gs_cli_t *cli)
{
    int             rc;
    gs_cli_rules_t  rules;

    memset(&rules, 0, sizeof(gs_cli_rules_t));

    rc = gs_cli_rules_load_with(&rules, cli, gs_cli_lint_say);

    if (rc == GS_CLI_YES) {

        gs_guard_remarks(rules.guard, gs_cli_lint_say, &rules);

        if (!cli->json) {
            (void) printf(cli->zh ? "%u 处提示\n" : "%u remarks\n",
                          rules.warnings);
        }

        rc = (rules.warnings == 0) ? GS_CLI_YES : GS_CLI_NO;
    }

    gs_cli_rules_free(&rules);

    return rc;
}


static void
gs_cli_lint_say(void *data, const gs_str_t *file, unsigned line,
    const char *text)
{
    gs_cli_rules_t *rules = data;

    gs_buf_t  b;
    gs_str_t  words;

    rules->warnings++;
    words = gs_str_text(text);

    if (!rules->cli->json) {
        gs_cli_print(stdout, file);
        (void) printf(":%u: ", line);
        gs_cli_print(stdout, &words);
        (void) printf("\n");
        return;
    }

    gs_buf_init(&b, rules->out, GS_CLI_RULES_LINE);
    gs_buf_char(&b, '{');
    (void) gs_json_kv_str(&b, "file", file);
    gs_json_kv_u64(&b, "line", line);
    gs_json_kv_text(&b, "remark", text);
    gs_buf_text(&b, "}\n");

    (void) fwrite(b.start, 1, gs_buf_len(&b), stdout);
}
