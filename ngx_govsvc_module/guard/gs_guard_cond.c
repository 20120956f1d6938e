
/*
 * Copyright (C) govsvc authors
 *
 * Parser of one match line: targets, operator, values, pattern.
 */


#include "guard/gs_guard_lit.h"
#include "guard/gs_guard_priv.h"


static gs_rc_t gs_guard_match_targets(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token, unsigned *same);
static gs_rc_t gs_guard_match_target(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_str_t *name, unsigned line);
static gs_rc_t gs_guard_match_header(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_str_t *name, unsigned line);
static gs_rc_t gs_guard_match_op(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token);
static gs_rc_t gs_guard_match_values(gs_guard_parser_t *p, gs_cond_t *cond);
static gs_rc_t gs_guard_match_value(gs_guard_parser_t *p, gs_cond_t *cond,
    gs_guard_vec_t *values, const gs_lex_token_t *token);
static gs_rc_t gs_guard_match_place(gs_guard_parser_t *p,
    gs_guard_rule_t *rule, const gs_cond_t *cond, unsigned same);
static pcre2_code *gs_guard_pcre(gs_guard_parser_t *p,
    const gs_str_t *pattern, int *rc, PCRE2_SIZE *offset);
static gs_rc_t gs_guard_memory(gs_guard_parser_t *p, unsigned line);


static const char *const  gs_guard_targets[] = {
    "method", "path", "uri", "query", "args", "arg_names", "header:NAME",
    "header:*", "same", NULL
};


static const char *const  gs_guard_ops[] = {
    "lit", "eq", "prefix", "suffix", "pcre", "flag", NULL
};


static const char *const  gs_guard_flag_names[] = {
    "bad-utf8", "nul", "control", NULL
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

    if (gs_lex_next(&p->lex, &token) != GS_OK) {
        return GS_ERROR;
    }

    if (token.type != GS_LEX_WORD) {
        return gs_lex_unexpected(&p->lex, &token, "a target");
    }

    if (gs_guard_match_targets(p, &cond, &token, &same) != GS_OK) {
        return GS_ERROR;
    }

    if (gs_lex_next(&p->lex, &token) != GS_OK) {
        return GS_ERROR;
    }

    if (token.type != GS_LEX_WORD) {
        return gs_lex_unexpected(&p->lex, &token, "an operator");
    }

    if (gs_guard_match_op(p, &cond, &token) != GS_OK
        || gs_guard_match_values(p, &cond) != GS_OK)
    {
        return GS_ERROR;
    }

    if (cond.op == GS_OP_PCRE && gs_guard_parse_pcre(p, &cond) != GS_OK) {
        return GS_ERROR;
    }

    if (cond.op != GS_OP_PCRE && cond.op != GS_OP_FLAG) {
        cond.words = cond.values;
        cond.nwords = cond.nvalues;
    }

    if (!same && cond.nwords == 0 && cond.op == GS_OP_PCRE) {
        gs_guard_warn(p, line, "no literal in the pattern: it is tried on "
                      "every value; a line \"lit\" before and \"match same "
                      "pcre\" make it cheap");
    }

    return gs_guard_match_place(p, rule, &cond, same);
}


