
/*
 * Copyright (C) govsvc authors
 *
 * Several signatures of one request (RFC 9421): whose one is taken, in one
 * line or in several, among those that we cannot read.
 */


#include "sign_fixture.h"

#include <stdio.h>


#define SIG     "=:AAAA:"


static void two(const char *input, const char *signature);
static void found(const char *input, const char *signature,
    const char *want);
static void refused(const char *input, const char *signature,
    gs_sign_reason_e want, const char *name);
static void test_lines(void);
static void test_verify(void);
static void test_many(void);


int
main(void)
{
    crypto = gs_sign_crypto_create(&gs_mem_libc);

    if (crypto == NULL) {
        return 1;
    }

    found("a=();keyid=\"k\"", "a" SIG, "k");
    found("a=();keyid=\"k\", b=();keyid=\"l\"", "a" SIG ", b" SIG, "k l");
    found("a=();keyid=\"k\",b=();keyid=\"l\"", "b" SIG "\t,\ta" SIG, "k l");
    found("a=();keyid=\"k\", b=();keyid=\"l\"", "b" SIG, "l");
    found("a=();keyid=\"k\"", "x" SIG ", a" SIG ", y=1;z=?1", "k");

    /* what is not ours may have what we do not take */

    found("p=(\"date\";sf \"@status\";req);keyid=\"p\", a=();keyid=\"k\"",
          "p" SIG ", a" SIG, "k");
    found("p=();alg=\"rsa-v1_5-sha256\";keyid=\"p\", a=();keyid=\"k\"",
          "p" SIG ", a" SIG, "k");
    found("p=(\"signature\";key=\"a\");x=1;y=token;z;keyid=\"p\","
          " a=();keyid=\"k\"", "p" SIG ", a" SIG, "k");
    found("p=1, q=:AAAA:, r=?1, s=tok, a=();keyid=\"k\"", "a" SIG, "k");
    found("p=( \"a\"  \"b\" );keyid=\"p\", a=();keyid=\"k\"",
          "p" SIG ", a" SIG, "k");

    refused("a=();keyid=\"k\", a=();keyid=\"l\"", "a" SIG, GS_SIGN_MALFORMED,
            "a label twice");
    refused("a=();keyid=\"k\"", "a" SIG ", a" SIG, GS_SIGN_MALFORMED,
            "its signature twice");
    refused("a=();keyid=\"k\", b", "a" SIG, GS_SIGN_MALFORMED, "no value");
    refused("a=();keyid=\"k\", b=(", "a" SIG, GS_SIGN_MALFORMED, "no end");
    refused("a=();keyid=\"k\", b=(\"x\"\"y\")", "a" SIG, GS_SIGN_MALFORMED,
            "no blank between");
    refused("a=();keyid=\"k\", b=(x", "a" SIG, GS_SIGN_MALFORMED, "no list");
    refused("a=();keyid=\"k\";", "a" SIG, GS_SIGN_MALFORMED, "no parameter");
    refused("a=();keyid=\"k\"", "a" SIG ", ", GS_SIGN_MALFORMED, "a comma");
    refused("a=();keyid=\"k\"", "a" SIG ";x=1", GS_SIGN_MALFORMED,
            "a parameter of the signature");
    refused("a=();keyid=\"k\"", "b" SIG, GS_SIGN_MALFORMED, "another label");
    refused("a=();keyid=\"k\";tag=1", "a" SIG, GS_SIGN_MALFORMED,
            "a tag that is no text");
    refused("a=();keyid=\"k\";tag=\"t\";tag=\"t\"", "a" SIG,
            GS_SIGN_MALFORMED, "two tags");
    refused("a=();created=\"1\";keyid=\"k\", b=();keyid=\"\"", "a" SIG ", b"
            SIG, GS_SIGN_BAD_TIME, "none is well formed: what the first is");

    found("a=();keyid=\"k\";tag=\"gov\"", "a" SIG, "k");
    is_str(cred.tag, "gov", "its tag");
    found("b=();keyid=\"l\";tag=\"x\", a=();keyid=\"k\"", "b" SIG ", a" SIG,
          "l k");
    is_str(cred.tag, "", "that of the one before is gone");

    test_lines();
    test_verify();
    test_many();

    gs_sign_crypto_destroy(crypto);

    return done_testing();
}


