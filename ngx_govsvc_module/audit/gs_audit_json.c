
/*
 * Copyright (C) govsvc authors
 *
 * Audit records as lines.
 *
 * Text of the request is masked before it is cut, so that no number escapes
 * by standing on the edge; its lossless twin ("path_b64") is made of the
 * masked bytes.  The worst case of escaping (six bytes for one) would break
 * the bound of a line: such a record is written again with short texts.
 */


#include "audit/gs_audit_json_priv.h"
#include "audit/gs_audit_mask.h"
#include "core/gs_b64.h"
#include "core/gs_json_out.h"
#include "core/gs_utf8.h"


#define GS_AUDIT_JSON_TOKEN  20            /* none is shorter */
#define GS_AUDIT_JSON_TEXT   1024          /* longest text, of the path */
#define GS_AUDIT_JSON_TIGHT  48            /* of all when space is short */
#define GS_AUDIT_JSON_KEYS   32            /* names of arguments */
#define GS_AUDIT_JSON_NUMBER 32            /* digits of a number */


typedef struct {
    gs_buf_t  *b;
    size_t     limit;                      /* of any text */
    size_t     cut_len;
    char       cut[128];                   /* "path","ua" */
} gs_audit_json_t;


static void gs_audit_json_body(gs_audit_json_t *j,
    const gs_audit_record_t *rec);
static void gs_audit_json_id(gs_buf_t *b, const char *key,
    const gs_str_t *id);
static void gs_audit_json_src(gs_audit_json_t *j,
    const gs_audit_record_t *rec);
static void gs_audit_json_exchange(gs_audit_json_t *j,
    const gs_audit_record_t *rec);
static void gs_audit_json_who(gs_audit_json_t *j,
    const gs_audit_record_t *rec);
static void gs_audit_json_mask(gs_audit_json_t *j, const gs_str_t *subject);
static void gs_audit_json_gov(gs_audit_json_t *j,
    const gs_audit_record_t *rec);
static void gs_audit_json_code(gs_audit_json_t *j, const char *key,
    const gs_str_t *code);
static void gs_audit_json_dec(gs_audit_json_t *j,
    const gs_audit_record_t *rec);
static void gs_audit_json_up(gs_audit_json_t *j,
    const gs_audit_record_t *rec);
static void gs_audit_json_headers(gs_audit_json_t *j,
    const gs_audit_record_t *rec);
static void gs_audit_json_digest(gs_audit_json_t *j,
    const gs_audit_record_t *rec);
static void gs_audit_json_names(gs_audit_json_t *j, const gs_str_t *args);
static void gs_audit_json_text(gs_audit_json_t *j, const char *key,
    const gs_str_t *value, size_t max);
static size_t gs_audit_json_tokens(gs_uchar_t *text, size_t len);
static void gs_audit_json_put(gs_audit_json_t *j, const char *key,
    const gs_str_t *value);
static void gs_audit_json_cut(gs_audit_json_t *j, const char *key);


static const char *const  gs_audit_stages[] = {
    "done", "intent", "aborted"
};


size_t
gs_audit_json_http(gs_buf_t *b, const gs_audit_record_t *rec)
{
    size_t           head;
    gs_buf_t         draft;
    gs_audit_json_t  j;

    j.limit = GS_AUDIT_JSON_TEXT;

    for ( ;; ) {
        draft = *b;
        draft.start = b->pos;

        if ((size_t) (draft.last - draft.pos) > GS_AUDIT_DRAFT_MAX) {
            draft.last = draft.pos + GS_AUDIT_DRAFT_MAX;
        }

        j.b = &draft;
        j.cut_len = 0;

        gs_audit_json_begin(&draft, "http", &rec->node, rec->epoch, rec->g);
        gs_json_kv_text(&draft, "st", gs_audit_stages[rec->stage]);

        head = gs_buf_len(&draft);

        gs_audit_json_body(&j, rec);

        if (!draft.overflow) {
            b->pos = draft.pos;
            return head;
        }

        if (j.limit == GS_AUDIT_JSON_TIGHT) {
            return 0;
        }

        j.limit = GS_AUDIT_JSON_TIGHT;
    }
}


