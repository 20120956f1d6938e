
/*
 * Copyright (C) govsvc authors
 *
 * The includes of a configuration: words, quotes, escapes, comments.
 */


#include "core/gs_conf_scan.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


static gs_rc_t take(void *data, const gs_str_t *name);
static void is_found(const char *text, const char *want, const char *name);
static void test_words(void);
static void test_long(void);
static void test_pieces(void);
static void test_stop(void);


static char    found[8192];
static size_t  found_len;


int
main(void)
{
    test_words();
    test_long();
    test_pieces();
    test_stop();

    return done_testing();
}


static gs_rc_t
take(void *data, const gs_str_t *name)
{
    found_len += (size_t) snprintf(found + found_len,
                                   sizeof(found) - found_len, "[%.*s]",
                                   (int) name->len,
                                   (const char *) name->data);

    return (data == NULL) ? GS_OK : GS_DONE;
}


static void
is_found(const char *text, const char *want, const char *name)
{
    gs_str_t  s;

    found_len = 0;
    found[0] = '\0';

    s = gs_str_text(text);

    (void) gs_conf_scan(&s, take, NULL);

    s = gs_str_make(found, found_len);
    is_str(s, want, "%s", name);
}


static void
test_words(void)
{
    is_found("include a.conf;", "[a.conf]", "a file");
    is_found("http { include a/*.conf; include b; }", "[a/*.conf][b]",
             "in a block");
    is_found("include \"a b\"; include 'c;d{}';", "[a b][c;d{}]", "quotes");
    is_found("include a\\\"b; include \"a\\\"b\"; include c\\ d;",
             "[a\"b][a\"b][c\\ d]", "escapes as Nginx has them");
    is_found("include \"t\\tn\\nr\\r\";", "[t\tn\nr\r]", "controls");
    is_found("# include a;\ninclude b; # include c;\n", "[b]", "comments");
    is_found("include a#b;", "[a#b]", "no comment within a word");
    is_found("x include a; server_name include; y { include; }", "",
             "not as another word");
    is_found("return 200 ${include}; include c;", "[c]", "a variable");
    is_found("if ($a){include d;}", "[d]", "a brace behind a word");
    is_found("include\n\t a\r\n;", "[a]", "over lines");
    is_found("include a b;", "[a]", "the first one counts");
    is_found("\"include\" a;", "[a]", "as Nginx reads it");
    is_found("", "", "nothing");
    is_found("include \"open", "[open]", "an end within quotes");
    is_found("include \\", "[\\]", "an end within an escape");
}


static void
test_long(void)
{
    char      *text;
    gs_str_t   s;

    text = malloc(GS_CONF_SCAN_WORD + 32);

    if (text == NULL) {
        exit(2);
    }

    memcpy(text, "include ", 8);
    memset(text + 8, 'a', GS_CONF_SCAN_WORD + 1);
    memcpy(text + 8 + GS_CONF_SCAN_WORD + 1, ";include b;", 11);

    s = gs_str_make(text, 8 + GS_CONF_SCAN_WORD + 1 + 11);

    found_len = 0;
    is_int(gs_conf_scan(&s, take, NULL), GS_OK, "a word that is too long");
    is_str(gs_str_make(found, found_len), "[b]", "names no file");

    free(text);
}


/* Each beginning of a text in memory of just that size. */

static void
test_pieces(void)
{
    char       *p;
    size_t      n;
    gs_str_t    s;
    unsigned    wrong;

    static const char  text[] = "a { include 'x\\'y'; } # z\ninclude \"\\t\";";

    wrong = 0;

    for (n = 0; n < sizeof(text); n++) {
        p = malloc(n + 1);

        if (p == NULL) {
            exit(2);
        }

        memcpy(p + 1, text, n);
        s = gs_str_make(p + 1, n);
        found_len = 0;
        wrong += (gs_conf_scan(&s, take, NULL) != GS_OK);
        free(p);
    }

    is_int(wrong, 0, "no beginning is too short");
}


static void
test_stop(void)
{
    gs_str_t  s;

    s = gs_str_text("include a; include b;");
    found_len = 0;

    is_int(gs_conf_scan(&s, take, &s), GS_DONE, "the handler ends it");
    is_str(gs_str_make(found, found_len), "[a]", "at the first");
}
