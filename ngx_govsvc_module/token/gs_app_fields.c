
/*
 * Copyright (C) govsvc authors
 *
 * apps.json: what an application has besides its name and scheme.
 */


#include "token/gs_app_load.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/gs_b64.h"
#include "core/gs_hex.h"
#include "core/gs_time.h"


#define GS_APP_LIST        64              /* networks or routes */
#define GS_APP_SECRET_MIN  8               /* bytes */


static gs_rc_t gs_app_load_secret(gs_app_load_t *l, gs_app_t *app,
    const json_t *json, size_t i);
static gs_rc_t gs_app_secret_of(gs_app_load_t *l, const gs_app_t *app,
    const gs_str_t *text, gs_str_t *secret, const char *at);
static gs_rc_t gs_app_load_forms(gs_app_load_t *l, gs_app_t *app,
    const json_t *json);
static int gs_app_printable(const gs_str_t *s);


static const char *const  gs_app_replays[] = {
    "all", "unsafe", "off", NULL
};


static const char *const  gs_app_bodies[] = {
    "required", "optional", NULL
};


gs_rc_t
gs_app_load_secrets(gs_app_load_t *l, gs_app_t *app, const json_t *json)
{
    size_t         i;
    const json_t  *list;

    if (json_object_get(json, "jwks") != NULL) {
        return gs_app_bad(l, "jwks", "\"jwks\" is for algorithms with public "
                          "keys, use \"secrets\"");
    }

    if (gs_app_load_list(l, json, "secrets", GS_APP_MAX_SECRETS, &list)
        != GS_OK)
    {
        return GS_ERROR;
    }

    if (list == NULL) {
        return gs_app_bad(l, NULL, "\"secrets\" is missing");
    }

    for (i = 0; i < json_array_size(list); i++) {
        if (gs_app_load_secret(l, app, json_array_get(list, i), i) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_app_load_secret(gs_app_load_t *l, gs_app_t *app, const json_t *json,
    size_t i)
{
    gs_rc_t      rc;
    gs_str_t     name, prefix, text;
    const char  *at;

    at = (i == 0) ? "secrets/0" : "secrets/1";
    name = gs_app_text(json);
    prefix = gs_str_text("file:");

    if (name.len <= prefix.len || !gs_str_prefix(&name, &prefix)) {
        return gs_app_bad(l, at, "a secret must be \"file:NAME\": it stands "
                          "in a file of its own");
    }

    name.data += prefix.len;
    name.len -= prefix.len;
    gs_app_at(l, at);

    if (l->read(l->data, &name, 1, &text, l->err) != GS_OK) {
        return GS_ERROR;
    }

    rc = gs_app_secret_of(l, app, &text, &app->secrets[i], at);
    OPENSSL_cleanse((void *) (uintptr_t) text.data, text.len);

    if (rc == GS_OK) {
        app->nsecrets = i + 1;
    }

    return rc;
}


/*
 * The text without the line's end; "base64:..." stands for bytes; for apikey
 * its SHA-256, which may be given as "sha256:...".
 */

static gs_rc_t
gs_app_secret_of(gs_app_load_t *l, const gs_app_t *app, const gs_str_t *text,
    gs_str_t *secret, const char *at)
{
    size_t       len;
    gs_str_t     s, base64, sha256;
    gs_uchar_t  *p;

    s = *text;

    if (s.len != 0 && s.data[s.len - 1] == '\n') {
        s.len--;
    }

    if (s.len != 0 && s.data[s.len - 1] == '\r') {
        s.len--;
    }

    if (s.len == 0) {
        return gs_app_bad(l, at, "the secret is empty");
    }

    base64 = gs_str_text("base64:");
    sha256 = gs_str_text("sha256:");
    len = s.len < 32 ? 32 : s.len;

    p = gs_alloc(l->mem, len);

    if (p == NULL) {
        return gs_err(l->err, "not enough memory");
    }

    len = s.len;

    if (gs_str_prefix(&s, &base64)) {
        s = gs_str_make(s.data + base64.len, s.len - base64.len);

        if (gs_b64_decode(p, &len, &s) != GS_OK) {
            return gs_app_bad(l, at, "the secret behind \"base64:\" is no "
                              "base64");
        }

    } else if (app->scheme == GS_SIGN_APIKEY && gs_str_prefix(&s, &sha256)) {
        s = gs_str_make(s.data + sha256.len, s.len - sha256.len);

        if (s.len != 64 || gs_hex_decode(p, &s) != GS_OK) {
            return gs_app_bad(l, at, "\"sha256:\" needs 64 hexadecimal "
                              "digits");
        }

        *secret = gs_str_make(p, 32);
        return GS_OK;

    } else {
        memcpy(p, s.data, s.len);
    }

    *secret = gs_str_make(p, len);

    if (len < GS_APP_SECRET_MIN) {
        OPENSSL_cleanse(p, len);
        *secret = gs_str_make(NULL, 0);
        return gs_app_bad(l, at, "the secret is shorter than 8 bytes");
    }

    if (app->scheme == GS_SIGN_APIKEY) {
        if (EVP_Digest(p, len, p, NULL, EVP_sha256(), NULL) != 1) {
            return gs_err(l->err, "not enough memory");
        }

        *secret = gs_str_make(p, 32);
    }

    return GS_OK;
}


gs_rc_t
gs_app_load_keys(gs_app_load_t *l, gs_app_t *app, const json_t *json)
{
    gs_err_t   err;
    gs_str_t   name, text, file;

    if (json_object_get(json, "secrets") != NULL) {
        return gs_app_bad(l, "secrets", "\"secrets\" is for algorithms with "
                          "a shared secret, use \"jwks\"");
    }

    name = gs_app_text(json_object_get(json, "jwks"));
    file = gs_str_text("file:");

    if (name.len <= file.len || !gs_str_prefix(&name, &file)) {
        return gs_app_bad(l, json_object_get(json, "jwks") ? "jwks" : NULL,
                          "\"jwks\" must be \"file:NAME\", a JWK set with the "
                          "public keys");
    }

    name.data += file.len;
    name.len -= file.len;
    gs_app_at(l, "jwks");

    if (l->read(l->data, &name, 0, &text, l->err) != GS_OK) {
        return GS_ERROR;
    }

    memset(&err, 0, sizeof(gs_err_t));
    app->keys = gs_token_keys_load(l->mem, &text, &err);

    if (app->keys == NULL) {
        return gs_err(l->err, "key set \"%S\", line %u: %s", &name, err.line,
                      err.text);
    }

    return GS_OK;
}


gs_rc_t
gs_app_load_networks(gs_app_load_t *l, gs_app_t *app, const json_t *json)
{
    size_t         i, n;
    gs_net_t       nets[GS_APP_LIST];
    gs_str_t       s;
    const json_t  *list;

    if (gs_app_load_list(l, json, "networks", GS_APP_LIST, &list) != GS_OK) {
        return GS_ERROR;
    }

    if (list == NULL) {
        return GS_OK;
    }

    n = json_array_size(list);

    for (i = 0; i < n; i++) {
        s = gs_app_text(json_array_get(list, i));

        if (s.data == NULL || gs_net_parse(&nets[i], &s) != GS_OK) {
            gs_app_at(l, "networks");
            return gs_err(l->err, "invalid network \"%S\", allowed: an "
                          "address or a prefix such as 10.0.0.0/8", &s);
        }
    }

    app->networks = gs_net_set_create(l->mem, nets, n);

    return app->networks != NULL ? GS_OK
                                 : gs_err(l->err, "not enough memory");
}


gs_rc_t
gs_app_load_routes(gs_app_load_t *l, gs_app_t *app, const json_t *json)
{
    size_t         i, n;
    gs_str_t       s;
    const json_t  *list;

    if (gs_app_load_list(l, json, "routes", GS_APP_LIST, &list) != GS_OK) {
        return GS_ERROR;
    }

    if (list == NULL) {
        return GS_OK;
    }

    n = json_array_size(list);
    app->routes = gs_calloc(l->mem, n, sizeof(gs_str_t));

    if (app->routes == NULL) {
        return gs_err(l->err, "not enough memory");
    }

    for (i = 0; i < n; i++) {
        s = gs_app_text(json_array_get(list, i));

        if (s.len == 0 || s.len > 64) {
            return gs_app_bad(l, "routes", "a route must be a text of 1 to "
                              "64 characters, \"*\" stands for any");
        }

        app->routes[i] = gs_str_dup(l->mem, &s);

        if (app->routes[i].data == NULL) {
            return gs_err(l->err, "not enough memory");
        }
    }

    app->nroutes = n;

    return GS_OK;
}


gs_rc_t
gs_app_load_numbers(gs_app_load_t *l, gs_app_t *app, const json_t *json)
{
    gs_str_t       s;
    uint64_t       n;
    const json_t  *member;

    member = json_object_get(json, "level");

    if (member != NULL) {
        if (!json_is_integer(member) || json_integer_value(member) < 0
            || json_integer_value(member) > 5)
        {
            return gs_app_bad(l, "level", "\"level\" must be a number from 0 "
                              "to 5");
        }

        app->level = (unsigned) json_integer_value(member);
    }

    app->window = gs_sign_scheme_window(app->scheme);
    member = json_object_get(json, "window");

    if (member != NULL) {
        s = gs_app_text(member);

        if (app->window == 0) {
            return gs_app_bad(l, "window", "\"window\" has no meaning for "
                              "this scheme, which has no time");
        }

        if (s.data == NULL || gs_parse_msec(&s, &n) != GS_OK || n < 1000
            || n > 3600000 || n % 1000 != 0)
        {
            return gs_app_bad(l, "window", "\"window\" must be a text such "
                              "as \"180s\", from 1s to 1h");
        }

        app->window = (int64_t) (n / 1000);
    }

    member = json_object_get(json, "expires");

    if (member != NULL) {
        s = gs_app_text(member);

        if (s.data == NULL || gs_time_parse(&s, &n) != GS_OK) {
            return gs_app_bad(l, "expires", "\"expires\" must be a time such "
                              "as \"2027-01-01T00:00:00+08:00\"");
        }

        app->expires = (int64_t) (n / 1000000);
    }

    return gs_app_load_forms(l, app, json);
}


/* What some signatures of a scheme have. */

static gs_rc_t
gs_app_load_forms(gs_app_load_t *l, gs_app_t *app, const json_t *json)
{
    gs_str_t       s;
    uint64_t       n;
    const json_t  *member;

    member = json_object_get(json, "presigned");

    if (member != NULL) {
        s = gs_app_text(member);

        if (app->scheme != GS_SIGN_SIGV4) {
            return gs_app_bad(l, "presigned", "only URLs of sigv4 are "
                              "presigned");
        }

        if (s.data == NULL || gs_parse_msec(&s, &n) != GS_OK || n < 1000
            || n > 604800000 || n % 1000 != 0)
        {
            return gs_app_bad(l, "presigned", "\"presigned\" must be a text "
                              "such as \"15m\", from 1s to 7d");
        }

        app->presigned = (int64_t) (n / 1000);
    }

    member = json_object_get(json, "tag");

    if (member == NULL) {
        return GS_OK;
    }

    s = gs_app_text(member);

    if (app->scheme != GS_SIGN_RFC9421) {
        return gs_app_bad(l, "tag", "only signatures of rfc9421 have a tag");
    }

    if (!gs_app_printable(&s)) {
        return gs_app_bad(l, "tag", "\"tag\" must be a text of 1 to 128 "
                          "printable characters of ASCII, without \\ and "
                          "quotes");
    }

    app->tag = gs_str_dup(l->mem, &s);

    return app->tag.data != NULL ? GS_OK
                                 : gs_err(l->err, "not enough memory");
}


static int
gs_app_printable(const gs_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < 0x20 || s->data[i] > 0x7e || s->data[i] == '"'
            || s->data[i] == '\\')
        {
            return 0;
        }
    }

    return s->len != 0 && s->len <= 128;
}


gs_rc_t
gs_app_load_flags(gs_app_load_t *l, gs_app_t *app, const json_t *json)
{
    unsigned       value;
    const json_t  *member;

    /* schemes with a nonce, and those whose signature must serve as one */

    value = (app->scheme == GS_SIGN_TIF || app->scheme == GS_SIGN_RFC9421
             || app->scheme == GS_SIGN_GOVHMAC)
                ? GS_APP_REPLAY_ALL
            : app->scheme == GS_SIGN_APIKEY ? GS_APP_REPLAY_OFF
                                            : GS_APP_REPLAY_UNSAFE;

    if (gs_app_load_word(l, json, "replay", gs_app_replays,
                         app->scheme == GS_SIGN_APIKEY
                             ? 1u << GS_APP_REPLAY_OFF : ~0u, &value)
        != GS_OK)
    {
        return GS_ERROR;
    }

    app->replay = (gs_app_replay_e) value;
    value = 0;

    if (gs_app_load_word(l, json, "body", gs_app_bodies, ~0u, &value)
        != GS_OK)
    {
        return GS_ERROR;
    }

    app->unsigned_body = (value == 1);
    member = json_object_get(json, "identity");

    if (member == NULL) {
        return GS_OK;
    }

    if (!json_is_boolean(member)) {
        return gs_app_bad(l, "identity", "\"identity\" must be true or "
                          "false");
    }

    if (app->scheme != GS_SIGN_TIF && json_is_true(member)) {
        return gs_app_bad(l, "identity", "only x-tif carries an identity");
    }

    app->identity = json_is_true(member);

    return GS_OK;
}
