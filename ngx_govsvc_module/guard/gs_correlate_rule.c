
/*
 * Copyright (C) govsvc authors
 *
 * Parser of "correlate ID NAME { ... }".
 */


#include "guard/gs_correlate_rule.h"


typedef gs_rc_t (*gs_correlate_line_pt)(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);


static gs_rc_t gs_correlate_line(gs_guard_parser_t *p,
    gs_correlate_draft_t *d, const gs_lex_token_t *word);
static gs_rc_t gs_correlate_on(gs_guard_parser_t *p, gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_on_status(gs_guard_parser_t *p,
    gs_correlate_rule_t *rule);
static gs_rc_t gs_correlate_on_score(gs_guard_parser_t *p,
    gs_correlate_rule_t *rule);
static gs_rc_t gs_correlate_names(gs_guard_parser_t *p, gs_str_t *names,
    unsigned *n, const char *what);
static gs_rc_t gs_correlate_only_line(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_do(gs_guard_parser_t *p, gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_act(gs_guard_parser_t *p,
    gs_correlate_step_t *step, uint64_t *at);
static gs_rc_t gs_correlate_shared_line(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_check(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_steps(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);


static const char *const  gs_correlate_words[] = {
    "on", "only", "key", "count", "distinct", "sequence", "rate", "do",
    "shared", "level", "severity", "reason", "category", "tag", "test", NULL
};

static const gs_correlate_line_pt  gs_correlate_handlers[] = {
    gs_correlate_on, gs_correlate_only_line, gs_correlate_key,
    gs_correlate_count_line, gs_correlate_distinct, gs_correlate_sequence,
    gs_correlate_rate, gs_correlate_do, gs_correlate_shared_line
};


gs_rc_t
gs_correlate_parse(gs_guard_parser_t *p, unsigned line)
{
    gs_lex_token_t         token;
    gs_correlate_rule_t   *slot;
    gs_correlate_draft_t   d;

    if (p->build->correlates.n == GS_CORRELATE_MAX) {
        (void) gs_err(p->err, "more than %d correlations", GS_CORRELATE_MAX);
        return gs_lex_fail(&p->lex, line);
    }

    memset(&d, 0, sizeof(gs_correlate_draft_t));

    slot = gs_guard_push(p->build->mem, &p->build->correlates);
    if (slot == NULL) {
        return gs_guard_no_memory(p, line);
    }

    d.rule = slot;
    slot->file = p->lex.file;
    slot->line = line;
    slot->test = p->build->tests.n;

    d.base.level = 1;
    d.base.reason = gs_str_make("", 0);
    d.base.category = d.base.reason;

    if (gs_guard_parse_head(p, &d.base) != GS_OK) {
        return GS_ERROR;
    }

    slot->plan.id = d.base.id;
    slot->name = d.base.name;

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_CLOSE) {
            break;
        }

        if (token.type != GS_LEX_WORD) {
            return gs_lex_unexpected(&p->lex, &token, "\"}\"");
        }

        if (gs_correlate_line(p, &d, &token) != GS_OK) {
            return GS_ERROR;
        }
    }

    return gs_correlate_check(p, &d);
}


static gs_rc_t
gs_correlate_line(gs_guard_parser_t *p, gs_correlate_draft_t *d,
    const gs_lex_token_t *word)
{
    unsigned  i;

    for (i = 0; gs_correlate_words[i] != NULL; i++) {
        if (gs_str_eq_text(&word->text, gs_correlate_words[i])) {
            break;
        }
    }

    if (gs_correlate_words[i] == NULL) {
        (void) gs_err(p->err, "unknown word \"%S\" in correlation %u",
                      &word->text, d->rule->plan.id);
        gs_err_hint(p->err, &word->text, gs_correlate_words);
        return gs_lex_fail(&p->lex, word->line);
    }

    if (i < sizeof(gs_correlate_handlers) / sizeof(gs_correlate_handlers[0]))
    {
        return gs_correlate_handlers[i](p, d);
    }

    if (gs_str_eq_text(&word->text, "test")) {
        return gs_guard_parse_tests(p, &d->base);
    }

    return gs_guard_parse_action(p, &d->base, word);
}


static gs_rc_t
gs_correlate_on(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    gs_lex_token_t  token;

    static const char *const  names[] = {
        "request", "status", "score", "event", NULL
    };

    if (gs_guard_word(p, &token, "what it counts on") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_str_eq_text(&token.text, names[0])) {
        d->rule->on_request = 1;
        return gs_guard_parse_end(p, "\"request\"");
    }

    if (gs_str_eq_text(&token.text, names[1])) {
        return gs_correlate_on_status(p, d->rule);
    }

    if (gs_str_eq_text(&token.text, names[2])) {
        return gs_correlate_on_score(p, d->rule);
    }

    if (gs_str_eq_text(&token.text, names[3])) {
        return gs_correlate_names(p, d->rule->events, &d->rule->nevents,
                                  "an event");
    }

    (void) gs_err(p->err, "unknown word \"%S\" behind \"on\"", &token.text);
    gs_err_hint(p->err, &token.text, names);

    return gs_lex_fail(&p->lex, token.line);
}


static gs_rc_t
gs_correlate_on_status(gs_guard_parser_t *p, gs_correlate_rule_t *rule)
{
    uint64_t        n;
    gs_lex_token_t  token;

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_END && rule->nstatuses > 0) {
            return GS_OK;
        }

        if (token.type != GS_LEX_WORD) {
            return gs_lex_unexpected(&p->lex, &token, "a status");
        }

        if (gs_parse_u64(&token.text, &n) != GS_OK || n < 200 || n > 599
            || rule->nstatuses == GS_CORRELATE_ONLY)
        {
            (void) gs_err(p->err, "invalid status \"%S\", allowed: %d of "
                          "200-599", &token.text, GS_CORRELATE_ONLY);
            return gs_lex_fail(&p->lex, token.line);
        }

        rule->statuses[rule->nstatuses++] = (uint16_t) n;
    }
}


static gs_rc_t
gs_correlate_on_score(gs_guard_parser_t *p, gs_correlate_rule_t *rule)
{
    uint64_t  n;

    if (gs_correlate_exactly(p, ">=") != GS_OK
        || gs_correlate_number(p, "score", 1, 10000, &n) != GS_OK)
    {
        return GS_ERROR;
    }

    rule->score = (unsigned) n;

    return gs_guard_parse_end(p, "the score");
}


static gs_rc_t
gs_correlate_names(gs_guard_parser_t *p, gs_str_t *names, unsigned *n,
    const char *what)
{
    gs_lex_token_t  token;

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_END && *n > 0) {
            return GS_OK;
        }

        if (token.type != GS_LEX_WORD || token.text.len == 0) {
            return gs_lex_unexpected(&p->lex, &token, what);
        }

        if (*n == GS_CORRELATE_ONLY) {
            (void) gs_err(p->err, "more than %d in one rule: \"%S\"",
                          GS_CORRELATE_ONLY, &token.text);
            return gs_lex_fail(&p->lex, token.line);
        }

        names[(*n)++] = token.text;
    }
}


