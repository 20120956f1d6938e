
/*
 * Copyright (C) govsvc authors
 *
 * govsvc token verify: one compact token a line, one answer a line, by the
 * code that the gateway runs.
 */


#include "cli/gs_cli.h"
#include "core/gs_json_out.h"
#include "token/gs_token_check.h"

#include <errno.h>
#include <stdlib.h>


#define GS_CLI_TOKEN_ALGS  16              /* --alg given more often: usage */


typedef struct {
    gs_token_issuer_t         issuer;
    gs_token_policy_t         policy;
    gs_token_verifier_t      *verifier;
    const gs_token_issuer_t  *list[1];
    gs_str_t                  audience;
    int64_t                   now;
    uint64_t                  line;
    unsigned                  refused;
} gs_cli_token_t;


static int gs_cli_token_run(gs_cli_t *cli);
static int gs_cli_token_setup(gs_cli_t *cli, gs_cli_token_t *t);
static gs_rc_t gs_cli_token_keys(gs_cli_t *cli, gs_cli_token_t *t,
    const gs_str_t *text, gs_err_t *err);
static int gs_cli_token_options(gs_cli_t *cli, gs_cli_token_t *t);
static int gs_cli_token_algs(gs_cli_t *cli, gs_cli_token_t *t);
static int gs_cli_token_lines(gs_cli_t *cli, gs_cli_token_t *t, FILE *f);
static void gs_cli_token_line(gs_cli_t *cli, gs_cli_token_t *t,
    const gs_str_t *token);
static void gs_cli_token_json(gs_cli_token_t *t, gs_token_reason_e reason);


static const gs_cli_option_t  gs_cli_token_options_list[] = {
    { "jwks", "FILE", "keys, a JWK set: all public, or all \"oct\"",
      "密钥文件（JWK 集合）：全为公钥，或全为共享密钥（oct）" },
    { "alg", "ALG", "allow only this algorithm (may be repeated)",
      "只允许该算法（可重复）" },
    { "iss", "ISS", "the issuer wanted", "要求的签发者" },
    { "aud", "AUD", "the audience wanted", "要求的受众" },
    { "now", "TIME", "check as of TIME: seconds since 1970, or RFC 3339",
      "按该时刻校验：1970 年起的秒数或 RFC 3339 时间" },
    { "sm2-id", "ID", "identity of the SM2 signer", "SM2 签名者标识" },
    { "signature-only", NULL, "check form, key and signature alone",
      "只校验格式、密钥和签名" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_token_verify = {
    "token",
    "verify",
    "[FILE]",
    "checks compact tokens, one a line, and prints ok or the reason",
    "逐行校验令牌，输出 ok 或拒绝原因",
    "govsvc token verify --jwks jwks.json --iss https://sso.gov.example < t",
    gs_cli_token_options_list,
    gs_cli_token_run
};


static int
gs_cli_token_run(gs_cli_t *cli)
{
    int              rc;
    FILE            *f;
    gs_cli_token_t   t;

    memset(&t, 0, sizeof(gs_cli_token_t));

    if (cli->argc > 1) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "at most one FILE");
    }

    rc = gs_cli_token_setup(cli, &t);

    if (rc != GS_CLI_YES) {
        goto done;
    }

    f = stdin;

    if (cli->argc == 1 && strcmp(cli->argv[0], "-") != 0) {
        f = fopen(cli->argv[0], "rb");

        if (f == NULL) {
            rc = gs_cli_fail(cli, GS_CLI_READ, "cannot open \"%s\": %s",
                             cli->argv[0], strerror(errno));
            goto done;
        }
    }

    rc = gs_cli_token_lines(cli, &t, f);

    if (f != stdin) {
        (void) fclose(f);
    }

done:

    gs_token_verifier_destroy(t.verifier);
    gs_token_keys_destroy(t.issuer.keys);

    return rc;
}


static int
gs_cli_token_setup(gs_cli_t *cli, gs_cli_token_t *t)
{
    int          rc;
    gs_err_t     err;
    gs_str_t     text;
    const char  *jwks;

    gs_token_issuer_init(&t->issuer);

    rc = gs_cli_token_options(cli, t);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    jwks = gs_cli_option(cli, "jwks");

    if (jwks == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--jwks FILE is missing");
    }

    if (gs_cli_read(cli, jwks, &text) != GS_OK) {
        return GS_CLI_READ;
    }

    memset(&err, 0, sizeof(gs_err_t));

    if (gs_cli_token_keys(cli, t, &text, &err) != GS_OK) {
        return gs_cli_fail_err(cli, GS_CLI_READ, jwks, &err);
    }

    t->verifier = gs_token_verifier_create(cli->mem);

    if (t->verifier == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "not enough memory");
    }

    t->list[0] = &t->issuer;
    t->policy.issuers = t->list;
    t->policy.n = 1;
    t->policy.max_len = GS_TOKEN_MAX_LEN;

    return GS_CLI_YES;
}


/* Without --alg a set of nothing but secrets tells itself what it is for. */

