
/*
 * Copyright (C) govsvc authors
 *
 * Requests that cost the guard most: as many values as are looked at, as deep
 * and as long as bounds allow, what all but matches, codings in codings.  For
 * the test of the budget and for the bench.
 */


#ifndef _GUARD_WORST_H_INCLUDED_
#define _GUARD_WORST_H_INCLUDED_


#include "core/gs_b64.h"
#include "guard/gs_guard_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>


#define WORST_BODY    (1024 * 1024)
#define WORST_HEAD    65000
#define WORST_NAMES   48
#define WORST_LIKES   16                   /* repeated in one pattern */
#define WORST_WORDS   6                    /* taken of its literals */


typedef struct {
    gs_guard_input_t     in;
    unsigned             near;             /* all but matches this rule */
    char                 name[WORST_NAMES];
    size_t               nheaders;
    size_t               next;
    gs_guard_header_t   *headers;
    gs_uchar_t          *text;             /* WORST_BODY bytes */
    size_t               size;             /* of bodies */
} worst_t;


typedef void (*worst_pt)(void *data, worst_t *w);


/* What a piece of a long text is made of; "%u" is its number. */
typedef struct {
    const char  *name;
    const char  *type;                     /* NULL: not a body */
    const char  *start;
    const char  *piece;
    const char  *end;
    unsigned     max;                      /* pieces; 0: as many as fit */
} worst_shape_t;


static const worst_shape_t  worst_shapes[] = {
    { "arguments", NULL, "", "k%u=%%27%%20or%%20(%%3ca%%20on&", "", 1000 },
    { "argument-one", NULL, "q=", "%%2527+or+(/**/%%3ca+on", "", 0 },
    { "form-fields", "application/x-www-form-urlencoded", "",
      "k%u=%%27+or+(select%%2541%%3ca+on&", "", 0 },
    { "form-empty", "application/x-www-form-urlencoded", "", "%u=&", "", 0 },
    { "form-encoded", "application/x-www-form-urlencoded", "q=",
      "%%25252527", "", 0 },
    { "form-entities", "application/x-www-form-urlencoded", "q=",
      "%%26%%2360%%3b%%26lt%%3b", "", 0 },
    { "form-comments", "application/x-www-form-urlencoded", "q=union",
      "/*%%2a/**/", " select", 0 },
    { "form-quotes", "application/x-www-form-urlencoded", "q=c",
      "'\\\\${IFS}\"at\"", "", 0 },
    { "form-dots", "application/x-www-form-urlencoded", "q=",
      "/..;/.%%2e\\\\/", "", 0 },
    { "form-tokens", "application/x-www-form-urlencoded", "q=",
      "' or (select 1,", "", 0 },
    { "form-tags", "application/x-www-form-urlencoded", "q=", "<a on ", "",
      0 },
    { "json-deep", "application/json", "", "{\"a\":[", "", 0 },
    { "json-leaves", "application/json", "[", "\"' or (<a on%u\",", "1]", 0 },
    { "json-keys", "application/json", "{", "\"' or %u\":1,", "\"a\":1}", 0 },
    { "json-escapes", "application/json", "[\"",
      "\\u0027\\u003c\\u0061", "\"]", 0 },
    { "xml-elements", "text/xml", "<r>", "<a b='&lt;a on%u'>' or (</a>",
      "</r>", 0 },
    { "xml-open", "text/xml", "", "<a ", "", 0 },
    { "xml-entities", "text/xml", "<r>", "&#x3c;&amp;lt;", "</r>", 0 },
    { "multipart-10000", "multipart/form-data; boundary=b", "",
      "--b\r\nContent-Disposition: form-data; name=\"a%u\"\r\n\r\n'or(\r\n",
      "--b--\r\n", 10000 },
    { "multipart-files", "multipart/form-data; boundary=b", "",
      "--b\r\nContent-Disposition: form-data; name=a; filename=\"%u.j%%73p\""
      "\r\nContent-Type: a/b\r\n\r\n<%%\r\n", "--b--\r\n", 0 },
    { "multipart-dashes", "multipart/form-data; boundary=b", "--b\r\n\r\n",
      "\r\n--a", "\r\n--b--\r\n", 0 },
    { "base64", "application/x-www-form-urlencoded", "q=",
      "JyBvciAoPGEgb24gJyBvciAo", "", 0 },
    { "text", "text/plain", "", "${' or (<a on ../", "", 0 }
};


/* Long values of what all but matches each rule: parts of its own tests. */
static const char *const  worst_near[][3] = {
    { "application/x-www-form-urlencoded", "q=", "" },
    { "application/json", "{\"q\":\"", "\"}" },
    { "text/xml", "<r><a>", "</a></r>" }
};


