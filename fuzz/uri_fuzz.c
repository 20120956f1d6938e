
/*
 * Copyright (C) govsvc authors
 *
 * Request targets: what is called safe has, decoded once or twice, no byte
 * and no segment that the check promises to keep out.
 */


#include <stdlib.h>

#include "core/gs_hex.h"
#include "core/gs_utf8.h"
#include "route/gs_route.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
segments(const gs_str_t *path)
{
    size_t    i, end;
    gs_str_t  s;

    for (i = 0; i < path->len; i = end + 1) {
        end = gs_str_chr(path, i, '/');
        s = gs_str_make(path->data + i, end - i);
        s.len = gs_str_chr(&s, 0, ';');

        if (gs_str_eq_text(&s, ".") || gs_str_eq_text(&s, "..")
            || (s.len == 0 && end > i))
        {
            abort();
        }
    }
}


/* Once more, as a platform might; broken escapes stand as they are. */

static gs_str_t
again(const gs_str_t *path, gs_uchar_t *dst)
{
    size_t       i;
    gs_uchar_t  *d;

    d = dst;

    for (i = 0; i < path->len; i++) {

        if (path->data[i] == '%' && path->len - i > 2
            && gs_hex_value(path->data[i + 1]) >= 0
            && gs_hex_value(path->data[i + 2]) >= 0)
        {
            *d++ = (gs_uchar_t) (gs_hex_value(path->data[i + 1]) * 16
                                 + gs_hex_value(path->data[i + 2]));
            i += 2;

        } else {
            *d++ = path->data[i];
        }
    }

    return gs_str_make(dst, (size_t) (d - dst));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       at, i, slashes;
    gs_str_t     target, path, args, twice;
    gs_uchar_t  *buf;

    target = gs_str_make(data, size);

    if (gs_route_uri_check(&target, &at) != GS_ROUTE_URI_SAFE) {

        if (at > size) {
            abort();
        }

        return 0;
    }

    buf = malloc(size * 2);

    if (buf == NULL) {
        return 0;
    }

    gs_route_uri_split(&target, buf, &path, &args);

    if (path.len == 0 || path.data[0] != '/' || !gs_utf8_valid(&path)) {
        abort();
    }

    segments(&path);

    twice = again(&path, buf + size);
    slashes = 0;

    for (i = 0; i < twice.len; i++) {

        if (twice.data[i] == '\\' || twice.data[i] < 0x20) {
            abort();
        }

        slashes += (twice.data[i] == '/');
    }

    for (i = 0; i < path.len; i++) {
        slashes -= (path.data[i] == '/');
    }

    if (slashes != 0) {
        abort();
    }

    segments(&twice);
    free(buf);

    return 0;
}
