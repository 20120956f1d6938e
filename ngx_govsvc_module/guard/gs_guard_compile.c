
/*
 * Copyright (C) govsvc authors
 *
 * From parsed rules to the tables of a check: bitmaps over conditions for
 * each target, one automaton over all literals, a table of header names.
 */


#include "guard/gs_guard_priv.h"


static uint32_t gs_guard_slots(gs_guard_t *guard);
static void gs_guard_marks(gs_cond_t *cond);
static gs_rc_t gs_guard_tables(gs_guard_t *guard);
static gs_rc_t gs_guard_phase_tables(gs_guard_t *guard, unsigned n);
static void gs_guard_conds(gs_guard_t *guard);
static gs_rc_t gs_guard_rows(gs_guard_t *guard);
static gs_rc_t gs_guard_cond_rows(gs_guard_t *guard,
    const gs_guard_rule_t *rule, uint32_t index, unsigned n);
static gs_rc_t gs_guard_row(gs_guard_t *guard, gs_guard_phase_t *ph,
    unsigned target, uint32_t index);
static uint64_t gs_guard_eager_need(const gs_cond_t *cond);
static void gs_guard_standing(gs_guard_t *guard);
static gs_rc_t gs_guard_names(gs_guard_t *guard);
static gs_rc_t gs_guard_automaton(gs_guard_t *guard, gs_err_t *err);
static size_t gs_guard_automaton_words(gs_ac_word_t *words, size_t n,
    const gs_cond_t *cond);
static void gs_guard_info(const gs_guard_t *guard,
    const gs_guard_rule_t *rule, gs_guard_rule_info_t *info);


