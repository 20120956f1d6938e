
/*
 * Copyright (C) govsvc authors
 *
 * The short cuts of a check change nothing: literals, gates of bytes, views
 * that are not made and what is remembered give the same verdicts as asking
 * every condition about every value.  With the rules as shipped, on what
 * attackers send and on mixtures of it.
 */


#include "guard/gs_guard.h"
#include "tap.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>


#define SHORT_FILE   (1024 * 1024)
#define SHORT_LINES  4096
#define SHORT_TEXT   16384
#define SHORT_MIXED  6000


typedef struct {
    gs_guard_t          *guard;
    gs_guard_scratch_t  *quick;
    gs_guard_scratch_t  *plain;
    unsigned             compared;
    unsigned             hits;
    unsigned             different;
} short_t;


static const char    short_rules[] = "lua-free-rules/*.rules";
static const char    short_corpus[] = "t/rules/payload/*";
static char         *short_lines[SHORT_LINES];
static unsigned      short_nlines;
static uint64_t      short_state = 88172645463325252u;


static const char *const  short_shapes[] = {
    "GET /a?q=%s HTTP/1.1\nHost: x\n",
    "GET /a?a=1&%s=2&b=%s HTTP/1.1\nHost: x\n",
    "GET /%s/b HTTP/1.1\nHost: x\nUser-Agent: %s\n",
    "GET / HTTP/1.1\nReferer: https://a.example/?%s\nX-A: %s\n",
    "GET / HTTP/1.1\nCookie: a=%s; b=%s\n",
    "POST / HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\n"
    "a=%s&b=%s&c=long+enough+to+be+looked+at+as+a+whole+before+its+parts+are"
    "+and+so+it+goes+on+for+a+while+until+there+are+two+hundred+and+fifty+six"
    "+bytes+of+it+all+in+all+which+is+more+than+one+would+think+at+first+but"
    "+this+is+now+the+end+of+it+at+last",
    "POST / HTTP/1.1\nContent-Type: application/json\n\n"
    "{\"a\":\"%s\",\"b\":[\"%s\",1,true],\"note\":\"long enough to be looked "
    "at as a whole before its parts are and so it goes on for a while until "
    "there are two hundred and fifty six bytes of it all in all which is "
    "more than one would think at first but this is now the end\"}",
    "POST / HTTP/1.1\nContent-Type: text/xml\n\n<r><a b=\"%s\">%s</a></r>",
    "POST / HTTP/1.1\nContent-Type: text/plain\n\n%s\n%s",
    "POST / HTTP/1.1\nContent-Type: multipart/form-data; boundary=b\n\n"
    "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"%s\"\r\n"
    "\r\n%s\r\n--b--\r\n"
};


static const char *const  short_pieces[] = {
    " ", "'", "\"", "(", ")", "/", "../", "%27", "%3c", "+", "\t", "\\", "$",
    "${", "}", ";", "|", "&", "=", "<", ">", "/*", "*/", "  ", "/\x2f", "/./",
    "\xe5\xb9\xbf\xe4\xb8\x9c", "\xef\xbc\x9c", "\xe2\x80\x8b", "\xc0\xae",
    "\xff", "%c0%af", "\\u003c", "\\x41", "&lt;", "&#60;", "union select",
    "<script", "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "javascript:",
    "java", "script", "id", "or", "1", "A", "%", "\r\n", "\x01", ":", "@"
};


static uint64_t
short_random(uint64_t n)
{
    short_state ^= short_state << 13;
    short_state ^= short_state >> 7;
    short_state ^= short_state << 17;

    return short_state % n;
}


static char *
short_read(const char *name, size_t *n)
{
    FILE  *f;
    char  *data;

    f = fopen(name, "rb");
    data = malloc(SHORT_FILE + 1);

    if (f == NULL || data == NULL) {
        exit(1);
    }

    *n = fread(data, 1, SHORT_FILE, f);
    data[*n] = '\0';
    (void) fclose(f);

    return data;
}


static void
short_open(short_t *t, gs_arena_t *arena)
{
    char              *data;
    size_t             i, n;
    glob_t             found;
    gs_mem_t          *mem;
    gs_err_t           err;
    gs_str_t           file, text;
    gs_guard_build_t  *build;

    mem = gs_arena_mem(arena);
    build = gs_guard_build_create(mem, NULL, NULL, NULL);

    if (glob(short_rules, 0, NULL, &found) != 0) {
        diag("no rules");
        exit(1);
    }

    for (i = 0; i < found.gl_pathc; i++) {
        data = short_read(found.gl_pathv[i], &n);
        file = gs_str_text(found.gl_pathv[i]);
        text = gs_str_make(data, n);

        if (gs_guard_parse(build, &file, &text, &err) != GS_OK) {
            diag("rules");
            exit(1);
        }

        free(data);
    }

    globfree(&found);

    if (gs_guard_compile(&t->guard, build, &err) != GS_OK) {
        diag("compile");
        exit(1);
    }

    t->quick = gs_guard_scratch_create(t->guard, mem, 65536);
    t->plain = gs_guard_scratch_create(t->guard, mem, 65536);
    gs_guard_plain(t->plain, 1);
}


