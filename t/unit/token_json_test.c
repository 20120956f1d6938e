
/*
 * Copyright (C) govsvc authors
 *
 * Strict JSON of tokens: what is read, what is refused, and where the limits
 * are.
 */


#include <stdio.h>
#include <stdlib.h>

#include "tap.h"
#include "token/gs_token_claim.h"
#include "token/gs_token_json.h"


static gs_rc_t parse(const char *text, size_t len);
static void test_good(void);
static void test_bad(void);
static void test_strings(void);
static void test_limits(void);
static void test_dates(void);
static void test_packed(void);
static void test_paths(void);
static void test_iterate(const gs_str_t *packed);


static gs_token_node_t  nodes[GS_TOKEN_JSON_NODES];
static gs_token_json_t  doc = { nodes, GS_TOKEN_JSON_NODES, 0 };
static gs_uchar_t      *room;


int
main(void)
{
    test_good();
    test_bad();
    test_strings();
    test_limits();
    test_dates();
    test_packed();
    test_paths();

    free(room);

    return done_testing();
}


/* In memory of exactly its size, so that ASan sees a byte too far. */

static gs_rc_t
parse(const char *text, size_t len)
{
    free(room);
    room = malloc(len ? len : 1);
    memcpy(room, text, len);

    return gs_token_json_parse(&doc, room, len);
}


static void
test_good(void)
{
    size_t                    i;
    static const char *const  good[] = {
        "{}",
        " \t\r\n{ } \n",
        "{\"a\":1}",
        "{\"a\":-0.5e+10,\"b\":[1,2,[3,{}]],\"c\":{\"d\":null}}",
        "{\"a\":true,\"b\":false,\"c\":null,\"d\":\"\",\"e\":[],\"f\":{}}",
        "{\"\":1}",
        "{\"a\":{\"a\":{\"a\":1}}}",
        "{\"a\":0,\"b\":0.0,\"c\":1E5}",
        "{\"a\":\"\\u00e9\\ud83d\\ude00\\/\\\"\"}"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        is_int(parse(good[i], strlen(good[i])), GS_OK, "good %zu", i);
    }
}


static void
test_bad(void)
{
    size_t                    i;
    static const char *const  bad[] = {
        "", " ", "{", "}", "[]", "1", "null", "\"a\"", "{}x", "{}{}",
        "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{\"a\" 1}",
        "{\"a\":1 \"b\":2}", "{\"a\":[1,]}", "{\"a\":[,1]}", "{\"a\":[1 2]}",
        "{\"a\":[1}", "{\"a\":[}", "{\"a\":{]}",
        "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":-}",
        "{\"a\":1e}", "{\"a\":1e+}", "{\"a\":0x1}", "{\"a\":NaN}",
        "{\"a\":Infinity}", "{\"a\":tru}", "{\"a\":truex}", "{\"a\":nul",
        "{\"a\":\"\n\"}", "{\"a\":\"\t\"}", "{\"a\":\"\\x41\"}",
        "{\"a\":\"\\", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"abc", "{'a':1}", "{\"a\":1}/**/",
        "\xef\xbb\xbf{}",
        "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}", "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\xf4\x90\x80\x80\"}", "{\"a\":\"\xe4\xb8\"}",
        "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\\ud800\\ud800\"}", "{\"a\":\"\\ud800x\"}",
        "{\"a\":\"admin\\u0000x\"}",
        "{\"a\":1,\"a\":2}", "{\"sub\":\"u\",\"\\u0073ub\":\"admin\"}",
        "{\"a\":{\"b\":1,\"b\":1}}", "{\"\":1,\"\":2}"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_int(parse(bad[i], strlen(bad[i])), GS_ERROR, "bad %zu: %s", i,
               bad[i][0] == '{' ? "object" : "other");
    }

    is_int(parse("{\"a\":\"\0\"}", 9), GS_ERROR, "raw NUL in a string");
    is_int(parse("{}\0", 3), GS_ERROR, "NUL behind the object");
}