gs_rc_t
gs_guard_compile(gs_guard_t **out, gs_guard_build_t *build, gs_err_t *err)
{
    gs_guard_t         *guard;
    gs_guard_tuning_t   tuning;

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
    guard->targets = build->targets.data;
    guard->ntargets = build->targets.n;

    /* at least one word, so that a set without rules needs no special case */

    guard->cond_words = guard->nconds / 64 + 1;
    guard->slot_words = gs_guard_slots(guard) / 64 + 1;
    guard->rule_words = guard->nrules / 64 + 1;

    if (gs_guard_tables(guard) != GS_OK) {
        return gs_err(err, "no memory");
    }

    gs_guard_conds(guard);

    if (gs_guard_names(guard) != GS_OK || gs_guard_rows(guard) != GS_OK)
    {
        return gs_err(err, "no memory");
    }

    gs_guard_standing(guard);

    memset(&tuning, 0, sizeof(gs_guard_tuning_t));

    if (gs_correlate_compile(guard, err) != GS_OK
        || gs_guard_automaton(guard, err) != GS_OK
        || gs_guard_policy(&guard->policy, guard, build->mem, &tuning, err)
           != GS_OK)
    {
        return GS_ERROR;
    }

    tuning.level_block = 4;
    tuning.level_log = 4;

    if (gs_guard_policy(&guard->open, guard, build->mem, &tuning, err)
        != GS_OK)
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


/* A bit for each condition, then for those that stand behind one. */

static uint32_t
gs_guard_slots(gs_guard_t *guard)
{
    uint32_t    i;
    gs_cond_t  *c;

    guard->nslots = guard->nconds;

    for (i = 0; i < guard->nconds; i++) {
        guard->conds[i].slot = i;

        gs_guard_marks(&guard->conds[i]);

        for (c = guard->conds[i].same; c != NULL; c = c->same) {
            c->slot = guard->nslots++;
            gs_guard_marks(c);
        }
    }

    return guard->nslots;
}


/*
 * A literal of one mark is in so many values that the gates tell as much: the
 * automaton is left to those that are rare.
 */

static void
gs_guard_marks(gs_cond_t *cond)
{
    unsigned  i;

    for (i = 0; i < cond->nwords && cond->ngates > 0; i++) {
        if (cond->words[i].len == 1) {
            cond->nwords = 0;
        }
    }
}


static gs_rc_t
gs_guard_tables(gs_guard_t *guard)
{
    unsigned   n;
    gs_mem_t  *mem;

    mem = guard->build->mem;

    guard->always = gs_calloc(mem, guard->cond_words, sizeof(uint64_t));
    guard->wordy = gs_calloc(mem, guard->cond_words, sizeof(uint64_t));
    guard->blind = gs_calloc(mem, guard->cond_words, sizeof(uint64_t));
    guard->facts = gs_calloc(mem, guard->cond_words, sizeof(uint64_t));
    guard->marks[0] = gs_calloc(mem, (size_t) guard->cond_words * 64,
                                sizeof(uint64_t));

    if (guard->always == NULL || guard->wordy == NULL || guard->blind == NULL
        || guard->facts == NULL || guard->marks[0] == NULL)
    {
        return GS_ERROR;
    }

    for (n = 1; n < 64; n++) {
        guard->marks[n] = guard->marks[n - 1] + guard->cond_words;
    }

    for (n = 0; n < GS_GUARD_PHASES; n++) {
        if (gs_guard_phase_tables(guard, n) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_guard_phase_tables(gs_guard_t *guard, unsigned n)
{
    gs_mem_t          *mem;
    gs_guard_phase_t  *ph;

    mem = guard->build->mem;
    ph = &guard->phase[n];

    ph->views = gs_calloc(mem, guard->ntargets, 1);
    ph->flags = gs_calloc(mem, guard->ntargets, sizeof(uint32_t));
    ph->any_view = gs_calloc(mem, guard->ntargets, sizeof(uint64_t *));
    ph->marks = gs_calloc(mem, guard->ntargets, sizeof(uint64_t));
    ph->asks = gs_calloc(mem, guard->ntargets, 1);
    ph->rows = gs_calloc(mem, (size_t) guard->ntargets * GS_VIEWS,
                         sizeof(uint64_t *));
    ph->standing = gs_calloc(mem, guard->rule_words, sizeof(uint64_t));

    if (ph->views == NULL || ph->flags == NULL
        || ph->any_view == NULL || ph->marks == NULL || ph->asks == NULL
        || ph->rows == NULL || ph->standing == NULL)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


static void
gs_guard_conds(gs_guard_t *guard)
{
    uint32_t          i;
    uint64_t          bit, need;
    gs_cond_t        *cond;

    for (i = 0; i < guard->nconds; i++) {
        cond = &guard->conds[i];
        bit = (uint64_t) 1 << i % 64;

        if (gs_guard_automaton_words(NULL, 0, cond) > 0) {
            guard->wordy[i / 64] |= bit;
        }

        if (cond->op == GS_OP_FLAG) {
            guard->facts[i / 64] |= bit;
            continue;
        }

        if (cond->nwords > 0) {
            continue;
        }

        guard->always[i / 64] |= bit;
        need = gs_guard_eager_need(cond);

        if (need == 0) {
            guard->blind[i / 64] |= bit;
        }

        cond->marks = need;

        for ( /* void */ ; need != 0; need &= need - 1) {
            guard->marks[__builtin_ctzll(need)][i / 64] |= bit;
        }
    }
}


static gs_rc_t
gs_guard_rows(gs_guard_t *guard)
{
    uint32_t                i, k;
    unsigned                n;
    const gs_guard_rule_t  *rule;

    for (i = 0; i < guard->nrules; i++) {
        rule = &guard->rules[i];

        for (n = 0; n < GS_GUARD_PHASES; n++) {

            if ((rule->phases & (1u << n)) == 0) {
                continue;
            }

            guard->phase[n].any = 1;

            for (k = 0; k < rule->nconds; k++) {
                if (gs_guard_cond_rows(guard, rule, rule->cond + k, n)
                    != GS_OK)
                {
                    return GS_ERROR;
                }
            }
        }
    }

    return GS_OK;
}


/*
 * A rule of one condition is asked again only about what is new in a phase;
 * the conditions of another need the values of the phases before as well.
 */

static gs_rc_t
gs_guard_cond_rows(gs_guard_t *guard, const gs_guard_rule_t *rule,
    uint32_t index, unsigned n)
{
    unsigned           k, in, early;
    gs_kind_e          kind;
    const gs_cond_t   *cond;
    gs_guard_phase_t  *ph;

    cond = &guard->conds[index];
    ph = &guard->phase[n];
    early = 1;

    if (rule->nconds == 1 && n > rule->first) {
        early = 0;
    }

    for (k = 0; k < cond->ntargets; k++) {

        kind = guard->targets[cond->targets[k]].kind;
        in = gs_guard_kind_phases(kind);

        if ((in & (1u << n)) == 0
            && (!early || (in & ((1u << n) - 1)) == 0))
        {
            continue;
        }

        if (gs_guard_row(guard, ph, cond->targets[k], index) != GS_OK) {
            return GS_ERROR;
        }

        if (in & (1u << GS_GUARD_HEAD)) {
            ph->head |= (kind != GS_KIND_ARG || early);
        }

        if (kind == GS_KIND_TOKEN) {
            ph->access = 1;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_guard_row(gs_guard_t *guard, gs_guard_phase_t *ph, unsigned target,
    uint32_t index)
{
    unsigned          v;
    uint64_t        **row;
    const gs_cond_t  *cond;

    cond = &guard->conds[index];

    ph->marks[target] |= cond->marks;

    if (guard->wordy[index / 64] & (uint64_t) 1 << index % 64) {
        ph->asks[target] |= GS_ASKS_WORDS;
    }

    if (guard->blind[index / 64] & (uint64_t) 1 << index % 64) {
        ph->asks[target] |= GS_ASKS_BLIND;
    }

    for (v = 0; v < GS_VIEWS; v++) {

        if ((cond->views & (1u << v)) == 0) {
            continue;
        }

        row = &ph->rows[target * GS_VIEWS + v];

        if (*row == NULL) {
            *row = gs_calloc(guard->build->mem, guard->cond_words,
                             sizeof(uint64_t));
            if (*row == NULL) {
                return GS_ERROR;
            }
        }

        (*row)[index / 64] |= (uint64_t) 1 << index % 64;

        row = &ph->any_view[target];

        if (*row == NULL) {
            *row = gs_calloc(guard->build->mem, guard->cond_words,
                             sizeof(uint64_t));
            if (*row == NULL) {
                return GS_ERROR;
            }
        }

        (*row)[index / 64] |= (uint64_t) 1 << index % 64;
        ph->views[target] |= (gs_uchar_t) (1u << v);

        if (cond->op == GS_OP_FLAG) {
            ph->flags[target] |= cond->flags;
        }
    }

    return GS_OK;
}


/* Bytes of which one is in every value that it may hold for, 0: unknown. */

static uint64_t
gs_guard_eager_need(const gs_cond_t *cond)
{
    uint64_t  need;

    need = gs_guard_gate_bytes(cond->gates, cond->ngates);

    if (cond->need != 0
        && (need == 0 || __builtin_popcountll(cond->need)
                         < __builtin_popcountll(need)))
    {
        need = cond->need;
    }

    return need;
}


/* Rules that may hold without any value; those of the body, without one. */

static void
gs_guard_standing(gs_guard_t *guard)
{
    uint32_t                i, k, positive;
    gs_guard_phase_t       *ph;
    const gs_guard_rule_t  *rule;

    for (i = 0; i < guard->nrules; i++) {
        rule = &guard->rules[i];
        positive = 0;

        for (k = 0; k < rule->nconds; k++) {
            positive += !guard->conds[rule->cond + k].negate;
        }

        ph = &guard->phase[rule->first];

        if (positive == 0) {
            ph->standing[i / 64] |= (uint64_t) 1 << i % 64;
        }

        if (positive < rule->nconds) {
            ph->access = 1;
        }
    }
}


static gs_rc_t
gs_guard_names(gs_guard_t *guard)
{
    unsigned      t;
    uint32_t      n, slot;
    gs_target_t  *target;

    n = 64;

    while (n < guard->ntargets * 2) {
        n *= 2;
    }

    guard->mask = n - 1;
    guard->names = gs_calloc(guard->build->mem, n, sizeof(uint16_t));

    if (guard->names == NULL) {
        return GS_ERROR;
    }

    for (t = GS_KIND_FIXED; t < guard->ntargets; t++) {
        target = &guard->targets[t];
        guard->named |= 1u << (target->kind - GS_KIND_FIXED);
        guard->lengths[target->kind - GS_KIND_FIXED] |=
                                       (uint32_t) 1 << target->name.len % 32;

        slot = gs_guard_name_hash(target->kind, &target->name) & guard->mask;

        while (guard->names[slot] != 0) {
            slot = (slot + 1) & guard->mask;
        }

        guard->names[slot] = (uint16_t) t;
    }

    return GS_OK;
}


static gs_rc_t
gs_guard_automaton(gs_guard_t *guard, gs_err_t *err)
{
    gs_rc_t        rc;
    size_t         n;
    uint32_t       i;
    gs_ac_word_t  *words;

    n = 0;

    for (i = 0; i < guard->nconds; i++) {
        n = gs_guard_automaton_words(NULL, n, &guard->conds[i]);
    }

    words = gs_calloc(guard->build->mem, n + 1, sizeof(gs_ac_word_t));
    if (words == NULL) {
        return gs_err(err, "no memory");
    }

    n = 0;

    for (i = 0; i < guard->nconds; i++) {
        n = gs_guard_automaton_words(words, n, &guard->conds[i]);
    }

    rc = gs_ac_compile(&guard->ac, guard->build->mem, guard->build->mem,
                       words, n, err);

    gs_free(guard->build->mem, words);

    return rc;
}


/* Of a condition and those behind it, but for what a negated one lacks. */

static size_t
gs_guard_automaton_words(gs_ac_word_t *words, size_t n,
    const gs_cond_t *cond)
{
    uint32_t          k;
    const gs_cond_t  *c;

    for (c = cond; c != NULL; c = c->same) {

        if (c != cond && (c->negate || c->views != 0)) {
            continue;
        }

        for (k = 0; k < c->nwords; k++, n++) {

            if (words != NULL) {
                words[n].text = c->words[k];
                words[n].id = c->slot;

                if (c->nears != NULL) {
                    words[n].before = c->nears[k * 2];
                    words[n].after = c->nears[k * 2 + 1];
                }
            }
        }
    }

    return n;
}


gs_rc_t
gs_guard_rule(const gs_guard_t *guard, unsigned n, gs_guard_rule_info_t *info)
{
    if (n >= guard->nrules) {
        return GS_DONE;
    }

    gs_guard_info(guard, &guard->rules[n], info);

    return GS_OK;
}


gs_rc_t
gs_guard_rule_by_id(const gs_guard_t *guard, uint32_t id,
    gs_guard_rule_info_t *info)
{
    uint32_t           slot, n;
    gs_guard_build_t  *build;

    build = guard->build;

    if (build->nids == 0) {
        return GS_DECLINED;
    }

    for (slot = id * 2654435761u & (build->nids - 1);
         build->ids[slot] != 0;
         slot = (slot + 1) & (build->nids - 1))
    {
        n = build->ids[slot] - 1;

        if (guard->rules[n].id == id) {
            gs_guard_info(guard, &guard->rules[n], info);
            return GS_OK;
        }
    }

    return GS_DECLINED;
}


static void
gs_guard_info(const gs_guard_t *guard, const gs_guard_rule_t *rule,
    gs_guard_rule_info_t *info)
{
    info->id = rule->id;
    info->name = rule->name;
    info->tag = rule->tag;
    info->file = rule->file;
    info->line = rule->line;
    info->action = rule->action;
    info->ntests = rule->ntests;
    info->level = rule->level;
    info->severity = rule->severity;
    info->reason = rule->reason;
    info->category = rule->category;
    info->event = rule->event;
    info->class = (rule->points > 0) ? guard->build->classes[rule->class]
                                     : gs_str_make("", 0);
    info->points = rule->points;
    info->nolog = rule->nolog;
    info->ban = rule->ban;
    info->limit = rule->limit;
    info->ntags = rule->ntags;
    info->tags = rule->tags;
}
