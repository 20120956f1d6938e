
/*
 * Copyright (C) govsvc authors
 *
 * The command govsvc: finds the verb, reads its options, runs it.
 */


#include "cli/gs_cli.h"
#include "cli/gs_cli_args.h"

#include <stdlib.h>


static const gs_cli_verb_t *gs_cli_find(int argc, char **argv);
static int gs_cli_unknown(gs_cli_t *cli, int argc, char **argv);
static int gs_cli_help(gs_cli_t *cli, const char *group);
static int gs_cli_verb_help(gs_cli_t *cli);
static int gs_cli_is_help(const char *arg);


static const gs_cli_verb_t *const  gs_cli_verbs[] = {
    &gs_cli_route_explain,
    &gs_cli_route_lint,
    &gs_cli_token_verify,
    &gs_cli_apps_sign_verb,
    &gs_cli_apps_verify_verb,
    &gs_cli_rules_test,
    &gs_cli_rules_explain, &gs_cli_rules_check,
    &gs_cli_rules_lint,
    &gs_cli_audit_verify,
    &gs_cli_audit_query,
    &gs_cli_audit_tail,
    &gs_cli_audit_trace,
    &gs_cli_audit_why,
    &gs_cli_audit_stats,
    &gs_cli_audit_export,
    &gs_cli_audit_retention,
    &gs_cli_audit_keygen,
    &gs_cli_audit_sealer,
    &gs_cli_audit_cosign,
    &gs_cli_audit_prove,
    &gs_cli_audit_check_proof,
    NULL
};


int
main(int argc, char **argv)
{
    int          rc;
    gs_cli_t     cli;
    gs_arena_t  *arena;

    arena = gs_arena_create(&gs_mem_libc);
    if (arena == NULL) {
        fputs("govsvc: out of memory\n", stderr);
        return GS_CLI_READ;
    }

    memset(&cli, 0, sizeof(gs_cli_t));

    cli.mem = gs_arena_mem(arena);
    cli.zh = gs_cli_is_zh(argc, argv);

    if (argc < 2 || gs_cli_is_help(argv[1])) {
        rc = gs_cli_help(&cli, NULL);
        rc = (argc < 2) ? GS_CLI_USAGE : rc;
        goto done;
    }

    if (argc == 3 && gs_cli_is_help(argv[2])
        && gs_cli_help(&cli, argv[1]) == GS_CLI_YES)
    {
        rc = GS_CLI_YES;
        goto done;
    }

    cli.verb = gs_cli_find(argc, argv);

    if (cli.verb == NULL) {
        rc = gs_cli_unknown(&cli, argc, argv);
        goto done;
    }

    if (argc > 3 && gs_cli_is_help(argv[3])) {
        rc = gs_cli_verb_help(&cli);
        goto done;
    }

    rc = gs_cli_parse(&cli, argc - 3, argv + 3);

    if (rc == GS_CLI_YES) {
        rc = cli.verb->run(&cli);
    }

    if (fflush(stdout) != 0 || ferror(stdout)) {
        rc = gs_cli_fail(&cli, GS_CLI_READ, "cannot write to stdout");
    }

done:

    gs_arena_destroy(arena);

    return rc;
}


static const gs_cli_verb_t *
gs_cli_find(int argc, char **argv)
{
    const gs_cli_verb_t *const  *v;

    if (argc < 3) {
        return NULL;
    }

    for (v = gs_cli_verbs; *v != NULL; v++) {
        if (strcmp((*v)->group, argv[1]) == 0
            && strcmp((*v)->verb, argv[2]) == 0)
        {
            return *v;
        }
    }

    return NULL;
}


static int
gs_cli_unknown(gs_cli_t *cli, int argc, char **argv)
{
    int                          known;
    unsigned                     n;
    gs_err_t                     err;
    gs_str_t                     word;
    const char                  *names[16];
    const gs_cli_verb_t *const  *v;

    known = 0;

    for (v = gs_cli_verbs; *v != NULL; v++) {
        known |= (strcmp((*v)->group, argv[1]) == 0);
    }

    /* the verbs of a known group, else the groups */

    n = 0;

    for (v = gs_cli_verbs; *v != NULL && n < 15; v++) {
        if (!known || strcmp((*v)->group, argv[1]) == 0) {
            names[n++] = known ? (*v)->verb : (*v)->group;
        }
    }

    names[n] = NULL;

    memset(&err, 0, sizeof(gs_err_t));

    if (known && argc < 3) {
        word = gs_str_text("");
        gs_err(&err, "\"%s\" needs a verb", argv[1]);

    } else {
        word = gs_str_text(known ? argv[2] : argv[1]);
        gs_err(&err, "unknown %s \"%S\"", known ? "verb" : "command", &word);
    }

    gs_err_hint(&err, &word, names);

    return gs_cli_fail(cli, GS_CLI_USAGE, "%s", err.text);
}


/* All verbs, or those of one group; GS_CLI_USAGE if there is no such group. */

static int
gs_cli_help(gs_cli_t *cli, const char *group)
{
    const gs_cli_verb_t *const  *v;

    for (v = gs_cli_verbs; group != NULL && strcmp((*v)->group, group) != 0;
         /* void */)
    {
        if (*++v == NULL) {
            return GS_CLI_USAGE;
        }
    }

    fputs(cli->zh ? "用法：govsvc 命令 动作 [选项] [参数]\n\n"
                  : "usage: govsvc COMMAND VERB [OPTIONS] [ARGUMENTS]\n\n",
          stdout);

    for (v = gs_cli_verbs; *v != NULL; v++) {

        if (group != NULL && strcmp((*v)->group, group) != 0) {
            continue;
        }

        printf("  %s %s %s\n      %s\n      $ %s\n", (*v)->group, (*v)->verb,
               (*v)->args, cli->zh ? (*v)->zh : (*v)->en, (*v)->example);
    }

    fputs(cli->zh
          ? "\n每个动作都接受 --help、--json 和 --lang zh|en。\n"
            "退出码：0 是  1 否  2 用法错误  3 无法读取  4 不完整\n"
          : "\nEvery verb takes --help, --json and --lang zh|en.\n"
            "Exit codes: 0 yes  1 no  2 usage  3 cannot read  4 incomplete\n",
          stdout);

    return GS_CLI_YES;
}


static int
gs_cli_verb_help(gs_cli_t *cli)
{
    const gs_cli_verb_t    *v;
    const gs_cli_option_t  *o;

    v = cli->verb;

    printf("%s\n\n  $ %s\n\n%sgovsvc %s %s %s\n", cli->zh ? v->zh : v->en,
           v->example, cli->zh ? "用法：" : "usage: ", v->group, v->verb,
           v->args);

    for (o = v->options; o != NULL && o->name != NULL; o++) {
        printf("  --%s%s%s\n      %s\n", o->name, o->value ? " " : "",
               o->value ? o->value : "", cli->zh ? o->zh : o->en);
    }

    return GS_CLI_YES;
}


static int
gs_cli_is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0
           || strcmp(arg, "help") == 0;
}
