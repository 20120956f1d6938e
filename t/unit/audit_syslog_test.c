
/*
 * Copyright (C) govsvc authors
 *
 * Messages of RFC 5424: form, escapes, lengths, lines of the store.
 */


#include "audit/gs_audit_json.h"
#include "audit/gs_audit_event.h"
#include "audit/gs_audit_syslog.h"
#include "tap.h"

#include <string.h>


static void fresh(void);
static void test_form(void);
static void test_hostile(void);
static void test_names(void);
static void test_small(void);
static void test_line(void);
static void test_words(void);
static int is_text(const char *expected, const char *what);


static gs_uchar_t         room[16384];
static gs_buf_t           b;
static gs_audit_syslog_t  m;


int
main(void)
{
    test_form();
    test_hostile();
    test_names();
    test_small();
    test_line();
    test_words();

    return done_testing();
}


static void
fresh(void)
{
    memset(&m, 0, sizeof(m));

    m.facility = 13;
    m.severity = GS_AUDIT_SYSLOG_INFO;
    m.time = gs_str_text("2026-11-22T13:08:36.888598+08:00");
    m.host = gs_str_text("gw-1");
    m.app = gs_str_text("govsvc");
    m.id = gs_str_text("http");
    m.sd = gs_str_text("govsvc@32473");

    gs_buf_init(&b, room, sizeof(room));
}


static int
is_text(const char *expected, const char *what)
{
    gs_str_t  s;

    s = gs_buf_view(&b);

    return ok(gs_str_eq_text(&s, expected), "%s: %.*s", what, (int) s.len,
              (const char *) s.data);
}


static void
test_form(void)
{
    gs_str_t  value;

    fresh();
    m.text = gs_str_text("{\"a\":1}");
    value = gs_str_text("gw.1.2");
    gs_audit_syslog_number(&m, "n", 18446744073709551615ULL);
    gs_audit_syslog_param(&m, "id", &value);

    ok(gs_audit_syslog_write(&b, &m) == GS_OK, "written");
    is_text("<110>1 2026-11-22T13:08:36.888598+08:00 gw-1 govsvc - http "
            "[govsvc@32473 n=\"18446744073709551615\" id=\"gw.1.2\"] "
            "\xef\xbb\xbf{\"a\":1}", "the whole");

    fresh();
    m.host.len = 0;
    m.time = gs_str_text("yesterday");
    m.sd.len = 0;
    m.facility = 0;
    m.severity = GS_AUDIT_SYSLOG_EMERG;
    ok(gs_audit_syslog_write(&b, &m) == GS_OK, "what is absent");
    is_text("<0>1 - - govsvc - http -", "is a dash");

    fresh();
    m.time = gs_str_text("2026-11-22t13:08:36z");
    ok(gs_audit_syslog_write(&b, &m) == GS_OK, "lower case in a time");
    is_text("<110>1 - gw-1 govsvc - http [govsvc@32473]", "is none");

    /* what RFC 3339 takes and RFC 5424 does not */

    fresh();
    m.time = gs_str_text("2026-11-22T13:08:36.8885981Z");
    ok(gs_audit_syslog_write(&b, &m) == GS_OK, "seven digits of a second");
    is_text("<110>1 - gw-1 govsvc - http [govsvc@32473]", "are too many");

    fresh();
    m.time = gs_str_text("2026-12-31T23:59:60Z");
    ok(gs_audit_syslog_write(&b, &m) == GS_OK, "a leap second");
    is_text("<110>1 - gw-1 govsvc - http [govsvc@32473]", "is none there");
}


static void
test_hostile(void)
{
    gs_str_t  value;

    fresh();
    value = gs_str_make("a\"b]c\\d\ne\0f\x7f\xff\xe4\xb8\xad\xe2\x80\xae",
                        19);
    gs_audit_syslog_param(&m, "v", &value);
    m.text = gs_str_make("\"]\\\n<1>1 - x\r\0\xc0\xaf\xc2\x80", 18);
    ok(gs_audit_syslog_write(&b, &m) == GS_OK, "hostile bytes");
    is_text("<110>1 2026-11-22T13:08:36.888598+08:00 gw-1 govsvc - http "
            "[govsvc@32473 v=\"a\\\"b\\]c\\\\d#012e#000f#177\xef\xbf\xbd"
            "\xe4\xb8\xad\xef\xbf\xbd\"] \xef\xbb\xbf\"]\\#012<1>1 - x#015#000"
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "are not believed");

    fresh();
    m.host = gs_str_make("a b\n\xe4]", 6);
    m.id = gs_str_text("x\" y");
    m.sd = gs_str_text("a]b@1");
    ok(gs_audit_syslog_write(&b, &m) == GS_OK, "hostile names");
    is_text("<110>1 2026-11-22T13:08:36.888598+08:00 a_b__] govsvc - x\"_y -",
            "keep to their field");
}


static void
test_names(void)
{
    char       text[300];
    unsigned   i;
    gs_str_t   value;

    memset(text, 'x', sizeof(text));

    fresh();
    m.host = gs_str_make(text, 300);
    m.app = gs_str_make(text, 300);
    m.proc = gs_str_make(text, 300);
    m.id = gs_str_make(text, 300);
    m.sd.len = 0;
    ok(gs_audit_syslog_write(&b, &m) == GS_OK
       && gs_buf_len(&b) == 7 + 32 + 4 + 255 + 48 + 128 + 32 + 2,
       "names are cut: %u", (unsigned) gs_buf_len(&b));

    fresh();
    value = gs_str_text("1");

    for (i = 0; i < GS_AUDIT_SYSLOG_PARAMS + 3; i++) {
        gs_audit_syslog_param(&m, "p", &value);
        gs_audit_syslog_number(&m, "p", 1);
    }

    ok(m.nparams == GS_AUDIT_SYSLOG_PARAMS, "no more parameters than fit");
}


