
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: lines to groups, groups to messages with exact counts, the rate
 * bound under a clock of our own, signatures, answers.
 */


#include <stdio.h>

#include "tap.h"
#include "audit/gs_alert.h"
#include "audit/gs_alert_json.h"


static void test_read(void);
static void test_group(void);
static void test_storm(void);
static void test_bucket(void);
static void test_sign(void);
static void test_body(void);
static void test_answer(void);
static void test_person(void);
static void event(gs_alert_event_t *ev, const char *attack, const char *source,
    unsigned severity);
static gs_alert_round_t *a_round(void);
static unsigned count(const gs_str_t *s, const char *text);


int
main(void)
{
    test_read();
    test_group();
    test_storm();
    test_bucket();
    test_sign();
    test_body();
    test_answer();
    test_person();

    return done_testing();
}


static gs_alert_round_t *
a_round(void)
{
    static gs_alert_round_t  round;

    gs_alert_begin(&round);

    return &round;
}


static void
test_read(void)
{
    size_t            i;
    gs_rc_t           rc;
    gs_str_t          s;
    gs_alert_event_t  ev;

    static const struct {
        const char  *line;
        gs_rc_t      rc;
    } others[] = {
        { "{\"ty\":\"http\",\"t\":\"2026-11-22T21:08:36.888598+08:00\"}",
          GS_DECLINED },
        { "{\"ty\":\"deny.agg\",\"t\":\"2026-11-22T21:08:36.888598+08:00\","
          "\"n\":4}", GS_DECLINED },
        { "{\"ty\":\"sec\",\"attack\":\"sqli\"}", GS_ERROR },
        { "{\"ty\":\"sec\",\"t\":\"now\",\"attack\":\"sqli\"}", GS_ERROR },
        { "", GS_ERROR },
        { "[]", GS_ERROR },
        { "{", GS_ERROR },
        { "{\"a\":1}}", GS_ERROR },
        { "{\"a\":x}", GS_ERROR },
        { "{\"a\":\"\n\"}", GS_ERROR },
        { "{\"a\":\"\\\"}", GS_ERROR },
        { "{\"a\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}", GS_ERROR },
    };

    s = gs_str_text("{\"v\":1,\"id\":\"n1.3.1000\",\"ty\":\"sec\",\"ch\":"
        "\"n1.3.w0.1\",\"seq\":4,\"g\":1000,"
        "\"t\":\"2026-11-22T21:08:36.888598+08:00\",\"req\":\"3ad1\","
        "\"sev\":4,\"attack\":\"sqli\",\"cat\":\"x\",\"crit\":\"license\","
        "\"src\":{\"ip\":\"2001:db8::1\",\"net\":\"2001:db8::/64\"},"
        "\"dst\":{\"platform\":\"gd\",\"route\":\"gd-path\",\"path\":"
        "\"\\u003cscript\"},\"act\":{\"res\":\"block\",\"ban\":1},\"n\":9,"
        "\"rules\":[{\"id\":2001,\"ev\":\"x\"},{\"id\":2002}],\"h\":\"a\"}");

    ok(gs_alert_read(&s, &ev) == GS_OK, "an event");
    is_str(gs_str_make(ev.id.text, ev.id.len), "n1.3.1000", "id");
    is_str(gs_str_make(ev.source.text, ev.source.len), "2001:db8::/64",
           "the network is the source");
    is_str(gs_str_make(ev.target.text, ev.target.len), "gd gd-path", "target");
    is_str(gs_str_make(ev.critical.text, ev.critical.len), "license", "mark");
    is_int(ev.rule, 2001, "the first rule");
    is_int(ev.severity, 4, "grade");
    is_int(ev.n, 1, "one event, whatever was correlated");
    is_int(ev.action, GS_AUDIT_EVENT_BLOCK|GS_AUDIT_EVENT_BAN, "action");
    is_int(ev.time, 1795352916888598, "time");

    s = gs_str_text("{\"ty\":\"deny.agg\",\"t\":\"2026-11-22T21:08:36.888598"
        "+08:00\",\"n\":41,\"net\":\"10.0.0.1\",\"sev\":3,\"attack\":"
        "\"sqli\",\"rule\":7,\"sample\":\"ab\"}");

    ok(gs_alert_read(&s, &ev) == GS_OK, "counted ones");
    is_int(ev.n, 41, "with their number");

    s = gs_str_text("{\"ty\":\"tamper\",\"t\":\"2026-11-22T21:08:36.888598"
        "+08:00\"}");

    ok(gs_alert_read(&s, &ev) == GS_OK && ev.severity == 4, "tampering");

    s = gs_str_text("{\"ty\":\"sec\",\"t\":\"2026-11-22T21:08:36.888598"
        "+08:00\",\"attack\":\"xss\",\"src\":{\"ip\":\"[x](http://e)\\n"
        "\xe4\xb8\xad<b>\"}}");

    ok(gs_alert_read(&s, &ev) == GS_OK, "hostile words");
    is_str(gs_str_make(ev.source.text, ev.source.len), "xhttp://enb",
           "lose their signs");

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        s = gs_str_text(others[i].line);
        rc = gs_alert_read(&s, &ev);

        ok(rc == others[i].rc, "other: %s", others[i].line);
    }
}


