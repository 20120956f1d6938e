
/*
 * Copyright (C) govsvc authors
 *
 * Arguments: --name VALUE or --name=VALUE, switches, "--" before names that
 * begin with a dash.  A single letter is an option where the table has it.
 */


#include "cli/gs_cli_args.h"
#include "core/gs_time.h"

#include <stdlib.h>
#include <time.h>


#define GS_CLI_MAX_TIME  253402300799      /* the last second of year 9999 */


typedef struct {
    const char  *name;
    const char  *value;
} gs_cli_given_t;


static const gs_cli_option_t *gs_cli_known(gs_cli_t *cli, const char *name,
    size_t len);
static int gs_cli_take(gs_cli_t *cli, int argc, char **argv, int *i);
static int gs_cli_unknown_option(gs_cli_t *cli, const char *arg, size_t len);


static const gs_cli_option_t  gs_cli_common[] = {
    { "json", NULL, "one JSON object, or one a line", "输出 JSON" },
    { "lang", "zh|en", "language of messages", "消息的语言" },
    { NULL, NULL, NULL, NULL }
};


int
gs_cli_is_zh(int argc, char **argv)
{
    int          i;
    const char  *lang;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc) {
            return strncmp(argv[i + 1], "zh", 2) == 0;
        }

        if (strncmp(argv[i], "--lang=", 7) == 0) {
            return strncmp(argv[i] + 7, "zh", 2) == 0;
        }
    }

    lang = getenv("LC_ALL");

    if (lang == NULL || *lang == '\0') {
        lang = getenv("LC_MESSAGES");
    }

    if (lang == NULL || *lang == '\0') {
        lang = getenv("LANG");
    }

    return lang != NULL && strncmp(lang, "zh", 2) == 0;
}


int
gs_cli_parse(gs_cli_t *cli, int argc, char **argv)
{
    int  i, rc, plain;

    cli->argv = gs_calloc(cli->mem, (size_t) argc + 1, sizeof(char *));
    cli->given = gs_calloc(cli->mem, (size_t) argc + 1,
                           sizeof(gs_cli_given_t));

    if (cli->argv == NULL || cli->given == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    plain = 0;

    for (i = 0; i < argc; i++) {

        if (!plain && strcmp(argv[i], "--") == 0) {
            plain = 1;
            continue;
        }

        if (plain || argv[i][0] != '-' || argv[i][1] == '\0') {
            cli->argv[cli->argc++] = argv[i];
            continue;
        }

        rc = gs_cli_take(cli, argc, argv, &i);
        if (rc != GS_CLI_YES) {
            return rc;
        }
    }

    cli->json = (gs_cli_option(cli, "json") != NULL);

    return GS_CLI_YES;
}


static int
gs_cli_take(gs_cli_t *cli, int argc, char **argv, int *i)
{
    size_t                  len;
    const char             *name, *value;
    gs_cli_given_t         *given;
    const gs_cli_option_t  *option;

    name = argv[*i] + (argv[*i][1] == '-' ? 2 : 1);
    value = strchr(name, '=');
    len = (value != NULL) ? (size_t) (value - name) : strlen(name);

    option = gs_cli_known(cli, name, len);

    if (option == NULL) {
        return gs_cli_unknown_option(cli, name, len);
    }

    if (value != NULL) {
        value++;

        if (option->value == NULL) {
            return gs_cli_fail(cli, GS_CLI_USAGE, "--%s takes no value",
                               option->name);
        }

    } else if (option->value == NULL) {
        value = "";

    } else if (*i + 1 < argc) {
        value = argv[++*i];

    } else {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--%s needs %s", option->name,
                           option->value);
    }

    given = cli->given;
    given[cli->ngiven].name = option->name;
    given[cli->ngiven].value = value;
    cli->ngiven++;

    return GS_CLI_YES;
}


static const gs_cli_option_t *
gs_cli_known(gs_cli_t *cli, const char *name, size_t len)
{
    unsigned                i;
    const gs_cli_option_t  *o, *tables[2];

    tables[0] = cli->verb->options;
    tables[1] = gs_cli_common;

    for (i = 0; i < 2; i++) {
        for (o = tables[i]; o != NULL && o->name != NULL; o++) {
            if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) {
                return o;
            }
        }
    }

    return NULL;
}


static int
gs_cli_unknown_option(gs_cli_t *cli, const char *arg, size_t len)
{
    unsigned                n;
    gs_err_t                err;
    gs_str_t                word;
    const char             *names[32];
    const gs_cli_option_t  *o;

    n = 0;

    for (o = cli->verb->options; o != NULL && o->name != NULL && n < 28; o++) {
        names[n++] = o->name;
    }

    for (o = gs_cli_common; o->name != NULL; o++) {
        names[n++] = o->name;
    }

    names[n] = NULL;

    memset(&err, 0, sizeof(gs_err_t));
    word = gs_str_make(arg, len);

    gs_err(&err, "unknown option \"%S\"", &word);
    gs_err_hint(&err, &word, names);

    return gs_cli_fail(cli, GS_CLI_USAGE, "%s", err.text);
}


const char *
gs_cli_option(gs_cli_t *cli, const char *name)
{
    return gs_cli_option_n(cli, name, 0);
}


const char *
gs_cli_option_n(gs_cli_t *cli, const char *name, unsigned n)
{
    unsigned         i;
    gs_cli_given_t  *given;

    given = cli->given;

    for (i = 0; i < cli->ngiven; i++) {
        if (strcmp(given[i].name, name) == 0 && n-- == 0) {
            return given[i].value;
        }
    }

    return NULL;
}


int
gs_cli_time(gs_cli_t *cli, const char *name, int64_t *t)
{
    gs_str_t     s;
    uint64_t     n;
    const char  *value;

    *t = (int64_t) time(NULL);
    value = gs_cli_option(cli, name);

    if (value == NULL) {
        return GS_CLI_YES;
    }

    s = gs_str_text(value);

    if (gs_parse_u64(&s, &n) != GS_OK) {
        n = (gs_time_parse(&s, &n) == GS_OK) ? n / 1000000 : UINT64_MAX;
    }

    if (n > GS_CLI_MAX_TIME) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid time \"%s\", allowed: "
                           "seconds since 1970, or RFC 3339", value);
    }

    *t = (int64_t) n;

    return GS_CLI_YES;
}


void
gs_cli_option_put(gs_cli_t *cli, const char *name, const char *value)
{
    unsigned         i;
    gs_cli_given_t  *given;

    given = cli->given;

    for (i = 0; i < cli->ngiven; i++) {
        if (strcmp(given[i].name, name) == 0) {
            given[i].value = value;
        }
    }
}
