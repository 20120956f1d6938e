
/*
 * Copyright (C) govsvc authors
 *
 * Rule files of any bytes: parsed, compiled, and asked about one request.
 * For patterns it also holds the literals and gates against PCRE2: a text that
 * matches must contain one of them, and open one.
 */


#include "guard/gs_guard_priv.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_remark(void *data, const gs_str_t *file, unsigned line,
    const char *text);
static void fuzz_rules(const gs_str_t *text);
static void fuzz_tokens(const uint8_t *data, size_t size);
static void fuzz_literals(const gs_str_t *pattern, const gs_str_t *subject);
static int fuzz_contains(const gs_str_t *text, const gs_guard_lits_t *lits,
    unsigned n);
static int fuzz_fold(int c);
static int fuzz_near(const gs_guard_lits_t *lits, unsigned n,
    const gs_str_t *text, size_t i);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t    cut;
    gs_str_t  text, pattern, subject;

    text = gs_str_make(data, size);
    fuzz_rules(&text);

    /* the same bytes as pattern, newline, subject */

    cut = gs_str_chr(&text, 0, '\n');

    if (cut < size && cut < 128 && size - cut < 512) {
        pattern = gs_str_make(data, cut);
        subject = gs_str_make(data + cut + 1, size - cut - 1);
        fuzz_literals(&pattern, &subject);
    }

    fuzz_tokens(data, size);

    return 0;
}


/* A pattern of whole pieces, and a text of the few bytes that they tell. */

static void
fuzz_tokens(const uint8_t *data, size_t size)
{
    size_t      i, n, len;
    gs_str_t    pattern, subject;
    gs_uchar_t  text[512], bytes[64];

    static const char  alphabet[] = "abAB ._(\n1\xe5;";
    static const char *const  pieces[] = {
        "a", "b", "ab", "ba", "aab", "1", " ", ";", "_", "\\.", "\\(", ".",
        "\\b", "\\b", "\\B", "^", "$", "\\A", "\\z", "\\Z", "\\s", "\\S",
        "\\w", "\\W", "\\d", "\\D", "[ab]", "[^a]", "[^\\w.]", "[.(;]",
        "[\\s;]", "[^\\x00-\\x7f]", "[]a]", "[^]a]", "[a-b]", "[b-]", "(?:",
        "(?:", "(", "(?=", "(?!", "(?<=", "(?>", "(?i)", "(?m)", "(?s-i:",
        ")", ")", ")", ")", "|", "|", "?", "*", "+", "{2}", "{0,2}", "{1,3}",
        "?+", "*+", "\\1", "\n", "\\n", "\xe5"
    };

    n = (size < 2) ? 0 : data[0] % 24u;
    len = 0;

    if (size < n + 1) {
        return;
    }

    for (i = 0; i < n; i++) {
        pattern = gs_str_text(pieces[data[1 + i] % (sizeof(pieces)
                                                    / sizeof(pieces[0]))]);

        if (pattern.len > sizeof(text) - len) {
            return;
        }

        memcpy(text + len, pattern.data, pattern.len);
        len += pattern.len;
    }

    for (i = n + 1; i < size && i - n - 1 < sizeof(bytes); i++) {
        bytes[i - n - 1] = (gs_uchar_t) alphabet[data[i]
                                                 % (sizeof(alphabet) - 1)];
    }

    pattern = gs_str_make(text, len);
    subject = gs_str_make(bytes, i - n - 1);
    fuzz_literals(&pattern, &subject);
}


static void
fuzz_remark(void *data, const gs_str_t *file, unsigned line,
    const char *text)
{
    if (line == 0 || text[0] == '\0') {
        abort();
    }
}


