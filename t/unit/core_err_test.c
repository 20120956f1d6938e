
/*
 * Copyright (C) govsvc authors
 *
 * Errors for people.
 */


#include "core/gs_err.h"
#include "tap.h"


static void test_format(void);
static void test_escape(void);
static void test_cut(void);
static void test_hint(void);


static gs_err_t  err;


int
main(void)
{
    test_format();
    test_escape();
    test_cut();
    test_hint();

    return done_testing();
}


static void
test_format(void)
{
    is_int(gs_err(NULL, "ignored"), GS_ERROR, "no one listens");

    err.line = 7;
    is_int(gs_err(&err, "%s %d %d %u %zu %c %x %%", "a", -5, 2147483647,
                  4294967295u, (size_t) 12, 'z', 0xbeefu),
           GS_ERROR, "returns an error");
    is_str(gs_str_text(err.text), "a -5 2147483647 4294967295 12 z beef %",
           "conversions");
    is_int(err.line, 7, "the line stays");

    gs_err(&err, "%d", -2147483647 - 1);
    is_str(gs_str_text(err.text), "-2147483648", "least int");
}


static void
test_escape(void)
{
    gs_str_t  s;

    s = gs_str_make("a\0b\n\x7f\xff\xe4\xb8\xad\xe2\x80\xae", 12);
    gs_err(&err, "bad \"%S\"", &s);
    is_str(gs_str_text(err.text),
           "bad \"a\\x00b\\x0a\\x7f\\xff\xe4\xb8\xad\\u{202e}\"",
           "nothing hidden is printed");
}


static void
test_cut(void)
{
    char      long_text[2048];
    gs_str_t  s;

    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    gs_err(&err, "%s", long_text);
    ok(strlen(err.text) >= GS_ERR_TEXT - 5
       && strlen(err.text) < GS_ERR_TEXT, "a long text is cut");

    s = gs_str_text(long_text);
    s.len = 509;
    gs_err(&err, "%S\xe4\xb8\xad", &s);
    ok((err.text[strlen(err.text) - 1] & 0x80) == 0,
       "no character is cut in two");
}


static void
test_hint(void)
{
    gs_str_t  s;

    static const char *const  names[] = { "on", "off", "detect", NULL };
    static const char *const  none[] = { NULL };

    s = gs_str_text("detct");
    gs_err(&err, "unknown value \"%S\"", &s);
    gs_err_hint(&err, &s, names);
    is_str(gs_str_text(err.text),
           "unknown value \"detct\"; did you mean \"detect\"?", "near");

    s = gs_str_text("whatever");
    gs_err(&err, "unknown value \"%S\"", &s);
    gs_err_hint(&err, &s, names);
    is_str(gs_str_text(err.text),
           "unknown value \"whatever\"; allowed: on, off, detect", "far");

    gs_err(&err, "x");
    gs_err_hint(&err, &s, none);
    is_str(gs_str_text(err.text), "x", "no names, no hint");
    gs_err_hint(NULL, &s, names);
}
