
/*
 * Copyright (C) govsvc authors
 *
 * govsvc apps sign, govsvc apps verify: the signatures of applications made
 * and checked by the code that the gateway runs, for those who connect to it.
 */


#include "cli/gs_cli_apps.h"

#include <stdlib.h>


static int gs_cli_apps_sign_run(gs_cli_t *cli);
static int gs_cli_apps_verify_run(gs_cli_t *cli);
static int gs_cli_apps_run(gs_cli_t *cli,
    int (*work)(gs_cli_t *cli, gs_cli_apps_t *a));
static int gs_cli_apps_setup(gs_cli_t *cli, gs_cli_apps_t *a);
static int gs_cli_apps_url(gs_cli_t *cli, gs_cli_apps_t *a);
static int gs_cli_apps_headers(gs_cli_t *cli, gs_cli_apps_t *a);
static int gs_cli_apps_pem(gs_cli_t *cli, gs_cli_apps_t *a,
    const char *path);


static const gs_cli_option_t  gs_cli_apps_options[] = {
    { "scheme", "NAME", "x-tif, gjzwfwpt, x-bg-hmac, sigv4, rfc9421, govhmac "
      "or apikey", "签名方案" },
    { "alg", "NAME", "algorithm, where the scheme has several",
      "算法（方案有多种时）" },
    { "app", "ID", "identifier of the application", "应用标识" },
    { "secret-file", "FILE", "the shared secret", "共享密钥文件" },
    { "key", "FILE", "private (sign) or public key (verify), PEM",
      "私钥（签名）或公钥（校验），PEM 格式" },
    { "method", "METHOD", "method of the request, default GET",
      "请求方法，默认 GET" },
    { "url", "URL", "http://HOST/PATH?QUERY, as it is sent",
      "请求网址，与实际发送的完全一致" },
    { "H", "NAME: VALUE", "a header (may be repeated)", "请求头（可重复）" },
    { "body-file", "FILE", "the body", "请求体文件" },
    { "time", "TIME", "seconds since 1970, or RFC 3339; default now",
      "1970 年起的秒数或 RFC 3339 时间，默认当前时间" },
    { "nonce", "TEXT", "nonce, default a random one", "随机数，默认自动生成" },
    { "window", "TIME", "how far the clock may be off (verify)",
      "允许的时间偏差（校验）" },
    { "sid", "ID", "interface of gjzwfwpt", "gjzwfwpt 的接口标识" },
    { "region", "NAME", "region of sigv4, default cn",
      "sigv4 的区域，默认 cn" },
    { "service", "NAME", "service of sigv4, default execute-api",
      "sigv4 的服务，默认 execute-api" },
    { "presign", "TIME", "sigv4: print a presigned target that ends after "
      "TIME (sign)", "sigv4：输出预签名网址，TIME 之后失效（签名）" },
    { "uid", "TEXT", "x-tif identity form: the user", "x-tif 身份形式：用户" },
    { "uinfo", "TEXT", "x-tif identity form: x-tif-uinfo",
      "x-tif 身份形式：x-tif-uinfo" },
    { "ext", "TEXT", "x-tif identity form: x-tif-ext",
      "x-tif 身份形式：x-tif-ext" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_apps_sign_verb = {
    "apps",
    "sign",
    "",
    "signs a request and prints the headers to add, or a presigned target",
    "对请求签名，输出应添加的请求头，或预签名网址",
    "govsvc apps sign --scheme govhmac --app demo --secret-file demo.secret"
    " --url http://gw.gov.example/apply/?a=1",
    gs_cli_apps_options,
    gs_cli_apps_sign_run
};


const gs_cli_verb_t  gs_cli_apps_verify_verb = {
    "apps",
    "verify",
    "",
    "checks a signed request: ok, or the reason and the text to be signed",
    "校验已签名的请求：输出 ok，或原因及应签的原文",
    "govsvc apps verify --secret-file demo.secret"
    " --url http://gw.gov.example/ -H \"Authorization: GOV-HMAC-SHA256 ...\"",
    gs_cli_apps_options,
    gs_cli_apps_verify_run
};


static int
gs_cli_apps_sign_run(gs_cli_t *cli)
{
    return gs_cli_apps_run(cli, gs_cli_apps_sign);
}


static int
gs_cli_apps_verify_run(gs_cli_t *cli)
{
    return gs_cli_apps_run(cli, gs_cli_apps_verify);
}


static int
gs_cli_apps_run(gs_cli_t *cli, int (*work)(gs_cli_t *cli, gs_cli_apps_t *a))
{
    int             rc;
    gs_cli_apps_t  *a;

    a = gs_calloc(cli->mem, 1, sizeof(gs_cli_apps_t));

    if (a == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "not enough memory");
    }

    if (cli->argc != 0) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "unexpected argument \"%s\"",
                           cli->argv[0]);
    }

    rc = gs_cli_apps_setup(cli, a);

    if (rc == GS_CLI_YES) {
        rc = work(cli, a);
    }

    gs_sign_key_clear(&a->key);
    gs_sign_crypto_destroy(a->crypto);

    return rc;
}


