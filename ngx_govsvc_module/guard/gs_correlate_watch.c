
/*
 * Copyright (C) govsvc authors
 *
 * Which correlations a request concerns, by bits for each status, and the
 * request counted in each of them.
 */


#include "guard/gs_guard_priv.h"


#define GS_CORRELATE_STATUSES  600
#define GS_CORRELATE_CROWD_ID  1           /* of ip; of network the next */


struct gs_correlate_set_s {
    gs_correlate_rule_t  *rules;
    unsigned              n;
    unsigned              crowd;           /* bits of kinds with "shared" */
    uint64_t              request;         /* bits of rules */
    uint64_t              scored;
    uint64_t              evented;
    uint64_t              status[GS_CORRELATE_STATUSES];
};


static unsigned gs_correlate_concerns(const gs_guard_t *guard,
    const gs_correlate_rule_t *rule, const gs_correlate_input_t *in);
static unsigned gs_correlate_kinds_of(const gs_correlate_field_t *key);
static unsigned gs_correlate_event(const gs_guard_t *guard,
    const gs_correlate_rule_t *rule, const gs_correlate_input_t *in);
static unsigned gs_correlate_few(const gs_str_t *value);
static unsigned gs_correlate_has(const gs_str_t *text, const gs_str_t *part);
static void gs_correlate_one(gs_correlate_table_t *t,
    const gs_correlate_rule_t *rule, gs_correlate_input_t *in);
static void gs_correlate_value(gs_correlate_table_t *t,
    const gs_correlate_rule_t *rule, gs_correlate_input_t *in,
    gs_correlate_fired_t *fired, const gs_str_t *value);
static void gs_correlate_known(gs_correlate_table_t *t,
    const gs_correlate_set_t *set, gs_correlate_input_t *in);
static void gs_correlate_crowd(gs_correlate_plan_t *plan,
    gs_correlate_kind_e kind);


gs_rc_t
gs_correlate_compile(gs_guard_t *guard, gs_err_t *err)
{
    unsigned               i, k;
    uint64_t               bit;
    gs_correlate_set_t    *set;
    gs_correlate_rule_t   *rule;
    gs_guard_rule_info_t   info;

    if (guard->build->correlates.n == 0) {
        return GS_OK;
    }

    set = gs_calloc(guard->build->mem, 1, sizeof(gs_correlate_set_t));
    if (set == NULL) {
        return gs_err(err, "no memory");
    }

    set->rules = guard->build->correlates.data;
    set->n = guard->build->correlates.n;

    for (i = 0; i < set->n; i++) {

        rule = &set->rules[i];
        bit = 1ull << i;
        k = 0;

        while (k < i && set->rules[k].plan.id != rule->plan.id) {
            k++;
        }

        if (k < i || gs_guard_rule_by_id(guard, rule->plan.id, &info)
                     == GS_OK)
        {
            (void) gs_err(err, "duplicate id %u of correlation \"%S\" in "
                          "%S:%u", rule->plan.id, &rule->name, &rule->file,
                          rule->line);
            return GS_ERROR;
        }

        set->request |= rule->on_request ? bit : 0;
        set->scored |= (rule->score != 0) ? bit : 0;
        set->evented |= (rule->nevents != 0) ? bit : 0;
        set->crowd |= (rule->shared != 0) ? gs_correlate_kinds_of(&rule->key)
                                          : 0;

        for (k = 0; k < rule->nstatuses; k++) {
            set->status[rule->statuses[k]] |= bit;
        }
    }

    guard->build->correlate = set;

    return GS_OK;
}


/* Behind which addresses callers are counted, as bits. */

static unsigned
gs_correlate_kinds_of(const gs_correlate_field_t *key)
{
    return 1u << ((key->kind == GS_CORRELATE_CALLER) ? GS_CORRELATE_IP
                                                     : key->kind);
}


const gs_correlate_rule_t *
gs_correlate_rules(const gs_guard_t *guard, unsigned *n)
{
    gs_correlate_set_t  *set;

    set = guard->build->correlate;
    *n = (set == NULL) ? 0 : set->n;

    return (set == NULL) ? NULL : set->rules;
}


