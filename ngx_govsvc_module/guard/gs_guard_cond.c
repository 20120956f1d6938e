
/*
 * Copyright (C) govsvc authors
 *
 * Parser of one match line: targets, views, operator, values.
 */


#include "guard/gs_guard_priv.h"


static gs_rc_t gs_guard_match_options(gs_guard_parser_t *p, gs_cond_t *cond,
    gs_lex_token_t *token);
static gs_rc_t gs_guard_match_views(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_str_t *list, unsigned line);
static gs_rc_t gs_guard_match_op(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token);
static gs_rc_t gs_guard_match_words(gs_guard_parser_t *p, gs_cond_t *cond);
static gs_rc_t gs_guard_match_gates(gs_guard_parser_t *p, gs_cond_t *cond,
    unsigned n);
static gs_rc_t gs_guard_match_place(gs_guard_parser_t *p,
    gs_guard_rule_t *rule, const gs_cond_t *cond, unsigned same);


static const char *const  gs_guard_ops[] = {
    "lit", "eq", "ne", "prefix", "suffix", "pcre", "flag", "in", "exists",
    "length", "<", "<=", ">", ">=", "sqli", "xss", NULL
};


const char *const  gs_guard_view_names[] = {
    "raw", "url", "lower", "deep", "sqlc", "sh", "path", "b64", NULL
};


gs_rc_t
gs_guard_parse_match(gs_guard_parser_t *p, gs_guard_rule_t *rule,
    unsigned line)
{
    unsigned        same;
    gs_cond_t       cond;
    gs_lex_token_t  token;

    memset(&cond, 0, sizeof(gs_cond_t));
    cond.line = line;
    cond.rule = p->build->rules.n;

    if (gs_guard_word(p, &token, "a target") != GS_OK) {
        return GS_ERROR;
    }

    same = (unsigned) gs_str_eq_text(&token.text, "same");

    if (!same) {
        cond.views = 1u << GS_VIEW_URL;

        if (gs_guard_parse_targets(p, &cond, &token) != GS_OK) {
            return GS_ERROR;
        }
    }

    if (gs_guard_match_options(p, &cond, &token) != GS_OK
        || gs_guard_match_op(p, &cond, &token) != GS_OK
        || gs_guard_parse_values(p, &cond) != GS_OK)
    {
        return GS_ERROR;
    }

    if (cond.op == GS_OP_PCRE && gs_guard_parse_pcre(p, &cond) != GS_OK) {
        return GS_ERROR;
    }

    if (gs_guard_match_words(p, &cond) != GS_OK) {
        return GS_ERROR;
    }

    if (!same && cond.nwords == 0 && cond.op == GS_OP_PCRE) {
        gs_guard_warn(p, line, "no literal in the pattern: it is tried on "
                      "every value; a line \"lit\" before and \"match same "
                      "pcre\" make it cheap");
    }

    return gs_guard_match_place(p, rule, &cond, same);
}


/* "view=A,B" and "need BYTES", and the word behind them. */

static gs_rc_t
gs_guard_match_options(gs_guard_parser_t *p, gs_cond_t *cond,
    gs_lex_token_t *token)
{
    gs_str_t  list;

    static const gs_str_t  view = gs_string("view=");

    for ( ;; ) {

        if (gs_guard_word(p, token, "an operator") != GS_OK) {
            return GS_ERROR;
        }

        if (gs_str_prefix(&token->text, &view)) {
            list = gs_str_make(token->text.data + view.len,
                               token->text.len - view.len);

            if (gs_guard_match_views(p, cond, &list, token->line) != GS_OK) {
                return GS_ERROR;
            }

            continue;
        }

        if (!gs_str_eq_text(&token->text, "need")) {
            return GS_OK;
        }

        if (gs_guard_word(p, token, "the bytes needed") != GS_OK) {
            return GS_ERROR;
        }

        cond->need |= gs_guard_bytes_class(gs_guard_bytes(&token->text));

        if (cond->need == 0) {
            (void) gs_err(p->err, "\"need %S\" names no byte but letters and "
                          "digits", &token->text);
            return gs_lex_fail(&p->lex, token->line);
        }
    }
}