static void
event(gs_alert_event_t *ev, const char *attack, const char *source,
    unsigned severity)
{
    gs_str_t  s;

    memset(ev, 0, sizeof(gs_alert_event_t));

    s = gs_str_text(attack);
    ev->attack = gs_audit_attack(&s);
    ev->time = 1795352916888598u;
    ev->n = 1;
    ev->severity = severity;
    ev->action = GS_AUDIT_EVENT_BLOCK;
    ev->rule = 2001;
    ev->source.len = (unsigned) strlen(source);
    memcpy(ev->source.text, source, strlen(source));
    memcpy(ev->target.text, "gd", 2);
    ev->target.len = 2;
    memcpy(ev->request.text, "3ad1", 4);
    ev->request.len = 4;
}


static void
test_group(void)
{
    unsigned             i;
    gs_alert_plan_t      plan;
    gs_alert_event_t     ev;
    gs_alert_round_t    *round;
    gs_alert_message_t   m;

    round = a_round();

    for (i = 0; i < 10; i++) {
        event(&ev, "sqli", "10.0.0.1", 3);
        ev.time += i * 1000000;
        gs_alert_add(round, &ev);
    }

    event(&ev, "xss", "10.0.0.1", 2);
    gs_alert_add(round, &ev);
    event(&ev, "sqli", "10.0.0.2", 4);
    gs_alert_add(round, &ev);
    event(&ev, "sqli", "10.0.0.1", 3);
    ev.target.len = 1;
    gs_alert_add(round, &ev);

    is_int(round->ngroups, 4, "by kind, source and target");
    is_int(round->n, 13, "all events");

    plan = gs_alert_plan(round, 4);
    is_int(plan.single, 4, "each by itself");
    is_int(plan.digest, 0, "no digest");

    gs_alert_message(&m, round, &plan, 0);
    is_int(round->groups[m.from].severity, 4, "the gravest first");
    gs_alert_message(&m, round, &plan, 1);
    is_int(gs_alert_count(&m), 10, "then the greatest");
    is_int(round->groups[m.from].last - round->groups[m.from].first, 9000000,
           "from first to last");

    plan = gs_alert_plan(round, 2);
    is_int(plan.single, 1, "one by itself");
    is_int(plan.digest, 1, "and a digest");
    gs_alert_message(&m, round, &plan, 1);
    is_int(gs_alert_count(&m), 12, "of the rest");

    plan = gs_alert_plan(round, 1);
    gs_alert_message(&m, round, &plan, 0);
    is_int(gs_alert_count(&m), 13, "one message tells all");
}


/* Ten thousand sources: bounded room, bounded messages, nothing uncounted. */

static void
test_storm(void)
{
    char                 text[32];
    uint64_t             n;
    unsigned             i;
    gs_alert_plan_t      plan;
    gs_alert_event_t     ev;
    gs_alert_round_t    *round;
    gs_alert_message_t   m;

    round = a_round();

    for (i = 0; i < 10000; i++) {
        snprintf(text, sizeof(text), "10.%u.%u.%u", i % 7, i / 256, i % 256);
        event(&ev, "sqli", text, 3);
        ev.n = 1 + i % 3;
        gs_alert_add(round, &ev);
    }

    is_int(round->ngroups, GS_ALERT_GROUPS, "a bounded table");

    plan = gs_alert_plan(round, 5);
    is_int(plan.single + plan.digest, 5, "five messages");

    for (i = 0, n = 0; i < plan.single + plan.digest; i++) {
        gs_alert_message(&m, round, &plan, i);
        n += gs_alert_count(&m);
    }

    is_int(n, 19999, "tell of every event");
}