static int
gs_cli_apps_setup(gs_cli_t *cli, gs_cli_apps_t *a)
{
    int          rc;
    const char  *value;

    a->crypto = gs_sign_crypto_create(cli->mem);

    if (a->crypto == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "not enough memory");
    }

    a->r.headers = a->headers;
    value = gs_cli_option(cli, "method");
    a->r.method = gs_str_text(value != NULL ? value : "GET");

    rc = gs_cli_apps_url(cli, a);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_apps_headers(cli, a);
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_time(cli, "time", &a->now);
    }

    value = gs_cli_option(cli, "body-file");

    if (rc != GS_CLI_YES || value == NULL) {
        return rc;
    }

    if (gs_cli_read(cli, value, &a->body) != GS_OK) {
        return GS_CLI_READ;
    }

    a->r.body = (a->body.len != 0);

    return gs_cli_apps_hash(a, GS_SIGN_DIGEST_SHA256, &a->body,
                            &a->r.payload)
               ? GS_CLI_YES : gs_cli_fail(cli, GS_CLI_READ,
                                          "not enough memory");
}


int
gs_cli_apps_word(gs_cli_t *cli, const char *name, const char *const *names,
    unsigned *value)
{
    unsigned     i;
    gs_err_t     err;
    gs_str_t     s;
    const char  *text;

    text = gs_cli_option(cli, name);

    if (text == NULL) {
        return GS_CLI_YES;
    }

    for (i = 0; names[i] != NULL; i++) {
        if (strcmp(text, names[i]) == 0) {
            *value = i;
            return GS_CLI_YES;
        }
    }

    s = gs_str_text(text);
    memset(&err, 0, sizeof(gs_err_t));
    gs_err(&err, "invalid %s \"%S\"", name, &s);
    gs_err_hint(&err, &s, names);

    return gs_cli_fail(cli, GS_CLI_USAGE, "%s", err.text);
}


/* As it is sent: nothing is encoded or tidied up here. */

static int
gs_cli_apps_url(gs_cli_t *cli, gs_cli_apps_t *a)
{
    size_t       slash;
    gs_str_t     url, http, https;
    const char  *value;

    value = gs_cli_option(cli, "url");

    if (value == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--url URL is missing");
    }

    url = gs_str_text(value);
    http = gs_str_text("http://");
    https = gs_str_text("https://");

    if (gs_str_prefix(&url, &https)) {
        a->r.tls = 1;
        url = gs_str_make(url.data + https.len, url.len - https.len);

    } else if (gs_str_prefix(&url, &http)) {
        url = gs_str_make(url.data + http.len, url.len - http.len);

    } else {
        url.len = 0;
    }

    slash = gs_str_chr(&url, 0, '/');

    if (slash == 0 || slash == url.len) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid URL \"%s\", allowed: "
                           "http://HOST/PATH or https://HOST/PATH", value);
    }

    a->r.host = gs_str_make(url.data, slash);
    a->r.target = gs_str_make(url.data + slash, url.len - slash);

    return GS_CLI_YES;
}


