
/*
 * Copyright (C) govsvc authors
 *
 * What the verbs of "govsvc rules" share: rules that were read, with their
 * work space.
 */


#ifndef _GS_CLI_RULES_H_INCLUDED_
#define _GS_CLI_RULES_H_INCLUDED_


#include "cli/gs_cli.h"
#include "guard/gs_guard.h"


#define GS_CLI_RULES_LINE  (64 * 1024)


typedef struct gs_cli_trace_s  gs_cli_trace_t;

struct gs_cli_trace_s {
    uint32_t             rule;
    unsigned             line;
    const char          *view;
    gs_str_t             target;
    gs_str_t             name;
    gs_str_t             value;
    gs_cli_trace_t      *next;
};


typedef struct {
    gs_cli_t            *cli;
    gs_guard_build_t    *build;
    gs_guard_t          *guard;
    gs_guard_scratch_t  *scratch;
    gs_cli_trace_t      *first;
    gs_cli_trace_t     **last;
    unsigned             warnings;
    unsigned             reported;         /* the error was printed */
    unsigned             failed;           /* memory was out */
    gs_uchar_t          *out;              /* GS_CLI_RULES_LINE */
} gs_cli_rules_t;


/* Reads the files named as arguments; an exit code, reported if not YES. */
int gs_cli_rules_load(gs_cli_rules_t *rules, gs_cli_t *cli);

/* The same with another way to tell remarks; data of warn is rules. */
int gs_cli_rules_load_with(gs_cli_rules_t *rules, gs_cli_t *cli,
    gs_guard_warn_pt warn);
void gs_cli_rules_free(gs_cli_rules_t *rules);

/* Reads the request named by a URL, a file or "-"; an exit code. */
int gs_cli_rules_request(gs_cli_rules_t *rules, gs_guard_input_t *in,
    const char *name);

/* ns from any start; and of one check by all rules, the least of many. */
uint64_t gs_cli_rules_clock(void);
uint64_t gs_cli_rules_cost(gs_cli_rules_t *rules, gs_guard_input_t *in);

/* Prints what each rule takes of it; GS_ERROR: memory is out. */
gs_rc_t gs_cli_rules_costs(gs_cli_rules_t *rules, gs_guard_input_t *in);

/* "pass", "log", "block". */
extern const char *const  gs_cli_rules_actions[];


#endif /* _GS_CLI_RULES_H_INCLUDED_ */
