
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: lines become events, events groups, groups messages.
 */


#include "audit/gs_alert.h"
#include "audit/gs_alert_json.h"
#include "core/gs_siphash.h"
#include "core/gs_time.h"

#include <stdlib.h>


#define GS_ALERT_MINUTE  60000             /* ms */


/* What is collected while a line is read. */
typedef struct {
    gs_alert_event_t  *ev;
    gs_str_t           type;
    gs_str_t           attack;
    gs_alert_word_t    ip;
    gs_alert_word_t    net;
    gs_alert_word_t    app;
    gs_alert_word_t    platform;
    gs_alert_word_t    route;
    gs_alert_word_t    host;
    unsigned           has_time:1;
} gs_alert_read_t;


static void gs_alert_member(void *data, const gs_str_t *parent,
    const gs_str_t *key, const gs_str_t *value, int first);
static void gs_alert_member_top(gs_alert_read_t *rd, const gs_str_t *key,
    const gs_str_t *value);
static void gs_alert_member_act(gs_alert_read_t *rd, const gs_str_t *key,
    const gs_str_t *value);
static void gs_alert_number(const gs_str_t *value, uint64_t *n);
static void gs_alert_word(gs_alert_word_t *w, const gs_str_t *value);
static void gs_alert_join(gs_alert_word_t *w, const gs_alert_word_t *more);
static uint64_t gs_alert_key(const gs_alert_event_t *ev);
static void gs_alert_merge(gs_alert_group_t *g, const gs_alert_event_t *ev);
static int gs_alert_graver(const void *one, const void *two);


gs_rc_t
gs_alert_read(const gs_str_t *line, gs_alert_event_t *ev)
{
    gs_alert_read_t  rd;

    memset(ev, 0, sizeof(gs_alert_event_t));
    memset(&rd, 0, sizeof(gs_alert_read_t));

    rd.ev = ev;

    if (gs_alert_json(line, gs_alert_member, &rd) != GS_OK || !rd.has_time) {
        return GS_ERROR;
    }

    if (gs_str_eq_text(&rd.type, "loss")
        || gs_str_eq_text(&rd.type, "tamper"))
    {
        rd.attack = rd.type;

    } else if (!gs_str_eq_text(&rd.type, "sec")
               && !gs_str_eq_text(&rd.type, "deny.agg"))
    {
        return GS_DECLINED;
    }

    if (rd.attack.len == 0) {
        return GS_DECLINED;
    }

    ev->attack = gs_audit_attack(&rd.attack);

    if (ev->severity == 0 || ev->severity > GS_AUDIT_EVENT_GRADES) {
        ev->severity = ev->attack->severity;
    }

    /* an event of correlation counts requests that are events themselves */

    if (ev->n == 0 || gs_str_eq_text(&rd.type, "sec")) {
        ev->n = 1;
    }

    if (gs_str_eq_text(&rd.type, "deny.agg")) {
        ev->action = GS_AUDIT_EVENT_BLOCK;
    }

    ev->source = (rd.net.len != 0) ? rd.net
                 : (rd.ip.len != 0) ? rd.ip : rd.app;
    ev->target = (rd.platform.len != 0) ? rd.platform : rd.host;

    if (rd.platform.len != 0 && rd.route.len != 0) {
        gs_alert_join(&ev->target, &rd.route);
    }

    return GS_OK;
}


static void
gs_alert_member(void *data, const gs_str_t *parent, const gs_str_t *key,
    const gs_str_t *value, int first)
{
    gs_alert_read_t *rd = data;

    if (!first) {
        return;
    }

    if (parent->len == 0) {
        gs_alert_member_top(rd, key, value);

    } else if (gs_str_eq_text(parent, "src")) {

        if (gs_str_eq_text(key, "ip")) {
            gs_alert_word(&rd->ip, value);

        } else if (gs_str_eq_text(key, "net")) {
            gs_alert_word(&rd->net, value);

        } else if (gs_str_eq_text(key, "app")) {
            gs_alert_word(&rd->app, value);
        }

    } else if (gs_str_eq_text(parent, "dst")) {

        if (gs_str_eq_text(key, "platform")) {
            gs_alert_word(&rd->platform, value);

        } else if (gs_str_eq_text(key, "route")) {
            gs_alert_word(&rd->route, value);

        } else if (gs_str_eq_text(key, "host")) {
            gs_alert_word(&rd->host, value);
        }

    } else if (gs_str_eq_text(parent, "act")) {
        gs_alert_member_act(rd, key, value);

    } else if (gs_str_eq_text(parent, "rules") && gs_str_eq_text(key, "id")) {
        gs_alert_number(value, &rd->ev->rule);
    }
}


