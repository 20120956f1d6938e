
/*
 * Copyright (C) govsvc authors
 *
 * The hash chain and pseudonyms: the vectors of the line format, bounds.
 */


#include "audit/gs_audit_chain.h"
#include "audit/gs_audit_json.h"
#include "audit/gs_audit_pseudonym.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


static void test_vectors(gs_audit_alg_e alg, const char *first,
    const char *second);
static void test_bounds(void);
static void test_segment(void);
static void test_pseudonym(void);


int
main(void)
{
    gs_str_t        name;
    gs_audit_alg_e  alg;

    test_vectors(GS_AUDIT_SM3,
                 "RrrBoNuQbniH0f4Xbmx2mJ1R5fmqgQspo_eXCcR3WlI",
                 "U17Tpytt3J0mf-6Oe8GDs9i5D-Kv8TT3nJKL83kvrA0");
    test_vectors(GS_AUDIT_SHA256,
                 "uPqA8VZQcT0AhAfqd0RJ7P9A_DSAD3EvXEatT25m4GE",
                 "bFNBRed4Sa7P7odRr_00P0mMjKHh1mhuAelGoP0WLWQ");
    test_bounds();
    test_segment();
    test_pseudonym();

    name = gs_str_text("sm3");
    ok(gs_audit_alg_find(&name, &alg) == GS_OK && alg == GS_AUDIT_SM3,
       "sm3 is known");
    name = gs_str_text("md5");
    ok(gs_audit_alg_find(&name, &alg) == GS_ERROR, "md5 is not");

    return done_testing();
}


static void
test_vectors(gs_audit_alg_e alg, const char *first, const char *second)
{
    char              line[600], want[700];
    gs_buf_t          b;
    gs_uchar_t        text[GS_AUDIT_HASH_TEXT];
    const char       *name;
    gs_audit_chain_t  chain;

    name = gs_audit_alg_name(alg);

    ok(gs_audit_chain_init(&chain, alg) == GS_OK, "%s: init", name);

    gs_buf_init(&b, line, sizeof(line));
    gs_buf_text(&b, "{\"v\":1,\"ty\":\"seg.open\",\"ch\":\"gd01.3.w0.17\","
                    "\"seq\":0,\"alg\":\"");
    gs_buf_text(&b, name);
    gs_buf_text(&b, "\",\"t\":\"2026-11-22T13:08:36.000000000+08:00\","
                    "\"prev\":null");

    snprintf(want, sizeof(want), "%.*s,\"h\":\"%s\"}\n", (int) gs_buf_len(&b),
             line, first);

    ok(gs_audit_chain_seal(&chain, &b, 0) == GS_OK, "%s: seal", name);
    is_str(gs_buf_view(&b), want, "%s: first line", name);

    gs_buf_init(&b, line, sizeof(line));
    gs_buf_text(&b, "before|");
    gs_buf_text(&b, "{\"v\":1,\"id\":\"gd01.3.1000\",\"ty\":\"http\","
                    "\"st\":\"done\",\"seq\":1,"
                    "\"t\":\"2026-11-22T13:08:36.888598123+08:00\","
                    "\"http\":{\"m\":\"POST\",\"path\":\"/cases\","
                    "\"status\":200}");

    snprintf(want, sizeof(want), "%.*s,\"h\":\"%s\"}\n", (int) gs_buf_len(&b),
             line, second);

    ok(gs_audit_chain_seal(&chain, &b, 7) == GS_OK, "%s: seal again", name);
    is_str(gs_buf_view(&b), want, "%s: second line", name);

    gs_audit_chain_text(&chain, text);
    is_mem(text, sizeof(text), second, strlen(second), "%s: state", name);

    gs_audit_chain_free(&chain);
}


static void
test_bounds(void)
{
    size_t            n;
    gs_buf_t          b;
    unsigned          wrong;
    gs_uchar_t       *line, h[GS_AUDIT_HASH];
    gs_audit_chain_t  chain;

    if (gs_audit_chain_init(&chain, GS_AUDIT_SM3) != GS_OK) {
        ok(0, "init");
        return;
    }

    memcpy(h, chain.h, GS_AUDIT_HASH);
    wrong = 0;

    for (n = 0; n <= GS_AUDIT_SEAL + 1; n++) {

        /* exactly as much memory, for the sanitizer to watch */

        line = malloc(100 + n);
        if (line == NULL) {
            break;
        }

        gs_buf_init(&b, line, 100 + n);
        memset(b.pos, 'x', 100);
        b.pos += 100;

        if (gs_audit_chain_seal(&chain, &b, 0) == GS_OK) {
            wrong += (n != GS_AUDIT_SEAL + 1);

        } else {
            wrong += (n == GS_AUDIT_SEAL + 1) || !b.overflow
                     || memcmp(h, chain.h, GS_AUDIT_HASH) != 0;
        }

        free(line);
    }

    is_int(wrong, 0, "a short buffer is refused and moves nothing");
    ok(memcmp(h, chain.h, GS_AUDIT_HASH) != 0, "the last one moved the chain");

    gs_audit_chain_start(&chain);
    ok(memcmp(h, chain.h, GS_AUDIT_HASH) == 0, "start goes back to zeros");

    gs_audit_chain_free(&chain);
}


