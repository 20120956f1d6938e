
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json, or with a first byte of "R" regions.json: never a crash,
 * and what is accepted is a table.
 */


#include <stdlib.h>

#include "route/gs_route.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             len;
    gs_rc_t            rc;
    gs_err_t           err;
    gs_str_t           text, empty;
    gs_route_table_t  *table;

    if (size > 65536) {
        return 0;
    }

    if (size > 0 && data[0] == 'R') {
        text = gs_str_make(data + 1, size - 1);
        empty = gs_str_text("{}");
        rc = gs_route_compile(&gs_mem_libc, &empty, &text, &table, &len,
                              &err);

    } else {
        text = gs_str_make(data, size);
        rc = gs_route_compile(&gs_mem_libc, &text, NULL, &table, &len, &err);
    }

    if (rc == GS_OK) {

        if (gs_route_table(table, len) == NULL) {
            abort();
        }

        gs_free(&gs_mem_libc, table);

    } else if (err.text[0] == '\0') {
        abort();
    }

    return 0;
}
