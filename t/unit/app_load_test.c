
/*
 * Copyright (C) govsvc authors
 *
 * apps.json loaded and used: secrets that rotate, networks, routes, clocks,
 * replays; and every allocation that can fail.
 */


#include "sign_fixture.h"

#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "token/gs_app.h"


#define NOW  1700000000

#define ED25519_JWKS  "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," \
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"


typedef struct {
    gs_arena_t  *arena;
    unsigned     count;
    unsigned     fail;
} failing_t;


static void test_rotation(void);
static void test_limits(void);
static void test_nonce(void);
static void test_presigned(void);
static void presigned(const char *method, int64_t seconds);
static void test_several(void);
static void several(const char *ids, const char *tag);
static void bad(const char *members, const char *want);
static void test_glob(void);
static void test_memory(void);
static void test_make(gs_sign_scheme_e scheme);
static void *failing_alloc(void *ctx, size_t size);
static gs_apps_t *load(gs_mem_t *mem, const char *json, gs_err_t *err);
static gs_rc_t read_file(void *data, const gs_str_t *name, int is_secret,
    gs_str_t *text, gs_err_t *err);
static void tif(const char *id, const char *token, const char *sec);


static char  file[4][512];


static const char  json_all[] =
    "{\"apps\":[{\"id\":\"b\",\"scheme\":\"x-tif\",\"secrets\":[\"file:0\","
    "\"file:1\"],\"networks\":[\"10.0.0.0/8\",\"::1\"],\"routes\":[\"gd-*\","
    "\"bj\"],\"level\":3,\"window\":\"60s\","
    "\"expires\":\"2023-11-15T06:14:00+08:00\"},"
    "{\"id\":\"a\",\"scheme\":\"rfc9421\",\"alg\":\"ed25519\","
    "\"jwks\":\"file:2\",\"tag\":\"gov\"},"
    "{\"id\":\"c\",\"scheme\":\"apikey\",\"secrets\":[\"file:3\"]}]}";


int
main(void)
{
    crypto = gs_sign_crypto_create(&gs_mem_libc);

    if (crypto == NULL) {
        return 1;
    }

    test_rotation();
    test_limits();
    test_nonce();
    test_presigned();
    test_several();
    test_glob();
    test_memory();

    gs_sign_crypto_destroy(crypto);

    return done_testing();
}


static gs_apps_t *
load(gs_mem_t *mem, const char *json, gs_err_t *err)
{
    gs_str_t  text;

    strcpy(file[0], "gov-demo-token\n");
    strcpy(file[1], "gov-next-token\r\n");
    strcpy(file[2], ED25519_JWKS);
    strcpy(file[3], "an-api-key");

    text = gs_str_text(json);

    return gs_apps_load(mem, &text, read_file, NULL, err);
}


static gs_rc_t
read_file(void *data, const gs_str_t *name, int is_secret, gs_str_t *text,
    gs_err_t *err)
{
    /* a secret of its own for whom is not looked at */

    if (name->data[0] == '4') {
        strcpy(file[3], "one of many secrets");
        *text = gs_str_text(file[3]);
        return GS_OK;
    }

    *text = gs_str_text(file[name->data[0] - '0']);

    return GS_OK;
}


/* A request signed at that time. */

static void
tif(const char *id, const char *token, const char *sec)
{
    size_t              n;
    gs_str_t            s;
    gs_sign_key_t       k;
    gs_sign_cred_t      made;
    static gs_arena_t  *arena;

    gs_arena_destroy(arena);
    arena = gs_arena_create(&gs_mem_libc);

    request("POST", "/", "h");
    memset(&made, 0, sizeof(made));
    memset(&k, 0, sizeof(k));

    s = gs_str_text(sec);
    made.scheme = GS_SIGN_TIF;
    made.id = gs_str_text(id);
    made.nonce = gs_str_text("a1b2c3d4e5f6");
    k.alg = GS_SIGN_SHA256;
    k.secret = gs_str_text(token);

    if (gs_parse_u64(&s, (uint64_t *) &made.time) != GS_OK
        || gs_sign_make(crypto, gs_arena_mem(arena), &req, &made, &k, headers,
                        &n)
           != GS_SIGN_OK)
    {
        abort();
    }

    req.n = n;

    if (gs_sign_find(&req, SIGN_ALL, &cred) != GS_SIGN_OK) {
        abort();
    }
}


