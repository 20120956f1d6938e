
/*
 * Copyright (C) govsvc authors
 *
 * govsvc apps: the headers of a signed request, and what is wrong with one.
 */


#include "cli/gs_cli_apps.h"
#include "core/gs_hex.h"
#include "core/gs_json_out.h"

#include <sys/random.h>


#define GS_CLI_APPS_LINE  131072


static int gs_cli_apps_nonce(gs_cli_t *cli, gs_str_t *nonce);
static void gs_cli_apps_text(gs_cli_t *cli, const char *name,
    gs_str_t *text);
static int gs_cli_apps_presign(gs_cli_t *cli, gs_cli_apps_t *a);
static void gs_cli_apps_print(gs_cli_t *cli, const gs_sign_header_t *add,
    size_t n);
static void gs_cli_apps_lines(const gs_str_t *text);
static gs_sign_reason_e gs_cli_apps_each(gs_cli_t *cli, gs_cli_apps_t *a);
static gs_sign_reason_e gs_cli_apps_check(gs_cli_t *cli, gs_cli_apps_t *a);
static int gs_cli_apps_report(gs_cli_t *cli, gs_cli_apps_t *a,
    gs_sign_reason_e reason);


int
gs_cli_apps_sign(gs_cli_t *cli, gs_cli_apps_t *a)
{
    int               rc;
    size_t            n;
    unsigned          scheme;
    gs_sign_header_t  add[GS_SIGN_MAX_ADD];
    gs_sign_digest_e  alg;
    gs_sign_reason_e  reason;

    scheme = GS_SIGN_SCHEMES;
    rc = gs_cli_apps_word(cli, "scheme", gs_sign_scheme_names, &scheme);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    if (scheme == GS_SIGN_SCHEMES || gs_cli_option(cli, "app") == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--scheme NAME or --app ID is "
                           "missing");
    }

    a->scheme = (gs_sign_scheme_e) scheme;
    a->cred.scheme = a->scheme;
    a->cred.time = a->now;
    gs_cli_apps_text(cli, "app", &a->cred.id);
    gs_cli_apps_text(cli, "nonce", &a->cred.nonce);

    rc = gs_cli_apps_key(cli, a);

    if (rc == GS_CLI_YES && a->cred.nonce.len == 0) {
        rc = gs_cli_apps_nonce(cli, &a->cred.nonce);
    }

    if (rc != GS_CLI_YES) {
        return rc;
    }

    switch (a->scheme) {

    case GS_SIGN_TIF:
        gs_cli_apps_text(cli, "uid", &a->cred.subject);
        gs_cli_apps_text(cli, "uinfo", &a->cred.text[0]);
        gs_cli_apps_text(cli, "ext", &a->cred.text[1]);
        break;

    case GS_SIGN_GJZWFWPT:
        gs_cli_apps_text(cli, "sid", &a->cred.text[0]);
        break;

    default:
        gs_cli_apps_text(cli, "region", &a->cred.text[0]);
        gs_cli_apps_text(cli, "service", &a->cred.text[1]);
    }

    if (gs_cli_option(cli, "presign") != NULL) {
        return gs_cli_apps_presign(cli, a);
    }

    if (gs_cli_option(cli, "body-file") != NULL) {
        alg = (a->key.alg == GS_SIGN_HMAC_SM3 || a->key.alg == GS_SIGN_SM2)
                  ? GS_SIGN_DIGEST_SM3 : GS_SIGN_DIGEST_SHA256;

        if (!gs_cli_apps_hash(a, alg, &a->body, &a->cred.digest)) {
            return gs_cli_fail(cli, GS_CLI_READ, "not enough memory");
        }
    }

    reason = gs_sign_make(a->crypto, cli->mem, &a->r, &a->cred, &a->key, add,
                          &n);

    if (reason != GS_SIGN_OK) {
        return gs_cli_fail(cli, GS_CLI_NO, "cannot sign: %s",
                           gs_sign_reason_name(reason));
    }

    gs_cli_apps_print(cli, add, n);

    return GS_CLI_YES;
}