/* Where a literal and what follows it again and again are put. */
typedef struct {
    const char  *name;
    const char  *type;
    const char  *start;
    const char  *end;
    int          b64;
} worst_place_t;


static const worst_place_t  worst_places[] = {
    { "form", "application/x-www-form-urlencoded", "q=", "", 0 },
    { "json", "application/json", "{\"a\":[{\"q\":\"", "\"}]}", 0 },
    { "xml", "text/xml", "<r><a>", "</a></r>", 0 },
    { "text", "text/plain", "", "", 0 },
    { "part", "multipart/form-data; boundary=b",
      "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n",
      "\r\n--b--\r\n", 0 },
    { "b64", "application/x-www-form-urlencoded", "q=", "", 1 }
};


static inline gs_rc_t
worst_next(void *cursor, gs_guard_header_t *h)
{
    worst_t  *w = cursor;

    if (w->next == w->nheaders) {
        return GS_DONE;
    }

    *h = w->headers[w->next++];

    return GS_OK;
}


static inline void
worst_rewind(void *cursor)
{
    worst_t  *w = cursor;

    w->next = 0;
}


static inline void
worst_begin(worst_t *w, const char *name)
{
    memset(&w->in, 0, sizeof(gs_guard_input_t));

    (void) snprintf(w->name, WORST_NAMES, "%s", name);

    w->near = 0;
    w->nheaders = 0;
    w->in.method = gs_str_text("GET");
    w->in.uri = gs_str_text("/44/portal/search");
    w->in.path = w->in.uri;
    w->in.header = worst_next;
    w->in.rewind = worst_rewind;
    w->in.cursor = w;
    w->in.oversize = 2;
}


/* text is "start piece piece .. end", as much as size holds. */

static inline size_t
worst_fill(worst_t *w, size_t size, const char *start, const char *piece,
    const char *end, unsigned max)
{
    char      one[256];
    size_t    n, len;
    unsigned  i;

    n = (size_t) snprintf((char *) w->text, size, "%s", start);

    for (i = 0; max == 0 || i < max; i++) {
        len = (size_t) snprintf(one, sizeof(one), piece, i);

        if (n + len + strlen(end) >= size) {
            break;
        }

        memcpy(w->text + n, one, len);
        n += len;
    }

    memcpy(w->text + n, end, strlen(end));

    return n + strlen(end);
}


static inline void
worst_body(worst_t *w, const char *type, size_t len)
{
    w->in.method = gs_str_text("POST");
    w->in.type = gs_str_text(type);
    w->in.body = gs_str_make(w->text, len);
}


static inline void
worst_shaped(worst_t *w, worst_pt each, void *data)
{
    size_t                i, len;
    const worst_shape_t  *shape;

    for (i = 0; i < sizeof(worst_shapes) / sizeof(worst_shapes[0]); i++) {

        shape = &worst_shapes[i];
        worst_begin(w, shape->name);

        len = worst_fill(w, shape->type ? w->size : WORST_HEAD, shape->start,
                         shape->piece, shape->end, shape->max);

        if (shape->type != NULL) {
            worst_body(w, shape->type, len);

        } else {
            w->in.args = gs_str_make(w->text, len);
        }

        each(data, w);
    }
}


/* Many headers, one long one, many cookies: up to what Nginx takes. */

static inline void
worst_heads(worst_t *w, worst_pt each, void *data)
{
    size_t  i, n, len;

    static const size_t  sizes[] = { 8, 60, 1000, 60000 };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {

        worst_begin(w, "");
        (void) snprintf(w->name, WORST_NAMES, "headers-of-%zu", sizes[i]);

        len = worst_fill(w, sizes[i] + 8, "", "' or (<a ${x", "", 0);

        for (n = 0; n < 4096 && n * (len + 12) < WORST_HEAD; n++) {
            w->headers[n].name = gs_str_text("X-Forwarded");
            w->headers[n].value = gs_str_make(w->text, len);
        }

        w->nheaders = n;
        each(data, w);
    }

    worst_begin(w, "cookies");
    w->headers[0].name = gs_str_text("Cookie");
    w->headers[0].value = gs_str_make(w->text, worst_fill(w, WORST_HEAD,
                                      "", "a%u=%%2527 or (<a on; ", "", 0));
    w->nheaders = 1;
    each(data, w);

    worst_begin(w, "segments");
    len = worst_fill(w, WORST_HEAD, "/", "%%2527or(<a.;x/", "", 0);
    w->in.uri = gs_str_make(w->text, len);
    w->in.path = w->in.uri;
    each(data, w);
}


/* Few bytes that become as many as are looked at. */

