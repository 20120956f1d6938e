
/*
 * Copyright (C) govsvc authors
 *
 * Presigned URLs of AWS Signature Version 4: the example of its
 * documentation, what is malformed, what is signed, URLs made and verified.
 */


#include "sign_fixture.h"

#include <stdio.h>


/* "Authenticating Requests: Using Query Parameters", Amazon S3 API */

#define EXAMPLE_CRED                                                          \
    "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3"       \
    "%2Faws4_request"
#define EXAMPLE_SIG                                                           \
    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
#define EXAMPLE                                                               \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&" EXAMPLE_CRED                          \
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"                        \
    "&X-Amz-SignedHeaders=host&X-Amz-Signature=" EXAMPLE_SIG


static void example(const char *target);
static void test_example(void);
static void test_names(void);
static void test_traps(void);
static void without(const char *from, const char *to,
    gs_sign_reason_e want);
static void test_payload(void);
static void test_round(void);


int
main(void)
{
    crypto = gs_sign_crypto_create(&gs_mem_libc);

    if (crypto == NULL) {
        return 1;
    }

    test_example();
    test_names();
    test_traps();
    test_payload();
    test_round();

    gs_sign_crypto_destroy(crypto);

    return done_testing();
}


static void
example(const char *target)
{
    request("GET", target, "examplebucket.s3.amazonaws.com");
    header("Host", "examplebucket.s3.amazonaws.com");
    secret(GS_SIGN_HMAC_SHA256, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
}


static void
test_example(void)
{
    example("/test.txt?" EXAMPLE);
    is_reason(verify(), GS_SIGN_OK, "the example");
    is_str(cred.id, "AKIAIOSFODNN7EXAMPLE", "its application");
    is_int(cred.time, 1369353600, "its time");
    is_int(cred.expires, 1369353600 + 86400, "its end");
    is_int(cred.lifetime, 86400, "its life");
    ok(cred.covered && !cred.unsigned_body, "covered");
    is_canon("GET\n/test.txt\nX-Amz-Algorithm=AWS4-HMAC-SHA256&"
             EXAMPLE_CRED "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
             "&X-Amz-SignedHeaders=host\nhost:examplebucket.s3.amazonaws.com"
             "\n\nhost\nUNSIGNED-PAYLOAD", "as it is documented");

    example("/test.txt?X-Amz-Signature=" EXAMPLE_SIG
            "&X-Amz-SignedHeaders=host&X-Amz-Expires=86400"
            "&X-Amz-Date=20130524T000000Z&" EXAMPLE_CRED
            "&X-Amz-Algorithm=AWS4-HMAC-SHA256");
    is_reason(verify(), GS_SIGN_OK, "in another order");

    example("/test.txt?a=1&" EXAMPLE);
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "an argument more");
    example("/other.txt?" EXAMPLE);
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "another path");
    example("/test.txt?" EXAMPLE);
    req.method = gs_str_text("HEAD");
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "another method");
    example("/test.txt?" EXAMPLE);
    headers[0].value = gs_str_text("otherbucket.s3.amazonaws.com");
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "another host");

    example("/test.txt?" EXAMPLE);
    header("Authorization", "AWS4-HMAC-SHA256 Credential=a");
    is_reason(verify(), GS_SIGN_TWO, "a header as well");
    headers[1].name = gs_str_text("X-Api-Key");
    is_reason(verify(), GS_SIGN_TWO, "another scheme as well");
    is_reason(gs_sign_find(&req, SIGN_ALL & ~(1u << GS_SIGN_SIGV4), &cred),
              GS_SIGN_MALFORMED, "which is alone where sigv4 is not taken");
    is_reason(gs_sign_again(&req, &cred), GS_SIGN_ABSENT, "no second one");
}


/* What another server might read as ours must not be passed over. */

