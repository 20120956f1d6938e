
/*
 * Copyright (C) govsvc authors
 *
 * The check of one request, phase by phase, and what it comes to.
 */


#include "guard/gs_guard_priv.h"


static void gs_guard_judge(gs_guard_run_t *run);
static void gs_guard_rule_hit(gs_guard_run_t *run, uint32_t index);
static void gs_guard_undecided(gs_guard_run_t *run,
    const gs_guard_rule_t *rule);
static void gs_guard_act(gs_guard_verdict_t *verdict, uint32_t id,
    gs_guard_action_e action, unsigned status);
static gs_guard_hit_t *gs_guard_list(gs_guard_run_t *run, uint32_t id);


void
gs_guard_trace(gs_guard_scratch_t *s, gs_guard_trace_pt trace, void *data)
{
    s->trace = trace;
    s->trace_data = data;
}


void
gs_guard_budget(gs_guard_scratch_t *s, gs_guard_clock_pt clock, void *data,
    uint64_t budget)
{
    s->clock = clock;
    s->clock_data = data;
    s->budget = budget;
}


void
gs_guard_costs(gs_guard_scratch_t *s, gs_guard_cost_t *costs,
    gs_guard_clock_pt clock, void *data)
{
    s->costs = costs;
    s->costs_clock = clock;
    s->costs_data = data;
}


void
gs_guard_plain(gs_guard_scratch_t *s, int plain)
{
    s->bare = (plain != 0);
}


void
gs_guard_verdict_init(gs_guard_verdict_t *verdict)
{
    memset(verdict, 0, offsetof(gs_guard_verdict_t, hits));
}


int
gs_guard_acts(const gs_guard_t *guard, gs_guard_phase_e phase, int body)
{
    const gs_guard_phase_t  *ph;

    ph = &guard->phase[phase];

    if (phase == GS_GUARD_BODY && !body) {
        return ph->any && ph->access;
    }

    return ph->any;
}


gs_rc_t
gs_guard_check(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const gs_guard_input_t *in, gs_guard_verdict_t *verdict)
{
    return gs_guard_check_with(guard, s, NULL, in, verdict);
}


gs_rc_t
gs_guard_check_with(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const gs_guard_policy_t *policy, const gs_guard_input_t *in,
    gs_guard_verdict_t *verdict)
{
    gs_rc_t  rc;

    gs_guard_verdict_init(verdict);

    rc = gs_guard_run(guard, s, policy, GS_GUARD_HEAD, in, verdict);

    if (rc != GS_ERROR
        && gs_guard_acts(guard, GS_GUARD_BODY, in->body.data != NULL))
    {
        rc = gs_guard_run(guard, s, policy, GS_GUARD_BODY, in, verdict);
    }

    if (rc != GS_ERROR && in->status != 0
        && gs_guard_acts(guard, GS_GUARD_ANSWER, 1))
    {
        rc = gs_guard_run(guard, s, policy, GS_GUARD_ANSWER, in, verdict);
    }

    if (rc != GS_ERROR && in->answer_body.data != NULL
        && gs_guard_acts(guard, GS_GUARD_ANSWER_BODY, 1))
    {
        rc = gs_guard_run(guard, s, policy, GS_GUARD_ANSWER_BODY, in,
                          verdict);
    }

    return rc;
}


gs_rc_t
gs_guard_run(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const gs_guard_policy_t *policy, gs_guard_phase_e phase,
    const gs_guard_input_t *in, gs_guard_verdict_t *verdict)
{
    gs_guard_run_t  run;

    run.guard = guard;
    run.ph = &guard->phase[phase];
    run.policy = (policy == NULL) ? guard->policy : policy;
    run.s = s;
    run.in = in;
    run.verdict = verdict;
    run.phase = phase;
    run.fields = 0;

    s->broken = 0;
    s->held = 0;
    s->ticking = 0;
    s->over = 0;
    s->before = verdict->spent;
    s->unseen = 0;
    s->nevidence = 0;
    s->outer.text.len = 0;

    if (verdict->allowed) {
        return GS_OK;
    }

    memset(s->cand, 0, ((size_t) guard->slot_words + guard->cond_words * 2
                        + guard->rule_words) * sizeof(uint64_t));

    if (phase == GS_GUARD_HEAD || run.ph->head) {
        gs_guard_feed_head(&run);
    }

    if (phase >= GS_GUARD_BODY) {
        gs_guard_feed_claims(&run);
        gs_guard_feed_body(&run);
    }

    if (phase >= GS_GUARD_ANSWER) {
        gs_guard_feed_answer(&run);
    }

    gs_guard_judge(&run);

    if (verdict->allowed) {
        verdict->action = GS_GUARD_LOG;
        verdict->rule = verdict->allowed;
        verdict->status = 0;
    }

    if (s->over) {
        verdict->over_budget = 1;
    }

    if (s->ticking) {
        verdict->spent += s->clock(s->clock_data) - s->started;
    }

    if (s->broken) {
        return GS_ERROR;
    }

    return (verdict->action == GS_GUARD_PASS) ? GS_DECLINED : GS_OK;
}