static inline void
worst_bomb(worst_t *w, worst_pt each, void *data)
{
    size_t       i, size;
    z_stream     z;
    gs_uchar_t  *packed;

    static const char *const  pieces[] = { "a", "' or (<a on ", "%%2527" };

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {

        worst_begin(w, "");
        (void) snprintf(w->name, WORST_NAMES, "gzip-bomb-%zu", i + 1);

        memset(&z, 0, sizeof(z_stream));
        size = w->size;
        packed = malloc(size);

        if (packed == NULL
            || deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9,
                            Z_DEFAULT_STRATEGY) != Z_OK)
        {
            exit(1);
        }

        z.avail_in = (uInt) worst_fill(w, w->size, "q=", pieces[i], "", 0);
        z.next_in = w->text;
        z.next_out = packed;
        z.avail_out = (uInt) size;

        (void) deflate(&z, Z_FINISH);
        size -= z.avail_out;
        (void) deflateEnd(&z);

        worst_body(w, "application/x-www-form-urlencoded", size);
        w->in.body = gs_str_make(packed, size);
        w->in.coding = gs_str_text("gzip");
        each(data, w);

        free(packed);
    }
}


/* Parts of the tests of each rule that must hit, again and again. */

static inline void
worst_nears(worst_t *w, const gs_guard_t *guard, gs_guard_scratch_t *s,
    unsigned step, worst_pt each, void *data)
{
    size_t                  n, at, len, part;
    unsigned                i, t, k, f, count;
    gs_arena_t             *arena;
    gs_guard_test_t         test;
    gs_guard_rule_info_t    info;

    count = 0;

    for (i = 0; gs_guard_rule(guard, i, &info) == GS_OK; i++) {
        for (t = 0; t < info.ntests; t++) {

            arena = gs_arena_create(&gs_mem_libc);
            (void) gs_guard_rule_test(guard, s, gs_arena_mem(arena), i, t,
                                      &test, NULL);

            at = gs_str_chr(&test.text, 0, '=') + 1;
            at = (at < test.text.len) ? at : 0;
            len = test.text.len - at;

            for (k = 0; test.expected && k < 4 && len > 4; k++) {

                if (count++ % step != 0) {
                    continue;
                }

                f = count % 3;
                part = len - len * k / 4 - 1;

                worst_begin(w, "");
                (void) snprintf(w->name, WORST_NAMES, "near-%u-%u-%u-%s",
                                info.id, t, k,
                                f == 0 ? "form" : f == 1 ? "json" : "xml");
                w->near = info.id;

                n = strlen(worst_near[f][1]);
                memcpy(w->text, worst_near[f][1], n);

                while (n + part + 16 < w->size) {
                    memcpy(w->text + n, test.text.data + at, part);
                    n += part;
                }

                memcpy(w->text + n, worst_near[f][2],
                       strlen(worst_near[f][2]));
                n += strlen(worst_near[f][2]);

                worst_body(w, worst_near[f][0], n);
                each(data, w);
            }

            gs_arena_destroy(arena);
        }
    }
}


/* One byte of each thing that a pattern repeats. */

static inline unsigned
worst_likes(const gs_str_t *pattern, char *likes)
{
    int       c;
    size_t    i, k;
    unsigned  n;

    n = 0;
    likes[n++] = ' ';
    likes[n++] = 'a';
    likes[n++] = '1';

    for (i = 1; i < pattern->len && n < WORST_LIKES; i++) {

        if (strchr("*+{", pattern->data[i]) == NULL
            || pattern->data[i] == '\0')
        {
            continue;
        }

        /* of a set or of a group: what stands before its end */

        k = i - 1;
        k -= (k > 0 && (pattern->data[k] == ']' || pattern->data[k] == ')'));
        c = pattern->data[k];
        c = (c == 's') ? ' ' : (c == 'w') ? '_' : (c == 'd') ? '0'
            : (c == '.') ? ';' : c;

        if (memchr(likes, c, n) == NULL) {
            likes[n++] = (char) c;
        }
    }

    return n;
}


/* A word and a run of like, to the end (0) or so many and again. */

static inline size_t
worst_run(gs_uchar_t *text, size_t size, const gs_str_t *word, int like,
    size_t run)
{
    size_t  n, len;

    for (n = 0; n + word->len < size; n += len) {
        memcpy(text + n, word->data, word->len);
        n += word->len;

        len = (run == 0 || n + run > size) ? size - n : run;
        memset(text + n, like, len);
    }

    return n;
}