static void
fuzz_rules(const gs_str_t *text)
{
    gs_err_t                    err;
    gs_mem_t                   *mem;
    gs_str_t                    file, request;
    unsigned                    n, t, nrules;
    gs_arena_t                 *arena;
    gs_guard_t                 *guard;
    gs_guard_test_t             test;
    gs_guard_input_t            in;
    gs_guard_build_t           *build;
    gs_guard_verdict_t          v;
    gs_guard_scratch_t         *scratch;
    gs_guard_rule_info_t        info;
    const gs_correlate_rule_t  *rules;

    arena = gs_arena_create(&gs_mem_libc);
    mem = gs_arena_mem(arena);
    memset(&err, 0, sizeof(err));

    file = gs_str_text("fuzz.rules");
    build = gs_guard_build_create(mem, NULL, NULL, NULL);

    if (gs_guard_parse(build, &file, text, &err) != GS_OK) {

        if (err.line == 0 || err.text[0] == '\0') {
            abort();
        }

        gs_guard_build_destroy(build);
        gs_arena_destroy(arena);
        return;
    }

    if (gs_guard_compile(&guard, build, &err) == GS_OK) {

        scratch = gs_guard_scratch_create(guard, mem, 128 * 1024);
        request = gs_str_text("POST /a/b?c=d&e=%27\nHost: x\nCookie: y");

        (void) gs_guard_request(&in, mem, &request, &err);
        (void) gs_guard_check(guard, scratch, &in, &v);

        for (n = 0; n < 8 && gs_guard_rule(guard, n, &info) == GS_OK; n++) {
            for (t = 0; t < info.ntests && t < 8; t++) {
                (void) gs_guard_rule_test(guard, scratch, mem, n, t, &test,
                                          &err);
            }
        }

        rules = gs_correlate_rules(guard, &nrules);

        for (n = 0; n < 4 && n < nrules; n++) {
            for (t = 0; t < rules[n].ntests && t < 2; t++) {
                (void) gs_correlate_rule_test(guard, mem, n, t, &test, &err);
            }
        }

        gs_guard_remarks(guard, fuzz_remark, NULL);
        gs_guard_scratch_destroy(scratch);
        gs_guard_destroy(guard);

    } else {
        gs_guard_build_destroy(build);
    }

    gs_arena_destroy(arena);
}


static void
fuzz_literals(const gs_str_t *pattern, const gs_str_t *subject)
{
    int                   rc, found;
    size_t                offset;
    unsigned              i;
    gs_arena_t           *arena;
    pcre2_code           *code;
    gs_guard_lits_t       lits;
    pcre2_match_data     *match;
    pcre2_match_context  *context;

    arena = gs_arena_create(&gs_mem_libc);

    (void) gs_guard_literals(&lits, gs_arena_mem(arena), pattern);

    if (lits.n == 0 && lits.ngates == 0) {
        gs_arena_destroy(arena);
        return;
    }

    code = pcre2_compile(pattern->data, pattern->len,
                         PCRE2_NEVER_UTF|PCRE2_NEVER_UCP|PCRE2_DOTALL, &rc,
                         &offset, NULL);

    if (code != NULL) {
        match = pcre2_match_data_create(1, NULL);
        context = pcre2_match_context_create(NULL);
        (void) pcre2_set_match_limit(context, 20000);

        rc = pcre2_match(code, subject->data, subject->len, 0, 0, match,
                         context);

        if (rc >= 0) {
            found = (lits.n == 0);

            for (i = 0; i < lits.n; i++) {
                found |= fuzz_contains(subject, &lits, i);
            }

            if (!found
                || !gs_guard_gate_open(lits.gates, lits.ngates,
                                       gs_guard_bytes(subject)))
            {
                abort();
            }
        }

        pcre2_match_context_free(context);
        pcre2_match_data_free(match);
        pcre2_code_free(code);
    }

    gs_arena_destroy(arena);
}


static int
fuzz_contains(const gs_str_t *text, const gs_guard_lits_t *lits, unsigned n)
{
    size_t           i, k;
    const gs_str_t  *word;

    word = &lits->words[n];

    for (i = 0; i + word->len <= text->len; i++) {

        for (k = 0; k < word->len; k++) {
            if (fuzz_fold(text->data[i + k]) != fuzz_fold(word->data[k])) {
                break;
            }
        }

        if (k == word->len
            && fuzz_near(lits, lits->before[n], text, i - 1)
            && fuzz_near(lits, lits->after[n], text, i + word->len))
        {
            return 1;
        }
    }

    return 0;
}


/* As the automaton takes bytes. */

static int
fuzz_fold(int c)
{
    return (c >= '\t' && c <= '\r') ? ' ' : gs_to_lower(c);
}


static int
fuzz_near(const gs_guard_lits_t *lits, unsigned n, const gs_str_t *text,
    size_t i)
{
    if (n == 0) {
        return 1;
    }

    return (i < text->len) ? gs_ac_near(&lits->nears[n], text->data[i])
                           : (int) lits->nears[n].edge;
}