static int
gs_cli_apps_headers(gs_cli_t *cli, gs_cli_apps_t *a)
{
    size_t       colon;
    unsigned     n;
    gs_str_t     line;
    const char  *value;

    a->headers[0].name = gs_str_text("Host");
    a->headers[0].value = a->r.host;
    a->r.n = 1;

    for (n = 0; ; n++) {
        value = gs_cli_option_n(cli, "H", n);

        if (value == NULL) {
            return GS_CLI_YES;
        }

        line = gs_str_text(value);
        colon = gs_str_chr(&line, 0, ':');

        if (colon == 0 || colon == line.len
            || a->r.n == GS_CLI_APPS_HEADERS)
        {
            return gs_cli_fail(cli, GS_CLI_USAGE, "invalid header \"%s\", "
                               "allowed: at most 127 of \"NAME: VALUE\"",
                               value);
        }

        a->headers[a->r.n].name = gs_str_make(line.data, colon);
        a->headers[a->r.n].value = gs_str_make(line.data + colon + 1,
                                               line.len - colon - 1);

        /* the one that is sent, where it is not that of the URL */

        if (gs_str_case_eq_text(&a->headers[a->r.n].name, "host")) {
            a->headers[0].value = a->headers[a->r.n].value;

            while (a->headers[0].value.len != 0
                   && a->headers[0].value.data[0] == ' ')
            {
                a->headers[0].value.data++;
                a->headers[0].value.len--;
            }

            a->r.host = a->headers[0].value;
            continue;
        }

        a->r.n++;
    }
}


/* Scheme and algorithm, then the secret or the key. */

int
gs_cli_apps_key(gs_cli_t *cli, gs_cli_apps_t *a)
{
    unsigned     alg;
    gs_str_t     text;
    const char  *file, *pem;

    alg = gs_sign_scheme_alg(a->scheme);

    if (gs_cli_apps_word(cli, "alg", gs_sign_alg_names, &alg) != GS_CLI_YES) {
        return GS_CLI_USAGE;
    }

    a->key.alg = (gs_sign_alg_e) alg;

    if (!(gs_sign_scheme_algs(a->scheme) & 1u << alg)) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "%s has no algorithm \"%s\"",
                           gs_sign_scheme_names[a->scheme],
                           gs_sign_alg_names[alg]);
    }

    file = gs_cli_option(cli, "secret-file");
    pem = gs_cli_option(cli, "key");

    if (a->key.alg >= GS_SIGN_KEYED) {
        return pem != NULL ? gs_cli_apps_pem(cli, a, pem)
                           : gs_cli_fail(cli, GS_CLI_USAGE,
                                         "--key FILE is missing");
    }

    if (file == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--secret-file FILE is missing");
    }

    if (gs_cli_read(cli, file, &text) != GS_OK) {
        return GS_CLI_READ;
    }

    while (text.len != 0 && (text.data[text.len - 1] == '\n'
                             || text.data[text.len - 1] == '\r'))
    {
        text.len--;
    }

    if (text.len == 0) {
        return gs_cli_fail(cli, GS_CLI_READ, "the secret is empty");
    }

    a->key.secret = text;

    return GS_CLI_YES;
}


static int
gs_cli_apps_pem(gs_cli_t *cli, gs_cli_apps_t *a, const char *path)
{
    gs_str_t  text;

    if (gs_cli_read(cli, path, &text) != GS_OK) {
        return GS_CLI_READ;
    }

    return gs_sign_key_pem(&a->key, &text,
                           strcmp(cli->verb->verb, "sign") == 0) == GS_OK
               ? GS_CLI_YES
               : gs_cli_fail(cli, GS_CLI_READ, "no key in PEM form in \"%s\"",
                             path);
}


int
gs_cli_apps_hash(gs_cli_apps_t *a, gs_sign_digest_e alg,
    const gs_str_t *text, gs_sign_digest_t *digest)
{
    int              ok;
    gs_sign_hash_t  *hash;

    hash = gs_sign_hash_create(a->crypto, &gs_mem_libc, alg);

    ok = hash != NULL
         && gs_sign_hash_update(hash, text->data, text->len) == GS_OK
         && gs_sign_hash_final(hash, digest) == GS_OK;

    gs_sign_hash_destroy(hash);

    return ok;
}
