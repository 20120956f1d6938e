
/*
 * Copyright (C) govsvc authors
 *
 * Applications: looked up, checked, allowed or not.
 */


#include "token/gs_app_priv.h"

#include <openssl/crypto.h>


static gs_sign_reason_e gs_apps_look(const gs_apps_t *apps,
    gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_app_t **app);
static gs_sign_reason_e gs_app_verify(const gs_app_t *app,
    gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred);
static gs_sign_reason_e gs_app_time(const gs_app_t *app,
    const gs_sign_cred_t *cred, int64_t now);
static int gs_app_safe(const gs_str_t *method);


void
gs_apps_destroy(gs_apps_t *apps)
{
    size_t    i, k;
    gs_app_t *app;

    if (apps == NULL) {
        return;
    }

    for (i = 0; i < apps->n; i++) {
        app = &apps->list[i];

        for (k = 0; k < app->nsecrets; k++) {
            OPENSSL_cleanse((void *) (uintptr_t) app->secrets[k].data,
                            app->secrets[k].len);
        }

        gs_token_keys_destroy(app->keys);
    }

    gs_arena_destroy(apps->arena);
}


size_t
gs_apps_count(const gs_apps_t *apps)
{
    return apps->n;
}


unsigned
gs_apps_schemes(const gs_apps_t *apps)
{
    return apps->schemes;
}


const gs_app_t *
gs_apps_at(const gs_apps_t *apps, size_t i)
{
    return &apps->list[i];
}