const gs_correlate_rule_t *
gs_correlate_rule(const gs_guard_t *guard, uint32_t id)
{
    unsigned                    i, n;
    const gs_correlate_rule_t  *rules;

    rules = gs_correlate_rules(guard, &n);

    for (i = 0; i < n; i++) {
        if (rules[i].plan.id == id) {
            return &rules[i];
        }
    }

    return NULL;
}


void
gs_correlate_watch(gs_correlate_table_t *t, const gs_guard_t *guard,
    gs_correlate_input_t *in)
{
    unsigned             i;
    uint64_t             bits;
    gs_correlate_set_t  *set;

    set = guard->build->correlate;

    if (set == NULL) {
        return;
    }

    if (set->crowd != 0 && in->known) {
        gs_correlate_known(t, set, in);
    }

    bits = in->plain ? 0 : set->request;

    if (in->status < GS_CORRELATE_STATUSES && !in->plain) {
        bits |= set->status[in->status];
    }

    if (in->verdict != NULL || in->event.len != 0) {
        bits |= set->scored | set->evented;
    }

    if (in->score != 0) {
        bits |= set->scored;
    }

    while (bits != 0) {
        i = (unsigned) __builtin_ctzll(bits);
        bits &= bits - 1;

        if (gs_correlate_concerns(guard, &set->rules[i], in)) {
            gs_correlate_one(t, &set->rules[i], in);
        }
    }
}


/* An event was told by a rule that knows where; all else is looked at here. */

static unsigned
gs_correlate_concerns(const gs_guard_t *guard,
    const gs_correlate_rule_t *rule, const gs_correlate_input_t *in)
{
    unsigned  i, on;

    if (rule->key.kind == GS_CORRELATE_CALLER && !in->known && in->app) {
        return 0;
    }

    if (gs_correlate_event(guard, rule, in)) {
        return 1;
    }

    on = rule->on_request && !in->plain;

    for (i = 0; i < rule->nstatuses && !in->plain; i++) {
        on |= (rule->statuses[i] == in->status);
    }

    on |= (rule->score != 0 && in->score >= rule->score);

    return on && ((rule->nmethods == 0 && rule->npaths == 0)
                  || gs_correlate_only(rule, &in->method, &in->path));
}


int
gs_correlate_only(const gs_correlate_rule_t *rule, const gs_str_t *method,
    const gs_str_t *path)
{
    unsigned  i;

    for (i = 0; i < rule->nmethods; i++) {
        if (gs_str_eq(&rule->methods[i], method)) {
            break;
        }
    }

    if (rule->nmethods != 0 && i == rule->nmethods) {
        return 0;
    }

    for (i = 0; i < rule->npaths; i++) {
        if (gs_correlate_has(path, &rule->paths[i])) {
            return 1;
        }
    }

    return rule->npaths == 0 && rule->nmethods != 0;
}


static unsigned
gs_correlate_event(const gs_guard_t *guard, const gs_correlate_rule_t *rule,
    const gs_correlate_input_t *in)
{
    unsigned                i, k;
    const gs_guard_hit_t   *hit;
    const gs_guard_rule_t  *from;

    for (k = 0; k < rule->nevents; k++) {

        if (gs_str_eq(&rule->events[k], &in->event)) {
            return 1;
        }

        if (in->verdict == NULL) {
            continue;
        }

        for (i = 0; i < in->verdict->nhits && i < GS_GUARD_MAX_HITS; i++) {

            hit = &in->verdict->list[i];

            if (hit->rule < GS_GUARD_ID_MIN || hit->index >= guard->nrules) {
                continue;
            }

            from = &guard->rules[hit->index];

            if (gs_str_eq(&rule->events[k], &from->event)) {
                return 1;
            }
        }
    }

    return 0;
}


/* ASCII letters are taken case-blind. */

static unsigned
gs_correlate_has(const gs_str_t *text, const gs_str_t *part)
{
    size_t    i;
    gs_str_t  at;

    for (i = 0; i + part->len <= text->len; i++) {

        at = gs_str_make(text->data + i, part->len);

        if (gs_str_case_eq(&at, part)) {
            return 1;
        }
    }

    return 0;
}


