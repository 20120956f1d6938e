
/*
 * Copyright (C) govsvc authors
 *
 * JWK sets.  jansson reads the text; what a key must be is decided here, with
 * line and pointer for the operator.
 */


#include "token/gs_token_key_priv.h"
#include "core/gs_buf.h"
#include "core/gs_json_pos.h"

#include <openssl/evp.h>


static gs_token_keys_t *gs_token_keys_load_kind(gs_mem_t *mem,
    const gs_str_t *text, int secrets, gs_err_t *err);
static gs_rc_t gs_token_keys_read(gs_token_key_in_t *in, json_t *root);
static gs_rc_t gs_token_key_read(gs_token_key_in_t *in);
static gs_rc_t gs_token_key_public(gs_token_key_in_t *in);
static gs_rc_t gs_token_key_secret(gs_token_key_in_t *in);
static const gs_token_key_type_t *gs_token_key_type(gs_token_key_in_t *in);
static gs_rc_t gs_token_key_usable(gs_token_key_in_t *in,
    const gs_token_key_type_t *type, unsigned *algs);
static gs_rc_t gs_token_key_ops(gs_token_key_in_t *in, json_t *ops);
static gs_rc_t gs_token_key_alg(gs_token_key_in_t *in,
    const gs_token_key_type_t *type, unsigned *algs);
static gs_rc_t gs_token_key_kid(gs_token_key_in_t *in, gs_token_key_t *key);
static gs_rc_t gs_token_key_id(gs_token_key_in_t *in, gs_token_key_t *key);
static gs_rc_t gs_token_key_number(const void *data, size_t len,
    uint64_t *number);


gs_token_keys_t *
gs_token_keys_load(gs_mem_t *mem, const gs_str_t *text, gs_err_t *err)
{
    return gs_token_keys_load_kind(mem, text, 0, err);
}


gs_token_keys_t *
gs_token_keys_load_secrets(gs_mem_t *mem, const gs_str_t *text, gs_err_t *err)
{
    return gs_token_keys_load_kind(mem, text, 1, err);
}


static gs_token_keys_t *
gs_token_keys_load_kind(gs_mem_t *mem, const gs_str_t *text, int secrets,
    gs_err_t *err)
{
    json_t            *root;
    gs_rc_t            rc;
    json_error_t       e;
    gs_token_keys_t   *keys;
    gs_token_key_in_t  in;

    if (text->len > GS_TOKEN_KEYS_MAX_TEXT) {
        gs_err(err, "the JWK set has %zu bytes, at most %u are allowed",
               text->len, GS_TOKEN_KEYS_MAX_TEXT);
        return NULL;
    }

    keys = gs_calloc(mem, 1, sizeof(gs_token_keys_t));

    if (keys == NULL) {
        gs_err(err, "not enough memory");
        return NULL;
    }

    keys->mem = mem;

    root = json_loadb((const char *) text->data, text->len,
                      JSON_REJECT_DUPLICATES, &e);

    if (root == NULL) {
        if (err != NULL) {
            err->line = e.line > 0 ? (unsigned) e.line : 1;
        }

        gs_err(err, "the JWK set is no JSON: %s", e.text);
        gs_free(mem, keys);
        return NULL;
    }

    in.text = text;
    in.err = err;
    in.keys = keys;
    in.jwk = NULL;
    in.index = 0;
    in.secrets = secrets;

    rc = gs_token_keys_read(&in, root);
    json_decref(root);

    if (rc == GS_OK) {
        rc = gs_token_key_number(text->data, text->len, &keys->generation);

        if (rc != GS_OK) {
            gs_err(err, "not enough memory");
        }
    }

    if (rc != GS_OK) {
        gs_token_keys_destroy(keys);
        return NULL;
    }

    return keys;
}


