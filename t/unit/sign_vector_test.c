
/*
 * Copyright (C) govsvc authors
 *
 * Published signatures: the government schemes, the test suite of AWS
 * Signature Version 4, RFC 9421 appendix B.2.
 */


#include "sign_fixture.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/gs_b64.h"


#define V4_SECRET  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define V4_SCOPE   "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"

#define RFC_DIGEST  "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+A"\
    "bwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"


static void test_tif(void);
static void test_gjzwfwpt(void);
static void test_xbg(void);
static void test_v4(void);
static void v4(const char *name, const char *method, const char *target,
    const char *signed_headers, const char *sig);
static void test_v4_body(void);
static void test_v4_s3(void);
static void test_rfc(void);
static void rfc(const char *name, const char *label, const char *input,
    const char *sig);
static void pem(gs_sign_alg_e alg, const char *text);


int
main(void)
{
    crypto = gs_sign_crypto_create(&gs_mem_libc);

    if (crypto == NULL) {
        return 1;
    }

    test_tif();
    test_gjzwfwpt();
    test_xbg();
    test_v4();
    test_v4_body();
    test_v4_s3();
    test_rfc();

    gs_sign_crypto_destroy(crypto);

    return done_testing();
}


static void
test_tif(void)
{
    request("POST", "/ebus/x", "a");
    header("x-tif-paasid", "yss_demo");
    header("X-Tif-Timestamp", "1700000000");
    header("x-tif-nonce", "a1b2c3d4e5f6");
    header("x-tif-signature", "B0EE8200BAFC615CBE5F34225FC15991C77C9444D991F97"
           "1788665D4E29D3E95");

    secret(GS_SIGN_SHA256, "gov-demo-token");
    is_reason(verify(), GS_SIGN_OK, "x-tif: call form");
    is_str(cred.id, "yss_demo", "x-tif: id");
    is_int(cred.time, 1700000000, "x-tif: time");
    is_canon("1700000000<secret>a1b2c3d4e5f61700000000", "x-tif: canon");

    headers[3].value = gs_str_text("b0ee8200bafc615cbe5f34225fc15991c77c9444d9"
                                   "91f971788665d4e29d3e95");
    is_reason(verify(), GS_SIGN_OK, "x-tif: lower case");

    secret(GS_SIGN_SM3, "gov-demo-token");
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "x-tif: not SM3");

    headers[3].value = gs_str_text("F9E93E701B87BDB399C86AF1EBE0B8DAFF5D9ED1C7"
                                   "857D36BFA623D0B57E5306");
    is_reason(verify(), GS_SIGN_OK, "x-tif: SM3");

    secret(GS_SIGN_SHA256, "gov-demo-token");
    headers[3].value = gs_str_text("0C2AD16A481060BDDF4998B818DFD1FC0E2197C5BE"
                                   "931935CAD6963CF6E63BCE");
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "x-tif: no identity");

    header("x-tif-uid", "u1001");
    header("x-tif-uinfo", "zhangsan");
    header("x-tif-ext", "lvl=3");
    is_reason(verify(), GS_SIGN_OK, "x-tif: identity form");
    is_str(cred.subject, "u1001", "x-tif: subject");
    ok(cred.identity, "x-tif: it is the identity form");

    secret(GS_SIGN_SHA256, "");
    is_reason(verify(), GS_SIGN_UNKNOWN_APP, "x-tif: an empty secret");
}


static void
test_gjzwfwpt(void)
{
    request("POST", "/sysapi/x", "a");
    header("gjzwfwpt_sid", "SID0001");
    header("gjzwfwpt_rid", "RID4400");
    header("gjzwfwpt_rtime", "1700000000000");
    header("gjzwfwpt_sign", "UBY67aQ3phGrbdOvxyA2TZ35tqoVKFfHJ/8D7HFHT+E=");

    secret(GS_SIGN_HMAC_SHA256, "gov-demo-secret");
    is_reason(verify(), GS_SIGN_OK, "gjzwfwpt");
    is_int(cred.time, 1700000000, "gjzwfwpt: seconds of milliseconds");
    is_str(cred.id, "RID4400", "gjzwfwpt: id");
}