static void
test_bucket(void)
{
    unsigned           i, n;
    gs_alert_bucket_t  b;

    gs_alert_bucket(&b, 10, 5000);
    is_int(gs_alert_tokens(&b, 5000), 10, "full at first");

    for (i = 0; i < 10; i++) {
        gs_alert_take(&b);
    }

    is_int(gs_alert_tokens(&b, 5000), 0, "empty");
    is_int(gs_alert_tokens(&b, 10999), 0, "not yet");
    is_int(gs_alert_tokens(&b, 11000), 1, "one in six seconds");
    gs_alert_take(&b);
    is_int(gs_alert_tokens(&b, 4000), 0, "a clock that goes back gives none");

    for (i = 0, n = 0; i < 3600; i++) {
        while (gs_alert_tokens(&b, 100000 + i * 1000) != 0) {
            gs_alert_take(&b);
            n++;
        }
    }

    ok(n >= 599 && n <= 610, "ten a minute over an hour: %u", n);
    is_int(gs_alert_tokens(&b, UINT64_MAX), 10, "never more than that");
}


/*
 * Computed with the openssl command:
 *
 *     printf '1700000000000\nSECtest' | openssl dgst -sha256 \
 *         -hmac SECtest -binary | base64
 *     printf '' | openssl dgst -sha256 -mac HMAC \
 *         -macopt hexkey:$(printf '1700000000\nSECtest' | xxd -p -c 99) \
 *         -binary | base64
 *     printf '1700000000.{}' | openssl dgst -sha256 -hmac SECtest
 */

static void
test_sign(void)
{
    char        text[GS_ALERT_SIGN];
    gs_buf_t    b;
    gs_str_t    secret, body;
    gs_uchar_t  dst[44];

    secret = gs_str_text("SECtest");

    ok(gs_alert_sign(dst, GS_ALERT_DINGTALK, &secret, 1700000000000) == GS_OK,
       "signed");
    is_str(gs_str_make(dst, 44), "aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g=",
           "the key is the secret");

    ok(gs_alert_sign(dst, GS_ALERT_FEISHU, &secret, 1700000000) == GS_OK,
       "signed");
    is_str(gs_str_make(dst, 44), "G7XpBpG8NgG02fJOAhX6FRAObIljmFoxVReo8I62pEk=",
           "the key is time and secret");

    gs_buf_init(&b, text, sizeof(text));
    ok(gs_alert_sign_target(&b, GS_ALERT_DINGTALK, &secret, 1700000000000)
       == GS_OK, "for the URL");
    is_str(gs_buf_view(&b), "&timestamp=1700000000000&sign="
           "aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g%3D",
           "encoded");

    ok(gs_alert_sign_target(&b, GS_ALERT_WECOM, &secret, 1) == GS_DECLINED,
       "others have nothing there");

    body = gs_str_text("{}");
    gs_buf_init(&b, text, sizeof(text));
    ok(gs_alert_sign_header(&b, &secret, 1700000000, &body) == GS_OK,
       "a header");
    is_str(gs_buf_view(&b), "t=1700000000,v1="
           "1ca9c1118f30667daf0291fe288dfba4f2a2cb00e7d978cc176d5b16d63877d6",
           "as hexadecimal");

    gs_buf_init(&b, text, 10);
    ok(gs_alert_sign_header(&b, &secret, 1, &body) == GS_ERROR, "no room");
}


