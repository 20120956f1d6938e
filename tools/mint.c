
/*
 * Copyright (C) govsvc authors
 *
 * mint: makes key sets and tokens for tests and the demonstration.  It can
 * make bad tokens on purpose and is no part of the module.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>


#define MINT_SM2_ID    "1234567812345678"
#define MINT_MAX_SIG   2048
#define MINT_MAX_FILE  65536


typedef struct {
    const char  *name;                     /* kid and file name */
    const char  *type;
    const char  *alg;
} mint_key_t;


typedef struct {
    const char  *key;
    const char  *kid;
    const char  *alg;
    const char  *claims;
    const char  *header;                   /* more members, JSON object */
    const char  *header_alg;               /* what the header pretends */
    const char  *raw_header;               /* exact bytes */
    const char  *raw_payload;
    const char  *sm2_id;
    long         ttl;
    int          der;
} mint_args_t;


static int mint_keys(const char *dir);
static int mint_key(const char *dir, const mint_key_t *k, json_t *keys);
static json_t *mint_jwk(EVP_PKEY *pkey, const mint_key_t *k);
static int mint_jwk_point(EVP_PKEY *pkey, json_t *jwk);
static int mint_jwk_bn(EVP_PKEY *pkey, json_t *jwk, const char *param,
    const char *member);
static int mint_token(mint_args_t *a);
static char *mint_header(mint_args_t *a);
static char *mint_claims(mint_args_t *a);
static int mint_sign(mint_args_t *a, const char *input, unsigned char *sig,
    size_t *len);
static int mint_sign_hmac(mint_args_t *a, const char *input,
    unsigned char *sig, size_t *len);
static int mint_sign_pkey(mint_args_t *a, EVP_PKEY *pkey, const char *input,
    unsigned char *sig, size_t *len);
static int mint_der_to_raw(unsigned char *sig, size_t *len);
static EVP_PKEY *mint_load(const char *path);
static char *mint_b64(const void *data, size_t len);
static int mint_parse(int argc, char **argv, mint_args_t *a);
static int mint_fail(const char *text, const char *what);
static int mint_usage(void);


static const mint_key_t  mint_key_table[] = {
    { "rs256", "RSA", "RS256" },
    { "es256", "EC", "ES256" },
    { "eddsa", "ED25519", "EdDSA" },
    { "sm2", "SM2", "SM2" },
    { NULL, NULL, NULL }
};


int
main(int argc, char **argv)
{
    mint_args_t  a;

    if (argc == 3 && strcmp(argv[1], "keys") == 0) {
        return mint_keys(argv[2]);
    }

    if (argc > 2 && strcmp(argv[1], "token") == 0) {
        if (mint_parse(argc - 2, argv + 2, &a) != 0) {
            return 2;
        }

        return mint_token(&a);
    }

    return mint_usage();
}


static int
mint_keys(const char *dir)
{
    int                rc;
    char               path[4096];
    json_t            *set, *keys;
    const mint_key_t  *k;

    (void) mkdir(dir, 0700);

    keys = json_array();
    set = json_pack("{s:o}", "keys", keys);

    if (set == NULL) {
        return mint_fail("no memory", "");
    }

    rc = 0;

    for (k = mint_key_table; k->name != NULL; k++) {
        rc |= mint_key(dir, k, keys);
    }

    (void) snprintf(path, sizeof(path), "%s/jwks.json", dir);

    if (rc == 0 && json_dump_file(set, path, JSON_INDENT(2)) != 0) {
        rc = mint_fail("cannot write", path);
    }

    json_decref(set);

    return rc;
}


static int
mint_key(const char *dir, const mint_key_t *k, json_t *keys)
{
    int        rc;
    char       path[4096];
    FILE      *f;
    json_t    *jwk;
    EVP_PKEY  *pkey;

    if (strcmp(k->type, "RSA") == 0) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 2048);

    } else if (strcmp(k->type, "EC") == 0) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    } else {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, k->type);
    }

    if (pkey == NULL) {
        return mint_fail("cannot make a key of type", k->type);
    }

    (void) snprintf(path, sizeof(path), "%s/%s.pem", dir, k->name);

    f = fopen(path, "w");
    jwk = mint_jwk(pkey, k);
    rc = 1;

    if (f != NULL && jwk != NULL
        && PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL) == 1
        && json_array_append(keys, jwk) == 0)
    {
        rc = 0;
    }

    if (f != NULL && fclose(f) != 0) {
        rc = 1;
    }

    (void) chmod(path, 0600);
    json_decref(jwk);
    EVP_PKEY_free(pkey);

    return rc ? mint_fail("cannot write", path) : 0;
}


