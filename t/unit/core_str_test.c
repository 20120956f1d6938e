
/*
 * Copyright (C) govsvc authors
 *
 * Strings: comparison, numbers, nearest name.
 */


#include "core/gs_rc.h"
#include "core/gs_str.h"
#include "tap.h"


typedef struct {
    const char  *text;
    gs_rc_t      rc;
    uint64_t     value;
} case_t;


static void test_compare(void);
static void test_numbers(void);
static void test_cases(gs_rc_t (*parse)(const gs_str_t *s, uint64_t *value),
    const case_t *cases, const char *what);
static void test_nearest(void);


static const case_t  numbers[] = {
    { "0", GS_OK, 0 },
    { "007", GS_OK, 7 },
    { "18446744073709551615", GS_OK, UINT64_MAX },
    { "18446744073709551616", GS_ERROR, 0 },
    { "99999999999999999999999", GS_ERROR, 0 },
    { "", GS_ERROR, 0 },
    { "+1", GS_ERROR, 0 },
    { "-1", GS_ERROR, 0 },
    { " 1", GS_ERROR, 0 },
    { "1 ", GS_ERROR, 0 },
    { "0x10", GS_ERROR, 0 },
    { NULL, GS_OK, 0 }
};


static const case_t  sizes[] = {
    { "1", GS_OK, 1 },
    { "8k", GS_OK, 8192 },
    { "8K", GS_OK, 8192 },
    { "32m", GS_OK, 32ull << 20 },
    { "1g", GS_OK, 1ull << 30 },
    { "17179869183g", GS_OK, 17179869183ull << 30 },
    { "17179869184g", GS_ERROR, 0 },
    { "k", GS_ERROR, 0 },
    { "8kb", GS_ERROR, 0 },
    { "1.5m", GS_ERROR, 0 },
    { NULL, GS_OK, 0 }
};


static const case_t  times[] = {
    { "500ms", GS_OK, 500 },
    { "30s", GS_OK, 30000 },
    { "30", GS_OK, 30000 },
    { "5m", GS_OK, 300000 },
    { "12h", GS_OK, 43200000 },
    { "180d", GS_OK, 15552000000ull },
    { "213503982334d", GS_OK, 213503982334ull * 86400000 },
    { "213503982335d", GS_ERROR, 0 },
    { "5 m", GS_ERROR, 0 },
    { "1h30m", GS_ERROR, 0 },
    { "1w", GS_ERROR, 0 },
    { "", GS_ERROR, 0 },
    { NULL, GS_OK, 0 }
};


int
main(void)
{
    test_compare();
    test_numbers();
    test_nearest();

    return done_testing();
}


static void
test_compare(void)
{
    gs_str_t  a, b, e;

    a = gs_str_text("Guangdong");
    b = gs_str_text("guangDONG");
    e = gs_str_make(NULL, 0);

    ok(gs_str_eq(&a, &a), "equal to itself");
    ok(!gs_str_eq(&a, &b), "case counts");
    ok(gs_str_case_eq(&a, &b), "case-blind");
    ok(gs_str_eq(&e, &e), "empty equals empty");
    ok(!gs_str_eq(&a, &e), "not equal to empty");
    ok(gs_str_eq_text(&a, "Guangdong"), "equal to a text");
    ok(!gs_str_eq_text(&a, "Guangdon"), "not equal to its prefix");
    ok(gs_str_case_eq_text(&a, "GUANGDONG"), "case-blind text");

    b = gs_str_text("[");
    a = gs_str_text("{");
    ok(!gs_str_case_eq(&a, &b), "only letters have a case");

    a = gs_str_text("abc");
    b = gs_str_text("ab");
    ok(gs_str_prefix(&a, &b), "prefix");
    ok(!gs_str_prefix(&b, &a), "longer prefix");
    ok(gs_str_prefix(&a, &e) && gs_str_prefix(&e, &e), "empty prefix");
    b = gs_str_text("bc");
    ok(gs_str_suffix(&a, &b), "suffix");
    ok(!gs_str_suffix(&b, &a), "longer suffix");
    ok(gs_str_suffix(&a, &e) && gs_str_suffix(&e, &e), "empty suffix");

    b = gs_str_text("abcd");
    is_int(gs_str_cmp(&a, &b), -1, "shorter first");
    is_int(gs_str_cmp(&b, &a), 1, "longer last");
    is_int(gs_str_cmp(&a, &a), 0, "same order");
    b = gs_str_text("ab\xff");
    is_int(gs_str_cmp(&a, &b), -1, "bytes are unsigned");
    is_int(gs_str_cmp(&e, &a), -1, "empty first");

    is_int((int64_t) gs_str_chr(&a, 0, 'c'), 2, "byte found");
    is_int((int64_t) gs_str_chr(&a, 0, 'x'), 3, "byte not found");
    is_int((int64_t) gs_str_chr(&a, 3, 'a'), 3, "from the end");
    is_int((int64_t) gs_str_chr(&a, 9, 'a'), 3, "from past the end");

    ok(gs_ct_eq("secret", "secret", 6), "constant time, equal");
    ok(!gs_ct_eq("secret", "secreT", 6), "constant time, last byte");
    ok(!gs_ct_eq("secret", "Secret", 6), "constant time, first byte");
    ok(gs_ct_eq("a", "b", 0), "constant time, nothing");

    ok(gs_is_digit('0') && gs_is_digit('9') && !gs_is_digit('/')
       && !gs_is_digit(':'), "digits");
    ok(gs_is_alpha('a') && gs_is_alpha('Z') && !gs_is_alpha('@')
       && !gs_is_alpha('[') && !gs_is_alpha(0xe4), "letters");
}


static void
test_numbers(void)
{
    test_cases(gs_parse_u64, numbers, "number");
    test_cases(gs_parse_size, sizes, "size");
    test_cases(gs_parse_msec, times, "time");
}


static void
test_cases(gs_rc_t (*parse)(const gs_str_t *s, uint64_t *value),
    const case_t *cases, const char *what)
{
    gs_rc_t   rc;
    gs_str_t  s;
    uint64_t  value;

    for ( ; cases->text != NULL; cases++) {
        s = gs_str_text(cases->text);
        value = 4711;

        rc = parse(&s, &value);

        is_int(rc, cases->rc, "%s \"%s\"", what, cases->text);
        ok(value == (cases->rc == GS_OK ? cases->value : 4711),
           "%s \"%s\": value", what, cases->text);
    }
}


static void
test_nearest(void)
{
    size_t       i;
    gs_str_t     s;
    const char  *found;

    static const char *const  names[] = {
        "required", "optional", "off", "burst", "rate", NULL
    };

    static const char *const  cases[][2] = {
        { "requird", "required" },
        { "reqiured", "required" },
        { "OPTIONAL", "optional" },
        { "of", "off" },
        { "brust", "burst" },
        { "rates", "rate" },
        { "xyz", NULL },
        { "", NULL },
        { "mandatory", NULL },
        { "optionaloptionaloptionaloptionaloptionaloptionaloptionaloptional"
          "x", NULL },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s = gs_str_text(cases[i][0]);
        found = gs_nearest(&s, names);

        if (cases[i][1] == NULL) {
            ok(found == NULL, "nothing near \"%s\"", cases[i][0]);

        } else {
            ok(found != NULL && strcmp(found, cases[i][1]) == 0,
               "near \"%s\": \"%s\"", cases[i][0], cases[i][1]);
        }
    }
}
