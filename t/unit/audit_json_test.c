
/*
 * Copyright (C) govsvc authors
 *
 * Records as lines: the fixed form, absent fields, escaping, masks, cuts.
 */


#include "audit/gs_audit_json.h"
#include "audit/gs_audit_verify.h"
#include "core/gs_utf8.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


static void base(gs_audit_record_t *rec);
static gs_str_t compose(const gs_audit_record_t *rec);
static int has(const char *text);
static void test_full(void);
static void test_minimal(void);
static void test_hostile(void);
static void test_cut(void);
static void test_worst(void);
static void test_loss(void);
static void test_stages(void);
static void test_other(void);
static void test_small(void);


static char    draft[GS_AUDIT_DRAFT_MAX];
static char    line[GS_AUDIT_LINE_MAX];
static size_t  head;


int
main(void)
{
    test_full();
    test_minimal();
    test_hostile();
    test_cut();
    test_worst();
    test_loss();
    test_stages();
    test_other();
    test_small();

    return done_testing();
}


static void
base(gs_audit_record_t *rec)
{
    memset(rec, 0, sizeof(gs_audit_record_t));

    rec->node = gs_str_text("gd01");
    rec->epoch = 3;
    rec->g = 1000;
    rec->time = 1795324116888598ull;
    rec->mono = 81233445566ull;
    rec->request_id = gs_str_text("0123456789abcdef0123456789abcdef");
    rec->ip = gs_str_text("10.32.130.60");
    rec->method = gs_str_text("GET");
    rec->path = gs_str_text("/");
    rec->version = "1.1";
    rec->status = 200;
}


/* The draft as chain line number 1, without seal and LF. */

static gs_str_t
compose(const gs_audit_record_t *rec)
{
    gs_buf_t          b;
    gs_str_t          d, name;
    gs_audit_chain_t  chain;

    gs_buf_init(&b, draft, sizeof(draft));
    head = gs_audit_json_http(&b, rec);
    d = gs_buf_view(&b);

    if (head == 0 || gs_audit_chain_init(&chain, GS_AUDIT_SM3) != GS_OK) {
        return gs_str_make(NULL, 0);
    }

    name = gs_str_text("gd01.3.w0.17");
    gs_buf_init(&b, line, sizeof(line));

    if (gs_audit_json_line(&b, &chain, &name, 1, &d, head) != GS_OK) {
        b.pos = b.start;
    }

    gs_audit_chain_free(&chain);

    d = gs_buf_view(&b);

    if (d.len > GS_AUDIT_SEAL + 1) {
        d.len -= GS_AUDIT_SEAL + 1;
    }

    line[d.len] = '\0';

    return d;
}


static int
has(const char *text)
{
    return strstr(line, text) != NULL;
}