static json_t *
mint_jwk(EVP_PKEY *pkey, const mint_key_t *k)
{
    int             bad;
    char           *x;
    json_t         *jwk;
    size_t          len;
    unsigned char   raw[32];

    jwk = json_pack("{s:s, s:s, s:s}", "kid", k->name, "use", "sig",
                    "alg", k->alg);
    if (jwk == NULL) {
        return NULL;
    }

    if (strcmp(k->type, "RSA") == 0) {
        bad = json_object_set_new(jwk, "kty", json_string("RSA"))
              || mint_jwk_bn(pkey, jwk, OSSL_PKEY_PARAM_RSA_N, "n")
              || mint_jwk_bn(pkey, jwk, OSSL_PKEY_PARAM_RSA_E, "e");

    } else if (strcmp(k->type, "ED25519") == 0) {
        len = sizeof(raw);
        x = EVP_PKEY_get_raw_public_key(pkey, raw, &len) == 1
            ? mint_b64(raw, len) : NULL;

        bad = json_object_set_new(jwk, "kty", json_string("OKP"))
              || json_object_set_new(jwk, "crv", json_string("Ed25519"))
              || json_object_set_new(jwk, "x", json_string(x));
        free(x);

    } else {
        bad = json_object_set_new(jwk, "kty", json_string("EC"))
              || json_object_set_new(jwk, "crv",
                     json_string(strcmp(k->type, "EC") ? "SM2" : "P-256"))
              || mint_jwk_point(pkey, jwk);
    }

    if (bad) {
        json_decref(jwk);
        return NULL;
    }

    return jwk;
}


static int
mint_jwk_point(EVP_PKEY *pkey, json_t *jwk)
{
    int             bad;
    char           *x, *y;
    size_t          len;
    unsigned char   p[65];

    if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, p,
                                        sizeof(p), &len)
        != 1 || len != 65)
    {
        return 1;
    }

    x = mint_b64(p + 1, 32);
    y = mint_b64(p + 33, 32);

    bad = json_object_set_new(jwk, "x", json_string(x))
          || json_object_set_new(jwk, "y", json_string(y));

    free(x);
    free(y);

    return bad;
}


static int
mint_jwk_bn(EVP_PKEY *pkey, json_t *jwk, const char *param,
    const char *member)
{
    int             n, bad;
    char           *text;
    BIGNUM         *bn;
    unsigned char   buf[1024];

    bn = NULL;

    if (EVP_PKEY_get_bn_param(pkey, param, &bn) != 1) {
        return 1;
    }

    n = BN_bn2bin(bn, buf);
    BN_free(bn);

    text = mint_b64(buf, (size_t) n);
    bad = json_object_set_new(jwk, member, json_string(text));
    free(text);

    return bad;
}


static int
mint_token(mint_args_t *a)
{
    char           *h, *c, *b, *input;
    size_t          len;
    unsigned char   sig[MINT_MAX_SIG];

    h = mint_header(a);
    c = mint_claims(a);

    if (h == NULL || c == NULL) {
        return 1;
    }

    len = strlen(h) + strlen(c) + 2;
    input = malloc(len);

    if (input == NULL) {
        return mint_fail("no memory", "");
    }

    (void) snprintf(input, len, "%s.%s", h, c);

    len = 0;

    if (strcmp(a->alg, "none") != 0 && mint_sign(a, input, sig, &len) != 0) {
        return 1;
    }

    b = mint_b64(sig, len);
    (void) printf("%s.%s\n", input, b);

    free(b);
    free(h);
    free(c);
    free(input);

    return 0;
}


