
/*
 * Copyright (C) govsvc authors
 *
 * Bodies: what they are by their type and by their look, without their
 * coding, and the values in them.  What cannot be read as it claims to be is
 * a fact, and is looked at all the same.
 */


#include "guard/gs_guard_priv.h"


#define GS_BODY_SAME  256                  /* fields of one name */


typedef enum {
    GS_BODY_OTHER = 0,                     /* not text */
    GS_BODY_TEXT,                          /* no type, or one of text */
    GS_BODY_FORM,
    GS_BODY_JSON,
    GS_BODY_XML,
    GS_BODY_MULTIPART
} gs_body_e;


static void gs_body_oversize(gs_guard_run_t *run);
static uint32_t gs_body_coding(gs_guard_run_t *run, gs_str_t *text);
static gs_body_e gs_body_type(const gs_str_t *type);
static int gs_body_starts(const gs_str_t *type, const char *text);
static uint32_t gs_body_charset(const gs_str_t *type);
static int gs_body_trailing(const gs_str_t *charset);
static uint32_t gs_body_mark(gs_str_t *text);
static uint32_t gs_body_parse(gs_guard_run_t *run, const gs_str_t *text,
    gs_body_e type);
static int gs_body_first(const gs_str_t *text);
static uint32_t gs_body_fields(gs_guard_run_t *run, const gs_str_t *text);
static size_t gs_body_param_value(const gs_str_t *header, size_t i,
    gs_str_t *value);
static gs_str_t gs_body_trim(const gs_str_t *text, size_t start, size_t end);
static int gs_body_space(int c);


void
gs_guard_feed_body(gs_guard_run_t *run)
{
    uint32_t    facts;
    gs_str_t    text;
    gs_value_t  v;

    text = run->in->body;

    if (text.data == NULL || run->phase != GS_GUARD_BODY) {
        return;
    }

    facts = run->in->body_cut ? GS_FLAG_OVER_LIMIT : 0;

    if (run->in->twice) {
        facts |= GS_FLAG_TYPE;
    }

    if (text.len > run->s->size) {
        text.len = run->s->size;
        facts |= GS_FLAG_OVER_LIMIT;
    }

    (void) gs_guard_tick(run->s, text.len);

    facts |= gs_body_coding(run, &text);
    facts |= gs_body_charset(&run->in->type);
    facts |= gs_body_mark(&text);

    gs_guard_outer(run, &text);

    facts |= gs_body_parse(run, &text, gs_body_type(&run->in->type));

    run->verdict->facts |= facts;

    if (facts & (GS_FLAG_OVER_LIMIT|GS_FLAG_MANY)) {
        gs_body_oversize(run);
    }

    if (gs_guard_wanted(run, GS_KIND_BODY)) {
        gs_guard_value_init(&v, GS_KIND_BODY, GS_DECODE_NONE, &text);
        v.facts = facts;
        gs_guard_value(run, &v);
    }

    gs_guard_outer(run, NULL);
}


/* What is not looked at is never nothing, but where it was said so. */

static void
gs_body_oversize(gs_guard_run_t *run)
{
    int                  full;
    gs_guard_verdict_t  *verdict;

    verdict = run->verdict;

    if (run->in->oversize == 0) {
        return;
    }

    if (run->in->oversize != 1) {
        gs_guard_note(run, GS_GUARD_OVERSIZE, GS_GUARD_BLOCK, 413);
        return;
    }

    /* points count with those of the head, and of rules that follow */

    verdict->score += GS_GUARD_CUT_POINTS;
    full = (verdict->score >= run->policy->threshold);

    gs_guard_note(run, GS_GUARD_OVERSIZE,
                  full ? GS_GUARD_BLOCK : GS_GUARD_LOG, 403);

    if (verdict->nhits <= GS_GUARD_MAX_HITS) {
        verdict->list[verdict->nhits - 1].points = GS_GUARD_CUT_POINTS;
    }
}


/* RFC 9110 section 8.4.1; a list of codings is one that we do not undo. */

static uint32_t
gs_body_coding(gs_guard_run_t *run, gs_str_t *text)
{
    gs_rc_t          rc;
    gs_str_t         plain;
    const gs_str_t  *coding;

    coding = &run->in->coding;

    if (coding->len == 0 || gs_str_case_eq_text(coding, "identity")) {
        return 0;
    }

    /* programs that take it for the charset; servers leave the body as it is */

    if (gs_str_case_eq_text(coding, "utf-8")
        || gs_str_case_eq_text(coding, "gbk"))
    {
        return 0;
    }

    if (run->s->zlib == NULL
        || (!gs_str_case_eq_text(coding, "gzip")
            && !gs_str_case_eq_text(coding, "x-gzip")
            && !gs_str_case_eq_text(coding, "deflate")))
    {
        return GS_FLAG_ENCODING;
    }

    rc = gs_guard_inflate(run->s, &plain, text);

    run->s->unseen += plain.len;
    *text = plain;

    return (rc == GS_AGAIN) ? GS_FLAG_OVER_LIMIT
           : (rc == GS_ERROR && !run->in->body_cut) ? GS_FLAG_ENCODING : 0;
}