static void
gs_guard_judge(gs_guard_run_t *run)
{
    uint32_t                w, i;
    uint64_t                bits;
    const gs_guard_rule_t  *rule;

    for (w = 0; w < run->guard->rule_words; w++) {

        bits = run->s->touched[w] | run->ph->standing[w];
        bits &= ~run->policy->off[w];

        while (bits != 0) {
            i = w * 64 + (uint32_t) __builtin_ctzll(bits);
            bits &= bits - 1;
            rule = &run->guard->rules[i];

            switch (gs_guard_holds(run->guard, run->s, rule)) {

            case GS_OK:
                gs_guard_rule_hit(run, i);
                break;

            case GS_ERROR:
                gs_guard_undecided(run, rule);
                break;

            default:
                break;
            }
        }
    }
}


gs_rc_t
gs_guard_holds(const gs_guard_t *guard, const gs_guard_scratch_t *s,
    const gs_guard_rule_t *rule)
{
    int               hit;
    gs_rc_t           rc;
    uint32_t          i;
    uint64_t          bit;
    const gs_cond_t  *cond;

    rc = GS_OK;

    for (i = rule->cond; i < rule->cond + rule->nconds; i++) {

        cond = &guard->conds[i];
        bit = (uint64_t) 1 << i % 64;
        hit = (s->hit[i / 64] & bit) != 0;

        if (!hit && (s->undecided[i / 64] & bit)) {
            rc = GS_ERROR;
            continue;
        }

        /* what was not asked to the end does not tell that there is none */

        if (hit == (int) cond->negate || (cond->negate && s->over)) {
            return GS_DECLINED;
        }
    }

    return rc;
}


static void
gs_guard_rule_hit(gs_guard_run_t *run, uint32_t index)
{
    unsigned                 i, counted;
    gs_guard_hit_t          *hit;
    gs_guard_verdict_t      *verdict;
    const gs_guard_rule_t   *rule;
    const gs_guard_policy_t *policy;

    rule = &run->guard->rules[index];
    policy = run->policy;
    verdict = run->verdict;

    for (i = 0; i < verdict->nhits && i < GS_GUARD_MAX_HITS; i++) {
        if (verdict->hits[i] == rule->id) {
            return;
        }
    }

    counted = (rule->level <= policy->level_block);
    hit = gs_guard_list(run, rule->id);

    if (hit != NULL) {
        gs_guard_evidence_take(run->s, index, hit);
        hit->rule = rule->id;
        hit->index = index;
        hit->class = rule->class;
        hit->points = counted ? rule->points : 0;
        hit->action = counted ? rule->action : GS_GUARD_LOG;
    }

    if (rule->allow) {
        verdict->allowed = rule->id;
    }

    if (!counted) {
        verdict->noted += rule->points;
        gs_guard_act(verdict, rule->id, GS_GUARD_LOG, 0);
        return;
    }

    gs_guard_act(verdict, rule->id, rule->action, rule->status);

    if (rule->points == 0) {
        return;
    }

    verdict->score += rule->points;
    verdict->scores[rule->class] += (uint16_t) rule->points;

    if (verdict->score >= policy->threshold
        || (policy->thresholds[rule->class] != 0
            && verdict->scores[rule->class]
               >= policy->thresholds[rule->class]))
    {
        gs_guard_act(verdict, rule->id, GS_GUARD_BLOCK, 403);
    }
}


static void
gs_guard_undecided(gs_guard_run_t *run, const gs_guard_rule_t *rule)
{
    gs_guard_action_e  action;

    if (run->verdict->undecided == 0) {
        run->verdict->undecided = rule->id;
    }

    action = rule->action;

    if (rule->level > run->policy->level_block) {
        action = GS_GUARD_LOG;

    } else if (rule->points >= run->policy->threshold) {
        action = GS_GUARD_BLOCK;
    }

    gs_guard_note(run, GS_GUARD_UNDECIDED, action,
                  rule->status != 0 ? rule->status : 403);
}


void
gs_guard_note(gs_guard_run_t *run, uint32_t id, gs_guard_action_e action,
    unsigned status)
{
    gs_guard_hit_t  *hit;

    hit = gs_guard_list(run, id);

    if (hit != NULL) {
        memset(hit, 0, offsetof(gs_guard_hit_t, target));
        hit->rule = id;
        hit->action = action;
    }

    gs_guard_act(run->verdict, id, action, status);

    run->s->held++;
}


static gs_guard_hit_t *
gs_guard_list(gs_guard_run_t *run, uint32_t id)
{
    unsigned             n;
    gs_guard_verdict_t  *verdict;

    verdict = run->verdict;
    n = verdict->nhits++;

    if (n >= GS_GUARD_MAX_HITS) {
        return NULL;
    }

    verdict->hits[n] = id;

    return &verdict->list[n];
}


static void
gs_guard_act(gs_guard_verdict_t *verdict, uint32_t id,
    gs_guard_action_e action, unsigned status)
{
    if (action > verdict->action) {
        verdict->action = action;
        verdict->rule = id;
        verdict->status = (action == GS_GUARD_BLOCK) ? status : 0;
    }
}