static void
test_rotation(void)
{
    gs_err_t         err;
    gs_apps_t       *apps;
    const gs_app_t  *app;

    memset(&err, 0, sizeof(err));
    apps = load(&gs_mem_libc, json_all, &err);
    ok(apps != NULL, "loaded: %s", err.text);

    if (apps == NULL) {
        return;
    }

    is_int((int64_t) gs_apps_count(apps), 3, "three");
    is_str(gs_apps_at(apps, 0)->id, "a", "in order");
    ok(file[0][0] == '\0' && file[1][0] == '\0', "the files' text is wiped");
    ok(file[2][0] == '{', "but the public keys");

    tif("b", "gov-demo-token", "1700000000");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "the first secret");
    is_int(app->level, 3, "level");

    cred.covered = 0;
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_NOT_COVERED, "what must be signed is not");
    cred.covered = 1;
    cred.unsigned_body = 1;
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_UNSIGNED_BODY, "nor is the body");
    cred.unsigned_body = 0;

    tif("b", "gov-next-token", "1700000000");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "the second");

    tif("b", "gov-past-token", "1700000000");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_BAD_SIGNATURE, "another");
    ok(app == NULL, "no application then");

    tif("a", "gov-demo-token", "1700000000");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_UNKNOWN_APP, "an application of another scheme");

    tif("b", "gov-demo-token", "1700000060");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "within the window");

    tif("b", "gov-demo-token", "1700000061");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_SKEW, "ahead");

    tif("b", "gov-demo-token", "1699999939");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_SKEW, "behind");

    tif("b", "gov-demo-token", "1700000040");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW + 40, &app),
              GS_SIGN_EXPIRED, "expired");

    gs_apps_destroy(apps);
}


static void
test_limits(void)
{
    gs_net_t         net;
    gs_str_t         s, none;
    gs_apps_t       *apps;
    const gs_app_t  *app;

    apps = load(&gs_mem_libc, json_all, NULL);
    s = gs_str_text("b");
    app = gs_apps_find(apps, &s);
    none = gs_str_make(NULL, 0);

    s = gs_str_text("10.1.2.3");
    (void) gs_net_parse(&net, &s);
    is_reason(gs_app_from(app, &net), GS_SIGN_OK, "its network");

    s = gs_str_text("11.1.2.3");
    (void) gs_net_parse(&net, &s);
    is_reason(gs_app_from(app, &net), GS_SIGN_BAD_NETWORK, "another network");

    s = gs_str_text("gd-path");
    is_reason(gs_app_to(app, &s, &none), GS_SIGN_OK, "its route");
    is_reason(gs_app_to(app, &none, &s), GS_SIGN_OK, "its platform");
    s = gs_str_text("zj-path");
    is_reason(gs_app_to(app, &s, &none), GS_SIGN_BAD_ROUTE, "another route");
    is_reason(gs_app_to(app, &none, &none), GS_SIGN_BAD_ROUTE, "no route");

    s = gs_str_text("nobody");
    ok(gs_apps_find(apps, &s) == NULL, "nobody");

    gs_apps_destroy(apps);
}


static void
test_nonce(void)
{
    int64_t   until;
    gs_str_t  nonce;
    gs_app_t  app;

    memset(&app, 0, sizeof(app));
    app.window = 60;

    tif("b", "gov-demo-token", "1700000000");
    is_int(gs_app_nonce(&app, &req, &cred, NOW, &nonce, &until), GS_OK,
           "every request once");
    is_str(nonce, "a1b2c3d4e5f6", "its nonce");
    is_int(until, NOW + 121, "twice the window");

    cred.nonce.len = 0;
    is_int(gs_app_nonce(&app, &req, &cred, NOW, &nonce, &until), GS_OK,
           "without a nonce");
    is_mem(nonce.data, nonce.len, cred.sig, 32, "its signature");

    app.replay = GS_APP_REPLAY_UNSAFE;
    is_int(gs_app_nonce(&app, &req, &cred, NOW, &nonce, &until), GS_OK,
           "POST");
    req.method = gs_str_text("GET");
    is_int(gs_app_nonce(&app, &req, &cred, NOW, &nonce, &until), GS_DECLINED,
           "GET");
    app.replay = GS_APP_REPLAY_OFF;
    is_int(gs_app_nonce(&app, &req, &cred, NOW, &nonce, &until), GS_DECLINED,
           "off");
}


