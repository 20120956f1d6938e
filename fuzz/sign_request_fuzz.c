
/*
 * Copyright (C) govsvc authors
 *
 * A request from a client: method, target and headers, a line each.  Each
 * signature found is verified; what verifies, which takes a secret, is a
 * crash.
 */


#include <stdlib.h>

#include "token/gs_sign.h"


#define FUZZ_HEADERS  16


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static gs_str_t fuzz_line(gs_str_t *rest);


static gs_sign_crypto_t  *crypto;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             colon;
    gs_buf_t           b;
    gs_str_t           rest, line;
    gs_sign_key_t      key;
    gs_sign_cred_t     cred;
    static gs_uchar_t  text[GS_SIGN_CANON];
    gs_sign_request_t  r;
    gs_sign_header_t   headers[FUZZ_HEADERS];

    if (crypto == NULL) {
        crypto = gs_sign_crypto_create(&gs_mem_libc);

        if (crypto == NULL) {
            abort();
        }
    }

    rest = gs_str_make(data, size);
    memset(&r, 0, sizeof(r));
    r.headers = headers;
    r.method = fuzz_line(&rest);
    r.target = fuzz_line(&rest);
    r.host = fuzz_line(&rest);
    r.body = (r.method.len > 3);
    r.tls = (r.host.len > 8);

    while (rest.len != 0 && r.n < FUZZ_HEADERS) {
        line = fuzz_line(&rest);
        colon = gs_str_chr(&line, 0, ':');

        if (colon == line.len) {
            continue;
        }

        headers[r.n].name = gs_str_make(line.data, colon);
        headers[r.n].value = gs_str_make(line.data + colon + 1,
                                         line.len - colon - 1);
        r.n++;
    }

    if (gs_sign_find(&r, (1u << GS_SIGN_SCHEMES) - 1, &cred) != GS_SIGN_OK) {
        return 0;
    }

    memset(&key, 0, sizeof(key));
    key.secret = gs_str_text("a secret that nobody can know: 3f9a77c1");

    do {
        key.alg = (cred.alg < GS_SIGN_KEYED)
                      ? cred.alg : gs_sign_scheme_alg(cred.scheme);

        if (gs_sign_verify(crypto, &r, &cred, &key) == GS_SIGN_OK) {
            abort();
        }

        gs_buf_init(&b, text, sizeof(text));
        (void) gs_sign_canon(crypto, &r, &cred, &b);

    } while (gs_sign_again(&r, &cred) == GS_SIGN_OK);

    return 0;
}


static gs_str_t
fuzz_line(gs_str_t *rest)
{
    size_t    end;
    gs_str_t  line;

    end = gs_str_chr(rest, 0, '\n');
    line = gs_str_make(rest->data, end);
    end += (end < rest->len);
    *rest = gs_str_make(rest->data + end, rest->len - end);

    return line;
}