static void
gs_correlate_one(gs_correlate_table_t *t, const gs_correlate_rule_t *rule,
    gs_correlate_input_t *in)
{
    gs_str_t              value;
    unsigned              i, hits;
    gs_uchar_t            id[sizeof(uint32_t)];
    gs_correlate_field_t  field;
    gs_correlate_fired_t  fired;

    memset(&fired, 0, sizeof(gs_correlate_fired_t));
    fired.rule = rule;

    field = rule->key;

    if (field.kind == GS_CORRELATE_CALLER) {
        field.kind = in->known ? GS_CORRELATE_SUBJECT : GS_CORRELATE_IP;
    }

    fired.kind = field.kind;

    if (in->value(in->data, &field, 1, &fired.key) != GS_OK
        || fired.key.len == 0)
    {
        return;
    }

    hits = rule->of.kind == GS_CORRELATE_HIT && in->verdict != NULL;
    value = gs_str_make(NULL, 0);

    if (!hits && rule->of.text.len != 0
        && (in->value(in->data, &rule->of, 0, &value) != GS_OK
            || value.len == 0))
    {
        return;
    }

    fired.only = gs_correlate_only(rule, &in->method, &in->path) ? 1 : 0;
    fired.shared = gs_correlate_shared(t, rule, field.kind, &fired.key,
                                       in->now);

    if (hits) {

        for (i = 0; i < in->verdict->nhits && i < GS_GUARD_MAX_HITS; i++) {
            memcpy(id, &in->verdict->hits[i], sizeof(id));
            value = gs_str_make(id, sizeof(id));
            gs_correlate_value(t, rule, in, &fired, &value);
        }

        return;
    }

    if (fired.shared != 0 && rule->plan.measure == GS_CORRELATE_SEQUENCE
        && gs_correlate_few(&value))
    {
        return;
    }

    gs_correlate_value(t, rule, in, &fired, &value);
}


static void
gs_correlate_value(gs_correlate_table_t *t, const gs_correlate_rule_t *rule,
    gs_correlate_input_t *in, gs_correlate_fired_t *fired,
    const gs_str_t *value)
{
    if (gs_correlate_add(t, &rule->plan, &fired->key, value, in->now,
                         fired->shared != 0 ? rule->times : 1,
                         &fired->result)
        != GS_OK)
    {
        return;
    }

    fired->step = &rule->steps[fired->result.step];

    if (fired->shared != 0 && fired->step->what != GS_CORRELATE_LOG) {
        fired->step = &rule->instead;
    }

    in->fired(in->data, fired);
}


/* Who showed a good credential, by the address it came from. */

static void
gs_correlate_known(gs_correlate_table_t *t, const gs_correlate_set_t *set,
    gs_correlate_input_t *in)
{
    gs_str_t               key, subject;
    unsigned               kind;
    gs_correlate_plan_t    plan;
    gs_correlate_field_t   field;
    gs_correlate_result_t  result;

    memset(&field, 0, sizeof(gs_correlate_field_t));

    for (kind = GS_CORRELATE_IP; kind <= GS_CORRELATE_NETWORK; kind++) {

        if ((set->crowd & 1u << kind) == 0) {
            continue;
        }

        field.kind = GS_CORRELATE_SUBJECT;

        if (in->value(in->data, &field, 0, &subject) != GS_OK) {
            return;
        }

        field.kind = (gs_correlate_kind_e) kind;

        if (in->value(in->data, &field, 1, &key) == GS_OK) {
            gs_correlate_crowd(&plan, field.kind);
            (void) gs_correlate_add(t, &plan, &key, &subject, in->now, 1,
                                    &result);
        }
    }
}


unsigned
gs_correlate_shared(gs_correlate_table_t *t, const gs_correlate_rule_t *rule,
    gs_correlate_kind_e kind, const gs_str_t *key, uint64_t now)
{
    uint32_t             n;
    gs_correlate_plan_t  crowd;

    if (rule->shared == 0 || kind > GS_CORRELATE_NETWORK) {
        return 0;
    }

    gs_correlate_crowd(&crowd, kind);
    n = gs_correlate_read(t, &crowd, key, now);

    return (n >= rule->shared) ? n : 0;
}


