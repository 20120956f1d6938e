
/*
 * Copyright (C) govsvc authors
 *
 * Parser of what stands behind an operator: texts, facts, numbers, sets.
 */


#include "guard/gs_guard_priv.h"


static gs_rc_t gs_guard_values(gs_guard_parser_t *p, gs_cond_t *cond);
static gs_rc_t gs_guard_value_word(gs_guard_parser_t *p, gs_cond_t *cond,
    gs_guard_vec_t *values, gs_guard_vec_t *then,
    const gs_lex_token_t *token);
static gs_rc_t gs_guard_flag_word(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token);
static gs_rc_t gs_guard_length(gs_guard_parser_t *p, gs_cond_t *cond);
static gs_rc_t gs_guard_number(gs_guard_parser_t *p, gs_cond_t *cond);
static gs_rc_t gs_guard_in(gs_guard_parser_t *p, gs_cond_t *cond);
static gs_rc_t gs_guard_in_set(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token);
static gs_set_e gs_guard_in_type(gs_guard_parser_t *p,
    const gs_cond_t *cond);
static int gs_guard_only(gs_guard_parser_t *p, const gs_cond_t *cond,
    gs_kind_e kind);
static gs_rc_t gs_guard_numbers(gs_guard_parser_t *p, const gs_cond_t *cond,
    const gs_str_t *texts, unsigned n, unsigned line);


/* In the order of the bits GS_FLAG_... */

static const char *const  gs_guard_flag_names[] = {
    "bad-utf8", "nul", "control", "bad-pct", "double-encoded", "overlong",
    "full-width", "zero-width", "unicode-escape", "over-limit",
    "unknown-charset", "mixed-charset", "utf16", "type-mismatch",
    "bad-encoding", "json-error", "json-depth", "json-duplicate",
    "multipart-error", "xml-error", "xml-doctype", "xml-entity",
    "too-many", "prose", "xml-tree", "xml-bomb", "repeated",
    "foreign-host", NULL
};


gs_rc_t
gs_guard_parse_values(gs_guard_parser_t *p, gs_cond_t *cond)
{
    switch (cond->op) {

    case GS_OP_EXISTS:
        return gs_guard_parse_end(p, "\"exists\"");

    case GS_OP_SQLI:
        return gs_guard_parse_end(p, "\"sqli\"");

    case GS_OP_XSS:
        return gs_guard_parse_end(p, "\"xss\"");

    case GS_OP_LENGTH:
        return gs_guard_length(p, cond);

    case GS_OP_LT:
    case GS_OP_LE:
    case GS_OP_GT:
    case GS_OP_GE:
        return gs_guard_number(p, cond);

    case GS_OP_IN:
        return gs_guard_in(p, cond);

    default:
        return gs_guard_values(p, cond);
    }
}


static gs_rc_t
gs_guard_values(gs_guard_parser_t *p, gs_cond_t *cond)
{
    gs_lex_token_t  token;
    gs_guard_vec_t  values, then;

    memset(&values, 0, sizeof(gs_guard_vec_t));
    memset(&then, 0, sizeof(gs_guard_vec_t));
    values.size = sizeof(gs_str_t);
    then.size = 1;

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

        if (gs_guard_value_word(p, cond, &values, &then, &token) != GS_OK) {
            return GS_ERROR;
        }
    }

    if (cond->op == GS_OP_PCRE && values.n > 1) {
        (void) gs_err(p->err, "\"pcre\" takes one pattern, %u given: quote "
                      "a pattern with spaces", values.n);
        return gs_lex_fail(&p->lex, cond->line);
    }

    if ((cond->op == GS_OP_EQ || cond->op == GS_OP_NE)
        && gs_guard_numbers(p, cond, values.data, values.n, cond->line)
           != GS_OK)
    {
        return GS_ERROR;
    }

    cond->values = values.data;
    cond->nvalues = values.n;
    cond->then = then.data;

    return GS_OK;
}


static gs_rc_t
gs_guard_value_word(gs_guard_parser_t *p, gs_cond_t *cond,
    gs_guard_vec_t *values, gs_guard_vec_t *then,
    const gs_lex_token_t *token)
{
    gs_str_t        *value;
    gs_uchar_t      *flag;
    gs_lex_token_t   next;

    if (token->text.len == 0) {
        (void) gs_err(p->err, "empty value in \"match\"");
        return gs_lex_fail(&p->lex, token->line);
    }

    if (cond->op == GS_OP_FLAG
        && gs_guard_flag_word(p, cond, token) != GS_OK)
    {
        return GS_ERROR;
    }

    value = gs_guard_push(p->build->mem, values);
    flag = gs_guard_push(p->build->mem, then);

    if (value == NULL || flag == NULL) {
        return gs_guard_no_memory(p, token->line);
    }

    *value = token->text;

    if (cond->op != GS_OP_LIT || values->n == 1
        || !gs_str_eq_text(&token->text, "then"))
    {
        return GS_OK;
    }

    if (gs_guard_word(p, &next, "a text behind \"then\"") != GS_OK) {
        return GS_ERROR;
    }

    if (next.text.len == 0) {
        (void) gs_err(p->err, "empty value in \"match\"");
        return gs_lex_fail(&p->lex, token->line);
    }

    *value = next.text;
    *flag = 1;

    return GS_OK;
}


