
/*
 * Copyright (C) govsvc authors
 *
 * What is unwise in rules that are right: rules without tests or words for
 * people, literals that can never decide, bans of exits that many share.
 */


#include "guard/gs_guard_priv.h"


/* Views whose text is in lower case. */
#define GS_LINT_LOWER                                                         \
    (1u << GS_VIEW_LOWER | 1u << GS_VIEW_DEEP | 1u << GS_VIEW_SQLC            \
     | 1u << GS_VIEW_SH | 1u << GS_VIEW_PATH | 1u << GS_VIEW_B64)

#define GS_LINT_TEXT  300


typedef struct {
    const gs_guard_t  *guard;
    gs_guard_warn_pt   warn;
    void              *data;
} gs_lint_t;


static void gs_guard_unknown_rule(const gs_lint_t *lint,
    const gs_guard_rule_t *rule, int places, int numbers);
static void gs_guard_unknown_say(const gs_lint_t *lint, const gs_str_t *file,
    unsigned line, const char *what, int number);
static void gs_guard_lint_rule(const gs_lint_t *lint,
    const gs_guard_rule_t *rule);
static void gs_guard_lint_cond(const gs_lint_t *lint, const gs_str_t *file,
    const gs_cond_t *cond);
static void gs_guard_lint_case(const gs_lint_t *lint, const gs_str_t *file,
    const gs_cond_t *cond);
static void gs_guard_lint_inside(const gs_lint_t *lint, const gs_str_t *file,
    const gs_cond_t *cond);
static int gs_guard_lint_in(const gs_str_t *text, const gs_str_t *part,
    gs_op_e op);
static void gs_guard_lint_tests(const gs_lint_t *lint, const gs_str_t *file,
    unsigned line, uint32_t test, uint32_t n);
static void gs_guard_lint_correlate(const gs_lint_t *lint,
    const gs_correlate_rule_t *rule);
static void gs_guard_lint_say(const gs_lint_t *lint, const gs_str_t *file,
    unsigned line, const char *format, const gs_str_t *what);


void
gs_guard_remarks(const gs_guard_t *guard, gs_guard_warn_pt warn, void *data)
{
    uint32_t                    i;
    unsigned                    n;
    gs_lint_t                   lint;
    gs_guard_pattern_t         *patterns;
    const gs_correlate_rule_t  *rules;

    lint.guard = guard;
    lint.warn = warn;
    lint.data = data;

    patterns = guard->build->patterns.data;

    for (i = 0; i < guard->build->patterns.n; i++) {
        if (patterns[i].uses == 0) {
            gs_guard_lint_say(&lint, &patterns[i].file, patterns[i].line,
                              "pattern \"%S\" is not used",
                              &patterns[i].name);
        }
    }

    for (i = 0; i < guard->nrules; i++) {
        gs_guard_lint_rule(&lint, &guard->rules[i]);
    }

    rules = gs_correlate_rules(guard, &n);

    for (i = 0; i < n; i++) {
        gs_guard_lint_correlate(&lint, &rules[i]);
    }
}


void
gs_guard_unknown(const gs_guard_t *guard, int places, int numbers,
    gs_guard_warn_pt warn, void *data)
{
    uint32_t                    i;
    unsigned                    n;
    gs_lint_t                   lint;
    const gs_correlate_rule_t  *rules, *rule;

    lint.guard = guard;
    lint.warn = warn;
    lint.data = data;

    for (i = 0; i < guard->nrules; i++) {
        if (guard->rules[i].id >= GS_GUARD_ID_OWN) {
            gs_guard_unknown_rule(&lint, &guard->rules[i], places, numbers);
        }
    }

    rules = gs_correlate_rules(guard, &n);

    for (i = 0; i < n; i++) {
        rule = &rules[i];

        if (rule->plan.id < GS_GUARD_ID_OWN) {
            continue;
        }

        if (!numbers && (rule->key.kind == GS_CORRELATE_ASN
                         || rule->of.kind == GS_CORRELATE_ASN))
        {
            gs_guard_unknown_say(&lint, &rule->file, rule->line, "asn", 1);
        }

        if (!places && (rule->key.kind == GS_CORRELATE_PROVINCE
                        || rule->key.kind == GS_CORRELATE_AREA
                        || rule->of.kind == GS_CORRELATE_PROVINCE
                        || rule->of.kind == GS_CORRELATE_AREA))
        {
            gs_guard_unknown_say(&lint, &rule->file, rule->line, "province",
                                 0);
        }
    }
}


static void
gs_guard_unknown_rule(const gs_lint_t *lint, const gs_guard_rule_t *rule,
    int places, int numbers)
{
    uint32_t          i;
    unsigned          k;
    gs_kind_e         kind;
    const gs_cond_t  *cond;

    for (i = 0; i < rule->nconds; i++) {
        cond = &lint->guard->conds[rule->cond + i];

        for (k = 0; k < cond->ntargets; k++) {
            kind = lint->guard->targets[cond->targets[k]].kind;

            if ((kind == GS_KIND_ASN && !numbers)
                || ((kind == GS_KIND_COUNTRY || kind == GS_KIND_PROVINCE)
                    && !places))
            {
                gs_guard_unknown_say(lint, &rule->file, cond->line,
                                     gs_guard_kind_text(kind),
                                     kind == GS_KIND_ASN);
            }
        }
    }
}


static void
gs_guard_unknown_say(const gs_lint_t *lint, const gs_str_t *file,
    unsigned line, const char *what, int number)
{
    gs_str_t  s;

    s = gs_str_text(what);

    gs_guard_lint_say(lint, file, line,
                      number
                      ? "\"%S\" is known of nobody: there is no database of "
                        "autonomous systems, add \"asn=FILE\" to "
                        "\"govsvc_geo\""
                      : "\"%S\" is known of nobody: there is no database of "
                        "places, add \"govsvc_geo\" to http",
                      &s);
}


