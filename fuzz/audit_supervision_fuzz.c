
/*
 * Copyright (C) govsvc authors
 *
 * Any header of a platform's answer: the record is JSON, UTF-8, one line, and
 * verifies; each field that came is told once, as it should be or as bad.
 * Input: a line "Name: value" for each header, in any order.
 */


#include "audit/gs_audit_json.h"
#include "audit/gs_audit_supervision.h"
#include "audit/gs_audit_verify.h"
#include "core/gs_utf8.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_take(gs_audit_supervision_t *s, const gs_str_t *line);
static void fuzz_gateway(gs_audit_supervision_t *s, const gs_str_t *name,
    const gs_str_t *value);
static void fuzz_line(const gs_buf_t *draft, size_t head,
    const gs_audit_supervision_t *s);
static void fuzz_check(const gs_str_t *line, const gs_audit_supervision_t *s);
static size_t fuzz_bad(json_t *bad, const char *key);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                  head, i, start;
    gs_buf_t                b;
    gs_str_t                line;
    gs_audit_supervision_t  s;
    static gs_uchar_t       room[GS_AUDIT_DRAFT_MAX], small[512];

    memset(&s, 0, sizeof(s));

    s.node = gs_str_text("n");
    s.epoch = 3;
    s.g = 1000;
    s.time = 1795352916888598u;
    s.warn = (uint64_t) 24 * 3600 * 1000000;
    s.status = 200;

    start = 0;

    for (i = 0; i <= size; i++) {
        if (i == size || data[i] == '\n') {
            line = gs_str_make(data + start, i - start);
            fuzz_take(&s, &line);
            start = i + 1;
        }
    }

    gs_buf_init(&b, room, sizeof(room));
    head = gs_audit_json_supervision(&b, &s);

    if (head == 0) {
        abort();
    }

    fuzz_line(&b, head, &s);

    /* without the room nothing is left behind */

    gs_buf_init(&b, small, size % sizeof(small));

    if (gs_audit_json_supervision(&b, &s) == 0 && gs_buf_len(&b) != 0) {
        abort();
    }

    return 0;
}


static void
fuzz_take(gs_audit_supervision_t *s, const gs_str_t *line)
{
    unsigned           field;
    gs_str_t           name, value;
    const gs_uchar_t  *colon;

    colon = (line->len != 0) ? memchr(line->data, ':', line->len) : NULL;

    if (colon == NULL) {
        return;
    }

    name = gs_str_make(line->data, (size_t) (colon - line->data));
    value = gs_str_make(colon + 1, line->len - name.len - 1);

    while (value.len != 0 && value.data[0] == ' ') {
        value.data++;
        value.len--;
    }

    field = gs_audit_supervision_field(&name);

    if (field == GS_AUDIT_SUPERVISION_FIELDS) {
        fuzz_gateway(s, &name, &value);
        return;
    }

    if (value.len != 0) {
        gs_audit_supervision_take(s, field, &value);
    }
}


/* What comes from the request. */

static void
fuzz_gateway(gs_audit_supervision_t *s, const gs_str_t *name,
    const gs_str_t *value)
{
    size_t  i;

    struct {
        const char  *name;
        gs_str_t    *value;
    } all[] = {
        { "item", &s->item },
        { "case", &s->case_no },
        { "region", &s->region },
        { "platform", &s->platform },
        { "channel", &s->channel },
        { "app", &s->app },
        { "req", &s->request_id },
        { "tr", &s->trace_id },
    };

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (gs_str_eq_text(name, all[i].name)) {
            *all[i].value = *value;
        }
    }
}


static void
fuzz_line(const gs_buf_t *draft, size_t head, const gs_audit_supervision_t *s)
{
    size_t                    from;
    gs_buf_t                  b;
    gs_str_t                  text, line;
    gs_audit_open_t           open;
    static gs_uchar_t         out[32768];
    static gs_audit_chain_t   chain;
    static gs_audit_verify_t  v;

    if (chain.md == NULL
        && gs_audit_chain_init(&chain, GS_AUDIT_SHA256) != GS_OK)
    {
        abort();
    }

    memset(&open, 0, sizeof(open));

    open.chain = gs_str_text("n.3.w0.1");
    open.why = "start";

    gs_buf_init(&b, out, sizeof(out));
    text = gs_buf_view(draft);

    if (gs_audit_json_open(&b, &chain, &open) != GS_OK) {
        abort();
    }

    from = gs_buf_len(&b);

    if (gs_audit_json_line(&b, &chain, &open.chain, 1, &text, head) != GS_OK) {
        abort();
    }

    line = gs_str_make(out + from, gs_buf_len(&b) - from);
    fuzz_check(&line, s);

    gs_audit_verify_chain(&v, "n.3.w0.1", 0);
    gs_audit_verify_segment(&v, "0");

    if (gs_audit_verify_feed(&v, out, gs_buf_len(&b)) != GS_OK) {
        abort();
    }

    gs_audit_verify_end(&v, 1);

    if (v.fault.kind != GS_AUDIT_GOOD || v.records != 1) {
        abort();
    }
}


static void
fuzz_check(const gs_str_t *line, const gs_audit_supervision_t *s)
{
    json_t        *json, *told, *bad, *hint;
    size_t         good, wrong;
    unsigned       i;
    const char    *key;
    json_error_t   err;

    if (line->len > GS_AUDIT_LINE_MAX || line->data[line->len - 1] != '\n'
        || memchr(line->data, '\n', line->len - 1) != NULL
        || !gs_utf8_valid(line))
    {
        abort();
    }

    json = json_loadb((const char *) line->data, line->len,
                      JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL, &err);

    if (json == NULL) {
        abort();
    }

    told = json_object_get(json, "bj");
    bad = json_object_get(json, "bad");

    for (i = 0; i < GS_AUDIT_SUPERVISION_FIELDS; i++) {
        key = gs_audit_supervision_key(i);
        good = (json_object_get(told, key) != NULL);
        wrong = fuzz_bad(bad, key);

        if (s->values[i].len != 0
            || i == GS_AUDIT_SUPERVISION_PROJECT
            || i == GS_AUDIT_SUPERVISION_STAGE)
        {
            if (good + wrong != 1 || (s->values[i].len == 0 && good)) {
                abort();
            }

        } else if (good + wrong != 0) {
            abort();
        }
    }

    /* a colour for each promise that can be read, and for no other */

    hint = json_object_get(json, "hint");

    if ((hint != NULL) != (json_object_get(told, "promise_date") != NULL)) {
        abort();
    }

    json_decref(json);
}


static size_t
fuzz_bad(json_t *bad, const char *key)
{
    size_t       i, n;
    const char  *name;

    n = 0;

    for (i = 0; i < json_array_size(bad); i++) {
        name = json_string_value(json_object_get(json_array_get(bad, i), "k"));

        if (name == NULL) {
            abort();
        }

        n += (strcmp(name, key) == 0);
    }

    return n;
}