static void
test_xbg(void)
{
    request("GET", "/restapi/prod/IC33000020220228000002/x?b=2&a=1", "a");
    header("X-BG-HMAC-ACCESS-KEY", "ak-demo");
    header("X-BG-HMAC-ALGORITHM", "hmac-sha256");
    header("X-BG-DATE-TIME", "Tue, 14 Nov 2023 22:13:20 GMT");
    header("X-BG-HMAC-SIGNATURE",
           "e6+JwZ/1/1Z9jWrOj6xKjqe30W0jLVfksGUuwiWF6yU=");

    secret(GS_SIGN_HMAC_SHA256, "gov-demo-secret");
    is_reason(verify(), GS_SIGN_OK, "x-bg-hmac, query sorted");
    is_int(cred.time, 1700000000, "x-bg-hmac: time");
    is_canon("GET\n/restapi/prod/IC33000020220228000002/x\na=1&b=2\nak-demo\n"
             "Tue, 14 Nov 2023 22:13:20 GMT\n", "x-bg-hmac: canon");

    req.target = gs_str_text("/restapi/prod/IC33000020220228000002/x?a=1&b=3");
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "x-bg-hmac: another query");
}


/* aws-sig-v4-test-suite, 20150830 */

static void
test_v4(void)
{
    v4("get-vanilla", "GET", "/", "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");

    v4("get-relative", "GET", "/example/..", "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");

    v4("get-relative-relative", "GET", "/example1/example2/../..",
       "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");

    v4("get-slash", "GET", "//", "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");

    v4("get-slash-dot-slash", "GET", "/./", "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");

    v4("get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
       "abcdefghijklmnopqrstuvwxyz", "host;x-amz-date",
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f");

    v4("get-slashes", "GET", "//example//", "host;x-amz-date",
       "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84");

    v4("get-utf8", "GET", "/\xe1\x88\xb4", "host;x-amz-date",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");

    v4("get-space", "GET", "/example space/", "host;x-amz-date",
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741");

    v4("get-vanilla-query-order-key-case", "GET",
       "/?Param2=value2&Param1=value1", "host;x-amz-date",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");

    v4("get-vanilla-query-order-value", "GET",
       "/?Param1=value2&Param1=value1", "host;x-amz-date",
       "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694");

    v4("get-vanilla-utf8-query", "GET", "/?\xe1\x88\xb4=bar",
       "host;x-amz-date",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04");

    header("My-Header1", "value4");
    header("My-Header1", "value1");
    header("My-Header1", "value3");
    header("My-Header1", "value2");
    v4("get-header-value-order", "GET", NULL, "host;my-header1;x-amz-date",
       "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01");

    header("My-Header1", "value2");
    header("My-Header1", "value2");
    header("My-Header1", "value1");
    v4("get-header-key-duplicate", "GET", NULL, "host;my-header1;x-amz-date",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");

    header("My-Header1", " value1");
    header("My-Header2", "\"a   b   c\"");
    v4("get-header-value-trim", "GET", NULL,
       "host;my-header1;my-header2;x-amz-date",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");

    header("X-Amz-Security-Token",
           "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267");
    v4("get-vanilla-with-session-token", "GET", NULL,
       "host;x-amz-date;x-amz-security-token",
       "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8");
}


/* target NULL: the headers are there already */

static void
v4(const char *name, const char *method, const char *target,
    const char *signed_headers, const char *sig)
{
    size_t       i, n;
    static char  text[512];

    n = (target == NULL) ? req.n : 0;
    request(method, target != NULL ? target : "/", "example.amazonaws.com");
    req.n = n;

    (void) snprintf(text, sizeof(text), "AWS4-HMAC-SHA256 Credential="
                    V4_SCOPE ", SignedHeaders=%s, Signature=%s",
                    signed_headers, sig);

    header("Host", "example.amazonaws.com");
    header("X-Amz-Date", "20150830T123600Z");
    header("Authorization", text);

    secret(GS_SIGN_HMAC_SHA256, V4_SECRET);
    is_reason(verify(), GS_SIGN_OK, name);
    ok(cred.covered, "%s: covered", name);

    for (i = 0; i < req.n; i++) {
        if (gs_str_eq_text(&headers[i].name, "Host")) {
            headers[i].value = gs_str_text("example.amazonaws.org");
        }
    }

    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, name);
    request(method, "/", "");
}


static void
test_v4_body(void)
{
    gs_str_t         body;
    gs_sign_hash_t  *hash;

    body = gs_str_text("Param1=value1");
    hash = gs_sign_hash_create(crypto, &gs_mem_libc, GS_SIGN_DIGEST_SHA256);
    request("POST", "/", "example.amazonaws.com");

    if (hash == NULL
        || gs_sign_hash_update(hash, body.data, body.len) != GS_OK
        || gs_sign_hash_final(hash, &req.payload) != GS_OK)
    {
        abort();
    }

    gs_sign_hash_destroy(hash);

    req.body = 1;
    header("Content-Type", "application/x-www-form-urlencoded");
    header("Host", "example.amazonaws.com");
    header("X-Amz-Date", "20150830T123600Z");
    header("Authorization", "AWS4-HMAC-SHA256 Credential=" V4_SCOPE
           ", SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932"
           "ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");

    secret(GS_SIGN_HMAC_SHA256, V4_SECRET);
    is_reason(verify(), GS_SIGN_OK, "post-x-www-form-urlencoded");
    ok(!cred.unsigned_body, "the body is signed");

    req.payload.alg = GS_SIGN_DIGEST_NONE;
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, "the body not known");
    ok(cred.unsigned_body, "then it is not signed");
}


/* the example GetObject of the S3 manual */

static void
test_v4_s3(void)
{
    request("GET", "/test.txt", "examplebucket.s3.amazonaws.com");
    header("Host", "examplebucket.s3.amazonaws.com");
    header("Range", "bytes=0-9");
    header("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e464"
           "9b934ca495991b7852b855");
    header("x-amz-date", "20130524T000000Z");
    header("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"
           "20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-"
           "content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed"
           "310bd44f0170aba48dd91039c6036bdb41");

    /* one letter of its secret is another than in the suite */

    secret(GS_SIGN_HMAC_SHA256, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    is_reason(verify(), GS_SIGN_OK, "s3: GetObject");
    is_int(cred.digest.alg, GS_SIGN_DIGEST_SHA256, "s3: digest of the body");
}


static void
test_rfc(void)
{
    size_t             len;
    gs_str_t           s;
    static gs_uchar_t  raw[96];

    pem(GS_SIGN_RSA_PSS,
        "-----BEGIN PUBLIC KEY-----\n"
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2\n"
        "+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+\n"
        "oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq\n"
        "gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W\n"
        "Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4\n"
        "aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI\n"
        "2wIDAQAB\n"
        "-----END PUBLIC KEY-----\n");

    rfc("B.2.1", "sig-b21",
        "();created=1618884473;keyid=\"test-key-rsa-pss\";nonce=\"b3k2pp5k7z-5"
        "0gnwp.yemd\"",
        "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx"
        "31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNF"
        "lD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWw"
        "E56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH"
        "1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw"
        "9Q==");
    ok(!cred.covered, "B.2.1 covers too little for us");

    rfc("B.2.2", "sig-b22",
        "(\"@authority\" \"content-digest\" \"@query-param\";name=\"Pet\");crea"
        "ted=1618884473;keyid=\"test-key-rsa-pss\";tag=\"header-example\"",
        "LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLM"
        "lAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09R"
        "NrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcA"
        "oFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2D"
        "SBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjH"
        "Sw==");

    rfc("B.2.3", "sig-b23",
        "(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \"content-ty"
        "pe\" \"content-digest\" \"content-length\");created=1618884473;keyid="
        "\"test-key-rsa-pss\"",
        "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh"
        "1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydP"
        "xSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7Y"
        "fW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH8"
        "96+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4c"
        "UA==");
    is_int(cred.digest.alg, GS_SIGN_DIGEST_SHA512, "B.2.3: digest");
    ok(!cred.covered, "B.2.3 has no nonce");
    EVP_PKEY_free(key.pkey);

    s = gs_str_text("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjU"
                    "kdJPBtbmHhIDi6pcl8jsasjlTMtDQ==");
    (void) gs_b64_decode(raw, &len, &s);
    memset(&key, 0, sizeof(key));
    key.alg = GS_SIGN_HMAC_SHA256;
    key.secret = gs_str_make(raw, len);

    rfc("B.2.5", "sig-b25",
        "(\"date\" \"@authority\" \"content-type\");created=1618884473;keyid="
        "\"test-shared-secret\"",
        "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
    is_canon("\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
             "\"@authority\": example.com\n"
             "\"content-type\": application/json\n"
             "\"@signature-params\": (\"date\" \"@authority\" "
             "\"content-type\");created=1618884473;"
             "keyid=\"test-shared-secret\"", "B.2.5: signature base");

    pem(GS_SIGN_ED25519,
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n"
        "-----END PUBLIC KEY-----\n");

    rfc("B.2.6", "sig-b26",
        "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"cont"
        "ent-length\");created=1618884473;keyid=\"test-key-ed25519\"",
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w"
        "6vuQv5lIp5WPpBKRCw==");
    EVP_PKEY_free(key.pkey);

    /* section 4.3: the client's part of a request that a proxy signs too */

    pem(GS_SIGN_ECDSA_P256,
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\n"
        "w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n"
        "-----END PUBLIC KEY-----\n");

    rfc("4.3", "sig1",
        "(\"@method\" \"@authority\" \"@path\" \"content-digest\" \"content-typ"
        "e\" \"content-length\");created=1618884475;"
        "keyid=\"test-key-ecc-p256\"",
        "X5spyd6CFnAG5QnDyHfqoSNICd+BUP4LYMz2Q0JXlb//4Ijpzp+kve2w4NIyqeAuM7jT"
        "DX+sNalzA8ESSaHD3A==");
    EVP_PKEY_free(key.pkey);
}


static void
rfc(const char *name, const char *label, const char *input, const char *sig)
{
    static char  text[2][1024];

    (void) snprintf(text[0], sizeof(text[0]), "%s=%s", label, input);
    (void) snprintf(text[1], sizeof(text[1]), "%s=:%s:", label, sig);

    request("POST", "/foo?param=Value&Pet=dog", "example.com");
    req.tls = 1;
    req.body = 1;
    header("Host", "example.com");
    header("Date", "Tue, 20 Apr 2021 02:07:55 GMT");
    header("Content-Type", "application/json");
    header("Content-Digest", RFC_DIGEST);
    header("Content-Length", "18");
    header("Signature-Input", text[0]);
    header("Signature", text[1]);

    is_reason(verify(), GS_SIGN_OK, name);

    /* a flipped bit of the input; the base changes with it */

    text[0][strlen(text[0]) - 2] ^= 1;
    is_reason(verify(), GS_SIGN_BAD_SIGNATURE, name);
    text[0][strlen(text[0]) - 2] ^= 1;
    (void) gs_sign_find(&req, SIGN_ALL, &cred);
}


static void
pem(gs_sign_alg_e alg, const char *text)
{
    BIO  *bio;

    memset(&key, 0, sizeof(key));

    bio = BIO_new_mem_buf(text, -1);
    key.alg = alg;
    key.pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);

    if (key.pkey == NULL) {
        abort();
    }
}