static void
test_strings(void)
{
    const gs_token_node_t  *n;

    static const char  text[] =
        "{\"k\\u0065y\":\"a\\n\\u4e2d\\ud83d\\ude00\\\\\xe6\x96\x87z\","
        "\"n\":-12.5e3,\"o\":{\"in\":\"x\"}}";

    is_int(parse(text, sizeof(text) - 1), GS_OK, "escapes");

    n = gs_token_json_get(&nodes[0], "key");
    ok(n != NULL && n->type == GS_TOKEN_JSON_STRING, "escaped key is found");
    is_str(n->value, "a\n\xe4\xb8\xad\xf0\x9f\x98\x80\\\xe6\x96\x87z",
           "decoded in place");

    n = gs_token_json_get(&nodes[0], "n");
    is_str(n->value, "-12.5e3", "text of a number");

    n = gs_token_json_get(&nodes[0], "o");
    n = gs_token_json_get(n, "in");
    is_str(n->value, "x", "member of a member");

    ok(gs_token_json_get(&nodes[0], "in") == NULL, "not of the outer one");
    ok(gs_token_json_get(n, "x") == NULL, "a string has no members");
}


static void
test_limits(void)
{
    int      i, n;
    char    *p;
    char     text[16384];
    gs_rc_t  rc;

    for (n = GS_TOKEN_JSON_DEPTH - 1; n <= GS_TOKEN_JSON_DEPTH; n++) {
        p = text + sprintf(text, "{\"a\":");

        for (i = 0; i < n; i++) {
            *p++ = '[';
        }

        for (i = 0; i < n; i++) {
            *p++ = ']';
        }

        *p++ = '}';

        rc = parse(text, (size_t) (p - text));
        is_int(rc, n < GS_TOKEN_JSON_DEPTH ? GS_OK : GS_ERROR,
               "depth %d", n + 1);
    }

    memset(text, '[', sizeof(text));
    memcpy(text, "{\"a\":", 5);
    is_int(parse(text, sizeof(text)), GS_ERROR, "16k of brackets");

    for (n = GS_TOKEN_JSON_MEMBERS; n <= GS_TOKEN_JSON_MEMBERS + 1; n++) {
        p = text;
        *p++ = '{';

        for (i = 0; i < n; i++) {
            p += sprintf(p, "%s\"k%d\":1", i ? "," : "", i);
        }

        *p++ = '}';

        rc = parse(text, (size_t) (p - text));
        is_int(rc, n == GS_TOKEN_JSON_MEMBERS ? GS_OK : GS_ERROR,
               "%d members", n);
    }

    p = text + sprintf(text, "{\"a\":[");

    for (i = 0; i < 3; i++) {
        p += sprintf(p, "%s[", i ? "," : "");

        for (n = 0; n < 100; n++) {
            p += sprintf(p, "%s%d", n ? "," : "", n);
        }

        *p++ = ']';
    }

    p += sprintf(p, "]}");
    is_int(parse(text, (size_t) (p - text)), GS_ERROR, "300 nodes");
}


static void
test_dates(void)
{
    char     text[128];
    size_t   i;
    int64_t  got;
    gs_rc_t  rc;

    static const struct {
        const char  *text;
        int64_t      want;                 /* -1: refused */
    } dates[] = {
        { "0", 0 },
        { "1700000000", 1700000000 },
        { "1700000000.5", 1700000000 },
        { "1700000000.99999999999999999999999999", 1700000000 },
        { "1.7e9", 1700000000 },
        { "17E+8", 1700000000 },
        { "17000000000e-1", 1700000000 },
        { "1.7000000005e9", 1700000000 },
        { "1e-400", 0 },
        { "0e9999", 0 },
        { "253402300799", 253402300799 },
        { "253402300800", -1 },
        { "1700000000000", -1 },
        { "1e300", -1 },
        { "9223372036854775808", -1 },
        { "18446744073709551621", -1 },
        { "1e99999", -1 },
        { "0.000000000000000000000000017e35", -1 },
        { "-1", -1 },
        { "-0", -1 },
        { "\"1700000000\"", -1 },
        { "null", -1 },
        { "true", -1 },
        { "[1700000000]", -1 },
        { "{}", -1 }
    };

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        (void) snprintf(text, sizeof(text), "{\"d\":%s}", dates[i].text);
        (void) parse(text, strlen(text));

        got = -1;
        rc = gs_token_claim_date(gs_token_json_get(&nodes[0], "d"), &got);

        is_int(got, dates[i].want, "date %s", dates[i].text);
        is_int(rc, dates[i].want == -1 ? GS_ERROR : GS_OK, "its code");
    }
}