static gs_rc_t
gs_guard_flag_word(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token)
{
    unsigned  i;

    for (i = 0; gs_guard_flag_names[i] != NULL; i++) {
        if (gs_str_eq_text(&token->text, gs_guard_flag_names[i])) {
            cond->flags |= (uint32_t) 1 << i;
            return GS_OK;
        }
    }

    (void) gs_err(p->err, "unknown flag \"%S\"", &token->text);
    gs_err_hint(p->err, &token->text, gs_guard_flag_names);

    return gs_lex_fail(&p->lex, token->line);
}


static gs_rc_t
gs_guard_length(gs_guard_parser_t *p, gs_cond_t *cond)
{
    unsigned        i;
    gs_lex_token_t  token;

    static const char *const  ops[] = { "<", "<=", ">", ">=", NULL };

    if (gs_guard_word(p, &token, "\"<\", \"<=\", \">\" or \">=\"") != GS_OK) {
        return GS_ERROR;
    }

    for (i = 0; ops[i] != NULL; i++) {
        if (gs_str_eq_text(&token.text, ops[i])) {
            cond->compare = (gs_op_e) (GS_OP_LT + i);
            return gs_guard_number(p, cond);
        }
    }

    (void) gs_err(p->err, "unknown comparison \"%S\"", &token.text);
    gs_err_hint(p->err, &token.text, ops);

    return gs_lex_fail(&p->lex, token.line);
}


static gs_rc_t
gs_guard_number(gs_guard_parser_t *p, gs_cond_t *cond)
{
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, "a number") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_parse_u64(&token.text, &cond->number) != GS_OK) {
        (void) gs_err(p->err, "invalid number \"%S\"", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    return gs_guard_parse_end(p, "the number");
}


static gs_rc_t
gs_guard_in(gs_guard_parser_t *p, gs_cond_t *cond)
{
    gs_set_t        *set;
    gs_guard_vec_t   items;
    gs_lex_token_t   token;

    if (gs_guard_word(p, &token, "$SET or elements") != GS_OK) {
        return GS_ERROR;
    }

    if (token.text.len > 1 && token.text.data[0] == '$') {
        return gs_guard_in_set(p, cond, &token);
    }

    set = gs_calloc(p->build->mem, 1, sizeof(gs_set_t));
    if (set == NULL) {
        return gs_guard_no_memory(p, token.line);
    }

    set->line = token.line;
    set->type = gs_guard_in_type(p, cond);

    memset(&items, 0, sizeof(gs_guard_vec_t));
    items.size = (set->type == GS_SET_CIDR) ? sizeof(gs_net_t)
                                            : sizeof(gs_str_t);

    while (token.type == GS_LEX_WORD) {

        if (gs_guard_set_add(p, &items, set->type, &token.text, token.line)
            != GS_OK
            || gs_lex_next(&p->lex, &token) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    if (token.type != GS_LEX_END) {
        return gs_lex_unexpected(&p->lex, &token, "\";\"");
    }

    cond->set = set;

    if (gs_guard_set_close(p, set, &items) != GS_OK) {
        return GS_ERROR;
    }

    return gs_guard_numbers(p, cond, set->items, set->nitems, set->line);
}


static gs_rc_t
gs_guard_in_set(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token)
{
    gs_str_t  name;

    name = gs_str_make(token->text.data + 1, token->text.len - 1);

    cond->set = gs_guard_set_find(p->build, &name);

    if (cond->set == NULL) {
        (void) gs_err(p->err, "unknown set \"%S\": it must stand before the "
                      "rule", &name);
        return gs_lex_fail(&p->lex, token->line);
    }

    if (gs_guard_numbers(p, cond, cond->set->items, cond->set->nitems,
                         token->line)
        != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_guard_parse_end(p, "the set");
}


/* What is written behind "in" is read as the targets are. */

static gs_set_e
gs_guard_in_type(gs_guard_parser_t *p, const gs_cond_t *cond)
{
    if (gs_guard_only(p, cond, GS_KIND_IP)) {
        return GS_SET_CIDR;
    }

    if (gs_guard_only(p, cond, GS_KIND_COUNTRY)) {
        return GS_SET_COUNTRY;
    }

    return GS_SET_LITERAL;
}


/* 1 where the condition looks at nothing else. */

static int
gs_guard_only(gs_guard_parser_t *p, const gs_cond_t *cond, gs_kind_e kind)
{
    unsigned            k;
    const gs_target_t  *targets;

    targets = p->build->targets.data;

    for (k = 0; k < cond->ntargets; k++) {
        if (targets[cond->targets[k]].kind != kind) {
            return 0;
        }
    }

    return cond->ntargets > 0;
}


/* As numbers are told to rules: nothing else would ever be equal. */

int
gs_guard_asn(const gs_str_t *text)
{
    uint64_t  n;

    return text->len > 0 && text->data[0] != '0'
           && gs_parse_u64(text, &n) == GS_OK && n <= UINT32_MAX;
}


/*
 * Texts compared with a number of an autonomous system must be such numbers:
 * "AS4134" would never be found.
 */

static gs_rc_t
gs_guard_numbers(gs_guard_parser_t *p, const gs_cond_t *cond,
    const gs_str_t *texts, unsigned n, unsigned line)
{
    unsigned  i;

    if (!gs_guard_only(p, cond, GS_KIND_ASN)) {
        return GS_OK;
    }

    for (i = 0; i < n; i++) {

        if (!gs_guard_asn(&texts[i])) {
            (void) gs_err(p->err, "invalid number \"%S\" of an autonomous "
                          "system, allowed: 1-4294967295, without \"AS\"",
                          &texts[i]);
            return gs_lex_fail(&p->lex, line);
        }
    }

    return GS_OK;
}
