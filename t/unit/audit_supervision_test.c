
/*
 * Copyright (C) govsvc authors
 *
 * Records of electronic supervision: forms, hints, what is wrong, no room.
 */


#include "audit/gs_audit_json.h"
#include "audit/gs_audit_supervision.h"
#include "tap.h"


static void fresh(void);
static int has(const char *text);
static void test_line(void);
static void test_fields(void);
static void test_times(void);
static void test_small(void);


static gs_buf_t                b;
static gs_uchar_t              room[GS_AUDIT_DRAFT_MAX];
static gs_audit_supervision_t  s;


int
main(void)
{
    test_line();
    test_fields();
    test_times();
    test_small();

    return done_testing();
}


static void
fresh(void)
{
    memset(&s, 0, sizeof(s));

    s.node = gs_str_text("n1");
    s.epoch = 3;
    s.g = 1000;
    s.time = 1795352916888598u;            /* 2026-11-22 21:08:36 */
    s.warn = (uint64_t) 24 * 3600 * 1000000;
    s.status = 200;
    s.values[GS_AUDIT_SUPERVISION_PROJECT] = gs_str_text("A-1");
    s.values[GS_AUDIT_SUPERVISION_STAGE] = gs_str_text("accept");
}


static int
has(const char *text)
{
    size_t    i, len;

    gs_buf_init(&b, room, sizeof(room));

    if (gs_audit_json_supervision(&b, &s) == 0) {
        return 0;
    }

    len = strlen(text);

    for (i = 0; i + len <= gs_buf_len(&b); i++) {
        if (memcmp(room + i, text, len) == 0) {
            return 1;
        }
    }

    diag("%.*s", (int) gs_buf_len(&b), (const char *) room);

    return 0;
}


static void
test_line(void)
{
    fresh();
    ok(has("{\"v\":1,\"id\":\"n1.3.1000\",\"ty\":\"supervision\",\"g\":1000,"
           "\"t\":\""), "how it begins");
    ok(has("\"status\":200,\"gov\":{},\"bj\":{\"project_no\":\"A-1\","
           "\"stage\":\"accept\"}"), "what was told");
    ok(!has("\"bad\""), "nothing is wrong");
    ok(!has("\"hint\""), "no hint without a promise");

    s.values[GS_AUDIT_SUPERVISION_PROJECT].len = 0;
    ok(has("\"bad\":[{\"k\":\"project_no\",\"why\":\"absent\"}]"),
       "no number of the case");

    fresh();
    s.values[GS_AUDIT_SUPERVISION_PROJECT] =
                                        gs_str_text("11010519491231002X");
    ok(has("\"project_no\":\"1****************X\""),
       "an identity number is masked");

    s.values[GS_AUDIT_SUPERVISION_STAGE] =
                               gs_str_text("\"},\"h\":\"x\n\x7f 13712349050");
    ok(has("\"k\":\"stage\",\"why\":\"length\",\"v\":"
           "\"\\\"},\\\"h\\\":\\\"x\\u000a\\u007f 137****9050\""),
       "what is wrong cannot be more than a text");
}


static void
test_fields(void)
{
    size_t    i;
    gs_str_t  text, name;
    unsigned  field;

    static const struct {
        const char  *header;
        const char  *value;
        const char  *why;
    } bad[] = {
        { "X-Govsvc-Project-No", "a b", "form" },
        { "X-Govsvc-Task-Code", "11440100007482575h3440118009000", "form" },
        { "X-Govsvc-Task-Code", "11440100007482575H344011800900", "length" },
        { "x-govsvc-task-handle-item", "1", "length" },
        { "X-Govsvc-Catalog-Code", "44011800900-", "form" },
        { "X-Govsvc-Stage", "accepted", "form" },
        { "X-Govsvc-Stage-Start", "2025-06-01", "length" },
        { "X-Govsvc-Stage-End", "2025-06-01T09:30:15", "time" },
        { "X-Govsvc-Promise-Date", "2025-02-29", "time" },
        { "X-Govsvc-Promise-Date", "2025-02-28 24:00:00", "time" },
        { "X-Govsvc-Result", "a\xff", "utf8" },
        { "X-Govsvc-Org-Code", "11440100007482575_", "form" },
        { "X-Govsvc-Data-Source", "1a", "form" },
        { "X-Govsvc-Event-Type", "0", "form" },
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fresh();

        name = gs_str_text(bad[i].header);
        field = gs_audit_supervision_field(&name);
        s.values[field] = gs_str_text(bad[i].value);

        ok(has("\"bad\":[{\"k\":") && has(bad[i].why), "%s: %s, %s",
           bad[i].header, bad[i].value, bad[i].why);
    }

    name = gs_str_text("X-Govsvc-Secret");
    ok(gs_audit_supervision_field(&name) == GS_AUDIT_SUPERVISION_FIELDS,
       "another header");

    memset(&s, 0, sizeof(s));
    ok(!gs_audit_supervision_any(&s), "nothing came");
    text = gs_str_text("1");
    gs_audit_supervision_take(&s, GS_AUDIT_SUPERVISION_RESULT, &text);
    ok(gs_audit_supervision_any(&s) && s.twice == 0, "something came");
    gs_audit_supervision_take(&s, GS_AUDIT_SUPERVISION_RESULT, &text);
    ok(has("\"k\":\"result\",\"why\":\"twice\",\"v\":\"1\""), "and twice");
}


static void
test_times(void)
{
    gs_str_t  *promise;

    fresh();
    promise = &s.values[GS_AUDIT_SUPERVISION_PROMISE];

    *promise = gs_str_text("2026-11-23T21:08:37+08:00");
    ok(has("\"promise_date\":\"2026-11-23 21:08:37\"")
       && has("\"hint\":\"blue\""), "a day and a part of a second");
    *promise = gs_str_text("2026-11-23 21:08:36");
    ok(has("\"hint\":\"yellow\""), "a part of a second less");
    *promise = gs_str_text("2026-11-22 21:08:36");
    ok(has("\"hint\":\"red\""), "over");
    *promise = gs_str_text("2026-11-22");
    ok(has("\"promise_date\":\"2026-11-22 23:59:59\"")
       && has("\"hint\":\"yellow\""), "a date alone");

    *promise = gs_str_text("2026-11-01 10:00:00");
    s.values[GS_AUDIT_SUPERVISION_STAGE] = gs_str_text("complete");
    ok(has("\"hint\":\"red\""), "complete, nobody knows when");
    s.values[GS_AUDIT_SUPERVISION_END] = gs_str_text("2026-11-01 10:00:00");
    ok(has("\"hint\":\"blue\""), "complete in time");
    s.values[GS_AUDIT_SUPERVISION_END] = gs_str_text("2026-11-01 10:00:01");
    ok(has("\"hint\":\"red\""), "complete a second late");
}


static void
test_small(void)
{
    size_t    i, len;
    unsigned  wrong;

    fresh();
    s.values[GS_AUDIT_SUPERVISION_RESULT] = gs_str_text("?");
    s.values[GS_AUDIT_SUPERVISION_PROMISE] = gs_str_text("2026-11-22");
    gs_buf_init(&b, room, sizeof(room));
    (void) gs_audit_json_supervision(&b, &s);
    len = gs_buf_len(&b);

    for (i = 0, wrong = 0; i < len; i++) {
        gs_buf_init(&b, room, i);
        wrong += gs_audit_json_supervision(&b, &s) != 0 || b.pos != room;
    }

    ok(wrong == 0, "no room by any number of bytes writes nothing");
}
