
/*
 * Copyright (C) govsvc authors
 *
 * Sets: literal texts, networks, countries; inline or from a file of one
 * element a line.
 */


#include "guard/gs_guard_priv.h"

#include <stdlib.h>


static gs_rc_t gs_guard_set_type(gs_guard_parser_t *p, gs_set_t *set);
static gs_rc_t gs_guard_set_body(gs_guard_parser_t *p, gs_set_t *set,
    gs_guard_vec_t *items);
static gs_rc_t gs_guard_set_inline(gs_guard_parser_t *p, gs_set_t *set,
    gs_guard_vec_t *items);
static gs_rc_t gs_guard_set_file(gs_guard_parser_t *p, gs_set_t *set,
    gs_guard_vec_t *items, const gs_str_t *name, unsigned line);
static gs_rc_t gs_guard_set_net(gs_guard_parser_t *p, gs_guard_vec_t *items,
    const gs_str_t *text, unsigned line);
static int gs_guard_set_cmp(const void *a, const void *b);


static const char *const  gs_guard_set_types[] = {
    "literal", "cidr", "country", NULL
};


gs_rc_t
gs_guard_parse_set(gs_guard_parser_t *p, unsigned line)
{
    gs_set_t        *set, **slot;
    gs_guard_vec_t   items;
    gs_lex_token_t   token;

    if (gs_guard_word(p, &token, "the name of the set") != GS_OK) {
        return GS_ERROR;
    }

    if (!gs_guard_name_ok(&token.text)) {
        (void) gs_err(p->err, "invalid set name \"%S\", allowed: up to 64 "
                      "letters, digits, \"-\", \"_\", \".\"", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    if (gs_guard_set_find(p->build, &token.text) != NULL) {
        (void) gs_err(p->err, "duplicate set \"%S\"", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    set = gs_calloc(p->build->mem, 1, sizeof(gs_set_t));
    slot = gs_guard_push(p->build->mem, &p->build->sets);

    if (set == NULL || slot == NULL) {
        return gs_guard_no_memory(p, line);
    }

    *slot = set;
    set->name = token.text;
    set->line = line;

    if (gs_guard_set_type(p, set) != GS_OK) {
        return GS_ERROR;
    }

    memset(&items, 0, sizeof(gs_guard_vec_t));
    items.size = (set->type == GS_SET_CIDR) ? sizeof(gs_net_t)
                                            : sizeof(gs_str_t);

    if (gs_guard_set_body(p, set, &items) != GS_OK) {
        return GS_ERROR;
    }

    if (items.n == 0) {
        (void) gs_err(p->err, "set \"%S\" is empty", &set->name);
        return gs_lex_fail(&p->lex, line);
    }

    return gs_guard_set_close(p, set, &items);
}


gs_set_t *
gs_guard_set_find(const gs_guard_build_t *build, const gs_str_t *name)
{
    uint32_t    i;
    gs_set_t  **sets;

    sets = build->sets.data;

    for (i = 0; i < build->sets.n; i++) {
        if (sets[i] != NULL && gs_str_eq(&sets[i]->name, name)) {
            return sets[i];
        }
    }

    return NULL;
}


static gs_rc_t
gs_guard_set_type(gs_guard_parser_t *p, gs_set_t *set)
{
    unsigned        i;
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, "the type of the set") != GS_OK) {
        return GS_ERROR;
    }

    for (i = 0; gs_guard_set_types[i] != NULL; i++) {
        if (gs_str_eq_text(&token.text, gs_guard_set_types[i])) {
            set->type = (gs_set_e) i;
            return GS_OK;
        }
    }

    (void) gs_err(p->err, "unknown type \"%S\" of a set", &token.text);
    gs_err_hint(p->err, &token.text, gs_guard_set_types);

    return gs_lex_fail(&p->lex, token.line);
}


/* "file=NAME;" any number of times and then ";" or "{ a; b c; }". */

static gs_rc_t
gs_guard_set_body(gs_guard_parser_t *p, gs_set_t *set, gs_guard_vec_t *items)
{
    gs_str_t        name;
    gs_lex_token_t  token;

    static const gs_str_t  file = gs_string("file=");

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_END) {
            return GS_OK;
        }

        if (token.type == GS_LEX_OPEN) {
            return gs_guard_set_inline(p, set, items);
        }

        if (token.type != GS_LEX_WORD || !gs_str_prefix(&token.text, &file)
            || token.text.len == file.len)
        {
            return gs_lex_unexpected(&p->lex, &token,
                                     "\"file=NAME\", \"{\" or \";\"");
        }

        name = gs_str_make(token.text.data + file.len,
                           token.text.len - file.len);

        if (gs_guard_set_file(p, set, items, &name, token.line) != GS_OK) {
            return GS_ERROR;
        }
    }
}