static char *
mint_header(mint_args_t *a)
{
    char    *text, *b;
    json_t  *h, *more;

    if (a->raw_header != NULL) {
        return mint_b64(a->raw_header, strlen(a->raw_header));
    }

    h = json_pack("{s:s, s:s}",
                  "alg", a->header_alg ? a->header_alg : a->alg,
                  "typ", "JWT");

    if (a->kid != NULL) {
        json_object_set_new(h, "kid", json_string(a->kid));
    }

    if (a->header != NULL) {
        more = json_loads(a->header, 0, NULL);
        if (more == NULL || json_object_update(h, more) != 0) {
            (void) mint_fail("--header is no JSON object:", a->header);
            return NULL;
        }

        json_decref(more);
    }

    text = json_dumps(h, JSON_COMPACT);
    b = mint_b64(text, strlen(text));

    free(text);
    json_decref(h);

    return b;
}


static char *
mint_claims(mint_args_t *a)
{
    char    *text, *b;
    json_t  *c;

    if (a->raw_payload != NULL) {
        return mint_b64(a->raw_payload, strlen(a->raw_payload));
    }

    c = json_loads(a->claims ? a->claims : "{}", 0, NULL);

    if (!json_is_object(c)) {
        (void) mint_fail("--claims is no JSON object:", a->claims);
        return NULL;
    }

    if (a->ttl != 0) {
        if (json_object_get(c, "iat") == NULL) {
            json_object_set_new(c, "iat", json_integer(time(NULL)));
        }

        if (json_object_get(c, "exp") == NULL) {
            json_object_set_new(c, "exp", json_integer(time(NULL) + a->ttl));
        }
    }

    text = json_dumps(c, JSON_COMPACT);
    b = mint_b64(text, strlen(text));

    free(text);
    json_decref(c);

    return b;
}


static int
mint_sign(mint_args_t *a, const char *input, unsigned char *sig, size_t *len)
{
    int        rc;
    EVP_PKEY  *pkey;

    if (a->key == NULL) {
        return mint_fail("--key is missing", "");
    }

    if (strcmp(a->alg, "HS256") == 0) {
        return mint_sign_hmac(a, input, sig, len);
    }

    pkey = mint_load(a->key);

    if (pkey == NULL) {
        return mint_fail("cannot read the key", a->key);
    }

    rc = mint_sign_pkey(a, pkey, input, sig, len);
    EVP_PKEY_free(pkey);

    return rc ? mint_fail("cannot sign with", a->key) : 0;
}


static int
mint_sign_hmac(mint_args_t *a, const char *input, unsigned char *sig,
    size_t *len)
{
    char       key[MINT_MAX_FILE];
    FILE      *f;
    size_t     n;
    unsigned   out;

    f = fopen(a->key, "r");

    if (f == NULL) {
        return mint_fail("cannot read", a->key);
    }

    n = fread(key, 1, sizeof(key), f);
    (void) fclose(f);

    if (HMAC(EVP_sha256(), key, (int) n, (const unsigned char *) input,
             strlen(input), sig, &out)
        == NULL)
    {
        return mint_fail("cannot sign with", a->key);
    }

    *len = out;

    return 0;
}


static int
mint_sign_pkey(mint_args_t *a, EVP_PKEY *pkey, const char *input,
    unsigned char *sig, size_t *len)
{
    int            ok, ec;
    EVP_MD_CTX    *ctx;
    const EVP_MD  *md;
    EVP_PKEY_CTX  *pctx;

    ctx = EVP_MD_CTX_new();
    pctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    md = EVP_sha256();
    ec = EVP_PKEY_is_a(pkey, "EC") || EVP_PKEY_is_a(pkey, "SM2");
    ok = (ctx != NULL && pctx != NULL);

    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        md = NULL;

    } else if (EVP_PKEY_is_a(pkey, "SM2")) {
        md = EVP_sm3();
        ok = ok && EVP_PKEY_CTX_set1_id(pctx, a->sm2_id,
                                        (int) strlen(a->sm2_id))
                   == 1;
    }

    if (ok) {
        EVP_MD_CTX_set_pkey_ctx(ctx, pctx);
        *len = MINT_MAX_SIG;

        ok = EVP_DigestSignInit(ctx, NULL, md, NULL, pkey) == 1
             && (strcmp(a->alg, "PS256") != 0
                 || (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING)
                     == 1
                     && EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
                            RSA_PSS_SALTLEN_DIGEST)
                        == 1))
             && EVP_DigestSign(ctx, sig, len, (const unsigned char *) input,
                               strlen(input))
                == 1;
    }

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pctx);

    if (ok && ec && !a->der) {
        return mint_der_to_raw(sig, len);
    }

    return !ok;
}


