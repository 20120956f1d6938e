
/*
 * Copyright (C) govsvc authors
 *
 * Buffers, hexadecimal, base64, UTF-8 and JSON output.
 */


#include "core/gs_b64.h"
#include "core/gs_buf.h"
#include "core/gs_hex.h"
#include "core/gs_json_out.h"
#include "core/gs_utf8.h"
#include "tap.h"


static void test_buf(void);
static void test_hex(void);
static void test_b64url(void);
static void test_b64(void);
static void test_utf8(void);
static void test_utf8_put(void);
static void test_utf8_cut(void);
static void test_json(void);
static void test_json_object(void);


int
main(void)
{
    test_buf();
    test_hex();
    test_b64url();
    test_b64();
    test_utf8();
    test_utf8_put();
    test_utf8_cut();
    test_json();
    test_json_object();

    return done_testing();
}


static void
test_buf(void)
{
    char      data[64], small[4];
    gs_buf_t  b;

    gs_buf_init(&b, data, sizeof(data));
    gs_buf_u64(&b, UINT64_MAX);
    gs_buf_char(&b, ' ');
    gs_buf_i64(&b, INT64_MIN);
    gs_buf_char(&b, ' ');
    gs_buf_pad(&b, 42, 5);
    gs_buf_pad(&b, 12345, 2);
    gs_buf_hex(&b, "\x00\xff", 2);
    is_str(gs_buf_view(&b),
           "18446744073709551615 -9223372036854775808 000421234500ff",
           "numbers");
    ok(!b.overflow, "no overflow");

    gs_buf_init(&b, small, sizeof(small));
    gs_buf_text(&b, "abcd");
    ok(!b.overflow, "full to the last byte");
    gs_buf_put(&b, NULL, 0);
    ok(!b.overflow, "nothing fits a full buffer");
    gs_buf_char(&b, 'e');
    ok(b.overflow, "overflow");
    is_str(gs_buf_view(&b), "abcd", "what fitted stays");

    gs_buf_init(&b, small, sizeof(small));
    gs_buf_text(&b, "abcde");
    gs_buf_char(&b, 'a');
    is_int((int64_t) gs_buf_len(&b), 0, "nothing after an overflow");

    gs_buf_init(&b, NULL, 0);
    gs_buf_hex(&b, "a", 1);
    ok(b.overflow, "no memory at all");
}


static void
test_hex(void)
{
    gs_str_t    s;
    gs_uchar_t  out[8];

    gs_hex_encode(out, "\x01\xab\xff", 3);
    is_mem(out, 6, "01abff", 6, "hex");

    s = gs_str_text("01aBFf");
    is_int(gs_hex_decode(out, &s), GS_OK, "either case");
    is_mem(out, 3, "\x01\xab\xff", 3, "bytes");

    s = gs_str_text("0");
    is_int(gs_hex_decode(out, &s), GS_ERROR, "odd length");
    s = gs_str_text("0g");
    is_int(gs_hex_decode(out, &s), GS_ERROR, "no digit");
    is_int(gs_hex_value('F'), 15, "F");
    is_int(gs_hex_value('G'), -1, "G");
    is_int(gs_hex_value(':'), -1, "colon");
    is_int(gs_hex_value('@'), -1, "at");
}


static void
test_b64url(void)
{
    size_t       i, len, n;
    gs_str_t     s;
    gs_uchar_t   out[64], back[64];

    static const char *const  bad[] = {
        "A", "AAAAA", "AA==", "AB", "AAB", "AA+A", "AA/A", "AA A", "AA\nA",
        "AA.A", "A\xc3", "Zh", "Zm9=", NULL
    };

    s = gs_str_text("-_-_");
    is_int(gs_b64url_decode(out, &len, &s), GS_OK, "the url alphabet");
    is_mem(out, len, "\xfb\xff\xbf", 3, "its bytes");

    s = gs_str_text("");
    is_int(gs_b64url_decode(out, &len, &s), GS_OK, "empty");
    is_int((int64_t) len, 0, "no bytes");

    for (i = 0; bad[i] != NULL; i++) {
        s = gs_str_text(bad[i]);
        is_int(gs_b64url_decode(out, &len, &s), GS_ERROR, "bad text %zu", i);
    }

    for (i = 0; i < 40; i++) {
        memset(back, (int) (i * 37 + 129), sizeof(back));
        n = gs_b64url_encode(out, back, i);
        ok(n == gs_b64url_encoded_len(i), "encoded length of %zu", i);

        s = gs_str_make(out, n);
        ok(gs_b64url_decoded_len(n) == i, "decoded length of %zu", n);
        memset(back, 0, sizeof(back));
        ok(gs_b64url_decode(back, &len, &s) == GS_OK && len == i
           && (i == 0 || back[i - 1] == (gs_uchar_t) (i * 37 + 129)),
           "round trip of %zu", i);
    }
}


