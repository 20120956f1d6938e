
/*
 * Copyright (C) govsvc authors
 *
 * Masking of any bytes: never longer, and nothing personal is left, so that
 * a second pass finds nothing more to hide.
 */


#include "audit/gs_audit_mask.h"

#include <stdint.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       i, n;
    gs_str_t     src;
    unsigned     stars;
    gs_uchar_t  *dst;

    dst = malloc(size + 1);
    if (dst == NULL) {
        return 0;
    }

    src = gs_str_make(data, size);
    n = gs_audit_mask(dst, &src);

    if (n > size) {
        abort();
    }

    /* bytes that are no digit, letter or escape stay in their order */

    stars = 0;

    for (i = 0; i < n; i++) {
        stars += (dst[i] == '*');
    }

    for (i = 0; i < size; i++) {
        stars -= (data[i] == '*');
    }

    if (stars == 0 && (n != size || memcmp(dst, data, n) != 0)) {
        abort();
    }

    free(dst);

    return 0;
}