static int
mint_der_to_raw(unsigned char *sig, size_t *len)
{
    int                   bad;
    ECDSA_SIG            *s;
    const unsigned char  *p;

    p = sig;
    s = d2i_ECDSA_SIG(NULL, &p, (long) *len);

    if (s == NULL) {
        return 1;
    }

    bad = BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, 32) != 32
          || BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + 32, 32) != 32;
    *len = 64;

    ECDSA_SIG_free(s);

    return bad;
}


static EVP_PKEY *
mint_load(const char *path)
{
    FILE      *f;
    EVP_PKEY  *pkey;

    f = fopen(path, "r");

    if (f == NULL) {
        return NULL;
    }

    pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    (void) fclose(f);

    return pkey;
}


/* Base64url without padding, freed by the caller. */
static char *
mint_b64(const void *data, size_t len)
{
    int    n, i;
    char  *s;

    s = malloc(len / 3 * 4 + 8);

    if (s == NULL) {
        exit(mint_fail("no memory", ""));
    }

    n = EVP_EncodeBlock((unsigned char *) s, data, (int) len);

    while (n > 0 && s[n - 1] == '=') {
        n--;
    }

    s[n] = '\0';

    for (i = 0; i < n; i++) {
        if (s[i] == '+') {
            s[i] = '-';

        } else if (s[i] == '/') {
            s[i] = '_';
        }
    }

    return s;
}


static int
mint_parse(int argc, char **argv, mint_args_t *a)
{
    int          i;
    size_t       n;
    const char  *name;

    struct {
        const char   *name;
        const char  **value;
    } opts[] = {
        { "--key", &a->key },
        { "--kid", &a->kid },
        { "--alg", &a->alg },
        { "--claims", &a->claims },
        { "--header", &a->header },
        { "--header-alg", &a->header_alg },
        { "--raw-header", &a->raw_header },
        { "--raw-payload", &a->raw_payload },
        { "--sm2-id", &a->sm2_id },
    };

    memset(a, 0, sizeof(mint_args_t));
    a->alg = "RS256";
    a->sm2_id = MINT_SM2_ID;

    for (i = 0; i < argc; i++) {
        name = argv[i];

        if (strcmp(name, "--der") == 0) {
            a->der = 1;
            continue;
        }

        if (i + 1 == argc) {
            return mint_usage();
        }

        i++;

        if (strcmp(name, "--ttl") == 0) {
            a->ttl = strtol(argv[i], NULL, 10);
            continue;
        }

        for (n = 0; n < sizeof(opts) / sizeof(opts[0]); n++) {
            if (strcmp(name, opts[n].name) == 0) {
                *opts[n].value = argv[i];
                break;
            }
        }

        if (n == sizeof(opts) / sizeof(opts[0])) {
            return mint_usage();
        }
    }

    return 0;
}


static int
mint_fail(const char *text, const char *what)
{
    (void) fprintf(stderr, "mint: %s %s\n", text, what);

    return 1;
}


static int
mint_usage(void)
{
    (void) fputs(
        "usage: mint keys DIR\n"
        "       mint token --key FILE --alg ALG [--kid KID] [--claims JSON]\n"
        "                  [--ttl SECONDS] [--header JSON]"
        " [--header-alg ALG]\n"
        "                  [--raw-header TEXT] [--raw-payload TEXT]\n"
        "                  [--sm2-id ID] [--der]\n"
        "\n"
        "keys writes DIR/jwks.json and the private keys rs256.pem, es256.pem,"
        "\neddsa.pem and sm2.pem; the key identifiers are rs256, es256, eddsa"
        "\nand sm2.  ALG: RS256 PS256 ES256 EdDSA SM2 HS256 none; --ttl adds"
        "\niat and exp where the claims have none.\n", stderr);

    return 2;
}
