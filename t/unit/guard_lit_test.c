
/*
 * Copyright (C) govsvc authors
 *
 * Literals that patterns need.
 */


#include "guard/gs_guard_lit.h"
#include "tap.h"

#include <stdio.h>


typedef struct {
    const char  *pattern;
    const char  *words;                    /* "a b"; "" : none */
} lit_case_t;


static const lit_case_t  lit_cases[] = {
    { "union", "union" },
    { "(?i)UNION\\s+select", " select" },
    { "cat\\s+/etc", " /etc" },
    { "\\bcat\\s+\\d", "cat " },
    { "cat\\s*/etc", "/etc" },
    { "cat\\s{0,2}x", "cat" },
    { "a\\sb\\sc", "a b c" },
    { "ab+cd", "bcd" },
    { "ab{2,3}cd", "bcd" },
    { "ab.cdef.g", "cdef" },
    { "a|b", "a b" },
    { "abc|d?", "" },
    { "abc|", "" },
    { "x(?:abc|defg)y", "abc defg" },
    { "x(?:abc|defg)?y", "x" },
    { "x(?:abc|defg)+y", "abc defg" },
    { "x(?:abc|defg){0,3}y", "x" },
    { "x(?:abc|defg){2}y", "abc defg" },
    { "abcd(?:e|)", "abcd" },
    { "(abc)(?=defgh)", "abc" },
    { "(?!abcdef)gh", "gh" },
    { "(?<=abcdef)gh", "gh" },
    { "(?<!abcdef)gh", "gh" },
    { "(?<name>abc)", "abc" },
    { "(?P<name>abc)", "abc" },
    { "(?'name'abc)", "abc" },
    { "(?>abc)", "abc" },
    { "(?|abc|def)", "abc def" },
    { "(?i:abc)d", "abc" },
    { "(?s-i:abc)", "abc" },
    { "abc*d", "ab" },
    { "abc?d", "ab" },
    { "abc+d", "abc" },
    { "abc{0}d", "ab" },
    { "abc{3}d", "abc" },
    { "abc{1,}d", "abc" },
    { "abc{1,2}?d", "abc" },
    { "abc*+d", "ab" },
    { "\\.\\./", "../" },
    { "\\$\\{jndi:", "${jndi:" },
    { "a{b", "a{b" },
    { "\\x41\\x42C", "ABC" },
    { "\\tab", "\tab" },
    { "[abc]", "" },
    { "[]abc]def", "def" },
    { "[^]abc]def", "def" },
    { "[[:alpha:]abc]def", "def" },
    { "[a[b]def", "def" },
    { "[\\]abc]def", "def" },
    { "\\bfoo\\b", "foo" },
    { "foo\\d+bar1", "bar1" },
    { "(a)\\1bcd", "bcd" },
    { "\xe5\xb9\xbf", "\xe5\xb9\xbf" },
    { "^abc$", "abc" },
    { "", "" },
    { ".*", "" },
    { "\\d+", "" },

    /* not understood: never a guess */

    { "abc{,3}d", "" },
    { "abc{ 1}d", "" },
    { "(?x) abc", "" },
    { "(?i-x) abc", "" },
    { "(*UTF)abc", "" },
    { "abc(*ACCEPT)def", "" },
    { "\\Qabc\\E", "" },
    { "abc\\Kdef", "" },
    { "(?#abc)def", "" },
    { "(?(1)abc|def)ghi", "" },
    { "abc(?R)?", "" },
    { "(?1)abc(x)", "" },
    { "(?P>n)abc", "" },
    { "abc\\g{1}", "" },
    { "\\10abc", "" },
    { "[[.a.]]bc", "" },
    { "[[:al pha:]]bc", "" },
    { "[\\Qa]\\E]bc", "" },
    { "[abc", "" },
    { "(abc", "" },
    { "abc)", "" },
    { "abc\\", "" },
    { "\\xg1", "" },
    { "*abc", "" },
    { "\\pLabc", "" },
    { "\\cAabc", "" },
    { "\\o{101}b", "" },
    { "a**", "" }
};


