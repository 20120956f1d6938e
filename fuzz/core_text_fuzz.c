
/*
 * Copyright (C) govsvc authors
 *
 * Fuzz: whatever goes into a JSON string or an error text comes out as one
 * line of well-formed UTF-8 and, for JSON, as a string that closes where it
 * should.
 */


#include <stdlib.h>

#include "core/gs_err.h"
#include "core/gs_hex.h"
#include "core/gs_json_out.h"
#include "core/gs_time.h"
#include "core/gs_utf8.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void check_visible(const gs_str_t *s);
static void check_json(const gs_str_t *s);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       room;
    uint64_t     us;
    gs_str_t     in, out;
    gs_buf_t     b;
    gs_err_t     err;
    unsigned     bad;
    gs_uchar_t  *p;

    room = size * 6 + 2;
    p = malloc(room);

    if (p == NULL) {
        abort();
    }

    in = gs_str_make(data, size);

    gs_buf_init(&b, p, room);
    bad = gs_json_str(&b, &in);
    out = gs_buf_view(&b);

    if (b.overflow || (bad == 0) != gs_utf8_valid(&in)) {
        abort();
    }

    check_visible(&out);
    check_json(&out);

    gs_err(&err, "%S", &in);
    out = gs_str_text(err.text);
    check_visible(&out);

    if (gs_utf8_cut(&in, size / 2) > size / 2) {
        abort();
    }

    (void) gs_time_parse(&in, &us);

    free(p);

    return 0;
}


static void
check_visible(const gs_str_t *s)
{
    uint32_t           c;
    unsigned           used;
    const gs_uchar_t  *p, *last;

    last = s->data + s->len;

    for (p = s->data; p < last; p += used) {
        c = gs_utf8_next(p, last, &used);

        if (c == GS_UTF8_BAD || gs_utf8_hidden(c)) {
            abort();
        }
    }
}


static void
check_json(const gs_str_t *s)
{
    size_t      i, k;
    gs_uchar_t  c;

    if (s->len < 2 || s->data[0] != '"' || s->data[s->len - 1] != '"') {
        abort();
    }

    for (i = 1; i < s->len - 1; i++) {
        c = s->data[i];

        if (c == '"' || c == '<' || c == '>' || c == '&') {
            abort();
        }

        if (c != '\\') {
            continue;
        }

        i++;

        if (s->data[i] == '"' || s->data[i] == '\\') {
            continue;
        }

        if (s->data[i] != 'u' || s->len - 1 - i < 5) {
            abort();
        }

        for (k = 1; k <= 4; k++) {
            if (gs_hex_value(s->data[i + k]) < 0) {
                abort();
            }
        }

        i += 4;
    }

    /* an escape must not swallow the closing quote */

    if (i != s->len - 1) {
        abort();
    }
}
