
/*
 * Copyright (C) govsvc authors
 *
 * Patterns: compiled, with what they need; those with a name once for all
 * rules that use it.  What is unwise in them is told where they are written.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_NESTED  16                /* groups that the lint follows */
#define GS_GUARD_HINTS   64                /* names that are compared */


static gs_rc_t gs_guard_pattern_use(gs_guard_parser_t *p, gs_cond_t *cond);
static gs_guard_pattern_t *gs_guard_pattern_find(
    const gs_guard_build_t *build, const gs_str_t *name);
static void gs_guard_pattern_hint(gs_guard_parser_t *p,
    const gs_str_t *name);
static gs_rc_t gs_guard_pattern_compile(gs_guard_parser_t *p,
    gs_cond_t *cond);
static gs_rc_t gs_guard_needs(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_guard_lits_t *lits);
static pcre2_code *gs_guard_pcre(gs_guard_parser_t *p,
    const gs_str_t *pattern, int *rc, PCRE2_SIZE *offset);
static pcre2_code *gs_guard_pcre_compile(gs_guard_parser_t *p,
    const gs_str_t *pattern, int *rc, PCRE2_SIZE *offset);
static void gs_guard_lint(gs_guard_parser_t *p, const gs_cond_t *cond);
static int gs_guard_unbounded(const gs_str_t *s, size_t i);
static size_t gs_guard_skip_class(const gs_str_t *s, size_t i);


