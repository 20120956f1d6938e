
/*
 * Copyright (C) govsvc authors
 *
 * One value: it goes once through the automaton over all literals; the
 * conditions whose literal occurred, and of those that have none whoever
 * finds its marks, are then confirmed one by one.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_RANGE  65536              /* scanned for literals at once */
#define GS_GUARD_OUTER  256                /* shorter is looked at in parts */


static void gs_guard_scan(gs_guard_run_t *run, gs_value_t *v,
    unsigned views);
static int gs_guard_live(gs_guard_run_t *run, gs_value_t *v, unsigned view,
    const gs_str_t *text, int alike);
static uint64_t gs_guard_rows(const gs_guard_run_t *run, const gs_value_t *v,
    uint32_t w);
static int gs_guard_part_words(const gs_guard_run_t *run,
    const gs_value_t *v);
static int gs_guard_words(gs_guard_run_t *run, const gs_str_t *text,
    int parts);
static int gs_guard_part(const gs_guard_outer_t *outer, const gs_str_t *text);
static void gs_guard_rows_of(gs_guard_run_t *run, gs_value_t *v,
    unsigned view);
static void gs_guard_candidate(gs_guard_run_t *run, uint32_t index,
    gs_value_t *v, unsigned view);
static int gs_guard_open(const gs_guard_scratch_t *s, const gs_cond_t *cond,
    uint64_t bytes);
static gs_rc_t gs_guard_chain(gs_guard_run_t *run, const gs_cond_t *cond,
    gs_value_t *v, unsigned view);
static gs_rc_t gs_guard_taken(gs_guard_run_t *run, const gs_cond_t *cond,
    gs_value_t *v, unsigned view);
static gs_rc_t gs_guard_same(gs_guard_run_t *run, const gs_cond_t *cond,
    gs_value_t *v, unsigned view);
static int gs_guard_excepted(const gs_guard_run_t *run, uint32_t rule,
    const gs_value_t *v);


/* 1 if the time is over; the clock is not asked at the start. */