static int
gs_cli_apps_presign(gs_cli_t *cli, gs_cli_apps_t *a)
{
    gs_str_t          s, target;
    uint64_t          ms;
    gs_sign_reason_e  reason;

    s = gs_str_text(gs_cli_option(cli, "presign"));

    if (a->scheme != GS_SIGN_SIGV4 || gs_parse_msec(&s, &ms) != GS_OK
        || ms < 1000 || ms > 604800000)
    {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--presign is for sigv4, from "
                           "1s to 7d");
    }

    reason = gs_sign_presign(a->crypto, cli->mem, &a->r, &a->cred, &a->key,
                             (int64_t) (ms / 1000), &target);

    if (reason != GS_SIGN_OK) {
        return gs_cli_fail(cli, GS_CLI_NO, "cannot sign: %s",
                           gs_sign_reason_name(reason));
    }

    gs_cli_print(stdout, &target);
    (void) fputc('\n', stdout);

    return GS_CLI_YES;
}


/* Values that we made, of what the caller gave: printed with care. */

static void
gs_cli_apps_print(gs_cli_t *cli, const gs_sign_header_t *add, size_t n)
{
    char      text[8192];
    size_t    i;
    gs_buf_t  b;
    gs_str_t  s;

    if (!cli->json) {
        for (i = 0; i < n; i++) {
            gs_cli_print(stdout, &add[i].name);
            (void) fputs(": ", stdout);
            gs_cli_print(stdout, &add[i].value);
            (void) fputc('\n', stdout);
        }

        return;
    }

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_char(&b, '{');

    for (i = 0; i < n; i++) {
        (void) gs_json_kv_str(&b, (const char *) add[i].name.data,
                              &add[i].value);
    }

    gs_buf_text(&b, "}\n");
    s = gs_buf_view(&b);
    (void) fwrite(s.data, 1, s.len, stdout);
}


/* Each line by itself, so that nothing but their ends moves the terminal. */

static void
gs_cli_apps_lines(const gs_str_t *text)
{
    size_t    i, end;
    gs_str_t  line;

    for (i = 0; i < text->len; i = end + 1) {
        end = gs_str_chr(text, i, '\n');
        line = gs_str_make(text->data + i, end - i);
        gs_cli_print(stdout, &line);
        (void) fputc('\n', stdout);
    }
}


static int
gs_cli_apps_nonce(gs_cli_t *cli, gs_str_t *nonce)
{
    gs_uchar_t  random[16], *hex;

    hex = gs_alloc(cli->mem, 32);

    if (hex == NULL || getrandom(random, sizeof(random), 0)
                       != (ssize_t) sizeof(random))
    {
        return gs_cli_fail(cli, GS_CLI_READ, "no random nonce");
    }

    gs_hex_encode(hex, random, sizeof(random));
    *nonce = gs_str_make(hex, 32);

    return GS_CLI_YES;
}


static void
gs_cli_apps_text(gs_cli_t *cli, const char *name, gs_str_t *text)
{
    const char  *value;

    value = gs_cli_option(cli, name);

    if (value != NULL) {
        *text = gs_str_text(value);
    }
}


int
gs_cli_apps_verify(gs_cli_t *cli, gs_cli_apps_t *a)
{
    int               rc;
    unsigned          scheme, schemes;
    gs_sign_digest_t  digest;
    gs_sign_reason_e  reason;

    scheme = GS_SIGN_SCHEMES;
    rc = gs_cli_apps_word(cli, "scheme", gs_sign_scheme_names, &scheme);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    schemes = (scheme == GS_SIGN_SCHEMES) ? (1u << GS_SIGN_SCHEMES) - 1
                                          : 1u << scheme;

    reason = gs_sign_find(&a->r, schemes, &a->cred);

    if (reason != GS_SIGN_OK) {
        return gs_cli_apps_report(cli, a, reason);
    }

    a->scheme = a->cred.scheme;
    rc = gs_cli_apps_key(cli, a);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    if (a->scheme == GS_SIGN_APIKEY) {
        if (!gs_cli_apps_hash(a, GS_SIGN_DIGEST_SHA256, &a->key.secret,
                              &digest))
        {
            return gs_cli_fail(cli, GS_CLI_READ, "not enough memory");
        }

        memcpy(a->digest, digest.data, 32);
        a->key.secret = gs_str_make(a->digest, 32);
    }

    return gs_cli_apps_report(cli, a, gs_cli_apps_each(cli, a));
}


/* The first good one of several signatures; else what is wrong with the
 * first, which is left in place. */

