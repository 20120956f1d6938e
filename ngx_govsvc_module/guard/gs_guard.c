
/*
 * Copyright (C) govsvc authors
 *
 * The check of one request.  Each value goes once through the automaton over
 * all literals; the conditions whose literal occurred, and the few that have
 * none, are then confirmed one by one.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_JIT_STACK_MIN  (32 * 1024)
#define GS_GUARD_JIT_STACK_MAX  (512 * 1024)
#define GS_GUARD_HEAP_LIMIT     1024       /* KiB, of the interpreter */


typedef struct {
    const gs_guard_t        *guard;
    gs_guard_scratch_t      *s;
    const gs_guard_input_t  *in;
    gs_guard_verdict_t      *verdict;
    gs_str_t                 name;         /* of the header looked at */
} gs_guard_run_t;


static gs_rc_t gs_guard_scratch_pcre(gs_guard_scratch_t *s);
static int gs_guard_args(gs_guard_run_t *run);
static int gs_guard_arg(gs_guard_run_t *run, const gs_uchar_t *p,
    const gs_uchar_t *last);
static int gs_guard_decoded(gs_guard_run_t *run, unsigned target,
    const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_guard_header_values(gs_guard_run_t *run);
static void gs_guard_value(gs_guard_run_t *run, unsigned target,
    const gs_str_t *value);
static void gs_guard_candidate(gs_guard_run_t *run, uint32_t index,
    unsigned target, const gs_str_t *value);
static gs_rc_t gs_guard_confirm(gs_guard_scratch_t *s, const gs_cond_t *cond,
    const gs_str_t *value);
static gs_rc_t gs_guard_confirm_pcre(gs_guard_scratch_t *s,
    const gs_cond_t *cond, const gs_str_t *value);
static int gs_guard_find(const gs_str_t *value, const gs_str_t *word);
static void gs_guard_judge(gs_guard_run_t *run);
static void gs_guard_note(gs_guard_verdict_t *verdict, uint32_t id,
    gs_guard_action_e action, unsigned status);


gs_guard_scratch_t *
gs_guard_scratch_create(const gs_guard_t *guard, gs_mem_t *mem)
{
    uint64_t            *bits;
    gs_guard_scratch_t  *s;

    s = gs_calloc(mem, 1, sizeof(gs_guard_scratch_t));
    if (s == NULL) {
        return NULL;
    }

    s->mem = mem;

    bits = gs_calloc(mem, (size_t) guard->cond_words * 3 + guard->rule_words,
                     sizeof(uint64_t));
    s->cand = bits;
    s->value = gs_alloc(mem, GS_GUARD_MAX_VALUE);

    if (bits == NULL || s->value == NULL
        || gs_guard_scratch_pcre(s) != GS_OK)
    {
        gs_guard_scratch_destroy(s);
        return NULL;
    }

    s->hit = bits + guard->cond_words;
    s->undecided = s->hit + guard->cond_words;
    s->touched = s->undecided + guard->cond_words;

    return s;
}


static gs_rc_t
gs_guard_scratch_pcre(gs_guard_scratch_t *s)
{
    s->gctx = gs_guard_pcre_context(s->mem);
    if (s->gctx == NULL) {
        return GS_ERROR;
    }

    s->match = pcre2_match_data_create(1, s->gctx);
    s->mctx = pcre2_match_context_create(s->gctx);

    if (s->match == NULL || s->mctx == NULL) {
        return GS_ERROR;
    }

    (void) pcre2_set_match_limit(s->mctx, GS_GUARD_MATCH_LIMIT);
    (void) pcre2_set_depth_limit(s->mctx, GS_GUARD_MATCH_LIMIT);
    (void) pcre2_set_heap_limit(s->mctx, GS_GUARD_HEAP_LIMIT);

    /* NULL where PCRE2 has no JIT: then there is nothing to assign either */

    s->stack = pcre2_jit_stack_create(GS_GUARD_JIT_STACK_MIN,
                                      GS_GUARD_JIT_STACK_MAX, s->gctx);
    if (s->stack != NULL) {
        pcre2_jit_stack_assign(s->mctx, NULL, s->stack);
    }

    return GS_OK;
}


void
gs_guard_scratch_destroy(gs_guard_scratch_t *s)
{
    if (s == NULL) {
        return;
    }

    pcre2_jit_stack_free(s->stack);
    pcre2_match_context_free(s->mctx);
    pcre2_match_data_free(s->match);
    pcre2_general_context_free(s->gctx);

    gs_free(s->mem, s->value);
    gs_free(s->mem, s->cand);
    gs_free(s->mem, s);
}


void
gs_guard_trace(gs_guard_scratch_t *s, gs_guard_trace_pt trace, void *data)
{
    s->trace = trace;
    s->trace_data = data;
}


gs_rc_t
gs_guard_check(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const gs_guard_input_t *in, gs_guard_verdict_t *verdict)
{
    int             oversize;
    gs_guard_run_t  run;

    run.guard = guard;
    run.s = s;
    run.in = in;
    run.verdict = verdict;
    run.name = gs_str_make(NULL, 0);

    verdict->action = GS_GUARD_PASS;
    verdict->rule = 0;
    verdict->status = 0;
    verdict->undecided = 0;
    verdict->nhits = 0;

    s->broken = 0;

    memset(s->cand, 0, ((size_t) guard->cond_words * 3 + guard->rule_words)
                       * sizeof(uint64_t));

    gs_guard_value(&run, GS_TARGET_METHOD, &in->method);
    gs_guard_value(&run, GS_TARGET_PATH, &in->path);
    gs_guard_value(&run, GS_TARGET_URI, &in->uri);
    gs_guard_value(&run, GS_TARGET_QUERY, &in->args);

    oversize = gs_guard_args(&run);
    oversize |= gs_guard_header_values(&run);

    if (oversize) {
        gs_guard_note(verdict, GS_GUARD_OVERSIZE, GS_GUARD_BLOCK, 403);
    }

    gs_guard_judge(&run);

    if (s->broken) {
        return GS_ERROR;
    }

    return (verdict->action == GS_GUARD_PASS) ? GS_DECLINED : GS_OK;
}


/* 1 if there is more than is looked at. */

static int
gs_guard_args(gs_guard_run_t *run)
{
    int                oversize;
    size_t             n;
    const gs_uchar_t  *p, *end, *last;

    if (run->in->args.len == 0) {
        return 0;
    }

    oversize = 0;
    last = run->in->args.data + run->in->args.len;
    n = 0;

    for (p = run->in->args.data; p < last; p = end + 1) {

        if (++n > GS_GUARD_MAX_ARGS) {
            return 1;
        }

        end = memchr(p, '&', (size_t) (last - p));
        if (end == NULL) {
            end = last;
        }

        oversize |= gs_guard_arg(run, p, end);
    }

    return oversize;
}


static int
gs_guard_arg(gs_guard_run_t *run, const gs_uchar_t *p,
    const gs_uchar_t *last)
{
    const gs_uchar_t  *equal;

    if (p == last) {
        return 0;
    }

    equal = memchr(p, '=', (size_t) (last - p));

    if (equal == NULL) {

        /* "?cmd" is a name to one backend and a value to another */

        return gs_guard_decoded(run, GS_TARGET_ARG_NAMES, p, last)
               | gs_guard_decoded(run, GS_TARGET_ARGS, p, last);
    }

    return gs_guard_decoded(run, GS_TARGET_ARG_NAMES, p, equal)
           | gs_guard_decoded(run, GS_TARGET_ARGS, equal + 1, last);
}


static int
gs_guard_decoded(gs_guard_run_t *run, unsigned target, const gs_uchar_t *p,
    const gs_uchar_t *last)
{
    gs_str_t  raw, value;

    if (last - p > GS_GUARD_MAX_VALUE) {
        return 1;
    }

    if ((run->guard->used & ((uint64_t) 1 << target)) == 0) {
        return 0;
    }

    raw = gs_str_make(p, (size_t) (last - p));
    value = gs_guard_unescape(run->s->value, &raw, 1);

    gs_guard_value(run, target, &value);

    return 0;
}


static int
gs_guard_header_values(gs_guard_run_t *run)
{
    size_t             total;
    unsigned           target;
    gs_guard_header_t  h;

    if (run->in->header == NULL) {
        return 0;
    }

    total = 0;

    while (run->in->header(run->in->cursor, &h) == GS_OK) {

        if (h.name.len > GS_GUARD_MAX_HEADERS - total
            || h.value.len > GS_GUARD_MAX_HEADERS - total - h.name.len)
        {
            return 1;
        }

        total += h.name.len + h.value.len;

        run->name = h.name;

        target = gs_guard_header_target(run->guard, &h.name);

        if (target == 0) {
            target = GS_TARGET_HEADERS;
        }

        gs_guard_value(run, target, &h.value);
    }

    return 0;
}


static void
gs_guard_value(gs_guard_run_t *run, unsigned target, const gs_str_t *value)
{
    int                  any;
    uint32_t             w;
    uint64_t             bits;
    unsigned             n;
    const uint64_t      *mask;
    const gs_guard_t    *guard;
    gs_guard_scratch_t  *s;

    s = run->s;
    guard = run->guard;

    if ((guard->used & ((uint64_t) 1 << target)) == 0) {
        return;
    }

    any = gs_ac_scan(guard->ac, value->data, value->len, s->cand);

    if (!any && (guard->eager & ((uint64_t) 1 << target)) == 0) {
        return;
    }

    mask = &guard->mask[(size_t) target * guard->cond_words];

    for (w = 0; w < guard->cond_words; w++) {

        bits = (s->cand[w] | guard->always[w]) & mask[w]
               & ~(s->hit[w] | s->undecided[w]);
        s->cand[w] = 0;

        while (bits != 0) {
            n = (unsigned) __builtin_ctzll(bits);
            bits &= bits - 1;

            gs_guard_candidate(run, w * 64 + n, target, value);
        }
    }
}


static void
gs_guard_candidate(gs_guard_run_t *run, uint32_t index, unsigned target,
    const gs_str_t *value)
{
    gs_rc_t              rc;
    uint64_t             bit;
    const gs_cond_t     *cond, *c;
    gs_guard_scratch_t  *s;

    s = run->s;
    cond = &run->guard->conds[index];
    bit = (uint64_t) 1 << index % 64;

    /* a literal was found already */

    c = (cond->op == GS_OP_LIT) ? cond->same : cond;

    for ( /* void */ ; c != NULL; c = c->same) {

        rc = gs_guard_confirm(s, c, value);

        /* only a line "same" is negated here: the rule asks the others */

        if (c != cond && c->negate && rc != GS_ERROR) {
            rc = (rc == GS_OK) ? GS_DECLINED : GS_OK;
        }

        if (rc == GS_DECLINED) {
            return;
        }

        if (rc == GS_ERROR) {
            s->undecided[index / 64] |= bit;
            s->touched[cond->rule / 64] |= (uint64_t) 1 << cond->rule % 64;
            return;
        }
    }

    s->hit[index / 64] |= bit;
    s->touched[cond->rule / 64] |= (uint64_t) 1 << cond->rule % 64;

    if (s->trace != NULL && !cond->negate) {
        s->trace(s->trace_data, run->guard->rules[cond->rule].id, cond->line,
                 &run->guard->build->targets[target], &run->name, value);
    }
}


/* GS_ERROR: it cannot be told within the limits. */

static gs_rc_t
gs_guard_confirm(gs_guard_scratch_t *s, const gs_cond_t *cond,
    const gs_str_t *value)
{
    int              found;
    unsigned         i;
    const gs_str_t  *v;

    if (cond->op == GS_OP_PCRE) {
        return gs_guard_confirm_pcre(s, cond, value);
    }

    if (cond->op == GS_OP_FLAG) {
        return gs_guard_flags(value, cond->flags) ? GS_OK : GS_DECLINED;
    }

    for (i = 0; i < cond->nvalues; i++) {
        v = &cond->values[i];

        switch (cond->op) {

        case GS_OP_EQ:
            found = gs_str_eq(value, v);
            break;

        case GS_OP_PREFIX:
            found = gs_str_prefix(value, v);
            break;

        case GS_OP_SUFFIX:
            found = gs_str_suffix(value, v);
            break;

        default:
            found = gs_guard_find(value, v);
        }

        if (found) {
            return GS_OK;
        }
    }

    return GS_DECLINED;
}


static gs_rc_t
gs_guard_confirm_pcre(gs_guard_scratch_t *s, const gs_cond_t *cond,
    const gs_str_t *value)
{
    int         rc;
    PCRE2_SPTR  subject;

    subject = (value->len == 0) ? (PCRE2_SPTR) "" : value->data;

    if (cond->jit) {
        rc = pcre2_jit_match(cond->code, subject, value->len, 0, 0, s->match,
                             s->mctx);

    } else {
        rc = pcre2_match(cond->code, subject, value->len, 0, 0, s->match,
                         s->mctx);
    }

    if (rc >= 0) {
        return GS_OK;
    }

    switch (rc) {

    case PCRE2_ERROR_NOMATCH:
        return GS_DECLINED;

    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
    case PCRE2_ERROR_JIT_STACKLIMIT:
        return GS_ERROR;

    default:
        s->broken = 1;
        return GS_ERROR;
    }
}


/* Case-blind; called for candidates only. */

static int
gs_guard_find(const gs_str_t *value, const gs_str_t *word)
{
    int       first;
    size_t    i;
    gs_str_t  part;

    first = gs_to_lower(word->data[0]);

    for (i = 0; value->len - i >= word->len; i++) {

        if (gs_to_lower(value->data[i]) == first) {
            part = gs_str_make(value->data + i, word->len);

            if (gs_str_case_eq(&part, word)) {
                return 1;
            }
        }
    }

    return 0;
}


static void
gs_guard_judge(gs_guard_run_t *run)
{
    uint32_t                w;
    uint64_t                bits;
    unsigned                n;
    gs_guard_verdict_t     *verdict;
    const gs_guard_rule_t  *rule;

    verdict = run->verdict;

    for (w = 0; w < run->guard->rule_words; w++) {

        bits = run->s->touched[w] | run->guard->standing[w];

        for (n = 0; bits != 0; n++, bits >>= 1) {

            if ((bits & 1) == 0) {
                continue;
            }

            rule = &run->guard->rules[w * 64 + n];

            switch (gs_guard_holds(run->guard, run->s, rule)) {

            case GS_OK:
                gs_guard_note(verdict, rule->id, rule->action, rule->status);
                break;

            case GS_ERROR:

                if (verdict->undecided == 0) {
                    verdict->undecided = rule->id;
                }

                gs_guard_note(verdict, GS_GUARD_UNDECIDED, rule->action,
                              rule->status);
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
gs_guard_note(gs_guard_verdict_t *verdict, uint32_t id,
    gs_guard_action_e action, unsigned status)
{
    if (verdict->nhits < GS_GUARD_MAX_HITS) {
        verdict->hits[verdict->nhits] = id;
    }

    verdict->nhits++;

    if (action > verdict->action) {
        verdict->action = action;
        verdict->rule = id;
        verdict->status = (action == GS_GUARD_BLOCK) ? status : 0;
    }
}
