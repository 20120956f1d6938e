
/*
 * Copyright (C) govsvc authors
 *
 * A request of each scheme in bytes that a test may change, signed, and looked
 * at as a server does it.
 */


#ifndef _SIGN_MESSAGE_H_INCLUDED_
#define _SIGN_MESSAGE_H_INCLUDED_


#include <stdio.h>

#include <openssl/evp.h>

#include "sign_fixture.h"
#include "sign_meaning.h"
#include "token/gs_app.h"


#define NOW  1700000000


typedef int (*mean_pt)(const msg_t *m, gs_buf_t *b);


typedef struct {
    const char        *name;
    gs_sign_scheme_e   scheme;
    gs_sign_alg_e      alg;
    int                link;               /* a presigned URL */
    int                body;
    const char        *service;
    const char        *subject;
    mean_pt            mean;
} form_t;


/* RFC 8037 appendix A.1 */

static const gs_uchar_t  ed25519[] = {
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4,
    0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
    0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60
};

static const char  jwks[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static const char  shared[] = "a secret of some length";


static msg_t       msg;
static gs_apps_t  *apps;


static inline void
put(msg_text_t *t, gs_str_t s)
{
    if (s.len > MSG_TEXT / 2) {
        abort();
    }

    memcpy(t->data, s.data, s.len);
    t->len = s.len;
}


static inline void
add(gs_str_t name, gs_str_t value)
{
    put(&msg.name[msg.n], name);
    put(&msg.value[msg.n++], value);
}


/* One that has something of everything. */

static inline void
sign(const form_t *f)
{
    size_t            i, n;
    gs_str_t          text, target;
    gs_arena_t       *arena;
    gs_sign_cred_t    made;
    gs_sign_hash_t   *hash;
    gs_sign_header_t  adds[GS_SIGN_MAX_ADD];

    memset(&msg, 0, sizeof(msg));
    memset(&made, 0, sizeof(made));
    arena = gs_arena_create(&gs_mem_libc);

    put(&msg.method, gs_str_text(f->body ? "POST" : "GET"));
    put(&msg.target,
        gs_str_text("/a%20b/c%2Fd/e?z=1&a=%E4%B8%AD&a&b=x%2By+1&=e&n=2"));
    put(&msg.body, gs_str_text(f->body ? "{\"n\": 1}" : ""));
    add(gs_str_text("Host"), gs_str_text("gw.gov.example"));

    if (!f->link) {
        add(gs_str_text("Content-Type"), gs_str_text("text/plain; a=\"b c\""));
    }

    add(gs_str_text("Accept"), gs_str_text("*/*"));

    request("", "", "gw.gov.example");
    req.method = msg_str(&msg.method);
    req.target = msg_str(&msg.target);
    req.body = (unsigned) f->body;

    for (i = 0; i < msg.n; i++) {
        headers[i].name = msg_str(&msg.name[i]);
        headers[i].value = msg_str(&msg.value[i]);
    }

    req.n = msg.n;

    secret(f->alg, shared);

    if (f->alg == GS_SIGN_ED25519) {
        key.secret = gs_str_make(NULL, 0);
        key.pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
                                                ed25519, sizeof(ed25519));
    }

    made.scheme = f->scheme;
    made.id = gs_str_text("app-1");
    made.nonce = gs_str_text("0123456789abcdef");
    made.time = NOW;

    if (f->scheme == GS_SIGN_SIGV4) {
        made.text[0] = gs_str_text("cn-north");
        made.text[1] = gs_str_text(f->service);

    } else if (f->scheme == GS_SIGN_GJZWFWPT) {
        made.text[0] = gs_str_text("SID1");

    } else if (f->subject != NULL) {
        made.subject = gs_str_text(f->subject);
        made.text[0] = gs_str_text("eyJuIjoxfQ");
        made.text[1] = gs_str_text("x,y");
    }

    if (f->body && f->scheme != GS_SIGN_TIF) {
        text = msg_str(&msg.body);
        hash = gs_sign_hash_create(crypto, gs_arena_mem(arena),
                                   GS_SIGN_DIGEST_SHA256);
        (void) gs_sign_hash_update(hash, text.data, text.len);
        (void) gs_sign_hash_final(hash, &made.digest);
        gs_sign_hash_destroy(hash);
    }

    if (f->link) {
        is_reason(gs_sign_presign(crypto, gs_arena_mem(arena), &req, &made,
                                  &key, 600, &target), GS_SIGN_OK, f->name);
        put(&msg.target, target);

    } else {
        is_reason(gs_sign_make(crypto, gs_arena_mem(arena), &req, &made, &key,
                               adds, &n), GS_SIGN_OK, f->name);

        for (i = 0; i < n; i++) {
            add(adds[i].name, adds[i].value);
        }
    }

    EVP_PKEY_free(key.pkey);
    key.pkey = NULL;
    gs_arena_destroy(arena);
}


static inline gs_rc_t
read_file(void *data, const gs_str_t *name, int is_secret, gs_str_t *text,
    gs_err_t *err)
{
    static char  file[512];

    /* whoever reads a secret cleanses it */

    strcpy(file, is_secret ? shared : jwks);
    *text = gs_str_text(file);

    return GS_OK;
}


static inline gs_apps_t *
load(const form_t *f)
{
    gs_err_t      err;
    gs_str_t      text;
    gs_apps_t    *loaded;
    static char   json[512];

    (void) snprintf(json, sizeof(json), "{\"apps\":[{\"id\":\"app-1\","
                    "\"scheme\":\"%s\",\"alg\":\"%s\",%s%s%s}]}",
                    gs_sign_scheme_names[f->scheme],
                    gs_sign_alg_names[f->alg],
                    f->alg >= GS_SIGN_ED25519 ? "\"jwks\":\"file:jwks\""
                                          : "\"secrets\":[\"file:shared\"]",
                    f->link ? ",\"presigned\":\"1h\"" : "",
                    f->subject != NULL ? ",\"identity\":true" : "");

    text = gs_str_text(json);
    loaded = gs_apps_load(&gs_mem_libc, &text, read_file, NULL, &err);

    if (loaded == NULL) {
        diag("%s", err.text);
        abort();
    }

    return loaded;
}


static inline int
body_is(const msg_t *m)
{
    gs_sign_hash_t    *hash;
    gs_sign_digest_t   digest;

    if (cred.digest.alg == GS_SIGN_DIGEST_NONE) {
        return 1;
    }

    hash = gs_sign_hash_create(crypto, &gs_mem_libc, cred.digest.alg);
    (void) gs_sign_hash_update(hash, m->body.data, m->body.len);
    (void) gs_sign_hash_final(hash, &digest);
    gs_sign_hash_destroy(hash);

    return gs_sign_digest_eq(&digest, &cred.digest);
}


/* As a server does it: one Host, then the signature, then the body. */

static inline int
passes(const msg_t *m)
{
    size_t           i;
    const gs_app_t  *app;

    if (m->n > SIGN_HEADERS || lines(m, "host", &req.host) != 1) {
        return 0;
    }

    req.method = msg_str(&m->method);
    req.target = msg_str(&m->target);
    req.body = (m->body.len != 0);
    req.n = m->n;

    for (i = 0; i < m->n; i++) {
        headers[i].name = msg_str(&m->name[i]);
        headers[i].value = msg_str(&m->value[i]);
    }

    return gs_sign_find(&req, SIGN_ALL, &cred) == GS_SIGN_OK
           && gs_apps_check(apps, crypto, &req, &cred, NOW, &app)
              == GS_SIGN_OK
           && body_is(m);
}


#endif /* _SIGN_MESSAGE_H_INCLUDED_ */
