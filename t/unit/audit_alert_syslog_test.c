
/*
 * Copyright (C) govsvc authors
 *
 * Alerts as messages of RFC 5424: their exact bytes, what is left out of those
 * that are too long, and bytes that could end a message.
 */


#include "tap.h"
#include "audit/gs_alert.h"


static void test_one(void);
static void test_digest(void);
static void test_grades(void);
static void test_room(void);
static void event(gs_alert_event_t *ev, const char *attack, const char *source,
    unsigned severity);
static void put(gs_alert_word_t *w, const char *text);
static void message(gs_alert_message_t *m, gs_alert_round_t *round,
    unsigned max, unsigned i);
static void head(gs_audit_syslog_t *s);


static gs_alert_round_t  a_round;


int
main(void)
{
    test_one();
    test_digest();
    test_grades();
    test_room();

    return done_testing();
}


static void
event(gs_alert_event_t *ev, const char *attack, const char *source,
    unsigned severity)
{
    gs_str_t  s;

    memset(ev, 0, sizeof(gs_alert_event_t));

    s = gs_str_text(attack);
    ev->attack = gs_audit_attack(&s);
    ev->time = 1795352916888598;
    ev->n = 1;
    ev->severity = severity;
    ev->action = GS_AUDIT_EVENT_BLOCK;
    ev->rule = 2001;

    put(&ev->id, "n1.3.1000");
    put(&ev->source, source);
    put(&ev->target, "gd gd-path");
    put(&ev->request, "3ad1");
}


static void
put(gs_alert_word_t *w, const char *text)
{
    w->len = (unsigned) strlen(text);
    memcpy(w->text, text, w->len);
}


static void
message(gs_alert_message_t *m, gs_alert_round_t *round, unsigned max,
    unsigned i)
{
    gs_alert_plan_t  plan;

    memset(m, 0, sizeof(gs_alert_message_t));

    m->lang = GS_ALERT_EN;
    m->node = gs_str_text("n1");
    m->time = 1700000000000000u;
    m->number = 17;

    plan = gs_alert_plan(round, max);
    gs_alert_message(m, round, &plan, i);
}


static void
head(gs_audit_syslog_t *s)
{
    memset(s, 0, sizeof(gs_audit_syslog_t));

    s->facility = 13;
    s->app = gs_str_text("govsvc");
    s->sd = gs_str_text("govsvc@32473");
}


static void
test_one(void)
{
    char                text[GS_ALERT_BODY], again[GS_ALERT_BODY];
    gs_buf_t            b;
    gs_str_t            first, second;
    gs_alert_event_t    ev;
    gs_audit_syslog_t   s;
    gs_alert_message_t  m;

    gs_alert_begin(&a_round);

    event(&ev, "sqli", "203.0.113.9", 3);
    put(&ev.critical, "license");
    gs_alert_add(&a_round, &ev);
    ev.time += 2000000;
    ev.n = 11;
    ev.action = GS_AUDIT_EVENT_BAN;
    gs_alert_add(&a_round, &ev);

    message(&m, &a_round, 1, 0);
    head(&s);
    gs_buf_init(&b, text, sizeof(text));

    ok(gs_alert_syslog(&b, &m, &s, 0) == GS_OK, "a group");

    is_str(gs_buf_view(&b),
           "<107>1 2026-11-22T21:08:38.888598+08:00 n1 govsvc - alert "
           "[govsvc@32473 id=\"n1-17-0\" grade=\"high\" count=\"12\" "
           "groups=\"1\" attack=\"sqli\" source=\"203.0.113.9\" "
           "target=\"gd gd-path\" critical=\"license\" blocked=\"1\" "
           "banned=\"11\"] \xef\xbb\xbf{\"severity\":3,\"grade\":\"high\","
           "\"count\":12,\"groups\":1,\"alerts\":[{\"attack\":\"sqli\","
           "\"title\":\"SQL injection\",\"category\":\"网络攻击\","
           "\"subcategory\":\"漏洞利用\",\"severity\":3,"
           "\"critical\":\"license\",\"source\":\"203.0.113.9\","
           "\"target\":\"gd gd-path\",\"count\":12,\"blocked\":1,"
           "\"banned\":11,\"first\":\"2026-11-22T21:08:36.888598+08:00\","
           "\"last\":\"2026-11-22T21:08:38.888598+08:00\",\"rule\":2001,"
           "\"record\":\"n1.3.1000\",\"request\":\"3ad1\",\"next\":"
           "\"Check whether the system attacked has this flaw, look at other "
           "requests of the source, ban it if need be; exclude a false alarm "
           "with govsvc_rule_off.\"}],\"rest\":0}", "its exact bytes");

    /* another time of telling, another scratch: the same bytes */

    first = gs_buf_view(&b);
    m.time += 60000000;
    memset(&s, 0xa5, sizeof(gs_audit_syslog_t));
    s.facility = 13;
    s.app = gs_str_text("govsvc");
    s.sd = gs_str_text("govsvc@32473");
    gs_buf_init(&b, again, sizeof(again));

    ok(gs_alert_syslog(&b, &m, &s, 0) == GS_OK, "told again");
    second = gs_buf_view(&b);
    ok(gs_str_eq(&first, &second), "are the same bytes");

    s.facility = 22;
    s.app = gs_str_text("gw");
    s.sd = gs_str_text("gov@1.2");
    gs_buf_init(&b, text, sizeof(text));

    ok(gs_alert_syslog(&b, &m, &s, 100) == GS_OK, "too long a text");
    is_str(gs_buf_view(&b),
           "<179>1 2026-11-22T21:08:38.888598+08:00 n1 gw - alert [gov@1.2 "
           "id=\"n1-17-0\" grade=\"high\" count=\"12\" groups=\"1\" "
           "attack=\"sqli\" source=\"203.0.113.9\" target=\"gd gd-path\" "
           "critical=\"license\" blocked=\"1\" banned=\"11\" len=\"576\"]",
           "is left out, its length is told");
}