static gs_body_e
gs_body_type(const gs_str_t *type)
{
    size_t    end;
    gs_str_t  name;

    static const gs_str_t  json = gs_string("+json");
    static const gs_str_t  xml = gs_string("+xml");

    /* PHP ends it at a comma and at a space too */

    for (end = 0; end < type->len; end++) {
        if (strchr(";, \t", type->data[end]) != NULL) {
            break;
        }
    }

    name = gs_str_make(type->data, end);

    if (gs_str_case_eq_text(&name, "application/x-www-form-urlencoded")) {
        return GS_BODY_FORM;
    }

    if (gs_body_starts(&name, "multipart/")) {
        return GS_BODY_MULTIPART;
    }

    if (gs_str_case_eq_text(&name, "application/json")
        || gs_str_case_eq_text(&name, "text/json")
        || gs_str_suffix(&name, &json))
    {
        return GS_BODY_JSON;
    }

    if (gs_str_case_eq_text(&name, "application/xml")
        || gs_str_case_eq_text(&name, "text/xml")
        || gs_str_suffix(&name, &xml))
    {
        return GS_BODY_XML;
    }

    if (name.len == 0 || gs_body_starts(&name, "text/")) {
        return GS_BODY_TEXT;
    }

    return GS_BODY_OTHER;
}


static int
gs_body_starts(const gs_str_t *type, const char *text)
{
    gs_str_t  head;

    head = gs_str_make(type->data, strlen(text));

    if (type->len < head.len) {
        return 0;
    }

    return gs_str_case_eq_text(&head, text);
}


static uint32_t
gs_body_charset(const gs_str_t *type)
{
    int       again;
    gs_str_t  value;

    again = gs_guard_param(type, "charset", &value);

    if (again == 0) {
        return 0;
    }

    return gs_guard_charset(&value) | (again > 1 ? GS_FLAG_MIXED : 0);
}


uint32_t
gs_guard_charset(const gs_str_t *name)
{
    size_t  i;

    static const char *const  known[] = {
        "utf-8", "utf8", "gbk", "gb2312", "gb18030", "us-ascii",
        "iso-8859-1", "latin1", "windows-1252", "big5"
    };

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (gs_str_case_eq_text(name, known[i])) {
            return 0;
        }
    }

    if (gs_body_starts(name, "utf-7") || gs_body_starts(name, "utf-16")
        || gs_body_starts(name, "utf-32") || gs_body_starts(name, "utf16")
        || gs_body_starts(name, "ucs-"))
    {
        return GS_FLAG_UTF16;
    }

    return GS_FLAG_CHARSET;
}


/*
 * Programs of .NET write "utf-16" into texts that are none: bytes of UTF-16
 * are told by their look.  Two charsets are a contradiction where one of them
 * has bytes of ASCII within its characters.
 */

uint32_t
gs_guard_charset_inside(const gs_str_t *type, const gs_str_t *name)
{
    uint32_t  facts;
    gs_str_t  value;

    facts = gs_guard_charset(name);

    if (facts & GS_FLAG_UTF16) {
        return gs_body_starts(name, "utf-7") ? facts : 0;
    }

    if (gs_guard_param(type, "charset", &value) > 0
        && gs_body_trailing(&value) != gs_body_trailing(name))
    {
        facts |= GS_FLAG_MIXED;
    }

    return facts;
}


static int
gs_body_trailing(const gs_str_t *charset)
{
    return gs_body_starts(charset, "gb") ? 1
           : gs_str_case_eq_text(charset, "big5") ? 2 : 0;
}


/* A byte order mark: of UTF-8 it is taken off, others are told. */

static uint32_t
gs_body_mark(gs_str_t *text)
{
    const gs_uchar_t  *p;

    p = text->data;

    if (text->len >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
        *text = gs_str_make(p + 3, text->len - 3);
        return 0;
    }

    if (text->len >= 2
        && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)
            || (p[0] == 0 && p[1] == '<') || (p[0] == '<' && p[1] == 0)
            || (p[0] == 0 && p[1] == '{') || (p[0] == '{' && p[1] == 0)))
    {
        return GS_FLAG_UTF16;
    }

    return 0;
}


/*
 * As the type says, and as the look says where that differs: one of the two
 * is what the application will take it for.
 */