static gs_rc_t
gs_guard_set_inline(gs_guard_parser_t *p, gs_set_t *set,
    gs_guard_vec_t *items)
{
    gs_lex_token_t  token;

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        switch (token.type) {

        case GS_LEX_CLOSE:
            return GS_OK;

        case GS_LEX_END:
            break;

        case GS_LEX_WORD:
            if (gs_guard_set_add(p, items, set->type, &token.text,
                                 token.line)
                != GS_OK)
            {
                return GS_ERROR;
            }

            break;

        default:
            return gs_lex_unexpected(&p->lex, &token,
                                     "an element of the set or \"}\"");
        }
    }
}


static gs_rc_t
gs_guard_set_file(gs_guard_parser_t *p, gs_set_t *set, gs_guard_vec_t *items,
    const gs_str_t *name, unsigned line)
{
    size_t    from, to, end;
    gs_str_t  text, item, copy;

    if (p->build->load == NULL) {
        (void) gs_err(p->err, "\"file=\" is not allowed here");
        return gs_lex_fail(&p->lex, line);
    }

    if (p->build->load(p->build->data, &p->lex.file, name, &text, p->err)
        != GS_OK)
    {
        return gs_lex_fail(&p->lex, line);
    }

    for (from = 0; from < text.len; from = end + 1) {

        end = gs_str_chr(&text, from, '\n');
        to = end;

        while (to > from && (text.data[to - 1] == '\r'
                             || text.data[to - 1] == ' '
                             || text.data[to - 1] == '\t'))
        {
            to--;
        }

        while (from < to && (text.data[from] == ' '
                             || text.data[from] == '\t'))
        {
            from++;
        }

        if (from == to || text.data[from] == '#') {
            continue;
        }

        item = gs_str_make(text.data + from, to - from);
        copy = gs_str_dup(p->build->mem, &item);

        if (copy.data == NULL) {
            return gs_guard_no_memory(p, line);
        }

        if (gs_guard_set_add(p, items, set->type, &copy, line) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


gs_rc_t
gs_guard_set_add(gs_guard_parser_t *p, gs_guard_vec_t *items, gs_set_e type,
    const gs_str_t *text, unsigned line)
{
    gs_str_t  *slot;

    if (text->len == 0) {
        (void) gs_err(p->err, "empty element of a set");
        return gs_lex_fail(&p->lex, line);
    }

    if (type == GS_SET_CIDR) {
        return gs_guard_set_net(p, items, text, line);
    }

    if (type == GS_SET_COUNTRY
        && (text->len != 2 || text->data[0] < 'A' || text->data[0] > 'Z'
            || text->data[1] < 'A' || text->data[1] > 'Z'))
    {
        (void) gs_err(p->err, "invalid country \"%S\", expecting two capital "
                      "letters of ISO 3166-1", text);
        return gs_lex_fail(&p->lex, line);
    }

    slot = gs_guard_push(p->build->mem, items);
    if (slot == NULL) {
        return gs_guard_no_memory(p, line);
    }

    *slot = *text;

    return GS_OK;
}


static gs_rc_t
gs_guard_set_net(gs_guard_parser_t *p, gs_guard_vec_t *items,
    const gs_str_t *text, unsigned line)
{
    gs_net_t   net;
    gs_net_t  *slot;

    if (gs_net_parse(&net, text) == GS_ERROR) {
        (void) gs_err(p->err, "invalid network \"%S\", expecting an address "
                      "or ADDRESS/BITS", text);
        return gs_lex_fail(&p->lex, line);
    }

    slot = gs_guard_push(p->build->mem, items);
    if (slot == NULL) {
        return gs_guard_no_memory(p, line);
    }

    *slot = net;

    return GS_OK;
}


gs_rc_t
gs_guard_set_close(gs_guard_parser_t *p, gs_set_t *set,
    gs_guard_vec_t *items)
{
    if (set->type == GS_SET_CIDR) {
        set->nets = gs_net_set_create(p->build->mem, items->data, items->n);

        return (set->nets == NULL) ? gs_guard_no_memory(p, set->line) : GS_OK;
    }

    set->items = items->data;
    set->nitems = items->n;

    qsort(set->items, set->nitems, sizeof(gs_str_t), gs_guard_set_cmp);

    return GS_OK;
}


static int
gs_guard_set_cmp(const void *a, const void *b)
{
    return gs_str_cmp(a, b);
}


int
gs_guard_set_has(const gs_set_t *set, const gs_str_t *value)
{
    int       cmp;
    uint32_t  low, high, mid;
    gs_net_t  net;

    if (set->type == GS_SET_CIDR) {
        return gs_net_parse(&net, value) != GS_ERROR
               && gs_net_set_has(set->nets, &net);
    }

    low = 0;
    high = set->nitems;

    while (low < high) {
        mid = low + (high - low) / 2;
        cmp = gs_str_cmp(value, &set->items[mid]);

        if (cmp == 0) {
            return 1;
        }

        if (cmp < 0) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    return 0;
}
