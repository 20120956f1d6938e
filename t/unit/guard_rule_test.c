
/*
 * Copyright (C) govsvc authors
 *
 * The words of rule files, includes, and what is said about faults.
 */


#include "guard/gs_guard.h"
#include "guard/gs_guard_priv.h"
#include "tap.h"

#include <stdio.h>


typedef struct {
    const char  *text;
    const char  *want;                     /* "" : parsed */
} rule_case_t;


static const rule_case_t  rule_cases[] = {
    { "", "" },
    { "# only a comment", "" },
    { "rule 1000 a { match path eq /; log; }", "" },
    { "rule 1000 a{match path eq /;log;}", "" },
    { "rule 1000 a { match path eq a}b; log; }", "" },
    { "rule 1000 a { match path eq ${x}; log; }", "" },
    { "rule", "1: unexpected end of file, expecting the id of the rule" },
    { "rule 1000", "1: unexpected end of file, expecting the name of the "
      "rule" },
    { "rule 1000 a;", "1: unexpected \";\", expecting \"{\"" },
    { "rule 18446744073709551616 a { }",
      "1: invalid rule id \"18446744073709551616\", allowed: "
      "1000-999999999" },
    { "rule 1000 a { match path eq /\n; log }",
      "2: unexpected \"}\" behind \"log\", expecting \";\"" },
    { "rule 1000 a { match {", "1: unexpected \"{\", expecting a target" },
    { "rule 1000 a { match path|; }",
      "1: unknown target \"\"; allowed: method, path, segments, uri, query, "
      "args, arg_names, arg:NAME, headers, header_names, header:NAME, "
      "header:*, cookies, cookie:NAME, ip, geo.country, geo.province, asn, "
      "head, body, form, form_names, json, json:PATH, json_keys, xml, "
      "files.name, files.type, files.head, token.CLAIM, status, "
      "resp_header:NAME, resp_body, inputs, same" },
    { "rule 1000 a { match path|header:; }",
      "1: unknown target \"header:\"; did you mean \"headers\"?" },
    { "rule 1000 a { match json:a[ lit x; }",
      "1: invalid path in target \"json:a[\", expecting \"a.b[*].c\" or "
      "\"*.KEY\"" },
    { "rule 1000 a { match json:a[1].b lit x; }",
      "1: invalid path in target \"json:a[1].b\", expecting \"a.b[*].c\" or "
      "\"*.KEY\"" },
    { "rule 1000 a { match json:a..b lit x; }",
      "1: invalid path in target \"json:a..b\", expecting \"a.b[*].c\" or "
      "\"*.KEY\"" },
    { "rule 1000 a { match json:a[*][*].b|json:[*].c|json:*.d lit x; log; }",
      "" },
    { "rule 1000 a { match path lit x; ban ip 5m max=1m; }",
      "1: \"max\" of \"ban\" is below its time" },
    { "rule 1000 a { match path !; }",
      "1: unknown operator \"!\"; allowed: lit, eq, ne, prefix, suffix, "
      "pcre, flag, in, exists, length, <, <=, >, >=, sqli, xss" },
    { "rule 1000 a { match path pcre \"(*UTF8)a\"; log; }",
      "1: invalid pattern \"(*UTF8)a\": using UTF is disabled by the "
      "application at offset 7" },
    { "rule 1000 a { match path pcre \"\\1\"; log; }",
      "1: invalid pattern \"\\1\": reference to non-existent subpattern at "
      "offset 1" },
    { "rule 1000 a { match path eq \"\x01\x1b[0m\"; logg; }",
      "1: unknown word \"logg\" in rule 1000; did you mean \"log\"?" },
    { "\x1b[31m",
      "1: unknown word \"\\x1b[31m\"; allowed: rule, "
      "correlate, set, pattern, include" },
    { "rule 1000 a { match path eq /; log; test; }",
      "1: unexpected \";\", expecting +\"request\" or -\"request\"" },
    { "rule 1000 a { match path eq /; log; test + \"/\"; }",
      "1: unexpected \"+\", expecting +\"request\" or -\"request\"" },
    { "rule 1000 a { match path eq /; block\n{",
      "2: unexpected \"{\", expecting \";\" or a status" },
    { "rule 1000 a { match path eq /; tag ;",
      "1: unexpected \";\", expecting a tag" },
    { "include", "1: unexpected end of file, expecting the name of a file" },
    { "include x", "1: unexpected end of file, expecting \";\"" },
    { "include \"\";", "1: unexpected \"\", expecting the name of a file" },
    { "\n\ninclude x;", "3: \"include\" is not allowed here" },
    { "rule 1000 a { match path eq '/\n\n", "1: unexpected end of file, "
      "expecting '" }
};