static void
test_names(void)
{
    size_t    i;
    gs_str_t  s;

    static const char *const  in[] = {
        "X-Amz-Signature=0", "a=1&X-Amz-Signature=0&b", "x-amz-signature=0",
        "X-AMZ-SIGNATURE", "X%2dAmz%2DSignature=0", "%58-Amz-Signature",
        "X-Amz-Algorithm=x", "&&x-amz-Credential=x", "%78%2d%61mz-credential"
    };
    static const char *const  out[] = {
        "", "a", "X-Amz-Date=1", "X-Amz-Signatur=1", "X-Amz-Signatures=1",
        "a=X-Amz-Signature=1", "%", "%5", "%zz-Amz-Signature", "x&x=&X",
        "+X-Amz-Signature=1", "x-amz-signature%00=1",
        "x-amz-signature-that-is-longer-than-any-of-ours=1"
    };

    for (i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
        s = gs_str_text(in[i]);
        is_int(gs_sign_in_query(&s), 1, "in: %s", in[i]);
    }

    for (i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
        s = gs_str_text(out[i]);
        is_int(gs_sign_in_query(&s), 0, "not in: %s", out[i]);
    }
}


static void
test_traps(void)
{
    char               far[64 + 3 * GS_SIGN_MAX_SIG];
    static const char  date[] = "X-Amz-Date=20130524T000000Z";

    without("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", GS_SIGN_MALFORMED);
    without("X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256", GS_SIGN_BAD_ALG);
    without("&X-Amz-SignedHeaders=host", "", GS_SIGN_MALFORMED);
    without("&X-Amz-Expires=86400", "", GS_SIGN_MALFORMED);
    without("X-Amz-Expires=86400", "X-Amz-Expires=0", GS_SIGN_BAD_TIME);
    without("X-Amz-Expires=86400", "X-Amz-Expires=604801", GS_SIGN_BAD_TIME);
    without("X-Amz-Expires=86400", "X-Amz-Expires=-1", GS_SIGN_BAD_TIME);
    without("X-Amz-Expires=86400", "X-Amz-Expires=1e3", GS_SIGN_BAD_TIME);
    without("X-Amz-Expires=86400", "X-Amz-Expires=18446744073709551617",
            GS_SIGN_BAD_TIME);
    without("X-Amz-Expires=86400", "X-Amz-Expires=86400&X-Amz-Expires=86400",
            GS_SIGN_MALFORMED);
    without("X-Amz-Expires=86400", "X-Amz-Expires=86400&x-amz-expires=1",
            GS_SIGN_MALFORMED);
    without("X-Amz-Expires=86400", "X-Amz-Expires=86400&X%2DAmz-Expires=1",
            GS_SIGN_MALFORMED);
    without("X-Amz-Expires=86400", "x-amz-expires=86400", GS_SIGN_MALFORMED);
    without(date, "X-Amz-Date=20130525T000000Z", GS_SIGN_BAD_TIME);
    without(date, "X-Amz-Date=20130524", GS_SIGN_BAD_TIME);
    without(date, "X-Amz-Date=%zz", GS_SIGN_MALFORMED);
    without(date, "X-Amz-Date=2%", GS_SIGN_MALFORMED);
    without("&X-Amz-Signature=" EXAMPLE_SIG, "&X-Amz-Signature",
            GS_SIGN_MALFORMED);
    without("&X-Amz-Signature=" EXAMPLE_SIG, "&X-Amz-Signature=00",
            GS_SIGN_MALFORMED);
    without("&X-Amz-Signature=ae", "&X-Amz-Signature=zz", GS_SIGN_MALFORMED);
    without("&X-Amz-Signature=ae", "&X-Amz-Signature=ad",
            GS_SIGN_BAD_SIGNATURE);
    without(EXAMPLE_CRED, "X-Amz-Credential=a", GS_SIGN_MALFORMED);
    without("%2Faws4_request", "%2Faws4_other", GS_SIGN_MALFORMED);
    without("SignedHeaders=host", "SignedHeaders=host%3bx-none",
            GS_SIGN_NOT_COVERED);

    memset(far, 'a', sizeof(far));
    memcpy(far, "X-Amz-Date=", 11);
    far[sizeof(far) - 1] = '\0';
    without(date, far, GS_SIGN_TOO_LONG);

    example("/test.txt?" EXAMPLE);
    header("X-Amz-Meta", "1");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_OK, "a header");
    is_int(cred.covered, 0, "x-amz-* must be signed");

    example("/test.txt?" EXAMPLE);
    header("Content-Type", "text/plain");
    (void) gs_sign_find(&req, SIGN_ALL, &cred);
    is_int(cred.covered, 0, "and so must the type of a body that is");
    req.body = 1;
    (void) gs_sign_find(&req, SIGN_ALL, &cred);
    is_int(cred.covered, 1, "not that of a body that is not");
    is_int(cred.unsigned_body, 1, "which is told");
}


