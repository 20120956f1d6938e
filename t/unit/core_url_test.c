
/*
 * Copyright (C) govsvc authors
 *
 * URLs: what is taken apart, and all that is refused.
 */


#include "core/gs_url.h"
#include "tap.h"


typedef struct {
    const char  *text;
    const char  *host;
    unsigned     port;
    unsigned     tls;
    unsigned     numeric;
    const char  *target;
} good_t;


static const good_t  good[] = {
    { "https://sso.gov.example/jwks", "sso.gov.example", 443, 1, 0, "/jwks" },
    { "HTTP://a", "a", 80, 0, 0, "" },
    { "http://a:8080/x?y=%20z", "a", 8080, 0, 0, "/x?y=%20z" },
    { "https://10.1.2.3:8443/", "10.1.2.3", 8443, 1, 1, "/" },
    { "https://[2001:db8::1]/j", "2001:db8::1", 443, 1, 1, "/j" },
    { "https://[2001:db8::1]:444", "2001:db8::1", 444, 1, 1, "" },
    { "https://a-b_c.d1.e:65535/", "a-b_c.d1.e", 65535, 1, 0, "/" },
    { NULL, NULL, 0, 0, 0, NULL }
};


static const char *const  bad[] = {
    "", "a", "https", "https:", "https:/a", "https://", "https:///x",
    "ftp://a/", "file:///etc/passwd", "https://:443/", "https://a:/",
    "https://a:0/", "https://a:65536/", "https://a:x/", "https://a:1:2/",
    "https://user@a/", "https://user:pw@a/", "https://a/#f", "https://a#f",
    "https://a?x", "https://a/ b", "https://a/\r\nX: y", "https://a\n/",
    "https://a/\x7f", "https://a/\xe4", "https://a/%", "https://a/%4",
    "https://a/%zz", "https://a\\b/", "https://.a/", "https://a./",
    "https://a..b/", "https://-a/", "https://1.2.3/", "https://127.1/",
    "https://0x7f.0.0.1/", "https://2130706433/", "https://010.0.0.1/",
    "https://1.2.3.4.5/", "https://10.0.0.0/8:80/#", "https://[1.2.3.4]/",
    "https://[::1/", "https://[::1]x/", "https://[::1]:/", "https://[]/",
    "https://::1/", "https://[fe80::1%25eth0]/", "https://[::ffff:1.2.3.4/",
    "https://unix:/x", "https://a b/", NULL
};


int
main(void)
{
    size_t      i, j;
    gs_err_t    err;
    gs_str_t    s;
    gs_url_t    url;
    gs_uchar_t  big[3000];

    for (i = 0; good[i].text != NULL; i++) {
        s = gs_str_text(good[i].text);

        ok(gs_url_parse(&url, &s, &err) == GS_OK, "%s", good[i].text);
        is_str(url.host, good[i].host, "its host");
        is_int(url.port, good[i].port, "its port");
        is_int(url.tls, good[i].tls, "TLS or not");
        is_int(url.numeric, good[i].numeric, "an address or not");
        is_str(url.target, good[i].target, "its target");
    }

    s = gs_str_text("https://[2001:db8::1]:444/");
    (void) gs_url_parse(&url, &s, &err);
    is_str(url.authority, "[2001:db8::1]:444", "the authority as written");
    is_int(url.address.family, GS_NET_IPV6, "the address");

    for (i = 0; bad[i] != NULL; i++) {
        s = gs_str_text(bad[i]);
        err.text[0] = '\0';

        ok(gs_url_parse(&url, &s, &err) == GS_ERROR && err.text[0] != '\0',
           "bad URL %zu is refused", i);
    }

    /* every prefix of a good one: no read behind its end */

    s = gs_str_text("https://[2001:db8::1]:444/a%20b?c");
    j = s.len;

    for (i = 0; i < j; i++) {
        s.len = i;
        (void) gs_url_parse(&url, &s, &err);
    }

    memset(big, 'a', sizeof(big));
    memcpy(big, "https://", 8);
    s = gs_str_make(big, sizeof(big));
    ok(gs_url_parse(&url, &s, &err) == GS_ERROR, "too long");

    s.len = 8 + 64;
    ok(gs_url_parse(&url, &s, &err) == GS_ERROR, "a label of 64");

    s.len = 8 + 63;
    ok(gs_url_parse(&url, &s, &err) == GS_OK, "a label of 63");

    return done_testing();
}
