
/*
 * Copyright (C) govsvc authors
 *
 * The check of one request, phase by phase.  Each value goes once through
 * the automaton over all literals; the conditions whose literal occurred, and
 * the few that have none, are then confirmed one by one.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_TICK  8192                /* bytes between looks at a clock */


static int gs_guard_tick(gs_guard_scratch_t *s, size_t len);
static void gs_guard_rows_of(gs_guard_run_t *run, gs_value_t *v,
    unsigned view, int any);
static void gs_guard_candidate(gs_guard_run_t *run, uint32_t index,
    gs_value_t *v, unsigned view);
static gs_rc_t gs_guard_chain(gs_guard_run_t *run, const gs_cond_t *cond,
    gs_value_t *v, unsigned view);
static gs_rc_t gs_guard_same(gs_guard_run_t *run, const gs_cond_t *cond,
    gs_value_t *v, unsigned view);
static int gs_guard_excepted(const gs_guard_run_t *run, uint32_t rule,
    const gs_value_t *v);
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
    s->ticking = 0;
    s->over = 0;
    s->unseen = 0;
    s->nevidence = 0;

    if (verdict->allowed) {
        return GS_OK;
    }

    memset(s->cand, 0, ((size_t) guard->cond_words * 3 + guard->rule_words)
                       * sizeof(uint64_t));

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

    if (s->broken) {
        return GS_ERROR;
    }

    return (verdict->action == GS_GUARD_PASS) ? GS_DECLINED : GS_OK;
}


/* 1 if the time is over; the clock is asked seldom, and not at the start. */

static int
gs_guard_tick(gs_guard_scratch_t *s, size_t len)
{
    s->unseen += len;

    if (s->clock == NULL || s->unseen < GS_GUARD_TICK) {
        return s->over;
    }

    s->unseen = 0;

    if (!s->ticking) {
        s->ticking = 1;
        s->started = s->clock(s->clock_data);

    } else if (s->clock(s->clock_data) - s->started > s->budget) {
        s->over = 1;
    }

    return s->over;
}


void
gs_guard_value_init(gs_value_t *v, gs_kind_e kind, gs_decode_e decode,
    const gs_str_t *text)
{
    v->kind = kind;
    v->decode = decode;
    v->name = gs_str_make(NULL, 0);
    v->ntargets = 1;
    v->targets[0] = (uint16_t) kind;
    v->have = 1u << GS_VIEW_RAW;
    v->none = 0;
    v->alike = 0;
    v->bytes = 0;
    v->deep_bytes = 0;
    v->facts = 0;
    v->view[GS_VIEW_RAW] = *text;

    if (decode == GS_DECODE_NONE) {
        v->have |= 1u << GS_VIEW_URL;
        v->view[GS_VIEW_URL] = *text;
    }
}


/* The named target is one more of the value, if a rule looks at it. */

void
gs_guard_value_also(const gs_guard_run_t *run, gs_value_t *v, gs_kind_e kind,
    const gs_str_t *name)
{
    unsigned  t;

    t = gs_guard_target(run->guard, kind, name);

    if (t != 0 && v->ntargets < GS_GUARD_VALUE_TARGETS) {
        v->targets[v->ntargets++] = (uint16_t) t;
    }
}


/* 1 if a rule of this phase looks at the kind, or at one of its names. */

int
gs_guard_wanted(const gs_guard_run_t *run, gs_kind_e kind)
{
    if (kind >= GS_KIND_FIXED) {
        return (run->guard->named & (1u << (kind - GS_KIND_FIXED))) != 0;
    }

    return run->ph->views[kind] != 0;
}


void
gs_guard_value(gs_guard_run_t *run, gs_value_t *v)
{
    int                      any, same, plain;
    unsigned                 k, view, views, eager, flags;
    gs_str_t                 last;
    const gs_str_t          *text;
    gs_guard_scratch_t      *s;
    const gs_guard_phase_t  *ph;

    s = run->s;
    ph = run->ph;
    views = eager = flags = 0;

    for (k = 0; k < v->ntargets; k++) {
        views |= ph->views[v->targets[k]];
        eager |= ph->eager[v->targets[k]];
        flags |= ph->flags[v->targets[k]];
    }

    if (views == 0 || gs_guard_tick(s, v->view[GS_VIEW_RAW].len)) {
        return;
    }

    if (v->view[GS_VIEW_RAW].len > s->size) {
        gs_guard_note(run, GS_GUARD_OVERSIZE, GS_GUARD_BLOCK, 403);
        return;
    }

    if (flags) {
        v->facts |= gs_guard_facts(s, v);
    }

    any = 0;
    plain = 0;
    last = gs_str_make(NULL, (size_t) -1);

    for (view = 0; view < GS_VIEWS; view++) {

        if ((views & (1u << view)) == 0
            || gs_guard_view(s, v, (gs_view_e) view) != GS_OK)
        {
            continue;
        }

        text = &v->view[view];

        /*
         * A view that changed nothing, or only the case of letters, shares
         * the scan of the one before.
         */

        same = (text->data == v->view[GS_VIEW_URL].data
                && text->len == v->view[GS_VIEW_URL].len
                && (v->have & (1u << GS_VIEW_URL)) != 0)
               || (v->alike & (1u << view)) != 0;

        if ((!same || !plain)
            && (text->data != last.data || text->len != last.len))
        {
            plain = same;

            if (any) {
                memset(s->cand, 0, run->guard->cond_words * sizeof(uint64_t));
            }

            any = gs_ac_scan(run->guard->ac, text->data, text->len, s->cand);
            last = *text;
            s->unseen += text->len;
        }

        if (any || (eager & (1u << view)) || v->facts != 0) {
            gs_guard_rows_of(run, v, view, any);
        }
    }

    if (any) {
        memset(s->cand, 0, run->guard->cond_words * sizeof(uint64_t));
    }
}