static void
gs_audit_json_body(gs_audit_json_t *j, const gs_audit_record_t *rec)
{
    size_t     n;
    gs_str_t   referer;
    gs_buf_t  *b;

    b = j->b;

    gs_json_kv_u64(b, "g", rec->g);
    gs_audit_json_kv_time(b, "t", rec->time);
    gs_json_kv_u64(b, "mono", rec->mono);
    gs_audit_json_id(b, "req", &rec->request_id);

    /* a trace that begins here bears the number of the request */

    if (!gs_str_eq(&rec->trace_id, &rec->request_id)) {
        gs_audit_json_id(b, "tr", &rec->trace_id);
    }

    gs_audit_json_id(b, "sp", &rec->span_id);

    if (rec->intent != 0 && rec->stage != GS_AUDIT_INTENT) {
        gs_audit_json_kv_id(b, "intent", &rec->node, rec->epoch, rec->intent);
    }

    gs_audit_json_src(j, rec);
    gs_audit_json_exchange(j, rec);
    gs_audit_json_digest(j, rec);
    gs_audit_json_who(j, rec);
    gs_audit_json_gov(j, rec);
    gs_audit_json_dec(j, rec);
    gs_audit_json_up(j, rec);

    gs_audit_json_text(j, "ua", &rec->user_agent, 256);

    /* the query of a referer may hold credentials and names */

    referer = rec->referer;
    n = gs_str_chr(&referer, 0, '?');

    if (n < referer.len) {
        referer.len = n + 1;
    }

    n = gs_str_chr(&referer, 0, '#');

    if (n < referer.len) {
        referer.len = n;
    }

    gs_audit_json_text(j, "referer", &referer, 384);
    gs_audit_json_headers(j, rec);

    if (j->cut_len != 0) {
        gs_json_key(b, "cut");
        gs_buf_char(b, '[');
        gs_buf_put(b, j->cut, j->cut_len);
        gs_buf_char(b, ']');
    }
}


/* Hexadecimal digits of our own, or absent. */

static void
gs_audit_json_id(gs_buf_t *b, const char *key, const gs_str_t *id)
{
    if (id->len != 0) {
        gs_json_kv_plain(b, key, id);
    }
}


static void
gs_audit_json_src(gs_audit_json_t *j, const gs_audit_record_t *rec)
{
    gs_audit_json_object(j->b, "src");
    gs_audit_json_put(j, "ip", &rec->ip);

    if (rec->port != 0) {
        gs_json_kv_u64(j->b, "port", rec->port);
    }

    gs_audit_json_put(j, "peer", &rec->peer);
    gs_audit_json_end(j->b);
}


static void
gs_audit_json_exchange(gs_audit_json_t *j, const gs_audit_record_t *rec)
{
    gs_buf_t  *b;

    b = j->b;

    gs_audit_json_object(b, "http");
    gs_audit_json_text(j, "m", &rec->method, 32);
    gs_audit_json_text(j, "host", &rec->host, 128);
    gs_audit_json_text(j, "path", &rec->path, GS_AUDIT_JSON_TEXT);
    gs_audit_json_names(j, &rec->args);

    if (rec->version != NULL) {
        gs_json_kv_text(b, "ver", rec->version);
    }

    if (rec->stage == GS_AUDIT_DONE) {
        gs_json_kv_u64(b, "status", rec->status);
    }

    gs_json_kv_u64(b, "in", rec->bytes_in);

    if (rec->stage == GS_AUDIT_DONE) {
        gs_json_kv_u64(b, "out", rec->bytes_out);
    }

    if (rec->stage != GS_AUDIT_INTENT) {
        gs_json_kv_u64(b, "us", rec->duration);
    }

    gs_audit_json_end(b);
}


