
/*
 * Copyright (C) govsvc authors
 *
 * Security events: the line, the grades, and what never stands in it.
 */


#include "tap.h"
#include "audit/gs_audit_event.h"
#include "audit/gs_audit_json.h"


static void test_line(void);
static void test_severity(void);
static void test_evidence(void);
static void test_small(void);
static void test_attacks(void);
static int has(const gs_buf_t *b, const char *text);
static void fill(gs_audit_event_t *ev);


int
main(void)
{
    test_line();
    test_severity();
    test_evidence();
    test_small();
    test_attacks();

    return done_testing();
}


static void
fill(gs_audit_event_t *ev)
{
    gs_str_t  name;

    memset(ev, 0, sizeof(gs_audit_event_t));

    name = gs_str_text("sqli");

    ev->node = gs_str_text("n1");
    ev->epoch = 3;
    ev->g = 1000;
    ev->time = 1795352916888598u;
    ev->request_id = gs_str_text("3ad10000000000000000000000000000");
    ev->attack = gs_audit_attack(&name);
    ev->severity = 3;
    ev->ip = gs_str_text("203.0.113.9");
    ev->port = 33492;
    ev->platform = gs_str_text("gd");
    ev->route = gs_str_text("gd-path");
    ev->method = gs_str_text("GET");
    ev->host = gs_str_text("gd.gov.example");
    ev->path = gs_str_text("/44/list");
    ev->status = 403;
    ev->action = GS_AUDIT_EVENT_BLOCK|GS_AUDIT_EVENT_BAN;
    ev->code = gs_str_text("RULE_BLOCKED");
    ev->score = 5;
    ev->hits = 1;
    ev->nrules = 1;
    ev->rules[0].id = 2001;
    ev->rules[0].name = gs_str_text("sqli-union");
    ev->rules[0].target = gs_str_text("arg:id");
    ev->rules[0].view = gs_str_text("deep");
    ev->rules[0].sample = gs_str_text("1 union select a");
}


static void
test_line(void)
{
    char              text[8192];
    size_t            head;
    gs_buf_t          b;
    gs_audit_event_t  ev;

    fill(&ev);
    gs_buf_init(&b, text, sizeof(text));
    head = gs_audit_json_event(&b, &ev);

    is_str(gs_str_make(text, head), "{\"v\":1,\"id\":\"n1.3.1000\","
           "\"ty\":\"sec\"", "the head");
    is_str(gs_str_make(text + head, gs_buf_len(&b) - head),
           ",\"g\":1000,\"t\":\"2026-11-22T21:08:36.888598+08:00\","
           "\"req\":\"3ad10000000000000000000000000000\",\"sev\":3,"
           "\"attack\":\"sqli\",\"cat\":\"网络攻击\",\"sub\":\"漏洞利用\","
           "\"src\":{\"ip\":\"203.0.113.9\",\"port\":33492},"
           "\"dst\":{\"platform\":\"gd\",\"route\":\"gd-path\","
           "\"host\":\"gd.gov.example\",\"m\":\"GET\",\"path\":\"/44/list\"},"
           "\"act\":{\"res\":\"block\",\"ban\":1,\"status\":403,"
           "\"code\":\"RULE_BLOCKED\"},\"score\":5,\"hits\":1,\"rules\":"
           "[{\"id\":2001,\"name\":\"sqli-union\",\"at\":\"arg:id\","
           "\"view\":\"deep\",\"ev\":\"1 union select a\"}]", "the rest");

    ev.country = gs_str_text("CN");
    ev.province = 440000;
    ev.asn = 4294967295u;
    gs_buf_init(&b, text, sizeof(text));
    (void) gs_audit_json_event(&b, &ev);

    ok(has(&b, "\"port\":33492,\"country\":\"CN\",\"province\":440000,"
           "\"asn\":4294967295}"),
       "where the source is");

    ev.country.len = 0;
    ev.province = 0;
    ev.asn = 0;
    memset(&ev.ip, 0, sizeof(gs_str_t));
    ev.port = 0;
    gs_buf_init(&b, text, sizeof(text));
    (void) gs_audit_json_event(&b, &ev);

    ok(!has(&b, "\"src\""), "nothing of a source that is not known");
}


static void
test_severity(void)
{
    gs_audit_event_t  ev;

    fill(&ev);
    is_int(gs_audit_event_severity(&ev), 3, "that of the rule");

    ev.critical = gs_str_text("license");
    is_int(gs_audit_event_severity(&ev), 4, "a grade more");

    ev.severity = 4;
    is_int(gs_audit_event_severity(&ev), 4, "four is the last");

    ev.severity = 0;
    ev.critical.len = 0;
    is_int(gs_audit_event_severity(&ev), 3, "that of the kind");
}