static void
gs_alert_member_top(gs_alert_read_t *rd, const gs_str_t *key,
    const gs_str_t *value)
{
    uint64_t  n;

    if (gs_str_eq_text(key, "ty")) {
        rd->type = *value;

    } else if (gs_str_eq_text(key, "id")) {
        gs_alert_word(&rd->ev->id, value);

    } else if (gs_str_eq_text(key, "t")) {
        rd->has_time = (gs_time_parse(value, &rd->ev->time) == GS_OK);

    } else if (gs_str_eq_text(key, "attack")) {
        rd->attack = *value;

    } else if (gs_str_eq_text(key, "sev")) {
        n = 0;
        gs_alert_number(value, &n);
        rd->ev->severity = (n <= GS_AUDIT_EVENT_GRADES) ? (unsigned) n : 0;

    } else if (gs_str_eq_text(key, "crit")) {
        gs_alert_word(&rd->ev->critical, value);

    } else if (gs_str_eq_text(key, "net")) {
        gs_alert_word(&rd->net, value);

    } else if (gs_str_eq_text(key, "n")) {
        gs_alert_number(value, &rd->ev->n);

    } else if (gs_str_eq_text(key, "rule")) {
        gs_alert_number(value, &rd->ev->rule);

    } else if (gs_str_eq_text(key, "req") || gs_str_eq_text(key, "sample")) {
        gs_alert_word(&rd->ev->request, value);
    }
}


static void
gs_alert_member_act(gs_alert_read_t *rd, const gs_str_t *key,
    const gs_str_t *value)
{
    if (gs_str_eq_text(key, "res")) {

        if (gs_str_eq_text(value, "block")) {
            rd->ev->action |= GS_AUDIT_EVENT_BLOCK;

        } else if (gs_str_eq_text(value, "detect")) {
            rd->ev->action |= GS_AUDIT_EVENT_DETECT;
        }

    } else if (gs_str_eq_text(key, "ban")) {
        rd->ev->action |= GS_AUDIT_EVENT_BAN;

    } else if (gs_str_eq_text(key, "limit")) {
        rd->ev->action |= GS_AUDIT_EVENT_LIMIT;
    }
}


static void
gs_alert_number(const gs_str_t *value, uint64_t *n)
{
    uint64_t  k;

    /* a count beyond all requests of a century is no count */

    if (gs_parse_u64(value, &k) == GS_OK && k <= (uint64_t) 1 << 48) {
        *n = k;
    }
}


static void
gs_alert_word(gs_alert_word_t *w, const gs_str_t *value)
{
    int     c;
    size_t  i;

    w->len = 0;

    for (i = 0; i < value->len && w->len < GS_ALERT_WORD; i++) {
        c = value->data[i];

        if (gs_is_alpha(c) || gs_is_digit(c) || c == '.' || c == ':'
            || c == '/' || c == '_' || c == '-' || c == '*')
        {
            w->text[w->len++] = (char) c;
        }
    }
}


/* "platform route"; one text with one blank. */

static void
gs_alert_join(gs_alert_word_t *w, const gs_alert_word_t *more)
{
    unsigned  n;

    if (w->len + 1 >= GS_ALERT_WORD) {
        return;
    }

    w->text[w->len++] = ' ';
    n = GS_ALERT_WORD - w->len;
    n = (more->len < n) ? more->len : n;

    memcpy(w->text + w->len, more->text, n);
    w->len += n;
}


void
gs_alert_begin(gs_alert_round_t *round)
{
    round->ngroups = 0;
    round->severity = 0;
    round->n = 0;
    round->more = 0;
    round->first = 0;
    round->last = 0;

    memset(round->index, 0, sizeof(round->index));
}


void
gs_alert_add(gs_alert_round_t *round, const gs_alert_event_t *ev)
{
    uint64_t           key;
    unsigned           i;
    gs_alert_group_t  *g;

    if (round->n == 0 || ev->time < round->first) {
        round->first = ev->time;
    }

    if (ev->time > round->last) {
        round->last = ev->time;
    }

    if (ev->severity > round->severity) {
        round->severity = ev->severity;
    }

    round->n += ev->n;

    key = gs_alert_key(ev);

    /* half of the places are always free */

    for (i = key % (GS_ALERT_GROUPS * 2); round->index[i] != 0;
         i = (i + 1) % (GS_ALERT_GROUPS * 2))
    {
        g = &round->groups[round->index[i] - 1];

        if (g->key == key) {
            gs_alert_merge(g, ev);
            return;
        }
    }

    if (round->ngroups == GS_ALERT_GROUPS) {
        round->more += ev->n;
        return;
    }

    g = &round->groups[round->ngroups++];
    round->index[i] = (uint16_t) round->ngroups;

    memset(g, 0, sizeof(gs_alert_group_t));

    g->key = key;
    g->attack = ev->attack;
    g->first = ev->time;
    g->rule = ev->rule;
    g->id = ev->id;
    g->source = ev->source;
    g->target = ev->target;
    g->critical = ev->critical;
    g->request = ev->request;

    gs_alert_merge(g, ev);
}


