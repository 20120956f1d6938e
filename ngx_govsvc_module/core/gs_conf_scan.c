
/*
 * Copyright (C) govsvc authors
 *
 * The includes of a configuration.
 */


#include "core/gs_conf_scan.h"


typedef struct {
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
    size_t             len;
    unsigned           cut:1;              /* longer than word */
    gs_uchar_t         word[GS_CONF_SCAN_WORD];
} gs_conf_scan_t;


static void gs_conf_scan_word(gs_conf_scan_t *s);
static void gs_conf_scan_escape(gs_conf_scan_t *s);
static void gs_conf_scan_put(gs_conf_scan_t *s, int c);
static int gs_conf_scan_ends(const gs_conf_scan_t *s, int before);
static int gs_conf_scan_space(int c);


gs_rc_t
gs_conf_scan(const gs_str_t *text, gs_conf_scan_pt handler, void *data)
{
    gs_rc_t         rc;
    gs_str_t        word;
    unsigned        n, include;
    gs_conf_scan_t  s;

    s.p = text->data;
    s.last = text->data + text->len;

    n = 0;
    include = 0;

    while (s.p < s.last) {

        if (gs_conf_scan_space(*s.p)) {
            s.p++;
            continue;
        }

        if (*s.p == '#') {
            while (s.p < s.last && *s.p != '\n') {
                s.p++;
            }

            continue;
        }

        if (*s.p == ';' || *s.p == '{' || *s.p == '}') {
            n = 0;
            s.p++;
            continue;
        }

        gs_conf_scan_word(&s);

        word = gs_str_make(s.word, s.len);
        n++;

        if (n == 1) {
            include = gs_str_eq_text(&word, "include") && !s.cut;
            continue;
        }

        if (n == 2 && include && !s.cut) {
            rc = handler(data, &word);

            if (rc != GS_OK) {
                return rc;
            }
        }
    }

    return GS_OK;
}


static void
gs_conf_scan_word(gs_conf_scan_t *s)
{
    int  quote, before;

    s->len = 0;
    s->cut = 0;

    quote = (*s->p == '"' || *s->p == '\'') ? *s->p++ : 0;
    before = 0;

    while (s->p < s->last) {

        if (*s->p == '\\') {
            gs_conf_scan_escape(s);
            before = 0;
            continue;
        }

        if (quote != 0 && *s->p == quote) {
            s->p++;
            return;
        }

        if (quote == 0 && gs_conf_scan_ends(s, before)) {
            return;
        }

        before = *s->p++;
        gs_conf_scan_put(s, before);
    }
}


/* A backslash before another character stays. */

static void
gs_conf_scan_escape(gs_conf_scan_t *s)
{
    int  c;

    s->p++;

    if (s->p == s->last) {
        gs_conf_scan_put(s, '\\');
        return;
    }

    c = *s->p++;

    switch (c) {

    case '"':
    case '\'':
    case '\\':
        gs_conf_scan_put(s, c);
        return;

    case 't':
        gs_conf_scan_put(s, '\t');
        return;

    case 'r':
        gs_conf_scan_put(s, '\r');
        return;

    case 'n':
        gs_conf_scan_put(s, '\n');
        return;

    default:
        gs_conf_scan_put(s, '\\');
        gs_conf_scan_put(s, c);
    }
}


static void
gs_conf_scan_put(gs_conf_scan_t *s, int c)
{
    if (s->len == sizeof(s->word)) {
        s->cut = 1;
        return;
    }

    s->word[s->len++] = (gs_uchar_t) c;
}


/* The brace of "${name}" is part of the word. */

static int
gs_conf_scan_ends(const gs_conf_scan_t *s, int before)
{
    return gs_conf_scan_space(*s->p) || *s->p == ';'
           || (*s->p == '{' && before != '$');
}


static int
gs_conf_scan_space(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