static void
test_full(void)
{
    gs_audit_record_t  rec;

    base(&rec);

    rec.trace_id = gs_str_text("fedcba9876543210fedcba9876543210");
    rec.span_id = gs_str_text("ffbf4ac3ba004330");
    rec.peer = gs_str_text("10.0.0.1");
    rec.port = 33492;
    rec.method = gs_str_text("POST");
    rec.host = gs_str_text("gd.gov.example");
    rec.path = gs_str_text("/cases");
    rec.args = gs_str_text("type=1&name=%E5%BC%A0&&=x&flag");
    rec.version = "2";
    rec.bytes_in = 1615;
    rec.bytes_out = 6879;
    rec.duration = 96210;
    rec.pid = gs_str_text("p7:Q5qAj024px7SOwG_po7trg");
    rec.kind = gs_str_text("natural");
    rec.level = 3;
    rec.issuer = gs_str_text("https://gd.example/");
    rec.token = "valid";
    rec.item = gs_str_text("11440232MB2D06811W4000117051000");
    rec.case_no = gs_str_text("6225750000001496");
    rec.region = gs_str_text("440232");
    rec.platform = gs_str_text("gd-yss");
    rec.pool = gs_str_text("gd-web");
    rec.channel = gs_str_text("app");
    rec.app = gs_str_text("yss_demo");
    rec.rule = 102;
    rec.limit = "ok";
    rec.up_addr = gs_str_text("10.1.2.3:8080");
    rec.up_status = 200;
    rec.up_tries = 2;
    rec.up_duration = 91000;
    rec.user_agent = gs_str_text("curl/7.88.1");
    rec.referer = gs_str_text("https://gd.gov.example/a?token=SECRET#x");

    is_str(compose(&rec),
           "{\"v\":1,\"id\":\"gd01.3.1000\",\"ty\":\"http\",\"st\":\"done\","
           "\"ch\":\"gd01.3.w0.17\",\"seq\":1,\"g\":1000,"
           "\"t\":\"2026-11-22T13:08:36.888598+08:00\",\"mono\":81233445566,"
           "\"req\":\"0123456789abcdef0123456789abcdef\","
           "\"tr\":\"fedcba9876543210fedcba9876543210\","
           "\"sp\":\"ffbf4ac3ba004330\","
           "\"src\":{\"ip\":\"10.32.130.60\",\"port\":33492,"
           "\"peer\":\"10.0.0.1\"},"
           "\"http\":{\"m\":\"POST\",\"host\":\"gd.gov.example\","
           "\"path\":\"/cases\",\"qk\":[\"type\",\"name\",\"flag\"],"
           "\"ver\":\"2\",\"status\":200,\"in\":1615,\"out\":6879,"
           "\"us\":96210},"
           "\"sub\":{\"pid\":\"p7:Q5qAj024px7SOwG_po7trg\","
           "\"kind\":\"natural\",\"aal\":3},"
           "\"tok\":{\"iss\":\"https://gd.example/\",\"res\":\"valid\"},"
           "\"gov\":{\"item\":\"11440232MB2D06811W4000117051000\","
           "\"case\":\"6225750000001496\",\"region\":\"440232\","
           "\"platform\":\"gd-yss\",\"pool\":\"gd-web\","
           "\"channel\":\"app\",\"app\":\"yss_demo\"},"
           "\"dec\":{\"act\":\"allow\",\"rule\":102,\"rl\":\"ok\"},"
           "\"up\":{\"addr\":\"10.1.2.3:8080\",\"status\":200,\"us\":91000,"
           "\"tries\":2},"
           "\"ua\":\"curl/7.88.1\","
           "\"referer\":\"https://gd.gov.example/a?\"",
           "every field, in its place");
}


static void
test_minimal(void)
{
    gs_audit_record_t  rec;

    memset(&rec, 0, sizeof(rec));

    rec.node = gs_str_text("n");
    rec.g = 1;
    rec.denied = 1;
    rec.code = gs_str_text("HTTP_400");
    rec.status = 400;

    is_str(compose(&rec),
           "{\"v\":1,\"id\":\"n.0.1\",\"ty\":\"http\",\"st\":\"done\","
           "\"ch\":\"gd01.3.w0.17\",\"seq\":1,\"g\":1,"
           "\"t\":\"1970-01-01T08:00:00.000000+08:00\",\"mono\":0,"
           "\"http\":{\"status\":400,\"in\":0,\"out\":0,\"us\":0},"
           "\"dec\":{\"act\":\"deny\",\"code\":\"HTTP_400\"}",
           "what is absent is left out, with its object");
}