static gs_rc_t
gs_cli_token_keys(gs_cli_t *cli, gs_cli_token_t *t, const gs_str_t *text,
    gs_err_t *err)
{
    gs_err_t  other;

    if (t->issuer.algs & GS_TOKEN_SECRET_ALGS) {
        t->issuer.keys = gs_token_keys_load_secrets(cli->mem, text, err);

    } else {
        t->issuer.keys = gs_token_keys_load(cli->mem, text, err);
    }

    if (t->issuer.keys == NULL && gs_cli_option(cli, "alg") == NULL) {
        memset(&other, 0, sizeof(gs_err_t));

        t->issuer.keys = gs_token_keys_load_secrets(cli->mem, text, &other);
        t->issuer.algs = GS_TOKEN_SECRET_ALGS;
    }

    return t->issuer.keys == NULL ? GS_ERROR : GS_OK;
}


static int
gs_cli_token_options(gs_cli_t *cli, gs_cli_token_t *t)
{
    int          rc;
    const char  *value;

    value = gs_cli_option(cli, "iss");

    if (value != NULL) {
        t->issuer.iss = gs_str_text(value);
    }

    value = gs_cli_option(cli, "aud");

    if (value != NULL) {
        t->audience = gs_str_text(value);
        t->issuer.audience = &t->audience;
        t->issuer.naudience = 1;
    }

    value = gs_cli_option(cli, "sm2-id");

    if (value != NULL) {
        t->issuer.sm2_id = gs_str_text(value);
    }

    rc = gs_cli_token_algs(cli, t);

    return rc == GS_CLI_YES ? gs_cli_time(cli, "now", &t->now) : rc;
}


static int
gs_cli_token_algs(gs_cli_t *cli, gs_cli_token_t *t)
{
    unsigned         i, algs;
    gs_err_t         err;
    gs_str_t         name;
    const char      *value;
    gs_token_alg_e   alg;

    algs = 0;

    for (i = 0; i < GS_CLI_TOKEN_ALGS; i++) {
        value = gs_cli_option_n(cli, "alg", i);

        if (value == NULL) {
            break;
        }

        name = gs_str_text(value);
        alg = gs_token_alg_find(&name);

        if (alg == GS_TOKEN_ALG_UNKNOWN) {
            memset(&err, 0, sizeof(gs_err_t));
            gs_err(&err, "invalid algorithm \"%S\"", &name);
            gs_err_hint(&err, &name, gs_token_alg_names);

            return gs_cli_fail(cli, GS_CLI_USAGE, "%s", err.text);
        }

        algs |= 1u << alg;
    }

    if ((algs & GS_TOKEN_SECRET_ALGS) && (algs & GS_TOKEN_PUBLIC_ALGS)) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--alg mixes shared secrets "
                           "with public keys");
    }

    if (algs != 0) {
        t->issuer.algs = algs;
    }

    return GS_CLI_YES;
}


static int
gs_cli_token_lines(gs_cli_t *cli, gs_cli_token_t *t, FILE *f)
{
    int       failed;
    char     *line;
    size_t    size;
    ssize_t   n;
    gs_str_t  token;

    line = NULL;
    size = 0;

    for ( ;; ) {
        n = getline(&line, &size, f);

        if (n == -1) {
            break;
        }

        if (n > 0 && line[n - 1] == '\n') {
            n--;
        }

        token = gs_str_make(line, (size_t) n);
        gs_cli_token_line(cli, t, &token);
    }

    failed = ferror(f);
    free(line);

    if (failed) {
        return gs_cli_fail(cli, GS_CLI_READ, "cannot read the tokens");
    }

    if (t->line == 0) {
        return gs_cli_fail(cli, GS_CLI_READ, "no token in the input");
    }

    return t->refused ? GS_CLI_NO : GS_CLI_YES;
}


static void
gs_cli_token_line(gs_cli_t *cli, gs_cli_token_t *t, const gs_str_t *token)
{
    gs_token_reason_e   reason;
    gs_token_verdict_t  verdict;

    t->line++;

    if (gs_cli_option(cli, "signature-only") != NULL) {
        reason = gs_token_check_signature(t->verifier, &t->policy, token);

    } else {
        reason = gs_token_check(t->verifier, &t->policy, token, t->now,
                                &verdict);
    }

    if (reason != GS_TOKEN_OK) {
        t->refused = 1;
    }

    if (cli->json) {
        gs_cli_token_json(t, reason);

    } else {
        (void) printf("%s\n", gs_token_reason_name(reason));
    }
}


static void
gs_cli_token_json(gs_cli_token_t *t, gs_token_reason_e reason)
{
    char      line[256];
    gs_str_t  s;
    gs_buf_t  b;

    gs_buf_init(&b, line, sizeof(line));
    gs_buf_char(&b, '{');
    gs_json_kv_u64(&b, "line", t->line);
    gs_json_kv_text(&b, "reason", gs_token_reason_name(reason));
    gs_buf_text(&b, "}\n");

    s = gs_buf_view(&b);
    (void) fwrite(s.data, 1, s.len, stdout);
}