static void
test_glob(void)
{
    size_t    i;
    gs_str_t  pattern, s;

    static const struct {
        const char  *pattern;
        const char  *s;
        int          want;
    } rows[] = {
        { "a", "a", 1 }, { "a", "b", 0 }, { "*", "", 1 }, { "*", "abc", 1 },
        { "a*", "a", 1 }, { "a*", "ba", 0 }, { "*a", "ba", 1 },
        { "a*c", "abc", 1 }, { "a*c", "abcd", 0 }, { "*b*", "abc", 1 },
        { "a*b*c", "aXbYbZc", 1 }, { "", "", 1 }, { "", "a", 0 },
        { "**", "a", 1 }, { "ab", "a", 0 }, { "a", "ab", 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pattern = gs_str_text(rows[i].pattern);
        s = gs_str_text(rows[i].s);
        is_int(gs_app_glob(&pattern, &s), rows[i].want, "\"%s\" and \"%s\"",
               rows[i].pattern, rows[i].s);
    }
}


static void
test_memory(void)
{
    char             *json, *p;
    unsigned          n, i, bad;
    gs_err_t          err;
    gs_apps_t        *apps;
    gs_sign_hash_t   *hash;
    gs_sign_crypto_t *own;

    /* more than one block of an arena holds */

    json = malloc(200000);

    if (json == NULL) {
        abort();
    }

    p = json + sprintf(json, "%.*s", (int) sizeof(json_all) - 3, json_all);

    for (i = 0; i < 1500; i++) {
        p += sprintf(p, ",{\"id\":\"n%u\",\"scheme\":\"govhmac\","
                     "\"secrets\":[\"file:4\"],\"routes\":[\"r%u\"]}", i, i);
    }

    strcpy(p, "]}");
    bad = 0;

    for (n = 1; n < 1000; n++) {
        memset(&err, 0, sizeof(err));
        apps = load(tap_mem_fail(n), json, &err);

        if (!tap_mem_failed()) {
            gs_apps_destroy(apps);
            bad += (apps == NULL);
            break;
        }

        bad += (apps != NULL || err.text[0] == '\0');
        gs_apps_destroy(apps);
        bad += (tap_mem_live() != 0);
    }

    ok(n > 3 && n < 1000, "%u allocations of a load", n - 1);
    is_int(bad, 0, "each may fail");
    free(json);

    own = gs_sign_crypto_create(tap_mem_fail(1));
    ok(own == NULL && tap_mem_live() == 0, "no memory for digests");
    hash = gs_sign_hash_create(crypto, tap_mem_fail(1), GS_SIGN_DIGEST_SM3);
    ok(hash == NULL && tap_mem_live() == 0, "no memory for a digest");

    for (i = 0; i < GS_SIGN_SCHEMES; i++) {
        test_make((gs_sign_scheme_e) i);
    }
}


/* The n-th allocation fails, the others come from an arena. */

static void
test_make(gs_sign_scheme_e scheme)
{
    size_t             count;
    unsigned           bad, fail;
    gs_mem_t           mem;
    failing_t          f;
    gs_sign_cred_t     made;
    gs_sign_header_t   add[GS_SIGN_MAX_ADD];
    gs_sign_reason_e   reason;

    bad = 0;

    mem.alloc = failing_alloc;
    mem.release = NULL;
    mem.ctx = &f;

    for (fail = 1; fail < 100; fail++) {
        f.arena = gs_arena_create(&gs_mem_libc);
        f.count = 0;
        f.fail = fail;

        request("POST", "/", "h");
        header("Host", "h");
        memset(&made, 0, sizeof(made));
        made.scheme = scheme;
        made.time = NOW;
        made.id = gs_str_text("a");
        made.nonce = gs_str_text("0123456789abcdef");
        secret(gs_sign_scheme_alg(scheme), "some secret");

        reason = gs_sign_make(crypto, &mem, &req, &made, &key, add, &count);
        gs_arena_destroy(f.arena);

        if (f.count < fail) {
            bad += (reason != GS_SIGN_OK);
            break;
        }

        bad += (reason != GS_SIGN_NO_MEMORY);
    }

    ok(fail > 2 && bad == 0, "%s: each of %u allocations may fail",
       gs_sign_scheme_names[scheme], fail - 1);
}


static void *
failing_alloc(void *ctx, size_t size)
{
    failing_t *f = ctx;

    return ++f->count == f->fail ? NULL : gs_alloc(gs_arena_mem(f->arena),
                                                   size);
}


/* Until it ends, if it may live that long; and once, if it changes things. */

static void
test_presigned(void)
{
    gs_str_t         nonce;
    int64_t          until;
    gs_apps_t       *apps;
    const gs_app_t  *app;

    apps = load(&gs_mem_libc, "{\"apps\": [{\"id\": \"v\", \"scheme\": "
                "\"sigv4\", \"secrets\": [\"file:0\"], \"presigned\": "
                "\"1h\", \"body\": \"optional\"}, {\"id\": \"none\", "
                "\"scheme\": \"sigv4\", \"secrets\": [\"file:1\"]}]}", NULL);

    if (apps == NULL) {
        abort();
    }

    presigned("GET", 3600);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "at once");
    is_int(gs_app_nonce(app, &req, &cred, NOW, &nonce, &until), GS_DECLINED,
           "as often as one likes");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW + 3599, &app),
              GS_SIGN_OK, "in the last second");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW + 3600, &app),
              GS_SIGN_EXPIRED, "then no more");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW - 300, &app),
              GS_SIGN_OK, "a clock that is behind");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW - 301, &app),
              GS_SIGN_SKEW, "further than it may");

    presigned("GET", 3601);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_PRESIGNED, "for longer than it may");
    ok(app == NULL, "no application then");

    cred.id = gs_str_text("none");
    cred.lifetime = 1;
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_PRESIGNED, "an application that may not");

    presigned("PUT", 3600);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "PUT");
    is_int(gs_app_nonce(app, &req, &cred, NOW, &nonce, &until), GS_OK,
           "once");
    is_int(until, NOW + 3601, "remembered until it has ended");
    presigned("PUT", 60);
    (void) gs_app_nonce(app, &req, &cred, NOW, &nonce, &until);
    is_int(until, NOW + 601, "but no less than others");

    gs_apps_destroy(apps);

    bad("\"scheme\": \"govhmac\", \"secrets\": [\"file:0\"], "
        "\"presigned\": \"1h\"", "only URLs of sigv4 are presigned");
    bad("\"scheme\": \"sigv4\", \"secrets\": [\"file:0\"], "
        "\"presigned\": \"8d\"", "\"presigned\" must be a text such as "
        "\"15m\", from 1s to 7d");
    bad("\"scheme\": \"sigv4\", \"secrets\": [\"file:0\"], "
        "\"presigned\": 60", "\"presigned\" must be a text such as "
        "\"15m\", from 1s to 7d");
    bad("\"scheme\": \"sigv4\", \"secrets\": [\"file:0\"], "
        "\"tag\": \"x\"", "only signatures of rfc9421 have a tag");
    bad("\"scheme\": \"rfc9421\", \"secrets\": [\"file:0\"], "
        "\"tag\": \"\"", "\"tag\" must be a text of 1 to 128 printable "
        "characters of ASCII, without \\ and quotes");
    bad("\"scheme\": \"rfc9421\", \"secrets\": [\"file:0\"], "
        "\"tag\": \"a\\u00e9\"", "\"tag\" must be a text of 1 to 128 "
        "printable characters of ASCII, without \\ and quotes");
}


