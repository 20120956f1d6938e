
/*
 * Copyright (C) govsvc authors
 *
 * Notes, checkpoints and keys as others may send them.
 */


#include "audit/gs_audit_note.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                   text[GS_AUDIT_KEY_TEXT_MAX];
    gs_buf_t               b;
    gs_str_t               note, key_text, again;
    uint64_t               time;
    gs_audit_key_t         key;
    gs_audit_checkpoint_t  point;

    note = gs_str_make(data, size);

    key_text = gs_str_text("PeterNeumann+c74f20a3+"
                           "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");

    if (gs_audit_key_public(&key, &key_text, NULL) != GS_OK) {
        abort();
    }

    gs_audit_note_check(&key, &note);
    key.type = GS_AUDIT_KEY_WITNESS;
    gs_audit_note_cosigned(&key, &note, &time);
    gs_audit_checkpoint_parse(&note, &point);
    gs_audit_key_free(&key);

    if (gs_audit_key_public(&key, &note, NULL) == GS_OK) {
        gs_buf_init(&b, text, sizeof(text));
        gs_audit_key_text(&key, &b);
        again = gs_buf_view(&b);

        if (b.overflow || again.len != note.len) {
            abort();
        }

        gs_audit_key_free(&key);
    }

    return 0;
}