static void
test_digest(void)
{
    char                text[GS_ALERT_BODY];
    gs_buf_t            b;
    gs_str_t            s;
    gs_alert_event_t    ev;
    gs_audit_syslog_t   log;
    gs_alert_message_t  m;

    gs_alert_begin(&a_round);

    event(&ev, "sqli", "203.0.113.9", 4);
    gs_alert_add(&a_round, &ev);
    event(&ev, "xss", "203.0.113.9", 2);
    ev.n = 7;
    gs_alert_add(&a_round, &ev);
    event(&ev, "recon", "203.0.113.9", 1);
    ev.n = 30;
    ev.time += 1;
    gs_alert_add(&a_round, &ev);

    message(&m, &a_round, 2, 1);
    head(&log);
    gs_buf_init(&b, text, sizeof(text));

    ok(gs_alert_syslog(&b, &m, &log, 1) == GS_OK, "a digest");
    is_str(gs_buf_view(&b),
           "<108>1 2026-11-22T21:08:36.888599+08:00 n1 govsvc - digest "
           "[govsvc@32473 id=\"n1-17-1\" grade=\"medium\" count=\"37\" "
           "groups=\"2\" len=\"980\"]", "its exact bytes");

    gs_buf_init(&b, text, sizeof(text));
    ok(gs_alert_syslog(&b, &m, &log, 0) == GS_OK, "with its text");

    s = gs_str_make(text, 4);
    is_str(s, "<108", "the gravest of the rest");
}


static void
test_grades(void)
{
    unsigned  i;

    static const gs_audit_syslog_severity_e  severity[] = {
        GS_AUDIT_SYSLOG_WARNING, GS_AUDIT_SYSLOG_WARNING,
        GS_AUDIT_SYSLOG_WARNING, GS_AUDIT_SYSLOG_ERR, GS_AUDIT_SYSLOG_CRIT
    };

    for (i = 0; i <= 4; i++) {
        is_int(gs_audit_syslog_grade(i), severity[i], "grade %u", i);
    }
}


/* The longest there is has room, and in less nothing is told. */

static void
test_room(void)
{
    char                 text[GS_ALERT_BODY + GS_AUDIT_SYSLOG_EXTRA];
    size_t               n;
    gs_buf_t             b;
    unsigned             i, taken;
    gs_alert_event_t     ev;
    gs_audit_syslog_t    s;
    gs_alert_message_t   m;

    gs_alert_begin(&a_round);

    event(&ev, "sqli", "203.0.113.9", 3);
    ev.n = (uint64_t) 1 << 47;

    ev.target.len = GS_ALERT_WORD;
    memset(ev.target.text, 'x', GS_ALERT_WORD);
    ev.source = ev.target;
    ev.critical = ev.target;
    ev.request = ev.target;
    ev.id = ev.target;

    for (i = 0; i < 3000; i++) {
        ev.source.text[i % 90] = (char) ('a' + i % 26);
        gs_alert_add(&a_round, &ev);
    }

    head(&s);
    message(&m, &a_round, 1, 0);
    m.lang = GS_ALERT_ZH;

    gs_buf_init(&b, text, sizeof(text));
    ok(gs_alert_syslog(&b, &m, &s, 0) == GS_OK, "the longest digest");
    n = gs_buf_len(&b);

    for (taken = 0, i = 0; i < n; i++) {
        gs_buf_init(&b, text, i);
        taken += (gs_alert_syslog(&b, &m, &s, 0) != GS_ERROR);
    }

    is_int(taken, 0, "not in too little room");

    message(&m, &a_round, 5, 0);
    gs_buf_init(&b, text, sizeof(text));
    ok(gs_alert_syslog(&b, &m, &s, 0) == GS_OK, "the longest of one group");
    ok(s.nparams < GS_AUDIT_SYSLOG_PARAMS, "no parameter is missing");
}