static void
test_b64(void)
{
    size_t      i, len;
    gs_str_t    s;
    gs_uchar_t  out[16];

    /* RFC 4648 section 10 */

    static const char *const  vectors[][2] = {
        { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" }
    };

    static const char *const  bad[] = {
        "Zg", "Zg=", "Z===", "====", "=", "Zm=v", "Zg==Zg==", "Zh==", "Zm9=",
        "Zm9_", "Zm9-", "Zm9v\n", NULL
    };

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        len = gs_b64_encode(out, vectors[i][0], strlen(vectors[i][0]));
        is_str(gs_str_make(out, len), vectors[i][1], "encode %zu", i);

        s = gs_str_text(vectors[i][1]);
        is_int(gs_b64_decode(out, &len, &s), GS_OK, "decode %zu", i);
        is_str(gs_str_make(out, len), vectors[i][0], "decoded %zu", i);
    }

    for (i = 0; bad[i] != NULL; i++) {
        s = gs_str_text(bad[i]);
        is_int(gs_b64_decode(out, &len, &s), GS_ERROR, "bad %zu", i);
    }
}


static void
test_utf8(void)
{
    size_t             i;
    gs_str_t           s;
    uint32_t           c;
    unsigned           used;
    const gs_uchar_t  *p;

    static const struct {
        const char  *bytes;
        uint32_t     c;
        unsigned     used;
    } cases[] = {
        { "A", 'A', 1 },
        { "\xc2\x80", 0x80, 2 },
        { "\xdf\xbf", 0x7ff, 2 },
        { "\xe0\xa0\x80", 0x800, 3 },
        { "\xe4\xb8\xad", 0x4e2d, 3 },
        { "\xed\x9f\xbf", 0xd7ff, 3 },
        { "\xee\x80\x80", 0xe000, 3 },
        { "\xf0\x90\x80\x80", 0x10000, 4 },
        { "\xf4\x8f\xbf\xbf", 0x10ffff, 4 },
        { "\x80", GS_UTF8_BAD, 1 },
        { "\xbf", GS_UTF8_BAD, 1 },
        { "\xc0\x80", GS_UTF8_BAD, 1 },            /* overlong */
        { "\xc1\xbf", GS_UTF8_BAD, 1 },
        { "\xe0\x9f\xbf", GS_UTF8_BAD, 1 },
        { "\xf0\x8f\xbf\xbf", GS_UTF8_BAD, 1 },
        { "\xed\xa0\x80", GS_UTF8_BAD, 1 },        /* surrogate */
        { "\xf4\x90\x80\x80", GS_UTF8_BAD, 1 },    /* above U+10FFFF */
        { "\xf5\x80\x80\x80", GS_UTF8_BAD, 1 },
        { "\xff", GS_UTF8_BAD, 1 },
        { "\xe4\xb8", GS_UTF8_BAD, 2 },            /* cut short */
        { "\xe4\xb8" "A", GS_UTF8_BAD, 2 },
        { "\xf0\x90\x80", GS_UTF8_BAD, 3 },
        { "\xf0\x90\x80" "A", GS_UTF8_BAD, 3 },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s = gs_str_text(cases[i].bytes);
        p = s.data;
        c = gs_utf8_next(p, p + s.len, &used);

        is_int(c, cases[i].c, "code point %zu", i);
        is_int(used, cases[i].used, "length %zu", i);
        is_int(gs_utf8_valid(&s), c != GS_UTF8_BAD, "validity %zu", i);
    }

    s = gs_str_make(NULL, 0);
    ok(gs_utf8_valid(&s), "nothing is valid");
}


