
/*
 * Copyright (C) govsvc authors
 *
 * The command govsvc: one table of verbs feeds parsing, help and tests.  Data
 * goes to stdout, all else to stderr.
 */


#ifndef _GS_CLI_H_INCLUDED_
#define _GS_CLI_H_INCLUDED_


#include <stdio.h>

#include "core/gs_buf.h"
#include "core/gs_err.h"
#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


/* One table of exit codes for every verb. */
#define GS_CLI_YES         0
#define GS_CLI_NO          1               /* refused, tampered, test failed */
#define GS_CLI_USAGE       2
#define GS_CLI_READ        3               /* cannot read */
#define GS_CLI_INCOMPLETE  4               /* a gap, partly readable */


typedef struct gs_cli_s  gs_cli_t;


typedef struct {
    const char  *name;                     /* "iss" for --iss */
    const char  *value;                    /* "URL"; NULL: a switch */
    const char  *en;
    const char  *zh;
} gs_cli_option_t;


typedef struct {
    const char             *group;         /* "route" */
    const char             *verb;          /* "explain" */
    const char             *args;          /* "[METHOD] URL", "" */
    const char             *en;            /* one line */
    const char             *zh;
    const char             *example;       /* a whole command line */
    const gs_cli_option_t  *options;       /* ends with name NULL; or NULL */
    int                   (*run)(gs_cli_t *cli);    /* an exit code */
} gs_cli_verb_t;


struct gs_cli_s {
    const gs_cli_verb_t  *verb;
    gs_mem_t             *mem;             /* of one arena, freed at exit */
    char                **argv;            /* positional arguments */
    int                   argc;
    void                 *given;           /* private: options given */
    unsigned              ngiven;
    unsigned              json:1;          /* --json */
    unsigned              zh:1;            /* --lang or LANG */
};


/* The value of --name, "" for a given switch, NULL when absent. */
const char *gs_cli_option(gs_cli_t *cli, const char *name);

/* Every value of an option that may be repeated: the n-th from 0, or NULL. */
const char *gs_cli_option_n(gs_cli_t *cli, const char *name, unsigned n);

/*
 * The time of --name in seconds since 1970, at most that of the year 9999; now
 * without it.  GS_CLI_YES, or GS_CLI_USAGE, which is already reported.
 */
int gs_cli_time(gs_cli_t *cli, const char *name, int64_t *t);

/* Another value for an option that was given: what is told of it. */
void gs_cli_option_put(gs_cli_t *cli, const char *name, const char *value);

/* A whole file, "-" is stdin; GS_ERROR is already reported on stderr. */
gs_rc_t gs_cli_read(gs_cli_t *cli, const char *path, gs_str_t *text);

/* "govsvc: ..." on stderr with control bytes escaped; returns code. */
int gs_cli_fail(gs_cli_t *cli, int code, const char *fmt, ...);

/* The error of a loader as "FILE:LINE: text (pointer)"; returns code. */
int gs_cli_fail_err(gs_cli_t *cli, int code, const char *file,
    const gs_err_t *err);

/* Writes s with control bytes and malformed UTF-8 escaped. */
void gs_cli_print(FILE *out, const gs_str_t *s);


/* Verbs, one constant each; gs_cli_main.c lists them. */
extern const gs_cli_verb_t  gs_cli_route_explain;
extern const gs_cli_verb_t  gs_cli_route_lint;
extern const gs_cli_verb_t  gs_cli_token_verify;
extern const gs_cli_verb_t  gs_cli_apps_sign_verb;
extern const gs_cli_verb_t  gs_cli_apps_verify_verb;
extern const gs_cli_verb_t  gs_cli_rules_test;
extern const gs_cli_verb_t  gs_cli_rules_explain;
extern const gs_cli_verb_t  gs_cli_rules_check;
extern const gs_cli_verb_t  gs_cli_rules_lint;
extern const gs_cli_verb_t  gs_cli_audit_verify;
extern const gs_cli_verb_t  gs_cli_audit_query;
extern const gs_cli_verb_t  gs_cli_audit_tail;
extern const gs_cli_verb_t  gs_cli_audit_keygen;
extern const gs_cli_verb_t  gs_cli_audit_sealer;
extern const gs_cli_verb_t  gs_cli_audit_trace;
extern const gs_cli_verb_t  gs_cli_audit_why;
extern const gs_cli_verb_t  gs_cli_audit_cosign;
extern const gs_cli_verb_t  gs_cli_audit_prove;
extern const gs_cli_verb_t  gs_cli_audit_check_proof;
extern const gs_cli_verb_t  gs_cli_audit_stats;
extern const gs_cli_verb_t  gs_cli_audit_export;
extern const gs_cli_verb_t  gs_cli_audit_retention;


#endif /* _GS_CLI_H_INCLUDED_ */