void
gs_token_keys_destroy(gs_token_keys_t *keys)
{
    size_t           i, n;
    gs_token_key_t  *key;

    if (keys == NULL) {
        return;
    }

    for (i = 0; i < keys->n; i++) {
        key = &keys->keys[i];

        for (n = 0; n < GS_TOKEN_DIGESTED; n++) {
            EVP_PKEY_CTX_free(key->ctx[n]);
        }

        for (n = 0; n < GS_TOKEN_MACS; n++) {
            EVP_MAC_CTX_free(key->mac[n]);
        }

        EVP_PKEY_free(key->pkey);
        gs_free(keys->mem, (void *) key->kid.data);
    }

    gs_free(keys->mem, keys->keys);
    gs_free(keys->mem, keys);
}


const gs_token_key_t *
gs_token_keys_find(const gs_token_keys_t *keys, const gs_str_t *kid,
    gs_token_alg_e alg)
{
    size_t                 i;
    const gs_token_key_t  *key, *found;

    found = NULL;

    for (i = 0; i < keys->n; i++) {
        key = &keys->keys[i];

        if (!(key->algs & (1u << alg))) {
            continue;
        }

        if (kid->len != 0) {
            if (gs_str_eq(&key->kid, kid)) {
                return key;
            }

            continue;
        }

        if (found != NULL) {
            return NULL;
        }

        found = key;
    }

    return found;
}


const gs_token_key_t *
gs_token_keys_by_id(const gs_token_keys_t *keys, uint64_t id)
{
    size_t  i;

    for (i = 0; keys != NULL && i < keys->n; i++) {
        if (keys->keys[i].id == id) {
            return &keys->keys[i];
        }
    }

    return NULL;
}


static gs_rc_t
gs_token_keys_read(gs_token_key_in_t *in, json_t *root)
{
    size_t   n;
    json_t  *array;

    array = json_object_get(root, "keys");

    if (!json_is_array(array)) {
        if (in->err != NULL) {
            in->err->line = 1;
        }

        return gs_err(in->err, "the JWK set has no array \"keys\"");
    }

    n = json_array_size(array);

    if (n > GS_TOKEN_KEYS_MAX) {
        return gs_err(in->err, "the JWK set has %zu keys, at most %u are "
                      "allowed", n, GS_TOKEN_KEYS_MAX);
    }

    if (n != 0) {
        in->keys->keys = gs_calloc(in->keys->mem, n, sizeof(gs_token_key_t));

        if (in->keys->keys == NULL) {
            return gs_err(in->err, "not enough memory");
        }
    }

    for (in->index = 0; in->index < n; in->index++) {
        in->jwk = json_array_get(array, in->index);

        if (gs_token_key_read(in) != GS_OK) {
            return GS_ERROR;
        }
    }

    if (in->keys->n == 0) {
        return gs_err(in->err, "the JWK set has no usable key (%zu skipped), "
                      "allowed: %s", in->keys->skipped,
                      in->secrets ? "oct"
                                  : "RSA, EC P-256, EC P-384, EC P-521, "
                                    "EC SM2, OKP Ed25519");
    }

    return GS_OK;
}


