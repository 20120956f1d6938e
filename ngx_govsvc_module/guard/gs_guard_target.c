
/*
 * Copyright (C) govsvc authors
 *
 * Targets by name: what a rule may look at, and when it is there to be seen.
 */


#include "guard/gs_guard_priv.h"


#define GS_IN_HEAD    (1u << GS_GUARD_HEAD)
#define GS_IN_BODY    (1u << GS_GUARD_BODY)
#define GS_IN_ANSWER  (1u << GS_GUARD_ANSWER)
#define GS_IN_TEXT    (1u << GS_GUARD_ANSWER_BODY)


typedef struct {
    const char  *name;                     /* ends with ":" if it takes one */
    unsigned     phases;
} gs_guard_kind_t;


static gs_rc_t gs_guard_parse_target(gs_guard_parser_t *p,
    gs_guard_vec_t *found, const gs_str_t *text, unsigned line);
static gs_rc_t gs_guard_parse_kind(gs_guard_parser_t *p,
    gs_guard_vec_t *found, gs_kind_e kind, const gs_str_t *name,
    const gs_str_t *text, unsigned line);
static gs_rc_t gs_guard_target_name(gs_guard_parser_t *p, gs_kind_e kind,
    const gs_str_t *name, const gs_str_t *text, unsigned line);


/* In the order of gs_kind_e. */

static const gs_guard_kind_t  gs_guard_kinds[] = {
    { "method", GS_IN_HEAD },
    { "path", GS_IN_HEAD },
    { "segments", GS_IN_HEAD },
    { "uri", GS_IN_HEAD },
    { "query", GS_IN_HEAD },
    { "args", GS_IN_HEAD },
    { "arg_names", GS_IN_HEAD },
    { "headers", GS_IN_HEAD },
    { "header_names", GS_IN_HEAD },
    { "cookies", GS_IN_HEAD },
    { "ip", GS_IN_HEAD },
    { "geo.country", GS_IN_HEAD },
    { "geo.province", GS_IN_HEAD },
    { "asn", GS_IN_HEAD },
    { "head", GS_IN_HEAD },
    { "body", GS_IN_BODY },
    { "form", GS_IN_BODY },
    { "form_names", GS_IN_BODY },
    { "json", GS_IN_BODY },
    { "json_keys", GS_IN_BODY },
    { "xml", GS_IN_BODY },
    { "files.name", GS_IN_BODY },
    { "files.type", GS_IN_BODY },
    { "files.head", GS_IN_BODY },
    { "status", GS_IN_ANSWER },
    { "resp_body", GS_IN_TEXT },
    { "arg:", GS_IN_HEAD|GS_IN_BODY },
    { "header:", GS_IN_HEAD },
    { "cookie:", GS_IN_HEAD },
    { "json:", GS_IN_BODY },
    { "token.", GS_IN_BODY },
    { "resp_header:", GS_IN_ANSWER }
};


/* Groups, so that a rule need not list what all rules of a class list. */

static const gs_kind_e  gs_guard_inputs[] = {
    GS_KIND_ARGS, GS_KIND_ARG_NAMES, GS_KIND_COOKIES, GS_KIND_FORM,
    GS_KIND_FORM_NAMES, GS_KIND_JSON_ALL, GS_KIND_JSON_KEYS, GS_KIND_XML,
    GS_KIND_FILE_NAMES
};


static const char *const  gs_guard_target_names[] = {
    "method", "path", "segments", "uri", "query", "args", "arg_names",
    "arg:NAME", "headers", "header_names", "header:NAME", "header:*",
    "cookies", "cookie:NAME", "ip", "geo.country", "geo.province", "asn",
    "head", "body", "form", "form_names", "json", "json:PATH", "json_keys",
    "xml", "files.name", "files.type", "files.head", "token.CLAIM", "status",
    "resp_header:NAME", "resp_body", "inputs", "same", NULL
};