static void
test_packed(void)
{
    size_t            pos;
    unsigned          n;
    gs_buf_t          b;
    gs_str_t          packed, name, value;
    gs_uchar_t        buf[512];
    gs_token_claim_t  c;

    static const char  text[] =
        "{\"s\":\"v\",\"n\":1.50,\"t\":true,\"z\":null,\"o\":{\"x\":1},"
        "\"a\":[\"p\",2,false,[\"q\"],null],\"bad\":\"a\\r\\nb\","
        "\"c1\":\"a\\u0085\",\"scope\":\"read write\",\"zh\":\"\\u4e2d\"}";

    (void) parse(text, sizeof(text) - 1);
    gs_buf_init(&b, buf, sizeof(buf));
    gs_token_claim_pack(&b, &nodes[0]);
    ok(!b.overflow, "fits");

    packed = gs_buf_view(&b);
    pos = 0;

    for (n = 0; gs_token_claim_next(&packed, &pos, &c) == GS_OK; n++) {
        /* void */
    }

    is_int(n, 14, "records");
    is_int((int64_t) pos, (int64_t) packed.len, "read to the end");

    name = gs_str_text("s");
    is_int(gs_token_claim_find(&packed, &name, &c), GS_OK, "string");
    is_int(c.flags, GS_TOKEN_CLAIM_STRING, "its flags");

    name = gs_str_text("n");
    (void) gs_token_claim_find(&packed, &name, &c);
    is_str(c.value, "1.50", "number as written");

    name = gs_str_text("z");
    is_int(gs_token_claim_find(&packed, &name, &c), GS_DECLINED, "no null");
    name = gs_str_text("o");
    is_int(gs_token_claim_find(&packed, &name, &c), GS_DECLINED, "no object");
    name = gs_str_text("/o/x");
    is_int(gs_token_claim_find(&packed, &name, &c), GS_OK, "but its member");
    is_str(c.value, "1", "by a pointer");

    name = gs_str_text("bad");
    (void) gs_token_claim_find(&packed, &name, &c);
    ok(c.flags & GS_TOKEN_CLAIM_CTL, "CR LF is marked");
    name = gs_str_text("c1");
    (void) gs_token_claim_find(&packed, &name, &c);
    ok(c.flags & GS_TOKEN_CLAIM_CTL, "U+0085 is marked");
    name = gs_str_text("zh");
    (void) gs_token_claim_find(&packed, &name, &c);
    ok(!(c.flags & GS_TOKEN_CLAIM_CTL), "Chinese is not");

    name = gs_str_text("a");
    value = gs_str_text("2");
    ok(gs_token_claim_has(&packed, &name, &value), "element of an array");
    value = gs_str_text("q");
    ok(!gs_token_claim_has(&packed, &name, &value), "not of one inside");
    value = gs_str_text("p,2");
    ok(!gs_token_claim_has(&packed, &name, &value), "no joined element");

    name = gs_str_text("scope");
    value = gs_str_text("write");
    ok(gs_token_claim_has_word(&packed, &name, &value), "word of a scope");
    value = gs_str_text("rea");
    ok(!gs_token_claim_has_word(&packed, &name, &value), "no part of a word");
    ok(!gs_token_claim_has(&packed, &name, &value), "nor the whole");

    for (n = 1; n < packed.len; n++) {
        packed.len--;
        pos = 0;

        while (gs_token_claim_next(&packed, &pos, &c) == GS_OK) {
            /* void */
        }
    }

    ok(pos <= packed.len, "cut anywhere, never read beyond");

    gs_buf_init(&b, buf, 20);
    gs_token_claim_pack(&b, &nodes[0]);
    ok(b.overflow, "overflow is seen");
}


/* Each path by the tree and by the packed form. */