static void
test_segment(void)
{
    char               line[2048];
    gs_buf_t           b;
    gs_str_t           got;
    gs_audit_open_t    open;
    gs_audit_chain_t   chain;
    gs_audit_close_t   end;

    memset(&open, 0, sizeof(open));
    memset(&end, 0, sizeof(end));

    if (gs_audit_chain_init(&chain, GS_AUDIT_SHA256) != GS_OK) {
        ok(0, "init");
        return;
    }

    open.chain = gs_str_text("gd01.3.w0.17");
    open.time = 1795324116000000ull;
    open.keep = 180;
    open.why = "start";

    gs_buf_init(&b, line, sizeof(line));
    ok(gs_audit_json_open(&b, &chain, &open) == GS_OK, "open");
    got = gs_buf_view(&b);
    got.len -= GS_AUDIT_SEAL + 1;
    is_str(got, "{\"v\":1,\"ty\":\"seg.open\",\"ch\":\"gd01.3.w0.17\","
           "\"seq\":0,\"alg\":\"sha256\","
           "\"t\":\"2026-11-22T13:08:36.000000+08:00\",\"prev\":null,"
           "\"keep\":180,\"why\":\"start\"", "first segment");

    open.seq = 8;
    open.why = "size";
    open.prev_name = gs_str_text("0000000000000000");
    open.prev_bytes = 4711;
    open.prev_seq = 7;
    memset(open.prev_h, 0xff, sizeof(open.prev_h));

    gs_buf_init(&b, line, sizeof(line));
    ok(gs_audit_json_open(&b, &chain, &open) == GS_OK, "open again");
    got = gs_buf_view(&b);
    got.len -= GS_AUDIT_SEAL + 1;
    is_str(got, "{\"v\":1,\"ty\":\"seg.open\",\"ch\":\"gd01.3.w0.17\","
           "\"seq\":8,\"alg\":\"sha256\","
           "\"t\":\"2026-11-22T13:08:36.000000+08:00\","
           "\"prev\":{\"seg\":\"0000000000000000\",\"bytes\":4711,\"seq\":7,"
           "\"h\":\"__________________________________________8\"},"
           "\"keep\":180,\"why\":\"size\"", "second segment");

    end.chain = open.chain;
    end.seq = 9;
    end.time = open.time;
    end.n = 2;
    end.why = "exit";

    gs_buf_init(&b, line, sizeof(line));
    ok(gs_audit_json_close(&b, &chain, &end) == GS_OK, "close");
    got = gs_buf_view(&b);
    got.len -= GS_AUDIT_SEAL + 1;
    is_str(got, "{\"v\":1,\"ty\":\"seg.close\",\"ch\":\"gd01.3.w0.17\","
           "\"seq\":9,\"t\":\"2026-11-22T13:08:36.000000+08:00\",\"n\":2,"
           "\"why\":\"exit\"", "end");
    ok(got.len >= GS_AUDIT_BODY_MIN, "the shortest line is long enough");

    gs_audit_chain_free(&chain);
}


/* The expected values are those of: openssl dgst -hmac KEY -sm3 */

static void
test_pseudonym(void)
{
    size_t                len;
    gs_str_t              key, id;
    gs_uchar_t            pid[GS_AUDIT_PID_MAX];
    gs_audit_pseudonym_t  p;

    key = gs_str_text("0123456789abcdef0123456789abcde");
    ok(gs_audit_pseudonym_init(&p, GS_AUDIT_SM3, &key, 7) == GS_ERROR,
       "a key of 31 bytes is too short");

    key = gs_str_text("0123456789abcdef0123456789abcdef");
    id = gs_str_text("u-20260001");

    ok(gs_audit_pseudonym_init(&p, GS_AUDIT_SM3, &key, 7) == GS_OK, "sm3");
    ok(gs_audit_pseudonym(&p, &id, pid, &len) == GS_OK, "made");
    is_str(gs_str_make(pid, len), "p7:W2c6uoFOQGcPuiFhSYRa0g", "sm3 pseudonym");
    ok(gs_audit_pseudonym(&p, &id, pid, &len) == GS_OK, "made again");
    is_str(gs_str_make(pid, len), "p7:W2c6uoFOQGcPuiFhSYRa0g", "the same");
    gs_audit_pseudonym_free(&p);

    ok(gs_audit_pseudonym_init(&p, GS_AUDIT_SHA256, &key, 999999) == GS_OK,
       "sha256");
    ok(gs_audit_pseudonym(&p, &id, pid, &len) == GS_OK, "made");
    is_str(gs_str_make(pid, len), "p999999:KIykys9ZN-S1dZabOVO5yw",
           "sha256 pseudonym");
    gs_audit_pseudonym_free(&p);
}