static gs_sign_reason_e
gs_cli_apps_each(gs_cli_t *cli, gs_cli_apps_t *a)
{
    gs_sign_cred_t    first;
    gs_sign_reason_e  reason, again;

    reason = gs_cli_apps_check(cli, a);
    again = reason;

    if (a->scheme != GS_SIGN_RFC9421) {
        return reason;
    }

    first = a->cred;

    while (again != GS_SIGN_OK && gs_sign_again(&a->r, &a->cred) == GS_SIGN_OK)
    {
        again = gs_cli_apps_check(cli, a);
    }

    if (again == GS_SIGN_OK) {
        return GS_SIGN_OK;
    }

    a->cred = first;

    return reason;
}


static gs_sign_reason_e
gs_cli_apps_check(gs_cli_t *cli, gs_cli_apps_t *a)
{
    int64_t           window;
    gs_str_t          s, app;
    uint64_t          ms;
    const char       *value;
    gs_sign_digest_t  digest;
    gs_sign_reason_e  reason;

    app = a->cred.id;
    gs_cli_apps_text(cli, "app", &app);

    if (!gs_str_eq(&app, &a->cred.id)) {
        return GS_SIGN_UNKNOWN_APP;
    }

    reason = gs_sign_verify(a->crypto, &a->r, &a->cred, &a->key);

    if (reason != GS_SIGN_OK) {
        return reason;
    }

    if (!a->cred.covered) {
        return GS_SIGN_NOT_COVERED;
    }

    if (a->cred.unsigned_body) {
        return GS_SIGN_UNSIGNED_BODY;
    }

    window = gs_sign_scheme_window(a->scheme);
    value = gs_cli_option(cli, "window");

    if (value != NULL) {
        s = gs_str_text(value);

        if (gs_parse_msec(&s, &ms) == GS_OK) {
            window = (int64_t) (ms / 1000);
        }
    }

    if (a->cred.time != 0
        && ((a->cred.lifetime == 0 && a->now - a->cred.time > window)
            || a->cred.time - a->now > window))
    {
        return GS_SIGN_SKEW;
    }

    if (a->cred.expires != 0 && a->cred.expires <= a->now) {
        return GS_SIGN_EXPIRED;
    }

    if (a->cred.digest.alg == GS_SIGN_DIGEST_NONE) {
        return GS_SIGN_OK;
    }

    if (!gs_cli_apps_hash(a, a->cred.digest.alg, &a->body, &digest)) {
        return GS_SIGN_NO_MEMORY;
    }

    return gs_sign_digest_eq(&digest, &a->cred.digest) ? GS_SIGN_OK
                                                       : GS_SIGN_BAD_DIGEST;
}


/* What was wrong; behind a wrong signature the text that it should be of. */

static int
gs_cli_apps_report(gs_cli_t *cli, gs_cli_apps_t *a, gs_sign_reason_e reason)
{
    gs_buf_t     b, line;
    gs_str_t     text, s;
    gs_uchar_t  *p;

    p = gs_alloc(cli->mem, GS_CLI_APPS_LINE * 8);

    if (p == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "not enough memory");
    }

    gs_buf_init(&b, p, GS_CLI_APPS_LINE);

    if (reason == GS_SIGN_BAD_SIGNATURE && a->scheme != GS_SIGN_APIKEY) {
        (void) gs_sign_canon(a->crypto, &a->r, &a->cred, &b);
    }

    text = gs_buf_view(&b);
    gs_buf_init(&line, p + GS_CLI_APPS_LINE, GS_CLI_APPS_LINE * 7);

    if (cli->json) {
        gs_buf_char(&line, '{');
        gs_json_kv_text(&line, "reason", gs_sign_reason_name(reason));

        if (reason != GS_SIGN_ABSENT && a->cred.id.len != 0) {
            gs_json_kv_text(&line, "scheme",
                            gs_sign_scheme_names[a->cred.scheme]);
            (void) gs_json_kv_str(&line, "app", &a->cred.id);
        }

        if (text.len != 0) {
            (void) gs_json_kv_str(&line, "expected", &text);
        }

        gs_buf_text(&line, "}\n");

    } else {
        gs_buf_text(&line, gs_sign_reason_name(reason));
        gs_buf_char(&line, '\n');

        if (text.len != 0) {
            gs_buf_text(&line, "the signature must be of:\n");
            gs_buf_str(&line, &text);
            gs_buf_char(&line, '\n');
        }
    }

    s = gs_buf_view(&line);

    if (cli->json) {
        (void) fwrite(s.data, 1, s.len, stdout);

    } else {
        gs_cli_apps_lines(&s);
    }

    return reason == GS_SIGN_OK ? GS_CLI_YES : GS_CLI_NO;
}