static void
test_hostile(void)
{
    gs_audit_record_t  rec;

    base(&rec);

    rec.path = gs_str_make("/\xff\xfe\n\"\\<\xe2\x80\xae", 10);
    (void) compose(&rec);
    ok(has("\"path\":\"/\\ufffd\\ufffd\\u000a\\\"\\\\\\u003c\\u202e\","
           "\"path_b64\":\"L__-CiJcPOKArg\""), "bytes of a path: %s", line);

    base(&rec);
    rec.path = gs_str_text("/u/11010519491231002X/13712349050");
    rec.args = gs_str_text("11010519491231002X&%31%33712349050=1");
    rec.user_agent = gs_str_text("app 4111111111111111");
    rec.referer = gs_str_text("http://a/%31%33712349050/?q=13712349050");
    rec.case_no = gs_str_text("11010519491231002X");
    (void) compose(&rec);
    ok(has("\"path\":\"/u/1****************X/137****9050\""), "path");
    ok(has("\"qk\":[\"1****************X\",\"137****9050\"]"), "names");
    ok(has("\"ua\":\"app ************1111\""), "user agent");
    ok(has("\"referer\":\"http://a/137****9050/?\""), "referer");
    ok(has("\"case\":\"1****************X\""), "a person as a case number");

    base(&rec);
    rec.path = gs_str_text("/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbm"
                           "F0/eyJ/keyJhbGciOiJIUzI1NiJ9.a.b/eyJoZXJlLXRoZXJl"
                           "X25vX2RvdA/x.eyJ");
    rec.referer = gs_str_text("http://a/eyJhbGciOiJIUzI1N.eyJzdWIiOiIxIn0.c");
    (void) compose(&rec);
    ok(has("\"path\":\"/reset/***/eyJ/keyJhbGciOiJIUzI1NiJ9.a.b/"
           "eyJoZXJlLXRoZXJlX25vX2RvdA/x.eyJ\""), "tokens in a path: %s",
       line);
    ok(has("\"referer\":\"http://a/***\""), "and in a referer");

    base(&rec);
    rec.path = gs_str_make("/\xff/11010519491231002X", 21);
    (void) compose(&rec);
    ok(has("\"path_b64\":\"L_8vMSoqKioqKioqKioqKioqKipY\""),
       "the twin is masked, too: %s", line);

    base(&rec);
    rec.referer = gs_str_text("http://a/#id=13712349050?x");
    (void) compose(&rec);
    ok(has("\"referer\":\"http://a/\""), "a fragment is dropped");
}


static void
test_cut(void)
{
    char                text[4000];
    size_t              i;
    gs_audit_record_t   rec;

    base(&rec);
    memset(text, 'a', sizeof(text));

    rec.path = gs_str_make(text, 1024);
    (void) compose(&rec);
    ok(!has("\"cut\""), "1024 bytes of path stay");

    rec.path = gs_str_make(text, 1025);
    (void) compose(&rec);
    ok(has("\"cut\":[\"path\"]"), "1025 are cut");

    rec.user_agent = gs_str_make(text, sizeof(text));
    (void) compose(&rec);
    ok(has("\"cut\":[\"path\",\"ua\"]"), "two cuts");

    /* a number on the edge does not lose its mask with its end */

    memset(text, '/', sizeof(text));

    for (i = 1000; i < 1030; i++) {
        memcpy(text + i, "11010519491231002X", 18);
        rec.path = gs_str_make(text, sizeof(text));
        (void) compose(&rec);

        if (has("11010")) {
            break;
        }

        memset(text + i, '/', 18);
    }

    is_int((int64_t) i, 1030, "a number on the edge stays masked");

    /* nor a character its bytes */

    for (i = 0; i < sizeof(text) - 3; i += 3) {
        memcpy(text + i, "\xe6\xb2\x99", 3);
    }

    for (i = 1; i < 4; i++) {
        rec.path = gs_str_make(text, 1200 + i);
        rec.user_agent = gs_str_make(text, 400);
        (void) compose(&rec);
        ok(!has("path_b64") && !has("ua_b64"), "characters stay whole");
    }

    for (i = 0; i + 2 < sizeof(text); i += 2) {
        memcpy(text + i, "a&", 2);
    }

    base(&rec);
    rec.args = gs_str_make(text, 80);
    (void) compose(&rec);
    ok(has("\"cut\":[\"qk\"]"), "40 names are cut to 32");
}


static void
test_worst(void)
{
    int                 c;
    char                text[4000];
    gs_str_t            s, d;
    unsigned            wrong;
    gs_audit_record_t   rec;

    wrong = 0;

    for (c = 0; c < 256; c++) {
        memset(text, c, sizeof(text));
        s = gs_str_make(text, sizeof(text));

        base(&rec);
        rec.method = rec.host = rec.path = rec.args = s;
        rec.issuer = rec.item = rec.case_no = rec.region = s;
        rec.platform = rec.pool = rec.channel = rec.app = s;
        rec.handle = rec.scheme = s;
        rec.intent = UINT64_MAX;
        rec.body_alg = "sha256";
        rec.body_len = UINT64_MAX;

        for (rec.nheaders = 0; rec.nheaders < GS_AUDIT_HEADERS;
             rec.nheaders++)
        {
            rec.headers[rec.nheaders].name = s;
            rec.headers[rec.nheaders].value = s;
        }
        rec.up_addr = rec.user_agent = rec.referer = s;
        rec.up_tries = 1;

        d = compose(&rec);
        wrong += (d.len == 0 || !gs_utf8_valid(&d)
                  || memchr(line, '\n', d.len) != NULL);
    }

    is_int(wrong, 0, "every byte in every field, 4000 times, fits a line");
}


