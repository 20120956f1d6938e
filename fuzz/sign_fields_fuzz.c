
/*
 * Copyright (C) govsvc authors
 *
 * Signature-Input and Content-Digest: structured fields that a client writes.
 * A digest that is taken comes back from its own text.
 */


#include <stdlib.h>

#include "token/gs_sign.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char               text[160];
    gs_buf_t           b;
    gs_str_t           s;
    gs_sign_cred_t     cred;
    gs_sign_digest_t   digest, again;
    gs_sign_request_t  r;
    gs_sign_header_t   headers[3];

    s = gs_str_make(data, size);

    if (gs_sign_content_digest(&s, &digest) == GS_OK) {
        gs_buf_init(&b, text, sizeof(text));
        gs_sign_content_digest_put(&b, &digest);
        s = gs_buf_view(&b);

        if (b.overflow || gs_sign_content_digest(&s, &again) != GS_OK
            || !gs_sign_digest_eq(&digest, &again))
        {
            abort();
        }
    }

    memset(&r, 0, sizeof(r));
    r.method = gs_str_text("GET");
    r.target = gs_str_text("/?a=1");
    r.headers = headers;
    r.n = 3;

    headers[0].name = gs_str_text("signature-input");
    headers[0].value = gs_str_make(data, size);
    headers[1].name = gs_str_text("signature");
    headers[1].value = gs_str_text("a=:AAAA:");
    headers[2].name = gs_str_text("content-digest");
    headers[2].value = headers[0].value;

    if (gs_sign_find(&r, 1u << GS_SIGN_RFC9421, &cred) == GS_SIGN_OK
        && (cred.id.len == 0 || cred.id.len > 128))
    {
        abort();
    }

    return 0;
}