static uint64_t
gs_alert_key(const gs_alert_event_t *ev)
{
    uint64_t                       part[4];
    static const gs_siphash_key_t  zero;

    part[0] = gs_siphash(&zero, ev->attack->name, strlen(ev->attack->name));
    part[1] = gs_siphash(&zero, ev->source.text, ev->source.len);
    part[2] = gs_siphash(&zero, ev->target.text, ev->target.len);
    part[3] = gs_siphash(&zero, ev->critical.text, ev->critical.len);

    return gs_siphash(&zero, part, sizeof(part));
}


static void
gs_alert_merge(gs_alert_group_t *g, const gs_alert_event_t *ev)
{
    g->n += ev->n;
    g->blocked += (ev->action & GS_AUDIT_EVENT_BLOCK) ? ev->n : 0;
    g->banned += (ev->action & GS_AUDIT_EVENT_BAN) ? ev->n : 0;

    g->first = (ev->time < g->first) ? ev->time : g->first;
    g->last = (ev->time > g->last) ? ev->time : g->last;

    if (ev->severity > g->severity) {
        g->severity = ev->severity;

        if (ev->rule != 0) {
            g->rule = ev->rule;
        }
    }
}


gs_alert_plan_t
gs_alert_plan(gs_alert_round_t *round, unsigned max)
{
    gs_alert_plan_t  plan;

    qsort(round->groups, round->ngroups, sizeof(gs_alert_group_t),
          gs_alert_graver);

    /* of no use any more */

    memset(round->index, 0, sizeof(round->index));

    if (max == 0) {
        max = 1;
    }

    plan.digest = (round->ngroups > max || round->more != 0);
    plan.single = plan.digest ? max - 1 : round->ngroups;

    if (plan.single > round->ngroups) {
        plan.single = round->ngroups;
    }

    return plan;
}


/* The same groups come in the same order, also when they are read again. */

static int
gs_alert_graver(const void *one, const void *two)
{
    const gs_alert_group_t *a = one;
    const gs_alert_group_t *b = two;

    if (a->severity != b->severity) {
        return (a->severity > b->severity) ? -1 : 1;
    }

    if (a->n != b->n) {
        return (a->n > b->n) ? -1 : 1;
    }

    return (a->key < b->key) ? -1 : (a->key > b->key);
}


void
gs_alert_message(gs_alert_message_t *m, const gs_alert_round_t *round,
    const gs_alert_plan_t *plan, unsigned i)
{
    m->round = round;
    m->digest = (i >= plan->single);
    m->from = m->digest ? plan->single : i;
    m->to = m->digest ? round->ngroups : i + 1;
}


uint64_t
gs_alert_count(const gs_alert_message_t *m)
{
    uint64_t  n;
    unsigned  i;

    n = m->digest ? m->round->more : 0;

    for (i = m->from; i < m->to; i++) {
        n += m->round->groups[i].n;
    }

    return n;
}


void
gs_alert_bucket(gs_alert_bucket_t *b, uint64_t rate, uint64_t now)
{
    b->rate = rate;
    b->level = rate * GS_ALERT_MINUTE;
    b->time = now;
}


unsigned
gs_alert_tokens(gs_alert_bucket_t *b, uint64_t now)
{
    uint64_t  passed;

    if (now > b->time) {
        passed = now - b->time;
        passed = (passed > GS_ALERT_MINUTE) ? GS_ALERT_MINUTE : passed;

        b->level += passed * b->rate;
    }

    b->time = now;

    if (b->level > b->rate * GS_ALERT_MINUTE) {
        b->level = b->rate * GS_ALERT_MINUTE;
    }

    return (unsigned) (b->level / GS_ALERT_MINUTE);
}


void
gs_alert_take(gs_alert_bucket_t *b)
{
    b->level -= (b->level < GS_ALERT_MINUTE) ? b->level : GS_ALERT_MINUTE;
}
