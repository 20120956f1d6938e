
/*
 * Copyright (C) govsvc authors
 *
 * Alerts as messages of RFC 5424: what a receiver sorts by is structured data,
 * the text is the data of the CloudEvent.
 */


#include "audit/gs_alert.h"
#include "core/gs_time.h"


#define GS_ALERT_SYSLOG_ID  384            /* a node's name and two numbers */


static void gs_alert_syslog_group(gs_audit_syslog_t *s,
    const gs_alert_group_t *g);
static void gs_alert_syslog_word(gs_audit_syslog_t *s, const char *name,
    const gs_alert_word_t *w);


gs_rc_t
gs_alert_syslog(gs_buf_t *b, const gs_alert_message_t *m,
    gs_audit_syslog_t *s, size_t max)
{
    char      text[GS_ALERT_BODY], time[40], id[GS_ALERT_SYSLOG_ID];
    gs_buf_t  body, when, number;
    gs_str_t  value;
    unsigned  severity;

    severity = gs_alert_severity(m);

    gs_buf_init(&body, text, sizeof(text));
    gs_alert_data(&body, m);

    /* when it happened: the time of telling is that of the receiver */

    gs_buf_init(&when, time, sizeof(time));
    gs_time_iso(&when, m->digest ? m->round->last
                                 : m->round->groups[m->from].last);

    gs_buf_init(&number, id, sizeof(id));
    gs_alert_id(&number, m);

    if (body.overflow || when.overflow || number.overflow) {
        return GS_ERROR;
    }

    s->severity = gs_audit_syslog_grade(severity);
    s->time = gs_buf_view(&when);
    s->host = m->node;
    s->proc = gs_str_make(NULL, 0);
    s->id = m->digest ? gs_str_text("digest") : gs_str_text("alert");
    s->text = gs_buf_view(&body);
    s->nparams = 0;

    value = gs_buf_view(&number);
    gs_audit_syslog_param(s, "id", &value);
    value = gs_str_text(gs_alert_grades[severity][GS_ALERT_EN]);
    gs_audit_syslog_param(s, "grade", &value);
    gs_audit_syslog_number(s, "count", gs_alert_count(m));
    gs_audit_syslog_number(s, "groups", m->to - m->from);

    if (!m->digest) {
        gs_alert_syslog_group(s, &m->round->groups[m->from]);
    }

    if (max != 0 && s->text.len > max) {
        gs_audit_syslog_number(s, "len", s->text.len);
        s->text.len = 0;
    }

    return gs_audit_syslog_write(b, s);
}


static void
gs_alert_syslog_group(gs_audit_syslog_t *s, const gs_alert_group_t *g)
{
    gs_str_t  value;

    value = gs_str_text(g->attack->name);
    gs_audit_syslog_param(s, "attack", &value);

    gs_alert_syslog_word(s, "source", &g->source);
    gs_alert_syslog_word(s, "target", &g->target);
    gs_alert_syslog_word(s, "critical", &g->critical);

    gs_audit_syslog_number(s, "blocked", g->blocked);
    gs_audit_syslog_number(s, "banned", g->banned);
}


static void
gs_alert_syslog_word(gs_audit_syslog_t *s, const char *name,
    const gs_alert_word_t *w)
{
    gs_str_t  value;

    if (w->len != 0) {
        value = gs_str_make(w->text, w->len);
        gs_audit_syslog_param(s, name, &value);
    }
}
