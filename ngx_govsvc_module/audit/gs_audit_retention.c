
/*
 * Copyright (C) govsvc authors
 *
 * Declarations of what a retention has removed.
 *
 * The text that is signed begins with two words, which no name of a log does:
 * no checkpoint can be made of it.
 */


#include "audit/gs_audit_field.h"
#include "audit/gs_audit_retention.h"
#include "core/gs_b64.h"
#include "core/gs_json_out.h"
#include "core/gs_time.h"


static void gs_audit_retention_text(gs_buf_t *b,
    const gs_audit_retention_t *r);
static void gs_audit_retention_line(gs_buf_t *b, const gs_str_t *s);


void
gs_audit_retention_put(gs_buf_t *b, const gs_audit_retention_t *r)
{
    gs_str_t    h;
    gs_uchar_t  text[GS_AUDIT_HASH_TEXT];

    gs_b64url_encode(text, r->h, GS_AUDIT_HASH);
    h = gs_str_make(text, GS_AUDIT_HASH_TEXT);

    (void) gs_json_kv_str(b, "of", &r->chain);
    (void) gs_json_kv_str(b, "to", &r->to);
    gs_json_kv_u64(b, "next", r->next);
    (void) gs_json_kv_str(b, "last", &r->last);
    gs_json_kv_u64(b, "days", r->days);
    gs_json_kv_u64(b, "n", r->segments);
    gs_json_kv_u64(b, "bytes", r->bytes);
    gs_json_kv_u64(b, "whole", r->whole);
    (void) gs_json_kv_str(b, "hash", &h);
    (void) gs_json_kv_str(b, "sig", &r->sig);
}


gs_rc_t
gs_audit_retention_parse(const gs_str_t *line, gs_audit_retention_t *r)
{
    size_t             len;
    gs_str_t           type, h;
    gs_audit_fields_t  f;

    if (gs_audit_fields(&f, line) != GS_OK) {
        return GS_ERROR;
    }

    type = gs_audit_field_value(&f, "", "ty");
    h = gs_audit_field_value(&f, "", "hash");

    r->time = gs_audit_field_value(&f, "", "t");
    r->chain = gs_audit_field_value(&f, "", "of");
    r->to = gs_audit_field_value(&f, "", "to");
    r->last = gs_audit_field_value(&f, "", "last");
    r->sig = gs_audit_field_value(&f, "", "sig");
    r->next = gs_audit_field_number(&f, "", "next");
    r->days = gs_audit_field_number(&f, "", "days");
    r->segments = gs_audit_field_number(&f, "", "n");
    r->bytes = gs_audit_field_number(&f, "", "bytes");
    r->whole = (gs_audit_field_number(&f, "", "whole") != 0);

    if (!gs_str_eq_text(&type, "retention") || r->chain.len == 0
        || r->to.len == 0 || r->next == 0 || h.len != GS_AUDIT_HASH_TEXT
        || gs_b64url_decode(r->h, &len, &h) != GS_OK)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


static void
gs_audit_retention_text(gs_buf_t *b, const gs_audit_retention_t *r)
{
    gs_uchar_t  h[GS_AUDIT_HASH_TEXT];

    gs_b64url_encode(h, r->h, GS_AUDIT_HASH);

    gs_buf_text(b, "govsvc retention\n");
    gs_audit_retention_line(b, &r->chain);
    gs_audit_retention_line(b, &r->to);
    gs_buf_u64(b, r->next);
    gs_buf_char(b, '\n');
    gs_buf_put(b, h, GS_AUDIT_HASH_TEXT);
    gs_buf_char(b, '\n');
    gs_audit_retention_line(b, &r->last);
    gs_audit_retention_line(b, &r->time);
    gs_buf_u64(b, r->days);
    gs_buf_char(b, '\n');
    gs_buf_text(b, r->whole ? "whole\n" : "part\n");
}


static void
gs_audit_retention_line(gs_buf_t *b, const gs_str_t *s)
{
    gs_buf_str(b, s);
    gs_buf_char(b, '\n');
}


gs_rc_t
gs_audit_retention_sign(const gs_audit_key_t *key,
    const gs_audit_retention_t *r, gs_buf_t *b)
{
    gs_buf_t    t;
    gs_str_t    text;
    gs_uchar_t  data[GS_AUDIT_RETENTION_TEXT];

    gs_buf_init(&t, data, sizeof(data));
    gs_audit_retention_text(&t, r);
    text = gs_buf_view(&t);

    if (t.overflow || gs_audit_note_sign(key, &text, b) != GS_OK
        || b->overflow)
    {
        return GS_ERROR;
    }

    b->pos--;

    return GS_OK;
}


gs_rc_t
gs_audit_retention_check(const gs_audit_key_t *key,
    const gs_audit_retention_t *r)
{
    gs_buf_t    t;
    gs_str_t    note;
    gs_uchar_t  data[GS_AUDIT_RETENTION_TEXT + 512];

    gs_buf_init(&t, data, sizeof(data));
    gs_audit_retention_text(&t, r);
    gs_buf_char(&t, '\n');
    gs_audit_retention_line(&t, &r->sig);
    note = gs_buf_view(&t);

    return t.overflow ? GS_ERROR : gs_audit_note_check(key, &note);
}


int
gs_audit_retention_old(const gs_str_t *from, const gs_str_t *to)
{
    uint64_t  one, two;

    return gs_time_parse(from, &one) == GS_OK
           && gs_time_parse(to, &two) == GS_OK
           && two >= one
           && two - one >= (uint64_t) GS_AUDIT_RETENTION_DAYS * 86400 * 1000000;
}
