
/*
 * Copyright (C) govsvc authors
 *
 * Answers of HTTP/1.x: whatever comes, in whatever pieces, stays within its
 * limits, and pieces make no difference.  The first byte is the size of the
 * pieces.
 */


#include <stdlib.h>

#include "core/gs_http_response.h"
#include "core/gs_url.h"


#define MAX_HEAD  1024
#define MAX_BODY  4096


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static gs_rc_t
run(gs_http_response_t *h, const uint8_t *data, size_t size, size_t step)
{
    size_t   i, n;
    gs_rc_t  rc;

    if (gs_http_response_init(h, &gs_mem_libc, MAX_HEAD, MAX_BODY, 0)
        != GS_OK)
    {
        abort();
    }

    for (i = 0; i < size; i += n) {
        n = size - i < step ? size - i : step;
        rc = gs_http_response_feed(h, data + i, n);

        if (rc == GS_ERROR && h->error == NULL) {
            abort();
        }

        if (rc != GS_AGAIN) {
            return rc;
        }
    }

    return gs_http_response_eof(h);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              i;
    gs_rc_t             one, two;
    gs_str_t            text;
    gs_url_t            url;
    uint64_t            age;
    gs_http_response_t  a, b;

    if (size == 0) {
        return 0;
    }

    text = gs_str_make(data, size);
    (void) gs_url_parse(&url, &text, NULL);

    one = run(&a, data + 1, size - 1, size);
    two = run(&b, data + 1, size - 1, (size_t) data[0] + 1);

    if (one != two || a.status != b.status || a.body.len > MAX_BODY
        || (one == GS_OK && !gs_str_eq(&a.body, &b.body)))
    {
        abort();
    }

    for (i = 0; i < a.nheaders && one == GS_OK; i++) {
        if (a.headers[i].name.len == 0
            || memchr(a.headers[i].value.data, '\n', a.headers[i].value.len)
               != NULL)
        {
            abort();
        }
    }

    (void) gs_http_response_max_age(&a, &age);

    gs_http_response_release(&a);
    gs_http_response_release(&b);

    return 0;
}