static void
test_body(void)
{
    char                 text[GS_ALERT_BODY];
    size_t               n;
    gs_buf_t             b;
    gs_str_t             s, none, secret;
    unsigned             form, i;
    gs_alert_plan_t      plan;
    gs_alert_event_t     ev;
    gs_alert_round_t    *round;
    gs_alert_message_t   m;

    round = a_round();
    none = gs_str_text("");
    secret = gs_str_text("SECtest");

    memset(&m, 0, sizeof(gs_alert_message_t));
    m.node = gs_str_text("n1");
    m.time = 1700000000000000u;
    m.number = 17;
    m.lang = GS_ALERT_ZH;

    event(&ev, "sqli", "10.0.0.1", 3);
    memcpy(ev.critical.text, "license", 7);
    ev.critical.len = 7;
    ev.n = 12;
    gs_alert_add(round, &ev);

    plan = gs_alert_plan(round, 1);
    gs_alert_message(&m, round, &plan, 0);

    gs_buf_init(&b, text, sizeof(text));
    gs_alert_text(&b, &m);
    is_str(gs_buf_view(&b),
           "### 【高危】SQL 注入，12 次\n"
           "- 类别: 网络攻击 / 漏洞利用\n"
           "- 来源: 10.0.0.1\n"
           "- 目标: gd（电子证照）\n"
           "- 时间: 21:08:36 - 21:08:36\n"
           "- 处置: 已拦截 12\n"
           "- 规则: 2001\n"
           "- 样例请求: 3ad1\n"
           "- 下一步: 核对被攻击系统是否存在该漏洞，查看同一来源的其他请求，"
           "必要时封禁来源；误报时用 govsvc_rule_off 排除。\n"
           "- 节点: n1\n", "what people read");

    m.lang = GS_ALERT_EN;
    gs_buf_init(&b, text, sizeof(text));
    gs_alert_title(&b, &m);
    is_str(gs_buf_view(&b), "[high] SQL injection, 12 events", "in English");

    gs_buf_init(&b, text, sizeof(text));
    ok(gs_alert_body(&b, &m, GS_ALERT_FEISHU, &secret) == GS_OK, "a card");
    s = gs_buf_view(&b);
    is_int(count(&s, "{\"timestamp\":\"1700000000\",\"sign\":"
                 "\"G7XpBpG8NgG02fJOAhX6FRAObIljmFoxVReo8I62pEk=\","
                 "\"msg_type\":\"interactive\""), 1, "signed in the body");

    for (i = 0; i < 3000; i++) {
        snprintf(ev.source.text, GS_ALERT_WORD, "%.80d", (int) i);
        ev.source.len = 80;
        ev.target.len = GS_ALERT_WORD;
        memset(ev.target.text, 'x', GS_ALERT_WORD);
        ev.n = (uint64_t) 1 << 47;
        gs_alert_add(round, &ev);
    }

    plan = gs_alert_plan(round, 1);
    gs_alert_message(&m, round, &plan, 0);

    for (m.lang = GS_ALERT_ZH; ; m.lang = GS_ALERT_EN) {

        for (form = 0; form < GS_ALERT_FORMS; form++) {
            gs_buf_init(&b, text, sizeof(text));
            ok(gs_alert_body(&b, &m, (gs_alert_form_e) form, &none) == GS_OK,
               "the longest digest, form %u, %u bytes", form,
               (unsigned) gs_buf_len(&b));
        }

        gs_buf_init(&b, text, sizeof(text));
        gs_alert_text(&b, &m);
        ok(!b.overflow && gs_buf_len(&b) <= GS_ALERT_TEXT,
           "no robot takes more than 4096 bytes: %u",
           (unsigned) gs_buf_len(&b));

        if (m.lang == GS_ALERT_EN) {
            break;
        }
    }

    for (n = 0, i = 0; n < 600; n++) {
        gs_buf_init(&b, text, n);
        i += gs_alert_body(&b, &m, GS_ALERT_WECOM, &none) != GS_ERROR;
    }

    is_int(i, 0, "no body in too little room");
}


static void
test_answer(void)
{
    size_t             i;
    int64_t            code;
    gs_str_t           s;
    gs_alert_answer_e  answer;

    static const struct {
        gs_alert_form_e    form;
        unsigned           status;
        const char        *body;
        gs_alert_answer_e  want;
    } cases[] = {
        { GS_ALERT_CLOUDEVENTS, 200, "", GS_ALERT_TAKEN },
        { GS_ALERT_CLOUDEVENTS, 202, "x", GS_ALERT_TAKEN },
        { GS_ALERT_CLOUDEVENTS, 302, "", GS_ALERT_REFUSED },
        { GS_ALERT_CLOUDEVENTS, 401, "", GS_ALERT_REFUSED },
        { GS_ALERT_CLOUDEVENTS, 408, "", GS_ALERT_RETRY },
        { GS_ALERT_CLOUDEVENTS, 429, "", GS_ALERT_LIMITED },
        { GS_ALERT_CLOUDEVENTS, 500, "", GS_ALERT_RETRY },
        { GS_ALERT_DINGTALK, 200, "{\"errcode\":0,\"errmsg\":\"ok\"}",
          GS_ALERT_TAKEN },
        { GS_ALERT_DINGTALK, 200, "{\"errcode\":310000,\"errmsg\":\"sign\"}",
          GS_ALERT_REFUSED },
        { GS_ALERT_DINGTALK, 200, "{\"errcode\":130101}", GS_ALERT_LIMITED },
        { GS_ALERT_DINGTALK, 200, "{\"errcode\":-1}", GS_ALERT_RETRY },
        { GS_ALERT_DINGTALK, 200, "{\"errcode\":\"0\"}", GS_ALERT_TAKEN },
        { GS_ALERT_DINGTALK, 200, "{}", GS_ALERT_RETRY },
        { GS_ALERT_DINGTALK, 200, "", GS_ALERT_RETRY },
        { GS_ALERT_DINGTALK, 200, "<html>", GS_ALERT_RETRY },
        { GS_ALERT_DINGTALK, 200, "{\"a\":{\"errcode\":0}}",
          GS_ALERT_RETRY },
        { GS_ALERT_DINGTALK, 200, "{\"code\":0}", GS_ALERT_RETRY },
        { GS_ALERT_DINGTALK, 200, "{\"errcode\":0,\"errcode\":1}",
          GS_ALERT_RETRY },
        { GS_ALERT_DINGTALK, 200, "{\"errcode\":null}", GS_ALERT_RETRY },
        { GS_ALERT_FEISHU, 200, "{\"StatusCode\":0,\"code\":0,\"data\":{}}",
          GS_ALERT_TAKEN },
        { GS_ALERT_FEISHU, 200, "{\"code\":11232}", GS_ALERT_LIMITED },
        { GS_ALERT_FEISHU, 200, "{\"code\":19021}", GS_ALERT_REFUSED },
        { GS_ALERT_WECOM, 200, "{\"errcode\":45009}", GS_ALERT_LIMITED },
        { GS_ALERT_WECOM, 200, "{\"errcode\":93000}", GS_ALERT_REFUSED },
        { GS_ALERT_WECOM, 200, "{\"errcode\":7}", GS_ALERT_RETRY },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s = gs_str_text(cases[i].body);
        answer = gs_alert_answer(cases[i].form, cases[i].status, &s, &code);

        is_int(answer, cases[i].want, "%u %s", cases[i].status,
               cases[i].body);
    }
}


