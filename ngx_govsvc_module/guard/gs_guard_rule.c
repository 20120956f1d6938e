
/*
 * Copyright (C) govsvc authors
 *
 * Parser of rule files: rule ID NAME { ... } and include.
 */


#include "guard/gs_guard_priv.h"


static gs_rc_t gs_guard_parse_include(gs_guard_parser_t *p, unsigned line);
static gs_rc_t gs_guard_parse_rule(gs_guard_parser_t *p, unsigned line);
static gs_rc_t gs_guard_parse_line(gs_guard_parser_t *p,
    gs_guard_rule_t *rule, const gs_lex_token_t *word);
static gs_rc_t gs_guard_rule_check(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_rule_phases(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_rule_id(gs_guard_parser_t *p, uint32_t id,
    unsigned line);
static gs_rc_t gs_guard_ids_grow(gs_guard_build_t *build);
static void *gs_guard_pcre_alloc(PCRE2_SIZE size, void *data);
static void gs_guard_pcre_free(void *ptr, void *data);


static const char *const  gs_guard_words[] = {
    "rule", "correlate", "set", "pattern", "include", NULL
};


gs_guard_build_t *
gs_guard_build_create(gs_mem_t *mem, gs_guard_include_pt include,
    gs_guard_warn_pt warn, void *data)
{
    unsigned           i;
    gs_target_t       *target;
    gs_guard_build_t  *build;

    build = gs_calloc(mem, 1, sizeof(gs_guard_build_t));
    if (build == NULL) {
        return NULL;
    }

    build->mem = mem;
    build->include = include;
    build->warn = warn;
    build->data = data;

    build->rules.size = sizeof(gs_guard_rule_t);
    build->conds.size = sizeof(gs_cond_t);
    build->tests.size = sizeof(gs_guard_test_t);
    build->codes.size = sizeof(pcre2_code *);
    build->sets.size = sizeof(gs_set_t *);
    build->patterns.size = sizeof(gs_guard_pattern_t);
    build->correlates.size = sizeof(gs_correlate_rule_t);
    build->targets.size = sizeof(gs_target_t);

    for (i = 0; i < GS_KIND_FIXED; i++) {

        target = gs_guard_push(mem, &build->targets);
        if (target == NULL) {
            return NULL;
        }

        target->kind = (gs_kind_e) i;
        target->name = gs_str_make("", 0);
        target->text = gs_str_text(gs_guard_kind_text((gs_kind_e) i));
    }

    build->gctx = gs_guard_pcre_context(mem);

    if (build->gctx == NULL) {
        gs_free(mem, build);
        return NULL;
    }

    build->cctx = pcre2_compile_context_create(build->gctx);

    if (build->cctx == NULL) {
        gs_guard_build_destroy(build);
        gs_free(mem, build);
        return NULL;
    }

    return build;
}


void
gs_guard_build_load(gs_guard_build_t *build, gs_guard_load_pt load)
{
    build->load = load;
}


void
gs_guard_build_destroy(gs_guard_build_t *build)
{
    uint32_t      i;
    pcre2_code  **codes;

    if (build == NULL) {
        return;
    }

    codes = build->codes.data;

    for (i = 0; i < build->codes.n; i++) {
        pcre2_code_free(codes[i]);
    }

    build->codes.n = 0;

    pcre2_compile_context_free(build->cctx);
    build->cctx = NULL;

    pcre2_general_context_free(build->gctx);
    build->gctx = NULL;
}


pcre2_general_context *
gs_guard_pcre_context(gs_mem_t *mem)
{
    return pcre2_general_context_create(gs_guard_pcre_alloc,
                                        gs_guard_pcre_free, mem);
}


static void *
gs_guard_pcre_alloc(PCRE2_SIZE size, void *data)
{
    gs_mem_t *mem = data;

    return gs_alloc(mem, size);
}


static void
gs_guard_pcre_free(void *ptr, void *data)
{
    gs_mem_t *mem = data;

    gs_free(mem, ptr);
}


void *
gs_guard_push(gs_mem_t *mem, gs_guard_vec_t *vec)
{
    void      *data;
    uint32_t   nalloc;

    if (vec->n == vec->nalloc) {
        nalloc = (vec->nalloc == 0) ? 16 : vec->nalloc * 2;

        data = gs_calloc(mem, nalloc, vec->size);
        if (data == NULL) {
            return NULL;
        }

        if (vec->n > 0) {
            memcpy(data, vec->data, vec->n * vec->size);
        }

        gs_free(mem, vec->data);
        vec->data = data;
        vec->nalloc = nalloc;
    }

    return (gs_uchar_t *) vec->data + vec->size * vec->n++;
}


gs_rc_t
gs_guard_parse(gs_guard_build_t *build, const gs_str_t *file,
    const gs_str_t *text, gs_err_t *err)
{
    gs_rc_t            rc;
    gs_str_t           name;
    gs_lex_token_t     token;
    gs_guard_parser_t  p;

    p.build = build;
    p.err = err;

    name = gs_str_dup(build->mem, file);
    if (name.data == NULL) {
        return gs_err(err, "no memory");
    }

    gs_lex_init(&p.lex, build->mem, &name, text, err);

    for ( ;; ) {

        if (gs_lex_next(&p.lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_EOF) {
            return GS_OK;
        }

        if (token.type != GS_LEX_WORD) {
            return gs_lex_unexpected(&p.lex, &token, "\"rule\", "
                                     "\"correlate\", \"set\", "
                                     "\"pattern\" or \"include\"");
        }

        if (gs_str_eq_text(&token.text, "rule")) {
            rc = gs_guard_parse_rule(&p, token.line);

        } else if (gs_str_eq_text(&token.text, "correlate")) {
            rc = gs_correlate_parse(&p, token.line);

        } else if (gs_str_eq_text(&token.text, "set")) {
            rc = gs_guard_parse_set(&p, token.line);

        } else if (gs_str_eq_text(&token.text, "pattern")) {
            rc = gs_guard_parse_pattern(&p, token.line);

        } else if (gs_str_eq_text(&token.text, "include")) {
            rc = gs_guard_parse_include(&p, token.line);

        } else {
            (void) gs_err(err, "unknown word \"%S\"", &token.text);
            gs_err_hint(err, &token.text, gs_guard_words);
            return gs_lex_fail(&p.lex, token.line);
        }

        if (rc != GS_OK) {
            return GS_ERROR;
        }
    }
}


static gs_rc_t
gs_guard_parse_include(gs_guard_parser_t *p, unsigned line)
{
    gs_rc_t         rc;
    gs_lex_token_t  token;

    if (gs_lex_next(&p->lex, &token) != GS_OK) {
        return GS_ERROR;
    }

    if (token.type != GS_LEX_WORD || token.text.len == 0) {
        return gs_lex_unexpected(&p->lex, &token, "the name of a file");
    }

    if (gs_guard_parse_end(p, "the name of a file") != GS_OK) {
        return GS_ERROR;
    }

    if (p->build->include == NULL) {
        (void) gs_err(p->err, "\"include\" is not allowed here");
        return gs_lex_fail(&p->lex, line);
    }

    if (p->build->depth == GS_GUARD_MAX_DEPTH) {
        (void) gs_err(p->err, "\"include\" is nested more than %d deep",
                      GS_GUARD_MAX_DEPTH);
        return gs_lex_fail(&p->lex, line);
    }

    if (p->err != NULL) {
        p->err->line = 0;
    }

    p->build->depth++;
    rc = p->build->include(p->build->data, p->build, &p->lex.file,
                           &token.text, p->err);
    p->build->depth--;

    if (rc != GS_OK && p->err != NULL && p->err->line == 0) {
        return gs_lex_fail(&p->lex, line);
    }

    return rc;
}


static gs_rc_t
gs_guard_parse_rule(gs_guard_parser_t *p, unsigned line)
{
    gs_lex_token_t    token;
    gs_guard_rule_t   rule, *slot;

    memset(&rule, 0, sizeof(gs_guard_rule_t));
    rule.file = p->lex.file;
    rule.line = line;
    rule.cond = p->build->conds.n;
    rule.test = p->build->tests.n;
    rule.tag = gs_str_make("", 0);
    rule.reason = rule.tag;
    rule.category = rule.tag;
    rule.event = rule.tag;
    rule.level = 1;

    if (gs_guard_parse_head(p, &rule) != GS_OK) {
        return GS_ERROR;
    }

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

        if (gs_guard_parse_line(p, &rule, &token) != GS_OK) {
            return GS_ERROR;
        }
    }

    if (gs_guard_rule_check(p, &rule) != GS_OK) {
        return GS_ERROR;
    }

    slot = gs_guard_push(p->build->mem, &p->build->rules);

    if (slot == NULL) {
        (void) gs_err(p->err, "no memory");
        return gs_lex_fail(&p->lex, line);
    }

    *slot = rule;

    return gs_guard_rule_id(p, rule.id, line);
}


gs_rc_t
gs_guard_parse_head(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    uint64_t          id;
    gs_lex_token_t    token;

    if (gs_guard_word(p, &token, "the id of the rule") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_parse_u64(&token.text, &id) != GS_OK
        || id < GS_GUARD_ID_MIN || id > GS_GUARD_ID_MAX)
    {
        (void) gs_err(p->err, "invalid rule id \"%S\", allowed: %d-%d",
                      &token.text, GS_GUARD_ID_MIN, GS_GUARD_ID_MAX);
        return gs_lex_fail(&p->lex, token.line);
    }

    rule->id = (uint32_t) id;

    if (gs_guard_word(p, &token, "the name of the rule") != GS_OK) {
        return GS_ERROR;
    }

    if (!gs_guard_name_ok(&token.text)) {
        (void) gs_err(p->err, "invalid rule name \"%S\", allowed: up to 64 "
                      "letters, digits, \"-\", \"_\", \".\"", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    rule->name = token.text;

    if (gs_lex_next(&p->lex, &token) != GS_OK) {
        return GS_ERROR;
    }

    if (token.type != GS_LEX_OPEN) {
        return gs_lex_unexpected(&p->lex, &token, "\"{\"");
    }

    return GS_OK;
}


static gs_rc_t
gs_guard_parse_line(gs_guard_parser_t *p, gs_guard_rule_t *rule,
    const gs_lex_token_t *word)
{
    gs_rc_t  rc;

    if (gs_str_eq_text(&word->text, "match")) {
        return gs_guard_parse_match(p, rule, word->line);
    }

    if (gs_str_eq_text(&word->text, "test")) {
        return gs_guard_parse_tests(p, rule);
    }

    rc = gs_guard_parse_action(p, rule, word);

    if (rc != GS_DECLINED) {
        return rc;
    }

    (void) gs_err(p->err, "unknown word \"%S\" in rule %u", &word->text,
                  rule->id);
    gs_err_hint(p->err, &word->text, gs_guard_lines);

    return gs_lex_fail(&p->lex, word->line);
}


gs_rc_t
gs_guard_parse_tests(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    int               expected;
    gs_lex_token_t    token;
    gs_guard_test_t  *t;

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_END && rule->ntests > 0) {
            return GS_OK;
        }

        if (token.type != GS_LEX_PLUS && token.type != GS_LEX_MINUS) {
            return gs_lex_unexpected(&p->lex, &token,
                                     "+\"request\" or -\"request\"");
        }

        expected = (token.type == GS_LEX_PLUS);

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        t = gs_guard_push(p->build->mem, &p->build->tests);

        if (t == NULL) {
            (void) gs_err(p->err, "no memory");
            return gs_lex_fail(&p->lex, token.line);
        }

        t->line = token.line;
        t->expected = expected;
        t->text = token.text;
        rule->ntests++;
    }
}


gs_rc_t
gs_guard_word(gs_guard_parser_t *p, gs_lex_token_t *token, const char *what)
{
    if (gs_lex_next(&p->lex, token) != GS_OK) {
        return GS_ERROR;
    }

    if (token->type != GS_LEX_WORD) {
        return gs_lex_unexpected(&p->lex, token, what);
    }

    return GS_OK;
}


gs_rc_t
gs_guard_parse_end(gs_guard_parser_t *p, const char *after)
{
    gs_lex_token_t  token;

    if (gs_lex_next(&p->lex, &token) != GS_OK) {
        return GS_ERROR;
    }

    if (token.type == GS_LEX_END) {
        return GS_OK;
    }

    if (token.type == GS_LEX_EOF) {
        return gs_lex_unexpected(&p->lex, &token, "\";\"");
    }

    (void) gs_err(p->err, "unexpected \"%S\" behind %s, expecting \";\"",
                  &token.text, after);

    return gs_lex_fail(&p->lex, token.line);
}


gs_rc_t
gs_guard_no_memory(gs_guard_parser_t *p, unsigned line)
{
    (void) gs_err(p->err, "no memory");

    return gs_lex_fail(&p->lex, line);
}


static gs_rc_t
gs_guard_rule_check(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    if (rule->nconds == 0) {
        (void) gs_err(p->err, "rule %u has no \"match\"", rule->id);
        return gs_lex_fail(&p->lex, rule->line);
    }

    if (rule->action == GS_GUARD_PASS) {
        (void) gs_err(p->err, "rule %u has no action, allowed: log, block, "
                      "score, event, allow, ban, limit", rule->id);
        return gs_lex_fail(&p->lex, rule->line);
    }

    return gs_guard_rule_phases(p, rule);
}


/*
 * A rule is asked first when each of its conditions can be told, and again
 * in each later phase that brings more values.  That no value fulfils a
 * condition is known only when all have been seen.
 */

static gs_rc_t
gs_guard_rule_phases(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    uint32_t            i, k;
    unsigned            all, first, last, seen;
    const gs_cond_t    *conds;
    const gs_target_t  *targets;

    conds = (gs_cond_t *) p->build->conds.data + rule->cond;
    targets = p->build->targets.data;

    seen = 0;
    rule->first = 0;

    for (i = 0; i < rule->nconds; i++) {
        all = 0;

        for (k = 0; k < conds[i].ntargets; k++) {
            all |= gs_guard_kind_phases(targets[conds[i].targets[k]].kind);
        }

        first = (unsigned) __builtin_ctz(all);
        last = 31 - (unsigned) __builtin_clz(all);

        if (conds[i].negate) {
            first = last;

        } else {
            seen |= all;
        }

        rule->first = (first > rule->first) ? first : rule->first;
    }

    for (i = 0; rule->first >= GS_GUARD_ANSWER && i < rule->nconds; i++) {
        all = 0;

        for (k = 0; k < conds[i].ntargets; k++) {
            all |= (targets[conds[i].targets[k]].kind == GS_KIND_TOKEN)
                   ? ~0u
                   : gs_guard_kind_phases(targets[conds[i].targets[k]].kind);
        }

        if (all == 1u << GS_GUARD_BODY) {
            (void) gs_err(p->err, "rule %u looks at the body of the request "
                          "and at the answer", rule->id);
            return gs_lex_fail(&p->lex, conds[i].line);
        }
    }

    rule->phases = 1u << rule->first;
    rule->phases |= seen & ~(rule->phases - 1);

    if (rule->phase_given == 1 && rule->phases >= 1u << GS_GUARD_ANSWER) {
        (void) gs_err(p->err, "rule %u looks at the answer: phase response",
                      rule->id);
        return gs_lex_fail(&p->lex, rule->line);
    }

    if (rule->phase_given == 2 && rule->first < GS_GUARD_ANSWER) {
        (void) gs_err(p->err, "rule %u does not look at the answer: phase "
                      "request", rule->id);
        return gs_lex_fail(&p->lex, rule->line);
    }

    return GS_OK;
}


/* Thousands of rules: a table of ids, and not a search among all. */

static gs_rc_t
gs_guard_rule_id(gs_guard_parser_t *p, uint32_t id, unsigned line)
{
    uint32_t           slot;
    gs_guard_rule_t   *rules;
    gs_guard_build_t  *build;

    build = p->build;
    rules = build->rules.data;

    if (build->rules.n * 2 > build->nids && gs_guard_ids_grow(build) != GS_OK)
    {
        return gs_guard_no_memory(p, line);
    }

    slot = id * 2654435761u & (build->nids - 1);

    while (build->ids[slot] != 0) {

        if (rules[build->ids[slot] - 1].id == id
            && build->ids[slot] != build->rules.n)
        {
            (void) gs_err(p->err, "duplicate rule id %u, first in %S:%u", id,
                          &rules[build->ids[slot] - 1].file,
                          rules[build->ids[slot] - 1].line);
            return gs_lex_fail(&p->lex, line);
        }

        slot = (slot + 1) & (build->nids - 1);
    }

    build->ids[slot] = build->rules.n;

    return GS_OK;
}


static gs_rc_t
gs_guard_ids_grow(gs_guard_build_t *build)
{
    uint32_t          i, slot, n, *ids;
    gs_guard_rule_t  *rules;

    rules = build->rules.data;
    n = (build->nids == 0) ? 256 : build->nids * 2;

    ids = gs_calloc(build->mem, n, sizeof(uint32_t));
    if (ids == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i + 1 < build->rules.n; i++) {
        slot = rules[i].id * 2654435761u & (n - 1);

        while (ids[slot] != 0) {
            slot = (slot + 1) & (n - 1);
        }

        ids[slot] = i + 1;
    }

    gs_free(build->mem, build->ids);

    build->ids = ids;
    build->nids = n;

    return GS_OK;
}


int
gs_guard_name_ok(const gs_str_t *s)
{
    int     c;
    size_t  i;

    if (s->len == 0 || s->len > 64) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c)
            && c != '-' && c != '_' && c != '.')
        {
            return 0;
        }
    }

    return 1;
}


void
gs_guard_warn(gs_guard_parser_t *p, unsigned line, const char *text)
{
    if (p->build->warn != NULL) {
        p->build->warn(p->build->data, &p->lex.file, line, text);
    }
}
