
/*
 * Copyright (C) govsvc authors
 *
 * A request and its signature, for the tests of signed requests.
 */


#ifndef _SIGN_FIXTURE_H_INCLUDED_
#define _SIGN_FIXTURE_H_INCLUDED_


#include <stdlib.h>

#include "tap.h"
#include "token/gs_sign.h"


#define SIGN_ALL      ((1u << GS_SIGN_SCHEMES) - 1)
#define SIGN_HEADERS  40


static gs_sign_crypto_t   *crypto;
static gs_sign_request_t   req;
static gs_sign_header_t    headers[SIGN_HEADERS];
static gs_sign_cred_t      cred;
static gs_sign_key_t       key;


static inline void
request(const char *method, const char *target, const char *host)
{
    memset(&req, 0, sizeof(req));

    req.method = gs_str_text(method);
    req.target = gs_str_text(target);
    req.host = gs_str_text(host);
    req.headers = headers;
}


static inline void
header(const char *name, const char *value)
{
    if (req.n == SIGN_HEADERS) {
        abort();
    }

    headers[req.n].name = gs_str_text(name);
    headers[req.n].value = gs_str_text(value);
    req.n++;
}


static inline void
secret(gs_sign_alg_e alg, const char *text)
{
    memset(&key, 0, sizeof(key));

    key.alg = alg;
    key.secret = gs_str_text(text);
}


static inline gs_sign_reason_e
verify(void)
{
    gs_sign_reason_e  reason;

    reason = gs_sign_find(&req, SIGN_ALL, &cred);

    return reason == GS_SIGN_OK ? gs_sign_verify(crypto, &req, &cred, &key)
                                : reason;
}


static inline void
is_reason(gs_sign_reason_e got, gs_sign_reason_e want, const char *name)
{
    if (!ok(got == want, "%s", name)) {
        diag("got %s, want %s", gs_sign_reason_name(got),
             gs_sign_reason_name(want));
    }
}


static inline void
is_canon(const char *want, const char *name)
{
    gs_buf_t           b;
    static gs_uchar_t  text[GS_SIGN_CANON];

    gs_buf_init(&b, text, sizeof(text));
    (void) gs_sign_canon(crypto, &req, &cred, &b);
    is_str(gs_buf_view(&b), want, "%s", name);
}


#endif /* _SIGN_FIXTURE_H_INCLUDED_ */