static void
test_loss(void)
{
    gs_buf_t         b;
    gs_str_t         d;
    gs_audit_loss_t  loss;

    memset(&loss, 0, sizeof(loss));
    loss.node = gs_str_text("gd01");
    loss.epoch = 3;
    loss.g = 12;
    loss.n = 5;
    loss.first = 4;
    loss.last = 11;
    loss.why = "buffer full";
    loss.cls = "read";

    gs_buf_init(&b, draft, sizeof(draft));
    head = gs_audit_json_loss(&b, &loss);
    d = gs_buf_view(&b);

    is_str(d, "{\"v\":1,\"id\":\"gd01.3.12\",\"ty\":\"loss\",\"g\":12,"
           "\"t\":\"1970-01-01T08:00:00.000000+08:00\",\"class\":\"read\","
            "\"n\":5,\"first\":4,\"last\":11,\"why\":\"buffer full\"", "loss");
    d.len = head;
    is_str(d, "{\"v\":1,\"id\":\"gd01.3.12\",\"ty\":\"loss\"", "its head");
}


static void
test_stages(void)
{
    gs_str_t           d;
    gs_audit_record_t  rec;

    memset(&rec, 0, sizeof(rec));
    rec.node = gs_str_text("gd01");
    rec.epoch = 3;
    rec.g = 12;
    rec.intent = 11;
    rec.method = gs_str_text("POST");
    rec.status = 200;
    rec.bytes_in = 5;
    rec.bytes_out = 6;
    rec.duration = 7;
    rec.up_tries = 1;
    rec.up_status = 200;

    rec.stage = GS_AUDIT_INTENT;
    d = compose(&rec);
    is_str(d, "{\"v\":1,\"id\":\"gd01.3.12\",\"ty\":\"http\",\"st\":\"intent\","
           "\"ch\":\"gd01.3.w0.17\",\"seq\":1,\"g\":12,"
           "\"t\":\"1970-01-01T08:00:00.000000+08:00\",\"mono\":0,"
           "\"http\":{\"m\":\"POST\",\"in\":5},\"dec\":{\"act\":\"allow\"}",
           "an intent knows no end");

    rec.stage = GS_AUDIT_ABORTED;
    d = compose(&rec);
    is_str(d, "{\"v\":1,\"id\":\"gd01.3.12\",\"ty\":\"http\","
           "\"st\":\"aborted\","
           "\"ch\":\"gd01.3.w0.17\",\"seq\":1,\"g\":12,"
           "\"t\":\"1970-01-01T08:00:00.000000+08:00\",\"mono\":0,"
           "\"intent\":\"gd01.3.11\","
           "\"http\":{\"m\":\"POST\",\"in\":5,\"us\":7},"
           "\"dec\":{\"act\":\"allow\"},\"up\":{\"status\":200,\"us\":0}",
           "one that was aborted names it");

    rec.stage = GS_AUDIT_DONE;
    rec.up_tries = 0;
    rec.body_alg = "sm3";
    rec.body_len = 3;
    rec.nheaders = 3;
    rec.headers[0].name = gs_str_text("content-type");
    rec.headers[0].value = gs_str_text("text/13712349050");
    rec.headers[1].name = gs_str_text("cookie");
    rec.headers[2].name = gs_str_text("x-13712349050");
    d = compose(&rec);
    is_str(d, "{\"v\":1,\"id\":\"gd01.3.12\",\"ty\":\"http\",\"st\":\"done\","
           "\"ch\":\"gd01.3.w0.17\",\"seq\":1,\"g\":12,"
           "\"t\":\"1970-01-01T08:00:00.000000+08:00\",\"mono\":0,"
           "\"intent\":\"gd01.3.11\",\"http\":{\"m\":\"POST\",\"status\":200,"
           "\"in\":5,\"out\":6,\"us\":7},\"body\":{\"len\":3,"
           "\"sm3\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},"
           "\"dec\":{\"act\":\"allow\"},"
           "\"hdr\":{\"content-type\":\"text/137****9050\"},"
           "\"hk\":[\"cookie\",\"x-137****9050\"]", "fields and a digest");
}


