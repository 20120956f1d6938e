
/*
 * Copyright (C) govsvc authors
 *
 * A JWK set: taken or refused with a reason, and nothing left behind.
 */


#include <stdlib.h>

#include "token/gs_token_key.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            i;
    gs_err_t          err;
    gs_str_t          text;
    gs_token_keys_t  *keys;

    memset(&err, 0, sizeof(gs_err_t));
    text = gs_str_make(data, size);
    keys = gs_token_keys_load(&gs_mem_libc, &text, &err);

    if (keys == NULL) {
        if (err.text[0] == '\0') {
            abort();
        }

        return 0;
    }

    if (keys->n == 0 || keys->generation == 0) {
        abort();
    }

    for (i = 0; i < keys->n; i++) {
        if (keys->keys[i].pkey == NULL
            || (keys->keys[i].kid.len != 0
                && gs_token_keys_find(keys, &keys->keys[i].kid,
                                      keys->keys[i].alg)
                   != &keys->keys[i]))
        {
            abort();
        }
    }

    gs_token_keys_destroy(keys);

    return 0;
}
