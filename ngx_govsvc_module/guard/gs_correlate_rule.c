
/*
 * Copyright (C) govsvc authors
 *
 * Parser of "correlate ID NAME { ... }".
 */


#include "guard/gs_guard_priv.h"


#define GS_CORRELATE_WINDOW_MAX  (7ull * 86400 * 1000)   /* ms */


/* A rule on its way; what it shares with others is read into base. */
typedef struct {
    gs_correlate_rule_t  *rule;
    gs_guard_rule_t       base;
    uint64_t              at[GS_CORRELATE_STEPS];       /* 0: the measure's */
    unsigned              measured:1;
    unsigned              keyed:1;
} gs_correlate_draft_t;


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
static gs_rc_t gs_correlate_only(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_key(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_field(gs_guard_parser_t *p,
    gs_correlate_field_t *field, unsigned key);
static unsigned gs_correlate_name_ok(const gs_str_t *name);
static gs_rc_t gs_correlate_count_line(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_distinct(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_sequence(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_measure(gs_guard_parser_t *p,
    gs_correlate_draft_t *d, gs_correlate_measure_e measure, uint64_t max);
static gs_rc_t gs_correlate_rate(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_rate_option(gs_guard_parser_t *p,
    gs_correlate_plan_t *plan, const gs_lex_token_t *token);
static gs_rc_t gs_correlate_do(gs_guard_parser_t *p, gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_act(gs_guard_parser_t *p,
    gs_correlate_step_t *step, uint64_t *at);
static gs_rc_t gs_correlate_shared(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_number(gs_guard_parser_t *p, const char *what,
    uint64_t min, uint64_t max, uint64_t *n);
static gs_rc_t gs_correlate_exactly(gs_guard_parser_t *p, const char *word);
static gs_rc_t gs_correlate_check(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
static gs_rc_t gs_correlate_steps(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);


static const char *const  gs_correlate_words[] = {
    "on", "only", "key", "count", "distinct", "sequence", "rate", "do",
    "shared", "level", "severity", "reason", "category", "tag", "test", NULL
};

static const gs_correlate_line_pt  gs_correlate_handlers[] = {
    gs_correlate_on, gs_correlate_only, gs_correlate_key,
    gs_correlate_count_line, gs_correlate_distinct, gs_correlate_sequence,
    gs_correlate_rate, gs_correlate_do, gs_correlate_shared
};


/* In the order of gs_correlate_kind_e; those with a number or name last. */

static const char *const  gs_correlate_kinds[] = {
    "ip", "network", "subject", "app", "site", "path", "item", "province",
    "rule", "segment:N", "arg:NAME", "header:NAME", "cookie:NAME",
    "json:PATH", NULL
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
gs_correlate_only(gs_guard_parser_t *p, gs_correlate_draft_t *d)
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
gs_correlate_key(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    if (gs_correlate_field(p, &d->rule->key, 1) != GS_OK) {
        return GS_ERROR;
    }

    if (d->keyed) {
        (void) gs_err(p->err, "\"key\" is duplicate");
        return gs_lex_fail(&p->lex, p->lex.line);
    }

    d->keyed = 1;

    return gs_guard_parse_end(p, "the key");
}


static gs_rc_t
gs_correlate_field(gs_guard_parser_t *p, gs_correlate_field_t *field,
    unsigned key)
{
    size_t          colon;
    gs_str_t        rest;
    unsigned        i, minus;
    uint64_t        n;
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, key ? "a key" : "a field") != GS_OK) {
        return GS_ERROR;
    }

    field->text = token.text;
    colon = gs_str_chr(&token.text, 0, ':');

    if (colon == token.text.len) {

        for (i = 0; i < GS_CORRELATE_SEGMENT; i++) {
            if (gs_str_eq_text(&token.text, gs_correlate_kinds[i])
                && !(key && i == GS_CORRELATE_HIT))
            {
                field->kind = (gs_correlate_kind_e) i;
                return GS_OK;
            }
        }

    } else {
        rest = gs_str_make(token.text.data + colon + 1,
                           token.text.len - colon - 1);

        for (i = GS_CORRELATE_SEGMENT; gs_correlate_kinds[i] != NULL; i++) {

            if (!gs_correlate_name_ok(&rest)
                || colon + 1 > strlen(gs_correlate_kinds[i])
                || memcmp(token.text.data, gs_correlate_kinds[i], colon + 1)
                   != 0)
            {
                continue;
            }

            field->kind = (gs_correlate_kind_e) i;
            field->name = rest;

            if (i != GS_CORRELATE_SEGMENT) {
                return GS_OK;
            }

            minus = (rest.data[0] == '-');
            rest = gs_str_make(rest.data + minus, rest.len - minus);

            if (gs_parse_u64(&rest, &n) == GS_OK && n >= 1 && n <= 32) {
                field->number = minus ? -(int) n : (int) n;
                return GS_OK;
            }
        }
    }

    if (gs_str_eq_text(&token.text, gs_correlate_kinds[GS_CORRELATE_HIT])) {
        (void) gs_err(p->err, "\"rule\" can be counted, but is no key");

    } else {
        (void) gs_err(p->err, "unknown %s \"%S\"", key ? "key" : "field",
                      &token.text);
        gs_err_hint(p->err, &token.text, gs_correlate_kinds);
    }

    return gs_lex_fail(&p->lex, token.line);
}


/* The name of a field is written into a rule again, so no quotes. */

static unsigned
gs_correlate_name_ok(const gs_str_t *name)
{
    int     c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c)
            && strchr("-_.*[]@$", c) == NULL)
        {
            return 0;
        }
    }

    return name->len > 0 && name->len <= 64;
}


static gs_rc_t
gs_correlate_count_line(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    return gs_correlate_measure(p, d, GS_CORRELATE_COUNT,
                                GS_CORRELATE_COUNTS);
}


static gs_rc_t
gs_correlate_distinct(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    if (gs_correlate_field(p, &d->rule->of, 0) != GS_OK) {
        return GS_ERROR;
    }

    return gs_correlate_measure(p, d, GS_CORRELATE_UNIQUE,
                                GS_CORRELATE_DISTINCT);
}


static gs_rc_t
gs_correlate_sequence(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    if (gs_correlate_field(p, &d->rule->of, 0) != GS_OK) {
        return GS_ERROR;
    }

    return gs_correlate_measure(p, d, GS_CORRELATE_SEQUENCE,
                                GS_CORRELATE_COUNTS);
}


/* ">= N in TIME" */

static gs_rc_t
gs_correlate_measure(gs_guard_parser_t *p, gs_correlate_draft_t *d,
    gs_correlate_measure_e measure, uint64_t max)
{
    uint64_t              n;
    gs_lex_token_t        token;
    gs_correlate_plan_t  *plan;

    plan = &d->rule->plan;

    if (d->measured) {
        (void) gs_err(p->err, "correlation %u has more than one of count, "
                      "distinct, sequence, rate", plan->id);
        return gs_lex_fail(&p->lex, p->lex.line);
    }

    d->measured = 1;
    plan->measure = measure;

    if (gs_correlate_exactly(p, ">=") != GS_OK
        || gs_correlate_number(p, "number", 2, max, &n) != GS_OK
        || gs_correlate_exactly(p, "in") != GS_OK
        || gs_guard_word(p, &token, "a time") != GS_OK)
    {
        return GS_ERROR;
    }

    plan->at[0] = (uint32_t) n;

    if (gs_parse_msec(&token.text, &plan->window) != GS_OK
        || plan->window < 1000 || plan->window > GS_CORRELATE_WINDOW_MAX)
    {
        (void) gs_err(p->err, "invalid time \"%S\", allowed: 1s-7d",
                      &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    return gs_guard_parse_end(p, "the time");
}


/* "> 3x baseline=10m min=500r/s" */

static gs_rc_t
gs_correlate_rate(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    gs_str_t              number;
    uint64_t              n;
    gs_lex_token_t        token;
    gs_correlate_plan_t  *plan;

    plan = &d->rule->plan;

    if (d->measured) {
        (void) gs_err(p->err, "correlation %u has more than one of count, "
                      "distinct, sequence, rate", plan->id);
        return gs_lex_fail(&p->lex, p->lex.line);
    }

    if (gs_correlate_exactly(p, ">") != GS_OK
        || gs_guard_word(p, &token, "a factor") != GS_OK)
    {
        return GS_ERROR;
    }

    number = gs_str_make(token.text.data, token.text.len - 1);

    if (token.text.len < 2 || token.text.data[token.text.len - 1] != 'x'
        || gs_parse_u64(&number, &n) != GS_OK || n < 2 || n > 1000)
    {
        (void) gs_err(p->err, "invalid factor \"%S\", allowed: 2x-1000x",
                      &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    d->measured = 1;
    plan->measure = GS_CORRELATE_RATE;
    plan->window = 1000;
    plan->factor = (unsigned) n;
    plan->baseline = 600;

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_END && plan->at[0] != 0) {
            return GS_OK;
        }

        if (token.type != GS_LEX_WORD) {
            return gs_lex_unexpected(&p->lex, &token,
                                     "\"min=Nr/s\" or \"baseline=TIME\"");
        }

        if (gs_correlate_rate_option(p, plan, &token) != GS_OK) {
            return gs_lex_fail(&p->lex, token.line);
        }
    }
}


static gs_rc_t
gs_correlate_rate_option(gs_guard_parser_t *p, gs_correlate_plan_t *plan,
    const gs_lex_token_t *token)
{
    gs_str_t  value;
    uint64_t  n;

    static const gs_str_t     baseline = gs_string("baseline=");
    static const gs_str_t     min = gs_string("min=");
    static const gs_str_t     unit = gs_string("r/s");
    static const char *const  names[] = { "baseline=TIME", "min=Nr/s", NULL };

    if (gs_str_prefix(&token->text, &baseline)) {
        value = gs_str_make(token->text.data + baseline.len,
                            token->text.len - baseline.len);

        if (gs_parse_msec(&value, &n) == GS_OK && n >= 60000 && n <= 3600000)
        {
            plan->baseline = (unsigned) (n / 1000);
            return GS_OK;
        }

        return gs_err(p->err, "invalid baseline \"%S\", allowed: 1m-60m",
                      &value);
    }

    if (gs_str_prefix(&token->text, &min)
        && gs_str_suffix(&token->text, &unit))
    {
        value = gs_str_make(token->text.data + min.len,
                            token->text.len - min.len - unit.len);

        if (gs_parse_u64(&value, &n) == GS_OK && n >= 1
            && n <= GS_CORRELATE_COUNTS)
        {
            plan->at[0] = (uint32_t) n;
            return GS_OK;
        }

        return gs_err(p->err, "invalid rate \"%S\", allowed: 1r/s-%dr/s",
                      &value, GS_CORRELATE_COUNTS);
    }

    (void) gs_err(p->err, "invalid option \"%S\" of \"rate\"", &token->text);
    gs_err_hint(p->err, &token->text, names);

    return GS_ERROR;
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
gs_correlate_shared(gs_guard_parser_t *p, gs_correlate_draft_t *d)
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
            || gs_str_eq_text(&d->rule->instead.act.key, "network")))
    {
        (void) gs_err(p->err, "a shared exit cannot be banned");
        return gs_lex_fail(&p->lex, token.line);
    }

    return GS_OK;
}


static gs_rc_t
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


static gs_rc_t
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

    } else if (rule->shared != 0 && rule->key.kind > GS_CORRELATE_NETWORK) {
        fault = "\"shared\", but its key is not ip or network";
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