static gs_rc_t
gs_token_key_read(gs_token_key_in_t *in)
{
    gs_rc_t                     rc;
    unsigned                    algs;
    gs_token_key_t             *key;
    const gs_token_key_type_t  *type;

    if (!json_is_object(in->jwk)) {
        return gs_err(gs_token_key_at(in, NULL),
                      "a key must be an object");
    }

    if (gs_token_key_public(in) != GS_OK) {
        return GS_ERROR;
    }

    if (!json_is_string(json_object_get(in->jwk, "kty"))) {
        return gs_err(gs_token_key_at(in, "kty"),
                      "\"kty\" must be a string");
    }

    type = gs_token_key_type(in);
    rc = GS_DECLINED;
    algs = 0;

    if (type != NULL) {
        rc = gs_token_key_usable(in, type, &algs);
    }

    if (rc != GS_OK) {
        in->keys->skipped++;
        return rc == GS_DECLINED ? GS_OK : GS_ERROR;
    }

    /* counted at once, so that a failure below frees what it has got */

    key = &in->keys->keys[in->keys->n++];
    key->algs = algs;

    if (gs_token_key_kid(in, key) != GS_OK
        || gs_token_key_id(in, key) != GS_OK
        || type->make(in, key, type) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_token_key_contexts(in, key);
}


static gs_rc_t
gs_token_key_public(gs_token_key_in_t *in)
{
    size_t                    i;
    static const char *const  secret[] = {
        "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"
    };

    if (in->secrets) {
        return gs_token_key_secret(in);
    }

    for (i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
        if (json_object_get(in->jwk, secret[i]) != NULL) {
            return gs_err(gs_token_key_at(in, secret[i]),
                          "the set holds a private or symmetric key (member "
                          "\"%s\"), allowed: public keys; treat the key as "
                          "disclosed", secret[i]);
        }
    }

    return GS_OK;
}


/*
 * One set serves either kind: with both in it a token could ask for the wrong
 * one.
 */

static gs_rc_t
gs_token_key_secret(gs_token_key_in_t *in)
{
    const char  *kty;

    kty = json_string_value(json_object_get(in->jwk, "kty"));

    if (kty != NULL && strcmp(kty, "oct") != 0) {
        return gs_err(gs_token_key_at(in, "kty"),
                      "a set of shared secrets holds a key of type \"%s\", "
                      "allowed: oct", kty);
    }

    return GS_OK;
}


static const gs_token_key_type_t *
gs_token_key_type(gs_token_key_in_t *in)
{
    const char                 *kty, *crv;
    const gs_token_key_type_t  *t;

    kty = json_string_value(json_object_get(in->jwk, "kty"));
    crv = json_string_value(json_object_get(in->jwk, "crv"));

    for (t = gs_token_key_types; t->kty != NULL; t++) {

        if (strcmp(t->kty, kty) == 0
            && (t->crv == NULL || (crv != NULL && strcmp(t->crv, crv) == 0)))
        {
            return t;
        }
    }

    return NULL;
}


/* GS_DECLINED: a sound key, but not for us. */

static gs_rc_t
gs_token_key_usable(gs_token_key_in_t *in, const gs_token_key_type_t *type,
    unsigned *algs)
{
    json_t   *use, *ops;
    gs_rc_t   rc;

    use = json_object_get(in->jwk, "use");
    ops = json_object_get(in->jwk, "key_ops");

    if (use != NULL) {
        if (!json_is_string(use)) {
            return gs_err(gs_token_key_at(in, "use"),
                          "\"use\" must be a string");
        }

        if (strcmp(json_string_value(use), "sig") != 0) {
            return GS_DECLINED;
        }
    }

    if (ops != NULL) {
        rc = gs_token_key_ops(in, ops);

        if (rc != GS_OK) {
            return rc;
        }
    }

    return gs_token_key_alg(in, type, algs);
}


static gs_rc_t
gs_token_key_ops(gs_token_key_in_t *in, json_t *ops)
{
    size_t   i;
    json_t  *op;
    gs_rc_t  rc;

    if (!json_is_array(ops)) {
        return gs_err(gs_token_key_at(in, "key_ops"),
                      "\"key_ops\" must be an array of strings");
    }

    rc = GS_DECLINED;

    json_array_foreach(ops, i, op) {

        if (!json_is_string(op)) {
            return gs_err(gs_token_key_at(in, "key_ops"),
                          "\"key_ops\" must be an array of strings");
        }

        if (strcmp(json_string_value(op), "verify") == 0) {
            rc = GS_OK;
        }
    }

    return rc;
}


static gs_rc_t
gs_token_key_alg(gs_token_key_in_t *in, const gs_token_key_type_t *type,
    unsigned *algs)
{
    size_t                    i;
    json_t                   *alg;
    gs_str_t                  name;
    gs_token_alg_e            a;
    static const char *const  other[] = {
        "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512",
        "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"
    };

    alg = json_object_get(in->jwk, "alg");
    *algs = type->algs;

    if (alg == NULL) {
        return GS_OK;
    }

    if (!json_is_string(alg)) {
        return gs_err(gs_token_key_at(in, "alg"),
                      "\"alg\" must be a string");
    }

    name = gs_str_make(json_string_value(alg), json_string_length(alg));
    a = gs_token_alg_find(&name);

    if (a != GS_TOKEN_ALG_UNKNOWN && (type->algs & (1u << a))) {
        *algs = 1u << a;
        return GS_OK;
    }

    for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        if (gs_str_eq_text(&name, other[i])) {
            return GS_DECLINED;
        }
    }

    return gs_err(gs_token_key_at(in, "alg"),
                  "alg \"%S\" does not fit the type of the key, allowed: %s",
                  &name, type->names);
}