static void
test_other(void)
{
    gs_buf_t            b;
    gs_audit_agg_t      agg;
    gs_audit_tamper_t   tamper;
    gs_audit_aborted_t  end;

    memset(&agg, 0, sizeof(agg));
    memset(&end, 0, sizeof(end));
    memset(&tamper, 0, sizeof(tamper));

    agg.node = end.node = tamper.node = gs_str_text("gd01");
    agg.g = end.g = tamper.g = 12;

    agg.n = 5;
    agg.net = gs_str_text("10.1.2.3");
    agg.status = 403;
    agg.code = gs_str_text("RULE_BLOCKED");
    agg.rule = 7;
    gs_buf_init(&b, draft, sizeof(draft));
    (void) gs_audit_json_agg(&b, &agg);
    is_str(gs_buf_view(&b), "{\"v\":1,\"id\":\"gd01.0.12\","
           "\"ty\":\"deny.agg\",\"g\":12,"
           "\"t\":\"1970-01-01T08:00:00.000000+08:00\",\"n\":5,\"first\":0,"
           "\"last\":0,\"from\":\"1970-01-01T08:00:00.000000+08:00\","
           "\"to\":\"1970-01-01T08:00:00.000000+08:00\","
           "\"net\":\"10.1.2.3\",\"status\":403,\"code\":\"RULE_BLOCKED\","
           "\"rule\":7", "refusals that were counted");

    end.request_id = gs_str_text("abc");
    end.intent_epoch = 2;
    end.intent = 9;
    end.why = "crash";
    gs_buf_init(&b, draft, sizeof(draft));
    (void) gs_audit_json_aborted(&b, &end);
    is_str(gs_buf_view(&b), "{\"v\":1,\"id\":\"gd01.0.12\",\"ty\":\"http\","
           "\"st\":\"aborted\",\"g\":12,"
           "\"t\":\"1970-01-01T08:00:00.000000+08:00\",\"req\":\"abc\","
           "\"intent\":\"gd01.2.9\","
           "\"start\":\"1970-01-01T08:00:00.000000+08:00\","
           "\"why\":\"crash\"", "a request whose process died");

    tamper.segment = gs_str_text("0000000000000000");
    tamper.bytes = 77;
    tamper.why = "unlinked";
    gs_buf_init(&b, draft, sizeof(draft));
    (void) gs_audit_json_tamper(&b, &tamper);
    is_str(gs_buf_view(&b), "{\"v\":1,\"id\":\"gd01.0.12\",\"ty\":\"tamper\","
           "\"g\":12,\"t\":\"1970-01-01T08:00:00.000000+08:00\","
           "\"seg\":\"0000000000000000\",\"bytes\":77,"
           "\"why\":\"unlinked\"", "a file that was taken away");

    gs_buf_init(&b, draft, 20);
    is_int(gs_audit_json_agg(&b, &agg), 0, "no room");
    is_int(gs_audit_json_aborted(&b, &end), 0, "no room");
    is_int(gs_audit_json_tamper(&b, &tamper), 0, "no room");
}


static void
test_small(void)
{
    char               *p;
    size_t              n, full;
    gs_buf_t            b;
    unsigned            wrong;
    gs_audit_record_t   rec;

    base(&rec);
    (void) compose(&rec);

    gs_buf_init(&b, draft, sizeof(draft));
    (void) gs_audit_json_http(&b, &rec);
    full = gs_buf_len(&b);
    wrong = 0;

    for (n = 0; n <= full; n++) {
        p = malloc(n + 1);
        if (p == NULL) {
            exit(2);
        }

        gs_buf_init(&b, p + 1, n);
        wrong += ((gs_audit_json_http(&b, &rec) == 0) != (n < full));
        free(p);
    }

    is_int(wrong, 0, "a buffer that is too small is refused");
}
