
/*
 * Copyright (C) govsvc authors
 *
 * Fuzz: a pointer (first line of the input) sought in any text.
 */


#include <stdlib.h>

#include "core/gs_json_pos.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char      pointer[256];
    size_t    i, n;
    gs_str_t  s, text;
    unsigned  line, lines;

    s = gs_str_make(data, size);
    n = gs_str_chr(&s, 0, '\n');

    if (n == size || n >= sizeof(pointer)) {
        return 0;
    }

    memcpy(pointer, data, n);
    pointer[n] = '\0';
    text = gs_str_make(data + n + 1, size - n - 1);

    lines = 1;

    for (i = 0; i < text.len; i++) {
        lines += (text.data[i] == '\n');
    }

    line = gs_json_line(&text, pointer);

    if (line < 1 || line > lines) {
        abort();
    }

    return 0;
}