/*
 * Numbers of persons and credentials in every text of an event: neither the
 * line nor any message holds one.
 */

static void
test_person(void)
{
    char                  line[8192], body[GS_ALERT_BODY], text[256];
    size_t                i, head;
    gs_buf_t              b;
    gs_str_t              s, raw, secret;
    unsigned              form, k, found;
    gs_alert_plan_t       plan;
    gs_alert_event_t      ev;
    gs_alert_round_t     *round;
    gs_audit_event_t      event;
    gs_alert_message_t    m;

    static const char *const  corpus[] = {
        "11010519491231002X", "440524188001010014", "13712349050",
        "8613712349050", "6225750000001491", "4111111111111111",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "f3Ab9z0QpL7mN2tY5uK8wR1xE4"
    };

    static const char *const  around[] = {
        "%s", "id=%s&x=<script>", "' or '%s'='", "{\"a\": \"%s\"}",
        "/x/%s/../../etc/passwd", "token=%s", "\xe8\xba\xab\xe4\xbb\xbd%s;"
    };

    secret = gs_str_text("s");
    found = 0;

    for (i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++) {

        for (k = 0; k < sizeof(around) / sizeof(around[0]); k++) {
            snprintf(text, sizeof(text), around[k], corpus[i]);
            raw = gs_str_text(text);

            memset(&event, 0, sizeof(gs_audit_event_t));
            s = gs_str_text("sqli");
            event.attack = gs_audit_attack(&s);
            event.node = gs_str_text("n1");
            event.time = 1795352916888598u;
            event.platform = raw;
            event.route = raw;
            event.app = raw;
            event.host = raw;
            event.path = raw;
            event.method = raw;
            event.key = raw;
            event.nrules = 1;
            event.rules[0].id = 1;
            event.rules[0].name = raw;
            event.rules[0].target = raw;
            event.rules[0].sample = raw;

            gs_buf_init(&b, line, sizeof(line));
            head = gs_audit_json_event(&b, &event);
            s = gs_buf_view(&b);

            found += (head == 0 || count(&s, corpus[i]) != 0);

            gs_buf_char(&b, '}');
            s = gs_buf_view(&b);
            round = a_round();

            if (gs_alert_read(&s, &ev) != GS_OK) {
                found++;
                continue;
            }

            gs_alert_add(round, &ev);
            plan = gs_alert_plan(round, 1);

            memset(&m, 0, sizeof(gs_alert_message_t));
            m.node = event.node;
            gs_alert_message(&m, round, &plan, 0);

            for (form = 0; form < GS_ALERT_FORMS; form++) {
                gs_buf_init(&b, body, sizeof(body));
                found += gs_alert_body(&b, &m, (gs_alert_form_e) form,
                                       &secret)
                         != GS_OK;
                s = gs_buf_view(&b);
                found += (count(&s, corpus[i]) != 0);
            }
        }
    }

    is_int(found, 0, "no number of a person, no credential anywhere");
}


static unsigned
count(const gs_str_t *s, const char *text)
{
    size_t    i;
    unsigned  n;

    for (i = 0, n = 0; i + strlen(text) <= s->len; i++) {
        n += (memcmp(s->data + i, text, strlen(text)) == 0);
    }

    return n;
}