static void
test_cases(void)
{
    char                buf[1024];
    size_t              i, n;
    gs_str_t            pattern;
    unsigned            k;
    gs_arena_t         *arena;
    gs_guard_lits_t     lits;
    const lit_case_t   *c;

    arena = gs_arena_create(&gs_mem_libc);

    for (i = 0; i < sizeof(lit_cases) / sizeof(lit_cases[0]); i++) {
        c = &lit_cases[i];
        pattern = gs_str_text(c->pattern);

        (void) gs_guard_literals(&lits, gs_arena_mem(arena), &pattern);

        n = 0;

        for (k = 0; k < lits.n; k++) {
            n += (size_t) snprintf(buf + n, sizeof(buf) - n, "%s%.*s",
                                   (k > 0) ? " " : "",
                                   (int) lits.words[k].len,
                                   (const char *) lits.words[k].data);
        }

        is_str(gs_str_make(buf, n), c->words, "%s", c->pattern);
    }

    gs_arena_destroy(arena);
}


typedef struct {
    const char  *pattern;
    const char  *may;                      /* a literal is there, allowed */
    const char  *not;                      /* none of them */
} near_case_t;


/* Texts are parted by "~", which stands in no pattern but within "[^...]". */

static const near_case_t  near_cases[] = {
    { "\\bwindow\\b", "window~a window.x~=WINDOW", "windows~xwindow~_window~"
      "window1" },
    { "\\bwindow\\s*[.\\[]", "window.~window [~window\n.", "window~windows.~"
      "window(~awindow." },
    { "cat", "cat~scatter", "ca" },
    { "\\Bcat", "scat~xcat", "ca" },
    { "^cat", "cat~x\ncat", "x cat~xcat" },
    { "cat$", "cat~cat\n", "cats~cat " },
    { "\\Acat\\z", "cat", "cats~scat" },
    { "(?m)^cat$", "a\ncat\nb", "acat~cat b" },
    { "x?cat", "xcat~cat~bcat", "ca" },
    { "(?:^|[;&])\\s*cat", "cat~;cat~& cat~\tcat", "acat~.cat" },
    { "(?:^|[;&])cat(?:\\s|$)", "cat~;cat~cat x", "cats~:cat" },
    { "(?:a|b\\b)cat", "acat", "ccat~.cat" },
    { "\\b(?:eval|\\(sys)\\s*\\(", "eval(~x.eval (~a(sys(", "evil(~medieval(~"
      ".(sys(" },
    { "\\b(?:eval|exec)+\\(", "evalexec(~eval(", "eval ~eval)" },
    { "(?:eval){2}x", "evalevalx", "eval.~evaly" },
    { "[^a-z]eval", "0eval~.eval~Aeval", "eval" },
    { "[^\\w.]eval", "(eval~ eval", "aeval~.eval~_eval~0eval~eval" },
    { "[]a]eval", "]eval~aeval", "beval" },
    { "[\\x41-\\x43]eval", "Beval~beval", "deval" },
    { "[a\\-z]eval", "-eval~zeval", "beval" },
    { "[^[:alpha:]]eval", "0eval~aeval", "eva" },
    { "\\deval\\D", "1eval.", "aeval.~1eval1~1eval" },
    { "\\Seval\\S", "aevala", " evala~aeval " },
    { "evals?x", "evalx~evalsx", "evalt~eval" },
    { "evals*(?=x)", "evalx~evalssx", "eva" },
    { "eval(?!x)y", "evaly", "evalz" },
    { "(?<=a)beval", "abeval~beval", "bev" },
    { "(a|bc)\\1eval", "aaeval~xeval", "eva" },
    { "ab+cd", "abbcd", "aced" },
    { "xab{2,}", "xabbb", "yab" },
    { "abcde+f", "abcdef~abcdeef", "abcdeg" },
    { "(?:ab\\b)?eval", "xeval~.eval", "eva" },
    { "(?i:EVAL)\\(", "eval(~Eval(", "eval)" },
    { ".eval.", "aeval\n~\xe5" "eval ", "eval~aeval" },
    { "(?:x|y\\()eval", "xeval~(eval", "yeval~zeval" },
    { "(?:(?:;|^)\\s*)eval", ";eval~eval~\teval", "xeval" },
    { "(?:\\b|x)eval", "xeval~aeval", "eva" }
};


