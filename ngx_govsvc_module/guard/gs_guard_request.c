
/*
 * Copyright (C) govsvc authors
 *
 * Requests written down: for the tests that rules carry and for the command
 * line.
 */


#include "guard/gs_guard_priv.h"


typedef struct {
    gs_guard_header_t  *headers;
    uint32_t            n;
    uint32_t            i;
    gs_str_t            attrs[GS_GUARD_ATTR_TOKEN];     /* data NULL: none */
} gs_guard_cursor_t;


static gs_rc_t gs_guard_request_answer(gs_guard_input_t *in, gs_mem_t *mem,
    gs_str_t *text, gs_err_t *err);
static gs_rc_t gs_guard_request_about(gs_guard_cursor_t *cursor,
    const gs_guard_header_t *h, gs_err_t *err);
static gs_rc_t gs_guard_request_attr(void *data, gs_guard_attr_e attr,
    const gs_str_t *name, gs_str_t *value);
static gs_rc_t gs_guard_next_header(void *data, gs_guard_header_t *h);
static void gs_guard_first_header(void *data);
static gs_str_t gs_guard_take_line(gs_str_t *text);
static size_t gs_guard_request_path(const gs_str_t *line, size_t i);
static void gs_guard_request_line(gs_guard_input_t *in, gs_str_t *line);
static gs_rc_t gs_guard_request_uri(gs_guard_input_t *in, gs_mem_t *mem,
    gs_err_t *err);
static gs_rc_t gs_guard_request_headers(gs_guard_cursor_t **out,
    gs_mem_t *mem, gs_str_t *text, gs_err_t *err);
static void gs_guard_request_types(gs_guard_input_t *in,
    const gs_guard_cursor_t *cursor);


gs_rc_t
gs_guard_request(gs_guard_input_t *in, gs_mem_t *mem, const gs_str_t *text,
    gs_err_t *err)
{
    gs_str_t            rest, line;
    gs_guard_cursor_t  *cursor;

    static const gs_str_t  http = gs_string("HTTP/");

    memset(in, 0, sizeof(gs_guard_input_t));

    rest = *text;

    if (gs_str_prefix(&rest, &http)) {
        return gs_guard_request_answer(in, mem, &rest, err);
    }

    line = gs_guard_take_line(&rest);

    gs_guard_request_line(in, &line);

    if (gs_guard_request_uri(in, mem, err) != GS_OK
        || gs_guard_request_headers(&cursor, mem, &rest, err) != GS_OK)
    {
        return GS_ERROR;
    }

    in->header = gs_guard_next_header;
    in->rewind = gs_guard_first_header;
    in->cursor = cursor;
    in->attr = gs_guard_request_attr;
    in->attr_data = cursor;

    gs_guard_request_types(in, cursor);

    if (rest.len > 0) {
        in->body = rest;
    }

    return GS_OK;
}


/* "HTTP/1.1 200 OK", headers, the beginning of the body. */

static gs_rc_t
gs_guard_request_answer(gs_guard_input_t *in, gs_mem_t *mem, gs_str_t *text,
    gs_err_t *err)
{
    size_t              space;
    uint64_t            status;
    gs_str_t            line, number;
    gs_guard_cursor_t  *cursor;

    line = gs_guard_take_line(text);
    space = gs_str_chr(&line, 0, ' ');
    number = gs_str_make(line.data + space, line.len - space);

    if (number.len > 0) {
        number = gs_str_make(number.data + 1, number.len - 1);
        number.len = gs_str_chr(&number, 0, ' ');
    }

    if (gs_parse_u64(&number, &status) != GS_OK
        || status < 100 || status > 999)
    {
        return gs_err(err, "invalid status line \"%S\"", &line);
    }

    if (gs_guard_request_headers(&cursor, mem, text, err) != GS_OK) {
        return GS_ERROR;
    }

    in->method = gs_str_text("GET");
    in->uri = in->path = gs_str_text("/");
    in->status = (unsigned) status;
    in->answer = gs_guard_next_header;
    in->answer_cursor = cursor;

    if (text->len > 0) {
        in->answer_body = *text;
    }

    return GS_OK;
}


