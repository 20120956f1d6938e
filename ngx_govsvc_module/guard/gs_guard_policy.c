
/*
 * Copyright (C) govsvc authors
 *
 * How a place wants the rules: levels, thresholds, rules that are off, whole
 * or for one target.
 */


#include "guard/gs_guard_priv.h"


static uint64_t gs_guard_policy_stamp(const gs_guard_policy_t *policy,
    const gs_guard_t *guard);
static void gs_guard_policy_levels(gs_guard_policy_t *policy,
    const gs_guard_t *guard, unsigned level);
static gs_rc_t gs_guard_policy_class(gs_guard_policy_t *policy,
    const gs_guard_t *guard, const gs_str_t *class, unsigned points,
    gs_err_t *err);
static gs_rc_t gs_guard_policy_off(gs_guard_policy_t *policy,
    const gs_guard_t *guard, gs_mem_t *mem, const gs_str_t *what,
    const gs_str_t *target, gs_err_t *err);
static gs_rc_t gs_guard_policy_except(gs_guard_policy_t *policy,
    const gs_guard_t *guard, gs_mem_t *mem, const gs_str_t *target,
    uint64_t **bits, gs_err_t *err);
static gs_rc_t gs_guard_policy_select(uint64_t *bits,
    const gs_guard_t *guard, const gs_str_t *what, gs_err_t *err);


gs_rc_t
gs_guard_policy(gs_guard_policy_t **out, const gs_guard_t *guard,
    gs_mem_t *mem, const gs_guard_tuning_t *t, gs_err_t *err)
{
    unsigned            i;
    gs_guard_policy_t  *policy;

    policy = gs_calloc(mem, 1, sizeof(gs_guard_policy_t));
    if (policy == NULL) {
        return gs_err(err, "no memory");
    }

    policy->off = gs_calloc(mem, guard->rule_words, sizeof(uint64_t));
    policy->except = gs_calloc(mem, (size_t) t->noff + 1,
                               sizeof(gs_guard_except_t));

    if (policy->off == NULL || policy->except == NULL) {
        return gs_err(err, "no memory");
    }

    policy->level_block = t->level_block ? t->level_block : 1;
    policy->threshold = t->threshold ? t->threshold : 5;

    gs_guard_policy_levels(policy, guard, t->level_log ? t->level_log : 2);

    for (i = 0; i < t->nthresholds; i++) {
        if (gs_guard_policy_class(policy, guard, &t->classes[i],
                                  t->points[i], err)
            != GS_OK)
        {
            goto failed;
        }
    }

    for (i = 0; i < t->noff; i++) {
        if (gs_guard_policy_off(policy, guard, mem, &t->off[i],
                                &t->targets[i], err)
            != GS_OK)
        {
            goto failed;
        }
    }

    policy->stamp = gs_guard_policy_stamp(policy, guard);
    *out = policy;

    return GS_OK;

failed:

    if (err != NULL) {
        err->line = i;
    }

    return GS_ERROR;
}


/* Another one at the same address is told by what it says. */

static uint64_t
gs_guard_policy_stamp(const gs_guard_policy_t *policy,
    const gs_guard_t *guard)
{
    uint64_t  h;
    uint32_t  i, w;

    h = guard->nrules;

    for (w = 0; w < guard->rule_words; w++) {
        h = (h ^ policy->off[w]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }

    for (i = 0; i < policy->nexcept; i++) {
        h ^= gs_guard_name_hash(policy->except[i].kind,
                                &policy->except[i].name);

        for (w = 0; w < guard->rule_words; w++) {
            h = (h ^ policy->except[i].rules[w]) * 0x9e3779b97f4a7c15u;
            h ^= h >> 29;
        }
    }

    return h;
}


static void
gs_guard_policy_levels(gs_guard_policy_t *policy, const gs_guard_t *guard,
    unsigned level)
{
    uint32_t  i;

    if (level < policy->level_block) {
        level = policy->level_block;
    }

    for (i = 0; i < guard->nrules; i++) {
        if (guard->rules[i].level > level) {
            policy->off[i / 64] |= (uint64_t) 1 << i % 64;
        }
    }
}


static gs_rc_t
gs_guard_policy_class(gs_guard_policy_t *policy, const gs_guard_t *guard,
    const gs_str_t *class, unsigned points, gs_err_t *err)
{
    unsigned  i;

    for (i = 0; i < guard->build->nclasses; i++) {
        if (gs_str_eq(&guard->build->classes[i], class)) {
            policy->thresholds[i] = (uint16_t) points;
            return GS_OK;
        }
    }

    return gs_err(err, "no rule scores in class \"%S\"", class);
}


static gs_rc_t
gs_guard_policy_off(gs_guard_policy_t *policy, const gs_guard_t *guard,
    gs_mem_t *mem, const gs_str_t *what, const gs_str_t *target,
    gs_err_t *err)
{
    uint64_t  *bits;

    bits = policy->off;

    if (target->len > 0
        && gs_guard_policy_except(policy, guard, mem, target, &bits, err)
           != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_guard_policy_select(bits, guard, what, err);
}


static gs_rc_t
gs_guard_policy_except(gs_guard_policy_t *policy, const gs_guard_t *guard,
    gs_mem_t *mem, const gs_str_t *target, uint64_t **bits, gs_err_t *err)
{
    gs_str_t            name;
    gs_guard_except_t  *e;

    e = &policy->except[policy->nexcept];
    e->kind = gs_guard_kind(target, &name);

    if (e->kind == GS_KIND_LAST) {
        return gs_err(err, "unknown target \"%S\"", target);
    }

    if (e->kind == GS_KIND_JSON && !gs_guard_json_path(&name)) {
        return gs_err(err, "invalid path in target \"%S\", expecting "
                      "\"a.b[*].c\" or \"*.KEY\"", target);
    }

    e->name = gs_str_dup(mem, &name);
    e->rules = gs_calloc(mem, guard->rule_words, sizeof(uint64_t));

    if (e->name.data == NULL || e->rules == NULL) {
        return gs_err(err, "no memory");
    }

    policy->nexcept++;
    *bits = e->rules;

    return GS_OK;
}


static gs_rc_t
gs_guard_policy_select(uint64_t *bits, const gs_guard_t *guard,
    const gs_str_t *what, gs_err_t *err)
{
    unsigned                k, found;
    uint32_t                i;
    uint64_t                id;
    gs_str_t                tag;
    const gs_guard_rule_t  *rule;

    static const gs_str_t  prefix = gs_string("tag:");

    id = 0;
    found = 0;
    tag = gs_str_make(NULL, 0);

    if (gs_str_prefix(what, &prefix) && what->len > prefix.len) {
        tag = gs_str_make(what->data + prefix.len, what->len - prefix.len);

    } else if (gs_parse_u64(what, &id) != GS_OK) {
        return gs_err(err, "invalid rule \"%S\", expecting an id or "
                      "\"tag:NAME\"", what);
    }

    for (i = 0; i < guard->nrules; i++) {
        rule = &guard->rules[i];

        for (k = 0; k < rule->ntags && tag.len > 0; k++) {
            if (gs_str_eq(&rule->tags[k], &tag)) {
                break;
            }
        }

        if (tag.len > 0 ? k < rule->ntags : rule->id == id) {
            bits[i / 64] |= (uint64_t) 1 << i % 64;
            found = 1;
        }
    }

    if (!found) {
        return gs_err(err, "there is no rule \"%S\"", what);
    }

    return GS_OK;
}