gs_kind_e
gs_guard_kind(const gs_str_t *text, gs_str_t *name)
{
    size_t    len;
    unsigned  i;
    gs_str_t  head;

    *name = gs_str_make("", 0);

    if (gs_str_eq_text(text, "header:*")) {
        return GS_KIND_HEADERS;
    }

    for (i = 0; i < GS_KIND_FIXED; i++) {
        if (gs_str_eq_text(text, gs_guard_kinds[i].name)) {
            return (gs_kind_e) i;
        }
    }

    for (i = GS_KIND_FIXED; i < GS_KIND_LAST; i++) {
        len = strlen(gs_guard_kinds[i].name);

        if (text->len <= len) {
            continue;
        }

        head = gs_str_make(text->data, len);

        if (gs_str_eq_text(&head, gs_guard_kinds[i].name)) {
            *name = gs_str_make(text->data + len, text->len - len);
            return (gs_kind_e) i;
        }
    }

    return GS_KIND_LAST;
}


const char *
gs_guard_kind_text(gs_kind_e kind)
{
    return gs_guard_kinds[kind].name;
}


/* As one writes the target of one field: "arg", before ":" and its name. */

const char *
gs_guard_kind_word(gs_kind_e kind, int named)
{
    if (named) {

        switch (kind) {

        case GS_KIND_ARGS:
            return "arg";

        case GS_KIND_HEADERS:
            return "header";

        case GS_KIND_COOKIES:
            return "cookie";

        case GS_KIND_TOKEN:
            return "token";

        case GS_KIND_RESP_HEADER:
            return "resp_header";

        default:
            break;
        }
    }

    return gs_guard_kinds[kind].name;
}


unsigned
gs_guard_kind_phases(gs_kind_e kind)
{
    return gs_guard_kinds[kind].phases;
}


gs_rc_t
gs_guard_parse_targets(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token)
{
    size_t          from, to;
    unsigned        i;
    gs_str_t        text, none;
    gs_guard_vec_t  found;

    memset(&found, 0, sizeof(gs_guard_vec_t));
    found.size = sizeof(uint16_t);

    none = gs_str_make("", 0);

    for (from = 0; from <= token->text.len; from = to + 1) {
        to = gs_str_chr(&token->text, from, '|');
        text = gs_str_make(token->text.data + from, to - from);

        if (!gs_str_eq_text(&text, "inputs")) {
            if (gs_guard_parse_target(p, &found, &text, token->line)
                != GS_OK)
            {
                return GS_ERROR;
            }

            continue;
        }

        for (i = 0; i < sizeof(gs_guard_inputs) / sizeof(gs_kind_e); i++) {
            if (gs_guard_parse_kind(p, &found, gs_guard_inputs[i], &none,
                                    &text, token->line)
                != GS_OK)
            {
                return GS_ERROR;
            }
        }
    }

    cond->targets = found.data;
    cond->ntargets = found.n;

    return GS_OK;
}


static gs_rc_t
gs_guard_parse_target(gs_guard_parser_t *p, gs_guard_vec_t *found,
    const gs_str_t *text, unsigned line)
{
    gs_str_t   name;
    gs_kind_e  kind;

    kind = gs_guard_kind(text, &name);

    if (kind == GS_KIND_LAST) {
        (void) gs_err(p->err, "unknown target \"%S\"", text);
        gs_err_hint(p->err, text, gs_guard_target_names);
        return gs_lex_fail(&p->lex, line);
    }

    if (gs_guard_target_name(p, kind, &name, text, line) != GS_OK) {
        return GS_ERROR;
    }

    return gs_guard_parse_kind(p, found, kind, &name, text, line);
}


static gs_rc_t
gs_guard_target_name(gs_guard_parser_t *p, gs_kind_e kind,
    const gs_str_t *name, const gs_str_t *text, unsigned line)
{
    int     c;
    size_t  i;

    if (kind == GS_KIND_JSON && !gs_guard_json_path(name)) {
        (void) gs_err(p->err, "invalid path in target \"%S\", expecting "
                      "\"a.b[*].c\" or \"*.KEY\"", text);
        return gs_lex_fail(&p->lex, line);
    }

    if (kind != GS_KIND_HEADER && kind != GS_KIND_RESP_HEADER) {
        return GS_OK;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_') {
            (void) gs_err(p->err, "invalid header name in target \"%S\", "
                          "allowed: letters, digits, \"-\", \"_\"", text);
            return gs_lex_fail(&p->lex, line);
        }
    }

    return GS_OK;
}


