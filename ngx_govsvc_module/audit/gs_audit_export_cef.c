
/*
 * Copyright (C) govsvc authors
 *
 * Export of audit lines: ArcSight Common Event Format, version 0, revision 25.
 *
 * In the header "|" and "\" are escaped, in the extension "=", "\" and the
 * ends of lines.  What would deceive the reader of a line (controls and the
 * like, which are \u in the record) stays the text of its escape.
 */


#include "audit/gs_audit_export_priv.h"
#include "core/gs_utf8.h"


static void gs_audit_cef_head(gs_audit_export_t *x);
static void gs_audit_cef_header(gs_audit_export_t *x, const gs_str_t *s);
static void gs_audit_cef_key(gs_audit_export_t *x, const char *key);
static void gs_audit_cef_text(gs_audit_export_t *x, const gs_str_t *s);
static size_t gs_audit_cef_escape(gs_audit_export_t *x, const gs_str_t *s,
    size_t i);
static uint32_t gs_audit_cef_code(const gs_str_t *s, size_t i);
static void gs_audit_cef_copy(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_cef_custom(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_cef_time(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_cef_outcome(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_cef_either(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_cef_source(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_cef_peer(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_cef_node(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_cef_rest(gs_audit_export_t *x);
static void gs_audit_cef_name(gs_audit_export_t *x, const gs_str_t *name);


typedef struct {
    const char  *key;
    const char  *label;
} gs_audit_cef_label_t;


static const gs_audit_row_t  gs_audit_cef_rows[] = {
    { "rt", "", "t", gs_audit_cef_time },
    { "start", "", "from", gs_audit_cef_time },
    { "end", "", "to", gs_audit_cef_time },
    { "dvchost", NULL, NULL, gs_audit_cef_node },
    { "externalId", "", "id", gs_audit_cef_copy },
    { "cat", "", "ty", gs_audit_cef_copy },
    { "act", "dec", "act", gs_audit_cef_copy },
    { "outcome", NULL, NULL, gs_audit_cef_outcome },
    { "reason", "dec", "code", gs_audit_cef_either },
    { "cnt", "", "n", gs_audit_cef_copy },
    { "src", "src", "ip", gs_audit_cef_source },
    { "spt", "src", "port", gs_audit_cef_copy },
    { "suid", "sub", "pid", gs_audit_cef_copy },
    { "duid", "", "uid", gs_audit_cef_copy },
    { "dvcpid", "", "pid", gs_audit_cef_copy },
    { "dst", "up", "addr", gs_audit_cef_peer },
    { "dhost", "http", "host", gs_audit_cef_copy },
    { "destinationServiceName", "gov", "platform", gs_audit_cef_copy },
    { "requestMethod", "http", "m", gs_audit_cef_copy },
    { "request", "http", "path", gs_audit_cef_copy },
    { "requestClientApplication", "", "ua", gs_audit_cef_copy },
    { "requestContext", "", "referer", gs_audit_cef_copy },
    { "in", "http", "in", gs_audit_cef_copy },
    { "out", "http", "out", gs_audit_cef_copy },
    { "cs1", "", "req", gs_audit_cef_custom },
    { "cs2", "gov", "case", gs_audit_cef_custom },
    { "cs3", "gov", "item", gs_audit_cef_custom },
    { "cs4", "", "tr", gs_audit_cef_custom },
    { "cs5", "gov", "app", gs_audit_cef_custom },
    { "cs6", "", "h", gs_audit_cef_custom },
    { "cn1", "http", "status", gs_audit_cef_custom },
    { "cn2", "http", "us", gs_audit_cef_custom },
    { "cn3", "sub", "aal", gs_audit_cef_custom },
    { "flexString1", "gov", "region", gs_audit_cef_custom },
    { "flexString2", "gov", "channel", gs_audit_cef_custom },
    { NULL, NULL, NULL, NULL }
};


static const gs_audit_cef_label_t  gs_audit_cef_labels[] = {
    { "cs1", "requestId" },
    { "cs2", "case" },
    { "cs3", "item" },
    { "cs4", "traceId" },
    { "cs5", "application" },
    { "cs6", "hash" },
    { "cn1", "httpStatus" },
    { "cn2", "durationMicros" },
    { "cn3", "assuranceLevel" },
    { "flexString1", "region" },
    { "flexString2", "channel" },
    { NULL, NULL }
};


void
gs_audit_export_cef(gs_audit_export_t *x)
{
    const gs_audit_row_t  *row;

    (void) gs_audit_export_take(x, "", "v");
    (void) gs_audit_export_take(x, "", "st");

    gs_audit_cef_head(x);

    for (row = gs_audit_cef_rows; row->path != NULL; row++) {
        row->put(x, row);
    }

    gs_audit_cef_rest(x);
}


/* CEF:0|vendor|product|version|signature|name|severity| */

static void
gs_audit_cef_head(gs_audit_export_t *x)
{
    gs_str_t  code;

    static const unsigned  severities[] = { 0, 1, 4, 6, 8, 10 };

    gs_buf_text(x->b, "CEF:0|govsvc|ngx_govsvc_module|1|");
    gs_audit_cef_header(x, &x->type);

    if (x->stage.len != 0) {
        gs_buf_char(x->b, '.');
        gs_audit_cef_header(x, &x->stage);
    }

    gs_buf_char(x->b, '|');

    code = gs_audit_field_value(x->f, "dec", "code");

    if (code.len == 0) {
        code = gs_audit_field_value(x->f, "", "code");
    }

    if (x->denied && code.len != 0) {
        gs_buf_text(x->b, "refused: ");
        gs_audit_cef_header(x, &code);

    } else if (x->http) {
        gs_buf_text(x->b, x->denied ? "refused" : "HTTP request");

    } else {
        gs_buf_text(x->b, "gateway: ");
        gs_audit_cef_header(x, &x->type);
    }

    gs_buf_char(x->b, '|');
    gs_buf_u64(x->b, severities[x->severity]);
    gs_buf_char(x->b, '|');
}


static void
gs_audit_cef_header(gs_audit_export_t *x, const gs_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] == '|' || s->data[i] == '\\') {
            gs_buf_char(x->b, '\\');
        }

        gs_buf_char(x->b, s->data[i]);
    }
}


static void
gs_audit_cef_key(gs_audit_export_t *x, const char *key)
{
    if (!x->b->overflow && x->b->pos[-1] != '|') {
        gs_buf_char(x->b, ' ');
    }

    gs_buf_text(x->b, key);
    gs_buf_char(x->b, '=');
}


static void
gs_audit_cef_text(gs_audit_export_t *x, const gs_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] == '\\') {
            i += gs_audit_cef_escape(x, s, i + 1);
            continue;
        }

        if (s->data[i] == '=') {
            gs_buf_char(x->b, '\\');
        }

        gs_buf_char(x->b, s->data[i]);
    }
}


/* An escape of JSON, its letter at i; returns its length without "\". */

static size_t
gs_audit_cef_escape(gs_audit_export_t *x, const gs_str_t *s, size_t i)
{
    uint32_t     c;
    unsigned     n;
    gs_uchar_t   text[4];

    switch (s->data[i]) {

    case 'n':
        gs_buf_text(x->b, "\\n");
        return 1;

    case 'r':
        gs_buf_text(x->b, "\\r");
        return 1;

    case '"':
    case '/':
        gs_buf_char(x->b, s->data[i]);
        return 1;

    case '\\':
        gs_buf_text(x->b, "\\\\");
        return 1;

    case 'u':
        break;

    default:
        gs_buf_text(x->b, "\\\\");
        gs_buf_char(x->b, s->data[i]);
        return 1;
    }

    c = gs_audit_cef_code(s, i + 1);
    n = gs_utf8_hidden(c) ? 0 : gs_utf8_put(text, c);

    if (c == '\n' || c == '\r') {
        gs_buf_text(x->b, c == '\n' ? "\\n" : "\\r");

    } else if (n == 0) {
        gs_buf_text(x->b, "\\\\");
        gs_buf_put(x->b, s->data + i, 5);

    } else {
        if (c == '=' || c == '\\') {
            gs_buf_char(x->b, '\\');
        }

        gs_buf_put(x->b, text, n);
    }

    return 5;
}


static uint32_t
gs_audit_cef_code(const gs_str_t *s, size_t i)
{
    int       ch;
    size_t    end;
    uint32_t  c;

    c = 0;

    for (end = i + 4; i < end && i < s->len; i++) {
        ch = gs_to_lower(s->data[i]);
        c = c * 16 + (uint32_t) (gs_is_digit(ch) ? ch - '0' : ch - 'a' + 10);
    }

    return c;
}


static void
gs_audit_cef_copy(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    const gs_audit_field_t  *field;

    field = gs_audit_export_take(x, row->object, row->key);

    if (field != NULL) {
        gs_audit_cef_key(x, row->path);
        gs_audit_cef_text(x, &field->value);
    }
}


/* A field without a name of its own, and what it is called. */

static void
gs_audit_cef_custom(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    const gs_audit_cef_label_t  *l;

    if (gs_audit_field(x->f, row->object, row->key) == NULL) {
        return;
    }

    gs_audit_cef_copy(x, row);

    for (l = gs_audit_cef_labels; l->key != NULL; l++) {
        if (strcmp(l->key, row->path) == 0) {
            gs_buf_char(x->b, ' ');
            gs_buf_text(x->b, l->key);
            gs_buf_text(x->b, "Label=");
            gs_buf_text(x->b, l->label);
            return;
        }
    }
}


/* ms since the epoch; the text of the time stays as it was written */

static void
gs_audit_cef_time(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_str_t  time;

    time = gs_audit_field_value(x->f, row->object, row->key);

    if (time.len != 0
        && (strcmp(row->path, "rt") == 0 || gs_audit_export_spans(x)))
    {
        gs_audit_cef_key(x, row->path);
        gs_buf_u64(x->b, gs_audit_export_ms(&time));
    }
}


static void
gs_audit_cef_outcome(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    static const char *const  names[] = { "unknown", "success", "failure" };

    gs_audit_cef_key(x, row->path);
    gs_buf_text(x->b, names[x->outcome]);
}


/* Of a request, or of many that were counted. */

static void
gs_audit_cef_either(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_audit_row_t  other;

    other = *row;

    if (gs_audit_field(x->f, row->object, row->key) == NULL) {
        other.object = "";
    }

    gs_audit_cef_copy(x, &other);
}


static void
gs_audit_cef_source(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (x->src_ip) {
        gs_audit_cef_copy(x, row);
    }
}


static void
gs_audit_cef_peer(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (x->up_ip.len == 0) {
        return;
    }

    (void) gs_audit_export_take(x, row->object, row->key);

    gs_audit_cef_key(x, row->path);
    gs_audit_cef_text(x, &x->up_ip);
    gs_audit_cef_key(x, "dpt");
    gs_audit_cef_text(x, &x->up_port);
}


static void
gs_audit_cef_node(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (x->node.len != 0) {
        gs_audit_cef_key(x, row->path);
        gs_audit_cef_text(x, &x->node);
    }
}


/* govsvcTokIss=..., govsvcMono=... */

static void
gs_audit_cef_rest(gs_audit_export_t *x)
{
    unsigned                 i;
    const gs_audit_field_t  *field;

    for (i = 0; i < x->f->n; i++) {
        field = &x->f->field[i];

        if (x->used[i]) {
            continue;
        }

        gs_buf_text(x->b, " govsvc");
        gs_audit_cef_name(x, &field->object);
        gs_audit_cef_name(x, &field->key);
        gs_buf_char(x->b, '=');
        gs_audit_cef_text(x, &field->value);
    }
}


static void
gs_audit_cef_name(gs_audit_export_t *x, const gs_str_t *name)
{
    int     c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c)) {
            c = '_';

        } else if (i == 0 && c >= 'a' && c <= 'z') {
            c -= 'a' - 'A';
        }

        gs_buf_char(x->b, c);
    }
}
