
/*
 * Copyright (C) govsvc authors
 *
 * apps.json loaded and used: secrets that rotate, networks, routes, clocks,
 * replays; and every allocation that can fail.
 */


#include "sign_fixture.h"
#include "token/gs_app.h"

#include <stdio.h>


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
    "\"jwks\":\"file:2\"},"
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