static inline void
worst_pump(worst_t *w, gs_uchar_t *temp, const gs_str_t *word, int like,
    size_t run, const worst_place_t *place)
{
    size_t  n, len, size;

    n = strlen(place->start);
    size = w->size - n - strlen(place->end);
    memcpy(w->text, place->start, n);

    if (place->b64) {
        len = worst_run(temp, size / 4 * 3 - 3, word, like, run);
        len = gs_b64_encode(w->text + n, temp, len);

    } else {
        len = worst_run(w->text + n, size, word, like, run);
    }

    memcpy(w->text + n + len, place->end, strlen(place->end));
    worst_body(w, place->type, n + len + strlen(place->end));
}


/*
 * Each byte, alone and behind each other mark, behind what makes conditions
 * of all classes look: an expression, a tag, a command, a template.
 */

static inline void
worst_bytes(worst_t *w, unsigned step, worst_pt each, void *data)
{
    int         c;
    size_t      n;
    char        word[80];
    unsigned    k, count;
    gs_str_t    text;
    gs_uchar_t *temp;

    static const char  heads[] = "1' or (select 1) union<a on=x>;|`$({{\\n";
    static const char  marks[] = "\n '\"(<&;|$%\\/-=.,:{[*a1\xe4";

    temp = malloc(WORST_BODY);
    count = 0;

    for (c = 1; temp != NULL && c < 0x100; c += (c == 0x7f) ? 0x11 : 1) {
        for (k = 0; k < sizeof(marks); k++) {

            if (count++ % step != 0) {
                continue;
            }

            worst_begin(w, "");
            (void) snprintf(w->name, WORST_NAMES, "byte-%02x-%u-%s",
                            (unsigned) c, k,
                            worst_places[count / step % 6].name);

            /* the last mark is NUL: the byte alone */

            n = (size_t) snprintf(word, sizeof(word), "%s%c", heads,
                                  marks[k]);
            text = gs_str_make(word + sizeof(heads) - 1,
                               n - (sizeof(heads) - 1));
            worst_pump(w, temp, &text, c, marks[k] ? 1 : 0,
                       &worst_places[count / step % 6]);
            memcpy(w->text + strlen(worst_places[count / step % 6].start),
                   heads, sizeof(heads) - 1);
            each(data, w);
        }
    }

    free(temp);
}


/* The literals of each pattern, each before what the pattern repeats. */

static inline void
worst_pumps(worst_t *w, const gs_guard_t *guard, unsigned step, worst_pt each,
    void *data)
{
    char              likes[WORST_LIKES];
    gs_str_t          word;
    uint32_t          i, k, l, m, count, nlikes, nwords;
    gs_uchar_t       *temp;
    const gs_cond_t  *cond;

    static const size_t  runs[] = { 0, 1, 64, 1000 };

    temp = malloc(WORST_BODY);
    count = 0;

    for (i = 0; temp != NULL && i < guard->nconds; i++) {
        for (cond = &guard->conds[i]; cond != NULL; cond = cond->same) {

            if (cond->op != GS_OP_PCRE) {
                continue;
            }

            nlikes = worst_likes(&cond->values[0], likes);
            nwords = (cond->nwords < WORST_WORDS) ? cond->nwords
                                                  : WORST_WORDS;

            for (k = 0; k < (nwords ? nwords : 1) * nlikes * 4; k++) {

                if (count++ % step != 0) {
                    continue;
                }

                l = k / 4 % nlikes;
                m = count / step % (sizeof(worst_places)
                                    / sizeof(worst_places[0]));

                word = nwords ? cond->words[k / 4 / nlikes * cond->nwords
                                            / nwords]
                              : gs_str_text("");

                worst_begin(w, "");
                (void) snprintf(w->name, WORST_NAMES, "pump-%u-%u-%u-%s",
                                guard->rules[cond->rule].id, cond->line, k,
                                worst_places[m].name);
                w->near = guard->rules[cond->rule].id;

                worst_pump(w, temp, &word, likes[l], runs[k % 4],
                           &worst_places[m]);
                each(data, w);
            }
        }
    }

    free(temp);
}


/* All of them, with bodies of size bytes; of those near a rule each step-th. */

static inline void
worst_each(const gs_guard_t *guard, gs_guard_scratch_t *s, size_t size,
    unsigned step, worst_pt each, void *data)
{
    worst_t  w;

    memset(&w, 0, sizeof(worst_t));

    w.size = size;
    w.text = malloc(WORST_BODY);
    w.headers = calloc(4096, sizeof(gs_guard_header_t));

    if (w.text == NULL || w.headers == NULL) {
        exit(1);
    }

    worst_shaped(&w, each, data);
    worst_heads(&w, each, data);
    worst_bomb(&w, each, data);
    worst_nears(&w, guard, s, step, each, data);
    worst_pumps(&w, guard, step * 8, each, data);
    worst_bytes(&w, step * 4, each, data);

    free(w.headers);
    free(w.text);
}


#endif /* _GUARD_WORST_H_INCLUDED_ */