static void
test_cases(void)
{
    char                 got[1024];
    size_t               i;
    gs_rc_t              rc;
    gs_err_t             err;
    gs_str_t             file, text;
    gs_arena_t          *arena;
    gs_guard_build_t    *build;
    const rule_case_t   *c;

    file = gs_str_text("t.rules");

    for (i = 0; i < sizeof(rule_cases) / sizeof(rule_cases[0]); i++) {
        c = &rule_cases[i];
        arena = gs_arena_create(&gs_mem_libc);
        build = gs_guard_build_create(gs_arena_mem(arena), NULL, NULL, NULL);
        text = gs_str_text(c->text);

        memset(&err, 0, sizeof(err));
        rc = gs_guard_parse(build, &file, &text, &err);

        got[0] = '\0';

        if (rc != GS_OK) {
            (void) snprintf(got, sizeof(got), "%u: %s", err.line, err.text);
        }

        is_str(gs_str_text(got), c->want, "case %u", (unsigned) i);
        ok(rc == GS_OK || strcmp(err.file, "t.rules") == 0, "its file");

        /* without an error to fill it must not do otherwise */

        is_int(gs_guard_parse(build, &file, &text, NULL), rc == GS_OK
               && c->text[0] == 'r' ? GS_ERROR : rc, "again");

        gs_guard_build_destroy(build);
        gs_arena_destroy(arena);
    }
}


static void
test_words(void)
{
    size_t           i;
    gs_err_t         err;
    gs_lex_t         lex;
    gs_str_t         file, text;
    gs_arena_t      *arena;
    gs_lex_token_t   token;

    static const char  source[] =
        "plain \"a b\" 'c\"d' \"e\\\"f\\\\g\\.h\\t\" x\\;y ${z{ +\"p\" -'q' +r"
        " #c\n# d\nlast#not;{}";

    static const struct {
        gs_lex_type_e  type;
        const char    *text;
    } want[] = {
        { GS_LEX_WORD, "plain" }, { GS_LEX_WORD, "a b" },
        { GS_LEX_WORD, "c\"d" }, { GS_LEX_WORD, "e\"f\\g\\.h\t" },
        { GS_LEX_WORD, "x\\;y" }, { GS_LEX_WORD, "${z" },
        { GS_LEX_OPEN, "{" }, { GS_LEX_PLUS, "+" }, { GS_LEX_WORD, "p" },
        { GS_LEX_MINUS, "-" }, { GS_LEX_WORD, "q" }, { GS_LEX_WORD, "+r" },
        { GS_LEX_WORD, "last#not" }, { GS_LEX_END, ";" },
        { GS_LEX_OPEN, "{" }, { GS_LEX_CLOSE, "}" }, { GS_LEX_EOF, "" }
    };

    arena = gs_arena_create(&gs_mem_libc);
    file = gs_str_text("t");
    text = gs_str_text(source);
    gs_lex_init(&lex, gs_arena_mem(arena), &file, &text, &err);

    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        is_int(gs_lex_next(&lex, &token), GS_OK, "token %u", (unsigned) i);
        is_int(token.type, want[i].type, "token %u: kind", (unsigned) i);
        is_str(token.text, want[i].text, "token %u: text", (unsigned) i);
    }

    is_int(token.line, 3, "lines are counted");
    gs_arena_destroy(arena);
}