static void
presigned(const char *method, int64_t seconds)
{
    gs_str_t            target;
    gs_sign_key_t       k;
    gs_sign_cred_t      made;
    static gs_arena_t  *arena;

    gs_arena_destroy(arena);
    arena = gs_arena_create(&gs_mem_libc);

    request(method, "/a?b=1", "h");
    header("Host", "h");
    memset(&made, 0, sizeof(made));
    memset(&k, 0, sizeof(k));

    made.scheme = GS_SIGN_SIGV4;
    made.id = gs_str_text("v");
    made.time = NOW;
    k.alg = GS_SIGN_HMAC_SHA256;
    k.secret = gs_str_text("gov-demo-token");

    if (gs_sign_presign(crypto, gs_arena_mem(arena), &req, &made, &k, seconds,
                        &target)
        != GS_SIGN_OK)
    {
        abort();
    }

    req.target = target;

    if (gs_sign_find(&req, SIGN_ALL, &cred) != GS_SIGN_OK) {
        abort();
    }
}


/* The first of an application that is good, of four that could be. */

static void
test_several(void)
{
    gs_apps_t       *apps;
    const gs_app_t  *app;

    apps = load(&gs_mem_libc, "{\"apps\": [{\"id\": \"r\", \"scheme\": "
                "\"rfc9421\", \"secrets\": [\"file:0\"]}, {\"id\": "
                "\"t\", \"scheme\": \"rfc9421\", \"secrets\": "
                "[\"file:1\"], \"tag\": \"gov\"}]}", NULL);

    if (apps == NULL) {
        abort();
    }

    several("R", NULL);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "one");

    several("xyR", NULL);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "behind those of nobody");
    is_str(app->id, "r", "whose it is");
    is_str(cred.id, "r", "and what was taken");

    several("rrrR", NULL);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "the fourth");

    several("rrrrR", NULL);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_BAD_SIGNATURE, "the fifth is not looked at");
    ok(app == NULL, "nobody");

    several("xr", NULL);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_BAD_SIGNATURE, "none good: what is wrong with ours");

    several("xy", NULL);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_UNKNOWN_APP, "none ours");

    several("T", NULL);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_BAD_TAG, "without the tag");
    several("T", "other");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
              GS_SIGN_BAD_TAG, "another tag");
    several("TR", NULL);
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "another one is good");
    is_str(app->id, "r", "and counts");
    several("T", "gov");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app), GS_SIGN_OK,
              "the tag");

    gs_apps_destroy(apps);
}


