
/*
 * Copyright (C) govsvc authors
 *
 * Item codes, case numbers and the forms of a region.
 */


#include <stdlib.h>

#include "route/gs_item.h"
#include "route/gs_region.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t   code;
    gs_str_t   s;
    gs_item_t  item;

    s = gs_str_make(data, size);

    if (gs_item_parse(&s, &item) == GS_OK) {

        if (item.code.len != size
            || item.uscc.len + item.base.len + item.seq.len
               + (item.uscc.len != 0) != size
            || !gs_item_same(&item, &item) || item.region > 999999)
        {
            abort();
        }

    } else if (item.code.len != 0) {
        abort();
    }

    if (gs_item_case_no(&s) && size > 50) {
        abort();
    }

    if (gs_region_digits(&s, &code) == GS_OK && code > 999999) {
        abort();
    }

    (void) gs_region_iso(&s);
    (void) gs_region_slug(&s);

    return 0;
}