static void
gs_audit_json_who(gs_audit_json_t *j, const gs_audit_record_t *rec)
{
    gs_buf_t  *b;

    b = j->b;

    gs_audit_json_object(b, "sub");
    gs_audit_json_put(j, "pid", &rec->pid);
    gs_audit_json_mask(j, &rec->subject);
    gs_audit_json_put(j, "kind", &rec->kind);

    if (rec->level != 0) {
        gs_json_kv_u64(b, "aal", rec->level);
    }

    gs_audit_json_put(j, "agent", &rec->agent);
    gs_audit_json_end(b);

    gs_audit_json_object(b, "tok");
    gs_audit_json_text(j, "iss", &rec->issuer, 128);
    gs_audit_json_put(j, "jti", &rec->jti);

    if (rec->token != NULL) {
        gs_json_kv_text(b, "res", rec->token);
    }

    gs_audit_json_end(b);
}


/*
 * Of a subject that is a person's number what its mask shows; of any other
 * nothing, since it may be a name.
 */

static void
gs_audit_json_mask(gs_audit_json_t *j, const gs_str_t *subject)
{
    size_t      i;
    gs_str_t    masked;
    gs_uchar_t  text[GS_AUDIT_JSON_NUMBER];

    if (subject->len == 0 || subject->len > GS_AUDIT_JSON_NUMBER) {
        return;
    }

    for (i = 0; i < subject->len; i++) {
        if (!gs_is_digit(subject->data[i])
            && (i + 1 < subject->len || gs_to_lower(subject->data[i]) != 'x'))
        {
            return;
        }
    }

    masked = gs_str_make(text, gs_audit_mask(text, subject));

    if (!gs_str_eq(&masked, subject)) {
        gs_audit_json_put(j, "mask", &masked);
    }
}


static void
gs_audit_json_gov(gs_audit_json_t *j, const gs_audit_record_t *rec)
{
    gs_audit_json_object(j->b, "gov");
    gs_audit_json_code(j, "item", &rec->item);
    gs_audit_json_code(j, "handle", &rec->handle);
    gs_audit_json_code(j, "case", &rec->case_no);
    gs_audit_json_text(j, "region", &rec->region, 32);
    gs_audit_json_text(j, "platform", &rec->platform, 64);
    gs_audit_json_text(j, "pool", &rec->pool, 64);
    gs_audit_json_text(j, "channel", &rec->channel, 32);
    gs_audit_json_text(j, "app", &rec->app, 64);
    gs_audit_json_text(j, "scheme", &rec->scheme, 32);
    gs_audit_json_text(j, "crit", &rec->critical, 32);
    gs_audit_json_end(j->b);
}


/*
 * Case numbers are long digits of any form, one in ten of which would pass for
 * a bank card: only what has the length of a person's number is masked.
 */

static void
gs_audit_json_code(gs_audit_json_t *j, const char *key, const gs_str_t *code)
{
    if (code->len == 11 || code->len == 18 || code->len > 64) {
        gs_audit_json_text(j, key, code, 64);
        return;
    }

    gs_audit_json_put(j, key, code);
}


static void
gs_audit_json_dec(gs_audit_json_t *j, const gs_audit_record_t *rec)
{
    gs_buf_t  *b;

    b = j->b;

    gs_audit_json_object(b, "dec");
    gs_json_kv_text(b, "act", rec->denied ? "deny" : "allow");
    gs_audit_json_put(j, "code", &rec->code);

    if (rec->rule != 0) {
        gs_json_kv_u64(b, "rule", rec->rule);
    }

    if (rec->limit != NULL) {
        gs_json_kv_text(b, "rl", rec->limit);
    }

    gs_audit_json_end(b);
}


static void
gs_audit_json_up(gs_audit_json_t *j, const gs_audit_record_t *rec)
{
    gs_buf_t  *b;

    if (rec->up_tries == 0 || rec->stage == GS_AUDIT_INTENT) {
        return;
    }

    b = j->b;

    gs_audit_json_object(b, "up");
    gs_audit_json_text(j, "addr", &rec->up_addr, 128);

    if (rec->up_status != 0) {
        gs_json_kv_u64(b, "status", rec->up_status);
    }

    gs_json_kv_u64(b, "us", rec->up_duration);

    if (rec->up_tries > 1) {
        gs_json_kv_u64(b, "tries", rec->up_tries);
    }

    gs_audit_json_end(b);
}