static gs_rc_t
gs_correlate_only_line(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    gs_lex_token_t  token;

    static const char *const  names[] = { "method", "path", NULL };

    if (gs_guard_word(p, &token, "\"method\" or \"path\"") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_str_eq_text(&token.text, names[0])) {
        return gs_correlate_names(p, d->rule->methods, &d->rule->nmethods,
                                  "a method");
    }

    if (gs_str_eq_text(&token.text, names[1])) {
        return gs_correlate_names(p, d->rule->paths, &d->rule->npaths,
                                  "a part of the path");
    }

    (void) gs_err(p->err, "unknown word \"%S\" behind \"only\"",
                  &token.text);
    gs_err_hint(p->err, &token.text, names);

    return gs_lex_fail(&p->lex, token.line);
}


static gs_rc_t
gs_correlate_do(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    unsigned  n;

    n = d->rule->plan.nsteps;

    if (n == GS_CORRELATE_STEPS) {
        (void) gs_err(p->err, "more than %d \"do\" in correlation %u",
                      GS_CORRELATE_STEPS, d->rule->plan.id);
        return gs_lex_fail(&p->lex, p->lex.line);
    }

    if (gs_correlate_act(p, &d->rule->steps[n], &d->at[n]) != GS_OK) {
        return GS_ERROR;
    }

    d->rule->plan.nsteps++;

    return GS_OK;
}


static gs_rc_t
gs_correlate_act(gs_guard_parser_t *p, gs_correlate_step_t *step,
    uint64_t *at)
{
    gs_lex_token_t  token;

    static const char *const  names[] = { "log", "ban", "limit", NULL };

    if (gs_guard_word(p, &token, "\"log\", \"ban\" or \"limit\"") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_str_eq_text(&token.text, names[0])) {
        step->what = GS_CORRELATE_LOG;
        return gs_guard_parse_options(p, &step->act, "log", at);
    }

    if (gs_str_eq_text(&token.text, names[1])) {
        step->what = GS_CORRELATE_BAN;
        return gs_guard_parse_do_ban(p, &step->act, at);
    }

    if (gs_str_eq_text(&token.text, names[2])) {
        step->what = GS_CORRELATE_LIMIT;
        return gs_guard_parse_do_limit(p, &step->act, at);
    }

    (void) gs_err(p->err, "unknown action \"%S\"", &token.text);
    gs_err_hint(p->err, &token.text, names);

    return gs_lex_fail(&p->lex, token.line);
}