static void
test_evidence(void)
{
    size_t        i, len;
    gs_str_t      target, sample;
    gs_uchar_t    dst[GS_AUDIT_EVENT_EVIDENCE];

    static const struct {
        const char  *target;
        const char  *sample;
        const char  *want;
    } cases[] = {
        { "arg:q", "1' or '1'='1", "1' or '1'='1" },
        { "arg:q", "../../etc/passwd", "../../etc/passwd" },
        { "arg:id", "11010519491231002X' or 1=1",
          "1****************X' or 1=1" },
        { "arg:m", "13712349050", "137****9050" },
        { "json:a", "6225750000001491<script>", "************1491<script>" },
        { "header:Authorization", "Bearer abc", "***" },
        { "header:authorization", "x", "***" },
        { "cookie:sid", "1' or 1", "***" },
        { "cookies", "a", "***" },
        { "arg:access_token", "abc", "***" },
        { "json:user.password", "' or 1=1", "***" },
        { "body", "{\"password\": \"hunter2\", \"a\": \"<script>\"}",
          "{\"password\": \"***\", \"a\": \"<script>\"}" },
        { "body", "a=1&token=s3cr3t&b=<svg", "a=1&token=***&b=<svg" },
        { "body", "Authorization: Bearer abcdef x",
          "Authorization: Bearer *** x" },
        { "args", "x=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abcd&y=1",
          "x=***&y=1" },
        { "args", "x=f3Ab9z0QpL7mN2tY5uK8wR1&y=<a", "x=***&y=<a" },
        { "args", "the-quick-brown-fox-jumps-over.html",
          "the-quick-brown-fox-jumps-over.html" },
        { "args", "张三丰' or 1=1-- 李", "张**' or 1=1-- 李" },
        { "args", "阿不都·买买提，<b>", "阿**·买**，<b>" },
        { "args", "n=%E5%BC%A0%e4%b8%89'x", "n=%E5%BC%A0*'x" },
        { "args", "n=\\u5f20\\u4e09'x", "n=\\u5f20*'x" },
        { "args", "n=\\u5f2", "n=\\u5f2" },
        { "args", "n=%E5%BC", "n=%E5%BC" },
        { "args", "\xe5\xbc", "\xe5\xbc" },
        { "args", "\xf0\xa0\xae\xb7\xf0\xa0\xae\xb7x",
          "\xf0\xa0\xae\xb7*x" },
        { "args", "＜script＞", "＜script＞" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        target = gs_str_text(cases[i].target);
        sample = gs_str_text(cases[i].sample);

        len = gs_audit_event_evidence(dst, &target, &sample);

        is_str(gs_str_make(dst, len), cases[i].want, "%s of %s",
               cases[i].sample, cases[i].target);
    }

    sample = gs_str_text("<script>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa中中中中中");
    target = gs_str_text("arg:q");
    len = gs_audit_event_evidence(dst, &target, &sample);

    ok(len <= GS_AUDIT_EVENT_EVIDENCE, "cut at 80 bytes");
}


/* Whatever the room, the line is whole or not there. */

static void
test_small(void)
{
    char              text[8192];
    size_t            n, head, whole;
    gs_buf_t          b;
    unsigned          bad;
    gs_audit_event_t  ev;

    fill(&ev);
    gs_buf_init(&b, text, sizeof(text));
    (void) gs_audit_json_event(&b, &ev);
    whole = gs_buf_len(&b);
    bad = 0;

    for (n = 0; n < whole; n++) {
        gs_buf_init(&b, text, n);
        head = gs_audit_json_event(&b, &ev);
        bad += (head != 0 || gs_buf_len(&b) != 0);
    }

    is_int(bad, 0, "nothing in too little room");
}


static void
test_attacks(void)
{
    gs_str_t     name;
    unsigned     i;
    const char  *text;

    for (i = 0; gs_audit_attack_at(i) != NULL; i++) {
        text = gs_audit_attack_at(i)->name;
        name = gs_str_text(text);

        ok(gs_audit_attack(&name) == gs_audit_attack_at(i)
           && gs_audit_attack_name(gs_audit_attack_number(text)) == text,
           "%s is found", text);
    }

    name = gs_str_text("nonsense");

    ok(strcmp(gs_audit_attack(&name)->name, "other") == 0, "others");
    is_int(gs_audit_attack_number(NULL), 0, "none has no number");
    ok(gs_audit_attack_name(0) == NULL && gs_audit_attack_name(999) == NULL,
       "and no number of none has a name");
}


static int
has(const gs_buf_t *b, const char *text)
{
    size_t    i;
    gs_str_t  s, part;

    s = gs_str_make(b->start, gs_buf_len(b));

    for (i = 0; i + strlen(text) <= s.len; i++) {
        part = gs_str_make(s.data + i, strlen(text));

        if (gs_str_eq_text(&part, text)) {
            return 1;
        }
    }

    return 0;
}
