
/*
 * Copyright (C) govsvc authors
 *
 * The values of a request's head and of an answer, one after another.
 */


#include "guard/gs_guard_priv.h"
#include "core/gs_buf.h"


static void gs_guard_feed_line(gs_guard_run_t *run);
static int gs_guard_feed_came(const gs_guard_input_t *in);
static void gs_guard_feed_plain(gs_guard_run_t *run, gs_kind_e kind,
    const gs_str_t *text);
static void gs_guard_feed_path(gs_guard_run_t *run);
static void gs_guard_feed_segments(gs_guard_run_t *run);
static void gs_guard_feed_query(gs_guard_run_t *run);
static int gs_guard_feed_pair(gs_guard_run_t *run, const gs_str_t *pair,
    gs_kind_e values, gs_kind_e names);
static void gs_guard_feed_headers(gs_guard_run_t *run);
static void gs_guard_feed_header(gs_guard_run_t *run,
    const gs_guard_header_t *h);
static void gs_guard_feed_cookies(gs_guard_run_t *run,
    const gs_str_t *text);
static void gs_guard_feed_attrs(gs_guard_run_t *run);
static void gs_guard_feed_answer_headers(gs_guard_run_t *run);


void
gs_guard_feed_head(gs_guard_run_t *run)
{
    const gs_guard_input_t  *in;

    in = run->in;

    gs_guard_feed_plain(run, GS_KIND_METHOD, &in->method);
    gs_guard_feed_line(run);
    gs_guard_feed_headers(run);
    gs_guard_feed_whole(run);
    gs_guard_feed_attrs(run);
}


/* A line that is known as a whole has nothing in it that is not. */

static void
gs_guard_feed_line(gs_guard_run_t *run)
{
    gs_value_t               line;
    const gs_guard_input_t  *in;

    in = run->in;

    gs_guard_value_init(&line, GS_KIND_URI, GS_DECODE_NONE, &in->uri);
    line.name = in->path;

    if (gs_guard_feed_came(in) && gs_guard_known(run, &line)) {
        return;
    }

    gs_guard_feed_path(run);
    gs_guard_feed_segments(run);

    line.name = gs_str_make(NULL, 0);
    gs_guard_ask(run, &line);
    line.name = in->path;

    gs_guard_feed_query(run);

    gs_guard_know(run, &line);
}


/* Rewriting makes other arguments than those that came. */

static int
gs_guard_feed_came(const gs_guard_input_t *in)
{
    size_t  len;

    len = gs_str_chr(&in->uri, 0, '?');

    if (len == in->uri.len) {
        return in->args.len == 0;
    }

    return in->args.data == in->uri.data + len + 1
           && in->args.len == in->uri.len - len - 1;
}


static void
gs_guard_feed_plain(gs_guard_run_t *run, gs_kind_e kind,
    const gs_str_t *text)
{
    gs_value_t  v;

    if (!gs_guard_wanted(run, kind)) {
        return;
    }

    gs_guard_value_init(&v, kind, GS_DECODE_NONE, text);
    gs_guard_value(run, &v);
}


/* Raw is what came, url is what the server made of it. */

static void
gs_guard_feed_path(gs_guard_run_t *run)
{
    gs_str_t    raw;
    gs_value_t  v;

    if (!gs_guard_wanted(run, GS_KIND_PATH)) {
        return;
    }

    raw = gs_str_make(run->in->uri.data,
                      gs_str_chr(&run->in->uri, 0, '?'));

    gs_guard_value_init(&v, GS_KIND_PATH, GS_DECODE_URL, &raw);
    v.have |= 1u << GS_VIEW_URL;
    v.view[GS_VIEW_URL] = run->in->path;

    gs_guard_value(run, &v);
}


/* The pieces of the path as it came: a "%2f" in one stays inside it. */

static void
gs_guard_feed_segments(gs_guard_run_t *run)
{
    size_t      from, to, len;
    gs_str_t    text;
    gs_value_t  v;

    if (!gs_guard_wanted(run, GS_KIND_SEGMENTS)) {
        return;
    }

    len = gs_str_chr(&run->in->uri, 0, '?');

    for (from = 0; from < len; from = to + 1) {
        to = gs_str_chr(&run->in->uri, from, '/');
        to = (to > len) ? len : to;

        if (to == from) {
            continue;
        }

        text = gs_str_make(run->in->uri.data + from, to - from);

        if (text.len > run->s->size) {
            gs_guard_note(run, GS_GUARD_OVERSIZE, GS_GUARD_BLOCK, 403);
            return;
        }

        gs_guard_value_init(&v, GS_KIND_SEGMENTS, GS_DECODE_URL, &text);
        gs_guard_value(run, &v);
    }
}