static void
gs_correlate_crowd(gs_correlate_plan_t *plan, gs_correlate_kind_e kind)
{
    memset(plan, 0, sizeof(gs_correlate_plan_t));

    plan->id = GS_CORRELATE_CROWD_ID + kind;
    plan->measure = GS_CORRELATE_UNIQUE;
    plan->window = GS_CORRELATE_CROWD;
}


void
gs_correlate_forget(gs_correlate_table_t *t, const gs_guard_t *guard,
    gs_correlate_kind_e kind, const gs_str_t *key)
{
    unsigned             i;
    gs_correlate_set_t  *set;

    set = guard->build->correlate;

    for (i = 0; set != NULL && i < set->n; i++) {
        if (set->rules[i].key.kind == kind
            || (set->rules[i].key.kind == GS_CORRELATE_CALLER
                && (kind == GS_CORRELATE_IP || kind == GS_CORRELATE_SUBJECT)))
        {
            gs_correlate_clear(t, &set->rules[i].plan, key);
        }
    }

    if (kind < GS_CORRELATE_CALLERS) {
        gs_correlate_unmark(t, kind, key);
    }

    if (kind == GS_CORRELATE_IP) {
        gs_correlate_unmark(t, GS_CORRELATE_CALLER, key);
    }
}


int
gs_correlate_plain(const gs_str_t *method, const gs_str_t *path)
{
    size_t    i;
    gs_str_t  ext;

    static const char *const  exts[] = {
        "css", "js", "map", "png", "jpg", "jpeg", "gif", "svg", "ico",
        "webp", "bmp", "woff", "woff2", "ttf", "otf", "eot", "mp3", "mp4",
        NULL
    };

    if (!gs_str_eq_text(method, "GET") && !gs_str_eq_text(method, "HEAD")) {
        return 0;
    }

    /* "/case/1;.png": servers of Java see "/case/1" */

    if (gs_str_chr(path, 0, ';') != path->len) {
        return 0;
    }

    for (i = path->len; i > 0 && path->len - i < 6; i--) {

        if (path->data[i - 1] == '.') {
            break;
        }
    }

    if (i == 0 || path->data[i - 1] != '.') {
        return 0;
    }

    ext = gs_str_make(path->data + i, path->len - i);

    for (i = 0; exts[i] != NULL; i++) {
        if (gs_str_case_eq_text(&ext, exts[i])) {
            return 1;
        }
    }

    return 0;
}


gs_rc_t
gs_correlate_object(const gs_str_t *path, gs_str_t *value)
{
    size_t    i, to;
    unsigned  digits, most;

    to = path->len;
    digits = 0;
    most = 0;

    for (i = path->len; i > 0; i--) {

        digits = gs_is_digit(path->data[i - 1]) ? digits + 1 : 0;
        most = (digits > most) ? digits : most;

        if (path->data[i - 1] != '/') {
            continue;
        }

        if (most >= GS_CORRELATE_DIGITS) {
            *value = gs_str_make(path->data + i, to - i);
            return GS_OK;
        }

        to = i - 1;
        most = 0;
    }

    return GS_DECLINED;
}


/* Pages of a list are turned by everybody behind an exit. */

static unsigned
gs_correlate_few(const gs_str_t *value)
{
    unsigned  n;

    for (n = 0; n < value->len && n < GS_CORRELATE_DIGITS; n++) {
        if (!gs_is_digit(value->data[value->len - 1 - n])) {
            break;
        }
    }

    return n < GS_CORRELATE_DIGITS;
}


gs_rc_t
gs_correlate_segment(const gs_str_t *path, int number, gs_str_t *value)
{
    int     n;
    size_t  from, to;

    n = 0;

    for (from = 1; from <= path->len; from = to + 1) {
        to = gs_str_chr(path, from, '/');
        n++;
    }

    number = (number < 0) ? n + number + 1 : number;

    for (from = 1; from <= path->len; from = to + 1) {
        to = gs_str_chr(path, from, '/');

        if (--number == 0) {
            *value = gs_str_make(path->data + from, to - from);
            return GS_OK;
        }
    }

    return GS_DECLINED;
}