static gs_rc_t
gs_guard_match_views(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_str_t *list, unsigned line)
{
    size_t    from, to;
    unsigned  i;
    gs_str_t  name;

    cond->views = 0;

    for (from = 0; from <= list->len; from = to + 1) {
        to = gs_str_chr(list, from, ',');
        name = gs_str_make(list->data + from, to - from);

        for (i = 0; gs_guard_view_names[i] != NULL; i++) {
            if (gs_str_eq_text(&name, gs_guard_view_names[i])) {
                break;
            }
        }

        if (gs_guard_view_names[i] == NULL) {
            (void) gs_err(p->err, "unknown view \"%S\"", &name);
            gs_err_hint(p->err, &name, gs_guard_view_names);
            return gs_lex_fail(&p->lex, line);
        }

        cond->views |= 1u << i;
    }

    return GS_OK;
}


static gs_rc_t
gs_guard_match_op(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token)
{
    gs_str_t  name;
    unsigned  i;

    name = token->text;

    if (name.len > 0 && name.data[0] == '!') {
        cond->negate = 1;
        name = gs_str_make(name.data + 1, name.len - 1);
    }

    for (i = 0; gs_guard_ops[i] != NULL; i++) {
        if (gs_str_eq_text(&name, gs_guard_ops[i])) {
            cond->op = (gs_op_e) i;
            return GS_OK;
        }
    }

    (void) gs_err(p->err, "unknown operator \"%S\"", &token->text);
    gs_err_hint(p->err, &name, gs_guard_ops);

    return gs_lex_fail(&p->lex, token->line);
}


/*
 * The texts of which one occurs in every value that fulfils the condition;
 * of "a then b" the longest, and the others are looked for afterwards.
 */

static gs_rc_t
gs_guard_match_words(gs_guard_parser_t *p, gs_cond_t *cond)
{
    unsigned   i, n;
    gs_str_t  *word;

    if (cond->op != GS_OP_LIT && cond->op != GS_OP_EQ
        && cond->op != GS_OP_PREFIX && cond->op != GS_OP_SUFFIX)
    {
        return GS_OK;
    }

    cond->words = gs_calloc(p->build->mem, cond->nvalues, sizeof(gs_str_t));
    if (cond->words == NULL) {
        return gs_guard_no_memory(p, cond->line);
    }

    n = 0;
    word = NULL;

    for (i = 0; i < cond->nvalues; i++) {

        if (!cond->then[i] || word == NULL) {
            word = &cond->words[n++];
            *word = cond->values[i];

        } else if (cond->values[i].len > word->len) {
            *word = cond->values[i];
        }
    }

    cond->nwords = n;

    return (cond->op == GS_OP_LIT) ? gs_guard_match_gates(p, cond, n)
                                   : GS_OK;
}


/* The bytes of each text, and of those behind it. */

static gs_rc_t
gs_guard_match_gates(gs_guard_parser_t *p, gs_cond_t *cond, unsigned n)
{
    unsigned          i;
    gs_guard_gate_t  *gate;

    if (n > GS_GUARD_MAX_GATES) {
        return GS_OK;
    }

    cond->gates = gs_calloc(p->build->mem, n, sizeof(gs_guard_gate_t));
    if (cond->gates == NULL) {
        return gs_guard_no_memory(p, cond->line);
    }

    gate = cond->gates;

    for (i = 0; i < cond->nvalues; i++) {

        if (!cond->then[i] || i == 0) {
            gate = &cond->gates[cond->ngates++];
        }

        gate->all |= gs_guard_bytes(&cond->values[i])
                     & ~(GS_BYTE_UPPER|GS_BYTE_ODD);
    }

    return GS_OK;
}


static gs_rc_t
gs_guard_match_place(gs_guard_parser_t *p, gs_guard_rule_t *rule,
    const gs_cond_t *cond, unsigned same)
{
    gs_cond_t  *slot, *conds;

    if (!same) {
        slot = gs_guard_push(p->build->mem, &p->build->conds);
        if (slot == NULL) {
            return gs_guard_no_memory(p, cond->line);
        }

        *slot = *cond;
        rule->nconds++;

        return GS_OK;
    }

    if (rule->nconds == 0) {
        (void) gs_err(p->err, "\"match same\" needs a \"match\" before it");
        return gs_lex_fail(&p->lex, cond->line);
    }

    conds = p->build->conds.data;
    slot = &conds[rule->cond + rule->nconds - 1];

    if (slot->negate) {
        (void) gs_err(p->err, "\"match same\" cannot follow a negated "
                      "\"match\": no value stands for it");
        return gs_lex_fail(&p->lex, cond->line);
    }

    while (slot->same != NULL) {
        slot = slot->same;
    }

    slot->same = gs_alloc(p->build->mem, sizeof(gs_cond_t));
    if (slot->same == NULL) {
        return gs_guard_no_memory(p, cond->line);
    }

    *slot->same = *cond;

    return GS_OK;
}