static void
test_small(void)
{
    size_t    i, len;
    unsigned  wrong;
    gs_str_t  value;

    fresh();
    value = gs_str_make("]\n\xff", 3);
    gs_audit_syslog_param(&m, "v", &value);
    m.text = gs_str_text("text");
    (void) gs_audit_syslog_write(&b, &m);
    len = gs_buf_len(&b);

    for (i = 0, wrong = 0; i < len; i++) {
        gs_buf_init(&b, room, i);
        wrong += gs_audit_syslog_write(&b, &m) != GS_ERROR;
    }

    ok(wrong == 0, "too small by any number of bytes is an error");
}


/* The grade of an event is its severity. */

static void
test_event(unsigned grade, unsigned severity)
{
    size_t            head;
    gs_buf_t          d, l;
    gs_str_t          chain, draft, line;
    gs_uchar_t        text[8192], out[8192];
    gs_audit_chain_t  hash;
    gs_audit_event_t  event;

    memset(&event, 0, sizeof(event));
    event.node = gs_str_text("gw");
    event.severity = grade;
    event.attack = gs_audit_attack_at(0);

    gs_buf_init(&d, text, sizeof(text));
    gs_buf_init(&l, out, sizeof(out));
    head = gs_audit_json_event(&d, &event);
    draft = gs_buf_view(&d);
    chain = gs_str_text("gw.3.w0.1");

    gs_audit_chain_init(&hash, GS_AUDIT_SHA256);
    gs_audit_chain_start(&hash);
    gs_audit_json_line(&l, &hash, &chain, 12, &draft, head);
    line = gs_str_make(out, gs_buf_len(&l) - 1);

    fresh();
    ok(gs_audit_syslog_line(&m, &line, 0) == GS_OK && m.severity == severity,
       "an event of grade %u", grade);

    gs_audit_chain_free(&hash);
}


static void
test_line(void)
{
    size_t             head;
    gs_buf_t           d, l;
    gs_str_t           chain, draft, line;
    gs_uchar_t         text[8192], out[8192];
    gs_audit_loss_t    loss;
    gs_audit_chain_t   hash;

    memset(&loss, 0, sizeof(loss));
    loss.node = gs_str_text("gw");
    loss.epoch = 3;
    loss.g = 7;
    loss.time = 1000000;
    loss.n = 4;
    loss.cls = "write";
    loss.why = "buffer full";

    gs_buf_init(&d, text, sizeof(text));
    gs_buf_init(&l, out, sizeof(out));
    head = gs_audit_json_loss(&d, &loss);
    draft = gs_buf_view(&d);
    chain = gs_str_text("gw.3.w0.1");

    ok(gs_audit_chain_init(&hash, GS_AUDIT_SHA256) == GS_OK, "a hash");
    gs_audit_chain_start(&hash);
    ok(gs_audit_json_line(&l, &hash, &chain, 12, &draft, head) == GS_OK,
       "a line");
    line = gs_str_make(out, gs_buf_len(&l) - 1);

    fresh();
    ok(gs_audit_syslog_line(&m, &line, 0) == GS_OK
       && m.severity == GS_AUDIT_SYSLOG_CRIT
       && gs_str_eq_text(&m.id, "loss") && m.nparams == 3
       && gs_str_eq_text(&m.params[0].value, "gw.3.7")
       && gs_str_eq_text(&m.params[1].value, "gw.3.w0.1")
       && gs_str_eq_text(&m.params[2].value, "12")
       && gs_str_eq(&m.text, &line), "what is told of it");

    fresh();
    ok(gs_audit_syslog_line(&m, &line, 100) == GS_OK && m.text.len == 0
       && m.nparams == 5 && strcmp(m.params[4].name, "h") == 0
       && memcmp(m.params[4].value.data, out + line.len - 45, 43) == 0,
       "a line that is too long is told of by its hash");

    fresh();
    line.len--;
    ok(gs_audit_syslog_line(&m, &line, 0) == GS_ERROR, "no line");

    test_event(2, GS_AUDIT_SYSLOG_WARNING);
    test_event(3, GS_AUDIT_SYSLOG_ERR);
    test_event(4, GS_AUDIT_SYSLOG_CRIT);

    gs_audit_chain_free(&hash);
}


static void
test_words(void)
{
    gs_str_t  s;
    unsigned  n;

    s = gs_str_text("local7");
    ok(gs_audit_syslog_facility(&s, &n) == GS_OK && n == 23, "local7");
    s = gs_str_text("audit");
    ok(gs_audit_syslog_facility(&s, &n) == GS_OK && n == 13, "audit");
    s = gs_str_text("local8");
    ok(gs_audit_syslog_facility(&s, &n) == GS_ERROR, "local8");

    s = gs_str_text("a@1.2");
    ok(gs_audit_syslog_sd(&s), "a name with a number");
    s = gs_str_text("a@");
    ok(!gs_audit_syslog_sd(&s), "no number");
    s = gs_str_text("@1");
    ok(!gs_audit_syslog_sd(&s), "no name");
    s = gs_str_text("timeQuality");
    ok(!gs_audit_syslog_sd(&s), "a registered one is not ours");
    s = gs_str_text("abcdefghijklmnopqrstuvwxyz0123@12");
    ok(!gs_audit_syslog_sd(&s), "33 bytes");
    s = gs_str_text("a b@1");
    ok(!gs_audit_syslog_sd(&s), "a blank");
}