static gs_rc_t
gs_guard_match_targets(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token, unsigned *same)
{
    size_t    from, to;
    gs_str_t  name;

    *same = (unsigned) gs_str_eq_text(&token->text, "same");

    if (*same) {
        return GS_OK;
    }

    for (from = 0; from <= token->text.len; from = to + 1) {
        to = gs_str_chr(&token->text, from, '|');
        name = gs_str_make(token->text.data + from, to - from);

        if (gs_guard_match_target(p, cond, &name, token->line) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_guard_match_target(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_str_t *name, unsigned line)
{
    unsigned  i;

    static const gs_str_t  header = gs_string("header:");

    for (i = 0; i < GS_TARGET_NAMED; i++) {
        if (gs_str_eq(name, &p->build->targets[i])) {
            cond->targets |= (uint64_t) 1 << i;
            return GS_OK;
        }
    }

    if (gs_str_prefix(name, &header) && name->len > header.len) {
        return gs_guard_match_header(p, cond, name, line);
    }

    (void) gs_err(p->err, "unknown target \"%S\"", name);
    gs_err_hint(p->err, name, gs_guard_targets);

    return gs_lex_fail(&p->lex, line);
}


static gs_rc_t
gs_guard_match_header(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_str_t *name, unsigned line)
{
    int                c;
    size_t             k;
    unsigned           i;
    gs_str_t           copy;
    gs_guard_build_t  *build;

    build = p->build;

    for (k = sizeof("header:") - 1; k < name->len; k++) {
        c = name->data[k];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_') {
            (void) gs_err(p->err, "invalid header name in target \"%S\", "
                          "allowed: letters, digits, \"-\", \"_\"", name);
            return gs_lex_fail(&p->lex, line);
        }
    }

    for (i = GS_TARGET_NAMED; i < build->ntargets; i++) {
        if (gs_str_case_eq(name, &build->targets[i])) {
            cond->targets |= (uint64_t) 1 << i;
            return GS_OK;
        }
    }

    if (build->ntargets == GS_GUARD_MAX_TARGETS) {
        (void) gs_err(p->err, "too many different header names, the limit "
                      "is %d", GS_GUARD_MAX_TARGETS - (int) GS_TARGET_NAMED);
        return gs_lex_fail(&p->lex, line);
    }

    copy = gs_str_dup(build->mem, name);
    if (copy.data == NULL) {
        return gs_guard_memory(p, line);
    }

    build->targets[build->ntargets] = copy;
    cond->targets |= (uint64_t) 1 << build->ntargets++;

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


static gs_rc_t
gs_guard_match_values(gs_guard_parser_t *p, gs_cond_t *cond)
{
    gs_lex_token_t  token;
    gs_guard_vec_t  values;

    memset(&values, 0, sizeof(gs_guard_vec_t));
    values.size = sizeof(gs_str_t);

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_END && values.n > 0) {
            break;
        }

        if (token.type != GS_LEX_WORD) {
            return gs_lex_unexpected(&p->lex, &token, "a value");
        }

        if (gs_guard_match_value(p, cond, &values, &token) != GS_OK) {
            return GS_ERROR;
        }
    }

    if (cond->op == GS_OP_PCRE && values.n > 1) {
        (void) gs_err(p->err, "\"pcre\" takes one pattern, %u given: quote "
                      "a pattern with spaces", values.n);
        return gs_lex_fail(&p->lex, cond->line);
    }

    cond->values = values.data;
    cond->nvalues = values.n;

    return GS_OK;
}


static gs_rc_t
gs_guard_match_value(gs_guard_parser_t *p, gs_cond_t *cond,
    gs_guard_vec_t *values, const gs_lex_token_t *token)
{
    unsigned   i;
    gs_str_t  *value;

    if (token->text.len == 0) {
        (void) gs_err(p->err, "empty value in \"match\"");
        return gs_lex_fail(&p->lex, token->line);
    }

    if (cond->op == GS_OP_FLAG) {

        for (i = 0; gs_guard_flag_names[i] != NULL; i++) {
            if (gs_str_eq_text(&token->text, gs_guard_flag_names[i])) {
                break;
            }
        }

        if (gs_guard_flag_names[i] == NULL) {
            (void) gs_err(p->err, "unknown flag \"%S\"", &token->text);
            gs_err_hint(p->err, &token->text, gs_guard_flag_names);
            return gs_lex_fail(&p->lex, token->line);
        }

        cond->flags |= 1u << i;
    }

    value = gs_guard_push(p->build->mem, values);
    if (value == NULL) {
        return gs_guard_memory(p, token->line);
    }

    *value = token->text;

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
            return gs_guard_memory(p, cond->line);
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
        return gs_guard_memory(p, cond->line);
    }

    *slot->same = *cond;

    return GS_OK;
}


gs_rc_t
gs_guard_parse_pcre(gs_guard_parser_t *p, gs_cond_t *cond)
{
    int               rc;
    PCRE2_SIZE        offset;
    PCRE2_UCHAR       text[128];
    pcre2_code      **slot;
    gs_guard_lits_t   lits;

    cond->code = gs_guard_pcre(p, &cond->values[0], &rc, &offset);

    if (cond->code == NULL) {
        if (pcre2_get_error_message(rc, text, sizeof(text)) < 0) {
            text[0] = '\0';
        }

        (void) gs_err(p->err, "invalid pattern \"%S\": %s at offset %zu",
                      &cond->values[0], (char *) text, (size_t) offset);
        return gs_lex_fail(&p->lex, cond->line);
    }

    slot = gs_guard_push(p->build->mem, &p->build->codes);
    if (slot == NULL) {
        pcre2_code_free(cond->code);
        return gs_guard_memory(p, cond->line);
    }

    *slot = cond->code;

    /* without JIT (no support, or forbidden by the system) it interprets */

    cond->jit = (pcre2_jit_compile(cond->code, PCRE2_JIT_COMPLETE) == 0);

    switch (gs_guard_literals(&lits, p->build->mem, &cond->values[0])) {

    case GS_OK:
        break;

    case GS_DECLINED:
        return GS_OK;

    default:
        return gs_guard_memory(p, cond->line);
    }

    cond->words = gs_calloc(p->build->mem, lits.n, sizeof(gs_str_t));
    if (cond->words == NULL) {
        return gs_guard_memory(p, cond->line);
    }

    memcpy(cond->words, lits.words, lits.n * sizeof(gs_str_t));
    cond->nwords = lits.n;

    return GS_OK;
}


/* Captures are of use only where the pattern refers back to them. */

static pcre2_code *
gs_guard_pcre(gs_guard_parser_t *p, const gs_str_t *pattern, int *rc,
    PCRE2_SIZE *offset)
{
    uint32_t     options;
    pcre2_code  *code;

    options = PCRE2_NEVER_UTF|PCRE2_NEVER_UCP|PCRE2_DOTALL;

    code = pcre2_compile(pattern->data, pattern->len,
                         options|PCRE2_NO_AUTO_CAPTURE, rc, offset,
                         p->build->cctx);
    if (code != NULL) {
        return code;
    }

    return pcre2_compile(pattern->data, pattern->len, options, rc, offset,
                         p->build->cctx);
}


static gs_rc_t
gs_guard_memory(gs_guard_parser_t *p, unsigned line)
{
    (void) gs_err(p->err, "no memory");
    return gs_lex_fail(&p->lex, line);
}
