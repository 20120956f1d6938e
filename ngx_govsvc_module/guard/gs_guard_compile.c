
/*
 * Copyright (C) govsvc authors
 *
 * From parsed rules to the tables of a check: bitmaps over conditions for
 * each target, one automaton over all literals, a table of header names.
 */


#include "guard/gs_guard_priv.h"


static gs_rc_t gs_guard_tables(gs_guard_t *guard);
static void gs_guard_masks(gs_guard_t *guard);
static void gs_guard_standing(gs_guard_t *guard);
static gs_rc_t gs_guard_headers(gs_guard_t *guard, gs_err_t *err);
static gs_rc_t gs_guard_automaton(gs_guard_t *guard, gs_err_t *err);
static void gs_guard_info(const gs_guard_rule_t *rule,
    gs_guard_rule_info_t *info);


gs_rc_t
gs_guard_compile(gs_guard_t **out, gs_guard_build_t *build, gs_err_t *err)
{
    gs_guard_t  *guard;

    *out = NULL;

    guard = gs_calloc(build->mem, 1, sizeof(gs_guard_t));
    if (guard == NULL) {
        return gs_err(err, "no memory");
    }

    guard->build = build;
    guard->rules = build->rules.data;
    guard->nrules = build->rules.n;
    guard->conds = build->conds.data;
    guard->nconds = build->conds.n;

    /* at least one word, so that a set without rules needs no special case */

    guard->cond_words = guard->nconds / 64 + 1;
    guard->rule_words = guard->nrules / 64 + 1;

    if (gs_guard_tables(guard) != GS_OK) {
        return gs_err(err, "no memory");
    }

    gs_guard_masks(guard);
    gs_guard_standing(guard);

    if (gs_guard_headers(guard, err) != GS_OK
        || gs_guard_automaton(guard, err) != GS_OK)
    {
        return GS_ERROR;
    }

    *out = guard;

    return GS_OK;
}


void
gs_guard_destroy(gs_guard_t *guard)
{
    if (guard != NULL) {
        gs_guard_build_destroy(guard->build);
    }
}


static gs_rc_t
gs_guard_tables(gs_guard_t *guard)
{
    gs_mem_t  *mem;

    mem = guard->build->mem;

    guard->always = gs_calloc(mem, guard->cond_words, sizeof(uint64_t));
    guard->mask = gs_calloc(mem, (size_t) guard->cond_words
                                 * guard->build->ntargets, sizeof(uint64_t));
    guard->standing = gs_calloc(mem, guard->rule_words, sizeof(uint64_t));

    if (guard->always == NULL || guard->mask == NULL
        || guard->standing == NULL)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


/* A condition on all headers is one on every named header too. */

static void
gs_guard_masks(gs_guard_t *guard)
{
    uint32_t          i;
    uint64_t          bit, targets, named;
    unsigned          t;
    const gs_cond_t  *cond;

    named = 0;

    for (t = GS_TARGET_HEADERS; t < guard->build->ntargets; t++) {
        named |= (uint64_t) 1 << t;
    }

    for (i = 0; i < guard->nconds; i++) {
        cond = &guard->conds[i];
        bit = (uint64_t) 1 << i % 64;
        targets = cond->targets;

        if (targets & ((uint64_t) 1 << GS_TARGET_HEADERS)) {
            targets |= named;
        }

        for (t = 0; t < guard->build->ntargets; t++) {
            if (targets & ((uint64_t) 1 << t)) {
                guard->mask[t * guard->cond_words + i / 64] |= bit;
            }
        }

        guard->used |= targets;

        if (cond->nwords == 0) {
            guard->always[i / 64] |= bit;
            guard->eager |= targets;
        }
    }
}


static void
gs_guard_standing(gs_guard_t *guard)
{
    uint32_t  i, k, positive;

    for (i = 0; i < guard->nrules; i++) {
        positive = 0;

        for (k = 0; k < guard->rules[i].nconds; k++) {
            positive += !guard->conds[guard->rules[i].cond + k].negate;
        }

        if (positive == 0) {
            guard->standing[i / 64] |= (uint64_t) 1 << i % 64;
        }
    }
}


static gs_rc_t
gs_guard_headers(gs_guard_t *guard, gs_err_t *err)
{
    gs_str_t  name;
    unsigned  t, slot;

    for (t = GS_TARGET_NAMED; t < guard->build->ntargets; t++) {

        name = guard->build->targets[t];
        name.data += sizeof("header:") - 1;
        name.len -= sizeof("header:") - 1;

        slot = gs_guard_header_hash(&name);

        while (guard->slots[slot] != 0) {
            slot = (slot + 1) % GS_GUARD_SLOTS;
        }

        guard->slots[slot] = (gs_uchar_t) t;
    }

    return GS_OK;
}


unsigned
gs_guard_header_hash(const gs_str_t *name)
{
    if (name->len == 0) {
        return 0;
    }

    return (unsigned) (name->len * 31 + (name->data[0] | 0x20u) * 7
                       + (name->data[name->len - 1] | 0x20u) * 3
                       + (name->data[name->len / 2] | 0x20u))
           % GS_GUARD_SLOTS;
}


unsigned
gs_guard_header_target(const gs_guard_t *guard, const gs_str_t *name)
{
    gs_str_t  known;
    unsigned  t, slot;

    for (slot = gs_guard_header_hash(name);
         guard->slots[slot] != 0;
         slot = (slot + 1) % GS_GUARD_SLOTS)
    {
        t = guard->slots[slot];

        known = guard->build->targets[t];
        known.data += sizeof("header:") - 1;
        known.len -= sizeof("header:") - 1;

        if (gs_str_case_eq(name, &known)) {
            return t;
        }
    }

    return 0;
}


static gs_rc_t
gs_guard_automaton(gs_guard_t *guard, gs_err_t *err)
{
    gs_rc_t        rc;
    size_t         n;
    uint32_t       i, k;
    gs_ac_word_t  *words;

    n = 0;

    for (i = 0; i < guard->nconds; i++) {
        n += guard->conds[i].nwords;
    }

    words = gs_calloc(guard->build->mem, n + 1, sizeof(gs_ac_word_t));
    if (words == NULL) {
        return gs_err(err, "no memory");
    }

    n = 0;

    for (i = 0; i < guard->nconds; i++) {
        for (k = 0; k < guard->conds[i].nwords; k++) {
            words[n].text = guard->conds[i].words[k];
            words[n].id = i;
            n++;
        }
    }

    rc = gs_ac_compile(&guard->ac, guard->build->mem, guard->build->mem,
                       words, n, err);

    gs_free(guard->build->mem, words);

    return rc;
}


gs_rc_t
gs_guard_rule(const gs_guard_t *guard, unsigned n, gs_guard_rule_info_t *info)
{
    if (n >= guard->nrules) {
        return GS_DONE;
    }

    gs_guard_info(&guard->rules[n], info);

    return GS_OK;
}


gs_rc_t
gs_guard_rule_by_id(const gs_guard_t *guard, uint32_t id,
    gs_guard_rule_info_t *info)
{
    uint32_t  i;

    for (i = 0; i < guard->nrules; i++) {
        if (guard->rules[i].id == id) {
            gs_guard_info(&guard->rules[i], info);
            return GS_OK;
        }
    }

    return GS_DECLINED;
}


static void
gs_guard_info(const gs_guard_rule_t *rule, gs_guard_rule_info_t *info)
{
    info->id = rule->id;
    info->name = rule->name;
    info->tag = rule->tag;
    info->file = rule->file;
    info->line = rule->line;
    info->action = rule->action;
    info->ntests = rule->ntests;
}