/* A signature for each letter: of an upper case one it is good. */

static void
several(const char *ids, const char *tag)
{
    int                i, n, m;
    char               id[2];
    size_t             pos;
    gs_buf_t           b;
    unsigned           len;
    gs_uchar_t         mac[32];
    gs_sign_cred_t     one;
    static char        input[4096], sig[4096];
    static gs_uchar_t  text[GS_SIGN_CANON];

    n = 0;
    m = 0;

    for (i = 0; ids[i] != '\0'; i++) {
        id[0] = (char) (ids[i] | 0x20);
        id[1] = '\0';

        request("GET", "/", "h");
        pos = (size_t) n;
        n += snprintf(input + n, sizeof(input) - (size_t) n, "%ss%d=(\"@method"
                      "\" \"@authority\" \"@path\");created=%d;keyid=\"%s\""
                      ";nonce=\"0123456789abcde%d\"%s%s%s", i ? ", " : "", i,
                      NOW, id, i, tag ? ";tag=\"" : "", tag ? tag : "",
                      tag ? "\"" : "");

        header("Signature-Input", input + pos + (i ? 2 : 0));
        (void) snprintf(sig + m, sizeof(sig) - (size_t) m, "s%d=:AAAA:", i);
        header("Signature", sig + m);

        if (gs_sign_find(&req, SIGN_ALL, &one) != GS_SIGN_OK) {
            abort();
        }

        gs_buf_init(&b, text, sizeof(text));
        (void) gs_sign_canon(crypto, &req, &one, &b);

        (void) HMAC(EVP_sha256(), id[0] == 't' ? "gov-next-token"
                                               : "gov-demo-token", 14,
                    text, (size_t) (b.pos - b.start), mac, &len);

        if (ids[i] != id[0] - 0x20) {
            mac[31] ^= 1;
        }

        m += snprintf(sig + m, sizeof(sig) - (size_t) m, "%ss%d=:",
                      i ? ", " : "", i);
        m += EVP_EncodeBlock((unsigned char *) sig + m, mac, 32);
        m += snprintf(sig + m, sizeof(sig) - (size_t) m, ":");
    }

    request("GET", "/", "h");
    header("Signature-Input", input);
    header("Signature", sig);

    if (gs_sign_find(&req, SIGN_ALL, &cred) != GS_SIGN_OK) {
        abort();
    }
}


static void
bad(const char *members, const char *want)
{
    char      text[1024];
    gs_err_t  err;

    memset(&err, 0, sizeof(err));
    (void) snprintf(text, sizeof(text), "{\"apps\": [{\"id\": \"x\", %s}]}",
                    members);

    ok(load(&gs_mem_libc, text, &err) == NULL, "refused: %s", members);
    is_str(gs_str_text(err.text), want, "%s", want);
}
