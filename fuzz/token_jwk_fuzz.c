
/*
 * Copyright (C) govsvc authors
 *
 * A JWK set: taken or refused with a reason, and nothing left behind.
 */


#include <stdlib.h>

#include "token/gs_token_key.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void fuzz_check(const gs_token_keys_t *keys);


static void
fuzz_check(const gs_token_keys_t *keys)
{
    size_t                 i;
    unsigned               alg;
    const gs_token_key_t  *key;

    if (keys->n == 0 || keys->generation == 0) {
        abort();
    }

    for (i = 0; i < keys->n; i++) {
        key = &keys->keys[i];

        if (key->algs == 0 || key->id == 0) {
            abort();
        }

        for (alg = 0; alg < GS_TOKEN_ALGS; alg++) {

            if (!(key->algs & (1u << alg))) {
                continue;
            }

            if ((alg < GS_TOKEN_DIGESTED && key->ctx[alg] == NULL)
                || (alg >= GS_TOKEN_HS256
                    ? key->mac[alg - GS_TOKEN_HS256] == NULL
                    : key->pkey == NULL)
                || (key->kid.len != 0
                    && gs_token_keys_find(keys, &key->kid,
                                          (gs_token_alg_e) alg)
                       != key))
            {
                abort();
            }
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               secrets;
    gs_err_t          err;
    gs_str_t          text;
    gs_token_keys_t  *keys;

    text = gs_str_make(data, size);

    for (secrets = 0; secrets < 2; secrets++) {
        memset(&err, 0, sizeof(gs_err_t));

        keys = secrets ? gs_token_keys_load_secrets(&gs_mem_libc, &text, &err)
                       : gs_token_keys_load(&gs_mem_libc, &text, &err);

        if (keys != NULL) {
            fuzz_check(keys);
            gs_token_keys_destroy(keys);

        } else if (err.text[0] == '\0') {
            abort();
        }
    }

    return 0;
}