static void
two(const char *input, const char *signature)
{
    request("GET", "/x", "h");
    header("Signature-Input", input);
    header("Signature", signature);
}


/* The applications of all signatures, in order. */

static void
found(const char *input, const char *signature, const char *want)
{
    char              text[256];
    size_t            n;
    gs_sign_reason_e  reason;

    two(input, signature);
    n = 0;
    text[0] = '\0';

    for (reason = gs_sign_find(&req, SIGN_ALL, &cred); reason == GS_SIGN_OK;
         reason = gs_sign_again(&req, &cred))
    {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%.*s",
                               n ? " " : "", (int) cred.id.len,
                               (const char *) cred.id.data);
    }

    is_reason(reason, GS_SIGN_ABSENT, input);
    is_str(gs_str_make(text, n), want, "found: %s", want);
}


static void
refused(const char *input, const char *signature, gs_sign_reason_e want,
    const char *name)
{
    two(input, signature);
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), want, name);
}


/* A field in several lines is one. */

static void
test_lines(void)
{
    request("GET", "/x", "h");
    header("Signature-Input", "a=();keyid=\"k\"");
    header("X-Other", "b=();keyid=\"m\"");
    header("signature", "b" SIG);
    header("signature-input", " b=();keyid=\"l\" ");
    header("Signature", "a" SIG);

    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_OK, "lines");
    is_str(cred.id, "k", "the first");
    is_reason(gs_sign_again(&req, &cred), GS_SIGN_OK, "the second");
    is_str(cred.id, "l", "of the other line");
    is_reason(gs_sign_again(&req, &cred), GS_SIGN_ABSENT, "no third");

    headers[3].value = gs_str_text("a=();keyid=\"l\"");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_MALFORMED,
              "a label in two lines");
    headers[3].value = gs_str_text("");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_MALFORMED,
              "an empty line");
}


/* Each is verified over its own parameters. */

static void
test_verify(void)
{
    size_t            n;
    gs_arena_t       *arena;
    gs_sign_cred_t    made;
    gs_sign_header_t  add[GS_SIGN_MAX_ADD];
    static char       input[1024];

    arena = gs_arena_create(&gs_mem_libc);
    request("GET", "/x", "h");
    header("Host", "h");
    secret(GS_SIGN_HMAC_SHA256, "a secret of some length");

    memset(&made, 0, sizeof(made));
    made.scheme = GS_SIGN_RFC9421;
    made.id = gs_str_text("k");
    made.nonce = gs_str_text("0123456789abcdef");
    made.time = 1;

    is_reason(gs_sign_make(crypto, gs_arena_mem(arena), &req, &made, &key,
                           add, &n), GS_SIGN_OK, "made");

    header("Signature-Input", "p=(\"@method\");keyid=\"p\", q=();keyid=\"q\"");
    header("Signature", "p" SIG ", q" SIG);
    header("Signature-Input", "");
    header("Signature", "");
    (void) snprintf(input, sizeof(input), "%.*s", (int) add[0].value.len,
                    (const char *) add[0].value.data);
    headers[3].value = gs_str_text(input);
    headers[4].value = add[1].value;

    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "of another");
    is_str(cred.id, "p", "the first");
    is_reason(gs_sign_again(&req, &cred), GS_SIGN_OK, "the second");
    is_reason(gs_sign_again(&req, &cred), GS_SIGN_OK, "the third");
    is_str(cred.id, "k", "ours");
    is_reason(gs_sign_verify(crypto, &req, &cred, &key), GS_SIGN_OK,
              "verified");
    ok(cred.covered, "and covered");

    gs_arena_destroy(arena);
}


static void
test_many(void)
{
    int          i, n, m;
    static char  input[512], signature[512];

    n = 0;
    m = 0;

    for (i = 0; i < 9; i++) {
        n += snprintf(input + n, sizeof(input) - (size_t) n,
                      "%sl%d=();keyid=\"k\"", i ? "," : "", i);
        m += snprintf(signature + m, sizeof(signature) - (size_t) m,
                      "%sl%d" SIG, i ? "," : "", i);

        if (i == 7) {
            found(input, signature, "k k k k k k k k");
        }
    }

    refused(input, "l0" SIG, GS_SIGN_TOO_LONG, "nine of them");
    refused("l0=();keyid=\"k\"", signature, GS_SIGN_MALFORMED,
            "signatures of nine");
}
