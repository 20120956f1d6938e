
/*
 * Copyright (C) govsvc authors
 *
 * Does a text hold markup that would run script?  Tags are read as the
 * tokenizer of HTML reads them; formatting, links and pictures of rich text
 * are not script.
 */


#include "guard/gs_guard_priv.h"


#define GS_HTML_TAGS  256                  /* looked at in one text */

#define GS_HTML_SPACE  0x01                /* class of a byte */
#define GS_HTML_TAG    0x02                /* ends the name of a tag */
#define GS_HTML_NAME   0x04                /* ends that of an attribute */
#define GS_HTML_SKIP   0x08                /* taken for space between them */


static int gs_html_tag(gs_guard_scratch_t *s, const gs_str_t *text, size_t i,
    size_t *next);
static int gs_html_attributes(gs_guard_scratch_t *s, const gs_str_t *text,
    size_t *pos);
static size_t gs_html_until(const gs_str_t *text, size_t i, unsigned classes);
static size_t gs_html_skip(const gs_str_t *text, size_t i, unsigned classes);
static size_t gs_html_value(const gs_str_t *text, size_t i, gs_str_t *value);
static int gs_html_attribute(const gs_str_t *name, const gs_str_t *value);
static int gs_html_breakout(gs_guard_scratch_t *s, const gs_str_t *text);
static int gs_html_scheme(const gs_str_t *value);
static int gs_html_event(const gs_str_t *name);
static int gs_html_in(const gs_str_t *name, const char *const *names);


/* NUL ends names, as the end of the text does. */
static const gs_uchar_t  gs_html_class[256] = {
    ['\0'] = GS_HTML_SPACE|GS_HTML_TAG|GS_HTML_NAME|GS_HTML_SKIP,
    ['\t'] = GS_HTML_SPACE|GS_HTML_TAG|GS_HTML_NAME|GS_HTML_SKIP,
    ['\n'] = GS_HTML_SPACE|GS_HTML_TAG|GS_HTML_NAME|GS_HTML_SKIP,
    ['\v'] = GS_HTML_SPACE|GS_HTML_TAG|GS_HTML_NAME|GS_HTML_SKIP,
    ['\f'] = GS_HTML_SPACE|GS_HTML_TAG|GS_HTML_NAME|GS_HTML_SKIP,
    ['\r'] = GS_HTML_SPACE|GS_HTML_TAG|GS_HTML_NAME|GS_HTML_SKIP,
    [' '] = GS_HTML_SPACE|GS_HTML_TAG|GS_HTML_NAME|GS_HTML_SKIP,
    ['/'] = GS_HTML_TAG|GS_HTML_NAME|GS_HTML_SKIP,
    ['>'] = GS_HTML_TAG|GS_HTML_NAME,
    ['<'] = GS_HTML_TAG|GS_HTML_NAME,
    ['"'] = GS_HTML_TAG|GS_HTML_SKIP,
    ['\''] = GS_HTML_TAG|GS_HTML_SKIP,
    ['('] = GS_HTML_TAG,
    ['='] = GS_HTML_NAME
};


static const char *const  gs_html_script[] = {
    "script", "iframe", "frame", "object", "embed", "applet", "base",
    "meta", "link", "foreignobject", "animate", "set", "handler", "xss",
    "portal", "isindex", NULL
};


static const char *const  gs_html_urls[] = {
    "href", "src", "action", "formaction", "data", "xlink:href", "to",
    "from", "values", "srcdoc", "poster", "background", "code", "codebase",
    NULL
};


int
gs_guard_xss(gs_guard_scratch_t *s, const gs_str_t *text)
{
    size_t    i, next;
    unsigned  tags;

    tags = 0;

    for (i = 0; i < text->len && tags < GS_HTML_TAGS; i = next) {

        i = gs_str_chr(text, i, '<');

        if (i == text->len) {
            break;
        }

        tags++;

        if (gs_html_tag(s, text, i, &next)) {
            return 1;
        }
    }

    return gs_html_breakout(s, text) || gs_html_scheme(text);
}


static int
gs_html_tag(gs_guard_scratch_t *s, const gs_str_t *text, size_t i,
    size_t *next)
{
    size_t    start;
    gs_str_t  name;

    *next = ++i;

    if (i < text->len && text->data[i] == '/') {
        i++;
    }

    start = i;

    i = gs_html_until(text, i, GS_HTML_TAG);
    name = gs_str_make(text->data + start, i - start);

    if (name.len == 0 || !gs_is_alpha(name.data[0])) {
        return 0;
    }

    /* a prefix of a name space is no part of the name */

    start = gs_str_chr(&name, 0, ':');

    if (start + 1 < name.len) {
        name = gs_str_make(name.data + start + 1, name.len - start - 1);
    }

    if (gs_html_in(&name, gs_html_script)
        && (i == text->len || text->data[i] != '('))
    {
        return 1;
    }

    if (gs_html_attributes(s, text, &i)) {
        return 1;
    }

    *next = i;

    return 0;
}


/* Attributes up to ">" or to the end: a browser repairs what is missing. */