/* "shared 10 x4 limit ip 10r/s 10m;" */

static gs_rc_t
gs_correlate_shared_line(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    gs_str_t        number;
    uint64_t        n;
    gs_lex_token_t  token;

    if (gs_correlate_number(p, "number of callers", 2, GS_CORRELATE_DISTINCT,
                            &n)
        != GS_OK
        || gs_guard_word(p, &token, "a factor") != GS_OK)
    {
        return GS_ERROR;
    }

    d->rule->shared = (unsigned) n;
    number = gs_str_make(token.text.data + 1, token.text.len - 1);

    if (token.text.len < 2 || token.text.data[0] != 'x'
        || gs_parse_u64(&number, &n) != GS_OK || n < 1 || n > 100)
    {
        (void) gs_err(p->err, "invalid factor \"%S\", allowed: x1-x100",
                      &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    d->rule->times = (unsigned) n;

    if (gs_correlate_act(p, &d->rule->instead, NULL) != GS_OK) {
        return GS_ERROR;
    }

    if (d->rule->instead.what == GS_CORRELATE_BAN
        && d->rule->instead.act.key.len != 0
        && (gs_str_eq_text(&d->rule->instead.act.key, "ip")
            || gs_str_eq_text(&d->rule->instead.act.key, "network")
            || gs_str_eq_text(&d->rule->instead.act.key, "caller")))
    {
        (void) gs_err(p->err, "a shared exit cannot be banned");
        return gs_lex_fail(&p->lex, token.line);
    }

    return GS_OK;
}


gs_rc_t
gs_correlate_number(gs_guard_parser_t *p, const char *what, uint64_t min,
    uint64_t max, uint64_t *n)
{
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, "a number") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_parse_u64(&token.text, n) != GS_OK || *n < min || *n > max) {
        (void) gs_err(p->err, "invalid %s \"%S\", allowed: %u-%u", what,
                      &token.text, (unsigned) min, (unsigned) max);
        return gs_lex_fail(&p->lex, token.line);
    }

    return GS_OK;
}


gs_rc_t
gs_correlate_exactly(gs_guard_parser_t *p, const char *word)
{
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, word) != GS_OK) {
        return GS_ERROR;
    }

    if (!gs_str_eq_text(&token.text, word)) {
        return gs_lex_unexpected(&p->lex, &token, word);
    }

    return GS_OK;
}


static gs_rc_t
gs_correlate_check(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    const char           *fault;
    gs_correlate_rule_t  *rule;

    rule = d->rule;
    fault = NULL;

    rule->level = d->base.level;
    rule->severity = d->base.severity;
    rule->reason = d->base.reason;
    rule->category = d->base.category;
    rule->ntags = d->base.ntags;
    memcpy(rule->tags, d->base.tags, sizeof(rule->tags));
    rule->ntests = d->base.ntests;

    if (!rule->on_request && rule->nstatuses == 0 && rule->score == 0
        && rule->nevents == 0)
    {
        fault = "no \"on\"";

    } else if (!d->keyed) {
        fault = "no \"key\"";

    } else if (!d->measured) {
        fault = "none of count, distinct, sequence, rate";

    } else if (rule->plan.nsteps == 0) {
        fault = "no \"do\"";

    } else if (rule->of.text.len > 0
               && gs_str_eq(&rule->of.text, &rule->key.text))
    {
        fault = "the key as what it counts: that is always one";

    } else if (rule->shared != 0 && rule->key.kind > GS_CORRELATE_NETWORK
               && rule->key.kind != GS_CORRELATE_CALLER)
    {
        fault = "\"shared\", but its key is not ip, network or caller";
    }

    if (fault != NULL) {
        (void) gs_err(p->err, "correlation %u has %s", rule->plan.id, fault);
        return gs_lex_fail(&p->lex, rule->line);
    }

    return gs_correlate_steps(p, d);
}


static gs_rc_t
gs_correlate_steps(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    unsigned              i;
    uint64_t              at, max, last;
    gs_correlate_plan_t  *plan;

    plan = &d->rule->plan;
    last = plan->at[0];
    max = (plan->measure == GS_CORRELATE_UNIQUE) ? GS_CORRELATE_DISTINCT
                                                 : GS_CORRELATE_COUNTS;

    for (i = 0; i < plan->nsteps; i++) {

        at = (d->at[i] == 0) ? plan->at[0] : d->at[i];

        if (at > max || at < last || (i > 0 && at == last)) {
            (void) gs_err(p->err, "steps of correlation %u must rise: the "
                          "first at the number given, each of the others "
                          "at=N above it, at most %u", plan->id,
                          (unsigned) max);
            return gs_lex_fail(&p->lex, d->rule->line);
        }

        last = at;
        plan->at[i] = (uint32_t) at;
    }

    return GS_OK;
}