gs_rc_t
gs_guard_parse_pattern(gs_guard_parser_t *p, unsigned line)
{
    gs_lex_token_t       token;
    gs_guard_pattern_t  *pattern;

    if (gs_guard_word(p, &token, "the name of the pattern") != GS_OK) {
        return GS_ERROR;
    }

    if (!gs_guard_name_ok(&token.text)) {
        (void) gs_err(p->err, "invalid pattern name \"%S\", allowed: up to 64 "
                      "letters, digits, \"-\", \"_\", \".\"", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    if (gs_guard_pattern_find(p->build, &token.text) != NULL) {
        (void) gs_err(p->err, "duplicate pattern \"%S\"", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    pattern = gs_guard_push(p->build->mem, &p->build->patterns);

    if (pattern == NULL) {
        return gs_guard_no_memory(p, line);
    }

    pattern->name = token.text;
    pattern->file = p->lex.file;
    pattern->line = line;

    if (gs_guard_word(p, &token, "the pattern") != GS_OK) {
        return GS_ERROR;
    }

    if (token.text.len == 0) {
        (void) gs_err(p->err, "pattern \"%S\" is empty", &pattern->name);
        return gs_lex_fail(&p->lex, token.line);
    }

    pattern->text = token.text;
    pattern->cond.op = GS_OP_PCRE;
    pattern->cond.line = line;
    pattern->cond.nvalues = 1;
    pattern->cond.values = &pattern->text;

    if (gs_guard_pattern_compile(p, &pattern->cond) != GS_OK) {
        return GS_ERROR;
    }

    /* the next pattern may move this one */

    pattern->cond.values = NULL;

    return gs_guard_parse_end(p, "the pattern");
}


/* Read as a pattern "$NAME" would ask for a text behind its end. */

gs_rc_t
gs_guard_parse_pcre(gs_guard_parser_t *p, gs_cond_t *cond)
{
    gs_str_t  *text, name;

    text = &cond->values[0];
    name = gs_str_make(text->data + 1, text->len - 1);

    if (text->data[0] == '$' && gs_guard_name_ok(&name)) {
        return gs_guard_pattern_use(p, cond);
    }

    return gs_guard_pattern_compile(p, cond);
}


static gs_rc_t
gs_guard_pattern_use(gs_guard_parser_t *p, gs_cond_t *cond)
{
    gs_str_t             name;
    gs_guard_pattern_t  *pattern;

    name = gs_str_make(cond->values[0].data + 1, cond->values[0].len - 1);
    pattern = gs_guard_pattern_find(p->build, &name);

    if (pattern == NULL) {
        (void) gs_err(p->err, "unknown pattern \"%S\": it must stand before "
                      "the rule", &name);
        gs_guard_pattern_hint(p, &name);
        return gs_lex_fail(&p->lex, cond->line);
    }

    pattern->uses++;

    cond->values[0] = pattern->text;
    cond->code = pattern->cond.code;
    cond->jit = pattern->cond.jit;
    cond->anchored = pattern->cond.anchored;
    cond->nwords = pattern->cond.nwords;
    cond->words = pattern->cond.words;
    cond->nears = pattern->cond.nears;
    cond->ngates = pattern->cond.ngates;
    cond->gates = pattern->cond.gates;

    return GS_OK;
}


static gs_guard_pattern_t *
gs_guard_pattern_find(const gs_guard_build_t *build, const gs_str_t *name)
{
    uint32_t             i;
    gs_guard_pattern_t  *patterns;

    patterns = build->patterns.data;

    for (i = 0; i < build->patterns.n; i++) {
        if (gs_str_eq(&patterns[i].name, name)) {
            return &patterns[i];
        }
    }

    return NULL;
}


static void
gs_guard_pattern_hint(gs_guard_parser_t *p, const gs_str_t *name)
{
    uint32_t             i;
    const char          *names[GS_GUARD_HINTS + 1];
    gs_guard_pattern_t  *patterns;

    patterns = p->build->patterns.data;

    for (i = 0; i < p->build->patterns.n && i < GS_GUARD_HINTS; i++) {
        names[i] = (const char *) patterns[i].name.data;
    }

    names[i] = NULL;
    gs_err_hint(p->err, name, names);
}


static gs_rc_t
gs_guard_pattern_compile(gs_guard_parser_t *p, gs_cond_t *cond)
{
    int               rc;
    uint32_t          options;
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
        return gs_guard_no_memory(p, cond->line);
    }

    *slot = cond->code;

    /* without JIT (no support, or forbidden by the system) it interprets */

    cond->jit = (pcre2_jit_compile(cond->code, PCRE2_JIT_COMPLETE
                                               |PCRE2_JIT_PARTIAL_HARD)
                 == 0);

    (void) pcre2_pattern_info(cond->code, PCRE2_INFO_ALLOPTIONS, &options);
    cond->anchored = ((options & PCRE2_ANCHORED) != 0);

    gs_guard_lint(p, cond);

    if (gs_guard_literals(&lits, p->build->mem, &cond->values[0])
        == GS_ERROR)
    {
        return gs_guard_no_memory(p, cond->line);
    }

    return gs_guard_needs(p, cond, &lits);
}


static gs_rc_t
gs_guard_needs(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_guard_lits_t *lits)
{
    unsigned  i;

    if (lits->n > 0) {
        cond->words = gs_calloc(p->build->mem, lits->n, sizeof(gs_str_t));
        cond->nears = gs_calloc(p->build->mem, (size_t) lits->n * 2,
                                sizeof(gs_ac_near_t *));

        if (cond->words == NULL || cond->nears == NULL) {
            return gs_guard_no_memory(p, cond->line);
        }

        for (i = 0; i < lits->n; i++) {
            cond->words[i] = lits->words[i];

            if (lits->before[i] != 0) {
                cond->nears[i * 2] = &lits->nears[lits->before[i]];
            }

            if (lits->after[i] != 0) {
                cond->nears[i * 2 + 1] = &lits->nears[lits->after[i]];
            }
        }

        cond->nwords = lits->n;
    }

    if (lits->ngates > 0) {
        cond->gates = gs_calloc(p->build->mem, lits->ngates,
                                sizeof(gs_guard_gate_t));
        if (cond->gates == NULL) {
            return gs_guard_no_memory(p, cond->line);
        }

        memcpy(cond->gates, lits->gates,
               lits->ngates * sizeof(gs_guard_gate_t));
        cond->ngates = lits->ngates;
    }

    return GS_OK;
}


/*
 * A long value is tried in pieces, and what "(*SKIP)(*FAIL)" leaves out may end
 * in another one, "(*COMMIT)(*FAIL)" leaves out all of them: they become
 * matches with a mark, of the same length.
 */

static pcre2_code *
gs_guard_pcre(gs_guard_parser_t *p, const gs_str_t *pattern, int *rc,
    PCRE2_SIZE *offset)
{
    size_t       i, k;
    gs_str_t     text, rest;
    pcre2_code  *code;

    static const gs_str_t  verbs[] = {
        gs_string("(*SKIP)(*FAIL)"), gs_string("(*COMMIT)(*FAIL)")
    };

    static const gs_str_t  marks[] = {
        gs_string("(*:" GS_GUARD_SKIP ")(*ACCEPT)"),
        gs_string("(*:" GS_GUARD_COMMIT ")(*ACCEPT)")
    };

    text.len = pattern->len;
    text.data = gs_alloc(p->build->mem, pattern->len + 1);

    if (text.data == NULL) {
        *rc = PCRE2_ERROR_NOMEMORY;
        *offset = 0;
        return NULL;
    }

    memcpy((gs_uchar_t *) text.data, pattern->data, pattern->len);

    for (i = 0; i < text.len; i++) {
        rest = gs_str_make(text.data + i, text.len - i);

        for (k = 0; k < sizeof(verbs) / sizeof(verbs[0]); k++) {
            if (gs_str_prefix(&rest, &verbs[k])) {
                memcpy((gs_uchar_t *) text.data + i, marks[k].data,
                       marks[k].len);
            }
        }
    }

    code = gs_guard_pcre_compile(p, &text, rc, offset);
    gs_free(p->build->mem, (gs_uchar_t *) text.data);

    return code;
}


/* Captures are of use only where the pattern refers back to them. */

static pcre2_code *
gs_guard_pcre_compile(gs_guard_parser_t *p, const gs_str_t *pattern, int *rc,
    PCRE2_SIZE *offset)
{
    uint32_t     options;
    pcre2_code  *code;

    options = PCRE2_NEVER_UTF|PCRE2_NEVER_UCP|PCRE2_DOTALL
              |PCRE2_USE_OFFSET_LIMIT;

    code = pcre2_compile(pattern->data, pattern->len,
                         options|PCRE2_NO_AUTO_CAPTURE, rc, offset,
                         p->build->cctx);
    if (code != NULL) {
        return code;
    }

    return pcre2_compile(pattern->data, pattern->len, options, rc, offset,
                         p->build->cctx);
}


/*
 * Patterns whose time may explode: a repeat without end around another, or
 * two ".*" in one run.  What the match limit cuts is a hit, so they are
 * told where they are written.
 */

static void
gs_guard_lint(gs_guard_parser_t *p, const gs_cond_t *cond)
{
    int              c;
    size_t           i;
    unsigned         depth, dots;
    const gs_str_t  *s;
    unsigned char    inner[GS_GUARD_NESTED];

    s = &cond->values[0];
    depth = 0;
    dots = 0;
    inner[0] = 0;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (c == '\\') {
            i++;

        } else if (c == '[') {
            i = gs_guard_skip_class(s, i);

        } else if (c == '(') {
            if (++depth == GS_GUARD_NESTED) {
                return;
            }

            inner[depth] = 0;
            continue;

        } else if (c == '|') {
            dots = 0;
            continue;

        } else if (c == ')' && depth > 0) {

            if (gs_guard_unbounded(s, i + 1) && inner[depth]) {
                gs_guard_warn(p, cond->line, "a repeat without end around "
                              "another: the pattern may meet its match "
                              "limit");
                return;
            }

            depth--;
            inner[depth] |= inner[depth + 1];
        }

        if (!gs_guard_unbounded(s, i + 1)) {
            continue;
        }

        inner[depth] = 1;

        if (c == '.' && ++dots == 2) {
            gs_guard_warn(p, cond->line, "\".*\" twice in one pattern: bound "
                          "it as in \".{0,40}\"");
            return;
        }
    }
}


/* Of "*", "+", "{n,}"; not of the possessive ones, which never go back. */

static int
gs_guard_unbounded(const gs_str_t *s, size_t i)
{
    size_t  end;

    if (i >= s->len) {
        return 0;
    }

    if (s->data[i] == '*' || s->data[i] == '+') {
        return i + 1 == s->len || s->data[i + 1] != '+';
    }

    if (s->data[i] != '{') {
        return 0;
    }

    end = gs_str_chr(s, i, '}');

    return end < s->len && s->data[end - 1] == ','
           && (end + 1 == s->len || s->data[end + 1] != '+');
}


static size_t
gs_guard_skip_class(const gs_str_t *s, size_t i)
{
    i++;

    if (i < s->len && s->data[i] == '^') {
        i++;
    }

    if (i < s->len && s->data[i] == ']') {
        i++;
    }

    for ( /* void */ ; i < s->len && s->data[i] != ']'; i++) {

        if (s->data[i] == '\\') {
            i++;
        }
    }

    return i;
}