static gs_rc_t
gs_token_key_kid(gs_token_key_in_t *in, gs_token_key_t *key)
{
    size_t    i;
    json_t   *value;
    gs_str_t  kid;

    value = json_object_get(in->jwk, "kid");

    if (value == NULL) {
        return GS_OK;
    }

    if (gs_token_key_text(in, "kid", &kid) != GS_OK) {
        return GS_ERROR;
    }

    if (kid.len == 0 || kid.len > GS_TOKEN_MAX_KID) {
        return gs_err(gs_token_key_at(in, "kid"),
                      "\"kid\" has %zu bytes, allowed: 1 to %u",
                      kid.len, GS_TOKEN_MAX_KID);
    }

    for (i = 0; i + 1 < in->keys->n; i++) {
        if (gs_str_eq(&in->keys->keys[i].kid, &kid)) {
            return gs_err(gs_token_key_at(in, "kid"),
                          "kid \"%S\" stands twice in the set", &kid);
        }
    }

    key->kid = gs_str_dup(in->keys->mem, &kid);

    if (key->kid.data == NULL) {
        return gs_err(gs_token_key_at(in, NULL),
                      "not enough memory");
    }

    return GS_OK;
}


/* Points the error at a member of the key, or at the key where it is NULL. */

gs_err_t *
gs_token_key_at(gs_token_key_in_t *in, const char *member)
{
    gs_buf_t  b;

    if (in->err == NULL) {
        return NULL;
    }

    gs_buf_init(&b, in->err->pointer, sizeof(in->err->pointer) - 1);
    gs_buf_text(&b, "/keys/");
    gs_buf_u64(&b, in->index);

    if (member != NULL) {
        gs_buf_char(&b, '/');
        gs_buf_text(&b, member);
    }

    *b.pos = '\0';

    in->err->line = gs_json_line(in->text, in->err->pointer);

    return in->err;
}


/*
 * Number of what makes the key what it is, so that a verdict outlives the set
 * but not the key.
 */

static gs_rc_t
gs_token_key_id(gs_token_key_in_t *in, gs_token_key_t *key)
{
    size_t                    i;
    json_t                   *v;
    uint64_t                  number[3];
    static const char *const  names[] = {
        "kty", "crv", "kid", "alg", "n", "e", "x", "y", "k"
    };

    number[0] = 0;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        v = json_object_get(in->jwk, names[i]);

        if (!json_is_string(v)) {
            continue;
        }

        number[1] = i;

        if (gs_token_key_number(json_string_value(v), json_string_length(v),
                                &number[2])
            != GS_OK
            || gs_token_key_number(number, sizeof(number), &number[0])
               != GS_OK)
        {
            return gs_err(gs_token_key_at(in, NULL), "not enough memory");
        }
    }

    key->id = number[0];

    return GS_OK;
}


static gs_rc_t
gs_token_key_number(const void *data, size_t len, uint64_t *number)
{
    int          ok;
    EVP_MD      *md;
    gs_uchar_t   digest[EVP_MAX_MD_SIZE];

    md = EVP_MD_fetch(NULL, "SHA256", NULL);
    ok = (md != NULL && EVP_Digest(data, len, digest, NULL, md, NULL) == 1);
    EVP_MD_free(md);

    if (!ok) {
        return GS_ERROR;
    }

    memcpy(number, digest, sizeof(uint64_t));

    if (*number == 0) {
        *number = 1;
    }

    return GS_OK;
}
