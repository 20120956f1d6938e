
/*
 * Copyright (C) govsvc authors
 *
 * Any bytes in any field: the line is JSON, UTF-8, one line, and verifies.
 */


#include "audit/gs_audit_json.h"
#include "audit/gs_audit_verify.h"
#include "core/gs_utf8.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>


#define FUZZ_FIELDS  18


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t fuzz_split(const uint8_t *data, size_t size,
    gs_str_t **fields);
static void fuzz_check(const gs_buf_t *b, size_t from);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                     head, from;
    gs_buf_t                   b, d;
    gs_str_t                   draft, *fields[FUZZ_FIELDS];
    gs_audit_open_t            open;
    gs_audit_record_t          rec;
    static gs_uchar_t          text[GS_AUDIT_LINE_MAX], out[32768];
    static gs_audit_chain_t    chain;
    static gs_audit_verify_t   v;

    if (chain.md == NULL
        && gs_audit_chain_init(&chain, GS_AUDIT_SHA256) != GS_OK)
    {
        abort();
    }

    memset(&rec, 0, sizeof(rec));
    memset(&open, 0, sizeof(open));

    fields[0] = &rec.path;
    fields[1] = &rec.args;
    fields[2] = &rec.user_agent;
    fields[3] = &rec.referer;
    fields[4] = &rec.host;
    fields[5] = &rec.method;
    fields[6] = &rec.case_no;
    fields[7] = &rec.item;
    fields[8] = &rec.issuer;
    fields[9] = &rec.channel;
    fields[10] = &rec.app;
    fields[11] = &rec.region;
    fields[12] = &rec.up_addr;
    fields[13] = &rec.pool;
    fields[14] = &rec.handle;
    fields[15] = &rec.scheme;
    fields[16] = &rec.headers[0].value;
    fields[17] = &rec.headers[1].name;

    (void) fuzz_split(data, size, fields);

    rec.node = gs_str_text("n");
    rec.g = 1;
    rec.up_tries = 1;
    rec.intent = 1;
    rec.stage = (gs_audit_stage_e) (size % 3);
    rec.body_alg = "sm3";
    rec.headers[0].name = gs_str_text("content-type");
    rec.nheaders = 2;

    open.chain = gs_str_text("n.0.w0.1");
    open.why = "start";

    gs_buf_init(&b, out, sizeof(out));

    if (gs_audit_json_open(&b, &chain, &open) != GS_OK) {
        abort();
    }

    gs_buf_init(&d, text, GS_AUDIT_DRAFT_MAX);
    head = gs_audit_json_http(&d, &rec);

    if (head == 0) {
        abort();
    }

    draft = gs_buf_view(&d);
    from = gs_buf_len(&b);

    if (gs_audit_json_line(&b, &chain, &open.chain, 1, &draft, head)
        != GS_OK)
    {
        abort();
    }

    fuzz_check(&b, from);

    gs_audit_verify_chain(&v, "n.0.w0.1", 0);
    gs_audit_verify_segment(&v, "0");

    if (gs_audit_verify_feed(&v, out, gs_buf_len(&b)) != GS_OK) {
        abort();
    }

    gs_audit_verify_end(&v, 1);

    if (v.fault.kind != GS_AUDIT_GOOD || v.records != 1) {
        abort();
    }

    return 0;
}


/* Fields stand one behind the other, parted by two bytes of 0x1f. */

static size_t
fuzz_split(const uint8_t *data, size_t size, gs_str_t **fields)
{
    size_t  i, n, start;

    n = 0;
    start = 0;

    for (i = 0; i < size && n < FUZZ_FIELDS - 1; i++) {
        if (i + 1 < size && data[i] == 0x1f && data[i + 1] == 0x1f) {
            *fields[n++] = gs_str_make(data + start, i - start);
            start = i + 2;
            i++;
        }
    }

    *fields[n++] = gs_str_make(data + start, size - start);

    return n;
}


static void
fuzz_check(const gs_buf_t *b, size_t from)
{
    size_t         len;
    json_t        *json;
    gs_str_t       line;
    json_error_t   err;

    len = gs_buf_len(b) - from;
    line = gs_str_make(b->start + from, len);

    if (len > GS_AUDIT_LINE_MAX || line.data[len - 1] != '\n'
        || memchr(line.data, '\n', len - 1) != NULL || !gs_utf8_valid(&line))
    {
        abort();
    }

    json = json_loadb((const char *) line.data, len,
                      JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL, &err);
    if (json == NULL) {
        abort();
    }

    json_decref(json);
}
