
/*
 * Copyright (C) govsvc authors
 *
 * The line of a JSON value.
 */


#include "core/gs_json_pos.h"
#include "tap.h"


static void test_lines(void);
static void test_hostile(void);


static const char  text[] =
    "\n"
    "{\n"
    "  \"pools\": [\n"
    "    {\"id\": \"gd\",\n"
    "     \"a/b\": 1,\n"
    "     \"m~n\": [\n"
    "        1, \"}]\\\"{[\",\n"
    "        {\"x\": {\"y\": [[[]]]}},\n"
    "        -1.5e3],\n"
    "     \"\\u4e2d\\ud83d\\ude00\": true\n"
    "    },\n"
    "    {\n"
    "      \"id\":\n"
    "         \"zj\"}\n"
    "  ],\n"
    "  \"\": null,\n"
    "  \"tab\\tkey\": 0\n"
    "}\n";


int
main(void)
{
    test_lines();
    test_hostile();

    return done_testing();
}


static void
test_lines(void)
{
    size_t    i;
    gs_str_t  s;

    static const struct {
        const char  *pointer;
        unsigned     line;
    } cases[] = {
        { "", 2 },
        { "/pools", 3 },
        { "/pools/0", 4 },
        { "/pools/0/id", 4 },
        { "/pools/0/a~1b", 5 },
        { "/pools/0/m~0n", 6 },
        { "/pools/0/m~0n/0", 7 },
        { "/pools/0/m~0n/1", 7 },
        { "/pools/0/m~0n/2", 8 },
        { "/pools/0/m~0n/2/x/y/0/0", 8 },
        { "/pools/0/m~0n/3", 9 },
        { "/pools/0/m~0n/4", 6 },
        { "/pools/0/\xe4\xb8\xad\xf0\x9f\x98\x80", 10 },
        { "/pools/1", 12 },
        { "/pools/1/id", 14 },
        { "/pools/1/id/none", 14 },
        { "/pools/1/absent", 12 },
        { "/pools/2", 3 },
        { "/pools/x", 3 },
        { "/pools/-", 3 },
        { "/pools/99999999999999999999", 3 },
        { "/", 16 },
        { "/tab\tkey", 17 },
        { "/absent/deeper", 2 },
        { "no pointer", 2 },
    };

    s = gs_str_text(text);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(gs_json_line(&s, cases[i].pointer), cases[i].line,
               "line of \"%s\"", cases[i].pointer);
    }
}


static void
test_hostile(void)
{
    char      deep[20000];
    size_t    i, n;
    gs_str_t  s;

    static const char *const  texts[] = {
        "", "{", "[", "\"", "\"\\", "{\"", "{\"a\"", "{\"a\":", "{\"a\":]",
        "{\"a\":1,}", "{,}", "[,,]", "]", "}}}", "{\"a\\u12", "{a:1}", NULL
    };

    for (i = 0; texts[i] != NULL; i++) {
        s = gs_str_text(texts[i]);
        is_int(gs_json_line(&s, "/a/0/b"), 1, "hostile text %zu", i);
    }

    s = gs_str_make(NULL, 0);
    is_int(gs_json_line(&s, "/a"), 1, "no text");

    n = sizeof(deep);
    memset(deep, '[', n);
    s = gs_str_make(deep, n);
    is_int(gs_json_line(&s, "/1/2"), 1, "depth costs no stack");

    n = strlen(text);

    for (i = 0; i < n; i++) {
        s = gs_str_make(text, i);

        if (gs_json_line(&s, "/pools/1/id") > 14) {
            break;
        }
    }

    is_int((int64_t) i, (int64_t) n, "cut at any byte");
}
