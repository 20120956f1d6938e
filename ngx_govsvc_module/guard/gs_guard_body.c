
/*
 * Copyright (C) govsvc authors
 *
 * Bodies: what they are by their type and by their look, without their
 * coding, and the values in them.
 */


#include "guard/gs_guard_priv.h"


void
gs_guard_feed_body(gs_guard_run_t *run)
{
    gs_str_t    text;
    gs_value_t  v;

    text = run->in->body;

    if (text.data == NULL) {
        return;
    }

    if (text.len > run->s->size) {
        text.len = run->s->size;
    }

    if (gs_guard_wanted(run, GS_KIND_BODY)) {
        gs_guard_value_init(&v, GS_KIND_BODY, GS_DECODE_NONE, &text);
        gs_guard_value(run, &v);
    }

    (void) gs_guard_feed_pairs(run, &text, GS_KIND_FORM, GS_KIND_FORM_NAMES,
                               GS_GUARD_MAX_FIELDS);
}