static void
gs_audit_json_digest(gs_audit_json_t *j, const gs_audit_record_t *rec)
{
    gs_str_t    h;
    gs_uchar_t  text[GS_AUDIT_HASH_TEXT];

    if (rec->body_alg == NULL) {
        return;
    }

    gs_b64url_encode(text, rec->body_hash, GS_AUDIT_HASH);
    h = gs_str_make(text, GS_AUDIT_HASH_TEXT);

    gs_audit_json_object(j->b, "body");
    gs_json_kv_u64(j->b, "len", rec->body_len);
    (void) gs_json_kv_str(j->b, rec->body_alg, &h);
    gs_audit_json_end(j->b);
}


/* "hdr": fields with their values; "hk": names of those that may hold more. */

static void
gs_audit_json_headers(gs_audit_json_t *j, const gs_audit_record_t *rec)
{
    char                      name[40];
    size_t                    n;
    gs_str_t                  masked;
    unsigned                  i, names;
    gs_buf_t                 *b;
    gs_uchar_t                text[64 + GS_AUDIT_MASK_SLACK];
    const gs_audit_header_t  *h;

    if (rec->nheaders == 0) {
        return;
    }

    if (j->limit == GS_AUDIT_JSON_TIGHT) {
        gs_audit_json_cut(j, "hdr");
        return;
    }

    b = j->b;
    names = 0;

    gs_audit_json_object(b, "hdr");

    for (i = 0; i < rec->nheaders; i++) {
        h = &rec->headers[i];

        if (h->value.len == 0) {
            names++;
            continue;
        }

        n = (h->name.len < sizeof(name)) ? h->name.len : sizeof(name) - 1;
        memcpy(name, h->name.data, n);
        name[n] = '\0';

        gs_audit_json_text(j, name, &h->value, 128);
    }

    gs_audit_json_end(b);

    if (names == 0) {
        return;
    }

    gs_json_key(b, "hk");
    gs_buf_char(b, '[');

    for (i = 0, n = 0; i < rec->nheaders; i++) {
        h = &rec->headers[i];

        if (h->value.len != 0) {
            continue;
        }

        masked = h->name;

        if (masked.len > sizeof(text)) {
            masked.len = sizeof(text);
        }

        masked = gs_str_make(text, gs_audit_mask(text, &masked));

        if (masked.len > 48) {
            masked.len = gs_utf8_cut(&masked, 48);
            gs_audit_json_cut(j, "hk");
        }

        if (n++ != 0) {
            gs_buf_char(b, ',');
        }

        (void) gs_json_str(b, &masked);
    }

    gs_buf_char(b, ']');
}


/* "qk": the names of the arguments; a value alone counts as a name. */

static void
gs_audit_json_names(gs_audit_json_t *j, const gs_str_t *args)
{
    size_t       len, end;
    gs_str_t     name, masked;
    unsigned     n;
    gs_buf_t    *b;
    gs_uchar_t   text[64 + GS_AUDIT_MASK_SLACK];

    if (args->len == 0) {
        return;
    }

    b = j->b;

    gs_json_key(b, "qk");
    gs_buf_char(b, '[');

    n = 0;

    for (end = 0; end < args->len; end++) {

        name = gs_str_make(args->data + end, args->len - end);
        name.len = gs_str_chr(&name, 0, '&');
        end += name.len;

        len = gs_str_chr(&name, 0, '=');
        name.len = len;

        if (len == 0) {
            continue;
        }

        if (n == ((j->limit == GS_AUDIT_JSON_TIGHT) ? 4 : GS_AUDIT_JSON_KEYS))
        {
            gs_audit_json_cut(j, "qk");
            break;
        }

        if (name.len > sizeof(text)) {
            name.len = sizeof(text);
        }

        masked = gs_str_make(text, gs_audit_mask(text, &name));

        if (masked.len > 48) {
            masked.len = gs_utf8_cut(&masked, 48);
            gs_audit_json_cut(j, "qk");
        }

        if (n++ != 0) {
            gs_buf_char(b, ',');
        }

        (void) gs_json_str(b, &masked);
    }

    gs_buf_char(b, ']');
}