static gs_rc_t
include(void *data, gs_guard_build_t *build, const gs_str_t *from,
    const gs_str_t *pattern, gs_err_t *err)
{
    unsigned *calls = data;

    gs_str_t  text;

    (*calls)++;

    if (gs_str_eq_text(pattern, "none")) {
        return gs_err(err, "no such file");
    }

    if (gs_str_eq_text(pattern, "bad")) {
        text = gs_str_text("\n\nrul");

    } else if (gs_str_eq_text(pattern, "self")) {
        text = gs_str_text("include self;");

    } else {
        text = gs_str_text("rule 2000 b { match path eq /b; log; }");
    }

    return gs_guard_parse(build, pattern, &text, err);
}


/* Two rules that name a pattern have one, as if each had written it. */

static void
test_pattern(void)
{
    unsigned             i;
    gs_err_t             err;
    gs_str_t             file, text;
    gs_arena_t          *arena;
    gs_cond_t           *conds;
    gs_guard_build_t    *build;

    arena = gs_arena_create(&gs_mem_libc);
    build = gs_guard_build_create(gs_arena_mem(arena), NULL, NULL, NULL);
    file = gs_str_text("t");
    text = gs_str_text("pattern p \"\\bsystem\\s*\\(\";\n"
                       "pattern q x;\n"
                       "rule 1000 a { match args pcre $p; log; }\n"
                       "rule 1001 b { match path pcre $p; log; }\n"
                       "rule 1002 c { match path pcre \"\\bsystem\\s*\\(\"; "
                       "log; }\n");

    is_int(gs_guard_parse(build, &file, &text, &err), GS_OK, "parsed");
    is_int(build->codes.n, 3, "compiled once for both");

    conds = build->conds.data;

    ok(conds[0].code == conds[1].code && conds[0].code != conds[2].code,
       "the same pattern");

    for (i = 0; i < 3; i++) {
        is_int(conds[i].nwords, 1, "rule %u: a literal", i);
        is_str(conds[i].words[0], "system", "rule %u: which", i);
        ok(conds[i].nears[0] != NULL && conds[i].nears[1] != NULL,
           "rule %u: what stands next to it", i);
        is_int(conds[i].ngates, conds[2].ngates, "rule %u: gates", i);
        ok(gs_str_eq(&conds[i].values[0], &conds[2].values[0]),
           "rule %u: its text", i);
    }

    gs_guard_build_destroy(build);
    gs_arena_destroy(arena);
}


static void
test_include(void)
{
    gs_err_t           err;
    gs_str_t           file, text;
    unsigned           calls;
    gs_arena_t        *arena;
    gs_guard_t        *guard;
    gs_guard_build_t  *build;

    arena = gs_arena_create(&gs_mem_libc);
    file = gs_str_text("top");
    calls = 0;

    build = gs_guard_build_create(gs_arena_mem(arena), include, NULL, &calls);

    memset(&err, 0, sizeof(err));
    text = gs_str_text("\ninclude none;");
    is_int(gs_guard_parse(build, &file, &text, &err), GS_ERROR, "no file");
    ok(err.line == 2 && strcmp(err.file, "top") == 0, "where it is named");

    text = gs_str_text("\ninclude bad;");
    is_int(gs_guard_parse(build, &file, &text, &err), GS_ERROR, "a bad file");
    ok(err.line == 3 && strcmp(err.file, "bad") == 0, "where it is bad");

    calls = 0;
    text = gs_str_text("include self;");
    is_int(gs_guard_parse(build, &file, &text, &err), GS_ERROR, "no end");
    is_int(calls, 8, "stopped in time");

    text = gs_str_text("include good; rule 1000 a { match path eq /; log; }");
    is_int(gs_guard_parse(build, &file, &text, &err), GS_OK, "a good file");
    is_int(gs_guard_compile(&guard, build, &err), GS_OK, "compiled");

    gs_guard_destroy(guard);
    gs_arena_destroy(arena);
}


int
main(void)
{
    test_words();
    test_cases();
    test_pattern();
    test_include();

    return done_testing();
}
