
/*
 * Copyright (C) govsvc authors
 *
 * Fuzz: notes of feeds and names of segments; what is accepted is written
 * again byte for byte.
 */


#include "audit/gs_audit_feed.h"

#include <stdint.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_buf_t         b;
    gs_str_t         s, line;
    uint64_t         segment;
    gs_uchar_t       room[GS_AUDIT_FEED_LINE + 1];
    gs_audit_feed_t  entry;

    s = gs_str_make(data, size);

    if (gs_audit_feed_parse(&s, &entry) == GS_OK) {
        gs_buf_init(&b, room, sizeof(room));
        gs_audit_feed_write(&b, &entry);
        line = gs_str_make(room, gs_buf_len(&b) - 1);

        if (b.overflow || !gs_str_eq(&line, &s)) {
            abort();
        }
    }

    if (gs_audit_feed_segment(&s, &segment) == GS_OK) {
        gs_buf_init(&b, room, sizeof(room));
        gs_audit_feed_segment_name(&b, segment);
        gs_buf_text(&b, ".seg");
        line = gs_buf_view(&b);

        if (!gs_str_eq(&line, &s)) {
            abort();
        }
    }

    return 0;
}