const gs_app_t *
gs_apps_find(const gs_apps_t *apps, const gs_str_t *id)
{
    int     rc;
    size_t  low, high, middle;

    low = 0;
    high = apps->n;

    while (low < high) {
        middle = low + (high - low) / 2;
        rc = gs_str_cmp(id, &apps->list[middle].id);

        if (rc == 0) {
            return &apps->list[middle];
        }

        if (rc < 0) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return NULL;
}


gs_sign_reason_e
gs_apps_check(const gs_apps_t *apps, gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, gs_sign_cred_t *cred, int64_t now,
    const gs_app_t **app)
{
    unsigned          known;
    gs_sign_reason_e  reason, result;

    result = GS_SIGN_UNKNOWN_APP;

    for (known = 0; known < GS_APP_SIGNATURES; /* void */) {
        reason = gs_apps_look(apps, crypto, r, cred, app);

        if (reason == GS_SIGN_NO_MEMORY) {
            return reason;
        }

        if (reason == GS_SIGN_OK) {
            return (cred->identity && !(*app)->identity)
                       ? GS_SIGN_BAD_IDENTITY
                       : gs_app_time(*app, cred, now);
        }

        /* the first of ours tells what is wrong */

        if (reason != GS_SIGN_UNKNOWN_APP && known++ == 0) {
            result = reason;
        }

        if (gs_sign_again(r, cred) != GS_SIGN_OK) {
            break;
        }
    }

    return result;
}


/* What costs nothing is looked at before the signature. */

static gs_sign_reason_e
gs_apps_look(const gs_apps_t *apps, gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_app_t **app)
{
    const gs_app_t    *found;
    gs_sign_reason_e   reason;

    *app = NULL;
    found = gs_apps_find(apps, &cred->id);

    if (found == NULL || found->scheme != cred->scheme) {
        return GS_SIGN_UNKNOWN_APP;
    }

    if (found->tag.len != 0 && !gs_str_eq(&found->tag, &cred->tag)) {
        return GS_SIGN_BAD_TAG;
    }

    if (cred->lifetime > found->presigned) {
        return GS_SIGN_PRESIGNED;
    }

    if (!cred->covered) {
        return GS_SIGN_NOT_COVERED;
    }

    if (cred->unsigned_body && !found->unsigned_body) {
        return GS_SIGN_UNSIGNED_BODY;
    }

    reason = gs_app_verify(found, crypto, r, cred);

    if (reason == GS_SIGN_OK) {
        *app = found;
    }

    return reason;
}


/* One good signature is enough; no memory for one is no verdict. */

static gs_sign_reason_e
gs_app_verify(const gs_app_t *app, gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred)
{
    size_t            i;
    gs_sign_key_t     key;
    gs_sign_reason_e  reason, last;

    key.alg = app->alg;
    key.pkey = NULL;
    last = GS_SIGN_UNKNOWN_APP;

    for (i = 0; i < app->nsecrets; i++) {
        key.secret = app->secrets[i];
        reason = gs_sign_verify(crypto, r, cred, &key);

        if (reason == GS_SIGN_OK || reason == GS_SIGN_NO_MEMORY) {
            return reason;
        }

        last = reason;
    }

    if (app->keys == NULL) {
        return last;
    }

    key.secret = gs_str_make(NULL, 0);

    for (i = 0; i < app->keys->n; i++) {
        key.pkey = app->keys->keys[i].pkey;
        reason = gs_sign_verify(crypto, r, cred, &key);

        if (reason == GS_SIGN_OK || reason == GS_SIGN_NO_MEMORY) {
            return reason;
        }

        if (last != GS_SIGN_BAD_SIGNATURE) {
            last = reason;
        }
    }

    return last;
}


static gs_sign_reason_e
gs_app_time(const gs_app_t *app, const gs_sign_cred_t *cred, int64_t now)
{
    /* a presigned URL ends when it says */

    if (cred->time != 0
        && ((cred->lifetime == 0 && now - cred->time > app->window)
            || cred->time - now > app->window))
    {
        return GS_SIGN_SKEW;
    }

    if ((cred->expires != 0 && cred->expires <= now)
        || (app->expires != 0 && app->expires <= now))
    {
        return GS_SIGN_EXPIRED;
    }

    return GS_SIGN_OK;
}


gs_sign_reason_e
gs_app_from(const gs_app_t *app, const gs_net_t *from)
{
    return (app->networks == NULL || gs_net_set_has(app->networks, from))
               ? GS_SIGN_OK : GS_SIGN_BAD_NETWORK;
}


gs_sign_reason_e
gs_app_to(const gs_app_t *app, const gs_str_t *route,
    const gs_str_t *platform)
{
    size_t  i;

    for (i = 0; i < app->nroutes; i++) {
        if ((route->len != 0 && gs_app_glob(&app->routes[i], route))
            || (platform->len != 0 && gs_app_glob(&app->routes[i], platform)))
        {
            return GS_SIGN_OK;
        }
    }

    return app->nroutes == 0 ? GS_SIGN_OK : GS_SIGN_BAD_ROUTE;
}


gs_rc_t
gs_app_nonce(const gs_app_t *app, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, int64_t now, gs_str_t *nonce, int64_t *until)
{
    if (app->replay == GS_APP_REPLAY_OFF || cred->time == 0
        || (app->replay == GS_APP_REPLAY_UNSAFE && gs_app_safe(&r->method)))
    {
        return GS_DECLINED;
    }

    *nonce = cred->nonce;

    if (nonce->len == 0) {
        *nonce = gs_str_make(cred->sig, cred->sig_len);
    }

    /* as long as a clock ahead of ours may still make it pass */

    *until = now + 2 * app->window + 1;

    if (cred->lifetime != 0 && *until <= cred->expires) {
        *until = cred->expires + 1;
    }

    return GS_OK;
}


static int
gs_app_safe(const gs_str_t *method)
{
    return gs_str_eq_text(method, "GET") || gs_str_eq_text(method, "HEAD")
           || gs_str_eq_text(method, "OPTIONS");
}


int
gs_app_glob(const gs_str_t *pattern, const gs_str_t *s)
{
    size_t  p, i, star, mark;

    p = 0;
    i = 0;
    star = pattern->len;
    mark = 0;

    while (i < s->len) {

        if (p < pattern->len && pattern->data[p] == '*') {
            star = p++;
            mark = i;

        } else if (p < pattern->len && pattern->data[p] == s->data[i]) {
            p++;
            i++;

        } else if (star != pattern->len) {
            p = star + 1;
            i = ++mark;

        } else {
            return 0;
        }
    }

    while (p < pattern->len && pattern->data[p] == '*') {
        p++;
    }

    return p == pattern->len;
}
