
/*
 * Copyright (C) govsvc authors
 *
 * Fuzz: what the strict decoders accept encodes to the same text again, and
 * any bytes make the round trip.
 */


#include <stdlib.h>

#include "core/gs_b64.h"
#include "core/gs_hex.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void check_text(const gs_str_t *s, int url, gs_uchar_t *bytes,
    gs_uchar_t *again);
static void check_hex(const gs_str_t *s, gs_uchar_t *bytes,
    gs_uchar_t *again);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       len;
    gs_str_t     s;
    gs_uchar_t  *bytes, *again;

    bytes = malloc(size * 2 + 4);
    again = malloc(size * 2 + 4);

    if (bytes == NULL || again == NULL) {
        abort();
    }

    s = gs_str_make(data, size);
    check_text(&s, 1, bytes, again);
    check_text(&s, 0, bytes, again);
    check_hex(&s, bytes, again);

    s = gs_str_make(bytes, gs_b64url_encode(bytes, data, size));

    if (gs_b64url_decode(again, &len, &s) != GS_OK
        || len != size || (size != 0 && memcmp(again, data, size) != 0))
    {
        abort();
    }

    free(bytes);
    free(again);

    return 0;
}


static void
check_text(const gs_str_t *s, int url, gs_uchar_t *bytes, gs_uchar_t *again)
{
    size_t   n, len;
    gs_rc_t  rc;

    rc = url ? gs_b64url_decode(bytes, &len, s)
             : gs_b64_decode(bytes, &len, s);

    if (rc != GS_OK) {
        return;
    }

    n = url ? gs_b64url_encode(again, bytes, len)
            : gs_b64_encode(again, bytes, len);

    if (n != s->len || (n != 0 && memcmp(again, s->data, n) != 0)) {
        abort();
    }
}


static void
check_hex(const gs_str_t *s, gs_uchar_t *bytes, gs_uchar_t *again)
{
    gs_str_t  text;

    if (gs_hex_decode(bytes, s) != GS_OK) {
        return;
    }

    gs_hex_encode(again, bytes, s->len / 2);
    text = gs_str_make(again, s->len);

    if (!gs_str_case_eq(&text, s)) {
        abort();
    }
}
