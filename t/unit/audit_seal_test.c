
/*
 * Copyright (C) govsvc authors
 *
 * State and index of a seal: what is written is read, and nothing else.
 */


#include "audit/gs_audit_seal.h"
#include "tap.h"


static void test_state(void);
static void test_run(void);
static void test_alg(void);
static gs_rc_t run(const char *text);


int
main(void)
{
    test_state();
    test_run();
    test_alg();

    return done_testing();
}


static void
test_state(void)
{
    char              text[GS_AUDIT_STATE_MAX];
    size_t            i;
    unsigned          refused;
    gs_buf_t          b;
    gs_str_t          s;
    gs_audit_state_t  state, again;

    memset(&state, 0, sizeof(gs_audit_state_t));

    state.point.origin = gs_str_text("gov.example/gd/n1");
    state.point.size = 1234567;
    memset(state.point.root, 0xa5, GS_AUDIT_HASH);
    state.index = 987654321;

    gs_buf_init(&b, text, sizeof(text));
    gs_audit_state_put(&b, &state);
    s = gs_buf_view(&b);

    ok(gs_audit_state_parse(&s, &again) == GS_OK, "a state is read");
    ok(gs_str_eq(&again.point.origin, &state.point.origin)
           && again.point.size == state.point.size
           && again.index == state.index
           && memcmp(again.point.root, state.point.root, GS_AUDIT_HASH) == 0,
           "as it was written");

    refused = 0;

    for (i = 0; i < gs_buf_len(&b); i++) {
        s.len = i;
        refused += (gs_audit_state_parse(&s, &again) == GS_ERROR);
    }

    ok(refused == gs_buf_len(&b), "no part of it is one");

    s = gs_str_text("n1\n3\n"
                    "/3btGbi7koCgAbhYj0o6cnqwHnsUvsUJvoGn6aOf1cQ=\n06\n");
    ok(gs_audit_state_parse(&s, &again) == GS_ERROR, "nor a second spelling");

    gs_buf_text(&b, "more\n");
    s = gs_buf_view(&b);
    ok(gs_audit_state_parse(&s, &again) == GS_ERROR, "nor one with more");
}


static void
test_run(void)
{
    char            text[GS_AUDIT_RUN_MAX];
    unsigned        i, refused;
    gs_buf_t        b;
    gs_str_t        s;
    gs_audit_run_t  one, two;

    static const char *const  bad[] = {
        "", "1", "1 2 3 4", "1 2 3 4 s", "1 0 3 4 s c", "01 2 3 4 s c",
        "1 2 3 4 s c ", "1 2 3 4 s c x", "1 2 3 4 s c end ", "1 2 3 4  c",
        "-1 2 3 4 s c", "1 2 3 4 s/t c", "1 2 3 4 s ../c", "1 2 3 4 . c",
        "18446744073709551615 2 3 4 s c", "1 18446744073709551615 3 4 s c",
        "1 2 18446744073709551616 4 s c", "1 2 9223372036854775807 4 s c",
        "1\t2 3 4 s c", "1 2 3 4 s\nc d"
    };

    one.leaf = 256;
    one.n = 17;
    one.seq = 3;
    one.bytes = 40000;
    one.segment = gs_str_text("0000000000000000");
    one.chain = gs_str_text("n1.1.w0.77");

    for (i = 0; i < 2; i++) {
        one.closed = i & 1;
        gs_buf_init(&b, text, sizeof(text));
        gs_audit_run_put(&b, &one);
        s = gs_str_make(text, gs_buf_len(&b) - 1);

        ok(gs_audit_run_parse(&s, &two) == GS_OK && two.leaf == one.leaf
               && two.n == one.n && two.seq == one.seq
               && two.bytes == one.bytes && two.closed == one.closed
               && gs_str_eq(&two.segment, &one.segment)
               && gs_str_eq(&two.chain, &one.chain),
               "a run is read as it was written, closed %u", i);
    }

    refused = 0;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {

        if (run(bad[i]) == GS_ERROR) {
            refused++;

        } else {
            diag("accepted: \"%s\"", bad[i]);
        }
    }

    ok(refused == i, "what is no run is refused");
}


static gs_rc_t
run(const char *text)
{
    gs_str_t        s;
    gs_audit_run_t  r;

    s = gs_str_text(text);

    return gs_audit_run_parse(&s, &r);
}


static void
test_alg(void)
{
    gs_str_t  s;

    s = gs_str_text("gov.example/gd/n1");
    ok(gs_audit_seal_alg(&s) == GS_AUDIT_SHA256, "SHA-256 is the rule");
    s = gs_str_text("gov.example/gd/n1/sm3");
    ok(gs_audit_seal_alg(&s) == GS_AUDIT_SM3, "SM3 by the name");
}
