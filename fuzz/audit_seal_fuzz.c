
/*
 * Copyright (C) govsvc authors
 *
 * State and index of a seal from any bytes: what is accepted is written again
 * byte for byte.
 */


#include "audit/gs_audit_seal.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              out[GS_AUDIT_RUN_MAX + GS_AUDIT_STATE_MAX];
    gs_buf_t          b;
    gs_str_t          text;
    gs_audit_run_t    run;
    gs_audit_state_t  state;

    text = gs_str_make(data, size);

    if (gs_audit_run_parse(&text, &run) == GS_OK) {
        gs_buf_init(&b, out, sizeof(out));
        gs_audit_run_put(&b, &run);

        if (b.overflow || gs_buf_len(&b) != size + 1
            || memcmp(out, data, size) != 0)
        {
            abort();
        }
    }

    if (gs_audit_state_parse(&text, &state) == GS_OK) {
        gs_buf_init(&b, out, sizeof(out));
        gs_audit_state_put(&b, &state);

        if (b.overflow || gs_buf_len(&b) != size
            || memcmp(out, data, size) != 0)
        {
            abort();
        }
    }

    return 0;
}
