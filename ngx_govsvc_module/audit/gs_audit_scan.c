
/*
 * Copyright (C) govsvc authors
 *
 * Reads back audit lines: the seal at the end, then the keys of the outermost
 * object as far as they are needed.  The hash vouches for the rest.
 */


#include "audit/gs_audit_scan.h"
#include "core/gs_b64.h"


typedef struct {
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
} gs_audit_scan_t;


static gs_rc_t gs_audit_scan_seal(const gs_str_t *line, gs_audit_line_t *out);
static gs_rc_t gs_audit_scan_object(gs_audit_scan_t *s, gs_audit_line_t *out,
    int prev);
static gs_rc_t gs_audit_scan_field(gs_audit_scan_t *s, const gs_str_t *key,
    gs_audit_line_t *out);
static gs_rc_t gs_audit_scan_prev(gs_audit_scan_t *s, const gs_str_t *key,
    gs_audit_line_t *out);
static int gs_audit_scan_enough(const gs_str_t *key,
    const gs_audit_line_t *out);
static gs_rc_t gs_audit_scan_string(gs_audit_scan_t *s, gs_str_t *value);
static gs_rc_t gs_audit_scan_number(gs_audit_scan_t *s, uint64_t *value);
static gs_rc_t gs_audit_scan_skip(gs_audit_scan_t *s);
static gs_rc_t gs_audit_scan_hash(const gs_str_t *text, gs_uchar_t *h);


gs_rc_t
gs_audit_scan(const gs_str_t *line, gs_audit_line_t *out)
{
    gs_rc_t          rc;
    gs_audit_scan_t  s;

    memset(out, 0, sizeof(gs_audit_line_t));

    rc = gs_audit_scan_seal(line, out);

    s.p = line->data;
    s.last = s.p + (rc == GS_OK ? out->body.len : line->len);

    if (s.p == s.last || *s.p != '{'
        || gs_audit_scan_object(&s, out, 0) != GS_OK)
    {
        return GS_ERROR;
    }

    return out->has_seq ? rc : GS_ERROR;
}


static gs_rc_t
gs_audit_scan_seal(const gs_str_t *line, gs_audit_line_t *out)
{
    gs_str_t           text;
    const gs_uchar_t  *p;

    if (line->len < GS_AUDIT_SEAL || line->len >= GS_AUDIT_LINE_MAX) {
        return GS_ERROR;
    }

    out->body = gs_str_make(line->data, line->len - GS_AUDIT_SEAL);

    p = out->body.data + out->body.len;
    text = gs_str_make(p + 6, GS_AUDIT_HASH_TEXT);

    if (memcmp(p, ",\"h\":\"", 6) != 0
        || memcmp(p + 6 + GS_AUDIT_HASH_TEXT, "\"}", 2) != 0)
    {
        return GS_ERROR;
    }

    return gs_audit_scan_hash(&text, out->h);
}


/* At '{'; ends behind '}', or where enough is known, or at the end. */

static gs_rc_t
gs_audit_scan_object(gs_audit_scan_t *s, gs_audit_line_t *out, int prev)
{
    gs_rc_t   rc;
    gs_str_t  key;

    do {
        s->p++;

        if (gs_audit_scan_string(s, &key) != GS_OK
            || s->p == s->last || *s->p++ != ':' || s->p == s->last)
        {
            return GS_ERROR;
        }

        rc = prev ? gs_audit_scan_prev(s, &key, out)
                  : gs_audit_scan_field(s, &key, out);

        if (rc != GS_OK) {
            return GS_ERROR;
        }

        if (!prev && gs_audit_scan_enough(&key, out)) {
            return GS_OK;
        }

    } while (s->p < s->last && *s->p == ',');

    if (!prev) {
        return s->p == s->last ? GS_OK : GS_ERROR;
    }

    if (s->p == s->last || *s->p != '}') {
        return GS_ERROR;
    }

    s->p++;

    return GS_OK;
}