static void
gs_guard_rows_of(gs_guard_run_t *run, gs_value_t *v, unsigned view, int any)
{
    uint32_t             w;
    uint64_t             bits, mask;
    unsigned             k, n, nrows;
    uint64_t            *rows[GS_GUARD_VALUE_TARGETS];
    const gs_guard_t    *guard;
    gs_guard_scratch_t  *s;

    s = run->s;
    guard = run->guard;
    nrows = 0;

    for (k = 0; k < v->ntargets; k++) {
        rows[nrows] = run->ph->rows[v->targets[k] * GS_VIEWS + view];
        nrows += (rows[nrows] != NULL);
    }

    for (w = 0; w < guard->cond_words; w++) {

        mask = 0;

        for (k = 0; k < nrows; k++) {
            mask |= rows[k][w];
        }

        if (mask == 0) {
            continue;
        }

        bits = guard->always[w];
        bits |= any ? s->cand[w] : 0;
        bits |= (v->facts != 0) ? guard->facts[w] : 0;
        bits &= mask & ~(s->hit[w] | s->undecided[w]);

        while (bits != 0) {
            n = (unsigned) __builtin_ctzll(bits);
            bits &= bits - 1;

            gs_guard_candidate(run, w * 64 + n, v, view);
        }
    }
}


static void
gs_guard_candidate(gs_guard_run_t *run, uint32_t index, gs_value_t *v,
    unsigned view)
{
    gs_rc_t              rc;
    uint32_t             r;
    uint64_t             bit, rule;
    gs_str_t             target;
    const gs_cond_t     *cond;
    gs_guard_scratch_t  *s;

    s = run->s;
    cond = &run->guard->conds[index];
    r = cond->rule;
    bit = (uint64_t) 1 << index % 64;
    rule = (uint64_t) 1 << r % 64;

    if ((run->policy->off[r / 64] & rule)
        || (run->policy->nexcept > 0 && gs_guard_excepted(run, r, v))
        || (cond->need != 0 && (gs_guard_bytes(&v->view[view]) & cond->need)
                               == 0))
    {
        return;
    }

    rc = gs_guard_chain(run, cond, v, view);

    if (rc == GS_DECLINED) {
        return;
    }

    s->touched[r / 64] |= rule;

    if (rc == GS_ERROR) {
        s->undecided[index / 64] |= bit;
        return;
    }

    s->hit[index / 64] |= bit;

    if (cond->negate) {
        return;
    }

    gs_guard_evidence(run, r, v, view);

    if (s->trace != NULL) {
        target = gs_str_text(gs_guard_kind_word(v->kind, v->name.len > 0));
        s->trace(s->trace_data, run->guard->rules[r].id, cond->line,
                 gs_guard_view_names[view], &target, &v->name,
                 &v->view[view]);
    }
}


/* The condition and the lines "match same" behind it. */

static gs_rc_t
gs_guard_chain(gs_guard_run_t *run, const gs_cond_t *cond, gs_value_t *v,
    unsigned view)
{
    gs_rc_t           rc;
    const gs_cond_t  *c;

    run->s->at = 0;
    rc = gs_guard_confirm(run->s, cond, v, view);

    for (c = cond->same; c != NULL && rc == GS_OK; c = c->same) {

        rc = gs_guard_same(run, c, v, view);

        if (c->negate && rc != GS_ERROR) {
            rc = (rc == GS_OK) ? GS_DECLINED : GS_OK;
        }
    }

    return rc;
}


/* In the view that matched, or in those that the line names. */

static gs_rc_t
gs_guard_same(gs_guard_run_t *run, const gs_cond_t *cond, gs_value_t *v,
    unsigned view)
{
    gs_rc_t   rc;
    unsigned  i;

    if (cond->views == 0) {
        return gs_guard_confirm(run->s, cond, v, view);
    }

    for (i = 0; i < GS_VIEWS; i++) {

        if ((cond->views & (1u << i)) == 0
            || gs_guard_view(run->s, v, (gs_view_e) i) != GS_OK)
        {
            continue;
        }

        rc = gs_guard_confirm(run->s, cond, v, i);

        if (rc != GS_DECLINED) {
            return rc;
        }
    }

    return GS_DECLINED;
}


/* "govsvc_rule_off 1201 arg:a": not about this value. */

static int
gs_guard_excepted(const gs_guard_run_t *run, uint32_t rule,
    const gs_value_t *v)
{
    uint32_t                  i;
    gs_kind_e                 kind;
    const gs_guard_except_t  *e;

    for (i = 0; i < run->policy->nexcept; i++) {
        e = &run->policy->except[i];

        if ((e->rules[rule / 64] & (uint64_t) 1 << rule % 64) == 0) {
            continue;
        }

        kind = v->kind;

        if (e->kind == kind) {
            return 1;
        }

        if (kind == GS_KIND_ARGS || kind == GS_KIND_FORM) {
            kind = GS_KIND_ARG;

        } else if (kind == GS_KIND_HEADERS) {
            kind = GS_KIND_HEADER;

        } else if (kind == GS_KIND_COOKIES) {
            kind = GS_KIND_COOKIE;

        } else if (kind == GS_KIND_JSON_ALL) {
            kind = GS_KIND_JSON;
        }

        if (e->kind == kind && gs_guard_name_eq(kind, &e->name, &v->name)) {
            return 1;
        }
    }

    return 0;
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

        if (hit == (int) cond->negate) {
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
