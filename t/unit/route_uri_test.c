
/*
 * Copyright (C) govsvc authors
 *
 * Request targets that route and platform could read differently.
 */


#include "route/gs_route.h"
#include "tap.h"


typedef struct {
    const char      *target;
    gs_route_uri_e   want;
    int              at;                   /* -1: not looked at */
} vector_t;


static const vector_t  vectors[] = {

    /* what must pass */

    { "/", GS_ROUTE_URI_SAFE, -1 },
    { "/44/portal/home", GS_ROUTE_URI_SAFE, -1 },
    { "/44/portal/home?next=/a/../b%2f%5c%00", GS_ROUTE_URI_SAFE, -1 },
    { "/%E5%8A%9E%E4%BA%8B/%e6%8c%87%e5%8d%97", GS_ROUTE_URI_SAFE, -1 },
    { "/\xe5\x8a\x9e\xe4\xba\x8b", GS_ROUTE_URI_SAFE, -1 },
    { "/%F0%A0%80%80", GS_ROUTE_URI_SAFE, -1 },
    { "/a.b/..c/c../...", GS_ROUTE_URI_SAFE, -1 },
    { "/.well-known/acme", GS_ROUTE_URI_SAFE, -1 },
    { "/a;jsessionid=1/b;c", GS_ROUTE_URI_SAFE, -1 },
    { "/a%20b%25c", GS_ROUTE_URI_SAFE, -1 },
    { "/a%2eb/%41", GS_ROUTE_URI_SAFE, -1 },
    { "/100%25", GS_ROUTE_URI_SAFE, -1 },
    { "/%25E5%258A%259E", GS_ROUTE_URI_SAFE, -1 },
    { "//a//b", GS_ROUTE_URI_SAFE, -1 },
    { "http://gw.example/44/", GS_ROUTE_URI_SAFE, -1 },
    { "https://gw.example:8443/44/?a=b", GS_ROUTE_URI_SAFE, -1 },

    /* encoded separators and ends of string */

    { "/44/a%2fb", GS_ROUTE_URI_SLASH, 5 },
    { "/44/a%2Fb", GS_ROUTE_URI_SLASH, 5 },
    { "/%2f", GS_ROUTE_URI_SLASH, 1 },
    { "/44/..%2f33", GS_ROUTE_URI_SLASH, -1 },
    { "/a\\b", GS_ROUTE_URI_BACKSLASH, 2 },
    { "/a%5cb", GS_ROUTE_URI_BACKSLASH, 2 },
    { "/a%5C..%5C", GS_ROUTE_URI_BACKSLASH, 2 },
    { "/a%00", GS_ROUTE_URI_CONTROL, 2 },
    { "/a%0d%0aX: y", GS_ROUTE_URI_CONTROL, 2 },
    { "/a%1f", GS_ROUTE_URI_CONTROL, 2 },
    { "/a%7f", GS_ROUTE_URI_CONTROL, 2 },
    { "/a\tb", GS_ROUTE_URI_CONTROL, 2 },
    { "/a?b=\r\nX: y", GS_ROUTE_URI_CONTROL, 5 },
    { "/a;b%00", GS_ROUTE_URI_CONTROL, 4 },

    /* dot segments in every spelling */

    { "/.", GS_ROUTE_URI_DOT, 1 },
    { "/..", GS_ROUTE_URI_DOT, 1 },
    { "/44/./a", GS_ROUTE_URI_DOT, 4 },
    { "/44/../33/a", GS_ROUTE_URI_DOT, 4 },
    { "/44/..", GS_ROUTE_URI_DOT, 4 },
    { "/44/..?a", GS_ROUTE_URI_DOT, 4 },
    { "/44/%2e%2e/33", GS_ROUTE_URI_DOT, 4 },
    { "/44/%2E./33", GS_ROUTE_URI_DOT, 4 },
    { "/44/.%2e", GS_ROUTE_URI_DOT, 4 },
    { "/44/%2e/a", GS_ROUTE_URI_DOT, 4 },
    { "http://gw.example/44/../a", GS_ROUTE_URI_DOT, 21 },

    /* parameters that a servlet container cuts off */

    { "/44/..;/33", GS_ROUTE_URI_PARAMETER, 4 },
    { "/44/..;a=b/33", GS_ROUTE_URI_PARAMETER, 4 },
    { "/44/..%3b/33", GS_ROUTE_URI_PARAMETER, 4 },
    { "/44/%2e%2e;/33", GS_ROUTE_URI_PARAMETER, 4 },
    { "/44/.;/33", GS_ROUTE_URI_PARAMETER, 4 },
    { "/44/;/33", GS_ROUTE_URI_PARAMETER, 4 },
    { "/;x=y/33", GS_ROUTE_URI_PARAMETER, 1 },

    /* escapes of escapes */

    { "/44/%252e%252e/33", GS_ROUTE_URI_DOUBLE, 4 },
    { "/44/a%252fb", GS_ROUTE_URI_DOUBLE, 5 },
    { "/44/a%255cb", GS_ROUTE_URI_DOUBLE, 5 },
    { "/44/a%2500", GS_ROUTE_URI_DOUBLE, 5 },
    { "/44/a%25252fb", GS_ROUTE_URI_DOUBLE, 5 },
    { "/44/a%25%32%65", GS_ROUTE_URI_DOUBLE, 5 },
    { "/44/%25c0%25af", GS_ROUTE_URI_DOUBLE, 4 },
    { "/44/a%253b", GS_ROUTE_URI_DOUBLE, 5 },

    /* broken escapes and broken UTF-8 */

    { "/a%", GS_ROUTE_URI_PERCENT, 2 },
    { "/a%2", GS_ROUTE_URI_PERCENT, 2 },
    { "/a%zz", GS_ROUTE_URI_PERCENT, 2 },
    { "/a%u002f", GS_ROUTE_URI_PERCENT, 2 },
    { "/a%c0%ae", GS_ROUTE_URI_UTF8, 2 },
    { "/a%e0%80%af", GS_ROUTE_URI_UTF8, 2 },
    { "/a%ff", GS_ROUTE_URI_UTF8, 2 },
    { "/a%e5%8a", GS_ROUTE_URI_UTF8, 2 },
    { "/a%e5%8a?%9e", GS_ROUTE_URI_UTF8, 2 },
    { "/a%ed%a0%80", GS_ROUTE_URI_UTF8, 2 },
    { "/a\xff", GS_ROUTE_URI_UTF8, 2 },
    { "/%E5%8A%9E%F4%90%80%80", GS_ROUTE_URI_UTF8, 10 },

    /* no path */

    { "", GS_ROUTE_URI_FORM, 0 },
    { "*", GS_ROUTE_URI_FORM, 0 },
    { "a/b", GS_ROUTE_URI_FORM, 0 },
    { "gw.example:443", GS_ROUTE_URI_FORM, 0 },
    { "http://gw.example", GS_ROUTE_URI_FORM, 0 },
    { "http://gw.example?a=/b", GS_ROUTE_URI_FORM, 0 },
    { "/a#b", GS_ROUTE_URI_FORM, 2 },
    { "/a?b#c", GS_ROUTE_URI_FORM, 4 }
};