int
gs_guard_clock(gs_guard_scratch_t *s)
{
    s->unseen = 0;

    if (s->clock == NULL || s->over) {
        return s->over;
    }

    if (!s->ticking) {
        s->ticking = 1;
        s->started = s->clock(s->clock_data);

    } else if (s->clock(s->clock_data) - s->started + s->before > s->budget) {
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
    v->looked = 0;
    v->told = 0;
    v->facts = 0;
    v->prose = 0;
    v->known = NULL;
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
    if (!gs_guard_known(run, v)) {
        gs_guard_ask(run, v);
        gs_guard_know(run, v);
    }
}


void
gs_guard_ask(gs_guard_run_t *run, gs_value_t *v)
{
    unsigned                 k, views;
    uint32_t                 flags;
    gs_guard_scratch_t      *s;
    const gs_guard_phase_t  *ph;

    s = run->s;
    ph = run->ph;
    views = 0;
    flags = 0;

    for (k = 0; k < v->ntargets; k++) {
        views |= ph->views[v->targets[k]];
        flags |= ph->flags[v->targets[k]];
    }

    if (views == 0 || gs_guard_tick(s, v->view[GS_VIEW_RAW].len)) {
        return;
    }

    if (v->view[GS_VIEW_RAW].len > s->size) {
        gs_guard_note(run, GS_GUARD_OVERSIZE, GS_GUARD_BLOCK, 403);
        return;
    }

    gs_guard_look(s, v);

    v->told = flags ? gs_guard_facts(s, v, flags) : 0;
    v->facts |= v->told;

    if (!s->bare) {
        gs_guard_alike(s, v, views);
    }

    gs_guard_scan(run, v, views & ~v->none);
}


/*
 * A view that changed nothing, or only the case of letters, shares the scan
 * of the value, and is not even made before a condition asks for it.
 */

static void
gs_guard_scan(gs_guard_run_t *run, gs_value_t *v, unsigned views)
{
    int                  alike, live, shared;
    unsigned             view;
    gs_str_t             last;
    const gs_str_t      *text;
    gs_guard_scratch_t  *s;

    s = run->s;
    live = 0;
    shared = 0;
    last = gs_str_make(NULL, (size_t) -1);

    for (view = 0; views >> view != 0; view++) {

        alike = (v->alike >> view) & 1;

        if ((views & (1u << view)) == 0 || gs_guard_tick(s, 0)
            || (!alike && gs_guard_view(s, v, (gs_view_e) view) != GS_OK))
        {
            continue;
        }

        /* a view may be found alike only when it is made */

        alike = (v->alike >> view) & 1;
        text = alike ? &v->view[GS_VIEW_URL] : &v->view[view];

        if (alike ? !shared
                  : (text->data != last.data || text->len != last.len))
        {
            live = gs_guard_live(run, v, view, text, alike);
            shared = alike;
            last = *text;
        }

        if (live) {
            gs_guard_rows_of(run, v, view);
        }
    }
}


/*
 * The conditions that may hold for a text: those whose literal is in it, and
 * of those without one whoever finds its marks.  1 if there are any.
 */

static int
gs_guard_live(gs_guard_run_t *run, gs_value_t *v, unsigned view,
    const gs_str_t *text, int alike)
{
    int                  any, part;
    uint32_t             w, n;
    uint64_t             bytes, bits, found, marks, words;
    unsigned             k, asks;
    const gs_guard_t    *guard;
    gs_guard_scratch_t  *s;

    s = run->s;
    guard = run->guard;

    if (s->bare) {
        memset(s->live, 0xff, guard->cond_words * sizeof(uint64_t));
        return 1;
    }

    part = alike && gs_guard_part(&s->outer, text);
    bytes = gs_guard_seen(v, view);
    marks = 0;
    asks = 0;

    for (k = 0; k < v->ntargets; k++) {
        marks |= run->ph->marks[v->targets[k]];
        asks |= run->ph->asks[v->targets[k]];
    }

    marks &= bytes & (part ? s->outer.marks : ~(uint64_t) 0);
    any = 0;

    if ((asks & GS_ASKS_WORDS)
        && (!part || gs_guard_part_words(run, v)))
    {
        any = gs_guard_words(run, text, 0);
    }

    if (!any && marks == 0 && (asks & GS_ASKS_BLIND) == 0 && v->told == 0) {
        return 0;
    }

    found = 0;

    for (w = 0; w < guard->cond_words; w++) {

        bits = guard->blind[w];
        bits |= any ? s->cand[w] : 0;
        bits |= v->told ? guard->facts[w] : 0;

        for (words = marks; words; words &= words - 1) {
            bits |= guard->marks[__builtin_ctzll(words)][w];
        }

        bits &= gs_guard_rows(run, v, w) & (part ? s->outer.open[w]
                                                 : ~(uint64_t) 0);
        s->live[w] = bits;

        for ( /* void */ ; bits != 0; bits &= bits - 1) {
            n = w * 64 + (uint32_t) __builtin_ctzll(bits);

            if (!gs_guard_open(s, &guard->conds[n], bytes)) {
                s->live[w] &= ~(bits & -bits);
            }
        }

        found |= s->live[w];
    }

    return found != 0;
}


/* The conditions that look at the value, in whatever view. */

static uint64_t
gs_guard_rows(const gs_guard_run_t *run, const gs_value_t *v, uint32_t w)
{
    uint64_t  rows;
    unsigned  k;

    rows = 0;

    for (k = 0; k < v->ntargets; k++) {
        if (run->ph->any_view[v->targets[k]] != NULL) {
            rows |= run->ph->any_view[v->targets[k]][w];
        }
    }

    return rows;
}


/* 1 if the whole leaves a condition that needs the literals of a part. */

static int
gs_guard_part_words(const gs_guard_run_t *run, const gs_value_t *v)
{
    uint32_t  w;

    for (w = 0; w < run->guard->cond_words; w++) {
        if (gs_guard_rows(run, v, w) & run->s->outer.open[w]
            & run->guard->wordy[w])
        {
            return 1;
        }
    }

    return 0;
}


/* Which literals are in the text; of a whole that is known already. */

static int
gs_guard_words(gs_guard_run_t *run, const gs_str_t *text, int parts)
{
    int                  any;
    size_t               size, from, to;
    gs_guard_scratch_t  *s;

    s = run->s;
    size = run->guard->slot_words * sizeof(uint64_t);

    if (text->len == s->outer.text.len && text->data == s->outer.text.data) {
        memcpy(s->cand, s->outer.cand, size);
        return s->outer.any;
    }

    memset(s->cand, 0, size);
    any = 0;

    for (from = 0; from < text->len; from = to) {
        to = (text->len - from > GS_GUARD_RANGE) ? from + GS_GUARD_RANGE
                                                 : text->len;

        any |= gs_ac_scan_range(run->guard->ac, text->data, text->len, from,
                                to, parts, s->cand);

        if (gs_guard_tick(s, to - from)) {
            break;
        }
    }

    return any;
}


static int
gs_guard_part(const gs_guard_outer_t *outer, const gs_str_t *text)
{
    return outer->text.len > 0 && text->data >= outer->text.data
           && text->data + text->len <= outer->text.data + outer->text.len;
}


void
gs_guard_outer(gs_guard_run_t *run, const gs_str_t *text)
{
    uint32_t             w, n;
    uint64_t             bits, bytes;
    const gs_guard_t    *guard;
    gs_guard_scratch_t  *s;

    s = run->s;
    guard = run->guard;
    s->outer.text.len = 0;

    if (text == NULL || text->len < GS_GUARD_OUTER || s->bare) {
        return;
    }

    s->outer.any = gs_guard_words(run, text, 1);
    s->outer.text = *text;
    s->outer.bytes = bytes = gs_guard_bytes(text);
    s->outer.marks = 0;
    memcpy(s->outer.cand, s->cand, guard->slot_words * sizeof(uint64_t));

    for (w = 0; w < guard->cond_words; w++) {

        s->outer.open[w] = guard->facts[w];
        bits = guard->always[w] | (s->outer.any ? s->cand[w] : 0);

        for ( /* void */ ; bits != 0; bits &= bits - 1) {
            n = w * 64 + (uint32_t) __builtin_ctzll(bits);

            if (n < guard->nconds
                && gs_guard_open(s, &guard->conds[n], bytes))
            {
                s->outer.open[w] |= bits & -bits;
                s->outer.marks |= guard->conds[n].marks;
            }
        }
    }
}


static void
gs_guard_rows_of(gs_guard_run_t *run, gs_value_t *v, unsigned view)
{
    uint32_t             w;
    uint64_t             bits, mask;
    unsigned             k, n;
    uint64_t            *row;
    gs_guard_scratch_t  *s;

    s = run->s;

    for (w = 0; w < run->guard->cond_words; w++) {

        if (s->live[w] == 0) {
            continue;
        }

        mask = 0;

        for (k = 0; k < v->ntargets; k++) {
            row = run->ph->rows[v->targets[k] * GS_VIEWS + view];
            mask |= (row != NULL) ? row[w] : 0;
        }

        /* what held before is not asked again, but may hold here as well */

        bits = s->live[w] & mask;
        mask = bits & (s->hit[w] | s->undecided[w]);
        s->held += (mask != 0);
        bits &= ~mask;

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

    if (gs_guard_tick(s, 0)
        || (run->policy->off[r / 64] & rule)
        || (run->policy->nexcept > 0 && gs_guard_excepted(run, r, v))
        || (s->bare && !gs_guard_open(s, cond, gs_guard_seen(v, view)))
        || gs_guard_view(s, v, (gs_view_e) view) != GS_OK)
    {
        return;
    }

    rc = (s->costs == NULL) ? gs_guard_chain(run, cond, v, view)
                            : gs_guard_taken(run, cond, v, view);

    if (rc == GS_DECLINED) {
        return;
    }

    s->touched[r / 64] |= rule;
    s->held++;

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


/*
 * 0 if the bytes of the value, or a literal that is not in it, tell that the
 * condition or one that stands behind it does not hold.
 */

static int
gs_guard_open(const gs_guard_scratch_t *s, const gs_cond_t *cond,
    uint64_t bytes)
{
    const gs_cond_t  *c;

    if (cond->need != 0 && (bytes & cond->need) == 0) {
        return 0;
    }

    if (s->bare) {
        return 1;
    }

    if (!gs_guard_gate_open(cond->gates, cond->ngates, bytes)) {
        return 0;
    }

    for (c = cond->same; c != NULL; c = c->same) {

        if (c->negate || c->views != 0) {
            continue;
        }

        if (c->nwords > 0
            && (s->cand[c->slot / 64] & (uint64_t) 1 << c->slot % 64) == 0)
        {
            return 0;
        }

        if (!gs_guard_gate_open(c->gates, c->ngates, bytes)) {
            return 0;
        }
    }

    return 1;
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


/* The same, with what it takes. */

static gs_rc_t
gs_guard_taken(gs_guard_run_t *run, const gs_cond_t *cond, gs_value_t *v,
    unsigned view)
{
    gs_rc_t              rc;
    uint64_t             started, patterns;
    gs_guard_cost_t     *cost;
    gs_guard_scratch_t  *s;

    s = run->s;
    cost = &s->costs[cond->rule];
    patterns = s->patterns;
    started = s->costs_clock(s->costs_data);

    rc = gs_guard_chain(run, cond, v, view);

    cost->time += s->costs_clock(s->costs_data) - started;
    cost->patterns += s->patterns - patterns;
    cost->bytes += v->view[view].len;
    cost->held += (rc == GS_OK);
    cost->asked++;

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