static void
gs_guard_feed_query(gs_guard_run_t *run)
{
    int  more;

    gs_guard_feed_plain(run, GS_KIND_QUERY, &run->in->args);

    more = gs_guard_feed_pairs(run, &run->in->args, GS_KIND_ARGS,
                               GS_KIND_ARG_NAMES, GS_GUARD_MAX_ARGS);

    if (more && run->phase == GS_GUARD_HEAD) {
        gs_guard_note(run, GS_GUARD_OVERSIZE, GS_GUARD_BLOCK, 403);
    }
}


int
gs_guard_feed_pairs(gs_guard_run_t *run, const gs_str_t *text,
    gs_kind_e values, gs_kind_e names, size_t max)
{
    int       more;
    size_t    from, to, n;
    gs_str_t  pair;

    more = 0;
    n = 0;

    for (from = 0; from < text->len; from = to + 1) {

        if (++n > max) {
            return 1;
        }

        to = gs_str_chr(text, from, '&');
        pair = gs_str_make(text->data + from, to - from);

        more |= gs_guard_feed_pair(run, &pair, values, names);
    }

    return more;
}


/* "?cmd" is a name to one backend and a value to another. */

static int
gs_guard_feed_pair(gs_guard_run_t *run, const gs_str_t *pair,
    gs_kind_e values, gs_kind_e names)
{
    size_t      equal;
    uint32_t    ignored;
    gs_str_t    name, value;
    gs_value_t  v;

    if (pair->len == 0) {
        return 0;
    }

    equal = gs_str_chr(pair, 0, '=');
    name = gs_str_make(pair->data, equal);
    value = *pair;

    if (equal < pair->len) {
        value = gs_str_make(pair->data + equal + 1, pair->len - equal - 1);
    }

    if (name.len > GS_GUARD_MAX_VALUE || value.len > run->s->size
        || (values == GS_KIND_ARGS && value.len > GS_GUARD_MAX_VALUE))
    {
        return 1;
    }

    if (gs_guard_wanted(run, names)) {
        gs_guard_value_init(&v, names, GS_DECODE_FORM, &name);
        gs_guard_value(run, &v);
    }

    if (!gs_guard_wanted(run, values) && !gs_guard_wanted(run, GS_KIND_ARG)) {
        return 0;
    }

    ignored = 0;
    name = gs_guard_unescape(run->s->text, &name, 1, &ignored);

    gs_guard_value_init(&v, values, GS_DECODE_FORM, &value);
    v.name = name;
    gs_guard_value_also(run, &v, GS_KIND_ARG, &name);
    gs_guard_value(run, &v);

    return 0;
}


static void
gs_guard_feed_headers(gs_guard_run_t *run)
{
    size_t             total;
    gs_guard_header_t  h;

    if (run->in->header == NULL) {
        return;
    }

    if (run->in->rewind != NULL) {
        run->in->rewind(run->in->cursor);
    }

    total = 0;

    while (run->in->header(run->in->cursor, &h) == GS_OK) {

        if (h.name.len > GS_GUARD_MAX_HEADERS - total
            || h.value.len > GS_GUARD_MAX_HEADERS - total - h.name.len)
        {
            if (run->phase == GS_GUARD_HEAD) {
                gs_guard_note(run, GS_GUARD_OVERSIZE, GS_GUARD_BLOCK, 403);
            }

            return;
        }

        total += h.name.len + h.value.len;

        gs_guard_feed_header(run, &h);
    }
}


/* A header that is known was so with its name, and with the cookies in it. */

static void
gs_guard_feed_header(gs_guard_run_t *run, const gs_guard_header_t *h)
{
    gs_value_t  v, name;

    gs_guard_value_init(&v, GS_KIND_HEADERS, GS_DECODE_NONE, &h->value);
    v.name = h->name;

    if (gs_guard_known(run, &v)) {
        return;
    }

    if (gs_guard_wanted(run, GS_KIND_HEADER_NAMES)) {
        gs_guard_value_init(&name, GS_KIND_HEADER_NAMES, GS_DECODE_NONE,
                            &h->name);
        gs_guard_value(run, &name);
    }

    gs_guard_value_also(run, &v, GS_KIND_HEADER, &h->name);
    gs_guard_ask(run, &v);

    if (gs_str_case_eq_text(&h->name, "cookie")
        && (gs_guard_wanted(run, GS_KIND_COOKIES)
            || gs_guard_wanted(run, GS_KIND_COOKIE)))
    {
        gs_guard_feed_cookies(run, &h->value);
    }

    gs_guard_know(run, &v);
}