/* The example with one thing for another. */

static void
without(const char *from, const char *to, gs_sign_reason_e want)
{
    char         text[8192];
    const char  *p;

    p = strstr(EXAMPLE, from);

    if (p == NULL) {
        abort();
    }

    (void) snprintf(text, sizeof(text), "/test.txt?%.*s%s%s",
                    (int) (p - EXAMPLE), EXAMPLE, to, p + strlen(from));
    example(text);
    is_reason(verify(), want, to);
}


static void
test_payload(void)
{
    char  target[1024];

    static const char  other[] =
        "/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%%2F20130524"
        "%%2Fcn%%2F%s%%2Faws4_request&X-Amz-Date=20130524T000000Z"
        "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature="
        EXAMPLE_SIG "%s";

    (void) snprintf(target, sizeof(target), other, "execute-api", "");
    example(target);
    req.body = 1;
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_OK, "not of S3");
    is_int(cred.digest.alg, GS_SIGN_DIGEST_SHA256, "the empty body is signed");
    is_int(cred.digest.data[0], 0xe3, "by its digest");
    is_int(cred.unsigned_body, 0, "and no other");

    (void) snprintf(target, sizeof(target), other, "execute-api",
                    "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD");
    example(target);
    req.body = 1;
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_OK, "told");
    is_int(cred.unsigned_body, 1, "that it is not signed");

    (void) snprintf(target, sizeof(target), other, "s3",
                    "&X-Amz-Content-Sha256=STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    example(target);
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_STREAMING,
              "in chunks");

    (void) snprintf(target, sizeof(target), other, "s3",
                    "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD");
    example(target);
    header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
    is_reason(gs_sign_find(&req, SIGN_ALL, &cred), GS_SIGN_MALFORMED,
              "told twice");
}


static void
test_round(void)
{
    size_t            i, k, wrong;
    gs_str_t          target;
    gs_arena_t       *arena;
    gs_sign_cred_t    made;
    static gs_uchar_t copy[2048];

    static const char *const  targets[] = {
        "/", "/a%20b/c?z=1&a=%E4%B8%AD&a", "/?", "/x?a=+&b=%2B"
    };

    for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        arena = gs_arena_create(&gs_mem_libc);
        request("PUT", targets[i], "Gw.Gov.Example");
        header("Host", "Gw.Gov.Example");
        secret(GS_SIGN_HMAC_SHA256, "a secret of some length");

        memset(&made, 0, sizeof(made));
        made.scheme = GS_SIGN_SIGV4;
        made.id = gs_str_text("app@x/1");
        made.time = 1700000000;
        made.text[0] = gs_str_text("cn-north");

        /* a slash would end the name in the scope */

        is_reason(gs_sign_presign(crypto, gs_arena_mem(arena), &req, &made,
                                  &key, 60, &target), GS_SIGN_MALFORMED,
                  "a name with a slash");

        memset(&made, 0, sizeof(made));
        made.scheme = GS_SIGN_SIGV4;
        made.id = gs_str_text("app@x");
        made.time = 1700000000;
        made.text[0] = gs_str_text("cn-north");

        is_reason(gs_sign_presign(crypto, gs_arena_mem(arena), &req, &made,
                                  &key, 60, &target), GS_SIGN_OK,
                  targets[i]);

        req.target = target;
        is_reason(verify(), GS_SIGN_OK, "verified");
        is_str(cred.id, "app@x", "its application");
        is_int(cred.expires, 1700000060, "its end");

        /* each byte behind the first slash counts */

        memcpy(copy, target.data, target.len);
        req.target = gs_str_make(copy, target.len);
        wrong = 0;

        for (k = 1; k < target.len; k++) {
            copy[k] ^= 1;
            wrong += (verify() == GS_SIGN_OK);
            copy[k] ^= 1;
        }

        is_int((int64_t) wrong, 0, "no byte is left to others");
        gs_arena_destroy(arena);
    }
}