/* Brackets hold nothing but "*", and no name is empty. */

int
gs_guard_json_path(const gs_str_t *name)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {

        if (name->data[i] == '['
            && (name->len - i < 3 || name->data[i + 1] != '*'
                || name->data[i + 2] != ']'
                || (name->len - i > 3 && name->data[i + 3] != '.'
                    && name->data[i + 3] != '[')))
        {
            return 0;
        }

        if (name->data[i] == '.'
            && (i == 0 || i + 1 == name->len || name->data[i + 1] == '.'))
        {
            return 0;
        }
    }

    return 1;
}


/* The target of the build, a new one if need be, into the list of a cond. */

static gs_rc_t
gs_guard_parse_kind(gs_guard_parser_t *p, gs_guard_vec_t *found,
    gs_kind_e kind, const gs_str_t *name, const gs_str_t *text,
    unsigned line)
{
    uint32_t      i, k;
    uint16_t     *slot, *have;
    gs_target_t  *targets;

    targets = p->build->targets.data;

    for (i = 0; i < p->build->targets.n; i++) {
        if (targets[i].kind == kind
            && gs_guard_name_eq(kind, &targets[i].name, name))
        {
            break;
        }
    }

    if (i == GS_GUARD_MAX_TARGETS) {
        (void) gs_err(p->err, "too many different targets, the limit is %d",
                      GS_GUARD_MAX_TARGETS);
        return gs_lex_fail(&p->lex, line);
    }

    if (i == p->build->targets.n) {
        targets = gs_guard_push(p->build->mem, &p->build->targets);
        if (targets == NULL) {
            return gs_guard_no_memory(p, line);
        }

        targets->kind = kind;
        targets->name = gs_str_dup(p->build->mem, name);
        targets->text = gs_str_dup(p->build->mem, text);

        if (targets->name.data == NULL || targets->text.data == NULL) {
            return gs_guard_no_memory(p, line);
        }
    }

    have = found->data;

    for (k = 0; k < found->n; k++) {
        if (have[k] == i) {
            return GS_OK;
        }
    }

    slot = gs_guard_push(p->build->mem, found);
    if (slot == NULL) {
        return gs_guard_no_memory(p, line);
    }

    *slot = (uint16_t) i;

    return GS_OK;
}


/* Names of headers are case-blind, others are not. */

int
gs_guard_name_eq(gs_kind_e kind, const gs_str_t *a, const gs_str_t *b)
{
    if (kind == GS_KIND_HEADER || kind == GS_KIND_RESP_HEADER) {
        return gs_str_case_eq(a, b);
    }

    return gs_str_eq(a, b);
}


uint32_t
gs_guard_name_hash(gs_kind_e kind, const gs_str_t *name)
{
    size_t    i;
    uint32_t  h;

    h = 2166136261u ^ (uint32_t) kind;

    for (i = 0; i < name->len; i++) {
        h = (h ^ (name->data[i] | 0x20u)) * 16777619u;
    }

    return h ^ h >> 15;
}


unsigned
gs_guard_target(const gs_guard_t *guard, gs_kind_e kind, const gs_str_t *name)
{
    unsigned            t;
    uint32_t            slot;
    const gs_target_t  *target;

    if (name->len == 0
        || (guard->lengths[kind - GS_KIND_FIXED]
            & (uint32_t) 1 << name->len % 32) == 0)
    {
        return 0;
    }

    for (slot = gs_guard_name_hash(kind, name) & guard->mask;
         guard->names[slot] != 0;
         slot = (slot + 1) & guard->mask)
    {
        t = guard->names[slot];
        target = &guard->targets[t];

        if (target->kind == kind
            && gs_guard_name_eq(kind, &target->name, name))
        {
            return t;
        }
    }

    return 0;
}