static void
test_utf8_put(void)
{
    uint32_t    c, back;
    unsigned    n, used, wrong;
    gs_uchar_t  bytes[4];

    wrong = 0;

    for (c = 0; c < 0x110010; c++) {
        n = gs_utf8_put(bytes, c);

        if (n == 0) {
            wrong += !((c >= 0xd800 && c < 0xe000) || c > 0x10ffff);
            continue;
        }

        back = gs_utf8_next(bytes, bytes + n, &used);
        wrong += (back != c || used != n);
    }

    is_int(wrong, 0, "every scalar value makes the round trip");
}


static void
test_utf8_cut(void)
{
    size_t    i;
    gs_str_t  s;

    static const size_t  want[] = {
        0, 1, 1, 1, 4, 4, 4, 4, 8, 8, 10, 11, 11
    };

    s = gs_str_text("a\xe4\xb8\xad\xf0\x9f\x98\x80\xc3\xa9z");

    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        is_int((int64_t) gs_utf8_cut(&s, i), (int64_t) want[i], "cut at %zu",
               i);
    }

    s = gs_str_text("\x80\x80\x80\x80\x80\x80");
    is_int((int64_t) gs_utf8_cut(&s, 5), 5, "malformed is cut anywhere");
}


static void
test_json(void)
{
    char      data[256];
    size_t    i;
    gs_str_t  s;
    gs_buf_t  b;
    unsigned  bad;

    static const struct {
        const char  *in;
        const char  *out;
        unsigned     bad;
    } cases[] = {
        { "", "\"\"", 0 },
        { "plain", "\"plain\"", 0 },
        { "a\"b\\c/", "\"a\\\"b\\\\c/\"", 0 },
        { "\n\t\x01\x1f\x7f", "\"\\u000a\\u0009\\u0001\\u001f\\u007f\"", 0 },
        { "\xc2\x85\xc2\xa0", "\"\\u0085\xc2\xa0\"", 0 },
        { "<b>&", "\"\\u003cb\\u003e\\u0026\"", 0 },
        { "\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"", 0 },
        { "\xe2\x80\xae\xd8\x9c\xe2\x81\xa6", "\"\\u202e\\u061c\\u2066\"", 0 },
        { "\xe4\xb8\xad", "\"\xe4\xb8\xad\"", 0 },
        { "x\xff\xe4\xb8" "y", "\"x\\ufffd\\ufffdy\"", 2 },
        { "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"", 3 },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s = gs_str_text(cases[i].in);
        gs_buf_init(&b, data, sizeof(data));
        bad = gs_json_str(&b, &s);
        is_str(gs_buf_view(&b), cases[i].out, "JSON string %zu", i);
        is_int(bad, cases[i].bad, "malformed sequences in %zu", i);
    }

    s = gs_str_make("\0", 1);
    gs_buf_init(&b, data, sizeof(data));
    (void) gs_json_raw(&b, &s);
    is_str(gs_buf_view(&b), "\\u0000", "NUL");
}


static void
test_json_object(void)
{
    char      data[128];
    gs_str_t  s;
    gs_buf_t  b;

    s = gs_str_text("x");
    gs_buf_init(&b, data, sizeof(data));
    gs_buf_char(&b, '{');
    (void) gs_json_kv_str(&b, "a", &s);
    gs_json_kv_text(&b, "b", "\"");
    gs_json_kv_u64(&b, "c", 7);
    gs_json_key(&b, "d");
    gs_buf_char(&b, '{');
    gs_json_kv_u64(&b, "e", 8);
    gs_buf_text(&b, "}}");
    is_str(gs_buf_view(&b),
           "{\"a\":\"x\",\"b\":\"\\\"\",\"c\":7,\"d\":{\"e\":8}}", "object");
}