static int
lit_near(const gs_guard_lits_t *lits, unsigned n, const gs_str_t *text,
    size_t i)
{
    if (n == 0) {
        return 1;
    }

    return (i < text->len) ? gs_ac_near(&lits->nears[n], text->data[i])
                           : (int) lits->nears[n].edge;
}


static int
lit_stands(const gs_guard_lits_t *lits, const gs_str_t *text)
{
    size_t    i;
    unsigned  k;
    gs_str_t  part;

    for (k = 0; k < lits->n; k++) {
        for (i = 0; i + lits->words[k].len <= text->len; i++) {
            part = gs_str_make(text->data + i, lits->words[k].len);

            if (gs_str_case_eq(&part, &lits->words[k])
                && lit_near(lits, lits->before[k], text, i - 1)
                && lit_near(lits, lits->after[k], text, i + part.len))
            {
                return 1;
            }
        }
    }

    return 0;
}


static void
lit_texts(const gs_guard_lits_t *lits, const char *pattern, const char *list,
    int expected)
{
    size_t    from, to;
    gs_str_t  texts, text;

    texts = gs_str_text(list);

    for (from = 0; from <= texts.len; from = to + 1) {
        to = gs_str_chr(&texts, from, '~');
        text = gs_str_make(texts.data + from, to - from);

        ok(lit_stands(lits, &text) == expected, "%s %s \"%.*s\"", pattern,
           expected ? "may be in" : "is not in", (int) text.len,
           (const char *) text.data);
    }
}


static void
test_near(void)
{
    size_t            i;
    gs_str_t          pattern;
    gs_arena_t       *arena;
    gs_guard_lits_t   lits;

    arena = gs_arena_create(&gs_mem_libc);

    for (i = 0; i < sizeof(near_cases) / sizeof(near_cases[0]); i++) {
        pattern = gs_str_text(near_cases[i].pattern);

        (void) gs_guard_literals(&lits, gs_arena_mem(arena), &pattern);

        lit_texts(&lits, near_cases[i].pattern, near_cases[i].may, 1);
        lit_texts(&lits, near_cases[i].pattern, near_cases[i].not, 0);
    }

    gs_arena_destroy(arena);
}


static void
test_deep(void)
{
    char              text[1024];
    gs_str_t          pattern;
    gs_arena_t       *arena;
    gs_guard_lits_t   lits;

    arena = gs_arena_create(&gs_mem_libc);

    memset(text, '(', sizeof(text));
    pattern = gs_str_make(text, sizeof(text));

    is_int(gs_guard_literals(&lits, gs_arena_mem(arena), &pattern),
           GS_DECLINED, "nested too deep");

    memset(text, 'a', sizeof(text));
    is_int(gs_guard_literals(&lits, gs_arena_mem(arena), &pattern), GS_OK,
           "a long run");
    ok(lits.n == 1 && lits.words[0].len <= 64, "a long run is cut");

    memset(text, '|', sizeof(text));
    is_int(gs_guard_literals(&lits, gs_arena_mem(arena), &pattern),
           GS_DECLINED, "empty branches");

    gs_arena_destroy(arena);
}


static void
test_memory(void)
{
    gs_rc_t           rc;
    unsigned          n;
    gs_mem_t         *mem;
    gs_str_t          pattern;
    gs_guard_lits_t   lits;

    pattern = gs_str_text("\\babc");

    for (n = 1; /* void */ ; n++) {
        mem = tap_mem_fail(n);
        rc = gs_guard_literals(&lits, mem, &pattern);

        if (!tap_mem_failed()) {
            break;
        }

        ok(rc == GS_ERROR && lits.n == 0, "allocation %u fails", n);
    }

    is_int(rc, GS_OK, "enough memory");
    gs_free(mem, (void *) (uintptr_t) lits.words[0].data);
    gs_free(mem, lits.nears);
}


int
main(void)
{
    test_cases();
    test_near();
    test_deep();
    test_memory();

    return done_testing();
}