/* A text that the client may have chosen. */

static void
gs_audit_json_text(gs_audit_json_t *j, const char *key, const gs_str_t *value,
    size_t max)
{
    gs_str_t    s;
    gs_uchar_t  text[GS_AUDIT_JSON_TEXT + GS_AUDIT_MASK_SLACK];

    if (value->len == 0) {
        return;
    }

    if (max > j->limit) {
        max = j->limit;
    }

    s = *value;

    if (s.len > max + GS_AUDIT_MASK_SLACK) {
        s.len = max + GS_AUDIT_MASK_SLACK;
    }

    s = gs_str_make(text, gs_audit_mask(text, &s));
    s.len = gs_audit_json_tokens(text, s.len);

    if (s.len > max || value->len > max + GS_AUDIT_MASK_SLACK) {
        s.len = gs_utf8_cut(&s, max);
        gs_audit_json_cut(j, key);
    }

    gs_audit_json_put(j, key, &s);
}


/*
 * Signed tokens ("eyJ" begins each, RFC 7515) in addresses, as links of mails
 * have them, become stars; the length that is left.
 */

static size_t
gs_audit_json_tokens(gs_uchar_t *text, size_t len)
{
    int     c, dots;
    size_t  i, n, end;

    for (i = 0, n = 0; i < len; /* void */ ) {

        dots = 0;

        for (end = i; end < len; end++) {
            c = text[end];

            if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '_' && c != '-'
                && c != '.')
            {
                break;
            }

            dots += (c == '.');
        }

        if (end - i >= GS_AUDIT_JSON_TOKEN && dots > 0
            && memcmp(text + i, "eyJ", 3) == 0)
        {
            memcpy(text + n, "***", 3);
            n += 3;
            i = end;
            continue;
        }

        end += (end < len);

        if (n != i) {
            memmove(text + n, text + i, end - i);
        }

        n += end - i;
        i = end;
    }

    return n;
}


/* A text as it stands, with its twin in base64url where it is no UTF-8. */

static void
gs_audit_json_put(gs_audit_json_t *j, const char *key, const gs_str_t *value)
{
    size_t     len;
    gs_buf_t  *b;

    if (value->len == 0) {
        return;
    }

    b = j->b;

    if (gs_json_kv_str(b, key, value) == 0) {
        return;
    }

    len = gs_b64url_encoded_len(value->len);

    gs_buf_put(b, ",\"", 2);
    gs_buf_text(b, key);
    gs_buf_put(b, "_b64\":\"", 7);

    if (b->overflow || len > (size_t) (b->last - b->pos)) {
        b->overflow = 1;
        return;
    }

    b->pos += gs_b64url_encode(b->pos, value->data, value->len);
    gs_buf_char(b, '"');
}


static void
gs_audit_json_cut(gs_audit_json_t *j, const char *key)
{
    size_t    n;
    gs_buf_t  b;
    gs_str_t  name, last;

    name = gs_str_text(key);
    n = j->cut_len;

    /* a key may be cut several times in a row */

    if (n >= name.len + 2) {
        last = gs_str_make(j->cut + n - name.len - 1, name.len);

        if (gs_str_eq(&last, &name)) {
            return;
        }
    }

    gs_buf_init(&b, j->cut + n, sizeof(j->cut) - n);

    if (n != 0) {
        gs_buf_char(&b, ',');
    }

    gs_buf_char(&b, '"');
    gs_buf_str(&b, &name);
    gs_buf_char(&b, '"');

    if (!b.overflow) {
        j->cut_len += gs_buf_len(&b);
    }
}


void
gs_audit_json_object(gs_buf_t *b, const char *key)
{
    gs_json_key(b, key);
    gs_buf_char(b, '{');
}


void
gs_audit_json_end(gs_buf_t *b)
{
    if (b->overflow || b->pos[-1] != '{') {
        gs_buf_char(b, '}');
        return;
    }

    /* ,"sub":{ */

    do {
        b->pos--;
    } while (*b->pos != ',');
}