static uint32_t
gs_body_parse(gs_guard_run_t *run, const gs_str_t *text, gs_body_e type)
{
    int       first;
    uint32_t  facts;
    gs_str_t  boundary;

    first = gs_body_first(text);

    switch (type) {

    case GS_BODY_MULTIPART:

        if (gs_guard_param(&run->in->type, "boundary", &boundary) == 1
            && boundary.len > 0 && boundary.len <= 70)
        {
            return gs_guard_feed_multipart(run, text, &boundary,
                             gs_body_starts(&run->in->type,
                                            "multipart/form-data"));
        }

        return gs_body_fields(run, text)|GS_FLAG_MULTIPART;

    case GS_BODY_JSON:

        if (first == '<') {
            return gs_guard_feed_xml(run, text)|GS_FLAG_TYPE|GS_FLAG_JSON;
        }

        return (text->len == 0) ? 0 : gs_guard_feed_json(run, text);

    case GS_BODY_XML:

        if (first == '{' || first == '[') {
            return gs_guard_feed_json(run, text)|GS_FLAG_TYPE|GS_FLAG_XML;
        }

        return (text->len == 0) ? 0 : gs_guard_feed_xml(run, text);

    default:
        break;
    }

    facts = 0;

    if (first == '{' || first == '[') {

        facts = gs_guard_feed_json(run, text);

        if (facts & GS_FLAG_JSON) {

            /* it only began so */

            facts &= ~(uint32_t) GS_FLAG_JSON;

        } else {
            return facts|GS_FLAG_TYPE;
        }

    } else if (first == '<' && type != GS_BODY_FORM) {
        return gs_guard_feed_xml(run, text)|GS_FLAG_TYPE;
    }

    return (type == GS_BODY_OTHER) ? facts : facts|gs_body_fields(run, text);
}


static int
gs_body_first(const gs_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] != ' ' && text->data[i] != '\t'
            && text->data[i] != '\r' && text->data[i] != '\n')
        {
            return text->data[i];
        }
    }

    return 0;
}


static uint32_t
gs_body_fields(gs_guard_run_t *run, const gs_str_t *text)
{
    uint32_t  facts;

    facts = gs_guard_repeats(text, '&', GS_BODY_SAME) ? GS_FLAG_REPEATED : 0;

    if (gs_guard_feed_pairs(run, text, GS_KIND_FORM, GS_KIND_FORM_NAMES,
                            GS_GUARD_MAX_FIELDS))
    {
        facts |= GS_FLAG_MANY;
    }

    return facts;
}


uint32_t
gs_guard_feed_typed(gs_guard_run_t *run, const gs_str_t *text,
    const gs_str_t *type)
{
    uint32_t  facts;

    facts = gs_body_charset(type);

    switch (gs_body_type(type)) {

    case GS_BODY_JSON:
        return facts|gs_guard_feed_json(run, text);

    case GS_BODY_XML:
        return facts|gs_guard_feed_xml(run, text);

    case GS_BODY_MULTIPART:
        return facts|GS_FLAG_MULTIPART;

    default:
        return facts;
    }
}


/*
 * A parameter of a header (RFC 9110 section 5.6.6): how often it is there,
 * and the first value.  Quotes are taken off, escapes stay.
 */

int
gs_guard_param(const gs_str_t *header, const char *name, gs_str_t *value)
{
    int       n;
    size_t    i, start;
    gs_str_t  key, found;

    n = 0;

    for (i = gs_str_chr(header, 0, ';');
         i < header->len;
         i = gs_str_chr(header, i, ';'))
    {
        for (i++; i < header->len && gs_body_space(header->data[i]); i++) {
            /* void */
        }

        for (start = i;
             i < header->len && header->data[i] != '='
             && header->data[i] != ';';
             i++)
        {
            /* void */
        }

        key = gs_body_trim(header, start, i);

        if (i == header->len || header->data[i] == ';') {
            continue;
        }

        i = gs_body_param_value(header, i + 1, &found);

        if (gs_str_case_eq_text(&key, name) && n++ == 0) {
            *value = found;
        }
    }

    return n;
}


static size_t
gs_body_param_value(const gs_str_t *header, size_t i, gs_str_t *value)
{
    size_t  start;

    while (i < header->len && gs_body_space(header->data[i])) {
        i++;
    }

    if (i == header->len || header->data[i] != '"') {
        start = i;
        i = gs_str_chr(header, i, ';');
        *value = gs_body_trim(header, start, i);

        return i;
    }

    start = ++i;

    while (i < header->len && header->data[i] != '"') {
        i += (header->data[i] == '\\' && i + 1 < header->len
              && header->data[i + 1] == '"') ? 2 : 1;
    }

    *value = gs_str_make(header->data + start, i - start);

    return i;
}


static gs_str_t
gs_body_trim(const gs_str_t *text, size_t start, size_t end)
{
    while (end > start && gs_body_space(text->data[end - 1])) {
        end--;
    }

    return gs_str_make(text->data + start, end - start);
}


static int
gs_body_space(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
