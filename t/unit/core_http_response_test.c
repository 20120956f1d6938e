
/*
 * Copyright (C) govsvc authors
 *
 * Answers of HTTP/1.x: each in one piece, byte by byte, and cut at every
 * place; all that two readers could understand differently is refused.
 */


#include <stdio.h>

#include "core/gs_http_response.h"
#include "tap.h"


#define OK   "HTTP/1.1 200 OK\r\n"
#define CH   OK "Transfer-Encoding: chunked\r\n\r\n"
#define HEAD 512
#define BODY 64


typedef struct {
    const char  *text;
    gs_rc_t      rc;                       /* with the end of the stream */
    unsigned     status;
    const char  *body;
} answer_t;


static const answer_t  answers[] = {

    /* the three ends of a body */
    { OK "Content-Length: 5\r\n\r\nhello", GS_OK, 200, "hello" },
    { OK "content-length:0\r\n\r\n", GS_OK, 200, "" },
    { OK "\r\nto the end", GS_OK, 200, "to the end" },
    { CH "5\r\nhello\r\n0\r\n\r\n", GS_OK, 200, "hello" },
    { CH "5;a=\"b\"\r\nhello\r\n1 ;x\r\n", GS_ERROR, 200, NULL },
    { CH "5;a=\"b\"\r\nhello\r\n000\r\nX: y\r\n\r\n", GS_OK, 200, "hello" },
    { CH "1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n", GS_OK, 200,
      "a0123456789" },
    { OK "Content-Length: 2\r\n\r\nokGARBAGE", GS_OK, 200, "ok" },

    /* status lines */
    { "HTTP/1.0 404 Not Found\r\n\r\n", GS_OK, 404, "" },
    { "HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", GS_OK, 500, "" },
    { "HTTP/1.1 204 x\r\nContent-Length: 7\r\n\r\n", GS_OK, 204, "" },
    { "HTTP/1.1 304 \r\n\r\n", GS_OK, 304, "" },
    { "HTTP/1.1 100 Go\r\n\r\n" OK "Content-Length: 1\r\n\r\nx", GS_OK, 200,
      "x" },
    { "HTTP/1.1 101 Up\r\n\r\n", GS_ERROR, 101, NULL },
    { "HTTP/1.1 99 x\r\n\r\n", GS_ERROR, 0, NULL },
    { "HTTP/1.1 600 x\r\n\r\n", GS_ERROR, 0, NULL },
    { "HTTP/1.1 2000 x\r\n\r\n", GS_ERROR, 0, NULL },
    { "HTTP/2 200 x\r\n\r\n", GS_ERROR, 0, NULL },
    { "HTTP/1.2 200 x\r\n\r\n", GS_ERROR, 0, NULL },
    { "HTTP/1.1  200 x\r\n\r\n", GS_ERROR, 0, NULL },
    { "http/1.1 200 x\r\n\r\n", GS_ERROR, 0, NULL },
    { "HTTP/1.1 200 a\001b\r\n\r\n", GS_ERROR, 0, NULL },
    { "\r\nHTTP/1.1 200 x\r\n\r\n", GS_ERROR, 0, NULL },
    { "SSH-2.0-x\r\n\r\n", GS_ERROR, 0, NULL },
    { "", GS_ERROR, 0, NULL },

    /* header lines */
    { OK "A : b\r\n\r\n", GS_ERROR, 200, NULL },
    { OK ": b\r\n\r\n", GS_ERROR, 200, NULL },
    { OK "A\r\n\r\n", GS_ERROR, 200, NULL },
    { OK "A: b\r\n folded\r\n\r\n", GS_ERROR, 200, NULL },
    { OK "A: b\nC: d\r\n\r\n", GS_ERROR, 200, NULL },
    { OK "A: b\rC: d\r\n\r\n", GS_ERROR, 200, NULL },
    { OK "A: \x7f\r\n\r\n", GS_ERROR, 200, NULL },
    { "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", GS_ERROR, 0, NULL },
    { OK "A: \xe4\xbd\xa0\r\n\r\n", GS_OK, 200, "" },

    /* lengths in doubt */
    { OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", GS_ERROR,
      200, NULL },
    { OK "Content-Length: 5, 5\r\n\r\nhello", GS_ERROR, 200, NULL },
    { OK "Content-Length: +5\r\n\r\nhello", GS_ERROR, 200, NULL },
    { OK "Content-Length: -1\r\n\r\n", GS_ERROR, 200, NULL },
    { OK "Content-Length: 0x5\r\n\r\nhello", GS_ERROR, 200, NULL },
    { OK "Content-Length:\r\n\r\n", GS_ERROR, 200, NULL },
    { OK "Content-Length: 18446744073709551617\r\n\r\nx", GS_ERROR, 200,
      NULL },
    { OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      GS_ERROR, 200, NULL },
    { OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", GS_ERROR, 200,
      NULL },
    { OK "Transfer-Encoding: identity\r\n\r\nx", GS_ERROR, 200, NULL },
    { OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      GS_ERROR, 200, NULL },
    { "HTTP/1.0 200 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      GS_ERROR, 200, NULL },

    /* chunks */
    { CH "\r\n", GS_ERROR, 200, NULL },
    { CH "g\r\n", GS_ERROR, 200, NULL },
    { CH " 5\r\nhello\r\n0\r\n\r\n", GS_ERROR, 200, NULL },
    { CH "5\nhello\r\n0\r\n\r\n", GS_ERROR, 200, NULL },
    { CH "5\r\nhelloX0\r\n\r\n", GS_ERROR, 200, NULL },
    { CH "5\r\nhello\n0\r\n\r\n", GS_ERROR, 200, NULL },
    { CH "fffffffffffffffff\r\n", GS_ERROR, 200, NULL },
    { CH "00000000000000001\r\n", GS_ERROR, 200, NULL },
    { CH "0\r\nA: b\nC: d\r\n\r\n", GS_ERROR, 200, NULL },
    { CH "0\r\n\rx", GS_ERROR, 200, NULL },
    { CH "5\r\nhello\r\n0\r\n", GS_ERROR, 200, NULL },
    { CH "5\r\nhel", GS_ERROR, 200, NULL },

    /* cut */
    { OK "Content-Length: 6\r\n\r\nhello", GS_ERROR, 200, NULL },
    { OK "A: b\r\n", GS_ERROR, 0, NULL },

    { NULL, GS_OK, 0, NULL }
};


static void each(void);
static gs_rc_t run(gs_http_response_t *h, gs_mem_t *mem, gs_str_t text,
    size_t step);
static void sizes(void);
static void headers(void);
static void ages(void);
static void memory(void);


int
main(void)
{
    each();
    sizes();
    headers();
    ages();
    memory();

    return done_testing();
}


static gs_rc_t
run(gs_http_response_t *h, gs_mem_t *mem, gs_str_t text, size_t step)
{
    size_t   i, n;
    gs_rc_t  rc;

    if (gs_http_response_init(h, mem, HEAD, BODY, 0) != GS_OK) {
        return GS_BUSY;
    }

    for (i = 0; i < text.len; i += n) {
        n = text.len - i < step ? text.len - i : step;
        rc = gs_http_response_feed(h, text.data + i, n);

        if (rc != GS_AGAIN) {
            return rc;
        }
    }

    return gs_http_response_eof(h);
}


static void
each(void)
{
    size_t              i, cut;
    gs_rc_t             one, many;
    gs_str_t            text;
    const answer_t     *a;
    gs_http_response_t  h;

    for (i = 0; answers[i].text != NULL; i++) {
        a = &answers[i];
        text = gs_str_text(a->text);

        one = run(&h, &gs_mem_libc, text, text.len);

        ok(one == a->rc && (one == GS_OK || h.error != NULL),
           "answer %zu: %s", i, one == GS_OK ? "good" : h.error);

        if (one == GS_OK && a->rc == GS_OK) {
            is_int(h.status, a->status, "its status");
            is_str(h.body, a->body, "its body");
        }

        gs_http_response_release(&h);

        many = run(&h, &gs_mem_libc, text, 1);
        ok(many == one, "the same byte by byte");

        if (one == GS_OK && a->rc == GS_OK) {
            is_str(h.body, a->body, "with the same body");
        }

        gs_http_response_release(&h);

        for (cut = 0; cut < text.len; cut++) {
            (void) run(&h, &gs_mem_libc, gs_str_make(text.data, cut), 7);
            gs_http_response_release(&h);
        }
    }
}


static void
sizes(void)
{
    char                text[4096];
    gs_http_response_t  h;

    (void) run(&h, &gs_mem_libc,
               gs_str_text(OK "Content-Length: 65\r\n\r\n"), 999);
    ok(h.too_large && h.body.len == 0, "a length over the limit, at once");
    gs_http_response_release(&h);

    (void) run(&h, &gs_mem_libc, gs_str_text(CH "41\r\n"), 999);
    ok(h.too_large, "a chunk over the limit, at once");
    gs_http_response_release(&h);

    (void) run(&h, &gs_mem_libc, gs_str_text(CH "ffffffffffffffff\r\n"), 999);
    ok(h.too_large, "the largest chunk");
    gs_http_response_release(&h);

    memset(text, 'x', sizeof(text));
    memcpy(text, CH "1;", sizeof(CH "1;") - 1);
    ok(run(&h, &gs_mem_libc, gs_str_make(text, 512), 512) == GS_ERROR,
       "an endless extension");
    gs_http_response_release(&h);

    memset(text, 'x', sizeof(text));
    memcpy(text, CH "0\r\n", sizeof(CH "0\r\n") - 1);
    ok(run(&h, &gs_mem_libc, gs_str_make(text, 4000), 4000) == GS_ERROR
       && h.too_large, "an endless trailer");
    gs_http_response_release(&h);

    memset(text, 'x', sizeof(text));
    memcpy(text, OK "\r\n", sizeof(OK "\r\n") - 1);
    ok(run(&h, &gs_mem_libc, gs_str_make(text, 200), 200) == GS_ERROR
       && h.too_large, "an endless body");
    gs_http_response_release(&h);

    memset(text, 'x', sizeof(text));
    ok(run(&h, &gs_mem_libc, gs_str_make(text, HEAD + 1), 9) == GS_ERROR
       && h.too_large, "an endless head");
    gs_http_response_release(&h);

    ok(run(&h, &gs_mem_libc, gs_str_text(
           "HTTP/1.1 102 a\r\n\r\nHTTP/1.1 102 a\r\n\r\n"
           "HTTP/1.1 102 a\r\n\r\nHTTP/1.1 102 a\r\n\r\n"
           "HTTP/1.1 102 a\r\n\r\n" OK "\r\n"), 999) == GS_ERROR,
       "endless interim answers");
    gs_http_response_release(&h);

    (void) gs_http_response_init(&h, &gs_mem_libc, HEAD, BODY, 1);
    ok(gs_http_response_feed(&h, OK "Content-Length: 9999\r\n\r\n",
                             sizeof(OK "Content-Length: 9999\r\n\r\n") - 1)
       == GS_OK, "an answer to HEAD has no body");
    gs_http_response_release(&h);
}


static void
headers(void)
{
    char                text[4096];
    size_t              i, n;
    gs_str_t            s;
    gs_http_response_t  h;

    (void) run(&h, &gs_mem_libc,
               gs_str_text(OK "ETag:  \"a b\"\t\r\nTwice: 1\r\nTWICE: 2\r\n"
                           "Empty:\r\n\r\n"), 3);

    is_str(*gs_http_response_header(&h, "etag"), "\"a b\"", "a header");
    is_str(*gs_http_response_header(&h, "Empty"), "", "an empty one");
    ok(gs_http_response_header(&h, "twice") == NULL, "given twice: none");
    ok(gs_http_response_header(&h, "not") == NULL, "not given");
    gs_http_response_release(&h);

    n = sizeof(OK) - 1;
    memcpy(text, OK, n);

    for (i = 0; i < GS_HTTP_RESPONSE_HEADERS + 1; i++) {
        memcpy(text + n, "a:b\r\n", 5);
        n += 5;
    }

    memcpy(text + n, "\r\n", 2);
    s = gs_str_make(text, n + 2);

    ok(run(&h, &gs_mem_libc, s, 99) == GS_ERROR && h.too_large,
       "too many lines");
    gs_http_response_release(&h);
}


static void
ages(void)
{
    char                     text[256];
    size_t                   i;
    gs_rc_t                  rc;
    uint64_t                 age;
    gs_http_response_t       h;
    static const struct {
        const char  *value;
        int          age;                  /* -1: does not say */
    } cases[] = {
        { "max-age=60", 60 }, { "public, MAX-AGE=5 ", 5 },
        { "no-store", 0 }, { "max-age=9, no-cache", 0 },
        { "max-age=\"9\"", -1 }, { "max-age=-1", -1 }, { "max-age=", -1 },
        { "max-age=1, max-age=2", -1 }, { "s-maxage=7", -1 }, { "", -1 },
        { "max-age=99999999999999999999", -1 }, { ",,,", -1 },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void) snprintf(text, sizeof(text), OK "Cache-Control: %s\r\n\r\n",
                        cases[i].value);
        (void) run(&h, &gs_mem_libc, gs_str_text(text), 99);

        age = 4711;
        rc = gs_http_response_max_age(&h, &age);

        ok(cases[i].age < 0 ? rc == GS_DECLINED
                            : (rc == GS_OK && age == (unsigned) cases[i].age),
           "age of %s", cases[i].value);
        gs_http_response_release(&h);
    }
}


static void
memory(void)
{
    gs_rc_t             rc;
    unsigned            n;
    gs_http_response_t  h;

    for (n = 1; ; n++) {
        rc = run(&h, tap_mem_fail(n),
                 gs_str_text(CH "5\r\nhello\r\n20\r\n"
                             "01234567890123456789012345678901\r\n"
                             "0\r\n\r\n"), 11);

        if (!tap_mem_failed()) {
            ok(rc == GS_OK, "good with memory");
            gs_http_response_release(&h);
            break;
        }

        ok(rc == GS_BUSY || (rc == GS_ERROR && h.no_memory),
           "allocation %u failed", n);

        gs_http_response_release(&h);
        is_int(tap_mem_live(), 0, "nothing is left");
    }

    ok(n > 2, "the head and the body were tried");
}