static void
test_split(const char *text, const char *path, const char *args)
{
    gs_str_t    target, p, a;
    gs_uchar_t  buf[256];

    target = gs_str_text(text);
    gs_route_uri_split(&target, buf, &p, &a);
    is_str(p, path, "path of %s", text);
    is_str(a, args, "args of %s", text);
}


int
main(void)
{
    size_t    i, at;
    gs_str_t  target;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        target = gs_str_text(vectors[i].target);
        at = 9999;

        is_int(gs_route_uri_check(&target, &at), vectors[i].want,
               "target %d", (int) i);

        if (vectors[i].at >= 0) {
            is_int((int64_t) at, vectors[i].at, "offset in %d", (int) i);
        }
    }

    target = gs_str_make("/a\0b", 4);
    is_int(gs_route_uri_check(&target, NULL), GS_ROUTE_URI_CONTROL,
           "a raw NUL");

    for (i = GS_ROUTE_URI_SAFE; i <= GS_ROUTE_URI_UTF8; i++) {
        ok(gs_route_uri_text(i)[0] != '\0', "text of %d", (int) i);
    }

    test_split("/a%20b//c?d=%20", "/a b/c", "d=%20");
    test_split("http://h.example/%E5%8A%9E", "/\xe5\x8a\x9e", "");
    test_split("/", "/", "");
    test_split("//", "/", "");
    test_split("/?", "/", "");

    return done_testing();
}
