
/*
 * Copyright (C) govsvc authors
 *
 * Prose: a field that begins with Chinese sentences, with a tag and holds
 * them, or holds a paragraph of them anywhere.  What stands beside may be code
 * that people talk about; it is no injection that goes on from the text before
 * it, for no statement and no command begins so.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_PROSE  8                  /* ideographs */
#define GS_GUARD_RICH   2                  /* of them behind a tag */
#define GS_GUARD_TALK   12                 /* anywhere */
#define GS_GUARD_TALK_LONG  3              /* anywhere in a long text */
#define GS_GUARD_TALK_LEN  60
#define GS_GUARD_TALK_MAX  4096            /* bytes searched */
#define GS_GUARD_STATEMENT  40             /* bytes of one in a query */


static int gs_guard_prose_begins(const gs_str_t *text);
static int gs_guard_prose_holds(const gs_str_t *text);
static int gs_guard_prose_ideograph(const gs_uchar_t *p);
static int gs_guard_prose_rich(const gs_uchar_t **p, const gs_uchar_t *last);
static int gs_guard_prose_space(int c);
static const gs_uchar_t *gs_guard_prose_tag(const gs_uchar_t *p,
    const gs_uchar_t *last);
static const gs_uchar_t *gs_guard_prose_entity(const gs_uchar_t *p,
    const gs_uchar_t *last);
static int gs_guard_prose_mark(const gs_uchar_t *p, const gs_uchar_t *last,
    int *word);


int
gs_guard_prose(gs_value_t *v)
{
    int              yes;
    const gs_str_t  *text;

    if (v->prose == 0) {
        text = &v->view[GS_VIEW_URL];

        /* a short statement alone in a query is asked for, not talked about */

        yes = (v->kind == GS_KIND_ARGS || v->kind == GS_KIND_FORM
               || v->kind == GS_KIND_JSON_ALL || v->kind == GS_KIND_XML)
              && (gs_guard_prose_begins(text) || gs_guard_prose_holds(text)
                  || gs_guard_listing(text, v->kind != GS_KIND_ARGS
                                            || text->len
                                               >= GS_GUARD_STATEMENT)
                  || gs_guard_program(text));

        v->prose = 1 + (yes != 0);
    }

    return (int) v->prose - 1;
}


/* 1 if there are sentences in the text, wherever they stand. */

static int
gs_guard_prose_holds(const gs_str_t *text)
{
    unsigned           n, need;
    const gs_uchar_t  *p, *last;

    n = 0;
    need = (text->len < GS_GUARD_TALK_LEN) ? GS_GUARD_TALK
                                           : GS_GUARD_TALK_LONG;
    p = text->data;
    last = p + (text->len < GS_GUARD_TALK_MAX ? text->len
                                              : GS_GUARD_TALK_MAX);

    while (last - p >= 3 && n < need) {

        if (gs_guard_prose_ideograph(p)) {
            p += 3;
            n++;
            continue;
        }

        p++;
    }

    return n == need;
}


/* U+4000 to U+9FFF, as UTF-8 has them. */

static int
gs_guard_prose_ideograph(const gs_uchar_t *p)
{
    return p[0] >= 0xe4 && p[0] <= 0xe9 && (p[1] & 0xc0) == 0x80
           && (p[2] & 0xc0) == 0x80;
}


static int
gs_guard_prose_begins(const gs_str_t *text)
{
    int                rich, word;
    unsigned           n, need;
    const gs_uchar_t  *p, *last;

    n = 0;
    word = 0;
    p = text->data;
    last = p + text->len;
    rich = gs_guard_prose_rich(&p, last);
    need = rich ? GS_GUARD_RICH : GS_GUARD_PROSE;

    while (p < last && n < need) {

        if (rich && *p < 0x80) {
            p++;

        } else if (*p == '<') {
            p = gs_guard_prose_tag(p, last);

        } else if (*p == '&') {
            p = gs_guard_prose_entity(p, last);

        } else if (*p >= 0x80) {

            if (last - p >= 3 && gs_guard_prose_ideograph(p)) {
                p += 2;
                n++;
            }

            p++;

        } else {
            p = gs_guard_prose_mark(p, last, &word) ? p + 1 : last;
        }
    }

    return n == need;
}


/* 1 if the text begins with a tag: no statement does, whatever follows. */

static int
gs_guard_prose_rich(const gs_uchar_t **p, const gs_uchar_t *last)
{
    const gs_uchar_t  *start;

    static const gs_str_t  xml = gs_string("<?xml");

    for (start = *p; start < last && gs_guard_prose_space(*start); start++) {
        /* void */
    }

    if (last - start < 2 || *start != '<') {
        return 0;
    }

    if (start[1] == '?') {
        start = (last - start >= 5 && memcmp(start, xml.data, xml.len) == 0)
                ? start + xml.len : last;

    } else if (start[1] != '!') {
        start = gs_guard_prose_tag(start, last);
    }

    if (start == last) {
        return 0;
    }

    *p = start;

    return 1;
}


static int
gs_guard_prose_space(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


/* Behind a tag without anything that a shell expands; else the end. */

static const gs_uchar_t *
gs_guard_prose_tag(const gs_uchar_t *p, const gs_uchar_t *last)
{
    int  quote;

    quote = 0;

    if (last - p < 2 || (!gs_is_alpha(p[1]) && p[1] != '/')) {
        return last;
    }

    for (p++; p < last; p++) {

        if (*p == '$' || *p == '`' || *p == '\\') {
            return last;
        }

        if (quote) {
            quote = (*p == quote) ? 0 : quote;
            continue;
        }

        switch (*p) {

        case '"':
        case '\'':
            quote = *p;
            break;

        case '>':
            return p + 1;

        case ';':
        case '|':
        case '&':
        case '<':
        case '(':
            return last;
        }
    }

    return last;
}


/* Behind "&nbsp;" and the like; else the end. */

static const gs_uchar_t *
gs_guard_prose_entity(const gs_uchar_t *p, const gs_uchar_t *last)
{
    const gs_uchar_t  *start;

    start = ++p;

    while (p < last && p - start < 8 && gs_is_alpha(*p)) {
        p++;
    }

    return (p > start && p < last && *p == ';') ? p + 1 : last;
}


/*
 * 1 if nothing begins or ends at the byte but a word, or, as long as there was
 * no letter or digit, a quotation or a formula of Chinese words.
 */

static int
gs_guard_prose_mark(const gs_uchar_t *p, const gs_uchar_t *last, int *word)
{
    switch (*p) {

    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case ',':
    case '.':
    case ':':
    case '[':
    case ']':
    case '?':
    case '!':
    case '_':
        return 1;

    case '-':
    case '/':
        return last - p < 2 || p[1] != *p;

    case '\'':
    case '"':
    case '(':
    case ')':
    case '=':
    case '>':
    case '+':
    case '*':
    case '%':
        return !*word;

    default:
        *word = 1;
        return gs_is_alpha(*p) || gs_is_digit(*p);
    }
}