static void
test_paths(void)
{
    size_t                  i;
    gs_buf_t                b;
    gs_str_t                packed, path;
    gs_rc_t                 rc;
    gs_uchar_t              buf[2048];
    gs_token_claim_t        c;
    const gs_token_node_t  *n;

    static const char  text[] =
        "{\"sub\":\"u\",\"act\":{\"sub\":\"agent\",\"deep\":{\"er\":[7,8]}},"
        "\"groups\":[\"a\",null,{\"name\":\"n2\"},[\"in\"],\"b\"],"
        "\"https://x/r\":[\"y\"],\"/act/sub\":\"forged\","
        "\"t~/e\":{\"~\":\"w\"},"
        "\"m\":{\"0\":\"zero\",\"\":\"none\"},\"\":\"empty\"}";

    static const struct {
        const char  *path;
        const char  *value;                /* NULL: none */
    } paths[] = {
        { "sub", "u" },
        { "/sub", "u" },
        { "/act/sub", "agent" },
        { "/act/deep/er/1", "8" },
        { "/act/deep/er/2", NULL },
        { "/act/deep/er/01", NULL },
        { "/act/deep/er/-", NULL },
        { "/act/deep", NULL },
        { "act", NULL },
        { "act/sub", NULL },
        { "/act/su", NULL },
        { "/act/sub/x", NULL },
        { "/groups/0", "a" },
        { "/groups/1", NULL },
        { "/groups/2", NULL },
        { "/groups/2/name", "n2" },
        { "/groups/3", NULL },
        { "/groups/3/0", "in" },
        { "/groups/4", "b" },
        { "/groups/5", NULL },
        { "/groups/99999999999999999999", NULL },
        { "https://x/r", NULL },
        { "/https:~1~1x~1r/0", "y" },
        { "/t~0~1e/~0", "w" },
        { "/m/0", "zero" },
        { "/m/", "none" },
        { "/", "empty" },
        { "", "empty" },
        { "/none", NULL }
    };

    (void) parse(text, sizeof(text) - 1);
    gs_buf_init(&b, buf, sizeof(buf));
    gs_token_claim_pack(&b, &nodes[0]);
    packed = gs_buf_view(&b);

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        path = gs_str_text(paths[i].path);
        n = gs_token_json_path(&nodes[0], &path);

        if (n != NULL && (n->type == GS_TOKEN_JSON_OBJECT
                          || n->type == GS_TOKEN_JSON_ARRAY
                          || n->type == GS_TOKEN_JSON_NULL))
        {
            n = NULL;
        }

        ok((n == NULL) == (paths[i].value == NULL), "tree: \"%s\"",
           paths[i].path);

        /* an array is a value for neither, but all its elements here */

        rc = gs_token_claim_find(&packed, &path, &c);

        if (strcmp(paths[i].path, "https://x/r") == 0
            || strcmp(paths[i].path, "/groups/3") == 0)
        {
            is_int(rc, GS_OK, "an array is its elements");
            continue;
        }

        is_int(rc, paths[i].value ? GS_OK : GS_DECLINED, "packed: \"%s\"",
               paths[i].path);

        if (n != NULL && rc == GS_OK) {
            is_str(n->value, paths[i].value, "the value");
            is_str(c.value, paths[i].value, "both");
        }
    }

    test_iterate(&packed);
}


static void
test_iterate(const gs_str_t *packed)
{
    size_t                 i;
    gs_buf_t               b;
    gs_str_t               path;
    gs_uchar_t             buf[2048];
    gs_token_claim_t       c;
    gs_token_claim_iter_t  it;

    path = gs_str_text("/groups");
    gs_token_claim_iter(&it, &path);

    for (i = 0; gs_token_claim_each(&it, packed, &c) == GS_OK; i++) {
        ok(c.flags & GS_TOKEN_CLAIM_ARRAY, "an element");
    }

    is_int((int64_t) i, 2, "elements with a value");

    path = gs_str_text("/ACT/Sub");
    gs_token_claim_iter(&it, &path);
    it.nocase = 1;
    is_int(gs_token_claim_each(&it, packed, &c), GS_OK, "case-blind");
    is_str(c.value, "agent", "found");

    for (i = 0; i < sizeof(buf); i++) {
        gs_buf_init(&b, buf, i);
        gs_token_claim_pack(&b, &nodes[0]);

        if (!b.overflow) {
            break;
        }
    }

    is_int((int64_t) i, (int64_t) packed->len, "every lack of room is seen");
}