static void
gs_guard_lint_rule(const gs_lint_t *lint, const gs_guard_rule_t *rule)
{
    uint32_t          i;
    const gs_cond_t  *cond;

    gs_guard_lint_tests(lint, &rule->file, rule->line, rule->test,
                        rule->ntests);

    if (rule->category.len == 0) {
        gs_guard_lint_say(lint, &rule->file, rule->line,
                          "no \"category\": its events cannot be reported",
                          NULL);
    }

    for (i = 0; i < rule->nconds; i++) {
        cond = &lint->guard->conds[rule->cond + i];

        for ( /* void */ ; cond != NULL; cond = cond->same) {
            gs_guard_lint_cond(lint, &rule->file, cond);
        }
    }
}


static void
gs_guard_lint_cond(const gs_lint_t *lint, const gs_str_t *file,
    const gs_cond_t *cond)
{
    switch (cond->op) {

    case GS_OP_EQ:
    case GS_OP_PREFIX:
    case GS_OP_SUFFIX:
        gs_guard_lint_case(lint, file, cond);

        /* fall through */

    case GS_OP_LIT:
        gs_guard_lint_inside(lint, file, cond);
        break;

    default:
        break;
    }
}


static void
gs_guard_lint_case(const gs_lint_t *lint, const gs_str_t *file,
    const gs_cond_t *cond)
{
    size_t    k;
    unsigned  i;

    if (cond->views == 0 || (cond->views & ~GS_LINT_LOWER) != 0) {
        return;
    }

    for (i = 0; i < cond->nvalues; i++) {
        for (k = 0; k < cond->values[i].len; k++) {

            if (cond->values[i].data[k] >= 'A'
                && cond->values[i].data[k] <= 'Z')
            {
                gs_guard_lint_say(lint, file, cond->line,
                                  "\"%S\" is never met: the view is in lower "
                                  "case", &cond->values[i]);
                break;
            }
        }
    }
}


/* Where the shorter one decides, the longer is never asked. */

static void
gs_guard_lint_inside(const gs_lint_t *lint, const gs_str_t *file,
    const gs_cond_t *cond)
{
    unsigned  i, k;

    for (i = 0; i < cond->nvalues; i++) {
        if (cond->then != NULL && cond->then[i]) {
            return;
        }
    }

    for (i = 0; i < cond->nvalues; i++) {
        for (k = 0; k < cond->nvalues; k++) {

            if (k != i
                && (cond->values[k].len < cond->values[i].len
                    || (cond->values[k].len == cond->values[i].len && k < i))
                && gs_guard_lint_in(&cond->values[i], &cond->values[k],
                                    cond->op))
            {
                gs_guard_lint_say(lint, file, cond->line,
                                  "\"%S\" is never asked for: another text of "
                                  "the line is part of it",
                                  &cond->values[i]);
                break;
            }
        }
    }
}


static int
gs_guard_lint_in(const gs_str_t *text, const gs_str_t *part, gs_op_e op)
{
    size_t    i;
    gs_str_t  at;

    switch (op) {

    case GS_OP_EQ:
        return gs_str_eq(text, part);

    case GS_OP_PREFIX:
        return gs_str_prefix(text, part);

    case GS_OP_SUFFIX:
        return gs_str_suffix(text, part);

    default:

        for (i = 0; i + part->len <= text->len; i++) {
            at = gs_str_make(text->data + i, part->len);

            if (gs_str_case_eq(&at, part)) {
                return 1;
            }
        }

        return 0;
    }
}


static void
gs_guard_lint_tests(const gs_lint_t *lint, const gs_str_t *file,
    unsigned line, uint32_t test, uint32_t n)
{
    uint32_t                i;
    unsigned                seen;
    const gs_guard_test_t  *tests;

    tests = lint->guard->build->tests.data;
    seen = 0;

    for (i = 0; i < n; i++) {
        seen |= tests[test + i].expected ? 1 : 2;
    }

    if (seen != 3) {
        gs_guard_lint_say(lint, file, line,
                          (seen & 1) ? "no test of what must pass: -\"...\""
                                     : "no test of what must hit: +\"...\"",
                          NULL);
    }
}


static void
gs_guard_lint_correlate(const gs_lint_t *lint,
    const gs_correlate_rule_t *rule)
{
    unsigned  i;

    gs_guard_lint_tests(lint, &rule->file, rule->line, rule->test,
                        rule->ntests);

    if (rule->category.len == 0) {
        gs_guard_lint_say(lint, &rule->file, rule->line,
                          "no \"category\": its events cannot be reported",
                          NULL);
    }

    for (i = 0; i < rule->plan.nsteps; i++) {

        if (rule->steps[i].what == GS_CORRELATE_BAN && rule->shared == 0
            && (rule->key.kind <= GS_CORRELATE_NETWORK
                || rule->key.kind == GS_CORRELATE_CALLER))
        {
            gs_guard_lint_say(lint, &rule->file, rule->line,
                              "bans \"%S\" without \"shared\": whoever shares "
                              "the exit is banned too", &rule->key.text);
        }
    }
}


static void
gs_guard_lint_say(const gs_lint_t *lint, const gs_str_t *file, unsigned line,
    const char *format, const gs_str_t *what)
{
    gs_err_t  err;

    memset(&err, 0, sizeof(gs_err_t));
    (void) gs_err(&err, format, what);

    lint->warn(lint->data, file, line, err.text);
}