static int
gs_html_attributes(gs_guard_scratch_t *s, const gs_str_t *text, size_t *pos)
{
    size_t    i, from, start;
    gs_str_t  name, value;

    for (i = *pos; i < text->len; /* void */ ) {

        from = i;
        i = gs_html_skip(text, i, GS_HTML_SKIP);

        if (i == text->len || text->data[i] == '>' || text->data[i] == '<') {
            break;
        }

        start = i;

        i = gs_html_until(text, i, GS_HTML_NAME);
        name = gs_str_make(text->data + start, i - start);
        i = gs_html_skip(text, i, GS_HTML_SPACE);

        if (i == text->len || text->data[i] != '=') {
            i += (name.len == 0 && i < text->len);

        } else {
            i = gs_html_skip(text, i + 1, GS_HTML_SPACE);
            i = gs_html_value(text, i, &value);

            if (gs_html_attribute(&name, &value)) {
                return 1;
            }
        }

        if (gs_guard_tick(s, i - from)) {
            i = text->len;
        }
    }

    *pos = i;

    return 0;
}


static size_t
gs_html_until(const gs_str_t *text, size_t i, unsigned classes)
{
    while (i < text->len && (gs_html_class[text->data[i]] & classes) == 0) {
        i++;
    }

    return i;
}


static size_t
gs_html_skip(const gs_str_t *text, size_t i, unsigned classes)
{
    while (i < text->len && (gs_html_class[text->data[i]] & classes) != 0) {
        i++;
    }

    return i;
}


/* The value of an attribute, in quotes or not; the place behind it. */

static size_t
gs_html_value(const gs_str_t *text, size_t i, gs_str_t *value)
{
    int     quote;
    size_t  start;

    quote = (i < text->len) ? text->data[i] : 0;

    if (quote == '"' || quote == '\'' || quote == '`') {
        start = i + 1;
        i = gs_str_chr(text, start, quote);
        *value = gs_str_make(text->data + start, i - start);

        return (i < text->len) ? i + 1 : i;
    }

    start = i;

    while (i < text->len && text->data[i] != '>'
           && (gs_html_class[text->data[i]] & GS_HTML_SPACE) == 0)
    {
        i++;
    }

    *value = gs_str_make(text->data + start, i - start);

    return i;
}


static int
gs_html_attribute(const gs_str_t *name, const gs_str_t *value)
{
    size_t    i;
    gs_str_t  part;

    if (gs_html_event(name)) {
        return 1;
    }

    if (gs_html_in(name, gs_html_urls)) {

        if (gs_str_case_eq_text(name, "srcdoc")) {
            return value->len > 0;
        }

        return gs_html_scheme(value);
    }

    if (!gs_str_case_eq_text(name, "style")) {
        return 0;
    }

    for (i = 0; i + 11 <= value->len; i++) {

        switch (value->data[i] | 0x20) {

        case 'e':
        case 'j':
        case '-':
            break;

        default:
            continue;
        }

        part = gs_str_make(value->data + i, 11);

        if (gs_str_case_eq_text(&part, "expression(")
            || gs_str_case_eq_text(&part, "-moz-bindin")
            || gs_str_case_eq_text(&part, "javascript:"))
        {
            return 1;
        }
    }

    return 0;
}


/* The value was put into an attribute: it ends it and adds its own. */

static int
gs_html_breakout(gs_guard_scratch_t *s, const gs_str_t *text)
{
    int       c;
    size_t    i, pos;
    unsigned  starts;

    starts = 0;

    for (i = 0; i < text->len && starts < 8; i++) {

        if (text->data[i] != '"' && text->data[i] != '\''
            && text->data[i] != '`')
        {
            continue;
        }

        starts++;
        pos = i + 1;
        c = (pos < text->len) ? text->data[pos] : '"';

        if (((gs_html_class[c] & GS_HTML_SPACE) || c == '/' || gs_is_alpha(c))
            && gs_html_attributes(s, text, &pos))
        {
            return 1;
        }
    }

    return 0;
}


/* javascript:, vbscript:, data: of a document; with what browsers skip. */

static int
gs_html_scheme(const gs_str_t *value)
{
    size_t      i, k, n;
    gs_str_t    head;
    gs_uchar_t  word[24];

    static const char *const  schemes[] = {
        "javascript:", "vbscript:", "livescript:", "data:text/html",
        "data:image/svg", "data:application/x", "data:text/xml"
    };

    n = 0;

    for (i = 0; i < value->len && n < sizeof(word); i++) {
        if (value->data[i] > ' ') {
            word[n++] = (gs_uchar_t) gs_to_lower(value->data[i]);
        }
    }

    for (k = 0; k < sizeof(schemes) / sizeof(schemes[0]); k++) {
        head = gs_str_make(word, strlen(schemes[k]));

        if (head.len <= n && gs_str_eq_text(&head, schemes[k])) {
            return 1;
        }
    }

    return 0;
}


/* "on" and at least three letters, and nothing else: the names of events. */

static int
gs_html_event(const gs_str_t *name)
{
    size_t  i;

    if (name->len < 5 || name->len > 32 || (name->data[0] | 0x20) != 'o'
        || (name->data[1] | 0x20) != 'n')
    {
        return 0;
    }

    for (i = 2; i < name->len; i++) {
        if (!gs_is_alpha(name->data[i])) {
            return 0;
        }
    }

    return 1;
}


static int
gs_html_in(const gs_str_t *name, const char *const *names)
{
    for ( /* void */ ; *names != NULL; names++) {
        if (name->len > 0 && gs_to_lower(name->data[0]) == **names
            && gs_str_case_eq_text(name, *names))
        {
            return 1;
        }
    }

    return 0;
}