static gs_str_t
gs_guard_take_line(gs_str_t *text)
{
    size_t    end;
    gs_str_t  line;

    end = gs_str_chr(text, 0, '\n');
    line = gs_str_make(text->data, end);

    if (end < text->len) {
        end++;
    }

    if (end > 0) {
        text->data += end;
        text->len -= end;
    }

    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }

    return line;
}


/*
 * Where the path begins in a target "/x" or "http://host/x" at i; 0 if it is
 * neither.
 */

static size_t
gs_guard_request_path(const gs_str_t *line, size_t i)
{
    size_t  colon, path;

    if (line->len - i >= 1 && line->data[i] == '/') {
        return i;
    }

    colon = gs_str_chr(line, i, ':');
    path = gs_str_chr(line, i, '/');

    if (colon == i || line->len - colon < 4 || path != colon + 1
        || line->data[colon + 2] != '/')
    {
        return 0;
    }

    path = gs_str_chr(line, colon + 3, '/');

    return (path == line->len) ? 0 : path;
}


/* "GET /x HTTP/1.1", "GET /x", "/x"; spaces inside the URI stay. */

static void
gs_guard_request_line(gs_guard_input_t *in, gs_str_t *line)
{
    size_t    i, path;
    gs_str_t  part;

    in->method = gs_str_text("GET");

    for (i = 0; i < line->len && gs_is_alpha(line->data[i]); i++) {
        /* void */
    }

    path = (i > 0 && line->len - i >= 2 && line->data[i] == ' ')
           ? gs_guard_request_path(line, i + 1) : 0;

    if (path > 0) {
        in->line = *line;
        in->method = gs_str_make(line->data, i);
        line->data += path;
        line->len -= path;
    }

    if (line->len > 9) {
        part = gs_str_make(line->data + line->len - 9, 9);

        if (memcmp(part.data, " HTTP/", 6) == 0) {
            line->len -= 9;
        }
    }

    in->uri = *line;
}


static gs_rc_t
gs_guard_request_uri(gs_guard_input_t *in, gs_mem_t *mem, gs_err_t *err)
{
    size_t       mark, len;
    gs_uchar_t  *path;

    if (in->uri.len == 0 || in->uri.data[0] != '/') {
        return gs_err(err, "invalid request \"%S\", expecting "
                      "\"[METHOD ]/path\"", &in->uri);
    }

    mark = gs_str_chr(&in->uri, 0, '?');

    if (mark < in->uri.len) {
        in->args = gs_str_make(in->uri.data + mark + 1,
                               in->uri.len - mark - 1);
    }

    path = gs_alloc(mem, in->uri.len);
    if (path == NULL) {
        return gs_err(err, "no memory");
    }

    if (gs_guard_path(path, &len, &in->uri) != GS_OK) {
        return gs_err(err, "invalid path \"%S\": the server answers 400",
                      &in->uri);
    }

    in->path = gs_str_make(path, len);

    return GS_OK;
}


static gs_rc_t
gs_guard_request_headers(gs_guard_cursor_t **out, gs_mem_t *mem,
    gs_str_t *text, gs_err_t *err)
{
    size_t              colon, i;
    gs_str_t            line;
    gs_guard_vec_t      vec;
    gs_guard_cursor_t  *cursor;
    gs_guard_header_t  *h;

    cursor = gs_calloc(mem, 1, sizeof(gs_guard_cursor_t));
    if (cursor == NULL) {
        return gs_err(err, "no memory");
    }

    memset(&vec, 0, sizeof(gs_guard_vec_t));
    vec.size = sizeof(gs_guard_header_t);

    while (text->len > 0) {
        line = gs_guard_take_line(text);

        if (line.len == 0) {
            break;
        }

        colon = gs_str_chr(&line, 0, ':');

        if (colon == 0 || colon == line.len) {
            return gs_err(err, "invalid header \"%S\", expecting "
                          "\"Name: value\"", &line);
        }

        h = gs_guard_push(mem, &vec);
        if (h == NULL) {
            return gs_err(err, "no memory");
        }

        for (i = colon + 1; i < line.len && line.data[i] == ' '; i++) {
            /* void */
        }

        h->name = gs_str_make(line.data, colon);
        h->value = gs_str_make(line.data + i, line.len - i);

        if (h->name.data[0] != '@') {
            continue;
        }

        if (gs_guard_request_about(cursor, h, err) != GS_OK) {
            return GS_ERROR;
        }

        vec.n--;
    }

    cursor->headers = vec.data;
    cursor->n = vec.n;

    *out = cursor;

    return GS_OK;
}