static gs_rc_t
gs_audit_scan_field(gs_audit_scan_t *s, const gs_str_t *key,
    gs_audit_line_t *out)
{
    gs_rc_t  rc;

    if (gs_str_eq_text(key, "ty")) {
        return gs_audit_scan_string(s, &out->type);
    }

    if (gs_str_eq_text(key, "ch")) {
        return gs_audit_scan_string(s, &out->chain);
    }

    if (gs_str_eq_text(key, "seq")) {
        rc = gs_audit_scan_number(s, &out->seq);
        out->has_seq = (rc == GS_OK);
        return rc;
    }

    if (gs_str_eq_text(key, "st")) {
        return gs_audit_scan_string(s, &out->stage);
    }

    if (gs_str_eq_text(key, "intent")) {
        return gs_audit_scan_string(s, &out->intent);
    }

    if (gs_str_eq_text(key, "g")) {
        return gs_audit_scan_number(s, &out->g);
    }

    if (gs_str_eq_text(key, "t")) {
        return gs_audit_scan_string(s, &out->time);
    }

    if (gs_str_eq_text(key, "alg")) {
        return gs_audit_scan_string(s, &out->alg);
    }

    if (gs_str_eq_text(key, "why")) {
        return gs_audit_scan_string(s, &out->why);
    }

    if (gs_str_eq_text(key, "n")) {
        return gs_audit_scan_number(s, &out->n);
    }

    if (gs_str_eq_text(key, "prev") && *s->p == '{') {
        out->has_prev = 1;
        return gs_audit_scan_object(s, out, 1);
    }

    return gs_audit_scan_skip(s);
}


static gs_rc_t
gs_audit_scan_prev(gs_audit_scan_t *s, const gs_str_t *key,
    gs_audit_line_t *out)
{
    gs_str_t  text;

    if (gs_str_eq_text(key, "seg")) {
        return gs_audit_scan_string(s, &out->prev_seg);
    }

    if (gs_str_eq_text(key, "bytes")) {
        return gs_audit_scan_number(s, &out->prev_bytes);
    }

    if (gs_str_eq_text(key, "seq")) {
        return gs_audit_scan_number(s, &out->prev_seq);
    }

    if (gs_str_eq_text(key, "h")) {
        if (gs_audit_scan_string(s, &text) != GS_OK) {
            return GS_ERROR;
        }

        return gs_audit_scan_hash(&text, out->prev_h);
    }

    return gs_audit_scan_skip(s);
}


/* Of a request nothing behind its source is asked for. */

static int
gs_audit_scan_enough(const gs_str_t *key, const gs_audit_line_t *out)
{
    return out->has_seq && gs_str_eq_text(key, "src")
           && gs_str_eq_text(&out->type, "http");
}


static gs_rc_t
gs_audit_scan_string(gs_audit_scan_t *s, gs_str_t *value)
{
    const gs_uchar_t  *p;

    if (s->p == s->last || *s->p != '"') {
        return GS_ERROR;
    }

    for (p = s->p + 1; p < s->last; p++) {

        if (*p == '"') {
            *value = gs_str_make(s->p + 1, (size_t) (p - s->p - 1));
            s->p = p + 1;
            return GS_OK;
        }

        if (*p == '\\') {
            p++;
        }
    }

    return GS_ERROR;
}


static gs_rc_t
gs_audit_scan_number(gs_audit_scan_t *s, uint64_t *value)
{
    gs_str_t           text;
    const gs_uchar_t  *p;

    for (p = s->p; p < s->last && gs_is_digit(*p); p++) {
        /* void */
    }

    text = gs_str_make(s->p, (size_t) (p - s->p));
    s->p = p;

    return gs_parse_u64(&text, value);
}


/* A value of any kind; depth is a count, so no input can exhaust the stack. */

static gs_rc_t
gs_audit_scan_skip(gs_audit_scan_t *s)
{
    size_t    depth;
    gs_str_t  text;

    depth = 0;

    while (s->p < s->last) {

        switch (*s->p) {

        case '"':
            if (gs_audit_scan_string(s, &text) != GS_OK) {
                return GS_ERROR;
            }

            break;

        case '{':
        case '[':
            depth++;
            s->p++;
            break;

        case '}':
        case ']':
            if (depth == 0) {
                return GS_OK;
            }

            depth--;
            s->p++;
            break;

        case ',':
            if (depth == 0) {
                return GS_OK;
            }

            s->p++;
            break;

        default:
            s->p++;
        }
    }

    return depth == 0 ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_audit_scan_hash(const gs_str_t *text, gs_uchar_t *h)
{
    size_t  len;

    if (text->len != GS_AUDIT_HASH_TEXT) {
        return GS_ERROR;
    }

    return gs_b64url_decode(h, &len, text);
}