/* RFC 6265 section 4.2.1, and lax as servers are; values are decoded. */

static void
gs_guard_feed_cookies(gs_guard_run_t *run, const gs_str_t *text)
{
    size_t      from, to, equal;
    gs_str_t    pair, name, value;
    gs_value_t  v;

    for (from = 0; from < text->len; from = to + 1) {

        to = gs_str_chr(text, from, ';');

        while (from < to && text->data[from] == ' ') {
            from++;
        }

        if (from == to) {
            continue;
        }

        pair = gs_str_make(text->data + from, to - from);
        equal = gs_str_chr(&pair, 0, '=');
        name = gs_str_make(pair.data, equal);
        value = pair;

        if (equal < pair.len) {
            value = gs_str_make(pair.data + equal + 1, pair.len - equal - 1);
        }

        gs_guard_value_init(&v, GS_KIND_COOKIES, GS_DECODE_URL, &value);
        v.name = name;
        gs_guard_value_also(run, &v, GS_KIND_COOKIE, &name);
        gs_guard_value(run, &v);
    }
}


static void
gs_guard_feed_attrs(gs_guard_run_t *run)
{
    unsigned                 i;
    gs_str_t                 none, value;
    const gs_guard_input_t  *in;

    static const gs_kind_e  kinds[] = {
        GS_KIND_IP, GS_KIND_COUNTRY, GS_KIND_PROVINCE, GS_KIND_ASN
    };

    in = run->in;

    if (in->attr == NULL) {
        return;
    }

    none = gs_str_make("", 0);

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {

        if (gs_guard_wanted(run, kinds[i])
            && in->attr(in->attr_data, (gs_guard_attr_e) i, &none, &value)
               == GS_OK)
        {
            gs_guard_feed_plain(run, kinds[i], &value);
        }
    }
}


void
gs_guard_feed_claims(gs_guard_run_t *run)
{
    unsigned             t;
    gs_str_t             value;
    gs_value_t           v;
    const gs_target_t   *target;

    if (run->in->attr == NULL || !gs_guard_wanted(run, GS_KIND_TOKEN)) {
        return;
    }

    for (t = GS_KIND_FIXED; t < run->guard->ntargets; t++) {
        target = &run->guard->targets[t];

        if (target->kind != GS_KIND_TOKEN || run->ph->views[t] == 0
            || run->in->attr(run->in->attr_data, GS_GUARD_ATTR_TOKEN,
                             &target->name, &value)
               != GS_OK)
        {
            continue;
        }

        gs_guard_value_init(&v, GS_KIND_TOKEN, GS_DECODE_NONE, &value);
        v.targets[0] = (uint16_t) t;
        gs_guard_value(run, &v);
    }
}


void
gs_guard_feed_answer(gs_guard_run_t *run)
{
    gs_buf_t    b;
    gs_str_t    text;
    gs_uchar_t  number[16];

    if (gs_guard_wanted(run, GS_KIND_STATUS) && run->in->status != 0) {
        gs_buf_init(&b, number, sizeof(number));
        gs_buf_u64(&b, run->in->status);
        text = gs_buf_view(&b);
        gs_guard_feed_plain(run, GS_KIND_STATUS, &text);
    }

    if (gs_guard_wanted(run, GS_KIND_RESP_HEADER) && run->in->answer != NULL)
    {
        gs_guard_feed_answer_headers(run);
    }

    if (gs_guard_wanted(run, GS_KIND_RESP_BODY)
        && run->in->answer_body.data != NULL)
    {
        text = run->in->answer_body;

        if (text.len > run->s->size) {
            text.len = run->s->size;
        }

        gs_guard_feed_plain(run, GS_KIND_RESP_BODY, &text);
    }
}


static void
gs_guard_feed_answer_headers(gs_guard_run_t *run)
{
    unsigned            t;
    gs_value_t          v;
    gs_guard_header_t   h;

    while (run->in->answer(run->in->answer_cursor, &h) == GS_OK) {

        t = gs_guard_target(run->guard, GS_KIND_RESP_HEADER, &h.name);

        if (t == 0 || h.value.len > run->s->size) {
            continue;
        }

        gs_guard_value_init(&v, GS_KIND_RESP_HEADER, GS_DECODE_NONE,
                            &h.value);
        v.targets[0] = (uint16_t) t;
        gs_guard_value(run, &v);
    }
}
