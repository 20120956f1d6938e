
/*
 * Copyright (C) govsvc authors
 *
 * Prose: a field of a body that begins with Chinese sentences.  What stands
 * behind them may be code that people talk about; it is no injection that goes
 * on from the text before it, for no statement and no command begins so.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_PROSE  8                  /* ideographs */


static const gs_uchar_t *gs_guard_prose_tag(const gs_uchar_t *p,
    const gs_uchar_t *last);
static const gs_uchar_t *gs_guard_prose_entity(const gs_uchar_t *p,
    const gs_uchar_t *last);
static int gs_guard_prose_mark(const gs_uchar_t *p, const gs_uchar_t *last,
    int *word);


int
gs_guard_prose(const gs_value_t *v)
{
    int                word;
    unsigned           n;
    const gs_uchar_t  *p, *last;

    if (v->kind != GS_KIND_FORM && v->kind != GS_KIND_JSON_ALL
        && v->kind != GS_KIND_XML)
    {
        return 0;
    }

    n = 0;
    word = 0;
    p = v->view[GS_VIEW_URL].data;
    last = p + v->view[GS_VIEW_URL].len;

    while (p < last && n < GS_GUARD_PROSE) {

        if (*p == '<') {
            p = gs_guard_prose_tag(p, last);

        } else if (*p == '&') {
            p = gs_guard_prose_entity(p, last);

        } else if (*p >= 0x80) {

            /* U+4000 to U+9FFF */

            if (*p >= 0xe4 && *p <= 0xe9 && last - p >= 3) {
                p += 2;
                n++;
            }

            p++;

        } else {
            p = gs_guard_prose_mark(p, last, &word) ? p + 1 : last;
        }
    }

    return n == GS_GUARD_PROSE;
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
