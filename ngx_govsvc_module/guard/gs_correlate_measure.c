
/*
 * Copyright (C) govsvc authors
 *
 * Parser of what a correlation counts: its key, its fields, how many in which
 * time.
 */


#include "guard/gs_correlate_rule.h"


#define GS_CORRELATE_WINDOW_MAX  (7ull * 86400 * 1000)   /* ms */


static gs_rc_t gs_correlate_field(gs_guard_parser_t *p,
    gs_correlate_field_t *field, unsigned key);
static unsigned gs_correlate_name_ok(const gs_str_t *name);
static gs_rc_t gs_correlate_measure(gs_guard_parser_t *p,
    gs_correlate_draft_t *d, gs_correlate_measure_e measure, uint64_t max);
static gs_rc_t gs_correlate_rate_option(gs_guard_parser_t *p,
    gs_correlate_plan_t *plan, const gs_lex_token_t *token);


/* In the order of gs_correlate_kind_e; those with a number or name last. */

static const char *const  gs_correlate_kinds[] = {
    "ip", "network", "subject", "app", "caller", "site", "path", "object",
    "item", "province", "area", "asn", "rule", "segment:N", "arg:NAME",
    "header:NAME", "cookie:NAME", "json:PATH", NULL
};


gs_rc_t
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
                && i != (unsigned) (key ? GS_CORRELATE_HIT
                                        : GS_CORRELATE_CALLER))
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

    } else if (gs_str_eq_text(&token.text,
                              gs_correlate_kinds[GS_CORRELATE_CALLER]))
    {
        (void) gs_err(p->err, "\"caller\" is a key, but cannot be counted");

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


gs_rc_t
gs_correlate_count_line(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    return gs_correlate_measure(p, d, GS_CORRELATE_COUNT,
                                GS_CORRELATE_COUNTS);
}


gs_rc_t
gs_correlate_distinct(gs_guard_parser_t *p, gs_correlate_draft_t *d)
{
    if (gs_correlate_field(p, &d->rule->of, 0) != GS_OK) {
        return GS_ERROR;
    }

    return gs_correlate_measure(p, d, GS_CORRELATE_UNIQUE,
                                GS_CORRELATE_DISTINCT);
}


gs_rc_t
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

gs_rc_t
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
