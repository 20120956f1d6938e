
/*
 * Copyright (C) govsvc authors
 *
 * State and index of a seal, and proofs of records, from any bytes: what is
 * accepted is written again byte for byte.
 */


#include "audit/gs_audit_bundle.h"
#include "audit/gs_audit_seal.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_buf_t                  b;
    gs_err_t                  err;
    gs_str_t                  text, key_text;
    gs_audit_key_t            key;
    gs_audit_run_t            run;
    gs_audit_state_t          state;
    gs_audit_checkpoint_t     point;

    static gs_audit_bundle_t  bundle;
    static char               out[GS_AUDIT_BUNDLE_MAX + 1];

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

    if (gs_audit_bundle_parse(&text, &bundle) == GS_OK) {
        gs_buf_init(&b, out, sizeof(out));
        gs_audit_bundle_put(&b, &bundle);

        if (b.overflow || gs_buf_len(&b) != size
            || memcmp(out, data, size) != 0)
        {
            abort();
        }

        key_text = gs_str_text("PeterNeumann+c74f20a3+"
                               "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        memset(&err, 0, sizeof(gs_err_t));

        if (gs_audit_key_public(&key, &key_text, NULL) != GS_OK
            || gs_audit_bundle_check(&bundle, &key, &point, &err) == GS_OK)
        {
            abort();
        }

        gs_audit_key_free(&key);
    }

    return 0;
}