static void
short_payloads(void)
{
    char    *data, *p, *end;
    size_t   i, n;
    glob_t   found;

    if (glob(short_corpus, 0, NULL, &found) != 0) {
        diag("no payloads");
        exit(1);
    }

    for (i = 0; i < found.gl_pathc; i++) {
        data = short_read(found.gl_pathv[i], &n);

        for (p = data; *p != '\0'; p = end) {
            end = strchr(p, '\n');

            if (end == NULL) {
                end = p + strlen(p);

            } else {
                *end++ = '\0';
            }

            if (*p != '\0' && short_nlines < SHORT_LINES) {
                short_lines[short_nlines++] = p;
            }
        }
    }

    globfree(&found);
}


static void
short_compare(short_t *t, const char *text)
{
    int                 same;
    gs_rc_t             a, b;
    gs_str_t            request;
    unsigned            i;
    gs_arena_t         *arena;
    gs_guard_input_t    in;
    gs_guard_verdict_t  quick, plain;

    arena = gs_arena_create(&gs_mem_libc);
    request = gs_str_text(text);

    if (gs_guard_request(&in, gs_arena_mem(arena), &request, NULL) != GS_OK) {
        gs_arena_destroy(arena);
        return;
    }

    in.oversize = 1;
    a = gs_guard_check(t->guard, t->quick, &in, &quick);
    b = gs_guard_check(t->guard, t->plain, &in, &plain);

    /* a pattern that cannot match may still meet its limit, if it is tried */

    if (plain.undecided == 0) {
        same = (a == b && quick.action == plain.action
                && quick.score == plain.score && quick.noted == plain.noted
                && quick.nhits == plain.nhits);

        for (i = 0; same && i < quick.nhits && i < GS_GUARD_MAX_HITS; i++) {
            same = (quick.hits[i] == plain.hits[i]);
        }

        t->compared++;
        t->hits += (plain.nhits > 0);
        t->different += !same;

        if (!same) {
            diag("%u hits and %u, first %u and %u: %.300s", quick.nhits,
                 plain.nhits, quick.hits[0], plain.hits[0], text);
        }
    }

    gs_arena_destroy(arena);
}


static void
short_mix(char *dst, size_t size)
{
    size_t       n, len, from;
    unsigned     k, parts;
    const char  *line;

    n = 0;
    dst[0] = '\0';
    parts = 1 + (unsigned) short_random(5);

    for (k = 0; k < parts; k++) {

        if (short_random(3) == 0) {
            line = short_pieces[short_random(sizeof(short_pieces)
                                             / sizeof(short_pieces[0]))];
            n += (size_t) snprintf(dst + n, size - n, "%s", line);

        } else {
            line = short_lines[short_random(short_nlines)];
            len = strlen(line);
            from = short_random(len);
            n += (size_t) snprintf(dst + n, size - n, "%.*s",
                                   (int) (1 + short_random(60)), line + from);
        }

        if (n >= size - 1) {
            break;
        }
    }
}


static void
test_payloads(short_t *t)
{
    char         *text;
    size_t        k;
    unsigned      i;

    text = malloc(SHORT_TEXT);

    for (i = 0; i < short_nlines; i++) {
        k = i % (sizeof(short_shapes) / sizeof(short_shapes[0]));

        (void) snprintf(text, SHORT_TEXT, short_shapes[k], short_lines[i],
                        short_lines[i]);
        short_compare(t, text);
    }

    free(text);

    ok(t->compared > 300, "payloads: %u compared, %u with hits", t->compared,
       t->hits);
    ok(t->hits * 2 > t->compared, "payloads: most of them hit");
    is_int(t->different, 0, "payloads: the same verdicts");
}


static void
test_mixed(short_t *t)
{
    char         *text, a[512], b[512];
    size_t        k;
    unsigned      i, n;
    const char   *more;

    more = getenv("GOVSVC_LONG");
    n = (more != NULL && more[0] == '1') ? SHORT_MIXED * 50 : SHORT_MIXED;
    text = malloc(SHORT_TEXT);
    t->compared = t->hits = t->different = 0;

    for (i = 0; i < n; i++) {
        short_mix(a, sizeof(a));
        short_mix(b, sizeof(b));
        k = short_random(sizeof(short_shapes) / sizeof(short_shapes[0]));

        (void) snprintf(text, SHORT_TEXT, short_shapes[k], a, b);
        short_compare(t, text);
    }

    free(text);

    ok(t->compared > n / 4, "mixtures: %u compared, %u with hits",
       t->compared, t->hits);
    ok(t->hits > 100 && t->hits < t->compared, "mixtures: some hit");
    is_int(t->different, 0, "mixtures: the same verdicts");
}


int
main(void)
{
    short_t      t;
    gs_arena_t  *arena;

    memset(&t, 0, sizeof(short_t));
    arena = gs_arena_create(&gs_mem_libc);

    short_open(&t, arena);
    short_payloads();

    test_payloads(&t);
    test_mixed(&t);

    gs_guard_scratch_destroy(t.quick);
    gs_guard_scratch_destroy(t.plain);
    gs_guard_destroy(t.guard);
    gs_arena_destroy(arena);

    return done_testing();
}