/*
 * What is known of the client, not sent: "@asn: 4134".  No header is named so
 * (RFC 9110, 5.6.2).
 */

static gs_rc_t
gs_guard_request_about(gs_guard_cursor_t *cursor, const gs_guard_header_t *h,
    gs_err_t *err)
{
    unsigned  i;

    static const char *const  names[] = {
        "@ip", "@geo.country", "@geo.province", "@asn", NULL
    };

    for (i = 0; names[i] != NULL; i++) {

        if (!gs_str_eq_text(&h->name, names[i])) {
            continue;
        }

        if (i == GS_GUARD_ATTR_ASN && !gs_guard_asn(&h->value)) {
            return gs_err(err, "invalid number \"%S\" of \"@asn\", "
                          "allowed: 1-4294967295", &h->value);
        }

        cursor->attrs[i] = h->value;

        return GS_OK;
    }

    (void) gs_err(err, "unknown line \"%S\" of a request", &h->name);
    gs_err_hint(err, &h->name, names);

    return GS_ERROR;
}


static gs_rc_t
gs_guard_request_attr(void *data, gs_guard_attr_e attr, const gs_str_t *name,
    gs_str_t *value)
{
    gs_guard_cursor_t *cursor = data;

    if (attr >= GS_GUARD_ATTR_TOKEN || cursor->attrs[attr].len == 0) {
        return GS_DECLINED;
    }

    *value = cursor->attrs[attr];

    return GS_OK;
}


static void
gs_guard_request_types(gs_guard_input_t *in, const gs_guard_cursor_t *cursor)
{
    uint32_t                  i;
    gs_str_t                 *place;
    const gs_guard_header_t  *h;

    for (i = 0; i < cursor->n; i++) {
        h = &cursor->headers[i];

        if (gs_str_case_eq_text(&h->name, "content-type")) {
            place = &in->type;

        } else if (gs_str_case_eq_text(&h->name, "content-encoding")) {
            place = &in->coding;

        } else {
            continue;
        }

        in->twice |= (place->len > 0);
        *place = h->value;
    }
}


static void
gs_guard_first_header(void *data)
{
    gs_guard_cursor_t *cursor = data;

    cursor->i = 0;
}


static gs_rc_t
gs_guard_next_header(void *data, gs_guard_header_t *h)
{
    gs_guard_cursor_t *cursor = data;

    if (cursor->i == cursor->n) {
        return GS_DONE;
    }

    *h = cursor->headers[cursor->i++];

    return GS_OK;
}


gs_rc_t
gs_guard_rule_test(const gs_guard_t *guard, gs_guard_scratch_t *s,
    gs_mem_t *mem, unsigned n, unsigned t, gs_guard_test_t *test,
    gs_err_t *err)
{
    int                     hit, body;
    unsigned                phase;
    gs_guard_test_t        *tests;
    gs_guard_input_t        in;
    gs_guard_verdict_t      verdict;
    const gs_guard_rule_t  *rule;

    if (n >= guard->nrules || t >= guard->rules[n].ntests) {
        return gs_err(err, "no such test");
    }

    rule = &guard->rules[n];
    tests = guard->build->tests.data;
    *test = tests[rule->test + t];

    if (gs_guard_request(&in, mem, &test->text, err) != GS_OK) {
        return GS_ERROR;
    }

    hit = 0;
    body = (in.body.data != NULL);

    for (phase = 0; phase < GS_GUARD_PHASES && !hit; phase++) {

        if ((phase == GS_GUARD_BODY && !gs_guard_acts(guard, phase, body))
            || (phase >= GS_GUARD_ANSWER && in.status == 0)
            || (rule->phases & (1u << phase)) == 0)
        {
            continue;
        }

        gs_guard_verdict_init(&verdict);
        (void) gs_guard_run(guard, s, guard->open, phase, &in, &verdict);

        hit = (gs_guard_holds(guard, s, rule) == GS_OK);
    }

    return (hit == test->expected) ? GS_OK : GS_DECLINED;
}
